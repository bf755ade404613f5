//! A strict validator of FIT activity files: its own decoder, and the rules of the activity file type (FIT developer pages,
//! Garmin's `ActivityFileValidationPlugin`). It shares no code with the library.

use std::collections::{BTreeMap, BTreeSet};

use super::fixtures::fit;

/// CRC-16 of FIT, byte by byte from a table made bit by bit.
fn crc(bytes: &[u8]) -> u16 {
    static TABLE: std::sync::LazyLock<Vec<u16>> =
        std::sync::LazyLock::new(|| (0..=255).map(|b| fit::crc(&[b])).collect());
    bytes.iter().fold(0, |crc, byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

/// One field of a message: base type byte and raw bytes (little endian).
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub base: u8,
    pub bytes: Vec<u8>,
}

/// One data message.
#[derive(Debug, Clone)]
pub struct Message {
    pub global: u16,
    pub fields: BTreeMap<u8, Field>,
    /// By (developer data index, number).
    pub developer: BTreeMap<(u8, u8), Field>,
}

impl Message {
    /// First element as a whole number; `None` when absent or invalid.
    pub fn number(&self, field: u8) -> Option<i64> {
        let field = self.fields.get(&field)?;
        elements(field).next().filter(|raw| *raw != invalid(field.base)).map(|raw| signed(field.base, raw))
    }

    /// A text without its padding.
    pub fn text(&self, field: u8) -> Option<String> {
        let bytes = &self.fields.get(&field)?.bytes;
        Some(String::from_utf8(bytes.split(|b| *b == 0).next().unwrap().to_vec()).unwrap())
    }
}

fn size(base: u8) -> usize {
    match base & 0x1F {
        0x00 | 0x01 | 0x02 | 0x07 | 0x0A | 0x0D => 1,
        0x03 | 0x04 | 0x0B => 2,
        0x05 | 0x06 | 0x08 | 0x0C => 4,
        0x09 | 0x0E | 0x0F | 0x10 => 8,
        _ => panic!("base type {base:#x}"),
    }
}

fn invalid(base: u8) -> u64 {
    match base & 0x1F {
        0x00 | 0x02 | 0x0D => 0xFF,
        0x01 => 0x7F,
        0x03 => 0x7FFF,
        0x04 => 0xFFFF,
        0x05 => 0x7FFF_FFFF,
        0x06 | 0x08 => 0xFFFF_FFFF,
        0x0E => i64::MAX as u64,
        0x0F | 0x09 => u64::MAX,
        _ => 0,
    }
}

fn elements(field: &Field) -> impl Iterator<Item = u64> + '_ {
    field.bytes.chunks(size(field.base)).map(|chunk| chunk.iter().rev().fold(0, |all, b| all << 8 | u64::from(*b)))
}

fn signed(base: u8, raw: u64) -> i64 {
    match base & 0x1F {
        0x01 => i64::from(raw as i8),
        0x03 => i64::from(raw as i16),
        0x05 => i64::from(raw as i32),
        _ => raw as i64,
    }
}

fn is_nan(base: u8, raw: u64) -> bool {
    match base & 0x1F {
        0x08 => f32::from_bits(raw as u32).is_nan(),
        0x09 => f64::from_bits(raw).is_nan(),
        _ => false,
    }
}

type Shape = (u16, Vec<[u8; 3]>, Vec<[u8; 3]>);

