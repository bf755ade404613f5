//! Huawei's data export of each era through the whole way. Every expectation was worked out by hand from the lines that
//! `fixtures::huawei` writes.

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use paceport::formats::{read_bytes, sniff};
use paceport::limits::Limits;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{AesMode, ZipArchive, ZipWriter};

use super::cli::{lines, paceport};
use super::fixtures;

fn folder() -> PathBuf {
    fixtures::root().join("exports/huawei")
}

/// Activities by start, then the sources and the run.
fn inspect(path: &str) -> (Vec<Value>, Vec<Value>, Value) {
    let output = paceport(&folder(), &["inspect", path, "--json"]);
    let all = lines(&output);
    let of = |kind: &str| all.iter().filter(|line| line["kind"] == kind).cloned().collect::<Vec<_>>();
    let mut activities = of("activity");
    activities.sort_by_key(|activity| activity["start"].as_str().map(str::to_owned));
    (activities, of("source"), of("run").remove(0))
}

/// Fails unless every expected field (a pointer into the line) has its value.
fn assert_fields(activity: &Value, expected: &[(&str, Value)]) {
    for (pointer, value) in expected {
        let found = activity.pointer(pointer).unwrap_or(&Value::Null);
        let near = found.as_f64().zip(value.as_f64()).is_some_and(|(a, b)| (a - b).abs() < 2e-6 * b.abs().max(1.0));
        assert!(found == value || near, "{pointer} is {found}, not {value}: {activity:#}");
    }
}

fn codes(activity: &Value) -> Vec<&str> {
    activity["notes"].as_array().unwrap().iter().filter_map(|note| note["code"].as_str()).collect()
}

#[test]
fn days_of_activities_are_read_with_the_better_summary() {
    let (activities, sources, _) = inspect("until-2020");
    assert!(sources.iter().all(|source| source["outcome"] == "read"), "{sources:#?}");
    let [run, walk] = &activities[..] else { panic!("{activities:#?}") };
    assert_fields(
        run,
        &[
            ("/format", json!("huawei")),
            ("/start", json!("2020-03-01T07:00:00Z")),
            ("/end", json!("2020-03-01T07:05:06Z")),
            ("/local_offset_s", json!(3600)),
            ("/local_evidence", json!("stated")),
            ("/sport", json!("running")),
            // 120 positions, 60 heart rates, 23 of them together.
            ("/samples", json!(157)),
            ("/positions", json!(120)),
            ("/last_sample", json!("2020-03-01T07:05:04Z")),
            ("/channels/heart_rate/count", json!(60)),
            ("/channels/heart_rate/mean", json!(129.5)),
            ("/channels/altitude/count", json!(60)),
            ("/channels/altitude/max", json!(459.5)),
            // One speed of 60 is invalid.
            ("/channels/speed/count", json!(59)),
            ("/channels/speed/mean", json!(2.8)),
            ("/channels/cadence/mean", json!(80.0)),
            ("/pauses", json!(1)),
            ("/stated/distance_m", json!(662.0)),
            ("/stated/timer_s", json!(240.0)),
            ("/stated/elapsed_s", json!(306.0)),
            ("/stated/calories_kcal", json!(48.0)),
            ("/stated/ascent_m", json!(12.0)),
            ("/complete", json!(true)),
        ],
    );
    assert!(codes(run).is_empty(), "{run:#}");
    assert_fields(
        walk,
        &[
            ("/start", json!("2020-03-01T17:00:00Z")),
            ("/end", json!("2020-03-01T17:15:00Z")),
            ("/sport", json!("walking")),
            ("/samples", json!(0)),
            ("/stated/distance_m", json!(1504.0)),
        ],
    );
    assert!(codes(walk).is_empty(), "{walk:#}");
}

