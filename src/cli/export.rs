//! `paceport export`.

use std::path::Path;

use paceport::history::{History, Stored};
use paceport::pipeline;
use paceport::{Error, Kind};

use super::args::{Common, Filter, Write};
use super::{Exit, convert, inputs, list, progress::Bar, summary};

/// Writes the activities of a history as files of a format.
pub fn run(common: &Common, root: &Path, to: &str, out: &Path, filter: &Filter, write: &Write) -> Result<Exit, Error> {
    // `original` is no format: the files as they came.
    let to = if to.eq_ignore_ascii_case("original") { None } else { Some(convert::format_to_write(to)?) };
    if to.is_none() && write.anonymize.is_some() {
        let reason = "originals are given as they came; --anonymize needs a format: --to fit, gpx, tcx, csv or json";
        return Err(Error::new(Kind::Usage, reason));
    }
    if out == Path::new("-") {
        let reason = "export writes into a folder, not to standard output (a folder of this name is ./-)";
        return Err(Error::new(Kind::Usage, reason));
    }
    let options = inputs::read_options(common)?;
    let history = History::open(root)?;
    let wanted = |stored: &Stored| list::passes(stored, filter);
    let how = convert::how(write);
    let bar = Bar::start(common);
    let progress = |event: pipeline::Progress<'_>| bar.event(event);
    let written = match to {
        Some(to) => pipeline::export(&history, &wanted, to, out, &how, &options, &progress)?,
        None => pipeline::export_originals(&history, &wanted, out, &how, &options, &progress)?,
    };
    bar.finish();
    if common.json {
        summary::to_stdout(|out| written.iter().try_for_each(|file| summary::json_line(out, file)))?;
    }
    convert::report_written(common, &written);
    let complete = summary::complete(&history)? == Exit::Done;
    Ok(convert::exit_of(common, &written, complete))
}
