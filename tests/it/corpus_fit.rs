//! Every FIT file of the corpus against the oracle's reading of it.

use std::io::Read;

use paceport::fix::{SettleOptions, settle};
use paceport::formats::{Reading, read_bytes};
use paceport::limits::Limits;
use paceport::model::{Activity, Channel, Draft, ExtraKey, FitField, Track, time};
use serde_json::Value;

use crate::expect;

/// Where we differ from the oracle, and why that is right.
const DIFFERENT: &[(&str, &str, &str)] = &[
    (
        LEZYNE,
        "offset",
        "the oracle only knows activity.local_timestamp; timestamp_correlation says Melbourne's winter time",
    ),
    (LEZYNE, "offset residual", "see offset"),
    (
        TIME_JUMP,
        "min time",
        "the clock was set 20 days forward after the start; what lies before is moved to it (note, section 5)",
    ),
    (TIME_JUMP, "created", "see min time"),
];
const TIME_JUMP: &str = "fit/runalyze_time-jump.fit";
const LEZYNE: &str = "fit/gpsbabel_lezyne_super_gps-garmin_fit-sample-bad-endian.fit";

/// Differences of one file, each as (what, in words).
struct Check<'a> {
    expect: &'a Value,
    wrong: Vec<(&'static str, String)>,
}

impl Check<'_> {
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &'static str, ours: T, oracle: T) {
        if ours != oracle {
            self.wrong.push((what, format!("{ours:?}, oracle {oracle:?}")));
        }
    }

    /// Equal within a relative error and half a unit of the last printed digit.
    fn close(&mut self, what: &'static str, ours: Option<f64>, oracle: Option<f64>, slack: f64) {
        let near = |a: f64, b: f64| (a - b).abs() <= slack + 1e-6 * b.abs();
        match (ours, oracle) {
            (None, None) => {}
            (Some(a), Some(b)) if near(a, b) => {}
            _ => self.wrong.push((what, format!("{ours:?}, oracle {oracle:?}"))),
        }
    }

    fn count(&self, name: &str) -> usize {
        self.expect[name].as_u64().unwrap_or(0) as usize
    }

    /// Count and sum of a channel over all activities.
    fn channel(&mut self, what: &'static str, activities: &[Activity], channel: Channel, oracle: &Value) {
        let columns = activities.iter().filter_map(|a| a.track.column(channel));
        let (mut count, mut sum) = (0, 0.0);
        for (_, value) in columns.flat_map(|column| column.present()) {
            count += 1;
            sum += f64::from(value);
        }
        let expected = oracle["count"].as_u64().unwrap_or(0);
        if count != expected {
            self.wrong.push((what, format!("{count} values, oracle {expected}")));
        } else {
            self.close(what, Some(sum), Some(oracle["sum"].as_f64().unwrap_or(0.0)), 0.02);
        }
    }
}

fn ms(value: &Value) -> Option<i64> {
    time::parse(value.as_str()?.as_bytes()).map(|instant| instant.ms)
}

fn position(track: &Track, mut rows: impl Iterator<Item = usize>) -> Option<(f64, f64)> {
    rows.find_map(|row| track.position(row).filter(|p| *p != (0.0, 0.0) && p.0.abs() <= 90.0))
}

fn check_times(check: &mut Check<'_>, drafts: &[Draft], activities: &[Activity]) {
    let e = check.expect;
    if check.count("n_no_time") + check.count("n_system_time") > 0 || check.count("n_samples") == 0 {
        return;
    }
    check.equal(
        "first time",
        drafts.first().and_then(|d| d.recording.track.times().first().copied()),
        ms(&e["first_time"]),
    );
    check.equal(
        "last time",
        drafts.last().and_then(|d| d.recording.track.times().last().copied()),
        ms(&e["last_time"]),
    );
    let times = || activities.iter().flat_map(|a| a.track.times().iter().copied());
    check.equal("min time", times().min(), ms(&e["min_time"]));
    check.equal("max time", times().max(), ms(&e["max_time"]));
}

fn check_positions(check: &mut Check<'_>, drafts: &[Draft], activities: &[Activity]) {
    let e = check.expect;
    check.equal("positions", activities.iter().map(|a| a.track.positions().count()).sum(), check.count("n_positions"));
    let tracks: Vec<&Track> = drafts.iter().map(|d| &d.recording.track).collect();
    let first = tracks.iter().find_map(|track| position(track, 0..track.len()));
    let last = tracks.iter().rev().find_map(|track| position(track, (0..track.len()).rev()));
    for (what, ours, oracle) in [("first position", first, &e["first_pos"]), ("last position", last, &e["last_pos"])] {
        check.close(what, ours.map(|p| p.0), oracle[0].as_f64(), 1e-7);
        check.close(what, ours.map(|p| p.1), oracle[1].as_f64(), 1e-7);
    }
}