#[test]
fn a_broken_object_costs_what_is_broken_of_it() {
    let (activities, sources, _) = inspect("HUAWEI_HEALTH_20210501120000.zip");
    let [night, broken, run] = &activities[..] else { panic!("{activities:#?}") };
    assert_fields(
        night,
        &[
            ("/start", json!("2021-04-20T23:00:00Z")),
            ("/first_sample", json!("2021-04-20T23:00:00Z")),
            ("/last_sample", json!("2021-04-21T00:29:00Z")),
            ("/positions", json!(90)),
            ("/sport", json!("cycling")),
            ("/local_offset_s", json!(7200)),
            ("/stated/distance_m", json!(670.0)),
        ],
    );
    assert_fields(
        broken,
        &[
            ("/start", json!("2021-04-21T10:06:40Z")),
            ("/sport", json!("running")),
            ("/samples", json!(0)),
            ("/stated/distance_m", json!(777.0)),
            ("/complete", json!(false)),
        ],
    );
    // Newfoundland's summer time.
    assert_skeleton(run, -9000, "2021-04-21T23:00:00Z", "2021-04-21T23:30:00Z");
    let source = sources.iter().find(|source| source["format"] == "huawei").unwrap();
    assert_eq!((&source["outcome"], &source["activities"]), (&json!("partial"), &json!(3)));
    assert_eq!(codes(source), ["json.element", "json.lenient"]);
    assert!(codes(broken).is_empty(), "its attribute may stand behind the damage: {broken:#}");
    assert!(source["notes"][0]["place"].as_str().unwrap().ends_with("record 1"), "{source:#}");
}

fn assert_skeleton(run: &Value, offset_s: i64, start: &str, end: &str) {
    assert_fields(
        run,
        &[
            ("/start", json!(start)),
            ("/end", json!(end)),
            ("/local_offset_s", json!(offset_s)),
            ("/local_evidence", json!("stated")),
            ("/sport", json!("running")),
            ("/samples", json!(4)),
            ("/positions", json!(3)),
            ("/channels/heart_rate/mean", json!(121.0)),
            ("/channels/cadence/mean", json!(82.0)),
            ("/channels/altitude/mean", json!(41.3f32)),
            ("/channels/speed/mean", json!(3.1f32)),
            ("/pauses", json!(1)),
            ("/stated/distance_m", json!(5283.0)),
            ("/stated/timer_s", json!(1680.0)),
            ("/stated/elapsed_s", json!(1800.0)),
            ("/stated/calories_kcal", json!(342.0)),
            ("/stated/ascent_m", json!(44.0)),
        ],
    );
    // Four samples of a run of half an hour.
    assert_eq!(codes(run), ["huawei.other_lines", "totals.distance", "totals.elapsed"]);
}

#[test]
fn an_archive_of_several_files_is_one_set() {
    assert_archive(&inspect("HUAWEI_HEALTH_20250118093000.zip"));
}

fn assert_archive((activities, sources, run): &(Vec<Value>, Vec<Value>, Value)) {
    let read: Vec<_> = sources.iter().filter(|source| source["outcome"] == "read").map(|s| &s["activities"]).collect();
    assert_eq!(read, [&json!(4), &json!(3)], "{sources:#?}");
    assert_eq!((&run["activities"], &run["exports"][0]["platform"]), (&json!(7), &json!("huawei")));
    let [first, second, swim, ride, hike, unknown, multi] = &activities[..] else { panic!("{activities:#?}") };
    // 3 hours and 30 minutes behind: the sign is that of both.
    for run in [first, second] {
        assert_skeleton(run, -12_600, "2025-01-17T08:00:00Z", "2025-01-17T08:30:00Z");
    }
    assert_fields(
        swim,
        &[
            ("/start", json!("2025-01-17T13:33:20Z")),
            ("/end", json!("2025-01-17T13:35:30Z")),
            ("/sport", json!("swimming")),
            ("/sub_sport", json!("lap_swimming")),
            // SWOLF after 30 s, strokes after 40, 60 and 120 s.
            ("/samples", json!(4)),
            ("/channels/cadence/count", json!(3)),
            ("/channels/cadence/mean", json!(29.0)),
            ("/extra_channels/swolf/count", json!(1)),
            ("/lengths", json!(4)),
            ("/stated/distance_m", json!(100.0)),
            ("/local_offset_s", json!(28_800)),
        ],
    );
    assert_fields(
        ride,
        &[
            ("/start", json!("2025-01-17T19:06:40Z")),
            ("/end", json!("2025-01-17T19:06:50Z")),
            ("/samples", json!(3)),
            ("/positions", json!(2)),
            ("/first_position/0", json!(31.177_427_6)),
            ("/first_position/1", json!(121.527_210_6)),
            ("/channels/cadence/count", json!(1)),
            ("/channels/cadence/mean", json!(85.0)),
        ],
    );
    assert_eq!(codes(ride), ["huawei.gcj02"]);
    assert_fields(
        hike,
        &[
            ("/start", json!("2025-01-18T00:40:00Z")),
            ("/end", json!("2025-01-18T01:40:00Z")),
            ("/sport", json!("hiking")),
            ("/samples", json!(0)),
            ("/stated/distance_m", json!(4321.0)),
            ("/local_offset_s", json!(20_700)),
            ("/complete", json!(true)),
        ],
    );
    assert_eq!(codes(hike), ["huawei.no_detail"]);
    assert_fields(unknown, &[("/start", json!("2025-01-18T03:26:40Z")), ("/sport", json!("generic"))]);
    assert_eq!(codes(unknown), ["huawei.sport"]);
    assert_fields(
        multi,
        &[
            ("/start", json!("2025-01-18T06:13:20Z")),
            ("/end", json!("2025-01-18T07:03:20Z")),
            ("/sport", json!("multisport")),
            ("/sessions", json!(2)),
        ],
    );
}

