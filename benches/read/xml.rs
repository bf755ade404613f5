//! GPX and TCX reading to the full model, against a bare quick-xml pull loop that keeps nothing and against the `gpx`
//! crate, which keeps no extensions.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use paceport::formats::{FORMATS, Reader, read_bytes, read_with};
use paceport::limits::Limits;

const SAMPLES: usize = 50_000;

/// The points of a ride with what `point` writes of each.
fn points(point: impl Fn(&mut String, usize, &str)) -> String {
    let mut out = String::new();
    for i in 0..SAMPLES {
        let (hour, minute, second) = (i / 3600, i / 60 % 60, i % 60);
        point(&mut out, i, &format!("2024-05-{:02}T{:02}:{minute:02}:{second:02}", 1 + hour / 24, hour % 24));
    }
    out
}

fn gpx(points: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx creator=\"bench\" version=\"1.1\" \
         xmlns=\"http://www.topografix.com/GPX/1/1\" \
         xmlns:ns3=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\">\n<trk><name>Ride</name><type>cycling</type>\
         <trkseg>\n{points}</trkseg></trk></gpx>\n"
    )
    .into_bytes()
}

/// As Garmin Connect writes: positions of 28 digits, temperature, heart rate, cadence, one element a line.
pub fn garmin() -> Vec<u8> {
    gpx(&points(|out, i, time| {
        let (lat, lon) = (1_000_000_000_000 + i * 7_654_321, 2_000_000_000_000 + i * 1_234_567);
        let _ = write!(
            out,
            "      <trkpt lat=\"47.{lat}{lon}\" lon=\"8.{lon}{lat}\">\n        <ele>{}.799999237060546875</ele>\n        \
             <time>{time}.000Z</time>\n        <extensions>\n          <ns3:TrackPointExtension>\n            \
             <ns3:atemp>21.0</ns3:atemp>\n            <ns3:hr>{}</ns3:hr>\n            <ns3:cad>{}</ns3:cad>\n          \
             </ns3:TrackPointExtension>\n        </extensions>\n      </trkpt>\n",
            400 + i % 50,
            120 + i % 40,
            i % 95
        );
    }))
}

/// As most programs write: positions of 7 decimals, elevation and time, no extensions.
pub fn lean() -> Vec<u8> {
    gpx(&points(|out, i, time| {
        let (lat, lon) = (3_654_321 + i * 91, 5_412_345 + i * 47);
        let _ = write!(
            out,
            "   <trkpt lat=\"47.{lat:07}\" lon=\"8.{lon:07}\">\n    <ele>{}.{}</ele>\n    <time>{time}Z</time>\n   </trkpt>\n",
            400 + i % 50,
            i % 10
        );
    }))
}

/// A TCX ride with heart rate, cadence, speed and power.
pub fn tcx() -> Vec<u8> {
    let points = points(|out, i, time| {
        let (lat, lon) = (3_654_321 + i * 91, 5_412_345 + i * 47);
        let _ = write!(
            out,
            "          <Trackpoint>\n            <Time>{time}.000Z</Time>\n            <Position>\n              \
             <LatitudeDegrees>47.{lat:07}</LatitudeDegrees>\n              <LongitudeDegrees>8.{lon:07}</LongitudeDegrees>\n            \
             </Position>\n            <AltitudeMeters>{}.{}</AltitudeMeters>\n            <DistanceMeters>{}.25</DistanceMeters>\n            \
             <HeartRateBpm>\n              <Value>{}</Value>\n            </HeartRateBpm>\n            <Cadence>{}</Cadence>\n            \
             <Extensions>\n              <ns3:TPX>\n                <ns3:Speed>8.125</ns3:Speed>\n                \
             <ns3:Watts>{}</ns3:Watts>\n              </ns3:TPX>\n            </Extensions>\n          </Trackpoint>\n",
            400 + i % 50,
            i % 10,
            i * 8,
            120 + i % 40,
            i % 95,
            i % 300
        );
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrainingCenterDatabase \
         xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\" \
         xmlns:ns3=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\"><Activities><Activity Sport=\"Biking\">\
         <Id>2024-05-01T00:00:00.000Z</Id><Lap StartTime=\"2024-05-01T00:00:00.000Z\"><TotalTimeSeconds>{SAMPLES}\
         </TotalTimeSeconds><Track>\n{points}</Track></Lap></Activity></Activities></TrainingCenterDatabase>\n"
    )
    .into_bytes()
}

/// Samples that we read.
fn ours(bytes: &[u8]) -> usize {
    let (_, reading) = read_bytes(bytes, &Limits::default()).expect("readable");
    reading.drafts.iter().map(|draft| draft.recording.track.len()).sum()
}

/// Samples that our quick-xml path reads, without the scanner.
fn plain(bytes: &[u8]) -> usize {
    let format = FORMATS.iter().find(|format| (format.sniff)(bytes)).expect("known");
    let read = if format.id == "gpx" { paceport::formats::gpx::read_plain } else { paceport::formats::tcx::read_plain };
    let reading = read_with(Reader::Whole(read), bytes, &Limits::default()).expect("readable");
    reading.drafts.iter().map(|draft| draft.recording.track.len()).sum()
}

/// Events of a quick-xml loop that keeps nothing.
fn pull(bytes: &[u8]) -> usize {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(bytes).expect("UTF-8"));
    let mut events = 0;
    while !matches!(black_box(reader.read_event()), Ok(quick_xml::events::Event::Eof) | Err(_)) {
        events += 1;
    }
    events
}

/// Points that the `gpx` crate reads.
fn gpx_crate(bytes: &[u8]) -> Option<usize> {
    let gpx = gpx::read(bytes).ok()?;
    Some(gpx.tracks.iter().flat_map(|track| &track.segments).map(|segment| segment.points.len()).sum())
}

/// The GPX files of the corpus that the `gpx` crate can read, when it is there.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/gpx");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let files = paths.iter().filter_map(|path| std::fs::read(path).ok());
    files
        .filter(|bytes| std::str::from_utf8(bytes).is_ok() && gpx_crate(bytes).is_some())
        .filter(|bytes| read_bytes(bytes, &Limits::default()).is_ok())
        .collect()
}

/// One group a set of files; each peer reads all of them.
pub fn bench(criterion: &mut Criterion) {
    let sets = [
        ("gpx, Garmin", vec![garmin()]),
        ("gpx, lean", vec![lean()]),
        ("gpx, corpus", corpus()),
        ("tcx, ride", vec![tcx()]),
    ];
    for (name, files) in sets.into_iter().filter(|(_, files)| !files.is_empty()) {
        let mut group = criterion.benchmark_group(format!("read {name}"));
        group.throughput(Throughput::Bytes(files.iter().map(|bytes| bytes.len() as u64).sum()));
        group.sample_size(10);
        group.bench_function("paceport", |b| b.iter(|| files.iter().map(|f| ours(black_box(f))).sum::<usize>()));
        group.bench_function("paceport without scanner", |b| {
            b.iter(|| files.iter().map(|f| plain(black_box(f))).sum::<usize>())
        });
        group.bench_function("quick-xml pull", |b| b.iter(|| files.iter().map(|f| pull(black_box(f))).sum::<usize>()));
        if name.starts_with("gpx") {
            group.bench_function("gpx crate", |b| {
                b.iter(|| files.iter().filter_map(|f| gpx_crate(black_box(f))).sum::<usize>())
            });
        }
        group.finish();
    }
}
