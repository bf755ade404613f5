//! Metadata tables of export archives, given alone: every row is an activity without samples.

use paceport::formats::{self, FORMATS};
use paceport::limits::Limits;
use paceport::model::{Draft, Totals, time};

use crate::expect;

/// The rows of a table of the corpus.
fn rows(format: &str, bytes: &[u8]) -> Vec<Draft> {
    let (found, reading) = formats::read_bytes(bytes, &Limits::default()).unwrap();
    assert_eq!((found.id, found.table), (format, true));
    assert!(reading.notes.is_empty(), "{:?}", reading.notes);
    reading.drafts
}

/// Sum and count of a total over all rows.
fn sum(rows: &[Draft], of: impl Fn(&Totals) -> Option<f64>) -> (f64, usize) {
    let values: Vec<f64> = rows.iter().filter_map(|row| of(&row.recording.stated)).collect();
    ((values.iter().sum::<f64>() * 1000.0).round() / 1000.0, values.len())
}

/// Sums and counts from Python's `csv` module over the columns of the block for machines.
#[test]
fn strava_tables_of_the_corpus_have_the_numbers_of_another_reader() {
    let Some(corpus) = expect::corpus() else { return };
    let bytes = std::fs::read(corpus.join("archives_a/strava_archipelagic/activities.csv")).unwrap();
    let old = rows("strava", &bytes);
    assert_eq!(sum(&old, |t| t.elapsed_s), (91_211.0, 6));
    assert_eq!(sum(&old, |t| t.moving_s), (72_498.0, 6));
    assert_eq!(sum(&old, |t| t.distance_m), (226_149.596, 6));
    assert_eq!(sum(&old, |t| t.ascent_m), (7832.515, 6));
    assert_eq!(sum(&old, |t| t.calories_kcal), (17_733.739, 6));
    // Stated in one row only, else from distance and moving time: 8510 m in 6633 s.
    assert_eq!(sum(&old, |t| t.avg_speed).1, 6);
    assert_eq!(old[5].recording.stated.avg_speed, Some(1.282_979_012));
    let starts: Vec<String> = old.iter().filter_map(|row| row.recording.stated_start).map(time::utc).collect();
    assert_eq!(starts[..2], ["2016-07-12T17:13:58Z", "2016-08-08T05:16:42Z"]);
    assert_eq!(starts[4..], ["2017-05-27T02:55:56Z", "2020-03-07T10:52:24Z"]);
    let files: Vec<&str> = old.iter().filter_map(|row| row.tells_of.as_deref()).collect();
    assert_eq!((files.len(), files[0]), (6, "activities/638693618.gpx"));

    let bytes = std::fs::read(corpus.join("archives_a/strava_dean-sabroso/activities.csv")).unwrap();
    let new = rows("strava", &bytes);
    assert_eq!(new.len(), 136);
    assert_eq!(sum(&new, |t| t.elapsed_s), (368_541.0, 136));
    assert_eq!(sum(&new, |t| t.moving_s), (321_889.0, 136));
    assert_eq!(sum(&new, |t| t.distance_m), (522_311.3, 136));
    assert_eq!(sum(&new, |t| t.avg_cadence), (4512.0, 68));
    assert_eq!(sum(&new, |t| t.avg_heart_rate), (10_320.0, 79));
    assert_eq!(sum(&new, |t| t.calories_kcal), (38_194.0, 130));
    assert_eq!(sum(&new, |t| t.steps), (54_428.0, 9));
    let mut sports = std::collections::BTreeMap::new();
    for row in &new {
        *sports.entry(row.recording.sport.name().into_owned()).or_insert(0) += 1;
    }
    assert_eq!(
        sports.into_iter().collect::<Vec<_>>(),
        [("running".to_owned(), 87), ("training".to_owned(), 13), ("walking".to_owned(), 36)]
    );
    let geared = new.iter().filter(|row| row.recording.gear.is_some()).count();
    let named = new.iter().filter(|row| row.tells_of.is_some()).count();
    let noted = new.iter().filter(|row| row.recording.description.is_some()).count();
    assert_eq!((geared, named, noted), (104, 136, 79));
    assert_eq!(new[0].recording.stated_start.map(time::utc).as_deref(), Some("2026-04-13T21:15:22Z"));
    assert!(new.iter().all(|row| row.notes.is_empty() && row.complete));
}

/// Tables of other programs are not taken for one of ours.
#[test]
fn only_its_own_platform_s_tables_are_recognised() {
    let Some(corpus) = expect::corpus() else { return };
    let tables: Vec<_> = FORMATS.iter().filter(|format| format.table).collect();
    assert!(!tables.is_empty());
    let (mut met, mut taken) = (0, Vec::new());
    let mut folders = vec![corpus.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            met += 1;
            let bytes = std::fs::read(&path).unwrap();
            let head = &bytes[..bytes.len().min(formats::SNIFF_BYTES)];
            if tables.iter().any(|format| (format.sniff)(head)) {
                taken.push(path.strip_prefix(&corpus).unwrap().display().to_string());
            }
        }
    }
    taken.sort();
    assert!(met > 500, "met only {met} files");
    assert_eq!(
        taken,
        ["archives_a/strava_archipelagic/activities.csv", "archives_a/strava_dean-sabroso/activities.csv"]
    );
}
