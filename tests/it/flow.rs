//! Polar Flow's account export through the whole way. Expectations by hand, from polar-flow-export.md.

use std::fs;
use std::path::PathBuf;

use paceport::formats;
use paceport::limits::Limits;
use serde_json::{Value, json};

use super::cli::{lines, paceport, tree};
use super::fixtures;
use super::synthetic::Dice;

fn folder() -> PathBuf {
    fixtures::root().join("exports/polar_flow")
}

/// The lines of one kind that inspecting these paths gives.
fn inspect(paths: &[&str], kind: &str) -> Vec<Value> {
    let output = paceport(&folder(), &[&["inspect", "--json"], paths].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output).into_iter().filter(|line| line["kind"] == kind).collect()
}

const TABLE: &str = "Jo_Doe_2026-08-29_22-00-00.csv";

fn part(number: u8) -> String {
    format!("polar-user-data-export_00000000-0000-4000-8000-000000000000-{number}.zip")
}

/// The activity that starts then.
fn find<'a>(activities: &'a [Value], start: &str) -> &'a Value {
    activities.iter().find(|a| a["start"] == start).unwrap_or_else(|| panic!("{start}: {activities:#?}"))
}

/// These fields of an activity.
fn fields(activity: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        let found = field.split('/').fold(activity, |at, name| &at[name]);
        assert_eq!(found, value, "{field} of {activity:#}");
    }
}

#[test]
fn a_session_of_the_new_generation_comes_out_whole() {
    let activities = inspect(&[&part(1)], "activity");
    assert_eq!(activities.len(), 6);
    // 07:30 in Helsinki's summer is 04:30 UTC.
    fields(
        find(&activities, "2025-06-01T04:30:00Z"),
        &json!({
            "format": "polar_flow", "end": "2025-06-01T04:32:00Z", "local_offset_s": 10800, "local_evidence": "stated",
            "sport": "running", "sub_sport": "trail", "name": null, "samples": 120, "positions": 118, "laps": 2, "sessions": 1,
            "first_position": [60.17, 24.95], "device/product": "Polar Vantage V3", "device/serial": "ABCD1234",
            // 100 to 159 twice, without the 102 and 103 of the first round.
            "channels/heart_rate/count": 118, "channels/heart_rate/min": 100.0, "channels/heart_rate/max": 159.0,
            "channels/altitude/count": 118, "channels/altitude/min": 31.5,
            "stated/distance_m": 393.5, "stated/timer_s": 120.0, "stated/calories_kcal": 39.0, "complete": true
        }),
    );
}

#[test]
fn a_session_of_the_old_generation_comes_out_whole() {
    let activities = inspect(&[&part(1)], "activity");
    // 18:20 in Freising's summer is 16:20 UTC.
    fields(
        find(&activities, "2023-05-01T16:20:00Z"),
        &json!({
            "end": "2023-05-01T16:21:00Z", "local_offset_s": 7200, "sport": "running", "name": "Feierabend", "samples": 60,
            "positions": 60, "laps": 2, "channels/heart_rate/count": 54, "channels/speed/mean": 3.0,
            "channels/altitude/mean": 448.0, "stated/ascent_m": 3.0, "stated/descent_m": 2.0, "stated/elapsed_s": 60.0
        }),
    );
}

#[test]
fn a_triathlon_is_one_activity() {
    let activities = inspect(&[&part(1)], "activity");
    // 11 s in the water, 10 fixes on the way to the bike from 18:00:12 on, 11 s of riding.
    fields(
        find(&activities, "2025-06-02T15:00:00Z"),
        &json!({
            "end": "2025-06-02T15:00:40Z", "sport": "multisport", "sub_sport": "triathlon", "sessions": 3, "samples": 32,
            "positions": 10, "channels/distance/max": 110.0, "channels/heart_rate/count": 22, "stated/distance_m": 110.0
        }),
    );
}

#[test]
fn entries_by_hand_have_totals_and_the_time_that_can_be_known() {
    let activities = inspect(&[&part(1)], "activity");
    let own = json!({"samples": 0, "stated/timer_s": 2700.0, "stated/elapsed_s": 2700.0, "description": "forgot the watch", "sport": "generic"});
    for (start, offset, evidence) in [
        ("2025-06-03T09:30:00Z", json!(-12600), "stated"),
        // By its coordinates in Kathmandu.
        ("2025-06-04T00:15:00Z", json!(20700), "position"),
    ] {
        let activity = find(&activities, start);
        fields(activity, &own);
        fields(activity, &json!({"local_offset_s": offset, "local_evidence": evidence}));
    }
    let unknown = activities.iter().find(|a| a["local_evidence"] != "stated" && a["sessions"] == 0).unwrap();
    fields(unknown, &own);
    let noted = unknown["notes"].as_array().unwrap().iter().any(|note| note["code"] == "flow.sport");
    assert!(noted, "the sport 999 is not known: {unknown:#}");
}

