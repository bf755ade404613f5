//! The parts of a recording that are not samples: laps, sessions, lengths, sets, pauses, events, devices, zones.

use std::sync::Arc;

use super::column::{ExtraKey, FitField};
use super::sport::{Sport, SubSport};

/// Totals and averages that a device or platform states for a span (a lap, a session, a whole activity), or that were
/// computed from samples. Absent means not stated. Scales are plain SI: seconds, metres, m/s, bpm, rpm, W.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Wall time, seconds.
    pub elapsed_s: Option<f64>,
    /// Time with the timer running, seconds.
    pub timer_s: Option<f64>,
    /// Time in motion, seconds.
    pub moving_s: Option<f64>,
    /// Distance, metres.
    pub distance_m: Option<f64>,
    /// Energy, kilocalories.
    pub calories_kcal: Option<f64>,
    /// Climb, metres.
    pub ascent_m: Option<f64>,
    /// Descent, metres, positive.
    pub descent_m: Option<f64>,
    /// Average speed, m/s.
    pub avg_speed: Option<f64>,
    /// Maximum speed, m/s.
    pub max_speed: Option<f64>,
    /// Average heart rate, bpm.
    pub avg_heart_rate: Option<f64>,
    /// Maximum heart rate, bpm.
    pub max_heart_rate: Option<f64>,
    /// Minimum heart rate, bpm.
    pub min_heart_rate: Option<f64>,
    /// Average cadence, rpm of one side.
    pub avg_cadence: Option<f64>,
    /// Maximum cadence, rpm of one side.
    pub max_cadence: Option<f64>,
    /// Average power, W.
    pub avg_power: Option<f64>,
    /// Maximum power, W.
    pub max_power: Option<f64>,
    /// Normalized power, W.
    pub normalized_power: Option<f64>,
    /// Average temperature, °C.
    pub avg_temperature: Option<f64>,
    /// Maximum temperature, °C.
    pub max_temperature: Option<f64>,
    /// Average altitude, m.
    pub avg_altitude: Option<f64>,
    /// Maximum altitude, m.
    pub max_altitude: Option<f64>,
    /// Minimum altitude, m.
    pub min_altitude: Option<f64>,
    /// Share of the right side in power, %.
    pub left_right_balance: Option<f64>,
    /// Revolutions, strides or strokes.
    pub cycles: Option<f64>,
    /// Work, J.
    pub work_j: Option<f64>,
    /// Training effect, 0 to 5.
    pub training_effect: Option<f64>,
    /// Anaerobic training effect, 0 to 5.
    pub anaerobic_training_effect: Option<f64>,
    /// Training stress score.
    pub training_stress_score: Option<f64>,
    /// Intensity factor.
    pub intensity_factor: Option<f64>,
    /// Threshold power, W.
    pub threshold_power: Option<f64>,
    /// Steps.
    pub steps: Option<f64>,
    /// Average stroke distance, m.
    pub avg_stroke_distance: Option<f64>,
}

impl Totals {
    /// Takes over what is not stated yet.
    pub fn fill(&mut self, from: &Totals) {
        for (to, from) in self.each_mut().zip(from.clone().each_mut()) {
            *to = to.or(*from);
        }
    }

    /// Every value, stated or not, always in the same order.
    pub fn each_mut(&mut self) -> impl Iterator<Item = &mut Option<f64>> {
        // Named one by one, so that none is forgotten.
        let Totals {
            elapsed_s,
            timer_s,
            moving_s,
            distance_m,
            calories_kcal,
            ascent_m,
            descent_m,
            avg_speed,
            max_speed,
            avg_heart_rate,
            max_heart_rate,
            min_heart_rate,
            avg_cadence,
            max_cadence,
            avg_power,
            max_power,
            normalized_power,
            avg_temperature,
            max_temperature,
            avg_altitude,
            max_altitude,
            min_altitude,
            left_right_balance,
            cycles,
            work_j,
            training_effect,
            anaerobic_training_effect,
            training_stress_score,
            intensity_factor,
            threshold_power,
            steps,
            avg_stroke_distance,
        } = self;
        let times = [elapsed_s, timer_s, moving_s];
        let whole = [distance_m, calories_kcal, ascent_m, descent_m, cycles, work_j, steps];
        let body = [avg_heart_rate, max_heart_rate, min_heart_rate, avg_cadence, max_cadence];
        let power = [avg_power, max_power, normalized_power, left_right_balance, threshold_power];
        let air = [avg_temperature, max_temperature, avg_altitude, max_altitude, min_altitude];
        let rest = [
            avg_speed,
            max_speed,
            avg_stroke_distance,
            training_effect,
            anaerobic_training_effect,
            training_stress_score,
            intensity_factor,
        ];
        times.into_iter().chain(whole).chain(body).chain(power).chain(air).chain(rest)
    }
}

