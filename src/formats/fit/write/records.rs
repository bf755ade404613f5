//! `record` messages: rows with the same set of fields share a definition.

use std::collections::HashMap;

use super::super::base::Base;
use super::super::profile::message;
use super::columns::{Columns, Misfit};
use super::encode::{Encoder, GENERAL_LOCALS};
use super::slot::{Buffer, CHUNK};
use crate::model::time::FIT_EPOCH_S;

/// Smallest FIT time that every reader takes for a date: smaller ones count from power-on, and the profile names 0x10000000
/// itself `min`.
pub const TIME_MIN: i64 = 0x1000_0001;
/// Largest FIT time.
const TIME_MAX: i64 = 0xFFFF_FFFE;

/// Instants as seconds since the FIT epoch.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Seconds that are added: the FIT epoch, and what moves a recording that lies wholly before FIT's first instant.
    add: i64,
}

impl Clock {
    /// The clock of a recording from `start` to `end`, ms.
    pub fn of(start: i64, end: i64) -> Clock {
        let add = -FIT_EPOCH_S;
        let early = end.div_euclid(1000) + add < TIME_MIN;
        Clock { add: if early { TIME_MIN - start.div_euclid(1000) } else { add } }
    }

    /// How far the recording is moved, seconds.
    pub fn moved(self) -> i64 {
        self.add + FIT_EPOCH_S
    }

    /// Rounded down and kept in the range that FIT can say.
    pub fn seconds(self, ms: i64) -> u32 {
        (ms.div_euclid(1000) + self.add).clamp(TIME_MIN, TIME_MAX) as u32
    }

    /// True when an instant is outside of what FIT can say.
    pub fn is_outside(self, ms: i64) -> bool {
        !(TIME_MIN..=TIME_MAX).contains(&(ms.div_euclid(1000) + self.add))
    }
}

/// A definition that rows share.
struct Plan {
    local: u8,
    written: bool,
    mask: u128,
    /// Slot and bytes of each field, native fields first.
    fields: Vec<(usize, usize)>,
    /// Bytes of a message, with its header byte and timestamp.
    size: usize,
}

/// Writes the rows of a track in order, in pieces, so that other messages can stand between them.
pub struct Records<'a> {
    columns: Columns<'a>,
    times: &'a [i64],
    clock: Clock,
    buffer: Buffer,
    /// The rows that the buffer holds.
    filled: std::ops::Range<usize>,
    plans: Vec<Plan>,
    of_mask: HashMap<u128, usize>,
    last: (u128, usize),
    /// Values that yielded to another value of the same field.
    pub yielded: u64,
    /// Values that fell out of the range of their field: (field number, how many).
    pub refused: Vec<(u8, u64)>,
    /// Extra values that found no field number.
    pub homeless: u64,
}

