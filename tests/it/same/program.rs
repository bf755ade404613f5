//! The same workout through the program: exports of two platforms, doubts and the owner's word, preferences, parts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::{lines, paceport, tree};
use crate::cli_history::done;

/// A recording of one sample a second that starts at this second of a day of May 2024, near Zurich.
#[derive(Clone, Copy)]
struct Ride {
    day: u32,
    second: u32,
    points: u32,
    /// Where it goes.
    lat: f64,
    /// How far a receiver is beside the way, m.
    aside: f64,
}

impl Ride {
    fn new(day: u32, hour: u32, points: u32) -> Ride {
        Ride { day, second: hour * 3600, points, lat: 47.3 + f64::from(day) / 50.0, aside: 0.0 }
    }

    fn rows(self) -> impl Iterator<Item = (String, f64, f64, u32)> {
        (0..self.points).map(move |i| {
            let t = self.second + i;
            let time = format!("2024-05-{:02}T{:02}:{:02}:{:02}Z", self.day, t / 3600, t / 60 % 60, t % 60);
            let bend = (f64::from(t) / 90.0).sin() * 0.001;
            let beat = 130 + ((f64::from(t) / 40.0).sin() * 25.0) as u32 + self.day;
            (time, self.lat + f64::from(t) * 0.000_04, 8.5 + bend + self.aside / 75_000.0, beat)
        })
    }

    fn gpx(self) -> String {
        let mut text = String::from(
            "<?xml version=\"1.0\"?>\n<gpx version=\"1.1\" creator=\"StravaGPX\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><type>cycling</type><trkseg>\n",
        );
        for (time, lat, lon, _) in self.rows() {
            text += &format!("<trkpt lat=\"{lat:.6}\" lon=\"{lon:.6}\"><ele>400</ele><time>{time}</time></trkpt>\n");
        }
        text + "</trkseg></trk></gpx>\n"
    }

    /// With heart rate and power, recorded by this device.
    fn tcx(self, device: &str) -> String {
        let start = self.rows().next().unwrap().0;
        let mut text = format!(
            "<?xml version=\"1.0\"?>\n<TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"><Activities><Activity Sport=\"Biking\"><Id>{start}</Id><Lap StartTime=\"{start}\"><TotalTimeSeconds>{}</TotalTimeSeconds><Track>\n",
            self.points - 1
        );
        for (time, lat, lon, beat) in self.rows() {
            text += &format!(
                "<Trackpoint><Time>{time}</Time><Position><LatitudeDegrees>{lat:.7}</LatitudeDegrees><LongitudeDegrees>{lon:.7}</LongitudeDegrees></Position><HeartRateBpm><Value>{beat}</Value></HeartRateBpm><Extensions><TPX xmlns=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\"><Watts>{}</Watts></TPX></Extensions></Trackpoint>\n",
                beat + 60
            );
        }
        text + &format!(
            "</Track></Lap><Creator xsi:type=\"Device_t\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Name>{device}</Name><UnitId>1</UnitId><ProductID>1</ProductID></Creator></Activity></Activities></TrainingCenterDatabase>\n"
        )
    }
}

