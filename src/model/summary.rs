//! `Summary`: an activity in a few numbers. Its JSON form is the activity line of the contract (`inspect --json`,
//! `list --json`) and of the history's journal; fields may be added, never renamed.

use serde::{Deserialize, Serialize};

use super::{Activity, Channel, ChannelStats, Companion, StatsByName, Totals};
use crate::ids::{ActivityId, Digest};
use crate::report::Note;

/// The recorder in three words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceSummary {
    /// Manufacturer by name.
    pub manufacturer: Option<String>,
    /// Product by name or number.
    pub product: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
}

/// Totals as the device or platform states them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say unit and meaning; they are the JSON contract")]
pub struct StatedSummary {
    pub distance_m: Option<f64>,
    pub elapsed_s: Option<f64>,
    pub timer_s: Option<f64>,
    pub calories_kcal: Option<f64>,
    pub ascent_m: Option<f64>,
    pub descent_m: Option<f64>,
}

/// Totals computed from the samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say unit and meaning; they are the JSON contract")]
pub struct ComputedSummary {
    pub distance_m: Option<f64>,
    pub elapsed_s: Option<f64>,
    pub moving_s: Option<f64>,
    pub ascent_m: Option<f64>,
    pub descent_m: Option<f64>,
}

/// One activity line of the JSON contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Always `activity`.
    pub kind: String,
    /// Name of the source, `archive!/member` inside archives.
    pub source: String,
    /// SHA-256 of the source's content after gunzip.
    pub sha256: Digest,
    /// Format id.
    pub format: String,
    /// Index of the activity inside its source.
    pub index: u32,
    /// Stable identity.
    pub id: ActivityId,
    /// Further sources that it was joined from.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub companions: Vec<Companion>,
    /// First instant of samples, laps or sessions, ms UTC; absent for a day-only workout.
    #[serde(with = "utc_text")]
    pub start: Option<i64>,
    /// Last instant of samples, laps or sessions.
    #[serde(with = "utc_text")]
    pub end: Option<i64>,
    /// The day (`YYYY-MM-DD`) of a workout without clock time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub day: Option<String>,
    /// Local offset from UTC, seconds.
    pub local_offset_s: Option<i32>,
    /// Evidence word of the offset.
    pub local_evidence: String,
    /// How far the claimed times were moved, seconds.
    pub time_shift_s: f64,
    /// True when start and end are wall-clock times of an unknown zone.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub floating: bool,
    /// Canonical sport name.
    pub sport: String,
    /// Canonical sub-sport name.
    pub sub_sport: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Recorder.
    pub device: Option<DeviceSummary>,
    /// Samples kept.
    pub samples: u64,
    /// Time of the first sample.
    #[serde(with = "utc_text")]
    pub first_sample: Option<i64>,
    /// Time of the last sample.
    #[serde(with = "utc_text")]
    pub last_sample: Option<i64>,
    /// Samples with a believed position.
    pub positions: u64,
    /// South, west, north, east, degrees.
    pub bbox: Option<[f64; 4]>,
    /// First believed position, latitude and longitude.
    pub first_position: Option<[f64; 2]>,
    /// Last believed position.
    pub last_position: Option<[f64; 2]>,
    /// Statistics of the table's channels that occur.
    pub channels: StatsByName,
    /// Statistics of the extra channels that occur.
    pub extra_channels: StatsByName,
    /// Totals as stated.
    pub stated: StatedSummary,
    /// Totals as computed.
    pub computed: ComputedSummary,
    /// Number of laps.
    pub laps: u64,
    /// Number of sessions (legs).
    pub sessions: u64,
    /// Number of swim lengths.
    pub lengths: u64,
    /// Number of strength sets.
    pub sets: u64,
    /// Number of pauses.
    pub pauses: u64,
    /// Number of beat-to-beat intervals.
    pub rr_intervals: u64,
    /// False when a part could not be read.
    pub complete: bool,
    /// Notes on this activity.
    pub notes: Vec<Note>,
}

