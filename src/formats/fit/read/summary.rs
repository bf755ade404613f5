//! Messages about spans of an activity: laps, sessions, lengths, sets, splits.

use super::definition::Message;
use crate::formats::fit::own;
use crate::formats::fit::profile::{FRACTIONAL_CADENCE, FRACTIONAL_CLIMB, TOTALS, message};
use crate::model::{Intensity, Lap, LapTrigger, Length, Session, Set, SetKind, Split, Sport, Stroke, SubSport, Totals};

const MESSAGE_INDEX: u8 = 254;

/// A span with its claimed times; start or end may be missing and is settled when everything is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    pub start: Option<i64>,
    /// When the summary was written; the end only when nothing better is stated.
    pub written: Option<i64>,
    pub elapsed_s: Option<f64>,
}

impl Span {
    /// End: start plus stated elapsed time.
    pub fn end(&self) -> Option<i64> {
        Some(self.start? + (self.elapsed_s? * 1000.0).round() as i64)
    }
}

fn span(message: &Message<'_>, start: u8, elapsed: Option<f64>) -> Span {
    Span { start: message.fine_time(start), written: message.timestamp(), elapsed_s: elapsed }
}

/// Totals of a lap or session by the profile's table.
fn totals(message: &Message<'_>) -> Totals {
    let session = message.definition.message == message::SESSION;
    let pick = |(of_session, of_lap): (u8, u8)| if session { of_session } else { of_lap };
    let mut totals = Totals::default();
    for row in TOTALS {
        let number = if session { row.session } else { row.lap };
        if let Some(value) = number.and_then(|number| message.scaled(number, row.scale, row.offset)) {
            (row.set)(&mut totals, value);
        }
    }
    let [avg, max] = FRACTIONAL_CADENCE.map(|fields| message.scaled(pick(fields), 128.0, 0.0).unwrap_or(0.0));
    totals.avg_cadence = totals.avg_cadence.map(|whole| whole + avg);
    totals.max_cadence = totals.max_cadence.map(|whole| whole + max);
    let [up, down] = FRACTIONAL_CLIMB.map(|fields| message.scaled(pick(fields), 100.0, 0.0).unwrap_or(0.0));
    totals.ascent_m = totals.ascent_m.map(|whole| whole + up);
    totals.descent_m = totals.descent_m.map(|whole| whole + down);
    // Bit 15: the percentage (times 100, bits 0 to 13) is the right side's; without it the side is unknown.
    let balance: Option<u16> = message.uint(pick((37, 34)));
    totals.left_right_balance = balance.filter(|b| b & 0x8000 != 0).map(|b| f64::from(b & 0x3FFF) / 100.0);
    totals
}

/// `lap` (19).
pub(super) fn lap(message: &Message<'_>) -> (Span, Lap) {
    let totals = totals(message);
    let lap = Lap {
        trigger: message.uint(24).map(|number: u8| match number {
            0 => LapTrigger::Manual,
            1 => LapTrigger::Time,
            2 => LapTrigger::Distance,
            3..=6 => LapTrigger::Position,
            7 => LapTrigger::SessionEnd,
            8 => LapTrigger::FitnessEquipment,
            other => LapTrigger::Other(other),
        }),
        intensity: message.uint(23).map(|number: u8| match number {
            0 => Intensity::Active,
            1 => Intensity::Rest,
            2 => Intensity::Warmup,
            3 => Intensity::Cooldown,
            4 => Intensity::Recovery,
            5 => Intensity::Interval,
            other => Intensity::Other(other),
        }),
        sport: message.uint(25).map(Sport),
        sub_sport: message.uint(39).map(SubSport),
        start_position: message.position(3, 4),
        end_position: message.position(5, 6),
        stroke: message.uint(38).map(Stroke),
        first_length: message.uint(35),
        lengths: message.uint(32),
        active_lengths: message.uint(40),
        workout_step: message.uint(71),
        name: message.own_text(own::NAME),
        ..Lap::default()
    };
    (span(message, 2, totals.elapsed_s.or(totals.timer_s)), Lap { totals, ..lap })
}

