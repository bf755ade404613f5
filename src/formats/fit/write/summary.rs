//! The summaries at the end of an activity file: lengths, laps, sets, splits, sessions, activity.

use super::super::base::Base;
use super::super::own;
use super::super::profile::{FRACTIONAL_CADENCE, FRACTIONAL_CLIMB, TOTALS, TotalField, message};
use super::Writing;
use super::encode::Encoder;
use super::frame::Frame;
use crate::formats::own::{Part, Value};
use crate::model::{Activity, Intensity, Lap, LapTrigger, Length, Session, Set, SetKind, Split, Sport, Totals};

/// FIT `event` numbers of the summaries, and the type that closes them.
const SESSION_EVENT: u8 = 8;
const LAP_EVENT: u8 = 9;
const ACTIVITY_EVENT: u8 = 26;
const LENGTH_EVENT: u8 = 28;
const STOP: u8 = 1;

/// Writes all summaries.
pub fn write(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    for (index, length) in activity.lengths.iter().enumerate() {
        write_length(writing, index, length);
    }
    for (index, lap) in frame.laps.iter().enumerate() {
        let derived = activity.laps.is_empty();
        quietly(writing, derived, |writing| write_lap(writing, index, lap));
    }
    write_sets(writing, activity);
    for (index, split) in activity.splits.iter().enumerate() {
        write_split(writing, index, split);
    }
    for (index, session) in frame.sessions.iter().enumerate() {
        let end_position = activity.track.positions().last().filter(|_| frame.derived).map(|(_, position)| position);
        quietly(writing, frame.derived, |writing| write_session(writing, index, session, end_position));
    }
    write_activity(writing, activity, frame);
}

/// Does not count what is left out of a derived summary: the source said nothing that could be lost.
fn quietly(writing: &mut Writing<'_>, derived: bool, write: impl FnOnce(&mut Writing<'_>)) {
    let counted = (writing.encoder.out_of_range.clone(), writing.lost_totals);
    write(writing);
    if derived {
        (writing.encoder.out_of_range, writing.lost_totals) = counted;
    }
}

/// Starts a summary with its index, time of its end, and start.
fn begin(writing: &mut Writing<'_>, global: u16, index: usize, start: i64, end: i64) {
    let (start, end) = (writing.seconds(start), writing.seconds(end));
    writing
        .encoder
        .begin(global)
        .raw(254, Base::Uint16, Some(index.min(0x0FFF) as u16))
        .raw(253, Base::Uint32, Some(end))
        .raw(2, Base::Uint32, Some(start));
}

fn write_lap(writing: &mut Writing<'_>, index: usize, lap: &Lap) {
    begin(writing, message::LAP, index, lap.start, lap.end);
    writing
        .encoder
        .code(0, Some(LAP_EVENT))
        .code(1, Some(STOP))
        .position(3, 4, lap.start_position)
        .position(5, 6, lap.end_position)
        .code(24, lap.trigger.and_then(trigger_number))
        .code(23, lap.intensity.map(intensity_number))
        .code(25, lap.sport.map(|sport| sport.0))
        .code(39, lap.sub_sport.map(|sub_sport| sub_sport.0))
        .code(38, lap.stroke.map(|stroke| stroke.0))
        .raw(35, Base::Uint16, lap.first_length)
        .raw(32, Base::Uint16, lap.lengths)
        .raw(40, Base::Uint16, lap.active_lengths)
        .raw(71, Base::Uint16, lap.workout_step);
    totals(writing, &lap.totals, Kind::Lap, lap.sport);
    writing.native_values(message::LAP, &lap.fields);
    writing.milliseconds(lap.start);
    writing.own_text(own::NAME, lap.name.as_deref());
    writing.developer_values(&lap.developer);
    writing.encoder.end();
    writing.lost_triggers += u64::from(lap.trigger == Some(LapTrigger::HeartRate));
}

fn write_session(writing: &mut Writing<'_>, index: usize, session: &Session, end_position: Option<(f64, f64)>) {
    begin(writing, message::SESSION, index, session.start, session.end);
    writing
        .encoder
        .code(0, Some(SESSION_EVENT))
        .code(1, Some(STOP))
        .position(3, 4, session.start_position)
        .position(38, 39, end_position)
        .code(5, Some(session.sport.0).filter(|sport| *sport != 255).or(Some(0)))
        .code(6, Some(session.sub_sport.map_or(0, |sub_sport| sub_sport.0)))
        .text(110, session.name.as_deref())
        .raw(25, Base::Uint16, session.first_lap)
        .raw(26, Base::Uint16, session.laps)
        .code(28, session.trigger)
        .scaled(44, Base::Uint16, 100.0, 0.0, session.pool_length_m)
        .code(46, session.pool_length_m.map(|_| u8::from(session.pool_in_yards)))
        .code(43, session.stroke.map(|stroke| stroke.0))
        .raw(33, Base::Uint16, session.lengths)
        .raw(47, Base::Uint16, session.active_lengths)
        .raw(192, Base::Uint8, session.feel)
        .scaled(193, Base::Uint8, 10.0, 0.0, session.rpe.map(f64::from));
    totals(writing, &session.totals, Kind::Session, Some(session.sport));
    writing.native_values(message::SESSION, &session.fields);
    writing.milliseconds(session.start);
    writing.developer_values(&session.developer);
    writing.encoder.end();
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Lap,
    Session,
}

