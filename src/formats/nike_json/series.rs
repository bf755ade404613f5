//! Series with clocks of their own → samples. They are joined on time, never by index (nike.md section 2).

use super::parse::Raw;
use crate::error::Place;
use crate::model::{Channel, Draft};
use crate::report::Code;

const UNPAIRED: Code = Code::warning("nike.unpaired");
const OUTSIDE: Code = Code::warning("nike.outside");
const LIMIT: Code = Code::damage("nike.samples");

/// Latitude and longitude are of one fix up to this far apart, ms.
const FIX_MS: i64 = 1000;
/// Elevation and speed are taken from the nearest value up to this far, ms.
const NEAR_MS: i64 = 2000;
/// Values further than this outside the activity are not of it, ms.
const MARGIN_MS: i64 = 3_600_000;

/// A value and the span it is of, ms.
#[derive(Debug, Clone, Copy)]
struct Value {
    start_ms: i64,
    end_ms: i64,
    value: f64,
}

/// Fills the samples of a draft: an instant wherever there is a latitude or a heart rate (on a treadmill: wherever a stretch
/// of distance ends).
pub(super) fn fill(raw: &Raw, start: i64, end: Option<i64>, limit: usize, draft: &mut Draft) {
    let mut outside = 0u64;
    let mut series = |kind: &str| -> Vec<Value> {
        let of_kind = raw.metrics.iter().filter(|metric| metric.kind == kind).flat_map(|metric| &metric.values);
        let mut values: Vec<Value> = of_kind
            .filter(|v| !v.value.is_nan())
            .filter_map(|v| {
                let end_ms = [v.end_ms, v.start_ms].into_iter().find(|ms| !ms.is_nan())? as i64;
                let start_ms = if v.start_ms.is_nan() { end_ms } else { v.start_ms as i64 };
                Some(Value { start_ms, end_ms, value: v.value })
            })
            .collect();
        let before = values.len();
        values.retain(|v| v.start_ms >= start - MARGIN_MS && end.is_none_or(|end| v.end_ms <= end + MARGIN_MS));
        outside += (before - values.len()) as u64;
        values.sort_by_key(|value| value.end_ms);
        values
    };
    let [lat, lon, heart, elevation, mut speed, pace, distance, steps] =
        ["latitude", "longitude", "heart_rate", "elevation", "speed", "pace", "distance", "steps"].map(&mut series);
    // Pace says the same as speed, in minutes a kilometre: it counts only where there is nothing else.
    if speed.is_empty() {
        let moving = pace.into_iter().filter(|v| v.value > 0.0);
        speed = moving.map(|v| Value { value: 60.0 / v.value, ..v }).collect();
    }
    draft.notes.add_many(OUTSIDE, outside, Place::NOWHERE, || "values outside the time of the activity are left out");
    let fixes = fixes(&lat, &lon);
    let unpaired = (lat.len() + lon.len() - 2 * fixes.len()) as u64;
    draft.notes.add_many(UNPAIRED, unpaired, Place::NOWHERE, || {
        format!("{unpaired} latitudes or longitudes have no partner within a second; left out")
    });
    let mut times: Vec<i64> = fixes.iter().map(|(time, _)| *time).chain(heart.iter().map(|v| v.end_ms)).collect();
    if fixes.is_empty() {
        times.extend(distance.iter().chain(&speed).map(|v| v.end_ms));
    }
    times.sort_unstable();
    times.dedup();
    if times.len() > limit {
        draft.complete = false;
        draft.notes.add(LIMIT, Place::NOWHERE, || {
            format!("more than {limit} samples; the rest is left out (raise it with --max-samples)")
        });
        times.truncate(limit);
    }
    let track = &mut draft.recording.track;
    let (mut fix, mut beat) = (fixes.into_iter().peekable(), heart.into_iter().peekable());
    let (mut height, mut pace) = (Nearest::of(&elevation), Nearest::of(&speed));
    let (mut metres, mut stride) = (Stretches::of(&distance), Stretches::of(&steps));
    for time in times {
        track.push(time);
        while let Some((_, (lat, lon))) = fix.next_if(|(at, _)| *at <= time) {
            track.set_position(lat, lon);
        }
        while let Some(value) = beat.next_if(|value| value.end_ms <= time) {
            track.set(Channel::HeartRate, value.value as f32);
        }
        if let Some(value) = height.at(time) {
            track.set(Channel::Altitude, value as f32);
        }
        if let Some(value) = pace.at(time) {
            track.set(Channel::Speed, (value / 3.6) as f32);
        }
        if let Some((km, _)) = metres.at(time) {
            track.set_distance(km * 1000.0);
        }
        if let Some(value) = stride.at(time).and_then(|(_, stretch)| stretch)
            && value.end_ms > value.start_ms
        {
            // Steps of both feet → strides of one a minute.
            track.set(Channel::Cadence, (value.value * 30_000.0 / (value.end_ms - value.start_ms) as f64) as f32);
        }
    }
}

/// Pairs latitudes with longitudes: equal stamps first, else the next one within a second. Time is that of the latitude.
fn fixes(lat: &[Value], lon: &[Value]) -> Vec<(i64, (f64, f64))> {
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (lat.get(i), lon.get(j)) {
        let apart = b.end_ms - a.end_ms;
        // A later partner that fits exactly is better than this one.
        let better =
            |values: &[Value], at: usize, time: i64| apart != 0 && values.get(at + 1).is_some_and(|v| v.end_ms == time);
        if apart.abs() > FIX_MS || better(lon, j, a.end_ms) || better(lat, i, b.end_ms) {
            if apart > 0 {
                i += 1
            } else {
                j += 1
            }
            continue;
        }
        found.push((a.end_ms, (a.value, b.value)));
        i += 1;
        j += 1;
    }
    found
}

/// The nearest value to rising instants.
struct Nearest<'a> {
    values: &'a [Value],
    next: usize,
}

impl<'a> Nearest<'a> {
    fn of(values: &'a [Value]) -> Nearest<'a> {
        Nearest { values, next: 0 }
    }

    fn at(&mut self, time: i64) -> Option<f64> {
        while self.values.get(self.next).is_some_and(|value| value.end_ms <= time) {
            self.next += 1;
        }
        let before = self.next.checked_sub(1).and_then(|i| self.values.get(i));
        let both = before.into_iter().chain(self.values.get(self.next));
        let nearest = both.min_by_key(|value| (value.end_ms - time).abs())?;
        ((nearest.end_ms - time).abs() <= NEAR_MS).then_some(nearest.value)
    }
}

/// Increments over stretches: their running sum at rising instants, and the stretch an instant lies in.
struct Stretches<'a> {
    values: &'a [Value],
    next: usize,
    sum: f64,
}

impl<'a> Stretches<'a> {
    fn of(values: &'a [Value]) -> Stretches<'a> {
        Stretches { values, next: 0, sum: 0.0 }
    }

    /// Inside a stretch the sum grows evenly; between two (a halt) it stays.
    fn at(&mut self, time: i64) -> Option<(f64, Option<Value>)> {
        let mut ended = None;
        while let Some(value) = self.values.get(self.next).filter(|value| value.end_ms <= time) {
            self.sum += value.value;
            ended = (value.end_ms == time).then_some(*value);
            self.next += 1;
        }
        let inside = self.values.get(self.next).filter(|value| value.start_ms <= time);
        if self.next == 0 && inside.is_none() {
            return None;
        }
        let part = inside.map_or(0.0, |v| v.value * (time - v.start_ms) as f64 / (v.end_ms - v.start_ms).max(1) as f64);
        Some((self.sum + part, ended.or(inside.copied())))
    }
}
