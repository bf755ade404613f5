//! Polar Flow's JSON in the corpus: account exports against the oracle; AccessLink files against what `json` and plain
//! arithmetic of another language find in them: counts and sums of the comma lists, the first and last value, the totals.

use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Channel, Draft, Sport, time};

use serde_json::Value;

use crate::expect;

fn read(name: &str) -> Option<Draft> {
    let bytes = std::fs::read(expect::corpus()?.join("archives_a/polar_accesslink_axs192").join(name)).unwrap();
    let (format, mut reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap();
    assert_eq!((format.id, reading.drafts.len(), reading.notes.has_damage()), ("polar_accesslink", 1, false));
    Some(reading.drafts.remove(0))
}

/// Count and sum of a channel.
fn sum(draft: &Draft, channel: Channel) -> (usize, f64) {
    let column = draft.recording.track.column(channel);
    column.map_or((0, 0.0), |c| (c.count(), c.present().map(|(_, value)| f64::from(value)).sum()))
}

fn near(found: (usize, f64), count: usize, sum: f64) {
    assert!(found.0 == count && (found.1 - sum).abs() < 1e-5 * sum.abs().max(1.0), "{found:?}, not {count} and {sum}");
}

#[test]
fn a_run_from_accesslink_is_read_as_it_is_written() {
    let Some(draft) = read("sample_data.json") else { return };
    let (recording, track) = (&draft.recording, &draft.recording.track);
    near(sum(&draft, Channel::HeartRate), 8240, 1_230_581.0);
    near(sum(&draft, Channel::Speed), 8240, 61_294.739_2 / 3.6);
    near(sum(&draft, Channel::Cadence), 8240, 632_496.0);
    near(sum(&draft, Channel::Altitude), 8240, 713_281.398);
    near(sum(&draft, Channel::Power), 8240, 1_604_650.0);
    near(sum(&draft, Channel::Temperature), 8240, 188_303.1);
    near((track.len(), (0..track.len()).filter_map(|row| track.distance(row)).sum()), 8240, 78_346_929.102_704_05);
    assert_eq!(track.distance(8239), Some(19_146.800_781_25));
    assert_eq!(time::utc(track.times()[0]), "2026-02-22T07:50:17Z");
    assert_eq!(track.times()[8239] - track.times()[0], 8_239_000);
    assert_eq!((recording.sport, draft.clock.offset_s), (Sport::RUNNING, Some(0)));
    let stated = &recording.stated;
    assert_eq!(
        (stated.timer_s, stated.distance_m, stated.calories_kcal),
        (Some(8239.604), Some(19_149.0), Some(1600.0))
    );
    assert_eq!((stated.avg_heart_rate, stated.max_heart_rate), (Some(149.0), Some(170.0)));
    assert_eq!(recording.zones.heart_rate_bounds, [124.0, 139.0, 156.0, 173.0, 192.0]);
    assert_eq!(recording.zones.heart_rate_seconds, [256.0, 609.0, 5419.0, 1940.0, 0.0]);
    assert_eq!(recording.platform_ids, [("accesslink".to_owned(), "y7lOpwnJ".to_owned())]);
}

#[test]
fn an_indoor_session_from_accesslink_keeps_its_own_word() {
    let Some(draft) = read("other_data_sample.json") else { return };
    near(sum(&draft, Channel::HeartRate), 609, 64_898.0);
    near(sum(&draft, Channel::Temperature), 609, 17_495.2);
    near(sum(&draft, Channel::Speed), 609, 0.0);
    assert_eq!(draft.recording.sport.name(), "mobility");
    assert_eq!(draft.recording.sport_label.as_deref(), Some("dynamic mobility"));
    assert_eq!(draft.recording.zones.heart_rate_seconds, [444.0, 108.0, 0.0, 0.0, 0.0]);
}

fn check(bytes: &[u8], expect: &Value) -> Result<(), String> {
    let (format, reading) = formats::read_bytes(bytes, &Limits::default()).map_err(|e| e.to_string())?;
    let [draft] = &reading.drafts[..] else { return Err(format!("{} activities", reading.drafts.len())) };
    let (recording, track) = (&draft.recording, &draft.recording.track);
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: Value, wanted: &Value| {
        if found != *wanted {
            wrong.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    same("format", format.id.into(), &"polar_flow".into());
    let (count, total) = sum(draft, Channel::HeartRate);
    same("heart rates", count.into(), &expect["hr"]["count"]);
    same("sum of heart rates", (total as i64).into(), &expect["hr"]["sum"]);
    same("positions", track.positions().count().into(), &expect["counts"]["recordedRoute"]);
    same("distance", recording.stated.distance_m.into(), &Value::from(expect["distance_m"].as_f64()));
    same("calories", recording.stated.calories_kcal.map(|c| c as i64).into(), &expect["calories"]);
    same("offset", draft.clock.offset_s.map(|s| s / 60).into(), &expect["utc_offset_min"]);
    same("sport", recording.sport.name().to_uppercase().into(), &expect["sport"]);
    let local = |ms: i64| time::utc(ms + i64::from(draft.clock.offset_s.unwrap_or(0)) * 1000);
    same(
        "start",
        recording.stated_start.map(local).map(|t| t.replace('Z', ".000")).into(),
        &expect["start_time_written"],
    );
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[test]
fn every_account_export_agrees_with_the_oracle() {
    expect::every_file_agrees("polar_json", 1, check);
}

// polar.md section 8: the route is an hour late, and the heart rates run on through a pause of 20 min 27 s before it.
#[test]
fn a_route_that_is_late_by_its_offset_is_put_right() {
    let Some(corpus) = expect::corpus() else { return };
    let bytes = std::fs::read(corpus.join("polar/slither_running.json")).unwrap();
    let draft = formats::read_bytes(&bytes, &Limits::default()).unwrap().1.drafts.remove(0);
    let track = &draft.recording.track;
    // 19:40:45.801 and 20:26:35.863 as written, less the hour twice.
    assert_eq!(time::utc(track.times()[0]), "2017-01-23T17:40:45.801Z");
    assert_eq!(time::utc(track.times()[2750]), "2017-01-23T18:26:35.863Z");
    assert_eq!((track.len(), track.get(0, Channel::HeartRate)), (2751, Some(95.0)));
    assert!(draft.notes.get("flow.route_offset").is_some() && draft.notes.get("flow.series_time").is_some());
}
