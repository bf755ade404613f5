//! Encodings, settled before anything is parsed. Plain UTF-8 is only validated, never copied.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::Place;
use crate::report::{Code, Notes};

const ENCODING: Code = Code::warning("xml.encoding");

/// How far into a file its XML declaration is looked for.
const HEAD: usize = 512;

/// The content as UTF-8 text. Offsets into it are what places report.
///
/// A byte order mark decides, then the zero bytes of an unmarked UTF-16, then the XML declaration; one that names a
/// single-byte encoding is not believed over good UTF-8, since text in such an encoding is that hardly ever by chance.
/// Content that claims UTF-8 (or nothing) and is not, is read as Windows-1252, which covers Latin-1, unless most of its
/// accented letters are good UTF-8: then only the bad bytes are replaced.
pub fn decode<'a>(bytes: &'a [u8], notes: &mut Notes) -> Cow<'a, str> {
    if let Some(utf16) = utf16(bytes) {
        return utf16.decode(bytes).0;
    }
    if let Some(declared) = declared(bytes) {
        if let (true, Ok(text)) = (declared.is_single_byte(), std::str::from_utf8(bytes)) {
            if !text.is_ascii() {
                notes.add(ENCODING, Place::NOWHERE, || {
                    format!("the content is UTF-8, although the file declares {}", declared.name())
                });
            }
            return Cow::Borrowed(text);
        }
        let (text, replaced) = declared.decode_without_bom_handling(bytes);
        if replaced {
            notes.add(ENCODING, Place::NOWHERE, || {
                format!("bytes that are no {} were replaced, although the file declares it", declared.name())
            });
        }
        return text;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let at = error.valid_up_to();
            if mostly_utf8(bytes) {
                notes.add(ENCODING, Place::byte(at), || "bytes that are no UTF-8 were replaced");
                String::from_utf8_lossy(bytes)
            } else {
                notes.add(ENCODING, Place::byte(at), || "the content is no UTF-8; it was read as Windows-1252");
                WINDOWS_1252.decode_without_bom_handling(bytes).0
            }
        }
    }
}

/// The local name of the first element, judged from the first bytes of a file; `None` when they are no XML.
pub fn root_name(head: &[u8]) -> Option<String> {
    let ascii: Cow<'_, [u8]> = match utf16(head) {
        Some(_) => head.iter().copied().filter(|&b| b != 0 && b < 0x80).collect::<Vec<u8>>().into(),
        None => head.into(),
    };
    // Some files begin with a message of the program that made them; the declaration says where XML begins.
    let mut rest = match skip_to_markup(&ascii) {
        Some(rest) => rest,
        None => &ascii[memchr::memmem::find(&ascii, b"<?xml ")?..],
    };
    loop {
        rest = match rest {
            [b'<', b'!', b'-', b'-', tail @ ..] => after(tail, b"-->")?,
            [b'<', b'?', tail @ ..] => after(tail, b"?>")?,
            [b'<', b'!', tail @ ..] => {
                let subset = memchr::memchr2(b'[', b'>', tail).is_some_and(|at| tail[at] == b'[');
                after(tail, if subset { b"]>" } else { b">" })?
            }
            [b'<', tail @ ..] => {
                let end = tail.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
                let name = &tail[..end.unwrap_or(tail.len())];
                let name = name.rsplit(|&b| b == b':').next().unwrap_or(name);
                return (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned());
            }
            _ => return None,
        };
        rest = skip_to_markup(rest)?;
    }
}

/// What follows byte order marks, blanks and zeros, when that is a `<`.
fn skip_to_markup(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = match text {
            [b'<', ..] => return Some(text),
            [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            [byte, rest @ ..] if byte.is_ascii_whitespace() || *byte == 0 => rest,
            _ => return None,
        };
    }
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(text, end)?;
    text.get(at + end.len()..)
}

fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    // Unmarked: letters and zeros alternate, and the first `<` says which half of a unit is which.
    let at = bytes.iter().take(64).position(|&b| b == b'<')?;
    if bytes.get(at + 1) == Some(&0) && at % 2 == 0 {
        return Some(UTF_16LE);
    }
    (at % 2 == 1 && bytes.get(at - 1) == Some(&0) && bytes.get(at + 1) == Some(&0)).then_some(UTF_16BE)
}

