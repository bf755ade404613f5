//! When two activities were: the shifts under which they could be one, their common time, and whose clock is wrong.

use super::evidence::{Evidence, Grade};
use super::family::{Kinship, kinship};
use super::fingerprint::Fingerprint;
use super::judge::Side;
use super::series::planar;

/// Widest difference of two zones, s: from -12 h to +14 h.
pub(super) const WIDEST_SHIFT_S: i64 = 26 * 3600;
/// The widest fault of one clock, s: a true time that is taken for that of the zone farthest from UTC, or the reverse.
/// Beyond it both would have to be wrong.
const WIDEST_FAULT_S: i64 = 14 * 3600;
/// Zone faults are multiples of this, s.
const QUARTER_S: i64 = 900;
/// Clocks may differ by this much besides a zone fault, ms.
pub(super) const CLOCK_SLACK_MS: i64 = 150_000;
/// Less common time than this share of the longer one makes one a part of the other.
pub(super) const WHOLE: f64 = 0.7;

/// The shifts under which the two windows could be one workout: none, and the zone faults that bring them together.
pub(super) fn shifts(a: (i64, i64), b: (i64, i64)) -> Vec<i64> {
    let mut shifts = Vec::new();
    if a.0 < b.1 + CLOCK_SLACK_MS && b.0 < a.1 + CLOCK_SLACK_MS {
        shifts.push(0);
    }
    let (length_a, length_b) = (a.1 - a.0, b.1 - b.0);
    if length_a.min(length_b) * 10 < length_a.max(length_b) * 7 {
        return shifts;
    }
    let quarter = QUARTER_S * 1000;
    for apart in [a.0 - b.0, a.1 - b.1] {
        let shift = (apart + quarter / 2).div_euclid(quarter) * QUARTER_S;
        let near = (apart - shift * 1000).abs() <= CLOCK_SLACK_MS;
        if near && shift != 0 && shift.abs() <= WIDEST_SHIFT_S && !shifts.contains(&shift) {
            shifts.push(shift);
        }
    }
    shifts
}

/// The shifts under which two activities could be one: those of their windows, and the one that a wall clock without
/// zone has against the local offset of the other, however far the starts are apart.
pub(super) fn shifts_between(a: &Fingerprint, b: &Fingerprint) -> Vec<i64> {
    let (Some(of_a), Some(of_b)) = (a.window(), b.window()) else { return Vec::new() };
    let mut found = shifts(of_a, of_b);
    if let Some(own) = wall_shift(a, b).filter(|own| !found.contains(own))
        && of_a.0 < of_b.1 + own * 1000
        && of_b.0 + own * 1000 < of_a.1
    {
        found.push(own);
    }
    found
}

/// `1:05:00` with a sign, for reasons.
pub(super) fn span_text(ms: i64) -> String {
    let s = ms.abs() / 1000;
    if s >= 2 * 86_400 {
        return format!("{} days", s / 86_400);
    }
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// Common time of two activities, as shares.
pub(super) struct Overlap {
    /// Of the shorter one.
    pub(super) of_shorter: f64,
    /// Of the time that either covers.
    pub(super) of_both: f64,
    /// Seconds.
    pub(super) seconds: f64,
}

pub(super) fn overlap(a: &Fingerprint, b: &Fingerprint, of_a: (i64, i64), of_b: (i64, i64), shift_ms: i64) -> Overlap {
    let spans = |f: &Fingerprint, window: (i64, i64), shift: i64| -> Vec<(i64, i64)> {
        let spans = if f.spans.is_empty() { vec![window] } else { f.spans.clone() };
        spans.into_iter().map(|(start, end)| (start + shift, end + shift)).collect()
    };
    let (spans_a, spans_b) = (spans(a, of_a, 0), spans(b, of_b, shift_ms));
    let length = |spans: &[(i64, i64)]| spans.iter().map(|s| s.1 - s.0).sum::<i64>() as f64;
    let common: i64 =
        spans_a.iter().flat_map(|x| spans_b.iter().map(move |y| (x.1.min(y.1) - x.0.max(y.0)).max(0))).sum();
    let (length_a, length_b) = (length(&spans_a).max(1.0), length(&spans_b).max(1.0));
    // Pauses that one recorder cut out and the other recorded do not count against them: the windows do.
    let of_b = (of_b.0 + shift_ms, of_b.1 + shift_ms);
    let windows = (of_a.1.min(of_b.1) - of_a.0.max(of_b.0)).max(0) as f64;
    let hull = (of_a.1.max(of_b.1) - of_a.0.min(of_b.0)).max(1) as f64;
    let active = common as f64 / (length_a + length_b - common as f64).max(1.0);
    Overlap {
        of_shorter: common as f64 / length_a.min(length_b),
        of_both: active.max(windows / hull),
        seconds: common as f64 / 1000.0,
    }
}

/// Start, end and common time.
pub(super) fn time(
    of_a: (i64, i64),
    of_b: (i64, i64),
    shift_s: i64,
    fault: Option<Fault>,
    common: &Overlap,
    out: &mut Evidence,
) {
    let start = (of_a.0 - of_b.0 - shift_s * 1000).abs() as f64 / 1000.0;
    let end = (of_a.1 - of_b.1 - shift_s * 1000).abs() as f64 / 1000.0;
    let score: f64 = match (start.max(end), start.min(end)) {
        // Two workouts do not begin and end together.
        (most, _) if most <= 5.0 && common.seconds > 300.0 => 3.0,
        (most, _) if most <= 15.0 && common.seconds > 600.0 => 2.5,
        (most, _) if most <= 60.0 => 1.0,
        (most, least) if least <= 15.0 && most <= 0.1 * common.seconds => 0.75,
        _ if common.of_both > 0.85 => 0.5,
        _ if common.of_both < WHOLE => -1.0,
        _ => 0.0,
    };
    let text = || {
        format!("{:.0} % of the time in common, starts {start:.0} s and ends {end:.0} s apart", common.of_both * 100.0)
    };
    // With any zone fault allowed, starts agree modulo a quarter of an hour once in a while.
    let score = if fault.is_some() { score.min(1.0) } else { score };
    out.add("time", if score >= 2.5 { Grade::Agrees } else { Grade::Silent }, score, text);
    if let Some(fault) = fault {
        let apart = span_text(shift_s * 1000);
        let text = || match fault {
            _ if shift_s == 0 => "one clock is local, without a zone, yet equal to the other's true time".to_owned(),
            Fault::Explained => format!("clocks {apart} apart, as local time there is from UTC"),
            Fault::Possible => format!("clocks {apart} apart, as between two zones"),
            Fault::Unlikely => format!("clocks {apart} apart, more than a zone makes"),
        };
        out.add("clock", Grade::Silent, -1.0, text);
    } else if shift_s != 0 {
        let text = || {
            format!(
                "a wall clock without zone, {} from true time as the other's place has it",
                span_text(shift_s * 1000)
            )
        };
        out.add("clock", Grade::Silent, 0.25, text);
    }
}

/// What could have set two clocks of one workout this far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Local time written as UTC, where the local time of the workout is known and is just this far from UTC.
    Explained,
    /// A clock, or a program that converted the file, in another zone.
    Possible,
    /// No single fault.
    Unlikely,
}

