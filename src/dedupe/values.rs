//! Whether two recordings hold the very same values, whenever they were made. Series at coarse instants cannot tell: the
//! noise of one interval plan ridden twice averages out in them. Short sequences of values can: nobody repeats a heart
//! beat for beat, nor a way to the metre twice in a row, but every copy has the sequences of its original.

use serde::{Deserialize, Serialize};

use super::series::{decode, encode};
use crate::model::{Channel, Track};

/// Values in a row that make a sequence of a sensor, each with how long it stayed.
const RUNS: usize = 8;
/// A recording keeps so many sequences of a quantity: those with the smallest hashes, which is a fair choice and the same
/// one in every copy.
const KEPT: usize = 16;
/// Fewer sequences tell nothing.
const LEAST: usize = 8;
/// A copy has this share of sequences in common, even when its ends are cut or its places rounded once more.
const SHARE: f64 = 0.35;
/// Power is only a fingerprint where it changes as fast as legs do, ms for a sequence: a trainer that reports what its
/// plan asks for repeats itself to the second.
const RESTLESS_MS: i64 = 40_000;

/// The sequences that a recording keeps, as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Values {
    #[serde(skip_serializing_if = "String::is_empty")]
    heart_rate: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    power: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    places: String,
}

impl Values {
    pub(super) fn of(track: &Track) -> Values {
        let heart_rate = of_sensor(track, Channel::HeartRate, i64::MAX);
        // It is not asked where the heart decides.
        let power = if heart_rate.is_empty() { of_sensor(track, Channel::Power, RESTLESS_MS) } else { String::new() };
        Values { heart_rate, power, places: of_places(track) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heart_rate.is_empty() && self.power.is_empty() && self.places.is_empty()
    }

    /// True when one is a copy of the other: the heart decides, without it the places (when they are `placed` on the
    /// ground), without them the power.
    pub(super) fn copied(&self, other: &Values, placed: bool) -> bool {
        let places = || if placed { alike(&self.places, &other.places) } else { None };
        alike(&self.heart_rate, &other.heart_rate)
            .or_else(places)
            .or_else(|| alike(&self.power, &other.power))
            .unwrap_or(false)
    }
}

/// Whether two choices of sequences are of one recording; `None` when one has too few.
fn alike(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (decode(a, 1.0), decode(b, 1.0));
    if a.len().min(b.len()) < LEAST {
        return None;
    }
    let (mut at_a, mut at_b, mut both) = (0, 0, 0);
    let mut taken = 0;
    // The smallest of either: a fair choice of all sequences that there are.
    while taken < KEPT {
        let (x, y) = match (a.get(at_a), b.get(at_b)) {
            (None, None) => break,
            (x, y) => (x.copied().unwrap_or(f64::INFINITY), y.copied().unwrap_or(f64::INFINITY)),
        };
        at_a += usize::from(x <= y);
        at_b += usize::from(y <= x);
        both += usize::from(x == y);
        taken += 1;
    }
    Some(f64::from(both as u32) >= SHARE * f64::from(taken as u32))
}

/// Sequences of whole values with the seconds that each stayed, none longer than `longest_ms`.
fn of_sensor(track: &Track, channel: Channel, longest_ms: i64) -> String {
    let Some(column) = track.column(channel) else { return String::new() };
    let times = track.times();
    let (mut sequence, mut kept) = (Sequence::<RUNS>::new(), Smallest::new());
    let mut run: Option<(u64, i64)> = None;
    for (row, value) in column.present() {
        let value = whole(value.into());
        match run {
            Some((before, since)) if before != value => {
                let seconds = (times[row] - since + 500) / 1000;
                if let Some(hash) = sequence.push(entry(before, seconds as u64), since, times[row], longest_ms) {
                    kept.add(hash);
                }
                run = Some((value, times[row]));
            }
            Some(_) => {}
            None => run = Some((value, times[row])),
        }
    }
    kept.text()
}

/// Two places in a row, to 1e-5 degrees, whenever they were reached.
fn of_places(track: &Track) -> String {
    let mut kept = Smallest::new();
    let mut places = track.positions().map(|(_, (lat, lon))| entry(whole(lat * 1e5), whole(lon * 1e5)));
    let Some(mut before) = places.next() else { return String::new() };
    for place in places {
        if place != before {
            kept.add(spread(entry(before, place)));
            before = place;
        }
    }
    kept.text()
}

/// A number that is the same for all that round to one whole number, which has to be below 2^51.
#[inline(always)]
fn whole(value: f64) -> u64 {
    /// 1.5 × 2^52: what is added to it is rounded to the last bit of the sum.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    (value + ROUND).to_bits()
}

/// One number of two. Only whole sequences are spread ([`spread`]): that is enough, and this is done a sample.
#[inline(always)]
fn entry(a: u64, b: u64) -> u64 {
    a.wrapping_mul(0xa076_1d64_78bd_642f).wrapping_add(b).wrapping_mul(0xe703_7ed1_a0b4_28db)
}

/// Spreads a number over its upper 40 bits: the same on every machine and in every version.
#[inline(always)]
fn spread(hash: u64) -> u64 {
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24
}

/// The last `N` entries, with a hash of their row that is kept up to date.
struct Sequence<const N: usize> {
    /// Each with its start.
    entries: [(u64, i64); N],
    count: usize,
    hash: u64,
}

impl<const N: usize> Sequence<N> {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    /// What an entry counts for by the time that it leaves.
    const LEAVING: u64 = Self::FACTOR.wrapping_pow(N as u32);

