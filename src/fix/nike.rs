//! Nike Run Club runs as third-party tools wrote them into GPX: there is no Nike GPX, so they are told by several signs
//! (nike.md section 4), and each tool has faults of its own.

use crate::error::Place;
use crate::model::{Channel, Recording, Sport};
use crate::report::{Code, Notes};

const INCREMENTS: Code = Code::warning("nike.ascent_increments");
const TAKEN_AS_RUN: Code = Code::info("nike.taken_as_run");
const FORGED: Code = Code::info("nike.forged_device");
const ZERO: Code = Code::info("nike.elevation_zero");

/// The name of a `<end_epoch_ms>.gpx` is no further than this from its last point, ms.
const STEM_MS: i64 = 60_000;
/// Increments of ascent are smaller than this; heights of a coast may be, too, but those are on every point. Metres.
const INCREMENT_M: f32 = 5.0;

/// Puts right what is known of a run that came from Nike. `source` is the file's name, when known.
pub(super) fn repair(recording: &mut Recording, source: Option<&str>, notes: &mut Notes) {
    let gpxpy = recording.creator.as_deref().is_some_and(|c| c.starts_with("gpx.py") || c.contains("gpxpy"));
    if gpxpy {
        drop_increments(recording, notes);
    }
    let stem = source.and_then(stem);
    let named = recording.name.as_deref().is_some_and(|name| name.starts_with("NRC ") || name.ends_with("- NRC"));
    let mut score = 3 * u32::from(named);
    let by_nike = recording.creator.as_deref().is_some_and(|creator| creator.contains("Nike"));
    if by_nike {
        score += 3;
        drop_zeros(recording, notes);
    }
    let uuid = stem.map(|stem| stem.strip_prefix("activity-").unwrap_or(stem));
    let uuid = uuid.filter(|stem| (gpxpy || by_nike) && is_uuid(stem));
    if uuid.is_some() || (gpxpy && stem.is_some_and(|stem| is_end(stem, recording))) {
        score += 2;
    }
    if score == 0 {
        return;
    }
    score += u32::from(is_bare(recording)) + u32::from(recording.name.as_deref().is_some_and(is_default_name));
    if named {
        drop_forged(recording, notes);
    }
    if let Some(uuid) = uuid
        && recording.platform_ids.is_empty()
    {
        recording.platform_ids.push(("nike".to_owned(), uuid.to_ascii_lowercase()));
    }
    if recording.sport == Sport::GENERIC && recording.sport_label.is_none() {
        recording.sport = Sport::RUNNING;
        if score < 3 {
            notes.add(TAKEN_AS_RUN, Place::NOWHERE, || "its name and its writer are those of Nike Run Club runs");
        }
    }
}

fn stem(source: &str) -> Option<&str> {
    let file = source.rsplit(['/', '\\']).next()?;
    let file = file.strip_suffix(".gz").unwrap_or(file);
    Some(file.rsplit_once('.').map_or(file, |(stem, _)| stem))
}

fn is_uuid(stem: &str) -> bool {
    let lengths: Vec<usize> = stem.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && stem.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `<end_epoch_ms>.gpx`, where the run ended.
fn is_end(stem: &str, recording: &Recording) -> bool {
    let end = stem.parse::<i64>().ok().filter(|_| stem.len() == 13);
    let last = recording.track.times().last();
    end.zip(last).is_some_and(|(end, last)| (end - last).abs() <= STEM_MS)
}

/// No metadata, no type, and fixes at odd times a few seconds apart: the app's own recording.
fn is_bare(recording: &Recording) -> bool {
    let times = recording.track.times();
    let mut steps: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    steps.sort_unstable();
    let median = steps.get(steps.len() / 2).copied().unwrap_or(0);
    let whole = times.iter().filter(|t| *t % 1000 == 0).count();
    recording.created.is_none()
        && recording.sport == Sport::GENERIC
        && recording.sport_label.is_none()
        && (1000..=5000).contains(&median)
        && steps.first() != steps.last()
        && whole > 0
        && whole < times.len()
}

/// The app names a run after weekday and part of the day, in the language of the phone.
fn is_default_name(name: &str) -> bool {
    const WEEKDAYS: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "segunda",
        "terça",
        "quarta",
        "quinta",
        "sexta",
        "sábado",
        "domingo",
        "lunes",
        "martes",
        "miércoles",
        "jueves",
        "viernes",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "lunedì",
        "martedì",
        "mercoledì",
        "giovedì",
        "venerdì",
        "sabato",
        "domenica",
    ];
    const RUNS: &[&str] = &["run", "corrida", "carrera", "lauf", "course", "corsa"];
    let name = name.to_lowercase();
    WEEKDAYS.iter().any(|day| name.contains(day)) && RUNS.iter().any(|run| name.contains(run))
}

/// One tool writes the increments of ascent where heights belong: every one small and positive, none on the first point,
/// fewer than half of the points. All three must hold: a run along the coast has small heights on every point.
fn drop_increments(recording: &mut Recording, notes: &mut Notes) {
    let track = &mut recording.track;
    let points = track.len();
    let Some(column) = track.column_mut(Channel::Altitude) else { return };
    let count = column.count();
    let small = column.present().all(|(_, value)| value > 0.0 && value < INCREMENT_M);
    if count == 0 || !small || column.get(0).is_some() || 2 * count >= points {
        return;
    }
    column.raw_mut().fill(f32::NAN);
    notes.add_many(INCREMENTS, count as u64, Place::NOWHERE, || {
        format!("{count} elevations are increments of ascent, not heights; left out")
    });
}

