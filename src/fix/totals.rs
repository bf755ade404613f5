//! Totals that a device or platform states, held against those of the samples. Both are kept as they are; where they tell
//! of different workouts a note says so.

use crate::error::Place;
use crate::model::Totals;
use crate::report::{Code, Notes};

const DISTANCE: Code = Code::info("totals.distance");
const ELAPSED: Code = Code::info("totals.elapsed");

/// Smoothing, wheels and foot pods make some per cent of a distance; a button pressed late makes a minute.
const SHARE: f64 = 0.1;
const LEAST_M: f64 = 200.0;
const LEAST_S: f64 = 120.0;

/// Notes where stated and computed totals disagree.
pub(super) fn compare(stated: &Totals, computed: &Totals, notes: &mut Notes) {
    let apart = |stated: Option<f64>, computed: Option<f64>, least: f64| {
        let (stated, computed) = stated.zip(computed)?;
        ((stated - computed).abs() > least.max(SHARE * stated.max(computed))).then_some((stated, computed))
    };
    let distance = apart(stated.distance_m, computed.distance_m, LEAST_M);
    let elapsed = apart(stated.elapsed_s, computed.elapsed_s, LEAST_S);
    for (code, apart, unit) in [(DISTANCE, distance, "m"), (ELAPSED, elapsed, "s")] {
        let Some((stated, computed)) = apart else { continue };
        notes.add(code, Place::NOWHERE, || {
            format!("{stated:.0} {unit} are stated, the samples make {computed:.0} {unit}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SettleOptions, settle};
    use crate::model::Draft;

    /// The notes on totals of 1,000 s along a meridian, one thousandth of a degree (111.2 m) a hundred seconds.
    fn notes(distance_m: Option<f64>, elapsed_s: Option<f64>) -> Vec<String> {
        let mut draft = Draft::new();
        for step in 0..=10 {
            draft.recording.track.push(1_714_547_520_000 + step * 100_000);
            draft.recording.track.set_position(47.0 + step as f64 / 1000.0, 8.0);
        }
        (draft.recording.stated.distance_m, draft.recording.stated.elapsed_s) = (distance_m, elapsed_s);
        let notes = settle(draft, &SettleOptions::default()).notes;
        notes.iter().filter(|note| note.code.starts_with("totals.")).map(|note| note.detail.clone()).collect()
    }

    #[test]
    fn totals_that_tell_of_another_workout_are_noted() {
        assert!(notes(None, None).is_empty());
        assert!(notes(Some(1300.0), Some(1100.0)).is_empty());
        assert_eq!(notes(Some(5000.0), None), ["5000 m are stated, the samples make 1112 m"]);
        assert_eq!(notes(None, Some(1900.0)), ["1900 s are stated, the samples make 1000 s"]);
        assert_eq!(notes(Some(0.0), Some(300.0)).len(), 2);
    }
}
