//! Plausibility: values outside their channel's range, positions that are none, heart rates of 0.

use crate::error::Place;
use crate::model::{Channel, Recording};
use crate::report::{Code, Notes};

const RANGE: Code = Code::warning("range.value");
const ZERO_HEART_RATE: Code = Code::info("range.heart_rate_zero");
const NO_FIX: Code = Code::info("range.no_fix");
const POSITION: Code = Code::warning("range.position");

/// Drops what cannot be true, with a note that names channel, row and value.
pub(super) fn check(recording: &mut Recording, notes: &mut Notes) {
    let track = &mut recording.track;
    for &channel in Channel::ALL {
        let Some(column) = track.column_mut(channel) else { continue };
        let info = channel.info();
        let (mut outside, mut zeros, mut first) = (0u64, 0u64, None);
        for (row, value) in column.raw_mut().iter_mut().enumerate() {
            if value.is_nan() || (info.low..=info.high).contains(value) {
                continue;
            }
            if channel == Channel::HeartRate && *value == 0.0 {
                zeros += 1;
            } else {
                outside += 1;
                first.get_or_insert((row, *value));
            }
            *value = f32::NAN;
        }
        notes.add_many(ZERO_HEART_RATE, zeros, Place::NOWHERE, || {
            format!("{zeros} heart rates of 0 mean that there was no signal")
        });
        if let Some((row, value)) = first {
            notes.add_many(RANGE, outside, Place::NOWHERE.record(row), || {
                format!("{} {value} {} is out of range and was left out", channel.name(), info.unit)
            });
        }
    }
    let (mut zeros, mut outside, mut first) = (0u64, 0u64, None);
    for row in 0..track.len() {
        let Some((lat, lon)) = track.position(row) else { continue };
        if (lat, lon) == (0.0, 0.0) {
            zeros += 1;
        } else if lat.abs() <= 90.0 && lon.abs() <= 180.0 {
            continue;
        } else {
            outside += 1;
            first.get_or_insert((row, lat, lon));
        }
        track.clear_position(row);
    }
    notes.add_many(NO_FIX, zeros, Place::NOWHERE, || format!("{zeros} positions of 0°, 0° mean that there was no fix"));
    if let Some((row, lat, lon)) = first {
        notes.add_many(POSITION, outside, Place::NOWHERE.record(row), || {
            format!("position {lat}, {lon} is not on the earth and was left out")
        });
    }
    let mut negative = 0;
    for row in 0..track.len() {
        if track.distance(row).is_some_and(|d| !(0.0..1e9).contains(&d)) {
            track.clear_distance(row);
            negative += 1;
        }
    }
    notes.add_many(RANGE, negative, Place::NOWHERE, || format!("{negative} distances were out of range and left out"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_what_cannot_be_and_keeps_zero_power() {
        let mut recording = Recording::default();
        let track = &mut recording.track;
        track.push(0);
        track.set(Channel::HeartRate, 0.0);
        track.set(Channel::Power, 0.0);
        track.set_position(0.0, 0.0);
        track.push(1000);
        track.set(Channel::Power, 65535.0);
        track.set_position(95.0, 8.0);
        let mut notes = Notes::new();
        check(&mut recording, &mut notes);
        let track = &recording.track;
        assert_eq!(track.get(0, Channel::HeartRate), None);
        assert_eq!(track.get(0, Channel::Power), Some(0.0));
        assert_eq!(track.get(1, Channel::Power), None);
        assert_eq!(track.positions().count(), 0);
        for code in ["range.heart_rate_zero", "range.value", "range.no_fix", "range.position"] {
            assert_eq!(notes.get(code).map(|n| n.count), Some(1), "{code}");
        }
    }
}
