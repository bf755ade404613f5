//! Texts that wait for the end of a run: a few in memory, many in a file. A line of a journal takes some thousand bytes, and
//! an import may bring a hundred thousand.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::batch::unread;
use super::disk::Disk;
use super::layout::{self, io_error};
use super::lines::read_at;
use crate::error::{Error, Kind, Result};

/// Bytes of a page of texts in memory.
const PAGE: usize = 1 << 20;
/// Pages that stay in memory until the first of them go into the file: those of some thousand activities are written once
/// then, and not twice. Of more texts one page stays, as what they belong to takes memory, too.
const PAGES: usize = 12;
/// Bytes that are read of a text before its length is known; most are shorter.
const MOST: u64 = 2048;
/// Bytes of the length that each text is kept behind.
const LENGTH: usize = 4;

/// Texts that wait.
pub struct Waiting {
    texts: Mutex<Texts>,
    place: Place,
}

/// Where the texts go when they are many.
enum Place {
    /// Into a file in this folder.
    Folder(Arc<dyn Disk>, PathBuf),
    /// Into a file that is made so; they stay in memory where there can be none.
    Made(fn() -> Result<File>),
}

#[derive(Default)]
struct Texts {
    /// Bytes in the file; what came after them is in memory.
    spilled: u64,
    /// Pages in memory, each behind where it starts.
    pages: Vec<(u64, Vec<u8>)>,
    file: Option<File>,
    /// One page stays in memory.
    many: bool,
    /// The file takes no more.
    full: bool,
}

/// A text that waits: where it starts. A hundred thousand of these are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text(u64);

/// A text that is here, or waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        Waiting { texts: Mutex::default(), place: Place::Folder(disk.clone(), root.join(layout::INCOMING)) }
    }

    /// For what has no history: many go into a file that `make` gives, to be written and read. Where that cannot be had, or
    /// takes no more, they stay in memory: no result depends on a folder for temporary files.
    pub fn made(make: fn() -> Result<File>) -> Waiting {
        Waiting { texts: Mutex::default(), place: Place::Made(make) }
    }

    /// More texts are to come than a few pages hold.
    pub fn expect_many(&self) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).many = true;
    }

    /// Takes a text over.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn put(&self, text: &[u8]) -> Result<Text> {
        let Ok(length) = u32::try_from(text.len()) else {
            return Err(Error::new(Kind::Limit, format!("a text of {} bytes is too long to wait", text.len())));
        };
        let texts = &mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, page) = texts.page(text.len() + LENGTH, &self.place)?;
        let at = *start + page.len() as u64;
        page.extend_from_slice(&length.to_le_bytes());
        page.extend_from_slice(text);
        Ok(Text(at))
    }

    /// Gives a text back, in place of what is in `into`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, text: Text, into: &mut Vec<u8>) -> io::Result<()> {
        let texts = &mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        into.clear();
        if text.0 < texts.spilled {
            let file = texts.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
            into.resize(MOST.min(texts.spilled - text.0) as usize, 0);
            read_at(file, into, text.0)?;
            let (there, whole) = (into.len(), LENGTH + length_of(into)?);
            into.resize(whole, 0);
            read_at(file, into.get_mut(there..).unwrap_or_default(), text.0 + there as u64)?;
            into.drain(..LENGTH);
            return Ok(());
        }
        let page = texts.pages.partition_point(|(start, _)| *start <= text.0).checked_sub(1);
        let (start, page) = page.and_then(|at| texts.pages.get(at)).ok_or(io::ErrorKind::NotFound)?;
        let bytes = page.get((text.0 - start) as usize..).unwrap_or_default();
        let bytes = bytes.get(LENGTH..).and_then(|rest| rest.get(..length_of(bytes).ok()?));
        into.extend_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// Takes a value over, as JSON.
    ///
    /// # Errors
    /// As [`Waiting::put`].
    pub fn put_json(&self, value: &impl Serialize) -> Result<Text> {
        let failed = |error| Error::new(Kind::Internal, format!("cannot leave a value for the end: {error}"));
        self.put(&serde_json::to_vec(value).map_err(failed)?)
    }

    /// Gives a value back that was left as JSON.
    ///
    /// # Errors
    /// `Io` when the file cannot be read.
    pub fn read_json<T: DeserializeOwned>(&self, text: Text) -> Result<T> {
        let mut json = Vec::new();
        self.read(text, &mut json).map_err(unread)?;
        let failed = |error| Error::new(Kind::Internal, format!("cannot read a value that was left: {error}"));
        serde_json::from_slice(&json).map_err(failed)
    }

    /// Forgets all texts.
    pub(super) fn clear(&self) {
        *self.texts.lock().unwrap_or_else(PoisonError::into_inner) = Texts::default();
    }
}

/// The length that a text is kept behind.
fn length_of(bytes: &[u8]) -> io::Result<usize> {
    let length = bytes.first_chunk::<LENGTH>().ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(u32::from_le_bytes(*length) as usize)
}

