//! Proof of crash safety: every single operation on the disk fails in turn, in several ways, and after each the
//! history opens, has lost nothing that was committed, and importing again ends as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::disk::{Content, Disk, RealDisk, Watch};
use super::testing::{import, put, scratch, tree};
use super::{BegunDerived, History, Piece, Rebuild, VerifyOptions, Writer, verify};

/// How far the failing operation gets.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gets {
    Nowhere,
    /// Writes put down half of their bytes.
    Halfway,
    /// All is done, but the caller never hears of it.
    ToTheEnd,
}

/// What happens to later operations.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    /// All fail: the process is dead.
    Dead,
    /// The fault passes.
    Passes,
    /// Every write fails: the disk is full.
    Full,
}

/// What a power cut does to what was not yet waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Loses {
    /// The system lives on and writes it.
    Nothing,
    /// New bytes, names and folders are gone.
    Everything,
    /// Names are there, the bytes behind them are zeros.
    Bytes,
}

/// What has not been waited for.
#[derive(Default)]
struct Pending {
    operations: usize,
    failed: bool,
    /// Waits for all of the disk before a commit.
    ahead: usize,
    /// Folders that got another name.
    folders: usize,
    /// File → length that is safe.
    bytes: BTreeMap<PathBuf, u64>,
    renames: Vec<(PathBuf, PathBuf)>,
    /// Files and folders whose name is not safe.
    names: BTreeSet<PathBuf>,
}

/// A disk that fails at one operation. It never waits for the real disk: that is what it simulates.
#[derive(Clone)]
pub(super) struct FaultyDisk {
    fails_at: usize,
    gets: Gets,
    then: Then,
    /// New files are waited for as a whole, not one by one.
    whole: bool,
    pending: Arc<Mutex<Pending>>,
}

impl FaultyDisk {
    fn new(fails_at: usize, gets: Gets, then: Then) -> FaultyDisk {
        FaultyDisk { fails_at, gets, then, whole: false, pending: Arc::default() }
    }

    /// A disk that does not fail.
    pub(super) fn sound() -> Box<FaultyDisk> {
        Box::new(FaultyDisk::new(usize::MAX, Gets::Nowhere, Then::Dead))
    }

    /// The same; from two new files on they are waited for as a whole.
    pub(super) fn sound_as_a_whole() -> Box<FaultyDisk> {
        Box::new(FaultyDisk { whole: true, ..*FaultyDisk::sound() })
    }

    /// Counts an operation and does as much of it as the plan allows.
    fn step(
        &self,
        writes: bool,
        half: impl FnOnce(&mut Pending) -> io::Result<()>,
        whole: impl FnOnce(&mut Pending) -> io::Result<()>,
    ) -> io::Result<()> {
        let pending = &mut *self.pending.lock().unwrap();
        pending.operations += 1;
        let fault = || match self.then {
            Then::Full => io::Error::from(io::ErrorKind::StorageFull),
            _ => io::Error::other("injected"),
        };
        if pending.operations - 1 == self.fails_at {
            pending.failed = true;
            match self.gets {
                Gets::Nowhere => {}
                Gets::Halfway => half(pending)?,
                Gets::ToTheEnd => whole(pending)?,
            }
            return Err(fault());
        }
        if pending.failed && (self.then == Then::Dead || self.then == Then::Full && writes) {
            return Err(fault());
        }
        whole(pending)
    }

    /// Cuts the power.
    fn cut(&self, loses: Loses) {
        let pending = &mut *self.pending.lock().unwrap();
        if loses == Loses::Nothing {
            return;
        }
        for (path, &safe) in &pending.bytes {
            let Ok(file) = fs::OpenOptions::new().write(true).open(path) else { continue };
            let length = file.metadata().unwrap().len();
            file.set_len(safe.min(length)).unwrap();
            if loses == Loses::Bytes {
                file.set_len(length).unwrap();
            }
        }
        if loses == Loses::Everything {
            for (from, to) in pending.renames.iter().rev() {
                let _ = fs::rename(to, from);
            }
            for path in pending.names.iter().rev() {
                let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            }
        }
    }
}

