//! Input that means harm: a clear error or note each, bounded work, and the neighbours unaffected.

use std::collections::BTreeMap;

use paceport::limits::Limits;
use paceport::source::{Entry, Input, Scan, ScanOptions, load, scan};
use paceport::{Error, Kind};

use crate::fixtures::hostile::GPX;
use crate::fixtures::rawzip::{crc32, deflated_stored, gzip_of};
use crate::fixtures::root;

fn scan_of(name: &str, limits: &Limits) -> Scan {
    scan(&[Input::Path(root().join("hostile").join(name))], &ScanOptions { limits, password: None })
}

fn short(entry: &str) -> String {
    entry.split_once("hostile/").unwrap().1.to_owned()
}

/// What becomes of each entry: its bytes, whether complete, or its error; and the problems.
type Outcome = (BTreeMap<String, Result<(Vec<u8>, bool), Error>>, Scan);

fn read(name: &str) -> Outcome {
    let limits = Limits::default();
    let found = scan_of(name, &limits);
    let one = |entry: &Entry| {
        let loaded = load(entry, &ScanOptions { limits: &limits, password: None });
        (short(&entry.name), loaded.map(|loaded| (loaded.bytes, loaded.complete)))
    };
    (found.entries.iter().map(one).collect(), found)
}

fn good(outcome: &Outcome, name: &str) -> bool {
    matches!(&outcome.0[name], Ok((bytes, true)) if bytes == GPX)
}

fn error<'a>(outcome: &'a Outcome, name: &str) -> &'a Error {
    outcome.0[name].as_ref().unwrap_err()
}

#[test]
fn bombs_are_refused_by_ratio_and_their_neighbours_are_read() {
    for (file, bomb) in [
        ("bomb.zip", "bomb.zip!/bomb.gpx"),
        ("bomb.gpx.gz", "bomb.gpx.gz"),
        ("bomb-twice.gpx.gz", "bomb-twice.gpx.gz"),
        ("bomb-members.gpx.gz", "bomb-members.gpx.gz"),
    ] {
        let outcome = read(file);
        let error = error(&outcome, bomb);
        assert!(error.kind() == Kind::Limit && error.to_string().contains("--max-ratio"), "{error}");
        assert!(error.to_string().contains(bomb), "{error}");
    }
    let outcome = read("bomb.zip");
    assert!(good(&outcome, "bomb.zip!/a.gpx") && good(&outcome, "bomb.zip!/b.gpx"));
}

#[test]
fn a_bomb_within_the_ratio_still_meets_the_size_limit() {
    let limits = Limits { expansion_ratio: 2000, entry_bytes: 8 << 20, ..Limits::default() };
    let options = ScanOptions { limits: &limits, password: None };
    let found = scan_of("bomb.gpx.gz", &limits);
    let error = load(&found.entries[0], &options).unwrap_err();
    assert!(error.kind() == Kind::Limit && error.to_string().contains("--max-entry"), "{error}");
    let wide = Limits { expansion_ratio: 2000, ..Limits::default() };
    let loaded = load(&found.entries[0], &ScanOptions { limits: &wide, password: None }).unwrap();
    assert_eq!(loaded.bytes.len(), 16 << 20);
}

#[test]
fn archives_too_deep_are_named() {
    let (entries, found) = read("nested.zip");
    assert!(entries.is_empty());
    assert_eq!(found.problems.len(), 1);
    let problem = &found.problems[0];
    assert_eq!(short(&problem.name), "nested.zip!/3.zip!/2.zip!/1.zip");
    assert!(problem.error.kind() == Kind::Limit && problem.error.to_string().contains("--max-nesting"));
}

#[test]
fn of_overlapping_members_one_is_read() {
    let outcome = read("overlap.zip");
    // The last one does not reach into any other.
    assert_eq!(
        outcome.0.keys().map(String::as_str).collect::<Vec<_>>(),
        ["overlap.zip!/29.gpx", "overlap.zip!/good.gpx"]
    );
    assert!(good(&outcome, "overlap.zip!/good.gpx"));
    assert_eq!(outcome.1.problems.len(), 1);
    assert!(outcome.1.problems[0].error.to_string().ends_with("not read: 29"), "{}", outcome.1.problems[0].error);
}

