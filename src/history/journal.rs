//! The journal's lines: how each is sealed, checked, and how a segment is read.
//!
//! A line is `{"kind":"…",…,"n":17,"crc":"1a2b3c4d"}`: `n` is the number of the line in its file, `crc` the CRC-32 of
//! everything before `,"crc"`. So an edited, a missing and a swapped line are told apart. Lines come in batches, one an
//! import, each led by a `batch` line that says how many follow: a batch that is not whole is as if it were never
//! written, and the next writer cuts it off.

use std::ops::Range;

use serde::Serialize;
use serde::de::IgnoredAny;

use super::entry::Batch;
use crate::error::{Error, Kind, Result};

/// Length of `,"crc":"1a2b3c4d"}`.
const SEAL: usize = 18;

/// A segment is not appended to when it has grown to this size.
pub(super) const SEGMENT_BYTES: u64 = 64 << 20;

/// Kinds of lines in their canonical order inside a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineKind {
    Batch,
    Original,
    Alias,
    Activity,
    Decision,
    Cluster,
    Unknown,
}

impl LineKind {
    const ALL: &[(LineKind, &str)] = &[
        (LineKind::Batch, "batch"),
        (LineKind::Original, "original"),
        (LineKind::Alias, "alias"),
        (LineKind::Activity, "activity"),
        (LineKind::Decision, "decision"),
        (LineKind::Cluster, "cluster"),
    ];

    fn of(word: &[u8]) -> LineKind {
        LineKind::ALL.iter().find(|(_, name)| name.as_bytes() == word).map_or(LineKind::Unknown, |&(kind, _)| kind)
    }

    fn name(self) -> &'static str {
        LineKind::ALL.iter().find(|(kind, _)| *kind == self).map_or("unknown", |&(_, name)| name)
    }
}

/// A value as the body of a line: its JSON object with `kind` first, without the closing brace.
pub(super) fn body(kind: LineKind, value: &impl Serialize) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec(value)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot write a journal line: {error}")))?;
    json.pop();
    let own = format!("{{\"kind\":\"{}\"", kind.name()).into_bytes();
    if json.starts_with(&own) {
        return Ok(json);
    }
    let mut out = own;
    out.push(b',');
    out.extend_from_slice(json.get(1..).unwrap_or_default());
    Ok(out)
}

/// Appends a body as line number `n`, sealed.
pub(super) fn seal(out: &mut Vec<u8>, body: &[u8], n: usize) {
    let from = out.len();
    out.extend_from_slice(body);
    out.extend_from_slice(format!(",\"n\":{n}").as_bytes());
    let crc = crc(&out[from..]);
    out.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Why a line cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not sealed, or not as its seal says: edited or damaged.
    Edited,
    /// Sealed as the line of this number: lines before it are missing or moved.
    Moved(usize),
    /// Whole, but not what its kind promises.
    Odd,
}

/// The kind of a line (without its line end), when its seal fits.
pub(super) fn check(line: &[u8], n: usize) -> Result<LineKind, Fault> {
    let (text, seal) = line.split_at(line.len().saturating_sub(SEAL));
    let stated = seal.strip_prefix(b",\"crc\":\"").and_then(|s| s.strip_suffix(b"\"}")).ok_or(Fault::Edited)?;
    let stated = std::str::from_utf8(stated).ok().and_then(|s| u32::from_str_radix(s, 16).ok()).ok_or(Fault::Edited)?;
    if crc(text) != stated {
        return Err(Fault::Edited);
    }
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (head, digits) = text.split_at(text.len() - digits);
    let number = std::str::from_utf8(digits).ok().and_then(|s| s.parse::<usize>().ok());
    if !head.ends_with(b",\"n\":") {
        return Err(Fault::Odd);
    }
    match number {
        Some(number) if number == n => {}
        Some(number) => return Err(Fault::Moved(number)),
        None => return Err(Fault::Odd),
    }
    let kind = text.strip_prefix(b"{\"kind\":\"").ok_or(Fault::Odd)?;
    let end = kind.iter().position(|&b| b == b'"').ok_or(Fault::Odd)?;
    Ok(LineKind::of(kind.get(..end).unwrap_or_default()))
}

