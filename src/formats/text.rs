//! Text out: numbers, XML and JSON escapes, and a page that is flushed in chunks.

use std::io::Write;

use crate::error::{Error, Result};
use crate::model::time;

/// How much is collected before it is handed on.
const CHUNK: usize = 64 << 10;

/// A byte buffer in front of the output, so that memory does not grow with what is written.
pub(crate) struct Page<'a> {
    /// What is to be written next; printers append to it.
    pub buf: Vec<u8>,
    out: &'a mut dyn Write,
    /// How many characters XML could not hold.
    pub replaced: u64,
}

impl<'a> Page<'a> {
    /// An empty page in front of `out`.
    pub fn new(out: &'a mut dyn Write) -> Page<'a> {
        Page { buf: Vec::with_capacity(CHUNK + (8 << 10)), out, replaced: 0 }
    }

    /// Appends text as it is.
    #[inline]
    pub fn put(&mut self, text: &str) {
        self.buf.extend_from_slice(text.as_bytes());
    }

    /// Appends XML text or an attribute value, escaped.
    pub fn escape(&mut self, text: &str, attribute: bool) {
        self.replaced += xml(&mut self.buf, text, attribute);
    }

    /// To be called between rows: hands on what has gathered once it is a chunk.
    #[inline]
    pub fn turn(&mut self) -> Result<()> {
        if self.buf.len() < CHUNK { Ok(()) } else { self.hand_on() }
    }

    /// Hands on everything.
    pub fn finish(mut self) -> Result<()> {
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<()> {
        self.out.write_all(&self.buf).map_err(|e| Error::io("cannot write", e))?;
        self.buf.clear();
        Ok(())
    }
}

/// Prints instants as UTC text; the day is worked out once and kept for its samples.
pub(crate) struct Times {
    /// `YYYY-MM-DDT` of the day that starts at `midnight`, ms.
    date: [u8; 11],
    midnight: i64,
    always_ms: bool,
}

impl Times {
    /// Milliseconds are printed always, or only when they are not zero.
    pub fn new(always_ms: bool) -> Times {
        Times { date: *b"1970-01-01T", midnight: 0, always_ms }
    }

    /// Appends an instant.
    #[inline]
    pub fn put(&mut self, out: &mut Vec<u8>, ms: i64) {
        const DAY: u64 = 86_400_000;
        let mut of_day = ms.wrapping_sub(self.midnight) as u64;
        if of_day >= DAY {
            let start = out.len();
            time::write_utc(out, ms, self.always_ms);
            if let Some(date) = out.get(start..start + 11) {
                self.date.copy_from_slice(date);
                self.midnight = ms - ms.rem_euclid(DAY as i64);
            }
            return;
        }
        let mut text = *b"YYYY-MM-DDThh:mm:ss.000Z";
        text[..11].copy_from_slice(&self.date);
        let pair = |value: u64| [PAIRS[value as usize * 2], PAIRS[value as usize * 2 + 1]];
        let fraction = of_day % 1000;
        of_day /= 1000;
        text[11..13].copy_from_slice(&pair(of_day / 3600));
        text[14..16].copy_from_slice(&pair(of_day / 60 % 60));
        text[17..19].copy_from_slice(&pair(of_day % 60));
        if fraction == 0 && !self.always_ms {
            text[19] = b'Z';
            out.extend_from_slice(&text[..20]);
        } else {
            text[20] = b'0' + (fraction / 100) as u8;
            text[21..23].copy_from_slice(&pair(fraction % 100));
            out.extend_from_slice(&text);
        }
    }
}

/// The value of a raw column at a row; `NaN` and rows beyond its end are absent.
#[inline]
pub(crate) fn at(column: &[f32], row: usize) -> Option<f32> {
    column.get(row).copied().filter(|v| !v.is_nan())
}

/// A longitude as the schemas of GPX and TCX want it: they end before 180°, which is the same meridian as −180°.
pub(crate) fn east(lon: f64) -> f64 {
    if lon >= 180.0 { -180.0 } else { lon }
}

static PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut i = 0;
    while i < 100 {
        pairs[2 * i] = b'0' + (i / 10) as u8;
        pairs[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    pairs
};

/// Appends an integer.
pub(crate) fn integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    unsigned(out, value.unsigned_abs());
}

#[inline]
fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    if value < 10 {
        out.push(b'0' + value as u8);
        return;
    }
    let mut digits = [0u8; 20];
    let mut at = 20;
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[value as usize * 2..value as usize * 2 + 2]);
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `whole + part / 10^places` without trailing zeros; `part` has at most `places` (even) digits.
#[inline]
fn decimal(out: &mut Vec<u8>, whole: u64, mut part: u32, places: usize) {
    unsigned(out, whole);
    if part == 0 {
        return;
    }
    let mut digits = [b'.'; 9];
    let mut at = places + 1;
    while at > 1 {
        let pair = (part % 100) as usize * 2;
        part /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    let end = digits[..=places].iter().rposition(|&d| d != b'0').unwrap_or(0);
    out.extend_from_slice(&digits[..=end]);
}

/// Appends a finite number as the shortest decimal that reads back as the same `f64`; never an exponent. A number that
/// is not finite prints as `0` (the model holds none; totals of foreign files are filtered by the caller).
///
/// A decimal of at most 15 digits is the only one of its length that reads as its `f64`, so when `value` scaled to an
/// integer below 10^15 divides back to itself exactly, that integer's digits are the shortest ones.
#[inline]
pub(crate) fn number(out: &mut Vec<u8>, value: f64) {
    const SCALE: f64 = 1e8;
    let size = value.abs();
    if size < 1e7 {
        let scaled = (size * SCALE + 0.5) as u64;
        if scaled as f64 / SCALE == size {
            if value < 0.0 {
                out.push(b'-');
            }
            decimal(out, scaled / 100_000_000, (scaled % 100_000_000) as u32, 8);
            return;
        }
    }
    slow(out, value);
}

/// As [`number`], for an `f32`: the shortest decimal that reads back as the same `f32`. Six digits are unique there.
#[inline]
pub(crate) fn single(out: &mut Vec<u8>, value: f32) {
    let size = value.abs();
    if size < 1e7 && size.trunc() == size {
        integer(out, value as i64);
        return;
    }
    if size < 1e4 {
        let (scale, places) = if size < 100.0 { (1e4, 4) } else { (1e2, 2) };
        let scaled = (size * scale + 0.5) as u32;
        if scaled as f32 / scale == size {
            if value < 0.0 {
                out.push(b'-');
            }
            let scale = scale as u32;
            decimal(out, (scaled / scale).into(), scaled % scale, places);
            return;
        }
    }
    slow(out, value);
}

#[cold]
#[inline(never)]
fn slow<F: zmij::Float + std::fmt::Display + Into<f64> + Copy>(out: &mut Vec<u8>, value: F) {
    if !value.into().is_finite() {
        out.push(b'0');
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if text.contains('e') {
        let _ = write!(out, "{value}"); // writing to a vector cannot fail
    } else {
        out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    }
}

/// Appends XML text (`attribute` false) or an attribute value (true), escaped. Returns how many characters XML 1.0 cannot
/// hold; each was written as U+FFFD.
pub(crate) fn xml(out: &mut Vec<u8>, text: &str, attribute: bool) -> u64 {
    let mut lost = 0;
    for c in text.chars() {
        let escape = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if attribute => "&quot;",
            '\t' if attribute => "&#9;",
            '\n' if attribute => "&#10;",
            '\r' => "&#13;",
            '\t' | '\n' => {
                out.push(c as u8);
                continue;
            }
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                lost += 1;
                "\u{fffd}"
            }
            c => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        out.extend_from_slice(escape.as_bytes());
    }
    lost
}

/// Appends a JSON string with its quotes.
pub(crate) fn json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
            '\n' => out.extend_from_slice(b"\\n"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(print: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        print(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// A fixed sequence of bits that look random (splitmix64).
    fn bits(count: usize) -> impl Iterator<Item = u64> {
        let mut state = 7u64;
        (0..count).map(move |_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    /// What the standard library prints is the shortest decimal without exponent; where two are equally short (an exact
    /// tie) either will do.
    fn agree(value: f64) {
        if value.is_finite() {
            let plain = format!("{value}");
            let plain = if value == 0.0 { "0".to_owned() } else { plain };
            let printed = of(|out| number(out, value));
            assert_eq!(printed.parse::<f64>().unwrap(), value);
            assert_eq!((printed.len(), printed.contains('e')), (plain.len(), false), "{value:e} {printed}");
        }
    }

    fn agree_single(value: f32) {
        if value.is_finite() {
            let plain = if value == 0.0 { "0".to_owned() } else { format!("{value}") };
            let printed = of(|out| single(out, value));
            assert_eq!(printed.parse::<f32>().unwrap(), value);
            assert_eq!((printed.len(), printed.contains('e')), (plain.len(), false), "{value:e} {printed}");
        }
    }

    #[test]
    fn numbers_print_as_the_shortest_decimals_that_read_back() {
        for raw in bits(40_000) {
            agree(f64::from_bits(raw));
            agree_single(f32::from_bits(raw as u32));
            // What recordings hold: few decimals, coordinates from semicircles, scaled integers.
            let small = (raw % 40_000_000) as f64;
            for scale in [1.0, 10.0, 100.0, 1e3, 1e5, 1e6, 1e7, 1e8] {
                agree(small / scale);
                agree(-small / scale);
                agree_single((small / scale) as f32);
                agree_single((-small / scale) as f32);
            }
            agree(f64::from(raw as i32) * 180.0 / 2_147_483_648.0);
            agree_single(raw as u16 as f32 / 5.0 - 500.0);
            agree_single((raw as u16 as f32) * 0.0001);
        }
        for value in [0.0, -0.0, 1e-7, 5e-324, f64::MAX, 9_999_999.999_999_99, 1e7, 1e15, 1e22, 123456789.123] {
            agree(value);
            agree_single(value as f32);
        }
    }

    #[test]
    fn integers_print_as_the_standard_library_prints_them() {
        for raw in bits(40_000) {
            for value in [raw as i64, raw as i64 % 1000, raw as i64 % 100_000, i64::MIN, i64::MAX, 0] {
                assert_eq!(of(|out| integer(out, value)), value.to_string());
            }
        }
    }

    #[test]
    fn instants_print_as_the_model_prints_them() {
        for always_ms in [false, true] {
            let mut times = Times::new(always_ms);
            for ms in bits(20_000).map(|raw| raw as i64 % 4_000_000_000_000).chain((0..50_000).map(|i| i * 997)) {
                let mut printed = Vec::new();
                times.put(&mut printed, ms);
                assert_eq!(String::from_utf8(printed).unwrap(), of(|out| time::write_utc(out, ms, always_ms)));
            }
        }
    }

    #[test]
    fn text_is_escaped_for_xml_and_json() {
        let text = "a<b>&\"c\"\n\u{1}é";
        assert_eq!(of(|out| assert_eq!(xml(out, text, true), 1)), "a&lt;b&gt;&amp;&quot;c&quot;&#10;\u{fffd}é");
        assert_eq!(of(|out| assert_eq!(xml(out, "\"\r\n", false), 0)), "\"&#13;\n");
        let quoted = of(|out| json(out, text));
        assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }

    #[test]
    fn a_page_hands_on_chunks_and_the_rest() {
        let mut out = Vec::new();
        let mut page = Page::new(&mut out);
        for _ in 0..50_000 {
            page.put("0123456789");
            page.turn().unwrap();
            assert!(page.buf.len() < CHUNK + 16);
        }
        page.finish().unwrap();
        assert_eq!(out.len(), 500_000);
    }
}
