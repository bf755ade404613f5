//! An exercise on the clock of the world: its start, stop and pauses, its laps, and the faults of the old generation.

use super::raw::{At, Exercise, Mark, Part, Point, Series};
use super::timeline::{Hand, Runs};
use crate::error::Place;
use crate::model::time::{Instant, Stamp};
use crate::model::{Draft, Lap, LapTrigger, Length, Totals};
use crate::report::Code;

const ROUTE: Code = Code::warning("flow.route_offset");
const PAUSES: Code = Code::warning("flow.series_time");

/// A route outside of its exercise by more than this was shifted, ms.
const OUTSIDE_MS: i64 = 60_000;
/// Series and route of equal length that differ by more than this were not both cut at the pauses, ms.
const APART_MS: i64 = 5_000;

/// The instant that a date-time means, where it says nothing of its zone by `offset_ms` (local less UTC).
pub(super) fn utc(instant: Instant, offset_ms: i64) -> i64 {
    if instant.stamp == Stamp::Naive { instant.ms - offset_ms } else { instant.ms }
}

/// An exercise with its times in UTC, as far as an offset is known.
pub(super) struct Leg {
    pub start: Option<i64>,
    pub stop: Option<i64>,
    pub offset_ms: i64,
    pub pauses: Vec<(i64, i64)>,
    pub exercise: Exercise,
}

impl Leg {
    /// What an exercise leaves out is that of the session.
    pub(super) fn of(
        mut exercise: Exercise,
        whole: &Exercise,
        only: bool,
        offset_ms: &dyn Fn(Option<f64>) -> i64,
    ) -> Leg {
        let own = exercise.offset_min.or(whole.offset_min);
        let offset_ms = offset_ms(own);
        exercise.sport = exercise.sport.or_else(|| whole.sport.clone());
        let instant = |instant: Option<Instant>| instant.map(|instant| utc(instant, offset_ms));
        let start = instant(exercise.start.or(whole.start));
        // The old generation writes the stop as if there had been no pause; that of an only exercise is the session's.
        let whole_stop = instant(whole.stop).filter(|_| only);
        let stop = instant(exercise.stop).max(whole_stop);
        exercise.totals.timer_s = exercise.totals.timer_s.or(whole.totals.timer_s.filter(|_| only));
        let mut pauses: Vec<(i64, i64)> = exercise
            .pauses
            .iter()
            .map(|(from, to)| (utc(*from, offset_ms), utc(*to, offset_ms)))
            .filter(|(from, to)| from < to)
            .collect();
        pauses.sort_unstable();
        Leg { start, stop: stop.filter(|stop| start.is_none_or(|start| *stop >= start)), offset_ms, pauses, exercise }
    }

    /// How time runs for something that lasts `length_ms`: where that is nearer to the exercise's duration than to its whole
    /// span, the pauses were cut out of it.
    pub(super) fn runs(&self, length_ms: f64) -> Runs {
        let span = self.stop.zip(self.start).map(|(stop, start)| (stop - start) as f64);
        let duration = self.exercise.totals.timer_s.map(|s| s * 1000.0);
        let cut =
            span.zip(duration).is_some_and(|(span, duration)| (length_ms - duration).abs() < (length_ms - span).abs());
        let mut stops: Vec<(i64, i64)> = Vec::new();
        for &(from, to) in self.pauses.iter().filter(|_| cut) {
            match stops.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => stops.push((from, to)),
            }
        }
        Runs { start: self.start, stops }
    }

    pub(super) fn end(&self) -> Option<i64> {
        let timer = self.exercise.totals.timer_s.unwrap_or(0.0);
        self.stop.or_else(|| self.start.map(|start| start.saturating_add((timer * 1000.0) as i64)))
    }
}

