//! `Glance`: the few fields of a summary that a table of activities shows.

use serde::Deserialize;

use super::summary::{Summary, utc_text};

/// What a table of activities shows of a summary. Reading only this from a line of JSON is several times as fast.
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
        assert_eq!(glance.channels.heart_rate, Some(Mean { mean: 102.0 }));
    }
}
