//! Metadata tables of export archives, given alone: every row is an activity without samples.

use paceport::Kind;
use paceport::fix::{SettleOptions, settle};
use paceport::formats::{self, FORMATS};
use paceport::limits::Limits;
use paceport::model::{Draft, Totals, time};
use serde_json::{Value, json};

use crate::cli::{lines, paceport};
use crate::expect;
use crate::fixtures::root;
use crate::synthetic::Dice;

/// The rows of a table of the corpus.
fn rows(format: &str, bytes: &[u8]) -> Vec<Draft> {
    let (found, reading) = formats::read_bytes(bytes, &Limits::default()).unwrap();
    assert_eq!((found.id, found.table), (format, true));
    assert!(reading.notes.is_empty(), "{:?}", reading.notes);
    reading.drafts
}

/// Sum and count of a total over all rows.
fn sum(rows: &[Draft], of: impl Fn(&Totals) -> Option<f64>) -> (f64, usize) {
    let values: Vec<f64> = rows.iter().filter_map(|row| of(&row.recording.stated)).collect();
    ((values.iter().sum::<f64>() * 1000.0).round() / 1000.0, values.len())
}

/// Sums and counts from Python's `csv` module over the columns of the block for machines.
#[test]
fn strava_tables_of_the_corpus_have_the_numbers_of_another_reader() {
    let Some(corpus) = expect::corpus() else { return };
    let bytes = std::fs::read(corpus.join("archives_a/strava_archipelagic/activities.csv")).unwrap();
    let old = rows("strava", &bytes);
    assert_eq!(sum(&old, |t| t.elapsed_s), (91_211.0, 6));
    assert_eq!(sum(&old, |t| t.moving_s), (72_498.0, 6));
    assert_eq!(sum(&old, |t| t.distance_m), (226_149.596, 6));
    assert_eq!(sum(&old, |t| t.ascent_m), (7832.515, 6));
    assert_eq!(sum(&old, |t| t.calories_kcal), (17_733.739, 6));
    // Stated in one row only, else from distance and moving time: 8510 m in 6633 s.
    assert_eq!(sum(&old, |t| t.avg_speed).1, 6);
    assert_eq!(old[5].recording.stated.avg_speed, Some(1.282_979_012));
    let starts: Vec<String> = old.iter().filter_map(|row| row.recording.stated_start).map(time::utc).collect();
    assert_eq!(starts[..2], ["2016-07-12T17:13:58Z", "2016-08-08T05:16:42Z"]);
    assert_eq!(starts[4..], ["2017-05-27T02:55:56Z", "2020-03-07T10:52:24Z"]);
    let files: Vec<&str> = old.iter().filter_map(|row| row.tells_of.as_deref()).collect();
    assert_eq!((files.len(), files[0]), (6, "activities/638693618.gpx"));

    let bytes = std::fs::read(corpus.join("archives_a/strava_dean-sabroso/activities.csv")).unwrap();
    let new = rows("strava", &bytes);
    assert_eq!(new.len(), 136);
    assert_eq!(sum(&new, |t| t.elapsed_s), (368_541.0, 136));
    assert_eq!(sum(&new, |t| t.moving_s), (321_889.0, 136));
    assert_eq!(sum(&new, |t| t.distance_m), (522_311.3, 136));
    assert_eq!(sum(&new, |t| t.avg_cadence), (4512.0, 68));
    assert_eq!(sum(&new, |t| t.avg_heart_rate), (10_320.0, 79));
    assert_eq!(sum(&new, |t| t.calories_kcal), (38_194.0, 130));
    assert_eq!(sum(&new, |t| t.steps), (54_428.0, 9));
    let mut sports = std::collections::BTreeMap::new();
    for row in &new {
        *sports.entry(row.recording.sport.name().into_owned()).or_insert(0) += 1;
    }
    assert_eq!(
        sports.into_iter().collect::<Vec<_>>(),
        [("running".to_owned(), 87), ("training".to_owned(), 13), ("walking".to_owned(), 36)]
    );
    let geared = new.iter().filter(|row| row.recording.gear.is_some()).count();
    let named = new.iter().filter(|row| row.tells_of.is_some()).count();
    let noted = new.iter().filter(|row| row.recording.description.is_some()).count();
    assert_eq!((geared, named, noted), (104, 136, 79));
    assert_eq!(new[0].recording.stated_start.map(time::utc).as_deref(), Some("2026-04-13T21:15:22Z"));
    assert!(new.iter().all(|row| row.notes.is_empty() && row.complete));
}

