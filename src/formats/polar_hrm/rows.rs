//! `[HRData]`: one row a grid step, or one a heart beat.

use super::params::{Grid, Params};
use super::text;
use crate::error::Place;
use crate::model::{Channel, Draft, ExtraKey, RrInterval};
use crate::report::Code;

const ROW: Code = Code::warning("hrm.row");
const SHORT: Code = Code::info("hrm.short_row");
const BEAT: Code = Code::warning("hrm.beat");
const UNTIMED: Code = Code::warning("hrm.interval");
const LIMIT: Code = Code::damage("hrm.samples");

/// Longer beat-to-beat intervals are gaps in the signal, ms.
const LONGEST_BEAT_MS: f64 = 3000.0;

/// Reads rows into the track of a draft.
pub(super) struct Rows<'p> {
    params: &'p Params,
    /// `None` when the interval is missing or unknown: rows then have no time.
    grid: Option<Grid>,
    start: i64,
    /// Rows so far.
    count: usize,
    /// End of the last beat, ms after the start.
    beat_ms: f64,
    pedalling_index: Option<usize>,
}

impl<'p> Rows<'p> {
    pub(super) fn new(params: &'p Params, start: i64) -> Rows<'p> {
        let beat_ms = params.start_delay_ms.clamp(0, 86_400_000) as f64;
        Rows { params, grid: params.grid(), start, count: 0, beat_ms, pedalling_index: None }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes one row. False when the limit of samples is reached.
    pub(super) fn take(&mut self, line: &str, number: usize, limit: usize, draft: &mut Draft) -> bool {
        if self.count >= limit {
            draft.complete = false;
            draft.notes.add(LIMIT, Place::line(number), || {
                format!("more than {limit} rows; the rest is left out (raise it with --max-samples)")
            });
            return false;
        }
        match self.grid {
            Some(Grid::Beats) => self.beat(line, number, draft),
            Some(Grid::Every(ms)) => {
                let time = self.start + ms * self.count as i64;
                draft.recording.track.push(time);
                self.values(line, number, draft);
            }
            Some(Grid::LapsOnly) | None => {
                draft.recording.track.push_untimed(self.start);
                draft.notes.add(UNTIMED, Place::line(number), || "rows without a known interval have no time");
                self.values(line, number, draft);
            }
        }
        self.count += 1;
        true
    }

    fn beat(&mut self, line: &str, number: usize, draft: &mut Draft) {
        let rr = text::columns(line).next().and_then(|column| column.parse::<f64>().ok());
        let Some(rr) = rr.filter(|rr| *rr > 0.0 && *rr < 1e7) else {
            let time = self.start + self.beat_ms.round() as i64;
            draft.recording.track.push(time);
            draft.notes.add(BEAT, Place::line(number), || format!("beat interval \"{}\" left out", line.trim()));
            return;
        };
        self.beat_ms += rr;
        let time = self.start + self.beat_ms.round() as i64;
        draft.recording.track.push(time);
        if rr <= LONGEST_BEAT_MS {
            draft.recording.track.set(Channel::HeartRate, (60_000.0 / rr) as f32);
        } else {
            draft
                .notes
                .add(BEAT, Place::line(number), || format!("beat interval of {rr} ms is a gap, not a heart rate"));
        }
        if rr <= f64::from(u16::MAX) {
            draft.recording.rr.push(RrInterval { time, ms: rr.round() as u16 });
        }
    }

    fn values(&mut self, line: &str, number: usize, draft: &mut Draft) {
        let columns = self.params.columns;
        let wanted = [
            (true, Channel::HeartRate),
            (columns.speed, Channel::Speed),
            (columns.cadence, Channel::Cadence),
            (columns.altitude, Channel::Altitude),
            (columns.power, Channel::Power),
            (columns.balance, Channel::LeftRightBalance),
            (columns.pressure, Channel::Pressure),
        ];
        let mut found = text::columns(line);
        for (_, channel) in wanted.into_iter().filter(|(flagged, _)| *flagged) {
            let Some(column) = found.next() else {
                draft.notes.add(SHORT, Place::line(number), || "rows have fewer columns than the mode says");
                break;
            };
            if column.is_empty() {
                continue;
            }
            let Ok(raw) = column.parse::<f64>() else {
                draft.notes.add(ROW, Place::line(number), || format!("\"{column}\" is no {}", channel.name()));
                continue;
            };
            let value = match channel {
                Channel::Speed => self.params.speed(raw / 10.0),
                Channel::Altitude => self.params.altitude_m(raw),
                // Hectopascal.
                Channel::Pressure => raw * 100.0,
                Channel::LeftRightBalance => {
                    self.balance(raw, draft);
                    continue;
                }
                _ => raw,
            };
            draft.recording.track.set(channel, value as f32);
        }
    }

    /// Pedalling index in the high byte, share of the LEFT side in the low one. Nobody pedals: both are 0.
    fn balance(&mut self, raw: f64, draft: &mut Draft) {
        if !(1.0..65536.0).contains(&raw) {
            return;
        }
        let (index, left) = ((raw as u32) >> 8, (raw as u32) & 0xff);
        let track = &mut draft.recording.track;
        if left > 0 {
            track.set(Channel::LeftRightBalance, 100.0 - left as f32);
        }
        if index > 0 {
            let slot = *self.pedalling_index.get_or_insert_with(|| {
                track.extra_slot(ExtraKey { name: "pedalling_index".into(), unit: "%".into(), fit: None })
            });
            track.set_extra(slot, f64::from(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(params: &[&str], rows: &[&str]) -> Draft {
        let mut all = Params::default();
        params.iter().for_each(|line| all.take(line));
        let mut draft = Draft::new();
        let mut reader = Rows::new(&all, 1_000_000);
        for (i, row) in rows.iter().enumerate() {
            assert!(reader.take(row, i + 1, 100, &mut draft));
        }
        assert_eq!(reader.count(), rows.len());
        draft
    }

    #[test]
    fn flagged_columns_only_in_their_order_and_units() {
        let draft = read(
            &["Version=107", "SMode=111110001", "Interval=5"],
            &["120\t254\t85\t450\t210\t12857\t1013", "0\t0", "x\t36\t\t-5"],
        );
        let track = &draft.recording.track;
        assert_eq!(track.times(), [1_000_000, 1_005_000, 1_010_000]);
        let row = |channel| track.get(0, channel);
        assert_eq!(row(Channel::HeartRate), Some(120.0));
        assert!((row(Channel::Speed).unwrap() - 7.0556).abs() < 1e-3);
        assert_eq!(row(Channel::Cadence), Some(85.0));
        assert_eq!(row(Channel::Altitude), Some(450.0));
        assert_eq!(row(Channel::Power), Some(210.0));
        // 12857 = 50 * 256 + 57: pedalling index 50 %, 57 % on the left.
        assert_eq!(row(Channel::LeftRightBalance), Some(43.0));
        assert_eq!(track.extra()[0].get(0), Some(50.0));
        assert_eq!(row(Channel::Pressure), Some(101_300.0));
        assert_eq!((track.get(1, Channel::HeartRate), track.get(1, Channel::Cadence)), (Some(0.0), None));
        assert_eq!((track.get(2, Channel::HeartRate), track.get(2, Channel::Speed)), (None, Some(1.0)));
        assert_eq!((track.get(2, Channel::Cadence), track.get(2, Channel::Altitude)), (None, Some(-5.0)));
        assert_eq!(draft.notes.get("hrm.short_row").map(|n| n.count), Some(2));
        assert_eq!(draft.notes.get("hrm.row").map(|n| n.count), Some(1));
    }

    #[test]
    fn beats_add_up_and_gaps_are_no_heart_rate() {
        let draft = read(&["Interval=238", "StartDelay=1000"], &["750", "500", "4000", "0", "600"]);
        let track = &draft.recording.track;
        assert_eq!(track.times(), [1_001_750, 1_002_250, 1_006_250, 1_006_250, 1_006_850]);
        let rates: Vec<_> = (0..5).map(|row| track.get(row, Channel::HeartRate)).collect();
        assert_eq!(rates, [Some(80.0), Some(120.0), None, None, Some(100.0)]);
        assert_eq!(draft.recording.rr.iter().map(|rr| rr.ms).collect::<Vec<_>>(), [750, 500, 4000, 600]);
        assert_eq!(draft.notes.get("hrm.beat").map(|n| n.count), Some(2));
    }

    #[test]
    fn rows_without_interval_are_kept_without_time() {
        let draft = read(&["SMode=00000000"], &["100", "101"]);
        assert_eq!(draft.recording.track.untimed_count(), 2);
        assert_eq!(draft.recording.track.get(1, Channel::HeartRate), Some(101.0));
    }

    #[test]
    fn the_limit_of_samples_stops_the_rows() {
        let params = Params { interval: Some(1), ..Params::default() };
        let mut draft = Draft::new();
        let mut rows = Rows::new(&params, 0);
        assert!(rows.take("100", 1, 1, &mut draft));
        assert!(!rows.take("100", 2, 1, &mut draft));
        assert!(!draft.complete && draft.notes.has_damage());
    }
}
