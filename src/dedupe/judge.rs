//! The verdict on two activities: every shift that could bring them together is weighed, the best one counts.

use serde::{Deserialize, Serialize};

use super::compare::Comparison;
use super::evidence::{self, Evidence, Grade, Reason};
use super::family::{Kinship, kinship};
use super::fingerprint::Fingerprint;
use super::series::planar;

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

/// The sum of scores from which two activities are one.
const SAME: f64 = 3.0;
/// The sum of scores from which they may be one.
const UNSURE: f64 = 1.5;
/// Widest difference of two zones, s: from -12 h to +14 h.
pub(super) const WIDEST_SHIFT_S: i64 = 26 * 3600;
/// Zone faults are multiples of this, s.
const QUARTER_S: i64 = 900;
/// Clocks may differ by this much besides a zone fault, ms.
pub(super) const CLOCK_SLACK_MS: i64 = 150_000;
/// Less common time than this share of the longer one makes one a part of the other.
const WHOLE: f64 = 0.7;

/// Judges two activities. The verdict is the same whichever comes first.
pub fn judge(a: &Fingerprint, b: &Fingerprint) -> Judgement {
    if b.id < a.id {
        let mut judgement = ordered(b, a);
        judgement.shift_s = -judgement.shift_s;
        judgement.lag_s = -judgement.lag_s;
        judgement.faulty = judgement.faulty.map(|side| match side {
            Side::First => Side::Second,
            Side::Second => Side::First,
        });
        return judgement;
    }
    ordered(a, b)
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

fn ordered(a: &Fingerprint, b: &Fingerprint) -> Judgement {
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
    for shift_s in shifts(of_a, of_b) {
        consider(at_shift(a, b, of_a, of_b, shift_s));
    }
    if a.same_content(b) {
        let text = format!("equal samples, {} apart", span_text(apart));
        // Beyond what zones explain, equal samples may be a re-dated copy or a simulated repetition.
        consider(plain(Verdict::Unsure, "content", 2.0, text));
    }
    best.unwrap_or_else(|| plain(Verdict::Different, "time", -6.0, "no common time".to_owned()))
}

/// The shifts under which the two windows could be one workout: none, and the zone faults that bring them together.
pub(super) fn shifts(a: (i64, i64), b: (i64, i64)) -> Vec<i64> {
    let mut shifts = Vec::new();
    if a.0 < b.1 + CLOCK_SLACK_MS && b.0 < a.1 + CLOCK_SLACK_MS {
        shifts.push(0);
    }
    let (length_a, length_b) = (a.1 - a.0, b.1 - b.0);
    if length_a.min(length_b) * 10 < length_a.max(length_b) * 7 {
        return shifts;
    }
    let quarter = QUARTER_S * 1000;
    for apart in [a.0 - b.0, a.1 - b.1] {
        let shift = (apart + quarter / 2).div_euclid(quarter) * QUARTER_S;
        let near = (apart - shift * 1000).abs() <= CLOCK_SLACK_MS;
        if near && shift != 0 && shift.abs() <= WIDEST_SHIFT_S && !shifts.contains(&shift) {
            shifts.push(shift);
        }
    }
    shifts
}

/// `1:05:00` with a sign, for reasons.
pub(super) fn span_text(ms: i64) -> String {
    let s = ms.abs() / 1000;
    if s >= 2 * 86_400 {
        return format!("{} days", s / 86_400);
    }
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// Common time of two activities, as shares.
struct Overlap {
    /// Of the shorter one.
    of_shorter: f64,
    /// Of the time that either covers.
    of_both: f64,
    /// Seconds.
    seconds: f64,
}

fn overlap(a: &Fingerprint, b: &Fingerprint, of_a: (i64, i64), of_b: (i64, i64), shift_ms: i64) -> Overlap {
    let spans = |f: &Fingerprint, window: (i64, i64), shift: i64| -> Vec<(i64, i64)> {
        let spans = if f.spans.is_empty() { vec![window] } else { f.spans.clone() };
        spans.into_iter().map(|(start, end)| (start + shift, end + shift)).collect()
    };
    let (spans_a, spans_b) = (spans(a, of_a, 0), spans(b, of_b, shift_ms));
    let length = |spans: &[(i64, i64)]| spans.iter().map(|s| s.1 - s.0).sum::<i64>() as f64;
    let common: i64 =
        spans_a.iter().flat_map(|x| spans_b.iter().map(move |y| (x.1.min(y.1) - x.0.max(y.0)).max(0))).sum();
    let (length_a, length_b) = (length(&spans_a).max(1.0), length(&spans_b).max(1.0));
    // Pauses that one recorder cut out and the other recorded do not count against them: the windows do.
    let of_b = (of_b.0 + shift_ms, of_b.1 + shift_ms);
    let windows = (of_a.1.min(of_b.1) - of_a.0.max(of_b.0)).max(0) as f64;
    let hull = (of_a.1.max(of_b.1) - of_a.0.min(of_b.0)).max(1) as f64;
    let active = common as f64 / (length_a + length_b - common as f64).max(1.0);
    Overlap {
        of_shorter: common as f64 / length_a.min(length_b),
        of_both: active.max(windows / hull),
        seconds: common as f64 / 1000.0,
    }
}

fn at_shift(a: &Fingerprint, b: &Fingerprint, of_a: (i64, i64), of_b: (i64, i64), shift_s: i64) -> Judgement {
    let common = overlap(a, b, of_a, of_b, shift_s * 1000);
    // Between a wall clock without zone and true time the local offset is no fault.
    let fault = shift_s != 0 && wall_shift(a, b) != Some(shift_s);
    let mut out = Evidence::default();
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
        let text = format!("only {} in common", span_text((common.seconds * 1000.0) as i64));
        out.add("time", Grade::Against, -6.0, text);
        return finish(out, Verdict::Different, 0.0, true);
    }
    let unplaced = a.unplaced || b.unplaced;
    if !unplaced && let Some(metres) = boxes_apart(a, b).filter(|&metres| metres > 2000.0) {
        out.add("track", Grade::Against, -6.0, format!("at least {:.1} km apart", metres / 1000.0));
        return finish(out, Verdict::Different, 0.0, true);
    }
    if fault && !worth_a_shift(a, b) {
        out.add("clock", Grade::Against, -6.0, "nothing asks for a zone fault".to_owned());
        return finish(out, Verdict::Different, 0.0, true);
    }
    let pair = Comparison::new(a, b);
    let lag = evidence::track(&pair, unplaced, shift_s as f64, &mut out);
    if out.grade("track") == Grade::Against {
        return finish(out, Verdict::Different, 0.0, true);
    }
    let lag = evidence::sensors(&pair, unplaced, shift_s as f64, lag, &mut out);
    evidence::averages(a, b, &mut out);
    evidence::totals(a, b, common.of_both, &mut out);
    evidence::sport(a, b, &mut out);
    evidence::owner(a, b, common.of_both, &mut out);
    if a.same_content(b) {
        out.add("content", Grade::Copy, 5.0, "equal samples".to_owned());
    }
    time(of_a, of_b, shift_s, fault, &common, &mut out);
    if !fault {
        evidence::one_at_a_time(a, b, common.of_both, &mut out);
    }
    let (verdict, contradicted) = decide(a, b, (shift_s, fault), &common, pair.has_tracks(), &mut out);
    finish(out, verdict, (lag * 10.0).round() / 10.0, contradicted)
}

/// Start, end and common time.
fn time(of_a: (i64, i64), of_b: (i64, i64), shift_s: i64, fault: bool, common: &Overlap, out: &mut Evidence) {
    let start = (of_a.0 - of_b.0 - shift_s * 1000).abs() as f64 / 1000.0;
    let end = (of_a.1 - of_b.1 - shift_s * 1000).abs() as f64 / 1000.0;
    let (score, text): (f64, String) = (
        match (start.max(end), start.min(end)) {
            // Two workouts do not begin and end together.
            (most, _) if most <= 5.0 && common.seconds > 300.0 => 3.0,
            (most, _) if most <= 15.0 && common.seconds > 600.0 => 2.5,
            (most, _) if most <= 60.0 => 1.0,
            (most, least) if least <= 15.0 && most <= 0.1 * common.seconds => 0.75,
            _ if common.of_both > 0.85 => 0.5,
            _ if common.of_both < WHOLE => -1.0,
            _ => 0.0,
        },
        format!("{:.0} % of the time in common, starts {start:.0} s and ends {end:.0} s apart", common.of_both * 100.0),
    );
    // With any zone fault allowed, starts agree modulo a quarter of an hour once in a while.
    let score = if fault { score.min(1.0) } else { score };
    out.add("time", if score >= 2.5 { Grade::Agrees } else { Grade::Silent }, score, text);
    if fault {
        let text = format!("clocks {} apart, as between two zones", span_text(shift_s * 1000));
        out.add("clock", Grade::Silent, -1.0, text);
    } else if shift_s != 0 {
        let text = format!(
            "a wall clock without zone, {} from true time as the other's place has it",
            span_text(shift_s * 1000)
        );
        out.add("clock", Grade::Silent, 0.25, text);
    }
}

/// From evidence to verdict, and whether something contradicts.
fn decide(
    a: &Fingerprint,
    b: &Fingerprint,
    (shift_s, fault): (i64, bool),
    common: &Overlap,
    tracks: bool,
    out: &mut Evidence,
) -> (Verdict, bool) {
    let copy = out.any(Grade::Copy);
    let against = out.any(Grade::Against);
    let score = out.score();
    let mut verdict = match score {
        s if s >= SAME => Verdict::Same,
        s if s >= UNSURE => Verdict::Unsure,
        _ => Verdict::Different,
    };
    let cap = |verdict: &mut Verdict, most: Verdict| *verdict = (*verdict).min(most);
    if against {
        cap(&mut verdict, Verdict::Unsure);
    }
    // Heart rate and power are the athlete's own: where they were compared and are not alike, places do not settle it.
    let own = ["heart_rate", "power"].map(|code| out.grade(code));
    if own.contains(&Grade::Doubt) && !own.contains(&Grade::Copy) && own.iter().all(|g| *g < Grade::Strong) {
        cap(&mut verdict, Verdict::Unsure);
    }
    // Compared and not alike: only a copy may pass.
    if out.any(Grade::Doubt) && !copy {
        cap(&mut verdict, Verdict::Unsure);
        let identified = out.grade("track") >= Grade::Strong || out.grade("heart_rate") >= Grade::Agrees;
        if kinship(a.sport, b.sport) == Kinship::Conflict && !identified {
            cap(&mut verdict, Verdict::Different);
        }
    }
    if common.of_both < WHOLE {
        let alike = copy || out.count(Grade::Strong) > 0;
        cap(&mut verdict, if alike { Verdict::Unsure } else { Verdict::Different });
        if alike {
            out.add("part", Grade::Silent, 0.0, "one is a part of the other, or each misses a part".to_owned());
        }
    }
    // Two activities of one source are two workouts unless they are copies.
    if a.same_source(b) && !copy {
        cap(&mut verdict, Verdict::Different);
    }
    if fault {
        let worst = out.any(Grade::Against) || out.any(Grade::Doubt);
        let likely = shift_s % 1800 == 0 || faulty(a, b, shift_s).is_some();
        let sure = copy && !worst && likely && common.of_both > 0.75;
        let maybe = (out.count(Grade::Strong) > 0 && !worst) || (copy && common.of_both > 0.75);
        // A watch without zone and a file with positions: equal length and course of speed.
        let zoneless = |f: &Fingerprint| f.floating || f.offset_s.is_none();
        let unknown = !tracks && (zoneless(a) || zoneless(b)) && common.of_both > 0.98;
        let course = out.grade("speed") >= Grade::Agrees && out.grade("distance") >= Grade::Agrees;
        cap(
            &mut verdict,
            match () {
                () if sure || (unknown && course && !worst) => Verdict::Same,
                () if maybe || (unknown && out.grade("speed") >= Grade::Agrees) => Verdict::Unsure,
                () => Verdict::Different,
            },
        );
    }
    (verdict, against)
}

/// The shift that a wall clock without zone has against true time: the other side's local offset.
fn wall_shift(a: &Fingerprint, b: &Fingerprint) -> Option<i64> {
    match (a.floating, b.floating) {
        (true, false) => b.offset_s.map(i64::from),
        (false, true) => a.offset_s.map(|offset| -i64::from(offset)),
        _ => None,
    }
}

/// Which side wrote its local time as UTC, or has no zone of its own.
fn faulty(a: &Fingerprint, b: &Fingerprint, shift_s: i64) -> Option<Side> {
    if shift_s == 0 {
        return None;
    }
    match (a.floating, b.floating) {
        (true, false) => return Some(Side::First),
        (false, true) => return Some(Side::Second),
        _ => {}
    }
    let local = |offset: Option<i32>| offset.map(i64::from).filter(|&offset| offset != 0);
    match (local(a.offset_s) == Some(-shift_s), local(b.offset_s) == Some(shift_s)) {
        (true, false) => return Some(Side::Second),
        (false, true) => return Some(Side::First),
        _ => {}
    }
    match (a.offset_stated, b.offset_stated) {
        (true, false) => return Some(Side::Second),
        (false, true) => return Some(Side::First),
        _ => {}
    }
    match (a.offset_s.is_some(), b.offset_s.is_some()) {
        (true, false) => Some(Side::Second),
        (false, true) => Some(Side::First),
        _ => None,
    }
}

/// Before anything is decoded: could these be one workout with a zone fault?
fn worth_a_shift(a: &Fingerprint, b: &Fingerprint) -> bool {
    let near = |x: Option<f64>, y: Option<f64>, share: f64| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= share * x.max(y),
        _ => true,
    };
    if a.same_content(b) {
        return true;
    }
    if a.same_source(b) || kinship(a.sport, b.sport) == Kinship::Conflict {
        return false;
    }
    near(a.totals.distance_m, b.totals.distance_m, 0.3)
        && near(a.totals.avg_heart_rate, b.totals.avg_heart_rate, 0.06)
        && match (a.bbox, b.bbox) {
            (Some(_), Some(_)) => boxes_apart(a, b) == Some(0.0) || a.unplaced || b.unplaced,
            _ => true,
        }
}

/// Gap between the two bounding boxes, m; 0 when they touch.
fn boxes_apart(a: &Fingerprint, b: &Fingerprint) -> Option<f64> {
    let (a, b) = (a.bbox?, b.bbox?);
    let near = |low_a: f64, high_a: f64, low_b: f64, high_b: f64| {
        if low_b > high_a {
            (high_a, low_b)
        } else if low_a > high_b {
            (low_a, high_b)
        } else {
            let inside = low_a.max(low_b);
            (inside, inside)
        }
    };
    let (lat_a, lat_b) = near(a[0], a[2], b[0], b[2]);
    let (lon_a, lon_b) = near(a[1], a[3], b[1], b[3]);
    Some(planar((lat_a, lon_a), (lat_b, lon_b)))
}
