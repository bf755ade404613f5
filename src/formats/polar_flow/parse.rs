//! `training-session*.json` of the account export, both generations: their keys differ where their meaning does, so one
//! walk reads either. What was read before a fault stays.

use super::fields::{Text, array, instant, millis, number, object, text, text_in};
use super::raw::{Exercise, Mark, Raw, Word, ZoneSet};
use super::recorded::{route, samples};
use crate::error::Result;
use crate::json::Shape;
use crate::model::Totals;

/// More of them than this are no recording.
const MOST_EXERCISES: usize = 1000;
pub(super) const MOST_SERIES: usize = 64;
pub(super) const MOST_LAPS: usize = 10_000;

/// Adds to a list unless it is too long already; returns how many were left out.
pub(super) fn push<T>(to: &mut Vec<T>, item: T, most: usize) -> usize {
    if to.len() >= most {
        return 1;
    }
    to.push(item);
    0
}

/// Reads a file: one session, an array of them, or a page `{"trainingSessions": […]}` as the API gives it. Hands on each,
/// also the one that a fault cut off.
pub(super) fn sessions(json: &mut Text<'_>, each: Each<'_>) -> Result<()> {
    list(json, "trainingSessions", SESSION, session, each)
}

/// What takes a session, and whether it is whole.
pub(super) type Each<'a> = &'a mut dyn FnMut(Raw, bool) -> Result<()>;

/// What takes the value of a key.
type Field = fn(&mut Text<'_>, &'static str, &mut Raw) -> Result<()>;

/// Reads one object of `names`, an array of them, or such an array under the key `page`.
pub(super) fn list(
    json: &mut Text<'_>,
    page: &'static str,
    names: &[&'static str],
    field: Field,
    each: Each<'_>,
) -> Result<()> {
    let mut next = |json: &mut Text<'_>| {
        let mut raw = Raw::default();
        let read = object(json, names, |json, key| field(json, key, &mut raw));
        hand_on(raw, read, each)
    };
    if json.peek()? == Shape::Array {
        return array(json, next);
    }
    let mut lone = Raw::default();
    let read = object(json, names, |json, key| match key {
        _ if key == page => array(json, &mut next),
        _ => field(json, key, &mut lone),
    });
    hand_on(lone, read, each)
}

fn hand_on(raw: Raw, read: Result<()>, each: Each<'_>) -> Result<()> {
    let said = |exercise: &Exercise| exercise.start.is_some() || !exercise.main.is_empty();
    if raw.whole.start.is_some() || raw.exercises.iter().any(said) {
        each(raw, read.is_ok())?;
    }
    read
}

const SESSION: &[&str] = &[
    "trainingSessions",
    "identifier",
    "modified",
    "created",
    "name",
    "note",
    "product",
    "deviceId",
    "physicalInformation",
    "physicalInformationSnapshot",
    "exercises",
    "startTime",
    "stopTime",
    "timezoneOffsetMinutes",
    "timeZoneOffset",
    "timezoneOffset",
    "sport",
    "latitude",
    "longitude",
    "durationMillis",
    "duration",
    "distanceMeters",
    "distance",
    "calories",
    "kiloCalories",
    "hrAvg",
    "averageHeartRate",
    "hrMax",
    "maximumHeartRate",
];

fn session(json: &mut Text<'_>, key: &str, raw: &mut Raw) -> Result<()> {
    match key {
        "identifier" => raw.id = text_in(json, "id")?.map(|id| ("polar", id)),
        // Of these two the later one tells which revision this is.
        "modified" | "created" => {
            let utc = instant(json)?.map(|instant| instant.ms);
            raw.modified = raw.modified.max(utc);
        }
        "name" => raw.name = text(json)?,
        "note" => raw.note = text(json)?,
        "product" => raw.device = text_in(json, "modelName")?,
        "deviceId" => raw.serial = text(json)?,
        "physicalInformation" | "physicalInformationSnapshot" => physical(json, raw)?,
        "exercises" => array(json, |json| {
            let mut exercise = Exercise::default();
            let read = object(json, EXERCISE, |json, key| exercise_field(json, key, &mut exercise));
            raw.left_out += push(&mut raw.exercises, exercise, MOST_EXERCISES);
            read
        })?,
        _ => exercise_field(json, key, &mut raw.whole)?,
    }
    Ok(())
}

const EXERCISE: &[&str] = &[
    "startTime",
    "stopTime",
    "timezoneOffsetMinutes",
    "timeZoneOffset",
    "timezoneOffset",
    "sport",
    "latitude",
    "longitude",
    "durationMillis",
    "duration",
    "distanceMeters",
    "distance",
    "calories",
    "kiloCalories",
    "ascentMeters",
    "ascent",
    "descentMeters",
    "descent",
    "heartRate",
    "speed",
    "altitude",
    "cadence",
    "power",
    "temperature",
    "samples",
    "routes",
    "laps",
    "autoLaps",
    "pauseTimes",
    "zones",
    "statistics",
];

