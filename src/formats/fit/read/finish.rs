//! From everything collected of one activity to a draft: times that are known only now, spans, pauses, totals, clock.

use super::assemble::assemble;
use super::collect::{Collector, NO_TIME};
use super::columns::Columns;
use crate::error::Place;
use crate::model::time::FIT_EPOCH_S;
use crate::model::{Basis, Clock, Draft, Evidence, Recording};
use crate::report::{Code, Notes};

const JOINED: Code = Code::info("fit.partial_records");
const SYSTEM_TIME: Code = Code::warning("fit.system_time");
const LENGTH_TIMES: Code = Code::info("fit.times_from_lengths");
const STRAP: Code = Code::info("fit.strap_heart_rate");
const LOCAL_TIME: Code = Code::info("fit.local_timestamp");
const DENSE_TRACK: Code = Code::info("fit.gps_metadata");
const COLUMNS: Code = Code::damage("fit.columns");
const SUMMARY_START: Code = Code::warning("fit.summary_start");
const TOO_MANY: Code = Code::damage("fit.too_many");
const SUMMARY_FIELD: Code = Code::info("fit.summary_field");
const DEVELOPER_TOTALS: Code = Code::info("fit.developer_totals");

/// FIT times below this count seconds since the device was switched on, not since the epoch.
const FIRST_DATE: i64 = (0x1000_0000 + FIT_EPOCH_S) * 1000;
const SYSTEM_TIMES: std::ops::Range<i64> = FIT_EPOCH_S * 1000..FIRST_DATE;
const QUARTER: i64 = 15 * 60 * 1000;
/// How far the first session may not start after the first record, or before it, ms: devices are seconds late, and some
/// first wait up to two minutes. More than a day is another fault of the clock.
const AHEAD: std::ops::Range<i64> = 60_000..86_400_000;
/// See [`AHEAD`].
const BEHIND: std::ops::Range<i64> = 300_000..86_400_000;
/// A local offset has to lie between UTC-12 and UTC+14.
const OFFSETS: std::ops::RangeInclusive<i64> = -12 * 3_600_000..=14 * 3_600_000;

/// One activity as read from its segments.
pub(super) struct Pending {
    pub columns: Columns,
    pub collector: Collector,
    pub notes: Notes,
    pub complete: bool,
}

impl Pending {
    /// Settles what had to wait for the end of the file.
    pub fn finish(self) -> Draft {
        let Pending { mut columns, mut collector, mut notes, complete } = self;
        let joined = columns.join_halves() as u64;
        notes.add_many(
            JOINED,
            joined,
            Place::NOWHERE,
            || "a record that completes another one of the same time was joined to it",
        );
        notes.add_many(
            DEVELOPER_TOTALS,
            collector.developer_totals,
            Place::NOWHERE,
            || "developer fields that nothing describes, or of messages that have no place for them, were left out",
        );
        notes.add_many(
            SUMMARY_FIELD,
            collector.fields.unreadable,
            Place::NOWHERE,
            || "fields of laps, sessions or the like whose size does not fit their type were left out",
        );
        notes.add_many(
            COLUMNS,
            columns.refused(),
            Place::NOWHERE,
            || "values of more extra channels than so few bytes can mean were left out",
        );
        notes.add_many(
            TOO_MANY,
            collector.too_many + collector.fields.too_many + collector.heart.too_many(),
            Place::NOWHERE,
            || "more laps, devices, events or the like than any device writes; the rest is left out",
        );
        let start = first_instant(&columns, &collector);
        times_from_lengths(&mut columns, &collector, &mut notes);
        columns.time.iter_mut().filter(|time| **time == NO_TIME).for_each(|time| *time = start.unwrap_or(0));
        let mut track = columns.into_track();
        if track.is_empty() {
            track = std::mem::take(&mut collector.gps);
        }
        let unused = collector.gps.len() as u64;
        notes.add_many(
            DENSE_TRACK,
            unused,
            Place::NOWHERE,
            || "the camera's own positions were left out beside the records",
        );
        if !collector.heart.is_empty() {
            let filled = std::mem::take(&mut collector.heart).merge(&mut track) as u64;
            notes.add_many(
                STRAP,
                filled,
                Place::NOWHERE,
                || "heart rate that the strap buffered was merged into the samples",
            );
        }
        let mut recording = assemble(track, &mut collector, start);
        let shifted = shift_system_time(&mut recording, &collector, &mut notes);
        judge_start(&recording, &mut notes);
        let clock = clock(&collector, shifted, &mut notes);
        let complete = complete && !notes.has_damage();
        Draft { recording, clock, notes, complete, ..Draft::default() }
    }
}

/// The first instant that anything states.
fn first_instant(columns: &Columns, collector: &Collector) -> Option<i64> {
    let record = columns.time.iter().copied().find(|time| *time != NO_TIME);
    let summary =
        collector.sessions.iter().map(|s| &s.0).chain(collector.laps.iter().map(|l| &l.0)).find_map(|s| s.start);
    record
        .or(summary)
        .or(collector.file.as_ref().and_then(|file| file.created))
        .or(collector.activity.and_then(|a| a.time))
}

