//! The activity summaries of Garmin's "Export Your Data" (`*_summarizedActivities.json`): chunks of about a thousand activities,
//! one draft each. A multisport activity comes as one, its legs as sessions.

mod activity;
pub mod gear;
mod legs;
mod sports;
mod units;

use std::io::{BufRead, Read};

use memchr::memmem;

use self::legs::Held;
use super::{Format, Intake, Reader, SNIFF_BYTES};
use crate::error::{Error, Kind, Place, Result};
use crate::json::{Json, Shape, Value};
use crate::report::Code;

const CUT: Code = Code::damage("garmin.cut_off");
const ELEMENT: Code = Code::warning("garmin.element");

/// The key above the list of activities.
const LIST: &str = "summarizedActivitiesExport";

/// The Garmin row of the format table.
pub const FORMAT: Format = Format {
    id: "garmin",
    name: "Garmin summarizedActivities",
    extensions: &["json"],
    binary: false,
    table: true,
    sniff,
    read: Some(Reader::Stream(read)),
    write: None,
    status: "the summaries of an Export Your Data archive: names, sports, local time, totals, laps",
};

/// True for the list, with its key or bare. The web site's API writes `startTimeGMT`, and other units.
fn sniff(head: &[u8]) -> bool {
    let open = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let has = |key: &str| memmem::find(head, format!("\"{key}\"").as_bytes()).is_some();
    matches!(open.first(), Some(b'{' | b'['))
        && (has(LIST) || (has("activityId") && has("startTimeGmt") && (has("beginTimestamp") || has("activityType"))))
}

fn read(mut stream: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    let mut head = Vec::new();
    let failed = |error| Error::io("cannot read", error);
    Read::take(&mut stream, SNIFF_BYTES as u64).read_to_end(&mut head).map_err(failed)?;
    let listed = memmem::find(&head, LIST.as_bytes()).is_some();
    let mut json = Json::new(head.chain(stream), intake.limits());
    let mut held = Held::default();
    let walked = if listed { lists(&mut json, &mut held, intake) } else { bare(&mut json, &mut held, intake) };
    let met = !held.is_empty() || intake.emitted() > 0;
    match walked {
        Err(error) if error.kind() == Kind::Io || !met => return Err(error),
        Err(error) => intake.notes().add(CUT, error.place().clone(), || error.message().to_owned()),
        Ok(()) => {}
    }
    held.release(intake)?;
    json.report(intake.notes());
    if intake.emitted() == 0 {
        intake.skip("list without activities");
    }
    Ok(())
}

/// `[{"summarizedActivitiesExport": […]}]`, with or without the outer brackets.
fn lists<R: Read>(json: &mut Json<R>, held: &mut Held, intake: &mut Intake<'_>) -> Result<()> {
    let outer = json.peek()? == Shape::Array;
    if outer {
        json.array()?;
    }
    loop {
        match json.peek()? {
            Shape::Object => json.object()?,
            Shape::End => break,
            _ => {
                json.skip()?;
                continue;
            }
        }
        while let Some(key) = json.key()? {
            if key == LIST && json.peek()? == Shape::Array {
                json.array()?;
                elements(json, held, intake)?;
            } else {
                json.skip()?;
            }
        }
    }
    if outer {
        json.next()?;
    }
    Ok(())
}

/// A list of activities, or one after the other.
fn bare<R: Read>(json: &mut Json<R>, held: &mut Held, intake: &mut Intake<'_>) -> Result<()> {
    if json.peek()? == Shape::Array {
        json.array()?;
    }
    elements(json, held, intake)
}

