//! What stands in the `extensions` of a track or of the file: totals, laps, heart rates kept apart.

use super::read::{Document, Info};
use crate::formats::xml::{self, Number, Tag};
use crate::model::{Intensity, Lap, LapTrigger};

/// Joules in a kilocalorie.
const JOULES_PER_KCAL: f64 = 4184.0;

impl<'a> Document<'a, '_, '_> {
    /// The children of an `extensions` element.
    pub(super) fn extensions(&mut self, extensions: &Tag<'a>, info: &mut Info) {
        while let Some(tag) = self.cursor.child(extensions.level) {
            self.extension(&tag, info);
        }
    }

    /// One extension of a track or of the file.
    pub(super) fn extension(&mut self, tag: &Tag<'a>, info: &mut Info) {
        if self.points.is_own(tag.prefix) {
            self.own.element(tag.name, tag.attributes);
            while let Some(part) = self.cursor.child(tag.level) {
                self.own.element(part.name, part.attributes);
            }
            return;
        }
        match tag.name {
            "TrackStatsExtension" => self.track_stats(tag, info),
            // Cluetrust: a run groups laps, `laps` again.
            "run" | "laps" => {
                while let Some(child) = self.cursor.child(tag.level) {
                    match child.name {
                        "lap" => self.lap(&child, info),
                        "laps" => {
                            while let Some(lap) = self.cursor.child(child.level) {
                                self.lap(&lap, info);
                            }
                        }
                        "sport" => info.sport = self.words(&child),
                        _ => self.cursor.leave_out(&child),
                    }
                }
            }
            "lap" => self.lap(tag, info),
            // Sportractive.
            "energy" => info.totals.calories_kcal = self.number(tag).map(|joules| joules / JOULES_PER_KCAL),
            "minhr" => info.totals.min_heart_rate = self.number(tag),
            "maxhr" => info.totals.max_heart_rate = self.number(tag),
            "meanhr" => info.totals.avg_heart_rate = self.number(tag),
            "temperature" => info.totals.avg_temperature = self.number(tag),
            // MyTourbook.
            "tourType" => info.sport = self.words(tag),
            "calories" => info.totals.calories_kcal = self.number(tag),
            "restPulse" => {
                info.resting_heart_rate = self.number(tag).map(|beats| beats as u8).filter(|beats| *beats > 0)
            }
            "activity" => self.spoq_activity(tag, info),
            _ => self.cursor.leave_out(tag),
        }
    }

    /// Garmin TrackStatsExtension v1.
    fn track_stats(&mut self, stats: &Tag<'a>, info: &mut Info) {
        while let Some(tag) = self.cursor.child(stats.level) {
            let totals = &mut info.totals;
            let slot = match tag.name {
                "Distance" => &mut totals.distance_m,
                "TotalElapsedTime" => &mut totals.elapsed_s,
                "TimerTime" => &mut totals.timer_s,
                "MovingTime" => &mut totals.moving_s,
                "MaxSpeed" => &mut totals.max_speed,
                "Ascent" => &mut totals.ascent_m,
                "Descent" => &mut totals.descent_m,
                // What is left of the timer time without the moving time.
                "StoppedTime" => continue,
                _ => {
                    self.cursor.leave_out(&tag);
                    continue;
                }
            };
            *slot = self.number(&tag).or(slot.take());
        }
    }

    /// A lap of Cluetrust GPXData 1.0.
    fn lap(&mut self, tag: &Tag<'a>, info: &mut Info) {
        let mut lap = Lap::default();
        let mut start = None;
        while let Some(tag) = self.cursor.child(tag.level) {
            match tag.name {
                "startTime" => start = self.words(&tag).and_then(|text| xml::instant(text.as_bytes())),
                "elapsedTime" => lap.totals.elapsed_s = self.number(&tag),
                "calories" => lap.totals.calories_kcal = self.number(&tag),
                "distance" => lap.totals.distance_m = self.number(&tag),
                "startPoint" => lap.start_position = position(&tag),
                "endPoint" => lap.end_position = position(&tag),
                "trigger" => {
                    lap.trigger = match tag.attribute("kind").as_deref() {
                        Some("manual") => Some(LapTrigger::Manual),
                        Some("time") => Some(LapTrigger::Time),
                        Some("distance") => Some(LapTrigger::Distance),
                        Some("location") => Some(LapTrigger::Position),
                        Some("hr" | "heartRate") => Some(LapTrigger::HeartRate),
                        _ => None,
                    }
                }
                "intensity" => {
                    lap.intensity = match self.words(&tag).as_deref() {
                        Some("active") => Some(Intensity::Active),
                        Some("rest" | "resting") => Some(Intensity::Rest),
                        _ => None,
                    }
                }
                "summary" => {
                    let (name, kind) = (tag.attribute("name"), tag.attribute("kind"));
                    let totals = &mut lap.totals;
                    let slot = match (name.as_deref(), kind.as_deref()) {
                        (Some("hr"), Some("avg")) => &mut totals.avg_heart_rate,
                        (Some("hr"), Some("max")) => &mut totals.max_heart_rate,
                        (Some("hr"), Some("min")) => &mut totals.min_heart_rate,
                        (Some("cadence"), Some("avg")) => &mut totals.avg_cadence,
                        (Some("cadence"), Some("max")) => &mut totals.max_cadence,
                        (Some("speed" | "MaximumSpeed"), Some("max")) => &mut totals.max_speed,
                        (Some("speed"), Some("avg")) => &mut totals.avg_speed,
                        _ => {
                            self.cursor.leave_out(&tag);
                            continue;
                        }
                    };
                    *slot = self.number(&tag);
                }
                "index" => {} // a place in the list
                _ => self.cursor.leave_out(&tag),
            }
        }
        if let Some(start) = start {
            lap.start = start.ms;
            lap.end = start.ms + (lap.totals.elapsed_s.unwrap_or(0.0).clamp(0.0, 1e9) * 1000.0) as i64;
            info.laps.push(lap);
        }
    }

    /// a-rival SpoQ: an `activity` with the heart rates in a list of their own.
    fn spoq_activity(&mut self, activity: &Tag<'a>, info: &mut Info) {
        if let Some(Number::Value(kcal)) = activity.attribute("calories").map(|text| xml::number(text.as_bytes())) {
            info.totals.calories_kcal = Some(kcal);
        }
        while let Some(list) = self.cursor.child(activity.level) {
            if list.name != "heartRateTrack" {
                continue;
            }
            while let Some(tag) = self.cursor.child(list.level) {
                let time = tag.attribute("time").and_then(|text| xml::instant(text.as_bytes()));
                let beats = tag.attribute("bpm").map(|text| xml::number(text.as_bytes()));
                if let (Some(time), Some(Number::Value(beats))) = (time, beats) {
                    self.file.heart_rates.push((time.ms, beats as f32));
                }
            }
        }
    }
}

fn position(tag: &Tag<'_>) -> Option<(f64, f64)> {
    let value = |name| match tag.attribute(name).map(|text| xml::number(text.as_bytes())) {
        Some(Number::Value(value)) => Some(value),
        _ => None,
    };
    Some((value("lat")?, value("lon")?))
}
