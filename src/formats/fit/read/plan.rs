//! The plan of a record definition: which bytes of the body go to which column. Compiled once a definition, run over
//! batches of records, column by column.

use super::columns::{Columns, DISTANCE, LATITUDE, LONGITUDE};
use super::definition::{Definition, DeveloperBytes, Field};
use super::developer::{Developers, is_own};
use crate::error::Place;
use crate::formats::fit::base::Base;
use crate::formats::fit::own;
use crate::formats::fit::profile::{RecordField, Target, is_fallback, record_field};
use crate::model::{Channel, ExtraKey, FitField};
use crate::report::{Code, Notes};

const FIELD_SIZE: Code = Code::info("fit.field_size");
const UNDESCRIBED: Code = Code::warning("fit.developer_undescribed");
const TEXT: Code = Code::warning("fit.text_in_record");

/// Record field that `cycles` adds up to.
const TOTAL_CYCLES: u8 = 19;
/// Longer arrays are opaque data (accelerometer bursts and the like), not channels.
const LONGEST_ARRAY: usize = 32;

/// Where the values of a field go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sink {
    /// A channel.
    Channel(Channel),
    /// A wide column (position, distance, extra channel).
    Wide(usize),
    /// A wide column of degrees from semicircles.
    Degrees(usize),
    /// Added to the cadence of the same record.
    FractionalCadence,
    /// 12 bits of speed, 12 bits of rolling distance.
    SpeedDistance,
    /// Rolls over at 256; the sum goes to a wide column.
    Cycles(usize),
    /// Rolls over at 65536; the sum goes to `AccumulatedPower`.
    Power,
    /// Added to the record's time: `paceport`'s own field.
    Milliseconds,
    /// 1 says that the record's time is only its place: `paceport`'s own field.
    Untimed,
    /// Right side when bit 7 says so, else the raw value goes to a wide column.
    Balance(usize),
}

/// One step: decode a field of each record in a batch into a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    /// Offset in the body.
    pub at: usize,
    pub base: Base,
    pub big: bool,
    /// Elements; the first valid one counts.
    pub count: usize,
    /// Value = raw / scale - offset.
    pub scale: f64,
    pub offset: f64,
    pub sink: Sink,
}

/// Compiles a record definition. Fallback fields (plain altitude, speed …) come first, so that the better ones overwrite
/// them; the cadence's fraction comes last.
pub(super) fn compile(
    definition: &Definition<'_>,
    developers: &Developers,
    columns: &mut Columns,
    notes: &mut Notes,
    place: &Place,
) -> Vec<Op> {
    let mut ops = Vec::with_capacity(definition.fields.len() + definition.developer.len());
    let mut fields: Vec<&Field> = definition.fields.iter().filter(|field| field.size > 0).collect();
    fields.sort_by_key(|field| !is_fallback(field.number));
    let mut compiler = Compiler { big: definition.big, ops: &mut ops, columns, notes, place };
    for field in fields {
        compiler.native(field);
    }
    for field in definition.developer.iter().filter(|field| field.size > 0) {
        compiler.developer(field, developers);
    }
    ops.sort_by_key(|op| op.sink == Sink::FractionalCadence);
    ops
}

struct Compiler<'a> {
    big: bool,
    ops: &'a mut Vec<Op>,
    columns: &'a mut Columns,
    notes: &'a mut Notes,
    place: &'a Place,
}

