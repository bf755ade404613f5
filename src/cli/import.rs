//! `paceport import`.

use std::path::{Path, PathBuf};

use paceport::Error;
use paceport::history::History;
use paceport::pipeline::{self, ImportOptions};
use paceport::report::printable;

use super::args::{Common, Zone};
use super::{Exit, inputs, progress::Bar, summary, table};

/// Takes everything over into a history, once.
pub fn run(common: &Common, paths: &[PathBuf], into: &Path, how: &ImportOptions, zone: &Zone) -> Result<Exit, Error> {
    let mut options = inputs::with_zone(inputs::read_options(common)?, zone)?;
    let inputs = inputs::opened(paths, &mut options)?;
    let bar = Bar::start(common);
    let mut imported = pipeline::import(&inputs, into, &options, how, &|event| bar.event(event))?;
    imported.run.report.seconds = bar.finish();
    let run = &imported.run;
    if common.json {
        summary::to_stdout(|out| {
            run.results.iter().try_for_each(|activity| summary::json_line(out, activity))?;
            run.sources.iter().try_for_each(|source| summary::json_line(out, source))?;
            summary::json_line(out, &run.report)
        })?;
    }
    summary::closing(common, &run.sources, &run.report);
    let new = table::count(imported.new as u64, "new activity", "new activities");
    let made = History::is_at(into);
    let into = into.display().to_string();
    let into = printable(&into);
    let line = match (imported.committed.lines, imported.committed.originals) {
        _ if how.dry_run => format!("would be kept in {into}: {new}"),
        (0, 0) if !made => format!("nothing to keep; {into} was not made"),
        (0, 0) => format!("nothing new; {into} is unchanged"),
        (0, lost) => {
            let lost = table::count(lost as u64, "lost original", "lost originals");
            format!("nothing new, but {lost} put back into {into}")
        }
        _ => format!("kept in {into}: {new}"),
    };
    summary::warn(common, &line);
    if run.report.completed > 0 {
        let completed = table::count(run.report.completed, "activity", "activities");
        summary::warn(common, &format!("{completed} of before completed by files that came now"));
    }
    if run.report.merged + run.report.unsure + imported.uncompared as u64 > 0 {
        let (merged, unsure) = (run.report.merged, run.report.unsure);
        let line = if how.dry_run {
            format!("{merged} of them would belong to another workout, {unsure} pairs would be doubtful")
        } else {
            format!("{merged} of them belong to another workout, {unsure} pairs are doubtful (list --unsure)")
        };
        let unknown = match imported.uncompared {
            0 => String::new(),
            unknown => format!("; {unknown} of them could not be compared before they are kept"),
        };
        summary::warn(common, &(line + &unknown));
    }
    Ok(if run.report.is_clean() { Exit::Done } else { Exit::Partly })
}
