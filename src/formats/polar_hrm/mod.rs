//! HRM: the text files of Polar Precision Performance, ProTrainer, WebSync and of programs that write for them. Samples on
//! a fixed grid or one a heart beat, no position, no sport, and times by the watch's wall clock without any zone.

mod diary;
mod laps;
mod params;
mod rows;
mod text;

pub use diary::{DIARY, DiaryEntry, diary_entries};
pub(in crate::formats) use text::clock;

use std::collections::BTreeSet;

use self::laps::Blocks;
use self::params::{Grid, Params};
use self::rows::Rows;
use super::{Format, Intake, Reader};
use crate::error::{Error, Place, Result};
use crate::model::{Basis, Clock, Draft};
use crate::report::Code;

const TRUNCATED: Code = Code::damage("hrm.truncated");
const NO_CLOCK: Code = Code::warning("hrm.start_time");
const LEFT_OUT: Code = Code::info("hrm.left_out");
const VERSION: Code = Code::info("hrm.version");

/// Versions that were seen or described.
const VERSIONS: std::ops::RangeInclusive<u32> = 102..=107;

/// The HRM row of the format table.
pub const FORMAT: Format = Format {
    id: "hrm",
    name: "Polar HRM",
    extensions: &["hrm"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: None,
    status: "versions 102 to 107, beat-to-beat intervals, laps; joined with its GPX and diary",
};

/// True when the first section is `[Params]`.
fn sniff(head: &[u8]) -> bool {
    let text = text::decode(head);
    text::Lines::of(&text)
        .map(|(_, line)| line.trim())
        .find(|line| !line.is_empty())
        .is_some_and(|line| text::section(line).is_some_and(|name| name.eq_ignore_ascii_case("params")))
}

/// Reads one exercise.
fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let text = text::decode(bytes);
    let limit = intake.limits().samples;
    let (mut params, mut blocks) = (Params::default(), Blocks::default());
    let (mut note, mut trip, mut lap_notes, mut lap_names, mut zones) = (vec![], vec![], vec![], vec![], vec![]);
    let mut left_out = BTreeSet::new();
    let mut section = "";
    let mut lines = text::Lines::of(&text);
    // Everything before the rows; they are always the last section.
    for (number, line) in lines.by_ref() {
        if let Some(name) = text::section(line).filter(|_| !line.trim().is_empty()) {
            section = name;
            if name.eq_ignore_ascii_case("hrdata") {
                break;
            }
            continue;
        }
        if line.trim().is_empty() {
            continue;
        }
        match section.to_ascii_lowercase().as_str() {
            "params" => params.take(line),
            "note" => note.push(line.trim()),
            "inttimes" => blocks.take(line, number),
            "intnotes" => lap_notes.push(line),
            "lapnames" => lap_names.push(line),
            "hrzones" => zones.extend(line.trim().parse::<f32>().ok().filter(|limit| *limit > 0.0)),
            "trip" => trip.push(line),
            _ => {}
        }
        left_out.extend(has_no_place(section, line));
    }
    let start = params
        .wall_start()
        .ok_or_else(|| Error::malformed(Place::NOWHERE.element("Params"), "no valid Date, so no time is known"))?;
    let mut draft = Draft { clock: Clock { basis: Basis::Local, ..Clock::default() }, ..Draft::new() };
    if params.start.is_none() {
        draft.notes.add(NO_CLOCK, Place::NOWHERE.element("Params"), || "no StartTime; midnight is taken");
    }
    if !VERSIONS.contains(&params.version) {
        let version = params.version;
        draft.notes.add(VERSION, Place::NOWHERE, || format!("version {version} is not known; read as its neighbours"));
    }
    let mut rows = Rows::new(&params, start);
    if section.eq_ignore_ascii_case("hrdata") {
        let needed = expected_rows(&params).map_or(0, |(expected, _)| expected);
        let ends_openly = !text.ends_with(['\r', '\n']);
        let mut lines = lines.peekable();
        while let Some((number, mut line)) = lines.next() {
            // A cut file may have torn the last number of its last row: 10 of 105.
            if ends_openly && lines.peek().is_none() && rows.count() + 1 < needed {
                line = line.rsplit_once(['\t', ' ']).map_or("", |(whole, _)| whole);
            }
            if !line.trim().is_empty() && !rows.take(line, number, limit, &mut draft) {
                break;
            }
        }
    }
    left_out.extend(blocks.has_extra_values().then_some("extra values of laps"));
    draft.notes.add_many(LEFT_OUT, left_out.len() as u64, Place::NOWHERE, || {
        format!("left out: {}", left_out.iter().copied().collect::<Vec<_>>().join(", "))
    });
    let count = rows.count();
    if let Some((expected, unit)) = expected_rows(&params).filter(|(expected, _)| count < *expected) {
        draft.complete = false;
        draft.notes.add(TRUNCATED, Place::NOWHERE.element("HRData"), || {
            format!("{count} rows of {unit} s end before the stated length ({expected} rows)")
        });
    }
    let recording = &mut draft.recording;
    if count == 0 {
        blocks.as_samples(&params, start, recording);
    }
    recording.stated.elapsed_s = params.length_ms.map(|ms| ms as f64 / 1000.0);
    recording.stated.timer_s = recording.stated.elapsed_s;
    laps::trip(&trip, &params, &mut recording.stated);
    recording.laps = blocks.into_laps(&params, start, recording.stated.distance_m, &mut draft.notes);
    lap_notes.iter().for_each(|line| laps::name(line, 1, &mut recording.laps));
    lap_names.iter().for_each(|line| laps::name(line, 2, &mut recording.laps));
    recording.stated_start = Some(start);
    recording.description = (!note.is_empty()).then(|| note.join("\n"));
    recording.devices = vec![params.device()];
    recording.zones.max_heart_rate = params.max_heart_rate;
    recording.zones.resting_heart_rate = params.resting_heart_rate;
    zones.sort_by(f32::total_cmp);
    recording.zones.heart_rate_bounds = zones;
    recording.athlete.weight_kg = params.weight_kg();
    intake.emit(draft)
}

