//! Speed in km/h, as some producers write it where GPX and TCX mean m/s.

use crate::error::Place;
use crate::model::{Channel, Draft, Position, Track};
use crate::report::{Code, Notes};

const KMH: Code = Code::warning("xml.speed_kmh");

/// km/h in one m/s.
const KMH_PER_MS: f64 = 3.6;
/// So many steps from sample to sample have to agree.
const FEWEST_STEPS: usize = 20;
/// About so many are looked at.
const MOST_STEPS: usize = 1024;
/// Slower steps say more of the noise than of the unit, m/s.
const SLOWEST: f64 = 1.0;
/// Longer gaps hide what happened, ms.
const LONGEST_GAP_MS: i64 = 10_000;

/// Brings speeds in km/h to m/s. What the distances say, else the positions, tells: half of the speeds are about 3.6 times
/// as large (a-rival SpoQ writes such GPX files, myETraining such TCX files: GoldenCheetah issue 1826).
pub fn judge_speed(draft: &mut Draft) {
    let Draft { recording, notes, .. } = draft;
    judge(&mut recording.track, notes);
}

fn judge(track: &mut Track, notes: &mut Notes) {
    if track.column(Channel::Speed).is_none_or(|column| column.count() <= FEWEST_STEPS) {
        return;
    }
    let mut ratios = ratios(track);
    if ratios.len() < FEWEST_STEPS {
        return;
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let at = |quarter: usize| ratios[ratios.len() * quarter / 4] / KMH_PER_MS;
    if !((0.85..1.15).contains(&at(1)) && (0.92..1.08).contains(&at(2)) && (0.85..1.15).contains(&at(3))) {
        return;
    }
    let Some(column) = track.column_mut(Channel::Speed) else { return };
    column.raw_mut().iter_mut().for_each(|value| *value = (f64::from(*value) / KMH_PER_MS) as f32);
    notes.add_many(
        KMH,
        column.count() as u64,
        Place::NOWHERE,
        || "the speeds are 3.6 times what the track says; they are km/h and were brought to m/s",
    );
}

/// Stated by way of travelled speed, for each step that shows both.
fn ratios(track: &Track) -> Vec<f64> {
    let by_distance = track.has_distance();
    let place = |row: usize| track.position(row).map(|(lat, lon)| Position::new(lat, lon));
    let mut ratios = Vec::new();
    // An even choice of them tells as much as all.
    for row in (1..track.len()).step_by((track.len() / MOST_STEPS).max(1)) {
        let (before, ms) = (row - 1, track.times()[row] - track.times()[row - 1]);
        if !(1..=LONGEST_GAP_MS).contains(&ms) || !track.is_timed(row) || !track.is_timed(before) {
            continue;
        }
        let metres = if by_distance {
            track.distance(row).zip(track.distance(before)).map(|(here, there)| here - there)
        } else {
            place(row).zip(place(before)).map(|(here, there)| there.metres_to(&here))
        };
        let stated = track.get(row, Channel::Speed).zip(track.get(before, Channel::Speed));
        let (Some(metres), Some((here, there))) = (metres, stated) else { continue };
        let travelled = metres * 1000.0 / ms as f64;
        if travelled >= SLOWEST {
            ratios.push(f64::from(here + there) / 2.0 / travelled);
        }
    }
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ride of 8 m/s whose speeds are so many times that; with distances, else with positions.
    fn ride(factor: f32, distances: bool) -> Track {
        let mut track = Track::new();
        for second in 0..60 {
            track.push(i64::from(second) * 1000);
            if distances {
                track.set_distance(f64::from(second) * 8.0);
            } else {
                track.set_position(47.0 + f64::from(second) * 8.0 / 111_195.0, 8.0);
            }
            track.set(Channel::Speed, (8.0 + (second % 3 - 1) as f32 / 4.0) * factor);
        }
        track
    }

    #[test]
    fn kilometres_an_hour_are_brought_to_metres_a_second() {
        for distances in [true, false] {
            let (mut track, mut notes) = (ride(3.6, distances), Notes::new());
            judge(&mut track, &mut notes);
            assert!((track.get(30, Channel::Speed).unwrap() - 7.75).abs() < 1e-3);
            assert_eq!(notes.get("xml.speed_kmh").map(|note| note.count), Some(60));
        }
    }

    #[test]
    fn other_speeds_stay() {
        for (factor, distances) in [(1.0, true), (1.0, false), (2.237, true), (3.0, true), (4.3, false)] {
            let (mut track, mut notes) = (ride(factor, distances), Notes::new());
            judge(&mut track, &mut notes);
            assert_eq!((track, notes.is_empty()), (ride(factor, distances), true), "{factor}");
        }
    }
}
