//! Statistics of the channels of an activity.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Statistics of one channel over the samples that have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelStats {
    /// Unit as printed.
    pub unit: Cow<'static, str>,
    /// Samples with a value.
    pub count: u64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean, unrounded: mean × count gives the sum back.
    pub mean: f64,
}

impl ChannelStats {
    /// Statistics of some values; `None` when there are none.
    pub(super) fn of(unit: Cow<'static, str>, values: impl Iterator<Item = f64>) -> Option<ChannelStats> {
        let (mut count, mut sum, mut min, mut max) = (0u64, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            count += 1;
            sum += value;
            // Not `f64::min`: the values are numbers, and its care for others costs as much again.
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
        }
        (count > 0).then(|| ChannelStats { unit, count, min, max, mean: sum / count as f64 })
    }
}

/// Statistics by the names of the channels, in their order; a JSON object. The rows lie in one block of memory: thousands of
/// activities wait for the end of a run, and the nodes of a map are larger than all else that is kept of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatsByName(Vec<(Cow<'static, str>, ChannelStats)>);

impl StatsByName {
    /// Room for so many channels.
    pub(super) fn with_capacity(channels: usize) -> StatsByName {
        StatsByName(Vec::with_capacity(channels))
    }

    /// The statistics of one channel.
    pub fn get(&self, name: &str) -> Option<&ChannelStats> {
        self.place(name).ok().and_then(|at| self.0.get(at)).map(|(_, stats)| stats)
    }

    /// The names of the channels.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// Adds a channel, in place of one of the same name.
    pub(super) fn insert(&mut self, name: Cow<'static, str>, stats: ChannelStats) {
        match self.place(&name) {
            Ok(at) => self.0[at].1 = stats,
            Err(at) => self.0.insert(at, (name, stats)),
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_ref().cmp(name))
    }
}

impl Serialize for StatsByName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, stats)| (name, stats)))
    }
}

impl<'de> Deserialize<'de> for StatsByName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StatsByName, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = StatsByName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("statistics by channel")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<StatsByName, M::Error> {
                let mut all = StatsByName::default();
                while let Some((name, stats)) = map.next_entry::<String, ChannelStats>()? {
                    all.insert(name.into(), stats);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_name_and_print_in_order() {
        let one = |value| ChannelStats::of("m".into(), [value].into_iter()).unwrap();
        let mut all = StatsByName::default();
        for (name, value) in [("power", 1.0), ("altitude", 2.0), ("cadence", 3.0), ("altitude", 4.0)] {
            all.insert(name.into(), one(value));
        }
        assert_eq!(all.names().collect::<Vec<_>>(), ["altitude", "cadence", "power"]);
        assert_eq!((all.get("altitude"), all.get("speed")), (Some(&one(4.0)), None));
        let json = serde_json::to_string(&all).unwrap();
        assert!(
            json.starts_with(r#"{"altitude":{"unit":"m","count":1,"min":4.0,"max":4.0,"mean":4.0},"cadence":"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<StatsByName>(&json).unwrap(), all);
    }

    #[test]
    fn the_mean_gives_the_sum_back() {
        let stats = ChannelStats::of("bpm".into(), [88.0, 90.5, 93.0].into_iter()).unwrap();
        assert_eq!((stats.count, stats.min, stats.max, stats.mean), (3, 88.0, 93.0, 90.5));
        assert_eq!(ChannelStats::of("bpm".into(), std::iter::empty()), None);
    }
}
