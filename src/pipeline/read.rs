//! Sources → activities: load, sniff, read, join companions, settle; one task a job.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::jobs::{self, Workers};
use super::report::{Outcome, RunReport, SourceReport};
use crate::error::{Error, Kind, Place, Result};
use crate::exports::{self, Job};
use crate::fix::{self, SettleOptions, ZoneChoice};
use crate::formats::polar_hrm::{self, DiaryEntry, diary_entries};
use crate::formats::{self, FORMATS, Format, Intake, Reader};
use crate::ids::Digest;
use crate::limits::Limits;
use crate::model::{Activity, Companion, Draft, Origin};
use crate::report::{Code, Notes, Severity};
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
    /// Zone of activities that nothing else tells the zone of.
    pub home: ZoneChoice,
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
            home: ZoneChoice::Auto,
            once: true,
        }
    }
}

impl ReadOptions {
    fn scan(&self) -> ScanOptions<'_> {
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
pub struct FileRead {
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
    /// What became of it.
    pub outcome: Outcome,
    /// Remarks on the source as a whole.
    pub notes: Notes,
    /// How many activities have it as their base.
    pub activities: u64,
    drafts: Vec<Draft>,
}

/// What was read together: one source, or several that hold parts of the same recordings.
#[derive(Debug)]
pub struct JobRead {
    /// The sources, the one that gives the name first.
    pub files: Vec<FileRead>,
    /// The activities.
    pub activities: Vec<Activity>,
}

impl JobRead {
    /// The source that an activity of this job is based on.
    pub fn base(&self, activity: &Activity) -> Option<&FileRead> {
        self.files.iter().find(|file| file.digest == activity.origin.digest)
    }
}

/// What a run does with contents.
pub struct Visit<'a, T> {
    /// True for a content that is known from before: it is reported as a duplicate and not read.
    pub known: &'a (dyn Fn(&Digest) -> bool + Sync),
    /// Makes something of a job that was read, on a worker's thread.
    pub work: &'a (dyn Fn(JobRead) -> Result<T> + Sync),
}

impl<'a, T> Visit<'a, T> {
    /// Knows nothing from before.
    pub fn each(work: &'a (dyn Fn(JobRead) -> Result<T> + Sync)) -> Visit<'a, T> {
        Visit { known: &|_| false, work }
    }
}

/// The whole of a run: a report a source in plan order, and what `work` made of each job.
pub struct Run<T> {
    /// One line a source, in plan order; sources that could not even be opened come last.
    pub sources: Vec<SourceReport>,
    /// What was made of each job that was read, in plan order.
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
    jobs: Vec<Job>,
}

impl Plan {
    /// Walks the inputs: folders, archives, archives in archives.
    pub fn new(inputs: &[Input], options: &ReadOptions) -> Plan {
        let scan = source::scan(inputs, &options.scan());
        let roots: Vec<String> = inputs.iter().filter_map(root_of).collect();
        let labels = scan.entries.iter().map(|entry| label_of(&entry.name, &roots)).collect();
        let names: Vec<&str> = scan.entries.iter().map(|entry| entry.name.as_str()).collect();
        let jobs = exports::plan(&names);
        Plan { scan, labels, jobs }
    }

