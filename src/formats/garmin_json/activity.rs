//! One activity of the summaries.

use super::sports;
use super::units::{KILOCALORIE, Measured, measured, metres, seconds, speed};
use crate::error::Place;
use crate::json::Value;
use crate::model::{Basis, Device, Draft, Evidence, Lap, Recording, Session, Split, Sport, Totals, Zones, time};
use crate::report::Code;

const NO_START: Code = Code::warning("garmin.no_start");
const OFFSET: Code = Code::warning("garmin.offset");
const UNITS: Code = Code::warning("garmin.units");
const UNIT: Code = Code::warning("garmin.unit");
const TYPE: Code = Code::warning("garmin.activity_type");
const LEFT_OUT: Code = Code::info("garmin.left_out");

/// `type` of a split that is a plain lap.
const BASE_LAP: i64 = 18;
/// `eventTypeId` of a race.
const RACE: i64 = 1;
/// What identifies activities of Garmin Connect.
pub(super) const PLATFORM: &str = "garmin";

/// Reads an element; `place` is where it stands.
pub(super) fn draft(value: &Value, place: &Place) -> Draft {
    let mut draft = Draft::new();
    when(value, place, &mut draft);
    let recording = &mut draft.recording;
    recording.stated = totals(value);
    recording.name = words(&value["name"]);
    recording.description = words(&value["description"]);
    recording.creator = Some("Garmin Connect".to_owned());
    if let Some(id) = value["activityId"].i64() {
        recording.platform_ids.push((PLATFORM.to_owned(), id.to_string()));
    }
    let key = &value["activityType"];
    let key = key.str().or_else(|| key["typeKey"].str()).map(str::trim).filter(|key| !key.is_empty());
    let meaning = key.and_then(sports::sport);
    if let Some(key) = key
        && !meaning.is_some_and(|meaning| meaning.exact)
    {
        recording.sport_label = Some(key.to_owned());
        draft.notes.add(TYPE, place.clone(), || format!("\"{key}\" is no known activity type; it is kept as text"));
    }
    // The coarse type knows a little where the fine one says nothing.
    if let Some(meaning) = meaning.or_else(|| value["sportType"].str().and_then(sports::sport)) {
        recording.sport = meaning.sport;
        recording.sub_sport = meaning.sub_sport;
    }
    recording.devices.extend(device(value));
    recording.zones = Zones {
        heart_rate_seconds: in_zones(value, "hrTimeInZone_"),
        power_seconds: in_zones(value, "powerTimeInZone_"),
        ..Zones::default()
    };
    let place_name = words(&value["locationName"]).map(|name| format!("the place \"{name}\""));
    let race = (value["eventTypeId"].i64() == Some(RACE)).then(|| "that it was a race".to_owned());
    let left_out: Vec<String> = place_name.into_iter().chain(race).collect();
    draft
        .notes
        .add_many(LEFT_OUT, left_out.len() as u64, place.clone(), || format!("left out: {}", left_out.join(", ")));
    let unit = splits(&value["splits"], recording);
    recording.sessions.extend(session(value, recording));
    if let Some(unit) = unit {
        draft.notes.add(UNIT, place.clone(), || format!("a measurement in \"{unit}\" is left out"));
    }
    if !plausible(value) {
        draft.notes.add(UNITS, place.clone(), || "distance, duration and average speed do not agree");
    }
    draft
}

/// Start, and the local offset: the wall clock stands beside it, read as if it were UTC.
fn when(value: &Value, place: &Place, draft: &mut Draft) {
    const QUARTER_MS: i64 = 900_000;
    const FARTHEST_MS: i64 = 14 * 3_600_000;
    let utc = ["startTimeGmt", "startTimeGMT", "beginTimestamp"].iter().find_map(|key| instant(&value[*key]));
    let local = instant(&value["startTimeLocal"]);
    draft.recording.stated_start = utc.or(local);
    match (utc, local) {
        (Some(utc), Some(local)) => {
            let offset = local - utc;
            if offset % QUARTER_MS == 0 && offset.abs() <= FARTHEST_MS {
                draft.clock.offset_s = i32::try_from(offset / 1000).ok();
                draft.clock.evidence = Evidence::Archive;
            } else {
                draft.notes.add(OFFSET, place.clone(), || {
                    format!("{} s between local time and UTC are no offset of any zone", offset / 1000)
                });
            }
        }
        (None, Some(_)) => draft.clock.basis = Basis::Local,
        (None, None) => draft.notes.add(NO_START, place.clone(), || "an activity without a start"),
        (Some(_), None) => {}
    }
}

/// Milliseconds since the epoch, or a date and time as text.
fn instant(value: &Value) -> Option<i64> {
    let ms = match value.f64() {
        Some(ms) => ms as i64,
        None => time::parse(value.str()?.as_bytes())?.ms,
    };
    (1..253_402_300_800_000).contains(&ms).then_some(ms)
}