/// Tables of other programs are not taken for one of ours.
#[test]
fn only_its_own_platform_s_tables_are_recognised() {
    let Some(corpus) = expect::corpus() else { return };
    let tables: Vec<_> = FORMATS.iter().filter(|format| format.table).collect();
    assert!(!tables.is_empty());
    let (mut met, mut taken) = (0, Vec::new());
    let mut folders = vec![corpus.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            met += 1;
            let bytes = std::fs::read(&path).unwrap();
            let head = &bytes[..bytes.len().min(formats::SNIFF_BYTES)];
            if tables.iter().any(|format| (format.sniff)(head)) {
                taken.push(path.strip_prefix(&corpus).unwrap().display().to_string());
            }
        }
    }
    taken.sort();
    assert!(met > 500, "met only {met} files");
    assert_eq!(
        taken,
        ["archives_a/strava_archipelagic/activities.csv", "archives_a/strava_dean-sabroso/activities.csv"]
    );
}

/// The lines of `inspect --json` on a fixture.
fn inspect(path: &str) -> (Option<i32>, Vec<Value>) {
    let output = paceport(&root().join("exports"), &["inspect", path, "--json"]);
    (output.status.code(), lines(&output))
}

/// The content of the member of an archive whose name ends so.
fn member(archive: &str, ending: &str) -> Vec<u8> {
    let archive = std::fs::read(root().join("exports").join(archive)).unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let at = (0..zip.len()).find(|&at| zip.by_index(at).unwrap().name().unwrap().ends_with(ending)).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut zip.by_index(at).unwrap(), &mut bytes).unwrap();
    bytes
}

/// The activity with this name.
fn named<'a>(lines: &'a [Value], name: &str) -> &'a Value {
    let mut found = lines.iter().filter(|line| line["kind"] == "activity" && line["name"] == name);
    let line = found.next().unwrap_or_else(|| panic!("no {name} in {lines:#?}"));
    assert!(found.next().is_none(), "{name} stands there twice");
    line
}

fn count(lines: &[Value]) -> usize {
    lines.iter().filter(|line| line["kind"] == "activity").count()
}

/// Start, sport, sub-sport, stated metres, stated seconds.
fn facts(line: &Value) -> (&str, &str, Option<&str>, Option<f64>, Option<f64>) {
    let stated = &line["stated"];
    (
        line["start"].as_str().unwrap(),
        line["sport"].as_str().unwrap(),
        line["sub_sport"].as_str(),
        stated["distance_m"].as_f64(),
        stated["elapsed_s"].as_f64(),
    )
}

fn has_note(line: &Value, code: &str) -> bool {
    line["notes"].as_array().unwrap().iter().any(|note| note["code"] == code)
}

#[test]
fn strava_s_oldest_table_is_in_metres() {
    let (status, lines) = inspect("strava/export_2018.zip");
    assert_eq!((status, count(&lines)), (Some(0), 2));
    let ride = named(&lines, "Feierabendrunde");
    assert_eq!(facts(ride), ("2018-09-12T15:02:23Z", "cycling", Some("commuting"), Some(15_900.5), Some(2833.0)));
    assert_eq!((&ride["format"], &ride["samples"]), (&json!("gpx"), &json!(20)));
    let manual = named(&lines, "Von Hand");
    assert_eq!(facts(manual), ("2018-09-13T05:10:00Z", "running", None, Some(2000.0), Some(600.0)));
    assert_eq!((&manual["format"], &manual["description"]), (&json!("strava"), &json!("kein GPS, \"leider\"")));
}

