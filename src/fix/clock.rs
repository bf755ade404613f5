//! Clock faults: a recorder that did not know the date. Its times are moved when the file itself tells the true ones, and
//! only named otherwise.

use super::zone::{is_virtual, local_offset, quarter_hours, span_text};
use crate::error::Place;
use crate::model::{Basis, Clock, Recording, time};
use crate::report::{Code, Notes};

const JUMP: Code = Code::warning("time.jump");
const ROLLOVER: Code = Code::warning("time.rollover");
const RESET: Code = Code::warning("time.reset");
const UNLIKELY: Code = Code::warning("time.unlikely");
const TOLD: Code = Code::warning("time.told");

/// Notes on a clock that was wrong as a whole.
pub(super) const NOTES: &[Code] = &[ROLLOVER, RESET, UNLIKELY, TOLD];

const DAY_MS: i64 = 86_400_000;
/// GPS counts weeks modulo 1024; a receiver that does not know in which round it is errs by as much.
const ROUND_MS: i64 = 1024 * 7 * DAY_MS;
/// 1991-01-01: recorders do not write earlier dates, but reset clocks do (1970, 1980, 1989-12-31).
const FIRST_MS: i64 = 662_688_000_000;
/// 2000-01-01 and the days after it: where many clocks begin.
const MILLENNIUM_MS: std::ops::Range<i64> = 946_684_800_000..946_684_800_000 + 7 * DAY_MS;
/// A start that is told and one that is recorded are of one moment, but for whole quarters of an hour, ms.
const TOLD_MS: i64 = 5000;
/// 2040-01-01: no recorder of today has been there.
const LAST_MS: i64 = 2_208_988_800_000;

/// Removes jumps of the clock inside a recording (its samples still in file order), when the stated duration proves that
/// no such time went by. What stands before the jump is moved: the clock was set when the satellites told the time.
pub(super) fn jumps(recording: &mut Recording, notes: &mut Notes) {
    let times = recording.track.times();
    let mut starts = vec![0];
    starts.extend(times.windows(2).enumerate().filter(|(_, w)| (w[1] - w[0]).abs() > DAY_MS).map(|(i, _)| i + 1));
    if starts.len() < 2 || recording.track.untimed_count() > 0 {
        return;
    }
    let stated = recording.stated.elapsed_s.or_else(|| {
        let elapsed: Option<Vec<f64>> = recording.sessions.iter().map(|session| session.totals.elapsed_s).collect();
        elapsed.filter(|all| !all.is_empty()).map(|all| all.iter().sum())
    });
    let Some(stated_ms) = stated.map(|seconds| (seconds * 1000.0) as i64) else { return };
    // First and last instant of each stretch, in file order.
    let ends = starts.iter().skip(1).copied().chain([times.len()]);
    let stretches: Vec<(i64, i64)> = starts
        .iter()
        .zip(ends)
        .filter_map(|(&from, to)| {
            let stretch = &times[from..to];
            Some((*stretch.iter().min()?, *stretch.iter().max()?))
        })
        .collect();
    let step = usual_step(times);
    let joined: i64 = stretches.iter().map(|(from, to)| to - from + step).sum::<i64>() - step;
    let near = (joined - stated_ms).abs() <= (stated_ms / 50).max(60_000);
    let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else { return };
    let span = last.1.max(first.1) - first.0.min(last.0);
    if !near || (span - stated_ms).abs() <= DAY_MS {
        return;
    }
    // Each stretch ends a step before the next one begins; the last one stays.
    let mut shifts = vec![0; stretches.len()];
    for i in (0..stretches.len() - 1).rev() {
        let (_, end) = stretches[i];
        let (next, _) = stretches[i + 1];
        shifts[i] = next + shifts[i + 1] - step - end;
    }
    let moved_rows = starts.last().copied().unwrap_or(0) as u64;
    let far = shifts.first().copied().unwrap_or(0);
    notes.add_many(JUMP, moved_rows, Place::NOWHERE.record(moved_rows as usize), || {
        format!("the clock was set by {} on the way; the {moved_rows} samples before were moved to fit", span_text(far))
    });
    let rows: Vec<i64> = (0..starts.len())
        .flat_map(|i| {
            let to = starts.get(i + 1).copied().unwrap_or(times.len());
            std::iter::repeat_n(shifts[i], to - starts[i])
        })
        .collect();
    for (time, shift) in recording.track.times_mut().iter_mut().zip(rows) {
        *time += shift;
    }
    // Marks go with the stretch that they lie in, or next to.
    let around = |t: i64| {
        let of = stretches.iter().position(|&(from, to)| (from - DAY_MS / 2..=to + DAY_MS / 2).contains(&t));
        of.map_or(0, |i| shifts[i])
    };
    move_marks(recording, around);
}

