//! Messages as bytes: one message at a time is put together field by field; its shape finds or takes a local number.

use super::super::base::Base;
use super::super::profile::DEGREES_PER_SEMICIRCLE;

/// Local numbers for messages that are put together here, used in turn; the rest belongs to the records.
pub const GENERAL_LOCALS: u8 = 4;
/// Largest size of one field, bytes.
const FIELD_MAX: usize = 255;
const DEFINITION: u8 = 0x40;
const DEVELOPER: u8 = 0x20;

/// Collects the records of a file.
pub struct Encoder {
    /// Records so far, behind room for the header.
    pub out: Vec<u8>,
    locals: [Local; GENERAL_LOCALS as usize],
    uses: u64,
    global: u16,
    fields: Vec<u8>,
    body: Vec<u8>,
    developer_fields: Vec<u8>,
    developer_body: Vec<u8>,
    shape: Vec<u8>,
    /// Values that were left out because FIT cannot hold them, and the first of them in words.
    pub out_of_range: (u64, Option<String>),
}

#[derive(Default)]
struct Local {
    shape: Vec<u8>,
    used: u64,
}

impl Encoder {
    /// An encoder that starts behind `header` bytes of room.
    pub fn new(header: usize, capacity: usize) -> Encoder {
        let mut out = Vec::with_capacity(capacity);
        out.resize(header, 0);
        Encoder {
            out,
            locals: Default::default(),
            uses: 0,
            global: 0,
            fields: Vec::new(),
            body: Vec::new(),
            developer_fields: Vec::new(),
            developer_body: Vec::new(),
            shape: Vec::new(),
            out_of_range: (0, None),
        }
    }

    /// Starts a message.
    pub fn begin(&mut self, global: u16) -> &mut Encoder {
        self.global = global;
        self.fields.clear();
        self.body.clear();
        self.developer_fields.clear();
        self.developer_body.clear();
        self
    }

    /// A field that is written as it is; nothing when it is absent or the type's invalid value.
    pub fn raw(&mut self, number: u8, base: Base, value: Option<impl Into<i64>>) -> &mut Encoder {
        if let Some(value) = value {
            let bits = value.into() as u64;
            let mask = if base.size() == 8 { u64::MAX } else { (1 << (8 * base.size())) - 1 };
            if bits & mask != base.invalid() {
                self.push(number, base, &bits.to_le_bytes()[..base.size()]);
            }
        }
        self
    }

    /// A one-byte enumeration.
    pub fn code(&mut self, number: u8, value: Option<u8>) -> &mut Encoder {
        self.raw(number, Base::Enum, value)
    }

    /// A number in its unit: raw = (value + offset) × scale, rounded. Left out, and counted, when the type cannot hold it.
    pub fn scaled(&mut self, number: u8, base: Base, scale: f64, offset: f64, value: Option<f64>) -> &mut Encoder {
        if let Some(value) = value {
            match quantise(base, (value + offset) * scale) {
                Some(bits) => self.push(number, base, &bits.to_le_bytes()[..base.size()]),
                None => self.refuse(number, value),
            }
        }
        self
    }

    /// As [`Encoder::scaled`], for a second, smaller field of the same quantity: left out in silence.
    pub fn scaled_if_it_fits(&mut self, number: u8, base: Base, scale: f64, offset: f64, value: Option<f64>) {
        if let Some(bits) = value.and_then(|value| quantise(base, (value + offset) * scale)) {
            self.push(number, base, &bits.to_le_bytes()[..base.size()]);
        }
    }

    /// Several numbers in one field; `None` is written as the type's invalid value. Nothing when none is present.
    pub fn array(&mut self, number: u8, base: Base, scale: f64, values: &[Option<f64>]) -> &mut Encoder {
        let at = self.body.len();
        let mut present = false;
        for value in values.iter().take(FIELD_MAX / base.size()) {
            let bits = value.and_then(|value| quantise(base, value * scale));
            present |= bits.is_some();
            self.body.extend_from_slice(&bits.unwrap_or(base.invalid()).to_le_bytes()[..base.size()]);
        }
        if present {
            let size = self.body.len() - at;
            self.fields.extend_from_slice(&[number, size as u8, base.code()]);
        } else {
            self.body.truncate(at);
        }
        self
    }

    /// Opaque bytes.
    pub fn bytes(&mut self, number: u8, bytes: &[u8]) -> &mut Encoder {
        if !bytes.is_empty() && bytes.len() <= FIELD_MAX {
            self.push(number, Base::Byte, bytes);
        }
        self
    }

