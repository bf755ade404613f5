//! Instants as text. Inside, every instant is `i64` milliseconds since the Unix epoch, UTC.

/// Seconds between the Unix epoch and the FIT epoch, 1989-12-31T00:00:00Z.
pub const FIT_EPOCH_S: i64 = 631_065_600;

/// What a date-time text says about its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stamp {
    /// It ended in `Z`.
    Zulu,
    /// It carried an offset from UTC, in seconds.
    Offset(i32),
    /// It said nothing: a wall clock somewhere.
    Naive,
}

/// A parsed date-time: the instant (a naive one is read as if it were UTC) and what it said about its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// Milliseconds since the Unix epoch; fractions are rounded to milliseconds.
    pub ms: i64,
    /// What the text said about the zone.
    pub stamp: Stamp,
}

/// Days since the Unix epoch of a proleptic Gregorian date (Howard Hinnant's `days_from_civil`).
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Year, month, day of a day count since the Unix epoch.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// Days in a month of a year.
pub fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Milliseconds since the epoch of a civil date and time read as UTC; `None` when a field is out of range.
pub fn from_civil(year: i64, month: u32, day: u32, hour: u32, minute: u32, second: u32, ms: u32) -> Option<i64> {
    let sane = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour <= 24
        && minute <= 59
        && second <= 60
        && ms < 1000
        && (hour < 24 || (minute == 0 && second == 0 && ms == 0));
    if !sane {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some((days_from_civil(year, month, day) * 86_400 + seconds) * 1000 + i64::from(ms))
}

/// Reads an ISO 8601 date-time as XML, JSON and CSV files write it: `2024-05-01T07:12:00.123456+02:00`, `Z`, `+0200`,
/// `+02`, nothing; a blank instead of `T`; a comma as decimal mark; surrounding blanks. Rounds to milliseconds.
/// Returns `None` for anything else, dates without a time included.
pub fn parse(text: &[u8]) -> Option<Instant> {
    let text = text.trim_ascii();
    let [y0, y1, y2, y3, b'-' | b'/', m0, m1, b'-' | b'/', d0, d1, b'T' | b't' | b' ', h0, h1, b':', n0, n1, rest @ ..] =
        text
    else {
        return None;
    };
    let two = |a: &u8, b: &u8| -> Option<u32> { Some(digit(*a)? * 10 + digit(*b)?) };
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let (second, rest) = match rest {
        [b':', s0, s1, rest @ ..] => (two(s0, s1)?, rest),
        rest => (0, rest),
    };
    let (fraction_ms, rest) = match rest {
        [b'.' | b',', rest @ ..] => fraction(rest),
        rest => (0, rest),
    };
    let whole = from_civil(year.into(), two(m0, m1)?, two(d0, d1)?, two(h0, h1)?, two(n0, n1)?, second, 0)?;
    let stamp = zone(rest.trim_ascii())?;
    let offset = if let Stamp::Offset(seconds) = stamp { i64::from(seconds) } else { 0 };
    Some(Instant { ms: whole + i64::from(fraction_ms) - offset * 1000, stamp })
}

/// Digits after the decimal mark as rounded milliseconds (0 to 1000), and what follows them.
fn fraction(text: &[u8]) -> (u32, &[u8]) {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let at = |i: usize| if i < digits { u32::from(text[i] - b'0') } else { 0 };
    let ms = at(0) * 100 + at(1) * 10 + at(2) + u32::from(at(3) >= 5);
    (ms, &text[digits..])
}

fn zone(text: &[u8]) -> Option<Stamp> {
    let (sign, digits) = match text {
        [] => return Some(Stamp::Naive),
        // Programs that append a `Z` to what says its zone already.
        [b'Z' | b'z'] | b"UTC" | b"GMT" | b"+UTC" | b"+00:00Z" => return Some(Stamp::Zulu),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let two = |a: u8, b: u8| -> Option<i32> { Some((digit(a)? * 10 + digit(b)?) as i32) };
    let (hours, minutes) = match *digits {
        [h] => (digit(h)? as i32, 0),
        [a, b] => (two(a, b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] | [a, b, b':', c, d, b':', _, _] => (two(a, b)?, two(c, d)?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then_some(Stamp::Offset(sign * (hours * 3600 + minutes * 60)))
}

fn digit(byte: u8) -> Option<u32> {
    let value = byte.wrapping_sub(b'0');
    (value <= 9).then_some(u32::from(value))
}

/// Appends `2024-05-01T07:12:00Z`; milliseconds appear when they are not zero, or always with `always_ms`.
/// Years outside 0 to 9999 are clamped to that range (the model never holds them).
pub fn write_utc(out: &mut Vec<u8>, ms: i64, always_ms: bool) {
    const YEAR_0: i64 = -62_167_219_200_000;
    const YEAR_9999_END: i64 = 253_402_300_799_999;
    let ms = ms.clamp(YEAR_0, YEAR_9999_END);
    let (seconds, fraction) = (ms.div_euclid(1000), ms.rem_euclid(1000) as u32);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u32);
    let (year, month, day) = civil_from_days(days);
    let pair = |v: u32| [b'0' + (v / 10) as u8, b'0' + (v % 10) as u8];
    let [y0, y1] = pair(year as u32 / 100);
    let [y2, y3] = pair(year as u32 % 100);
    let [mo0, mo1] = pair(month);
    let [d0, d1] = pair(day);
    let [h0, h1] = pair(of_day / 3600);
    let [mi0, mi1] = pair(of_day / 60 % 60);
    let [s0, s1] = pair(of_day % 60);
    out.extend_from_slice(&[y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1]);
    if fraction > 0 || always_ms {
        let [f1, f2] = pair(fraction % 100);
        out.extend_from_slice(&[b'.', b'0' + (fraction / 100) as u8, f1, f2]);
    }
    out.push(b'Z');
}

/// `2024-05-01T07:12:00Z`, with milliseconds only when they are not zero.
pub fn utc(ms: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_utc(&mut out, ms, false);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<i64> {
        parse(text.as_bytes()).map(|i| i.ms)
    }

    // Expectations from `date -u -d ... +%s`.
    #[test]
    fn reads_the_spellings_of_real_files() {
        let base = 1_714_547_520_000; // 2024-05-01T07:12:00Z
        for text in [
            "2024-05-01T07:12:00Z",
            " 2024-05-01 07:12:00z ",
            "2024-05-01T09:12:00+02:00",
            "2024-05-01T09:12:00+0200",
            "2024-05-01T09:12:00+02",
            "2024-05-01T07:12:00+00:00Z",
            "2024-05-01T07:12Z",
            "2024/05/01 07:12:00",
            "2024-05-01T01:42:00-05:30",
        ] {
            assert_eq!(ms(text), Some(base), "{text}");
        }
        assert_eq!(ms("2024-05-01T07:12:00.5Z"), Some(base + 500));
        assert_eq!(ms("2024-05-01T07:12:00,123456Z"), Some(base + 123));
        assert_eq!(ms("2024-05-01T07:12:00.1239999+00:00"), Some(base + 124));
        assert_eq!(ms("2024-05-01T07:12:00.9996Z"), Some(base + 1000));
        assert_eq!(parse(b"2024-05-01T07:12:00").unwrap().stamp, Stamp::Naive);
        assert_eq!(parse(b"2024-05-01T09:12:00+02:00").unwrap().stamp, Stamp::Offset(7200));
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in [
            "",
            "2024-05-01",
            "2024-13-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "+052870-03-11T00:00:00Z",
            "yesterday",
            "2024-05-01T25:00:00Z",
            "2024-05-01T07:12:00 o'clock",
            "2024-05-01T07:12:00+99:00",
            "2024-05-01T09:12:00+02:00Z",
        ] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn text_round_trips_over_centuries() {
        for t in (-2_000_000_000_000..4_000_000_000_000).step_by(8_639_998_713) {
            assert_eq!(ms(&utc(t)), Some(t), "{}", utc(t));
        }
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(utc(FIT_EPOCH_S * 1000 + 7), "1989-12-31T00:00:00.007Z");
    }
}
