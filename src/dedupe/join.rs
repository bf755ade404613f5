//! Consecutive parts of one workout (the watch died, a second file goes on) become one recording.

use super::merge::{Merged, companions, is_one, kept_notes};
use super::totals;
use crate::error::Place;
use crate::model::{Activity, Channel, Draft, Origin, Pause, Recording, Session, Totals, Track};
use crate::report::Code;

const PARTS: Code = Code::info("join.parts");
const OVERLAP: Code = Code::warning("join.overlap");

/// A shorter gap between two parts is no pause, ms.
const LEAST_PAUSE_MS: i64 = 2000;
/// Channels that count up from the start of a recording, as distance does.
const COUNTERS: [Channel; 2] = [Channel::AccumulatedPower, Channel::Calories];

/// Joins parts in order of their start, whatever the order in which they are given. The gap between two parts becomes a
/// pause, counters go on, stated totals are summed. Samples of a later part that lie before the end of an earlier one are
/// left out with a note. `None` without any part that has a clock time.
pub fn join(parts: &[&Activity]) -> Option<Merged> {
    let mut given: Vec<((i64, i64), &Activity)> = parts.iter().filter_map(|part| Some((part.span()?, *part))).collect();
    given.sort_by_key(|(span, part)| (*span, part.origin.id()));
    given.dedup_by_key(|(_, part)| part.origin.id());
    let (&(first_span, first), later) = given.split_first()?;
    let mut to = first.clone().into_recording();
    let mut notes = kept_notes(first);
    let mut end = first_span.1;
    if !later.is_empty() {
        to.sessions = sessions(&given);
    }
    for (span, part) in later {
        if span.0 - end >= LEAST_PAUSE_MS {
            to.pauses.push(Pause { start: end, end: span.0, auto: false });
        }
        let overlap = append_track(&mut to.track, &part.track);
        notes.add_many(OVERLAP, overlap, Place::NOWHERE, || {
            format!("{overlap} samples of {} lie before the end of the part before it", part.origin.source)
        });
        append_parts(&mut to, part);
        end = end.max(span.1);
    }
    if !later.is_empty() {
        let stated: Vec<&Totals> = given.iter().map(|(_, part)| &part.stated).collect();
        to.stated = Totals { elapsed_s: Some((end - first_span.0) as f64 / 1000.0), ..totals::joined(&stated) };
        let names: Vec<&str> = given.iter().map(|(_, part)| part.origin.source.as_str()).collect();
        notes.add(PARTS, Place::NOWHERE, || format!("joined from {}", names.join(", ")));
    }
    let activities: Vec<&Activity> = given.iter().map(|(_, part)| *part).collect();
    Some(Merged {
        draft: Draft {
            recording: to,
            notes,
            complete: activities.iter().all(|part| part.complete),
            ..Draft::default()
        },
        offset_s: first.offset_s,
        evidence: first.evidence,
        shift_ms: first.shift_ms,
        floating: first.floating,
        origin: Origin { companions: companions(&activities), ..first.origin.clone() },
        apart: Vec::new(),
    })
}

/// Appends the samples that come after the last one; returns how many did not.
fn append_track(to: &mut Track, from: &Track) -> u64 {
    let last = to.times().last().copied().unwrap_or(i64::MIN);
    let start = from.times().partition_point(|&time| time <= last);
    let gone_before = |values: Option<f64>, next: Option<f64>| match (values, next) {
        // A counter that starts anew goes on from where the part before it ended.
        (Some(before), Some(next)) if next < before => before,
        _ => 0.0,
    };
    let distance_before = gone_before(
        (0..to.len()).rev().find_map(|row| to.distance(row)),
        (start..from.len()).find_map(|row| from.distance(row)),
    );
    let counted_before = COUNTERS.map(|channel| {
        let before = to.column(channel).and_then(|column| column.present().last()).map(|(_, v)| f64::from(v));
        let next = (start..from.len()).find_map(|row| from.get(row, channel)).map(f64::from);
        gone_before(before, next) as f32
    });
    let slots: Vec<usize> = from
        .extra()
        .iter()
        .map(|column| {
            let known =
                to.extra().iter().position(|have| have.key.name == column.key.name && have.key.unit == column.key.unit);
            known.unwrap_or_else(|| to.extra_slot(column.key.clone()))
        })
        .collect();
    for row in start..from.len() {
        let time = from.times()[row];
        if from.is_timed(row) {
            to.push(time);
        } else {
            to.push_untimed(time);
        }
        if let Some((lat, lon)) = from.position(row) {
            to.set_position(lat, lon);
        }
        if let Some(metres) = from.distance(row) {
            to.set_distance(metres + distance_before);
        }
        for (channel, column) in from.channels() {
            if let Some(value) = column.get(row) {
                let counter = COUNTERS.iter().position(|counter| *counter == channel);
                to.set(channel, value + counter.map_or(0.0, |at| counted_before[at]));
            }
        }
        for (column, &slot) in from.extra().iter().zip(&slots) {
            if let Some(value) = column.get(row) {
                to.set_extra(slot, value);
            }
        }
    }
    start as u64
}

