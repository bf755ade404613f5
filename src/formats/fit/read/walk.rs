//! Walks the records of one segment: keeps definitions, turns `record` messages into columns in batches, hands all other
//! known messages to the collector.

use super::collect::{Collector, NO_TIME};
use super::columns::Columns;
use super::definition::{Definition, Message, definition_len, instant};
use super::developer::Developers;
use super::plan::{Op, compile};
use crate::error::Place;
use crate::formats::fit::profile::message;
use crate::report::Notes;

/// Records of one definition that are decoded together, column by column.
const BATCH: usize = 1024;
/// Definitions that are remembered, so that a device which defines before each message costs no new plan.
const REMEMBERED: usize = 64;

/// Why a walk ended before its last byte.
pub(super) struct Stop {
    pub at: usize,
    pub reason: String,
    /// True when the bytes ended, false when they broke a rule.
    pub cut: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    /// `record`: whether its plan exists and knows all developer fields described so far.
    Record { fresh: bool },
    /// Handed to the collector.
    Other,
    /// Nothing to take.
    Skip,
}

struct Local<'a> {
    definition: Definition<'a>,
    developer: bool,
    kind: Kind,
    /// What to do with the bodies of a `record`.
    plan: Vec<Op>,
}

/// Everything found in one segment.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    end: usize,
    most_samples: usize,
    known: Vec<Local<'a>>,
    locals: [Option<usize>; 16],
    developers: Developers,
    batch: Vec<usize>,
    /// The definition that the batch shares.
    batch_of: usize,
    last_time: Option<u32>,
    /// Records beyond the limit.
    pub samples_left_out: u64,
    pub columns: Columns,
    pub collector: Collector,
    pub notes: Notes,
}

