//! Evidence: each kind of likeness graded on its own, with a score and a reason to print.

use serde::{Deserialize, Serialize};

use super::compare::{Comparison, LEAST_COMMON, SeriesMatch, series, series_lag};
use super::family::{Kinship, kinship};
use super::fingerprint::Fingerprint;
use super::series::Quantity;
use super::when::Overlap;
use crate::model::Sport;

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable word: `time`, `track`, `heart_rate`, `power`, `cadence`, `speed`, `altitude`, `distance`, `totals`,
    /// `sport`, `device`, `athlete`, `platform`, `content`, `clock`, `part`, `day`.
    pub code: std::borrow::Cow<'static, str>,
    /// Weight for (positive) or against (negative) one workout.
    pub score: f64,
    /// In words.
    pub text: String,
}

/// How far one kind of evidence goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// Says that they are two workouts.
    Against,
    /// Compared, and not what one workout gives.
    Doubt,
    /// Not compared, or says little.
    Silent,
    /// Speaks for one workout.
    Agrees,
    /// What two recorders of one workout give.
    Strong,
    /// Equal but for rounding: one is a copy of the other.
    Copy,
}

/// Evidence gathered so far.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Whether it is told in words: of a hundred pairs that are judged a few are.
    told: bool,
    pub(super) reasons: Vec<Reason>,
    pub(super) grades: Vec<(&'static str, Grade)>,
    /// Median distance of the tracks, m; 0 when they were not compared.
    pub(super) track_median: f64,
}

impl Evidence {
    pub(super) fn new(told: bool) -> Evidence {
        Evidence { told, reasons: Vec::new(), grades: Vec::new(), track_median: 0.0 }
    }

    pub(super) fn add(&mut self, code: &'static str, grade: Grade, score: f64, text: impl FnOnce() -> String) {
        if grade != Grade::Silent || score != 0.0 {
            let text = if self.told { text() } else { String::new() };
            self.reasons.push(Reason { code: code.into(), score, text });
        }
        self.grades.push((code, grade));
    }

    pub(super) fn score(&self) -> f64 {
        self.reasons.iter().map(|reason| reason.score).sum()
    }

    pub(super) fn score_of(&self, code: &str) -> f64 {
        self.reasons.iter().filter(|reason| reason.code == code).map(|reason| reason.score).sum()
    }

    pub(super) fn grade(&self, code: &str) -> Grade {
        self.grades.iter().find(|(known, _)| *known == code).map_or(Grade::Silent, |(_, grade)| *grade)
    }

    pub(super) fn count(&self, at_least: Grade) -> usize {
        self.grades.iter().filter(|(_, grade)| *grade >= at_least).count()
    }

    pub(super) fn any(&self, grade: Grade) -> bool {
        self.grades.iter().any(|(_, have)| *have == grade)
    }
}

/// Positions at shared instants. Returns the lag that was found, s.
pub(super) fn track(pair: &Comparison<'_>, unplaced: bool, shift_s: f64, out: &mut Evidence) -> f64 {
    let Some(plain) = pair.tracks(shift_s) else { return 0.0 };
    let (mut lag, mut best) = (0.0, plain);
    if plain.median > 8.0 && plain.median < 3000.0 {
        let found = pair.track_lag(shift_s);
        if let Some(moved) = pair.tracks(shift_s + found).filter(|m| m.median + 1.0 < plain.median * 0.9) {
            (lag, best) = (found, moved);
        }
    }
    if best.count < LEAST_COMMON {
        // A handful of instants only tells when they are apart.
        if best.median > 1000.0 && !unplaced {
            out.add("track", Grade::Against, -6.0, || format!("positions {:.0} m apart", best.median));
        }
        return 0.0;
    }
    // A chord between two instants leaves a bend by a share of its length.
    let chords = (pair.every_s / pair.step_s as f64).max(if lag == 0.0 { 0.0 } else { 1.0 });
    let chord = if chords < 0.3 { 0.0 } else { best.stride * chords * 0.08 };
    let moving = best.extent > 150.0 && best.extent > 5.0 * best.median;
    let (grade, score) = match best.median {
        m if !moving && m < 150.0 => (Grade::Silent, 0.3),
        m if m <= 5.0 && best.most <= 15.0 => (Grade::Copy, 4.0),
        m if m <= 25.0 + chord && best.most <= 100.0 + 4.0 * chord => (Grade::Strong, 3.0),
        m if m <= 80.0 + chord => (Grade::Doubt, 0.5),
        m if m <= 200.0 + chord => (Grade::Doubt, -2.0),
        _ => (Grade::Against, -6.0),
    };
    if unplaced && score < 0.0 {
        return 0.0;
    }
    out.track_median = best.median;
    let after = || if lag == 0.0 { String::new() } else { format!(" after a lag of {lag:.0} s") };
    out.add("track", grade, score, || {
        format!(
            "positions {:.0} m apart (median), {:.0} m at most in nine of ten, at {} shared instants{}",
            best.median,
            best.most,
            best.count,
            after()
        )
    });
    if grade >= Grade::Strong { lag } else { 0.0 }
}

