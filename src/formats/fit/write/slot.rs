//! One element of a field of the `record` message: where its values come from, and how they become raw values.

use super::super::base::Base;
use super::super::profile::DEGREES_PER_SEMICIRCLE;
use super::encode::{bounds, quantise};
use crate::model::Track;

/// Rows that are converted at a time.
pub const CHUNK: usize = 256;

/// One field of the `record` message, or one element of an array field.
pub struct Slot<'a> {
    /// Developer data index, for a developer field.
    pub developer: Option<u8>,
    /// Field number, or field definition number.
    pub number: u8,
    /// Base type.
    pub base: Base,
    /// True for a further element of the array that the slot before belongs to.
    pub joined: bool,
    /// Presence bit; that of an array is shared by its elements.
    pub bit: u128,
    /// Counts values that do not fit: off for the small field of a quantity that has a larger one.
    pub counts: bool,
    /// Where its values come from.
    pub values: Values<'a>,
}

/// Where the values of a slot come from.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    /// A channel on a grid.
    Single(&'a [f32], Grid),
    /// Position, distance or an extra channel on a grid.
    Double(&'a [f64], Grid),
    /// Types that a grid does not describe, floats and 64-bit integers: raw = (value + offset) × scale.
    Free(&'a [f64], f64, f64),
    /// A channel as it is.
    FreeSingle(&'a [f32]),
    /// The values of a channel that the grid of its native field does not give back.
    Beside(&'a [f32], Grid),
    /// Percentage of the right side; bit 7 says so.
    Balance(&'a [f32]),
    /// Whole part of a cadence.
    Cadence(&'a [f32]),
    /// Fractional part of a cadence.
    Fraction(&'a [f32]),
    /// Milliseconds of each time.
    Milliseconds(&'a [i64]),
    /// 1 for a row without recorded time.
    Untimed(&'a Track),
    /// An element of an array that never has a value.
    Absent,
}

/// raw = (value + offset) × scale, rounded, inside the bounds of the type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    scale: f64,
    offset: f64,
    low: f64,
    high: f64,
}

impl Grid {
    /// The grid of a field.
    pub fn new(base: Base, scale: f64, offset: f64) -> Grid {
        let (low, high) = bounds(base);
        Grid { scale, offset, low, high }
    }

    /// The grid of latitudes and longitudes. 180° is one step beyond the type: its bits are those of -180°.
    pub fn semicircles() -> Grid {
        Grid { scale: 1.0 / DEGREES_PER_SEMICIRCLE, high: 2_147_483_648.0, ..Grid::new(Base::Sint32, 1.0, 0.0) }
    }

    /// The grid of a share of the right side, whole percents.
    pub fn balance() -> Grid {
        Grid { scale: 1.0, offset: 0.0, low: 0.0, high: 100.0 }
    }

    /// The grid of a cadence in 1/128 of a revolution; the whole part has to fit a `uint8`.
    pub fn cadence() -> Grid {
        Grid { scale: 128.0, offset: 0.0, low: 0.0, high: (254 * 128 + 127) as f64 }
    }

    /// Distance of two neighbours, in the unit of the values.
    pub fn step(self) -> f64 {
        1.0 / self.scale
    }

    /// True for whole and half units: sensors and programs resolve more than that, and the exact values are worth their
    /// bytes. A finer step is below what can be measured.
    pub fn is_coarse(self) -> bool {
        self.step() >= 0.5
    }

    /// How many values of a column do not come back as they are, in a loop without branches: almost always none.
    pub fn misfits(self, column: &[f32]) -> Misfits {
        let mut misfits = Misfits::default();
        for &value in column {
            let inside = self.holds(value.into());
            misfits.rounded += u64::from(inside & (self.back(value.into()) as f32 != value));
            misfits.outside += u64::from(!inside & !value.is_nan());
        }
        misfits
    }

    /// How many values of a wide column lie between two steps, by more than a decimal number is off in binary.
    pub fn rounded(self, column: &[f64]) -> u64 {
        let noise = self.step() / 100.0;
        column.iter().map(|&value| u64::from((self.back(value) - value).abs() > noise)).sum()
    }

    /// The value as the reader makes it from the nearest step.
    #[inline(always)]
    fn back(self, value: f64) -> f64 {
        /// Adding and taking off 1.5 × 2^52 rounds to a whole number.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let steps = ((value + self.offset) * self.scale + ROUND) - ROUND;
        steps * self.step() - self.offset
    }

    /// True when the type can hold the value, rounded.
    #[inline(always)]
    fn holds(self, value: f64) -> bool {
        let steps = (value + self.offset) * self.scale - self.low + 0.5;
        (steps >= 0.0) & (steps < self.high - self.low + 1.0)
    }

    /// The bits of a value that the raw value does not say: one out of range, or one between two steps of a coarse grid.
    #[inline(always)]
    fn beside(self, value: f64) -> Option<u64> {
        let told = self.holds(value) && (!self.is_coarse() || self.back(value) as f32 == value as f32);
        if told { None } else { quantise(Base::Float32, value) }
    }

    /// The raw value; `None` for NaN and for what the type cannot hold. Adding and taking off the lower bound turns
    /// truncation into rounding for negative numbers too, which is much faster than `round`.
    #[inline(always)]
    fn raw(self, value: f64) -> Option<u64> {
        let steps = (value + self.offset) * self.scale - self.low + 0.5;
        (steps >= 0.0 && steps < self.high - self.low + 1.0).then(|| (steps as i64 + self.low as i64) as u64)
    }
}

/// Values of a column that do not come back from a grid as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Misfits {
    /// Those between two steps.
    pub rounded: u64,
    /// Those that the type cannot hold.
    pub outside: u64,
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
    /// A native field.
    pub fn native(number: u8, base: Base, values: Values<'a>) -> Slot<'a> {
        Slot { developer: None, number, base, joined: false, bit: 0, counts: true, values }
    }

    /// Converts the rows from `start` on, `len` of them, into this slot's part of the buffer; `all` gets its bit instead when
    /// every row has a value.
    pub fn fill(
        &self,
        start: usize,
        len: usize,
        raw: &mut [u64; CHUNK],
        mask: &mut [u128; CHUNK],
        all: &mut u128,
    ) -> u64 {
        let invalid = self.base.invalid();
        let (mut present, mut missing, mut refused) = ([false; CHUNK], 0, 0);
        let mut put = |at: usize, absent: bool, value: Option<u64>| {
            raw[at] = value.unwrap_or(invalid);
            present[at] = value.is_some();
            missing += usize::from(value.is_none());
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
            Values::Beside(column, grid) => each!(column, |v| grid.beside(v)),
            Values::Balance(column) => each!(column, |v| Grid::balance().raw(v).map(|percent| percent | 0x80)),
            Values::Cadence(column) => each!(column, |v| cadence(v).map(|raw| raw >> 7)),
            Values::Fraction(column) => each!(column, |v| cadence(v).map(|raw| raw & 0x7F)),
            Values::Milliseconds(times) => {
                for (at, time) in times[start..start + len].iter().enumerate() {
                    put(at, true, Some(time.rem_euclid(1000) as u64));
                }
            }
            Values::Untimed(track) => {
                (0..len).for_each(|at| put(at, true, Some(u64::from(!track.is_timed(start + at)))));
            }
            Values::Absent => (0..len).for_each(|at| put(at, true, None)),
        }
        if missing == 0 {
            *all |= self.bit;
        } else if missing < len {
            mask.iter_mut().zip(present).filter(|(_, present)| *present).for_each(|(mask, _)| *mask |= self.bit);
        }
        if self.counts { refused } else { 0 }
    }
}

/// Cadence in 1/128 of a revolution.
pub fn cadence(value: f64) -> Option<u64> {
    Grid::cadence().raw(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(values: Values<'_>, base: Base, rows: usize) -> (Vec<u64>, Vec<bool>, u64) {
        let (mut raw, mut mask, mut all) = ([0; CHUNK], [0; CHUNK], 0);
        let slot = Slot { bit: 4, ..Slot::native(0, base, values) };
        let refused = slot.fill(0, rows, &mut raw, &mut mask, &mut all);
        mask.iter_mut().for_each(|mask| *mask |= all);
        (raw[..rows].to_vec(), mask[..rows].iter().map(|m| *m == 4).collect(), refused)
    }

    #[test]
    fn values_are_rounded_to_the_grid_of_their_field() {
        // Altitude: raw = (metres + 500) × 5; 65534 is the largest, the column ends before its track.
        let metres = [0.0, -500.0, 400.09, 400.11, 12_606.8, 12_607.0, -500.2, f32::NAN];
        let grid = Grid::new(Base::Uint16, 5.0, 500.0);
        let (raws, present, refused) = raw(Values::Single(&metres, grid), Base::Uint16, 9);
        assert_eq!(raws, [2500, 0, 4500, 4501, 65_534, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF]);
        assert_eq!(present, [true, true, true, true, true, false, false, false, false]);
        assert_eq!(refused, 2);
        let (raws, ..) = raw(Values::Single(&[-3.4, -3.6], Grid::new(Base::Sint8, 1.0, 0.0)), Base::Sint8, 2);
        assert_eq!(raws.iter().map(|raw| *raw as i8).collect::<Vec<_>>(), [-3, -4]);
    }

    #[test]
    fn what_the_reader_makes_of_a_grid_fits_it() {
        for field in super::super::super::profile::RECORD.iter().filter(|field| field.base.size() < 4) {
            let grid = Grid::new(field.base, field.scale, field.offset);
            let (low, high) = bounds(field.base);
            // As the reader computes it.
            let factor = 1.0 / field.scale;
            let read = |raw: i32| (f64::from(raw) * factor - field.offset) as f32;
            let mut values: Vec<f32> = (low as i32..=high as i32).map(read).collect();
            values.push(f32::NAN);
            assert_eq!(grid.misfits(&values), Misfits::default(), "{}", field.name);
            assert!(values.iter().all(|value| value.is_nan() || grid.beside((*value).into()).is_none()));
        }
        let temperature = Grid::new(Base::Sint8, 1.0, 0.0);
        assert_eq!(temperature.misfits(&[20.0, 20.5, -3.25, 127.0, f32::NAN]), Misfits { rounded: 2, outside: 1 });
        assert_eq!([20.0, 20.5, 127.0].map(|v| temperature.beside(v).is_some()), [false, true, true]);
        let metres = Grid::new(Base::Uint32, 100.0, 0.0);
        assert_eq!(metres.rounded(&[0.29, 1234.56, 1234.5600001, 0.125, f64::NAN]), 1);
    }

    #[test]
    fn a_cadence_is_split_into_whole_and_fraction() {
        let rpm = [87.5, 87.999, 0.0, 254.9, 255.0];
        let (whole, ..) = raw(Values::Cadence(&rpm), Base::Uint8, 5);
        let (fraction, ..) = raw(Values::Fraction(&rpm), Base::Uint8, 5);
        assert_eq!(whole, [87, 88, 0, 254, 0xFF]);
        assert_eq!(fraction, [64, 0, 0, 115, 0xFF]);
    }

    #[test]
    fn the_date_line_and_the_balance() {
        let (raws, ..) = raw(Values::Double(&[180.0, -180.0, 90.0], Grid::semicircles()), Base::Sint32, 3);
        assert_eq!(raws.iter().map(|raw| *raw as u32 as i32).collect::<Vec<_>>(), [i32::MIN, i32::MIN, 1 << 30]);
        let (raws, ..) = raw(Values::Balance(&[50.0, 100.0]), Base::Uint8, 2);
        assert_eq!(raws, [178, 228]);
    }
}
