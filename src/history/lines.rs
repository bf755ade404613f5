//! What single lines say: as much as is always wanted is kept in memory, the rest stays on the disk.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::entry::{Alias, Batch, Cluster, Decision, Original, Verdict};
use super::journal::{self, Line, LineKind};
use super::layout::{io_error, wrong};
use crate::error::{Place, Result};
use crate::ids::{ActivityId, Digest};
use crate::json::{Compact, or_null, text_of};
use crate::model::{Glance, Summary, time};

/// A segment's file, to read single lines of it when somebody wants all of one.
pub(super) struct SegmentFile {
    pub file: File,
    pub path: PathBuf,
}

/// A line of the journal, left on the disk.
#[derive(Clone)]
pub(super) struct Text {
    segment: Arc<SegmentFile>,
    at: u64,
    length: usize,
}

impl Text {
    fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.length];
        read_at(&self.segment.file, &mut bytes, self.at)
            .map_err(|error| io_error("cannot read", &self.segment.path, error))?;
        Ok(bytes)
    }

    /// The line without number and seal.
    pub fn body(&self) -> Result<Vec<u8>> {
        let mut text = self.read()?;
        text.truncate(journal::body_length(&text));
        Ok(text)
    }

    /// True when the line's body is this one.
    pub fn has_body(&self, body: &[u8]) -> bool {
        self.body().is_ok_and(|text| text == body)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        self.parsed(&self.read()?)
    }

    fn parsed<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T> {
        serde_json::from_slice(line).map_err(|error| {
            let reason = format!("the line is not what its kind promises: {error}");
            wrong(&self.segment.path, reason).at(Place { byte: Some(self.at), ..Place::NOWHERE })
        })
    }
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = bytes.get_mut(read..).unwrap_or_default();
                at += read as u64;
            }
        }
    }
    Ok(())
}

/// An activity of the history: what lists and overlap searches need at hand, the whole summary on demand.
#[derive(Clone)]
pub struct Stored {
    /// Stable identity.
    pub id: ActivityId,
    /// Original that it was read from.
    pub digest: Digest,
    /// Index inside the original.
    pub index: u32,
    /// First instant, ms UTC; `None` for a day-only workout.
    pub start: Option<i64>,
    /// Last instant, ms UTC.
    pub end: Option<i64>,
    /// The day (`YYYY-MM-DD`) of a workout without clock time.
    pub day: Option<Box<str>>,
    /// Local offset from UTC, seconds.
    pub local_offset_s: Option<i32>,
    /// Canonical sport name.
    pub sport: Box<str>,
    /// Name.
    pub name: Option<Box<str>>,
    pub(super) generation: u32,
    pub(super) text: Text,
}

impl Stored {
    /// The whole summary, read from the journal line.
    ///
    /// # Errors
    /// `History` when the line lacks what this version wants of a summary.
    pub fn summary(&self) -> Result<Summary> {
        self.text.parse()
    }

    /// What a table shows of it; the rest of the line is passed over.
    ///
    /// # Errors
    /// `History` when the line lacks what this version wants.
    pub fn glance(&self) -> Result<Glance> {
        let line = self.text.read()?;
        let glance = std::str::from_utf8(&line).ok().and_then(Glance::of_line);
        glance.map_or_else(|| self.text.parsed(&line), Ok)
    }
}

/// A cluster of the history.
#[derive(Clone)]
pub struct StoredCluster {
    /// Whether it is one workout.
    pub verdict: Verdict,
    /// The activity that the others are merged into.
    pub base: ActivityId,
    /// All activities of the cluster, in order of identity.
    pub members: Vec<ActivityId>,
    pub(super) text: Text,
}

impl StoredCluster {
    /// All that was said about it, the merged activity included.
    ///
    /// # Errors
    /// `History` when the line lacks what this version wants of a cluster.
    pub fn cluster(&self) -> Result<Cluster> {
        self.text.parse()
    }
}

/// What a line says, before it is known whether its batch is whole.
pub(super) enum Said {
    Batch(Batch),
    Original(Box<Original>),
    Alias(Alias),
    Activity(Box<Stored>),
    Decision(Decision),
    Cluster(StoredCluster),
    Unknown(Text),
    /// Not what its kind promises; the number of the line.
    Odd(usize),
}

