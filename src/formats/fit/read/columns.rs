//! The samples of one segment as columns under construction, and the steps of a plan that fill them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::definition::number;
use super::plan::{Op, Sink};
use crate::formats::fit::base::Base;
use crate::formats::fit::profile::DEGREES_PER_SEMICIRCLE;
use crate::model::{Channel, Column, ExtraColumn, ExtraKey, FitField, Track};

/// Wide columns that every segment has; extra channels follow.
pub(super) const LATITUDE: usize = 0;
/// See [`LATITUDE`].
pub(super) const LONGITUDE: usize = 1;
/// See [`LATITUDE`].
pub(super) const DISTANCE: usize = 2;
const EXTRA: usize = 3;

/// More extra channels than this are hostile.
const MOST_EXTRA: usize = 512;
/// Absent cells that a column may be padded with, in all columns together, besides some for each byte of the file: guards
/// against a file of tiny records that touches every column in its last one.
const FREE_PADDING: usize = 16 << 20;

/// A running sum of a counter that rolls over.
#[derive(Default)]
struct Rolling {
    last: u32,
    sum: u64,
}

impl Rolling {
    fn add(&mut self, value: u32, bits: u32) -> f64 {
        self.sum += u64::from(value.wrapping_sub(self.last) & ((1 << bits) - 1));
        self.last = value;
        self.sum as f64
    }
}

/// How many absent cells may still be made, and how often that was too few.
struct Padding {
    left: usize,
    refused: u64,
}

/// Columns under construction. `NaN` is absent; a column may be shorter than `time`.
pub(super) struct Columns {
    /// Times as the file writes them, ms.
    pub time: Vec<i64>,
    /// Rows without a time of their own.
    pub untimed: Vec<u32>,
    narrow: Vec<Vec<f32>>,
    wide: Vec<Vec<f64>>,
    keys: Vec<ExtraKey>,
    slots: HashMap<u64, usize>,
    padding: Padding,
    distance: Rolling,
    cycles: Rolling,
    power: Rolling,
}

impl Columns {
    /// No samples; the size of the file bounds how much padding they may need.
    pub fn new(file_bytes: usize) -> Columns {
        Columns {
            time: Vec::new(),
            untimed: Vec::new(),
            narrow: vec![Vec::new(); Channel::COUNT],
            wide: vec![Vec::new(); EXTRA],
            keys: Vec::new(),
            slots: HashMap::new(),
            padding: Padding { left: FREE_PADDING.saturating_add(file_bytes.saturating_mul(4)), refused: 0 },
            distance: Rolling::default(),
            cycles: Rolling::default(),
            power: Rolling::default(),
        }
    }

    /// The wide column of an extra channel, made when it is new; `None` when there are too many.
    pub fn extra_slot(&mut self, key: ExtraKey) -> Option<usize> {
        let hash = fingerprint(&key);
        if let Some(&slot) = self.slots.get(&hash) {
            return Some(slot);
        }
        if self.keys.len() == MOST_EXTRA {
            self.padding.refused += 1;
            return None;
        }
        self.keys.push(key);
        self.wide.push(Vec::new());
        let slot = self.wide.len() - 1;
        self.slots.insert(hash, slot);
        Some(slot)
    }

    /// How often a value found no place because there are too many columns for so few bytes.
    pub fn refused(&self) -> u64 {
        self.padding.refused
    }

    /// Runs a plan over the bodies of a batch of records; the first one is row `start`.
    pub fn run(&mut self, ops: &[Op], bytes: &[u8], bodies: &[usize], start: usize) {
        for op in ops {
            match op.sink {
                Sink::Channel(channel) => {
                    let Some(column) = ready(&mut self.narrow, channel as usize, start, &mut self.padding) else {
                        continue;
                    };
                    let (factor, offset) = (1.0 / op.scale, op.offset);
                    decode(op, bytes, bodies, column, start, |raw| (raw * factor - offset) as f32);
                }
                Sink::Wide(slot) => {
                    let Some(column) = ready(&mut self.wide, slot, start, &mut self.padding) else { continue };
                    let (scale, offset) = (op.scale, op.offset);
                    decode(op, bytes, bodies, column, start, |raw| raw / scale - offset);
                }
                Sink::Degrees(slot) => {
                    let Some(column) = ready(&mut self.wide, slot, start, &mut self.padding) else { continue };
                    decode(op, bytes, bodies, column, start, |raw| raw * DEGREES_PER_SEMICIRCLE);
                }
                _ => {
                    for (row, &body) in (start..).zip(bodies) {
                        let element = bytes.get(body + op.at..).and_then(|rest| rest.get(..op.base.size() * op.count));
                        self.expand(op, element.unwrap_or_default(), row);
                    }
                }
            }
        }
    }

