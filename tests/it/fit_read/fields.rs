//! Native fields of laps, sessions, lengths, sets and splits that the model has no place for: they arrive, and every format
//! that can keeps them.

use std::sync::Arc;

use paceport::fix::{SettleOptions, settle};
use paceport::model::{Activity, ExtraKey, FieldValue, FitField, StatedField};

use super::{codes, only};
use crate::fit_validate::{self, Message};
use crate::fixtures::fit::{Fit, START, V, activity, base, record};
use crate::written::written;

const UINT64: u8 = 0x8F;

/// A lap, a session, a length, a set and a split of ten seconds, each with more than the model names.
fn with_fields() -> Fit {
    let mut fit = activity();
    (0..=10).for_each(|second| record(&mut fit, START + second, 120));
    let span = [(253, 4, base::UINT32), (2, 4, base::UINT32), (7, 4, base::UINT32)];
    let times = [V::U32(START + 10), V::U32(START), V::U32(10_000)];
    // Vertical oscillation in tenths of a millimetre, seconds in zones, power by position (the second is invalid), a
    // balance of an unknown side, one of the right side in a second lap, numbers that no profile has.
    let zones: Vec<u8> = [1500u32, 8500, 0, u32::MAX].iter().flat_map(|v| v.to_le_bytes()).collect();
    let power: Vec<u8> = [196u16, 0xFFFF].iter().flat_map(|v| v.to_le_bytes()).collect();
    let lap = [
        (77, 2, base::UINT16),
        (57, 16, base::UINT32),
        (106, 4, base::UINT16),
        (34, 2, base::UINT16),
        (16, 1, base::UINT8),
        (200, 6, base::STRING),
        (201, 4, base::FLOAT32),
        (202, 3, base::BYTE),
        (203, 1, base::SINT8),
    ];
    fit.define(1, 19, &[&span[..], &lap].concat());
    for (balance, unknown) in [(5000, -3), (0x8000 | 5100, 0x7F)] {
        let values = [
            V::U16(843),
            V::Bytes(&zones),
            V::Bytes(&power),
            V::U16(balance),
            V::U8(150),
            V::Text("Wald", 6),
            V::F32(0.1),
            V::Bytes(&[7, 0xFF, 9]),
            V::I8(unknown),
        ];
        fit.data(1, &[&times[..], &values].concat());
    }
    fit.define_with(2, 18, &[&span[..], &[(80, 2, base::UINT16), (5, 1, base::ENUM)]].concat(), &[], true);
    fit.data(2, &[&times[..], &[V::U16(54), V::U8(5)]].concat());
    fit.define(3, 101, &[(2, 4, base::UINT32), (3, 4, base::UINT32), (22, 2, base::UINT16), (77, 8, UINT64)]);
    fit.data(3, &[V::U32(START), V::U32(10_000), V::U16(2570), V::Bytes(&(1u64 << 40).to_le_bytes())]);
    let categories: Vec<u8> = [65_534u16, 7, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let set = [(254, 4, base::UINT32), (6, 4, base::UINT32), (0, 4, base::UINT32), (7, 6, base::UINT16)];
    fit.define(4, 225, &[&set[..], &[(11, 2, base::UINT16)]].concat());
    fit.data(4, &[V::U32(START), V::U32(START), V::U32(10_000), V::Bytes(&categories), V::U16(3)]);
    fit.define(4, 225, &set)
        .data(4, &[V::U32(START), V::U32(START), V::U32(10_000), V::Bytes(&[5, 0, 255, 255, 255, 255])]);
    fit.define(5, 312, &[(9, 4, base::UINT32), (27, 4, base::UINT32), (74, 4, base::UINT32), (253, 4, base::UINT32)]);
    fit.data(5, &[V::U32(START), V::U32(START + 10), V::U32(3858), V::U32(START + 12)]);
    fit
}

fn shown(values: &[StatedField]) -> Vec<(u8, &str, &str, FieldValue)> {
    values.iter().map(|v| (v.native().unwrap(), v.key.name.as_str(), v.key.unit.as_str(), v.value.clone())).collect()
}

fn numbers<const N: usize>(numbers: [Option<f64>; N]) -> FieldValue {
    FieldValue::Numbers(numbers.into())
}

#[test]
fn summaries_keep_the_fields_that_the_model_does_not_name() {
    use FieldValue::{Number, Text};
    let draft = only(&with_fields().file());
    let recording = &draft.recording;
    let [first, second] = &recording.laps[..] else { panic!() };
    let lap = [
        (77, "avg_vertical_oscillation", "mm", Number(84.3)),
        (57, "time_in_hr_zone", "s", numbers([Some(1.5), Some(8.5), Some(0.0), None])),
        (106, "avg_power_position", "W", numbers([Some(196.0), None])),
        (34, "left_right_balance", "", Number(5000.0)),
        (200, "field_200", "", Text("Wald".into())),
        (201, "field_201", "", Number(f64::from(0.1f32))),
        (202, "field_202", "", numbers([Some(7.0), None, Some(9.0)])),
        (203, "field_203", "", Number(-3.0)),
    ];
    assert_eq!(shown(&first.fields), lap, "not the heart rate, which has its place");
    assert_eq!((first.totals.left_right_balance, first.totals.max_heart_rate), (None, Some(150.0)));
    assert_eq!(shown(&second.fields).iter().map(|f| f.0).collect::<Vec<_>>(), [77, 57, 106, 200, 201, 202]);
    assert_eq!(second.totals.left_right_balance, Some(51.0));
    assert!(Arc::ptr_eq(&first.fields[0].key, &second.fields[0].key), "what all laps have is described once");
    assert_eq!(shown(&recording.sessions[0].fields), [(80, "avg_swolf", "", Number(54.0))]);
    let length = [
        (22, "enhanced_avg_respiration_rate", "/min", Number(25.7)),
        (77, "field_77", "", Number((1u64 << 40) as f64)),
    ];
    assert_eq!(shown(&recording.lengths[0].fields), length);
    let guesses = (7, "category", "", numbers([Some(65_534.0), Some(7.0), Some(0.0)]));
    assert_eq!(shown(&recording.sets[0].fields), [guesses, (11, "wkt_step_index", "", Number(3.0))]);
    assert_eq!((recording.sets[1].category, recording.sets[1].fields.len()), (Some(5), 0), "one guess is no list");
    assert_eq!(shown(&recording.splits[0].fields), [(74, "start_elevation", "m", Number(271.6))]);
    assert_eq!(codes(&draft), Vec::<&str>::new());
}

/// The messages of a kind, as a reader of its own sees them.
fn raw(bytes: &[u8], global: u16) -> Vec<Message> {
    fit_validate::parse(bytes).unwrap().into_iter().filter(|message| message.global == global).collect()
}

#[test]
fn fields_of_summaries_survive_every_format_that_can_hold_them() {
    let activity = settle(only(&with_fields().file()), &SettleOptions::default());
    let fields = |activity: &Activity| -> Vec<Vec<StatedField>> {
        let laps = activity.laps.iter().map(|lap| lap.fields.clone());
        let legs = activity.sessions.iter().map(|session| session.fields.clone());
        let lengths = activity.lengths.iter().map(|length| length.fields.clone());
        let sets = activity.sets.iter().map(|set| set.fields.clone());
        let splits = activity.splits.iter().map(|split| split.fields.clone());
        laps.chain(legs).chain(lengths).chain(sets).chain(splits).collect()
    };
    for format in ["fit", "gpx", "tcx"] {
        let (bytes, notes) = written(&activity, format);
        let again = settle(only(&bytes), &SettleOptions::default());
        assert_eq!(fields(&again), fields(&activity), "{format}");
        let lost = notes.get("loss.summary_fields").map(|note| note.count);
        assert_eq!(lost, (format != "fit").then_some(20), "{format}: other programs do not see them");
        let back = written(&again, "fit").0;
        let lap = &raw(&back, 19)[0];
        assert_eq!([77, 34, 203].map(|field| lap.number(field)), [Some(843), Some(5000), Some(-3)], "{format}");
    }
    let (json, _) = written(&activity, "json");
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let field = &value["laps"][0]["fields"][1];
    assert_eq!(
        (&field["name"], &field["number"], &field["unit"]),
        (&"time_in_hr_zone".into(), &57.into(), &"s".into())
    );
    assert_eq!(field["value"], serde_json::json!([1.5, 8.5, 0, null]));
    assert_eq!(written(&activity, "csv").1.get("loss.summary_fields").map(|note| note.count), Some(20));
}

#[test]
fn a_field_that_cannot_be_read_is_counted() {
    let mut fit = activity();
    record(&mut fit, START, 120);
    // Three bytes are no uint16, base type 17 does not exist, 2^53 + 1 is no f64, infinity is no measurement.
    let fields = [(200, 3, base::UINT16), (201, 1, 0x11), (202, 8, UINT64), (203, 4, base::FLOAT32)];
    fit.define(1, 19, &[&[(2, 4, base::UINT32), (7, 4, base::UINT32)], &fields[..]].concat());
    let wide = ((1u64 << 53) + 1).to_le_bytes();
    fit.data(1, &[V::U32(START), V::U32(1000), V::Bytes(&[1, 2, 3]), V::U8(1), V::Bytes(&wide), V::F32(f32::INFINITY)]);
    fit.data(
        1,
        &[V::U32(START), V::U32(1000), V::Bytes(&[0xFF; 3]), V::U8(0xFF), V::Bytes(&[0xFF; 8]), V::F32(f32::NAN)],
    );
    let draft = only(&fit.file());
    assert!(draft.recording.laps.iter().all(|lap| lap.fields.is_empty()));
    assert_eq!(draft.notes.get("fit.summary_field").map(|note| note.count), Some(4), "not those that hold nothing");
    assert!(draft.complete);
}

#[test]
fn a_field_that_comes_twice_is_read_once() {
    let mut fit = activity();
    record(&mut fit, START, 120);
    let fields = [(2, 4, base::UINT32), (7, 4, base::UINT32), (200, 1, base::UINT8), (200, 1, base::UINT8)];
    fit.define(1, 19, &fields).data(1, &[V::U32(START), V::U32(1000), V::U8(1), V::U8(2)]);
    let draft = only(&fit.file());
    assert_eq!(shown(&draft.recording.laps[0].fields), [(200, "field_200", "", FieldValue::Number(1.0))]);
}

#[test]
fn hostile_numbers_of_fields_end_at_a_bound() {
    let mut fit = activity();
    record(&mut fit, START, 120);
    // 100 fields of a hundred numbers in every lap.
    let fields: Vec<_> = (100..200).map(|number| (number, 100, base::UINT8)).collect();
    fit.define(1, 19, &[&[(2, 4, base::UINT32), (7, 4, base::UINT32)], &fields[..]].concat());
    for _ in 0..40 {
        fit.data(1, &[V::U32(START), V::U32(1000), V::Bytes(&[1; 10_000])]);
    }
    let draft = only(&fit.file());
    let kept: usize = draft.recording.laps.iter().map(|lap| lap.fields.len()).sum();
    // 110 to 114 (enhanced speed and altitude) and 156 to 157 (parts of the climb) have their place.
    assert_eq!((draft.recording.laps.len(), kept), (40, (1 << 18) / 100));
    let left = 40 * (100 - 7) - kept;
    assert_eq!(draft.notes.get("fit.too_many").map(|note| note.count), Some(left as u64));
}

#[test]
fn what_the_writer_says_itself_is_not_said_twice() {
    let native = |number, base_type, value| {
        let fit = FitField::Native { number, base_type, scale: 1.0, offset: 0.0 };
        StatedField { key: Arc::new(ExtraKey { name: "x".into(), unit: String::new(), fit: Some(fit) }), value }
    };
    let mut draft = only(&with_fields().file());
    // Index, time, event, a named total, the balance that the second lap has, one twice, a text in a number, too long.
    draft.recording.laps[1].fields = vec![
        native(254, base::UINT16, FieldValue::Number(9.0)),
        native(253, base::UINT32, FieldValue::Number(9.0)),
        native(0, base::ENUM, FieldValue::Number(3.0)),
        native(16, base::UINT8, FieldValue::Number(99.0)),
        native(34, base::UINT16, FieldValue::Number(9.0)),
        native(222, base::UINT8, FieldValue::Number(9.0)),
        native(222, base::UINT8, FieldValue::Number(8.0)),
        native(223, base::UINT8, FieldValue::Text("nine".into())),
        native(224, base::UINT8, FieldValue::Number(255.0)),
        native(225, base::UINT16, FieldValue::Numbers(vec![Some(1.0); 128])),
        native(226, 0x11, FieldValue::Number(1.0)),
    ];
    let (bytes, notes) = written(&settle(draft, &SettleOptions::default()), "fit");
    let lap = &raw(&bytes, 19)[1];
    let fields = [254, 0, 16, 34, 222, 223, 224, 225, 226].map(|field| lap.number(field));
    let balance = Some(0x8000 | 5100);
    assert_eq!(fields, [Some(1), Some(9), Some(150), balance, Some(9), None, None, None, None]);
    assert_eq!(notes.get("loss.field").map(|note| note.count), Some(10));
}
