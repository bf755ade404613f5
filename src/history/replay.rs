//! The journal played back: a pure function from lines to what the history knows.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::entry::{Action, Alias, Batch, Decision, Original, Verdict};
use super::lines::{Kept, Said, Stored, StoredCluster, Text, stream_of};
use crate::error::Result;
use crate::ids::{ActivityId, Digest, UNMIXED};
use crate::model::time;

/// What the history knows.
#[derive(Default)]
pub(super) struct State {
    /// In order of their digests.
    pub originals: Vec<Kept>,
    /// More names of originals, in order of their digests.
    aliases: Vec<(Digest, Text)>,
    /// Those originals that came as a gzip stream, in order of what is at hand of its digest; made when it is wanted.
    by_stream: OnceLock<Vec<u32>>,
    /// Originals with so many names that nobody wants to read their lines twice.
    long: Mutex<HashMap<Digest, Original>>,
    /// In order of start and identity.
    pub activities: Vec<Stored>,
    /// Their places, in order of their identities.
    by_id: Vec<u32>,
    /// Those whose members are all known, in order of their members.
    clusters: Vec<u32>,
    /// All clusters that hold, in the order in which they were said; a void one leaves its place.
    pub said_clusters: Vec<Option<StoredCluster>>,
    by_member: ByMember,
    /// Sets of activities that the owner declared different.
    pub apart: Vec<Vec<ActivityId>>,
    /// Merged workouts that the owner took back, as they were.
    pub undone: Vec<StoredCluster>,
    /// Lines of kinds that this version does not know.
    pub unknown: Vec<Text>,
    /// Number of the last batch.
    batch: u32,
    /// How often everything before was void.
    pub resets: u32,
    /// Versions of the program, each with the first batch that it wrote.
    parsers: Vec<(u32, String)>,
    /// Originals that this batch says were read again.
    reread: HashSet<Digest>,
}

/// Which of the clusters that were said an activity is part of: nearly always one.
#[derive(Default)]
struct ByMember {
    /// The last one of each activity, as a place in `all`.
    last: HashMap<ActivityId, u32>,
    /// A cluster, and the one before of the same activity.
    all: Vec<(u32, Option<NonZeroU32>)>,
}

impl ByMember {
    fn add(&mut self, id: ActivityId, cluster: usize) {
        let place = self.all.len() as u32;
        let before = self.last.insert(id, place).and_then(|before| NonZeroU32::new(before + 1));
        self.all.push((cluster as u32, before));
    }

    /// In the order in which they were added.
    fn of(&self, id: &ActivityId) -> Vec<usize> {
        let mut clusters = Vec::new();
        let mut place = self.last.get(id).copied();
        while let Some(&(cluster, before)) = place.and_then(|place| self.all.get(place as usize)) {
            clusters.push(cluster as usize);
            place = before.map(|before| before.get() - 1);
        }
        clusters.reverse();
        clusters
    }
}

/// What the lines of one batch say, by kind: of a whole import that is much, and it goes over as it is.
#[derive(Default)]
pub(super) struct SaidByKind {
    batch: Option<Box<Batch>>,
    originals: Vec<Kept>,
    reread: Vec<Digest>,
    activities: Vec<Stored>,
    others: Vec<Said>,
}

impl SaidByKind {
    pub fn with_room(originals: usize, activities: usize) -> SaidByKind {
        let (originals, activities) = (Vec::with_capacity(originals), Vec::with_capacity(activities));
        SaidByKind { originals, activities, ..SaidByKind::default() }
    }

    pub fn add(&mut self, said: Said) {
        match said {
            Said::Batch(batch) => self.batch = Some(batch),
            Said::Original(kept) => self.originals.push(*kept),
            Said::Reread(kept) => {
                self.reread.push(kept.digest);
                self.originals.push(*kept);
            }
            Said::Activity(stored) => self.activities.push(*stored),
            other => self.others.push(other),
        }
    }
}

impl State {
    fn kept(&self, digest: &Digest) -> Option<&Kept> {
        let at = self.originals.binary_search_by_key(digest, |kept| kept.digest).ok()?;
        self.originals.get(at)
    }

    pub fn knows_original(&self, digest: &Digest) -> bool {
        self.kept(digest).is_some()
    }

    /// All that is known about some bytes.
    ///
    /// # Errors
    /// When its lines cannot be read.
    pub fn original(&self, digest: &Digest) -> Result<Option<Original>> {
        self.kept(digest).map(|kept| self.whole(kept)).transpose()
    }