impl<'a> Walk<'a> {
    /// A walk over `bytes[..end]`; at most so many samples are taken.
    pub fn new(bytes: &'a [u8], end: usize, most_samples: usize) -> Walk<'a> {
        Walk {
            bytes,
            end,
            most_samples,
            known: Vec::new(),
            locals: [None; 16],
            developers: Developers::default(),
            batch: Vec::with_capacity(BATCH),
            batch_of: 0,
            last_time: None,
            samples_left_out: 0,
            columns: Columns::new(bytes.len()),
            collector: Collector::default(),
            notes: Notes::new(),
        }
    }

    /// Walks from `at` to the end; what was read before a stop is kept.
    pub fn run(&mut self, at: usize) -> Result<(), Stop> {
        let result = self.records(at);
        self.flush(0);
        self.columns.untimed.sort_unstable();
        self.columns.untimed.dedup();
        result
    }

    fn records(&mut self, mut at: usize) -> Result<(), Stop> {
        while at < self.end {
            let Some(&head) = self.bytes.get(at) else { break };
            let (local, offset) = match head {
                0x80.. => ((head >> 5) & 3, Some(u32::from(head & 0x1F))),
                0x40.. => {
                    at = self.define(at, head)?;
                    continue;
                }
                _ => (head & 0x0F, None),
            };
            let slot = self.locals.get(usize::from(local)).copied().flatten();
            let Some((slot, entry)) = slot.and_then(|slot| Some((slot, self.known.get(slot)?))) else {
                return Err(stop(at, format!("definition for local message {local} is missing")));
            };
            let Definition { size, time_at, big, .. } = entry.definition;
            let kind = entry.kind;
            let body = at + 1;
            let next = body + size;
            if next > self.end {
                return Err(cut(at, "data message"));
            }
            let time = self.time(offset, time_at.map(|time| body + time), big);
            match kind {
                Kind::Skip => {}
                Kind::Record { fresh } => {
                    if !fresh {
                        self.compile(slot, at);
                    }
                    self.record(slot, body, time);
                }
                Kind::Other => {
                    self.other(slot, body, time);
                    // An archive of a watch holds thousands of files of other kinds: they end here.
                    if self.collector.is_no_activity() {
                        return Ok(());
                    }
                }
            }
            at = next;
        }
        Ok(())
    }

    /// Puts a record into the batch of its definition.
    fn record(&mut self, slot: usize, body: usize, time: Option<u32>) {
        let times = &mut self.columns.time;
        if times.len() >= self.most_samples {
            self.samples_left_out += 1;
            return;
        }
        match time {
            Some(seconds) => times.push(instant(seconds)),
            None => {
                self.columns.untimed.push(times.len() as u32);
                times.push(times.last().copied().unwrap_or(NO_TIME));
            }
        }
        if slot != self.batch_of || self.batch.len() == BATCH {
            self.flush(1);
            self.batch_of = slot;
        }
        self.batch.push(body);
    }

    /// The time of a data message: from a compressed header, else from its `timestamp`.
    fn time(&mut self, offset: Option<u32>, at: Option<usize>, big: bool) -> Option<u32> {
        let time = match (offset, at) {
            (Some(offset), _) => {
                let last = self.last_time?;
                let roll = if offset < last & 0x1F { 0x20 } else { 0 };
                (last & !0x1F).wrapping_add(offset).wrapping_add(roll)
            }
            (None, Some(at)) => {
                let raw = *self.bytes.get(at..)?.first_chunk()?;
                Some(if big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) }).filter(|t| *t != u32::MAX)?
            }
            (None, None) => return None,
        };
        self.last_time = Some(time);
        Some(time)
    }

    /// Takes a definition; returns where the next record starts.
    fn define(&mut self, at: usize, head: u8) -> Result<usize, Stop> {
        let developer = head & 0x20 != 0;
        let rest = self.bytes.get(at + 1..self.end).unwrap_or_default();
        let raw =
            definition_len(developer, rest).and_then(|len| rest.get(..len)).ok_or_else(|| cut(at, "definition"))?;
        let same = |known: &Local<'_>| known.developer == developer && known.definition.raw == raw;
        let slot = match self.known.iter().rposition(same) {
            Some(slot) => slot,
            None => {
                let definition = Definition::read(developer, raw)
                    .ok_or_else(|| stop(at, "a definition of neither little nor big endian numbers".into()))?;
                let kind = match definition.message {
                    message::RECORD => Kind::Record { fresh: false },
                    number if Collector::wants(number) => Kind::Other,
                    message::FIELD_DESCRIPTION | message::DEVELOPER_DATA_ID => Kind::Other,
                    _ => Kind::Skip,
                };
                self.remember(Local { definition, developer, kind, plan: Vec::new() })
            }
        };
        if let Some(local) = self.locals.get_mut(usize::from(head & 0x0F)) {
            *local = Some(slot);
        }
        Ok(at + 1 + raw.len())
    }

    /// Stores a definition, in the place of one that no local number uses when there are many.
    fn remember(&mut self, local: Local<'a>) -> usize {
        let unused = |slot: &usize| !self.locals.contains(&Some(*slot));
        let free = (self.known.len() >= REMEMBERED).then(|| (0..self.known.len()).find(unused)).flatten();
        match free {
            Some(slot) => {
                self.flush(0);
                self.known[slot] = local;
                slot
            }
            None => {
                self.known.push(local);
                self.known.len() - 1
            }
        }
    }

    /// Compiles the plan of a record definition, at its first record and after developer fields were described anew.
    fn compile(&mut self, slot: usize, at: usize) {
        self.flush(0);
        let Some(entry) = self.known.get_mut(slot) else { return };
        let place = Place::byte(at);
        entry.plan = compile(&entry.definition, &self.developers, &mut self.columns, &mut self.notes, &place);
        entry.kind = Kind::Record { fresh: true };
    }

    fn other(&mut self, slot: usize, body: usize, time: Option<u32>) {
        let Some(entry) = self.known.get(slot) else { return };
        let Some(body) = self.bytes.get(body..body + entry.definition.size) else { return };
        let definition = &entry.definition;
        if !matches!(definition.message, message::DEVELOPER_DATA_ID | message::FIELD_DESCRIPTION) {
            let message = Message { definition, body, developers: &self.developers };
            return self.collector.take(&message, time.map(instant), self.columns.time.last().copied());
        }
        let none = Developers::default();
        let message = Message { definition, body, developers: &none };
        match definition.message {
            message::DEVELOPER_DATA_ID => self.developers.application(&message),
            _ => self.developers.describe(&message),
        }
        for known in &mut self.known {
            if let Kind::Record { fresh } = &mut known.kind {
                *fresh &= known.definition.developer.is_empty();
            }
        }
    }

    /// Decodes the batch. `ahead` rows have their time already but belong to the next batch.
    fn flush(&mut self, ahead: usize) {
        let start = self.columns.time.len() - ahead - self.batch.len();
        if let Some(entry) = self.known.get(self.batch_of) {
            self.columns.run(&entry.plan, self.bytes, &self.batch, start);
        }
        self.batch.clear();
    }
}

/// The bytes break a rule.
fn stop(at: usize, reason: String) -> Stop {
    Stop { at, reason, cut: false }
}

/// The bytes end too early.
fn cut(at: usize, what: &str) -> Stop {
    Stop { at, reason: format!("the bytes end inside a {what}"), cut: true }
}
