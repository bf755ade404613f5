//! Sources → files of another format, recordings of one workout in one file (`convert --merge`). All sources are read once to
//! tell which belong together, and once more to be written: an archive of any size takes little memory.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use super::convert::{Target, WriteOptions, Written, nameless, write_one, writer_of};
use super::group::{AT_HAND, Fresh, same_workouts};
use super::job::JobRead;
use super::merge::settled;
use super::names::Tree;
use super::plan::Plan;
use super::read::{Progress, ReadOptions, Run, Visit, read_all};
use super::sets::{self, HELD};
use super::zones::Claims;
use crate::dedupe::{self, Fingerprint, Preferences};
use crate::error::{Error, Result};
use crate::fix::zone::{Claim, Correction};
use crate::formats::Format;
use crate::history::{Text, Waiting};
use crate::ids::ActivityId;
use crate::model::Activity;
use crate::source::{self, Input};

/// An activity after the first reading.
struct Met {
    id: ActivityId,
    claim: Option<Claim>,
    /// `None` when others moved its times, until it is taken again.
    fresh: Option<Fresh>,
    /// The name of its source.
    source: Text,
    /// Bytes that it takes in memory.
    bytes: u64,
}

impl Met {
    fn of(activity: &Activity, waiting: &Waiting) -> Result<Met> {
        let (samples, channels) = (activity.track.len() as u64, activity.track.channels().count() as u64);
        Ok(Met {
            id: activity.origin.id(),
            claim: Claim::of_activity(activity),
            fresh: Some(Fresh::of(Fingerprint::of(activity)).leave(waiting)?),
            source: waiting.put(activity.origin.source.as_bytes())?,
            bytes: sets::bytes_of(samples, channels),
        })
    }

    fn source(&self, waiting: &Waiting) -> Result<String> {
        let mut name = Vec::new();
        let read = waiting.read(self.source, &mut name);
        read.map_err(|error| Error::io("cannot read the temporary file", error))?;
        Ok(String::from_utf8_lossy(&name).into_owned())
    }
}

