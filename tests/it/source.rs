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
use zip::unstable::write::FileOptionsExt;
use zip::write::{FileOptions, SimpleFileOptions};
use zip::{AesMode, CompressionMethod, ZipWriter};

use crate::fixtures::rawzip::{RawMember, deflated_stored, raw_zip};

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
    scan.entries.iter().map(|entry| &*entry.name).collect()
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
    scan.entries.iter().map(|entry| (entry.name.to_string(), content(entry, &options))).collect()
}

#[test]
fn the_same_content_has_one_digest_however_it_is_wrapped() {
    let big: Vec<u8> = (0..600_000u32).map(|i| b'a' + (i.wrapping_mul(i) >> 9) as u8 % 26).collect();
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

/// `A…ZA…Z`, 40,000 zeros, the same again: deflate64 as 7-Zip 22 writes it. The second half lies further back than
/// plain deflate reaches, which rejects the stream (checked with zlib).
const FAR: &str = "e5de37118040000041ac9173cef81782021aba9fddf64c5c9ca4595e9455ddb45d3f8cd3bcacdb7e9cd7fd7c9788c7e3f1783c1e8fc7e3\
    f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7\
    e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8f\
    c7e3f1783c1e8fc7e3f1783c1e8fc7e385e0cf73dc0b";

#[test]
fn every_way_to_write_a_zip_is_read() {
    let far = FAR.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    let mark: Vec<u8> = (b'A'..=b'Z').cycle().take(52).collect();
    let far_text = [&mark[..], &[0; 40_000], &mark].concat();
    let deflated = || RawMember::deflated("d", deflated_stored(TEXT), TEXT);
    let members = [
        RawMember::stored("stored", TEXT),
        deflated(),
        RawMember { name: b"streamed".to_vec(), ..deflated().streamed(true) },
        RawMember { name: b"unsigned".to_vec(), ..deflated().streamed(false) },
        RawMember { name: b"stored stream".to_vec(), ..RawMember::stored("", TEXT).streamed(true) },
        RawMember { name: b"zip64".to_vec(), zip64: true, ..deflated() },
        RawMember { name: b"zip64 stream".to_vec(), zip64: true, ..deflated().streamed(true) },
        RawMember { method: 9, ..RawMember::deflated("deflate64", far.collect(), &far_text) },
        RawMember { name: b"windows\\folder\\a".to_vec(), system: 0, attributes: 0x20, ..deflated() },
        RawMember { name: b"L\x84ufe".to_vec(), ..deflated() },
        RawMember { name: "跑步".as_bytes().to_vec(), flags: 0x800, ..deflated() },
        RawMember { extra: unicode_path(b"raw", "Läufe ü"), ..RawMember { name: b"raw".to_vec(), ..deflated() } },
        RawMember { extra: unicode_path(b"other", "stale"), ..RawMember { name: b"renamed".to_vec(), ..deflated() } },
        RawMember { name: b"folder/".to_vec(), attributes: 0o040_755 << 16, ..RawMember::stored("", b"") },
        RawMember { name: b"empty".to_vec(), ..RawMember::stored("", b"") },
    ];
    let expected = [
        "stored",
        "d",
        "streamed",
        "unsigned",
        "stored stream",
        "zip64",
        "zip64 stream",
        "deflate64",
        "windows/folder/a",
        "Läufe",
        "跑步",
        "Läufe ü",
        "renamed",
    ];
    let zip = raw_zip(&members).bytes;
    // Plain, with something in front of it, and with a comment and a tail behind it.
    for bytes in [zip.clone(), [b"#!/bin/sh\n", &zip[..]].concat(), [&zip[..], &[0; 3000]].concat()] {
        let contents = all_contents(&bytes);
        let names: Vec<&str> = contents.iter().map(|(name, _)| name.strip_prefix("-!/").unwrap()).collect();
        assert_eq!(names, expected);
        for (name, content) in contents {
            assert!(content == if name.ends_with("deflate64") { &far_text[..] } else { TEXT }, "{name}");
        }
    }
}

/// Info-ZIP Unicode path extra field.
fn unicode_path(raw: &[u8], name: &str) -> Vec<u8> {
    let mut out = vec![0x75, 0x70, (5 + name.len()) as u8, 0, 1];
    out.extend(crate::fixtures::rawzip::crc32(raw).to_le_bytes());
    out.extend(name.as_bytes());
    out
}

#[test]
fn a_zip64_end_record_decides_when_the_old_one_overflows() {
    let zip = raw_zip(&[RawMember::stored("a", TEXT), RawMember::stored("b", TEXT)]);
    let mut bytes = zip.bytes[..zip.end].to_vec();
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for value in [2, 2, zip.end - zip.directory, zip.directory] {
        bytes.extend((value as u64).to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((zip.end as u64).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([0xff; 12]);
    bytes.extend([0; 2]);
    assert_eq!(all_contents(&bytes).len(), 2);
}

/// Password, cipher and method of one encrypted archive with two members.
fn locked(options: FileOptions<'_, '_, ()>) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["a.gpx", "b.gpx"] {
        out.start_file(name, options).unwrap();
        out.write_all(&TEXT.repeat(100)).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn every_lock() -> Vec<(&'static str, Vec<u8>)> {
    let zip_crypto = |options: SimpleFileOptions| options.with_deprecated_encryption(b"secret").unwrap();
    vec![
        ("AES-128", locked(deflated().with_aes_encryption(AesMode::Aes128, "secret"))),
        ("AES-192", locked(deflated().with_aes_encryption(AesMode::Aes192, "secret"))),
        ("AES-256", locked(deflated().with_aes_encryption(AesMode::Aes256, "secret"))),
        ("AES-256, stored", locked(stored().with_aes_encryption(AesMode::Aes256, "secret"))),
        ("ZipCrypto", locked(zip_crypto(deflated()))),
        ("ZipCrypto, stored", locked(zip_crypto(stored()))),
    ]
}

#[test]
fn encrypted_members_open_with_the_password() {
    let limits = limits();
    let options = ScanOptions { limits: &limits, password: Some(b"secret") };
    for (lock, bytes) in every_lock() {
        let found = scan(&[Input::Stdin(bytes)], &options);
        assert_eq!(names(&found), ["-!/a.gpx", "-!/b.gpx"], "{lock}");
        for entry in &found.entries {
            assert!(content(entry, &options) == TEXT.repeat(100), "{lock}");
        }
    }
}

#[test]
fn no_password_a_wrong_one_and_damage_are_three_errors() {
    let limits = limits();
    let load_first = |bytes: &[u8], password: Option<&[u8]>| {
        let options = ScanOptions { limits: &limits, password };
        load(&scan(&[Input::Stdin(bytes.to_vec())], &options).entries[0], &options)
    };
    for (lock, bytes) in every_lock() {
        let none = load_first(&bytes, None).unwrap_err();
        assert!(none.kind() == Kind::Encrypted && none.message().contains("no password"), "{lock}: {none}");
        // The check bytes let one wrong password in 256 (ZipCrypto) or 65,536 (AES) pass.
        let wrong: Vec<_> =
            (0..8).map(|n| load_first(&bytes, Some(format!("guess {n}").as_bytes())).unwrap_err()).collect();
        let known = wrong.iter().filter(|e| e.kind() == Kind::Encrypted && e.message().contains("wrong")).count();
        assert!(known >= 6, "{lock}: {wrong:?}");
        assert!(wrong.iter().all(|e| matches!(e.kind(), Kind::Encrypted | Kind::Malformed)), "{lock}");

        let mut damaged = bytes.clone();
        let at = 30 + "a.gpx".len() + 60;
        damaged[at] ^= 0x55;
        match load_first(&damaged, Some(b"secret")) {
            Ok(loaded) => assert!(!loaded.complete && loaded.notes.has_damage(), "{lock}"),
            Err(error) => assert_eq!(error.kind(), Kind::Malformed, "{lock}: {error}"),
        }
    }
}

#[test]
fn an_archive_inside_an_encrypted_archive_is_read() {
    let limits = limits();
    let inner = zip_with(&[("deep.gpx", TEXT)], deflated());
    let outer = zip_with(&[("in.zip", &inner)], stored().with_aes_encryption(AesMode::Aes256, "secret"));
    let options = ScanOptions { limits: &limits, password: Some(b"secret") };
    let found = scan(&[Input::Stdin(outer)], &options);
    assert_eq!(names(&found), ["-!/in.zip!/deep.gpx"]);
    assert_eq!(content(&found.entries[0], &options), TEXT);
}

#[test]
fn gzip_is_read_to_its_last_member_and_its_damage_is_told() {
    let long: Vec<u8> = (0..400_000u32).map(|i| b'a' + (i.wrapping_mul(i) >> 9) as u8 % 26).collect();
    let (one, two) = long.split_at(150_000);
    let limits = limits();
    let options = ScanOptions { limits: &limits, password: None };
    let read = |bytes: Vec<u8>| load(&scan(&[Input::Stdin(bytes)], &options).entries[0], &options);

    let members = [gz(one), gz(b""), gz(two)].concat();
    let loaded = read(members.clone()).unwrap();
    assert!(loaded.bytes == long && loaded.complete && loaded.notes.is_empty());
    assert_eq!(loaded.stored_len, members.len() as u64);

    let loaded = read([&members[..], &[0; 700]].concat()).unwrap();
    assert!(loaded.bytes == long && loaded.notes.is_empty(), "padding is nothing to speak of");

    let loaded = read([&members[..], b"<html>"].concat()).unwrap();
    assert!(loaded.bytes == long && loaded.complete);
    assert_eq!(loaded.notes.get("source.gzip_trailing").unwrap().place, Some(format!("byte {}", members.len())));

    let cut = members[..members.len() - 20_000].to_vec();
    let loaded = read(cut).unwrap();
    assert!(!loaded.complete && loaded.bytes.len() > 300_000 && long.starts_with(&loaded.bytes));
    assert!(loaded.notes.get("source.gzip").unwrap().detail.contains("cut off"));

    let mut flipped = gz(&long);
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    let loaded = read(flipped).unwrap();
    assert!(
        loaded.bytes == long
            && !loaded.complete
            && loaded.notes.get("source.gzip").unwrap().detail.contains("check sum")
    );

    let error = read(members[..12].to_vec()).unwrap_err();
    assert_eq!(error.kind(), Kind::Malformed);
}

#[test]
fn tar_archives_keep_long_names_and_survive_damage() {
    let long = format!("{}/a.gpx", "folder".repeat(30));
    let mut bytes = tar_with(&[(&long, TEXT), ("b.gpx", TEXT), ("../c.gpx".trim_start_matches("../"), TEXT)]);
    let contents = all_contents(&bytes);
    assert_eq!(contents.len(), 3);
    assert_eq!(contents[0].0, format!("-!/{long}"));
    assert!(contents.iter().all(|(_, content)| content == TEXT));

    // The second header: behind a long name (header and one block), a header and one block of data.
    let second = 4 * 512;
    assert!(bytes[second..].starts_with(b"b.gpx"));
    bytes[second + 20] ^= 0xff;
    let limits = limits();
    let found = scan_bytes(&bytes, &limits);
    assert_eq!(names(&found), [format!("-!/{long}"), "-!/c.gpx".into()]);
    assert!(found.notes.get("source.directory").unwrap().detail.contains("byte 2048"));

    bytes.truncate(6 * 512 + 512 + 10);
    let found = scan_bytes(&bytes, &limits);
    let last = load(&found.entries[1], &ScanOptions { limits: &limits, password: None }).unwrap();
    assert_eq!(last.bytes, TEXT[..10]);
    assert!(found.notes.has_damage());
}

#[test]
fn the_sum_of_all_sources_can_be_limited() {
    let limits = Limits { total_bytes: Some(TEXT.len() as u64 * 2), ..limits() };
    let found = scan_bytes(&zip_with(&[("a", TEXT), ("b", TEXT), ("c", TEXT)], stored()), &limits);
    assert_eq!((found.entries.len(), found.problems.len()), (2, 1));
    assert!(found.problems[0].error.to_string().contains("--max-total"));
}

#[test]
fn an_archive_is_read_by_many_at_once() {
    let texts: Vec<Vec<u8>> = (0..40u8).map(|n| TEXT.repeat(usize::from(n) * 50 + 1)).collect();
    let labels: Vec<String> = (0..40).map(|n| format!("{n}.gpx")).collect();
    let members: Vec<(&str, &[u8])> =
        labels.iter().zip(&texts).map(|(name, text)| (name.as_str(), &text[..])).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    std::fs::write(&path, zip_with(&members, deflated())).unwrap();
    let limits = limits();
    let options = ScanOptions { limits: &limits, password: None };
    let found = scan(&[Input::Path(path)], &options);
    assert_eq!(found.entries.len(), 40);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (entries, texts, options) = (&found.entries, &texts, &options);
            scope.spawn(move || {
                for at in (0..40).map(|at| (at * 7 + worker * 11) % 40) {
                    assert!(load(&entries[at], options).unwrap().bytes == texts[at]);
                }
            });
        }
    });
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
    let zeros = vec![0; 8 << 20];
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
