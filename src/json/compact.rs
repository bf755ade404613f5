//! A cursor over JSON without blanks that is known to be valid, as sealed journal lines are: members are passed over
//! several times as fast as a parser that checks everything would.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Walks through JSON that lies in memory as a whole. Everything that it does not expect, blanks for one, gives `None`:
/// then a parser has to look at it.
pub struct Compact<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Compact<'a> {
    /// A cursor in front of the first value.
    pub fn new(text: &'a str) -> Compact<'a> {
        Compact { text, at: 0 }
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps into the object that comes next.
    pub fn enter(&mut self) -> Option<()> {
        (self.next()? == b'{').then(|| self.at += 1)
    }

    /// The next key of the object, whose value follows; `Some(None)` behind the end of the object.
    pub fn key(&mut self) -> Option<Option<&'a str>> {
        match self.next()? {
            b',' => self.at += 1,
            b'}' => {
                self.at += 1;
                return Some(None);
            }
            _ => {}
        }
        let from = self.at + 1;
        if self.next()? != b'"' {
            return None;
        }
        let to = from + memchr2(b'"', b'\\', self.text.as_bytes().get(from..)?)?;
        self.at = to + 2;
        self.text.as_bytes().get(to..self.at).filter(|&end| end == b"\":")?;
        self.text.get(from..to).map(Some)
    }

    /// The next value as it is written.
    pub fn value(&mut self) -> Option<&'a str> {
        let from = self.at;
        let bytes = self.text.as_bytes();
        self.at = match self.next()? {
            b'"' => string_end(bytes, from)?,
            b'{' | b'[' => container_end(bytes, from)?,
            b'0'..=b'9' | b'-' | b't' | b'f' | b'n' => {
                from + bytes[from..].iter().position(|b| matches!(b, b',' | b'}' | b']'))?
            }
            _ => return None,
        };
        self.text.get(from..self.at)
    }
}

/// What a string says that is written so; `None` when it is no string.
pub fn text_of(written: &str) -> Option<Cow<'_, str>> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(written).ok().map(Cow::Owned) } else { Some(inner.into()) }
}

/// What `read` makes of a value, or nothing for `null`.
pub fn or_null<'a, T>(written: &'a str, read: impl FnOnce(&'a str) -> Option<T>) -> Option<Option<T>> {
    if written == "null" { Some(None) } else { read(written).map(Some) }
}

/// The number that is written so.
pub fn number_of(written: &str) -> Option<f64> {
    // `inf` and `nan` are numbers for Rust only.
    let digits = written.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    digits.then(|| written.parse().ok())?
}

/// Behind the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// What each byte means outside of strings.
const PLAIN: u8 = 0;
const OPENS: u8 = 1;
const CLOSES: u8 = 2;
const QUOTE: u8 = 3;
const MEANING: [u8; 256] = {
    let mut meaning = [PLAIN; 256];
    (meaning[b'{' as usize], meaning[b'[' as usize]) = (OPENS, OPENS);
    (meaning[b'}' as usize], meaning[b']' as usize]) = (CLOSES, CLOSES);
    meaning[b'"' as usize] = QUOTE;
    meaning
};

/// Behind the object or array that begins at `at`.
fn container_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut depth) = (at, 0usize);
    loop {
        at += bytes.get(at..)?.iter().position(|&b| MEANING[usize::from(b)] != PLAIN)?;
        match MEANING[usize::from(bytes[at])] {
            QUOTE => {
                at = string_end(bytes, at)?;
                continue;
            }
            OPENS => match flat_end(bytes, at) {
                Some(end) if depth == 0 => return Some(end),
                Some(end) => {
                    at = end;
                    continue;
                }
                None => depth += 1,
            },
            _ => depth -= 1,
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// A short object without another one inside is passed over in one look: the first `}` ends it when the quotes in front
/// come in pairs and none of them is escaped.
fn flat_end(bytes: &[u8], at: usize) -> Option<usize> {
    const SHORT: usize = 256;
    let rest = bytes.get(at + 1..(at + SHORT).min(bytes.len()))?;
    let inner = rest.get(..memchr(b'}', rest)?)?;
    // Two plain sums, which the compiler works out many bytes at a time.
    let quotes = inner.iter().fold(0u8, |sum, &b| sum.wrapping_add(u8::from(b == b'"')));
    let others = inner.iter().fold(0u8, |any, &b| any | u8::from(b == b'{') | u8::from(b == b'\\'));
    (bytes[at] == b'{' && quotes % 2 == 0 && others == 0).then_some(at + inner.len() + 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// What the members of an object are, read with the cursor.
    fn members(text: &str) -> Option<Vec<(String, Value)>> {
        let mut cursor = Compact::new(text);
        cursor.enter()?;
        let mut out = Vec::new();
        while let Some(key) = cursor.key()? {
            out.push((key.to_owned(), serde_json::from_str(cursor.value()?).ok()?));
        }
        Some(out)
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f32>().prop_map(Value::from),
            "[\\\\\"{}\\[\\],:a\u{fc}\u{7}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z{}\"\\[,]{0,3}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn members_are_those_that_a_parser_finds(values in prop::collection::btree_map("[a-z_\u{e9}]{0,5}", any_value(), 0..5)) {
            let text = serde_json::to_string(&values).unwrap();
            prop_assert_eq!(members(&text), Some(values.into_iter().collect()));
        }

        #[test]
        fn no_text_makes_it_fall_over(text in "[{}\\[\\]\",:\\\\ 0-9an\u{fc}.-]{0,24}") {
            members(&text);
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_a_parser() {
        for text in ["", "[]", "{ }", "{\"a\" :1}", "{\"a\": 1}", "{\"\\u0061\":1}", "{\"a\":1", "{\"a\":\"\\"] {
            assert_eq!(members(text), None, "{text}");
        }
    }
}
