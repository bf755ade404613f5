//! What an older version read is read again: only what is better changes, and what the owner decided stays.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::cli::{lines, paceport, tree};
use super::cli_history::{done, two_recordings};
use super::fixtures;
use super::fixtures::histories::resealed;

const JOURNAL: &str = "journal/000001.jsonl";

/// Makes the journal one that version 0.0.9 wrote; `edit` changes a line after that.
fn aged(root: &Path, edit: impl Fn(String) -> Option<String>) {
    let journal = fs::read_to_string(root.join(JOURNAL)).unwrap();
    let parser = format!("\"parser\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(journal.contains(&parser));
    let old = resealed(&journal, |line| edit(line.replace(&parser, "\"parser\":\"0.0.9\"")));
    fs::write(root.join(JOURNAL), old).unwrap();
}

/// As `aged`, with changes of the text of all lines.
fn aged_by(root: &Path, changes: &[(&str, &str)]) {
    let journal = fs::read_to_string(root.join(JOURNAL)).unwrap();
    for (new, _) in changes {
        assert!(journal.contains(new), "the journal does not say {new}");
    }
    aged(root, |line| Some(changes.iter().fold(line, |line, (new, old)| line.replace(new, old))));
}

fn listed(folder: &Path) -> Vec<Value> {
    lines(&done(folder, &["list", "h", "--json"]))
}

/// The change lines and the last line of a refresh, which must succeed.
fn refreshed(folder: &Path, more: &[&str]) -> (Vec<Value>, Value) {
    let mut lines = lines(&done(folder, &[&["refresh", "h", "--json"], more].concat()));
    let last = lines.pop().unwrap();
    assert_eq!(last["kind"], "refresh");
    (lines, last)
}

#[test]
fn reading_everything_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = fixtures::root();
    let sources: Vec<String> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("histories"))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let mut import = vec!["import", "--into", "h"];
    import.extend(sources.iter().map(String::as_str));
    assert_eq!(paceport(folder.path(), &import).status.code(), Some(3), "some fixtures are damaged");
    let before = tree(&folder.path().join("h"));
    let (changes, last) = refreshed(folder.path(), &["--all"]);
    assert_eq!(changes, Vec::<Value>::new());
    assert!(last["read"].as_u64() > Some(30) && last["read"] == last["originals"], "{last}");
    assert_eq!(tree(&folder.path().join("h")), before);
    assert_eq!(refreshed(folder.path(), &[]).1["read"], 0, "this version has read them");
}

#[test]
fn what_an_older_version_missed_is_found_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    two_recordings(here);
    let tour = fixtures::root().join("tour/watch");
    done(here, &["import", "ride.tcx", "phone.gpx", tour.to_str().unwrap(), "--into", "h"]);
    let want = listed(here);
    assert_eq!(want.len(), 2);
    let history = here.join("h");
    // The old version did not know power, and took the run for a walk.
    let power = want.iter().find(|a| a["channels"]["power"].is_object()).unwrap()["channels"]["power"].to_string();
    let journal = fs::read_to_string(history.join(JOURNAL)).unwrap();
    let start = journal.find("\"power\":{").unwrap();
    let power_text = &journal[start..=start + journal[start..].find('}').unwrap()];
    assert_eq!(power_text.len(), "\"power\":".len() + power.len());
    aged_by(&history, &[(&format!(",{power_text}"), ""), ("\"sport\":\"running\"", "\"sport\":\"walking\"")]);
    let originals = |tree: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<_> {
        tree.into_iter().filter(|(path, _)| path.starts_with("originals")).collect()
    };
    let (old, kept) = (listed(here), originals(tree(&history)));
    assert!(old != want && old.iter().all(|activity| activity["channels"]["power"].is_null()));

    let before = tree(&history);
    let (dry, _) = refreshed(here, &["--dry-run"]);
    assert_eq!(tree(&history), before, "a dry run writes nothing");
    let (changes, last) = refreshed(here, &[]);
    assert_eq!(changes, dry);
    assert_eq!(
        (&last["read"], &last["changed"], &last["appeared"], &last["vanished"]),
        (&3.into(), &2.into(), &0.into(), &0.into())
    );
    let ride = changes.iter().find(|change| change["source"] == "ride.tcx").unwrap();
    assert_eq!(
        (&ride["fields"]["channels.power.count"]["old"], &ride["fields"]["channels.power.count"]["new"]),
        (&Value::Null, &300.into())
    );
    let run = changes.iter().find(|change| change["source"] != "ride.tcx").unwrap();
    assert_eq!(run["fields"].as_object().unwrap().len(), 1);
    assert_eq!(run["fields"]["sport"], serde_json::json!({"old": "walking", "new": "running"}));
    assert_eq!(listed(here), want, "the merged workout has its power again, from the same source");

    let after = tree(&history);
    assert_eq!(originals(after.clone()), kept);
    let (_, old_journal) = before.iter().find(|(path, _)| path == Path::new(JOURNAL)).unwrap();
    let (_, new_journal) = after.iter().find(|(path, _)| path == Path::new(JOURNAL)).unwrap();
    assert!(new_journal.starts_with(old_journal), "the journal is only appended to");
    assert_eq!(refreshed(here, &[]).1["read"], 0);
    assert_eq!(refreshed(here, &["--all"]).0, Vec::<Value>::new());
    assert_eq!(tree(&history), after, "a second refresh writes nothing");
    assert_eq!(lines(&done(here, &["verify", "h", "--json"])), Vec::<Value>::new());
}

