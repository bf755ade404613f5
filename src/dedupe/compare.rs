//! Measures of likeness of two fingerprints at a given shift: distance between tracks, correlation of sensors, lag.

use super::fingerprint::Fingerprint;
use super::series::{Quantity, Series};

/// The farthest lag that is searched, s.
const MOST_LAG_S: f64 = 150.0;
/// Beyond this distance a position no longer steers the search for the lag, m.
const FAR_M: f64 = 400.0;
/// A comparison needs this many common instants.
pub(super) const LEAST_COMMON: usize = 6;

/// How two tracks lie at shared instants.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrackMatch {
    /// Shared instants.
    pub(super) count: usize,
    /// Median distance, m.
    pub(super) median: f64,
    /// Nine tenths are nearer than this, m.
    pub(super) most: f64,
    /// How far the shared part reaches, m.
    pub(super) extent: f64,
    /// Mean way between two instants, m: a chord leaves a bend by a share of it.
    pub(super) stride: f64,
}

/// How two series of one quantity go together.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesMatch {
    /// Shared instants.
    pub(super) count: usize,
    /// Correlation, 0 when one of them is constant.
    pub(super) correlation: f64,
    /// Mean absolute difference.
    pub(super) difference: f64,
    /// The smaller standard deviation of the two.
    pub(super) spread: f64,
    /// Means of both over the shared instants.
    pub(super) means: (f64, f64),
}

/// Two fingerprints decoded to one grid, as far as they were asked for.
pub(super) struct Comparison<'a> {
    a: &'a Fingerprint,
    b: &'a Fingerprint,
    /// Seconds between two instants.
    pub(super) step_s: i64,
    /// Seconds between two samples of the sparser one.
    pub(super) every_s: f64,
    tracks: Option<[(Series, Series); 2]>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(a: &'a Fingerprint, b: &'a Fingerprint) -> Comparison<'a> {
        let step_s = a.coarse.step_s().max(b.coarse.step_s());
        let comparable = a.coarse.step_s() > 0 && b.coarse.step_s() > 0;
        let tracks =
            a.bbox.filter(|_| comparable && a.coarse.has_positions() && b.coarse.has_positions()).map(|bbox| {
                let origin = (bbox[0], bbox[1]);
                [a.coarse.positions(step_s, origin), b.coarse.positions(step_s, origin)]
            });
        let every_s = a.coarse.every_s().max(b.coarse.every_s());
        Comparison { a, b, step_s: if comparable { step_s } else { 0 }, every_s, tracks }
    }

    /// Both series of a quantity, when both have it.
    pub(super) fn series(&self, quantity: Quantity) -> Option<(Series, Series)> {
        let both = self.step_s > 0 && self.a.coarse.has(quantity) && self.b.coarse.has(quantity);
        both.then(|| (self.a.coarse.series(quantity, self.step_s), self.b.coarse.series(quantity, self.step_s)))
    }

    /// Both tracks, when both have positions.
    pub(super) fn both_tracks(&self) -> Option<&[(Series, Series); 2]> {
        self.tracks.as_ref()
    }

    /// True when both have positions.
    pub(super) fn has_tracks(&self) -> bool {
        self.tracks.is_some()
    }

    /// Compares the tracks when `shift_s` is added to the times of the second.
    pub(super) fn tracks(&self, shift_s: f64) -> Option<TrackMatch> {
        let [a, b] = self.tracks.as_ref()?;
        let mut distances = Vec::with_capacity(a.0.values.len());
        let (mut low, mut high) = ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN));
        let (mut way, mut last) = (0.0, None::<(f64, f64)>);
        let place = a.0.place_in(&b.0, shift_s);
        for (index, east, north) in walk(a) {
            let (theirs_east, theirs_north) = (place.value(&b.0.values, index), place.value(&b.1.values, index));
            let distance = length(theirs_east - east, theirs_north - north);
            if distance.is_nan() {
                continue;
            }
            distances.push(distance);
            low = (low.0.min(east), low.1.min(north));
            high = (high.0.max(east), high.1.max(north));
            way += last.map_or(0.0, |(e, n)| length(east - e, north - n));
            last = Some((east, north));
        }
        if distances.is_empty() {
            return None;
        }
        let count = distances.len();
        let at = |share: usize, distances: &mut Vec<f64>| {
            let index = (count * share / 100).min(count - 1);
            *distances.select_nth_unstable_by(index, f64::total_cmp).1
        };
        Some(TrackMatch {
            count,
            median: at(50, &mut distances),
            most: at(90, &mut distances),
            extent: length(high.0 - low.0, high.1 - low.1),
            stride: way / count as f64,
        })
    }

    /// The lag (s, to be added to `shift_s`) that brings the tracks together best: a few steps of least squares
    /// along the way, far positions left out.
    pub(super) fn track_lag(&self, shift_s: f64) -> f64 {
        let Some([a, b]) = self.tracks.as_ref() else { return 0.0 };
        let step = self.step_s as f64;
        let mut lag = 0.0;
        for _ in 0..6 {
            let (mut along, mut square) = (0.0, 0.0);
            let [place, earlier, later] =
                [0.0, step / 2.0, -step / 2.0].map(|half| a.0.place_in(&b.0, shift_s + lag + half));
            for (index, east, north) in walk(a) {
                let (e, n) = (place.value(&b.0.values, index), place.value(&b.1.values, index));
                let (de, dn) = (east - e, north - n);
                let apart = length(de, dn);
                if e.is_nan() || apart > FAR_M {
                    continue;
                }
                let speed = |values: &[f64]| (later.value(values, index) - earlier.value(values, index)) / step;
                let (ve, vn) = (speed(&b.0.values), speed(&b.1.values));
                if !ve.is_nan() {
                    // Near positions count more, so that a few wrong ones do not steer.
                    let weight = 1.0 / (20.0 + apart);
                    along += weight * (de * ve + dn * vn);
                    square += weight * (ve * ve + vn * vn);
                }
            }
            if square < 1e-9 {
                break;
            }
            // Where the second is behind, an earlier reading of it is wrong by a negative lag.
            let change = -along / square;
            lag = (lag + change).clamp(-MOST_LAG_S, MOST_LAG_S);
            if change.abs() < 0.25 {
                break;
            }
        }
        lag
    }
}

