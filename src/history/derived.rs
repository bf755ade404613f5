//! What can be derived from the originals at any time but is dear to derive: fingerprints of activities. One file, only
//! appended to; deleting it costs time, never knowledge.
//!
//! Each batch of lines is led by `batch LENGTH CRC-32`. Reading stops at the first batch that is not whole, and the next
//! append cuts there: what is lost is derived again. So nobody waits until it is on the disk, but for lines that void others.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::layout::{DERIVED, io_error};
use super::lines::read_at;
use super::{History, Piece, Writer};
use crate::error::Result;

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;
/// A head is no longer.
const HEAD: usize = 64;

/// The derived lines of a history, left on the disk: those of a hundred thousand activities take a hundred megabytes.
#[derive(Debug, Default)]
pub struct Derived {
    file: Option<DerivedFile>,
    /// The lines of each whole batch.
    batches: Vec<Range<u64>>,
}

#[derive(Debug)]
struct DerivedFile {
    file: File,
    path: PathBuf,
    length: u64,
}

/// Where a derived line, or a part of one, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerivedAt {
    at: u64,
    length: u32,
}

impl DerivedAt {
    /// The same without its first bytes.
    pub fn skip(self, bytes: usize) -> DerivedAt {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.length);
        DerivedAt { at: self.at + u64::from(bytes), length: self.length - bytes }
    }
}

impl DerivedFile {
    /// Hands over what is in a part of the file, in pieces.
    fn pieces(&self, part: Range<u64>, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let (mut at, mut piece) = (part.start, Vec::new());
        while at < part.end {
            piece.resize((part.end - at).min(CHUNK as u64) as usize, 0);
            read_at(&self.file, &mut piece, at)?;
            each(&piece);
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// The whole batches.
    fn batches(&self) -> io::Result<Vec<Range<u64>>> {
        let (mut batches, mut at) = (Vec::new(), 0);
        while at < self.length {
            let mut head = vec![0; (self.length - at).min(HEAD as u64) as usize];
            read_at(&self.file, &mut head, at)?;
            let Some((head, length, crc)) = head_of(&head) else { break };
            let from = at + head as u64;
            let Some(end) = from.checked_add(length).filter(|end| *end <= self.length) else { break };
            let mut sum = crc32fast::Hasher::new();
            self.pieces(from..end, &mut |piece| sum.update(piece))?;
            if sum.finalize() != crc {
                break;
            }
            batches.push(from..end);
            at = end;
        }
        Ok(batches)
    }
}

/// Length of a head, then what it says: length and sum of its batch.
fn head_of(bytes: &[u8]) -> Option<(usize, u64, u32)> {
    let (head, _) = bytes.split_at_checked(memchr::memchr(b'\n', bytes)? + 1)?;
    let mut words = std::str::from_utf8(head).ok()?.strip_suffix('\n')?.strip_prefix("batch ")?.split(' ');
    let (length, sum) = (words.next()?.parse().ok()?, words.next()?);
    let crc = u32::from_str_radix(sum, 16).ok()?;
    (sum == format!("{crc:08x}") && words.next().is_none()).then_some((head.len(), length, crc))
}

impl Derived {
    /// True when nothing is derived yet.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Hands over all lines that count, without their ends, each with its place.
    ///
    /// # Errors
    /// `Io` when the file cannot be read.
    pub fn each_line(&self, each: &mut dyn FnMut(DerivedAt, &[u8])) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        for batch in &self.batches {
            // What is read and not handed over: the start of a line.
            let (mut rest, mut at) = (Vec::new(), batch.start);
            let mut hand_over = |line: &[u8]| {
                each(DerivedAt { at, length: u32::try_from(line.len()).unwrap_or(0) }, line);
                at += line.len() as u64 + 1;
            };
            let mut piece = |mut piece: &[u8]| {
                while let Some(end) = memchr::memchr(b'\n', piece)
                    && let Some((line, more)) = piece.split_at_checked(end)
                {
                    if rest.is_empty() {
                        hand_over(line);
                    } else {
                        rest.extend_from_slice(line);
                        hand_over(&rest);
                        rest.clear();
                    }
                    piece = more.get(1..).unwrap_or_default();
                }
                rest.extend_from_slice(piece);
            };
            file.pieces(batch.clone(), &mut piece).map_err(|error| io_error("cannot read", &file.path, error))?;
            if !rest.is_empty() {
                hand_over(&rest);
            }
        }
        Ok(())
    }

    /// What is at a place.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    pub fn read(&self, place: DerivedAt) -> Result<Vec<u8>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let mut bytes = vec![0; place.length as usize];
        read_at(&file.file, &mut bytes, place.at).map_err(|error| io_error("cannot read", &file.path, error))?;
        Ok(bytes)
    }

    /// Length of what counts of the file.
    fn whole(&self) -> u64 {
        self.batches.last().map_or(0, |batch| batch.end)
    }
}

