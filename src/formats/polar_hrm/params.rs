//! `[Params]`: version, monitor, what the columns are, when it began.

use super::text;
use crate::model::{Device, time};

/// `Interval=238`: each row is a beat-to-beat interval in milliseconds.
const BEATS: u32 = 238;
/// `Interval=204`: there is no grid of rows, only intermediate times.
const LAPS_ONLY: u32 = 204;

/// Metres in a foot.
const FOOT_M: f64 = 0.3048;
/// Metres in a mile.
const MILE_M: f64 = 1609.344;
/// Metres in a yard.
const YARD_M: f64 = 0.9144;
/// Kilograms in a pound.
const POUND_KG: f64 = 0.453_592_37;

/// How the rows of `[HRData]` are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grid {
    /// A row every so many milliseconds.
    Every(i64),
    /// A row a heart beat.
    Beats,
    /// Only lap times.
    LapsOnly,
}

/// Which columns follow the heart rate, and in which units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub speed: bool,
    pub cadence: bool,
    pub altitude: bool,
    pub power: bool,
    /// Pedalling index and left-right balance share a column.
    pub balance: bool,
    pub pressure: bool,
    /// Miles, feet, yards, pounds, °F.
    pub us_units: bool,
}

/// What `[Params]` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Params {
    pub version: u32,
    pub monitor: Option<u16>,
    pub columns: Columns,
    /// Year, month, day.
    pub date: Option<(i64, u32, u32)>,
    /// Milliseconds after midnight.
    pub start: Option<i64>,
    pub length_ms: Option<i64>,
    pub interval: Option<u32>,
    pub max_heart_rate: Option<u8>,
    pub resting_heart_rate: Option<u8>,
    pub start_delay_ms: i64,
    /// As written; the unit follows from the columns' units.
    pub weight: Option<f64>,
}

impl Params {
    /// Takes one line `key=value`.
    pub(super) fn take(&mut self, line: &str) {
        let Some((key, value)) = line.split_once('=') else { return };
        let value = value.trim();
        let positive = || value.parse::<u8>().ok().filter(|v| *v > 0);
        match key.trim().to_ascii_lowercase().as_str() {
            "version" => self.version = value.parse().unwrap_or(0),
            "monitor" => self.monitor = value.parse().ok(),
            "smode" => self.columns = s_mode(value),
            "mode" => self.columns = old_mode(value),
            "date" => self.date = date(value),
            "starttime" => self.start = text::clock(value),
            "length" => self.length_ms = text::clock(value),
            "interval" => self.interval = value.parse().ok(),
            "maxhr" => self.max_heart_rate = positive(),
            "resthr" => self.resting_heart_rate = positive(),
            "startdelay" => self.start_delay_ms = value.parse().unwrap_or(0),
            "weight" => self.weight = value.parse().ok().filter(|weight| *weight > 0.0),
            _ => {}
        }
    }

    /// Wall-clock start, ms read as if it were UTC. Midnight when only the date is known.
    pub(super) fn wall_start(&self) -> Option<i64> {
        let (year, month, day) = self.date?;
        Some(time::from_civil(year, month, day, 0, 0, 0, 0)? + self.start.unwrap_or(0))
    }

    pub(super) fn grid(&self) -> Option<Grid> {
        match self.interval? {
            0 => None,
            BEATS => Some(Grid::Beats),
            LAPS_ONLY => Some(Grid::LapsOnly),
            86_401.. => None,
            seconds => Some(Grid::Every(i64::from(seconds) * 1000)),
        }
    }

    /// Metres of an altitude as written: metres or feet, tens of them in version 102.
    pub(super) fn altitude_m(&self, raw: f64) -> f64 {
        raw * if self.columns.us_units { FOOT_M } else { 1.0 } * if self.version == 102 { 10.0 } else { 1.0 }
    }

    /// m/s of a speed in whole km/h or mph.
    pub(super) fn speed(&self, raw: f64) -> f64 {
        raw * if self.columns.us_units { MILE_M } else { 1000.0 } / 3600.0
    }

    /// Metres of a distance in whole km or miles.
    pub(super) fn long_m(&self, raw: f64) -> f64 {
        raw * if self.columns.us_units { MILE_M } else { 1000.0 }
    }

    /// Metres of a distance in metres or yards.
    pub(super) fn short_m(&self, raw: f64) -> f64 {
        raw * if self.columns.us_units { YARD_M } else { 1.0 }
    }

    /// °C of a temperature in tenths of °C or °F.
    pub(super) fn celsius(&self, tenths: f64) -> f64 {
        let degrees = tenths / 10.0;
        if self.columns.us_units { (degrees - 32.0) / 1.8 } else { degrees }
    }

    pub(super) fn weight_kg(&self) -> Option<f64> {
        Some(self.weight? * if self.columns.us_units { POUND_KG } else { 1.0 })
    }

    pub(super) fn device(&self) -> Device {
        // Converters write monitor 1, a watch of the eighties, for watches that have no code.
        let converted = self.monitor == Some(1) && self.date.is_some_and(|(year, ..)| year >= 2005);
        let product = self.monitor.filter(|_| !converted).and_then(monitor_name);
        Device { manufacturer: Some("polar".to_owned()), product: product.map(str::to_owned), ..Device::default() }
    }
}

