//! Originals on their way into the history. A writer admits one and gives it a place, the place is filled without the
//! writer, so that several can be at once, and then the writer takes it over. It gets its name at the commit.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::Writer;
use super::disk::Disk;
use super::entry::{Entry, Original, PARSER};
use super::layout::{self, io_error};
use super::originals::{NewOriginal, Packed, copy_content, pack_stream};
use crate::error::{Error, Kind, Result};
use crate::ids::Digest;

/// An original that waits for the commit.
pub(super) struct Staged {
    pub line: Original,
    /// Where its bytes are; `None` when they are at their place already.
    pub file: Option<PathBuf>,
    /// The smallest name that the staged bytes came under. A text may come in several compressed forms: that of the smallest
    /// name is kept, in whatever order they are met.
    name: Option<String>,
}

/// A place for the bytes of an original that was admitted.
pub struct Slot {
    disk: Arc<dyn Disk>,
    /// A name of its own among the temporary ones.
    file: PathBuf,
    /// Where the original will lie.
    target: PathBuf,
}

/// A place that was filled.
pub struct Filled {
    /// `None` when the bytes were at their place already.
    file: Option<PathBuf>,
    stored: u64,
    length: u64,
    gzip: Option<Digest>,
}

impl Slot {
    /// Writes the bytes of an original.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn fill(self, packed: &Packed<'_>) -> Result<Filled> {
        let Packed { original, file, gzip } = packed;
        let length = original.bytes.len() as u64;
        if let Some(filled) = self.is_there(original, *gzip)? {
            return Ok(filled);
        }
        self.disk.write(&self.file, file).map_err(|error| io_error("cannot write", &self.file, error))?;
        Ok(Filled { file: Some(self.file), stored: file.len() as u64, length, gzip: *gzip })
    }

    /// The same for one that is too large for memory: `content` writes its bytes, `original.bytes` is not looked at.
    ///
    /// # Errors
    /// As [`Slot::fill`], and what `content` says; `History` when its bytes are not those of the digest.
    pub fn fill_from(
        self,
        original: &NewOriginal<'_>,
        content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Filled> {
        if let Some(filled) = self.is_there(original, None)? {
            return Ok(filled);
        }
        let mut written = (0, 0, Digest::default());
        let mut pack = |out: &mut dyn Write| {
            written = pack_stream(original.text, out, content)?;
            Ok(())
        };
        self.disk.fill(&self.file, &mut pack).map_err(|error| io_error("cannot write", &self.file, error))?;
        let (stored, length, digest) = written;
        if digest != original.digest {
            let name = original.names.first().map_or("a source", String::as_str);
            return Err(Error::new(Kind::History, format!("{name} changed while it was read")));
        }
        Ok(Filled { file: Some(self.file), stored, length, gzip: None })
    }

    /// An import that was cut short may have left the bytes at their place.
    fn is_there(&self, original: &NewOriginal<'_>, gzip: Option<Digest>) -> Result<Option<Filled>> {
        let found = copy_content(&self.target, &mut io::sink()).ok().filter(|(_, digest)| *digest == original.digest);
        let Some((length, _)) = found else { return Ok(None) };
        let file = fs::metadata(&self.target).map_err(|error| io_error("cannot read", &self.target, error))?;
        Ok(Some(Filled { file: None, stored: file.len(), length, gzip }))
    }
}