#[test]
fn strava_s_numbers_for_machines_beat_nautical_miles() {
    let (status, lines) = inspect("strava/export_2020.zip");
    assert_eq!((status, count(&lines)), (Some(0), 2));
    let sail = named(&lines, "Törn nach Ærø");
    assert_eq!(facts(sail), ("2020-10-07T14:43:11Z", "sailing", None, Some(29_610.0), Some(14_400.0)));
    // Five past midnight, and the recording that the row names is not in the archive.
    let lost = named(&lines, "Night Run");
    assert_eq!(facts(lost), ("2020-10-08T00:05:00Z", "running", None, Some(5010.0), Some(1800.0)));
    assert!(has_note(lost, "table.recording_lost") && lost["samples"] == 0);
}

#[test]
fn strava_s_defects_cost_nothing_else() {
    let (status, lines) = inspect("strava/export_2025.zip");
    assert_eq!((status, count(&lines)), (Some(0), 6));
    let gravel = named(&lines, "Early \"quick\" loop");
    assert_eq!(facts(gravel), ("2025-08-02T06:30:00Z", "cycling", Some("gravel_cycling"), Some(634.2), Some(190.0)));
    assert_eq!((&gravel["format"], &gravel["description"]), (&json!("fit"), &json!("two\nlines, with \"quotes\"")));
    // The time for machines is empty in the row of the phone's recording; that for people is not.
    assert_eq!(named(&lines, "Morning Ride")["stated"]["elapsed_s"], 190.0);
    let gym = named(&lines, "Hotel gym");
    assert_eq!(
        (&gym["format"], &gym["sport"], &gym["sub_sport"]),
        (&json!("tcx"), &json!("training"), &json!("strength_training"))
    );
    let pool = named(&lines, "Pool without a watch");
    assert_eq!(facts(pool), ("2025-08-04T17:00:00Z", "swimming", None, Some(1500.0), Some(2700.0)));
    let lost = named(&lines, "Lost ride");
    assert_eq!(facts(lost), ("2025-08-05T17:00:00Z", "cycling", None, Some(20_000.0), Some(3600.0)));
    assert!(has_note(lost, "strava.export_error") && !has_note(lost, "table.recording_lost"));
    // No row tells of the orphan.
    assert_eq!(named(&lines, "As recorded")["format"], "gpx");
    let table = lines.iter().find(|line| line["kind"] == "source" && line["format"] == "strava").unwrap();
    assert!(has_note(table, "strava.export_error") && table["outcome"] == "read");
}

