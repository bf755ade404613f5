//! Draft → activity: the only place where a claim becomes a belief.

mod anonymize;
mod bounds;
mod clock;
mod distance;
mod name;
mod nike;
mod pair;
mod range;
mod shift;
mod tell;
mod totals;
pub mod zone;

use crate::error::Place;
use crate::model::{Activity, Basis, Clock, Draft, Recording};
use crate::report::{Code, Notes};

const BACKWARD: Code = Code::warning("time.backward");
const UNTIMED: Code = Code::info("time.missing");

pub use anonymize::{Anonymize, anonymize};
pub use pair::{Joined, join};
pub use shift::{Shift, shift};
pub use tell::tell;
pub use zone::ZoneChoice;

/// What the user decides about times, and what was decided before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettleOptions {
    /// What is known of local time.
    pub zone: ZoneChoice,
    /// A verdict of an earlier run (the history's journal keeps it): it is applied as it is, so that reading an original
    /// again gives the same times whatever lies around it.
    pub decided: Option<zone::Verdict>,
}

/// Judges a draft: order, plausibility, zone, computed totals. Never fails: what cannot be believed is dropped or kept
/// as claimed, with a note.
pub fn settle(draft: Draft, options: &SettleOptions) -> Activity {
    let Draft { mut recording, mut clock, mut notes, complete, source, tells_of: _, leg_of: _ } = draft;
    bounds::check(&mut recording, &mut clock, &mut notes);
    if let Some(source) = &source {
        name::heed(source, &mut clock);
        name::heed_hitrack(source, &mut recording, &mut clock);
    }
    nike::repair(&mut recording, source.as_deref(), &mut notes);
    if options.zone != ZoneChoice::Keep {
        clock::jumps(&mut recording, &mut notes);
    }
    let backward = recording.track.sort() as u64;
    notes.add_many(BACKWARD, backward, Place::NOWHERE, || {
        format!("{backward} samples stood before an earlier one; sorted by time")
    });
    let untimed = recording.track.untimed_count() as u64;
    notes.add_many(UNTIMED, untimed, Place::NOWHERE, || {
        format!("{untimed} samples have no time; they keep their place and no time is invented for them")
    });
    range::check(&mut recording, &mut notes);
    let computed = distance::totals(&recording.track);
    totals::compare(&recording.stated, &computed, &mut notes);
    let verdict = options.decided.unwrap_or_else(|| judge(&mut recording, &clock, &options.zone, &mut notes));
    recording.shift(verdict.shift_ms);
    if clock.basis == Basis::Local || clock.local_as_utc {
        recording.created.iter_mut().for_each(|created| *created += verdict.shift_ms);
    }
    let mut activity = Activity::settled(recording, notes, complete);
    activity.offset_s = verdict.offset_s;
    activity.evidence = verdict.evidence;
    activity.shift_ms = verdict.shift_ms;
    activity.floating = verdict.floating;
    activity.computed = computed;
    activity
}

/// The verdict on the clock and on the zone together.
fn judge(recording: &mut Recording, clock: &Clock, choice: &ZoneChoice, notes: &mut Notes) -> zone::Verdict {
    let reset_ms = if *choice == ZoneChoice::Keep { 0 } else { clock::whole(recording, clock, notes) };
    // The zone is judged at the true time, the recording itself is moved once by both together.
    recording.shift(reset_ms);
    let verdict = zone::judge(recording, clock, choice, notes);
    recording.shift(-reset_ms);
    zone::Verdict { shift_ms: verdict.shift_ms + reset_ms, ..verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, time};

    fn draft(start: &str, position: Option<(f64, f64)>, clock: Clock) -> Draft {
        let mut draft = Draft { clock, ..Draft::new() };
        draft.recording.track.push(time::parse(start.as_bytes()).unwrap().ms);
        if let Some((lat, lon)) = position {
            draft.recording.track.set_position(lat, lon);
        }
        draft
    }

    fn settled(draft: Draft, options: &SettleOptions) -> (String, Option<i32>, Evidence) {
        let activity = settle(draft, options);
        (time::utc(activity.track.times()[0]), activity.offset_s, activity.evidence)
    }

    const COLOGNE: Option<(f64, f64)> = Some((50.94, 6.96));

    #[test]
    fn local_time_marked_as_utc_becomes_true() {
        let clock = Clock { local_as_utc: true, ..Clock::default() };
        let got = settled(draft("2012-01-04T05:35:03Z", COLOGNE, clock.clone()), &SettleOptions::default());
        assert_eq!(got, ("2012-01-04T04:35:03Z".into(), Some(3600), Evidence::Position));
        let activity = settle(draft("2012-01-04T05:35:03Z", None, clock), &SettleOptions::default());
        assert!(activity.floating && activity.notes.get("time.zone_unknown").is_some());
        assert_eq!((activity.shift_ms, activity.offset_s), (0, None));
    }

    #[test]
    fn true_utc_is_never_moved() {
        let got = settled(draft("2012-01-04T05:35:03Z", COLOGNE, Clock::default()), &SettleOptions::default());
        assert_eq!(got, ("2012-01-04T05:35:03Z".into(), Some(3600), Evidence::Position));
    }

    #[test]
    fn an_earlier_verdict_is_applied_as_it_is() {
        let decided = zone::Verdict {
            shift_ms: -7_200_000,
            offset_s: Some(7200),
            evidence: Evidence::Neighbour,
            ..Default::default()
        };
        let clock = Clock { basis: Basis::Local, ..Clock::default() };
        let options = SettleOptions { decided: Some(decided), ..SettleOptions::default() };
        let got = settled(draft("2012-07-04T05:35:03", None, clock), &options);
        assert_eq!(got, ("2012-07-04T03:35:03Z".into(), Some(7200), Evidence::Neighbour));
    }
}
