//! The messages at the head of an activity file: who made it, with which devices, for whom.

use super::super::base::Base;
use super::super::profile::{FILE_ACTIVITY, message};
use super::super::{own, products};
use super::Writing;
use super::developer::Registry;
use super::encode::cut;
use super::frame::Frame;
use super::summary::words;
use crate::model::{Activity, Device};

/// `device_index` of the recorder.
const CREATOR: u8 = 0;
/// Firmware versions are stored in hundredths.
const VERSION_SCALE: f64 = 100.0;

/// `file_id`, the first message, and `file_creator`.
pub fn file_id(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    let created = writing.seconds(activity.created.unwrap_or(frame.start));
    let device = activity.device();
    let maker = manufacturer(device);
    writing
        .encoder
        .begin(message::FILE_ID)
        .code(0, Some(FILE_ACTIVITY))
        .raw(1, Base::Uint16, Some(maker.unwrap_or(own::MANUFACTURER)))
        .raw(2, Base::Uint16, Some(device.map_or(0, product)))
        .raw(3, Base::Uint32z, device.and_then(serial))
        .raw(4, Base::Uint32, Some(created))
        .text(8, product_name(device).as_deref())
        .end();
    writing
        .encoder
        .begin(message::FILE_CREATOR)
        .raw(0, Base::Uint16, Some(device.and_then(creator_version).unwrap_or(0)))
        .raw(1, Base::Uint8, device.and_then(hardware))
        .end();
    for (at, device) in activity.devices.iter().enumerate() {
        writing.lost_serials += u64::from(device.serial.is_some() && serial(device).is_none());
        writing.lost_versions += u64::from(!is_version(device, at == 0))
            + u64::from(device.hardware.is_some() && hardware(device).is_none());
    }
}

/// Developer fields of our own that the summaries of this activity need.
pub fn own_fields(activity: &Activity, frame: &Frame, registry: &mut Registry) {
    let sets = &activity.sets;
    let texts = [
        (own::NAME, activity.laps.iter().any(|lap| lap.name.is_some())),
        (own::KIND, sets.iter().any(|set| own::SET_KINDS.iter().any(|(kind, _)| *kind == set.kind))),
        (own::EXERCISE, sets.iter().any(|set| set.exercise.is_some() && set.category.is_none())),
        (own::NOTE, sets.iter().any(|set| set.note.is_some())),
    ];
    let words = words(activity).map(|(name, text)| (name, text.is_some()));
    let devices = activity.devices.iter().enumerate().flat_map(|(at, device)| own_words(device, at == 0));
    let devices = devices.map(|(name, text)| (name, text.is_some()));
    for (name, _) in texts.into_iter().chain(words).chain(devices).filter(|(_, needed)| *needed) {
        registry.own(name, "", Base::String);
    }
    for (name, _) in &frame.totals {
        registry.own(name, "", Base::Float64);
    }
    if let Some((_, sub_sport)) = frame.sport {
        registry.own(own::SPORT, "", Base::Uint8);
        if sub_sport.is_some() {
            registry.own(own::SUB_SPORT, "", Base::Uint8);
        }
    }
    if sets.iter().any(|set| set.distance_m.is_some()) {
        registry.own(own::DISTANCE, "m", Base::Float64);
    }
    if sets.iter().any(|set| set.rpe.is_some()) {
        registry.own(own::RPE, "", Base::Float64);
    }
}

/// `device_info`: the recorder as device 0, then sensors.
pub fn devices(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    let time = writing.seconds(frame.start);
    let unknown = Device::default();
    let mut taken = vec![CREATOR];
    let sensors = activity.devices.iter().skip(1).map(Some);
    for (at, named) in std::iter::once(activity.device()).chain(sensors).enumerate() {
        let device = named.unwrap_or(&unknown);
        let free = |index: &u8| !taken.contains(index);
        let index = if at == 0 { Some(CREATOR) } else { device.index.filter(free).or_else(|| (1..=254).find(free)) };
        let Some(index) = index else { continue };
        taken.push(index);
        let maker = manufacturer(Some(device)).or((at == 0).then_some(own::MANUFACTURER));
        writing
            .encoder
            .begin(message::DEVICE_INFO)
            .raw(253, Base::Uint32, Some(time))
            .raw(0, Base::Uint8, Some(index))
            .raw(1, Base::Uint8, device.device_type)
            .raw(2, Base::Uint16, maker)
            .raw(3, Base::Uint32z, serial(device))
            .raw(4, Base::Uint16, device.product_id.map(|_| product(device)).or((at == 0).then_some(0)))
            .scaled_if_it_fits(5, Base::Uint16, 1.0, 0.0, version(device));
        writing
            .encoder
            .raw(6, Base::Uint8, hardware(device))
            .raw(7, Base::Uint32, device.operating_time_s)
            .scaled(10, Base::Uint16, 256.0, 0.0, device.battery_voltage)
            .raw(11, Base::Uint8, device.battery_status)
            .code(25, device.source_type)
            .text(27, product_name(named).as_deref());
        for (name, text) in own_words(device, at == 0) {
            writing.own_text(name, text);
        }
        writing.developer_values(&device.developer);
        writing.encoder.end();
    }
}

