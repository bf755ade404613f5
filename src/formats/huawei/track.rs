//! HiTrack lines → samples: one at each distinct instant of any series. Series are joined by time, never interpolated.

use super::datum::{self, Stated};
use super::instants::Instants;
use super::lines::{Fix, Lines};
use crate::error::Place;
use crate::model::{Channel, Draft, ExtraKey, Pause, Sport, Track};
use crate::report::{Code, Notes};

const LIMIT: Code = Code::damage("huawei.samples");
const LINE: Code = Code::damage("huawei.line");
const OTHER: Code = Code::info("huawei.other_lines");
const NO_TIME: Code = Code::warning("huawei.no_time");
const ORDER: Code = Code::info("huawei.order");
const HOUR: Code = Code::warning("huawei.wrong_hour");
const CONVERTED: Code = Code::info("huawei.gcj02");
const UNSTATED: Code = Code::info("huawei.datum_unstated");

/// Largest heart rate that is one; 255 stands for none.
const MOST_BPM: f64 = 254.0;

/// Where a value of a sample belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A position; the number is its place in the list of positions.
    Fix(u32),
    Channel(Channel),
    /// Barometric altitude, beside the one that the positions carry.
    Barometer,
    Swolf,
}

/// One value at an instant.
struct Item {
    time: i64,
    kind: Kind,
    value: f32,
}

/// The clock of an activity, and where its positions lie in time.
pub(super) struct Placed {
    pub clock: Instants,
    /// Numbers of positions and their instants, by number.
    by_number: Vec<(f64, i64)>,
}

impl Placed {
    /// The instant of the position with this number, or of the next one that there is; behind the last one, of the last.
    /// `None` without positions.
    pub(super) fn of_number(&self, number: f64) -> Option<i64> {
        let at = self.by_number.partition_point(|(k, _)| *k < number);
        self.by_number.get(at).or(self.by_number.last()).map(|(_, time)| *time)
    }
}

/// Fills samples and pauses. `start` is the stated one.
pub(super) fn fill(lines: &Lines, start: Option<i64>, datum: Stated, limit: usize, draft: &mut Draft) -> Placed {
    report(lines, draft);
    let clock = Instants::of(lines, start);
    let mut fixes = fixes(lines, &clock, &mut draft.notes);
    draft.recording.pauses = pauses(&fixes);
    let mut by_number: Vec<(f64, i64)> = fixes.iter().map(|(time, fix)| (fix.k, *time)).collect();
    by_number.sort_by(|a, b| a.0.total_cmp(&b.0));
    fixes.retain(|(_, fix)| !fix.is_mark());
    judge_datum(datum, &fixes, &mut draft.notes);
    let heights = fixes.iter().any(|(_, fix)| fix.alt != 0.0);
    let mut items: Vec<Item> = Vec::new();
    items.extend(fixes.iter().zip(0..).map(|((time, _), i)| Item { time: *time, kind: Kind::Fix(i), value: 0.0 }));
    let mut missing = 0;
    series(lines, &clock, draft.recording.sport, heights, |time, kind, value| match time {
        Some(time) => items.push(Item { time, kind, value: value as f32 }),
        None => missing += 1,
    });
    draft.notes.add_many(NO_TIME, missing, Place::NOWHERE, || "values without a usable time are left out");
    // A few runs in order: merged rather than sorted.
    items.sort_by_key(|item| (item.time, item.kind));
    let (track, mut row_of) = (&mut draft.recording.track, None);
    for item in items {
        let fix = if let Kind::Fix(i) = item.kind { fixes.get(i as usize) } else { None };
        if row_of != Some(item.time) || fix.is_some() {
            if track.len() >= limit {
                draft.complete = false;
                draft.notes.add(LIMIT, Place::NOWHERE, || {
                    format!("more than {limit} samples; the rest is left out (raise it with --max-samples)")
                });
                break;
            }
            track.push(item.time);
            row_of = Some(item.time);
        }
        match (item.kind, fix) {
            (Kind::Channel(channel), _) => track.set(channel, item.value),
            (Kind::Barometer, _) => set_extra(track, "barometric_altitude", "m", item.value),
            (Kind::Swolf, _) => set_extra(track, "swolf", "", item.value),
            (Kind::Fix(_), Some((_, fix))) => {
                let convert = datum == Stated::Gcj02;
                let (lat, lon) = if convert { datum::to_wgs84(fix.lat, fix.lon) } else { (fix.lat, fix.lon) };
                track.set_position(lat, lon);
                if heights {
                    track.set(Channel::Altitude, fix.alt as f32);
                }
            }
            (Kind::Fix(_), None) => {}
        }
    }
    Placed { clock, by_number }
}

fn set_extra(track: &mut Track, name: &str, unit: &str, value: f32) {
    let slot = match track.extra().iter().position(|column| column.key.name == name) {
        Some(slot) => slot,
        None => track.extra_slot(ExtraKey { name: name.to_owned(), unit: unit.to_owned(), fit: None }),
    };
    track.set_extra(slot, value.into());
}