fn words(value: &Value) -> Option<String> {
    value.str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn totals(value: &Value) -> Totals {
    let of = |key: &str| value[key].f64();
    let signal = |key: &str| of(key).filter(|bpm| *bpm > 0.0);
    // Steps of both legs, or of one.
    let double = |key: &str| of(key).map(|steps| steps / 2.0);
    Totals {
        elapsed_s: seconds(&value["elapsedDuration"]),
        timer_s: seconds(&value["duration"]),
        moving_s: seconds(&value["movingDuration"]),
        distance_m: metres(&value["distance"]),
        calories_kcal: of("calories").map(|kilojoules| kilojoules / KILOCALORIE),
        ascent_m: metres(&value["elevationGain"]),
        descent_m: metres(&value["elevationLoss"]),
        avg_speed: speed(&value["avgSpeed"]),
        max_speed: speed(&value["maxSpeed"]),
        avg_heart_rate: signal("avgHr"),
        max_heart_rate: signal("maxHr"),
        min_heart_rate: signal("minHr"),
        avg_cadence: of("avgRunCadence").or_else(|| of("avgBikeCadence")).or_else(|| double("avgDoubleCadence")),
        max_cadence: of("maxRunCadence").or_else(|| of("maxBikeCadence")).or_else(|| double("maxDoubleCadence")),
        avg_power: of("avgPower"),
        max_power: of("maxPower"),
        normalized_power: of("normPower"),
        max_temperature: of("maxTemperature"),
        max_altitude: metres(&value["maxElevation"]),
        min_altitude: metres(&value["minElevation"]),
        cycles: of("strokes"),
        training_effect: of("aerobicTrainingEffect"),
        anaerobic_training_effect: of("anaerobicTrainingEffect"),
        training_stress_score: of("trainingStressScore"),
        intensity_factor: of("intensityFactor"),
        steps: of("steps"),
        avg_stroke_distance: metres(&value["avgStrokeDistance"]),
        ..Totals::default()
    }
}

/// The API of the web site has the same names in other units: then distance, duration and speed differ by powers of ten.
fn plausible(value: &Value) -> bool {
    const NEAR: f64 = 0.2;
    let of = |key: &str| value[key].f64().filter(|value| *value > 0.0);
    let (Some(distance), Some(average)) = (of("distance"), of("avgSpeed")) else { return true };
    let spans: Vec<f64> = ["duration", "movingDuration", "elapsedDuration"].into_iter().filter_map(of).collect();
    spans.is_empty() || spans.iter().any(|span| (distance / span - average).abs() <= average * NEAR)
}

fn device(value: &Value) -> Option<Device> {
    let manufacturer = words(&value["manufacturer"]).map(|name| name.to_lowercase());
    let serial = value["deviceId"].i64().filter(|id| *id > 0).map(|id| id.to_string());
    (manufacturer.is_some() || serial.is_some()).then(|| Device {
        index: Some(0),
        manufacturer,
        serial,
        ..Device::default()
    })
}

/// Seconds in each zone, from below the first one on; empty zones at the end are padding.
fn in_zones(value: &Value, prefix: &str) -> Vec<f32> {
    let mut all: Vec<f32> =
        (0..10).map_while(|zone| seconds(&value[&*format!("{prefix}{zone}")])).map(|s| s as f32).collect();
    let used = all.iter().rposition(|seconds| *seconds > 0.0).map_or(0, |last| last + 1);
    all.truncate(used);
    all
}

/// Laps and other splits; gives a unit that is not known.
fn splits(all: &Value, recording: &mut Recording) -> Option<String> {
    let mut unknown = None;
    for split in all.elements() {
        let Measured { totals, start_position, end_position, unknown_unit } = measured(&split["measurements"]);
        unknown = unknown.or(unknown_unit);
        let Some(start) = instant(&split["startTimeGMT"]).or_else(|| instant(&split["startTimeGmt"])) else { continue };
        let length = totals.elapsed_s.or(totals.timer_s).unwrap_or(0.0);
        let end = instant(&split["endTimeGMT"]).or_else(|| instant(&split["endTimeGmt"]));
        let end = end.unwrap_or_else(|| start.saturating_add((length * 1000.0) as i64)).max(start);
        // What rolls laps up is no lap.
        let lap = split["lapIndexes"].is_null() && split["type"].i64().is_none_or(|kind| kind == BASE_LAP);
        if lap {
            recording.laps.push(Lap { start, end, totals, start_position, end_position, ..Lap::default() });
        } else {
            recording.splits.push(Split { kind: None, start, end, totals, ..Split::default() });
        }
    }
    recording.laps.sort_by_key(|lap| lap.start);
    recording.splits.sort_by_key(|split| split.start);
    unknown
}

/// The activity as a session: where it started, the pool, how it felt.
fn session(value: &Value, recording: &Recording) -> Option<Session> {
    let start = recording.stated_start?;
    let length = recording.stated.elapsed_s.or(recording.stated.timer_s).unwrap_or(0.0);
    let lat_lon = value["startLatitude"].f64().zip(value["startLongitude"].f64());
    let percent = |key: &str| value[key].f64().filter(|value| (0.0..=100.0).contains(value));
    Some(Session {
        start,
        end: start.saturating_add((length.max(0.0) * 1000.0) as i64),
        sport: recording.sport,
        sub_sport: recording.sub_sport,
        totals: recording.stated.clone(),
        start_position: lat_lon
            .filter(|(lat, lon)| lat.abs() <= 90.0 && lon.abs() <= 180.0 && (*lat, *lon) != (0.0, 0.0)),
        pool_length_m: metres(&value["poolLength"]).filter(|_| recording.sport == Sport::SWIMMING),
        active_lengths: value["activeLengths"].i64().and_then(|count| u16::try_from(count).ok()).filter(|n| *n > 0),
        feel: percent("workoutFeel").map(|feel| feel as u8),
        rpe: percent("workoutRpe").map(|rpe| rpe as f32 / 10.0),
        ..Session::default()
    })
}