    /// One value of a field that is more than a scaled number.
    fn expand(&mut self, op: &Op, element: &[u8], row: usize) {
        if let (Sink::SpeedDistance, &[b0, b1, b2]) = (op.sink, element) {
            let packed = u32::from_le_bytes([b0, b1, b2, 0]);
            if packed != 0xFF_FFFF {
                self.set_channel(row, Channel::Speed, f64::from(packed & 0xFFF) / 100.0);
                let metres = self.distance.add(packed >> 12, 12) / 16.0;
                self.set_wide(row, DISTANCE, metres);
            }
            return;
        }
        let first = element.chunks_exact(op.base.size()).find_map(|bytes| number(op.base, op.big, bytes));
        let Some(raw) = first else { return };
        match op.sink {
            Sink::FractionalCadence => {
                if let Some(whole) =
                    self.narrow.get_mut(Channel::Cadence as usize).and_then(|column| column.get_mut(row))
                {
                    *whole += (raw / op.scale) as f32;
                }
            }
            Sink::Milliseconds => {
                if let Some(time) = self.time.get_mut(row) {
                    *time += (raw as i64).clamp(0, 999);
                }
            }
            Sink::Untimed if raw == 1.0 => self.untimed.push(row as u32),
            Sink::Cycles(slot) => {
                let sum = self.cycles.add(raw as u32, 8);
                self.set_wide(row, slot, sum);
            }
            Sink::Power => {
                let sum = self.power.add(raw as u32, 16);
                self.set_channel(row, Channel::AccumulatedPower, sum);
            }
            Sink::Balance(slot) if raw < 128.0 => self.set_wide(row, slot, raw),
            Sink::Balance(_) => self.set_channel(row, Channel::LeftRightBalance, raw - 128.0),
            Sink::Untimed | Sink::Channel(_) | Sink::Wide(_) | Sink::Degrees(_) | Sink::SpeedDistance => {}
        }
    }

    fn set_channel(&mut self, row: usize, channel: Channel, value: f64) {
        if let Some(column) = ready(&mut self.narrow, channel as usize, row, &mut self.padding) {
            put(column, row, value as f32);
        }
    }

    fn set_wide(&mut self, row: usize, slot: usize, value: f64) {
        if let Some(column) = ready(&mut self.wide, slot, row, &mut self.padding) {
            put(column, row, value);
        }
    }

    /// Joins partial records: a record that follows another one of the same time and brings only what that one lacks is
    /// the other half of the same sample (Suunto writes position and sensors apart). Returns how many were joined.
    pub fn join_halves(&mut self) -> usize {
        let timed = |row: usize| self.untimed.binary_search(&(row as u32)).is_err();
        let twins: Vec<usize> = (1..self.time.len())
            .filter(|&row| self.time[row] == self.time[row - 1] && timed(row) && timed(row - 1))
            .collect();
        if twins.is_empty() {
            return 0;
        }
        let mut gone = vec![false; self.time.len()];
        let mut head = 0;
        for row in twins {
            if !gone.get(row - 1).copied().unwrap_or_default() {
                head = row - 1;
            }
            let disjoint = self.narrow.iter().all(|column| !both(column, head, row))
                && self.wide.iter().all(|column| !both(column, head, row));
            if disjoint {
                self.narrow.iter_mut().for_each(|column| move_down(column, head, row));
                self.wide.iter_mut().for_each(|column| move_down(column, head, row));
                gone[row] = true;
            }
        }
        let joined = gone.iter().filter(|gone| **gone).count();
        if joined > 0 {
            let (mut scanned, mut removed) = (0, 0);
            for row in &mut self.untimed {
                removed += gone[scanned..*row as usize].iter().filter(|gone| **gone).count() as u32;
                scanned = *row as usize;
                *row -= removed;
            }
            compact(&mut self.time, &gone);
            self.narrow.iter_mut().for_each(|column| compact(column, &gone));
            self.wide.iter_mut().for_each(|column| compact(column, &gone));
        }
        joined
    }

    /// The finished track. Columns that never got a value vanish.
    pub fn into_track(self) -> Track {
        let mut wide =
            self.wide.into_iter().map(|column| if column.iter().all(|v| v.is_nan()) { Vec::new() } else { column });
        let geometry = std::array::from_fn(|_| wide.next().unwrap_or_default());
        let mut track = Track::from_raw(self.time, self.untimed, geometry);
        for (&channel, column) in Channel::ALL.iter().zip(self.narrow) {
            let column = Column::from_raw(column);
            if !column.is_empty() {
                track.put_column(channel, column);
            }
        }
        let extra = self.keys.into_iter().zip(wide).filter(|(_, column)| !column.is_empty());
        *track.extra_mut() = extra.map(|(key, column)| ExtraColumn::from_raw(key, column)).collect();
        track
    }
}

