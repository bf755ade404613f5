//! What goes into one batch of the journal: only what is new, in canonical order, so that the order in which things were
//! said does not show in the bytes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;

use super::entry::{Action, ActivityLine, Alias, ClusterLine, Decision, Entry, Original};
use super::journal::{self, LineKind};
use super::replay::State;
use super::staging::Staged;
use super::waiting::{Piece, Waiting};
use crate::error::{Error, Result};
use crate::ids::{ActivityId, Digest, UNMIXED};
use crate::model::Summary;

/// Takes a line: its kind, its body, and of a staged original what is kept at hand, its digest and the start of that of its
/// stream. Reading the line again for that would take longer than writing it.
pub(super) type Take<'a> = &'a mut dyn FnMut(LineKind, &[u8], Option<(Digest, u64)>) -> io::Result<()>;

/// Lines of a batch to be, by kind. Those of a hundred thousand new files are written out of where they wait.
#[derive(Default)]
pub(super) struct Lines {
    staged: BTreeMap<Digest, Staged>,
    originals: BTreeMap<Digest, Box<[u8]>>,
    aliases: BTreeMap<Digest, Box<[u8]>>,
    activities: Vec<ActivityLine>,
    decisions: BTreeSet<Box<[u8]>>,
    clusters: Vec<ClusterLine>,
    unknown: BTreeSet<Box<[u8]>>,
}

impl Lines {
    /// The line of an original that is not staged.
    pub fn original(&mut self, original: &Original) -> Result<()> {
        self.originals.insert(original.digest, journal::body(LineKind::Original, original)?);
        Ok(())
    }

    pub fn activity(&mut self, line: ActivityLine) {
        self.activities.push(line);
    }

    pub fn decision(&mut self, decision: &Decision) -> Result<()> {
        self.decisions.insert(journal::body(LineKind::Decision, decision)?);
        Ok(())
    }

    pub fn cluster(&mut self, line: ClusterLine) {
        self.clusters.push(line);
    }

    /// A line of a kind that this version does not know.
    pub fn unknown(&mut self, body: Box<[u8]>) {
        self.unknown.insert(body);
    }

    /// Puts activities and clusters in order, each line once.
    ///
    /// # Errors
    /// When one cannot be read where it waits.
    pub fn settle(&mut self, waiting: &Waiting) -> io::Result<()> {
        in_order(&mut self.activities, waiting, &|a, b| a.id.cmp(&b.id), &|line| &line.body)?;
        let about = |line: &ClusterLine| (line.verdict as u8, line.base);
        let order = |a: &ClusterLine, b: &ClusterLine| (about(a), &a.members).cmp(&(about(b), &b.members));
        in_order(&mut self.clusters, waiting, &order, &|line| &line.body)
    }

    /// How many originals, activities and other lines there are.
    pub fn counts(&self) -> [usize; 3] {
        let others = self.aliases.len() + self.decisions.len() + self.clusters.len() + self.unknown.len();
        [self.staged.len() + self.originals.len(), self.activities.len(), others]
    }

    /// Hands each line over in order, without number and seal, and forgets it.
    ///
    /// # Errors
    /// What `each` says, and when a line cannot be read where it waits.
    pub fn hand_over(self, waiting: &Waiting, each: Take<'_>) -> io::Result<()> {
        let mut buffer = Vec::new();
        for (digest, staged) in self.staged {
            each(LineKind::Original, &staged.body(waiting, &mut buffer)?, Some((digest, staged.stream)))?;
        }
        let mut each = |kind: LineKind, body: &[u8]| each(kind, body, None);
        self.originals.into_values().try_for_each(|body| each(LineKind::Original, &body))?;
        self.aliases.into_values().try_for_each(|body| each(LineKind::Alias, &body))?;
        for line in self.activities {
            each(LineKind::Activity, line.body.bytes(waiting, &mut buffer)?)?;
        }
        self.decisions.into_iter().try_for_each(|body| each(LineKind::Decision, &body))?;
        for line in self.clusters {
            each(LineKind::Cluster, line.body.bytes(waiting, &mut buffer)?)?;
        }
        self.unknown.into_iter().try_for_each(|body| each(LineKind::Unknown, &body))
    }
}

/// Puts lines in an order; of those that it does not tell apart each text once, in order of the texts.
fn in_order<T: Clone>(
    lines: &mut Vec<T>,
    waiting: &Waiting,
    order: &dyn Fn(&T, &T) -> Ordering,
    body: &dyn Fn(&T) -> &Piece,
) -> io::Result<()> {
    lines.sort_by(order);
    if lines.is_sorted_by(|a, b| order(a, b).is_lt()) {
        return Ok(());
    }
    let mut settled = Vec::with_capacity(lines.len());
    for same in lines.chunk_by(|a, b| order(a, b).is_eq()) {
        let mut texts: BTreeMap<Vec<u8>, &T> = BTreeMap::new();
        for line in same {
            texts.insert(body(line).bytes(waiting, &mut Vec::new())?.to_vec(), line);
        }
        settled.extend(texts.into_values().cloned());
    }
    *lines = settled;
    Ok(())
}

