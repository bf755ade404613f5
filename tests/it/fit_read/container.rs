//! Headers, sizes, checksums, chains, definitions: what a FIT file is packed in.

use paceport::error::Kind;
use paceport::formats::read_bytes;
use paceport::limits::Limits;
use paceport::model::Channel;

use super::{codes, column, ms, only, read};
use crate::fixtures::fit::{Fit, START, V, activity, base, crc, record, ride, strap};

#[test]
fn headers_of_any_size_and_checksums_of_any_state_cost_no_sample() {
    let fit = ride(5);
    let whole = fit.file();
    assert_eq!(codes(&only(&whole)), [""; 0]);
    assert_eq!(only(&fit.file_with(12, fit.records().len() as u32)).recording.track.len(), 5);

    let mut zero = whole.clone();
    zero[12..14].fill(0);
    let crc = crc(&zero[..zero.len() - 2]).to_le_bytes();
    let end = zero.len() - 2;
    zero[end..].copy_from_slice(&crc);
    assert_eq!(codes(&only(&zero)), [""; 0], "a header checksum of 0 says nothing");

    let mut wrong = whole.clone();
    wrong[12] ^= 1;
    wrong[end] ^= 1;
    let draft = only(&wrong);
    assert_eq!(codes(&draft), ["fit.header_crc", "fit.crc"]);
    assert!(draft.complete && draft.recording.track.len() == 5);

    assert_eq!(codes(&only(&whole[..end])), ["fit.no_crc"]);
    let larger = fit.file_with(16, fit.records().len() as u32);
    assert_eq!(only(&larger).recording.track.len(), 5, "a header is skipped by its stated size");
}

#[test]
fn a_data_size_of_zero_or_too_much_is_a_damage_without_loss() {
    let fit = ride(5);
    for (size, code) in [(0, "fit.no_data_size"), (100_000, "fit.truncated"), (u32::MAX, "fit.truncated")] {
        let draft = only(&fit.file_with(12, size));
        assert_eq!(codes(&draft), [code]);
        assert!(!draft.complete);
        assert_eq!(draft.recording.track.len(), 5);
    }
}

#[test]
fn every_prefix_gives_the_records_that_are_whole() {
    let fit = ride(20);
    let bytes = fit.file();
    let mut before = 0;
    for len in 0..bytes.len() - 2 {
        match read_bytes(&bytes[..len], &Limits::default()) {
            Ok((_, reading)) => {
                let samples: usize = reading.drafts.iter().map(|d| d.recording.track.len()).sum();
                assert!(samples >= before, "{len} bytes");
                before = samples;
                assert!(reading.drafts.iter().all(|d| !d.complete), "{len} bytes are not the whole file");
            }
            Err(error) => {
                assert!(before == 0 && matches!(error.kind(), Kind::Malformed | Kind::Unrecognised), "{error}")
            }
        }
    }
    assert_eq!(before, 19, "the last one lacks a byte");
}

#[test]
fn what_follows_the_end_is_noted_and_left() {
    let mut bytes = ride(3).file();
    bytes.extend(b"<html>not found</html>");
    let draft = only(&bytes);
    assert_eq!(draft.notes.get("fit.trailing_bytes").unwrap().count, 22);
    assert!(draft.complete);
}

#[test]
fn padding_between_the_links_of_a_chain_costs_no_activity() {
    for padding in [vec![0; 500], b"...\x0e......FIT.FIT garbage \x0c\x10\0\0\xff\xff\xff\xff.FIT".to_vec()] {
        let bytes = [ride(3).file(), padding.clone(), ride(4).file(), padding.clone()].concat();
        let drafts = read(&bytes).drafts;
        let found: Vec<_> = drafts
            .iter()
            .map(|d| (d.recording.track.len(), d.notes.get("fit.trailing_bytes").map_or(0, |note| note.count)))
            .collect();
        let len = padding.len() as u64;
        assert_eq!(found, [(3, len), (4, len)]);
        assert!(drafts.iter().all(|draft| draft.complete));
    }
}

