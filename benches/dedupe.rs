//! Grouping a history of 15,000 activities, and what a fingerprint and a merge cost.
#![allow(missing_docs, reason = "criterion makes the entry point")]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/it/same/world.rs"]
mod world;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use paceport::dedupe::{Fingerprint, Preferences, group, merge};
use world::{Dice, Event, Recorder, any_event, record, seen};

/// A history of years: two workouts on many days, every third in two recordings, every sixth in three.
fn history(workouts: usize) -> Vec<Fingerprint> {
    let mut dice = Dice::new(2024);
    let templates: Vec<Event> = (0..40).map(|_| any_event(&mut dice)).collect();
    let mut start = 1_200_000_000;
    // Every workout has heart rates of its own, though courses come again.
    let own = Recorder { heart_rate_noise: 1.0, ..Recorder::default() };
    let mut all = Vec::new();
    for workout in 0..workouts {
        start += 7200 + dice.whole(0, 90_000);
        let event = Event { start, ..templates[workout % templates.len()].clone() };
        let seed = dice.next();
        all.push(seen(&event, &own, seed, 1));
        if workout % 3 == 0 {
            let copy = Recorder { decimals: 6, power: false, serial: None, ..own.clone() };
            all.push(seen(&event, &copy, seed, 2));
        }
        if workout % 6 == 0 {
            let phone = Recorder { gps_noise: Some(6.0), heart_rate: false, power: false, serial: None, ..own.clone() };
            all.push(seen(&event, &phone, seed + 1, 3));
        }
    }
    all
}

fn dedupe(c: &mut Criterion) {
    let mut grouping = c.benchmark_group("group");
    grouping.sample_size(10);
    for workouts in [2_500, 5_000, 10_000] {
        let all = history(workouts);
        grouping.bench_with_input(BenchmarkId::from_parameter(all.len()), &all, |b, all| {
            b.iter(|| group(all).clusters.len())
        });
    }
    grouping.finish();
    let event = any_event(&mut Dice::new(7));
    let watch = record(&event, &Recorder { heart_rate: false, ..Recorder::default() }, 1);
    let strap = record(&event, &Recorder { gps_noise: None, clock_s: 7.0, ..Recorder::default() }, 2);
    let samples = watch.track.len();
    c.bench_function(&format!("fingerprint of {samples} samples"), |b| b.iter(|| Fingerprint::of(&watch)));
    let preferences = Preferences::default();
    c.bench_function(&format!("merge of two times {samples} samples"), |b| {
        b.iter(|| merge(&[&watch, &strap], &preferences))
    });
}

criterion_group!(benches, dedupe);
criterion_main!(benches);
