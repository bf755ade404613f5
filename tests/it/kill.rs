//! The real program is killed at many moments of an import. `PACEPORT_KILLS=500` kills it more often than the ordinary
//! run does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use paceport::history::{History, VerifyOptions, verify};

use super::cli::{paceport, tree};

/// Files and folders of several formats, an archive among them.
const SOURCES: &[&str] = &["tour", "fit", "gpx", "tcx", "polar"];

fn arguments(root: &str) -> Vec<&str> {
    let mut arguments = vec!["import", "--into", root, "-q"];
    arguments.extend(SOURCES);
    arguments
}

/// Activities that a history knows, with their summaries as text.
fn shown(root: &Path) -> BTreeSet<String> {
    let history = History::open(root).unwrap();
    for original in history.originals() {
        history.read_original(&original.unwrap().digest).unwrap();
    }
    history.activities().iter().map(|activity| format!("{:?}", activity.summary().unwrap())).collect()
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_the_next_import_ends_the_same() {
    let kills: u32 = std::env::var("PACEPORT_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let fixtures = crate::fixtures::root();
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    let started = Instant::now();
    let done = paceport(&fixtures, &arguments(undisturbed.to_str().unwrap()));
    let took = started.elapsed();
    assert!([Some(0), Some(3)].contains(&done.status.code()), "{}", String::from_utf8_lossy(&done.stderr));
    let (want, want_shown) = (tree(&undisturbed), shown(&undisturbed));
    assert!(want_shown.len() > 10, "an import of {} activities is too small to be killed", want_shown.len());
    let (mut met, mut before, mut inside) = (0, 0, 0);
    for kill in 0..kills {
        let root = folder.path().join(format!("killed {kill}"));
        let mut import = Command::new(env!("CARGO_BIN_EXE_paceport"))
            .args(arguments(root.to_str().unwrap()))
            .current_dir(&fixtures)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Evenly over the time of an undisturbed import; the system's noise does the rest.
        let moment = took * (2 * kill + 1) / (2 * kills);
        std::thread::sleep(moment.min(Duration::from_secs(60)));
        let alive = import.try_wait().unwrap().is_none();
        import.kill().unwrap();
        import.wait().unwrap();
        met += u32::from(alive);
        if root.join("paceport.json").exists() {
            let findings = verify(&root, VerifyOptions::default(), &mut |_| ()).unwrap();
            assert!(findings.iter().all(|finding| !finding.is_damage()), "{moment:?}: {findings:#?}");
            let shown = shown(&root);
            assert!(shown.is_empty() || shown == want_shown, "{moment:?}: half an import is visible");
            before += u32::from(shown.is_empty());
            inside += u32::from(!findings.is_empty());
        }
        let again = paceport(&fixtures, &arguments(root.to_str().unwrap()));
        assert_eq!(again.status.code(), done.status.code(), "{}", String::from_utf8_lossy(&again.stderr));
        let got = tree(&root);
        let names =
            |tree: &[(std::path::PathBuf, Vec<u8>)]| tree.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&got), names(&want), "{moment:?}");
        for ((path, got), (_, want)) in got.iter().zip(&want) {
            let differs = got.split(|&b| b == b'\n').zip(want.split(|&b| b == b'\n')).find(|(got, want)| got != want);
            let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
            let lines = differs.map(|(got, want)| format!("{}\n{}", text(got), text(want)));
            assert!(got == want, "{moment:?}: {} is not as undisturbed: {lines:?}", path.display());
        }
        fs::remove_dir_all(&root).unwrap();
    }
    eprintln!("killed {met} of {kills} imports alive, {before} before their commit, {inside} with leftovers");
    assert!(met > 0, "no import was killed alive");
}
