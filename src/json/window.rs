//! A sliding view of a stream. What is being read stays in one piece, and from a mark on nothing is thrown away.

use std::io::{ErrorKind, Read};

use crate::error::{Error, Place, Result};

const BUFFER: usize = 64 << 10;

pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where reading goes on.
    pos: usize,
    /// End of what was read from the stream.
    end: usize,
    /// Offset of the buffer in the stream.
    base: u64,
    /// From here on everything is kept.
    mark: Option<usize>,
    /// Most bytes that are kept for one token.
    most: usize,
    /// Most bytes that are kept behind a mark.
    most_marked: usize,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R, most: u64) -> Window<R> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Window { reader, buffer: Vec::new(), pos: 0, end: 0, base: 0, mark: None, most, most_marked: most }
    }

    /// Offset in the stream.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    pub(super) fn place(&self) -> Place {
        Place { byte: Some(self.offset()), ..Place::NOWHERE }
    }

    /// What has been read and not consumed yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.pos..self.end).unwrap_or(&[])
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.pos = (self.pos + bytes).min(self.end);
    }

    /// Reads more behind what is there; false at the end of the stream.
    ///
    /// # Errors
    /// `Io`; `Limit` when more would have to be kept than allowed.
    pub(super) fn fill(&mut self) -> Result<bool> {
        let keep = self.mark.unwrap_or(self.pos).min(self.pos);
        if self.end == self.buffer.len() {
            if keep > 0 {
                self.buffer.copy_within(keep..self.end, 0);
                self.base += keep as u64;
                self.pos -= keep;
                self.end -= keep;
                self.mark = self.mark.map(|mark| mark - keep);
            }
            // Moving little at a time would cost the square of a long token.
            if self.end > self.buffer.len() / 2 || self.buffer.is_empty() {
                let most = if self.mark.is_some() { self.most_marked } else { self.most };
                if self.end >= most {
                    return Err(Error::limit("--max-entry", format!("one JSON value of more than {most} bytes")));
                }
                self.buffer.resize((self.buffer.len() * 2).max(BUFFER), 0);
            }
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("cannot read", error).at(self.place())),
            }
        }
    }

    /// The byte `at` bytes ahead.
    pub(super) fn peek(&mut self, at: usize) -> Result<Option<u8>> {
        loop {
            if let Some(&byte) = self.rest().get(at) {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Keeps everything from here on, at most about `most` bytes.
    pub(super) fn set_mark(&mut self, most: usize) {
        self.mark = Some(self.pos);
        self.most_marked = most.min(self.most);
    }

    /// Lets go of the mark.
    pub(super) fn clear_mark(&mut self) {
        self.mark = None;
    }

    /// How many bytes lie between the mark and the position.
    pub(super) fn since_mark(&self) -> usize {
        self.mark.map_or(0, |mark| self.pos - mark)
    }

    /// Goes back to the mark.
    pub(super) fn rewind(&mut self) {
        self.pos = self.mark.unwrap_or(self.pos);
    }

    /// Bytes from `from` to `to`, counted from the position.
    pub(super) fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.rest().get(from..to).unwrap_or(&[])
    }

    /// Bytes just consumed: the last `len`, without the `trim` at their end.
    pub(super) fn behind(&self, len: usize, trim: usize) -> &[u8] {
        self.buffer.get(self.pos - len.min(self.pos)..self.pos - trim.min(self.pos)).unwrap_or(&[])
    }
}
