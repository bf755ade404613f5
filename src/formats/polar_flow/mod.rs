//! Training sessions of Polar Flow as JSON: `training-session*.json` of the account export, in the generation with
//! `exportVersion` and in the one with `identifier` that replaced it, and the exercises that AccessLink gives to tools.
//! Also the CSV of one session that its web pages offer. One session is one activity, a multisport one too. Local times, with an offset from UTC where one is stated.

mod accesslink;
mod draft;
mod fields;
mod leg;
mod parse;
mod raw;
mod recorded;
mod sports;
mod table;
mod timeline;

use self::parse::Each;
use super::{Format, Intake, Reader};
use crate::error::{Error, Kind, Place, Result};
use crate::json::Json;
use crate::report::Code;

const CUT: Code = Code::damage("flow.json");
const CUT_CSV: Code = Code::damage("flow.csv");

/// The row of the account export in the format table.
pub const FORMAT: Format = Format {
    id: "polar_flow",
    name: "Polar Flow training session JSON",
    extensions: &["json"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: None,
    status: "sessions of both generations of the account export, with exercises, series, routes, laps, pauses, zones",
};

/// The row of AccessLink in the format table.
pub const ACCESSLINK: Format = Format {
    id: "polar_accesslink",
    name: "Polar AccessLink JSON",
    extensions: &["json"],
    binary: false,
    table: false,
    sniff: sniff_accesslink,
    read: Some(Reader::Whole(read_accesslink)),
    write: None,
    status: "exercises with samples, route and zones, as sync tools saved them",
};

/// The row of Polar Flow's CSV in the format table.
pub const CSV: Format = Format {
    id: "polar_csv",
    name: "Polar Flow CSV",
    extensions: &["csv"],
    binary: false,
    table: false,
    sniff: table::sniff,
    read: Some(Reader::Whole(read_csv)),
    write: None,
    status: "one session with its samples, as the web pages offer it",
};

/// True when the head is of JSON and has all of these keys.
fn has(head: &[u8], all: &[&str]) -> bool {
    let open = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let key = |key: &&str| memchr::memmem::find(head, format!("\"{key}\"").as_bytes()).is_some();
    matches!(open.first(), Some(b'{' | b'[')) && all.iter().all(key)
}

/// Plans, daily sums and tests of the same archive have no end of a recording. Where the keys are in another order, the
/// exercises stand first, and what was recorded in one fills the head; those of plans have phases.
fn sniff(head: &[u8]) -> bool {
    const RECORDED: &[&[&str]] = &[
        &["samples", "dateTime"],
        &["splitTime", "duration"],
        &["samples", "intervalMillis"],
        &["routes", "wayPoints"],
        &["splitTimeMillis"],
    ];
    has(head, &["exportVersion", "startTime", "stopTime"])
        || has(head, &["identifier", "durationMillis", "startTime", "stopTime"])
        || (has(head, &["exercises"]) && !has(head, &["phases"]) && RECORDED.iter().any(|keys| has(head, keys)))
}

fn sniff_accesslink(head: &[u8]) -> bool {
    const SIGNS: &[&str] =
        &["start_time_utc_offset", "start-time-utc-offset", "detailed_sport_info", "detailed-sport-info"];
    (has(head, &["start_time", "duration"]) || has(head, &["start-time", "duration"]))
        && SIGNS.iter().any(|sign| has(head, &[sign]))
}

fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    sessions(bytes, intake, "Polar Flow", parse::sessions)
}

fn read_accesslink(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    sessions(bytes, intake, "Polar AccessLink", accesslink::exercises)
}

fn read_csv(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let (raw, whole) = table::session(bytes)?;
    let mut draft = draft::draft(raw, "Polar Flow", intake.limits().samples);
    if !whole {
        draft.complete = false;
        draft.notes.add(CUT_CSV, Place::NOWHERE, || "the table of samples is missing, damaged or cut off");
    }
    intake.emit(draft)
}