#[test]
fn a_chain_is_several_activities_or_one_with_its_strap() {
    let two = [ride(3).file(), ride(4).file()].concat();
    let lens: Vec<usize> = read(&two).drafts.iter().map(|d| d.recording.track.len()).collect();
    assert_eq!(lens, [3, 4]);

    let mut settings = Fit::new();
    settings.define(0, 0, &[(0, 1, base::ENUM)]).data(0, &[V::U8(2)]);
    let reading = read(&[ride(3).file(), settings.file()].concat());
    assert_eq!((reading.drafts.len(), reading.skipped.as_deref()), (1, Some("settings")));

    // Anchor: at START + 0.5 s the strap's clock shows 2 s. Then beats at 2.5 s and 3.5 s of its clock: START + 1, + 2 s.
    let mut swim = activity();
    swim.define(1, 20, &[(253, 4, base::UINT32)]);
    for second in 0..4 {
        swim.data(1, &[V::U32(START + second)]);
    }
    let draft = only(&[swim.file(), strap(START, 16_384, 2048, &[(2560, 100), (3584, 120)]).file()].concat());
    // The mean from one record to the next of the beat itself and of the value held before it, in steps of 250 ms.
    // Record 1: 100 at 1.0 s. Record 2: 100 at 1.25, 1.5, 1.75, 120 at 2.0 s: 105.
    let expected = [None, Some(100.0), Some(105.0), None];
    assert_eq!(column(&draft, Channel::HeartRate), expected);
    assert_eq!(draft.notes.get("fit.strap_heart_rate").unwrap().count, 2);

    let mut named = strap(START, 16_384, 2048, &[(2560, 100), (3584, 120)]);
    named.define(4, 23, &[(0, 1, base::UINT8), (1, 1, base::UINT8)]).data(4, &[V::U8(1), V::U8(120)]);
    let draft = only(&[swim.file(), named.file()].concat());
    assert_eq!(column(&draft, Channel::HeartRate), expected, "whatever else the strap says");
}

#[test]
fn both_byte_orders_may_alternate_in_one_file() {
    let mut fit = activity();
    let fields = [(253, 4, base::UINT32), (7, 2, base::UINT16), (9, 2, base::SINT16)];
    fit.define_with(1, 20, &fields, &[], true).define(2, 20, &fields);
    fit.data(1, &[V::U32(START), V::U16(258), V::I16(-150)]);
    fit.data(2, &[V::U32(START + 1), V::U16(259), V::I16(150)]);
    let draft = only(&fit.file());
    assert_eq!(draft.recording.track.times(), [ms(START), ms(START + 1)]);
    assert_eq!(column(&draft, Channel::Power), [Some(258.0), Some(259.0)]);
    assert_eq!(column(&draft, Channel::Grade), [Some(-1.5), Some(1.5)]);
}

#[test]
fn compressed_timestamps_count_on_from_any_message_and_roll_over() {
    let mut fit = activity();
    // The last full timestamp stands in an event. 1_000_000_000 is a multiple of 32.
    fit.define(2, 21, &[(253, 4, base::UINT32), (0, 1, base::ENUM), (1, 1, base::ENUM)]);
    fit.data(2, &[V::U32(START + 29), V::U8(0), V::U8(0)]);
    fit.define(1, 20, &[(3, 1, base::UINT8)]);
    for (offset, bpm) in [(30, 90), (31, 91), (1, 92), (1, 93), (0, 94)] {
        fit.compressed(1, offset, &[V::U8(bpm)]);
    }
    let draft = only(&fit.file());
    let seconds = [30, 31, 33, 33, 64].map(|s| ms(START + s));
    assert_eq!(draft.recording.track.times(), seconds);
    assert_eq!(column(&draft, Channel::HeartRate)[4], Some(94.0));
}

#[test]
fn a_new_definition_of_a_local_number_holds_at_once() {
    let mut fit = activity();
    fit.define(1, 20, &[(253, 4, base::UINT32), (3, 1, base::UINT8)]).data(1, &[V::U32(START), V::U8(100)]);
    fit.define(1, 20, &[(253, 4, base::UINT32), (7, 2, base::UINT16)]).data(1, &[V::U32(START + 1), V::U16(200)]);
    fit.define(1, 20, &[(253, 4, base::UINT32), (3, 1, base::UINT8)]).data(1, &[V::U32(START + 2), V::U8(102)]);
    let draft = only(&fit.file());
    assert_eq!(column(&draft, Channel::HeartRate), [Some(100.0), None, Some(102.0)]);
    assert_eq!(column(&draft, Channel::Power), [None, Some(200.0), None]);
}

