//! All messages besides records, collected as they come. Nothing here depends on their order: devices write summaries
//! first or last.

use super::definition::Message;
use super::fields::Fields;
use super::heart::Heart;
use super::summary::{self, Span};
use crate::formats::fit::own;
use crate::formats::fit::products;
use crate::formats::fit::profile::{FILE_ACTIVITY, message as number};
use crate::formats::fit::whole;
use crate::model::{
    Athlete, Channel, Device, Event, Lap, Length, RrInterval, Session, Set, Split, Sport, StatedField, SubSport,
    Totals, Track, Zones,
};

/// Stands for a time that is not known yet: before the first record.
pub(super) const NO_TIME: i64 = i64::MIN;

/// FIT `event` numbers that other messages tell better: timer (pauses), session, lap, activity, length.
const TOLD_ELSEWHERE: [u8; 5] = [TIMER, 8, 9, 26, 28];
const TIMER: u8 = 0;

/// More of a kind than any device writes is hostile. `message_index` counts laps, lengths and sets in 16 bits.
const MOST_SPANS: usize = 65_536;
/// Legs, sports and exercise titles.
const MOST_LEGS: usize = 1024;
/// Recorder and sensors; `device_index` has eight bits.
const MOST_DEVICES: usize = 512;
/// Developer fields of laps, sessions and devices; there can be 255 in each.
const MOST_VALUES: usize = 65_536;
/// Events.
const MOST_EVENTS: usize = 1 << 20;

/// `file_id` (0).
#[derive(Debug, Default)]
pub(super) struct FileId {
    pub kind: Option<u8>,
    pub created: Option<i64>,
    pub device: Device,
}

/// `activity` (34).
#[derive(Debug, Clone, Copy)]
pub(super) struct ActivityMessage {
    pub time: Option<i64>,
    pub local: Option<i64>,
    pub timer_s: Option<f64>,
}

/// A timer event.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimerEvent {
    pub time: i64,
    pub running: bool,
    pub auto: bool,
}

/// `sport` (12).
#[derive(Debug, Clone)]
pub(super) struct SportMessage {
    pub sport: Option<Sport>,
    pub sub_sport: Option<SubSport>,
    pub name: Option<String>,
}

/// Totals and sport of the whole in developer fields of the `activity` message.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub totals: Totals,
    pub sport: Option<(Sport, Option<SubSport>)>,
}

impl Whole {
    fn of(message: &Message<'_>) -> Whole {
        let mut whole = Whole::default();
        if message.definition.developer.is_empty() {
            return whole;
        }
        for total in whole::all() {
            if let Some(value) = message.own_number(total.name).filter(|value| value.is_finite()) {
                (total.set)(&mut whole.totals, value);
            }
        }
        let number = |name| message.own_number(name).map(|number| number as u8);
        whole.sport = number(own::SPORT).map(|sport| (Sport(sport), number(own::SUB_SPORT).map(SubSport)));
        whole
    }
}

