//! Content out of an entry: each byte unpacked once and hashed while it is hot in the cache.

use std::io::{BufRead, ErrorKind, Read};

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::flaw::{End, Flaw, end_of};
use super::unpack::{Extent, Unpacked, unpack};
use super::whole::{self, Compressed};
use super::{Entry, ScanOptions};
use crate::error::{Error, Kind, Result};
use crate::ids::Digest;
use crate::report::{Notes, Severity};

/// Bytes unpacked and hashed at a time: they fit the second-level cache.
pub(super) const CHUNK: usize = 256 << 10;

/// The whole content of an entry.
#[derive(Debug)]
pub struct Loaded {
    /// Content after unzip and gunzip.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub digest: Digest,
    /// Bytes as stored, before unpacking.
    pub stored_len: u64,
    /// True when the content was gzipped.
    pub gzipped: bool,
    /// The content as one gzip stream, when it came compressed and sound.
    pub gzip: Option<Vec<u8>>,
    /// False when the stored bytes are damaged and `bytes` is only what could be unpacked.
    pub complete: bool,
    /// What was wrong with the stored bytes.
    pub notes: Notes,
}

/// Reads the whole content of an entry. Damaged stored bytes give what could be unpacked, a note of severity damage and
/// `complete = false`.
///
/// # Errors
/// `Limit` (`--max-entry`, `--max-ratio`, `--max-nesting`), `Encrypted`, `Unsupported`, `Io`, and `Malformed` when
/// nothing could be unpacked.
pub fn load(entry: &Entry, options: &ScanOptions<'_>) -> Result<Loaded> {
    load_compressed(entry, compressed(entry), options)
}

/// The content of an entry as the gzip stream that it came as; `None` when it came as anything else. Whether the stream
/// is sound shows when it is inflated.
pub fn compressed(entry: &Entry) -> Option<Compressed> {
    let (store, packing) = entry.stored.unfold();
    whole::compressed(store, &packing)
}

/// As [`load`], for an entry whose compressed form was looked at already.
///
/// # Errors
/// As [`load`].
pub fn load_compressed(entry: &Entry, came: Option<Compressed>, options: &ScanOptions<'_>) -> Result<Loaded> {
    if let Some(came) = came
        && let Some((bytes, digest)) = came.inflate(options.limits)
    {
        let Compressed { gzip, stored, gzipped } = came;
        let (gzip, notes) = (Some(gzip), Notes::new());
        return Ok(Loaded { bytes, digest, stored_len: stored, gzipped, gzip, complete: true, notes });
    }
    let (store, packing) = entry.stored.unfold();
    let unpacked = unpack(store, &packing, options, Extent::Whole);
    unpacked.and_then(|unpacked| whole(unpacked, options)).map_err(|error| error.in_source(&entry.name))
}

fn whole(unpacked: Unpacked, options: &ScanOptions<'_>) -> Result<Loaded> {
    let limits = options.limits;
    let Unpacked { mut reader, stored, gzip_layers, hint, plain, .. } = unpacked;
    let too_big = || Error::limit("--max-entry", format!("more than {} bytes", limits.entry_bytes));
    if plain.is_some_and(|plain| plain.len() > limits.entry_bytes) {
        return Err(too_big());
    }
    // The claimed size is only believed as far as the limits allow such an expansion.
    let believed = hint.min(limits.entry_bytes).min(stored.saturating_mul(limits.expansion_ratio).max(1 << 20));
    let mut bytes = vec![0; usize::try_from(believed).unwrap_or(0)];
    let mut filled = 0;
    let mut hasher = Sha256::new();
    let mut notes = Notes::new();
    loop {
        // Beyond the claimed size a small read says whether it was right, without growing for nothing.
        let mut beyond = [0; 512];
        let end = bytes.len().min(filled + CHUNK);
        let space = match bytes.get_mut(filled..end) {
            Some(space) if !space.is_empty() => space,
            _ => &mut beyond[..],
        };
        match reader.read(space) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&space[..n]);
                if filled == bytes.len() {
                    bytes.extend_from_slice(&beyond[..n]);
                    bytes.resize(bytes.len() + bytes.len().clamp(16 << 10, 16 << 20), 0);
                }
                filled += n;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                keep_going(error, filled > 0, &mut notes)?;
                break;
            }
        }
        if filled as u64 > limits.entry_bytes {
            return Err(too_big());
        }
    }
    bytes.truncate(filled);
    bytes.shrink_to_fit();
    Ok(Loaded {
        bytes,
        digest: Digest(hasher.finalize().into()),
        stored_len: stored,
        gzipped: gzip_layers > 0,
        gzip: None,
        complete: !notes.has_damage(),
        notes,
    })
}

/// Turns a flaw after good bytes into a note.
fn keep_going(error: std::io::Error, some: bool, notes: &mut Notes) -> Result<()> {
    match end_of(error) {
        End::Flaw(Flaw { code, place, detail }) if some || code.severity < Severity::Damage => {
            notes.add(code, place, || detail);
            Ok(())
        }
        End::Flaw(flaw) => Err(Error::new(Kind::Malformed, flaw.detail).at(flaw.place)),
        End::Fatal(error) => Err(error),
    }
}

/// The content of an entry as a stream, hashed while it is read: for giant members.
pub struct Stream {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    total: u64,
    hasher: Sha256,
    notes: Notes,
    ended: bool,
    failed: Option<Error>,
    name: Arc<str>,
    stored_len: u64,
    gzipped: bool,
}