#[test]
fn activities_may_appear_and_vanish() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let two = fixtures::root().join("nike/list.json");
    done(here, &["import", two.to_str().unwrap(), "--into", "h", "--dedupe", "exact"]);
    let want = listed(here);
    assert!(want.len() >= 2, "the list holds {} activities", want.len());
    // The old version took the second activity of the file for a ninth.
    let first = "\"index\":1,";
    let id = |i: usize| want.iter().find(|a| a["index"] == i).unwrap()["id"].as_str().unwrap().to_owned();
    let ninth = format!("{}{:08x}", &id(1)[..24], u32::from_str_radix(&id(1)[24..], 16).unwrap() ^ 1 ^ 9);
    aged_by(&here.join("h"), &[(first, "\"index\":9,"), (&id(1), &ninth)]);
    let (changes, _) = refreshed(here, &[]);
    let kinds: Vec<(&Value, &Value)> = changes.iter().map(|change| (&change["what"], &change["index"])).collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&(&"vanished".into(), &9.into())) && kinds.contains(&(&"appeared".into(), &1.into())));
    assert_eq!(listed(here), want, "and who compares equal bytes only is not surprised by merges");
}

#[test]
fn what_the_owner_decided_stays() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    two_recordings(here);
    done(here, &["import", "ride.tcx", "phone.gpx", "--into", "h"]);
    let id = listed(here)[0]["id"].as_str().unwrap().to_owned();
    done(here, &["undo", "h", &id]);
    let apart = listed(here);
    assert_eq!(apart.len(), 2);
    aged_by(&here.join("h"), &[("\"sport\":\"cycling\"", "\"sport\":\"generic\"")]);
    assert_eq!(refreshed(here, &[]).0.len(), 2);
    assert_eq!(listed(here), apart, "what was taken apart is not merged again");
}

#[test]
fn the_owners_word_on_times_stays() {
    for zone in ["+05:00", "keep", "America/New_York"] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let polar = fixtures::root().join("polar");
        done(here, &["import", polar.to_str().unwrap(), "--into", "h", "--zone", zone]);
        let want = listed(here);
        aged_by(&here.join("h"), &[]);
        let (changes, last) = refreshed(here, &[]);
        assert!(last["read"].as_u64() > Some(1), "{last}");
        assert_eq!(changes, Vec::<Value>::new(), "{zone}");
        assert_eq!(listed(here), want, "{zone}");
    }
}

