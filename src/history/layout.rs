//! Names inside a history: which file lies where. Paths are relative to the root and use `/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::ids::Digest;
use crate::model::time::civil_from_days;

/// Says what the folder is: `{"history": 1}`.
pub(super) const VERSION_FILE: &str = "paceport.json";
/// The version file on its way.
pub(super) const NEW_VERSION_FILE: &str = "paceport.json.new";
/// The only version that this program knows.
pub(super) const VERSION: u64 = 1;
/// Advisory lock of writers.
pub(super) const LOCK_FILE: &str = "lock";
/// Source bytes.
pub(super) const ORIGINALS: &str = "originals";
/// Originals on their way; empty or absent unless an import runs or was killed.
pub(super) const INCOMING: &str = "originals/incoming";
/// Segments that a rebuilt journal replaced; nobody reads them.
pub(super) const REPLACED: &str = "journal/replaced";
/// What can be derived from the originals at any time.
pub(super) const DERIVED: &str = "derived.jsonl";
/// Journal segments.
pub(super) const JOURNAL: &str = "journal";

/// Whether an original is one workout's file or something that holds many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginalKind {
    /// One workout (or a few): filed by date.
    Activity,
    /// A member that holds many activities, or a metadata table: filed under `originals/archives`.
    Archive,
}

/// `originals/2024/05/20240501T071200Z-running-3f9a1c2b77aa0e11.fit`: UTC, sport, 16 digits of the SHA-256.
pub(super) fn original_path(
    kind: OriginalKind,
    start: Option<i64>,
    sport: &str,
    digest: &Digest,
    name: &str,
    extension: &str,
    gzip: bool,
) -> String {
    let short = digest.short();
    let extension = word(extension, 12);
    let dot = if extension.is_empty() { "" } else { "." };
    let gz = if gzip { ".gz" } else { "" };
    match (kind, start.and_then(stamp)) {
        (OriginalKind::Archive, _) => {
            let file = name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
            let stem = word(file.split('.').next().unwrap_or_default(), 60);
            let dash = if stem.is_empty() { "" } else { "-" };
            format!("{ORIGINALS}/archives/{stem}{dash}{short}{dot}{extension}{gz}")
        }
        (OriginalKind::Activity, Some((folder, stamp))) => {
            format!("{ORIGINALS}/{folder}/{stamp}-{}-{short}{dot}{extension}{gz}", sport_word(sport))
        }
        (OriginalKind::Activity, None) => {
            format!("{ORIGINALS}/undated/{}-{short}{dot}{extension}{gz}", sport_word(sport))
        }
    }
}

/// Folder `2024/05` and stamp `20240501T071200Z` of an instant; `None` outside the years 0 to 9999.
fn stamp(ms: i64) -> Option<(String, String)> {
    let seconds = ms.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    (0..=9999).contains(&year).then(|| {
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let stamp = format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z");
        (format!("{year:04}/{month:02}"), stamp)
    })
}

fn sport_word(sport: &str) -> String {
    let word = word(sport, 40);
    if word.is_empty() { "generic".to_owned() } else { word }
}

