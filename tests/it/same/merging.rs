//! Merging: free of order, one source a column, no value invented, clocks aligned; joining parts.

use paceport::dedupe::{self, Fingerprint, Merged, Preferences, join, merge};
use paceport::fix::zone::Verdict;
use paceport::fix::{self, SettleOptions};
use paceport::model::{
    Activity, Channel, Clock, DeveloperField, Draft, ExtraKey, FieldValue, FitField, Lap, Length, Recording,
    RrInterval, Session, Set, Split, StatedField, Totals,
};
use proptest::prelude::*;

use super::world::{Dice, Effort, Event, Recorder, Route, happen, record};

/// What a caller does with a merge: settles it again, times as they are.
fn settled(merged: Merged) -> Activity {
    let Merged { draft, offset_s, evidence, shift_ms, floating, origin, .. } = merged;
    let decided = Verdict { offset_s, evidence, floating, ..Verdict::default() };
    let mut activity = fix::settle(draft, &SettleOptions { decided: Some(decided), ..SettleOptions::default() });
    (activity.shift_ms, activity.origin) = (shift_ms, origin);
    activity
}

fn merged(activities: &[&Activity]) -> Activity {
    settled(merge(activities, &Preferences::default()).unwrap())
}

fn event(seed: u64, seconds: usize) -> Event {
    let mut dice = Dice::new(seed);
    let route = Route::new(&mut dice);
    let effort = Effort { sport: 2, seconds, base_heart_rate: 140.0, pace: 1.0, stops: true };
    happen(&mut dice, 1_600_000_000 + seed as i64 % 1000, &route, &effort)
}

fn named(mut activity: Activity, source: &str, format: &str) -> Activity {
    let mut dice = Dice::new(source.bytes().fold(7, |a, b| a * 31 % 1_000_003 + u64::from(b)));
    activity.origin.digest.0[..8].copy_from_slice(&dice.next().to_le_bytes());
    (activity.origin.source, activity.origin.format) = (source.into(), format.into());
    activity
}

/// The same activity with its parts changed.
fn with(activity: Activity, change: impl FnOnce(&mut Recording)) -> Activity {
    let (origin, offset_s, evidence) = (activity.origin.clone(), activity.offset_s, activity.evidence);
    let mut recording = activity.into_recording();
    change(&mut recording);
    let draft = Draft { recording, clock: Clock::default(), ..Draft::new() };
    let decided = Verdict { offset_s, evidence, ..Verdict::default() };
    let mut activity = fix::settle(draft, &SettleOptions { decided: Some(decided), ..SettleOptions::default() });
    activity.origin = origin;
    activity
}

/// Positions without sensors, and sensors without positions.
fn two_devices(event: &Event, clock_s: f64) -> (Activity, Activity) {
    let watch = Recorder { heart_rate: false, power: false, cadence: false, ..Recorder::default() };
    let trainer = Recorder {
        gps_noise: None,
        altitude: false,
        distance: false,
        clock_s,
        serial: Some("9"),
        ..Recorder::default()
    };
    (named(record(event, &watch, 1), "watch.fit", "fit"), named(record(event, &trainer, 2), "trainer.tcx", "tcx"))
}

#[test]
fn a_hole_in_the_base_is_filled_by_whole_columns() {
    let event = event(1, 900);
    let (watch, trainer) = two_devices(&event, 0.0);
    let both = merged(&[&watch, &trainer]);
    assert_eq!(both.track.times(), watch.track.times());
    assert!(both.track.positions().eq(watch.track.positions()));
    for channel in [Channel::HeartRate, Channel::Power, Channel::Cadence] {
        assert_eq!(both.track.column(channel), trainer.track.column(channel), "{}", channel.name());
    }
    assert_eq!(both.track.column(Channel::Speed), watch.track.column(Channel::Speed));
    let source = |channel: &str| {
        both.origin.channels.iter().find(|(name, _)| name == channel).map(|(_, source)| source.as_str())
    };
    assert_eq!(source("position"), Some("watch.fit"));
    assert_eq!(source("heart_rate"), Some("trainer.tcx"));
    assert_eq!(source("speed"), Some("watch.fit"));
    assert_eq!(source("temperature"), None);
    assert_eq!(both.origin.source, "watch.fit");
    assert_eq!(both.origin.companions.iter().map(|c| c.source.as_str()).collect::<Vec<_>>(), ["trainer.tcx"]);
    assert_eq!(both.devices.len(), 2);
}

