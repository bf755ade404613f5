//! What is written as GPX or TCX reads back equal: nothing that the model holds is lost on the way.

use paceport::fix::{SettleOptions, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Activity, Channel, DeveloperField, Draft, ExtraKey, FitField};

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

/// A run with the power of a foot pod in a developer field that stands for record field 7, and its own power in some rows.
fn with_pod(own_power: bool) -> Activity {
    let mut draft = Draft::new();
    let track = &mut draft.recording.track;
    let field = DeveloperField {
        base_type: 0x84,
        scale: 1.0,
        application: Some([9; 16]),
        native_message: Some(20),
        native_field: Some(7),
        ..DeveloperField::default()
    };
    let fit = Some(FitField::Developer(field));
    let slot = track.extra_slot(ExtraKey { name: "Power".into(), unit: "Watts".into(), fit });
    for row in 0..20 {
        track.push(1_714_547_520_000 + row * 1000);
        track.set_position(47.0 + row as f64 * 1e-4, 8.0);
        track.set(Channel::HeartRate, 130.0);
        if row != 5 {
            track.set_extra(slot, 211.0 + row as f64);
        }
        if own_power && row == 7 {
            track.set(Channel::Power, 99.0);
        }
    }
    settle(draft, &SettleOptions::default())
}

#[test]
fn a_developer_field_that_stands_for_a_native_one_is_seen_by_other_programs() {
    for (format, elements) in
        [("tcx", ["<ns3:Watts>211</ns3:Watts>", "<ns3:Watts>"]), ("gpx", [">211</power>", "</power>"])]
    {
        let activity = with_pod(false);
        let text = String::from_utf8(written(&activity, format).0).unwrap();
        assert!(text.contains(elements[0]), "{format}");
        assert_eq!(text.matches(elements[1]).count(), 19, "{format}: not where the pod says nothing");
        // Reading back invents no native power.
        assert_eq!(differences(&activity, format), Vec::<String>::new());
        // Power that was recorded is not mixed with that of another sensor.
        let activity = with_pod(true);
        let text = String::from_utf8(written(&activity, format).0).unwrap();
        assert_eq!(text.matches(elements[1]).count(), 1, "{format}");
        assert_eq!(differences(&activity, format), Vec::<String>::new());
    }
}
