//! AccessLink v3: exercises as sync tools saved them, with comma-separated samples.

use super::fields::{Text, array, decimal, instant, millis, number, object, text};
use super::parse::{Each, MOST_SERIES, limits, list, push};
use super::raw::{Exercise, Kind, Raw, Series, Word, ZoneSet};
use super::recorded::points;
use crate::error::Result;
use crate::model::Channel;

/// Reads a file: one exercise, an array of them, or a page `{"exercises": […]}`. Hands on each, also the one that a fault
/// cut off.
pub(super) fn exercises(json: &mut Text<'_>, each: Each<'_>) -> Result<()> {
    list(json, "exercises", KEYS, field, each)
}

const KEYS: &[&str] = &[
    "exercises",
    "id",
    "upload_time",
    "device",
    "device_id",
    "start_time",
    "start_time_utc_offset",
    "duration",
    "distance",
    "calories",
    "heart_rate",
    "sport",
    "detailed_sport_info",
    "heart_rate_zones",
    "samples",
    "route",
];

fn field(json: &mut Text<'_>, key: &'static str, raw: &mut Raw) -> Result<()> {
    if raw.exercises.is_empty() {
        raw.exercises.push(Exercise::default());
    }
    let Some(exercise) = raw.exercises.first_mut() else { return json.skip() };
    let whole = &mut raw.whole;
    match key {
        "id" => raw.id = text(json)?.map(|id| ("accesslink", id)),
        "upload_time" => raw.modified = instant(json)?.map(|instant| instant.ms),
        "device" => raw.device = text(json)?,
        "device_id" => raw.serial = text(json)?,
        "start_time" => whole.start = instant(json)?,
        "start_time_utc_offset" => whole.offset_min = number(json)?,
        "duration" => whole.totals.timer_s = millis(json)?.map(|ms| ms / 1000.0),
        "distance" => whole.totals.distance_m = number(json)?,
        "calories" => whole.totals.calories_kcal = number(json)?,
        "heart_rate" => object(json, &["average", "maximum"], |json, key| {
            let totals = &mut whole.totals;
            let slot = if key == "average" { &mut totals.avg_heart_rate } else { &mut totals.max_heart_rate };
            *slot = number(json)?;
            Ok(())
        })?,
        // The detailed one is preferred, whichever comes first.
        "sport" => {
            let coarse = text(json)?;
            whole.sport = match (whole.sport.take(), coarse) {
                (Some(Word::Name(fine, _)), coarse) => Some(Word::Name(fine, coarse)),
                (_, coarse) => coarse.map(|coarse| Word::Name(coarse, None)),
            };
        }
        "detailed_sport_info" => {
            let coarse = match whole.sport.take() {
                Some(Word::Name(coarse, _)) => Some(coarse),
                _ => None,
            };
            whole.sport = match text(json)? {
                Some(fine) => Some(Word::Name(fine, coarse)),
                None => coarse.map(|coarse| Word::Name(coarse, None)),
            };
        }
        "heart_rate_zones" => {
            let mut set = ZoneSet { kind: "heart_rate".to_owned(), zones: Vec::new() };
            limits(json, &mut set)?;
            exercise.zones = vec![set];
        }
        "samples" => array(json, |json| samples(json, exercise))?,
        "route" => points(json, &mut exercise.main.route)?,
        _ => json.skip()?,
    }
    Ok(())
}

/// `{recording_rate, sample_type, data: "1,2,…"}`.
fn samples(json: &mut Text<'_>, to: &mut Exercise) -> Result<()> {
    let (mut rate, mut number_of, mut values) = (None, None, Vec::new());
    object(json, &["recording_rate", "sample_type", "data"], |json, key| {
        match key {
            "recording_rate" => rate = number(json)?,
            "sample_type" => number_of = text(json)?,
            _ => {
                if let Some(list) = text(json)? {
                    values = list.split(',').map(|value| decimal(value).unwrap_or(f64::NAN)).collect();
                }
            }
        }
        Ok(())
    })?;
    let name = number_of.unwrap_or_default();
    let kind = match name.as_str() {
        "0" => Kind::Channel(Channel::HeartRate, 1.0),
        "1" => Kind::Channel(Channel::Speed, 1.0 / 3.6),
        "2" | "8" => Kind::Channel(Channel::Cadence, 1.0),
        "3" => Kind::Channel(Channel::Altitude, 1.0),
        "4" => Kind::Channel(Channel::Power, 1.0),
        "5" => Kind::Extra("pedalling_index".to_owned()),
        "6" => Kind::LeftShare,
        "7" => Kind::Extra("air_pressure".to_owned()),
        "9" => Kind::Channel(Channel::Temperature, 1.0),
        "10" => Kind::Distance,
        "11" => {
            to.main.rr.extend(values.into_iter().filter(|ms| !ms.is_nan()).map(|ms| (ms, false)));
            return Ok(());
        }
        _ => Kind::Extra(format!("sample_type_{name}")),
    };
    if !values.is_empty() {
        let interval_ms = rate.map(|seconds| seconds * 1000.0);
        push(&mut to.main.series, Series { kind, interval_ms, times: Vec::new(), values }, MOST_SERIES);
    }
    Ok(())
}
