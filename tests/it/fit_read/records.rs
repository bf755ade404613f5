//! Samples: `record` messages, developer fields, times.

use paceport::model::{Channel, FitField};

use super::{codes, column, extra, ms, only};
use crate::fixtures::fit::{Fit, START, V, activity, base, record};

#[test]
fn invalid_is_absent_and_zero_is_a_value() {
    let mut fit = activity();
    let fields = [
        (253, 4, base::UINT32),
        (0, 4, base::SINT32),
        (1, 4, base::SINT32),
        (5, 4, base::UINT32),
        (7, 2, base::UINT16),
        (13, 1, base::SINT8),
        (114, 4, base::FLOAT32),
    ];
    fit.define(1, 20, &fields);
    let half = V::I32(0x4000_0000);
    fit.data(1, &[V::U32(START), half, half, V::U32(0), V::U16(0), V::I8(-1), V::F32(0.0)]);
    let no = V::I32(i32::MAX);
    fit.data(1, &[V::U32(START + 1), no, half, V::U32(u32::MAX), V::U16(0xFFFF), V::I8(0x7F), V::F32(f32::NAN)]);
    let draft = only(&fit.file());
    let track = &draft.recording.track;
    assert_eq!(track.position(0), Some((90.0, 90.0)), "2^30 semicircles are 90 degrees");
    assert_eq!((track.position(1), track.distance(0), track.distance(1)), (None, Some(0.0), None));
    assert_eq!(column(&draft, Channel::Power), [Some(0.0), None]);
    assert_eq!(column(&draft, Channel::Temperature), [Some(-1.0), None]);
    assert_eq!(extra(&draft, "grit"), [Some(0.0), None]);
}

#[test]
fn enhanced_fields_win_where_they_have_a_value_wherever_they_stand() {
    let mut fit = activity();
    // altitude = raw / 5 - 500, speed = raw / 1000, respiration = raw and raw / 100.
    let fields = [
        (78, 4, base::UINT32),
        (73, 4, base::UINT32),
        (2, 2, base::UINT16),
        (6, 2, base::UINT16),
        (253, 4, base::UINT32),
        (108, 2, base::UINT16),
        (99, 1, base::UINT8),
    ];
    fit.define(1, 20, &fields);
    let no = V::U32(u32::MAX);
    fit.data(1, &[V::U32(3001), V::U32(4001), V::U16(3000), V::U16(4000), V::U32(START), V::U16(1550), V::U8(15)]);
    fit.data(1, &[no, no, V::U16(3005), V::U16(4002), V::U32(START + 1), V::U16(0xFFFF), V::U8(16)]);
    let draft = only(&fit.file());
    assert_eq!(column(&draft, Channel::Altitude), [Some(100.2), Some(101.0)]);
    assert_eq!(column(&draft, Channel::Speed), [Some(4.001), Some(4.002)]);
    assert_eq!(column(&draft, Channel::Respiration), [Some(15.5), Some(16.0)]);
}

#[test]
fn components_are_expanded_and_counters_roll_over() {
    let mut fit = activity();
    let fields = [(253, 4, base::UINT32), (8, 3, base::BYTE), (18, 1, base::UINT8), (28, 2, base::UINT16)];
    fit.define(1, 20, &fields);
    // speed = 12 low bits / 100, distance = 12 high bits / 16, rolling over at 4096.
    let packed = |speed: u32, distance: u32| (speed | distance << 12).to_le_bytes();
    let rows = [(250, 4000, 250, 65_000), (300, 4080, 255, 65_500), (310, 10, 4, 100)];
    for (second, (speed, distance, cycles, power)) in (0..).zip(rows) {
        let bytes = packed(speed, distance);
        fit.data(1, &[V::U32(START + second), V::Bytes(&bytes[..3]), V::U8(cycles), V::U16(power)]);
    }
    fit.data(1, &[V::U32(START + 3), V::Bytes(&[0xFF; 3]), V::U8(0xFF), V::U16(0xFFFF)]);
    let draft = only(&fit.file());
    let track = &draft.recording.track;
    assert_eq!(column(&draft, Channel::Speed), [Some(2.5), Some(3.0), Some(3.1), None]);
    let metres: Vec<_> = (0..4).map(|row| track.distance(row)).collect();
    assert_eq!(metres, [Some(250.0), Some(255.0), Some((4096.0 + 10.0) / 16.0), None]);
    // 255 is invalid for cycles, so the second value is missing; 250 to 4 is 10 more.
    assert_eq!(extra(&draft, "total_cycles"), [Some(250.0), None, Some(260.0), None]);
    assert_eq!(column(&draft, Channel::AccumulatedPower), [Some(65_000.0), Some(65_500.0), Some(65_636.0), None]);
}

