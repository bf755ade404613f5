//! CSV: one row a sample (RFC 4180), for spreadsheets and scripts. Written only.

use std::io::Write;

use super::losses;
use super::text::{self, Page, Times};
use super::{Format, Writer};
use crate::error::Result;
use crate::model::Activity;
use crate::report::Notes;

/// The CSV row of the format table.
pub const FORMAT: Format = Format {
    id: "csv",
    name: "CSV, one row a sample",
    extensions: &["csv"],
    binary: false,
    table: false,
    sniff: |_| false,
    read: None,
    write: Some(write as Writer),
    status: "samples with all channels; no laps or other parts",
};

/// Header: `time,latitude [°],…`; absent values are empty, a sample without time has an empty time. Lines end in CR LF.
fn write(activity: &Activity, out: &mut dyn Write, notes: &mut Notes) -> Result<()> {
    let track = &activity.track;
    let mut page = Page::new(out);
    let positions = track.positions().next().is_some();
    let channels: Vec<&[f32]> = track.channels().map(|(_, column)| column.raw()).collect();
    page.put("time");
    if positions {
        page.put(",latitude [°],longitude [°]");
    }
    if track.has_distance() {
        page.put(",distance [m]");
    }
    for (channel, _) in track.channels() {
        title(&mut page, channel.name(), channel.info().unit);
    }
    for column in track.extra() {
        title(&mut page, &column.key.name, &column.key.unit);
    }
    page.put("\r\n");
    let mut times = Times::new(false);
    for (row, &ms) in track.times().iter().enumerate() {
        let out = &mut page.buf;
        if track.is_timed(row) {
            times.put(out, ms);
        }
        if positions {
            out.push(b',');
            if let Some((lat, lon)) = track.position(row) {
                text::number(out, lat);
                out.push(b',');
                text::number(out, lon);
            } else {
                out.push(b',');
            }
        }
        if track.has_distance() {
            out.push(b',');
            if let Some(metres) = track.distance(row) {
                text::number(out, metres);
            }
        }
        for values in &channels {
            out.push(b',');
            if let Some(value) = text::at(values, row) {
                text::single(out, value);
            }
        }
        for column in track.extra() {
            out.push(b',');
            if let Some(value) = column.get(row) {
                text::number(out, value);
            }
        }
        page.put("\r\n");
        page.turn()?;
    }
    losses::report("csv", activity, 0, notes);
    page.finish()
}

/// One title, `name [unit]`, quoted where RFC 4180 asks for it.
fn title(page: &mut Page<'_>, name: &str, unit: &str) {
    let title = if unit.is_empty() { name.to_owned() } else { format!("{name} [{unit}]") };
    page.put(",");
    if title.contains([',', '"', '\r', '\n']) {
        page.put("\"");
        page.put(&title.replace('"', "\"\""));
        page.put("\"");
    } else {
        page.put(&title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, ExtraKey, Recording, Track};

    #[test]
    fn absent_is_empty_and_zero_is_zero() {
        let mut track = Track::new();
        track.push(1_714_547_520_000);
        track.set(Channel::Power, 0.0);
        track.set_position(47.5, -8.25);
        track.push(1_714_547_521_500);
        let slot = track.extra_slot(ExtraKey { name: "Form, \"Power\"".into(), unit: "W".into(), fit: None });
        track.set_extra(slot, 55.5);
        track.push_untimed(0);
        track.set(Channel::Power, 250.0);
        let activity = Activity::settled(Recording { track, ..Recording::default() }, Notes::new(), true);
        let mut out = Vec::new();
        write(&activity, &mut out, &mut Notes::new()).unwrap();
        let expected = "time,latitude [°],longitude [°],power [W],\"Form, \"\"Power\"\" [W]\"\r\n\
                        2024-05-01T07:12:00Z,47.5,-8.25,0,\r\n\
                        2024-05-01T07:12:01.500Z,,,,55.5\r\n\
                        ,,,250,\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