/// One line that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Number in its file, from 1.
    pub n: usize,
    /// Bytes in the file, without the line end.
    pub range: Range<usize>,
    /// What it is.
    pub kind: LineKind,
}

/// What a segment holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Segment {
    /// Committed lines in order.
    pub lines: Vec<Line>,
    /// Lines that cannot be believed: number and reason.
    pub faults: Vec<(usize, Fault)>,
    /// Batches that state more lines than there are: number of the head, lines missing.
    pub short: Vec<(usize, usize)>,
    /// Bytes to keep; what follows is a torn batch that was never committed.
    pub keep: usize,
    /// Number of lines in what is kept.
    pub count: usize,
    /// True when the kept part lacks its last line end.
    pub open_end: bool,
}

/// Reads a segment, or the part of it after line number `before`. Only the last segment may end in a torn batch.
///
/// What is cut must look exactly like the beginning of something that was being written; anything else is damage, and
/// damage is never cut, because it may be what is left of committed lines.
pub(super) fn read_segment(bytes: &[u8], before: usize, last: bool) -> Segment {
    let mut segment = Segment { keep: bytes.len(), ..Segment::default() };
    let mut at = 0;
    let mut n = before;
    let mut shift = 0;
    let mut piece = 0..0;
    while at < bytes.len() {
        let Some(length) = memchr::memchr(b'\n', &bytes[at..]) else {
            piece = at..bytes.len();
            break;
        };
        n += 1;
        let range = at..at + length;
        at += length + 1;
        match check(&bytes[range.clone()], n + shift) {
            Ok(kind) => segment.lines.push(Line { n, range, kind }),
            Err(Fault::Moved(number)) if number > n + shift => {
                // Reported once; the lines after the gap are counted from here.
                segment.faults.push((n, Fault::Moved(number)));
                shift = number - n;
                if let Ok(kind) = check(&bytes[range.clone()], number) {
                    segment.lines.push(Line { n, range, kind });
                }
            }
            Err(fault) => segment.faults.push((n, fault)),
        }
    }
    segment.count = n;
    let mut torn = false;
    if !piece.is_empty() {
        match check(&bytes[piece.clone()], n + 1 + shift) {
            Ok(kind) => {
                segment.count += 1;
                segment.lines.push(Line { n: n + 1, range: piece.clone(), kind });
                segment.open_end = true;
            }
            Err(_) if last && is_beginning(&bytes[piece.clone()]) => torn = true,
            Err(fault) => {
                segment.count += 1;
                segment.faults.push((n + 1, fault));
                segment.open_end = true;
            }
        }
    }
    settle_batches(&mut segment, bytes, piece.start, last, torn);
    segment
}

/// Finds batches that lack lines, and cuts the last one when it was never committed.
fn settle_batches(segment: &mut Segment, bytes: &[u8], piece: usize, last: bool, torn: bool) {
    let heads: Vec<(usize, usize)> = segment
        .lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.kind == LineKind::Batch)
        .map(|(i, line)| (i, batch(&bytes[line.range.clone()]).map_or(0, |b| b.lines)))
        .collect();
    for (k, &(i, stated)) in heads.iter().enumerate() {
        let head = segment.lines[i].n;
        let end = heads.get(k + 1).map_or(segment.count + 1, |&(next, _)| segment.lines[next].n);
        let missing = (head + 1 + stated).saturating_sub(end);
        if missing == 0 {
            continue;
        }
        let whole = segment.faults.iter().all(|&(n, _)| n < head);
        if last && k + 1 == heads.len() && whole {
            segment.keep = segment.lines[i].range.start;
            segment.count = head - 1;
            segment.open_end = false;
            segment.lines.truncate(i);
            return;
        }
        segment.short.push((head, missing));
    }
    if torn {
        segment.keep = piece;
    }
}

/// True for bytes that may be the beginning of a line or blocks that were never filled: not a whole object.
fn is_beginning(piece: &[u8]) -> bool {
    let blank = piece.iter().all(|&b| b == 0);
    let whole = serde_json::Deserializer::from_slice(piece).into_iter::<IgnoredAny>().next().is_some_and(|r| r.is_ok());
    blank || !whole
}

/// The head of a batch.
pub(super) fn batch(line: &[u8]) -> Option<Batch> {
    serde_json::from_slice(line).ok()
}
