//! Synthetic activities of all kinds, from a seed: what the writers' promises are tested on.

use std::sync::Arc;

use paceport::fix::{self, SettleOptions};
use paceport::model::{
    Activity, Channel, DeveloperField, Device, Draft, Event, Evidence, ExtraKey, FieldValue, FitField, Intensity, Lap,
    LapTrigger, Length, Pause, Recording, RrInterval, Session, Set, SetKind, Split, Sport, StatedField, Stroke,
    SubSport, Totals, Waypoint,
};

/// Numbers that look random, from a seed (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        if self.one_in(2) { Some(make(self)) } else { None }
    }

    fn text(&mut self) -> String {
        const TEXTS: &[&str] =
            &["Morning Run", "Tour <de> \"Zürich\" & 'zurück'", "跑步 🏃", "two\nlines\tand a tab", "x"];
        TEXTS[self.below(TEXTS.len() as u64) as usize].to_owned()
    }

    fn total(&mut self) -> Option<f64> {
        self.maybe(|dice| dice.below(1_000_000) as f64 / [1.0, 10.0, 1000.0, 7.0][dice.below(4) as usize])
    }

    fn totals(&mut self) -> Totals {
        let mut totals = Totals::default();
        for field in [
            &mut totals.elapsed_s,
            &mut totals.timer_s,
            &mut totals.distance_m,
            &mut totals.calories_kcal,
            &mut totals.ascent_m,
            &mut totals.max_speed,
            &mut totals.avg_heart_rate,
            &mut totals.max_heart_rate,
            &mut totals.avg_cadence,
            &mut totals.avg_power,
            &mut totals.steps,
            &mut totals.training_effect,
            &mut totals.avg_stroke_distance,
        ] {
            *field = self.total();
        }
        totals
    }
}

const START: i64 = 1_714_547_520_000; // 2024-05-01T07:12:00Z

/// A settled activity; every seed gives another mixture of what a recording can hold.
pub fn activity(seed: u64) -> Activity {
    let mut dice = Dice::new(seed);
    let mut draft = Draft::new();
    draft.recording = recording(&mut dice);
    draft.clock.offset_s = dice.maybe(|dice| dice.below(48) as i32 * 1800 - 43_200);
    draft.clock.evidence = if draft.clock.offset_s.is_some() { Evidence::Stated } else { Evidence::None };
    fix::settle(draft, &SettleOptions::default())
}

/// A plain ride: one sample a second with position, altitude, heart rate, cadence, power and speed, one pause.
pub fn ride(samples: i64) -> Activity {
    let mut draft = Draft::new();
    let recording = &mut draft.recording;
    recording.sport = Sport::CYCLING;
    let track = &mut recording.track;
    for i in 0..samples {
        track.push(START + i * 1000 + if i > samples / 2 { 60_000 } else { 0 });
        track.set_position(47.0 + i as f64 * 9.3e-5, 8.5 + (i % 100) as f64 * 1.25e-4);
        track.set_distance(i as f64 * 8.25);
        track.set(Channel::Altitude, 400.0 + (i % 50) as f32 / 5.0);
        track.set(Channel::HeartRate, 120.0 + (i % 40) as f32);
        track.set(Channel::Cadence, (i % 95) as f32);
        track.set(Channel::Power, (i % 300) as f32);
        track.set(Channel::Speed, 8.25 + (i % 7) as f32 / 1000.0);
    }
    let stop = START + samples / 2 * 1000;
    recording.pauses.push(Pause { start: stop, end: stop + 61_000, auto: false });
    fix::settle(draft, &SettleOptions::default())
}

fn recording(dice: &mut Dice) -> Recording {
    let mut recording = Recording {
        sport: [Sport::RUNNING, Sport::CYCLING, Sport::SWIMMING, Sport::GENERIC, Sport(200)][dice.below(5) as usize],
        sub_sport: dice.maybe(|dice| SubSport(dice.below(256) as u8)),
        sport_label: dice.maybe(Dice::text),
        name: dice.maybe(Dice::text),
        description: dice.maybe(Dice::text),
        gear: dice.maybe(Dice::text),
        creator: dice.maybe(Dice::text),
        stated: dice.totals(),
        stated_start: dice.maybe(|dice| START + dice.below(2000) as i64),
        created: dice.maybe(|dice| START + dice.below(100_000_000) as i64),
        ..Recording::default()
    };
    if dice.one_in(8) {
        // A workout of which only the day is known.
        recording.stated_start = None;
        recording.day = Some("2024-05-01".into());
        return recording;
    }
    samples(dice, &mut recording);
    parts(dice, &mut recording);
    recording
}

