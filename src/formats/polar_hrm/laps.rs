//! `[IntTimes]`, `[Trip]` and the names of laps.

use super::params::Params;
use super::text;
use crate::error::Place;
use crate::model::{Channel, Lap, Recording, Totals};
use crate::report::{Code, Notes};

const LAP: Code = Code::warning("hrm.lap");
const LAP_TOTAL: Code = Code::info("hrm.lap_total");

/// A last lap that would be this many times faster than the others holds the total of all laps.
const FASTER: f64 = 3.0;
/// `[Trip]` has the distance in tenths of km or miles, m.
const WHOLE_M: f64 = 161.0;

/// One block of `[IntTimes]`: five rows, three up to version 105. A row with a clock time begins the next block.
#[derive(Debug, Default)]
pub(super) struct Block {
    line: usize,
    rows: Vec<Vec<Option<f64>>>,
    end_ms: i64,
}

/// Collects `[IntTimes]` line by line.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<Block>);

impl Blocks {
    pub(super) fn take(&mut self, line: &str, number: usize) {
        let first = text::columns(line).next().unwrap_or_default();
        if first.contains(':') {
            let end_ms = text::clock(first).unwrap_or(-1);
            self.0.push(Block { line: number, rows: vec![text::numbers(line)], end_ms });
        } else if let Some(block) = self.0.last_mut()
            && block.rows.len() < 5
        {
            block.rows.push(text::numbers(line));
        }
    }

    /// Momentary values at the ends of laps, for files that have no rows (`Interval=204`).
    pub(super) fn as_samples(&self, params: &Params, start: i64, recording: &mut Recording) {
        let distance_m = self.0.iter().filter_map(|block| block.value(3, 1)).sum::<f64>();
        let duration_s = self.0.last().map_or(0.0, |block| block.end_ms as f64 / 1000.0);
        let reference = (distance_m > 0.0 && duration_s > 0.0).then(|| params.short_m(distance_m) / duration_s);
        let track = &mut recording.track;
        for block in self.0.iter().filter(|block| block.end_ms >= 0) {
            track.push(start + block.end_ms);
            if let Some(bpm) = block.value(0, 1) {
                track.set(Channel::HeartRate, bpm as f32);
            }
            if params.columns.speed
                && let Some(raw) = block.value(1, 3)
            {
                track.set(Channel::Speed, scaled_speed(params, raw, reference) as f32);
            }
            if params.columns.cadence
                && let Some(rpm) = block.value(1, 4)
            {
                track.set(Channel::Cadence, rpm as f32);
            }
            if params.columns.altitude
                && let Some(raw) = block.value(1, 5)
            {
                track.set(Channel::Altitude, params.altitude_m(raw) as f32);
            }
        }
    }

    /// True when laps have values of `[ExtraData]` or a stride length. (Momentary values are those of the rows.)
    pub(super) fn has_extra_values(&self) -> bool {
        let places = [(2, 0), (2, 1), (2, 2), (4, 0)];
        self.0.iter().any(|block| places.iter().any(|&(row, column)| block.positive(row, column).is_some()))
    }

    /// The laps, each from the end of the one before. `whole_m` is the distance of the exercise, where it is stated.
    pub(super) fn into_laps(self, params: &Params, start: i64, whole_m: Option<f64>, notes: &mut Notes) -> Vec<Lap> {
        let mut laps: Vec<Lap> = Vec::new();
        let mut from = 0;
        for block in &self.0 {
            if block.end_ms < from {
                notes.add(LAP, Place::line(block.line), || "a lap ends before the one before it; left out");
                continue;
            }
            let elapsed_s = (block.end_ms - from) as f64 / 1000.0;
            laps.push(Lap {
                start: start + from,
                end: start + block.end_ms,
                totals: Totals {
                    elapsed_s: Some(elapsed_s),
                    timer_s: Some(elapsed_s),
                    min_heart_rate: block.positive(0, 2),
                    avg_heart_rate: block.positive(0, 3),
                    max_heart_rate: block.positive(0, 4),
                    distance_m: block.positive(3, 1).map(|raw| params.short_m(raw)),
                    ascent_m: block.positive(2, 3).map(|raw| params.altitude_m(raw)),
                    avg_temperature: block.value(3, 3).filter(|raw| *raw != 0.0).map(|raw| params.celsius(raw)),
                    ..Totals::default()
                },
                ..Lap::default()
            });
            from = block.end_ms;
        }
        total_in_the_last(&mut laps, whole_m, notes);
        laps
    }
}

