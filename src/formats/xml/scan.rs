//! The fast path for samples. Points of a file look alike, so the scanner remembers what stands around the values of the
//! points before ([`Shapes`]), compares that as a whole, and reads the values between. It takes plain, well-formed
//! points only: references, CDATA, comments, values that are no numbers, attributes beyond the position, anything odd
//! makes it give the point back untouched, and quick-xml reads it ([`PointReader::read`]). Both give the same samples; a
//! test with damaged inputs holds them to it.

use super::point::Leaf;
use super::reader::PointReader;
use super::shape::What;
use super::text::{Number, number};
use crate::json::leading_decimal;

impl PointReader {
    /// Says what the points are named that [`PointReader::scan`] reads: the prefix of what they stand in, and a name.
    pub fn expect(&mut self, prefix: &str, name: &str) {
        self.shapes.expect(prefix, name);
    }

    /// Reads the point that comes next at byte `at` of `source`, blanks before it allowed. Returns the byte behind its
    /// end tag; `None` when that is for quick-xml to read, then [`PointReader::point`] means nothing.
    #[inline]
    pub fn scan(&mut self, source: &str, at: usize) -> Option<usize> {
        let start = skip_blanks(source.as_bytes(), at);
        let known = self.extras.names().len();
        match self.follow(source, start) {
            Some(end) => Some(end),
            None => self.again(source, start, known),
        }
    }

    /// Learns the shape of a point that was not read; names that it gave to the extras on the way are forgotten.
    #[cold]
    fn again(&mut self, source: &str, start: usize, known: usize) -> Option<usize> {
        self.extras.forget(known);
        let end = if self.learn(source, start) { self.follow(source, start) } else { None };
        if end.is_none() {
            self.extras.forget(known);
        }
        end
    }

    /// Reads a point at `start` that has a known shape.
    #[inline]
    fn follow(&mut self, source: &str, start: usize) -> Option<usize> {
        let PointReader { shapes, point, extras, instants, .. } = self;
        let bytes = source.as_bytes();
        point.clear(start);
        let mut at = start;
        let mut step = shapes.first();
        loop {
            let rest = bytes.get(at..)?;
            let known = shapes.known(step, rest)?;
            at += known.glue_len();
            let rest = bytes.get(at..)?;
            let next = match known.what {
                What::End => return Some(at),
                What::Lat | What::Lon => {
                    let (value, length) = match leading_decimal(rest) {
                        Some((value, length)) if matches!(rest.get(length), Some(b'"' | b'\'')) => (value, length),
                        _ => {
                            let length = memchr::memchr(bytes[at - 1], rest)?;
                            let Number::Value(value) = number(&rest[..length]) else { return None };
                            (value, length)
                        }
                    };
                    *(if known.what == What::Lat { &mut point.lat } else { &mut point.lon }) = value;
                    Some(length)
                }
                What::Number(node) => match leading_decimal(rest) {
                    Some((value, length)) if rest.get(length) == Some(&b'<') => {
                        point.value(node, shapes.name(known), value, extras);
                        Some(length)
                    }
                    _ => None,
                },
                What::Time => match instants.leading(rest) {
                    Some((instant, length)) if rest.get(length) == Some(&b'<') => {
                        point.time = point.time.or(Some(instant));
                        Some(length)
                    }
                    _ => None,
                },
                What::Text(_) => None,
                What::Own | What::Unheld => {
                    let length = attributes_length(rest)?;
                    if known.what == What::Own {
                        point.own = Some(at..at + length);
                    } else {
                        point.words += 1;
                    }
                    Some(length)
                }
            };
            at += match next {
                Some(length) => length,
                None => {
                    // What the short ways above do not know.
                    let length = memchr::memchr(b'<', rest)?;
                    let text = &rest[..length];
                    let plain = memchr::memchr(b'&', text).is_none();
                    let name = shapes.name(known);
                    if !plain || point.leaf(known.what.node(), name, text, instants, extras) != Leaf::Fine {
                        return None;
                    }
                    length
                }
            };
            step = known.next;
        }
    }
}

/// How long the attributes are that come next, up to the end of their tag; `None` when that is not plain.
fn attributes_length(rest: &[u8]) -> Option<usize> {
    let end = memchr::memchr3(b'>', b'<', b'\'', rest)?;
    // The name ends here: `<sampled` is no `<sample`.
    let name_ends = match rest.first()? {
        b' ' | b'\t' | b'\r' | b'\n' | b'>' => true,
        b'/' => end == 1,
        _ => false,
    };
    let quotes = rest[..end].iter().filter(|byte| **byte == b'"').count();
    if !name_ends || rest[end] != b'>' || quotes % 2 == 1 {
        return None;
    }
    Some(if rest[..end].ends_with(b"/") { end - 1 } else { end })
}

#[inline]
pub(super) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}