/// Walks through a text and hands on what it holds.
type Walk = fn(&mut Json<&[u8]>, Each<'_>) -> Result<()>;

fn sessions(bytes: &[u8], intake: &mut Intake<'_>, creator: &str, walk: Walk) -> Result<()> {
    let mut json = Json::new(bytes, intake.limits());
    let samples = intake.limits().samples;
    let mut refused = None;
    let walked = walk(&mut json, &mut |raw, whole| {
        let mut draft = draft::draft(raw, creator, samples);
        draft.complete &= whole;
        intake.emit(draft).map_err(|error| {
            refused = Some(error);
            Error::new(Kind::Internal, "no more activities are wanted")
        })
    });
    if let Some(error) = refused {
        return Err(error);
    }
    json.report(intake.notes());
    match walked {
        Err(fault) if intake.emitted() == 0 => return Err(fault),
        Err(fault) => intake.notes().add(CUT, fault.place().clone(), || fault.message().to_owned()),
        Ok(()) if intake.emitted() == 0 => intake.skip("no training session"),
        Ok(()) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read_with;
    use crate::limits::Limits;
    use crate::model::{Basis, Channel, Draft, Evidence, Sport, SubSport, time};

    fn drafts(json: &str) -> Vec<Draft> {
        assert!(sniff(json.as_bytes()), "{json}");
        read_with(Reader::Whole(read), json.as_bytes(), &Limits::default()).unwrap().drafts
    }

    fn one(json: &str) -> Draft {
        let mut drafts = drafts(json);
        assert_eq!(drafts.len(), 1);
        drafts.remove(0)
    }

    fn utc(text: &str) -> i64 {
        time::parse(text.as_bytes()).unwrap().ms
    }

    // The skeleton of polar-flow-export.md section 7.
    const NEW: &str = r#"{"identifier":{"id":"8881234567"},"created":"2025-06-01T06:10:00.000","modified":"2025-06-01T06:11:00.000",
        "startTime":"2025-06-01T07:30:00","stopTime":"2025-06-01T08:00:10","name":"","timezoneOffsetMinutes":120,"durationMillis":1800000,
        "distanceMeters":5000.0,"calories":390,"hrAvg":150,"hrMax":171,"sport":{"id":"1"},"exercises":[{"identifier":{"id":"e1"},
        "startTime":"2025-06-01T07:30:00","stopTime":"2025-06-01T08:00:10","timezoneOffsetMinutes":120,"durationMillis":1800000,
        "ascentMeters":12,"sport":{"id":"1"},"laps":{},"pauseTimes":[{"startTime":"2025-06-01T07:45","endTime":"2025-06-01T07:45:10.250"}],
        "samples":{"samples":[{"type":"HEART_RATE","intervalMillis":1000,"values":[NaN,88,89,"NaN",91]},
        {"type":"ALTITUDE","intervalMillis":1000,"values":[0,0,0,61.2,61.2]},{"type":"SPEED","intervalMillis":1000,"values":[null,3.6]},
        {"type":"STRIDE_LENGTH","intervalMillis":2000,"values":[100,101]}]},
        "routes":{"route":{"startTime":"2025-06-01T07:30:02","wayPoints":[{"latitude":60.2,"longitude":25.1,"altitude":61.2,"elapsedMillis":0},
        {"latitude":60.2001,"longitude":25.1,"elapsedMillis":1000},{"latitude":60.2002,"longitude":25.1,"elapsedMillis":5000}]}}}]}"#;

    #[test]
    fn series_and_route_share_one_timeline() {
        let draft = one(NEW);
        let (recording, track) = (&draft.recording, &draft.recording.track);
        let start = utc("2025-06-01T05:30:00Z");
        // A value each second, where there is one, and a position that no series accompanies.
        assert_eq!(track.times().iter().map(|t| t - start).collect::<Vec<_>>(), [0, 1000, 2000, 3000, 4000, 7000]);
        let column = |channel| (0..6).map(|row| track.get(row, channel)).collect::<Vec<_>>();
        assert_eq!(column(Channel::HeartRate), [None, Some(88.0), Some(89.0), None, Some(91.0), None]);
        // Zeros before the first fix are none; the position says how high it was at 2 s.
        assert_eq!(column(Channel::Altitude), [None, None, Some(61.2), Some(61.2), Some(61.2), None]);
        assert_eq!(column(Channel::Speed), [None, Some(1.0), None, None, None, None]);
        assert_eq!(track.positions().map(|(row, _)| row).collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!(track.extra()[0].present().collect::<Vec<_>>(), [(0, 100.0), (2, 101.0)]);
        assert_eq!(draft.notes.get("flow.altitude_zero").unwrap().count, 3);
        assert_eq!((draft.clock.basis, draft.clock.offset_s), (Basis::Offset, Some(7200)));
        assert_eq!(recording.created, Some(utc("2025-06-01T06:11:00Z")));
        assert_eq!(recording.platform_ids, [("polar".to_owned(), "8881234567".to_owned())]);
        assert!(draft.complete && recording.name.is_none());
    }

    #[test]
    fn totals_pauses_and_the_leg_are_kept() {
        let recording = one(NEW).recording;
        let stated = &recording.stated;
        assert_eq!((stated.timer_s, stated.elapsed_s), (Some(1800.0), Some(1810.0)));
        assert_eq!((stated.distance_m, stated.calories_kcal, stated.ascent_m), (Some(5000.0), Some(390.0), Some(12.0)));
        assert_eq!((stated.avg_heart_rate, stated.max_heart_rate), (Some(150.0), Some(171.0)));
        let pause = recording.pauses[0];
        assert_eq!((pause.start, pause.end), (utc("2025-06-01T05:45:00Z"), utc("2025-06-01T05:45:10.250Z")));
        let session = &recording.sessions[0];
        assert_eq!(
            (session.sport, recording.sport, session.start),
            (Sport::RUNNING, Sport::RUNNING, pause.start - 900_000)
        );
    }

    fn with(from: &str, to: &str) -> Draft {
        assert!(NEW.contains(from), "{from}");
        one(&NEW.replace(from, to))
    }

    #[test]
    fn an_absent_offset_is_unknown_and_that_of_an_exercise_counts() {
        let local = with(r#""timezoneOffsetMinutes":120,"#, "");
        assert_eq!(
            (local.clock.basis, local.clock.offset_s, local.clock.evidence),
            (Basis::Local, None, Evidence::None)
        );
        assert_eq!(local.recording.stated_start, Some(utc("2025-06-01T07:30:00Z")));
        assert_eq!(local.recording.created, None);
        let own = with(r#""name":"","timezoneOffsetMinutes":120,"#, "");
        assert_eq!((own.clock.offset_s, own.recording.stated_start), (Some(7200), Some(utc("2025-06-01T05:30:00Z"))));
        let west = with(r#""timezoneOffsetMinutes":120,"#, r#""timezoneOffsetMinutes":-210,"#);
        assert_eq!(west.clock.offset_s, Some(-12_600));
        assert_eq!(west.recording.stated_start, Some(utc("2025-06-01T11:00:00Z")));
        assert_eq!(west.recording.track.times()[0], utc("2025-06-01T11:00:00Z"));
    }

    #[test]
    fn a_stop_that_the_series_leave_out_is_put_back() {
        // 6 values a second, 6 s of running in 10 s, stopped from 2 s to 6 s.
        let json = r#"{"identifier":{"id":"1"},"startTime":"2025-06-01T07:30:00","stopTime":"2025-06-01T07:30:10","timezoneOffsetMinutes":0,
            "durationMillis":6000,"exercises":[{"startTime":"2025-06-01T07:30:00","stopTime":"2025-06-01T07:30:10","durationMillis":6000,
            "pauseTimes":[{"startTime":"2025-06-01T07:30:02","endTime":"2025-06-01T07:30:06"}],
            "laps":{"laps":[{"splitTimeMillis":3000,"durationMillis":3000},{"splitTimeMillis":6000,"durationMillis":3000,"distanceMeters":9}],
                "autoLaps":[{"splitTimeMillis":5000,"durationMillis":5000,"distanceMeters":20}]},
            "samples":{"samples":[{"type":"HEART_RATE","intervalMillis":1000,"values":[1,2,3,4,5,6]}],"rrSamples":[{"durationMillis":2500,"offline":false},
            {"durationMillis":700,"offline":true},{"durationMillis":800}]}}]}"#;
        let recording = one(json).recording;
        let start = utc("2025-06-01T07:30:00Z");
        let since = |t: i64| t - start;
        assert_eq!(
            recording.track.times().iter().map(|t| since(*t)).collect::<Vec<_>>(),
            [0, 1000, 2000, 7000, 8000, 9000]
        );
        let laps: Vec<_> =
            recording.laps.iter().map(|lap| (since(lap.start), since(lap.end), lap.totals.timer_s)).collect();
        assert_eq!(laps, [(0, 7000, Some(3.0)), (7000, 10_000, Some(3.0))]);
        assert_eq!(recording.laps[1].totals.distance_m, Some(9.0));
        assert_eq!((since(recording.splits[0].start), since(recording.splits[0].end)), (0, 9000));
        let beats: Vec<_> = recording.rr.iter().map(|rr| (since(rr.time), rr.ms)).collect();
        assert_eq!(beats, [(6500, 2500), (8000, 800)]);
        // With the stop inside, 10 values fill the whole span.
        let whole = json.replace("[1,2,3,4,5,6]", "[1,2,3,4,5,6,7,8,9,10]");
        assert_eq!(one(&whole).recording.track.times().iter().map(|t| since(*t)).max(), Some(9000));
    }

    // polar-flow-export.md section 2.
    const OLD: &str = r#"{"exportVersion":"1.6","name":"Evening","startTime":"2019-05-01T18:20:18.000","stopTime":"2019-05-01T18:20:48.000",
        "timeZoneOffset":60,"deviceId":"1234","latitude":60.2,"longitude":24.9,"distance":88.5,"duration":"PT20.125S","maximumHeartRate":120,
        "averageHeartRate":110,"kiloCalories":7,"physicalInformationSnapshot":{"height, cm":180.0,"weight, kg":71.5,"maximumHeartRate":190,"sex":"MALE"},
        "exercises":[{"startTime":"2019-05-01T18:20:18.000","stopTime":"2019-05-01T18:20:48.000","timezoneOffset":60,"duration":"PT20.125S",
        "sport":"CROSS-COUNTRY_RUNNING","ascent":5.0,"speed":{"avg":10.8,"max":14.4},"heartRate":{"min":99,"avg":110,"max":120},
        "zones":{"heart_rate":[{"lowerLimit":95,"higherLimit":114,"inZone":"PT15S","zoneIndex":1},{"lowerLimit":114,"higherLimit":133,"inZone":"PT5S"}]},
        "samples":{"heartRate":[{"dateTime":"2019-05-01T18:20:18.000","value":100},{"dateTime":"2019-05-01T18:20:19.000"},
            {"dateTime":"2019-05-01T18:20:20.000","value":102}],
        "distance":[{"dateTime":"2019-05-01T18:20:18.000","value":0.0},{"dateTime":"2019-05-01T18:20:19.000","value":2.5},{"dateTime":"2019-05-01T18:20:20.000","value":5.0}],
        "recordedRoute":[{"dateTime":"2019-05-01T18:20:18.250","longitude":24.9,"latitude":60.2,"altitude":12.5},
            {"dateTime":"2019-05-01T18:20:19.250","longitude":24.9,"latitude":60.201,"altitude":12.5},{"dateTime":"2019-05-01T18:20:20.250","longitude":24.9,"latitude":60.202}],
        "rr":[{"duration":"PT0.521S","offline":false}]},
        "laps":[{"splitTime":"PT10S","duration":"PT10S","distance":40.0,"heartRate":{"min":90,"avg":100,"max":110}}],"autoLaps":[]}]}"#;

    #[test]
    fn the_old_generation_is_read() {
        let draft = one(OLD);
        let (recording, track) = (&draft.recording, &draft.recording.track);
        let start = utc("2019-05-01T17:20:18Z");
        assert_eq!(track.times(), [start, start + 1000, start + 2000]);
        assert_eq!((track.get(0, Channel::HeartRate), track.get(1, Channel::HeartRate)), (Some(100.0), None));
        assert_eq!((track.distance(1), track.position(1)), (Some(2.5), Some((60.201, 24.9))));
        assert_eq!(recording.stated.timer_s, Some(20.125));
        assert_eq!((recording.stated.avg_speed, recording.stated.min_heart_rate), (Some(3.0), Some(99.0)));
        assert_eq!(
            (recording.athlete.weight_kg, recording.athlete.height_m, recording.athlete.gender),
            (Some(71.5), Some(1.8), Some(1))
        );
        assert_eq!(recording.zones.heart_rate_bounds, [114.0, 133.0]);
        assert_eq!(recording.zones.heart_rate_seconds, [15.0, 5.0]);
        assert_eq!((recording.rr[0].ms, recording.rr[0].time), (521, start + 521));
        assert_eq!((recording.laps[0].end - start, recording.laps[0].totals.avg_heart_rate), (10_000, Some(100.0)));
        // An unknown word is kept and noted.
        assert_eq!(
            (recording.sport, recording.sport_label.as_deref()),
            (Sport::GENERIC, Some("CROSS-COUNTRY_RUNNING"))
        );
        assert!(draft.notes.get("flow.sport").is_some());
        assert_eq!(draft.clock.offset_s, Some(3600));
    }

    #[test]
    fn a_route_with_the_offset_twice_and_series_without_the_pause() {
        // The route is an hour late, and shows a pause of 20 s that the series have not.
        let json = OLD
            .replace("18:20:18.250", "19:20:18.250")
            .replace("18:20:19.250", "19:20:39.250")
            .replace("18:20:20.250", "19:20:40.250");
        let draft = one(&json);
        let track = &draft.recording.track;
        let since = utc("2019-05-01T17:20:18.250Z");
        assert_eq!(track.times().iter().map(|t| t - since).collect::<Vec<_>>(), [0, 21_000, 22_000]);
        assert_eq!((track.get(2, Channel::HeartRate), track.position(2)), (Some(102.0), Some((60.202, 24.9))));
        assert!(draft.notes.get("flow.route_offset").is_some() && draft.notes.get("flow.series_time").is_some());
    }

    #[test]
    fn a_multisport_session_is_one_activity_with_legs() {
        let leg = |id: &str, sport: &str, from: &str, to: &str, distances: &str, more: &str| {
            format!(
                r#"{{"identifier":{{"id":"{id}"}},"startTime":"2025-06-02T{from}","stopTime":"2025-06-02T{to}","durationMillis":2000,
                "sport":{{"id":"{sport}"}},"samples":{{"samples":[{{"type":"DISTANCE","intervalMillis":1000,"values":{distances}}}]{more}}}}}"#
            )
        };
        let exercises = [
            leg("s", "23", "18:00:00", "18:00:02", "[0,5,10]", ""),
            leg(
                "b",
                "2",
                "18:00:06",
                "18:00:08",
                "[0,7,14]",
                r#","transitionSamples":[{"type":"HEART_RATE","intervalMillis":1000,"values":[120,121]}]"#,
            ),
        ];
        let json = format!(
            r#"{{"identifier":{{"id":"x"}},"startTime":"2025-06-02T18:00:00","stopTime":"2025-06-02T18:00:08","timezoneOffsetMinutes":60,"durationMillis":8000,
            "distanceMeters":24,"sport":{{"id":"68"}},"exercises":[{}]}}"#,
            exercises.join(",")
        );
        let recording = one(&json).recording;
        assert_eq!((recording.sport, recording.sub_sport), (Sport::MULTISPORT, Some(SubSport(78))));
        let start = utc("2025-06-02T17:00:00Z");
        let legs: Vec<_> = recording.sessions.iter().map(|s| (s.sport, s.start - start, s.end - start)).collect();
        assert_eq!(legs, [(Sport::SWIMMING, 0, 2000), (Sport::TRANSITION, 2000, 6000), (Sport::CYCLING, 6000, 8000)]);
        let track = &recording.track;
        // Distance goes on from leg to leg; the change lies right in front of the next leg.
        let rows: Vec<_> = (0..track.len()).map(|row| (track.times()[row] - start, track.distance(row))).collect();
        let metres = |time, metres| (time, Some(metres));
        assert_eq!(
            rows,
            [
                metres(0, 0.0),
                metres(1000, 5.0),
                metres(2000, 10.0),
                (4000, None),
                (5000, None),
                metres(6000, 10.0),
                metres(7000, 17.0),
                metres(8000, 24.0)
            ]
        );
        assert_eq!(track.get(4, Channel::HeartRate), Some(121.0));
    }

    #[test]
    fn an_old_session_has_the_sport_of_its_exercises() {
        let leg = |sport: &str, from: &str, to: &str| {
            format!(r#"{{"startTime":"2019-05-01T{from}","stopTime":"2019-05-01T{to}","sport":"{sport}"}}"#)
        };
        let session = |second: &str| {
            let legs = [leg("RUNNING", "18:00:00", "18:10:00"), leg(second, "18:10:00", "18:20:00")].join(",");
            let json = format!(
                r#"{{"exportVersion":"1.6","startTime":"2019-05-01T18:00:00","stopTime":"2019-05-01T18:20:00","exercises":[{legs}]}}"#
            );
            one(&json).recording.sport
        };
        assert_eq!((session("RUNNING"), session("CYCLING")), (Sport::RUNNING, Sport::MULTISPORT));
    }

    #[test]
    fn sessions_without_exercises_or_with_empty_parts_are_summaries() {
        let start = NEW.find(r#","exercises""#).unwrap();
        let manual = format!(r#"{},"latitude":60.2,"longitude":25.1}}"#, &NEW[..start]);
        let draft = one(&manual);
        assert!(draft.recording.track.is_empty() && draft.complete);
        assert_eq!((draft.recording.sport, draft.recording.stated.distance_m), (Sport::RUNNING, Some(5000.0)));
        assert_eq!(draft.recording.sessions[0].start_position, Some((60.2, 25.1)));
        for empty in [
            r#""routes":{}"#,
            r#""routes":{"route":{"startTime":"2025-06-01T07:30:02","wayPoints":[]}},"samples":{},"laps":[],"zones":{}"#,
        ] {
            let json = format!(r#"{},"exercises":[{{"startTime":"2025-06-01T07:30:00",{empty}}}]}}"#, &NEW[..start]);
            assert!(one(&json).recording.track.is_empty(), "{empty}");
        }
    }

    #[test]
    fn power_of_one_side_is_doubled_only_when_the_average_says_so() {
        let of = |values: &str, average: &str| {
            let series = format!(r#"{{"type":"LEFT_CRANK_CURRENT_POWER","intervalMillis":1000,"values":{values}}}"#);
            let json = NEW.replace(r#"{"type":"STRIDE_LENGTH","intervalMillis":2000,"values":[100,101]}"#, &series);
            let json = json.replace(r#""laps":{}"#, &format!(r#""statistics":{{"statistics":[{{"type":"STATISTICS_TYPE_POWER","min":0,"avg":{average},"max":300}}]}}"#));
            one(&json).recording.track.get(1, Channel::Power)
        };
        assert_eq!(of("[100,110]", "210"), Some(220.0));
        assert_eq!(of("[100,110]", "105"), Some(110.0));
        assert_eq!(of("[100,110]", "null"), Some(110.0));
        let both = r#"[100,110]},{"type":"RIGHT_CRANK_CURRENT_POWER","intervalMillis":1000,"values":[100,90]"#;
        assert_eq!(of(both, "210"), Some(200.0));
    }

    #[test]
    fn a_cut_file_gives_what_it_has() {
        let cut = &NEW[..NEW.find("\"STRIDE_LENGTH\"").unwrap()];
        let reading = read_with(Reader::Whole(read), cut.as_bytes(), &Limits::default()).unwrap();
        assert!(!reading.drafts[0].complete && reading.notes.has_damage());
        // Heart rates at 1, 2 and 4 s, an altitude at 3 s.
        assert_eq!(reading.drafts[0].recording.track.len(), 4);
        assert!(read_with(Reader::Whole(read), b"{\"startTime\":", &Limits::default()).is_err());
        let skipped = read_with(Reader::Whole(read), b"{}", &Limits::default()).unwrap().skipped;
        assert_eq!(skipped.as_deref(), Some("no training session"));
    }

    const LINK: &str = r#"[{"id":"y7","upload_time":"2026-02-22T10:25:50Z","device":"Polar Pacer Pro","device_id":"0BA9","start_time":"2026-02-22T07:50:17",
        "start_time_utc_offset":-60,"duration":"PT2H44M","distance":19149.0,"heart_rate":{"average":149,"maximum":170},"sport":"OTHER","has_route":true,
        "detailed_sport_info":"WALKING","calories":1600,"heart_rate_zones":[{"index":0,"lower_limit":96,"upper_limit":124,"in_zone":"PT4M16S"}],
        "samples":[{"recording_rate":1,"sample_type":0,"data":"88,,0,90"},{"recording-rate":"5","sample-type":"10","data":"0.5,9"},
        {"recording_rate":1,"sample_type":"11","data":"800,810"},{"recording_rate":1,"sample_type":7,"data":"1013"}],
        "route":[{"latitude":60.2,"longitude":25.1,"time":"PT2S","satellites":5,"fix":3}]},{"start_time":"2026-02-23T07:50:17","duration":"PT1S","sport":"RUNNING"}]"#;

    #[test]
    fn accesslink_exercises_are_read() {
        assert!(sniff_accesslink(LINK.as_bytes()) && !sniff(LINK.as_bytes()) && !sniff_accesslink(NEW.as_bytes()));
        let drafts = read_with(Reader::Whole(read_accesslink), LINK.as_bytes(), &Limits::default()).unwrap().drafts;
        let [first, second] = &drafts[..] else { panic!("{} drafts", drafts.len()) };
        let (recording, track) = (&first.recording, &first.recording.track);
        let start = utc("2026-02-22T08:50:17Z");
        assert_eq!(track.times().iter().map(|t| t - start).collect::<Vec<_>>(), [0, 2000, 3000, 5000]);
        assert_eq!([0, 1, 2].map(|row| track.get(row, Channel::HeartRate)), [Some(88.0), Some(0.0), Some(90.0)]);
        assert_eq!((track.distance(3), track.position(1)), (Some(9.0), Some((60.2, 25.1))));
        assert_eq!(track.extra()[0].key.name, "air_pressure");
        assert_eq!((recording.rr.len(), recording.stated.timer_s), (2, Some(9840.0)));
        assert_eq!((recording.sport, recording.sport_label.as_deref()), (Sport::WALKING, None));
        assert_eq!(recording.zones.heart_rate_seconds, [256.0]);
        assert_eq!(
            (recording.device().unwrap().product.as_deref(), first.clock.offset_s),
            (Some("Polar Pacer Pro"), Some(-3600))
        );
        assert_eq!((second.recording.sport, second.clock.basis), (Sport::RUNNING, Basis::Local));
    }

    /// JSON has no order of keys: long exercises may stand in front of all that names the generation.
    #[test]
    fn keys_in_any_order_make_a_session() {
        fn sorted(value: serde_json::Value) -> String {
            let serde_json::Value::Object(object) = value else { return value.to_string() };
            let all: std::collections::BTreeMap<String, String> =
                object.into_iter().map(|(key, value)| (key, sorted_list(value))).collect();
            let all: Vec<String> = all.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", all.join(","))
        }
        fn sorted_list(value: serde_json::Value) -> String {
            let serde_json::Value::Array(list) = value else { return sorted(value) };
            format!("[{}]", list.into_iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        for (json, from, item) in [
            (OLD.to_owned(), r#""heartRate":[{"#, r#"{"dateTime":"2019-05-01T18:20:18.000"},"#),
            (
                NEW.replace("NaN", "null"),
                r#""wayPoints":[{"#,
                r#"{"latitude":60.2,"longitude":25.1,"elapsedMillis":0},"#,
            ),
        ] {
            let long = json.replacen(from, &format!("{}{}{{", &from[..from.len() - 1], item.repeat(200)), 1);
            let sorted = sorted(serde_json::from_str(&long).unwrap());
            assert!(sorted.find("startTime\":\"20").unwrap() > 100 && !sorted[..4096].contains("stopTime"), "{sorted}");
            let (format, reading) = crate::formats::read_bytes(sorted.as_bytes(), &Limits::default()).unwrap();
            assert_eq!((format.id, reading.drafts), ("polar_flow", drafts(&long)));
        }
    }

    #[test]
    fn other_files_of_the_archive_are_no_sessions() {
        for other in [
            r#"{"exportVersion":"1.4","date":"2025-06-01","summary":{"startTime":"00:00","endTime":"23:59:30","stepCount":3}}"#,
            r#"{"exportVersion":"1.0","startTime":"2025-06-03T18:00","name":"Plan","exercises":[{"phases":[{"goal":{"duration":"PT60S"}}]}]}"#,
            r#"{"identifier":{"id":"1"},"startTime":"2025-06-03T18:00","exerciseTargets":[{"phases":[{"durationMillis":60000}]}]}"#,
            r#"[{"night":"2025-06-01","sleepStartTime":"2025-06-01T23:00"}]"#,
            r#"{"deviceDays":[{"userId":1,"date":"2025-06-01","samples":[{"heartRate":60}]}]}"#,
            r#"{"exercises":[{"phases":[{"goal":{"duration":"PT60S"},"samples":[{"dateTime":"2025-06-03T18:00"}]}]}],"name":"Plan"}"#,
            r#"{"exercises":[{"name":"Squat","sets":[{"reps":5}]}],"startTime":"2025-06-03T18:00"}"#,
            r#"[{"dateTime":"06/01/25 00:00:02","value":{"bpm":60,"confidence":2}}]"#,
            r#"{"id":1,"polar-user":"u","date":"2025-06-01","created":"2025-06-01T08:00","calories":2000,"duration":"PT2H"}"#,
        ] {
            assert!(!sniff(other.as_bytes()) && !sniff_accesslink(other.as_bytes()), "{other}");
        }
    }
}
