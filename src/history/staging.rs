//! Originals on their way into the history. A writer admits one and gives it a place, the place is filled without the
//! writer, so that several can be at once, and then the writer takes it over. It gets its name at the commit.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Writer;
use super::disk::Disk;
use super::entry::{Entry, Original, PARSER};
use super::folders::{Temporary, waiting_folder};
use super::journal::{self, LineKind};
use super::late::Late;
use super::layout::{self, io_error};
use super::lines::stream_of;
use super::originals::{NewOriginal, Packed, copy_content, pack_stream};
use super::waiting::{Piece, Waiting};
use crate::error::{Error, Kind, Result};
use crate::ids::Digest;

/// An original that waits for the commit: those of a whole import do.
pub(super) struct Staged {
    /// Its line, as far as it is known now. It has one name, the smallest that the staged bytes came under: a text may come in
    /// several compressed forms; that of the smallest name is kept, and its path is that of this name, in whatever order they
    /// are met.
    body: Piece,
    /// Where its bytes are; `None` when they are at their place already.
    pub file: Option<Temporary>,
    /// More names.
    names: MoreNames,
    /// The first bytes of the digest of the gzip stream that it came as, as in its line; 0 when it came as none.
    pub stream: u64,
    /// How many activities its line says.
    said: u32,
    /// How many were put; 0 when that changes nothing.
    put: u32,
}

/// Names of a content besides its first, in any order. Few have any and some have ten thousand: it is small without, and they
/// stay where they are when one comes.
#[expect(clippy::box_collection, reason = "a vector takes three times the room, and a hundred thousand have none")]
#[derive(Default)]
pub(super) struct MoreNames(Option<Box<Vec<String>>>);

impl MoreNames {
    fn extend(&mut self, more: impl IntoIterator<Item = String>) {
        let mut more = more.into_iter().peekable();
        if more.peek().is_some() {
            self.0.get_or_insert_default().extend(more);
        }
    }
}

impl Staged {
    /// The first name of the line stays in it; what follows and `more` are put in order when it is written.
    pub fn new(mut line: Original, mut more: MoreNames, file: Option<Temporary>, waiting: &Waiting) -> Result<Staged> {
        more.extend(line.names.drain(line.names.len().min(1)..));
        let body = Piece::Here(journal::body(LineKind::Original, &line)?).leave(waiting)?;
        let stream = line.gzip_sha256.map_or(0, stream_of);
        Ok(Staged { body, file, names: more, stream, said: line.activities, put: 0 })
    }

    pub fn add_names(&mut self, more: impl IntoIterator<Item = String>) {
        self.names.extend(more);
    }

    /// One more activity was read from it.
    pub fn count_one(&mut self) {
        self.put += 1;
    }

    /// Its line as it will be said.
    ///
    /// # Errors
    /// `Io` when it cannot be read where it waits.
    pub fn line(&self, waiting: &Waiting) -> Result<Original> {
        let mut line = self.waiting_line(waiting)?;
        line.activities = if self.put > 0 { self.put } else { line.activities };
        line.names.extend(self.names.0.iter().flat_map(|more| more.iter().cloned()));
        line.names.sort_unstable();
        line.names.dedup();
        Ok(line)
    }

    fn waiting_line(&self, waiting: &Waiting) -> Result<Original> {
        let json = [&self.body.read(waiting)?, &b"}"[..]].concat();
        serde_json::from_slice(&json)
            .map_err(|error| Error::new(Kind::Internal, format!("cannot read a journal line: {error}")))
    }

    /// The same without number and seal; `buffer` holds it.
    ///
    /// # Errors
    /// As [`Staged::line`].
    pub fn body<'b>(&'b self, waiting: &Waiting, buffer: &'b mut Vec<u8>) -> io::Result<Cow<'b, [u8]>> {
        if self.names.0.is_none() && (self.put == 0 || self.put == self.said) {
            return self.body.bytes(waiting, buffer).map(Cow::Borrowed);
        }
        let line = self.line(waiting).and_then(|line| journal::body(LineKind::Original, &line));
        line.map(|body| Cow::Owned(body.into())).map_err(io::Error::other)
    }

