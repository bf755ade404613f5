//! History → activities: originals are read again, each once, with the verdicts on times that the journal keeps.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rayon::prelude::*;

use super::convert::{WriteOptions, Written, write_one, write_original, writer_of};
use super::group::{preferences_of, recall_merged};
use super::jobs;
use super::names;
use super::read::{Progress, ReadOptions};
use super::sets::each_set;
use super::shelf::Shelf;
use crate::dedupe::Preferences;
use crate::error::{Error, Kind, Result};
use crate::formats::Format;
use crate::history::{self, History, Original, Stored, StoredCluster};
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Glance, Summary};

/// Activities of which something is made in one go.
const AT_ONCE: usize = 8192;

/// Reads activities of a history again and lets `work` make something of each, in the order of `wanted`.
///
/// # Errors
/// When threads cannot be started; what is wrong with one original is the result of its activities.
pub(super) fn each_of<T: Send, S: Borrow<Summary> + Sync>(
    history: &History,
    wanted: Vec<S>,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    work: &(dyn Fn(&Activity) -> T + Sync),
) -> Result<Vec<(S, Result<T>)>> {
    let mut by_original: BTreeMap<Digest, Vec<&Summary>> = BTreeMap::new();
    for summary in wanted.iter().map(S::borrow) {
        by_original.entry(summary.sha256).or_default().push(summary);
    }
    let jobs: Vec<(Digest, Vec<&Summary>)> = by_original.into_iter().collect();
    let size = |digest: &Digest| history.bytes_of(digest);
    let sizes: Vec<u64> = jobs.iter().map(|(digest, _)| size(digest)).collect();
    progress(Progress::Scanned { sources: jobs.len() as u64, bytes: sizes.iter().sum() });
    let shelf = Shelf::new(history, options);
    let mut made = BTreeMap::new();
    jobs::run(
        options.workers,
        &sizes,
        |job| {
            let (digest, summaries) = &jobs[job];
            let mut made = Vec::new();
            shelf.recall_each(digest, summaries, &mut |activity| made.push((activity.origin.id(), work(&activity))))?;
            Ok(made)
        },
        |job, result| {
            let (_, summaries) = &jobs[job];
            progress(Progress::Done { name: &summaries[0].source, bytes: sizes[job] });
            match result {
                Ok(results) => made.extend(results.into_iter().map(|(id, result)| (id, Ok(result)))),
                Err(error) => {
                    let failed = |summary: &&Summary| (summary.id, Err(error.again()));
                    made.extend(summaries.iter().map(failed));
                }
            }
            Ok(())
        },
    )?;
    let lost = || Err(Error::new(Kind::Internal, "an activity was read but not handed over"));
    Ok(wanted
        .into_iter()
        .map(|s| {
            let made = made.remove(&s.borrow().id).unwrap_or_else(lost);
            (s, made)
        })
        .collect())
}

/// A workout of a history: an activity, or several that were merged.
#[derive(Debug, Clone)]
pub struct Workout {
    /// The activity, or what merging made.
    pub summary: Summary,
    /// All its activities, the base first.
    pub members: Vec<Member>,
    /// Channel → source.
    pub origins: BTreeMap<String, String>,
    /// What makes it again of its members.
    preferences: Preferences,
}

/// One activity of a workout.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its identity.
    pub id: ActivityId,
    /// Name of its source.
    pub source: String,
}

/// The workouts of a history, in order of start. `wanted` looks at the base of each.
///
/// # Errors
/// `History` when a journal line cannot be understood.
pub fn workouts(history: &History, wanted: &(dyn Fn(&Stored) -> bool + Sync)) -> Result<Vec<Workout>> {
    let mut all = Vec::new();
    each_workout(history, 0, wanted, &|workout| workout, &mut |workout| {
        all.push(workout);
        true
    })?;
    Ok(all)
}

