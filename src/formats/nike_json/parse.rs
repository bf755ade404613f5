//! The JSON as it stands: one activity, or a list page of summaries. What was read before a fault stays.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One activity as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Raw {
    pub id: Option<String>,
    pub kind: Option<String>,
    pub app_id: Option<String>,
    pub start_ms: Option<f64>,
    pub end_ms: Option<f64>,
    pub active_ms: Option<f64>,
    pub deleted: bool,
    pub tags: Tags,
    pub summaries: Vec<SummaryValue>,
    pub metrics: Vec<Metric>,
    pub moments: Vec<Moment>,
}

/// A total, mean or maximum that Nike states.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SummaryValue {
    pub metric: String,
    pub summary: String,
    pub value: Option<f64>,
}

/// One series.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Metric {
    pub kind: String,
    pub values: Vec<Value>,
}

/// One value of a series and the span it is of; an instant when both ends are equal. NaN is absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value {
    pub start_ms: f64,
    pub end_ms: f64,
    pub value: f64,
}

impl Default for Value {
    fn default() -> Value {
        Value { start_ms: f64::NAN, end_ms: f64::NAN, value: f64::NAN }
    }
}

/// Texts by their keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tags(Vec<(String, String)>);

impl Tags {
    /// The text of a key, unless it is blank.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
    }
}

/// A halt or a split.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Moment {
    pub key: String,
    pub value: String,
    pub time_ms: Option<f64>,
}

/// Reads a whole file: an activity, an array of them, or a page `{"activities": […]}`. With the fault, if there is one,
/// comes what stood before it.
pub(super) fn parse(bytes: &[u8]) -> (Vec<Raw>, Option<serde_json::Error>) {
    let mut root = Root::default();
    let mut json = serde_json::Deserializer::from_slice(without_torn_number(bytes));
    let fault = Filler(&mut root).deserialize(&mut json).and_then(|()| json.end()).err();
    if root.lone != Raw::default() {
        root.all.push(root.lone);
    }
    (root.all, fault)
}

