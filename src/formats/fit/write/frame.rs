//! The frame of an activity file: its sessions and laps, completed so that together they cover the whole recording.
//!
//! What the source states is kept as it is. Only what it leaves open is derived: a missing session or lap, the elapsed
//! time of a lap (until the next one starts), the timer time (elapsed time without the pauses), averages and extremes.

use super::super::whole::{self, Total};
use super::fill;
use super::records::TIME_MIN;
use crate::model::{Activity, Channel, Lap, LapTrigger, Session, Sport, SubSport, Totals, time};

/// FIT `session_trigger` for the end of the activity.
const ACTIVITY_END: u8 = 0;
/// A lap may begin this much before its session, ms: stated times are rounded.
const SLACK_MS: i64 = 1000;

/// Sessions and laps as they are written: elapsed and timer time, first lap and number of laps are always there.
pub struct Frame {
    /// First instant, ms.
    pub start: i64,
    /// Last instant, ms.
    pub end: i64,
    /// Legs in time order, at least one.
    pub sessions: Vec<Session>,
    /// Laps in time order, at least one.
    pub laps: Vec<Lap>,
    /// True when the source states no session; the only one is derived.
    pub derived: bool,
    /// Sessions that state more timer time than elapsed time, and their laps that do.
    pub swapped: u64,
    /// Totals of the whole that do not follow from the sessions, with the names of their fields.
    pub totals: Vec<(&'static str, f64)>,
    /// Sport of the whole, when it does not follow from the sessions.
    pub sport: Option<(Sport, Option<SubSport>)>,
}

impl Frame {
    /// The frame of an activity.
    pub fn of(activity: &Activity) -> Frame {
        let (start, end) = bounds(activity);
        let mut sessions = activity.sessions.clone();
        let derived = sessions.is_empty();
        let mut swapped = 0;
        if derived {
            sessions.push(Session {
                start: activity.laps.first().map_or(start, |lap| lap.start.min(start)),
                end,
                sport: activity.sport,
                sub_sport: activity.sub_sport,
                totals: activity.stated.clone(),
                trigger: Some(ACTIVITY_END),
                ..Session::default()
            });
        }
        let mut laps = activity.laps.clone();
        // No record lies before them where the source leaves their length open: Sigma starts the lap after its first point.
        if let Some(first) = (0..activity.track.len()).find(|row| activity.track.is_timed(*row)) {
            let first = activity.track.times()[first];
            if let Some(session) = sessions.first_mut().filter(|session| session.totals.elapsed_s.is_none()) {
                session.start = session.start.min(first);
            }
            if let Some(lap) = laps.first_mut().filter(|lap| lap.totals.elapsed_s.is_none()) {
                lap.start = lap.start.min(first);
            }
        }
        let starts: Vec<i64> = sessions.iter().skip(1).map(|next| next.start).chain([end]).collect();
        for (session, next) in sessions.iter_mut().zip(starts) {
            session.end = match session.totals.elapsed_s {
                Some(elapsed) if !derived => session.start + ms(elapsed),
                _ => session.end.max(next).max(session.start),
            };
        }
        let groups = group(&laps, &sessions);
        for (session, range) in sessions.iter_mut().zip(groups) {
            (session.first_lap, session.laps) = (Some(number(range.start)), Some(number(range.len())));
            complete_laps(&mut laps[range.clone()], session.end, activity);
            if derived {
                adopt(session, &laps[range.clone()], activity);
            }
            if complete_session(session, activity) {
                swapped += 1 + laps[range].iter_mut().map(|lap| u64::from(swap(lap))).sum::<u64>();
            }
        }
        if !derived {
            fill::sessions(&mut sessions, activity);
        }
        fill::laps(&mut laps, activity);
        if laps.is_empty() {
            for (at, session) in sessions.iter_mut().enumerate() {
                (session.first_lap, session.laps) = (Some(number(at)), Some(1));
                laps.push(only_lap(session, activity));
            }
        }
        let ends = sessions.iter().map(|session| session.end).chain(laps.iter().map(|lap| lap.end));
        let end = ends.fold(end, i64::max);
        let totals = unsaid(activity, &sessions, swapped > 0);
        let sport = unsaid_sport(activity, &sessions);
        Frame { start, end, sessions, laps, derived, swapped, totals, sport }
    }

    /// Timer time of the whole, seconds.
    pub fn timer_s(&self) -> f64 {
        self.sessions.iter().filter_map(|session| session.totals.timer_s).sum()
    }
}

fn number(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX - 1)
}

fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// First and last instant of the recording. A workout of which only the day is known is put at noon UTC: that is the same
/// day in every zone from -12 h to +12 h.
fn bounds(activity: &Activity) -> (i64, i64) {
    let pauses = activity.pauses.iter().map(|pause| (pause.start, pause.end));
    let spans = activity.span().into_iter().chain(pauses);
    spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or_else(|| {
        let noon = activity.day.as_ref().and_then(|day| time::parse(format!("{day}T12:00:00Z").as_bytes()));
        let start = noon.map(|noon| noon.ms).or(activity.created).unwrap_or((TIME_MIN + time::FIT_EPOCH_S) * 1000);
        let elapsed = activity.stated.elapsed_s.or(activity.stated.timer_s).unwrap_or(0.0);
        (start, start + ms(elapsed))
    })
}

