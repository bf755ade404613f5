//! The journal's lines: how each is sealed, checked, and how a segment is read.
//!
//! A line is `{"kind":"…",…,"n":17,"crc":"1a2b3c4d"}`: `n` is the number of the line in its file, `crc` the CRC-32 of
//! everything before `,"crc"`. So an edited, a missing and a swapped line are told apart. Lines come in batches, one an
//! import, each led by a `batch` line that says how many follow: a batch that is not whole is as if it were never
//! written, and the next writer cuts it off.

use std::io::{self, BufRead, Write};

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
pub(super) fn body(kind: LineKind, value: &impl Serialize) -> Result<Box<[u8]>> {
    let mut json = Vec::with_capacity(2048);
    serde_json::to_writer(&mut json, value)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot write a journal line: {error}")))?;
    json.pop();
    let own = format!("{{\"kind\":\"{}\"", kind.name()).into_bytes();
    // Those of a whole import wait together: each gets a block of its size.
    if json.starts_with(&own) {
        return Ok(json.as_slice().into());
    }
    Ok([own.as_slice(), b",", json.get(1..).unwrap_or_default()].concat().into())
}

/// Appends a body as line number `n`, sealed.
pub(super) fn seal(out: &mut Vec<u8>, body: &[u8], n: usize) {
    let from = out.len();
    out.extend_from_slice(body);
    // Memory takes all of it.
    let _ = write!(out, ",\"n\":{n}");
    let crc = crc(&out[from..]);
    let _ = writeln!(out, ",\"crc\":\"{crc:08x}\"}}");
}

/// The kind of a line, as its text says.
pub(super) fn kind_of(text: &[u8]) -> Option<LineKind> {
    let kind = text.strip_prefix(b"{\"kind\":\"")?;
    let end = kind.iter().position(|&b| b == b'"')?;
    kind.get(..end).map(LineKind::of)
}

/// Length of a sealed line's body: what stands before its number.
pub(super) fn body_length(line: &[u8]) -> usize {
    let text = &line[..line.len().saturating_sub(SEAL)];
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    text.len().saturating_sub(digits + b",\"n\":".len())
}

fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
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
    let plain = stated.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let stated = std::str::from_utf8(stated).ok().filter(|_| plain).and_then(|s| u32::from_str_radix(s, 16).ok());
    if stated != Some(crc(text)) {
        return Err(Fault::Edited);
    }
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (head, digits) = text.split_at(text.len() - digits);
    let number = std::str::from_utf8(digits).ok().and_then(|s| s.parse::<u32>().ok()).map(|n| n as usize);
    if !head.ends_with(b",\"n\":") {
        return Err(Fault::Odd);
    }
    match number {
        Some(number) if number == n => {}
        Some(number) => return Err(Fault::Moved(number)),
        None => return Err(Fault::Odd),
    }
    kind_of(text).ok_or(Fault::Odd)
}

/// One line that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it is: the number of the line in its file, from 1.
    pub n: usize,
    /// What it says it is: the number that it was sealed with. It differs behind a missing or a split line.
    pub number: usize,
    /// Offset in the file.
    pub at: u64,
    /// Length without the line end.
    pub length: usize,
    /// What it is.
    pub kind: LineKind,
}

/// A point in a segment: so many bytes, and the number that the line before it is sealed with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Point {
    pub at: u64,
    pub number: usize,
}

/// What a segment holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Segment {
    /// How many lines are committed.
    pub lines: usize,
    /// Lines that cannot be believed: number and reason.
    pub faults: Vec<(usize, Fault)>,
    /// Batches that state more lines than there are: number of the head, lines missing.
    pub short: Vec<(usize, usize)>,
    /// What to keep; what follows is a torn batch that was never committed.
    pub keep: Point,
    /// Length of the file.
    pub length: u64,
    /// True when the kept part lacks its last line end.
    pub open_end: bool,
}

