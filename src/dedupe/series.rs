//! Coarse series: what a fingerprint keeps of the samples. All series of a fingerprint lie on one grid of absolute
//! instants, so that two recordings of one event are sampled at the same moments, and every step divides 15 minutes,
//! so that this stays true when one of them is shifted by a zone fault.

use serde::{Deserialize, Serialize};

use crate::model::{Channel, Track};

/// Steps of the grid, seconds. Each divides the next, so a finer series can be reduced to a coarser one.
const STEPS_S: [i64; 8] = [5, 15, 30, 60, 180, 900, 3600, 86_400];
/// A grid has at most this many instants (unless the recording is longer than months).
const MOST: i64 = 150;
/// Between samples farther apart nothing is known, ms; sparse recordings get three of their own steps.
const LONGEST_GAP_MS: i64 = 60_000;
/// Earth radius for planar distances, m.
const RADIUS: f64 = 6_371_008.8;

/// A quantity that a fingerprint keeps, and how many stored units make one unit of the quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    HeartRate,
    Power,
    Cadence,
    Speed,
    Altitude,
}

impl Quantity {
    pub(super) const ALL: [Quantity; 5] =
        [Quantity::HeartRate, Quantity::Power, Quantity::Cadence, Quantity::Speed, Quantity::Altitude];

    fn channel(self) -> Channel {
        match self {
            Quantity::HeartRate => Channel::HeartRate,
            Quantity::Power => Channel::Power,
            Quantity::Cadence => Channel::Cadence,
            Quantity::Speed => Channel::Speed,
            Quantity::Altitude => Channel::Altitude,
        }
    }

    fn scale(self) -> f64 {
        match self {
            Quantity::Power => 1.0,
            Quantity::Speed => 20.0,
            _ => 2.0,
        }
    }
}

/// Positions and sensor values at the instants of a grid, stored as text (base 64 variable-length differences, as in
/// source maps; `.` for an instant without a value): about a kilobyte, and cheap to keep in a journal line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coarse {
    /// Seconds between two instants; 0 when there is nothing.
    step_s: i64,
    /// Median seconds between two samples, 0 when less than a second.
    #[serde(skip_serializing_if = "is_zero")]
    every_s: i64,
    /// Number of the first instant: it lies at `first × step_s` seconds after the Unix epoch.
    first: i64,
    /// Latitude and longitude, 1e-5 degrees.
    #[serde(skip_serializing_if = "String::is_empty")]
    lat: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    lon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    heart_rate: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    power: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cadence: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    speed: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    altitude: String,
}

impl Coarse {
    /// Samples a settled track, of which this is the median step, over `[start, end]` (ms).
    pub(super) fn of(track: &Track, start: i64, end: i64, step: Option<i64>) -> Coarse {
        let Some(grid) = Grid::over(start, end) else { return Coarse::default() };
        let every_ms = step.unwrap_or(0);
        let gap = longest_gap(step);
        let (step_s, every_s) = (grid.step_ms / 1000, every_ms / 1000);
        let mut coarse = Coarse { step_s, every_s, first: grid.first, ..Coarse::default() };
        let (lat, lon) = grid.positions(track, gap);
        if lat.iter().any(|v| !v.is_nan()) {
            (coarse.lat, coarse.lon) = (encode(&lat, 1e5), encode(&lon, 1e5));
        }
        for quantity in Quantity::ALL {
            let values = grid.means(track, quantity, gap);
            if values.iter().any(|v| !v.is_nan()) {
                *coarse.text_mut(quantity) = encode(&values, quantity.scale());
            }
        }
        coarse
    }

    fn text_mut(&mut self, quantity: Quantity) -> &mut String {
        match quantity {
            Quantity::HeartRate => &mut self.heart_rate,
            Quantity::Power => &mut self.power,
            Quantity::Cadence => &mut self.cadence,
            Quantity::Speed => &mut self.speed,
            Quantity::Altitude => &mut self.altitude,
        }
    }

    fn text(&self, quantity: Quantity) -> &str {
        match quantity {
            Quantity::HeartRate => &self.heart_rate,
            Quantity::Power => &self.power,
            Quantity::Cadence => &self.cadence,
            Quantity::Speed => &self.speed,
            Quantity::Altitude => &self.altitude,
        }
    }

