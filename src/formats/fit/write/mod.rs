//! Writes a complete FIT activity file from any activity.
//!
//! Order (FIT activity file type; Garmin's `ActivityFileValidationPlugin`): `file_id`, `file_creator`, developer data ids
//! and field descriptions, `user_profile`, zones, `sport`, `device_info`, then the timeline (timer events, other events,
//! records, R-R intervals), then the summaries: lengths, laps, sets, splits, time in zones, sessions, `activity`.

mod about;
mod columns;
mod developer;
mod encode;
mod fill;
mod frame;
mod records;
mod slot;
mod summary;
mod timeline;

use std::io::Write;

use self::columns::{Columns, Misfit};
use self::developer::{Encoding, Registry};
use self::encode::{Encoder, cut, quantise};
use self::frame::Frame;
use self::records::{Clock, Records};
use super::super::losses;
use super::base::Base;
use super::summary_fields::is_told;
use super::{crc, own};
use crate::error::{Error, Kind, Place, Result};
use crate::model::{Activity, FieldValue, FitField, StatedField};
use crate::report::{Code, Notes};

const RANGE: Code = Code::warning("loss.range");
const TIME: Code = Code::warning("loss.time");
const SUBSECOND: Code = Code::info("loss.subsecond");
const FIELD: Code = Code::warning("loss.field");
const INTERVAL: Code = Code::warning("loss.rr_interval");
const TRIGGER: Code = Code::info("loss.lap_trigger");
const TIMER: Code = Code::info("loss.timer");
const TOTAL: Code = Code::info("loss.total");
const NO_LOCAL_TIME: Code = Code::info("fit.no_local_time");
const TEXT: Code = Code::warning("loss.text");

/// Bytes of the header that we write.
const HEADER: usize = 14;
/// Protocol versions 1.0 and 2.0; developer fields and 64-bit types need 2.0.
const PROTOCOL_1: u8 = 0x10;
const PROTOCOL_2: u8 = 0x20;
/// Largest size of a field, bytes.
const FIELD_MAX: usize = 255;
/// Profile 21.218.
const PROFILE: u16 = 21_218;

/// What the parts of the writer share.
struct Writing<'a> {
    encoder: Encoder,
    clock: Clock,
    registry: &'a Registry,
    lost_times: u64,
    lost_intervals: u64,
    lost_triggers: u64,
    lost_totals: u64,
    lost_serials: u64,
    lost_versions: u64,
    lost_texts: u64,
    lost_fields: u64,
    /// A native field of 64 bits was written.
    wide_fields: bool,
    swapped: u64,
}

