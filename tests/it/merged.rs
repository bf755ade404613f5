//! `convert --merge`: the same files in any order and on any number of threads, whatever the inputs have in common.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::cli::{lines, paceport, tree};
use super::cli_history::done;
use super::fixtures;
use super::kept::rides_twice;

/// What a run says and writes, its time left out.
fn run(here: &Path, arguments: &[&str], out: &str) -> (Vec<serde_json::Value>, Vec<(std::path::PathBuf, Vec<u8>)>) {
    let _ = fs::remove_dir_all(here.join(out));
    let _ = fs::remove_file(here.join(out));
    let mut said = lines(&paceport(here, &[&["convert", "--merge", "--json", "--out", out], arguments].concat()));
    said.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().remove("seconds")));
    let written = if here.join(out).is_dir() { tree(&here.join(out)) } else { Vec::new() };
    (said, written)
}

/// The same on one thread and on more, several times.
fn steady(here: &Path, arguments: &[&str], out: &str) -> Vec<serde_json::Value> {
    let once = run(here, &[arguments, &["-j", "1"]].concat(), out);
    for threads in ["2", "4", "4", "8", "8"] {
        assert!(run(here, &[arguments, &["-j", threads]].concat(), out) == once, "{arguments:?} -j {threads}");
    }
    once.0
}

fn outputs(said: &[serde_json::Value]) -> Vec<&serde_json::Value> {
    said.iter().filter(|line| line["kind"] == "output").collect()
}

#[test]
fn inputs_that_overlap_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("in")).unwrap();
    rides_twice(&here.join("in"), 3);
    let alone = run(here, &["in", "--to", "gpx"], "out").1;
    assert_eq!(alone.len(), 3);
    for inputs in
        [&["in", "in"][..], &["in", "in/phone-1.gpx", "in/year.tcx"], &["in/year.tcx", "in", "in/phone-0.gpx"]]
    {
        let said = steady(here, &[inputs, &["--to", "gpx"]].concat(), "out");
        let outputs = outputs(&said);
        assert_eq!(outputs.len(), 3, "{inputs:?}");
        assert!(outputs.iter().all(|file| file["error"].is_null()), "{outputs:#?}");
        let contents = |files: &[(std::path::PathBuf, Vec<u8>)]| {
            files.iter().map(|(_, bytes)| bytes.clone()).collect::<std::collections::BTreeSet<_>>()
        };
        assert!(contents(&run(here, &[inputs, &["--to", "gpx"]].concat(), "out").1) == contents(&alone), "{inputs:?}");
    }
}

#[test]
fn a_file_that_is_read_with_another_one_and_alone_is_merged_alike_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("in")).unwrap();
    for extension in ["gpx", "hrm"] {
        let name = format!("12010601.{extension}");
        fs::copy(fixtures::root().join("polar/websync").join(&name), here.join("in").join(&name)).unwrap();
    }
    done(here, &["convert", "in/12010601.gpx", "--to", "fit", "--out", "in/watch.fit"]);
    let said = steady(here, &["in", "in/12010601.gpx", "--to", "tcx"], "out");
    assert!(outputs(&said).iter().all(|file| file["error"].is_null()));
}

#[test]
fn of_several_workouts_for_one_file_the_first_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("in")).unwrap();
    rides_twice(&here.join("in"), 3);
    let mut archive = zip::ZipWriter::new(fs::File::create(here.join("rides.zip")).unwrap());
    for ride in 0..3 {
        // The last one is the largest: it is read first.
        let text = fs::read_to_string(here.join(format!("in/phone-{ride}.gpx"))).unwrap() + &" ".repeat(ride * 9000);
        archive.start_file(format!("{ride}.gpx"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    done(here, &["convert", "in/phone-0.gpx", "--to", "tcx", "--out", "want.tcx"]);
    let mut plainly = None;
    for _ in 0..3 {
        for threads in ["1", "4", "8"] {
            let arguments = ["rides.zip", "--to", "tcx", "-j", threads];
            let (said, _) = run(here, &arguments, "one.tcx");
            let errors: Vec<bool> = outputs(&said).iter().map(|file| !file["error"].is_null()).collect();
            assert_eq!(errors, [false, true, true], "-j {threads}");
            assert!(
                fs::read(here.join("one.tcx")).unwrap() == fs::read(here.join("want.tcx")).unwrap(),
                "-j {threads}"
            );
            done(here, &["convert", "rides.zip", "--to", "tcx", "--force", "-j", threads, "--out", "plain.tcx"]);
            let last = fs::read(here.join("plain.tcx")).unwrap();
            assert!(*plainly.get_or_insert_with(|| last.clone()) == last, "-j {threads}");
        }
    }
    let again = paceport(here, &["convert", "--merge", "rides.zip", "--to", "tcx", "--out", "one.tcx"]);
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn what_is_converted_in_place_is_read_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for memory in ["1G", "1M"] {
        fs::create_dir(here.join(memory)).unwrap();
        rides_twice(&here.join(memory), 6);
        // A ride that is in the year alone: it is written as the first of what takes the place of sources.
        fs::remove_file(here.join(memory).join("phone-0.gpx")).unwrap();
        let arguments = ["convert", "--merge", memory, "--to", "tcx", "--force", "--memory", memory, "--out", memory];
        done(here, &arguments);
    }
    assert_eq!(tree(&here.join("1G")), tree(&here.join("1M")));
    let year = fs::read_to_string(here.join("1M/year.tcx")).unwrap();
    assert_eq!(year.matches("<Activity ").count(), 1, "what was there is replaced");
    assert_eq!(tree(&here.join("1M")).len(), 5 + 6);
}
