//! What can be derived from the originals at any time but is dear to derive: fingerprints of activities. One file, only
//! appended to; deleting it costs time, never knowledge.
//!
//! Each batch of lines is led by `batch LENGTH CRC-32`. Reading stops at the first batch that is not whole, and the next
//! append cuts there: what is lost is derived again.

use std::fs;
use std::io;

use super::layout::{DERIVED, io_error};
use super::{History, Writer};
use crate::error::Result;

/// The lines of whole batches, and the length of the file up to the end of the last one.
fn whole_batches(mut file: &[u8]) -> (Vec<u8>, u64) {
    let (mut lines, mut length) = (Vec::with_capacity(file.len()), 0);
    while let Some((head, rest)) = file.iter().position(|&b| b == b'\n').and_then(|at| file.split_at_checked(at + 1)) {
        let Some(batch) = batch_of(head, rest) else { break };
        lines.extend_from_slice(batch);
        length += (head.len() + batch.len()) as u64;
        file = rest.get(batch.len()..).unwrap_or_default();
    }
    (lines, length)
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
    pub fn derived(&self) -> Result<Vec<u8>> {
        Ok(self.derived_file()?.0)
    }

    fn derived_file(&self) -> Result<(Vec<u8>, u64)> {
        let path = self.root().join(DERIVED);
        match fs::read(&path) {
            Ok(file) => Ok(whole_batches(&file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Vec::new(), 0)),
            Err(error) => Err(io_error("cannot read", &path, error)),
        }
    }
}

impl Writer {
    /// Appends derived lines, each with its end, as one batch: all of them or none.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn append_derived(&mut self, lines: &[u8]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let path = self.root().join(DERIVED);
        let fail = |error| io_error("cannot write", &path, error);
        let (_, whole) = self.derived_file()?;
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > whole) {
            self.disk.truncate(&path, whole).map_err(fail)?;
        }
        let head = format!("batch {} {:08x}\n", lines.len(), crc32fast::hash(lines));
        let mut batch = |out: &mut dyn io::Write| {
            out.write_all(head.as_bytes())?;
            out.write_all(lines)
        };
        self.disk.append(&path, &mut batch).map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn a_batch_counts_as_a_whole_or_not_at_all() {
        let folder = scratch();
        let root = folder.path().join("h");
        let mut writer = History::open_or_create(&root, false).unwrap();
        assert_eq!(writer.derived().unwrap(), b"");
        writer.append_derived(b"one\ntwo\n").unwrap();
        writer.append_derived(b"three\n").unwrap();
        let path = root.join(DERIVED);
        let whole = fs::read(&path).unwrap();
        let second = whole.windows(6).rposition(|w| w == b"batch ").unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let want: &[u8] = if length < second { b"" } else { b"one\ntwo\n" };
            assert_eq!(writer.derived().unwrap(), want, "{length}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).unwrap();
            let lines = writer.derived().unwrap();
            assert!(lines.is_empty() || lines == b"one\ntwo\n" && at >= second, "{at}");
        }
        fs::write(&path, &whole[..second + 3]).unwrap();
        writer.append_derived(b"three\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn hostile_lengths_are_no_batch() {
        for head in
            ["batch 99999999999999999999 0\n", "batch 18446744073709551615 00000000\n", "batch\n", "batch -1 0\n"]
        {
            assert_eq!(whole_batches(head.as_bytes()), (Vec::new(), 0));
        }
    }
}
