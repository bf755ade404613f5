//! Totals computed from the samples: distance, elapsed and moving time, climb.

use crate::model::{Channel, Position, Totals, Track};

/// Slower than this is standing, m/s.
const MOVING_SPEED: f64 = 0.3;
/// A longer gap between two samples does not count as moving, ms.
const LONGEST_STEP_MS: i64 = 30_000;
/// Climb only counts beyond this much change, so that barometer and GPS noise do not add up, m.
const CLIMB_STEP: f64 = 2.0;

/// Computes what the samples say; a total without the samples it needs is absent.
pub(super) fn totals(track: &Track) -> Totals {
    let mut totals = Totals::default();
    let times = track.times();
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        totals.elapsed_s = Some((last - first) as f64 / 1000.0);
    }
    let (mut metres, mut moving_ms) = (0.0, 0i64);
    let mut from: Option<(usize, Position)> = None;
    for (row, (lat, lon)) in track.positions() {
        let here = Position::new(lat, lon);
        if let Some((before, there)) = from {
            let step = there.metres_to(&here);
            let ms = times[row] - times[before];
            metres += step;
            if ms <= LONGEST_STEP_MS && step * 1000.0 >= MOVING_SPEED * ms as f64 {
                moving_ms += ms;
            }
        }
        from = Some((row, here));
    }
    if from.is_some() {
        totals.distance_m = Some(metres);
        totals.moving_s = Some(moving_ms as f64 / 1000.0);
    } else if track.has_distance() {
        let (mut sum, mut last) = (0.0, None::<f64>);
        for distance in (0..track.len()).filter_map(|row| track.distance(row)) {
            sum += (distance - last.unwrap_or(0.0)).max(0.0);
            last = Some(distance);
        }
        totals.distance_m = Some(sum);
    }
    if let Some(column) = track.column(Channel::Altitude) {
        let (mut up, mut down, mut mark) = (0.0, 0.0, None::<f64>);
        for (_, value) in column.present() {
            let height = f64::from(value);
            let change = height - *mark.get_or_insert(height);
            if change.abs() >= CLIMB_STEP {
                if change > 0.0 {
                    up += change
                } else {
                    down -= change
                }
                mark = Some(height);
            }
        }
        if mark.is_some() {
            (totals.ascent_m, totals.descent_m) = (Some(up), Some(down));
        }
    }
    totals
}
