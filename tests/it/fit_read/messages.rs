//! All other messages: laps, sessions, events, intervals, sets, zones, the clock.

use paceport::model::{LapTrigger, SetKind, Sport, SubSport};

use super::{ms, only};
use crate::fixtures::fit::{Fit, START, V, activity, base, record};

#[test]
fn a_multisport_file_is_one_activity_with_legs_and_summed_totals() {
    let mut fit = activity();
    let fields = [
        (253, 4, base::UINT32),
        (2, 4, base::UINT32),
        (7, 4, base::UINT32),
        (8, 4, base::UINT32),
        (9, 4, base::UINT32),
        (5, 1, base::ENUM),
        (6, 1, base::ENUM),
        (11, 2, base::UINT16),
        (16, 1, base::UINT8),
        (17, 1, base::UINT8),
    ];
    fit.define(3, 18, &fields);
    // Summaries first, written long after the end they describe; legs in any order.
    for (start, elapsed, sport, sub, calories, max) in
        [(1100, 60, 3, 0, 5, 150), (0, 1100, 5, 18, 200, 160), (1160, 2000, 2, 7, 600, 170)]
    {
        let values = [
            V::U32(START + 9000),
            V::U32(START + start),
            V::U32(elapsed * 1000),
            V::U32(elapsed * 1000 - 500),
            V::U32(elapsed * 300),
            V::U8(sport),
            V::U8(sub),
            V::U16(calories),
            V::U8(120),
            V::U8(max),
        ];
        fit.data(3, &values);
    }
    record(&mut fit, START, 100);
    record(&mut fit, START + 3160, 130);
    let draft = only(&fit.file());
    let recording = &draft.recording;
    assert_eq!(recording.sport, Sport::MULTISPORT);
    let sports: Vec<_> = recording.sessions.iter().map(|s| (s.sport.0, s.sub_sport, s.start, s.end)).collect();
    let leg = |sport, sub, from: u32, to: u32| (sport, Some(SubSport(sub)), ms(START + from), ms(START + to));
    assert_eq!(sports, [leg(5, 18, 0, 1100), leg(3, 0, 1100, 1160), leg(2, 7, 1160, 3160)]);
    let stated = &recording.stated;
    assert_eq!((stated.elapsed_s, stated.timer_s), (Some(3160.0), Some(3158.5)));
    assert_eq!((stated.distance_m, stated.calories_kcal), (Some(9480.0), Some(805.0)));
    assert_eq!((stated.max_heart_rate, stated.avg_heart_rate), (Some(170.0), None), "no average of averages");
    assert_eq!(recording.stated_start, Some(ms(START)));
}

#[test]
fn a_session_that_began_by_another_clock_than_the_records_is_noted() {
    // Records from 0 to 600 s; (start, elapsed) of the sessions, s.
    let noted = |sessions: &[(i64, u32)]| {
        let mut fit = activity();
        for second in (0..=600).step_by(60) {
            record(&mut fit, START + second, 120);
        }
        fit.define(3, 18, &[(2, 4, base::UINT32), (7, 4, base::UINT32), (5, 1, base::ENUM)]);
        for (start, elapsed) in sessions {
            fit.data(3, &[V::U32((i64::from(START) + start) as u32), V::U32(elapsed * 1000), V::U8(2)]);
        }
        let draft = only(&fit.file());
        assert_eq!(draft.recording.sessions[0].start, ms(START) + sessions[0].0 * 1000, "no time is moved");
        draft.notes.get("fit.summary_start").is_some()
    };
    assert!(noted(&[(3600, 600)]), "an hour ahead");
    assert!(noted(&[(-3600, 600)]), "an hour behind");
    assert!(noted(&[(-3600, 300), (300, 300)]), "the first of two");
    assert!(!noted(&[(0, 600)]) && !noted(&[(45, 555)]) && !noted(&[(-120, 720)]), "as devices are late or wait");
    assert!(!noted(&[(-3600, 4200)]), "waiting for an hour until something is recorded");
    assert!(!noted(&[(-30 * 86_400, 600)]), "a month is a clock that was never set");
}

