//! Sources → activities: load, sniff, read, settle, one task a source.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::jobs::{self, Workers};
use super::report::{Outcome, RunReport, SourceReport};
use crate::error::{Error, Kind, Place, Result};
use crate::fix::{self, SettleOptions};
use crate::formats::{self, FORMATS, Format, Intake, Reader};
use crate::ids::Digest;
use crate::limits::Limits;
use crate::model::{Activity, Draft, Origin};
use crate::report::{Code, Notes};
use crate::source::{self, Entry, Input, Scan, ScanOptions};

const NOT_AN_ACTIVITY: Code = Code::info("source.not_an_activity");
const UNRECOGNISED: Code = Code::info("source.unrecognised");

/// How to read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Caps against hostile input.
    pub limits: Limits,
    /// Threads and memory.
    pub workers: Workers,
    /// Password of encrypted archives.
    pub password: Option<Vec<u8>>,
    /// What the user decides about times.
    pub settle: SettleOptions,
    /// Read equal contents once; the others are reported as duplicates.
    pub once: bool,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            limits: Limits::default(),
            workers: Workers { threads: 0, memory: 1 << 30 },
            password: None,
            settle: SettleOptions::default(),
            once: true,
        }
    }
}

impl ReadOptions {
    pub(super) fn scan(&self) -> ScanOptions<'_> {
        ScanOptions { limits: &self.limits, password: self.password.as_deref() }
    }
}

/// What happens during a run, for a progress bar.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// The sources are known: how many, and about how many bytes.
    Scanned {
        /// Sources to read.
        sources: u64,
        /// Bytes as far as headers tell.
        bytes: u64,
    },
    /// One source is done.
    Done {
        /// Its name.
        name: &'a str,
        /// Its size as announced.
        bytes: u64,
    },
}

/// One source after reading.
#[derive(Debug)]
pub struct SourceRead {
    /// Name, `archive!/member` inside archives.
    pub name: String,
    /// Name relative to what the user named.
    pub label: String,
    /// Content after gunzip.
    pub bytes: Vec<u8>,
    /// Digest of the content.
    pub digest: Digest,
    /// The format that read it.
    pub format: Option<&'static Format>,
    /// What became of it; never `Failed` here, a failure is an error.
    pub outcome: Outcome,
    /// Its activities, in source order.
    pub activities: Vec<Activity>,
    /// Remarks on the source as a whole.
    pub notes: Notes,
}

/// What a run does with contents.
pub struct Visit<'a, T> {
    /// True for a content that is known from before: it is reported as a duplicate and not read.
    pub known: &'a (dyn Fn(&Digest) -> bool + Sync),
    /// Makes something of a source that was read, on a worker's thread.
    pub work: &'a (dyn Fn(SourceRead) -> Result<T> + Sync),
}

impl<'a, T> Visit<'a, T> {
    /// Knows nothing from before.
    pub fn each(work: &'a (dyn Fn(SourceRead) -> Result<T> + Sync)) -> Visit<'a, T> {
        Visit { known: &|_| false, work }
    }
}

/// The whole of a run: a report a source in plan order, and what `work` made of each.
pub struct Run<T> {
    /// One line a source, in plan order; sources that could not even be opened come last.
    pub sources: Vec<SourceReport>,
    /// What was made of each source that was read, in plan order.
    pub results: Vec<T>,
    /// Counts.
    pub report: RunReport,
    /// Remarks on the walk through folders and archives.
    pub notes: Notes,
}

/// The sources of a run, known before the first one is read.
pub struct Plan {
    scan: Scan,
    labels: Vec<String>,
}

impl Plan {
    /// Walks the inputs: folders, archives, archives in archives.
    pub fn new(inputs: &[Input], options: &ReadOptions) -> Plan {
        let scan = source::scan(inputs, &options.scan());
        let roots: Vec<String> = inputs.iter().filter_map(root_of).collect();
        let labels = scan.entries.iter().map(|entry| label_of(&entry.name, &roots)).collect();
        Plan { scan, labels }
    }

