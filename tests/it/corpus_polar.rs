//! Every HRM file of the corpus is read as independent readers read it.

use paceport::fix::{SettleOptions, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Basis, Channel, Draft, time};
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
    let Some(corpus) = expect::corpus() else { return };
    let files = expect::load(&corpus, Some("hrm"));
    assert!(files.len() >= 20, "met only {} files", files.len());
    let wrong: Vec<_> = files
        .iter()
        .filter_map(|(path, expect)| {
            let bytes = std::fs::read(corpus.join(path)).unwrap();
            check(&bytes, expect).err().map(|difference| format!("{path}: {difference}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
