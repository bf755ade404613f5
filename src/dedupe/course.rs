//! The same course in another time: a recorder that leaves pauses out writes every later sample too early. Such two are
//! compared at equal shares of their way instead of at equal instants.

use super::compare::{Comparison, SeriesMatch, of_pairs};
use super::evidence::{Evidence, Grade, heart_rate};
use super::fingerprint::Fingerprint;
use super::series::{Quantity, Series};

/// At how many shares of the way two courses are compared.
const SHARES: usize = 64;
/// The starts must be this near, ms.
const START_MS: i64 = 60_000;

/// How long an activity was going on, by every clock it has: the window with and without pauses, timer, time in motion.
fn lengths(f: &Fingerprint) -> impl Iterator<Item = f64> {
    let window = f.duration_s();
    [window, window.map(|s| s - f.paused_s), f.totals.timer_s, f.moving_s].into_iter().flatten()
}

/// Compares two courses when one recorder seems to have left its pauses out: starts together, different windows, equal
/// time on the way. Gives the evidence that replaces that at equal instants (`told` in words or not), and the share of time in
/// common.
pub(super) fn without_pauses(
    a: &Fingerprint,
    b: &Fingerprint,
    pair: &Comparison<'_>,
    told: bool,
) -> Option<(Evidence, f64)> {
    let (of_a, of_b) = (a.window()?, b.window()?);
    let (length_a, length_b) = (a.duration_s()?, b.duration_s()?);
    let together = (of_a.0 - of_b.0).abs() <= START_MS && (length_a - length_b).abs() > 20.0;
    // The shorter window against the active time of the longer one.
    let (shorter, longer) = if length_a < length_b { (length_a, b) } else { (length_b, a) };
    let near = |length: f64| (length - shorter).abs() <= (0.03 * shorter).max(20.0);
    let apart = |length: f64| (length - shorter).abs() / shorter.max(length);
    if !together || !lengths(longer).any(near) {
        return None;
    }
    let share = 1.0 - lengths(longer).map(apart).fold(1.0, f64::min);
    let [track_a, track_b] = pair.both_tracks()?;
    let (way_a, way_b) = (Way::of(track_a)?, Way::of(track_b)?);
    if (way_a.length() - way_b.length()).abs() > 0.05 * way_a.length().max(way_b.length()) {
        return None;
    }
    let heart_rates = pair.series(Quantity::HeartRate);
    let (mut distances, mut beats) = (Vec::with_capacity(SHARES), Vec::with_capacity(SHARES));
    for k in 0..=SHARES {
        let share = k as f64 / SHARES as f64;
        let (here, there) = (way_a.at(share), way_b.at(share));
        distances.push((here.east - there.east).hypot(here.north - there.north));
        if let Some((x, y)) = &heart_rates {
            beats.push((x.near(here.second), y.near(there.second)));
        }
    }
    distances.sort_unstable_by(f64::total_cmp);
    let (median, most) = (distances[SHARES / 2], distances[SHARES * 9 / 10]);
    // Two recorders count one way a little differently; the error grows to the end.
    let drift = 0.005 * way_a.length();
    if median > 25.0 + drift.min(50.0) || most > 100.0 + drift.min(100.0) || way_a.length() < 10.0 * median {
        return None;
    }
    let mut out = Evidence::new(told);
    out.track_median = median;
    let text = || format!("one course with pauses left out: {median:.0} m apart (median) at equal shares of the way");
    out.add("track", Grade::Strong, 3.0, text);
    if let Some(matched) = of_pairs(beats.into_iter()).filter(|m: &SeriesMatch| m.count >= SHARES / 2) {
        heart_rate(matched, "shares of the way", &mut out);
    }
    Some((out, share))
}

/// A position on the way and when it was.
#[derive(Clone, Copy)]
struct Mark {
    way: f64,
    east: f64,
    north: f64,
    second: f64,
}

/// A track by the way that was gone.
struct Way(Vec<Mark>);

impl Way {
    fn of((east, north): &(Series, Series)) -> Option<Way> {
        let mut marks: Vec<Mark> = Vec::with_capacity(east.values.len());
        for (i, (&east_m, &north_m)) in east.values.iter().zip(&north.values).enumerate() {
            if east_m.is_nan() || north_m.is_nan() {
                continue;
            }
            let second = ((east.first + i as i64) * east.step_s) as f64;
            let way = marks.last().map_or(0.0, |last| last.way + (east_m - last.east).hypot(north_m - last.north));
            marks.push(Mark { way, east: east_m, north: north_m, second });
        }
        (marks.len() > 1 && marks.last()?.way > 200.0).then_some(Way(marks))
    }

    fn length(&self) -> f64 {
        self.0.last().map_or(0.0, |last| last.way)
    }

    /// The mark at a share of the way, between two recorded ones.
    fn at(&self, share: f64) -> Mark {
        let way = share * self.length();
        let next = self.0.partition_point(|mark| mark.way < way).clamp(1, self.0.len() - 1);
        let (from, to) = (self.0[next - 1], self.0[next]);
        let part = if to.way > from.way { ((way - from.way) / (to.way - from.way)).clamp(0.0, 1.0) } else { 0.0 };
        let between = |from: f64, to: f64| from + (to - from) * part;
        Mark {
            way,
            east: between(from.east, to.east),
            north: between(from.north, to.north),
            second: between(from.second, to.second),
        }
    }
}