/// The encoding that the XML declaration names, unless it is UTF-8 or one that these bytes cannot be in.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let start = memchr::memmem::find(head, b"<?xml")?;
    let head = &head[start..];
    let head = &head[..memchr::memmem::find(head, b"?>")?];
    let label = after(head, b"encoding")?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote @ (b'"' | b'\''), label) = (*label.first()?, label.get(1..)?) else { return None };
    let label = &label[..memchr::memchr(quote, label)?];
    Encoding::for_label(label).filter(|encoding| *encoding != encoding_rs::UTF_8 && encoding.is_ascii_compatible())
}

/// True when more of the non-ASCII bytes are good UTF-8 than bad.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|&b| b >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Notes) {
        let mut notes = Notes::new();
        (decode(bytes, &mut notes).into_owned(), notes)
    }

    #[test]
    fn plain_utf8_is_not_copied() {
        let mut notes = Notes::new();
        let text = decode("<?xml version='1.0' encoding='UTF-8'?><gpx>Höhe</gpx>".as_bytes(), &mut notes);
        assert!(matches!(text, Cow::Borrowed(_)));
        assert!(notes.is_empty());
    }

    #[test]
    fn utf16_with_and_without_a_mark() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><gpx>Höhe</gpx>";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [&[0xff, 0xfe], little.as_slice()].concat();
        for bytes in [&little, &big, &marked] {
            assert_eq!(read(bytes).0, text);
            assert_eq!(root_name(bytes).as_deref(), Some("gpx"));
        }
        // Transcoded by a tool that left the declaration alone.
        assert_eq!(read(text.as_bytes()).0, text);
    }

    #[test]
    fn latin_1_declared_and_undeclared() {
        let declared = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><n>H\xf6he</n>";
        assert!(read(declared).0.ends_with("<n>Höhe</n>"));
        assert!(read(declared).1.is_empty());
        let (text, notes) = read(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><n>H\xf6he</n>");
        assert!(text.ends_with("<n>Höhe</n>"));
        assert_eq!(notes.get("xml.encoding").unwrap().place.as_deref(), Some("byte 42"));
        let (text, _) = read(b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><n>\xc1\xe5\xe3</n>");
        assert!(text.ends_with("<n>Бег</n>"));
    }

    #[test]
    fn utf8_under_an_old_declaration_stays_utf8() {
        let head = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>";
        for (mark, name, notes) in [("", "Höhe", 1), ("\u{feff}", "Бег", 1), ("", "Run", 0)] {
            let text = format!("{mark}{head}<n>{name}</n>");
            let (found, noted) = read(text.as_bytes());
            assert_eq!((found, noted.len()), (text, notes), "{name}");
        }
    }

    #[test]
    fn one_bad_byte_does_not_spoil_good_utf8() {
        let (text, notes) = read("<n>Grüße aus Köln</n>".replace("aus", "\u{1}").as_bytes());
        assert!(text.contains("Grüße") && notes.is_empty());
        let mut bytes = "<n>Grüße aus Köln</n>".as_bytes().to_vec();
        bytes[13] = 0xff;
        let (text, notes) = read(&bytes);
        assert!(text.contains("Grüße") && text.contains("Köln"), "{text}");
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn the_root_is_found_behind_blanks_declaration_and_comments() {
        let names = [
            (&b"\xef\xbb\xbf          <?xml version='1.0'?>\n<!-- <gpx> -->\n<x:gpx a='1'>"[..], Some("gpx")),
            (b"\0\0<TrainingCenterDatabase\nxmlns='x'>", Some("TrainingCenterDatabase")),
            (b"<!DOCTYPE gpx>\n<gpx/>", Some("gpx")),
            (b"<!DOCTYPE gpx [<!ENTITY a \"b\">]><gpx/>", Some("gpx")),
            (b"\n \xef\xbb\xbf <gpx>", Some("gpx")),
            (b"bla <gpx>", None),
            (b"Notice: no fix\n<?xml version='1.0'?><gpx>", Some("gpx")),
            (b"", None),
            (b"<!-- never closed", None),
        ];
        for (head, name) in names {
            assert_eq!(root_name(head).as_deref(), name);
        }
    }
}