fn samples(dice: &mut Dice, recording: &mut Recording) {
    let count = [0, 1, 40, 400][dice.below(4) as usize];
    let positions = dice.below(3); // none, all, some
    let untimed = dice.one_in(6);
    let channels: Vec<Channel> = Channel::ALL.iter().copied().filter(|_| dice.one_in(5)).collect();
    let mut channels = channels;
    channels.extend(
        [Channel::HeartRate, Channel::Cadence, Channel::Power, Channel::Altitude].iter().filter(|_| dice.one_in(2)),
    );
    let extras = dice.below(3) as u8;
    let track = &mut recording.track;
    let slots: Vec<usize> = (0..extras)
        .map(|i| {
            let fit = match i {
                0 => Some(FitField::Developer(DeveloperField {
                    index: i,
                    number: 7,
                    base_type: 0x88,
                    scale: 1.0,
                    application: Some([i; 16]),
                    native_field: Some(3),
                    ..DeveloperField::default()
                })),
                _ => None,
            };
            track.extra_slot(ExtraKey { name: "Form Power".into(), unit: "Watts".into(), fit })
        })
        .collect();
    let (mut time, mut lat, mut lon) = (START, 47.0 + dice.below(1 << 20) as f64 * 1e-7, 179.999_9);
    for row in 0..count {
        time += [0, 1000, 1000, 1000, 1500, 60_000][dice.below(6) as usize];
        if untimed && dice.one_in(3) {
            track.push_untimed(START);
        } else {
            track.push(time);
        }
        if positions == 1 || positions == 2 && dice.one_in(2) {
            // FIT's semicircles, decimals of seven places, and the antimeridian.
            lat += dice.below(200) as f64 * 180.0 / 2_147_483_648.0;
            lon = if lon >= 180.0 { -179.999_9 } else { (lon + dice.below(300) as f64 * 1e-7).min(180.0) };
            track.set_position(lat, lon);
        }
        if dice.one_in(2) {
            track.set_distance(row as f64 * 2.75 + dice.below(100) as f64 / 128.0);
        }
        for &channel in &channels {
            if dice.one_in(4) {
                continue;
            }
            let info = channel.info();
            let span = f64::from((info.high - info.low).min(300.0));
            let value = f64::from(info.low) + dice.below(1 << 16) as f64 / 65_535.0 * span;
            let places = [1.0, 1.0, 10.0, 1e4][dice.below(4) as usize];
            let value = if dice.one_in(6) { 0.0 } else { (value * places).round() / places };
            track.set(channel, value as f32);
        }
        for &slot in &slots {
            if dice.one_in(2) {
                track.set_extra(slot, dice.next() as f64 / [1.0, 3.0, 1e18][dice.below(3) as usize]);
            }
        }
    }
}