fn put(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn listed(folder: &Path, history: &str) -> Vec<Value> {
    lines(&done(folder, &["list", history, "--json"]))
}

/// One person's exports: what is on both platforms, on one, with and without the recording.
fn two_exports(root: &Path) {
    let both = Ride::new(1, 8, 900);
    let twice = Ride::new(2, 8, 900);
    let only_strava_has_it = Ride::new(3, 8, 900);
    let only_garmin_has_it = Ride::new(4, 8, 900);
    let strava = root.join("strava");
    put(
        &strava,
        "activities.csv",
        "id,date,name,type,description,elapsed_time,distance,commute,gear,filename\n\
        101,2024-05-01 08:00:00,On both,Ride,,899,4000,false,,activities/101.gpx\n\
        102,2024-05-02 08:00:00,Bike computer,Ride,,899,4000,false,,activities/102.gpx\n\
        103,2024-05-02 08:00:03,Watch,Ride,,896,4000,false,,activities/103.gpx\n\
        104,2024-05-03 08:00:00,Recording here,Ride,,899,4000,false,,activities/104.gpx\n\
        105,2024-05-04 08:00:00,Recording there,Ride,,899,4000,false,,activities/105.gpx\n\
        106,2024-05-05 18:30:00,Iron,Weight Training,,1800,0,false,,\n\
        107,2024-05-06 18:30:00,Bend,Yoga,,1800,0,false,,\n\
        108,2024-05-06 18:30:00,Stretch,Yoga,,1800,0,false,,\n",
    );
    put(&strava, "profile.csv", "Athlete ID\n1\n");
    put(&strava, "activities/101.gpx", &both.gpx());
    put(&strava, "activities/102.gpx", &twice.gpx());
    let watch = Ride { second: twice.second + 3, points: twice.points - 3, aside: 4.0, ..twice };
    put(&strava, "activities/103.gpx", &watch.gpx());
    put(&strava, "activities/104.gpx", &only_strava_has_it.gpx());

    let garmin = root.join("garmin");
    let row = |id: u32, name: &str, kind: &str, day: u64, hours: f64, seconds: u32, metres: u32| {
        let start = 1_714_521_600_000 + (day - 1) * 86_400_000 + (hours * 3_600_000.0) as u64;
        format!(
            "{{\"activityId\":{id},\"name\":\"{name}\",\"activityType\":\"{kind}\",\"beginTimestamp\":{start},\"startTimeGmt\":{start},\"startTimeLocal\":{},\"duration\":{seconds}000.0,\"elapsedDuration\":{seconds}000.0,\"distance\":{metres}00.0}}",
            start + 7_200_000
        )
    };
    let rows = [
        row(11, "Zurich Cycling", "cycling", 1, 8.0, 899, 4000),
        row(12, "Zurich Cycling", "cycling", 3, 8.0, 899, 4000),
        row(13, "Zurich Cycling", "cycling", 4, 8.0, 899, 4000),
        row(14, "Strength", "strength_training", 5, 18.5, 1800, 0),
        row(15, "Only on Garmin", "running", 7, 7.0, 1500, 5000),
    ];
    let fitness = garmin.join("DI_CONNECT/DI-Connect-Fitness");
    let text = format!("[{{\"summarizedActivitiesExport\":[{}]}}]", rows.join(","));
    put(&fitness, "jo_0_summarizedActivities.json", &text);
    let files = garmin.join("DI_CONNECT/DI-Connect-Uploaded-Files");
    put(&files, "jo@example.com_1.tcx", &both.tcx("Edge 530"));
    put(&files, "jo@example.com_2.tcx", &only_garmin_has_it.tcx("Edge 530"));
}

#[test]
fn two_platforms_in_one_history_give_every_workout_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    two_exports(here);
    done(here, &["import", "strava", "garmin", "--into", "h"]);
    let all = listed(here, "h");
    let mut found: Vec<(String, u64, usize)> = all
        .iter()
        .map(|a| {
            let start = a["start"].as_str().unwrap();
            (start.to_owned(), a["samples"].as_u64().unwrap(), a["members"].as_array().unwrap().len())
        })
        .collect();
    found.sort();
    let expected = [
        ("2024-05-01T08:00:00Z", 900, 2),
        // Two uploads of one ride.
        ("2024-05-02T08:00:00Z", 900, 2),
        // A recording and a row of the other platform.
        ("2024-05-03T08:00:00Z", 900, 2),
        ("2024-05-04T08:00:00Z", 900, 2),
        // Two rows of one workout.
        ("2024-05-05T18:30:00Z", 0, 2),
        // Two rows of one platform are two workouts, however alike.
        ("2024-05-06T18:30:00Z", 0, 1),
        ("2024-05-06T18:30:00Z", 0, 1),
        ("2024-05-07T07:00:00Z", 0, 1),
    ];
    let expected: Vec<(String, u64, usize)> = expected.iter().map(|(a, b, c)| ((*a).to_owned(), *b, *c)).collect();
    assert_eq!(found, expected);
    let of_day =
        |day: u32| all.iter().find(|a| a["start"].as_str().unwrap().contains(&format!("-05-{day:02}T"))).unwrap();
    // The heart rate of the one, the name of both worlds is the base's.
    assert_eq!(of_day(1)["channels"]["heart_rate"]["count"], 900);
    assert_eq!(of_day(1)["origins"]["heart_rate"], "garmin/DI_CONNECT/DI-Connect-Uploaded-Files/jo@example.com_1.tcx");
    assert_eq!(of_day(4)["channels"]["heart_rate"]["count"], 900);

    // One import, two, in any order, with any number of threads.
    let shown = |history: &str| -> BTreeMap<String, Vec<String>> {
        let text = |a: &Value| {
            let mut members: Vec<String> =
                a["members"].as_array().unwrap().iter().map(|m| m.as_str().unwrap().to_owned()).collect();
            members.push(format!("{} {} {}", a["channels"], a["stated"], a["origins"]));
            members
        };
        listed(here, history).iter().map(|a| (a["id"].as_str().unwrap().to_owned(), text(a))).collect()
    };
    let at_once = shown("h");
    let bytes = done(here, &["list", "h", "--json"]).stdout;
    done(here, &["import", "garmin", "strava", "--into", "j", "-j", "4"]);
    assert!(done(here, &["list", "j", "--json"]).stdout == bytes, "threads and order of arguments");
    for (history, imports) in [("a", ["strava", "garmin"]), ("b", ["garmin", "strava"])] {
        imports.iter().for_each(|path| drop(done(here, &["import", path, "--into", history])));
        assert_eq!(shown(history), at_once, "{imports:?}");
    }
}

