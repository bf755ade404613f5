//! The README is true: its commands are run, its output is real, its table of formats is the program's.
//!
//! `PACEPORT_BLESS=1 cargo test readme` writes output and table anew; read the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use paceport::formats::FORMATS;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Replaces what differs from run to run: seconds and speed.
fn steady(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let steady = match (line.find(" in "), line.find(" skipped, ")) {
            (Some(_), Some(_)) => line.rsplit_once(" in ").map(|(head, _)| format!("{head} in … s")),
            _ => None,
        };
        out += &steady.unwrap_or_else(|| line.to_owned());
        out.push('\n');
    }
    out
}

/// Runs one `$ paceport …` line in a folder; output and errors in one text.
fn run(line: &str, folder: &Path) -> String {
    let arguments = line.strip_prefix("$ paceport ").unwrap_or_else(|| panic!("{line}: not a paceport command"));
    let output =
        Command::new(env!("CARGO_BIN_EXE_paceport")).args(arguments.split(' ')).current_dir(folder).output().unwrap();
    let status = output.status.code().unwrap();
    assert!(status == 0, "{line} ended with {status}: {}", String::from_utf8_lossy(&output.stderr));
    steady(&format!("{}{}", String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()))
}

fn with_real_output(readme: &str, folder: &Path) -> (String, usize) {
    let (mut out, mut commands, mut inside) = (String::new(), 0, false);
    for line in readme.lines() {
        let fence = line.starts_with("```");
        if fence {
            inside = line == "```console" && !inside;
        }
        if inside && !fence && !line.starts_with("$ ") {
            continue; // old output
        }
        out += line;
        out.push('\n');
        if inside && !fence {
            out += &run(line, folder);
            commands += 1;
        }
    }
    (out, commands)
}

fn with_formats(readme: &str) -> String {
    let (start, end) = ("<!-- formats -->\n", "<!-- /formats -->");
    let head = &readme[..readme.find(start).unwrap() + start.len()];
    let tail = &readme[readme.find(end).unwrap()..];
    let mark = |yes: bool| if yes { "yes" } else { "–" };
    let rows: String = FORMATS
        .iter()
        .map(|f| {
            let extensions = f.extensions.iter().map(|e| format!("`.{e}`")).collect::<Vec<_>>().join(" ");
            let (read, write) = (mark(f.read.is_some()), mark(f.write.is_some()));
            format!("| `{}` | {} | {extensions} | {read} | {write} | {} |\n", f.id, f.name, f.status)
        })
        .collect();
    format!("{head}| id | format | extensions | read | written | |\n|---|---|---|---|---|---|\n{rows}{tail}")
}

#[test]
fn readme_shows_real_output_and_the_real_formats() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("fixtures/tour"), &folder.path().join("fixtures/tour"));
    for fixtures in ["fixtures/exports/strava", "fixtures/polar/websync"] {
        copy(&root().join(fixtures), &folder.path().join(fixtures));
    }
    let (real, commands) = with_real_output(&with_formats(&readme), folder.path());
    assert!(commands >= 6, "met only {commands} commands");
    if std::env::var_os("PACEPORT_BLESS").is_some() {
        fs::write(&path, &real).unwrap();
    }
    shell_lines_work(&real, folder.path());
    let readme = fs::read_to_string(&path).unwrap();
    for (line, (shown, real)) in readme.lines().zip(real.lines()).enumerate() {
        assert_eq!(shown, real, "README.md line {}", line + 1);
    }
    assert_eq!(readme.len(), real.len());
}

/// The history can be read without the program: the lines of the README's last shell block do what they say.
fn shell_lines_work(readme: &str, folder: &Path) {
    let block = readme.rsplit("```sh\n").next().unwrap().split("```").next().unwrap();
    let outputs: Vec<String> = block
        .lines()
        .map(|line| {
            let output = Command::new("sh").args(["-c", line]).current_dir(folder).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    let [listing, digest, journal] = outputs.as_slice() else { panic!("the block has {} lines", outputs.len()) };
    let digest = &digest[..64];
    assert!(listing.contains(&digest[..16]), "the file is named after its content: {listing}");
    assert!(journal.contains(&format!("\"sha256\":\"{digest}\"")), "the journal knows the content");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