/// Splits a file into messages. `Err` says what is wrong with its container or its records.
pub fn parse(bytes: &[u8]) -> Result<Vec<Message>, String> {
    let need = |ok: bool, what: &str| if ok { Ok(()) } else { Err(what.to_owned()) };
    need(bytes.len() >= 16, "shorter than a header")?;
    need(bytes[0] == 14, "header size is not 14")?;
    need(&bytes[8..12] == b".FIT", "no .FIT")?;
    need(crc(&bytes[..12]).to_le_bytes() == bytes[12..14], "header CRC")?;
    let end = 14 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    need(bytes.len() == end + 2, "data size does not fit the file")?;
    need(crc(&bytes[..end]).to_le_bytes() == bytes[end..], "file CRC")?;
    let (mut at, mut shapes, mut used) = (14, BTreeMap::<u8, Shape>::new(), BTreeSet::new());
    let mut messages = Vec::new();
    let mut protocol = 0x10;
    while at < end {
        let header = bytes[at];
        at += 1;
        need(header & 0x80 == 0, "compressed timestamp header")?;
        need(header & 0x10 == 0, "reserved header bit")?;
        let local = header & 0x0F;
        if header & 0x40 == 0 {
            need(header & 0x20 == 0, "developer bit in a data header")?;
            let (global, fields, developer) = shapes.get(&local).ok_or("data without definition")?;
            used.insert(local);
            let mut take = |size: u8, base: u8| -> Result<Field, String> {
                let bytes = bytes[..end].get(at..at + usize::from(size)).ok_or("message runs past the end")?;
                at += usize::from(size);
                Ok(Field { base, bytes: bytes.to_vec() })
            };
            let mut message = Message { global: *global, fields: BTreeMap::new(), developer: BTreeMap::new() };
            for [number, size, base] in fields {
                message.fields.insert(*number, take(*size, *base)?);
            }
            for [number, size, index] in developer {
                message.developer.insert((*index, *number), take(*size, 0x0D)?);
            }
            messages.push(message);
            continue;
        }
        need(bytes[at..at + 2] == [0, 0], "reserved byte or big endian")?;
        let global = u16::from_le_bytes([bytes[at + 2], bytes[at + 3]]);
        let list = |at: &mut usize| -> Vec<[u8; 3]> {
            let count = usize::from(bytes[*at]);
            let fields = bytes[*at + 1..][..3 * count].chunks(3).map(|f| [f[0], f[1], f[2]]).collect();
            *at += 1 + 3 * count;
            fields
        };
        at += 4;
        let fields = list(&mut at);
        let developer = if header & 0x20 != 0 { list(&mut at) } else { Vec::new() };
        need(!fields.is_empty() || !developer.is_empty(), "empty definition")?;
        for [number, bytes, base] in &fields {
            need(*bytes > 0, "field of size 0")?;
            need(size(*base) > 1 || base & 0x80 == 0, "base type with a wrong multi-byte bit")?;
            need(usize::from(*bytes) % size(*base) == 0, &format!("size {bytes} of field {number} of {global}"))?;
            protocol |= if matches!(base & 0x1F, 0x0E..=0x10) { 0x20 } else { 0 };
        }
        protocol |= if developer.is_empty() { 0 } else { 0x20 };
        let numbers: BTreeSet<u8> = fields.iter().map(|f| f[0]).collect();
        need(numbers.len() == fields.len(), &format!("a field twice in a definition of {global}"))?;
        let places: BTreeSet<(u8, u8)> = developer.iter().map(|f| (f[2], f[0])).collect();
        need(places.len() == developer.len(), "a developer field twice in a definition")?;
        let shape = (global, fields, developer);
        need(!shapes.contains_key(&local) || used.contains(&local), "a definition that nothing uses")?;
        need(!shapes.values().any(|known| *known == shape), &format!("message {global} is defined twice alike"))?;
        used.remove(&local);
        shapes.insert(local, shape);
    }
    need(used.len() == shapes.len(), "a last definition that nothing uses")?;
    need(protocol < 0x20 || bytes[1] >= 0x20, "protocol version too low for its content")?;
    Ok(messages)
}

/// What is wrong with a file. `form` must be empty for every file we write. `totals` (sums and borders of laps and sessions)
/// may only speak when the source itself states laps and sessions that contradict each other.
#[derive(Debug, Default)]
pub struct Findings {
    pub form: Vec<String>,
    pub totals: Vec<String>,
}

const FIRST_TIME: i64 = 0x1000_0000;

/// Checks a file against all rules.
pub fn check(bytes: &[u8]) -> Findings {
    let mut found = Findings::default();
    match parse(bytes) {
        Err(what) => found.form.push(what),
        Ok(messages) => {
            values(&messages, &mut found.form);
            developer_fields(&messages, &mut found.form);
            structure(&messages, &mut found.form);
            totals(&messages, &mut found.totals);
        }
    }
    found
}

fn of(messages: &[Message], global: u16) -> Vec<&Message> {
    messages.iter().filter(|m| m.global == global).collect()
}

