//! Real recordings of the corpus and synthetic ones, perturbed as devices and platforms do it: they are found again; made
//! into look-alikes, they are not taken for one.

use paceport::dedupe::{self, Fingerprint, Verdict as Believed, judge};
use paceport::fix::zone::Verdict;
use paceport::fix::{self, SettleOptions};
use paceport::formats;
use paceport::ids::Digest;
use paceport::limits::Limits;
use paceport::model::{Activity, Channel, Clock, Column, Draft, Evidence, Recording, Sport, Track};

use super::world::{Dice, Recorder, any_event, record};
use crate::corpus_same;
use crate::written::written;

/// Recordings of the corpus that are perturbed, and synthetic ones.
const REAL: usize = 24;
const MADE: u64 = 6;

/// A perturbation; `None` when a recording has nothing that it could be done to.
type Perturb = fn(&Activity, &mut Dice) -> Option<Activity>;

const PERTURBATIONS: &[(&str, Perturb)] = &[
    ("round trip through FIT", |a, _| through(a, "fit")),
    ("round trip through GPX", |a, _| through(a, "gpx")),
    ("round trip through TCX", |a, _| through(a, "tcx")),
    ("Strava's GPX: no power, first records dropped, no device", |a, dice| {
        let dropped = dice.whole(0, 5) as u32;
        let stripped = changed(a, |r| {
            r.track = r.track.pick(&(dropped..r.track.len() as u32).collect::<Vec<_>>());
            keep_channels(r, |channel| channel != Channel::Power && channel != Channel::Speed);
            r.laps.clear();
            anonymous(r);
        });
        through(&placed(&stripped)?, "gpx")
    }),
    ("Garmin's TCX: no cadence, no pauses", |a, _| {
        let stripped = changed(a, |r| {
            keep_channels(r, |channel| channel != Channel::Cadence);
            r.pauses.clear();
        });
        through(&stripped, "tcx")
    }),
    ("clock off by up to 30 s", |a, dice| {
        let ms = dice.whole(-30_000, 30_000);
        Some(changed(a, |r| r.shift(ms)))
    }),
    ("clock off by up to 30 s, no device, no sensors", |a, dice| {
        let ms = dice.whole(-30, 30) * 1000;
        Some(changed(&bare(a)?, |r| r.shift(ms)))
    }),
    ("zone fault, whole hours", |a, dice| Some(zoneless(a, hours(dice)))),
    ("zone fault, half hours", |a, dice| Some(zoneless(a, hours(dice) + 1_800_000))),
    ("zone fault, no sensors", |a, dice| Some(zoneless(&bare(a)?, hours(dice)))),
    ("zone fault, heart rate only", |a, dice| Some(zoneless(&beating(a)?, hours(dice)))),
    ("GPS noise 3 m", |a, dice| noisy(a, dice, 3.0)),
    ("GPS noise 8 m", |a, dice| noisy(a, dice, 8.0)),
    ("GPS noise 15 m", |a, dice| noisy(a, dice, 15.0)),
    ("GPS noise 15 m, no sensors", |a, dice| noisy(&bare(a)?, dice, 15.0)),
    ("smart recording", |a, dice| Some(sparse(a, dice, 7))),
    ("smart recording, no sensors", |a, dice| Some(sparse(&bare(a)?, dice, 7))),
    ("trimmed ends", |a, dice| Some(trimmed(a, dice, 10))),
    ("trimmed ends, no sensors", |a, dice| Some(trimmed(&bare(a)?, dice, 12))),
    ("no heart rate", |a, _| {
        let placed = placed(a)?;
        Some(changed(&placed, |r| keep_channels(r, |channel| channel != Channel::HeartRate)))
    }),
    ("no positions", |a, _| {
        let beating = beats(a)?;
        Some(changed(beating, |r| (0..r.track.len()).for_each(|row| r.track.clear_position(row))))
    }),
    ("heart rate only", |a, _| beating(a)),
    ("pauses removed", |a, _| without_stops(a)),
    ("pauses removed, no sensors", |a, _| without_stops(&bare(a)?)),
    ("sport renamed", |a, dice| {
        let sport = [0, 10, if a.sport.0 == 2 { 1 } else { 2 }, 4][dice.whole(0, 3) as usize];
        Some(changed(a, |r| {
            anonymous(r);
            (r.sport, r.sub_sport) = (Sport(sport), None);
            r.sessions.clear();
        }))
    }),
    ("a second watch: noise, clock, smart, optical heart rate", |a, dice| {
        let ms = dice.whole(-15_000, 15_000);
        let heard = changed(&placed(a)?, |r| {
            r.shift(ms);
            anonymous(r);
            for value in r.track.column_mut(Channel::HeartRate).into_iter().flat_map(Column::raw_mut) {
                *value = (*value + dice.normal() as f32 * 3.0).round();
            }
        });
        let seen = noisy(&heard, dice, 6.0)?;
        Some(sparse(&seen, dice, 4))
    }),
    ("a phone: noise 12 m, clock, trimmed, no sensors, generic sport", |a, dice| {
        let ms = dice.whole(-5000, 5000);
        let phone = changed(&bare(a)?, |r| {
            r.shift(ms);
            (r.sport, r.sub_sport) = (Sport(0), None);
        });
        let seen = noisy(&phone, dice, 12.0)?;
        Some(trimmed(&seen, dice, 20))
    }),
];

