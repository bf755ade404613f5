//! What the FIT profile (21.218) says about the messages that carry samples and totals: numbers, base types, scales.
//! Reader and writer share these tables.

use super::base::Base;
use crate::model::{Channel, Totals};

/// Global message numbers.
pub mod message {
    #![allow(missing_docs, reason = "names of the FIT profile")]
    pub const FILE_ID: u16 = 0;
    pub const DEVICE_SETTINGS: u16 = 2;
    pub const USER_PROFILE: u16 = 3;
    pub const ZONES_TARGET: u16 = 7;
    pub const HR_ZONE: u16 = 8;
    pub const POWER_ZONE: u16 = 9;
    pub const SPORT: u16 = 12;
    pub const SESSION: u16 = 18;
    pub const LAP: u16 = 19;
    pub const RECORD: u16 = 20;
    pub const EVENT: u16 = 21;
    pub const DEVICE_INFO: u16 = 23;
    pub const WORKOUT: u16 = 26;
    pub const ACTIVITY: u16 = 34;
    pub const FILE_CREATOR: u16 = 49;
    pub const HRV: u16 = 78;
    pub const LENGTH: u16 = 101;
    pub const HR: u16 = 132;
    pub const GPS_METADATA: u16 = 160;
    pub const TIMESTAMP_CORRELATION: u16 = 162;
    pub const FIELD_DESCRIPTION: u16 = 206;
    pub const DEVELOPER_DATA_ID: u16 = 207;
    pub const TIME_IN_ZONE: u16 = 216;
    pub const SET: u16 = 225;
    pub const EXERCISE_TITLE: u16 = 264;
    pub const BEAT_INTERVALS: u16 = 290;
    pub const SPLIT: u16 = 312;
}

/// `file_id.type` of an activity.
pub const FILE_ACTIVITY: u8 = 4;

/// Lower-case profile name of a `file_id.type`.
pub fn file_type(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "device",
        2 => "settings",
        3 => "sport",
        4 => "activity",
        5 => "workout",
        6 => "course",
        7 => "schedules",
        9 => "weight",
        10 => "totals",
        11 => "goals",
        14 => "blood_pressure",
        15 => "monitoring_a",
        20 => "activity_summary",
        28 => "monitoring_daily",
        32 => "monitoring_b",
        34 => "segment",
        35 => "segment_list",
        40 => "exd_configuration",
        _ => return None,
    })
}

/// Degrees of one semicircle, the unit of FIT positions: 180 / 2^31, exact in binary.
pub const DEGREES_PER_SEMICIRCLE: f64 = 180.0 / 2_147_483_648.0;

/// Where a field of the `record` message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Seconds since the FIT epoch.
    Time,
    /// Semicircles.
    Latitude,
    /// Semicircles.
    Longitude,
    /// Cumulative distance.
    Distance,
    /// A channel of the model.
    To(Channel),
    /// Two elements, a channel each.
    Pair(Channel, Channel),
    /// Power balance: bit 7 says that the percentage is the right side's; without it the side is unknown.
    Balance,
    /// Added to `cadence`.
    FractionalCadence,
    /// 12 bits of speed and 12 bits of rolling distance.
    SpeedDistance,
    /// Rolls over at 256 and adds up to `total_cycles`.
    Cycles,
    /// Rolls over at 65536 and adds up to `accumulated_power`.
    CompressedPower,
    /// An extra channel under its own name.
    Extra,
}

/// One field of the `record` message (20).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordField {
    /// Field number.
    pub number: u8,
    /// Profile name.
    pub name: &'static str,
    /// Base type that the profile gives it; a definition may say otherwise and is to be believed.
    pub base: Base,
    /// Value = raw / scale - offset.
    pub scale: f64,
    /// Value = raw / scale - offset.
    pub offset: f64,
    /// Unit of the value.
    pub unit: &'static str,
    /// Where it goes.
    pub target: Target,
}

macro_rules! record_fields {
    ($($number:literal $name:ident $base:ident $scale:literal $offset:literal $unit:literal $target:expr;)+) => {
        &[$(RecordField {
            number: $number, name: stringify!($name), base: Base::$base, scale: $scale, offset: $offset, unit: $unit,
            target: $target,
        },)+]
    };
}