/// `session` (18).
pub(super) fn session(message: &Message<'_>) -> (Span, Session) {
    let totals = totals(message);
    let session = Session {
        sport: message.uint(5).map_or(Sport::GENERIC, Sport),
        sub_sport: message.uint(6).map(SubSport),
        name: message.text(110),
        trigger: message.uint(28),
        start_position: message.position(3, 4),
        first_lap: message.uint(25),
        laps: message.uint(26),
        pool_length_m: message.scaled(44, 100.0, 0.0),
        pool_in_yards: message.number(46) == Some(1.0),
        stroke: message.uint(43).map(Stroke),
        lengths: message.uint(33),
        active_lengths: message.uint(47),
        feel: message.uint(192),
        // FIT counts tenths: 0 to 100.
        rpe: message.scaled(193, 10.0, 0.0).map(|rpe| rpe as f32),
        ..Session::default()
    };
    (span(message, 2, totals.elapsed_s.or(totals.timer_s)), Session { totals, ..session })
}

/// `length` (101).
pub(super) fn length(message: &Message<'_>) -> (Span, Length) {
    let length = Length {
        elapsed_s: message.scaled(3, 1000.0, 0.0),
        timer_s: message.scaled(4, 1000.0, 0.0),
        strokes: message.uint(5),
        avg_speed: message.scaled(6, 1000.0, 0.0),
        avg_cadence: message.number(9),
        stroke: message.uint(7).map(Stroke),
        calories_kcal: message.number(11),
        active: message.number(12) != Some(0.0),
        ..Length::default()
    };
    (span(message, 2, length.elapsed_s.or(length.timer_s)), length)
}

/// `set` (225): its timestamp is field 254, its message index field 10.
pub(super) fn set(message: &Message<'_>) -> Set {
    let word = message.own_text(own::KIND);
    let rest = message.number(5) == Some(0.0);
    let kind = own::SET_KINDS.iter().find(|(_, known)| word.as_deref() == Some(*known)).map(|(kind, _)| *kind);
    // A device that guesses lists several categories, the likeliest first, each with the subtype of the same place.
    let category = message.numbers(7).enumerate().find_map(|(place, number)| Some((place, number?)));
    let subtype = category.and_then(|(place, _)| message.numbers(8).nth(place).flatten());
    let whole = |number: f64| (0.0..65_535.0).contains(&number).then_some(number as u16);
    Set {
        start: message.fine_time(6).or_else(|| message.time(MESSAGE_INDEX)),
        duration_s: message.scaled(0, 1000.0, 0.0),
        exercise: message.own_text(own::EXERCISE),
        category: category.and_then(|(_, number)| whole(number)),
        category_subtype: subtype.and_then(whole),
        repetitions: message.uint(3),
        weight_kg: message.scaled(4, 16.0, 0.0),
        distance_m: message.own_number(own::DISTANCE),
        rpe: message.own_number(own::RPE),
        kind: kind.unwrap_or(if rest { SetKind::Rest } else { SetKind::Active }),
        note: message.own_text(own::NOTE),
        fields: Vec::new(),
    }
}

/// `split` (312).
pub(super) fn split(message: &Message<'_>) -> Option<Split> {
    let elapsed_s = message.scaled(1, 1000.0, 0.0);
    let start = message.fine_time(9).or_else(|| message.timestamp())?;
    Some(Split {
        kind: message.uint(0),
        start,
        end: message.time(27).unwrap_or_else(|| start + (elapsed_s.unwrap_or(0.0) * 1000.0).round() as i64),
        totals: Totals {
            elapsed_s,
            timer_s: message.scaled(2, 1000.0, 0.0),
            moving_s: message.scaled(110, 1000.0, 0.0),
            distance_m: message.scaled(3, 100.0, 0.0),
            calories_kcal: message.number(28),
            ascent_m: message.number(13),
            descent_m: message.number(14),
            avg_speed: message.scaled(4, 1000.0, 0.0),
            max_speed: message.scaled(25, 1000.0, 0.0),
            avg_heart_rate: message.number(15),
            max_heart_rate: message.number(16),
            min_heart_rate: message.number(124),
            avg_cadence: message.scaled(29, 128.0, 0.0),
            max_cadence: message.scaled(30, 128.0, 0.0),
            avg_power: message.number(40),
            max_power: message.number(41),
            normalized_power: message.number(42),
            avg_temperature: message.number(32),
            max_temperature: message.number(33),
            cycles: message.number(31),
            ..Totals::default()
        },
        fields: Vec::new(),
    })
}
