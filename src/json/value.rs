//! A JSON value in memory.

use std::ops::Index;

use super::short_decimal;

/// A value. Members keep their order, and a key that occurs twice is there twice ([`Value::get`] finds the first).
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`, or nothing at all.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// The elements of an array.
    Array(Vec<Value>),
    /// The members of an object.
    Object(Vec<(Box<str>, Value)>),
}

/// A number: whole ones stay exact (nanoseconds since 1970 do not fit an `f64`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Whole, and between −2⁶³ and 2⁶³ − 1.
    Int(i64),
    /// Anything else.
    Float(f64),
}

static NULL: Value = Value::Null;

impl Number {
    /// From the text of a number; `None` when it is none or not finite.
    pub fn parse(text: &str) -> Option<Number> {
        if let Ok(int) = text.parse() {
            return Some(Number::Int(int));
        }
        let float = short_decimal(text.as_bytes()).or_else(|| text.parse().ok());
        float.filter(|n| n.is_finite()).map(Number::Float)
    }
}

impl Value {
    /// The member with this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Value::Object(members) = self else { return None };
        members.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The text of a string.
    pub fn str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// A number, also one that is written as a string. Never NaN or infinite.
    pub fn f64(&self) -> Option<f64> {
        match self.number()? {
            Number::Int(int) => Some(int as f64),
            Number::Float(float) => Some(float),
        }
    }

    /// A whole number, also one that is written as a string or with `.0`.
    pub fn i64(&self) -> Option<i64> {
        match self.number()? {
            Number::Int(int) => Some(int),
            Number::Float(float) if float.fract() == 0.0 && float.abs() < 9e15 => Some(float as i64),
            Number::Float(_) => None,
        }
    }

    fn number(&self) -> Option<Number> {
        match self {
            Value::Number(number) => Some(*number),
            Value::String(text) => Number::parse(text.trim()),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        if let Value::Bool(is) = self { Some(*is) } else { None }
    }

    /// The elements of an array; none of anything else.
    pub fn elements(&self) -> &[Value] {
        if let Value::Array(elements) = self { elements } else { &[] }
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(Box<str>, Value)] {
        if let Value::Object(members) = self { members } else { &[] }
    }

    /// True for `null` and for what is not there.
    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }
}

/// The member with this key; [`Value::Null`] when there is none.
impl Index<&str> for Value {
    type Output = Value;
    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }
}

/// The element at this position; [`Value::Null`] when there is none.
impl Index<usize> for Value {
    type Output = Value;
    fn index(&self, at: usize) -> &Value {
        self.elements().get(at).unwrap_or(&NULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::limits::Limits;

    fn value(text: &str) -> Value {
        Json::new(text.as_bytes(), &Limits::default()).value().unwrap()
    }

    #[test]
    fn members_and_elements_are_reached_without_ceremony() {
        let value = value(r#"{"a": {"b": [10, {"c": "x"}]}, "a": 2, "t": true}"#);
        assert_eq!(value["a"]["b"][1]["c"].str(), Some("x"));
        assert_eq!(value["a"]["b"][0].i64(), Some(10));
        assert_eq!(value["t"].bool(), Some(true));
        assert!(value["nothing"]["at"][7]["all"].is_null());
        assert_eq!((value.members().len(), value["a"]["b"].elements().len()), (3, 2));
    }

    #[test]
    fn whole_numbers_stay_exact_and_strings_count() {
        let value = value(
            r#"[1738162698337000001, "1738162698337000001", 5.0, "2.5", 99999999999999999999, "x", "NaN", 2024-05-01, +7, .5]"#,
        );
        assert_eq!(
            (value[0].i64(), value[1].i64()),
            (Some(1_738_162_698_337_000_001), Some(1_738_162_698_337_000_001))
        );
        assert_eq!((value[2].i64(), value[3].i64(), value[3].f64()), (Some(5), None, Some(2.5)));
        assert_eq!(value[4].f64(), Some(1e20));
        assert_eq!((value[5].f64(), value[6].f64()), (None, None));
        assert_eq!(value[7].str(), Some("2024-05-01"));
        assert_eq!((value[8].i64(), value[9].f64()), (Some(7), Some(0.5)));
    }
}
