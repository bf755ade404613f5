//! Every GPX and TCX file of the corpus is read as independent readers read it.

use std::io::Read;

use paceport::fix::{SettleOptions, settle};
use paceport::formats::{self, Reading};
use paceport::limits::Limits;
use paceport::model::{Activity, Channel, time};
use serde_json::Value;

use crate::expect;

/// What differs on purpose or by the oracle's way of counting: path, item, reason.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "gpx/runalyze_SpoQ-2.gpx",
        "heart rate",
        "a separate heart rate list is joined by time; the oracle reads points only",
    ),
    (
        "gpx/runalyze_SpoQ-2.gpx",
        "speed",
        "km/h: their mean is 24.9, and its own header says 61.7 km in 2:31:05, which is 24.5 km/h",
    ),
    ("gpx/runalyze_SpoQ-2.gpx", "names", "the element is spelt Name"),
    ("gpx/runalyze_SpoQ-2.gpx", "named", "the element is spelt Name"),
];

/// The content of a corpus file, gunzipped.
fn content(path: &std::path::Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut out).unwrap();
        return out;
    }
    bytes
}

/// An instant of the oracle; a text without zone is read as if it were UTC.
fn instant(value: &Value) -> Option<i64> {
    time::parse(value.as_str()?.as_bytes()).map(|instant| instant.ms)
}

struct Differences<'a> {
    path: &'a str,
    found: Vec<String>,
}

impl Differences<'_> {
    fn add(&mut self, item: &str, detail: String) {
        if !KNOWN.iter().any(|(path, known, _)| self.path == *path && item == *known) {
            self.found.push(format!("{} {item}: {detail}", self.path));
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, item: &str, found: T, wanted: T) {
        if found != wanted {
            self.add(item, format!("{found:?}, expected {wanted:?}"));
        }
    }

    fn channel(&mut self, item: &str, values: &[f64], expect: &Value) {
        let count = expect["count"].as_u64().unwrap_or(0);
        let sum = expect["sum"].as_f64().unwrap_or(0.0);
        let found: f64 = values.iter().sum();
        // Columns are f32: half a unit in the seventh digit a value.
        let tolerance = 1e-3 + values.iter().map(|value| value.abs() * 1e-7).sum::<f64>();
        if values.len() as u64 != count || (found - sum).abs() > tolerance {
            self.add(item, format!("{} values, sum {found}, expected {count}, {sum}", values.len()));
        }
    }
}

fn values(activities: &[Activity], channel: Channel) -> Vec<f64> {
    let columns = activities.iter().filter_map(|activity| activity.track.column(channel));
    columns.flat_map(|column| column.present().map(|(_, value)| f64::from(value))).collect()
}

