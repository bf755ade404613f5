//! Small files that are written a little later. While the disk is waited for ahead of the end, it keeps the blocks of the
//! folders that changed, and who wants to add a file to one of them stands still for as long. So files that are filled
//! meanwhile stay in memory until the wait is over.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::disk::{Disk, Settled};

/// Bytes that stay in memory at most: what two threads fill while the disk writes down what it is waited for.
const MOST: usize = 8 << 20;
/// Files that do.
const MOST_FILES: usize = 512;

/// Files that are still to be written.
#[derive(Default)]
pub(super) struct Late {
    /// The disk is waited for.
    waited_for: AtomicBool,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    files: Vec<(PathBuf, Box<[u8]>)>,
    bytes: usize,
}

impl Late {
    /// The disk is waited for from now on.
    pub fn begin(&self) {
        self.waited_for.store(true, Ordering::Release);
    }

    /// The disk is not waited for any more.
    pub fn end(&self) {
        self.waited_for.store(false, Ordering::Release);
    }

    /// Makes a file of these bytes, now or later; those that wait come first when it is now.
    ///
    /// # Errors
    /// The first file that could not be written. It may be another one, and that is tried again.
    pub fn write(&self, disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Settled {
        if !self.waited_for.load(Ordering::Acquire) {
            self.flush(disk)?;
        } else if self.take(path, bytes) {
            return Ok(());
        }
        disk.write(path, bytes).map_err(|error| (path.to_owned(), error))
    }

    /// True when a file may wait: not too many do.
    fn take(&self, path: &Path, bytes: &[u8]) -> bool {
        let files = &mut *self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let takes = files.files.len() < MOST_FILES && files.bytes.saturating_add(bytes.len()) <= MOST;
        if takes {
            files.bytes += bytes.len();
            files.files.push((path.to_owned(), bytes.into()));
        }
        takes
    }

    /// Writes all that wait. Several threads may do so at once.
    ///
    /// # Errors
    /// The first file that could not be written; it waits still, as do those that were not tried.
    pub fn flush(&self, disk: &dyn Disk) -> Settled {
        let lock = || self.files.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some((path, bytes)) = lock().files.pop() else {
                return Ok(());
            };
            let written = disk.write(&path, &bytes);
            let files = &mut *lock();
            match written {
                Ok(()) => files.bytes -= bytes.len(),
                Err(error) => {
                    files.files.push((path.clone(), bytes));
                    return Err((path, error));
                }
            }
        }
    }

    /// Forgets those that wait.
    pub fn clear(&self) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = Files::default();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::disk::RealDisk;
    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn what_is_filled_while_the_disk_is_waited_for_is_written_afterwards() {
        let folder = scratch();
        let path = |name: &str| folder.path().join(name);
        let (late, disk) = (Late::default(), RealDisk::default());
        late.write(&disk, &path("before"), b"1").unwrap();
        assert!(path("before").exists());
        late.begin();
        late.write(&disk, &path("meanwhile"), b"22").unwrap();
        assert!(!path("meanwhile").exists());
        late.end();
        late.write(&disk, &path("after"), b"333").unwrap();
        for (name, content) in [("meanwhile", "22"), ("after", "333")] {
            assert_eq!(fs::read_to_string(path(name)).unwrap(), content);
        }
        assert_eq!(late.files.lock().unwrap().bytes, 0);
    }

    #[test]
    fn large_files_and_too_many_do_not_wait() {
        let folder = scratch();
        let (late, disk) = (Late::default(), RealDisk::default());
        late.begin();
        late.write(&disk, &folder.path().join("large"), &vec![0; MOST + 1]).unwrap();
        assert!(folder.path().join("large").exists());
        let small = |n: usize| folder.path().join(n.to_string());
        for n in 0..=MOST_FILES {
            late.write(&disk, &small(n), b"x").unwrap();
        }
        assert!(!small(MOST_FILES - 1).exists() && small(MOST_FILES).exists());
        late.flush(&disk).unwrap();
        assert!((0..=MOST_FILES).all(|n| small(n).exists()));
    }

    #[test]
    fn a_file_that_could_not_be_written_is_named_and_tried_again() {
        let folder = scratch();
        let (late, disk) = (Late::default(), RealDisk::default());
        let (there, missing) = (folder.path().join("there"), folder.path().join("missing/file"));
        late.begin();
        late.write(&disk, &there, b"1").unwrap();
        late.write(&disk, &missing, b"2").unwrap();
        late.end();
        for _ in 0..2 {
            assert_eq!(late.write(&disk, &folder.path().join("next"), b"3").unwrap_err().0, missing);
        }
        fs::create_dir(missing.parent().unwrap()).unwrap();
        late.flush(&disk).unwrap();
        assert!(there.exists() && missing.exists());
    }
}