/// Developer fields by name. Two fields may share one (a raw and a scaled value of one sensor): the oracle counts records.
fn check_developer_fields(check: &mut Check<'_>, activities: &[Activity]) {
    let Some(fields) = check.expect["dev_fields"].as_object() else { return };
    for (name, records) in fields {
        let named = |key: &ExtraKey| match &key.fit {
            Some(FitField::Developer(_)) if name == "?" => key.name.starts_with("developer_"),
            Some(FitField::Developer(_)) => key.name == *name,
            _ => false,
        };
        let columns = |a: &Activity| a.track.extra().iter().filter(|c| named(&c.key)).map(|c| c.count()).max();
        let ours: usize = activities.iter().filter_map(columns).sum();
        if ours as u64 != records.as_u64().unwrap() {
            check.wrong.push(("developer field", format!("{name}: {ours}, oracle {records}")));
        }
    }
}

/// Heart rate that a strap handed over: Garmin's SDKs fill the same samples (they round a little differently). Where the
/// samples have heart rates of their own we keep those, the SDKs do not.
fn check_strap(check: &mut Check<'_>, activities: &[Activity]) {
    let merged = &check.expect["hr_with_strap_messages_merged"]["garmin_java"];
    let values: Vec<f32> = activities
        .iter()
        .filter_map(|a| a.track.column(Channel::HeartRate))
        .flat_map(|column| column.present().map(|(_, bpm)| bpm))
        .collect();
    check.equal("strap heart rates", values.len() as u64, merged["count"].as_u64().unwrap_or(0));
    if check.expect["hr"].is_null() {
        let sum = values.iter().map(|v| f64::from(*v)).sum();
        check.close("strap heart rate", Some(sum), merged["sum"].as_f64(), values.len() as f64 * 0.02);
    }
}

