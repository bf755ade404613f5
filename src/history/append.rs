//! A batch on its way into the journal. All but its last line is written while the disk is waited for: until that line is
//! there the batch is a torn one, which nobody believes and whoever writes next cuts off.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::batch::{Lines, unread};
use super::entry::{Batch, PARSER};
use super::journal::{self, Line, LineKind, Point};
use super::layout::{self, io_error};
use super::lines::{SegmentFile, Sports, said, said_of};
use super::replay::{SaidByKind, State};
use super::{End, Writer};
use crate::error::Result;
use crate::ids::Digest;

/// A batch that lacks its last line.
pub(super) struct Begun {
    path: PathBuf,
    last: Vec<u8>,
    /// What its lines say, the last one included.
    said: SaidByKind,
    /// The end of the journal once it is whole.
    end: End,
    /// How many lines it has, its head not counted.
    pub lines: usize,
    /// No line of its segment counts yet.
    first: bool,
}

impl Writer {
    /// Writes all of a batch but its last line, to the last segment or to a `fresh` one; `None` when it has no lines. With
    /// `wait` what is there of it is on the disk then, and little is left to wait for at the end.
    ///
    /// # Errors
    /// `Io` when the disk refuses; [`Writer::cut_batch`] must follow then.
    pub(super) fn begin_batch(&self, mut lines: Lines, fresh: bool, resets: bool, wait: bool) -> Result<Option<Begun>> {
        let waiting = self.waiting();
        lines.settle(&waiting).map_err(unread)?;
        let [originals, activities, others] = lines.counts();
        let count = originals + activities + others;
        if count == 0 && !resets {
            return Ok(None);
        }
        let end = self.end_for(fresh);
        let first = end.keep.at == 0;
        let head = journal::body(LineKind::Batch, &Batch { parser: PARSER.to_owned(), lines: count, resets })?;
        let path = self.history.root.join(layout::segment_path(end.segment));
        let (mut last, mut at) = (Vec::new(), end.keep);
        let (mut all, mut sports) = (SaidByKind::with_room(originals, activities), Sports::default());
        let (mut put, root) = (Some(lines), &self.history.root);
        let mut write = || -> io::Result<()> {
            if first {
                self.disk.create_folder(&root.join(layout::JOURNAL))?;
                self.disk.add(&path, &mut |_| Ok(()))?;
            }
            let file = Arc::new(SegmentFile { file: File::open(&path)?, path: path.clone() });
            self.disk.add(&path, &mut |out| {
                let mut each = |kind: LineKind, body: &[u8], original: Option<(Digest, u64)>| {
                    out.write_all(&last)?;
                    last.clear();
                    let number = at.number + 1;
                    journal::seal(&mut last, body, number);
                    let text = last.strip_suffix(b"\n").unwrap_or(&last);
                    let line = Line { n: number, number, at: at.at, length: text.len(), kind };
                    all.add(match original {
                        Some((digest, stream)) => said_of(&line, digest, stream, &file),
                        None => said(&line, text, &file, &mut sports),
                    });
                    at = Point { at: at.at + last.len() as u64, number };
                    Ok(())
                };
                each(LineKind::Batch, &head, None)?;
                put.take().unwrap_or_default().hand_over(&waiting, &mut each)
            })?;
            if wait { self.disk.sync(&path) } else { Ok(()) }
        };
        write().map_err(|error| io_error("cannot write", &path, error))?;
        let end = End { keep: at, length: at.at, open_end: false, ..end };
        Ok(Some(Begun { path, last, said: all, end, lines: count, first }))
    }

    /// Makes a batch count, and takes what it says over into memory.
    ///
    /// # Errors
    /// `Io` when the disk refuses; the batch is cut off then.
    pub(super) fn end_batch(&mut self, begun: Begun) -> Result<()> {
        let Begun { path, last, said, end, first, .. } = begun;
        let write = || -> io::Result<()> {
            self.disk.append(&path, &mut |out| out.write_all(&last))?;
            if first {
                self.disk.sync_folder(&self.history.root.join(layout::JOURNAL))?;
                self.disk.sync_folder(&self.history.root)?;
            }
            Ok(())
        };
        if let Err(error) = write() {
            self.cut_batch(end.segment != self.history.end.segment);
            return Err(io_error("cannot write", &path, error));
        }
        self.history.play(end.segment, |state: &mut State| state.play_batch(said), std::iter::empty());
        self.history.end = end;
        self.history.state.settle();
        Ok(())
    }

    /// Cuts off what there is of a batch. When that fails it does no harm, and the next one to write does it.
    pub(super) fn cut_batch(&mut self, fresh: bool) {
        self.history.end = End { length: u64::MAX, ..self.end_for(fresh) };
        let _ = self.heal();
    }

    /// Where a batch goes.
    fn end_for(&self, fresh: bool) -> End {
        let end = self.history.end;
        if fresh { End { segment: end.segment + 1, ..End::default() } } else { end }
    }
}
