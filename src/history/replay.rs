//! The journal played back: a pure function from lines to what the history knows.

use std::collections::{HashMap, HashSet};

use super::entry::{Action, Alias, Batch, Cluster, Decision, Original, Verdict};
use super::lines::{Said, Stored, StoredCluster, Text};
use crate::ids::{ActivityId, Digest};
use crate::model::time;

/// What the history knows.
#[derive(Default)]
pub(super) struct State {
    pub originals: Vec<Original>,
    by_digest: HashMap<Digest, usize>,
    pub activities: Vec<Stored>,
    by_id: HashMap<ActivityId, usize>,
    /// Clusters whose members are all known.
    pub clusters: Vec<StoredCluster>,
    /// All clusters that hold, in the order in which they were said; a void one leaves its place.
    pub said_clusters: Vec<Option<StoredCluster>>,
    by_member: HashMap<ActivityId, Vec<usize>>,
    /// Sets of activities that the owner declared different.
    pub apart: Vec<Vec<ActivityId>>,
    /// Merged workouts that the owner took back, as they were.
    pub undone: Vec<StoredCluster>,
    /// Lines of kinds that this version does not know.
    pub unknown: Vec<Text>,
    generation: u32,
    /// How often everything before was void.
    pub resets: u32,
    /// Version of the program that wrote the batch.
    parser: String,
    /// Originals that this batch says were read again.
    reread: HashSet<Digest>,
}

impl State {
    pub fn original(&self, digest: &Digest) -> Option<&Original> {
        self.originals.get(*self.by_digest.get(digest)?)
    }

    pub fn activity(&self, id: &ActivityId) -> Option<&Stored> {
        self.activities.get(*self.by_id.get(id)?)
    }

