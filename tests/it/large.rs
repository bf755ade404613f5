//! A history of 100,000 activities: it is listed in half a second, and one more import writes one batch.
//!
//! `cargo build --profile fast && PACEPORT_PROGRAM=target/fast/paceport cargo test --test it large -- --ignored
//! --nocapture` measures the program that is named.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use paceport::model::time;

use super::cli::tree;
use super::fixtures;
use super::fixtures::histories::resealed;
use super::fixtures::rawzip::crc32;

const ACTIVITIES: usize = 100_000;
const SEGMENTS: usize = 4;

fn program(folder: &Path, arguments: &[&str]) -> (Output, f64) {
    let program = std::env::var_os("PACEPORT_PROGRAM").map_or(env!("CARGO_BIN_EXE_paceport").into(), PathBuf::from);
    let started = Instant::now();
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (output, started.elapsed().as_secs_f64())
}

/// A digest that no content has.
fn digest(number: usize) -> String {
    format!("{:016x}{:048x}", (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15), number)
}

/// Makes of a history with one run one with very many, every two hours, back through the years. Their originals are not
/// there: nothing reads them here.
fn multiply(root: &Path) {
    let journal = fs::read_to_string(root.join("journal/000001.jsonl")).unwrap();
    let derived = fs::read_to_string(root.join("derived.jsonl")).unwrap();
    let line = |start: &str| journal.lines().find(|line| line.starts_with(start)).unwrap();
    let activity = line("{\"kind\":\"activity\"");
    let value: serde_json::Value = serde_json::from_str(activity).unwrap();
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    let (sha256, id, start, end) = (text("sha256"), text("id"), text("start"), text("end"));
    let ms = |text: &str| time::parse(text.as_bytes()).unwrap().ms;
    let moved = |line: &str, number: usize| {
        let back = 7_200_000 * (number as i64 + 100);
        let digest = digest(number);
        let line = line.replace(&sha256, &digest).replace(&id, &digest[..32]).replace(&sha256[..16], &digest[..16]);
        let line = line.replace(&start, &time::utc(ms(&start) - back)).replace(&end, &time::utc(ms(&end) - back));
        let stamps = [&start, &end].map(|text| (ms(text).to_string(), (ms(text) - back).to_string()));
        stamps.iter().fold(line, |line, (from, to)| line.replace(from, to))
    };
    let of = ACTIVITIES / SEGMENTS;
    let mut fingerprints = String::new();
    for segment in 0..SEGMENTS {
        let mut lines = format!("{{\"kind\":\"batch\",\"parser\":\"0.1.0\",\"lines\":{},\"n\":1\n", 2 * of);
        for kind in ["{\"kind\":\"original\"", "{\"kind\":\"activity\""] {
            (0..of).for_each(|i| writeln!(lines, "{}", moved(line(kind), segment * of + i)).unwrap());
        }
        let path = format!("journal/{:06}.jsonl", segment + 1);
        fs::write(root.join(path), resealed(&lines, |line| Some(line.to_owned()))).unwrap();
    }
    let fingerprint = derived.lines().nth(1).unwrap();
    (0..ACTIVITIES).for_each(|number| writeln!(fingerprints, "{}", moved(fingerprint, number)).unwrap());
    let head = format!("batch {} {:08x}\n", fingerprints.len(), crc32(fingerprints.as_bytes()));
    fs::write(root.join("derived.jsonl"), head + &fingerprints).unwrap();
}

#[test]
#[ignore = "makes a history of 100,000 activities and measures; for an optimised program"]
fn a_large_history_is_listed_at_once_and_only_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let tour = fixtures::root().join("tour");
    program(here, &["import", tour.join("watch/2024-05-01.fit").to_str().unwrap(), "--into", "h", "-q"]);
    multiply(&here.join("h"));
    let sizes: Vec<(PathBuf, usize)> = tree(&here.join("h")).into_iter().map(|(path, b)| (path, b.len())).collect();
    let bytes: usize = sizes.iter().map(|(_, bytes)| bytes).sum();
    eprintln!("{ACTIVITIES} activities, {:.1} MB", bytes as f64 / 1e6);
    for more in [&[][..], &["--since", "2024-01-01"], &["--json"]] {
        let best = (0..5).map(|_| program(here, &[&["list", "h"][..], more].concat()).1).fold(f64::INFINITY, f64::min);
        eprintln!("list {more:?}: {best:.3} s");
    }
    let (listed, _) = program(here, &["list", "h"]);
    assert_eq!(listed.stdout.iter().filter(|b| **b == b'\n').count(), ACTIVITIES + 1);
    let before = tree(&here.join("h"));
    let ride = tour.join("bike-computer/evening-ride.tcx");
    let (_, seconds) = program(here, &["import", ride.to_str().unwrap(), "--into", "h", "-q"]);
    let after = tree(&here.join("h"));
    let mut written = 0;
    for (path, bytes) in &after {
        let old = before.iter().find(|(old, _)| old == path).map_or(&[][..], |(_, bytes)| bytes);
        assert!(bytes.starts_with(old), "{} is only appended to", path.display());
        written += bytes.len() - old.len();
    }
    eprintln!("one more import: {seconds:.3} s, {written} bytes written");
    assert!(written < 64 << 10, "{written} bytes for one activity");
    let (_, again) = program(here, &["import", ride.to_str().unwrap(), "--into", "h", "-q"]);
    eprintln!("the same again: {again:.3} s");
    assert!(tree(&here.join("h")) == after);
}
