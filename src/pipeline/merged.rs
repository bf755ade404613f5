//! Sources → files of another format, recordings of one workout in one file (`convert --merge`). All sources are read once to
//! tell which belong together, and once more to be written: an archive of any size takes little memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::convert::{Target, WriteOptions, Written, nameless, write_one, writer_of};
use super::group::{AT_HAND, Fresh, same_workouts};
use super::job::JobRead;
use super::merge::settled;
use super::names::Tree;
use super::outputs::{Outputs, sets_of};
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

/// What tells an activity of a run from all others: its job, its identity, and which of those with this identity it is in the
/// job. A file that was named twice may be read with another one, and alone.
type Key = (usize, ActivityId, u32);

/// Those of the activities of a job.
fn keys(read: &JobRead) -> Vec<Key> {
    let mut met: HashMap<ActivityId, u32> = HashMap::new();
    let mut keys = Vec::with_capacity(read.activities.len());
    for activity in &read.activities {
        let before = met.entry(activity.origin.id()).or_default();
        keys.push((read.job, activity.origin.id(), *before));
        *before += 1;
    }
    keys
}

/// An activity after the first reading.
struct Met {
    key: Key,
    index: u32,
    claim: Option<Claim>,
    /// `None` when others moved its times, until it is taken again.
    fresh: Option<Fresh>,
    /// The name of its source, and what its file is called after.
    source: Text,
    label: Text,
    /// Bytes that it takes in memory.
    bytes: u64,
}

impl Met {
    fn of_job(read: &JobRead, waiting: &Waiting) -> Result<Vec<Met>> {
        read.activities.iter().zip(keys(read)).map(|(one, key)| Met::of(read, one, key, waiting)).collect()
    }

    fn of(read: &JobRead, activity: &Activity, key: Key, waiting: &Waiting) -> Result<Met> {
        let (samples, channels) = (activity.track.len() as u64, activity.track.channels().count() as u64);
        let label = read.base(activity).map_or(activity.origin.source.as_str(), |base| base.label.as_str());
        Ok(Met {
            key,
            index: activity.origin.index,
            claim: Claim::of_activity(activity),
            fresh: Some(Fresh::of(Fingerprint::of(activity)).leave(waiting)?),
            source: waiting.put(activity.origin.source.as_bytes())?,
            label: waiting.put(label.as_bytes())?,
            bytes: sets::bytes_of(samples, channels),
        })
    }
}

/// A name that was left.
fn name(waiting: &Waiting, text: Text) -> Result<String> {
    let mut name = Vec::new();
    waiting.read(text, &mut name).map_err(|error| Error::io("cannot read the temporary file", error))?;
    Ok(String::from_utf8_lossy(&name).into_owned())
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
    let options = ReadOptions { once: true, ..options.clone() };
    let plan = Plan::new(inputs, &options);
    let tree = Tree::plan(plan.jobs(), to);
    let waiting = Waiting::made(source::nameless);
    plan.announce(&waiting);
    let count = AtomicUsize::new(0);
    let meet = |read: JobRead| {
        let mut met = Met::of_job(&read, &waiting)?;
        if count.fetch_add(met.len(), Ordering::Relaxed) > AT_HAND {
            // Those of a hundred thousand take more memory than all else.
            met.iter_mut().filter_map(|one| one.fresh.as_mut()).for_each(|fresh| fresh.at_hand = None);
        }
        Ok(met)
    };
    let first: Run<Vec<Met>> = read_all(&plan, &options, progress, &Visit::each(&meet))?;
    let Run { sources, results, mut report } = first;
    let mut met: Vec<Met> = results.into_iter().flatten().collect();
    // What is read once more is what was not given away to another name.
    let options = ReadOptions { once: false, ..options };
    let places: HashMap<Key, usize> = met.iter().enumerate().map(|(at, one)| (one.key, at)).collect();
    let corrections = corrected(&plan, &options, &waiting, &mut met, &places)?;
    let mut fresh: Vec<Fresh> = met.iter_mut().filter_map(|one| one.fresh.take()).collect();
    if fresh.len() > AT_HAND {
        fresh.iter_mut().for_each(|fresh| fresh.at_hand = None);
    }
    let (clusters, unsure) = same_workouts(fresh, &waiting)?;
    report.unsure = unsure as u64;
    report.merged = clusters.iter().map(|members| members.len() as u64 - 1).sum();
    let path = |at: usize| -> Result<Option<PathBuf>> {
        let Some(one) = met.get(at) else { return Ok(None) };
        Ok(target.path(&tree, &name(&waiting, one.label)?, one.index as usize))
    };
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut named: Vec<Option<u64>> = Vec::with_capacity(met.len());
    let mut in_place = InPlace::of(inputs, target, how);
    for at in 0..met.len() {
        let path = path(at)?;
        in_place.look(path.as_deref());
        named.push(path.map(|path| hasher.hash_one(path)));
    }
    let ids: Vec<ActivityId> = met.iter().map(|one| one.key.1).collect();
    let write = |activity: &Activity, at: usize| -> Result<Written> {
        let path = nameless(activity, to, target, how).map_or_else(|| path(at), |path| Ok(Some(path)))?;
        Ok(write_one(activity, to, path, how))
    };
    let again = Again {
        met: &met,
        places: &places,
        outputs: sets_of(&ids, &clusters, &named, in_place.found),
        corrections: &corrections,
        waiting: &waiting,
        preferences,
        write: &write,
    };
    let written = again.run(&plan, &options, progress)?;
    report.clusters = written.len() as u64;
    Ok(Run { sources, results: vec![written], report })
}