/// Moves everything but the samples, each mark by what `by` says of its start.
fn move_marks(recording: &mut Recording, by: impl Fn(i64) -> i64) {
    let span = |start: &mut i64, end: &mut i64| {
        let shift = by(*start);
        *start += shift;
        *end += shift;
    };
    recording.laps.iter_mut().for_each(|lap| span(&mut lap.start, &mut lap.end));
    recording.sessions.iter_mut().for_each(|session| span(&mut session.start, &mut session.end));
    recording.lengths.iter_mut().for_each(|length| span(&mut length.start, &mut length.end));
    recording.splits.iter_mut().for_each(|split| span(&mut split.start, &mut split.end));
    recording.pauses.iter_mut().for_each(|pause| span(&mut pause.start, &mut pause.end));
    recording.sets.iter_mut().filter_map(|set| set.start.as_mut()).for_each(|t| *t += by(*t));
    recording.rr.iter_mut().for_each(|rr| rr.time += by(rr.time));
    recording.events.iter_mut().for_each(|event| event.time += by(event.time));
    recording.stated_start.iter_mut().for_each(|t| *t += by(*t));
    recording.created.iter_mut().for_each(|t| *t += by(*t));
}

fn usual_step(times: &[i64]) -> i64 {
    let mut steps: Vec<i64> =
        times.windows(2).map(|w| w[1] - w[0]).filter(|step| (1..=DAY_MS).contains(step)).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(1000)
}

/// How far a whole recording is to be moved, ms: the clock was a round of GPS weeks off, or had been reset.
pub(super) fn whole(recording: &Recording, clock: &Clock, notes: &mut Notes) -> i64 {
    let Some((start, _)) = recording.span() else { return 0 };
    let believable = |ms: &i64| (FIRST_MS..LAST_MS).contains(ms) && !MILLENNIUM_MS.contains(ms);
    if let Some(shift) = clock.utc_start.and_then(|told| quarters_off(recording.stated_start.unwrap_or(start), told)) {
        notes.add(TOLD, Place::NOWHERE, || {
            let (ahead, by) = (if shift < 0 { "ahead of" } else { "behind" }, span_text(shift));
            let way = if shift < 0 { "back" } else { "forward" };
            format!("the recorder's clock was {by} {ahead} the start that its name or its platform's list tells; moved {way} by {by}")
        });
        return shift;
    }
    // A local time of start, from the file's name or its archive, in the recording's own terms.
    let wall = clock.wall_start.filter(believable).map(|wall| {
        let offset =
            if clock.basis == Basis::Local { Some(0) } else { clock.offset_s.or_else(|| offset_of(recording, wall)) };
        (wall - i64::from(offset.unwrap_or(0)) * 1000, offset.is_some())
    });
    let wall = clock.utc_start.filter(believable).map(|start| (start, true)).or(wall);
    // The date of creation comes from another clock only where the two differ.
    let created = recording.created.filter(believable).filter(|created| (created - start).abs() > DAY_MS);
    for (reference, tolerance) in [(created, DAY_MS), (wall.map(|(wall, _)| wall), 15 * 3_600_000)] {
        let Some(reference) = reference else { continue };
        for rounds in [1, -1, 2, -2] {
            let shift = rounds * ROUND_MS;
            if (start + shift - reference).abs() <= tolerance {
                notes.add(ROLLOVER, Place::NOWHERE, || {
                    let (was, is) = (time::utc(start), time::utc(start + shift));
                    format!(
                        "the receiver took {was} for {is}: GPS weeks begin anew every 1024; moved by {}",
                        span_text(shift)
                    )
                });
                return shift;
            }
        }
    }
    if believable(&start) || (clock.basis == Basis::Local && start < FIRST_MS && start > 0) {
        return 0;
    }
    // Only recorders write identity and creation into one message; elsewhere it is the date of an export.
    let recorder = recording.device().is_some_and(|device| device.manufacturer_id.is_some());
    let reference = match (wall, created.filter(|_| recorder)) {
        (Some((wall, true)), _) => Some((wall, "its name")),
        (_, Some(created)) => Some((created, "the time of its creation")),
        _ => None,
    };
    let Some((reference, why)) = reference else {
        notes.add(UNLIKELY, Place::NOWHERE, || {
            format!("starts at {}; nothing tells the true time, so it is kept", time::utc(start))
        });
        return 0;
    };
    notes.add(RESET, Place::NOWHERE, || {
        let (was, is) = (time::utc(start), time::utc(reference));
        format!(
            "the recorder's clock had been reset: {was} is {is} by {why}; moved by {}",
            span_text(reference - start)
        )
    });
    reference - start
}

