//! What can be derived from the originals at any time but is dear to derive: fingerprints of activities. One file, only
//! appended to; deleting it costs time, never knowledge.

use std::fs;
use std::io;

use super::layout::io_error;
use super::{History, Writer};
use crate::error::Result;

/// The file, relative to the root.
pub(super) const DERIVED: &str = "derived.jsonl";

impl History {
    /// The derived lines, whole ones only.
    ///
    /// # Errors
    /// `Io` when the file is there but cannot be read.
    pub fn derived(&self) -> Result<Vec<u8>> {
        let path = self.root().join(DERIVED);
        let mut content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("cannot read", &path, error)),
        };
        let whole = content.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        content.truncate(whole);
        Ok(content)
    }
}

impl Writer {
    /// Appends derived lines, each with its end; a torn line of before is cut off.
    ///
    /// # Errors
    /// `Io` when the disk refuses.
    pub fn append_derived(&mut self, lines: &[u8]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let path = self.root().join(DERIVED);
        let whole = self.derived()?.len() as u64;
        let fail = |error| io_error("cannot write", &path, error);
        if path.exists() {
            self.disk.truncate(&path, whole).map_err(fail)?;
        }
        self.disk.append(&path, lines).map_err(fail)
    }
}
