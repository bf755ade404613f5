//! Fields of `lap`, `session`, `length`, `set` and `split` by the FIT profile (21.218): which of them the model has a
//! place for, and how the others are called.

use super::profile::{FRACTIONAL_CADENCE, FRACTIONAL_CLIMB, TOTALS, message};

/// True for a field that the model has a place for, and for those by which a message says where it belongs: index,
/// times, event. The reader puts them in their place, the writer makes them from it.
pub fn is_told(message: u16, number: u8) -> bool {
    let total = |of_session: bool| {
        let pick = |(session, lap): (u8, u8)| if of_session { session } else { lap };
        let row = |row: &super::profile::TotalField| if of_session { row.session } else { row.lap };
        TOTALS.iter().any(|total| row(total) == Some(number))
            || FRACTIONAL_CADENCE.into_iter().chain(FRACTIONAL_CLIMB).any(|fields| pick(fields) == number)
    };
    matches!(number, 253 | 254)
        || match message {
            message::SESSION => {
                matches!(number, 0..=6 | 25 | 26 | 28 | 33 | 43 | 44 | 46 | 47 | 110 | 192 | 193) || total(true)
            }
            message::LAP => matches!(number, 0..=6 | 23..=25 | 32 | 35 | 38..=40 | 71) || total(false),
            message::LENGTH => matches!(number, 0..=7 | 9 | 11 | 12),
            message::SET => matches!(number, 0 | 3..=6 | 10),
            message::SPLIT => matches!(number, 0..=4 | 9 | 13..=16 | 25 | 27..=33 | 40..=42 | 110 | 124),
            _ => true,
        }
}

/// A field that the model has no place for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SummaryField {
    /// Profile name.
    pub name: &'static str,
    /// Value = raw / scale - offset.
    pub scale: f64,
    /// Value = raw / scale - offset.
    pub offset: f64,
    /// Unit of the value.
    pub unit: &'static str,
    /// Where it is found: message and field number.
    pub places: &'static [(u16, u8)],
}

macro_rules! summary_fields {
    ($($name:ident $scale:literal $offset:literal $unit:literal $($message:ident $number:literal)+;)+) => {
        &[$(SummaryField {
            name: stringify!($name), scale: $scale, offset: $offset, unit: $unit,
            places: &[$((message::$message, $number)),+],
        },)+]
    };
}