/// A value that a summary or a device states beyond what its struct names: a field of FIT.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedField {
    /// Name, unit and definition, shared by all values of the field.
    pub key: Arc<ExtraKey>,
    /// The value.
    pub value: FieldValue,
}

impl StatedField {
    /// Its number, for a native field of FIT.
    pub fn native(&self) -> Option<u8> {
        match self.key.fit {
            Some(FitField::Native { number, .. }) => Some(number),
            _ => None,
        }
    }

    /// True for a field that counts laps: it means nothing beside the laps of another recording.
    pub fn points_at_laps(&self) -> bool {
        self.native().is_some() && matches!(&*self.key.name, "best_lap_index" | "first_lap_index" | "num_laps")
    }
}

/// What a field of a summary holds. Never empty: a field without any valid value is absent.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// One number, in the field's unit.
    Number(f64),
    /// The numbers of an array, `None` for invalid ones. Those behind the last valid one are kept in native fields only.
    Numbers(Vec<Option<f64>>),
    /// A text.
    Text(String),
}

/// What ended a lap. Numbers are FIT's `lap_trigger`; TCX has Manual, Distance, Location, Time and HeartRate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LapTrigger {
    /// The lap button.
    Manual,
    /// A set time.
    Time,
    /// A set distance.
    Distance,
    /// Passing a position (FIT position_start, position_lap, position_waypoint, position_marked; TCX Location).
    Position,
    /// A heart-rate limit (TCX only).
    HeartRate,
    /// The end of the session.
    SessionEnd,
    /// The fitness equipment.
    FitnessEquipment,
    /// Any other FIT number.
    Other(u8),
}

/// How hard a lap was meant to be. Numbers are FIT's `intensity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intensity {
    /// Work.
    Active,
    /// Rest (TCX Resting).
    Rest,
    /// Warm-up.
    Warmup,
    /// Cool-down.
    Cooldown,
    /// Recovery.
    Recovery,
    /// Interval.
    Interval,
    /// Any other FIT number.
    Other(u8),
}

/// A stretch of a recording between two lap marks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lap {
    /// Start, ms UTC.
    pub start: i64,
    /// End, ms UTC: start plus stated elapsed time, else the last sample.
    pub end: i64,
    /// Totals as stated.
    pub totals: Totals,
    /// What ended it.
    pub trigger: Option<LapTrigger>,
    /// How hard it was meant to be.
    pub intensity: Option<Intensity>,
    /// Sport, when stated for the lap.
    pub sport: Option<Sport>,
    /// Sub-sport, when stated for the lap.
    pub sub_sport: Option<SubSport>,
    /// Name or note, when given.
    pub name: Option<String>,
    /// Start position, degrees.
    pub start_position: Option<(f64, f64)>,
    /// End position, degrees.
    pub end_position: Option<(f64, f64)>,
    /// FIT `swim_stroke`.
    pub stroke: Option<Stroke>,
    /// Index of the first swim length of this lap.
    pub first_length: Option<u16>,
    /// Number of swim lengths.
    pub lengths: Option<u16>,
    /// Number of swim lengths with movement.
    pub active_lengths: Option<u16>,
    /// Index of the workout step it belongs to.
    pub workout_step: Option<u16>,
    /// Developer fields.
    pub developer: Vec<StatedField>,
    /// Native fields of FIT without a place above.
    pub fields: Vec<StatedField>,
}

