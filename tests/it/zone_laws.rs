//! Laws of time repair: an injected fault is undone where evidence exists, and what was right is never made wrong.

use paceport::fix::zone::{Claim, Source, Zone, reconcile};
use paceport::fix::{SettleOptions, ZoneChoice, join, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Basis, Clock, Draft, Evidence, Summary};
use proptest::prelude::*;

use crate::expect;

/// Places all over the world, with whole, half and three-quarter hours, with and without summer time.
const PLACES: &[(f64, f64)] = &[
    (47.38, 8.54),
    (51.51, -0.13),
    (40.71, -74.01),
    (33.45, -112.07),
    (-37.81, 144.96),
    (27.72, 85.32),
    (22.57, 88.36),
    (47.56, -52.71),
    (-31.56, 159.08),
    (-43.95, -176.55),
    (1.87, -157.43),
    (-13.83, -171.77),
    (55.76, 37.62),
    (35.69, 51.39),
    (-23.55, -46.63),
    (64.15, -21.94),
];

/// A recording of some minutes that starts at `start` and moves away from a place, a point every second.
fn recording(place: (f64, f64), start: i64, minutes: i64) -> Draft {
    let mut draft = Draft::new();
    for second in 0..minutes * 60 {
        draft.recording.track.push(start + second * 1000);
        draft.recording.track.set_position(place.0 + second as f64 * 3e-5, place.1);
    }
    draft
}

fn offset_ms(place: (f64, f64), ms: i64) -> i64 {
    i64::from(Zone::at(place.0, place.1).unwrap().offset_at(ms).unwrap()) * 1000
}

/// False around a change of clocks, where a wall clock alone does not tell the instant.
fn is_plain(place: (f64, f64), ms: i64) -> bool {
    let offset = offset_ms(place, ms);
    [-26, -3, -2, -1, 1, 2, 3, 26].iter().all(|hours| offset_ms(place, ms + hours * 3_600_000) == offset)
}

fn starts() -> impl Strategy<Value = i64> {
    // 2002 to 2025, to the second.
    (1_010_000_000_i64..1_760_000_000).prop_map(|s| s * 1000)
}

fn places() -> impl Strategy<Value = (f64, f64)> {
    (0..PLACES.len()).prop_map(|i| PLACES[i])
}

fn first(draft: Draft) -> (i64, Option<i32>, bool) {
    let activity = settle(draft, &SettleOptions::default());
    (activity.track.times()[0], activity.offset_s, activity.floating)
}

fn claims(drafts: Vec<Draft>) -> Vec<Claim> {
    let summaries = drafts.into_iter().map(|draft| Summary::of(&settle(draft, &SettleOptions::default())));
    summaries.map(|summary| Claim::of(&summary).unwrap()).collect()
}

/// What is wrong with a recording.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Local time, marked as UTC by a producer that is known for it.
    Marked,
    /// Local time without a zone.
    Bare,
    /// UTC, and a stated offset of another zone or season, seconds.
    Stated(i32),
    /// Local time of another zone or season, and that offset stated beside it, seconds.
    WatchOf(i32),
}

fn faults() -> impl Strategy<Value = Fault> {
    let offsets = || (-47..56i32).prop_map(|quarters| quarters * 900);
    prop_oneof![
        Just(Fault::Marked),
        Just(Fault::Bare),
        offsets().prop_map(Fault::Stated),
        offsets().prop_map(Fault::WatchOf),
    ]
}

/// What tells of it.
#[derive(Debug, Clone, Copy)]
enum Witness {
    Nothing,
    Position,
    /// Another recorder of the same workout, with positions and true times.
    SameWorkout,
    /// Another workout so many hours later.
    SameDay(i64),
    /// The user names the zone.
    User,
}

fn evidences() -> impl Strategy<Value = Witness> {
    let hours = prop_oneof![-20i64..-2, 2i64..20];
    prop_oneof![
        Just(Witness::Nothing),
        Just(Witness::Position),
        Just(Witness::SameWorkout),
        hours.prop_map(Witness::SameDay),
        Just(Witness::User),
    ]
}

