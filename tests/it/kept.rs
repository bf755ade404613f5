//! How originals are kept: text that came compressed stays as it came, whatever the order in which it is met.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use paceport::formats;
use paceport::pipeline::{self, Input, Preferences, Progress, ReadOptions, Target, WriteOptions};
use sha2::{Digest as _, Sha256};

use super::cli::{lines, paceport, tree};
use super::cli_history::done;
use super::fixtures;

fn ride() -> Vec<u8> {
    fs::read(fixtures::root().join("tour/bike-computer/evening-ride.tcx")).unwrap()
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// SHA-256 as the journal writes it.
fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The only original of a history.
fn original(history: &Path) -> Vec<u8> {
    let mut originals = tree(history).into_iter().filter(|(name, _)| name.starts_with("originals"));
    let (_, bytes) = originals.next().unwrap();
    assert!(originals.next().is_none());
    bytes
}

#[test]
fn the_compressed_form_of_the_smallest_name_is_kept_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Three forms of one content; the smallest name has neither the first place nor the smallest size.
    let forms = [("c.tcx.gz", gzip(&ride(), 9)), ("a.tcx.gz", gzip(&ride(), 3)), ("b.tcx.gz", gzip(&ride(), 6))];
    for (name, bytes) in &forms {
        fs::write(here.join(name), bytes).unwrap();
    }
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut trees = Vec::new();
    for (at, (order, jobs)) in orders.into_iter().flat_map(|order| [(order, "1"), (order, "4")]).enumerate() {
        let into = format!("h{at}");
        let names = order.map(|form| forms[form].0);
        done(here, &["import", names[0], names[1], names[2], "--into", &into, "-j", jobs]);
        assert_eq!(original(&here.join(&into)), forms[1].1, "{order:?} -j {jobs}");
        trees.push(tree(&here.join(&into)));
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]));
    done(here, &["verify", "h0"]);
}

#[test]
fn a_deflated_member_is_kept_without_compressing_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut archive = zip::ZipWriter::new(fs::File::create(here.join("a.zip")).unwrap());
    let how = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("ride.tcx", how.compression_level(Some(9))).unwrap();
    archive.write_all(&ride()).unwrap();
    archive.finish().unwrap();
    done(here, &["import", "a.zip", "--into", "h"]);
    let kept = original(&here.join("h"));
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::new(9));
    deflate.write_all(&ride()).unwrap();
    let zlib = deflate.finish().unwrap();
    // RFC 1950: two bytes before the deflate stream and four behind it; RFC 1952: ten and eight.
    assert_eq!(kept[10..kept.len() - 8], zlib[2..zlib.len() - 4]);
    done(here, &["verify", "h"]);
    done(here, &["export", "h", "--to", "original", "--out", "back"]);
    assert_eq!(tree(&here.join("back")).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [ride()]);
}

#[test]
fn a_badly_compressed_text_is_compressed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let stored = gzip(&ride(), 0);
    fs::write(here.join("ride.tcx.gz"), &stored).unwrap();
    done(here, &["import", "ride.tcx.gz", "--into", "h"]);
    let kept = original(&here.join("h"));
    assert!(kept.len() < stored.len() / 5, "{} of {}", kept.len(), stored.len());
}

#[test]
fn a_stream_that_was_met_before_is_known_by_its_own_digest() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let stream = gzip(&ride(), 6);
    fs::write(here.join("ride.tcx.gz"), &stream).unwrap();
    let told = |name: &str| {
        let output = paceport(here, &["import", name, "--into", "h", "--json"]);
        let mut lines = lines(&output);
        let run = lines.pop().unwrap();
        let source = lines.into_iter().find(|line| line["kind"] == "source").unwrap();
        (source, run)
    };
    let (first, first_run) = told("ride.tcx.gz");
    assert_eq!(first["outcome"], "read");
    let journal = fs::read_to_string(here.join("h/journal/000001.jsonl")).unwrap();
    assert!(journal.contains(&format!("\"gzip_sha256\":\"{}\"", hex(&stream))), "{journal}");
    let (again, again_run) = told("ride.tcx.gz");
    assert_eq!((&again["outcome"], &again["sha256"]), (&"duplicate".into(), &first["sha256"]));
    assert_eq!(again_run["bytes"], first_run["bytes"]);
    // Known by its content all the same when it came otherwise.
    fs::write(here.join("other.tcx.gz"), gzip(&ride(), 1)).unwrap();
    assert_eq!(told("other.tcx.gz").0["outcome"], "duplicate");
    // A stream that is damaged where only its end tells is none that was met.
    let mut damaged = stream.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 1;
    fs::write(here.join("damaged.tcx.gz"), damaged).unwrap();
    let (damaged, _) = told("damaged.tcx.gz");
    assert_eq!(damaged["outcome"], "duplicate", "all of its content is there");
    done(here, &["verify", "h"]);
}

