//! A training session → a draft: its times, totals, legs, laps and zones.

use super::raw::{Exercise, Mark, Part, Raw, Series, Word};
use super::sports;
use super::timeline::{Context, Hand, Runs, fill};
use crate::error::Place;
use crate::formats::xml;
use crate::model::time::{Instant, Stamp};
use crate::model::{
    Basis, Clock, Device, Draft, Evidence, Lap, LapTrigger, Length, Pause, Recording, Session, Split, Sport, Totals,
};
use crate::report::Code;

const NO_TIME: Code = Code::warning("flow.time");
const NO_SERIES: Code = Code::info("flow.no_series");
const SPORT: Code = Code::warning("flow.sport");
const ROUTE: Code = Code::warning("flow.route_offset");
const PAUSES: Code = Code::warning("flow.series_time");
const LEFT_OUT: Code = Code::damage("flow.exercises");

/// A route outside of its exercise by more than this was shifted, ms.
const OUTSIDE_MS: i64 = 60_000;
/// Series and route of equal length that differ by more than this were not both cut at the pauses, ms.
const APART_MS: i64 = 5_000;
/// Yards to metres.
const YARD_M: f64 = 0.9144;

/// The instant that a date-time means, where it says nothing of its zone by `offset_ms` (local less UTC).
pub(super) fn utc(instant: Instant, offset_ms: i64) -> i64 {
    if instant.stamp == Stamp::Naive { instant.ms - offset_ms } else { instant.ms }
}

/// Makes the draft of a session. `creator` is what its platform is called.
pub(super) fn draft(mut raw: Raw, creator: &str, limit: usize) -> Draft {
    let mut draft = Draft::new();
    let stated = raw.whole.offset_min.or_else(|| raw.exercises.iter().find_map(|exercise| exercise.offset_min));
    draft.clock = clock(&raw, stated);
    if raw.left_out > 0 {
        draft.complete = false;
        draft.notes.add_many(LEFT_OUT, raw.left_out as u64, Place::NOWHERE, || "too many exercises in one session");
    }
    let offset_ms =
        |own: Option<f64>| own.or(stated).filter(|min| min.abs() <= 1440.0).map_or(0, |m| (m * 60_000.0) as i64);
    let whole_offset = offset_ms(raw.whole.offset_min);
    let start = raw.whole.start.map(|start| utc(start, whole_offset));
    let stop = raw.whole.stop.map(|stop| utc(stop, whole_offset));

    let only = raw.exercises.len() == 1;
    let mut legs: Vec<Leg> = std::mem::take(&mut raw.exercises)
        .into_iter()
        .map(|exercise| Leg::of(exercise, &raw.whole, only, &offset_ms))
        .collect();
    legs.sort_by_key(|leg| leg.start);
    let first = legs.first().and_then(|leg| leg.start);
    describe(&mut draft, &raw, creator);
    totals(&mut draft.recording, &raw.whole.totals, start.zip(stop), &legs);
    draft.recording.stated_start = start.or(first);
    // What is said in UTC can stand beside local times only when it is known how far they are apart.
    draft.recording.created = raw.modified.filter(|_| draft.clock.basis != Basis::Local);
    if draft.recording.stated_start.is_none() {
        draft.notes.add(NO_TIME, Place::NOWHERE, || "a training session without a time of start");
    }
    if let (true, Some(start), Some((lat, lon))) = (legs.is_empty(), start, raw.whole.latitude.zip(raw.whole.longitude))
    {
        let session = Session {
            start,
            end: stop.filter(|stop| *stop >= start).unwrap_or(start),
            sport: draft.recording.sport,
            sub_sport: draft.recording.sub_sport,
            start_position: Some((lat, lon)),
            totals: draft.recording.stated.clone(),
            ..Session::default()
        };
        draft.recording.sessions.push(session);
    }
    let mut before = None;
    for leg in legs {
        before = add(leg, before, !only, limit, &mut draft);
    }
    draft.recording.pauses.sort_by_key(|pause| pause.start);
    if draft.recording.track.is_empty() {
        draft.notes.add(NO_SERIES, Place::NOWHERE, || "only totals, no series");
    }
    xml::judge_cadence(&mut draft);
    draft
}

fn clock(raw: &Raw, offset_min: Option<f64>) -> Clock {
    let start = raw.whole.start.or_else(|| raw.exercises.iter().find_map(|exercise| exercise.start));
    let (basis, offset_s) = match (start.map(|start| start.stamp), offset_min) {
        (Some(Stamp::Offset(seconds)), _) => (Basis::Offset, Some(seconds)),
        (_, Some(minutes)) if minutes.abs() <= 1440.0 => (Basis::Offset, Some((minutes * 60.0) as i32)),
        (Some(Stamp::Zulu), _) => (Basis::Utc, None),
        _ => (Basis::Local, None),
    };
    let evidence = if offset_s.is_some() { Evidence::Stated } else { Evidence::None };
    Clock { basis, offset_s, evidence, ..Clock::default() }
}