#[test]
fn laps_state_their_totals_and_end_when_they_end() {
    let mut fit = activity();
    let fields = [
        (253, 4, base::UINT32),
        (2, 4, base::UINT32),
        (7, 4, base::UINT32),
        (13, 2, base::UINT16),
        (110, 4, base::UINT32),
        (17, 1, base::UINT8),
        (80, 1, base::UINT8),
        (24, 1, base::ENUM),
        (34, 2, base::UINT16),
        (42, 2, base::UINT16),
    ];
    fit.define(3, 19, &fields);
    let lap = |start, speed, balance| {
        [
            V::U32(START + 5000),
            V::U32(START + start),
            V::U32(60_250),
            V::U16(2000),
            V::U32(speed),
            V::U8(85),
            V::U8(32),
            V::U8(7),
            V::U16(balance),
            V::U16(2755),
        ]
    };
    fit.data(3, &lap(100, 2001, 0x8000 | 5125)).data(3, &lap(0, u32::MAX, 5125));
    record(&mut fit, START, 100);
    let draft = only(&fit.file());
    let [first, second] = draft.recording.laps.as_slice() else { panic!() };
    assert_eq!((first.start, first.end), (ms(START), ms(START) + 60_250));
    assert_eq!((first.totals.avg_speed, second.totals.avg_speed), (Some(2.0), Some(2.001)));
    assert_eq!((first.totals.avg_cadence, first.totals.avg_altitude), (Some(85.25), Some(51.0)));
    assert_eq!((first.totals.left_right_balance, second.totals.left_right_balance), (None, Some(51.25)));
    assert_eq!(first.trigger, Some(LapTrigger::SessionEnd));
}

#[test]
fn pauses_lie_between_stop_and_start_however_often_they_are_told() {
    let mut fit = activity();
    fit.define(2, 21, &[(253, 4, base::UINT32), (0, 1, base::ENUM), (1, 1, base::ENUM), (3, 4, base::UINT32)]);
    // start, start, stop, stop_all, start, auto-stop, start, stop at the end.
    for (second, kind, data) in
        [(0, 0, 0), (5, 0, 0), (100, 1, 0), (101, 4, 0), (130, 0, 0), (200, 4, 1), (215, 0, 1), (300, 9, 0)]
    {
        fit.data(2, &[V::U32(START + second), V::U8(0), V::U8(kind), V::U32(data)]);
    }
    // A gear change is an event of its own, a lap event is told by its lap.
    fit.data(2, &[V::U32(START + 50), V::U8(43), V::U8(3), V::U32(0x1102_3204)]);
    fit.data(2, &[V::U32(START + 60), V::U8(9), V::U8(3), V::U32(0)]);
    record(&mut fit, START, 100);
    let draft = only(&fit.file());
    let pauses: Vec<_> = draft.recording.pauses.iter().map(|p| (p.start, p.end, p.auto)).collect();
    assert_eq!(pauses, [(ms(START + 100), ms(START + 130), false), (ms(START + 200), ms(START + 215), true)]);
    let events: Vec<_> = draft.recording.events.iter().map(|e| (e.time, e.event, e.data)).collect();
    assert_eq!(events, [(ms(START + 50), 43, Some(0x1102_3204))]);
}

#[test]
fn beat_intervals_follow_their_record_or_carry_their_own_time() {
    let mut fit = activity();
    fit.define(2, 78, &[(0, 6, base::UINT16)]);
    record(&mut fit, START, 100);
    fit.data(2, &[V::U16(800), V::U16(810), V::U16(0xFFFF)]);
    record(&mut fit, START + 1, 101);
    fit.data(2, &[V::U16(790), V::U16(0xFFFF), V::U16(0xFFFF)]);
    fit.define(3, 290, &[(253, 4, base::UINT32), (0, 2, base::UINT16), (1, 4, base::UINT16)]);
    fit.data(3, &[V::U32(START + 2), V::U16(250), V::U16(700), V::U16(710)]);
    let draft = only(&fit.file());
    let rr: Vec<_> = draft.recording.rr.iter().map(|rr| (rr.time - ms(START), rr.ms)).collect();
    assert_eq!(rr, [(0, 800), (0, 810), (1000, 790), (2950, 700), (3660, 710)]);
}