/// Sensors at shared instants, after the lag of the tracks or, without tracks, the best lag of the first sensor that
/// has one. Returns the lag.
pub(super) fn sensors(pair: &Comparison<'_>, unplaced: bool, shift_s: f64, track_lag: f64, out: &mut Evidence) -> f64 {
    let mut lag = track_lag;
    let mut settled = out.grade("track") >= Grade::Strong;
    for quantity in Quantity::ALL {
        let Some((a, b)) = pair.series(quantity) else { continue };
        let Some(plain) = series(&a, &b, shift_s + lag).filter(|m| m.count >= LEAST_COMMON) else { continue };
        let (mut best, mut grade) = (plain, grade_of(quantity, plain));
        if !settled && grade.0 < Grade::Copy {
            let found = series_lag(&a, &b, shift_s);
            if let Some(moved) = series(&a, &b, shift_s + found).filter(|m| m.count >= LEAST_COMMON) {
                let moved_grade = grade_of(quantity, moved);
                if moved_grade.0 >= Grade::Agrees && moved_grade.0 >= grade.0 {
                    (best, grade, lag) = (moved, moved_grade, found);
                }
            }
        }
        settled |= grade.0 >= Grade::Agrees;
        let (mut grade, mut score) = grade;
        // Speed and height of a virtual world, or of a sensor on the spot, need not be those of the other recorder; and
        // where the tracks agree, a bad speed or height is a bad sensor.
        let excused = unplaced || out.grade("track") >= Grade::Strong;
        if (quantity == Quantity::Altitude || quantity == Quantity::Speed) && excused && grade < Grade::Agrees {
            (grade, score) = (Grade::Silent, 0.0);
        }
        add_series(quantity, best, (grade, score), "shared instants", out);
    }
    lag
}

fn add_series(quantity: Quantity, m: SeriesMatch, (grade, score): (Grade, f64), at: &str, out: &mut Evidence) {
    let (code, unit) = name(quantity);
    let (d, r, n) = (m.difference, m.correlation, m.count);
    let what = || code.replace('_', " ");
    out.add(code, grade, score, || {
        format!("{} differs by {d:.1} {unit} on average, correlation {r:.2}, at {n} {at}", what())
    });
}

/// Heart rates that were compared at `at`, which are no shared instants.
pub(super) fn heart_rate(m: SeriesMatch, at: &str, out: &mut Evidence) {
    add_series(Quantity::HeartRate, m, grade_of(Quantity::HeartRate, m), at, out);
}

fn name(quantity: Quantity) -> (&'static str, &'static str) {
    match quantity {
        Quantity::HeartRate => ("heart_rate", "bpm"),
        Quantity::Power => ("power", "W"),
        Quantity::Cadence => ("cadence", "rpm"),
        Quantity::Speed => ("speed", "m/s"),
        Quantity::Altitude => ("altitude", "m"),
    }
}

