//! Every HRM file of the corpus is read as independent readers read it.

use paceport::fix::{SettleOptions, join, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Basis, Channel, Draft, Evidence, time};
use serde_json::Value;

use crate::expect;

/// Count, sum, smallest and largest value of a channel as the oracle gives them, within `step` a value.
fn same_channel(draft: &Draft, channel: Channel, expect: &Value, step: f64) -> Result<(), String> {
    let values: Vec<f64> =
        draft.recording.track.column(channel).map_or(vec![], |c| c.present().map(|(_, v)| f64::from(v)).collect());
    let values: Vec<f64> =
        if channel == Channel::HeartRate { values.into_iter().filter(|v| *v > 0.0).collect() } else { values };
    let count = values.len() as f64;
    let found = [
        (count, "count", 0.0),
        (values.iter().sum(), "sum", step * count + 1e-3),
        (values.iter().copied().fold(f64::INFINITY, f64::min), "min", step),
        (values.iter().copied().fold(f64::NEG_INFINITY, f64::max), "max", step),
    ];
    if expect.is_null() {
        return if count == 0.0 { Ok(()) } else { Err(format!("{} {count} values, none expected", channel.name())) };
    }
    for (value, key, tolerance) in found {
        let wanted = expect[key].as_f64().unwrap();
        if (value - wanted).abs() > tolerance {
            return Err(format!("{} {key} is {value}, not {wanted}", channel.name()));
        }
    }
    Ok(())
}

