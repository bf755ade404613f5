//! Escapes in strings.

use memchr::memchr;

/// Resolves escapes; false when one was unknown (it stays as it is) or no character (it becomes U+FFFD).
pub(super) fn unescape(raw: &str, out: &mut String) -> bool {
    let mut known = true;
    let mut rest = raw;
    out.reserve(raw.len());
    while let Some((plain, escaped)) = memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(plain);
        let mut chars = escaped.chars();
        chars.next();
        let c = chars.next().unwrap_or('\\');
        rest = chars.as_str();
        match c {
            '"' | '\\' | '/' => out.push(c),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => match unicode(rest) {
                Some((c, after)) => {
                    out.push(c);
                    rest = after;
                }
                None => {
                    known = false;
                    out.push('\u{fffd}');
                    rest = rest.get(4..).filter(|_| hex4(rest).is_some()).unwrap_or(rest);
                }
            },
            c => {
                known = false;
                out.extend(['\\', c]);
            }
        }
    }
    out.push_str(rest);
    known
}

fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The character of `XXXX` or `XXXX\uXXXX`, and what follows.
fn unicode(text: &str) -> Option<(char, &str)> {
    let high = hex4(text)?;
    let after = &text[4..];
    if let Some(c) = char::from_u32(high) {
        return Some((c, after));
    }
    let low = after.strip_prefix("\\u").and_then(hex4).filter(|low| (0xdc00..0xe000).contains(low))?;
    let c = char::from_u32(0x10000 + (high.checked_sub(0xd800)? << 10) + (low - 0xdc00))?;
    Some((c, &after[6..]))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_are_resolved_and_unknown_ones_stay_readable() {
        for (raw, expected, known) in [
            (r#"a\"\\\/\b\f\n\r\tz"#, "a\"\\/\u{8}\u{c}\n\r\tz", true),
            (r"\u00e4\ud83d\ude00!", "ä😀!", true),
            (r"\ud83d!", "\u{fffd}!", false),
            (r"\ud83d\u0041", "\u{fffd}A", false),
            (r"\ude00", "\u{fffd}", false),
            (r"\u12", "\u{fffd}12", false),
            (r"C:\Users", r"C:\Users", false),
        ] {
            let mut out = String::new();
            assert_eq!((unescape(raw, &mut out), out.as_str()), (known, expected), "{raw}");
        }
    }
}
