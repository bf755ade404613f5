//! What can be derived from the originals at any time but is dear to derive: fingerprints of activities. One file, only
//! appended to; deleting it costs time, never knowledge.
//!
//! Each batch of lines is led by `batch LENGTH CRC-32`, which is put there when all is written. Reading stops at the first
//! batch that is not whole, and the next append cuts there: what is lost is derived again. So nobody waits until it is on the
//! disk, but for lines that void others.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::disk::Disk;
use super::layout::{DERIVED, io_error};
use super::lines::read_at;
use super::{History, Piece, Waiting, Writer};
use crate::error::{Error, Result};

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;
/// A head is no longer.
const HEAD: usize = 64;
/// What stands where the head of a batch will be, so many times.
const NO_HEAD: u8 = b'-';
/// Length of the heads of new batches.
const BEGUN_HEAD: usize = "batch  \n".len() + 20 + 8;

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
    pub(super) fn whole(&self) -> u64 {
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

/// Where the next batch of derived lines goes. It does not need the writer, which may be busy meanwhile.
pub struct DerivedEnd {
    disk: Arc<dyn Disk>,
    waiting: Arc<Waiting>,
    path: PathBuf,
    /// Length of what counts of the file.
    whole: u64,
}

/// A batch of derived lines that is written and does not count: its head is missing. Unless it is ended it is cut off.
pub struct BegunDerived<'e> {
    end: &'e DerivedEnd,
    head: String,
    counts: bool,
}

impl DerivedEnd {
    /// Appends derived lines, each with its end: as one batch, of which nothing counts yet. They may wait elsewhere, and come
    /// in pieces of any length. `None` when there are none.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn begin<'p>(&self, pieces: impl Iterator<Item = &'p Piece>) -> Result<Option<BegunDerived<'_>>> {
        let mut pieces = pieces.peekable();
        if pieces.peek().is_none() {
            return Ok(None);
        }
        if fs::metadata(&self.path).is_ok_and(|meta| meta.len() > self.whole) {
            self.disk.truncate(&self.path, self.whole).map_err(|error| self.failed(error))?;
        }
        let mut begun = BegunDerived { end: self, head: String::new(), counts: false };
        let (mut length, mut crc, mut buffer) = (0, crc32fast::Hasher::new(), Vec::new());
        let mut batch = |out: &mut dyn io::Write| {
            out.write_all(&[NO_HEAD; BEGUN_HEAD])?;
            pieces.try_for_each(|piece| {
                let bytes = piece.bytes(&self.waiting, &mut buffer)?;
                length += bytes.len();
                crc.update(bytes);
                out.write_all(bytes)
            })
        };
        self.disk.add(&self.path, &mut batch).map_err(|error| self.failed(error))?;
        begun.head = format!("batch {length:020} {:08x}\n", crc.finalize());
        Ok(Some(begun))
    }

    fn failed(&self, error: io::Error) -> Error {
        io_error("cannot write", &self.path, error)
    }
}

impl BegunDerived<'_> {
    /// Makes it count.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn end(mut self) -> Result<()> {
        let DerivedEnd { disk, path, whole, .. } = self.end;
        disk.put_at(path, *whole, self.head.as_bytes()).map_err(|error| self.end.failed(error))?;
        self.counts = true;
        Ok(())
    }
}

impl Drop for BegunDerived<'_> {
    /// Best effort: who appends next does it, too. A full disk has room again.
    fn drop(&mut self) {
        let DerivedEnd { disk, path, whole, .. } = self.end;
        if !self.counts {
            let _ = if *whole > 0 { disk.truncate(path, *whole) } else { disk.remove(path) };
        }
    }
}

impl Writer {
    /// Where derived lines go behind those that were read.
    pub fn derived_end(&self, derived: &Derived) -> DerivedEnd {
        let path = self.root().join(DERIVED);
        DerivedEnd { disk: self.disk.clone(), waiting: self.waiting(), path, whole: derived.whole() }
    }

    /// Appends lines that void others, which are on the disk then: were they lost and what is committed next kept, what they
    /// void would be believed.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn void_derived(&mut self, derived: &Derived, lines: Vec<u8>) -> Result<()> {
        let end = self.derived_end(derived);
        if let Some(begun) = end.begin([&Piece::Here(lines.into())].into_iter())? {
            begun.end()?;
        }
        self.disk.sync(&end.path).map_err(|error| end.failed(error))
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

    fn append(writer: &Writer, lines: &[u8]) {
        let (derived, before) = (writer.derived().unwrap(), text(writer));
        let pieces: Vec<Piece> = lines.chunks(7).map(|piece| Piece::Here(piece.into())).collect();
        let end = writer.derived_end(&derived);
        let begun = end.begin(pieces.iter()).unwrap().unwrap();
        assert_eq!(text(writer), before, "it does not count yet");
        begun.end().unwrap();
    }

    #[test]
    fn a_batch_counts_as_a_whole_or_not_at_all() {
        let folder = scratch();
        let root = folder.path().join("h");
        let writer = History::open_or_create(&root, false).unwrap();
        assert_eq!(text(&writer), b"");
        append(&writer, b"one\ntwo\n");
        append(&writer, b"three\n");
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
        append(&writer, b"three\n");
        assert_eq!(fs::read(&path).unwrap(), whole);
        // One that was begun is gone when it is not ended; one whose end nobody could cut off does not count.
        let derived = writer.derived().unwrap();
        let (end, line) = (writer.derived_end(&derived), Piece::Here((*b"four\n").into()));
        let begun = end.begin([&line].into_iter()).unwrap();
        let torn = fs::read(&path).unwrap();
        drop(begun);
        assert_eq!(fs::read(&path).unwrap(), whole);
        fs::write(&path, &torn).unwrap();
        assert!(torn.ends_with(b"four\n"));
        assert_eq!(text(&writer), b"one\ntwo\nthree\n");
        append(&writer, b"four\n");
        assert_eq!(text(&writer), b"one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn lines_are_as_long_as_they_are_wherever_reading_stops_between() {
        let folder = scratch();
        let writer = History::open_or_create(&folder.path().join("h"), false).unwrap();
        let lines: Vec<u8> =
            (0..5000).flat_map(|n| [&vec![b'a' + (n % 26) as u8; n % 400][..], b"\n"].concat()).collect();
        assert!(lines.len() > 3 * CHUNK);
        append(&writer, &lines);
        append(&writer, b"x\ny\n");
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
