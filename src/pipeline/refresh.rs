//! What an older version read out of the originals, read again by this one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::changes::Change;
use super::group::{Fresh, merged_again, regroup, void_lines};
use super::jobs;
use super::read::{Progress, ReadOptions};
use super::report::SourceReport;
use super::sets::each_set;
use super::shelf::{Shelf, decided, resettle};
use super::tables::NEAR_MS;
use super::zones::{by_others, days_around, near};
use crate::dedupe::{Fingerprint, Preferences};
use crate::error::{Error, Kind, Result};
use crate::fix::{SettleOptions, ZoneChoice, zone};
use crate::formats;
use crate::history::{Cluster, Committed, Entry, History, Original, Stored, Verdict, Writer};
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Draft, Evidence, Origin, Summary};
use crate::report::Code;

/// How to refresh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefreshOptions {
    /// Read every original again, those too that this version has read.
    pub all: bool,
    /// Only say what would change.
    pub dry_run: bool,
    /// Wait while another program writes to the history.
    pub wait: bool,
}

/// What a refresh did.
#[derive(Debug, Clone, Default)]
pub struct Refreshed {
    /// Originals of the history.
    pub originals: u64,
    /// Originals that were read again.
    pub read: u64,
    /// Originals that could not be read again; what the journal says of them stays.
    pub failed: Vec<SourceReport>,
    /// Activities that are not what they were, in order of start.
    pub changes: Vec<Change>,
    /// Activities that were merged into another one on the way.
    pub merged: u64,
    /// Doubtful pairs that came up on the way.
    pub unsure: u64,
    /// What was written for what was read again.
    pub committed: Committed,
}

/// An activity read again.
enum Again {
    /// Nothing is to be said of it. That is what most are, of a hundred thousand.
    Same(ActivityId),
    Other(Box<Other>),
}

/// An activity before and after.
struct Other {
    old: Option<Summary>,
    new: Option<Summary>,
    /// That of the new reading, unless it is as before.
    fingerprint: Option<Fingerprint>,
    /// True when its times were judged anew.
    judged: bool,
}

impl Other {
    fn again(self) -> Again {
        Again::Other(Box::new(self))
    }
}

/// One original read again.
struct Reading {
    format: &'static str,
    activities: Vec<Again>,
}