#[test]
fn cadence_balance_and_power_phase_are_decoded() {
    let mut fit = activity();
    let fields =
        [(253, 4, base::UINT32), (53, 1, base::UINT8), (4, 1, base::UINT8), (30, 1, base::UINT8), (69, 2, base::UINT8)];
    fit.define(1, 20, &fields);
    fit.data(1, &[V::U32(START), V::U8(64), V::U8(84), V::U8(178), V::Bytes(&[0, 128])]);
    fit.data(1, &[V::U32(START + 1), V::U8(0xFF), V::U8(85), V::U8(48), V::Bytes(&[0xFF, 64])]);
    fit.data(1, &[V::U32(START + 2), V::U8(64), V::U8(0xFF), V::U8(0xFF), V::Bytes(&[0xFF, 0xFF])]);
    let draft = only(&fit.file());
    assert_eq!(column(&draft, Channel::Cadence), [Some(84.5), Some(85.0), None]);
    assert_eq!(column(&draft, Channel::LeftRightBalance), [Some(50.0), None, None], "178 is 50 % on the right");
    assert_eq!(extra(&draft, "left_right_balance"), [None, Some(48.0), None], "48 % of an unknown side stays raw");
    assert_eq!(column(&draft, Channel::LeftPhaseStart), [Some(0.0), None, None]);
    // 128 / 0.7111111 degrees.
    let ends = column(&draft, Channel::LeftPhaseEnd);
    assert!((ends[0].unwrap() - 180.0).abs() < 0.001 && (ends[1].unwrap() - 90.0).abs() < 0.001 && ends[2].is_none());
}

#[test]
fn unknown_messages_are_skipped_and_unknown_fields_are_kept() {
    let mut fit = activity();
    fit.define(3, 65_280, &[(0, 200, base::BYTE)]).data(3, &[V::Bytes(&[9; 200])]);
    fit.define(1, 20, &[(253, 4, base::UINT32), (90, 1, base::SINT8), (17, 3, base::UINT8)]);
    fit.data(1, &[V::U32(START), V::I8(-4), V::Bytes(&[16, 32, 0xFF])]);
    let draft = only(&fit.file());
    assert_eq!(extra(&draft, "field_90"), [Some(-4.0)]);
    assert_eq!((extra(&draft, "speed_1s"), extra(&draft, "speed_1s[1]")), (vec![Some(1.0)], vec![Some(2.0)]));
    let key = &draft.recording.track.extra()[0].key;
    let native = FitField::Native { number: 90, base_type: base::SINT8, scale: 1.0, offset: 0.0 };
    assert_eq!(key.fit, Some(native));
}

/// `developer_data_id` and `field_description` of one field, in locals 8 and 9.
pub fn describe(fit: &mut Fit, index: u8, number: u8, base_type: u8, name: &str, unit: &str) {
    fit.define(8, 207, &[(3, 1, base::UINT8), (1, 16, base::BYTE)])
        .data(8, &[V::U8(index), V::Bytes(&[index + 1; 16])]);
    let fields = [
        (0, 1, base::UINT8),
        (1, 1, base::UINT8),
        (2, 1, base::UINT8),
        (3, 16, base::STRING),
        (8, 8, base::STRING),
        (14, 2, base::UINT16),
        (15, 1, base::UINT8),
    ];
    fit.define(9, 206, &fields);
    let values =
        [V::U8(index), V::U8(number), V::U8(base_type), V::Text(name, 16), V::Text(unit, 8), V::U16(20), V::U8(5)];
    fit.data(9, &values);
}

#[test]
fn a_developer_field_never_hides_the_native_one_of_its_name() {
    let mut fit = activity();
    describe(&mut fit, 0, 3, base::FLOAT32, "distance", "m");
    describe(&mut fit, 1, 3, base::UINT16, "distance", "km");
    let native = [(253, 4, base::UINT32), (5, 4, base::UINT32)];
    fit.define_with(1, 20, &native, &[(3, 4, 0), (3, 4, 1)], false);
    fit.data(1, &[V::U32(START), V::U32(1234), V::F32(99.5), V::U16(7), V::U16(0xFFFF)]);
    let draft = only(&fit.file());
    let track = &draft.recording.track;
    assert_eq!(track.distance(0), Some(12.34));
    let found: Vec<_> = track
        .extra()
        .iter()
        .map(|column| {
            let Some(FitField::Developer(field)) = &column.key.fit else { panic!("{:?}", column.key) };
            assert_eq!((field.number, field.native_message, field.native_field), (3, Some(20), Some(5)));
            (field.index, field.application.unwrap()[0], column.key.unit.as_str(), column.get(0))
        })
        .collect();
    assert_eq!(found, [(0, 1, "m", Some(99.5)), (1, 2, "km", Some(7.0))], "an element without a value needs no column");
}