#[test]
fn one_import_or_three_and_any_order_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = Ride::new(1, 8, 900);
    put(here, "a.gpx", &ride.gpx());
    put(here, "b.tcx", &ride.tcx("Edge 530"));
    put(here, "c.gpx", &Ride { aside: 5.0, ..ride }.gpx());
    put(here, "other.gpx", &Ride::new(2, 8, 900).gpx());
    done(here, &["import", "a.gpx", "b.tcx", "c.gpx", "other.gpx", "--into", "at-once"]);
    let expected = done(here, &["list", "at-once", "--json"]).stdout;
    assert_eq!(listed(here, "at-once").len(), 2);
    let orders = [["a.gpx", "b.tcx", "c.gpx"], ["c.gpx", "b.tcx", "a.gpx"], ["b.tcx", "c.gpx", "a.gpx"]];
    for (at, order) in orders.iter().enumerate() {
        let history = format!("h{at}");
        done(here, &["import", order[0], "other.gpx", "--into", &history, "-j", "1"]);
        order[1..].iter().for_each(|path| drop(done(here, &["import", path, "--into", &history])));
        assert!(done(here, &["list", &history, "--json"]).stdout == expected, "{order:?}");
    }
}

/// A ride in two recordings, and a third that has only its first half: a doubt.
#[test]
fn accept_and_undo_are_exact_even_for_workouts_that_were_merged_before() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = Ride::new(1, 8, 1800);
    put(here, "a.gpx", &ride.gpx());
    put(here, "b.tcx", &ride.tcx("Edge 530"));
    put(here, "half.gpx", &Ride { points: 900, aside: 6.0, ..ride }.gpx());
    done(here, &["import", "a.gpx", "b.tcx", "half.gpx", "--into", "h"]);
    let before = done(here, &["list", "h", "--json"]).stdout;
    assert_eq!(listed(here, "h").len(), 2);
    let doubts = lines(&done(here, &["list", "h", "--unsure", "--json"]));
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    assert!(doubts[0]["reasons"][0].as_str().unwrap().contains("one is a part of the other"), "{doubts:?}");
    let half = listed(here, "h").into_iter().find(|a| a["samples"] == 900).unwrap();
    let id = half["id"].as_str().unwrap();
    for _ in 0..2 {
        done(here, &["accept", "h", id]);
        let one = listed(here, "h");
        assert_eq!((one.len(), one[0]["members"].as_array().unwrap().len()), (1, 3));
        assert!(done(here, &["list", "h", "--unsure", "--json"]).stdout.is_empty());
        done(here, &["undo", "h", id]);
        assert!(done(here, &["list", "h", "--json"]).stdout == before, "what was before is back");
        // The word of the owner stays, and nothing is asked again.
        assert!(done(here, &["list", "h", "--unsure", "--json"]).stdout.is_empty());
        // An undo can be taken back in its turn, by any of the activities.
        for start in listed(here, "h").iter().map(|a| a["id"].as_str().unwrap()) {
            done(here, &["accept", "h", start]);
            assert_eq!(listed(here, "h"), one);
            assert_ne!(paceport(here, &["accept", "h", start]).status.code(), Some(0), "nothing is left to accept");
            done(here, &["undo", "h", id]);
            assert!(done(here, &["list", "h", "--json"]).stdout == before);
        }
        let kept = tree(&here.join("h"));
        done(here, &["import", "a.gpx", "b.tcx", "half.gpx", "--into", "h"]);
        assert!(tree(&here.join("h")) == kept);
        // Start over for the second round, which accepts through a history of other order.
        fs::remove_dir_all(here.join("h")).unwrap();
        done(here, &["import", "half.gpx", "--into", "h"]);
        done(here, &["import", "b.tcx", "a.gpx", "--into", "h"]);
        assert!(done(here, &["list", "h", "--json"]).stdout == before);
    }
    assert_eq!(paceport(here, &["verify", "h"]).status.code(), Some(0));
}

