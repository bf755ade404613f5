//! Writes the `paceport` elements.

use std::collections::HashMap;

use super::fields::{ExtraRow, Head, Part, Value};
use super::stand_in::StandIn;
use crate::error::Result;
use crate::formats::text::{self, Page};
use crate::model::{Activity, Channel, ExtraColumn, ExtraKey, FieldValue, Track, time};

/// Appends a value as attribute text (without quotes). `Absent` prints nothing.
pub(crate) fn plain(page: &mut Page<'_>, value: &Value<'_>) {
    let out = &mut page.buf;
    match value {
        Value::Absent => {}
        Value::Flag(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Integer(value) => text::integer(out, *value),
        Value::Number(value) => text::number(out, *value),
        Value::Single(value) => text::single(out, *value),
        Value::Instant(ms) => time::write_utc(out, *ms, false),
        Value::Text(value) => page.escape(value, true),
        Value::Word(value) => page.escape(value, true),
        Value::Position(lat, lon) => {
            text::number(out, *lat);
            out.push(b' ');
            text::number(out, *lon);
        }
        Value::Singles(values) => {
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push(b' ');
                }
                text::single(out, *value);
            }
        }
    }
}

fn attribute(page: &mut Page<'_>, name: &str, value: &Value<'_>) {
    if *value != Value::Absent {
        page.put(" ");
        page.put(name);
        page.put("=\"");
        plain(page, value);
        page.put("\"");
    }
}

fn attributes(page: &mut Page<'_>, part: &dyn Part) {
    part.each(&mut |name, value| attribute(page, name, &value));
}

fn element(page: &mut Page<'_>, name: &str, part: &dyn Part, keys: &Keys<'_>) -> Result<()> {
    page.put("<pp:");
    page.put(name);
    attributes(page, part);
    for value in part.developer().iter().chain(part.fields()) {
        let Some(id) = keys.id(&value.key) else { continue };
        page.put(" x");
        text::integer(&mut page.buf, id as i64);
        page.put("=\"");
        field_value(page, &value.value);
        page.put("\"");
    }
    page.put("/>\n");
    page.turn()
}

fn field_value(page: &mut Page<'_>, value: &FieldValue) {
    match value {
        FieldValue::Number(number) => text::number(&mut page.buf, *number),
        FieldValue::Text(text) => page.escape(text, true),
        FieldValue::Numbers(numbers) => {
            for (i, number) in numbers.iter().enumerate() {
                if i > 0 {
                    page.put(" ");
                }
                match number {
                    Some(number) => text::number(&mut page.buf, *number),
                    None => page.put("-"),
                }
            }
        }
    }
}

/// Everything that `pp:channel` declares, in the order of the ids: extra channels, then the fields of the parts.
#[derive(Default)]
struct Keys<'a> {
    list: Vec<&'a ExtraKey>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Keys<'a> {
    fn of(activity: &'a Activity) -> Keys<'a> {
        let mut keys = Keys::default();
        used(&activity.track).for_each(|(_, column)| keys.add(&column.key));
        let mut add = |part: &'a dyn Part| {
            for value in part.developer().iter().chain(part.fields()) {
                if keys.id(&value.key).is_none() {
                    keys.add(&value.key);
                }
            }
        };
        activity.laps.iter().for_each(|lap| add(lap));
        activity.sessions.iter().for_each(|session| add(session));
        activity.devices.iter().for_each(|device| add(device));
        activity.lengths.iter().for_each(|length| add(length));
        activity.sets.iter().for_each(|set| add(set));
        activity.splits.iter().for_each(|split| add(split));
        keys
    }

    fn add(&mut self, key: &'a ExtraKey) {
        self.by_name.entry(&key.name).or_default().push(self.list.len());
        self.list.push(key);
    }

    fn id(&self, key: &ExtraKey) -> Option<usize> {
        self.by_name.get(&*key.name)?.iter().copied().find(|at| self.list[*at] == key)
    }
}