/// What a device says in words, where the reader would not find it in the native fields.
fn own_words(device: &Device, recorder: bool) -> [(&'static str, Option<&str>); 5] {
    let maker = manufacturer(Some(device));
    let version = version(device).map(|version| format!("{:.2}", version / VERSION_SCALE));
    let plain = || creator_version(device).filter(|version| recorder && *version > 0).map(|plain| plain.to_string());
    let known = || products::product(maker?, product(device));
    let mut native = Device {
        manufacturer: maker.and_then(products::manufacturer).map(str::to_owned),
        product: product_name(Some(device)).or_else(|| known().map(str::to_owned)),
        serial: serial(device).filter(|serial| *serial > 0).map(|serial| serial.to_string()),
        firmware: version.or_else(plain),
        hardware: hardware(device).map(|hardware| hardware.to_string()),
        ..Device::default()
    };
    let stated = [&device.manufacturer, &device.product, &device.serial, &device.firmware, &device.hardware];
    let mut words = own::DEVICE_WORDS.map(|name| (name, None));
    for ((word, stated), native) in words.iter_mut().zip(stated).zip(own::device_words(&mut native)) {
        word.1 = stated.as_deref().filter(|stated| native.as_deref() != Some(*stated));
    }
    words
}

fn manufacturer(device: Option<&Device>) -> Option<u16> {
    let device = device?;
    let number = device.manufacturer_id.filter(|number| *number != u16::MAX);
    number.or_else(|| products::manufacturer_number(device.manufacturer.as_deref()?))
}

/// Product number; 0 when it is not known.
fn product(device: &Device) -> u16 {
    device.product_id.filter(|product| *product != u16::MAX).unwrap_or(0)
}

fn serial(device: &Device) -> Option<u32> {
    device.serial.as_deref()?.parse().ok()
}

fn hardware(device: &Device) -> Option<u8> {
    device.hardware.as_deref()?.parse().ok().filter(|version| *version != u8::MAX)
}

/// Firmware version in hundredths, as `device_info` holds it. Of the numbers of TCX (`2.50.0.0`) the first two are those
/// of a Garmin device's version 2.50.
fn version(device: &Device) -> Option<f64> {
    let firmware = device.firmware.as_deref().filter(|firmware| firmware.contains('.'))?;
    let mut numbers = firmware.split('.').map(|number| number.parse::<u16>().ok());
    let version = match (numbers.next()??, numbers.next()??, numbers.next()) {
        (major, minor @ 0..100, Some(_)) => f64::from(major) * VERSION_SCALE + f64::from(minor),
        (_, _, Some(_)) => return None,
        _ => (firmware.parse::<f64>().ok()? * VERSION_SCALE).round(),
    };
    Some(version).filter(|version| (0.0..65_535.0).contains(version))
}

/// True when a native field says all of the version: `major.minor`, with a build of 0, or of the recorder a plain number.
fn is_version(device: &Device, recorder: bool) -> bool {
    let Some(firmware) = device.firmware.as_deref() else { return true };
    let numbers: Option<Vec<u16>> = firmware.split('.').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([_]) => recorder,
        Some([_, 0..100, build @ ..]) => version(device).is_some() && build.iter().all(|number| *number == 0),
        _ => false,
    }
}

/// Software version of `file_creator`: a plain number; devices store the same hundredths there.
fn creator_version(device: &Device) -> Option<u16> {
    let plain = || device.firmware.as_deref()?.parse().ok();
    version(device).map(|version| version as u16).or_else(plain)
}