/// The text without a number at its very end: the file is cut there, and digits may be missing, 0 of 0.8.
fn without_torn_number(bytes: &[u8]) -> &[u8] {
    let of_number = |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
    let end = bytes.iter().rposition(|b| !of_number(b)).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// A number, also as text; anything else is absent.
struct Number;

/// A text; a number or flag as text; anything else is absent.
struct Text;

macro_rules! ignore_the_rest {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

impl<'de> Visitor<'de> for Number {
    type Value = Option<f64>;
    ignore_the_rest!();
    fn visit_bool<E>(self, _: bool) -> Result<Option<f64>, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, v: i64) -> Result<Option<f64>, E> {
        Ok(Some(v as f64))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Option<f64>, E> {
        Ok(Some(v as f64))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Option<f64>, E> {
        Ok(Some(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<Option<f64>, E> {
        Ok(v.trim().parse().ok().filter(|v: &f64| v.is_finite()))
    }
}

impl<'de> DeserializeSeed<'de> for Number {
    type Value = Option<f64>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<f64>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;
    ignore_the_rest!();
    fn visit_bool<E>(self, v: bool) -> Result<Option<String>, E> {
        Ok(Some(v.to_string()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Option<String>, E> {
        Ok(Some(v.to_string()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Option<String>, E> {
        Ok(Some(v.to_string()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Option<String>, E> {
        Ok(Some(v.to_string()))
    }
    fn visit_str<E>(self, v: &str) -> Result<Option<String>, E> {
        Ok(Some(v.to_owned()))
    }
}

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<String>, D::Error> {
        d.deserialize_any(self)
    }
}

/// Something that is filled from an object, key by key, or from an array, so that a fault leaves what was read before it.
/// A value of another type is skipped.
trait Fill {
    /// Takes the value of a key.
    fn field<'de, A: MapAccess<'de>>(&mut self, _key: &str, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }

    /// Takes all elements of an array.
    fn elements<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

struct Filler<'a, T>(&'a mut T);

impl<'de, T: Fill> DeserializeSeed<'de> for Filler<'_, T> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, T: Fill> Visitor<'de> for Filler<'_, T> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut key = String::new();
        while map.next_key_seed(Key(&mut key))?.is_some() {
            self.0.field(&key, &mut map)?;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.elements(&mut seq)
    }
}

/// A key, read into a text that is used again.
struct Key<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.clear();
        self.0.push_str(key);
        Ok(())
    }
}

impl<T: Fill + Default> Fill for Vec<T> {
    fn elements<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<(), A::Error> {
        loop {
            self.push(T::default());
            let Some(last) = self.last_mut() else { return Ok(()) };
            if seq.next_element_seed(Filler(last))?.is_none() {
                self.pop();
                return Ok(());
            }
        }
    }
}

/// A file: one activity, or several.
#[derive(Default)]
struct Root {
    lone: Raw,
    all: Vec<Raw>,
}

impl Fill for Root {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "activities" => map.next_value_seed(Filler(&mut self.all)),
            _ => self.lone.field(key, map),
        }
    }
    fn elements<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<(), A::Error> {
        self.all.elements(seq)
    }
}

impl Fill for Raw {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = map.next_value_seed(Text)?,
            "type" => self.kind = map.next_value_seed(Text)?,
            "app_id" => self.app_id = map.next_value_seed(Text)?,
            "start_epoch_ms" => self.start_ms = map.next_value_seed(Number)?,
            "end_epoch_ms" => self.end_ms = map.next_value_seed(Number)?,
            "active_duration_ms" => self.active_ms = map.next_value_seed(Number)?,
            "delete_indicator" => self.deleted = map.next_value_seed(Text)?.as_deref() == Some("true"),
            "tags" => map.next_value_seed(Filler(&mut self.tags))?,
            "summaries" => map.next_value_seed(Filler(&mut self.summaries))?,
            "metrics" => map.next_value_seed(Filler(&mut self.metrics))?,
            "moments" => map.next_value_seed(Filler(&mut self.moments))?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Fill for Tags {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if let Some(text) = map.next_value_seed(Text)? {
            self.0.push((key.to_owned(), text));
        }
        Ok(())
    }
}

impl Fill for SummaryValue {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "metric" => self.metric = map.next_value_seed(Text)?.unwrap_or_default(),
            "summary" => self.summary = map.next_value_seed(Text)?.unwrap_or_default(),
            "value" => self.value = map.next_value_seed(Number)?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Fill for Metric {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.kind = map.next_value_seed(Text)?.unwrap_or_default(),
            "values" => map.next_value_seed(Filler(&mut self.values))?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Fill for Value {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let slot = match key {
            "start_epoch_ms" => &mut self.start_ms,
            "end_epoch_ms" => &mut self.end_ms,
            "value" => &mut self.value,
            _ => return map.next_value::<IgnoredAny>().map(drop),
        };
        *slot = map.next_value_seed(Number)?.unwrap_or(f64::NAN);
        Ok(())
    }
}

impl Fill for Moment {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "key" => self.key = map.next_value_seed(Text)?.unwrap_or_default(),
            "value" => self.value = map.next_value_seed(Text)?.unwrap_or_default(),
            "timestamp" => self.time_ms = map.next_value_seed(Number)?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_type_are_survived() {
        let json = br#"{"id":7,"start_epoch_ms":"1602494141037","end_epoch_ms":null,"tags":[1],"summaries":{"a":1},
            "metrics":[{"type":"speed","values":[{"start_epoch_ms":5,"end_epoch_ms":9,"value":1.5},{"value":3},7,null]},"x"],
            "delete_indicator":true,"unknown":{"deep":[[[]]]}}"#;
        let (all, fault) = parse(json);
        assert!(fault.is_none(), "{fault:?}");
        let [raw] = &all[..] else { panic!("{} activities", all.len()) };
        assert_eq!((raw.id.as_deref(), raw.start_ms, raw.end_ms), (Some("7"), Some(1_602_494_141_037.0), None));
        let values: Vec<_> = raw.metrics[0].values.iter().filter(|v| v.end_ms > 0.0).collect();
        assert_eq!(values, [&Value { start_ms: 5.0, end_ms: 9.0, value: 1.5 }]);
        assert!(raw.deleted && raw.tags == Tags::default() && raw.summaries.is_empty());
    }

    #[test]
    fn what_stands_before_a_fault_is_kept() {
        let (all, fault) =
            parse(br#"{"id":"a","metrics":[{"type":"speed","values":[{"start_epoch_ms":5,"value":1},{"start"#);
        assert!(fault.is_some());
        assert_eq!((all[0].id.as_deref(), all[0].metrics[0].values.len()), (Some("a"), 2));
        // 0 of 0.8, or of nothing more: nobody knows.
        let cut = br#"{"id":"a","summaries":[{"metric":"distance","summary":"total","value":0"#;
        let (all, fault) = parse(cut);
        assert!(fault.is_some() && all[0].summaries.iter().all(|total| total.value.is_none()), "{all:?}");
        assert!(parse(b"").1.is_some());
        assert!(parse(&b"[".repeat(100_000)).1.is_some());
    }

    #[test]
    fn pages_and_arrays_hold_several() {
        let (all, fault) = parse(br#"{"activities":[{"id":"a"},{"id":"b"}],"paging":{"before_id":"c"}}"#);
        assert!(fault.is_none());
        assert_eq!(all.iter().filter_map(|raw| raw.id.as_deref()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parse(br#"[{"id":"a"},{"id":"b"}]"#).0.len(), 2);
    }
}
