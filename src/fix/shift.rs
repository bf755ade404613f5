//! What only the user can know: a recorder whose clock was wrong.

use super::zone::span_text;
use crate::error::{Error, Kind, Place, Result};
use crate::model::{Activity, time};
use crate::report::Code;

const SHIFTED: Code = Code::info("time.shifted");

/// How the user wants times moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// By so many milliseconds.
    By(i64),
    /// So that the activity starts at this instant, ms UTC.
    To(i64),
}

impl Shift {
    /// Reads a duration: `+1h`, `-30m`, `2h30m`, `-1d12h`, `90s`, `-1:30`, `1:30:15`.
    ///
    /// # Errors
    /// `Usage` for anything else.
    pub fn by(text: &str) -> Result<Shift> {
        let wrong =
            || Error::new(Kind::Usage, format!("no duration: \"{text}\"; write for instance +1h, -30m or 1:30:00"));
        let trimmed = text.trim();
        let (sign, rest) = match trimmed.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let seconds = if rest.contains(':') { clock(rest) } else { units(rest) }.ok_or_else(wrong)?;
        Ok(Shift::By(sign * seconds * 1000))
    }

    /// Reads a start: a date and time, with `Z` or an offset; one without is local time at `offset_s` seconds from UTC.
    ///
    /// # Errors
    /// `Usage` for anything else.
    pub fn to(text: &str, offset_s: i32) -> Result<Shift> {
        let instant = time::parse(text.as_bytes()).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("no date and time: \"{text}\"; write for instance 2024-05-01T09:12:00+02:00"),
            )
        })?;
        let local = if instant.stamp == time::Stamp::Naive { i64::from(offset_s) * 1000 } else { 0 };
        Ok(Shift::To(instant.ms - local))
    }
}

fn clock(text: &str) -> Option<i64> {
    let mut seconds = 0;
    let fields: Vec<&str> = text.split(':').collect();
    let scale = if fields.len() == 2 { 60 } else { 1 };
    if fields.len() > 3 {
        return None;
    }
    for field in fields {
        seconds = seconds * 60 + i64::from(field.parse::<u32>().ok().filter(|n| *n < 1_000_000)?);
    }
    Some(seconds * scale)
}

fn units(text: &str) -> Option<i64> {
    let (mut seconds, mut number) = (0i64, None::<i64>);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    (number.is_none() && seconds < 1_000_000_000_000 && !text.is_empty()).then_some(seconds)
}

/// Moves an activity and notes it. Its local offset stays: a wrong clock is no other zone.
///
/// # Errors
/// `Usage` when a start is wanted for an activity without any time, or the result leaves the years 1 to 9999.
pub fn shift(activity: &mut Activity, shift: Shift) -> Result<()> {
    const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;
    let span = activity.span();
    let ms = match (shift, span) {
        (Shift::By(ms), _) => ms,
        (Shift::To(start), Some((from, _))) => start - from,
        (Shift::To(_), None) => return Err(Error::new(Kind::Usage, "it has no time of day that could be moved")),
    };
    if span.is_some_and(|(from, to)| !YEARS.contains(&(from + ms)) || !YEARS.contains(&(to + ms))) {
        return Err(Error::new(Kind::Usage, "moved out of the years 1 to 9999"));
    }
    activity.shift(ms);
    activity.notes.add(SHIFTED, Place::NOWHERE, || {
        format!("moved {} {} by the user", if ms < 0 { "back by" } else { "forward by" }, span_text(ms))
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::{SettleOptions, settle};
    use crate::model::Draft;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("+1h", 3600),
            ("-30m", -1800),
            ("2h30m", 9000),
            ("-1d12h", -129_600),
            ("90s", 90),
            ("-1:30", -5400),
            ("1:30:15", 5415),
            ("1024w", 619_315_200),
        ] {
            assert_eq!(Shift::by(text).unwrap(), Shift::By(seconds * 1000), "{text}");
        }
        for text in ["", "1", "h", "1y", "1:2:3:4", "+-1h", "99999999999999999999h", "9999999999999w"] {
            assert!(Shift::by(text).is_err(), "{text}");
        }
    }

    #[test]
    fn starts_are_instants_or_local_time() {
        let utc = time::parse(b"2024-05-01T07:12:00Z").unwrap().ms;
        assert_eq!(Shift::to("2024-05-01T07:12:00Z", 7200).unwrap(), Shift::To(utc));
        assert_eq!(Shift::to("2024-05-01 09:12:00", 7200).unwrap(), Shift::To(utc));
        assert!(Shift::to("tomorrow", 0).is_err());
    }

    #[test]
    fn everything_moves_together() {
        let mut draft = Draft::new();
        draft.recording.track.push(1000);
        draft.recording.track.push(5000);
        draft.recording.stated_start = Some(1000);
        let mut activity = settle(draft, &SettleOptions::default());
        shift(&mut activity, Shift::To(61_000)).unwrap();
        assert_eq!(
            (activity.track.times(), activity.stated_start, activity.shift_ms),
            (&[61_000, 65_000][..], Some(61_000), 60_000)
        );
        assert!(shift(&mut activity, Shift::By(i64::MAX / 4)).is_err());
        let mut empty = settle(Draft::new(), &SettleOptions::default());
        assert!(shift(&mut empty, Shift::To(0)).is_err());
    }
}
