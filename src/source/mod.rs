//! Where bytes come from: files, folders, zip and tar archives, archives inside them, gzip, standard input. Content
//! decides what is an archive, names are labels and never paths, and every size that a file claims is only a hint.
//!
//! [`scan`] lists what can be read, [`load`] reads one entry whole and [`open`] as a stream; both hash on the way.

mod flaw;
mod inflate;
mod label;
mod load;
mod look;
mod scan;
mod spool;
mod store;
mod stored;
mod tar_directory;
mod unpack;
mod walk;
mod whole;
mod zip_crypt;
mod zip_directory;
mod zip_salvage;

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Error;
use crate::limits::Limits;
use crate::report::Notes;

pub use load::{Finished, Loaded, Stream, compressed, load, load_compressed, open};
pub use scan::{Spread, scan, scan_spread};
pub use spool::nameless;
pub use whole::Compressed;

/// Something to read from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file, an archive or a folder.
    Path(PathBuf),
    /// What came through standard input; it is named `-`.
    Stdin(Vec<u8>),
}

impl Input {
    /// False for a path that leads nowhere.
    pub fn exists(&self) -> bool {
        match self {
            Input::Path(path) => path.exists(),
            Input::Stdin(_) => true,
        }
    }
}

/// How to read.
#[derive(Clone, Copy)]
pub struct ScanOptions<'a> {
    /// What no source may exceed.
    pub limits: &'a Limits,
    /// The password of encrypted archive members.
    pub password: Option<&'a [u8]>,
}

/// One readable thing: a file or an archive member. Cheap to clone and to send between threads.
#[derive(Clone)]
pub struct Entry {
    /// For people and reports: `export.zip!/activities/7.fit.gz`, always with `/`.
    pub name: Arc<str>,
    stored: stored::Stored,
}

impl Entry {
    /// Bytes of the content as far as known before reading; a hint.
    pub fn size(&self) -> u64 {
        self.stored.size()
    }

    /// True for a member that only a password opens.
    pub fn is_encrypted(&self) -> bool {
        self.stored.is_locked()
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("size", &self.size()).finish_non_exhaustive()
    }
}

/// Something that cannot be read.
#[derive(Debug)]
pub struct Problem {
    /// As [`Entry::name`].
    pub name: String,
    /// Why.
    pub error: Error,
}

/// An archive of which a part is lost.
#[derive(Debug)]
pub struct Damaged {
    /// As [`Entry::name`].
    pub name: String,
    /// What is wrong with it.
    pub notes: Notes,
}

/// What kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// Zip, zip64.
    Zip,
    /// Tar, tar.gz.
    Tar,
}

/// An archive that was listed.
#[derive(Debug)]
pub struct ArchiveInfo {
    /// As [`Entry::name`].
    pub name: String,
    /// What kind.
    pub kind: ArchiveKind,
    /// Entries in it, those of archives inside it included.
    pub entries: u64,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scan {
    /// Everything that can be read, in a fixed order.
    pub entries: Vec<Entry>,
    /// What cannot be read.
    pub problems: Vec<Problem>,
    /// Archives that are damaged themselves. What was found in them is among the entries.
    pub damaged: Vec<Damaged>,
    /// What was passed over or repaired; each detail names the first one.
    pub notes: Notes,
    /// The archives among the inputs.
    pub archives: Vec<ArchiveInfo>,
    /// For each input its first entry.
    pub(crate) firsts: Vec<usize>,
    /// Archives that stay open as long as this: opening one for each of its members takes long.
    open: Vec<store::Store>,
}
