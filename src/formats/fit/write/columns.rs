//! The columns of a track as fields of the `record` message: which field each channel becomes.

use super::super::base::Base;
use super::super::own;
use super::super::profile::{RECORD, Target, is_fallback};
use super::developer::{Encoding, Registry};
use super::encode::bounds;
use super::slot::{Buffer, Grid, Misfits, Slot, Values, cadence};
use crate::model::{Activity, Channel, ExtraColumn, ExtraKey, FitField, Track};

/// Fields beyond this many share the last presence bit.
const BITS: usize = 128;
/// Presence bits of latitude and longitude.
const POSITION: u128 = 0b11;
/// Largest size of a field, bytes.
const FIELD_MAX: usize = 255;

/// All fields of the records of a track.
#[derive(Default)]
pub struct Columns<'a> {
    /// The fields, position first; the elements of an array stand together.
    pub slots: Vec<Slot<'a>>,
    /// Pairs of presence bits that want the same field number: in a row that has both, the second one yields.
    pub clashes: Vec<(u128, u128)>,
    /// Values of extra columns that found no field number.
    pub homeless: u64,
    /// Channels with values that their native field does not give back as they are.
    pub misfits: Vec<Misfit>,
    /// Distances between two steps.
    pub rounded_distances: u64,
    has_position: bool,
    fields: usize,
}

/// A channel whose native field cannot say all of its values.
pub struct Misfit {
    /// The channel.
    pub channel: Channel,
    /// The grid of its field.
    pub grid: Grid,
    /// How many values.
    pub count: Misfits,
}