    /// Where it goes, relative to the root.
    ///
    /// # Errors
    /// As [`Staged::line`].
    pub fn path(&self, waiting: &Waiting) -> Result<String> {
        Ok(self.waiting_line(waiting)?.path)
    }
}

/// A place for the bytes of an original that was admitted.
pub struct Slot {
    disk: Arc<dyn Disk>,
    late: Arc<Late>,
    file: Temporary,
    path: PathBuf,
    /// Where the original will lie, relative to the root.
    target: String,
    /// The same as a file; `None` when nothing can be there yet.
    there: Option<PathBuf>,
}

/// A place that was filled.
pub struct Filled {
    /// `None` when the bytes were at their place already.
    file: Option<Temporary>,
    /// Where the original will lie, relative to the root.
    target: String,
    stored: u64,
    length: u64,
    gzip: Option<Digest>,
}

impl Slot {
    /// Writes the bytes of an original, at the commit at the latest.
    ///
    /// # Errors
    /// `Io` when the file cannot be written, or another one that was to be written before.
    pub fn fill(self, packed: &Packed<'_>) -> Result<Filled> {
        let Packed { original, file, gzip } = packed;
        let length = original.bytes.len() as u64;
        if let Some(filled) = self.is_there(original, *gzip)? {
            return Ok(filled);
        }
        let written = self.late.write(&*self.disk, &self.path, file);
        written.map_err(|(path, error)| io_error("cannot write", &path, error))?;
        Ok(Filled { file: Some(self.file), target: self.target, stored: file.len() as u64, length, gzip: *gzip })
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
        Ok(Filled { file: Some(self.file), target: self.target, stored, length, gzip: None })
    }

    /// An import that was cut short may have left the bytes at their place.
    fn is_there(&self, original: &NewOriginal<'_>, gzip: Option<Digest>) -> Result<Option<Filled>> {
        let Some(there) = &self.there else { return Ok(None) };
        let found = copy_content(there, &mut io::sink()).ok().filter(|(_, digest)| *digest == original.digest);
        let Some((length, _)) = found else { return Ok(None) };
        let file = fs::metadata(there).map_err(|error| io_error("cannot read", there, error))?;
        Ok(Some(Filled { file: None, target: self.target.clone(), stored: file.len(), length, gzip }))
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
        self.take(&original, filled)
    }

    /// A place for the bytes of an original; `None` when they are kept or staged already, they then only gain names.
    ///
    /// # Errors
    /// `Io` when the folder for it cannot be made.
    pub fn admit(&mut self, original: &NewOriginal<'_>) -> Result<Option<Slot>> {
        if !self.replaces(&original.digest, original.names)? && self.knows(original)? {
            return Ok(None);
        }
        let target = self.path_for(original)?;
        let file = self.new_file(&original.digest, &target)?;
        let path = file.path(&self.history.root, &original.digest, &target);
        let there = self.has_originals.then(|| self.history.root.join(&target));
        Ok(Some(Slot { disk: self.disk.clone(), late: self.ahead.late.clone(), file, path, target, there }))
    }

