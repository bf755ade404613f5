//! One job: its sources sniffed, read, joined, told of by tables, settled.

use super::giant::Giant;
use super::plan::Plan;
use super::read::ReadOptions;
use super::report::{Outcome, SourceReport};
use super::tables::{Tables, is_workout, say_lost, why_not};
use std::io::BufRead;
use std::sync::Arc;

use crate::error::{Error, Kind, Place, Result};
use crate::exports;
use crate::fix::{self, SettleOptions};
use crate::formats::polar_hrm::{self, DiaryEntry, diary_entries};
use crate::formats::{self, FORMATS, Format, Intake, Reader};
use crate::ids::Digest;
use crate::limits::Limits;
use crate::model::{Activity, Companion, Draft, Origin};
use crate::report::{Code, Notes, Severity};
use crate::source::{self, Entry};

const NOT_AN_ACTIVITY: Code = Code::info("source.not_an_activity");
const UNRECOGNISED: Code = Code::info("source.unrecognised");

/// One source after reading.
#[derive(Debug, Clone)]
pub struct FileRead {
    /// Name, `archive!/member` inside archives.
    pub name: Arc<str>,
    /// Name relative to what the user named.
    pub label: String,
    /// Content after gunzip; empty for a giant, which is never whole in memory.
    pub bytes: Vec<u8>,
    /// The content as one gzip stream, when it came compressed and sound.
    pub gzip: Option<Vec<u8>>,
    /// Length of the content.
    pub length: u64,
    /// Where the content of a giant is read from again.
    pub giant: Option<Giant>,
    /// Digest of the content.
    pub digest: Digest,
    /// The format that read it.
    pub format: Option<&'static Format>,
    /// What became of it.
    pub outcome: Outcome,
    /// Remarks on the source as a whole.
    pub notes: Notes,
    /// How many activities have it as their base.
    pub activities: u32,
    /// True for a table that tells of activities of other sources.
    pub tells: bool,
    pub(super) drafts: Vec<Draft>,
}

impl FileRead {
    /// Nothing to be had here but `what`.
    pub(super) fn skip(&mut self, what: &str) {
        self.notes.add(NOT_AN_ACTIVITY, Place::NOWHERE, || what);
        self.outcome = Outcome::Skipped;
    }

    /// The `source` line.
    pub(super) fn report(&self) -> SourceReport {
        let report = SourceReport::new(self.name.clone(), Some(self.digest), self.outcome);
        SourceReport { format: self.format, activities: self.activities, ..report.with_notes(self.notes.clone()) }
    }
}

/// What was read together: one source, or several that hold parts of the same recordings.
#[derive(Debug)]
pub struct JobRead {
    /// Its number in the plan.
    pub job: usize,
    /// The sources, the one that gives the name first.
    pub files: Vec<FileRead>,
    /// The activities; of a giant only some.
    pub activities: Vec<Activity>,
    /// How many activities of the same giant came before.
    pub before: usize,
}

impl JobRead {
    /// The source that an activity of this job is based on.
    pub fn base(&self, activity: &Activity) -> Option<&FileRead> {
        self.files.iter().find(|file| file.digest == activity.origin.digest)
    }
}

/// Reads the files of one job, joins what belongs together, lets the tables of its export tell, settles.
pub(super) fn read_job(
    plan: &Plan,
    loaded: Vec<(usize, Result<source::Loaded>)>,
    tables: Option<&Tables<'_>>,
    options: &ReadOptions,
) -> (JobRead, Vec<SourceReport>) {
    let mut read = JobRead { job: 0, files: Vec::new(), activities: Vec::new(), before: 0 };
    let mut failures = Vec::new();
    for (file, loaded) in loaded {
        let entry = &plan.scan.entries[file];
        let sha256 = loaded.as_ref().ok().map(|loaded| loaded.digest);
        match loaded.and_then(|loaded| read_file(entry, plan.label(file), loaded, &options.limits)) {
            Ok(file) => read.files.push(file),
            Err(error) => failures.push(SourceReport { sha256, ..SourceReport::failed(entry.name.clone(), &error) }),
        }
    }
    let mut drafts = Vec::new();
    let mut places = Vec::new();
    for (file, read) in read.files.iter_mut().enumerate() {
        let table = read.format.is_some_and(|format| format.table);
        if table {
            read.notes.extend(read.drafts.iter().flat_map(why_not).collect());
        }
        for (index, mut draft) in read.drafts.drain(..).enumerate().filter(|(_, draft)| !table || is_workout(draft)) {
            draft.source = Some(read.name.to_string());
            say_lost(&mut draft);
            drafts.push(draft);
            places.push((file, index as u32));
        }
    }
    let joined = if read.files.len() > 1 {
        let mut stems: Vec<_> = places.iter().map(|&(file, _)| exports::polar::stem(&read.files[file].name)).collect();
        same_exercise(&read.files, &places, &mut stems);
        join(drafts, stems)
    } else {
        drafts.into_iter().enumerate().map(|(i, draft)| (draft, vec![i])).collect()
    };
    let alone = joined.len() == 1;
    for (mut draft, of) in joined {
        let parts: Vec<(usize, u32)> = of.iter().filter_map(|&i| places.get(i)).copied().collect();
        let diary = diary_of(&read.files, parts.iter().map(|&(file, _)| file));
        let diary = diary.map(|(file, index, entry)| {
            entry.tell(&mut draft.recording);
            (file, index)
        });
        let complete = draft.complete && !draft.notes.has_damage();
        let damage: Vec<_> = draft.notes.iter().filter(|note| note.severity == Severity::Damage).cloned().collect();
        let Some((&(base, index), others)) = parts.split_first() else { continue };
        let told = tables.map(|tables| tables.tell(&mut draft, &read.files[base].name, alone)).unwrap_or_default();
        let others = others.iter().copied().chain(diary);
        let companions = others.map(|(file, index)| companion(&read.files[file], index)).chain(told).collect();
        read.activities.push(believe(draft, &read.files[base], index, companions, &options.settle));
        if let Some(file) = diary.and_then(|(file, _)| read.files.get_mut(file)) {
            file.outcome = Outcome::Read;
        }
        for (part, &(file, _)) in parts.iter().enumerate() {
            let file = &mut read.files[file];
            file.activities += u32::from(part == 0);
            if !complete {
                file.outcome = Outcome::Partial;
                file.notes.extend(damage.iter().cloned().collect());
            }
        }
    }
    for table in read.files.iter_mut().filter(|file| file.format.is_some_and(|format| format.table)) {
        if table.activities == 0 && table.outcome == Outcome::Read {
            table.skip("a table that tells of no workout here");
        }
    }
    let reports = read.files.iter().map(FileRead::report).chain(failures).collect();
    (read, reports)
}

