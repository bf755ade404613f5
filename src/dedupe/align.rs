//! The clock offset between two recordings of one workout, at full resolution: where the tracks, else the sensors,
//! agree best.

use super::series::{longest_gap, planar};
use crate::model::{Activity, Channel, Track};

/// How far around the coarse lag is searched, ms.
const REACH_MS: i64 = 20_000;
/// Step of the search, ms: what recorders resolve. A smaller offset makes no sample the neighbour of another.
const STEP_MS: i64 = 1000;
/// Instants that are compared, at most.
const MOST_INSTANTS: usize = 500;
/// Fewer common instants give no offset.
const LEAST_INSTANTS: usize = 20;
/// Sensors in order of how sharply they mark an instant. Heart rate by optics follows late, so it comes late.
const SENSORS: [Channel; 5] = [Channel::Power, Channel::Cadence, Channel::Speed, Channel::HeartRate, Channel::Altitude];

/// A clock offset and what it was found by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lag {
    /// To be added to the times of the second, ms.
    pub(super) ms: i64,
    /// `position` or the channel's name.
    pub(super) by: &'static str,
}

/// The offset that, added to the times of `other` besides `shift_ms`, brings it onto the clock of `base`; `None` when
/// they agree as they are, or nothing tells. `around_ms` is a first guess.
pub(super) fn lag(base: &Activity, other: &Activity, shift_ms: i64, around_ms: i64) -> Option<Lag> {
    let found = by_position(&base.track, &other.track, shift_ms, around_ms);
    let (ms, by) = match found {
        Some(ms) => (ms, "position"),
        None => SENSORS.iter().find_map(|&channel| {
            Some((by_sensor(&base.track, &other.track, channel, shift_ms, around_ms)?, channel.name()))
        })?,
    };
    (ms != 0).then_some(Lag { ms, by })
}

/// `Some(0)` when the tracks agree best as they are, `None` when they tell nothing.
fn by_position(base: &Track, other: &Track, shift_ms: i64, around_ms: i64) -> Option<i64> {
    let places: Vec<(i64, (f64, f64))> = base.positions().map(|(row, at)| (base.times()[row], at)).collect();
    let theirs: Vec<(i64, (f64, f64))> = other.positions().map(|(row, at)| (other.times()[row], at)).collect();
    let gap = longest_gap(other.times());
    let stride = places.len().div_ceil(MOST_INSTANTS).max(1);
    // Mean distance, far ones counted as 100 m.
    let cost = |lag: i64| -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0usize);
        for (instant, here) in places.iter().step_by(stride) {
            let Some(there) = around(&theirs, instant - shift_ms - lag, gap) else { continue };
            sum += planar(*here, there).min(100.0);
            count += 1;
        }
        (count >= LEAST_INSTANTS).then(|| sum / count as f64)
    };
    let still = cost(0)?;
    let best = search(around_ms, |lag| cost(lag).map(|c| -c))?;
    let least = cost(best)?;
    if least > 60.0 {
        return None;
    }
    Some(if least < still * 0.8 && still - least > 1.0 { best } else { 0 })
}

/// `Some(0)` when the sensor agrees best as it is, `None` when it tells nothing.
fn by_sensor(base: &Track, other: &Track, channel: Channel, shift_ms: i64, around_ms: i64) -> Option<i64> {
    let values = |track: &Track| -> Option<Vec<(i64, (f64, f64))>> {
        Some(track.column(channel)?.present().map(|(row, v)| (track.times()[row], (f64::from(v), 0.0))).collect())
    };
    let (ours, theirs) = (values(base)?, values(other)?);
    let gap = longest_gap(other.times());
    let stride = ours.len().div_ceil(MOST_INSTANTS).max(1);
    let correlation = |lag: i64| -> Option<f64> {
        let (mut n, mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0usize, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (instant, (x, _)) in ours.iter().step_by(stride) {
            let Some((y, _)) = around(&theirs, instant - shift_ms - lag, gap) else { continue };
            n += 1;
            (sx, sy, sxx, syy, sxy) = (sx + x, sy + y, sxx + x * x, syy + y * y, sxy + x * y);
        }
        if n < LEAST_INSTANTS {
            return None;
        }
        let n = n as f64;
        let (vx, vy) = (sxx / n - (sx / n).powi(2), syy / n - (sy / n).powi(2));
        (vx > 1e-9 && vy > 1e-9).then(|| (sxy / n - sx / n * sy / n) / (vx * vy).sqrt())
    };
    let still = correlation(0)?;
    let best = search(around_ms, correlation)?;
    let most = correlation(best)?;
    if most < 0.7 {
        return None;
    }
    Some(if most > still + 0.01 { best } else { 0 })
}

/// The lag of the highest value, around none and around the first guess; the smaller of two equal ones.
fn search(around_ms: i64, value: impl Fn(i64) -> Option<f64>) -> Option<i64> {
    let mut best: Option<(f64, i64)> = None;
    let steps = REACH_MS / STEP_MS;
    for center in [0, around_ms / STEP_MS * STEP_MS] {
        for lag in (-steps..=steps).map(|step| center + step * STEP_MS) {
            if let Some(v) = value(lag)
                && best.is_none_or(|(most, at)| v > most || (v == most && lag.abs() < at.abs()))
            {
                best = Some((v, lag));
            }
        }
    }
    best.map(|(_, lag)| lag)
}

/// The value at an instant, linear between the entries around it; `None` outside or over a long gap.
fn around(entries: &[(i64, (f64, f64))], instant: i64, gap: i64) -> Option<(f64, f64)> {
    let after = entries.partition_point(|(time, _)| *time < instant);
    let next = entries.get(after)?;
    if next.0 == instant {
        return Some(next.1);
    }
    let last = entries.get(after.checked_sub(1)?)?;
    let width = next.0 - last.0;
    let share = (instant - last.0) as f64 / width as f64;
    let between = |from: f64, to: f64| from + (to - from) * share;
    (width <= gap).then(|| (between(last.1.0, next.1.0), between(last.1.1, next.1.1)))
}
