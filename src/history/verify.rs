//! Verification: every finding with its place and what to do about it; never stops at the first.
//!
//! [`survey`] looks at everything that needs no content and gives the files to be hashed; a caller may run these checks
//! in any order and on any number of threads. [`verify`] does all of it in turn.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::Original;
use super::journal::Fault;
use super::layout::{self, io_error};
use super::originals::copy_content;
use super::{History, JournalFault, LineFault};
use crate::error::{Place, Result};
use crate::ids::Digest;
use crate::report::{Code, Severity};

const VERSION: Code = Code::damage("history.version");
const TORN: Code = Code::warning("history.torn");
const OPEN_END: Code = Code::warning("history.open_end");
const SEGMENT: Code = Code::damage("history.segment_missing");
const EDITED: Code = Code::damage("history.line_edited");
const MOVED: Code = Code::damage("history.line_missing");
const ODD: Code = Code::damage("history.line_odd");
const SHORT: Code = Code::damage("history.batch_short");
const REPLACED: Code = Code::warning("history.replaced");
const NEWER: Code = Code::info("history.newer");
const MISSING: Code = Code::damage("history.original_missing");
const SIZE: Code = Code::damage("history.original_size");
const CHANGED: Code = Code::damage("history.original_changed");
const UNREADABLE: Code = Code::damage("history.original_unreadable");
const PATH: Code = Code::damage("history.original_path");
const MOVED_FILE: Code = Code::damage("history.original_moved");
const UNLISTED: Code = Code::warning("history.original_unlisted");
const COPY: Code = Code::warning("history.original_copy");
const FOREIGN: Code = Code::warning("history.foreign");
const INCOMING: Code = Code::warning("history.incoming");
const ACTIVITIES: Code = Code::damage("history.activities_missing");
const ORPHAN: Code = Code::damage("history.activity_orphan");

const REBUILD: &str = "run verify with --rebuild: what the originals hold is read from them again";
const IMPORT_AGAIN: &str = "import the source again (its names are in the journal), or put the file back from a backup";
const DELETE_AND_IMPORT: &str = "put the file back from a backup, or delete it and import the source again";
const NEXT_IMPORT: &str = "nothing to do: the next import tidies it up";

/// How to verify.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Trust lengths: do not read the originals.
    pub quick: bool,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable dotted code and severity; only damage means that something is lost or wrong.
    pub code: Code,
    /// The file, relative to the history.
    pub path: String,
    /// Where in the file.
    pub place: Place,
    /// What is wrong, in words.
    pub detail: String,
    /// What to do about it.
    pub repair: &'static str,
}

impl Finding {
    pub(super) fn new(code: Code, path: impl Into<String>, detail: impl Into<String>, repair: &'static str) -> Finding {
        Finding { code, path: path.into(), place: Place::NOWHERE, detail: detail.into(), repair }
    }

    /// True when something is lost or wrong; false for harmless leftovers.
    pub fn is_damage(&self) -> bool {
        self.code.severity == Severity::Damage
    }
}

/// What verification found without reading originals, and what is left to read.
pub struct Survey {
    /// Findings so far.
    pub findings: Vec<Finding>,
    /// Files to be hashed, independent of each other.
    pub checks: Vec<Check>,
}

/// One file to be hashed.
pub struct Check {
    file: PathBuf,
    path: String,
    /// Length of the file.
    pub bytes: u64,
    expected: Option<Digest>,
    known: Arc<Known>,
}

/// What the journal says about digests: path, and whether the file is there.
type Known = HashMap<Digest, (String, bool)>;

/// Looks at everything but the content of originals. Writes nothing.
///
/// # Errors
/// `History` when the folder holds no history at all, `Io` when it cannot be listed or its journal not be read.
pub fn survey(root: &Path, options: VerifyOptions) -> Result<Survey> {
    let mut findings = Vec::new();
    match layout::check_version(root) {
        Ok(true) => {}
        Ok(false) if layout::has_content(root) => {
            let repair = "run verify with --rebuild: it writes the file again";
            findings.push(Finding::new(VERSION, layout::VERSION_FILE, "the version file is missing", repair));
        }
        Ok(false) => return Err(layout::wrong(root, "this is no history")),
        Err(error) if error.io_error().is_none() => {
            let repair = "use the program that wrote this history, or put the file back from a backup";
            findings.push(Finding::new(VERSION, layout::VERSION_FILE, error.message(), repair));
            return Ok(Survey { findings, checks: Vec::new() });
        }
        Err(error) => return Err(error),
    }
    let history = History::load(root)?;
    journal_findings(&history, &mut findings)?;
    activity_findings(&history, &mut findings)?;
    let files = Files::list(root, &mut findings)?;
    let checks = original_findings(&history, files, options, &mut findings)?;
    findings.sort_by(|a, b| (&a.path, a.place.line, a.code.id).cmp(&(&b.path, b.place.line, b.code.id)));
    Ok(Survey { findings, checks })
}