#[test]
fn sizes_are_only_hints() {
    let outcome = read("lying-sizes.zip");
    for name in ["lying-sizes.zip!/small.gpx", "lying-sizes.zip!/big.gpx", "lying-sizes.zip!/good.gpx"] {
        assert!(good(&outcome, name), "{name}");
    }
    // The member that claims a gigabyte would swallow its neighbours.
    assert_eq!(outcome.1.problems.len(), 1);
    assert_eq!(short(&outcome.1.problems[0].name), "lying-sizes.zip!/long.gpx");
    let limits = Limits::default();
    let loaded = load(&outcome.1.entries[0], &ScanOptions { limits: &limits, password: None }).unwrap();
    assert_eq!(loaded.notes.get("source.size").unwrap().count, 1);
    let sum: u64 = outcome.1.entries.iter().map(|entry| entry.size()).sum();
    assert!(sum < 3 * 1032 * 1650, "hints stay within what the archive can hold: {sum}");
}

#[test]
fn names_are_labels_that_stay_inside() {
    let (entries, _) = read("names.zip");
    let names: Vec<&str> = entries.keys().map(|name| name.strip_prefix("names.zip!/").unwrap()).collect();
    let expected = [
        "C_/Windows/drive.gpx",
        "Läufe.gpx",
        "_",
        "__/__/escape.gpx",
        "a/__/__/back.gpx",
        "etc/absolute.gpx",
        "nul_and_[31mcolour.gpx",
        "right\u{202e}xpg.to\u{200b}left.gpx",
    ];
    assert_eq!(names, expected);
}

#[test]
fn links_and_devices_in_archives_are_noted() {
    let outcome = read("special.zip");
    assert_eq!(outcome.0.len(), 1);
    assert!(good(&outcome, "special.zip!/good.gpx"));
    assert_eq!(outcome.1.notes.get("source.special").unwrap().count, 3);
}

#[test]
fn too_many_members_stop_the_archive() {
    let limits = Limits { archive_entries: 499, ..Limits::default() };
    let found = scan_of("many.zip", &limits);
    assert!(found.entries.is_empty());
    assert_eq!(found.problems.len(), 1);
    assert!(found.problems[0].error.to_string().contains("--max-entries"));
    assert_eq!(scan_of("many.zip", &Limits::default()).problems.len(), 1, "they share one local header");
}

#[test]
fn one_damaged_member_never_hides_the_others() {
    let outcome = read("damaged.zip");
    assert!(good(&outcome, "damaged.zip!/a.gpx") && good(&outcome, "damaged.zip!/b.gpx"));
    let Ok((bytes, false)) = &outcome.0["damaged.zip!/data.gpx"] else { panic!("{:?}", outcome.0) };
    assert!(bytes.starts_with(GPX), "what could be unpacked is kept");
    let Ok((bytes, false)) = &outcome.0["damaged.zip!/sum.gpx"] else { panic!("{:?}", outcome.0) };
    assert_eq!(bytes, GPX);
    let error = error(&outcome, "damaged.zip!/header.gpx");
    assert!(error.kind() == Kind::Malformed && error.place().byte.is_some(), "{error}");
}

#[test]
fn a_broken_download_gives_what_arrived() {
    let outcome = read("cut.zip");
    assert!(good(&outcome, "cut.zip!/a.gpx") && good(&outcome, "cut.zip!/b.gpx"));
    assert!(matches!(&outcome.0["cut.zip!/c.gpx"], Ok((bytes, false)) if *bytes == GPX[..100]));
    assert_eq!(outcome.0.len(), 3);
    let note = outcome.1.notes.get("source.directory").unwrap();
    assert!(outcome.1.notes.has_damage() && note.detail.contains("3 more members"), "{note:?}");
}

