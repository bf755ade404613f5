//! Several recordings → one activity, by hand (`merge`).

use super::convert::{Target, WriteOptions, Written, write_one};
use super::job::JobRead;
use super::names;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::zones;
use crate::dedupe::{self, Merged, Preferences};
use crate::error::{Error, Kind, Result};
use crate::fix::{self, SettleOptions, zone::Verdict};
use crate::formats::Format;
use crate::model::{Activity, Summary};
use crate::source::Input;

/// Settles what merging made: order and computed totals; the times are taken as they are.
///
/// # Errors
/// `Internal` when there was nothing to merge.
pub(super) fn settled(merged: Option<Merged>) -> Result<Activity> {
    let merged = merged.ok_or_else(|| Error::new(Kind::Internal, "there is nothing to merge"))?;
    let decided = Verdict {
        shift_ms: 0,
        offset_s: merged.offset_s,
        evidence: merged.evidence,
        floating: merged.floating,
        weak: false,
    };
    let mut activity = fix::settle(merged.draft, &SettleOptions { decided: Some(decided), ..SettleOptions::default() });
    activity.shift_ms = merged.shift_ms;
    activity.origin = merged.origin;
    Ok(activity)
}

/// The summary of a merged activity; its members are listed apart.
pub(super) fn merged_summary(activity: &Activity) -> Summary {
    Summary { companions: Vec::new(), ..Summary::of(activity) }
}

/// Reads all sources and makes one activity of everything in them: recordings of one workout (`join` false) or
/// consecutive parts of it. The activity is the one result of the run.
///
/// # Errors
/// `Usage` when there is nothing to merge, when a source cannot be read, or when one has no time in common with the
/// others: a merge by hand wants all it names.
pub fn merge_files(
    inputs: &[Input],
    options: &ReadOptions,
    preferences: &Preferences,
    join: bool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Run<Activity>> {
    let plan = Plan::new(inputs, options);
    let run = read_all(&plan, options, progress, &Visit::each(&|read: JobRead| Ok(read.activities)))?;
    if let Some(error) = run.sources.iter().find_map(|source| source.error()) {
        return Err(Error::new(Kind::Usage, format!("nothing is merged, a source cannot be read: {error}")));
    }
    let Run { sources, results, mut report } = run;
    let mut activities: Vec<Activity> = results.into_iter().flatten().collect();
    zones::settle_together(activities.iter_mut(), options)?;
    if activities.is_empty() {
        return Err(Error::new(Kind::Usage, "there is no activity in these sources"));
    }
    let all: Vec<&Activity> = activities.iter().collect();
    let merged = if join { dedupe::join(&all) } else { dedupe::merge(&all, preferences) };
    if let Some(merged) = merged.as_ref().filter(|merged| !merged.apart.is_empty()) {
        let (apart, base) = (merged.apart.join(", "), &merged.origin.source);
        let message = format!(
            "nothing is merged: {apart} and {base} have no common time; --join makes one of parts that follow each other"
        );
        return Err(Error::new(Kind::Usage, message));
    }
    (report.clusters, report.merged) = (1, activities.len() as u64 - 1);
    Ok(Run { sources, results: vec![settled(merged)?], report })
}

/// Writes one activity where the user wants it.
pub fn write(activity: &Activity, to: &'static Format, target: &Target, how: &WriteOptions) -> Written {
    let path = match target {
        Target::Memory => None,
        Target::File(path) => Some(path.clone()),
        Target::Folder(folder) => {
            let extension = to.extensions.first().copied().unwrap_or(to.id);
            Some(folder.join(names::by_start(activity, extension)))
        }
    };
    write_one(activity, to, path, how)
}
