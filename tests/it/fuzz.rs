//! The fuzz targets of `tests/fuzz`: every format that is read has one, and what they do with the bundled fixtures is
//! done here too, so that a finding that became a fixture stays mended.

use std::fs;
use std::path::{Path, PathBuf};

use paceport::formats::FORMATS;

use super::fixtures;

#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code, missing_docs, reason = "the crate of the fuzz targets")]
pub mod targets;

/// Every file of the bundled fixtures.
pub fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

#[test]
fn every_format_that_is_read_has_a_fuzz_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/src/bin");
    let mut met = 0;
    for format in FORMATS.iter().filter(|format| format.read.is_some()) {
        let path = folder.join(format!("{}.rs", format.id));
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} has no fuzz target", format.id));
        assert!(text.contains(&format!("paceport_fuzz::read(\"{}\", bytes)", format.id)), "{}", path.display());
        met += 1;
    }
    assert!(met >= 7, "met {met} formats");
    for target in ["sniff", "archive", "json", "journal", "text"] {
        assert!(folder.join(format!("{target}.rs")).exists(), "{target}");
    }
}

#[test]
fn the_fuzz_targets_stand_every_fixture() {
    let mut paths = Vec::new();
    files(&fixtures::root(), &mut paths);
    assert!(paths.len() > 100, "met {} fixtures", paths.len());
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        targets::sniff(&bytes);
        targets::archive(&bytes);
        targets::text(&bytes);
        if path.extension().is_some_and(|extension| extension == "json") {
            targets::json(&bytes);
        }
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            [0, 1].iter().for_each(|first| targets::journal(&[&[*first], &bytes[..]].concat()));
        }
        if path.parent().is_some_and(|folder| folder.ends_with("hostile")) {
            let read = FORMATS.iter().filter(|format| format.read.is_some());
            read.for_each(|format| targets::read(format.id, &bytes));
        }
    }
}