/// What a line of `[Params]` says that no activity has a place for; nothing of what is 0.
pub(super) fn has_no_place(line: &str) -> Option<&'static str> {
    let (key, value) = line.split_once('=')?;
    if !value.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        return None;
    }
    match key.trim().to_ascii_lowercase().as_str() {
        "upper1" | "upper2" | "upper3" | "lower1" | "lower2" | "lower3" => Some("limits"),
        "timer1" | "timer2" | "timer3" => Some("timers"),
        "vo2max" => Some("VO2max"),
        _ => None,
    }
}

/// `SMode` (version 106 and later), left to right: speed, cadence, altitude, power, balance, pedalling index, HR or
/// HR+CC (WebSync writes 0 even with speed, so it is not asked), US units, air pressure.
fn s_mode(flags: &str) -> Columns {
    let flag = |i: usize| flags.as_bytes().get(i) == Some(&b'1');
    Columns {
        speed: flag(0),
        cadence: flag(1),
        altitude: flag(2),
        power: flag(3),
        balance: flag(4) || flag(5),
        us_units: flag(7),
        pressure: flag(8),
    }
}

/// `Mode` (up to version 105): what the third column is, heart rate only or cycling, US units.
fn old_mode(flags: &str) -> Columns {
    let digit = |i: usize| flags.as_bytes().get(i).copied();
    let cycling = digit(1) == Some(b'1');
    Columns {
        speed: cycling,
        cadence: cycling && digit(0) == Some(b'0'),
        altitude: digit(0) == Some(b'1'),
        us_units: digit(2) == Some(b'1'),
        ..Columns::default()
    }
}

fn date(text: &str) -> Option<(i64, u32, u32)> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u32 = text.parse().ok()?;
    let (year, month, day) = (i64::from(number / 10_000), number / 100 % 100, number % 100);
    ((1..=12).contains(&month) && (1..=time::days_in_month(year, month)).contains(&day)).then_some((year, month, day))
}

/// Monitor codes as other readers of the format know them.
fn monitor_name(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "Sport Tester / Vantage XL",
        2 => "Vantage NV",
        3 => "Accurex Plus",
        4 => "XTrainer Plus",
        6 => "S520",
        7 => "Coach",
        8 => "S210",
        9 => "S410",
        10 => "S510",
        11 => "S610",
        12 => "S710",
        13 => "S810",
        15 => "E600",
        20 => "AXN500",
        21 => "AXN700",
        22 => "S625X",
        23 => "S725",
        33 => "CS400",
        34 => "CS600X",
        35 => "CS600",
        36 => "RS400",
        37 => "RS800",
        38 => "RS800CX",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(lines: &[&str]) -> Params {
        let mut params = Params::default();
        lines.iter().for_each(|line| params.take(line));
        params
    }

    #[test]
    fn start_is_a_wall_clock() {
        let params = params(&["Date=20120106", "StartTime=5:57:01.5"]);
        assert_eq!(params.wall_start().map(time::utc).as_deref(), Some("2012-01-06T05:57:01.500Z"));
        assert_eq!(super::tests::params(&["Date=20120230"]).wall_start(), None);
    }

    #[test]
    fn flags_say_which_columns_follow() {
        assert_eq!(s_mode("11000000"), Columns { speed: true, cadence: true, ..Columns::default() });
        assert_eq!(s_mode("000000011"), Columns { us_units: true, pressure: true, ..Columns::default() });
        assert_eq!(s_mode("000001"), Columns { balance: true, ..Columns::default() });
        assert_eq!(old_mode("010"), Columns { speed: true, cadence: true, ..Columns::default() });
        assert_eq!(old_mode("111"), Columns { speed: true, altitude: true, us_units: true, ..Columns::default() });
        assert_eq!(old_mode("300"), Columns::default());
    }

    #[test]
    fn units_become_metric() {
        let us = params(&["Version=106", "SMode=10100001", "Weight=170"]);
        assert!((us.speed(15.0) - 6.7056).abs() < 1e-9);
        assert!((us.altitude_m(725.0) - 220.98).abs() < 1e-9);
        assert!((us.celsius(680.0) - 20.0).abs() < 1e-9);
        assert!((us.weight_kg().unwrap() - 77.110_703).abs() < 1e-6);
        assert_eq!(params(&["Version=102"]).altitude_m(12.0), 120.0);
        assert_eq!(params(&["Version=106"]).celsius(280.0), 28.0);
    }

    #[test]
    fn intervals_have_three_meanings() {
        let grid = |text: &str| params(&[text]).grid();
        assert_eq!(grid("Interval=15"), Some(Grid::Every(15_000)));
        assert_eq!(grid("Interval=238"), Some(Grid::Beats));
        assert_eq!(grid("Interval=204"), Some(Grid::LapsOnly));
        assert_eq!(grid("Interval=0"), None);
        assert_eq!(grid("Interval=4000000000"), None);
        assert_eq!(grid("Version=106"), None);
    }
}
