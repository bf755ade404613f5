//! A bag of Nike files in a zip, through the whole way. Expectations by hand, from nike-export.md and nike.md.

use std::fs;

use serde_json::{Value, json};

use super::cli::{lines, paceport};
use super::fixtures::{self, tour};

const UUID: &str = "11111111-2222-3333-4444-555555555555";

/// Runs the program on a bag of runs as two tools saved them, with other things beside; gives its JSON lines.
fn bag(arguments: &[&str]) -> Vec<Value> {
    let fixture = |name: &str| fs::read(fixtures::root().join("nike").join(name)).unwrap();
    let run = |id: &str, more: &str| {
        format!(
            r#"{{"id":"{id}","type":"run","app_id":"com.nike.sport.running.droid","start_epoch_ms":1600300000000,"end_epoch_ms":1600301800000,"active_duration_ms":1800000,{more}}}"#
        )
    };
    let manual = run(
        "6a",
        r#""summaries":[{"metric":"distance","summary":"total","value":5.2}],"tags":{"com.nike.running.runtype":"manual"}"#,
    );
    // The same run again, under another id.
    let again = run(
        "6b",
        r#""summaries":[{"metric":"distance","summary":"total","value":5.2}],"tags":{"com.nike.running.originalactivityid":"6a"}"#,
    );
    let deleted = run("7", r#""delete_indicator":true"#);
    let members = [
        (format!("nrc/{UUID}.json"), fixture(&format!("{UUID}.json"))),
        (format!("nrc/{UUID}.gpx"), fixture(&format!("{UUID}.gpx"))),
        ("nrc/aaaaaaaa-0000-4000-8000-000000000001.json".to_owned(), manual.into_bytes()),
        ("nrc/aaaaaaaa-0000-4000-8000-000000000002.json".to_owned(), again.into_bytes()),
        ("nrc/aaaaaaaa-0000-4000-8000-000000000003.json".to_owned(), deleted.into_bytes()),
        ("nrc/bbbbbbbb-0000-4000-8000-000000000004.json".to_owned(), br#"{"photo":"shoes.jpg"}"#.to_vec()),
        ("list.json".to_owned(), fixture("list.json")),
    ];
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("nike.zip"), tour::archive(&members)).unwrap();
    let output = paceport(folder.path(), &[arguments, &["nike.zip", "--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output)
}

#[test]
fn each_file_of_a_bag_is_judged_by_its_content() {
    let lines = bag(&["inspect"]);
    let outcome = |name: &str| {
        let source = |line: &&Value| line["kind"] == "source" && line["source"].as_str().unwrap().contains(name);
        lines.iter().find(source).unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    for (name, expected) in [
        ("555555555555.json", "read"),
        ("555555555555.gpx", "read"),
        ("000000000001", "read"),
        ("000000000003", "skipped"),
        ("000000000004", "skipped"),
        ("list.json", "read"),
    ] {
        assert_eq!(outcome(name), expected, "{name}");
    }
    // The run in both forms, the manual one twice, and two of the list.
    let activities: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "activity").collect();
    assert_eq!(activities.len(), 6);
    let of = |name: &str| *activities.iter().find(|a| a["source"].as_str().unwrap().contains(name)).unwrap();
    let run = of("555555555555.json");
    // 100 fixes; halts of 10 s and of 1 s before the end; Recife is three hours behind UTC.
    for (field, expected) in [
        ("positions", json!(100)),
        ("pauses", json!(2)),
        ("local_offset_s", json!(-10800)),
        ("local_evidence", json!("position")),
        ("start", json!("2020-10-12T09:15:41.116Z")),
        ("sport", json!("running")),
    ] {
        assert_eq!(run[field], expected, "{field}");
    }
    assert_eq!((&run["stated"]["distance_m"], &run["stated"]["timer_s"]), (&json!(1000.0), &json!(294.0)));
    // What the tool wrote as heights are increments of ascent.
    let copy = of("555555555555.gpx");
    assert!(copy["channels"].get("altitude").is_none(), "{copy}");
    let manual = of("000000000001");
    assert_eq!((&manual["samples"], &manual["stated"]["distance_m"]), (&json!(0), &json!(5200.0)));
    assert_eq!(manual["local_offset_s"], Value::Null);
}

#[test]
fn a_run_is_kept_once_in_whatever_forms_it_came() {
    let lines = bag(&["import", "--into", "history"]);
    let run = lines.last().unwrap();
    assert_eq!((&run["activities"], &run["clusters"], &run["unsure"]), (&json!(6), &json!(4), &json!(0)));
}
