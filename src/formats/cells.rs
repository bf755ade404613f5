//! CSV tables of other programs (RFC 4180), row after row, without a copy of the table: byte order mark, CR LF, CR or LF,
//! cells over several lines, `""` and the `\"` of careless writers, `;` or tabs of spreadsheets, `sep=;`, texts in
//! Windows-1252.

use encoding_rs::WINDOWS_1252;
use memchr::{memchr, memchr_iter, memchr3};

use crate::error::Place;

/// Cells of one row that are kept; what stands behind them belongs to no known table.
const MOST_CELLS: usize = 1024;
/// How far the first row is looked at for its delimiter.
const FIRST_ROW: usize = 64 << 10;

/// The cells of one row.
#[derive(Debug, Default)]
pub(crate) struct Row {
    text: String,
    ends: Vec<usize>,
    line: usize,
    /// True when a quote was opened that nothing closes, or when there were more cells than any table has.
    pub damaged: bool,
}

impl Row {
    /// The text of a cell; empty when the row ends before it.
    pub fn cell(&self, at: usize) -> &str {
        let Some(&end) = self.ends.get(at) else { return "" };
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end).unwrap_or_default()
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.cell(at))
    }

    /// The line at which it starts.
    pub fn place(&self) -> Place {
        Place::line(self.line)
    }

    /// Forgets the last cell, which the end of the table tears.
    pub fn forget_last(&mut self) {
        self.ends.pop();
    }

    fn push(&mut self, piece: &[u8]) {
        match std::str::from_utf8(piece) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.text.push_str(&WINDOWS_1252.decode_without_bom_handling(piece).0),
        }
    }
}

/// Walks the rows of a table.
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    delimiter: u8,
    /// A quote was open at the end of the table: from then on a cell ends with its line, so that work stays bounded.
    open_ended: bool,
}

impl<'a> Rows<'a> {
    /// The rows of a table, its heads first.
    pub fn new(bytes: &'a [u8]) -> Rows<'a> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut rows = Rows { bytes, at: 0, line: 1, delimiter: b',', open_ended: false };
        if let [b's', b'e', b'p', b'=', delimiter @ (b',' | b';' | b'\t'), b'\r' | b'\n', ..] = *bytes {
            rows.next(&mut Row::default());
            rows.delimiter = delimiter;
        } else {
            rows.delimiter = delimiter(bytes);
        }
        rows
    }

    /// Reads the next row that is not blank into `row`; false at the end.
    pub fn next(&mut self, row: &mut Row) -> bool {
        while self.at < self.bytes.len() {
            row.text.clear();
            row.ends.clear();
            row.line = self.line;
            row.damaged = false;
            let mut quotes = true;
            while !self.cell(row, &mut quotes) {}
            if row.len() > 1 || !row.text.is_empty() {
                return true;
            }
        }
        false
    }

    /// True when no row is left.
    pub fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// True when the table ends without an end of line.
    pub fn ends_openly(&self) -> bool {
        !matches!(self.bytes.last(), None | Some(b'\n' | b'\r'))
    }

