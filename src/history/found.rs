//! The founding of a history: its folder, its lock, an empty journal, the version file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::disk::Disk;
use super::layout::{self, io_error, wrong};
use crate::error::Result;

/// A folder that holds something else than a history in the making is left alone.
pub(super) fn refuse_foreign_folder(root: &Path) -> Result<()> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error("cannot list", root, error)),
    };
    if layout::has_content(root) {
        let reason = format!("this is a history without its {}; run verify", layout::VERSION_FILE);
        return Err(wrong(root, reason));
    }
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name != layout::JOURNAL && name != layout::LOCK_FILE && name != layout::NEW_VERSION_FILE {
            return Err(wrong(root, "the folder is neither empty nor a history; nothing was touched"));
        }
    }
    Ok(())
}

pub(super) fn lock(root: &Path, wait: bool) -> Result<File> {
    let path = root.join(layout::LOCK_FILE);
    let open = || OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = open().map_err(|error| io_error("cannot open", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) if wait => {
            file.lock().map_err(|error| io_error("cannot lock", &path, error))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let reason = "another program is writing to this history; try again later (import and refresh can wait for \
                          it with --wait)";
            Err(wrong(root, reason))
        }
        Err(TryLockError::Error(error)) => Err(io_error("cannot lock", &path, error)),
    }
}

/// Makes the folder itself, and waits until it and its new parents are on the disk.
pub(super) fn create_root(root: &Path, disk: &dyn Disk) -> io::Result<()> {
    let new = root.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let parents: Vec<&Path> = new.filter_map(Path::parent).collect();
    disk.create_folder(root)?;
    for parent in parents {
        disk.sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
    }
    Ok(())
}

/// Makes an empty journal, then the version file: from now on the folder is a history.
pub(super) fn create(root: &Path, disk: &dyn Disk) -> Result<()> {
    let (journal, segment) = (root.join(layout::JOURNAL), root.join(layout::segment_path(1)));
    let write = || -> io::Result<()> {
        disk.create_folder(&journal)?;
        disk.write(&segment, b"")?;
        disk.sync(&segment)?;
        disk.sync_folder(&journal)?;
        write_version(root, disk)
    };
    write().map_err(|error| io_error("cannot write to", root, error))
}

pub(super) fn write_version(root: &Path, disk: &dyn Disk) -> io::Result<()> {
    let (path, new) = (root.join(layout::VERSION_FILE), root.join(layout::NEW_VERSION_FILE));
    disk.write(&new, format!("{{\"history\": {}}}\n", layout::VERSION).as_bytes())?;
    disk.sync(&new)?;
    disk.rename(&new, &path)?;
    disk.sync_folder(root)
}
