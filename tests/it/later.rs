//! Files that tell more of what a history has already: a heart rate that arrives after its track, the table of an export
//! after its recordings. The history ends as if all had come at once.

use std::fs::{self, File};
use std::path::Path;

use serde_json::{Value, json};

use super::cli::{lines, tree};
use super::cli_history::done;
use super::fixtures;

const TABLE: &str = "late/export_12345678/activities.csv";

/// What a history lists, without the names of sources: each content goes by that under which it came first.
fn listed(here: &Path, history: &str) -> Vec<Value> {
    let listed = done(here, &["list", history, "--json"]).stdout;
    let text = String::from_utf8(listed).unwrap().replace("early/", "late/");
    let mut all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for activity in &mut all {
        let activity = activity.as_object_mut().unwrap();
        for name in ["source", "members", "origins"] {
            activity.remove(name);
        }
        for companion in activity.get_mut("companions").and_then(Value::as_array_mut).into_iter().flatten() {
            companion.as_object_mut().unwrap().remove("source");
        }
    }
    all.sort_by_key(|activity| activity["id"].to_string());
    all
}

/// Imports `early`, then `late`, and holds the end against an import of `late` alone into a new history. Gives the `run`
/// line of the late import, and what the history listed before and after it.
fn in_two_steps(here: &Path, early: &[&str], late: &[&str]) -> (Value, Vec<Value>, Vec<Value>) {
    done(here, &[&["import", "--into", "h"], early].concat());
    let before = listed(here, "h");
    let tried = lines(&done(here, &[&["import", "--into", "h", "--dry-run", "--json"], late].concat()));
    let run = lines(&done(here, &[&["import", "--into", "h", "--json"], late].concat())).pop().unwrap();
    assert_eq!(tried.last().unwrap()["completed"], run["completed"], "a dry run says so, too");
    let after = listed(here, "h");
    done(here, &[&["import", "--into", "at-once"], late].concat());
    assert_eq!(after, listed(here, "at-once"));
    let bytes = tree(&here.join("h"));
    done(here, &[&["import", "--into", "h"], late].concat());
    done(here, &[&["import", "--into", "h"], early].concat());
    assert!(tree(&here.join("h")) == bytes, "importing all of it again changes no byte");
    done(here, &["verify", "h"]);
    (run, before, after)
}

fn copied(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if wanted(&name) {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_heart_rate_that_arrives_after_its_track_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let pair = fixtures::root().join("polar/bipolar");
    copied(&pair, &here.join("track"), |name| name.ends_with(".gpx"));
    copied(&pair, &here.join("both"), |name| !name.ends_with(".rr.hrm"));
    copied(&pair, &here.join("all"), |_| true);
    let (run, before, after) = in_two_steps(here, &["track"], &["both"]);
    assert_eq!((&run["completed"], before.len(), after.len()), (&json!(1), 1, 1));
    assert_eq!(before[0]["channels"]["heart_rate"], Value::Null);
    assert!(after[0]["channels"]["heart_rate"]["count"].as_u64().unwrap() > 0);
    assert_eq!(after[0]["rr_intervals"], 0);
    // A third file of the same recording.
    fs::remove_dir_all(here.join("at-once")).unwrap();
    let (run, _, after) = in_two_steps(here, &["both"], &["all"]);
    assert_eq!(run["completed"], 1);
    assert!(after[0]["rr_intervals"].as_u64().unwrap() > 0);
    // A history that has all of it learns nothing from a part.
    let bytes = tree(&here.join("h"));
    done(here, &["import", "track", "both", "--into", "h"]);
    assert!(tree(&here.join("h")) == bytes);
}

/// Unpacks the members of an archive whose names are `wanted`.
fn unpacked(archive: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    let mut archive = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().unwrap().into_owned();
        if wanted(&name) {
            let path = to.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::io::copy(&mut member, &mut File::create(path).unwrap()).unwrap();
        }
    }
}

