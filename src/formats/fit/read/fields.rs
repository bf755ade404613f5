//! Native fields of summaries that the model has no place for.

use std::collections::HashMap;
use std::sync::Arc;

use super::definition::{Message, number, text_value};
use crate::formats::fit::base::Base;
use crate::formats::fit::profile::message as global;
use crate::formats::fit::summary_fields::{SummaryField, is_told, summary_field};
use crate::model::{ExtraKey, FieldValue, FitField, StatedField};

/// Numbers in all of them together; the longest recordings have some ten thousand.
const MOST_ELEMENTS: usize = 1 << 18;

/// Keeps them, under keys that equal fields share.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// What was found out about a field of a message: whether the model has a place for it, and its profile.
    known: HashMap<(u16, u8), (bool, Option<&'static SummaryField>)>,
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
        let global = message.definition.message;
        let (mut values, mut seen) = (Vec::new(), [false; 256]);
        for field in &message.definition.fields {
            let number = field.number;
            let again = std::mem::replace(&mut seen[usize::from(number)], true);
            let bytes = message.body.get(field.at..field.at + field.size).unwrap_or_default();
            if again || bytes.iter().all(|byte| *byte == 0xFF) {
                continue;
            }
            let look_up = || (is_told(global, number), summary_field(global, number));
            let (told, profile) = *self.known.entry((global, number)).or_insert_with(look_up);
            if told || is_taken(message, number) {
                continue;
            }
            let Some(base) = field.base.filter(|base| bytes.len() % base.size() == 0) else {
                self.unreadable += 1;
                continue;
            };
            let elements = bytes.len() / base.size();
            if self.elements + elements > MOST_ELEMENTS {
                self.too_many += 1;
                continue;
            }
            let (scale, offset) = profile.map_or((1.0, 0.0), |profile| (profile.scale, profile.offset));
            let value = match value(base, message.definition.big, bytes, scale, offset) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(Inexact) => {
                    self.unreadable += 1;
                    continue;
                }
            };
            self.elements += elements;
            let key = self.keys.entry((global, number, base)).or_insert_with(|| {
                let name = profile.map_or_else(|| format!("field_{number}"), |profile| profile.name.to_owned());
                let fit = FitField::Native { number, base_type: base.code(), scale, offset };
                ExtraKey { name, unit: profile.map_or("", |profile| profile.unit).to_owned(), fit: Some(fit) }.into()
            });
            values.push(StatedField { key: Arc::clone(key), value });
        }
        values
    }
}

/// True for a field of which the model holds all only sometimes, as it does now.
fn is_taken(message: &Message<'_>, field: u8) -> bool {
    match (message.definition.message, field) {
        // Without bit 15 the balance is that of an unknown side, which the model does not name.
        (global::SESSION, 37) | (global::LAP, 34) => message.uint(field).is_some_and(|raw: u16| raw & 0x8000 != 0),
        // A set has one exercise; a device that guesses lists several.
        (global::SET, 7 | 8) => [7, 8].into_iter().all(|list| message.numbers(list).flatten().count() < 2),
        _ => false,
    }
}

/// Largest whole number up to which all are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number that the model cannot hold exactly.
struct Inexact;

/// The value of a field; `None` when nothing is recorded.
fn value(base: Base, big: bool, bytes: &[u8], scale: f64, offset: f64) -> Result<Option<FieldValue>, Inexact> {
    if base == Base::String {
        return Ok(text_value(bytes));
    }
    let mut numbers = Vec::with_capacity(bytes.len() / base.size());
    for element in bytes.chunks_exact(base.size()) {
        let raw = number(base, big, element);
        if raw.is_some_and(|raw| !is_exact(base, raw)) {
            return Err(Inexact);
        }
        numbers.push(raw.map(|raw| raw / scale - offset));
    }
    Ok(match numbers[..] {
        [Some(number)] => Some(FieldValue::Number(number)),
        _ => numbers.iter().any(Option::is_some).then_some(FieldValue::Numbers(numbers)),
    })
}

/// True when the number was read without rounding and can be written again.
fn is_exact(base: Base, number: f64) -> bool {
    match base {
        Base::Sint64 | Base::Uint64 | Base::Uint64z => number.abs() < EXACT,
        _ => number.is_finite(),
    }
}
