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

/// The time in which an activity may tell the zone of one of these, ms.
pub(super) fn days_around(summaries: &[Box<Summary>]) -> Option<RangeInclusive<i64>> {
    let starts = || summaries.iter().filter_map(|summary| summary.start);
    let (first, last) = (starts().min()?, starts().max()?);
    Some((first - NEIGHBOUR_MS)..=(last + NEIGHBOUR_MS))
}

/// Activities of a history that start in these days.
pub(super) fn near<'a>(history: &'a History, days: &'a RangeInclusive<i64>) -> impl Iterator<Item = &'a Stored> {
    history.activities().iter().filter(|a| a.start.is_some_and(|start| days.contains(&start)))
}

/// Settles the zones of some activities by one another and by others, which stay as they are. Gives those that changed.
pub(super) fn by_others(summaries: &mut [Box<Summary>], known: &[Summary], options: &ReadOptions) -> Vec<ActivityId> {
    let mut places = Vec::new();
    let mut claims = Vec::new();
    for (place, summary) in summaries.iter().enumerate() {
        if let Some(claim) = Claim::of(summary) {
            places.push(place);
            claims.push(claim);
        }
    }
    claims.extend(known.iter().filter_map(Claim::of));
    let mut changed = Vec::new();
    for (place, correction) in places.into_iter().zip(zone::reconcile(&claims, &options.home)) {
        let Some(correction) = correction else { continue };
        correction.apply_to_summary(&mut summaries[place]);
        changed.push(summaries[place].id);
    }
    changed
}

/// What the activities of a run tell of one another's zones: one entry a claim. Nothing when the user decided to keep the
/// times as they are.
pub(super) fn corrections(claims: &[Option<Claim>], options: &ReadOptions) -> Vec<Option<Correction>> {
    if options.settle.zone == ZoneChoice::Keep {
        return vec![None; claims.len()];
    }
    let stated: Vec<Claim> = claims.iter().flatten().cloned().collect();
    let mut found = zone::reconcile(&stated, &options.home).into_iter();
    claims.iter().map(|claim| claim.as_ref().and_then(|_| found.next().flatten())).collect()
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
