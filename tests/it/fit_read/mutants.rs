//! Thousands of damaged files, the same ones on every run: never a panic, never more than the bytes can hold.
//! `PACEPORT_MUTANTS=1000000 cargo test fit_mutants` tries more.

use paceport::fix::{SettleOptions, settle};
use paceport::formats::read_bytes;
use paceport::limits::Limits;

use super::records::describe;
use crate::fixtures::fit::{Fit, START, V, activity, base, record, ride, strap};
use crate::random::Random;

/// Small files that between them use every part of the reader.
fn seeds() -> Vec<Vec<u8>> {
    let mut developer = activity();
    describe(&mut developer, 0, 0, base::FLOAT32, "Form Power", "W");
    let fields =
        [(253, 4, base::UINT32), (8, 3, base::BYTE), (18, 1, base::UINT8), (28, 2, base::UINT16), (30, 1, base::UINT8)];
    developer.define_with(1, 20, &fields, &[(0, 4, 0), (0, 12, 0)], true);
    for second in 0..6 {
        let three = V::Bytes(&[1, 2, 3]);
        let arrays = [V::F32(2.5), V::F32(1.5), V::F32(3.5), V::F32(4.5)];
        developer.data(
            1,
            &[
                V::U32(START + second / 2),
                three,
                V::U8(9),
                V::U16(100),
                V::U8(178),
                arrays[0],
                arrays[1],
                arrays[2],
                arrays[3],
            ],
        );
    }
    let mut messages = activity();
    for (number, time) in [
        (18, 2),
        (19, 2),
        (101, 2),
        (225, 6),
        (312, 9),
        (160, 253),
        (216, 253),
        (34, 253),
        (162, 1),
        (23, 253),
        (21, 253),
    ] {
        let fields = [
            (253, 4, base::UINT32),
            (time, 4, base::UINT32),
            (0, 1, base::ENUM),
            (1, 1, base::ENUM),
            (5, 4, base::UINT32),
            (8, 6, base::STRING),
        ];
        messages.define(3, number, &fields);
        messages
            .data(3, &[V::U32(START), V::U32(START + 5), V::U8(0), V::U8(1), V::U32(START + 7200), V::Text("abc", 6)]);
        record(&mut messages, START + u32::from(number), 100);
    }
    messages
        .define(4, 78, &[(0, 10, base::UINT16)])
        .data(4, &[V::Bytes(&[0x20, 3, 0x20, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0])]);
    messages.define(5, 290, &[(253, 4, base::UINT32), (1, 4, base::UINT16)]).data(5, &[V::U32(START), V::U32(77)]);
    let mut compressed = Fit::new();
    compressed.define(0, 20, &[(253, 4, base::UINT32), (3, 1, base::UINT8)]).data(0, &[V::U32(START), V::U8(9)]);
    compressed.define(1, 20, &[(3, 1, base::UINT8), (90, 1, base::SINT8)]);
    (0..40).for_each(|second| {
        compressed.compressed(1, second % 32, &[V::U8(100), V::I8(1)]);
    });
    let beats = [(2100, 90), (3000, 91), (4000, 92), (5000, 93)];
    vec![
        ride(12).file(),
        developer.file(),
        messages.file(),
        compressed.file(),
        [ride(4).file(), strap(START, 5, 2048, &beats).file(), activity().file()].concat(),
        [ride(4).file(), vec![0; 40], ride(5).file(), b".FIT.FIT".to_vec()].concat(),
    ]
}

/// One to four faults: bit flips, odd bytes, lost and doubled stretches, an early end.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let (at, len) = (random.below(bytes.len()), random.below(24));
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x40, 0x60, 0x7F, 0x80, 0xFE, 0xFF][random.below(8)],
            2 => bytes[at] = random.next() as u8,
            3 => drop(bytes.drain(at..(at + len).min(bytes.len()))),
            4 => {
                let copy = bytes[at..(at + len).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.truncate(at.max(12)),
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
}

#[test]
fn fit_mutants_are_read_or_refused_without_a_panic() {
    let seeds = seeds();
    for seed in &seeds {
        assert!(!read_bytes(seed, &Limits::default()).unwrap().1.drafts.is_empty(), "a seed is sound");
    }
    let tries: usize = std::env::var("PACEPORT_MUTANTS").map_or(10_000, |n| n.parse().unwrap());
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..tries {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        mutate(&mut random, &mut bytes);
        match read_bytes(&bytes, &Limits::default()) {
            Ok((_, reading)) => {
                read += 1;
                for draft in reading.drafts {
                    // A record takes a byte at least; a strap's value is held for 5 s in steps of 250 ms.
                    assert!(draft.recording.track.len() <= 21 * bytes.len());
                    settle(draft, &SettleOptions::default());
                }
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        read > tries / 2 && refused > 0,
        "{read} read, {refused} refused: the faults are neither too mild nor too harsh"
    );
}
