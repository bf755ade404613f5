//! Originals on their way into the history. A writer admits one and gives it a place, the place is filled without the
//! writer, so that several can be at once, and then the writer takes it over. It gets its name at the commit.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Writer;
use super::disk::Disk;
use super::entry::{Entry, Original, PARSER};
use super::folders::{Temporary, waiting_folder};
use super::layout::{self, io_error};
use super::originals::{NewOriginal, Packed, copy_content, pack_stream};
use crate::error::{Error, Kind, Result};
use crate::ids::Digest;

/// An original that waits for the commit.
pub(super) struct Staged {
    pub line: Original,
    /// Where its bytes are; `None` when they are at their place already.
    pub file: Option<Temporary>,
    /// The smallest name that the staged bytes came under. A text may come in several compressed forms: that of the smallest
    /// name is kept, and its path is that of this name, in whatever order they are met.
    name: Option<String>,
}

/// A place for the bytes of an original that was admitted.
pub struct Slot {
    disk: Arc<dyn Disk>,
    file: Temporary,
    path: PathBuf,
    /// Where the original will lie; `None` when nothing can be there yet.
    target: Option<PathBuf>,
}

/// A place that was filled.
pub struct Filled {
    /// `None` when the bytes were at their place already.
    file: Option<Temporary>,
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
        self.disk.write(&self.path, file).map_err(|error| io_error("cannot write", &self.path, error))?;
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
        self.disk.fill(&self.path, &mut pack).map_err(|error| io_error("cannot write", &self.path, error))?;
        let (stored, length, digest) = written;
        if digest != original.digest {
            let name = original.names.first().map_or("a source", String::as_str);
            return Err(Error::new(Kind::History, format!("{name} changed while it was read")));
        }
        Ok(Filled { file: Some(self.file), stored, length, gzip: None })
    }

    /// An import that was cut short may have left the bytes at their place.
    fn is_there(&self, original: &NewOriginal<'_>, gzip: Option<Digest>) -> Result<Option<Filled>> {
        let Some(target) = &self.target else { return Ok(None) };
        let found = copy_content(target, &mut io::sink()).ok().filter(|(_, digest)| *digest == original.digest);
        let Some((length, _)) = found else { return Ok(None) };
        let file = fs::metadata(target).map_err(|error| io_error("cannot read", target, error))?;
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
        let target = self.path_for(original);
        let file = self.new_file(&original.digest, &target)?;
        let path = file.path(&self.history.root, &target);
        let target = self.has_originals.then(|| self.history.root.join(target));
        Ok(Some(Slot { disk: self.disk.clone(), file, path, target }))
    }

    /// Takes an original over whose place was filled.
    pub fn take(&mut self, original: &NewOriginal<'_>, filled: Filled) {
        let Filled { file, stored, length, gzip } = filled;
        self.folders.filled(&original.digest);
        if file.is_some() && self.watch.from_files < usize::MAX {
            self.ahead.staged(stored, self.watch.piece, &self.disk);
        }
        let name = original.names.iter().min().cloned();
        if self.replaces(&original.digest, original.names) {
            let path = self.path_for(original);
            if let Some(staged) = self.originals.get_mut(&original.digest) {
                let line = &mut staged.line;
                (line.path, line.stored_bytes, line.gzip_sha256) = (path, stored, gzip);
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
        self.originals.insert(original.digest, Box::new(Staged { line, file, name }));
    }

    /// Stages a file of another history as it is. It heals a line of this one whose file is lost.
    pub(super) fn stage_copy(&mut self, mut line: Original, content: &[u8]) -> Result<()> {
        if !self.replaces(&line.digest, &line.names)
            && let Some(staged) = self.originals.get_mut(&line.digest)
        {
            staged.line.names.extend(line.names);
            return Ok(());
        }
        let name = line.names.iter().min().cloned();
        let mut others = Vec::new();
        if let Some(lost) = self.lost(&line.digest) {
            others.extend_from_slice(&lost.names);
            let path = lost.path.clone();
            if path.ends_with(".gz") == line.path.ends_with(".gz") {
                line.path = path;
            }
        }
        let file = self.new_file(&line.digest, &line.path)?;
        let path = file.path(&self.history.root, &line.path);
        self.disk.write(&path, content).map_err(|error| io_error("cannot write", &path, error))?;
        self.folders.filled(&line.digest);
        others.extend(self.originals.remove(&line.digest).map(|staged| staged.line.names).unwrap_or_default());
        let names = [line.names, others].concat();
        let staged = Staged { line: Original { names, ..line }, file: Some(file), name };
        self.originals.insert(staged.line.digest, Box::new(staged));
        Ok(())
    }

    /// A place for a file that will be `target`, relative to the root.
    fn new_file(&mut self, digest: &Digest, target: &str) -> Result<Temporary> {
        let make =
            |folder: &Path| self.disk.create_folder(folder).map_err(|error| io_error("cannot write", folder, error));
        if !self.has_incoming {
            let folder = self.history.root.join(layout::INCOMING);
            make(&folder)?;
            self.has_incoming = true;
            self.watch = self.disk.watch(&folder);
        }
        self.slots += 1;
        let alone = Temporary::Alone(*digest, self.slots);
        if self.slots as usize <= self.watch.from_files || self.originals.contains_key(digest) {
            return Ok(alone);
        }
        let root = &self.history.root;
        Ok(self.folders.give(digest, target, |number| make(&waiting_folder(root, number)))?.unwrap_or(alone))
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
        self.originals.get(digest).is_some_and(|staged| names.iter().min() < staged.name.as_ref())
    }

    /// True for bytes that are kept or staged already; their names are taken over.
    fn knows(&mut self, original: &NewOriginal<'_>) -> bool {
        if let Some(staged) = self.originals.get_mut(&original.digest) {
            staged.line.names.extend_from_slice(original.names);
            return true;
        }
        let known = self.history.has(&original.digest);
        if known {
            self.put(Entry::Alias { digest: original.digest, names: original.names.to_vec() });
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, GzBuilder};

    use super::super::faults::FaultyDisk;
    use super::super::originals::digest_of;
    use super::super::testing::{START, put, scratch, tree};
    use super::super::{History, OriginalKind};
    use super::*;

    /// Long enough that its gzip stream is worth keeping.
    const TEXT: &[u8] = &[b'x'; 1000];

    fn gzip(level: u32) -> Vec<u8> {
        let mut encoder = GzBuilder::new().mtime(level).write(Vec::new(), Compression::new(level));
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    }

    fn original<'a>(names: &'a [String], gzip: Option<&'a [u8]>) -> NewOriginal<'a> {
        NewOriginal {
            digest: digest_of(TEXT),
            bytes: TEXT,
            gzip,
            names,
            format: "gpx",
            extension: "gpx",
            text: true,
            start: Some(START),
            sport: "running",
            kind: OriginalKind::Activity,
        }
    }

    /// Puts the forms of one content in an order, over what an import that was cut short may have left.
    fn kept(
        kind: OriginalKind,
        forms: &[(&str, Option<Vec<u8>>)],
        order: &[usize],
        left: Option<&(String, Vec<u8>)>,
        disk: &dyn Fn() -> Box<dyn Disk>,
    ) -> Vec<(String, Vec<u8>)> {
        let folder = scratch();
        let root = folder.path().join("h");
        let mut writer = Writer::open(&root, false, disk()).unwrap();
        if let Some((path, bytes)) = left {
            drop(writer);
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
            writer = Writer::open(&root, false, disk()).unwrap();
        }
        // The first one waits alone; those after it may wait in the folder of its month.
        put(&mut writer, "first.gpx", b"another", 1).unwrap();
        for &at in order {
            let (name, gzip) = &forms[at];
            let names = [(*name).to_owned()];
            writer.put_original(NewOriginal { kind, ..original(&names, gzip.as_deref()) }).unwrap();
        }
        writer.commit().unwrap();
        assert_eq!(writer.read_original(&digest_of(TEXT)).unwrap(), TEXT, "{order:?}");
        tree(&root).into_iter().filter(|(path, _)| !path.ends_with('/')).collect()
    }

    #[test]
    fn of_several_forms_of_a_content_that_of_the_smallest_name_is_kept_and_known_again() {
        let forms = [("b.gpx.gz", Some(gzip(1))), ("c.gpx", None), ("a.zip!/x.gpx", Some(gzip(9)))];
        for kind in [OriginalKind::Activity, OriginalKind::Archive] {
            in_any_order(kind, &forms);
        }
    }

    fn in_any_order(kind: OriginalKind, forms: &[(&str, Option<Vec<u8>>)]) {
        let disk = || FaultyDisk::sound() as Box<dyn Disk>;
        let undisturbed = kept(kind, forms, &[0, 1, 2], None, &disk);
        let file = undisturbed.iter().find(|(path, _)| path.contains(&digest_of(TEXT).short())).unwrap();
        assert_eq!(file.1, gzip(9));
        let stated = format!("\"gzip_sha256\":\"{}\"", digest_of(&gzip(9)));
        assert!(
            undisturbed.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(&stated)),
            "{undisturbed:?}"
        );
        let whole = || FaultyDisk::sound_as_a_whole() as Box<dyn Disk>;
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for left in [None, Some(file)] {
                let case = format!("{order:?}, left behind: {}", left.is_some());
                assert!(kept(kind, forms, &order, left, &disk) == undisturbed, "{case}");
                assert!(kept(kind, forms, &order, left, &whole) == undisturbed, "as a whole, {case}");
            }
        }
    }

    #[test]
    fn another_history_is_believed_about_streams_as_far_as_its_files_show_them() {
        let folder = scratch();
        let [theirs, ours] = ["theirs", "ours"].map(|name| folder.path().join(name));
        let (stream, names) = (gzip(6), ["a.gpx.gz".to_owned()]);
        // A binary original is kept plain, so nothing shows what it came as.
        for (text, shown) in [(true, Some(digest_of(&stream))), (false, None)] {
            let mut writer = History::open_or_create(&theirs, false).unwrap();
            writer.put_original(NewOriginal { text, ..original(&names, Some(&stream)) }).unwrap();
            writer.commit().unwrap();
            assert_eq!(writer.originals()[0].gzip_sha256, Some(digest_of(&stream)));
            drop(writer);
            let mut writer = History::open_or_create(&ours, false).unwrap();
            writer.absorb(&History::open(&theirs).unwrap()).unwrap();
            writer.commit().unwrap();
            assert_eq!(writer.originals()[0].gzip_sha256, shown, "text: {text}");
            drop(writer);
            [&theirs, &ours].into_iter().for_each(|root| fs::remove_dir_all(root).unwrap());
        }
    }

    #[test]
    fn another_history_heals_an_original_that_is_lost() {
        let folder = scratch();
        let [theirs, ours] = ["theirs", "ours"].map(|name| folder.path().join(name));
        for (root, name) in [(&theirs, "theirs.gpx"), (&ours, "ours.gpx")] {
            let names = [name.to_owned()];
            let mut writer = History::open_or_create(root, false).unwrap();
            writer.put_original(NewOriginal { kind: OriginalKind::Archive, ..original(&names, None) }).unwrap();
            writer.commit().unwrap();
        }
        let path = History::open(&ours).unwrap().originals()[0].path.clone();
        fs::remove_file(ours.join(&path)).unwrap();
        let mut writer = History::open_or_create(&ours, false).unwrap();
        writer.absorb(&History::open(&theirs).unwrap()).unwrap();
        writer.commit().unwrap();
        let healed = &writer.originals()[0];
        assert_eq!((&healed.path, healed.names.join(" ")), (&path, "ours.gpx theirs.gpx".into()));
        assert_eq!(writer.read_original(&digest_of(TEXT)).unwrap(), TEXT);
    }

    #[test]
    fn a_place_that_was_filled_for_nothing_does_no_harm() {
        filled_for_nothing(FaultyDisk::sound());
        filled_for_nothing(FaultyDisk::sound_as_a_whole());
    }

    fn filled_for_nothing(disk: Box<FaultyDisk>) {
        let folder = scratch();
        let root = folder.path().join("h");
        let mut writer = Writer::open(&root, false, disk).unwrap();
        put(&mut writer, "first.gpx", b"another", 1).unwrap();
        let (first, second) = (["a.gpx".to_owned()], ["b.gpx".to_owned()]);
        let (one, two) = (original(&first, None), original(&second, None));
        let slots = [writer.admit(&one).unwrap().unwrap(), writer.admit(&two).unwrap().unwrap()];
        let [of_one, of_two] = slots.map(|slot| slot.fill(&one.pack().unwrap()).unwrap());
        writer.take(&two, of_two);
        writer.take(&one, of_one);
        assert!(writer.admit(&two).unwrap().is_none(), "it is staged");
        assert_eq!(writer.commit().unwrap().originals, 2);
        assert_eq!(writer.original(&digest_of(TEXT)).unwrap().names, ["a.gpx", "b.gpx"]);
        assert_eq!(writer.read_original(&digest_of(TEXT)).unwrap(), TEXT);
        assert!(!root.join(layout::INCOMING).exists());
        assert!(writer.admit(&two).unwrap().is_none(), "it is kept");
    }
}