#[test]
fn preferences_name_devices_formats_and_sources_and_files_say_what_came_from_where() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = Ride::new(1, 8, 900);
    put(here, "morning.tcx", &ride.tcx("Edge 530"));
    put(here, "turbo.tcx", &Ride { day: 1, aside: 3.0, ..ride }.tcx("Wahoo KICKR").replace("<Watts>2", "<Watts>12"));
    put(here, "track.gpx", &ride.gpx());
    let merged = |prefer: &str| -> (Value, Value) {
        let files = ["merge", "morning.tcx", "turbo.tcx", "track.gpx", "--out", "out.json", "--force", "--json"];
        let arguments = if prefer.is_empty() { files.to_vec() } else { [&files[..], &["--prefer", prefer]].concat() };
        let written = lines(&done(here, &arguments)).remove(0);
        let text = fs::read_to_string(here.join("out.json")).unwrap();
        (written, serde_json::from_str(&text).unwrap())
    };
    let origins = |written: &Value| -> String {
        let notes = written["notes"].as_array().unwrap();
        notes.iter().find(|note| note["code"] == "merge.origins").unwrap()["detail"].as_str().unwrap().to_owned()
    };
    let of = |origins: &str, channel: &str| -> String {
        let part = origins.split("; ").find(|part| part.split(": ").next().unwrap().split(", ").any(|c| c == channel));
        part.unwrap_or_else(|| panic!("{channel} in {origins}")).rsplit(": ").next().unwrap().to_owned()
    };
    // A device, a source, a format.
    for (prefer, power, position) in [
        ("power=kickr,position=edge", "turbo.tcx", "morning.tcx"),
        ("power=edge,position=kickr", "morning.tcx", "turbo.tcx"),
        ("power=morning,position=turbo", "morning.tcx", "turbo.tcx"),
        ("position=gpx,power=turbo", "turbo.tcx", "track.gpx"),
    ] {
        let (written, _) = merged(prefer);
        let origins = origins(&written);
        assert_eq!((of(&origins, "power").as_str(), of(&origins, "position").as_str()), (power, position), "{prefer}");
    }
    let (written, _) = merged("base=gpx");
    assert_eq!(written["source"], "track.gpx");
    assert_eq!(
        paceport(here, &["merge", "morning.tcx", "--out", "x.tcx", "--prefer", "sped=gpx"]).status.code(),
        Some(2)
    );

    // In a history the same, and its exports say it as well.
    done(here, &["import", ".", "--into", "h", "--prefer", "power=kickr"]);
    let one = listed(here, "h");
    assert_eq!((one.len(), one[0]["origins"]["power"].as_str()), (1, Some("./turbo.tcx")));
    let exported = lines(&done(here, &["export", "h", "--to", "fit", "--out", "fit", "--json"]));
    assert!(of(&origins(&exported[0]), "power").ends_with("turbo.tcx"), "{exported:?}");
    let fit = &lines(&done(here, &["inspect", "fit", "--json"]))[0];
    assert_eq!(fit["channels"]["power"], one[0]["channels"]["power"]);
    // A later recording of it does not make the history forget.
    put(here, "late/phone.gpx", &Ride { aside: 5.0, ..ride }.gpx());
    done(here, &["import", "late", "--into", "h"]);
    let one = listed(here, "h");
    assert_eq!(
        (one[0]["members"].as_array().unwrap().len(), one[0]["origins"]["power"].as_str()),
        (4, Some("./turbo.tcx"))
    );
}