#[test]
fn odd_sizes_arrays_and_unknown_types_cost_only_their_own_field() {
    let mut fit = activity();
    // An event whose data is a uint32 of one byte (Coros), then a record: a power of three bytes, a base type that does not
    // exist, speed as an array (FR55) whose first element is invalid, a heart rate.
    fit.define(2, 21, &[(253, 4, base::UINT32), (0, 1, base::ENUM), (1, 1, base::ENUM), (3, 1, base::UINT32)]);
    fit.data(2, &[V::U32(START), V::U8(32), V::U8(3), V::U8(7)]);
    let fields =
        [(253, 4, base::UINT32), (7, 3, base::UINT16), (200, 2, 0x1F), (73, 8, base::UINT32), (3, 1, base::UINT8)];
    fit.define(1, 20, &fields);
    fit.data(1, &[V::U32(START), V::Bytes(&[1, 2, 3, 4, 5]), V::U32(u32::MAX), V::U32(2500), V::U8(99)]);
    let draft = only(&fit.file());
    assert_eq!(column(&draft, Channel::Power), [None]);
    assert_eq!(column(&draft, Channel::Speed), [Some(2.5)]);
    assert_eq!(column(&draft, Channel::HeartRate), [Some(99.0)]);
    assert_eq!(draft.notes.get("fit.field_size").unwrap().count, 2);
    let event = draft.recording.events[0];
    assert_eq!((event.event, event.data), (32, None));
    assert!(draft.complete);
}

#[test]
fn files_that_are_no_activity_say_what_they_are() {
    for (kind, name) in [(2, "settings"), (5, "workout"), (6, "course"), (32, "monitoring_b"), (44, "file_type_44")] {
        let mut fit = Fit::new();
        fit.define(0, 0, &[(0, 1, base::ENUM)]).data(0, &[V::U8(kind)]);
        record(&mut fit, START, 100);
        let reading = read(&fit.file());
        assert!(reading.drafts.is_empty(), "{name}");
        assert_eq!(reading.skipped.as_deref(), Some(name));
    }
    // Nothing behind the type is looked at, but what is chained to the file.
    let mut monitoring = Fit::new();
    monitoring.define(0, 0, &[(0, 1, base::ENUM)]).data(0, &[V::U8(32)]).raw(&[0x0D, 1, 2, 3]);
    let reading = read(&monitoring.file());
    assert_eq!((reading.skipped.as_deref(), reading.notes.is_empty()), (Some("monitoring_b"), true));
    assert_eq!(only(&[monitoring.file(), ride(3).file()].concat()).recording.track.len(), 3);
    let error = |bytes: &[u8]| read_bytes(bytes, &Limits::default()).unwrap_err().kind();
    assert_eq!(error(&Fit::new().file()), Kind::Malformed, "a header and nothing else");
    assert_eq!(error(&[14; 8]), Kind::Unrecognised);
}

#[test]
fn text_of_any_encoding_is_read_up_to_its_end() {
    let mut fit = activity();
    fit.define(3, 26, &[(8, 12, base::STRING)]).data(3, &[V::Bytes(b"Lauf \xFCber\0xy")]);
    record(&mut fit, START, 100);
    assert_eq!(only(&fit.file()).recording.name.as_deref(), Some("Lauf \u{FFFD}ber"));
}

#[test]
fn a_definition_that_is_missing_or_of_no_byte_order_ends_the_reading() {
    for tail in [&[0x0D, 1, 2, 3][..], &[0x41, 0, 9, 0, 20, 0][..]] {
        let mut fit = activity();
        record(&mut fit, START, 100);
        fit.raw(tail);
        let draft = only(&fit.file());
        assert_eq!((draft.recording.track.len(), draft.complete), (1, false));
        assert_eq!(codes(&draft), ["fit.stopped"]);
        let place = draft.notes.get("fit.stopped").unwrap().place.clone().unwrap();
        assert_eq!(place, format!("byte {}", 14 + fit.records().len() - tail.len()));
    }
}