/// Finds out whether an output takes the place of something that is read: then all is read before anything is written.
struct InPlace {
    roots: Vec<PathBuf>,
    found: bool,
}

impl InPlace {
    fn of(inputs: &[Input], target: &Target, how: &WriteOptions) -> InPlace {
        let root = |input: &Input| match input {
            Input::Path(path) => path.canonicalize().ok(),
            Input::Stdin(_) => None,
        };
        let roots: Vec<PathBuf> = inputs.iter().filter_map(root).collect();
        // Without names of the sources none can be looked for.
        let found = match target {
            Target::Folder(folder) if how.anonymize.is_some() => folder.canonicalize().is_ok_and(|folder| {
                roots.iter().any(|root| folder.starts_with(root) || root.parent() == Some(folder.as_path()))
            }),
            _ => false,
        };
        InPlace { roots, found }
    }

    fn look(&mut self, output: Option<&Path>) {
        let output = output.filter(|_| !self.found).and_then(|output| output.canonicalize().ok());
        self.found |= output.is_some_and(|output| self.roots.iter().any(|root| output.starts_with(root)));
    }
}

/// What others tell of the zones of activities, by place. Those that move are read again for their fingerprints.
fn corrected(
    plan: &Plan,
    options: &ReadOptions,
    waiting: &Waiting,
    met: &mut [Met],
    places: &HashMap<Key, usize>,
) -> Result<HashMap<usize, Correction>> {
    let claims: Claims = met.iter_mut().map(|one| one.claim.take()).collect();
    let corrections: HashMap<usize, Correction> =
        claims.judged(&|at| name(waiting, met[at].source), options)?.into_iter().collect();
    let mut moved: HashSet<usize> = HashSet::new();
    for (&at, correction) in &corrections {
        let one = &mut met[at];
        if let Some(fresh) = one.fresh.take() {
            one.fresh = fresh.corrected(correction, waiting)?;
        }
        if one.fresh.is_none() {
            moved.insert(at);
        }
    }
    if moved.is_empty() {
        return Ok(corrections);
    }
    let take = |read: JobRead| -> Result<Vec<(usize, Fresh)>> {
        let mut taken = Vec::new();
        for (key, mut activity) in keys(&read).into_iter().zip(read.activities) {
            let place = places.get(&key).filter(|at| moved.contains(at));
            if let Some((&at, correction)) = place.and_then(|at| Some((at, corrections.get(at)?))) {
                correction.apply(&mut activity);
                taken.push((at, Fresh::of(Fingerprint::of(&activity)).leave(waiting)?));
            }
        }
        Ok(taken)
    };
    let jobs: HashSet<usize> = moved.iter().map(|&at| met[at].key.0).collect();
    let visit = Visit { only: &|job| jobs.contains(&job), ..Visit::each(&take) };
    for (at, fresh) in read_all(plan, options, &|_| (), &visit)?.results.into_iter().flatten() {
        met[at].fresh = Some(fresh);
    }
    Ok(corrections)
}

/// The recordings that are there of each set that waits, by place.
type Held = Mutex<BTreeMap<usize, BTreeMap<usize, Activity>>>;

/// Files that were written, each at its place.
type Made = Vec<(usize, Written)>;

/// The second reading.
struct Again<'a> {
    met: &'a [Met],
    places: &'a HashMap<Key, usize>,
    outputs: Outputs,
    corrections: &'a HashMap<usize, Correction>,
    waiting: &'a Waiting,
    preferences: &'a Preferences,
    /// Writes an activity to the file of a place.
    write: &'a (dyn Fn(&Activity, usize) -> Result<Written> + Sync),
}