#[test]
fn strava_s_cadence_is_that_of_one_leg() {
    let bytes = member("strava/export_2026.zip", "activities.csv");
    let (_, reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap();
    let [walk, board] = &reading.drafts[..] else { panic!("{} drafts", reading.drafts.len()) };
    // 10 998 steps in 5583 s are 118 a minute, of both legs.
    let stated = &walk.recording.stated;
    assert_eq!((stated.avg_cadence, stated.max_cadence, stated.steps), (Some(59.0), Some(63.0), Some(10_998.0)));
    assert_eq!(walk.recording.description.as_deref(), Some("with Max\n\nknee hurts"));
    // FIT has no number for it: the word stays.
    assert_eq!(board.recording.sport_label.as_deref(), Some("Skateboard"));
    assert_eq!(board.recording.stated.avg_speed, Some(5.0));
    assert!(board.notes.get("strava.sport").is_some());
}

#[test]
fn strava_s_tables_are_read_in_every_language() {
    let (status, lines) = inspect("strava/german/activities.csv");
    assert_eq!((status, count(&lines)), (Some(0), 2));
    let ride = named(&lines, "Runde am See");
    assert_eq!(facts(ride), ("2020-10-07T14:43:11Z", "cycling", None, Some(25_312.0), Some(3600.0)));
    assert_eq!(ride["stated"]["ascent_m"], 310.0);
    let run = named(&lines, "Frühlauf");
    assert_eq!(facts(run), ("2020-10-08T05:00:00Z", "running", None, Some(5000.0), Some(1800.0)));
    let (status, lines) = inspect("strava/czech/activities.csv");
    assert_eq!((status, count(&lines)), (Some(0), 2));
    let run = named(&lines, "Odpolední běh");
    assert_eq!(facts(run), ("2026-09-06T11:18:40Z", "running", None, Some(9870.5), Some(3000.0)));
    assert_eq!(facts(named(&lines, "Ručně")), ("2026-09-05T07:00:00Z", "cycling", None, None, Some(1200.0)));
}

#[test]
fn garmin_s_summaries_tell_of_the_uploads() {
    let (status, lines) = inspect("garmin/3f0c9a52-7a1e-4d51-9a31-5b7f0e7f6a11.zip");
    // One element of a chunk is broken.
    assert_eq!(status, Some(3));
    let of_run: Vec<&Value> = lines.iter().filter(|line| line["name"] == "Lunch Run").collect();
    let formats: Vec<&str> = of_run.iter().map(|line| line["format"].as_str().unwrap()).collect();
    assert_eq!(formats, ["fit", "tcx"]);
    for run in of_run {
        assert_eq!((&run["start"], &run["local_offset_s"]), (&json!("2024-05-01T10:00:00Z"), &json!(7200)));
        assert_eq!((&run["local_evidence"], &run["description"]), (&json!("archive"), &json!("around the lake")));
    }
    let triathlon = named(&lines, "Sprint Triathlon");
    assert_eq!(
        (&triathlon["format"], &triathlon["sport"], &triathlon["sessions"]),
        (&json!("fit"), &json!("multisport"), &json!(5))
    );
    assert!(!lines.iter().any(|line| line["name"] == "Sprint"), "a leg is no activity");
    let ride = named(&lines, "Ride with a wrong clock");
    assert_eq!((&ride["format"], &ride["sub_sport"]), (&json!("fit"), &json!("gravel_cycling")));
    // The recorder's clock was an hour ahead of the summary.
    assert_eq!((&ride["start"], &ride["time_shift_s"]), (&json!("2024-07-01T16:00:00Z"), &json!(-3600.0)));
    assert!(ride["local_offset_s"] == 7200 && has_note(ride, "time.told"));
    let yoga = named(&lines, "Yoga at home");
    assert_eq!(facts(yoga), ("2024-05-03T12:00:00Z", "training", Some("yoga"), Some(0.0), Some(2700.0)));
    assert_eq!(yoga["local_offset_s"], -12_600);
    // 1640 kJ.
    assert_eq!(yoga["stated"]["calories_kcal"].as_f64().map(f64::round), Some(392.0));
    let moon = named(&lines, "On the moon");
    assert!(moon["sport"] == "hiking" && has_note(moon, "garmin.activity_type"));
    let skipped: Vec<&Value> = lines.iter().filter(|line| line["outcome"] == "skipped").collect();
    assert_eq!(skipped.len(), 4, "monitoring, an empty file, records, sleep: {skipped:#?}");
    let gear = lines.iter().find(|line| line["format"] == "garmin_gear").unwrap();
    assert_eq!(gear["activities"], 0);
}

#[test]
fn a_clock_that_a_summary_set_stays_set_in_a_history() {
    let folder = tempfile::TempDir::new().unwrap();
    let archive = root().join("exports/garmin/3f0c9a52-7a1e-4d51-9a31-5b7f0e7f6a11.zip");
    let run = |arguments: &[&str]| lines(&paceport(folder.path(), arguments));
    let ride = || {
        let all = run(&["list", "h", "--json"]);
        let rides: Vec<&Value> = all.iter().filter(|line| line["name"] == "Ride with a wrong clock").collect();
        assert_eq!(rides.len(), 1);
        (rides[0]["start"].clone(), rides[0]["local_offset_s"].clone(), all.len())
    };
    run(&["import", archive.to_str().unwrap(), "--into", "h", "--json"]);
    let first = ride();
    assert_eq!((&first.0, &first.1), (&json!("2024-07-01T16:00:00Z"), &json!(7200)));
    run(&["import", archive.to_str().unwrap(), "--into", "h", "--json"]);
    assert_eq!(ride(), first);
    run(&["export", "h", "--to", "gpx", "--out", "out"]);
    run(&["refresh", "h", "--json"]);
    assert_eq!(ride(), first);
    let written: Vec<_> =
        std::fs::read_dir(folder.path().join("out")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(written.iter().any(|name| name.to_string_lossy().starts_with("2024-07-01_1800_")), "{written:?}");
}

#[test]
fn garmin_s_old_archive_has_a_bare_list() {
    let (status, lines) = inspect("garmin/2018.zip");
    assert_eq!((status, count(&lines)), (Some(0), 2));
    let run = named(&lines, "Mittagslauf");
    assert_eq!((&run["format"], &run["sport"], &run["sub_sport"]), (&json!("fit"), &json!("running"), &json!("trail")));
    // No local time in its summary, no position in its file; but a walk of the same day has one.
    assert_eq!((&run["local_offset_s"], &run["local_evidence"]), (&json!(7200), &json!("neighbour")));
    let walk = named(&lines, "Spaziergang");
    assert_eq!(facts(walk), ("2024-05-01T15:00:00Z", "walking", Some("casual_walking"), None, Some(3600.0)));
    assert_eq!(walk["local_evidence"], "archive");
}

/// Three thousand rows with cells over lines, in bounded time and with every row at its place.
#[test]
fn a_table_of_three_thousand_rows_is_read_whole() {
    let mut text = "id,date,name,type,description,elapsed_time,distance,commute,gear,filename\n".to_owned();
    for row in 0..3000 {
        let (day, hour, minute) = (row % 28 + 1, row / 28 % 24, row % 60);
        text += &format!(
            "{row},2018-03-{day:02} {hour:02}:{minute:02}:00,\"Ride, \"\"{row}\"\"\",Ride,\"a\nb\",60,{row}.5,false,,activities/{row}.gpx\n"
        );
    }
    let rows = rows("strava", text.as_bytes());
    assert_eq!(rows.len(), 3000);
    // 0.5 + … + 2999.5
    assert_eq!(sum(&rows, |t| t.distance_m), (4_500_000.0, 3000));
    assert_eq!(rows[2999].recording.name.as_deref(), Some("Ride, \"2999\""));
    assert_eq!(rows[2999].tells_of.as_deref(), Some("activities/2999.gpx"));
}

/// Every change of a byte ends in bounds: rows, notes or an error, never a panic, never more rows than lines.
#[test]
fn tables_with_any_bytes_changed_are_read_or_refused() {
    let garmin = "garmin/3f0c9a52-7a1e-4d51-9a31-5b7f0e7f6a11.zip";
    let originals = [
        ("strava", member("strava/export_2018.zip", "activities.csv")),
        ("strava", member("strava/export_2025.zip", "activities.csv")),
        ("strava", std::fs::read(root().join("exports/strava/czech/activities.csv")).unwrap()),
        ("garmin", member(garmin, "_0_summarizedActivities.json")),
        ("garmin", member("garmin/2018.zip", "_0_summarizedActivities.json")),
        ("garmin_gear", member(garmin, "_gear.json")),
    ];
    let limits = Limits::default();
    let mut dice = Dice::new(6);
    let (mut read, mut refused, mut rows) = (0, 0, 0);
    for (format, original) in &originals {
        let format = formats::by_id(format).unwrap();
        for _ in 0..600 {
            let mut bytes = original.clone();
            for _ in 0..=dice.below(6) {
                let at = dice.below(bytes.len() as u64) as usize;
                match dice.below(6) {
                    0 if dice.one_in(4) => bytes.truncate(at + 1),
                    1 => bytes[at] ^= 1 << dice.below(8),
                    2 => bytes[at] = b"\"\\,;\n\r{}[]:-9eE\0\xff"[dice.below(17) as usize],
                    3 => {
                        let end = (at + dice.below(60) as usize).min(bytes.len());
                        bytes.drain(at..end);
                    }
                    _ => {
                        let piece: Vec<u8> = bytes[at..].iter().copied().take(dice.below(200) as usize).collect();
                        let to = dice.below(bytes.len() as u64 + 1) as usize;
                        bytes.splice(to..to, piece);
                    }
                }
                if bytes.is_empty() {
                    bytes.push(b'"');
                }
            }
            match formats::read_with(format.read.unwrap(), &bytes, &limits) {
                Ok(reading) => {
                    assert!(reading.drafts.len() <= bytes.len());
                    rows += reading.drafts.len();
                    read += 1;
                    for draft in reading.drafts {
                        assert_eq!(draft.recording.track.len(), 0, "a table holds no samples");
                        settle(draft, &SettleOptions::default());
                    }
                }
                Err(error) => {
                    assert!(matches!(error.kind(), Kind::Malformed | Kind::Limit), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(read + refused == 3600 && read > 1800 && refused > 50 && rows > 4000, "{read} {refused} {rows}");
}

/// A row that says neither when nor, by its file, of what it is cannot be an activity: the table tells that it was left out,
/// whether it belongs to an export or stands alone.
#[test]
fn a_row_without_a_start_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let rows = r#"[{"activityId":1,"activityType":"running","startTimeGmt":1714557600000,"duration":60000},
        {"activityId":2,"activityType":"running","startTimeGmt":null,"duration":60000}]"#;
    std::fs::write(folder.path().join("jo_0_summarizedActivities.json"), rows).unwrap();
    std::fs::write(folder.path().join("renamed.txt"), rows.replace("1714557600000", "1714657600000")).unwrap();
    let output = paceport(folder.path(), &["inspect", ".", "--json"]);
    let all = lines(&output);
    assert_eq!((output.status.code(), count(&all)), (Some(0), 2));
    for source in all.iter().filter(|line| line["kind"] == "source") {
        assert_eq!((&source["outcome"], &source["activities"]), (&json!("read"), &json!(1)));
        assert!(has_note(source, "garmin.no_start"), "{source:#}");
    }
}

/// A multisport activity whose legs stand in the next part of the list is one activity all the same, and a leg is none, in
/// whichever order the parts are read.
#[test]
fn legs_in_another_part_of_the_list_are_not_counted_twice() {
    let row = |id: i64, kind: &str, minute: i64, minutes: i64, more: &str| {
        let start = 1_714_557_600_000 + minute * 60_000;
        format!(
            r#"{{"activityId":{id},"name":"{kind} {id}","activityType":"{kind}","startTimeGmt":{start},"startTimeLocal":{},"elapsedDuration":{}{more}}}"#,
            start + 7_200_000,
            minutes * 60_000
        )
    };
    let whole = row(100, "multi_sport", 0, 30, r#","parent":true,"distance":1000000"#);
    let legs = [("open_water_swimming", 0), ("transition_v2", 10), ("running", 12)].map(|(kind, minute)| {
        let (id, minutes) = (101 + minute, if minute == 10 { 2 } else { 10 });
        row(id, kind, minute, minutes, r#","parentId":100,"parent":false"#)
    });
    for (first, second) in [(0, 1001), (1001, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let write = |part: i32, rows: String| {
            let name = format!("export/jo_{part}_summarizedActivities.json");
            std::fs::create_dir_all(folder.path().join("export")).unwrap();
            std::fs::write(folder.path().join(name), format!(r#"[{{"summarizedActivitiesExport":[{rows}]}}]"#))
                .unwrap();
        };
        write(first, format!("{},{whole},{}", row(1, "hiking", 600, 30, ""), legs[0]));
        write(second, format!("{},{}", legs[1], legs[2]));
        let all = lines(&paceport(folder.path(), &["inspect", "export", "--json"]));
        assert_eq!(count(&all), 2, "{all:#?}");
        let whole = named(&all, "multi_sport 100");
        assert_eq!(facts(whole), ("2024-05-01T10:00:00Z", "multisport", None, Some(10_000.0), Some(1800.0)));
        assert_eq!((&whole["sessions"], &whole["index"]), (&json!(3), &json!(1)));

        assert_eq!(paceport(folder.path(), &["import", "export", "--into", "h"]).status.code(), Some(0));
        let listed = || lines(&paceport(folder.path(), &["list", "h", "--json"]));
        let before = listed();
        assert_eq!((count(&before), &named(&before, "multi_sport 100")["sessions"]), (2, &json!(3)));
        assert_eq!(paceport(folder.path(), &["verify", "h", "--rebuild"]).status.code(), Some(0));
        assert_eq!(listed(), before);
    }
}
