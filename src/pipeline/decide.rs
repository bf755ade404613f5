//! The owner's word about doubtful pairs and merged workouts: one journal line, exact to take back.

use std::collections::BTreeSet;
use std::path::Path;

use super::group::merged_cluster;
use super::read::ReadOptions;
use super::shelf::Shelf;
use crate::dedupe::Preferences;
use crate::error::{Error, Kind, Result};
use crate::history::{Action, Decision, Entry, History, StoredCluster, Verdict};
use crate::ids::ActivityId;

/// Fewest digits of an identity that count as one.
const SHORTEST: usize = 4;

/// Declares the activities of the doubtful pair (or workout) that `id` is part of one workout, or different ones. `id`
/// is the start of an activity's identity. Gives the activities that it is about.
///
/// # Errors
/// `Usage` when `id` names no such pair or workout, or several; `Io` and `History` when the history cannot be written.
pub fn decide(root: &Path, id: &str, one: bool, options: &ReadOptions) -> Result<Vec<ActivityId>> {
    let mut writer = History::open_to_write(root, false)?;
    let cluster = find(&writer, id, one)?;
    let mut members: BTreeSet<ActivityId> = cluster.members.iter().copied().collect();
    let action = if one { Action::Accept } else { Action::Undo };
    writer.put(Entry::Decision(Decision { action, members: members.iter().copied().collect() }));
    if one {
        // A pair may tie workouts together that were merged before.
        let touched = writer.clusters().iter().filter(|c| c.verdict == Verdict::Same);
        let more: Vec<ActivityId> = touched
            .filter(|c| c.members.iter().any(|id| members.contains(id)))
            .flat_map(|c| c.members.iter().copied())
            .collect();
        members.extend(more);
        let all: Vec<ActivityId> = members.iter().copied().collect();
        let reasons = vec!["accepted by the owner".to_owned()];
        let cluster = merged_cluster(&Shelf::new(&writer, options), &all, reasons, &Preferences::default())?;
        writer.put(Entry::Cluster(cluster));
    }
    writer.commit()?;
    Ok(members.into_iter().collect())
}

/// The one cluster that has an activity whose identity starts so: a doubtful one to accept, any to undo.
fn find(history: &History, id: &str, one: bool) -> Result<StoredCluster> {
    let id = id.to_ascii_lowercase();
    if id.len() < SHORTEST || !id.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(Error::new(Kind::Usage, format!("{id} is no start of an activity's id")));
    }
    let has = |c: &&StoredCluster| c.members.iter().any(|member| member.to_string().starts_with(&id));
    let fits = |c: &&StoredCluster| !one || c.verdict == Verdict::Unsure;
    let found: Vec<&StoredCluster> = history.clusters().iter().filter(fits).filter(has).collect();
    let merged: Vec<&StoredCluster> = found.iter().copied().filter(|c| c.verdict == Verdict::Same).collect();
    // To undo, a merge comes before a doubt.
    match (found.as_slice(), merged.as_slice()) {
        ([only], _) | (_, [only]) => Ok((*only).clone()),
        ([], _) => {
            let what = if one { "doubtful pair" } else { "merged workout or doubtful pair" };
            Err(Error::new(Kind::Usage, format!("no {what} has an activity whose id starts with {id}")))
        }
        _ => Err(Error::new(Kind::Usage, format!("several pairs have an activity whose id starts with {id}"))),
    }
}