/// One tool writes a height of 0 where none is known (nike.md section 3.3).
fn drop_zeros(recording: &mut Recording, notes: &mut Notes) {
    if recording.creator.as_deref() != Some("Nike NRC app") {
        return;
    }
    let Some(column) = recording.track.column_mut(Channel::Altitude) else { return };
    let zeros = column.raw_mut().iter_mut().filter(|value| **value == 0.0).map(|value| *value = f32::NAN).count();
    notes.add_many(ZERO, zeros as u64, Place::NOWHERE, || format!("{zeros} elevations of 0 mean that none was known"));
}

/// A tool claims Garmin Connect as its creator.
fn drop_forged(recording: &mut Recording, notes: &mut Notes) {
    if recording.creator.as_deref() == Some("Garmin Connect") {
        recording.creator = None;
        recording.devices.clear();
        notes.add(FORGED, Place::NOWHERE, || "a Nike run that claims to come from Garmin Connect");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPXPY: &str = "gpx.py -- https://github.com/tkrajina/gpxpy";
    const END: i64 = 1_602_494_441_116;

    /// 100 points, 3 s apart (one of them early), some at whole seconds; heights from a function of the row.
    fn run(height: impl Fn(i64) -> Option<f32>) -> Recording {
        let mut recording = Recording { creator: Some(GPXPY.to_owned()), ..Recording::default() };
        for i in 0..100i64 {
            let time = END - 300_000 + i * 3000;
            recording.track.push(if i % 5 == 0 { time - time.rem_euclid(1000) } else { time });
            if let Some(height) = height(i) {
                recording.track.set(Channel::Altitude, height);
            }
        }
        recording
    }

    fn repaired(mut recording: Recording, source: &str) -> (Recording, Notes) {
        let mut notes = Notes::new();
        repair(&mut recording, Some(source), &mut notes);
        (recording, notes)
    }

    #[test]
    fn increments_are_no_heights() {
        let increments = |i: i64| (i > 0 && i % 4 == 0).then_some(0.3);
        let (recording, notes) = repaired(run(increments), "a.gpx");
        assert_eq!(recording.track.column(Channel::Altitude).map(|c| c.count()), Some(0));
        assert!(notes.get("nike.ascent_increments").is_some());
        let kept: [fn(i64) -> Option<f32>; 4] = [
            |i| Some(0.1 + i as f32 * 0.04),               // a coast
            |i| (i > 0).then_some(2.0),                    // on most points
            |i| (i % 4 == 0).then_some(0.3),               // on the first point
            |i| (i > 0 && i % 4 == 0).then_some(i as f32), // higher than five metres
        ];
        for height in kept {
            let before = run(height);
            assert_eq!(repaired(before.clone(), "a.gpx").0.track, before.track);
        }
        let mut other = run(increments);
        other.creator = Some("Garmin Connect".into());
        assert_eq!(repaired(other.clone(), "a.gpx").0, other);
    }

    #[test]
    fn signs_add_up_to_a_run() {
        let flat = |_| None;
        let (recording, notes) = repaired(run(flat), "out/1602494441116.gpx");
        assert_eq!(recording.sport, Sport::RUNNING);
        assert!(notes.is_empty());
        let uuid = "11111111-2222-3333-4444-55555555555A";
        let (recording, _) = repaired(run(flat), &format!("{uuid}.gpx.gz"));
        assert_eq!(recording.platform_ids, [("nike".to_owned(), uuid.to_lowercase())]);
        // gpxpy alone proves nothing, nor does a number that is no end.
        for source in ["run.gpx", "1602494999999.gpx", "160249444111.gpx"] {
            assert_eq!(repaired(run(flat), source).0.sport, Sport::GENERIC, "{source}");
        }
        let mut doubtful = run(flat);
        doubtful.created = Some(END);
        let (recording, notes) = repaired(doubtful, "1602494441116.gpx");
        assert!(recording.sport == Sport::RUNNING && notes.get("nike.taken_as_run").is_some());
        let mut ride = run(flat);
        ride.sport = Sport::CYCLING;
        assert_eq!(repaired(ride, "1602494441116.gpx").0.sport, Sport::CYCLING);
    }

    #[test]
    fn heights_of_zero_are_none_for_one_tool_only() {
        let uuid = "11111111-2222-3333-4444-555555555555";
        let mut app = run(|i| Some(if i < 3 { 0.0 } else { 41.5 }));
        app.creator = Some("Nike NRC app".into());
        let (recording, notes) = repaired(app.clone(), &format!("activity-{uuid}.gpx"));
        assert_eq!(recording.track.column(Channel::Altitude).map(|c| c.count()), Some(97));
        assert_eq!(notes.get("nike.elevation_zero").map(|note| note.count), Some(3));
        assert_eq!(recording.platform_ids, [("nike".to_owned(), uuid.to_owned())]);
        app.creator = Some("Nike+ Export".into());
        assert_eq!(repaired(app.clone(), "a.gpx").0.track, app.track);
    }

    #[test]
    fn a_forged_creator_is_no_device() {
        let mut forged = run(|_| None);
        forged.creator = Some("Garmin Connect".into());
        forged.name = Some("NRC Sunday - id 7".into());
        forged.devices = vec![crate::model::Device { manufacturer: Some("garmin".into()), ..Default::default() }];
        let (recording, notes) = repaired(forged, "a.gpx");
        assert!(recording.devices.is_empty() && recording.creator.is_none());
        assert!(notes.get("nike.forged_device").is_some());
        assert_eq!(recording.sport, Sport::RUNNING);
        assert!(is_default_name("Segunda-Feira Corrida Matutina") && !is_default_name("Sunday ride"));
    }
}
