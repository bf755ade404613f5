//! Series, positions and beats of one stretch → samples on one timeline.

use super::raw::{At, Kind, Part, Point, Series};
use crate::error::Place;
use crate::model::{Channel, Draft, ExtraKey, RrInterval, Track};
use crate::report::Code;

const INTERVAL: Code = Code::warning("flow.interval");
const ALTITUDE: Code = Code::info("flow.altitude_zero");
const POWER: Code = Code::info("flow.power_one_side");
const OFFLINE: Code = Code::info("flow.rr_offline");
const LIMIT: Code = Code::damage("flow.samples");

/// The interval of nearly all series, ms.
const USUAL_MS: f64 = 1000.0;
/// A position is of the sample that is no further than this from it, ms.
const NEAR_MS: i64 = 500;
/// Altitudes of 0 in front of one higher than this mean that none was known yet, m.
const FIRST_FIX_M: f64 = 20.0;
/// What the model can hold of one beat, ms.
const LONGEST_BEAT_MS: f64 = 65_535.0;
/// More extra channels than this are no recording.
const MOST_EXTRA: usize = 64;

/// How the time of a stretch runs: from its start, and on behind each stop.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// ms UTC; `None` when no start is stated.
    pub start: Option<i64>,
    /// Stops that its series leave out, in order and apart: start and end, ms UTC.
    pub stops: Vec<(i64, i64)>,
}

/// Where in a [`Runs`] one is that only goes forward.
#[derive(Debug, Default)]
pub(super) struct Hand {
    stop: usize,
    ms: i64,
}

impl Runs {
    /// The instant `ms` of running time after the start. A stop begins behind the value that is as old as it.
    pub(super) fn at(&self, hand: &mut Hand, ms: f64) -> i64 {
        let mut time = self.start.unwrap_or(0).saturating_add(ms.round() as i64).saturating_add(hand.ms);
        while let Some((from, to)) = self.stops.get(hand.stop).filter(|(from, _)| time > *from) {
            hand.ms += to - from;
            time = time.saturating_add(to - from);
            hand.stop += 1;
        }
        time
    }
}

/// What a stretch states about its power, W, and how wall-clock times of its own become UTC, ms.
pub(super) struct Context {
    pub avg_power: Option<f64>,
    pub offset_ms: i64,
}

/// Appends the samples of a stretch to those of the draft.
pub(super) fn fill(mut part: Part, runs: &Runs, context: &Context, limit: usize, draft: &mut Draft) {
    for series in &mut part.series {
        prepare(series, draft);
    }
    beats(&part, runs, draft);
    let fixes = fixes(&part, runs, context);
    let one_side = one_side(&part, context.avg_power, draft);
    let track = &mut draft.recording.track;
    let travelled = travelled(track, &part);
    let mut cursors: Vec<Cursor<'_>> =
        part.series.iter().map(|series| Cursor::new(series, runs, context.offset_ms, track)).collect();
    let tolerance = cursors.iter().map(|cursor| cursor.interval_ms as i64 / 2).min().unwrap_or(0).min(NEAR_MS);
    let mut fix = 0;
    loop {
        if track.len() >= limit {
            draft.complete = false;
            draft.notes.add(LIMIT, Place::NOWHERE, || {
                format!("more than {limit} samples; the rest is left out (raise it with --max-samples)")
            });
            return;
        }
        let row = cursors.iter().filter_map(|cursor| cursor.next).min();
        let point = fixes.get(fix);
        let of_row = match (point, row) {
            (Some((Some(time), _)), Some(row)) => {
                let next = fixes.get(fix + 1).and_then(|(time, _)| *time);
                (time - row).abs() <= tolerance && next.is_none_or(|next| (next - row).abs() > (time - row).abs())
            }
            _ => false,
        };
        match (point, row) {
            (None, None) => return,
            // A position of its own, or one without a time.
            (Some((time, point)), row) if !of_row && time.is_none_or(|time| row.is_none_or(|row| time < row)) => {
                match time {
                    Some(time) => track.push(*time),
                    None => track.push_untimed(runs.start.unwrap_or(0)),
                };
                place(track, point);
                fix += 1;
            }
            (point, Some(row)) => {
                match runs.start {
                    Some(_) => track.push(row),
                    None => track.push_untimed(0),
                };
                if let Some((_, point)) = point.filter(|_| of_row) {
                    place(track, point);
                    fix += 1;
                }
                let mut powers = [None; 2];
                for cursor in cursors.iter_mut().filter(|cursor| cursor.next == Some(row)) {
                    cursor.take(track, travelled, &mut powers);
                    cursor.advance(runs);
                }
                power(track, powers, one_side);
            }
            (Some(_), None) => return,
        }
    }
}

fn place(track: &mut Track, point: &Point) {
    track.set_position(point.lat, point.lon);
    track.set(Channel::Altitude, point.altitude as f32);
}

/// Sums both sides, or takes one for what it is.
fn power(track: &mut Track, powers: [Option<f64>; 2], one_side: f64) {
    match powers {
        [Some(left), Some(right)] => {
            track.set(Channel::Power, (left + right) as f32);
            if left + right > 0.0 {
                track.set(Channel::LeftRightBalance, (right / (left + right) * 100.0) as f32);
            }
        }
        [Some(watts), None] | [None, Some(watts)] => track.set(Channel::Power, (watts * one_side) as f32),
        [None, None] => {}
    }
}