const NEGATIVES: &[(&str, Perturb)] = &[
    ("the very same course and pulse, days later", |a, dice| {
        let days = dice.whole(2, 14) * 86_400_000;
        Some(changed(a, |r| r.shift(days)))
    }),
    ("the same course an hour or a day later, another pulse", |a, dice| {
        let ms = [3_600_000, 7_200_000, 86_400_000][dice.whole(0, 2) as usize];
        let other = other_heart(beats(a)?, dice);
        noisy(&changed(&placed(&other)?, |r| r.shift(ms)), dice, 4.0)
    }),
    ("a companion on the same road: another pulse, another device", |a, dice| {
        let beside = noisy(&placed(beats(a)?)?, dice, 4.0)?;
        let ms = dice.whole(-15_000, 15_000);
        Some(changed(&other_heart(&beside, dice), |r| {
            r.shift(ms);
            anonymous(r);
        }))
    }),
    ("its first quarter", |a, _| {
        let quarter = a.track.len() as u32 / 4;
        Some(changed(a, |r| {
            r.track = r.track.pick(&(0..quarter).collect::<Vec<_>>());
            shortened(r);
        }))
    }),
    ("another sport at that time, indoors", |a, dice| {
        let elsewhere = other_heart(beats(a)?, dice);
        let sport = if a.sport.0 == 5 { 2 } else { 5 };
        Some(changed(&elsewhere, |r| {
            (0..r.track.len()).for_each(|row| r.track.clear_position(row));
            (0..r.track.len()).for_each(|row| r.track.clear_distance(row));
            keep_channels(r, |channel| channel == Channel::HeartRate);
            anonymous(r);
            (r.sport, r.sub_sport) = (Sport(sport), None);
            r.stated = Default::default();
        }))
    }),
];

/// A recording with its parts changed, times as they are.
fn changed(activity: &Activity, change: impl FnOnce(&mut Recording)) -> Activity {
    let origin = activity.origin.clone();
    let decided = Verdict {
        offset_s: activity.offset_s,
        evidence: activity.evidence,
        floating: activity.floating,
        ..Verdict::default()
    };
    let mut recording = activity.clone().into_recording();
    change(&mut recording);
    let draft = Draft { recording, clock: Clock::default(), ..Draft::new() };
    let mut activity = fix::settle(draft, &SettleOptions { decided: Some(decided), ..SettleOptions::default() });
    activity.origin = origin;
    activity
}

/// Written in a format and read again.
fn through(activity: &Activity, format: &str) -> Option<Activity> {
    let (bytes, _) = written(activity, format);
    let (_, reading) = formats::read_bytes(&bytes, &Limits::default()).ok()?;
    let mut read = reading.drafts.into_iter().map(|draft| fix::settle(draft, &SettleOptions::default()));
    let first = read.next()?;
    assert!(read.next().is_none(), "{} became several in {format}", activity.origin.source);
    Some(first)
}

/// Those with positions.
fn placed(activity: &Activity) -> Option<Activity> {
    (activity.track.positions().count() * 2 > activity.track.len()).then(|| activity.clone())
}

/// Those with a pulse that changes.
fn beats(activity: &Activity) -> Option<&Activity> {
    let column =
        activity.track.column(Channel::HeartRate).filter(|column| column.count() * 2 > activity.track.len())?;
    let (low, high) = column.present().fold((f32::MAX, f32::MIN), |(low, high), (_, v)| (low.min(v), high.max(v)));
    (high - low > 20.0).then_some(activity)
}

fn keep_channels(recording: &mut Recording, keep: impl Fn(Channel) -> bool) {
    let have: Vec<Channel> = recording.track.channels().map(|(channel, _)| channel).collect();
    for channel in have.into_iter().filter(|channel| !keep(*channel)) {
        recording.track.put_column(channel, Column::default());
    }
}

/// Nothing tells who recorded it.
fn anonymous(recording: &mut Recording) {
    recording.devices.clear();
    recording.creator = None;
    recording.platform_ids.clear();
}

