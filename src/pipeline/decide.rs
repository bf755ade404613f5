//! The owner's word about doubtful pairs and merged workouts: one journal line, exact to take back.

use std::collections::BTreeSet;
use std::path::Path;

use super::group::{merged_again, merged_cluster, preferences_of};
use super::read::ReadOptions;
use super::shelf::Shelf;
use crate::dedupe::Preferences;
use crate::error::{Error, Kind, Result};
use crate::history::{Action, Cluster, Decision, Entry, History, StoredCluster, Verdict};
use crate::ids::ActivityId;

/// Fewest digits of an identity that count as one.
const SHORTEST: usize = 4;

/// Declares the activities of the doubtful pair (or workout) that `id` is part of one workout, or different ones. `id`
/// is the start of an activity's identity. What was declared different can be declared one workout again. Merged workouts
/// that an accepted pair ties together are one from then on, and those two again after an undo. Gives the activities that it
/// is about.
///
/// # Errors
/// `Usage` when `id` names no such pair or workout, or several; `Io` and `History` when the history cannot be written.
pub fn decide(root: &Path, id: &str, one: bool, options: &ReadOptions) -> Result<Vec<ActivityId>> {
    let mut writer = History::open_to_write(root, false)?;
    let (members, entries) = {
        let shelf = Shelf::new(&writer, options);
        if one { accept(&shelf, &to_accept(&writer, id)?)? } else { undo(&shelf, &to_undo(&writer, id)?)? }
    };
    entries.into_iter().for_each(|entry| writer.put(entry));
    writer.commit()?;
    Ok(members)
}

/// The activities of a decision, and what the journal is told of it.
type Told = (Vec<ActivityId>, Vec<Entry>);

fn accept(shelf: &Shelf<'_>, pair: &[ActivityId]) -> Result<Told> {
    let merged = shelf.history.clusters().filter(|c| c.verdict == Verdict::Same);
    let touched = merged.filter(|c| c.members.iter().any(|id| pair.contains(id)));
    let replaces = touched.map(StoredCluster::cluster).collect::<Result<Vec<Cluster>>>()?;
    let tied = replaces.iter().flat_map(|cluster| &cluster.members);
    let members: BTreeSet<ActivityId> = pair.iter().chain(tied).copied().collect();
    let members: Vec<ActivityId> = members.into_iter().collect();
    let undone = shelf.history.undone().iter().rfind(|cluster| cluster.members == members);
    let (reasons, preferences) = match undone.map(StoredCluster::cluster).transpose()? {
        Some(undone) => (undone.reasons.clone(), preferences_of(&undone)?),
        None => {
            let preferred = replaces.iter().map(|cluster| cluster.prefer.as_str()).find(|text| !text.is_empty());
            (vec!["accepted by the owner".to_owned()], Preferences::parse(preferred.unwrap_or_default())?)
        }
    };
    let cluster = merged_cluster(shelf, &members, reasons, &preferences)?;
    let accepted = Decision { action: Action::Accept, members: pair.to_vec() };
    Ok((members, vec![Entry::Decision(accepted), Entry::Cluster(Cluster { replaces, ..cluster })]))
}

fn undo(shelf: &Shelf<'_>, cluster: &StoredCluster) -> Result<Told> {
    let before = cluster.cluster()?.replaces;
    // What was one workout before stays so; each of those is different from all others.
    let mut homes: Vec<Vec<ActivityId>> = before.iter().map(|cluster| cluster.members.clone()).collect();
    let lone = |id: &&ActivityId| !before.iter().any(|cluster| cluster.members.contains(id));
    homes.extend(cluster.members.iter().filter(lone).map(|id| vec![*id]));
    let apart = |members: Vec<ActivityId>| Entry::Decision(Decision { action: Action::Undo, members });
    let mut entries = Vec::new();
    if before.is_empty() {
        entries.push(apart(cluster.members.clone()));
    } else {
        for (at, home) in homes.iter().enumerate() {
            let others = homes[at + 1..].iter().flatten();
            entries.extend(others.flat_map(|b| home.iter().map(|a| apart(vec![*a, *b]))));
        }
    }
    for cluster in before {
        entries.extend(merged_again(shelf, cluster)?.map(Entry::Cluster));
    }
    Ok((cluster.members.clone(), entries))
}

/// The one merged workout or doubtful pair that has an activity whose identity starts so; a merge comes before a doubt.
fn to_undo(history: &History, id: &str) -> Result<StoredCluster> {
    let id = start_of_id(id)?;
    let found: Vec<&StoredCluster> = history.clusters().filter(|c| has(&c.members, &id)).collect();
    let merged: Vec<&StoredCluster> = found.iter().copied().filter(|c| c.verdict == Verdict::Same).collect();
    match (found.as_slice(), merged.as_slice()) {
        ([only], _) | (_, [only]) => Ok((*only).clone()),
        ([], _) => Err(none("merged workout or doubtful pair", &id)),
        _ => Err(several(&id)),
    }
}

/// The activities of the one doubtful pair that has an activity whose identity starts so; when there is no such pair, of
/// the workouts that the owner declared different.
fn to_accept(history: &History, id: &str) -> Result<Vec<ActivityId>> {
    let id = start_of_id(id)?;
    let doubts = history.clusters().filter(|c| c.verdict == Verdict::Unsure && has(&c.members, &id));
    let mut found: BTreeSet<Vec<ActivityId>> = doubts.map(|c| c.members.clone()).collect();
    if found.is_empty() {
        let sets = history.apart().iter().filter(|set| has(set, &id));
        found = sets.filter_map(|set| workouts_of(history, set)).collect();
    }
    match (found.pop_first(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(none("doubtful pair, and no workout that was taken back,", &id)),
        _ => Err(several(&id)),
    }
}

/// All activities of the workouts that these activities are part of, in order of identity: an undo says of each pair
/// across two workouts that it is different. `None` when it is one workout, or not all of them are there any more.
fn workouts_of(history: &History, set: &[ActivityId]) -> Option<Vec<ActivityId>> {
    let merged = history.clusters().filter(|c| c.verdict == Verdict::Same);
    let touched: Vec<&StoredCluster> = merged.filter(|c| c.members.iter().any(|id| set.contains(id))).collect();
    let one = touched.iter().any(|c| set.iter().all(|id| c.members.contains(id)));
    let known = set.iter().all(|id| history.activity(id).is_some());
    let all: BTreeSet<ActivityId> = set.iter().chain(touched.iter().flat_map(|c| &c.members)).copied().collect();
    (known && !one).then(|| all.into_iter().collect())
}

fn has(members: &[ActivityId], id: &str) -> bool {
    members.iter().any(|member| member.to_string().starts_with(id))
}

fn start_of_id(id: &str) -> Result<String> {
    let lower = id.to_ascii_lowercase();
    let plausible = lower.len() >= SHORTEST && lower.chars().all(|c| c.is_ascii_hexdigit());
    let wrong = || Error::new(Kind::Usage, format!("{id} is no start of an activity's id"));
    if plausible { Ok(lower) } else { Err(wrong()) }
}

fn none(what: &str, id: &str) -> Error {
    Error::new(Kind::Usage, format!("no {what} has an activity whose id starts with {id}"))
}

fn several(id: &str) -> Error {
    Error::new(Kind::Usage, format!("several pairs have an activity whose id starts with {id}"))
}
