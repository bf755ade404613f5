//! The journal derived again from the originals: what its sound lines say stays, what they lack is read again.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use super::batch::Lines;
use super::disk::{Disk, RealDisk};
use super::entry::{Action, ActivityLine, Decision, Original, PARSER};
use super::layout::{self, io_error, wrong};
use super::originals::copy_content;
use super::verify::{Files, Finding, missing_segments};
use super::waiting::Piece;
use super::writer::Writer;
use super::{History, JournalFault, LineFault};
use crate::error::{Place, Result};
use crate::ids::Digest;
use crate::model::Summary;
use crate::report::Code;

const LOST: Code = Code::damage("history.lost_line");
const UNREAD: Code = Code::damage("history.unread");

/// A rebuild under way: ask for [`Rebuild::wanted`], read each with [`Rebuild::read`], [`Rebuild::supply`] what it holds,
/// then [`Rebuild::finish`]. Nothing but leftovers is touched before that.
pub struct Rebuild {
    writer: Writer,
    /// What is on the disk: digest → path and length of the file.
    files: HashMap<Digest, (String, u64)>,
    wanted: Vec<Wanted>,
    supplied: BTreeMap<Digest, (String, Vec<Summary>)>,
    needed: bool,
}

/// An original that has to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Digest of its content.
    pub digest: Digest,
    /// File, relative to the root.
    pub path: String,
    /// Names under which it was met; its file's name when the journal does not know.
    pub names: Vec<String>,
    /// Length of the content.
    pub bytes: u64,
}

/// What a rebuild did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rebuilt {
    /// True when a new journal was written.
    pub written: bool,
    /// Originals that the journal knows now.
    pub originals: usize,
    /// Activities that the journal knows now.
    pub activities: usize,
    /// Originals that were read again.
    pub reread: usize,
    /// What could not be derived.
    pub lost: Vec<Finding>,
}

impl Rebuild {
    /// Looks at everything, originals' content included. `progress` gets the bytes of each file that was hashed.
    ///
    /// # Errors
    /// `History` when the folder holds no history, one of an unknown version, or another program writes to it; `Io` when
    /// it cannot be read.
    pub fn start(root: &Path, wait: bool, progress: &mut dyn FnMut(u64)) -> Result<Rebuild> {
        Rebuild::start_on(root, wait, Box::new(RealDisk::default()), progress)
    }

    pub(super) fn start_on(
        root: &Path,
        wait: bool,
        disk: Box<dyn Disk>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Rebuild> {
        let versioned = layout::check_version(root)?;
        if !versioned && !layout::has_content(root) {
            return Err(wrong(root, "this is no history"));
        }
        let mut writer = Writer::adopt(root, wait, disk)?;
        writer.heal()?;
        let mut files: HashMap<Digest, (String, u64)> = HashMap::new();
        let mut contents: HashMap<Digest, u64> = HashMap::new();
        for (path, length) in Files::list(root, &mut Vec::new())?.0 {
            let content = copy_content(&root.join(&path), &mut io::sink());
            progress(length);
            let Ok((bytes, digest)) = content else { continue };
            let at_home = writer.original(&digest)?.is_some_and(|original| original.path == path);
            if at_home || !files.contains_key(&digest) && (writer.has(&digest) || path.contains(&digest.short())) {
                files.insert(digest, (path, length));
                contents.insert(digest, bytes);
            }
        }
        let wanted = wanted(&writer, &files, &contents)?;
        let mut moved = false;
        for original in writer.originals() {
            let original = original?;
            moved |= files.get(&original.digest).is_some_and(|(path, _)| *path != original.path);
        }
        let gaps = !missing_segments(&writer)?.is_empty();
        let needed = !versioned || gaps || moved || !wanted.is_empty() || !writer.faults.is_empty();
        Ok(Rebuild { writer, files, wanted, supplied: BTreeMap::new(), needed })
    }

    /// Originals that have to be read again, in order of their paths.
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// The content of a wanted original. May be called from several threads.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    pub fn read(&self, wanted: &Wanted) -> Result<Vec<u8>> {
        let path = self.writer.root().join(&wanted.path);
        let mut content = Vec::new();
        copy_content(&path, &mut content).map_err(|error| io_error("cannot read", &path, error))?;
        Ok(content)
    }

    /// Says what a wanted original holds: its format and activities.
    pub fn supply(&mut self, digest: Digest, format: &str, activities: Vec<Summary>) {
        self.supplied.insert(digest, (format.to_owned(), activities));
    }

    /// Writes the new journal in one step, when anything is wrong with the old one, and puts the old one aside.
    ///
    /// # Errors
    /// `Io` when the disk refuses; the old journal stays then.
    pub fn finish(mut self) -> Result<Rebuilt> {
        let mut rebuilt = Rebuilt { reread: self.supplied.len(), ..Rebuilt::default() };
        if self.needed {
            rebuilt.lost = self.lost();
            let lines = self.lines()?;
            match self.writer.begin_batch(lines, true, true, false) {
                Ok(begun) => begun.map_or(Ok(()), |begun| self.writer.end_batch(begun))?,
                Err(error) => {
                    self.writer.cut_batch(true);
                    return Err(error);
                }
            }
            self.writer.heal()?;
            // Fingerprints of activities that were read again may be stale.
            let derived = self.writer.root().join(layout::DERIVED);
            if derived.exists() {
                self.writer.disk.remove(&derived).map_err(|error| io_error("cannot remove", &derived, error))?;
            }
            rebuilt.written = true;
        }
        rebuilt.originals = self.writer.originals().len();
        rebuilt.activities = self.writer.activities().len();
        Ok(rebuilt)
    }

