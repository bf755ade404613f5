//! `Track`: the samples of a recording as columns.

use super::Channel;
use super::column::{Column, ExtraColumn, ExtraKey, set_f64};

/// The samples of a recording, as columns of equal meaning per row.
///
/// In an [`Activity`](super::Activity) `time` is milliseconds since the Unix epoch, UTC, non-decreasing. In a
/// [`Draft`](super::Draft) it is what the file claims, in file order. A row is built with [`Track::push`] and then the
/// setters, which all write to the last row.
#[derive(Debug, Clone, Default)]
pub struct Track {
    time: Vec<i64>,
    lat: Vec<f64>,
    lon: Vec<f64>,
    distance: Vec<f64>,
    columns: Vec<Column>,
    extra: Vec<ExtraColumn>,
    untimed: Vec<u32>,
}

impl Track {
    /// A track without samples.
    pub fn new() -> Track {
        Track::default()
    }

    /// Takes over whole columns that a reader filled (`NaN` is absent, a column may be shorter than `time`, none longer):
    /// times, rows without a time in order, latitudes, longitudes and distances. Channels and extra columns follow with
    /// [`Track::put_column`] and [`Track::extra_mut`].
    pub fn from_raw(time: Vec<i64>, untimed: Vec<u32>, [lat, lon, distance]: [Vec<f64>; 3]) -> Track {
        debug_assert!([&lat, &lon, &distance].iter().all(|column| column.len() <= time.len()));
        Track { time, lat, lon, distance, columns: Vec::new(), extra: Vec::new(), untimed }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Starts a new sample at `time` (ms); the setters fill it. Returns its row.
    #[inline]
    pub fn push(&mut self, time: i64) -> usize {
        self.time.push(time);
        self.time.len() - 1
    }

    /// Starts a new sample whose time is not recorded. It sorts with its predecessor, whose time it carries
    /// (`fallback` when it is the first), and [`Track::is_timed`] is false for it.
    pub fn push_untimed(&mut self, fallback: i64) -> usize {
        let row = self.push(self.time.last().copied().unwrap_or(fallback));
        self.untimed.push(row as u32);
        row
    }

    /// Marks the last sample as one whose time is not recorded; the time it was pushed with is only its place in order.
    pub fn mark_untimed(&mut self) {
        if let Some(row) = self.time.len().checked_sub(1).map(|row| row as u32)
            && self.untimed.last() != Some(&row)
        {
            self.untimed.push(row);
        }
    }

    /// Makes untimed what is outside of `believed`: such a sample carries the time of its neighbour. Returns how many.
    pub fn untime(&mut self, believed: &std::ops::Range<i64>) -> usize {
        let outside: Vec<u32> =
            (0..self.time.len() as u32).filter(|&row| !believed.contains(&self.time[row as usize])).collect();
        if outside.is_empty() {
            return 0;
        }
        let mut last = self.time.iter().copied().find(|time| believed.contains(time)).unwrap_or(0);
        for time in &mut self.time {
            if believed.contains(time) {
                last = *time;
            } else {
                *time = last;
            }
        }
        self.untimed.extend(&outside);
        self.untimed.sort_unstable();
        self.untimed.dedup();
        outside.len()
    }

    /// Sets a channel of the last sample.
    #[inline]
    pub fn set(&mut self, channel: Channel, value: f32) {
        if let Some(row) = self.time.len().checked_sub(1) {
            self.set_at(row, channel, value);
        }
    }

    /// Sets a channel of any sample.
    #[inline]
    pub fn set_at(&mut self, row: usize, channel: Channel, value: f32) {
        debug_assert!(row < self.time.len());
        if value.is_nan() {
            return;
        }
        if self.columns.is_empty() {
            self.columns.resize_with(Channel::COUNT, Column::default);
        }
        self.columns[channel as usize].set(row, value);
    }

    /// Sets the position of the last sample, degrees WGS-84.
    #[inline]
    pub fn set_position(&mut self, lat: f64, lon: f64) {
        if let Some(row) = self.time.len().checked_sub(1) {
            self.set_position_at(row, lat, lon);
        }
    }

    /// Sets the position of any sample, degrees WGS-84.
    #[inline]
    pub fn set_position_at(&mut self, row: usize, lat: f64, lon: f64) {
        set_f64(&mut self.lat, row, lat);
        set_f64(&mut self.lon, row, lon);
    }

    /// Makes the position of a row absent.
    pub fn clear_position(&mut self, row: usize) {
        for column in [&mut self.lat, &mut self.lon] {
            if let Some(value) = column.get_mut(row) {
                *value = f64::NAN;
            }
        }
    }

    /// Sets the cumulative distance of the last sample, metres.
    #[inline]
    pub fn set_distance(&mut self, metres: f64) {
        if let Some(row) = self.time.len().checked_sub(1) {
            self.set_distance_at(row, metres);
        }
    }

    /// Sets the cumulative distance of any sample, metres.
    #[inline]
    pub fn set_distance_at(&mut self, row: usize, metres: f64) {
        set_f64(&mut self.distance, row, metres);
    }

    /// Makes the distance of a row absent.
    pub fn clear_distance(&mut self, row: usize) {
        if let Some(value) = self.distance.get_mut(row) {
            *value = f64::NAN;
        }
    }

    /// The slot of the extra column with this key, made when it is new.
    pub fn extra_slot(&mut self, key: ExtraKey) -> usize {
        if let Some(slot) = self.extra.iter().position(|column| column.key == key) {
            return slot;
        }
        self.extra.push(ExtraColumn::new(key));
        self.extra.len() - 1
    }

    /// Sets an extra channel of the last sample; `slot` comes from [`Track::extra_slot`].
    pub fn set_extra(&mut self, slot: usize, value: f64) {
        if let (Some(row), Some(column)) = (self.time.len().checked_sub(1), self.extra.get_mut(slot))
            && !value.is_nan()
        {
            column.set(row, value);
        }
    }

    /// Times of all samples, ms.
    pub fn times(&self) -> &[i64] {
        &self.time
    }

    /// Mutable times, for repairs; order is the repairer's duty.
    pub fn times_mut(&mut self) -> &mut [i64] {
        &mut self.time
    }

    /// False for a sample whose time is not recorded but carried over from its neighbour.
    pub fn is_timed(&self, row: usize) -> bool {
        self.untimed.is_empty() || self.untimed.binary_search(&(row as u32)).is_err()
    }

    /// How many samples have no recorded time.
    pub fn untimed_count(&self) -> usize {
        self.untimed.len()
    }

    /// Position of a sample, degrees.
    #[inline]
    pub fn position(&self, row: usize) -> Option<(f64, f64)> {
        match (self.lat.get(row), self.lon.get(row)) {
            (Some(&lat), Some(&lon)) if !lat.is_nan() && !lon.is_nan() => Some((lat, lon)),
            _ => None,
        }
    }

    /// Rows that have a position, with it.
    pub fn positions(&self) -> impl Iterator<Item = (usize, (f64, f64))> + '_ {
        (0..self.lat.len()).filter_map(|row| self.position(row).map(|p| (row, p)))
    }

