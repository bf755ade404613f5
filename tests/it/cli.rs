//! The command line as outside programs see it: exit codes, JSON lines, files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::fixtures;

/// Runs the program in a folder.
pub fn paceport(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_paceport")).args(arguments).current_dir(folder).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The JSON lines on standard output.
pub fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

fn tour() -> PathBuf {
    fixtures::root().join("tour")
}

/// All files below a folder with their contents.
pub fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn inspect_prints_the_lines_of_the_contract() {
    let output = paceport(&tour(), &["inspect", ".", "--json"]);
    assert_eq!(status(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    let (activities, sources, run) = (of_kind(&lines, "activity"), of_kind(&lines, "source"), of_kind(&lines, "run"));
    assert_eq!((activities.len(), sources.len(), run.len()), (3, 7, 1));
    let fields = "source sha256 format index id start end local_offset_s local_evidence time_shift_s sport sub_sport name \
        description device samples first_sample last_sample positions bbox first_position last_position channels \
        extra_channels stated computed laps sessions lengths sets pauses rr_intervals complete notes";
    for activity in &activities {
        for field in fields.split_whitespace() {
            assert!(activity.get(field).is_some(), "{field} is missing in {activity}");
        }
    }
    let run_line = run[0];
    for (field, value) in
        [("sources", 7), ("read", 3), ("duplicate", 2), ("skipped", 2), ("failed", 0), ("activities", 3)]
    {
        assert_eq!(run_line[field], value, "{field}");
    }
    let run = activities.iter().find(|a| a["sport"] == "running").unwrap();
    assert_eq!(run["start"], "2024-05-01T07:12:00Z");
    assert_eq!(run["end"], "2024-05-01T07:32:59Z");
    assert_eq!(run["local_offset_s"], 7200);
    assert_eq!(run["sub_sport"], "trail");
    assert_eq!(
        (&run["samples"], &run["positions"], &run["laps"], &run["pauses"]),
        (&1200.into(), &1200.into(), &2.into(), &1.into())
    );
    assert_eq!(run["device"]["manufacturer"], "garmin");
    assert_eq!(run["stated"]["distance_m"], 3597.0);
    // 120 + i / 30 over 1,200 samples: 120 .. 159, 30 of each.
    let heart = &run["channels"]["heart_rate"];
    assert_eq!(
        (&heart["unit"], &heart["count"], &heart["min"], &heart["max"]),
        (&"bpm".into(), &1200.into(), &120.0.into(), &159.0.into())
    );
    assert_eq!(heart["mean"], 139.5);
    let ride = activities.iter().find(|a| a["sport"] == "cycling").unwrap();
    assert_eq!((&ride["samples"], &ride["laps"]), (&300.into(), &2.into()));
    assert_eq!(ride["channels"]["power"]["count"], 300);
    assert_eq!(ride["channels"]["power"]["min"], 0.0);
    let hike = activities.iter().find(|a| a["sport"] == "hiking").unwrap();
    assert_eq!(hike["source"], "./export.zip!/activities/1001.gpx.gz");
    assert_eq!(hike["name"], "Sunday hike");
}

#[test]
fn every_pair_of_formats_converts_and_keeps_samples_heart_rate_and_power() {
    let folder = tempfile::tempdir().unwrap();
    let tour = tour();
    let first = tour.to_str().unwrap();
    let count = |output: &Output| -> Vec<(u64, u64, u64)> {
        let lines = lines(output);
        let n = |a: &Value, channel: &str| {
            let stats = &a["channels"][channel];
            (stats["count"].as_f64().unwrap_or(0.0) * stats["mean"].as_f64().unwrap_or(0.0)).round() as u64
        };
        let mut counts: Vec<_> = of_kind(&lines, "activity")
            .iter()
            .map(|a| (a["samples"].as_u64().unwrap(), n(a, "heart_rate"), n(a, "power")))
            .collect();
        counts.sort();
        counts.dedup(); // convert keeps every file, inspect names equal ones once
        counts
    };
    let wanted = count(&paceport(folder.path(), &["inspect", first, "--json"]));
    assert_eq!(wanted.len(), 3);
    for from in ["fit", "gpx", "tcx"] {
        assert_eq!(status(&paceport(folder.path(), &["convert", first, "--to", from, "--out", from])), 0);
        assert_eq!(count(&paceport(folder.path(), &["inspect", from, "--json"])), wanted, "{from}");
        for to in ["fit", "gpx", "tcx"] {
            let out = format!("{from}-{to}");
            assert_eq!(status(&paceport(folder.path(), &["convert", from, "--to", to, "--out", &out])), 0);
            assert_eq!(count(&paceport(folder.path(), &["inspect", &out, "--json"])), wanted, "{out}");
        }
    }
}

#[test]
fn convert_keeps_the_structure_and_never_overwrites_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let tour = tour();
    let convert = |more: &[&str]| {
        let first = ["convert", tour.to_str().unwrap(), "--to", "gpx", "--out", "out"];
        status(&paceport(folder.path(), &[&first[..], more].concat()))
    };
    assert_eq!(convert(&[]), 0);
    let files = tree(&folder.path().join("out"));
    let names: Vec<&str> = files.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    let want = [
        "bike-computer/evening-ride.gpx",
        "export.zip/activities/1001.gpx",
        "export.zip/activities/1002.gpx",
        "watch/2024-05-01.gpx",
        "watch/backup/2024-05-01.gpx",
    ];
    assert_eq!(names, want);
    assert_eq!(convert(&[]), 0, "equal bytes are a success");
    let ride = folder.path().join("out/bike-computer/evening-ride.gpx");
    fs::write(&ride, "mine").unwrap();
    assert_eq!(convert(&[]), 1, "the sources are fine");
    assert_eq!(fs::read(&ride).unwrap(), b"mine");
    assert_eq!(convert(&["--force"]), 0);
    assert_eq!(tree(&folder.path().join("out")), files);
}

#[test]
fn standard_input_and_output_work() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_paceport"))
        .args(["convert", "-", "--to", "tcx", "--out", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let gzipped = fs::read(tour().join("watch/backup/2024-05-01.fit.gz")).unwrap();
    child.stdin.take().unwrap().write_all(&gzipped).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("<Trackpoint>").count(), 1200);
}

#[test]
fn exit_codes_tell_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert_eq!(status(&paceport(here, &["frobnicate"])), 2);
    assert_eq!(status(&paceport(here, &["inspect"])), 2);
    assert_eq!(status(&paceport(here, &["convert", "x", "--to", "mp3"])), 2);
    assert_eq!(status(&paceport(here, &["inspect", "not-there.fit"])), 3);
    assert_eq!(status(&paceport(here, &["list", "not-there"])), 1);
    fs::write(here.join("noise.fit"), b"this is not a FIT file").unwrap();
    let output = paceport(here, &["inspect", "noise.fit", "--json"]);
    assert_eq!(status(&output), 3);
    let sources = lines(&output);
    let source = of_kind(&sources, "source")[0];
    assert_eq!(source["outcome"], "failed");
    assert!(source["error"].as_str().unwrap().starts_with("noise.fit: unrecognised"), "{source}");
    fs::create_dir(here.join("strange")).unwrap();
    fs::write(here.join("strange/paceport.json"), "{\"history\": 99}").unwrap();
    assert_eq!(status(&paceport(here, &["import", tour().to_str().unwrap(), "--into", "strange"])), 1);
    assert_eq!(tree(&here.join("strange")).len(), 1, "an unknown history is not touched");
}

#[test]
fn equal_contents_that_cannot_be_read_fail_once_in_whatever_order_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for name in ["a.fit", "b.fit", "c.fit"] {
        fs::write(here.join(name), b"this is not a FIT file").unwrap();
    }
    for names in [["a.fit", "b.fit", "c.fit"], ["c.fit", "b.fit", "a.fit"], ["b.fit", "c.fit", "a.fit"]] {
        let output = paceport(here, &[&["inspect", "--json", "-j", "1"][..], &names].concat());
        assert_eq!(status(&output), 3);
        for source in of_kind(&lines(&output), "source") {
            let outcome = if source["source"] == "a.fit" { "failed" } else { "duplicate" };
            assert_eq!(source["outcome"], outcome, "{names:?}: {source}");
            assert!(source["sha256"].is_string(), "{source}");
        }
    }
}

