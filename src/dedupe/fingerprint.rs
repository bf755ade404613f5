//! What grouping keeps of an activity, so that an import compares new against old without reading old originals again.

use serde::{Deserialize, Serialize};

use super::series::{Coarse, Quantity, longest_gap, median_step};
use super::values::Values;
use crate::ids::ActivityId;
use crate::model::{Activity, Channel, Column, Evidence, Recording, Totals, Track};

/// A longer stretch without samples, or a pause this long, separates two active spans, ms.
const SPAN_GAP_MS: i64 = 120_000;
/// A fingerprint keeps at most this many active spans; the shortest gaps are closed first.
const MOST_SPANS: usize = 32;
/// Fewer changes of value than this say nothing on their own.
const LEAST_CHANGES: u32 = 2;

/// What grouping needs to know of an activity: a kilobyte or two, ready for a journal line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fingerprint {
    /// Identity of the activity. The first twelve bytes are those of the source's digest.
    pub id: ActivityId,
    /// First instant, ms UTC: of the samples, else of anything timed. `None` for a day-only workout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// Last instant, ms UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
    /// The day (`YYYY-MM-DD`) of a workout without clock time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Local offset, seconds, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_s: Option<i32>,
    /// True when the file itself, its archive or the user stated the offset.
    #[serde(skip_serializing_if = "is_false")]
    pub offset_stated: bool,
    /// True when the times are wall-clock times of an unknown zone.
    #[serde(skip_serializing_if = "is_false")]
    pub floating: bool,
    /// FIT sport number.
    pub sport: u8,
    /// Legs of a multisport recording: start, end (ms), sport.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<(i64, i64, u8)>,
    /// Number of samples.
    pub samples: u32,
    /// True when positions are not places on the ground: a virtual world, or a sport done on the spot.
    #[serde(skip_serializing_if = "is_false")]
    pub unplaced: bool,
    /// Manufacturer of the recorder, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Product, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Serial number of the recorder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// (platform, id).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platform_ids: Vec<(String, String)>,
    /// The totals that are compared.
    pub totals: Numbers,
    /// The athlete, as far as stated.
    #[serde(skip_serializing_if = "Person::is_unknown")]
    pub person: Person,
    /// South, west, north, east, degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f64; 4]>,
    /// Spans in which something was recorded, ms, when there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<(i64, i64)>,
    /// Seconds of pauses and of gaps between samples, within the window.
    #[serde(skip_serializing_if = "is_zero")]
    pub paused_s: f64,
    /// Time in motion, seconds, as computed from the positions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving_s: Option<f64>,
    /// Digest of what every format keeps exactly: whole seconds since the start with heart rate and power, or
    /// positions to 1e-5 degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<u64>,
    /// How often the values under `content` change: what the digest is worth.
    pub changes: u32,
    /// Sequences of values that only a copy has as well.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Positions and sensor values at fixed instants.
    pub coarse: Coarse,
}

/// Totals of a fingerprint; the stated value, else the computed one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names say unit and meaning")]
pub struct Numbers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calories_kcal: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg_heart_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_heart_rate: Option<f64>,
}

/// What tells two athletes apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names say unit and meaning")]
pub struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<f64>,
}