#[test]
fn times_that_other_recordings_told_stay_until_the_file_tells_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let gpx = |name: &str, points: &[(&str, &str)]| {
        let points: String =
            points.iter().map(|(at, time)| format!("<trkpt {at}><time>{time}</time></trkpt>")).collect();
        fs::write(here.join(name), format!("<gpx version=\"1.1\" creator=\"x\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><trkseg>{points}</trkseg></trk></gpx>")).unwrap();
    };
    let cologne = "lat=\"50.94\" lon=\"6.96\"";
    gpx("outside.gpx", &[(cologne, "2024-07-01T08:00:00Z"), (cologne, "2024-07-01T09:00:00Z")]);
    let tcx = |start: &str, end: &str| {
        format!(
            "<TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"><Activities><Activity Sport=\"Running\"><Id>{start}</Id><Lap StartTime=\"{start}\"><Track><Trackpoint><Time>{start}</Time><HeartRateBpm><Value>120</Value></HeartRateBpm></Trackpoint><Trackpoint><Time>{end}</Time><HeartRateBpm><Value>130</Value></HeartRateBpm></Trackpoint></Track></Lap></Activity></Activities></TrainingCenterDatabase>"
        )
    };
    fs::write(here.join("inside.tcx"), tcx("2024-07-01T16:00:00Z", "2024-07-01T17:00:00Z")).unwrap();
    done(here, &["import", "outside.gpx", "inside.tcx", "--into", "h"]);
    let want = listed(here);
    let inside = |list: &[Value]| list.iter().find(|a| a["format"] == "tcx").unwrap().clone();
    assert_eq!(
        (&inside(&want)["local_evidence"], &inside(&want)["local_offset_s"]),
        (&"neighbour".into(), &7200.into())
    );
    aged_by(&here.join("h"), &[]);
    assert_eq!(refreshed(here, &[]).0, Vec::<Value>::new());
    assert_eq!(listed(here), want);
    // An old version that could not read the position of the first, and so knew neither zone.
    let journal = fs::read_to_string(here.join("h").join(JOURNAL)).unwrap();
    let note = |line: &str| Some((line.find("\"notes\":[")?, line.rfind(']')?));
    let old = resealed(&journal, |line| {
        let line = line.replace(&format!("\"parser\":\"{}\"", env!("CARGO_PKG_VERSION")), "\"parser\":\"0.0.9\"");
        let evidence = if line.contains("outside.gpx") { "position" } else { "neighbour" };
        let line = line.replace(
            &format!("\"local_offset_s\":7200,\"local_evidence\":\"{evidence}\""),
            "\"local_offset_s\":null,\"local_evidence\":\"none\"",
        );
        Some(match note(&line).filter(|_| line.starts_with("{\"kind\":\"activity\"")) {
            Some((from, to)) => format!("{}\"notes\":[{}", &line[..from], &line[to..]),
            None => line,
        })
    });
    fs::write(here.join("h").join(JOURNAL), old).unwrap();
    let (changes, _) = refreshed(here, &[]);
    // The first is judged anew. Nothing is said about the second: its own claims are what they were.
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["fields"]["local_evidence"], serde_json::json!({"old": "none", "new": "position"}));
}

#[test]
fn a_damaged_original_stays_as_it_was_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let tour = fixtures::root().join("tour");
    done(here, &["import", tour.to_str().unwrap(), "--into", "h"]);
    let want = listed(here);
    aged_by(&here.join("h"), &[("\"laps\":", "\"laps\":7")]);
    let (path, mut bytes) =
        tree(&here.join("h")).into_iter().find(|(path, _)| path.extension().is_some_and(|e| e == "fit")).unwrap();
    bytes[100] ^= 1;
    fs::write(here.join("h").join(&path), bytes).unwrap();
    for _ in 0..2 {
        let output = paceport(here, &["refresh", "h", "--json"]);
        assert_eq!(output.status.code(), Some(3));
        let lines = lines(&output);
        let failed = lines.iter().find(|line| line["kind"] == "source").unwrap();
        assert!(failed["error"].as_str().unwrap().contains("run verify"), "{failed}");
        assert_eq!(lines.last().unwrap()["failed"], 1);
    }
    let got = listed(here);
    let differ: Vec<&Value> =
        got.iter().zip(&want).filter(|(got, want)| got != want).map(|(got, _)| &got["format"]).collect();
    assert_eq!(differ, ["fit"]);
}

#[test]
fn no_history_is_made_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["refresh", "h"][..], &["refresh", "h", "--dry-run"], &["undo", "h", "12345678"]] {
        assert_eq!(paceport(folder.path(), arguments).status.code(), Some(1), "{arguments:?}");
        assert!(!folder.path().join("h").exists());
    }
}
