//! Which rows belong to which leg, lap and timer run: the cuts that GPX and TCX files are made of.

use std::ops::Range;

use crate::model::{Activity, Pause, Position, Session, Track};

/// A leg: its session, when one is stated, and its rows.
pub(super) struct Leg<'a> {
    pub session: Option<&'a Session>,
    pub rows: Range<usize>,
}

/// The legs in time order; a recording without sessions is one leg.
pub(super) fn legs(activity: &Activity) -> Vec<Leg<'_>> {
    let sessions = &activity.sessions;
    let rows = cut(&activity.track, 0..activity.track.len(), sessions.iter().map(|session| session.start));
    if sessions.is_empty() {
        return vec![Leg { session: None, rows: 0..activity.track.len() }];
    }
    sessions.iter().zip(rows).map(|(session, rows)| Leg { session: Some(session), rows }).collect()
}

/// Cuts rows at the given starts: one range a start, in order and without gaps. Rows before the first start belong to
/// the first range; a start that lies before its predecessor's gets no rows.
pub(super) fn cut(track: &Track, rows: Range<usize>, starts: impl Iterator<Item = i64>) -> Vec<Range<usize>> {
    let times = track.times().get(rows.clone()).unwrap_or_default();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for start in starts {
        let at = rows.start + times.partition_point(|&time| time < start);
        let at = match ranges.last_mut() {
            Some(before) => {
                let at = at.max(before.start);
                before.end = at;
                at
            }
            None => rows.start,
        };
        ranges.push(at..rows.end);
    }
    ranges
}

/// The timer runs inside rows: a new one starts where a pause ends. Runs without rows are left out.
pub(super) fn runs(track: &Track, rows: Range<usize>, pauses: &[Pause]) -> Vec<Range<usize>> {
    let times = track.times().get(rows.clone()).unwrap_or_default();
    let mut runs = Vec::new();
    let mut from = rows.start;
    for pause in pauses.iter().filter(|pause| pause.end > pause.start) {
        let at = rows.start + times.partition_point(|&time| time < pause.end);
        if at > from {
            runs.push(from..at);
            from = at;
        }
    }
    if rows.end > from {
        runs.push(from..rows.end);
    }
    runs
}

/// Distance covered in rows, metres: from the distance column, else between the positions; `None` without either.
pub(super) fn metres(track: &Track, rows: Range<usize>) -> Option<f64> {
    let before = (0..=rows.start).rev().find_map(|row| track.distance(row)).unwrap_or(0.0);
    if let Some(last) = rows.clone().rev().find_map(|row| track.distance(row)) {
        return Some((last - before).max(0.0));
    }
    let mut from: Option<Position> = None;
    let mut sum = None;
    for (lat, lon) in rows.filter_map(|row| track.position(row)) {
        let here = Position::new(lat, lon);
        sum = Some(sum.unwrap_or(0.0) + from.map_or(0.0, |there| there.metres_to(&here)));
        from = Some(here);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(times: &[i64]) -> Track {
        let mut track = Track::new();
        for &time in times {
            track.push(time);
        }
        track
    }

    #[test]
    fn rows_fall_into_the_last_span_that_has_started() {
        let track = track(&[5, 10, 20, 20, 30]);
        assert_eq!(cut(&track, 0..5, [10, 20, 30].into_iter()), [0..2, 2..4, 4..5]);
        assert_eq!(cut(&track, 0..5, [10, 40].into_iter()), [0..5, 5..5]);
        assert_eq!(cut(&track, 0..5, [20, 10, 30].into_iter()), [0..1, 1..4, 4..5]);
        assert!(cut(&track, 0..5, [].into_iter()).is_empty());
    }

    #[test]
    fn a_run_starts_where_a_pause_ends() {
        let track = track(&[0, 1000, 2000, 9000, 9500]);
        let pause = |start, end| Pause { start, end, auto: false };
        assert_eq!(runs(&track, 0..5, &[pause(2000, 9000)]), [0..3, 3..5]);
        assert_eq!(runs(&track, 0..5, &[pause(2000, 2000), pause(-5, 0), pause(9500, 99_000)]), vec![0..5; 1]);
        assert_eq!(runs(&track, 1..4, &[pause(100, 1000), pause(2000, 8000), pause(2500, 8500)]), [1..3, 3..4]);
        assert!(runs(&track, 2..2, &[]).is_empty());
    }

    #[test]
    fn distance_comes_from_the_column_or_the_positions() {
        let mut track = track(&[0, 1000, 2000]);
        assert_eq!(metres(&track, 0..3), None);
        track.set_position_at(0, 0.0, 0.0);
        track.set_position_at(2, 0.0, 1.0);
        // One degree of the equator of a sphere of 6,371,008.8 m.
        assert!((metres(&track, 0..3).unwrap() - 111_195.08).abs() < 0.1);
        track.set_distance_at(0, 100.0);
        track.set_distance_at(2, 150.0);
        assert_eq!(metres(&track, 1..3), Some(50.0));
    }
}
