//! Whole exports of platforms through the program: recordings meet their rows, nothing is lost, nothing is doubled.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{lines, paceport, tree};

/// A run of `points` seconds that starts at this second of 2024-05-01T08:00Z, near Zurich.
fn gpx(name: &str, second: u32, points: u32) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\"?>\n<gpx version=\"1.1\" creator=\"StravaGPX\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><name>{name}</name><type>running</type><trkseg>\n"
    );
    for i in 0..points {
        let t = second + i;
        text += &format!(
            "<trkpt lat=\"{:.6}\" lon=\"8.5\"><ele>400</ele><time>2024-05-01T08:{:02}:{:02}Z</time></trkpt>\n",
            47.3 + f64::from(i) * 0.000_03,
            t / 60,
            t % 60
        );
    }
    text + "</trkseg></trk></gpx>\n"
}

fn put(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn activities(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["kind"] == "activity").collect()
}

/// The ten-column table of 2018 with a run that is renamed and a hike on the platform, a manual row, one whose file is
/// lost; beside it a file without a row, and things that are no workouts.
fn strava(root: &Path) {
    let table = "id,date,name,type,description,elapsed_time,distance,commute,gear,filename\n\
        101,2024-05-01 08:00:00,Morning hike,Hike,\"two\nlines\",60,500.5,false,Old shoes,activities/101.gpx\n\
        102,2024-05-02 18:30:00,Weights,Weight Training,,1800,0,false,,\n\
        103,2024-05-03 06:00:00,Lost ride,Ride,,3600,30000,false,Bike,activities/103.fit.gz\n";
    put(root, "activities.csv", table);
    put(root, "profile.csv", "Athlete ID\n1\n");
    put(root, "media/a.jpg", "x");
    put(root, "activities/101.gpx", &gpx("Run", 0, 60));
    put(root, "activities/104.gpx", &gpx("Orphan", 1200, 60));
}

#[test]
fn a_strava_export_gives_every_workout_once_with_its_owners_words() {
    let folder = TempDir::new().unwrap();
    strava(&folder.path().join("export"));
    let output = paceport(folder.path(), &["inspect", "--json", "export"]);
    assert_eq!(output.status.code(), Some(0));
    let lines = lines(&output);
    let found = activities(&lines);
    let words: Vec<_> = found
        .iter()
        .map(|a| (a["name"].as_str().unwrap(), a["sport"].as_str().unwrap(), a["samples"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("Weights", "training", 0),
        ("Lost ride", "cycling", 0),
        ("Morning hike", "hiking", 60),
        ("Orphan", "running", 60),
    ];
    let sorted = |mut words: Vec<(&'static str, &'static str, u64)>| {
        words.sort_unstable();
        words
    };
    let mut words: Vec<(String, String, u64)> =
        words.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), *c)).collect();
    words.sort();
    let expected: Vec<(String, String, u64)> =
        sorted(expected.to_vec()).into_iter().map(|(a, b, c)| (a.to_owned(), b.to_owned(), c)).collect();
    assert_eq!(words, expected);
    let hike = found.iter().find(|a| a["name"] == "Morning hike").unwrap();
    assert_eq!(hike["description"], "two\nlines");
    // Measured is what the file says; the platform's distance is taken over, as the file states none.
    assert_eq!(
        (hike["start"].as_str(), hike["stated"]["distance_m"].as_f64()),
        (Some("2024-05-01T08:00:00Z"), Some(500.5))
    );
    let codes = |a: &Value| {
        a["notes"].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(codes(hike).contains(&"table.sport".to_owned()));
    let lost = found.iter().find(|a| a["name"] == "Lost ride").unwrap();
    assert!(codes(lost).contains(&"table.recording_lost".to_owned()));
    let run = lines.last().unwrap();
    let export = &run["exports"][0];
    assert_eq!((export["platform"].as_str(), export["root"].as_str()), (Some("strava"), Some("export/")));
    assert_eq!((export["recordings"].as_u64(), export["tables"].as_u64()), (Some(2), Some(1)));
    assert_eq!(export["ignored"], serde_json::json!({"account data": 1, "media": 1}));
}