/// Equal keys have equal fingerprints; that two others have is as good as impossible.
fn fingerprint(key: &ExtraKey) -> u64 {
    let mut hash = DefaultHasher::new();
    (&key.name, &key.unit).hash(&mut hash);
    match &key.fit {
        None => 0.hash(&mut hash),
        Some(FitField::Native { number, base_type, scale, offset }) => {
            (1, number, base_type, scale.to_bits(), offset.to_bits()).hash(&mut hash);
        }
        Some(FitField::Developer(field)) => {
            (2, field.index, field.number, field.base_type, field.scale.to_bits(), field.offset.to_bits())
                .hash(&mut hash);
            (field.application, field.developer, field.manufacturer, field.version).hash(&mut hash);
            (field.native_message, field.native_field).hash(&mut hash);
        }
    }
    hash.finish()
}

/// A cell type of a column.
trait Cell: Copy {
    const ABSENT: Self;
    fn is_absent(self) -> bool;
}

impl Cell for f32 {
    const ABSENT: f32 = f32::NAN;
    fn is_absent(self) -> bool {
        self.is_nan()
    }
}

impl Cell for f64 {
    const ABSENT: f64 = f64::NAN;
    fn is_absent(self) -> bool {
        self.is_nan()
    }
}

/// A column that reaches to row `start` at least; `None` when that would take more padding than there is.
fn ready<'a, T: Cell>(
    columns: &'a mut [Vec<T>],
    slot: usize,
    start: usize,
    padding: &mut Padding,
) -> Option<&'a mut Vec<T>> {
    let column = columns.get_mut(slot)?;
    if column.len() < start {
        let Some(left) = padding.left.checked_sub(start - column.len()) else {
            padding.refused += 1;
            return None;
        };
        padding.left = left;
        column.resize(start, T::ABSENT);
    }
    Some(column)
}

/// Stores a value in a row that is at most one past the end.
fn put<T: Cell>(column: &mut Vec<T>, row: usize, value: T) {
    match column.get_mut(row) {
        Some(cell) => *cell = value,
        None => column.push(value),
    }
}

/// Decodes one field of each body of a batch into a column: appended when the column ends where the batch starts, else
/// (a better field of the same quantity came before) only valid values are stored.
fn decode<T: Cell>(
    op: &Op,
    bytes: &[u8],
    bodies: &[usize],
    column: &mut Vec<T>,
    start: usize,
    convert: impl Fn(f64) -> T,
) {
    macro_rules! integers {
        ($size:literal, $read:expr) => {{
            let invalid = op.base.invalid();
            store::<T, $size>(bytes, bodies, op.at, column, start, |raw| {
                let value = $read(raw);
                if value as u64 & (u64::MAX >> (64 - 8 * $size)) == invalid { T::ABSENT } else { convert(value as f64) }
            })
        }};
    }
    macro_rules! either {
        ($size:literal, $type:ty) => {
            if op.big { integers!($size, <$type>::from_be_bytes) } else { integers!($size, <$type>::from_le_bytes) }
        };
    }
    if op.count == 1 {
        match op.base {
            Base::Enum | Base::Uint8 | Base::Uint8z | Base::Byte => return integers!(1, u8::from_le_bytes),
            Base::Sint8 => return integers!(1, i8::from_le_bytes),
            Base::Uint16 | Base::Uint16z => return either!(2, u16),
            Base::Sint16 => return either!(2, i16),
            Base::Uint32 | Base::Uint32z => return either!(4, u32),
            Base::Sint32 => return either!(4, i32),
            _ => {}
        }
    }
    let size = op.base.size();
    let values = bodies.iter().map(|body| {
        let field = bytes.get(body + op.at..).and_then(|rest| rest.get(..size * op.count)).unwrap_or_default();
        field.chunks_exact(size).find_map(|element| number(op.base, op.big, element)).map_or(T::ABSENT, &convert)
    });
    store_values(values, column, start);
}

fn store<T: Cell, const SIZE: usize>(
    bytes: &[u8],
    bodies: &[usize],
    at: usize,
    column: &mut Vec<T>,
    start: usize,
    read: impl Fn([u8; SIZE]) -> T,
) {
    let values = bodies
        .iter()
        .map(|body| bytes.get(body + at..).and_then(|rest| rest.first_chunk()).map_or(T::ABSENT, |raw| read(*raw)));
    store_values(values, column, start);
}

fn store_values<T: Cell>(values: impl Iterator<Item = T>, column: &mut Vec<T>, start: usize) {
    if column.len() == start {
        column.extend(values);
        return;
    }
    for (row, value) in (start..).zip(values) {
        if !value.is_absent() || row >= column.len() {
            put(column, row, value);
        }
    }
}

fn both<T: Cell>(column: &[T], a: usize, b: usize) -> bool {
    [a, b].iter().all(|row| column.get(*row).is_some_and(|v| !v.is_absent()))
}

/// Takes the value of `from` down to `to`, an earlier row.
fn move_down<T: Cell>(column: &mut [T], to: usize, from: usize) {
    if let Some(&value) = column.get(from)
        && !value.is_absent()
    {
        column[to] = value;
    }
}

fn compact<T>(column: &mut Vec<T>, gone: &[bool]) {
    let mut row = 0;
    column.retain(|_| {
        row += 1;
        !gone[row - 1]
    });
}