#[test]
fn quiet_hides_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = tour().join("bike-computer/evening-ride.tcx");
    let text = fs::read_to_string(&ride).unwrap();
    fs::write(here.join("torn.tcx"), &text[..text.len() / 2]).unwrap();
    fs::write(here.join("good.tcx"), &text).unwrap();
    fs::write(here.join("taken.gpx"), "something else").unwrap();
    assert_eq!(status(&paceport(here, &["import", "-q", "good.tcx", "--into", "h"])), 0);
    fs::create_dir(here.join("full")).unwrap();
    let exported = |arguments: &[&str]| paceport(here, &[&["export", "h", "--to", "gpx"], arguments].concat());
    assert_eq!(status(&exported(&["--out", "full", "-q"])), 0);
    for (path, _) in tree(&here.join("full")) {
        fs::write(here.join("full").join(path), "something else").unwrap();
    }
    for (arguments, named, ends) in [
        (&["convert", "nofile", "--to", "gpx", "--out", "zz"][..], "nofile", 3),
        (&["import", "nofile", "--into", "h"], "nofile", 3),
        (&["inspect", "torn.tcx"], "torn.tcx", 3),
        (&["merge", "torn.tcx", "good.tcx", "--out", "merged.tcx"], "torn.tcx", 3),
        (&["convert", "good.tcx", "--to", "gpx", "--out", "taken.gpx"], "good.tcx", 1),
        (&["export", "h", "--to", "gpx", "--out", "full"], "good.tcx", 1),
        (&["convert", "good.tcx", "--to", "csv", "--out", "lossy.csv", "--strict"], "loss.", 3),
    ] {
        let quiet = paceport(here, &[arguments, &["-q"]].concat());
        let said = String::from_utf8(quiet.stderr.clone()).unwrap();
        assert_eq!(status(&quiet), ends, "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(!said.contains(" sources: ") && !said.contains(" source: ") && !said.contains("written"), "{said}");
    }
    let fine = paceport(here, &["convert", "good.tcx", "--to", "gpx", "--out", "new.gpx", "-q"]);
    assert_eq!((status(&fine), fine.stderr.len()), (0, 0));
}