/// The fields of the `record` message, sorted by number. A quantity with two fields (`speed`, `enhanced_speed`) has two
/// rows with one target; [`is_fallback`] tells the one that yields.
pub static RECORD: &[RecordField] = {
    use Channel::*;
    use Target::*;
    record_fields! {
          0 position_lat                      Sint32  1.0 0.0 "semicircles" Latitude;
          1 position_long                     Sint32  1.0 0.0 "semicircles" Longitude;
          2 altitude                          Uint16  5.0 500.0 "m" To(Altitude);
          3 heart_rate                        Uint8   1.0 0.0 "bpm" To(HeartRate);
          4 cadence                           Uint8   1.0 0.0 "rpm" To(Cadence);
          5 distance                          Uint32  100.0 0.0 "m" Distance;
          6 speed                             Uint16  1000.0 0.0 "m/s" To(Speed);
          7 power                             Uint16  1.0 0.0 "W" To(Power);
          8 compressed_speed_distance         Byte    100.0 0.0 "m/s" SpeedDistance;
          9 grade                             Sint16  100.0 0.0 "%" To(Grade);
         10 resistance                        Uint8   1.0 0.0 "" To(Resistance);
         11 time_from_course                  Sint32  1000.0 0.0 "s" Extra;
         12 cycle_length                      Uint8   100.0 0.0 "m" Extra;
         13 temperature                       Sint8   1.0 0.0 "°C" To(Temperature);
         17 speed_1s                          Uint8   16.0 0.0 "m/s" Extra;
         18 cycles                            Uint8   1.0 0.0 "cycles" Cycles;
         19 total_cycles                      Uint32  1.0 0.0 "cycles" Extra;
         28 compressed_accumulated_power      Uint16  1.0 0.0 "W" CompressedPower;
         29 accumulated_power                 Uint32  1.0 0.0 "W" To(AccumulatedPower);
         30 left_right_balance                Uint8   1.0 0.0 "" Balance;
         31 gps_accuracy                      Uint8   1.0 0.0 "m" To(GpsAccuracy);
         32 vertical_speed                    Sint16  1000.0 0.0 "m/s" To(VerticalSpeed);
         33 calories                          Uint16  1.0 0.0 "kcal" To(Calories);
         39 vertical_oscillation              Uint16  10.0 0.0 "mm" To(VerticalOscillation);
         40 stance_time_percent               Uint16  100.0 0.0 "%" To(StanceTimePercent);
         41 stance_time                       Uint16  10.0 0.0 "ms" To(StanceTime);
         42 activity_type                     Enum    1.0 0.0 "" Extra;
         43 left_torque_effectiveness         Uint8   2.0 0.0 "%" To(LeftTorqueEffectiveness);
         44 right_torque_effectiveness        Uint8   2.0 0.0 "%" To(RightTorqueEffectiveness);
         45 left_pedal_smoothness             Uint8   2.0 0.0 "%" To(LeftPedalSmoothness);
         46 right_pedal_smoothness            Uint8   2.0 0.0 "%" To(RightPedalSmoothness);
         47 combined_pedal_smoothness         Uint8   2.0 0.0 "%" To(CombinedPedalSmoothness);
         48 time128                           Uint8   128.0 0.0 "s" Extra;
         49 stroke_type                       Enum    1.0 0.0 "" Extra;
         50 zone                              Uint8   1.0 0.0 "" Extra;
         51 ball_speed                        Uint16  100.0 0.0 "m/s" Extra;
         52 cadence256                        Uint16  256.0 0.0 "rpm" To(Cadence);
         53 fractional_cadence                Uint8   128.0 0.0 "rpm" FractionalCadence;
         54 total_hemoglobin_conc             Uint16  100.0 0.0 "g/dL" To(Hemoglobin);
         55 total_hemoglobin_conc_min         Uint16  100.0 0.0 "g/dL" Extra;
         56 total_hemoglobin_conc_max         Uint16  100.0 0.0 "g/dL" Extra;
         57 saturated_hemoglobin_percent      Uint16  10.0 0.0 "%" To(MuscleOxygen);
         58 saturated_hemoglobin_percent_min  Uint16  10.0 0.0 "%" Extra;
         59 saturated_hemoglobin_percent_max  Uint16  10.0 0.0 "%" Extra;
         62 device_index                      Uint8   1.0 0.0 "" Extra;
         67 left_pco                          Sint8   1.0 0.0 "mm" To(LeftPlatformOffset);
         68 right_pco                         Sint8   1.0 0.0 "mm" To(RightPlatformOffset);
         69 left_power_phase                  Uint8   0.7111111 0.0 "°" Pair(LeftPhaseStart, LeftPhaseEnd);
         70 left_power_phase_peak             Uint8   0.7111111 0.0 "°" Pair(LeftPeakStart, LeftPeakEnd);
         71 right_power_phase                 Uint8   0.7111111 0.0 "°" Pair(RightPhaseStart, RightPhaseEnd);
         72 right_power_phase_peak            Uint8   0.7111111 0.0 "°" Pair(RightPeakStart, RightPeakEnd);
         73 enhanced_speed                    Uint32  1000.0 0.0 "m/s" To(Speed);
         78 enhanced_altitude                 Uint32  5.0 500.0 "m" To(Altitude);
         81 battery_soc                       Uint8   2.0 0.0 "%" To(Battery);
         82 motor_power                       Uint16  1.0 0.0 "W" Extra;
         83 vertical_ratio                    Uint16  100.0 0.0 "%" To(VerticalRatio);
         84 stance_time_balance               Uint16  100.0 0.0 "%" To(StanceTimeBalance);
         85 step_length                       Uint16  10.0 0.0 "mm" To(StepLength);
         87 cycle_length16                    Uint16  100.0 0.0 "m" Extra;
         91 absolute_pressure                 Uint32  1.0 0.0 "Pa" To(Pressure);
         92 depth                             Uint32  1000.0 0.0 "m" To(Depth);
         93 next_stop_depth                   Uint32  1000.0 0.0 "m" Extra;
         94 next_stop_time                    Uint32  1.0 0.0 "s" Extra;
         95 time_to_surface                   Uint32  1.0 0.0 "s" Extra;
         96 ndl_time                          Uint32  1.0 0.0 "s" Extra;
         97 cns_load                          Uint8   1.0 0.0 "%" Extra;
         98 n2_load                           Uint16  1.0 0.0 "%" Extra;
         99 respiration_rate                  Uint8   1.0 0.0 "/min" To(Respiration);
        108 enhanced_respiration_rate         Uint16  100.0 0.0 "/min" To(Respiration);
        114 grit                              Float32 1.0 0.0 "" Extra;
        115 flow                              Float32 1.0 0.0 "" Extra;
        116 current_stress                    Uint16  100.0 0.0 "" Extra;
        117 ebike_travel_range                Uint16  1.0 0.0 "km" Extra;
        118 ebike_battery_level               Uint8   1.0 0.0 "%" Extra;
        119 ebike_assist_mode                 Uint8   1.0 0.0 "" Extra;
        120 ebike_assist_level_percent        Uint8   1.0 0.0 "%" Extra;
        123 air_time_remaining                Uint32  1.0 0.0 "s" Extra;
        124 pressure_sac                      Uint16  100.0 0.0 "bar/min" Extra;
        125 volume_sac                        Uint16  100.0 0.0 "L/min" Extra;
        126 rmv                               Uint16  100.0 0.0 "L/min" Extra;
        127 ascent_rate                       Sint32  1000.0 0.0 "m/s" Extra;
        129 po2                               Uint8   100.0 0.0 "%" Extra;
        139 core_temperature                  Uint16  100.0 0.0 "°C" To(CoreTemperature);
        253 timestamp                         Uint32  1.0 0.0 "s" Time;
    }
};

