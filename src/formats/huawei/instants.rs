//! What the times of HiTrack lines mean: milliseconds, seconds, seconds of the day, seconds since the start (huawei.md section 4).

use super::lines::{Lines, Pair};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// Larger numbers are milliseconds since 1970, smaller ones seconds.
const MS_FROM: f64 = 1e11;
/// Smaller numbers are no instants but seconds since midnight or since the start: a week of them.
const RELATIVE_BELOW: f64 = 604_800.0;
/// 10000-01-01.
const END_MS: f64 = 253_402_300_800_000.0;

/// An instant as written since about 2018: ms or s since 1970. `None` for seconds of the day and for nonsense.
pub(super) fn absolute(value: f64) -> Option<i64> {
    let ms = if value > MS_FROM { value } else { value * 1000.0 };
    (value >= RELATIVE_BELOW && ms < END_MS).then_some(ms.round() as i64)
}

/// The clock of one activity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instants {
    /// Start, ms; 0 when nothing in the file tells it.
    pub start: i64,
    /// True when small numbers count from the midnight (UTC) before the start, as in files since April 2021.
    of_day: bool,
}

impl Instants {
    /// From the stated start, else from the earliest instant of any line.
    pub(super) fn of(lines: &Lines, stated: Option<i64>) -> Instants {
        let series = [&lines.heart, &lines.steps, &lines.altitude, &lines.cadence];
        let first = |pairs: &Vec<Pair>| pairs.iter().filter_map(|pair| absolute(pair.k)).min();
        let beats = || series.into_iter().filter_map(first).min();
        let fixes = || lines.fixes.iter().filter_map(|fix| absolute(fix.t)).min();
        let of_day = lines.fixes.iter().any(|fix| fix.t > 0.0 && fix.t < RELATIVE_BELOW);
        Instants { start: stated.or_else(beats).or_else(fixes).unwrap_or(0), of_day }
    }

    /// The instant of a position; `None` for 0, which means that there is none.
    pub(super) fn of_fix(&self, t: f64) -> Option<i64> {
        if t > 0.0 && t < RELATIVE_BELOW { Some(self.of_day(t)) } else { absolute(t) }
    }

    /// The instant of a value whose key should be absolute.
    pub(super) fn of_value(&self, k: f64) -> Option<i64> {
        match k {
            k if !(0.0..RELATIVE_BELOW).contains(&k) => absolute(k),
            k if self.of_day => Some(self.of_day(k)),
            k => Some(self.after(k)),
        }
    }

    /// The instant of a value whose key counts from the start.
    pub(super) fn of_relative(&self, k: f64) -> Option<i64> {
        if (0.0..RELATIVE_BELOW).contains(&k) { Some(self.after(k)) } else { absolute(k) }
    }

    /// That many seconds after the start.
    pub(super) fn after(&self, seconds: f64) -> i64 {
        self.start.saturating_add((seconds * 1000.0).round() as i64)
    }

    /// Seconds since the midnight before the start; more than a day after it in a night, or beginning anew.
    fn of_day(&self, seconds: f64) -> i64 {
        let ms = self.start - self.start.rem_euclid(DAY_MS) + (seconds * 1000.0).round() as i64;
        if ms < self.start - DAY_MS / 2 { ms + DAY_MS } else { ms }
    }

    /// How far the first times are to be moved: they carry the wrong hour (Watch 2) when they differ from the start by whole
    /// hours and the next ones do not. Gives the count and the shift, ms.
    pub(super) fn wrong_hour(&self, times: &[i64]) -> Option<(usize, i64)> {
        const NEAR_MS: i64 = 120_000;
        let whole = |ms: i64| (ms + ms.signum() * HOUR_MS / 2) / HOUR_MS * HOUR_MS;
        let off = whole(times.first()? - self.start);
        if off == 0 || off.abs() > DAY_MS || (times.first()? - self.start - off).abs() > NEAR_MS {
            return None;
        }
        let turn = times.windows(2).position(|pair| whole(pair[1] - pair[0]) == -off)?;
        let next = times.get(turn + 1)?;
        (whole(next - self.start).abs() < off.abs()).then_some((turn + 1, -off))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_618_959_600_000; // 2021-04-20T23:00:00Z

    fn instants(of_day: bool) -> Instants {
        Instants { start: START, of_day }
    }

    #[test]
    fn every_spelling_of_an_instant_is_understood() {
        let clock = instants(true);
        assert_eq!(clock.of_fix(1.543646826E9), Some(1_543_646_826_000));
        assert_eq!(clock.of_fix(1.551547692E12), Some(1_551_547_692_000));
        assert_eq!(clock.of_fix(0.0), None);
        // Seconds of the day: at the start, beyond midnight, and beginning anew behind it.
        assert_eq!(clock.of_fix(82_800.0), Some(START));
        assert_eq!(clock.of_fix(86_410.0), Some(START + 3_610_000));
        assert_eq!(clock.of_fix(10.0), Some(START + 3_610_000));
        assert_eq!(instants(false).of_value(10.0), Some(START + 10_000));
        assert_eq!(instants(false).of_relative(10.0), Some(START + 10_000));
        assert_eq!((clock.of_fix(f64::NAN), clock.of_value(-5.0), clock.of_relative(1e300)), (None, None, None));
    }

    #[test]
    fn only_the_first_points_can_have_the_wrong_hour() {
        let clock = instants(false);
        let late = [START + 3_602_000, START + 3_604_000, START + 6_000, START + 8_000];
        assert_eq!(clock.wrong_hour(&late), Some((2, -3_600_000)));
        let early = [START - 7_200_000 + 500, START + 3_000];
        assert_eq!(clock.wrong_hour(&early), Some((1, 7_200_000)));
        assert_eq!(clock.wrong_hour(&[START, START + 3_600_000, START + 3_605_000]), None);
        assert_eq!(clock.wrong_hour(&[START + 3_600_000, START + 3_605_000]), None, "all of them: a late fix");
        assert_eq!(clock.wrong_hour(&[]), None);
    }
}
