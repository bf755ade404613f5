//! Sources too large for memory: hashed in one pass, read in a second one, kept in a third, an activity at a time.

use std::io::{self, Write};

use super::job::{FileRead, JobRead, believe, drafts_from};
use super::plan::Plan;
use super::read::ReadOptions;
use super::report::{Outcome, SourceReport};
use super::tables::Tables;
use crate::error::{Error, Kind, Place, Result};
use crate::formats::{self, Format, Reader, SNIFF_BYTES};
use crate::ids::Digest;
use crate::model::{Activity, Draft};
use crate::report::Code;
use crate::source::{self, Entry, Finished};

/// Sources from this size on are streamed when their format can be.
const GIANT: u64 = 64 << 20;
/// Samples of the activities that are handed on together.
const SAMPLES: usize = 200_000;

const ENDED: Code = Code::damage("source.ended");

/// Where the content of a giant source is read from, as often as it is needed.
#[derive(Debug, Clone)]
pub struct Giant {
    entry: Entry,
    options: ReadOptions,
}

impl Giant {
    /// Writes the whole content.
    ///
    /// # Errors
    /// When it cannot be read any more, or not be written.
    pub fn copy(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut content = source::open(&self.entry, &self.options.scan()).map_err(io::Error::other)?;
        io::copy(&mut content, out)?;
        content.finish().map(drop).map_err(io::Error::other)
    }
}

/// From which size on a source of this run is a giant.
pub(super) fn threshold(options: &ReadOptions) -> u64 {
    GIANT.min(options.workers.memory / 8).min(options.limits.entry_bytes)
}

/// What a giant is, before its activities are read.
pub(super) struct Head {
    giant: Giant,
    format: &'static Format,
    finished: Finished,
}

impl Head {
    /// Hashes a source whose format can be streamed; `None` for any other.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(entry: &Entry, options: &ReadOptions) -> Result<Option<Head>> {
        let mut content = source::open(entry, &options.scan())?;
        let format = formats::sniff(content.head(SNIFF_BYTES));
        let Some(format) = format.filter(|format| matches!(format.read, Some(Reader::Stream(_)))) else {
            return Ok(None);
        };
        let finished = content.finish()?;
        Ok(Some(Head { giant: Giant { entry: entry.clone(), options: options.clone() }, format, finished }))
    }

    /// True for a metadata table.
    pub fn is_table(&self) -> bool {
        self.format.table
    }

    fn file(&self, plan: &Plan, file: usize) -> FileRead {
        FileRead {
            name: self.giant.entry.name.clone(),
            label: plan.label(file).to_owned(),
            bytes: Vec::new(),
            gzip: None,
            length: self.finished.len,
            giant: Some(self.giant.clone()),
            digest: self.finished.digest,
            format: Some(self.format),
            outcome: Outcome::Read,
            notes: self.finished.notes.clone(),
            activities: 0,
            tells: false,
            drafts: Vec::new(),
        }
    }

    /// Digest of the content.
    pub fn digest(&self) -> Digest {
        self.finished.digest
    }

    /// Length of the content.
    pub fn length(&self) -> u64 {
        self.finished.len
    }

    /// Reads the rows of a table.
    ///
    /// # Errors
    /// When nothing could be read.
    pub fn read_table(&self, plan: &Plan, file: usize) -> Result<FileRead> {
        let mut read = self.file(plan, file);
        let drafts = &mut read.drafts;
        let options = &self.giant.options;
        let mut content = source::open(&self.giant.entry, &options.scan())?;
        let mut keep = |draft, _| {
            drafts.push(draft);
            Ok(())
        };
        let (_, notes) = drafts_from(self.format, &mut content, &options.limits, &mut keep)
            .map_err(|error| error.in_source(&self.giant.entry.name))?;
        read.notes.extend(notes);
        Ok(read)
    }

    /// Reads the activities and hands them to `work` as they come. Gives the report of the source and the starts of its
    /// activities.
    ///
    /// # Errors
    /// What `work` says.
    pub fn read(
        &self,
        plan: &Plan,
        file: usize,
        tables: Option<&Tables<'_>>,
        work: &mut dyn FnMut(JobRead) -> Result<()>,
    ) -> Result<(SourceReport, Vec<i64>)> {
        let mut read = self.file(plan, file);
        let options = &self.giant.options;
        let mut batch = Batch { of: self.file(plan, file), activities: Vec::new(), before: 0, samples: 0, fatal: None };
        let (mut starts, mut damaged) = (Vec::new(), false);
        let mut keep = |mut draft: Draft, index| {
            draft.source = Some(read.name.to_string());
            damaged |= !draft.complete || draft.notes.has_damage();
            let told = tables.map(|tables| tables.tell(&mut draft, &read.name, false)).unwrap_or_default();
            let activity = believe(draft, &read, index, told, &options.settle);
            starts.extend(activity.span().map(|(start, _)| start));
            batch.push(activity, work)
        };
        let mut content = source::open(&self.giant.entry, &options.scan())?;
        let result = drafts_from(self.format, &mut content, &options.limits, &mut keep);
        batch.hand_on(work)?;
        let Batch { before, fatal, .. } = batch;
        if let Some(fatal) = fatal {
            return Err(fatal);
        }
        read.activities = before as u32;
        match result {
            Ok((skipped, notes)) => {
                read.notes.extend(notes);
                if before == 0 {
                    read.skip(skipped.as_deref().unwrap_or("no activity inside"));
                }
            }
            Err(error) if before == 0 => {
                let failed = SourceReport::failed(read.name.clone(), &error.in_source(&read.name));
                return Ok((SourceReport { sha256: Some(read.digest), ..failed }, starts));
            }
            Err(error) => read.notes.add(ENDED, Place::NOWHERE, || error.to_string()),
        }
        if (read.notes.has_damage() || damaged) && read.outcome == Outcome::Read {
            read.outcome = Outcome::Partial;
        }
        Ok((read.report(), starts))
    }
}

/// Activities of a giant that are handed on together.
struct Batch {
    of: FileRead,
    activities: Vec<Activity>,
    before: usize,
    samples: usize,
    /// What ended the run, kept apart from what the reader says.
    fatal: Option<Error>,
}

impl Batch {
    fn push(&mut self, activity: Activity, work: &mut dyn FnMut(JobRead) -> Result<()>) -> Result<()> {
        self.samples += activity.track.times().len() + 1;
        self.activities.push(activity);
        if self.samples < SAMPLES {
            return Ok(());
        }
        self.hand_on(work).map_err(|error| {
            let told = Error::new(error.kind(), "the run ends");
            self.fatal = Some(error);
            told
        })
    }

    fn hand_on(&mut self, work: &mut dyn FnMut(JobRead) -> Result<()>) -> Result<()> {
        let activities = std::mem::take(&mut self.activities);
        let before = self.before;
        (self.before, self.samples) = (before + activities.len(), 0);
        if activities.is_empty() {
            Ok(())
        } else {
            work(JobRead { job: 0, files: vec![self.of.clone()], activities, before })
        }
    }
}

/// True for what is too large to be loaded; it may still be read as a stream.
pub(super) fn too_large(loaded: &Result<source::Loaded>) -> bool {
    loaded.as_ref().is_err_and(|error| error.kind() == Kind::Limit)
}
