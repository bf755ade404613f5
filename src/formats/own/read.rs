//! Reads the `paceport` elements back.

use std::collections::HashMap;
use std::sync::Arc;

use super::fields::{ExtraRow, Head, Part};
use crate::formats::xml::{attribute, attributes, unescape};
use crate::model::{
    Basis, Channel, Clock, Column, Draft, Evidence, ExtraKey, FieldValue, Recording, RrInterval, StatedField, Track,
    time,
};

/// Gathers the `paceport` elements of one activity while a GPX or TCX reader meets them.
///
/// The host reader hands over every element of the namespace with its raw attributes (the bytes between the element's
/// name and its `>` or `/>`), and calls [`OwnReader::finish`] when the activity is complete.
#[derive(Debug, Default)]
pub(crate) struct OwnReader {
    head: Option<Head>,
    recording: Recording,
    /// Attribute name → what it sets, in order of first occurrence.
    known: Vec<(String, Target)>,
    /// Declared extra channels by id, in order.
    declared: Vec<(String, Arc<ExtraKey>)>,
    /// Channels that the host's elements show for an extra one: the recording has none.
    shown: Vec<Channel>,
    /// Fields of laps, sessions, devices and so on that wait for what `pp:channel` says of them.
    fields: Vec<Field>,
    /// Extra slots of the track by id.
    slots: Vec<(String, usize)>,
    /// First row of the running `trk`.
    start: usize,
    /// Samples without position of the running `trk`: row, and how many points stand before it.
    loose: Vec<(u32, u32)>,
    /// New order of the rows so far, when it differs from the order of the file.
    order: Vec<u32>,
}

/// A field of FIT of a lap, session, device and so on: the attribute's name and text.
#[derive(Debug)]
struct Field {
    owner: Owner,
    id: String,
    text: String,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    Session(usize),
    Lap(usize),
    Length(usize),
    Set(usize),
    Split(usize),
    Device(usize),
}

/// How many fields of laps, sessions, devices and so on are read.
const MOST_FIELDS: usize = 1 << 18;
/// FIT base type of texts.
const STRING: u8 = 7;
/// How many extra channels are read. Each is a column, and a hostile file could name a new one in every sample.
const MOST_EXTRAS: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Channel(Channel),
    Distance,
    Extra(usize),
    Time,
    Untimed,
    Lat,
    Lon,
    After,
    Nothing,
}

impl OwnReader {
    /// Takes an element that is no sample: `activity`, `lap`, `channel` …; unknown ones are skipped.
    pub fn element(&mut self, name: &str, raw: &str) {
        let recording = &mut self.recording;
        match name {
            "activity" => self.head = Some(part(raw)),
            "session" => {
                recording.sessions.push(part(raw));
                fields(raw, Owner::Session(recording.sessions.len() - 1), &mut self.fields);
            }
            "lap" => {
                recording.laps.push(part(raw));
                fields(raw, Owner::Lap(recording.laps.len() - 1), &mut self.fields);
            }
            "length" => {
                recording.lengths.push(part(raw));
                fields(raw, Owner::Length(recording.lengths.len() - 1), &mut self.fields);
            }
            "set" => {
                recording.sets.push(part(raw));
                fields(raw, Owner::Set(recording.sets.len() - 1), &mut self.fields);
            }
            "pause" => {
                let mut pause = crate::model::Pause { start: 0, end: 0, auto: false };
                fill(&mut pause, raw);
                recording.pauses.push(pause);
            }
            "event" => {
                let mut event = crate::model::Event { time: 0, event: 0, event_type: 0, data: None, group: None };
                fill(&mut event, raw);
                recording.events.push(event);
            }
            "split" => {
                recording.splits.push(part(raw));
                fields(raw, Owner::Split(recording.splits.len() - 1), &mut self.fields);
            }
            "waypoint" => recording.waypoints.push(part(raw)),
            "device" => {
                recording.devices.push(part(raw));
                fields(raw, Owner::Device(recording.devices.len() - 1), &mut self.fields);
            }
            "zones" => recording.zones = part(raw),
            "athlete" => recording.athlete = part(raw),
            "channel" => {
                let id = attribute(raw, "id").unwrap_or_default().into_owned();
                self.declared.push((id, part::<ExtraRow>(raw).into_key().into()));
                self.shown.extend(attribute(raw, "stands_for").and_then(|name| Channel::by_name(&name)));
            }
            "id" => {
                if let (Some(platform), Some(id)) = (attribute(raw, "platform"), attribute(raw, "id")) {
                    recording.platform_ids.push((platform.into_owned(), id.into_owned()));
                }
            }
            "rr" => intervals(raw, &mut recording.rr),
            _ => {}
        }
    }

