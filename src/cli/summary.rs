//! Complaints, notes and the closing summary on standard error; JSON lines on standard output.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use paceport::Error;
use paceport::history::History;
use paceport::pipeline::{ExportReport, Outcome, RunReport, SourceReport};
use paceport::report::{Notes, Severity, at, printable};
use serde::Serialize;

use super::Exit;
use super::args::Common;
use super::table::{bytes, count};

/// One line on standard error. Nobody listening any more (`2>&1 | head`) is no failure.
macro_rules! say {
    ($($text:tt)*) => {
        let _ = writeln!(io::stderr(), $($text)*);
    };
}

/// Prints why a command failed.
pub fn complain(error: &Error) {
    say!("paceport: {error}");
}

/// One line on standard error about something that failed, which `--quiet` does not hide.
pub fn failure(line: &str) {
    say!("{line}");
}

/// One line on standard error, unless `--quiet`.
pub fn warn(common: &Common, line: &str) {
    if !common.quiet {
        say!("{line}");
    }
}

/// Says when a history does not show all that it held, and how a command ends that reads it.
pub fn complete(history: &History) -> Result<Exit, Error> {
    let Some(damage) = history.damage()? else { return Ok(Exit::Done) };
    say!("{}: damaged: {damage} and are left out; run verify", printable(&history.root().display().to_string()));
    Ok(Exit::Partly)
}

/// Prints through a buffer; a closed pipe (`| head`) is no failure.
pub fn to_stdout(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    match print(&mut out).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("cannot write to standard output", e)),
        _ => Ok(()),
    }
}

/// One JSON object a line.
pub fn json_line<T: Serialize>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// What was read, partly read, duplicate, skipped and failed, and why; with `--quiet` only what failed or was partly read.
pub fn closing(common: &Common, sources: &[SourceReport], run: &RunReport) {
    for (outcome, title) in [(Outcome::Failed, "failed"), (Outcome::Partial, "partly read")] {
        let mut of_kind = sources.iter().filter(|s| s.outcome == outcome).peekable();
        if of_kind.peek().is_some() {
            say!("{title}:");
        }
        for source in of_kind {
            match source.error() {
                Some(error) => {
                    say!("  {}", printable(error));
                }
                None => {
                    say!("  {}: {}", printable(&source.source), damage(source.notes()));
                }
            }
        }
    }
    if common.quiet {
        return;
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for source in sources.iter().filter(|s| s.outcome == Outcome::Skipped) {
        let reason = source.reason();
        *reasons.entry(reason).or_default() += 1;
        if common.verbose {
            say!("skipped: {}: {}", printable(&source.source), printable(reason));
        }
    }
    if common.verbose {
        for source in sources.iter().filter(|s| s.outcome != Outcome::Skipped) {
            for note in source.notes() {
                let (name, detail) = (printable(&source.source), printable(&note.detail));
                say!("note: {name}: {} ({} ×): {detail}", note.code, note.count);
            }
        }
    }
    for note in run.notes.iter().filter(|note| common.verbose || note.severity == Severity::Warning) {
        say!("note: {} ({} ×): {}", note.code, note.count, printable(&note.detail));
    }
    if !reasons.is_empty() {
        let list: Vec<String> = reasons.iter().map(|(why, n)| format!("{n} {}", printable(why))).collect();
        say!("skipped: {}", list.join(", "));
    }
    for export in &run.exports {
        say!("{}", of_export(export));
    }
    say!("{}", counts(run));
}

/// `a.zip: Strava bulk export (original files): 120 recordings, 1 table; ignored: 3 media, 20 account data`.
fn of_export(export: &ExportReport) -> String {
    let place = match export.root.trim_end_matches('/').trim_end_matches('!') {
        "" => String::new(),
        place => format!("{}: ", printable(place)),
    };
    let mut line = format!("{place}{} ({}): ", export.name, export.generation);
    line.push_str(&count(export.recordings, "recording", "recordings"));
    if export.tables > 0 {
        line.push_str(&format!(", {}", count(export.tables, "table", "tables")));
    }
    if export.damaged > 0 {
        line.push_str(&format!(", {} damaged", export.damaged));
    }
    if export.encrypted > 0 {
        line.push_str(&format!(", {} encrypted", export.encrypted));
    }
    if !export.ignored.is_empty() {
        let ignored: Vec<String> = export.ignored.iter().map(|(what, n)| format!("{n} {}", printable(what))).collect();
        line.push_str(&format!("; ignored: {}", ignored.join(", ")));
    }
    line
}

/// The worst note in words.
fn damage(notes: &Notes) -> String {
    let note = notes.iter().find(|note| note.severity == Severity::Damage).or_else(|| notes.iter().next());
    note.map_or_else(
        || "see the activity's notes".to_owned(),
        |note| {
            let place = note.place.as_deref().map_or(String::new(), |place| format!(" {}", at(place)));
            format!("{}{place}: {}", note.code, printable(&note.detail))
        },
    )
}

/// `514 sources: 320 read, 5 partly read, 2 duplicate, 180 skipped, 7 failed; 330 activities; 45.2 MB in 1.3 s`.
fn counts(run: &RunReport) -> String {
    let speed = if run.seconds > 0.0 { (run.bytes as f64 / run.seconds) as u64 } else { 0 };
    format!(
        "{}: {} read, {} partly read, {} duplicate, {} skipped, {} failed; {}; {} in {:.1} s ({}/s)",
        count(run.sources, "source", "sources"),
        run.read,
        run.partial,
        run.duplicate,
        run.skipped,
        run.failed,
        count(run.activities, "activity", "activities"),
        bytes(run.bytes),
        run.seconds,
        bytes(speed)
    )
}

/// Notes on written files, one line a kind: what was lost in all, and in how many files. With `--strict` a loss is a
/// failure.
pub fn losses<'a>(common: &Common, notes: impl Iterator<Item = &'a Notes>) {
    let mut kinds: BTreeMap<String, (u64, u64, String)> = BTreeMap::new();
    for note in notes.flat_map(Notes::iter) {
        let (files, count, _) = kinds.entry(note.code.to_string()).or_insert((0, 0, note.detail.clone()));
        *files += 1;
        *count += note.count;
    }
    for (code, (files, total, detail)) in kinds {
        // A loss starts with its count, which is that of the first file only.
        let what = match detail.split_once(' ') {
            Some((number, what)) if number.parse::<u64>().is_ok() => format!("{total} {what}"),
            _ if total == 1 => detail,
            _ => format!("{total} ×, for instance: {detail}"),
        };
        let files = if files == 1 { String::new() } else { format!(" (in {files} files)") };
        let line = format!("{code}: {}{files}", printable(&what));
        if common.strict && code.starts_with("loss.") { failure(&line) } else { warn(common, &line) }
    }
}
