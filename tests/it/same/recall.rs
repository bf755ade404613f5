//! Perturbations of one workout: at least 97 % are found the same and 99 % the same or unsure.

use paceport::dedupe::{Verdict, judge};

use super::world::{Dice, Event, Recorder, any_event, seen};

/// Perturbation: the second recorder, and the seed offset of its noise (0: a copy of the first recording).
type Perturb = fn(&mut Dice, &Event) -> (Recorder, u64);

/// The perturbations of the issue, and usual mixtures.
const PERTURBATIONS: &[(&str, Perturb)] = &[
    ("GPX re-export: 6 decimals, first records dropped, no power", |dice, _| {
        let dropped = dice.whole(0, 5) as usize;
        (Recorder { decimals: 6, dropped, power: false, speed: false, distance: false, serial: None, ..r() }, 0)
    }),
    ("GPX re-export without sensors, 5 decimals", |_, _| (Recorder { decimals: 5, serial: None, ..bare() }, 0)),
    ("TCX: no power, no cadence", |_, _| (Recorder { power: false, cadence: false, ..r() }, 0)),
    ("HRM: no positions", |_, _| (Recorder { gps_noise: None, serial: None, states_offset: false, ..r() }, 0)),
    ("clock off by up to 30 s", |dice, _| (Recorder { clock_s: dice.between(-30.0, 30.0), serial: None, ..r() }, 7)),
    ("clock off by up to 30 s, copy", |dice, _| (Recorder { clock_s: dice.between(-30.0, 30.0).round(), ..r() }, 0)),
    ("zone fault, whole hours", |dice, _| (Recorder { clock_s: hours(dice), ..r() }, 0)),
    ("zone fault, half hours", |dice, _| (Recorder { clock_s: hours(dice) + 1800.0, ..r() }, 0)),
    ("zone fault of the own offset, no sensors", |dice, event| {
        let clock_s = if event.offset_s == 0 { hours(dice) } else { f64::from(event.offset_s) };
        (Recorder { clock_s, states_offset: false, serial: None, decimals: 6, ..bare() }, 0)
    }),
    ("zone fault, trimmed, rounded", |dice, event| {
        let trim = (dice.whole(0, 60) as usize, dice.whole(0, event.moments.len() as i64 / 20) as usize);
        (Recorder { clock_s: hours(dice), trim, decimals: 5, serial: None, ..r() }, 0)
    }),
    ("GPS noise 3 m", |_, _| (Recorder { gps_noise: Some(3.0), serial: Some("2"), ..r() }, 7)),
    ("GPS noise 8 m", |_, _| (Recorder { gps_noise: Some(8.0), serial: Some("2"), ..r() }, 7)),
    ("GPS noise 15 m", |_, _| (Recorder { gps_noise: Some(15.0), serial: Some("2"), ..r() }, 7)),
    ("GPS noise 15 m, no sensors", |_, _| (Recorder { gps_noise: Some(15.0), serial: Some("2"), ..bare() }, 7)),
    ("GPS noise 15 m, new at every sample", |_, _| {
        (Recorder { gps_noise: Some(15.0), white: true, serial: Some("2"), ..bare() }, 7)
    }),
    ("positions to 4 decimals", |_, _| (Recorder { decimals: 4, serial: None, ..bare() }, 0)),
    ("a sample every 5 s", |_, _| (Recorder { every: 5, serial: Some("2"), ..r() }, 7)),
    ("a sample every 60 s", |_, _| (Recorder { every: 60, serial: Some("2"), ..r() }, 7)),
    ("no fix in the first minutes", |dice, _| {
        (Recorder { no_fix: dice.whole(60, 500) as usize, serial: Some("2"), ..bare() }, 7)
    }),
    ("a late optical sensor, no positions, clock off", |dice, _| {
        let clock_s = dice.between(-20.0, 20.0);
        let optical = Recorder { heart_rate: true, heart_rate_noise: 3.0, heart_rate_late: 12, clock_s, ..bare() };
        (Recorder { gps_noise: None, serial: Some("2"), ..optical }, 7)
    }),
    ("zone fault and clock off", |dice, _| {
        let clock_s = hours(dice) + dice.between(-30.0, 30.0).round();
        (Recorder { clock_s, serial: None, ..r() }, 0)
    }),
    ("zone fault, heart rate only", |dice, _| {
        (Recorder { clock_s: hours(dice), serial: None, gps_noise: None, heart_rate: true, ..bare() }, 0)
    }),
    ("zone fault of another device, no sensors", |dice, _| {
        (Recorder { clock_s: hours(dice), serial: None, gps_noise: Some(5.0), ..bare() }, 7)
    }),
    ("pauses closed up, as if there were none", |_, _| {
        (Recorder { records_stops: false, states_pauses: false, closes_stops: true, serial: None, ..r() }, 0)
    }),
    ("one end missing by a quarter", |dice, event| {
        let quarter = event.moments.len() / 4;
        let trim = if dice.yes(0.5) { (quarter, 0) } else { (0, quarter) };
        (Recorder { trim, serial: None, ..r() }, 0)
    }),
    ("sport renamed, no sensors, rounded", |_, event| {
        (Recorder { sport: Some(if event.sport == 2 { 1 } else { 2 }), decimals: 6, serial: None, ..bare() }, 0)
    }),
    ("smart recording", |_, _| (Recorder { smart: true, ..r() }, 0)),
    ("smart recording by another device", |_, _| (Recorder { smart: true, serial: Some("2"), ..r() }, 7)),
    ("trimmed ends", |dice, event| {
        let most = event.moments.len() as i64 / 10;
        (Recorder { trim: (dice.whole(0, most) as usize, dice.whole(0, most) as usize), serial: None, ..r() }, 0)
    }),
    ("trimmed ends, another device, no sensors", |dice, event| {
        let most = event.moments.len() as i64 / 12;
        let trim = (dice.whole(0, most) as usize, dice.whole(0, most) as usize);
        (Recorder { trim, serial: Some("2"), gps_noise: Some(6.0), ..bare() }, 7)
    }),
    ("no heart rate", |_, _| (Recorder { heart_rate: false, ..r() }, 7)),
    ("heart rate only", |_, _| (Recorder { heart_rate: true, serial: Some("2"), gps_noise: None, ..bare() }, 7)),
    ("optical heart rate only", |_, _| {
        (Recorder { heart_rate: true, heart_rate_noise: 4.0, serial: Some("2"), gps_noise: None, ..bare() }, 7)
    }),
    ("power and cadence only", |_, _| {
        (Recorder { power: true, cadence: true, serial: Some("2"), gps_noise: None, ..bare() }, 7)
    }),
    ("pauses removed", |_, _| (Recorder { records_stops: false, states_pauses: false, ..r() }, 0)),
    ("pauses removed by another device", |_, _| {
        (Recorder { records_stops: false, states_pauses: false, serial: Some("2"), ..r() }, 7)
    }),
    ("sport renamed", |dice, event| {
        let sport = [0, 10, if event.sport == 2 { 1 } else { 2 }, 4][dice.whole(0, 3) as usize];
        (Recorder { sport: Some(sport), serial: None, ..r() }, 0)
    }),
    ("a second watch: noise, clock, smart, optical heart rate", |dice, _| {
        let clock_s = dice.between(-15.0, 15.0);
        (Recorder { gps_noise: Some(6.0), clock_s, smart: true, heart_rate_noise: 3.0, serial: Some("2"), ..r() }, 7)
    }),
    ("a phone: noise 15 m, clock, trimmed, no sensors, generic sport", |dice, _| {
        let trim = (dice.whole(0, 60) as usize, dice.whole(0, 60) as usize);
        let clock_s = dice.between(-5.0, 5.0);
        (Recorder { gps_noise: Some(12.0), clock_s, trim, sport: Some(0), serial: None, ..bare() }, 7)
    }),
];

