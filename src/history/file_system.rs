//! A file system waited for as a whole: one wait for thousands of new files, instead of one a file.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io;
use std::path::Path;

/// A file system that says whether everything written to it since it was opened has reached the disk.
pub(super) struct FileSystem(#[cfg(target_os = "linux")] File);

#[cfg(target_os = "linux")]
impl FileSystem {
    /// What `statfs(2)` calls the file systems whose `sync_fs` writes all contents and names and then flushes the cache of
    /// the disk: ext2 to ext4, XFS, Btrfs. Others (network, FUSE, overlays) promise less, or nobody looked.
    const SOUND: [u64; 3] = [0xef53, 0x5846_5342, 0x9123_683e];
    /// Since this version of Linux `syncfs(2)` tells of all that failed: of contents since 5.8, of names and of the flush of
    /// the disk's cache since 5.17.
    const TELLS: (u32, u32) = (5, 17);

    /// That of a folder. `None` when one wait a file promises more.
    pub fn of(folder: &Path) -> Option<FileSystem> {
        let file = File::open(folder).ok()?;
        let kind = u64::try_from(rustix::fs::fstatfs(&file).ok()?.f_type).ok()?;
        let tells = version(rustix::system::uname().release().to_str().ok()?)? >= FileSystem::TELLS;
        (tells && FileSystem::SOUND.contains(&kind)).then_some(FileSystem(file))
    }

    /// Waits until everything that was written to it so far, by whomever, is on the disk.
    ///
    /// # Errors
    /// When a write since [`FileSystem::of`] failed.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }
}

/// Of a release of Linux, as `6.1.0-18-amd64`, the first two numbers.
#[cfg(target_os = "linux")]
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Other systems have no such operation.
#[cfg(not(target_os = "linux"))]
impl FileSystem {
    pub fn of(_: &Path) -> Option<FileSystem> {
        None
    }

    pub fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn releases_of_linux_are_compared_by_number() {
        assert_eq!(version("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(version("5.10-rc3"), Some((5, 10)));
        assert!(version("5.4.300").unwrap() < FileSystem::TELLS && version("5.101.2").unwrap() > FileSystem::TELLS);
        assert_eq!(version("unknown"), None);
    }

    #[test]
    fn a_file_system_that_nobody_vouches_for_is_not_waited_for_as_a_whole() {
        // procfs is on every Linux, and holds no file that could be lost.
        assert!(FileSystem::of(Path::new("/proc/self")).is_none());
        assert!(FileSystem::of(Path::new("/proc/self/no such folder")).is_none());
        let here = tempfile::tempdir().unwrap();
        if let Some(whole) = FileSystem::of(here.path()) {
            std::fs::write(here.path().join("a"), b"a").unwrap();
            whole.sync().unwrap();
        }
    }
}