    /// The sources' names relative to what the user named, in plan order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// For each job its place when jobs are ordered by name: neither threads nor the order of inputs change it.
    fn ranks(&self) -> Vec<usize> {
        let mut by_name: Vec<usize> = (0..self.jobs.len()).collect();
        let name = |job: usize| self.jobs[job].files.first().map(|&file| &self.scan.entries[file].name);
        by_name.sort_by_key(|&job| name(job));
        let mut ranks = vec![0; by_name.len()];
        by_name.iter().enumerate().for_each(|(place, &job)| ranks[job] = place);
        ranks
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

/// What became of one job: a report a file, bytes read, what `work` made of it.
struct Done<T> {
    reports: Vec<SourceReport>,
    bytes: u64,
    result: Option<Result<T>>,
    key: Option<Digest>,
}

/// Reads every job of a plan and lets `visit` make something of each, on the workers' threads. Equal contents are read
/// once (with [`ReadOptions::once`]): the smallest name wins, whatever the number of threads or the order of inputs.
///
/// # Errors
/// When threads cannot be started, or the first error of `visit.work`; what is wrong with a source is in its report.
pub fn read_all<T: Send>(
    plan: &Plan,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    visit: &Visit<'_, T>,
) -> Result<Run<T>> {
    let entries = &plan.scan.entries;
    let size = |job: &Job| job.files.iter().map(|&file| entries[file].size).sum::<u64>();
    let sizes: Vec<u64> = plan.jobs.iter().map(size).collect();
    progress(Progress::Scanned { sources: entries.len() as u64, bytes: sizes.iter().sum() });
    let ranks = plan.ranks();
    let winners: Mutex<HashMap<Digest, usize>> = Mutex::new(HashMap::new());
    // True when a better name has this content; a worse one may already be read, it then gives way.
    let beaten = |key: Digest, job: usize| {
        let mut winners = winners.lock().unwrap_or_else(PoisonError::into_inner);
        let best = winners.entry(key).or_insert(ranks[job]);
        let beaten = *best < ranks[job];
        *best = (*best).min(ranks[job]);
        beaten
    };
    let mut slots: Vec<Option<Done<T>>> = Vec::new();
    slots.resize_with(plan.jobs.len(), || None);
    let work = |job: usize| -> Result<Done<T>> {
        let files = &plan.jobs[job].files;
        let loaded: Vec<(usize, Result<source::Loaded>)> =
            files.iter().map(|&file| (file, source::load(&entries[file], &options.scan()))).collect();
        let contents: Vec<&source::Loaded> = loaded.iter().filter_map(|(_, loaded)| loaded.as_ref().ok()).collect();
        let bytes = contents.iter().map(|content| content.bytes.len() as u64).sum();
        let key = key_of(&contents);
        if let Some(key) = key
            && options.once
            && (beaten(key, job) || contents.iter().all(|content| (visit.known)(&content.digest)))
        {
            let reports = loaded.iter().map(|(file, loaded)| match loaded {
                Ok(content) => report_of(&entries[*file].name, content.digest, Outcome::Duplicate),
                Err(error) => failed(&entries[*file].name, error),
            });
            return Ok(Done { reports: reports.collect(), bytes, result: None, key: None });
        }
        let (read, reports) = read_job(plan, loaded, options);
        let result = (!read.files.is_empty()).then(|| (visit.work)(read));
        Ok(Done { reports, bytes, result, key })
    };
    jobs::run(options.workers, &sizes, work, |job, result| {
        for &file in &plan.jobs[job].files {
            progress(Progress::Done { name: &entries[file].name, bytes: entries[file].size });
        }
        let done = result.unwrap_or_else(|error| {
            let reports = plan.jobs[job].files.iter().map(|&file| failed(&entries[file].name, &error)).collect();
            Done { reports, bytes: 0, result: None, key: None }
        });
        let Done { reports, bytes, result, key } = done;
        let result = result.transpose()?; // what `work` cannot do ends the run
        slots[job] = Some(Done { reports, bytes, result: result.map(Ok), key });
        Ok(())
    })?;
    let winners = winners.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut sources, mut results, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (job, mut done) in slots.into_iter().enumerate().filter_map(|(job, slot)| Some((job, slot?))) {
        bytes += done.bytes;
        let won = |key| winners.get(key).is_none_or(|best| *best == ranks[job]);
        if done.key.as_ref().is_none_or(won) || !options.once {
            results.extend(done.result.and_then(Result::ok));
        } else {
            for report in done.reports.iter_mut().filter(|report| report.outcome != Outcome::Failed) {
                *report = report_of(&report.source, report.sha256.unwrap_or_default(), Outcome::Duplicate);
            }
        }
        sources.extend(done.reports);
    }
    sources.extend(plan.scan.problems.iter().map(|problem| failed(&problem.name, &problem.error)));
    let report = RunReport::of(&sources, bytes);
    Ok(Run { sources, results, report, notes: plan.scan.notes.clone() })
}

/// Identity of what a job read: the digest of its content, those of several mixed. `None` when nothing was loaded.
fn key_of(contents: &[&source::Loaded]) -> Option<Digest> {
    let mut key = contents.first()?.digest;
    for (i, content) in contents.iter().enumerate().skip(1) {
        for (at, byte) in content.digest.0.iter().enumerate() {
            key.0[(at + i) % 32] ^= byte;
        }
    }
    Some(key)
}

fn report_of(name: &str, digest: Digest, outcome: Outcome) -> SourceReport {
    SourceReport {
        kind: "source",
        source: name.to_owned(),
        sha256: Some(digest),
        format: None,
        outcome,
        activities: 0,
        error: None,
        notes: Notes::new(),
    }
}

fn failed(name: &str, error: &Error) -> SourceReport {
    SourceReport { sha256: None, error: Some(error.to_string()), ..report_of(name, Digest::default(), Outcome::Failed) }
}

/// Reads the files of one job, joins what belongs together, settles.
fn read_job(
    plan: &Plan,
    loaded: Vec<(usize, Result<source::Loaded>)>,
    options: &ReadOptions,
) -> (JobRead, Vec<SourceReport>) {
    let mut read = JobRead { files: Vec::new(), activities: Vec::new() };
    let mut failures = Vec::new();
    for (file, loaded) in loaded {
        let entry = &plan.scan.entries[file];
        match loaded.and_then(|loaded| read_file(entry, &plan.labels[file], loaded, &options.limits)) {
            Ok(file) => read.files.push(file),
            Err(error) => failures.push(failed(&entry.name, &error)),
        }
    }
    let mut drafts = Vec::new();
    let mut places = Vec::new();
    for (file, read) in read.files.iter_mut().enumerate() {
        for (index, mut draft) in read.drafts.drain(..).enumerate() {
            draft.source = Some(read.name.clone());
            drafts.push(draft);
            places.push((file, index as u32));
        }
    }
    let joined = if read.files.len() > 1 {
        let stems = places.iter().map(|&(file, _)| exports::polar::stem(&read.files[file].name)).collect();
        join(drafts, stems)
    } else {
        drafts.into_iter().enumerate().map(|(i, draft)| (draft, vec![i])).collect()
    };
    for (mut draft, of) in joined {
        let diary = diary_of(&read.files, of.iter().filter_map(|&i| places.get(i)).map(|&(file, _)| file));
        let diary = diary.map(|(file, index, entry)| {
            entry.tell(&mut draft.recording);
            (file, index)
        });
        let complete = draft.complete && !draft.notes.has_damage();
        let damage: Vec<_> = draft.notes.iter().filter(|note| note.severity == Severity::Damage).cloned().collect();
        let mut activity = fix::settle(draft, &options.settle);
        let mut parts = of.iter().filter_map(|&i| places.get(i)).map(|&(file, index)| (&read.files[file], index));
        if let Some((base, index)) = parts.next() {
            activity.origin = Origin {
                source: base.name.clone(),
                digest: base.digest,
                format: base.format.map_or_else(String::new, |format| format.id.to_owned()),
                index,
                companions: parts
                    .chain(diary.map(|(file, index)| (&read.files[file], index)))
                    .map(|(file, index)| companion(file, index))
                    .collect(),
                channels: Vec::new(),
            };
        }
        read.activities.push(activity);
        if let Some(file) = diary.and_then(|(file, _)| read.files.get_mut(file)) {
            file.outcome = Outcome::Read;
        }
        for (part, &i) in of.iter().enumerate() {
            let Some(&(file, _)) = places.get(i) else { continue };
            let file = &mut read.files[file];
            file.activities += u64::from(part == 0);
            if !complete {
                file.outcome = Outcome::Partial;
                file.notes.extend(damage.iter().cloned().collect());
            }
        }
    }
    let reports = read.files.iter().map(|file| SourceReport {
        format: file.format.map(|format| format.id),
        activities: file.activities,
        notes: file.notes.clone(),
        ..report_of(&file.name, file.digest, file.outcome)
    });
    let reports = reports.chain(failures).collect();
    (read, reports)
}

/// Joins the drafts whose files share a stem.
fn join(drafts: Vec<Draft>, stems: Vec<Option<String>>) -> Vec<fix::Joined> {
    let mut groups: Vec<(Option<String>, Vec<usize>, Vec<Draft>)> = Vec::new();
    for (i, (draft, stem)) in drafts.into_iter().zip(stems).enumerate() {
        match groups.iter_mut().find(|(known, ..)| *known == stem) {
            Some((_, of, drafts)) => {
                of.push(i);
                drafts.push(draft);
            }
            None => groups.push((stem, vec![i], vec![draft])),
        }
    }
    let joined = groups.into_iter().flat_map(|(_, of, drafts)| {
        let back = move |i: usize| of.get(i).copied().unwrap_or(i);
        fix::join(drafts).into_iter().map(move |(draft, parts)| (draft, parts.into_iter().map(&back).collect()))
    });
    joined.collect()
}

/// The diary that tells of a recording made of these files: its file, the number of the entry, the entry.
fn diary_of(files: &[FileRead], of: impl Iterator<Item = usize>) -> Option<(usize, u32, DiaryEntry)> {
    let names: Vec<&str> = of.filter_map(|file| files.get(file)).map(|file| file.name.as_str()).collect();
    let diaries = files.iter().enumerate().filter(|(_, file)| is_diary(file.format));
    diaries
        .flat_map(|(file, diary)| (0..).zip(diary_entries(&diary.bytes)).map(move |(i, entry)| (file, i, entry)))
        .find(|(.., entry)| names.iter().any(|name| entry.names(name)))
}

fn is_diary(format: Option<&Format>) -> bool {
    format.is_some_and(|format| format.id == polar_hrm::DIARY.id)
}

fn companion(file: &FileRead, index: u32) -> Companion {
    let format = file.format.map_or_else(String::new, |format| format.id.to_owned());
    Companion { source: file.name.clone(), digest: file.digest, format, index }
}

/// Sniffs and reads one loaded source.
fn read_file(entry: &Entry, label: &str, loaded: source::Loaded, limits: &Limits) -> Result<FileRead> {
    let mut read = FileRead {
        name: entry.name.clone(),
        label: label.to_owned(),
        format: formats::sniff(&loaded.bytes),
        bytes: loaded.bytes,
        digest: loaded.digest,
        outcome: Outcome::Read,
        notes: loaded.notes,
        activities: 0,
        drafts: Vec::new(),
    };
    let Some(format) = read.format else { return unrecognised(read) };
    let drafts = &mut read.drafts;
    let mut keep = |draft, _| {
        drafts.push(draft);
        Ok(())
    };
    let (skipped, notes) =
        drafts_of(format, &read.bytes, limits, &mut keep).map_err(|error| error.in_source(&entry.name))?;
    read.notes.extend(notes);
    if read.drafts.is_empty() {
        let what = skipped.unwrap_or_else(|| "no activity inside".to_owned());
        read.notes.add(NOT_AN_ACTIVITY, Place::NOWHERE, || what);
        read.outcome = Outcome::Skipped;
    }
    if read.notes.has_damage() {
        read.outcome = Outcome::Partial;
    }
    Ok(read)
}

/// Hands each draft of a content to `keep`, with its index. Gives what it holds instead of activities, and notes.
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

/// Extensions of files that may hold anything; they promise no recording.
const GENERIC: &[&str] = &["csv", "json", "txt", "xml"];

/// Content that no format knows: rightly passed over, unless its name says that it should be a recording.
fn unrecognised(mut read: FileRead) -> Result<FileRead> {
    let stem = read.name.strip_suffix(".gz").unwrap_or(&read.name);
    let extension = stem.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let claims = |f: &Format| f.read.is_some() && f.extensions.contains(&extension.as_str());
    if read.bytes.is_empty() {
        read.notes.add(UNRECOGNISED, Place::NOWHERE, || "empty");
    } else if !GENERIC.contains(&extension.as_str()) && FORMATS.iter().any(claims) {
        let message = format!("the content is no {extension} file, nor any other known format");
        return Err(Error::new(Kind::Unrecognised, message).in_source(&read.name));
    } else {
        read.notes.add(UNRECOGNISED, Place::NOWHERE, || "no known format");
    }
    read.outcome = Outcome::Skipped;
    Ok(read)
}