/// One session when all parts are of one sport, else the legs one after the other.
fn sessions(given: &[((i64, i64), &Activity)]) -> Vec<Session> {
    let one = given.iter().all(|(_, part)| part.sessions.len() == 1 && part.sport == given[0].1.sport);
    if one {
        let all: Vec<&Session> = given.iter().filter_map(|(_, part)| part.sessions.first()).collect();
        let (start, end) = all.iter().fold((i64::MAX, i64::MIN), |(a, b), s| (a.min(s.start), b.max(s.end)));
        let totals: Vec<&Totals> = all.iter().map(|session| &session.totals).collect();
        let count = |field: fn(&Session) -> Option<u16>| -> Option<u16> {
            all.iter().map(|session| field(session)).sum::<Option<u16>>()
        };
        let joined = Totals { elapsed_s: Some((end - start) as f64 / 1000.0), ..totals::joined(&totals) };
        return vec![Session {
            start,
            end,
            totals: joined,
            laps: count(|s| s.laps),
            lengths: count(|s| s.lengths),
            active_lengths: count(|s| s.active_lengths),
            // What they measure of the first part is not true of the whole.
            fields: Vec::new(),
            ..all[0].clone()
        }];
    }
    let mut sessions = Vec::new();
    let mut laps = 0u16;
    for (_, part) in given {
        sessions.extend(part.sessions.iter().cloned().map(|mut session| {
            session.first_lap = session.first_lap.map(|lap| lap.saturating_add(laps));
            session.fields.retain(|field| laps == 0 || !field.points_at_laps());
            session
        }));
        laps = laps.saturating_add(part.laps.len() as u16);
    }
    sessions
}

/// Everything but samples, sessions and totals.
fn append_parts(to: &mut Recording, part: &Activity) {
    let lengths = to.lengths.len() as u16;
    to.laps.extend(part.laps.iter().cloned().map(|mut lap| {
        lap.first_length = lap.first_length.map(|length| length.saturating_add(lengths));
        lap
    }));
    to.lengths.extend_from_slice(&part.lengths);
    to.sets.extend_from_slice(&part.sets);
    to.pauses.extend_from_slice(&part.pauses);
    to.rr.extend_from_slice(&part.rr);
    to.events.extend_from_slice(&part.events);
    to.splits.extend(part.splits.iter().cloned().map(|mut split| {
        split.fields.retain(|field| !field.points_at_laps());
        split
    }));
    to.waypoints.extend_from_slice(&part.waypoints);
    for device in &part.devices {
        if !to.devices.iter().any(|have| is_one(have, device)) {
            to.devices.push(device.clone());
        }
    }
    for id in &part.platform_ids {
        if !to.platform_ids.contains(id) {
            to.platform_ids.push(id.clone());
        }
    }
    let or = |to: &mut Option<String>, from: &Option<String>| {
        if to.is_none() {
            to.clone_from(from);
        }
    };
    or(&mut to.name, &part.name);
    or(&mut to.description, &part.description);
    or(&mut to.gear, &part.gear);
    totals::fill_zones(&mut to.zones, &part.zones);
    totals::fill_athlete(&mut to.athlete, &part.athlete);
}
