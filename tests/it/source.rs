//! Where bytes come from: archives of every kind, made here, and what may be wrong with them.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use paceport::Kind;
use paceport::ids::hex;
use paceport::limits::Limits;
use paceport::source::{Entry, Input, Scan, ScanOptions, load, open, scan};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const TEXT: &[u8] = b"<gpx>a run in the morning, a run in the evening, a run at night</gpx>";

fn limits() -> Limits {
    Limits::default()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn zip_with(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        out.start_file(*name, options).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn tar_with(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

fn scan_bytes(bytes: &[u8], limits: &Limits) -> Scan {
    scan(&[Input::Stdin(bytes.to_vec())], &ScanOptions { limits, password: None })
}

fn names(scan: &Scan) -> Vec<&str> {
    scan.entries.iter().map(|entry| entry.name.as_str()).collect()
}

/// Loads whole and as a stream, and checks that both agree with each other and with an independent digest.
fn content(entry: &Entry, options: &ScanOptions<'_>) -> Vec<u8> {
    let loaded = load(entry, options).unwrap();
    let mut stream = open(entry, options).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let finished = stream.finish().unwrap();
    assert!(bytes == loaded.bytes);
    assert_eq!(loaded.digest.to_string(), hex(&Sha256::digest(&bytes)));
    assert_eq!((finished.digest, finished.len), (loaded.digest, bytes.len() as u64));
    assert_eq!(
        (finished.stored_len, finished.gzipped, finished.complete),
        (loaded.stored_len, loaded.gzipped, loaded.complete)
    );
    bytes
}

fn all_contents(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let limits = limits();
    let scan = scan_bytes(bytes, &limits);
    assert!(scan.problems.is_empty(), "{:?}", scan.problems);
    let options = ScanOptions { limits: &limits, password: None };
    scan.entries.iter().map(|entry| (entry.name.clone(), content(entry, &options))).collect()
}

#[test]
fn the_same_content_has_one_digest_however_it_is_wrapped() {
    let big: Vec<u8> = (0..3_000_000u32).map(|i| b'a' + (i.wrapping_mul(i) >> 9) as u8 % 26).collect();
    for text in [TEXT, &big] {
        let wrappings = [
            (text.to_vec(), "-"),
            (gz(text), "-"),
            (gz(&gz(text)), "-"),
            (zip_with(&[("a.gpx", text)], deflated()), "-!/a.gpx"),
            (zip_with(&[("a.gpx", text)], stored()), "-!/a.gpx"),
            (zip_with(&[("a.gpx.gz", &gz(text))], stored()), "-!/a.gpx.gz"),
            (zip_with(&[("a.gpx.gz", &gz(text))], deflated()), "-!/a.gpx.gz"),
            (gz(&zip_with(&[("a.gpx", text)], deflated())), "-!/a.gpx"),
            (zip_with(&[("in.zip", &zip_with(&[("a.gpx", text)], deflated()))], stored()), "-!/in.zip!/a.gpx"),
            (zip_with(&[("in.zip", &zip_with(&[("a.gpx", text)], deflated()))], deflated()), "-!/in.zip!/a.gpx"),
            (tar_with(&[("a.gpx", text)]), "-!/a.gpx"),
            (gz(&tar_with(&[("a.gpx", text)])), "-!/a.gpx"),
            (zip_with(&[("x.tgz", &gz(&tar_with(&[("a.gpx", text)])))], deflated()), "-!/x.tgz!/a.gpx"),
        ];
        for (at, (bytes, name)) in wrappings.iter().enumerate() {
            let contents = all_contents(bytes);
            assert_eq!(contents.len(), 1, "wrapping {at}");
            assert_eq!(contents[0].0, *name, "wrapping {at}");
            assert!(contents[0].1 == text, "wrapping {at}");
        }
    }
}

#[test]
fn folders_are_walked_in_byte_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let put = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("b/2.fit", b"two");
    put("b/10.fit", b"ten");
    put("a.gpx", TEXT);
    put("Z.tcx", TEXT);
    put("c/export.zip", &zip_with(&[("z.fit", b"z"), ("a.fit", b"a")], deflated()));
    put("c/._export.zip", b"resource fork");
    put(".hidden/a.fit", b"no");
    put("empty.fit", b"");
    let limits = limits();
    let found = scan(&[Input::Path(root.to_owned())], &ScanOptions { limits: &limits, password: None });
    assert!(found.problems.is_empty());
    let prefix = format!("{}/", root.display());
    let relative: Vec<&str> = names(&found).iter().map(|name| name.strip_prefix(&prefix).unwrap()).collect();
    let expected = ["Z.tcx", "a.gpx", "b/10.fit", "b/2.fit", "c/export.zip!/z.fit", "c/export.zip!/a.fit"];
    assert_eq!(relative, expected);
    assert_eq!(found.notes.get("source.clutter").unwrap().count, 2);
    assert_eq!(found.notes.get("source.empty").unwrap().count, 1);
    assert_eq!((found.archives.len(), found.archives[0].entries), (1, 2));
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(root.join("a/b/x.fit"), b"x").unwrap();
    for (target, link) in [("..", "a/b/up"), ("../b", "a/b/self"), ("a", "aa"), ("nowhere", "dangling")] {
        std::os::unix::fs::symlink(target, root.join(link)).unwrap();
    }
    let limits = limits();
    let found = scan(&[Input::Path(root.to_owned())], &ScanOptions { limits: &limits, password: None });
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.notes.get("source.walked_already").unwrap().count, 3);
    assert_eq!(found.problems.len(), 1);
    assert!(found.problems[0].name.ends_with("/dangling"));
}

#[cfg(unix)]
#[test]
fn special_and_vanishing_files_are_errors_of_their_own() {
    let limits = limits();
    let options = ScanOptions { limits: &limits, password: None };
    let found = scan(&[Input::Path("/dev/zero".into()), Input::Path("/no/such/file".into())], &options);
    assert!(found.entries.is_empty());
    let kinds: Vec<Kind> = found.problems.iter().map(|problem| problem.error.kind()).collect();
    assert_eq!(kinds, [Kind::Unsupported, Kind::Io]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fit");
    std::fs::write(&path, TEXT).unwrap();
    let found = scan(&[Input::Path(path.clone())], &options);
    std::fs::remove_file(&path).unwrap();
    let error = load(&found.entries[0], &options).unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
}

#[test]
fn every_nesting_limit_names_its_option() {
    let mut bytes = zip_with(&[("a.gpx", TEXT)], deflated());
    for depth in 0..4 {
        let expected = if depth <= 2 { 0 } else { 1 };
        let found = scan_bytes(&bytes, &limits());
        assert_eq!((found.problems.len(), found.entries.len()), (expected, 1 - expected), "depth {depth}");
        if let Some(problem) = found.problems.first() {
            assert!(problem.error.kind() == Kind::Limit && problem.error.to_string().contains("--max-nesting"));
        }
        bytes = zip_with(&[("in.zip", &bytes)], stored());
    }
}

#[test]
fn a_bomb_is_refused_and_its_neighbours_are_read() {
    let zeros = vec![0; 50 << 20];
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("a.gpx", TEXT), ("bomb.gpx", &zeros), ("b.gpx", TEXT)] {
        out.start_file(name, deflated().compression_level(Some(9))).unwrap();
        out.write_all(bytes).unwrap();
    }
    let bytes = out.finish().unwrap().into_inner();
    let limits = limits();
    let options = ScanOptions { limits: &limits, password: None };
    for bytes in [bytes, zip_with(&[("a.gpx", TEXT), ("bomb.gz", &gz(&zeros)), ("b.gpx", TEXT)], stored())] {
        assert!(bytes.len() < 60_000);
        let found = scan_bytes(&bytes, &limits);
        assert_eq!(found.entries.len(), 3);
        for at in [0, 2] {
            assert_eq!(content(&found.entries[at], &options), TEXT);
        }
        let error = load(&found.entries[1], &options).unwrap_err();
        assert!(error.kind() == Kind::Limit && error.to_string().contains("--max-ratio"), "{error}");
        let mut stream = open(&found.entries[1], &options).unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        assert_eq!(stream.finish().unwrap_err().kind(), Kind::Limit);
    }
}

#[test]
fn a_path_that_is_given_twice_is_read_twice() {
    let limits = limits();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let inputs = [Input::Path(path.clone()), Input::Path(path)];
    assert_eq!(scan(&inputs, &ScanOptions { limits: &limits, password: None }).entries.len(), 2);
}