    fn lines(&self) -> Result<Lines> {
        let state = &self.writer.state;
        let mut lines = Lines::default();
        for original in self.writer.originals() {
            let mut line = original?;
            if let Some((path, length)) = self.files.get(&line.digest) {
                (line.path, line.stored_bytes) = (path.clone(), *length);
            }
            if let Some((format, activities)) = self.supplied.get(&line.digest) {
                (line.format, line.activities) = (format.clone(), activities.len() as u32);
                line.parser = PARSER.to_owned();
            }
            lines.original(&line)?;
        }
        for wanted in self.wanted.iter().filter(|wanted| !state.knows_original(&wanted.digest)) {
            let Some((format, activities)) = self.supplied.get(&wanted.digest) else { continue };
            lines.original(&Original {
                digest: wanted.digest,
                path: wanted.path.clone(),
                format: format.clone(),
                bytes: wanted.bytes,
                stored_bytes: self.files.get(&wanted.digest).map_or(0, |(_, length)| *length),
                activities: activities.len() as u32,
                names: wanted.names.clone(),
                parser: PARSER.to_owned(),
                gzip_sha256: None,
                reread: false,
            })?;
        }
        for activity in state.activities.iter().filter(|activity| !self.supplied.contains_key(&activity.digest())) {
            let body = Piece::Here(activity.text.body()?.into());
            lines.activity(ActivityLine { id: activity.id, body });
        }
        for summary in self.supplied.values().flat_map(|(_, activities)| activities) {
            lines.activity(ActivityLine::of(summary)?);
        }
        for members in &state.apart {
            lines.decision(&Decision { action: Action::Undo, members: members.clone() })?;
        }
        for cluster in state.said_clusters.iter().flatten() {
            lines.cluster(cluster.line()?);
        }
        for text in &state.unknown {
            lines.unknown(text.body()?.into());
        }
        Ok(lines)
    }

    /// What the new journal will lack.
    fn lost(&self) -> Vec<Finding> {
        let history: &History = &self.writer;
        let mut lost = Vec::new();
        for number in missing_segments(history).unwrap_or_default() {
            let detail = "lost: what only this segment said: names of sources, decisions of the owner and on times";
            let repair = "put the segment and journal/replaced back from a backup, or import the sources again";
            lost.push(Finding::new(LOST, layout::segment_path(number), detail, repair));
        }
        let nameless = self.wanted.iter().any(|wanted| !history.knows_original(&wanted.digest));
        for &JournalFault { segment, n, what } in &history.faults {
            let path = layout::segment_path(segment);
            let line = match what {
                LineFault::Seal(_) | LineFault::Odd => damaged_line(&history.root.join(&path), n),
                LineFault::Short(_) => continue,
            };
            let what = match kind_of_line(&line) {
                Some("original") if nameless => "the names that an original came under",
                Some("activity") if says(&line, b"\"local_evidence\":\"user\"") => "what the owner said of a zone",
                Some("original" | "activity" | "batch") => continue,
                Some("alias") => "further names of an original",
                Some("decision") => "a decision of the owner",
                Some("cluster") => "a merge or a doubt; the next import finds it again",
                _ => "a line that cannot be read at all",
            };
            let repair = "look at the line in journal/replaced, and say it again";
            let finding = Finding::new(LOST, path, format!("lost: {what}"), repair);
            lost.push(Finding { place: Place::line(n), ..finding });
        }
        for wanted in self.wanted.iter().filter(|wanted| !self.supplied.contains_key(&wanted.digest)) {
            let detail = "no activity could be read from this original";
            lost.push(Finding::new(UNREAD, &wanted.path, detail, "keep it: a later version may read it"));
        }
        lost
    }
}

/// Originals without a line, and those whose activities are not all known.
fn wanted(
    history: &History,
    files: &HashMap<Digest, (String, u64)>,
    contents: &HashMap<Digest, u64>,
) -> Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for (digest, (path, _)) in files {
        let original = history.original(digest)?;
        let known = history.activities_of(digest).count();
        if original.as_ref().is_some_and(|original| known >= original.activities as usize) {
            continue;
        }
        let own = || vec![path.rsplit('/').next().unwrap_or(path).to_owned()];
        wanted.push(Wanted {
            digest: *digest,
            path: path.clone(),
            names: original.map_or_else(own, |original| original.names),
            bytes: contents.get(digest).copied().unwrap_or(0),
        });
    }
    wanted.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(wanted)
}

/// The text of a damaged line; empty when it cannot be read.
fn damaged_line(segment: &Path, n: usize) -> Vec<u8> {
    let bytes = fs::read(segment).unwrap_or_default();
    bytes.split(|&b| b == b'\n').nth(n.saturating_sub(1)).unwrap_or_default().to_vec()
}

/// What a damaged line seems to have been.
fn kind_of_line(line: &[u8]) -> Option<&str> {
    let word = line.strip_prefix(b"{\"kind\":\"")?;
    let end = word.iter().position(|&b| b == b'"')?;
    std::str::from_utf8(word.get(..end)?).ok()
}

fn says(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}
