//! History → activities: originals are read again, each once, with the verdicts on times that the journal keeps.

use std::collections::{BTreeMap, HashMap};

use super::group::preferences_of;
use super::jobs;
use super::read::Progress;
use super::shelf::Shelf;
use crate::dedupe::Preferences;
use crate::error::{Error, Kind, Result};
use crate::history::{self, History, Stored, StoredCluster};
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Glance, Summary};

/// Activities of which something is made in one go.
const AT_ONCE: usize = 8192;

/// Pieces of about `least` activities, each with all that are of its originals, so that each original is read once. They
/// stand in the order of their `original`s.
pub(super) fn pieces<T>(mut rest: &[T], least: usize, original: impl Fn(&T) -> Digest) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let last = rest.get(least.min(rest.len()).checked_sub(1)?).map(&original)?;
        let more = rest.iter().skip(least).take_while(|one| original(one) == last).count();
        let (piece, later) = rest.split_at(least.min(rest.len()) + more);
        rest = later;
        Some(piece)
    })
}

/// Reads activities of a history again and lets `work` make something of each, in the order of `wanted`.
///
/// # Errors
/// None in practice; what is wrong with one original is the result of its activities.
pub(super) fn each_of<T: Send>(
    shelf: &Shelf<'_>,
    wanted: Vec<Summary>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    work: &(dyn Fn(&Activity) -> T + Sync),
) -> Result<Vec<(Summary, Result<T>)>> {
    let mut by_original: BTreeMap<Digest, Vec<&Summary>> = BTreeMap::new();
    for summary in &wanted {
        by_original.entry(summary.sha256).or_default().push(summary);
    }
    let jobs: Vec<(Digest, Vec<&Summary>)> = by_original.into_iter().collect();
    let size = |digest: &Digest| shelf.history.bytes_of(digest);
    let sizes: Vec<u64> = jobs.iter().map(|(digest, _)| size(digest)).collect();
    let mut made = BTreeMap::new();
    jobs::run(
        shelf.options.workers,
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
        .map(|summary| {
            let made = made.remove(&summary.id).unwrap_or_else(lost);
            (summary, made)
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
    pub(super) preferences: Preferences,
}

/// One activity of a workout.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its identity.
    pub id: ActivityId,
    /// Name of its source.
    pub source: String,
}

/// Makes something of each workout of a history, in order of start, and hands it to `each` for as long as that gives true.
/// `wanted` looks at the base of each. `threads` is one a core when it is 0.
///
/// # Errors
/// `History` when a journal line cannot be understood.
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
pub(super) fn each_stored<'h, T: Send>(
    history: &'h History,
    threads: usize,
    wanted: &(dyn Fn(&Stored) -> bool + Sync),
    make: &(dyn Fn(&'h Stored, Option<&'h StoredCluster>) -> Result<T> + Sync),
    each: &mut dyn FnMut(T) -> bool,
) -> Result<()> {
    let merges = history.clusters().filter(|cluster| cluster.verdict == history::Verdict::Same);
    let cluster_of: HashMap<ActivityId, &StoredCluster> =
        merges.flat_map(|cluster| cluster.members.iter().map(move |id| (*id, cluster))).collect();
    let one = |stored: &'h Stored| -> Result<Option<T>> {
        let cluster = cluster_of.get(&stored.id).copied();
        if cluster.is_some_and(|cluster| cluster.base != stored.id) {
            return Ok(None);
        }
        make(stored, cluster).map(Some)
    };
    let one = |stored: &'h Stored| if wanted(stored) { one(stored) } else { Ok(None) };
    for piece in history.activities().chunks(AT_ONCE) {
        let made: Vec<Option<T>> = jobs::map(threads, piece, &one).into_iter().collect::<Result<_>>()?;
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

/// A workout made of several activities.
///
/// # Errors
/// `History` when a journal line cannot be understood.
pub(super) fn merged(history: &History, stored: &StoredCluster) -> Result<Workout> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_part_no_original_and_miss_nothing() {
        for originals in [vec![], vec![1], vec![1, 1, 1], vec![1, 1, 2, 3, 3, 3, 3, 4, 5], vec![1, 2, 3, 4, 5, 6]] {
            for least in 1..8 {
                let pieces: Vec<&[u8]> = pieces(&originals, least, |original| Digest([*original; 32])).collect();
                assert_eq!(pieces.concat(), originals);
                assert!(pieces.windows(2).all(|pair| pair[0].last() != pair[1].first()), "{pieces:?}");
                let short = pieces.iter().rev().skip(1).any(|piece| piece.len() < least);
                // One more than needed would be those of another original.
                let long = pieces.iter().any(|piece| piece.len() > least && piece[least] != piece[least - 1]);
                assert!(!short && !long, "at least {least} of {originals:?}: {pieces:?}");
            }
        }
    }
}
