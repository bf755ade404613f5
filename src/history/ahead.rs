//! Staged files on their way to the disk while more are staged, so that little is left to wait for at the commit.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::disk::{Disk, Settled};
use super::late::Late;

/// Waits for the disk in a thread of its own, one wait at a time.
#[derive(Default)]
pub(super) struct Ahead {
    /// Bytes staged since the last wait began.
    bytes: u64,
    running: Option<JoinHandle<io::Result<()>>>,
    /// Files that are filled meanwhile.
    pub late: Arc<Late>,
    /// What went wrong. The system says it once.
    failed: Option<io::Error>,
}

impl Ahead {
    /// So many bytes were staged on a disk that is waited for as a whole, in pieces of `piece` bytes.
    pub fn staged(&mut self, bytes: u64, piece: u64, disk: &Arc<dyn Disk>) {
        self.bytes += bytes;
        if self.bytes < piece || self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        self.join();
        self.bytes = 0;
        self.late.begin();
        let late = self.late.clone();
        // Without a thread all is waited for at the end.
        self.running = disk.clone().begin_sync_whole(Box::new(move || late.end()));
        if self.running.is_none() {
            self.late.end();
        }
    }

    /// The end of the waits so far; then all is written that was staged in the history at `root`.
    ///
    /// # Errors
    /// The first that failed. Nothing is left to be written then, either.
    pub fn finish(&mut self, disk: &dyn Disk, root: &Path) -> Settled {
        self.join();
        self.bytes = 0;
        let waited = self.failed.take().map_or(Ok(()), |error| Err((root.to_owned(), error)));
        let finished = waited.and_then(|()| self.late.flush(disk));
        self.late.clear();
        finished
    }

    fn join(&mut self) {
        let Some(running) = self.running.take() else { return };
        self.late.end();
        let done = running.join().unwrap_or_else(|_| Err(io::Error::other("a thread that waited for the disk died")));
        self.failed = self.failed.take().or(done.err());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::super::disk::Watch;
    use super::*;

    const PIECE: u64 = 1000;

    /// A disk that only counts waits; the second one fails.
    #[derive(Default)]
    struct Counting(Mutex<u32>);

    impl Disk for Counting {
        fn watch(&self, _: &Path) -> Watch {
            Watch { from_files: 1, piece: 1 }
        }

        fn sync_whole(&self) -> io::Result<()> {
            let mut waits = self.0.lock().unwrap();
            *waits += 1;
            if *waits == 2 { Err(io::Error::other("injected")) } else { Ok(()) }
        }

        fn begin_sync_whole(self: Arc<Self>, end: Box<dyn FnOnce() + Send>) -> Option<JoinHandle<io::Result<()>>> {
            Some(std::thread::spawn(move || {
                let done = self.sync_whole();
                end();
                done
            }))
        }
    }

    #[test]
    fn a_wait_that_failed_is_told_at_the_end_and_once() {
        let counting = Arc::new(Counting::default());
        let disk: Arc<dyn Disk> = counting.clone();
        let mut ahead = Ahead::default();
        ahead.staged(PIECE - 1, PIECE, &disk);
        let root = Path::new("h");
        ahead.finish(&*disk, root).unwrap();
        assert_eq!(*counting.0.lock().unwrap(), 0, "too little to wait for");
        for waits in 1..=3 {
            ahead.staged(PIECE, PIECE, &disk);
            while ahead.running.as_ref().is_some_and(|running| !running.is_finished()) {
                std::thread::yield_now();
            }
            assert_eq!(*counting.0.lock().unwrap(), waits);
        }
        let (path, error) = ahead.finish(&*disk, root).unwrap_err();
        assert_eq!((&*path, &*error.to_string()), (root, "injected"), "though a later wait succeeded");
        ahead.finish(&*disk, root).unwrap();
    }
}