/// How many whole quarters of an hour a clock was off by a start that is told for certain, ms.
fn quarters_off(start: i64, told: i64) -> Option<i64> {
    let shift = i64::from(quarter_hours(told - start).filter(|quarters| *quarters != 0)?) * 1000;
    ((told - start - shift).abs() <= TOLD_MS).then_some(shift)
}

fn offset_of(recording: &Recording, wall: i64) -> Option<i32> {
    if is_virtual(recording) {
        return None;
    }
    let (_, position) = recording.track.positions().next()?;
    local_offset(position, wall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Device, Lap, Session};

    fn ms(text: &str) -> i64 {
        time::parse(text.as_bytes()).unwrap().ms
    }

    fn recording(start: &str, seconds: i64) -> Recording {
        let mut recording = Recording::default();
        for second in 0..seconds {
            recording.track.push(ms(start) + second * 1000);
            recording.track.set_position(50.94, 6.96);
        }
        recording
    }

    #[test]
    fn a_clock_set_on_the_way_is_set_from_the_start() {
        let mut recording = recording("2017-03-14T14:00:00Z", 600);
        let off = ms("2017-03-14T14:00:00Z") - ms("2017-02-22T09:00:00Z");
        recording.track.times_mut()[..100].iter_mut().for_each(|t| *t -= off);
        recording.stated.elapsed_s = Some(600.0);
        let start = ms("2017-02-22T09:00:00Z");
        recording.stated_start = Some(start);
        recording.laps = vec![Lap { start, end: start + 600_000, ..Lap::default() }];
        recording.sessions = vec![Session { start, end: start + 600_000, ..Session::default() }];
        let mut notes = Notes::new();
        jumps(&mut recording, &mut notes);
        let whole = super::tests::recording("2017-03-14T14:00:00Z", 600);
        assert_eq!(recording.track.times(), whole.track.times());
        assert_eq!((recording.laps[0].start, recording.sessions[0].end), (start + off, start + off + 600_000));
        assert_eq!(notes.get("time.jump").map(|note| note.count), Some(100));
    }

    #[test]
    fn a_backward_jump_is_one_too() {
        let mut recording = recording("2017-03-14T14:00:00Z", 600);
        recording.track.times_mut()[..100].iter_mut().for_each(|t| *t += 20 * DAY_MS);
        recording.stated.elapsed_s = Some(600.0);
        jumps(&mut recording, &mut Notes::new());
        assert_eq!(recording.track.times()[0], ms("2017-03-14T14:00:00Z"));
        assert!(recording.track.is_ordered());
    }

    #[test]
    fn a_recording_of_a_month_stays_a_month() {
        let mut month = recording("2018-04-10T17:15:21Z", 600);
        month.track.times_mut()[300..].iter_mut().for_each(|t| *t += 30 * DAY_MS);
        for stated in [Some(30.0 * 86_400.0 + 600.0), None] {
            let mut recording = month.clone();
            recording.stated.elapsed_s = stated;
            let mut notes = Notes::new();
            jumps(&mut recording, &mut notes);
            assert_eq!(recording.track.times(), month.track.times());
            assert!(notes.is_empty());
        }
    }

    fn judged(start: &str, change: impl Fn(&mut Recording, &mut Clock)) -> (String, Vec<String>) {
        let mut recording = recording(start, 60);
        let mut clock = Clock::default();
        change(&mut recording, &mut clock);
        let mut notes = Notes::new();
        let shift = whole(&recording, &clock, &mut notes);
        (time::utc(ms(start) + shift), notes.iter().map(|note| note.code.to_string()).collect())
    }

    #[test]
    fn weeks_that_began_anew_are_counted_on() {
        // 2024-05-01 less 1024 weeks is 2004-09-15.
        let rollover = vec!["time.rollover".to_owned()];
        let got = judged("2004-09-15T07:12:00Z", |_, clock| clock.wall_start = Some(ms("2024-05-01T09:12:00Z")));
        assert_eq!(got, ("2024-05-01T07:12:00Z".to_owned(), rollover.clone()));
        let got = judged("2004-09-15T07:12:00Z", |r, _| r.created = Some(ms("2024-05-01T07:11:30Z")));
        assert_eq!(got, ("2024-05-01T07:12:00Z".to_owned(), rollover.clone()));
        let got = judged("2043-12-16T07:12:00Z", |_, clock| clock.wall_start = Some(ms("2024-05-01T09:12:00Z")));
        assert_eq!(got, ("2024-05-01T07:12:00Z".to_owned(), rollover));
        // An export made years later is no evidence.
        let got = judged("2004-09-15T07:12:00Z", |r, _| r.created = Some(ms("2024-06-01T07:11:30Z")));
        assert_eq!(got, ("2004-09-15T07:12:00Z".to_owned(), vec![]));
    }

    #[test]
    fn reset_clocks_are_set_by_the_name_or_the_recorder_else_named() {
        let reset = vec!["time.reset".to_owned()];
        for start in ["1970-01-01T00:00:10Z", "1989-12-31T00:00:10Z", "2000-01-01T00:00:10Z"] {
            // German summer time is two hours ahead.
            let got = judged(start, |_, clock| clock.wall_start = Some(ms("2024-05-01T09:12:00Z")));
            assert_eq!(got, ("2024-05-01T07:12:00Z".to_owned(), reset.clone()));
            let got = judged(start, |r, _| {
                r.created = Some(ms("2024-05-01T07:12:00Z"));
                r.devices = vec![Device { manufacturer_id: Some(1), ..Device::default() }];
            });
            assert_eq!(got, ("2024-05-01T07:12:00Z".to_owned(), reset.clone()));
            let got = judged(start, |r, _| r.created = Some(ms("2024-05-01T07:12:00Z")));
            assert_eq!(got, (start.to_owned(), vec!["time.unlikely".to_owned()]));
        }
        let got = judged("2050-05-01T07:12:00Z", |_, _| {});
        assert_eq!(got.1, ["time.unlikely"]);
        let old = judged("1986-05-01T07:12:00Z", |_, clock| clock.basis = Basis::Local);
        assert!(old.1.is_empty());
    }

    #[test]
    fn a_clock_some_hours_off_is_set_by_what_is_told_in_utc() {
        let told = |start: &str| judged(start, |_, clock| clock.utc_start = Some(ms("2024-05-01T07:12:00Z")));
        for start in ["2024-05-01T08:12:00Z", "2024-05-01T01:42:03Z", "2024-05-01T20:57:00Z"] {
            let (found, codes) = told(start);
            assert!((ms(&found) - ms("2024-05-01T07:12:00Z")).abs() <= 3000, "{start} became {found}");
            assert_eq!(codes, ["time.told"]);
        }
        for start in ["2024-05-01T07:12:00Z", "2024-05-01T07:12:30Z", "2024-05-01T08:12:06Z", "2024-05-03T07:12:00Z"] {
            assert_eq!(told(start), (start.to_owned(), vec![]));
        }
    }

    #[test]
    fn right_times_are_left_alone() {
        for start in ["1996-05-01T07:12:00Z", "2004-09-15T07:12:00Z", "2024-05-01T07:12:00Z"] {
            let got = judged(start, |r, clock| {
                r.created = Some(ms(start) + 3000);
                clock.wall_start = Some(ms(start) + 7_200_000);
            });
            assert_eq!(got, (start.to_owned(), vec![]));
        }
    }
}
