//! The CSV of one session that Polar Flow's web pages offer: a row of names and one of values for the session, then a row of
//! names and one a sample. Units stand in the names. Times are the wall clock; there is neither zone nor position.

use super::raw::{Exercise, Kind, Raw, Series, Word};
use crate::error::{Error, Place, Result};
use crate::formats::cells::{Row, Rows, number};
use crate::formats::dates::{self, Order};
use crate::formats::polar_hrm::clock;
use crate::model::Channel;
use crate::model::time::{Instant, Stamp};

/// How every file begins.
const BEGIN: [&str; 5] = ["Name", "Sport", "Date", "Start time", "Duration"];

/// True for the names of a session's columns.
pub(super) fn sniff(head: &[u8]) -> bool {
    let mut row = Row::default();
    Rows::new(head).next(&mut row) && BEGIN.iter().enumerate().all(|(at, name)| row.cell(at).trim() == *name)
}

/// Reads a file. False with the session when its table of samples is cut off or missing.
pub(super) fn session(bytes: &[u8]) -> Result<(Raw, bool)> {
    let (mut rows, mut names, mut row) = (Rows::new(bytes), Row::default(), Row::default());
    if !rows.next(&mut names) || !rows.next(&mut row) {
        return Err(Error::malformed(Place::line(1), "no values of a session"));
    }
    let mut raw = Raw::default();
    let (mut date, mut time) = ("", "");
    for (name, value) in names.cells().zip(row.cells()).filter(|(_, value)| !value.trim().is_empty()) {
        match name.trim() {
            "Date" => date = value.trim(),
            "Start time" => time = value.trim(),
            name => total(name, value.trim(), &mut raw),
        }
    }
    let start = dates::parse(&format!("{date} {time}"), Order::DayFirst);
    let start = start.ok_or_else(|| Error::malformed(row.place(), "no date and time of the start"))?;
    raw.whole.start = Some(Instant { ms: start, stamp: Stamp::Naive });

    let mut exercise = Exercise::default();
    let mut whole = rows.next(&mut names);
    let at = names.cells().position(|name| name.trim() == "Time");
    let mut columns: Vec<(usize, f64, Series)> = Vec::new();
    for (at, name) in names.cells().enumerate() {
        if let Some((kind, factor)) = column(name.trim()) {
            columns.push((at, factor, Series { kind, interval_ms: None, times: Vec::new(), values: Vec::new() }));
        }
    }
    while let Some(time_at) = at.filter(|_| rows.next(&mut row)) {
        // Only the last row can be cut off.
        let cut = row.len() < names.len() && rows.at_end() && rows.ends_openly();
        whole &= !cut && !row.damaged;
        let Some(elapsed) = clock(row.cell(time_at)).filter(|_| !cut || row.len() > time_at + 1) else {
            whole = false;
            continue;
        };
        for (at, factor, series) in &mut columns {
            series.times.push(start + elapsed);
            series.values.push(number(row.cell(*at)).filter(|v| v.is_finite()).map_or(f64::NAN, |v| v * *factor));
        }
    }
    // Of a column without values nothing is kept.
    exercise.main.series = columns.into_iter().map(|(_, _, series)| series).collect();
    exercise.main.series.retain(|series| series.values.iter().any(|value| !value.is_nan()));
    raw.exercises.push(exercise);
    Ok((raw, whole && at.is_some()))
}

/// Name and unit of a column: `Speed (km/h)`.
fn split(name: &str) -> (&str, &str) {
    match name.split_once('(') {
        Some((name, unit)) => (name.trim(), unit.trim_end_matches(')').trim()),
        None => (name, ""),
    }
}

/// What makes metres, m/s, °C or kg of a unit.
fn factor(unit: &str) -> f64 {
    match unit {
        "km" => 1000.0,
        "mi" => 1609.344,
        "ft" => 0.3048,
        "km/h" => 1.0 / 3.6,
        "mph" | "mi/h" => 0.44704,
        "cm" => 0.01,
        "in" => 0.0254,
        "lb" | "lbs" => 0.453_592_37,
        _ => 1.0,
    }
}

/// What a column of samples is of, and what makes the series' unit of its own.
fn column(name: &str) -> Option<(Kind, f64)> {
    let (quantity, unit) = split(name);
    let kind = match quantity {
        "HR" => Kind::Channel(Channel::HeartRate, 1.0),
        "Speed" => Kind::Channel(Channel::Speed, 1.0),
        "Cadence" => Kind::Channel(Channel::Cadence, 1.0),
        "Altitude" => Kind::Channel(Channel::Altitude, 1.0),
        "Power" => Kind::Channel(Channel::Power, 1.0),
        "Distances" | "Distance" => Kind::Distance,
        "Temperatures" | "Temperature" if unit != "F" => Kind::Channel(Channel::Temperature, 1.0),
        "" | "Sample rate" | "Time" | "Pace" => return None,
        _ => return Some((Kind::Extra(name.to_owned()), 1.0)),
    };
    Some((kind, factor(unit)))
}

