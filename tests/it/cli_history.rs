//! Histories as outside programs see them: merges and undo, doubt, damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use super::cli::{lines, paceport, tree};
use super::fixtures;

pub fn done(folder: &Path, arguments: &[&str]) -> Output {
    let output = paceport(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The tour's ride, and a copy of it as GPX without power: the same workout twice, in different bytes.
pub fn two_recordings(folder: &Path) -> [PathBuf; 2] {
    let ride = fixtures::root().join("tour/bike-computer/evening-ride.tcx");
    let text = fs::read_to_string(&ride).unwrap();
    let mut gpx = String::from(
        r#"<gpx version="1.1" creator="other" xmlns="http://www.topografix.com/GPX/1/1"><trk><type>cycling</type><trkseg>"#,
    );
    for point in text.split("<Trackpoint>").skip(1) {
        let of = |name: &str| point.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
        let (lat, lon, time) = (of("LatitudeDegrees"), of("LongitudeDegrees"), of("Time"));
        gpx += &format!(
            r#"<trkpt lat="{lat}" lon="{lon}"><ele>{}</ele><time>{time}</time></trkpt>"#,
            of("AltitudeMeters")
        );
    }
    gpx += "</trkseg></trk></gpx>";
    let (a, b) = (folder.join("ride.tcx"), folder.join("phone.gpx"));
    fs::write(&a, text).unwrap();
    fs::write(&b, gpx).unwrap();
    [a, b]
}

#[test]
fn a_history_inside_of_what_is_imported_is_no_source_of_itself() {
    let sources = |into: &str| {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        two_recordings(here);
        let import = ["import", ".", "--into", into, "--json", "-j", "4"];
        let first: Vec<Value> =
            lines(&done(here, &import)).into_iter().filter(|line| line["kind"] == "source").collect();
        assert_eq!(first.len(), 2, "{first:?}");
        let before = tree(&here.join(into));
        let run = lines(&done(here, &import)).pop().unwrap();
        assert_eq!((&run["sources"], &run["duplicate"], &run["notes"]), (&2.into(), &2.into(), &json!([])), "{run}");
        assert_eq!(tree(&here.join(into)), before, "the same import again");
        // What is in another folder is a source, whatever it is.
        let other = lines(&done(here, &["import", ".", "--into", "other", "--json"])).pop().unwrap();
        assert!(other["sources"].as_u64() > Some(4), "{other}");
        first
    };
    assert_eq!(sources("h"), sources("./new/below/h"));
    assert_eq!(sources("h"), sources("new/../h"));
    #[cfg(unix)]
    {
        let folder = tempfile::tempdir().unwrap();
        two_recordings(folder.path());
        done(folder.path(), &["import", ".", "--into", "h"]);
        std::os::unix::fs::symlink("h", folder.path().join("link")).unwrap();
        let run = lines(&done(folder.path(), &["import", ".", "--into", "link", "--json"])).pop().unwrap();
        assert_eq!(run["sources"], 2, "{run}");
        std::os::unix::fs::symlink("h/originals", folder.path().join("inner")).unwrap();
        let run = lines(&done(folder.path(), &["import", ".", "--into", "h", "--json"])).pop().unwrap();
        assert_eq!(run["sources"], 2, "what is behind a link is its own as well: {run}");
    }
}

#[test]
fn the_same_workout_is_listed_once_and_undo_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    two_recordings(here);
    done(here, &["import", "phone.gpx", "--into", "h"]);
    let alone = lines(&done(here, &["list", "h", "--json"]));
    done(here, &["import", "ride.tcx", "--into", "h"]);
    let listed = lines(&done(here, &["list", "h", "--json"]));
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["members"].as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["channels"]["power"]["count"], 300, "the power of the bike computer");
    assert_eq!(listed[0]["origins"]["power"], "ride.tcx");
    // In one import it comes out the same.
    done(here, &["import", "ride.tcx", "phone.gpx", "--into", "at-once"]);
    assert_eq!(lines(&done(here, &["list", "at-once", "--json"])), listed);
    done(here, &["export", "h", "--to", "fit", "--out", "merged"]);
    assert_eq!(tree(&here.join("merged")).len(), 1);

    let id = alone[0]["id"].as_str().unwrap();
    done(here, &["undo", "h", &id[..12]]);
    let apart = lines(&done(here, &["list", "h", "--json"]));
    assert_eq!(apart.len(), 2);
    assert!(apart.contains(&alone[0]), "what was before the merge is back as it was");
    // The word of the owner stays: nothing is merged again.
    let before = tree(&here.join("h"));
    done(here, &["import", "ride.tcx", "phone.gpx", "--into", "h"]);
    assert_eq!(tree(&here.join("h")), before);
}