impl<'a> Records<'a> {
    /// Looks at all rows and decides on the definitions: the most frequent field sets get their own local number, a rarer
    /// one borrows the smallest that contains it, and what is left shares the last number.
    pub fn new(columns: Columns<'a>, times: &'a [i64], clock: Clock) -> Records<'a> {
        let mut buffer = Buffer::new(columns.slots.len());
        let mut counts: Vec<(u128, u64)> = Vec::new();
        let mut index: HashMap<u128, usize> = HashMap::new();
        let (mut last, mut yielded) = ((u128::MAX, 0), 0);
        for start in (0..times.len()).step_by(CHUNK) {
            let len = CHUNK.min(times.len() - start);
            yielded += columns.fill(start, len, &mut buffer);
            for &mask in &buffer.mask[..len] {
                if mask != last.0 {
                    let at = *index.entry(mask).or_insert_with(|| {
                        counts.push((mask, 0));
                        counts.len() - 1
                    });
                    last = (mask, at);
                }
                counts[last.1].1 += 1;
            }
        }
        let refused = columns.slots.iter().zip(&buffer.refused).filter(|(_, count)| **count > 0);
        let mut records = Records {
            refused: refused.map(|(slot, count)| (slot.number, *count)).collect(),
            homeless: columns.homeless,
            columns,
            times,
            clock,
            buffer,
            filled: 0..0,
            plans: Vec::new(),
            of_mask: HashMap::with_capacity(counts.len()),
            last: (u128::MAX, 0),
            yielded,
        };
        records.decide(counts);
        records
    }

    fn decide(&mut self, mut counts: Vec<(u128, u64)>) {
        let locals = usize::from(16 - GENERAL_LOCALS);
        // A row with the second of two values that want one field number needs a definition without the first.
        let seconds = self.columns.clashes.iter().fold(0, |all, (_, second)| all | second);
        counts.sort_by_key(|(mask, count)| std::cmp::Reverse((mask & seconds != 0, *count)));
        let own = if counts.len() <= locals { counts.len() } else { locals - 1 };
        for (mask, _) in &counts[..own] {
            self.add_plan(*mask);
        }
        let mut rest = Vec::new();
        for (mask, _) in &counts[own..] {
            let fits = |plan: &usize| self.plans[*plan].mask & mask == *mask;
            match (0..own).filter(fits).min_by_key(|plan| self.plans[*plan].size) {
                Some(plan) => {
                    self.of_mask.insert(*mask, plan);
                }
                None => rest.push(*mask),
            }
        }
        if !rest.is_empty() {
            self.add_plan(rest.iter().fold(0, |all, mask| all | mask & !seconds));
            let lost = counts[own..].iter().filter(|(mask, _)| rest.contains(mask) && mask & seconds != 0);
            self.yielded += lost.map(|(_, count)| count).sum::<u64>();
            let shared = self.plans.len() - 1;
            self.of_mask.extend(rest.into_iter().map(|mask| (mask, shared)));
        }
    }

    fn add_plan(&mut self, mask: u128) {
        let slots = &self.columns.slots;
        let wanted = |at: &usize| mask & slots[*at].bit != 0;
        let part = |developer: bool| {
            (0..slots.len()).filter(wanted).filter(move |at| slots[*at].developer.is_some() == developer)
        };
        let fields: Vec<(usize, usize)> = part(false).chain(part(true)).map(|at| (at, slots[at].base.size())).collect();
        let size = 5 + fields.iter().map(|(_, size)| size).sum::<usize>();
        self.of_mask.insert(mask, self.plans.len());
        self.plans.push(Plan { local: GENERAL_LOCALS + self.plans.len() as u8, written: false, mask, fields, size });
    }

    /// True when some field has a type that protocol 1.0 does not know.
    pub fn has_wide_fields(&self) -> bool {
        self.columns.slots.iter().any(|slot| matches!(slot.base, Base::Sint64 | Base::Uint64 | Base::Uint64z))
    }

    /// Channels with values that their native field does not give back as they are, and distances between two steps.
    pub fn misfits(&self) -> (&[Misfit], u64) {
        (&self.columns.misfits, self.columns.rounded_distances)
    }

    /// Writes the rows of a range; ranges come in order.
    pub fn write(&mut self, rows: std::ops::Range<usize>, encoder: &mut Encoder) {
        let mut row = rows.start;
        while row < rows.end {
            if !self.filled.contains(&row) {
                let len = CHUNK.min(self.times.len() - row);
                self.columns.fill(row, len, &mut self.buffer);
                self.filled = row..row + len;
            }
            let end = rows.end.min(self.filled.end);
            self.write_filled(row..end, encoder);
            row = end;
        }
    }

    fn write_filled(&mut self, rows: std::ops::Range<usize>, encoder: &mut Encoder) {
        let first = self.filled.start;
        let mut row = rows.start;
        while row < rows.end {
            let mask = self.buffer.mask[row - first];
            let run = self.buffer.mask[row - first..rows.end - first].iter().take_while(|m| **m == mask).count();
            if mask != self.last.0 {
                self.last = (mask, self.of_mask.get(&mask).copied().unwrap_or(0));
                self.define(self.last.1, encoder);
            }
            let Some(plan) = self.plans.get(self.last.1) else { return };
            let out = &mut encoder.out;
            let begin = out.len();
            // Eight bytes are written for each value, and the next one starts where this one's own bytes end.
            out.resize(begin + run * plan.size + 8, 0);
            let mut at = begin;
            for row in row..row + run {
                let message = &mut out[at..at + plan.size + 8];
                message[0] = plan.local;
                message[1..5].copy_from_slice(&self.clock.seconds(self.times[row]).to_le_bytes());
                let mut pos = 5;
                for &(slot, size) in &plan.fields {
                    message[pos..pos + 8].copy_from_slice(&self.buffer.raw[slot][row - first].to_le_bytes());
                    pos += size;
                }
                at += plan.size;
            }
            out.truncate(at);
            row += run;
        }
    }

    fn define(&mut self, plan: usize, encoder: &mut Encoder) {
        let Some(plan) = self.plans.get_mut(plan).filter(|plan| !plan.written) else { return };
        plan.written = true;
        let mut native = vec![[253, 4, 0x86]];
        let mut developer = Vec::new();
        for &(slot, size) in &plan.fields {
            let slot = &self.columns.slots[slot];
            let (list, last) = match slot.developer {
                Some(index) => (&mut developer, index),
                None => (&mut native, slot.base.code()),
            };
            match list.last_mut() {
                Some(array) if slot.joined => array[1] += size as u8,
                _ => list.push([slot.number, size as u8, last]),
            }
        }
        encoder.define(plan.local, message::RECORD, &native, &developer);
    }
}
