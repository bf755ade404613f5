//! A `Lap`: its totals, its tracks, their points.

use super::read::{Activity, DATE, Document};
use crate::error::Result;
use crate::formats::xml::{self, Tag};
use crate::model::{Intensity, Lap, LapTrigger, Totals};

/// A stated start that is further than this from the samples is not theirs, ms.
pub(super) const FAR_MS: i64 = 86_400_000;
/// A smaller step back of the cumulative distance is rounding, m.
const RESET_M: f64 = 0.5;

/// Instants of the entries of one lap, pause marks included.
#[derive(Default)]
struct Span {
    first: Option<i64>,
    last: Option<i64>,
}

impl<'a> Document<'a, '_, '_> {
    /// Reads a `Lap` (or a `Transition`, which is one).
    pub(super) fn lap(&mut self, lap_tag: &Tag<'a>, activity: &mut Activity) -> Result<()> {
        let stated = self.lap_start(lap_tag, activity);
        let pauses = activity.builder.pauses.len();
        let (mut lap, mut span, mut tracks) = (Lap::default(), Span::default(), 0);
        let result = loop {
            let Some(tag) = self.cursor.child(lap_tag.level) else { break Ok(()) };
            match tag.name {
                "Track" => {
                    if tracks > 0 || activity.after_mark {
                        activity.builder.stop(None);
                    }
                    tracks += 1;
                    if let Err(error) = self.track(&tag, activity, &mut span) {
                        break Err(error);
                    }
                }
                "Trackpoint" => {
                    if let Err(error) = self.point(&tag, activity, &mut span, &mut false) {
                        break Err(error);
                    }
                }
                "Intensity" => lap.intensity = self.words(&tag).and_then(|word| intensity(&word)),
                "TriggerMethod" => lap.trigger = self.words(&tag).and_then(|word| trigger(&word)),
                "Notes" => lap.name = self.words(&tag),
                "Extensions" => {
                    while let Some(group) = self.cursor.child(tag.level) {
                        self.statistics(&group, &mut lap.totals);
                    }
                }
                _ => self.total_or_not(&tag, &mut lap.totals),
            }
        };
        let previous = activity.laps.last().map(|lap| lap.end);
        let start = stated.filter(|start| span.first.is_none_or(|first| (first - start).abs() <= FAR_MS));
        if stated.is_some() && start.is_none() {
            activity.starts.retain(|have| Some(*have) != stated);
            xml::note(
                self.cursor.source(),
                &mut activity.notes,
                DATE,
                lap_tag.at,
                lap_tag.name,
                || "the start of the lap is more than a day from its samples; the samples are believed",
            );
        }
        lap.start = start.or(span.first).or(previous).or(activity.starts.first().copied()).unwrap_or_default();
        let paused: i64 = activity.builder.pauses[pauses..].iter().map(|pause| pause.end - pause.start).sum();
        let timer_ms = lap.totals.timer_s.map_or(0, |s| (s.clamp(0.0, 1e7) * 1000.0).round() as i64);
        let by_timer = lap.start + timer_ms + paused;
        lap.end = match span.last {
            Some(last) if by_timer - last > FAR_MS => last,
            Some(last) => by_timer.max(last),
            None => by_timer,
        };
        if let Some(previous) = activity.laps.last_mut()
            && previous.end > lap.start
        {
            previous.end = lap.start.max(previous.start);
        }
        activity.laps.push(lap);
        result
    }

    /// A `Track` or a `Trackpoint` beside the laps instead of inside: it belongs to the last lap of its `Activity`, whose
    /// laps begin at `first_lap`, or makes one.
    pub(super) fn beside_laps(&mut self, tag: &Tag<'a>, activity: &mut Activity, first_lap: usize) -> Result<()> {
        let mut span = Span::default();
        let result = match tag.name {
            "Track" => self.track(tag, activity, &mut span),
            _ => self.point(tag, activity, &mut span, &mut false),
        };
        if let (Some(first), Some(last)) = (span.first, span.last) {
            if activity.laps.len() == first_lap {
                activity.laps.push(Lap { start: first, end: last, ..Lap::default() });
            }
            if let Some(lap) = activity.laps.last_mut() {
                if (first - lap.start).abs() > FAR_MS {
                    (lap.start, lap.end) = (first, last);
                }
                lap.end = lap.end.max(last);
            }
        }
        result
    }

    fn lap_start(&mut self, tag: &Tag<'a>, activity: &mut Activity) -> Option<i64> {
        let source = self.cursor.source();
        let text = tag.attribute("StartTime")?;
        match xml::instant(text.as_bytes()) {
            Some(instant) => {
                if activity.builder.track.is_empty() {
                    activity.builder.fallback = instant.ms;
                }
                activity.begin(source, tag, instant).then_some(instant.ms)
            }
            None => {
                xml::note(source, &mut activity.notes, DATE, tag.at, tag.name, || {
                    format!("StartTime is not an instant: {}", text.trim())
                });
                None
            }
        }
    }

    fn track(&mut self, track: &Tag<'a>, activity: &mut Activity, span: &mut Span) -> Result<()> {
        let mut first_distance = true;
        self.points.expect(track.prefix, "Trackpoint");
        loop {
            if self.scans {
                self.scan(track.level, activity, span, &mut first_distance)?;
            }
            let Some(tag) = self.cursor.child(track.level) else { return Ok(()) };
            if tag.name == "Trackpoint" {
                self.point(&tag, activity, span, &mut first_distance)?;
            }
        }
    }