fn exercise_field(json: &mut Text<'_>, key: &str, to: &mut Exercise) -> Result<()> {
    match key {
        "startTime" => to.start = instant(json)?,
        "stopTime" => to.stop = instant(json)?,
        "timezoneOffsetMinutes" | "timeZoneOffset" | "timezoneOffset" => to.offset_min = number(json)?,
        "sport" if json.peek()? == Shape::Object => to.sport = text_in(json, "id")?.map(Word::Id),
        "sport" => to.sport = text(json)?.map(|name| Word::Name(name, None)),
        "latitude" => to.latitude = number(json)?,
        "longitude" => to.longitude = number(json)?,
        "samples" => samples(json, to)?,
        "routes" => object(json, &["route", "transitionRoute"], |json, key| {
            route(json, if key == "route" { &mut to.main.route } else { &mut to.transition.route })
        })?,
        "laps" if json.peek()? == Shape::Object => object(json, &["laps", "autoLaps"], |json, key| {
            laps(json, if key == "laps" { &mut to.laps } else { &mut to.auto_laps })
        })?,
        "laps" => laps(json, &mut to.laps)?,
        "autoLaps" => laps(json, &mut to.auto_laps)?,
        "pauseTimes" => array(json, |json| {
            let (mut start, mut end) = (None, None);
            object(json, &["startTime", "endTime"], |json, key| {
                *(if key == "startTime" { &mut start } else { &mut end }) = instant(json)?;
                Ok(())
            })?;
            to.pauses.extend(start.zip(end));
            Ok(())
        })?,
        "zones" => zones(json, &mut to.zones)?,
        "statistics" => statistics(json, to)?,
        _ => total(json, key, &mut to.totals)?,
    }
    Ok(())
}

/// A total of a session, an exercise or a lap. Speeds are km/h in the files.
fn total(json: &mut Text<'_>, key: &str, to: &mut Totals) -> Result<()> {
    match key {
        "durationMillis" | "duration" => to.timer_s = millis(json)?.map(|ms| ms / 1000.0),
        "distanceMeters" | "distance" => to.distance_m = number(json)?,
        "calories" | "kiloCalories" => to.calories_kcal = number(json)?,
        "ascentMeters" | "ascent" => to.ascent_m = number(json)?,
        "descentMeters" | "descent" => to.descent_m = number(json)?.map(f64::abs),
        "hrAvg" | "averageHeartRate" => to.avg_heart_rate = number(json)?,
        "hrMax" | "maximumHeartRate" => to.max_heart_rate = number(json)?,
        _ => {
            let found = spread(json)?;
            take_spread(key, found, to);
        }
    }
    Ok(())
}

/// Minimum, average and maximum.
fn spread(json: &mut Text<'_>) -> Result<[Option<f64>; 3]> {
    let mut found = [None; 3];
    object(json, &["min", "avg", "max"], |json, key| {
        found[usize::from(key == "avg") + 2 * usize::from(key == "max")] = number(json)?;
        Ok(())
    })?;
    Ok(found)
}

fn take_spread(kind: &str, [min, avg, max]: [Option<f64>; 3], to: &mut Totals) {
    let kmh = |value: Option<f64>| value.map(|v| v / 3.6);
    match kind {
        "heartRate" | "HEART_RATE" => {
            to.min_heart_rate = min.or(to.min_heart_rate);
            to.avg_heart_rate = avg.or(to.avg_heart_rate);
            to.max_heart_rate = max.or(to.max_heart_rate);
        }
        "speed" | "SPEED" => (to.avg_speed, to.max_speed) = (kmh(avg), kmh(max)),
        "cadence" | "CADENCE" => (to.avg_cadence, to.max_cadence) = (avg, max),
        "power" | "POWER" => (to.avg_power, to.max_power) = (avg, max),
        "temperature" | "TEMPERATURE" => (to.avg_temperature, to.max_temperature) = (avg, max),
        "altitude" | "ALTITUDE" => (to.min_altitude, to.avg_altitude, to.max_altitude) = (min, avg, max),
        _ => {}
    }
}

/// `{"statistics": [{type, min, avg, max}], "swimmingStatistics": {…}, "trainingPeaksStatistics": {…}}`.
fn statistics(json: &mut Text<'_>, to: &mut Exercise) -> Result<()> {
    object(json, &["statistics", "swimmingStatistics", "trainingPeaksStatistics"], |json, key| match key {
        "statistics" => spreads(json, &mut to.totals),
        "swimmingStatistics" => object(json, &["poolLength", "poolUnits", "totalStrokeCount"], |json, key| {
            match key {
                "poolLength" => to.pool_length = number(json)?,
                "poolUnits" => to.pool_in_yards = text(json)?.is_some_and(|unit| unit.to_uppercase().contains("YARD")),
                _ => to.totals.cycles = number(json)?,
            }
            Ok(())
        }),
        _ => object(json, &["intensityFactor", "normalizedPower", "trainingStressScore"], |json, key| {
            let slot = match key {
                "intensityFactor" => &mut to.totals.intensity_factor,
                "normalizedPower" => &mut to.totals.normalized_power,
                _ => &mut to.totals.training_stress_score,
            };
            *slot = number(json)?;
            Ok(())
        }),
    })
}