#[test]
fn an_output_that_cannot_be_written_is_no_bad_source() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let tour = tour();
    let (all, ride) = (tour.to_str().unwrap(), tour.join("bike-computer/evening-ride.tcx"));
    let ride = ride.to_str().unwrap();
    assert_eq!(status(&paceport(here, &["import", "-q", all, "--into", "h"])), 0);
    // A file where a folder is wanted stops the superuser too.
    fs::write(here.join("blocked"), "mine").unwrap();
    for arguments in [
        &["convert", ride, "--to", "gpx", "--out", "blocked/x.gpx"][..],
        &["convert", ride, "--to", "gpx", "--out", "blocked/"],
        &["convert", ride, "--to", "gpx", "--merge", "--out", "blocked/x.gpx"],
        &["shift", ride, "--by", "1h", "--out", "blocked/x.tcx"],
        &["merge", ride, ride, "--out", "blocked/x.tcx"],
        &["export", "h", "--to", "gpx", "--out", "blocked/deeper"],
        &["export", "h", "--to", "original", "--out", "blocked/deeper"],
        &["import", ride, "--into", "blocked/h"],
    ] {
        let output = paceport(here, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(status(&output), 1, "{arguments:?}: {said}");
        assert!(said.contains("blocked"), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read(here.join("blocked")).unwrap(), b"mine");
    // One of many: the others are written, and the report names it. A source that is bad as well does not hide it.
    fs::write(here.join("noise.fit"), "no workout").unwrap();
    fs::create_dir(here.join("out")).unwrap();
    fs::write(here.join("out/bike-computer"), "mine").unwrap();
    let output = paceport(here, &["convert", all, "noise.fit", "--to", "gpx", "--out", "out", "--json"]);
    assert_eq!(status(&output), 1);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("evening-ride.tcx: io: cannot make the folder") && said.contains("noise.fit"), "{said}");
    let lines = lines(&output);
    let written = of_kind(&lines, "output");
    assert_eq!((written.len(), written.iter().filter(|line| line["error"].is_null()).count()), (5, 4));
    assert_eq!(tree(&here.join("out")).len(), 5, "four files and the one that was there");
}