    /// Takes the `sample` inside a point: sets the values of the track's last row.
    pub fn sample(&mut self, raw: &str, track: &mut Track) {
        self.values(raw, track);
    }

    /// Takes a `sample` in the extensions of a `trk`: a row of its own.
    pub fn loose_sample(&mut self, raw: &str, track: &mut Track) {
        let row = track.push(track.times().last().copied().unwrap_or(0));
        let after = self.values(raw, track);
        self.loose.push((row as u32, after));
    }

    /// To be called at the end of each `trk`, with the number of rows so far.
    pub fn end_track(&mut self, rows: usize) {
        let start = std::mem::replace(&mut self.start, rows);
        if self.loose.is_empty() {
            return;
        }
        self.order.extend(self.order.len() as u32..start as u32);
        let loose = std::mem::take(&mut self.loose);
        let (mut waiting, mut seen) = (loose.iter().peekable(), 0);
        let points = (start as u32..rows as u32).filter(|row| loose.binary_search_by_key(row, |l| l.0).is_err());
        for point in points {
            while let Some((row, _)) = waiting.next_if(|(_, after)| *after <= seen) {
                self.order.push(*row);
            }
            self.order.push(point);
            seen += 1;
        }
        self.order.extend(waiting.map(|(row, _)| *row));
    }

    /// True once the activity's own description was met.
    pub fn found(&self) -> bool {
        self.head.is_some()
    }

    /// Settles what was gathered: the description replaces all but the samples of the draft.
    pub fn finish(mut self, draft: &mut Draft) {
        self.end_track(draft.recording.track.len());
        let track = &mut draft.recording.track;
        if !self.order.is_empty() {
            self.order.extend(self.order.len() as u32..track.len() as u32);
            *track = track.pick(&self.order);
        }
        let columns = track.extra_mut();
        for (id, slot) in &self.slots {
            if let (Some(column), Some((_, key))) = (columns.get_mut(*slot), self.declared.iter().find(|d| d.0 == *id))
            {
                column.key = ExtraKey::clone(key);
            }
        }
        let place = |key: &ExtraKey| self.declared.iter().position(|(_, known)| **known == *key);
        columns.sort_by_key(|column| place(&column.key).unwrap_or(usize::MAX));
        let Some(head) = self.head else { return };
        draft.clock = Clock {
            basis: Basis::Utc,
            offset_s: head.offset_s,
            evidence: head.evidence.unwrap_or(Evidence::None),
            ..Clock::default()
        };
        let mut track = std::mem::take(track);
        self.shown.into_iter().for_each(|channel| track.put_column(channel, Column::default()));
        let mut parts = self.recording;
        settle(self.fields, &self.declared, &mut parts);
        draft.recording = Recording {
            track,
            laps: parts.laps,
            sessions: parts.sessions,
            lengths: parts.lengths,
            sets: parts.sets,
            pauses: parts.pauses,
            rr: parts.rr,
            events: parts.events,
            splits: parts.splits,
            waypoints: parts.waypoints,
            devices: parts.devices,
            zones: parts.zones,
            athlete: parts.athlete,
            platform_ids: parts.platform_ids,
            ..head.into_recording()
        };
    }

    /// Sets values of the last row; returns `after`.
    fn values(&mut self, raw: &str, track: &mut Track) -> u32 {
        let Some(row) = track.len().checked_sub(1) else { return 0 };
        let (mut guess, mut after) = (0, 0);
        let (mut lat, mut lon) = track.position(row).map_or((None, None), |(lat, lon)| (Some(lat), Some(lon)));
        let mut moved = false;
        for (name, text) in attributes(raw) {
            let target = self.target(name, guess, track);
            guess += 1;
            match target {
                Target::Channel(channel) => {
                    if let Ok(value) = text.parse::<f32>() {
                        track.set(channel, value);
                    }
                }
                Target::Distance => {
                    if let Ok(metres) = text.parse() {
                        track.set_distance(metres);
                    }
                }
                Target::Extra(slot) => {
                    if let Ok(value) = text.parse() {
                        track.set_extra(slot, value);
                    }
                }
                Target::Time => {
                    if let (Some(instant), Some(last)) = (time::parse(text.as_bytes()), track.times_mut().last_mut()) {
                        *last = instant.ms;
                    }
                }
                Target::Untimed if text == "true" => track.mark_untimed(),
                Target::Lat => (lat, moved) = (text.parse().ok(), true),
                Target::Lon => (lon, moved) = (text.parse().ok(), true),
                Target::After => after = text.parse().unwrap_or(0),
                Target::Untimed | Target::Nothing => {}
            }
        }
        if let (true, Some(lat), Some(lon)) = (moved, lat, lon) {
            track.set_position(lat, lon);
        }
        after
    }

