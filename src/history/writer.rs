//! The one that writes: originals first, then all journal lines of the import in one step.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::History;
use super::ahead::Ahead;
use super::batch::{self, Reread, Said};
use super::disk::{Disk, Watch};
use super::entry::{ActivityLine, ClusterLine, Entry, PARSER};
use super::folders::{self, Folders, Temporary};
use super::found;
use super::journal::SEGMENT_BYTES;
use super::layout::{self, io_error};
use super::staging::Staged;
use super::waiting::Waiting;
use crate::error::Result;
use crate::ids::Digest;
use crate::model::Summary;

/// A history that this process may change. Reads are those of [`History`]; they show what is committed.
pub struct Writer {
    pub(super) history: History,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) originals: BTreeMap<Digest, Staged>,
    /// Length of their files that wait.
    pub(super) staged_bytes: u64,
    /// There may be files of originals.
    pub(super) has_originals: bool,
    /// The folder for temporary names is there.
    pub(super) has_incoming: bool,
    /// How many places were given to originals.
    pub(super) slots: u32,
    /// How many may be wanted.
    pub(super) expected: usize,
    pub(super) folders: Folders,
    /// When new files are waited for as a whole.
    pub(super) watch: Watch,
    pub(super) ahead: Ahead,
    said: Said,
    waiting: Arc<Waiting>,
    /// Holds the lock; the system releases it when the process ends, however it ends.
    _lock: File,
}

/// What a commit does to files.
struct Moves {
    /// What was staged, and where it goes, relative to the root. Folders come first: single files may go into them.
    moves: Vec<(Moved, String)>,
    /// The new files are waited for as a whole.
    whole: bool,
    /// Folders that change.
    folders: Vec<PathBuf>,
}

/// What is moved.
enum Moved {
    File(Digest, Temporary),
    /// A folder whose files wait together, by its number.
    Folder(u32),
}

/// What a commit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Originals that are new, and those whose file was lost and is there again.
    pub originals: usize,
    /// Journal lines written; 0 when there was nothing new to say.
    pub lines: usize,
    /// Bytes written to the disk for originals.
    pub bytes: u64,
}

impl Deref for Writer {
    type Target = History;
    fn deref(&self) -> &History {
        &self.history
    }
}

impl Writer {
    pub(super) fn open(root: &Path, wait: bool, disk: Box<dyn Disk>) -> Result<Writer> {
        if !layout::check_version(root)? {
            found::refuse_foreign_folder(root)?;
            found::create_root(root, &*disk).map_err(|error| io_error("cannot create", root, error))?;
        }
        let lock = found::lock(root, wait)?;
        // Another program may have made the history while this one waited.
        if !layout::check_version(root)? {
            found::create(root, &*disk)?;
        }
        Writer::load(root, disk, lock)
    }

    /// Opens a history whose version file is known to be missing, and writes that file again.
    pub(super) fn adopt(root: &Path, wait: bool, disk: Box<dyn Disk>) -> Result<Writer> {
        let lock = found::lock(root, wait)?;
        if !layout::check_version(root)? {
            found::write_version(root, &*disk).map_err(|error| io_error("cannot write to", root, error))?;
        }
        Writer::load(root, disk, lock)
    }

    fn load(root: &Path, disk: Box<dyn Disk>, lock: File) -> Result<Writer> {
        let history = History::load(root)?;
        let (originals, said) = (BTreeMap::new(), Said::default());
        let disk: Arc<dyn Disk> = Arc::from(disk);
        let waiting = Arc::new(Waiting::at(root, &disk));
        let has_originals = root.join(layout::ORIGINALS).exists();
        let (has_incoming, slots, expected, watch, ahead) = (false, 0, 0, Watch::NOT, Ahead::default());
        let folders = Folders::default();
        let mut writer = Writer {
            history,
            disk,
            originals,
            staged_bytes: 0,
            has_originals,
            has_incoming,
            slots,
            expected,
            folders,
            watch,
            ahead,
            said,
            waiting,
            _lock: lock,
        };
        writer.heal()?;
        writer.clear_incoming();
        Ok(writer)
    }

