//! Files that hold parts of one recording: positions in one, heart rate and laps in another, beat intervals in a third
//! (Polar's GPX, HRM and `.rr.hrm`). They are joined by time, never by row number.

use super::zone::{Zone, quarter_hours, span_text};
use crate::error::Place;
use crate::model::{Basis, Channel, Clock, Draft, Evidence, Pause, Recording, Track};
use crate::report::{Code, Notes};

const SAME_CLOCK: Code = Code::info("time.pair_clock");
const CONFLICT: Code = Code::warning("zone.conflict");
const ENDS: Code = Code::warning("time.pair_end");

/// Clocks of one watch differ by no more, ms.
const SAME_MS: i64 = 120_000;
/// Recordings of one exercise differ by no more in length than this, or 2 %, ms.
const LENGTH_MS: i64 = 60_000;

/// The first fix comes no later, ms.
const LATEST_FIX_MS: i64 = 1_800_000;

/// A draft, and which of the given drafts it was made of, the base first.
pub type Joined = (Draft, Vec<usize>);

/// Joins the drafts of files that belong together by their names. Drafts that do not fit each other by time (two HRM
/// files of one evening, a wrong name) stay apart. The answer is in order of the bases.
pub fn join(drafts: Vec<Draft>) -> Vec<Joined> {
    let mut positions: Vec<Joined> = Vec::new();
    let mut sensors: Vec<Joined> = Vec::new();
    for (i, draft) in drafts.into_iter().enumerate() {
        let lone = draft.clock.basis == Basis::Local && draft.recording.track.positions().next().is_none();
        if lone { &mut sensors } else { &mut positions }.push((draft, vec![i]));
    }
    let mut apart: Vec<Joined> = Vec::new();
    // The file with the grid is the base of one with beats or lap names only.
    sensors.sort_by_key(|(draft, of)| (!draft.recording.rr.is_empty(), of.first().copied()));
    for (draft, of) in sensors {
        match apart.iter_mut().find(|(base, _)| is_version_of(&draft, base)) {
            Some((base, members)) => {
                fill(base, draft, 0);
                members.extend(of);
            }
            None => apart.push((draft, of)),
        }
    }
    let mut joined: Vec<Joined> = Vec::new();
    for (base, mut of) in positions {
        let fitting = apart.iter().enumerate().filter_map(|(i, (sensor, _))| Some((i, relate(&base, sensor)?)));
        let found = fitting.min_by_key(|(_, relation)| relation.conflict);
        match found {
            Some((i, relation)) => {
                let (sensor, members) = apart.remove(i);
                of.extend(members);
                joined.push((merge(base, sensor, relation), of));
            }
            None => joined.push((base, of)),
        }
    }
    joined.extend(apart);
    joined.sort_by_key(|(_, of)| of.first().copied());
    joined
}

/// True for two readings of one exercise: same start, same length.
fn is_version_of(a: &Draft, b: &Draft) -> bool {
    let (a, b) = (&a.recording, &b.recording);
    let length = |r: &Recording| (r.stated.elapsed_s.unwrap_or(0.0) * 1000.0) as i64;
    let same_start = a.stated_start.zip(b.stated_start).is_some_and(|(a, b)| (a - b).abs() <= 1000);
    same_start && (length(a) - length(b)).abs() <= 2000
}

/// How the clocks of a file with positions and of a wall-clock file relate.
#[derive(Debug, Clone, PartialEq)]
struct Relation {
    /// To be added to the wall-clock file's times to come to those of the positions, ms.
    ahead_ms: i64,
    /// How the positions' times are meant.
    clock: Clock,
    /// How far the positions themselves are to be moved, ms.
    move_ms: i64,
    conflict: bool,
}

