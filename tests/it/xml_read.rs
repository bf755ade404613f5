//! What the GPX reader makes of the dialects and faults of real files, and both XML readers of hostile ones. Expectations are
//! worked out by hand from the fixtures' makers.

use std::time::{Duration, Instant};

use paceport::formats::{self, Reading};
use paceport::limits::Limits;
use paceport::model::{Basis, Channel, Draft, Intensity, LapTrigger, Pause, Sport, SubSport, time};

use crate::fixtures;

pub fn read(path: &str) -> Reading {
    let fixture = fixtures::all().into_iter().find(|fixture| fixture.path == path).unwrap();
    let (format, reading) = formats::read_bytes(&fixture.bytes, &Limits::default()).unwrap();
    assert!(path.ends_with(format.id), "{path} read as {}", format.id);
    reading
}

/// The only activity of a fixture.
pub fn one(path: &str) -> Draft {
    let mut reading = read(path);
    assert_eq!(reading.drafts.len(), 1, "{path}");
    assert_eq!(reading.skipped, None);
    reading.drafts.remove(0)
}

pub fn column(draft: &Draft, channel: Channel) -> Vec<Option<f32>> {
    (0..draft.recording.track.len()).map(|row| draft.recording.track.get(row, channel)).collect()
}

pub fn at(text: &str) -> i64 {
    time::parse(text.as_bytes()).unwrap().ms
}

pub fn notes(draft: &Draft) -> Vec<(&str, u64)> {
    draft.notes.iter().map(|note| (&*note.code, note.count)).collect()
}

pub fn extra(draft: &Draft, name: &str) -> Vec<Option<f64>> {
    let track = &draft.recording.track;
    let column = track.extra().iter().find(|column| column.key.name == name).unwrap_or_else(|| panic!("no {name}"));
    (0..track.len()).map(|row| column.get(row)).collect()
}

#[test]
fn garmin_connect_gpx() {
    let draft = one("gpx/good/garmin-connect.gpx");
    let recording = &draft.recording;
    assert_eq!((recording.sport, recording.name.as_deref()), (Sport::RUNNING, Some("Zürich Running")));
    assert_eq!(recording.creator.as_deref(), Some("Garmin Connect"));
    assert!(recording.devices.is_empty(), "Garmin Connect is no device");
    assert_eq!(recording.created, Some(at("2024-05-01T07:12:00Z")));
    assert_eq!(recording.track.len(), 6);
    let degrees = ["47.1234567890123456789012345672", "8.9876543210987654321098765432"].map(|t| t.parse().unwrap());
    assert_eq!(recording.track.position(2), Some(degrees.into()));
    assert_eq!(column(&draft, Channel::Altitude)[1], Some(431.6));
    assert_eq!(column(&draft, Channel::Temperature)[5], Some(21.0));
    assert_eq!(column(&draft, Channel::HeartRate)[5], Some(125.0));
    assert_eq!(column(&draft, Channel::Cadence)[0], Some(80.0));
    assert_eq!((draft.complete, notes(&draft)), (true, vec![]));
}

#[test]
fn zero_watts_are_a_value() {
    let draft = one("gpx/good/strava-blanks.gpx");
    assert_eq!(column(&draft, Channel::Power), [0.0, 50.0, 100.0, 150.0, 200.0].map(Some));
    assert_eq!((draft.recording.sport, draft.recording.name.as_deref()), (Sport::CYCLING, Some("Evening & Ride")));
}

#[test]
fn version_1_0_has_speed_and_course_in_the_core() {
    let draft = one("gpx/good/gpsbabel-1.0.gpx");
    assert_eq!(column(&draft, Channel::Speed), [Some(3.25); 4]);
    assert_eq!(column(&draft, Channel::Heading), [Some(181.5); 4]);
    assert_eq!(draft.recording.name.as_deref(), Some("File name"));
    assert_eq!(draft.recording.description.as_deref(), Some("File description"));
    assert_eq!(extra(&draft, "sat"), [Some(9.0); 4]);
    assert_eq!(notes(&draft), [("xml.words", 4)], "the kind of fix has no place");
}