/// A recording with a fault, then what tells of it.
fn scene(place: (f64, f64), start: i64, fault: Fault, witness: Witness) -> (Vec<Draft>, ZoneChoice) {
    let stated = |offset_s| Clock { offset_s: Some(offset_s), evidence: Evidence::Stated, ..Clock::default() };
    let (ahead_ms, clock) = match fault {
        Fault::Marked => (offset_ms(place, start), Clock { local_as_utc: true, ..Clock::default() }),
        Fault::Bare => (offset_ms(place, start), Clock { basis: Basis::Local, ..Clock::default() }),
        Fault::Stated(offset) => (0, stated(offset)),
        Fault::WatchOf(offset) => (i64::from(offset) * 1000, Clock { basis: Basis::Local, ..stated(offset) }),
    };
    let mut draft = recording(place, start + ahead_ms, 10);
    draft.clock = clock;
    if !matches!(witness, Witness::Position) {
        let times = draft.recording.track.times().to_vec();
        draft.recording.track = Default::default();
        for ms in times {
            draft.recording.track.push(ms);
        }
    }
    let (other, choice) = match witness {
        Witness::SameWorkout => (Some(recording(place, start + 7000, 10)), ZoneChoice::Auto),
        Witness::SameDay(hours) => (Some(recording(place, start + hours * 3_600_000, 30)), ZoneChoice::Auto),
        Witness::User => {
            let name = Zone::at(place.0, place.1).unwrap().name().to_owned();
            (None, ZoneChoice::Named(name))
        }
        Witness::Nothing | Witness::Position => (None, ZoneChoice::Auto),
    };
    (std::iter::once(draft).chain(other).collect(), choice)
}

const NAMELESS: Source<'static> = &|_| String::new();