#[test]
fn the_table_of_an_export_tells_of_recordings_that_came_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let export = fixtures::root().join("exports/strava/export_2025.zip");
    unpacked(&export, &here.join("early"), |name| name.ends_with("8803.tcx.gz"));
    unpacked(&export, &here.join("late"), |_| true);
    let (run, before, after) = in_two_steps(here, &["early"], &["late"]);
    assert_eq!((&run["completed"], before.len()), (&json!(1), 1));
    let id = before[0]["id"].clone();
    let named = |all: &[Value], name: &str| all.iter().any(|a| a["id"] == id && a["name"] == name);
    assert!(named(&after, "Hotel gym"), "{after:?}");

    // In a newer export the owner has given it another name.
    unpacked(&export, &here.join("newer"), |_| true);
    let table = fs::read_to_string(here.join(TABLE)).unwrap();
    fs::write(here.join("newer/export_12345678/activities.csv"), table.replace("Hotel gym", "Back in the gym"))
        .unwrap();
    let run = lines(&done(here, &["import", "newer", "--into", "h", "--json"])).pop().unwrap();
    assert_eq!(run["completed"], 1, "only one row is another one");
    assert!(named(&listed(here, "h"), "Back in the gym"));
    let bytes = tree(&here.join("h"));
    done(here, &["import", "late", "newer", "--into", "h"]);
    assert!(tree(&here.join("h")) == bytes, "tables that are known tell nothing new");
}

#[test]
fn a_merge_is_made_again_of_what_was_completed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    unpacked(&fixtures::root().join("exports/strava/export_2025.zip"), &here.join("late"), |_| true);
    let [gpx, fit] = ["2502.gpx", "8801.fit.gz"].map(|name| format!("late/export_12345678/activities/{name}"));
    let (run, before, after) = in_two_steps(here, &[&gpx, &fit], &["late"]);
    assert_eq!((&run["completed"], before.len()), (&json!(2), 1), "one workout in two recordings, each with its row");
    assert_eq!(before[0]["name"], "As recorded");
    let told = after.iter().find(|workout| workout["id"] == before[0]["id"]).unwrap();
    assert_eq!(told["name"], "Early \"quick\" loop");
}

/// Unpacks the Strava export of the fixtures as `late`, and its strength workout alone as `early`.
fn strava(here: &Path) -> String {
    let export = fixtures::root().join("exports/strava/export_2025.zip");
    unpacked(&export, &here.join("early"), |name| name.ends_with("8803.tcx.gz"));
    unpacked(&export, &here.join("late"), |_| true);
    fs::read_to_string(here.join(TABLE)).unwrap()
}

fn names(here: &Path, history: &str) -> Vec<Value> {
    listed(here, history).iter().map(|activity| activity["name"].clone()).collect()
}

#[test]
fn an_older_export_takes_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let table = strava(here);
    done(here, &["import", "late", "--into", "h"]);
    let before = names(here, "h");
    unpacked(&fixtures::root().join("exports/strava/export_2025.zip"), &here.join("older"), |_| true);
    // The rows up to the strength workout, with its name of that time; the last row but one of the file is later.
    let (rows, _) = table.split_once("2504,").unwrap();
    fs::write(here.join("older/export_12345678/activities.csv"), rows.replace("Hotel gym", "Lunch Weight Training"))
        .unwrap();
    let run = lines(&done(here, &["import", "older", "--into", "h", "--json"])).pop().unwrap();
    assert_eq!((&run["completed"], names(here, "h")), (&json!(0), before));
    let bytes = tree(&here.join("h"));
    done(here, &["import", "older", "late", "--into", "h"]);
    assert!(tree(&here.join("h")) == bytes);
}

