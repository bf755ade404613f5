//! The owner's word about doubtful pairs and merged workouts: one journal line, exact to take back.

use std::collections::BTreeSet;
use std::path::Path;

use super::group::{merged_again, merged_cluster};
use super::read::ReadOptions;
use super::shelf::Shelf;
use crate::dedupe::Preferences;
use crate::error::{Error, Kind, Result};
use crate::history::{Action, Cluster, Decision, Entry, History, StoredCluster, Verdict};
use crate::ids::ActivityId;

/// Fewest digits of an identity that count as one.
const SHORTEST: usize = 4;

/// Declares the activities of the doubtful pair (or workout) that `id` is part of one workout, or different ones. `id`
/// is the start of an activity's identity. Merged workouts that an accepted pair ties together are one from then on, and
/// those two again after an undo. Gives the activities that it is about.
///
/// # Errors
/// `Usage` when `id` names no such pair or workout, or several; `Io` and `History` when the history cannot be written.
pub fn decide(root: &Path, id: &str, one: bool, options: &ReadOptions) -> Result<Vec<ActivityId>> {
    let mut writer = History::open_to_write(root, false)?;
    let cluster = find(&writer, id, one)?;
    let (members, entries) = {
        let shelf = Shelf::new(&writer, options);
        if one { accept(&shelf, &cluster)? } else { undo(&shelf, &cluster)? }
    };
    entries.into_iter().for_each(|entry| writer.put(entry));
    writer.commit()?;
    Ok(members)
}

/// The activities of a decision, and what the journal is told of it.
type Told = (Vec<ActivityId>, Vec<Entry>);

fn accept(shelf: &Shelf<'_>, pair: &StoredCluster) -> Result<Told> {
    let merged = shelf.history.clusters().iter().filter(|c| c.verdict == Verdict::Same);
    let touched = merged.filter(|c| c.members.iter().any(|id| pair.members.contains(id)));
    let replaces = touched.map(StoredCluster::cluster).collect::<Result<Vec<Cluster>>>()?;
    let tied = replaces.iter().flat_map(|cluster| &cluster.members);
    let members: BTreeSet<ActivityId> = pair.members.iter().chain(tied).copied().collect();
    let members: Vec<ActivityId> = members.into_iter().collect();
    let reasons = vec!["accepted by the owner".to_owned()];
    let preferred = replaces.iter().map(|cluster| cluster.prefer.as_str()).find(|text| !text.is_empty());
    let preferences = Preferences::parse(preferred.unwrap_or_default())?;
    let cluster = merged_cluster(shelf, &members, reasons, &preferences)?;
    let accepted = Decision { action: Action::Accept, members: pair.members.clone() };
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