    /// Cuts a torn batch off, ends a line that lacks its end, and puts segments aside that a rebuilt journal replaced.
    pub(super) fn heal(&mut self) -> Result<()> {
        let root = &self.history.root;
        for number in layout::segments(root)?.into_iter().filter(|&number| number < self.history.first) {
            let (from, aside) = (root.join(layout::segment_path(number)), root.join(layout::REPLACED));
            let to = aside.join(from.file_name().unwrap_or_default());
            let put_aside = || -> io::Result<()> {
                self.disk.create_folder(&aside)?;
                self.disk.rename(&from, &to)?;
                self.disk.sync_folder(&aside)?;
                self.disk.sync_folder(&root.join(layout::JOURNAL))
            };
            put_aside().map_err(|error| io_error("cannot put aside", &from, error))?;
        }
        let end = self.history.end;
        let path = self.history.root.join(layout::segment_path(end.segment));
        if end.keep.at < end.length {
            match self.disk.truncate(&path, end.keep.at) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("cannot cut", &path, error));
                }
                _ => self.history.end.length = end.keep.at,
            }
        }
        if end.open_end {
            self.disk
                .append(&path, &mut |out| out.write_all(b"\n"))
                .map_err(|error| io_error("cannot write", &path, error))?;
            self.history.end.keep.at += 1;
            self.history.end.length += 1;
            self.history.end.open_end = false;
        }
        Ok(())
    }

    /// What waits for the commit, but for activities and what others made lines of.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.said.entries
    }

    /// Says something in the journal, at the commit. The order in which things are said does not matter, and what is
    /// known already is not said again.
    pub fn put(&mut self, entry: Entry) {
        if let Entry::Alias { digest, names } = &entry {
            if let Some(staged) = self.originals.get_mut(digest) {
                staged.add_names(names.iter().cloned());
                return;
            }
            // Who imports the same again says a hundred thousand names that are known.
            let original = self.history.original(digest).ok().flatten();
            if original.is_some_and(|original| all_among(names, &original.names)) {
                return;
            }
        }
        self.said.entries.push(entry);
    }

    /// The same for an activity of an original.
    pub fn put_activity(&mut self, line: ActivityLine) {
        self.said.activities.push(line);
    }

    /// So many originals may come: when these are many, none of them has to be moved alone at the commit.
    pub fn expect_originals(&mut self, count: usize) {
        self.expected = count;
    }

    /// Makes room for so many activities, no more than it takes.
    pub fn reserve_activities(&mut self, count: usize) {
        self.said.activities.reserve_exact(count);
    }

    /// The same for a cluster.
    pub fn put_cluster(&mut self, line: ClusterLine) {
        self.said.clusters.push(line);
    }

    /// Where texts wait for the commit.
    pub fn waiting(&self) -> Arc<Waiting> {
        self.waiting.clone()
    }

    /// Says what an original that is kept gives when it is read again; activities that it does not give any more go away.
    pub fn put_reread(&mut self, digest: Digest, format: &str, activities: Vec<Summary>) {
        self.reread(digest, format, Some(activities));
    }

    /// The same for an original that gives what its lines say.
    pub fn put_reread_same(&mut self, digest: Digest, format: &str) {
        self.reread(digest, format, None);
    }

    fn reread(&mut self, digest: Digest, format: &str, activities: Option<Vec<Summary>>) {
        self.said.rereads.push(Reread { digest, format: format.to_owned(), parser: PARSER.to_owned(), activities });
    }

    /// Makes all that was put visible in one step: originals get their names, then the last of the journal lines is written.
    /// Until it is there, nobody believes the others.
    ///
    /// # Errors
    /// `Io` when the disk refuses; nothing that was put is visible then.
    pub fn commit(&mut self) -> Result<Committed> {
        self.heal()?;
        let said = std::mem::take(&mut self.said);
        let staged = std::mem::take(&mut self.originals);
        let (originals, bytes) = (staged.len(), std::mem::take(&mut self.staged_bytes));
        self.has_originals |= !staged.is_empty();
        let finished = self.ahead.finish(&*self.disk, &self.history.root);
        finished.map_err(|(path, error)| io_error("cannot write", &path, error))?;
        let Moves { moves, whole, folders } = self.moves(&staged)?;
        let (mut begun, mut put) = (Ok(None), Some((said, staged)));
        let fresh = self.history.end.keep.at >= SEGMENT_BYTES;
        let root = &self.history.root;
        let from_to = |at: usize| match moves.get(at) {
            Some((Moved::File(digest, file), to)) => (file.path(root, digest, to), root.join(to)),
            Some((Moved::Folder(number), to)) => (folders::waiting_folder(root, *number), root.join(to)),
            None => Default::default(),
        };
        let settled = self.disk.settle_files(moves.len(), &from_to, whole.then_some(root), &mut || {
            let Some((said, staged)) = put.take() else { return };
            let lines = batch::lines(&self.history.state, said, &self.waiting, staged);
            begun = lines.and_then(|lines| self.begin_batch(lines, fresh, false, whole));
        });
        let settled = settled.and_then(|()| match whole {
            true => self.disk.sync_whole().map_err(|error| (root.clone(), error)),
            false => self.disk.sync_folders(&folders),
        });
        let settled = settled.map_err(|(path, error)| io_error("cannot write", &path, error));
        self.clear_incoming();
        // For a hundred thousand files this is much, and taking over what was said needs room.
        drop(moves);
        match settled.and(begun) {
            Ok(Some(begun)) => {
                let lines = begun.lines;
                self.end_batch(begun)?;
                Ok(Committed { originals, lines, bytes })
            }
            Ok(None) => Ok(Committed { originals, lines: 0, bytes }),
            Err(error) => {
                self.cut_batch(fresh);
                Err(error)
            }
        }
    }

    /// What was staged and where it goes, and the folders that change; those are made here.
    fn moves(&mut self, staged: &BTreeMap<Digest, Staged>) -> Result<Moves> {
        let (root, folders) = (&self.history.root, std::mem::take(&mut self.folders));
        let files = || staged.iter().filter_map(|(digest, staged)| Some((digest, staged, staged.file?)));
        let whole = files().count() >= self.watch.from_files;
        let mut targets: BTreeSet<String> = folders.names().map(str::to_owned).collect();
        // What is waited for one by one is moved one by one.
        let mut complete = if whole { folders.complete(files().map(|(.., file)| file)) } else { BTreeMap::new() };
        let mut alone: Vec<(Moved, String)> = Vec::new();
        for (digest, staged, file) in files().filter(|(.., file)| matches!(file, Temporary::Alone(_))) {
            let path = staged.path(&self.waiting)?;
            targets.insert(layout::folder_of(&path).to_owned());
            alone.push((Moved::File(*digest, file), path));
        }
        complete.retain(|folder, (number, given)| {
            // What is left of a commit that failed does not come along.
            let holds = |files: usize| folders::files_in(root, *number) == Some(files);
            let below = format!("{folder}/");
            let holds_another = targets.range(below.clone()..).next().is_some_and(|other| other.starts_with(&below));
            !holds_another && holds(*given) && !root.join(folder).exists()
        });
        let numbers: BTreeSet<u32> = complete.values().map(|(number, _)| *number).collect();
        let lone = |file: &Temporary| matches!(file, Temporary::In(number) if !numbers.contains(number));
        for (digest, staged, file) in files().filter(|(.., file)| lone(file)) {
            alone.push((Moved::File(*digest, file), staged.path(&self.waiting)?));
        }
        let mut moves: Vec<(Moved, String)> =
            complete.iter().map(|(folder, (number, _))| (Moved::Folder(*number), folder.clone())).collect();
        moves.append(&mut alone);
        let mut changed: BTreeSet<&str> = BTreeSet::new();
        for folder in moves.iter().map(|(_, path)| layout::folder_of(path)) {
            if changed.insert(folder) && !complete.contains_key(folder) {
                let path = root.join(folder);
                self.disk.create_folder(&path).map_err(|error| io_error("cannot create", &path, error))?;
            }
        }
        let all: BTreeSet<&Path> = changed.into_iter().flat_map(|folder| Path::new(folder).ancestors()).collect();
        let folders = all.into_iter().map(|folder| root.join(folder)).collect();
        Ok(Moves { moves, whole, folders })
    }

    /// Removes what an import that was killed left under temporary names. Best effort: it does no harm. Links are not
    /// followed: what they lead to is not ours.
    fn clear_incoming(&mut self) {
        self.has_incoming = false;
        let folder = self.history.root.join(layout::INCOMING);
        if !fs::symlink_metadata(&folder).is_ok_and(|meta| meta.is_dir()) {
            return;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let _ = self.disk.remove(&path);
                continue;
            }
            for inner in fs::read_dir(&path).into_iter().flatten().flatten() {
                let _ = self.disk.remove(&inner.path());
            }
            let _ = self.disk.remove_folder(&path);
        }
        let _ = self.disk.remove_folder(&folder);
    }
}

