//! JSON: one object that holds everything the model holds (`docs/json.md`). Written only.

use std::io::Write;

use super::losses;
use super::own::{ExtraRow, Head, Part, Value, plain};
use super::text::{self, Page, Times};
use super::{Format, Writer};
use crate::error::Result;
use crate::model::{Activity, FieldValue, StatedField};
use crate::report::Notes;

/// The JSON row of the format table.
pub const FORMAT: Format = Format {
    id: "json",
    name: "JSON, everything the model holds",
    extensions: &["json"],
    binary: false,
    table: false,
    sniff: |_| false,
    read: None,
    write: Some(write as Writer),
    status: "one documented object an activity",
};

fn write(activity: &Activity, out: &mut dyn Write, notes: &mut Notes) -> Result<()> {
    let mut page = Page::new(out);
    page.put("{\"paceport\":1");
    fields(&mut page, &Head::of(activity), ",");
    page.put(",\"time_shift_ms\":");
    text::integer(&mut page.buf, activity.shift_ms);
    page.put(if activity.complete { ",\"complete\":true" } else { ",\"complete\":false" });
    page.put(",\n\"computed\":");
    object(&mut page, &activity.computed);
    list(&mut page, "sessions", &activity.sessions)?;
    list(&mut page, "laps", &activity.laps)?;
    list(&mut page, "lengths", &activity.lengths)?;
    list(&mut page, "sets", &activity.sets)?;
    list(&mut page, "pauses", &activity.pauses)?;
    list(&mut page, "events", &activity.events)?;
    list(&mut page, "splits", &activity.splits)?;
    list(&mut page, "waypoints", &activity.waypoints)?;
    list(&mut page, "devices", &activity.devices)?;
    page.put(",\n\"zones\":");
    object(&mut page, &activity.zones);
    page.put(",\n\"athlete\":");
    object(&mut page, &activity.athlete);
    page.put(",\n\"platform_ids\":[");
    for (i, (platform, id)) in activity.platform_ids.iter().enumerate() {
        page.put(if i > 0 { ",{\"platform\":" } else { "{\"platform\":" });
        text::json(&mut page.buf, platform);
        page.put(",\"id\":");
        text::json(&mut page.buf, id);
        page.put("}");
    }
    page.put("],\n\"rr_intervals\":{\"time\":");
    let mut times = Times::new(false);
    column(&mut page, activity.rr.iter(), |out, rr| quoted(&mut times, out, rr.time))?;
    page.put(",\"ms\":");
    column(&mut page, activity.rr.iter(), |out, rr| text::integer(out, rr.ms.into()))?;
    page.put("}");
    samples(&mut page, activity)?;
    page.put("}\n");
    losses::report("json", activity, 0, notes);
    page.finish()
}

/// The samples as columns of equal length; `null` is absent.
fn samples(page: &mut Page<'_>, activity: &Activity) -> Result<()> {
    let track = &activity.track;
    page.put(",\n\"samples\":{\"count\":");
    text::integer(&mut page.buf, track.len() as i64);
    page.put(",\n\"time\":");
    let mut times = Times::new(false);
    column(page, 0..track.len(), |out, row| {
        if track.is_timed(row) { quoted(&mut times, out, track.times()[row]) } else { null(out) }
    })?;
    if track.positions().next().is_some() {
        let part = |pick: fn((f64, f64)) -> f64| move |row: usize| track.position(row).map(pick);
        for (name, pick) in [("latitude", part(|p| p.0)), ("longitude", part(|p| p.1))] {
            key(page, name);
            column(page, 0..track.len(), |out, row| or_null(out, pick(row), text::number))?;
        }
    }
    if track.has_distance() {
        key(page, "distance");
        column(page, 0..track.len(), |out, row| or_null(out, track.distance(row), text::number))?;
    }
    for (channel, values) in track.channels() {
        key(page, channel.name());
        column(page, 0..track.len(), |out, row| or_null(out, values.get(row), text::single))?;
    }
    page.put("},\n\"extra_channels\":[");
    for (i, extra) in track.extra().iter().enumerate() {
        page.put(if i > 0 { ",\n{" } else { "\n{" });
        fields(page, &ExtraRow::of(&extra.key), "");
        page.put(",\"values\":");
        column(page, 0..track.len(), |out, row| or_null(out, extra.get(row), text::number))?;
        page.put("}");
    }
    page.put("]");
    Ok(())
}