/// Everything but the samples of one segment, as claimed.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub file: Option<FileId>,
    pub devices: Vec<Device>,
    pub firmware: Option<String>,
    pub hardware: Option<String>,
    /// What `paceport` wrote of the recorder in words: it wins over `file_id`.
    pub recorder_words: [Option<String>; 5],
    pub activity: Option<ActivityMessage>,
    /// `timestamp_correlation` (162): UTC minus system time, and local minus UTC time, ms.
    pub system_shift: Option<i64>,
    pub local_shift: Option<i64>,
    /// What the clock of the device was set to (`device_settings`, 2): local minus UTC time, ms.
    pub settings_offset: Option<i64>,
    pub laps: Vec<(Span, Lap)>,
    pub sessions: Vec<(Span, Session)>,
    pub lengths: Vec<(Span, Length)>,
    pub sets: Vec<Set>,
    pub splits: Vec<Split>,
    pub timer: Vec<TimerEvent>,
    pub events: Vec<Event>,
    pub rr: Vec<RrInterval>,
    pub heart: Heart,
    /// Positions of `gps_metadata` (160): a camera's track.
    pub gps: Track,
    pub sports: Vec<SportMessage>,
    /// Name and description of the workout.
    pub workout: Option<String>,
    pub description: Option<String>,
    /// Gear, creator, sport label, day, identities on platforms: what files of `paceport` say.
    pub words: [Option<String>; 5],
    /// What files of `paceport` say of the whole beyond what follows from its sessions.
    pub whole: Whole,
    /// `exercise_title` (264): category, number in it, text.
    pub exercises: Vec<(u16, Option<u16>, String)>,
    pub zones: Zones,
    pub athlete: Athlete,
    /// Native fields of summaries that have no place of their own.
    pub fields: Fields,
    /// Developer fields with a place in the model besides those of records.
    values: usize,
    /// Developer fields without a place: undescribed ones, those of lengths, events and the like.
    pub developer_totals: u64,
    /// Messages beyond the bounds of any device.
    pub too_many: u64,
    /// What the segment holds besides `hr` messages.
    pub messages: u64,
}

impl Collector {
    /// True for messages that [`Collector::take`] understands.
    pub fn wants(message: u16) -> bool {
        matches!(
            message,
            number::FILE_ID
                | number::DEVICE_SETTINGS
                | number::FILE_CREATOR
                | number::DEVICE_INFO
                | number::EVENT
                | number::LAP
                | number::SESSION
                | number::LENGTH
                | number::ACTIVITY
                | number::HRV
                | number::BEAT_INTERVALS
                | number::HR
                | number::SPORT
                | number::USER_PROFILE
                | number::ZONES_TARGET
                | number::HR_ZONE
                | number::POWER_ZONE
                | number::TIME_IN_ZONE
                | number::SET
                | number::SPLIT
                | number::EXERCISE_TITLE
                | number::WORKOUT
                | number::GPS_METADATA
                | number::TIMESTAMP_CORRELATION
        )
    }

