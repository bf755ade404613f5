//! Makes a draft of what a TCX activity says.

use super::lap::FAR_MS;
use super::read::{Activity, DATE};
use crate::error::Place;
use crate::formats::xml;
use crate::model::{Channel, Draft, Lap, Sport, Totals, parse_sport};
use crate::report::Code;

const PAUSE_MARKS: Code = Code::info("tcx.pause_marks");
const DISTANCE_RESET: Code = Code::info("tcx.distance_reset");
const NO_SIGNAL: Code = Code::info("tcx.heart_rate_one");
const ZERO_ALTITUDE: Code = Code::info("tcx.zero_altitude");

/// The draft of an activity; `None` when it holds neither samples nor laps.
pub(super) fn draft(mut activity: Activity, author: Option<&str>) -> Option<Draft> {
    let ours = activity.own.found();
    if !ours && activity.laps.is_empty() && activity.builder.track.is_empty() {
        return None;
    }
    let mut draft = Draft::new();
    draft.complete = !activity.damaged;
    draft.notes = activity.notes;
    draft.clock = activity.builder.clock(&mut draft.notes);
    let (marks, resets) = (activity.time_only, activity.resets);
    draft.notes.add_many(PAUSE_MARKS, marks, Place::NOWHERE, || {
        format!("{marks} track points hold nothing but a time; they mark pauses and are no samples")
    });
    draft.notes.add_many(DISTANCE_RESET, resets, Place::NOWHERE, || {
        format!("the distance begins anew {resets} times; it was made to run on")
    });
    let recording = &mut draft.recording;
    recording.track = activity.builder.track;
    recording.pauses = activity.builder.pauses;
    activity.own.finish(&mut draft);
    if ours {
        return Some(draft);
    }
    let first = draft.recording.track.times().first().copied().or(activity.laps.first().map(|lap| lap.start));
    let far = |start: &i64| first.is_some_and(|first| (first - start).abs() > FAR_MS);
    if activity.starts.iter().any(far) {
        activity.starts.retain(|start| !far(start));
        draft.notes.add(
            DATE,
            Place::NOWHERE,
            || "a stated start is more than a day from the samples; they are believed",
        );
    }
    let recording = &mut draft.recording;
    recording.sport = activity.sport;
    recording.sub_sport = activity.sub_sport;
    recording.sport_label = activity.sport_label;
    recording.stated_start = activity.starts.iter().min().copied();
    recording.creator = author.map(str::to_owned);
    recording.devices.extend(activity.device);
    recording.stated = activity.totals;
    sum(&mut recording.stated, &activity.laps);
    recording.laps = activity.laps;
    recording.sessions = activity.sessions;
    let mut words = (!activity.words.is_empty()).then(|| activity.words.join("\n"));
    if author == Some("tapiriik") {
        // Its habit: the title is the first line of the notes.
        let text = words.take().unwrap_or_default();
        let (title, rest) = text.split_once('\n').unwrap_or((&text, ""));
        recording.name = xml::clean(title);
        words = xml::clean(rest);
    }
    recording.description = words;
    clear_no_signal(&mut draft);
    xml::judge_cadence(&mut draft);
    xml::judge_speed(&mut draft);
    xml::mark_virtual(&mut draft);
    let product = draft.recording.device().and_then(|device| device.product.as_deref()).unwrap_or_default();
    if product.starts_with("Polar") {
        sport_of_plan(&mut draft);
    }
    let product = draft.recording.device().and_then(|device| device.product.as_deref()).unwrap_or_default();
    if product.contains("Suunto") || author.is_some_and(|author| author.contains("Movescount")) {
        clear_zero_altitudes(&mut draft);
    }
    Some(draft)
}

/// Adds up what laps state; totals that are there already stay.
pub(super) fn sum(totals: &mut Totals, laps: &[Lap]) {
    let add = |slot: &mut Option<f64>, pick: fn(&Totals) -> Option<f64>| {
        if slot.is_none() {
            let values = laps.iter().filter_map(|lap| pick(&lap.totals));
            *slot = values.reduce(|a, b| a + b);
        }
    };
    add(&mut totals.timer_s, |lap| lap.timer_s);
    add(&mut totals.distance_m, |lap| lap.distance_m);
    add(&mut totals.calories_kcal, |lap| lap.calories_kcal);
    add(&mut totals.steps, |lap| lap.steps);
    let most = |slot: &mut Option<f64>, pick: fn(&Totals) -> Option<f64>| {
        if slot.is_none() {
            *slot = laps.iter().filter_map(|lap| pick(&lap.totals)).reduce(f64::max);
        }
    };
    most(&mut totals.max_speed, |lap| lap.max_speed);
    most(&mut totals.max_heart_rate, |lap| lap.max_heart_rate);
    most(&mut totals.max_power, |lap| lap.max_power);
}

/// The schema allows no heart rate below 1: GoldenCheetah writes 1 where there was none (tcx.md section 3).
fn clear_no_signal(draft: &mut Draft) {
    let Some(column) = draft.recording.track.column_mut(Channel::HeartRate) else { return };
    let mut ones = 0;
    for value in column.raw_mut().iter_mut().filter(|value| **value == 1.0) {
        *value = f32::NAN;
        ones += 1;
    }
    draft
        .notes
        .add_many(NO_SIGNAL, ones, Place::NOWHERE, || format!("{ones} heart rates of 1 mean that there was no signal"));
}

/// Suunto writes 0 m for "unknown" among real heights (tcx.md section 4).
fn clear_zero_altitudes(draft: &mut Draft) {
    let Some(column) = draft.recording.track.column_mut(Channel::Altitude) else { return };
    if !column.raw().iter().any(|value| *value != 0.0 && !value.is_nan()) {
        return;
    }
    let mut zeros = 0;
    for value in column.raw_mut().iter_mut().filter(|value| **value == 0.0) {
        *value = f32::NAN;
        zeros += 1;
    }
    draft.notes.add_many(ZERO_ALTITUDE, zeros, Place::NOWHERE, || {
        format!("{zeros} altitudes of 0 m among others mean that Suunto knew none")
    });
}

/// Polar Flow knows only three sports here, and writes the name of the sport, in its owner's language, as that of the plan.
fn sport_of_plan(draft: &mut Draft) {
    let recording = &mut draft.recording;
    let [session] = &mut recording.sessions[..] else { return };
    if session.sport != Sport::GENERIC || recording.sport != Sport::GENERIC {
        return;
    }
    let Some(name) = &session.name else { return };
    match parse_sport(name) {
        Some((sport, sub_sport)) => {
            (session.sport, session.sub_sport) = (sport, sub_sport);
            (recording.sport, recording.sub_sport) = (sport, sub_sport);
        }
        None => recording.sport_label = Some(name.clone()),
    }
}
