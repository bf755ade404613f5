//! From events to a tree, without recursion.

use std::io::Read;

use super::escape::unescape;
use super::reader::{Event, Json, State};
use super::value::{Number, Value};
use crate::error::{Error, Kind, Result};

/// Values of one tree beyond which each must be worth four bytes of text: `[0,0,0,…` must not fill the memory.
const FREE_VALUES: u64 = 1_000_000;

/// A container that is not complete yet.
enum Open {
    Array(Vec<Value>),
    Object(Vec<(Box<str>, Value)>, Option<Box<str>>),
}

impl Open {
    fn add(&mut self, value: Value) {
        match self {
            Open::Array(elements) => elements.push(value),
            Open::Object(members, key) => members.push((key.take().unwrap_or_default(), value)),
        }
    }

    fn close(self) -> Value {
        match self {
            Open::Array(elements) => Value::Array(elements),
            Open::Object(members, _) => Value::Object(members),
        }
    }
}

impl<R: Read> Json<R> {
    /// The value that follows, as a tree; [`Value::Null`] when none does.
    ///
    /// # Errors
    /// `Malformed` with the byte, `Limit` (depth, size), `Io`.
    pub fn value(&mut self) -> Result<Value> {
        match self.partial() {
            (value, None) => Ok(value),
            (_, Some(error)) => Err(error),
        }
    }

    /// The value that follows, as far as it can be read: what is open when an error comes is closed, a string that the end
    /// of the text cuts is kept up to there. A number at the end of a cut text may lack digits and is left out.
    pub fn partial(&mut self) -> (Value, Option<Error>) {
        let mut open: Vec<Open> = Vec::new();
        let start = self.offset();
        let mut count = 0;
        let error = loop {
            count += 1;
            if count > FREE_VALUES + (self.offset() - start) / 4 {
                break Error::new(Kind::Limit, "too many values in one JSON tree").at(self.window.place());
            }
            let value = match self.next() {
                Err(error) => break error,
                Ok(None) => return (Value::Null, None),
                Ok(Some(event)) => match event {
                    Event::BeginObject => {
                        open.push(Open::Object(Vec::new(), None));
                        continue;
                    }
                    Event::BeginArray => {
                        open.push(Open::Array(Vec::new()));
                        continue;
                    }
                    Event::Key(name) => {
                        if let Some(Open::Object(_, key)) = open.last_mut() {
                            *key = Some(name.into());
                        }
                        continue;
                    }
                    Event::EndObject | Event::EndArray => match open.pop() {
                        Some(done) => done.close(),
                        // The container around: there is no value left in it.
                        None => return (Value::Null, None),
                    },
                    Event::String(text) => Value::String(text.into()),
                    Event::Number(text) => match Number::parse(text) {
                        Some(number) => Value::Number(number),
                        // A date without quotes, or a number beyond all bounds.
                        None => Value::String(text.into()),
                    },
                    Event::Bool(is) => Value::Bool(is),
                    Event::Null => Value::Null,
                },
            };
            match open.last_mut() {
                None => return (value, None),
                Some(container) => container.add(value),
            }
        };
        let mut value = self.torn_string().map_or(Value::Null, Value::String);
        while let Some(mut container) = open.pop() {
            if value != Value::Null {
                container.add(value);
            }
            value = container.close();
        }
        (value, Some(error))
    }

    /// What there is of a string value whose end is missing; without the number that it may be cut in.
    fn torn_string(&self) -> Option<Box<str>> {
        let text =
            self.window.rest().strip_prefix(b"\"").filter(|_| matches!(self.state, State::Value | State::Element))?;
        let mut out = String::new();
        unescape(&String::from_utf8_lossy(text), &mut out);
        out.truncate(out.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-')).len());
        Some(out.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Drip;
    use super::*;
    use crate::limits::Limits;

    fn json(bytes: &[u8]) -> Json<&[u8]> {
        Json::new(bytes, &Limits::default())
    }

    #[test]
    fn a_cut_text_gives_what_is_complete() {
        let (value, error) = json(br#"{"sport":"RUNNING","samples":[1,2,{"t":3,"u":"cu"#).partial();
        assert!(error.unwrap().message().contains("inside a string"));
        assert_eq!(value["sport"].str(), Some("RUNNING"));
        assert_eq!(value["samples"].elements().len(), 3);
        assert_eq!((value["samples"][2]["t"].i64(), value["samples"][2]["u"].str()), (Some(3), Some("cu")));
        assert!(matches!(json(b"").partial(), (Value::Null, None)));
    }

    #[test]
    fn a_number_that_the_end_of_the_text_cuts_is_none() {
        for cut in [&br#"{"a":[88,89,9"#[..], br#"{"a":[88,89,90"#, br#"{"a":[88,89,-"#, br#"{"a":[88,89,9."#] {
            let (value, error) = json(cut).partial();
            assert!(error.is_some());
            let all: Vec<_> = value["a"].elements().iter().map(Value::i64).collect();
            assert_eq!(all, [Some(88), Some(89)], "{}", String::from_utf8_lossy(cut));
        }
        let (value, _) = json(br#"{"data":"88,89,9"#).partial();
        assert_eq!(value["data"].str(), Some("88,89,"));
        assert_eq!(json(b"17").value().unwrap().i64(), Some(17));
    }

    #[test]
    fn many_tiny_values_do_not_fill_the_memory() {
        let text = [&b"["[..], &b"0,".repeat(3_000_000), b"0]"].concat();
        assert_eq!(json(&text).value().unwrap_err().kind(), Kind::Limit);
        let text = [&b"["[..], &b"0,".repeat(1_000_000), b"0]"].concat();
        assert_eq!(json(&text).value().unwrap().elements().len(), 1_000_001);
    }

    fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Value::Number(_), serde_json::Value::Number(b)) => ours.i64() == b.as_i64() || ours.f64() == b.as_f64(),
            (Value::String(a), serde_json::Value::String(b)) => **a == **b,
            (Value::Array(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), serde_json::Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(&**key).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    fn any() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest::proptest! {
        #[test]
        fn valid_json_reads_as_serde_json_reads_it(tree in any(), piece in 1usize..20, pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) }.unwrap();
            let limits = Limits::default();
            let mut json = Json::new(Drip::new(text.as_bytes(), piece), &limits);
            let ours = json.value().unwrap();
            proptest::prop_assert!(same(&ours, &tree), "{text}\n{ours:?}");
            let mut notes = crate::report::Notes::new();
            json.report(&mut notes);
            // Only DEL and above, never control bytes: serde_json escapes those.
            proptest::prop_assert!(notes.is_empty());
            proptest::prop_assert_eq!(json.offset(), text.len() as u64);
        }

        #[test]
        fn no_text_makes_it_panic_or_hang(text in "[\\[\\]{}\",:0-9a-eN\\\\ ]{0,80}") {
            let limits = Limits::default();
            let mut notes = crate::report::Notes::new();
            let mut json = Json::new(text.as_bytes(), &limits);
            let mut count = 0;
            while json.element(&mut notes).unwrap().is_some() {
                count += 1;
            }
            proptest::prop_assert!(count <= text.len());
            proptest::prop_assert_eq!(json.offset(), text.len() as u64);
        }
    }
}
