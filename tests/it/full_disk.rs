//! The disk is full: the import ends with status 1, nothing that was committed is lost, and importing again when there is
//! space ends as if nothing had happened. An output that does not fit is not there at all.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use paceport::history::{History, VerifyOptions, verify};

use super::cli::{paceport, tree};

const MORE: &str = "fit gpx tcx polar nike";

/// A history with the tour committed, and the same after everything else was imported too.
struct Histories {
    _folder: tempfile::TempDir,
    small: PathBuf,
    whole: PathBuf,
}

fn histories() -> Histories {
    let folder = tempfile::tempdir().unwrap();
    let [small, whole] = ["small", "whole"].map(|name| folder.path().join(name));
    for root in [&small, &whole] {
        let done = paceport(&crate::fixtures::root(), &["import", "tour", "--into", root.to_str().unwrap(), "-q"]);
        assert_eq!(done.status.code(), Some(0));
    }
    let mut arguments = vec!["import", "--into", whole.to_str().unwrap(), "-q"];
    arguments.extend(MORE.split(' '));
    assert_eq!(paceport(&crate::fixtures::root(), &arguments).status.code(), Some(3), "some fixtures are damaged");
    Histories { _folder: folder, small, whole }
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in tree(from) {
        fs::create_dir_all(to.join(&path).parent().unwrap()).unwrap();
        fs::write(to.join(path), bytes).unwrap();
    }
}

/// Runs a shell line among the fixtures; `$1` is the program, `$2` a folder.
fn sh(line: &str, folder: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_paceport");
    Command::new("sh")
        .args(["-c", line, "sh", program])
        .arg(folder)
        .current_dir(crate::fixtures::root())
        .output()
        .unwrap()
}

/// What must hold after an import that failed.
fn sound(root: &Path, small: &Path, what: &str) {
    let findings = verify(root, VerifyOptions::default(), &mut |_| ()).unwrap();
    assert!(findings.iter().all(|finding| !finding.is_damage()), "{what}: {findings:#?}");
    let shown = |root: &Path| {
        let history = History::open(root).unwrap();
        history.activities().iter().map(|a| a.summary().unwrap()).collect::<Vec<_>>()
    };
    let (now, before) = (shown(root), shown(small));
    assert!(before.iter().all(|activity| now.contains(activity)), "{what}: something committed is lost");
}

#[test]
fn files_that_may_not_grow_lose_nothing() {
    let Histories { _folder, small, whole } = histories();
    let want = tree(&whole);
    let (mut failed, mut done) = (0, 0);
    for blocks in [1, 4, 10, 16, 24, 40, 64, 100, 160, 4096] {
        let folder = tempfile::tempdir().unwrap();
        copy(&small, folder.path());
        // A write beyond the limit is an error when the signal that goes with it is ignored.
        let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$1\" import {MORE} --into \"$2\" -q");
        let output = sh(&line, folder.path());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(1) => {
                assert!(message.contains("cannot write"), "{blocks}: {message}");
                failed += 1;
            }
            Some(3) => done += 1,
            other => panic!("{blocks}: {other:?} {message}"),
        }
        sound(folder.path(), &small, &format!("{blocks} blocks"));
        sh(&format!("exec \"$1\" import {MORE} --into \"$2\" -q"), folder.path());
        assert!(tree(folder.path()) == want, "{blocks} blocks: importing again ends another way");
    }
    eprintln!("{failed} imports met the limit, {done} did not");
    assert!(failed >= 5 && done >= 1, "{failed} failed, {done} done");
}

#[test]
fn an_output_that_does_not_fit_is_not_there_and_no_source_is_blamed() {
    let Histories { _folder, small, .. } = histories();
    for verb in [
        "convert tour --to gpx --out \"$2/out\"",
        "convert tour/watch/2024-05-01.fit --to fit --out \"$2/out/run.fit\"",
        "merge tour/watch/2024-05-01.fit --out \"$2/out/run.tcx\"",
        "shift tour/watch/2024-05-01.fit --by 1h --out \"$2/out/run.csv\"",
        "export '$SMALL' --to json --out \"$2/out\"",
        "export '$SMALL' --to original --out \"$2/out\"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let verb = verb.replace("$SMALL", small.to_str().unwrap());
        let output = sh(&format!("trap '' XFSZ; ulimit -f 8; exec \"$1\" {verb} -q"), folder.path());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{verb}: {message}");
        let lines = message.lines().filter(|line| !line.starts_with("loss."));
        assert!(
            lines.clone().count() > 0 && lines.clone().all(|line| line.contains("cannot write")),
            "{verb}: {message}"
        );
        let left = tree(&folder.path().join("out"));
        assert!(left.iter().all(|(path, _)| !path.to_str().unwrap().contains("partial")), "{verb}: {left:?}");
    }
}

#[test]
fn a_full_file_system_loses_nothing() {
    let Histories { _folder, small, whole } = histories();
    let want = tree(&whole);
    let (mut failed, mut done) = (0, 0);
    for kib in [64, 128, 192, 256, 320, 400, 600, 1000, 20_000] {
        let folder = tempfile::tempdir().unwrap();
        let [seen, again] = ["seen", "again"].map(|name| folder.path().join(name));
        // A small file system of our own; then it is made larger.
        let line = format!(
            "mkdir \"$2/disk\" && mount -t tmpfs -o size={kib}k none \"$2/disk\" || exit 99
             cp -r '{small}' \"$2/disk/h\" 2>/dev/null || exit 98
             \"$1\" import {MORE} --into \"$2/disk/h\" -q; status=$?
             cp -r \"$2/disk/h\" '{seen}' && mount -o remount,size=64m \"$2/disk\" || exit 97
             \"$1\" import {MORE} --into \"$2/disk/h\" -q
             cp -r \"$2/disk/h\" '{again}' || exit 96
             exit $status",
            small = small.display(),
            seen = seen.display(),
            again = again.display(),
        );
        let output = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &line, "sh", env!("CARGO_BIN_EXE_paceport")])
            .arg(folder.path())
            .current_dir(crate::fixtures::root())
            .output();
        let Ok(output) = output else {
            eprintln!("skipped: there is no unshare");
            return;
        };
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            // Not even what is there fits.
            Some(98) => continue,
            Some(1) if seen.is_dir() => {
                assert!(message.contains("No space left") || message.contains("space"), "{kib}: {message}");
                failed += 1;
            }
            Some(3) => done += 1,
            _ => {
                eprintln!("skipped: no file system can be mounted: {message}");
                return;
            }
        }
        sound(&seen, &small, &format!("{kib} KiB"));
        assert!(tree(&again) == want, "{kib} KiB: importing again ends another way");
    }
    eprintln!("{failed} imports met the end of the disk, {done} did not");
    assert!(failed >= 2 && done >= 1, "{failed} failed, {done} done");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_said_and_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["man", "completions bash", "completions zsh", "formats", "formats --json"] {
        let output = sh(&format!("\"$1\" {verb} > /dev/full"), folder.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{verb}: {said}");
        assert!(said.starts_with("paceport: io: cannot write to standard output"), "{verb}: {said}");
    }
}
