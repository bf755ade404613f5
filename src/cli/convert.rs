//! `paceport convert`.

use std::path::{Path, PathBuf};

use paceport::formats::{self, Format};
use paceport::model::time;
use paceport::pipeline::{self, Anonymize, ReadOptions, Shift, Target, WriteOptions, Written};
use paceport::report::printable;
use paceport::{Error, Kind};

use super::args::{Common, Hide, Merge, Write, Zone};
use super::merge::preferences;
use super::{Exit, inputs, progress::Bar, summary, table};

/// Converts every activity of the sources.
pub fn run(
    common: &Common,
    paths: &[PathBuf],
    to: &str,
    out: Option<&Path>,
    (write, zone, merge): (&Write, &Zone, &Merge),
) -> Result<Exit, Error> {
    let to = format_to_write(to)?;
    let options = inputs::with_zone(inputs::read_options(common)?, zone)?;
    write_all(common, paths, to, out, &options, &how(write), merge)
}

/// `paceport shift`: converts with all times moved.
pub fn shift(
    common: &Common,
    paths: &[PathBuf],
    (by, start): (Option<&str>, Option<&str>),
    to: Option<&str>,
    out: &Path,
    write: &Write,
) -> Result<Exit, Error> {
    let first = paths.first().map_or(out, PathBuf::as_path);
    let to = match to {
        Some(id) => format_to_write(id)?,
        None => format_of(out).or_else(|_| format_of(first))?,
    };
    let shift = match (by, start) {
        (Some(by), _) => Shift::by(by)?,
        (None, Some(start)) => {
            let stamped = time::parse(start.as_bytes()).is_none_or(|instant| instant.stamp != time::Stamp::Naive);
            if !stamped {
                return Err(Error::new(Kind::Usage, format!("{start}: say the zone as well, with Z or +02:00")));
            }
            Shift::to(start, 0)?
        }
        (None, None) => return Err(Error::new(Kind::Usage, "say --by or --start")),
    };
    let how = WriteOptions { shift: Some(shift), ..how(write) };
    let options = inputs::read_options(common)?;
    write_all(common, paths, to, Some(out), &options, &how, &Merge { merge: false, prefer: None })
}

fn write_all(
    common: &Common,
    paths: &[PathBuf],
    to: &'static Format,
    out: Option<&Path>,
    options: &ReadOptions,
    how: &WriteOptions,
    merge: &Merge,
) -> Result<Exit, Error> {
    let target = target(paths, out, to);
    let mut options = options.clone();
    let inputs = inputs::opened(paths, &mut options)?;
    let options = &options;
    let bar = Bar::start(common);
    let progress = |event: pipeline::Progress<'_>| bar.event(event);
    let mut run = if merge.merge {
        let preferences = preferences(merge.prefer.as_deref())?;
        pipeline::convert_merged(&inputs, options, to, &target, how, &preferences, &progress)?
    } else {
        pipeline::convert(&inputs, options, to, &target, how, &progress)?
    };
    run.report.seconds = bar.finish();
    let written: Vec<Written> = run.results.into_iter().flatten().collect();
    run.report.clusters = written.len() as u64;
    if target == Target::Memory {
        if written.len() > 1 {
            let message = format!("{} activities do not fit into one output; use --out DIR", written.len());
            return Err(Error::new(Kind::Usage, message));
        }
        summary::to_stdout(|out| written.iter().try_for_each(|file| out.write_all(&file.content)))?;
    } else if common.json {
        summary::to_stdout(|out| {
            written.iter().try_for_each(|file| summary::json_line(out, file))?;
            run.sources.iter().try_for_each(|source| summary::json_line(out, source))?;
            summary::json_line(out, &run.report)
        })?;
    }
    report_written(common, &written);
    summary::closing(common, &run.sources, &run.report);
    Ok(exit_of(common, &written, run.report.is_clean()))
}

/// The format to write that a file name asks for.
pub fn format_of(out: &Path) -> Result<&'static Format, Error> {
    let extension = out.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    formats::FORMATS
        .iter()
        .find(|format| format.write.is_some() && format.extensions.contains(&extension.as_str()))
        .ok_or_else(|| Error::new(Kind::Usage, format!("{}: the extension names no format to write", out.display())))
}

/// How files are written.
pub fn how(write: &Write) -> WriteOptions {
    let anonymize = write.anonymize.map(|hide| match hide {
        Hide::All => Anonymize::Everything,
        Hide::KeepTrack => Anonymize::KeepTrack,
    });
    WriteOptions { force: write.force, check: write.check, anonymize, shift: None }
}

