//! Files with a hole, as flash memory and torn uploads leave them: every point outside of it is read, whatever was lost.

use std::ops::Range;

use paceport::formats;
use paceport::limits::Limits;

/// A document and where its points are: two pieces of six points each.
struct Document {
    text: String,
    points: Vec<(Range<usize>, i64)>,
}

fn document(head: &str, between: &str, tail: &str, point: impl Fn(&str) -> String) -> Document {
    let mut document = Document { text: head.to_owned(), points: Vec::new() };
    for i in 0..12 {
        if i == 6 {
            document.text += between;
        }
        let start = document.text.len();
        document.text += &point(&format!("2024-05-01T07:12:{i:02}Z"));
        document.points.push((start..document.text.len(), 1_714_547_520_000 + i * 1000));
    }
    document.text += tail;
    document
}

fn gpx(prefix: &str) -> Document {
    let p = prefix;
    document(
        &format!("<{p}gpx creator=\"x\"><{p}trk><{p}name>Hole</{p}name><{p}trkseg>\n"),
        &format!("</{p}trkseg>\n<{p}trkseg>\n"),
        &format!("</{p}trkseg></{p}trk></{p}gpx>\n"),
        |time| {
            format!(
                "<{p}trkpt lat=\"47.5\" lon=\"8.5\"><{p}ele>430</{p}ele><{p}time>{time}</{p}time><{p}extensions>\
                 <y:TPX><y:hr>120</y:hr></y:TPX></{p}extensions></{p}trkpt>\n"
            )
        },
    )
}

fn tcx() -> Document {
    document(
        "<TrainingCenterDatabase><Activities><Activity Sport=\"Running\"><Id>2024-05-01T07:12:00Z</Id>\n\
         <Lap StartTime=\"2024-05-01T07:12:00Z\"><TotalTimeSeconds>6</TotalTimeSeconds><Track>\n",
        "</Track></Lap>\n<Lap StartTime=\"2024-05-01T07:12:06Z\"><TotalTimeSeconds>6</TotalTimeSeconds><MaximumHeartRateBpm>\
         <Value>130</Value></MaximumHeartRateBpm><Track>\n",
        "</Track></Lap></Activity></Activities></TrainingCenterDatabase>\n",
        |time| {
            format!(
                "<Trackpoint><Time>{time}</Time><Position><LatitudeDegrees>47.5</LatitudeDegrees><LongitudeDegrees>8.5\
                 </LongitudeDegrees></Position><HeartRateBpm><Value>120</Value></HeartRateBpm></Trackpoint>\n"
            )
        },
    )
}

/// The document with `hole` cut out or filled with zeros; what is read of the points outside must be all of them.
fn check(document: &Document, hole: Range<usize>, cut: bool) {
    let mut bytes = document.text.clone().into_bytes();
    if cut {
        bytes.drain(hole.clone());
    } else {
        bytes[hole.clone()].fill(0);
    }
    let what = format!("{hole:?} {}", if cut { "cut" } else { "zeros" });
    let (_, reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let times: Vec<i64> =
        reading.drafts.iter().flat_map(|draft| draft.recording.track.times().iter().copied()).collect();
    for (range, ms) in &document.points {
        let outside = range.end <= hole.start || range.start >= hole.end;
        assert!(!outside || times.contains(ms), "{what}: the point at {range:?} is lost, {times:?}");
    }
    assert!(times.len() <= document.points.len(), "{what}: {times:?}");
}

#[test]
fn every_point_outside_of_a_hole_is_read() {
    let mut holes = 0;
    for document in [gpx(""), gpx("x:"), tcx()] {
        let first = document.points[0].0.start;
        for length in [1, 2, 5, 23, 90, 400, 1100] {
            for start in (first..document.text.len() - length).step_by(if length < 10 { 1 } else { 7 }) {
                for cut in [true, false] {
                    check(&document, start..start + length, cut);
                    holes += 1;
                }
            }
        }
    }
    assert!(holes > 30_000, "tried only {holes}");
}