    /// Takes one message. `time` is its time (a compressed header counts), `last` that of the last record before it.
    pub fn take(&mut self, message: &Message<'_>, time: Option<i64>, last: Option<i64>) {
        self.messages += u64::from(message.definition.message != number::HR);
        if !matches!(message.definition.message, number::LAP | number::SESSION | number::DEVICE_INFO) {
            self.developer_totals += message.foreign().count() as u64;
        }
        match message.definition.message {
            number::FILE_ID => self.file_id(message),
            number::FILE_CREATOR => {
                // Writers without a version fill in 0.
                self.firmware =
                    message.uint::<u32>(0).filter(|version| *version > 0).map(|version| version.to_string());
                self.hardware = message.uint::<u32>(1).map(|version| version.to_string());
            }
            number::DEVICE_INFO => self.device(message),
            number::DEVICE_SETTINGS => {
                // One offset a zone; 0 is what devices write that know none, and no zone is set by odd seconds.
                let zone = message.uint::<u8>(0).unwrap_or(0);
                let seconds = message.numbers(2).nth(zone.into()).flatten().map(|raw| i64::from(raw as u32 as i32));
                self.settings_offset = seconds.filter(|s| *s != 0 && s % 900 == 0).map(|s| s * 1000);
            }
            number::EVENT => self.event(message, time.map(|time| time + message.milliseconds()).or(last)),
            number::LAP => {
                let developer = self.developer_values(message);
                bounded(&mut self.laps, MOST_SPANS, &mut self.too_many, || {
                    let (span, lap) = summary::lap(message);
                    (span, Lap { developer, fields: self.fields.of(message), ..lap })
                });
            }
            number::SESSION => self.session(message),
            number::LENGTH => bounded(&mut self.lengths, MOST_SPANS, &mut self.too_many, || {
                let (span, length) = summary::length(message);
                (span, Length { fields: self.fields.of(message), ..length })
            }),
            number::ACTIVITY => {
                self.activity =
                    Some(ActivityMessage { time, local: message.time(5), timer_s: message.scaled(0, 1000.0, 0.0) });
                let words = [own::GEAR, own::CREATOR, own::SPORT_LABEL, own::DAY, own::PLATFORM_IDS];
                self.words = words.map(|name| message.own_text(name));
                self.whole = Whole::of(message);
            }
            number::HRV => self.intervals(message, 0, last.unwrap_or(NO_TIME), false),
            number::BEAT_INTERVALS => {
                let ms = message.number(0).unwrap_or(0.0) as i64;
                self.intervals(message, 1, time.map_or(NO_TIME, |time| time + ms), true);
            }
            number::HR => self.heart.take(message),
            number::SPORT => bounded(&mut self.sports, MOST_LEGS, &mut self.too_many, || SportMessage {
                sport: message.uint(0).map(Sport),
                sub_sport: message.uint(1).map(SubSport),
                name: message.text(3),
            }),
            number::SET => bounded(&mut self.sets, MOST_SPANS, &mut self.too_many, || Set {
                fields: self.fields.of(message),
                ..summary::set(message)
            }),
            number::SPLIT => {
                if let Some(split) = summary::split(message) {
                    bounded(&mut self.splits, MOST_SPANS, &mut self.too_many, || Split {
                        fields: self.fields.of(message),
                        ..split
                    });
                }
            }
            number::EXERCISE_TITLE => {
                if let (Some(category), Some(text)) = (message.uint(0), message.text(2)) {
                    let title = || (category, message.uint(1), text);
                    bounded(&mut self.exercises, MOST_LEGS, &mut self.too_many, title);
                }
            }
            number::WORKOUT => {
                self.workout = message.text(8).or(self.workout.take());
                self.description = message.text(17).or(self.description.take());
            }
            number::GPS_METADATA => self.gps_metadata(message),
            number::TIMESTAMP_CORRELATION => {
                if let (Some(utc), Some(system)) = (message.timestamp(), message.time(1)) {
                    self.system_shift.get_or_insert(utc - system);
                }
                if let (Some(utc), Some(local)) = (message.timestamp(), message.time(3)) {
                    self.local_shift.get_or_insert(local - utc);
                }
            }
            _ => self.zones_and_athlete(message),
        }
    }

    /// True when the file says that it is of another kind: nothing that follows is of an activity.
    pub fn is_no_activity(&self) -> bool {
        self.file.as_ref().and_then(|file| file.kind).is_some_and(|kind| kind != FILE_ACTIVITY)
    }

    fn file_id(&mut self, message: &Message<'_>) {
        let (manufacturer, product) = (message.uint(1), message.uint(2));
        self.file.get_or_insert(FileId {
            kind: message.uint(0),
            created: message.time(4),
            device: if is_unknown(manufacturer, message.text(8)) {
                Device::default()
            } else {
                Device {
                    manufacturer: manufacturer.and_then(products::manufacturer).map(str::to_owned),
                    manufacturer_id: manufacturer,
                    product: product_name(message.text(8), manufacturer, product),
                    product_id: product,
                    serial: serial(message),
                    ..Device::default()
                }
            },
        });
    }