    /// Cumulative distance of a sample, metres.
    #[inline]
    pub fn distance(&self, row: usize) -> Option<f64> {
        self.distance.get(row).copied().filter(|v| !v.is_nan())
    }

    /// Raw latitudes, longitudes and distances for fast loops; `NaN` is absent, and a slice may be shorter than the track.
    pub fn raw_geometry(&self) -> [&[f64]; 3] {
        [&self.lat, &self.lon, &self.distance]
    }

    /// True when some row ever had a distance.
    pub fn has_distance(&self) -> bool {
        self.distance.iter().any(|v| !v.is_nan())
    }

    /// A channel's value at a row.
    #[inline]
    pub fn get(&self, row: usize, channel: Channel) -> Option<f32> {
        self.columns.get(channel as usize)?.get(row)
    }

    /// A channel's column, when any row ever had it.
    pub fn column(&self, channel: Channel) -> Option<&Column> {
        self.columns.get(channel as usize).filter(|column| !column.is_empty())
    }

    /// A channel's column for repairs, when any row ever had it.
    pub fn column_mut(&mut self, channel: Channel) -> Option<&mut Column> {
        self.columns.get_mut(channel as usize).filter(|column| !column.is_empty())
    }

    /// Replaces a whole column.
    pub fn put_column(&mut self, channel: Channel, column: Column) {
        if self.columns.is_empty() {
            self.columns.resize_with(Channel::COUNT, Column::default);
        }
        self.columns[channel as usize] = column;
    }