/// The fault that a shift needs; `None` when it needs none.
pub(super) fn fault(a: &Fingerprint, b: &Fingerprint, shift_s: i64) -> Option<Fault> {
    if shift_s == rightful_shift(a, b) {
        return None;
    }
    // Whoever states the offset beside the times did not take the one for the other.
    let as_utc = |side: &Fingerprint, fault_s: i64| {
        let known = [a.offset_s, b.offset_s].into_iter().flatten().map(i64::from);
        fault_s != 0 && !side.offset_stated && !side.floating && known.into_iter().any(|offset| offset == fault_s)
    };
    Some(match () {
        () if as_utc(a, shift_s) || as_utc(b, -shift_s) => Fault::Explained,
        () if shift_s.abs() <= WIDEST_FAULT_S => Fault::Possible,
        () => Fault::Unlikely,
    })
}

/// The shift under which two clocks agree: none, or what a wall clock without zone has against true time, which is the
/// other side's local offset. Any other shift is a fault of one of them.
pub(super) fn rightful_shift(a: &Fingerprint, b: &Fingerprint) -> i64 {
    wall_shift(a, b).unwrap_or(0)
}

fn wall_shift(a: &Fingerprint, b: &Fingerprint) -> Option<i64> {
    match (a.floating, b.floating) {
        (true, false) => b.offset_s.map(i64::from),
        (false, true) => a.offset_s.map(|offset| -i64::from(offset)),
        _ => None,
    }
}

/// Which side wrote its local time as UTC, or has no zone of its own.
pub(super) fn faulty(a: &Fingerprint, b: &Fingerprint, shift_s: i64) -> Option<Side> {
    if shift_s == 0 {
        return None;
    }
    match (a.floating, b.floating) {
        (true, false) => return Some(Side::First),
        (false, true) => return Some(Side::Second),
        _ => {}
    }
    let local = |offset: Option<i32>| offset.map(i64::from).filter(|&offset| offset != 0);
    match (local(a.offset_s) == Some(-shift_s), local(b.offset_s) == Some(shift_s)) {
        (true, false) => return Some(Side::Second),
        (false, true) => return Some(Side::First),
        _ => {}
    }
    match (a.offset_stated, b.offset_stated) {
        (true, false) => return Some(Side::Second),
        (false, true) => return Some(Side::First),
        _ => {}
    }
    match (a.offset_s.is_some(), b.offset_s.is_some()) {
        (true, false) => Some(Side::Second),
        (false, true) => Some(Side::First),
        _ => None,
    }
}

/// Before anything is decoded: could these be one workout with this zone fault?
pub(super) fn worth_a_shift(a: &Fingerprint, b: &Fingerprint, fault: Fault) -> bool {
    let near = |x: Option<f64>, y: Option<f64>, share: f64| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= share * x.max(y),
        _ => true,
    };
    if a.same_content(b) {
        return true;
    }
    if fault == Fault::Unlikely && !a.copied(b) {
        return false;
    }
    if a.same_source(b) || kinship(a.sport, b.sport) == Kinship::Conflict {
        return false;
    }
    near(a.totals.distance_m, b.totals.distance_m, 0.3)
        && near(a.totals.avg_heart_rate, b.totals.avg_heart_rate, 0.06)
        && match (a.bbox, b.bbox) {
            (Some(_), Some(_)) => boxes_apart(a, b) == Some(0.0) || a.unplaced || b.unplaced,
            _ => true,
        }
}

/// Gap between the two bounding boxes, m; 0 when they touch.
pub(super) fn boxes_apart(a: &Fingerprint, b: &Fingerprint) -> Option<f64> {
    let (a, b) = (a.bbox?, b.bbox?);
    let near = |low_a: f64, high_a: f64, low_b: f64, high_b: f64| {
        if low_b > high_a {
            (high_a, low_b)
        } else if low_a > high_b {
            (low_a, high_b)
        } else {
            let inside = low_a.max(low_b);
            (inside, inside)
        }
    };
    let (lat_a, lat_b) = near(a[0], a[2], b[0], b[2]);
    let (lon_a, lon_b) = near(a[1], a[3], b[1], b[3]);
    Some(planar((lat_a, lon_a), (lat_b, lon_b)))
}