#[test]
fn the_clock_offset_is_found_and_removed() {
    // Both record speed: the only thing that tells the offset.
    for clock_s in [-27.0, -8.0, 13.0, 24.0] {
        let event = event(3, 1800);
        let (watch, trainer) = two_devices(&event, clock_s);
        let both = merged(&[&watch, &trainer]);
        let note = both.notes.get("merge.clock").unwrap_or_else(|| panic!("{clock_s}: no note"));
        let said: f64 = note.detail.split_once("moved by ").unwrap().1.split_once(" s").unwrap().0.parse().unwrap();
        assert!((said + clock_s).abs() <= 1.0, "{clock_s}: {}", note.detail);
        let mut apart = 0.0;
        for (row, value) in both.track.column(Channel::Power).unwrap().present() {
            let second = (both.track.times()[row] / 1000 - event.start) as usize;
            apart += (f64::from(value) - event.moments[second].power).abs();
        }
        let mean = apart / both.track.column(Channel::Power).unwrap().count() as f64;
        assert!(mean < 8.0, "{clock_s}: power is {mean} W off");
    }
    // By position, against a second receiver.
    let event = event(4, 1800);
    let first = named(record(&event, &Recorder { heart_rate: false, ..Recorder::default() }, 1), "a.fit", "fit");
    let late = Recorder { gps_noise: Some(5.0), power: false, clock_s: 21.0, ..Recorder::default() };
    let both = merged(&[&first, &named(record(&event, &late, 2), "b.gpx", "gpx")]);
    let note = both.notes.get("merge.clock").unwrap();
    assert!(note.detail.contains("by position") && note.detail.contains("-21 s"), "{}", note.detail);
    for (row, value) in both.track.column(Channel::HeartRate).unwrap().present() {
        let second = (both.track.times()[row] / 1000 - event.start) as usize;
        assert_eq!(f64::from(value), event.moments[second].heart_rate.round());
    }
}

#[test]
fn a_zone_fault_is_undone_for_the_one_that_has_it() {
    let mut dice = Dice::new(5);
    // Near Zürich in September: two hours ahead of UTC.
    let route = Route::at(47.4, 8.5, &mut dice);
    let effort = Effort { sport: 2, seconds: 1200, base_heart_rate: 140.0, pace: 1.0, stops: true };
    let event = Event { offset_s: 7200, ..happen(&mut dice, 1_600_000_000, &route, &effort) };
    let right = named(record(&event, &Recorder { heart_rate: false, ..Recorder::default() }, 1), "right.fit", "fit");
    // More channels, so that it is the base: its clock is corrected all the same.
    let wrong = Recorder { clock_s: 7200.0, states_offset: false, ..Recorder::default() };
    let wrong = named(record(&event, &wrong, 1), "wrong.gpx", "gpx");
    let both = merged(&[&wrong, &right]);
    assert_eq!(both.origin.source, "wrong.gpx");
    assert_eq!(both.span(), right.span());
    assert_eq!((both.offset_s, both.shift_ms), (Some(7200), -7_200_000));
    assert!(both.notes.get("merge.zone").is_some());
    assert_eq!(both.pauses, right.pauses);
}