/// As [`convert`](super::convert()), but recordings of one workout become one file, at the place of the recording that
/// the others were merged into. Gives the run with its counts of clusters, merged activities and doubtful pairs.
///
/// # Errors
/// As `convert`, and when the temporary file for what waits cannot be read.
pub fn convert_merged(
    inputs: &[Input],
    options: &ReadOptions,
    to: &'static Format,
    target: &Target,
    how: &WriteOptions,
    preferences: &Preferences,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Run<Vec<Written>>> {
    writer_of(to)?;
    let options = &ReadOptions { once: true, ..options.clone() };
    let plan = Plan::new(inputs, options);
    let tree = Tree::plan(plan.jobs(), to);
    let waiting = Waiting::made(source::nameless);
    plan.announce(&waiting);
    let meet = |read: JobRead| read.activities.iter().map(|one| Met::of(one, &waiting)).collect::<Result<Vec<Met>>>();
    let Run { sources, results, mut report } = read_all(&plan, options, progress, &Visit::each(&meet))?;
    let mut met: Vec<Met> = results.into_iter().flatten().collect();
    let corrections = corrected(&plan, options, &waiting, &mut met)?;
    let mut fresh: Vec<Fresh> = met.iter_mut().filter_map(|one| one.fresh.take()).collect();
    if fresh.len() > AT_HAND {
        fresh.iter_mut().for_each(|fresh| fresh.at_hand = None);
    }
    let (clusters, unsure) = same_workouts(fresh, &waiting)?;
    report.unsure = unsure as u64;
    report.merged = clusters.iter().map(|members| members.len() as u64 - 1).sum();
    let again = Again::of(&met, &clusters, &corrections, &waiting);
    let write = |activity: &Activity, label: &str| {
        let place = || target.path(&tree, label, activity.origin.index as usize);
        write_one(activity, to, nameless(activity, to, target, how).or_else(place), how)
    };
    let written = again.write(&plan, options, preferences, progress, &write)?;
    report.clusters = written.len() as u64;
    Ok(Run { sources, results: vec![written], report })
}

/// What others tell of the zones of activities, by identity. Those that move are read again for their fingerprints.
fn corrected(
    plan: &Plan,
    options: &ReadOptions,
    waiting: &Waiting,
    met: &mut [Met],
) -> Result<HashMap<ActivityId, Correction>> {
    let claims: Claims = met.iter_mut().map(|one| one.claim.take()).collect();
    let mut corrections = HashMap::new();
    let mut moved: HashMap<ActivityId, usize> = HashMap::new();
    for (at, correction) in claims.judged(&|at| met[at].source(waiting), options)? {
        let one = &mut met[at];
        if let Some(fresh) = one.fresh.take() {
            one.fresh = fresh.corrected(&correction, waiting)?;
        }
        if one.fresh.is_none() {
            moved.insert(one.id, at);
        }
        corrections.insert(one.id, correction);
    }
    if moved.is_empty() {
        return Ok(corrections);
    }
    let take = |read: JobRead| -> Result<Vec<Met>> {
        let mut taken = Vec::new();
        for mut activity in read.activities {
            let id = activity.origin.id();
            if let Some(correction) = corrections.get(&id).filter(|_| moved.contains_key(&id)) {
                correction.apply(&mut activity);
                taken.push(Met::of(&activity, waiting)?);
            }
        }
        Ok(taken)
    };
    let names = names_of(moved.values().map(|&at| &met[at]), waiting)?;
    let visit = Visit { only: &|name| names.contains(&hash_of(name)), ..Visit::each(&take) };
    for again in read_all(plan, options, &|_| (), &visit)?.results.into_iter().flatten() {
        if let Some(one) = moved.get(&again.id).and_then(|&at| met.get_mut(at)) {
            one.fresh = again.fresh;
        }
    }
    Ok(corrections)
}

fn hash_of(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Hashes of the names of sources: one source more that is read does no harm.
fn names_of<'m>(met: impl Iterator<Item = &'m Met>, waiting: &Waiting) -> Result<HashSet<u64>> {
    met.map(|one| Ok(hash_of(&one.source(waiting)?))).collect()
}

/// A recording that waits for the others of its workout.
struct Part {
    activity: Activity,
    /// What its file is called after.
    label: String,
}

/// The recordings that are there of each workout that waits.
type Held = Mutex<HashMap<usize, HashMap<ActivityId, Part>>>;

/// A workout that was written: its activities, the one that it is based on, and the file.
type Made = (Vec<ActivityId>, ActivityId, Written);

/// Writes an activity to the file that is called after a label.
type Write<'a> = &'a (dyn Fn(&Activity, &str) -> Written + Sync);

/// The second reading.
struct Again<'a> {
    met: &'a [Met],
    /// Their places, by identity.
    places: HashMap<ActivityId, usize>,
    /// The members of each workout that is made of several.
    clusters: &'a [Vec<ActivityId>],
    cluster_of: HashMap<ActivityId, usize>,
    corrections: &'a HashMap<ActivityId, Correction>,
    waiting: &'a Waiting,
}