/// Which laps belong to which session: as stated when that adds up, else by time.
fn group(laps: &[Lap], sessions: &[Session]) -> Vec<std::ops::Range<usize>> {
    let mut next = 0;
    let stated: Option<Vec<_>> = sessions
        .iter()
        .map(|session| {
            let first = usize::from(session.first_lap?);
            let range = first..first + usize::from(session.laps?);
            let fits = first == next;
            next = range.end;
            fits.then_some(range)
        })
        .collect();
    if let Some(stated) = stated.filter(|_| next == laps.len()) {
        return stated;
    }
    let mut start = 0;
    let borders = sessions.iter().skip(1).map(|session| session.start - SLACK_MS).chain([i64::MAX]);
    borders
        .map(|border| {
            let range = start..start + laps[start..].iter().take_while(|lap| lap.start < border).count();
            start = range.end;
            range
        })
        .collect()
}

fn complete_laps(laps: &mut [Lap], session_end: i64, activity: &Activity) {
    for at in 0..laps.len() {
        let next = laps.get(at + 1).map(|next| next.start);
        let lap = &mut laps[at];
        if lap.totals.elapsed_s.is_none() {
            let timer = ms(lap.totals.timer_s.unwrap_or(0.0));
            let until = match next {
                Some(next) if next >= lap.start => next,
                _ => lap.end.max(session_end).max(lap.start + timer),
            };
            lap.totals.elapsed_s = Some((until - lap.start) as f64 / 1000.0);
        }
        let elapsed = lap.totals.elapsed_s.unwrap_or(0.0);
        lap.end = lap.start + ms(elapsed);
        lap.totals.timer_s.get_or_insert_with(|| running(lap.start, lap.end, activity));
    }
}

/// Seconds of a span with the timer running.
fn running(start: i64, end: i64, activity: &Activity) -> f64 {
    let paused: i64 = activity.pauses.iter().map(|p| (p.end.min(end) - p.start.max(start)).max(0)).sum();
    (end - start - paused).max(0) as f64 / 1000.0
}

/// Fills a derived session from its laps and samples.
fn adopt(session: &mut Session, laps: &[Lap], activity: &Activity) {
    let sum = |get: fn(&Totals) -> Option<f64>| laps.iter().map(|lap| get(&lap.totals)).sum::<Option<f64>>();
    let tiled = laps.windows(2).all(|pair| (pair[1].start - pair[0].end).abs() <= 2 * SLACK_MS);
    let covers = laps.first().is_some_and(|first| (first.start - session.start).abs() <= SLACK_MS)
        && laps.last().is_some_and(|last| last.end >= session.end - SLACK_MS);
    // Laps that tile the recording decide its length; otherwise it is as long as everything that was recorded.
    let span = (session.end - session.start) as f64 / 1000.0;
    let elapsed = match (tiled && covers).then(|| sum(|t| t.elapsed_s)).flatten() {
        Some(elapsed) => elapsed,
        None => span.max(session.totals.elapsed_s.unwrap_or(0.0)),
    };
    session.end = session.start + ms(elapsed);
    let totals = &mut session.totals;
    totals.elapsed_s = Some(elapsed);
    if !laps.is_empty() {
        totals.timer_s = sum(|t| t.timer_s).or(totals.timer_s);
        totals.distance_m = totals.distance_m.or(sum(|t| t.distance_m));
        totals.calories_kcal = totals.calories_kcal.or(sum(|t| t.calories_kcal));
        totals.cycles = totals.cycles.or(sum(|t| t.cycles));
    }
    totals.timer_s.get_or_insert_with(|| running(session.start, session.end, activity));
    from_samples(totals, activity);
    if !activity.lengths.is_empty() {
        session.lengths = Some(number(activity.lengths.len()));
        session.active_lengths = Some(number(activity.lengths.iter().filter(|length| length.active).count()));
    }
    session.start_position = activity.track.positions().next().map(|(_, position)| position);
}

/// Elapsed and timer time of a session. The timer cannot run longer than the clock: returns true when they were swapped.
fn complete_session(session: &mut Session, activity: &Activity) -> bool {
    let elapsed = session.totals.elapsed_s.unwrap_or((session.end - session.start) as f64 / 1000.0);
    let timer = session.totals.timer_s.unwrap_or_else(|| running(session.start, session.end, activity));
    (session.totals.elapsed_s, session.totals.timer_s) = (Some(elapsed.max(timer)), Some(timer.min(elapsed)));
    session.end = session.start + ms(elapsed.max(timer));
    timer > elapsed
}