    /// The channels that have a column, in table order.
    pub fn channels(&self) -> impl Iterator<Item = (Channel, &Column)> + '_ {
        self.columns.iter().enumerate().filter(|(_, column)| !column.is_empty()).map(|(i, c)| (Channel::ALL[i], c))
    }

    /// The extra columns.
    pub fn extra(&self) -> &[ExtraColumn] {
        &self.extra
    }

    /// The extra columns, for repairs.
    pub fn extra_mut(&mut self) -> &mut Vec<ExtraColumn> {
        &mut self.extra
    }

    /// True when the times never step back.
    pub fn is_ordered(&self) -> bool {
        self.time.is_sorted()
    }

    /// Sorts the samples by time; equal times keep their order. Returns how many samples stood before an earlier one.
    pub fn sort(&mut self) -> usize {
        let backward = self.time.windows(2).filter(|pair| pair[1] < pair[0]).count();
        if backward > 0 {
            let mut order: Vec<u32> = (0..self.time.len() as u32).collect();
            order.sort_by_key(|&row| self.time[row as usize]);
            *self = self.pick(&order);
        }
        backward
    }

    /// A track of the given rows, in the given order.
    pub fn pick(&self, rows: &[u32]) -> Track {
        let floats = |column: &[f64]| -> Vec<f64> {
            if column.is_empty() {
                return Vec::new();
            }
            rows.iter().map(|&row| column.get(row as usize).copied().unwrap_or(f64::NAN)).collect()
        };
        let singles = |column: &Column| -> Column {
            if column.is_empty() {
                return Column::default();
            }
            Column::from_raw(
                rows.iter().map(|&row| column.raw().get(row as usize).copied().unwrap_or(f32::NAN)).collect(),
            )
        };
        Track {
            time: rows.iter().map(|&row| self.time[row as usize]).collect(),
            lat: floats(&self.lat),
            lon: floats(&self.lon),
            distance: floats(&self.distance),
            columns: self.columns.iter().map(singles).collect(),
            extra: self
                .extra
                .iter()
                .map(|column| ExtraColumn::from_raw(column.key.clone(), floats(column.raw())))
                .collect(),
            untimed: if self.untimed.is_empty() {
                Vec::new()
            } else {
                (0..rows.len() as u32).filter(|&new| !self.is_timed(rows[new as usize] as usize)).collect()
            },
        }
    }

    /// A track of the rows in a range.
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Track {
        self.pick(&rows.map(|row| row as u32).collect::<Vec<_>>())
    }

    /// The rows whose time is in `[from, to]`; the track must be ordered.
    pub fn rows_between(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let start = self.time.partition_point(|&t| t < from);
        let end = self.time.partition_point(|&t| t <= to);
        start..end.max(start)
    }
}

/// Equal when times, positions, distances, channels and extra channels are equal; empty columns do not count.
impl PartialEq for Track {
    fn eq(&self, other: &Track) -> bool {
        self.time == other.time
            && self.untimed == other.untimed
            && self.positions().eq(other.positions())
            && (0..self.len()).all(|row| self.distance(row) == other.distance(row))
            && Channel::ALL.iter().all(|&channel| {
                let absent = Column::default();
                self.column(channel).unwrap_or(&absent) == other.column(channel).unwrap_or(&absent)
            })
            && self.extra.iter().filter(|c| c.count() > 0).eq(other.extra.iter().filter(|c| c.count() > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Track {
        let mut track = Track::new();
        track.push(1000);
        track.set(Channel::HeartRate, 100.0);
        track.push(3000);
        track.set_position(47.0, 8.0);
        track.set(Channel::Power, 0.0);
        track.push(2000);
        track.set(Channel::HeartRate, 102.0);
        track.set_distance(5.0);
        let slot = track.extra_slot(ExtraKey { name: "Form Power".into(), ..ExtraKey::default() });
        track.set_extra(slot, 55.0);
        track
    }

    #[test]
    fn absent_is_absent_and_zero_is_a_value() {
        let track = sample();
        assert_eq!(track.get(1, Channel::HeartRate), None);
        assert_eq!(track.get(1, Channel::Power), Some(0.0));
        assert_eq!(track.get(2, Channel::Power), None);
        assert_eq!(track.position(0), None);
        assert_eq!(track.column(Channel::Speed), None);
        assert_eq!(track.column(Channel::HeartRate).unwrap().count(), 2);
    }

    #[test]
    fn sorting_moves_whole_rows() {
        let mut track = sample();
        assert_eq!(track.sort(), 1);
        assert_eq!(track.times(), [1000, 2000, 3000]);
        assert_eq!(track.get(1, Channel::HeartRate), Some(102.0));
        assert_eq!(track.distance(1), Some(5.0));
        assert_eq!(track.extra()[0].get(1), Some(55.0));
        assert_eq!(track.position(2), Some((47.0, 8.0)));
    }

    #[test]
    fn untimed_rows_keep_their_mark_through_a_sort() {
        let mut track = Track::new();
        track.push(5000);
        track.push(1000);
        track.push_untimed(0);
        track.sort();
        assert_eq!(track.times(), [1000, 1000, 5000]);
        assert_eq!([0, 1, 2].map(|row| track.is_timed(row)), [true, false, true]);
    }

    #[test]
    fn rows_between_includes_both_ends() {
        let mut track = sample();
        track.sort();
        assert_eq!(track.rows_between(1000, 2000), 0..2);
        assert_eq!(track.rows_between(2500, 2600), 2..2);
    }
}
