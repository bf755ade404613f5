//! What goes into one batch of the journal: only what is new, in canonical order, so that the order in which things were
//! said does not show in the bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::{Action, Alias, Cluster, Decision, Entry, Original};
use super::journal::{self, LineKind};
use super::replay::State;
use crate::error::Result;
use crate::ids::{ActivityId, Digest};
use crate::model::Summary;

/// Lines of a batch to be, sorted by kind, then by what they are about.
#[derive(Default)]
pub(super) struct Lines(BTreeSet<(LineKind, String, Vec<u8>)>);

impl Lines {
    pub fn original(&mut self, original: &Original) -> Result<()> {
        self.0.insert((LineKind::Original, original.path.clone(), journal::body(LineKind::Original, original)?));
        Ok(())
    }

    pub fn activity(&mut self, id: &ActivityId, body: Vec<u8>) {
        self.0.insert((LineKind::Activity, id.to_string(), body));
    }

    pub fn decision(&mut self, decision: &Decision) -> Result<()> {
        self.0.insert((LineKind::Decision, String::new(), journal::body(LineKind::Decision, decision)?));
        Ok(())
    }

    /// A line that is written already, cluster or unknown.
    pub fn body(&mut self, kind: LineKind, body: Vec<u8>) {
        self.0.insert((kind, String::new(), body));
    }

    pub fn into_bodies(self) -> Vec<Vec<u8>> {
        self.0.into_iter().map(|(_, _, body)| body).collect()
    }
}

/// An original that was read again.
pub(super) struct Reread {
    pub digest: Digest,
    pub format: String,
    pub parser: String,
    pub activities: Vec<Summary>,
}

/// The lines of what was put, as far as the state does not know it. `staged` are the lines of new originals; their names
/// and counts are completed here.
pub(super) fn lines<'a>(
    state: &State,
    entries: Vec<Entry>,
    staged: impl Iterator<Item = &'a mut Original>,
    rereads: Vec<Reread>,
) -> Result<Lines> {
    let mut lines = Lines::default();
    let mut names: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    let mut counts: BTreeMap<Digest, BTreeSet<ActivityId>> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Alias { digest, names: more } => names.entry(digest).or_default().extend(more),
            Entry::Activity(summary) => {
                counts.entry(summary.sha256).or_default().insert(summary.id);
                let body = journal::body(LineKind::Activity, &*summary)?;
                if !state.knows_activity(&summary.id, &body) {
                    lines.activity(&summary.id, body);
                }
            }
            Entry::Cluster(cluster) => add_cluster(&mut lines, state, cluster)?,
            Entry::Decision(mut decision) => {
                decision.members.sort_unstable();
                decision.members.dedup();
                if decision.action == Action::Accept || !state.knows_undo(&decision.members) {
                    lines.decision(&decision)?;
                }
            }
        }
    }
    for line in staged {
        line.names.extend(names.remove(&line.digest).unwrap_or_default());
        line.names.sort_unstable();
        line.names.dedup();
        line.activities = counts.get(&line.digest).map_or(line.activities, |ids| ids.len() as u32);
        if state.original(&line.digest) != Some(line) {
            lines.original(line)?;
        }
    }
    for (digest, more) in names {
        let Some(original) = state.original(&digest) else { continue };
        let names: Vec<String> = more.into_iter().filter(|name| !original.names.contains(name)).collect();
        if !names.is_empty() {
            let body = journal::body(LineKind::Alias, &Alias { digest, names })?;
            lines.0.insert((LineKind::Alias, original.path.clone(), body));
        }
    }
    add_rereads(&mut lines, state, rereads)?;
    Ok(lines)
}

fn add_cluster(lines: &mut Lines, state: &State, mut cluster: Cluster) -> Result<()> {
    cluster.members.sort_unstable();
    cluster.members.dedup();
    let body = journal::body(LineKind::Cluster, &cluster)?;
    if !state.knows_cluster(&cluster, &body) {
        lines.body(LineKind::Cluster, body);
    }
    Ok(())
}

/// An original that gives the same activities again only gets the new version; else all its activities are said anew.
fn add_rereads(lines: &mut Lines, state: &State, rereads: Vec<Reread>) -> Result<()> {
    if rereads.is_empty() {
        return Ok(());
    }
    let mut known: HashMap<Digest, usize> = HashMap::new();
    for activity in &state.activities {
        *known.entry(activity.digest).or_default() += 1;
    }
    for Reread { digest, format, parser, activities } in rereads {
        let Some(old) = state.original(&digest) else { continue };
        let mut bodies: BTreeMap<ActivityId, Vec<u8>> = BTreeMap::new();
        for summary in &activities {
            bodies.insert(summary.id, journal::body(LineKind::Activity, summary)?);
        }
        let same = known.get(&digest).copied().unwrap_or(0) == bodies.len()
            && bodies.iter().all(|(id, body)| state.knows_activity(id, body));
        let count = bodies.len() as u32;
        let line = Original { activities: count, format, parser, reread: false, ..old.clone() };
        if same && line == *old {
            continue;
        }
        lines.original(&Original { reread: !same, ..line })?;
        if !same {
            bodies.into_iter().for_each(|(id, body)| lines.activity(&id, body));
        }
    }
    Ok(())
}
