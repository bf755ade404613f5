//! Workouts without samples: rows of tables, diaries, manual entries, and what the numbers of platforms tell.

use paceport::dedupe::{Fingerprint, Judgement, Verdict, group, judge};
use paceport::fix::{self, SettleOptions};
use paceport::ids::Digest;
use paceport::model::{Basis, Draft, Evidence, Sport, Totals};

use super::world::{Dice, Effort, Event, Recorder, Route, happen, record, seen};

const TRAINING: u8 = 10;

/// A row of a table.
#[derive(Clone, Default)]
struct Row {
    /// Seconds after the epoch; of the wall clock when there is no zone.
    start: i64,
    seconds: f64,
    sport: u8,
    /// `None` when the times are a wall clock's.
    offset_s: Option<i32>,
    metres: Option<f64>,
    id: Option<(&'static str, &'static str)>,
}

/// The fingerprint of a row; rows of one table share `table`.
fn row(row: &Row, table: u8, index: u32) -> Fingerprint {
    let mut draft = Draft::new();
    draft.recording.stated_start = Some(row.start * 1000);
    draft.recording.stated = Totals { elapsed_s: Some(row.seconds), distance_m: row.metres, ..Totals::default() };
    draft.recording.sport = Sport(row.sport);
    draft.recording.platform_ids = row.id.iter().map(|(p, id)| ((*p).to_owned(), (*id).to_owned())).collect();
    match row.offset_s {
        Some(offset_s) => (draft.clock.offset_s, draft.clock.evidence) = (Some(offset_s), Evidence::Stated),
        None => draft.clock.basis = Basis::Local,
    }
    let mut activity = fix::settle(draft, &SettleOptions::default());
    assert_eq!(activity.floating, row.offset_s.is_none());
    (activity.origin.digest, activity.origin.index) = (Digest([table; 32]), index);
    Fingerprint::of(&activity)
}

fn known_as(mut fingerprint: Fingerprint, platform: &str, id: &str) -> Fingerprint {
    fingerprint.platform_ids = vec![(platform.to_owned(), id.to_owned())];
    fingerprint
}

/// An hour in the gym, as a watch sees it: heart rate and no places.
fn gym(dice: &mut Dice, seconds: usize) -> (Event, Fingerprint) {
    let effort = Effort { sport: TRAINING, seconds, base_heart_rate: 115.0, pace: 1.0, stops: false };
    let route = Route::new(dice);
    let start = 1_600_000_000 + dice.whole(0, 50_000_000);
    let mut event = happen(dice, start, &route, &effort);
    event.offset_s = dice.whole(-22, 26) as i32 * 1800;
    let watch = Recorder { gps_noise: None, distance: false, speed: false, power: false, ..Recorder::default() };
    let print = seen(&event, &watch, 1, 1);
    (event, print)
}

#[test]
fn a_gym_diary_in_local_time_meets_the_watch() {
    for case in 0..300 {
        let mut dice = Dice::new(case + 1);
        let seconds = dice.whole(1800, 5400) as usize;
        let (event, watch) = gym(&mut dice, seconds);
        // The diary is opened some minutes after the watch was started, and closed before it was stopped.
        let slack = seconds as i64 / 10;
        let (late, early) = (dice.whole(-30, slack), dice.whole(-30, slack));
        let diary = Row {
            start: event.start + i64::from(event.offset_s) + late,
            seconds: (seconds as i64 - late - early) as f64,
            sport: [TRAINING, 62][dice.whole(0, 1) as usize],
            ..Row::default()
        };
        let judgement = judge(&watch, &row(&diary, 9, 0));
        let expected = (Verdict::Same, -event.offset_s);
        assert_eq!((judgement.verdict, judgement.shift_s as i32), expected, "case {case}: {judgement:#?}");
        assert_eq!(group(&[watch.clone(), row(&diary, 9, 0)]).clusters.len(), 1, "case {case}: not met by the sweep");
        // The same entry on another day, or some hours later, is another session, whatever the zone makes of it.
        for hours in [2, 3, 5, 11, 24, 48] {
            let other = row(&Row { start: diary.start + hours * 3600, ..diary.clone() }, 9, 0);
            let judgement = judge(&watch, &other);
            assert_eq!(judgement.verdict, Verdict::Different, "case {case}, {hours} h: {judgement:#?}");
        }
        // A swim at that time is none.
        assert_eq!(judge(&watch, &row(&Row { sport: 5, ..diary }, 9, 0)).verdict, Verdict::Different);
    }
}

#[test]
fn a_manual_entry_meets_the_recording_with_equal_start_and_totals() {
    let mut dice = Dice::new(4);
    let route = Route::new(&mut dice);
    let effort = Effort { sport: 2, seconds: 3600, base_heart_rate: 130.0, pace: 1.0, stops: true };
    let event = happen(&mut dice, 1_600_000_000, &route, &effort);
    let recording = seen(&event, &Recorder::default(), 1, 1);
    let metres = recording.totals.distance_m.unwrap();
    let entry = Row { start: event.start, seconds: 3600.0, sport: 2, offset_s: Some(0), ..Row::default() };
    let verdict = |change: &dyn Fn(&mut Row)| {
        let mut changed = Row { metres: Some(metres.round()), ..entry.clone() };
        change(&mut changed);
        judge(&recording, &row(&changed, 9, 0)).verdict
    };
    assert_eq!(verdict(&|_| ()), Verdict::Same);
    assert_eq!(verdict(&|row| row.metres = None), Verdict::Same);
    assert_eq!(verdict(&|row| row.sport = 0), Verdict::Same, "the numbers say it");
    assert_eq!(verdict(&|row| row.seconds = 3000.0), Verdict::Same, "time in motion");
    assert_eq!(verdict(&|row| (row.start, row.seconds) = (event.start - 40, 3660.0)), Verdict::Same, "whole minutes");
    assert_eq!(verdict(&|row| row.metres = Some(metres / 2.0)), Verdict::Unsure, "half the way");
    assert_eq!(verdict(&|row| row.sport = 5), Verdict::Different);
    assert_eq!(verdict(&|row| row.start += 3600), Verdict::Different);
    assert_eq!(verdict(&|row| row.start += 86_400), Verdict::Different);
}