#[test]
fn nothing_is_taken_by_time_from_a_recording_whose_pauses_are_left_out() {
    let event = event(11, 2400);
    assert!(event.stops.iter().map(|(from, to)| to - from).sum::<usize>() > 100);
    let whole = Recorder { heart_rate: false, power: false, ..Recorder::default() };
    let closed = Recorder { records_stops: false, states_pauses: false, closes_stops: true, ..Recorder::default() };
    let (whole, closed) =
        (named(record(&event, &whole, 1), "a.fit", "fit"), named(record(&event, &closed, 1), "b.gpx", "gpx"));
    let closed = with(closed, |r| r.name = Some("Name".into()));
    let judgement = dedupe::judge(&Fingerprint::of(&whole), &Fingerprint::of(&closed));
    assert_eq!(judgement.verdict, dedupe::Verdict::Same, "{judgement:#?}");
    let both = settled(merge(&[&whole, &closed], &Preferences::parse("base=fit").unwrap()).unwrap());
    assert!(both.notes.get("merge.unaligned").is_some());
    assert_eq!(both.track.column(Channel::HeartRate), None);
    assert_eq!((both.name.as_deref(), both.pauses.len()), (Some("Name"), event.stops.len()));
}

#[test]
fn the_user_says_whose_power_counts() {
    let event = event(6, 900);
    let watch = named(record(&event, &Recorder::default(), 1), "garmin-watch.fit", "fit");
    let trainer = record(&event, &Recorder { gps_noise: None, ..Recorder::default() }, 2);
    let trainer = with(named(trainer, "turbo.tcx", "tcx"), |r| {
        for value in r.track.column_mut(Channel::Power).unwrap().raw_mut() {
            *value += 1000.0;
        }
        r.creator = Some("Zwift".into());
    });
    let mean = |preferences: &str| {
        let both = settled(merge(&[&watch, &trainer], &Preferences::parse(preferences).unwrap()).unwrap());
        let column = both.track.column(Channel::Power).unwrap().clone();
        let count = column.count();
        assert!(count > 800);
        (column.present().map(|(_, v)| v).sum::<f32>() / count as f32, both.origin.source.clone())
    };
    assert!(mean("").0 < 500.0 && mean("heart_rate=zwift").0 < 500.0);
    assert!(mean("power=zwift").0 > 1000.0 && mean("power=tcx").0 > 1000.0 && mean("power=turbo").0 > 1000.0);
    assert_eq!(mean("base=zwift").1, "turbo.tcx");
}

fn native(number: u8, name: &str) -> StatedField {
    let fit = FitField::Native { number, base_type: 0x84, scale: 1.0, offset: 0.0 };
    let key = ExtraKey { name: name.into(), unit: String::new(), fit: Some(fit) };
    StatedField { key: key.into(), value: FieldValue::Number(0.0) }
}

#[test]
fn parts_names_and_developer_fields_come_from_whichever_has_them() {
    let event = event(7, 900);
    let start = event.start * 1000;
    let field = |index| Some(FitField::Developer(DeveloperField { index, number: 3, ..DeveloperField::default() }));
    let key = |name: &str, index| ExtraKey { name: name.into(), unit: "Watts".into(), fit: field(index) };
    let (watch, trainer) = two_devices(&event, 0.0);
    let watch = with(watch, |r| {
        r.laps = vec![Lap { start, end: start + 900_000, ..Lap::default() }];
        let fields = vec![native(68, "num_laps"), native(74, "start_elevation")];
        r.splits = vec![Split { start, end: start + 900_000, fields, ..Split::default() }];
        let slot = r.track.extra_slot(key("Form Power", 0));
        r.track.set_extra(slot, 60.0);
    });
    let trainer = with(trainer, |r| {
        r.laps = (0..3)
            .map(|i| Lap { start: start + i * 300_000, end: start + (i + 1) * 300_000, ..Lap::default() })
            .collect();
        r.lengths = vec![Length { start, end: start + 30_000, active: true, ..Length::default() }];
        r.sets = vec![Set { start: Some(start), repetitions: Some(8), ..Set::default() }];
        r.rr = vec![RrInterval { time: start, ms: 800 }];
        r.sessions = vec![Session { start, end: start + 900_000, ..Session::default() }];
        (r.name, r.gear) = (Some("Turbo".into()), Some("Kickr".into()));
        r.platform_ids = vec![("strava".into(), "17".into())];
        r.stated = Totals { calories_kcal: Some(300.0), ..Totals::default() };
        let slot = r.track.extra_slot(key("Air Power", 0));
        r.track.set_extra(slot, 12.0);
    });
    let both = merged(&[&trainer, &watch]);
    assert_eq!(
        (both.laps.len(), both.lengths.len(), both.sets.len(), both.rr.len(), both.sessions.len()),
        (3, 1, 1, 1, 1)
    );
    assert_eq!((both.name.as_deref(), both.gear.as_deref()), (Some("Turbo"), Some("Kickr")));
    assert_eq!((both.platform_ids.len(), both.stated.calories_kcal), (1, Some(300.0)));
    assert_eq!(both.splits[0].fields, [native(74, "start_elevation")], "the laps are those of another recording");
    // Two applications keep apart although both files call theirs 0.
    let indices: Vec<(&str, u8)> = both
        .track
        .extra()
        .iter()
        .filter_map(|c| match &c.key.fit {
            Some(FitField::Developer(field)) => Some((c.key.name.as_str(), field.index)),
            _ => None,
        })
        .collect();
    assert_eq!(indices, [("Form Power", 0), ("Air Power", 1)]);
    assert_eq!(both.track.extra()[1].count(), 1);
}

