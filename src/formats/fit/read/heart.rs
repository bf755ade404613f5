//! `hr` messages (132): heart rate that a strap buffered (in water) and handed over afterwards, with its own clock.
//! Merged onto the samples as Garmin's SDK does (section 6 of its `hr_mesg_utils`), but only where they have no heart rate.

use super::definition::Message;
use crate::model::time::FIT_EPOCH_S;
use crate::model::{Channel, Track};

/// Instants in here count 1/32768 s since the FIT epoch: both clocks of the message are whole in it.
const SECOND: i64 = 32_768;
/// One tick of the strap's clock, 1/1024 s.
const TICK: i64 = SECOND / 1024;
/// A value holds in steps of 250 ms …
const STEP: i64 = SECOND / 4;
/// … for 5 s at most.
const STEPS: i64 = 20;

/// Twelve days of values every quarter of a second.
const MOST_VALUES: usize = 4 << 20;

/// Heart rates of the strap, on the time line.
#[derive(Debug, Default)]
pub(super) struct Heart {
    /// Instant and bpm, gaps filled.
    values: Vec<(i64, u8)>,
    /// Instant and strap clock of the last anchor.
    anchor: Option<(i64, i64)>,
    clock: i64,
    too_many: u64,
}

impl Heart {
    /// Takes one message. An anchor binds the strap's clock to the time line; others only count on.
    pub fn take(&mut self, message: &Message<'_>) {
        let mut clocks: Vec<i64> = message.numbers(9).flatten().map(|raw| raw as i64).collect();
        if let (Some(seconds), Some(&clock)) = (message.uint::<u32>(253), clocks.first()) {
            let fraction = message.uint::<u16>(0).unwrap_or(0);
            self.anchor = Some((i64::from(seconds) * SECOND + i64::from(fraction), clock));
        }
        let Some((instant, at)) = self.anchor else { return };
        if let Some(&last) = clocks.last() {
            self.clock = last;
        }
        for packed in message.bytes(10).unwrap_or_default().chunks_exact(3) {
            let &[b0, b1, b2] = packed else { continue };
            let [b0, b1, b2] = [b0, b1, b2].map(i64::from);
            for low in [b0 | (b1 & 0x0F) << 8, b1 >> 4 | b2 << 4] {
                self.clock += (low - self.clock) & 0xFFF;
                clocks.push(self.clock);
            }
        }
        for (bpm, clock) in message.numbers(6).zip(clocks) {
            // The strap's clock has 32 bits; behind the anchor by more than 2^22 s means that it started again.
            let ticks = clock - at;
            let ticks = if ticks < -(1 << 22) * 1024 { ticks + (1 << 32) } else { ticks };
            if self.values.len() > MOST_VALUES {
                self.too_many += 1;
            } else if let Some(bpm) = bpm.filter(|bpm| (1.0..255.0).contains(bpm)) {
                self.push(instant + ticks * TICK, bpm as u8);
            }
        }
    }

    fn push(&mut self, instant: i64, bpm: u8) {
        if let Some(&(before, held)) = self.values.last() {
            let gap = (instant - before).abs();
            let steps = (1..=STEPS).take_while(|step| gap > STEP * step);
            self.values.extend(steps.map(|step| (before + STEP * step, held)));
        }
        self.values.push((instant, bpm));
    }

    /// Takes over what a later segment brought.
    pub fn append(&mut self, later: Heart) {
        self.too_many += later.too_many;
        let room = MOST_VALUES.saturating_sub(self.values.len());
        self.too_many += later.values.len().saturating_sub(room) as u64;
        self.values.extend(later.values.into_iter().take(room));
    }

    /// Values beyond what a strap can hold.
    pub fn too_many(&self) -> u64 {
        self.too_many
    }

    /// True without any value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Gives each sample that has no heart rate the mean of what the strap measured since the sample before it. A
    /// recording without samples gets one a value. Returns how many samples it filled.
    pub fn merge(mut self, track: &mut Track) -> usize {
        self.values.sort_by_key(|value| value.0);
        let mut filled = 0;
        if track.is_empty() {
            for (instant, bpm) in self.values {
                track.push(instant * 1000 / SECOND + FIT_EPOCH_S * 1000);
                track.set(Channel::HeartRate, bpm.into());
                filled += 1;
            }
            return filled;
        }
        let mut rows: Vec<usize> = (0..track.len()).filter(|&row| track.is_timed(row)).collect();
        rows.sort_by_key(|&row| track.times()[row]);
        let mut before = None;
        for row in rows {
            let here = (track.times()[row] - FIT_EPOCH_S * 1000) * SECOND / 1000;
            let from = before.filter(|before| *before != here).unwrap_or(here - SECOND);
            before = Some(here);
            if track.get(row, Channel::HeartRate).is_some_and(|bpm| bpm > 0.0) {
                continue;
            }
            let range = self.values.partition_point(|v| v.0 <= from)..self.values.partition_point(|v| v.0 <= here);
            let values = &self.values[range];
            if !values.is_empty() {
                let sum: u32 = values.iter().map(|value| u32::from(value.1)).sum();
                track.set_at(row, Channel::HeartRate, (f64::from(sum) / values.len() as f64).round() as f32);
                filled += 1;
            }
        }
        filled
    }
}
