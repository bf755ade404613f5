//! The store on disk: source bytes as they came, and a journal of what was read from them and decided about them.
//!
//! ```text
//! HISTORY/
//! ├── paceport.json                                                   {"history": 1}
//! ├── originals/2024/05/20240501T071200Z-running-3f9a1c2b77aa0e11.fit exact bytes; text formats gzipped
//! ├── originals/archives/…                                            members that hold many activities
//! ├── journal/000001.jsonl                                            append-only, one JSON object a line
//! ├── derived.jsonl                                                   fingerprints; may be deleted
//! └── lock                                                            advisory, for writers only
//! ```
//!
//! Originals are the truth, the journal is derived from them as far as no decision of the owner is in it. Readers
//! never write and are never blocked; one [`Writer`] at a time holds the lock. An import becomes visible in one step,
//! with [`Writer::commit`]: killed before, it leaves at most files that the next import uses or removes, and lines of the
//! journal that it cuts off.

mod absorb;
mod ahead;
mod append;
mod batch;
mod derived;
mod disk;
mod entry;
#[cfg(test)]
mod faults;
mod file_system;
mod folders;
mod found;
mod journal;
mod late;
mod layout;
mod lines;
mod originals;
mod parse;
mod rebuild;
mod replay;
mod staging;
#[cfg(test)]
mod testing;
mod verify;
mod waiting;
mod writer;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use derived::{BegunDerived, Derived, DerivedAt, DerivedEnd};
pub use entry::{Action, ActivityLine, Cluster, ClusterLine, Decision, Entry, Original, Verdict};
pub use layout::OriginalKind;
pub use lines::{Stored, StoredCluster};
pub use originals::{NewOriginal, Packed};
pub use rebuild::{Rebuild, Rebuilt, Wanted};
pub use staging::{Filled, Slot};
pub use verify::{Check, Finding, Survey, VerifyOptions, survey, verify};
pub use waiting::{Piece, Text, Waiting};
pub use writer::{Committed, Writer};

use crate::error::{Error, Kind, Result};
use crate::ids::{ActivityId, Digest};
use crate::model::Summary;
use journal::{Fault, Point};
use layout::{io_error, wrong};
use lines::SegmentFile;
use replay::State;

/// A history with all that its journal says, in memory.
pub struct History {
    root: PathBuf,
    state: State,
    /// Where the next batch goes.
    end: End,
    /// The first segment that counts.
    first: u32,
    faults: Vec<JournalFault>,
}

/// Something wrong in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct JournalFault {
    segment: u32,
    /// Number of the line.
    n: usize,
    what: LineFault,
}

/// What is wrong about a line of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineFault {
    /// It cannot be believed.
    Seal(Fault),
    /// It heads a batch that lacks so many lines.
    Short(usize),
    /// It says nothing usable.
    Odd,
}

/// The end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct End {
    /// Number of the last segment.
    segment: u32,
    /// What counts of it; a longer file ends in a torn batch.
    keep: Point,
    /// Length of its file.
    length: u64,
    /// True when the last line lacks its end.
    open_end: bool,
}

impl History {
    /// Opens a history to read. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// `History` when the folder is none or of an unknown version, `Io` when it cannot be read.
    pub fn open(root: &Path) -> Result<History> {
        if !layout::check_version(root)? {
            return Err(wrong(root, format!("this is no history: there is no {}", layout::VERSION_FILE)));
        }
        History::load(root)
    }