/// What a match of one quantity says.
fn grade_of(quantity: Quantity, m: SeriesMatch) -> (Grade, f64) {
    let SeriesMatch { correlation: r, difference: d, spread, means, count } = m;
    let long = count >= 12;
    match quantity {
        Quantity::HeartRate if spread < 2.0 => {
            // Nearly constant: only the level can be compared.
            if d > 12.0 { (Grade::Against, -3.0) } else { (Grade::Silent, 0.0) }
        }
        Quantity::HeartRate => match () {
            () if d <= 1.0 && r >= 0.95 && long => (Grade::Copy, 4.0),
            () if d <= 6.0 && r >= 0.85 => (Grade::Strong, 3.0),
            () if d <= 10.0 && r >= 0.93 => (Grade::Agrees, 1.5),
            () if d > 12.0 || (d > 8.0 && r < 0.7) => (Grade::Against, -3.0),
            () => (Grade::Doubt, -0.5),
        },
        Quantity::Power if spread < 10.0 => (Grade::Silent, 0.0),
        Quantity::Power => match () {
            () if d <= 0.01 * means.0.max(means.1) + 1.0 && r >= 0.98 && long => (Grade::Copy, 4.0),
            () if r >= 0.9 && d <= 0.15 * means.0.max(means.1) => (Grade::Strong, 3.0),
            () if r >= 0.8 => (Grade::Agrees, 1.5),
            () if r < 0.4 => (Grade::Against, -2.0),
            () => (Grade::Doubt, -0.5),
        },
        Quantity::Cadence if spread < 3.0 => (Grade::Silent, 0.0),
        Quantity::Cadence => match () {
            () if d <= 0.5 && r >= 0.98 && long => (Grade::Agrees, 2.0),
            () if r >= 0.85 && d <= 8.0 => (Grade::Agrees, 1.5),
            () => (Grade::Silent, 0.0),
        },
        Quantity::Speed if spread < 0.2 => (Grade::Silent, 0.0),
        Quantity::Speed => match () {
            () if r >= 0.9 && d <= 0.1 * means.0.max(means.1) + 0.1 => (Grade::Agrees, 1.5),
            () if r >= 0.7 => (Grade::Agrees, 1.0),
            () if r >= 0.4 => (Grade::Silent, 0.5),
            () if r < 0.1 => (Grade::Silent, -0.5),
            () => (Grade::Silent, 0.0),
        },
        // Heights of two devices differ by an offset; their course does not.
        Quantity::Altitude if spread < 5.0 => (Grade::Silent, 0.0),
        Quantity::Altitude => match () {
            () if r >= 0.95 => (Grade::Agrees, 1.5),
            () if r >= 0.8 => (Grade::Silent, 0.5),
            () if r < 0.2 && spread > 15.0 => (Grade::Doubt, -1.0),
            () => (Grade::Silent, 0.0),
        },
    }
}

/// Stated and computed totals.
pub(super) fn totals(a: &Fingerprint, b: &Fingerprint, share: f64, out: &mut Evidence) {
    let ratio = |a: Option<f64>, b: Option<f64>| Some((a? - b?).abs() / a?.max(b?));
    if let (Some(x), Some(y)) = (a.totals.distance_m, b.totals.distance_m)
        && x.max(y) > 200.0
    {
        let apart = (x - y).abs() / x.max(y);
        let (grade, score) = match apart {
            d if d <= 0.003 => (Grade::Agrees, 1.0),
            d if d <= 0.03 => (Grade::Agrees, 0.5),
            d if d > 0.15 && is_bare(a, b) && !(a.unplaced || b.unplaced) => (Grade::Doubt, -1.0),
            // On the spot two devices count what they like.
            // Noise adds to a distance that is computed from positions.
            d if d > 0.15 && share > 0.95 && !(a.unplaced || b.unplaced) && out.grade("track") < Grade::Strong => {
                (Grade::Silent, -1.0)
            }
            _ => (Grade::Silent, 0.0),
        };
        out.add("distance", grade, score, || format!("distances of {x:.0} m and {y:.0} m"));
    }
    let equal = [
        ("timer", a.totals.timer_s, b.totals.timer_s, 0.001),
        ("energy", a.totals.calories_kcal, b.totals.calories_kcal, 0.001),
    ];
    let names: Vec<&str> =
        equal.iter().filter(|(_, x, y, near)| ratio(*x, *y).is_some_and(|r| r <= *near)).map(|e| e.0).collect();
    if !names.is_empty() {
        out.add("totals", Grade::Agrees, 0.25 * names.len() as f64, || format!("equal totals: {}", names.join(", ")));
    }
}

/// Average heart rates, where at least one of the two has no series of them.
pub(super) fn averages(a: &Fingerprint, b: &Fingerprint, out: &mut Evidence) {
    let (Some(x), Some(y)) = (a.totals.avg_heart_rate, b.totals.avg_heart_rate) else { return };
    if a.coarse.has(Quantity::HeartRate) && b.coarse.has(Quantity::HeartRate) {
        return;
    }
    let (grade, score) = match (x - y).abs() {
        d if d <= 3.0 => (Grade::Agrees, 1.0),
        d if d <= 8.0 => (Grade::Silent, 0.25),
        d if d > 15.0 => (Grade::Against, -2.0),
        _ => (Grade::Silent, -0.5),
    };
    out.add("heart_rate", grade, score, || format!("average heart rates of {x:.0} and {y:.0} bpm"));
}

