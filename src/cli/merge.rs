//! `paceport merge`, `accept` and `undo`: the owner's word about what is one workout.

use std::path::{Path, PathBuf};

use paceport::Error;
use paceport::ids::ActivityId;
use paceport::pipeline::{self, Preferences};

use super::args::{Common, Write, Zone};
use super::{Exit, convert, inputs, progress::Bar, summary};

/// Makes one file of all that is named.
pub fn run(
    common: &Common,
    paths: &[PathBuf],
    out: &Path,
    (join, prefer): (bool, Option<&str>),
    (zone, write): (&Zone, &Write),
) -> Result<Exit, Error> {
    let to = convert::format_of(out)?;
    let mut options = inputs::with_zone(inputs::read_options(common)?, zone)?;
    let inputs = inputs::opened(paths, &mut options)?;
    let bar = Bar::start(common);
    let mut run = pipeline::merge_files(&inputs, &options, &preferences(prefer)?, join, &|event| bar.event(event))?;
    run.report.seconds = bar.finish();
    let how = convert::how(write);
    let target = pipeline::Target::File(out.to_owned());
    let written: Vec<_> = run.results.iter().map(|activity| pipeline::write(activity, to, &target, &how)).collect();
    if common.json {
        summary::to_stdout(|out| written.iter().try_for_each(|file| summary::json_line(out, file)))?;
    }
    convert::report_written(common, &written);
    summary::closing(common, &run.sources, &run.report);
    Ok(convert::exit_of(common, &written, run.report.is_clean()))
}

/// `power=zwift,heart_rate=garmin`.
pub fn preferences(text: Option<&str>) -> Result<Preferences, Error> {
    text.map_or_else(|| Ok(Preferences::default()), Preferences::parse)
}

/// Declares the activities of a doubtful pair, or of a workout, one (`accept`) or different (`undo`).
pub fn decide(common: &Common, root: &Path, id: &str, one: bool) -> Result<Exit, Error> {
    let options = inputs::read_options(common)?;
    let members = pipeline::decide(root, id, one, &options)?;
    let list: Vec<String> = members.iter().map(ActivityId::to_string).map(|id| id[..12].to_owned()).collect();
    let what = if one { "one workout" } else { "different workouts" };
    summary::warn(common, &format!("{} are {what} now", list.join(", ")));
    Ok(Exit::Done)
}