/// Reads a segment, or the part of it after `from`. Only the last segment may end in a torn batch. `each` gets every
/// line whose seal fits, in order; those of a torn batch too, so a caller keeps only as many as [`Segment::lines`].
///
/// What is cut must look exactly like the beginning of something that was being written; anything else is damage, and
/// damage is never cut, because it may be what is left of committed lines.
pub(super) fn read_segment(
    input: &mut dyn BufRead,
    from: Point,
    last: bool,
    each: &mut dyn FnMut(&Line, &[u8]),
) -> io::Result<Segment> {
    let segment = Segment { length: from.at, keep: from, ..Segment::default() };
    let mut scan = Scan { segment, heads: Vec::new(), n: from.number, last: from.number };
    // A line that lies in the input's buffer as a whole is read from there; others are gathered first.
    let mut gathered = Vec::new();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', buffer);
        let (part, used) = (&buffer[..end.unwrap_or(buffer.len())], end.map_or(buffer.len(), |end| end + 1));
        if end.is_some() && gathered.is_empty() {
            scan.take(part, true, each);
        } else {
            gathered.extend_from_slice(part);
            if end.is_some() {
                scan.take(&gathered, true, each);
                gathered.clear();
            }
        }
        input.consume(used);
    }
    if !gathered.is_empty() {
        if last && scan.is_torn(&gathered) {
            scan.segment.length += gathered.len() as u64;
        } else {
            scan.take(&gathered, false, each);
            scan.segment.open_end = true;
        }
    }
    Ok(scan.settle(last))
}

/// A segment being read.
struct Scan {
    segment: Segment,
    /// Batches: head, lines before it, lines that follow as stated.
    heads: Vec<(Line, usize, usize)>,
    /// Lines taken so far.
    n: usize,
    /// Number of the last line whose seal fits.
    last: usize,
}

impl Scan {
    /// True when an unfinished last line may be cut: it is no sealed line, and the beginning of one or blocks that were
    /// never filled. A whole object with something behind it is a damaged line.
    fn is_torn(&self, piece: &[u8]) -> bool {
        let sealed = check(piece, self.segment.keep.number + 1).is_ok();
        let blank = piece.iter().all(|&b| b == 0);
        let mut values = serde_json::Deserializer::from_slice(piece).into_iter::<IgnoredAny>();
        !sealed && (blank || values.next().is_none_or(|value| value.is_err()))
    }

    /// Takes one line, with or without its line end.
    fn take(&mut self, text: &[u8], ended: bool, each: &mut dyn FnMut(&Line, &[u8])) {
        let keep = &mut self.segment.keep;
        let at = keep.at;
        self.n += 1;
        keep.number += 1;
        keep.at += text.len() as u64 + u64::from(ended);
        self.segment.length = keep.at;
        let mut checked = check(text, keep.number);
        if let Err(Fault::Moved(number)) = checked
            && number > self.last
        {
            // A gap is reported once, and where a line was split its parts are; the lines behind are counted from here.
            if number > keep.number {
                self.segment.faults.push((self.n, Fault::Moved(number)));
            }
            keep.number = number;
            checked = check(text, number);
        }
        match checked {
            Ok(kind) => {
                let line = Line { n: self.n, number: keep.number, at, length: text.len(), kind };
                each(&line, text);
                self.last = keep.number;
                if kind == LineKind::Batch {
                    self.heads.push((line, self.segment.lines, batch(text).map_or(0, |batch| batch.lines)));
                }
                self.segment.lines += 1;
            }
            Err(fault) => self.segment.faults.push((self.n, fault)),
        }
    }

    /// Finds batches that lack lines, and cuts the last one when it was never committed.
    fn settle(mut self, last: bool) -> Segment {
        let mut end = self.segment.keep.number + 1;
        for (k, (head, before, stated)) in self.heads.iter().enumerate().rev() {
            let missing = (head.number + 1).saturating_add(*stated).saturating_sub(end);
            end = head.number;
            if missing == 0 {
                continue;
            }
            let whole = self.segment.faults.iter().all(|&(n, _)| n < head.n);
            if last && k + 1 == self.heads.len() && whole {
                self.segment.keep = Point { at: head.at, number: head.number - 1 };
                self.segment.open_end = false;
                self.segment.lines = *before;
            } else {
                self.segment.short.push((head.n, missing));
            }
        }
        self.segment.short.reverse();
        self.segment
    }
}

