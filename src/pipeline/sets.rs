//! Sets of activities of a history, each recalled and made something of. An original that holds many workouts is read once
//! for as many sets as the memory allows, not once a workout: a JSON of a year may be part of a hundred merges.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::jobs;
use super::shelf::Shelf;
use crate::error::Result;
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Summary};

/// Bytes that a recalled activity takes besides its samples.
const ACTIVITY: u64 = 8 << 10;
/// Bytes of a sample's time and position, and of one in each channel: as many as in the widest columns.
const SAMPLE: u64 = 24;
const VALUE: u64 = 8;

/// This part of the memory is for activities that wait for others of their sets.
pub(super) const HELD: u64 = 16;

/// What a set wants of originals that hold many workouts, and bytes: of those activities in memory, and of its other
/// originals.
#[derive(Default)]
struct Wants {
    shared: Vec<Summary>,
    held: u64,
    own: u64,
}

/// Runs `work` for each set on the workers' threads, as [`jobs::run`] does; `work` recalls with [`Shelf::recall`].
///
/// # Errors
/// When a journal line cannot be understood, or the first error of `consume`.
pub(super) fn each_set<T: Send>(
    shelf: &mut Shelf<'_>,
    sets: &[&[ActivityId]],
    work: impl Fn(&Shelf<'_>, usize) -> Result<T> + Sync,
    mut consume: impl FnMut(usize, Result<T>) -> Result<()> + Send,
) -> Result<()> {
    let wants: Vec<Wants> = sets.iter().map(|set| wants(shelf, set)).collect::<Result<_>>()?;
    let mut order: Vec<usize> = (0..sets.len()).collect();
    // Those that want the same original stand together, in its order.
    let place = |at: usize| wants[at].shared.iter().map(|summary| (summary.sha256, summary.index)).min();
    order.sort_by_key(|&at| (place(at), at));
    for batch in batches(order.iter().map(|&set| wants[set].held), shelf.options.workers.memory / HELD) {
        let batch = &order[batch];
        shelf.held = held(shelf, batch.iter().flat_map(|&at| &wants[at].shared))?;
        let sizes: Vec<u64> = batch.iter().map(|&at| wants[at].own + wants[at].held).collect();
        let this = &*shelf;
        let result =
            jobs::run(this.options.workers, &sizes, |at| work(this, batch[at]), |at, made| consume(batch[at], made));
        shelf.held.clear();
        result?;
    }
    Ok(())
}

fn wants(shelf: &Shelf<'_>, set: &[ActivityId]) -> Result<Wants> {
    let mut wants = Wants::default();
    for activity in set.iter().filter_map(|id| shelf.history.activity(id)) {
        let Some(original) = shelf.history.original(&activity.digest())? else { continue };
        if original.activities < 2 {
            wants.own += original.bytes;
            continue;
        }
        let summary = activity.summary()?;
        let channels = summary.channels.names().chain(summary.extra_channels.names()).count() as u64;
        wants.held += bytes_of(summary.samples, channels);
        wants.shared.push(summary);
    }
    Ok(wants)
}

/// Bytes of an activity in memory, about.
pub(super) fn bytes_of(samples: u64, channels: u64) -> u64 {
    ACTIVITY + (SAMPLE + VALUE * channels) * samples
}

/// Pieces of a list of sets, of so many bytes each, that fit into so much memory; at least one set each.
pub(super) fn batches(held_by: impl Iterator<Item = u64>, memory: u64) -> Vec<Range<usize>> {
    let (mut batches, mut from, mut held, mut end) = (Vec::new(), 0, 0, 0);
    for (at, more) in held_by.enumerate() {
        if at > from && held + more > memory {
            batches.push(from..at);
            (from, held) = (at, 0);
        }
        (held, end) = (held + more, at + 1);
    }
    if from < end {
        batches.push(from..end);
    }
    batches
}

/// Recalls activities of shared originals, reading each original once. One that cannot be read again is not among them:
/// [`Shelf::recall`] says why.
fn held<'a>(shelf: &Shelf<'_>, wanted: impl Iterator<Item = &'a Summary>) -> Result<HashMap<ActivityId, Activity>> {
    let mut of_original: BTreeMap<Digest, Vec<Summary>> = BTreeMap::new();
    for summary in wanted {
        of_original.entry(summary.sha256).or_default().push(summary.clone());
    }
    let originals: Vec<(Digest, Vec<Summary>)> = of_original.into_iter().collect();
    let bytes = |(digest, _): &(Digest, _)| shelf.history.bytes_of(digest);
    let sizes: Vec<u64> = originals.iter().map(bytes).collect();
    let mut held = HashMap::new();
    let read = |job: usize| {
        let (digest, summaries) = &originals[job];
        let mut activities = Vec::new();
        // What came before the trouble counts.
        let _ = shelf.recall_each(digest, summaries, &mut |activity| activities.push(activity));
        Ok(activities)
    };
    jobs::run(shelf.options.workers, &sizes, read, |_, activities: Result<Vec<Activity>>| {
        held.extend(activities.into_iter().flatten().map(|activity| (activity.origin.id(), activity)));
        Ok(())
    })?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_no_more_than_the_memory_and_miss_nothing() {
        let held = [0, 5, 40, 3, 3, 3, 90, 1];
        for memory in [1, 6, 10, 50, 1000] {
            let batches = batches(held.into_iter(), memory);
            assert_eq!(batches.iter().cloned().flatten().collect::<Vec<_>>(), (0..held.len()).collect::<Vec<_>>());
            for batch in batches {
                let bytes: u64 = held[batch.clone()].iter().sum();
                assert!(bytes <= memory || batch.len() == 1, "{memory}: {batch:?}");
            }
        }
        assert_eq!(batches(held.into_iter(), 1000).len(), 1);
        assert!(batches(std::iter::empty(), 1000).is_empty());
    }
}