fn elements<R: Read>(json: &mut Json<R>, held: &mut Held, intake: &mut Intake<'_>) -> Result<()> {
    loop {
        let place = Place::NOWHERE.record(usize::try_from(json.ordinal()).unwrap_or(usize::MAX));
        let Some(element) = json.element(intake.notes())? else { return Ok(()) };
        let is_activity = !element["activityId"].is_null() || !element["startTimeLocal"].is_null();
        if is_activity {
            held.take(&element, &place);
            if held.is_full() {
                held.release(intake)?;
            }
        } else {
            intake.notes().add(ELEMENT, place, || format!("an element that is no activity: {}", kind(&element)));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object without activityId",
        Value::Array(_) => "a list",
        _ => "a bare value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Reading, read_with};
    use crate::limits::Limits;
    use crate::model::{Draft, Evidence, Sport, SubSport, time};

    fn reading(text: &str) -> Reading {
        assert!(sniff(text.as_bytes()), "{text}");
        read_with(Reader::Stream(read), text.as_bytes(), &Limits::default()).unwrap()
    }

    /// The skeleton of garmin-export.md section 7, shortened.
    const RUN: &str = r#"{"activityId":14512345678,"name":"Lunch Run","activityType":"running","sportType":"RUNNING",
        "beginTimestamp":1714557600000,"startTimeGmt":1714557600000,"startTimeLocal":1714564800000,
        "duration":1800000.0,"elapsedDuration":1860000.0,"movingDuration":1795000.0,"distance":500000.0,"elevationGain":4200.0,
        "elevationLoss":4100.0,"avgSpeed":0.2777777777777778,"avgHr":150.0,"maxHr":171.0,"minHr":0.0,"calories":1640.0,
        "avgRunCadence":84.0,"avgDoubleCadence":168.0,"startLatitude":52.5,"startLongitude":13.4,"hrTimeInZone_0":0.0,
        "hrTimeInZone_1":600000.0,"hrTimeInZone_2":1200000.0,"hrTimeInZone_3":0.0,"parent":false,"manufacturer":"GARMIN"}"#;

    fn one(text: &str) -> Draft {
        let mut drafts = reading(&format!(r#"[{{"summarizedActivitiesExport":[{text}]}}]"#)).drafts;
        assert_eq!(drafts.len(), 1);
        drafts.remove(0)
    }

    #[test]
    fn units_become_those_of_the_model() {
        let draft = one(RUN);
        assert!(draft.notes.is_empty(), "{:?}", draft.notes);
        let (recording, stated) = (&draft.recording, &draft.recording.stated);
        assert_eq!((stated.distance_m, stated.timer_s, stated.elapsed_s), (Some(5000.0), Some(1800.0), Some(1860.0)));
        assert_eq!((stated.ascent_m, stated.descent_m, stated.moving_s), (Some(42.0), Some(41.0), Some(1795.0)));
        assert_eq!(stated.calories_kcal.map(f64::round), Some(392.0));
        assert_eq!(stated.avg_speed.map(|speed| (speed * 1000.0).round()), Some(2778.0));
        assert_eq!((stated.avg_cadence, stated.avg_heart_rate, stated.min_heart_rate), (Some(84.0), Some(150.0), None));
        assert_eq!(recording.zones.heart_rate_seconds, [0.0, 600.0, 1200.0]);
        assert_eq!(recording.stated_start.map(time::utc).as_deref(), Some("2024-05-01T10:00:00Z"));
        assert_eq!((draft.clock.offset_s, draft.clock.evidence), (Some(7200), Evidence::Archive));
        assert_eq!(recording.platform_ids, [("garmin".to_owned(), "14512345678".to_owned())]);
        assert_eq!((recording.sport, recording.sub_sport, &recording.sport_label), (Sport::RUNNING, None, &None));
        assert_eq!(recording.sessions[0].start_position, Some((52.5, 13.4)));
        assert_eq!(recording.devices[0].manufacturer.as_deref(), Some("garmin"));
    }

    #[test]
    fn what_has_no_place_is_named() {
        let more = |fields: &str| one(&RUN.replace(r#""parent":false"#, &format!(r#""parent":false,{fields}"#))).notes;
        let notes = more(r#""locationName":" Zürich ","eventTypeId":1"#);
        let note = notes.get("garmin.left_out").unwrap();
        assert_eq!((note.count, note.detail.as_str()), (2, "left out: the place \"Zürich\", that it was a race"));
        assert!(more(r#""locationName":"","eventTypeId":9"#).is_empty());
    }

    #[test]
    fn all_shapes_of_the_file_are_read() {
        let other = RUN.replace("14512345678", "2");
        for text in [
            format!(r#"[{{"summarizedActivitiesExport":[{RUN},{other}]}}]"#),
            format!(r#"{{"summarizedActivitiesExport":[{RUN},{other}]}}"#),
            format!(r#"{{"user":7,"summarizedActivitiesExport":[{RUN},{other}],"more":{{}}}}"#),
            format!("[{RUN},{other}]"),
            format!("\u{feff}{RUN}\n{other}"),
            format!(r#"[{{"summarizedActivitiesExport":[{RUN}]}},{{"summarizedActivitiesExport":[{other}]}}]"#),
        ] {
            let reading = reading(&text);
            let ids: Vec<&str> = reading.drafts.iter().map(|d| d.recording.platform_ids[0].1.as_str()).collect();
            assert_eq!(ids, ["14512345678", "2"], "{text}");
            assert!(reading.notes.is_empty(), "{:?}", reading.notes);
        }
        for text in [
            r#"[{"activityId":1,"startTimeGMT":"2024-05-01 10:00:00","beginTimestamp":1714557600000,"activityType":{"typeKey":"running"}}]"#,
            r#"{"activities":[{"activityId":1}]}"#,
            "summarizedActivitiesExport",
        ] {
            assert!(!sniff(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_broken_element_costs_itself_and_a_cut_end_the_rest() {
        let other = RUN.replace("14512345678", "2");
        let damaged =
            reading(&format!(r#"[{{"summarizedActivitiesExport":[{RUN},{{"activityId":7,"x" 1}},{other}]}}]"#));
        assert_eq!((damaged.drafts.len(), damaged.notes.has_damage()), (2, true));
        let whole = format!(r#"[{{"summarizedActivitiesExport":[{RUN},{other}]}}]"#);
        for (end, count) in [(whole.len() - 1, 2), (whole.len() - 3, 2), (whole.len() - 40, 1), (RUN.len(), 0)] {
            let text = &whole[..end];
            match read_with(Reader::Stream(read), text.as_bytes(), &Limits::default()) {
                Ok(reading) => assert_eq!((reading.drafts.len(), reading.notes.has_damage()), (count, true), "{end}"),
                Err(error) => assert_eq!((count, error.kind()), (0, Kind::Malformed), "{end}"),
            }
        }
    }

    #[test]
    fn offsets_are_believed_when_a_zone_can_have_them() {
        let of = |local: i64| {
            let draft = one(&RUN.replace("1714564800000", &local.to_string()));
            (draft.clock.offset_s, draft.notes.get("garmin.offset").is_some())
        };
        const START: i64 = 1_714_557_600_000;
        assert_eq!(of(START - 12_600_000), (Some(-12_600), false)); // −3:30
        assert_eq!(of(START + 20_700_000), (Some(20_700), false)); // +5:45
        assert_eq!(of(START), (Some(0), false));
        assert_eq!(of(START + 7_201_000), (None, true));
        assert_eq!(of(START + 15 * 3_600_000), (None, true));
        let draft = one(&RUN.replace(r#""startTimeLocal":1714564800000,"#, ""));
        assert_eq!((draft.clock.offset_s, draft.clock.evidence), (None, Evidence::None));
    }

    #[test]
    fn the_last_one_of_an_id_counts() {
        let again = RUN.replace("Lunch", "Late");
        let reading = reading(&format!("[{RUN},{},{again}]", RUN.replace("14512345678", "2")));
        let names: Vec<_> = reading.drafts.iter().map(|d| d.recording.name.as_deref().unwrap_or_default()).collect();
        assert_eq!(names, ["Late Run", "Lunch Run"]);
        assert!(reading.drafts[0].notes.get("garmin.repeated").is_some());
    }

    #[test]
    fn a_multisport_activity_is_one_with_its_legs_as_sessions() {
        let leg = |id: u64, kind: &str, minutes: i64| {
            format!(
                r#"{{"activityId":{id},"activityType":"{kind}","startTimeGmt":{},"beginTimestamp":0,"elapsedDuration":600000,"parentId":100,"parent":false}}"#,
                1_714_557_600_000 + minutes * 60_000
            )
        };
        let whole = r#"{"activityId":100,"activityType":"multi_sport","startTimeGmt":1714557600000,"distance":1000000,"elapsedDuration":1800000,"parent":true,"parentId":null}"#;
        let lone = leg(9, "running", 0).replace(r#""parentId":100"#, r#""parentId":55"#);
        let text = format!(
            "[{},{},{whole},{},{lone}]",
            leg(103, "running", 20),
            leg(101, "open_water_swimming", 0),
            leg(102, "transition_v2", 10)
        );
        let reading = reading(&text);
        let [whole, lone] = &reading.drafts[..] else { panic!("{} drafts", reading.drafts.len()) };
        assert_eq!((whole.recording.sport, whole.recording.stated.distance_m), (Sport::MULTISPORT, Some(10_000.0)));
        let legs: Vec<_> = whole.recording.sessions.iter().map(|leg| (leg.sport, leg.sub_sport)).collect();
        let open_water = Some(SubSport(18));
        assert_eq!(legs, [(Sport::SWIMMING, open_water), (Sport::TRANSITION, None), (Sport::RUNNING, None)]);
        let ids: Vec<&str> = whole.recording.platform_ids.iter().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids, ["100", "101", "102", "103"]);
        assert_eq!(lone.recording.platform_ids[0].1, "9");
        assert!(whole.notes.get("garmin.legs").is_some() && lone.notes.get("garmin.lone_leg").is_some());
    }

    #[test]
    fn activities_that_are_each_other_s_legs_are_all_kept() {
        let text = r#"[{"activityId":1,"activityType":"running","startTimeGmt":1714557600000,"parentId":2},
            {"activityId":2,"activityType":"running","startTimeGmt":1714557600000,"parentId":1},
            {"activityId":3,"activityType":"running","startTimeGmt":1714557600000,"parentId":3}]"#;
        assert_eq!(reading(text).drafts.len(), 3);
    }

    #[test]
    fn types_may_be_objects_and_unknown_ones_are_kept_as_text() {
        let of = |kind: &str| {
            let draft = one(&RUN.replace(r#""running","sportType":"RUNNING""#, kind));
            (draft.recording.sport, draft.recording.sport_label, draft.notes.get("garmin.activity_type").is_some())
        };
        assert_eq!(of(r#"{"typeId":2,"typeKey":"lap_swimming"}"#), (Sport::SWIMMING, None, false));
        assert_eq!(of(r#""moon_running""#), (Sport::RUNNING, Some("moon_running".into()), true));
        assert_eq!(of(r#""quidditch""#), (Sport::GENERIC, Some("quidditch".into()), true));
        assert_eq!(of(r#""quidditch","sportType":"CYCLING""#), (Sport::CYCLING, Some("quidditch".into()), true));
    }

    #[test]
    fn splits_say_their_units() {
        let splits = r#""splits":[{"type":18,"startTimeGMT":1714557900000,"endTimeGMT":1714558200000,"measurements":[
            {"fieldEnum":"SUM_DISTANCE","unitEnum":"CENTIMETER","value":100000},{"fieldEnum":"SUM_DURATION","unitEnum":"MILLISECOND","value":300000},
            {"fieldEnum":"WEIGHTED_MEAN_SPEED","unitEnum":"CENTIMETERS_PER_MILLISECOND","value":0.35},
            {"fieldEnum":"WEIGHTED_MEAN_DOUBLE_CADENCE","unitEnum":"BPM","value":172},
            {"fieldEnum":"SUM_ENERGY","unitEnum":"KILOJOULE","value":418.4},{"fieldEnum":"MAX_POWER","unitEnum":"HORSE","value":1},
            {"fieldEnum":"MAX_HEARTRATE","unitEnum":"BPM","value":0,"valid":false}]},
            {"startTimeGMT":1714557600000,"measurements":[{"fieldEnum":"SUM_ELAPSEDDURATION","unitEnum":"MILLISECOND","value":300000}]},
            {"type":3,"lapIndexes":[0],"startTimeGMT":1714557600000,"endTimeGMT":1714558200000,"measurements":[
            {"fieldEnum":"GAIN_ELEVATION","unitEnum":"CENTIMETER","value":500}]}],"#;
        let draft = one(&RUN.replace(r#""parent":false"#, &format!(r#"{splits}"parent":false"#)));
        let [first, second] = &draft.recording.laps[..] else { panic!("{} laps", draft.recording.laps.len()) };
        assert_eq!((first.end - first.start, second.end - second.start), (300_000, 300_000));
        let totals = &second.totals;
        assert_eq!((totals.distance_m, totals.timer_s, totals.avg_speed), (Some(1000.0), Some(300.0), Some(3.5)));
        assert_eq!((totals.avg_cadence, totals.calories_kcal.map(f64::round)), (Some(86.0), Some(100.0)));
        assert_eq!((totals.max_power, totals.max_heart_rate), (None, None));
        assert_eq!(draft.recording.splits[0].totals.ascent_m, Some(5.0));
        assert_eq!(draft.notes.get("garmin.unit").map(|note| note.count), Some(1));
    }

    #[test]
    fn numbers_that_contradict_each_other_are_told() {
        assert!(one(&RUN.replace("500000.0", "5000.0")).notes.get("garmin.units").is_some());
        // Averages over the moving time are fine.
        let slow = RUN.replace(r#""elapsedDuration":1860000.0"#, r#""elapsedDuration":9000000.0"#);
        assert!(one(&slow).notes.is_empty());
    }
}