    /// True for a folder that says that it is a history.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(layout::VERSION_FILE).is_file()
    }

    /// Opens to read what [`History::open_or_create`] would open to write; `None` where it would make a new history.
    ///
    /// # Errors
    /// Those of [`History::open`], and `History` when the folder holds something else.
    pub fn open_if_made(root: &Path) -> Result<Option<History>> {
        if layout::check_version(root)? {
            return History::load(root).map(Some);
        }
        found::refuse_foreign_folder(root).map(|()| None)
    }

    /// Plays the journal, whatever the version file says.
    fn load(root: &Path) -> Result<History> {
        let numbers = layout::segments(root)?;
        let mut history = History {
            root: root.to_owned(),
            state: State::default(),
            end: End { segment: 1, ..End::default() },
            first: 1,
            faults: Vec::new(),
        };
        for (i, &number) in numbers.iter().enumerate() {
            history.read_segment(number, Point::default(), i + 1 == numbers.len())?;
        }
        history.state.settle();
        Ok(history)
    }

    /// Takes over what a segment says after a point of it.
    fn read_segment(&mut self, number: u32, from: Point, last: bool) -> Result<()> {
        let path = self.root.join(layout::segment_path(number));
        let failed = |error| io_error("cannot read", &path, error);
        let mut file = File::open(&path).map_err(failed)?;
        file.seek(SeekFrom::Start(from.at)).map_err(failed)?;
        let file = Arc::new(SegmentFile { file, path: path.clone() });
        let mut input = BufReader::with_capacity(256 << 10, &file.file);
        let length = file.file.metadata().map_err(failed)?.len().saturating_sub(from.at);
        let (segment, said) = parse::parsed(length, &file, |each| journal::read_segment(&mut input, from, last, each));
        let segment = segment.map_err(failed)?;
        self.state.reserve(said.iter().flatten());
        let said = said.into_iter().flatten().take(segment.lines);
        let play = |state: &mut State| state.play(said);
        let seals = segment.faults.iter().map(|&(n, fault)| (n, LineFault::Seal(fault)));
        let short = segment.short.iter().map(|&(n, missing)| (n, LineFault::Short(missing)));
        self.play(number, play, seals.chain(short));
        self.end = End { segment: number, keep: segment.keep, length: segment.length, open_end: segment.open_end };
        Ok(())
    }

    /// Takes over what lines of a segment say, and what is wrong about others. `play` gives the numbers of lines that say
    /// nothing usable.
    fn play(
        &mut self,
        segment: u32,
        play: impl FnOnce(&mut State) -> Vec<usize>,
        faults: impl Iterator<Item = (usize, LineFault)>,
    ) {
        let resets = self.state.resets;
        let odd = play(&mut self.state).into_iter().map(|n| (n, LineFault::Odd));
        if self.state.resets != resets {
            // What was wrong before does not matter any more.
            self.first = segment;
            self.faults.clear();
        }
        self.faults.extend(faults.chain(odd).map(|(n, what)| JournalFault { segment, n, what }));
    }

    /// Opens a history to write, and makes a new one when the folder is absent or empty. A second writer waits with
    /// `wait`, else it gets an error.
    ///
    /// # Errors
    /// `History` when the folder holds something else, is of an unknown version, or another program writes to it; `Io`
    /// when it cannot be written.
    pub fn open_or_create(root: &Path, wait: bool) -> Result<Writer> {
        Writer::open(root, wait, Box::new(disk::RealDisk::default()))
    }

    /// Opens a history that is there to write.
    ///
    /// # Errors
    /// Those of [`History::open_or_create`], and `History` when the folder is no history.
    pub fn open_to_write(root: &Path, wait: bool) -> Result<Writer> {
        if !layout::check_version(root)? {
            return Err(wrong(root, format!("this is no history: there is no {}", layout::VERSION_FILE)));
        }
        History::open_or_create(root, wait)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All activities, ordered by start and identity; members of merged clusters are among them.
    pub fn activities(&self) -> &[Stored] {
        &self.state.activities
    }

    /// The activity with this identity.
    pub fn activity(&self, id: &ActivityId) -> Option<&Stored> {
        self.state.activity(id)
    }

    /// Clusters that hold: merges, and doubts that nobody settled.
    pub fn clusters(&self) -> impl Iterator<Item = &StoredCluster> {
        self.state.clusters()
    }

    /// True when the owner declared two activities different.
    pub fn are_apart(&self, a: &ActivityId, b: &ActivityId) -> bool {
        self.state.apart.iter().any(|set| set.contains(a) && set.contains(b))
    }

    /// Sets of activities that the owner declared different.
    pub fn apart(&self) -> &[Vec<ActivityId>] {
        &self.state.apart
    }

    /// Merged workouts that the owner took back, as they were. Only a help to say the same again: what is different is
    /// said by [`History::apart`], which a journal that was derived again still has.
    pub fn undone(&self) -> &[StoredCluster] {
        &self.state.undone
    }

    /// True when these bytes are kept: the journal knows them, and their file is there with its length. Bytes whose file
    /// was lost count as new, so that importing them again heals the history.
    pub fn has(&self, digest: &Digest) -> bool {
        let there = |original: &Original| {
            let path = layout::inside(&self.root, &original.path)?;
            Some(std::fs::metadata(path).ok()?.len() == original.stored_bytes)
        };
        // What cannot be read now is told by whoever wants to change it.
        self.state.nameless(digest).ok().flatten().as_ref().and_then(there).unwrap_or(false)
    }

    /// What is known about some bytes; `None` when the journal does not know them.
    ///
    /// # Errors
    /// `Io` and `History` when its journal line cannot be read.
    pub fn original(&self, digest: &Digest) -> Result<Option<Original>> {
        self.state.original(digest)
    }

    /// True when the journal knows these bytes.
    pub fn knows_original(&self, digest: &Digest) -> bool {
        self.state.knows_original(digest)
    }

    /// Length of the content of an original; 0 when that is not known. Only a hint for who shares work out.
    pub fn bytes_of(&self, digest: &Digest) -> u64 {
        self.state.nameless(digest).ok().flatten().map_or(0, |original| original.bytes)
    }

    /// All originals in order of their digests, read from the journal one by one.
    ///
    /// # Errors
    /// Each as [`History::original`].
    pub fn originals(&self) -> impl ExactSizeIterator<Item = Result<Original>> {
        self.state.originals.iter().map(|kept| self.state.whole(kept))
    }

    /// The digests of all originals, in order.
    pub fn digests(&self) -> impl ExactSizeIterator<Item = Digest> {
        self.state.originals.iter().map(|kept| kept.digest)
    }

    /// True when originals are known that came as gzip streams.
    pub fn knows_streams(&self) -> bool {
        self.state.originals.iter().any(|kept| kept.stream != 0)
    }

    /// The original that came as a gzip stream with this digest.
    ///
    /// # Errors
    /// As [`History::original`].
    pub fn of_stream(&self, stream: &Digest) -> Result<Option<Digest>> {
        self.state.of_stream(stream)
    }

    /// True when the line of an activity says exactly this.
    pub fn says(&self, summary: &Summary) -> bool {
        journal::body(journal::LineKind::Activity, summary)
            .is_ok_and(|body| self.state.knows_activity(&summary.id, &body))
    }

    /// The activities of an original.
    pub fn activities_of(&self, digest: &Digest) -> impl Iterator<Item = &Stored> {
        self.state.activities_of(digest)
    }

    /// How much in the journal could not be believed and was left out; `verify` names it.
    pub fn damaged_lines(&self) -> usize {
        self.faults.len()
    }

    /// What is wrong with the journal, in a few words: then this is not all that the history held.
    ///
    /// # Errors
    /// `Io` when the journal's folder cannot be listed.
    pub fn damage(&self) -> Result<Option<String>> {
        let missing = verify::missing_segments(self)?.len();
        if missing + self.faults.len() == 0 {
            return Ok(None);
        }
        let lines = format!("{} lines of the journal cannot be believed", self.faults.len());
        Ok(Some(if missing > 0 { format!("{missing} segments of the journal are missing, {lines}") } else { lines }))
    }

    /// Journal lines of kinds that only a newer program knows.
    pub fn unknown_lines(&self) -> usize {
        self.state.unknown.len()
    }

    /// The exact content of an original, verified against its digest.
    ///
    /// # Errors
    /// `History` when the bytes are not kept or not what they were, `Io` when the file cannot be read.
    pub fn read_original(&self, digest: &Digest) -> Result<Vec<u8>> {
        // The stated length is a hint: a damaged journal must not reserve memory.
        let mut content = Vec::with_capacity(self.bytes_of(digest).min(16 << 20) as usize);
        self.copy_original(digest, &mut content)?;
        Ok(content)
    }

    /// Streams the exact content of an original, and gives its length. What was written is only to be believed when this
    /// succeeds: the digest is known at the end.
    ///
    /// # Errors
    /// Those of [`History::read_original`], and `Io` when `out` takes no more.
    pub fn copy_original(&self, digest: &Digest, out: &mut dyn Write) -> Result<u64> {
        let path = self.path_of(&self.kept(digest)?)?;
        let copied = originals::copy_content(&path, out).map_err(|error| io_error("cannot read", &path, error))?;
        match copied {
            (bytes, found) if found == *digest => Ok(bytes),
            (_, found) => Err(wrong(&path, format!("its content has the SHA-256 {found}, not {digest}; run verify"))),
        }
    }

    /// The content of an original as a stream, after a first pass that has checked its digest.
    ///
    /// # Errors
    /// Those of [`History::read_original`].
    pub fn open_original(&self, digest: &Digest) -> Result<Box<dyn BufRead + Send>> {
        self.copy_original(digest, &mut io::sink())?;
        self.open_checked(digest)
    }

    /// The content of an original as a stream, for one whose digest the caller has checked already.
    ///
    /// # Errors
    /// `History` when the bytes are not kept, `Io` when the file cannot be read.
    pub fn open_checked(&self, digest: &Digest) -> Result<Box<dyn BufRead + Send>> {
        let path = self.path_of(&self.kept(digest)?)?;
        originals::open_content(&path).map_err(|error| io_error("cannot read", &path, error))
    }

    fn kept(&self, digest: &Digest) -> Result<Original> {
        let lost = || Error::new(Kind::History, format!("no original with the SHA-256 {digest} is kept"));
        self.original(digest)?.ok_or_else(lost)
    }

    /// The file of an original.
    ///
    /// # Errors
    /// `History` when the journal names a path that is not below `originals`.
    pub fn path_of(&self, original: &Original) -> Result<PathBuf> {
        layout::inside(&self.root, &original.path)
            .ok_or_else(|| wrong(&self.root, format!("the journal names the odd path {}", original.path)))
    }
}