/// A leg of a recording: one for an ordinary activity, one a sport (with transitions) for a multisport one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// Start, ms UTC.
    pub start: i64,
    /// End, ms UTC.
    pub end: i64,
    /// Sport of the leg.
    pub sport: Sport,
    /// Sub-sport of the leg.
    pub sub_sport: Option<SubSport>,
    /// Name of the sport profile or leg.
    pub name: Option<String>,
    /// Totals as stated.
    pub totals: Totals,
    /// FIT `session_trigger` number.
    pub trigger: Option<u8>,
    /// Start position, degrees.
    pub start_position: Option<(f64, f64)>,
    /// Index of the first lap.
    pub first_lap: Option<u16>,
    /// Number of laps.
    pub laps: Option<u16>,
    /// Pool length, m.
    pub pool_length_m: Option<f64>,
    /// True when the pool is measured in yards.
    pub pool_in_yards: bool,
    /// FIT `swim_stroke`.
    pub stroke: Option<Stroke>,
    /// Number of swim lengths.
    pub lengths: Option<u16>,
    /// Number of swim lengths with movement.
    pub active_lengths: Option<u16>,
    /// How it felt, 0 to 100.
    pub feel: Option<u8>,
    /// Perceived exertion, 0 to 10.
    pub rpe: Option<f32>,
    /// Developer fields.
    pub developer: Vec<StatedField>,
    /// Native fields of FIT without a place above.
    pub fields: Vec<StatedField>,
}

/// Swim stroke; the numbers are FIT's `swim_stroke`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stroke(pub u8);

impl Stroke {
    /// Lower-case name, `None` for an unknown number.
    pub fn name(self) -> Option<&'static str> {
        ["freestyle", "backstroke", "breaststroke", "butterfly", "drill", "mixed", "im"]
            .get(usize::from(self.0))
            .copied()
    }
}

/// One length of a pool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Length {
    /// Start, ms UTC.
    pub start: i64,
    /// End, ms UTC.
    pub end: i64,
    /// Elapsed seconds as stated.
    pub elapsed_s: Option<f64>,
    /// Timer seconds as stated.
    pub timer_s: Option<f64>,
    /// Strokes.
    pub strokes: Option<u16>,
    /// Average speed, m/s.
    pub avg_speed: Option<f64>,
    /// Average strokes per minute.
    pub avg_cadence: Option<f64>,
    /// Stroke.
    pub stroke: Option<Stroke>,
    /// Energy, kcal.
    pub calories_kcal: Option<f64>,
    /// False for a rest.
    pub active: bool,
    /// Native fields of FIT without a place above.
    pub fields: Vec<StatedField>,
}

/// One set of strength training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    /// Start, ms UTC, when known.
    pub start: Option<i64>,
    /// Duration, seconds.
    pub duration_s: Option<f64>,
    /// Exercise in words.
    pub exercise: Option<String>,
    /// FIT exercise category number.
    pub category: Option<u16>,
    /// FIT exercise number inside the category.
    pub category_subtype: Option<u16>,
    /// Repetitions.
    pub repetitions: Option<u32>,
    /// Weight, kg.
    pub weight_kg: Option<f64>,
    /// Distance, m.
    pub distance_m: Option<f64>,
    /// Rating of perceived exertion, 0 to 10.
    pub rpe: Option<f64>,
    /// Kind of set.
    pub kind: SetKind,
    /// Note.
    pub note: Option<String>,
    /// Native fields of FIT without a place above, and the whole list of a device that names several exercises.
    pub fields: Vec<StatedField>,
}

/// Kind of a strength set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SetKind {
    /// Work.
    #[default]
    Active,
    /// Rest between sets.
    Rest,
    /// Warm-up.
    Warmup,
    /// Drop set.
    Drop,
    /// To failure.
    Failure,
}

/// A span with the timer stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Timer stop, ms UTC.
    pub start: i64,
    /// Timer start, ms UTC.
    pub end: i64,
    /// True when the device paused by itself.
    pub auto: bool,
}