#[test]
fn an_activity_in_two_files_is_one() {
    let scratch = tempfile::tempdir().unwrap();
    let archive = folder().join("HUAWEI_HEALTH_20250118093000.zip");
    let arguments = ["convert", archive.to_str().unwrap(), "--to", "json", "--merge", "--json", "--out", "out"];
    let all = lines(&paceport(scratch.path(), &arguments));
    let run = all.iter().find(|line| line["kind"] == "run").unwrap();
    assert_fields(run, &[("/activities", json!(7)), ("/clusters", json!(6)), ("/merged", json!(1))]);
}

/// The members of a fixture, encrypted as Huawei's archives are since October 2020. The salt differs each time.
fn encrypted(fixture: &str, to: &Path) {
    let mut plain = ZipArchive::new(Cursor::new(std::fs::read(folder().join(fixture)).unwrap())).unwrap();
    let mut out = ZipWriter::new(std::fs::File::create(to).unwrap());
    for at in 0..plain.len() {
        let mut member = plain.by_index(at).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        let options = SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, "correct horse");
        out.start_file(member.name().unwrap(), options).unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap();
}

#[test]
fn an_encrypted_archive_opens_with_its_password_only() {
    let scratch = tempfile::tempdir().unwrap();
    encrypted("HUAWEI_HEALTH_20250118093000.zip", &scratch.path().join("export.zip"));
    let run = |password: Option<&str>| {
        let mut arguments = vec!["inspect", "export.zip", "--json"];
        if let Some(password) = password {
            std::fs::write(scratch.path().join("password"), password).unwrap();
            arguments.extend(["--password-file", "password"]);
        }
        paceport(scratch.path(), &arguments)
    };
    let right = run(Some("correct horse\n"));
    let all = lines(&right);
    let of = |kind: &str| all.iter().filter(|line| line["kind"] == kind).cloned().collect::<Vec<_>>();
    let mut activities = of("activity");
    activities.sort_by_key(|activity| activity["start"].as_str().map(str::to_owned));
    assert_archive(&(activities, of("source"), of("run").remove(0)));
    for (password, word) in [(None, "no password"), (Some("wrong"), "password is wrong")] {
        let output = run(password);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains(word), "{text}");
        let run = lines(&output).pop().unwrap();
        let export = &run["exports"][0];
        assert_eq!((&export["recordings"], &export["damaged"]), (&json!(0), &json!(0)));
        assert_eq!(
            (&export["encrypted"], &export["ignored"]),
            (&json!(2), &json!({"field description": 1, "everyday activity": 1}))
        );
    }
}