impl Pending {
    fn write(&mut self, path: &Path, bytes: &[u8], append: bool) -> io::Result<()> {
        if !append {
            let _ = fs::remove_file(path);
        }
        if !path.exists() {
            self.names.insert(path.to_owned());
        }
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        self.bytes.entry(path.to_owned()).or_insert(length);
        file.write_all(bytes)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        fs::metadata(path)?;
        self.bytes.remove(path);
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let missing: Vec<PathBuf> = path.ancestors().take_while(|f| !f.exists()).map(Path::to_owned).collect();
        let create = |pending: &mut Pending| {
            pending.names.extend(missing.iter().cloned());
            RealDisk::default().create_folder(path)
        };
        self.step(true, |_| Ok(()), create)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let half = |pending: &mut Pending| pending.write(path, &bytes[..bytes.len() / 2], false);
        self.step(true, half, |pending| pending.write(path, bytes, false))
    }

    fn fill(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        self.write(path, &bytes)
    }

    fn add(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        let half = |pending: &mut Pending| pending.write(path, &bytes[..bytes.len() / 2], true);
        self.step(true, half, |pending| pending.write(path, &bytes, true))
    }

    fn put_at(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
        // What a power cut leaves of what stands behind counts as little as nothing does.
        let put = |pending: &mut Pending, bytes: &[u8]| {
            let safe = pending.bytes.entry(path.to_owned()).or_insert(at);
            *safe = at.min(*safe);
            RealDisk::default().put_at(path, at, bytes)
        };
        let half = |pending: &mut Pending| put(pending, &bytes[..bytes.len() / 2]);
        self.step(true, half, |pending| put(pending, bytes))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.step(true, |_| Ok(()), |pending| pending.sync(path))
    }

    fn watch(&self, _: &Path) -> Watch {
        if self.whole { Watch { from_files: 1, piece: 500 } } else { Watch::NOT }
    }

    fn sync_whole(&self) -> io::Result<()> {
        let half = |pending: &mut Pending| {
            let mut files = 0..;
            pending.bytes.retain(|_, _| files.next().is_some_and(|file| file % 2 == 0));
            Ok(())
        };
        let whole = |pending: &mut Pending| {
            (pending.bytes, pending.renames, pending.names) = Default::default();
            Ok(())
        };
        self.step(true, half, whole)
    }

    /// At once, so that operations are in one order. Its end shows when it is joined.
    fn begin_sync_whole(self: Arc<Self>, _: Box<dyn FnOnce() + Send>) -> Option<JoinHandle<io::Result<()>>> {
        self.pending.lock().unwrap().ahead += 1;
        let done = self.sync_whole();
        Some(std::thread::spawn(move || done))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let whole = |pending: &mut Pending| {
            pending.names.retain(|name| name.parent() != Some(path));
            pending.renames.retain(|(_, to)| to.parent() != Some(path));
            Ok(())
        };
        self.step(true, |_| Ok(()), whole)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let whole = |pending: &mut Pending| {
            pending.names.remove(from);
            // A folder takes what is in it along.
            pending.folders += usize::from(from.is_dir());
            let moved = |path: &Path| path.strip_prefix(from).map(|inner| to.join(inner));
            let names = std::mem::take(&mut pending.names);
            pending.names = names.into_iter().map(|path| moved(&path).unwrap_or(path)).collect();
            let bytes = std::mem::take(&mut pending.bytes);
            pending.bytes = bytes.into_iter().map(|(path, safe)| (moved(&path).unwrap_or(path), safe)).collect();
            pending.renames.push((from.to_owned(), to.to_owned()));
            fs::rename(from, to)
        };
        self.step(true, |_| Ok(()), whole)
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let whole = |pending: &mut Pending| {
            pending.bytes.remove(path);
            // The real one would wait for the real disk.
            fs::OpenOptions::new().write(true).open(path)?.set_len(length)
        };
        self.step(false, |_| Ok(()), whole)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(false, |_| Ok(()), |_| RealDisk::default().remove(path))
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step(false, |_| Ok(()), |_| RealDisk::default().remove_folder(path))
    }
}

