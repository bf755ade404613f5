//! Aligned tables and numbers for people.

use std::io::{self, Write};

use paceport::model::{Glance, Mean, time};
use paceport::report::printable;

/// Alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Prints rows under a header, columns two blanks apart, no trailing blanks.
pub fn print(out: &mut dyn Write, header: &[(&str, Align)], rows: &[Vec<String>]) -> io::Result<()> {
    let width_of = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width_of).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for ((cell, width), (_, align)) in cells.zip(&widths).zip(header) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            match align {
                Align::Left => text.extend([cell, &gap, "  "]),
                Align::Right => text.extend([&gap, cell, "  "]),
            }
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut header.iter().map(|(title, _)| *title))?;
    rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
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

/// One row of a table of activities.
pub fn activity(glance: &Glance) -> Vec<String> {
    let seconds = glance
        .stated
        .elapsed_s
        .or(glance.computed.elapsed_s)
        .or(glance.stated.timer_s)
        .or(glance.start.zip(glance.end).map(|(start, end)| (end - start) as f64 / 1000.0));
    let metres = glance.stated.distance_m.or(glance.computed.distance_m);
    let mean = |mean: Option<Mean>| mean.map_or(String::new(), |mean| format!("{:.0}", mean.mean));
    let sport = match &glance.sub_sport {
        Some(sub) => format!("{}/{sub}", glance.sport),
        None => glance.sport.clone(),
    };
    vec![
        start(glance.start, glance.day.as_deref(), glance.local_offset_s),
        sport,
        seconds.map_or(String::new(), duration),
        metres.map_or(String::new(), |m| format!("{:.2}", m / 1000.0)),
        mean(glance.channels.heart_rate),
        mean(glance.channels.power),
        glance.samples.to_string(),
        glance.format.clone(),
        match glance.index {
            0 => printable(&glance.source).into_owned(),
            n => format!("{} [{}]", printable(&glance.source), n + 1),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut out = Vec::new();
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["längst".to_owned(), "1000".to_owned()]];
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