/// Values: no field without any valid value, no NaN, no empty text, no time before the first real one.
fn values(messages: &[Message], wrong: &mut Vec<String>) {
    let mut valid: BTreeMap<(u16, u8), bool> = BTreeMap::new();
    for message in messages {
        for (number, field) in &message.fields {
            let what = || format!("field {number} of message {}", message.global);
            let some = elements(field).any(|raw| raw != invalid(field.base));
            *valid.entry((message.global, *number)).or_default() |= some;
            if elements(field).any(|raw| raw != invalid(field.base) && is_nan(field.base, raw)) {
                wrong.push(format!("NaN in {}", what()));
            }
            if field.base == 0x07 {
                let text = field.bytes.split_last().filter(|(last, _)| **last == 0).map(|(_, text)| text);
                if !text.is_some_and(|text| !text.is_empty() && !text.contains(&0) && std::str::from_utf8(text).is_ok())
                {
                    wrong.push(format!("text in {} is empty, unterminated or not UTF-8", what()));
                }
            }
        }
        let starts: &[u8] = match message.global {
            18 | 19 | 101 => &[2, 253],
            0 => &[4],
            225 => &[254, 6],
            312 => &[9, 27],
            _ => &[253],
        };
        for time in starts.iter().filter_map(|number| message.number(*number)) {
            if time < FIRST_TIME {
                wrong.push(format!("time {time} in message {}", message.global));
            }
        }
    }
    for ((global, number), some) in valid {
        if !some {
            wrong.push(format!("field {number} of message {global} never has a value"));
        }
    }
}

/// Every developer field is described before, with an id before that, and has the size of its type.
fn developer_fields(messages: &[Message], wrong: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    let mut bases = BTreeMap::new();
    for message in messages {
        match message.global {
            207 if !ids.insert(message.number(3)) => wrong.push("a developer data index twice".into()),
            206 => {
                let [index, number, base] = [0, 1, 2].map(|field| message.number(field).unwrap());
                if !ids.contains(&Some(index)) {
                    wrong.push(format!("developer data index {index} is described before its id"));
                }
                if bases.insert((index as u8, number as u8), base as u8).is_some() {
                    wrong.push(format!("developer field {index}/{number} is described twice"));
                }
            }
            _ => {}
        }
        for (place, field) in &message.developer {
            match bases.get(place) {
                None => wrong.push(format!("developer field {place:?} is not described")),
                Some(0x07) => {}
                Some(base) if field.bytes.len() % size(*base) != 0 => wrong.push(format!("size of {place:?}")),
                Some(_) => {}
            }
        }
    }
}

/// Which messages there are, in which order, with what they must have.
fn structure(messages: &[Message], wrong: &mut Vec<String>) {
    let mut need = |ok: bool, what: &str| {
        if !ok {
            wrong.push(what.to_owned());
        }
    };
    let id = &messages[0];
    need(id.global == 0 && of(messages, 0).len() == 1, "exactly one file_id, first");
    need(id.number(0) == Some(4), "file_id.type 4");
    need(id.number(1).is_some() && id.number(2).is_some(), "file_id.manufacturer and product");
    need(id.number(4).is_some(), "file_id.time_created");
    need(messages[1].global == 49, "file_creator second");
    let last = &messages[messages.len() - 1];
    need(last.global == 34 && of(messages, 34).len() == 1, "exactly one activity, last");
    need(last.number(253).is_some(), "activity.timestamp");
    if let (Some(local), Some(time)) = (last.number(5), last.number(253)) {
        need((-43_200..=50_400).contains(&(local - time)), "local offset between -12 h and +14 h");
    }
    let (sessions, laps, records) = (of(messages, 18), of(messages, 19), of(messages, 20));
    need(last.number(1) == Some(sessions.len() as i64), "activity.num_sessions");
    need(!sessions.is_empty() && !laps.is_empty(), "at least one session and one lap");
    for (name, list) in [("session", &sessions), ("lap", &laps), ("length", &of(messages, 101))] {
        for (index, message) in list.iter().enumerate() {
            need(message.number(254) == Some(index as i64), &format!("{name}.message_index"));
            need(message.number(2).is_some() && message.number(253).is_some(), &format!("{name} times"));
            need(message.number(if name == "length" { 3 } else { 7 }).is_some(), &format!("{name}.total_elapsed_time"));
        }
    }
    for session in &sessions {
        need(session.number(8).is_some(), "session.total_timer_time");
        need(session.number(8) <= session.number(7), "session timer not longer than elapsed");
        need(session.number(5).is_some() && session.number(6).is_some(), "session.sport and sub_sport");
        need(session.number(25).is_some() && session.number(26).is_some(), "session.first_lap_index and num_laps");
    }
    let mut next = 0;
    for session in &sessions {
        need(session.number(25) == Some(next), "sessions name their laps in order");
        next += session.number(26).unwrap_or(0);
    }
    need(next == laps.len() as i64, "num_laps sums to all laps");
    need(laps.iter().all(|lap| lap.number(8).is_some()), "lap.total_timer_time");
    let times: Vec<_> = records.iter().map(|record| record.number(253)).collect();
    need(times.iter().all(Option::is_some), "record.timestamp");
    need(times.is_sorted(), "records ascend");
    let devices = of(messages, 23);
    need(devices.iter().all(|d| d.number(253).is_some() && d.number(0).is_some()), "device_info time and index");
    need(devices.iter().any(|d| d.number(0) == Some(0)), "device_info of the recorder");
    let indices: BTreeSet<_> = devices.iter().map(|d| d.number(0)).collect();
    need(indices.len() == devices.len(), "one device_info a device");
    timeline(messages, &mut need);
}

