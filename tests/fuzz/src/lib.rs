//! What the fuzz targets do with their bytes. A finding is a panic, a run without end, or memory out of proportion.

use std::cell::RefCell;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use paceport::fix::{self, SettleOptions};
use paceport::formats::{self, FORMATS, Format, Reader, Reading};
use paceport::history::{History, VerifyOptions, verify};
use paceport::json::{Json, Number};
use paceport::limits::Limits;
use paceport::model::{Activity, Glance, Summary, time};
use paceport::pipeline::{Preferences, Shift, ZoneChoice};
use paceport::report::{Notes, printable};
use paceport::source::{Input, ScanOptions, load, scan};

/// Limits that keep one run short.
fn limits() -> Limits {
    Limits { entry_bytes: 4 << 20, spool_bytes: 4 << 20, samples: 100_000, ..Limits::default() }
}

/// Reads bytes with one reader. What it gives is settled, summed up, written in every format that is written, and what
/// is read of that again has as many samples.
pub fn read(id: &str, bytes: &[u8]) {
    let format = formats::by_id(id).expect("the id of a row of FORMATS");
    let reader = format.read.expect("a format that is read");
    let reading = formats::read_with(reader, bytes, &limits());
    let plain = match id {
        "gpx" => Some(Reader::Whole(formats::gpx::read_plain)),
        "tcx" => Some(Reader::Whole(formats::tcx::read_plain)),
        _ => None,
    };
    if let Some(plain) = plain {
        same(&reading, &formats::read_with(plain, bytes, &limits()));
    }
    let Ok(reading) = reading else { return };
    for draft in reading.drafts {
        let activity = fix::settle(draft, &SettleOptions::default());
        let summary = Summary::of(&activity);
        assert_eq!(summary.samples, activity.track.len() as u64);
        FORMATS.iter().for_each(|format| write(&activity, format));
    }
}

/// The scanner for points and quick-xml alone read the same.
fn same(fast: &paceport::Result<Reading>, plain: &paceport::Result<Reading>) {
    match (fast, plain) {
        (Ok(fast), Ok(plain)) => {
            assert_eq!((&fast.skipped, &fast.notes), (&plain.skipped, &plain.notes));
            assert!(fast.drafts == plain.drafts, "other activities without the scanner");
        }
        (Err(fast), Err(plain)) => assert_eq!(fast.to_string(), plain.to_string()),
        (fast, plain) => panic!("{:?} and {:?}", fast.as_ref().err(), plain.as_ref().err()),
    }
}

fn write(activity: &Activity, format: &Format) {
    let (Some(write), mut bytes, mut notes) = (format.write, Vec::new(), Notes::new()) else { return };
    write(activity, &mut bytes, &mut notes).expect("memory takes all");
    let Some(reader) = format.read else { return };
    let again = formats::read_with(reader, &bytes, &Limits::default()).expect("what was written is read");
    let samples: usize = again.drafts.iter().map(|draft| draft.recording.track.len()).sum();
    // A record that completes another one of the same time is joined to it, as FIT recorders mean it.
    let partial = again.drafts.iter().filter_map(|draft| draft.notes.get("fit.partial_records"));
    let joined: u64 = partial.map(|note| note.count).sum();
    assert_eq!(samples + joined as usize, activity.track.len(), "samples in {}: {notes:?}", format.id);
}

/// Which format is it? One that says yes reads it.
pub fn sniff(bytes: &[u8]) {
    if let Some(format) = formats::sniff(bytes) {
        read(format.id, bytes);
    }
}

/// Bytes as an archive, or whatever they are: every entry is loaded.
pub fn archive(bytes: &[u8]) {
    let limits = limits();
    let options = ScanOptions { limits: &limits, password: Some(b"secret") };
    let found = scan(&[Input::Stdin(bytes.to_vec())], &options);
    for entry in &found.entries {
        if let Ok(loaded) = load(entry, &options) {
            assert!(loaded.bytes.len() as u64 <= limits.entry_bytes);
        }
    }
}

/// The forgiving JSON reader in its three ways.
pub fn json(bytes: &[u8]) {
    let limits = limits();
    let mut events = Json::new(Cursor::new(bytes), &limits);
    while let Ok(Some(_)) = events.next() {}
    assert!(events.offset() <= bytes.len() as u64);
    let mut trees = Json::new(Cursor::new(bytes), &limits);
    while trees.value().is_ok_and(|value| !value.is_null()) {}
    let (mut elements, mut notes) = (Json::new(Cursor::new(bytes), &limits), Notes::new());
    if elements.array().is_ok() {
        while let Ok(Some(_)) = elements.element(&mut notes) {}
    }
    elements.report(&mut notes);
}

thread_local! {
    static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// A journal played back and verified. With an odd first byte the lines behind it are sealed first, so that what they say
/// counts.
pub fn journal(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let journal = if first % 2 == 1 { sealed(bytes) } else { bytes.to_vec() };
    FOLDER.with_borrow_mut(|folder| {
        let memory = Path::new("/dev/shm");
        let make = || if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let root = folder.get_or_insert_with(|| make().expect("a folder")).path();
        let segment = root.join("journal/000001.jsonl");
        let put = || {
            fs::create_dir_all(root.join("journal"))?;
            fs::write(root.join("paceport.json"), "{\"history\": 1}")?;
            fs::write(&segment, &journal)
        };
        put().expect("memory takes all");
        let history = History::open(root).expect("any journal opens");
        for activity in history.activities() {
            let glance = activity.glance();
            if let Ok(summary) = activity.summary() {
                assert_eq!(glance.ok(), Some(Glance::from(&summary)), "a glance sees what the summary says");
            }
        }
        for cluster in history.clusters() {
            assert!(cluster.members.iter().all(|id| history.activity(id).is_some()));
            let _ = cluster.cluster();
        }
        verify(root, VerifyOptions { quick: true }, &mut |_| ()).expect("any journal is verified");
        // A batch that lacks lines in the middle is damage; at the end it is one that was being written, and is cut.
        let (sound, kept) = (history.damaged_lines() == 0, history.activities().len());
        drop(History::open_or_create(root, false).expect("any journal is written on"));
        let healed = fs::read(&segment).expect("it is there");
        assert!(journal.starts_with(&healed) || healed.starts_with(&journal), "only a torn end is cut");
        let again = History::open(root).expect("it opens").activities().len();
        assert!(again == kept || !sound, "{kept} activities became {again}");
    });
}

fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, line) in bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let end = line.windows(5).rposition(|w| w == b",\"n\":").unwrap_or(line.len());
        let from = out.len();
        out.extend_from_slice(&line[..end]);
        out.extend_from_slice(format!(",\"n\":{}", i + 1).as_bytes());
        let crc = crc32fast::hash(&out[from..]);
        out.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
    }
    out
}

/// Numbers, instants and what the user may say.
pub fn text(bytes: &[u8]) {
    if let Some(instant) = time::parse(bytes) {
        let again = time::parse(time::utc(instant.ms).as_bytes()).expect("what is written is read");
        assert_eq!(again.ms, instant.ms);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = text.parse::<ZoneChoice>();
    let _ = (Shift::by(text), Shift::to(text, -3600));
    let _ = Preferences::parse(text);
    assert!(!printable(text).chars().any(char::is_control));
    if let Some(Number::Float(number)) = Number::parse(text) {
        assert!(number.is_finite());
    }
}
