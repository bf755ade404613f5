//! `paceport inspect`.

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
    let mut run = pipeline::inspect(&inputs, &options, &|event| bar.event(event))?;
    run.report.seconds = bar.finish();
    let activities = run.results;
    summary::to_stdout(|out| {
        if common.json {
            activities.iter().try_for_each(|activity| summary::json_line(out, activity))?;
            run.sources.iter().try_for_each(|source| summary::json_line(out, source))?;
            return summary::json_line(out, &run.report);
        }
        let rows: Vec<_> = activities.iter().map(|activity| table::activity(&Glance::from(&**activity), 0)).collect();
        table::print(out, table::ACTIVITY, &rows)
    })?;
    summary::closing(common, &run.sources, &run.report);
    Ok(if run.report.is_clean() { Exit::Done } else { Exit::Partly })
}
