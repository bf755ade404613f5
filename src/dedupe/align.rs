//! The clock offset between two recordings of one workout, at full resolution: where the tracks, else the sensors,
//! agree best.

use super::series::{longest_gap, median_step, planar};
use crate::model::{Activity, Channel, Track};

/// How far around the coarse lag is searched, ms.
const REACH_MS: i64 = 20_000;
/// Step of the search, ms: what recorders resolve. A smaller offset makes no sample the neighbour of another.
const STEP_MS: i64 = 1000;
/// Instants that are compared, at most.
const MOST_INSTANTS: usize = 500;
/// Fewer common instants give no offset.
const LEAST_INSTANTS: usize = 20;
/// Tracks that are farther apart than this on average (far positions counted as 100 m) are not aligned, m.
const UNLIKE_M: f64 = 40.0;
/// Sensors in order of how sharply they mark an instant, with the least correlation that counts: what changes slowly
/// correlates by chance. Heart rate by optics follows late, so it comes late.
const SENSORS: [(Channel, f64); 5] = [
    (Channel::Power, 0.7),
    (Channel::Cadence, 0.7),
    (Channel::Speed, 0.7),
    (Channel::HeartRate, 0.85),
    (Channel::Altitude, 0.95),
];

/// How the clocks of two recordings stand to each other, besides a zone fault.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clocks {
    /// They agree, or nothing tells.
    Agree,
    /// One is off: what has to be added to the times of the second (ms), and what that was found by (`position` or the
    /// channel's name).
    Off(i64, &'static str),
    /// No offset brings the tracks together, and no sensor does: one of them left pauses out, or they are two workouts.
    Astray,
}

/// What a comparison over many offsets gives.
enum Search {
    /// Too little in common.
    Nothing,
    /// Compared, and alike at no offset.
    Unlike,
    /// Alike at this offset, ms.
    Found(i64),
}

/// Compares the clocks when `shift_ms` is added to the times of `other`. `around_ms` is a first guess of the offset;
/// `placed` is false when the positions of one are no places on the ground.
pub(super) fn clocks(base: &Activity, other: &Activity, placed: bool, shift_ms: i64, around_ms: i64) -> Clocks {
    let (base, other) = (&base.track, &other.track);
    let track = if placed { by_position(base, other, shift_ms, around_ms) } else { Search::Nothing };
    if let Search::Found(ms) = track {
        return if ms == 0 { Clocks::Agree } else { Clocks::Off(ms, "position") };
    }
    // Height says nothing against tracks.
    let sensors = if matches!(track, Search::Unlike) { &SENSORS[..4] } else { &SENSORS[..] };
    for &(channel, least) in sensors {
        if let Search::Found(ms) = by_sensor(base, other, (channel, least), shift_ms, around_ms) {
            return if ms == 0 { Clocks::Agree } else { Clocks::Off(ms, channel.name()) };
        }
    }
    if matches!(track, Search::Unlike) { Clocks::Astray } else { Clocks::Agree }
}

fn by_position(base: &Track, other: &Track, shift_ms: i64, around_ms: i64) -> Search {
    let places: Vec<(i64, (f64, f64))> = base.positions().map(|(row, at)| (base.times()[row], at)).collect();
    let theirs: Vec<(i64, (f64, f64))> = other.positions().map(|(row, at)| (other.times()[row], at)).collect();
    let gap = longest_gap(median_step(other.times()));
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
    let (Some(still), Some((least, best))) = (cost(0), search(around_ms, |lag| cost(lag).map(|c| -c))) else {
        return Search::Nothing;
    };
    let least = -least;
    match () {
        () if least > UNLIKE_M => Search::Unlike,
        // Not for the noise of two receivers.
        () if least < still * 0.8 && still - least > 1.0 => Search::Found(best),
        () => Search::Found(0),
    }
}

fn by_sensor(base: &Track, other: &Track, (channel, least): (Channel, f64), shift_ms: i64, around_ms: i64) -> Search {
    let values = |track: &Track| -> Option<Vec<(i64, (f64, f64))>> {
        Some(track.column(channel)?.present().map(|(row, v)| (track.times()[row], (f64::from(v), 0.0))).collect())
    };
    let (Some(ours), Some(theirs)) = (values(base), values(other)) else { return Search::Nothing };
    let gap = longest_gap(median_step(other.times()));
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
    let (Some(still), Some((most, best))) = (correlation(0), search(around_ms, correlation)) else {
        return Search::Nothing;
    };
    match () {
        () if most < least => Search::Unlike,
        () if most > still + 0.01 => Search::Found(best),
        () => Search::Found(0),
    }
}

/// The highest value and its offset, around none and around the first guess; the smaller of two equal ones.
fn search(around_ms: i64, value: impl Fn(i64) -> Option<f64>) -> Option<(f64, i64)> {
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
    best
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
