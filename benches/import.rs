//! Import of a folder of mixed files into a new history, and the same again, against reading alone.

use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use paceport::formats;
use paceport::limits::Limits;
use paceport::pipeline::{Dedupe, ImportOptions, Input, Preferences, ReadOptions, import, inspect};

/// The tour's files under many names, each made unique by a comment at its end or its own time.
fn folder(files: usize) -> (tempfile::TempDir, u64) {
    let tour = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tour");
    let ride = std::fs::read(tour.join("bike-computer/evening-ride.tcx")).expect("the tour is bundled");
    let run = std::fs::read(tour.join("watch/2024-05-01.fit")).expect("the tour is bundled");
    let limits = Limits::default();
    assert!(formats::read_bytes(&run, &limits).is_ok());
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut bytes = 0;
    for i in 0..files {
        // Bytes after the end are noted and do no harm.
        let (name, content) = if i % 2 == 0 {
            (format!("{i}.tcx"), [&ride[..], format!("<!-- {i} -->").as_bytes()].concat())
        } else {
            (format!("{i}.fit"), [&run[..], &i.to_le_bytes()].concat())
        };
        bytes += content.len() as u64;
        std::fs::write(folder.path().join(name), content).expect("a scratch file");
    }
    (folder, bytes)
}

fn benches(criterion: &mut Criterion) {
    let (folder, bytes) = folder(400);
    let inputs = [Input::Path(PathBuf::from(folder.path()))];
    let options = ReadOptions::default();
    let how = ImportOptions {
        dry_run: false,
        wait: false,
        dedupe: Dedupe::Exact,
        preferences: Preferences::default(),
        tell: false,
    };
    let mut group = criterion.benchmark_group("import");
    group.throughput(Throughput::Bytes(bytes)).sample_size(10);
    group.bench_function("read only", |b| b.iter(|| inspect(&inputs, &options, &|_| ()).expect("readable")));
    group.bench_function("new history", |b| {
        b.iter_with_large_drop(|| {
            let history = tempfile::tempdir().expect("a scratch folder");
            import(&inputs, &history.path().join("h"), &options, &how, &|_| ()).expect("importable");
            history
        });
    });
    let history = tempfile::tempdir().expect("a scratch folder");
    let root = history.path().join("h");
    import(&inputs, &root, &options, &how, &|_| ()).expect("importable");
    group.bench_function("the same again", |b| {
        b.iter(|| import(&inputs, &root, &options, &how, &|_| ()).expect("importable"));
    });
    group.finish();
}

criterion_group!(import_benches, benches);
criterion_main!(import_benches);
