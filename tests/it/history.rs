//! A history can be trusted: what it keeps, what it says about damage, and how it is repaired.

use std::fs;
use std::path::{Path, PathBuf};

use paceport::history::{Finding, History, Rebuild, Rebuilt, VerifyOptions, verify};

use super::cli::{lines, paceport, tree};
use crate::fixtures::histories::{ride, ride_path, run, run_path, sha256, stores};

fn fixture(name: &str) -> PathBuf {
    crate::fixtures::root().join("histories").join(name)
}

/// Path, code and line of each finding.
fn found(root: &Path, quick: bool) -> Vec<(String, &'static str, Option<u64>)> {
    let findings = verify(root, VerifyOptions { quick }, &mut |_| ()).unwrap();
    for Finding { path, detail, repair, .. } in &findings {
        assert!(!detail.is_empty() && !repair.is_empty(), "{path} has no detail or no hint");
    }
    findings.into_iter().map(|f| (f.path, f.code.id, f.place.line)).collect()
}

#[test]
fn a_history_written_by_hand_reads_as_described() {
    let history = History::open(&fixture("sound")).unwrap();
    let run_digest = sha256(&run()).parse().unwrap();
    assert_eq!(history.read_original(&run_digest).unwrap(), run());
    assert_eq!(history.read_original(&sha256(&ride()).parse().unwrap()).unwrap(), ride());
    let names = &history.original(&run_digest).unwrap().unwrap().names;
    assert_eq!(names, &["copy of run.gpx.gz", "run.gpx"]);
    let sports: Vec<&str> = history.activities().iter().map(|a| a.sport()).collect();
    assert_eq!(sports, ["running", "cycling"]);
    let summary = history.activities()[1].summary().unwrap();
    assert_eq!((summary.computed.distance_m, summary.samples), (Some(7593.5), 2));
    assert_eq!(history.original(&run_digest).unwrap().unwrap().parser, "0.1.0");
    assert_eq!(history.clusters().next().unwrap().cluster().unwrap().reasons, ["made for a test"]);
    assert_eq!((history.damaged_lines(), history.unknown_lines()), (0, 0));
}

/// Path, code and line of a finding.
type Expected<'a> = (&'a str, &'static str, Option<u64>);