/// Makes something of each workout of a history, in order of start, and hands it to `each` for as long as that gives true.
/// `threads` is one a core when it is 0.
///
/// # Errors
/// `History` when a journal line cannot be understood; `Internal` when threads cannot be started.
pub fn each_workout<T: Send>(
    history: &History,
    threads: usize,
    wanted: &(dyn Fn(&Stored) -> bool + Sync),
    make: &(dyn Fn(Workout) -> T + Sync),
    each: &mut dyn FnMut(T) -> bool,
) -> Result<()> {
    let make = |stored: &Stored, cluster: Option<&StoredCluster>| {
        Ok(make(match cluster {
            Some(cluster) => merged(history, cluster)?,
            None => alone(stored)?,
        }))
    };
    each_stored(history, threads, wanted, &make, each)
}

/// Makes something of what a table shows of each workout of a history, and of how many activities it is made of, in
/// order of start.
///
/// # Errors
/// As [`each_workout`].
pub fn map_glances<T: Send>(
    history: &History,
    threads: usize,
    wanted: &(dyn Fn(&Stored) -> bool + Sync),
    make: &(dyn Fn(&Glance, usize) -> T + Sync),
) -> Result<Vec<T>> {
    let make = |stored: &Stored, cluster: Option<&StoredCluster>| match cluster {
        Some(cluster) => {
            let workout = merged(history, cluster)?;
            Ok(make(&Glance::from(&workout.summary), workout.members.len()))
        }
        None => Ok(make(&stored.glance()?, 1)),
    };
    let mut all = Vec::new();
    each_stored(history, threads, wanted, &make, &mut |made| {
        all.push(made);
        true
    })?;
    Ok(all)
}

/// Makes something of each activity that a workout is based on, with the cluster when it is made of several, a piece of the
/// history at a time.
fn each_stored<T: Send>(
    history: &History,
    threads: usize,
    wanted: &(dyn Fn(&Stored) -> bool + Sync),
    make: &(dyn Fn(&Stored, Option<&StoredCluster>) -> Result<T> + Sync),
    each: &mut dyn FnMut(T) -> bool,
) -> Result<()> {
    let merges = history.clusters().filter(|cluster| cluster.verdict == history::Verdict::Same);
    let cluster_of: HashMap<ActivityId, &StoredCluster> =
        merges.flat_map(|cluster| cluster.members.iter().map(move |id| (*id, cluster))).collect();
    let one = |stored: &Stored| -> Result<Option<T>> {
        let cluster = cluster_of.get(&stored.id).copied();
        if cluster.is_some_and(|cluster| cluster.base != stored.id) {
            return Ok(None);
        }
        make(stored, cluster).map(Some)
    };
    let pool = jobs::pool(threads)?;
    for piece in history.activities().chunks(AT_ONCE) {
        let made: Vec<Option<T>> =
            pool.install(|| piece.par_iter().filter(|stored| wanted(stored)).map(one).collect::<Result<_>>())?;
        if !made.into_iter().flatten().all(&mut *each) {
            break;
        }
    }
    Ok(())
}

/// An activity that is a workout of its own.
fn alone(stored: &Stored) -> Result<Workout> {
    let summary = stored.summary()?;
    let member = Member { id: stored.id, source: summary.source.clone() };
    let channels = summary.channels.names().chain(summary.extra_channels.names());
    let origins = channels.map(|channel| (channel.to_owned(), summary.source.clone())).collect();
    Ok(Workout { summary, members: vec![member], origins, preferences: Preferences::default() })
}

fn merged(history: &History, stored: &StoredCluster) -> Result<Workout> {
    let cluster = stored.cluster()?;
    let mut members = Vec::new();
    for id in &cluster.members {
        if let Some(activity) = history.activity(id) {
            members.push(Member { id: *id, source: activity.summary()?.source });
        }
    }
    members.sort_by_key(|member| (member.id != cluster.base, member.id));
    let nothing = || Error::new(Kind::History, "a cluster of the journal has no merged activity");
    let preferences = preferences_of(&cluster)?;
    Ok(Workout { summary: *cluster.merged.ok_or_else(nothing)?, members, origins: cluster.origins, preferences })
}

