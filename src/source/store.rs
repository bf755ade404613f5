//! Where stored bytes lie: a file on disk, a piece of memory or the spool, each as a range with positioned reads.
//! A store is cheap to clone, and its readers do not disturb each other, so every worker reads from the same archive.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A range of stored bytes.
#[derive(Clone)]
pub(super) struct Store(Arc<Part>);

struct Part {
    data: Arc<Data>,
    start: u64,
    len: u64,
}

enum Data {
    /// Opened for as long as somebody reads: a folder of ten thousand archives must not need as many descriptors.
    Path {
        path: Box<Path>,
        open: Mutex<Weak<File>>,
    },
    /// A file that stays open: the spool, which is unlinked and cannot be opened again, or one that is held.
    Open(Arc<File>),
    Memory(Vec<u8>),
}

enum Handle {
    File(Arc<File>),
    Memory(Arc<Data>),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes from {}", self.0.len, self.0.start)
    }
}

impl Store {
    fn new(data: Arc<Data>, start: u64, len: u64) -> Store {
        Store(Arc::new(Part { data, start, len }))
    }

    /// A regular file of `len` bytes.
    pub(super) fn path(path: &Path, len: u64) -> Store {
        Store::new(Arc::new(Data::Path { path: path.into(), open: Mutex::new(Weak::new()) }), 0, len)
    }

    /// A part of the spool file.
    pub(super) fn spool(file: &Arc<File>, start: u64, len: u64) -> Store {
        Store::new(Arc::new(Data::Open(file.clone())), start, len)
    }

    /// The same, open as long as anything that came from it: readers of many parts share the file without asking for it.
    pub(super) fn held(&self) -> io::Result<Store> {
        Ok(match self.reader()?.handle {
            Handle::File(file) => Store::new(Arc::new(Data::Open(file)), self.0.start, self.0.len),
            Handle::Memory(_) => self.clone(),
        })
    }

    /// Bytes in memory.
    pub(super) fn memory(bytes: Vec<u8>) -> Store {
        let len = bytes.len() as u64;
        Store::new(Arc::new(Data::Memory(bytes)), 0, len)
    }

    /// How many bytes.
    pub(super) fn len(&self) -> u64 {
        self.0.len
    }

    /// A part of this store; what lies beyond its end is cut off.
    pub(super) fn part(&self, start: u64, len: u64) -> Store {
        let start = start.min(self.0.len);
        Store::new(self.0.data.clone(), self.0.start + start, len.min(self.0.len - start))
    }

    /// A reader from the first byte on.
    pub(super) fn reader(&self) -> io::Result<Range> {
        let Part { data, start, len } = &*self.0;
        let handle = match &**data {
            Data::Path { path, open } => {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                Handle::File(match open.upgrade() {
                    Some(file) => file,
                    None => {
                        let file = Arc::new(File::open(path)?);
                        *open = Arc::downgrade(&file);
                        file
                    }
                })
            }
            Data::Open(file) => Handle::File(file.clone()),
            Data::Memory(_) => Handle::Memory(data.clone()),
        };
        Ok(Range { handle, at: *start, end: start + len, start: *start })
    }

    /// Reads up to `buffer.len()` bytes from `at`; fewer only at the end.
    pub(super) fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader()?.read_at(at, buffer)
    }
}

/// Reads a [`Store`] from its own position.
pub(super) struct Range {
    handle: Handle,
    start: u64,
    at: u64,
    end: u64,
}

impl Range {
    /// Reads up to `buffer.len()` bytes from `at`, counted from the start of the store; fewer only at the end.
    pub(super) fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.at = self.start.saturating_add(at).min(self.end);
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }
}

impl Read for Range {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..want) else { return Ok(0) };
        if buffer.is_empty() {
            return Ok(0);
        }
        let got = match &self.handle {
            Handle::File(file) => read_positioned(file, buffer, self.at)?,
            Handle::Memory(data) => match &**data {
                Data::Memory(bytes) => {
                    let rest = usize::try_from(self.at).ok().and_then(|at| bytes.get(at..)).unwrap_or(&[]);
                    let n = rest.len().min(buffer.len());
                    buffer[..n].copy_from_slice(&rest[..n]);
                    n
                }
                Data::Path { .. } | Data::Open(_) => 0,
            },
        };
        self.at += got as u64;
        Ok(got)
    }
}

fn read_positioned(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let got = std::os::unix::fs::FileExt::read_at(file, buffer, at);
        #[cfg(windows)]
        let got = std::os::windows::fs::FileExt::seek_read(file, buffer, at);
        match got {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            got => return got,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(store: &Store) -> Vec<u8> {
        let mut out = Vec::new();
        store.reader().unwrap().read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn parts_of_parts_stay_inside() {
        let store = Store::memory((0..100).collect());
        let part = store.part(10, 50).part(5, 1000);
        assert_eq!(all(&part), (15..60).collect::<Vec<u8>>());
        assert_eq!(part.part(u64::MAX, 3).len(), 0);
        let mut two = [0; 2];
        assert_eq!(part.read_at(44, &mut two).unwrap(), 1);
        assert_eq!(two[0], 59);
        assert_eq!(part.read_at(u64::MAX, &mut two).unwrap(), 0);
    }

    #[test]
    fn a_file_is_open_only_while_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"0123456789").unwrap();
        let store = Store::path(&path, 10);
        let (mut one, mut two) = (store.reader().unwrap(), store.part(4, 3).reader().unwrap());
        let mut out = [0; 3];
        two.read_exact(&mut out).unwrap();
        assert_eq!(&out, b"456");
        one.read_exact(&mut out).unwrap();
        assert_eq!(&out, b"012");
        drop((one, two));
        let held = store.held().unwrap().part(4, 3);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(all(&held), b"456");
        assert!(store.reader().is_ok());
        drop(held);
        assert_eq!(store.reader().err().unwrap().kind(), io::ErrorKind::NotFound);
    }
}
