//! What the name of a file tells: the local time of its start, and sometimes the offset from UTC.

use crate::model::{Clock, Evidence, time};

/// What a name says about a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    /// Wall clock, ms read as if it were UTC.
    wall: i64,
    /// Offset from UTC that stands behind it, seconds.
    offset_s: Option<i32>,
}

/// Takes over what the name tells and the file does not. A name in UTC (`…Z`) tells nothing about local time.
pub(super) fn heed(name: &str, clock: &mut Clock) {
    let Some(start) = start(name) else { return };
    clock.wall_start = clock.wall_start.or(Some(start.wall));
    if let (None, Some(offset)) = (clock.offset_s, start.offset_s) {
        (clock.offset_s, clock.evidence) = (Some(offset), Evidence::Archive);
    }
}

/// The first date and time in the last part of a name: `2024-05-01_0912`, `20240501T091200`, `2020-12-02T06_08_29-300`.
fn start(name: &str) -> Option<Start> {
    let file = name.rsplit(['/', '\\']).next()?.as_bytes();
    (0..file.len()).filter(|&at| at == 0 || !file[at - 1].is_ascii_digit()).find_map(|at| start_at(&file[at..]))
}

fn start_at(text: &[u8]) -> Option<Start> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(skip(rest, b"-_."), 2)?;
    let (day, rest) = number(skip(rest, b"-_."), 2)?;
    let between = skip(rest, b"-_T ");
    // The date must end before the time begins, or be followed by it at once as in 20240501091200.
    let (hour, rest) = number(between, 2)?;
    let (minute, rest) = number(skip(rest, b"-_.:h"), 2)?;
    let (second, rest) = match number(skip(rest, b"-_.:m"), 2) {
        // A second number may also be the sign and hours of an offset: those have no digits' pair before the sign.
        Some((second, tail)) if second < 60 && !tail.first().is_some_and(u8::is_ascii_digit) => (second, tail),
        _ => (0, rest),
    };
    if rest.first().is_some_and(u8::is_ascii_digit) || rest.first() == Some(&b'Z') || !(1990..2100).contains(&year) {
        return None;
    }
    let wall = time::from_civil(year.into(), month, day, hour, minute, second, 0)?;
    Some(Start { wall, offset_s: offset(rest) })
}

/// `+0200`, `-300`, `+02:00` at the end of the time; anything else is no offset.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let value = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<i32>().ok();
    let (hours, minutes, end) = match digits {
        3 => (value(&rest[..1])?, value(&rest[1..3])?, 3),
        4 => (value(&rest[..2])?, value(&rest[2..4])?, 4),
        2 if rest.get(2) == Some(&b':') => (value(&rest[..2])?, value(rest.get(3..5)?)?, 5),
        _ => return None,
    };
    let ends = rest.get(end).is_none_or(|b| !b.is_ascii_alphanumeric());
    (ends && hours <= 14 && minutes % 15 == 0 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn number(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    if !head.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((std::str::from_utf8(head).ok()?.parse().ok()?, rest))
}

fn skip<'a>(text: &'a [u8], marks: &[u8]) -> &'a [u8] {
    match text {
        [mark, rest @ ..] if marks.contains(mark) => rest,
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_start() {
        for (name, wall, offset_s) in [
            ("rides/2024-05-01_0912_running_3f9a1c2b.gpx", "2024-05-01T09:12:00Z", None),
            ("20240501T091230.fit", "2024-05-01T09:12:30Z", None),
            ("2024-05-01-09-12-30.fit", "2024-05-01T09:12:30Z", None),
            ("track 2024.05.01 09h12m30.gpx", "2024-05-01T09:12:30Z", None),
            ("20240501091230.tcx", "2024-05-01T09:12:30Z", None),
            ("2020-12-02T06_08_29-300.tcx", "2020-12-02T06:08:29Z", Some(-10_800)),
            ("Run 2024-05-01T09-12-30+0545.gpx", "2024-05-01T09:12:30Z", Some(20_700)),
            ("x.zip!/a/2024-05-01T09:12:30+02:00.gpx", "2024-05-01T09:12:30Z", Some(7200)),
        ] {
            let found = start(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((time::utc(found.wall).as_str(), found.offset_s), (wall, offset_s), "{name}");
        }
    }

    #[test]
    fn other_names_tell_nothing() {
        for name in [
            "",
            "2024-05-01.fit",
            "1602494441116.gpx",
            "12010601.hrm",
            "20120106.pdd",
            "20240501T071200Z-running-3f9a1c2b77aa0e11.fit",
            "2024-13-01_0912.gpx",
            "2024-05-01_2512.gpx",
            "3f9a1c2b-2024-0501-0912.gpx/x.fit",
            "202405010912301.fit",
            "activity_12345678901.fit",
            "№20240501.gpx",
        ] {
            assert_eq!(start(name), None, "{name}");
        }
    }

    #[test]
    fn what_the_file_says_comes_first() {
        let mut clock = Clock { offset_s: Some(3600), evidence: Evidence::Stated, ..Clock::default() };
        heed("2020-12-02T06_08_29-300.tcx", &mut clock);
        assert_eq!((clock.offset_s, clock.evidence, clock.wall_start.is_some()), (Some(3600), Evidence::Stated, true));
    }
}