/// Length of a short way; metres need no care for overflow.
fn length(east: f64, north: f64) -> f64 {
    (east * east + north * north).sqrt()
}

/// Index, east and north of the instants that have a position.
fn walk(track: &(Series, Series)) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
    track
        .0
        .values
        .iter()
        .zip(&track.1.values)
        .enumerate()
        .filter(|(_, (east, _))| !east.is_nan())
        .map(|(index, (&east, &north))| (index, east, north))
}

/// Compares two series of one quantity when `shift_s` is added to the times of the second.
pub(super) fn series(a: &Series, b: &Series, shift_s: f64) -> Option<SeriesMatch> {
    let place = a.place_in(b, shift_s);
    of_pairs(a.values.iter().enumerate().map(|(index, &x)| (x, place.value(&b.values, index))))
}

/// Compares pairs of values; those with an absent one do not count.
pub(super) fn of_pairs(pairs: impl Iterator<Item = (f64, f64)>) -> Option<SeriesMatch> {
    let (mut count, mut difference) = (0usize, 0.0);
    let (mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in pairs {
        if x.is_nan() || y.is_nan() {
            continue;
        }
        count += 1;
        difference += (x - y).abs();
        (sx, sy, sxx, syy, sxy) = (sx + x, sy + y, sxx + x * x, syy + y * y, sxy + x * y);
    }
    if count == 0 {
        return None;
    }
    let n = count as f64;
    let (vx, vy) = ((sxx / n - (sx / n).powi(2)).max(0.0), (syy / n - (sy / n).powi(2)).max(0.0));
    let correlation = if vx * vy > 1e-12 { (sxy / n - sx / n * sy / n) / (vx * vy).sqrt() } else { 0.0 };
    Some(SeriesMatch {
        count,
        correlation,
        difference: difference / n,
        spread: vx.min(vy).sqrt(),
        means: (sx / n, sy / n),
    })
}

/// The lag (s, to be added to `shift_s`) with the best correlation; 0 when none is clearly better.
pub(super) fn series_lag(a: &Series, b: &Series, shift_s: f64) -> f64 {
    let value =
        |lag: f64| series(a, b, shift_s + lag).filter(|m| m.count >= LEAST_COMMON).map_or(-1.0, |m| m.correlation);
    let coarse = (a.step_s as f64 / 2.0).clamp(5.0, 15.0);
    let still = value(0.0);
    let (mut best, mut at) = (still, 0.0);
    let mut try_lag = |lag: f64, margin: f64| {
        let r = value(lag);
        if r > best + margin {
            (best, at) = (r, lag);
        }
    };
    let steps = (MOST_LAG_S / 2.0 / coarse) as i32;
    (1..=steps).flat_map(|i| [f64::from(i) * coarse, f64::from(-i) * coarse]).for_each(|lag| try_lag(lag, 0.0));
    let center = at;
    for i in -4..=4 {
        let lag = center + f64::from(i) * coarse / 5.0;
        let r = value(lag);
        if r > best {
            (best, at) = (r, lag);
        }
    }
    if best > still + 0.01 { at } else { 0.0 }
}
