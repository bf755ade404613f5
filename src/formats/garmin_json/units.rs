//! Units of Garmin's export (garmin-export.md section 3): centimetres, milliseconds, centimetres a millisecond, kilojoules. The
//! measurements of a split say their unit.

use crate::json::Value;
use crate::model::Totals;

/// Kilojoules of a kilocalorie.
pub(super) const KILOCALORIE: f64 = 4.184;

/// Centimetres.
pub(super) fn metres(value: &Value) -> Option<f64> {
    value.f64().map(|cm| cm / 100.0)
}

/// Milliseconds.
pub(super) fn seconds(value: &Value) -> Option<f64> {
    value.f64().map(|ms| ms / 1000.0)
}

/// Centimetres a millisecond.
pub(super) fn speed(value: &Value) -> Option<f64> {
    value.f64().map(|cm_per_ms| cm_per_ms * 10.0)
}

/// A measurement in the model's unit; `Err` with a unit that is not known.
fn plain(value: f64, unit: &str) -> Result<f64, &str> {
    Ok(match unit {
        "CENTIMETER" => value / 100.0,
        "MILLISECOND" => value / 1000.0,
        "CENTIMETERS_PER_MILLISECOND" => value * 10.0,
        "KILOJOULE" => value / KILOCALORIE,
        "METER" | "SECOND" | "METERS_PER_SECOND" | "KILOCALORIE" | "BPM" | "RPM" | "WATT" | "CELSIUS" | "STEP"
        | "DIMENSIONLESS" | "DECIMAL_DEGREE" | "" => value,
        unit => return Err(unit),
    })
}

/// What the measurements of a split state.
pub(super) struct Measured {
    pub totals: Totals,
    /// Degrees.
    pub start_position: Option<(f64, f64)>,
    pub end_position: Option<(f64, f64)>,
    /// The first unit that is not known; its measurement is left out.
    pub unknown_unit: Option<String>,
}

/// Reads the measurements of a split.
pub(super) fn measured(measurements: &Value) -> Measured {
    let (mut totals, mut unknown) = (Totals::default(), None);
    let mut corners = [None; 4];
    for measurement in measurements.elements() {
        let (Some(field), Some(value)) = (measurement["fieldEnum"].str(), measurement["value"].f64()) else { continue };
        if measurement["valid"].bool() == Some(false) {
            continue;
        }
        let [lat, lon, end_lat, end_lon] = &mut corners;
        // Steps of both legs.
        let both = if field.ends_with("DOUBLE_CADENCE") { 2.0 } else { 1.0 };
        let slot = match field {
            "SUM_DISTANCE" => &mut totals.distance_m,
            "SUM_DURATION" => &mut totals.timer_s,
            "SUM_ELAPSEDDURATION" => &mut totals.elapsed_s,
            "SUM_MOVINGDURATION" => &mut totals.moving_s,
            "SUM_ENERGY" => &mut totals.calories_kcal,
            "SUM_STEP" => &mut totals.steps,
            "GAIN_ELEVATION" => &mut totals.ascent_m,
            "LOSS_ELEVATION" => &mut totals.descent_m,
            "MIN_ELEVATION" => &mut totals.min_altitude,
            "MAX_ELEVATION" => &mut totals.max_altitude,
            "WEIGHTED_MEAN_SPEED" => &mut totals.avg_speed,
            "MAX_SPEED" => &mut totals.max_speed,
            "WEIGHTED_MEAN_HEARTRATE" => &mut totals.avg_heart_rate,
            "MAX_HEARTRATE" => &mut totals.max_heart_rate,
            "MIN_HEARTRATE" => &mut totals.min_heart_rate,
            "WEIGHTED_MEAN_POWER" => &mut totals.avg_power,
            "MAX_POWER" => &mut totals.max_power,
            "WEIGHTED_MEAN_NORMALIZED_POWER" => &mut totals.normalized_power,
            "WEIGHTED_MEAN_RUNCADENCE" | "WEIGHTED_MEAN_BIKECADENCE" => &mut totals.avg_cadence,
            "MAX_RUNCADENCE" | "MAX_BIKECADENCE" => &mut totals.max_cadence,
            "WEIGHTED_MEAN_DOUBLE_CADENCE" if totals.avg_cadence.is_none() => &mut totals.avg_cadence,
            "MAX_DOUBLE_CADENCE" if totals.max_cadence.is_none() => &mut totals.max_cadence,
            "WEIGHTED_MEAN_AIRTEMPERATURE" => &mut totals.avg_temperature,
            "MAX_AIRTEMPERATURE" => &mut totals.max_temperature,
            "START_LATITUDE" => lat,
            "START_LONGITUDE" => lon,
            "END_LATITUDE" => end_lat,
            "END_LONGITUDE" => end_lon,
            _ => continue,
        };
        match plain(value, measurement["unitEnum"].str().unwrap_or_default()) {
            Ok(value) => *slot = Some(value / both),
            Err(unit) => unknown = unknown.or(Some(unit.to_owned())),
        }
    }
    let [lat, lon, end_lat, end_lon] = corners;
    Measured { totals, start_position: lat.zip(lon), end_position: end_lat.zip(end_lon), unknown_unit: unknown }
}
