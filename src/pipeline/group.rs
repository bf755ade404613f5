//! Which activities of a history are the same workout: fingerprints of what is new against those of before, clusters as
//! journal lines. Originals of before are not read again.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::thread;

use serde::{Deserialize, Serialize};

use super::known::Known;
use super::merge::{merged_summary, settled};
use super::read::ReadOptions;
use super::recall::{each_of, pieces};
use super::sets::each_set;
use super::shelf::Shelf;
use crate::dedupe::{self, Candidate, Decisions, Fingerprint, Pair, Parts, Preferences};
use crate::error::{Error, Kind, Result};
use crate::fix::zone::Correction;
use crate::history::{
    BegunDerived, Cluster, ClusterLine, Committed, Derived, DerivedEnd, History, Piece, Stored, Text, Verdict, Waiting,
    Writer,
};
use crate::ids::ActivityId;
use crate::model::Activity;

/// So many fingerprints, but no more, stay in memory until they are compared.
pub(super) const AT_HAND: usize = 4096;
/// Activities without a fingerprint whose originals are read in one go: their summaries are in memory then.
const READ_AT_ONCE: usize = 1024;
/// Activities further apart than this are never compared, ms: the widest zone fault and a bit.
const REACH_MS: i64 = 27 * 3_600_000;

/// What grouping found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Grouped {
    /// Workouts that new activities are part of.
    pub clusters: u64,
    /// Activities that were merged into another one.
    pub merged: u64,
    /// New doubtful pairs.
    pub unsure: u64,
}

/// The lines that void fingerprints.
pub(super) fn void_lines<'a>(ids: impl IntoIterator<Item = &'a ActivityId>) -> Vec<u8> {
    ids.into_iter().flat_map(|id| format!("{id} -\n").into_bytes()).collect()
}

/// A fingerprint, and the line that keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Fresh {
    candidate: Candidate,
    /// `None` when it is read out of the line: those of a large import would take much memory.
    #[serde(skip)]
    pub at_hand: Option<Box<Fingerprint>>,
    line: Piece,
}

impl Fresh {
    pub fn of(fingerprint: Fingerprint) -> Fresh {
        let candidate = Candidate::of(&fingerprint);
        let (from, to) = candidate.time();
        let mut line = format!("{} {from} {to} ", fingerprint.id).into_bytes();
        let start = line.len();
        if serde_json::to_writer(&mut line, &fingerprint).is_err() {
            line.truncate(start);
        }
        line.push(b'\n');
        Fresh { candidate, at_hand: Some(Box::new(fingerprint)), line: Piece::Here(line.into()) }
    }

    /// The same, with its line left where it waits for little memory.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub fn leave(self, waiting: &Waiting) -> Result<Fresh> {
        Ok(Fresh { line: self.line.leave(waiting)?, ..self })
    }

    /// Where its line waits.
    pub fn text(&self) -> Option<Text> {
        match self.line {
            Piece::Waiting(text) => Some(text),
            Piece::Here(_) => None,
        }
    }

    /// What is found out of the time of an activity: only its zone (`None` when it was moved, and has to be taken again).
    ///
    /// # Errors
    /// `Io` when what waits cannot be read or written.
    pub fn corrected(self, correction: &Correction, waiting: &Waiting) -> Result<Option<Fresh>> {
        if correction.shift_ms != 0 {
            return Ok(None);
        }
        let mut fingerprint = self.fingerprint(waiting)?.into_owned();
        fingerprint.in_zone(correction.offset_s, correction.evidence, correction.floating);
        let fresh = Fresh::of(fingerprint).leave(waiting)?;
        Ok(Some(Fresh { at_hand: fresh.at_hand.filter(|_| self.at_hand.is_some()), ..fresh }))
    }

    fn fingerprint(&self, waiting: &Waiting) -> Result<Cow<'_, Fingerprint>> {
        if let Some(at_hand) = &self.at_hand {
            return Ok(Cow::Borrowed(at_hand));
        }
        let line = self.line.read(waiting)?;
        let json = line.splitn(4, |b| *b == b' ').nth(3).unwrap_or_default();
        let read = serde_json::from_slice(json);
        read.map(Cow::Owned).map_err(|error| Error::new(Kind::Internal, format!("cannot read a fingerprint: {error}")))
    }
}