/// A person does one workout at a time: a summary without samples that covers the same time is the same workout (the
/// more so when it lies inside it, as a diary that is opened late and closed early), and two recordings that share no
/// quantity may be.
pub(super) fn one_at_a_time(a: &Fingerprint, b: &Fingerprint, common: &Overlap, out: &mut Evidence) {
    let bare = is_bare(a, b);
    let says_nothing = |code: &str| code == "distance" || code == "platform";
    let compared = out.grades.iter().any(|(code, grade)| *grade != Grade::Silent && !says_nothing(code));
    if common.of_both < 0.75 || (compared && !bare) {
        return;
    }
    let known = matches!(kinship(a.sport, b.sport), Kinship::Same | Kinship::Related);
    let score = match (bare, known) {
        (true, true) if common.of_shorter >= 0.9 => 2.75,
        (true, true) => 2.0,
        (true, false) => 1.25,
        (false, _) => 0.5,
    };
    let what = if bare { "one is only a summary" } else { "they share no quantity that could be compared" };
    out.add("time", Grade::Silent, score, || format!("{what}, and cover the same time"));
}

/// True when one of the two is a summary without samples.
pub(super) fn is_bare(a: &Fingerprint, b: &Fingerprint) -> bool {
    a.samples == 0 || b.samples == 0
}

/// A platform that knows both by numbers of its own, none in common: it holds two workouts. (The same workout uploaded
/// from two devices has two numbers as well, so that recordings may overrule it.)
pub(super) fn platforms(a: &Fingerprint, b: &Fingerprint, out: &mut Evidence) {
    if let Some(text) = two_numbers(a, b) {
        out.add("platform", Grade::Doubt, -1.0, || text);
    }
}

/// Says so when one platform has a number for each of the two. Common numbers are looked for before.
pub(super) fn two_numbers(a: &Fingerprint, b: &Fingerprint) -> Option<String> {
    let other = |platform: &str| b.platform_ids.iter().find(|(known, _)| known == platform);
    let ((platform, x), (_, y)) = a.platform_ids.iter().find_map(|id| Some((id, other(&id.0)?)))?;
    Some(format!("{platform} knows them as {x} and {y}"))
}

/// Sports.
pub(super) fn sport(a: &Fingerprint, b: &Fingerprint, out: &mut Evidence) {
    let text = || format!("{} and {}", Sport(a.sport).name(), Sport(b.sport).name());
    match kinship(a.sport, b.sport) {
        Kinship::Same => out.add("sport", Grade::Silent, 0.5, || format!("both {}", Sport(a.sport).name())),
        Kinship::Related => out.add("sport", Grade::Silent, 0.25, || format!("{}: one family", text())),
        Kinship::Unknown => {}
        Kinship::Conflict => out.add("sport", Grade::Doubt, -2.0, || format!("{}: two sports", text())),
    }
}

/// Recorders and athletes. `share` is the overlap over the longer one.
pub(super) fn owner(a: &Fingerprint, b: &Fingerprint, share: f64, out: &mut Evidence) {
    if let (Some(x), Some(y)) = (&a.serial, &b.serial) {
        let maker = match (&a.manufacturer, &b.manufacturer) {
            (Some(x), Some(y)) => x == y,
            _ => true,
        };
        if x == y && maker {
            // One recorder makes one recording at a time: nearly the same span means copies of it.
            let score = if share > 0.8 { 1.5 } else { 0.0 };
            out.add("device", Grade::Silent, score, || format!("one recorder, serial {x}"));
        }
    }
    let mut differs = Vec::new();
    if let (Some(x), Some(y)) = (a.person.gender, b.person.gender)
        && x != y
    {
        differs.push("gender");
    }
    if let (Some(x), Some(y)) = (a.person.weight_kg, b.person.weight_kg)
        && (x - y).abs() > 0.12 * x.max(y)
    {
        differs.push("weight");
    }
    if let (Some(x), Some(y)) = (a.person.age, b.person.age)
        && x.abs_diff(y) > 3
    {
        differs.push("age");
    }
    if differs.len() > 1 {
        out.add("athlete", Grade::Doubt, -2.0, || format!("two athletes: {} differ", differs.join(" and ")));
    }
}