    /// Reads one cell; true when it is the last one of its row. `quotes` says whether quotes still mean something here.
    fn cell(&mut self, row: &mut Row, quotes: &mut bool) -> bool {
        let start = row.text.len();
        if *quotes && self.bytes.get(self.at) == Some(&b'"') {
            match self.quoted(row) {
                Some(len) => {
                    let passed = self.bytes.get(self.at..self.at + len).unwrap_or_default();
                    self.line += memchr_iter(b'\n', passed).count();
                    self.at += len;
                }
                None => {
                    row.text.truncate(start);
                    row.damaged = true;
                    *quotes = false;
                    self.open_ended = true;
                }
            }
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = memchr3(self.delimiter, b'\r', b'\n', rest).unwrap_or(rest.len());
        row.push(rest.get(..len).unwrap_or_default().trim_ascii_end());
        if row.len() < MOST_CELLS {
            row.ends.push(row.text.len());
        } else {
            row.text.truncate(start);
            row.damaged = true;
        }
        let (ending, last) = match rest.get(len..) {
            Some([b'\r', b'\n', ..]) => (2, true),
            Some([b'\r' | b'\n', ..]) => (1, true),
            Some([_, ..]) => (1, false),
            _ => (0, true),
        };
        self.line += usize::from(last);
        self.at += len + ending;
        last
    }

    /// Reads a quoted cell and gives its length with both quotes; `None` when nothing closes it.
    fn quoted(&self, row: &mut Row) -> Option<usize> {
        let mut rest = self.bytes.get(self.at..)?;
        if self.open_ended {
            rest = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len()))?;
        }
        // What is not yet in the row starts here.
        let mut from = 1;
        let mut look = 1;
        // A `\"` inside the text shows that its writer escapes quotes so.
        let mut escapes = false;
        loop {
            let at = look + memchr(b'"', rest.get(look..)?)?;
            let piece = rest.get(from..at)?;
            let unescaped = piece.strip_suffix(b"\\");
            let behind = rest.get(at + 1..).unwrap_or_default();
            let closes = match behind.iter().find(|byte| **byte != b' ') {
                Some(byte) => *byte == self.delimiter || matches!(byte, b'\r' | b'\n'),
                None => true,
            };
            match (unescaped, behind.first()) {
                (Some(text), _) if escapes => {
                    row.push(text);
                    (from, look) = (at, at + 1);
                }
                (_, Some(b'"')) => {
                    row.push(rest.get(from..=at)?);
                    (from, look) = (at + 2, at + 2);
                }
                _ if closes => {
                    row.push(piece);
                    return Some(at + 1);
                }
                (Some(text), _) => {
                    escapes = true;
                    row.push(text);
                    (from, look) = (at, at + 1);
                }
                _ => look = at + 1,
            }
        }
    }
}

/// What separates the cells of the first row: the mark that occurs most often outside of quotes.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for &byte in bytes.iter().take(FIRST_ROW) {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            _ if !quoted => counts.iter_mut().filter(|(mark, _)| *mark == byte).for_each(|(_, count)| *count += 1),
            _ => {}
        }
    }
    // Of equals the first.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(mark, _)| *mark)
}

/// A number as people's languages write it: `1234.5`, `1234,5`, `1,234.5`, `1.234,5`, `1 234,5`. A lone mark is the decimal
/// one. `None` when it is none.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) {
        return text.parse().ok();
    }
    let decimal = match (text.rfind('.'), text.rfind(',')) {
        (Some(point), Some(comma)) => Some(if point > comma { '.' } else { ',' }),
        (Some(_), None) => Some('.'),
        (None, Some(_)) => Some(',').filter(|_| text.matches(',').count() == 1),
        (None, None) => None,
    };
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if Some(c) == decimal => plain.push('.'),
            '0'..='9' | '-' | '+' | 'e' | 'E' => plain.push(c),
            '.' | ',' | '\'' | '’' => {}
            c if c.is_whitespace() => {}
            _ => return None,
        }
    }
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number of a column that holds whole ones (seconds, steps, counts): as [`number`], but a lone mark before exactly
/// three digits separates thousands there (`10,800`).
pub(crate) fn whole(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.split_once([',', '.']) {
        Some((thousands, rest)) if is_digits(thousands, 1..=3) && is_digits(rest, 3..=3) && thousands != "0" => {
            format!("{thousands}{rest}").parse().ok()
        }
        _ => number(text),
    }
}

