//! The columns of a track as fields of the `record` message: which field each channel becomes, and its raw values.

use super::super::base::Base;
use super::super::own;
use super::super::profile::{DEGREES_PER_SEMICIRCLE, RECORD, Target, is_fallback};
use super::developer::{Encoding, Registry};
use super::encode::{bounds, quantise};
use crate::model::{Activity, Channel, ExtraColumn, FitField, Track};

/// Rows that are converted at a time.
pub const CHUNK: usize = 256;
/// Columns beyond this many share the last presence bit.
const BITS: usize = 128;

/// One field of the `record` message and where its values come from.
pub struct Slot<'a> {
    /// Developer data index, for a developer field.
    pub developer: Option<u8>,
    /// Field number, or field definition number.
    pub number: u8,
    /// Base type.
    pub base: Base,
    /// Bytes in the message.
    pub size: u8,
    /// Counts values that do not fit: off for the small field of a quantity that has a larger one.
    counts: bool,
    values: Values<'a>,
}

enum Values<'a> {
    Single(&'a [f32], Grid),
    Double(&'a [f64], Grid),
    /// Types that a grid does not describe: floats, 64-bit integers. raw = (value + offset) × scale.
    Free(&'a [f64], f64, f64),
    FreeSingle(&'a [f32]),
    Pair(&'a [f32], &'a [f32], Grid),
    Balance(&'a [f32]),
    /// Whole and fractional part of a cadence.
    Cadence(&'a [f32]),
    Fraction(&'a [f32]),
    Milliseconds(&'a [i64]),
    Untimed(&'a Track),
}

/// raw = (value + offset) × scale, rounded, inside the bounds of the type.
#[derive(Clone, Copy)]
struct Grid {
    scale: f64,
    offset: f64,
    low: f64,
    high: f64,
}

impl Grid {
    fn new(base: Base, scale: f64, offset: f64) -> Grid {
        let (low, high) = bounds(base);
        Grid { scale, offset, low, high }
    }

    /// The raw value; `None` for NaN and for what the type cannot hold. Adding and taking off the lower bound turns
    /// truncation into rounding for negative numbers too, which is much faster than `round`.
    #[inline(always)]
    fn raw(self, value: f64) -> Option<u64> {
        let steps = (value + self.offset) * self.scale - self.low + 0.5;
        (steps >= 0.0 && steps < self.high - self.low + 1.0).then(|| (steps as i64 + self.low as i64) as u64)
    }
}

/// Raw values and presence of up to [`CHUNK`] rows.
pub struct Buffer {
    /// Raw values, one array a slot.
    pub raw: Vec<[u64; CHUNK]>,
    /// One bit a slot: the row has a value.
    pub mask: [u128; CHUNK],
    /// Values that a slot had to leave out.
    pub refused: Vec<u64>,
}

impl Buffer {
    /// Room for so many slots.
    pub fn new(slots: usize) -> Buffer {
        Buffer { raw: vec![[0; CHUNK]; slots], mask: [0; CHUNK], refused: vec![0; slots] }
    }
}

impl<'a> Slot<'a> {
    fn native(number: u8, base: Base, values: Values<'a>) -> Slot<'a> {
        Slot { developer: None, number, base, size: base.size() as u8, counts: true, values }
    }

    fn developer(encoding: &Encoding, values: Values<'a>) -> Slot<'a> {
        let (index, number) = encoding.place;
        Slot { developer: Some(index), ..Slot::native(number, encoding.base, values) }
    }

    /// Converts the rows from `start` on, `len` of them, into this slot's part of the buffer.
    fn fill(&self, start: usize, len: usize, raw: &mut [u64; CHUNK], mask: &mut [u128; CHUNK], bit: u128) -> u64 {
        let invalid = self.base.invalid();
        let mut refused = 0;
        let mut put = |at: usize, absent: bool, value: Option<u64>| {
            raw[at] = value.unwrap_or(invalid);
            mask[at] |= if value.is_some() { bit } else { 0 };
            refused += u64::from(value.is_none() & !absent);
        };
        // A column may end before its track.
        macro_rules! each {
            ($column:expr, $raw:expr) => {{
                let column = $column;
                let rows = &column[start.min(column.len())..(start + len).min(column.len())];
                let convert = $raw;
                rows.iter().enumerate().for_each(|(at, &v)| put(at, v.is_nan(), convert(f64::from(v))));
                (rows.len()..len).for_each(|at| put(at, true, None));
            }};
        }
        match self.values {
            Values::Single(column, grid) => each!(column, |v| grid.raw(v)),
            Values::Double(column, grid) => each!(column, |v| grid.raw(v)),
            Values::Free(column, scale, offset) => each!(column, |v: f64| quantise(self.base, (v + offset) * scale)),
            Values::FreeSingle(column) => each!(column, |v: f64| quantise(self.base, v)),
            Values::Balance(column) => {
                let grid = Grid { scale: 1.0, offset: 0.0, low: 0.0, high: 100.0 };
                each!(column, |v| grid.raw(v).map(|percent| percent | 0x80));
            }
            Values::Cadence(column) => each!(column, |v| cadence(v).map(|raw| raw >> 7)),
            Values::Fraction(column) => each!(column, |v| cadence(v).map(|raw| raw & 0x7F)),
            Values::Pair(first, second, grid) => {
                let get = |column: &[f32], at| column.get(start + at).copied().unwrap_or(f32::NAN);
                for at in 0..len {
                    let (a, b) = (get(first, at), get(second, at));
                    let (low, high) = (grid.raw(f64::from(a)), grid.raw(f64::from(b)));
                    let both = low.unwrap_or(invalid) | high.unwrap_or(invalid) << 8;
                    put(at, a.is_nan() & b.is_nan(), (low.is_some() | high.is_some()).then_some(both));
                }
            }
            Values::Milliseconds(times) => {
                for (at, time) in times[start..start + len].iter().enumerate() {
                    put(at, true, Some(time.rem_euclid(1000) as u64).filter(|ms| *ms > 0));
                }
            }
            Values::Untimed(track) => (0..len).for_each(|at| put(at, true, (!track.is_timed(start + at)).then_some(1))),
        }
        if self.counts { refused } else { 0 }
    }
}

/// Cadence in 1/128 of a revolution; the whole part has to fit a `uint8`.
fn cadence(value: f64) -> Option<u64> {
    Grid { scale: 128.0, offset: 0.0, low: 0.0, high: (254 * 128 + 127) as f64 }.raw(value)
}

/// All fields of the records of a track.
pub struct Columns<'a> {
    /// The fields, position first.
    pub slots: Vec<Slot<'a>>,
    /// Pairs of presence bits that want the same field number: in a row that has both, the second one yields.
    pub clashes: Vec<(u128, u128)>,
    /// Presence bits of latitude and longitude, when there are positions.
    position: u128,
    /// Extra columns that found no room, with the values that they hold.
    pub homeless: u64,
}

impl<'a> Columns<'a> {
    /// Chooses a field for everything that the samples hold; developer fields are added to `registry`.
    pub fn of(activity: &'a Activity, registry: &mut Registry) -> Columns<'a> {
        let track = &activity.track;
        let mut columns = Columns { slots: Vec::new(), clashes: Vec::new(), position: 0, homeless: 0 };
        let slots = &mut columns.slots;
        let [lat, lon, distance] = track.raw_geometry();
        if !lat.is_empty() {
            // 180° is one step beyond the type; it is written as -180° (see `wrap`).
            let grid = Grid {
                scale: 1.0 / DEGREES_PER_SEMICIRCLE,
                high: 2_147_483_648.0,
                ..Grid::new(Base::Sint32, 1.0, 0.0)
            };
            slots.push(Slot::native(0, Base::Sint32, Values::Double(lat, grid)));
            slots.push(Slot::native(1, Base::Sint32, Values::Double(lon, grid)));
            columns.position = 0b11;
        }
        for field in RECORD {
            let single = |values| Slot::native(field.number, field.base, values);
            let grid = Grid::new(field.base, field.scale, field.offset);
            let raw = |channel| track.column(channel).filter(|c| c.count() > 0).map(|column| column.raw());
            match field.target {
                Target::Distance if !distance.is_empty() => slots.push(single(Values::Double(distance, grid))),
                Target::To(Channel::Cadence) if is_fallback(field.number) => {}
                Target::To(Channel::Respiration) if is_fallback(field.number) => {}
                Target::To(Channel::Cadence) => slots.extend(raw(Channel::Cadence).map(|c| single(Values::Cadence(c)))),
                Target::To(channel) => {
                    slots.extend(raw(channel).map(|column| Slot {
                        counts: !is_fallback(field.number),
                        ..single(Values::Single(column, grid))
                    }))
                }
                Target::FractionalCadence => {
                    let fractional = |column: &&[f32]| {
                        column.iter().any(|v| cadence(f64::from(*v)).is_some_and(|raw| raw & 0x7F > 0))
                    };
                    slots.extend(raw(Channel::Cadence).filter(fractional).map(|c| single(Values::Fraction(c))));
                }
                Target::Balance => slots.extend(raw(Channel::LeftRightBalance).map(|c| single(Values::Balance(c)))),
                Target::Pair(first, second) => {
                    let (first, second) = (raw(first), raw(second));
                    if first.is_some() || second.is_some() {
                        let pair = Values::Pair(first.unwrap_or(&[]), second.unwrap_or(&[]), grid);
                        slots.push(Slot { size: 2, ..single(pair) });
                    }
                }
                _ => {}
            }
        }
        columns.own(track, registry);
        for extra in track.extra().iter().filter(|extra| extra.count() > 0) {
            columns.extra(extra, registry);
        }
        columns.find_clashes();
        columns
    }

    /// Fields of our own for what `record` has no field for.
    fn own(&mut self, track: &'a Track, registry: &mut Registry) {
        let native = |channel| {
            RECORD.iter().any(|field| match field.target {
                Target::To(to) => to == channel,
                Target::Pair(first, second) => first == channel || second == channel,
                Target::Balance => channel == Channel::LeftRightBalance,
                _ => false,
            })
        };
        for (channel, column) in track.channels().filter(|(channel, column)| !native(*channel) && column.count() > 0) {
            if let Some(encoding) = registry.own(channel.name(), channel.info().unit, Base::Float32) {
                self.slots.push(Slot::developer(&encoding, Values::FreeSingle(column.raw())));
            }
        }
        if track.times().iter().any(|time| time.rem_euclid(1000) > 0)
            && let Some(encoding) = registry.own(own::MILLISECONDS, "ms", Base::Uint16)
        {
            self.slots.push(Slot::developer(&encoding, Values::Milliseconds(track.times())));
        }
        if track.untimed_count() > 0
            && let Some(encoding) = registry.own(own::UNTIMED, "", Base::Uint8)
        {
            self.slots.push(Slot::developer(&encoding, Values::Untimed(track)));
        }
    }

    /// The field of an extra channel: the one that it came from, else a field of our own.
    fn extra(&mut self, extra: &'a ExtraColumn, registry: &mut Registry) {
        let column = extra.raw();
        let values = |base: Base, scale: f64, offset: f64| match base {
            Base::Float32 | Base::Float64 | Base::Sint64 | Base::Uint64 | Base::Uint64z => {
                Values::Free(column, scale, offset)
            }
            _ => Values::Double(column, Grid::new(base, scale, offset)),
        };
        let developer = match &extra.key.fit {
            Some(FitField::Native { number, base_type, scale, offset }) => {
                if let Some(base) = Base::of(*base_type).filter(|base| *base != Base::String && *number != 253) {
                    self.slots.push(Slot::native(*number, base, values(base, *scale, *offset)));
                    return;
                }
                registry.own(&extra.key.name, &extra.key.unit, Base::Float64)
            }
            Some(FitField::Developer(field)) => registry.source(field, &extra.key.name, &extra.key.unit),
            None => registry.own(&extra.key.name, &extra.key.unit, smallest_base(column)),
        };
        match developer {
            Some(encoding) => {
                let values = values(encoding.base, encoding.scale, encoding.offset);
                self.slots.push(Slot::developer(&encoding, values));
            }
            None => self.homeless += extra.count() as u64,
        }
    }

    fn find_clashes(&mut self) {
        for (at, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.developer.is_none()) {
            let before = self.slots[..at].iter().enumerate();
            let same = before.filter(|(_, s)| s.developer.is_none() && s.number == slot.number);
            self.clashes.extend(same.map(|(before, _)| (bit(before), bit(at))));
        }
    }

    /// Converts the rows from `start` on, `len` of them. Returns how many values yielded to another of the same field.
    pub fn fill(&self, start: usize, len: usize, buffer: &mut Buffer) -> u64 {
        buffer.mask[..len].fill(0);
        for (at, slot) in self.slots.iter().enumerate() {
            buffer.refused[at] += slot.fill(start, len, &mut buffer.raw[at], &mut buffer.mask, bit(at));
        }
        if self.position != 0 {
            for at in 0..len {
                if !matches!(buffer.mask[at] & self.position, 0 | 0b11) {
                    buffer.mask[at] &= !self.position;
                    buffer.raw[..2].iter_mut().for_each(|raw| raw[at] = Base::Sint32.invalid());
                }
            }
        }
        let mut yielded = 0;
        for (first, second) in &self.clashes {
            for mask in &mut buffer.mask[..len] {
                if *mask & first != 0 && *mask & second != 0 {
                    *mask &= !second;
                    yielded += 1;
                }
            }
        }
        yielded
    }
}

/// The presence bit of a slot.
pub fn bit(slot: usize) -> u128 {
    1 << slot.min(BITS - 1)
}

/// The smallest type that holds every value exactly.
fn smallest_base(column: &[f64]) -> Base {
    let present = || column.iter().filter(|v| !v.is_nan());
    let whole = |base: Base| {
        let (low, high) = bounds(base);
        present().all(|v| *v == v.trunc() && (low..=high).contains(v))
    };
    [Base::Uint8, Base::Uint16, Base::Sint32]
        .into_iter()
        .find(|base| whole(*base))
        .unwrap_or(if present().all(|v| f64::from(*v as f32) == *v) { Base::Float32 } else { Base::Float64 })
}
