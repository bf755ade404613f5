//! A batch on its way into the journal. All but its last line is written while the disk is waited for: until that line is
//! there the batch is a torn one, which nobody believes and whoever writes next cuts off.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::entry::{Batch, PARSER};
use super::journal::{self, Line, LineKind, Point};
use super::layout::{self, io_error};
use super::lines::{Said, SegmentFile, said};
use super::waiting::Piece;
use super::{End, Writer};
use crate::error::Result;

/// A batch that lacks its last line.
pub(super) struct Begun {
    path: PathBuf,
    last: Vec<u8>,
    /// What its lines say, the last one included.
    said: Vec<Said>,
    /// The end of the journal once it is whole.
    end: End,
    /// How many lines it has, its head not counted.
    pub lines: usize,
    /// No line of its segment counts yet.
    first: bool,
}

impl Writer {
    /// Writes all of a batch but its last line, to the last segment or to a `fresh` one. With `wait` what is there of it is on
    /// the disk then, and little is left to wait for at the end.
    ///
    /// # Errors
    /// `Io` when the disk refuses; [`Writer::cut_batch`] must follow then.
    pub(super) fn begin_batch(&self, bodies: &[Piece], fresh: bool, resets: bool, wait: bool) -> Result<Begun> {
        let end = self.end_for(fresh);
        let first = end.keep.at == 0;
        let batch = Batch { parser: PARSER.to_owned(), lines: bodies.len(), resets };
        let head = Piece::Here(journal::body(LineKind::Batch, &batch)?);
        let path = self.history.root.join(layout::segment_path(end.segment));
        let (mut last, mut all, mut at) = (Vec::new(), Vec::with_capacity(bodies.len() + 1), end.keep);
        let mut write = || -> io::Result<()> {
            if first {
                self.disk.create_folder(&self.history.root.join(layout::JOURNAL))?;
                self.disk.add(&path, &mut |_| Ok(()))?;
            }
            let file = Arc::new(SegmentFile { file: File::open(&path)?, path: path.clone() });
            let (waiting, mut waited) = (self.waiting(), Vec::new());
            self.disk.add(&path, &mut |out| {
                for body in [&head].into_iter().chain(bodies) {
                    out.write_all(&last)?;
                    last.clear();
                    let body = body.bytes(&waiting, &mut waited)?;
                    let number = at.number + 1;
                    journal::seal(&mut last, body, number);
                    let text = last.strip_suffix(b"\n").unwrap_or(&last);
                    let kind = journal::kind_of(text).unwrap_or(LineKind::Unknown);
                    let line = Line { n: number, number, at: at.at, length: text.len(), kind };
                    all.push(said(&line, text, &file));
                    at = Point { at: at.at + last.len() as u64, number };
                }
                Ok(())
            })?;
            if wait { self.disk.sync(&path) } else { Ok(()) }
        };
        write().map_err(|error| io_error("cannot write", &path, error))?;
        let end = End { keep: at, length: at.at, open_end: false, ..end };
        Ok(Begun { path, last, said: all, end, lines: bodies.len(), first })
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
        self.history.state.reserve(said.iter());
        self.history.play(end.segment, said.into_iter(), std::iter::empty());
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
