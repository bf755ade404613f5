//! Developer fields of laps, sessions and devices: they arrive, and every format that can keeps them.

use paceport::fix::{SettleOptions, settle};
use paceport::model::{FieldValue, FitField, StatedField};

use super::records::describe;
use super::{codes, ms, only};
use crate::fixtures::fit::{Fit, START, V, activity, base};
use crate::written::written;

/// A lap with a power, a pace array and a text, a session with a total, and a sensor that says twice how full it is.
fn with_developer_totals() -> Fit {
    let mut fit = activity();
    describe(&mut fit, 0, 0, base::UINT16, "Lap Power", "Watts");
    describe(&mut fit, 0, 1, base::FLOAT32, "Pace", "min/km");
    describe(&mut fit, 1, 0, base::STRING, "activity_type", "");
    describe(&mut fit, 1, 1, base::UINT8, "charge", "%");
    fit.define_with(1, 20, &[(253, 4, base::UINT32)], &[(0, 2, 0)], false);
    fit.data(1, &[V::U32(START), V::U16(250)]).data(1, &[V::U32(START + 10), V::U16(260)]);
    let span = [(253, 4, base::UINT32), (2, 4, base::UINT32), (7, 4, base::UINT32)];
    let values = [V::U32(START + 10), V::U32(START), V::U32(10_000)];
    fit.define_with(2, 19, &span, &[(0, 2, 0), (1, 16, 0), (0, 8, 1), (7, 3, 1)], false);
    let pace: Vec<u8> = [4.5, f32::NAN, 5.25, f32::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
    let developer = [V::U16(312), V::Bytes(&pace), V::Text("Ride", 8), V::Bytes(&[1, 2, 3])];
    fit.data(2, &[&values[..], &developer].concat());
    fit.define_with(3, 18, &span, &[(0, 2, 0), (0, 8, 1)], true);
    fit.data(3, &[&values[..], &[V::U16(0xFFFF), V::Text("", 8)]].concat());
    fit.define_with(3, 18, &span, &[(0, 2, 0)], true);
    fit.data(3, &[&values[..], &[V::U16(300)]].concat());
    fit.define_with(4, 23, &[(253, 4, base::UINT32), (0, 1, base::UINT8)], &[(1, 1, 1)], false);
    for charge in [66, 65, 0xFF] {
        fit.data(4, &[V::U32(START), V::U8(2), V::U8(charge)]);
    }
    fit
}

fn shown(values: &[StatedField]) -> Vec<(&str, &str, u8, FieldValue)> {
    let index = |value: &StatedField| match &value.key.fit {
        Some(FitField::Developer(field)) => field.index,
        other => panic!("{other:?}"),
    };
    values.iter().map(|v| (v.key.name.as_str(), v.key.unit.as_str(), index(v), v.value.clone())).collect()
}

#[test]
fn laps_sessions_and_devices_keep_their_developer_fields() {
    let draft = only(&with_developer_totals().file());
    let recording = &draft.recording;
    assert_eq!(recording.laps[0].end, ms(START) + 10_000);
    let numbers = FieldValue::Numbers(vec![Some(4.5), None, Some(5.25)]);
    assert_eq!(
        shown(&recording.laps[0].developer),
        [
            ("Lap Power", "Watts", 0, FieldValue::Number(312.0)),
            ("Pace", "min/km", 0, numbers),
            ("activity_type", "", 1, FieldValue::Text("Ride".into())),
        ]
    );
    let sessions = recording.sessions.iter().map(|session| shown(&session.developer)).collect::<Vec<_>>();
    assert_eq!(sessions, [vec![], vec![("Lap Power", "Watts", 0, FieldValue::Number(300.0))]], "invalid is absent");
    let sensor = recording.devices.iter().find(|device| device.index == Some(2)).unwrap();
    assert_eq!(shown(&sensor.developer), [("charge", "%", 1, FieldValue::Number(65.0))], "the last valid one");
    assert_eq!(draft.notes.get("fit.developer_totals").map(|note| note.count), Some(1), "the undescribed one");
}

#[test]
fn developer_fields_of_summaries_survive_every_format_that_can_hold_them() {
    let activity = settle(only(&with_developer_totals().file()), &SettleOptions::default());
    for format in ["fit", "gpx", "tcx"] {
        let (bytes, notes) = written(&activity, format);
        let again = only(&bytes).recording;
        assert_eq!(again.laps[0].developer, activity.laps[0].developer, "{format}");
        assert_eq!(again.sessions[1].developer, activity.sessions[1].developer, "{format}");
        assert_eq!(again.devices.last().unwrap().developer, activity.devices.last().unwrap().developer, "{format}");
        let lost = notes.get("loss.developer_totals").map(|note| note.count);
        assert_eq!(lost, (format != "fit").then_some(5), "{format}: other programs do not see them");
        assert_eq!(codes(&only(&bytes)), Vec::<&str>::new());
    }
    let (json, _) = written(&activity, "json");
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let fields = &value["laps"][0]["developer_fields"];
    assert_eq!((&fields[0]["name"], &fields[0]["value"]), (&"Lap Power".into(), &312.into()));
    assert_eq!(fields[1]["value"], serde_json::json!([4.5, null, 5.25]));
    assert_eq!(fields[2]["value"], "Ride");
    let sensor = value["devices"].as_array().unwrap().last().unwrap();
    assert_eq!(sensor["developer_fields"][0]["unit"], "%");
    assert_eq!(written(&activity, "csv").1.get("loss.developer_totals").map(|note| note.count), Some(5));
}