/// What was put since the last commit.
#[derive(Default)]
pub(super) struct Said {
    /// All but what follows.
    pub entries: Vec<Entry>,
    pub clusters: Vec<ClusterLine>,
    /// Those of a whole import; each takes little.
    pub activities: Vec<ActivityLine>,
    pub rereads: Vec<Reread>,
}

/// An original that was read again.
pub(super) struct Reread {
    pub digest: Digest,
    pub format: String,
    pub parser: String,
    /// `None` when they are what its lines say.
    pub activities: Option<Vec<Summary>>,
}

/// The lines of what was put, as far as the state does not know it. `staged` are the lines of new originals; their names
/// and counts are completed here.
pub(super) fn lines(
    state: &State,
    Said { entries, mut clusters, activities, rereads }: Said,
    waiting: &Waiting,
    staged: BTreeMap<Digest, Staged>,
) -> Result<Lines> {
    let mut lines = Lines { staged, activities, ..Lines::default() };
    lines.settle(waiting).map_err(unread)?;
    for same in lines.activities.chunk_by(|a, b| a.id == b.id) {
        if let Some(staged) = same.first().and_then(|line| of_activity(&mut lines.staged, &line.id)) {
            staged.count_one();
        }
    }
    let (mut buffer, mut failed) = (Vec::new(), None);
    lines.activities.retain(|line| {
        if state.activity(&line.id).is_none() {
            return true;
        }
        let body = line.body.bytes(waiting, &mut buffer).map_err(|error| failed = Some(error));
        body.is_ok_and(|body| !state.knows_activity(&line.id, body))
    });
    failed.map_or(Ok(()), |error| Err(unread(error)))?;
    let mut names: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Alias { digest, names: more } => names.entry(digest).or_default().extend(more),
            Entry::Cluster(cluster) => clusters.push(ClusterLine::of(cluster)?),
            Entry::Decision(mut decision) => {
                decision.members.sort_unstable();
                decision.members.dedup();
                if decision.action == Action::Accept || !state.knows_undo(&decision.members) {
                    lines.decision(&decision)?;
                }
            }
        }
    }
    for line in clusters {
        if !state.knows_cluster(&line.members, line.body.bytes(waiting, &mut buffer).map_err(unread)?) {
            lines.cluster(line);
        }
    }
    for (digest, more) in names {
        if let Some(staged) = lines.staged.get_mut(&digest) {
            staged.add_names(more);
            continue;
        }
        let Some(original) = state.original(&digest)? else { continue };
        let known: HashSet<String> = original.names.into_iter().collect();
        let names: Vec<String> = more.into_iter().filter(|name| !known.contains(name)).collect();
        if !names.is_empty() {
            lines.aliases.insert(digest, journal::body(LineKind::Alias, &Alias { digest, names })?);
        }
    }
    // Of those whose files were lost the line may be known.
    let again: Vec<Digest> = lines.staged.keys().filter(|digest| state.knows_original(digest)).copied().collect();
    for digest in again {
        let said = lines.staged.get(&digest).map(|staged| staged.line(waiting)).transpose()?;
        if said == state.original(&digest)? {
            lines.staged.remove(&digest);
        }
    }
    add_rereads(&mut lines, state, rereads)?;
    Ok(lines)
}

/// The staged original that an activity is of: its identity starts as their digest does.
fn of_activity<'s>(staged: &'s mut BTreeMap<Digest, Staged>, id: &ActivityId) -> Option<&'s mut Staged> {
    let (mut least, start) = (Digest::default(), id.0.get(..UNMIXED)?);
    least.0.get_mut(..UNMIXED)?.copy_from_slice(start);
    let (digest, staged) = staged.range_mut(least..).next()?;
    (digest.0.get(..UNMIXED)? == start).then_some(staged)
}

/// A line could not be read where it waits.
pub(super) fn unread(error: io::Error) -> Error {
    Error::io("cannot read a waiting line", error)
}

/// An original that gives the same activities again only gets the new version; else all its activities are said anew.
fn add_rereads(lines: &mut Lines, state: &State, rereads: Vec<Reread>) -> Result<()> {
    for Reread { digest, format, parser, activities } in rereads {
        let Some(old) = state.original(&digest)? else { continue };
        let before = state.activities_of(&digest).count();
        let mut bodies: BTreeMap<ActivityId, Box<[u8]>> = BTreeMap::new();
        for summary in activities.iter().flatten() {
            bodies.insert(summary.id, journal::body(LineKind::Activity, summary)?);
        }
        let known = || before == bodies.len() && bodies.iter().all(|(id, body)| state.knows_activity(id, body));
        let same = activities.is_none() || known();
        let count = if same { before } else { bodies.len() } as u32;
        let line = Original { activities: count, format, parser, reread: false, ..old.clone() };
        if same && line == old {
            continue;
        }
        lines.original(&Original { reread: !same, ..line })?;
        if !same {
            let of_it = |(id, body)| ActivityLine { id, body: Piece::Here(body) };
            bodies.into_iter().map(of_it).for_each(|line| lines.activity(line));
        }
    }
    Ok(())
}
