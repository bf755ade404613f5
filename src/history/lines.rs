//! What single lines say: as much as is always wanted is kept in memory, the rest stays on the disk.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::entry::{Alias, Batch, Cluster, ClusterLine, Decision, OriginalHead, Verdict};
use super::journal::{self, Line, LineKind};
use super::layout::{io_error, wrong};
use super::waiting::Piece;
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
    length: u32,
    /// Number of the batch that it is part of.
    pub batch: u32,
}

impl Text {
    /// `None` for a line that is longer than any.
    fn of(line: &Line, segment: &Arc<SegmentFile>) -> Option<Text> {
        Some(Text { segment: Arc::clone(segment), at: line.at, length: u32::try_from(line.length).ok()?, batch: 0 })
    }

    fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.length as usize];
        read_at(&self.segment.file, &mut bytes, self.at)
            .map_err(|error| io_error("cannot read", &self.segment.path, error))?;
        Ok(bytes)
    }

    /// True for a line that is dear to read again and again.
    pub fn is_long(&self) -> bool {
        const LONG: u32 = 4 << 10;
        self.length > LONG
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

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
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

/// An activity of the history: what lists and overlap searches need at hand, the whole summary on demand. A history holds
/// a hundred thousand of them.
#[derive(Clone)]
pub struct Stored {
    /// Stable identity.
    pub id: ActivityId,
    /// The second half of the digest of its original; the first one is in the identity.
    digest_end: [u8; 16],
    index: u32,
    /// [`NO_OFFSET`] for none.
    offset_s: i32,
    /// [`NO_INSTANT`] for none, as the end.
    start: i64,
    end: i64,
    what: Arc<What>,
    pub(super) text: Text,
}

/// What many activities have in common.
struct What {
    sport: Box<str>,
    /// Few have one.
    day: Option<Box<str>>,
}

/// Stands for an instant that is not there; no file can state it.
const NO_INSTANT: i64 = i64::MIN;
/// Stands for an offset that is not there.
const NO_OFFSET: i32 = i32::MIN;

impl Stored {
    /// The digest of the original that it was read from.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        let (start, end) = digest.0.split_at_mut(16);
        start.copy_from_slice(&self.id.digest_start(self.index));
        end.copy_from_slice(&self.digest_end);
        digest
    }

    /// First instant, ms UTC; `None` for a day-only workout.
    pub fn start(&self) -> Option<i64> {
        Some(self.start).filter(|start| *start != NO_INSTANT)
    }

    /// Last instant, ms UTC.
    pub fn end(&self) -> Option<i64> {
        Some(self.end).filter(|end| *end != NO_INSTANT)
    }

    /// The day (`YYYY-MM-DD`) of a workout without clock time.
    pub fn day(&self) -> Option<&str> {
        self.what.day.as_deref()
    }

    /// Local offset from UTC, seconds.
    pub fn local_offset_s(&self) -> Option<i32> {
        Some(self.offset_s).filter(|offset| *offset != NO_OFFSET)
    }

    /// Canonical sport name.
    pub fn sport(&self) -> &str {
        &self.what.sport
    }
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

    /// Its line, to be said again.
    pub(super) fn line(&self) -> Result<ClusterLine> {
        let (members, body) = (self.members.as_slice().into(), Piece::Here(self.text.body()?.into()));
        Ok(ClusterLine { verdict: self.verdict, base: self.base, members, body })
    }
}

/// An original of the history: what tells it from others, the whole line on demand.
#[derive(Clone)]
pub(super) struct Kept {
    pub digest: Digest,
    /// The first bytes of the digest of the gzip stream that the content came as; 0 when it came as none.
    pub stream: u64,
    pub text: Text,
}

/// What a line says, before it is known whether its batch is whole. Those of a whole journal wait for its end, so that each
/// takes little.
pub(super) enum Said {
    Batch(Box<Batch>),
    Original(Box<Kept>),
    /// The same for one that was read again.
    Reread(Box<Kept>),
    /// More names of an original.
    Alias(Box<(Digest, Text)>),
    Activity(Box<Stored>),
    Decision(Box<Decision>),
    Cluster(Box<StoredCluster>),
    Unknown(Box<Text>),
    /// Not what its kind promises; the number of the line.
    Odd(usize),
}