fn describe(draft: &mut Draft, raw: &Raw, creator: &str) {
    let recording = &mut draft.recording;
    recording.name = raw.name.clone();
    recording.description = raw.note.clone();
    recording.creator = Some(creator.to_owned());
    recording.platform_ids.extend(raw.id.iter().map(|(platform, id)| ((*platform).to_owned(), id.clone())));
    recording.devices = vec![Device {
        manufacturer: Some("polar".to_owned()),
        product: raw.device.clone(),
        serial: raw.serial.clone(),
        ..Device::default()
    }];
    recording.athlete = raw.athlete.clone();
    recording.zones = raw.zones.clone();
    let word = raw.whole.sport.as_ref();
    if let Some(word) = word {
        let found = sport(draft, word);
        (draft.recording.sport, draft.recording.sub_sport, draft.recording.sport_label) =
            (found.sport, found.sub_sport, found.label);
    }
}

fn sport(draft: &mut Draft, word: &Word) -> sports::Found {
    let found = sports::find(word);
    if found.unknown {
        draft.notes.add(SPORT, Place::NOWHERE, || {
            format!("the sport \"{}\" is not known; its name is kept", found.label.as_deref().unwrap_or_default())
        });
    }
    found
}

/// The session's own totals; what it leaves out comes from its only exercise.
fn totals(recording: &mut Recording, whole: &Totals, span: Option<(i64, i64)>, legs: &[Leg]) {
    recording.stated = whole.clone();
    if let [only] = legs {
        complete(&mut recording.stated, &only.exercise.totals);
    }
    recording.stated.elapsed_s =
        span.filter(|(start, stop)| stop >= start).map(|(start, stop)| (stop - start) as f64 / 1000.0);
}

/// Takes over what is missing.
fn complete(to: &mut Totals, from: &Totals) {
    macro_rules! take {
        ($($field:ident)+) => { $(to.$field = to.$field.or(from.$field);)+ };
    }
    take!(timer_s distance_m calories_kcal ascent_m descent_m avg_speed max_speed avg_heart_rate max_heart_rate
        min_heart_rate avg_cadence max_cadence avg_power max_power normalized_power avg_temperature max_temperature
        avg_altitude max_altitude min_altitude cycles training_stress_score intensity_factor);
}

/// An exercise with its times in UTC, as far as an offset is known.
struct Leg {
    start: Option<i64>,
    stop: Option<i64>,
    offset_ms: i64,
    pauses: Vec<(i64, i64)>,
    exercise: Exercise,
}