impl History {
    /// The derived lines.
    ///
    /// # Errors
    /// `Io` when the file is there but cannot be read.
    pub fn derived(&self) -> Result<Derived> {
        let path = self.root().join(DERIVED);
        let open = || -> io::Result<Derived> {
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            let file = DerivedFile { file, path: path.clone(), length };
            Ok(Derived { batches: file.batches()?, file: Some(file) })
        };
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Derived::default()),
            opened => opened.map_err(|error| io_error("cannot read", &path, error)),
        }
    }
}

impl Writer {
    /// Appends derived lines, each with its end, to those that were read: as one batch, all of them or none. They may wait
    /// elsewhere, and come in pieces of any length.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn append_derived(&mut self, derived: &Derived, pieces: &[Piece]) -> Result<()> {
        let waiting = self.waiting();
        let mut buffer = Vec::new();
        let mut each = |take: &mut dyn FnMut(&[u8]) -> io::Result<()>| {
            pieces.iter().try_for_each(|piece| take(piece.bytes(&waiting, &mut buffer)?))
        };
        let path = self.root().join(DERIVED);
        let fail = |error| io_error("cannot write", &path, error);
        let (mut length, mut crc) = (0, crc32fast::Hasher::new());
        let mut sum = |piece: &[u8]| {
            length += piece.len();
            crc.update(piece);
            Ok(())
        };
        each(&mut sum).map_err(fail)?;
        if length == 0 {
            return Ok(());
        }
        let whole = derived.whole();
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > whole) {
            self.disk.truncate(&path, whole).map_err(fail)?;
        }
        let head = format!("batch {length} {:08x}\n", crc.finalize());
        let mut batch = |out: &mut dyn io::Write| {
            out.write_all(head.as_bytes())?;
            each(&mut |piece| out.write_all(piece))
        };
        self.disk.add(&path, &mut batch).map_err(fail)
    }

    /// The same for lines that void others, which are on the disk then: were they lost and what is committed next kept, what
    /// they void would be believed.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn void_derived(&mut self, derived: &Derived, lines: Vec<u8>) -> Result<()> {
        self.append_derived(derived, &[Piece::Here(lines.into())])?;
        let path = self.root().join(DERIVED);
        self.disk.sync(&path).map_err(|error| io_error("cannot write", &path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::scratch;
    use super::*;

    fn text(writer: &Writer) -> Vec<u8> {
        let (derived, mut text) = (writer.derived().unwrap(), Vec::new());
        let mut each = |place: DerivedAt, line: &[u8]| {
            assert_eq!(derived.read(place).unwrap(), line);
            assert_eq!(derived.read(place.skip(1)).unwrap(), line.get(1..).unwrap_or_default());
            text.extend([line, b"\n"].concat());
        };
        derived.each_line(&mut each).unwrap();
        text
    }

    fn append(writer: &mut Writer, lines: &[u8]) {
        let derived = writer.derived().unwrap();
        let pieces: Vec<Piece> = lines.chunks(7).map(|piece| Piece::Here(piece.into())).collect();
        writer.append_derived(&derived, &pieces).unwrap();
    }

    #[test]
    fn a_batch_counts_as_a_whole_or_not_at_all() {
        let folder = scratch();
        let root = folder.path().join("h");
        let mut writer = History::open_or_create(&root, false).unwrap();
        assert_eq!(text(&writer), b"");
        append(&mut writer, b"one\ntwo\n");
        append(&mut writer, b"three\n");
        let path = root.join(DERIVED);
        let whole = fs::read(&path).unwrap();
        let second = whole.windows(6).rposition(|w| w == b"batch ").unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let want: &[u8] = if length < second { b"" } else { b"one\ntwo\n" };
            assert_eq!(text(&writer), want, "{length}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).unwrap();
            let lines = text(&writer);
            assert!(lines.is_empty() || lines == b"one\ntwo\n" && at >= second, "{at}");
        }
        fs::write(&path, &whole[..second + 3]).unwrap();
        append(&mut writer, b"three\n");
        assert_eq!(fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn lines_are_as_long_as_they_are_wherever_reading_stops_between() {
        let folder = scratch();
        let mut writer = History::open_or_create(&folder.path().join("h"), false).unwrap();
        let lines: Vec<u8> =
            (0..5000).flat_map(|n| [&vec![b'a' + (n % 26) as u8; n % 400][..], b"\n"].concat()).collect();
        assert!(lines.len() > 3 * CHUNK);
        append(&mut writer, &lines);
        append(&mut writer, b"x\ny\n");
        assert!(text(&writer) == [&lines[..], b"x\ny\n"].concat());
    }

    #[test]
    fn hostile_lengths_are_no_batch() {
        let folder = scratch();
        let root = folder.path().join("h");
        let writer = History::open_or_create(&root, false).unwrap();
        let heads =
            ["batch 99999999999999999999 0\n", "batch 18446744073709551615 00000000\n", "batch\n", "batch -1 0\n"];
        for head in heads.into_iter().chain(["batch 0 0\n", "batch 0 +0000000\n"]) {
            fs::write(root.join(DERIVED), head).unwrap();
            assert!(writer.derived().unwrap().is_empty(), "{head}");
        }
        fs::write(root.join(DERIVED), "batch 0 00000000\n").unwrap();
        assert!(!writer.derived().unwrap().is_empty());
    }
}
