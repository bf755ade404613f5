//! Look-alikes: none of them is ever the same.

use paceport::dedupe::{Verdict, group, judge};

use super::world::{Dice, Effort, Event, Recorder, Route, any_event, happen, seen};
use paceport::dedupe::Fingerprint;

/// A pair that must not be the same.
type Make = fn(&mut Dice) -> (Fingerprint, Fingerprint);

fn effort(dice: &mut Dice, sport: u8, seconds: usize) -> Effort {
    Effort { sport, seconds, base_heart_rate: dice.between(115.0, 155.0), pace: dice.between(0.97, 1.03), stops: false }
}

fn at(dice: &mut Dice) -> i64 {
    1_400_000_000 + dice.whole(0, 200_000_000)
}

fn plain(event: &Event, dice: &mut Dice, name: u8) -> Fingerprint {
    seen(event, &Recorder::default(), dice.next(), name)
}

const NEGATIVES: &[(&str, Make)] = &[
    ("back-to-back intervals on one loop, a quarter of an hour apart", |dice| {
        let route = Route::new(dice);
        let start = at(dice);
        let seconds = dice.whole(600, 840) as usize;
        let first = happen(
            &mut dice.fork(),
            start,
            &route,
            &Effort { base_heart_rate: 140.0, pace: 1.0, ..effort(&mut dice.fork(), 1, seconds) },
        );
        let pause = if dice.yes(0.5) { 900 } else { 1800 };
        let second = happen(
            &mut dice.fork(),
            start + pause,
            &route,
            &Effort { base_heart_rate: 142.0, pace: 1.0, ..effort(&mut dice.fork(), 1, seconds) },
        );
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
    ("the same intervals without heart rate", |dice| {
        let route = Route::new(dice);
        let start = at(dice);
        let seconds = dice.whole(600, 840) as usize;
        let effort = Effort { sport: 2, seconds, base_heart_rate: 140.0, pace: 1.0, stops: false };
        let first = happen(&mut dice.fork(), start, &route, &effort);
        let second = happen(&mut dice.fork(), start + 1800, &route, &effort);
        let recorder = Recorder { heart_rate: false, power: false, ..Recorder::default() };
        (seen(&first, &recorder, dice.next(), 1), seen(&second, &recorder, dice.next(), 2))
    }),
    ("two legs of a triathlon", |dice| {
        let start = at(dice);
        let (swim, ride) = (effort(dice, 5, 1500), effort(dice, 2, 3600));
        let route = Route::new(dice);
        let first = happen(&mut dice.fork(), start, &route, &swim);
        let second = happen(&mut dice.fork(), start + 1505, &route, &ride);
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
    ("the same route on another day", |dice| {
        let route = Route::new(dice);
        let start = at(dice);
        let going = effort(dice, 2, 3000);
        let first = happen(&mut dice.fork(), start, &route, &going);
        let second = happen(&mut dice.fork(), start + 86_400 * dice.fork().whole(1, 7), &route, &going);
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
    ("the very same course of a day, days later", |dice| {
        let event = any_event(dice);
        let days = dice.whole(2, 14) * 86_400;
        let later = Event { start: event.start + days, ..event.clone() };
        let seed = dice.next();
        (seen(&event, &Recorder::default(), seed, 1), seen(&later, &Recorder::default(), seed, 2))
    }),
    ("the commute in the morning and in the evening, whole hours apart", |dice| {
        let route = Route::new(dice);
        let start = at(dice);
        let seconds = dice.whole(1200, 2400) as usize;
        let hours = dice.whole(1, 11);
        let going = Effort { sport: 2, seconds, base_heart_rate: 135.0, pace: 1.0, stops: false };
        let first = happen(&mut dice.fork(), start, &route, &going);
        let second = happen(&mut dice.fork(), start + hours * 3600 + dice.fork().whole(-20, 20), &route, &going);
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
    ("a warm-up that overlaps the start of a ride", |dice| {
        let route = Route::new(dice);
        let start = at(dice);
        let warm = effort(dice, 2, 900);
        let ride = effort(dice, 2, 3600);
        let first = happen(&mut dice.fork(), start, &route, &warm);
        let second = happen(&mut dice.fork(), start + 900 - dice.fork().whole(60, 400), &route, &ride);
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
    ("a warm-up inside the ride's time", |dice| {
        let whole = any_event(dice);
        let warm = Event { moments: whole.moments[..whole.moments.len() / 4].to_vec(), ..whole.clone() };
        let seed = dice.next();
        (seen(&whole, &Recorder::default(), seed, 1), seen(&warm, &Recorder::default(), seed, 2))
    }),
    ("two sports at once in one town", |dice| {
        let start = at(dice);
        let route = Route::new(dice);
        let first = happen(&mut dice.fork(), start, &route, &effort(&mut dice.fork(), 2, 3600));
        let second = happen(&mut dice.fork(), start, &route, &effort(&mut dice.fork(), 1, 3600));
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
    ("two sports at once indoors", |dice| {
        let start = at(dice);
        let route = Route::new(dice);
        let first = happen(&mut dice.fork(), start, &route, &effort(dice, 2, 3600));
        let second = happen(&mut dice.fork(), start, &route, &effort(dice, 5, 3600));
        let recorder = Recorder { gps_noise: None, distance: false, ..Recorder::default() };
        (seen(&first, &recorder, dice.next(), 1), seen(&second, &recorder, dice.next(), 2))
    }),
    ("two riders together", |dice| together(dice, true)),
    ("two riders together, one with power", |dice| together(dice, false)),
    ("two people in one spinning class", |dice| {
        let start = at(dice);
        let route = Route::new(dice);
        let first = happen(&mut dice.fork(), start, &route, &effort(dice, 2, 3600));
        let second = happen(&mut dice.fork(), start + dice.fork().whole(-40, 40), &route, &effort(dice, 2, 3600));
        let recorder = |serial| Recorder {
            gps_noise: None,
            distance: false,
            speed: false,
            serial: Some(serial),
            ..Recorder::default()
        };
        (seen(&first, &recorder("1"), dice.next(), 1), seen(&second, &recorder("2"), dice.next(), 2))
    }),
    ("two towns at one time", |dice| {
        let start = at(dice);
        let (route, other) = (Route::new(dice), Route::new(dice));
        let going = effort(dice, 1, 3000);
        let first = happen(&mut dice.fork(), start, &route, &going);
        let second = happen(&mut dice.fork(), start, &other, &going);
        let recorder = Recorder { heart_rate: false, power: false, cadence: false, ..Recorder::default() };
        (seen(&first, &recorder, dice.next(), 1), seen(&second, &recorder, dice.next(), 2))
    }),
    ("one interval plan on a trainer, a day later", |dice| {
        let late = 86_400 + [0, 3, 20, 60][dice.whole(0, 3) as usize];
        planned_twice(dice, late)
    }),
    ("one interval plan on a trainer, the same evening", |dice| {
        let late = dice.whole(1, 4) * 3600 + dice.whole(0, 40);
        planned_twice(dice, late)
    }),
    ("one interval plan, power as the trainer was told, no pulse", |dice| {
        let start = at(dice);
        let event = planned(dice, start, 0.0);
        let later = Event { start: event.start + [3600, 7200, 86_400][dice.whole(0, 2) as usize], ..event.clone() };
        let recorder = Recorder { heart_rate: false, cadence: false, ..trainer() };
        (seen(&event, &recorder, 1, 1), seen(&later, &recorder, 2, 2))
    }),
    ("one round at one pace, whole hours later: noise between them", |dice| {
        let recorder = Recorder { gps_noise: Some(2.0), white: true, heart_rate_noise: 2.0, ..zoneless() };
        let event = any_event(dice);
        let first = seen(&event, &recorder, dice.next(), 1);
        let later = Event { start: event.start + another_hour(dice, &first, 24) * 3600, ..event.clone() };
        (first, seen(&later, &recorder, dice.next(), 2))
    }),
    ("the very same course and pulse, more hours later than a zone makes", |dice| {
        let event = any_event(dice);
        let later = Event { start: event.start + dice.whole(15, 26) * 3600, ..event.clone() };
        let seed = dice.next();
        (seen(&event, &zoneless(), seed, 1), seen(&later, &zoneless(), seed, 2))
    }),
    ("two numbers of one platform, equal samples, hours later", |dice| {
        let event = any_event(dice);
        let later = Event { start: event.start + dice.whole(1, 24) * 3600, ..event.clone() };
        let seed = dice.next();
        let numbered = |event: &Event, name: u8| Fingerprint {
            platform_ids: vec![("nike".into(), name.to_string())],
            ..seen(event, &zoneless(), seed, name)
        };
        (numbered(&event, 1), numbered(&later, 2))
    }),
    ("a watch without zone, one plan in the morning and in the evening", |dice| {
        let start = at(dice);
        let watch = Recorder { power: false, cadence: false, every: 5, ..trainer() };
        let first = planned(&mut dice.fork(), start, 1.0);
        let second = planned(&mut dice.fork(), start + 12 * 3600, 1.0);
        let floating = |event: &Event, name| Fingerprint { floating: true, ..seen(event, &watch, 1, name) };
        (floating(&first, 1), floating(&second, 2))
    }),
    ("two halves of one ride", |dice| {
        let whole = any_event(dice);
        let half = whole.moments.len() / 2;
        let first = Event { moments: whole.moments[..half].to_vec(), ..whole.clone() };
        let second = Event {
            moments: whole.moments[half + 20..].to_vec(),
            start: whole.start + half as i64 + 20,
            ..whole.clone()
        };
        (plain(&first, dice, 1), plain(&second, dice, 2))
    }),
];

/// Nothing stated about the zone: what is known of it the places tell.
fn zoneless() -> Recorder {
    Recorder { states_offset: false, ..Recorder::default() }
}

/// A trainer indoors.
fn trainer() -> Recorder {
    Recorder { gps_noise: None, altitude: false, speed: false, distance: false, ..zoneless() }
}

/// Hours, `most` at most, that are not those between UTC and the local time of a recording.
fn another_hour(dice: &mut Dice, of: &Fingerprint, most: i64) -> i64 {
    loop {
        let hours = dice.whole(1, most);
        if of.offset_s.is_none_or(|offset| i64::from(offset).abs() != hours * 3600) {
            return hours;
        }
    }
}

/// Three minutes easy, three minutes hard, and so on: the trainer holds the power, the heart follows, each time with noise
/// (and a level) of its own.
fn planned(dice: &mut Dice, start: i64, noise: f64) -> Event {
    let mut event = any_event(&mut Dice::new(3));
    event.moments.resize(1200, event.moments[0]);
    let (mut heart_rate, level) = (115.0, dice.between(-0.5, 1.0) * noise);
    for (second, moment) in event.moments.iter_mut().enumerate() {
        let hard = second / 180 % 2 == 1;
        heart_rate += (if hard { 160.0 } else { 120.0 } + second as f64 / 80.0 - heart_rate) / 30.0;
        moment.heart_rate = heart_rate + level + dice.normal() * noise * 0.75;
        moment.power = (if hard { 260.0 } else { 150.0 } + second as f64 / 100.0 + dice.normal() * noise).round();
        moment.cadence = 90.0;
    }
    Event { start, sport: 2, stops: Vec::new(), ..event }
}

fn planned_twice(dice: &mut Dice, late: i64) -> (Fingerprint, Fingerprint) {
    let start = at(dice);
    let first = planned(&mut dice.fork(), start, 4.0);
    let second = planned(&mut dice.fork(), start + late, 4.0);
    (seen(&first, &trainer(), 1, 1), seen(&second, &trainer(), 2, 2))
}

/// Two people on one road: the gap between them comes and goes, heart rate and power are their own.
fn together(dice: &mut Dice, power: bool) -> (Fingerprint, Fingerprint) {
    let route = Route::new(dice);
    let start = at(dice);
    let mut leader = effort(dice, 2, 3600);
    leader.stops = true;
    let first = happen(&mut dice.fork(), start, &route, &leader);
    let mine = happen(
        &mut dice.fork(),
        start,
        &route,
        &Effort { base_heart_rate: leader.base_heart_rate + 14.0, ..effort(&mut dice.fork(), 2, 3600) },
    );
    let mut second = first.clone();
    let mut behind = dice.between(1.0, 6.0);
    for second_at in 0..second.moments.len() {
        behind = (behind + dice.normal() * 0.15).clamp(-8.0, 8.0);
        let there = first.moments[(second_at as f64 + behind).clamp(0.0, 3599.0) as usize];
        let own = mine.moments[second_at];
        second.moments[second_at] = super::world::Moment {
            heart_rate: (there.heart_rate * 0.6 + own.heart_rate * 0.4 + 6.0).clamp(50.0, 200.0),
            cadence: own.cadence,
            power: (there.power * 0.5 + own.power * 0.5).round(),
            ..there
        };
    }
    let shift = dice.whole(-20, 20);
    second.start += shift;
    second.moments.rotate_left(shift.rem_euclid(3600) as usize);
    if shift >= 0 {
        second.moments.truncate(3600 - shift as usize);
    } else {
        second.moments.drain(..(-shift) as usize);
        second.start -= shift;
    }
    let friend = Recorder {
        gps_noise: Some(4.0),
        serial: Some("77"),
        weight_kg: Some(61.0),
        gender: Some(0),
        power,
        ..Recorder::default()
    };
    let own = Recorder { weight_kg: Some(80.0), gender: Some(1), ..Recorder::default() };
    (seen(&first, &own, dice.next(), 1), seen(&second, &friend, dice.next(), 2))
}

/// Equal values are a copy and a known offset explains its clock; what is merely alike needs more than hours that fit.
#[test]
fn a_zone_fault_is_believed_of_copies_and_of_one_way_in_local_time() {
    for case in 0..20 {
        let mut dice = Dice::new(case + 900);
        let event = any_event(&mut dice);
        let seed = dice.next();
        let own = seen(&event, &zoneless(), seed, 1);
        let offset = own.offset_s.expect("the place tells");
        let verdict = |recorder: Recorder, seconds: i64, seed: u64| {
            judge(&own, &seen(&event, &Recorder { clock_s: seconds as f64, ..recorder }, seed, 2)).verdict
        };
        let hour = another_hour(&mut dice, &own, 14) * 3600;
        assert_eq!(verdict(zoneless(), hour, seed), Verdict::Same, "case {case}: a copy");
        if offset != 0 {
            // Computed anew at other seconds: no value is equal, every place is near.
            let sparse = Recorder { every: 7, heart_rate: false, power: false, decimals: 6, ..zoneless() };
            let local = i64::from(offset);
            assert_eq!(verdict(sparse.clone(), local, seed), Verdict::Same, "case {case}: local time");
            assert_eq!(verdict(sparse, hour, seed), Verdict::Unsure, "case {case}: just some hours");
            let friend = Recorder { gps_noise: Some(30.0), ..zoneless() };
            assert_ne!(verdict(friend, local, seed + 1), Verdict::Same, "case {case}: far beside it");
        }
    }
}

/// A third recording that would go with either does not tie them together.
#[test]
fn two_numbers_of_one_platform_stay_apart_beside_a_copy_of_either() {
    let event = any_event(&mut Dice::new(5));
    let later = Event { start: event.start + 6 * 3600, ..event.clone() };
    let numbered = |event: &Event, name: u8| Fingerprint {
        platform_ids: vec![("nike".into(), name.to_string())],
        ..seen(event, &zoneless(), 7, name)
    };
    let export = seen(&event, &Recorder { decimals: 6, ..zoneless() }, 7, 3);
    let all = [numbered(&event, 1), numbered(&later, 2), export];
    assert_eq!(judge(&all[1], &all[2]).verdict, Verdict::Same);
    let grouping = group(&all);
    assert_eq!((grouping.clusters.len(), grouping.clusters[0].members.len()), (1, 2), "{grouping:#?}");
    assert_eq!(grouping.unsure.len(), 1);
}

const CASES: usize = 20;

#[test]
fn look_alikes_are_never_the_same() {
    let mut table =
        String::from("look-alike                                                       cases different unsure  same\n");
    let mut wrong = String::new();
    for (at, (name, make)) in NEGATIVES.iter().enumerate() {
        let mut counts = [0; 3];
        for case in 0..CASES {
            let mut dice = Dice::new((at * 500 + case) as u64 + 31);
            let (first, second) = make(&mut dice);
            let judgement = judge(&first, &second);
            counts[judgement.verdict as usize] += 1;
            if judgement.verdict == Verdict::Same {
                wrong += &format!("{name}, case {case}: {:#?}\n", judgement);
            }
        }
        table += &format!("{name:<65}{CASES:>5} {:>9} {:>6} {:>5}\n", counts[0], counts[1], counts[2]);
    }
    eprintln!("{table}");
    assert!(wrong.is_empty(), "{table}{wrong}");
}