    /// True when positions are kept.
    pub(super) fn has_positions(&self) -> bool {
        !self.lat.is_empty()
    }

    /// True when this quantity is kept.
    pub(super) fn has(&self, quantity: Quantity) -> bool {
        !self.text(quantity).is_empty()
    }

    /// Seconds between two samples, about.
    pub(super) fn every_s(&self) -> f64 {
        self.every_s as f64
    }

    /// Seconds between two instants; 0 when there is nothing.
    pub(super) fn step_s(&self) -> i64 {
        self.step_s
    }

    /// The values of a quantity on a grid of `step_s`, which must be a multiple of the own step.
    pub(super) fn series(&self, quantity: Quantity, step_s: i64) -> Series {
        let values = decode(self.text(quantity), quantity.scale());
        let fine = Series { step_s: self.step_s, first: self.first, values };
        if step_s == self.step_s { fine } else { fine.reduced(step_s) }
    }

    /// The positions on a grid of `step_s`, metres east and north of `origin` (latitude, longitude in degrees).
    pub(super) fn positions(&self, step_s: i64, origin: (f64, f64)) -> (Series, Series) {
        let (lat, lon) = (decode(&self.lat, 1e5), decode(&self.lon, 1e5));
        let (scale, stretch) = (RADIUS.to_radians(), origin.0.to_radians().cos());
        let north = lat.iter().map(|lat| (lat - origin.0) * scale).collect();
        let east = lon.iter().map(|lon| wrap(lon - origin.1) * scale * stretch).collect();
        let series = |values| Series { step_s: self.step_s, first: self.first, values };
        let (east, north) = (series(east), series(north));
        if step_s == self.step_s { (east, north) } else { (east.reduced(step_s), north.reduced(step_s)) }
    }
}

/// Difference of two longitudes, -180 to 180 degrees.
pub(super) fn wrap(degrees: f64) -> f64 {
    if (-180.0..=180.0).contains(&degrees) { degrees } else { (degrees + 540.0).rem_euclid(360.0) - 180.0 }
}

/// Distance of two near places, m, on the plane that touches the first.
pub(super) fn planar(a: (f64, f64), b: (f64, f64)) -> f64 {
    let north = b.0 - a.0;
    let east = wrap(b.1 - a.1) * a.0.to_radians().cos();
    north.hypot(east) * RADIUS.to_radians()
}

/// Where instant 0 of one series lies in another: between two of its instants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    below: i64,
    share: f64,
}

impl Place {
    /// The other's value at the own instant `index`, linear between two neighbours that both exist.
    #[inline]
    pub(super) fn value(self, values: &[f64], index: usize) -> f64 {
        let at = self.below + index as i64;
        let get = |at: i64| usize::try_from(at).ok().and_then(|at| values.get(at)).copied().unwrap_or(f64::NAN);
        let left = get(at);
        if self.share == 0.0 { left } else { left + (get(at + 1) - left) * self.share }
    }
}

/// Values at `(first + i) × step_s` seconds; NaN is absent.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) step_s: i64,
    pub(super) first: i64,
    pub(super) values: Vec<f64>,
}

impl Series {
    /// The value at a grid number, NaN where there is none.
    pub(super) fn at(&self, number: i64) -> f64 {
        let index = number - self.first;
        if index < 0 { f64::NAN } else { self.values.get(index as usize).copied().unwrap_or(f64::NAN) }
    }

    /// The value at the instant nearest to a second.
    pub(super) fn near(&self, second: f64) -> f64 {
        self.at((second / self.step_s as f64).round() as i64)
    }

    /// Where the own instants lie in another series of the same step when `shift_s` is added to the other's times.
    pub(super) fn place_in(&self, other: &Series, shift_s: f64) -> Place {
        let place = (self.first - other.first) as f64 - shift_s / self.step_s as f64;
        Place { below: place.floor() as i64, share: place - place.floor() }
    }