    /// The sources' names relative to what the user named, in plan order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }
}

/// What stands before a label in the names of an input's entries: the named folder, or the folder of the named file.
fn root_of(input: &Input) -> Option<String> {
    let Input::Path(path) = input else { return None };
    let root = if path.is_dir() { path } else { path.parent()? };
    Some(root.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}

fn label_of(name: &str, roots: &[String]) -> String {
    let inside = roots.iter().filter(|root| !root.is_empty()).find_map(|root| name.strip_prefix(root.as_str()));
    inside.unwrap_or(name).trim_start_matches('/').to_owned()
}

/// Reads every source of a plan and lets `visit` make something of each, on the workers' threads. Equal contents are read
/// once (with [`ReadOptions::once`]): the smallest name wins, whatever the number of threads or the order of inputs.
///
/// # Errors
/// Only when threads cannot be started; what is wrong with a source is in its report.
pub fn read_all<T: Send>(
    plan: Plan,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    visit: Visit<'_, T>,
) -> Result<Run<T>> {
    let Plan { scan: Scan { entries, problems, notes, .. }, labels } = plan;
    let sizes: Vec<u64> = entries.iter().map(|entry| entry.size).collect();
    progress(Progress::Scanned { sources: entries.len() as u64, bytes: sizes.iter().sum() });
    // Among equal contents the smallest name wins, so that neither threads nor the order of inputs matter.
    let mut by_name: Vec<usize> = (0..entries.len()).collect();
    by_name.sort_by_key(|&job| &entries[job].name);
    let mut rank = vec![0; entries.len()];
    by_name.iter().enumerate().for_each(|(place, &job)| rank[job] = place);
    let winners: Mutex<HashMap<Digest, usize>> = Mutex::new(HashMap::new());
    // True when a better name has this content; a worse one may already be read, it then gives way.
    let claim = |digest: Digest, job: usize| {
        let mut winners = winners.lock().unwrap_or_else(PoisonError::into_inner);
        let best = winners.entry(digest).or_insert(rank[job]);
        let beaten = *best < rank[job];
        *best = (*best).min(rank[job]);
        beaten
    };
    let mut slots: Vec<Option<(SourceReport, u64, Option<T>)>> = Vec::new();
    slots.resize_with(entries.len(), || None);
    jobs::run(
        options.workers,
        &sizes,
        |job| {
            let entry = &entries[job];
            let loaded = source::load(entry, &options.scan())?;
            let digest = loaded.digest;
            let size = loaded.bytes.len() as u64;
            if options.once && (claim(digest, job) || (visit.known)(&digest)) {
                return Ok((duplicate(entry, digest), size, None));
            }
            let read = read_loaded(entry, &labels[job], loaded, options)?;
            let report = report_of(&read);
            Ok((report, size, Some((visit.work)(read)?)))
        },
        |job, result| {
            let entry = &entries[job];
            progress(Progress::Done { name: &entry.name, bytes: entry.size });
            slots[job] = Some(result.unwrap_or_else(|error| (failed(&entry.name, error), 0, None)));
            Ok(())
        },
    )?;
    let winners = winners.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut sources, mut results, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (job, slot) in slots.into_iter().enumerate() {
        let Some((mut report, size, result)) = slot else { continue };
        bytes += size;
        let gives_way = options.once
            && report.sha256.is_some_and(|digest| winners.get(&digest).is_some_and(|best| *best < rank[job]));
        if gives_way && report.outcome != Outcome::Duplicate {
            report = duplicate(&entries[job], report.sha256.unwrap_or_default());
        } else if let Some(result) = result {
            results.push(result);
        }
        sources.push(report);
    }
    sources.extend(problems.into_iter().map(|problem| failed(&problem.name, problem.error)));
    let report = RunReport::of(&sources, bytes);
    Ok(Run { sources, results, report, notes })
}

fn duplicate(entry: &Entry, digest: Digest) -> SourceReport {
    SourceReport {
        kind: "source",
        source: entry.name.clone(),
        sha256: Some(digest),
        format: None,
        outcome: Outcome::Duplicate,
        activities: 0,
        error: None,
        notes: Notes::new(),
    }
}

fn failed(name: &str, error: Error) -> SourceReport {
    SourceReport {
        kind: "source",
        source: name.to_owned(),
        sha256: None,
        format: None,
        outcome: Outcome::Failed,
        activities: 0,
        error: Some(error.to_string()),
        notes: Notes::new(),
    }
}

fn report_of(read: &SourceRead) -> SourceReport {
    SourceReport {
        kind: "source",
        source: read.name.clone(),
        sha256: Some(read.digest),
        format: read.format.map(|format| format.id),
        outcome: read.outcome,
        activities: read.activities.len() as u64,
        error: None,
        notes: read.notes.clone(),
    }
}

/// Sniffs, reads and settles one loaded source.
fn read_loaded(entry: &Entry, label: &str, loaded: source::Loaded, options: &ReadOptions) -> Result<SourceRead> {
    let mut read = SourceRead {
        name: entry.name.clone(),
        label: label.to_owned(),
        bytes: loaded.bytes,
        digest: loaded.digest,
        format: None,
        outcome: Outcome::Read,
        activities: Vec::new(),
        notes: loaded.notes,
    };
    let Some(format) = formats::sniff(&read.bytes) else { return unrecognised(read) };
    read.format = Some(format);
    let mut keep = |draft: Draft, index| {
        let mut activity = fix::settle(draft, &options.settle);
        activity.origin = Origin {
            source: read.name.clone(),
            digest: read.digest,
            format: format.id.to_owned(),
            index,
            ..Origin::default()
        };
        read.activities.push(activity);
        Ok(())
    };
    let (skipped, notes) =
        drafts_of(format, &read.bytes, &options.limits, &mut keep).map_err(|error| error.in_source(&entry.name))?;
    read.notes.extend(notes);
    if read.activities.is_empty() {
        let what = skipped.unwrap_or_else(|| "no activity inside".to_owned());
        read.notes.add(NOT_AN_ACTIVITY, Place::NOWHERE, || what);
        read.outcome = if read.notes.has_damage() { Outcome::Partial } else { Outcome::Skipped };
    } else if read.notes.has_damage() || read.activities.iter().any(|a| !a.complete || a.notes.has_damage()) {
        read.outcome = Outcome::Partial;
    }
    Ok(read)
}

/// Hands each draft of a content to `keep`, with its index. Gives what the content holds instead of activities, and notes.
pub(super) fn drafts_of(
    format: &Format,
    bytes: &[u8],
    limits: &Limits,
    keep: &mut dyn FnMut(Draft, u32) -> Result<()>,
) -> Result<(Option<String>, Notes)> {
    let mut index = 0;
    let mut emit = |draft| {
        index += 1;
        keep(draft, index - 1)
    };
    let mut intake = Intake::new(limits, &mut emit);
    match format.read {
        Some(Reader::Whole(reader)) => reader(bytes, &mut intake)?,
        Some(Reader::Stream(reader)) => reader(&mut &bytes[..], &mut intake)?,
        None => return Err(Error::new(Kind::Internal, format!("{} is not read", format.name))),
    }
    Ok(intake.finish())
}

/// Content that no format knows: rightly passed over, unless its name says that it should be a recording.
fn unrecognised(mut read: SourceRead) -> Result<SourceRead> {
    let stem = read.name.strip_suffix(".gz").unwrap_or(&read.name);
    let extension = stem.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    if read.bytes.is_empty() {
        read.notes.add(UNRECOGNISED, Place::NOWHERE, || "empty");
    } else if FORMATS.iter().any(|f| f.read.is_some() && f.extensions.contains(&extension.as_str())) {
        let message = format!("the content is no {extension} file, nor any other known format");
        return Err(Error::new(Kind::Unrecognised, message).in_source(&read.name));
    } else {
        read.notes.add(UNRECOGNISED, Place::NOWHERE, || "no known format");
    }
    read.outcome = Outcome::Skipped;
    Ok(read)
}