/// The totals of a lap or session.
fn totals(writing: &mut Writing<'_>, totals: &Totals, kind: Kind, sport: Option<Sport>) {
    let encoder = &mut writing.encoder;
    let pick = |(session, lap): (u8, u8)| if kind == Kind::Session { session } else { lap };
    for (at, field) in TOTALS.iter().enumerate() {
        let value = (field.get)(totals);
        let Some(number) = (if kind == Kind::Session { field.session } else { field.lap }) else {
            writing.lost_totals += u64::from(value.is_some());
            continue;
        };
        let fraction = FRACTIONS.iter().find(|fraction| pick(fraction.whole) == number);
        if let Some(fraction) = fraction {
            // Rounded to the steps of the fraction first, so that a carry reaches the whole.
            let steps = value.map(|value| (value * fraction.steps).round());
            let whole = steps.map(|steps| (steps / fraction.steps).trunc());
            let rest = steps.map(|steps| steps % fraction.steps).filter(|rest| *rest > 0.0);
            encoder.scaled(number, field.base, 1.0, 0.0, whole);
            encoder.scaled(pick(fraction.rest), Base::Uint8, 1.0, 0.0, rest);
        } else if TOTALS.get(at + 1).is_some_and(|next| is_larger(next, field)) {
            encoder.scaled_if_it_fits(number, field.base, field.scale, field.offset, value);
        } else {
            encoder.scaled(number, field.base, field.scale, field.offset, value);
        }
    }
    let balance = totals.left_right_balance.map(|percent| percent * 100.0 + f64::from(0x8000));
    encoder.scaled(pick((37, 34)), Base::Uint16, 1.0, 0.0, balance);
    if let Some(steps) = totals.steps {
        // FIT counts strides: two steps.
        if totals.cycles.is_none() && sport.is_some_and(Sport::is_on_foot) {
            encoder.scaled(10, Base::Uint32, 1.0, 0.0, Some(steps / 2.0));
        }
        writing.lost_totals += 1;
    }
}

/// A total whose fractional part has a field of its own; field numbers are (session, lap).
struct Fraction {
    whole: (u8, u8),
    rest: (u8, u8),
    steps: f64,
}

/// Average and maximum cadence, ascent, descent.
const FRACTIONS: [Fraction; 4] = [
    Fraction { whole: (18, 17), rest: FRACTIONAL_CADENCE[0], steps: 128.0 },
    Fraction { whole: (19, 18), rest: FRACTIONAL_CADENCE[1], steps: 128.0 },
    Fraction { whole: (22, 21), rest: FRACTIONAL_CLIMB[0], steps: 100.0 },
    Fraction { whole: (23, 22), rest: FRACTIONAL_CLIMB[1], steps: 100.0 },
];

/// True when `next` is the 32-bit field of the total that `field` holds in 16 bits.
fn is_larger(next: &TotalField, field: &TotalField) -> bool {
    next.base == Base::Uint32
        && field.base == Base::Uint16
        && (next.scale, next.offset) == (field.scale, field.offset)
        && {
            let mut probe = Totals::default();
            (field.set)(&mut probe, 1.0);
            (next.get)(&probe).is_some()
        }
}

fn write_length(writing: &mut Writing<'_>, index: usize, length: &Length) {
    begin(writing, message::LENGTH, index, length.start, length.end);
    let elapsed = length.elapsed_s.unwrap_or((length.end - length.start) as f64 / 1000.0);
    writing
        .encoder
        .code(0, Some(LENGTH_EVENT))
        .code(1, Some(STOP))
        .scaled(3, Base::Uint32, 1000.0, 0.0, Some(elapsed))
        .scaled(4, Base::Uint32, 1000.0, 0.0, length.timer_s)
        .raw(5, Base::Uint16, length.strokes)
        .scaled(6, Base::Uint16, 1000.0, 0.0, length.avg_speed)
        .code(7, length.stroke.map(|stroke| stroke.0))
        .scaled(9, Base::Uint8, 1.0, 0.0, length.avg_cadence)
        .scaled(11, Base::Uint16, 1.0, 0.0, length.calories_kcal)
        .code(12, Some(u8::from(length.active)));
    writing.native_values(message::LENGTH, &length.fields);
    writing.milliseconds(length.start);
    writing.encoder.end();
}

