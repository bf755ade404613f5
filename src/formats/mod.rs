//! Bytes ⇄ drafts. A format is one row of [`FORMATS`]: adding one touches its own folder, that row and its fixtures.
//!
//! For implementers of a reader: take everything through [`Intake`]; emit each activity as soon as it is complete; never
//! index unchecked, never reserve memory from a number in the file, never recurse on input depth, never panic. A damaged
//! file yields what can be read, with a note of severity damage and `complete = false`; an error is only returned when
//! nothing could be read. A file that holds no activity (a course, a workout plan, settings) calls [`Intake::skip`].

mod cells;
pub mod csv;
mod dates;
pub mod fit;
pub mod garmin_json;
pub mod gpx;
pub mod huawei;
pub mod json;
pub mod losses;
pub mod nike_json;
mod own;
pub mod polar_flow;
pub mod polar_hrm;
pub mod polar_ppt;
mod spans;
pub mod strava_csv;
pub mod tcx;
mod text;
mod xml;

use std::io::{BufRead, Write};

use crate::error::{Error, Kind, Result};
use crate::limits::Limits;
use crate::model::{Activity, Draft};
use crate::report::Notes;

/// One row of the format table.
pub struct Format {
    /// Stable id, as `--to` and JSON use it.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Usual file name extensions, the preferred one first. They never decide what a file is.
    pub extensions: &'static [&'static str],
    /// True for a binary format; the history keeps the others gzipped.
    pub binary: bool,
    /// True for a table of metadata: each row is a draft without samples, and tells of a recording that may lie beside it
    /// ([`Draft::tells_of`], or the same start). In an export archive its rows describe the recordings; a row without a
    /// recording is an activity of its own.
    pub table: bool,
    /// True when the first bytes (up to [`SNIFF_BYTES`], already gunzipped) are of this format.
    pub sniff: fn(&[u8]) -> bool,
    /// Reads drafts; `None` for a format that is only written.
    pub read: Option<Reader>,
    /// Writes one activity; `None` for a format that is only read.
    pub write: Option<Writer>,
    /// What to expect, in a few words, for the table of formats.
    pub status: &'static str,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// How a format is read.
#[derive(Clone, Copy)]
pub enum Reader {
    /// From the whole content in memory.
    Whole(fn(&[u8], &mut Intake<'_>) -> Result<()>),
    /// From a stream, for giant files.
    Stream(fn(&mut dyn BufRead, &mut Intake<'_>) -> Result<()>),
}

/// Writes one activity. What the format cannot hold becomes one `loss.*` note a kind, with a count.
pub type Writer = fn(&Activity, &mut dyn Write, &mut Notes) -> Result<()>;

/// How many bytes a sniffer may want.
pub const SNIFF_BYTES: usize = 4096;

/// Every format, in order of sniffing.
pub static FORMATS: &[Format] = &[
    fit::FORMAT,
    gpx::FORMAT,
    tcx::FORMAT,
    polar_hrm::FORMAT,
    polar_hrm::DIARY,
    polar_ppt::FORMAT,
    nike_json::FORMAT,
    strava_csv::FORMAT,
    huawei::FORMAT,
    huawei::HITRACK,
    garmin_json::FORMAT,
    garmin_json::gear::FORMAT,
    polar_flow::FORMAT,
    polar_flow::ACCESSLINK,
    polar_flow::CSV,
    csv::FORMAT,
    json::FORMAT,
];

/// The format with this id.
pub fn by_id(id: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.id == id)
}

/// The format of some content, decided by the content alone.
pub fn sniff(head: &[u8]) -> Option<&'static Format> {
    let head = &head[..head.len().min(SNIFF_BYTES)];
    FORMATS.iter().find(|format| format.read.is_some() && (format.sniff)(head))
}

/// All that a reader gets and gives: limits in; drafts, notes and "this is no activity" out.
pub struct Intake<'a> {
    limits: &'a Limits,
    emit: &'a mut dyn FnMut(Draft) -> Result<()>,
    notes: Notes,
    emitted: u32,
    skipped: Option<String>,
}

impl<'a> Intake<'a> {
    /// An intake that hands each draft to `emit`.
    pub fn new(limits: &'a Limits, emit: &'a mut dyn FnMut(Draft) -> Result<()>) -> Intake<'a> {
        Intake { limits, emit, notes: Notes::new(), emitted: 0, skipped: None }
    }

    /// The limits to keep.
    pub fn limits(&self) -> &Limits {
        self.limits
    }

    /// Hands one activity over. An error means that the consumer wants no more; pass it on with `?`.
    pub fn emit(&mut self, draft: Draft) -> Result<()> {
        self.emitted += 1;
        (self.emit)(draft)
    }

    /// Notes on the source as a whole.
    pub fn notes(&mut self) -> &mut Notes {
        &mut self.notes
    }

    /// Says that the source (or a part of it) holds no activity but `what`, for instance `course`.
    pub fn skip(&mut self, what: &str) {
        self.skipped.get_or_insert_with(|| what.to_owned());
    }

    /// How many drafts were handed over.
    pub fn emitted(&self) -> u32 {
        self.emitted
    }

    /// What the source holds instead of an activity, and the notes.
    pub fn finish(self) -> (Option<String>, Notes) {
        (self.skipped, self.notes)
    }
}

/// What reading one source gave.
#[derive(Debug, Default)]
pub struct Reading {
    /// The activities, in source order.
    pub drafts: Vec<Draft>,
    /// Notes on the source as a whole.
    pub notes: Notes,
    /// What it holds instead of an activity, for instance `course`.
    pub skipped: Option<String>,
}

/// Reads content that is in memory and keeps all drafts: for tests, benches and small callers.
///
/// # Errors
/// `Unrecognised` when no format knows the bytes, else what the reader says when nothing could be read.
pub fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<(&'static Format, Reading)> {
    let format = sniff(bytes).ok_or_else(|| Error::new(Kind::Unrecognised, "no known format"))?;
    let reader = format.read.ok_or_else(|| Error::new(Kind::Internal, "sniffed a format without a reader"))?;
    Ok((format, read_with(reader, bytes, limits)?))
}

/// Reads content with one reader and keeps all drafts.
///
/// # Errors
/// What the reader says when nothing could be read.
pub fn read_with(reader: Reader, mut bytes: &[u8], limits: &Limits) -> Result<Reading> {
    let mut drafts = Vec::new();
    let mut keep = |draft| {
        drafts.push(draft);
        Ok(())
    };
    let mut intake = Intake::new(limits, &mut keep);
    match reader {
        Reader::Whole(read) => read(bytes, &mut intake)?,
        Reader::Stream(read) => read(&mut bytes, &mut intake)?,
    }
    let (skipped, notes) = intake.finish();
    Ok(Reading { drafts, notes, skipped })
}
