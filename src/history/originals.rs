//! Source bytes as files: text gzipped, as it came when it came so, everything else plain.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use super::layout::{OriginalKind, original_path};
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Bytes that are compressed at a time.
const BLOCK: usize = 256 << 10;
/// How hard text is compressed. Level 2 takes less than half the time of level 6 for files that are an eighth larger;
/// level 1 would make them half as large again as level 6 (`benches/README.md`).
const LEVEL: Compression = Compression::new(2);

/// Source bytes to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewOriginal<'a> {
    /// SHA-256 of `bytes`.
    pub digest: Digest,
    /// The content after gunzip and unzip.
    pub bytes: &'a [u8],
    /// The content as one gzip stream, when it came so.
    pub gzip: Option<&'a [u8]>,
    /// Names under which it was met.
    pub names: &'a [String],
    /// Format id.
    pub format: &'a str,
    /// Extension of the file, without a dot.
    pub extension: &'a str,
    /// True for a text format: it is gzipped.
    pub text: bool,
    /// Start of its first activity, ms UTC.
    pub start: Option<i64>,
    /// Canonical sport name of its first activity.
    pub sport: &'a str,
    /// How many activities it holds, as far as that is known.
    pub activities: u32,
    /// One workout or many.
    pub kind: OriginalKind,
}

impl<'a> NewOriginal<'a> {
    /// Where it will lie, relative to the root.
    pub(super) fn path(&self) -> String {
        let name = self.names.iter().min().map_or("", String::as_str);
        original_path(self.kind, self.start, self.sport, &self.digest, name, self.extension, self.text)
    }

    /// Makes the bytes of its file. Text that came compressed stays as it came: compressing is a sixth of an import's work,
    /// and most sources are compressed better than level 2 does it. Other text is gzipped at level 2 without name and time.
    ///
    /// # Errors
    /// None in practice: compression into memory does not fail.
    pub fn pack(self) -> Result<Packed<'a>> {
        debug_assert!(digest_of(self.bytes) == self.digest, "the digest is that of the bytes");
        let gzip = || -> io::Result<Vec<u8>> {
            let out = Vec::with_capacity(self.bytes.len() / 8);
            let mut encoder = GzBuilder::new().mtime(0).write(out, LEVEL);
            self.bytes.chunks(BLOCK).try_for_each(|block| encoder.write_all(block))?;
            encoder.finish()
        };
        let file = match self.gzip.filter(|gzip| gzip.len() <= self.bytes.len() / 2) {
            _ if !self.text => self.bytes.into(),
            Some(gzip) => gzip.into(),
            None => gzip().map_err(|error| Error::io("cannot compress an original", error))?.into(),
        };
        Ok(Packed { original: self, file, gzip: self.gzip.map(digest_of) })
    }
}

/// Source bytes, ready to be written.
#[derive(Debug, Clone)]
pub struct Packed<'a> {
    pub(super) original: NewOriginal<'a>,
    pub(super) file: Cow<'a, [u8]>,
    /// SHA-256 of the gzip stream that it came as.
    pub(super) gzip: Option<Digest>,
}

/// As [`NewOriginal::pack`], of a content that goes from hand to hand: gives the lengths of file and content, and the
/// digest of the content.
pub(super) fn pack_stream(
    text: bool,
    out: &mut dyn Write,
    content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u64, u64, Digest)> {
    let mut file = Tally { to: out, length: 0 };
    let mut content_of = |to: &mut dyn Write| {
        let mut plain = Blocks { to, block: Vec::with_capacity(BLOCK), length: 0, hasher: Sha256::new() };
        content(&mut plain)?;
        plain.finish()
    };
    let (length, digest) = if text {
        let mut encoder = GzBuilder::new().mtime(0).write(&mut file, LEVEL);
        let found = content_of(&mut encoder)?;
        encoder.finish()?;
        found
    } else {
        content_of(&mut file)?
    };
    Ok((file.length, length, digest))
}

/// Counts what goes through.
struct Tally<'a> {
    to: &'a mut dyn Write,
    length: u64,
}

impl Write for Tally<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Hashes what goes through and hands it on in whole blocks, as the compressor's output depends on how it is fed.
struct Blocks<'a> {
    to: &'a mut dyn Write,
    block: Vec<u8>,
    length: u64,
    hasher: Sha256,
}

impl Blocks<'_> {
    fn finish(self) -> io::Result<(u64, Digest)> {
        self.to.write_all(&self.block)?;
        Ok((self.length, Digest(self.hasher.finalize().into())))
    }
}

impl Write for Blocks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(BLOCK - self.block.len())];
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.block.extend_from_slice(bytes);
        if self.block.len() == BLOCK {
            self.to.write_all(&self.block)?;
            self.block.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// SHA-256 of bytes.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The content of an original's file, gunzipped when its name ends in `.gz`.
pub(super) fn open_content(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let file = BufReader::with_capacity(64 << 10, File::open(path)?);
    let gzipped = path.extension().is_some_and(|extension| extension == "gz");
    Ok(if gzipped { Box::new(BufReader::with_capacity(64 << 10, MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// Streams the content of an original's file (gunzipped when its name ends in `.gz`) and gives length and digest.
pub(super) fn copy_content(path: &Path, out: &mut dyn Write) -> io::Result<(u64, Digest)> {
    let mut content = open_content(path)?;
    let mut hasher = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let part = buffer.get(..read).unwrap_or_default();
        hasher.update(part);
        out.write_all(part)?;
        length += read as u64;
    }
    Ok((length, Digest(hasher.finalize().into())))
}