/// Timer events frame the records and alternate; summaries come last.
fn timeline(messages: &[Message], need: &mut dyn FnMut(bool, &str)) {
    let timeline: Vec<&Message> = messages.iter().filter(|m| matches!(m.global, 20 | 21 | 78)).collect();
    let timer = |m: &Message| (m.global == 21 && m.number(0) == Some(0)).then(|| m.number(1).unwrap());
    need(timeline.first().and_then(|m| timer(m)) == Some(0), "timer start before everything else");
    let stop_all = timeline.iter().rposition(|m| m.global == 20 || timer(m).is_some());
    need(stop_all.and_then(|at| timer(timeline[at])) == Some(4), "timer stop_all behind all records and timer events");
    let times: Vec<i64> = timeline.iter().filter_map(|m| m.number(253)).collect();
    need(times.is_sorted(), "records and events ascend");
    let states: Vec<i64> = timeline.iter().filter_map(|m| timer(m)).collect();
    need(states.windows(2).all(|pair| (pair[0] == 0) != (pair[1] == 0)), "timer starts and stops alternate");
    let first_summary = messages.iter().position(|m| matches!(m.global, 18 | 19 | 34 | 101)).unwrap_or(0);
    need(messages[first_summary..].iter().all(|m| !matches!(m.global, 20 | 21 | 78)), "summaries last");
    let order: Vec<u16> = messages.iter().map(|m| m.global).filter(|g| matches!(g, 101 | 19 | 18 | 34)).collect();
    let rank = |global: &u16| [101, 19, 18, 34].iter().position(|g| g == global);
    need(order.is_sorted_by_key(rank), "lengths, laps, sessions, activity");
}

fn end(message: &Message) -> i64 {
    message.number(2).unwrap_or(0) + message.number(7).unwrap_or(0) / 1000
}

