//! FIT writing against the encoder of `rustyfit`, checksums included. The peer writes the messages of the very files that
//! we write, decoded beforehand; we start from the model's columns, so choosing fields and definitions is part of our time.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use embedded_io::{ErrorType, Seek, SeekFrom, Write};
use paceport::fix::{SettleOptions, settle};
use paceport::formats::{by_id, read_bytes};
use paceport::limits::Limits;
use paceport::model::Activity;
use paceport::report::Notes;
use rustyfit::proto::FIT;
use rustyfit::{Decoder, Encoder};

use super::read_fit;

/// A growing buffer that the peer can seek in.
#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
    at: usize,
}

impl ErrorType for Memory {
    type Error = std::convert::Infallible;
}

impl Write for Memory {
    fn write(&mut self, some: &[u8]) -> Result<usize, Self::Error> {
        if self.at == self.bytes.len() {
            self.bytes.extend_from_slice(some);
        } else {
            let end = self.at + some.len();
            if end > self.bytes.len() {
                self.bytes.resize(end, 0);
            }
            self.bytes[self.at..end].copy_from_slice(some);
        }
        self.at += some.len();
        Ok(some.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Self::Error> {
        self.at = match to {
            SeekFrom::Start(at) => at as usize,
            SeekFrom::End(by) => (self.bytes.len() as i64 + by) as usize,
            SeekFrom::Current(by) => (self.at as i64 + by) as usize,
        };
        Ok(self.at as u64)
    }
}

/// A file as we write it.
fn ours(activity: &Activity) -> Vec<u8> {
    let mut out = Vec::new();
    let write = by_id("fit").and_then(|format| format.write).expect("FIT is written");
    write(activity, &mut out, &mut Notes::new()).expect("memory takes everything");
    out
}

fn rustyfit_encode(fit: &mut FIT) -> usize {
    let mut out = Memory::default();
    Encoder::new().encode(&mut out, fit).expect("encodable");
    out.bytes.len()
}

fn activities(bytes: &[u8]) -> Vec<Activity> {
    let (_, reading) = read_bytes(bytes, &Limits::default()).expect("readable");
    reading.drafts.into_iter().map(|draft| settle(draft, &SettleOptions::default())).collect()
}

/// One group a set of activities.
pub fn bench(criterion: &mut Criterion) {
    for (name, files) in [("ride of 6 h", vec![read_fit::ride(21_600)]), ("corpus", read_fit::corpus())] {
        let activities: Vec<Activity> = files.iter().flat_map(|bytes| activities(bytes)).collect();
        let mut messages = Vec::new();
        let mut bytes = 0;
        for activity in &activities {
            let written = ours(activity);
            bytes += written.len() as u64;
            messages.extend(Decoder::new().decode(&mut &written[..]).expect("decodable"));
        }
        if activities.is_empty() || messages.len() != activities.len() {
            continue;
        }
        let mut group = criterion.benchmark_group(format!("write fit, {name}"));
        group.throughput(Throughput::Bytes(bytes));
        group.sample_size(10);
        group.bench_function("paceport", |b| {
            b.iter(|| activities.iter().map(|activity| ours(black_box(activity)).len()).sum::<usize>())
        });
        group.bench_function("rustyfit encode", |b| {
            b.iter(|| messages.iter_mut().map(|fit| rustyfit_encode(black_box(fit))).sum::<usize>())
        });
        group.finish();
    }
}
