//! The fast path for samples. Points of a file look alike, so the scanner remembers the start tags of the point before
//! and what they mean, and mostly just compares. It takes plain, well-formed points only: references, CDATA, comments,
//! values that are no numbers, attributes beyond the position, anything odd makes it give the point back untouched, and
//! quick-xml reads it ([`PointReader::read`]). Both give the same samples; a test with damaged inputs holds them to it.

use std::ops::Range;

use super::point::{Leaf, Node};
use super::reader::PointReader;
use super::tag::split;
use super::text::{Number, number};

/// How many elements may be open inside a point, itself included.
pub const MOST_OPEN: usize = 8;

/// Points with more elements than this are left to quick-xml.
const MOST_TAGS: usize = 100;

/// What a point looks like: its name, and the start tags of the point before, in order.
#[derive(Debug, Default)]
pub struct Layout {
    point: String,
    tags: Vec<KnownTag>,
}

/// A start tag whose whole text, attributes included, was seen before.
#[derive(Debug, Clone)]
struct KnownTag {
    /// `<ns3:TPX xmlns="…">`, by place.
    raw: Range<usize>,
    /// Length of the name with its prefix, which begins one behind the `<`.
    name: usize,
    /// Length of the prefix and its colon.
    prefix: usize,
    /// What it stood in.
    parent: Node,
    node: Node,
    empty: bool,
}

/// An element that is open.
#[derive(Clone, Copy)]
struct Open {
    node: Node,
    /// Place of the name with its prefix.
    name: (usize, usize),
    prefix: usize,
    has_children: bool,
}

impl PointReader {
    /// Says what the points are named that [`PointReader::scan`] reads: the prefix of what they stand in, and a name.
    pub fn expect(&mut self, prefix: &str, name: &str) {
        self.layout.point.clear();
        if !prefix.is_empty() {
            self.layout.point.push_str(prefix);
            self.layout.point.push(':');
        }
        self.layout.point.push_str(name);
    }

    /// Reads the point that comes next at byte `at` of `source`, blanks before it allowed. Returns the byte behind its
    /// end tag; `None` when that is for quick-xml to read, then [`PointReader::point`] means nothing.
    #[inline]
    pub fn scan(&mut self, source: &str, at: usize) -> Option<usize> {
        let bytes = source.as_bytes();
        let start = skip_blanks(bytes, at);
        let name_end = start + 1 + self.layout.point.len();
        if bytes.get(start) != Some(&b'<') || bytes.get(start + 1..name_end) != Some(self.layout.point.as_bytes()) {
            return None;
        }
        self.point.clear(start);
        let mut at = self.scan_attributes(bytes, name_end)?;
        let outer = Open { node: Node::Point, name: (start + 1, name_end), prefix: 0, has_children: true };
        let mut open = [outer; MOST_OPEN];
        let (mut depth, mut next_tag) = (0, 0);
        loop {
            let less = match bytes.get(at) {
                Some(b'<') => at,
                Some(_) => at + memchr::memchr(b'<', &bytes[at..])?,
                None => return None,
            };
            if bytes.get(less + 1) == Some(&b'/') {
                let Open { node, name: (from, to), prefix, has_children } = open[depth];
                let end = less + 2 + to - from;
                if bytes.get(less + 2..end) != bytes.get(from..to) || bytes.get(end) != Some(&b'>') {
                    return None;
                }
                if !has_children && !self.scan_leaf(source, node, from + prefix..to, at..less) {
                    return None;
                }
                at = end + 1;
                if depth == 0 {
                    return Some(at);
                }
                depth -= 1;
                continue;
            }
            let parent = open[depth].node;
            open[depth].has_children = true;
            let (known, length) = self.scan_tag(source, less, parent, &mut next_tag)?;
            let name = (less + 1, less + 1 + known.name);
            let (node, prefix, empty) = (known.node, known.prefix, known.empty);
            at = less + length;
            if node == Node::Sample {
                self.point.own = Some(name.1..at - if empty { 2 } else { 1 });
            }
            if empty {
                if !self.scan_leaf(source, node, name.0 + prefix..name.1, at..at) {
                    return None;
                }
            } else {
                depth += 1;
                *open.get_mut(depth)? = Open { node, name, prefix, has_children: false };
            }
        }
    }