/// What a history shows, for comparison.
pub(super) fn shown(history: &History) -> Vec<String> {
    let originals = history.originals().map(|o| {
        let o = o.unwrap();
        let content = history.read_original(&o.digest).unwrap();
        format!("{} {} {:?}", o.path, content.len(), o.names)
    });
    let activities = history.activities().iter().map(|a| format!("{:?}", a.summary().unwrap()));
    let clusters = history.clusters().map(|c| format!("{:?}", c.cluster().unwrap()));
    originals.chain(activities).chain(clusters).collect()
}

/// Runs two imports, the one called `broken` on a disk that fails, and checks all promises. Returns whether the fault
/// was met.
fn survives(disk: &FaultyDisk, loses: Loses, broken: &str, wanted: &Wanted) -> bool {
    let FaultyDisk { fails_at, gets, then, whole, .. } = disk;
    let case = format!(
        "operation {fails_at} of import {broken}, gets {gets:?}, then {then:?}, loses {loses:?}, as a whole: {whole}"
    );
    let folder = scratch();
    let root = folder.path().join("h");
    if broken == "b" {
        import(&root, FaultyDisk::sound(), "a").unwrap();
    }
    let told = import(&root, Box::new(disk.clone()), broken);
    disk.cut(loses);
    match History::open(&root) {
        Err(error) => assert!(broken == "a" && told.is_err(), "{case}: {error}"),
        Ok(history) => {
            let findings = verify(&root, VerifyOptions::default(), &mut |_| ()).unwrap();
            assert!(findings.iter().all(|f| !f.is_damage()), "{case}: {findings:#?}");
            let shown = shown(&history);
            let before = if broken == "b" { &wanted.first_shown } else { &Vec::new() };
            let after = if broken == "b" { &wanted.both_shown } else { &wanted.first_shown };
            assert!(&shown == after || told.is_err() && &shown == before, "{case}: half an import is visible");
        }
    }
    import(&root, FaultyDisk::sound(), broken).unwrap_or_else(|error| panic!("{case}: {error}"));
    let want = if broken == "b" { &wanted.both } else { &wanted.first };
    assert!(&tree(&root) == want, "{case}: importing again does not end the same");
    disk.pending.lock().unwrap().failed
}

struct Wanted {
    first: BTreeMap<String, Vec<u8>>,
    first_shown: Vec<String>,
    both: BTreeMap<String, Vec<u8>>,
    both_shown: Vec<String>,
}

fn undisturbed() -> Wanted {
    let folder = scratch();
    let root = folder.path().join("h");
    import(&root, FaultyDisk::sound(), "a").unwrap();
    let (first, first_shown) = (tree(&root), shown(&History::open(&root).unwrap()));
    import(&root, FaultyDisk::sound(), "b").unwrap();
    let (both, both_shown) = (tree(&root), shown(&History::open(&root).unwrap()));
    assert!(both_shown.len() > first_shown.len() && first_shown.len() > 10);
    Wanted { first, first_shown, both, both_shown }
}

#[test]
fn no_fault_of_the_disk_loses_or_changes_anything() {
    let wanted = undisturbed();
    let mut faults = 0;
    let disk = FaultyDisk::sound_as_a_whole();
    import(&scratch().path().join("h"), disk.clone(), "a").unwrap();
    assert!(disk.pending.lock().unwrap().ahead > 0, "some files are on the disk before the commit");
    assert!(disk.pending.lock().unwrap().folders > 0, "some get their names as a folder");
    for (broken, whole) in [("a", false), ("a", true), ("b", false), ("b", true)] {
        for gets in [Gets::Nowhere, Gets::Halfway, Gets::ToTheEnd] {
            for then in [Then::Dead, Then::Passes, Then::Full] {
                for loses in [Loses::Nothing, Loses::Everything, Loses::Bytes] {
                    if then != Then::Dead && loses != Loses::Nothing {
                        continue; // The power stays on while the process lives.
                    }
                    let disk = |at| FaultyDisk { whole, ..FaultyDisk::new(at, gets, then) };
                    let met = (0..).take_while(|&at| survives(&disk(at), loses, broken, &wanted)).count();
                    assert!(met > 15, "an import has more than {met} operations");
                    faults += met;
                }
            }
        }
    }
    assert!(faults > 1400, "only {faults} faults injected");
}

