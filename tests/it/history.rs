//! A history can be trusted: what it keeps, what it says about damage, and how it is repaired.

use std::fs;
use std::path::{Path, PathBuf};

use paceport::history::{Finding, History, VerifyOptions, verify};

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
    let names = &history.original(&run_digest).unwrap().names;
    assert_eq!(names, &["copy of run.gpx.gz", "run.gpx"]);
    let sports: Vec<&str> = history.activities().iter().map(|a| &*a.sport).collect();
    assert_eq!(sports, ["running", "cycling"]);
    let summary = history.activities()[1].summary().unwrap();
    assert_eq!((summary.computed.distance_m, summary.samples), (Some(7593.5), 2));
    assert_eq!(&*history.activities()[0].parser, "0.1.0");
    assert_eq!(history.clusters()[0].cluster().unwrap().reasons, ["made for a test"]);
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
