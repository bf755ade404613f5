//! Draft → activity: the only place where a claim becomes a belief.

mod distance;
mod range;

use crate::error::Place;
use crate::model::{Activity, Draft, Evidence};
use crate::report::Code;

const BACKWARD: Code = Code::warning("time.backward");
const UNTIMED: Code = Code::info("time.missing");

/// What the user decides about times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettleOptions {}

/// Judges a draft: order, plausibility, zone, computed totals. Never fails: what cannot be believed is dropped or kept
/// as claimed, with a note.
pub fn settle(draft: Draft, _options: &SettleOptions) -> Activity {
    let Draft { mut recording, clock, mut notes, complete } = draft;
    let backward = recording.track.sort() as u64;
    notes.add_many(BACKWARD, backward, Place::NOWHERE, || {
        format!("{backward} samples stood before an earlier one; sorted by time")
    });
    let untimed = recording.track.untimed_count() as u64;
    notes.add_many(UNTIMED, untimed, Place::NOWHERE, || {
        format!("{untimed} samples have no time; they keep their place and no time is invented for them")
    });
    range::check(&mut recording, &mut notes);
    let mut activity = Activity::settled(recording, notes, complete);
    if let Some(offset) = clock.offset_s {
        activity.offset_s = Some(offset);
        activity.evidence = if clock.evidence == Evidence::None { Evidence::Stated } else { clock.evidence };
    }
    activity.computed = distance::totals(&activity);
    activity
}