    /// `device_info` comes several times for each sensor; the last valid value of each field wins.
    fn device(&mut self, message: &Message<'_>) {
        let index: Option<u8> = message.uint(0);
        // Nobody has the manufacturer number 0: a message with it says nothing about maker and product.
        let manufacturer = message.uint(2);
        let (manufacturer, product) =
            if manufacturer == Some(0) { (None, None) } else { (manufacturer, message.uint(4)) };
        if is_unknown(manufacturer, message.text(27)) {
            return;
        }
        let developer = self.developer_values(message);
        let slot = match self.devices.iter().position(|device| device.index == index) {
            Some(slot) if index.is_some() => slot,
            _ if self.devices.len() == MOST_DEVICES => {
                self.too_many += 1;
                return;
            }
            _ => {
                self.devices.push(Device { index, ..Device::default() });
                self.devices.len() - 1
            }
        };
        let device = &mut self.devices[slot];
        let or = |new: Option<String>, old: &mut Option<String>| {
            if new.is_some() {
                *old = new;
            }
        };
        if manufacturer.is_some() {
            device.manufacturer_id = manufacturer;
            device.manufacturer = manufacturer.and_then(products::manufacturer).map(str::to_owned);
        }
        device.product_id = product.or(device.product_id);
        or(product_name(message.text(27), device.manufacturer_id, product), &mut device.product);
        or(serial(message), &mut device.serial);
        or(message.scaled(5, 100.0, 0.0).map(|version| format!("{version:.2}")), &mut device.firmware);
        or(message.uint::<u32>(6).map(|version| version.to_string()), &mut device.hardware);
        device.device_type = message.uint(1).or(device.device_type);
        device.source_type = message.uint(25).or(device.source_type);
        device.battery_status = message.uint(11).or(device.battery_status);
        device.battery_voltage = message.scaled(10, 256.0, 0.0).or(device.battery_voltage);
        device.operating_time_s = message.uint(7).or(device.operating_time_s);
        let words = own::DEVICE_WORDS.map(|name| message.own_text(name));
        for (field, word) in own::device_words(device).into_iter().zip(&words) {
            or(word.clone(), field);
        }
        if index == Some(0) {
            self.recorder_words = words;
        }
        for new in developer {
            match device.developer.iter_mut().find(|known| known.key == new.key) {
                Some(known) => {
                    *known = new;
                    self.values -= 1;
                }
                None => device.developer.push(new),
            }
        }
    }

    /// The developer fields of a lap, session or device.
    fn developer_values(&mut self, message: &Message<'_>) -> Vec<StatedField> {
        let mut values = Vec::new();
        for field in message.foreign().filter(|field| field.size > 0) {
            match message.developer_value(field) {
                Some(_) if self.values == MOST_VALUES => self.too_many += 1,
                Some(value) => {
                    self.values += 1;
                    values.push(value);
                }
                None => self.developer_totals += u64::from(!message.is_described(field)),
            }
        }
        values
    }

    fn event(&mut self, message: &Message<'_>, time: Option<i64>) {
        let (Some(event), Some(event_type), Some(time)) = (message.uint(0), message.uint(1), time) else { return };
        let data: Option<u32> = message.uint(3).or_else(|| message.uint(2));
        match (event, event_type) {
            (TIMER, 0 | 1 | 4 | 8 | 9) => {
                let event = TimerEvent { time, running: event_type == 0, auto: data == Some(1) };
                bounded(&mut self.timer, MOST_EVENTS, &mut self.too_many, || event);
            }
            _ if TOLD_ELSEWHERE.contains(&event) => {}
            _ => {
                let event = Event { time, event, event_type, data, group: message.uint(4) };
                bounded(&mut self.events, MOST_EVENTS, &mut self.too_many, || event);
            }
        }
    }

    /// A session takes its name from its `sport` message (one precedes each) when it has none of its own.
    fn session(&mut self, message: &Message<'_>) {
        let developer = self.developer_values(message);
        bounded(&mut self.sessions, MOST_LEGS, &mut self.too_many, || {
            let (span, session) = summary::session(message);
            (span, Session { developer, fields: self.fields.of(message), ..session })
        });
        for (field, bounds) in [(65, &mut self.zones.heart_rate_seconds), (68, &mut self.zones.power_seconds)] {
            if bounds.is_empty() {
                bounds.extend(message.numbers(field).flatten().map(|ms| (ms / 1000.0) as f32));
            }
        }
    }

    /// R-R intervals: `hrv` has no time of its own; `beat_intervals` starts at its time and runs on.
    fn intervals(&mut self, message: &Message<'_>, field: u8, mut time: i64, runs: bool) {
        for ms in message.numbers(field).flatten().filter(|ms| *ms < 65_535.0) {
            if runs {
                time = time.saturating_add(ms as i64);
            }
            self.rr.push(RrInterval { time, ms: ms as u16 });
        }
    }

