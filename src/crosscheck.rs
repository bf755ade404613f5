//! A second opinion: what was written is read again by the parsers that the rest of the ecosystem uses (`fitparser`,
//! `gpx`; for TCX a strict reader of our own) and by the reader of the format, and compared with the activity.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::formats::{self, tcx};
use crate::limits::Limits;
use crate::model::{Activity, time};

/// Latitude and longitude, when there are any.
type Position = Option<(f64, f64)>;

/// A sample as another reader sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seen {
    time: Option<i64>,
    position: Position,
}

/// How far values may differ by the nature of a format.
struct Tolerance {
    ms: i64,
    degrees: f64,
}

const EXACT: Tolerance = Tolerance { ms: 0, degrees: 0.0 };

/// FIT has whole seconds and semicircles of 180 / 2³¹ degrees.
const FIT: Tolerance = Tolerance { ms: 999, degrees: 8.4e-8 };

/// The instants of FIT: timestamps from 0x10000000, where absolute ones begin, to 0xFFFFFFFE; ms.
const FIT_INSTANTS: std::ops::Range<i64> =
    (time::FIT_EPOCH_S + 0x1000_0000) * 1000..(time::FIT_EPOCH_S + 0xFFFF_FFFF) * 1000;

/// Compares written bytes with the activity they were written from. Each finding is one sentence; none means that other
/// programs see what we meant. A panic of a foreign parser is a finding too.
pub fn check(format: &str, bytes: &[u8], activity: &Activity) -> Vec<String> {
    let foreign = catch_unwind(AssertUnwindSafe(|| match format {
        "fit" => fit(bytes, activity),
        "gpx" => gpx(bytes, activity),
        "tcx" => strict_tcx(bytes, activity),
        "json" => json(bytes, activity),
        "csv" => csv(bytes, activity),
        _ => Vec::new(),
    }));
    let mut findings = foreign.unwrap_or_else(|_| vec!["the second parser panicked".to_owned()]);
    findings.extend(own(format, bytes, activity));
    findings
}

/// The rows of the activity, as a reader of everything sees them.
fn rows(activity: &Activity) -> impl Iterator<Item = Seen> + '_ {
    let track = &activity.track;
    (0..track.len())
        .map(|row| Seen { time: track.is_timed(row).then(|| track.times()[row]), position: track.position(row) })
}

/// Counts, then the first difference in time and in position.
fn compare(expected: impl Iterator<Item = Seen>, found: &[Seen], tolerance: &Tolerance) -> Vec<String> {
    let mut findings = Vec::new();
    let expected: Vec<Seen> = expected.collect();
    if expected.len() != found.len() {
        findings.push(format!("{} samples instead of {}", found.len(), expected.len()));
        return findings;
    }
    let pairs = || expected.iter().zip(found).enumerate();
    let late = |(a, b): (Option<i64>, Option<i64>)| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() > tolerance.ms,
        (a, b) => a.is_some() && b.is_none(),
    };
    if let Some((row, (a, b))) = pairs().find(|(_, (a, b))| late((a.time, b.time))) {
        let text = |time: Option<i64>| time.map_or("no time".to_owned(), time::utc);
        findings.push(format!("sample {row} is at {} instead of {}", text(b.time), text(a.time)));
    }
    let apart = |(a, b): (Position, Position)| match (a, b) {
        (Some(a), Some(b)) => {
            let turn = (a.1 - b.1).abs();
            (a.0 - b.0).abs() > tolerance.degrees || turn.min(360.0 - turn) > tolerance.degrees
        }
        (a, b) => a.is_some() != b.is_some(),
    };
    if let Some((row, (a, b))) = pairs().find(|(_, (a, b))| apart((a.position, b.position))) {
        let text = |p: Position| p.map_or("nowhere".to_owned(), |(lat, lon)| format!("at {lat}, {lon}"));
        findings.push(format!("sample {row} is {} instead of {}", text(b.position), text(a.position)));
    }
    findings
}

fn fit(bytes: &[u8], activity: &Activity) -> Vec<String> {
    let messages = match fitparser::from_bytes(bytes) {
        Ok(messages) => messages,
        Err(error) => return vec![format!("fitparser: {error}")],
    };
    let mut found = Vec::with_capacity(activity.track.len());
    for message in messages.iter().filter(|message| message.kind() == fitparser::profile::MesgNum::Record) {
        // Developer fields may bear the same names; the native fields come first.
        let field = |name: &str, number: u8| {
            message
                .fields()
                .iter()
                .find(|f| f.number() == number && f.name() == name)
                .map(fitparser::FitDataField::value)
        };
        let degrees = |name, number| match field(name, number) {
            Some(fitparser::Value::SInt32(semicircles)) => Some(f64::from(*semicircles) * 180.0 / 2_147_483_648.0),
            _ => None,
        };
        let time = match field("timestamp", 253) {
            Some(fitparser::Value::Timestamp(time)) => Some(time.timestamp() * 1000),
            _ => None,
        };
        let position = degrees("position_lat", 0).zip(degrees("position_long", 1));
        found.push(Seen { time, position });
    }
    // A recording that leaves FIT's range of instants was moved or cut to it, which a note says.
    let outside = activity.track.times().iter().any(|ms| !FIT_INSTANTS.contains(ms));
    compare(rows(activity).map(|row| if outside { Seen { time: None, ..row } } else { row }), &found, &FIT)
}