    /// Takes an original over whose place was filled.
    ///
    /// # Errors
    /// `Io` when its line cannot be left where lines wait.
    pub fn take(&mut self, original: &NewOriginal<'_>, filled: Filled) -> Result<()> {
        let Filled { file, target: path, stored, length, gzip } = filled;
        let (digest, waiting) = (original.digest, self.waiting());
        self.folders.filled(&digest);
        if file.is_some() && self.watch.from_files < usize::MAX {
            self.ahead.staged(stored, self.watch.piece, &self.disk);
        }
        let mut names = original.names.to_vec();
        names.sort_unstable();
        if self.replaces(&digest, original.names)? {
            let Some(staged) = self.originals.remove(&digest) else { return Ok(()) };
            let before = staged.waiting_line(&waiting)?;
            self.count_staged(&staged.file, before.stored_bytes, false);
            names.extend(before.names);
            let line = Original { path, stored_bytes: stored, gzip_sha256: gzip, names, ..before };
            return self.stage(line, staged.names, file);
        }
        if self.knows(original)? {
            return Ok(()); // another one was faster
        }
        // A line without its file is healed: the bytes go where the journal says they are.
        let lost = self.lost(&digest)?;
        let line = Original {
            digest,
            path,
            format: original.format.to_owned(),
            bytes: length,
            stored_bytes: stored,
            activities: lost.as_ref().map_or(original.activities, |lost| lost.activities),
            parser: lost.as_ref().map_or_else(|| PARSER.to_owned(), |lost| lost.parser.clone()),
            names: names.into_iter().chain(lost.into_iter().flat_map(|lost| lost.names)).collect(),
            gzip_sha256: gzip,
            reread: false,
        };
        self.stage(line, MoreNames::default(), file)
    }

    fn stage(&mut self, line: Original, more: MoreNames, file: Option<Temporary>) -> Result<()> {
        let (digest, stored) = (line.digest, line.stored_bytes);
        let staged = Staged::new(line, more, file, &self.waiting())?;
        self.count_staged(&file, stored, true);
        self.originals.insert(digest, staged);
        Ok(())
    }

    fn count_staged(&mut self, file: &Option<Temporary>, stored: u64, more: bool) {
        let bytes = if file.is_some() { stored } else { 0 };
        self.staged_bytes = if more { self.staged_bytes + bytes } else { self.staged_bytes - bytes };
    }

    /// Stages a file of another history as it is. It heals a line of this one whose file is lost.
    pub(super) fn stage_copy(&mut self, mut line: Original, content: &[u8]) -> Result<()> {
        if !self.replaces(&line.digest, &line.names)?
            && let Some(staged) = self.originals.get_mut(&line.digest)
        {
            staged.add_names(line.names);
            return Ok(());
        }
        line.names.sort_unstable();
        if let Some(lost) = self.lost(&line.digest)? {
            if lost.path.ends_with(".gz") == line.path.ends_with(".gz") {
                line.path = lost.path;
            }
            line.names.extend(lost.names);
        }
        let file = self.new_file(&line.digest, &line.path)?;
        let path = file.path(&self.history.root, &line.digest, &line.path);
        self.disk.write(&path, content).map_err(|error| io_error("cannot write", &path, error))?;
        self.folders.filled(&line.digest);
        let mut more = MoreNames::default();
        if let Some(staged) = self.originals.remove(&line.digest) {
            let before = staged.waiting_line(&self.waiting())?;
            self.count_staged(&staged.file, before.stored_bytes, false);
            line.names.extend(before.names);
            more = staged.names;
        }
        self.stage(line, more, Some(file))
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
        let alone = Temporary::Alone(self.slots);
        let few = self.expected.max(self.slots as usize) <= self.watch.from_files;
        if few || self.originals.contains_key(digest) {
            return Ok(alone);
        }
        let root = &self.history.root;
        Ok(self.folders.give(digest, target, |number| make(&waiting_folder(root, number)))?.unwrap_or(alone))
    }

    /// The line of an original whose file is not where it says.
    fn lost(&self, digest: &Digest) -> Result<Option<Original>> {
        Ok(self.history.original(digest)?.filter(|lost| layout::inside(&self.history.root, &lost.path).is_some()))
    }

    /// Where an original goes, relative to the root.
    fn path_for(&self, original: &NewOriginal<'_>) -> Result<String> {
        Ok(self.lost(&original.digest)?.map_or_else(|| original.path(), |lost| lost.path))
    }