/// Reads a line as far as it is always at hand.
pub(super) fn said(line: &Line, bytes: &[u8], segment: &Arc<SegmentFile>) -> Said {
    let text = || Text { segment: Arc::clone(segment), at: line.at, length: line.length };
    // The text is looked at once as a whole: that is faster than string by string.
    let said = std::str::from_utf8(bytes).ok().and_then(|json| match line.kind {
        LineKind::Batch => serde_json::from_str(json).ok().map(Said::Batch),
        LineKind::Original => serde_json::from_str(json).ok().map(|original| Said::Original(Box::new(original))),
        LineKind::Alias => serde_json::from_str(json).ok().map(Said::Alias),
        LineKind::Decision => serde_json::from_str(json).ok().map(Said::Decision),
        LineKind::Activity => activity(json, text()).map(|stored| Said::Activity(Box::new(stored))),
        LineKind::Cluster => serde_json::from_str(json).ok().map(|head| {
            let ClusterHead { verdict, base, members } = head;
            Said::Cluster(StoredCluster { verdict, base, members, text: text() })
        }),
        LineKind::Unknown => Some(Said::Unknown(text())),
    });
    said.unwrap_or(Said::Odd(line.n))
}

/// The part of a cluster line that is always at hand.
#[derive(Deserialize)]
struct ClusterHead {
    verdict: Verdict,
    base: ActivityId,
    members: Vec<ActivityId>,
}

fn activity(json: &str, text: Text) -> Option<Stored> {
    let head = match ActivityHead::read(json) {
        Some(head) => head,
        None => serde_json::from_str(json).ok()?,
    };
    let instant = |text: Option<Cow<'_, str>>| match text {
        Some(text) => time::parse(text.as_bytes()).map(|instant| Some(instant.ms)),
        None => Some(None),
    };
    Some(Stored {
        id: head.id.parse().ok()?,
        digest: head.sha256.parse().ok()?,
        index: head.index,
        start: instant(head.start)?,
        end: instant(head.end)?,
        day: head.day.map(Into::into),
        local_offset_s: head.local_offset_s,
        sport: head.sport.into(),
        name: head.name.map(Into::into),
        generation: 0,
        text,
    })
}

/// The part of an activity line that is always at hand.
#[derive(Default, Deserialize)]
struct ActivityHead<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    sha256: Cow<'a, str>,
    index: u32,
    #[serde(borrow)]
    start: Option<Cow<'a, str>>,
    #[serde(borrow)]
    end: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    day: Option<Cow<'a, str>>,
    local_offset_s: Option<i32>,
    #[serde(borrow)]
    sport: Cow<'a, str>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

impl<'a> ActivityHead<'a> {
    /// One bit for each key but `day`, which is absent from most lines and stands before the last ones.
    const ALL: u8 = 0xff;

    /// A history holds 100,000 of these lines, and what is wanted of them stands in front: reading stops there. `None`
    /// when the line is not as this version writes it.
    fn read(line: &'a str) -> Option<ActivityHead<'a>> {
        let mut head = ActivityHead::default();
        let mut seen = 0;
        let mut json = Compact::new(line);
        json.enter()?;
        while seen != ActivityHead::ALL {
            let key = json.key()??;
            let value = json.value()?;
            seen |= match key {
                "id" => (head.id = text_of(value)?, 1).1,
                "sha256" => (head.sha256 = text_of(value)?, 2).1,
                "index" => (head.index = value.parse().ok()?, 4).1,
                "start" => (head.start = or_null(value, text_of)?, 8).1,
                "end" => (head.end = or_null(value, text_of)?, 16).1,
                "day" => (head.day = or_null(value, text_of)?, 0).1,
                "local_offset_s" => (head.local_offset_s = or_null(value, |value| value.parse().ok())?, 32).1,
                "sport" => (head.sport = text_of(value)?, 64).1,
                "name" => (head.name = or_null(value, text_of)?, 128).1,
                _ => 0,
            };
        }
        Some(head)
    }
}