/// Sports that many lines share, each kept once.
#[derive(Default)]
pub(super) struct Sports(HashMap<Box<str>, Arc<What>>);

impl Sports {
    fn of(&mut self, sport: &str, day: Option<&str>) -> Arc<What> {
        let new = || Arc::new(What { sport: sport.into(), day: day.map(Into::into) });
        if day.is_some() {
            return new();
        }
        let known = self.0.get(sport).cloned();
        known.unwrap_or_else(|| Arc::clone(self.0.entry(sport.into()).or_insert_with(new)))
    }
}

/// Reads a line as far as it is always at hand.
pub(super) fn said(line: &Line, bytes: &[u8], segment: &Arc<SegmentFile>, sports: &mut Sports) -> Said {
    // The text is looked at once as a whole: that is faster than string by string.
    let json = std::str::from_utf8(bytes).ok();
    json.and_then(|json| said_in(line.kind, json, Text::of(line, segment)?, sports)).unwrap_or(Said::Odd(line.n))
}

/// What the line of an original says of which that is known without reading it.
pub(super) fn said_of(line: &Line, digest: Digest, stream: u64, segment: &Arc<SegmentFile>) -> Said {
    let kept = Text::of(line, segment).map(|text| Kept { digest, stream, text });
    kept.map_or(Said::Odd(line.n), |kept| Said::Original(Box::new(kept)))
}

fn said_in(kind: LineKind, json: &str, text: Text, sports: &mut Sports) -> Option<Said> {
    Some(match kind {
        LineKind::Batch => Said::Batch(Box::new(serde_json::from_str(json).ok()?)),
        LineKind::Original => {
            let head: OriginalHead<'_> = serde_json::from_str(json).ok()?;
            let kept = Box::new(Kept { digest: head.digest, stream: head.gzip_sha256.map_or(0, stream_of), text });
            if head.reread { Said::Reread(kept) } else { Said::Original(kept) }
        }
        LineKind::Alias => Said::Alias(Box::new((serde_json::from_str::<Alias>(json).ok()?.digest, text))),
        LineKind::Decision => Said::Decision(Box::new(serde_json::from_str(json).ok()?)),
        LineKind::Activity => Said::Activity(Box::new(activity(json, text, sports)?)),
        LineKind::Cluster => {
            let ClusterHead { verdict, base, members } = serde_json::from_str(json).ok()?;
            let members = members.into_vec();
            Said::Cluster(Box::new(StoredCluster { verdict, base, members, text }))
        }
        LineKind::Unknown => Said::Unknown(Box::new(text)),
    })
}

/// What of a stream's digest is at hand.
pub(super) fn stream_of(digest: Digest) -> u64 {
    digest.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// The part of a cluster line that is always at hand.
#[derive(Deserialize)]
struct ClusterHead {
    verdict: Verdict,
    base: ActivityId,
    /// Without room for more: a history may hold tens of thousands.
    members: Box<[ActivityId]>,
}

fn activity(json: &str, text: Text, sports: &mut Sports) -> Option<Stored> {
    let head = match ActivityHead::read(json) {
        Some(head) => head,
        None => serde_json::from_str(json).ok()?,
    };
    let instant = |text: Option<Cow<'_, str>>| match text {
        Some(text) => time::parse(text.as_bytes()).map(|instant| instant.ms),
        None => Some(NO_INSTANT),
    };
    let (id, digest): (ActivityId, Digest) = (head.id.parse().ok()?, head.sha256.parse().ok()?);
    (id == ActivityId::of(&digest, head.index)).then_some(())?;
    Some(Stored {
        id,
        digest_end: *digest.0.last_chunk()?,
        index: head.index,
        start: instant(head.start)?,
        end: instant(head.end)?,
        offset_s: head.local_offset_s.unwrap_or(NO_OFFSET),
        what: sports.of(&head.sport, head.day.as_deref()),
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
}

impl<'a> ActivityHead<'a> {
    /// One bit for each key but `day`, which is absent from most lines and stands before the last ones.
    const ALL: u8 = 0x7f;

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
                _ => 0,
            };
        }
        Some(head)
    }
}