    /// Means over the wider cells of a coarser grid; a cell needs values over half of its width.
    fn reduced(&self, step_s: i64) -> Series {
        let ratio = (step_s / self.step_s.max(1)).max(1);
        let last = self.first + self.values.len() as i64 - 1;
        let (from, to) = (self.first.div_euclid(ratio), last.div_euclid(ratio) + 1);
        let values = (from..=to)
            .map(|number| {
                // Fine cells that overlap [number - 1/2, number + 1/2) of the coarse grid, in half fine cells.
                let (low, high) = (2 * number * ratio - ratio, 2 * number * ratio + ratio);
                let (mut sum, mut weight) = (0.0, 0.0);
                for fine in (low + 1).div_euclid(2)..=(high + 1).div_euclid(2) {
                    let width = ((2 * fine + 1).min(high) - (2 * fine - 1).max(low)) as f64;
                    let value = self.at(fine);
                    if width > 0.0 && !value.is_nan() {
                        sum += value * width;
                        weight += width;
                    }
                }
                if weight >= ratio as f64 { sum / weight } else { f64::NAN }
            })
            .collect();
        Series { step_s, first: from, values }
    }
}

/// The longest gap over which values may be carried, where this is the median step, ms.
pub(super) fn longest_gap(step: Option<i64>) -> i64 {
    LONGEST_GAP_MS.max(step.unwrap_or(0).saturating_mul(3))
}

/// Median of the steps between samples of different times, ms; of an even choice of them when they are many.
pub(super) fn median_step(times: &[i64]) -> Option<i64> {
    let stride = (times.len() / 1024).max(1);
    let step = |at: usize| Some(times.get(at + 1)? - times.get(at)?);
    let mut steps: Vec<i64> = (0..times.len()).step_by(stride).filter_map(step).filter(|&step| step > 0).collect();
    if steps.is_empty() {
        return None;
    }
    let middle = steps.len() / 2;
    Some(*steps.select_nth_unstable(middle).1)
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// The grid of one recording.
struct Grid {
    step_ms: i64,
    first: i64,
    len: usize,
}

impl Grid {
    fn over(start: i64, end: i64) -> Option<Grid> {
        let span = end.checked_sub(start).filter(|&span| span > 0)?;
        let step_ms =
            STEPS_S.iter().map(|s| s * 1000).find(|step| span / step < MOST).or(STEPS_S.last().map(|s| s * 1000))?;
        let first = start.div_euclid(step_ms);
        let len = (end.div_euclid(step_ms) + 1 - first + 1).min(100 * MOST) as usize;
        Some(Grid { step_ms, first, len })
    }

    /// Mean positions over the cells around the instants, by time: the noise of a receiver averages out, and a bend is
    /// cut by all recorders alike.
    fn positions(&self, track: &Track, gap: i64) -> (Vec<f64>, Vec<f64>) {
        let (mut lat, mut lon) = (Cells::new(self), Cells::new(self));
        let (mut of_lat, mut of_lon) = (Sum::default(), Sum::default());
        let times = track.times();
        let mut before: Option<(i64, f64, f64)> = None;
        for (row, here) in track.positions().filter(|&(row, _)| track.is_timed(row)) {
            let now = times[row];
            // Longitudes go on past the date line.
            let east = before.map_or(here.1, |(_, _, there)| there + wrap(here.1 - there));
            if let Some((since, from_lat, from_lon)) = before.filter(|(since, ..)| now - since <= gap) {
                lat.add(&mut of_lat, since, from_lat, now, here.0);
                lon.add(&mut of_lon, since, from_lon, now, east);
            }
            before = Some((now, here.0, east));
        }
        (lat.finish(of_lat), lon.finish(of_lon))
    }

    /// Means over the cells around the instants, by time. Speed is taken from the distance or the positions when it
    /// was not recorded.
    fn means(&self, track: &Track, quantity: Quantity, gap: i64) -> Vec<f64> {
        let (mut cells, mut last) = (Cells::new(self), Sum::default());
        let times = track.times();
        let mut before: Option<(i64, f64)> = None;
        if let Some(column) = track.column(quantity.channel()) {
            for (row, value) in column.present() {
                if !track.is_timed(row) {
                    continue;
                }
                let (now, value) = (times[row], f64::from(value));
                if let Some((since, there)) = before.filter(|(since, _)| now - since <= gap) {
                    cells.add(&mut last, since, there, now, value);
                }
                before = Some((now, value));
            }
        } else if quantity == Quantity::Speed && track.has_distance() {
            for (row, &now) in times.iter().enumerate() {
                let Some(metres) = track.distance(row).filter(|_| track.is_timed(row)) else { continue };
                if let Some((since, there)) = before.filter(|(since, _)| now > *since && now - since <= gap) {
                    let speed = (metres - there) * 1000.0 / (now - since) as f64;
                    cells.add(&mut last, since, speed, now, speed);
                }
                before = Some((now, metres));
            }
        } else if quantity == Quantity::Speed {
            let mut before: Option<(i64, (f64, f64))> = None;
            for (row, here) in track.positions().filter(|&(row, _)| track.is_timed(row)) {
                let now = times[row];
                if let Some((since, there)) = before.filter(|(since, _)| now > *since && now - since <= gap) {
                    let speed = planar(there, here) * 1000.0 / (now - since) as f64;
                    cells.add(&mut last, since, speed, now, speed);
                }
                before = Some((now, here));
            }
        }
        cells.finish(last)
    }
}

/// Time-weighted sums per cell; cell `i` is the time within half a step of instant `i`.
struct Cells {
    step_ms: i64,
    origin: i64,
    sums: Vec<Sum>,
    /// The cell that was added to last, and its time: the next stretch mostly lies in it, which saves a division.
    cell: i64,
    from: i64,
    until: i64,
}

/// What was added to a cell so far. That of the last cell is passed along by value, so that a loop keeps it in registers.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    of_values: f64,
    of_ms: f64,
}