/// The row of a record field.
pub fn record_field(number: u8) -> Option<&'static RecordField> {
    RECORD.binary_search_by_key(&number, |field| field.number).ok().map(|at| &RECORD[at])
}

/// True for a record field that only counts when the better field of the same quantity has no value: altitude, speed and
/// respiration rate yield to their enhanced fields, `cadence256` and `compressed_speed_distance` to the plain ones.
pub fn is_fallback(number: u8) -> bool {
    matches!(number, 2 | 6 | 8 | 18 | 28 | 52 | 99)
}

/// One total of a `session` (18) or `lap` (19) message.
#[derive(Clone, Copy)]
pub struct TotalField {
    /// Name of the total in the model.
    pub name: &'static str,
    /// Field number in `session`.
    pub session: Option<u8>,
    /// Field number in `lap`.
    pub lap: Option<u8>,
    /// Base type that the profile gives it.
    pub base: Base,
    /// Value = raw / scale - offset.
    pub scale: f64,
    /// Value = raw / scale - offset.
    pub offset: f64,
    /// Reads the total.
    pub get: fn(&Totals) -> Option<f64>,
    /// Stores the total.
    pub set: fn(&mut Totals, f64),
}

macro_rules! totals {
    ($($field:ident $base:ident $scale:literal $offset:literal $session:expr, $lap:expr;)+) => {
        &[$(TotalField {
            name: stringify!($field), session: $session, lap: $lap, base: Base::$base, scale: $scale, offset: $offset,
            get: |totals| totals.$field, set: |totals, value| totals.$field = Some(value),
        },)+]
    };
}