/// What makes both sides of one: with a sensor at one side the stated average is twice the mean of the series.
fn one_side(part: &Part, average: Option<f64>, draft: &mut Draft) -> f64 {
    let of = |kind: Kind| part.series.iter().find(move |series| series.kind == kind);
    let ((Some(series), None) | (None, Some(series))) = (of(Kind::LeftPower), of(Kind::RightPower)) else { return 1.0 };
    let watts = series.values.iter().filter(|value| !value.is_nan());
    let (sum, count) = watts.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    let mean = sum / f64::from(count.max(1));
    let near = |value: f64| average.is_some_and(|average| (value - average).abs() <= average * 0.1);
    if near(2.0 * mean) && !near(mean) {
        draft.notes.add(POWER, Place::NOWHERE, || "power was measured at one side; doubled, as its stated average is");
        return 2.0;
    }
    1.0
}

/// What has been travelled before this stretch, m; 0 when its own distances go on from there.
fn travelled(track: &Track, part: &Part) -> f64 {
    let before = (0..track.len()).rev().find_map(|row| track.distance(row)).unwrap_or(0.0);
    let first = part.series.iter().filter(|series| series.kind == Kind::Distance).flat_map(|series| &series.values);
    match first.copied().find(|value| !value.is_nan()) {
        Some(first) if first < before => before,
        _ => 0.0,
    }
}

fn prepare(series: &mut Series, draft: &mut Draft) {
    if series.times.is_empty() && series.interval_ms.is_none_or(|ms| !(1.0..=86_400_000.0).contains(&ms)) {
        draft.notes.add(INTERVAL, Place::NOWHERE, || "a series without an interval; taken as a value a second");
        series.interval_ms = Some(USUAL_MS);
    }
    if series.kind == Kind::Channel(Channel::Altitude, 1.0) {
        let zeros = series.values.iter().take_while(|value| value.is_nan() || **value == 0.0).count();
        if series.values.get(zeros).is_some_and(|first| first.abs() > FIRST_FIX_M) {
            let unknown = series.values.iter_mut().take(zeros).filter(|value| !value.is_nan());
            let dropped = unknown.map(|value| *value = f64::NAN).count() as u64;
            draft.notes.add_many(ALTITUDE, dropped, Place::NOWHERE, || {
                format!("{dropped} altitudes of 0 in front of the first fix are left out")
            });
        }
    }
}

/// Positions with their instants.
fn fixes(part: &Part, runs: &Runs, context: &Context) -> Vec<(Option<i64>, Point)> {
    let route = &part.route;
    let start = route.start.map(|start| super::leg::utc(start, context.offset_ms)).or(runs.start);
    let instant = |point: &Point| match point.at {
        At::Unknown => None,
        At::After(ms) => start.map(|start| start.saturating_add(ms.round() as i64)),
        At::Wall(ms) => Some(ms - context.offset_ms),
    };
    route.points.iter().map(|point| (instant(point), *point)).collect()
}

fn beats(part: &Part, runs: &Runs, draft: &mut Draft) {
    let (mut hand, mut sum, mut offline) = (Hand::default(), 0.0, 0);
    for &(ms, off) in &part.rr {
        // No interval is longer; a larger number must not carry the rest away.
        sum += ms.clamp(0.0, LONGEST_BEAT_MS);
        if off || !(1.0..=LONGEST_BEAT_MS).contains(&ms) || runs.start.is_none() {
            offline += 1;
            continue;
        }
        let time = runs.at(&mut hand, sum);
        draft.recording.rr.push(RrInterval { time, ms: ms.round() as u16 });
    }
    draft.notes.add_many(OFFLINE, offline, Place::NOWHERE, || {
        format!("{offline} beat intervals were not measured on the skin; left out")
    });
}

/// A series and how far it was read. Gaps are passed over.
struct Cursor<'a> {
    series: &'a Series,
    row: usize,
    hand: Hand,
    interval_ms: f64,
    offset_ms: i64,
    next: Option<i64>,
    extra: Option<usize>,
}

impl<'a> Cursor<'a> {
    fn new(series: &'a Series, runs: &Runs, offset_ms: i64, track: &mut Track) -> Cursor<'a> {
        let extra = match &series.kind {
            Kind::Extra(name) if track.extra().len() < MOST_EXTRA => {
                Some(track.extra_slot(ExtraKey { name: name.clone(), ..ExtraKey::default() }))
            }
            _ => None,
        };
        let interval_ms = series.interval_ms.unwrap_or(USUAL_MS);
        let mut cursor = Cursor { series, row: 0, hand: Hand::default(), interval_ms, offset_ms, next: None, extra };
        cursor.seek(runs);
        cursor
    }

    fn advance(&mut self, runs: &Runs) {
        self.row += 1;
        self.seek(runs);
    }

    fn seek(&mut self, runs: &Runs) {
        let rest = self.series.values.get(self.row..).unwrap_or_default();
        let gap = rest.iter().take_while(|value| value.is_nan()).count();
        self.row += gap;
        self.next = if gap == rest.len() {
            None
        } else if self.series.times.is_empty() {
            Some(runs.at(&mut self.hand, self.row as f64 * self.interval_ms))
        } else {
            self.series.times.get(self.row).map(|wall| wall - self.offset_ms)
        };
    }

    fn take(&self, track: &mut Track, travelled: f64, powers: &mut [Option<f64>; 2]) {
        let Some(&value) = self.series.values.get(self.row) else { return };
        match self.series.kind {
            Kind::Channel(channel, factor) => track.set(channel, (value * factor) as f32),
            Kind::Distance => track.set_distance(value + travelled),
            Kind::LeftPower => powers[0] = Some(value),
            Kind::RightPower => powers[1] = Some(value),
            Kind::LeftShare => track.set(Channel::LeftRightBalance, (100.0 - value) as f32),
            Kind::Extra(_) => {
                if let Some(slot) = self.extra {
                    track.set_extra(slot, value);
                }
            }
        }
    }
}
