//! Reads the `paceport` elements back.

use super::fields::{ExtraRow, Head, Part};
use crate::model::{Basis, Channel, Clock, Draft, Evidence, ExtraKey, Recording, RrInterval, Track, time};

/// Gathers the `paceport` elements of one activity while a GPX or TCX reader meets them.
///
/// The host reader hands over every element of the namespace with its raw attributes (the bytes between the element's
/// name and its `>` or `/>`), and calls [`OwnReader::finish`] when the activity is complete.
#[derive(Debug, Default)]
pub(crate) struct OwnReader {
    head: Option<Head>,
    recording: Recording,
    /// Attribute name → what it sets, in order of first occurrence.
    known: Vec<(Vec<u8>, Target)>,
    /// Declared extra channels by id, in order.
    declared: Vec<(Vec<u8>, ExtraKey)>,
    /// Extra slots of the track by id.
    slots: Vec<(Vec<u8>, usize)>,
    /// First row of the running `trk`.
    start: usize,
    /// Samples without position of the running `trk`: row, and how many points stand before it.
    loose: Vec<(u32, u32)>,
    /// New order of the rows so far, when it differs from the order of the file.
    order: Vec<u32>,
}

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
    pub fn element(&mut self, name: &[u8], raw: &[u8]) {
        let recording = &mut self.recording;
        match name {
            b"activity" => self.head = Some(part(raw)),
            b"session" => recording.sessions.push(part(raw)),
            b"lap" => recording.laps.push(part(raw)),
            b"length" => recording.lengths.push(part(raw)),
            b"set" => recording.sets.push(part(raw)),
            b"pause" => {
                let mut pause = crate::model::Pause { start: 0, end: 0, auto: false };
                fill(&mut pause, raw);
                recording.pauses.push(pause);
            }
            b"event" => {
                let mut event = crate::model::Event { time: 0, event: 0, event_type: 0, data: None, group: None };
                fill(&mut event, raw);
                recording.events.push(event);
            }
            b"split" => recording.splits.push(part(raw)),
            b"waypoint" => recording.waypoints.push(part(raw)),
            b"device" => recording.devices.push(part(raw)),
            b"zones" => recording.zones = part(raw),
            b"athlete" => recording.athlete = part(raw),
            b"channel" => {
                let id = attributes(raw).find(|(name, _)| *name == b"id").map(|(_, value)| value.to_vec());
                self.declared.push((id.unwrap_or_default(), part::<ExtraRow>(raw).into_key()));
            }
            b"id" => {
                let text = |wanted: &[u8]| attributes(raw).find(|(name, _)| *name == wanted).map(|(_, v)| unescape(v));
                if let (Some(platform), Some(id)) = (text(b"platform"), text(b"id")) {
                    recording.platform_ids.push((platform, id));
                }
            }
            b"rr" => intervals(raw, &mut recording.rr),
            _ => {}
        }
    }

    /// Takes the `sample` inside a point: sets the values of the track's last row.
    pub fn sample(&mut self, raw: &[u8], track: &mut Track) {
        self.values(raw, track);
    }

    /// Takes a `sample` in the extensions of a `trk`: a row of its own.
    pub fn loose_sample(&mut self, raw: &[u8], track: &mut Track) {
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
                column.key = key.clone();
            }
        }
        let place = |key: &ExtraKey| self.declared.iter().position(|(_, known)| known == key);
        columns.sort_by_key(|column| place(&column.key).unwrap_or(usize::MAX));
        let Some(head) = self.head else { return };
        draft.clock = Clock {
            basis: Basis::Utc,
            offset_s: head.offset_s,
            evidence: head.evidence.unwrap_or(Evidence::None),
            ..Clock::default()
        };
        let track = std::mem::take(track);
        let parts = self.recording;
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
    fn values(&mut self, raw: &[u8], track: &mut Track) -> u32 {
        let Some(row) = track.len().checked_sub(1) else { return 0 };
        let (mut guess, mut after) = (0, 0);
        let (mut lat, mut lon) = track.position(row).map_or((None, None), |(lat, lon)| (Some(lat), Some(lon)));
        let mut moved = false;
        for (name, value) in attributes(raw) {
            let target = self.target(name, guess, track);
            guess += 1;
            let Ok(text) = std::str::from_utf8(value) else { continue };
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
                    if let (Some(instant), Some(last)) = (time::parse(value), track.times_mut().last_mut()) {
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
    fn target(&mut self, name: &[u8], guess: usize, track: &mut Track) -> Target {
        if let Some((known, target)) = self.known.get(guess)
            && known == name
        {
            return *target;
        }
        if let Some((_, target)) = self.known.iter().find(|(known, _)| known == name) {
            return *target;
        }
        let target = match name {
            b"distance" => Target::Distance,
            b"time" => Target::Time,
            b"untimed" => Target::Untimed,
            b"lat" => Target::Lat,
            b"lon" => Target::Lon,
            b"after" => Target::After,
            [b'x', digits @ ..]
                if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && self.slots.len() < MOST_EXTRAS =>
            {
                let placeholder = String::from_utf8_lossy(name).into_owned();
                let slot = track.extra_slot(ExtraKey { name: placeholder, ..ExtraKey::default() });
                self.slots.push((name.to_vec(), slot));
                Target::Extra(slot)
            }
            _ => std::str::from_utf8(name).ok().and_then(Channel::by_name).map_or(Target::Nothing, Target::Channel),
        };
        if self.known.len() < 2 * MOST_EXTRAS {
            self.known.push((name.to_vec(), target));
        }
        target
    }
}

fn part<T: Part + Default>(raw: &[u8]) -> T {
    let mut part = T::default();
    fill(&mut part, raw);
    part
}

fn fill(part: &mut dyn Part, raw: &[u8]) {
    for (name, value) in attributes(raw) {
        if let Ok(name) = std::str::from_utf8(name) {
            part.set(name, &unescape(value));
        }
    }
}

fn intervals(raw: &[u8], out: &mut Vec<RrInterval>) {
    let find = |wanted: &[u8]| attributes(raw).find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let Some(start) = find(b"start").and_then(time::parse) else { return };
    let text = find(b"intervals").and_then(|v| std::str::from_utf8(v).ok()).unwrap_or_default();
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<i64>);
    let mut time = start.ms;
    while let (Some(Ok(step)), Some(Ok(ms))) = (numbers.next(), numbers.next()) {
        time = time.saturating_add(step);
        out.push(RrInterval { time, ms: ms.clamp(0, i64::from(u16::MAX)) as u16 });
    }
}

/// The attributes of a start tag: name and raw value. Stops at the first thing that is none.
fn attributes(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let text = rest.trim_ascii_start();
        let equals = memchr::memchr(b'=', text)?;
        let (name, value) = text.split_at_checked(equals)?;
        let value = value.get(1..)?.trim_ascii_start();
        let (&quote, value) = value.split_first()?;
        if quote != b'"' && quote != b'\'' {
            return None;
        }
        let end = memchr::memchr(quote, value)?;
        let (value, after) = value.split_at_checked(end)?;
        rest = after.get(1..)?;
        Some((name.trim_ascii_end(), value))
    })
}

/// An attribute value without its character and entity references; line ends inside were written as references.
fn unescape(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    match quick_xml::escape::unescape(&text) {
        Ok(plain) => plain.into_owned(),
        Err(_) => text.into_owned(),
    }
}
