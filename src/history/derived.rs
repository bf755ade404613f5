//! What can be derived from the originals at any time but is dear to derive: fingerprints of activities. One file, only
//! appended to; deleting it costs time, never knowledge.
//!
//! Each batch of lines is led by `batch LENGTH CRC-32`. Reading stops at the first batch that is not whole, and the next
//! append cuts there: what is lost is derived again. So nobody waits until it is on the disk, but for lines that void others.

use std::fs;
use std::io;
use std::ops::Range;

use super::layout::{DERIVED, io_error};
use super::{History, Piece, Writer};
use crate::error::Result;

/// The file of derived lines, in memory.
#[derive(Debug, Default)]
pub struct Derived {
    file: Vec<u8>,
    /// The lines of each whole batch.
    batches: Vec<Range<usize>>,
}

impl Derived {
    fn of(file: Vec<u8>) -> Derived {
        let (mut batches, mut at) = (Vec::new(), 0);
        while let Some(rest) = file.get(at..)
            && let Some(line_end) = memchr::memchr(b'\n', rest)
            && let Some((head, rest)) = rest.split_at_checked(line_end + 1)
            && let Some(batch) = batch_of(head, rest)
        {
            let from = at + head.len();
            at = from + batch.len();
            batches.push(from..at);
        }
        Derived { file, batches }
    }

    /// True when nothing is derived yet.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// All lines that count, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.batches.iter().filter_map(|batch| self.file.get(batch.clone())).flat_map(lines_of)
    }

    /// Length of what counts of the file.
    fn whole(&self) -> u64 {
        self.batches.last().map_or(0, |batch| batch.end as u64)
    }
}

/// The lines of a batch.
fn lines_of(mut batch: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', batch).unwrap_or(batch.len());
        let (line, rest) = batch.split_at(end);
        let done = batch.is_empty();
        batch = rest.get(1..).unwrap_or_default();
        (!done).then_some(line)
    })
}

fn batch_of<'a>(head: &[u8], rest: &'a [u8]) -> Option<&'a [u8]> {
    let mut words = std::str::from_utf8(head).ok()?.trim_end().strip_prefix("batch ")?.split(' ');
    let batch = rest.get(..words.next()?.parse().ok()?)?;
    (words.next()? == format!("{:08x}", crc32fast::hash(batch))).then_some(batch)
}

impl History {
    /// The derived lines.
    ///
    /// # Errors
    /// `Io` when the file is there but cannot be read.
    pub fn derived(&self) -> Result<Derived> {
        let path = self.root().join(DERIVED);
        match fs::read(&path) {
            Ok(file) => Ok(Derived::of(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Derived::default()),
            Err(error) => Err(io_error("cannot read", &path, error)),
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
        writer.derived().unwrap().lines().flat_map(|line| [line, b"\n"].concat()).collect()
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
    fn hostile_lengths_are_no_batch() {
        for head in
            ["batch 99999999999999999999 0\n", "batch 18446744073709551615 00000000\n", "batch\n", "batch -1 0\n"]
        {
            assert!(Derived::of(head.as_bytes().to_vec()).is_empty());
        }
    }
}