fn report(lines: &Lines, draft: &mut Draft) {
    draft.notes.add_many(LINE, lines.broken, Place::line(lines.first_broken), || "a HiTrack line without its numbers");
    draft.complete &= lines.broken == 0;
    draft.notes.add_many(OTHER, lines.other, Place::NOWHERE, || {
        format!("HiTrack lines of kinds without a place, such as {}", lines.other_kind.as_deref().unwrap_or_default())
    });
}

fn judge_datum(datum: Stated, fixes: &[(i64, Fix)], notes: &mut Notes) {
    let inside = fixes.iter().filter(|(_, fix)| datum::in_box(fix.lat, fix.lon)).count() as u64;
    match datum {
        Stated::Wgs84 => {}
        Stated::Gcj02 => notes.add_many(CONVERTED, inside, Place::NOWHERE, || "positions converted from GCJ-02"),
        Stated::None => notes.add_many(
            UNSTATED,
            inside,
            Place::NOWHERE,
            || "datum unstated: the positions may be WGS-84 or GCJ-02, some hundred metres apart; kept as they are",
        ),
    }
}

/// Positions and marks of stops with their instants, by time.
fn fixes(lines: &Lines, clock: &Instants, notes: &mut Notes) -> Vec<(i64, Fix)> {
    let (mut timed, mut last, mut missing) = (Vec::with_capacity(lines.fixes.len()), None, 0);
    for &fix in &lines.fixes {
        let started_blind = (fix.lat, fix.lon, fix.t) == (0.0, 0.0, 0.0);
        let time = match fix.t {
            _ if started_blind => continue,
            // A mark without a time stands at the record before it.
            0.0 if fix.is_mark() => last,
            t => clock.of_fix(t),
        };
        match time {
            Some(time) => timed.push((time, fix)),
            None if fix.is_mark() => {}
            None => missing += 1,
        }
        last = time.or(last);
    }
    notes.add_many(NO_TIME, missing, Place::NOWHERE, || "positions without a usable time are left out");
    let times: Vec<i64> = timed.iter().map(|(time, _)| *time).collect();
    if let Some((count, shift)) = clock.wrong_hour(&times) {
        timed.iter_mut().take(count).for_each(|(time, _)| *time += shift);
        notes.add_many(HOUR, count as u64, Place::NOWHERE, || {
            format!("the first positions carry the wrong hour; moved by {} h", shift / 3_600_000)
        });
    }
    let backward = timed.windows(2).filter(|pair| matches!(pair, [(a, _), (b, _)] if b < a)).count() as u64;
    notes.add_many(ORDER, backward, Place::NOWHERE, || "positions stood before an earlier one; sorted by time");
    timed.sort_by_key(|(time, _)| *time);
    timed
}

/// A mark begins a pause that ends with the next position. Behind the last position it is the end.
fn pauses(fixes: &[(i64, Fix)]) -> Vec<Pause> {
    let (mut pauses, mut open) = (Vec::new(), None);
    for (time, fix) in fixes {
        match (fix.is_mark(), open) {
            (true, None) => open = Some(*time),
            (false, Some(start)) => {
                if *time > start {
                    pauses.push(Pause { start, end: *time, auto: false });
                }
                open = None;
            }
            _ => {}
        }
    }
    pauses
}