/// Start, offset, floating of the first of some recordings that are read together. What is believed once is believed again.
fn believed(drafts: Vec<Draft>, choice: &ZoneChoice) -> (i64, Option<i32>, bool) {
    let options = SettleOptions { zone: choice.clone(), ..SettleOptions::default() };
    let mut summaries: Vec<Summary> = drafts.into_iter().map(|draft| Summary::of(&settle(draft, &options))).collect();
    let corrections = |summaries: &[Summary]| {
        let claims: Vec<Claim> = summaries.iter().map(|summary| Claim::of(summary).unwrap()).collect();
        reconcile(&claims, NAMELESS, &ZoneChoice::Auto)
    };
    for (i, correction) in corrections(&summaries) {
        correction.apply_to_summary(&mut summaries[i]);
    }
    assert!(corrections(&summaries).is_empty(), "corrected twice");
    let first = &summaries[0];
    (first.start.unwrap(), first.local_offset_s, first.floating)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn local_time_marked_as_utc_is_undone(place in places(), start in starts(), marked in any::<bool>()) {
        prop_assume!(is_plain(place, start));
        let mut draft = recording(place, start + offset_ms(place, start), 1);
        draft.clock = if marked {
            Clock { local_as_utc: true, ..Clock::default() }
        } else {
            Clock { basis: Basis::Local, ..Clock::default() }
        };
        prop_assert_eq!(first(draft), (start, Some((offset_ms(place, start) / 1000) as i32), false));
    }

    #[test]
    fn true_instants_never_move_whatever_is_stated(
        place in places(), start in starts(), quarters in -70i32..70, placed in any::<bool>(), wall_quarters in -200i64..200
    ) {
        let mut draft = if placed { recording(place, start, 1) } else {
            let mut draft = Draft::new();
            draft.recording.track.push(start);
            draft
        };
        draft.clock = Clock {
            offset_s: Some(quarters * 900),
            evidence: Evidence::Stated,
            wall_start: Some(start + wall_quarters * 900_000),
            ..Clock::default()
        };
        let (found, offset, floating) = first(draft);
        prop_assert_eq!((found, floating), (start, false));
        if placed {
            prop_assert_eq!(offset.map(i64::from), Some(offset_ms(place, start) / 1000));
        }
    }

    #[test]
    fn wall_clocks_without_evidence_are_kept(start in starts()) {
        let mut draft = Draft { clock: Clock { basis: Basis::Local, ..Clock::default() }, ..Draft::new() };
        draft.recording.track.push(start);
        prop_assert_eq!(first(draft), (start, None, true));
    }

    #[test]
    fn a_wall_clock_beside_positions_is_undone(place in places(), start in starts(), local in any::<bool>(), late in 0i64..90) {
        prop_assume!(is_plain(place, start));
        let wall = start + offset_ms(place, start);
        let mut rows = Draft { clock: Clock { basis: Basis::Local, ..Clock::default() }, ..Draft::new() };
        for second in 0..300 {
            rows.recording.track.push(wall + second * 1000);
        }
        rows.recording.stated_start = Some(wall);
        let fixes = recording(place, late * 1000 + if local { wall } else { start }, 5);
        let joined = join(vec![fixes, rows]);
        prop_assert_eq!(joined.len(), 1);
        let (found, offset, _) = first(joined[0].0.clone());
        prop_assert_eq!((found, offset.map(i64::from)), (start, Some(offset_ms(place, start) / 1000)));
    }

    #[test]
    fn a_copy_in_local_time_is_moved_onto_the_other(place in places(), start in starts(), swap in any::<bool>()) {
        let offset = offset_ms(place, start);
        prop_assume!(is_plain(place, start) && offset != 0);
        let mut drafts = vec![recording(place, start, 30), recording(place, start + offset, 30)];
        if swap {
            drafts.reverse();
        }
        let claims = claims(drafts);
        let corrections = reconcile(&claims, NAMELESS, &ZoneChoice::Auto);
        let moved = |(i, claim): (usize, &Claim)| claim.start + corrections.get(&i).map_or(0, |c| c.shift_ms);
        let moved: Vec<i64> = claims.iter().enumerate().map(moved).collect();
        prop_assert_eq!(moved, vec![start, start]);
    }

    #[test]
    fn different_recordings_of_a_day_stay(place in places(), start in starts(), apart in 1i64..56, drift in 3i64..400) {
        // The same round again, some quarters of an hour later, but not at the very second.
        let again = start + apart * 900_000 + drift * 1000;
        let claims = claims(vec![recording(place, start, 14), recording(place, again, 14)]);
        prop_assert!(reconcile(&claims, NAMELESS, &ZoneChoice::Auto).values().all(|c| c.shift_ms == 0));
    }

    #[test]
    fn any_fault_is_undone_where_evidence_exists_and_kept_where_none_does(
        place in places(), start in starts(), fault in faults(), evidence in evidences()
    ) {
        prop_assume!(is_plain(place, start));
        let offset_s = (offset_ms(place, start) / 1000) as i32;
        let (drafts, choice) = scene(place, start, fault, evidence);
        let found = believed(drafts, &choice);
        // What a fault leaves when nothing tells of it.
        let kept = match fault {
            Fault::Marked | Fault::Bare => (start + i64::from(offset_s) * 1000, None, true),
            Fault::Stated(stated) | Fault::WatchOf(stated) => (start, Some(stated), false),
        };
        let wanted = match (fault, evidence) {
            (_, Witness::Nothing) => kept,
            // Who states an offset is heeded before any other recording.
            (Fault::Stated(_) | Fault::WatchOf(_), Witness::SameWorkout | Witness::SameDay(_)) => kept,
            _ => (start, Some(offset_s), false),
        };
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn settling_what_was_settled_changes_nothing(place in places(), start in starts(), marked in any::<bool>()) {
        let mut draft = recording(place, start, 1);
        draft.clock.local_as_utc = marked;
        let once = settle(draft, &SettleOptions::default());
        let again = settle(Draft { recording: once.clone().into_recording(), ..Draft::new() }, &SettleOptions::default());
        prop_assert_eq!(once.track.times(), again.track.times());
        prop_assert_eq!((again.shift_ms, again.offset_s), (0, once.offset_s));
    }
}

#[test]
fn no_right_time_of_the_corpus_is_moved() {
    let Some(corpus) = expect::corpus() else { return };
    let (mut met, mut moved, mut wrong) = (0, Vec::new(), Vec::new());
    for (path, expect) in expect::load(&corpus, None) {
        let bytes = std::fs::read(corpus.join(&path)).unwrap();
        let Ok((format, reading)) = formats::read_bytes(&bytes, &Limits::default()) else { continue };
        for mut draft in reading.drafts {
            let claimed = draft.recording.track.times().to_vec();
            draft.source = Some(path.clone());
            let activity = settle(draft, &SettleOptions::default());
            met += 1;
            if activity.shift_ms == 0 {
                let same = activity.track.times().iter().all(|t| claimed.contains(t));
                if !same && activity.notes.get("time.jump").is_none() {
                    wrong.push(format!("{path}: samples moved"));
                }
                continue;
            }
            // The oracle marks the files whose written zone is known to be wrong, and gives the true offset.
            match expect["true_utc_offset_s"].as_i64() {
                Some(offset) if format.id != "hrm" && activity.shift_ms == -offset * 1000 => moved.push(path.clone()),
                known => wrong.push(format!("{path}: moved by {} ms, known offset {known:?}", activity.shift_ms)),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(met > 280, "met only {met}");
    assert_eq!(moved.len(), 4, "{moved:?}");
}