/// Sums and borders, as Garmin's plug-in compares them.
fn totals(messages: &[Message], wrong: &mut Vec<String>) {
    let (sessions, laps, records) = (of(messages, 18), of(messages, 19), of(messages, 20));
    let Some(activity) = of(messages, 34).pop() else { return };
    let sum = |list: &[&Message], field| list.iter().map(|m| m.number(field).unwrap_or(0)).sum::<i64>();
    let mut need = |ok: bool, what: String| {
        if !ok {
            wrong.push(what);
        }
    };
    need((activity.number(0).unwrap_or(-5000) - sum(&sessions, 8)).abs() <= 1000, "timer of the activity".into());
    for (index, session) in sessions.iter().enumerate() {
        let first = session.number(25).unwrap_or(0) as usize;
        let own: Vec<&Message> =
            laps.iter().skip(first).take(session.number(26).unwrap_or(0) as usize).copied().collect();
        for (field, name) in [(7, "elapsed"), (8, "timer")] {
            let (whole, parts) = (session.number(field).unwrap_or(0), sum(&own, field));
            need(
                own.is_empty() || (whole - parts).abs() <= 1000,
                format!("{name} of session {index}: {whole} ≠ {parts} ms"),
            );
        }
        for lap in &own {
            need(lap.number(2) >= session.number(2), format!("a lap starts before session {index}"));
            need(
                end(lap) <= end(session) + 1,
                format!("a lap ends {} s after session {index}", end(lap) - end(session)),
            );
        }
    }
    for (name, list) in [("session", &sessions), ("lap", &laps)] {
        for pair in list.windows(2) {
            let gap = pair[1].number(2).unwrap_or(0) - end(pair[0]);
            need(gap.abs() <= 2, format!("{gap} s between two {name}s"));
        }
    }
    if let (Some(first), Some(last), Some(from), Some(to)) =
        (records.first(), records.last(), sessions.first(), sessions.last())
    {
        need(first.number(253) >= from.number(2).map(|t| t - 1), "a record before the first session".into());
        need(last.number(253) <= Some(end(to) + 1), "a record after the last session".into());
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::fit::{Fit, V, base};
    use super::*;

    /// The validator itself must be able to fail: a minimal good file, then one fault at a time.
    #[test]
    fn notices_faults() {
        let start = 1_000_000_000u32;
        let build = |gap: u32, laps: u16, manufacturer: u16| {
            let mut fit = Fit::new();
            fit.define(0, 0, &[(0, 1, base::ENUM), (1, 2, base::UINT16), (2, 2, base::UINT16), (4, 4, base::UINT32)]);
            fit.data(0, &[V::U8(4), V::U16(manufacturer), V::U16(0), V::U32(start)]);
            fit.define(1, 49, &[(0, 2, base::UINT16)]).data(1, &[V::U16(0)]);
            fit.define(1, 23, &[(253, 4, base::UINT32), (0, 1, base::UINT8)]).data(1, &[V::U32(start), V::U8(0)]);
            fit.define(2, 21, &[(253, 4, base::UINT32), (0, 1, base::ENUM), (1, 1, base::ENUM)]);
            fit.data(2, &[V::U32(start), V::U8(0), V::U8(0)]);
            fit.define(3, 20, &[(253, 4, base::UINT32)]);
            fit.data(3, &[V::U32(start)]).data(3, &[V::U32(start + 10)]);
            fit.data(2, &[V::U32(start + 10), V::U8(0), V::U8(4)]);
            let summary = [
                (254, 2, base::UINT16),
                (253, 4, base::UINT32),
                (2, 4, base::UINT32),
                (7, 4, base::UINT32),
                (8, 4, base::UINT32),
            ];
            fit.define(0, 19, &summary);
            for (index, at) in [start, start + 5 + gap].into_iter().enumerate() {
                fit.data(0, &[V::U16(index as u16), V::U32(at + 5), V::U32(at), V::U32(5000), V::U32(5000)]);
            }
            let more = [(5, 1, base::ENUM), (6, 1, base::ENUM), (25, 2, base::UINT16), (26, 2, base::UINT16)];
            fit.define(0, 18, &[&summary[..], &more].concat());
            fit.data(
                0,
                &[
                    V::U16(0),
                    V::U32(start + 10),
                    V::U32(start),
                    V::U32(10_000),
                    V::U32(10_000),
                    V::U8(1),
                    V::U8(0),
                    V::U16(0),
                    V::U16(laps),
                ],
            );
            fit.define(0, 34, &[(253, 4, base::UINT32), (0, 4, base::UINT32), (1, 2, base::UINT16)]);
            fit.data(0, &[V::U32(start + 10), V::U32(10_000), V::U16(1)]);
            fit.file()
        };
        let good = check(&build(0, 2, 1));
        assert!(good.form.is_empty() && good.totals.is_empty(), "{good:?}");
        assert_eq!(check(&build(3, 2, 1)).totals.len(), 2, "laps that do not abut, and one beyond the session");
        assert!(check(&build(0, 3, 1)).form.contains(&"num_laps sums to all laps".to_owned()));
        assert!(!check(&build(0, 2, 0xFFFF)).form.is_empty(), "manufacturer without a value");
        let mut bytes = build(0, 2, 1);
        bytes[40] ^= 1;
        assert_eq!(check(&bytes).form, ["file CRC"]);
    }
}