impl<'a> Again<'a> {
    fn of(
        met: &'a [Met],
        clusters: &'a [Vec<ActivityId>],
        corrections: &'a HashMap<ActivityId, Correction>,
        waiting: &'a Waiting,
    ) -> Again<'a> {
        let places = met.iter().enumerate().map(|(at, one)| (one.id, at)).collect();
        let members = clusters.iter().enumerate().flat_map(|(at, ids)| ids.iter().map(move |id| (*id, at)));
        Again { met, places, clusters, cluster_of: members.collect(), corrections, waiting }
    }

    fn place(&self, id: &ActivityId) -> usize {
        self.places.get(id).copied().unwrap_or(usize::MAX)
    }

    /// Workouts that are made of several, as many in one go as fit into a part of the memory; those of one file stand together.
    fn batches(&self, memory: u64) -> Vec<HashSet<usize>> {
        let mut order: Vec<usize> = (0..self.clusters.len()).collect();
        order.sort_by_cached_key(|&at| self.clusters[at].iter().map(|id| self.place(id)).min());
        let members = |at: usize| self.clusters[at].iter().filter_map(|id| self.met.get(self.place(id)));
        let batches = sets::batches(order.iter().map(|&at| members(at).map(|one| one.bytes).sum()), memory);
        batches.into_iter().map(|batch| order[batch].iter().copied().collect()).collect()
    }

    /// Reads everything again and writes each workout. In the order of the activities that they are based on.
    fn write(
        &self,
        plan: &Plan,
        options: &ReadOptions,
        preferences: &Preferences,
        progress: &(dyn Fn(Progress<'_>) + Sync),
        write: Write<'_>,
    ) -> Result<Vec<Written>> {
        let mut batches = self.batches(options.workers.memory / HELD);
        if batches.is_empty() {
            batches.push(HashSet::new());
        }
        let mut written: Vec<(usize, Written)> = Vec::with_capacity(self.met.len());
        let mut done: HashSet<ActivityId> = HashSet::with_capacity(self.met.len());
        for (number, batch) in batches.into_iter().enumerate() {
            let wanted = |id: &ActivityId| match self.cluster_of.get(id) {
                Some(cluster) => batch.contains(cluster),
                // With the first ones all those that are alone.
                None => number == 0 && self.places.contains_key(id),
            };
            let names = names_of(self.met.iter().filter(|one| wanted(&one.id)), self.waiting)?;
            let held = Held::default();
            let work = |read: JobRead| self.made_of(read, &wanted, &held, preferences, write);
            let visit = Visit { only: &|name| names.contains(&hash_of(name)), ..Visit::each(&work) };
            for (members, base, file) in read_all(plan, options, progress, &visit)?.results.into_iter().flatten() {
                done.extend(members);
                written.push((self.place(&base), file));
            }
        }
        for (at, one) in self.met.iter().enumerate().filter(|(_, one)| !done.contains(&one.id)) {
            written.push((at, Written::lost(&one.source(self.waiting)?)));
        }
        written.sort_by_key(|(at, _)| *at);
        Ok(written.into_iter().map(|(_, file)| file).collect())
    }

    /// Writes what a job gives alone, and the workouts that it completes.
    fn made_of(
        &self,
        read: JobRead,
        wanted: &dyn Fn(&ActivityId) -> bool,
        held: &Held,
        preferences: &Preferences,
        write: Write<'_>,
    ) -> Result<Vec<Made>> {
        let labels: Vec<String> = read.activities.iter().map(|activity| label_of(&read, activity)).collect();
        let mut made = Vec::with_capacity(labels.len());
        for (mut activity, label) in read.activities.into_iter().zip(labels) {
            let id = activity.origin.id();
            if !wanted(&id) {
                continue;
            }
            if let Some(correction) = self.corrections.get(&id) {
                correction.apply(&mut activity);
            }
            let Some(&cluster) = self.cluster_of.get(&id) else {
                made.push((vec![id], id, write(&activity, &label)));
                continue;
            };
            let members = &self.clusters[cluster];
            let Some(parts) = completed(held, cluster, members.len(), Part { activity, label }) else { continue };
            let all: Vec<&Activity> = members.iter().filter_map(|id| Some(&parts.get(id)?.activity)).collect();
            let merged = settled(dedupe::merge(&all, preferences))?;
            let base = merged.origin.id();
            let label = parts.get(&base).map_or("", |part| &part.label);
            made.push((members.clone(), base, write(&merged, label)));
        }
        Ok(made)
    }
}

/// Takes a recording of a workout; all of them when it was the last one.
fn completed(held: &Held, workout: usize, members: usize, part: Part) -> Option<HashMap<ActivityId, Part>> {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    let parts = held.entry(workout).or_default();
    parts.insert(part.activity.origin.id(), part);
    if parts.len() == members { held.remove(&workout) } else { None }
}

fn label_of(read: &JobRead, activity: &Activity) -> String {
    read.base(activity).map_or_else(|| activity.origin.source.clone(), |base| base.label.clone())
}