    /// The attributes of the point's own start tag, up to its `>`.
    #[inline]
    fn scan_attributes(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            let blank = at;
            at = skip_blanks(bytes, at);
            if bytes.get(at)? == &b'>' {
                return Some(at + 1);
            }
            let name = bytes.get(at..at + 3)?;
            let quote = *bytes.get(at + 4)?;
            if at == blank || bytes.get(at + 3) != Some(&b'=') || !matches!(quote, b'"' | b'\'') {
                return None;
            }
            let slot = match name {
                b"lat" => &mut self.point.lat,
                b"lon" => &mut self.point.lon,
                _ => return None,
            };
            let value = bytes.get(at + 5..)?;
            let end = memchr::memchr(quote, value)?;
            match number(&value[..end]) {
                Number::Value(value) => *slot = value,
                _ => return None,
            }
            at += 5 + end + 1;
        }
    }

    /// Takes the text of an element without children; false when it is not plain.
    #[inline]
    fn scan_leaf(&mut self, source: &str, node: Node, name: Range<usize>, text: Range<usize>) -> bool {
        let Some(text) = source.as_bytes().get(text) else { return false };
        if memchr::memchr(b'&', text).is_some() {
            return false;
        }
        let name = source.get(name).unwrap_or_default();
        self.point.leaf(node, name, text, &mut self.instants, &mut self.extras) == Leaf::Fine
    }

    /// The start tag at `less`, and how long it is. `next` is where in the layout it is expected.
    #[inline]
    fn scan_tag(&mut self, source: &str, less: usize, parent: Node, next: &mut usize) -> Option<(&KnownTag, usize)> {
        let bytes = source.as_bytes();
        let rest = bytes.get(less..)?;
        // Optional elements come and go; look a little ahead.
        let mut ahead = self.layout.tags.iter().skip(*next).take(4);
        let expected = |known: &KnownTag| {
            known.parent == parent && bytes.get(known.raw.clone()).is_some_and(|raw| rest.starts_with(raw))
        };
        if let Some(skipped) = ahead.position(expected) {
            let at = *next + skipped;
            *next = at + 1;
            let known = &self.layout.tags[at];
            return Some((known, known.raw.len()));
        }
        if *next >= MOST_TAGS {
            return None;
        }
        let known = self.new_tag(source, less, parent)?;
        let length = known.raw.len();
        let at = (*next).min(self.layout.tags.len());
        *next = at + 1;
        if at < self.layout.tags.len() {
            self.layout.tags[at] = known;
        } else {
            self.layout.tags.push(known);
        }
        Some((&self.layout.tags[at], length))
    }

    /// Reads a start tag that was not expected.
    #[cold]
    fn new_tag(&self, source: &str, less: usize, parent: Node) -> Option<KnownTag> {
        let bytes = source.as_bytes();
        let named = bytes.get(less + 1..)?;
        let length = named.iter().position(|b| !is_name_byte(*b))?;
        let (prefix, local) = split(source.get(less + 1..less + 1 + length)?);
        // A point does not stand in a point: the end of this one was lost.
        if local.is_empty() || source.get(less + 1..less + 1 + length) == Some(self.layout.point.as_str()) {
            return None;
        }
        let mut quote = None;
        let mut end = None;
        for (i, &byte) in named.iter().enumerate().skip(length) {
            match (quote, byte) {
                (None, b'>') => {
                    end = Some(i);
                    break;
                }
                (_, b'<') => return None,
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                _ => {}
            }
        }
        let end = end?;
        let empty = named[end - 1] == b'/';
        // Behind the name comes a blank, or the end.
        let plain =
            length == end || (empty && length == end - 1) || matches!(named[length], b' ' | b'\t' | b'\r' | b'\n');
        if length == 0 || !plain {
            return None;
        }
        Some(KnownTag {
            raw: less..less + 1 + end + 1,
            name: length,
            prefix: length - local.len(),
            parent,
            node: self.meaning(parent, prefix, local),
            empty,
        })
    }
}

#[inline]
fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || byte >= 0x80
}
