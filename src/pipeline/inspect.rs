//! Sources → summaries; writes nothing.

use super::job::JobRead;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::zones;
use crate::dedupe::{self, Fingerprint};
use crate::error::Result;
use crate::fix::ZoneChoice;
use crate::model::Summary;
use crate::source::Input;

/// Sums up every activity of every source, and says how many workouts they are. What the activities tell of one another's
/// zones is heeded.
///
/// # Errors
/// When threads cannot be started; what is wrong with a source is in its report.
pub fn inspect(
    inputs: &[Input],
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Run<Vec<Summary>>> {
    let plan = Plan::new(inputs, options);
    let sum_up = |read: JobRead| {
        Ok(read
            .activities
            .iter()
            .map(|activity| (Summary::of(activity), Fingerprint::of(activity)))
            .collect::<Vec<_>>())
    };
    let run = read_all(&plan, options, progress, &Visit::each(&sum_up))?;
    let (mut summaries, prints): (Vec<Summary>, Vec<Fingerprint>) = run.results.into_iter().flatten().unzip();
    let grouping = dedupe::group(&prints);
    let again: usize = grouping.clusters.iter().map(|cluster| cluster.members.len() - 1).sum();
    let mut report = run.report;
    report.clusters = (summaries.len() - again) as u64;
    report.unsure = grouping.unsure.len() as u64;
    if options.settle.zone != ZoneChoice::Keep {
        zones::by_others(&mut summaries, &[], options);
    }
    Ok(Run { sources: run.sources, results: vec![summaries], report, notes: run.notes })
}
