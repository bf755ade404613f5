//! The activity JSON of Nike Run Club, as people's download scripts saved it: one file a run, or list pages that hold only
//! totals. All instants are UTC; there is no time zone anywhere.

mod parse;
mod series;

use self::parse::{Moment, Raw};
use super::{Format, Intake, Reader};
use crate::error::{Error, Place, Result};
use crate::model::{Draft, Lap, LapTrigger, Pause, Recording, Sport, SubSport, Totals, parse_sport};
use crate::report::Code;

const JSON: Code = Code::damage("nike.json");
const NO_SERIES: Code = Code::warning("nike.no_series");
const NO_TIME: Code = Code::warning("nike.no_time");
const DELETED: Code = Code::info("nike.deleted");

/// The Nike row of the format table.
pub const FORMAT: Format = Format {
    id: "nike",
    name: "Nike Run Club JSON",
    extensions: &["json"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: None,
    status: "activities with their series, halts and splits; list pages as summaries",
};

/// True for JSON with the keys that only Nike's activities have, near its start.
fn sniff(head: &[u8]) -> bool {
    let has = |key: &str| memchr::memmem::find(head, key.as_bytes()).is_some();
    let open = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(open.first(), Some(b'{' | b'['))
        && has("\"start_epoch_ms\"")
        && (has("com.nike.") || has("\"active_duration_ms\""))
}

fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let (all, fault) = parse::parse(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let last = all.len().saturating_sub(1);
    let place = fault.as_ref().map(|fault| Place::line(fault.line()));
    if let (Some(fault), Some(place)) = (&fault, &place) {
        if !all.iter().any(|raw| raw.start_ms.is_some()) {
            return Err(Error::malformed(place.clone(), fault.to_string()));
        }
        intake.notes().add(JSON, place.clone(), || fault.to_string());
    }
    let mut deleted = 0;
    for (i, raw) in all.into_iter().enumerate() {
        if raw.deleted {
            deleted += 1;
        } else if raw.start_ms.is_some() || !raw.summaries.is_empty() || !raw.metrics.is_empty() {
            let mut draft = activity(&raw, intake.limits().samples);
            draft.complete &= fault.is_none() || i < last;
            intake.emit(draft)?;
        }
    }
    intake.notes().add_many(
        DELETED,
        deleted,
        Place::NOWHERE,
        || "activities that their owner had deleted are left out",
    );
    if deleted > 0 && intake.emitted() == 0 {
        intake.skip("deleted activity");
    }
    Ok(())
}

fn activity(raw: &Raw, limit: usize) -> Draft {
    let mut draft = Draft::new();
    let start = raw.start_ms.and_then(instant);
    let end = raw.end_ms.and_then(instant).filter(|end| start.is_none_or(|start| *end >= start));
    match start {
        Some(start) => series::fill(raw, start, end, limit, &mut draft),
        None => draft.notes.add(NO_TIME, Place::NOWHERE, || "an activity without a start; only its totals are read"),
    }
    if draft.recording.track.is_empty() && raw.metrics.is_empty() {
        draft.notes.add(NO_SERIES, Place::NOWHERE, || "only totals, no series");
    }
    let recording = &mut draft.recording;
    describe(recording, raw);
    recording.stated_start = start;
    recording.stated = stated(raw, start.zip(end));
    recording.stated.avg_temperature = raw.tags.get("com.nike.temperature").and_then(|t| t.parse().ok());
    if let (Some(start), Some(end)) = (start, end) {
        recording.pauses = pauses(&raw.moments, start, end);
        recording.laps = laps(&raw.moments, start, end);
    }
    draft
}

/// An instant of the years 1970 to 9999.
fn instant(ms: f64) -> Option<i64> {
    (0.0..253_402_300_800_000.0).contains(&ms).then_some(ms as i64)
}

fn describe(recording: &mut Recording, raw: &Raw) {
    let tag = |key: &str| raw.tags.get(key);
    let running = raw.app_id.as_deref().is_none_or(|app| app.starts_with("com.nike.sport.running"));
    (recording.sport, recording.sub_sport) = match raw.kind.as_deref().and_then(parse_sport) {
        Some(known) => known,
        None if running => (Sport::RUNNING, None),
        None => (Sport::TRAINING, None),
    };
    if recording.sport == Sport::RUNNING
        && tag("location").is_some_and(|l| l.to_ascii_lowercase().starts_with("indoor"))
    {
        recording.sub_sport = Some(SubSport(1));
    }
    recording.name = tag("com.nike.name").map(str::to_owned);
    recording.description = tag("note").map(str::to_owned);
    recording.gear = tag("shoe_id").map(str::to_owned);
    recording.creator = Some("Nike Run Club".to_owned());
    // A copy that was synchronised again has an id of its own, and tells that of the first.
    let original = tag("com.nike.running.originalactivityid").filter(|original| raw.id.as_deref() != Some(original));
    let ids = [raw.id.as_deref(), original].into_iter().flatten();
    recording.platform_ids = ids.map(|id| ("nike".to_owned(), id.to_owned())).collect();
}

/// Nike's own totals: distance in km, speed in km/h, times in ms. Increments add up to the totals, where those are missing.
fn stated(raw: &Raw, span: Option<(i64, i64)>) -> Totals {
    let of = |metric: &str, summary: &str| {
        raw.summaries.iter().find(|s| s.metric == metric && s.summary == summary).and_then(|s| s.value)
    };
    let total = |metric: &str| {
        of(metric, "total").or_else(|| {
            let values = raw.metrics.iter().filter(|series| series.kind == metric).flat_map(|series| &series.values);
            values.map(|v| v.value).filter(|value| !value.is_nan()).reduce(|sum, value| sum + value)
        })
    };
    Totals {
        elapsed_s: span.map(|(start, end)| (end - start) as f64 / 1000.0),
        timer_s: raw.active_ms.map(|ms| ms / 1000.0),
        distance_m: total("distance").map(|km| km * 1000.0),
        calories_kcal: total("calories"),
        ascent_m: total("ascent"),
        descent_m: total("descent"),
        avg_speed: of("speed", "mean").map(|kmh| kmh / 3.6),
        max_speed: of("speed", "max").map(|kmh| kmh / 3.6),
        avg_heart_rate: of("heart_rate", "mean"),
        max_heart_rate: of("heart_rate", "max"),
        steps: total("steps"),
        ..Totals::default()
    }
}

/// Halts: any kind of pause is ended by any kind of resume, the last one by the end.
fn pauses(moments: &[Moment], start: i64, end: i64) -> Vec<Pause> {
    let mut halts: Vec<(i64, &str)> = moments
        .iter()
        .filter(|moment| moment.key == "halt")
        .filter_map(|moment| Some((moment.time_ms.and_then(instant)?, moment.value.as_str())))
        .filter(|(time, _)| (start..=end).contains(time))
        .collect();
    halts.sort_by_key(|(time, _)| *time);
    let mut pauses: Vec<Pause> = Vec::new();
    let mut open: Option<(i64, bool)> = None;
    for (time, kind) in halts {
        match (open, kind) {
            (None, "pause" | "auto_pause") => open = Some((time, kind == "auto_pause")),
            (Some((start, auto)), "resume" | "auto_resume") => {
                pauses.push(Pause { start, end: time, auto });
                open = None;
            }
            _ => {}
        }
    }
    pauses.extend(open.filter(|(start, _)| *start < end).map(|(start, auto)| Pause { start, end, auto }));
    pauses
}

/// A lap a kilometre. Nike marks miles too, usually both: one kind is enough.
fn laps(moments: &[Moment], start: i64, end: i64) -> Vec<Lap> {
    let marks = |key: &str| -> Vec<i64> {
        let times = moments.iter().filter(|moment| moment.key == key).filter_map(|moment| moment.time_ms);
        times.filter_map(instant).filter(|time| (start..=end).contains(time)).collect()
    };
    let kinds = [("split_km", 1000.0), ("split_mile", 1609.344)];
    let found = kinds.into_iter().map(|(key, metres)| (marks(key), metres)).find(|(marks, _)| !marks.is_empty());
    let Some((mut marks, metres)) = found else { return Vec::new() };
    marks.sort_unstable();
    let mut from = start;
    let mut laps: Vec<Lap> = marks
        .into_iter()
        .map(|mark| {
            let totals = Totals { distance_m: Some(metres), ..Totals::default() };
            let lap = Lap { start: from, end: mark, trigger: Some(LapTrigger::Distance), totals, ..Lap::default() };
            from = mark;
            lap
        })
        .collect();
    if from < end {
        laps.push(Lap { start: from, end, trigger: Some(LapTrigger::SessionEnd), ..Lap::default() });
    }
    for lap in &mut laps {
        lap.totals.elapsed_s = Some((lap.end - lap.start) as f64 / 1000.0);
    }
    laps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read_with;
    use crate::limits::Limits;
    use crate::model::Channel;

    fn drafts(json: &str) -> Vec<Draft> {
        assert!(sniff(json.as_bytes()), "{json}");
        read_with(Reader::Whole(read), json.as_bytes(), &Limits::default()).unwrap().drafts
    }

    const RUN: &str = r#"{"id":"11111111-2222-3333-4444-555555555555","type":"run","app_id":"com.nike.sport.running.ios",
        "start_epoch_ms":1602494141000,"end_epoch_ms":1602494441000,"active_duration_ms":240000,"delete_indicator":false,
        "summaries":[{"metric":"distance","summary":"total","value":0.8},{"metric":"speed","summary":"mean","value":12.0}],
        "tags":{"com.nike.name":"Monday","location":"outdoors","com.nike.temperature":"24.5","shoe_id":"s"},
        "metrics":[
          {"type":"latitude","unit":"DD","values":[{"start_epoch_ms":1602494142000,"end_epoch_ms":1602494142000,"value":-8.046},
            {"start_epoch_ms":1602494145000,"end_epoch_ms":1602494145000,"value":-8.047},
            {"start_epoch_ms":1602494150000,"end_epoch_ms":1602494150000,"value":-8.048}]},
          {"type":"longitude","unit":"DD","values":[{"start_epoch_ms":1602494143000,"end_epoch_ms":1602494143000,"value":-34.894},
            {"start_epoch_ms":1602494145000,"end_epoch_ms":1602494145000,"value":-34.895}]},
          {"type":"heart_rate","unit":"BPM","values":[{"start_epoch_ms":1602494144000,"end_epoch_ms":1602494144000,"value":120}]},
          {"type":"elevation","unit":"M","values":[{"start_epoch_ms":1602494145000,"end_epoch_ms":1602494145000,"value":5.5}]},
          {"type":"steps","unit":"STEP","values":[{"start_epoch_ms":1602494141000,"end_epoch_ms":1602494145000,"value":12}]},
          {"type":"distance","unit":"KM","values":[{"start_epoch_ms":1602494141000,"end_epoch_ms":1602494145000,"value":0.012}]}],
        "moments":[{"key":"halt","value":"auto_pause","timestamp":1602494200000},{"key":"halt","value":"resume","timestamp":1602494230000},
          {"key":"halt","value":"pause","timestamp":1602494411000},{"key":"split_km","value":"1","timestamp":1602494400000},
          {"key":"split_mile","value":"1","timestamp":1602494430000}]}"#;

    #[test]
    fn series_join_on_time() {
        let drafts = drafts(RUN);
        let [draft] = &drafts[..] else { panic!("{} drafts", drafts.len()) };
        let track = &draft.recording.track;
        let start = 1_602_494_141_000;
        assert_eq!(track.times(), [start + 1000, start + 3000, start + 4000]);
        // The first longitude is just one second later, the third is missing.
        assert_eq!((track.position(0), track.position(2)), (Some((-8.046, -34.894)), Some((-8.047, -34.895))));
        assert_eq!((track.get(1, Channel::HeartRate), track.get(0, Channel::HeartRate)), (Some(120.0), None));
        assert_eq!((track.get(2, Channel::Altitude), track.get(0, Channel::Altitude)), (Some(5.5), None));
        // 12 steps in 4 s are 180 a minute, 90 of one side.
        assert_eq!(track.get(2, Channel::Cadence), Some(90.0));
        assert_eq!([0, 1, 2].map(|row| track.distance(row).map(|m| m.round())), [Some(3.0), Some(9.0), Some(12.0)]);
        assert!(draft.notes.get("nike.unpaired").is_some());
    }

    #[test]
    fn totals_halts_and_splits_are_kept() {
        let draft = &drafts(RUN)[0];
        let recording = &draft.recording;
        assert_eq!((recording.sport, recording.name.as_deref()), (Sport::RUNNING, Some("Monday")));
        assert_eq!((recording.stated.elapsed_s, recording.stated.timer_s), (Some(300.0), Some(240.0)));
        assert_eq!((recording.stated.distance_m, recording.stated.avg_temperature), (Some(800.0), Some(24.5)));
        let halts: i64 = recording.pauses.iter().map(|pause| pause.end - pause.start).sum();
        assert_eq!((recording.pauses.len(), halts, recording.pauses[0].auto), (2, 60_000, true));
        let laps: Vec<_> = recording.laps.iter().map(|lap| lap.totals.elapsed_s).collect();
        assert_eq!(laps, [Some(259.0), Some(41.0)]);
        assert_eq!(recording.platform_ids[0], ("nike".to_owned(), "11111111-2222-3333-4444-555555555555".to_owned()));
    }

    #[test]
    fn lists_are_summaries_and_deleted_ones_are_skipped() {
        let page = r#"{"activities":[{"id":"a","app_id":"com.nike.sport.running.droid","start_epoch_ms":1602494141000,"end_epoch_ms":1602494441000,
            "tags":{"location":"Indoors"},"summaries":[{"metric":"distance","summary":"total","value":1}]},
            {"id":"b","start_epoch_ms":1602494141000,"delete_indicator":true}],"paging":{}}"#;
        let drafts = drafts(page);
        let [draft] = &drafts[..] else { panic!("{} drafts", drafts.len()) };
        assert_eq!((draft.recording.sub_sport, draft.recording.stated.distance_m), (Some(SubSport(1)), Some(1000.0)));
        assert!(draft.recording.track.is_empty() && draft.complete);
        assert_eq!(draft.recording.span(), Some((1_602_494_141_000, 1_602_494_441_000)));
    }

    #[test]
    fn what_is_missing_is_taken_from_what_says_the_same() {
        let json = RUN
            .replace("\"speed\",\"summary\"", "\"x\",\"summary\"")
            .replace("\"distance\",\"summary\"", "\"y\",\"summary\"");
        let json =
            json.replace("split_km", "split").replace("\"elevation\",\"unit\":\"M\"", "\"pace\",\"unit\":\"MKM\"");
        let json = json.replace("\"shoe_id\":\"s\"", "\"com.nike.running.originalactivityid\":\"first\"");
        let recording = drafts(&json).remove(0).recording;
        // A pace of 5.5 min/km, 12 m in one increment, the mark of a mile.
        assert_eq!(recording.track.get(2, Channel::Speed), Some((60.0 / 5.5 / 3.6) as f32));
        assert_eq!(recording.stated.distance_m, Some(12.0));
        assert_eq!((recording.laps.len(), recording.laps[0].totals.distance_m), (2, Some(1609.344)));
        let ids: Vec<_> =
            recording.platform_ids.iter().map(|(platform, id)| (platform.as_str(), id.as_str())).collect();
        assert_eq!(ids, [("nike", "11111111-2222-3333-4444-555555555555"), ("nike", "first")]);
    }

    #[test]
    fn a_treadmill_run_has_samples_without_positions() {
        let json = r#"{"id":"a","app_id":"com.nike.sport.running.ios","start_epoch_ms":1000,"end_epoch_ms":9000,"metrics":[
            {"type":"distance","values":[{"start_epoch_ms":1000,"end_epoch_ms":4000,"value":0.01},{"start_epoch_ms":4001,"end_epoch_ms":7000,"value":0.01}]}]}"#;
        let track = &drafts(json)[0].recording.track;
        assert_eq!(track.times(), [4000, 7000]);
        assert_eq!([0, 1].map(|row| track.distance(row)), [Some(10.0), Some(20.0)]);
    }

    #[test]
    fn a_cut_file_gives_what_it_has() {
        let cut = &RUN[..RUN.find("\"elevation\"").unwrap()];
        let reading = read_with(Reader::Whole(read), cut.as_bytes(), &Limits::default()).unwrap();
        assert!(!reading.drafts[0].complete && reading.notes.has_damage());
        assert_eq!(reading.drafts[0].recording.track.positions().count(), 2);
        assert!(read_with(Reader::Whole(read), b"{\"id\":", &Limits::default()).is_err());
        assert!(!sniff(b"{\"start_epoch_ms\":1}") && !sniff(b"com.nike. \"start_epoch_ms\""));
    }
}