fn compare(path: &str, expect: &Value, reading: Reading) -> Vec<String> {
    let mut differences = Differences { path, found: Vec::new() };
    let status = expect["status"].as_str().unwrap();
    if status == "not_activity" {
        differences.same("activities", reading.drafts.len(), 0);
        differences.same("skipped", reading.skipped.is_some(), true);
        return differences.found;
    }
    differences.same("activities", reading.drafts.len() as u64, expect["n_activities"].as_u64().unwrap());
    let doubled = reading.drafts.iter().any(|draft| draft.notes.get("xml.cadence_doubled").is_some());
    let increments = reading.drafts.iter().any(|draft| draft.notes.get("gpx.ascent_increments").is_some());
    let damaged = reading.notes.has_damage();
    if status == "ok" {
        differences.same("damage", damaged, false);
    }
    let drafts = reading.drafts;
    let claimed: Vec<_> = drafts.iter().map(|draft| draft.recording.track.times().to_vec()).collect();
    let untimed: usize = drafts.iter().map(|draft| draft.recording.track.untimed_count()).sum();
    let options = SettleOptions::default();
    let starts: Vec<_> = drafts.iter().filter_map(|draft| draft.recording.stated_start).collect();
    let offsets: Vec<_> = drafts.iter().map(|draft| draft.clock.offset_s).collect();
    let activities: Vec<Activity> = drafts.into_iter().map(|draft| settle(draft, &options)).collect();

    let count = |key: &str| expect[key].as_u64().unwrap_or(0);
    let samples: usize = activities.iter().map(|activity| activity.track.len()).sum();
    let tracks = expect["tracks"].as_array();
    // Tracks without any time are no activities.
    let left_out: u64 = tracks.map_or(0, |tracks| {
        tracks.iter().filter(|t| t["first_time"].is_null()).map(|t| t["n_points"].as_u64().unwrap()).sum()
    });
    differences.same("samples", samples as u64, count("n_samples") - count("n_time_only") - left_out);
    differences.same("untimed", untimed as u64, count("n_no_time") + count("n_bad_time") - left_out);
    if count("n_time_only") == 0 {
        let timed = claimed.iter().flatten();
        differences.same("min time", timed.clone().min().copied(), instant(&expect["min_time"]));
        differences.same("max time", timed.max().copied(), instant(&expect["max_time"]));
    }
    let positions: usize = activities.iter().map(|activity| activity.track.positions().count()).sum();
    if left_out == 0 {
        differences.same("positions", positions as u64, count("n_positions"));
        // What nrc-exporter writes as elevations are increments of the ascent; they are kept as such.
        let columns = activities.iter().flat_map(|activity| activity.track.extra());
        let ascents = columns.filter(|column| increments && column.key.name == "ascent");
        let ascents: Vec<f64> = ascents.flat_map(|column| column.present().map(|(_, value)| value)).collect();
        let altitudes = [ascents, values(&activities, Channel::Altitude)].concat();
        differences.channel("altitude", &altitudes, &expect["altitude_m"]);
    }
    differences.channel("heart rate", &values(&activities, Channel::HeartRate), &expect["hr"]);
    differences.channel("power", &values(&activities, Channel::Power), &expect["power"]);
    differences.channel("temperature", &values(&activities, Channel::Temperature), &expect["temperature"]);
    differences.channel("speed", &values(&activities, Channel::Speed), &expect["speed_mps"]);
    let cadence = if expect["run_cadence"].is_null() { &expect["cadence"] } else { &expect["run_cadence"] };
    let factor = if doubled { 2.0 } else { 1.0 };
    let cadences: Vec<f64> = values(&activities, Channel::Cadence).into_iter().map(|value| value * factor).collect();
    differences.channel("cadence", &cadences, cadence);
    if expect["format"] == "tcx" {
        let laps: usize = activities.iter().map(|activity| activity.laps.len()).sum();
        differences.same("laps", laps as u64, count("n_laps"));
        let sessions: usize = activities.iter().map(|activity| activity.sessions.len()).sum();
        differences.same("sessions", sessions as u64, count("n_sessions"));
        let start = (expect["start_time_from"] == "Id/Lap").then(|| instant(&expect["start_time"])).flatten();
        differences.same("start", starts.iter().min().copied(), start);
        for (item, key, pick) in [
            ("stated distance", "distance_m", (|a: &Activity| a.stated.distance_m) as fn(&Activity) -> Option<f64>),
            ("stated timer", "timer_s", |a| a.stated.timer_s),
            ("stated calories", "calories", |a| a.stated.calories_kcal),
        ] {
            let total: f64 = activities.iter().filter_map(pick).sum();
            let wanted = expect["declared"][key].as_f64().unwrap_or(0.0);
            if (total - wanted).abs() > 0.01 {
                differences.add(item, format!("{total}, expected {wanted}"));
            }
        }
        let device = activities[0].device();
        differences.same(
            "device",
            device.and_then(|device| device.product.clone()),
            expect["device"]["name"].as_str().map(str::to_owned),
        );
        differences.same("author", activities[0].creator.clone(), expect["author"].as_str().map(str::to_owned));
        let notes: Vec<_> = activities.iter().filter_map(|activity| activity.description.clone()).collect();
        let wanted: Vec<_> = expect["notes"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().trim()).collect();
        differences.same("notes", notes.concat(), wanted.concat());
    } else {
        let names: Vec<_> = activities.iter().filter_map(|activity| activity.name.as_deref()).collect();
        let known: Vec<_> = expect["names"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for name in &names {
            if !known.iter().any(|known| known.trim() == *name) {
                differences.add("names", format!("{names:?}, expected among {known:?}"));
            }
        }
        differences.same("named", names.is_empty(), known.is_empty());
        let creator = activities[0].creator.clone();
        differences.same("creator", creator, expect["device"]["creator"].as_str().map(str::to_owned));
    }
    let offset = expect["utc_offset_s"].as_i64().map(|s| s as i32);
    differences.same("offset", offsets.first().copied().flatten(), offset);
    differences.found
}

#[test]
fn every_gpx_and_tcx_file_agrees_with_the_oracle() {
    let Some(corpus) = expect::corpus() else { return };
    let (mut files, mut agreeing, mut wrong) = (0, 0, Vec::new());
    for format in ["gpx", "tcx"] {
        for (path, expect) in expect::load(&corpus, Some(format)) {
            files += 1;
            let found = match formats::read_bytes(&content(&corpus.join(&path)), &Limits::default()) {
                Ok((found, reading)) => {
                    assert_eq!(found.id, format, "{path}");
                    compare(&path, &expect, reading)
                }
                Err(_) if expect["status"] == "unreadable" => Vec::new(),
                Err(error) => vec![format!("{path} unreadable: {error}")],
            };
            if !found.is_empty() {
                wrong.extend(found);
            } else if !KNOWN.iter().any(|(known, _, _)| *known == path) {
                agreeing += 1;
            }
        }
    }
    assert!(files >= 200, "met only {files} files");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(agreeing * 100 >= files * 99, "only {agreeing} of {files} agree without an exception");
}