#[test]
fn suunto_writes_fractions() {
    let draft = one("gpx/good/suunto.gpx");
    let track = &draft.recording.track;
    assert_eq!(track.times()[3], at("2024-05-01T07:12:03.250Z"));
    assert_eq!(column(&draft, Channel::HeartRate)[0], Some(140.5));
    assert_eq!(column(&draft, Channel::VerticalSpeed)[0], Some(-0.25));
    assert_eq!((track.distance(0), track.distance(3)), (Some(0.5), Some(9.5)));
    assert_eq!(extra(&draft, "seaLevelPressure")[0], Some(1013.0));
}

#[test]
fn opentracks_states_offset_totals_segments_and_waypoints() {
    let draft = one("gpx/good/opentracks.gpx");
    let recording = &draft.recording;
    assert_eq!((draft.clock.basis, draft.clock.offset_s), (Basis::Offset, Some(7200)));
    assert_eq!(recording.track.times()[0], at("2024-05-01T07:12:00Z"));
    assert_eq!((recording.sport, recording.sub_sport), (Sport::CYCLING, Some(SubSport(8))));
    assert_eq!(recording.name.as_deref(), Some("Morgen & Tal"));
    let stated = &recording.stated;
    assert_eq!((stated.distance_m, stated.timer_s, stated.moving_s), (Some(1222.5), Some(56.0), Some(26.0)));
    assert_eq!((stated.max_speed, stated.ascent_m, stated.descent_m), (Some(8.25), Some(2.0), Some(3.0)));
    let pause = Pause { start: at("2024-05-01T07:12:02Z"), end: at("2024-05-01T07:12:30Z"), auto: false };
    assert_eq!(recording.pauses, [pause]);
    let waypoint = &recording.waypoints[0];
    assert_eq!((waypoint.name.as_deref(), waypoint.description.as_deref()), (Some("Marker 1"), Some("a <b> view")));
    assert_eq!((waypoint.altitude, waypoint.time), (Some(11.5), Some(at("2024-05-01T07:12:05Z"))));
    assert_eq!(column(&draft, Channel::GpsAccuracy), [Some(3.5); 3]);
    assert_eq!(recording.track.distance(2), Some(12.0));
}

#[test]
fn latitudes_100_and_200_are_a_pause() {
    let draft = one("gpx/good/pause-marks.gpx");
    assert_eq!(draft.recording.track.len(), 3);
    let pause = Pause { start: at("2024-05-01T07:12:06Z"), end: at("2024-05-01T07:20:00Z"), auto: false };
    assert_eq!(draft.recording.pauses, [pause]);
    assert_eq!(notes(&draft), [("gpx.pause_marks", 2)]);
}

#[test]
fn points_of_one_second_are_kept() {
    let draft = one("gpx/good/apple.gpx");
    let times = draft.recording.track.times();
    assert_eq!((times.len(), times[0] == times[1]), (3, true));
    assert_eq!(draft.recording.track.position(0), Some((47.654321, 8.123456)));
    assert_eq!(column(&draft, Channel::VerticalAccuracy), [Some(3.25); 3]);
}

#[test]
fn coros_has_words_of_its_own() {
    let draft = one("gpx/good/coros.gpx");
    assert_eq!(column(&draft, Channel::Heading), [350.5, 351.5, 352.5].map(Some));
    assert_eq!(column(&draft, Channel::HeartRate), [100.0, 101.0, 102.0].map(Some));
    assert_eq!(draft.recording.track.distance(2), Some(220.0));
    assert_eq!(draft.recording.device().unwrap().manufacturer.as_deref(), Some("coros"));
}