#[test]
fn consecutive_parts_are_joined_with_the_gap_as_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let first = Ride::new(1, 8, 600);
    // The watch died for five minutes.
    put(here, "first.tcx", &first.tcx("Edge 530"));
    put(here, "second.tcx", &Ride { second: first.second + 900, ..first }.tcx("Edge 530"));
    // Parts are never taken for one workout.
    done(here, &["import", "first.tcx", "second.tcx", "--into", "h"]);
    assert_eq!(listed(here, "h").len(), 2);
    for (order, out) in [(["first.tcx", "second.tcx"], "a.fit"), (["second.tcx", "first.tcx"], "b.fit")] {
        let written = lines(&done(here, &["merge", order[0], order[1], "--join", "--out", out, "--json"]));
        assert!(written[0]["notes"].as_array().unwrap().iter().any(|note| note["code"] == "join.parts"));
    }
    assert_eq!(fs::read(here.join("a.fit")).unwrap(), fs::read(here.join("b.fit")).unwrap());
    let whole = &lines(&done(here, &["inspect", "a.fit", "--json"]))[0];
    assert_eq!((&whole["samples"], &whole["pauses"], &whole["laps"]), (&1200.into(), &1.into(), &2.into()));
    assert_eq!((&whole["start"], &whole["end"]), (&"2024-05-01T08:00:00Z".into(), &"2024-05-01T08:24:59Z".into()));
    // 1499 s from start to end, 599 s in each part; distances add up, but for the way in the gap.
    assert_eq!(
        (whole["stated"]["elapsed_s"].as_f64(), whole["stated"]["timer_s"].as_f64()),
        (Some(1499.0), Some(1198.0))
    );
}

#[test]
fn recordings_without_common_time_are_not_merged_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = Ride::new(1, 8, 600);
    put(here, "a.tcx", &ride.tcx("Edge 530"));
    put(here, "same.gpx", &Ride { aside: 3.0, ..ride }.gpx());
    put(here, "next.tcx", &Ride { second: ride.second + 900, ..ride }.tcx("Edge 530"));
    put(here, "tomorrow.gpx", &Ride { day: 2, aside: 3.0, ..ride }.gpx());
    put(here, "next-week.gpx", &Ride { day: 8, ..ride }.gpx());
    for stranger in ["next.tcx", "tomorrow.gpx", "next-week.gpx"] {
        for files in [vec!["a.tcx", stranger], vec![stranger, "same.gpx", "a.tcx"]] {
            let run = paceport(here, &[&["merge"], &files[..], &["--out", "out.fit"]].concat());
            let said = String::from_utf8_lossy(&run.stderr).into_owned();
            assert_eq!(run.status.code(), Some(2), "{files:?}: {said}");
            assert!(said.contains(stranger) && said.contains("no common time") && said.contains("--join"), "{said}");
            assert!(!here.join("out.fit").exists());
        }
        done(here, &["merge", "a.tcx", stranger, "--join", "--out", "joined.fit", "--force"]);
    }
    done(here, &["merge", "a.tcx", "same.gpx", "--out", "out.fit"]);
    // A clock in another zone is no other time: who merges by hand says that they are one.
    put(here, "local.gpx", &Ride { aside: 3.0, ..ride }.gpx().replace("T08:", "T11:"));
    done(here, &["merge", "a.tcx", "local.gpx", "--out", "zones.fit"]);
}

/// A recorder on a table, one sample a second: all that it tells is where and when it was.
fn resting(second: u32, lat: f64, name: &str) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\"?>\n<gpx version=\"1.1\" creator=\"{name}\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><name>{name}</name><trkseg>\n"
    );
    for i in 0..10 {
        let t = second + i;
        text += &format!(
            "<trkpt lat=\"{lat:.6}\" lon=\"8.500004\"><time>2024-05-01T08:{:02}:{:02}Z</time></trkpt>\n",
            t / 60,
            t % 60
        );
    }
    text + "</trkseg></trk></gpx>\n"
}

#[test]
fn a_copy_of_a_recording_that_hardly_moves_is_the_same_and_its_like_elsewhere_or_later_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "a.gpx", &resting(0, 47.300004, "a"));
    for (name, second, lat, workouts) in
        [("copy", 0, 47.300004, 1), ("later", 600, 47.300004, 2), ("elsewhere", 0, 47.310004, 2)]
    {
        let file = format!("{name}.gpx");
        put(here, &file, &resting(second, lat, name));
        done(here, &["import", "a.gpx", &file, "--into", name]);
        assert_eq!(listed(here, name).len(), workouts, "{name}");
        assert_eq!(done(here, &["list", name, "--unsure", "--json"]).stdout, b"", "{name}");
    }
    // What the program itself writes is known again as well.
    done(here, &["export", "copy", "--to", "fit", "--out", "out"]);
    done(here, &["import", "out", "--into", "copy"]);
    assert_eq!(listed(here, "copy").len(), 1);
}
