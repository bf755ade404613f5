//! Totals and positions that the source left open, from the samples of the span. Programs show the summaries of a file as
//! they are: a ride converted from TCX, or merged with another one's power, would have no averages.

use std::ops::Range;

use crate::model::{Activity, Channel, Lap, Session, Totals, Track};

/// The largest cadence that a summary can hold, rpm.
const MOST_CADENCE: f64 = 254.0;

/// How many samples before a span may tell the distance at its start.
const NEAR: usize = 60;

/// Which total a channel fills.
type Slot = fn(&mut Totals) -> &mut Option<f64>;

/// Channel, average, maximum.
const MEASURED: [(Channel, Option<Slot>, Slot, f64); 4] = [
    (Channel::HeartRate, Some(|t| &mut t.avg_heart_rate), |t| &mut t.max_heart_rate, f64::INFINITY),
    (Channel::Cadence, Some(|t| &mut t.avg_cadence), |t| &mut t.max_cadence, MOST_CADENCE),
    (Channel::Power, Some(|t| &mut t.avg_power), |t| &mut t.max_power, f64::INFINITY),
    // The average speed is distance by timer time.
    (Channel::Speed, None, |t| &mut t.max_speed, f64::INFINITY),
];

/// Fills what the sessions of a source left open.
pub fn sessions(sessions: &mut [Session], activity: &Activity) {
    let track = &activity.track;
    let spans: Vec<_> = sessions.iter().map(|session| (session.start, session.end)).collect();
    for (session, rows) in sessions.iter_mut().zip(rows(track, &spans)) {
        totals(&mut session.totals, track, rows.clone());
        session.start_position = session.start_position.or_else(|| positions(track, rows).next());
    }
    if let [only] = sessions {
        let (totals, computed) = (&mut only.totals, &activity.computed);
        totals.ascent_m = totals.ascent_m.or(computed.ascent_m);
        totals.descent_m = totals.descent_m.or(computed.descent_m);
    }
}

/// Fills what the laps of a source left open.
pub fn laps(laps: &mut [Lap], activity: &Activity) {
    let track = &activity.track;
    let spans: Vec<_> = laps.iter().map(|lap| (lap.start, lap.end)).collect();
    for (lap, rows) in laps.iter_mut().zip(rows(track, &spans)) {
        totals(&mut lap.totals, track, rows.clone());
        lap.start_position = lap.start_position.or_else(|| positions(track, rows.clone()).next());
        lap.end_position = lap.end_position.or_else(|| positions(track, rows).next_back());
    }
}

/// The rows of spans in time order; one on the border of two belongs to the later one.
fn rows<'a>(track: &'a Track, spans: &'a [(i64, i64)]) -> impl Iterator<Item = Range<usize>> + 'a {
    let times = track.times();
    spans.iter().enumerate().map(move |(at, &(start, end))| {
        let from = times.partition_point(|time| *time < start);
        let to = match spans.get(at + 1) {
            Some(&(next, _)) if next <= end => times.partition_point(|time| *time < next),
            _ => times.partition_point(|time| *time <= end),
        };
        from..to.max(from)
    })
}

fn positions(track: &Track, rows: Range<usize>) -> impl DoubleEndedIterator<Item = (f64, f64)> + '_ {
    rows.filter_map(|row| track.position(row))
}

fn totals(totals: &mut Totals, track: &Track, rows: Range<usize>) {
    for (channel, average, most, limit) in MEASURED {
        let open = most(totals).is_none() || average.is_some_and(|average| average(totals).is_none());
        let Some(column) = track.column(channel).filter(|_| open) else { continue };
        // A column may end before its track.
        let values = column.raw().get(rows.start..rows.end.min(column.raw().len())).unwrap_or_default();
        let (mut sum, mut count, mut high) = (0.0, 0u32, f64::NEG_INFINITY);
        for value in values.iter().filter(|value| !value.is_nan()).map(|value| f64::from(*value)) {
            (sum, count) = (sum + value, count + 1);
            high = if value > high { value } else { high };
        }
        if count > 0 && high <= limit {
            most(totals).get_or_insert(high);
            if let Some(average) = average {
                average(totals).get_or_insert(sum / f64::from(count));
            }
        }
    }
    let last = |rows: Range<usize>| rows.rev().find_map(|row| track.distance(row));
    if totals.distance_m.is_none()
        && let Some(end) = last(rows.clone())
    {
        // Distances count on from lap to lap; sessions of a multisport recording may start again at 0.
        let before = last(rows.start.saturating_sub(NEAR)..rows.start);
        let begin = before.or_else(|| rows.clone().find_map(|row| track.distance(row)));
        totals.distance_m = begin.map(|begin| end - begin).filter(|metres| *metres >= 0.0);
    }
    if let (Some(distance), Some(timer)) = (totals.distance_m, totals.timer_s.filter(|timer| *timer > 0.0)) {
        totals.avg_speed.get_or_insert(distance / timer);
    }
}