impl Person {
    fn is_unknown(&self) -> bool {
        *self == Person::default()
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Fingerprint {
    /// Takes the fingerprint of a settled activity.
    pub fn of(activity: &Activity) -> Fingerprint {
        let track = &activity.track;
        let window = sample_window(track).or_else(|| activity.span()).filter(|_| activity.day.is_none());
        let step = median_step(track.times());
        let device = activity.device();
        let lower = |text: Option<&String>| text.map(|t| t.to_lowercase()).filter(|t| !t.is_empty());
        let (content, changes) = content(track);
        let mut platform_ids = activity.platform_ids.clone();
        platform_ids.sort();
        Fingerprint {
            id: activity.origin.id(),
            start: window.map(|w| w.0),
            end: window.map(|w| w.1),
            day: activity.day.clone(),
            offset_s: activity.offset_s,
            offset_stated: states_offset(activity.evidence),
            floating: activity.floating,
            sport: activity.sport.0,
            legs: if activity.sessions.len() > 1 {
                activity.sessions.iter().map(|s| (s.start, s.end, s.sport.0)).collect()
            } else {
                Vec::new()
            },
            samples: track.len() as u32,
            unplaced: is_unplaced(activity),
            manufacturer: lower(device.and_then(|d| d.manufacturer.as_ref())),
            product: lower(device.and_then(|d| d.product.as_ref())),
            serial: device.and_then(|d| d.serial.clone()).filter(|s| !NO_SERIALS.contains(&s.as_str())),
            platform_ids,
            totals: numbers(&activity.stated, &activity.computed, track),
            person: Person {
                gender: activity.athlete.gender,
                age: activity.athlete.age,
                weight_kg: activity.athlete.weight_kg,
            },
            bbox: bbox(track),
            paused_s: window.map(|(start, end)| paused_s(activity, start, end, step)).unwrap_or_default(),
            moving_s: activity.computed.moving_s.filter(|s| *s > 0.0).map(|s| (s * 10.0).round() / 10.0),
            spans: window.map(|(start, end)| spans(activity, start, end, step)).unwrap_or_default(),
            content,
            changes,
            values: Values::of(track),
            coarse: window.map(|(start, end)| Coarse::of(track, start, end, step)).unwrap_or_default(),
        }
    }

    /// That of the same activity, whose times stay, when others have told its zone.
    pub fn in_zone(&mut self, offset_s: Option<i32>, evidence: Evidence, floating: bool) {
        (self.offset_s, self.offset_stated, self.floating) = (offset_s, states_offset(evidence), floating);
    }

    /// Start and end, ms; `None` without clock time.
    pub fn window(&self) -> Option<(i64, i64)> {
        Some((self.start?, self.end?))
    }

    /// True when both are activities of one source.
    pub(super) fn same_source(&self, other: &Fingerprint) -> bool {
        self.id.0[..12] == other.id.0[..12]
    }

    /// True when the samples are equal, and varied enough that this is no chance.
    pub(super) fn same_content(&self, other: &Fingerprint) -> bool {
        self.content.is_some() && self.content == other.content && self.changes >= 20
    }

    /// True when one is a copy of the other by its values, whatever the clocks say. Equal samples of nothing but power
    /// may be one plan that a trainer followed twice.
    pub(super) fn copied(&self, other: &Fingerprint) -> bool {
        let of_plan = self.coarse.has(Quantity::Power) && !self.coarse.has(Quantity::HeartRate);
        (self.same_content(other) && !of_plan) || self.values.copied(&other.values, !(self.unplaced || other.unplaced))
    }

    /// True when the samples are equal and at the same time: even a few are no chance then.
    pub(super) fn same_content_and_time(&self, other: &Fingerprint) -> bool {
        let apart = self.start.zip(other.start).map(|(a, b)| (a - b).abs());
        self.content.is_some() && self.content == other.content && apart.is_some_and(|ms| ms < 1000)
    }

    /// Length of the window, or the stated time without one, seconds.
    pub(super) fn duration_s(&self) -> Option<f64> {
        match self.window() {
            Some((start, end)) if end > start => Some((end - start) as f64 / 1000.0),
            _ => self.totals.elapsed_s.or(self.totals.timer_s),
        }
    }
}

fn states_offset(evidence: Evidence) -> bool {
    matches!(evidence, Evidence::Stated | Evidence::Archive | Evidence::User)
}

/// First and last timed sample, when they differ.
fn sample_window(track: &Track) -> Option<(i64, i64)> {
    let times = track.times();
    let first = (0..track.len()).find(|&row| track.is_timed(row)).map(|row| times[row])?;
    let last = (0..track.len()).rfind(|&row| track.is_timed(row)).map(|row| times[row])?;
    (last > first).then_some((first, last))
}

/// Numbers that stand for no serial number: zero and the largest of 32 bits, signed and not.
const NO_SERIALS: [&str; 4] = ["", "0", "2147483647", "4294967295"];

/// Platforms whose positions lie in a world of their own.
const VIRTUAL_WORLDS: [&str; 7] = ["zwift", "rouvy", "mywhoosh", "bkool", "fulgaz", "kinomap", "indievelo"];

/// FIT sub-sports done on the spot or in a virtual world: treadmill, spin, indoor cycling, indoor rowing, elliptical,
/// stair climbing, lap swimming, indoor skiing, indoor walking, indoor running, virtual activity.
const ON_THE_SPOT: [u8; 11] = [1, 5, 6, 14, 15, 16, 17, 25, 27, 45, 58];

fn is_unplaced(recording: &Recording) -> bool {
    let device = recording.device();
    let words = [device.and_then(|d| d.manufacturer.as_deref()), device.and_then(|d| d.product.as_deref())];
    words.into_iter().flatten().chain(recording.creator.as_deref()).any(|word| {
        let word = word.to_lowercase();
        VIRTUAL_WORLDS.iter().any(|world| word.contains(world))
    }) || recording.sub_sport.is_some_and(|sub| ON_THE_SPOT.contains(&sub.0))
}

fn numbers(stated: &Totals, computed: &Totals, track: &Track) -> Numbers {
    let heart_rate = track.column(Channel::HeartRate);
    let mean = || {
        let column = heart_rate?;
        let count = column.count();
        (count > 0).then(|| column.present().map(|(_, v)| f64::from(v)).sum::<f64>() / count as f64)
    };
    let max = || heart_rate?.present().map(|(_, v)| f64::from(v)).reduce(f64::max);
    let positive = |value: Option<f64>| value.filter(|v| v.is_finite() && *v > 0.0);
    let short = |value: Option<f64>| value.map(|v| (v * 10.0).round() / 10.0);
    Numbers {
        elapsed_s: short(positive(stated.elapsed_s).or(positive(computed.elapsed_s))),
        timer_s: short(positive(stated.timer_s)),
        distance_m: short(positive(stated.distance_m).or(positive(computed.distance_m))),
        calories_kcal: short(positive(stated.calories_kcal)),
        avg_heart_rate: short(positive(stated.avg_heart_rate).or_else(mean)),
        max_heart_rate: short(positive(stated.max_heart_rate).or_else(max)),
    }
}

fn bbox(track: &Track) -> Option<[f64; 4]> {
    let short = |v: f64| (v * 1e5).round() / 1e5;
    // Not `f64::min`: these are numbers, and its care for others costs as much again.
    let less = |a: f64, b: f64| if b < a { b } else { a };
    let more = |a: f64, b: f64| if b > a { b } else { a };
    track
        .positions()
        .map(|(_, (lat, lon))| [lat, lon, lat, lon])
        .reduce(|a, b| [less(a[0], b[0]), less(a[1], b[1]), more(a[2], b[2]), more(a[3], b[3])])
        .map(|b| b.map(short))
}

/// Active spans: the window without long stretches that have no samples, and without long pauses. Empty when that is
/// the whole window.
fn spans(recording: &Recording, start: i64, end: i64, step: Option<i64>) -> Vec<(i64, i64)> {
    let times = recording.track.times();
    let longest = SPAN_GAP_MS.max(longest_gap(step).saturating_mul(3));
    let mut gaps: Vec<(i64, i64)> =
        times.windows(2).filter(|pair| pair[1] - pair[0] > longest).map(|pair| (pair[0], pair[1])).collect();
    gaps.extend(recording.pauses.iter().filter(|p| p.end - p.start > SPAN_GAP_MS).map(|p| (p.start, p.end)));
    gaps.sort_unstable_by_key(|gap| (gap.0 - gap.1, gap.0));
    gaps.truncate(MOST_SPANS - 1);
    gaps.sort_unstable();
    let (mut spans, mut from) = (Vec::new(), start);
    for (gap_start, gap_end) in gaps {
        if gap_start > from {
            spans.push((from, gap_start.min(end)));
        }
        from = from.max(gap_end);
    }
    if from < end {
        spans.push((from, end));
    }
    if spans.len() == 1 && spans[0] == (start, end) { Vec::new() } else { spans }
}

/// Seconds in which nothing went on: pauses, and gaps between samples that are longer than the recorder's habit.
fn paused_s(recording: &Recording, start: i64, end: i64, step: Option<i64>) -> f64 {
    let times = recording.track.times();
    let longest = 20_000.max(step.unwrap_or(0).saturating_mul(5));
    let gaps = times.windows(2).filter(|pair| pair[1] - pair[0] > longest).map(|pair| (pair[0], pair[1]));
    let mut rests: Vec<(i64, i64)> = gaps.chain(recording.pauses.iter().map(|p| (p.start, p.end))).collect();
    rests.sort_unstable();
    let (mut sum, mut until) = (0, start);
    for (from, to) in rests {
        let (from, to) = (from.max(until), to.min(end));
        sum += (to - from).max(0);
        until = until.max(to);
    }
    (sum / 100) as f64 / 10.0
}

/// Digest of the quantised columns, and how often they change; `None` when they hardly do. Places are worth something even
/// then: a recorder that was left on a table tells where and when it was.
fn content(track: &Track) -> (Option<u64>, u32) {
    let times = track.times();
    let Some(&start) = times.first() else { return (None, 0) };
    let second = |row: usize| ((times[row] - start + 500).div_euclid(1000)) as u64;
    let columns =
        [Channel::HeartRate, Channel::Power].map(|channel| track.column(channel).map_or(&[][..], Column::raw));
    let sensors = |row: usize| {
        let value = |column: &[f32]| column.get(row).filter(|v| !v.is_nan()).map_or(u64::MAX, |v| rounded(*v));
        let values = columns.map(value);
        (values != [u64::MAX; 2]).then_some((second(row), values))
    };
    let rows = columns.iter().map(|column| column.len()).max().unwrap_or(0).min(times.len());
    let (of_sensors, changes) = digest((0..rows).filter_map(sensors));
    if changes >= 20 {
        return (of_sensors, changes);
    }
    let place = |(row, (lat, lon)): (usize, (f64, f64))| {
        (second(row), [lat, lon].map(|degrees| (degrees * 1e5).round() as i64 as u64))
    };
    let (of_places, moves) = digest(track.positions().map(place));
    if of_places.is_some() && (moves > changes || changes < LEAST_CHANGES) {
        return (of_places, moves);
    }
    (of_sensors.filter(|_| changes >= LEAST_CHANGES), changes)
}

/// The nearest whole number; most values are whole already, and rounding is a call.
#[inline]
fn rounded(value: f32) -> u64 {
    let whole = value as u32;
    if whole as f32 == value { u64::from(whole) } else { value.round() as u64 }
}

/// Digest of values by second, `None` without any, and how often they change.
fn digest(rows: impl Iterator<Item = (u64, [u64; 2])>) -> (Option<u64>, u32) {
    let mut hash = Hash::new();
    let (mut last, mut changes) = (None, 0);
    for (second, values) in rows {
        [second, values[0], values[1]].into_iter().for_each(|value| hash.mix(value));
        changes += u32::from(last.is_some_and(|last| last != values));
        last = Some(values);
    }
    (last.map(|_| hash.0), changes)
}

/// A fixed 64-bit hash (multiply and fold, as in wyhash): the same on every machine and in every version.
struct Hash(u64);

impl Hash {
    fn new() -> Hash {
        Hash(0x9e37_79b9_7f4a_7c15)
    }

    fn mix(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value.wrapping_mul(0xa076_1d64_78bd_642f)) * 0xe703_7ed1_a0b4_28db;
        self.0 = (product as u64 ^ (product >> 64) as u64).rotate_left(17) ^ 0x8ebc_6af0_9c88_c6e3;
    }
}
