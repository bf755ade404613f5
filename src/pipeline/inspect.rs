//! Sources → summaries; writes nothing.

use super::job::JobRead;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use crate::error::Result;
use crate::model::Summary;
use crate::source::Input;

/// Sums up every activity of every source.
///
/// # Errors
/// When threads cannot be started; what is wrong with a source is in its report.
pub fn inspect(
    inputs: &[Input],
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Run<Vec<Summary>>> {
    let plan = Plan::new(inputs, options);
    let sum_up = |read: JobRead| Ok(read.activities.iter().map(Summary::of).collect());
    read_all(&plan, options, progress, &Visit::each(&sum_up))
}