/// Rows without a recording get their zone from the recordings of the days around, after they were written once.
#[test]
fn a_converted_export_is_one_file_an_activity_and_counted_truly() {
    let folder = TempDir::new().unwrap();
    let export = folder.path().join("export");
    strava(&export);
    let table = fs::read_to_string(export.join("activities.csv")).unwrap();
    let near = table.replace("2024-05-02 18:30", "2024-05-01 18:30").replace("2024-05-03 06", "2024-05-02 06");
    fs::write(export.join("activities.csv"), near).unwrap();
    for (format, more) in [("gpx", &[][..]), ("csv", &[]), ("json", &["--anonymize=keep-track"])] {
        let out = folder.path().join(format);
        let convert = || {
            let mut arguments = vec!["convert", "export", "--to", format, "--json", "--out", out.to_str().unwrap()];
            arguments.extend(more);
            let output = paceport(folder.path(), &arguments);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{stderr}");
            let mut written: Vec<String> = lines(&output)
                .iter()
                .filter(|line| line["kind"] == "output")
                .map(|line| line["path"].as_str().unwrap().to_owned())
                .collect();
            written.sort();
            let found = tree(&out);
            let mut there: Vec<String> = found.iter().map(|(path, _)| out.join(path).display().to_string()).collect();
            there.sort();
            assert_eq!((written.len(), &written), (4, &there), "{format}");
            (stderr, found)
        };
        let (stderr, first) = convert();
        assert!(stderr.contains("4 files written, 0 already there"), "{format}: {stderr}");
        // Two hours ahead of 18:30 and 6:00 UTC.
        let local = first.iter().filter(|(path, _)| {
            let name = path.to_string_lossy();
            name.contains("2024-05-01_2030") || name.contains("2024-05-02_0800")
        });
        assert_eq!(
            local.count(),
            if more.is_empty() { 0 } else { 2 },
            "{:?}",
            first.iter().map(|(path, _)| path).collect::<Vec<_>>()
        );
        let (stderr, again) = convert();
        assert!(stderr.contains("0 files written, 4 already there") && first == again, "{format}: {stderr}");
    }
}

