//! `paceport inspect`.

use std::io;
use std::path::PathBuf;

use paceport::model::Glance;
use paceport::{Error, pipeline};

use super::args::{Common, Zone};
use super::{Exit, inputs, progress::Bar, summary, table};

/// Shows what is inside; writes nothing.
pub fn run(common: &Common, paths: &[PathBuf], zone: &Zone) -> Result<Exit, Error> {
    let mut options = inputs::with_zone(inputs::read_options(common)?, zone)?;
    let inputs = inputs::opened(paths, &mut options)?;
    let bar = Bar::start(common);
    let mut found = pipeline::inspect(&inputs, &options, &|event| bar.event(event))?;
    found.report.seconds = bar.finish();
    summary::to_stdout(|out| {
        if common.json {
            found.activities.each_line(&mut |line| out.write_all(line).and_then(|()| out.write_all(b"\n")))?;
            found.sources.iter().try_for_each(|source| summary::json_line(out, source))?;
            return summary::json_line(out, &found.report);
        }
        table::print_made(out, table::ACTIVITY, &|each| {
            found.activities.each_line(&mut |line| each(&table::activity(&glance(line)?, 0)))
        })
    })?;
    summary::closing(common, &found.sources, &found.report);
    Ok(if found.report.is_clean() { Exit::Done } else { Exit::Partly })
}

fn glance(line: &[u8]) -> io::Result<Glance> {
    let known = std::str::from_utf8(line).ok().and_then(Glance::of_line);
    known.map_or_else(|| Ok(serde_json::from_slice(line)?), Ok)
}
