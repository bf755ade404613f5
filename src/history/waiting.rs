//! Texts that wait for the end of an import: a few in memory, many in a file of the history. A line of a journal takes some
//! thousand bytes, and an import may bring a hundred thousand.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::unread;
use super::disk::Disk;
use super::layout::{self, io_error};
use super::lines::read_at;
use crate::error::Result;

/// Bytes that stay in memory.
const IN_MEMORY: usize = 4 << 20;

/// Texts that wait.
#[derive(Default)]
pub struct Waiting {
    texts: Mutex<Texts>,
    /// Where they go when they are many; `None` when they stay in memory.
    disk: Option<(Arc<dyn Disk>, PathBuf)>,
}

#[derive(Default)]
struct Texts {
    /// Bytes in the file; what came after them is in memory.
    spilled: u64,
    memory: Vec<u8>,
    file: Option<File>,
}

/// A text that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    at: u64,
    length: usize,
}

/// A text that is here, or waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Its bytes.
    Here(Box<[u8]>),
    /// It waits elsewhere.
    Waiting(Text),
}

impl Piece {
    /// The same, left where it waits for little memory.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub fn leave(self, waiting: &Waiting) -> Result<Piece> {
        match &self {
            Piece::Here(bytes) => Ok(Piece::Waiting(waiting.put(bytes)?)),
            Piece::Waiting(_) => Ok(self),
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// `Io` when they cannot be read.
    pub fn read(&self, waiting: &Waiting) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Piece::Here(here) => bytes.extend_from_slice(here),
            Piece::Waiting(text) => waiting.read(*text, &mut bytes).map_err(unread)?,
        }
        Ok(bytes)
    }

    /// Its bytes; `buffer` holds those that wait.
    pub(super) fn bytes<'b>(&'b self, waiting: &Waiting, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        match self {
            Piece::Here(bytes) => Ok(bytes),
            Piece::Waiting(text) => {
                waiting.read(*text, buffer)?;
                Ok(buffer)
            }
        }
    }
}

impl Waiting {
    /// For the history at `root`.
    pub(super) fn at(root: &Path, disk: &Arc<dyn Disk>) -> Waiting {
        Waiting { disk: Some((disk.clone(), root.join(layout::INCOMING))), ..Waiting::default() }
    }

    /// Takes a text over.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    fn put(&self, text: &[u8]) -> Result<Text> {
        let texts = &mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((disk, folder)) = self.disk.as_ref().filter(|_| texts.memory.len() + text.len() > IN_MEMORY) {
            texts.spill(&**disk, folder).map_err(|error| io_error("cannot write", folder, error))?;
        }
        let at = texts.spilled + texts.memory.len() as u64;
        if self.disk.is_some() && texts.memory.capacity() > IN_MEMORY / 2 {
            // It does not double once more: it spills before.
            texts.memory.reserve_exact((IN_MEMORY - texts.memory.len()).max(text.len()));
        }
        texts.memory.extend_from_slice(text);
        Ok(Text { at, length: text.len() })
    }

    /// Gives a text back, in place of what is in `into`.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read(&self, text: Text, into: &mut Vec<u8>) -> io::Result<()> {
        let texts = &mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        into.clear();
        let Some(from) = text.at.checked_sub(texts.spilled) else {
            into.resize(text.length, 0);
            return read_at(texts.file.as_ref().ok_or(io::ErrorKind::NotFound)?, into, text.at);
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let bytes = texts.memory.get(from..).and_then(|rest| rest.get(..text.length));
        into.extend_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// Forgets all texts.
    pub(super) fn clear(&self) {
        *self.texts.lock().unwrap_or_else(PoisonError::into_inner) = Texts::default();
    }
}

impl Texts {
    fn spill(&mut self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        let mut file = match &self.file {
            Some(file) => file,
            None => {
                disk.create_folder(folder)?;
                self.file.insert(disk.scratch(&folder.join("waiting"))?)
            }
        };
        file.seek(SeekFrom::Start(self.spilled))?;
        file.write_all(&self.memory)?;
        self.spilled += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn many_texts_wait_on_the_disk_and_come_back_in_any_order() {
        let folder = scratch();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::default());
        let text = |n: usize| format!("{n} ").repeat(1 + n % 700).into_bytes();
        for (waiting, spills) in [(Waiting::at(folder.path(), &disk), true), (Waiting::default(), false)] {
            let all: Vec<Text> = (0..6000).map(|n| waiting.put(&text(n)).unwrap()).collect();
            let mut found = Vec::new();
            for n in (0..6000).rev().step_by(7).chain([0, 5999]) {
                waiting.read(all[n], &mut found).unwrap();
                assert_eq!(found, text(n));
            }
            let texts = waiting.texts.lock().unwrap();
            assert!(texts.memory.len() <= IN_MEMORY || !spills);
            assert_eq!(texts.spilled > IN_MEMORY as u64, spills);
            drop(texts);
            waiting.clear();
            assert!(waiting.read(all[0], &mut found).is_err());
        }
    }
}
