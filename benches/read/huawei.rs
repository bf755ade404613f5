//! Huawei's JSON to the full model, against `serde_json` that only makes a tree of it: the tracks are still text then.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use paceport::formats::read_bytes;
use paceport::limits::Limits;
use serde_json::{Value, json};

/// An hour of running: a position a second, heart rate, speed and height every 5 s, steps every minute.
fn activity(start: i64) -> Value {
    let mut lines = String::from("HW_EXT_TRACK_DETAIL@is");
    for i in 0..3600 {
        let (lat, lon, t) = (47.0 + i as f64 * 1e-5, 8.5 + (i % 500) as f64 * 1.3e-5, (start + i) as f64);
        let _ = writeln!(lines, "tp=lbs;k={i};lat={lat:.7};lon={lon:.7};alt=0.0;t={t:E};");
    }
    for i in (0..3600).step_by(5) {
        let ms = (start + i) * 1000;
        let _ = writeln!(lines, "tp=h-r;k={ms};v={};\ntp=rs;k={i};v=31;\ntp=alti;k={ms};v={}.3;", 120 + i % 40, i % 90);
    }
    for i in (0..3600).step_by(60) {
        let _ = writeln!(lines, "tp=s-r;k={};v=164;", (start + i) * 1000);
    }
    lines += "&&HW_EXT_TRACK_SIMPLIFY@is{\"totalDistance\":10283,\"avgHeartRate\":139,\"sportType\":258}";
    json!({"sportType": 4, "startTime": start * 1000, "totalTime": 3_600_000, "timeZone": "+0100", "attribute": lines})
}

pub fn bench(c: &mut Criterion) {
    let bytes =
        Value::Array((0..20).map(|day| activity(1_700_000_000 + day * 86_400)).collect()).to_string().into_bytes();
    let mut group = c.benchmark_group("huawei");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.sample_size(20);
    group.bench_function("paceport", |b| {
        b.iter(|| black_box(read_bytes(&bytes, &Limits::default()).map(|(_, r)| r.drafts.len())))
    });
    group.bench_function("serde_json, a tree without the tracks", |b| {
        b.iter(|| black_box(serde_json::from_slice::<Value>(&bytes).is_ok()));
    });
    group.finish();
}
