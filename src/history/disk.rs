//! Every change of the disk goes through [`Disk`], so that tests can let each single write, sync or rename fail.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use super::file_system::FileSystem;

/// Files whose way to the disk is waited for at the same time.
const WAITING: usize = 32;
/// From so many files on a file system is waited for as a whole. It takes what others write with it.
const MANY: usize = 256;
/// So many new bytes are worth a wait ahead of the end.
const PIECE: u64 = 48 << 20;

/// Writes what goes into a file, piece by piece.
pub(super) type Content<'a> = &'a mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>;

/// The operations that change a history. The default bodies are the real ones.
pub(super) trait Disk: Send + Sync {
    /// Creates a folder and its missing parents, readable by the owner only: workouts are health data.
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    /// Makes a file of these bytes, in place of one that is there. They may still be on their way to the disk.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::write(path, bytes)
    }

    /// As [`Disk::write`], of bytes that do not fit in memory.
    fn fill(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(256 << 10, File::create(path)?);
        content(&mut file)?;
        file.flush()
    }

    /// Makes a file for what need not last, to be written and read.
    fn scratch(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
    }

    /// Adds bytes to the end of a file, which is created when it is absent. They may still be on their way to the disk.
    fn add(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let mut file = BufWriter::with_capacity(256 << 10, file);
        content(&mut file)?;
        file.flush()
    }

    /// As [`Disk::add`], and waits until they are on the disk.
    fn append(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        self.add(path, content)?;
        self.sync(path)
    }

    /// Puts bytes in the place of those that a file has there. They may still be on their way to the disk.
    fn put_at(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    /// Waits until a file's content is on the disk.
    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.sync_all()
    }

    /// Has to be called before anything is written that [`Disk::sync_whole`] is to wait for; `folder` is on the same file
    /// system.
    fn watch(&self, folder: &Path) -> Watch;

    /// Waits until everything that was written is on the disk.
    ///
    /// # Errors
    /// When a write since [`Disk::watch`] failed.
    fn sync_whole(&self) -> io::Result<()>;

    /// The same in a thread of its own, which calls `end` when it is over; `None` when there is no thread.
    fn begin_sync_whole(self: Arc<Self>, end: Box<dyn FnOnce() + Send>) -> Option<JoinHandle<io::Result<()>>>;

    /// Gives so many files their final names, none before its content is on the disk; `from_to` says which. They are waited
    /// for one by one or as a `whole`: all of the file system of this folder; some may be folders of files then, and the
    /// names are given in order. `meanwhile` is done while the disk is waited for.
    ///
    /// # Errors
    /// The first file that failed; what became of the others is not known then.
    fn settle_files(
        &self,
        files: usize,
        from_to: &(dyn Fn(usize) -> (PathBuf, PathBuf) + Sync),
        whole: Option<&Path>,
        meanwhile: &mut dyn FnMut(),
    ) -> Settled {
        let name = |file| {
            let (from, to) = from_to(file);
            self.rename(&from, &to).map_err(|error| (to, error))
        };
        if let Some(folder) = whole {
            let settle = |_| {
                self.sync_whole().map_err(|error| (folder.to_owned(), error))?;
                (0..files).try_for_each(name)
            };
            return together(1, &settle, meanwhile);
        }
        let settle = |file| {
            let (from, _) = from_to(file);
            self.sync(&from).map_err(|error| (from, error)).and_then(|()| name(file))
        };
        together(files, &settle, meanwhile)
    }

    /// Waits until the entries of all these folders are on the disk.
    ///
    /// # Errors
    /// The first folder that failed.
    fn sync_folders(&self, paths: &[PathBuf]) -> Settled {
        let sync = |at: usize| {
            let Some(path) = paths.get(at) else { return Ok(()) };
            self.sync_folder(path).map_err(|error| (path.clone(), error))
        };
        together(paths.len(), &sync, &mut || ())
    }

    /// Waits until a folder's entries are on the disk. Only Unix knows this operation.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        #[cfg(unix)]
        File::open(path)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = path;
        Ok(())
    }

    /// Gives a file, or a folder, its final name in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Cuts a file, and waits until that is on the disk.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}

/// When it is better to wait for all of a file system than for single files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// From so many files on; never with the largest number.
    pub from_files: usize,
    /// So many new bytes are worth a wait ahead of the end.
    pub piece: u64,
}

impl Watch {
    /// Never.
    pub const NOT: Watch = Watch { from_files: usize::MAX, piece: u64::MAX };
}

/// What became of many things: the first that failed, and why.
pub(super) type Settled = Result<(), (PathBuf, io::Error)>;

/// Waits for many things at once. One wait after the other would cost a flush of the disk's cache each; the waits of several
/// threads share them.
fn together(things: usize, wait: &(dyn Fn(usize) -> Settled + Sync), meanwhile: &mut dyn FnMut()) -> Settled {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let thing = next.fetch_add(1, Ordering::Relaxed);
            if thing >= things {
                break;
            }
            if let Err(error) = wait(thing) {
                next.store(things, Ordering::Relaxed);
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..things.min(WAITING) {
            // Without more threads this one does it all.
            if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        meanwhile();
        work();
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// The disk as it is.
#[derive(Default)]
pub(super) struct RealDisk {
    watched: OnceLock<Option<FileSystem>>,
}

impl Disk for RealDisk {
    fn watch(&self, folder: &Path) -> Watch {
        let watched = self.watched.get_or_init(|| FileSystem::of(folder));
        watched.as_ref().map_or(Watch::NOT, |_| Watch { from_files: MANY, piece: PIECE })
    }

    fn sync_whole(&self) -> io::Result<()> {
        self.watched.get().and_then(Option::as_ref).map_or(Err(io::ErrorKind::Unsupported.into()), FileSystem::sync)
    }

    fn begin_sync_whole(self: Arc<Self>, end: Box<dyn FnOnce() + Send>) -> Option<JoinHandle<io::Result<()>>> {
        let sync = move || {
            let done = self.sync_whole();
            end();
            done
        };
        std::thread::Builder::new().spawn(sync).ok()
    }
}
