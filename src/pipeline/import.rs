//! Sources → history: each new content is kept once, under every name it was met with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::absorb::{self, Absorbed};
use super::group::{Fresh, commit_and_group, foresee};
use super::job::JobRead;
use super::jobs;
use super::left::{AtHand, Left, New};
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::refresh::complete;
use super::report::{Outcome, RunReport, SourceReport};
use super::shelf::is_table;
use super::told::Told;
use super::zones::{Claims, near};
use crate::dedupe::{Fingerprint, Preferences};
use crate::error::Result;
use crate::fix::ZoneChoice;
use crate::fix::zone::{Claim, Correction};
use crate::history::{
    ActivityLine, Committed, Entry, Filled, History, NewOriginal, OriginalKind, Slot, Stored, Waiting, Writer,
};
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Companion, Summary};
use crate::source::{self, Compressed, Input};

/// How to import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Wait while another import holds the history.
    pub wait: bool,
    /// Which activities count as the same.
    pub dedupe: Dedupe,
    /// Which source wins a channel in a merge.
    pub preferences: Preferences,
    /// Give the summaries of the new activities, not only how many they are.
    pub tell: bool,
}

/// Which activities count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// Equal bytes only.
    Exact,
    /// Equal bytes, equal content, recordings of the same workout.
    Overlap,
}

/// What an import did.
pub struct Imported {
    /// Counts, and remarks on the walk through folders and archives.
    pub report: RunReport,
    /// Reports of the sources of which there is something to say besides what is counted.
    pub sources: Vec<SourceReport>,
    /// With [`ImportOptions::tell`] lines of the JSON contract: the new activities in plan order, then one a source.
    pub told: Option<Told>,
    /// How many activities are new.
    pub new: usize,
    /// How many of them a dry run could not compare with others: those of other histories, and those whose times others
    /// put right.
    pub uncompared: usize,
    /// What was written.
    pub committed: Committed,
}

/// Where the new things go: a writer, or nothing in a dry run.
enum Sink {
    Writer(Box<Mutex<Writer>>),
    Dry(Option<Box<History>>),
}

impl Sink {
    fn open(root: &Path, how: &ImportOptions) -> Result<Sink> {
        if !how.dry_run {
            return Ok(Sink::Writer(Box::new(Mutex::new(History::open_or_create(root, how.wait)?))));
        }
        Ok(Sink::Dry(History::open_if_made(root)?.map(Box::new)))
    }

    /// Where texts wait for the commit.
    fn waiting(&self) -> Arc<Waiting> {
        match self {
            Sink::Writer(writer) => writer.lock().unwrap_or_else(PoisonError::into_inner).waiting(),
            Sink::Dry(_) => Arc::new(Waiting::made(source::nameless)),
        }
    }

    fn has(&self, digest: &Digest) -> bool {
        match self {
            Sink::Writer(writer) => writer.lock().unwrap_or_else(PoisonError::into_inner).has(digest),
            Sink::Dry(history) => history.as_ref().is_some_and(|history| history.has(digest)),
        }
    }

    fn knows(&self, activity: &ActivityId) -> bool {
        match self {
            Sink::Writer(writer) => writer.lock().unwrap_or_else(PoisonError::into_inner).activity(activity).is_some(),
            Sink::Dry(history) => history.as_ref().is_some_and(|history| history.activity(activity).is_some()),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&History) -> Result<Vec<T>>) -> Result<Vec<T>> {
        match self {
            Sink::Writer(writer) => read(&writer.lock().unwrap_or_else(PoisonError::into_inner)),
            Sink::Dry(history) => history.as_ref().map_or_else(|| Ok(Vec::new()), |history| read(history)),
        }
    }

    /// When the activities of an original start, ms UTC.
    fn starts(&self, digest: &Digest) -> Vec<i64> {
        self.read(|history| Ok(history.activities_of(digest).filter_map(Stored::start).collect())).unwrap_or_default()
    }

    /// The companions of the activities of an original; `None` when there are none. A line that cannot be read has none: it is
    /// read again then.
    fn companions(&self, digest: &Digest) -> Option<Vec<Companion>> {
        let all = |history: &History| Ok(history.activities_of(digest).map(Stored::summary).collect());
        let summaries: Vec<Result<Summary>> = self.read(all).ok()?;
        (!summaries.is_empty()).then(|| summaries.into_iter().flatten().flat_map(|one| one.companions).collect())
    }

    /// True when originals are known that came as gzip streams.
    fn knows_streams(&self) -> bool {
        self.read(|history| Ok(vec![history.knows_streams()])).is_ok_and(|knows| knows.contains(&true))
    }

