//! From evidence to verdict.

use super::evidence::{Evidence, Grade, Reason};
use super::family::{Kinship, kinship};
use super::fingerprint::Fingerprint;
use super::judge::Verdict;
use super::when::{Fault, Overlap, WHOLE, faulty};

/// The sum of scores from which two activities are one.
const SAME: f64 = 3.0;
/// The sum of scores from which they may be one.
const UNSURE: f64 = 1.5;
/// Less of both in common than this is no copy of the whole.
const COPY: f64 = 0.75;
/// Tracks of one way that are this near at each instant were not gone at two times, m.
const ONE_WAY_M: f64 = 2.0;

/// From evidence to verdict, and whether something contradicts. The score proposes; what was compared and is not alike
/// caps it.
pub(super) fn decide(
    a: &Fingerprint,
    b: &Fingerprint,
    (shift_s, fault): (i64, Option<Fault>),
    common: &Overlap,
    tracks: bool,
    out: &mut Evidence,
) -> (Verdict, bool) {
    let copy = out.any(Grade::Copy);
    let against = out.any(Grade::Against);
    let mut verdict = match out.score() {
        s if s >= SAME => Verdict::Same,
        s if s >= UNSURE => Verdict::Unsure,
        _ => Verdict::Different,
    };
    let cap = |verdict: &mut Verdict, most: Verdict| *verdict = (*verdict).min(most);
    // Heart rate and power are the athlete's own: alike, they excuse what a receiver did; not alike, places do not settle
    // it.
    let own = out.grade("heart_rate").max(out.grade("power"));
    let own_doubt = ["heart_rate", "power"].iter().any(|code| out.grade(code) == Grade::Doubt);
    let track = out.grade("track");
    let near = track == Grade::Doubt && out.score_of("track") > 0.0;
    let doubts = [
        against,
        own_doubt && own < Grade::Strong,
        track == Grade::Doubt && !(near && own >= Grade::Strong),
        out.grade("altitude") == Grade::Doubt && own.max(track) < Grade::Strong,
        out.grade("distance") == Grade::Doubt,
        (out.grade("sport") == Grade::Doubt || out.grade("athlete") == Grade::Doubt) && !copy,
    ];
    if doubts.contains(&true) {
        cap(&mut verdict, Verdict::Unsure);
    }
    // Two numbers of one platform are two workouts, unless what was recorded says that it is one.
    let two_numbers = out.grade("platform") == Grade::Doubt && !copy && own.max(track) < Grade::Strong;
    if two_numbers {
        cap(&mut verdict, Verdict::Unsure);
    }
    let identified = track >= Grade::Strong || out.grade("heart_rate") >= Grade::Agrees;
    if kinship(a.sport, b.sport) == Kinship::Conflict && !identified {
        cap(&mut verdict, Verdict::Different);
    }
    if common.of_both < WHOLE {
        let alike = copy || out.count(Grade::Strong) > 0;
        cap(&mut verdict, if alike { Verdict::Unsure } else { Verdict::Different });
        if alike {
            let text = "one is a part of the other, or each misses a part".to_owned();
            out.reasons.push(Reason { code: "part".into(), score: 0.0, text });
        }
    }
    // Two activities of one source are two workouts unless they are copies.
    if a.same_source(b) && !copy {
        cap(&mut verdict, Verdict::Different);
    }
    let two = fault.is_some() && (out.grade("platform") == Grade::Doubt || a.same_source(b));
    if let Some(fault) = fault {
        cap(&mut verdict, with_fault(a, b, (shift_s, fault), common, (tracks, two), out));
    }
    (verdict, against || two_numbers || two)
}

/// How far evidence goes when it needs a zone fault. The same course at the same pace some hours later is not rare, and
/// one interval plan ridden twice gives nearly the same power and pulse: only a copy is the same, value by value; or two
/// recordings on one way at each instant, where local time as UTC explains the clocks. `two` are known as two workouts.
fn with_fault(
    a: &Fingerprint,
    b: &Fingerprint,
    (shift_s, fault): (i64, Fault),
    common: &Overlap,
    (tracks, two): (bool, bool),
    out: &Evidence,
) -> Verdict {
    let doubt = |(code, grade): &(&str, Grade)| *grade == Grade::Doubt && *code != "platform";
    let worst = out.any(Grade::Against) || out.grades.iter().any(doubt);
    let likely = shift_s % 1800 == 0 || faulty(a, b, shift_s).is_some();
    let copy = a.copied(b) && common.of_both > COPY;
    let one_way = fault == Fault::Explained
        && common.of_both > COPY
        && !(a.unplaced || b.unplaced)
        && out.grade("track") == Grade::Copy
        && (out.track_median <= ONE_WAY_M || out.grade("heart_rate") == Grade::Copy);
    let zoneless = |f: &Fingerprint| f.floating || f.offset_s.is_none();
    let unknown = !tracks && (zoneless(a) || zoneless(b)) && common.of_both > 0.98;
    match () {
        () if copy && likely && fault != Fault::Unlikely && !worst && !two => Verdict::Same,
        () if one_way && !worst && !two => Verdict::Same,
        () if copy => Verdict::Unsure,
        // Known as two, or farther apart than a zone makes: only equal values raise a doubt.
        () if two || fault == Fault::Unlikely => Verdict::Different,
        () if out.count(Grade::Strong) > 0 && !worst => Verdict::Unsure,
        () if unknown && out.grade("speed") >= Grade::Agrees => Verdict::Unsure,
        () => Verdict::Different,
    }
}
