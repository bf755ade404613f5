//! Native fields of summaries that the model has no place for.

use std::collections::HashMap;
use std::sync::Arc;

use super::definition::{Field, Message, number, text_value};
use crate::formats::fit::base::Base;
use crate::formats::fit::profile::message as global;
use crate::formats::fit::summary_fields::{is_told, summary_field};
use crate::model::{ExtraKey, FieldValue, FitField, StatedField};

/// Numbers in all of them together; the longest recordings have some ten thousand.
const MOST_ELEMENTS: usize = 1 << 18;

/// Keeps them, under keys that equal fields share.
#[derive(Debug, Default)]
pub(super) struct Fields {
    keys: HashMap<(u16, u8, Base), Arc<ExtraKey>>,
    elements: usize,
    /// Fields whose value no number can hold.
    pub unreadable: u64,
    /// Fields beyond the bounds of any device.
    pub too_many: u64,
}

impl Fields {
    /// Those of one message.
    pub fn of(&mut self, message: &Message<'_>) -> Vec<StatedField> {
        let definition = message.definition;
        let (mut values, mut seen) = (Vec::new(), [false; 256]);
        for field in definition.fields.iter().filter(|field| field.size > 0) {
            let again = std::mem::replace(&mut seen[usize::from(field.number)], true);
            if again || is_taken(message, field.number) {
                continue;
            }
            let known = summary_field(definition.message, field.number);
            let (scale, offset) = known.map_or((1.0, 0.0), |known| (known.scale, known.offset));
            let (base, value) = match value(message, field, scale, offset) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(()) => {
                    self.unreadable += 1;
                    continue;
                }
            };
            let elements = field.size.div_ceil(base.size());
            if self.elements + elements > MOST_ELEMENTS {
                self.too_many += 1;
                continue;
            }
            self.elements += elements;
            let key = self.keys.entry((definition.message, field.number, base)).or_insert_with(|| {
                let name = known.map_or_else(|| format!("field_{}", field.number), |known| known.name.to_owned());
                let fit = FitField::Native { number: field.number, base_type: base.code(), scale, offset };
                ExtraKey { name, unit: known.map_or("", |known| known.unit).to_owned(), fit: Some(fit) }.into()
            });
            values.push(StatedField { key: Arc::clone(key), value });
        }
        values
    }
}

/// True when the model holds all that the field says.
fn is_taken(message: &Message<'_>, field: u8) -> bool {
    match (message.definition.message, field) {
        // Without bit 15 the balance is that of an unknown side, which the model does not name.
        (global::SESSION, 37) | (global::LAP, 34) => message.uint(field).is_some_and(|raw: u16| raw & 0x8000 != 0),
        // A set has one exercise; a device that guesses lists several.
        (global::SET, 7 | 8) => [7, 8].into_iter().all(|list| message.numbers(list).flatten().count() < 2),
        (message, field) => is_told(message, field),
    }
}

/// Largest whole number up to which all are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The value of a field with its base type; `None` when nothing is recorded. An error when the size does not fit the
/// type, or a number is none that can be held exactly.
fn value(message: &Message<'_>, field: &Field, scale: f64, offset: f64) -> Result<Option<(Base, FieldValue)>, ()> {
    let bytes = message.body.get(field.at..field.at + field.size).ok_or(())?;
    if bytes.iter().all(|byte| *byte == 0xFF) {
        return Ok(None);
    }
    let base = field.base.filter(|base| bytes.len() % base.size() == 0).ok_or(())?;
    if base == Base::String {
        return Ok(text_value(bytes).map(|text| (base, text)));
    }
    let big = message.definition.big;
    let raw: Vec<Option<f64>> = bytes.chunks_exact(base.size()).map(|element| number(base, big, element)).collect();
    if raw.iter().flatten().any(|raw| !is_exact(base, *raw)) {
        return Err(());
    }
    let numbers: Vec<Option<f64>> = raw.into_iter().map(|raw| raw.map(|raw| raw / scale - offset)).collect();
    let value = match numbers[..] {
        [Some(number)] => Some(FieldValue::Number(number)),
        _ => numbers.iter().any(Option::is_some).then_some(FieldValue::Numbers(numbers)),
    };
    Ok(value.map(|value| (base, value)))
}

/// True when the number was read without rounding and can be written again.
fn is_exact(base: Base, number: f64) -> bool {
    match base {
        Base::Sint64 | Base::Uint64 | Base::Uint64z => number.abs() < EXACT,
        _ => number.is_finite(),
    }
}