impl Block {
    /// Column of a row, both from 0. A time in the first column is no number, so `column` counts it.
    fn value(&self, row: usize, column: usize) -> Option<f64> {
        *self.rows.get(row)?.get(column)?
    }

    fn positive(&self, row: usize, column: usize) -> Option<f64> {
        self.value(row, column).filter(|value| *value > 0.0)
    }
}

/// The last lap of S-series files often holds the distance of the whole exercise: as much as `[Trip]` says, or more than
/// can be.
fn total_in_the_last(laps: &mut [Lap], whole_m: Option<f64>, notes: &mut Notes) {
    let Some((last, before)) = laps.split_last_mut() else { return };
    let metres: f64 = before.iter().filter_map(|lap| lap.totals.distance_m).sum();
    let seconds: f64 = before.iter().filter_map(|lap| lap.totals.elapsed_s).sum();
    let (Some(distance), Some(elapsed)) = (last.totals.distance_m, last.totals.elapsed_s) else { return };
    if metres <= 0.0 || seconds <= 0.0 || distance < metres {
        return;
    }
    // The laps before it must not fit into the rounding of the total.
    let is_whole = metres > 2.0 * WHOLE_M && whole_m.is_some_and(|whole| (distance - whole).abs() <= WHOLE_M);
    if is_whole || distance * seconds > FASTER * metres * elapsed {
        last.totals.distance_m = None;
        notes.add(LAP_TOTAL, Place::NOWHERE, || "the last lap holds the distance of all laps; left out");
    }
}

/// `[Trip]`: totals of the exercise, one number a line.
pub(super) fn trip(lines: &[&str], params: &Params, stated: &mut Totals) {
    let value = |i: usize| lines.get(i).and_then(|line| line.trim().parse::<f64>().ok());
    let positive = |i: usize| value(i).filter(|v| *v > 0.0);
    let columns = params.columns;
    stated.distance_m = positive(0).map(|raw| params.long_m(raw / 10.0));
    if columns.altitude {
        stated.ascent_m = value(1).map(|raw| params.altitude_m(raw));
        stated.avg_altitude = value(3).map(|raw| params.altitude_m(raw));
        stated.max_altitude = value(4).map(|raw| params.altitude_m(raw));
    }
    // S-series files hold 1/128, later ones 1/10 km/h or mph: distance over time tells.
    let reference = stated.distance_m.zip(positive(2)).map(|(metres, seconds)| metres / seconds);
    if let (Some(average), Some(reference)) = (positive(5), reference) {
        let unit = speed_unit(params, average, reference);
        stated.avg_speed = Some(params.speed(average * unit));
        stated.max_speed = positive(6).map(|raw| params.speed(raw * unit));
    }
}

/// Tenths or 128ths of km/h (mph), whichever comes nearer to a speed that is known otherwise, m/s.
fn speed_unit(params: &Params, raw: f64, reference: f64) -> f64 {
    let off = |unit: f64| (params.speed(raw * unit) / reference).ln().abs();
    let (tenth, binary) = (1.0 / 10.0, 1.0 / 128.0);
    if reference > 0.0 && off(binary) < off(tenth) { binary } else { tenth }
}

fn scaled_speed(params: &Params, raw: f64, reference: Option<f64>) -> f64 {
    let unit = if raw > 0.0 { reference.map_or(0.1, |r| speed_unit(params, raw, r)) } else { 0.1 };
    params.speed(raw * unit)
}