fn spreads(json: &mut Text<'_>, to: &mut Totals) -> Result<()> {
    array(json, |json| {
        let (mut kind, mut found) = (None, [None; 3]);
        object(json, &["type", "min", "avg", "max"], |json, key| {
            match key {
                "type" => kind = text(json)?,
                "min" => found[0] = number(json)?,
                "avg" => found[1] = number(json)?,
                _ => found[2] = number(json)?,
            }
            Ok(())
        })?;
        let kind = kind.unwrap_or_default();
        take_spread(kind.strip_prefix("STATISTICS_TYPE_").unwrap_or(&kind), found, to);
        Ok(())
    })
}

fn laps(json: &mut Text<'_>, to: &mut Vec<Mark>) -> Result<()> {
    const LAP: &[&str] = &[
        "splitTimeMillis",
        "splitTime",
        "durationMillis",
        "duration",
        "startLocationLatitude",
        "startLocationLongitude",
        "statistics",
        "distanceMeters",
        "distance",
        "ascentMeters",
        "ascent",
        "descentMeters",
        "descent",
        "calories",
        "kiloCalories",
        "heartRate",
        "speed",
        "cadence",
        "power",
        "altitude",
        "temperature",
    ];
    array(json, |json| {
        let mut lap = Mark::default();
        object(json, LAP, |json, key| {
            match key {
                "splitTimeMillis" | "splitTime" => lap.split_ms = millis(json)?,
                "durationMillis" | "duration" => lap.duration_ms = millis(json)?,
                "startLocationLatitude" => lap.latitude = number(json)?,
                "startLocationLongitude" => lap.longitude = number(json)?,
                "statistics" => object(json, &["statistics"], |json, _| spreads(json, &mut lap.totals))?,
                _ => total(json, key, &mut lap.totals)?,
            }
            Ok(())
        })?;
        if lap.split_ms.is_some() || lap.duration_ms.is_some() {
            push(to, lap, MOST_LAPS);
        }
        Ok(())
    })
}

/// New: `[{"type": …, "zones": […]}]`; old: `{"heart_rate": […], …}`.
fn zones(json: &mut Text<'_>, to: &mut Vec<ZoneSet>) -> Result<()> {
    if json.peek()? == Shape::Object {
        return object(json, &["heart_rate", "heartRate", "power"], |json, key| {
            let mut set =
                ZoneSet { kind: if key == "power" { "power" } else { "heart_rate" }.into(), zones: Vec::new() };
            limits(json, &mut set)?;
            push(to, set, MOST_SERIES);
            Ok(())
        });
    }
    array(json, |json| {
        let mut set = ZoneSet::default();
        object(json, &["type", "zones"], |json, key| {
            match key {
                "type" => set.kind = text(json)?.unwrap_or_default().trim_start_matches("ZONE_TYPE_").to_lowercase(),
                _ => limits(json, &mut set)?,
            }
            Ok(())
        })?;
        push(to, set, MOST_SERIES);
        Ok(())
    })
}

/// Zones with their limits and the time in them. AccessLink writes `upper_limit` and `in_zone`.
pub(super) fn limits(json: &mut Text<'_>, to: &mut ZoneSet) -> Result<()> {
    array(json, |json| {
        let (mut upper, mut inside) = (None, None);
        object(json, &["higherLimit", "upper_limit", "inZone", "in_zone"], |json, key| {
            match key {
                "higherLimit" | "upper_limit" => upper = number(json)?,
                _ => inside = millis(json)?,
            }
            Ok(())
        })?;
        to.zones.extend(upper.map(|upper| (upper, inside)));
        Ok(())
    })
}

fn physical(json: &mut Text<'_>, raw: &mut Raw) -> Result<()> {
    const KEYS: &[&str] = &[
        "weightKg",
        "weight, kg",
        "heightCm",
        "height, cm",
        "sex",
        "maximumHeartRate",
        "restingHeartRate",
        "anaerobicThreshold",
        "functionalThresholdPower",
    ];
    object(json, KEYS, |json, key| {
        if key == "sex" {
            raw.athlete.gender = text(json)?.and_then(|sex| match sex.to_ascii_uppercase().as_str() {
                "FEMALE" => Some(0),
                "MALE" => Some(1),
                _ => None,
            });
            return Ok(());
        }
        let value = number(json)?.filter(|value| *value > 0.0);
        let beats = value.filter(|value| *value <= 255.0).map(|value| value as u8);
        match key {
            "weightKg" | "weight, kg" => raw.athlete.weight_kg = value,
            "heightCm" | "height, cm" => raw.athlete.height_m = value.map(|cm| cm / 100.0),
            "maximumHeartRate" => (raw.athlete.max_heart_rate, raw.zones.max_heart_rate) = (beats, beats),
            "restingHeartRate" => (raw.athlete.resting_heart_rate, raw.zones.resting_heart_rate) = (beats, beats),
            "anaerobicThreshold" => raw.zones.threshold_heart_rate = beats,
            _ => raw.zones.threshold_power = value.filter(|watts| *watts < 65_535.0).map(|watts| watts as u16),
        }
        Ok(())
    })
}
