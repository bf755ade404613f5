//! Grouping a history: free of order, the same in one import or in many.

use paceport::dedupe::{Decisions, Fingerprint, cluster, group, pairs};

use super::world::{Dice, Event, Recorder, any_event, seen};

/// A history of `workouts` over years, every third of them in two or three recordings.
fn history(workouts: usize, kinds: usize) -> Vec<Fingerprint> {
    let mut dice = Dice::new(2024);
    let templates: Vec<Event> = (0..kinds).map(|_| any_event(&mut dice)).collect();
    let mut start = 1_300_000_000;
    // Every workout has heart rates of its own, though courses come again.
    let own = Recorder { heart_rate_noise: 1.0, ..Recorder::default() };
    let mut all = Vec::new();
    for workout in 0..workouts {
        // Two workouts on many days, rest days, never two at once.
        start += 7200 + dice.whole(0, 90_000);
        let event = Event { start, ..templates[workout % kinds].clone() };
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

#[test]
fn clusters_are_the_workouts_whatever_the_order() {
    let all = history(60, 20);
    let grouping = group(&all);
    assert_eq!(grouping.clusters.len(), 20);
    assert_eq!(grouping.clusters.iter().map(|c| c.members.len()).sum::<usize>(), 50);
    assert!(grouping.clusters.iter().all(|c| c.links.len() == c.members.len() - 1));
    let mut dice = Dice::new(5);
    for _ in 0..4 {
        let mut shuffled = all.clone();
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, dice.whole(0, i as i64) as usize);
        }
        assert_eq!(group(&shuffled), grouping);
    }
}

#[test]
fn three_imports_give_what_one_gives() {
    let all: Vec<Fingerprint> = history(60, 20);
    let all: Vec<&Fingerprint> = all.iter().collect();
    let mut known = Vec::new();
    for (from, to) in [(0, 31), (31, 32), (32, all.len())] {
        known.extend(pairs(&all[..from], &all[from..to]));
    }
    known.sort_by_key(|pair| (pair.first, pair.second));
    assert_eq!(known, pairs(&[], &all));
    // The order in which pairs were found does not matter either.
    let grouping = cluster(&all, &known, &Decisions::default());
    known.reverse();
    assert_eq!(cluster(&all, &known, &Decisions::default()), grouping);
}

#[test]
fn what_the_user_decides_comes_first() {
    let all = history(12, 6);
    let all: Vec<&Fingerprint> = all.iter().collect();
    let known = pairs(&[], &all);
    let before = cluster(&all, &known, &Decisions::default());
    let members = &before.clusters[0].members;
    let parted = Decisions { different: vec![(members[1], members[0])], ..Decisions::default() };
    let after = cluster(&all, &known, &parted);
    let together = |grouping: &paceport::dedupe::Grouping| {
        grouping.clusters.iter().any(|c| c.members.contains(&members[0]) && c.members.contains(&members[1]))
    };
    assert!(together(&before) && !together(&after));
    assert!(after.unsure.iter().all(|pair| (pair.first, pair.second) != (members[0], members[1])));
    let lone = all.iter().map(|f| f.id).filter(|id| before.clusters.iter().all(|c| !c.members.contains(id)));
    let (a, b) = {
        let lone: Vec<_> = lone.take(2).collect();
        (lone[0], lone[1])
    };
    let joined = cluster(&all, &known, &Decisions { same: vec![(a, b)], ..Decisions::default() });
    assert!(joined.clusters.iter().any(|c| c.members.contains(&a) && c.members.contains(&b)));
}

#[test]
fn a_fingerprint_is_small_and_reads_back() {
    for f in history(30, 30) {
        let line = serde_json::to_string(&f).unwrap();
        assert!(line.len() < 4500, "{} bytes", line.len());
        assert_eq!(serde_json::from_str::<Fingerprint>(&line).unwrap(), f);
    }
}