/// True when no name is missing; of one content there may be ten thousand.
fn all_among(names: &[String], known: &[String]) -> bool {
    let known: HashSet<&String> = known.iter().collect();
    names.iter().all(|name| known.contains(name))
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.waiting.clear();
        self.clear_incoming();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{put, start_of, summary, tree};
    use super::super::{Action, Cluster, Decision, Verdict};
    use super::*;
    use crate::error::Kind;
    use crate::ids::ActivityId;

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("h");
        (folder, root)
    }

    #[test]
    fn what_is_committed_reads_back_exactly() {
        let (_keep, root) = scratch();
        let mut writer = History::open_or_create(&root, false).unwrap();
        let digest = put(&mut writer, "b.gpx", b"<gpx>two</gpx>", 2).unwrap();
        assert!(!writer.has(&digest), "nothing is visible before the commit");
        let done = writer.commit().unwrap();
        assert_eq!((done.originals, done.lines), (1, 3));
        drop(writer);
        let history = History::open(&root).unwrap();
        assert_eq!(history.read_original(&digest).unwrap(), b"<gpx>two</gpx>");
        assert_eq!(history.activities().len(), 2);
        let original = history.original(&digest).unwrap().unwrap();
        assert_eq!((original.activities, original.bytes, &*original.names), (2, 14, &["b.gpx".to_owned()][..]));
        let start = start_of(&digest);
        assert_eq!(history.activities()[0].summary().unwrap(), summary(&digest, 0, start));
        let stored = &history.activities()[0];
        assert_eq!((stored.start(), stored.end()), (Some(start), Some(start + 3_600_000)));
        assert_eq!((stored.sport(), stored.day(), stored.local_offset_s()), ("running", None, Some(7200)));
        assert_eq!(stored.digest(), digest);
        assert_eq!(history.activities()[1].digest(), digest);
        assert_eq!(history.activities_of(&digest).count(), 2);
    }

    #[test]
    fn the_same_import_again_changes_no_byte() {
        let (_keep, root) = scratch();
        let import = |names: &[&str]| {
            let mut writer = History::open_or_create(&root, false).unwrap();
            for name in names {
                put(&mut writer, name, name.as_bytes(), 1).unwrap();
            }
            writer.commit().unwrap()
        };
        import(&["a", "b"]);
        let before = tree(&root);
        assert_eq!(import(&["b", "a", "a"]), Committed::default());
        assert_eq!(tree(&root), before);
        assert_eq!(import(&["b", "c"]).lines, 2);
        let after = tree(&root);
        assert!(after["journal/000001.jsonl"].starts_with(&before["journal/000001.jsonl"]));
    }

    #[test]
    fn the_order_of_putting_does_not_matter() {
        let names = ["a", "b", "c", "d", "e"];
        let make = |order: &[usize]| {
            let (_keep, root) = scratch();
            let mut writer = History::open_or_create(&root, false).unwrap();
            for &i in order {
                put(&mut writer, names[i], names[i].as_bytes(), 2).unwrap();
                put(&mut writer, &format!("copy of {}", names[i]), names[i].as_bytes(), 0).unwrap();
            }
            writer.commit().unwrap();
            tree(&root)
        };
        assert_eq!(make(&[0, 1, 2, 3, 4]), make(&[3, 1, 4, 0, 2]));
    }

    #[test]
    fn further_names_of_known_bytes_are_remembered_once() {
        let (_keep, root) = scratch();
        for _ in 0..2 {
            for name in ["a.gpx", "b.gpx.gz", "a.zip!/a.gpx"] {
                let mut writer = History::open_or_create(&root, false).unwrap();
                put(&mut writer, name, b"same", 1).unwrap();
                writer.commit().unwrap();
            }
        }
        let history = History::open(&root).unwrap();
        let originals: Vec<_> = history.originals().collect::<Result<_>>().unwrap();
        assert_eq!(originals[0].names, ["a.gpx", "a.zip!/a.gpx", "b.gpx.gz"]);
        let journal = fs::read_to_string(root.join("journal/000001.jsonl")).unwrap();
        assert_eq!(journal.matches("\"kind\":\"alias\"").count(), 2);
    }

    #[test]
    fn merges_replace_each_other_and_can_be_undone() {
        let (_keep, root) = scratch();
        let mut writer = History::open_or_create(&root, false).unwrap();
        let digest = put(&mut writer, "a", b"three", 3).unwrap();
        let ids: Vec<ActivityId> = (0..3).map(|i| ActivityId::of(&digest, i)).collect();
        let cluster = |verdict, members: &[ActivityId]| {
            let (base, members) = (members[0], members.to_vec());
            Entry::Cluster(Cluster {
                verdict,
                base,
                members,
                reasons: vec!["overlap".into()],
                origins: BTreeMap::new(),
                merged: None,
                prefer: String::new(),
                replaces: Vec::new(),
            })
        };
        writer.put(cluster(Verdict::Unsure, &ids[1..]));
        writer.put(cluster(Verdict::Same, &ids[..2]));
        writer.commit().unwrap();
        assert_eq!(writer.clusters().count(), 2);
        writer.put(cluster(Verdict::Same, &ids));
        writer.commit().unwrap();
        assert_eq!(writer.clusters().count(), 1, "the doubt is settled and the smaller merge replaced");
        writer.put(cluster(Verdict::Same, &ids));
        assert_eq!(writer.commit().unwrap().lines, 0);
        writer.put(Entry::Decision(Decision { action: Action::Undo, members: ids.clone() }));
        writer.commit().unwrap();
        assert!(writer.clusters().next().is_none());
        assert!(writer.are_apart(&ids[0], &ids[2]));
        writer.put(Entry::Decision(Decision { action: Action::Undo, members: ids.clone() }));
        assert_eq!(writer.commit().unwrap().lines, 0);
        writer.put(Entry::Decision(Decision { action: Action::Accept, members: ids.clone() }));
        writer.put(cluster(Verdict::Same, &ids));
        writer.commit().unwrap();
        assert!(!writer.are_apart(&ids[0], &ids[2]));
        let again = History::open(&root).unwrap();
        assert_eq!(again.clusters().count(), 1);
        assert_eq!(again.clusters().next().unwrap().cluster().unwrap().reasons, ["overlap"]);
    }

    #[test]
    fn a_second_writer_gets_a_clear_error_and_readers_are_not_blocked() {
        let (_keep, root) = scratch();
        let writer = History::open_or_create(&root, false).unwrap();
        let error = History::open_or_create(&root, false).err().unwrap();
        assert_eq!(error.kind(), Kind::History);
        assert!(error.message().contains("another program"), "{error}");
        // Not every verb can wait.
        assert!(error.message().contains("import and refresh can wait"), "{error}");
        History::open(&root).unwrap();
        drop(writer);
        History::open_or_create(&root, false).unwrap();
    }

    #[test]
    fn unknown_versions_and_foreign_folders_are_not_touched() {
        let (_keep, root) = scratch();
        fs::create_dir(&root).unwrap();
        fs::write(root.join("paceport.json"), "{\"history\": 2}").unwrap();
        let before = tree(&root);
        for error in [History::open(&root).err(), History::open_or_create(&root, false).err()] {
            let error = error.unwrap();
            assert_eq!(error.kind(), Kind::History);
            assert!(error.message().contains("version 2"), "{error}");
        }
        assert_eq!(tree(&root), before);
        fs::rename(root.join("paceport.json"), root.join("thesis.txt")).unwrap();
        assert_eq!(History::open_or_create(&root, false).err().unwrap().kind(), Kind::History);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn health_data_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_keep, root) = scratch();
        let mut writer = History::open_or_create(&root, false).unwrap();
        put(&mut writer, "a", b"a", 1).unwrap();
        writer.commit().unwrap();
        for folder in ["", "originals", "journal"] {
            let mode = fs::metadata(root.join(folder)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{folder}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_what_an_import_left_is_removed_and_no_link_is_followed() {
        use std::os::unix::fs::symlink;
        let (_scratch, root) = scratch();
        drop(History::open_or_create(&root, false).unwrap());
        let (elsewhere, incoming) = (root.with_file_name("elsewhere"), root.join(layout::INCOMING));
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("a.gpx"), b"of the owner").unwrap();
        fs::create_dir_all(incoming.join("0")).unwrap();
        for file in ["0/x.fit", "waiting"] {
            fs::write(incoming.join(file), b"left").unwrap();
        }
        for link in ["link", "0/link"] {
            symlink(&elsewhere, incoming.join(link)).unwrap();
        }
        drop(History::open_or_create(&root, false).unwrap());
        assert!(!incoming.exists());
        assert_eq!(fs::read(elsewhere.join("a.gpx")).unwrap(), b"of the owner");
        symlink(&elsewhere, &incoming).unwrap();
        drop(History::open_or_create(&root, false).unwrap());
        assert_eq!(fs::read(elsewhere.join("a.gpx")).unwrap(), b"of the owner");
    }
}