/// What is known when a [`Stream`] has been read to its end.
#[derive(Debug)]
pub struct Finished {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Bytes of the content.
    pub len: u64,
    /// Bytes as stored, before unpacking.
    pub stored_len: u64,
    /// True when the content was gzipped.
    pub gzipped: bool,
    /// False when the stored bytes are damaged and the content is only what could be unpacked.
    pub complete: bool,
    /// What was wrong with the stored bytes.
    pub notes: Notes,
}

/// Opens an entry as a stream. `--max-entry` does not apply: nothing is held but a buffer. Trouble on the way ends the
/// stream early; [`Stream::finish`] tells.
///
/// # Errors
/// `Encrypted`, `Unsupported`, `Limit` (`--max-nesting`), `Io`, `Malformed`.
pub fn open(entry: &Entry, options: &ScanOptions<'_>) -> Result<Stream> {
    let (store, packing) = entry.stored.unfold();
    let unpacked = unpack(store, &packing, options, Extent::Whole).map_err(|error| error.in_source(&entry.name))?;
    Ok(Stream {
        reader: unpacked.reader,
        buffer: vec![0; CHUNK],
        at: 0,
        end: 0,
        total: 0,
        hasher: Sha256::new(),
        notes: Notes::new(),
        ended: false,
        failed: None,
        name: entry.name.clone(),
        stored_len: unpacked.stored,
        gzipped: unpacked.gzip_layers > 0,
    })
}

impl Stream {
    fn advance(&mut self) {
        while self.at == self.end && !self.ended {
            (self.at, self.end) = (0, 0);
            self.fill();
        }
    }

    /// Reads once into the free end of the buffer.
    fn fill(&mut self) {
        match self.reader.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.ended = true,
            Ok(n) => {
                self.total += n as u64;
                self.hasher.update(&self.buffer[self.end..self.end + n]);
                self.end += n;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                self.ended = true;
                self.failed = keep_going(error, self.total > 0, &mut self.notes).err();
            }
        }
    }

    /// The first bytes of a stream that was not read from yet: `want` of them (at most a buffer full), or all there are.
    /// They are still to be read.
    pub fn head(&mut self, want: usize) -> &[u8] {
        while self.end < want.min(self.buffer.len()) && !self.ended {
            self.fill();
        }
        &self.buffer[self.at..self.end]
    }

    /// Reads what is left and says what the content was.
    ///
    /// # Errors
    /// What ended the stream early: `Limit` (`--max-ratio`), `Io`, `Malformed` when nothing could be unpacked.
    pub fn finish(mut self) -> Result<Finished> {
        while !self.ended {
            self.at = self.end;
            self.advance();
        }
        if let Some(error) = self.failed {
            return Err(error.in_source(&self.name));
        }
        Ok(Finished {
            digest: Digest(self.hasher.finalize().into()),
            len: self.total,
            stored_len: self.stored_len,
            gzipped: self.gzipped,
            complete: !self.notes.has_damage(),
            notes: self.notes,
        })
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.advance();
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.end);
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(out.len());
        out[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::Store;
    use super::super::stored::Stored;
    use super::super::unpack::Packing;
    use super::*;
    use crate::limits::Limits;

    /// SHA-256 of "abc" (FIPS 180-4, example 1).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn entry(bytes: &[u8]) -> Entry {
        Entry { name: "x".into(), stored: Stored::new(Store::memory(bytes.to_vec()), Packing::Plain, 0) }
    }

    #[test]
    fn the_digest_is_of_the_content() {
        let limits = Limits::default();
        let options = ScanOptions { limits: &limits, password: None };
        let loaded = load(&entry(b"abc"), &options).unwrap();
        assert_eq!((loaded.bytes.as_slice(), loaded.digest.to_string().as_str()), (&b"abc"[..], ABC));
        assert!(!loaded.gzipped && loaded.complete);
        assert!(load(&entry(b""), &options).unwrap().bytes.is_empty());
    }

    #[test]
    fn a_stream_hashes_what_its_reader_leaves_unread() {
        let limits = Limits::default();
        let options = ScanOptions { limits: &limits, password: None };
        for unread in 0..=3 {
            let mut stream = open(&entry(b"abc"), &options).unwrap();
            let mut some = vec![0; 3 - unread];
            stream.read_exact(&mut some).unwrap();
            let finished = stream.finish().unwrap();
            assert_eq!((finished.len, finished.digest.to_string().as_str()), (3, ABC), "{unread}");
        }
    }

    #[test]
    fn the_head_of_a_stream_is_read_again_with_the_rest() {
        let limits = Limits::default();
        let options = ScanOptions { limits: &limits, password: None };
        let mut stream = open(&entry(b"abc"), &options).unwrap();
        assert_eq!(stream.head(2).get(..2), Some(&b"ab"[..]));
        assert_eq!(stream.head(100), b"abc");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), stream.finish().unwrap().digest.to_string().as_str()), (&b"abc"[..], ABC));
    }

    #[test]
    fn a_plain_file_beyond_the_limit_is_not_read_but_may_be_streamed() {
        let limits = Limits { entry_bytes: 2, ..Limits::default() };
        let options = ScanOptions { limits: &limits, password: None };
        let error = load(&entry(b"abc"), &options).unwrap_err();
        assert_eq!((error.kind(), error.source_name()), (Kind::Limit, Some("x")));
        assert_eq!(open(&entry(b"abc"), &options).unwrap().finish().unwrap().len, 3);
    }
}