impl<'a> Columns<'a> {
    /// Chooses a field for everything that the samples hold; developer fields are added to `registry`.
    pub fn of(activity: &'a Activity, registry: &mut Registry) -> Columns<'a> {
        let track = &activity.track;
        let mut columns = Columns::default();
        let [lat, lon, distance] = track.raw_geometry();
        if !lat.is_empty() {
            columns.add(Slot::native(0, Base::Sint32, Values::Double(lat, Grid::semicircles())));
            columns.add(Slot::native(1, Base::Sint32, Values::Double(lon, Grid::semicircles())));
            columns.has_position = true;
        }
        for field in RECORD {
            let single = |values| Slot::native(field.number, field.base, values);
            let grid = Grid::new(field.base, field.scale, field.offset);
            // What a channel's field cannot hold has a field of ours beside it, where it is counted.
            let part = |values| Slot { counts: false, ..single(values) };
            let raw = |channel| track.column(channel).filter(|c| c.count() > 0).map(|column| column.raw());
            match field.target {
                Target::Distance if !distance.is_empty() => {
                    columns.rounded_distances = grid.rounded(distance);
                    columns.add(single(Values::Double(distance, grid)));
                }
                // Devices that resolve more than whole breaths or revolutions write only the better field.
                Target::To(Channel::Cadence | Channel::Respiration) if is_fallback(field.number) => {}
                Target::To(Channel::Cadence) => {
                    raw(Channel::Cadence).into_iter().for_each(|column| columns.add(part(Values::Cadence(column))));
                }
                Target::To(channel) => {
                    raw(channel).into_iter().for_each(|column| columns.add(part(Values::Single(column, grid))));
                }
                Target::FractionalCadence => {
                    let fractional = |v: &f32| cadence(f64::from(*v)).is_some_and(|raw| raw & 0x7F > 0);
                    if let Some(column) = raw(Channel::Cadence).filter(|column| column.iter().any(fractional)) {
                        columns.add(part(Values::Fraction(column)));
                    }
                }
                Target::Balance => {
                    let balance = raw(Channel::LeftRightBalance);
                    balance.into_iter().for_each(|column| columns.add(part(Values::Balance(column))));
                }
                Target::Pair(first, second) => {
                    let pair = [raw(first), raw(second)];
                    if pair.iter().any(Option::is_some) {
                        let values = pair.map(|c| c.map_or(Values::Absent, |column| Values::Single(column, grid)));
                        columns.add_array(values.into_iter().map(part));
                    }
                }
                _ => {}
            }
        }
        // The source's developer fields first: they keep their numbers.
        columns.extras(track, registry);
        registry.summaries(activity);
        columns.own(track, registry);
        columns.find_clashes();
        columns
    }

    fn add(&mut self, slot: Slot<'a>) {
        self.add_array(std::iter::once(slot));
    }

    /// Adds the elements of one field.
    fn add_array(&mut self, elements: impl Iterator<Item = Slot<'a>>) {
        let bit = 1 << self.fields.min(BITS - 1);
        self.fields += 1;
        self.slots.extend(elements.enumerate().map(|(at, slot)| Slot { joined: at > 0, bit, ..slot }));
    }

    fn add_developer(&mut self, encoding: &Encoding, values: impl Iterator<Item = Values<'a>>) {
        let (index, number) = encoding.place;
        let developer = Some(index);
        self.add_array(values.map(|values| {
            let counts = !matches!(values, Values::Beside(..));
            Slot { developer, counts, ..Slot::native(number, encoding.base, values) }
        }));
    }

    /// Fields of our own for what `record` has no field for, and for values that its fields cannot say.
    fn own(&mut self, track: &'a Track, registry: &mut Registry) {
        for (channel, column) in track.channels().filter(|(_, column)| column.count() > 0) {
            let (info, values) = (channel.info(), column.raw());
            let Some(grid) = native(channel) else {
                self.put(registry, info.name, info.unit, Base::Float32, Values::FreeSingle(values));
                continue;
            };
            let count = grid.misfits(values);
            if count.outside > 0 || grid.is_coarse() && count.rounded > 0 {
                self.put(registry, &own::exact(channel), info.unit, Base::Float32, Values::Beside(values, grid));
            }
            if count != Misfits::default() {
                self.misfits.push(Misfit { channel, grid, count });
            }
        }
        if track.times().iter().any(|time| time.rem_euclid(1000) > 0) {
            self.put(registry, own::MILLISECONDS, "ms", Base::Uint16, Values::Milliseconds(track.times()));
        }
        if track.untimed_count() > 0 {
            self.put(registry, own::UNTIMED, "", Base::Uint8, Values::Untimed(track));
        }
    }

    fn put(&mut self, registry: &mut Registry, name: &str, unit: &str, base: Base, values: Values<'a>) {
        if let Some(encoding) = registry.own(name, unit, base) {
            self.add_developer(&encoding, std::iter::once(values));
        }
    }

    /// Extra channels: each in the field that it came from, else in a field of our own.
    fn extras(&mut self, track: &'a Track, registry: &mut Registry) {
        let mut arrays: Vec<(&ExtraKey, &str, Vec<&ExtraColumn>)> = Vec::new();
        for extra in track.extra().iter().filter(|extra| extra.count() > 0) {
            let (name, at) = element(&extra.key);
            let known = arrays.iter_mut().find(|(key, known, _)| at > 0 && *known == name && key.fit == extra.key.fit);
            match known {
                Some((.., columns)) => columns.push(extra),
                None => arrays.push((&extra.key, name, vec![extra])),
            }
        }
        // A fixed order, whichever record had which field first.
        arrays.sort_by_key(|(key, ..)| match &key.fit {
            Some(FitField::Native { number, .. }) => (0, 0, *number),
            Some(FitField::Developer(field)) => (1, field.index, field.number),
            None => (2, 0, 0),
        });
        for (key, name, columns) in arrays {
            let count = columns.iter().map(|column| element(&column.key).1 + 1).max().unwrap_or(1);
            let encoding = self.encoding(key, name, &columns, registry);
            let fits = |(developer, encoding): &(bool, Encoding)| {
                // Behind the last bit of its own a field cannot yield to another one of the same number.
                let taken = |slot: &Slot<'_>| slot.developer.is_none() && slot.number == encoding.place.1;
                let alone = *developer || self.fields < BITS - 1 || !self.slots.iter().any(taken);
                alone && count * encoding.base.size() <= FIELD_MAX
            };
            match encoding.filter(fits) {
                Some((developer, encoding)) => {
                    let values = (0..count).map(|at| {
                        let column = columns.iter().find(|column| element(&column.key).1 == at);
                        column.map_or(Values::Absent, |column| extra_values(column.raw(), &encoding))
                    });
                    if developer {
                        self.add_developer(&encoding, values);
                    } else {
                        self.add_array(values.map(|values| Slot::native(encoding.place.1, encoding.base, values)));
                    }
                }
                None => self.homeless += columns.iter().map(|column| column.count() as u64).sum::<u64>(),
            }
        }
    }

    /// How an extra channel is written, and whether in a developer field.
    fn encoding(
        &self,
        key: &ExtraKey,
        name: &str,
        columns: &[&ExtraColumn],
        registry: &mut Registry,
    ) -> Option<(bool, Encoding)> {
        match &key.fit {
            Some(FitField::Native { number, base_type, scale, offset }) if *number != TIMESTAMP => {
                let base = Base::of(*base_type).filter(|base| *base != Base::String)?;
                Some((false, Encoding { place: (0, *number), base, scale: *scale, offset: *offset }))
            }
            Some(FitField::Developer(field)) if Base::of(field.base_type) != Some(Base::String) => {
                Some((true, registry.source(field, name, &key.unit)?))
            }
            _ => {
                let base = columns.first().map_or(Base::Float64, |column| smallest_base(column.raw()));
                Some((true, registry.own_channel(name, &key.unit, base)?))
            }
        }
    }

    fn find_clashes(&mut self) {
        let natives = || self.slots.iter().filter(|slot| slot.developer.is_none() && !slot.joined);
        for (at, slot) in natives().enumerate() {
            let same = natives().take(at).filter(|before| before.number == slot.number);
            self.clashes.extend(same.map(|before| (before.bit, slot.bit)));
        }
    }

    /// Converts the rows from `start` on, `len` of them. Returns how many values yielded to another of the same field.
    pub fn fill(&self, start: usize, len: usize, buffer: &mut Buffer) -> u64 {
        buffer.mask[..len].fill(0);
        let mut all = 0;
        for (at, slot) in self.slots.iter().enumerate() {
            buffer.refused[at] += slot.fill(start, len, &mut buffer.raw[at], &mut buffer.mask, &mut all);
        }
        buffer.mask[..len].iter_mut().for_each(|mask| *mask |= all);
        if self.has_position {
            for at in 0..len {
                if !matches!(buffer.mask[at] & POSITION, 0 | POSITION) {
                    buffer.mask[at] &= !POSITION;
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

/// The grid of the native field of a channel; that of the better one, when there are two.
fn native(channel: Channel) -> Option<Grid> {
    RECORD.iter().filter(|field| !is_fallback(field.number)).find_map(|field| {
        let grid = || Grid::new(field.base, field.scale, field.offset);
        match field.target {
            Target::To(Channel::Cadence) if channel == Channel::Cadence => Some(Grid::cadence()),
            Target::To(to) => (to == channel).then(grid),
            Target::Pair(first, second) => (first == channel || second == channel).then(grid),
            Target::Balance => (channel == Channel::LeftRightBalance).then(Grid::balance),
            _ => None,
        }
    })
}

/// Field number of the timestamp, which every record has.
const TIMESTAMP: u8 = 253;

/// Name of the field that an extra channel belongs to, and which element of it: `x` and `x[1]` came from one array.
fn element(key: &ExtraKey) -> (&str, usize) {
    let parsed = key.fit.as_ref().and_then(|_| {
        let (name, rest) = key.name.rsplit_once('[')?;
        let at = rest.strip_suffix(']')?.parse().ok().filter(|at| (1..FIELD_MAX).contains(at))?;
        Some((name, at))
    });
    parsed.unwrap_or((&key.name, 0))
}

fn extra_values<'a>(column: &'a [f64], encoding: &Encoding) -> Values<'a> {
    match encoding.base {
        Base::Float32 | Base::Float64 | Base::Sint64 | Base::Uint64 | Base::Uint64z => {
            Values::Free(column, encoding.scale, encoding.offset)
        }
        base => Values::Double(column, Grid::new(base, encoding.scale, encoding.offset)),
    }
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
