//! The parts of a recording, in time order, from what the messages say.

use super::collect::{Collector, NO_TIME, SportMessage, TimerEvent};
use super::summary::Span;
use crate::formats::fit::exercises::exercise;
use crate::formats::fit::{own, whole};
use crate::model::{Device, Pause, Recording, Session, Sport, SubSport, Totals, Track};

/// FIT `device_index` of the recorder itself.
const CREATOR: Option<u8> = Some(0);

/// Puts a recording together; `start` is the first instant that anything states.
pub(super) fn assemble(track: Track, collector: &mut Collector, start: Option<i64>) -> Recording {
    let last = track.times().iter().copied().max();
    let mut before = start;
    let mut recording = Recording { track, ..Recording::default() };
    for (span, mut lap) in std::mem::take(&mut collector.laps) {
        (lap.start, lap.end) = settle(&span, &mut before, last);
        recording.laps.push(lap);
    }
    recording.laps.sort_by_key(|lap| lap.start);
    before = start;
    recording.stated_start = collector.sessions.iter().filter_map(|(span, _)| span.start).min();
    let sports = std::mem::take(&mut collector.sports);
    for (at, (span, mut leg)) in std::mem::take(&mut collector.sessions).into_iter().enumerate() {
        (leg.start, leg.end) = settle(&span, &mut before, last);
        let own = sports.iter().find(|sport| sport.sport == Some(leg.sport));
        let named = sports.get(at).filter(|sport| sport.sport == Some(leg.sport)).or(own);
        leg.name = leg.name.or_else(|| named?.name.clone());
        recording.sessions.push(leg);
    }
    recording.sessions.sort_by_key(|leg| leg.start);
    before = start;
    for (span, mut length) in std::mem::take(&mut collector.lengths) {
        (length.start, length.end) = settle(&span, &mut before, last);
        recording.lengths.push(length);
    }
    recording.lengths.sort_by_key(|length| length.start);
    recording.sets = std::mem::take(&mut collector.sets);
    for set in &mut recording.sets {
        let Some(category) = set.category else { continue };
        let of_number = |(of, number, _): &&(_, _, _)| (*of, *number) == (category, set.category_subtype);
        let of_category = |(of, ..): &&(_, _, _)| set.category_subtype.is_none() && *of == category;
        let titles = &collector.exercises;
        let title = titles.iter().find(of_number).or_else(|| titles.iter().find(of_category));
        let words = || title.map(|title| title.2.clone()).or_else(|| exercise(category, set.category_subtype));
        set.exercise = set.exercise.take().or_else(words);
    }
    recording.splits = std::mem::take(&mut collector.splits);
    recording.splits.sort_by_key(|split| split.start);
    recording.events = std::mem::take(&mut collector.events);
    recording.events.sort_by_key(|event| event.time);
    recording.pauses = pauses(std::mem::take(&mut collector.timer));
    recording.rr = std::mem::take(&mut collector.rr);
    recording.rr.iter_mut().filter(|rr| rr.time == NO_TIME).for_each(|rr| rr.time = start.unwrap_or(0));
    (recording.sport, recording.sub_sport) = sport(&recording, &sports);
    recording.stated = stated(&recording.sessions, collector);
    recording.name = collector.workout.take();
    recording.description = collector.description.take();
    recording.devices = devices(collector);
    recording.created = collector.file.as_ref().and_then(|file| file.created);
    recording.zones = std::mem::take(&mut collector.zones);
    recording.athlete = std::mem::take(&mut collector.athlete);
    words(&mut recording, collector);
    recording
}

/// What only files of `paceport` say. A workout of which only the day is known has no clock times: its summaries were made
/// for the file.
fn words(recording: &mut Recording, collector: &mut Collector) {
    if let Some((sport, sub_sport)) = collector.whole.sport {
        (recording.sport, recording.sub_sport) = (sport, sub_sport);
    }
    let derived = std::mem::replace(&mut recording.stated, std::mem::take(&mut collector.whole.totals));
    recording.stated.fill(&derived);
    let ids;
    [recording.gear, recording.creator, recording.sport_label, recording.day, ids] =
        std::mem::take(&mut collector.words);
    let pairs = ids.iter().flat_map(|ids| ids.lines()).filter_map(|pair| pair.split_once('='));
    recording.platform_ids = pairs.map(|(platform, id)| (platform.to_owned(), id.to_owned())).collect();
    if recording.day.is_some() {
        recording.laps.clear();
        recording.sessions.clear();
        (recording.stated_start, recording.created) = (None, None);
    }
}

