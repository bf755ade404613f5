//! Faults of single producers, told by what the samples look like.

use crate::error::Place;
use crate::model::{Channel, ExtraKey, Position, Track};
use crate::report::{Code, Notes};

const INCREMENTS: Code = Code::warning("gpx.ascent_increments");
const END_COPIES: Code = Code::warning("gpx.end_copies");

const DISTANCE_STEPS: Code = Code::info("gpx.distance_steps");

/// A copy of the end lies further than this from the point before it, degrees: some twenty metres, which no recorder
/// that stands still at the end jumps to and fro.
const JUMP_DEGREES: f64 = 0.0002;

/// Huawei's app for iOS writes copies of the last position, with wrong times and heights, between the true points
/// (huawei.md section 7). They are told by their number: more than a fifth of the points, each apart from the others.
pub(super) fn drop_end_copies(track: &mut Track, notes: &mut Notes) {
    let points: Vec<(usize, (f64, f64))> = track.positions().collect();
    let Some(&(last, end)) = points.last() else { return };
    let jumps = |before: (f64, f64)| (before.0 - end.0).abs().max((before.1 - end.1).abs()) > JUMP_DEGREES;
    let copies = points.windows(2).filter(|pair| pair[1].1 == end && pair[1].0 != last && jumps(pair[0].1)).count();
    if copies * 5 <= points.len() {
        return;
    }
    let keep = |row: &u32| *row as usize == last || track.position(*row as usize) != Some(end);
    let rows: Vec<u32> = (0..track.len() as u32).filter(keep).collect();
    let dropped = (track.len() - rows.len()) as u64;
    *track = track.pick(&rows);
    notes.add_many(END_COPIES, dropped, Place::NOWHERE, || {
        format!(
            "{dropped} copies of the last position between the other points, as Huawei's app writes them, were left out"
        )
    });
}

/// Some producers write the distance since the point before instead of the one since the start: OpenTracks as
/// `opentracks:distance` (until 2022 alone, OpenTracks issue 1161, since then in front of the `cluetrust:distance` that runs
/// on), MyTourbook as `gpxdata:distance` (issue 771). Steps rise and fall from point to point, which a running distance
/// does only where it begins anew; at an even pace they add up to the length of the track, of which the last one is a part.
pub(super) fn add_up_distances(track: &mut Track, notes: &mut Notes) {
    let (mut count, mut falls, mut rises, mut sum) = (0, 0, 0, 0.0);
    let (mut before, mut least) = (f64::NAN, 0.0);
    let [_, _, distances] = track.raw_geometry();
    for &metres in distances.iter().filter(|metres| !metres.is_nan()) {
        falls += usize::from(metres < before);
        rises += usize::from(metres > before);
        count += 1;
        sum += metres;
        least = if metres < least { metres } else { least };
        before = metres;
    }
    let uneven = falls > 1 && falls * 8 > count;
    let even = count > 4 && rises * 2 < count;
    if least < 0.0 || !(uneven || even) {
        return;
    }
    let length = length(track);
    // Where there is no way to compare with, falls alone have to tell.
    if !(is_near(sum, length) || uneven && (length == 0.0 || sum < 2.0 * length)) {
        return;
    }
    let mut run = 0.0;
    for row in 0..track.len() {
        if let Some(metres) = track.distance(row) {
            run += metres;
            track.set_distance_at(row, run);
        }
    }
    notes.add_many(DISTANCE_STEPS, count as u64, Place::NOWHERE, || {
        format!("{count} distances are those since the point before; they were added up")
    });
}

/// True for lengths of one track by two ways of measuring.
fn is_near(a: f64, b: f64) -> bool {
    a > 0.0 && (a / b - 1.0).abs() < 0.1
}

/// Length of the line through the positions, m.
fn length(track: &Track) -> f64 {
    let positions: Vec<Position> = track.positions().map(|(_, (lat, lon))| Position::new(lat, lon)).collect();
    positions.windows(2).map(|pair| pair[0].metres_to(&pair[1])).sum()
}