    /// Makes room for what lines say, no more than it takes.
    pub fn reserve<'a>(&mut self, said: impl Iterator<Item = &'a Said>) {
        let (mut activities, mut originals) = (0, 0);
        for said in said {
            activities += usize::from(matches!(said, Said::Activity(_)));
            originals += usize::from(matches!(said, Said::Original(_)));
        }
        self.activities.reserve(activities);
        self.by_id.reserve(activities);
        self.originals.reserve(originals);
        self.by_digest.reserve(originals);
    }

    /// Takes over what committed lines say, in order. Returns the numbers of lines that say nothing usable.
    /// [`State::settle`] must follow the last one.
    pub fn play(&mut self, said: impl Iterator<Item = Said>) -> Vec<usize> {
        let mut odd = Vec::new();
        for said in said {
            match said {
                Said::Batch(batch) => self.begin(batch),
                Said::Original(original) => self.add_original(*original),
                Said::Alias(alias) => self.add_names(alias),
                Said::Activity(stored) => self.add_activity(*stored),
                Said::Decision(decision) => self.decide(decision),
                Said::Cluster(cluster) => self.add_cluster(cluster),
                Said::Unknown(text) => self.unknown.push(text),
                Said::Odd(n) => odd.push(n),
            }
        }
        odd
    }

    fn begin(&mut self, batch: Batch) {
        self.end_batch();
        if batch.resets {
            *self = State { generation: self.generation, resets: self.resets + 1, ..State::default() };
        }
        self.generation += 1;
        self.parser = batch.parser;
    }

    fn add_names(&mut self, alias: Alias) {
        let Some(original) = self.by_digest.get(&alias.digest).and_then(|&at| self.originals.get_mut(at)) else {
            return;
        };
        original.names.extend(alias.names);
        original.names.sort_unstable();
        original.names.dedup();
    }

    fn add_activity(&mut self, stored: Stored) {
        let stored = Stored { generation: self.generation, ..stored };
        match self.by_id.get(&stored.id).and_then(|&at| self.activities.get_mut(at)) {
            Some(old) => *old = stored,
            None => {
                self.by_id.insert(stored.id, self.activities.len());
                self.activities.push(stored);
            }
        }
    }

    /// A second line for the same bytes replaces the first one, and voids the activities of earlier batches when it says
    /// that the original was read again.
    fn add_original(&mut self, mut original: Original) {
        if std::mem::take(&mut original.reread) {
            self.reread.insert(original.digest);
        }
        if original.parser.is_empty() {
            original.parser.clone_from(&self.parser);
        }
        match self.by_digest.get(&original.digest).and_then(|&at| self.originals.get_mut(at)) {
            Some(slot) => *slot = original,
            None => {
                self.by_digest.insert(original.digest, self.originals.len());
                self.originals.push(original);
            }
        }
    }

    /// A cluster replaces what was said before about any of its members with the same certainty, and a merge settles
    /// the doubts inside it.
    fn add_cluster(&mut self, cluster: StoredCluster) {
        let members: HashSet<&ActivityId> = cluster.members.iter().collect();
        self.drop_clusters(&cluster.members, |old| {
            let shared = old.members.iter().filter(|id| members.contains(id)).count();
            match (old.verdict, cluster.verdict) {
                (Verdict::Same, Verdict::Same) => true,
                (Verdict::Unsure, Verdict::Same) => shared == old.members.len(),
                (Verdict::Unsure, Verdict::Unsure) => old.members == cluster.members,
                (Verdict::Same, Verdict::Unsure) => false,
            }
        });
        for id in &cluster.members {
            self.by_member.entry(*id).or_default().push(self.said_clusters.len());
        }
        self.said_clusters.push(Some(cluster));
    }

    fn decide(&mut self, decision: Decision) {
        let members: HashSet<&ActivityId> = decision.members.iter().collect();
        let inside = |ids: &[ActivityId]| ids.iter().all(|id| members.contains(id));
        self.apart.retain(|set| !inside(set));
        self.undone.retain(|cluster| !inside(&cluster.members));
        match decision.action {
            Action::Accept => {
                self.drop_clusters(&decision.members, |old| old.verdict == Verdict::Unsure && inside(&old.members));
            }
            Action::Undo => {
                let undone = self.drop_clusters(&decision.members, |old| {
                    old.members.iter().filter(|id| members.contains(id)).count() > 1
                });
                self.undone.extend(undone.into_iter().filter(|old| old.verdict == Verdict::Same));
                self.apart.push(decision.members);
            }
        }
    }

    /// Drops those clusters that share a member with `members` and are `void`, and gives them.
    fn drop_clusters(&mut self, members: &[ActivityId], void: impl Fn(&StoredCluster) -> bool) -> Vec<StoredCluster> {
        let mut dropped = Vec::new();
        for id in members {
            for &at in self.by_member.get(id).into_iter().flatten() {
                if let Some(slot) = self.said_clusters.get_mut(at) {
                    dropped.extend(slot.take_if(|old| void(old)));
                }
            }
        }
        dropped
    }

    /// Ends a batch: drops activities of originals that were read again and did not have them any more.
    fn end_batch(&mut self) {
        if self.reread.is_empty() {
            return;
        }
        let (reread, generation) = (std::mem::take(&mut self.reread), self.generation);
        self.activities.retain(|old| old.generation == generation || !reread.contains(&old.digest));
        self.index();
    }

    fn index(&mut self) {
        self.by_id.clear();
        self.by_id.extend(self.activities.iter().enumerate().map(|(at, activity)| (activity.id, at)));
    }

    /// Puts everything in its order, after the last line.
    pub fn settle(&mut self) {
        self.end_batch();
        // Day-only workouts sort by their day's first instant.
        let order = |a: &Stored| (order_instant(a), a.id);
        if !self.activities.is_sorted_by_key(order) {
            self.activities.sort_by_cached_key(order);
            self.index();
        }
        let whole = |cluster: &&StoredCluster| cluster.members.iter().all(|id| self.by_id.contains_key(id));
        self.clusters = self.said_clusters.iter().flatten().filter(whole).cloned().collect();
        self.clusters.sort_by(|a, b| (&a.members, a.verdict as u8).cmp(&(&b.members, b.verdict as u8)));
    }

    /// True when the same was said of this activity before.
    pub fn knows_activity(&self, id: &ActivityId, body: &[u8]) -> bool {
        self.activity(id).is_some_and(|activity| activity.text.has_body(body))
    }

    /// True when the same was said of these members before.
    pub fn knows_cluster(&self, cluster: &Cluster, body: &[u8]) -> bool {
        let first = self.clusters.partition_point(|have| have.members < cluster.members);
        let same = self.clusters.iter().skip(first).take_while(|have| have.members == cluster.members);
        same.into_iter().any(|have| have.text.has_body(body))
    }

    /// True when these activities are declared different, and nothing says otherwise.
    pub fn knows_undo(&self, members: &[ActivityId]) -> bool {
        self.apart.iter().any(|set| set == members)
    }
}