impl Texts {
    /// A page with room for so many bytes more, and where it starts.
    fn page(&mut self, room: usize, place: &Place) -> Result<&mut (u64, Vec<u8>)> {
        let has_room =
            |texts: &Texts| texts.pages.last().is_some_and(|(_, page)| page.is_empty() || page.len() + room <= PAGE);
        let most = if self.many { 1 } else { PAGES };
        if !has_room(self) && self.pages.len() >= most && !self.full {
            match (self.spill(place), place) {
                (Err(_), Place::Made(_)) => self.full = true,
                (spilled, _) => spilled?,
            }
        }
        if !has_room(self) {
            let end = self.pages.last().map(|(start, page)| start + page.len() as u64);
            let length = if end.is_some() { PAGE.max(room) } else { 0 };
            self.pages.push((end.unwrap_or(self.spilled), Vec::with_capacity(length)));
        }
        let last = self.pages.last_mut().ok_or_else(|| Error::new(Kind::Internal, "there is no page for texts"))?;
        if last.1.capacity() > PAGE / 2 {
            // It does not double once more: it ends before.
            last.1.reserve_exact(PAGE.saturating_sub(last.1.len()).max(room));
        }
        Ok(last)
    }

    /// Moves all pages into the file.
    fn spill(&mut self, place: &Place) -> Result<()> {
        self.many = true;
        let file = match (&self.file, place) {
            (Some(file), _) => file,
            (None, Place::Made(make)) => self.file.insert(make()?),
            (None, Place::Folder(disk, folder)) => {
                let make = || disk.create_folder(folder).and_then(|()| disk.scratch(&folder.join("waiting")));
                self.file.insert(make().map_err(|error| io_error("cannot write", folder, error))?)
            }
        };
        let mut file = file;
        let mut write = || -> io::Result<()> {
            file.seek(SeekFrom::Start(self.spilled))?;
            self.pages.iter().try_for_each(|(_, page)| file.write_all(page))
        };
        let written = write();
        written.map_err(|error| match place {
            Place::Folder(_, folder) => io_error("cannot write", folder, error),
            Place::Made(_) => Error::io("cannot write the temporary file", error),
        })?;
        self.spilled += self.pages.iter().map(|(_, page)| page.len() as u64).sum::<u64>();
        self.pages.truncate(1);
        if let Some((start, page)) = self.pages.first_mut() {
            *start = self.spilled;
            page.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread::JoinHandle;

    use super::super::disk::{RealDisk, Watch};
    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn many_texts_wait_on_the_disk_and_come_back_in_any_order() {
        let folder = scratch();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::default());
        let text = |n: usize| format!("{n} ").repeat(n % 700).into_bytes();
        let make = || Ok(tempfile::tempfile().unwrap());
        let none = || Err(Error::new(Kind::Io, "no folder for temporary files"));
        let expecting = |waiting: Waiting| {
            waiting.expect_many();
            assert_eq!(waiting.put(&[1; 9 << 19]).unwrap(), Text(0));
            waiting.put(&[1; 9 << 19]).unwrap();
            assert!(waiting.texts.lock().unwrap().spilled > 0);
            waiting
        };
        let full = || Ok(File::open(std::env::current_exe().unwrap()).unwrap());
        for (waiting, spills) in [
            (Waiting::at(folder.path(), &disk), true),
            (expecting(Waiting::at(folder.path(), &disk)), true),
            (Waiting::made(make), true),
            (Waiting::made(none), false),
            (Waiting::made(full), false),
        ] {
            let all: Vec<Text> = (0..14_000).map(|n| waiting.put(&text(n)).unwrap()).collect();
            let mut found = Vec::new();
            for n in (0..14_000).rev().step_by(7).chain([0, 13_999]) {
                waiting.read(all[n], &mut found).unwrap();
                assert_eq!(found, text(n));
            }
            let texts = waiting.texts.lock().unwrap();
            assert_eq!((texts.pages.len() == 1, texts.spilled > (PAGES * PAGE) as u64), (spills, spills));
            drop(texts);
            waiting.clear();
            assert!(waiting.read(all[0], &mut found).is_err());
        }
    }

    /// A disk that is full.
    struct Full;

    impl Disk for Full {
        fn watch(&self, _: &Path) -> Watch {
            Watch::NOT
        }

        fn sync_whole(&self) -> io::Result<()> {
            Ok(())
        }

        fn begin_sync_whole(self: Arc<Self>, _: Box<dyn FnOnce() + Send>) -> Option<JoinHandle<io::Result<()>>> {
            None
        }

        fn create_folder(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }

        fn scratch(&self, _: &Path) -> io::Result<File> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no room"))
        }
    }

    #[test]
    fn what_came_before_a_full_disk_is_still_there() {
        let full: Arc<dyn Disk> = Arc::new(Full);
        let waiting = Waiting::at(Path::new("h"), &full);
        let text = [7; 1000];
        let mut all = Vec::new();
        let refused = loop {
            match waiting.put(&text) {
                Ok(place) => all.push(place),
                Err(error) => break error,
            }
        };
        assert!(refused.message().contains("no room"), "{refused}");
        assert_eq!(all.len(), PAGES * (PAGE / (text.len() + LENGTH)));
        assert!(waiting.put(&text).is_err(), "nothing is left out");
        let mut found = Vec::new();
        for place in all {
            waiting.read(place, &mut found).unwrap();
            assert_eq!(found, text);
        }
    }
}
