//! Edges between rooms: which room may use which is decided in one table.

use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may use besides itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("floor", &[]),
    ("model", &["floor"]),
    ("source", &["floor"]),
    ("exports", &["floor", "source", "model"]),
    ("formats", &["floor", "model"]),
    ("fix", &["floor", "model"]),
    ("dedupe", &["floor", "model"]),
    ("history", &["floor", "model"]),
    ("crosscheck", &["floor", "model", "formats"]),
    ("pipeline", &["floor", "model", "source", "exports", "formats", "fix", "dedupe", "history", "crosscheck"]),
    ("cli", &["floor", "model", "formats", "history", "pipeline"]),
];

/// Files of the floor.
const FLOOR: &[&str] = &["error", "report", "ids", "limits", "json"];

/// Crates that only some rooms may know.
const CRATES: &[(&str, &[&str])] = &[
    ("rayon", &["pipeline"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("zip", &["source"]),
    ("deflate64", &["source"]),
    ("sha2", &["source", "history"]),
    ("flate2", &["source", "history"]),
    ("quick_xml", &["formats"]),
    ("geo", &["model"]), // its tests
    ("jiff", &["fix"]),
    ("tzf_rs", &["fix"]),
    ("fitparser", &["crosscheck"]),
    ("gpx", &["crosscheck"]),
];

fn room_of(path: &Path) -> Option<String> {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    let first = first.strip_suffix(".rs").unwrap_or(first);
    match first {
        "lib" => None,
        "main" => Some("cli".into()),
        _ if FLOOR.contains(&first) => Some("floor".into()),
        _ => Some(first.to_owned()),
    }
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The identifier right after each occurrence of `prefix`.
fn names_after<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(prefix).filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let rest = &text[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(&rest[..end])
    })
}

#[test]
fn no_room_uses_what_it_must_not_know() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 15, "met only {} source files", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&src).unwrap();
        let Some(room) = room_of(relative) else { continue };
        let text = fs::read_to_string(file).unwrap();
        let code: String =
            text.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
        // Unit tests may look further.
        let code = code.split("#[cfg(test)]").next().unwrap();
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} is no room"));
        let used = names_after(code, "crate::").chain(names_after(code, "paceport::"));
        for name in used.filter(|name| !name.is_empty() && name.chars().all(|c| c.is_lowercase() || c == '_')) {
            let target = if FLOOR.contains(&name) { "floor" } else { name };
            let known = ROOMS.iter().any(|(room, _)| *room == target);
            if known && target != room && !allowed.contains(&target) {
                wrong.push(format!("{} uses {target}", relative.display()));
            }
        }
        for (name, rooms) in CRATES {
            let uses = names_after(code, &format!("{name}::")).next().is_some();
            if uses && !rooms.contains(&room.as_str()) && !code.contains(&format!("mod {name}")) && room != *name {
                wrong.push(format!("{} uses the crate {name}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_fix_declares_activities_settled() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut met = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        if code.contains("Activity::settled(") {
            met += 1;
            assert!(file.starts_with(src.join("fix")), "{} settles activities", file.display());
        }
    }
    assert!(met > 0);
}