fn is_digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut all) = (Rows::new(text), Row::default(), Vec::new());
        while rows.next(&mut row) {
            all.push(row.cells().map(str::to_owned).collect());
        }
        all
    }

    #[test]
    fn rows_are_read_as_rfc_4180_says() {
        let text = b"\xef\xbb\xbfa,b,\"c \"\"d\"\"\"\r\n1,,\"two\r\nlines, and a comma\"\r\n\r\n\"\",\"\"\"\",last";
        let expected = [vec!["a", "b", "c \"d\""], vec!["1", "", "two\r\nlines, and a comma"], vec!["", "\"", "last"]];
        assert_eq!(rows(text), expected);
        assert_eq!(rows(b"a,b,\n"), [["a", "b", ""]]);
        assert_eq!(rows(b"a\rb\rc"), [["a"], ["b"], ["c"]]);
        assert!(rows(b"").is_empty() && rows(b"\r\n\n").is_empty());
    }

    #[test]
    fn careless_quotes_are_understood() {
        assert_eq!(rows(br#"1,"he said \"go\" to me",2"#), [["1", "he said \"go\" to me", "2"]]);
        assert_eq!(rows(br#"1,"all \"quoted\"",2"#), [["1", "all \"quoted\"", "2"]]);
        // A backslash at the end is no escape.
        assert_eq!(rows(br#"1,"C:\",2"#), [["1", "C:\\", "2"]]);
        assert_eq!(rows(br#"1,"a "stray" one",2"#), [["1", "a \"stray\" one", "2"]]);
        assert_eq!(rows(br#"1,in 5" steps,"2" ,3"#), [["1", "in 5\" steps", "2", "3"]]);
    }

    #[test]
    fn an_open_quote_costs_its_row_only() {
        let (mut rows, mut row, mut lines) = (Rows::new(b"1,\"open, x\n2,b,c\n3,d,e\n"), Row::default(), vec![]);
        while rows.next(&mut row) {
            lines.push((row.place().line, row.damaged, row.cells().map(str::to_owned).collect::<Vec<_>>().join("|")));
        }
        let expected = [(1, true, "1|\"open| x"), (2, false, "2|b|c"), (3, false, "3|d|e")];
        assert_eq!(lines, expected.map(|(line, damaged, text)| (Some(line), damaged, text.to_owned())));
    }

    #[test]
    fn open_quotes_in_every_row_take_no_more_time_than_rows() {
        let text = b"\"a,\"b\n".repeat(200_000);
        let (mut rows, mut row, mut count) = (Rows::new(&text), Row::default(), 0);
        while rows.next(&mut row) {
            count += 1;
        }
        assert_eq!(count, 200_000);
    }

    #[test]
    fn spreadsheets_choose_their_own_marks() {
        assert_eq!(rows(b"a;b;c,d\n1;2,5;3\n"), [["a", "b", "c,d"], ["1", "2,5", "3"]]);
        assert_eq!(rows(b"a\tb\n1\t2\n"), [["a", "b"], ["1", "2"]]);
        assert_eq!(rows(b"sep=;\r\na,b;c\r\n"), [["a,b", "c"]]);
        assert_eq!(rows(b"L\xe4ufe,\x80\n"), [["Läufe", "€"]]);
    }

    #[test]
    fn numbers_of_all_languages() {
        for (text, value) in [
            ("2833.0", 2833.0),
            (" 15.9 ", 15.9),
            ("10,81", 10.81),
            ("1,234.5", 1234.5),
            ("1.234,5", 1234.5),
            ("1\u{a0}234,5", 1234.5),
            ("1'234.5", 1234.5),
            ("1,234,567", 1_234_567.0),
            ("-0.001277041", -0.001_277_041),
            ("1.81E+10", 1.81e10),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "-", "abc", "12 km", "NaN", "inf", "1.2.3", "#error#", "1e999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_have_marks_between_thousands() {
        for (text, value) in [
            ("10,800", 10_800.0),
            ("10.800", 10_800.0),
            ("1,024", 1024.0),
            ("1,234,567", 1_234_567.0),
            ("1\u{202f}024", 1024.0),
            ("1,024.0", 1024.0),
            // Whole numbers as a program prints them that keeps fractions, and times that have some.
            ("2833.0", 2833.0),
            ("2833,0", 2833.0),
            ("2833.125", 2833.125),
            ("0.125", 0.125),
            ("7", 7.0),
        ] {
            assert_eq!(whole(text), Some(value), "{text}");
        }
        for text in ["", "a,bcd", "#error#"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