/// The head of a batch.
pub(super) fn batch(line: &[u8]) -> Option<Batch> {
    serde_json::from_slice(line).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two batches, of three lines and of two.
    fn journal() -> Vec<u8> {
        let mut out = Vec::new();
        let mut n = 0;
        for lines in [3, 2] {
            let head = body(LineKind::Batch, &Batch { parser: "1.2.3".into(), lines, resets: false }).unwrap();
            n += 1;
            seal(&mut out, &head, n);
            for i in 0..lines {
                n += 1;
                seal(&mut out, &body(LineKind::Alias, &json!({"names": [i, "{\"}\n"]})).unwrap(), n);
            }
        }
        out
    }

    fn read(bytes: &[u8], last: bool) -> Segment {
        let mut met = 0;
        let segment = read_segment(&mut &bytes[..], Point::default(), last, &mut |_, _| met += 1).unwrap();
        assert!(met >= segment.lines);
        segment
    }

    fn text_lines(bytes: &[u8]) -> Vec<&[u8]> {
        bytes.split_inclusive(|&b| b == b'\n').collect()
    }

    #[test]
    fn a_line_says_its_kind_number_and_seal() {
        let mut out = Vec::new();
        seal(&mut out, &body(LineKind::Original, &json!({"path": "a"})).unwrap(), 7);
        // CRC-32 of the text before the seal, worked out with Python's `zlib.crc32`.
        assert_eq!(out, b"{\"kind\":\"original\",\"path\":\"a\",\"n\":7,\"crc\":\"0375b002\"}\n");
        let line = out.trim_ascii_end();
        assert_eq!(check(line, 7), Ok(LineKind::Original));
        assert_eq!(check(line, 6), Err(Fault::Moved(7)));
        assert_eq!(check(&line[1..], 7), Err(Fault::Edited));
        let mut own = Vec::new();
        seal(&mut own, b"{\"sort\":1", 1);
        assert_eq!(check(own.trim_ascii_end(), 1), Err(Fault::Odd));
    }

    #[test]
    fn a_batch_cut_anywhere_is_as_if_never_written() {
        let whole = journal();
        let lines = text_lines(&whole);
        let first: usize = lines[..4].iter().map(|line| line.len()).sum();
        for length in 0..whole.len() {
            let segment = read(&whole[..length], true);
            // A batch that lacks nothing but its last line end is whole.
            let (at, lines, open_end) = match length {
                _ if length == whole.len() - 1 => (length, 7, true),
                _ if length == first - 1 => (length, 4, true),
                _ if length >= first => (first, 4, false),
                _ => (0, 0, false),
            };
            assert_eq!((segment.keep.at, segment.lines, segment.open_end), (at as u64, lines, open_end), "{length}");
            assert_eq!((segment.length, segment.faults.len(), segment.short.len()), (length as u64, 0, 0), "{length}");
        }
        let zeros = [&whole[..first + 9], &[0; 4096]].concat();
        assert_eq!(read(&[&whole[..], &[0; 512]].concat(), true).keep.at, whole.len() as u64);
        assert_eq!(read(&zeros, true).faults, [], "a half-filled block is torn, not damaged");
        assert!(!read(&whole[..whole.len() - 9], false).faults.is_empty(), "only the last segment may be torn");
    }

    #[test]
    fn a_changed_byte_is_named_and_cuts_nothing() {
        let whole = journal();
        for at in 0..whole.len() {
            for byte in [whole[at] ^ 1, whole[at] ^ 0x20, whole[at] ^ 0x80, b'\n', 0] {
                if byte == whole[at] {
                    continue;
                }
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let segment = read(&bytes, true);
                assert_eq!(segment.keep.at, whole.len() as u64, "byte {at} as {byte}");
                let lost = 7 - segment.lines;
                let named = segment.faults.len();
                assert!((1..=2).contains(&lost) && (1..=2).contains(&named), "byte {at} as {byte}: {segment:?}");
            }
        }
    }

    #[test]
    fn missing_and_swapped_lines_are_told_apart() {
        let whole = journal();
        let lines = text_lines(&whole);
        let without = [lines[0], lines[1], lines[3], lines[4], lines[5], lines[6]].concat();
        let segment = read(&without, true);
        assert_eq!((segment.faults, segment.lines), (vec![(3, Fault::Moved(4))], 6));
        assert_eq!(segment.keep, Point { at: without.len() as u64, number: 7 });
        let swapped = [lines[0], lines[2], lines[1], lines[3], lines[4], lines[5], lines[6]].concat();
        assert_eq!(read(&swapped, true).faults, [(2, Fault::Moved(3)), (3, Fault::Moved(2))]);
        let edited = String::from_utf8(whole.clone()).unwrap().replacen("[1,", "[9,", 1);
        assert_eq!(read(edited.as_bytes(), true).faults, [(3, Fault::Edited)]);
        let headless = [&lines[1..4].concat()[..], &lines[4..].concat()[..]].concat();
        assert_eq!(read(&headless, true).lines, 6);
    }

    #[test]
    fn hostile_numbers_do_no_harm() {
        let mut out = Vec::new();
        seal(&mut out, &body(LineKind::Batch, &json!({"parser": "", "lines": usize::MAX})).unwrap(), usize::MAX);
        read(&out, true);
        read(&out, false);
        let mut out = Vec::new();
        seal(&mut out, b"{\"kind\":\"alias\",\"n\":99999999999999999999999", 1);
        read(&out, true);
    }
}