/// A line of a journal in which `old` is `new`, with a seal that fits.
fn resealed(line: &str, old: &str, new: &str) -> String {
    if !line.contains(old) {
        return line.to_owned();
    }
    let changed = line.replace(old, new);
    let (text, _) = changed.rsplit_once(",\"crc\":").unwrap();
    format!("{text},\"crc\":\"{:08x}\"}}", crc32fast::hash(text.as_bytes()))
}

#[test]
fn what_is_known_by_its_stream_is_not_inflated() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Two contents; the journal is made to say that the stream of the second one is that of the first.
    let (first, second) = (gzip(&ride(), 6), gzip(&[&ride()[..], b"\n"].concat(), 6));
    fs::write(here.join("first.tcx.gz"), &first).unwrap();
    fs::write(here.join("second.tcx.gz"), &second).unwrap();
    done(here, &["import", "first.tcx.gz", "--into", "h"]);
    let path = here.join("h/journal/000001.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let forged: String = journal.lines().map(|line| resealed(line, &hex(&first), &hex(&second)) + "\n").collect();
    assert_ne!(forged, journal);
    fs::write(&path, forged).unwrap();
    let lines = lines(&paceport(here, &["import", "second.tcx.gz", "--into", "h", "--json", "--dry-run"]));
    let source = lines.iter().find(|line| line["kind"] == "source").unwrap();
    assert_eq!((&source["outcome"], &source["sha256"]), (&"duplicate".into(), &hex(&ride()).into()));
}

/// A TCX of some rides, a day apart, and each of them as a GPX of its own with another creator.
pub fn rides_twice(folder: &Path, rides: usize) {
    let (mut tcx, mut waves) = (String::new(), 0u32);
    for ride in 0..rides {
        let (mut points, mut gpx) = (String::new(), String::new());
        for second in 0..300 {
            let time = format!("2024-05-{:02}T08:{:02}:{:02}Z", ride + 1, second / 60, second % 60);
            waves = waves.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let beat = 120 + second % 40 + (waves >> 29) as usize;
            let (lat, lon) = (47.0 + ride as f64 * 0.1 + second as f64 * 4e-5, 8.0 + (second % 60) as f64 * 1e-5);
            points += &format!(
                "<Trackpoint><Time>{time}</Time><Position><LatitudeDegrees>{lat:.6}</LatitudeDegrees><LongitudeDegrees>{lon:.6}\
                 </LongitudeDegrees></Position><HeartRateBpm><Value>{beat}</Value></HeartRateBpm></Trackpoint>"
            );
            gpx += &format!(
                "<trkpt lat=\"{lat:.6}\" lon=\"{lon:.6}\"><ele>{}</ele><time>{time}</time></trkpt>",
                400 + second % 7
            );
        }
        let id = format!("2024-05-{:02}T08:00:00Z", ride + 1);
        tcx += &format!(
            "<Activity Sport=\"Biking\"><Id>{id}</Id><Lap StartTime=\"{id}\"><TotalTimeSeconds>299</TotalTimeSeconds>\
             <DistanceMeters>1300</DistanceMeters><Track>{points}</Track></Lap></Activity>"
        );
        let head = "<gpx version=\"1.1\" creator=\"phone\" xmlns=\"http://www.topografix.com/GPX/1/1\">";
        let text = format!("{head}<trk><type>cycling</type><trkseg>{gpx}</trkseg></trk></gpx>");
        fs::write(folder.join(format!("phone-{ride}.gpx")), text).unwrap();
    }
    let text = format!("<TrainingCenterDatabase><Activities>{tcx}</Activities></TrainingCenterDatabase>");
    fs::write(folder.join("year.tcx"), text).unwrap();
}