#[test]
fn a_rebuild_that_is_interrupted_changes_nothing_or_all() {
    let folder = scratch();
    let sound = folder.path().join("sound");
    import(&sound, FaultyDisk::sound(), "a").unwrap();
    let shown_sound = shown(&History::open(&sound).unwrap());
    let summaries: Vec<_> = History::open(&sound).unwrap().activities().iter().map(|a| a.summary().unwrap()).collect();
    let journal = "journal/000001.jsonl";
    let damaged = fs::read_to_string(sound.join(journal)).unwrap().replacen("Zürich", "Bern", 1);
    let attempt = |root: &Path, disk: Box<FaultyDisk>| -> crate::Result<()> {
        let mut rebuild = Rebuild::start_on(root, false, disk, &mut |_| ())?;
        for wanted in rebuild.wanted().to_vec() {
            let of_it = summaries.iter().filter(|s| s.sha256 == wanted.digest);
            rebuild.supply(wanted.digest, "gpx", of_it.cloned().collect());
        }
        rebuild.finish().map(|_| ())
    };
    let mut faults = 0;
    for (gets, loses) in
        [(Gets::Nowhere, Loses::Everything), (Gets::Halfway, Loses::Bytes), (Gets::ToTheEnd, Loses::Nothing)]
    {
        for at in 0.. {
            let folder = scratch();
            let root = folder.path().join("h");
            import(&root, FaultyDisk::sound(), "a").unwrap();
            fs::write(root.join(journal), &damaged).unwrap();
            let shown_damaged = shown(&History::open(&root).unwrap());
            assert!(shown_damaged.len() < shown_sound.len());
            let disk = FaultyDisk::new(at, gets, Then::Dead);
            let told = attempt(&root, Box::new(disk.clone()));
            disk.cut(loses);
            let now = shown(&History::open(&root).unwrap());
            assert!(now == shown_sound || told.is_err() && now == shown_damaged, "operation {at}, {gets:?}");
            attempt(&root, FaultyDisk::sound()).unwrap();
            assert_eq!(shown(&History::open(&root).unwrap()), shown_sound);
            assert_eq!(verify(&root, VerifyOptions::default(), &mut |_| ()).unwrap(), []);
            if !disk.pending.lock().unwrap().failed {
                break;
            }
            faults += 1;
        }
    }
    assert!(faults > 15, "only {faults} faults injected");
}

#[test]
fn a_writer_goes_on_after_any_fault() {
    let put_four = |writer: &mut Writer, batch: &str| {
        // Long enough that the disk is waited for after the first, and the others are written later.
        let text = |i| format!("{batch} {i} {}", (0..500).map(|n| format!("{n:x}")).collect::<String>());
        let put_one = |i| put(writer, &format!("{batch}/{i}.gpx"), text(i).as_bytes(), 1);
        // In this order a folder of one batch waits for another month than that of the same number of the other.
        (0..4).rev().map(put_one).take_while(Result::is_ok).count()
    };
    let mut faults = 0;
    for whole in [false, true] {
        for gets in [Gets::Nowhere, Gets::Halfway, Gets::ToTheEnd] {
            for at in 0.. {
                let case = format!("operation {at}, gets {gets:?}, as a whole: {whole}");
                let folder = scratch();
                let root = folder.path().join("h");
                drop(Writer::open(&root, false, FaultyDisk::sound()).unwrap());
                let disk = FaultyDisk { whole, ..FaultyDisk::new(at, gets, Then::Passes) };
                let mut writer = Writer::open(&root, false, Box::new(disk.clone())).unwrap();
                let put = put_four(&mut writer, "a");
                // A commit that fails is no part of what follows, in memory nor on the disk.
                let of_a = if put == 4 && writer.commit().is_err() { 0 } else { put };
                if !disk.pending.lock().unwrap().failed {
                    assert_eq!(of_a, 4, "{case}");
                    break;
                }
                assert_eq!(put_four(&mut writer, "b"), 4, "{case}");
                writer.commit().unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(writer.activities().len(), of_a + 4, "{case}");
                assert_eq!(shown(&writer), shown(&History::open(&root).unwrap()), "{case}");
                drop(writer);
                let mut writer = Writer::open(&root, false, FaultyDisk::sound()).unwrap();
                assert_eq!(put_four(&mut writer, "a"), 4, "{case}");
                writer.commit().unwrap();
                assert_eq!(writer.activities().len(), 8, "{case}");
                assert_eq!(verify(&root, VerifyOptions::default(), &mut |_| ()).unwrap(), [], "{case}");
                faults += 1;
            }
        }
    }
    assert!(faults > 100, "only {faults} faults injected");
}

