//! FIT reading against `rustyfit` (its default stream) and `fitparser` (`from_bytes`), checksums included.

use criterion::{Criterion, Throughput};
use paceport::formats::read_bytes;
use paceport::limits::Limits;
use rustyfit::{Decoder, DecoderEvent, StreamingIterator};
use std::hint::black_box;
use std::path::Path;

/// A ride as a head unit records it: every second position, distance, altitude, speed, heart rate, cadence, power and
/// temperature, in the layout of a Garmin Edge (two fields that the profile does not name), a developer field, R-R
/// intervals every second, a lap every 1000 s, summaries last.
pub fn ride(seconds: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let define = |out: &mut Vec<u8>, local: u8, message: u16, fields: &[[u8; 3]], developer: &[[u8; 3]]| {
        out.extend([if developer.is_empty() { 0x40 } else { 0x60 } | local, 0, 0]);
        out.extend(message.to_le_bytes());
        out.push(fields.len() as u8);
        out.extend(fields.as_flattened());
        if !developer.is_empty() {
            out.push(developer.len() as u8);
            out.extend(developer.as_flattened());
        }
    };
    let start = 1_000_000_000u32;
    define(&mut out, 0, 0, &[[3, 4, 0x8C], [4, 4, 0x86], [1, 2, 0x84], [2, 2, 0x84], [0, 1, 0]], &[]);
    out.push(0);
    out.extend(4242u32.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([1, 0, 0x2C, 0x07, 4]);
    define(&mut out, 1, 207, &[[3, 1, 2], [1, 16, 13]], &[]);
    out.extend([1, 0]);
    out.extend([7; 16]);
    define(&mut out, 1, 206, &[[0, 1, 2], [1, 1, 2], [2, 1, 2], [3, 8, 7], [8, 4, 7]], &[]);
    out.extend([1, 0, 0, 0x84]);
    out.extend(b"Airflow\0m/s\0");
    let record = [
        [253, 4, 0x86],
        [0, 4, 0x85],
        [1, 4, 0x85],
        [5, 4, 0x86],
        [73, 4, 0x86],
        [78, 4, 0x86],
        [61, 2, 0x84],
        [66, 2, 0x83],
        [7, 2, 0x84],
        [3, 1, 2],
        [4, 1, 2],
        [53, 1, 2],
        [13, 1, 1],
        [31, 1, 2],
    ];
    define(&mut out, 2, 20, &record, &[[0, 2, 0]]);
    define(&mut out, 3, 78, &[[0, 10, 0x84]], &[]);
    let lap = [[253, 4, 0x86], [2, 4, 0x86], [7, 4, 0x86], [8, 4, 0x86], [9, 4, 0x86], [15, 1, 2], [16, 1, 2]];
    define(&mut out, 4, 19, &lap, &[]);
    for second in 0..seconds {
        let time = start + second;
        let wave = |period: u32, depth: u32| (second * 7 % period) * depth / period;
        out.push(2);
        out.extend(time.to_le_bytes());
        out.extend((564_000_000 + second as i32 * 900).to_le_bytes());
        out.extend((98_000_000 + wave(977, 5000) as i32).to_le_bytes());
        out.extend((second * 812).to_le_bytes());
        out.extend((8120 + wave(31, 900)).to_le_bytes());
        out.extend((4500 + wave(3001, 2500)).to_le_bytes());
        out.extend([wave(97, 255) as u8, 17]);
        out.extend((-120i16 + wave(53, 200) as i16).to_le_bytes());
        out.extend((150 + wave(41, 120) as u16).to_le_bytes());
        let gone = if second % 50 == 0 { 0xFF } else { 82 };
        out.extend([120 + wave(601, 50) as u8, gone, 64, 21, 3]);
        out.extend((200 + wave(71, 60) as u16).to_le_bytes());
        out.push(3);
        out.extend([0x20, 3, 0x1C, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        if second % 1000 == 999 {
            out.push(4);
            for value in [time, time - 999, 1_000_000, 1_000_000, 812_000] {
                out.extend(value.to_le_bytes());
            }
            out.extend([140, 171]);
        }
    }
    file(&out)
}

fn file(records: &[u8]) -> Vec<u8> {
    let mut out = vec![14, 0x20, 0x84, 0x08];
    out.extend((records.len() as u32).to_le_bytes());
    out.extend(b".FIT");
    let crc = paceport::formats::fit::crc::crc16(&out);
    out.extend(crc.to_le_bytes());
    out.extend(records);
    let crc = paceport::formats::fit::crc::crc16(&out);
    out.extend(crc.to_le_bytes());
    out
}

/// Samples that we read.
pub fn ours(bytes: &[u8]) -> usize {
    let (_, reading) = read_bytes(bytes, &Limits::default()).expect("readable");
    reading.drafts.iter().map(|draft| draft.recording.track.len()).sum()
}

/// Messages that `rustyfit` reads.
pub fn rustyfit_stream(bytes: &[u8]) -> Option<usize> {
    let mut reader = bytes;
    let mut decoder = Decoder::new();
    let mut stream = decoder.stream(&mut reader);
    let mut messages = 0;
    while let Some(event) = stream.next() {
        if let DecoderEvent::Message(message) = event.ok()? {
            messages += black_box(message.fields.len()).min(1);
        }
    }
    Some(messages)
}

/// Messages that `fitparser` reads.
pub fn fitparser_from_bytes(bytes: &[u8]) -> Option<usize> {
    std::panic::catch_unwind(|| fitparser::from_bytes(bytes).ok().map(|messages| messages.len())).ok()?
}

/// The FIT files of the corpus that all three can read, when it is there.
pub fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/fit");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let files = paths.iter().filter_map(|path| std::fs::read(path).ok());
    files
        .filter(|bytes| bytes.get(8..12) == Some(b".FIT"))
        .filter(|bytes| rustyfit_stream(bytes).is_some() && fitparser_from_bytes(bytes).is_some())
        .filter(|bytes| read_bytes(bytes, &Limits::default()).is_ok())
        .collect()
}

/// One group a set of files; each peer reads all of them.
pub fn bench(criterion: &mut Criterion) {
    let sets = [("ride of 6 h", vec![ride(21_600)]), ("corpus", corpus())];
    for (name, files) in sets.into_iter().filter(|(_, files)| !files.is_empty()) {
        let mut group = criterion.benchmark_group(format!("read fit, {name}"));
        group.throughput(Throughput::Bytes(files.iter().map(|bytes| bytes.len() as u64).sum()));
        group.sample_size(10);
        group.bench_function("paceport", |b| b.iter(|| files.iter().map(|f| ours(black_box(f))).sum::<usize>()));
        group.bench_function("rustyfit stream", |b| {
            b.iter(|| files.iter().filter_map(|f| rustyfit_stream(black_box(f))).sum::<usize>())
        });
        group.bench_function("fitparser from_bytes", |b| {
            b.iter(|| files.iter().filter_map(|f| fitparser_from_bytes(black_box(f))).sum::<usize>())
        });
        group.finish();
    }
}