/// `script` of util-linux gives the program a terminal; where it is missing there is none to ask on.
#[cfg(target_os = "linux")]
#[test]
fn the_password_is_asked_for_on_a_terminal() {
    use std::process::{Command, Stdio};
    let scratch = tempfile::tempdir().unwrap();
    encrypted("HUAWEI_HEALTH_20250118093000.zip", &scratch.path().join("export.zip"));
    let program = format!("'{}' inspect export.zip", env!("CARGO_BIN_EXE_paceport"));
    let mut script = Command::new("script");
    script
        .args(["-qec", &program, "/dev/null"])
        .current_dir(scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let Ok(mut child) = script.spawn() else {
        eprintln!("there is no `script` here, and so no terminal");
        return;
    };
    let mut terminal = child.stdout.take().unwrap();
    let mut text = Vec::new();
    // What is typed before the question is thrown away.
    while !String::from_utf8_lossy(&text).contains("password of the encrypted archive") {
        let mut byte = [0];
        assert_eq!(terminal.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    child.stdin.as_mut().unwrap().write_all(b"correct horse\n").unwrap();
    terminal.read_to_end(&mut text).unwrap();
    let (text, status) = (String::from_utf8_lossy(&text), child.wait().unwrap());
    assert!(!text.contains("correct horse"), "the password is shown: {text}");
    assert!(status.success() && text.contains("lap_swimming"), "{text}");
}

#[test]
fn a_phone_backup_tells_its_time_by_lines_or_by_name() {
    let (activities, _, _) = inspect("backup");
    let [walk, speeds] = &activities[..] else { panic!("{activities:#?}") };
    assert_fields(
        walk,
        &[
            ("/format", json!("hitrack")),
            ("/start", json!("2019-03-05T06:00:00Z")),
            ("/end", json!("2019-03-05T06:10:00Z")),
            ("/first_sample", json!("2019-03-05T06:00:10Z")),
            ("/last_sample", json!("2019-03-05T06:05:00Z")),
            ("/samples", json!(40)),
            ("/positions", json!(20)),
            // 91 to 120, without the one that stands for none.
            ("/channels/heart_rate/count", json!(29)),
            ("/channels/heart_rate/mean", json!(3068.0 / 29.0)),
            ("/pauses", json!(1)),
        ],
    );
    assert_fields(
        speeds,
        &[
            ("/start", json!("2019-03-06T06:00:00Z")),
            ("/last_sample", json!("2019-03-06T06:00:15Z")),
            ("/samples", json!(3)),
            ("/channels/speed/max", json!(3.1f32)),
        ],
    );
}

#[test]
fn an_archive_converts_to_every_format() {
    let scratch = tempfile::tempdir().unwrap();
    let archive = folder().join("HUAWEI_HEALTH_20210501120000.zip");
    for format in ["fit", "gpx", "tcx"] {
        let out = scratch.path().join(format);
        let arguments = ["convert", archive.to_str().unwrap(), "--to", format, "--out", out.to_str().unwrap()];
        let output = paceport(scratch.path(), &arguments);
        assert_eq!(output.status.code(), Some(3), "one object is broken: {}", String::from_utf8_lossy(&output.stderr));
        let back = lines(&paceport(&out, &["inspect", ".", "--json"]));
        let night =
            back.iter().find(|line| line["start"] == "2021-04-20T23:00:00Z").unwrap_or_else(|| panic!("{back:#?}"));
        assert_eq!(
            (&night["positions"], &night["last_sample"]),
            (&json!(90), &json!("2021-04-21T00:29:00Z")),
            "{format}"
        );
        let run = back.iter().find(|line| line["start"] == "2021-04-21T23:00:00Z").unwrap();
        assert_eq!((&run["samples"], &run["channels"]["heart_rate"]["mean"]), (&json!(4), &json!(121.0)), "{format}");
        assert_eq!(run["channels"]["cadence"]["mean"], json!(82.0), "{format}: steps were halved once");
    }
}

#[test]
fn only_workouts_of_huawei_are_taken_for_them() {
    for (head, taken) in [
        (r#"[{"recordDay":20200301,"motionPathData":[{"sportType":4"#, true),
        (r#"[{"attribute":"HW_EXT_TRACK_SIMPLIFY@is{\"sportType\":1"#, true),
        (r#"{"sportType":4,"partTimeMap":{1.0:318.0"#, true),
        (r#"[{"sportType":4,"startTime":1,"totalTime":2,"recordId":"QQ==","deviceCode":7}]"#, true),
        (
            r#"[{"sportType":4,"startTime":1,"sportBasicInfos":[{"steps":1}],"recordId":"a","deviceCode":7,"totalSteps":1}]"#,
            false,
        ),
        (
            r#"{"data":{"dataList":[{"sportType":100,"totalTime":3600,"startTime":1,"endTime":2,"labelId":"1"}]}}"#,
            false,
        ),
        // No track and nothing of Huawei's own but the sport's code beside milliseconds and totals.
        (
            r#"[{"sportType": 4, "startTime": 1727769600000, "endTime": 1727770200000, "totalTime": 600000, "timeZone": "+0100"}]"#,
            true,
        ),
        (r#"[{"totalDistance":1000,"recordId":"QQ==","endTime":1727770200000,"sportType":4}]"#, true),
        // Seconds, or a sport by its name: another platform's.
        (r#"[{"sportType":100,"startTime":1727769600,"endTime":1727770200,"totalTime":600,"recordId":"1"}]"#, false),
        (r#"[{"sportType":"RUNNING","startTime":1727769600000,"totalDistance":1000,"activityId":1}]"#, false),
        (r#"[{"sportType":{"sportTypeId":1},"startTime":1727769600000,"totalTime":600}]"#, false),
        (r#"[{"type":7,"samplePoints":[{"key":"HEARTRATE","startTime":1}]}]"#, false),
        ("sportType,partTimeMap", false),
    ] {
        assert_eq!(sniff(head.as_bytes()).map(|format| format.id) == Some("huawei"), taken, "{head}");
    }
    for (head, taken) in [
        ("tp=h-r;k=1552679418000;v=93;\n", true),
        ("\r\ntp=lbs;k=0;lat=1.0;lon=2.0;alt=0.0;t=1.5E9;", true),
        ("HW_EXT_TRACK_DETAIL@istp=lbs;k=0;lat=1;lon=2;", true),
        ("tp=5\nk=1;", false),
        ("x=1;tp=lbs;k=0;", false),
    ] {
        assert_eq!(sniff(head.as_bytes()).map(|format| format.id) == Some("hitrack"), taken, "{head}");
    }
}

/// The files of late 2024, in which no record has its attribute.
#[test]
fn records_without_a_track_are_activities_with_their_totals() {
    let start = fixtures::huawei::SKELETON;
    let record = |i: i64| {
        let start = start + i * 86_400;
        format!(
            r#"{{"sportType":4,"startTime":{start}000,"endTime":{}000,"totalTime":600000,"totalDistance":1000,"totalCalories":342000,"totalSteps":1000,"timeZone":"+0100","recordId":"N{i}"}}"#,
            start + 660
        )
    };
    let text = format!("[{}]", (0..60).map(record).collect::<Vec<_>>().join(", "));
    let (format, reading) = read_bytes(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!((format.id, reading.drafts.len()), ("huawei", 60));
    for draft in &reading.drafts {
        let stated = &draft.recording.stated;
        assert_eq!((stated.distance_m, stated.timer_s, stated.elapsed_s), (Some(1000.0), Some(600.0), Some(660.0)));
        assert!(draft.complete && draft.notes.get("huawei.no_detail").is_some(), "{draft:?}");
    }
}

/// Every shape of the top level holds the same activity.
#[test]
fn every_shape_of_the_top_level_is_read() {
    let (_, reading) = read_bytes(&std::fs::read(shape_file()).unwrap(), &Limits::default()).unwrap();
    let text = std::fs::read_to_string(shape_file()).unwrap();
    let run = text.split_once("\"motionPathData\":[").unwrap().1;
    let run = &run[..run.find(",{\"sportType\":5").unwrap()];
    for shape in [
        run.to_owned(),
        format!("[{run}]"),
        format!("{{\"data\":[{run}]}}"),
        format!("{{\"version\":1,\"sportList\":[{run}],\"more\":{{}}}}"),
        format!("{{\"recordDay\":20200301,\"motionPathData\":[{run}]}}"),
        format!("[{{\"motionPathData\":[{run}],\"recordDay\":20200301}}]"),
        format!("\u{feff}\r\n{run}\n"),
    ] {
        let (format, one) = read_bytes(shape.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(format.id, "huawei");
        assert!(one.drafts.len() == 1 && one.drafts[0] == reading.drafts[0], "{}", &shape[..60]);
    }
}

/// In files until 2020 the activities of a day share an object: a broken one costs itself, not the rest of its day.
#[test]
fn a_broken_activity_does_not_cost_its_day() {
    let record = |i: i64| {
        let start = 1_586_937_600 + i * 7200;
        format!(
            r#"{{"partTimeMap":{{1.0:300.0}},"sportType":4,"startTime":{start}000,"endTime":{}000,"totalTime":600000,"recordId":"N{i}"}}"#,
            start + 660
        )
    };
    for broken in ["{\"x\": tru,\"y\":{}}", "tru", "{\"x\" 1}", "{\"partTimeMap\":[1,2}"] {
        let day = format!("{{\"recordDay\":20200415,\"motionPathData\":[{},{broken},{}]}}", record(0), record(1));
        let next = format!("{{\"recordDay\":20200416,\"motionPathData\":[{}]}}", record(12));
        let (_, reading) = read_bytes(format!("[{day},{next}]").as_bytes(), &Limits::default()).unwrap();
        let ids: Vec<&str> = reading.drafts.iter().map(|draft| draft.recording.platform_ids[0].1.as_str()).collect();
        assert_eq!(ids, ["N0", "N1", "N12"], "{broken}");
        assert!(reading.drafts.iter().all(|draft| draft.complete) && reading.notes.has_damage(), "{broken}");
    }
}

/// Every field may be missing: an activity without its sport is one, an element without a start is told of.
#[test]
fn an_activity_without_a_sport_is_kept_and_one_without_a_start_is_told_of() {
    let text = r#"[{"sportType":4,"startTime":1586937600000,"endTime":1586938260000,"totalTime":600000,"recordId":"a"},
        {"sportType":null,"startTime":1586947600000,"endTime":1586948260000,"totalDistance":2000,"recordId":"b"},
        {"sportType":4,"endTime":1586958260000,"totalTime":600000,"recordId":"c"}]"#;
    let (_, reading) = read_bytes(text.as_bytes(), &Limits::default()).unwrap();
    let [_, without] = &reading.drafts[..] else { panic!("{} activities", reading.drafts.len()) };
    let recording = &without.recording;
    assert_eq!((recording.sport, recording.stated.distance_m), (paceport::model::Sport::GENERIC, Some(2000.0)));
    let note = reading.notes.get("huawei.element").unwrap();
    assert_eq!((note.count, note.place.as_deref()), (1, Some("record 2")));
}

fn shape_file() -> PathBuf {
    folder().join("until-2020/data/Motion path detail data & description/motion path detail data.json")
}

/// However early a file ends, what stands before the end is read, and never more.
#[test]
fn a_file_that_ends_early_gives_what_it_has() {
    let run = fixtures::huawei::run(fixtures::huawei::RUN);
    let text = format!(
        "[{{\"sportType\":4,\"startTime\":{}000,\"attribute\":{}}}]",
        fixtures::huawei::RUN,
        serde_json::to_string(&format!("HW_EXT_TRACK_DETAIL@is{run}")).unwrap()
    );
    let mut most = 0;
    for len in (100..text.len() - 1).step_by(97) {
        let (_, reading) = read_bytes(&text.as_bytes()[..len], &Limits::default()).unwrap();
        let [draft] = &reading.drafts[..] else { panic!("{len}: {} activities", reading.drafts.len()) };
        assert!(!draft.complete && reading.notes.has_damage(), "{len}");
        let whole_lines = text[..len].matches("\\n").count() - text[..len].matches("lat=90.0;").count().min(1);
        let positions = draft.recording.track.positions().count();
        assert!(positions >= most && positions <= whole_lines + 1, "{len}: {positions}");
        most = positions;
    }
    assert_eq!(most, 120);
    assert!(read_bytes(b"[{\"sportType\":4,\"partTimeMap\":", &Limits::default()).unwrap().1.drafts.is_empty());
}
