//! Sources → history: each new content is kept once, under every name it was met with.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::read::{JobRead, Plan, Progress, ReadOptions, Run, Visit, read_all};
use super::report::Outcome;
use crate::error::Result;
use crate::history::{Committed, Entry, History, NewOriginal, OriginalKind, Writer};
use crate::ids::Digest;
use crate::model::{Activity, Summary};
use crate::source::Input;

/// How to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Wait while another import holds the history.
    pub wait: bool,
}

/// What an import did.
pub struct Imported {
    /// One report a source, and the new activities a source in plan order.
    pub run: Run<Vec<Summary>>,
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
        let history = if root.join("paceport.json").exists() { Some(Box::new(History::open(root)?)) } else { None };
        Ok(Sink::Dry(history))
    }

    fn has(&self, digest: &Digest) -> bool {
        match self {
            Sink::Writer(writer) => writer.lock().unwrap_or_else(PoisonError::into_inner).has(digest),
            Sink::Dry(history) => history.as_ref().is_some_and(|history| history.has(digest)),
        }
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
    let sink = Sink::open(root, how)?;
    let options = ReadOptions { once: true, ..options.clone() };
    let plan = Plan::new(inputs, &options);
    let keep = |read: JobRead| keep(&sink, &read);
    let visit = Visit { known: &|digest| sink.has(digest), work: &keep };
    let mut run = read_all(&plan, &options, progress, &visit)?;
    // Only now it is certain under which name each content goes.
    sink.put(|writer| {
        run.results.iter().flatten().for_each(|summary| writer.put(Entry::Activity(Box::new(summary.clone()))));
        Ok(())
    })?;
    for source in run.sources.iter().filter(|source| source.outcome == Outcome::Duplicate) {
        let Some(digest) = source.sha256 else { continue };
        sink.put(|writer| {
            writer.put(Entry::Alias { digest, names: vec![source.source.clone()] });
            Ok(())
        })?;
    }
    run.report.clusters = run.report.activities;
    let committed = match sink {
        Sink::Writer(writer) => writer.into_inner().unwrap_or_else(PoisonError::into_inner).commit()?,
        Sink::Dry(_) => Committed::default(),
    };
    Ok(Imported { run, committed })
}

/// Keeps the bytes of what was read, and gives the summaries of its activities. Sources that no activity came from are
/// not kept.
fn keep(sink: &Sink, read: &JobRead) -> Result<Vec<Summary>> {
    let summaries: Vec<Summary> = read.activities.iter().map(Summary::of).collect();
    for file in &read.files {
        let uses = |activity: &&Activity| {
            let origin = &activity.origin;
            origin.digest == file.digest || origin.companions.iter().any(|companion| companion.digest == file.digest)
        };
        let mut of_file = read.activities.iter().zip(&summaries).filter(|(activity, _)| uses(activity));
        let (Some(format), Some((_, first))) = (file.format, of_file.next()) else { continue };
        let many = of_file.next().is_some();
        let original = NewOriginal {
            digest: file.digest,
            bytes: &file.bytes,
            names: std::slice::from_ref(&file.name),
            format: format.id,
            extension: format.extensions.first().copied().unwrap_or(format.id),
            text: !format.binary,
            start: first.start,
            sport: &first.sport,
            kind: if many { OriginalKind::Archive } else { OriginalKind::Activity },
        };
        if matches!(sink, Sink::Writer(_)) {
            // Compression is the slow part of keeping; it runs outside the lock.
            let packed = original.pack()?;
            sink.put(|writer| writer.put_packed(packed))?;
        }
    }
    Ok(summaries)
}