    /// The same for one that is known.
    ///
    /// # Errors
    /// When its lines cannot be read.
    pub fn whole(&self, kept: &Kept) -> Result<Original> {
        let mut original: Original = kept.text.parse()?;
        original.reread = false;
        if original.parser.is_empty() {
            let by = self.parsers.partition_point(|(batch, _)| *batch <= kept.text.batch).checked_sub(1);
            original.parser = by.and_then(|by| self.parsers.get(by)).map_or_else(String::new, |(_, by)| by.clone());
        }
        let first = self.aliases.partition_point(|(digest, _)| *digest < kept.digest);
        let of_it = self.aliases.iter().skip(first).take_while(|(digest, _)| *digest == kept.digest);
        // A later line of the original says all its names.
        let more: Vec<&Text> = of_it.map(|(_, text)| text).filter(|text| text.batch >= kept.text.batch).collect();
        for text in &more {
            original.names.extend(text.parse::<Alias>()?.names);
        }
        if !more.is_empty() {
            original.names.sort_unstable();
            original.names.dedup();
        }
        Ok(original)
    }

    /// The same but for its names, which may be many and stand in many lines: an import asks for each file that it meets.
    ///
    /// # Errors
    /// When its line cannot be read.
    pub fn nameless(&self, digest: &Digest) -> Result<Option<Original>> {
        self.kept(digest).map(|kept| self.without_names(kept)).transpose()
    }

    fn without_names(&self, kept: &Kept) -> Result<Original> {
        let long = kept.text.is_long();
        let known = || self.long.lock().unwrap_or_else(PoisonError::into_inner);
        if long && let Some(original) = known().get(&kept.digest) {
            return Ok(original.clone());
        }
        let original = Original { names: Vec::new(), ..kept.text.parse::<Original>()? };
        if long {
            known().insert(kept.digest, original.clone());
        }
        Ok(original)
    }

    /// The original that came as a gzip stream of this digest.
    ///
    /// # Errors
    /// When its line cannot be read.
    pub fn of_stream(&self, stream: &Digest) -> Result<Option<Digest>> {
        let at = |&at: &u32| self.originals.get(at as usize).map_or(0, |kept| kept.stream);
        let by_stream = self.by_stream.get_or_init(|| {
            let mut places: Vec<u32> = (0..self.originals.len() as u32).filter(|place| at(place) != 0).collect();
            places.sort_unstable_by_key(at);
            places
        });
        let wanted = stream_of(*stream);
        let first = by_stream.partition_point(|place| at(place) < wanted);
        for place in by_stream.iter().skip(first).take_while(|place| at(place) == wanted) {
            let Some(kept) = self.originals.get(*place as usize) else { continue };
            if self.without_names(kept)?.gzip_sha256 == Some(*stream) {
                return Ok(Some(kept.digest));
            }
        }
        Ok(None)
    }

    pub fn activity(&self, id: &ActivityId) -> Option<&Stored> {
        let stored = |at: u32| self.activities.get(at as usize);
        let at = self.by_id.binary_search_by(|&at| stored(at).map(|stored| &stored.id).cmp(&Some(id))).ok()?;
        stored(*self.by_id.get(at)?)
    }

    /// The activities of an original.
    pub fn activities_of(&self, digest: &Digest) -> impl Iterator<Item = &Stored> {
        // What of an identity the index is not mixed into is the start of the digest.
        let wanted = digest.0.get(..UNMIXED);
        let stored = |&at: &u32| self.activities.get(at as usize);
        let start = move |at: &u32| stored(at).and_then(|stored| stored.id.0.get(..UNMIXED));
        let first = self.by_id.partition_point(|at| start(at) < wanted);
        let near = self.by_id.iter().skip(first).take_while(move |at| start(at) == wanted);
        let digest = *digest;
        near.filter_map(stored).filter(move |stored| stored.digest() == digest)
    }