fn compare(expect: &Value, reading: &Reading) -> Vec<(&'static str, String)> {
    let mut check = Check { expect, wrong: Vec::new() };
    let drafts = &reading.drafts;
    let accepted = |name: &str, one: &str, ours: &Value| {
        expect[one] == *ours || expect[name].as_array().is_some_and(|values| values.contains(ours))
    };
    if !accepted("n_activities_accept", "n_activities", &drafts.len().into()) {
        check.equal("activities", drafts.len(), check.count("n_activities"));
    }
    let outcome = match drafts.as_slice() {
        [] => "not_activity",
        _ if drafts.iter().all(|d| d.complete) && !reading.notes.has_damage() => "ok",
        _ => "partial",
    };
    if !accepted("status_accept", "status", &outcome.into()) {
        check.wrong.push(("status", format!("{outcome}, oracle {}", expect["status"])));
    }
    if drafts.is_empty() {
        return check.wrong;
    }
    let activities: Vec<Activity> = drafts.iter().map(|d| settle(d.clone(), &SettleOptions::default())).collect();
    let rows: usize = activities.iter().map(|a| a.track.len()).sum();
    let joined: u64 = drafts.iter().filter_map(|d| d.notes.get("fit.partial_records")).map(|note| note.count).sum();
    check.equal("samples", rows + joined as usize, check.count("n_samples"));
    check_times(&mut check, drafts, &activities);
    check_positions(&mut check, drafts, &activities);
    if check.count("n_hr_messages") == 0 {
        check.channel("heart rate", &activities, Channel::HeartRate, &expect["hr"]);
    } else {
        check_strap(&mut check, &activities);
    }
    check.channel("cadence", &activities, Channel::Cadence, &expect["cadence_with_fraction"]);
    check.channel("power", &activities, Channel::Power, &expect["power"]);
    check.channel("temperature", &activities, Channel::Temperature, &expect["temperature"]);
    check.channel("altitude", &activities, Channel::Altitude, &expect["altitude_m"]);
    check.channel("speed", &activities, Channel::Speed, &expect["speed_mps"]);
    let farthest = activities.iter().flat_map(|a| a.track.raw_geometry()[2].iter().copied()).filter(|d| !d.is_nan());
    check.close("distance", farthest.reduce(f64::max), expect["distance_m_max"].as_f64(), 0.006);
    check_developer_fields(&mut check, &activities);

    let sum = |count: fn(&Activity) -> usize| activities.iter().map(count).sum::<usize>();
    check.equal("laps", sum(|a| a.laps.len()), check.count("n_laps"));
    check.equal("sessions", sum(|a| a.sessions.len()), check.count("n_sessions"));
    check.equal("lengths", sum(|a| a.lengths.len()), check.count("n_lengths"));
    check.equal(
        "active lengths",
        sum(|a| a.lengths.iter().filter(|l| l.active).count()),
        check.count("n_active_lengths"),
    );
    check.equal("sets", sum(|a| a.sets.len()), check.count("n_sets"));
    check.equal("splits", sum(|a| a.splits.len()), check.count("n_splits"));
    let [activity] = activities.as_slice() else { return check.wrong };
    let [draft] = drafts.as_slice() else { return check.wrong };
    let declared = &expect["declared"];
    if activity.sessions.is_empty() {
        check.close("stated timer", activity.stated.timer_s, declared["activity_timer_s"].as_f64(), 0.001);
    } else {
        check.close("stated distance", activity.stated.distance_m, declared["distance_m"].as_f64(), 0.006);
        check.close("stated elapsed", activity.stated.elapsed_s, declared["elapsed_s"].as_f64(), 0.001);
        check.close("stated timer", activity.stated.timer_s, declared["timer_s"].as_f64(), 0.001);
        check.close("stated calories", activity.stated.calories_kcal, declared["calories"].as_f64(), 0.001);
    }
    check.equal("offset", draft.clock.offset_s.map(i64::from), expect["utc_offset_s"].as_i64());
    if draft.clock.offset_s.is_some() {
        check.equal("offset residual", Some(draft.clock.residual_s.into()), expect["utc_offset_residual_s"].as_i64());
    }
    let device = activity.device();
    let number = |name: &str| expect["device"][name].as_u64();
    // The oracle only knows file_id; we complete it from device_info.
    for (what, ours, oracle) in [
        ("manufacturer", device.and_then(|d| d.manufacturer_id).map(u64::from), number("manufacturer")),
        ("product", device.and_then(|d| d.product_id).map(u64::from), number("product")),
        ("serial", device.and_then(|d| d.serial.as_ref()?.parse().ok()), number("serial")),
    ] {
        if oracle.is_some() {
            check.equal(what, ours, oracle);
        }
    }
    let created = ms(&expect["device"]["time_created"]);
    if created.is_some() {
        check.equal("created", activity.created, created);
    }
    if expect["start_time_from"] == "session" {
        check.equal("start", draft.recording.stated_start, ms(&expect["start_time"]));
    }
    let sports: Vec<(u64, u64)> =
        activity.sessions.iter().map(|s| (s.sport.0.into(), s.sub_sport.map_or(0, |s| s.0).into())).collect();
    let oracle: Option<Vec<(u64, u64)>> = expect["sports"]
        .as_array()
        .map(|sports| sports.iter().map(|s| (s[0].as_u64().unwrap_or(0), s[1].as_u64().unwrap_or(0))).collect());
    let mut distinct = sports.clone();
    distinct.dedup();
    if !activity.sessions.is_empty() && oracle.as_ref().is_some_and(|o| *o != sports && *o != distinct) {
        check.wrong.push(("sports", format!("{sports:?}, oracle {oracle:?}")));
    }
    check.wrong
}

#[test]
fn every_fit_file_reads_as_the_oracle_says() {
    let Some(corpus) = expect::corpus() else { return };
    let files = expect::load(&corpus, Some("fit"));
    assert!(files.len() >= 170, "met only {} files", files.len());
    let mut wrong = Vec::new();
    for (path, expect) in &files {
        let mut bytes = std::fs::read(corpus.join(path)).unwrap();
        if path.ends_with(".gz") {
            let packed = std::mem::take(&mut bytes);
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        }
        if expect["status"] == "unreadable" {
            continue;
        }
        let differences = match read_bytes(&bytes, &Limits::default()) {
            Ok((format, reading)) => {
                assert_eq!(format.id, "fit", "{path}");
                compare(expect, &reading)
            }
            Err(error) => vec![("error", error.to_string())],
        };
        for (what, how) in differences {
            if !DIFFERENT.iter().any(|known| (known.0, known.1) == (path.as_str(), what)) {
                wrong.push(format!("{path}: {what}: {how}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