#[test]
fn what_an_import_that_was_killed_did_not_complete_the_next_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    strava(here);
    let pair = fixtures::root().join("polar/bipolar");
    copied(&pair, &here.join("early/polar"), |name| name.ends_with(".gpx"));
    copied(&pair, &here.join("late/polar"), |_| true);
    done(here, &["import", "early", "--into", "h"]);
    done(here, &["import", "late", "--into", "h"]);
    done(here, &["import", "late", "--into", "at-once"]);
    let (whole, journal) = (listed(here, "h"), here.join("h/journal/000001.jsonl"));
    assert_eq!(whole, listed(here, "at-once"));
    // The completion is the last batch that says activities anew.
    let text = fs::read_to_string(&journal).unwrap();
    let batches: Vec<usize> = text.match_indices("{\"kind\":\"batch\"").map(|(at, _)| at).collect();
    let last =
        batches.iter().rev().find(|&&at| text[at..].contains("\"rr_intervals\":3") || text[at..].contains("Hotel gym"));
    fs::write(&journal, &text[..*last.unwrap()]).unwrap();
    fs::remove_file(here.join("h/derived.jsonl")).unwrap();
    assert_ne!(listed(here, "h"), whole, "nothing was completed");
    done(here, &["import", "late", "--into", "h"]);
    assert_eq!(listed(here, "h"), whole);
}

#[test]
fn a_loose_copy_beside_an_export_does_not_hide_what_its_table_tells() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    strava(here);
    done(here, &["import", "early", "--into", "h"]);
    done(here, &["import", "early", "late", "--into", "h"]);
    done(here, &["import", "late", "--into", "h"]);
    assert!(names(here, "h").contains(&json!("Hotel gym")));
}

#[test]
fn completing_neither_merges_nor_moves_against_the_users_word() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    strava(here);
    let [gpx, fit] = ["2502.gpx", "8801.fit.gz"].map(|name| format!("late/export_12345678/activities/{name}"));
    done(here, &["import", &gpx, "--into", "h"]);
    let run = lines(&done(here, &["import", "late", "--into", "h", "--dedupe", "exact", "--json"])).pop().unwrap();
    assert_eq!((&run["completed"], &run["merged"]), (&json!(1), &json!(0)));
    done(here, &["import", &gpx, &fit, "--into", "zoned"]);
    let offset = || listed(here, "zoned").iter().find(|a| a["format"] == "fit").unwrap()["local_offset_s"].clone();
    assert_eq!(offset(), 7200);
    done(here, &["import", "late", "--into", "zoned", "--zone", "+05:00"]);
    assert_eq!(offset(), 7200, "--zone is said of what is new");
}

#[test]
fn what_another_history_knows_of_a_recording_is_taken_over_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    strava(here);
    done(here, &["import", "early", "--into", "h"]);
    done(here, &["import", "late", "--into", "other"]);
    done(here, &["import", "other", "--into", "h"]);
    assert_eq!(listed(here, "h"), listed(here, "other"));
    let bytes = tree(&here.join("h"));
    done(here, &["import", "other", "late", "early", "--into", "h"]);
    assert!(tree(&here.join("h")) == bytes);
}

#[test]
fn fingerprints_of_a_journal_that_was_put_back_hide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    strava(here);
    done(here, &["import", "late", "--into", "h"]);
    let whole = listed(here, "h");
    fs::write(here.join("h/journal/000001.jsonl"), "").unwrap();
    done(here, &["import", "late", "--into", "h"]);
    assert_eq!(listed(here, "h"), whole, "2502.gpx and 8801.fit.gz are one workout");
}

#[test]
fn reading_again_makes_no_workouts_of_rows_that_a_newer_table_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let garmin = fixtures::root().join("exports/garmin/2018.zip");
    done(here, &["import", garmin.to_str().unwrap(), "--into", "h"]);
    unpacked(&garmin, &here.join("newer"), |_| true);
    let tables = named(&here.join("newer"), "summarizedActivities");
    assert!(!tables.is_empty());
    for table in tables {
        let text = fs::read_to_string(&table).unwrap();
        fs::write(&table, text.replacen("\"name\":\"", "\"name\":\"Renamed ", 1000)).unwrap();
    }
    let run = lines(&done(here, &["import", "newer", "--into", "h", "--json"])).pop().unwrap();
    assert!(run["completed"].as_u64().unwrap() > 0, "{run}");
    let before = listed(here, "h");
    let again = lines(&done(here, &["refresh", "h", "--all", "--json"]));
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(listed(here, "h"), before);
}

/// All files below a folder whose names hold a word.
fn named(folder: &Path, word: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { named(&path, word) } else { vec![path] })
        .filter(|path| path.to_string_lossy().contains(word))
        .collect()
}