/// Commits, then groups what has no fingerprint yet against everything, merges clusters, and says so in the journal. `fresh`
/// holds fingerprints of what is committed; it is judged meanwhile.
///
/// # Errors
/// `Io` and `History` when the history cannot be read or written.
pub(super) fn commit_and_group(
    writer: &mut Writer,
    fresh: Vec<Fresh>,
    options: &ReadOptions,
    preferences: &Preferences,
) -> Result<(Committed, Grouped)> {
    let derived = writer.derived()?;
    let known = Known::before(&derived, fresh.iter().map(|new| new.candidate.id))?;
    let (waiting, end) = (writer.waiting(), writer.derived_end(&derived));
    let no_thread = |reason| Error::new(Kind::Internal, format!("cannot start threads: {reason}"));
    let (committed, judged) = thread::scope(|scope| {
        let judge = || Ok::<_, Error>(Judged::of(&known, fresh, &waiting)?.kept_at(&end));
        let judging = thread::Builder::new().spawn_scoped(scope, judge).map_err(no_thread)?;
        let committed = writer.commit();
        let judged = judging.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, Error>((committed?, judged?))
    })?;
    let grouped = conclude(writer, &end, &known, judged, options, preferences)?;
    Ok((committed, grouped))
}

/// What grouping would find among activities that are not written: those of a dry run, against the history when there is
/// one.
///
/// # Errors
/// `Io` and `History` when the history cannot be read.
pub(super) fn foresee(history: Option<&History>, fresh: Vec<Fresh>, waiting: &Waiting) -> Result<Grouped> {
    let derived = history.map_or_else(|| Ok(Derived::default()), History::derived)?;
    let known = Known::before(&derived, fresh.iter().map(|new| new.candidate.id))?;
    let Judged { new, pairs, .. } = Judged::of(&known, fresh, waiting)?;
    let (clusters, unsure) = decide(history, waiting, &known, &new, pairs)?;
    let merged = clusters.iter().map(|(members, _)| members.len() as u64 - 1).sum();
    Ok(Grouped { clusters: clusters.len() as u64, merged, unsure: unsure.len() as u64 })
}

/// The members of each workout among activities that is made of several, and how many pairs are doubtful.
///
/// # Errors
/// `Io` when what waits cannot be read.
pub(super) fn same_workouts(fresh: Vec<Fresh>, waiting: &Waiting) -> Result<(Vec<Vec<ActivityId>>, usize)> {
    let derived = Derived::default();
    let known = Known::of(&derived)?;
    let Judged { new, pairs, .. } = Judged::of(&known, fresh, waiting)?;
    let (clusters, unsure) = decide(None, waiting, &known, &new, pairs)?;
    Ok((clusters.into_iter().map(|(members, _)| members).collect(), unsure.len()))
}

/// The same for what is committed already.
///
/// # Errors
/// `Io` and `History` when the history cannot be read or written.
pub(super) fn regroup(
    writer: &mut Writer,
    fresh: Vec<Fresh>,
    options: &ReadOptions,
    preferences: &Preferences,
) -> Result<Grouped> {
    let derived = writer.derived()?;
    let known = Known::of(&derived)?;
    let end = writer.derived_end(&derived);
    let judged = Judged::of(&known, fresh, &writer.waiting())?.kept_at(&end);
    conclude(writer, &end, &known, judged, options, preferences)
}

/// New activities, and the pairs of them and those of before that are not different.
struct Judged<'e> {
    /// In order of identity.
    new: Vec<Fresh>,
    pairs: Vec<Pair>,
    /// The lines that keep the new fingerprints, which do not count before what is found is in the journal.
    kept: Result<Option<BegunDerived<'e>>>,
}

