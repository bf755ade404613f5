//! Workouts of which only the day is known: matched by day, time and energy, never by overlap.

use super::evidence::{Reason, two_numbers};
use super::family::{Kinship, kinship};
use super::fingerprint::Fingerprint;
use super::judge::{Judgement, Verdict};
use crate::model::time::days_from_civil;

/// Judges two activities of which at least one has no clock time.
pub(super) fn day_only(a: &Fingerprint, b: &Fingerprint) -> Judgement {
    let mut reasons = Vec::new();
    let mut add =
        |code: &'static str, score: f64, text: String| reasons.push(Reason { code: code.into(), score, text });
    let (days_a, days_b) = (days(a), days(b));
    let common = days_a.iter().any(|day| days_b.contains(day));
    let mut verdict = Verdict::Different;
    if !common {
        add("day", -6.0, "on two days".to_owned());
    } else if kinship(a.sport, b.sport) == Kinship::Conflict {
        add("sport", -6.0, "two sports".to_owned());
    } else {
        add("day", 0.5, "on one day".to_owned());
        let mut agree = 0;
        let mut differ = 0;
        // Both clocks of a workout count: a diary holds the time in motion as often as the whole.
        let times = |f: &Fingerprint| [f.totals.timer_s, f.totals.elapsed_s, f.duration_s()];
        let (times_a, times_b) = (times(a), times(b));
        let near =
            times_a.iter().flatten().flat_map(|x| times_b.iter().flatten().map(move |y| (x - y).abs() / x.max(*y)));
        match near.reduce(f64::min) {
            Some(apart) if apart <= 0.02 => {
                agree += 1;
                add("time", 1.0, "equal length".to_owned());
            }
            Some(_) => {
                differ += 1;
                add("time", -2.0, "two lengths".to_owned());
            }
            None => {}
        }
        for (code, what, x, y, share) in [
            ("totals", "energy", a.totals.calories_kcal, b.totals.calories_kcal, 0.02),
            ("distance", "distance", a.totals.distance_m, b.totals.distance_m, 0.02),
        ] {
            let (Some(x), Some(y)) = (x, y) else { continue };
            if (x - y).abs() <= share * x.max(y) {
                agree += 1;
                add(code, 1.0, format!("equal {what}"));
            } else {
                differ += 1;
                add(code, -1.0, format!("{what} of {x:.0} and {y:.0}"));
            }
        }
        let numbers = two_numbers(a, b);
        if let Some(text) = &numbers {
            add("platform", -2.0, text.clone());
        }
        verdict = match (agree, differ) {
            (2.., 0) if numbers.is_some() => Verdict::Unsure,
            _ if numbers.is_some() => Verdict::Different,
            (2.., 0) => Verdict::Same,
            (1.., 0) | (2.., 1) => Verdict::Unsure,
            _ => Verdict::Different,
        };
    }
    let score = reasons.iter().map(|reason| reason.score).sum();
    Judgement {
        verdict,
        score,
        reasons,
        shift_s: 0,
        lag_s: 0.0,
        faulty: None,
        contradicted: verdict == Verdict::Different || two_numbers(a, b).is_some(),
    }
}

/// The days (since the epoch) on which an activity may have been: its own; else the local day of its start, with the
/// neighbours that another zone would make of it when the zone is unknown.
pub(super) fn days(f: &Fingerprint) -> Vec<i64> {
    match &f.day {
        Some(day) => day_number(day).into_iter().collect(),
        None => days_of(f.start, f.offset_s),
    }
}

/// The same for one that starts at an instant (ms UTC), with the local offset (seconds) when it is known.
pub(super) fn days_of(start: Option<i64>, offset_s: Option<i32>) -> Vec<i64> {
    let Some(start) = start else { return Vec::new() };
    let hours: &[i64] = if offset_s.is_some() { &[0] } else { &[-12, 0, 14] };
    let local = start.div_euclid(1000) + i64::from(offset_s.unwrap_or(0));
    let mut days: Vec<i64> = hours.iter().map(|hour| (local + hour * 3600).div_euclid(86_400)).collect();
    days.dedup();
    days
}

/// Days since the epoch of `YYYY-MM-DD`. `None` for what is no day: a file may say anything.
pub(super) fn day_number(day: &str) -> Option<i64> {
    let mut parts = day.splitn(3, '-').map(str::parse::<u32>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let real = year <= 9999 && (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then(|| days_from_civil(i64::from(year), month, day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedupe::Numbers;
    use crate::ids::ActivityId;

    #[test]
    fn what_is_no_day_has_no_number() {
        assert_eq!(day_number("1970-01-02"), Some(1));
        assert_eq!(day_number("2024-02-29"), Some(19_782));
        for odd in ["", "1970-01", "1970-00-01", "1970-13-01", "1970-01-00", "1970-01-32", "-1-01-01", "10000-01-01"] {
            assert_eq!(day_number(odd), None, "{odd}");
        }
        assert_eq!(day_number("9223372036854775807-01-01"), None);
    }

    fn diary(id: u8, day: &str, minutes: f64, kcal: Option<f64>) -> Fingerprint {
        Fingerprint {
            id: ActivityId([id; 16]),
            day: Some(day.into()),
            totals: Numbers { elapsed_s: Some(minutes * 60.0), calories_kcal: kcal, ..Numbers::default() },
            ..Fingerprint::default()
        }
    }

    fn timed(id: u8, start: i64, minutes: i64, kcal: Option<f64>) -> Fingerprint {
        Fingerprint {
            id: ActivityId([id; 16]),
            start: Some(start),
            end: Some(start + minutes * 60_000),
            totals: Numbers { calories_kcal: kcal, ..Numbers::default() },
            ..Fingerprint::default()
        }
    }

    #[test]
    fn a_diary_row_is_matched_by_day_time_and_energy() {
        let row = diary(1, "2024-05-01", 60.0, Some(640.0));
        let verdict = |other: Fingerprint| day_only(&row, &other).verdict;
        let noon = 1_714_564_800_000; // 2024-05-01T12:00:00Z
        assert_eq!(verdict(timed(2, noon, 60, Some(645.0))), Verdict::Same);
        assert_eq!(verdict(timed(2, noon, 60, None)), Verdict::Unsure);
        assert_eq!(verdict(timed(2, noon, 60, Some(300.0))), Verdict::Different);
        assert_eq!(verdict(timed(2, noon, 45, None)), Verdict::Different);
        assert_eq!(verdict(timed(2, noon + 3 * 86_400_000, 60, Some(640.0))), Verdict::Different);
        assert_eq!(verdict(diary(2, "2024-05-01", 60.0, Some(640.0))), Verdict::Same);
        assert_eq!(verdict(diary(2, "2024-05-02", 60.0, Some(640.0))), Verdict::Different);
    }

    #[test]
    fn the_day_of_an_unknown_zone_is_one_of_its_neighbours() {
        let late = timed(1, 1_714_604_400_000, 60, None); // 2024-05-01T23:00:00Z
        assert_eq!(days(&late), [19844, 19845]);
        let known = Fingerprint { offset_s: Some(7200), ..late };
        assert_eq!(days(&known), [19845]); // 2024-05-02 01:00 local
    }
}
