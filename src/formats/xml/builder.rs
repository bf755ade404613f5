//! Turns samples into the columns of a track, and what their time texts say about zones into a clock.

use super::point::{Extras, Point};
use crate::error::{Error, Place, Result};
use crate::limits::Limits;
use crate::model::time::Stamp;
use crate::model::{Basis, Channel, Clock, Evidence, ExtraKey, Pause, Track};
use crate::report::{Code, Notes};

const MIXED_ZONES: Code = Code::warning("xml.mixed_zones");
const WORDS: Code = Code::info("xml.words");
const BOTH_CADENCES: &str = "Cadence";

/// A quarter of an hour, seconds: real offsets are multiples of it.
const QUARTER_S: i32 = 900;

/// Collects the samples of one activity.
#[derive(Debug, Default)]
pub struct Builder {
    /// The samples so far.
    pub track: Track,
    /// Pauses so far.
    pub pauses: Vec<Pause>,
    /// The time that samples without time carry when none of their neighbours has one, ms.
    pub fallback: i64,
    slots: Vec<Option<usize>>,
    timed: usize,
    last: Option<i64>,
    stopped: Option<i64>,
    /// How many samples had a time when the last pause ended.
    timed_at_pause: usize,
    zones: Zones,
    stated_zones: Zones,
    words: u64,
}

/// How often each kind of zone mark occurred.
#[derive(Debug, Default)]
struct Zones {
    zulu: u64,
    naive: u64,
    offsets: Vec<(i32, u64)>,
}

impl Builder {
    /// Appends a sample.
    ///
    /// # Errors
    /// `Limit` when the activity has too many.
    #[inline]
    pub fn add(&mut self, point: &Point, extras: &Extras, limits: &Limits) -> Result<()> {
        if self.track.len() >= limits.samples {
            return Err(Error::limit("--max-samples", format!("more than {} samples", limits.samples)));
        }
        match point.time {
            Some(instant) => {
                self.start(instant.ms);
                self.zones.count(instant.stamp);
                let row = self.track.push(instant.ms);
                if self.timed == 0 {
                    // Samples before the first timed one carry its time.
                    let fallback = self.fallback;
                    let before = self.track.times_mut().iter_mut().take(row);
                    before.filter(|time| **time == fallback).for_each(|time| *time = instant.ms);
                }
                self.timed += 1;
                self.last = Some(instant.ms);
            }
            None => {
                self.track.push_untimed(self.fallback);
            }
        }
        let track = &mut self.track;
        if !point.lat.is_nan() && !point.lon.is_nan() {
            track.set_position(point.lat, point.lon);
        }
        if !point.distance.is_nan() {
            track.set_distance(point.distance);
        }
        for &(channel, value) in &point.values {
            track.set(channel, value);
        }
        if !point.run_cadence.is_nan() {
            // A foot pod and a second cadence on one sample: strides are the cadence, the other is kept by name.
            let row = track.len() - 1;
            if let Some(other) = track.get(row, Channel::Cadence) {
                let slot = track.extra_slot(ExtraKey { name: BOTH_CADENCES.into(), unit: "rpm".into(), fit: None });
                track.set_extra(slot, f64::from(other));
            }
            track.set(Channel::Cadence, point.run_cadence as f32);
        }
        for &(index, value) in &point.extra {
            if self.slots.len() <= index {
                self.slots.resize(index + 1, None);
            }
            let slot = *self.slots[index].get_or_insert_with(|| {
                let name = extras.names().get(index).map_or("", |name| name);
                track.extra_slot(ExtraKey { name: name.to_owned(), unit: unit_of(name).to_owned(), fit: None })
            });
            track.set_extra(slot, value);
        }
        self.words += point.words;
        Ok(())
    }

    /// How many samples have a time.
    pub fn timed(&self) -> usize {
        self.timed
    }