impl Writing<'_> {
    /// An instant in FIT seconds, rounded down; counts instants that FIT cannot say.
    fn seconds(&mut self, ms: i64) -> u32 {
        self.lost_times += u64::from(self.clock.is_outside(ms));
        self.clock.seconds(ms)
    }

    /// Adds the milliseconds of an instant to the message, when they are not zero.
    fn milliseconds(&mut self, ms: i64) {
        let part = ms.rem_euclid(1000) as u16;
        if let Some((index, number)) = self.registry.own_place(own::MILLISECONDS, Base::Uint16).filter(|_| part > 0) {
            self.encoder.developer(index, number, &part.to_le_bytes());
        }
    }

    /// Adds a text in a developer field of our own to the message.
    fn own_text(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let Some((index, number)) = self.registry.own_place(name, Base::String) else { return };
        let kept = cut(text);
        self.lost_texts += u64::from(kept.len() < text.len());
        if !kept.is_empty() {
            self.encoder.developer(index, number, &[kept.as_bytes(), &[0]].concat());
        }
    }

    /// Adds the source's developer fields of a lap, session or device to the message.
    fn developer_values(&mut self, values: &[StatedField]) {
        for field in values {
            let encoding = self.registry.summary_encoding(&field.key);
            match encoding.and_then(|encoding| Some((encoding.place, self.field_bytes(&encoding, &field.value)?))) {
                Some(((index, number), bytes)) => _ = self.encoder.developer(index, number, &bytes),
                None => self.lost_fields += 1,
            }
        }
    }

    /// Adds the source's native fields that the model does not name. Those that the message says already, or says in
    /// another way, stay out.
    fn native_values(&mut self, global: u16, values: &[StatedField]) {
        for field in values {
            let bytes = match &field.key.fit {
                Some(FitField::Native { number, base_type, scale, offset })
                    if !is_told(global, *number) && !self.encoder.has(*number) =>
                {
                    Base::of(*base_type).and_then(|base| {
                        let encoding = Encoding { place: (0, *number), base, scale: *scale, offset: *offset };
                        Some((*number, base, self.field_bytes(&encoding, &field.value)?))
                    })
                }
                _ => None,
            };
            match bytes {
                Some((number, base, bytes)) => {
                    self.wide_fields |= base.size() == 8;
                    self.encoder.field(number, base, &bytes);
                }
                None => self.lost_fields += 1,
            }
        }
    }

    /// The bytes of a field; `None` when its type cannot hold the value.
    fn field_bytes(&mut self, encoding: &Encoding, value: &FieldValue) -> Option<Vec<u8>> {
        let Encoding { base, scale, offset, .. } = *encoding;
        let number = |number: Option<f64>| match number {
            Some(number) => quantise(base, (number + offset) * scale),
            None => Some(base.invalid()),
        };
        let bytes: Vec<u8> = match value {
            FieldValue::Text(text) if base == Base::String => {
                let kept = cut(text);
                if kept.is_empty() {
                    return None;
                }
                self.lost_texts += u64::from(kept.len() < text.len());
                [kept.as_bytes(), &[0]].concat()
            }
            FieldValue::Number(only) if base != Base::String => {
                number(Some(*only))?.to_le_bytes()[..base.size()].to_vec()
            }
            FieldValue::Numbers(numbers) if base != Base::String => {
                let bits: Option<Vec<u64>> = numbers.iter().map(|n| number(*n)).collect();
                bits?.iter().flat_map(|bits| bits.to_le_bytes().into_iter().take(base.size())).collect()
            }
            _ => return None,
        };
        (bytes.len() <= FIELD_MAX).then_some(bytes)
    }

    /// Adds a number in a developer field of our own to the message.
    fn own_number(&mut self, name: &str, value: Option<f64>) {
        if let (Some(value), Some((index, number))) = (value, self.registry.own_place(name, Base::Float64)) {
            self.encoder.developer(index, number, &value.to_le_bytes());
        }
    }

    /// Adds a number of the profile in a developer field of our own to the message.
    fn own_code(&mut self, name: &str, value: Option<u8>) {
        if let (Some(value), Some((index, number))) = (value, self.registry.own_place(name, Base::Uint8)) {
            self.encoder.developer(index, number, &[value]);
        }
    }
}

/// Writes one activity; the `Writer` of the format table.
///
/// # Errors
/// `Io` when `out` fails, `Limit` when the file would be larger than the 4 GiB that FIT can say.
pub fn write(activity: &Activity, out: &mut dyn Write, notes: &mut Notes) -> Result<()> {
    let bytes = encode(activity, notes)?;
    out.write_all(&bytes).map_err(|cause| Error::io("writing FIT", cause))
}

fn encode(activity: &Activity, notes: &mut Notes) -> Result<Vec<u8>> {
    let frame = Frame::of(activity);
    let clock = Clock::of(frame.start, frame.end);
    let mut registry = Registry::default();
    let columns = Columns::of(activity, &mut registry);
    let summaries = summary_instants(activity, &frame).filter(|ms| ms.rem_euclid(1000) > 0).count() as u64;
    if summaries > 0 {
        registry.own(own::MILLISECONDS, "ms", Base::Uint16);
    }
    about::own_fields(activity, &frame, &mut registry);
    let mut records = Records::new(columns, activity.track.times(), clock);
    let mut writing = Writing {
        encoder: Encoder::new(HEADER, 4096 + activity.track.len() * 48),
        clock,
        registry: &registry,
        lost_times: 0,
        lost_intervals: 0,
        lost_triggers: 0,
        lost_totals: 0,
        lost_serials: 0,
        lost_versions: 0,
        lost_texts: 0,
        lost_fields: 0,
        wide_fields: false,
        swapped: frame.swapped,
    };
    about::file_id(&mut writing, activity, &frame);
    registry.write(&mut writing.encoder);
    about::person(&mut writing, activity, &frame);
    about::devices(&mut writing, activity, &frame);
    timeline::write(&mut writing, activity, &frame, &mut records);
    about::time_in_zones(&mut writing, activity, &frame);
    summary::write(&mut writing, activity, &frame);
    report(activity, &frame, &writing, &records, summaries, notes);
    let protocol =
        if registry.is_empty() && !records.has_wide_fields() && !writing.wide_fields { PROTOCOL_1 } else { PROTOCOL_2 };
    close(writing.encoder.out, protocol)
}