impl Again<'_> {
    /// Reads everything again and writes it: with what is alone as many sets as fit into a part of the memory, then the
    /// others. In the order of places.
    fn run(
        &self,
        plan: &Plan,
        options: &ReadOptions,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Vec<Written>> {
        let sets: Vec<usize> = self.outputs.sets().collect();
        let bytes = |&set: &usize| self.outputs.parts(set).iter().map(|&at| self.met[at].bytes).sum();
        let mut batches = sets::batches(sets.iter().map(bytes), options.workers.memory / HELD);
        if batches.is_empty() {
            batches.push(0..0);
        }
        let (mut written, mut seen): (Made, HashSet<usize>) = (Vec::with_capacity(self.met.len()), HashSet::new());
        for (number, batch) in batches.into_iter().enumerate() {
            let batch: HashSet<usize> = sets[batch].iter().copied().collect();
            let wanted = |at: usize| match self.outputs.set_of(at) {
                Some(set) => batch.contains(&set) && self.outputs.is_part(at),
                None => number == 0,
            };
            let jobs: HashSet<usize> =
                (0..self.met.len()).filter(|&at| wanted(at)).map(|at| self.met[at].key.0).collect();
            let held = Held::default();
            let work = |read: JobRead| self.made_of(read, &wanted, &held);
            let visit = Visit { only: &|job| jobs.contains(&job), ..Visit::each(&work) };
            for made in read_all(plan, options, progress, &visit)?.results {
                seen.extend(made.0);
                written.extend(made.1);
            }
            // Of these a source has changed.
            for (set, parts) in held.into_inner().unwrap_or_else(PoisonError::into_inner) {
                seen.extend(parts.keys());
                written.extend(self.written(set, &parts)?);
            }
        }
        let is_read = |at: usize| self.outputs.set_of(at).is_none() || self.outputs.is_part(at);
        for at in (0..self.met.len()).filter(|&at| is_read(at) && !seen.contains(&at)) {
            written.push((at, Written::lost(&name(self.waiting, self.met[at].source)?, self.met[at].index)));
        }
        written.sort_by_key(|(at, _)| *at);
        Ok(written.into_iter().map(|(_, file)| file).collect())
    }

    /// Writes what a job gives alone, and the sets that it completes. Gives the places of what was read for that, too.
    fn made_of(&self, read: JobRead, wanted: &dyn Fn(usize) -> bool, held: &Held) -> Result<(Vec<usize>, Made)> {
        let (mut seen, mut made) = (Vec::new(), Made::with_capacity(read.activities.len()));
        for (key, mut activity) in keys(&read).into_iter().zip(read.activities) {
            let Some(at) = self.places.get(&key).copied().filter(|&at| wanted(at)) else { continue };
            if let Some(correction) = self.corrections.get(&at) {
                correction.apply(&mut activity);
            }
            let Some(set) = self.outputs.set_of(at) else {
                made.push((at, (self.write)(&activity, at)?));
                seen.push(at);
                continue;
            };
            let whole = {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                let parts = held.entry(set).or_default();
                parts.insert(at, activity);
                if parts.len() == self.outputs.parts(set).len() { held.remove(&set) } else { None }
            };
            if let Some(parts) = whole {
                seen.extend(parts.keys());
                made.extend(self.written(set, &parts)?);
            }
        }
        Ok((seen, made))
    }

    /// Writes a set of which these parts are there, one file after the other in the order of their places.
    fn written(&self, set: usize, parts: &BTreeMap<usize, Activity>) -> Result<Made> {
        let mut merged: Vec<Activity> = Vec::new();
        let mut outputs: Vec<(usize, Option<usize>)> = Vec::new();
        let mut alone: BTreeSet<usize> = parts.keys().copied().collect();
        for members in self.outputs.clusters(set) {
            let there: Vec<&Activity> = members.iter().filter_map(|at| parts.get(at)).collect();
            if there.len() < 2 {
                continue;
            }
            let activity = settled(dedupe::merge(&there, self.preferences))?;
            let base = activity.origin.id();
            for at in members {
                alone.remove(at);
            }
            outputs.extend(self.outputs.places(set, base).map(|at| (at, Some(merged.len()))));
            merged.push(activity);
        }
        outputs.extend(alone.into_iter().map(|at| (at, None)));
        outputs.sort_unstable();
        let mut made = Made::with_capacity(outputs.len());
        for (at, merge) in outputs {
            let activity = merge.map_or_else(|| parts.get(&at), |merge| merged.get(merge));
            if let Some(activity) = activity {
                made.push((at, (self.write)(activity, at)?));
            }
        }
        Ok(made)
    }
}