/// The laps of an exercise, `auto` where the watch set them off by itself.
pub(super) fn laps(leg: &Leg, marks: &[Mark], auto: bool) -> Vec<Lap> {
    let mut sum = 0.0;
    let spans: Vec<(f64, f64)> = marks
        .iter()
        .map(|mark| {
            let split = mark.split_ms.unwrap_or(sum + mark.duration_ms.unwrap_or(0.0)).max(0.0);
            let span = (mark.duration_ms.map_or(sum, |duration| (split - duration).max(0.0)), split);
            sum = split;
            span
        })
        .collect();
    if leg.start.is_none() {
        return Vec::new();
    }
    let runs = leg.runs(sum);
    // Where all laps but the last are equally long, that is what set them off.
    let equal = |of: fn(&Mark) -> Option<f64>, tolerance: f64| {
        let first = marks.first().and_then(of);
        let all = marks.iter().take(marks.len().max(2) - 1).map(of);
        first.is_some_and(|first| all.into_iter().all(|v| v.is_some_and(|v| (v - first).abs() <= first * tolerance)))
    };
    let trigger = match auto {
        false => Some(LapTrigger::Manual),
        true if equal(|mark| mark.totals.distance_m, 0.02) => Some(LapTrigger::Distance),
        true if equal(|mark| mark.duration_ms, 0.002) => Some(LapTrigger::Time),
        true => None,
    };
    let mut hand = [Hand::default(), Hand::default()];
    spans
        .into_iter()
        .zip(marks)
        .map(|((from, to), mark)| {
            let [begin, finish] = &mut hand;
            let (start, end) = (runs.at(begin, from), runs.at(finish, to));
            let totals = Totals {
                elapsed_s: Some((end - start) as f64 / 1000.0),
                timer_s: mark.duration_ms.map(|ms| ms / 1000.0),
                ..mark.totals.clone()
            };
            Lap { start, end, trigger, totals, start_position: mark.latitude.zip(mark.longitude), ..Lap::default() }
        })
        .collect()
}

/// The lengths of a swim.
pub(super) fn lengths(leg: &Leg) -> Vec<Length> {
    let from = leg.exercise.strokes_from.map(|from| utc(from, leg.offset_ms)).or(leg.start);
    let phases = leg.exercise.strokes.iter();
    phases
        .filter_map(|phase| {
            let (offset, duration) = phase.offset_ms.zip(phase.duration_ms)?;
            let start = from?.saturating_add(offset as i64);
            Some(Length {
                start,
                end: start.saturating_add(duration as i64),
                elapsed_s: Some(duration / 1000.0),
                strokes: phase.strokes.filter(|n| (0.0..65_535.0).contains(n)).map(|n| n as u16),
                stroke: phase.stroke,
                active: phase.stroke.is_some() || phase.strokes.is_some_and(|strokes| strokes > 0.0),
                ..Length::default()
            })
        })
        .collect()
}

/// The old generation's faults (polar.md section 8): routes that carry the offset twice, and series that run on through
/// pauses which the route shows.
pub(super) fn old_faults(leg: &mut Leg, draft: &mut Draft) {
    let (offset_ms, main) = (leg.offset_ms, &mut leg.exercise.main);
    let walls = |part: &Part| -> Vec<i64> {
        let wall = |point: &Point| match point.at {
            At::Wall(ms) => Some(ms),
            _ => None,
        };
        part.route.points.iter().filter_map(wall).collect()
    };
    let mut route = walls(main);
    if route.is_empty() || route.len() != main.route.points.len() {
        return;
    }
    if let (Some(start), Some(stop)) = (leg.start, leg.stop) {
        let span = start + offset_ms - OUTSIDE_MS..=stop + offset_ms + OUTSIDE_MS;
        let inside =
            |shift: i64| [route.first(), route.last()].into_iter().flatten().all(|t| span.contains(&(t - shift)));
        if offset_ms != 0 && !inside(0) && inside(offset_ms) {
            draft.notes.add(ROUTE, Place::NOWHERE, || "the times of the route carry the local offset twice; put right");
            route.iter_mut().for_each(|time| *time -= offset_ms);
            for point in &mut main.route.points {
                if let At::Wall(ms) = &mut point.at {
                    *ms -= offset_ms;
                }
            }
        }
    }
    // A series with a value for each point has them at the times of the points.
    let apart = |series: &&Series| {
        series.times.len() == route.len() && series.times.iter().zip(&route).any(|(a, b)| (a - b).abs() > APART_MS)
    };
    let Some(own) = main.series.iter().find(apart).map(|series| series.times.clone()) else { return };
    if !own.is_sorted() || !route.is_sorted() {
        return;
    }
    draft.notes.add(PAUSES, Place::NOWHERE, || "the times of the series leave out pauses; taken from the route");
    for time in main.series.iter_mut().flat_map(|series| &mut series.times) {
        let at = own.partition_point(|own| own <= time).saturating_sub(1);
        if let (Some(from), Some(to)) = (own.get(at), route.get(at)) {
            *time += to - from;
        }
    }
}