    /// True when the same content is staged under larger names only.
    fn replaces(&self, digest: &Digest, names: &[String]) -> Result<bool> {
        let Some(staged) = self.originals.get(digest) else { return Ok(false) };
        Ok(names.iter().min() < staged.waiting_line(&self.waiting())?.names.first())
    }

    /// True for bytes that are kept or staged already; their names are taken over.
    fn knows(&mut self, original: &NewOriginal<'_>) -> Result<bool> {
        if let Some(staged) = self.originals.get_mut(&original.digest) {
            staged.add_names(original.names.iter().cloned());
            return Ok(true);
        }
        let known = self.history.has(&original.digest);
        if known {
            self.put(Entry::Alias { digest: original.digest, names: original.names.to_vec() });
        }
        Ok(known)
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
            activities: 0,
            kind: OriginalKind::Activity,
        }
    }

    fn only(history: &History) -> Original {
        history.originals().next().unwrap().unwrap()
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
            assert_eq!(only(&writer).gzip_sha256, Some(digest_of(&stream)));
            // Who wrote it knows it as well as who reads it.
            for history in [&*writer, &History::open(&theirs).unwrap()] {
                assert_eq!(history.of_stream(&digest_of(&stream)).unwrap(), Some(digest_of(TEXT)));
            }
            drop(writer);
            let mut writer = History::open_or_create(&ours, false).unwrap();
            writer.absorb(&History::open(&theirs).unwrap()).unwrap();
            writer.commit().unwrap();
            assert_eq!(only(&writer).gzip_sha256, shown, "text: {text}");
            assert_eq!(writer.of_stream(&digest_of(&stream)).unwrap(), shown.map(|_| digest_of(TEXT)));
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
        let path = only(&History::open(&ours).unwrap()).path;
        fs::remove_file(ours.join(&path)).unwrap();
        let mut writer = History::open_or_create(&ours, false).unwrap();
        writer.absorb(&History::open(&theirs).unwrap()).unwrap();
        writer.commit().unwrap();
        let healed = only(&writer);
        assert_eq!((&healed.path, healed.names.join(" ")), (&path, "ours.gpx theirs.gpx".into()));
        assert_eq!(writer.read_original(&digest_of(TEXT)).unwrap(), TEXT);
    }

    #[test]
    fn of_many_that_are_expected_none_waits_alone() {
        for (expected, disk, alone) in [
            (0, FaultyDisk::sound_as_a_whole(), true),
            (2, FaultyDisk::sound_as_a_whole(), false),
            (2, FaultyDisk::sound(), true),
        ] {
            let folder = scratch();
            let mut writer = Writer::open(&folder.path().join("h"), false, disk).unwrap();
            writer.expect_originals(expected);
            let names = ["a.gpx".to_owned()];
            let one = original(&names, None);
            let slot = writer.admit(&one).unwrap().unwrap();
            assert_eq!(matches!(slot.file, Temporary::Alone(_)), alone, "{expected} expected");
            let filled = slot.fill(&one.pack().unwrap()).unwrap();
            writer.take(&one, filled).unwrap();
            writer.commit().unwrap();
            assert_eq!(writer.read_original(&digest_of(TEXT)).unwrap(), TEXT);
        }
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
        writer.take(&two, of_two).unwrap();
        writer.take(&one, of_one).unwrap();
        assert!(writer.admit(&two).unwrap().is_none(), "it is staged");
        assert_eq!(writer.commit().unwrap().originals, 2);
        assert_eq!(writer.original(&digest_of(TEXT)).unwrap().unwrap().names, ["a.gpx", "b.gpx"]);
        assert_eq!(writer.read_original(&digest_of(TEXT)).unwrap(), TEXT);
        assert!(!root.join(layout::INCOMING).exists());
        assert!(writer.admit(&two).unwrap().is_none(), "it is kept");
    }
}