/// Reads originals again that an older version has read, and says in the journal what this version reads better. The
/// originals stay as they are, and so do the owner's decisions and verdicts on times whose claims are what they were.
/// What was one workout stays one. A second refresh changes no byte.
///
/// # Errors
/// `Io` and `History` when the history cannot be opened or written, or a line of its journal cannot be understood; what is
/// wrong with an original is in its report.
pub fn refresh(
    root: &Path,
    how: RefreshOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Refreshed> {
    if how.dry_run {
        let history = History::open(root)?;
        return Ok(read_again(&history, how.all, options, progress)?.report());
    }
    let mut writer = History::open_to_write(root, how.wait)?;
    let readings = read_again(&writer, how.all, options, progress)?;
    write(&mut writer, readings, options, true)
}

/// All that was read again.
struct Readings {
    originals: u64,
    /// What the originals give now.
    read: Vec<(Digest, Reading)>,
    failed: Vec<SourceReport>,
}

impl Readings {
    /// What is not as it was, or may not be.
    fn others(&mut self) -> impl Iterator<Item = &mut Other> {
        self.read.iter_mut().flat_map(|(_, reading)| &mut reading.activities).filter_map(|again| match again {
            Again::Same(_) => None,
            Again::Other(other) => Some(&mut **other),
        })
    }

    fn report(&mut self) -> Refreshed {
        let mut changes: Vec<Change> =
            self.others().filter_map(|again| Change::between(again.old.as_ref(), again.new.as_ref())).collect();
        changes.sort_by_key(|change| (change.activity.start, change.activity.id));
        Refreshed {
            originals: self.originals,
            read: self.read.len() as u64,
            failed: self.failed.clone(),
            changes,
            ..Refreshed::default()
        }
    }
}

/// Reads activities again of which more files tell than before: `more` are their lines with those files. A table that is
/// older than the one in its place tells nothing. What cannot be read stays as it is. Without `groups` nothing is merged
/// that was not merged before.
///
/// # Errors
/// `Io` and `History` when the history cannot be read or written.
pub(super) fn complete(
    writer: &mut Writer,
    more: Vec<Summary>,
    options: &ReadOptions,
    groups: bool,
) -> Result<Refreshed> {
    // What the user says of this import's zones is not said of what was there.
    let settle = SettleOptions { zone: ZoneChoice::Auto, ..options.settle.clone() };
    let options = &ReadOptions { settle, ..options.clone() };
    let shelf = Shelf::new(writer, options);
    let mut newer: BTreeMap<ActivityId, Summary> = BTreeMap::new();
    for summary in more {
        let Some(stored) = writer.activity(&summary.id) else { continue };
        if shelf.is_newer(&summary.companions, &stored.summary()?.companions) {
            newer.insert(summary.id, summary);
        }
    }
    let digests: BTreeSet<Digest> = newer.values().map(|summary| summary.sha256).collect();
    let mut of_original: BTreeMap<Digest, Vec<Summary>> = BTreeMap::new();
    for stored in writer.activities().iter().filter(|stored| digests.contains(&stored.digest())) {
        let summary = newer.remove(&stored.id).map_or_else(|| stored.summary(), Ok)?;
        of_original.entry(stored.digest()).or_default().push(summary);
    }
    let jobs: Vec<(Digest, Vec<Summary>)> = of_original.into_iter().collect();
    let known = jobs.iter().filter_map(|(digest, _)| writer.original(digest).transpose());
    let originals: Vec<Original> = known.collect::<Result<_>>()?;
    let sizes: Vec<u64> = originals.iter().map(|original| original.bytes).collect();
    let read = |job: usize| read_original(&shelf, &originals[job], &jobs[job].1, None);
    let mut done: BTreeMap<usize, Reading> = BTreeMap::new();
    jobs::run(options.workers, &sizes, read, |job, reading| {
        done.extend(reading.ok().map(|reading| (job, reading)));
        Ok(())
    })?;
    let read = done.into_iter().map(|(job, reading)| (originals[job].digest, reading)).collect();
    let mut readings = Readings { originals: originals.len() as u64, read, failed: Vec::new() };
    settle_zones(writer, &mut readings, options)?;
    write(writer, readings, options, groups)
}

fn read_again(
    history: &History,
    all: bool,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Readings> {
    let mut old: HashSet<Digest> = HashSet::new();
    for original in history.originals() {
        old.extend(original.map(|original| (all || original.is_older()).then_some(original.digest))?);
    }
    // Drafts that an activity is made of besides its base, and the bases that an old companion is part of.
    let (mut parts, mut bases) = (HashSet::new(), old.clone());
    if !old.is_empty() {
        for stored in history.activities() {
            let summary = stored.summary()?;
            parts.extend(summary.companions.iter().map(|companion| (companion.digest, companion.index)));
            if summary.companions.iter().any(|companion| old.contains(&companion.digest)) {
                bases.insert(summary.sha256);
            }
        }
    }
    drop(old);
    let mut originals: Vec<(String, Digest)> = Vec::with_capacity(bases.len());
    for digest in bases {
        originals.extend(history.original(&digest)?.map(|original| (original.path, digest)));
    }
    originals.sort_unstable();
    let sizes: Vec<u64> = originals.iter().map(|(_, digest)| history.bytes_of(digest)).collect();
    progress(Progress::Scanned { sources: originals.len() as u64, bytes: sizes.iter().sum() });
    let mut done: Vec<Option<Result<Reading>>> = Vec::new();
    done.resize_with(originals.len(), || None);
    let shelf = Shelf::new(history, options);
    let read = |job: usize| {
        let digest = originals[job].1;
        let lost = || Error::new(Kind::History, format!("no original with the SHA-256 {digest} is kept"));
        let original = history.original(&digest)?.ok_or_else(lost)?;
        let known: Vec<Summary> = history.activities_of(&digest).map(Stored::summary).collect::<Result<_>>()?;
        read_original(&shelf, &original, &known, Some(&parts))
    };
    jobs::run(options.workers, &sizes, read, |job, reading| {
        progress(Progress::Done { name: &originals[job].0, bytes: sizes[job] });
        done[job] = Some(reading);
        Ok(())
    })?;
    let mut readings = Readings { originals: history.originals().len() as u64, read: Vec::new(), failed: Vec::new() };
    for ((path, digest), reading) in originals.into_iter().zip(done) {
        match reading {
            Some(Ok(reading)) => readings.read.push((digest, reading)),
            Some(Err(error)) => readings.failed.push(SourceReport {
                sha256: Some(digest),
                format: history.original(&digest)?.and_then(|original| formats::by_id(&original.format)),
                ..SourceReport::failed(&*path, &error.in_source(&path))
            }),
            None => {}
        }
    }
    settle_zones(history, &mut readings, options)?;
    Ok(readings)
}

/// Reads one original again: what it held before, and what else it holds now but for parts of other activities; nothing
/// else when those are not known.
fn read_original(
    shelf: &Shelf<'_>,
    original: &Original,
    known: &[Summary],
    parts: Option<&HashSet<(Digest, u32)>>,
) -> Result<Reading> {
    let options = shelf.options;
    let redrafted = shelf.redraft(&original.digest, known, true)?;
    let format = redrafted.format.id;
    let mut activities = Vec::new();
    for (old, draft) in known.iter().zip(redrafted.wanted) {
        let Some(draft) = draft else {
            activities.push(Other { old: Some(old.clone()), new: None, fingerprint: None, judged: false }.again());
            continue;
        };
        let (mut activity, judged) = settle_again(draft, old, options);
        activity.origin.format = format.to_owned();
        let new = Summary::of(&activity);
        if !judged && new == *old && shelf.history.says(&new) {
            activities.push(Again::Same(new.id));
            continue;
        }
        let fingerprint = (new != *old).then(|| Fingerprint::of(&activity));
        activities.push(Other { old: Some(old.clone()), new: Some(new), fingerprint, judged }.again());
    }
    let source = original.names.first().unwrap_or(&original.path);
    for (index, draft) in redrafted.others {
        let Some(parts) = parts else { break };
        // What is part of another activity, or tells of one, is none of its own.
        let told_elsewhere = || draft.recording.stated_start.is_some_and(|start| is_near_one(shelf.history, start));
        if parts.contains(&(original.digest, index))
            || draft.tells_of.is_some()
            || (redrafted.format.table && told_elsewhere())
        {
            continue;
        }
        let draft = Draft { source: Some(source.clone()), ..draft };
        let mut activity = crate::fix::settle(draft, &options.settle);
        let (digest, format) = (original.digest, format.to_owned());
        activity.origin = Origin { source: source.clone(), digest, format, index, ..Origin::default() };
        let (new, fingerprint) = (Summary::of(&activity), Some(Fingerprint::of(&activity)));
        activities.push(Other { old: None, new: Some(new), fingerprint, judged: true }.again());
    }
    Ok(Reading { format, activities })
}

/// True when an activity of the history starts within a minute of this instant, ms UTC: the row of another table, newer or of
/// another platform, tells of it.
fn is_near_one(history: &History, start: i64) -> bool {
    let activities = history.activities();
    let from = activities.partition_point(|a| a.start().is_some_and(|a| a < start - NEAR_MS));
    activities.iter().skip(from).map_while(Stored::start).take_while(|a| *a <= start + NEAR_MS).next().is_some()
}

/// Settles what was read again: with the verdict on its times that the journal keeps, unless its claims are other ones
/// now. True when the times were judged anew.
fn settle_again(draft: Draft, old: &Summary, options: &ReadOptions) -> (Activity, bool) {
    let noted = |code: Code| old.notes.iter().any(|note| note.code == code.id);
    let by_user = old.local_evidence == Evidence::User.name() || noted(zone::KEPT);
    let mut before = resettle(draft.clone(), old, Some(decided(old)), options);
    if !by_user {
        let alone = resettle(draft, old, None, options);
        let stays = if by_another_recording(old) {
            !claims_differ(&before, old) && (noted(zone::PAIR) || alone.offset_s.is_none())
        } else {
            let verdict = |a: &Activity| (a.shift_ms, a.offset_s, a.evidence, a.floating);
            verdict(&alone) == verdict(&before)
        };
        if !stays {
            return (alone, true);
        }
    }
    let told = old.notes.iter().filter(|note| zone::is_verdict_note(&note.code));
    before.notes.extend(told.cloned().collect());
    (before, false)
}

/// True when another recording, of the same workout or the same days, decided about the times.
fn by_another_recording(old: &Summary) -> bool {
    [Evidence::Pair, Evidence::Neighbour].iter().any(|evidence| old.local_evidence == evidence.name())
}

/// True when when and where it was recorded is not what it was.
fn claims_differ(activity: &Activity, old: &Summary) -> bool {
    let span = activity.span();
    let first = activity.track.positions().next().map(|(_, (lat, lon))| [lat, lon]);
    (span.map(|s| s.0), span.map(|s| s.1), first) != (old.start, old.end, old.first_position)
}

/// Times that were judged anew are held against those of the other activities of the same days.
fn settle_zones(history: &History, readings: &mut Readings, options: &ReadOptions) -> Result<()> {
    let mut all: Vec<&mut Other> = readings.others().collect();
    let judged = all.iter().filter(|a| a.judged);
    let mut anew: Vec<Box<Summary>> = judged.filter_map(|a| a.new.clone().map(Box::new)).collect();
    let Some(days) =
        days_around(anew.iter().filter_map(|a| a.start)).filter(|_| options.settle.zone != ZoneChoice::Keep)
    else {
        return Ok(());
    };
    let read: HashMap<ActivityId, Option<Summary>> =
        all.iter().filter_map(|a| Some((a.old.as_ref()?.id, a.new.clone().filter(|_| !a.judged)))).collect();
    let known = near(history, &days).filter_map(|stored: &Stored| match read.get(&stored.id) {
        Some(read) => read.clone().map(Ok),
        None => Some(stored.summary()),
    });
    let known = known.collect::<Result<Vec<Summary>>>()?;
    let moved: HashSet<ActivityId> = by_others(&mut anew, &known, options)?.into_iter().collect();
    let mut anew: HashMap<ActivityId, Box<Summary>> = anew.into_iter().map(|summary| (summary.id, summary)).collect();
    for again in &mut all {
        if let Some(new) = again.new.as_mut().filter(|new| moved.contains(&new.id)) {
            *new = anew.remove(&new.id).map_or_else(|| new.clone(), |moved| *moved);
            again.fingerprint = None;
        }
    }
    Ok(())
}

/// Writes what changed as one batch, merges again what was merged, then groups the changed activities anew when that is
/// wanted.
fn write(writer: &mut Writer, mut readings: Readings, options: &ReadOptions, groups: bool) -> Result<Refreshed> {
    let mut refreshed = readings.report();
    let changed: BTreeSet<ActivityId> = refreshed.changes.iter().map(|change| change.activity.id).collect();
    let mut touched: Vec<Cluster> = Vec::new();
    for cluster in writer.clusters().filter(|cluster| cluster.members.iter().any(|id| changed.contains(id))) {
        if cluster.verdict == Verdict::Same {
            touched.push(cluster.cluster()?);
        }
    }
    // Killed from here on, the next import groups them: nothing keeps the fingerprint of an old reading. A history that
    // was never grouped stays so.
    let void: BTreeSet<ActivityId> = touched.iter().flat_map(|c| &c.members).chain(&changed).copied().collect();
    let derived = writer.derived()?;
    let was_grouped = !void.is_empty() && !derived.is_empty();
    if was_grouped {
        writer.void_derived(&derived, void_lines(&void))?;
    }
    drop(derived);
    let mut fresh: Vec<Fresh> = Vec::new();
    for (digest, reading) in readings.read {
        if reading.activities.iter().all(|again| matches!(again, Again::Same(_))) {
            writer.put_reread_same(digest, reading.format);
            continue;
        }
        let mut summaries = Vec::new();
        for again in reading.activities {
            match again {
                Again::Same(id) => summaries.extend(writer.activity(&id).map(Stored::summary).transpose()?),
                Again::Other(other) => {
                    fresh.extend(other.fingerprint.map(Fresh::of));
                    summaries.extend(other.new);
                }
            }
        }
        writer.put_reread(digest, reading.format, summaries);
    }
    refreshed.committed = writer.commit()?;
    merge_again(writer, touched, options)?;
    if was_grouped && groups {
        let grouped = regroup(writer, fresh, options, &Preferences::default())?;
        (refreshed.merged, refreshed.unsure) = (grouped.merged, grouped.unsure);
    }
    Ok(refreshed)
}

/// Merges workouts again whose activities changed, from the same sources as before as far as they are there.
fn merge_again(writer: &mut Writer, touched: Vec<Cluster>, options: &ReadOptions) -> Result<()> {
    let sets: Vec<&[ActivityId]> = touched.iter().map(|cluster| cluster.members.as_slice()).collect();
    let mut clusters: Vec<Cluster> = Vec::new();
    let merge = |shelf: &Shelf<'_>, at: usize| merged_again(shelf, touched[at].clone());
    // What cannot be read now is reported by `verify`; the workout stays as it was.
    each_set(&mut Shelf::new(writer, options), &sets, merge, |_, cluster| {
        clusters.extend(cluster.ok().flatten());
        Ok(())
    })?;
    clusters.into_iter().for_each(|cluster| writer.put(Entry::Cluster(cluster)));
    writer.commit()?;
    Ok(())
}
