//! `Glance`: the few fields of a summary that a table of activities shows.

use serde::Deserialize;

use super::summary::{Summary, utc_text};
use super::time;
use crate::json::{Compact, number_of, or_null, text_of};

/// What a table of activities shows of a summary. Reading only this from a line of JSON is several times as fast.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the fields of Summary of the same names")]
pub struct Glance {
    pub source: String,
    pub format: String,
    pub index: u32,
    #[serde(deserialize_with = "utc_text::deserialize")]
    pub start: Option<i64>,
    #[serde(deserialize_with = "utc_text::deserialize")]
    pub end: Option<i64>,
    #[serde(default)]
    pub day: Option<String>,
    pub local_offset_s: Option<i32>,
    pub sport: String,
    pub sub_sport: Option<String>,
    pub samples: u64,
    pub channels: GlancedChannels,
    pub stated: GlancedTotals,
    pub computed: GlancedTotals,
}

/// The channels that a [`Glance`] shows.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the channels of the same names")]
pub struct GlancedChannels {
    pub heart_rate: Option<Mean>,
    pub power: Option<Mean>,
}

/// The mean of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the name says it")]
pub struct Mean {
    pub mean: f64,
}

/// The totals that a [`Glance`] shows.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the names say unit and meaning; they are the JSON contract")]
pub struct GlancedTotals {
    pub distance_m: Option<f64>,
    pub elapsed_s: Option<f64>,
    #[serde(default)]
    pub timer_s: Option<f64>,
}

impl Glance {
    /// Keys that no line lacks.
    const ALWAYS: u32 = 12;

    /// From a line of JSON that is known to be valid. `None` when it is not as this version writes it; then a parser has to
    /// look at it.
    pub fn of_line(line: &str) -> Option<Glance> {
        let mut glance = Glance::default();
        let mut json = Compact::new(line);
        json.enter()?;
        let mut seen = 0;
        while seen < Glance::ALWAYS {
            match json.key()?? {
                "channels" => glance.channels = GlancedChannels::read(&mut json)?,
                "stated" => glance.stated = GlancedTotals::read(&mut json)?,
                "computed" => glance.computed = GlancedTotals::read(&mut json)?,
                key => {
                    let value = json.value()?;
                    let instant = |text| time::parse(text_of(text)?.as_bytes()).map(|instant| instant.ms);
                    let text = |text| text_of(text).map(String::from);
                    match key {
                        "source" => glance.source = text(value)?,
                        "format" => glance.format = text(value)?,
                        "index" => glance.index = value.parse().ok()?,
                        "start" => glance.start = or_null(value, instant)?,
                        "end" => glance.end = or_null(value, instant)?,
                        "local_offset_s" => glance.local_offset_s = or_null(value, |v| v.parse().ok())?,
                        "sport" => glance.sport = text(value)?,
                        "sub_sport" => glance.sub_sport = or_null(value, text)?,
                        "samples" => glance.samples = value.parse().ok()?,
                        "day" => {
                            glance.day = or_null(value, text)?;
                            continue; // it may be absent
                        }
                        _ => continue,
                    }
                }
            }
            seen += 1;
        }
        Some(glance)
    }
}

impl GlancedChannels {
    fn read(json: &mut Compact<'_>) -> Option<GlancedChannels> {
        let mut channels = GlancedChannels::default();
        json.enter()?;
        while let Some(channel) = json.key()? {
            match channel {
                "heart_rate" => channels.heart_rate = Some(Mean::read(json)?),
                "power" => channels.power = Some(Mean::read(json)?),
                _ => drop(json.value()?),
            }
        }
        Some(channels)
    }
}

impl Mean {
    fn read(json: &mut Compact<'_>) -> Option<Mean> {
        let mut mean = None;
        json.enter()?;
        while let Some(key) = json.key()? {
            let value = json.value()?;
            if key == "mean" {
                mean = Some(number_of(value)?);
            }
        }
        mean.map(|mean| Mean { mean })
    }
}

impl GlancedTotals {
    fn read(json: &mut Compact<'_>) -> Option<GlancedTotals> {
        let mut totals = GlancedTotals::default();
        json.enter()?;
        while let Some(key) = json.key()? {
            let value = json.value()?;
            match key {
                "distance_m" => totals.distance_m = or_null(value, number_of)?,
                "elapsed_s" => totals.elapsed_s = or_null(value, number_of)?,
                "timer_s" => totals.timer_s = or_null(value, number_of)?,
                _ => {}
            }
        }
        Some(totals)
    }
}

impl From<&Summary> for Glance {
    fn from(summary: &Summary) -> Glance {
        let mean = |channel: &str| summary.channels.get(channel).map(|stats| Mean { mean: stats.mean });
        Glance {
            source: summary.source.clone(),
            format: summary.format.clone(),
            index: summary.index,
            start: summary.start,
            end: summary.end,
            day: summary.day.clone(),
            local_offset_s: summary.local_offset_s,
            sport: summary.sport.clone(),
            sub_sport: summary.sub_sport.clone(),
            samples: summary.samples,
            channels: GlancedChannels { heart_rate: mean("heart_rate"), power: mean("power") },
            stated: GlancedTotals {
                distance_m: summary.stated.distance_m,
                elapsed_s: summary.stated.elapsed_s,
                timer_s: summary.stated.timer_s,
            },
            computed: GlancedTotals {
                distance_m: summary.computed.distance_m,
                elapsed_s: summary.computed.elapsed_s,
                timer_s: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::{SettleOptions, settle};
    use crate::model::{Channel, Draft};

    #[test]
    fn a_line_glanced_at_says_what_its_summary_says() {
        let mut draft = Draft::new();
        for i in 0..5 {
            draft.recording.track.push(1_714_550_400_000 + i * 1000);
            draft.recording.track.set(Channel::HeartRate, 100.0 + i as f32);
        }
        draft.recording.stated.elapsed_s = Some(4.5);
        let summary = Summary::of(&settle(draft, &SettleOptions::default()));
        let line = serde_json::to_string(&summary).unwrap();
        let glance: Glance = serde_json::from_str(&line).unwrap();
        assert_eq!(glance, Glance::from(&summary));
        assert_eq!(Glance::of_line(&line), Some(glance.clone()));
        assert_eq!(glance.channels.heart_rate, Some(Mean { mean: 102.0 }));
    }
}
