//! Sources → summaries; writes nothing.

use super::job::JobRead;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::report::{RunReport, SourceReport};
use super::told::Told;
use super::zones::Claims;
use crate::error::Result;
use crate::fix::zone::Claim;
use crate::history::{Text, Waiting};
use crate::model::Summary;
use crate::source::{self, Input};

/// What was found.
pub struct Inspected {
    /// One line a source, as those of a [`Run`].
    pub sources: Vec<SourceReport>,
    /// Counts, and remarks on the walk through folders and archives.
    pub report: RunReport,
    /// The activities' lines of the JSON contract, in plan order.
    pub activities: Told,
}

impl Inspected {
    /// The summaries of the activities, in plan order.
    ///
    /// # Errors
    /// Each when its line cannot be read where it waits.
    pub fn summaries(&self) -> impl Iterator<Item = Result<Summary>> {
        (0..self.activities.len()).map(|place| self.activities.value(place))
    }
}

/// Sums up every activity of every source. What the activities tell of one another's zones is heeded; which of them are the
/// same workout is not looked for, as that takes more time than all else.
///
/// # Errors
/// When the temporary file cannot be written; what is wrong with a source is in its report.
pub fn inspect(inputs: &[Input], options: &ReadOptions, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Inspected> {
    let plan = Plan::new(inputs, options);
    let waiting = Waiting::made(source::nameless);
    plan.announce(&waiting);
    // What a job gave waits as one text: what each activity claims, and where its line is.
    let sum_up = |read: JobRead| -> Result<Text> {
        let mut all = Vec::with_capacity(read.activities.len());
        for activity in &read.activities {
            let summary = Summary::of(activity);
            all.push((Claim::of(&summary), waiting.put_json(&summary)?));
        }
        waiting.put_json(&all)
    };
    let Run { sources, results, mut report } = read_all(&plan, options, progress, &Visit::each(&sum_up))?;
    drop(plan);
    let (mut claims, mut lines) = (Claims::with_room(results.len()), Vec::with_capacity(results.len()));
    for job in results {
        for (claim, line) in waiting.read_json::<Vec<(Option<Claim>, Text)>>(job)? {
            claims.add(claim);
            lines.push(line);
        }
    }
    report.clusters = lines.len() as u64;
    let mut activities = Told::of(lines, waiting);
    for (place, correction) in claims.judged(&|place| Ok(activities.value::<Summary>(place)?.source), options)? {
        let mut corrected: Summary = activities.value(place)?;
        correction.apply_to_summary(&mut corrected);
        activities.replace(place, &corrected)?;
    }
    Ok(Inspected { sources, report, activities })
}