#[test]
fn a_message_before_the_declaration_is_no_obstacle() {
    let reading = read("gpx/damaged/message-first.gpx");
    assert_eq!((reading.drafts.len(), reading.drafts[0].recording.track.len()), (1, 3));
    assert!(reading.drafts[0].complete);
    assert_eq!(reading.notes.get("xml.trailing").unwrap().place.as_deref(), Some("line 1, byte 0"));
}

#[test]
fn what_has_no_place_is_named() {
    let gpx = "<gpx><trk><name>a</name><number>1</number><extensions><gpxx:TrackExtension><gpxx:DisplayColor>Red\
               </gpxx:DisplayColor></gpxx:TrackExtension><weight>65.0</weight><empty/></extensions><trkseg>\
               <trkpt lat=\"47\" lon=\"8\"><time>2024-05-01T07:12:00Z</time></trkpt></trkseg></trk></gpx>";
    let tcx = "<TrainingCenterDatabase><Activities><Activity Sport=\"running\"><Lap \
               StartTime=\"2024-05-01T07:12:00Z\"><TotalTimeSeconds>5</TotalTimeSeconds><Extensions><FatCalories><Value>12\
               </Value></FatCalories><LX><AvgWatts>200</AvgWatts><Extensions/></LX></Extensions></Lap></Activity></Activities>\
               </TrainingCenterDatabase>";
    for (text, count, first) in [(gpx, 2, "line 1, byte 54, in TrackExtension"), (tcx, 1, "line 1, byte 163, in Value")]
    {
        let (_, reading) = formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap();
        let note = reading.notes.get("xml.left_out").unwrap();
        assert_eq!((note.count, note.place.as_deref()), (count, Some(first)));
    }
    let (_, reading) = formats::read_bytes(tcx.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(reading.drafts[0].recording.laps[0].totals.avg_power, Some(200.0));
}

#[test]
fn what_a_file_says_of_itself_is_kept_or_named() {
    let text = "<gpx xmlns:x=\"urn:x\"><metadata><name>All of May</name><author><name>Jo</name></author>\
                <link href=\"https://example.org\"/><keywords>a</keywords><bounds minlat=\"1\"/></metadata>\
                <wpt lat=\"47\" lon=\"8\"><name>W</name><sym>Flag</sym><fix>3d</fix></wpt>\
                <rte><rtept lat=\"47\" lon=\"8\"/></rte><trk><name>First of May</name><number>1</number>\
                <link href=\"https://example.org/1\"><text>more</text></link><trkseg>\
                <trkpt lat=\"47\" lon=\"8\" x:acc=\"5\"><time>2024-05-01T07:12:00Z</time></trkpt>\
                <extensions><x:seg>1</x:seg></extensions></trkseg></trk></gpx>";
    let reading = |text: &str| formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap().1;
    let both = reading(text);
    let count = |code| both.notes.get(code).map(|note| note.count);
    // Author, link and keywords of the file, fix of the waypoint, link of the track, extension of the segment.
    assert_eq!(count("xml.left_out"), Some(6));
    assert_eq!((count("gpx.routes"), count("gpx.file_name")), (Some(1), Some(1)));
    let recording = &both.drafts[0].recording;
    assert_eq!((recording.name.as_deref(), recording.waypoints.len()), (Some("First of May"), 1));
    assert_eq!(both.drafts[0].notes.get("xml.words").map(|note| note.count), Some(1), "the attribute of the point");
    // The name of the file is that of a track without one, and nothing is lost when both are the same.
    for name in ["", "<name>All of May</name>"] {
        let reading = reading(&text.replace("<name>First of May</name>", name));
        assert!(reading.notes.get("gpx.file_name").is_none(), "{:?}", reading.notes);
        assert_eq!(reading.drafts[0].recording.name.as_deref(), Some("All of May"));
    }
}

#[test]
fn a_heart_rate_written_twice_is_one() {
    let draft = one("gpx/good/amazfit.gpx");
    assert_eq!(column(&draft, Channel::HeartRate), [100.0, 101.0, 102.0].map(Some));
    assert!(draft.recording.track.extra().is_empty());
}

#[test]
fn a_list_of_heart_rates_is_joined_by_time() {
    let draft = one("gpx/good/spoq.gpx");
    // Beats at 0, 2, 4, 6 s; samples at 0 to 5 s; of two equally near the earlier one.
    assert_eq!(column(&draft, Channel::HeartRate), [90.0, 90.0, 91.0, 91.0, 92.0, 92.0].map(Some));
    assert_eq!(draft.recording.stated.calories_kcal, Some(1984.0));
    let note = draft.notes.get("gpx.heart_rate_list").unwrap();
    assert_eq!(
        (note.count, note.detail.as_str()),
        (6, "6 samples have their heart rate from a separate list of 4 by time")
    );
}

#[test]
fn known_clock_fault_is_flagged() {
    let draft = one("gpx/good/polar-websync.gpx");
    assert!(draft.clock.local_as_utc);
    assert_eq!(draft.clock.basis, Basis::Utc);
    assert!(draft.recording.devices.is_empty());
}

#[test]
fn ascent_increments_are_no_elevations_and_low_coasts_are() {
    let draft = one("gpx/good/nrc-exporter.gpx");
    assert_eq!(column(&draft, Channel::Altitude), [None; 9]);
    assert_eq!(extra(&draft, "ascent").iter().flatten().collect::<Vec<_>>(), [&0.25; 3]);
    assert_eq!(draft.recording.sport, Sport::RUNNING);
    assert_eq!(draft.notes.get("gpx.ascent_increments").unwrap().count, 3);
    let coast = one("gpx/good/coastal-run.gpx");
    assert_eq!(column(&coast, Channel::Altitude)[..2], [Some(0.5), Some(1.5)]);
    assert_eq!(coast.recording.sport, Sport::GENERIC);
}

#[test]
fn each_timed_track_is_an_activity() {
    let reading = read("gpx/good/several-tracks.gpx");
    let names: Vec<_> = reading.drafts.iter().map(|draft| draft.recording.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["Day 1", "Day 2"]);
    assert_eq!(reading.drafts[1].recording.track.len(), 2);
    assert_eq!(reading.notes.get("gpx.untimed_track").unwrap().count, 1);
}

#[test]
fn what_is_no_activity_says_what_it_is() {
    for (path, kind) in [
        ("gpx/good/route.gpx", "route"),
        ("gpx/good/waypoints.gpx", "waypoints"),
        ("gpx/good/untimed-track.gpx", "untimed_track"),
        ("gpx/good/metadata-only.gpx", "empty"),
        ("tcx/good/course.tcx", "course"),
        ("tcx/good/workout.tcx", "workout"),
    ] {
        let reading = read(path);
        assert_eq!((reading.drafts.len(), reading.skipped.as_deref()), (0, Some(kind)), "{path}");
    }
}

#[test]
fn no_time_is_invented() {
    let draft = one("gpx/good/some-times-missing.gpx");
    let track = &draft.recording.track;
    assert_eq!([0, 1, 2, 3, 4].map(|row| track.is_timed(row)), [false, true, false, true, false]);
    let (first, second) = (at("2024-05-01T07:12:01Z"), at("2024-05-01T07:12:03Z"));
    assert_eq!(track.times(), [first, first, first, second, second], "each carries its neighbour's");
    assert_eq!(track.positions().count(), 5);
}

#[test]
fn times_without_zone_are_local() {
    let draft = one("gpx/good/no-zone.gpx");
    assert_eq!((draft.clock.basis, draft.clock.offset_s), (Basis::Local, None));
    assert_eq!(draft.recording.track.times()[0], at("2024-05-01T07:12:00Z"));
}

#[test]
fn numbers_in_any_spelling() {
    let draft = one("gpx/good/odd-numbers.gpx");
    let track = &draft.recording.track;
    assert_eq!([0, 1, 2].map(|row| track.position(row).unwrap()), [(47.5, 8.0), (47.5, 8.25), (47.5, 8.5)]);
    assert_eq!(column(&draft, Channel::Altitude), [Some(100.0), None, None, Some(12.5), None]);
    let note = draft.notes.get("xml.number").unwrap();
    assert_eq!((note.count, note.detail.as_str()), (1, "not a number: twelve"));
    assert!(note.place.as_deref().unwrap().starts_with("line 5, byte "), "{:?}", note.place);
    assert!(note.place.as_deref().unwrap().ends_with(", in ele"), "{:?}", note.place);
}

#[test]
fn markup_in_any_style() {
    let draft = one("gpx/good/odd-markup.gpx");
    assert_eq!(draft.recording.name.as_deref(), Some("Ylläs <x>"));
    assert_eq!(column(&draft, Channel::Altitude), [Some(12.0), Some(13.0), Some(14.0), Some(15.0), None]);
    let seconds: Vec<_> = draft.recording.track.times().iter().map(|t| t / 1000 % 60).collect();
    assert_eq!(seconds, [0, 1, 2, 3, 4]);
    assert_eq!(draft.recording.track.position(3), None);
    assert_eq!(extra(&draft, "e")[4], Some(5.0));
    assert!(draft.complete);
}

#[test]
fn prefixes_do_not_matter() {
    let draft = one("gpx/good/prefixed.gpx");
    assert_eq!(column(&draft, Channel::Altitude), [0.0, 1.0, 2.0, 3.0].map(Some));
    assert_eq!(draft.recording.description.as_deref(), Some("one\ntwo"));
    assert_eq!(draft.recording.device().and_then(|device| device.manufacturer.as_deref()), Some("garmin"));
}

#[test]
fn cluetrust_laps() {
    let draft = one("gpx/good/cluetrust-laps.gpx");
    let [one, two] = &draft.recording.laps[..] else { panic!("{:?}", draft.recording.laps) };
    assert_eq!((one.start, one.end), (at("2024-05-01T07:12:00Z"), at("2024-05-01T07:12:02.5Z")));
    assert_eq!((one.trigger, two.trigger), (Some(LapTrigger::Manual), Some(LapTrigger::Distance)));
    assert_eq!((one.totals.distance_m, one.totals.avg_heart_rate), (Some(100.5), Some(140.0)));
    assert_eq!((one.start_position, one.intensity), (Some((47.5, 8.25)), Some(Intensity::Active)));
}

#[test]
fn any_encoding() {
    assert_eq!(one("gpx/good/latin-1.gpx").recording.name.as_deref(), Some("Höhenweg"));
    assert_eq!(one("gpx/good/utf-16.gpx").recording.name.as_deref(), Some("Höhenweg 山"));
}

#[test]
fn damaged_gpx_gives_its_good_part() {
    let cut = one("gpx/damaged/cut-in-tag.gpx");
    assert_eq!((cut.complete, cut.recording.track.len()), (false, 5), "the last point has its time");
    assert_eq!(column(&cut, Channel::HeartRate)[4], Some(134.0));
    assert_eq!(column(&cut, Channel::Cadence)[3..], [Some(90.0), None]);
    let reading = read("gpx/damaged/no-ends.gpx");
    assert_eq!((reading.drafts[0].complete, reading.drafts[0].recording.track.len()), (false, 5));
    assert!(reading.notes.get("xml.truncated").is_some());
    let wrong = read("gpx/damaged/wrong-ends.gpx");
    assert_eq!((wrong.drafts[0].complete, wrong.drafts[0].recording.track.len()), (false, 5));
    assert!(wrong.notes.get("xml.mismatch").is_some());
    let lost = read("gpx/damaged/lost-quote.gpx");
    assert_eq!((lost.drafts[0].complete, lost.drafts[0].recording.track.len()), (false, 4), "one point is lost");
}

#[test]
fn a_hole_in_a_file_costs_no_more_than_what_it_swallowed() {
    let gpx = one("gpx/damaged/hole.gpx");
    let seconds: Vec<_> = gpx.recording.track.times().iter().map(|t| t / 1000 % 60).collect();
    assert_eq!(seconds, [0, 1, 2, 4, 5, 6, 7]);
    let heights = [Some(400.0), Some(401.0), None, Some(404.0), Some(405.0), Some(406.0), Some(407.0)];
    assert_eq!(column(&gpx, Channel::Altitude), heights, "half a value is none");
    assert_eq!((gpx.complete, gpx.recording.pauses.len()), (false, 1));
    let reading = read("gpx/damaged/hole.gpx");
    let note = reading.notes.get("xml.mismatch").unwrap();
    assert_eq!((note.count, &*note.detail), (1, "trkseg begins before the end of trkseg"));

    let tcx = one("tcx/damaged/hole.tcx");
    let beats = [Some(120.0), None, Some(125.0), Some(126.0), Some(127.0)];
    assert_eq!((tcx.complete, column(&tcx, Channel::HeartRate)), (false, beats.to_vec()));
    assert_eq!(tcx.recording.track.distance(1), Some(3.25));
    assert_eq!((tcx.recording.laps.len(), tcx.recording.device().is_some()), (1, true));
}

#[test]
fn what_stands_behind_the_root_is_no_damage() {
    let trk = |day: u32| {
        format!(
            "<trk><trkseg><trkpt lat=\"47\" lon=\"8\"><ele>4<0</ele><time>2024-05-0{day}T07:12:00Z</time></trkpt></trkseg></trk>"
        )
    };
    let text = format!("<gpx>{}</gpx>{}</gpx>", trk(1).replace("<0", "20"), trk(2).replace("<0", "30"));
    let (_, reading) = formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap();
    let heights: Vec<_> = reading.drafts.iter().map(|draft| column(draft, Channel::Altitude)[0]).collect();
    assert_eq!(heights, [Some(420.0), Some(430.0)]);
    assert!(reading.drafts.iter().all(|draft| draft.complete) && !reading.notes.has_damage());
    assert_eq!(reading.notes.get("xml.trailing").map(|note| note.count), Some(1));
    // Broken markup inside a value leaves half of it, which is none.
    let (_, reading) = formats::read_bytes(format!("<gpx>{}</gpx>", trk(1)).as_bytes(), &Limits::default()).unwrap();
    assert_eq!((column(&reading.drafts[0], Channel::Altitude), reading.drafts[0].complete), (vec![None], false));
}

#[test]
fn a_file_cut_anywhere_gives_the_samples_before_the_cut() {
    for path in [
        "gpx/good/garmin-connect.gpx",
        "gpx/good/strava-blanks.gpx",
        "tcx/good/garmin-connect.tcx",
        "tcx/good/pauses.tcx",
    ] {
        let bytes = fixtures::all().into_iter().find(|fixture| fixture.path == path).unwrap().bytes;
        let whole = one(path).recording.track;
        let (mut most, mut cuts) = (0, 0);
        for end in 0..bytes.len() {
            let Ok((_, reading)) = formats::read_bytes(&bytes[..end], &Limits::default()) else { continue };
            let Some(draft) = reading.drafts.first() else { continue };
            let track = &draft.recording.track;
            let count = track.len();
            assert!(count >= most && count <= whole.len(), "{path} cut at {end}");
            assert_eq!(track.times(), &whole.times()[..count], "{path} cut at {end}");
            // All but the last sample are whole; the last one has no value that the whole file does not have.
            let sure = whole.slice(0..count.saturating_sub(1));
            assert!(track.slice(0..count.saturating_sub(1)) == sure, "{path} cut at {end}");
            for (channel, column) in track.channels() {
                let last = column.get(count - 1);
                assert!(last.is_none() || last == whole.get(count - 1, channel), "{path} cut at {end}");
            }
            (most, cuts) = (count, cuts + 1);
        }
        assert!(most == whole.len() && cuts * 2 > bytes.len(), "{path}: {most} samples in {cuts} cuts");
    }
}

#[test]
fn nothing_readable_is_an_error_with_a_place() {
    let error = formats::read_bytes(b"<?xml version=\"1.0\"?>\n<gpx", &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "malformed at byte 0, in gpx: there is no gpx element");
}

#[test]
fn samples_are_limited() {
    let limits = Limits { samples: 3, ..Limits::default() };
    for path in ["gpx/good/garmin-connect.gpx", "tcx/good/garmin-connect.tcx"] {
        let fixture = fixtures::all().into_iter().find(|fixture| fixture.path == path).unwrap();
        let error = formats::read_bytes(&fixture.bytes, &limits).unwrap_err();
        assert_eq!(error.kind(), paceport::Kind::Limit, "{path}");
        assert!(error.place().line > Some(1) && error.place().element.is_some(), "{error}");
    }
}

#[test]
fn hostile_documents_take_bounded_time_and_memory() {
    let repeat = |head: &str, part: &str, tail: &str| format!("{head}{}{tail}", part.repeat(400_000 / part.len()));
    let gpx = "<gpx><trk><trkseg>";
    let point = "<trkpt lat=\"1\" lon=\"2\"><time>2024-05-01T07:12:00Z</time><extensions>";
    let many: String = (0..20_000).map(|i| format!("{point}<n{i}>1</n{i}></extensions></trkpt>")).collect();
    let documents = [
        repeat(gpx, "<a ", ""),
        repeat(gpx, "<a \"", ""),
        repeat(gpx, "<!--", ""),
        repeat(gpx, "<![CDATA[", ""),
        repeat(gpx, "<a>", ""),
        repeat(gpx, "</a>", ""),
        repeat(gpx, "<a></b>", ""),
        repeat(gpx, "&", "</trkseg></trk></gpx>"),
        repeat(gpx, "<trkpt lat=\"x\" lon=\"\n\">", ""),
        repeat(&format!("{gpx}{point}"), "<a/>", "</extensions></trkpt></trkseg></trk></gpx>"),
        repeat(&format!("{gpx}{point}"), "<a>", ""),
        format!("{gpx}{many}"),
        repeat("<TrainingCenterDatabase>", "<Activity><Lap>", ""),
        repeat("<TrainingCenterDatabase>", "<Activity><Lap/></Activity>", ""),
    ];
    for document in documents {
        let start = Instant::now();
        let read = formats::read_bytes(document.as_bytes(), &Limits::default());
        let head = &document[..60];
        assert!(start.elapsed() < Duration::from_secs(10), "{head}");
        if let Ok((_, reading)) = read {
            let columns: usize = reading.drafts.iter().map(|draft| draft.recording.track.extra().len()).sum();
            assert!(columns <= 100, "{head}: {columns} columns");
        }
    }
}

/// strava-export.md section 2, gpx.md section 3: numbers are translated as far as files prove them.
#[test]
fn strava_types_are_those_that_files_prove() {
    let gpx = |kind: &str| {
        let text = format!(
            "<gpx version=\"1.1\" creator=\"StravaGPX\"><trk><type>{kind}</type><trkseg><trkpt lat=\"1\" lon=\"2\">\
             <time>2024-05-01T08:00:00Z</time></trkpt></trkseg></trk></gpx>"
        );
        formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap().1.drafts.remove(0).recording
    };
    for (number, sport, sub) in [
        ("1", Sport::CYCLING, None),
        ("4", Sport::HIKING, None),
        ("9", Sport::RUNNING, None),
        ("17", Sport::CYCLING, Some(SubSport::VIRTUAL)),
    ] {
        let recording = gpx(number);
        assert_eq!((recording.sport, recording.sub_sport), (sport, sub), "{number}");
    }
    let unknown = gpx("16");
    assert_eq!((unknown.sport, unknown.sport_label.as_deref()), (Sport::GENERIC, Some("16")));
}