/// The format that `--to` names, when it can be written.
pub fn format_to_write(id: &str) -> Result<&'static Format, Error> {
    let known: Vec<&str> = formats::FORMATS.iter().filter(|f| f.write.is_some()).map(|f| f.id).collect();
    formats::by_id(&id.to_ascii_lowercase())
        .filter(|format| format.write.is_some())
        .ok_or_else(|| Error::new(Kind::Usage, format!("--to takes {}, not {id}", known.join(", "))))
}

/// Errors, findings of the second parser, and what was lost.
pub fn report_written(common: &Common, written: &[Written]) {
    for file in written {
        if let Some(error) = &file.error {
            summary::failure(&format!("{}: {}", printable(&file.source), printable(error)));
        }
        for finding in &file.findings {
            summary::failure(&format!("{}: check: {}", printable(&file.source), printable(finding)));
        }
    }
    summary::losses(common, written.iter().map(|file| &file.notes));
    let there = || written.iter().filter(|file| file.error.is_none() && file.path.is_some());
    let changed = there().filter(|file| file.changed).count() as u64;
    let same = there().count() as u64 - changed;
    if changed + same > 0 {
        let changed = table::count(changed, "file", "files");
        summary::warn(common, &format!("{changed} written, {same} already there with the same content"));
    }
}

/// The exit status of a verb that writes files.
pub fn exit_of(common: &Common, written: &[Written], clean: bool) -> Exit {
    if written.iter().any(|file| !file.findings.is_empty()) {
        return Exit::Damage;
    }
    if written.iter().any(|file| file.unwritten) {
        return Exit::Failed;
    }
    let lost = common.strict && written.iter().any(|file| file.notes.iter().any(|note| note.code.starts_with("loss.")));
    if !clean || lost || written.iter().any(|file| file.error.is_some()) { Exit::Partly } else { Exit::Done }
}

/// `--out` as the user means it: `-`; an existing folder or a name with a final slash; for several sources always a
/// folder; a name with an extension is a file.
fn target(paths: &[PathBuf], out: Option<&Path>, to: &Format) -> Target {
    let Some(out) = out else { return Target::Folder(PathBuf::new()) };
    if out == Path::new("-") {
        return Target::Memory;
    }
    let named_folder = out.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/");
    let many = paths.len() > 1 || paths.iter().any(|path| path.is_dir());
    let extension = out.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let named_file = to.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
    if named_folder || many || (!named_file && extension.is_empty()) {
        Target::Folder(out.to_owned())
    } else {
        Target::File(out.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use paceport::report::{Code, Notes};

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn a_finding_outweighs_a_failure_and_a_failure_a_source() {
        let common =
            |arguments: &[&str]| Cli::try_parse_from([&["paceport", "formats"], arguments].concat()).unwrap().common;
        let (usual, strict) = (common(&[]), common(&["--strict"]));
        let mut lost = Notes::new();
        lost.add(Code::warning("loss.laps"), paceport::Place::NOWHERE, || "2 laps");
        let written = |findings: &[&str], error: Option<(&str, bool)>, notes: &Notes| Written {
            kind: "output",
            source: "a.fit".to_owned(),
            index: 0,
            path: None,
            bytes: 1,
            changed: true,
            error: error.map(|(error, _)| error.to_owned()),
            unwritten: error.is_some_and(|(_, unwritten)| unwritten),
            findings: findings.iter().map(|finding| (*finding).to_owned()).collect(),
            notes: notes.clone(),
            content: Vec::new(),
        };
        let none = Notes::new();
        let fine = || written(&[], None, &none);
        let (full, torn) = (Some(("disk full", true)), Some(("a torn original", false)));
        for (common, last, clean, exit) in [
            (&usual, fine(), true, 0),
            (&usual, written(&[], None, &lost), true, 0),
            (&strict, fine(), true, 0),
            (&strict, written(&[], None, &lost), true, 3),
            (&usual, fine(), false, 3),
            (&usual, written(&[], torn, &none), true, 3),
            (&usual, written(&[], full, &none), true, 1),
            (&strict, written(&[], full, &lost), false, 1),
            (&strict, written(&["1 samples instead of 2"], full, &lost), false, 4),
            (&usual, written(&["1 samples instead of 2"], None, &none), true, 4),
        ] {
            assert_eq!(exit_of(common, &[last.clone(), fine()], clean) as u8, exit, "{last:?}");
        }
    }
}
