//! How fast activities are written: bytes of output a second, one thread, into memory that is there already.

use criterion::{Criterion, Throughput};
use paceport::fix::{self, SettleOptions};
use paceport::formats;
use paceport::model::{Activity, Channel, Draft, Sport};
use paceport::report::Notes;

const SAMPLES: i64 = 100_000;

/// A ride at one sample a second. `degrees` makes a coordinate of a count of 10⁻⁷ degrees.
fn ride(degrees: fn(i64) -> f64, channels: &[Channel]) -> Activity {
    let mut draft = Draft::new();
    draft.recording.sport = Sport::CYCLING;
    let track = &mut draft.recording.track;
    for i in 0..SAMPLES {
        track.push(1_714_547_520_000 + i * 1000);
        track.set_position(degrees(473_765_432 + i * 731), degrees(85_412_345 + i * 417));
        for (n, &channel) in channels.iter().enumerate() {
            let value = match channel {
                Channel::Altitude => 400.0 + (i % 500) as f32 / 5.0,
                Channel::Speed => (i % 12_000) as f32 / 1000.0,
                Channel::Grade => (i % 900) as f32 / 100.0,
                _ => (60 + (i + n as i64 * 7) % 140) as f32,
            };
            track.set(channel, value);
        }
    }
    fix::settle(draft, &SettleOptions::default())
}

/// Seven decimals, as most GPX files have them.
fn decimal(count: i64) -> f64 {
    count as f64 / 1e7
}

/// Semicircles, as FIT has them: 16 or 17 digits.
fn semicircle(count: i64) -> f64 {
    (count as f64 / 1e7 * (2_147_483_648.0 / 180.0)).round() * 180.0 / 2_147_483_648.0
}

/// A group a format.
pub fn bench(c: &mut Criterion) {
    use Channel::{Altitude, Cadence, Grade, HeartRate, Power, Speed, Temperature};
    let shapes = [
        ("lean", ride(decimal, &[Altitude])),
        ("strava", ride(decimal, &[Altitude, HeartRate, Cadence, Temperature])),
        ("fit", ride(semicircle, &[Altitude, HeartRate, Cadence, Power, Speed, Temperature, Grade])),
    ];
    for format in formats::FORMATS {
        let Some(writer) = format.write else { continue };
        let mut group = c.benchmark_group(format!("write/{}", format.id));
        group.sample_size(20);
        for (name, activity) in &shapes {
            let mut out = Vec::new();
            let once = |out: &mut Vec<u8>| {
                out.clear();
                writer(activity, out, &mut Notes::new()).is_ok()
            };
            assert!(once(&mut out), "{} writes {name}", format.id);
            group.throughput(Throughput::Bytes(out.len() as u64));
            group.bench_function(*name, |b| b.iter(|| once(&mut out)));
        }
        group.finish();
    }
}
