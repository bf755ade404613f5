//! Definition messages, and data messages seen through them.

use super::developer::Developers;
use crate::formats::fit::base::Base;
use crate::formats::fit::own;
use crate::model::time::FIT_EPOCH_S;
use crate::model::{FieldValue, StatedField};

/// Field number of `timestamp` in every message.
const TIMESTAMP: u8 = 253;

/// One field of a definition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub number: u8,
    /// Offset in the body.
    pub at: usize,
    pub size: usize,
    /// `None` for a base type that the protocol does not know; such a field is skipped by its size.
    pub base: Option<Base>,
}

/// One developer field of a definition.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeveloperBytes {
    pub number: u8,
    pub index: u8,
    /// Offset in the body.
    pub at: usize,
    pub size: usize,
}

/// What a definition message says about the data messages that follow.
#[derive(Debug)]
pub(super) struct Definition<'a> {
    /// The definition's own bytes after the record header; equal bytes define the same.
    pub raw: &'a [u8],
    pub message: u16,
    pub big: bool,
    /// Bytes of a body.
    pub size: usize,
    pub fields: Vec<Field>,
    pub developer: Vec<DeveloperBytes>,
    /// Offset of a well-formed `timestamp`.
    pub time_at: Option<usize>,
}

/// Length of the definition that starts right after a record header; `None` when the bytes end before it does.
pub(super) fn definition_len(developer: bool, bytes: &[u8]) -> Option<usize> {
    let mut len = 5 + 3 * usize::from(*bytes.get(4)?);
    if developer {
        len += 1 + 3 * usize::from(*bytes.get(len)?);
    }
    (len <= bytes.len()).then_some(len)
}

impl<'a> Definition<'a> {
    /// Reads the bytes that [`definition_len`] measured. `None` for an architecture that is neither little nor big endian.
    pub fn read(developer: bool, raw: &'a [u8]) -> Option<Definition<'a>> {
        let [_, architecture @ (0 | 1), m0, m1, count, rest @ ..] = raw else { return None };
        let big = *architecture == 1;
        let message = if big { u16::from_be_bytes([*m0, *m1]) } else { u16::from_le_bytes([*m0, *m1]) };
        let (fields, rest) = rest.split_at_checked(3 * usize::from(*count))?;
        let mut size = 0;
        let mut place = |bytes: u8| {
            let at = size;
            size += usize::from(bytes);
            at
        };
        let (triples, _) = fields.as_chunks::<3>();
        let fields: Vec<Field> = triples
            .iter()
            .map(|&[number, bytes, base]| Field { number, at: place(bytes), size: bytes.into(), base: Base::of(base) })
            .collect();
        let (triples, _) = if developer { rest.get(1..)?.as_chunks::<3>() } else { Default::default() };
        let developer = triples
            .iter()
            .map(|&[number, bytes, index]| DeveloperBytes { number, index, at: place(bytes), size: bytes.into() })
            .collect();
        let time_at = fields
            .iter()
            .find(|f| f.number == TIMESTAMP && f.size == 4 && f.base.is_some_and(|base| base.size() == 4))
            .map(|f| f.at);
        Some(Definition { raw, message, big, size, fields, developer, time_at })
    }
}

/// The bits of one element.
fn bits(big: bool, bytes: &[u8]) -> u64 {
    let byte = |bits: u64, byte: &u8| (bits << 8) | u64::from(*byte);
    if big { bytes.iter().fold(0, byte) } else { bytes.iter().rev().fold(0, byte) }
}

/// The number that one element holds; `None` when it is invalid. 64-bit integers beyond 2^53 lose their last digits.
pub(super) fn number(base: Base, big: bool, bytes: &[u8]) -> Option<f64> {
    let bits = bits(big, bytes);
    match base {
        Base::Float32 => Some(f64::from(f32::from_bits(bits as u32))).filter(|v| !v.is_nan()),
        Base::Float64 => Some(f64::from_bits(bits)).filter(|v| !v.is_nan()),
        _ if bits == base.invalid() => None,
        Base::Sint8 => Some((bits as i8).into()),
        Base::Sint16 => Some((bits as i16).into()),
        Base::Sint32 => Some((bits as i32).into()),
        Base::Sint64 => Some(bits as i64 as f64),
        Base::String => None,
        _ => Some(bits as f64),
    }
}

/// A text up to the first NUL, bad UTF-8 replaced; `None` when empty.
pub(super) fn text_value(bytes: &[u8]) -> Option<FieldValue> {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    (end > 0).then(|| FieldValue::Text(String::from_utf8_lossy(&bytes[..end]).into_owned()))
}

/// Milliseconds since the Unix epoch of a FIT `date_time`.
pub(super) fn instant(seconds: u32) -> i64 {
    (i64::from(seconds) + FIT_EPOCH_S) * 1000
}

/// One data message: a body seen through its definition.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    pub definition: &'a Definition<'a>,
    pub body: &'a [u8],
    /// What the segment has described so far.
    pub developers: &'a Developers,
}