#[test]
fn an_undo_of_a_merge_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    two_recordings(here);
    done(here, &["import", "ride.tcx", "phone.gpx", "--into", "h", "--prefer", "position=gpx"]);
    let merged = lines(&done(here, &["list", "h", "--json"]));
    assert_eq!((merged.len(), &merged[0]["origins"]["position"]), (1, &Value::from("phone.gpx")));
    let id = merged[0]["id"].as_str().unwrap();
    done(here, &["undo", "h", id]);
    let apart = lines(&done(here, &["list", "h", "--json"]));
    assert_eq!(apart.len(), 2);
    // By either of the two, and as often as one likes.
    for one in &apart {
        done(here, &["accept", "h", &one["id"].as_str().unwrap()[..12]]);
        assert_eq!(lines(&done(here, &["list", "h", "--json"])), merged);
        let kept = tree(&here.join("h"));
        done(here, &["import", "ride.tcx", "phone.gpx", "--into", "h"]);
        assert!(tree(&here.join("h")) == kept);
        assert_eq!(paceport(here, &["accept", "h", id]).status.code(), Some(2), "it is one already");
        done(here, &["undo", "h", id]);
        assert_eq!(lines(&done(here, &["list", "h", "--json"])), apart);
    }
    // A journal that was derived again still has the sets that are apart.
    fs::remove_dir_all(here.join("h")).unwrap();
    done(here, &["import", "ride.tcx", "phone.gpx", "--into", "h"]);
    let merged = lines(&done(here, &["list", "h", "--json"]));
    done(here, &["undo", "h", id]);
    let journal = here.join("h/journal/000001.jsonl");
    let damaged = fs::read_to_string(&journal).unwrap().replacen("\"kind\":\"original\"", "\"kind\":\"originol\"", 1);
    fs::write(&journal, damaged).unwrap();
    let rebuilt = String::from_utf8(paceport(here, &["verify", "h", "--rebuild"]).stderr).unwrap();
    assert!(rebuilt.contains("a new journal was written"), "{rebuilt}");
    assert_eq!(lines(&done(here, &["list", "h", "--json"])).len(), 2);
    done(here, &["accept", "h", id]);
    let again = lines(&done(here, &["list", "h", "--json"]));
    assert_eq!((again.len(), &again[0]["id"], &again[0]["channels"]), (1, &merged[0]["id"], &merged[0]["channels"]));
    done(here, &["verify", "h"]);
}

#[test]
fn a_dry_run_foresees_what_belongs_together() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    two_recordings(here);
    let merged = |arguments: &[&str]| {
        let output = done(here, &[&["import", "--json"], arguments].concat());
        let run = lines(&output).pop().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (
            run["merged"].clone(),
            run["unsure"].clone(),
            run["clusters"].clone(),
            said.contains("would belong to another"),
        )
    };
    let both = ["ride.tcx", "phone.gpx", "--into", "h"];
    assert_eq!(merged(&[&both[..], &["--dry-run"]].concat()), (1.into(), 0.into(), 1.into(), true));
    assert_eq!(merged(&[&both[..], &["--dry-run", "--dedupe", "exact"]].concat()).0, 0);
    assert!(!here.join("h").exists());
    // What is known already counts, and stays as it is.
    done(here, &["import", "ride.tcx", "--into", "h"]);
    let before = tree(&here.join("h"));
    let foreseen = merged(&[&both[..], &["--dry-run"]].concat());
    assert_eq!((&foreseen.0, foreseen.3), (&1.into(), true));
    assert!(tree(&here.join("h")) == before);
    let came = merged(&both);
    assert_eq!((came.0, came.1, came.2), (foreseen.0, foreseen.1, foreseen.2));
    assert_eq!(merged(&[&both[..], &["--dry-run"]].concat()).0, 0, "nothing of it is new");
}

