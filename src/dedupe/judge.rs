//! The verdict on two activities: every shift that could bring them together is weighed, the best one counts.

use serde::{Deserialize, Serialize};

use super::compare::Comparison;
use super::course::without_pauses;
use super::decide::decide;
use super::evidence::{self, Evidence, Grade, Reason};
use super::fingerprint::Fingerprint;
use super::when::{
    CLOCK_SLACK_MS, WIDEST_SHIFT_S, boxes_apart, fault, faulty, overlap, shifts_between, span_text, time, worth_a_shift,
};

/// What is believed of two activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Two workouts.
    Different,
    /// Perhaps one workout: reported, never merged by itself.
    Unsure,
    /// One workout.
    Same,
}

/// Which of the two carries a zone fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What is believed.
    pub verdict: Verdict,
    /// Sum of the scores.
    pub score: f64,
    /// Every piece of evidence.
    pub reasons: Vec<Reason>,
    /// The zone fault between the two, seconds, a multiple of 900: added to the second's times it gives the first's.
    pub shift_s: i64,
    /// The remaining difference of the clocks, seconds, as far as the coarse series show it; added like `shift_s`.
    pub lag_s: f64,
    /// Which side the zone fault is on, when it can be told.
    pub faulty: Option<Side>,
    /// True when something speaks against one workout, not merely nothing for it.
    pub contradicted: bool,
}

/// Judges two activities. The verdict is the same whichever comes first.
pub fn judge(a: &Fingerprint, b: &Fingerprint) -> Judgement {
    either_way(a, b, true)
}

/// The same without reasons.
pub(super) fn verdict_on(a: &Fingerprint, b: &Fingerprint) -> Judgement {
    Judgement { reasons: Vec::new(), ..either_way(a, b, false) }
}

fn either_way(a: &Fingerprint, b: &Fingerprint, told: bool) -> Judgement {
    if b.id < a.id {
        let mut judgement = ordered(b, a, told);
        judgement.shift_s = -judgement.shift_s;
        judgement.lag_s = -judgement.lag_s;
        judgement.faulty = judgement.faulty.map(|side| match side {
            Side::First => Side::Second,
            Side::Second => Side::First,
        });
        return judgement;
    }
    ordered(a, b, told)
}

fn plain(verdict: Verdict, code: &'static str, score: f64, text: String) -> Judgement {
    Judgement {
        verdict,
        score,
        reasons: vec![Reason { code: code.into(), score, text }],
        shift_s: 0,
        lag_s: 0.0,
        faulty: None,
        contradicted: verdict == Verdict::Different,
    }
}

fn ordered(a: &Fingerprint, b: &Fingerprint, told: bool) -> Judgement {
    if a.id == b.id {
        return plain(Verdict::Same, "content", 10.0, "one and the same activity".to_owned());
    }
    if let Some((platform, id)) = a.platform_ids.iter().find(|id| b.platform_ids.contains(id)) {
        return plain(Verdict::Same, "platform", 10.0, format!("{platform} knows both as {id}"));
    }
    if a.same_content_and_time(b) {
        return plain(Verdict::Same, "content", 8.0, "equal samples at the same time".to_owned());
    }
    let (Some(of_a), Some(of_b)) = (a.window(), b.window()) else { return super::summary::day_only(a, b) };
    let mut best: Option<Judgement> = None;
    let apart = of_a.0 - of_b.0;
    let mut consider = |judgement: Judgement| {
        let rank = |j: &Judgement| (j.verdict, (j.score * 100.0) as i64, -j.shift_s.abs());
        if best.as_ref().is_none_or(|best| rank(&judgement) > rank(best)) {
            best = Some(judgement);
        }
    };
    for shift_s in shifts_between(a, b) {
        consider(at_shift(a, b, [of_a, of_b], shift_s, told));
    }
    if a.same_content(b) && apart.abs() <= WIDEST_SHIFT_S * 1000 + CLOCK_SLACK_MS {
        let text = format!("equal samples, {} apart", span_text(apart));
        // Beyond what zones explain, equal samples may be a re-dated copy or a simulated repetition.
        consider(plain(Verdict::Unsure, "content", 2.0, text));
    }
    best.unwrap_or_else(|| plain(Verdict::Different, "time", -6.0, "no common time".to_owned()))
}

fn at_shift(a: &Fingerprint, b: &Fingerprint, [of_a, of_b]: [(i64, i64); 2], shift_s: i64, told: bool) -> Judgement {
    let mut common = overlap(a, b, of_a, of_b, shift_s * 1000);
    // Between a wall clock without zone and true time the local offset is no fault, but its absence is one.
    let fault = fault(a, b, shift_s);
    let mut out = Evidence::new(told);
    let finish = |out: Evidence, verdict: Verdict, lag_s: f64, contradicted: bool| Judgement {
        verdict,
        score: (out.score() * 100.0).round() / 100.0,
        reasons: out.reasons,
        shift_s,
        lag_s,
        faulty: faulty(a, b, shift_s),
        contradicted,
    };
    if common.seconds <= 0.0 || common.of_shorter < 0.5 {
        let text = || format!("only {} in common", span_text((common.seconds * 1000.0) as i64));
        out.add("time", Grade::Against, -6.0, text);
        return finish(out, Verdict::Different, 0.0, true);
    }
    let unplaced = a.unplaced || b.unplaced;
    if !unplaced && let Some(metres) = boxes_apart(a, b).filter(|&metres| metres > 2000.0) {
        out.add("track", Grade::Against, -6.0, || format!("at least {:.1} km apart", metres / 1000.0));
        return finish(out, Verdict::Different, 0.0, true);
    }
    if let Some(fault) = fault
        && !worth_a_shift(a, b, fault)
    {
        out.add("clock", Grade::Against, -6.0, || "nothing asks for a zone fault".to_owned());
        return finish(out, Verdict::Different, 0.0, true);
    }
    let pair = Comparison::new(a, b);
    let mut lag = evidence::track(&pair, unplaced, shift_s as f64, &mut out);
    let course =
        if shift_s == 0 && out.grade("track") < Grade::Strong { without_pauses(a, b, &pair, told) } else { None };
    if let Some((course, share)) = course {
        out = course;
        common.of_both = share;
    } else if out.grade("track") == Grade::Against {
        return finish(out, Verdict::Different, 0.0, true);
    } else {
        lag = evidence::sensors(&pair, unplaced, shift_s as f64, lag, &mut out);
    }
    evidence::averages(a, b, &mut out);
    evidence::totals(a, b, common.of_both, &mut out);
    evidence::sport(a, b, &mut out);
    evidence::owner(a, b, common.of_both, &mut out);
    evidence::platforms(a, b, &mut out);
    if a.same_content(b) {
        out.add("content", Grade::Copy, 5.0, || "equal samples".to_owned());
    }
    time(of_a, of_b, shift_s, fault, &common, &mut out);
    if fault.is_none() {
        evidence::one_at_a_time(a, b, &common, &mut out);
    }
    let (verdict, contradicted) = decide(a, b, (shift_s, fault), &common, pair.has_tracks(), &mut out);
    finish(out, verdict, (lag * 10.0).round() / 10.0, contradicted)
}