impl<'e> Judged<'e> {
    fn of(known: &Known<'_>, mut new: Vec<Fresh>, waiting: &Waiting) -> Result<Judged<'e>> {
        new.retain(|new| !known.has(&new.candidate.id));
        new.sort_unstable_by_key(|new| new.candidate.id);
        let old = neighbours(known, &new);
        let all: Vec<&Candidate> = old.iter().map(|(old, _)| old).chain(new.iter().map(|new| &new.candidate)).collect();
        let pairs = dedupe::pairs_of(&all, old.len(), &|at| match at.checked_sub(old.len()) {
            None => match &old[at] {
                (_, Some(at_hand)) => Ok(Cow::Borrowed(&**at_hand)),
                (old, None) => known
                    .fingerprint(&old.id)
                    .map(Cow::Owned)
                    .ok_or_else(|| Error::new(Kind::Io, format!("the fingerprint of {} cannot be read again", old.id))),
            },
            Some(at) => new[at].fingerprint(waiting),
        })?;
        // Those of pairs are asked for again; the others are freed here, while the disk is waited for.
        if new.iter().any(|new| new.at_hand.is_some()) {
            let paired: HashSet<ActivityId> = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
            new.iter_mut().filter(|new| !paired.contains(&new.candidate.id)).for_each(|new| new.at_hand = None);
        }
        Ok(Judged { new, pairs, kept: Ok(None) })
    }

    /// The same, with its fingerprints written.
    fn kept_at(self, end: &'e DerivedEnd) -> Judged<'e> {
        let kept = end.begin(self.new.iter().map(|new| &new.line));
        Judged { kept, ..self }
    }

    /// As if exactly these of the history had been new. Fingerprints that are not at hand are taken from the originals.
    fn exactly(
        self,
        ungrouped: &[&Stored],
        known: &Known<'_>,
        history: &Writer,
        options: &ReadOptions,
    ) -> Result<Judged<'e>> {
        let mut fresh: HashMap<ActivityId, Fresh> = self.new.into_iter().map(|new| (new.candidate.id, new)).collect();
        let mut missing: Vec<&Stored> = ungrouped.iter().filter(|a| !fresh.contains_key(&a.id)).copied().collect();
        missing.sort_by_key(|a| a.digest());
        let (waiting, few) = (history.waiting(), ungrouped.len() <= AT_HAND);
        let taken = |activity: &Activity| {
            let fresh = Fresh::of(Fingerprint::of(activity)).leave(&waiting)?;
            Ok::<_, Error>(Fresh { at_hand: fresh.at_hand.filter(|_| few), ..fresh })
        };
        let shelf = Shelf::new(history, options);
        for piece in pieces(&missing, READ_AT_ONCE, |a| a.digest()) {
            let now = piece.iter().map(|a| a.summary()).collect::<Result<_>>()?;
            for (summary, new) in each_of(&shelf, now, &|_| (), &taken)? {
                // An original that cannot be read again is reported by `verify`; here it stays alone.
                if let Ok(new) = new {
                    fresh.insert(summary.id, new?);
                }
            }
        }
        Judged::of(known, ungrouped.iter().filter_map(|a| fresh.remove(&a.id)).collect(), &waiting)
    }
}

/// What follows from what was judged.
fn conclude<'e>(
    writer: &mut Writer,
    end: &'e DerivedEnd,
    known: &Known<'_>,
    mut judged: Judged<'e>,
    options: &ReadOptions,
    preferences: &Preferences,
) -> Result<Grouped> {
    let ungrouped: Vec<&Stored> = writer.activities().iter().filter(|a| !known.has(&a.id)).collect();
    if ungrouped.is_empty() {
        return Ok(Grouped::default());
    }
    let mut ids: Vec<ActivityId> = ungrouped.iter().map(|a| a.id).collect();
    ids.sort_unstable();
    // An import that was killed left some behind, or other histories are absorbed.
    if !judged.new.iter().map(|new| new.candidate.id).eq(ids) {
        judged = judged.exactly(&ungrouped, known, writer, options)?.kept_at(end);
    }
    drop(ungrouped);
    let Judged { new, pairs, kept } = judged;
    let (mut clusters, mut unsure) = decide(Some(writer), &writer.waiting(), known, &new, pairs)?;
    // For a hundred thousand this is much, and merging and taking over what was found need room.
    drop(new);
    // An import that was killed may have said so already, with fingerprints not yet on the disk.
    let said: HashSet<(bool, &[ActivityId])> =
        writer.clusters().map(|c| (c.verdict == Verdict::Same, c.members.as_slice())).collect();
    clusters.retain_mut(|(members, _)| {
        members.sort_unstable();
        !said.contains(&(true, members.as_slice()))
    });
    unsure.retain(|pair| {
        let members = [pair.first.min(pair.second), pair.first.max(pair.second)];
        !said.contains(&(false, members.as_slice()))
    });
    let mut grouped = Grouped { unsure: unsure.len() as u64, ..Grouped::default() };
    let lines = cluster_lines(writer, clusters, unsure, options, preferences, &mut grouped)?;
    lines.into_iter().for_each(|line| writer.put_cluster(line));
    writer.commit()?;
    kept?.map_or(Ok(()), BegunDerived::end)?;
    Ok(grouped)
}