    /// A text with its closing NUL; nothing when it is absent or empty. A text that is too long is cut between two
    /// characters.
    pub fn text(&mut self, number: u8, text: Option<&str>) -> &mut Encoder {
        if let Some(text) = text.map(cut).filter(|text| !text.is_empty()) {
            self.fields.extend_from_slice(&[number, text.len() as u8 + 1, Base::String.code()]);
            self.body.extend_from_slice(text.as_bytes());
            self.body.push(0);
        }
        self
    }

    /// Two fields with a position in semicircles.
    pub fn position(&mut self, latitude: u8, longitude: u8, position: Option<(f64, f64)>) -> &mut Encoder {
        if let Some((lat, lon)) = position {
            match (semicircles(lat), semicircles(lon)) {
                (Some(lat), Some(lon)) => {
                    self.raw(latitude, Base::Sint32, Some(lat)).raw(longitude, Base::Sint32, Some(lon));
                }
                _ => self.refuse(latitude, lat),
            }
        }
        self
    }

    /// True when the message has such a native field already.
    pub fn has(&self, number: u8) -> bool {
        self.fields.as_chunks::<3>().0.iter().any(|field| field[0] == number)
    }

    /// A native field, already as bytes.
    pub fn field(&mut self, number: u8, base: Base, bytes: &[u8]) -> &mut Encoder {
        self.push(number, base, bytes);
        self
    }

    /// A developer field, already as bytes.
    pub fn developer(&mut self, index: u8, number: u8, bytes: &[u8]) -> &mut Encoder {
        self.developer_fields.extend_from_slice(&[number, bytes.len() as u8, index]);
        self.developer_body.extend_from_slice(bytes);
        self
    }

    /// Ends the message and writes it, behind a new definition when no local number has its shape. A message without any
    /// field is not written.
    pub fn end(&mut self) {
        if self.fields.is_empty() && self.developer_fields.is_empty() {
            return;
        }
        let [low, high] = self.global.to_le_bytes();
        self.shape.clear();
        self.shape.extend_from_slice(&[0, 0, low, high, (self.fields.len() / 3) as u8]);
        self.shape.extend_from_slice(&self.fields);
        let has_developer = !self.developer_fields.is_empty();
        if has_developer {
            self.shape.push((self.developer_fields.len() / 3) as u8);
            self.shape.extend_from_slice(&self.developer_fields);
        }
        self.uses += 1;
        let known = self.locals.iter().position(|local| local.shape == self.shape);
        let oldest = || (0..self.locals.len()).min_by_key(|&at| self.locals[at].used).unwrap_or(0);
        let at = known.unwrap_or_else(oldest);
        let local = &mut self.locals[at];
        local.used = self.uses;
        if known.is_none() {
            local.shape.clone_from(&self.shape);
            self.out.push(DEFINITION | if has_developer { DEVELOPER } else { 0 } | at as u8);
            self.out.extend_from_slice(&self.shape);
        }
        self.out.push(at as u8);
        self.out.extend_from_slice(&self.body);
        self.out.extend_from_slice(&self.developer_body);
    }

    /// Writes a definition for a local number that is not managed here: (field number, size, base type byte), and
    /// developer fields (number, size, developer data index).
    pub fn define(&mut self, local: u8, global: u16, fields: &[[u8; 3]], developer: &[[u8; 3]]) {
        let [low, high] = global.to_le_bytes();
        let flag = if developer.is_empty() { 0 } else { DEVELOPER };
        self.out.extend_from_slice(&[DEFINITION | flag | local, 0, 0, low, high, fields.len() as u8]);
        self.out.extend(fields.iter().flatten());
        if !developer.is_empty() {
            self.out.push(developer.len() as u8);
            self.out.extend(developer.iter().flatten());
        }
    }

    fn push(&mut self, number: u8, base: Base, bytes: &[u8]) {
        self.fields.extend_from_slice(&[number, bytes.len() as u8, base.code()]);
        self.body.extend_from_slice(bytes);
    }

    fn refuse(&mut self, number: u8, value: f64) {
        let global = self.global;
        self.out_of_range.0 += 1;
        self.out_of_range.1.get_or_insert_with(|| format!("{value} in field {number} of message {global}"));
    }
}

/// The part of a text that a FIT string can hold: up to the first NUL, and at most 254 bytes.
pub fn cut(text: &str) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    let end = (0..=text.len().min(FIELD_MAX - 1)).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// Smallest and largest raw value of a whole-number type of up to four bytes, the invalid one excluded.
pub fn bounds(base: Base) -> (f64, f64) {
    match base {
        Base::Sint8 => (-128.0, 126.0),
        Base::Sint16 => (-32_768.0, 32_766.0),
        Base::Sint32 => (-2_147_483_648.0, 2_147_483_646.0),
        Base::Uint16 => (0.0, 65_534.0),
        Base::Uint32 => (0.0, 4_294_967_294.0),
        Base::Uint8z => (1.0, 255.0),
        Base::Uint16z => (1.0, 65_535.0),
        Base::Uint32z => (1.0, 4_294_967_295.0),
        _ => (0.0, 254.0),
    }
}