fn check(bytes: &[u8], expect: &Value) -> Result<(), String> {
    let (format, reading) = formats::read_bytes(bytes, &Limits::default()).map_err(|e| e.to_string())?;
    let [draft] = &reading.drafts[..] else { return Err(format!("{} activities", reading.drafts.len())) };
    let track = &draft.recording.track;
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: String, wanted: String| {
        if found != wanted {
            wrong.push(format!("{what}: {found}, not {wanted}"));
        }
    };
    same("format", format.id.into(), "hrm".into());
    same("samples", track.len().to_string(), expect["n_samples"].to_string());
    same("laps", draft.recording.laps.len().to_string(), expect["n_laps"].to_string());
    same("complete", draft.complete.to_string(), "true".into());
    same("basis", format!("{:?}", draft.clock.basis), format!("{:?}", Basis::Local));
    let start = draft.recording.stated_start.map(time::utc).unwrap_or_default();
    same("start", start, format!("{}Z", expect["start_time_local"].as_str().unwrap()));
    let length = draft.recording.stated.elapsed_s.unwrap_or_default();
    same("length", length.to_string(), expect["length_s"].as_f64().unwrap().to_string());
    let note = draft.recording.description.clone().map_or(Value::Null, Value::String);
    same("note", note.to_string(), expect["note"].to_string());
    if let Some(wanted) = expect["trip"]["distance_m"].as_f64() {
        let distance = draft.recording.stated.distance_m.unwrap_or(0.0);
        same("distance", format!("{distance:.1}"), format!("{wanted:.1}"));
    }
    if expect["interval"] == 238 {
        same("beats", draft.recording.rr.len().to_string(), expect["rr_ms"]["count"].to_string());
        let sum: u64 = draft.recording.rr.iter().map(|rr| u64::from(rr.ms)).sum();
        same("sum of beats", sum.to_string(), expect["rr_ms"]["sum"].to_string());
    } else {
        let interval = expect["interval"].as_i64().unwrap() * 1000;
        let steady = track.times().windows(2).all(|pair| pair[1] - pair[0] == interval);
        same("steady grid", steady.to_string(), "true".into());
        let first = track.times().first().map(|t| time::utc(*t)).unwrap_or_default();
        same("first sample", first, format!("{}Z", expect["start_time_local"].as_str().unwrap()));
        for (channel, key, step) in [
            (Channel::HeartRate, "hr", 0.0),
            (Channel::Speed, "speed_mps", 0.001),
            (Channel::Cadence, "cadence", 0.0),
            (Channel::Altitude, "altitude_m", 0.001),
            (Channel::Power, "power", 0.0),
        ] {
            if let Err(difference) = same_channel(draft, channel, &expect[key], step) {
                wrong.push(difference);
            }
        }
        let zeros = track.column(Channel::HeartRate).map_or(0, |c| c.present().filter(|(_, v)| *v == 0.0).count());
        if zeros as u64 != expect["hr_zero"].as_u64().unwrap() {
            wrong.push(format!("{zeros} heart rates of 0"));
        }
    }
    // Nothing tells the zone of a lone HRM file, so it must not be invented.
    let activity = settle(draft.clone(), &SettleOptions::default());
    if !activity.floating || activity.offset_s.is_some() || activity.shift_ms != 0 {
        wrong.push(format!("zone invented: {:?} {}", activity.offset_s, activity.shift_ms));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[test]
fn every_hrm_file_agrees_with_the_oracle() {
    expect::every_file_agrees("hrm", 20, check);
}

/// Start, sport, distance in metres, seconds, laps, samples, sum of heart rates: from the XML with Python's ElementTree.
type Exercise = (&'static str, &'static str, f64, f64, usize, usize, f64);

#[test]
fn exercises_of_polarpersonaltrainer_are_read() {
    let Some(corpus) = expect::corpus() else { return };
    let files: [(&str, &[Exercise]); 2] = [
        (
            "polar/runalyze_Multiple-Polar.xml",
            &[
                ("2011-05-11T07:09:34Z", "cycling", 17100.0, 2372.0, 0, 0, 0.0),
                ("2011-05-11T17:31:19Z", "cycling", 16700.0, 2027.0, 0, 0, 0.0),
                ("2011-05-12T07:14:49Z", "cycling", 17000.0, 2423.0, 0, 0, 0.0),
                ("2011-05-12T17:35:32Z", "cycling", 16500.0, 2106.0, 0, 0, 0.0),
                ("2011-05-13T07:12:15Z", "cycling", 17000.0, 2389.0, 0, 0, 0.0),
                ("2011-05-13T17:05:28Z", "cycling", 16600.0, 2037.0, 0, 0, 0.0),
            ],
        ),
        (
            "polar/runalyze_Polar-additional-comma.xml",
            &[("2015-04-08T11:10:53Z", "running", 11300.0, 3469.0, 12, 3468, 526_589.0)],
        ),
    ];
    for (path, exercises) in files {
        let bytes = std::fs::read(corpus.join(path)).unwrap();
        let (format, reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap();
        assert_eq!((format.id, reading.drafts.len()), ("ppt", exercises.len()), "{path}");
        for (draft, (start, sport, metres, seconds, laps, samples, beats)) in reading.drafts.iter().zip(exercises) {
            let recording = &draft.recording;
            assert_eq!(recording.stated_start.map(time::utc).as_deref(), Some(*start), "{path}");
            assert_eq!(recording.sport.name(), *sport, "{path}");
            assert_eq!(
                (recording.stated.distance_m, recording.stated.elapsed_s),
                (Some(*metres), Some(*seconds)),
                "{path}"
            );
            assert_eq!((recording.laps.len(), recording.track.len()), (*laps, *samples), "{path}");
            let heart = recording.track.column(Channel::HeartRate);
            assert_eq!(heart.map_or(0.0, |c| c.present().map(|(_, v)| f64::from(v)).sum()), *beats, "{path}");
            assert!(draft.complete && draft.clock.basis == Basis::Local, "{path}");
        }
    }
}

fn drafts(path: &std::path::Path) -> Vec<Draft> {
    formats::read_bytes(&std::fs::read(path).unwrap(), &Limits::default()).unwrap().1.drafts
}

#[test]
fn positions_and_heart_rates_of_one_watch_become_one_activity_at_its_true_time() {
    let Some(corpus) = expect::corpus() else { return };
    let all = expect::load(&corpus, None);
    let pairs =
        ["polar/runalyze_12010601", "polar/runalyze_12011601", "polar/runalyze_15031201", "polar/runalyze_15031801"];
    for stem in pairs {
        let (gpx, hrm) = (&all[&format!("{stem}.gpx")], &all[&format!("{stem}.hrm")]);
        let files = ["gpx", "hrm"].map(|extension| corpus.join(format!("{stem}.{extension}")));
        let joined = join(files.iter().flat_map(|path| drafts(path)).collect());
        let [(draft, of)] = &joined[..] else { panic!("{stem}: {} activities", joined.len()) };
        assert_eq!(of, &[0, 1], "{stem}");
        let activity = settle(draft.clone(), &SettleOptions::default());
        // WebSync marks German winter time (UTC+1) as UTC.
        assert_eq!((activity.offset_s, activity.evidence), (Some(3600), Evidence::Position), "{stem}");
        assert_eq!(activity.shift_ms, -3_600_000, "{stem}");
        let wall = time::parse(hrm["start_time_local"].as_str().unwrap().as_bytes()).unwrap().ms;
        assert_eq!(activity.span().map(|(start, _)| start), Some(wall - 3_600_000), "{stem}");
        let track = &activity.track;
        let points = gpx["n_positions"].as_u64().unwrap() as usize;
        assert_eq!(track.positions().count(), points, "{stem}");
        // Every row meets its point: nothing is there twice.
        let rows = hrm["n_samples"].as_u64().unwrap() as usize;
        assert_eq!(track.len(), rows.max(points), "{stem}");
        let heart: f64 = track.column(Channel::HeartRate).unwrap().present().map(|(_, v)| f64::from(v)).sum();
        assert_eq!(heart, hrm["hr"]["sum"].as_f64().unwrap(), "{stem}");
        assert_eq!(activity.laps.len() as u64, hrm["n_laps"].as_u64().unwrap(), "{stem}");
        assert_eq!(activity.stated.timer_s, hrm["length_s"].as_f64(), "{stem}");
    }
}

#[test]
fn two_watches_of_one_evening_are_not_glued() {
    let Some(corpus) = expect::corpus() else { return };
    let names = ["runalyze_15031801.gpx", "runalyze_15031801.hrm", "runalyze_15031801.spinning.hrm"];
    let joined = join(names.iter().flat_map(|name| drafts(&corpus.join("polar").join(name))).collect());
    assert_eq!(joined.iter().map(|(_, of)| of.clone()).collect::<Vec<_>>(), [vec![0, 1], vec![2]]);
}

#[test]
fn beats_join_the_rows_of_their_exercise() {
    let Some(corpus) = expect::corpus() else { return };
    let names = ["1942173310.hrm", "1942173310.LapNames.hrm", "1942173310.rr.hrm"];
    let joined = join(
        names.iter().flat_map(|name| drafts(&corpus.join(format!("polar/bipolar_training-sessions-{name}")))).collect(),
    );
    let [(draft, of)] = &joined[..] else { panic!("{} activities", joined.len()) };
    assert_eq!(of, &[0, 1, 2]);
    assert_eq!((draft.recording.track.len(), draft.recording.rr.len(), draft.recording.laps.len()), (272, 628, 3));
}