#[test]
fn parts_are_joined_with_a_pause_and_summed_totals() {
    let whole = event(8, 1800);
    let cut = |from: usize, to: usize| Event {
        moments: whole.moments[from..to].to_vec(),
        start: whole.start + from as i64,
        stops: Vec::new(),
        ..whole.clone()
    };
    let part = |event: &Event, name: &str, again: bool| {
        let start = event.start * 1000;
        let end = start + (event.moments.len() as i64 - 1) * 1000;
        with(named(record(event, &Recorder::default(), 1), name, "fit"), |r| {
            if again {
                // The second device counts from nothing again.
                let before = r.track.distance(0).unwrap();
                for row in 0..r.track.len() {
                    let metres = r.track.distance(row).unwrap();
                    r.track.set_distance_at(row, metres - before);
                }
            }
            let metres = r.track.distance(r.track.len() - 1).unwrap() - r.track.distance(0).unwrap();
            let totals =
                Totals { timer_s: Some((end - start) as f64 / 1000.0), distance_m: Some(metres), ..Totals::default() };
            r.stated = totals.clone();
            r.laps = vec![Lap { start, end, totals: totals.clone(), ..Lap::default() }];
            r.sessions = vec![Session { start, end, totals, sport: r.sport, laps: Some(1), ..Session::default() }];
            (r.laps[0].fields, r.sessions[0].fields) = (vec![native(73, "avg_swolf")], vec![native(80, "avg_swolf")]);
            let fields = vec![native(67, "first_lap_index"), native(74, "start_elevation")];
            r.splits = vec![Split { start, end, fields, ..Split::default() }];
        })
    };
    let first = part(&cut(0, 1000), "first.fit", false);
    let second = part(&cut(1300, 1800), "second.fit", true);
    let joined = settled(join(&[&second, &first]).unwrap());
    assert_eq!(joined, settled(join(&[&first, &second]).unwrap()));
    assert_eq!(joined.track.len(), 1500);
    assert_eq!(joined.origin.source, "first.fit");
    let gap = (joined.pauses[0].start, joined.pauses[0].end);
    assert_eq!((gap, joined.pauses.len()), (((whole.start + 999) * 1000, (whole.start + 1300) * 1000), 1));
    assert_eq!((joined.laps.len(), joined.sessions.len(), joined.sessions[0].laps), (2, 1, Some(2)));
    // An average of one part is none of the whole, and the first lap of the second part is not that of the whole.
    assert!(joined.laps.iter().all(|lap| lap.fields.len() == 1) && joined.sessions[0].fields.is_empty());
    assert_eq!(joined.splits.iter().map(|split| split.fields.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((joined.stated.timer_s, joined.stated.elapsed_s), (Some(999.0 + 499.0), Some(1799.0)));
    let way = first.stated.distance_m.unwrap() + second.stated.distance_m.unwrap();
    assert!((joined.stated.distance_m.unwrap() - way).abs() < 1e-6);
    // Distance goes on.
    let distances: Vec<f64> = (0..joined.track.len()).map(|row| joined.track.distance(row).unwrap()).collect();
    assert!(distances.is_sorted());
    assert!((distances[1499] - distances[0] - way).abs() < 0.2);
}

fn any_recorder() -> impl Strategy<Value = Recorder> {
    let flags = proptest::array::uniform7(any::<bool>());
    (flags, prop::option::of(0.0..12.0f64), -20.0..20.0f64, 0usize..60).prop_map(|(on, gps_noise, clock_s, trim)| {
        Recorder {
            gps_noise,
            heart_rate: on[0],
            power: on[1],
            cadence: on[2],
            altitude: on[3],
            speed: on[4],
            distance: on[5],
            smart: on[6],
            clock_s: clock_s.round(),
            trim: (trim, trim / 2),
            ..Recorder::default()
        }
    })
}

/// A seed of an event, and two or three recorders of it.
fn any_recorders() -> impl Strategy<Value = (u64, Vec<Recorder>)> {
    (1u64..1000, prop::collection::vec(any_recorder(), 2..4))
}

fn members_of((seed, recorders): &(u64, Vec<Recorder>)) -> Vec<Activity> {
    let event = event(*seed, 400);
    let of = |(i, recorder)| {
        let format = ["fit", "gpx", "tcx"][i % 3];
        named(record(&event, recorder, seed + i as u64), &format!("{i}.{format}"), format)
    };
    recorders.iter().enumerate().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_of_one_recording_is_that_recording(recorders in any_recorders()) {
        let members = members_of(&recorders);
        let one = &members[0];
        prop_assert!(merged(&[one]) == *one);
        prop_assert!(merged(&[one, one]) == *one);
        // A copy under another name adds nothing but its name.
        let copy = named(one.clone(), "zz-copy.fit", &one.origin.format);
        let both = merged(&[one, &copy]);
        prop_assert_eq!(both.origin.companions.len(), 1);
        prop_assert!(both.into_recording() == one.clone().into_recording());
    }

    #[test]
    fn a_merge_is_free_of_order(recorders in any_recorders()) {
        let members = members_of(&recorders);
        let forward: Vec<&Activity> = members.iter().collect();
        let backward: Vec<&Activity> = members.iter().rev().collect();
        let mut turned = forward.clone();
        turned.rotate_left(1);
        let result = merge(&forward, &Preferences::default());
        prop_assert!(merge(&backward, &Preferences::default()) == result);
        prop_assert!(merge(&turned, &Preferences::default()) == result);
    }

    #[test]
    fn every_column_is_of_one_source_and_no_value_is_invented(recorders in any_recorders()) {
        let members = members_of(&recorders);
        let all: Vec<&Activity> = members.iter().collect();
        let both = merged(&all);
        let given = |source: &str| members.iter().find(|m| m.origin.source == source).unwrap();
        let source_of = |name: &str| both.origin.channels.iter().find(|(n, _)| n == name).map(|(_, s)| given(s));
        for (channel, column) in both.track.channels().filter(|(_, column)| column.count() > 0) {
            let source = source_of(channel.name()).unwrap();
            // The values are those of the source, in order, each at most once.
            let mut theirs = source.track.column(channel).unwrap().present().map(|(_, v)| v);
            for (row, value) in column.present() {
                prop_assert!(theirs.any(|v| v == value), "{} at row {row}: {value}", channel.name());
            }
        }
        if let Some(source) = source_of("position") {
            let mut theirs = source.track.positions().map(|(_, place)| place);
            for (row, place) in both.track.positions() {
                prop_assert!(theirs.any(|p| p == place), "position at row {row}");
            }
        }
        // Every quantity that any of them has is there, where they share time.
        for member in &members {
            for (channel, column) in member.track.channels().filter(|(_, column)| column.count() > 50) {
                prop_assert!(source_of(channel.name()).is_some(), "{} of {} samples", channel.name(), column.count());
            }
        }
    }
}