#[test]
fn of_an_archive_nothing_may_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let scanned = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, b"PK\x03\x04 and nothing of use").unwrap();
        scan(&[Input::Path(path)], &ScanOptions { limits: &limits, password: None })
    };
    let zip = scanned("export.ZIP");
    assert!(zip.problems[0].error.to_string().contains("no member is found"), "{:?}", zip.problems);
    // What never claimed to be an archive is content like any other.
    let other = scanned("table.xlsx");
    assert_eq!((other.entries.len(), other.problems.len(), other.damaged.len()), (1, 0, 0));
}

#[test]
fn archives_that_are_not_read_say_which_they_are() {
    let starts: [(&[u8], &str); 5] = [
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7-Zip"),
        (b"Rar!\x1a\x07\x01\0", "RAR"),
        (b"\xfd7zXZ\0\0", "xz"),
        (b"\x28\xb5\x2f\xfd\x04", "Zstandard"),
        (b"BZh91AY&SY", "bzip2"),
    ];
    for (start, name) in starts {
        let content = [start, &[0x5a; 200]].concat();
        let limits = Limits::default();
        let found = scan(&[Input::Stdin(content)], &ScanOptions { limits: &limits, password: None });
        let error = &found.problems[0].error;
        assert!(error.kind() == Kind::Unsupported && error.to_string().contains(name), "{error}");
        assert!(found.entries.is_empty());
    }
}

#[test]
fn a_damaged_directory_is_completed_from_local_headers() {
    let outcome = read("directory.zip");
    for name in ["a", "b", "c"] {
        assert!(good(&outcome, &format!("directory.zip!/{name}.gpx")), "{name}");
    }
    assert!(outcome.1.notes.get("source.directory").unwrap().detail.contains("2 more members"));
}

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

#[test]
fn archives_with_any_bytes_changed_end_in_bounds() {
    let mut whole: Vec<Vec<u8>> =
        ["cut.zip", "damaged.zip", "directory.zip", "lying-sizes.zip", "names.zip", "nested.zip", "overlap.zip"]
            .iter()
            .map(|name| std::fs::read(root().join("hostile").join(name)).unwrap())
            .collect();
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["a.gpx", "b/c.gpx", &"long/".repeat(40)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(GPX.len() as u64);
        tar.append_data(&mut header, name.trim_end_matches('/'), GPX).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    whole.push(gzip_of(&deflated_stored(&tar), crc32(&tar), tar.len() as u64));
    whole.push(tar);

    let limits = Limits { entry_bytes: 1 << 20, spool_bytes: 4 << 20, ..Limits::default() };
    let options = ScanOptions { limits: &limits, password: Some(b"secret") };
    let mut dice = Dice(2024);
    let (mut tried, mut read, mut refused) = (0, 0, 0);
    for original in &whole {
        for _ in 0..400 {
            let mut bytes = original.clone();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                match dice.below(4) {
                    0 => bytes.truncate(at + 1),
                    1 => bytes[at] ^= 1 << dice.below(8),
                    2 => bytes[at] = [0, 0xff, 0x7f, b'P'][dice.below(4)],
                    _ => {
                        let piece: Vec<u8> = bytes[at..].iter().copied().take(dice.below(200)).collect();
                        let to = dice.below(bytes.len());
                        bytes.splice(to..to, piece);
                    }
                }
            }
            let found = scan(&[Input::Stdin(bytes.clone())], &options);
            let mut total = 0;
            for entry in &found.entries {
                match load(entry, &options) {
                    Ok(loaded) => {
                        total += loaded.bytes.len();
                        read += 1;
                    }
                    Err(error) => {
                        assert!(error.source_name().is_some_and(|name| name.starts_with('-')), "{error}");
                        refused += 1;
                    }
                }
            }
            assert!(total <= bytes.len() * 200 + found.entries.len() * (1 << 20));
            tried += 1;
        }
    }
    assert!(tried == 3600 && read > 3600 && refused > 300, "{tried} mutants, {read} read, {refused} refused");
}