/// Garmin Swim leaves the time out of every record and writes one record before each length: the record belongs to its end.
/// Where the file breaks off, the last record has no length any more and stays without a time.
fn times_from_lengths(columns: &mut Columns, collector: &Collector, notes: &mut Notes) {
    let (rows, lengths) = (columns.time.len(), collector.lengths.len());
    if columns.untimed.len() != rows || lengths == 0 || (rows != lengths && rows != lengths + 1) {
        return;
    }
    let Some(ends) = collector.lengths.iter().map(|(span, _)| span.end()).collect::<Option<Vec<i64>>>() else { return };
    columns.time.truncate(lengths);
    columns.time.copy_from_slice(&ends);
    columns.time.resize(rows, ends.last().copied().unwrap_or(NO_TIME));
    columns.untimed.retain(|row| *row as usize >= lengths);
    notes.add(LENGTH_TIMES, Place::NOWHERE, || "records without a time were given the end of their swim length");
}

/// Moves system times (seconds since power-on) to where they belong, by the best evidence there is. Returns true when
/// that was the wall clock, so that the times are local.
fn shift_system_time(recording: &mut Recording, collector: &Collector, notes: &mut Notes) -> bool {
    let mut times = Vec::new();
    each_time(recording, &mut |time| times.push(*time));
    let Some(first) = times.into_iter().filter(|time| SYSTEM_TIMES.contains(time)).min() else { return false };
    let created = collector.file.as_ref().and_then(|file| file.created).filter(|created| *created >= FIRST_DATE);
    let wall = collector.activity.and_then(|a| Some(a.local.filter(|local| *local >= FIRST_DATE)? - a.time?));
    let (shift, evidence) = match (collector.system_shift, created, wall) {
        (Some(shift), ..) => (shift, "the file's time correlation"),
        (_, Some(created), _) => (created - first, "the time the file was created"),
        (_, _, Some(shift)) => (shift, "the local time of the activity"),
        _ => {
            notes.add(SYSTEM_TIME, Place::NOWHERE, || "times count from power-on and nothing tells when that was");
            return false;
        }
    };
    each_time(recording, &mut |time| {
        if SYSTEM_TIMES.contains(time) {
            *time += shift;
        }
    });
    notes.add(SYSTEM_TIME, Place::NOWHERE, || {
        format!("times count from power-on; moved by {} s to {evidence}", shift / 1000)
    });
    collector.system_shift.is_none() && created.is_none()
}

fn each_time(recording: &mut Recording, f: &mut dyn FnMut(&mut i64)) {
    recording.track.times_mut().iter_mut().for_each(&mut *f);
    recording.laps.iter_mut().for_each(|lap| [&mut lap.start, &mut lap.end].into_iter().for_each(&mut *f));
    recording.sessions.iter_mut().for_each(|leg| [&mut leg.start, &mut leg.end].into_iter().for_each(&mut *f));
    recording.lengths.iter_mut().for_each(|length| [&mut length.start, &mut length.end].into_iter().for_each(&mut *f));
    recording.pauses.iter_mut().for_each(|pause| [&mut pause.start, &mut pause.end].into_iter().for_each(&mut *f));
    recording.splits.iter_mut().for_each(|split| [&mut split.start, &mut split.end].into_iter().for_each(&mut *f));
    recording.events.iter_mut().for_each(|event| f(&mut event.time));
    recording.rr.iter_mut().for_each(|rr| f(&mut rr.time));
    recording.sets.iter_mut().filter_map(|set| set.start.as_mut()).for_each(&mut *f);
    recording.stated_start.iter_mut().chain(&mut recording.created).for_each(&mut *f);
}

/// Notes a first session (or lap, without sessions) that began by another clock than the records: Edge 500 and 800 set
/// theirs by GPS after the start. Which of the two is right nobody can say, so no time is moved. A session that begins long
/// before the first record and lasts until the last one waited for it.
fn judge_start(recording: &Recording, notes: &mut Notes) {
    let sessions = recording.sessions.iter().map(|session| (session.start, session.end));
    let laps = recording.laps.iter().map(|lap| (lap.start, lap.end));
    let mut spans = sessions.chain(laps.filter(|_| recording.sessions.is_empty()));
    let times = || recording.track.times().iter().copied();
    let (Some((start, end)), Some(first), Some(last)) = (spans.next(), times().min(), times().max()) else { return };
    let until = spans.next().map_or(last, |next| next.0);
    let ahead = AHEAD.contains(&(start - first));
    let behind = BEHIND.contains(&(first - start)) && end + AHEAD.start < until;
    notes.add_many(SUMMARY_START, u64::from(ahead || behind), Place::NOWHERE, || {
        let (seconds, side) = ((start - first).abs() / 1000, if ahead { "after" } else { "before" });
        format!("the first session starts {seconds} s {side} the first record, by another clock; nothing was moved")
    });
}

/// The local offset that the file states: local minus UTC time of one message, whole quarters of an hour.
fn clock(collector: &Collector, local: bool, notes: &mut Notes) -> Clock {
    if local {
        return Clock { basis: Basis::Local, ..Clock::default() };
    }
    let activity = collector.activity.and_then(|a| Some(a.local? - a.time?));
    for offset in [activity, collector.local_shift, collector.settings_offset].into_iter().flatten() {
        let rounded = (offset + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        if OFFSETS.contains(&rounded) {
            return Clock {
                offset_s: Some((rounded / 1000) as i32),
                evidence: Evidence::Stated,
                residual_s: ((offset - rounded) / 1000) as i32,
                ..Clock::default()
            };
        }
        notes.add(LOCAL_TIME, Place::NOWHERE, || {
            format!("the stated local time is {} s off UTC, which no zone is", offset / 1000)
        });
    }
    Clock::default()
}