#[test]
fn developer_fields_may_be_described_late_anew_or_never() {
    let mut fit = activity();
    let native = [(253, 4, base::UINT32), (3, 1, base::UINT8)];
    fit.define_with(1, 20, &native, &[(0, 2, 0), (9, 3, 5)], false);
    fit.data(1, &[V::U32(START), V::U8(100), V::U16(1), V::Bytes(&[1, 2, 3])]);
    describe(&mut fit, 0, 0, base::UINT16, "early", "");
    fit.data(1, &[V::U32(START + 1), V::U8(101), V::U16(2), V::Bytes(&[1, 2, 3])]);
    describe(&mut fit, 0, 0, base::SINT16, "late", "");
    fit.data(1, &[V::U32(START + 2), V::U8(102), V::I16(-3), V::Bytes(&[1, 2, 3])]);
    let draft = only(&fit.file());
    assert_eq!(extra(&draft, "early"), [None, Some(2.0), None]);
    assert_eq!(extra(&draft, "late"), [None, None, Some(-3.0)]);
    assert_eq!(column(&draft, Channel::HeartRate), [Some(100.0), Some(101.0), Some(102.0)]);
    assert!(draft.notes.get("fit.developer_undescribed").unwrap().count >= 1);
}

#[test]
fn partial_records_of_one_second_become_one_sample_and_full_ones_stay_two() {
    let mut fit = activity();
    fit.define(1, 20, &[(253, 4, base::UINT32), (0, 4, base::SINT32), (1, 4, base::SINT32)]);
    fit.define(2, 20, &[(253, 4, base::UINT32), (3, 1, base::UINT8)]);
    for second in 0..3 {
        fit.data(1, &[V::U32(START + second), V::I32(1 << 29), V::I32(1 << 28)]);
        fit.data(2, &[V::U32(START + second), V::U8(100 + second as u8)]);
    }
    // Two heart rates of one second: neither may be lost.
    fit.data(2, &[V::U32(START + 3), V::U8(110)]).data(2, &[V::U32(START + 3), V::U8(111)]);
    let draft = only(&fit.file());
    let seconds = [0, 1, 2, 3, 3].map(|s| ms(START + s));
    assert_eq!(draft.recording.track.times(), seconds);
    let rates = [100.0, 101.0, 102.0, 110.0, 111.0].map(Some);
    assert_eq!(column(&draft, Channel::HeartRate), rates);
    assert_eq!(draft.recording.track.positions().count(), 3);
    assert_eq!(draft.notes.get("fit.partial_records").unwrap().count, 3);
}

#[test]
fn records_without_a_time_take_it_from_their_length_or_keep_their_place() {
    let mut swim = activity();
    swim.define(2, 101, &[(253, 4, base::UINT32), (2, 4, base::UINT32), (3, 4, base::UINT32), (12, 1, base::ENUM)]);
    swim.define(1, 20, &[(253, 4, base::UINT32), (5, 4, base::UINT32)]);
    for length in 0..3 {
        swim.data(2, &[V::U32(u32::MAX), V::U32(START + 30 * length), V::U32(29_500), V::U8((length != 1).into())]);
        swim.data(1, &[V::U32(u32::MAX), V::U32(2500 * (length + 1))]);
    }
    let draft = only(&swim.file());
    assert_eq!(draft.recording.track.times(), [0, 30, 60].map(|s| ms(START + s) + 29_500));
    assert_eq!(draft.recording.track.untimed_count(), 0);
    let active: Vec<bool> = draft.recording.lengths.iter().map(|length| length.active).collect();
    assert_eq!(active, [true, false, true]);

    // The record of a length comes before it; the file breaks off between the two.
    swim.data(1, &[V::U32(u32::MAX), V::U32(10_000)]);
    let track = only(&swim.file()).recording.track;
    assert_eq!(track.times()[..3], [0, 30, 60].map(|s| ms(START + s) + 29_500));
    assert_eq!((track.len(), track.untimed_count(), track.is_timed(3)), (4, 1, false));

    let mut plain = activity();
    plain.define(1, 20, &[(3, 1, base::UINT8)]).data(1, &[V::U8(90)]).data(1, &[V::U8(91)]);
    let draft = only(&plain.file());
    assert_eq!((draft.recording.track.len(), draft.recording.track.untimed_count()), (2, 2));
}

