//! Sources → summaries; writes nothing.

use std::io;

use super::job::JobRead;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::report::{RunReport, SourceReport};
use super::told::Told;
use super::zones::Claims;
use crate::error::{Error, Kind, Result};
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
        (0..self.activities.len()).map(|place| summary(&self.activities, place))
    }
}

/// Sums up every activity of every source. What the activities tell of one another's zones is heeded; which of them are the
/// same workout is not looked for, as that takes more time than all else.
///
/// # Errors
/// When threads cannot be started or the temporary file not be written; what is wrong with a source is in its report.
pub fn inspect(inputs: &[Input], options: &ReadOptions, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Inspected> {
    let plan = Plan::new(inputs, options);
    let waiting = Waiting::made(source::nameless);
    // What a job gave waits as one text: what each activity claims, and where its line is.
    let sum_up = |read: JobRead| -> Result<Text> {
        let mut all = Vec::with_capacity(read.activities.len());
        for activity in &read.activities {
            let summary = Summary::of(activity);
            all.push((Claim::of(&summary), waiting.put(&serde_json::to_vec(&summary).map_err(not_left)?)?));
        }
        waiting.put(&serde_json::to_vec(&all).map_err(not_left)?)
    };
    let Run { sources, results, mut report } = read_all(&plan, options, progress, &Visit::each(&sum_up))?;
    drop(plan);
    let (mut claims, mut lines) = (Claims::with_room(results.len()), Vec::with_capacity(results.len()));
    let mut text = Vec::new();
    for job in results {
        waiting.read(job, &mut text).map_err(unread)?;
        let all: Vec<(Option<Claim>, Text)> = serde_json::from_slice(&text).map_err(not_left)?;
        for (claim, line) in all {
            claims.add(claim);
            lines.push(line);
        }
    }
    report.clusters = lines.len() as u64;
    let mut activities = Told::of(lines, waiting);
    for (place, correction) in claims.judged(&|place| Ok(summary(&activities, place)?.source), options)? {
        let mut corrected = summary(&activities, place)?;
        correction.apply_to_summary(&mut corrected);
        activities.replace(place, &corrected)?;
    }
    Ok(Inspected { sources, report, activities })
}

fn summary(activities: &Told, place: usize) -> Result<Summary> {
    serde_json::from_slice(&activities.line(place).map_err(unread)?).map_err(not_left)
}

fn unread(error: io::Error) -> Error {
    Error::io("cannot read what waits", error)
}

fn not_left(error: serde_json::Error) -> Error {
    Error::new(Kind::Internal, format!("cannot leave a summary for the end: {error}"))
}