/// Instants of everything but the records.
fn summary_instants<'a>(activity: &'a Activity, frame: &'a Frame) -> impl Iterator<Item = i64> + 'a {
    let laps = frame.laps.iter().map(|lap| lap.start);
    let sessions = frame.sessions.iter().map(|session| session.start);
    let pauses = activity.pauses.iter().flat_map(|pause| [pause.start, pause.end]);
    let lengths = activity.lengths.iter().map(|length| length.start);
    let sets = activity.sets.iter().filter_map(|set| set.start);
    let events = activity.events.iter().map(|event| event.time);
    let splits = activity.splits.iter().map(|split| split.start);
    laps.chain(sessions).chain(pauses).chain(lengths).chain(sets).chain(events).chain(splits)
}

/// Puts the header in front and the CRC behind.
fn close(mut bytes: Vec<u8>, protocol: u8) -> Result<Vec<u8>> {
    let size = u32::try_from(bytes.len() - HEADER)
        .map_err(|_| Error::new(Kind::Limit, "a FIT file cannot be larger than 4 GiB"))?;
    let mut header = [HEADER as u8, protocol, 0, 0, 0, 0, 0, 0, b'.', b'F', b'I', b'T', 0, 0];
    header[2..4].copy_from_slice(&PROFILE.to_le_bytes());
    header[4..8].copy_from_slice(&size.to_le_bytes());
    let sum = crc::crc16(&header[..12]);
    header[12..].copy_from_slice(&sum.to_le_bytes());
    bytes[..HEADER].copy_from_slice(&header);
    let sum = crc::crc16(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}

/// Says what the file cannot hold.
fn report(
    activity: &Activity,
    frame: &Frame,
    writing: &Writing<'_>,
    records: &Records<'_>,
    summaries: u64,
    notes: &mut Notes,
) {
    let nowhere = || Place::NOWHERE;
    inexact(records, notes);
    for (number, count) in &records.refused {
        notes.add_many(RANGE, *count, nowhere(), || {
            format!("{count} values do not fit into field {number} of a FIT record and were left out")
        });
    }
    let (count, first) = &writing.encoder.out_of_range;
    notes.add_many(RANGE, *count, nowhere(), || {
        format!("{} does not fit into FIT and was left out", first.as_deref().unwrap_or("a value"))
    });
    let outside = |ms: &&i64| writing.clock.is_outside(**ms);
    let times = activity.track.times().iter().filter(outside).count() as u64 + writing.lost_times;
    let moved = writing.clock.moved();
    notes.add_many(TIME, u64::from(moved != 0), nowhere(), || {
        format!("FIT begins at 1998-07-03T21:24:17Z; the recording was moved there, by {moved} s")
    });
    notes.add_many(TIME, times, nowhere(), || {
        format!(
            "{times} instants are outside of what FIT can say (1998-07-03 to 2126-02-06) and were moved to its edge"
        )
    });
    let fractions = activity.track.times().iter().filter(|ms| ms.rem_euclid(1000) > 0).count() as u64 + summaries;
    notes.add_many(SUBSECOND, fractions, nowhere(), || {
        format!("{fractions} instants are not whole seconds; FIT rounds them down and `paceport` keeps the rest in a developer field")
    });
    let fields = records.yielded + records.homeless + writing.lost_fields;
    notes.add_many(FIELD, fields, nowhere(), || format!("{fields} extra values found no free FIT field"));
    let intervals = writing.lost_intervals;
    notes.add_many(INTERVAL, intervals, nowhere(), || format!("{intervals} R-R intervals are longer than FIT can say"));
    let triggers = writing.lost_triggers;
    notes.add_many(TRIGGER, triggers, nowhere(), || {
        format!("{triggers} laps ended by heart rate, which FIT cannot say")
    });
    let swapped = writing.swapped;
    notes.add_many(TIMER, swapped, nowhere(), || {
        format!("{swapped} sessions and laps state more timer time than elapsed time; FIT wants the larger one as elapsed time")
    });
    let totals = writing.lost_totals;
    notes.add_many(TOTAL, totals, nowhere(), || {
        format!("{totals} stated totals have no FIT field (steps are told as strides where a run states none)")
    });
    let whole = (frame.totals.len() + usize::from(frame.sport.is_some())) as u64;
    notes.add_many(losses::WHOLE, whole, nowhere(), || {
        let sport = frame.sport.map(|_| "sport");
        let names: Vec<&str> = frame.totals.iter().map(|(name, _)| *name).chain(sport).collect();
        let names = names.join(", ");
        format!("{whole} facts on the whole do not follow from its sessions; `paceport` keeps them in developer fields: {names}")
    });
    // Nothing is lost: the source does not know it either. A day alone has no time to be shown wrong.
    let unknown = u64::from(activity.offset_s.is_none() && activity.day.is_none());
    notes.add_many(
        NO_LOCAL_TIME,
        unknown,
        nowhere(),
        || "the zone is not known: the file states no local time, and many programs show UTC; `--home-zone` helps",
    );
    let serials = writing.lost_serials;
    notes.add_many(losses::SERIAL, serials, nowhere(), || {
        format!(
            "{serials} serial numbers are not numbers, as FIT wants them; `paceport` keeps them in developer fields"
        )
    });
    let versions = writing.lost_versions;
    notes.add_many(losses::VERSION, versions, nowhere(), || {
        format!("{versions} versions of devices have more than FIT's number; `paceport` keeps them in developer fields")
    });
    let texts = writing.lost_texts;
    notes.add_many(TEXT, texts, nowhere(), || {
        format!("{texts} texts were cut to the 254 bytes that a FIT text can have")
    });
    losses::report("fit", activity, 0, notes);
}

/// Names the values that native fields round or cannot hold.
fn inexact(records: &Records<'_>, notes: &mut Notes) {
    let (misfits, distances) = records.misfits();
    let (mut outside, mut exact, mut rounded) = ((0, Vec::new()), (0, Vec::new()), (distances, Vec::new()));
    if distances > 0 {
        rounded.1.push("distance (0.01 m)".to_owned());
    }
    for Misfit { channel, grid, count } in misfits {
        let info = channel.info();
        let (found, name) = match grid.is_coarse() {
            true => (&mut exact, info.name.to_owned()),
            false => (&mut rounded, format!("{} ({} {})", info.name, (grid.step() * 1e4).round() / 1e4, info.unit)),
        };
        for ((all, names), count, name) in
            [(found, count.rounded, name), (&mut outside, count.outside, info.name.to_owned())]
        {
            *all += count;
            names.extend((count > 0).then_some(name));
        }
    }
    let kept = "`paceport` keeps them in developer fields";
    let list = |names: &[String]| names.join(", ");
    notes.add_many(RANGE, outside.0, Place::NOWHERE, || {
        format!("{} values of {} do not fit into the fields of FIT; {kept}", outside.0, list(&outside.1))
    });
    notes.add_many(losses::PRECISION, exact.0, Place::NOWHERE, || {
        format!("{} values of {} are finer than the fields of FIT, which round them; {kept}", exact.0, list(&exact.1))
    });
    notes.add_many(losses::ROUNDED, rounded.0, Place::NOWHERE, || {
        format!("{} values were rounded to the steps of FIT: {}", rounded.0, list(&rounded.1))
    });
}
