//! Every Nike activity of the corpus is read as an independent reader reads it.

use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Channel, time};
use serde_json::Value;

use crate::expect;

fn check(bytes: &[u8], expect: &Value) -> Result<(), String> {
    let (format, reading) = formats::read_bytes(bytes, &Limits::default()).map_err(|e| e.to_string())?;
    let [draft] = &reading.drafts[..] else { return Err(format!("{} activities", reading.drafts.len())) };
    let recording = &draft.recording;
    let (track, stated) = (&recording.track, &recording.stated);
    let mut wrong = Vec::new();
    let mut near = |what: &str, found: Option<f64>, wanted: &Value, tolerance: f64| {
        let (found, wanted) = (found.unwrap_or(f64::NAN), wanted.as_f64().unwrap());
        if found.is_nan() || (found - wanted).abs() > tolerance {
            wrong.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    near("positions", Some(track.positions().count() as f64), &expect["n_positions"], 0.0);
    let heart: Vec<f64> =
        track.column(Channel::HeartRate).map_or(vec![], |c| c.present().map(|(_, v)| f64::from(v)).collect());
    near("heart rates", Some(heart.len() as f64), &expect["metrics"]["heart_rate"]["count"], 0.0);
    near("sum of heart rates", Some(heart.iter().sum()), &expect["metrics"]["heart_rate"]["sum"], 1e-3);
    near("timer", stated.timer_s, &expect["active_duration_s"], 1e-9);
    near("distance", stated.distance_m, &expect["distance_m_total"], 0.05);
    near("calories", stated.calories_kcal, &expect["summaries"]["calories/total"], 1e-9);
    near("ascent", stated.ascent_m, &expect["summaries"]["ascent/total"], 1e-9);
    near("steps", stated.steps, &expect["summaries"]["steps/total"], 1e-9);
    // Increments add up to the total: the last sample holds nearly all of it.
    let last = (0..track.len()).rev().find_map(|row| track.distance(row));
    near("last distance", last, &expect["distance_m_total"], 20.0);
    // Elapsed less halts is the active time, to the millisecond.
    let halts: i64 = recording.pauses.iter().map(|pause| pause.end - pause.start).sum();
    let active = stated.elapsed_s.map(|elapsed| elapsed - halts as f64 / 1000.0);
    near("active time", active, &expect["active_duration_s"], 0.0015);
    let mut same = |what: &str, found: String, wanted: &Value| {
        if found != wanted.as_str().unwrap() {
            wrong.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    same("format", format.id.to_owned(), &Value::from("nike"));
    same("start", recording.stated_start.map(time::utc).unwrap_or_default(), &expect["start_time"]);
    same("end", recording.span().map(|(_, end)| time::utc(end)).unwrap_or_default(), &expect["end_time"]);
    same("name", recording.name.clone().unwrap_or_default(), &expect["names"][0]);
    let first = track.positions().next().map(|(row, _)| time::utc(track.times()[row])).unwrap_or_default();
    same(
        "first position",
        first.trim_end_matches('Z').to_owned(),
        &Value::from(expect["first_time"].as_str().unwrap().trim_end_matches(".000Z").trim_end_matches('Z')),
    );
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[test]
fn every_nike_activity_agrees_with_the_oracle() {
    expect::every_file_agrees("nrc_json", 2, check);
}

#[test]
fn an_activity_without_its_series_is_a_summary() {
    let Some(corpus) = expect::corpus() else { return };
    let bytes = std::fs::read(corpus.join("nike/runpandas_malformed_metrics.json")).unwrap();
    let (_, reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap();
    let [draft] = &reading.drafts[..] else { panic!("{} activities", reading.drafts.len()) };
    // nike.md section 8: 3 371 m, and 28.797 s of crosswise halts.
    assert_eq!(draft.recording.stated.distance_m.map(f64::round), Some(3371.0));
    let halts: i64 = draft.recording.pauses.iter().map(|pause| pause.end - pause.start).sum();
    assert_eq!((draft.recording.track.len(), halts), (0, 28_797));
    assert!(draft.notes.get("nike.no_series").is_some());
}
