//! Sources → files of another format, structure kept.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use serde::{Serialize, Serializer};

use super::job::JobRead;
use super::names::{self, Tree};
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::zones::Claims;
use crate::crosscheck;
use crate::error::{Error, Kind, Result};
use crate::fix::zone::{Claim, Correction};
use crate::fix::{self, Anonymize, Shift};
use crate::formats::fit::products;
use crate::formats::{Format, Writer};
use crate::history::History;
use crate::ids::Digest;
use crate::model::{Activity, Device, Summary};
use crate::report::Notes;
use crate::source::Input;

/// Where conversions go.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One file; further activities get `-2`, `-3` … before the extension.
    File(PathBuf),
    /// A folder that repeats the sources' own structure; files without their owner are named by local start instead.
    Folder(PathBuf),
    /// Kept in memory, for standard output.
    Memory,
}

/// How to write.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteOptions {
    /// Overwrite files with other content.
    pub force: bool,
    /// Re-read each written file with another parser.
    pub check: bool,
    /// Move all times first.
    pub shift: Option<Shift>,
    /// Take away who recorded it first.
    pub anonymize: Option<Anonymize>,
}

impl WriteOptions {
    /// The activity as it is to be written.
    fn changed<'a>(&self, activity: &'a Activity) -> Result<Cow<'a, Activity>> {
        if self.shift.is_none() && self.anonymize.is_none() {
            return Ok(Cow::Borrowed(activity));
        }
        let mut activity = activity.clone();
        if let Some(shift) = self.shift {
            fix::shift(&mut activity, shift)?;
        }
        if let Some(how) = self.anonymize {
            activity = fix::anonymize(activity, how, &product_by_number);
        }
        Ok(Cow::Owned(activity))
    }
}

/// What the numbers of a device say that it is.
fn product_by_number(device: &Device) -> Option<&'static str> {
    let maker = device.manufacturer_id.or_else(|| products::manufacturer_number(device.manufacturer.as_deref()?))?;
    products::product(maker, device.product_id?)
}

/// What became of one written activity: the `output` line of `convert --json` and `export --json`.
#[derive(Debug, Clone, Serialize)]
pub struct Written {
    /// Always `output`.
    pub kind: &'static str,
    /// The source it comes from.
    pub source: String,
    /// Index of the activity in its source.
    pub index: u32,
    /// The file written; `null` for standard output.
    #[serde(serialize_with = "as_text")]
    pub path: Option<PathBuf>,
    /// Its size.
    pub bytes: u64,
    /// False when the same bytes were already there, and when nothing could be written.
    pub changed: bool,
    /// Why it could not be written.
    pub error: Option<String>,
    /// True when that is no fault of the source: the disk took no file, or one with other content is there.
    #[serde(skip)]
    pub unwritten: bool,
    /// What the second parser found (with `--check`).
    pub findings: Vec<String>,
    /// What the format could not hold.
    pub notes: Notes,
    /// The content, for [`Target::Memory`].
    #[serde(skip)]
    pub content: Vec<u8>,
}

/// Not every name is Unicode, and JSON knows nothing else.
fn as_text<S: Serializer>(path: &Option<PathBuf>, to: S) -> std::result::Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(to)
}

impl Written {
    /// An activity that could not even be read.
    pub(super) fn failed(summary: &Summary, error: &Error) -> Written {
        let error = Some(error.to_string());
        Written { error, ..Written::of(&summary.source, summary.index, None) }
    }

    /// One that was there, and is not any more.
    pub(super) fn lost(source: &str, index: u32) -> Written {
        let error = Some("the source is not what it was when it was read first".to_owned());
        Written { error, ..Written::of(source, index, None) }
    }

    /// An activity of a history whose line cannot be understood.
    pub(super) fn unclear(source: &str, error: &Error) -> Written {
        Written { error: Some(error.to_string()), ..Written::of(source, 0, None) }
    }