#[test]
fn a_name_that_leads_nowhere_makes_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let output = paceport(here, &["import", "nofile", "also/not.zip", "--into", "new"]);
    assert_eq!(status(&output), 3);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nofile: io: ") && said.contains("new was not made"), "{said}");
    assert!(!here.join("new").exists());
    let ride = tour().join("bike-computer/evening-ride.tcx");
    assert_eq!(status(&paceport(here, &["import", "nofile", ride.to_str().unwrap(), "--into", "new"])), 3);
    let before = tree(&here.join("new"));
    assert!(before.len() > 2, "what can be opened is kept");
    assert_eq!(status(&paceport(here, &["import", "nofile", "--into", "new"])), 3);
    assert_eq!(tree(&here.join("new")), before);
}

#[test]
fn an_archive_that_lost_its_directory_is_only_partly_read() {
    let folder = tempfile::tempdir().unwrap();
    // Three whole members without the directory: nobody knows what came after them.
    let run = fs::read(tour().join("bike-computer/evening-ride.tcx")).unwrap();
    let mut zip = Vec::new();
    for name in ["a.tcx", "b.tcx", "c.tcx"] {
        let crc = fixtures::rawzip::crc32(&run).to_le_bytes();
        let length = (run.len() as u32).to_le_bytes();
        zip.extend([&b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0"[..], &crc, &length, &length, &[5, 0, 0, 0]].concat());
        zip.extend([name.as_bytes(), &run].concat());
    }
    fs::write(folder.path().join("broken.zip"), zip).unwrap();
    let output = paceport(folder.path(), &["inspect", "broken.zip", "--json"]);
    assert_eq!(status(&output), 3);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("broken.zip: source.directory"), "{complaint}");
    let lines = lines(&output);
    let archive =
        of_kind(&lines, "source").into_iter().find(|source| source["source"] == "broken.zip").unwrap().clone();
    assert_eq!((&archive["outcome"], &archive["notes"][0]["code"]), (&"partial".into(), &"source.directory".into()));
    let run = of_kind(&lines, "run")[0];
    assert_eq!((&run["sources"], &run["read"], &run["partial"]), (&4.into(), &1.into(), &1.into()));
    assert_eq!(run["notes"][0]["code"], "source.directory");
}

#[test]
fn importing_again_changes_no_byte_and_threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let tour = tour();
    let import = |jobs: &str, paths: &[&str], into: &str| {
        let paths: Vec<PathBuf> = paths.iter().map(|p| tour.join(p)).collect();
        let mut arguments = vec!["import"];
        arguments.extend(paths.iter().map(|p| p.to_str().unwrap()));
        arguments.extend(["--into", into, "-j", jobs]);
        assert_eq!(status(&paceport(folder.path(), &arguments)), 0);
        tree(&folder.path().join(into))
    };
    let one = import("1", &["watch", "bike-computer", "export.zip"], "one");
    assert_eq!(import("8", &["watch", "bike-computer", "export.zip"], "eight"), one);
    assert_eq!(import("2", &["export.zip", "bike-computer", "watch"], "other-order"), one);
    assert_eq!(import("4", &["export.zip", "watch"], "one"), one, "the same again");
    let listed = paceport(folder.path(), &["list", "one", "--json"]);
    assert_eq!(status(&listed), 0);
    assert_eq!(lines(&listed).len(), 3, "each activity once");
    let originals: Vec<_> = one.iter().filter(|(path, _)| path.starts_with("originals/2024")).collect();
    assert_eq!(originals.len(), 3);
    let run = fs::read(tour.join("watch/2024-05-01.fit")).unwrap();
    assert!(originals.iter().any(|(_, bytes)| *bytes == run), "originals are kept byte for byte");
}