/// Makes the larger one of elapsed and timer time of a lap the elapsed time, so that it adds up to that of its session.
fn swap(lap: &mut Lap) -> bool {
    let totals = &mut lap.totals;
    let swapped = totals.timer_s > totals.elapsed_s;
    if swapped {
        std::mem::swap(&mut totals.timer_s, &mut totals.elapsed_s);
        lap.end = lap.start + ms(totals.elapsed_s.unwrap_or(0.0));
    }
    swapped
}

/// Totals that the source states for the whole and that a reader does not get from the sessions: other ones, and fractions
/// where the sessions have whole numbers.
fn unsaid(activity: &Activity, sessions: &[Session], swapped: bool) -> Vec<(&'static str, f64)> {
    let derived = whole::totals(sessions);
    let said = |total: &Total, stated: f64| {
        // Times that were swapped are not brought back to what cannot be.
        let times = matches!(total.name, "elapsed_s" | "timer_s");
        let (Some(step), Some(found)) = (total.step, (total.get)(&derived)) else { return false };
        let nearest = (stated / step).round() * step;
        times && swapped || (found - stated).abs() <= step && (step < 0.5 || found == stated && nearest == stated)
    };
    let stated = whole::all().filter_map(|total| Some(((total.get)(&activity.stated)?, total)));
    stated.filter(|(stated, total)| !said(total, *stated)).map(|(stated, total)| (total.name, stated)).collect()
}

fn unsaid_sport(activity: &Activity, sessions: &[Session]) -> Option<(Sport, Option<SubSport>)> {
    // No sub-sport is written as the generic one.
    let plain = |(sport, sub_sport): (Sport, Option<SubSport>)| (sport, sub_sport.unwrap_or(SubSport::GENERIC));
    let stated = (activity.sport, activity.sub_sport);
    let legs = whole::legs(sessions).map(|leg| (leg.0, Some(leg.1.unwrap_or(SubSport::GENERIC))));
    (whole::sport(legs).map(plain) != Some(plain(stated))).then_some(stated)
}

/// The one lap of a session in a recording without laps.
fn only_lap(session: &Session, activity: &Activity) -> Lap {
    let whole = activity.sessions.len() <= 1;
    let positions = || activity.track.positions().map(|(_, position)| position);
    Lap {
        start: session.start,
        end: session.end,
        totals: session.totals.clone(),
        trigger: Some(LapTrigger::SessionEnd),
        sport: Some(session.sport),
        sub_sport: session.sub_sport,
        start_position: session.start_position,
        end_position: if whole { positions().last() } else { None },
        stroke: session.stroke,
        first_length: session.lengths.filter(|_| whole).map(|_| 0),
        lengths: session.lengths,
        active_lengths: session.active_lengths,
        ..Lap::default()
    }
}

/// Fills absent totals of the whole recording from its samples.
fn from_samples(totals: &mut Totals, activity: &Activity) {
    let computed = &activity.computed;
    totals.distance_m = totals.distance_m.or_else(|| last_distance(activity)).or(computed.distance_m);
    totals.ascent_m = totals.ascent_m.or(computed.ascent_m);
    totals.descent_m = totals.descent_m.or(computed.descent_m);
    let fill = |channel,
                average: Option<&mut Option<f64>>,
                most: Option<&mut Option<f64>>,
                least: Option<&mut Option<f64>>| {
        let Some(column) = activity.track.column(channel) else { return };
        let (mut sum, mut count, mut low, mut high) = (0.0, 0u32, f64::INFINITY, f64::NEG_INFINITY);
        for (_, value) in column.present() {
            let value = f64::from(value);
            (sum, count, low, high) = (sum + value, count + 1, low.min(value), high.max(value));
        }
        if count > 0 {
            for (slot, value) in [(average, sum / f64::from(count)), (most, high), (least, low)] {
                if let Some(slot) = slot {
                    slot.get_or_insert(value);
                }
            }
        }
    };
    let t = totals;
    fill(Channel::HeartRate, Some(&mut t.avg_heart_rate), Some(&mut t.max_heart_rate), None);
    fill(Channel::Cadence, Some(&mut t.avg_cadence), Some(&mut t.max_cadence), None);
    fill(Channel::Power, Some(&mut t.avg_power), Some(&mut t.max_power), None);
    fill(Channel::Temperature, Some(&mut t.avg_temperature), Some(&mut t.max_temperature), None);
    fill(Channel::Altitude, Some(&mut t.avg_altitude), Some(&mut t.max_altitude), Some(&mut t.min_altitude));
    fill(Channel::Speed, None, Some(&mut t.max_speed), None);
    if let (Some(distance), Some(timer)) = (t.distance_m, t.timer_s.or(t.elapsed_s).filter(|timer| *timer > 0.0)) {
        t.avg_speed.get_or_insert(distance / timer);
    }
}

fn last_distance(activity: &Activity) -> Option<f64> {
    (0..activity.track.len()).rev().find_map(|row| activity.track.distance(row))
}