#[test]
fn sets_splits_zones_athlete_workout_and_sensors_arrive() {
    let mut fit = activity();
    let set = [
        (254, 4, base::UINT32),
        (6, 4, base::UINT32),
        (0, 4, base::UINT32),
        (3, 2, base::UINT16),
        (4, 2, base::UINT16),
        (5, 1, base::UINT8),
        (7, 4, base::UINT16),
        (8, 4, base::UINT16),
    ];
    fit.define(2, 225, &set);
    let squat = [V::U16(28), V::U16(0xFFFF), V::U16(6), V::U16(0xFFFF)];
    let mut values = vec![V::U32(START + 40), V::U32(START), V::U32(35_500), V::U16(12), V::U16(320), V::U8(1)];
    values.extend(squat);
    fit.data(2, &values);
    values[5] = V::U8(0);
    fit.data(2, &values);
    fit.define(3, 264, &[(0, 2, base::UINT16), (1, 2, base::UINT16), (2, 12, base::STRING)]);
    fit.data(3, &[V::U16(28), V::U16(6), V::Text("Back Squat", 12)]);
    fit.define(3, 312, &[(0, 1, base::ENUM), (9, 4, base::UINT32), (27, 4, base::UINT32), (3, 4, base::UINT32)]);
    fit.data(3, &[V::U8(17), V::U32(START), V::U32(START + 90), V::U32(30_000)]);
    fit.define(3, 3, &[(1, 1, base::ENUM), (3, 1, base::UINT8), (4, 2, base::UINT16), (8, 1, base::UINT8)]);
    fit.data(3, &[V::U8(0), V::U8(171), V::U16(623), V::U8(48)]);
    fit.define(3, 7, &[(1, 1, base::UINT8), (2, 1, base::UINT8), (3, 2, base::UINT16)]);
    fit.data(3, &[V::U8(190), V::U8(172), V::U16(265)]);
    fit.define(3, 216, &[(0, 2, base::UINT16), (2, 8, base::UINT32), (6, 2, base::UINT8)]);
    fit.data(3, &[V::U16(19), V::U32(1), V::U32(2), V::Bytes(&[1, 2])]);
    fit.data(3, &[V::U16(18), V::U32(61_500), V::U32(2000), V::Bytes(&[120, 150])]);
    fit.define(3, 26, &[(8, 10, base::STRING)]).data(3, &[V::Text("5 x 5", 10)]);
    let sensor = [
        (253, 4, base::UINT32),
        (0, 1, base::UINT8),
        (2, 2, base::UINT16),
        (4, 2, base::UINT16),
        (5, 2, base::UINT16),
        (11, 1, base::UINT8),
    ];
    fit.define(3, 23, &sensor);
    fit.data(3, &[V::U32(START), V::U8(0), V::U16(0xFFFF), V::U16(0xFFFF), V::U16(310), V::U8(0xFF)]);
    fit.data(3, &[V::U32(START), V::U8(4), V::U16(32), V::U16(7), V::U16(0xFFFF), V::U8(3)]);
    fit.data(3, &[V::U32(START), V::U8(4), V::U16(0xFFFF), V::U16(0xFFFF), V::U16(121), V::U8(0xFF)]);
    let recording = only(&fit.file()).recording;
    assert_eq!(recording.sets.len(), 2);
    let set = &recording.sets[0];
    assert_eq!((set.start, set.duration_s, set.repetitions), (Some(ms(START)), Some(35.5), Some(12)));
    assert_eq!((set.weight_kg, set.exercise.as_deref(), set.kind), (Some(20.0), Some("Back Squat"), SetKind::Active));
    assert_eq!(recording.sets[1].kind, SetKind::Rest);
    let split = &recording.splits[0];
    assert_eq!((split.kind, split.end - split.start, split.totals.distance_m), (Some(17), 90_000, Some(300.0)));
    assert_eq!((recording.athlete.height_m, recording.athlete.weight_kg), (Some(1.71), Some(62.3)));
    assert_eq!((recording.zones.max_heart_rate, recording.zones.threshold_power), (Some(190), Some(265)));
    assert_eq!(
        (&recording.zones.heart_rate_seconds[..], &recording.zones.heart_rate_bounds[..]),
        (&[61.5, 2.0][..], &[120.0, 150.0][..])
    );
    assert_eq!(recording.name.as_deref(), Some("5 x 5"));
    let [recorder, sensor] = recording.devices.as_slice() else { panic!("{:?}", recording.devices) };
    assert_eq!((recorder.manufacturer.as_deref(), recorder.product.as_deref()), (Some("garmin"), Some("fenix7")));
    assert_eq!((recorder.serial.as_deref(), recorder.firmware.as_deref()), (Some("4242"), Some("3.10")));
    assert_eq!((sensor.manufacturer.as_deref(), sensor.product_id), (Some("wahoo_fitness"), Some(7)));
    assert_eq!((sensor.firmware.as_deref(), sensor.battery_status), (Some("1.21"), Some(3)));
}