/// The verdict of the two clocks (polar.md section 6, step 3); `None` when they are no pair.
fn relate(positions: &Draft, sensor: &Draft) -> Option<Relation> {
    let track = &positions.recording.track;
    let (first, last) = (*track.times().first()?, *track.times().last()?);
    let (from, to) = sensor.recording.span()?;
    let step = median_step(&sensor.recording.track).unwrap_or(1000);
    let near = SAME_MS.max(2 * step + 5000);
    // The head of the file may state the start; the first fix comes minutes later. (It may also hold the time of export.)
    let late_fix = |head: &i64| (0..LATEST_FIX_MS).contains(&(first - head));
    let heads = [positions.recording.stated_start, positions.recording.created];
    let starts = heads.map(|head| head.filter(late_fix)).into_iter().chain([Some(first)]);
    let apart = starts
        .into_iter()
        .flatten()
        .map(|start| start - from)
        .find_map(|d| if d.abs() <= near { Some(0) } else { quarter_hours(d).map(|s| i64::from(s) * 1000) })?;
    // Pauses make the positions longer than the rows, a late fix makes them shorter; nothing makes them differ wholly.
    let (length, rows) = (last - first, to - from);
    let tolerance = LENGTH_MS.max(rows / 50);
    let overlap = last.min(to + apart) - first.max(from + apart);
    if length > 0 && overlap < length.min(rows) / 2 - tolerance {
        return None;
    }
    let (_, (lat, lon)) = track.positions().next()?;
    let offset_ms = Zone::at(lat, lon).and_then(|zone| zone.offset_at(first)).map(|s| i64::from(s) * 1000);
    let claimed = &positions.clock;
    let relation = |clock: Clock| Relation { ahead_ms: apart, clock, move_ms: 0, conflict: false };
    if claimed.basis == Basis::Offset {
        return Some(relation(claimed.clone()));
    }
    if apart == 0 {
        // The same clock in both, and one is a wall clock.
        let clock = if claimed.basis == Basis::Local || offset_ms == Some(0) {
            claimed.clone()
        } else {
            Clock { local_as_utc: true, ..claimed.clone() }
        };
        return Some(relation(clock));
    }
    let stated = Clock {
        basis: Basis::Utc,
        local_as_utc: false,
        offset_s: Some((-apart / 1000) as i32),
        evidence: Evidence::Pair,
        ..claimed.clone()
    };
    if offset_ms == Some(-apart) || !claimed.local_as_utc {
        let conflict = offset_ms.is_some_and(|offset| offset != -apart);
        return Some(Relation { conflict, ..relation(stated) });
    }
    // A producer that writes local time, and a wall clock that differs: the watch's wall clock counts.
    Some(Relation { ahead_ms: 0, clock: claimed.clone(), move_ms: -apart, conflict: true })
}

fn merge(mut base: Draft, sensor: Draft, relation: Relation) -> Draft {
    let Relation { ahead_ms, clock, move_ms, conflict } = relation;
    if conflict {
        base.notes.add(CONFLICT, Place::NOWHERE, || {
            let apart = span_text(if move_ms == 0 { ahead_ms } else { move_ms });
            format!("positions and heart rate are {apart} apart, which is not the local time of the place; the watch was set to another zone")
        });
    } else if clock.local_as_utc && !base.clock.local_as_utc {
        base.notes.add(
            SAME_CLOCK,
            Place::NOWHERE,
            || "its positions and its wall-clock file show the same time, so both are local",
        );
    }
    base.clock = clock;
    base.recording.shift(move_ms);
    fill(&mut base, sensor, ahead_ms);
    base
}

/// Fills what `base` lacks from a further file of the same exercise whose times are `ahead_ms` behind.
fn fill(base: &mut Draft, sensor: Draft, ahead_ms: i64) {
    let Draft { recording: mut from, notes, complete, .. } = sensor;
    base.complete &= complete;
    base.notes.extend(notes);
    from.shift(ahead_ms);
    let placed = base.recording.track.positions().next().is_some();
    let pauses = if placed { pauses(&base.recording.track, &from.track, &mut base.notes) } else { Vec::new() };
    follow_pauses(&mut from, &pauses);
    let into = &mut base.recording;
    if !placed && !from.rr.is_empty() && !into.track.is_empty() {
        // The grid of the other file says it all; the beats are kept as beats.
        from.track = Track::new();
    }
    into.track = union(&into.track, &from.track);
    if into.pauses.is_empty() {
        into.pauses = pauses;
    }
    fn take<T>(into: &mut Vec<T>, from: Vec<T>) {
        if into.is_empty() {
            *into = from;
        }
    }
    if into.laps.len() == from.laps.len() {
        for (lap, other) in into.laps.iter_mut().zip(&from.laps) {
            lap.name = lap.name.take().or_else(|| other.name.clone());
        }
    }
    take(&mut into.laps, from.laps);
    take(&mut into.rr, from.rr);
    take(&mut into.devices, from.devices);
    into.stated_start = into.stated_start.or(from.stated_start);
    into.name = into.name.take().or(from.name);
    into.description = into.description.take().or(from.description);
    let paused = !into.pauses.is_empty();
    let stated = std::mem::take(&mut into.stated);
    into.stated = crate::model::Totals {
        elapsed_s: stated.elapsed_s.or(from.stated.elapsed_s.filter(|_| !paused)),
        timer_s: stated.timer_s.or(from.stated.timer_s),
        distance_m: stated.distance_m.or(from.stated.distance_m),
        ascent_m: stated.ascent_m.or(from.stated.ascent_m),
        avg_speed: stated.avg_speed.or(from.stated.avg_speed),
        max_speed: stated.max_speed.or(from.stated.max_speed),
        avg_altitude: stated.avg_altitude.or(from.stated.avg_altitude),
        max_altitude: stated.max_altitude.or(from.stated.max_altitude),
        ..stated
    };
    if into.zones == Default::default() {
        into.zones = from.zones;
    }
    if into.athlete == Default::default() {
        into.athlete = from.athlete;
    }
}