/// Writes workouts of a history as files of a format, named by local start.
///
/// # Errors
/// When the format is only read, or threads cannot be started; what is wrong with one workout is in its report.
pub fn export(
    history: &History,
    wanted: &[Workout],
    to: &'static Format,
    folder: &Path,
    how: &WriteOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Written>> {
    writer_of(to)?;
    let extension = to.extensions.first().copied().unwrap_or(to.id);
    let size = |workout: &Workout| history.bytes_of(&workout.summary.sha256);
    let sizes: Vec<u64> = wanted.iter().map(size).collect();
    progress(Progress::Scanned { sources: wanted.len() as u64, bytes: sizes.iter().sum() });
    let mut written: Vec<Option<Written>> = vec![None; wanted.len()];
    // Activities of one original are read together: a file that holds a year is parsed once.
    let (singles, merges): (Vec<usize>, Vec<usize>) = (0..wanted.len()).partition(|&i| wanted[i].members.len() == 1);
    let write = |activity: &Activity| {
        let path = folder.join(names::by_start(activity, extension));
        write_one(activity, to, Some(path), how)
    };
    let summaries: Vec<&Summary> = singles.iter().map(|&i| &wanted[i].summary).collect();
    let silent_scan = |event: Progress<'_>| {
        if let Progress::Done { .. } = event {
            progress(event);
        }
    };
    for (place, (summary, result)) in singles.iter().zip(each_of(history, summaries, options, &silent_scan, &write)?) {
        written[*place] = Some(result.unwrap_or_else(|error| Written::failed(summary, &error)));
    }
    let sets: Vec<Vec<ActivityId>> =
        merges.iter().map(|&i| wanted[i].members.iter().map(|member| member.id).collect()).collect();
    let sets: Vec<&[ActivityId]> = sets.iter().map(Vec::as_slice).collect();
    let merge =
        |shelf: &Shelf<'_>, at: usize| Ok(write(&recall_merged(shelf, sets[at], &wanted[merges[at]].preferences)?));
    each_set(&mut Shelf::new(history, options), &sets, merge, |at, result| {
        let workout = &wanted[merges[at]];
        progress(Progress::Done { name: &workout.summary.source, bytes: sizes[merges[at]] });
        written[merges[at]] = Some(result.unwrap_or_else(|error| Written::failed(&workout.summary, &error)));
        Ok(())
    })?;
    Ok(written.into_iter().flatten().collect())
}

/// Writes the originals of workouts as they came, byte for byte: those of all members and of what they were joined from.
/// Each is named as in the history, without the `.gz`.
///
/// # Errors
/// When a journal line cannot be understood, or threads cannot be started; what is wrong with one original is in its
/// report.
pub fn export_originals(
    history: &History,
    wanted: &[Workout],
    folder: &Path,
    how: &WriteOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Written>> {
    let mut digests = BTreeSet::new();
    for member in wanted.iter().flat_map(|workout| &workout.members) {
        let Some(stored) = history.activity(&member.id) else { continue };
        let summary = stored.summary()?;
        digests.insert(summary.sha256);
        digests.extend(summary.companions.iter().map(|companion| companion.digest));
    }
    let known = digests.iter().filter_map(|digest| history.original(digest).transpose());
    let mut originals: Vec<Original> = known.collect::<Result<_>>()?;
    originals.sort_by(|a, b| a.path.cmp(&b.path));
    let sizes: Vec<u64> = originals.iter().map(|original| original.bytes).collect();
    progress(Progress::Scanned { sources: originals.len() as u64, bytes: sizes.iter().sum() });
    let mut written: Vec<(usize, Written)> = Vec::new();
    let write = |job: usize| {
        let Original { digest, path, .. } = &originals[job];
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(write_original(history, digest, folder.join(name.strip_suffix(".gz").unwrap_or(name)), how))
    };
    jobs::run(options.workers, &sizes, write, |job, result| {
        progress(Progress::Done { name: &originals[job].path, bytes: sizes[job] });
        written.push((job, result?));
        Ok(())
    })?;
    written.sort_by_key(|(job, _)| *job);
    Ok(written.into_iter().map(|(_, written)| written).collect())
}