#[test]
fn a_dry_run_writes_nothing_and_filters_select() {
    let folder = tempfile::tempdir().unwrap();
    let tour = tour();
    let tour = tour.to_str().unwrap();
    assert_eq!(status(&paceport(folder.path(), &["import", tour, "--into", "h", "--dry-run"])), 0);
    assert!(!folder.path().join("h").exists());
    assert_eq!(status(&paceport(folder.path(), &["import", tour, "--into", "h"])), 0);
    let count = |filter: &[&str]| lines(&paceport(folder.path(), &[&["list", "h", "--json"], filter].concat())).len();
    assert_eq!(count(&["--sport", "running"]), 1);
    assert_eq!(count(&["--sport", "Running"]), 1);
    assert_eq!(count(&["--sport", "rowing"]), 0);
    assert_eq!(status(&paceport(folder.path(), &["list", "h", "--sport", "runing"])), 2);
    assert_eq!(count(&["--since", "2024-05-03"]), 2);
    assert_eq!(count(&["--until", "2024-05-03"]), 2);
    assert_eq!(count(&["--since", "2024-05-04", "--until", "2024-05-04"]), 0);
    let exported = paceport(folder.path(), &["export", "h", "--to", "tcx", "--out", "out", "--sport", "running"]);
    assert_eq!(status(&exported), 0);
    let names: Vec<String> = tree(&folder.path().join("out")).iter().map(|(p, _)| p.display().to_string()).collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].starts_with("2024-05-01_0912_running_") && names[0].ends_with(".tcx"), "{names:?}");
}