#[test]
fn times_since_power_on_are_moved_by_the_best_evidence() {
    let records = |fit: &mut Fit| {
        fit.define(1, 20, &[(253, 4, base::UINT32), (3, 1, base::UINT8)]);
        fit.data(1, &[V::U32(500), V::U8(90)]).data(1, &[V::U32(510), V::U8(91)]);
    };
    let mut correlated = activity();
    records(&mut correlated);
    correlated.define(2, 162, &[(253, 4, base::UINT32), (1, 4, base::UINT32)]);
    correlated.data(2, &[V::U32(START + 505), V::U32(505)]);
    let draft = only(&correlated.file());
    assert_eq!(draft.recording.track.times(), [ms(START + 500), ms(START + 510)]);

    let mut created = activity();
    records(&mut created);
    let draft = only(&created.file());
    assert_eq!(draft.recording.track.times(), [ms(START), ms(START + 10)], "from the time the file was created");
    assert_eq!(codes(&draft), ["fit.system_time"]);
}

#[test]
fn a_camera_file_has_its_track_in_gps_metadata() {
    let mut fit = activity();
    let fields = [
        (253, 4, base::UINT32),
        (0, 2, base::UINT16),
        (1, 4, base::SINT32),
        (2, 4, base::SINT32),
        (3, 4, base::UINT32),
        (5, 2, base::UINT16),
    ];
    fit.define(2, 160, &fields);
    for (ms, heading) in [(0, 9000), (500, 9050)] {
        fit.data(2, &[V::U32(START), V::U16(ms), V::I32(1 << 29), V::I32(-(1 << 29)), V::U32(3000), V::U16(heading)]);
    }
    let mut both = fit.clone();
    let draft = only(&fit.file());
    let track = &draft.recording.track;
    assert_eq!(track.times(), [ms(START), ms(START) + 500]);
    assert_eq!((track.position(1), column(&draft, Channel::Heading)[1]), (Some((45.0, -45.0)), Some(90.5)));

    record(&mut both, START, 100);
    let draft = only(&both.file());
    assert_eq!(draft.recording.track.len(), 1, "beside records they are left out, with a note");
    assert_eq!(draft.notes.get("fit.gps_metadata").unwrap().count, 2);
}

#[test]
fn our_own_fields_of_a_written_file_come_back_as_what_they_were() {
    let own = |fit: &mut Fit, number: u8, base_type: u8, name: &str, unit: &str| {
        let values = [V::U8(0), V::U8(number), V::U8(base_type), V::Text(name, 20), V::Text(unit, 4)];
        fit.data(9, &values);
    };
    let mut fit = activity();
    fit.define(8, 207, &[(3, 1, base::UINT8), (1, 16, base::BYTE)]);
    fit.data(8, &[V::U8(0), V::Bytes(b"paceport-fields1")]);
    let description =
        [(0, 1, base::UINT8), (1, 1, base::UINT8), (2, 1, base::UINT8), (3, 20, base::STRING), (8, 4, base::STRING)];
    fit.define(9, 206, &description);
    own(&mut fit, 0, base::UINT16, "timestamp_ms", "ms");
    own(&mut fit, 1, base::UINT8, "untimed", "");
    own(&mut fit, 2, base::FLOAT32, "spo2", "%");
    own(&mut fit, 3, base::UINT16, "Mood", "pt");
    let time = [(253, 4, base::UINT32)];
    fit.define_with(1, 20, &time, &[(0, 2, 0), (1, 1, 0), (2, 4, 0), (3, 2, 0)], false);
    fit.data(1, &[V::U32(START), V::U16(250), V::U8(0xFF), V::F32(97.5), V::U16(3)]);
    fit.data(1, &[V::U32(START), V::U16(250), V::U8(1), V::F32(f32::NAN), V::U16(4)]);
    fit.define_with(2, 19, &[(2, 4, base::UINT32), (7, 4, base::UINT32)], &[(0, 2, 0)], false);
    fit.data(2, &[V::U32(START), V::U32(10_000), V::U16(125)]);
    let draft = only(&fit.file());
    let track = &draft.recording.track;
    assert_eq!(track.times(), [ms(START) + 250, ms(START) + 250]);
    assert_eq!((track.is_timed(0), track.is_timed(1)), (true, false));
    assert_eq!(column(&draft, Channel::Spo2), [Some(97.5), None]);
    assert_eq!(extra(&draft, "Mood"), [Some(3.0), Some(4.0)]);
    assert_eq!((track.extra().len(), &track.extra()[0].key.fit), (1, &None));
    assert_eq!((draft.recording.laps[0].start, draft.recording.laps[0].end), (ms(START) + 125, ms(START) + 10_125));
    assert!(draft.notes.is_empty());
}
