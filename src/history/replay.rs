//! The journal played back: a pure function from lines to what the history knows.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;

use super::entry::{Action, Alias, Batch, Cluster, Decision, Original, Verdict};
use super::journal::{Line, LineKind};
use crate::error::{Error, Kind, Result};
use crate::ids::{ActivityId, Digest};
use crate::model::{Summary, time};

/// A line of the journal, kept as text until somebody wants all of it.
#[derive(Clone)]
pub(super) struct Text {
    segment: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Text {
    /// The line's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.segment.get(self.range.clone()).unwrap_or_default()
    }

    /// True when the line's body is this one.
    fn has_body(&self, body: &[u8]) -> bool {
        self.bytes().strip_prefix(body).is_some_and(|rest| rest.starts_with(b",\"n\":"))
    }

    fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(self.bytes()).map_err(|error| {
            Error::new(Kind::History, format!("a journal line is not what its kind promises: {error}"))
        })
    }
}

/// An activity of the history: what lists and overlap searches need at hand, the whole summary on demand.
#[derive(Clone)]
pub struct Stored {
    /// Stable identity.
    pub id: ActivityId,
    /// Original that it was read from.
    pub digest: Digest,
    /// Index inside the original.
    pub index: u32,
    /// First instant, ms UTC; `None` for a day-only workout.
    pub start: Option<i64>,
    /// Last instant, ms UTC.
    pub end: Option<i64>,
    /// The day (`YYYY-MM-DD`) of a workout without clock time.
    pub day: Option<Box<str>>,
    /// Local offset from UTC, seconds.
    pub local_offset_s: Option<i32>,
    /// Canonical sport name.
    pub sport: Box<str>,
    /// Name.
    pub name: Option<Box<str>>,
    /// Version of the program that read it.
    pub parser: Arc<str>,
    generation: u32,
    text: Text,
}

impl Stored {
    /// The whole summary, read from the journal line.
    ///
    /// # Errors
    /// `History` when the line lacks what this version wants of a summary.
    pub fn summary(&self) -> Result<Summary> {
        self.text.parse()
    }
}

/// A cluster of the history.
#[derive(Clone)]
pub struct StoredCluster {
    /// Whether it is one workout.
    pub verdict: Verdict,
    /// The activity that the others are merged into.
    pub base: ActivityId,
    /// All activities of the cluster, in order of identity.
    pub members: Vec<ActivityId>,
    text: Text,
}

impl StoredCluster {
    /// All that was said about it, the merged activity included.
    ///
    /// # Errors
    /// `History` when the line lacks what this version wants of a cluster.
    pub fn cluster(&self) -> Result<Cluster> {
        self.text.parse()
    }
}

/// What the history knows.
#[derive(Default)]
pub(super) struct State {
    pub originals: Vec<Original>,
    by_digest: HashMap<Digest, usize>,
    original_generation: Vec<u32>,
    pub activities: Vec<Stored>,
    by_id: HashMap<ActivityId, usize>,
    pub clusters: Vec<StoredCluster>,
    /// Sets of activities that the owner declared different.
    pub apart: Vec<Vec<ActivityId>>,
    /// Lines of kinds that this version does not know.
    pub unknown: usize,
    generation: u32,
    parser: Arc<str>,
}

/// The part of an activity line that is always at hand.
#[derive(Deserialize)]
struct ActivityHead<'a> {
    id: &'a str,
    sha256: &'a str,
    index: u32,
    start: Option<&'a str>,
    end: Option<&'a str>,
    day: Option<&'a str>,
    local_offset_s: Option<i32>,
    #[serde(borrow)]
    sport: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    name: Option<std::borrow::Cow<'a, str>>,
}

/// The part of a cluster line that is always at hand.
#[derive(Deserialize)]
struct ClusterHead {
    verdict: Verdict,
    base: ActivityId,
    members: Vec<ActivityId>,
}

impl State {
    pub fn original(&self, digest: &Digest) -> Option<&Original> {
        self.originals.get(*self.by_digest.get(digest)?)
    }

    pub fn activity(&self, id: &ActivityId) -> Option<&Stored> {
        self.activities.get(*self.by_id.get(id)?)
    }

    /// Plays lines of one segment. Returns the lines that are not what their kind promises. [`State::settle`] must
    /// follow the last one.
    pub fn play(&mut self, segment: &Arc<Vec<u8>>, lines: &[Line]) -> Vec<usize> {
        lines.iter().filter(|line| self.play_line(segment, line).is_none()).map(|line| line.n).collect()
    }