/// nrc-exporter feeds Nike's `ascent` increments into `ele` (nike.md sections 3.1 and 4). All three signs are needed:
/// every value above 0 and below 5 m, none on the first point, on fewer than half of the points. The values are kept
/// under their true name.
pub(super) fn move_increments(track: &mut Track, notes: &mut Notes) {
    let Some(column) = track.column(Channel::Altitude) else { return };
    let values: Vec<(usize, f32)> = column.present().collect();
    let small = values.iter().all(|&(_, value)| value > 0.0 && value < 5.0);
    if values.is_empty() || !small || values[0].0 == 0 || values.len() * 2 >= track.len() {
        return;
    }
    let slot = track.extra_slot(ExtraKey { name: "ascent".to_owned(), unit: "m".to_owned(), fit: None });
    for &(row, value) in &values {
        if let Some(column) = track.extra_mut().get_mut(slot) {
            column.set(row, f64::from(value));
        }
        if let Some(column) = track.column_mut(Channel::Altitude) {
            column.clear(row);
        }
    }
    notes.add_many(
        INCREMENTS,
        values.len() as u64,
        Place::NOWHERE,
        || "the elevations are ascent increments, as nrc-exporter writes them; kept as the extra channel ascent",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points 11 m apart on a meridian; after every third one of them a copy of the end when `copies`.
    fn track(copies: bool) -> Track {
        let mut track = Track::new();
        for i in 0..300 {
            track.push(i * 1000);
            track.set_position(47.0 + i as f64 * 0.0001, 8.0);
            if copies && i % 3 == 0 && i < 290 {
                track.push(i * 1000 + 7_200_000);
                track.set_position(47.0 + 299.0 * 0.0001, 8.0);
            }
        }
        track
    }

    #[test]
    fn copies_of_the_end_between_the_points_are_left_out() {
        let (mut damaged, mut notes) = (track(true), Notes::new());
        assert_eq!(damaged.len(), 397);
        drop_end_copies(&mut damaged, &mut notes);
        assert_eq!((damaged, notes.get("gpx.end_copies").map(|note| note.count)), (track(false), Some(97)));
    }

    /// Points 11.12 m apart on a meridian with these distances.
    fn with_distances(metres: &[f64]) -> Track {
        let mut track = track(false).pick(&(0..metres.len() as u32).collect::<Vec<_>>());
        metres.iter().enumerate().for_each(|(row, &metres)| track.set_distance_at(row, metres));
        track
    }

    #[test]
    fn distances_since_the_point_before_are_added_up() {
        for (steps, sums) in [
            // As in OpenTracks issue 1161.
            (&[9.6, 2.2, 9.7, 2.9, 11.8, 9.0][..], &[9.6, 11.8, 21.5, 24.4, 36.2, 45.2][..]),
            (&[0.0, 11.0, 11.0, 11.0, 11.0, 11.0], &[0.0, 11.0, 22.0, 33.0, 44.0, 55.0]),
        ] {
            let (mut track, mut notes) = (with_distances(steps), Notes::new());
            add_up_distances(&mut track, &mut notes);
            let found: Vec<f64> = (0..6).map(|row| (track.distance(row).unwrap() * 10.0).round() / 10.0).collect();
            assert_eq!(found, sums);
            assert_eq!(notes.get("gpx.distance_steps").map(|note| note.count), Some(6));
        }
    }

    #[test]
    fn distances_that_run_on_stay() {
        for metres in [
            &[0.0, 11.0, 22.0, 33.0, 44.0, 55.0][..],
            // One that stands, one that begins anew, one of which only an end is known.
            &[0.0, 11.0, 11.0, 11.0, 11.0, 22.0],
            &[0.0, 11.0, 22.0, 0.0, 11.0, 22.0],
            &[0.0, 55.0],
            // One that shakes.
            &[0.0, 13.0, 12.0, 36.0, 35.0, 55.0],
            &[],
        ] {
            let (mut track, mut notes) = (with_distances(metres), Notes::new());
            let before = track.clone();
            add_up_distances(&mut track, &mut notes);
            assert_eq!((track, notes.is_empty()), (before, true));
        }
    }

    #[test]
    fn standing_at_the_end_and_passing_it_often_are_no_copies() {
        let mut standing = track(false);
        for i in 0..400 {
            standing.push(300_000 + i * 1000);
            // The position jumps between two steps of its grid.
            standing.set_position(47.0299 + (i % 2) as f64 * 0.0001, 8.0);
        }
        let mut rounds = Track::new();
        for i in 0..1000 {
            rounds.push(i * 1000);
            rounds.set_position(47.0 + (i % 9) as f64 * 0.001, 8.0);
        }
        for mut track in [track(false), standing, rounds] {
            let (before, mut notes) = (track.clone(), Notes::new());
            drop_end_copies(&mut track, &mut notes);
            assert_eq!((track, notes.is_empty()), (before, true));
        }
    }
}