impl<'a> Message<'a> {
    fn field(&self, number: u8) -> Option<(Base, &'a [u8])> {
        let field = self.definition.fields.iter().find(|field| field.number == number)?;
        Some((field.base?, self.body.get(field.at..field.at + field.size)?))
    }

    /// All elements of a field, invalid ones as `None`; empty when the field is missing or its size does not fit its type.
    pub fn numbers(&self, field: u8) -> impl Iterator<Item = Option<f64>> + 'a {
        let big = self.definition.big;
        let (base, bytes) = self.field(field).filter(|(b, v)| v.len() % b.size() == 0).unwrap_or((Base::Byte, &[]));
        bytes.chunks_exact(base.size()).map(move |element| number(base, big, element))
    }

    /// The first valid element of a field, unscaled.
    pub fn number(&self, field: u8) -> Option<f64> {
        self.numbers(field).flatten().next()
    }

    /// The first valid element, as value = raw / scale - offset.
    pub fn scaled(&self, field: u8, scale: f64, offset: f64) -> Option<f64> {
        self.number(field).map(|raw| raw / scale - offset)
    }

    /// The first valid element when it is a whole number that fits.
    pub fn uint<T: TryFrom<u64>>(&self, field: u8) -> Option<T> {
        self.number(field).filter(|v| (0.0..=u32::MAX as f64).contains(v)).and_then(|v| T::try_from(v as u64).ok())
    }

    /// A `date_time` field as milliseconds since the Unix epoch.
    pub fn time(&self, field: u8) -> Option<i64> {
        self.uint(field).map(instant)
    }

    /// The instant that the message is about, with its milliseconds.
    pub fn fine_time(&self, field: u8) -> Option<i64> {
        self.time(field).map(|time| time + self.milliseconds())
    }

    /// The part of a second that a message of `paceport` carries besides its time, ms.
    pub fn milliseconds(&self) -> i64 {
        let ms = self.own_number(own::MILLISECONDS).filter(|ms| (0.0..1000.0).contains(ms));
        ms.map_or(0, |ms| ms as i64)
    }

    /// The bytes and base type of a developer field of `paceport`.
    fn own(&self, name: &str) -> Option<(Base, &'a [u8])> {
        let found = |field: &DeveloperBytes| self.developers.own(field).filter(|(known, _)| *known == name);
        let (field, base) = self.definition.developer.iter().find_map(|field| Some((field, found(field)?.1)))?;
        Some((base, self.body.get(field.at..field.at + field.size)?))
    }

    /// A number in a developer field of `paceport`.
    pub fn own_number(&self, name: &str) -> Option<f64> {
        let (base, bytes) = self.own(name)?;
        number(base, self.definition.big, bytes.get(..base.size())?)
    }

    /// A text in a developer field of `paceport`.
    pub fn own_text(&self, name: &str) -> Option<String> {
        let (base, bytes) = self.own(name)?;
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        (base == Base::String && end > 0).then(|| String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// The developer fields of other programs that it has.
    pub fn foreign(&self) -> impl Iterator<Item = &'a DeveloperBytes> + use<'a> {
        let developers = self.developers;
        self.definition.developer.iter().filter(move |field| developers.own(field).is_none())
    }

    /// True when the segment says what the field is.
    pub fn is_described(&self, field: &DeveloperBytes) -> bool {
        self.developers.key(field).is_some()
    }

    /// Name, unit, definition and value of a developer field; `None` when it was not described or holds no valid value.
    pub fn developer_value(&self, field: &DeveloperBytes) -> Option<StatedField> {
        let (base, key) = self.developers.key(field)?;
        let bytes = self.body.get(field.at..field.at + field.size)?;
        let value = if base == Base::String {
            text_value(bytes)?
        } else {
            let (scale, offset) = key.scale();
            let elements = bytes.chunks_exact(base.size()).map(|element| number(base, self.definition.big, element));
            let elements = elements.map(|raw| raw.filter(|raw| raw.is_finite()));
            let mut numbers: Vec<Option<f64>> = elements.map(|raw| raw.map(|raw| raw / scale - offset)).collect();
            numbers.truncate(numbers.iter().rposition(Option::is_some)? + 1);
            match numbers[..] {
                [Some(number)] => FieldValue::Number(number),
                _ => FieldValue::Numbers(numbers),
            }
        };
        Some(StatedField { key: key.into(), value })
    }

    /// The message's own `timestamp`.
    pub fn timestamp(&self) -> Option<i64> {
        self.time(TIMESTAMP)
    }

    /// A pair of semicircle fields as degrees.
    pub fn position(&self, lat: u8, lon: u8) -> Option<(f64, f64)> {
        let degrees = |field| Some(self.number(field)? * crate::formats::fit::profile::DEGREES_PER_SEMICIRCLE);
        Some((degrees(lat)?, degrees(lon)?)).filter(|p| *p != (0.0, 0.0) && p.0.abs() <= 90.0)
    }

    /// The bytes of a field as they are.
    pub fn bytes(&self, field: u8) -> Option<&'a [u8]> {
        self.field(field).map(|(_, bytes)| bytes)
    }

    /// Text up to the first NUL (what follows can be garbage), invalid UTF-8 replaced; `None` when blank.
    pub fn text(&self, field: u8) -> Option<String> {
        let (base, bytes) = self.field(field)?;
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        let text = String::from_utf8_lossy(bytes.get(..end)?);
        let text = text.trim();
        (base == Base::String && !text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_and_order() {
        assert_eq!(number(Base::Uint16, false, &[0x34, 0x12]), Some(4660.0));
        assert_eq!(number(Base::Uint16, true, &[0x12, 0x34]), Some(4660.0));
        assert_eq!(number(Base::Sint16, false, &[0xFE, 0xFF]), Some(-2.0));
        assert_eq!(number(Base::Sint32, true, &[0xFF, 0xFF, 0xFF, 0xFD]), Some(-3.0));
        assert_eq!(number(Base::Sint8, false, &[0x7F]), None);
        assert_eq!(number(Base::Uint32z, false, &[0; 4]), None);
        assert_eq!(number(Base::Uint32, false, &[0; 4]), Some(0.0));
        assert_eq!(number(Base::Float32, false, &1.5f32.to_le_bytes()), Some(1.5));
        assert_eq!(number(Base::Float32, false, &[0xFF; 4]), None);
        assert_eq!(number(Base::Float64, true, &(-0.25f64).to_be_bytes()), Some(-0.25));
        assert_eq!(number(Base::Sint64, false, &(-5i64).to_le_bytes()), Some(-5.0));
    }

    #[test]
    fn fields_are_found_through_the_definition() {
        // file_id, little endian: type enum, a string of 6 bytes, an unfit size, an array of two uint16.
        let raw = [0, 0, 0, 0, 4, 0, 1, 0x00, 8, 6, 0x07, 3, 3, 0x84, 9, 4, 0x84];
        assert_eq!(definition_len(false, &raw), Some(raw.len()));
        assert_eq!(definition_len(false, &raw[..raw.len() - 1]), None);
        let definition = Definition::read(false, &raw).unwrap();
        assert_eq!(definition.size, 14);
        let body = [4, b'a', 0xFF, 0, b'x', b'y', b'z', 1, 2, 3, 0xFF, 0xFF, 7, 0];
        let message = Message { definition: &definition, body: &body, developers: &Developers::default() };
        assert_eq!(message.uint::<u8>(0), Some(4));
        assert_eq!(message.text(8).as_deref(), Some("a\u{FFFD}"), "up to the NUL, bad UTF-8 replaced");
        assert_eq!(message.number(3), None, "three bytes are no uint16");
        assert_eq!(message.numbers(9).collect::<Vec<_>>(), [None, Some(7.0)]);
        assert_eq!(message.number(9), Some(7.0), "the first valid element");
        assert_eq!(message.number(77), None);
        assert!(Definition::read(false, &[0, 7, 0, 0, 0]).is_none(), "no such architecture");
    }
}