/// A raw value (already scaled) as the bits of its type; `None` when the type cannot hold it.
pub fn quantise(base: Base, raw: f64) -> Option<u64> {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    let rounded = raw.round();
    match base {
        Base::Float64 => raw.is_finite().then_some(raw.to_bits()),
        Base::Float32 => (raw as f32).is_finite().then_some(u64::from((raw as f32).to_bits())),
        Base::Sint64 => (-TWO_63..TWO_63).contains(&rounded).then_some(rounded as i64 as u64),
        Base::Uint64 => (0.0..2.0 * TWO_63).contains(&rounded).then_some(rounded as u64),
        Base::Uint64z => (1.0..2.0 * TWO_63).contains(&rounded).then_some(rounded as u64),
        _ => {
            let (low, high) = bounds(base);
            (rounded >= low && rounded <= high).then_some(rounded as i64 as u64)
        }
    }
}

/// Degrees as semicircles, rounded; 180° is -180°. `None` beyond a full turn.
pub fn semicircles(degrees: f64) -> Option<i32> {
    const HALF_TURN: i64 = 1 << 31;
    let raw = (degrees / DEGREES_PER_SEMICIRCLE).round();
    let half = HALF_TURN as f64;
    match raw {
        raw if raw == half => Some(i32::MIN),
        raw if (-half..half - 1.0).contains(&raw) => Some(raw as i32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shapes_share_one_definition() {
        let mut encoder = Encoder::new(0, 0);
        for bpm in [100, 101] {
            encoder.begin(20).raw(3, Base::Uint8, Some(bpm)).end();
        }
        // Definition of local 0: little endian, message 20, one field (3, 1 byte, uint8); then two data messages.
        assert_eq!(encoder.out, [0x40, 0, 0, 20, 0, 1, 3, 1, 2, 0, 100, 0, 101]);
    }

    #[test]
    fn the_shape_that_rested_longest_gives_way() {
        let mut encoder = Encoder::new(0, 0);
        for global in [1, 2, 3, 4, 1, 5, 1, 2] {
            encoder.begin(global).raw(0, Base::Uint8, Some(7)).end();
        }
        let definitions: Vec<_> =
            encoder.out.windows(4).filter(|w| w[0] & 0xF0 == 0x40).map(|w| (w[0], w[3])).collect();
        assert_eq!(definitions, [(0x40, 1), (0x41, 2), (0x42, 3), (0x43, 4), (0x41, 5), (0x42, 2)]);
    }

    #[test]
    fn absent_empty_and_invalid_fields_are_not_written() {
        let mut encoder = Encoder::new(0, 0);
        encoder
            .begin(0)
            .raw(0, Base::Uint8, None::<u8>)
            .raw(1, Base::Uint16, Some(0xFFFF))
            .raw(2, Base::Uint32z, Some(0))
            .text(3, Some(""))
            .array(4, Base::Uint16, 1.0, &[None, None])
            .scaled(5, Base::Uint8, 1.0, 0.0, Some(255.0))
            .text(8, Some("ä"))
            .end();
        assert_eq!(encoder.out, [0x40, 0, 0, 0, 0, 1, 8, 3, 7, 0, 0xC3, 0xA4, 0]);
        assert_eq!(encoder.out_of_range, (1, Some("255 in field 5 of message 0".into())));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "ä".repeat(200);
        assert_eq!(cut(&text).len(), 254);
        assert_eq!(cut(&text[..]).chars().count(), 127);
        assert_eq!(cut("a\0garbage"), "a");
    }

    #[test]
    fn semicircles_are_rounded_and_turn_over() {
        assert_eq!(semicircles(90.0), Some(1 << 30));
        assert_eq!(semicircles(-180.0), Some(i32::MIN));
        assert_eq!(semicircles(180.0), Some(i32::MIN));
        // 8.382e-8 degrees are one semicircle.
        assert_eq!(semicircles(1.2e-7), Some(1));
        assert_eq!(semicircles(1.3e-7), Some(2));
        assert_eq!(semicircles(f64::NAN), None);
        assert_eq!(semicircles(200.0), None);
    }

    #[test]
    fn raw_values_round_and_stay_in_range() {
        assert_eq!(quantise(Base::Uint8, 254.4), Some(254));
        assert_eq!(quantise(Base::Uint8, 254.5), None);
        assert_eq!(quantise(Base::Sint8, -3.0), Some(-3i64 as u64));
        assert_eq!(quantise(Base::Uint8z, 0.0), None);
        assert_eq!(quantise(Base::Float32, f64::NAN), None);
        assert_eq!(quantise(Base::Float64, 1.5), Some(1.5f64.to_bits()));
    }
}
