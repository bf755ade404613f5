//! Numbers, instants and words as real files write them.

use crate::json::short_decimal;
use crate::model::time::{self, Instant, Stamp};

/// What a text says as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A finite number.
    Value(f64),
    /// Nothing, or "not a number": not recorded.
    Absent,
    /// Something else.
    Bad,
}

/// Reads a decimal: sign, digits, point or comma, exponent, surrounding blanks and zeros. Correctly rounded.
#[inline]
pub fn number(text: &[u8]) -> Number {
    match short_decimal(text) {
        Some(value) => Number::Value(value),
        None => any_number(text),
    }
}

#[cold]
fn any_number(text: &[u8]) -> Number {
    let blank = |b: &u8| b.is_ascii_whitespace() || *b == 0;
    let Some(start) = text.iter().position(|b| !blank(b)) else { return Number::Absent };
    let end = text.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    let Ok(text) = std::str::from_utf8(&text[start..end]) else { return Number::Bad };
    if text == "null" {
        return Number::Absent;
    }
    let parsed = match text.parse::<f64>() {
        Err(_) if !text.contains('.') && text.matches(',').count() == 1 => text.replacen(',', ".", 1).parse(),
        parsed => parsed,
    };
    match parsed {
        Ok(value) if value.is_nan() => Number::Absent,
        Ok(value) if value.is_finite() => Number::Value(value),
        _ => Number::Bad,
    }
}

/// Reads instants; remembers the last date, because neighbours share it.
#[derive(Debug)]
pub struct Instants {
    date: [u8; 11],
    midnight: i64,
}

/// What no text has as its date.
const NO_DATE: [u8; 11] = [0xff; 11];

impl Default for Instants {
    fn default() -> Instants {
        Instants { date: NO_DATE, midnight: 0 }
    }
}

impl Instants {
    /// The instant that `text` states, as [`time::parse`] reads it.
    #[inline]
    pub fn read(&mut self, text: &[u8]) -> Option<Instant> {
        match self.leading(text) {
            Some((instant, length)) if length == text.len() => Some(instant),
            _ => self.slow(text),
        }
    }

    /// `…Thh:mm:ssZ` and `…Thh:mm:ss.fffZ` of the remembered date, at the beginning of a text. Returns how many bytes
    /// that is, too.
    #[inline]
    pub fn leading(&self, text: &[u8]) -> Option<(Instant, usize)> {
        let (date, clock) = text.split_first_chunk::<11>()?;
        let (&[h0, h1, b':', m0, m1, b':', s0, s1], rest) = clock.split_first_chunk::<8>()? else { return None };
        if *date != self.date {
            return None;
        }
        let (fraction, length) = match *rest {
            [b'Z', ..] => (0, 20),
            [b'.', f0, f1, f2, b'Z', ..] => (pair(b'0', f0)? * 100 + pair(f1, f2)?, 24),
            _ => return None,
        };
        let (hour, minute, second) = (pair(h0, h1)?, pair(m0, m1)?, pair(s0, s1)?);
        if hour >= 24 || minute >= 60 || second >= 60 {
            return None;
        }
        let ms = self.midnight + i64::from(((hour * 60 + minute) * 60 + second) * 1000 + fraction);
        Some((Instant { ms, stamp: Stamp::Zulu }, length))
    }

    #[cold]
    fn slow(&mut self, text: &[u8]) -> Option<Instant> {
        let instant = instant(text)?;
        if let (Some(date), Stamp::Zulu) = (text.first_chunk::<11>(), instant.stamp)
            && date[10] == b'T'
        {
            self.date = *date;
            self.midnight = instant.ms.div_euclid(86_400_000) * 86_400_000;
            // A clock of 24:00:00 or 23:59:60 belongs to the next day; such a text must not set the date.
            if self.leading(text) != Some((instant, text.len())) {
                self.date = NO_DATE;
            }
        }
        Some(instant)
    }
}

#[inline]
fn pair(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// The instant that a text states; zeros around it do not count.
pub fn instant(text: &[u8]) -> Option<Instant> {
    let start = text.iter().position(|&b| b != 0)?;
    let end = text.iter().rposition(|&b| b != 0)? + 1;
    time::parse(&text[start..end])
}

/// Words without surrounding blanks and without zeros and other control characters inside; `None` when nothing is left.
pub fn clean(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let kept: String = text.chars().filter(|&c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_decimals_equal_the_standard_parser() {
        let texts = [
            "0",
            "-0",
            "47",
            "47.1",
            "-0.000001",
            "8.5500000001",
            "9007199254740992",
            "9007199254740993",
            "1.",
            ".5",
            "0.1234567890123456",
            "123456789.123456789",
            "51.0054501052945852279663085937500",
            "-1e3",
            "1E-7",
            "+5",
        ];
        for text in texts {
            assert_eq!(number(text.as_bytes()), Number::Value(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn decimals_of_every_length_are_rounded_as_the_standard_parser_rounds() {
        let mut state = 1u64;
        for round in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut digits = format!("{:0width$}", state >> (round % 64), width = 1 + round % 30);
            digits.insert((state >> 7) as usize % (digits.len() + 1), '.');
            if digits.len() > 1 {
                assert_eq!(number(digits.as_bytes()), Number::Value(digits.parse().unwrap()), "{digits}");
            }
        }
    }

    #[test]
    fn numbers_of_real_files() {
        assert_eq!(number(b" 12,5\n"), Number::Value(12.5));
        assert_eq!(number(b"\x0085\0"), Number::Value(85.0));
        for absent in ["", "  ", "NaN", "nan", "\0", " null "] {
            assert_eq!(number(absent.as_bytes()), Number::Absent, "{absent:?}");
        }
        for bad in ["undefined", "1,234.5", "1,2,3", "--5", "-", ".", "1e999", "inf", "12 m", "0x10"] {
            assert_eq!(number(bad.as_bytes()), Number::Bad, "{bad:?}");
        }
    }

    #[test]
    fn instants_equal_the_plain_parser_whatever_came_before() {
        let texts = [
            "2024-05-01T07:12:00Z",
            "2024-05-01T07:12:01Z",
            "2024-05-01T07:12:01.250Z",
            "2024-05-01T24:00:00Z",
            "2024-05-01T00:00:00Z",
            "2024-05-01T23:59:60Z",
            "2024-05-01T23:59:59.999Z",
            "2024-05-01T09:12:00+02:00",
            "2024-05-01T07:12:00",
            "2024-05-01 07:12:00Z",
            "2024-05-01T07:12:00.1234567Z",
            "2024-05-02T00:00:00Z",
            "2024-05-02T00:60:00Z",
            "2024-05-02T0a:00:00Z",
            "2024-05-02T00:00:0",
            "",
            "2024-02-30T00:00:00Z",
        ];
        let mut instants = Instants::default();
        for first in texts {
            for second in texts {
                for text in [first, second] {
                    assert_eq!(instants.read(text.as_bytes()), time::parse(text.as_bytes()), "{first} {second}");
                }
            }
        }
        assert_eq!(instants.read(b"\0 2024-05-01T07:12:00Z \0").map(|i| i.ms), Some(1_714_547_520_000));
    }

    #[test]
    fn words_lose_only_what_nobody_sees() {
        assert_eq!(clean(" \nMorning\0 Run\t\u{1}2 \0").as_deref(), Some("Morning Run\t2"));
        assert_eq!(clean(" \0 "), None);
    }
}