fn total(name: &str, value: &str, raw: &mut Raw) {
    let (quantity, unit) = split(name);
    let plain = number(value).filter(|value| value.is_finite());
    let scaled = plain.map(|value| value * factor(unit));
    let beats = plain.filter(|value| (1.0..=255.0).contains(value)).map(|value| value as u8);
    let totals = &mut raw.whole.totals;
    match quantity {
        "Sport" => raw.whole.sport = Some(Word::Name(value.to_owned(), None)),
        "Duration" => totals.timer_s = clock(value).map(|ms| ms as f64 / 1000.0),
        "Total distance" => totals.distance_m = scaled,
        "Average heart rate" => totals.avg_heart_rate = plain,
        "Max heart rate" => totals.max_heart_rate = plain,
        "Average speed" => totals.avg_speed = scaled,
        "Max speed" => totals.max_speed = scaled,
        "Calories" => totals.calories_kcal = plain,
        "Average cadence" => totals.avg_cadence = plain,
        "Ascent" => totals.ascent_m = scaled,
        "Descent" => totals.descent_m = scaled,
        "Average power" => totals.avg_power = plain,
        "Max power" => totals.max_power = plain,
        "Notes" => raw.note = Some(value.to_owned()),
        "Height" => raw.athlete.height_m = scaled.filter(|m| *m > 0.0),
        "Weight" => raw.athlete.weight_kg = scaled.filter(|kg| *kg > 0.0),
        "HR max" => (raw.athlete.max_heart_rate, raw.zones.max_heart_rate) = (beats, beats),
        "HR sit" => (raw.athlete.resting_heart_rate, raw.zones.resting_heart_rate) = (beats, beats),
        // `Name` is the owner's. Pace, running index, loads and the like follow from the rest or have no place.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::CSV;
    use super::*;
    use crate::formats::{Reader, read_with};
    use crate::limits::Limits;
    use crate::model::{Basis, Draft, Sport, time};

    const RUN: &str = "Name,Sport,Date,Start time,Duration,Total distance (km),Average heart rate (bpm),Average speed (km/h),\
        Max speed (km/h),Average pace (min/km),Max pace (min/km),Calories,Fat percentage of calories(%),Average cadence (rpm),\
        Average stride length (cm),Running index,Training load,Ascent (m),Descent (m),Average power (W),Max power (W),Notes,\
        Height (cm),Weight (kg),HR max,HR sit,VO2max,\r\n\
        Jo Doe,RUNNING,03-06-2018,11:17:03,00:30:08,4.48,156,9.0,18.0,06:44,03:11,435,19,73,,43,79,12,,,,\"Warm, sunny\",180.0,77.0,195,55,56,\r\n\
        Sample rate,Time,HR (bpm),Speed (km/h),Pace (min/km),Cadence,Altitude (m),Stride length (m),Distances (m),Temperatures (C),Power (W),\r\n\
        1,00:00:00,95,3.6,16:13,0,116,,0.70,31.3,,\r\n\
        ,00:00:01,,7.2,16:13,80,116,,2.70,31.3,,\r\n\
        ,00:10:00,97,,,81,117,,,,,\r\n";

    fn read(text: &str) -> Draft {
        assert!((CSV.sniff)(text.as_bytes()));
        let Some(Reader::Whole(reader)) = CSV.read else { panic!("no reader") };
        let mut drafts = read_with(Reader::Whole(reader), text.as_bytes(), &Limits::default()).unwrap().drafts;
        assert_eq!(drafts.len(), 1);
        drafts.remove(0)
    }

    #[test]
    fn totals_and_samples_are_read() {
        let draft = read(RUN);
        let (recording, track) = (&draft.recording, &draft.recording.track);
        let start = time::parse(b"2018-06-03T11:17:03").unwrap().ms;
        assert_eq!((recording.stated_start, draft.clock.basis), (Some(start), Basis::Local));
        assert_eq!(track.times(), [start, start + 1000, start + 600_000]);
        assert_eq!([0, 1, 2].map(|row| track.get(row, Channel::HeartRate)), [Some(95.0), None, Some(97.0)]);
        assert_eq!([0, 1, 2].map(|row| track.get(row, Channel::Speed)), [Some(1.0), Some(2.0), None]);
        assert_eq!([0, 1, 2].map(|row| track.get(row, Channel::Cadence)), [Some(0.0), Some(80.0), Some(81.0)]);
        assert_eq!((track.distance(1), track.get(0, Channel::Temperature)), (Some(2.7), Some(31.3)));
        assert!(track.extra().is_empty(), "no stride was recorded");
        let stated = &recording.stated;
        assert_eq!(
            (stated.timer_s, stated.distance_m, stated.calories_kcal),
            (Some(1808.0), Some(4480.0), Some(435.0))
        );
        assert_eq!((stated.avg_speed, stated.max_speed, stated.ascent_m), (Some(2.5), Some(5.0), Some(12.0)));
        assert_eq!((recording.sport, recording.description.as_deref()), (Sport::RUNNING, Some("Warm, sunny")));
        assert_eq!((recording.athlete.height_m, recording.zones.resting_heart_rate), (Some(1.8), Some(55)));
        assert_eq!((recording.name.as_deref(), draft.complete), (None, true));
    }

    #[test]
    fn miles_and_tables_without_samples_are_understood() {
        let miles =
            read(&RUN.replace("Total distance (km)", "Total distance (mi)").replace("Altitude (m)", "Altitude (ft)"));
        assert!((miles.recording.stated.distance_m.unwrap() - 7209.86).abs() < 0.01);
        assert!((miles.recording.track.get(0, Channel::Altitude).unwrap() - 35.357).abs() < 0.001);
        let summary = read(&RUN[..RUN.find("Sample rate").unwrap()]);
        assert!(summary.recording.track.is_empty() && !summary.complete);
        assert_eq!(summary.recording.stated.avg_heart_rate, Some(156.0));
        assert!(!sniff(b"Name,Sport,Date\n") && !sniff(b""));
    }

    #[test]
    fn a_cut_table_gives_what_it_has() {
        let cut = read(&RUN[..RUN.find("0:10:00,97").unwrap() + 2]);
        assert!(!cut.complete && cut.recording.track.len() == 2, "the time of the last row is not whole");
        let later = read(&RUN[..RUN.find(",97,,").unwrap() + 3]);
        assert!(!later.complete && later.recording.track.len() == 3);
    }
}
