//! Every HiTrack file of the corpus is read as an independent reader reads it.

use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Channel, time};
use serde_json::Value;

use crate::expect;

fn check(bytes: &[u8], expect: &Value) -> Result<(), String> {
    let (format, reading) = formats::read_bytes(bytes, &Limits::default()).map_err(|e| e.to_string())?;
    let [draft] = &reading.drafts[..] else { return Err(format!("{} activities", reading.drafts.len())) };
    let (recording, track) = (&draft.recording, &draft.recording.track);
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: f64, wanted: &Value| {
        if (found - wanted.as_f64().unwrap_or(0.0)).abs() > 1e-9 {
            wrong.push(format!("{what}: {found}, not {wanted}"));
        }
    };
    let values = |channel: Channel| -> Vec<f64> {
        track.column(channel).map_or(vec![], |column| column.present().map(|(_, v)| f64::from(v)).collect())
    };
    let (heart, records) = (values(Channel::HeartRate), &expect["records"]);
    same("heart rates", heart.len() as f64, &expect["hr"]["count"]);
    same("sum of heart rates", heart.iter().sum(), &expect["hr"]["sum"]);
    same("lowest", heart.iter().copied().fold(f64::INFINITY, f64::min), &expect["hr"]["min"]);
    same("highest", heart.iter().copied().fold(0.0, f64::max), &expect["hr"]["max"]);
    same("cadences", values(Channel::Cadence).len() as f64, &records["s-r"]);
    same("speeds", values(Channel::Speed).len() as f64, &records["rs"]);
    same("heights", values(Channel::Altitude).len() as f64, &records["alti"]);
    let splits = records["p-m"].as_u64().unwrap_or(0) + records["b-p-m"].as_u64().unwrap_or(0);
    same("splits", recording.splits.len() as f64, &Value::from(splits));
    let positions: Vec<(usize, (f64, f64))> = track.positions().collect();
    same("positions", positions.len() as f64, &expect["n_positions"]);
    if let (Some(first), Some(last)) = (positions.first(), positions.last()) {
        for (end, place, at) in
            [("first_pos", first.1, 0), ("first_pos", first.1, 1), ("last_pos", last.1, 0), ("last_pos", last.1, 1)]
        {
            same(end, [place.0, place.1][at], &expect[end][at]);
        }
        for (row, key) in [(first.0, "first_time"), (last.0, "last_time")] {
            let wanted = time::parse(expect[key].as_str().unwrap().as_bytes()).unwrap().ms;
            same(key, track.times()[row] as f64, &Value::from(wanted));
        }
    }
    if format.id != "hitrack" || !draft.complete || !draft.notes.is_empty() || !track.is_ordered() {
        wrong.push(format!("{} {} {:?}", format.id, draft.complete, draft.notes));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[test]
fn every_hitrack_file_agrees_with_the_oracle() {
    expect::every_file_agrees("hitrack", 2, check);
}

/// Numbers worked out by hand from the files.
#[test]
fn real_splits_and_speeds_mean_what_the_note_says() {
    let Some(corpus) = expect::corpus() else { return };
    let folder = corpus.join("archives_a/huawei_aricooperdavis");
    let read = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        formats::read_bytes(&bytes, &Limits::default()).unwrap().1.drafts.remove(0).recording
    };
    let run = read("HiTrack_1551732120000155173259000030001");
    // p-m 10000133 and 17800235 at 264 s/km; b-p-m 10000214 and 11100235 at 426 and 414 s a mile.
    let splits: Vec<_> = run.splits.iter().map(|s| (s.totals.distance_m.unwrap(), s.totals.timer_s.unwrap())).collect();
    let wanted = [(1000.0, 264.0), (780.0, 205.92), (1609.344, 426.0), (177.02784, 45.54)];
    assert!(splits.iter().zip(wanted).all(|(a, b)| (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6), "{splits:?}");
    assert_eq!(run.splits.len(), 4);
    // Position 133 was taken 265 s after the start, the last one 469 s.
    let ends = run.splits.iter().map(|split| (split.end - run.track.times()[0]) / 1000);
    assert_eq!(ends.take(2).collect::<Vec<_>>(), [265, 469]);
    // dm/s every 5 s: 91 speeds add up to 1.74 km of the 1.78 km.
    let speeds = run.track.column(Channel::Speed).unwrap();
    let metres: f32 = speeds.present().map(|(_, v)| v * 5.0).sum();
    assert!((metres - 1736.5).abs() < 0.1, "{metres}");
    let indoors = read("HiTrack_1");
    assert_eq!((indoors.splits[0].totals.distance_m, indoors.stated.distance_m), (Some(150.0), Some(150.0)));
    // Steps of both feet: 119 and 68 a minute.
    let cadence: Vec<f32> = indoors.track.column(Channel::Cadence).unwrap().present().map(|(_, v)| v).collect();
    assert_eq!(cadence, [59.5, 34.0]);
}
