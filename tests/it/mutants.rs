//! Thousands of damaged files of every format that is read, the same ones on every run: never a panic, never much memory,
//! always an end. A new format is covered as soon as it has fixtures. `PACEPORT_MUTANTS=1000000 cargo test mutants` tries
//! more of each.
//!
//! Each format's mutants run in a process of their own, whose address space is measured: nothing else tells what a reader
//! reserves.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use paceport::fix::{SettleOptions, settle};
use paceport::formats::{FORMATS, read_with, sniff};
use paceport::limits::Limits;
use paceport::model::Summary;
use paceport::source::{Input, ScanOptions, load, scan};

use super::fixtures;
use super::fuzz::targets;
use super::random::Random;

const FOLDER: &str = "PACEPORT_MUTANTS_OF";
/// Larger fixtures are no seeds: the reader would spend its time on their sound parts.
const SEED_BYTES: usize = 12 << 10;
/// Memory that reading may take: this, and eight times the input.
const MEMORY: usize = 64 << 20;
/// A mutant of some kilobytes takes a millisecond; this is for a machine that is busy with other things.
const TIME: Duration = Duration::from_secs(10);
/// So many mutants are written in every format and read again.
const WRITTEN: usize = 8;

/// What stands where a number or a word was.
const WORDS: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"NaN",
    b"-Infinity",
    b"99999999999999999999",
    b"-9223372036854775808",
    b"4294967295",
    b"2147483648",
    b"0.0000000000000000000001",
    b"null",
    b"\"\"",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b"\0",
    b"<",
    b"&#0;",
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:60+14:00",
    b"25:61:61",
];

/// One to four faults: flipped bits, odd bytes, other numbers, lost, doubled and foreign stretches, an early end.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            bytes.push(0);
        }
        let (at, len) = (random.below(bytes.len()), 1 + random.below(32));
        let end = (at + len).min(bytes.len());
        match random.below(10) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, b'<', b'"', b'\n'][random.below(8)],
            2 => bytes[at] = random.next() as u8,
            3 => drop(bytes.drain(at..end)),
            4 => {
                // A line or an element, many times.
                let piece = bytes[at..end].repeat(1 + random.below(20));
                bytes.splice(at..at, piece);
            }
            5 | 6 => {
                // The next number in the text, or just the bytes here, become something else.
                let from = bytes[at..].iter().position(u8::is_ascii_digit).map_or(at, |digit| at + digit);
                let digits = bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
                bytes.splice(from..from + digits, random.one(WORDS).iter().copied());
            }
            7 => {
                let to = random.below(bytes.len());
                bytes.swap(at, to);
            }
            8 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                bytes.splice(at..end, other[from..].iter().copied().take(4 * len));
            }
            _ => bytes.truncate(at + 1),
        }
    }
}

/// Sound and damaged fixtures, those in archives too: format and bytes.
fn all_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let limits = Limits::default();
    let options = ScanOptions { limits: &limits, password: None };
    let found = scan(&[Input::Path(fixtures::root())], &options);
    let contents = found.entries.iter().filter_map(|entry| Some(load(entry, &options).ok()?.bytes));
    let mut seeds: Vec<_> = contents.filter_map(|bytes| Some((sniff(&bytes)?.id, bytes))).collect();
    seeds.sort();
    seeds.dedup();
    seeds
}

/// The seeds of a format in the folder of its name, the smaller ones first.
fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    seeds.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let small = seeds.iter().filter(|seed| seed.len() <= SEED_BYTES).count();
    seeds.truncate(small.max(1));
    seeds
}

/// Kilobytes of a line of `/proc/self/status`.
fn status(name: &str) -> Option<usize> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok())
}

/// All mutants of one format, in this process. Its seeds lie in a folder that is named after it.
fn run(folder: &Path, tries: usize) {
    let format = paceport::formats::by_id(folder.file_name().unwrap().to_str().unwrap()).unwrap();
    let (seeds, reader, limits) = (seeds(folder), format.read.unwrap(), Limits::default());
    for seed in &seeds {
        targets::read(format.id, seed);
    }
    // Everything that is opened once (zone polygons) is open by now.
    let before = status("VmSize:");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut read, mut refused, mut longest) = (0, 0, 0);
    for number in 0..tries {
        // The smaller ones more often: there a fault hits something more often, too.
        let mut bytes = seeds[random.below(seeds.len()).min(random.below(seeds.len()))].clone();
        mutate(&mut random, &mut bytes, &seeds);
        longest = longest.max(bytes.len());
        let started = Instant::now();
        match read_with(reader, &bytes, &limits) {
            Ok(reading) => {
                read += 1;
                for draft in reading.drafts {
                    Summary::of(&settle(draft, &SettleOptions::default()));
                }
                if number % WRITTEN == 0 {
                    targets::read(format.id, &bytes);
                }
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
        assert!(started.elapsed() < TIME, "mutant {number} took {:?}", started.elapsed());
    }
    let grown = status("VmPeak:").zip(before).map_or(0, |(after, before)| after - before);
    assert!(grown << 10 <= MEMORY + 8 * longest, "{grown} KiB more, for inputs of {longest} bytes at most");
    println!("mutants of {}: {read} read, {refused} refused, {grown} KiB more", format.id);
}

#[test]
fn mutants_of_every_format_are_read_or_refused_in_bounds() {
    let tries: usize = std::env::var("PACEPORT_MUTANTS").map_or(10_000, |n| n.parse().unwrap());
    if let Some(folder) = std::env::var_os(FOLDER) {
        return run(Path::new(&folder), tries);
    }
    let folder = tempfile::tempdir().unwrap();
    for (number, (id, bytes)) in all_seeds().into_iter().enumerate() {
        fs::create_dir_all(folder.path().join(id)).unwrap();
        fs::write(folder.path().join(id).join(number.to_string()), bytes).unwrap();
    }
    let formats: Vec<&str> = FORMATS.iter().filter(|f| f.read.is_some()).map(|format| format.id).collect();
    for id in &formats {
        assert!(folder.path().join(id).is_dir(), "{id} has no fixture");
    }
    let name = "mutants::mutants_of_every_format_are_read_or_refused_in_bounds";
    let start = |id: &&str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        // A single heap: others reserve 64 MiB each before they hold a byte.
        child.env(FOLDER, folder.path().join(id)).env("MALLOC_ARENA_MAX", "1");
        child.args(["--exact", name, "--nocapture"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        (child.spawn().unwrap(), Instant::now())
    };
    // Two at a time: the other tests want a processor as well.
    for pair in formats.chunks(2) {
        let children: Vec<_> = pair.iter().map(start).collect();
        for (id, (child, started)) in pair.iter().zip(children) {
            let output = child.wait_with_output().unwrap();
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{id}: {out}{err}");
            let line = out.lines().find_map(|line| Some(&line[line.find("mutants of ")?..])).unwrap();
            eprintln!("{line}, {:.1} s", started.elapsed().as_secs_f64());
            let read: usize = line.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!(read > tries / 10, "{line}: the faults are too harsh");
        }
    }
}