fn r() -> Recorder {
    Recorder::default()
}

/// Positions and nothing else.
fn bare() -> Recorder {
    Recorder { heart_rate: false, power: false, cadence: false, altitude: false, speed: false, distance: false, ..r() }
}

fn hours(dice: &mut Dice) -> f64 {
    let hours = dice.whole(1, 12) as f64 * 3600.0;
    if dice.yes(0.5) { hours } else { -hours }
}

const CASES: u64 = 25;

#[test]
fn perturbed_workouts_are_found_again() {
    let events: Vec<Event> = (0..CASES).map(|case| any_event(&mut Dice::new(case + 1))).collect();
    let (mut total, mut same, mut unsure) = (0, 0, 0);
    let mut table =
        String::from("perturbation                                                     cases  same unsure missed\n");
    let mut missed = String::new();
    for (at, (name, perturb)) in PERTURBATIONS.iter().enumerate() {
        let mut counts = [0; 3];
        for (case, event) in events.iter().enumerate() {
            let mut dice = Dice::new((at * 1000 + case) as u64 + 77);
            let (recorder, noise) = perturb(&mut dice, event);
            let first = seen(event, &Recorder::default(), case as u64 + 1, 1);
            let second = seen(event, &recorder, case as u64 + 1 + noise * 1000, 2);
            let judgement = judge(&first, &second);
            match judgement.verdict {
                Verdict::Same => counts[0] += 1,
                Verdict::Unsure => counts[1] += 1,
                Verdict::Different => counts[2] += 1,
            }
            if judgement.verdict != Verdict::Same {
                missed += &format!(
                    "{name}, case {case}: {:?} {} {:#?}\n",
                    judgement.verdict, judgement.score, judgement.reasons
                );
            }
            // The other way round it is the same verdict.
            let back = judge(&second, &first);
            assert_eq!(
                (back.verdict, back.score, back.shift_s),
                (judgement.verdict, judgement.score, -judgement.shift_s)
            );
        }
        table += &format!("{name:<65}{CASES:>5} {:>5} {:>6} {:>6}\n", counts[0], counts[1], counts[2]);
        total += CASES as usize;
        same += counts[0];
        unsure += counts[1];
    }
    let share = |n: usize| n as f64 / total as f64 * 100.0;
    eprintln!("{table}same {:.2} %, same or unsure {:.2} %", share(same), share(same + unsure));
    assert!(share(same) >= 97.0 && share(same + unsure) >= 99.0, "{table}{missed}");
}