#[test]
fn fingerprints_that_are_void_stay_so_when_the_power_is_cut() {
    let folder = scratch();
    let root = folder.path().join("h");
    let writer = Writer::open(&root, false, FaultyDisk::sound()).unwrap();
    let derived = writer.derived().unwrap();
    let end = writer.derived_end(&derived);
    let begun = end.begin([&Piece::Here((*b"one 1\n").into())].into_iter()).unwrap().unwrap();
    begun.end().unwrap();
    drop(writer);
    let disk = FaultyDisk::sound();
    let mut writer = Writer::open(&root, false, disk.clone()).unwrap();
    let derived = writer.derived().unwrap();
    writer.void_derived(&derived, b"one -\n".to_vec()).unwrap();
    disk.cut(Loses::Bytes);
    let derived = writer.derived().unwrap();
    let mut lines = Vec::new();
    derived.each_line(&mut |_, line| lines.push(line.to_vec())).unwrap();
    assert_eq!(lines, [&b"one 1"[..], b"one -"]);
}

#[test]
fn derived_lines_count_all_or_not_at_all_whatever_fails() {
    let lines = |writer: &Writer| {
        let mut lines = Vec::new();
        writer.derived().unwrap().each_line(&mut |_, line| lines.push(line.to_vec())).unwrap();
        lines
    };
    let add = |writer: &Writer, text: &[u8]| {
        let derived = writer.derived()?;
        let end = writer.derived_end(&derived);
        end.begin([&Piece::Here(text.into())].into_iter())?.map_or(Ok(()), BegunDerived::end)
    };
    let mut faults = 0;
    for before in [vec![], vec![b"one 1".to_vec()]] {
        for gets in [Gets::Nowhere, Gets::Halfway, Gets::ToTheEnd] {
            for (then, loses) in [
                (Then::Dead, Loses::Nothing),
                (Then::Dead, Loses::Everything),
                (Then::Dead, Loses::Bytes),
                (Then::Passes, Loses::Nothing),
                (Then::Full, Loses::Nothing),
            ] {
                for at in 0.. {
                    let case = format!("{} before, operation {at}, {gets:?}, {then:?}, {loses:?}", before.len());
                    let folder = scratch();
                    let root = folder.path().join("h");
                    let writer = Writer::open(&root, false, FaultyDisk::sound()).unwrap();
                    before.iter().for_each(|line| add(&writer, &[line, &b"\n"[..]].concat()).unwrap());
                    drop(writer);
                    let disk = FaultyDisk::new(at, gets, then);
                    let writer = Writer::open(&root, false, Box::new(disk.clone())).unwrap();
                    let told = add(&writer, b"two 2\nthree 3\n");
                    disk.cut(loses);
                    let all = [&before[..], &[b"two 2".to_vec(), b"three 3".to_vec()]].concat();
                    let now = lines(&writer);
                    assert!(
                        now == all || told.is_err() && now == before || loses != Loses::Nothing && now == before,
                        "{case}"
                    );
                    let left = fs::metadata(root.join("derived.jsonl")).map_or(0, |meta| meta.len());
                    drop(writer);
                    let writer = Writer::open(&root, false, FaultyDisk::sound()).unwrap();
                    assert!(
                        then == Then::Dead || now == all || left == writer.derived().unwrap().whole(),
                        "{case}: {left} bytes are left"
                    );
                    add(&writer, b"four 4\n").unwrap();
                    assert_eq!(lines(&writer), [&now[..], &[b"four 4".to_vec()]].concat(), "{case}");
                    if !disk.pending.lock().unwrap().failed {
                        assert_eq!(at, 2, "bytes, then the head");
                        break;
                    }
                    faults += 1;
                }
            }
        }
    }
    assert_eq!(faults, 2 * 3 * 5 * 2);
}