impl Sum {
    /// Adds a mean value over `width` ms.
    #[inline]
    fn add(&mut self, mean: f64, width: i64) {
        self.of_values += mean * width as f64;
        self.of_ms += width as f64;
    }
}

impl Cells {
    fn new(grid: &Grid) -> Cells {
        let origin = grid.first * grid.step_ms - grid.step_ms / 2;
        let sums = vec![Sum::default(); grid.len];
        Cells { step_ms: grid.step_ms, origin, sums, cell: 0, from: origin, until: origin + grid.step_ms }
    }

    /// Adds a value that goes from `v0` at `t0` to `v1` at `t1` in a straight line. `last` is the sum of the cell that was
    /// added to last.
    #[inline]
    fn add(&mut self, last: &mut Sum, t0: i64, v0: f64, t1: i64, v1: f64) {
        if t1 <= t0 {
            return;
        }
        if t0 >= self.from && t1 <= self.until {
            last.add(v0 + (v1 - v0) / 2.0, t1 - t0);
        } else {
            *last = self.add_far(*last, t0, v0, t1, v1);
        }
    }

    /// As [`Cells::add`], over any number of cells.
    fn add_far(&mut self, mut last: Sum, t0: i64, v0: f64, t1: i64, v1: f64) -> Sum {
        let slope = (v1 - v0) / (t1 - t0) as f64;
        let mut from = t0;
        while from < t1 {
            self.put(last);
            self.cell = (from - self.origin).div_euclid(self.step_ms);
            self.from = self.origin + self.cell * self.step_ms;
            self.until = self.from + self.step_ms;
            last = self.place().and_then(|at| self.sums.get(at)).copied().unwrap_or_default();
            let width = self.until.min(t1) - from;
            last.add(v0 + slope * ((from - t0) as f64 + width as f64 / 2.0), width);
            from += width;
        }
        last
    }

    fn place(&self) -> Option<usize> {
        usize::try_from(self.cell).ok()
    }

    /// Takes the sum of the cell at hand over.
    fn put(&mut self, last: Sum) {
        if let Some(sum) = self.place().and_then(|at| self.sums.get_mut(at)) {
            *sum = last;
        }
    }

