//! The door of Polar's text files: encoding, lines, sections, clock times.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};

/// The text of a file: its byte order mark decides, else UTF-8 when it is valid, else Windows-1252.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Lines that end in CR LF, LF or (old Macs) CR, each with its number from 1.
pub(super) struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Lines<'a> {
        Lines { rest: text, number: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<(usize, &'a str)> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let (line, rest) = match self.rest.find(['\r', '\n']) {
            Some(end) => {
                let (line, rest) = self.rest.split_at(end);
                (line, rest.strip_prefix("\r\n").unwrap_or(&rest[1..]))
            }
            None => (self.rest, ""),
        };
        self.rest = rest;
        Some((self.number, line))
    }
}

/// The name of a section that this line opens: `[Params]` gives `Params`.
pub(super) fn section(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix('[')?;
    Some(name.strip_suffix(']').unwrap_or(name))
}

/// The columns of a line: separated by tabs, or by blanks in a line without tabs.
pub(super) fn columns(line: &str) -> impl Iterator<Item = &str> {
    let tabs = line.contains('\t');
    line.split(move |c: char| if tabs { c == '\t' } else { c.is_whitespace() })
        .map(str::trim)
        .filter(move |column| tabs || !column.is_empty())
}

/// The numbers of a line; what is no number is `None`.
pub(super) fn numbers(line: &str) -> Vec<Option<f64>> {
    columns(line).map(|column| column.parse().ok()).collect()
}

/// Milliseconds of `h:mm:ss.d`, `mm:ss` and their like. Fields are taken by their marks, never by position:
/// polarpersonaltrainer.com exports write `9:5:45.0` and `02:09:.100`.
pub(in crate::formats) fn clock(text: &str) -> Option<i64> {
    let text = text.trim();
    let fields = text.split(':').count();
    if !(2..=3).contains(&fields) {
        return None;
    }
    let mut ms = 0.0;
    for field in text.split(':') {
        let value: f64 = if field.trim().is_empty() { 0.0 } else { field.trim().parse().ok()? };
        if !(0.0..1e6).contains(&value) {
            return None;
        }
        ms = ms * 60.0 + value * 1000.0;
    }
    Some(ms.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_any_way() {
        let lines: Vec<_> = Lines::of("a\r\nb\rc\n\nd").collect();
        assert_eq!(lines, [(1, "a"), (2, "b"), (3, "c"), (4, ""), (5, "d")]);
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(decode(b"\xef\xbb\xbfL\xc3\xa4ufe"), "Läufe");
        assert_eq!(decode("Läufe".as_bytes()), "Läufe");
        assert_eq!(decode(b"L\xe4ufe \x80"), "Läufe €");
        assert_eq!(decode(b"\xff\xfeL\0\xe4\0"), "Lä");
    }

    #[test]
    fn clock_times_are_read_by_their_marks() {
        for (text, ms) in [
            ("00:52:48.3", 3_168_300),
            ("9:5:45.0", 32_745_000),
            ("0:51:00.0", 3_060_000),
            ("05:57", 357_000),
            ("02:09:.100", 7_740_100),
        ] {
            assert_eq!(clock(text), Some(ms), "{text}");
        }
        for text in ["", "12", "1:2:3:4", "-1:00:00", "a:b:c", "1:00:nan"] {
            assert_eq!(clock(text), None, "{text}");
        }
    }

    #[test]
    fn columns_keep_empty_places_between_tabs() {
        assert_eq!(columns("120\t\t85").collect::<Vec<_>>(), ["120", "", "85"]);
        assert_eq!(columns(" 120  85 ").collect::<Vec<_>>(), ["120", "85"]);
    }
}