/// Old activities whose time a new one may share, with their fingerprints when they are few.
fn neighbours(known: &Known<'_>, new: &[Fresh]) -> Vec<(Candidate, Option<Box<Fingerprint>>)> {
    if known.is_empty() {
        return Vec::new();
    }
    let mut windows: Vec<(i64, i64)> = new.iter().map(|new| new.candidate.time()).collect();
    windows.sort_unstable();
    // Furthest end of all windows that start no later: then one look-up decides whether any window is near.
    let mut reach: Vec<i64> = Vec::with_capacity(windows.len());
    for (_, to) in &windows {
        reach.push((*to).max(reach.last().copied().unwrap_or(i64::MIN)));
    }
    let near = |from: i64, to: i64| {
        let upto = windows.partition_point(|(start, _)| *start <= to.saturating_add(REACH_MS));
        upto.checked_sub(1).is_some_and(|last| reach[last] >= from.saturating_sub(REACH_MS))
    };
    let ids = known.in_time(&near);
    let few = ids.len() <= AT_HAND;
    let old = ids.iter().filter_map(|id| known.fingerprint(id));
    old.map(|old| (Candidate::of(&old), few.then(|| Box::new(old)))).collect()
}

/// Members of one workout, and why they are.
type Found = (Vec<ActivityId>, Vec<String>);

/// Clusters with a new member, and doubtful pairs with one. What was one workout before stays so. Fingerprints are read for
/// activities that hang together, as each of a large import may be there twice.
fn decide(
    history: Option<&History>,
    waiting: &Waiting,
    known: &Known<'_>,
    new: &[Fresh],
    mut pairs: Vec<Pair>,
) -> Result<(Vec<Found>, Vec<Pair>)> {
    let met: HashSet<ActivityId> = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
    let before = history.into_iter().flat_map(History::clusters).filter(|c| c.verdict == Verdict::Same);
    let before = before.filter(|c| c.members.iter().any(|id| met.contains(id)));
    let same: Vec<(ActivityId, ActivityId)> =
        before.flat_map(|c| c.members.windows(2).map(|pair| (pair[0], pair[1]))).collect();
    let parts = Parts::of(pairs.iter().map(|pair| (pair.first, pair.second)).chain(same.iter().copied()));
    let mut same_of: HashMap<Option<usize>, Vec<(ActivityId, ActivityId)>> = HashMap::new();
    same.into_iter().for_each(|pair| same_of.entry(parts.part(&pair.0)).or_default().push(pair));
    pairs.sort_by_cached_key(|pair| (parts.part(&pair.first), pair.first, pair.second));
    let place = |id: &ActivityId| new.binary_search_by_key(id, |new| new.candidate.id).ok();
    let (mut clusters, mut unsure): (Vec<Found>, Vec<Pair>) = Default::default();
    for pairs in pairs.chunk_by(|a, b| parts.part(&a.first) == parts.part(&b.first)) {
        let same = pairs.first().and_then(|pair| same_of.remove(&parts.part(&pair.first))).unwrap_or_default();
        let apart = |pair: &&Pair| history.is_some_and(|history| history.are_apart(&pair.first, &pair.second));
        let different = pairs.iter().filter(apart).map(|pair| (pair.first, pair.second)).collect();
        let mut fingerprints: BTreeMap<ActivityId, Cow<'_, Fingerprint>> = BTreeMap::new();
        for id in same.iter().flat_map(|(a, b)| [a, b]) {
            fingerprints.extend(known.fingerprint(id).map(|known| (*id, Cow::Owned(known))));
        }
        for id in pairs.iter().flat_map(|pair| [pair.first, pair.second]) {
            if let Entry::Vacant(vacant) = fingerprints.entry(id)
                && let Some(fingerprint) = match place(&id) {
                    Some(at) => Some(new[at].fingerprint(waiting)?),
                    None => known.fingerprint(&id).map(Cow::Owned),
                }
            {
                vacant.insert(fingerprint);
            }
        }
        let all: Vec<&Fingerprint> = fingerprints.values().map(|fingerprint| &**fingerprint).collect();
        let grouping = dedupe::cluster(&all, pairs, &Decisions { same, different });
        let with_new = grouping.clusters.into_iter().filter(|c| c.members.iter().any(|id| place(id).is_some()));
        clusters.extend(with_new.map(|c| (c.members, c.links.iter().map(reason).collect())));
        unsure.extend(grouping.unsure);
    }
    clusters.sort_by(|(a, _), (b, _)| a.cmp(b));
    unsure.sort_by_key(|pair| (pair.first, pair.second));
    Ok((clusters, unsure))
}

/// What joins a pair, in words: the strongest evidence first.
fn reason(pair: &Pair) -> String {
    let texts: Vec<&str> = pair.judgement.reasons.iter().map(|reason| reason.text.as_str()).collect();
    texts.join("; ")
}

