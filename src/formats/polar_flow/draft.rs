//! A training session → a draft: its times, totals, legs, laps and zones.

use super::leg::{Leg, laps, lengths, old_faults, utc};
use super::raw::{Exercise, Part, Raw, Word};
use super::sports;
use super::timeline::{Context, Runs, fill};
use crate::error::Place;
use crate::formats::xml;
use crate::model::time::Stamp;
use crate::model::{Basis, Clock, Device, Draft, Evidence, Pause, Recording, Session, Split, Sport, Totals};
use crate::report::Code;

const NO_TIME: Code = Code::warning("flow.time");
const NO_SERIES: Code = Code::info("flow.no_series");
const SPORT: Code = Code::warning("flow.sport");
const LEFT_OUT: Code = Code::damage("flow.exercises");

/// A change between two exercises is no longer than a day, ms.
const LONGEST_CHANGE_MS: f64 = 86_400_000.0;
/// Yards to metres.
const YARD_M: f64 = 0.9144;

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
    sport_of_legs(&mut draft.recording);
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

/// The old generation states the sport of exercises only.
fn sport_of_legs(recording: &mut Recording) {
    if recording.sport != Sport::GENERIC || recording.sport_label.is_some() {
        return;
    }
    let mut legs = recording.sessions.iter().filter(|session| session.sport != Sport::TRANSITION);
    let Some(first) = legs.next() else { return };
    if legs.all(|leg| (leg.sport, leg.sub_sport, &leg.name) == (first.sport, first.sub_sport, &first.name)) {
        (recording.sport, recording.sub_sport) = (first.sport, first.sub_sport);
        recording.sport_label.clone_from(&first.name);
    } else {
        recording.sport = Sport::MULTISPORT;
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
    let own_laps = laps(&leg, marks, !manual);
    draft.recording.splits.extend(laps(&leg, beside, true).into_iter().map(|lap| Split {
        kind: None,
        start: lap.start,
        end: lap.end,
        totals: lap.totals,
        fields: Vec::new(),
    }));
    let count = own_laps.len();
    draft.recording.laps.extend(own_laps);
    draft.recording.lengths.extend(lengths(&leg));
    zones(&mut draft.recording, &leg.exercise);
    if let (Some(start), Some(end)) = (leg.start, end) {
        let found = leg.exercise.sport.clone().map(|word| sport(draft, &word)).unwrap_or_default();
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
    let length = length_ms(&part).min(LONGEST_CHANGE_MS) as i64;
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