/// Writes `pp:activity`: everything about the recording but its samples. `shown` are the extra channels that the host's
/// elements show.
pub(crate) fn activity(page: &mut Page<'_>, activity: &Activity, shown: &[StandIn<'_>]) -> Result<()> {
    page.put("<pp:activity");
    attributes(page, &Head::of(activity));
    page.put(">\n");
    let keys = Keys::of(activity);
    for (id, key) in keys.list.iter().enumerate() {
        page.put("<pp:channel id=\"x");
        text::integer(&mut page.buf, id as i64);
        page.put("\"");
        attributes(page, &ExtraRow::of(key));
        if let Some(shown) = shown.iter().find(|shown| shown.key == *key) {
            attribute(page, "stands_for", &Value::Text(shown.channel.name()));
        }
        page.put("/>\n");
    }
    each(page, "session", &activity.sessions, &keys)?;
    each(page, "lap", &activity.laps, &keys)?;
    each(page, "length", &activity.lengths, &keys)?;
    each(page, "set", &activity.sets, &keys)?;
    each(page, "pause", &activity.pauses, &keys)?;
    each(page, "event", &activity.events, &keys)?;
    each(page, "split", &activity.splits, &keys)?;
    each(page, "waypoint", &activity.waypoints, &keys)?;
    each(page, "device", &activity.devices, &keys)?;
    if activity.zones != Default::default() {
        element(page, "zones", &activity.zones, &keys)?;
    }
    if activity.athlete != Default::default() {
        element(page, "athlete", &activity.athlete, &keys)?;
    }
    for (platform, id) in &activity.platform_ids {
        page.put("<pp:id");
        attribute(page, "platform", &Value::Text(platform));
        attribute(page, "id", &Value::Text(id));
        page.put("/>\n");
    }
    if let Some(first) = activity.rr.first() {
        page.put("<pp:rr");
        attribute(page, "start", &Value::Instant(first.time));
        page.put(" intervals=\"");
        let mut before = first.time;
        for (i, rr) in activity.rr.iter().enumerate() {
            if i > 0 {
                page.put(" ");
            }
            text::integer(&mut page.buf, rr.time - before);
            page.put(" ");
            text::integer(&mut page.buf, rr.ms.into());
            before = rr.time;
            page.turn()?;
        }
        page.put("\"/>\n");
    }
    page.put("</pp:activity>\n");
    page.turn()
}

fn each<T: Part>(page: &mut Page<'_>, name: &str, parts: &[T], keys: &Keys<'_>) -> Result<()> {
    parts.iter().try_for_each(|part| element(page, name, part, keys))
}

/// Extra columns that have a value, with the number that names them.
fn used(track: &Track) -> impl Iterator<Item = (usize, &ExtraColumn)> {
    track.extra().iter().filter(|column| column.present().next().is_some()).enumerate()
}

/// What the host's own elements do with a channel's value.
pub(crate) type Holds = fn(Channel, f32) -> bool;

/// The values of a track that go into `pp:sample`.
pub(crate) struct Samples<'a> {
    track: &'a Track,
    /// Channels, as ` name="`, with values; `bool`: the host holds some of them exactly.
    channels: Vec<(Channel, String, &'a [f32], bool)>,
    extra: Vec<(String, &'a ExtraColumn)>,
    distance: bool,
    holds: Holds,
}

impl<'a> Samples<'a> {
    /// `holds` says which values the host's elements hold exactly, `distance` whether the host has the distance.
    pub fn new(track: &'a Track, holds: Holds, distance: bool) -> Samples<'a> {
        let mut channels = Vec::new();
        for (channel, column) in track.channels() {
            let (mut held, mut left) = (false, false);
            for (_, value) in column.present() {
                let exact = holds(channel, value);
                held |= exact;
                left |= !exact;
            }
            if left {
                channels.push((channel, format!(" {}=\"", channel.name()), column.raw(), held));
            }
        }
        let extra = used(track).map(|(slot, column)| (format!(" x{slot}=\""), column)).collect();
        Samples { track, channels, extra, distance: !distance && track.has_distance(), holds }
    }

    /// Appends the attributes of a row that the host's elements do not hold.
    #[inline]
    pub fn further(&self, out: &mut Vec<u8>, row: usize) {
        for (channel, name, values, held) in &self.channels {
            if let Some(&value) = values.get(row)
                && !value.is_nan()
                && !(*held && (self.holds)(*channel, value))
            {
                quoted(out, name, |out| text::single(out, value));
            }
        }
        if self.distance {
            self.distance(out, row);
        }
        self.extra(out, row);
    }

    /// Appends all values of a row but its time and position.
    pub fn all(&self, out: &mut Vec<u8>, row: usize) {
        for (channel, column) in self.track.channels() {
            if let Some(value) = column.get(row) {
                out.push(b' ');
                quoted(out, channel.name(), |out| {
                    out.extend_from_slice(b"=\"");
                    text::single(out, value);
                });
            }
        }
        self.distance(out, row);
        self.extra(out, row);
    }

    fn distance(&self, out: &mut Vec<u8>, row: usize) {
        if let Some(metres) = self.track.distance(row) {
            quoted(out, " distance=\"", |out| text::number(out, metres));
        }
    }

    fn extra(&self, out: &mut Vec<u8>, row: usize) {
        for (name, column) in &self.extra {
            if let Some(value) = column.get(row) {
                quoted(out, name, |out| text::number(out, value));
            }
        }
    }
}

#[inline]
fn quoted(out: &mut Vec<u8>, opening: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(opening.as_bytes());
    value(out);
    out.push(b'"');
}