#[test]
fn one_number_of_a_platform_is_one_workout() {
    // Another day even: the platform knows.
    let entry = Row { start: 1_600_000_000, seconds: 600.0, sport: 1, offset_s: Some(0), ..Row::default() };
    for platform in ["strava", "garmin", "huawei", "polar"] {
        let named = |start: i64, id| row(&Row { start, id: Some((platform, id)), ..entry.clone() }, 9, start as u32);
        assert_eq!(judge(&named(entry.start, "7"), &named(entry.start + 86_400, "7")).verdict, Verdict::Same);
    }
    // Numbers of two platforms say nothing.
    let (a, b) = (("strava", "7"), ("garmin", "7"));
    let of = |id, table| row(&Row { id: Some(id), ..entry.clone() }, table, 0);
    assert_eq!(judge(&of(a, 8), &of(b, 9)).verdict, Verdict::Same, "equal rows of two platforms");
    assert_eq!(
        judge(&of(a, 8), &row(&Row { start: 0, id: Some(b), ..entry.clone() }, 9, 0)).verdict,
        Verdict::Different
    );
}

#[test]
fn two_numbers_of_one_platform_are_two_workouts_unless_the_recordings_are_one() {
    let entry = Row { start: 1_600_000_000, seconds: 600.0, sport: 1, offset_s: Some(0), ..Row::default() };
    let of = |id, table| row(&Row { id: Some(("strava", id)), ..entry.clone() }, table, 0);
    let judgement = judge(&of("7", 8), &of("8", 9));
    assert_eq!((judgement.verdict, judgement.contradicted), (Verdict::Unsure, true), "{judgement:#?}");
    let says = |judgement: &Judgement| judgement.reasons.iter().any(|r| r.text == "strava knows them as 7 and 8");
    assert!(says(&judgement));
    // A third that would go with either ties nothing together.
    let third = row(&Row { id: Some(("garmin", "1")), ..entry.clone() }, 7, 0);
    let grouping = group(&[of("7", 8), of("8", 9), third]);
    assert_eq!((grouping.clusters.len(), grouping.clusters[0].members.len()), (1, 2), "{grouping:#?}");
    assert!(!grouping.unsure.is_empty());

    for case in 0..50 {
        let mut dice = Dice::new(case + 1);
        let event = super::world::any_event(&mut dice);
        let own = known_as(seen(&event, &Recorder::default(), case, 1), "strava", "7");
        let upload = |recorder: Recorder, seed| known_as(seen(&event, &recorder, seed, 2), "strava", "8");
        // The same file again, from another program; and a second device on the same ride.
        let copy = Recorder { decimals: 6, serial: None, ..Recorder::default() };
        let device = Recorder { gps_noise: Some(5.0), serial: Some("2"), heart_rate_noise: 2.0, ..Recorder::default() };
        let phone = Recorder { heart_rate: false, power: false, cadence: false, ..device.clone() };
        for (recorder, seed) in [(copy, case), (device, case + 900), (phone, case + 900)] {
            let judgement = judge(&own, &upload(recorder.clone(), seed));
            assert_eq!(judgement.verdict, Verdict::Same, "case {case}: {recorder:?} {judgement:#?}");
            assert!(says(&judgement) || judgement.score == 8.0);
        }
        // Without anything that both recorded it stays doubtful.
        let blind =
            Recorder { gps_noise: None, distance: false, speed: false, heart_rate: false, ..Recorder::default() };
        let own = Recorder { power: false, cadence: false, altitude: false, ..Recorder::default() };
        let own = known_as(seen(&event, &own, case, 1), "strava", "7");
        assert_ne!(judge(&own, &upload(Recorder { altitude: false, ..blind }, 5)).verdict, Verdict::Same);
    }
}

#[test]
fn a_diary_without_zone_does_not_take_the_recording_that_only_its_clock_meets() {
    // Two sessions on one day; at UTC+2 the clock of the first in the diary shows the true time of the second.
    let mut dice = Dice::new(9);
    let (mut event, _) = gym(&mut dice, 3600);
    event.offset_s = 7200;
    let (evening, _) = gym(&mut dice, 3600);
    let evening = Event { start: event.start + 7200, offset_s: 7200, ..evening };
    let watch = Recorder { gps_noise: None, distance: false, ..Recorder::default() };
    let prints = [(&event, 1), (&evening, 2)].map(|(event, seed)| {
        let mut activity = record(event, &watch, seed);
        activity.origin.digest.0[0] = seed as u8;
        Fingerprint::of(&activity)
    });
    let diary = row(&Row { start: event.start + 7200 + 200, seconds: 3300.0, sport: TRAINING, ..Row::default() }, 9, 0);
    let grouping = group(&[prints[0].clone(), prints[1].clone(), diary.clone()]);
    assert_eq!(grouping.clusters.len(), 1);
    let mut expected = [prints[0].id, diary.id];
    expected.sort_unstable();
    assert_eq!(grouping.clusters[0].members, expected);
}