/// Verifies a whole history, one file after the other. `progress` gets the bytes of each file that was hashed.
///
/// # Errors
/// Those of [`survey`]; whatever is wrong inside the history is a finding.
pub fn verify(root: &Path, options: VerifyOptions, progress: &mut dyn FnMut(u64)) -> Result<Vec<Finding>> {
    let Survey { mut findings, checks } = survey(root, options)?;
    for check in checks {
        findings.extend(check.run());
        progress(check.bytes);
    }
    Ok(findings)
}

fn journal_findings(history: &History, findings: &mut Vec<Finding>) -> Result<()> {
    let numbers = layout::segments(&history.root)?;
    for &number in numbers.iter().filter(|&&number| number < history.first) {
        let detail = "a rebuilt journal replaced this segment";
        findings.push(Finding::new(REPLACED, layout::segment_path(number), detail, NEXT_IMPORT));
    }
    for number in missing_segments(history)? {
        let path = layout::segment_path(number);
        findings.push(Finding::new(SEGMENT, path, "a segment of the journal is missing", REBUILD));
    }
    for &JournalFault { segment, n, what } in &history.faults {
        let (code, detail) = match what {
            LineFault::Seal(Fault::Edited) => {
                (EDITED, "the line is not what was written: its seal does not fit".into())
            }
            LineFault::Seal(Fault::Moved(number)) => {
                (MOVED, format!("line {number} of what was written stands here: lines before it are missing or moved"))
            }
            LineFault::Seal(Fault::Odd) | LineFault::Odd => (ODD, "the line is sealed but says nothing usable".into()),
            LineFault::Short(missing) => (SHORT, format!("the batch that begins here lacks {missing} lines")),
        };
        let finding = Finding::new(code, layout::segment_path(segment), detail, REBUILD);
        findings.push(Finding { place: Place::line(n), ..finding });
    }
    let end = history.end;
    let path = layout::segment_path(end.segment);
    if end.keep.at < end.length {
        let detail = format!("the last {} bytes belong to an import that was never finished", end.length - end.keep.at);
        let place = Place::byte(end.keep.at as usize);
        findings.push(Finding { place, ..Finding::new(TORN, &path, detail, NEXT_IMPORT) });
    }
    if end.open_end {
        findings.push(Finding::new(OPEN_END, &path, "the last line lacks its line end", NEXT_IMPORT));
    }
    if history.unknown_lines() > 0 {
        let detail = format!("{} lines are of kinds that only a newer program knows", history.unknown_lines());
        findings.push(Finding::new(NEWER, layout::JOURNAL, detail, "nothing to do: they are kept and ignored"));
    }
    Ok(())
}

/// Numbers that the row of segments lacks; there is always a first one.
pub(super) fn missing_segments(history: &History) -> Result<Vec<u32>> {
    let numbers = layout::segments(&history.root)?;
    let mut missing = Vec::new();
    let mut next = history.first;
    for number in numbers.into_iter().filter(|&number| number >= history.first) {
        // A hostile name must not make a list of a million.
        missing.extend((next..number).take(100));
        next = number.saturating_add(1);
    }
    if next == history.first {
        missing.push(next);
    }
    Ok(missing)
}

/// Activities and originals must belong together.
fn activity_findings(history: &History, findings: &mut Vec<Finding>) -> Result<()> {
    for activity in history.activities() {
        if !history.knows_original(&activity.digest()) {
            let detail = format!("activity {} belongs to an original that the journal does not know", activity.id);
            findings.push(Finding::new(ORPHAN, layout::JOURNAL, detail, REBUILD));
        }
    }
    for original in history.originals() {
        let original = original?;
        let known = history.activities_of(&original.digest).count();
        if known < original.activities as usize {
            let detail = format!("the journal says {} activities and knows {known}", original.activities);
            findings.push(Finding::new(ACTIVITIES, &original.path, detail, REBUILD));
        }
    }
    Ok(())
}

/// The files below `originals`: path → length.
pub(super) struct Files(pub BTreeMap<String, u64>);

impl Files {
    pub fn list(root: &Path, findings: &mut Vec<Finding>) -> Result<Files> {
        let mut files = BTreeMap::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = root.join(&folder);
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_empty() => continue,
                Err(error) => return Err(io_error("cannot list", &path, error)),
            };
            for entry in entries {
                let entry = entry.map_err(|error| io_error("cannot list", &path, error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let inner = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                // Not followed: a link is not what was written here.
                match entry.metadata() {
                    Ok(meta) => Files::sort(inner, &meta, &mut files, &mut folders, findings),
                    // An import that runs gave it another name.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(io_error("cannot read", &entry.path(), error)),
                }
            }
        }
        Ok(Files(files))
    }

