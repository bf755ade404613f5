//! Zones of the activities of a run, settled by one another.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::read::ReadOptions;
use crate::error::Result;
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

/// What the activities of a run claim, by their places in it; those of a large one take much memory.
pub(super) struct Claims {
    claims: Vec<Claim>,
    places: Vec<u32>,
    count: u32,
}

impl Claims {
    /// With room for so many.
    pub fn with_room(count: usize) -> Claims {
        Claims { claims: Vec::with_capacity(count), places: Vec::with_capacity(count), count: 0 }
    }

    /// That of the next activity.
    pub fn add(&mut self, claim: Option<Claim>) {
        self.places.extend(claim.is_some().then_some(self.count));
        self.claims.extend(claim);
        self.count += 1;
    }

    /// The time in which others may tell their zones, ms.
    pub fn days(&self) -> Option<RangeInclusive<i64>> {
        days_around(self.claims.iter().map(|claim| claim.start))
    }

    /// What is to be changed about them, by place; nothing when the user decided to keep the times as they are. `source`
    /// names the source of the activity at a place.
    ///
    /// # Errors
    /// The first of `source`.
    pub fn judged(
        self,
        source: &dyn Fn(usize) -> Result<String>,
        options: &ReadOptions,
    ) -> Result<BTreeMap<usize, Correction>> {
        let Claims { claims, places, .. } = self;
        if options.settle.zone == ZoneChoice::Keep {
            return Ok(BTreeMap::new());
        }
        let place = |at: usize| places.get(at).map_or(usize::MAX, |place| *place as usize);
        let failed = OnceCell::new();
        let name = |at: usize| source(place(at)).map_err(|error| failed.set(error)).unwrap_or_default();
        let corrections = zone::reconcile(&claims, &name, &options.home);
        match failed.into_inner() {
            Some(error) => Err(error),
            None => Ok(corrections.into_iter().map(|(at, correction)| (place(at), correction)).collect()),
        }
    }
}

impl FromIterator<Option<Claim>> for Claims {
    fn from_iter<I: IntoIterator<Item = Option<Claim>>>(claims: I) -> Claims {
        let claims = claims.into_iter();
        let mut all = Claims::with_room(claims.size_hint().0);
        claims.for_each(|claim| all.add(claim));
        all
    }
}

/// Settles the zones of some activities by one another and by others, which stay as they are. Gives those that changed.
///
/// # Errors
/// None: all names are at hand.
pub(super) fn by_others(
    summaries: &mut [Box<Summary>],
    known: &[Summary],
    options: &ReadOptions,
) -> Result<Vec<ActivityId>> {
    let all: Vec<&Summary> = summaries.iter().map(|summary| &**summary).chain(known).collect();
    let claims: Claims = all.iter().map(|summary| Claim::of(summary)).collect();
    let corrections = claims.judged(&|place| Ok(all[place].source.clone()), options)?;
    let mut changed = Vec::new();
    for (place, correction) in corrections {
        let Some(summary) = summaries.get_mut(place) else { continue };
        correction.apply_to_summary(summary);
        changed.push(summary.id);
    }
    Ok(changed)
}

/// Corrects activities that are all in memory.
///
/// # Errors
/// None: all names are at hand.
pub(super) fn settle_together<'a>(
    activities: impl Iterator<Item = &'a mut Activity>,
    options: &ReadOptions,
) -> Result<()> {
    let mut activities: Vec<&mut Activity> = activities.collect();
    let claims: Claims = activities.iter().map(|activity| Claim::of_activity(activity)).collect();
    let source = |place: usize| Ok(activities[place].origin.source.clone());
    for (place, correction) in claims.judged(&source, options)? {
        correction.apply(activities[place]);
    }
    Ok(())
}