/// The product in words, where its number does not say it, behind a manufacturer that has no number.
fn product_name(device: Option<&Device>) -> Option<String> {
    let Some(device) = device else { return Some(own::PRODUCT.into()) };
    let number = manufacturer(Some(device));
    let known = number.zip(device.product_id).and_then(|(maker, product)| products::product(maker, product));
    let product = device.product.as_deref().filter(|name| Some(*name) != known);
    let maker = device.manufacturer.as_deref().filter(|_| number.is_none());
    match (maker, product) {
        (Some(maker), Some(product)) if !product.starts_with(maker) => Some(format!("{maker} {product}")),
        (maker, product) => product.or(maker).map(str::to_owned),
    }
}

/// `user_profile` and zones.
pub fn person(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    let (athlete, zones) = (&activity.athlete, &activity.zones);
    let encoder = &mut writing.encoder;
    if *athlete != Default::default() {
        encoder
            .begin(message::USER_PROFILE)
            .code(1, athlete.gender)
            .raw(2, Base::Uint8, athlete.age)
            .scaled(3, Base::Uint8, 100.0, 0.0, athlete.height_m)
            .scaled(4, Base::Uint16, 10.0, 0.0, athlete.weight_kg)
            .raw(8, Base::Uint8, athlete.resting_heart_rate)
            .raw(11, Base::Uint8, athlete.max_heart_rate)
            .end();
    }
    if zones.max_heart_rate.is_some() || zones.threshold_heart_rate.is_some() || zones.threshold_power.is_some() {
        encoder
            .begin(message::ZONES_TARGET)
            .raw(1, Base::Uint8, zones.max_heart_rate)
            .raw(2, Base::Uint8, zones.threshold_heart_rate)
            .raw(3, Base::Uint16, zones.threshold_power)
            .end();
    }
    for (global, base, bounds) in [
        (message::HR_ZONE, Base::Uint8, &zones.heart_rate_bounds),
        (message::POWER_ZONE, Base::Uint16, &zones.power_bounds),
    ] {
        for (index, bound) in bounds.iter().enumerate() {
            let index = index.min(0x0FFF) as u16;
            encoder
                .begin(global)
                .raw(254, Base::Uint16, Some(index))
                .scaled(1, base, 1.0, 0.0, Some(f64::from(*bound)))
                .end();
        }
    }
    name(writing, activity, frame);
    sports(writing, frame);
}

/// FIT has no name of an activity; programs show that of the `workout`.
fn name(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    if activity.name.is_none() && activity.description.is_none() {
        return;
    }
    let texts = [&activity.name, &activity.description].map(|text| text.as_deref().map(str::trim_end));
    writing.lost_texts += texts.iter().flatten().filter(|text| cut(text).len() < text.len()).count() as u64;
    writing
        .encoder
        .begin(message::WORKOUT)
        .code(4, frame.sessions.first().map(|session| session.sport.0))
        .text(8, texts[0])
        .text(17, texts[1])
        .end();
}

/// `sport`, when there is only one; the sessions of a multisport recording say theirs.
fn sports(writing: &mut Writing<'_>, frame: &Frame) {
    if let [session] = &frame.sessions[..] {
        writing
            .encoder
            .begin(message::SPORT)
            .code(0, Some(session.sport.0))
            .code(1, Some(session.sub_sport.map_or(0, |sub_sport| sub_sport.0)))
            .text(3, session.name.as_deref())
            .end();
    }
}

/// `time_in_zone` of the first session.
pub fn time_in_zones(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    let zones = &activity.zones;
    if zones.heart_rate_seconds.is_empty() && zones.power_seconds.is_empty() && zones.resting_heart_rate.is_none() {
        return;
    }
    let end = writing.seconds(frame.end);
    let list = |values: &[f32]| -> Vec<Option<f64>> { values.iter().map(|v| Some(f64::from(*v))).collect() };
    writing
        .encoder
        .begin(message::TIME_IN_ZONE)
        .raw(253, Base::Uint32, Some(end))
        .raw(0, Base::Uint16, Some(message::SESSION))
        .raw(1, Base::Uint16, Some(0))
        .array(2, Base::Uint32, 1000.0, &list(&zones.heart_rate_seconds))
        .array(5, Base::Uint32, 1000.0, &list(&zones.power_seconds))
        .array(6, Base::Uint8, 1.0, &list(&zones.heart_rate_bounds))
        .array(9, Base::Uint16, 1.0, &list(&zones.power_bounds))
        .raw(11, Base::Uint8, zones.max_heart_rate)
        .raw(12, Base::Uint8, zones.resting_heart_rate)
        .raw(13, Base::Uint8, zones.threshold_heart_rate)
        .raw(15, Base::Uint16, zones.threshold_power)
        .end();
}