#[test]
fn a_set_pairs_its_category_with_the_subtype_of_the_same_place() {
    let mut fit = activity();
    fit.define(2, 225, &[(254, 4, base::UINT32), (7, 6, base::UINT16), (8, 6, base::UINT16)]);
    let none = u16::MAX;
    for [categories, subtypes] in [
        [[30, 21, 65_534], [none, 8, none]],
        [[none, 21, 30], [3, 8, 9]],
        [[28, none, none], [6, 5, 4]],
        [[none; 3], [6, 5, 4]],
    ] {
        let mut values = vec![V::U32(START)];
        values.extend(categories.iter().chain(&subtypes).map(|number| V::U16(*number)));
        fit.data(2, &values);
    }
    let sets = only(&fit.file()).recording.sets;
    let numbers: Vec<_> = sets.iter().map(|set| (set.category, set.category_subtype)).collect();
    assert_eq!(numbers, [(Some(30), None), (Some(21), Some(8)), (Some(28), Some(6)), (None, None)]);
    assert_eq!(sets[0].exercise.as_deref(), Some("triceps extension"), "not the ez bar of another category's 8");
}

#[test]
fn without_an_activity_message_the_clock_setting_of_the_device_tells_the_offset() {
    let offset = |settings: [u32; 3], zone: u8| {
        let mut fit = activity();
        fit.define(2, 2, &[(0, 1, base::UINT8), (1, 4, base::UINT32), (2, 8, base::UINT32)]);
        fit.data(2, &[V::U8(zone), V::U32(settings[0]), V::U32(settings[1]), V::U32(settings[2])]);
        record(&mut fit, START, 100);
        let stated = |fit: &Fit| only(&fit.file()).clock.offset_s;
        let cut = stated(&fit);
        fit.define(3, 34, &[(253, 4, base::UINT32), (5, 4, base::UINT32)]);
        fit.data(3, &[V::U32(START), V::U32(START + 10_800)]);
        assert_eq!(stated(&fit), Some(10_800), "the activity message knows better");
        cut
    };
    let west = (-25_200_i32) as u32;
    assert_eq!(offset([0, west, 3600], 0), Some(-25_200));
    assert_eq!(offset([0, west, 3600], 1), Some(3600), "the active zone counts");
    assert_eq!(offset([3600, 0, u32::MAX], 0), None, "0 is what devices write that know none");
    assert_eq!(offset([0, 7, 0], 0), None, "no zone");
    assert_eq!(offset([0, 16 * 3600, 0], 0), None, "no zone");
}

#[test]
fn the_local_offset_comes_from_one_message_and_must_be_one() {
    let offset = |local: i64| {
        let mut fit = activity();
        record(&mut fit, START, 100);
        fit.define(3, 34, &[(253, 4, base::UINT32), (5, 4, base::UINT32)]);
        let clock = only(fit.data(3, &[V::U32(START), V::U32(local as u32)]).file().as_slice()).clock;
        (clock.offset_s, clock.residual_s)
    };
    let start = i64::from(START);
    assert_eq!(offset(start + 7200), (Some(7200), 0));
    assert_eq!(offset(start - 34_200), (Some(-34_200), 0), "Marquesas, UTC-9:30");
    assert_eq!(offset(start + 20_700 + 47), (Some(20_700), 47), "Nepal, with a clock that is 47 s off");
    assert_eq!(offset(start - 14_400 - 225), (Some(-14_400), -225));
    assert_eq!(offset(start + 50_400), (Some(50_400), 0));
    assert_eq!(offset(start + 54_000), (None, 0), "no zone is 15 h ahead");
    assert_eq!(offset(0), (None, 0), "Zwift");
    assert_eq!(offset(0xFFFF_FFFF), (None, 0));
}