    fn point(
        &mut self,
        tag: &Tag<'a>,
        activity: &mut Activity,
        span: &mut Span,
        first_distance: &mut bool,
    ) -> Result<()> {
        let whole = self.points.read(&mut self.cursor, tag, &mut activity.notes);
        if whole || self.points.point.time.is_some() { self.take(activity, span, first_distance) } else { Ok(()) }
    }

    /// Takes as many points as the scanner understands.
    fn scan(
        &mut self,
        level: usize,
        activity: &mut Activity,
        span: &mut Span,
        first_distance: &mut bool,
    ) -> Result<()> {
        let Some(start) = self.cursor.scan_from(level) else { return Ok(()) };
        let mut at = start;
        while let Some(end) = self.points.scan(self.cursor.source(), at) {
            at = end;
            self.take(activity, span, first_distance)?;
        }
        if at > start {
            self.cursor.pass(at);
        }
        Ok(())
    }

    /// Takes the point that was read last: a sample, or a pause mark when it holds nothing but its time.
    fn take(&mut self, activity: &mut Activity, span: &mut Span, first_distance: &mut bool) -> Result<()> {
        let ours = self.points.has_own();
        let point = &mut self.points.point;
        let time = point.time.map(|instant| instant.ms);
        if let Some(ms) = time {
            span.first = span.first.or(Some(ms));
            span.last = span.last.max(Some(ms));
        }
        if point.is_bare() {
            if let Some(ms) = time {
                activity.mark(ms);
            }
            return Ok(());
        }
        if !point.distance.is_nan() && !ours {
            // Cumulative over the activity, but some begin anew with a lap or leg.
            let written = point.distance;
            if *first_distance && written < activity.distance - RESET_M && written < activity.distance / 2.0 {
                activity.distance_offset += activity.distance;
                activity.resets += 1;
            }
            *first_distance = false;
            activity.distance = written;
            point.distance = written + activity.distance_offset;
        }
        activity.after_mark = false;
        let source = self.cursor.source();
        activity
            .builder
            .add(point, &self.points.extras, self.intake.limits())
            .map_err(|error| error.at(xml::place(source, point.at, "Trackpoint")))?;
        if let Some(raw) = point.own.clone().and_then(|range| source.get(range)) {
            activity.own.sample(raw, &mut activity.builder.track);
        }
        Ok(())
    }

    /// An activity extension of a lap or leg: `LX` in any dialect, or one of its values alone.
    pub(super) fn statistics(&mut self, group: &Tag<'a>, totals: &mut Totals) {
        if self.total(group, totals) {
            return;
        }
        while let Some(tag) = self.cursor.child(group.level) {
            self.total_or_not(&tag, totals);
        }
    }

    fn total_or_not(&mut self, tag: &Tag<'a>, totals: &mut Totals) {
        if !self.total(tag, totals) {
            self.cursor.leave_out(tag);
        }
    }

    /// One total of a lap; false when the element is none.
    fn total(&mut self, tag: &Tag<'a>, totals: &mut Totals) -> bool {
        let slot = match tag.name {
            "TotalTimeSeconds" | "ActiveSeconds" => &mut totals.timer_s,
            "ElapsedSeconds" => &mut totals.elapsed_s,
            "DistanceMeters" => &mut totals.distance_m,
            "MaximumSpeed" => &mut totals.max_speed,
            "Calories" | "KiloCalories" => &mut totals.calories_kcal,
            "AverageHeartRateBpm" => &mut totals.avg_heart_rate,
            "MaximumHeartRateBpm" => &mut totals.max_heart_rate,
            "Cadence" | "AvgRunCadence" => &mut totals.avg_cadence,
            "MaxBikeCadence" | "MaxRunCadence" => &mut totals.max_cadence,
            "AvgSpeed" => &mut totals.avg_speed,
            "AvgWatts" => &mut totals.avg_power,
            "MaxWatts" => &mut totals.max_power,
            "Steps" | "StepCount" => &mut totals.steps,
            "ClimbMeters" => &mut totals.ascent_m,
            _ => return false,
        };
        let number = self.number(tag);
        *slot = slot.take().or(number);
        true
    }
}

impl Activity {
    /// A point with nothing but its time: the timer stopped there, or started again.
    fn mark(&mut self, ms: i64) {
        self.time_only += 1;
        if self.after_mark {
            // Two marks in a row stand at both ends of a pause.
            self.builder.stop(None);
        }
        self.builder.start(ms);
        self.builder.touch(ms);
        self.after_mark = true;
    }
}

fn intensity(word: &str) -> Option<Intensity> {
    match word.to_ascii_lowercase().as_str() {
        "active" => Some(Intensity::Active),
        "resting" | "rest" => Some(Intensity::Rest),
        _ => None,
    }
}

fn trigger(word: &str) -> Option<LapTrigger> {
    match word.to_ascii_lowercase().as_str() {
        "manual" => Some(LapTrigger::Manual),
        "distance" => Some(LapTrigger::Distance),
        "location" => Some(LapTrigger::Position),
        "time" => Some(LapTrigger::Time),
        "heartrate" => Some(LapTrigger::HeartRate),
        _ => None,
    }
}
