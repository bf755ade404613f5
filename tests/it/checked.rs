//! `--check` finds what a writer spoils on the way to the disk: the same for conversions, merges and exports.

use std::io::Write;
use std::path::Path;

use paceport::formats::{self, Format};
use paceport::history::History;
use paceport::model::Activity;
use paceport::pipeline::{
    self, Dedupe, ImportOptions, Input, Preferences, Progress, ReadOptions, Target, WriteOptions, Written,
};
use paceport::report::Notes;

use crate::fixtures;

const QUIET: &(dyn Fn(Progress<'_>) + Sync) = &|_| ();

/// Writes as the format does, but for one change to the bytes; the length stays, so that only reading them again tells.
fn spoilt(id: &str, from: &str, to: &str, activity: &Activity, out: &mut dyn Write, notes: &mut Notes) {
    let mut bytes = Vec::new();
    formats::by_id(id).unwrap().write.unwrap()(activity, &mut bytes, notes).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    assert_eq!(from.len(), to.len());
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    out.write_all(&bytes).unwrap();
}

/// Rows like those of the table whose writers move a time, move a position, or spoil a record.
fn damaged() -> [&'static Format; 3] {
    let row = |id: &str, write| -> &'static Format {
        Box::leak(Box::new(Format { write: Some(write), ..*formats::by_id(id).unwrap() }))
    };
    [
        row("gpx", |activity, out, notes| {
            spoilt("gpx", "<time>2024-05-01T07:12:05Z", "<time>2024-05-01T07:12:06Z", activity, out, notes);
            Ok(())
        }),
        row("tcx", |activity, out, notes| {
            spoilt("tcx", "<LatitudeDegrees>47", "<LatitudeDegrees>48", activity, out, notes);
            Ok(())
        }),
        row("fit", |activity, out, notes| {
            spoilt("fit", ".FIT", ".FAT", activity, out, notes);
            Ok(())
        }),
    ]
}

/// The findings of the only file written.
fn findings(written: &[Written]) -> &[String] {
    let [file] = written else { panic!("{} files", written.len()) };
    assert_eq!(file.error, None);
    &file.findings
}

/// Converts, merges and exports a recording, with and without a check.
fn ways(source: &Path, to: &'static Format, check: bool, folder: &Path) -> Vec<Vec<Written>> {
    let how = WriteOptions { check, force: true, ..WriteOptions::default() };
    let inputs = [Input::Path(source.to_owned())];
    let options = ReadOptions::default();
    let none = Preferences::default();
    let target = Target::File(folder.join("out"));
    let converted = pipeline::convert(&inputs, &options, to, &target, &how, QUIET).unwrap();
    let in_memory = pipeline::convert(&inputs, &options, to, &Target::Memory, &how, QUIET).unwrap();
    let merged = pipeline::convert_merged(&inputs, &options, to, &target, &how, &none, QUIET).unwrap();
    let into = ImportOptions { dry_run: false, wait: false, dedupe: Dedupe::Exact, preferences: none, tell: false };
    let root = folder.join("history");
    pipeline::import(&inputs, &root, &options, &into, QUIET).unwrap();
    let history = History::open(&root).unwrap();
    let exported = pipeline::export(&history, &|_| true, to, &folder.join("exported"), &how, &options, QUIET).unwrap();
    let runs = [converted, in_memory, merged].map(|run| run.results.into_iter().flatten().collect());
    runs.into_iter().chain([exported]).collect()
}

#[test]
fn a_difference_on_the_disk_is_found_in_every_way_of_writing() {
    let source = fixtures::root().join("tcx/good/garmin-connect.tcx");
    let expected = [
        "sample 5 is at 2024-05-01T07:12:06Z instead of 2024-05-01T07:12:05Z",
        "sample 0 is at 48.5, 8.5 instead of at 47.5, 8.5",
        "fitparser: ",
    ];
    for (to, expected) in damaged().into_iter().zip(expected) {
        let folder = tempfile::tempdir().unwrap();
        for written in ways(&source, to, true, folder.path()) {
            let found = findings(&written);
            assert!(found.first().is_some_and(|first| first.starts_with(expected)), "{}: {found:?}", to.id);
        }
        let folder = tempfile::tempdir().unwrap();
        for written in ways(&source, to, false, folder.path()) {
            assert!(findings(&written).is_empty(), "{}: nobody asked for a check", to.id);
        }
    }
}

#[test]
fn a_check_of_what_is_right_finds_nothing() {
    let source = fixtures::root().join("tcx/good/garmin-connect.tcx");
    for id in ["gpx", "tcx", "fit", "csv", "json"] {
        let folder = tempfile::tempdir().unwrap();
        for written in ways(&source, formats::by_id(id).unwrap(), true, folder.path()) {
            assert_eq!(findings(&written), Vec::<String>::new(), "{id}");
        }
    }
}