    /// Means of the cells that are covered for half of their width.
    fn finish(mut self, last: Sum) -> Vec<f64> {
        self.put(last);
        let enough = self.step_ms as f64 / 2.0;
        let mean = |sum: Sum| if sum.of_ms >= enough { sum.of_values / sum.of_ms } else { f64::NAN };
        self.sums.into_iter().map(mean).collect()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Numbers times `scale`, as text.
pub(super) fn encode(values: &[f64], scale: f64) -> String {
    let len = values.iter().rposition(|v| !v.is_nan()).map_or(0, |last| last + 1);
    let mut out = String::with_capacity(len * 2);
    let mut last = 0i64;
    for value in &values[..len] {
        if value.is_nan() {
            out.push('.');
            continue;
        }
        let stored = (value * scale).round() as i64;
        let difference = stored - last;
        last = stored;
        let mut bits = ((difference << 1) ^ (difference >> 63)) as u64;
        loop {
            let more = if bits >= 32 { 32 } else { 0 };
            out.push(ALPHABET[(bits & 31 | more) as usize] as char);
            bits >>= 5;
            if more == 0 {
                break;
            }
        }
    }
    out
}

/// What a byte of the text means: a digit, `GAP`, or `OTHER`.
static DIGITS: [u8; 256] = {
    let mut digits = [OTHER; 256];
    let mut digit = 0;
    while digit < 64 {
        digits[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits[b'.' as usize] = GAP;
    digits
};
const GAP: u8 = 64;
const OTHER: u8 = 65;

/// Bytes that are no digits are passed over: a damaged journal gives a wrong series, never a failure.
pub(super) fn decode(text: &str, scale: f64) -> Vec<f64> {
    let mut values = Vec::with_capacity(text.len());
    let (mut last, mut bits, mut shift) = (0i64, 0u64, 0u32);
    for byte in text.bytes() {
        match DIGITS[usize::from(byte)] {
            digit @ 0..32 => {
                bits |= u64::from(digit) << shift.min(63);
                last = last.wrapping_add((bits >> 1) as i64 ^ -((bits & 1) as i64));
                values.push(last as f64 / scale);
                (bits, shift) = (0, 0);
            }
            digit @ 32..64 => {
                bits |= u64::from(digit - 32) << shift.min(63);
                shift += 5;
            }
            GAP => values.push(f64::NAN),
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_values_and_gaps() {
        let values = [47.12345, f64::NAN, -0.5, 8.0, f64::NAN, f64::NAN, 1234.0];
        let back = decode(&encode(&values, 1e5), 1e5);
        assert_eq!(back.len(), values.len());
        for (a, b) in values.iter().zip(&back) {
            assert!(a.is_nan() == b.is_nan() && (a.is_nan() || (a - b).abs() < 1e-9), "{a} {b}");
        }
        assert_eq!(encode(&[f64::NAN, 1.0, f64::NAN], 1.0), ".C");
        decode("AB\"§.___________________________z", 1.0);
    }

    #[test]
    fn a_straight_line_is_sampled_at_its_true_values() {
        // 20 minutes, samples at uneven instants, heart rate rising by 3 bpm a minute: at an instant the mean of the
        // cell around it is the value at the instant.
        let mut track = Track::new();
        let start = 1_714_547_523_000;
        let mut at = start;
        for i in 0..400 {
            track.push(at);
            let minutes = (at - start) as f64 / 60_000.0;
            track.set(Channel::HeartRate, (100.0 + 3.0 * minutes) as f32);
            track.set_position(47.0 + minutes * 0.002, 8.0);
            at += 1000 + (i % 5) * 1000;
        }
        let coarse = Coarse::of(&track, start, at, median_step(track.times()));
        assert_eq!(coarse.step_s(), 15);
        let series = coarse.series(Quantity::HeartRate, 15);
        let wide = coarse.series(Quantity::HeartRate, 60);
        let (_, north) = coarse.positions(60, (47.0, 8.0));
        for minute in 2..18 {
            let instant = (start / 60_000 + minute) * 60;
            let since = (instant * 1000 - start) as f64 / 60_000.0;
            let expected = 100.0 + 3.0 * since;
            assert!((series.at(instant / 15) - expected).abs() < 0.5);
            assert!((wide.at(instant / 60) - expected).abs() < 0.5);
            assert!((north.at(instant / 60) - since * 0.002 * 111_195.0).abs() < 2.0);
        }
    }

    #[test]
    fn nothing_is_carried_over_a_long_gap() {
        let mut track = Track::new();
        for at in (0..120).chain(600..720) {
            track.push(at * 1000);
            track.set(Channel::Power, 200.0);
        }
        let series = Coarse::of(&track, 0, 720_000, median_step(track.times())).series(Quantity::Power, 5);
        assert_eq!(series.at(10), 200.0);
        assert!(series.at(60).is_nan());
        assert_eq!(series.at(130), 200.0);
    }
}