    /// What an attribute sets; samples mostly repeat the attributes of the sample before, so `guess` is tried first.
    fn target(&mut self, name: &str, guess: usize, track: &mut Track) -> Target {
        if let Some((known, target)) = self.known.get(guess)
            && known == name
        {
            return *target;
        }
        if let Some((_, target)) = self.known.iter().find(|(known, _)| known == name) {
            return *target;
        }
        let target = match name {
            "distance" => Target::Distance,
            "time" => Target::Time,
            "untimed" => Target::Untimed,
            "lat" => Target::Lat,
            "lon" => Target::Lon,
            "after" => Target::After,
            _ if is_id(name) && self.slots.len() < MOST_EXTRAS => {
                let slot = track.extra_slot(ExtraKey { name: name.to_owned(), ..ExtraKey::default() });
                self.slots.push((name.to_owned(), slot));
                Target::Extra(slot)
            }
            _ => Channel::by_name(name).map_or(Target::Nothing, Target::Channel),
        };
        if self.known.len() < 2 * MOST_EXTRAS {
            self.known.push((name.to_owned(), target));
        }
        target
    }
}

fn part<T: Part + Default>(raw: &str) -> T {
    let mut part = T::default();
    fill(&mut part, raw);
    part
}

fn fill(part: &mut dyn Part, raw: &str) {
    for (name, value) in attributes(raw) {
        part.set(name, &unescape(value));
    }
}

fn intervals(raw: &str, out: &mut Vec<RrInterval>) {
    let find = |wanted: &str| attributes(raw).find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let Some(start) = find("start").and_then(|text| time::parse(text.as_bytes())) else { return };
    let text = find("intervals").unwrap_or_default();
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<i64>);
    let mut time = start.ms;
    while let (Some(Ok(step)), Some(Ok(ms))) = (numbers.next(), numbers.next()) {
        time = time.saturating_add(step);
        out.push(RrInterval { time, ms: ms.clamp(0, i64::from(u16::MAX)) as u16 });
    }
}

/// Takes the fields of FIT among the attributes of a lap, session, device and so on.
fn fields(raw: &str, owner: Owner, out: &mut Vec<Field>) {
    let ids = attributes(raw).filter(|(name, _)| is_id(name));
    let room = MOST_FIELDS.saturating_sub(out.len());
    out.extend(ids.take(room).map(|(id, text)| Field { owner, id: id.to_owned(), text: unescape(text).into_owned() }));
}

/// Gives every field its definition and its place.
fn settle(fields: Vec<Field>, declared: &[(String, Arc<ExtraKey>)], recording: &mut Recording) {
    if fields.is_empty() {
        return;
    }
    let declared: HashMap<&str, &Arc<ExtraKey>> = declared.iter().map(|(id, key)| (id.as_str(), key)).collect();
    for Field { owner, id, text } in fields {
        let Some(&key) = declared.get(id.as_str()) else { continue };
        let Some(value) = field_value(key, text) else { continue };
        let field = StatedField { key: Arc::clone(key), value };
        let native = field.native().is_some();
        let values = match owner {
            Owner::Lap(at) if native => recording.laps.get_mut(at).map(|lap| &mut lap.fields),
            Owner::Session(at) if native => recording.sessions.get_mut(at).map(|session| &mut session.fields),
            Owner::Length(at) if native => recording.lengths.get_mut(at).map(|length| &mut length.fields),
            Owner::Set(at) if native => recording.sets.get_mut(at).map(|set| &mut set.fields),
            Owner::Split(at) if native => recording.splits.get_mut(at).map(|split| &mut split.fields),
            Owner::Lap(at) => recording.laps.get_mut(at).map(|lap| &mut lap.developer),
            Owner::Session(at) => recording.sessions.get_mut(at).map(|session| &mut session.developer),
            Owner::Device(at) => recording.devices.get_mut(at).map(|device| &mut device.developer),
            Owner::Length(_) | Owner::Set(_) | Owner::Split(_) => None,
        };
        if let Some(values) = values {
            values.push(field);
        }
    }
}

/// What the text of a field says: a text when its type is one, else numbers, `-` for invalid ones.
fn field_value(key: &ExtraKey, text: String) -> Option<FieldValue> {
    if key.base_type() == Some(STRING) {
        return (!text.is_empty()).then_some(FieldValue::Text(text));
    }
    let number = |word: &str| word.parse().ok().filter(|number: &f64| number.is_finite());
    let numbers: Vec<Option<f64>> = text.split_ascii_whitespace().map(number).collect();
    numbers.iter().any(Option::is_some).then_some(())?;
    Some(match numbers[..] {
        [Some(number)] => FieldValue::Number(number),
        _ => FieldValue::Numbers(numbers),
    })
}

/// True for what a `pp:channel` declares: `x0`, `x1` …
fn is_id(name: &str) -> bool {
    name.strip_prefix('x').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}
