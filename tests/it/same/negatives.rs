//! Look-alikes: none of them is ever the same.

use paceport::dedupe::{Verdict, judge};

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