    /// Makes room for what lines say, no more than it takes.
    pub fn reserve<'a>(&mut self, said: impl Iterator<Item = &'a Said>) {
        let (mut activities, mut originals, mut clusters) = (0, 0, 0);
        for said in said {
            match said {
                Said::Activity(_) => activities += 1,
                Said::Original(_) | Said::Reread(_) => originals += 1,
                Said::Cluster(_) => clusters += 1,
                _ => {}
            }
        }
        self.activities.reserve_exact(activities);
        self.originals.reserve_exact(originals);
        self.said_clusters.reserve_exact(clusters);
    }

    /// Takes over what committed lines say, in order. Returns the numbers of lines that say nothing usable.
    /// [`State::settle`] must follow the last one.
    pub fn play(&mut self, said: impl Iterator<Item = Said>) -> Vec<usize> {
        let mut odd = Vec::new();
        for said in said {
            match said {
                Said::Batch(batch) => self.begin(*batch),
                Said::Original(mut kept) => {
                    kept.text.batch = self.batch;
                    self.originals.push(*kept);
                }
                Said::Reread(mut kept) => {
                    kept.text.batch = self.batch;
                    self.reread.insert(kept.digest);
                    self.originals.push(*kept);
                }
                Said::Alias(alias) => {
                    let (digest, mut text) = *alias;
                    text.batch = self.batch;
                    self.aliases.push((digest, text));
                }
                Said::Activity(mut stored) => {
                    stored.text.batch = self.batch;
                    self.activities.push(*stored);
                }
                Said::Decision(decision) => self.decide(*decision),
                Said::Cluster(cluster) => self.add_cluster(*cluster),
                Said::Unknown(text) => self.unknown.push(*text),
                Said::Odd(n) => odd.push(n),
            }
        }
        odd
    }

    /// The same for one whole batch, whose lines come in their canonical order.
    pub fn play_batch(&mut self, said: SaidByKind) -> Vec<usize> {
        let SaidByKind { batch, mut originals, reread, mut activities, others } = said;
        batch.into_iter().for_each(|batch| self.begin(*batch));
        originals.iter_mut().for_each(|kept| kept.text.batch = self.batch);
        activities.iter_mut().for_each(|stored| stored.text.batch = self.batch);
        self.reread.extend(reread);
        append(&mut self.originals, originals);
        append(&mut self.activities, activities);
        self.play(others.into_iter())
    }

    fn begin(&mut self, batch: Batch) {
        self.end_batch();
        if batch.resets {
            *self = State { batch: self.batch, resets: self.resets + 1, ..State::default() };
        }
        self.batch += 1;
        if self.parsers.last().is_none_or(|(_, parser)| *parser != batch.parser) {
            self.parsers.push((self.batch, batch.parser));
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
            self.by_member.add(*id, self.said_clusters.len());
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
            for at in self.by_member.of(id) {
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
        let (reread, batch) = (std::mem::take(&mut self.reread), self.batch);
        self.activities.retain(|old| old.text.batch == batch || !reread.contains(&old.digest()));
    }

    /// Puts everything in its order, after the last line.
    pub fn settle(&mut self) {
        self.end_batch();
        // A second line for the same bytes replaces the first one.
        if !self.originals.is_sorted_by(|a, b| a.digest < b.digest) {
            self.originals.sort_by_key(|kept| kept.digest);
            keep_last(&mut self.originals, |kept| kept.digest);
        }
        self.by_stream = OnceLock::new();
        self.long = Mutex::default();
        self.aliases.sort_by_key(|(digest, _)| *digest);
        self.settle_activities();
        let whole =
            |at: &u32| self.cluster(*at).is_some_and(|c| c.members.iter().all(|id| self.activity(id).is_some()));
        let mut clusters: Vec<u32> = (0..self.said_clusters.len() as u32).filter(whole).collect();
        let about = |at: &u32| self.cluster(*at).map(|cluster| (cluster.members.as_slice(), cluster.verdict as u8));
        clusters.sort_by(|a, b| about(a).cmp(&about(b)));
        self.clusters = clusters;
    }

    fn cluster(&self, at: u32) -> Option<&StoredCluster> {
        self.said_clusters.get(at as usize)?.as_ref()
    }

    /// Clusters whose members are all known, in order of their members.
    pub fn clusters(&self) -> impl Iterator<Item = &StoredCluster> {
        self.clusters.iter().filter_map(|at| self.cluster(*at))
    }

    fn settle_activities(&mut self) {
        self.index();
        let id = |&at: &u32| self.activities.get(at as usize).map(|stored| stored.id);
        // What was said last holds; it stands behind the others.
        let again = |pair: &[u32]| match pair {
            [earlier, later] if id(earlier) == id(later) => Some(*earlier),
            _ => None,
        };
        let void: HashSet<u32> = self.by_id.windows(2).filter_map(again).collect();
        if !void.is_empty() {
            let mut at = 0;
            self.activities.retain(|_| {
                at += 1;
                !void.contains(&(at - 1))
            });
        }
        // Day-only workouts sort by their day's first instant.
        let order = |a: &Stored| (order_instant(a), a.id);
        let sorted = self.activities.is_sorted_by_key(order);
        if !sorted {
            self.activities.sort_by_cached_key(order);
        }
        if !sorted || !void.is_empty() {
            self.index();
        }
    }

    fn index(&mut self) {
        self.by_id.clear();
        self.by_id.reserve_exact(self.activities.len());
        self.by_id.extend(0..self.activities.len() as u32);
        let id = |&at: &u32| self.activities.get(at as usize).map_or_else(ActivityId::default, |stored| stored.id);
        self.by_id.sort_by_cached_key(id);
    }

    /// True when the same was said of this activity before.
    pub fn knows_activity(&self, id: &ActivityId, body: &[u8]) -> bool {
        self.activity(id).is_some_and(|activity| activity.text.has_body(body))
    }

    /// True when the same was said of these members before.
    pub fn knows_cluster(&self, members: &[ActivityId], body: &[u8]) -> bool {
        let less = |at: &u32| self.cluster(*at).is_some_and(|have| have.members.as_slice() < members);
        let first = self.clusters.partition_point(less);
        let same = self.clusters.iter().skip(first).map_while(|at| self.cluster(*at).filter(|c| c.members == members));
        same.into_iter().any(|have| have.text.has_body(body))
    }

    /// True when these activities are declared different, and nothing says otherwise.
    pub fn knows_undo(&self, members: &[ActivityId]) -> bool {
        self.apart.iter().any(|set| set == members)
    }
}

/// All of what may be much goes over without a copy, when it is the first.
fn append<T>(all: &mut Vec<T>, mut new: Vec<T>) {
    if all.is_empty() {
        *all = new;
    } else {
        all.append(&mut new);
    }
}

/// Of neighbours that have the same key the last one stays.
fn keep_last<T, K: PartialEq>(all: &mut Vec<T>, key: impl Fn(&T) -> K) {
    all.dedup_by(|later, earlier| {
        let same = key(later) == key(earlier);
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

/// The instant that an activity is ordered by: its start, else the midnight of its day, else the end of time.
fn order_instant(activity: &Stored) -> i64 {
    let midnight = || time::parse(format!("{}T00:00:00Z", activity.day()?).as_bytes()).map(|day| day.ms);
    activity.start().or_else(midnight).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use proptest::prelude::*;

    use super::super::faults::{FaultyDisk, shown};
    use super::super::testing::{START, put, scratch, summary};
    use super::super::{Cluster, Entry, History, Writer};
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
            let same = writer.clusters().filter(|c| c.verdict == Verdict::Same);
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

    #[test]
    fn what_is_wanted_of_an_original_besides_its_names_follows_its_last_line() {
        let folder = scratch();
        let mut writer = Writer::open(&folder.path().join("h"), false, FaultyDisk::sound()).unwrap();
        let digests = [0, 1].map(|k| put(&mut writer, &format!("{k}.gpx"), &content(k), 1).unwrap());
        let many = (0..1000).map(|n| format!("copy {n}")).collect();
        writer.put(Entry::Alias { digest: digests[0], names: many });
        writer.commit().unwrap();
        let check = |writer: &Writer, activities: u32| {
            for (digest, long) in digests.iter().zip([true, false]) {
                assert_eq!(writer.state.kept(digest).unwrap().text.is_long(), long);
                let whole = writer.original(digest).unwrap().unwrap();
                assert_eq!((whole.activities, whole.names.len() > 1000), (activities, long));
                for _ in 0..2 {
                    let found = writer.state.nameless(digest).unwrap().unwrap();
                    assert_eq!(found.activities, activities);
                    assert_eq!((found.path, found.stored_bytes), (whole.path.clone(), whole.stored_bytes));
                    assert!(writer.has(digest));
                }
            }
        };
        check(&writer, 1);
        for digest in digests {
            let summaries = (0..2).map(|index| summary(&digest, index, START)).collect();
            writer.put_reread(digest, "gpx", summaries);
        }
        writer.commit().unwrap();
        check(&writer, 2);
    }
}
