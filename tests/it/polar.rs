//! Polar folders through the whole way: files that belong together become one activity at its true time.

use std::fs;

use serde_json::Value;

use super::cli::{lines, paceport, tree};
use super::fixtures;

fn inspect(folder: &str) -> (Vec<Value>, Vec<Value>) {
    let output = paceport(&fixtures::root().join("polar").join(folder), &["inspect", ".", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all = lines(&output);
    let of = |kind: &str| all.iter().filter(|line| line["kind"] == kind).cloned().collect::<Vec<_>>();
    (of("activity"), of("source"))
}

#[test]
fn a_websync_folder_comes_out_at_its_true_time() {
    let (activities, sources) = inspect("websync");
    assert_eq!(sources.len(), 6);
    assert!(sources.iter().all(|source| source["outcome"] == "read"), "{sources:#?}");
    let find = |start: &str| {
        activities.iter().find(|a| a["start"] == start).unwrap_or_else(|| panic!("{start}: {activities:#?}"))
    };
    assert_eq!(activities.len(), 3);
    // Winter time of Freising is an hour ahead of UTC.
    let morning = find("2012-01-06T04:57:01Z");
    assert_eq!(
        (&morning["local_offset_s"], &morning["local_evidence"], &morning["time_shift_s"]),
        (&3600.into(), &"position".into(), &(-3600.0).into())
    );
    assert_eq!((&morning["samples"], &morning["positions"], &morning["laps"]), (&120.into(), &120.into(), &1.into()));
    assert_eq!(morning["channels"]["heart_rate"]["count"], 120);
    assert_eq!(
        (&morning["sport"], &morning["name"], &morning["description"]),
        (&"running".into(), &"Frühlauf".into(), &"Läufe im Schnee".into())
    );
    // The second row is the first point; the rows after the pause go on five minutes later.
    let evening = find("2012-01-06T16:10:00Z");
    assert_eq!((&evening["samples"], &evening["positions"], &evening["pauses"]), (&60.into(), &59.into(), &1.into()));
    assert_eq!((&evening["sport"], &evening["end"]), (&"cycling".into(), &"2012-01-06T16:19:55Z".into()));
}

#[test]
fn the_second_watch_of_an_evening_is_a_neighbour_not_a_part() {
    let (activities, _) = inspect("websync");
    let spinning = activities.iter().find(|a| a["description"] == "Spinning").unwrap();
    assert_eq!((&spinning["samples"], &spinning["positions"]), (&60.into(), &0.into()));
}

/// The sources of a folder that are copied from `polar/websync`, and a diary whose one exercise has these files.
fn renamed(files: &[(&str, &str)], hrm: &str, gpx: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let from = fixtures::root().join("polar/websync");
    for (old, new) in files {
        fs::copy(from.join(old), folder.path().join(new)).unwrap();
    }
    let rows = "0\t0\r\n1\t0\r\n0\t0\r\n";
    let diary = format!(
        "[DayInfo]\r\n20120106\t1\r\n\r\n[ExerciseInfo1]\r\n101\t1\t3\t6\r\n{rows}Morgen\r\nNotiz\r\n{hrm}\r\n\r\n\r\n{gpx}\r\n\r\n"
    );
    fs::write(folder.path().join("20120106.pdd"), diary).unwrap();
    let output = paceport(folder.path(), &["inspect", ".", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output).into_iter().filter(|line| line["kind"] == "activity").collect()
}

/// The sport stands in the diary only.
#[test]
fn a_diary_finds_the_files_that_it_names() {
    let one = |activities: Vec<Value>, positions: u64| {
        let [run] = &activities[..] else { panic!("{activities:#?}") };
        assert_eq!(
            (&run["sport"], &run["name"], &run["description"]),
            (&"running".into(), &"Morgen".into(), &"Notiz".into())
        );
        assert_eq!((&run["positions"], &run["channels"]["heart_rate"]["count"]), (&positions.into(), &120.into()));
    };
    let (hrm, gpx) = ("12010601.hrm", "12010601.gpx");
    one(renamed(&[(hrm, "runA.hrm")], "runA.hrm", ""), 0);
    one(renamed(&[(hrm, "RUNA.HRM"), (gpx, "trackB.gpx")], "C:\\Polar\\runA.hrm", "trackb.gpx"), 120);
    // Two names of its day.
    one(renamed(&[(hrm, "12010601.hrm"), (gpx, "12010607.gpx")], "12010601.hrm", "12010607.gpx"), 120);
    // What it does not name stays apart.
    let apart = renamed(&[(hrm, "runA.hrm"), (gpx, "trackB.gpx")], "runA.hrm", "");
    assert_eq!(apart.len(), 2);
}

#[test]
fn true_utc_beside_a_wall_clock_is_not_moved() {
    let (activities, _) = inspect("bipolar");
    let [run] = &activities[..] else { panic!("{activities:#?}") };
    assert_eq!(
        (&run["start"], &run["local_offset_s"], &run["time_shift_s"]),
        (&"2014-07-12T21:26:23Z".into(), &36_000.into(), &0.0.into())
    );
    assert_eq!((&run["samples"], &run["positions"], &run["rr_intervals"]), (&91.into(), &90.into(), &160.into()));
}

#[test]
fn a_copy_of_a_part_that_lies_elsewhere_tells_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (here, from) = (folder.path(), fixtures::root().join("polar/websync"));
    fs::create_dir(here.join("in")).unwrap();
    // The first name is before those of the pair, the other one behind them.
    for (old, new) in [("gpx", "a.gpx"), ("hrm", "m.hrm"), ("gpx", "m.gpx"), ("gpx", "z.gpx")] {
        fs::copy(from.join("12010601").with_extension(old), here.join("in").join(new)).unwrap();
    }
    let import = || paceport(here, &["import", "in", "--into", "h", "--json"]);
    let told = lines(&import());
    let of = |kind: &'static str| told.iter().filter(move |line| line["kind"] == kind);
    assert_eq!(of("activity").count(), 1, "{told:#?}");
    let outcome = |source: &Value| (source["source"].clone(), source["outcome"].clone());
    let copies: Vec<_> = of("source").map(outcome).filter(|(_, outcome)| outcome == "duplicate").collect();
    assert_eq!(copies, [("in/a.gpx".into(), "duplicate".into()), ("in/z.gpx".into(), "duplicate".into())]);
    let listed = lines(&paceport(here, &["list", "h", "--json"]));
    let activity = &listed[0];
    assert_eq!((&activity["samples"], &activity["companions"][0]["source"]), (&120.into(), &"in/m.hrm".into()));
    let before = tree(&here.join("h"));
    import();
    assert!(tree(&here.join("h")) == before, "importing again changes no byte");
    assert!(paceport(here, &["verify", "h"]).status.success());
}
