//! Archives inside archives and decrypted members, kept so that they can be read at any place: in memory while little,
//! else in one temporary file that has no name any more (Unix) or is deleted when closed (Windows).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::flaw::{End, Flaw, end_of};
use super::store::Store;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Bytes of one spool that stay in memory.
const IN_MEMORY: u64 = 8 << 20;
const CHUNK: usize = 256 << 10;

/// Unpacked bytes, shared by all nested archives of one scan.
#[derive(Default)]
pub(super) struct Spool {
    in_memory: u64,
    written: u64,
    file: Option<Arc<File>>,
}

/// One store while it is being written.
pub(super) struct Keeping<'a> {
    spool: &'a mut Spool,
    limit: u64,
    bytes: Vec<u8>,
    start: u64,
    on_disk: u64,
}

impl Spool {
    /// Begins a store.
    pub(super) fn begin(&mut self, limits: &Limits) -> Keeping<'_> {
        let start = self.written;
        Keeping { spool: self, limit: limits.spool_bytes, bytes: Vec::new(), start, on_disk: 0 }
    }

    /// Unpacks a stream; the flaw says that it was damaged after the bytes that were kept.
    ///
    /// # Errors
    /// What the stream's fatal end says; `Limit` when all that is kept exceeds `--max-spool`; `Io`.
    pub(super) fn keep(&mut self, reader: &mut dyn Read, limits: &Limits) -> Result<(Store, Option<Flaw>)> {
        let mut keeping = self.begin(limits);
        let mut buffer = vec![0; CHUNK];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok((keeping.finish(), None)),
                Ok(n) => keeping.push(&buffer[..n])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => match end_of(error) {
                    End::Flaw(flaw) => return Ok((keeping.finish(), Some(flaw))),
                    End::Fatal(error) => return Err(error),
                },
            }
        }
    }
}

impl Keeping<'_> {
    /// Adds bytes.
    ///
    /// # Errors
    /// `Limit` when all that the spool holds exceeds `--max-spool`; `Io`.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let kept = (self.bytes.len() + bytes.len()) as u64;
        if self.spool.in_memory + self.spool.written + kept > self.limit {
            let message = format!("archives inside archives unpack to more than {} bytes", self.limit);
            return Err(Error::limit("--max-spool", message));
        }
        if self.on_disk == 0 && self.spool.in_memory + kept <= IN_MEMORY {
            self.bytes.extend_from_slice(bytes);
            return Ok(());
        }
        let first = std::mem::take(&mut self.bytes);
        self.on_disk += self.spool.append(&first)? + self.spool.append(bytes)?;
        Ok(())
    }

    /// The store with everything that was added.
    pub(super) fn finish(self) -> Store {
        match &self.spool.file {
            Some(file) if self.on_disk > 0 => Store::spool(file, self.start, self.on_disk),
            _ => {
                self.spool.in_memory += self.bytes.len() as u64;
                Store::memory(self.bytes)
            }
        }
    }
}

impl Spool {
    fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(Arc::new(nameless()?)),
        };
        let mut file = &**file;
        file.seek(SeekFrom::Start(self.written))
            .and_then(|_| file.write_all(bytes))
            .map_err(|error| Error::io("cannot write the temporary file", error))?;
        self.written += bytes.len() as u64;
        Ok(bytes.len() as u64)
    }
}

/// A temporary file that only this process can see.
///
/// # Errors
/// `Io` when there is no room for one.
pub fn nameless() -> Result<File> {
    let folder = std::env::temp_dir();
    let failed = |error| Error::io(format!("cannot create a temporary file in {}", folder.display()), error);
    for attempt in 0..1000 {
        let path: PathBuf = folder.join(format!(".paceport-{}-{attempt}", std::process::id()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, 0x0400_0000); // FILE_FLAG_DELETE_ON_CLOSE
        match options.open(&path) {
            Ok(file) => {
                #[cfg(unix)]
                std::fs::remove_file(&path).map_err(failed)?;
                return Ok(file);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(ErrorKind::AlreadyExists.into()))
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
    fn little_stays_in_memory_and_much_goes_to_one_file() {
        let limits = Limits::default();
        let mut spool = Spool::default();
        let small = b"small".repeat(40_000);
        let big = b"a bigger one".repeat(3_333_333);
        let (a, _) = spool.keep(&mut &small[..], &limits).unwrap();
        assert!(spool.file.is_none());
        let (b, _) = spool.keep(&mut &big[..], &limits).unwrap();
        let (c, _) = spool.keep(&mut &big[1..], &limits).unwrap();
        assert_eq!((spool.in_memory, spool.written), (200_000, 79_999_991));
        assert!(all(&a) == small && all(&b) == big && all(&c) == big[1..]);
    }

    #[test]
    fn the_limit_counts_everything() {
        let limits = Limits { spool_bytes: 1000, ..Limits::default() };
        let mut spool = Spool::default();
        spool.keep(&mut &[0; 600][..], &limits).unwrap();
        let error = spool.keep(&mut &[0; 401][..], &limits).err().unwrap();
        assert!(error.to_string().contains("--max-spool"), "{error}");
        spool.keep(&mut &[0; 400][..], &limits).unwrap();
    }
}
