//! Values of Polar's JSON, in whatever type they are written.

use crate::error::Result;
use crate::json::{Event, Json, Shape, short_decimal};
use crate::model::time::{self, Instant};

/// The text that is read.
pub(super) type Text<'a> = Json<&'a [u8]>;

/// Steps through the members of an object and calls `field` for each key that is one of `names` (AccessLink's
/// documentation writes `-` where its files have `_`); `field` takes the value. Anything else is passed over.
pub(super) fn object<'a>(
    json: &mut Text<'a>,
    names: &[&'static str],
    mut field: impl FnMut(&mut Text<'a>, &'static str) -> Result<()>,
) -> Result<()> {
    if json.peek()? != Shape::Object {
        return json.skip();
    }
    json.object()?;
    loop {
        let Some(key) = json.key()? else { return Ok(()) };
        match names.iter().find(|name| same(name, key)) {
            Some(name) => field(json, name)?,
            None => json.skip()?,
        }
    }
}

/// Calls `each` at every element of an array; `each` takes the element. Anything else is passed over.
pub(super) fn array<'a>(json: &mut Text<'a>, mut each: impl FnMut(&mut Text<'a>) -> Result<()>) -> Result<()> {
    if json.peek()? != Shape::Array {
        return json.skip();
    }
    json.array()?;
    while json.peek()? != Shape::End {
        each(json)?;
    }
    json.next().map(drop)
}

fn same(name: &str, key: &str) -> bool {
    name.len() == key.len() && name.bytes().zip(key.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

/// The scalar that follows, by what `of` makes of its text; `None` for anything else.
fn scalar<T>(json: &mut Text<'_>, of: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
    if json.peek()? != Shape::Scalar {
        return json.skip().map(|()| None);
    }
    Ok(match json.next()? {
        Some(Event::Number(text) | Event::String(text)) => of(text),
        _ => None,
    })
}

/// A number, also as text; `NaN` in any spelling is none.
pub(super) fn number(json: &mut Text<'_>) -> Result<Option<f64>> {
    scalar(json, decimal)
}

/// The number that a text is.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    short_decimal(text.as_bytes()).or_else(|| text.parse().ok()).filter(|value| value.is_finite())
}

/// A text or number as text; blank is absent.
pub(super) fn text(json: &mut Text<'_>) -> Result<Option<String>> {
    scalar(json, |text| Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// The scalar that follows, or the one of that name inside the object that follows.
pub(super) fn text_in(json: &mut Text<'_>, name: &'static str) -> Result<Option<String>> {
    if json.peek()? != Shape::Object {
        return text(json);
    }
    let mut found = None;
    object(json, &[name], |json, _| {
        found = text(json)?;
        Ok(())
    })?;
    Ok(found)
}

/// True for `true`.
pub(super) fn flag(json: &mut Text<'_>) -> Result<bool> {
    if json.peek()? != Shape::Scalar {
        return json.skip().map(|()| false);
    }
    Ok(json.next()? == Some(Event::Bool(true)))
}

/// A date-time. Polar leaves out the seconds when they are zero.
pub(super) fn instant(json: &mut Text<'_>) -> Result<Option<Instant>> {
    scalar(json, |text| time::parse(text.as_bytes()))
}

/// A duration in ms: a number is in ms already, a text is ISO 8601.
pub(super) fn millis(json: &mut Text<'_>) -> Result<Option<f64>> {
    scalar(json, |text| decimal(text).or_else(|| iso_millis(text))).map(|ms| ms.filter(|ms| ms.abs() < 1e12))
}

/// `PT6917.941S`, `PT2H44M`, `P1DT2H` in ms; years and months have no length.
pub(super) fn iso_millis(text: &str) -> Option<f64> {
    let mut rest = text.trim().strip_prefix(['P', 'p'])?;
    let (mut sum, mut parts, mut clock) = (0.0, 0, false);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(['T', 't']) {
            (rest, clock) = (behind, true);
            continue;
        }
        let at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (value, unit) = rest.split_at(at);
        let seconds = match (unit.as_bytes().first()?.to_ascii_uppercase(), clock) {
            (b'W', false) => 604_800.0,
            (b'D', false) => 86_400.0,
            (b'H', true) => 3600.0,
            (b'M', true) => 60.0,
            (b'S', true) => 1.0,
            _ => return None,
        };
        sum += decimal(&value.replace(',', "."))? * seconds;
        parts += 1;
        rest = unit.get(1..)?;
    }
    (parts > 0).then_some(sum * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn durations_of_both_generations_are_read() {
        for (text, ms) in [
            ("PT3452.125S", 3_452_125.0),
            ("PT2H44M", 9_840_000.0),
            ("PT1H30M19S", 5_419_000.0),
            ("P1DT1S", 86_401_000.0),
            ("pt0,5s", 500.0),
        ] {
            assert_eq!(iso_millis(text), Some(ms), "{text}");
        }
        for text in ["", "PT", "P", "1H", "PTS", "P1Y", "P1M", "PT1X", "PT1", "PTéS", "P1H"] {
            assert_eq!(iso_millis(text), None, "{text}");
        }
    }

    #[test]
    fn values_of_any_type_are_survived() {
        let limits = Limits::default();
        let text = br#"{"a-b":"NaN","c":[NaN,"7",{"x":1},null,2.5],"d":{"id":9},"e":[[1]],"f":"PT1S","g":1500}"#;
        let mut json = Json::new(&text[..], &limits);
        let (mut list, mut id, mut durations) = (Vec::new(), None, Vec::new());
        object(&mut json, &["a_b", "c", "d", "e", "f", "g"], |json, key| {
            match key {
                "c" => array(json, |json| {
                    list.push(number(json)?);
                    Ok(())
                })?,
                "d" => id = text_in(json, "id")?,
                "f" | "g" => durations.push(millis(json)?),
                _ => assert_eq!(number(json)?, None, "{key}"),
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(list, [None, Some(7.0), None, None, Some(2.5)]);
        assert_eq!((id.as_deref(), durations), (Some("9"), vec![Some(1000.0), Some(1500.0)]));
        assert_eq!(json.peek().unwrap(), Shape::End);
    }
}