    fn gps_metadata(&mut self, message: &Message<'_>) {
        let Some(time) = message.timestamp() else { return };
        self.gps.push(time + message.number(0).unwrap_or(0.0) as i64);
        if let Some((lat, lon)) = message.position(1, 2) {
            self.gps.set_position(lat, lon);
        }
        let channels =
            [(3, 5.0, 500.0, Channel::Altitude), (4, 1000.0, 0.0, Channel::Speed), (5, 100.0, 0.0, Channel::Heading)];
        for (field, scale, offset, channel) in channels {
            if let Some(value) = message.scaled(field, scale, offset) {
                self.gps.set(channel, value as f32);
            }
        }
    }

    fn zones_and_athlete(&mut self, message: &Message<'_>) {
        let zones = &mut self.zones;
        let floats = |field, scale: f64| -> Vec<f32> {
            message.numbers(field).flatten().map(|raw| (raw / scale) as f32).collect()
        };
        match message.definition.message {
            number::USER_PROFILE => {
                self.athlete = Athlete {
                    gender: message.uint(1),
                    age: message.uint(2),
                    height_m: message.scaled(3, 100.0, 0.0),
                    weight_kg: message.scaled(4, 10.0, 0.0),
                    resting_heart_rate: message.uint(8),
                    max_heart_rate: message.uint(11),
                };
            }
            number::ZONES_TARGET => {
                zones.max_heart_rate = message.uint(1).or(zones.max_heart_rate);
                zones.threshold_heart_rate = message.uint(2).or(zones.threshold_heart_rate);
                zones.threshold_power = message.uint(3).or(zones.threshold_power);
            }
            number::HR_ZONE => zones.heart_rate_bounds.extend(message.number(1).map(|bpm| bpm as f32)),
            number::POWER_ZONE => zones.power_bounds.extend(message.number(1).map(|watts| watts as f32)),
            // The whole activity's zones are those of the session; laps have some, too.
            number::TIME_IN_ZONE if message.uint(0).is_none_or(|reference: u16| reference == number::SESSION) => {
                for (field, scale, list) in [
                    (2, 1000.0, &mut zones.heart_rate_seconds),
                    (5, 1000.0, &mut zones.power_seconds),
                    (6, 1.0, &mut zones.heart_rate_bounds),
                    (9, 1.0, &mut zones.power_bounds),
                ] {
                    let stated = floats(field, scale);
                    if !stated.is_empty() && message.uint(1).is_none_or(|session: u16| session == 0) {
                        *list = stated;
                    }
                }
                zones.max_heart_rate = zones.max_heart_rate.or(message.uint(11));
                zones.resting_heart_rate = zones.resting_heart_rate.or(message.uint(12));
                zones.threshold_heart_rate = zones.threshold_heart_rate.or(message.uint(13));
                zones.threshold_power = zones.threshold_power.or(message.uint(15));
            }
            _ => {}
        }
    }
}

/// Adds to a list that has room.
fn bounded<T>(list: &mut Vec<T>, most: usize, too_many: &mut u64, make: impl FnOnce() -> T) {
    if list.len() < most {
        list.push(make());
    } else {
        *too_many += 1;
    }
}

/// Field 3 of `file_id` and `device_info`; some writers give 0 the plain type, for which it would be valid.
fn serial(message: &Message<'_>) -> Option<String> {
    message.uint::<u32>(3).filter(|serial| *serial != 0).map(|serial| serial.to_string())
}

/// True for the recorder that files of `paceport` name when their source named none.
fn is_unknown(manufacturer: Option<u16>, product: Option<String>) -> bool {
    manufacturer == Some(own::MANUFACTURER) && product.as_deref() == Some(own::PRODUCT)
}

fn product_name(stated: Option<String>, manufacturer: Option<u16>, product: Option<u16>) -> Option<String> {
    stated.or_else(|| products::product(manufacturer?, product?).map(str::to_owned))
}
