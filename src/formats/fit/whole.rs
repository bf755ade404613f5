//! Sport and totals of the whole recording. FIT states them for sessions only: reader and writer agree here on what follows
//! from those. What a source states beyond that goes into developer fields of the `activity` message.

use super::profile::TOTALS;
use crate::model::{Session, Sport, SubSport, Totals};

/// A total of the whole that can have a field of its own in the `activity` message.
pub struct Total {
    /// Name of the field: that of the total in JSON.
    pub name: &'static str,
    /// Smallest difference that the sessions' field tells; `None` when they have no such field.
    pub step: Option<f64>,
    /// Reads the total.
    pub get: fn(&Totals) -> Option<f64>,
    /// Stores the total.
    pub set: fn(&mut Totals, f64),
}

/// All of them.
pub fn all() -> impl Iterator<Item = Total> {
    // Of two rows for one total the later one is better.
    let twice = |at: usize| TOTALS.get(at + 1).is_some_and(|next| next.name == TOTALS[at].name);
    let plain = TOTALS.iter().enumerate().filter(move |(at, _)| !twice(*at)).map(|(_, field)| {
        // Some have a fractional part in a field beside.
        let step = match field.name {
            "avg_cadence" | "max_cadence" => 1.0 / 128.0,
            "ascent_m" | "descent_m" => 1.0 / 100.0,
            _ => 1.0 / field.scale,
        };
        Total { name: field.name, step: Some(step), get: field.get, set: field.set }
    });
    let balance = Total {
        name: "left_right_balance",
        step: Some(0.01),
        get: |totals| totals.left_right_balance,
        set: |totals, value| totals.left_right_balance = Some(value),
    };
    let steps = Total {
        name: "steps",
        step: None,
        get: |totals| totals.steps,
        set: |totals, value| totals.steps = Some(value),
    };
    plain.chain([balance, steps])
}

/// Totals of the whole by its sessions: those of the only one; of several, sums and extremes (an average of averages says
/// nothing).
pub fn totals(sessions: &[Session]) -> Totals {
    if let [only] = sessions {
        return only.totals.clone();
    }
    let all = |get: fn(&Totals) -> Option<f64>| sessions.iter().filter_map(move |session| get(&session.totals));
    let sum = |get| all(get).reduce(|a, b| a + b);
    let max = |get| all(get).reduce(f64::max);
    let min = |get| all(get).reduce(f64::min);
    Totals {
        elapsed_s: sum(|t| t.elapsed_s),
        timer_s: sum(|t| t.timer_s),
        moving_s: sum(|t| t.moving_s),
        distance_m: sum(|t| t.distance_m),
        calories_kcal: sum(|t| t.calories_kcal),
        ascent_m: sum(|t| t.ascent_m),
        descent_m: sum(|t| t.descent_m),
        cycles: sum(|t| t.cycles),
        work_j: sum(|t| t.work_j),
        training_stress_score: sum(|t| t.training_stress_score),
        max_speed: max(|t| t.max_speed),
        max_heart_rate: max(|t| t.max_heart_rate),
        min_heart_rate: min(|t| t.min_heart_rate),
        max_cadence: max(|t| t.max_cadence),
        max_power: max(|t| t.max_power),
        max_temperature: max(|t| t.max_temperature),
        max_altitude: max(|t| t.max_altitude),
        min_altitude: min(|t| t.min_altitude),
        ..Totals::default()
    }
}

/// What the sessions claim as sport, but for transitions.
pub fn legs(sessions: &[Session]) -> impl Iterator<Item = (Sport, Option<SubSport>)> {
    sessions.iter().filter(|leg| leg.sport != Sport::TRANSITION).map(|leg| (leg.sport, leg.sub_sport))
}

/// The sport of all claims, or multisport; `None` without a claim.
pub fn sport(claims: impl Iterator<Item = (Sport, Option<SubSport>)>) -> Option<(Sport, Option<SubSport>)> {
    let claims: Vec<_> = claims.collect();
    let (first, rest) = claims.split_first()?;
    Some(match first {
        _ if rest.iter().all(|claim| claim == first) => *first,
        _ if rest.iter().all(|claim| claim.0 == first.0) => (first.0, None),
        _ => (Sport::MULTISPORT, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_total_has_a_field_of_its_own() {
        let mut totals = Totals::default();
        let mut names: Vec<&str> = Vec::new();
        for (at, total) in all().enumerate() {
            (total.set)(&mut totals, at as f64);
            assert_eq!((total.get)(&totals), Some(at as f64), "{}", total.name);
            names.push(total.name);
        }
        assert!(totals.each_mut().all(|value| value.is_some()), "{totals:?}");
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