fn median_step(track: &Track) -> Option<i64> {
    let mut steps: Vec<i64> = track.times().windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied()
}

/// Rows of a grid know no pauses. Where the positions have gaps that together are as long as the rows fall short at the
/// end, the recorder was paused there.
fn pauses(positions: &Track, rows: &Track, notes: &mut Notes) -> Vec<Pause> {
    let (Some(step), Some(row_step)) = (median_step(positions), median_step(rows)) else { return Vec::new() };
    let (Some(end), Some(row_end)) = (positions.times().last(), rows.times().last()) else { return Vec::new() };
    let tolerance = 2 * row_step.max(step) + 1000;
    let short = end - row_end;
    if short < -tolerance {
        notes.add(ENDS, Place::NOWHERE, || format!("heart rate goes on for {} after the positions", span_text(-short)));
    }
    if short <= tolerance {
        return Vec::new();
    }
    let mut gaps: Vec<Pause> = positions
        .times()
        .windows(2)
        .filter(|pair| pair[1] - pair[0] >= (3 * row_step.max(step)).max(10_000))
        .map(|pair| Pause { start: pair[0] + step, end: pair[1], auto: false })
        .collect();
    gaps.sort_by_key(|gap| (gap.start - gap.end, gap.start));
    let mut left = short;
    let mut taken = Vec::new();
    for gap in gaps {
        if left <= tolerance {
            break;
        }
        let length = gap.end - gap.start;
        if length <= left + tolerance {
            left -= length;
            taken.push(gap);
        }
    }
    if left.abs() > tolerance {
        notes.add(ENDS, Place::NOWHERE, || {
            format!("positions end {} after the heart rate, and no pause explains it", span_text(short))
        });
        return Vec::new();
    }
    taken.sort_by_key(|gap| gap.start);
    taken
}

/// Moves everything after a pause by its length.
fn follow_pauses(recording: &mut Recording, pauses: &[Pause]) {
    if pauses.is_empty() {
        return;
    }
    let later = |mut t: i64| {
        for pause in pauses {
            if t >= pause.start {
                t += pause.end - pause.start;
            }
        }
        t
    };
    recording.track.times_mut().iter_mut().for_each(|t| *t = later(*t));
    recording.rr.iter_mut().for_each(|rr| rr.time = later(rr.time));
    for lap in &mut recording.laps {
        (lap.start, lap.end) = (later(lap.start), later(lap.end));
    }
}