#[test]
fn an_export_is_kept_whole_and_read_again_alike() {
    let folder = TempDir::new().unwrap();
    strava(&folder.path().join("export"));
    let import = |history: &str, more: &[&str]| {
        let mut arguments = vec!["import", "export", "--into", history];
        arguments.extend(more);
        let output = paceport(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    };
    import("h", &[]);
    let before = tree(&folder.path().join("h"));
    import("h", &[]);
    assert!(tree(&folder.path().join("h")) == before, "importing again changes a byte");
    import("j", &["-j", "4"]);
    assert!(tree(&folder.path().join("j")) == before, "threads change a byte");
    let listed = lines(&paceport(folder.path(), &["list", "h", "--json"]));
    assert_eq!(activities(&listed).len(), 4);
    // Reading again from the originals alone finds the rows.
    let output = paceport(folder.path(), &["refresh", "h", "--all", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(tree(&folder.path().join("h")) == before, "refreshing changes a byte");
    let output = paceport(folder.path(), &["export", "h", "--to", "tcx", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let texts: Vec<String> =
        tree(&folder.path().join("out")).into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("two\nlines") && text.contains("<Trackpoint>")));
    assert_eq!(paceport(folder.path(), &["verify", "h"]).status.code(), Some(0));
}

/// A newer export has a new table, yet its recordings are known: their rows must not come in as workouts.
#[test]
fn a_later_export_brings_only_what_is_new() {
    let folder = TempDir::new().unwrap();
    strava(&folder.path().join("export"));
    let import = |from: &str| paceport(folder.path(), &["import", from, "--into", "h"]);
    assert_eq!(import("export").status.code(), Some(0));
    strava(&folder.path().join("later"));
    let table = fs::read_to_string(folder.path().join("later/activities.csv")).unwrap();
    put(
        &folder.path().join("later"),
        "activities.csv",
        &(table + "105,2024-05-09 08:00:00,Swim,Swim,,900,1000,false,,\n"),
    );
    assert_eq!(import("later").status.code(), Some(0));
    let listed = lines(&paceport(folder.path(), &["list", "h", "--json"]));
    let mut names: Vec<&str> = activities(&listed).iter().map(|a| a["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Lost ride", "Morning hike", "Orphan", "Swim", "Weights"]);
}

/// Two chunks of summaries that repeat one activity, gear, and a recording of one of them.
fn garmin(root: &Path) {
    let activity = |id: u32, name: &str, start_ms: u64| {
        format!(
            "{{\"activityId\":{id},\"name\":\"{name}\",\"activityType\":\"trail_running\",\"beginTimestamp\":{start_ms},\"startTimeGmt\":{start_ms},\"startTimeLocal\":{},\"duration\":59000.0,\"elapsedDuration\":59000.0,\"distance\":20000.0}}",
            start_ms + 7_200_000
        )
    };
    let chunk = |activities: &[String]| format!("[{{\"summarizedActivitiesExport\":[{}]}}]", activities.join(","));
    let start = 1_714_550_400_000; // 2024-05-01T08:00:00Z
    let fitness = root.join("DI_CONNECT/DI-Connect-Fitness");
    put(
        &fitness,
        "jo_0_summarizedActivities.json",
        &chunk(&[activity(7, "Lunch Run", start), activity(8, "Manual", start + 86_400_000)]),
    );
    put(&fitness, "jo_1001_summarizedActivities.json", &chunk(&[activity(8, "Manual again", start + 86_400_000)]));
    put(
        &fitness,
        "jo_gear.json",
        "[{\"gearDTOS\":[{\"gearPk\":1,\"displayName\":\"Blue shoes\"}],\"gearActivityDTOs\":{\"1\":[{\"activityId\":7},{\"activityId\":8}]}}]",
    );
    put(root, "DI_CONNECT/DI-Connect-Wellness/a_sleepData.json", "[]");
    put(&root.join("DI_CONNECT/DI-Connect-Uploaded-Files"), "jo@example.com_463.gpx", &gpx("Zurich", 20, 60));
}

#[test]
fn garmins_summaries_meet_recordings_by_their_start() {
    let folder = TempDir::new().unwrap();
    garmin(&folder.path().join("g"));
    let output = paceport(folder.path(), &["inspect", "--json", "g"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let all = lines(&output);
    let mut found: Vec<(&str, u64, Option<i64>, usize)> = activities(&all)
        .iter()
        .map(|a| {
            let companions = a["companions"].as_array().map_or(0, Vec::len);
            (a["name"].as_str().unwrap(), a["samples"].as_u64().unwrap(), a["local_offset_s"].as_i64(), companions)
        })
        .collect();
    found.sort_unstable();
    // The run has its row and its gear; the manual workout is met twice, the last time counts, with its gear and its first row.
    assert_eq!(found, [("Lunch Run", 60, Some(7200), 2), ("Manual again", 0, Some(7200), 2)]);
    let export = &all.last().unwrap()["exports"][0];
    assert_eq!((export["platform"].as_str(), export["tables"].as_u64()), (Some("garmin"), Some(3)));
    let output = paceport(folder.path(), &["convert", "g", "--to", "json", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for (path, bytes) in tree(&folder.path().join("out")) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("Blue shoes"), "{}: {text}", path.display());
    }
}

/// A source that is larger than an eighth of the memory is never whole in it, and gives the same.
#[test]
fn giants_give_what_they_would_give_in_one_piece() {
    let folder = TempDir::new().unwrap();
    let activity = |i: u64| {
        let start = 1_714_550_400_000 + i * 86_400_000;
        let mut lines = String::new();
        for k in 0..2000 {
            lines += &format!("tp=h-r;k={};v={};\\n", start + k * 1000, 100 + (k + i) % 60);
        }
        format!(
            "{{\"sportType\":4,\"startTime\":{start},\"endTime\":{},\"totalTime\":1999000,\"totalDistance\":5000,\"timeZone\":\"+0200\",\"recordId\":\"r{i}\",\"attribute\":\"HW_EXT_TRACK_DETAIL@is{lines}\"}}",
            start + 1_999_000
        )
    };
    let all: Vec<String> = (0..40).map(activity).collect();
    put(folder.path(), "motion path detail data.json", &format!("[{}]", all.join(",\n")));
    let size = fs::metadata(folder.path().join("motion path detail data.json")).unwrap().len();
    let inspect = |memory: &str| {
        let output =
            paceport(folder.path(), &["inspect", "--json", "--memory", memory, "motion path detail data.json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let mut all = lines(&output);
        all.pop(); // the run, which tells seconds
        all
    };
    assert!(size > 2 << 20);
    let small = inspect("16M");
    assert_eq!(activities(&small).len(), 40);
    assert_eq!(small, inspect("1G"));
    for (history, memory) in [("small", "16M"), ("large", "1G")] {
        let arguments = ["import", "motion path detail data.json", "--into", history, "--memory", memory];
        assert_eq!(paceport(folder.path(), &arguments).status.code(), Some(0));
    }
    assert_eq!(activities(&lines(&paceport(folder.path(), &["list", "small", "--json"]))).len(), 40);
    for (history, memory) in [("small", "16M"), ("small", "1G")] {
        let out = format!("out{memory}");
        let arguments = ["export", history, "--to", "csv", "--out", &out, "--memory", memory];
        assert_eq!(paceport(folder.path(), &arguments).status.code(), Some(0));
    }
    let (a, b) = (tree(&folder.path().join("out16M")), tree(&folder.path().join("out1G")));
    let contents =
        |tree: Vec<(std::path::PathBuf, Vec<u8>)>| tree.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    let (a, b) = (contents(a), contents(b));
    assert!(a.len() == 40 && a == b);
    let (small, large) = (tree(&folder.path().join("small")), tree(&folder.path().join("large")));
    let contents = |tree: &[(std::path::PathBuf, Vec<u8>)]| {
        tree.iter()
            .filter(|(path, _)| path.to_string_lossy().contains("originals"))
            .map(|(_, bytes)| bytes.clone())
            .collect::<Vec<_>>()
    };
    assert!(contents(&small) == contents(&large));
    assert_eq!(paceport(folder.path(), &["verify", "small"]).status.code(), Some(0));
}

/// Every bundled archive, unpacked by another program's code, and packed again as a tar: the same workouts.
#[test]
fn an_unpacked_export_reads_like_its_archive() {
    let mut archives: Vec<std::path::PathBuf> = Vec::new();
    for platform in fs::read_dir(super::fixtures::root().join("exports")).unwrap() {
        let files = fs::read_dir(platform.unwrap().path()).unwrap().map(|file| file.unwrap().path());
        archives.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "zip")));
    }
    assert!(archives.len() >= 9, "met only {archives:?}");
    let workouts = |folder: &Path, what: &str| {
        let mut found: Vec<String> = activities(&lines(&paceport(folder, &["inspect", "--json", what])))
            .into_iter()
            .map(|a| {
                let mut a = a.clone();
                ["source", "companions", "notes"].iter().for_each(|key| a[key] = Value::Null);
                a.to_string()
            })
            .collect();
        found.sort();
        found
    };
    for archive in archives {
        let folder = TempDir::new().unwrap();
        let bytes = fs::read(&archive).unwrap();
        zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap().extract(folder.path().join("x")).unwrap();
        fs::write(folder.path().join("x.zip"), &bytes).unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_dir_all(".", folder.path().join("x")).unwrap();
        fs::write(folder.path().join("x.tar"), tar.into_inner().unwrap()).unwrap();
        let packed = workouts(folder.path(), "x.zip");
        assert!(!packed.is_empty(), "{}", archive.display());
        for other in ["x", "x.tar"] {
            assert!(workouts(folder.path(), other) == packed, "{} as {other}", archive.display());
        }
    }
}