/// Zones that others tell are in the fingerprints of an import as in those that are taken of the originals.
#[test]
fn fingerprints_are_the_same_whenever_they_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("h");
    let import = || {
        let arguments = ["import", "tour", "polar", "tcx", "gpx", "--into", into.to_str().unwrap(), "-q"];
        assert!(matches!(paceport(&fixtures::root(), &arguments).status.code(), Some(0 | 3)));
        let text = fs::read_to_string(into.join("derived.jsonl")).unwrap();
        let mut lines: Vec<String> = text.lines().filter(|l| !l.starts_with("batch ")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let first = import();
    assert!(first.len() > 20, "{}", first.len());
    fs::remove_file(into.join("derived.jsonl")).unwrap();
    assert_eq!(import(), first);
}

#[test]
fn merge_by_hand_needs_no_history() {
    let folder = tempfile::tempdir().unwrap();
    two_recordings(folder.path());
    done(folder.path(), &["merge", "phone.gpx", "ride.tcx", "--out", "both.tcx"]);
    done(folder.path(), &["merge", "ride.tcx", "phone.gpx", "--out", "other-order.tcx"]);
    let files = ["both.tcx", "other-order.tcx"].map(|name| fs::read(folder.path().join(name)).unwrap());
    assert_eq!(files[0], files[1], "the order of files does not matter");
    let activity = &lines(&done(folder.path(), &["inspect", "both.tcx", "--json"]))[0];
    assert_eq!((&activity["samples"], &activity["channels"]["power"]["count"]), (&300.into(), &300.into()));
    done(folder.path(), &["convert", "phone.gpx", "ride.tcx", "--to", "gpx", "--merge", "--out", "merged"]);
    assert_eq!(tree(&folder.path().join("merged")).len(), 1);
}

#[test]
fn verify_finds_a_flipped_byte_and_nothing_in_a_healthy_history() {
    let folder = tempfile::tempdir().unwrap();
    let tour = fixtures::root().join("tour");
    done(folder.path(), &["import", tour.to_str().unwrap(), "--into", "h"]);
    let clean = done(folder.path(), &["verify", "h", "--json"]);
    assert_eq!(lines(&clean), Vec::<serde_json::Value>::new());
    let (path, mut bytes) = tree(&folder.path().join("h"))
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|e| e == "fit"))
        .unwrap();
    bytes[100] ^= 1;
    fs::write(folder.path().join("h").join(&path), bytes).unwrap();
    let damaged = paceport(folder.path(), &["verify", "h", "--json"]);
    assert_eq!(damaged.status.code(), Some(4));
    let findings = lines(&damaged);
    assert_eq!(findings.len(), 1);
    assert_eq!(Path::new(findings[0]["path"].as_str().unwrap()), path);
    assert!(findings[0]["repair"].as_str().is_some_and(|repair| !repair.is_empty()));
}

#[test]
fn an_import_that_puts_lost_originals_back_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let watch = fixtures::root().join("tour/watch");
    let import = ["import", watch.to_str().unwrap(), "--into", "h"];
    done(here, &import);
    let whole = tree(&here.join("h"));
    let (path, _) = whole.iter().find(|(path, _)| path.extension().is_some_and(|e| e == "fit")).unwrap();
    fs::remove_file(here.join("h").join(path)).unwrap();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let healed = said(&done(here, &import));
    assert!(healed.contains("1 lost original put back"), "{healed}");
    assert!(!healed.contains("unchanged"), "{healed}");
    assert_eq!(tree(&here.join("h")), whole);
    assert!(said(&done(here, &import)).contains("h is unchanged"));
}

#[test]
fn a_rebuild_says_when_a_zone_that_the_owner_told_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let watch = fixtures::root().join("tour/watch");
    for (history, zone, code) in [("told", "America/New_York", 4), ("found", "auto", 0)] {
        done(here, &["import", watch.to_str().unwrap(), "--into", history, "--zone", zone]);
        let journal = here.join(history).join("journal/000001.jsonl");
        let text = fs::read_to_string(&journal).unwrap();
        fs::write(&journal, text.replacen("\"sport\":\"running\"", "\"sport\":\"walking\"", 1)).unwrap();
        let rebuilt = paceport(here, &["verify", "--rebuild", history]);
        let said = String::from_utf8_lossy(&rebuilt.stdout);
        assert_eq!(rebuilt.status.code(), Some(code), "{history}: {said}");
        assert_eq!(said.contains("lost: what the owner said of a zone"), code == 4, "{history}: {said}");
    }
}