    fn of(source: &str, index: u32, path: Option<PathBuf>) -> Written {
        Written {
            kind: "output",
            source: source.to_owned(),
            index,
            path,
            bytes: 0,
            changed: false,
            error: None,
            unwritten: false,
            findings: Vec::new(),
            notes: Notes::new(),
            content: Vec::new(),
        }
    }

    /// Why the output could not be written, or read again.
    fn fault(&mut self, error: Error) -> Error {
        self.unwritten = true;
        error
    }
}

/// Reads every source and writes each activity as `to`.
///
/// # Errors
/// When `to` cannot be written at all; what is wrong with one source or file is in its
/// report.
pub fn convert(
    inputs: &[Input],
    options: &ReadOptions,
    to: &'static Format,
    target: &Target,
    how: &WriteOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Run<Vec<Written>>> {
    writer_of(to)?;
    let mut options = ReadOptions { once: false, ..options.clone() };
    let plan = Plan::new(inputs, &options);
    if matches!(target, Target::File(_)) {
        // What goes to one file goes there in one order.
        options.workers.threads = 1;
    }
    let tree = Tree::plan(plan.jobs(), to);
    let by_start = |activity: &Activity| nameless(activity, to, target, how);
    let write_each = |read: JobRead| {
        let mut of_base: HashMap<Digest, usize> = HashMap::new();
        // Thousands of these wait, most of them with one activity.
        let mut written = Vec::with_capacity(read.activities.len());
        for activity in &read.activities {
            let number = of_base.entry(activity.origin.digest).or_insert(read.before);
            let label = read.base(activity).map_or(activity.origin.source.as_str(), |base| base.label.as_str());
            let path = by_start(activity).or_else(|| target.path(&tree, label, *number));
            written.push((Claim::of_activity(activity), write_one(activity, to, path, how)));
            *number += 1;
        }
        Ok((read.job, written))
    };
    let run = read_all(&plan, &options, progress, &Visit::each(&write_each))?;
    let job_of: Vec<u32> = run.results.iter().flat_map(|(job, all)| all.iter().map(|_| *job as u32)).collect();
    let each = run.results.into_iter().flat_map(|(_, all)| all);
    let (claims, mut written): (Vec<Option<Claim>>, Vec<Written>) = each.unzip();
    // What all others tell of a zone is known only now: those few activities are written again.
    let claims: Claims = claims.into_iter().collect();
    let corrections: HashMap<(usize, String, u32), (usize, Correction)> = claims
        .judged(&|i| Ok(written[i].source.clone()), &options)?
        .into_iter()
        .map(|(i, correction)| ((job_of[i] as usize, written[i].source.clone(), written[i].index), (i, correction)))
        .collect();
    if !corrections.is_empty() {
        let jobs: HashSet<usize> = corrections.keys().map(|(job, ..)| *job).collect();
        let write_corrected = |read: JobRead| {
            let mut again = Vec::new();
            for mut activity in read.activities {
                let key = (read.job, std::mem::take(&mut activity.origin.source), activity.origin.index);
                let found = corrections.get(&key);
                activity.origin.source = key.1;
                let Some((i, correction)) = found else { continue };
                correction.apply(&mut activity);
                let before = &written[*i];
                // Fewer sources are read now, so that a number of this run would be another one.
                let path = by_start(&activity).or_else(|| before.path.clone());
                again.push((*i, write_again(&activity, to, path, before, how)));
            }
            Ok(again)
        };
        let only = |job: usize| jobs.contains(&job);
        let visit = Visit { only: &only, ..Visit::each(&write_corrected) };
        let again = read_all(&plan, &options, &|_| (), &visit)?;
        for (i, new) in again.results.into_iter().flatten() {
            written[i] = new;
        }
    }
    Ok(Run { sources: run.sources, results: vec![written], report: run.report })
}

/// The file for an activity that is to be anonymous, when its name is not the user's choice: what a source is called may
/// say who recorded it, and where.
pub(super) fn nameless(activity: &Activity, to: &Format, target: &Target, how: &WriteOptions) -> Option<PathBuf> {
    let extension = to.extensions.first().copied().unwrap_or(to.id);
    match target {
        Target::Folder(folder) if how.anonymize.is_some() => Some(folder.join(names::by_start(activity, extension))),
        _ => None,
    }
}

impl Target {
    /// Where activity number `index` of a source goes; `None` for memory.
    pub(super) fn path(&self, tree: &Tree, label: &str, index: usize) -> Option<PathBuf> {
        match self {
            Target::Memory => None,
            Target::File(path) => Some(numbered(path, index)),
            Target::Folder(folder) => Some(folder.join(tree.path(label, index))),
        }
    }
}

/// `ride.gpx`, `ride-2.gpx`, `ride-3.gpx` …
fn numbered(path: &Path, index: usize) -> PathBuf {
    if index == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", index + 1))
}

/// The writer of a format, or why there is none.
pub(super) fn writer_of(to: &Format) -> Result<Writer> {
    to.write.ok_or_else(|| Error::new(Kind::Usage, format!("{} is only read, not written", to.name)))
}

/// Writes one activity to a file (or memory) and checks it when asked to.
pub(super) fn write_one(activity: &Activity, to: &Format, path: Option<PathBuf>, how: &WriteOptions) -> Written {
    let mut written = Written::of(&activity.origin.source, activity.origin.index, path);
    // What a merged workout was made of is said beside what the format cannot hold.
    written.notes = activity.notes.clone();
    written.notes.retain(|note| note.code.starts_with("merge.") || note.code.starts_with("join."));
    let mut write = || {
        let activity = how.changed(activity)?;
        try_write(&activity, writer_of(to)?, how, &mut written)?;
        if how.check { second_opinion(&activity, to, &mut written) } else { Ok(Vec::new()) }
    };
    match write() {
        Ok(findings) => written.findings = findings,
        Err(error) => written.error = Some(error.to_string()),
    }
    written
}

/// Writes an activity once more that this run wrote as `before`, with what is known of it now. A file that the run has
/// just made is its own to replace, and to take away when the new one has another name.
fn write_again(
    activity: &Activity,
    to: &Format,
    path: Option<PathBuf>,
    before: &Written,
    how: &WriteOptions,
) -> Written {
    let own = before.error.is_none() && before.changed;
    let moved = path != before.path;
    let how = WriteOptions { force: how.force || (own && !moved), ..how.clone() };
    let mut written = write_one(activity, to, path, &how);
    if written.error.is_some() {
        return written;
    }
    if !moved {
        written.changed |= own;
    } else if let Some(old) = before.path.as_ref().filter(|_| own)
        && let Err(error) = fs::remove_file(old)
        && error.kind() != io::ErrorKind::NotFound
    {
        let error = Error::io(format_args!("cannot remove {}", old.display()), error);
        written.error = Some(written.fault(error).to_string());
    }
    written
}

/// Reads again what was written, from where it was written to.
fn second_opinion(activity: &Activity, to: &Format, written: &mut Written) -> Result<Vec<String>> {
    let Some(path) = &written.path else { return Ok(crosscheck::check(to.id, &written.content, activity)) };
    let failed = |e| Error::io(format_args!("cannot read {} again", path.display()), e);
    let bytes = fs::read(path).map_err(failed).map_err(|error| written.fault(error))?;
    Ok(crosscheck::check(to.id, &bytes, activity))
}

fn try_write(activity: &Activity, writer: Writer, how: &WriteOptions, out: &mut Written) -> Result<()> {
    let Some(path) = out.path.clone() else {
        writer(activity, &mut out.content, &mut out.notes)?;
        out.bytes = out.content.len() as u64;
        out.changed = true;
        return Ok(());
    };
    let mut notes = std::mem::take(&mut out.notes);
    let put = put_file(out, &path, how.force, &mut |file| writer(activity, file, &mut notes));
    out.notes = notes;
    put
}

/// Makes a file of what `fill` writes: whole or not at all, and never over other content unless forced. Its size goes to
/// `out`, and whether the same bytes were already there.
fn put_file(
    out: &mut Written,
    path: &Path,
    force: bool,
    fill: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let shown = path.display();
    if let Some(folder) = path.parent() {
        let failed = |e| Error::io(format_args!("cannot make the folder of {shown}"), e);
        fs::create_dir_all(folder).map_err(failed).map_err(|error| out.fault(error))?;
    }
    let _alone = Alone::with(path);
    let temporary = temporary_beside(path);
    let failed = |e| Error::io(format_args!("cannot write {shown}"), e);
    let mut of_source = false;
    let result = (|| {
        let file = BufWriter::with_capacity(1 << 16, File::create(&temporary).map_err(failed)?);
        let mut file = Taking { file, refused: None };
        let filled = fill(&mut file);
        // What takes no more matters more than what `fill` was doing then.
        if let Some(refused) = file.refused.take() {
            return Err(failed(refused));
        }
        of_source = filled.is_err();
        filled?;
        file.file.flush().map_err(failed)?;
        drop(file);
        let bytes = fs::metadata(&temporary).map_err(failed)?.len();
        let changed = !same_content(&temporary, path).map_err(failed)?;
        if !changed {
            fs::remove_file(&temporary).map_err(failed)?;
            return Ok((bytes, changed));
        }
        if path.exists() && !force {
            return Err(Error::new(Kind::Usage, format!("{shown} exists with other content (--force overwrites it)")));
        }
        fs::rename(&temporary, path).map_err(failed)?;
        Ok((bytes, changed))
    })();
    if result.is_err() {
        let _ = fs::remove_file(&temporary); // the error that led here matters more
    }
    out.unwritten |= result.is_err() && !of_source;
    (out.bytes, out.changed) = result?;
    Ok(())
}

/// A file that remembers why it took no more, so that a full disk is not taken for a source that cannot be read.
struct Taking {
    file: BufWriter<File>,
    refused: Option<io::Error>,
}

impl Write for Taking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        match written {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.refused = Some(error);
                Err(kind.into())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes an original of a history as it came.
pub(super) fn write_original(history: &History, digest: &Digest, path: PathBuf, how: &WriteOptions) -> Written {
    let original = history.original(digest).ok().flatten();
    let source = original.as_ref().and_then(|original| original.names.first()).map_or("", String::as_str);
    let mut written = Written::of(source, 0, Some(path.clone()));
    let put = put_file(&mut written, &path, how.force, &mut |file| history.copy_original(digest, file).map(|_| ()));
    written.error = put.err().map(|error| error.to_string());
    written
}

/// Files that are being written. Copies of one recording have one name when names are made of what is inside.
static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static DONE: Condvar = Condvar::new();

/// The only one that writes a file; others wait, and find it there.
struct Alone<'a>(&'a Path);

impl Alone<'_> {
    fn with(path: &Path) -> Alone<'_> {
        let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
        while !written.insert(path.to_owned()) {
            written = DONE.wait(written).unwrap_or_else(PoisonError::into_inner);
        }
        Alone(path)
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).remove(self.0);
        DONE.notify_all();
    }
}

/// A name in the same folder that no other output of the run has.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

fn same_content(a: &Path, b: &Path) -> io::Result<bool> {
    let mut other = match File::open(b) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    let mut one = File::open(a)?;
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut x, mut y) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let n = one.read(&mut x)?;
        if n == 0 {
            return Ok(true);
        }
        other.read_exact(&mut y[..n])?;
        if x[..n] != y[..n] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_activities_are_numbered() {
        assert_eq!(numbered(Path::new("a/ride.gpx"), 0), Path::new("a/ride.gpx"));
        assert_eq!(numbered(Path::new("a/ride.gpx"), 1), Path::new("a/ride-2.gpx"));
    }
}