/// `paceport … 2>&1 | head -1`: nobody reads on, and that is no failure.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let program = env!("CARGO_BIN_EXE_paceport");
    let folder = tempfile::tempdir().unwrap();
    let status = folder.path().join("status");
    for verb in [format!("inspect '{}'", tour().display()), "man".to_owned(), "completions bash".to_owned()] {
        let line = format!("{{ '{program}' {verb}; echo $? > status; }} 2>&1 | true");
        assert!(Command::new("sh").args(["-c", &line]).current_dir(folder.path()).status().unwrap().success());
        for _ in 0..100 {
            if fs::read_to_string(&status).is_ok_and(|text| !text.is_empty()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(fs::read_to_string(&status).unwrap().trim(), "0", "{verb}");
        fs::remove_file(&status).unwrap();
    }
}

/// West of Greenwich an offset begins like an option.
#[test]
fn an_offset_west_of_greenwich_is_the_value_of_its_option() {
    let folder = tempfile::tempdir().unwrap();
    let ride = tour().join("bike-computer/evening-ride.tcx");
    for option in ["--zone", "--home-zone"] {
        let output = paceport(folder.path(), &["inspect", "--json", option, "-05:00", ride.to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
        if option == "--zone" {
            assert_eq!(lines(&output)[0]["local_offset_s"], -5 * 3600);
        }
    }
    let mistyped = paceport(folder.path(), &["inspect", "--zone", "--json", ride.to_str().unwrap()]);
    assert_eq!(status(&mistyped), 2, "an option is no zone");
}

/// A dry run says what the import would say.
#[test]
fn a_dry_run_into_what_can_be_no_history_fails_as_the_import_does() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("file"), "a file").unwrap();
    fs::create_dir(here.join("papers")).unwrap();
    fs::write(here.join("papers/thesis.txt"), "a thesis").unwrap();
    for into in ["file", "file/history", "papers"] {
        let import = ["import", tour().to_str().unwrap(), "--into", into, "--dry-run"].map(str::to_owned);
        for arguments in [&import[..4], &import[..]] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = paceport(here, &arguments);
            assert_eq!(status(&output), 1, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(output.stdout.is_empty());
        }
    }
    assert_eq!(tree(here).len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_unicode_break_no_line() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(std::ffi::OsStr::from_bytes(b"out-\xff"));
    let ride = tour().join("bike-computer/evening-ride.tcx");
    let mut convert = Command::new(env!("CARGO_BIN_EXE_paceport"));
    convert.args(["convert", "--to", "gpx", "--json", "--out"]).arg(&out).arg(ride);
    let output = convert.output().unwrap();
    assert_eq!(status(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(tree(&out).len(), 1);
    let told = lines(&output)[0]["path"].clone();
    assert!(told.as_str().unwrap().ends_with("out-\u{fffd}/evening-ride.gpx"), "{told}");
}

#[test]
fn an_output_that_was_not_written_is_no_changed_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = tour().join("bike-computer/evening-ride.tcx");
    let convert = ["convert", ride.to_str().unwrap(), "--to", "gpx", "--out", "out", "--json"];
    let changed = |output: &Output| lines(output).iter().find(|l| l["kind"] == "output").unwrap()["changed"].clone();
    let first = paceport(here, &convert);
    assert_eq!((status(&first), changed(&first)), (0, true.into()));
    let again = paceport(here, &convert);
    assert_eq!((status(&again), changed(&again)), (0, false.into()), "it is there");
    fs::write(here.join("out/evening-ride.gpx"), "something else").unwrap();
    let refused = paceport(here, &convert);
    assert_eq!((status(&refused), changed(&refused)), (1, false.into()), "it was left alone");
}

#[test]
fn sources_of_one_name_in_two_folders_are_two_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let tour = super::fixtures::root().join("tour");
    for (to, from) in [
        ("a/x.fit", "watch/2024-05-01.fit"),
        ("b/X.fit", "watch/2024-05-01.fit"),
        ("b/x.tcx", "bike-computer/evening-ride.tcx"),
    ] {
        std::fs::create_dir_all(here.join(to).parent().unwrap()).unwrap();
        std::fs::copy(tour.join(from), here.join(to)).unwrap();
    }
    for inputs in [["a", "b"], ["b", "a"]] {
        let output = paceport(here, &["convert", inputs[0], inputs[1], "--to", "gpx", "--out", "out", "--force"]);
        assert_eq!(output.status.code(), Some(0));
        let mut names: Vec<String> =
            tree(&here.join("out")).into_iter().map(|(path, _)| path.display().to_string()).collect();
        names.sort();
        assert_eq!(names, ["a/x.gpx", "b/X.gpx", "x.gpx"], "{inputs:?}");
        std::fs::remove_dir_all(here.join("out")).unwrap();
    }
    let output = paceport(here, &["convert", "a/x.fit", "b/X.fit", "--to", "csv", "--out", "out"]);
    assert_eq!((output.status.code(), tree(&here.join("out")).len()), (Some(0), 2));
}

#[test]
fn members_of_one_name_in_an_archive_lose_nothing_and_threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = |day: u32, minutes: u32| {
        let point = |m| {
            let lat = 48.0 + f64::from(m) / 1000.0;
            format!("<trkpt lat=\"{lat:.3}\" lon=\"11.5\"><time>2024-05-{day:02}T07:{m:02}:00Z</time></trkpt>")
        };
        let points: String = (0..minutes).map(point).collect();
        format!(
            "<gpx version=\"1.1\" creator=\"x\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><trkseg>{points}</trkseg></trk></gpx>"
        )
    };
    // Writers make no archive in which a name is there twice, but there are some: each digit becomes a letter.
    let archive = |path: &str, members: &[(&str, &String)]| {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in members {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        let mut bytes = archive.finish().unwrap().into_inner();
        for at in 0..bytes.len() - 7 {
            if bytes[at..].starts_with(b"r/1.gpx") || bytes[at..].starts_with(b"r/2.gpx") {
                bytes[at + 2] = b'a';
            }
        }
        fs::create_dir_all(here.join(path).parent().unwrap()).unwrap();
        fs::write(here.join(path), bytes).unwrap();
    };
    // The second is the largest: it is read first. The last has the number that the second would get.
    let rides = [ride(1, 10), ride(2, 50), ride(4, 10), ride(3, 20)];
    let [one, two, three, four] = &rides;
    archive("rides.zip", &[("r/a.gpx", one), ("r/1.gpx", two), ("r/2.gpx", three), ("r/a-2.gpx", four)]);
    archive("x/t.zip", &[("r/a.gpx", one), ("r/1.gpx", two)]);
    archive("y/t.zip", &[("r/a-2.gpx", four)]);
    let converted = |at: usize| {
        fs::write(here.join("one.gpx"), &rides[at]).unwrap();
        paceport(here, &["convert", "one.gpx", "--to", "tcx", "--out", "one.tcx", "--force"]);
        fs::read(here.join("one.tcx")).unwrap()
    };
    let want = |archive: &str, files: &[(&str, usize)]| -> Vec<(PathBuf, Vec<u8>)> {
        files.iter().map(|(path, at)| (Path::new(archive).join(path), converted(*at))).collect()
    };
    let rides_of_one = want("rides.zip", &[("r/a-2.tcx", 3), ("r/a-3.tcx", 1), ("r/a-4.tcx", 2), ("r/a.tcx", 0)]);
    let rides_of_two = want("t.zip", &[("r/a-2.tcx", 3), ("r/a-3.tcx", 1), ("r/a.tcx", 0)]);
    for arguments in [&["convert"][..], &["convert", "--force"], &["convert", "--merge"]] {
        for (threads, inputs, want) in [
            ("1", &["rides.zip"][..], &rides_of_one),
            ("4", &["rides.zip"], &rides_of_one),
            ("8", &["rides.zip", "rides.zip"], &rides_of_one),
            ("4", &["x/t.zip", "y/t.zip"], &rides_of_two),
            ("4", &["y/t.zip", "x/t.zip"], &rides_of_two),
        ] {
            let all = [arguments, inputs, &["--to", "tcx", "--out", "out", "-j", threads]].concat();
            let output = paceport(here, &all);
            assert_eq!(output.status.code(), Some(0), "{all:?}: {}", String::from_utf8_lossy(&output.stderr));
            let mut files = tree(&here.join("out"));
            files.sort();
            assert!(files == *want, "{all:?}: {:?}", files.iter().map(|(path, _)| path).collect::<Vec<_>>());
            fs::remove_dir_all(here.join("out")).unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn more_archives_than_descriptors_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let ride = fs::read(super::fixtures::root().join("tour/watch/2024-05-01.fit")).unwrap();
    fs::create_dir(here.join("in")).unwrap();
    for number in 0..100 {
        let mut zip = zip::ZipWriter::new(fs::File::create(here.join(format!("in/{number}.zip"))).unwrap());
        zip.start_file(format!("{number}.fit"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&ride).unwrap();
        zip.finish().unwrap();
        let mut tar = tar::Builder::new(fs::File::create(here.join(format!("in/{number}.tar"))).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(ride.len() as u64);
        tar.append_data(&mut header, format!("{number}.fit"), &*ride).unwrap();
        tar.finish().unwrap();
    }
    let program = env!("CARGO_BIN_EXE_paceport");
    let few = format!("ulimit -n 64 && exec '{program}' convert -q -j 2 --json in --to gpx --out out");
    let output = Command::new("sh").args(["-c", &few]).current_dir(here).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(tree(&here.join("out")).len(), 200);
}
