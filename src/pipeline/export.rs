//! History → files: workouts in a format, or the originals as they came.

use std::collections::BTreeSet;
use std::path::Path;

use super::convert::{WriteOptions, Written, write_one, write_original, writer_of};
use super::group::recall_merged;
use super::jobs;
use super::names;
use super::read::{Progress, ReadOptions};
use super::recall::{Workout, each_of, each_stored, merged, pieces};
use super::sets::each_set;
use super::shelf::Shelf;
use crate::error::{Error, Kind, Result};
use crate::formats::Format;
use crate::history::{History, Original, Stored, StoredCluster};
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Summary};

/// Workouts that are written in one go: their summaries are in memory then.
const AT_ONCE: usize = 4096;

/// A workout to be written: the activity that it is based on, and the cluster when it is made of several.
#[derive(Clone, Copy)]
struct Wanted<'h> {
    base: &'h Stored,
    cluster: Option<&'h StoredCluster>,
}

impl Wanted<'_> {
    fn original(&self) -> Digest {
        self.base.digest()
    }
}

/// Writes workouts of a history as files of a format, named by local start. `wanted` looks at the base of each.
///
/// # Errors
/// When the format is only read; what is wrong with one workout is in its report.
pub fn export(
    history: &History,
    wanted: &(dyn Fn(&Stored) -> bool + Sync),
    to: &'static Format,
    folder: &Path,
    how: &WriteOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Written>> {
    writer_of(to)?;
    let extension = to.extensions.first().copied().unwrap_or(to.id);
    let threads = options.workers.threads;
    let mut wanted_of: Vec<Wanted<'_>> = Vec::new();
    let make = |base, cluster| Ok(Wanted { base, cluster });
    each_stored(history, threads, wanted, &make, &mut |one| {
        wanted_of.push(one);
        true
    })?;
    let wanted = wanted_of;
    let size = |at: usize| history.bytes_of(&wanted[at].original());
    progress(Progress::Scanned { sources: wanted.len() as u64, bytes: (0..wanted.len()).map(size).sum() });
    let mut written: Vec<Option<Written>> = Vec::new();
    written.resize_with(wanted.len(), || None);
    let write = |activity: &Activity| {
        let path = folder.join(names::by_start(activity, extension));
        write_one(activity, to, Some(path), how)
    };
    // Activities of one original are read together: a file that holds a year is parsed once.
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_cached_key(|&at| (wanted[at].original(), at));
    let (singles, merges): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&at| wanted[at].cluster.is_none());
    let unclear = |at: usize, error: &Error| {
        let original = history.original(&wanted[at].original()).ok().flatten();
        Written::unclear(
            original.as_ref().and_then(|original| original.names.first()).map_or("", String::as_str),
            error,
        )
    };
    let nothing = || Err(Error::new(Kind::Internal, "a workout of several activities has no cluster"));
    let mut shelf = Shelf::new(history, options);
    for piece in pieces(&singles, AT_ONCE, |&at| wanted[at].original()) {
        let summary = |&at: &usize| wanted[at].base.summary();
        let read: Vec<Result<Summary>> = jobs::map(threads, piece, &summary);
        let (piece, summaries) = clear(piece, read, &mut |at, error| written[at] = Some(unclear(at, &error)));
        for (&at, (summary, result)) in piece.iter().zip(each_of(&shelf, summaries, progress, &write)?) {
            written[at] = Some(result.unwrap_or_else(|error| Written::failed(&summary, &error)));
        }
    }
    for piece in merges.chunks(AT_ONCE) {
        let workout = |&at: &usize| wanted[at].cluster.map_or_else(nothing, |cluster| merged(history, cluster));
        let read: Vec<Result<Workout>> = jobs::map(threads, piece, &workout);
        let (piece, workouts) = clear(piece, read, &mut |at, error| written[at] = Some(unclear(at, &error)));
        let members = |workout: &Workout| workout.members.iter().map(|member| member.id).collect();
        let sets: Vec<Vec<ActivityId>> = workouts.iter().map(members).collect();
        let sets: Vec<&[ActivityId]> = sets.iter().map(Vec::as_slice).collect();
        let merge =
            |shelf: &Shelf<'_>, of: usize| Ok(write(&recall_merged(shelf, sets[of], &workouts[of].preferences)?));
        each_set(&mut shelf, &sets, merge, |of, result| {
            let (at, summary) = (piece[of], &workouts[of].summary);
            progress(Progress::Done { name: &summary.source, bytes: size(at) });
            written[at] = Some(result.unwrap_or_else(|error| Written::failed(summary, &error)));
            Ok(())
        })?;
    }
    Ok(written.into_iter().flatten().collect())
}

/// Parts what was read from what could not be understood, which goes to `fail`.
fn clear<T>(places: &[usize], read: Vec<Result<T>>, fail: &mut dyn FnMut(usize, Error)) -> (Vec<usize>, Vec<T>) {
    let (mut clear, mut values) = (Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
    for (&at, read) in places.iter().zip(read) {
        match read {
            Ok(value) => {
                clear.push(at);
                values.push(value);
            }
            Err(error) => fail(at, error),
        }
    }
    (clear, values)
}

/// Writes the originals of workouts as they came, byte for byte: those of all members and of what they were joined from.
/// Each is named as in the history, without the `.gz`. `wanted` looks at the base of each workout.
///
/// # Errors
/// When a journal line cannot be understood; what is wrong with one original is in its
/// report.
pub fn export_originals(
    history: &History,
    wanted: &(dyn Fn(&Stored) -> bool + Sync),
    folder: &Path,
    how: &WriteOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Written>> {
    let digests_of = |base: &Stored, cluster: Option<&StoredCluster>| -> Result<Vec<Digest>> {
        let members = cluster.map_or(std::slice::from_ref(&base.id), |cluster| &cluster.members);
        let mut digests = Vec::new();
        for member in members.iter().filter_map(|id| history.activity(id)) {
            let summary = member.summary()?;
            digests.push(summary.sha256);
            digests.extend(summary.companions.iter().map(|companion| companion.digest));
        }
        Ok(digests)
    };
    let mut digests = BTreeSet::new();
    each_stored(history, options.workers.threads, wanted, &digests_of, &mut |more| {
        digests.extend(more);
        true
    })?;
    let mut originals: Vec<(String, Digest, u64)> = Vec::with_capacity(digests.len());
    for digest in digests {
        let Some(Original { path, bytes, .. }) = history.original(&digest)? else { continue };
        originals.push((path, digest, bytes));
    }
    originals.sort_unstable();
    let sizes: Vec<u64> = originals.iter().map(|(.., bytes)| *bytes).collect();
    progress(Progress::Scanned { sources: originals.len() as u64, bytes: sizes.iter().sum() });
    let mut written: Vec<(usize, Written)> = Vec::new();
    let write = |job: usize| {
        let (path, digest, _) = &originals[job];
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(write_original(history, digest, folder.join(name.strip_suffix(".gz").unwrap_or(name)), how))
    };
    jobs::run(options.workers, &sizes, write, |job, result| {
        progress(Progress::Done { name: &originals[job].0, bytes: sizes[job] });
        written.push((job, result?));
        Ok(())
    })?;
    written.sort_by_key(|(job, _)| *job);
    Ok(written.into_iter().map(|(_, written)| written).collect())
}
