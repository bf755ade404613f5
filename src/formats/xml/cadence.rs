//! Cadence as producers write it: sometimes steps instead of strides, sometimes a mark for "invalid".

use crate::error::Place;
use crate::model::{Channel, Draft};
use crate::report::{Code, Notes};

const DOUBLED: Code = Code::warning("xml.cadence_doubled");
const INVALID: Code = Code::info("xml.cadence_invalid");

/// Nobody keeps up more strides of one leg a minute than this, so where a quarter of the values is larger they count steps.
/// (The median, which tcx.md section 3 proposes, fails for runs with much walking: in its own sample it is 119.)
const MOST_STRIDES: f32 = 120.0;
/// Largest value that the schemas allow; Fit2Tcx writes it for "invalid".
const SENTINEL: f32 = 254.0;

/// Halves the cadence of a recording on foot that counts steps of both feet, and drops the marks for "invalid": every
/// 255, and 254 where there is nothing else.
pub fn judge_cadence(draft: &mut Draft) {
    let on_foot = draft.recording.sport.is_on_foot();
    let Some(column) = draft.recording.track.column_mut(Channel::Cadence) else { return };
    let mut only_sentinel = true;
    let mut present = Vec::new();
    for &value in column.raw() {
        only_sentinel &= value.is_nan() || value >= SENTINEL;
        if value > 0.0 && value < SENTINEL {
            present.push(value);
        }
    }
    let lowest_invalid = if only_sentinel { SENTINEL } else { SENTINEL + 1.0 };
    let mut invalid = 0;
    for value in column.raw_mut() {
        if *value >= lowest_invalid && *value <= SENTINEL + 1.0 {
            *value = f32::NAN;
            invalid += 1;
        }
    }
    note_invalid(&mut draft.notes, invalid);
    if !on_foot || present.is_empty() {
        return;
    }
    let upper = present.len() * 3 / 4;
    let (_, quartile, _) = present.select_nth_unstable_by(upper, f32::total_cmp);
    let quartile = *quartile;
    if quartile <= MOST_STRIDES {
        return;
    }
    column.raw_mut().iter_mut().for_each(|value| *value /= 2.0);
    for lap in &mut draft.recording.laps {
        for cadence in [&mut lap.totals.avg_cadence, &mut lap.totals.max_cadence].into_iter().flatten() {
            if *cadence > f64::from(MOST_STRIDES) {
                *cadence /= 2.0;
            }
        }
    }
    draft.notes.add(DOUBLED, Place::NOWHERE, || {
        format!(
            "a quarter of the cadences on foot is {quartile} or more; they count steps of both feet and were halved"
        )
    });
}

fn note_invalid(notes: &mut Notes, count: u64) {
    notes.add_many(INVALID, count, Place::NOWHERE, || format!("{count} cadences mean that there was none"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sport;

    fn judged(sport: Sport, values: &[f32]) -> (Vec<Option<f32>>, Draft) {
        let mut draft = Draft::new();
        draft.recording.sport = sport;
        for (i, value) in values.iter().enumerate() {
            draft.recording.track.push(i as i64 * 1000);
            draft.recording.track.set(Channel::Cadence, *value);
        }
        judge_cadence(&mut draft);
        let track = &draft.recording.track;
        ((0..values.len()).map(|row| track.get(row, Channel::Cadence)).collect(), draft)
    }

    #[test]
    fn steps_become_strides_only_on_foot() {
        let steps = [0.0, 0.0, 0.0, 160.0, 170.0, 180.0];
        let (halved, draft) = judged(Sport::RUNNING, &steps);
        assert_eq!(halved[3..], [Some(80.0), Some(85.0), Some(90.0)]);
        assert!(draft.notes.get("xml.cadence_doubled").is_some());
        let (kept, draft) = judged(Sport::CYCLING, &steps);
        assert_eq!(kept[3], Some(160.0));
        assert!(draft.notes.is_empty());
        // Half walking, half running, in steps; and one spike among strides.
        assert_eq!(judged(Sport::RUNNING, &[110.0, 118.0, 119.0, 170.0, 175.0]).0[4], Some(87.5));
        assert_eq!(judged(Sport::RUNNING, &[85.0, 88.0, 90.0, 86.0, 180.0]).0[4], Some(180.0));
    }

    #[test]
    fn marks_for_invalid_are_dropped() {
        assert_eq!(judged(Sport::RUNNING, &[254.0, 254.0]).0, [None, None]);
        assert_eq!(judged(Sport::CYCLING, &[90.0, 255.0, 254.0]).0, [Some(90.0), None, Some(254.0)]);
    }
}