/// A name from outside as part of a file name: lower-case letters, digits, `_` and `-` only, so that it is the same
/// file on every file system and never a path.
fn word(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if out.len() >= longest {
            break;
        }
        match c {
            'a'..='z' | '0'..='9' | '_' => out.push(c),
            _ if !out.ends_with('-') && !out.is_empty() => out.push('-'),
            _ => {}
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

/// The name of a segment: `journal/000001.jsonl`.
pub(super) fn segment_path(number: u32) -> String {
    format!("{JOURNAL}/{number:06}.jsonl")
}

/// A path of the journal below the root. `None` for one that leads elsewhere: a journal is data, never a way out.
pub(super) fn inside(root: &Path, relative: &str) -> Option<PathBuf> {
    let sane = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    let fits = relative.starts_with("originals/") && relative.split('/').all(sane);
    fits.then(|| root.join(relative))
}

/// The folder of a path; empty for the root.
pub(super) fn folder_of(relative: &str) -> &str {
    relative.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Numbers of the journal's segments in order; none when there is no journal yet.
pub(super) fn segments(root: &Path) -> Result<Vec<u32>> {
    let folder = root.join(JOURNAL);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("cannot list", &folder, error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_error("cannot list", &folder, error))?;
        numbers.extend(entry.file_name().to_str().and_then(segment_number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The number in the name of a segment.
pub(super) fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".jsonl")?;
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// True when a folder without a version file is a history all the same: the file comes last when one is made, and
/// nothing is kept before that.
pub(super) fn has_content(root: &Path) -> bool {
    let filled = |number: &u32| fs::metadata(root.join(segment_path(*number))).is_ok_and(|meta| meta.len() > 0);
    root.join(ORIGINALS).is_dir() || segments(root).is_ok_and(|numbers| numbers.iter().any(filled))
}

/// What the version file says: `Ok(false)` when there is none.
pub(super) fn check_version(root: &Path) -> Result<bool> {
    #[derive(Deserialize)]
    struct Version {
        history: u64,
    }
    let path = root.join(VERSION_FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error("cannot read", &path, error)),
    };
    match serde_json::from_slice(&bytes) {
        Ok(Version { history: VERSION }) => Ok(true),
        Ok(Version { history }) => Err(wrong(
            &path,
            format!("this history has version {history}, this program knows version {VERSION}; nothing was touched"),
        )),
        Err(error) => Err(wrong(&path, format!("no history's version can be read from it: {error}"))),
    }
}

/// An error of the history, with the file it is about.
pub(super) fn wrong(path: &Path, message: impl Into<String>) -> Error {
    Error::new(Kind::History, message).in_source(&path.display().to_string())
}

/// An error of the operating system, with the file it is about.
pub(super) fn io_error(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("{what} {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        "3f9a1c2b77aa0e11000000000000000000000000000000000000000000000000".parse().unwrap()
    }

    #[test]
    fn names_say_when_what_and_which() {
        let path = |kind, start, sport, name, ext, gz| original_path(kind, start, sport, &digest(), name, ext, gz);
        let start = Some(1_714_547_520_250); // 2024-05-01T07:12:00.25Z
        assert_eq!(
            path(OriginalKind::Activity, start, "running", "a.fit", "fit", false),
            "originals/2024/05/20240501T071200Z-running-3f9a1c2b77aa0e11.fit"
        );
        assert_eq!(
            path(OriginalKind::Activity, None, "../..//Évil\u{202e} Sport", "a", "GPX", true),
            "originals/undated/vil-sport-3f9a1c2b77aa0e11.gpx.gz"
        );
        assert_eq!(
            path(OriginalKind::Archive, start, "", "x.zip!/Takeout/Derived Data.v2.json", "json", true),
            "originals/archives/derived-data-3f9a1c2b77aa0e11.json.gz"
        );
        assert_eq!(path(OriginalKind::Archive, None, "", "///", "", false), "originals/archives/3f9a1c2b77aa0e11");
        assert_eq!(
            path(OriginalKind::Activity, Some(i64::MAX), "", "", "", false),
            "originals/undated/generic-3f9a1c2b77aa0e11"
        );
    }

    #[test]
    fn a_journal_cannot_point_outside() {
        let root = Path::new("h");
        assert!(inside(root, "originals/2024/05/a.fit").is_some());
        for path in
            ["/etc/passwd", "originals/../../x", "journal/000001.jsonl", "originals//x", "originals/c:x", "lock"]
        {
            assert_eq!(inside(root, path), None, "{path}");
        }
    }

    #[test]
    fn segment_names_are_exact() {
        assert_eq!(segment_number("000012.jsonl"), Some(12));
        for name in ["12.jsonl", "000012.json", "+00012.jsonl", "000012.jsonl~"] {
            assert_eq!(segment_number(name), None, "{name}");
        }
    }
}