/// Those that the profile names. Positions stay in semicircles.
static FIELDS: &[SummaryField] = summary_fields! {
    total_fat_calories 1.0 0.0 "kcal" SESSION 13 LAP 12;
    event_group 1.0 0.0 "" SESSION 27 LAP 26 LENGTH 10;
    nec_lat 1.0 0.0 "semicircles" SESSION 29 LAP 27 SPLIT 17;
    nec_long 1.0 0.0 "semicircles" SESSION 30 LAP 28 SPLIT 18;
    swc_lat 1.0 0.0 "semicircles" SESSION 31 LAP 29 SPLIT 19;
    swc_long 1.0 0.0 "semicircles" SESSION 32 LAP 30 SPLIT 20;
    left_right_balance 1.0 0.0 "" SESSION 37 LAP 34 SPLIT 43;
    end_position_lat 1.0 0.0 "semicircles" SESSION 38 SPLIT 23;
    end_position_long 1.0 0.0 "semicircles" SESSION 39 SPLIT 24;
    avg_stroke_count 10.0 0.0 "strokes/lap" SESSION 41;
    gps_accuracy 1.0 0.0 "m" SESSION 51 LAP 44;
    avg_grade 100.0 0.0 "%" SESSION 52 LAP 45 SPLIT 88;
    avg_pos_grade 100.0 0.0 "%" SESSION 53 LAP 46;
    avg_neg_grade 100.0 0.0 "%" SESSION 54 LAP 47;
    max_pos_grade 100.0 0.0 "%" SESSION 55 LAP 48;
    max_neg_grade 100.0 0.0 "%" SESSION 56 LAP 49;
    avg_pos_vertical_speed 1000.0 0.0 "m/s" SESSION 60 LAP 53;
    avg_neg_vertical_speed 1000.0 0.0 "m/s" SESSION 61 LAP 54;
    max_pos_vertical_speed 1000.0 0.0 "m/s" SESSION 62 LAP 55;
    max_neg_vertical_speed 1000.0 0.0 "m/s" SESSION 63 LAP 56;
    time_in_hr_zone 1000.0 0.0 "s" SESSION 65 LAP 57;
    time_in_speed_zone 1000.0 0.0 "s" SESSION 66 LAP 58;
    time_in_cadence_zone 1000.0 0.0 "s" SESSION 67 LAP 59;
    time_in_power_zone 1000.0 0.0 "s" SESSION 68 LAP 60;
    avg_lap_time 1000.0 0.0 "s" SESSION 69;
    best_lap_index 1.0 0.0 "" SESSION 70;
    active_time 1000.0 0.0 "s" SESSION 78 LAP 70 SPLIT 78;
    avg_strokes_per_length 10.0 0.0 "strokes/length" SESSION 79 LAP 90 SPLIT 66;
    avg_swolf 1.0 0.0 "" SESSION 80 LAP 73 SPLIT 64;
    player_score 1.0 0.0 "" SESSION 82 LAP 83 LENGTH 18;
    opponent_score 1.0 0.0 "" SESSION 83 LAP 74 LENGTH 19;
    opponent_name 1.0 0.0 "" SESSION 84;
    stroke_count 1.0 0.0 "" SESSION 85 LAP 75 LENGTH 20;
    zone_count 1.0 0.0 "" SESSION 86 LAP 76 LENGTH 21;
    max_ball_speed 100.0 0.0 "m/s" SESSION 87;
    avg_ball_speed 100.0 0.0 "m/s" SESSION 88;
    avg_vertical_oscillation 10.0 0.0 "mm" SESSION 89 LAP 77 SPLIT 35;
    avg_stance_time_percent 100.0 0.0 "%" SESSION 90 LAP 78 SPLIT 144;
    avg_stance_time 10.0 0.0 "ms" SESSION 91 LAP 79 SPLIT 37;
    total_fractional_cycles 128.0 0.0 "cycles" SESSION 94 LAP 82 SPLIT 142;
    avg_total_hemoglobin_conc 100.0 0.0 "g/dL" SESSION 95 LAP 84;
    min_total_hemoglobin_conc 100.0 0.0 "g/dL" SESSION 96 LAP 85;
    max_total_hemoglobin_conc 100.0 0.0 "g/dL" SESSION 97 LAP 86;
    avg_saturated_hemoglobin_percent 10.0 0.0 "%" SESSION 98 LAP 87;
    min_saturated_hemoglobin_percent 10.0 0.0 "%" SESSION 99 LAP 88;
    max_saturated_hemoglobin_percent 10.0 0.0 "%" SESSION 100 LAP 89;
    avg_left_torque_effectiveness 2.0 0.0 "%" SESSION 101 LAP 91 SPLIT 53;
    avg_right_torque_effectiveness 2.0 0.0 "%" SESSION 102 LAP 92 SPLIT 54;
    avg_left_pedal_smoothness 2.0 0.0 "%" SESSION 103 LAP 93 SPLIT 55;
    avg_right_pedal_smoothness 2.0 0.0 "%" SESSION 104 LAP 94 SPLIT 56;
    avg_combined_pedal_smoothness 2.0 0.0 "%" SESSION 105 LAP 95 SPLIT 57;
    num_segment_laps 1.0 0.0 "" SESSION 106;
    front_gear_shift_count 1.0 0.0 "" SESSION 107 LAP 96 SPLIT 169;
    rear_gear_shift_count 1.0 0.0 "" SESSION 108 LAP 97 SPLIT 170;
    sport_index 1.0 0.0 "" SESSION 111;
    time_standing 1000.0 0.0 "s" SESSION 112 LAP 98 SPLIT 44;
    stand_count 1.0 0.0 "" SESSION 113 LAP 99;
    avg_left_pco 1.0 0.0 "mm" SESSION 114 LAP 100 SPLIT 45;
    avg_right_pco 1.0 0.0 "mm" SESSION 115 LAP 101 SPLIT 46;
    avg_left_power_phase 0.7111111 0.0 "°" SESSION 116 LAP 102 SPLIT 47;
    avg_left_power_phase_peak 0.7111111 0.0 "°" SESSION 117 LAP 103 SPLIT 48;
    avg_right_power_phase 0.7111111 0.0 "°" SESSION 118 LAP 104 SPLIT 49;
    avg_right_power_phase_peak 0.7111111 0.0 "°" SESSION 119 LAP 105 SPLIT 50;
    avg_power_position 1.0 0.0 "W" SESSION 120 LAP 106 SPLIT 51;
    max_power_position 1.0 0.0 "W" SESSION 121 LAP 107 SPLIT 52;
    avg_cadence_position 1.0 0.0 "rpm" SESSION 122 LAP 108;
    max_cadence_position 1.0 0.0 "rpm" SESSION 123 LAP 109;
    avg_lev_motor_power 1.0 0.0 "W" SESSION 129 LAP 115;
    max_lev_motor_power 1.0 0.0 "W" SESSION 130 LAP 116;
    lev_battery_consumption 2.0 0.0 "%" SESSION 131 LAP 117;
    avg_vertical_ratio 100.0 0.0 "%" SESSION 132 LAP 118 SPLIT 36;
    avg_stance_time_balance 100.0 0.0 "%" SESSION 133 LAP 119 SPLIT 38;
    avg_step_length 10.0 0.0 "mm" SESSION 134 LAP 120 SPLIT 39;
    avg_vam 1000.0 0.0 "m/s" SESSION 139 LAP 121 SPLIT 99;
    avg_depth 1000.0 0.0 "m" SESSION 140 LAP 122 SPLIT 121;
    max_depth 1000.0 0.0 "m" SESSION 141 LAP 123 SPLIT 122;
    surface_interval 1.0 0.0 "s" SESSION 142 SPLIT 127;
    start_cns 1.0 0.0 "%" SESSION 143;
    end_cns 1.0 0.0 "%" SESSION 144;
    start_n2 1.0 0.0 "%" SESSION 145;
    end_n2 1.0 0.0 "%" SESSION 146;
    avg_respiration_rate 1.0 0.0 "/min" SESSION 147 LAP 147 LENGTH 24;
    max_respiration_rate 1.0 0.0 "/min" SESSION 148 LAP 148 LENGTH 25;
    min_respiration_rate 1.0 0.0 "/min" SESSION 149;
    min_temperature 1.0 0.0 "°C" SESSION 150 LAP 124 SPLIT 34;
    o2_toxicity 1.0 0.0 "OTU" SESSION 155;
    dive_number 1.0 0.0 "" SESSION 156;
    training_load_peak 65536.0 0.0 "" SESSION 168;
    enhanced_avg_respiration_rate 100.0 0.0 "/min" SESSION 169 LAP 136 LENGTH 22;
    enhanced_max_respiration_rate 100.0 0.0 "/min" SESSION 170 LAP 137 LENGTH 23;
    enhanced_min_respiration_rate 100.0 0.0 "/min" SESSION 180;
    total_grit 1.0 0.0 "" SESSION 181 LAP 149 SPLIT 59;
    total_flow 1.0 0.0 "" SESSION 182 LAP 150;
    jump_count 1.0 0.0 "" SESSION 183 LAP 151 SPLIT 104;
    avg_grit 1.0 0.0 "" SESSION 186 LAP 153;
    avg_flow 1.0 0.0 "" SESSION 187 LAP 154 SPLIT 58;
    avg_spo2 1.0 0.0 "%" SESSION 194;
    avg_stress 1.0 0.0 "%" SESSION 195 SPLIT 94;
    metabolic_calories 1.0 0.0 "kcal" SESSION 196 LAP 155 LENGTH 26 SPLIT 79;
    sdrr_hrv 1.0 0.0 "ms" SESSION 197;
    rmssd_hrv 1.0 0.0 "ms" SESSION 198;
    avg_core_temperature 100.0 0.0 "°C" SESSION 208 LAP 158;
    min_core_temperature 100.0 0.0 "°C" SESSION 209 LAP 159;
    max_core_temperature 100.0 0.0 "°C" SESSION 210 LAP 160;
    avg_grade_adjusted_speed 1000.0 0.0 "m/s" SESSION 211 LAP 161 SPLIT 93;
    repetition_num 1.0 0.0 "" LAP 61;
    category 1.0 0.0 "" SET 7;
    category_subtype 1.0 0.0 "" SET 8;
    weight_display_unit 1.0 0.0 "" SET 9;
    wkt_step_index 1.0 0.0 "" SET 11;
    sport 1.0 0.0 "" SPLIT 11;
    sub_sport 1.0 0.0 "" SPLIT 12;
    start_position_lat 1.0 0.0 "semicircles" SPLIT 21;
    start_position_long 1.0 0.0 "semicircles" SPLIT 22;
    avg_vert_speed 1000.0 0.0 "m/s" SPLIT 26;
    swim_stroke 1.0 0.0 "" SPLIT 62;
    num_active_lengths 1.0 0.0 "lengths" SPLIT 63;
    avg_stroke_distance 100.0 0.0 "m" SPLIT 65;
    first_lap_index 1.0 0.0 "" SPLIT 67;
    num_laps 1.0 0.0 "" SPLIT 68;
    climb_grading_scale 1.0 0.0 "" SPLIT 69;
    climb_grade_value 1.0 0.0 "" SPLIT 70;
    status 1.0 0.0 "" SPLIT 71;
    num_falls 1.0 0.0 "" SPLIT 72;
    climb_send 1.0 0.0 "" SPLIT 73;
    start_elevation 5.0 500.0 "m" SPLIT 74;
    total_fractional_ascent 100.0 0.0 "m" SPLIT 80;
    total_fractional_descent 100.0 0.0 "m" SPLIT 81;
    max_grade 100.0 0.0 "%" SPLIT 89;
    min_cadence 128.0 0.0 "rpm" SPLIT 90;
    dive_section_type 1.0 0.0 "" SPLIT 112;
    avg_ascent_rate 1000.0 0.0 "m/s" SPLIT 113;
    max_ascent_rate 1000.0 0.0 "m/s" SPLIT 114;
    avg_descent_rate 1000.0 0.0 "m/s" SPLIT 115;
    max_descent_rate 1000.0 0.0 "m/s" SPLIT 116;
    total_ascent_time 1000.0 0.0 "s" SPLIT 117;
    total_descent_time 1000.0 0.0 "s" SPLIT 118;
    total_hang_time 1000.0 0.0 "s" SPLIT 119;
    apnea_discipline 1.0 0.0 "" SPLIT 120;
    total_anaerobic_training_effect 10.0 0.0 "" SPLIT 168;
};

/// What the profile says of a field that the model has no place for.
pub fn summary_field(message: u16, number: u8) -> Option<&'static SummaryField> {
    FIELDS.iter().find(|field| field.places.contains(&(message, number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_has_two_meanings() {
        let mut places: Vec<(u16, u8)> = FIELDS.iter().flat_map(|field| field.places).copied().collect();
        let shown = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), shown);
        let doubled: Vec<_> = places.iter().filter(|(message, number)| is_told(*message, *number)).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
    }
}