/// What a line says that no activity has a place for. Rows of zeros say nothing.
fn has_no_place(section: &str, line: &str) -> Option<&'static str> {
    let says = || text::numbers(line).iter().flatten().any(|value| *value != 0.0);
    match section.to_ascii_lowercase().as_str() {
        "params" => params::has_no_place(line),
        "summary-123" | "summary-th" if says() => Some("times within limits"),
        "swaptimes" if says() => Some("phases"),
        "hrccmodech" if says() => Some("changes of mode"),
        "coach" => Some("the coach's note"),
        _ => None,
    }
}

/// How many rows the stated length needs at least (a few may be missing), and their interval in seconds.
fn expected_rows(params: &Params) -> Option<(usize, i64)> {
    let Some(Grid::Every(interval_ms)) = params.grid() else { return None };
    let rows = params.length_ms? / interval_ms;
    let tolerance = (rows / 50).max(2);
    (rows > tolerance).then(|| ((rows - tolerance) as usize, interval_ms / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read_with;
    use crate::limits::Limits;
    use crate::model::{Channel, time};

    fn drafts(bytes: &[u8]) -> Result<Vec<Draft>> {
        Ok(read_with(Reader::Whole(read), bytes, &Limits::default())?.drafts)
    }

    const SMALL: &str = "[Params]\nVersion=106\nMonitor=34\nSMode=100000000\nDate=20120106\nStartTime=05:57:01.0\n\
        Length=00:00:10.0\nInterval=5\nMaxHR=190\nRestHR=60\nWeight=78\n\n[Note]\nEasy run\nwith a friend\n\n\
        [IntTimes]\n00:00:06.0\t120\t90\t110\t121\n0\t0\n0\t0\n0\t0\n0\t0\n[IntNotes]\n1\tfirst\n[HRZones]\n190\n150\n0\n\
        [Trip]\n1\n0\n10\n\n[HRData]\n100\t36\n110\t72\n0\t0\n";

    #[test]
    fn reads_every_section() {
        for text in [SMALL.to_owned(), SMALL.replace('\n', "\r\n"), SMALL.replace('\n', "\r")] {
            assert!(sniff(text.as_bytes()));
            let drafts = drafts(text.as_bytes()).unwrap();
            let [draft] = &drafts[..] else { panic!("{} drafts", drafts.len()) };
            let recording = &draft.recording;
            assert_eq!(draft.clock.basis, Basis::Local);
            assert_eq!(recording.stated_start.map(time::utc).as_deref(), Some("2012-01-06T05:57:01Z"));
            assert_eq!(recording.track.len(), 3);
            assert_eq!(recording.track.get(1, Channel::Speed), Some(2.0));
            assert_eq!(recording.description.as_deref(), Some("Easy run\nwith a friend"));
            assert_eq!(recording.laps[0].name.as_deref(), Some("first"));
            assert_eq!((recording.stated.elapsed_s, recording.stated.distance_m), (Some(10.0), Some(100.0)));
            assert_eq!(recording.zones.heart_rate_bounds, [150.0, 190.0]);
            assert_eq!(recording.device().and_then(|d| d.product.as_deref()), Some("CS600X"));
            assert!(draft.complete && draft.notes.is_empty(), "{:?}", draft.notes);
        }
    }

    #[test]
    fn what_has_no_place_is_named() {
        let text = SMALL
            .replace("MaxHR=190", "MaxHR=190\nUpper1=155\nTimer1=0:05:00.0\nVO2max=43\nActiveLimit=0\nLower2=0")
            .replace("0\t0\n0\t0\n0\t0\n0\t0\n", "0\t0\n0\t12\n0\t0\n0\t0\n")
            .replace("[HRZones]", "[Summary-123]\n10\t0\t10\n[SwapTimes]\n0\n[Coach]\nEasy!\n[HRZones]");
        let draft = &drafts(text.as_bytes()).unwrap()[0];
        let note = draft.notes.get("hrm.left_out").unwrap();
        assert_eq!(note.count, 6);
        for what in ["limits", "timers", "VO2max", "extra values of laps", "times within limits", "the coach's note"] {
            assert!(note.detail.contains(what), "{what}: {note:?}");
        }
        assert!(!note.detail.contains("phases"), "{note:?}");
    }

    #[test]
    fn a_cut_file_is_partial() {
        let text = SMALL.replace("Length=00:00:10.0", "Length=01:00:00.0");
        let draft = &drafts(text.as_bytes()).unwrap()[0];
        assert!(!draft.complete && draft.notes.get("hrm.truncated").is_some());
        assert_eq!(draft.recording.track.len(), 3);
    }

    #[test]
    fn the_number_that_the_end_of_a_cut_file_tears_is_left_out() {
        let text = SMALL.replace("Length=00:00:10.0", "Length=01:00:00.0");
        let head = text.split_inclusive("[HRData]").next().unwrap();
        let last = |rows: &str| {
            let draft = drafts(format!("{head}\n{rows}").as_bytes()).unwrap().remove(0);
            let track = &draft.recording.track;
            let row = track.len() - 1;
            (row, track.get(row, Channel::HeartRate), track.get(row, Channel::Speed))
        };
        assert_eq!(last("101\t72\n102\t72\n"), (1, Some(102.0), Some(2.0)));
        assert_eq!(last("101\t72\n102\t7"), (1, Some(102.0), None));
        assert_eq!(last("101\t72\n10"), (0, Some(101.0), Some(2.0)));
    }

    #[test]
    fn lap_times_are_samples_where_there_is_no_grid() {
        let text = SMALL.replace("Interval=5", "Interval=204");
        let text = text.split("[HRData]").next().unwrap();
        let draft = &drafts(text.as_bytes()).unwrap()[0];
        let track = &draft.recording.track;
        assert_eq!((track.len(), track.get(0, Channel::HeartRate)), (1, Some(120.0)));
        assert_eq!(track.times()[0] - draft.recording.stated_start.unwrap(), 6000);
        assert!(draft.complete);
    }

    #[test]
    fn without_a_date_nothing_can_be_read() {
        assert!(drafts(SMALL.replace("Date=20120106", "Date=20121306").as_bytes()).is_err());
        assert!(!sniff(b"Params"));
        assert!(!sniff(b""));
    }
}