/// Journal lines: merged workouts with their summary, doubtful pairs with their reasons.
fn cluster_lines(
    history: &Writer,
    clusters: Vec<Found>,
    unsure: Vec<Pair>,
    options: &ReadOptions,
    preferences: &Preferences,
    grouped: &mut Grouped,
) -> Result<Vec<ClusterLine>> {
    let waiting = history.waiting();
    let mut lines = Vec::with_capacity(clusters.len() + unsure.len());
    let mut shelf = Shelf::new(history, options);
    let merge = |shelf: &Shelf<'_>, at: usize| {
        let (members, reasons) = &clusters[at];
        if preferences.text().is_empty() {
            return merged_cluster(shelf, members, reasons.clone(), &preferred_before(history, members)?);
        }
        merged_cluster(shelf, members, reasons.clone(), preferences)
    };
    let sets: Vec<&[ActivityId]> = clusters.iter().map(|(members, _)| members.as_slice()).collect();
    each_set(&mut shelf, &sets, merge, |at, cluster| {
        grouped.clusters += 1;
        grouped.merged += clusters[at].0.len() as u64 - 1;
        lines.push(ClusterLine::of(cluster?)?.leave(&waiting)?);
        Ok(())
    })?;
    for pair in &unsure {
        let doubt = Cluster {
            verdict: Verdict::Unsure,
            base: pair.first,
            members: vec![pair.first, pair.second],
            reasons: vec![reason(pair)],
            origins: BTreeMap::new(),
            merged: None,
            prefer: String::new(),
            replaces: Vec::new(),
        };
        lines.push(ClusterLine::of(doubt)?.leave(&waiting)?);
    }
    Ok(lines)
}

/// One workout made of several activities of a history, as a journal entry.
///
/// # Errors
/// When a member cannot be read again.
pub(super) fn merged_cluster(
    shelf: &Shelf<'_>,
    members: &[ActivityId],
    reasons: Vec<String>,
    preferences: &Preferences,
) -> Result<Cluster> {
    let activity = recall_merged(shelf, members, preferences)?;
    Ok(Cluster {
        verdict: Verdict::Same,
        base: activity.origin.id(),
        members: members.to_vec(),
        reasons,
        origins: activity.origin.channels.iter().cloned().collect(),
        merged: Some(Box::new(merged_summary(&activity))),
        prefer: preferences.text().to_owned(),
        replaces: Vec::new(),
    })
}

/// What gives a merged workout again: its sources as they are shown, then what the owner prefers.
///
/// # Errors
/// When the journal holds a preference that this version does not know.
pub(super) fn preferences_of(cluster: &Cluster) -> Result<Preferences> {
    let base = cluster.merged.as_ref().map_or("", |merged| merged.source.as_str());
    Ok(Preferences::parse(&cluster.prefer)?.after(base, cluster.origins.iter()))
}

/// What the owner preferred when one of these was merged before; nothing when that was said of none.
fn preferred_before(history: &History, members: &[ActivityId]) -> Result<Preferences> {
    let before = history.clusters().filter(|cluster| cluster.verdict == Verdict::Same);
    for cluster in before.filter(|cluster| cluster.members.iter().any(|id| members.contains(id))) {
        let cluster = cluster.cluster()?;
        if !cluster.prefer.is_empty() {
            return Preferences::parse(&cluster.prefer);
        }
    }
    Ok(Preferences::default())
}

/// A workout merged again from the same sources as before, as far as they are there. `None` when fewer than two are.
///
/// # Errors
/// When a member cannot be read again.
pub(super) fn merged_again(shelf: &Shelf<'_>, before: Cluster) -> Result<Option<Cluster>> {
    let members: Vec<ActivityId> =
        before.members.iter().copied().filter(|id| shelf.history.activity(id).is_some()).collect();
    if members.len() < 2 {
        return Ok(None);
    }
    let cluster = merged_cluster(shelf, &members, before.reasons.clone(), &preferences_of(&before)?)?;
    Ok(Some(Cluster { replaces: before.replaces, ..cluster }))
}

/// Reads the members of a workout again and merges them.
///
/// # Errors
/// When a member cannot be read again.
pub(super) fn recall_merged(shelf: &Shelf<'_>, members: &[ActivityId], preferences: &Preferences) -> Result<Activity> {
    let mut activities = Vec::new();
    for id in members {
        let Some(stored) = shelf.history.activity(id) else { continue };
        activities.push(shelf.recall(&stored.summary()?)?);
    }
    settled(dedupe::merge(&activities.iter().collect::<Vec<_>>(), preferences))
}