/// Hands on every value with its instant.
fn series(lines: &Lines, clock: &Instants, sport: Sport, heights: bool, mut give: impl FnMut(Option<i64>, Kind, f64)) {
    for pair in lines.heart.iter().filter(|pair| (0.0..=MOST_BPM).contains(&pair.v)) {
        give(clock.of_value(pair.k), Kind::Channel(Channel::HeartRate), pair.v);
    }
    // `rs` counts nominal seconds and loses time; a heart rate was taken with each speed when there are as many of them.
    let paired = lines.speed.len() == lines.heart.len();
    for (i, pair) in lines.speed.iter().enumerate().filter(|(_, pair)| pair.v >= 0.0) {
        let beat = if paired { lines.heart.get(i) } else { None };
        let time = beat.map_or_else(|| clock.of_relative(pair.k), |beat| clock.of_value(beat.k));
        give(time, Kind::Channel(Channel::Speed), pair.v / 10.0);
    }
    let altitude = if heights { Kind::Barometer } else { Kind::Channel(Channel::Altitude) };
    for pair in &lines.altitude {
        give(clock.of_value(pair.k), altitude, pair.v);
    }
    let cadence = Kind::Channel(Channel::Cadence);
    lines.cadence.iter().for_each(|pair| give(clock.of_value(pair.k), cadence, pair.v));
    if lines.cadence.is_empty() {
        if lines.steps.iter().any(|pair| pair.v != 0.0) {
            // Steps of both feet, but strokes where they are negative and in every swim.
            let rate = |v: f64| if v < 0.0 || sport == Sport::SWIMMING { v.abs() } else { v / 2.0 };
            lines.steps.iter().for_each(|pair| give(clock.of_value(pair.k), cadence, rate(pair.v)));
        }
        lines.strokes.iter().for_each(|pair| give(clock.of_relative(pair.k), cadence, pair.v));
    }
    let others = [
        (&lines.power, Kind::Channel(Channel::Power)),
        (&lines.spo2, Kind::Channel(Channel::Spo2)),
        (&lines.swolf, Kind::Swolf),
    ];
    for (pairs, kind) in others {
        pairs.iter().for_each(|pair| give(clock.of_relative(pair.k), kind, pair.v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_551_732_120_000;

    fn filled(text: &str, sport: Sport, datum: Stated, limit: usize) -> Draft {
        let mut draft = Draft::new();
        draft.recording.sport = sport;
        fill(&Lines::of(text), Some(START), datum, limit, &mut draft);
        draft
    }

    fn values(draft: &Draft, channel: Channel) -> Vec<(i64, f32)> {
        let track = &draft.recording.track;
        let column = track.column(channel).into_iter().flat_map(|column| column.present());
        column.map(|(row, value)| ((track.times()[row] - START) / 1000, value)).collect()
    }

    #[test]
    fn speeds_go_with_heart_rates_only_when_there_are_as_many() {
        let beats = format!("tp=h-r;k={};v=100;\ntp=h-r;k={};v=101;\n", START + 5000, START + 21_000);
        let paired = filled(&(beats.clone() + "tp=rs;k=0;v=20;\ntp=rs;k=5;v=21;"), Sport::RUNNING, Stated::None, 99);
        assert_eq!(values(&paired, Channel::Speed), [(5, 2.0), (21, 2.1)]);
        let apart = filled(&(beats + "tp=rs;k=5;v=21;"), Sport::RUNNING, Stated::None, 99);
        assert_eq!(values(&apart, Channel::Speed), [(5, 2.1)]);
    }

    #[test]
    fn heights_of_positions_come_before_those_of_the_barometer() {
        let fix =
            |alt: f64| format!("tp=lbs;k=0;lat=50;lon=-3;alt={alt};t={START};\ntp=alti;k={};v=44.5;", START + 2000);
        assert_eq!(values(&filled(&fix(0.0), Sport::RUNNING, Stated::None, 99), Channel::Altitude), [(2, 44.5)]);
        let both = filled(&fix(31.0), Sport::RUNNING, Stated::None, 99);
        assert_eq!(values(&both, Channel::Altitude), [(0, 31.0)]);
        let barometer = &both.recording.track.extra()[0];
        assert_eq!((barometer.key.name.as_str(), barometer.get(1)), ("barometric_altitude", Some(44.5)));
    }

    #[test]
    fn steps_are_halved_and_strokes_are_not() {
        let rates = format!("tp=s-r;k={};v=164;\ntp=s-r;k={};v=-30;\n", START, START + 60_000);
        let of = |text: &str, sport| values(&filled(text, sport, Stated::None, 99), Channel::Cadence);
        assert_eq!(of(&rates, Sport::RUNNING), [(0, 82.0), (60, 30.0)]);
        assert_eq!(of(&rates, Sport::SWIMMING), [(0, 164.0), (60, 30.0)]);
        assert_eq!(of("tp=s-r;k=1551732120000;v=0;", Sport::CYCLING), [], "a ride has no steps");
        assert_eq!(of(&(rates + "tp=cad;k=1551732125000;v=85;"), Sport::CYCLING), [(5, 85.0)]);
    }

    #[test]
    fn positions_are_sorted_counted_and_their_datum_is_judged() {
        let fix = |k: i64, second: i64| format!("tp=lbs;k={k};lat=31.2;lon=121.5;alt=0;t={};\n", START + second * 1000);
        let text = fix(0, 0) + &fix(1, 4) + &fix(2, 2) + "tp=lbs;k=3;lat=31.2;lon=121.5;t=0;";
        let draft = filled(&text, Sport::RUNNING, Stated::None, 99);
        assert_eq!(draft.recording.track.times(), [START, START + 2000, START + 4000]);
        for (code, count) in [("huawei.order", 1), ("huawei.no_time", 1), ("huawei.datum_unstated", 3)] {
            assert_eq!(draft.notes.get(code).map(|note| note.count), Some(count), "{code}");
        }
        assert!(filled(&text, Sport::RUNNING, Stated::Wgs84, 99).notes.get("huawei.datum_unstated").is_none());
        let cut = filled(&text, Sport::RUNNING, Stated::Wgs84, 2);
        assert!(cut.recording.track.len() == 2 && !cut.complete && cut.notes.get("huawei.samples").is_some());
    }
}
