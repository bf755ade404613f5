//! Every part of a recording as named values, in one table: the attributes of the `paceport` namespace and the keys of
//! the JSON form.

use crate::ids::hex;
use crate::model::{
    Activity, Athlete, DeveloperField, Device, Event, Evidence, ExtraKey, FitField, Intensity, Lap, LapTrigger, Length,
    Pause, Recording, Session, Set, SetKind, Split, Sport, StatedField, Stroke, SubSport, Totals, Waypoint, Zones,
    time,
};

/// A value on its way out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Absent,
    Flag(bool),
    Integer(i64),
    Number(f64),
    Single(f32),
    /// Milliseconds since the Unix epoch, UTC.
    Instant(i64),
    Text(&'a str),
    Word(std::borrow::Cow<'static, str>),
    Position(f64, f64),
    Singles(&'a [f32]),
}

/// A type that prints as a [`Value`] and reads back from its text.
pub(super) trait Cell: Sized {
    fn value(&self) -> Value<'_>;
    fn parse(text: &str) -> Option<Self>;
}

impl<T: Cell> Cell for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Absent, Cell::value)
    }
    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Some)
    }
}

/// In the model every `i64` is an instant.
impl Cell for i64 {
    fn value(&self) -> Value<'_> {
        Value::Instant(*self)
    }
    fn parse(text: &str) -> Option<Self> {
        time::parse(text.as_bytes()).map(|instant| instant.ms)
    }
}

macro_rules! integers {
    ($($kind:ty)+) => {
        $(impl Cell for $kind {
            fn value(&self) -> Value<'_> {
                Value::Integer((*self).into())
            }
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        })+
    };
}
integers!(u8 u16 u32 i32);

impl Cell for f64 {
    fn value(&self) -> Value<'_> {
        if self.is_finite() { Value::Number(*self) } else { Value::Absent }
    }
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|v: &f64| v.is_finite())
    }
}

impl Cell for f32 {
    fn value(&self) -> Value<'_> {
        if self.is_finite() { Value::Single(*self) } else { Value::Absent }
    }
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|v: &f32| v.is_finite())
    }
}

impl Cell for bool {
    fn value(&self) -> Value<'_> {
        Value::Flag(*self)
    }
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Cell for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Cell for Sport {
    fn value(&self) -> Value<'_> {
        Value::Word(self.name())
    }
    fn parse(text: &str) -> Option<Self> {
        Sport::by_name(text)
    }
}

impl Cell for SubSport {
    fn value(&self) -> Value<'_> {
        Value::Word(self.name())
    }
    fn parse(text: &str) -> Option<Self> {
        SubSport::by_name(text)
    }
}

impl Cell for Stroke {
    fn value(&self) -> Value<'_> {
        Value::Integer(self.0.into())
    }
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Stroke)
    }
}

impl Cell for (f64, f64) {
    fn value(&self) -> Value<'_> {
        if self.0.is_finite() && self.1.is_finite() { Value::Position(self.0, self.1) } else { Value::Absent }
    }
    fn parse(text: &str) -> Option<Self> {
        let (lat, lon) = text.split_once(' ')?;
        Some((f64::parse(lat)?, f64::parse(lon)?))
    }
}

impl Cell for Vec<f32> {
    fn value(&self) -> Value<'_> {
        if self.is_empty() || self.iter().any(|v| !v.is_finite()) { Value::Absent } else { Value::Singles(self) }
    }
    fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().map(f32::parse).collect()
    }
}

impl Cell for [u8; 16] {
    fn value(&self) -> Value<'_> {
        Value::Word(hex(self).into())
    }
    fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(bytes)
    }
}

/// An enumeration by words; `other` holds what has a number only.
macro_rules! words {
    ($kind:ident, $($variant:ident $word:literal),+ $(; other $other:ident)?) => {
        impl Cell for $kind {
            fn value(&self) -> Value<'_> {
                match self {
                    $($kind::$variant => Value::Word($word.into()),)+
                    $($kind::$other(number) => Value::Integer((*number).into()),)?
                }
            }
            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some($kind::$variant),)+
                    $(number if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok().map($kind::$other),)?
                    _ => None,
                }
            }
        }
    };
}
words!(LapTrigger, Manual "manual", Time "time", Distance "distance", Position "position", HeartRate "heart_rate",
    SessionEnd "session_end", FitnessEquipment "fitness_equipment"; other Other);