fn write_sets(writing: &mut Writing<'_>, activity: &Activity) {
    for (index, set) in activity.sets.iter().enumerate() {
        let end = set.start.map(|start| start + (set.duration_s.unwrap_or(0.0) * 1000.0) as i64);
        let [start, end] = [set.start, end].map(|time| time.map(|time| writing.seconds(time)));
        // The whole list of a device that guesses wins over the exercise taken from it.
        let listed = |field: u8| set.fields.iter().any(|known| known.native() == Some(field));
        let number = |field: u8, number: Option<u16>| [number.map(f64::from).filter(|_| !listed(field))];
        writing
            .encoder
            .begin(message::SET)
            .raw(254, Base::Uint32, end)
            .scaled(0, Base::Uint32, 1000.0, 0.0, set.duration_s)
            .raw(3, Base::Uint16, set.repetitions.map(i64::from).filter(|repetitions| *repetitions < 65_535))
            .scaled(4, Base::Uint16, 16.0, 0.0, set.weight_kg)
            .raw(5, Base::Uint8, Some(u8::from(set.kind != SetKind::Rest)))
            .raw(6, Base::Uint32, start)
            .array(7, Base::Uint16, 1.0, &number(7, set.category))
            .array(8, Base::Uint16, 1.0, &number(8, set.category_subtype))
            .raw(10, Base::Uint16, Some(index.min(0x0FFF) as u16));
        // The subtype counts inside a category.
        writing.lost_fields += u64::from(set.category.is_none() && set.category_subtype.is_some() && !listed(7));
        writing.native_values(message::SET, &set.fields);
        if let Some(start) = set.start {
            writing.milliseconds(start);
        }
        let kind = own::SET_KINDS.iter().find(|(kind, _)| *kind == set.kind).map(|(_, word)| *word);
        writing.own_text(own::KIND, kind);
        writing.own_text(own::EXERCISE, set.exercise.as_deref().filter(|_| set.category.is_none()));
        writing.own_text(own::NOTE, set.note.as_deref());
        writing.own_number(own::DISTANCE, set.distance_m);
        writing.own_number(own::RPE, set.rpe);
        writing.encoder.end();
    }
    write_exercises(&mut writing.encoder, &activity.sets);
}

/// The words for the exercises that the sets name by number, each once.
fn write_exercises(encoder: &mut Encoder, sets: &[Set]) {
    let mut named: Vec<(u16, u16)> = Vec::new();
    for set in sets {
        let (Some(category), Some(name)) = (set.category, set.exercise.as_deref()) else { continue };
        let key = (category, set.category_subtype.unwrap_or(0));
        if named.contains(&key) {
            continue;
        }
        encoder
            .begin(message::EXERCISE_TITLE)
            .raw(254, Base::Uint16, Some(named.len().min(0x0FFF) as u16))
            .raw(0, Base::Uint16, Some(category))
            .raw(1, Base::Uint16, Some(key.1))
            .text(2, Some(name))
            .end();
        named.push(key);
    }
}

/// What a split of FIT has fields for.
const SPLIT_TOTALS: [&str; 20] = [
    "elapsed_s",
    "timer_s",
    "moving_s",
    "distance_m",
    "avg_speed",
    "max_speed",
    "ascent_m",
    "descent_m",
    "avg_heart_rate",
    "max_heart_rate",
    "min_heart_rate",
    "calories_kcal",
    "avg_cadence",
    "max_cadence",
    "cycles",
    "avg_temperature",
    "max_temperature",
    "avg_power",
    "max_power",
    "normalized_power",
];

