//! FIT files that we write are accepted: the strict validator and second readers find nothing wrong, and the values are
//! those of the activity.

use paceport::fix::{SettleOptions, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{
    Activity, Channel, Device, Draft, Event, ExtraKey, FitField, Lap, Length, Pause, Recording, RrInterval, Session,
    Set, Sport, SubSport, Totals,
};
use paceport::report::Notes;

use super::fit_validate::{self, Message};

/// 2024-05-01T07:12:00Z in ms, and in FIT seconds.
const START: i64 = 1_714_547_520_000;
const FIT_START: i64 = 1_083_481_920;

fn settled(recording: Recording) -> Activity {
    settle(Draft { recording, ..Draft::new() }, &SettleOptions::default())
}

/// Writes and validates; every rule must hold.
fn written(recording: Recording) -> (Vec<u8>, Notes) {
    let (bytes, notes) = write(&settled(recording));
    let found = fit_validate::check(&bytes);
    assert!(found.form.is_empty() && found.totals.is_empty(), "{found:#?}");
    (bytes, notes)
}

fn write(activity: &Activity) -> (Vec<u8>, Notes) {
    let (mut bytes, mut notes) = (Vec::new(), Notes::new());
    formats::by_id("fit").unwrap().write.unwrap()(activity, &mut bytes, &mut notes).unwrap();
    (bytes, notes)
}

fn messages(bytes: &[u8], global: u16) -> Vec<Message> {
    fit_validate::parse(bytes).unwrap().into_iter().filter(|m| m.global == global).collect()
}

fn ride(samples: i64) -> Recording {
    let mut recording = Recording { sport: Sport::CYCLING, sub_sport: Some(SubSport(7)), ..Recording::default() };
    let track = &mut recording.track;
    for i in 0..samples {
        track.push(START + i * 1000);
        track.set_position(47.0 + i as f64 * 1e-5, 8.0 - i as f64 * 1e-5);
        track.set_distance(i as f64 * 7.5);
        track.set(Channel::Altitude, 400.0 + (i % 50) as f32 * 0.2);
        track.set(Channel::Speed, 7.5);
        if i % 10 != 3 {
            track.set(Channel::HeartRate, 120.0 + (i % 30) as f32);
        }
        track.set(Channel::Cadence, 0.0);
        track.set(Channel::Power, (i % 300) as f32);
        track.set(Channel::Temperature, -3.0);
    }
    recording
}

#[test]
fn a_ride_has_everything_that_an_activity_needs() {
    let (bytes, notes) = written(ride(600));
    assert!(notes.is_empty(), "{notes:?}");
    let records = messages(&bytes, 20);
    assert_eq!(records.len(), 600);
    let record = &records[7];
    // Worked out by hand: raw = (value + offset) × scale; semicircles = degrees × 2^31 / 180.
    let wanted = [
        (253, FIT_START + 7),
        (0, 560_732_677),
        (1, 95_442_883),
        (5, 5250),
        (2, 4507),
        (78, 4507),
        (6, 7500),
        (73, 7500),
        (3, 127),
        (4, 0),
        (7, 7),
        (13, -3),
    ];
    for (field, value) in wanted {
        assert_eq!(record.number(field), Some(value), "field {field}");
    }
    assert!(!record.fields.contains_key(&53), "no fraction of a cadence that has none");
    assert!(!records[3].fields.contains_key(&3), "an absent heart rate is not written");
    let session = &messages(&bytes, 18)[0];
    let wanted = [(5, 2), (6, 7), (7, 599_000), (8, 599_000), (9, 449_250), (16, 135), (17, 149), (20, 150), (21, 299)];
    for (field, value) in wanted {
        assert_eq!(session.number(field), Some(value), "session field {field}");
    }
    assert_eq!(messages(&bytes, 19)[0].number(24), Some(7), "lap trigger: session end");
}

#[test]
fn two_shapes_of_record_need_two_definitions() {
    let (bytes, _) = written(ride(600));
    // A definition of message 20 starts with 0x4?, 0, 0, 20, 0; no other bytes of this file look like that.
    let definitions = bytes.windows(5).filter(|w| w[0] & 0xF0 == 0x40 && w[1..] == [0, 0, 20, 0]).count();
    assert_eq!(definitions, 2);
}

#[test]
fn pauses_become_timer_events_in_their_place() {
    let mut recording = ride(100);
    recording.pauses = vec![
        Pause { start: START + 20_000, end: START + 30_000, auto: true },
        Pause { start: START + 50_000, end: START + 50_000, auto: false },
    ];
    let (bytes, _) = written(recording);
    let events: Vec<_> = messages(&bytes, 21)
        .iter()
        .map(|e| (e.number(253).unwrap() - FIT_START, e.number(1).unwrap(), e.number(3).unwrap()))
        .collect();
    assert_eq!(events, [(0, 0, 0), (20, 1, 1), (30, 0, 1), (50, 1, 0), (50, 0, 0), (99, 4, 0)]);
    let order: Vec<u16> = fit_validate::parse(&bytes).unwrap().iter().map(|m| m.global).collect();
    let records_before = |nth: usize| {
        let at = order.iter().enumerate().filter(|(_, g)| **g == 21).nth(nth).unwrap().0;
        order[..at].iter().filter(|g| **g == 20).count()
    };
    assert_eq!([0, 1, 2, 3, 4, 5].map(records_before), [0, 21, 30, 51, 51, 100]);
    assert_eq!(messages(&bytes, 18)[0].number(8), Some(89_000), "timer time without the pause");
}

#[test]
fn summaries_of_another_format_get_the_averages_of_their_samples() {
    let mut recording = ride(200);
    let lap = |from: i64, to: i64, max_power| Lap {
        start: START + from * 1000,
        end: START + to * 1000,
        totals: Totals { elapsed_s: Some((to - from) as f64), timer_s: Some(75.0), max_power, ..Totals::default() },
        ..Lap::default()
    };
    recording.laps = vec![lap(0, 100, Some(321.0)), lap(100, 199, None)];
    recording.sessions = vec![Session {
        start: START,
        end: START + 199_000,
        sport: recording.sport,
        sub_sport: recording.sub_sport,
        totals: Totals {
            elapsed_s: Some(199.0),
            timer_s: Some(150.0),
            distance_m: Some(1500.0),
            max_heart_rate: Some(180.0),
            ..Totals::default()
        },
        ..Session::default()
    }];
    let (bytes, notes) = written(recording);
    assert!(notes.is_empty(), "{notes:?}");
    let session = &messages(&bytes, 18)[0];
    // Power 0 to 199 W; 1500 m in 150 s; the stated maximum of heart rate stays.
    let wanted = [(20, 100), (21, 199), (18, 0), (19, 0), (124, 10_000), (125, 7500), (9, 150_000), (17, 180)];
    assert_eq!(wanted.map(|(field, _)| (field, session.number(field).unwrap())), wanted);
    // 120 + i mod 30 bpm, none where i mod 10 is 3: six times 3636 over 27 rows, once 2334 over 18; 24,150 / 180 = 134.2.
    assert_eq!(session.number(16), Some(134));
    assert_eq!(session.number(3), Some(560_731_841), "47° in semicircles");
    let laps = messages(&bytes, 19);
    let of_laps = |field| [0, 1].map(|lap| laps[lap].number(field));
    // A sample on the border belongs to the later lap: 0 to 99 W, 100 to 199 W.
    assert_eq!(of_laps(19), [Some(50), Some(150)]);
    assert_eq!(of_laps(20), [Some(321), Some(199)]);
    // 742.5 m at the last sample of the first lap, 1492.5 m at the end.
    assert_eq!(of_laps(9), [Some(74_250), Some(75_000)]);
}

#[test]
fn events_after_the_end_follow_the_last_timer_event() {
    let mut recording = ride(100);
    // recovery_hr, two minutes after the stop: 95 bpm.
    recording.events = vec![Event { time: START + 219_000, event: 21, event_type: 3, data: Some(95), group: None }];
    let (bytes, _) = written(recording);
    let events: Vec<_> = messages(&bytes, 21)
        .iter()
        .map(|e| (e.number(253).unwrap() - FIT_START, e.number(0).unwrap(), e.number(1).unwrap()))
        .collect();
    assert_eq!(events, [(0, 0, 0), (99, 0, 4), (219, 21, 3)]);
}

#[test]
fn laps_without_elapsed_time_last_until_the_next() {
    let mut recording = ride(300);
    recording.laps = [0, 100, 200]
        .map(|from| Lap {
            start: START + from * 1000,
            end: START + from * 1000 + 90_000,
            totals: Totals {
                timer_s: Some(90.0),
                distance_m: Some(700.0),
                calories_kcal: Some(20.0),
                ..Totals::default()
            },
            ..Lap::default()
        })
        .to_vec();
    let (bytes, _) = written(recording);
    let laps: Vec<_> =
        messages(&bytes, 19).iter().map(|lap| (lap.number(7).unwrap(), lap.number(8).unwrap())).collect();
    assert_eq!(laps, [(100_000, 90_000), (100_000, 90_000), (99_000, 90_000)]);
    let session = &messages(&bytes, 18)[0];
    assert_eq!([7, 8, 9, 11].map(|field| session.number(field).unwrap()), [299_000, 270_000, 210_000, 60]);
}

#[test]
fn no_record_lies_before_a_session_whose_length_is_left_open() {
    // As Sigma writes TCX: the lap starts five seconds after its first point, and states its timer time only.
    let mut recording = ride(30);
    let timer = |timer_s| Totals { timer_s: Some(timer_s), ..Totals::default() };
    let lap =
        |from, to, timer_s| Lap { start: START + from, end: START + to, totals: timer(timer_s), ..Lap::default() };
    recording.laps = vec![lap(5_000, 20_000, 14.0), lap(20_000, 35_000, 15.0)];
    recording.sessions =
        vec![Session { start: START + 5_000, end: START + 35_000, totals: timer(29.0), ..Session::default() }];
    let (bytes, _) = written(recording);
    let spans =
        |global| -> Vec<_> { messages(&bytes, global).iter().map(|m| [2, 7, 8].map(|f| m.number(f))).collect() };
    let span = |from, elapsed, timer| [FIT_START + from, elapsed, timer].map(Some);
    assert_eq!(spans(18), [span(0, 35_000, 29_000)]);
    assert_eq!(spans(19), [span(0, 20_000, 14_000), span(20, 15_000, 15_000)]);
}

#[test]
fn a_device_that_swaps_timer_and_elapsed_time_swaps_them_in_laps_too() {
    let mut recording = ride(60);
    let totals =
        |elapsed_s, timer_s| Totals { elapsed_s: Some(elapsed_s), timer_s: Some(timer_s), ..Totals::default() };
    recording.sessions =
        vec![Session { start: START, end: START + 50_000, totals: totals(50.0, 59.0), ..Session::default() }];
    recording.laps = vec![
        Lap { start: START, end: START + 21_000, totals: totals(21.0, 30.0), ..Lap::default() },
        Lap { start: START + 30_000, end: START + 59_000, totals: totals(29.0, 29.0), ..Lap::default() },
    ];
    let (bytes, notes) = written(recording);
    let times = |global| -> Vec<_> { messages(&bytes, global).iter().map(|m| [7, 8].map(|f| m.number(f))).collect() };
    assert_eq!(times(18), [[Some(59_000), Some(50_000)]]);
    assert_eq!(times(19), [[Some(30_000), Some(21_000)], [Some(29_000), Some(29_000)]]);
    assert_eq!(notes.get("loss.timer").map(|note| note.count), Some(2), "the session and its first lap");
}

#[test]
fn a_multisport_recording_has_a_session_a_leg() {
    let mut recording = ride(300);
    recording.sport = Sport::MULTISPORT;
    let leg = |from: i64, to: i64, sport| Session { start: START + from, end: START + to, sport, ..Session::default() };
    recording.sessions = vec![
        leg(0, 100_000, Sport::SWIMMING),
        leg(100_000, 110_000, Sport::TRANSITION),
        leg(110_000, 299_000, Sport::CYCLING),
    ];
    recording.laps = [(0, 50_000), (50_000, 100_000), (100_000, 110_000), (110_000, 299_000)]
        .map(|(from, to)| Lap { start: START + from, end: START + to, ..Lap::default() })
        .to_vec();
    let (bytes, _) = written(recording);
    let sessions: Vec<_> =
        messages(&bytes, 18).iter().map(|s| [5, 25, 26, 7].map(|field| s.number(field).unwrap())).collect();
    assert_eq!(sessions, [[5, 0, 2, 100_000], [3, 2, 1, 10_000], [2, 3, 1, 189_000]]);
    assert_eq!(messages(&bytes, 34)[0].number(2), Some(1), "activity.type auto_multi_sport");
}

#[test]
fn what_is_stated_of_the_whole_beyond_its_legs_comes_back() {
    // As a platform states a triathlon: with its transitions, an average, and a sub-sport that no leg has.
    let mut recording = ride(300);
    (recording.sport, recording.sub_sport) = (Sport::MULTISPORT, Some(SubSport(78)));
    let leg = |from: i64, to: i64, sport, kcal| Session {
        start: START + from * 1000,
        end: START + to * 1000,
        sport,
        totals: Totals {
            elapsed_s: Some((to - from) as f64),
            timer_s: Some((to - from) as f64),
            distance_m: Some(500.0),
            calories_kcal: Some(kcal),
            max_heart_rate: Some(150.0),
            ..Totals::default()
        },
        ..Session::default()
    };
    recording.sessions = vec![leg(0, 100, Sport::SWIMMING, 20.0), leg(110, 299, Sport::CYCLING, 30.0)];
    recording.stated = Totals {
        elapsed_s: Some(299.0),
        timer_s: Some(289.0),
        distance_m: Some(1000.0),
        calories_kcal: Some(61.5),
        avg_heart_rate: Some(135.0),
        max_heart_rate: Some(171.0),
        steps: Some(40.0),
        ..Totals::default()
    };
    let (stated, activity) = (recording.stated.clone(), settled(recording));
    let (bytes, notes) = write(&activity);
    let note = notes.get("loss.whole").unwrap();
    // Timer and distance are the sums of the legs.
    let names = "elapsed_s, calories_kcal, avg_heart_rate, max_heart_rate, steps, sport";
    assert!(note.count == 6 && note.detail.ends_with(names), "{note:?}");
    assert_eq!(messages(&bytes, 34)[0].number(0), Some(289_000), "the native timer is that of the sessions");
    let read = read_back(&bytes);
    assert_eq!((read.sport, read.sub_sport), (Sport::MULTISPORT, Some(SubSport(78))));
    assert_eq!(read.sessions.iter().map(|leg| leg.sport).collect::<Vec<_>>(), [Sport::SWIMMING, Sport::CYCLING]);
    for (read, meant) in read.stated.clone().each_mut().zip(stated.clone().each_mut()) {
        assert!(meant.is_none() || read == meant, "{:?}\n{stated:?}", read);
    }
    let again = write(&settled(read)).0;
    assert_eq!(fit_validate::parse(&again).unwrap().len(), fit_validate::parse(&bytes).unwrap().len());
    assert_eq!(messages(&again, 34)[0].developer, messages(&bytes, 34)[0].developer);
}

#[test]
fn what_follows_from_the_sessions_is_said_once() {
    let mut recording = ride(100);
    recording.stated = Totals { distance_m: Some(742.5001), calories_kcal: Some(50.0), ..Totals::default() };
    let (bytes, notes) = written(recording.clone());
    assert!(notes.is_empty() && messages(&bytes, 206).is_empty(), "{notes:?}");
    recording.stated.calories_kcal = Some(50.25);
    let (bytes, notes) = written(recording);
    assert_eq!(notes.get("loss.whole").map(|note| note.count), Some(1));
    assert_eq!(messages(&bytes, 18)[0].number(11), Some(50));
    assert_eq!(read_back(&bytes).stated.calories_kcal, Some(50.25));
}

#[test]
fn workouts_without_samples_are_activities_too() {
    let stated =
        Totals { timer_s: Some(1800.0), distance_m: Some(5000.0), calories_kcal: Some(300.0), ..Totals::default() };
    let summary = Recording { stated_start: Some(START), stated: stated.clone(), ..Recording::default() };
    let (bytes, _) = written(summary);
    let session = &messages(&bytes, 18)[0];
    assert_eq!([2, 7, 8, 9, 11].map(|f| session.number(f).unwrap()), [FIT_START, 1_800_000, 1_800_000, 500_000, 300]);
    let day = Recording { day: Some("2024-05-01".into()), stated, ..Recording::default() };
    let (bytes, _) = written(day);
    // 2024-05-01T12:00:00Z
    assert_eq!(messages(&bytes, 18)[0].number(2), Some(FIT_START + 4 * 3600 + 48 * 60));
    let (bytes, _) = written(Recording::default());
    assert_eq!(messages(&bytes, 18)[0].number(2), Some(0x1000_0001));
}

#[test]
fn pool_lengths_sets_intervals_and_events_are_kept() {
    let mut recording = ride(60);
    recording.lengths = (0..4)
        .map(|i| Length {
            start: START + i * 15_000,
            end: START + i * 15_000 + 15_000,
            strokes: Some(12),
            active: i != 2,
            ..Length::default()
        })
        .collect();
    recording.sets = vec![Set {
        start: Some(START + 10_000),
        duration_s: Some(30.5),
        repetitions: Some(12),
        weight_kg: Some(42.5),
        category: Some(0),
        category_subtype: Some(1),
        exercise: Some("Bench press".into()),
        ..Set::default()
    }];
    recording.rr = (0..7).map(|i| RrInterval { time: START + 5_000, ms: 800 + i }).collect();
    recording.events =
        vec![Event { time: START + 7_000, event: 43, event_type: 3, data: Some(0x0B02_0E01), group: None }];
    let (bytes, _) = written(recording);
    let lengths = messages(&bytes, 101);
    assert_eq!(lengths.iter().map(|l| l.number(12).unwrap()).collect::<Vec<_>>(), [1, 1, 0, 1]);
    let session = &messages(&bytes, 18)[0];
    assert_eq!([33, 47].map(|f| session.number(f).unwrap()), [4, 3]);
    let set = &messages(&bytes, 225)[0];
    assert_eq!([0, 3, 4, 5, 6].map(|f| set.number(f).unwrap()), [30_500, 12, 680, 1, FIT_START + 10]);
    assert_eq!(messages(&bytes, 264)[0].text(2).as_deref(), Some("Bench press"));
    let hrv = messages(&bytes, 78);
    assert_eq!((hrv.len(), hrv[1].number(0)), (2, Some(805)));
    let event = messages(&bytes, 21).into_iter().find(|e| e.number(0) == Some(43)).unwrap();
    assert_eq!([253, 1, 3].map(|f| event.number(f).unwrap()), [FIT_START + 7, 3, 0x0B02_0E01]);
}

#[test]
fn intervals_with_times_of_their_own_keep_them() {
    let mut recording = ride(10);
    // Two intervals at a record, then three that run on from 3.25 s: 0.8 s, 0.81 s, 0.82 s.
    let beat = |time: i64, ms| RrInterval { time: START + time, ms };
    recording.rr = vec![beat(2000, 700), beat(2000, 701), beat(4050, 800), beat(4860, 810), beat(5680, 820)];
    let (bytes, _) = written(recording);
    let hrv = messages(&bytes, 78);
    assert_eq!((hrv.len(), hrv[0].number(0)), (1, Some(700)));
    let beats = messages(&bytes, 290);
    assert_eq!(beats.len(), 1);
    assert_eq!([253, 0].map(|f| beats[0].number(f).unwrap()), [FIT_START + 3, 250]);
    let times: Vec<u8> = [800u16, 810, 820].iter().flat_map(|ms| ms.to_le_bytes()).collect();
    assert_eq!(beats[0].fields[&1].bytes, times);
}

#[test]
fn arrays_in_records_stay_arrays() {
    let mut recording = ride(3);
    let field = |name: &str| ExtraKey {
        name: name.into(),
        unit: "m/s".into(),
        fit: Some(FitField::Native { number: 17, base_type: 2, scale: 16.0, offset: 0.0 }),
    };
    let slots = ["speed_1s", "speed_1s[1]", "speed_1s[3]"].map(|name| recording.track.extra_slot(field(name)));
    for (slot, value) in slots.into_iter().zip([1.0, 2.5, 4.0]) {
        recording.track.set_extra(slot, value);
    }
    let (bytes, _) = written(recording);
    let record = messages(&bytes, 20).pop().unwrap();
    assert_eq!(record.fields[&17].bytes, [16, 40, 0xFF, 64]);
}

#[test]
fn a_name_is_that_of_the_workout() {
    let mut recording = ride(3);
    recording.name = Some("Morgenrunde".into());
    recording.description = Some("x".repeat(300));
    let (bytes, notes) = written(recording);
    let workout = &messages(&bytes, 26)[0];
    assert_eq!(workout.text(8).as_deref(), Some("Morgenrunde"));
    assert_eq!(workout.text(17).map(|text| text.len()), Some(254));
    assert_eq!(notes.get("loss.text").map(|note| note.count), Some(1));
}

#[test]
fn devices_keep_their_identity() {
    let mut recording = ride(10);
    recording.devices = vec![
        Device {
            manufacturer: Some("garmin".into()),
            product_id: Some(3121),
            serial: Some("3999999999".into()),
            firmware: Some("9.75".into()),
            ..Device::default()
        },
        Device { index: Some(0), manufacturer_id: Some(32), device_type: Some(120), ..Device::default() },
    ];
    let (bytes, _) = written(recording);
    let id = &messages(&bytes, 0)[0];
    assert_eq!([1, 2, 3].map(|f| id.number(f).unwrap()), [1, 3121, 3_999_999_999]);
    assert_eq!(messages(&bytes, 49)[0].number(0), Some(975));
    let devices: Vec<_> = messages(&bytes, 23).iter().map(|d| (d.number(0), d.number(2))).collect();
    assert_eq!(devices, [(Some(0), Some(1)), (Some(1), Some(32))]);
}

/// The creator of a TCX file from Polar, and words that FIT has no numbers for.
#[test]
fn makers_and_versions_in_words_come_back() {
    let device = |maker: &str, serial: &str, firmware: &str| Device {
        index: Some(0),
        manufacturer: Some(maker.into()),
        product: Some("Polar V800".into()),
        product_id: Some(13),
        serial: Some(serial.into()),
        firmware: Some(firmware.into()),
        ..Device::default()
    };
    for (device, maker, version, note) in [
        (device("polar", "0", "1.7.0.0"), Some(123), Some(107), None),
        (device("polar", "12", "2.2.269.0"), Some(123), Some(202), Some("loss.version")),
        (device("nobody", "A12", "v1"), Some(255), Some(0), Some("loss.serial")),
    ] {
        let mut recording = ride(10);
        recording.devices = vec![device.clone()];
        let (bytes, notes) = written(recording);
        assert_eq!(messages(&bytes, 0)[0].number(1), maker);
        assert_eq!(messages(&bytes, 49)[0].number(0), version);
        let mut read = read_back(&bytes).devices;
        // A maker without a number is written as the one of software.
        read[0].manufacturer_id = None;
        assert_eq!(read, [device]);
        let noted = ["loss.version", "loss.serial"].map(|code| notes.get(code).is_some());
        assert_eq!(noted.contains(&true), note.is_some(), "{notes:?}");
        assert!(note.is_none_or(|code| notes.get(code).is_some()), "{notes:?}");
    }
}

#[test]
fn what_fit_cannot_say_is_named() {
    let mut recording = ride(5);
    let track = &mut recording.track;
    track.push(START + 5_250);
    track.set(Channel::Altitude, -600.0);
    track.set(Channel::Cadence, 260.0);
    track.set(Channel::Heading, 123.25);
    let slot = track.extra_slot(ExtraKey { name: "wind".into(), unit: "m/s".into(), fit: None });
    track.set_extra(slot, 3.5);
    let (bytes, notes) = written(recording);
    let counts = ["loss.range", "loss.subsecond"].map(|code| notes.get(code).map(|note| note.count));
    assert_eq!(counts, [Some(2), Some(1)], "{notes:?}");
    assert!(notes.get("loss.range").unwrap().detail.contains("altitude, cadence"), "{notes:?}");
    let fields: Vec<_> = messages(&bytes, 206).iter().map(|m| (m.text(3).unwrap(), m.text(8))).collect();
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(
        fields,
        [
            ("wind".into(), text("m/s")),
            ("exact_altitude".into(), text("m")),
            ("exact_cadence".into(), text("rpm")),
            ("heading".into(), text("°")),
            ("timestamp_ms".into(), text("ms"))
        ]
    );
    let last = &messages(&bytes, 20)[5];
    assert_eq!(last.number(253), Some(FIT_START + 5));
    let values: Vec<&[u8]> = last.developer.values().map(|field| &field.bytes[..]).collect();
    let [wind, altitude, cadence, heading] = [3.5f32, -600.0, 260.0, 123.25].map(f32::to_le_bytes);
    assert_eq!(values, [&wind[..], &altitude, &cadence, &heading, &250u16.to_le_bytes()]);
    let read = read_back(&bytes).track;
    assert_eq!(read.get(5, Channel::Altitude), Some(-600.0));
    assert_eq!(read.get(5, Channel::Cadence), Some(260.0));
}

/// What our own reader gets back.
fn read_back(bytes: &[u8]) -> Recording {
    let (_, mut reading) = formats::read_bytes(bytes, &Limits::default()).unwrap();
    reading.drafts.remove(0).recording
}

#[test]
fn values_finer_than_a_native_field_are_kept_beside_it() {
    let mut recording = ride(6);
    let track = &mut recording.track;
    let fine = [
        (Channel::HeartRate, 120.5),
        (Channel::Power, 200.6),
        (Channel::Temperature, -21.25),
        (Channel::GpsAccuracy, 3.4),
        (Channel::LeftRightBalance, 48.7),
        (Channel::LeftPedalSmoothness, 20.3),
        (Channel::LeftPhaseStart, 12.34),
        (Channel::Calories, 7.5),
    ];
    track.push(START + 6000);
    fine.iter().for_each(|(channel, value)| track.set(*channel, *value));
    track.push(START + 7000);
    fine.iter().for_each(|(channel, value)| track.set(*channel, value.round()));
    let meant = track.clone();
    let (bytes, notes) = written(recording);
    let records = messages(&bytes, 20);
    // Other programs see the nearest value that the field can say.
    for (field, value) in [(3, 121), (7, 201), (13, -21), (31, 3), (30, 49 | 0x80), (45, 41), (69, 9), (33, 8)] {
        assert_eq!(records[6].number(field), Some(value), "field {field}");
    }
    // 49 % stands on the grid; a smoothness of 20 % too; 12° lies between 11.25° and 12.66°.
    assert_eq!(records[6].developer.len(), fine.len());
    assert_eq!(records[7].developer.len(), 1, "only what the field rounds");
    assert_eq!(records[0].developer.len(), 0);
    let names: Vec<String> = messages(&bytes, 206).iter().map(|m| m.text(3).unwrap()).collect();
    assert!(names.iter().all(|name| Channel::by_name(name).is_none()), "not taken for native ones: {names:?}");
    let note = notes.get("loss.precision").unwrap();
    assert_eq!(note.count, fine.len() as u64 + 1, "{note:?}");
    let read = read_back(&bytes).track;
    for &channel in Channel::ALL {
        for row in 0..meant.len() {
            assert_eq!(read.get(row, channel), meant.get(row, channel), "{channel:?} of {row}");
        }
    }
}

#[test]
fn what_is_rounded_to_a_fine_step_is_named() {
    let mut recording = ride(3);
    let track = &mut recording.track;
    track.push(START + 3000);
    track.set(Channel::Altitude, 400.123);
    track.set(Channel::Cadence, 87.3);
    track.set_distance(22.505);
    let (bytes, notes) = written(recording);
    let note = notes.get("loss.rounded").unwrap();
    assert_eq!(note.count, 3);
    assert!(note.detail.contains("distance (0.01 m), altitude (0.2 m), cadence (0.0078 rpm)"), "{}", note.detail);
    assert!(messages(&bytes, 206).is_empty(), "no bytes are spent on what no sensor resolves");
    assert_eq!(read_back(&bytes).track.get(3, Channel::Altitude), Some(400.2));
}

#[test]
fn a_recording_before_fit_began_is_moved_as_a_whole() {
    let mut recording = Recording::default();
    for i in 0..3 {
        recording.track.push(800_000_000_000 + i * 1000);
    }
    let (bytes, notes) = written(recording);
    let times: Vec<_> = messages(&bytes, 20).iter().map(|r| r.number(253).unwrap()).collect();
    assert_eq!(times, [0x1000_0001, 0x1000_0002, 0x1000_0003]);
    assert!(notes.get("loss.time").is_some());
}

#[test]
fn the_local_offset_is_stated_when_it_is_known() {
    let mut activity = settled(ride(10));
    activity.offset_s = Some(-12_600);
    let (bytes, notes) = write(&activity);
    let last = &messages(&bytes, 34)[0];
    assert_eq!(last.number(5).unwrap() - last.number(253).unwrap(), -12_600);
    assert!(notes.is_empty(), "{notes:?}");
    activity.offset_s = None;
    let (bytes, notes) = write(&activity);
    assert_eq!(messages(&bytes, 34)[0].number(5), None);
    let note = notes.get("fit.no_local_time").unwrap();
    assert!(note.detail.contains("--home-zone"), "the remedy is named: {note:?}");
}
