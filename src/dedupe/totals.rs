//! Stated totals of several recordings: missing ones filled in, or summed up over parts.

use crate::model::{Athlete, Totals, Zones};

macro_rules! or_else {
    ($to:expr, $from:expr; $($field:ident)+) => {
        $($to.$field = $to.$field.or($from.$field);)+
    };
}

/// Fills what is not stated.
pub(super) fn fill_athlete(to: &mut Athlete, from: &Athlete) {
    or_else!(to, from; gender age height_m weight_kg resting_heart_rate max_heart_rate);
}

/// Fills what is not stated. Bounds and the times between them stay together.
pub(super) fn fill_zones(to: &mut Zones, from: &Zones) {
    or_else!(to, from; max_heart_rate threshold_heart_rate resting_heart_rate threshold_power);
    if to.heart_rate_bounds.is_empty() && to.heart_rate_seconds.is_empty() {
        to.heart_rate_bounds.clone_from(&from.heart_rate_bounds);
        to.heart_rate_seconds.clone_from(&from.heart_rate_seconds);
    }
    if to.power_bounds.is_empty() && to.power_seconds.is_empty() {
        to.power_bounds.clone_from(&from.power_bounds);
        to.power_seconds.clone_from(&from.power_seconds);
    }
}

/// Totals of parts that follow each other: sums, extremes, and averages weighted by time. A sum that one part does not
/// state is not stated for the whole. What cannot be derived from the parts (normalized power, training effect and
/// load) is left out, and so is elapsed time, which includes the gaps: the caller knows it.
pub(super) fn joined(parts: &[&Totals]) -> Totals {
    let sum = |field: fn(&Totals) -> Option<f64>| -> Option<f64> {
        if parts.is_empty() { None } else { parts.iter().map(|part| field(part)).sum() }
    };
    let extreme = |field: fn(&Totals) -> Option<f64>, pick: fn(f64, f64) -> f64| -> Option<f64> {
        parts.iter().filter_map(|part| field(part)).reduce(pick)
    };
    let weighted = |field: fn(&Totals) -> Option<f64>| -> Option<f64> {
        let (mut total, mut weight) = (0.0, 0.0);
        for part in parts {
            let time = part.timer_s.or(part.elapsed_s)?;
            total += field(part)? * time;
            weight += time;
        }
        (weight > 0.0).then(|| total / weight)
    };
    Totals {
        timer_s: sum(|t| t.timer_s),
        moving_s: sum(|t| t.moving_s),
        distance_m: sum(|t| t.distance_m),
        calories_kcal: sum(|t| t.calories_kcal),
        ascent_m: sum(|t| t.ascent_m),
        descent_m: sum(|t| t.descent_m),
        cycles: sum(|t| t.cycles),
        work_j: sum(|t| t.work_j),
        steps: sum(|t| t.steps),
        avg_speed: weighted(|t| t.avg_speed),
        avg_heart_rate: weighted(|t| t.avg_heart_rate),
        avg_cadence: weighted(|t| t.avg_cadence),
        avg_power: weighted(|t| t.avg_power),
        avg_temperature: weighted(|t| t.avg_temperature),
        avg_altitude: weighted(|t| t.avg_altitude),
        max_speed: extreme(|t| t.max_speed, f64::max),
        max_heart_rate: extreme(|t| t.max_heart_rate, f64::max),
        min_heart_rate: extreme(|t| t.min_heart_rate, f64::min),
        max_cadence: extreme(|t| t.max_cadence, f64::max),
        max_power: extreme(|t| t.max_power, f64::max),
        max_temperature: extreme(|t| t.max_temperature, f64::max),
        max_altitude: extreme(|t| t.max_altitude, f64::max),
        min_altitude: extreme(|t| t.min_altitude, f64::min),
        threshold_power: extreme(|t| t.threshold_power, f64::max),
        ..Totals::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_need_every_part_and_averages_are_weighted() {
        let totals = |timer, distance, hr, max| Totals {
            timer_s: Some(timer),
            distance_m: distance,
            avg_heart_rate: Some(hr),
            max_heart_rate: max,
            normalized_power: Some(200.0),
            ..Totals::default()
        };
        let (a, b) = (totals(600.0, Some(2000.0), 120.0, Some(150.0)), totals(1800.0, Some(5000.0), 140.0, None));
        let both = joined(&[&a, &b]);
        assert_eq!((both.timer_s, both.distance_m), (Some(2400.0), Some(7000.0)));
        assert_eq!((both.avg_heart_rate, both.max_heart_rate), (Some(135.0), Some(150.0)));
        assert_eq!((both.normalized_power, both.elapsed_s), (None, None));
        assert_eq!(joined(&[&a, &totals(10.0, None, 100.0, None)]).distance_m, None);
    }
}
