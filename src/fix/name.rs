//! What the name of a file tells: the local time of its start, and sometimes the offset from UTC.

use crate::model::{Clock, Evidence, Recording, time};

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

/// Takes over start and end from the name of a Huawei phone backup file, where the file has none of its own: it is named
/// `HiTrack_<13 digits: start, ms UTC><13 digits: stop><5 digits>` (huawei.md section 1).
pub(super) fn heed_hitrack(name: &str, recording: &mut Recording, clock: &mut Clock) {
    let Some((start, stop)) = hitrack(name) else { return };
    clock.utc_start = Some(start);
    let totals = &mut recording.stated;
    totals.elapsed_s = totals.elapsed_s.or(Some((stop - start) as f64 / 1000.0));
    // Times that count from the start are moved there as those of a reset clock are.
    let (has_instants, day_ms) = (recording.span(), 86_400_000);
    let own = has_instants.is_some_and(|(first, _)| (first - start).abs() < day_ms);
    if recording.stated_start.is_none() && (own || has_instants.is_none()) {
        recording.stated_start = Some(start);
    }
}

fn hitrack(name: &str) -> Option<(i64, i64)> {
    let file = name.rsplit(['/', '\\']).next()?;
    let digits =
        file.get(..8).filter(|prefix| prefix.eq_ignore_ascii_case("HiTrack_")).and_then(|_| file.get(8..39))?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) || file.as_bytes().get(39).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let (start, stop) = (digits.get(..13)?.parse().ok()?, digits.get(13..26)?.parse().ok()?);
    // Since 1990, and not for more than a month.
    (start > 631_152_000_000i64 && (start..start + 2_678_400_000).contains(&stop)).then_some((start, stop))
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
    fn a_backup_file_is_named_after_its_start_and_end() {
        let name = "backup.tar!/com.huawei.health/files/HiTrack_1551732120000155173259000030001";
        assert_eq!(hitrack(name), Some((1_551_732_120_000, 1_551_732_590_000)));
        for name in ["HiTrack_1", "HiTrack_155173212000015517325900003000", "x1551732120000155173259000030001"] {
            assert_eq!(hitrack(name), None, "{name}");
        }
        let (mut recording, mut clock) = (Recording::default(), Clock::default());
        heed_hitrack(name, &mut recording, &mut clock);
        assert_eq!((recording.stated_start, recording.stated.elapsed_s), (Some(1_551_732_120_000), Some(470.0)));
        // Times that count from the start have to be moved first; true ones need nothing.
        let mut relative = Recording::default();
        relative.track.push(0);
        heed_hitrack(name, &mut relative, &mut clock);
        assert_eq!((relative.stated_start, clock.utc_start), (None, Some(1_551_732_120_000)));
    }

    #[test]
    fn what_the_file_says_comes_first() {
        let mut clock = Clock { offset_s: Some(3600), evidence: Evidence::Stated, ..Clock::default() };
        heed("2020-12-02T06_08_29-300.tcx", &mut clock);
        assert_eq!((clock.offset_s, clock.evidence, clock.wall_start.is_some()), (Some(3600), Evidence::Stated, true));
    }
}