#[test]
fn what_stopped_an_original_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    done(here, &["import", fixtures::root().join("tour/watch").to_str().unwrap(), "--into", "h"]);
    let files = tree(&here.join("h"));
    let (path, _) = files.iter().find(|(path, _)| path.extension().is_some_and(|e| e == "fit")).unwrap();
    fs::remove_file(here.join("h").join(path)).unwrap();
    let output = paceport(here, &["export", "h", "--to", "gpx", "--out", "out", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let told = lines(&output)[0]["error"].as_str().unwrap().to_owned();
    assert!(told.starts_with("io: cannot read "), "{told}");
}

#[test]
fn an_export_to_standard_output_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    done(here, &["import", fixtures::root().join("tour/watch").to_str().unwrap(), "--into", "h"]);
    let output = paceport(here, &["export", "h", "--to", "gpx", "--out", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!here.join("-").exists());
}

#[test]
fn a_list_says_when_it_is_not_all() {
    let histories = fixtures::root().join("histories");
    for (name, code) in
        [("sound", 0), ("torn_line", 0), ("edited_line", 3), ("missing_line", 3), ("missing_segment", 3)]
    {
        let listed = paceport(&histories, &["list", name]);
        let complaint = String::from_utf8_lossy(&listed.stderr).into_owned();
        assert_eq!(listed.status.code(), Some(code), "{name}: {complaint}");
        assert_eq!(complaint.contains("run verify"), code == 3, "{name}: {complaint}");
    }
}

#[test]
fn a_wrong_clock_is_shifted_and_a_shared_file_tells_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let run = fixtures::root().join("tour/watch/2024-05-01.fit");
    let run = run.to_str().unwrap();
    let activity = |file: &str| lines(&done(folder.path(), &["inspect", file, "--json"])).remove(0);
    done(folder.path(), &["shift", run, "--by", "-1h", "--out", "back.fit"]);
    assert_eq!(activity("back.fit")["start"], "2024-05-01T06:12:00Z");
    done(folder.path(), &["shift", run, "--start", "2024-06-01T10:00:00+02:00", "--out", "june.tcx"]);
    assert_eq!(activity("june.tcx")["start"], "2024-06-01T08:00:00Z");
    let naive = paceport(folder.path(), &["shift", run, "--start", "2024-06-01T10:00:00", "--out", "x.tcx"]);
    assert_eq!(naive.status.code(), Some(2));
    done(folder.path(), &["convert", run, "--to", "fit", "--out", "shared.fit", "--anonymize"]);
    let shared = activity("shared.fit");
    assert_eq!(shared["device"]["serial"], serde_json::Value::Null);
    assert!(shared["samples"].as_u64().unwrap() < 1100, "200 m at 3 m/s are more than 60 s at each end");
    done(folder.path(), &["convert", run, "--to", "fit", "--out", "track.fit", "--anonymize=keep-track"]);
    assert_eq!(activity("track.fit")["samples"], 1200);
    // Nor does the file's name, when the program chooses it.
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::copy(run, folder.path().join("mine/From Anna's door.fit")).unwrap();
    done(folder.path(), &["convert", "mine", "--to", "gpx", "--out", "shared", "--anonymize"]);
    let names: Vec<_> = tree(&folder.path().join("shared")).into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, [Path::new("2024-05-01_0912_running_2afa0723.gpx")]);
}

#[test]
fn originals_are_never_passed_off_as_anonymous() {
    let folder = tempfile::tempdir().unwrap();
    let run = fixtures::root().join("tour/watch/2024-05-01.fit");
    done(folder.path(), &["import", run.to_str().unwrap(), "--into", "h"]);
    let refused = paceport(folder.path(), &["export", "h", "--to", "original", "--out", "o", "--anonymize"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--anonymize"));
    assert!(!folder.path().join("o").exists());
}

#[test]
fn copies_that_are_named_by_what_is_inside_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let [ride, _] = two_recordings(folder.path());
    for copy in ["a", "b", "c", "d", "e", "f"] {
        fs::create_dir_all(folder.path().join("mine").join(copy)).unwrap();
        fs::copy(&ride, folder.path().join("mine").join(copy).join("ride.tcx")).unwrap();
    }
    for round in 0..8 {
        let out = format!("shared-{round}");
        let output =
            done(folder.path(), &["convert", "mine", "--to", "gpx", "--out", &out, "--anonymize", "-j", "6", "--json"]);
        let written = lines(&output).into_iter().filter(|line| line["kind"] == "output");
        assert_eq!(written.filter(|line| line["changed"] == true).count(), 1);
        assert_eq!(tree(&folder.path().join(out)).len(), 1);
    }
}