words!(Intensity, Active "active", Rest "rest", Warmup "warmup", Cooldown "cooldown", Recovery "recovery",
    Interval "interval"; other Other);
words!(Evidence, Stated "stated", Archive "archive", Position "position", Pair "pair", Neighbour "neighbour",
    User "user", None "none");
words!(SetKind, Active "active", Rest "rest", Warmup "warmup", Drop "drop", Failure "failure");

/// What concerns the activity as a whole.
#[derive(Debug, Default)]
pub(crate) struct Head {
    sport: Sport,
    sub_sport: Option<SubSport>,
    sport_label: Option<String>,
    name: Option<String>,
    description: Option<String>,
    gear: Option<String>,
    creator: Option<String>,
    stated_start: Option<i64>,
    created: Option<i64>,
    day: Option<String>,
    /// Local offset, seconds.
    pub(super) offset_s: Option<i32>,
    pub(super) evidence: Option<Evidence>,
    stated: Totals,
}

impl Head {
    pub(crate) fn of(activity: &Activity) -> Head {
        Head {
            sport: activity.sport,
            sub_sport: activity.sub_sport,
            sport_label: activity.sport_label.clone(),
            name: activity.name.clone(),
            description: activity.description.clone(),
            gear: activity.gear.clone(),
            creator: activity.creator.clone(),
            stated_start: activity.stated_start,
            created: activity.created,
            day: activity.day.clone(),
            offset_s: activity.offset_s,
            evidence: activity.offset_s.map(|_| activity.evidence),
            stated: activity.stated.clone(),
        }
    }

    pub(super) fn into_recording(self) -> Recording {
        Recording {
            sport: self.sport,
            sub_sport: self.sub_sport,
            sport_label: self.sport_label,
            name: self.name,
            description: self.description,
            gear: self.gear,
            creator: self.creator,
            stated_start: self.stated_start,
            created: self.created,
            day: self.day,
            stated: self.stated,
            ..Recording::default()
        }
    }
}

/// The key of an extra channel, flat. Which fields are there says what it is: with `index` a developer field of FIT,
/// else with `number` a native one.
#[derive(Debug, Default)]
pub(crate) struct ExtraRow {
    name: String,
    unit: String,
    number: Option<u8>,
    base_type: Option<u8>,
    scale: Option<f64>,
    offset: Option<f64>,
    index: Option<u8>,
    application: Option<[u8; 16]>,
    developer: Option<[u8; 16]>,
    manufacturer: Option<u16>,
    version: Option<u32>,
    native_message: Option<u16>,
    native_field: Option<u8>,
}

impl ExtraRow {
    pub(crate) fn of(key: &ExtraKey) -> ExtraRow {
        let row = ExtraRow { name: key.name.clone(), unit: key.unit.clone(), ..ExtraRow::default() };
        match &key.fit {
            None => row,
            Some(FitField::Native { number, base_type, scale, offset }) => ExtraRow {
                number: Some(*number),
                base_type: Some(*base_type),
                scale: Some(*scale),
                offset: Some(*offset),
                ..row
            },
            Some(FitField::Developer(field)) => ExtraRow {
                number: Some(field.number),
                base_type: Some(field.base_type),
                scale: Some(field.scale),
                offset: Some(field.offset),
                index: Some(field.index),
                application: field.application,
                developer: field.developer,
                manufacturer: field.manufacturer,
                version: field.version,
                native_message: field.native_message,
                native_field: field.native_field,
                ..row
            },
        }
    }

