//! One exercise: its elements, and the draft they make.

use crate::error::Place;
use crate::formats::polar_hrm::clock;
use crate::formats::xml::{self, Cursor, Number, Step};
use crate::model::{Basis, Channel, Clock, Device, Draft, Lap, Totals, parse_sport, time};
use crate::report::Code;

const TYPE: Code = Code::info("ppt.sample_type");
const SPORT: Code = Code::warning("ppt.sport");
const NO_TIME: Code = Code::warning("ppt.time");
const NO_RATE: Code = Code::warning("ppt.recording_rate");
const LAP_TIME: Code = Code::warning("ppt.lap_time");
const LIMIT: Code = Code::damage("ppt.samples");

/// What an exercise says, by the names of its elements.
#[derive(Debug, Default)]
pub(super) struct Exercise {
    start: Option<i64>,
    rate_s: Option<f64>,
    sport: Option<String>,
    kind: Option<String>,
    draft: Draft,
    laps: Vec<(Option<i64>, Totals)>,
    samples: Vec<Series>,
}

/// One comma list.
#[derive(Debug, Default)]
struct Series {
    kind: String,
    values: Vec<Option<f64>>,
}

impl Exercise {
    /// Reads the children of an `exercise` that is open at `level`. False when the document ended inside it.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, level: usize) -> bool {
        self.draft.complete = true;
        let mut path: Vec<&str> = Vec::new();
        let mut text = String::new();
        loop {
            match cursor.step() {
                Step::Open(tag) => {
                    path.truncate(tag.level.saturating_sub(level + 1));
                    path.push(tag.name);
                    text.clear();
                    match &path[..] {
                        ["result", "laps", "lap"] => self.laps.push(Default::default()),
                        ["result", "samples", "sample"] => self.samples.push(Series::default()),
                        _ => {}
                    }
                }
                Step::Text(part) => text.push_str(part),
                Step::Char(c) => text.push(c),
                Step::Close => {
                    if path.is_empty() {
                        return true;
                    }
                    let value = text.trim();
                    if !value.is_empty() {
                        self.take(&path, value);
                    }
                    path.pop();
                    text.clear();
                }
                Step::End => {
                    // A list that is cut off still has its first values, a note its first words. A number may lack digits.
                    match path[..] {
                        [.., "values"] => {
                            if let Some((whole, _)) = text.rsplit_once(',') {
                                self.take(&path, whole.trim());
                            }
                        }
                        ["name" | "note"] => self.take(&path, text.trim()),
                        _ => {}
                    }
                    return false;
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start.is_none() && self.samples.is_empty() && self.draft.recording.stated == Totals::default()
    }

    fn take(&mut self, path: &[&str], value: &str) {
        let number = || decimal(value);
        let small = || number().filter(|v| (1.0..=255.0).contains(v)).map(|v| v as u8);
        let kmh = || number().map(|v| v / 3.6);
        let recording = &mut self.draft.recording;
        let stated = &mut recording.stated;
        match path {
            ["time"] => self.start = time::parse(value.as_bytes()).map(|instant| instant.ms),
            ["sport"] => self.sport = Some(value.to_owned()),
            ["name"] => recording.name = Some(value.to_owned()),
            ["note"] => recording.description = Some(value.to_owned()),
            ["result", rest @ ..] => match rest {
                ["distance"] => stated.distance_m = number(),
                ["calories"] => stated.calories_kcal = number(),
                ["duration"] => stated.elapsed_s = clock(value).map(|ms| ms as f64 / 1000.0),
                ["recording-rate"] => self.rate_s = number().filter(|rate| *rate > 0.0 && *rate <= 3600.0),
                ["user-settings", "heart-rate", "maximum"] => recording.zones.max_heart_rate = small(),
                ["user-settings", "heart-rate", "resting"] => recording.zones.resting_heart_rate = small(),
                ["user-settings", "weight"] => recording.athlete.weight_kg = number().filter(|kg| *kg > 0.0),
                ["user-settings", "height"] => {
                    recording.athlete.height_m = number().filter(|cm| *cm > 0.0).map(|cm| cm / 100.0)
                }
                ["zones", "zone", "upper"] => recording.zones.heart_rate_bounds.extend(number().map(|v| v as f32)),
                ["zones", "zone", "in-zone"] => {
                    recording.zones.heart_rate_seconds.extend(clock(value).map(|ms| ms as f32 / 1000.0));
                }
                ["heart-rate", "average"] => stated.avg_heart_rate = number(),
                ["heart-rate", "maximum"] => stated.max_heart_rate = number(),
                ["speed", "type"] => self.kind = Some(value.to_owned()),
                ["speed", "speed", "average"] => stated.avg_speed = kmh(),
                ["speed", "speed", "maximum"] => stated.max_speed = kmh(),
                ["speed", "cadence", "average"] => stated.avg_cadence = number(),
                ["speed", "cadence", "maximum"] => stated.max_cadence = number(),
                ["power", "average"] => stated.avg_power = number(),
                ["power", "maximum"] => stated.max_power = number(),
                ["altitude-info", "ascent"] => stated.ascent_m = number(),
                ["altitude-info", "descent"] => stated.descent_m = number(),
                ["temperature", "average"] => stated.avg_temperature = number(),
                ["temperature", "maximum"] => stated.max_temperature = number(),
                ["laps", "lap", rest @ ..] => {
                    if let Some(lap) = self.laps.last_mut() {
                        take_lap(lap, rest, value);
                    }
                }
                ["samples", "sample", "type"] => {
                    if let Some(series) = self.samples.last_mut() {
                        series.kind = value.to_ascii_uppercase();
                    }
                }
                ["samples", "sample", "values"] => {
                    if let Some(series) = self.samples.last_mut() {
                        // A comma after the last value ends the list; one between values leaves a hole.
                        let list = value.strip_suffix(',').unwrap_or(value);
                        series.values = list.split(',').map(decimal).collect();
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// The draft; at most `limit` samples.
    pub(super) fn finish(mut self, limit: usize) -> Draft {
        self.draft.clock = Clock { basis: Basis::Local, ..Clock::default() };
        let start = self.start.unwrap_or_default();
        if self.start.is_none() {
            self.draft.notes.add(NO_TIME, Place::NOWHERE, || "an exercise without a time of start");
        }
        let rows = self.samples.iter().map(|series| series.values.len()).max().unwrap_or(0);
        if rows > limit {
            self.draft.complete = false;
            self.draft.notes.add(LIMIT, Place::NOWHERE, || {
                format!("more than {limit} samples; the rest is left out (raise it with --max-samples)")
            });
        }
        if rows > 0 && self.rate_s.is_none() {
            self.draft.notes.add(NO_RATE, Place::NOWHERE, || "samples without a recording rate have no time");
        }
        let recording = &mut self.draft.recording;
        for row in 0..rows.min(limit) {
            match (self.start, self.rate_s) {
                (Some(start), Some(rate)) => recording.track.push(start + (row as f64 * rate * 1000.0) as i64),
                _ => recording.track.push_untimed(start),
            };
        }
        for series in &self.samples {
            let (channel, scale) = match series.kind.as_str() {
                "HEARTRATE" => (Some(Channel::HeartRate), 1.0),
                "SPEED" => (Some(Channel::Speed), 1.0 / 3.6),
                "CADENCE" | "RUN_CADENCE" => (Some(Channel::Cadence), 1.0),
                "ALTITUDE" => (Some(Channel::Altitude), 1.0),
                "POWER" => (Some(Channel::Power), 1.0),
                "DISTANCE" => (None, 1.0),
                "TEMPERATURE" => (Some(Channel::Temperature), 1.0),
                other => {
                    self.draft
                        .notes
                        .add(TYPE, Place::NOWHERE, || format!("samples of the type \"{other}\" are left out"));
                    continue;
                }
            };
            for (row, value) in series.values.iter().enumerate().take(limit) {
                match (channel, value) {
                    (Some(channel), Some(value)) => recording.track.set_at(row, channel, (value * scale) as f32),
                    (None, Some(metres)) => recording.track.set_distance_at(row, *metres),
                    (_, None) => {}
                }
            }
        }
        recording.stated_start = self.start;
        recording.stated.timer_s = recording.stated.elapsed_s;
        recording.devices = vec![Device { manufacturer: Some("polar".to_owned()), ..Device::default() }];
        recording.creator = Some("polarpersonaltrainer.com".to_owned());
        let words = [&self.sport, &self.kind, &recording.name];
        let known = words.into_iter().flatten().find_map(|word| parse_sport(word));
        match known {
            Some((sport, sub)) => (recording.sport, recording.sub_sport) = (sport, sub),
            None => {
                if let Some(label) = &self.sport {
                    self.draft
                        .notes
                        .add(SPORT, Place::NOWHERE, || format!("\"{label}\" is no known sport; it is kept as text"));
                }
                recording.sport_label = self.sport.clone().or_else(|| recording.name.clone());
            }
        }
        self.draft.recording.laps = self.laps(start);
        self.draft
    }

    /// Laps one after another. Some exports divide their durations by 60: half an hour is written 0:00:30.
    fn laps(&mut self, start: i64) -> Vec<Lap> {
        let sum: i64 = self.laps.iter().filter_map(|(ms, _)| *ms).sum();
        let whole = (self.draft.recording.stated.elapsed_s.unwrap_or(0.0) * 1000.0) as i64;
        let divided = sum > 0 && (sum * 60 - whole).abs() <= (whole / 20).max(60_000) && whole > 10 * sum;
        if divided {
            self.draft.notes.add(
                LAP_TIME,
                Place::NOWHERE,
                || "lap times were divided by 60; put right by the duration",
            );
        }
        let mut from = start;
        let laps = self.laps.drain(..).map(|(ms, totals)| {
            let ms = ms.unwrap_or(0) * if divided { 60 } else { 1 };
            let lap = Lap {
                start: from,
                end: from + ms,
                totals: Totals { elapsed_s: Some(ms as f64 / 1000.0), timer_s: Some(ms as f64 / 1000.0), ..totals },
                ..Lap::default()
            };
            from += ms;
            lap
        });
        laps.collect()
    }
}

fn decimal(text: &str) -> Option<f64> {
    match xml::number(text.as_bytes()) {
        Number::Value(value) => Some(value),
        Number::Absent | Number::Bad => None,
    }
}

fn take_lap((ms, totals): &mut (Option<i64>, Totals), path: &[&str], value: &str) {
    let number = || decimal(value);
    match path {
        ["duration"] => *ms = clock(value).filter(|ms| (0..=86_400_000 * 31).contains(ms)),
        ["distance"] => totals.distance_m = number(),
        ["heart-rate", "average"] => totals.avg_heart_rate = number(),
        ["heart-rate", "maximum"] => totals.max_heart_rate = number(),
        ["heart-rate", "minimum"] => totals.min_heart_rate = number(),
        ["speed", "average"] => totals.avg_speed = number().map(|v| v / 3.6),
        ["speed", "maximum"] => totals.max_speed = number().map(|v| v / 3.6),
        ["cadence", "average"] => totals.avg_cadence = number(),
        ["cadence", "maximum"] => totals.max_cadence = number(),
        ["power", "average"] => totals.avg_power = number(),
        ["power", "maximum"] => totals.max_power = number(),
        // Lap ascents were seen equal to the altitude, so they are not climbs.
        _ => {}
    }
}