fn parts(dice: &mut Dice, recording: &mut Recording) {
    let end = recording.track.times().last().copied().unwrap_or(START + 60_000);
    let span = (end - START).max(1000);
    let legs = [0, 1, 3, 5][dice.below(4) as usize];
    let at = |i: u64, n: u64| START + span * i as i64 / n.max(1) as i64;
    for i in 0..legs {
        recording.sessions.push(Session {
            start: at(i, legs),
            end: at(i + 1, legs),
            sport: [Sport::RUNNING, Sport::TRANSITION, Sport::CYCLING, Sport::HIKING][dice.below(4) as usize],
            sub_sport: dice.maybe(|dice| SubSport(dice.below(60) as u8)),
            name: dice.maybe(Dice::text),
            totals: dice.totals(),
            laps: dice.maybe(|dice| dice.below(9) as u16),
            pool_length_m: dice.maybe(|_| 22.86),
            pool_in_yards: dice.one_in(2),
            rpe: dice.maybe(|_| 6.5),
            developer: developer_values(dice),
            fields: native_values(dice),
            ..Session::default()
        });
    }
    let laps = dice.below(6);
    for i in 0..laps {
        recording.laps.push(Lap {
            start: at(i, laps),
            end: at(i + 1, laps),
            totals: dice.totals(),
            trigger: [None, Some(LapTrigger::Position), Some(LapTrigger::Time), Some(LapTrigger::Other(40))]
                [dice.below(4) as usize],
            intensity: [None, Some(Intensity::Rest), Some(Intensity::Warmup)][dice.below(3) as usize],
            name: dice.maybe(Dice::text),
            start_position: dice.maybe(|dice| (dice.below(90) as f64 / 7.0, -12.5)),
            developer: developer_values(dice),
            fields: native_values(dice),
            ..Lap::default()
        });
    }
    for i in 0..dice.below(4) {
        let start = at(2 * i + 1, 9);
        recording.pauses.push(Pause { start, end: start + dice.below(90) as i64 * 1000, auto: dice.one_in(2) });
        recording.lengths.push(Length {
            start,
            end: start + 30_000,
            active: i > 0,
            strokes: Some(14),
            fields: native_values(dice),
            ..Length::default()
        });
        recording.sets.push(Set {
            start: dice.maybe(|_| start),
            exercise: dice.maybe(Dice::text),
            kind: SetKind::Drop,
            fields: native_values(dice),
            ..Set::default()
        });
        recording.events.push(Event { time: start, event: 32, event_type: 3, data: Some(9), group: None });
        recording.splits.push(Split {
            kind: Some(17),
            start,
            end: start + 5,
            totals: dice.totals(),
            fields: native_values(dice),
        });
        recording
            .rr
            .extend((0..dice.below(50)).map(|n| RrInterval { time: start + n as i64 * 900, ms: 890 + n as u16 }));
        recording.devices.push(Device {
            index: Some(i as u8),
            product: dice.maybe(Dice::text),
            manufacturer: Some("garmin".into()),
            product_id: Some(3121),
            serial: dice.maybe(|dice| (dice.next() as u32).to_string()),
            firmware: Some("9.75".into()),
            battery_voltage: Some(3.97),
            developer: developer_values(dice),
            ..Device::default()
        });
        recording.waypoints.push(Waypoint {
            lat: 47.25,
            lon: 180.0,
            name: dice.maybe(Dice::text),
            ..Waypoint::default()
        });
        recording.platform_ids.push(("strava".into(), dice.next().to_string()));
    }
    if let Some(lap) = recording.laps.first_mut() {
        lap.stroke = Some(Stroke(1));
    }
    if dice.one_in(2) {
        recording.zones.heart_rate_bounds = vec![99.5, 120.0, 140.0];
        recording.athlete.weight_kg = Some(71.25);
    }
}

/// Developer fields of a lap, a leg or a device: a number, an array with a gap, a text.
fn developer_values(dice: &mut Dice) -> Vec<StatedField> {
    let field = |number, base_type, scale, name: &str| {
        let field = DeveloperField { number, base_type, scale, application: Some([9; 16]), ..Default::default() };
        Arc::new(ExtraKey { name: name.into(), unit: "W".into(), fit: Some(FitField::Developer(field)) })
    };
    let mut values = Vec::new();
    if dice.one_in(2) {
        let number = FieldValue::Number(dice.below(1000) as f64 / 10.0);
        values.push(StatedField { key: field(0, 0x84, 10.0, "Lap Power"), value: number });
    }
    if dice.one_in(3) {
        let numbers = vec![None, Some(dice.below(1000) as f64 / 8.0), None, Some(-0.5)];
        values.push(StatedField { key: field(1, 0x88, 1.0, "Pace"), value: FieldValue::Numbers(numbers) });
    }
    let text = dice.text();
    if dice.one_in(3) && !text.is_empty() {
        values.push(StatedField { key: field(2, 0x07, 1.0, "id"), value: FieldValue::Text(text) });
    }
    values
}

/// Native fields of a summary that no profile names: a number, an array with gaps, a text.
fn native_values(dice: &mut Dice) -> Vec<StatedField> {
    let field = |number, base_type| {
        let fit = FitField::Native { number, base_type, scale: 1.0, offset: 0.0 };
        Arc::new(ExtraKey { name: format!("field_{number}"), unit: String::new(), fit: Some(fit) })
    };
    let mut values = Vec::new();
    if dice.one_in(2) {
        values.push(StatedField { key: field(230, 0x84), value: FieldValue::Number(dice.below(65_535) as f64) });
    }
    if dice.one_in(3) {
        let numbers = vec![None, Some(dice.below(1000) as f64 / 8.0), None];
        values.push(StatedField { key: field(231, 0x88), value: FieldValue::Numbers(numbers) });
    }
    let text = dice.text();
    if dice.one_in(3) && !text.is_empty() {
        values.push(StatedField { key: field(232, 0x07), value: FieldValue::Text(text) });
    }
    values
}
