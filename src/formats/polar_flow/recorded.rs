//! What was recorded in an exercise: series, positions, beats, strokes.

use super::fields::{Text, array, flag, instant, millis, number, object, text};
use super::parse::{MOST_LAPS, MOST_SERIES, push};
use super::raw::{At, Exercise, Part, Point, Route, Series, Strokes};
use crate::error::Result;
use crate::json::Shape;
use crate::model::Stroke;

/// New: lists of series under `samples` and `transitionSamples`; old: one list of samples a key.
pub(super) fn samples(json: &mut Text<'_>, to: &mut Exercise) -> Result<()> {
    if json.peek()? != Shape::Object {
        return json.skip();
    }
    json.object()?;
    loop {
        let Some(key) = json.key()? else { return Ok(()) };
        match key {
            "samples" => array(json, |json| series(json, &mut to.main))?,
            "transitionSamples" => array(json, |json| series(json, &mut to.transition))?,
            "rrSamples" | "rr" => beats(json, &mut to.main.rr)?,
            "transitionRrSamples" => beats(json, &mut to.transition.rr)?,
            "recordedRoute" => points(json, &mut to.main.route)?,
            "swimmingPhases" => object(json, &["startTime", "phases"], |json, key| match key {
                "startTime" => instant(json).map(|start| to.strokes_from = start),
                _ => strokes(json, &mut to.strokes),
            })?,
            name => {
                let mut series = Series::named(name);
                let read = timed(json, &mut series);
                keep(series, &mut to.main);
                read?;
            }
        }
    }
}

fn keep(series: Series, to: &mut Part) {
    if !series.values.is_empty() {
        push(&mut to.series, series, MOST_SERIES);
    }
}

/// `{type, intervalMillis, values}`.
fn series(json: &mut Text<'_>, to: &mut Part) -> Result<()> {
    let mut series = Series::named("");
    let read = object(json, &["type", "intervalMillis", "values"], |json, key| {
        match key {
            "type" => series.kind = Series::named(&text(json)?.unwrap_or_default()).kind,
            "intervalMillis" => series.interval_ms = number(json)?,
            _ => array(json, |json| {
                series.values.push(number(json)?.unwrap_or(f64::NAN));
                Ok(())
            })?,
        }
        Ok(())
    });
    keep(series, to);
    read
}

/// `[{dateTime, value}]`; where the value is missing there was none.
fn timed(json: &mut Text<'_>, to: &mut Series) -> Result<()> {
    array(json, |json| {
        let (mut at, mut value) = (None, f64::NAN);
        object(json, &["dateTime", "value"], |json, key| {
            match key {
                "dateTime" => at = instant(json)?,
                _ => value = number(json)?.unwrap_or(f64::NAN),
            }
            Ok(())
        })?;
        if let Some(at) = at {
            to.times.push(at.ms);
            to.values.push(value);
        }
        Ok(())
    })
}

/// `[{durationMillis, offline}]`, old: `[{duration: "PT0.521S", offline}]`, or plain numbers.
fn beats(json: &mut Text<'_>, to: &mut Vec<(f64, bool)>) -> Result<()> {
    array(json, |json| {
        if json.peek()? != Shape::Object {
            to.extend(number(json)?.map(|ms| (ms, false)));
            return Ok(());
        }
        let (mut length, mut offline) = (None, false);
        object(json, &["durationMillis", "duration", "offline"], |json, key| {
            match key {
                "offline" => offline = flag(json)?,
                _ => length = millis(json)?,
            }
            Ok(())
        })?;
        to.extend(length.map(|ms| (ms, offline)));
        Ok(())
    })
}

pub(super) fn route(json: &mut Text<'_>, to: &mut Route) -> Result<()> {
    object(json, &["startTime", "wayPoints"], |json, key| match key {
        "startTime" => instant(json).map(|start| to.start = start),
        _ => points(json, to),
    })
}

/// Positions of both generations and of AccessLink, which writes `time` as a duration.
pub(super) fn points(json: &mut Text<'_>, to: &mut Route) -> Result<()> {
    array(json, |json| {
        let mut point = Point { at: At::Unknown, lat: f64::NAN, lon: f64::NAN, altitude: f64::NAN };
        object(json, &["latitude", "longitude", "altitude", "elapsedMillis", "dateTime", "time"], |json, key| {
            match key {
                "latitude" => point.lat = number(json)?.unwrap_or(f64::NAN),
                "longitude" => point.lon = number(json)?.unwrap_or(f64::NAN),
                "altitude" => point.altitude = number(json)?.unwrap_or(f64::NAN),
                "dateTime" => point.at = instant(json)?.map_or(At::Unknown, |instant| At::Wall(instant.ms)),
                _ => point.at = millis(json)?.map_or(At::Unknown, At::After),
            }
            Ok(())
        })?;
        if !point.lat.is_nan() && !point.lon.is_nan() {
            to.points.push(point);
        }
        Ok(())
    })
}

fn strokes(json: &mut Text<'_>, to: &mut Vec<Strokes>) -> Result<()> {
    array(json, |json| {
        let mut phase = Strokes::default();
        object(json, &["startOffsetMillis", "durationMillis", "style", "strokes"], |json, key| {
            match key {
                "startOffsetMillis" => phase.offset_ms = millis(json)?,
                "durationMillis" => phase.duration_ms = millis(json)?,
                "strokes" => phase.strokes = number(json)?,
                _ => phase.stroke = text(json)?.and_then(|style| stroke(&style)),
            }
            Ok(())
        })?;
        if phase.offset_ms.is_some() && phase.duration_ms.is_some() {
            push(to, phase, MOST_LAPS);
        }
        Ok(())
    })
}

fn stroke(style: &str) -> Option<Stroke> {
    let style = style.to_ascii_lowercase();
    ["free", "back", "breast", "butterfly"].iter().position(|name| style.contains(name)).map(|at| Stroke(at as u8))
}