#[test]
fn verify_names_every_damage_with_its_place() {
    let journal = "journal/000001.jsonl";
    let (run, ride) = (run_path(), ride_path());
    let upper = ride.replace("cycling", "CYCLING");
    // Name of the fixture, findings.
    let table: &[(&str, &[Expected<'_>])] = &[
        ("sound", &[]),
        ("flipped_byte", &[(&ride, "history.original_changed", None)]),
        ("flipped_gzip", &[(&run, "history.original_unreadable", None)]),
        ("truncated_original", &[(&ride, "history.original_size", None)]),
        ("missing_original", &[(&ride, "history.original_missing", None)]),
        ("extra_file", &[("originals/2024/notes.txt", "history.foreign", None)]),
        ("unlisted_original", &[("originals/2024/06/UNLISTED", "history.original_unlisted", None)]),
        ("copied_original", &[("originals/2024/run.gpx.gz", "history.original_copy", None)]),
        ("moved_original", &[(&ride, "history.original_missing", None), (&upper, "history.original_moved", None)]),
        ("incoming", &[("originals/incoming/0000000000000000", "history.incoming", None)]),
        ("torn_line", &[(journal, "history.torn", None)]),
        ("open_end", &[(journal, "history.open_end", None)]),
        ("edited_line", &[(journal, "history.line_edited", Some(5)), (&ride, "history.activities_missing", None)]),
        ("missing_line", &[(journal, "history.line_missing", Some(4)), (&run, "history.activities_missing", None)]),
        (
            "swapped_lines",
            &[
                ("journal", "history.activity_orphan", None),
                (journal, "history.line_missing", Some(2)),
                (journal, "history.line_missing", Some(3)),
                (&run, "history.original_unlisted", None),
            ],
        ),
        (
            "missing_segment",
            &[
                (journal, "history.segment_missing", None),
                (&run, "history.original_unlisted", None),
                (&ride, "history.original_unlisted", None),
            ],
        ),
        (
            "odd_path",
            &[
                ("originals/../../../etc/hostname", "history.original_path", None),
                (&ride, "history.original_moved", None),
            ],
        ),
        ("newer_kind", &[("journal", "history.newer", None)]),
        ("odd_line", &[(journal, "history.line_odd", Some(10))]),
        ("newer_version", &[("paceport.json", "history.version", None)]),
        ("no_version", &[("paceport.json", "history.version", None)]),
    ];
    let names: Vec<&str> = stores().iter().map(|(name, _, _)| *name).collect();
    assert_eq!(names, table.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "each history is in the table");
    for (name, expected) in table {
        let mut found = found(&fixture(name), false);
        for (path, code, _) in &mut found {
            if *name == "unlisted_original" && *code == "history.original_unlisted" {
                *path = "originals/2024/06/UNLISTED".to_owned();
            }
        }
        let found: Vec<_> = found.iter().map(|(path, code, line)| (path.as_str(), *code, *line)).collect();
        assert_eq!(&found, expected, "{name}");
    }
}

#[test]
fn a_quick_verification_trusts_lengths_and_sees_the_rest() {
    assert_eq!(found(&fixture("flipped_byte"), true), []);
    assert_eq!(found(&fixture("truncated_original"), true).len(), 1);
    assert_eq!(found(&fixture("missing_original"), true).len(), 1);
    assert_eq!(found(&fixture("edited_line"), true).len(), 2);
}

#[test]
fn what_is_no_history_is_an_error_and_not_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    assert!(verify(folder.path(), VerifyOptions::default(), &mut |_| ()).is_err());
    fs::write(folder.path().join("a.txt"), "a").unwrap();
    assert!(verify(folder.path(), VerifyOptions::default(), &mut |_| ()).is_err());
}

/// A fixture's copy that may be changed.
fn copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("h");
    let (_, _, store) = stores().into_iter().find(|(have, _, _)| *have == name).unwrap();
    for (path, bytes) in store {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    (folder, root)
}

/// Rebuilds, with the sound history's word on what the originals hold.
fn rebuild(root: &Path) -> Rebuilt {
    let sound = History::open(&fixture("sound")).unwrap();
    let mut rebuild = Rebuild::start(root, false, &mut |_| ()).unwrap();
    for wanted in rebuild.wanted().to_vec() {
        assert_eq!(sha256(&rebuild.read(&wanted).unwrap()), wanted.digest.to_string());
        let of_it = sound.activities().iter().filter(|a| a.digest() == wanted.digest);
        let summaries: Vec<_> = of_it.map(|a| a.summary().unwrap()).collect();
        if !summaries.is_empty() {
            rebuild.supply(wanted.digest, "gpx", summaries);
        }
    }
    rebuild.finish().unwrap()
}

/// What a history shows: activities, clusters, names of the originals.
fn shown(root: &Path) -> (Vec<String>, Vec<String>, Vec<Vec<String>>) {
    let history = History::open(root).unwrap();
    (
        history.activities().iter().map(|a| format!("{:?}", a.summary().unwrap())).collect(),
        history.clusters().map(|c| format!("{:?}", c.cluster().unwrap())).collect(),
        history.originals().map(|o| o.unwrap().names).collect(),
    )
}

#[test]
fn a_rebuilt_journal_says_what_the_sound_one_did() {
    let sound = shown(&fixture("sound"));
    for name in ["edited_line", "missing_line", "moved_original", "no_version", "odd_path"] {
        let (_keep, root) = copy(name);
        let rebuilt = rebuild(&root);
        assert!(rebuilt.written && rebuilt.lost.is_empty(), "{name}: {rebuilt:?}");
        assert_eq!(found(&root, false), [], "{name}");
        assert_eq!(shown(&root), sound, "{name}");
        assert!(root.join("journal/replaced/000001.jsonl").exists(), "{name}: the old journal is put aside");
        assert!(!rebuild(&root).written, "{name}: nothing is left to do");
    }
}

#[test]
fn a_lost_journal_comes_back_without_what_only_it_knew() {
    let (_keep, root) = copy("missing_segment");
    rebuild(&root);
    assert_eq!(found(&root, false), []);
    let (activities, clusters, names) = shown(&root);
    assert_eq!(activities, shown(&fixture("sound")).0);
    assert!(clusters.is_empty(), "the next import finds doubts again");
    let file = |path: String| vec![path.rsplit('/').next().unwrap().to_owned()];
    assert_eq!(names, [file(run_path()), file(ride_path())]);
}

#[test]
fn a_rebuild_names_what_it_cannot_derive() {
    let (_keep, root) = copy("sound");
    let journal = root.join("journal/000001.jsonl");
    let text = fs::read_to_string(&journal).unwrap().replace("copy of run", "copy of fun");
    fs::write(&journal, text).unwrap();
    let rebuilt = rebuild(&root);
    let lost: Vec<_> = rebuilt.lost.iter().map(|f| (f.code.id, f.place.line, f.detail.as_str())).collect();
    assert_eq!(lost, [("history.lost_line", Some(8), "lost: further names of an original")]);
    let (_keep, root) = copy("sound");
    let journal = root.join("journal/000001.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let line = text.lines().position(|line| line.starts_with("{\"kind\":\"original\"")).unwrap();
    fs::write(&journal, text.replacen("\"kind\":\"original\",\"sha256\"", "\"kind\":\"original\",\"sha265\"", 1))
        .unwrap();
    let rebuilt = rebuild(&root);
    let lost: Vec<_> = rebuilt.lost.iter().map(|f| (f.code.id, f.place.line, f.detail.as_str())).collect();
    assert_eq!(lost, [("history.lost_line", Some(line as u64 + 1), "lost: the names that an original came under")]);
    let (_keep, root) = copy("sound");
    fs::remove_file(root.join("journal/000001.jsonl")).unwrap();
    let rebuilt = rebuild(&root);
    assert_eq!((rebuilt.lost[0].code.id, rebuilt.lost[0].path.as_str()), ("history.lost_line", "journal/000001.jsonl"));
    let (_keep, root) = copy("unlisted_original");
    let rebuilt = rebuild(&root);
    assert_eq!(rebuilt.lost[0].code.id, "history.unread", "the sound history knows no such recording");
    assert_eq!(rebuilt.activities, 2);
}

#[test]
fn a_rebuild_keeps_what_only_a_newer_program_knows() {
    let (_keep, root) = copy("newer_kind");
    let journal = root.join("journal/000001.jsonl");
    let text = fs::read_to_string(&journal).unwrap().replace("\"sport\":\"cycling\"", "\"sport\":\"walking\"");
    fs::write(&journal, text).unwrap();
    assert!(rebuild(&root).written);
    assert_eq!(found(&root, false), [("journal".to_owned(), "history.newer", None)]);
    assert_eq!(shown(&root), shown(&fixture("sound")));
}

#[test]
fn a_sound_history_is_not_rebuilt_and_an_unknown_one_not_touched() {
    let (_keep, root) = copy("sound");
    assert!(!rebuild(&root).written);
    assert!(!root.join("journal/000002.jsonl").exists());
    let (_keep, root) = copy("newer_version");
    assert!(Rebuild::start(&root, false, &mut |_| ()).is_err());
    assert!(!root.join("lock").exists(), "nothing is touched");
}

#[test]
fn importing_again_heals_a_lost_original() {
    use paceport::history::{NewOriginal, OriginalKind};
    let (_keep, root) = copy("missing_original");
    let before = fs::read(root.join("journal/000001.jsonl")).unwrap();
    let mut writer = History::open_or_create(&root, false).unwrap();
    let digest = sha256(&ride()).parse().unwrap();
    assert!(!writer.has(&digest), "bytes whose file is gone count as new");
    let bytes = ride();
    writer
        .put_original(NewOriginal {
            digest,
            bytes: &bytes,
            gzip: None,
            names: &["ride.gpx".to_owned()],
            format: "gpx",
            extension: "gpx",
            text: false,
            start: None,
            sport: "cycling",
            activities: 0,
            kind: OriginalKind::Activity,
        })
        .unwrap();
    writer.commit().unwrap();
    drop(writer);
    assert_eq!(found(&root, false), []);
    assert_eq!(fs::read(root.join("journal/000001.jsonl")).unwrap(), before, "nothing new had to be said");
}

#[test]
fn a_history_is_taken_over_into_another() {
    let (_keep, other) = copy("sound");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mine");
    for round in 0..2 {
        let mut writer = History::open_or_create(&root, false).unwrap();
        let new = writer.absorb(&History::open(&other).unwrap()).unwrap();
        assert_eq!(new.len(), if round == 0 { 2 } else { 0 });
        assert_eq!(writer.commit().unwrap().lines == 0, round == 1, "the second time nothing is written");
    }
    assert_eq!(found(&root, false), []);
    assert_eq!(shown(&root), shown(&other));
    for path in [run_path(), ride_path()] {
        assert_eq!(fs::read(root.join(&path)).unwrap(), fs::read(other.join(&path)).unwrap());
    }
}

#[test]
fn an_original_read_again_changes_only_what_is_new() {
    let (_keep, root) = copy("sound");
    let mut writer = History::open_or_create(&root, false).unwrap();
    let run_digest = sha256(&run()).parse().unwrap();
    let same = vec![writer.activities()[0].summary().unwrap()];
    let mut better = same.clone();
    better[0].sub_sport = Some("trail".to_owned());
    // The fixture's float spelling is ours, so the same summary gives the same line.
    let journal = |root: &Path| fs::read_to_string(root.join("journal/000001.jsonl")).unwrap();
    let before = journal(&root);
    writer.put_reread(run_digest, "gpx", same);
    writer.commit().unwrap();
    let parser = writer.original(&run_digest).unwrap().unwrap().parser;
    assert_eq!(parser, env!("CARGO_PKG_VERSION"));
    let said = journal(&root)[before.len()..].matches("\"kind\":\"activity\"").count();
    assert_eq!(said, 0, "what did not change is not said again");
    writer.put_reread(run_digest, "gpx", better.clone());
    writer.commit().unwrap();
    assert_eq!(writer.activities()[0].summary().unwrap(), better[0]);
    assert_eq!(writer.activities().len(), 2);
    writer.put_reread(run_digest, "gpx", Vec::new());
    writer.commit().unwrap();
    assert_eq!(writer.activities().len(), 1, "an activity that is not found any more goes away");
    assert!(writer.clusters().next().is_none());
    drop(writer);
    assert_eq!(found(&root, false), []);
    assert_eq!(History::open(&root).unwrap().activities().len(), 1);
}

#[test]
fn originals_come_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let tour = crate::fixtures::root().join("tour");
    let run = |arguments: &[&str]| {
        let output = paceport(folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    };
    run(&["import", tour.to_str().unwrap(), "--into", "h"]);
    let listed = run(&["list", "h", "--json"]);
    run(&["export", "h", "--to", "original", "--out", "back"]);
    let back = tree(&folder.path().join("back"));
    let mut got: Vec<String> = back.iter().map(|(_, bytes)| sha256(bytes)).collect();
    let mut want: Vec<String> = listed.iter().map(|line| line["sha256"].as_str().unwrap().to_owned()).collect();
    got.sort();
    want.sort();
    assert_eq!(got, want);
    let ride = fs::read(tour.join("bike-computer/evening-ride.tcx")).unwrap();
    assert!(back.iter().any(|(path, bytes)| path.extension().unwrap() == "tcx" && *bytes == ride));
    let again = run(&["export", "h", "--to", "original", "--out", "back", "--json"]);
    assert!(!again.is_empty() && again.iter().all(|line| line["changed"] == false), "{again:?}");
}

#[test]
fn a_history_is_imported_into_another_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let tour = crate::fixtures::root().join("tour");
    let run = |arguments: &[&str]| {
        let output = paceport(folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    };
    run(&["import", tour.to_str().unwrap(), "--into", "theirs"]);
    let dry = run(&["import", "theirs", "--into", "mine", "--dry-run", "--json"]);
    assert!(!folder.path().join("mine").exists());
    let real = run(&["import", "theirs", "--into", "mine", "--json"]);
    assert_eq!(dry.iter().filter(|line| line["kind"] == "activity").count(), 3);
    let report = real.last().unwrap();
    let counts = |key: &str| report[key].as_u64().unwrap();
    assert_eq!((counts("sources"), counts("read"), counts("activities")), (3, 3, 3));
    assert_eq!(run(&["list", "mine", "--json"]), run(&["list", "theirs", "--json"]));
    run(&["verify", "mine"]);
    let before = tree(&folder.path().join("mine"));
    let again = run(&["import", "theirs", "--into", "mine", "--json"]);
    assert_eq!(again.last().unwrap()["duplicate"], 3);
    assert!(tree(&folder.path().join("mine")) == before, "the second time no byte changes");
}