    fn new() -> Sequence<N> {
        Sequence { entries: [(0, 0); N], count: 0, hash: 0 }
    }

    /// Appends an entry that lasted from `since` to `until`; gives the hash of the last `N`, when there are so many within
    /// `longest_ms`.
    #[inline]
    fn push(&mut self, entry: u64, since: i64, until: i64, longest_ms: i64) -> Option<u64> {
        let oldest = &mut self.entries[self.count % N];
        let gone = oldest.0.wrapping_mul(Self::LEAVING);
        *oldest = (entry, since);
        self.hash = self.hash.wrapping_mul(Self::FACTOR).wrapping_add(entry).wrapping_sub(gone);
        self.count += 1;
        let first = self.entries[self.count % N].1;
        (self.count >= N && until.saturating_sub(first) <= longest_ms).then(|| spread(self.hash))
    }
}

/// The smallest different hashes.
struct Smallest {
    hashes: [u64; KEPT],
    len: usize,
}

impl Smallest {
    fn new() -> Smallest {
        Smallest { hashes: [0; KEPT], len: 0 }
    }

    #[inline]
    fn add(&mut self, hash: u64) {
        if self.len < KEPT || hash < self.hashes[KEPT - 1] {
            self.insert(hash);
        }
    }

    fn insert(&mut self, hash: u64) {
        let Err(at) = self.hashes[..self.len].binary_search(&hash) else { return };
        self.len = (self.len + 1).min(KEPT);
        self.hashes[at..self.len].rotate_right(1);
        self.hashes[at] = hash;
    }

    fn text(&self) -> String {
        if self.len < LEAST {
            return String::new();
        }
        encode(&self.hashes[..self.len].iter().map(|hash| *hash as f64).collect::<Vec<_>>(), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds with a heart rate, a power and a place each, from `first` to `last`, in a world of this seed.
    fn track(seed: u64, (first, last): (i64, i64), start_ms: i64, decimals: i32) -> Track {
        let mut track = Track::new();
        let mut beat = 130.0;
        for second in 0..last {
            let dice = |salt: u64| spread(entry(seed * 1000 + salt, second as u64)) as f64 / (1u64 << 40) as f64 - 0.5;
            beat += dice(1) * 2.0;
            if second < first {
                continue;
            }
            track.push(start_ms + second * 1000);
            track.set(Channel::HeartRate, f64::round(beat) as f32);
            track.set(Channel::Power, (200.0 + dice(2) * 40.0).round() as f32);
            let scale = 10f64.powi(decimals);
            // Within some metres of one way.
            let (lat, lon) = (47.0 + second as f64 * 3e-5 + dice(3) * 4e-5, 8.0 + dice(4) * 4e-5);
            track.set_position((lat * scale).round() / scale, (lon * scale).round() / scale);
        }
        track
    }

    fn only(values: &Values, keep: fn(&mut Values, &Values)) -> Values {
        let mut some = Values::default();
        keep(&mut some, values);
        some
    }

    #[test]
    fn a_copy_is_known_at_any_time_and_a_repetition_is_not() {
        let original = track(1, (0, 1200), 0, 7);
        let copy = track(1, (40, 1150), 5_400_000, 6);
        let again = track(2, (0, 1200), 5_400_000, 7);
        let quantities: [fn(&Track) -> Values; 3] = [
            |t| Values { heart_rate: of_sensor(t, Channel::HeartRate, i64::MAX), ..Values::default() },
            |t| Values { power: of_sensor(t, Channel::Power, RESTLESS_MS), ..Values::default() },
            |t| Values { places: of_places(t), ..Values::default() },
        ];
        for of in quantities.into_iter().chain([Values::of as fn(&Track) -> Values]) {
            assert!(of(&original).copied(&of(&copy), true));
            assert!(!of(&original).copied(&of(&again), true));
        }
        assert!(!Values::default().copied(&Values::default(), true));
    }

    #[test]
    fn the_heart_decides_before_the_way_and_a_virtual_way_tells_nothing() {
        let original = Values::of(&track(1, (0, 1200), 0, 7));
        let mut other = original.clone();
        other.heart_rate = Values::of(&track(2, (0, 1200), 0, 7)).heart_rate;
        assert!(!original.copied(&other, true));
        let way = only(&original, |to, from| to.places.clone_from(&from.places));
        assert!(way.copied(&way, true) && !way.copied(&way, false));
    }

    #[test]
    fn power_that_follows_a_plan_is_no_fingerprint() {
        let mut plan = Track::new();
        for second in 0..3600 {
            plan.push(second * 1000);
            plan.set(Channel::Power, if second / 30 % 2 == 0 { 150.0 } else { (250 + second / 120) as f32 });
        }
        assert!(Values::of(&plan).is_empty());
    }

    #[test]
    fn the_hash_of_a_sequence_forgets_what_left_it() {
        let mut long = Sequence::<3>::new();
        let mut short = Sequence::<3>::new();
        let last = |sequence: &mut Sequence<3>, entries: &[u64]| {
            entries.iter().map(|entry| sequence.push(*entry, 0, 0, i64::MAX)).last().flatten()
        };
        let hash = last(&mut long, &[9, 8, 7, 1, 2, 3]);
        assert!(hash.is_some());
        assert_eq!(last(&mut short, &[1, 2, 3]), hash);
        assert_ne!(last(&mut short, &[1, 2, 4]), hash);
    }
}