fn gpx(bytes: &[u8], activity: &Activity) -> Vec<String> {
    let document = match gpx::read(bytes) {
        Ok(document) => document,
        Err(error) => return vec![format!("gpx: {error}")],
    };
    let legs = activity.sessions.len().max(1);
    let mut findings = Vec::new();
    if document.tracks.len() != legs {
        findings.push(format!("{} tracks instead of {legs}", document.tracks.len()));
    }
    let points = document.tracks.iter().flat_map(|track| &track.segments).flat_map(|segment| &segment.points);
    let found: Vec<Seen> = points
        .map(|point| Seen {
            time: point.time.and_then(|t| time::parse(t.format().ok()?.as_bytes())).map(|instant| instant.ms),
            position: Some((point.point().y(), point.point().x())),
        })
        .collect();
    findings.extend(compare(rows(activity).filter(|row| row.position.is_some()), &found, &EXACT));
    findings
}

fn strict_tcx(bytes: &[u8], activity: &Activity) -> Vec<String> {
    let document = match tcx::strict::read(bytes) {
        Ok(document) => document,
        Err(error) => return vec![format!("strict TCX: {error}")],
    };
    let found: Vec<Seen> =
        document.points.iter().map(|p| Seen { time: Some(p.time), position: p.lat.zip(p.lon) }).collect();
    compare(rows(activity), &found, &EXACT)
}

fn json(bytes: &[u8], activity: &Activity) -> Vec<String> {
    let value: serde_json::Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return vec![format!("JSON: {error}")],
    };
    let column = |name: &str, row: usize| value["samples"][name].get(row).cloned().unwrap_or_default();
    let instant = |row| time::parse(column("time", row).as_str()?.as_bytes());
    let degrees = |row| Some((column("latitude", row).as_f64()?, column("longitude", row).as_f64()?));
    let count = value["samples"]["time"].as_array().map_or(0, Vec::len);
    let found: Vec<Seen> =
        (0..count).map(|row| Seen { time: instant(row).map(|instant| instant.ms), position: degrees(row) }).collect();
    compare(rows(activity), &found, &EXACT)
}

fn csv(bytes: &[u8], activity: &Activity) -> Vec<String> {
    // Titles may hold line ends inside quotes, so the rows are counted from the end.
    let lines = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    if lines > activity.track.len() { Vec::new() } else { vec![format!("only {lines} lines")] }
}

/// Our own reader: one activity, with the same samples.
fn own(format: &str, bytes: &[u8], activity: &Activity) -> Vec<String> {
    let Some(reader) = formats::by_id(format).and_then(|format| format.read) else { return Vec::new() };
    let drafts = match formats::read_with(reader, bytes, &Limits::default()) {
        Ok(reading) => reading.drafts,
        Err(error) => return vec![error.to_string()],
    };
    let draft = match drafts.as_slice() {
        [draft] => draft,
        // A recording of nothing but a date and totals may rightly be taken for no activity.
        [] if activity.track.is_empty() => return Vec::new(),
        drafts => return vec![format!("we read {} activities instead of one", drafts.len())],
    };
    // Records of one time that complete each other are one sample to the reader of FIT.
    let joined = draft.notes.get("fit.partial_records").map_or(0, |note| note.count) as usize;
    let samples = draft.recording.track.len() + joined;
    if samples == activity.track.len() {
        return Vec::new();
    }
    vec![format!("we read {samples} samples of {} back", activity.track.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(time: i64, lat: f64, lon: f64) -> Seen {
        Seen { time: Some(time), position: Some((lat, lon)) }
    }

    #[test]
    fn differences_are_named() {
        let rows = [seen(0, 1.0, 2.0), seen(1000, 1.0, 180.0)];
        let of = |found: &[Seen]| compare(rows.into_iter(), found, &EXACT).join("; ");
        assert_eq!(of(&rows), "");
        assert_eq!(of(&[rows[0], seen(1000, 1.0, -180.0)]), "");
        assert_eq!(of(&rows[..1]), "1 samples instead of 2");
        assert_eq!(
            of(&[rows[0], seen(1001, 1.0, 179.0)]),
            "sample 1 is at 1970-01-01T00:00:01.001Z instead of 1970-01-01T00:00:01Z; \
             sample 1 is at 1, 179 instead of at 1, 180"
        );
        let nowhere = Seen { position: None, ..rows[0] };
        assert_eq!(of(&[nowhere, rows[1]]), "sample 0 is nowhere instead of at 1, 2");
        assert_eq!(compare(rows.into_iter(), &[seen(-900, 1.0, 2.0), rows[1]], &FIT), Vec::<String>::new());
    }
}