    /// The content of a gzip stream that an original came as.
    fn of_stream(&self, stream: &Digest) -> Option<Digest> {
        self.read(|history| Ok(Vec::from_iter(history.of_stream(stream)?))).ok()?.pop()
    }

    /// Keeps an original, unless it is known. Compressing, hashing and writing are the slow parts of keeping; `fill` does
    /// them without the writer.
    fn keep(&self, original: &NewOriginal<'_>, fill: impl FnOnce(Slot) -> Result<Filled>) -> Result<()> {
        let Sink::Writer(writer) = self else { return Ok(()) };
        let lock = || writer.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = lock().admit(original)?;
        if let Some(slot) = slot {
            let filled = fill(slot)?;
            lock().take(original, filled)?;
        }
        Ok(())
    }

    fn put(&self, put: impl FnOnce(&mut Writer) -> Result<()>) -> Result<()> {
        match self {
            Sink::Writer(writer) => put(&mut writer.lock().unwrap_or_else(PoisonError::into_inner)),
            Sink::Dry(_) => Ok(()),
        }
    }
}

/// Reads every source and takes what is new over into the history at `root`. Nothing of it is visible before the commit
/// at the end; importing the same again changes no byte.
///
/// # Errors
/// `Io` and `History` when the history cannot be opened or written; what is wrong with a source is in its report.
pub fn import(
    inputs: &[Input],
    root: &Path,
    options: &ReadOptions,
    how: &ImportOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Imported> {
    let (histories, inputs) = absorb::split(inputs)?;
    // Where nothing can be read nothing is kept: a mistyped name leaves no empty history behind.
    let made = History::is_at(root);
    let nothing = histories.is_empty() && !inputs.iter().any(Input::exists) && !made;
    let options = ReadOptions { once: true, apart: Some(root.to_owned()), ..options.clone() };
    let open = || if nothing { Ok(Sink::Dry(None)) } else { Sink::open(root, how) };
    if !made && !nothing {
        // A folder of something else is told before anything is read.
        History::open_if_made(root)?;
    }
    // Making a history is mostly waiting for the disk. Reading one takes memory, and a plan does so, too.
    let threads = if made { 1 } else { options.workers.threads };
    let (sink, plan) = jobs::both(threads, &open, || Plan::new(&inputs, &options))?;
    let mut told = how.tell.then(Told::new);
    let mut absorbed = Absorbed::default();
    for other in &histories {
        match &sink {
            Sink::Writer(writer) => {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                absorbed.take(other, Some(&mut writer), told.as_mut(), &|_| false)?;
            }
            Sink::Dry(_) => absorbed.take(other, None, told.as_mut(), &|digest| sink.has(digest))?,
        }
    }
    let waiting = &sink.waiting();
    sink.put(|writer| {
        writer.expect_originals(plan.layout.jobs().len());
        Ok(())
    })?;
    plan.announce(waiting);
    told.iter().for_each(|told| plan.announce(told.waiting()));
    let at_hand = AtHand::default();
    let keep = |read: JobRead| keep(&sink, waiting, how.dedupe == Dedupe::Overlap, &read);
    let keep = |read: JobRead| at_hand.leave(keep(read)?, waiting);
    let known = |digest: &Digest| sink.has(digest).then(|| sink.starts(digest));
    let streams = sink.knows_streams();
    let known_as = |came: &Compressed| if streams { sink.of_stream(&came.digest()) } else { None };
    let heard = |digest: &Digest| sink.companions(digest);
    let visit = Visit { only: &|_| true, known: &known, told: &heard, known_as: &known_as, work: &keep };
    let Run { mut sources, results: read, mut report } = read_all(&plan, &options, progress, &visit)?;
    drop(plan);
    put_names(&sink, &sources)?;
    if !histories.is_empty() {
        sources.splice(0..0, absorbed.sources);
        let RunReport { exports, notes, bytes, .. } = report;
        report = RunReport { exports, notes, ..RunReport::of(&sources, bytes + absorbed.bytes) };
    }
    let mut told_of_sources = told.as_ref().map(Told::more);
    if let Some(told) = &mut told_of_sources {
        sources.iter().try_for_each(|source| told.add(source))?;
    }
    // Those of a hundred thousand take as much memory as all that is committed.
    sources.retain(SourceReport::has_more);
    sources.shrink_to_fit();
    let others = std::mem::take(&mut absorbed.others);
    let more = sink.read(|history| told_more(history, waiting, &read, others))?;
    let mut corrections = reconcile(&sink, waiting, &read, &options)?;
    let mut count = 0;
    let mut fresh: Vec<Fresh> = Vec::with_capacity(if how.dedupe == Dedupe::Overlap { read.len() } else { 0 });
    sink.put(|writer| {
        writer.reserve_activities(read.len());
        Ok(())
    })?;
    // Only now it is certain under which name each content goes.
    each_new(&sink, waiting, &read, &mut |new, _| {
        let mut new = new.clone();
        new.fresh.iter_mut().for_each(|fresh| at_hand.put_back(fresh));
        if let Some(correction) = corrections.remove(&count) {
            new.correct(&correction, waiting)?;
        }
        count += 1;
        if let Some(told) = &mut told {
            told.add_line(&new.line.json(waiting)?)?;
        }
        fresh.extend(new.fresh);
        sink.put(|writer| {
            writer.put_activity(new.line);
            Ok(())
        })
    })?;
    drop(read);
    told.iter_mut().zip(told_of_sources).for_each(|(told, more)| told.append(more));
    report.clusters = report.activities;
    report.completed = more.len() as u64;
    let mut committed = Committed::default();
    let mut uncompared = 0;
    if let Sink::Dry(history) = &sink
        && how.dedupe == Dedupe::Overlap
    {
        uncompared = count + absorbed.new - fresh.len();
        let foreseen = foresee(history.as_deref(), std::mem::take(&mut fresh), waiting)?;
        report.merged = foreseen.merged;
        report.unsure = foreseen.unsure;
        report.clusters = report.activities.saturating_sub(foreseen.merged);
    }
    if let Sink::Writer(writer) = sink {
        let mut writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        if how.dedupe == Dedupe::Exact {
            committed = writer.commit()?;
        } else {
            let grouped;
            (committed, grouped) = commit_and_group(&mut writer, fresh, &options, &how.preferences)?;
            report.merged = grouped.merged;
            report.unsure = grouped.unsure;
            report.clusters = report.activities.saturating_sub(grouped.merged);
        }
        if !more.is_empty() {
            let completed = complete(&mut writer, more, &options, how.dedupe == Dedupe::Overlap)?;
            report.completed = completed.changes.len() as u64;
            report.merged += completed.merged;
            report.unsure += completed.unsure;
        }
    }
    Ok(Imported { report, sources, told, new: count + absorbed.new, uncompared, committed })
}

/// Says under which names contents were met that are known from before or from other sources of the run.
fn put_names(sink: &Sink, sources: &[SourceReport]) -> Result<()> {
    let mut again: Vec<&SourceReport> = sources.iter().filter(|source| source.outcome == Outcome::Duplicate).collect();
    again.sort_by_key(|source| source.sha256);
    for same in again.chunk_by(|a, b| a.sha256 == b.sha256) {
        let Some(digest) = same.first().and_then(|source| source.sha256) else { continue };
        let names = same.iter().map(|source| source.source.to_string()).collect();
        sink.put(|writer| {
            writer.put(Entry::Alias { digest, names });
            Ok(())
        })?;
    }
    Ok(())
}

/// A job, and a place among its new activities.
type Place = (u32, u32);

/// Hands on what the history does not have already.
fn each_new(
    sink: &Sink,
    waiting: &Waiting,
    jobs: &[Left],
    each: &mut dyn FnMut(&New, Place) -> Result<()>,
) -> Result<()> {
    for (job, left) in (0..).zip(jobs) {
        for (place, new) in (0..).zip(&*left.news(waiting)?) {
            if !sink.knows(&new.line.id) {
                each(new, (job, place))?;
            }
        }
    }
    Ok(())
}

/// What the history has already and of which more files tell now: as it is, with those files. A file that no activity came
/// from is not kept, so the files of its job are read again; what they give is known. It is read again after the commit.
fn told_more(history: &History, waiting: &Waiting, read: &[Left], absorbed: Vec<Summary>) -> Result<Vec<Summary>> {
    let mut more: BTreeMap<ActivityId, Summary> = BTreeMap::new();
    for again in absorbed {
        let Some(stored) = history.activity(&again.id) else { continue };
        more.extend(with_more(stored.summary()?, again).map(|summary| (summary.id, summary)));
    }
    if !history.activities().is_empty() {
        for job in read {
            for New { line, .. } in &*job.news(waiting)? {
                let Some(stored) = history.activity(&line.id) else { continue };
                let again = with_more(stored.summary()?, line.summary(waiting)?);
                more.extend(again.map(|summary| (summary.id, summary)));
            }
        }
    }
    Ok(more.into_values().collect())
}

/// What is known of an activity, with the companions that it was read with again, when those tell more. Those that told of it
/// before do so still, but for a table in whose place another one of the same kind came.
fn with_more(old: Summary, again: Summary) -> Option<Summary> {
    let came: Vec<&Companion> = again.companions.iter().filter(|c| !c.is_among(&old.companions)).collect();
    if came.is_empty() {
        return None;
    }
    let replaced = |c: &Companion| is_table(c) && came.iter().any(|new| new.format == c.format);
    let stay = old.companions.iter().filter(|c| !c.is_among(&again.companions) && !replaced(c));
    let mut companions: Vec<Companion> = again.companions.iter().chain(stay).cloned().collect();
    // Of tables the last one has the last word: that of the same platform, in whatever order they came.
    companions.sort_by_key(|c| is_table(c).then(|| (c.format.clone(), c.digest, c.index)));
    // Times may have been settled by others, and notes tell of that.
    let the_same = Summary {
        source: old.source.clone(),
        companions: old.companions.clone(),
        day: old.day.clone(),
        local_evidence: old.local_evidence.clone(),
        notes: old.notes.clone(),
        start: old.start,
        end: old.end,
        local_offset_s: old.local_offset_s,
        time_shift_s: old.time_shift_s,
        floating: old.floating,
        first_sample: old.first_sample,
        last_sample: old.last_sample,
        ..again
    };
    (the_same != old).then_some(Summary { companions, ..old })
}

/// What the others of the run, and those of the same days in the history, tell of the zones of the new activities: what is
/// to be changed, by place among them.
fn reconcile(
    sink: &Sink,
    waiting: &Waiting,
    read: &[Left],
    options: &ReadOptions,
) -> Result<BTreeMap<usize, Correction>> {
    if options.settle.zone == ZoneChoice::Keep {
        return Ok(BTreeMap::new());
    }
    let (mut claims, mut places) = (Claims::with_room(read.len()), Vec::with_capacity(read.len()));
    each_new(sink, waiting, read, &mut |new, place| {
        claims.add(new.claim.clone());
        places.push(place);
        Ok(())
    })?;
    let Some(days) = claims.days() else { return Ok(BTreeMap::new()) };
    let known: Vec<Summary> = sink.read(|history| near(history, &days).map(Stored::summary).collect())?;
    known.iter().for_each(|known| claims.add(Claim::of(known)));
    let source = |place: usize| match places.get(place) {
        Some(&(job, at)) => Ok(read[job as usize].news(waiting)?[at as usize].line.summary(waiting)?.source),
        None => Ok(known[place - places.len()].source.clone()),
    };
    let mut corrections = claims.judged(&source, options)?;
    // Those of before stay.
    drop(corrections.split_off(&places.len()));
    Ok(corrections)
}

/// Keeps the bytes of what was read, and gives its activities. Sources that no activity came from are not
/// kept. Fingerprints are taken of what will be `grouped`.
fn keep(sink: &Sink, waiting: &Waiting, grouped: bool, read: &JobRead) -> Result<Vec<New>> {
    let summaries: Vec<Summary> = read.activities.iter().map(Summary::of).collect();
    for file in &read.files {
        let uses = |activity: &&Activity| {
            let origin = &activity.origin;
            origin.digest == file.digest || origin.companions.iter().any(|companion| companion.digest == file.digest)
        };
        let mut of_file = read.activities.iter().zip(&summaries).filter(|(activity, _)| uses(activity));
        let first = of_file.next().map(|(_, first)| first);
        let Some(format) = file.format.filter(|_| first.is_some() || file.tells) else { continue };
        let many = of_file.next().is_some() || format.table || file.giant.is_some();
        let original = NewOriginal {
            digest: file.digest,
            bytes: &file.bytes,
            gzip: file.gzip.as_deref(),
            names: &[file.name.to_string()],
            format: format.id,
            extension: format.extensions.first().copied().unwrap_or(format.id),
            text: !format.binary,
            start: first.and_then(|first| first.start),
            sport: first.map_or("", |first| &first.sport),
            activities: summaries.iter().filter(|summary| summary.sha256 == file.digest).count() as u32,
            kind: if many { OriginalKind::Archive } else { OriginalKind::Activity },
        };
        if let Some(giant) = &file.giant {
            sink.keep(&original, |slot| slot.fill_from(&original, &mut |out| giant.copy(out)))?;
        } else {
            sink.keep(&original, |slot| slot.fill(&original.pack()?))?;
        }
    }
    let new = |(summary, activity): (&Summary, &Activity)| {
        let fresh = grouped.then(|| Fresh::of(Fingerprint::of(activity)).leave(waiting));
        let line = ActivityLine::of(summary)?.leave(waiting)?;
        Ok(New { line, claim: Claim::of(summary), fresh: fresh.transpose()? })
    };
    summaries.iter().zip(&read.activities).map(new).collect()
}