/// `[IntNotes]` and `[LapNames]`: number of the lap, then (after a flag in `[LapNames]`) a text.
pub(super) fn name(line: &str, text_column: usize, laps: &mut [Lap]) {
    let mut columns = text::columns(line);
    let Some(lap) = columns.next().and_then(|n| n.parse::<usize>().ok()).and_then(|n| laps.get_mut(n.checked_sub(1)?))
    else {
        return;
    };
    if let Some(name) = columns.nth(text_column - 1).filter(|name| !name.is_empty()) {
        lap.name = Some(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(lines: &[&str]) -> Params {
        let mut params = Params::default();
        lines.iter().for_each(|line| params.take(line));
        params
    }

    fn laps(params: &Params, lines: &str) -> (Vec<Lap>, Notes) {
        let mut blocks = Blocks::default();
        lines.lines().enumerate().for_each(|(i, line)| blocks.take(line, i + 1));
        let mut notes = Notes::new();
        (blocks.into_laps(params, 0, None, &mut notes), notes)
    }

    #[test]
    fn five_rows_and_three_rows_are_laps() {
        let five = "0:05:00.0\t140\t90\t132\t150\n28\t0\t0\t128\t0\t895\n0\t0\t0\t4\t0\n0\t1000\t0\t280\t0\t0\n0\t0\t0\t0\t0\n\
                    9:5:45.0\t150\t0\t0\t0\n0\n0\n0\t2000\n0\n";
        let (read, notes) = laps(&params(&["Version=106"]), five);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].start, read[0].end, read[1].end), (0, 300_000, 32_745_000));
        let totals = &read[0].totals;
        assert_eq!(
            (totals.min_heart_rate, totals.avg_heart_rate, totals.max_heart_rate),
            (Some(90.0), Some(132.0), Some(150.0))
        );
        assert_eq!((totals.distance_m, totals.ascent_m, totals.avg_temperature), (Some(1000.0), Some(4.0), Some(28.0)));
        assert_eq!(read[1].totals.avg_heart_rate, None);
        assert!(notes.is_empty());
        let three = "0:10:00.0\t140\t90\t132\t150\n0\t0\n0\t0\n0:20:00.0\t141\t91\t133\t151\n0\t0\n0\t0\n";
        assert_eq!(laps(&params(&["Version=105"]), three).0.len(), 2);
    }

    #[test]
    fn a_total_in_the_last_lap_is_no_lap_distance() {
        let lines = "0:20:00.0\t1\n0\n0\n0\t5000\n0\n0:40:00.0\t1\n0\n0\n0\t5000\n0\n0:40:20.0\t1\n0\n0\n0\t10080\n0\n";
        let (read, notes) = laps(&params(&["Version=106"]), lines);
        let distances: Vec<_> = read.iter().map(|lap| lap.totals.distance_m).collect();
        assert_eq!(distances, [Some(5000.0), Some(5000.0), None]);
        assert!(notes.get("hrm.lap_total").is_some());
        // A long last lap is a lap.
        let lines = "0:20:00.0\t1\n0\n0\n0\t5000\n0\n1:20:00.0\t1\n0\n0\n0\t15000\n0\n";
        assert_eq!(laps(&params(&["Version=106"]), lines).0[1].totals.distance_m, Some(15_000.0));
    }

    #[test]
    fn a_last_lap_as_long_as_the_exercise_is_its_total() {
        let lines = "0:02:05.0\t1\n0\n0\n0\t1000\n0\n0:05:00.0\t1\n0\n0\n0\t1100\n0\n0:10:00.0\t1\n0\n0\n0\t3400\n0\n";
        let last = |whole_m| {
            let mut blocks = Blocks::default();
            lines.lines().enumerate().for_each(|(i, line)| blocks.take(line, i + 1));
            let mut notes = Notes::new();
            let laps = blocks.into_laps(&params(&["Version=106"]), 0, whole_m, &mut notes);
            (laps[2].totals.distance_m, notes.get("hrm.lap_total").is_some())
        };
        assert_eq!(last(Some(3400.0)), (None, true));
        // 1000 + 1100 + 3400 m.
        assert_eq!(last(Some(5500.0)), (Some(3400.0), false));
        assert_eq!(last(None), (Some(3400.0), false));
    }

    #[test]
    fn speeds_choose_their_unit_by_distance_and_time() {
        let mut stated = Totals::default();
        // 29.9 km in 4414 s are 24.4 km/h: 3121 is 128ths.
        trip(&["299", "0", "4414", "0", "0", "3121", "12136"], &params(&["SMode=10000000"]), &mut stated);
        assert!((stated.avg_speed.unwrap() * 3.6 - 24.38).abs() < 0.01);
        assert!((stated.max_speed.unwrap() * 3.6 - 94.81).abs() < 0.01);
        // 24.5 km in 5058 s are 17.4 km/h: 184 is tenths.
        trip(&["245", "207", "5058", "285", "297", "184", "387"], &params(&["SMode=11100000"]), &mut stated);
        assert!((stated.avg_speed.unwrap() * 3.6 - 18.4).abs() < 1e-9);
        assert_eq!(
            (stated.distance_m, stated.ascent_m, stated.max_altitude),
            (Some(24_500.0), Some(207.0), Some(297.0))
        );
    }

    #[test]
    fn names_come_from_notes_and_names() {
        let mut laps = vec![Lap::default(), Lap::default()];
        name("1\tManual lap", 1, &mut laps);
        name("2\t1\tHill", 2, &mut laps);
        name("3\t1\tnone", 2, &mut laps);
        name("1\t1", 2, &mut laps);
        assert_eq!((laps[0].name.as_deref(), laps[1].name.as_deref()), (Some("Manual lap"), Some("Hill")));
    }
}