/// The samples of both tracks in time order. Samples at one instant (half a step apart at most) become one, at the time of
/// the position. A channel that both have is taken from the sensors: never two sources in one column.
fn union(positions: &Track, sensors: &Track) -> Track {
    if sensors.is_empty() {
        return positions.clone();
    }
    let step = median_step(positions).unwrap_or(1000).min(median_step(sensors).unwrap_or(1000));
    let tolerance = (step / 2).clamp(500, 60_000);
    let mut out = Track::new();
    let (a, b) = (positions.times(), sensors.times());
    let from_sensors: Vec<Channel> = sensors.channels().map(|(channel, _)| channel).collect();
    let extras: Vec<usize> =
        positions.extra().iter().chain(sensors.extra()).map(|c| out.extra_slot(c.key.clone())).collect();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let pair = match (a.get(i), b.get(j)) {
            (Some(&s), Some(&t)) => {
                // The next sensor row may be nearer to this position.
                let nearer = b.get(j + 1).is_some_and(|&next| (next - s).abs() < (t - s).abs())
                    || a.get(i + 1).is_some_and(|&next| (next - t).abs() < (t - s).abs());
                if (t - s).abs() <= tolerance && !nearer {
                    (Some(i), Some(j))
                } else if s < t {
                    (Some(i), None)
                } else {
                    (None, Some(j))
                }
            }
            (Some(_), None) => (Some(i), None),
            _ => (None, Some(j)),
        };
        let time = pair.0.and_then(|i| a.get(i)).or_else(|| pair.1.and_then(|j| b.get(j))).copied().unwrap_or_default();
        out.push(time);
        if let Some(row) = pair.0 {
            if let Some((lat, lon)) = positions.position(row) {
                out.set_position(lat, lon);
            }
            if let Some(metres) = positions.distance(row) {
                out.set_distance(metres);
            }
            for (channel, column) in positions.channels().filter(|(channel, _)| !from_sensors.contains(channel)) {
                column.get(row).into_iter().for_each(|value| out.set(channel, value));
            }
            for (column, slot) in positions.extra().iter().zip(&extras) {
                column.get(row).into_iter().for_each(|value| out.set_extra(*slot, value));
            }
            i += 1;
        }
        if let Some(row) = pair.1 {
            for (channel, column) in sensors.channels() {
                column.get(row).into_iter().for_each(|value| out.set(channel, value));
            }
            for (column, slot) in sensors.extra().iter().zip(extras.iter().skip(positions.extra().len())) {
                column.get(row).into_iter().for_each(|value| out.set_extra(*slot, value));
            }
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lap, time};

    fn ms(text: &str) -> i64 {
        time::parse(text.as_bytes()).unwrap().ms
    }

    /// Positions near a place, a point every `step` seconds.
    fn gpx(start: &str, place: (f64, f64), points: i64, step: i64) -> Draft {
        let mut draft = Draft::new();
        for i in 0..points {
            draft.recording.track.push(ms(start) + i * step * 1000);
            draft.recording.track.set_position(place.0 + i as f64 * 1e-5, place.1);
        }
        draft
    }

    fn hrm(start: &str, rows: i64, step: i64) -> Draft {
        let mut draft = Draft { clock: Clock { basis: Basis::Local, ..Clock::default() }, ..Draft::new() };
        for i in 0..rows {
            draft.recording.track.push(ms(start) + i * step * 1000);
            draft.recording.track.set(Channel::HeartRate, 100.0 + (i % 50) as f32);
        }
        draft.recording.stated_start = Some(ms(start));
        draft.recording.stated.elapsed_s = Some((rows * step) as f64);
        draft.recording.laps = vec![Lap { start: ms(start), end: ms(start) + rows * step * 1000, ..Lap::default() }];
        draft
    }

    const COLOGNE: (f64, f64) = (50.94, 6.96);
    const MELBOURNE: (f64, f64) = (-37.81, 144.96);

    fn one(drafts: Vec<Draft>) -> Draft {
        let mut joined = join(drafts);
        assert_eq!(joined.len(), 1, "apart");
        joined.remove(0).0
    }

    #[test]
    fn a_clock_that_both_files_show_is_local() {
        let draft = one(vec![gpx("2012-01-04T05:35:03Z", COLOGNE, 60, 1), hrm("2012-01-04T05:35:03Z", 60, 1)]);
        assert!(draft.clock.local_as_utc && draft.clock.basis == Basis::Utc);
        let track = &draft.recording.track;
        assert_eq!((track.len(), track.positions().count()), (60, 60));
        assert_eq!(track.get(7, Channel::HeartRate), Some(107.0));
        assert_eq!(track.times()[7], ms("2012-01-04T05:35:10Z"));
    }

    #[test]
    fn true_utc_beside_a_wall_clock_stays() {
        // Melbourne in July is ten hours ahead.
        let draft = one(vec![hrm("2014-07-13T07:26:23Z", 60, 1), gpx("2014-07-12T21:26:24Z", MELBOURNE, 60, 1)]);
        assert_eq!(
            (draft.clock.local_as_utc, draft.clock.offset_s, draft.clock.evidence),
            (false, Some(36_000), Evidence::Pair)
        );
        let track = &draft.recording.track;
        assert_eq!(track.times()[0], ms("2014-07-12T21:26:23Z"));
        assert_eq!((track.len(), track.position(0), track.get(1, Channel::HeartRate)), (61, None, Some(101.0)));
        assert_eq!(draft.recording.laps[0].start, ms("2014-07-12T21:26:23Z"));
    }

    #[test]
    fn rows_join_by_time_never_by_number() {
        // Five-second rows, and the first point one row late.
        let draft = one(vec![gpx("2015-03-12T12:42:48Z", COLOGNE, 59, 5), hrm("2015-03-12T12:42:43Z", 60, 5)]);
        let track = &draft.recording.track;
        assert_eq!((track.len(), track.position(0)), (60, None));
        assert_eq!((track.position(1), track.get(1, Channel::HeartRate)), (Some(COLOGNE), Some(101.0)));
    }

    #[test]
    fn rows_go_on_after_a_pause() {
        let mut positions = gpx("2012-01-04T05:00:00Z", COLOGNE, 200, 1);
        positions.recording.track.times_mut()[100..].iter_mut().for_each(|t| *t += 300_000);
        let draft = one(vec![positions, hrm("2012-01-04T05:00:00Z", 200, 1)]);
        let track = &draft.recording.track;
        assert_eq!(track.len(), 200);
        assert_eq!((track.get(99, Channel::HeartRate), track.get(100, Channel::HeartRate)), (Some(149.0), Some(100.0)));
        assert_eq!(draft.recording.pauses.len(), 1);
        assert_eq!(draft.recording.stated.elapsed_s, None);
        // A lost signal of the same length is no pause: the rows run on.
        let mut positions = gpx("2012-01-04T05:00:00Z", COLOGNE, 200, 1);
        positions.recording.track.times_mut()[100..].iter_mut().for_each(|t| *t += 300_000);
        let draft = one(vec![positions, hrm("2012-01-04T05:00:00Z", 500, 1)]);
        assert_eq!((draft.recording.track.len(), draft.recording.pauses.len()), (500, 0));
        assert!(draft.notes.get("time.pair_end").is_none());
    }

    #[test]
    fn rows_that_go_on_after_the_positions_are_noted() {
        let ends = |rows| {
            let draft = one(vec![gpx("2012-01-04T05:00:00Z", COLOGNE, 120, 5), hrm("2012-01-04T05:00:00Z", rows, 5)]);
            draft.notes.get("time.pair_end").map(|note| note.detail.clone())
        };
        assert_eq!(ends(122), None);
        assert!(ends(180).is_some_and(|detail| detail.contains("5 min")), "{:?}", ends(180));
    }

    #[test]
    fn beats_and_names_join_their_grid() {
        let mut beats = hrm("2012-01-04T05:00:00Z", 60, 1);
        beats.recording.rr.push(crate::model::RrInterval { time: ms("2012-01-04T05:00:01Z"), ms: 600 });
        let mut names = hrm("2012-01-04T05:00:00Z", 60, 1);
        names.recording.laps[0].name = Some("Hill".into());
        let joined = join(vec![beats, hrm("2012-01-04T05:00:00Z", 60, 1), names]);
        let [(draft, of)] = &joined[..] else { panic!("{} drafts", joined.len()) };
        assert_eq!(of, &[1, 2, 0]);
        assert_eq!((draft.recording.track.len(), draft.recording.rr.len()), (60, 1));
        assert_eq!(draft.recording.laps[0].name.as_deref(), Some("Hill"));
    }

    #[test]
    fn what_does_not_fit_stays_apart() {
        // Two exercises of one evening that overlap.
        let evening = vec![hrm("2015-03-18T19:47:14Z", 453, 5), hrm("2015-03-18T20:15:48Z", 763, 5)];
        assert_eq!(join(evening).len(), 2);
        let days = vec![gpx("2012-01-04T05:00:00Z", COLOGNE, 60, 1), hrm("2012-01-09T05:00:00Z", 60, 1)];
        assert_eq!(join(days).len(), 2);
        let minutes = vec![gpx("2012-01-04T05:07:00Z", COLOGNE, 60, 1), hrm("2012-01-04T05:00:00Z", 60, 1)];
        assert_eq!(join(minutes).len(), 2);
    }

    #[test]
    fn a_stale_watch_is_a_conflict_and_true_utc_stays() {
        // The watch still shows winter time in July.
        let draft = one(vec![gpx("2012-07-04T05:00:00Z", COLOGNE, 60, 1), hrm("2012-07-04T06:00:00Z", 60, 1)]);
        assert!(draft.notes.get("zone.conflict").is_some());
        assert_eq!(draft.recording.track.times()[0], ms("2012-07-04T05:00:00Z"));
    }
}
