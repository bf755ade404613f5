//! One document in many shapes that mean the same reads the same: encodings, quotes, blanks, comments, references, CDATA.

use paceport::formats::{self, Reading};
use paceport::limits::Limits;

use crate::{expect, fixtures};

fn read(what: &str, bytes: &[u8]) -> Reading {
    formats::read_bytes(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{what}: {error}")).1
}

/// Applies `change` to each text between tags (the `true` calls) and to each tag.
fn pieces(text: &str, change: impl Fn(bool, &str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(less) = rest.find('<') {
        let (before, tag) = rest.split_at(less);
        out += &change(true, before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        out += &change(false, &tag[..end]);
        rest = &tag[end..];
    }
    out + rest
}

type Shape = (&'static str, fn(&str) -> Vec<u8>);

/// Where a comment may stand anywhere in the text of elements.
fn is_words(text: &str) -> bool {
    !text.trim().is_empty()
}

const SHAPES: &[Shape] = &[
    ("utf-16", |text| {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect()
    }),
    ("byte order mark", |text| format!("\u{feff}{}", text.trim_start_matches('\u{feff}')).into_bytes()),
    ("no blanks between tags", |text| {
        pieces(text, |words, piece| if words && !is_words(piece) { String::new() } else { piece.to_owned() })
            .into_bytes()
    }),
    ("more blanks", |text| {
        pieces(text, |words, piece| match words {
            true if is_words(piece) => format!("\r\n\t{piece}  "),
            true => format!("{piece}\r\n\r\n"),
            false => piece.to_owned(),
        })
        .into_bytes()
    }),
    ("comments", |text| {
        let mut seen_root = false;
        let mut out = String::new();
        let shaped = pieces(text, |words, piece| {
            if words && is_words(piece) { format!("<!-- <a> -->{piece}<!---->") } else { piece.to_owned() }
        });
        // Not before the declaration.
        for line in shaped.split_inclusive('\n') {
            out += line;
            seen_root |= line.contains("</");
            if seen_root {
                out += "<!-- & -->";
            }
        }
        out.into_bytes()
    }),
    ("single quotes", |text| {
        pieces(
            text,
            |words, piece| if words || piece.contains('\'') { piece.to_owned() } else { piece.replace('"', "'") },
        )
        .into_bytes()
    }),
    ("references", |text| {
        pieces(text, |words, piece| match words {
            true if is_words(piece) && !piece.contains('&') => piece.replace('1', "&#49;").replace('2', "&#x32;"),
            false if piece.starts_with("<trkpt") || piece.starts_with("<wpt") => piece.replace('5', "&#53;"),
            _ => piece.to_owned(),
        })
        .into_bytes()
    }),
    ("CDATA", |text| {
        pieces(text, |words, piece| {
            if words && is_words(piece) && !piece.contains('&') {
                format!("<![CDATA[{piece}]]>")
            } else {
                piece.to_owned()
            }
        })
        .into_bytes()
    }),
    ("another document type", |text| {
        let at = text.find("?>").map_or(0, |at| at + 2);
        format!("{}<!DOCTYPE x [<!ENTITY e \"f\">]>{}", &text[..at], &text[at..]).into_bytes()
    }),
];

fn check(name: &str, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let plain = read(name, bytes);
    for (shape, make) in SHAPES {
        let reading = read(&format!("{name} as {shape}"), &make(text));
        assert_eq!(reading.skipped, plain.skipped, "{name} as {shape}");
        assert_eq!(reading.drafts.len(), plain.drafts.len(), "{name} as {shape}");
        for (one, two) in reading.drafts.iter().zip(&plain.drafts) {
            assert!(one.recording.track == two.recording.track, "{name} as {shape}: other samples");
            assert_eq!(one.recording.laps, two.recording.laps, "{name} as {shape}");
            assert_eq!(one.recording.pauses, two.recording.pauses, "{name} as {shape}");
            assert_eq!(one.recording.name, two.recording.name, "{name} as {shape}");
            assert_eq!(one.recording.devices, two.recording.devices, "{name} as {shape}");
            assert!(one.recording == two.recording, "{name} as {shape}: something else differs");
            assert_eq!((&one.clock, one.complete), (&two.clock, two.complete), "{name} as {shape}");
        }
    }
}

#[test]
fn the_shape_of_a_document_does_not_matter() {
    let good = |fixture: &fixtures::Fixture| {
        (fixture.path.ends_with(".gpx") || fixture.path.ends_with(".tcx")) && fixture.path.contains("/good/")
    };
    let mut files = 0;
    for fixture in fixtures::all().iter().filter(|fixture| good(fixture)) {
        // These have comments and CDATA of their own.
        if !["odd-markup", "opentracks", "rowing"].iter().any(|own| fixture.path.contains(own)) {
            check(fixture.path, &fixture.bytes);
            files += 1;
        }
    }
    assert!(files >= 20, "met only {files} fixtures");
}

#[test]
fn the_shape_of_a_corpus_file_does_not_matter() {
    let Some(corpus) = expect::corpus() else { return };
    let mut files = 0;
    for format in ["gpx", "tcx"] {
        for (path, expect) in expect::load(&corpus, Some(format)) {
            let bytes = std::fs::read(corpus.join(&path)).unwrap();
            let odd = [&b"<![CDATA["[..], b"<!--", b"encoding=\"ISO", b"</x:"]
                .iter()
                .any(|part| memchr::memmem::find(&bytes, part).is_some());
            if expect["status"] == "ok" && bytes.len() < 150_000 && !odd && !path.ends_with(".gz") {
                check(&path, &bytes);
                files += 1;
            }
        }
    }
    assert!(files >= 40, "met only {files} files");
}
