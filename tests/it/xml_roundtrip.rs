//! What is written as GPX or TCX reads back equal: nothing that the model holds is lost on the way.

use paceport::formats;
use paceport::limits::Limits;
use paceport::model::Activity;

use crate::synthetic;
use crate::written::written;

/// Writes an activity and reads it back; what differs, in words.
fn differences(activity: &Activity, format: &str) -> Vec<String> {
    let (bytes, _) = written(activity, format);
    let (found, mut reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap();
    assert_eq!(found.id, format);
    let mut wrong = Vec::new();
    if reading.drafts.len() != 1 || !reading.notes.is_empty() {
        return vec![format!("{} activities, {:?}", reading.drafts.len(), reading.notes)];
    }
    let draft = reading.drafts.remove(0);
    let (read, meant) = (&draft.recording, &**activity);
    if read != meant {
        if read.track != meant.track {
            wrong.push(format!("track of {} samples, {} read", meant.track.len(), read.track.len()));
            wrong.push(format!("times {}", read.track.times() == meant.track.times()));
            wrong.push(format!("positions {}", read.track.positions().eq(meant.track.positions())));
            let rows = 0..meant.track.len();
            wrong.push(format!(
                "distances {}",
                rows.clone().all(|row| read.track.distance(row) == meant.track.distance(row))
            ));
            wrong.push(format!(
                "timed {}",
                rows.clone().all(|row| read.track.is_timed(row) == meant.track.is_timed(row))
            ));
            wrong.push(format!("extra {}", read.track.extra() == meant.track.extra()));
        }
        let mut rest = (read.clone(), meant.clone());
        (rest.0.track, rest.1.track) = Default::default();
        if rest.0 != rest.1 {
            wrong.push(format!("{:#?}\n\nread as\n\n{:#?}", rest.1, rest.0));
        }
    }
    if draft.clock.offset_s != activity.offset_s {
        wrong.push(format!("offset {:?}, {:?}", draft.clock.offset_s, activity.offset_s));
    }
    if !draft.complete || !draft.notes.is_empty() {
        wrong.push(format!("notes {:?}", draft.notes));
    }
    wrong
}

#[test]
fn gpx_and_tcx_read_back_what_was_written() {
    for format in ["gpx", "tcx"] {
        for seed in 0..300 {
            let activity = synthetic::activity(seed);
            let wrong = differences(&activity, format);
            assert!(wrong.is_empty(), "{format}, seed {seed}: {}", wrong.join("\n"));
        }
        assert_eq!(differences(&synthetic::ride(1000), format), Vec::<String>::new());
    }
}
