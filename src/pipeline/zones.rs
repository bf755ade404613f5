//! Zones of the activities of a run, settled by one another.

use std::ops::RangeInclusive;

use super::read::ReadOptions;
use crate::fix::ZoneChoice;
use crate::fix::zone::{self, Claim, Correction};
use crate::history::{History, Stored};
use crate::ids::ActivityId;
use crate::model::{Activity, Summary};

/// Activities of the history so near to a new one may tell its zone, ms.
const NEIGHBOUR_MS: i64 = 4 * 86_400_000;

/// The time in which an activity may tell the zone of one of those that start then, ms.
pub(super) fn days_around(starts: impl Iterator<Item = i64>) -> Option<RangeInclusive<i64>> {
    let (first, last) = starts.fold(None, |span: Option<(i64, i64)>, start| {
        span.map_or(Some((start, start)), |(first, last)| Some((first.min(start), last.max(start))))
    })?;
    Some((first - NEIGHBOUR_MS)..=(last + NEIGHBOUR_MS))
}

/// Activities of a history that start in these days.
pub(super) fn near<'a>(history: &'a History, days: &'a RangeInclusive<i64>) -> impl Iterator<Item = &'a Stored> {
    history.activities().iter().filter(|a| a.start().is_some_and(|start| days.contains(&start)))
}

/// Settles the zones of some activities by one another and by others, which stay as they are. Gives those that changed.
pub(super) fn by_others(summaries: &mut [Box<Summary>], known: &[Summary], options: &ReadOptions) -> Vec<ActivityId> {
    let claims = summaries.iter().map(|summary| Claim::of(summary)).collect();
    let mut changed = Vec::new();
    for (place, correction) in judged(claims, known.iter().filter_map(Claim::of), options) {
        correction.apply_to_summary(&mut summaries[place]);
        changed.push(summaries[place].id);
    }
    changed
}

/// What is to be changed about those that make these claims, by place. Others stay as they are.
pub(super) fn judged(
    claims: Vec<Option<Claim>>,
    others: impl Iterator<Item = Claim>,
    options: &ReadOptions,
) -> Vec<(usize, Correction)> {
    let places: Vec<usize> = (0..claims.len()).filter(|&place| claims[place].is_some()).collect();
    let claims: Vec<Claim> = claims.into_iter().flatten().chain(others).collect();
    let corrections = zone::reconcile(&claims, &options.home);
    places.into_iter().zip(corrections).filter_map(|(place, correction)| Some((place, correction?))).collect()
}

/// What the activities of a run tell of one another's zones: one entry a claim. Nothing when the user decided to keep the
/// times as they are.
pub(super) fn corrections(claims: &[Option<Claim>], options: &ReadOptions) -> Vec<Option<Correction>> {
    let mut corrections = vec![None; claims.len()];
    if options.settle.zone != ZoneChoice::Keep {
        for (place, correction) in judged(claims.to_vec(), std::iter::empty(), options) {
            corrections[place] = Some(correction);
        }
    }
    corrections
}

/// Corrects activities that are all in memory.
pub(super) fn settle_together<'a>(activities: impl Iterator<Item = &'a mut Activity>, options: &ReadOptions) {
    let activities: Vec<&mut Activity> = activities.collect();
    let claims: Vec<Option<Claim>> = activities.iter().map(|activity| Claim::of_activity(activity)).collect();
    for (activity, correction) in activities.into_iter().zip(corrections(&claims, options)) {
        if let Some(correction) = correction {
            correction.apply(activity);
        }
    }
}