/// Totals of sessions and laps. Of two rows for one total the later one is better (`enhanced_avg_speed` follows
/// `avg_speed`). Cadences also have a fractional part ([`FRACTIONAL_CADENCE`]), power balance has its own encoding.
pub static TOTALS: &[TotalField] = totals! {
    elapsed_s Uint32 1000.0 0.0 Some(7), Some(7);
    timer_s Uint32 1000.0 0.0 Some(8), Some(8);
    moving_s Uint32 1000.0 0.0 Some(59), Some(52);
    distance_m Uint32 100.0 0.0 Some(9), Some(9);
    cycles Uint32 1.0 0.0 Some(10), Some(10);
    calories_kcal Uint16 1.0 0.0 Some(11), Some(11);
    avg_speed Uint16 1000.0 0.0 Some(14), Some(13);
    avg_speed Uint32 1000.0 0.0 Some(124), Some(110);
    max_speed Uint16 1000.0 0.0 Some(15), Some(14);
    max_speed Uint32 1000.0 0.0 Some(125), Some(111);
    avg_heart_rate Uint8 1.0 0.0 Some(16), Some(15);
    max_heart_rate Uint8 1.0 0.0 Some(17), Some(16);
    min_heart_rate Uint8 1.0 0.0 Some(64), Some(63);
    avg_cadence Uint8 1.0 0.0 Some(18), Some(17);
    max_cadence Uint8 1.0 0.0 Some(19), Some(18);
    avg_power Uint16 1.0 0.0 Some(20), Some(19);
    max_power Uint16 1.0 0.0 Some(21), Some(20);
    normalized_power Uint16 1.0 0.0 Some(34), Some(33);
    ascent_m Uint16 1.0 0.0 Some(22), Some(21);
    descent_m Uint16 1.0 0.0 Some(23), Some(22);
    avg_altitude Uint16 5.0 500.0 Some(49), Some(42);
    avg_altitude Uint32 5.0 500.0 Some(126), Some(112);
    max_altitude Uint16 5.0 500.0 Some(50), Some(43);
    max_altitude Uint32 5.0 500.0 Some(128), Some(114);
    min_altitude Uint16 5.0 500.0 Some(71), Some(62);
    min_altitude Uint32 5.0 500.0 Some(127), Some(113);
    avg_temperature Sint8 1.0 0.0 Some(57), Some(50);
    max_temperature Sint8 1.0 0.0 Some(58), Some(51);
    work_j Uint32 1.0 0.0 Some(48), Some(41);
    avg_stroke_distance Uint16 100.0 0.0 Some(42), Some(37);
    training_effect Uint8 10.0 0.0 Some(24), None;
    anaerobic_training_effect Uint8 10.0 0.0 Some(137), None;
    training_stress_score Uint16 10.0 0.0 Some(35), None;
    intensity_factor Uint16 1000.0 0.0 Some(36), None;
    threshold_power Uint16 1.0 0.0 Some(45), None;
};

/// Fractional parts (unit 1/128 rpm) of average and maximum cadence: (session, lap) field numbers.
pub const FRACTIONAL_CADENCE: [(u8, u8); 2] = [(92, 80), (93, 81)];

/// Fractional parts (unit 1/100 m) of ascent and descent: (session, lap) field numbers.
pub const FRACTIONAL_CLIMB: [(u8, u8); 2] = [(199, 156), (200, 157)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_table_is_sorted_and_found_by_number() {
        assert!(RECORD.windows(2).all(|pair| pair[0].number < pair[1].number));
        let altitude = record_field(78).unwrap();
        assert_eq!((altitude.name, altitude.scale, altitude.offset), ("enhanced_altitude", 5.0, 500.0));
        assert_eq!(record_field(2).unwrap().target, altitude.target);
        assert!(record_field(90).is_none());
    }

    #[test]
    fn no_two_totals_share_a_field() {
        for numbers in [TOTALS.iter().map(|t| t.session).collect::<Vec<_>>(), TOTALS.iter().map(|t| t.lap).collect()] {
            let mut known: Vec<u8> = numbers.into_iter().flatten().collect();
            let len = known.len();
            known.sort_unstable();
            known.dedup();
            assert_eq!(known.len(), len);
        }
    }
}