    fn play_line(&mut self, segment: &Arc<Vec<u8>>, line: &Line) -> Option<()> {
        let bytes = segment.get(line.range.clone())?;
        let text = || Text { segment: Arc::clone(segment), range: line.range.clone() };
        match line.kind {
            LineKind::Batch => {
                let batch: Batch = serde_json::from_slice(bytes).ok()?;
                if batch.resets {
                    *self = State { generation: self.generation, ..State::default() };
                }
                self.generation += 1;
                if *self.parser != *batch.parser {
                    self.parser = batch.parser.into();
                }
            }
            LineKind::Original => self.add_original(serde_json::from_slice(bytes).ok()?),
            LineKind::Alias => {
                let alias: Alias = serde_json::from_slice(bytes).ok()?;
                let at = *self.by_digest.get(&alias.digest)?;
                let names = &mut self.originals.get_mut(at)?.names;
                names.extend(alias.names);
                names.sort_unstable();
                names.dedup();
            }
            LineKind::Activity => {
                let head: ActivityHead<'_> = serde_json::from_slice(bytes).ok()?;
                let instant = |text: Option<&str>| match text {
                    Some(text) => time::parse(text.as_bytes()).map(|instant| Some(instant.ms)),
                    None => Some(None),
                };
                let stored = Stored {
                    id: head.id.parse().ok()?,
                    digest: head.sha256.parse().ok()?,
                    index: head.index,
                    start: instant(head.start)?,
                    end: instant(head.end)?,
                    day: head.day.map(Into::into),
                    local_offset_s: head.local_offset_s,
                    sport: head.sport.into(),
                    name: head.name.map(Into::into),
                    parser: Arc::clone(&self.parser),
                    generation: self.generation,
                    text: text(),
                };
                match self.by_id.get(&stored.id).and_then(|&at| self.activities.get_mut(at)) {
                    Some(old) => *old = stored,
                    None => {
                        self.by_id.insert(stored.id, self.activities.len());
                        self.activities.push(stored);
                    }
                }
            }
            LineKind::Decision => self.decide(serde_json::from_slice(bytes).ok()?),
            LineKind::Cluster => {
                let ClusterHead { verdict, base, members } = serde_json::from_slice(bytes).ok()?;
                self.add_cluster(StoredCluster { verdict, base, members, text: text() });
            }
            LineKind::Unknown => self.unknown += 1,
        }
        Some(())
    }

    /// A second line for the same bytes replaces the first one and voids the activities of earlier batches: the original
    /// was read again.
    fn add_original(&mut self, original: Original) {
        match self.by_digest.get(&original.digest) {
            Some(&at) => {
                if let Some(generation) = self.original_generation.get_mut(at) {
                    *generation = self.generation;
                }
                if let Some(slot) = self.originals.get_mut(at) {
                    *slot = original;
                }
            }
            None => {
                self.by_digest.insert(original.digest, self.originals.len());
                self.originals.push(original);
                self.original_generation.push(self.generation);
            }
        }
    }

    /// A cluster replaces what was said before about any of its members with the same certainty, and a merge settles
    /// the doubts inside it.
    fn add_cluster(&mut self, cluster: StoredCluster) {
        let members: HashSet<&ActivityId> = cluster.members.iter().collect();
        self.clusters.retain(|old| {
            let shared = old.members.iter().filter(|id| members.contains(id)).count();
            match (old.verdict, cluster.verdict) {
                (Verdict::Same, Verdict::Same) => shared == 0,
                (Verdict::Unsure, Verdict::Same) => shared < old.members.len(),
                (Verdict::Unsure, Verdict::Unsure) => old.members != cluster.members,
                (Verdict::Same, Verdict::Unsure) => true,
            }
        });
        self.clusters.push(cluster);
    }

    fn decide(&mut self, decision: Decision) {
        let members: HashSet<&ActivityId> = decision.members.iter().collect();
        let inside = |ids: &[ActivityId]| ids.iter().all(|id| members.contains(id));
        self.apart.retain(|set| !inside(set));
        match decision.action {
            Action::Accept => self.clusters.retain(|old| old.verdict == Verdict::Same || !inside(&old.members)),
            Action::Undo => {
                self.clusters.retain(|old| old.members.iter().filter(|id| members.contains(id)).count() < 2);
                self.apart.push(decision.members);
            }
        }
    }

    /// Drops activities of originals that were read again, and puts everything in its order.
    pub fn settle(&mut self) {
        let (by_digest, generations) = (&self.by_digest, &self.original_generation);
        let born = |digest: &Digest| by_digest.get(digest).and_then(|&at| generations.get(at)).copied().unwrap_or(0);
        self.activities.retain(|activity| activity.generation >= born(&activity.digest));
        // Day-only workouts sort by their day's first instant.
        self.activities.sort_by_cached_key(|a| (order_instant(a), a.id));
        self.by_id.clear();
        self.by_id.extend(self.activities.iter().enumerate().map(|(at, activity)| (activity.id, at)));
        let by_id = &self.by_id;
        self.clusters.retain(|cluster| cluster.members.iter().all(|id| by_id.contains_key(id)));
        self.clusters.sort_by(|a, b| (&a.members, a.verdict as u8).cmp(&(&b.members, b.verdict as u8)));
    }

    /// True when the same was said of this activity before.
    pub fn knows_activity(&self, id: &ActivityId, body: &[u8]) -> bool {
        self.activity(id).is_some_and(|activity| activity.text.has_body(body))
    }

    /// True when the same was said of these members before.
    pub fn knows_cluster(&self, cluster: &Cluster, body: &[u8]) -> bool {
        let first = self.clusters.partition_point(|have| have.members < cluster.members);
        let same = self.clusters.iter().skip(first).take_while(|have| have.members == cluster.members);
        same.into_iter().any(|have| have.text.has_body(body))
    }

    /// True when these activities are declared different, and nothing says otherwise.
    pub fn knows_undo(&self, members: &[ActivityId]) -> bool {
        self.apart.iter().any(|set| set == members)
    }
}

/// The instant that an activity is ordered by: its start, else the midnight of its day, else the end of time.
fn order_instant(activity: &Stored) -> i64 {
    let midnight = || time::parse(format!("{}T00:00:00Z", activity.day.as_deref()?).as_bytes()).map(|day| day.ms);
    activity.start.or_else(midnight).unwrap_or(i64::MAX)
}
