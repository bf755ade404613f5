//! What stands between the records: timer starts and stops, other events, R-R intervals, each before the row that it
//! precedes in time.

use super::super::base::Base;
use super::super::profile::message;
use super::Writing;
use super::frame::Frame;
use super::records::Records;
use crate::model::{Activity, Event, RrInterval};

/// FIT `event` of the timer.
pub const TIMER: u8 = 0;
const START: u8 = 0;
const STOP: u8 = 1;
const STOP_ALL: u8 = 4;
/// FIT `timer_trigger`: by hand, by the device.
const MANUAL: u32 = 0;
const AUTO: u32 = 1;
/// R-R intervals of one message, as devices write them.
const INTERVALS: usize = 5;
/// R-R intervals of one message with a time: what fits into one field.
const BEATS: usize = 127;
/// The invalid value of an interval, ms.
const INVALID_INTERVAL: f64 = 65_535.0;

enum What<'a> {
    Event(Event),
    /// Intervals that belong to the record before.
    Intervals(&'a [RrInterval]),
    /// Intervals with times of their own.
    Beats(&'a [RrInterval]),
}

struct Mark<'a> {
    /// Rows that come before it.
    row: usize,
    time: i64,
    /// Order at one instant: intervals belong to the row before, a stop comes before a start.
    rank: u8,
    what: What<'a>,
}

/// Writes the records with everything that stands between them.
pub fn write(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame, records: &mut Records<'_>) {
    let mut done = 0;
    for mark in marks(activity, frame) {
        records.write(done..mark.row.max(done), &mut writing.encoder);
        done = mark.row.max(done);
        match mark.what {
            What::Event(event) => write_event(writing, &event),
            What::Intervals(intervals) => write_intervals(writing, intervals),
            What::Beats(intervals) => write_beats(writing, intervals),
        }
    }
    records.write(done..activity.track.len(), &mut writing.encoder);
}

fn marks<'a>(activity: &'a Activity, frame: &Frame) -> Vec<Mark<'a>> {
    let times = activity.track.times();
    let before = |time: i64| times.partition_point(|t| *t < time);
    let behind = |time: i64| times.partition_point(|t| *t <= time);
    let timer =
        |time, event_type, data| What::Event(Event { time, event: TIMER, event_type, data: Some(data), group: None });
    let mut marks = vec![Mark { row: 0, time: i64::MIN, rank: 0, what: timer(frame.start, START, MANUAL) }];
    let mut last = 0;
    for pause in &activity.pauses {
        let trigger = if pause.auto { AUTO } else { MANUAL };
        let stop = behind(pause.start).max(last);
        let start = before(pause.end).max(stop);
        last = start;
        marks.push(Mark { row: stop, time: pause.start, rank: 2, what: timer(pause.start, STOP, trigger) });
        marks.push(Mark { row: start, time: pause.end, rank: 2, what: timer(pause.end, START, trigger) });
    }
    for event in activity.events.iter().filter(|event| event.event != TIMER) {
        marks.push(Mark { row: before(event.time), time: event.time, rank: 1, what: What::Event(*event) });
    }
    let pieces = intervals(&activity.rr, times).into_iter();
    marks.extend(pieces.map(|(row, time, what)| Mark { row, time, rank: 0, what }));
    // Devices go on with events after the end: the heart rate two minutes later.
    marks.push(Mark { row: times.len(), time: frame.end, rank: 3, what: timer(frame.end, STOP_ALL, MANUAL) });
    marks.sort_by_key(|mark| (mark.row, mark.time, mark.rank));
    marks
}

/// Cuts R-R intervals into messages, each with the number of rows before it and its time. `hrv` has no time: its intervals
/// are those of the record before it (of the first record, when none is). Intervals with any other time need a message
/// with a time.
fn intervals<'a>(all: &'a [RrInterval], times: &[i64]) -> Vec<(usize, i64, What<'a>)> {
    let mut pieces: Vec<(usize, i64, What<'a>)> = Vec::new();
    let mut at = 0;
    for group in all.chunk_by(|a, b| a.time == b.time) {
        let time = group[0].time;
        let row = times.partition_point(|t| *t <= time);
        let whole = time.rem_euclid(1000) == 0;
        if whole && times.get(row.saturating_sub(1)).is_none_or(|record| *record == time) {
            pieces.push((row, time, What::Intervals(group)));
            at += group.len();
            continue;
        }
        for _ in group {
            match pieces.last_mut() {
                Some((_, _, What::Beats(beats))) if runs_on(&beats[beats.len() - 1], &all[at]) => {
                    *beats = &all[at - beats.len()..=at];
                }
                _ => pieces.push((row, time, What::Beats(&all[at..=at]))),
            }
            at += 1;
        }
    }
    pieces
}

fn write_event(writing: &mut Writing<'_>, event: &Event) {
    let time = writing.seconds(event.time);
    writing
        .encoder
        .begin(message::EVENT)
        .raw(253, Base::Uint32, Some(time))
        .code(0, Some(event.event))
        .code(1, Some(event.event_type))
        .raw(3, Base::Uint32, event.data)
        .raw(4, Base::Uint8, event.group);
    writing.milliseconds(event.time);
    writing.encoder.end();
}

/// True when an interval ends where the next one begins.
fn runs_on(a: &RrInterval, b: &RrInterval) -> bool {
    b.time == a.time + i64::from(b.ms)
}

/// `hrv`: the invalid value fills the last message.
fn write_intervals(writing: &mut Writing<'_>, intervals: &[RrInterval]) {
    for some in intervals.chunks(INTERVALS) {
        let mut values = [None; INTERVALS];
        for (value, interval) in values.iter_mut().zip(some) {
            *value = Some(f64::from(interval.ms)).filter(|ms| *ms < INVALID_INTERVAL);
            writing.lost_intervals += u64::from(value.is_none());
        }
        writing.encoder.begin(message::HRV).array(0, Base::Uint16, 1.0, &values).end();
    }
}

/// `beat_intervals`: the time at which the first interval begins, to the millisecond, and the intervals one after the
/// other.
fn write_beats(writing: &mut Writing<'_>, intervals: &[RrInterval]) {
    for some in intervals.chunks(BEATS) {
        let begin = some[0].time - i64::from(some[0].ms);
        let values: Vec<Option<f64>> = some.iter().map(|interval| Some(f64::from(interval.ms))).collect();
        writing.lost_intervals +=
            some.iter().filter(|interval| f64::from(interval.ms) >= INVALID_INTERVAL).count() as u64;
        let time = writing.seconds(begin);
        writing
            .encoder
            .begin(message::BEAT_INTERVALS)
            .raw(253, Base::Uint32, Some(time))
            .raw(0, Base::Uint16, Some(begin.rem_euclid(1000)))
            .array(1, Base::Uint16, 1.0, &values)
            .end();
    }
}
