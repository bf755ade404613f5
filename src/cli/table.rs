//! Aligned tables and numbers for people.

use std::fmt::Write as _;
use std::io::{self, Write};

use paceport::model::{Glance, time};
use paceport::report::printable;

/// Alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

const BLANKS: &[u8; 64] = &[b' '; 64];

/// The cells of one row, one behind the other: a table may have 100,000 rows.
#[derive(Debug, Default)]
pub struct Row {
    text: String,
    /// Where each cell ends, in bytes, and how wide it is, in characters.
    cells: Vec<(u32, u32)>,
}

impl Row {
    /// An empty row with room for as much as rows usually have.
    fn with_room() -> Row {
        Row { text: String::with_capacity(160), cells: Vec::with_capacity(9) }
    }

    /// Adds a cell.
    fn cell(&mut self, text: &str) {
        self.text.push_str(text);
        self.end_cell();
    }

    /// What was added to the text since the last cell is one.
    fn end_cell(&mut self) {
        let cell = &self.text[self.cells.last().map_or(0, |(end, _)| *end as usize)..];
        let width = if cell.is_ascii() { cell.len() } else { cell.chars().count() };
        self.cells.push((self.text.len() as u32, width as u32));
    }

    /// Adds a number, or an empty cell.
    fn number(&mut self, number: Option<f64>, decimals: usize) {
        if let Some(number) = number {
            // Writing into a string never fails.
            let _ = write!(self.text, "{number:.decimals$}");
        }
        self.end_cell();
    }

    fn print(&self, out: &mut dyn Write, header: &[(&str, Align)], widths: &[u32]) -> io::Result<()> {
        // Blanks are owed until something follows them.
        let (mut from, mut owed) = (0, 0);
        let mut put = |blanks: usize, text: &str| {
            owed += blanks;
            if text.is_empty() {
                return Ok(());
            }
            while owed > 0 {
                let some = owed.min(BLANKS.len());
                out.write_all(&BLANKS[..some])?;
                owed -= some;
            }
            out.write_all(text.as_bytes())
        };
        for ((&(to, own), &width), (_, align)) in self.cells.iter().zip(widths).zip(header) {
            let (cell, gap) = (&self.text[from..to as usize], (width - own) as usize);
            let (before, after) = if *align == Align::Left { (0, gap) } else { (gap, 0) };
            put(before, cell)?;
            put(after + 2, "")?;
            from = to as usize;
        }
        out.write_all(b"\n")
    }
}

impl<S: AsRef<str>> FromIterator<S> for Row {
    fn from_iter<I: IntoIterator<Item = S>>(cells: I) -> Row {
        let mut row = Row::default();
        cells.into_iter().for_each(|cell| row.cell(cell.as_ref()));
        row
    }
}

/// Prints rows under a header, columns two blanks apart, no trailing blanks.
pub fn print(out: &mut dyn Write, header: &[(&str, Align)], rows: &[Row]) -> io::Result<()> {
    print_made(out, header, &|each| rows.iter().try_for_each(each))
}

/// Takes one row after the other.
pub type Each<'a> = &'a mut dyn FnMut(&Row) -> io::Result<()>;

/// The same for rows that are not in memory: `rows` hands them on, once to measure and once to print them.
pub fn print_made(
    out: &mut dyn Write,
    header: &[(&str, Align)],
    rows: &dyn Fn(Each<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let titles: Row = header.iter().map(|(title, _)| *title).collect();
    let mut widths = vec![0; header.len()];
    let mut measure = |row: &Row| {
        for (widest, (_, width)) in widths.iter_mut().zip(&row.cells) {
            *widest = (*widest).max(*width);
        }
        Ok(())
    };
    measure(&titles)?;
    rows(&mut measure)?;
    titles.print(out, header, &widths)?;
    rows(&mut |row| row.print(out, header, &widths))
}

/// `1 file`, `2 files`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `1:02:03` or `4:05`.
pub fn duration(seconds: f64) -> String {
    let s = seconds.round().max(0.0) as u64;
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// `12.3 MB`, decimal units.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `2024-05-01 09:12 +02:00`: local time where the offset is known, else `2024-05-01 07:12 UTC`.
pub fn start(start: Option<i64>, day: Option<&str>, offset_s: Option<i32>) -> String {
    let Some(start) = start else { return day.unwrap_or("undated").to_owned() };
    let offset = offset_s.unwrap_or(0);
    let text = time::utc(start + i64::from(offset) * 1000);
    let zone = match offset_s {
        Some(o) => format!("{}{:02}:{:02}", if o < 0 { '-' } else { '+' }, o.abs() / 3600, o.abs() / 60 % 60),
        None => "UTC".to_owned(),
    };
    format!("{} {} {zone}", &text[..10], &text[11..16])
}

/// The header of a table of activities.
pub const ACTIVITY: &[(&str, Align)] = &[
    ("START", Align::Left),
    ("SPORT", Align::Left),
    ("TIME", Align::Right),
    ("KM", Align::Right),
    ("BPM", Align::Right),
    ("W", Align::Right),
    ("SAMPLES", Align::Right),
    ("FORMAT", Align::Left),
    ("SOURCE", Align::Left),
];

/// One row of a table of activities; a merged one says how many `more` sources it has.
pub fn activity(glance: &Glance, more: usize) -> Row {
    let seconds = glance
        .stated
        .elapsed_s
        .or(glance.computed.elapsed_s)
        .or(glance.stated.timer_s)
        .or(glance.start.zip(glance.end).map(|(start, end)| (end - start) as f64 / 1000.0));
    let metres = glance.stated.distance_m.or(glance.computed.distance_m);
    let mut row = Row::with_room();
    row.cell(&start(glance.start, glance.day.as_deref(), glance.local_offset_s));
    row.text.push_str(&glance.sport);
    if let Some(sub) = &glance.sub_sport {
        row.text.extend(["/", sub]);
    }
    row.end_cell();
    row.cell(&seconds.map_or(String::new(), duration));
    row.number(metres.map(|metres| metres / 1000.0), 2);
    row.number(glance.channels.heart_rate.map(|mean| mean.mean), 0);
    row.number(glance.channels.power.map(|mean| mean.mean), 0);
    row.cell(&glance.samples.to_string());
    row.cell(&glance.format);
    row.text.push_str(&printable(&glance.source));
    let _ = match (glance.index, more) {
        (0, 0) => Ok(()),
        (0, more) => write!(row.text, " (+{more})"),
        (n, 0) => write!(row.text, " [{}]", n + 1),
        (n, more) => write!(row.text, " [{}] (+{more})", n + 1),
    };
    row.end_cell();
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut out = Vec::new();
        let rows: Vec<Row> = [["a", "1"], ["längst", "1000"]].into_iter().map(Row::from_iter).collect();
        print(&mut out, &[("NAME", Align::Left), ("N", Align::Right)], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME       N\na          1\nlängst  1000\n");
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(duration(3723.4), "1:02:03");
        assert_eq!(duration(59.6), "1:00");
        assert_eq!([bytes(999), bytes(1500), bytes(12_340_000)], ["999 B", "1.5 kB", "12.3 MB"]);
    }
}
