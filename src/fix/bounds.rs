//! Instants that no calendar and totals that no workout has: they are dropped before anything is computed with them.

use std::ops::Range;

use crate::error::Place;
use crate::model::{Clock, Recording, Totals};
use crate::report::{Code, Notes};

const INSTANT: Code = Code::warning("range.instant");
const TOTAL: Code = Code::warning("range.total");

/// The years 1 to 9998: a repair moves an instant by years at most, and every format writes the year with four digits.
const INSTANTS_MS: Range<i64> = -62_135_596_800_000..253_370_764_800_000;
/// No total is larger, whatever its unit: a thousand million seconds are 31 years, and so many metres 25 times around
/// the earth.
const LARGEST: f64 = 1e9;

/// Drops what is out of bounds, with notes that say how much it was. Samples stay, but without their time.
pub(super) fn check(recording: &mut Recording, clock: &mut Clock, notes: &mut Notes) {
    let fits = |ms: &i64| INSTANTS_MS.contains(ms);
    let mut dropped = recording.track.untime(&INSTANTS_MS);
    dropped += drop_of(&mut recording.laps, |lap| fits(&lap.start) && fits(&lap.end));
    dropped += drop_of(&mut recording.sessions, |session| fits(&session.start) && fits(&session.end));
    dropped += drop_of(&mut recording.lengths, |length| fits(&length.start) && fits(&length.end));
    dropped += drop_of(&mut recording.splits, |split| fits(&split.start) && fits(&split.end));
    dropped += drop_of(&mut recording.pauses, |pause| fits(&pause.start) && fits(&pause.end));
    dropped += drop_of(&mut recording.events, |event| fits(&event.time));
    dropped += drop_of(&mut recording.rr, |rr| fits(&rr.time));
    let sets = recording.sets.iter_mut().map(|set| &mut set.start);
    let places = recording.waypoints.iter_mut().map(|place| &mut place.time);
    let own = [&mut recording.stated_start, &mut recording.created, &mut clock.wall_start];
    for instant in sets.chain(places).chain(own) {
        dropped += usize::from(instant.take_if(|ms| !fits(ms)).is_some());
    }
    notes.add_many(INSTANT, dropped as u64, Place::NOWHERE, || {
        format!("{dropped} instants are beyond the calendar and were left out")
    });

    let mut wrong = totals(&mut recording.stated);
    wrong += recording.laps.iter_mut().map(|lap| totals(&mut lap.totals)).sum::<u64>();
    wrong += recording.sessions.iter_mut().map(|session| totals(&mut session.totals)).sum::<u64>();
    wrong += recording.splits.iter_mut().map(|split| totals(&mut split.totals)).sum::<u64>();
    for length in &mut recording.lengths {
        wrong += [&mut length.elapsed_s, &mut length.timer_s].into_iter().map(|time| within(time, 0.0)).sum::<u64>();
    }
    for set in &mut recording.sets {
        let values = [&mut set.duration_s, &mut set.weight_kg, &mut set.distance_m];
        wrong += values.into_iter().map(|value| within(value, 0.0)).sum::<u64>();
    }
    notes.add_many(TOTAL, wrong, Place::NOWHERE, || format!("{wrong} stated totals are impossible and were left out"));
}

/// Keeps what fits, and counts the others.
fn drop_of<T>(parts: &mut Vec<T>, fits: impl FnMut(&T) -> bool) -> usize {
    let before = parts.len();
    parts.retain(fits);
    before - parts.len()
}

fn totals(totals: &mut Totals) -> u64 {
    let times = [&mut totals.elapsed_s, &mut totals.timer_s, &mut totals.moving_s];
    let negative: u64 = times.into_iter().map(|time| within(time, 0.0)).sum();
    negative + totals.each_mut().map(|value| within(value, -LARGEST)).sum::<u64>()
}

fn within(value: &mut Option<f64>, least: f64) -> u64 {
    value.take_if(|value| !(least..=LARGEST).contains(value)).is_some().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lap, time};

    #[test]
    fn nothing_is_computed_with_times_that_no_calendar_has() {
        let mut recording = Recording::default();
        let ms = |text: &str| time::parse(text.as_bytes()).unwrap().ms;
        let (first, last) = (ms("0001-01-01T00:00:00Z"), ms("9998-12-31T23:59:59Z"));
        assert_eq!(INSTANTS_MS, first..last + 1000);
        for time in [i64::MIN, first, last, last + 1000, i64::MAX] {
            recording.track.push(time);
            recording.laps.push(Lap { start: time, end: time, ..Lap::default() });
        }
        recording.stated_start = Some(i64::MAX);
        let elapsed = [f64::NAN, f64::INFINITY, 1e300, -1.0, 3600.0];
        let totals = |elapsed_s| Totals { elapsed_s: Some(elapsed_s), ..Totals::default() };
        recording.laps.extend(elapsed.map(|seconds| Lap { totals: totals(seconds), ..Lap::default() }));
        let (mut clock, mut notes) = (Clock::default(), Notes::new());
        check(&mut recording, &mut clock, &mut notes);
        assert_eq!(recording.track.times(), [first, first, last, last, last]);
        assert_eq!(
            (0..5).map(|row| recording.track.is_timed(row)).collect::<Vec<_>>(),
            [false, true, true, false, false]
        );
        assert_eq!(recording.laps.len(), 2 + 5);
        assert_eq!(recording.laps.iter().filter_map(|lap| lap.totals.elapsed_s).collect::<Vec<_>>(), [3600.0]);
        assert_eq!(notes.get("range.instant").unwrap().count, 3 + 3 + 1);
        assert_eq!(notes.get("range.total").unwrap().count, 4);
    }
}