    /// The timer stops: at `ms`, or at the last instant. Nothing before the first sample, or when it is stopped.
    pub fn stop(&mut self, ms: Option<i64>) {
        if self.timed > 0 && self.stopped.is_none() {
            self.stopped = ms.or(self.last);
        }
    }

    /// A start is stated with this zone mark; it counts where no sample has a time.
    pub fn stated(&mut self, stamp: Stamp) {
        self.stated_zones.count(stamp);
    }

    /// Something other than a sample is known to be at `ms`.
    pub fn touch(&mut self, ms: i64) {
        self.last = Some(ms);
    }

    /// The timer runs again, or is seen running, at `ms`.
    #[inline]
    pub fn start(&mut self, ms: i64) {
        if let Some(start) = self.stopped.take()
            && ms > start
        {
            match self.pauses.last_mut() {
                // Without a sample in between it is the same stop.
                Some(pause) if pause.end == start && self.timed == self.timed_at_pause => pause.end = ms,
                _ => self.pauses.push(Pause { start, end: ms, auto: false }),
            }
            self.timed_at_pause = self.timed;
        }
    }

    /// Forgets an open stop: what follows is not a pause.
    pub fn forget_stop(&mut self) {
        self.stopped = None;
    }

    /// What the time texts said about zones, as a clock; texts without a place become a note.
    pub fn clock(&mut self, notes: &mut Notes) -> Clock {
        let words = self.words;
        notes.add_many(WORDS, words, Place::NOWHERE, || {
            format!("{words} things said of single points (symbols, comments, kind of fix …) have no place in a sample")
        });
        let stated = self.stated_zones.clock(&mut Notes::new());
        if self.timed == 0 {
            return stated;
        }
        match self.zones.clock(notes) {
            // Samples in UTC below a start with an offset: the offset is known all the same.
            clock if clock.basis == Basis::Utc && stated.basis == Basis::Offset => {
                Clock { basis: Basis::Utc, ..stated }
            }
            clock => clock,
        }
    }
}

impl Zones {
    #[inline]
    fn count(&mut self, stamp: Stamp) {
        match stamp {
            Stamp::Zulu => self.zulu += 1,
            Stamp::Naive => self.naive += 1,
            Stamp::Offset(offset) => match self.offsets.iter_mut().find(|(have, _)| *have == offset) {
                Some((_, count)) => *count += 1,
                None => self.offsets.push((offset, 1)),
            },
        }
    }

    fn clock(&self, notes: &mut Notes) -> Clock {
        let kinds = usize::from(self.zulu > 0) + usize::from(self.naive > 0) + self.offsets.len();
        if kinds > 1 {
            notes.add(MIXED_ZONES, Place::NOWHERE, || {
                let offsets: u64 = self.offsets.iter().map(|(_, count)| count).sum();
                format!("times are written in {kinds} zones: {} UTC, {offsets} offset, {} bare", self.zulu, self.naive)
            });
        }
        // The most frequent mark speaks for all; the first of equals.
        let mut best: Option<(i32, u64)> = None;
        for &(offset, count) in &self.offsets {
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((offset, count));
            }
        }
        match best {
            Some((offset, count)) if count > self.zulu && count > self.naive => {
                let rounded = (f64::from(offset) / f64::from(QUARTER_S)).round() as i32 * QUARTER_S;
                Clock {
                    basis: Basis::Offset,
                    offset_s: Some(rounded),
                    evidence: Evidence::Stated,
                    residual_s: offset - rounded,
                    ..Clock::default()
                }
            }
            _ if self.naive > self.zulu => Clock { basis: Basis::Local, ..Clock::default() },
            _ => Clock::default(),
        }
    }
}

/// Units of numbers that the channel table does not name (gpx.md sections 1 and 2).
fn unit_of(name: &str) -> &'static str {
    match name {
        "gain" | "loss" | "geoidheight" | "ascent" => "m",
        "magvar" | "bearing" => "°",
        "ageofdgpsdata" => "s",
        "seaLevelPressure" => "hPa",
        "Cadence" => "rpm",
        _ => "",
    }
}