/// One beat-to-beat interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RrInterval {
    /// Time of the sample it follows, ms UTC (FIT `hrv` messages have no time of their own).
    pub time: i64,
    /// Length, ms.
    pub ms: u16,
}

/// A mark on the timeline that is neither lap nor pause; numbers are FIT's `event` and `event_type`
/// (user marker, gear change, calibration, battery …).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Time, ms UTC.
    pub time: i64,
    /// FIT `event`.
    pub event: u8,
    /// FIT `event_type`.
    pub event_type: u8,
    /// FIT `data`.
    pub data: Option<u32>,
    /// FIT `event_group`.
    pub group: Option<u8>,
}

/// A segment that a watch split off (FIT `split`): climbs, runs of a ski day, intervals.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Split {
    /// FIT `split_type`.
    pub kind: Option<u8>,
    /// Start, ms UTC.
    pub start: i64,
    /// End, ms UTC.
    pub end: i64,
    /// Totals as stated.
    pub totals: Totals,
    /// Native fields of FIT without a place above.
    pub fields: Vec<StatedField>,
}

/// A recorder or sensor. `devices[0]` of a recording is the recorder itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Device {
    /// FIT `device_index`; 0 is the recorder.
    pub index: Option<u8>,
    /// Manufacturer by name, for instance `garmin`.
    pub manufacturer: Option<String>,
    /// Manufacturer by FIT number.
    pub manufacturer_id: Option<u16>,
    /// Product by name.
    pub product: Option<String>,
    /// Product by number, unique inside a manufacturer.
    pub product_id: Option<u16>,
    /// Serial number.
    pub serial: Option<String>,
    /// Firmware or software version.
    pub firmware: Option<String>,
    /// Hardware version.
    pub hardware: Option<String>,
    /// FIT `device_type` (meaning depends on the source type).
    pub device_type: Option<u8>,
    /// FIT `source_type`.
    pub source_type: Option<u8>,
    /// FIT `battery_status`.
    pub battery_status: Option<u8>,
    /// Battery voltage, V.
    pub battery_voltage: Option<f64>,
    /// Operating time, s.
    pub operating_time_s: Option<u32>,
    /// Developer fields.
    pub developer: Vec<StatedField>,
}

impl Device {
    /// Recorder in a few words: product, else manufacturer.
    pub fn label(&self) -> Option<&str> {
        self.product.as_deref().or(self.manufacturer.as_deref())
    }
}

/// Training zones and thresholds stated with a recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Zones {
    /// Maximum heart rate, bpm.
    pub max_heart_rate: Option<u8>,
    /// Threshold heart rate, bpm.
    pub threshold_heart_rate: Option<u8>,
    /// Resting heart rate, bpm.
    pub resting_heart_rate: Option<u8>,
    /// Functional threshold power, W.
    pub threshold_power: Option<u16>,
    /// Upper bounds of the heart-rate zones, bpm.
    pub heart_rate_bounds: Vec<f32>,
    /// Seconds in each heart-rate zone.
    pub heart_rate_seconds: Vec<f32>,
    /// Upper bounds of the power zones, W.
    pub power_bounds: Vec<f32>,
    /// Seconds in each power zone.
    pub power_seconds: Vec<f32>,
}

/// Who recorded, as far as stated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Athlete {
    /// FIT `gender`: 0 female, 1 male.
    pub gender: Option<u8>,
    /// Age in years.
    pub age: Option<u8>,
    /// Height, m.
    pub height_m: Option<f64>,
    /// Weight, kg.
    pub weight_kg: Option<f64>,
    /// Resting heart rate, bpm.
    pub resting_heart_rate: Option<u8>,
    /// Maximum heart rate, bpm.
    pub max_heart_rate: Option<u8>,
}

/// A named place that came with the recording (GPX `wpt`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waypoint {
    /// Degrees.
    pub lat: f64,
    /// Degrees.
    pub lon: f64,
    /// Height, m.
    pub altitude: Option<f64>,
    /// Time, ms UTC.
    pub time: Option<i64>,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Symbol name.
    pub symbol: Option<String>,
}
