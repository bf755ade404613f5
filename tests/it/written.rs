//! What the GPX, TCX, CSV and JSON writers promise.

use std::path::{Path, PathBuf};
use std::process::Command;

use paceport::fix::{self, SettleOptions};
use paceport::limits::Limits;
use paceport::model::Activity;
use paceport::report::Notes;
use paceport::{crosscheck, formats};

use crate::synthetic;

/// The bytes of an activity in a format.
pub fn written(activity: &Activity, format: &str) -> (Vec<u8>, Notes) {
    let (mut out, mut notes) = (Vec::new(), Notes::new());
    formats::by_id(format).unwrap().write.unwrap()(activity, &mut out, &mut notes).unwrap();
    (out, notes)
}

/// A schema that knows the format and the extensions that we write, made beside the corpus's schemas.
fn driver(folder: &Path, format: &str) -> Option<PathBuf> {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/schemas");
    if !schemas.is_dir() {
        eprintln!("skipped: no schemas at {}", schemas.display());
        return None;
    }
    let parts: &[(&str, &str)] = match format {
        "gpx" => &[
            ("http://www.topografix.com/GPX/1/1", "gpsbabel_gpx11.xsd"),
            ("http://www.garmin.com/xmlschemas/TrackPointExtension/v1", "gpsbabel_TrackPointExtensionv1.xsd"),
            ("http://www.garmin.com/xmlschemas/PowerExtension/v1", "dblock_PowerExtensionv1.xsd"),
        ],
        _ => &[
            ("http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2", "dblock_TrainingCenterDatabasev2.xsd"),
            ("http://www.garmin.com/xmlschemas/ActivityExtension/v2", "dblock_ActivityExtensionv2.xsd"),
        ],
    };
    let mut text = String::from("<xsd:schema xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n");
    for (namespace, file) in parts {
        // One of the copies has a broken type name.
        let schema = std::fs::read_to_string(schemas.join(file)).unwrap().replace("x   .xsd:double", "xsd:double");
        std::fs::write(folder.join(file), schema).unwrap();
        text += &format!("<xsd:import namespace=\"{namespace}\" schemaLocation=\"{file}\"/>\n");
    }
    let path = folder.join("driver.xsd");
    std::fs::write(&path, text + "</xsd:schema>\n").unwrap();
    Some(path)
}

/// Validates documents with `xmllint`, when it and the schemas are there; returns what it complains about.
pub fn complaints(format: &str, documents: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: no xmllint");
        return Vec::new();
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(schema) = driver(folder.path(), format) else { return Vec::new() };
    let mut paths = Vec::new();
    for (name, bytes) in documents {
        let path = folder.path().join(format!("{name}.{format}"));
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let run = Command::new("xmllint")
        .args(["--noout", "--nonet", "--huge", "--schema"])
        .arg(schema)
        .args(&paths)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    let fine = text.lines().filter(|line| line.ends_with(" validates")).count();
    let wrong: Vec<String> = text.lines().filter(|line| !line.ends_with(" validates")).map(str::to_owned).collect();
    assert!(fine == paths.len() || !wrong.is_empty(), "{fine} of {} validate: {text}", paths.len());
    wrong
}

const SEEDS: std::ops::Range<u64> = 0..150;

#[test]
fn every_written_gpx_and_tcx_validates() {
    for format in ["gpx", "tcx"] {
        let documents = SEEDS.map(|seed| (seed.to_string(), written(&synthetic::activity(seed), format).0));
        let wrong = complaints(format, documents);
        assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(12)]);
    }
}

/// What our own reader makes of written bytes.
fn read_back(format: &str, bytes: &[u8]) -> Vec<Activity> {
    let reader = formats::by_id(format).unwrap().read.unwrap();
    let reading = formats::read_with(reader, bytes, &Limits::default()).unwrap();
    reading.drafts.into_iter().map(|draft| fix::settle(draft, &SettleOptions::default())).collect()
}