/// Positions and nothing else.
fn bare(activity: &Activity) -> Option<Activity> {
    Some(changed(&placed(activity)?, |r| {
        keep_channels(r, |_| false);
        (0..r.track.len()).for_each(|row| r.track.clear_distance(row));
        anonymous(r);
        shortened(r);
    }))
}

/// The pulse and nothing else.
fn beating(activity: &Activity) -> Option<Activity> {
    Some(changed(beats(activity)?, |r| {
        keep_channels(r, |channel| channel == Channel::HeartRate);
        (0..r.track.len()).for_each(|row| r.track.clear_position(row));
        (0..r.track.len()).for_each(|row| r.track.clear_distance(row));
        anonymous(r);
        r.stated = Default::default();
    }))
}

/// Takes away what would still tell of the whole.
fn shortened(recording: &mut Recording) {
    recording.stated = Default::default();
    recording.stated_start = None;
    recording.laps.clear();
    recording.sessions.clear();
    recording.lengths.clear();
    recording.splits.clear();
    recording.pauses.clear();
}

fn hours(dice: &mut Dice) -> i64 {
    let ms = dice.whole(1, 12) * 3_600_000;
    if dice.yes(0.5) { ms } else { -ms }
}

/// Another zone's clock, and no zone.
fn zoneless(activity: &Activity, ms: i64) -> Activity {
    let mut moved = changed(activity, |r| r.shift(ms));
    (moved.offset_s, moved.evidence) = (None, Evidence::None);
    moved
}

/// Positions of another receiver, which wander around the true ones.
fn noisy(activity: &Activity, dice: &mut Dice, metres: f64) -> Option<Activity> {
    let placed = placed(activity)?;
    Some(changed(&placed, |r| {
        let (mut east, mut north) = (0.0, 0.0);
        let places: Vec<(usize, (f64, f64))> = r.track.positions().collect();
        for (row, (lat, lon)) in places {
            (east, north) =
                (east * 0.97 + dice.normal() * metres * 0.243, north * 0.97 + dice.normal() * metres * 0.243);
            let lon = lon + east / (111_195.0 * lat.to_radians().cos());
            r.track.set_position_at(row, lat + north / 111_195.0, lon);
        }
        r.devices.clear();
    }))
}

/// One of up to `most` samples, first and last among them.
fn sparse(activity: &Activity, dice: &mut Dice, most: i64) -> Activity {
    let last = activity.track.len() as u32 - 1;
    let mut rows = vec![0];
    while let Some(next) = rows.last().map(|row| row + dice.whole(1, most) as u32).filter(|next| *next < last) {
        rows.push(next);
    }
    rows.push(last);
    changed(activity, |r| {
        r.track = r.track.pick(&rows);
        r.devices.clear();
    })
}

/// Up to a share of either end missing.
fn trimmed(activity: &Activity, dice: &mut Dice, share: i64) -> Activity {
    let len = activity.track.len() as i64;
    let (from, to) = (dice.whole(0, len / share) as u32, (len - dice.whole(0, len / share)) as u32);
    changed(activity, |r| {
        r.track = r.track.pick(&(from..to).collect::<Vec<_>>());
        shortened(r);
    })
}

/// Nothing recorded while the athlete stood for ten seconds or more, and no pause marks. `None` when he never did.
fn without_stops(activity: &Activity) -> Option<Activity> {
    let placed = placed(activity)?;
    let track: &Track = &placed.track;
    let moved = |a: usize, b: usize| match (track.position(a), track.position(b)) {
        (Some(a), Some(b)) => (a.0 - b.0).hypot((a.1 - b.1) * a.0.to_radians().cos()) * 111_195.0,
        _ => f64::MAX,
    };
    let times = track.times();
    let (mut rows, mut from) = (Vec::new(), 0);
    while from < track.len() {
        let mut to = from;
        while to + 1 < track.len() && moved(from, to + 1) < 4.0 {
            to += 1;
        }
        if times[to] - times[from] >= 10_000 {
            rows.extend([from as u32, to as u32]);
        } else {
            rows.extend((from..=to).map(|row| row as u32));
        }
        from = to + 1;
    }
    (rows.len() < track.len()).then(|| {
        changed(&placed, |r| {
            r.track = r.track.pick(&rows);
            r.pauses.clear();
            r.stated = Default::default();
        })
    })
}