#[test]
fn more_samples_than_allowed_are_left_out_and_said_so() {
    let mut fit = ride(20);
    fit.define(3, 19, &[(2, 4, base::UINT32)]).data(3, &[V::U32(START)]);
    let limits = Limits { samples: 7, ..Limits::default() };
    let (_, reading) = read_bytes(&fit.file(), &limits).unwrap();
    let draft = &reading.drafts[0];
    assert_eq!((draft.recording.track.len(), draft.recording.laps.len(), draft.complete), (7, 1, false));
    let note = draft.notes.get("fit.samples").unwrap();
    assert_eq!(note.count, 13);
    assert!(note.detail.contains("--max-samples"));
}

#[test]
fn tiny_messages_cannot_make_giant_lists() {
    // Laps, sessions, devices, sets … of no bytes at all: each takes one byte of the file.
    for number in [18, 19, 101, 225, 312, 23, 12, 21, 264] {
        let mut fit = activity();
        record(&mut fit, START, 100);
        fit.define(1, number, &[(200, 0, base::UINT8), (0, 1, base::ENUM), (9, 1, base::UINT8), (1, 1, base::ENUM)]);
        fit.raw(&[1, 43, 1, 1].repeat(200_000));
        let draft = only(&fit.file());
        let recording = &draft.recording;
        let lists = [recording.laps.len(), recording.sessions.len(), recording.lengths.len(), recording.sets.len()];
        assert!(lists.iter().all(|len| *len <= 65_536) && recording.devices.len() <= 1000, "{lists:?}");
        let full = draft.notes.get("fit.too_many").is_some();
        assert_eq!(full, !matches!(number, 21 | 23 | 264), "message {number}: {lists:?}");
        assert_eq!(draft.complete, !full);
    }
}

#[test]
fn tiny_records_cannot_make_giant_columns() {
    // A quarter of a million records of one byte, then one that touches 250 extra channels.
    let mut fit = activity();
    fit.define(1, 20, &[(3, 1, base::UINT8)]);
    for _ in 0..250_000 {
        fit.data(1, &[V::U8(100)]);
    }
    let many: Vec<_> = (0..250).map(|number| (number, 1, base::UINT8)).filter(|f| f.0 > 140).collect();
    fit.define_with(2, 20, &many, &[], false);
    fit.data(2, &vec![V::U8(1); many.len()]);
    let draft = only(&fit.file());
    assert_eq!(draft.recording.track.len(), 250_001);
    // 16 Mi absent cells and four for each byte of the file.
    let most = ((16 << 20) + 4 * fit.file().len()) / 250_000;
    assert!(draft.recording.track.extra().len() <= most, "{} columns", draft.recording.track.extra().len());
    assert!(draft.notes.get("fit.columns").is_some() && !draft.complete);
}

#[test]
fn bundled_files_read_as_their_folder_says() {
    let fixtures = crate::fixtures::fit::all();
    assert!(fixtures.len() >= 8, "met only {}", fixtures.len());
    for fixture in fixtures {
        let result = read_bytes(&fixture.bytes, &Limits::default());
        let drafts = result.as_ref().map_or(&[][..], |(_, reading)| &reading.drafts);
        match fixture.path.split('/').nth(1).unwrap() {
            "good" => {
                assert!(
                    !drafts.is_empty() && drafts.iter().all(|d| d.complete && codes(d).is_empty()),
                    "{}",
                    fixture.path
                )
            }
            "damaged" => {
                assert!(!drafts.is_empty() && drafts.iter().any(|d| !codes(d).is_empty()), "{}", fixture.path);
                assert!(drafts.iter().all(|d| !d.recording.track.is_empty()), "{}", fixture.path);
            }
            "bad" => assert!(drafts.is_empty(), "{}", fixture.path),
            other => panic!("no folder {other}"),
        }
    }
}