#[test]
fn other_members_are_no_sessions() {
    let sources = inspect(&[&part(1)], "source");
    let outcome = |start: &str| {
        let of: Vec<_> = sources.iter().filter(|s| s["source"].as_str().unwrap().contains(start)).collect();
        of.iter().map(|s| s["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(outcome("!/training-session"), vec!["read"; 6]);
    for decoy in ["!/activity-", "!/247ohr_", "!/training-target-", "!/sleep_result_"] {
        assert_eq!(outcome(decoy), ["skipped"], "{decoy}");
    }
}

#[test]
fn a_split_export_holds_a_session_once() {
    let parts = [part(1), part(2)];
    let paths: Vec<&str> = parts.iter().map(String::as_str).collect();
    let scratch = tempfile::tempdir().unwrap();
    let history = scratch.path().join("history");
    let arguments = [&["import", "--into", history.to_str().unwrap(), "--json"], &paths[..]].concat();
    let imported = lines(&paceport(&folder(), &arguments));
    // Eight sessions, one of them in both parts.
    fields(imported.last().unwrap(), &json!({"activities": 8, "clusters": 7, "merged": 1, "failed": 0}));
    let activities = inspect(&paths, "activity");
    // 60 values, 20 s of standing between the 30th and the 31st; the beat that was not felt is left out.
    fields(
        find(&activities, "2025-06-06T09:00:00Z"),
        &json!({
            "end": "2025-06-06T09:01:20Z", "last_sample": "2025-06-06T09:01:19Z", "sport": "cycling", "sub_sport": "indoor_cycling",
            "samples": 60, "pauses": 1, "channels/power/mean": 200.5, "extra_channels/force_of_habit/count": 60, "rr_intervals": 1
        }),
    );
}

#[test]
fn accesslink_files_are_read() {
    let activities = inspect(&["accesslink.json"], "activity");
    assert_eq!(activities.len(), 2);
    // 06:00 in Bengaluru is 00:30 UTC.
    fields(
        find(&activities, "2025-07-01T00:30:00Z"),
        &json!({
            "format": "polar_accesslink", "local_offset_s": 19800, "sport": "running", "sub_sport": "street", "samples": 30,
            "positions": 15, "channels/heart_rate/count": 30, "channels/speed/count": 5, "stated/distance_m": 100.5,
            "stated/timer_s": 30.5, "device/product": "Polar M430"
        }),
    );
    fields(
        find(&activities, "2025-07-02T00:30:00Z"),
        &json!({"sport": "canoeing", "samples": 2, "last_sample": "2025-07-02T00:30:05Z", "stated/timer_s": 3600.0}),
    );
}

#[test]
fn the_csv_of_a_session_is_read() {
    let activities = inspect(&[TABLE], "activity");
    // Nothing says in which zone: the clock is kept as it is.
    fields(
        find(&activities, "2026-08-29T22:00:00Z"),
        &json!({
            "format": "polar_csv", "local_offset_s": null, "end": "2026-08-29T23:00:00Z", "last_sample": "2026-08-29T22:59:00Z", "sport": "generic", "samples": 60,
            "channels/heart_rate/min": 80.0, "channels/heart_rate/max": 139.0, "name": null, "description": "Hall, hot",
            "stated/timer_s": 3600.0, "stated/calories_kcal": 350.0, "complete": true
        }),
    );
}

#[test]
fn a_session_converts_to_fit_and_tcx() {
    let scratch = tempfile::tempdir().unwrap();
    let export = folder().join(part(1));
    for target in ["fit", "tcx"] {
        let out = scratch.path().join(target);
        let arguments = ["convert", export.to_str().unwrap(), "--to", target, "--out", out.to_str().unwrap()];
        let output = paceport(scratch.path(), &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = tree(&out);
        assert_eq!(files.len(), 6, "{files:?}");
        let (_, run) = files.iter().find(|(path, _)| path.to_string_lossy().contains("2025-06-01T07-30-00")).unwrap();
        let (format, reading) = formats::read_bytes(run, &Limits::default()).unwrap();
        let recording = &reading.drafts[0].recording;
        let heart = recording.track.column(paceport::model::Channel::HeartRate).unwrap();
        assert_eq!((format.id, recording.track.len(), heart.count(), recording.laps.len()), (target, 120, 118, 2));
        assert_eq!(recording.track.positions().count(), 118);
    }
}

// polar.md section 7.
#[test]
fn the_tcx_of_a_session_tells_its_sport_in_the_plan() {
    let tcx = |plan: &str| {
        format!(
            r#"<?xml version="1.0"?><TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity Sport="Other"><Id>2016-01-10T17:40:57.000Z</Id><Lap StartTime="2016-01-10T17:40:58.000Z"><TotalTimeSeconds>60.5</TotalTimeSeconds><DistanceMeters>0.0</DistanceMeters><Calories>12</Calories><Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod><Track><Trackpoint><Time>2016-01-10T17:40:58.661Z</Time><HeartRateBpm><Value>120</Value></HeartRateBpm><Cadence>82</Cadence><SensorState>Present</SensorState></Trackpoint></Track></Lap><Training VirtualPartner="false"><Plan Type="Workout" IntervalWorkout="false"><Name>{plan}</Name><Extensions/></Plan></Training><Creator><Name>Polar V800</Name><UnitId>0</UnitId><ProductID>13</ProductID></Creator></Activity></Activities></TrainingCenterDatabase>"#
        )
    };
    let read = |plan: &str| {
        let reading = formats::read_bytes(tcx(plan).as_bytes(), &Limits::default()).unwrap().1;
        let recording = &reading.drafts[0].recording;
        assert_eq!(recording.device().unwrap().product.as_deref(), Some("Polar V800"));
        (recording.sport.name().into_owned(), recording.sport_label.clone())
    };
    assert_eq!(read("Strength training"), ("training".into(), None));
    assert_eq!(read("Kuntosali"), ("generic".into(), Some("Kuntosali".into())));
    assert_eq!(read(""), ("generic".into(), None));
}

/// `PACEPORT_MUTANTS=100000 cargo test flow_mutants` tries more.
#[test]
fn flow_mutants_are_read_or_refused_without_a_panic() {
    let mut seeds = vec![fs::read(folder().join("accesslink.json")).unwrap(), fs::read(folder().join(TABLE)).unwrap()];
    for number in [1, 2] {
        let bytes = fs::read(folder().join(part(number))).unwrap();
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        for i in 0..zip.len() {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut zip.by_index(i).unwrap(), &mut text).unwrap();
            if formats::sniff(&text).is_some() {
                seeds.push(text);
            }
        }
    }
    assert_eq!(seeds.len(), 10);
    let tries: usize = std::env::var("PACEPORT_MUTANTS").map_or(3000, |n| n.parse().unwrap());
    let mut dice = Dice::new(1977);
    let mut below = |end: usize| dice.below(end.max(1) as u64) as usize;
    let (mut read, mut refused) = (0, 0);
    for _ in 0..tries {
        let mut bytes = seeds[below(seeds.len())].clone();
        for _ in 0..=below(4) {
            let (at, len) = (below(bytes.len()), below(40));
            let end = (at + len).min(bytes.len());
            match below(7) {
                0 => bytes[at] ^= 1 << below(8),
                1 => bytes[at] = b"{}[]\":,-9eNnT"[below(13)],
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
                4 => {
                    let tokens: [&[u8]; 6] = [b"NaN", b"null", b"1e308", b"-99999999999999999999", b"{}", b"[[]]"];
                    bytes.splice(at..end.min(at + 3), tokens[below(6)].iter().copied());
                }
                5 => {
                    let digits: Vec<usize> =
                        (at..bytes.len()).filter(|i| bytes[*i].is_ascii_digit()).take(30).collect();
                    digits.into_iter().for_each(|i| bytes[i] = b'9');
                }
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        match formats::read_bytes(&bytes, &Limits::default()) {
            Ok((_, reading)) => {
                read += 1;
                for draft in reading.drafts {
                    assert!(draft.recording.track.len() <= bytes.len(), "a sample takes a byte at least");
                    paceport::fix::settle(draft, &Default::default());
                }
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > tries / 2 && refused > 0, "{read} read, {refused} refused");
}