impl Writer {
    /// Keeps source bytes. The file gets its name at the commit; bytes that are kept already only gain names.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn put_original(&mut self, original: NewOriginal<'_>) -> Result<()> {
        let Some(slot) = self.admit(&original)? else { return Ok(()) };
        let filled = slot.fill(&original.pack()?)?;
        self.take(&original, filled);
        Ok(())
    }

    /// A place for the bytes of an original; `None` when they are kept or staged already, they then only gain names.
    ///
    /// # Errors
    /// `Io` when the folder for it cannot be made.
    pub fn admit(&mut self, original: &NewOriginal<'_>) -> Result<Option<Slot>> {
        if !self.replaces(&original.digest, original.names) && self.knows(original) {
            return Ok(None);
        }
        let file = self.new_file(&original.digest)?;
        let target = self.history.root.join(self.path_for(original));
        Ok(Some(Slot { disk: self.disk.clone(), file, target }))
    }

    /// Takes an original over whose place was filled.
    pub fn take(&mut self, original: &NewOriginal<'_>, filled: Filled) {
        let Filled { file, stored, length, gzip } = filled;
        let name = original.names.iter().min().cloned();
        if self.replaces(&original.digest, original.names) {
            if let Some(staged) = self.originals.get_mut(&original.digest) {
                (staged.line.stored_bytes, staged.line.gzip_sha256) = (stored, gzip);
                (staged.file, staged.name) = (file, name);
            }
            self.knows(original);
            return;
        }
        if self.knows(original) {
            return; // another one was faster
        }
        // A line without its file is healed: the bytes go where the journal says they are.
        let lost = self.lost(&original.digest);
        let line = Original {
            digest: original.digest,
            path: self.path_for(original),
            format: original.format.to_owned(),
            bytes: length,
            stored_bytes: stored,
            activities: lost.map_or(0, |lost| lost.activities),
            names: original.names.iter().chain(lost.iter().flat_map(|lost| &lost.names)).cloned().collect(),
            parser: lost.map_or_else(|| PARSER.to_owned(), |lost| lost.parser.clone()),
            gzip_sha256: gzip,
            reread: false,
        };
        self.originals.insert(original.digest, Staged { line, file, name });
    }

    /// Stages a file of another history as it is.
    pub(super) fn stage_copy(&mut self, line: Original, content: &[u8]) -> Result<()> {
        if !self.replaces(&line.digest, &line.names)
            && let Some(staged) = self.originals.get_mut(&line.digest)
        {
            staged.line.names.extend(line.names);
            return Ok(());
        }
        let file = self.new_file(&line.digest)?;
        self.disk.write(&file, content).map_err(|error| io_error("cannot write", &file, error))?;
        let name = line.names.iter().min().cloned();
        let others = self.originals.remove(&line.digest).map(|staged| staged.line.names).unwrap_or_default();
        let names = [line.names, others].concat();
        self.originals.insert(line.digest, Staged { line: Original { names, ..line }, file: Some(file), name });
        Ok(())
    }

    /// A temporary file that nobody else has.
    fn new_file(&mut self, digest: &Digest) -> Result<PathBuf> {
        let folder = self.history.root.join(layout::INCOMING);
        if !self.has_incoming {
            self.disk.create_folder(&folder).map_err(|error| io_error("cannot write", &folder, error))?;
            self.has_incoming = true;
        }
        self.slots += 1;
        Ok(folder.join(format!("{digest}-{}", self.slots)))
    }

    /// The line of an original whose file is not where it says.
    fn lost(&self, digest: &Digest) -> Option<&Original> {
        self.history.original(digest).filter(|lost| layout::inside(&self.history.root, &lost.path).is_some())
    }

    /// Where an original goes, relative to the root.
    fn path_for(&self, original: &NewOriginal<'_>) -> String {
        self.lost(&original.digest).map_or_else(|| original.path(), |lost| lost.path.clone())
    }

    /// True when the same content is staged under larger names only.
    fn replaces(&self, digest: &Digest, names: &[String]) -> bool {
        let staged = self.originals.get(digest).filter(|staged| staged.file.is_some());
        staged.is_some_and(|staged| names.iter().min() < staged.name.as_ref())
    }

    /// True for bytes that are kept or staged already; their names are taken over.
    fn knows(&mut self, original: &NewOriginal<'_>) -> bool {
        if let Some(staged) = self.originals.get_mut(&original.digest) {
            staged.line.names.extend_from_slice(original.names);
            if staged.file.is_some() && self.history.original(&original.digest).is_none() {
                staged.line.path = original.path().min(std::mem::take(&mut staged.line.path));
            }
            return true;
        }
        let known = self.history.has(&original.digest);
        if known {
            self.put(Entry::Alias { digest: original.digest, names: original.names.to_vec() });
        }
        known
    }
}