    fn sort(
        path: String,
        meta: &fs::Metadata,
        files: &mut BTreeMap<String, u64>,
        folders: &mut Vec<String>,
        findings: &mut Vec<Finding>,
    ) {
        let foreign =
            |detail: &str| Finding::new(FOREIGN, &path, detail, "delete it, if you do not know what it is for");
        let (top, rest) = path.split_once('/').unwrap_or((&path, ""));
        match (top, rest) {
            (layout::VERSION_FILE | layout::LOCK_FILE | layout::DERIVED, "") => {}
            (layout::NEW_VERSION_FILE, "") => {
                let detail = "an import was killed while it made this history";
                findings.push(Finding::new(INCOMING, &path, detail, NEXT_IMPORT));
            }
            (layout::ORIGINALS | layout::JOURNAL, _) if meta.is_dir() => {
                if path != layout::REPLACED {
                    folders.push(path);
                }
            }
            (layout::ORIGINALS, _) if path.starts_with("originals/incoming/") => {
                let detail = "an import was killed before it kept this file";
                findings.push(Finding::new(INCOMING, &path, detail, NEXT_IMPORT));
            }
            (layout::ORIGINALS, _) if meta.is_file() => {
                files.insert(path, meta.len());
            }
            (layout::JOURNAL, name) if meta.is_file() && layout::segment_number(name).is_some() => {}
            _ => findings.push(foreign("this is no part of a history")),
        }
    }
}

/// Compares the journal's originals with the files, and gives the files to be hashed.
fn original_findings(
    history: &History,
    Files(mut files): Files,
    options: VerifyOptions,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Check>> {
    let mut known = Known::new();
    let mut listed: Vec<(String, Digest, u64)> = Vec::new();
    for original in history.originals() {
        let original = original?;
        let length = files.remove(&original.path);
        known.insert(original.digest, (original.path.clone(), length.is_some()));
        match length {
            _ if layout::inside(&history.root, &original.path).is_none() => {
                let detail = "the journal names a file that is not below originals";
                findings.push(Finding::new(PATH, &original.path, detail, REBUILD));
            }
            None => {
                let detail = format!("the file is missing; it held {} bytes of {}", original.bytes, names(&original));
                findings.push(Finding::new(MISSING, &original.path, detail, IMPORT_AGAIN));
            }
            Some(length) if length != original.stored_bytes => {
                let detail = format!("the file has {length} bytes, the journal says {}", original.stored_bytes);
                findings.push(Finding::new(SIZE, &original.path, detail, DELETE_AND_IMPORT));
            }
            Some(length) if !options.quick => listed.push((original.path, original.digest, length)),
            Some(_) => {}
        }
    }
    let known = Arc::new(known);
    let check = |path: &str, bytes: u64, expected: Option<Digest>| Check {
        file: history.root.join(path),
        path: path.to_owned(),
        bytes,
        expected,
        known: Arc::clone(&known),
    };
    // Files that lie together are read one after the other.
    listed.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut checks: Vec<Check> =
        listed.into_iter().map(|(path, digest, length)| check(&path, length, Some(digest))).collect();
    // Files that the journal does not know are few, and their digest tells what they are.
    checks.extend(files.iter().map(|(path, &length)| check(path, length, None)));
    Ok(checks)
}

fn names(original: &Original) -> String {
    let first = original.names.first().map_or("", String::as_str);
    match original.names.len() {
        0 | 1 => first.to_owned(),
        n => format!("{first} and {} more names", n - 1),
    }
}

impl Check {
    /// Hashes the file. `None` when all is well.
    pub fn run(&self) -> Option<Finding> {
        let (code, detail, repair) = match (copy_content(&self.file, &mut io::sink()), self.expected) {
            (Ok((_, digest)), Some(expected)) if digest == expected => return None,
            (Ok((_, digest)), Some(_)) => {
                (CHANGED, format!("the content has changed: its SHA-256 is {digest}"), DELETE_AND_IMPORT)
            }
            (Err(error), Some(_)) => (UNREADABLE, format!("the file cannot be read: {error}"), DELETE_AND_IMPORT),
            (Err(error), None) => {
                let repair = "delete it, if you do not know what it is for";
                (FOREIGN, format!("this is no part of a history, and cannot be read: {error}"), repair)
            }
            (Ok((_, digest)), None) => self.unlisted(&digest),
        };
        Some(Finding::new(code, &self.path, detail, repair))
    }

    fn unlisted(&self, digest: &Digest) -> (Code, String, &'static str) {
        match self.known.get(digest) {
            Some((path, false)) => {
                (MOVED_FILE, format!("this file belongs at {path}"), "move it back, or run verify with --rebuild")
            }
            Some((path, true)) => (COPY, format!("the same content is kept as {path}"), "delete this copy"),
            None if self.path.contains(&digest.short()) => (
                UNLISTED,
                "the journal does not know this original; an import was killed before it was finished".to_owned(),
                "import the source again, or run verify with --rebuild to take it in",
            ),
            None => (
                FOREIGN,
                "the journal does not know this file, and its name is not that of its content".to_owned(),
                "import it, if it is a recording; then delete it",
            ),
        }
    }
}