    pub(super) fn into_key(self) -> ExtraKey {
        let scale = self.scale.unwrap_or(1.0);
        let offset = self.offset.unwrap_or(0.0);
        let base_type = self.base_type.unwrap_or(0);
        let fit = match (self.index, self.number) {
            (Some(index), number) => Some(FitField::Developer(DeveloperField {
                index,
                number: number.unwrap_or(0),
                base_type,
                scale,
                offset,
                application: self.application,
                developer: self.developer,
                manufacturer: self.manufacturer,
                version: self.version,
                native_message: self.native_message,
                native_field: self.native_field,
            })),
            (None, Some(number)) => Some(FitField::Native { number, base_type, scale, offset }),
            (None, None) => None,
        };
        ExtraKey { name: self.name, unit: self.unit, fit }
    }
}

/// A part of a recording as named values.
pub(crate) trait Part {
    /// Hands every field to `put`, absent ones included.
    fn each<'a>(&'a self, put: &mut dyn FnMut(&'static str, Value<'a>));
    /// Its developer fields.
    fn developer(&self) -> &[StatedField] {
        &[]
    }
    /// Its native fields of FIT that have no name here.
    fn fields(&self) -> &[StatedField] {
        &[]
    }
    /// Sets a field from its text; false when there is no such field or the text does not fit it.
    fn set(&mut self, name: &str, text: &str) -> bool;
}

fn assign<T: Cell>(field: &mut T, text: &str) -> bool {
    match T::parse(text) {
        Some(value) => {
            *field = value;
            true
        }
        None => false,
    }
}

macro_rules! parts {
    ($($part:ident { $($field:ident),+ $(; $rest:ident)? } $([$($values:ident),+])?)+) => {
        $(impl Part for $part {
            fn each<'a>(&'a self, put: &mut dyn FnMut(&'static str, Value<'a>)) {
                $(put(stringify!($field), self.$field.value());)+
                $(self.$rest.each(put);)?
            }
            $($(fn $values(&self) -> &[StatedField] {
                &self.$values
            })+)?
            fn set(&mut self, name: &str, text: &str) -> bool {
                match name {
                    $(stringify!($field) => assign(&mut self.$field, text),)+
                    _ => false $(|| self.$rest.set(name, text))?,
                }
            }
        })+
    };
}

parts! {
    Head {
        sport, sub_sport, sport_label, name, description, gear, creator, stated_start, created, day, offset_s, evidence;
        stated
    }
    ExtraRow {
        name, unit, number, base_type, scale, offset, index, application, developer, manufacturer, version,
        native_message, native_field
    }
    Totals {
        elapsed_s, timer_s, moving_s, distance_m, calories_kcal, ascent_m, descent_m, avg_speed, max_speed,
        avg_heart_rate, max_heart_rate, min_heart_rate, avg_cadence, max_cadence, avg_power, max_power,
        normalized_power, avg_temperature, max_temperature, avg_altitude, max_altitude, min_altitude,
        left_right_balance, cycles, work_j, training_effect, anaerobic_training_effect, training_stress_score,
        intensity_factor, threshold_power, steps, avg_stroke_distance
    }
    Lap {
        start, end, trigger, intensity, sport, sub_sport, name, start_position, end_position, stroke, first_length,
        lengths, active_lengths, workout_step; totals
    } [developer, fields]
    Session {
        start, end, sport, sub_sport, name, trigger, start_position, first_lap, laps, pool_length_m, pool_in_yards,
        stroke, lengths, active_lengths, feel, rpe; totals
    } [developer, fields]
    Length { start, end, elapsed_s, timer_s, strokes, avg_speed, avg_cadence, stroke, calories_kcal, active } [fields]
    Set {
        start, duration_s, exercise, category, category_subtype, repetitions, weight_kg, distance_m, rpe, kind, note
    } [fields]
    Pause { start, end, auto }
    Event { time, event, event_type, data, group }
    Split { kind, start, end; totals } [fields]
    Waypoint { lat, lon, altitude, time, name, description, symbol }
    Device {
        index, manufacturer, manufacturer_id, product, product_id, serial, firmware, hardware, device_type,
        source_type, battery_status, battery_voltage, operating_time_s
    } [developer]
    Zones {
        max_heart_rate, threshold_heart_rate, resting_heart_rate, threshold_power, heart_rate_bounds,
        heart_rate_seconds, power_bounds, power_seconds
    }
    Athlete { gender, age, height_m, weight_kg, resting_heart_rate, max_heart_rate }
}
