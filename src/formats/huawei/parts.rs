//! Splits, manual laps, swim lengths and the parts of a multisport recording (huawei.md sections 2 and 4).

use super::instants::absolute;
use super::lines::{Lines, Pair, Section};
use super::sports;
use super::track::Placed;
use crate::error::Place;
use crate::json::Value;
use crate::model::{Draft, Lap, LapTrigger, Length, Pause, Recording, Session, Split, Sport, Totals};
use crate::report::Code;

const PART: Code = Code::info("huawei.part");
const PART_TIMES: Code = Code::info("huawei.part_times");
const PARTS: Code = Code::warning("huawei.parts");

const MILE_M: f64 = 1609.344;
/// Splits, laps and lengths that are read of one kind: no recording has as many.
const MOST: usize = 5_000;

/// Fills all parts.
pub(super) fn fill(lines: &Lines, placed: &Placed, top: &Value, simplify: &Value, draft: &mut Draft) {
    let recording = &mut draft.recording;
    // Distances are in 10 m and 0.01 miles.
    let kinds = [
        (&lines.kilometres, 10.0, 1000.0, "partTimeMap", "paceMap"),
        (&lines.miles, MILE_M / 100.0, MILE_M, "britishPartTimeMap", "britishPaceMap"),
    ];
    for (pairs, unit, whole, times, paces) in kinds {
        let map = |key: &str| [simplify, top].into_iter().map(|part| pairs_of(&part[key])).find(|map| !map.is_empty());
        let splits = if !pairs.is_empty() {
            by_pace(pairs, unit, whole, placed)
        } else if let Some(map) = map(times) {
            by_time(&map, whole, placed.clock.start, &recording.pauses)
        } else {
            map(paces).map(|map| by_pace(&map, unit, whole, placed)).unwrap_or_default()
        };
        recording.splits.extend(splits);
        // The last split ends with the recording.
        let metres: f64 = recording.splits.iter().filter_map(|split| split.totals.distance_m).sum();
        if recording.stated.distance_m.is_none() && metres > 0.0 {
            recording.stated.distance_m = Some(metres);
        }
    }
    recording.laps = laps(lines, placed.clock.start, &recording.pauses);
    swim(simplify, placed.clock.start, recording);
    multisport(simplify, placed.clock.start, draft);
}

/// The members of an object whose keys are numbers.
fn pairs_of(map: &Value) -> Vec<Pair> {
    let pairs = map.members().iter().filter_map(|(k, v)| Some(Pair { k: k.trim().parse().ok()?, v: v.f64()? }));
    pairs.filter(|pair| pair.k.is_finite()).take(MOST).collect()
}

