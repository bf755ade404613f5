//! What goes into one batch of the journal: only what is new, in canonical order, so that the order in which things were
//! said does not show in the bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::{io, mem};

use serde::Serialize;

use super::entry::{Action, ActivityLine, Alias, Cluster, Decision, Entry, Original};
use super::journal::{self, LineKind};
use super::replay::State;
use super::waiting::{Piece, Waiting};
use crate::error::{Error, Result};
use crate::ids::{ActivityId, Digest};
use crate::model::Summary;

/// Lines of a batch to be: by kind, then by what they are about.
#[derive(Default)]
pub(super) struct Lines(Vec<(LineKind, About, Piece)>);

/// What a line is about.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// A file of the history.
    Path(Box<str>),
    Activity(ActivityId),
    /// What its text says.
    Itself,
}

impl Lines {
    pub fn original(&mut self, original: &Original) -> Result<()> {
        self.about_file(LineKind::Original, &original.path, original)
    }

    fn about_file(&mut self, kind: LineKind, path: &str, line: &impl Serialize) -> Result<()> {
        self.0.push((kind, About::Path(path.into()), Piece::Here(journal::body(kind, line)?)));
        Ok(())
    }

    pub fn activity(&mut self, id: &ActivityId, body: Piece) {
        self.0.push((LineKind::Activity, About::Activity(*id), body));
    }

    pub fn decision(&mut self, decision: &Decision) -> Result<()> {
        self.body(LineKind::Decision, journal::body(LineKind::Decision, decision)?);
        Ok(())
    }

    /// A line that is written already, decision, cluster or unknown.
    pub fn body(&mut self, kind: LineKind, body: Box<[u8]>) {
        self.0.push((kind, About::Itself, Piece::Here(body)));
    }

    /// All of them in order, each once.
    ///
    /// # Errors
    /// When one cannot be read where it waits.
    pub fn into_bodies(mut self, waiting: &Waiting) -> io::Result<Vec<Piece>> {
        self.0.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut bodies = Vec::with_capacity(self.0.len());
        for same in self.0.chunk_by_mut(|a, b| (a.0, &a.1) == (b.0, &b.1)) {
            if let [(_, _, body)] = same {
                bodies.push(mem::replace(body, Piece::Here(Box::default())));
                continue;
            }
            let mut texts = BTreeSet::new();
            for (_, _, body) in same {
                texts.insert(Box::from(body.bytes(waiting, &mut Vec::new())?));
            }
            bodies.extend(texts.into_iter().map(Piece::Here));
        }
        Ok(bodies)
    }
}

/// What was put since the last commit.
#[derive(Default)]
pub(super) struct Said {
    /// All but activities.
    pub entries: Vec<Entry>,
    /// Those of a whole import; each takes a fourth of the room of an entry.
    pub activities: Vec<ActivityLine>,
    pub rereads: Vec<Reread>,
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
pub(super) fn lines(
    state: &State,
    Said { entries, activities, rereads }: Said,
    waiting: &Waiting,
    staged: impl Iterator<Item = Original>,
) -> Result<Lines> {
    let mut lines = Lines::default();
    let mut names: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    let mut of_originals: Vec<(Digest, ActivityId)> = activities.iter().map(|line| (line.digest, line.id)).collect();
    let mut buffer = Vec::new();
    for ActivityLine { id, body, .. } in activities {
        let known = match state.activity(&id) {
            Some(_) => state.knows_activity(&id, body.bytes(waiting, &mut buffer).map_err(unread)?),
            None => false,
        };
        if !known {
            lines.activity(&id, body);
        }
    }
    for entry in entries {
        match entry {
            Entry::Alias { digest, names: more } => names.entry(digest).or_default().extend(more),
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
    of_originals.sort_unstable();
    of_originals.dedup();
    for mut line in staged {
        line.names.extend(names.remove(&line.digest).unwrap_or_default());
        line.names.sort_unstable();
        line.names.dedup();
        let first = of_originals.partition_point(|(digest, _)| *digest < line.digest);
        let count = of_originals.iter().skip(first).take_while(|(digest, _)| *digest == line.digest).count();
        line.activities = if count > 0 { count as u32 } else { line.activities };
        if state.original(&line.digest) != Some(&line) {
            lines.original(&line)?;
        }
    }
    for (digest, more) in names {
        let Some(original) = state.original(&digest) else { continue };
        let names: Vec<String> = more.into_iter().filter(|name| !original.names.contains(name)).collect();
        if !names.is_empty() {
            lines.about_file(LineKind::Alias, &original.path, &Alias { digest, names })?;
        }
    }
    add_rereads(&mut lines, state, rereads)?;
    Ok(lines)
}

/// A line could not be read where it waits.
pub(super) fn unread(error: io::Error) -> Error {
    Error::io("cannot read a waiting line", error)
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
        let mut bodies: BTreeMap<ActivityId, Box<[u8]>> = BTreeMap::new();
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
            bodies.into_iter().for_each(|(id, body)| lines.activity(&id, Piece::Here(body)));
        }
    }
    Ok(())
}