impl Summary {
    /// Sums an activity up.
    pub fn of(activity: &Activity) -> Summary {
        let track = &activity.track;
        let span = activity.span();
        let mut bbox: Option<[f64; 4]> = None;
        let (mut positions, mut first, mut last) = (0, None, None);
        let [lats, lons, distances] = track.raw_geometry();
        for (&lat, &lon) in lats.iter().zip(lons) {
            if lat.is_nan() || lon.is_nan() {
                continue;
            }
            positions += 1;
            first.get_or_insert([lat, lon]);
            last = Some([lat, lon]);
            // Not `f64::min`: these are numbers, and its care for others costs as much again.
            let [s, w, n, e] = bbox.get_or_insert([lat, lon, lat, lon]);
            *s = if lat < *s { lat } else { *s };
            *w = if lon < *w { lon } else { *w };
            *n = if lat > *n { lat } else { *n };
            *e = if lon > *e { lon } else { *e };
        }
        let mut channels = StatsByName::with_capacity(track.channels().count() + usize::from(track.has_distance()));
        for (channel, column) in track.channels() {
            let values = column.raw().iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v));
            if let Some(stats) = ChannelStats::of(channel.info().unit.into(), values) {
                let (min, max) = (shortest(stats.min), shortest(stats.max));
                channels.insert(channel.name().into(), ChannelStats { min, max, ..stats });
            }
        }
        let distances = distances.iter().copied().filter(|v| !v.is_nan());
        if let Some(stats) = ChannelStats::of("m".into(), distances) {
            channels.insert("distance".into(), stats);
        }
        let mut extra_channels = StatsByName::with_capacity(track.extra().len());
        for column in track.extra() {
            if let Some(stats) = ChannelStats::of(column.key.unit.clone().into(), column.present().map(|(_, v)| v)) {
                // Two apps may use one name; the later ones get a number.
                let mut name = column.key.name.clone();
                let mut n = 2;
                while extra_channels.get(&name).is_some() {
                    name = format!("{} ({n})", column.key.name);
                    n += 1;
                }
                extra_channels.insert(name.into(), stats);
            }
        }
        let Totals { distance_m, elapsed_s, timer_s, calories_kcal, ascent_m, descent_m, .. } = activity.stated;
        let computed = &activity.computed;
        Summary {
            kind: "activity".to_owned(),
            source: activity.origin.source.clone(),
            sha256: activity.origin.digest,
            format: activity.origin.format.clone(),
            index: activity.origin.index,
            id: activity.origin.id(),
            companions: activity.origin.companions.clone(),
            start: span.map(|s| s.0),
            end: span.map(|s| s.1),
            day: activity.day.clone(),
            local_offset_s: activity.offset_s,
            local_evidence: activity.evidence.name().to_owned(),
            time_shift_s: activity.shift_ms as f64 / 1000.0,
            floating: activity.floating,
            sport: activity.sport.name().into_owned(),
            sub_sport: activity.sub_sport.filter(|s| s.0 != 0).map(|s| s.name().into_owned()),
            name: activity.name.clone(),
            description: activity.description.clone(),
            device: activity.device().map(|device| DeviceSummary {
                manufacturer: device.manufacturer.clone().or(device.manufacturer_id.map(|id| id.to_string())),
                product: device.product.clone().or(device.product_id.map(|id| id.to_string())),
                serial: device.serial.clone(),
            }),
            samples: track.len() as u64,
            first_sample: (0..track.len()).find(|&row| track.is_timed(row)).map(|row| track.times()[row]),
            last_sample: (0..track.len()).rfind(|&row| track.is_timed(row)).map(|row| track.times()[row]),
            positions,
            bbox,
            first_position: first,
            last_position: last,
            channels,
            extra_channels,
            stated: StatedSummary { distance_m, elapsed_s, timer_s, calories_kcal, ascent_m, descent_m },
            computed: ComputedSummary {
                distance_m: computed.distance_m,
                elapsed_s: computed.elapsed_s,
                moving_s: computed.moving_s,
                ascent_m: computed.ascent_m,
                descent_m: computed.descent_m,
            },
            laps: activity.laps.len() as u64,
            sessions: activity.sessions.len() as u64,
            lengths: activity.lengths.len() as u64,
            sets: activity.sets.len() as u64,
            pauses: activity.pauses.len() as u64,
            rr_intervals: activity.rr.len() as u64,
            complete: activity.complete,
            notes: activity.notes.iter().cloned().collect(),
        }
    }

    /// Statistics of a table channel.
    pub fn channel(&self, channel: Channel) -> Option<&ChannelStats> {
        self.channels.get(channel.name())
    }
}

/// The `f64` that prints as the `f32` it came from does (47.3, not 47.29999923706055).
fn shortest(value: f64) -> f64 {
    (value as f32).to_string().parse().unwrap_or(value)
}

pub(super) mod utc_text {
    //! Instants as `2024-05-01T07:12:00Z` in JSON.

    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::model::time;

    pub fn serialize<S: Serializer>(ms: &Option<i64>, s: S) -> Result<S::Ok, S::Error> {
        match ms {
            Some(ms) => s.serialize_str(&time::utc(*ms)),
            None => s.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
        let text = Option::<std::borrow::Cow<'_, str>>::deserialize(d)?;
        text.map(|text| time::parse(text.as_bytes()).map(|i| i.ms).ok_or_else(|| de::Error::custom("not an instant")))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Recording, Track};
    use crate::report::Notes;

    #[test]
    fn the_json_line_reads_back_and_keeps_sums() {
        let mut track = Track::new();
        for (i, hr) in [88.0f32, 90.5, 93.0].into_iter().enumerate() {
            track.push(1_714_547_520_000 + i as i64 * 1500);
            track.set(Channel::HeartRate, hr);
        }
        track.set_position(47.1, 8.2);
        let recording = Recording { track, ..Recording::default() };
        let summary = Summary::of(&Activity::settled(recording, Notes::new(), true));
        let json = serde_json::to_string(&summary).unwrap();
        assert!(json.contains(r#""end":"2024-05-01T07:12:03Z""#), "{json}");
        assert!(json.contains(r#""heart_rate":{"unit":"bpm","count":3,"min":88.0,"max":93.0,"mean":90.5}"#), "{json}");
        assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
    }
}