impl Compiler<'_> {
    /// How many elements the field has; `None`, with a note, when its size does not fit its type.
    fn count(&mut self, what: u8, size: usize, base: Option<Base>) -> Option<(Base, usize)> {
        let count = base.filter(|base| size.is_multiple_of(base.size())).map(|base| (base, size / base.size()));
        if count.is_none() {
            self.notes.add(FIELD_SIZE, self.place.clone(), || {
                format!("record field {what} of {size} bytes does not fit its base type and was skipped")
            });
        }
        count
    }

    fn native(&mut self, field: &Field) {
        let known = record_field(field.number);
        if known.is_some_and(|known| known.target == Target::Time) {
            return;
        }
        let Some((base, count)) = self.count(field.number, field.size, field.base) else { return };
        let big = self.big;
        let op = |sink| Op {
            at: field.at,
            base,
            big,
            count,
            scale: known.map_or(1.0, |known| known.scale),
            offset: known.map_or(0.0, |known| known.offset),
            sink,
        };
        match known.map(|known| known.target) {
            Some(Target::Latitude) => self.ops.push(op(Sink::Degrees(LATITUDE))),
            Some(Target::Longitude) => self.ops.push(op(Sink::Degrees(LONGITUDE))),
            Some(Target::Distance) => self.ops.push(op(Sink::Wide(DISTANCE))),
            Some(Target::To(channel)) => self.ops.push(op(Sink::Channel(channel))),
            Some(Target::FractionalCadence) => self.ops.push(op(Sink::FractionalCadence)),
            Some(Target::CompressedPower) => self.ops.push(op(Sink::Power)),
            Some(Target::SpeedDistance) if field.size == 3 => self.ops.push(op(Sink::SpeedDistance)),
            Some(Target::Pair(start, end)) => {
                let pair = [(start, 0), (end, base.size())].into_iter().take(count);
                let (at, op) = (field.at, op(Sink::Channel(start)));
                self.ops.extend(pair.map(|(channel, behind)| Op {
                    at: at + behind,
                    count: 1,
                    sink: Sink::Channel(channel),
                    ..op
                }));
            }
            Some(Target::Balance) if base.size() == 1 => {
                let raw =
                    self.columns.extra_slot(native_key(known, field.number, base)).map(|slot| op(Sink::Balance(slot)));
                self.ops.extend(raw);
            }
            Some(Target::Cycles) => {
                let total = native_key(record_field(TOTAL_CYCLES), TOTAL_CYCLES, Base::Uint32);
                let rolling = self.columns.extra_slot(total).map(|slot| op(Sink::Cycles(slot)));
                self.ops.extend(rolling);
            }
            _ => {
                let key = native_key(known, field.number, base);
                let (scale, offset) = known.map_or((1.0, 0.0), |known| (known.scale, known.offset));
                self.elements(key, field.at, base, count, scale, offset);
            }
        }
    }

    fn developer(&mut self, field: &DeveloperBytes, developers: &Developers) {
        let Some((base, key)) = developers.key(field) else {
            self.notes.add(UNDESCRIBED, self.place.clone(), || {
                format!(
                    "developer field {} of application {} has no description; its bytes were skipped",
                    field.number, field.index
                )
            });
            return;
        };
        let Some((base, count)) = self.count(field.number, field.size, Some(base)) else { return };
        let (scale, offset, own) = match &key.fit {
            Some(FitField::Developer(field)) => (field.scale, field.offset, is_own(field)),
            _ => (1.0, 0.0, false),
        };
        let sink = match key.name.as_str() {
            _ if !own => None,
            own::MILLISECONDS => Some(Sink::Milliseconds),
            own::UNTIMED => Some(Sink::Untimed),
            name => own::channel(name).map(Sink::Channel),
        };
        match sink {
            Some(sink) => self.ops.push(Op { at: field.at, base, big: self.big, count, scale, offset, sink }),
            None => {
                let fit = key.fit.filter(|_| !own);
                self.elements(ExtraKey { fit, ..key }, field.at, base, count, scale, offset);
            }
        }
    }

    /// An extra channel for each element: the first under the field's own name, the others as `name[1]`, `name[2]` ….
    fn elements(&mut self, key: ExtraKey, at: usize, base: Base, count: usize, scale: f64, offset: f64) {
        if base == Base::String || count > LONGEST_ARRAY {
            self.notes.add(TEXT, self.place.clone(), || {
                format!("the record field \"{}\" holds text or opaque bytes, which no channel can hold", key.name)
            });
            return;
        }
        for element in 0..count {
            let name = if element == 0 { key.name.clone() } else { format!("{}[{element}]", key.name) };
            let Some(slot) = self.columns.extra_slot(ExtraKey { name, ..key.clone() }) else { return };
            let at = at + element * base.size();
            self.ops.push(Op { at, base, big: self.big, count: 1, scale, offset, sink: Sink::Wide(slot) });
        }
    }
}

/// The key of an extra channel for a native field, known to the profile or not.
fn native_key(known: Option<&RecordField>, number: u8, base: Base) -> ExtraKey {
    ExtraKey {
        name: known.map_or_else(|| format!("field_{number}"), |known| known.name.to_owned()),
        unit: known.map_or_else(String::new, |known| known.unit.to_owned()),
        fit: Some(FitField::Native {
            number,
            base_type: base.code(),
            scale: known.map_or(1.0, |known| known.scale),
            offset: known.map_or(0.0, |known| known.offset),
        }),
    }
}