impl Leg {
    /// What an exercise leaves out is that of the session.
    fn of(mut exercise: Exercise, whole: &Exercise, only: bool, offset_ms: &dyn Fn(Option<f64>) -> i64) -> Leg {
        let own = exercise.offset_min.or(whole.offset_min);
        let offset_ms = offset_ms(own);
        exercise.sport = exercise.sport.or_else(|| whole.sport.clone());
        let instant = |instant: Option<Instant>| instant.map(|instant| utc(instant, offset_ms));
        let start = instant(exercise.start.or(whole.start));
        // The old generation writes the stop as if there had been no pause; that of an only exercise is the session's.
        let whole_stop = instant(whole.stop).filter(|_| only || exercise.stop.is_none());
        let stop = instant(exercise.stop).max(whole_stop);
        exercise.totals.timer_s = exercise.totals.timer_s.or(whole.totals.timer_s);
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
    fn runs(&self, length_ms: f64) -> Runs {
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

    fn end(&self) -> Option<i64> {
        let timer = self.exercise.totals.timer_s.unwrap_or(0.0);
        self.stop.or_else(|| self.start.map(|start| start.saturating_add((timer * 1000.0) as i64)))
    }
}

/// Adds an exercise to the draft. Returns its end.
fn add(mut leg: Leg, before: Option<i64>, several: bool, limit: usize, draft: &mut Draft) -> Option<i64> {
    old_faults(&mut leg, draft);
    let end = leg.end();
    let transition = std::mem::take(&mut leg.exercise.transition);
    if !transition.is_empty() {
        change(&leg, transition, before, limit, draft);
    }
    let main = std::mem::take(&mut leg.exercise.main);
    let runs = leg.runs(length_ms(&main));
    let totals = &leg.exercise.totals;
    fill(main, &runs, &Context { avg_power: totals.avg_power, offset_ms: leg.offset_ms }, limit, draft);

    draft.recording.pauses.extend(leg.pauses.iter().map(|&(start, end)| Pause { start, end, auto: false }));
    let first_lap = draft.recording.laps.len();
    let manual = !leg.exercise.laps.is_empty();
    let (marks, beside) = match manual {
        true => (&leg.exercise.laps, &leg.exercise.auto_laps[..]),
        false => (&leg.exercise.auto_laps, &[][..]),
    };
    let laps = laps(&leg, marks, !manual);
    draft.recording.splits.extend(self::laps(&leg, beside, true).into_iter().map(|lap| Split {
        kind: None,
        start: lap.start,
        end: lap.end,
        totals: lap.totals,
    }));
    let count = laps.len();
    draft.recording.laps.extend(laps);
    draft.recording.lengths.extend(lengths(&leg));
    zones(&mut draft.recording, &leg.exercise);
    if let (Some(start), Some(end)) = (leg.start, end) {
        let found = leg.exercise.sport.clone().map(|word| sport(draft, &word)).unwrap_or_default();
        if !several && draft.recording.sport == Sport::GENERIC && draft.recording.sport_label.is_none() {
            (draft.recording.sport, draft.recording.sub_sport) = (found.sport, found.sub_sport);
            draft.recording.sport_label = found.label.clone();
        }
        let metres = if leg.exercise.pool_in_yards { YARD_M } else { 1.0 };
        let own = &leg.exercise.totals;
        let totals = if several { own.clone() } else { draft.recording.stated.clone() };
        let small = |count: usize| u16::try_from(count).ok();
        draft.recording.sessions.push(Session {
            start,
            end,
            sport: found.sport,
            sub_sport: found.sub_sport,
            name: found.label,
            totals: Totals { elapsed_s: Some((end - start) as f64 / 1000.0), ..totals },
            start_position: leg.exercise.latitude.zip(leg.exercise.longitude),
            first_lap: small(first_lap).filter(|_| count > 0),
            laps: small(count).filter(|_| count > 0),
            pool_length_m: leg.exercise.pool_length.map(|length| length * metres),
            pool_in_yards: leg.exercise.pool_in_yards,
            ..Session::default()
        });
    }
    end
}

/// The change from one exercise to the next: it lies in front of its exercise, unless its route says when.
fn change(leg: &Leg, part: Part, before: Option<i64>, limit: usize, draft: &mut Draft) {
    let length = length_ms(&part) as i64;
    let start = match (part.route.start, before, leg.start) {
        (Some(start), _, _) => Some(utc(start, leg.offset_ms)),
        (None, Some(before), Some(start)) if before < start => Some(before.max(start - length.max(1))),
        (None, _, start) => start.map(|start| start - length),
    };
    let runs = Runs { start, stops: Vec::new() };
    let rows = draft.recording.track.len();
    fill(part, &runs, &Context { avg_power: None, offset_ms: leg.offset_ms }, limit, draft);
    let times = draft.recording.track.times().get(rows..).unwrap_or_default();
    let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
    if let (Some(first), Some(last)) = (first, last) {
        let (start, end) = (before.unwrap_or(first).min(first), leg.start.unwrap_or(last).max(last));
        let totals = Totals { elapsed_s: Some((end - start) as f64 / 1000.0), ..Totals::default() };
        draft.recording.sessions.push(Session { start, end, sport: Sport::TRANSITION, totals, ..Session::default() });
    }
}

/// How long the longest series of a stretch lasts.
fn length_ms(part: &Part) -> f64 {
    let grids = part.series.iter().filter(|series| series.times.is_empty());
    grids.map(|series| series.values.len() as f64 * series.interval_ms.unwrap_or(1000.0)).fold(0.0, f64::max)
}

fn laps(leg: &Leg, marks: &[Mark], auto: bool) -> Vec<Lap> {
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

fn lengths(leg: &Leg) -> Vec<Length> {
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

/// Zones of heart rate and power: those of several exercises with the same limits add up.
fn zones(recording: &mut Recording, exercise: &Exercise) {
    for set in exercise.zones.iter().filter(|set| !set.zones.is_empty()) {
        let zones = &mut recording.zones;
        let (bounds, seconds) = match set.kind.as_str() {
            "heart_rate" => (&mut zones.heart_rate_bounds, &mut zones.heart_rate_seconds),
            "power" => (&mut zones.power_bounds, &mut zones.power_seconds),
            _ => continue,
        };
        let own: Vec<f32> = set.zones.iter().map(|(upper, _)| *upper as f32).collect();
        let inside: Option<Vec<f32>> = set.zones.iter().map(|(_, ms)| ms.map(|ms| (ms / 1000.0) as f32)).collect();
        if bounds.is_empty() {
            *bounds = own;
            *seconds = inside.unwrap_or_default();
        } else if *bounds == own
            && let Some(inside) = inside
        {
            seconds.iter_mut().zip(inside).for_each(|(sum, more)| *sum += more);
        }
    }
}

/// The old generation's faults (polar.md section 8): routes that carry the offset twice, and series that run on through
/// pauses which the route shows.
fn old_faults(leg: &mut Leg, draft: &mut Draft) {
    let (offset_ms, main) = (leg.offset_ms, &mut leg.exercise.main);
    let walls = |part: &Part| -> Vec<i64> {
        let wall = |point: &super::raw::Point| match point.at {
            super::raw::At::Wall(ms) => Some(ms),
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
                if let super::raw::At::Wall(ms) = &mut point.at {
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