fn write_split(writing: &mut Writing<'_>, index: usize, split: &Split) {
    let t = &split.totals;
    let elapsed = t.elapsed_s.unwrap_or((split.end - split.start) as f64 / 1000.0);
    let start = writing.seconds(split.start);
    // An end between two seconds is told by the elapsed time.
    let end = (split.end.rem_euclid(1000) == 0).then(|| writing.seconds(split.end));
    writing
        .encoder
        .begin(message::SPLIT)
        .raw(254, Base::Uint16, Some(index.min(0x0FFF) as u16))
        .code(0, split.kind)
        .scaled(1, Base::Uint32, 1000.0, 0.0, Some(elapsed))
        .scaled(2, Base::Uint32, 1000.0, 0.0, t.timer_s)
        .scaled(3, Base::Uint32, 100.0, 0.0, t.distance_m)
        .scaled(4, Base::Uint32, 1000.0, 0.0, t.avg_speed)
        .raw(9, Base::Uint32, Some(start))
        .scaled(13, Base::Uint16, 1.0, 0.0, t.ascent_m)
        .scaled(14, Base::Uint16, 1.0, 0.0, t.descent_m)
        .scaled(15, Base::Uint8, 1.0, 0.0, t.avg_heart_rate)
        .scaled(16, Base::Uint8, 1.0, 0.0, t.max_heart_rate)
        .scaled(25, Base::Uint32, 1000.0, 0.0, t.max_speed)
        .raw(27, Base::Uint32, end)
        .scaled(28, Base::Uint32, 1.0, 0.0, t.calories_kcal)
        .scaled(29, Base::Uint16, 128.0, 0.0, t.avg_cadence)
        .scaled(30, Base::Uint16, 128.0, 0.0, t.max_cadence)
        .scaled(31, Base::Uint32, 1.0, 0.0, t.cycles)
        .scaled(32, Base::Sint8, 1.0, 0.0, t.avg_temperature)
        .scaled(33, Base::Sint8, 1.0, 0.0, t.max_temperature)
        .scaled(40, Base::Uint16, 1.0, 0.0, t.avg_power)
        .scaled(41, Base::Uint16, 1.0, 0.0, t.max_power)
        .scaled(42, Base::Uint16, 1.0, 0.0, t.normalized_power)
        .scaled(110, Base::Uint32, 1000.0, 0.0, t.moving_s)
        .scaled(124, Base::Uint8, 1.0, 0.0, t.min_heart_rate);
    t.each(&mut |name, value| {
        writing.lost_totals += u64::from(value != Value::Absent && !SPLIT_TOTALS.contains(&name));
    });
    writing.native_values(message::SPLIT, &split.fields);
    writing.milliseconds(split.start);
    writing.encoder.end();
}

fn write_activity(writing: &mut Writing<'_>, activity: &Activity, frame: &Frame) {
    let end = writing.seconds(frame.end);
    let local = activity.offset_s.map(|offset| i64::from(end) + i64::from(offset));
    writing
        .encoder
        .begin(message::ACTIVITY)
        .raw(253, Base::Uint32, Some(end))
        .scaled(0, Base::Uint32, 1000.0, 0.0, Some(frame.timer_s()))
        .raw(1, Base::Uint16, Some(frame.sessions.len().min(65_534) as u16))
        .code(2, Some(u8::from(frame.sessions.len() > 1)))
        .code(3, Some(ACTIVITY_EVENT))
        .code(4, Some(STOP))
        .raw(5, Base::Uint32, local);
    for (name, text) in words(activity) {
        writing.own_text(name, text.as_deref());
    }
    for (name, value) in &frame.totals {
        writing.own_number(name, Some(*value));
    }
    if let Some((sport, sub_sport)) = frame.sport {
        writing.own_code(own::SPORT, Some(sport.0));
        writing.own_code(own::SUB_SPORT, sub_sport.map(|sub_sport| sub_sport.0));
    }
    writing.encoder.end();
}

/// What only developer fields of our own can say of an activity.
pub fn words(activity: &Activity) -> [(&'static str, Option<String>); 5] {
    let ids: Vec<String> = activity.platform_ids.iter().map(|(platform, id)| format!("{platform}={id}")).collect();
    [
        (own::GEAR, activity.gear.clone()),
        (own::CREATOR, activity.creator.clone()),
        (own::SPORT_LABEL, activity.sport_label.clone()),
        (own::DAY, activity.day.clone()),
        (own::PLATFORM_IDS, (!ids.is_empty()).then(|| ids.join("\n"))),
    ]
}

/// FIT `lap_trigger`; FIT has none for a heart-rate limit.
fn trigger_number(trigger: LapTrigger) -> Option<u8> {
    Some(match trigger {
        LapTrigger::Manual => 0,
        LapTrigger::Time => 1,
        LapTrigger::Distance => 2,
        LapTrigger::Position => 4,
        LapTrigger::HeartRate => return None,
        LapTrigger::SessionEnd => 7,
        LapTrigger::FitnessEquipment => 8,
        LapTrigger::Other(number) => number,
    })
}

fn intensity_number(intensity: Intensity) -> u8 {
    match intensity {
        Intensity::Active => 0,
        Intensity::Rest => 1,
        Intensity::Warmup => 2,
        Intensity::Cooldown => 3,
        Intensity::Recovery => 4,
        Intensity::Interval => 5,
        Intensity::Other(number) => number,
    }
}
