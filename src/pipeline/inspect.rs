//! Sources → summaries; writes nothing.

use super::job::JobRead;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::zones;
use crate::error::Result;
use crate::fix::ZoneChoice;
use crate::model::Summary;
use crate::source::Input;

/// Sums up every activity of every source. What the activities tell of one another's zones is heeded; which of them are the
/// same workout is not looked for, as that takes more time than all else.
///
/// # Errors
/// When threads cannot be started; what is wrong with a source is in its report.
pub fn inspect(
    inputs: &[Input],
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Run<Box<Summary>>> {
    let plan = Plan::new(inputs, options);
    let sum_up = |read: JobRead| -> Result<Vec<Box<Summary>>> {
        Ok(read.activities.iter().map(|activity| Box::new(Summary::of(activity))).collect())
    };
    let run = read_all(&plan, options, progress, &Visit::each(&sum_up))?;
    let mut summaries: Vec<Box<Summary>> = run.results.into_iter().flatten().collect();
    let mut report = run.report;
    report.clusters = summaries.len() as u64;
    if options.settle.zone != ZoneChoice::Keep {
        zones::by_others(&mut summaries, &[], options);
    }
    Ok(Run { sources: run.sources, results: summaries, report })
}
