//! Names of archive members. They are labels, never paths: whatever an archive says, a label is relative, stays below
//! its archive, holds no control characters and is not longer than a path component of a usual file system chain.

/// Longest label in bytes; of a longer name the end is kept, because it carries the extension.
const LONGEST: usize = 512;

/// A label from a member's name as stored: `/` between components; empty, `.`, `..` and drive parts made harmless.
pub(super) fn label(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for part in name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".") {
        if !out.is_empty() {
            out.push('/');
        }
        match part.as_bytes() {
            b".." => out.push_str("__"),
            [drive, b':', ..] if out.is_empty() && drive.is_ascii_alphabetic() => {
                push(&mut out, &part.replacen(':', "_", 1))
            }
            _ => push(&mut out, part),
        }
    }
    if out.len() > LONGEST {
        let cut = (out.len() - LONGEST..out.len()).find(|&at| out.is_char_boundary(at)).unwrap_or(0);
        out.drain(..cut);
    }
    if out.is_empty() {
        out.push('_');
    }
    out
}

fn push(out: &mut String, part: &str) {
    out.extend(part.chars().map(|c| if c.is_control() { '_' } else { c }));
}

/// What a member's name says in the encodings that archives use: UTF-8 when it is UTF-8, else code page 437.
pub(super) fn decode(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => raw.iter().map(|&byte| cp437(byte)).collect(),
    }
}

fn cp437(byte: u8) -> char {
    const HIGH: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    match byte {
        0..=127 => byte as char,
        _ => HIGH.chars().nth(usize::from(byte - 128)).unwrap_or('_'),
    }
}

/// True for what operating systems leave behind and no person means: `.DS_Store`, `._x`, `__MACOSX/…`, hidden names.
pub(super) fn is_clutter(label: &str) -> bool {
    label.split('/').any(|part| {
        (part.starts_with('.') && part.len() > 1)
            || part == "__MACOSX"
            || part.eq_ignore_ascii_case("thumbs.db")
            || part.eq_ignore_ascii_case("desktop.ini")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_archive() {
        for (name, expected) in [
            ("activities/7.fit", "activities/7.fit"),
            ("../../etc/passwd", "__/__/etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("C:\\Users\\me\\a.fit", "C_/Users/me/a.fit"),
            ("\\\\server\\share\\a.fit", "server/share/a.fit"),
            ("a\0b\u{1b}[31m.fit", "a_b_[31m.fit"),
            ("./a//b/./c", "a/b/c"),
            ("", "_"),
            ("Läufe/跑步.gpx", "Läufe/跑步.gpx"),
            ("a:b/c:d", "a_b/c:d"),
        ] {
            assert_eq!(label(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        let long = format!("{}.fit", "ä".repeat(40_000));
        let short = label(&long);
        assert!(short.len() <= LONGEST && short.ends_with("ä.fit"));
    }

    #[test]
    fn old_names_are_code_page_437() {
        // 0x84 is ä and 0xe1 is ß in code page 437 (IBM).
        assert_eq!(decode(b"L\x84ufe stra\xe1e.gpx"), "Läufe straße.gpx");
        assert_eq!(decode("Läufe".as_bytes()), "Läufe");
        assert_eq!(decode(&[0x80, 0xff, 0xb0, 0xe0]), "Ç\u{a0}░α");
    }

    #[test]
    fn clutter_is_known() {
        for name in ["__MACOSX/a.fit", "a/._b.fit", ".DS_Store", "x/Thumbs.db", ".git/config"] {
            assert!(is_clutter(name), "{name}");
        }
        for name in ["a.fit", "MACOSX/a.fit", "a/..b/c".trim_start_matches("a/..b/"), "."] {
            assert!(!is_clutter(name), "{name}");
        }
    }
}