/// The pulse of somebody else: another level, and a course of its own.
fn other_heart(activity: &Activity, dice: &mut Dice) -> Activity {
    let (level, share) = (dice.between(14.0, 25.0) as f32, dice.between(0.2, 0.5) as f32);
    let mut strain = 0.0f32;
    changed(activity, |r| {
        for (row, value) in r.track.column_mut(Channel::HeartRate).into_iter().flat_map(Column::raw_mut).enumerate() {
            if row % 45 == 0 {
                strain = strain * 0.7 + dice.normal() as f32 * 12.0;
            }
            *value = (130.0 + level + (*value - 130.0) * share + strain).round().clamp(60.0, 210.0);
        }
        keep_channels(r, |channel| channel != Channel::Power && channel != Channel::Cadence);
    })
}

/// Recordings worth perturbing: long enough, with places or a pulse. One of each workout, spread over all formats.
fn bases() -> Vec<Activity> {
    let mut all: Vec<Activity> = Vec::new();
    if let Some(corpus) = corpus_same::corpus() {
        let grouping = dedupe::group(&corpus.prints);
        let copies: Vec<_> = grouping.clusters.iter().flat_map(|cluster| cluster.members[1..].to_vec()).collect();
        let mut fit: Vec<&Activity> = corpus
            .activities
            .values()
            .filter(|a| !copies.contains(&a.origin.id()) && a.complete && (300..6000).contains(&a.track.len()))
            .filter(|a| a.track.untimed_count() == 0 && a.sessions.len() < 2)
            .filter(|a| a.computed.elapsed_s.is_some_and(|s| (600.0..20_000.0).contains(&s)))
            .filter(|a| beats(a).is_some() || a.computed.distance_m.is_some_and(|m| m > 1000.0) && placed(a).is_some())
            .collect();
        fit.sort_by_key(|a| (a.origin.format.clone(), a.origin.source.clone(), a.origin.index));
        let count = fit.len();
        // A number of a platform would tell all.
        let nameless = |a: &Activity| changed(a, |r| r.platform_ids.clear());
        all.extend(fit.into_iter().step_by((count / REAL).max(1)).take(REAL).map(nameless));
        assert!(all.len() == REAL, "met only {count} recordings");
    }
    all
}

/// How often a perturbed or imitated recording was believed to be different, unsure, same.
fn tried(bases: &[Activity], cases: &[(&str, Perturb)], report: Believed, wrong: &mut String) -> (String, [usize; 3]) {
    let (mut table, mut total) = (String::new(), [0; 3]);
    for (at, (name, perturb)) in cases.iter().enumerate() {
        let mut counts = [0; 3];
        for (case, base) in bases.iter().enumerate() {
            let mut dice = Dice::new((at * 1000 + case) as u64 + 177);
            let Some(mut other) = perturb(base, &mut dice) else { continue };
            other.origin.digest = Digest([(case + 1) as u8; 32]);
            let judgement = judge(&Fingerprint::of(base), &Fingerprint::of(&other));
            counts[judgement.verdict as usize] += 1;
            let amiss = match report {
                Believed::Same => judgement.verdict != Believed::Same,
                _ => judgement.verdict == Believed::Same,
            };
            if amiss {
                *wrong += &format!("{name}, {}: {judgement:#?}\n", base.origin.source);
            }
        }
        assert!(counts.iter().sum::<usize>() > 0, "nothing to do `{name}` to");
        let sum = counts.iter().sum::<usize>();
        table += &format!("{name:<65}{sum:>5} {:>5} {:>6} {:>9}\n", counts[2], counts[1], counts[0]);
        counts.iter().zip(&mut total).for_each(|(count, total)| *total += count);
    }
    (table, total)
}

const HEAD: &str = "                                                                 cases  same unsure different\n";

#[test]
fn real_and_synthetic_recordings_are_found_again() {
    let made = (0..MADE).map(|seed| record(&any_event(&mut Dice::new(seed + 400)), &Recorder::default(), seed));
    for (what, bases) in [("real", bases()), ("synthetic", made.collect())] {
        if bases.is_empty() {
            continue;
        }
        let mut missed = String::new();
        let (table, [different, unsure, same]) = tried(&bases, PERTURBATIONS, Believed::Same, &mut missed);
        let total = (different + unsure + same) as f64;
        let (found, reported) = (same as f64 / total * 100.0, (same + unsure) as f64 / total * 100.0);
        eprintln!("{what} recordings\n{HEAD}{table}same {found:.2} %, same or unsure {reported:.2} %");
        assert!(found >= 97.0 && reported >= 99.0, "{what}: {found} {reported}\n{missed}");
    }
}

#[test]
fn look_alikes_of_real_recordings_are_never_the_same() {
    let bases = bases();
    if bases.is_empty() {
        return;
    }
    let mut wrong = String::new();
    let (table, _) = tried(&bases, NEGATIVES, Believed::Different, &mut wrong);
    eprintln!("{HEAD}{table}");
    assert!(wrong.is_empty(), "{table}{wrong}");
}