#[test]
fn what_is_read_back_is_written_again_byte_for_byte() {
    for seed in SEEDS {
        let activity = synthetic::activity(seed);
        for format in ["gpx", "tcx"] {
            let (bytes, _) = written(&activity, format);
            let back = read_back(format, &bytes);
            assert_eq!(back.len(), 1, "{format} {seed}");
            assert_eq!((back[0].offset_s, back[0].evidence), (activity.offset_s, activity.evidence), "{format} {seed}");
            assert!(written(&back[0], format).0 == bytes, "{format} {seed}");
        }
    }
}

#[test]
fn other_parsers_see_what_was_meant() {
    for seed in SEEDS {
        let activity = synthetic::activity(seed);
        for format in ["fit", "gpx", "tcx", "csv", "json"] {
            if formats::by_id(format).unwrap().write.is_some() {
                let (bytes, _) = written(&activity, format);
                assert_eq!(crosscheck::check(format, &bytes, &activity), Vec::<String>::new(), "{format} {seed}");
            }
        }
    }
}

#[test]
fn the_second_opinion_finds_what_is_wrong() {
    let activity = synthetic::ride(30);
    let change = |format: &str, from: &str, to: &str| {
        let text = String::from_utf8(written(&activity, format).0).unwrap();
        assert!(text.contains(from), "{format} {from}");
        crosscheck::check(format, text.replacen(from, to, 1).as_bytes(), &activity)
    };
    for (format, from, to) in [
        ("gpx", "<trkpt ", "<trkpx "),
        ("gpx", " lat=\"47", " lat=\"46"),
        ("gpx", "<time>2024-05-01T07:12:01", "<time>2024-05-01T07:12:09"),
        ("tcx", "<LatitudeDegrees>47", "<LatitudeDegrees>46"),
        ("tcx", "</Time>", "</Time><Cadence>1</Cadence>"),
        ("tcx", "T07:12:01.000Z</Time>", "T07:12:09.000Z</Time>"),
        ("json", "\"2024", "2024"),
    ] {
        assert_ne!(change(format, from, to), Vec::<String>::new(), "{format} {from}");
    }
}

#[test]
fn written_json_is_json_and_keeps_every_sample_and_part() {
    for seed in SEEDS {
        let activity = synthetic::activity(seed);
        let (bytes, notes) = written(&activity, "json");
        assert!(notes.is_empty(), "{notes:?}");
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let len = |value: &serde_json::Value| value.as_array().unwrap().len();
        assert_eq!(len(&json["laps"]), activity.laps.len());
        assert_eq!(len(&json["rr_intervals"]["ms"]), activity.rr.len());
        assert_eq!(json["name"].as_str(), activity.name.as_deref());
        assert_eq!(json["samples"]["count"], activity.track.len());
        for (row, &ms) in activity.track.times().iter().enumerate() {
            let time = json["samples"]["time"][row].as_str().map(str::to_owned);
            assert_eq!(time, activity.track.is_timed(row).then(|| paceport::model::time::utc(ms)));
            let position = activity.track.position(row);
            assert_eq!(json["samples"]["latitude"][row].as_f64(), position.map(|p| p.0));
            for (channel, column) in activity.track.channels() {
                let value = json["samples"][channel.name()][row].as_f64();
                assert_eq!(value.map(|v| v as f32), column.get(row), "{} {row}", channel.name());
            }
            for (i, column) in activity.track.extra().iter().enumerate() {
                assert_eq!(json["extra_channels"][i]["values"][row].as_f64(), column.get(row));
            }
        }
    }
}

#[test]
fn written_csv_has_a_row_a_sample_and_a_cell_a_column() {
    for seed in SEEDS {
        let activity = synthetic::activity(seed);
        let (bytes, _) = written(&activity, "csv");
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), activity.track.len() + 1);
        // No title of the synthetic activities holds a comma.
        let columns = lines[0].split(',').count();
        assert!(lines.iter().all(|line| line.split(',').count() == columns));
    }
}