/// The instant that an activity is ordered by: its start, else the midnight of its day, else the end of time.
fn order_instant(activity: &Stored) -> i64 {
    let midnight = || time::parse(format!("{}T00:00:00Z", activity.day.as_deref()?).as_bytes()).map(|day| day.ms);
    activity.start.or_else(midnight).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use proptest::prelude::*;

    use super::super::faults::{FaultyDisk, shown};
    use super::super::testing::{START, put, scratch, summary};
    use super::super::{Entry, History, Writer};
    use super::*;

    /// Something that an import, or the owner, may say.
    #[derive(Debug, Clone)]
    enum Saying {
        /// Original number, activities.
        Original(u8, u32),
        Alias(u8, u8),
        Cluster(Verdict, Vec<u8>),
        Decision(Action, Vec<u8>),
        Reread(u8, u32),
    }

    fn sayings() -> impl Strategy<Value = Vec<Saying>> {
        let members = || prop::collection::vec(0u8..6, 2..4);
        let verdict = prop_oneof![Just(Verdict::Same), Just(Verdict::Unsure)];
        let action = prop_oneof![Just(Action::Accept), Just(Action::Undo)];
        let saying = prop_oneof![
            3 => (0u8..6, 0u32..3).prop_map(|(k, n)| Saying::Original(k, n)),
            1 => (0u8..6, 0u8..3).prop_map(|(k, n)| Saying::Alias(k, n)),
            3 => (verdict, members()).prop_map(|(v, m)| Saying::Cluster(v, m)),
            1 => (action, members()).prop_map(|(a, m)| Saying::Decision(a, m)),
            1 => (0u8..6, 0u32..3).prop_map(|(k, n)| Saying::Reread(k, n)),
        ];
        prop::collection::vec(saying, 1..8)
    }

    fn content(k: u8) -> Vec<u8> {
        format!("recording {k}").into_bytes()
    }

    fn digest(k: u8) -> Digest {
        super::super::originals::digest_of(&content(k))
    }

    fn say(writer: &mut Writer, saying: &Saying) {
        let ids = |members: &[u8]| members.iter().map(|&k| ActivityId::of(&digest(k), 0)).collect::<Vec<_>>();
        match saying {
            Saying::Original(k, n) => drop(put(writer, &format!("{k}.gpx"), &content(*k), *n).unwrap()),
            Saying::Alias(k, n) => writer.put(Entry::Alias { digest: digest(*k), names: vec![format!("copy {n}")] }),
            Saying::Cluster(verdict, members) => {
                let members = ids(members);
                let (base, reasons, origins) = (members[0], Vec::new(), BTreeMap::new());
                let (verdict, merged, prefer, replaces) = (*verdict, None, String::new(), Vec::new());
                let cluster = Cluster { verdict, base, members, reasons, origins, merged, prefer, replaces };
                writer.put(Entry::Cluster(cluster));
            }
            Saying::Decision(action, members) => {
                writer.put(Entry::Decision(Decision { action: *action, members: ids(members) }));
            }
            Saying::Reread(k, n) => {
                let summaries = (0..*n).map(|index| summary(&digest(*k), index, START + 5_000)).collect();
                writer.put_reread(digest(*k), "gpx", summaries);
            }
        }
    }

    fn everything(history: &History) -> (Vec<String>, Vec<Vec<ActivityId>>) {
        let mut apart = history.apart().to_vec();
        apart.sort();
        (shown(history), apart)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn what_a_writer_shows_is_what_its_journal_says(batches in prop::collection::vec(sayings(), 1..5)) {
            let folder = scratch();
            let root = folder.path().join("h");
            let mut writer = Writer::open(&root, false, FaultyDisk::sound()).unwrap();
            for batch in &batches {
                batch.iter().for_each(|saying| say(&mut writer, saying));
                writer.commit().unwrap();
                prop_assert_eq!(everything(&writer), everything(&History::open(&root).unwrap()));
            }
            // Each activity at most once among the merged.
            let same = writer.clusters().iter().filter(|c| c.verdict == Verdict::Same);
            let mut merged: Vec<_> = same.flat_map(|c| c.members.iter().copied()).collect();
            merged.sort();
            prop_assert!(merged.windows(2).all(|pair| pair[0] != pair[1]));
        }

        #[test]
        fn the_order_in_which_things_are_said_does_not_show(
            (said, shuffled) in sayings().prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle()))
        ) {
            // Two rereadings of one original in one batch are a contradiction, and so are two counts.
            let mut seen = HashSet::new();
            let kept = |saying: &Saying| match saying {
                Saying::Original(k, _) | Saying::Reread(k, _) => Some(*k),
                _ => None,
            };
            prop_assume!(said.iter().filter_map(kept).all(|k| seen.insert(k)));
            let journal = |said: &[Saying]| {
                let folder = scratch();
                let root = folder.path().join("h");
                let mut writer = Writer::open(&root, false, FaultyDisk::sound()).unwrap();
                said.iter().for_each(|saying| say(&mut writer, saying));
                writer.commit().unwrap();
                fs::read(root.join("journal/000001.jsonl")).unwrap()
            };
            prop_assert_eq!(journal(&said), journal(&shuffled));
        }
    }
}
