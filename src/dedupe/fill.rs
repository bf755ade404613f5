//! Filling: whole columns of one recording put onto the samples of another, each value at most once, none invented.

use super::series::median_step;
use crate::model::{Column, Track};

/// A nearest sample is taken within half of the wider step of the two, but never farther than this, ms.
const FARTHEST_MS: i64 = 15_000;

/// Which of the own rows each sample of another track belongs to.
pub(super) struct Rows<'a> {
    times: &'a [i64],
    tolerance_ms: i64,
}

impl<'a> Rows<'a> {
    /// The rows of `base`, to be filled from `other`. Both must be ordered.
    pub(super) fn new(base: &'a Track, other: &Track) -> Rows<'a> {
        let step = [base, other].map(|track| median_step(track.times()).unwrap_or(1000)).into_iter().fold(0, i64::max);
        Rows { times: base.times(), tolerance_ms: (step / 2).min(FARTHEST_MS) }
    }

    /// For values at instants (ordered): the row nearest to each, and for a row that several are nearest to, the
    /// nearest of them. Calls `put(row, value)` once for each row that gets one; returns how many values found none.
    pub(super) fn place<T: Copy>(&self, values: impl Iterator<Item = (i64, T)>, mut put: impl FnMut(usize, T)) -> u64 {
        let mut left_out = 0;
        let mut row = 0;
        // The best value so far for a row, until a later row is reached.
        let mut held: Option<(usize, i64, T)> = None;
        for (instant, value) in values {
            while row + 1 < self.times.len()
                && (self.times[row + 1] - instant).abs() < (self.times[row] - instant).abs()
            {
                row += 1;
            }
            // Equal times: the first row of them stands for all.
            let Some(apart) = self.times.get(row).map(|time| (time - instant).abs()) else { return left_out + 1 };
            if apart > self.tolerance_ms {
                left_out += 1;
                continue;
            }
            match held {
                Some((at, best, _)) if at == row => {
                    left_out += 1;
                    if apart < best {
                        held = Some((row, apart, value));
                    }
                }
                _ => {
                    if let Some((at, _, value)) = held {
                        put(at, value);
                    }
                    held = Some((row, apart, value));
                }
            }
        }
        if let Some((at, _, value)) = held {
            put(at, value);
        }
        left_out
    }

    /// A column for these rows.
    pub(super) fn column(&self, values: impl Iterator<Item = (i64, f32)>) -> (Column, u64) {
        let mut raw = vec![f32::NAN; self.times.len()];
        let left_out = self.place(values, |row, value| raw[row] = value);
        (Column::from_raw(raw), left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(times: &[i64]) -> Track {
        let mut track = Track::new();
        times.iter().for_each(|&t| {
            track.push(t);
        });
        track
    }

    fn filled(base: &[i64], values: &[(i64, f32)]) -> (Vec<(usize, f32)>, u64) {
        let (base, other) = (track(base), track(&values.iter().map(|v| v.0).collect::<Vec<_>>()));
        let (column, left_out) = Rows::new(&base, &other).column(values.iter().copied());
        (column.present().collect(), left_out)
    }

    #[test]
    fn each_value_goes_to_its_nearest_row_once() {
        // A value every 5 s onto a sample every second: no value is repeated.
        let base: Vec<i64> = (0..11).map(|s| s * 1000).collect();
        assert_eq!(filled(&base, &[(200, 90.0), (5200, 95.0), (10_200, 99.0)]).0, [(0, 90.0), (5, 95.0), (10, 99.0)]);
        // A value every second onto a sample every 4 s: the nearest counts, the others find no row.
        let values: Vec<(i64, f32)> = (0..9).map(|s| (s * 1000 + 300, s as f32)).collect();
        assert_eq!(filled(&[0, 4000, 8000], &values), (vec![(0, 0.0), (1, 4.0), (2, 8.0)], 6));
    }

    #[test]
    fn nothing_is_carried_into_a_gap() {
        let base = [0, 1000, 2000, 60_000, 61_000];
        let values: Vec<(i64, f32)> = (0..62).map(|s| (s * 1000 + 400, s as f32)).collect();
        let (got, left_out) = filled(&base, &values);
        assert_eq!(got, [(0, 0.0), (1, 1.0), (2, 2.0), (3, 60.0), (4, 61.0)]);
        assert_eq!(left_out, 57);
        assert_eq!(filled(&[], &[(0, 1.0)]), (vec![], 1));
    }
}