/// Settles a draft that `base` gave, and says where it comes from.
pub(super) fn believe(
    draft: Draft,
    base: &FileRead,
    index: u32,
    companions: Vec<Companion>,
    settle: &SettleOptions,
) -> Activity {
    let mut activity = fix::settle(draft, settle);
    activity.origin = Origin {
        source: base.name.to_string(),
        digest: base.digest,
        format: base.format.map_or_else(String::new, |format| format.id.to_owned()),
        index,
        companions,
        channels: Vec::new(),
    };
    activity
}

/// Gives one stem to the files that a diary names as one exercise, and to their versions. `places` are file and index of
/// each draft.
fn same_exercise(files: &[FileRead], places: &[(usize, u32)], stems: &mut [Option<String>]) {
    for diary in files.iter().filter(|file| is_diary(file.format)) {
        for entry in diary_entries(&diary.bytes) {
            let named = places.iter().zip(stems.iter()).filter(|((file, _), _)| entry.names(&files[*file].name));
            let named: Vec<Option<String>> = named.map(|(_, stem)| stem.clone()).collect();
            let Some((first, others)) = named.split_first() else { continue };
            stems.iter_mut().filter(|stem| others.contains(stem)).for_each(|stem| stem.clone_from(first));
        }
    }
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
    let names: Vec<&str> = of.filter_map(|file| files.get(file)).map(|file| &*file.name).collect();
    let diaries = files.iter().enumerate().filter(|(_, file)| is_diary(file.format));
    diaries
        .flat_map(|(file, diary)| (0..).zip(diary_entries(&diary.bytes)).map(move |(i, entry)| (file, i, entry)))
        .find(|(.., entry)| names.iter().any(|name| entry.names(name)))
}

fn is_diary(format: Option<&Format>) -> bool {
    format.is_some_and(|format| format.id == polar_hrm::DIARY.id)
}

/// A source as a companion of an activity.
pub(super) fn companion(file: &FileRead, index: u32) -> Companion {
    let format = file.format.map_or_else(String::new, |format| format.id.to_owned());
    Companion { source: file.name.to_string(), digest: file.digest, format, index }
}

/// Sniffs and reads one loaded source.
pub(super) fn read_file(entry: &Entry, label: &str, loaded: source::Loaded, limits: &Limits) -> Result<FileRead> {
    let mut read = FileRead {
        name: entry.name.clone(),
        label: label.to_owned(),
        format: formats::sniff(&loaded.bytes),
        length: loaded.bytes.len() as u64,
        bytes: loaded.bytes,
        gzip: loaded.gzip,
        giant: None,
        digest: loaded.digest,
        outcome: Outcome::Read,
        notes: loaded.notes,
        activities: 0,
        tells: false,
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
        read.skip(skipped.as_deref().unwrap_or("no activity inside"));
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
    match format.read {
        Some(Reader::Whole(reader)) => {
            let mut index = 0;
            let mut emit = |draft| {
                index += 1;
                keep(draft, index - 1)
            };
            let mut intake = Intake::new(limits, &mut emit);
            reader(bytes, &mut intake)?;
            Ok(intake.finish())
        }
        _ => drafts_from(format, &mut &bytes[..], limits, keep),
    }
}

/// The same for a content that is a stream, of a format that is read so.
pub(super) fn drafts_from(
    format: &Format,
    content: &mut dyn BufRead,
    limits: &Limits,
    keep: &mut dyn FnMut(Draft, u32) -> Result<()>,
) -> Result<(Option<String>, Notes)> {
    let Some(Reader::Stream(reader)) = format.read else {
        return Err(Error::new(Kind::Internal, format!("{} is not read as a stream", format.name)));
    };
    let mut index = 0;
    let mut emit = |draft| {
        index += 1;
        keep(draft, index - 1)
    };
    let mut intake = Intake::new(limits, &mut emit);
    reader(content, &mut intake)?;
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
