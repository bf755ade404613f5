//! What marks and stand-ins of GPX and TCX mean, and what is named because nothing can hold it.

use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Channel, Draft, time};

/// An activity whose lap has these tracks.
fn tcx(tracks: &str) -> Draft {
    let text = format!(
        "<TrainingCenterDatabase><Activities><Activity Sport=\"Running\"><Lap StartTime=\"2024-05-01T07:00:00Z\">\
         <TotalTimeSeconds>30</TotalTimeSeconds>{tracks}</Lap></Activity></Activities></TrainingCenterDatabase>"
    );
    formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap().1.drafts.remove(0)
}

/// A point of this time with this heart rate; without one nothing but its time.
fn trackpoint(clock: &str, beats: Option<u32>) -> String {
    let beats = beats.map_or_else(String::new, |n| format!("<HeartRateBpm><Value>{n}</Value></HeartRateBpm>"));
    format!("<Trackpoint><Time>2024-05-01T{clock}Z</Time>{beats}</Trackpoint>")
}

#[test]
fn marks_and_a_new_track_are_one_stop() {
    let point = |clock: &str| trackpoint(clock, Some(120));
    let mark = |clock: &str| trackpoint(clock, None);
    let running = point("07:00:00") + &point("07:00:09");
    let pauses = |first: &str, second: &str| {
        let draft = tcx(&format!("<Track>{running}{first}</Track><Track>{second}</Track>"));
        let clock = |ms: i64| time::utc(ms)[11..19].to_owned();
        draft.recording.pauses.iter().map(|p| (clock(p.start), clock(p.end))).collect::<Vec<_>>()
    };
    let stop = |start: &str, end: &str| (start.to_owned(), end.to_owned());
    let both = mark("07:00:10") + &mark("07:01:00");
    assert_eq!(pauses(&both, &point("07:01:01")), [stop("07:00:10", "07:01:01")]);
    assert_eq!(pauses("", &(both + &point("07:01:01"))), [stop("07:00:09", "07:01:00")]);
    // A sample between them makes two stops of it.
    let between = mark("07:00:10") + &mark("07:01:00") + &point("07:01:00");
    assert_eq!(pauses(&between, &point("07:02:00")), [stop("07:00:10", "07:01:00"), stop("07:01:00", "07:02:00")]);
}

/// GoldenCheetah's stand-in, as the schema allows no 0.
#[test]
fn a_heart_rate_of_one_is_none() {
    let draft = tcx(&format!(
        "<Track>{}{}{}</Track>",
        trackpoint("07:00:00", Some(1)),
        trackpoint("07:00:01", Some(2)),
        trackpoint("07:00:02", Some(121))
    ));
    let beats = [0, 1, 2].map(|row| draft.recording.track.get(row, Channel::HeartRate));
    assert_eq!(beats, [None, Some(2.0), Some(121.0)]);
    assert_eq!(draft.notes.get("tcx.heart_rate_one").map(|note| note.count), Some(1));
}

#[test]
fn what_a_cluetrust_lap_has_no_place_for_is_named() {
    let text = "<gpx><trk><trkseg><trkpt lat=\"47\" lon=\"8\"><time>2024-05-01T07:12:00Z</time></trkpt></trkseg></trk><extensions>\
                <lap><index>1</index><startTime>2024-05-01T07:12:00Z</startTime><summary name=\"power\" kind=\"avg\">200</summary>\
                <summary name=\"hr\" kind=\"avg\">140</summary><mood>7</mood></lap></extensions></gpx>";
    let (_, reading) = formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(reading.drafts[0].recording.laps[0].totals.avg_heart_rate, Some(140.0));
    let note = reading.notes.get("xml.left_out").unwrap();
    assert_eq!((note.count, note.detail.starts_with("summary ")), (2, true), "{note:?}");
}

#[test]
fn a_time_of_the_file_is_told_where_no_point_has_one() {
    let of = |time: &str| {
        let text =
            format!("<gpx><metadata>{time}</metadata><trk><trkseg><trkpt lat=\"47\" lon=\"8\"/></trkseg></trk></gpx>");
        formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap().1
    };
    let told = of("<time>2024-05-01T07:12:00Z</time>");
    assert_eq!((told.drafts.len(), told.skipped.as_deref()), (0, Some("untimed_track")));
    let note = told.notes.get("gpx.untimed_track").unwrap();
    assert!(note.count == 1 && note.detail.contains("2024-05-01T07:12:00Z"), "{note:?}");
    assert!(of("").notes.is_empty());
}