/// Start and end of a span. One without a start begins where the one before it ended; the time a summary was written is
/// its end only when nothing else is known.
fn settle(span: &Span, before: &mut Option<i64>, last: Option<i64>) -> (i64, i64) {
    let start = span.start.or(*before).or(span.written).unwrap_or(0);
    let end = Span { start: Some(start), ..span.clone() }.end().or(span.written).or(last).unwrap_or(start).max(start);
    *before = Some(end);
    (start, end)
}

/// Pauses are the spans between a timer stop and the next start; starts while it runs and stops while it stands change
/// nothing, and a stop that no start follows is the end.
fn pauses(mut timer: Vec<TimerEvent>) -> Vec<Pause> {
    timer.sort_by_key(|event| event.time);
    let mut pauses = Vec::new();
    let mut stopped: Option<TimerEvent> = None;
    for event in timer {
        match (event.running, stopped) {
            (false, None) => stopped = Some(event),
            (true, Some(stop)) => {
                if event.time > stop.time {
                    pauses.push(Pause { start: stop.time, end: event.time, auto: stop.auto });
                }
                stopped = None;
            }
            _ => {}
        }
    }
    pauses
}

/// Sport of the whole: that of its legs, else of its laps, else what the file says before them.
fn sport(recording: &Recording, messages: &[SportMessage]) -> (Sport, Option<SubSport>) {
    let laps = recording.laps.iter().filter_map(|lap| Some((lap.sport?, lap.sub_sport)));
    let message = messages.iter().filter_map(|message| Some((message.sport?, message.sub_sport)));
    let of_legs = whole::sport(whole::legs(&recording.sessions));
    of_legs.or_else(|| whole::sport(laps)).or_else(|| whole::sport(message.take(1))).unwrap_or((Sport::GENERIC, None))
}

/// Totals of the whole: those of its sessions.
fn stated(sessions: &[Session], collector: &Collector) -> Totals {
    match sessions {
        [] => Totals { timer_s: collector.activity.and_then(|activity| activity.timer_s), ..Totals::default() },
        _ => whole::totals(sessions),
    }
}

/// The recorder first: `file_id` says who it is, `device_info` of index 0 and `file_creator` what else is known of it.
fn devices(collector: &mut Collector) -> Vec<Device> {
    let mut devices = std::mem::take(&mut collector.devices);
    let creator = devices.iter().position(|device| device.index == CREATOR).map(|at| devices.remove(at));
    let Some(file) = collector.file.as_ref().map(|file| file.device.clone()) else {
        devices.splice(0..0, creator);
        return devices;
    };
    let creator = creator.unwrap_or_default();
    let same = creator.manufacturer_id.is_none()
        || file.manufacturer_id.is_none()
        || creator.manufacturer_id == file.manufacturer_id;
    let product = if same { creator.product } else { None };
    let mut recorder = Device {
        index: CREATOR,
        manufacturer: file.manufacturer.or(creator.manufacturer),
        manufacturer_id: file.manufacturer_id.or(creator.manufacturer_id),
        product: file.product.or(product),
        product_id: file.product_id.or(creator.product_id),
        serial: file.serial.or(creator.serial),
        firmware: creator.firmware.or(collector.firmware.take()),
        hardware: creator.hardware.or(collector.hardware.take()),
        ..creator
    };
    for (field, word) in own::device_words(&mut recorder).into_iter().zip(&mut collector.recorder_words) {
        *field = word.take().or(field.take());
    }
    if recorder != (Device { index: CREATOR, ..Device::default() }) {
        devices.insert(0, recorder);
    }
    devices
}