/// Splits from paces: the key packs the distance (in `unit` metres) and the number of the position where it was reached;
/// the value is seconds over `whole` metres.
fn by_pace(pairs: &[Pair], unit: f64, whole: f64, placed: &Placed) -> Vec<Split> {
    const PACK: f64 = 100_000.0;
    let mut ends: Vec<(f64, f64, f64)> = pairs
        .iter()
        .take(MOST)
        .filter(|pair| pair.k > 0.0 && pair.v > 0.0)
        .map(|pair| match pair.k {
            k if k >= PACK => ((k / PACK).floor() * unit, k % PACK, pair.v),
            // The number of the kilometre or mile alone.
            k => (k * whole, 0.0, pair.v),
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut start, mut metres) = (placed.clock.start, 0.0);
    let mut splits = Vec::with_capacity(ends.len());
    for (to, number, pace) in ends.into_iter().filter(|(to, ..)| *to < 1e8) {
        let seconds = pace * (to - metres) / whole;
        if seconds <= 0.0 {
            continue;
        }
        let reached = if number > 0.0 { placed.of_number(number) } else { None };
        let end = reached.unwrap_or_else(|| after(start, seconds, &[])).max(start);
        splits.push(split(start, end, to - metres, seconds));
        (start, metres) = (end, to);
    }
    splits
}

/// Splits from the seconds, pauses not counted, after which each kilometre or mile was complete.
fn by_time(pairs: &[Pair], whole: f64, start: i64, pauses: &[Pause]) -> Vec<Split> {
    let mut ends: Vec<&Pair> = pairs.iter().filter(|pair| pair.k > 0.0 && pair.k < 1e5 && pair.v > 0.0).collect();
    ends.sort_by(|a, b| a.k.total_cmp(&b.k));
    let (mut from, mut before) = (start, Pair { k: 0.0, v: 0.0 });
    let mut splits = Vec::with_capacity(ends.len());
    for pair in ends {
        let (seconds, metres) = (pair.v - before.v, (pair.k - before.k) * whole);
        if seconds > 0.0 && metres > 0.0 {
            let end = after(start, pair.v, pauses);
            splits.push(split(from, end, metres, seconds));
            (from, before) = (end, *pair);
        }
    }
    splits
}

fn split(start: i64, end: i64, metres: f64, seconds: f64) -> Split {
    let totals = Totals {
        timer_s: Some(seconds),
        distance_m: Some(metres),
        avg_speed: Some(metres / seconds),
        ..Totals::default()
    };
    Split { kind: None, start, end, totals, ..Split::default() }
}

/// The instant when the timer has run for so many seconds; pauses in order do not count.
fn after(start: i64, seconds: f64, pauses: &[Pause]) -> i64 {
    let end = start.saturating_add((seconds * 1000.0).round() as i64);
    let add = |end: i64, pause: &Pause| {
        if pause.start >= start && pause.start < end { end.saturating_add(pause.end - pause.start) } else { end }
    };
    pauses.iter().fold(end, add)
}

/// Manual laps, one behind the other.
fn laps(lines: &Lines, start: i64, pauses: &[Pause]) -> Vec<Lap> {
    let mut sections: Vec<_> = lines.sections.iter().filter(|section| section.seconds > 0.0).take(MOST).collect();
    sections.sort_by(|a, b| a.number.total_cmp(&b.number));
    let (mut from, mut run) = (start, 0.0);
    let lap = |section: &&Section| {
        run += section.seconds;
        let end = after(start, run, pauses).max(from);
        let totals = Totals {
            timer_s: Some(section.seconds),
            distance_m: (section.metres > 0.0).then_some(section.metres),
            avg_heart_rate: (section.heart_rate > 0.0).then_some(section.heart_rate),
            ..Totals::default()
        };
        let lap = Lap { start: from, end, trigger: Some(LapTrigger::Manual), totals, ..Lap::default() };
        from = end;
        lap
    };
    sections.iter().map(lap).collect()
}

/// Segments of a swim: lengths of the pool, or laps where they are of other distances.
fn swim(simplify: &Value, start: i64, recording: &mut Recording) {
    let pool_m =
        simplify["wearSportData"]["swim_pool_length"].f64().map(|cm| cm / 100.0).filter(|m| (1.0..1000.0).contains(m));
    let mut segments: Vec<&Value> = simplify["mSwimSegments"].elements().iter().take(MOST).collect();
    if recording.sport != Sport::SWIMMING || (segments.is_empty() && pool_m.is_none()) {
        return;
    }
    segments.sort_by_key(|segment| segment["mSegmentIndex"].i64());
    let mut from = start;
    for segment in segments {
        let seconds = segment["mDuration"].f64().filter(|seconds| (0.0..1e6).contains(seconds)).unwrap_or(0.0);
        let metres = segment["mDistance"].f64().filter(|metres| *metres > 0.0);
        let end = after(from, seconds, &recording.pauses);
        let strokes = segment["mPullTimes"].i64().and_then(|strokes| u16::try_from(strokes).ok());
        let avg_speed = metres.filter(|_| seconds > 0.0).map(|metres| metres / seconds);
        if pool_m.zip(metres).is_none_or(|(pool, metres)| metres < pool * 1.5) {
            recording.lengths.push(Length {
                start: from,
                end,
                elapsed_s: Some(seconds),
                strokes,
                avg_speed,
                active: true,
                ..Length::default()
            });
        } else {
            let cycles = strokes.map(f64::from);
            let totals = Totals { timer_s: Some(seconds), distance_m: metres, avg_speed, cycles, ..Totals::default() };
            recording.laps.push(Lap { start: from, end, totals, ..Lap::default() });
        }
        from = end;
    }
    let end = recording.stated.elapsed_s.map_or(from, |elapsed| after(start, elapsed, &[])).max(from);
    let count = u16::try_from(recording.lengths.len()).ok().filter(|count| *count > 0);
    recording.sessions = vec![Session {
        start,
        end,
        sport: recording.sport,
        sub_sport: recording.sub_sport,
        totals: recording.stated.clone(),
        pool_length_m: pool_m,
        lengths: count,
        active_lengths: count,
        ..Session::default()
    }];
}

/// The parts of a multisport recording become its sessions; a part that came as an activity of its own says so.
fn multisport(simplify: &Value, start: i64, draft: &mut Draft) {
    if !simplify["mFatherSportItem"].members().is_empty() {
        draft.notes.add(PART, Place::NOWHERE, || "a part of a multisport recording");
    }
    let items = &simplify["mChildSportItems"];
    let (mut sessions, mut untimed) = (Vec::new(), 0);
    let mut from = start;
    for item in items.elements().iter().take(MOST) {
        let Some((session, timed)) = part(item, from, &draft.recording.pauses) else { continue };
        from = session.end;
        untimed += u64::from(!timed);
        sessions.push(session);
    }
    let all = items.elements().len();
    if all != sessions.len()
        || (all == 0 && (items.str().is_some_and(|text| !text.is_empty()) || !items.members().is_empty()))
    {
        let lost = (all - sessions.len()).max(1);
        draft.notes.add_many(PARTS, lost as u64, Place::NOWHERE, || {
            format!("mChildSportItems has {lost} parts of a shape that is not known; left out")
        });
    }
    if sessions.len() > 1 || (sessions.len() == 1 && draft.recording.sessions.is_empty()) {
        draft.notes.add_many(PART_TIMES, untimed, Place::NOWHERE, || {
            format!("{untimed} parts say only how long they took; they are placed one behind the other")
        });
        sessions.sort_by_key(|session: &Session| session.start);
        draft.recording.sessions = sessions;
    }
}

/// One part of a multisport recording, and whether it says when it was; else it begins at `from`. Its keys are those of
/// SIMPLIFY, or the same with an `m` in front.
fn part(item: &Value, from: i64, pauses: &[Pause]) -> Option<(Session, bool)> {
    let number = |keys: [&str; 2]| keys.into_iter().find_map(|key| item[key].f64()).filter(|value| *value > 0.0);
    let of = |own: &str, plain: &str| number([own, plain]);
    let timer_s = of("mTotalTime", "totalTime").map(|ms| ms / 1000.0);
    let start = of("mStartTime", "startTime").and_then(absolute);
    let end = of("mEndTime", "endTime").and_then(absolute);
    let from = start.unwrap_or(from);
    let to = end.or_else(|| timer_s.map(|seconds| after(from, seconds, pauses))).filter(|to| *to > from)?;
    let sport = ["mSportType", "sportType"].into_iter().find_map(|key| item[key].i64()).and_then(sports::local);
    let totals = Totals {
        elapsed_s: Some((to - from) as f64 / 1000.0),
        timer_s,
        distance_m: of("mDistance", "totalDistance").or_else(|| of("mTotalDistance", "distance")),
        calories_kcal: of("mCalories", "totalCalories").map(|calories| calories / 1000.0),
        ..Totals::default()
    };
    let session = Session {
        start: from,
        end: to,
        sport: sport.map_or(Sport::GENERIC, |sport| sport.sport),
        sub_sport: sport.and_then(|sport| sport.sub_sport),
        totals,
        ..Session::default()
    };
    Some((session, start.is_some()))
}

#[cfg(test)]
mod tests {
    use super::super::datum::Stated;
    use super::super::track;
    use super::*;
    use crate::json::Json;
    use crate::limits::Limits;

    const START: i64 = 1_551_732_120_000;

    fn filled(lines: &str, simplify: &str, sport: Sport) -> Draft {
        let mut draft = Draft::new();
        draft.recording.sport = sport;
        let lines = Lines::of(lines);
        let placed = track::fill(&lines, Some(START), Stated::None, 1000, &mut draft);
        let simplify = Json::new(simplify.as_bytes(), &Limits::default()).value().unwrap();
        fill(&lines, &placed, &Value::Null, &simplify, &mut draft);
        draft
    }

    /// Start and end (s after the start), metres, seconds.
    fn splits(draft: &Draft) -> Vec<(i64, i64, f64, f64)> {
        let row = |split: &Split| {
            let (metres, seconds) = (split.totals.distance_m.unwrap(), split.totals.timer_s.unwrap());
            ((split.start - START) / 1000, (split.end - START) / 1000, metres.round(), seconds.round())
        };
        draft.recording.splits.iter().map(row).collect()
    }

    fn fixes(count: i64, step: i64) -> String {
        (0..count)
            .map(|i| format!("tp=lbs;k={i};lat=50.1;lon=-3.1;alt=0.0;t={}.0;\n", START + i * step * 1000))
            .collect()
    }

    #[test]
    fn splits_end_at_their_position_or_by_their_pace() {
        // 1.00 km at position 133, 1.78 km at 235 (there are only 235: the last one).
        let text =
            fixes(235, 2) + "tp=p-m;k=10000133;v=264.0;\ntp=p-m;k=17800235;v=264.0;\ntp=b-p-m;k=10000214;v=426.0;\n";
        let draft = filled(&text, "{}", Sport::RUNNING);
        assert_eq!(splits(&draft), [(0, 266, 1000.0, 264.0), (266, 468, 780.0, 206.0), (0, 428, 1609.0, 426.0)]);
        // Indoors: 150 m at 600 s/km.
        assert_eq!(splits(&filled("tp=p-m;k=1500000;v=600.0;", "{}", Sport::RUNNING)), [(0, 90, 150.0, 90.0)]);
        // 54.49 km.
        assert_eq!(splits(&filled("tp=p-m;k=544918117;v=400.0;", "{}", Sport::RUNNING))[0].2, 54_490.0);
    }

    #[test]
    fn times_of_splits_do_not_count_pauses() {
        let pause = format!(
            "tp=lbs;k=0;lat=1;lon=1;t={START};\ntp=lbs;k=1;lat=90.0;lon=-80.0;t={};\ntp=lbs;k=2;lat=1;lon=1;t={};",
            START + 400_000,
            START + 460_000
        );
        let draft = filled(&pause, r#"{"partTimeMap":{2.0:640.0,1.0:318.0,2.5:800}}"#, Sport::RUNNING);
        assert_eq!(splits(&draft), [(0, 318, 1000.0, 318.0), (318, 700, 1000.0, 322.0), (700, 860, 500.0, 160.0)]);
        let draft = filled("", r#"{"paceMap":{"1":300.0,"2":310.0}}"#, Sport::RUNNING);
        assert_eq!(splits(&draft), [(0, 300, 1000.0, 300.0), (300, 610, 1000.0, 310.0)]);
    }

    #[test]
    fn manual_laps_follow_one_another() {
        let draft = filled(
            "tp=sec;sn=2;st=60;sd=20000;shr=0;\ntp=sec;sn=1;st=300;sd=100050;sp=1;shr=150;sc=1;",
            "{}",
            Sport::RUNNING,
        );
        let laps = &draft.recording.laps;
        assert_eq!([laps[0].end - START, laps[1].start - START, laps[1].end - START], [300_000, 300_000, 360_000]);
        assert_eq!((laps[0].totals.distance_m, laps[0].totals.avg_heart_rate), (Some(1000.5), Some(150.0)));
        assert_eq!(laps[1].totals.avg_heart_rate, None);
    }

    #[test]
    fn segments_of_a_swim_are_lengths_of_its_pool() {
        let segments = r#""mSwimSegments":[{"mSegmentIndex":2,"mDistance":25,"mDuration":31,"mSwolf":45,"mPullTimes":14},
            {"mSegmentIndex":1,"mDistance":25,"mDuration":30,"mSwolf":45,"mPullTimes":15}]"#;
        let draft =
            filled("", &format!("{{{segments},\"wearSportData\":{{\"swim_pool_length\":2500}}}}"), Sport::SWIMMING);
        let lengths = &draft.recording.lengths;
        let spans: Vec<_> =
            lengths.iter().map(|l| ((l.start - START) / 1000, (l.end - START) / 1000, l.strokes)).collect();
        assert_eq!(spans, [(0, 30, Some(15)), (30, 61, Some(14))]);
        let session = &draft.recording.sessions[0];
        assert_eq!((session.pool_length_m, session.lengths), (Some(25.0), Some(2)));
        // Segments of 100 m in open water, or of several lengths, are laps.
        let draft =
            filled("", &format!("{{{segments},\"wearSportData\":{{\"swim_pool_length\":1000}}}}"), Sport::SWIMMING);
        let laps: Vec<_> = draft.recording.laps.iter().map(|lap| (lap.totals.distance_m, lap.totals.cycles)).collect();
        assert_eq!(
            (laps, draft.recording.lengths.len()),
            (vec![(Some(25.0), Some(15.0)), (Some(25.0), Some(14.0))], 0)
        );
    }

    #[test]
    fn parts_of_a_multisport_recording_are_sessions() {
        let child = |from: i64, to: i64, sport: i64| {
            format!(r#"{{"mStartTime":{from},"mEndTime":{to},"mSportType":{sport},"mDistance":1500}}"#)
        };
        let simplify = format!(
            "{{\"mChildSportItems\":[{},{}]}}",
            child(START + 900_000, START + 1_900_000, 259),
            child(START, START + 800_000, 266)
        );
        let draft = filled("", &simplify, Sport::MULTISPORT);
        let sports: Vec<Sport> = draft.recording.sessions.iter().map(|session| session.sport).collect();
        assert_eq!(sports, [Sport::SWIMMING, Sport::CYCLING]);
        assert_eq!(draft.recording.sessions[0].totals.elapsed_s, Some(800.0));
        assert!(draft.notes.is_empty(), "{:?}", draft.notes);
        let part = filled("", r#"{"mFatherSportItem":{"mSportType":512}}"#, Sport::CYCLING);
        assert!(part.notes.get("huawei.part").is_some());
    }

    #[test]
    fn parts_without_times_follow_one_another_and_strange_ones_are_named() {
        let simplify = r#"{"mChildSportItems":[{"sportType":266,"totalTime":1200000,"totalDistance":1500},
            {"sportType":259,"totalTime":2400000,"totalDistance":20000}]}"#;
        let draft = filled("", simplify, Sport::MULTISPORT);
        let of = |part: &Session| {
            (part.sport, (part.start - START) / 1000, (part.end - START) / 1000, part.totals.distance_m.unwrap())
        };
        let parts: Vec<_> = draft.recording.sessions.iter().map(of).collect();
        assert_eq!(parts, [(Sport::SWIMMING, 0, 1200, 1500.0), (Sport::CYCLING, 1200, 3600, 20_000.0)]);
        assert_eq!(draft.notes.get("huawei.part_times").map(|note| note.count), Some(2));
        for (items, lost) in [(r#"[{"a":1},7]"#, 2), (r#"{"a":1}"#, 1), ("\"x\"", 1)] {
            let draft = filled("", &format!("{{\"mChildSportItems\":{items}}}"), Sport::MULTISPORT);
            assert_eq!(draft.notes.get("huawei.parts").map(|note| note.count), Some(lost), "{items}");
            assert!(draft.recording.sessions.is_empty());
        }
        assert!(filled("", r#"{"mChildSportItems":[]}"#, Sport::MULTISPORT).notes.is_empty());
        assert!(filled("", r#"{"mChildSportItems":null}"#, Sport::MULTISPORT).notes.is_empty());
    }
}
