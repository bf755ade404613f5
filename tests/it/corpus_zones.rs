//! Instants and local times of the whole corpus by independent sources: what is right stays right, file by file.

use std::collections::BTreeMap;

use paceport::fix::{SettleOptions, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Evidence, time};
use serde_json::Value;

use crate::expect;

/// Path, IANA zone at the first position, offset there at the first instant in seconds. Made once from the oracle's first
/// positions and instants with Python: `timezonefinder` 9.0.0 (polygons and look-up of its own), `zoneinfo` (rules 2025b).
const OFFSETS: &str = include_str!("corpus_offsets.tsv");

/// Files whose first position is not where their owner was, or whose times have no zone and a place that proves none.
const ELSEWHERE: &[(&str, &str)] = &[
    ("fit/elevate_zwift-pschit.fit", "a game's world"),
    ("fit/faker_tpv_20250111.fit", "a game's world"),
    ("fit/faker_tpv_20251120.fit", "a game's world"),
    ("fit/fitfiler_zwift-turbo.fit", "a game's world"),
    ("fit/fitparse_null_compressed_speed_dist.fit", "a game's world"),
    ("fit/nick2bad4u_Virtual_Zwift_Climb_Portal_Cauberg_at_100_Elevation_in_Watopia_12_miles.fit", "a game's world"),
    ("fit/phpfit_power-analysis.fit", "a game's world"),
    ("fit/runalyze_Zwift-bad-training-effect.fit", "a game's world"),
    ("fit/runalyze_hr-only-zeros.fit", "a game's world"),
    ("fit/rust_fit_file_20210218_zwift.fit", "a game's world"),
    ("fit/tormoder_0134902991.fit", "a game's world"),
    ("gpx/gpxgo_gpx1.1_with_all_fields.gpx", "no zone written, at sea"),
    ("gpx/gpxpy_gpx1.0_with_all_fields.gpx", "no zone written, at sea"),
    ("gpx/gpxpy_gpx1.1_with_all_fields.gpx", "no zone written, at sea"),
];

/// Nearer to the oracle's first instant than any fault of zones; samples without any value are left out.
const NEAR_MS: i64 = 60_000;

fn offsets() -> BTreeMap<&'static str, i32> {
    let row = |line: &'static str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [path, zone, offset] = columns[..] else { panic!("{line}") };
        assert!(zone.contains('/'), "{line}");
        (path, offset.parse().unwrap())
    };
    OFFSETS.lines().map(row).collect()
}

/// The oracle's instant, ms, true even where the written zone is known to be wrong.
fn instant(expect: &Value, key: &str) -> Option<i64> {
    let read = time::parse(expect[key].as_str()?.as_bytes())?.ms;
    Some(read - expect["true_utc_offset_s"].as_i64().unwrap_or(0) * 1000)
}

#[test]
fn every_instant_is_true_and_every_local_time_that_of_its_place() {
    let Some(corpus) = expect::corpus() else { return };
    let offsets = offsets();
    let (mut placed, mut moved, mut wrong) = (0, 0, Vec::new());
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, expect) in expect::load(&corpus, None) {
        let bytes = std::fs::read(corpus.join(&path)).unwrap();
        let Ok((format, reading)) = formats::read_bytes(&bytes, &Limits::default()) else { continue };
        let Some(mut draft) = reading.drafts.into_iter().next().filter(|_| format.id != "hrm") else { continue };
        draft.source = Some(path.clone());
        let activity = settle(draft, &SettleOptions::default());
        let Some(start) = activity.track.times().first().copied() else { continue };
        let starts = ["first_time", "min_time"].map(|key| instant(&expect, key));
        let is_near = starts.iter().flatten().any(|wanted| (start - wanted).abs() <= NEAR_MS);
        if starts[0].is_some() && !is_near && activity.notes.get("time.jump").is_none() {
            wrong.push(format!("{path}: starts at {}, not {}", time::utc(start), expect["first_time"]));
        }
        moved += usize::from(activity.shift_ms != 0);
        *by.entry(activity.evidence.name()).or_default() += 1;
        let stated =
            expect["utc_offset_s"].as_i64().or(expect["utc_offset_min"].as_i64().map(|min| min * 60)).map(|s| s as i32);
        let elsewhere = ELSEWHERE.iter().any(|(file, _)| *file == path);
        let wanted = match offsets.get(path.as_str()) {
            Some(offset) if !elsewhere => {
                placed += 1;
                Some(*offset)
            }
            // Without a place only what is stated counts, and nothing is invented.
            _ => stated,
        };
        if activity.offset_s != wanted {
            wrong.push(format!("{path}: local {:?} by {:?}, not {wanted:?}", activity.offset_s, activity.evidence));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    eprintln!("{placed} by their place; {moved} moved; {by:?}");
    assert!(placed >= 245, "met only {placed} files with a place");
    assert_eq!(moved, 4, "the four of Polar WebSync, which marks local time as UTC");
    assert!(
        by[Evidence::Position.name()] > 150 && by[Evidence::Stated.name()] > 90 && by[Evidence::None.name()] > 20,
        "{by:?}"
    );
}
