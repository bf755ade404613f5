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
    imported.report.seconds = bar.finish();
    let report = &imported.report;
    if let Some(told) = &imported.told {
        summary::to_stdout(|out| {
            told.each_line(&mut |line| out.write_all(line).and_then(|()| out.write_all(b"\n")))?;
            summary::json_line(out, report)
        })?;
    }
    summary::closing(common, &imported.sources, report);
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
    if report.completed > 0 {
        let completed = table::count(report.completed, "activity", "activities");
        summary::warn(common, &format!("{completed} of before completed by files that came now"));
    }
    if report.merged + report.unsure + imported.uncompared as u64 > 0 {
        let (merged, unsure) = (report.merged, report.unsure);
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
    Ok(if report.is_clean() { Exit::Done } else { Exit::Partly })
}