#[test]
fn merges_out_of_one_file_of_many_workouts_are_the_same_however_few_fit_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("in")).unwrap();
    rides_twice(&here.join("in"), 12);
    // With the smallest memory each merge is a batch of its own.
    for (memory, into) in [("1G", "all"), ("1M", "few"), ("4M", "some")] {
        done(here, &["import", "in", "--into", into, "--memory", memory]);
        done(here, &["export", into, "--to", "gpx", "--out", &format!("{into}-gpx"), "--memory", memory]);
        let merged = format!("{into}-merged");
        done(here, &["convert", "in", "--merge", "--to", "gpx", "--out", &merged, "--memory", memory]);
        // Names differ, what is in the files does not.
        let contents =
            |folder: &str| tree(&here.join(folder)).into_iter().map(|(_, bytes)| bytes).collect::<BTreeSet<_>>();
        assert_eq!(tree(&here.join(&merged)).len(), 12);
        assert!(contents(&merged) == contents(&format!("{into}-gpx")), "{memory}");
    }
    let listed = lines(&done(here, &["list", "all", "--json"]));
    assert_eq!(listed.len(), 12);
    for workout in &listed {
        assert_eq!(workout["members"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&workout["channels"]["heart_rate"]["count"], &workout["channels"]["altitude"]["count"]),
            (&300.into(), &300.into())
        );
    }
    for other in ["few", "some"] {
        assert_eq!(tree(&here.join("all")), tree(&here.join(other)), "{other}");
        assert_eq!(tree(&here.join("all-gpx")), tree(&here.join(format!("{other}-gpx"))), "{other}");
        assert_eq!(tree(&here.join("all-merged")), tree(&here.join(format!("{other}-merged"))), "{other}");
    }
}

#[test]
fn a_source_that_goes_away_while_workouts_are_merged_is_told_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("in")).unwrap();
    rides_twice(&here.join("in"), 3);
    // It is there when the sources are read to tell which belong together.
    let goes = |event: Progress<'_>| {
        if let Progress::Done { name, .. } = event
            && name.ends_with("phone-1.gpx")
        {
            let _ = fs::remove_file(name);
        }
    };
    let (inputs, gpx) = ([Input::Path(here.join("in"))], formats::by_id("gpx").unwrap());
    let (target, how) = (Target::Folder(here.join("out")), WriteOptions::default());
    let (options, none) = (ReadOptions::default(), Preferences::default());
    let run = pipeline::convert_merged(&inputs, &options, gpx, &target, &how, &none, &goes).unwrap();
    let mut lost = Vec::new();
    for file in run.results.iter().flatten() {
        match &file.error {
            Some(error) => lost.push((file.source.rsplit('/').next().unwrap(), error.as_str())),
            None => assert!(file.path.as_ref().unwrap().is_file()),
        }
    }
    let why = "the source is not what it was when it was read first";
    assert_eq!(lost, [("phone-1.gpx", why)]);
    // What is left of that workout is written.
    assert_eq!(tree(&here.join("out")).len(), 3);
}

#[test]
fn a_line_that_cannot_be_understood_keeps_no_other_workout_from_being_exported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("in")).unwrap();
    rides_twice(&here.join("in"), 3);
    done(here, &["import", "in/phone-0.gpx", "in/phone-1.gpx", "in/phone-2.gpx", "--into", "h"]);
    let path = here.join("h/journal/000001.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    // What a list needs at hand is there, the number of samples is not.
    let of_one = |line: &str| line.starts_with("{\"kind\":\"activity\"") && line.contains("phone-1.gpx");
    let unclear =
        |line: &str| if of_one(line) { resealed(line, "\"samples\":", "\"simples\":") } else { line.to_owned() };
    let changed: String = journal.lines().map(|line| unclear(line) + "\n").collect();
    assert_ne!(changed, journal);
    fs::write(&path, changed).unwrap();
    let output = paceport(here, &["export", "h", "--to", "tcx", "--out", "out", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let files = lines(&output);
    let failed: Vec<_> = files.iter().filter(|file| !file["error"].is_null()).collect();
    assert!(files.len() == 3 && failed.len() == 1 && failed[0]["source"].as_str().unwrap().ends_with("phone-1.gpx"));
    assert_eq!(tree(&here.join("out")).len(), 2);
}