fn key(page: &mut Page<'_>, name: &str) {
    page.put(",\n\"");
    page.put(name);
    page.put("\":");
}

fn column<T>(page: &mut Page<'_>, rows: impl Iterator<Item = T>, mut put: impl FnMut(&mut Vec<u8>, T)) -> Result<()> {
    page.put("[");
    for (i, row) in rows.enumerate() {
        if i > 0 {
            page.put(",");
        }
        put(&mut page.buf, row);
        page.turn()?;
    }
    page.put("]");
    Ok(())
}

fn quoted(times: &mut Times, out: &mut Vec<u8>, ms: i64) {
    out.push(b'"');
    times.put(out, ms);
    out.push(b'"');
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

fn or_null<T>(out: &mut Vec<u8>, value: Option<T>, print: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => print(out, value),
        None => null(out),
    }
}

fn list<T: Part>(page: &mut Page<'_>, name: &str, parts: &[T]) -> Result<()> {
    key(page, name);
    page.put("[");
    for (i, part) in parts.iter().enumerate() {
        page.put(if i > 0 { ",\n" } else { "\n" });
        object(page, part);
        page.turn()?;
    }
    page.put("]");
    Ok(())
}

fn object(page: &mut Page<'_>, part: &dyn Part) {
    page.put("{");
    let gap = fields(page, part, "");
    let gap = stated_fields(page, "developer_fields", part.developer(), gap);
    stated_fields(page, "fields", part.fields(), gap);
    page.put("}");
}

/// Developer or native fields of a lap, session, device and so on. Takes and returns what goes before the next key.
fn stated_fields(page: &mut Page<'_>, name: &str, values: &[StatedField], gap: &'static str) -> &'static str {
    if values.is_empty() {
        return gap;
    }
    page.put(gap);
    page.put("\"");
    page.put(name);
    page.put("\":[");
    for (i, value) in values.iter().enumerate() {
        page.put(if i > 0 { ",{" } else { "{" });
        fields(page, &ExtraRow::of(&value.key), "");
        page.put(",\"value\":");
        match &value.value {
            FieldValue::Number(number) => text::number(&mut page.buf, *number),
            FieldValue::Text(text) => text::json(&mut page.buf, text),
            FieldValue::Numbers(numbers) => {
                for (i, number) in numbers.iter().enumerate() {
                    page.put(if i > 0 { "," } else { "[" });
                    or_null(&mut page.buf, *number, text::number);
                }
                page.put("]");
            }
        }
        page.put("}");
    }
    page.put("]");
    ","
}

/// The present fields of a part; `gap` goes before the first. Returns what goes before the next.
fn fields(page: &mut Page<'_>, part: &dyn Part, gap: &'static str) -> &'static str {
    let mut gap = gap;
    part.each(&mut |name, value| {
        if value == Value::Absent {
            return;
        }
        page.put(gap);
        gap = ",";
        page.put("\"");
        page.put(name);
        page.put("\":");
        match &value {
            Value::Text(text) => text::json(&mut page.buf, text),
            Value::Word(text) => text::json(&mut page.buf, text),
            Value::Instant(_) => {
                page.put("\"");
                plain(page, &value);
                page.put("\"");
            }
            Value::Position(lat, lon) => {
                page.put("[");
                text::number(&mut page.buf, *lat);
                page.put(",");
                text::number(&mut page.buf, *lon);
                page.put("]");
            }
            Value::Singles(values) => {
                page.put("[");
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        page.put(",");
                    }
                    text::single(&mut page.buf, *value);
                }
                page.put("]");
            }
            Value::Absent | Value::Flag(_) | Value::Integer(_) | Value::Number(_) | Value::Single(_) => {
                plain(page, &value);
            }
        }
    });
    gap
}
