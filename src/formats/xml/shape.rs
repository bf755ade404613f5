//! What points look like: all that stands between their values, as a tree, because points of a file begin alike and some
//! lack a heart rate.

use std::ops::Range;

use super::point::Node;
use super::reader::PointReader;
use super::scan::skip_blanks;
use super::tag::split;

/// How many elements may be open inside a point, itself included.
pub const MOST_OPEN: usize = 8;

/// Points with more values than this are left to quick-xml.
const MOST_VALUES: usize = 100;

/// So are longer ones, bytes.
const MOST_BYTES: usize = 1 << 14;

/// With more steps than this the tree is begun anew.
const MOST_STEPS: usize = 256;

/// No step.
const NONE: u32 = u32::MAX;

/// The shapes of the points so far.
#[derive(Debug)]
pub struct Shapes {
    /// Name of a point, with its prefix.
    point: String,
    /// What stands between values, all of it in one piece.
    text: String,
    steps: Vec<Step>,
    first: u32,
}

/// A text between values, and the value behind it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Place in the text.
    glue: Range<u32>,
    /// Place of the local name of the value's element.
    name: Range<u32>,
    pub what: What,
    /// The first step behind this one.
    pub next: u32,
    /// What may stand here instead; a shorter text, for it may be what this one begins with.
    other: u32,
}

/// What stands behind a glue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What {
    /// Nothing: the point ends.
    End,
    /// Latitude in an attribute, degrees.
    Lat,
    /// Longitude in an attribute, degrees.
    Lon,
    /// The text of an element that means an instant.
    Time,
    /// The text of an element that means a number.
    Number(Node),
    /// The text of any other element without children.
    Text(Node),
    /// The attributes of the `paceport` element.
    Own,
    /// The attributes of something that a sample has no place for.
    Unheld,
}

impl What {
    fn of(node: Node) -> What {
        match node {
            Node::Time => What::Time,
            Node::Point | Node::Group | Node::Ignore | Node::Words | Node::Unheld | Node::Sample => What::Text(node),
            _ => What::Number(node),
        }
    }

    /// What the element means.
    pub fn node(self) -> Node {
        match self {
            What::Number(node) | What::Text(node) => node,
            What::Time => Node::Time,
            What::End | What::Lat | What::Lon | What::Own | What::Unheld => Node::Ignore,
        }
    }
}

impl Step {
    #[inline]
    pub fn glue_len(&self) -> usize {
        self.glue.len()
    }
}

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes { point: String::new(), text: String::new(), steps: Vec::new(), first: NONE }
    }
}

impl Shapes {
    /// Sets what points are named; forgets the shapes of points with another name.
    pub fn expect(&mut self, prefix: &str, name: &str) {
        let point = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}:{name}") };
        if point != self.point {
            self.clear();
            self.point = point;
        }
    }

    /// Forgets all shapes.
    pub fn clear(&mut self) {
        self.text.clear();
        self.steps.clear();
        self.first = NONE;
    }

    #[inline]
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The step that `rest` begins with: `step` or one of those that may stand instead.
    #[inline]
    pub(super) fn known(&self, mut step: u32, rest: &[u8]) -> Option<&Step> {
        loop {
            let known = self.steps.get(step as usize)?;
            if rest.starts_with(self.text.as_bytes().get(known.glue.start as usize..known.glue.end as usize)?) {
                return Some(known);
            }
            step = known.other;
        }
    }

    /// The local name of the element that a step's value is in.
    #[inline]
    pub(super) fn name(&self, step: &Step) -> &str {
        self.text.get(step.name.start as usize..step.name.end as usize).unwrap_or_default()
    }

    /// Adds a shape; false when it is known.
    fn insert(&mut self, source: &str, found: &[Found]) -> bool {
        if self.steps.len() + found.len() > MOST_STEPS {
            self.clear();
        }
        let before = self.steps.len();
        let mut parent = NONE;
        for Found { glue, name, what } in found {
            let text = &source[glue.clone()];
            // Longer ones first.
            let (mut last, mut here) =
                (NONE, if parent == NONE { self.first } else { self.steps[parent as usize].next });
            while here != NONE && self.steps[here as usize].glue.len() > text.len() {
                (last, here) = (here, self.steps[here as usize].other);
            }
            let mut same = here;
            while same != NONE && self.text_of(same) != text {
                same = self.steps[same as usize].other;
            }
            if same != NONE {
                parent = same;
                continue;
            }
            let start = self.text.len() as u32;
            self.text.push_str(text);
            let name = start + (name.start - glue.start) as u32..start + (name.end - glue.start) as u32;
            let new = self.steps.len() as u32;
            self.steps.push(Step { glue: start..self.text.len() as u32, name, what: *what, next: NONE, other: here });
            match (last, parent) {
                (NONE, NONE) => self.first = new,
                (NONE, parent) => self.steps[parent as usize].next = new,
                (last, _) => self.steps[last as usize].other = new,
            }
            parent = new;
        }
        self.steps.len() > before
    }

    fn text_of(&self, step: u32) -> &str {
        let glue = &self.steps[step as usize].glue;
        &self.text[glue.start as usize..glue.end as usize]
    }
}

/// A step of a point that was looked at, by place in the document.
struct Found {
    glue: Range<usize>,
    name: Range<usize>,
    what: What,
}

/// An element that is open.
struct Open {
    node: Node,
    /// Place of the name with its prefix.
    name: Range<usize>,
    prefix: usize,
    /// Its text means nothing.
    has_children: bool,
}

/// A start tag.
struct Start {
    /// Place of the name with its prefix.
    name: Range<usize>,
    prefix: usize,
    /// Where its `>` or `/>` stands.
    close: usize,
    node: Node,
    empty: bool,
}

impl PointReader {
    /// Learns the shape of the point at `start`; false when it is not plain, or known.
    pub(super) fn learn(&mut self, source: &str, start: usize) -> bool {
        let found = self.look(source, start);
        found.is_some_and(|found| self.shapes.insert(source, &found))
    }

    fn look(&self, source: &str, start: usize) -> Option<Vec<Found>> {
        let bytes = source.as_bytes();
        let name = start + 1..start + 1 + self.shapes.point.len();
        if bytes.get(start) != Some(&b'<') || bytes.get(name.clone()) != Some(self.shapes.point.as_bytes()) {
            return None;
        }
        let mut found = Vec::new();
        let mut glue = start;
        let mut at = name.end;
        loop {
            let blank = at;
            at = skip_blanks(bytes, at);
            if bytes.get(at)? == &b'>' {
                at += 1;
                break;
            }
            let what = match bytes.get(at..at + 4)? {
                b"lat=" if at > blank => What::Lat,
                b"lon=" if at > blank => What::Lon,
                _ => return None,
            };
            let quote = *bytes.get(at + 4).filter(|quote| matches!(quote, b'"' | b'\''))?;
            let value = at + 5;
            if found.len() == MOST_VALUES || at - start > MOST_BYTES {
                return None;
            }
            found.push(Found { glue: glue..value, name: glue..glue, what });
            glue = value + memchr::memchr(quote, bytes.get(value..)?)?;
            at = glue + 1;
        }
        let mut open = vec![Open { node: Node::Point, name, prefix: 0, has_children: true }];
        loop {
            let less = at + memchr::memchr(b'<', bytes.get(at..)?)?;
            if found.len() >= MOST_VALUES || less - start > MOST_BYTES {
                return None;
            }
            if bytes.get(less + 1) == Some(&b'/') {
                let Open { node, name, prefix, has_children } = open.pop()?;
                let end = less + 2 + name.len();
                if bytes.get(less + 2..end)? != &bytes[name.clone()] || bytes.get(end) != Some(&b'>') {
                    return None;
                }
                if !has_children {
                    found.push(Found { glue: glue..at, name: name.start + prefix..name.end, what: What::of(node) });
                    glue = less;
                }
                at = end + 1;
                if open.is_empty() {
                    found.push(Found { glue: glue..at, name: glue..glue, what: What::End });
                    return Some(found);
                }
                continue;
            }
            let parent = open.last_mut()?;
            parent.has_children = true;
            let parent = parent.node;
            let Start { name, prefix, close, node, empty } = self.start_tag(source, less, parent)?;
            // Something unheld is counted by its tag alone, as long as nothing is in it.
            if close - start > MOST_BYTES || parent == Node::Unheld {
                return None;
            }
            let by_attributes = match node {
                Node::Sample => Some(What::Own),
                Node::Unheld => Some(What::Unheld),
                _ => None,
            };
            if let Some(what) = by_attributes {
                found.push(Found { glue: glue..name.end, name: glue..glue, what });
                glue = close;
            }
            at = close + if empty { 2 } else { 1 };
            if !empty {
                open.push(Open { node, name, prefix, has_children: by_attributes.is_some() });
                if open.len() > MOST_OPEN {
                    return None;
                }
            }
        }
    }

    /// Reads the start tag at `less`.
    fn start_tag(&self, source: &str, less: usize, parent: Node) -> Option<Start> {
        let bytes = source.as_bytes();
        let named = bytes.get(less + 1..)?;
        let length = named.iter().position(|b| !is_name_byte(*b))?;
        let name = source.get(less + 1..less + 1 + length)?;
        let (prefix, local) = split(name);
        // Nothing that points stand in stands in a point, nor does a point: the end of this one was lost.
        if local.is_empty() || (self.rank)(local) > 0 || name == self.shapes.point {
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
        let close = if empty { end - 1 } else { end };
        // Behind the name comes a blank, or the end.
        if length != close && !matches!(named[length], b' ' | b'\t' | b'\r' | b'\n') {
            return None;
        }
        Some(Start {
            name: less + 1..less + 1 + length,
            prefix: length - local.len(),
            close: less + 1 + close,
            node: self.meaning(parent, prefix, local),
            empty,
        })
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Channel;

    fn node(_: Node, name: &str) -> Node {
        match name {
            "extensions" => Node::Group,
            "time" => Node::Time,
            "ele" => Node::Channel(Channel::Altitude),
            "hr" => Node::Channel(Channel::HeartRate),
            "note" => Node::Words,
            "accel" => Node::Unheld,
            "sample" => Node::Sample,
            _ => Node::Extra,
        }
    }

    fn reader() -> PointReader {
        let mut reader = PointReader::new(node, |name| u8::from(name == "track"));
        reader.set_own_prefix(Some("pp"));
        reader.expect("", "p");
        reader
    }

    /// Latitude, channels, things without a place.
    type Seen = (f64, Vec<(Channel, f32)>, u64);

    /// Reads all points of a text; `None` when one is not read.
    fn scan(reader: &mut PointReader, text: &str) -> Option<Vec<Seen>> {
        let mut at = 0;
        let mut points = Vec::new();
        while at < text.len() {
            at = reader.scan(text, at)?;
            points.push((reader.point.lat, reader.point.values.clone(), reader.point.words));
        }
        Some(points)
    }

    #[test]
    fn points_that_lack_something_are_read_in_any_order() {
        let mut reader = reader();
        let (a, b, c, d) = (
            "<p lat=\"1\"><ele>2</ele><extensions><hr>3</hr></extensions></p>",
            "<p lat='4'><ele>5</ele></p>",
            "<p><ele>6</ele><extensions>\n</extensions></p>",
            "<p><ele>6</ele><extensions>\n<x><hr>7</hr></x></extensions></p>",
        );
        let points = scan(&mut reader, &[a, b, c, d, b, d, c, a].concat()).unwrap();
        let heart: Vec<_> = points.iter().map(|(_, values, _)| values.get(1).map(|(_, value)| *value)).collect();
        assert_eq!(heart, [Some(3.0), None, None, Some(7.0), None, Some(7.0), None, Some(3.0)]);
        assert_eq!(points[4].0, 4.0);
        let known = reader.shapes.steps.len();
        scan(&mut reader, &[d, c, b, a].concat()).unwrap();
        assert_eq!(reader.shapes.steps.len(), known, "nothing new was seen");
    }

    #[test]
    fn a_text_that_begins_like_a_shorter_one_is_tried_first() {
        let mut reader = reader();
        let (bare, nested) = ("<p><hr>5</hr></p>", "<p><hr><value>6</value></hr></p>");
        let text = [bare, nested, bare, nested].concat();
        assert_eq!(scan(&mut reader, &text).map(|points| points.len()), Some(4));
        let known = reader.shapes.steps.len();
        assert_eq!(scan(&mut reader, &text).map(|points| points.len()), Some(4));
        assert_eq!(reader.shapes.steps.len(), known, "nothing is learned twice");
    }

    #[test]
    fn attributes_that_differ_from_point_to_point_are_one_shape() {
        let mut reader = reader();
        let point = |i: usize| format!("<p lat=\"{i}\"><pp:sample a=\"{i}\" b=\"/\"/><accel x=\"-{i}\"></accel></p>");
        let text: String = (0..100).map(point).collect();
        let points = scan(&mut reader, &text).unwrap();
        assert!(points.iter().all(|(_, _, words)| *words == 1));
        assert_eq!(reader.point.own.clone().map(|own| &text[own]), Some(" a=\"99\" b=\"/\""));
        assert!(reader.shapes.steps.len() <= 4, "{} steps", reader.shapes.steps.len());
        for odd in
            ["<p><pp:sample a=\">\"/></p>", "<p><pp:sample a=\"/></p><p a=\"\"/></p>", "<p><pp:sample a='1'/></p>"]
        {
            assert_eq!(scan(&mut reader, odd), None, "{odd}");
        }
    }

    #[test]
    fn names_end_where_they_end() {
        let mut reader = reader();
        assert!(scan(&mut reader, "<p><accel x=\"1\"/><pp:sample a=\"1\"/></p>").is_some());
        for other in ["<p><accelX x=\"1\"/></p>", "<p><accel=\"1\"/></p>", "<p><accel/ x=\"1\"/></p>"] {
            let words = scan(&mut reader, other).map(|points| points[0].2);
            assert_ne!(words, Some(1), "{other}");
        }
        scan(&mut reader, "<p><pp:sampled a=\"1\"/></p>");
        assert_eq!(reader.point.own, None);
    }

    #[test]
    fn what_points_stand_in_is_not_in_a_point() {
        let mut reader = reader();
        for text in ["<p><track></track></p>", "<p><x:track/></p>", "<p><p></p></p>"] {
            assert_eq!(scan(&mut reader, text), None, "{text}");
        }
    }

    #[test]
    fn a_point_that_is_given_back_leaves_no_names() {
        let mut reader = reader();
        assert!(scan(&mut reader, "<p><foo></foo></p>").is_some());
        let names = reader.extras.names().len();
        assert_eq!(scan(&mut reader, "<p><foo>5<bar>&#54;</bar></foo></p>"), None);
        assert_eq!(reader.extras.names().len(), names);
    }

    #[test]
    fn a_point_without_measure_is_not_learned() {
        let lats = format!("<p{}></p>", " lat=\"\"".repeat(1000));
        let long = format!("<p><hr>5</hr>{}</p>", " ".repeat(MOST_BYTES));
        let many = format!("<p>{}</p>", "<hr>5</hr>".repeat(MOST_VALUES + 1));
        for text in [lats, long, many] {
            let mut reader = reader();
            assert_eq!(scan(&mut reader, &text), None);
            assert_eq!((reader.shapes.steps.len(), reader.shapes.text.len()), (0, 0));
        }
    }

    #[test]
    fn ever_new_shapes_do_not_pile_up() {
        let mut reader = reader();
        let text: String = (0..5_000).map(|i| format!("<p><ele>1</ele><note id=\"{i}\">n</note></p>")).collect();
        assert_eq!(scan(&mut reader, &text).map(|points| points.len()), Some(5_000));
        assert!(reader.shapes.steps.len() <= MOST_STEPS);
    }

    #[test]
    fn another_name_or_prefix_forgets() {
        let mut reader = reader();
        assert!(scan(&mut reader, "<p><ele>1</ele></p>").is_some());
        reader.expect("x", "p");
        assert_eq!(scan(&mut reader, "<p><ele>1</ele></p>"), None);
        assert!(scan(&mut reader, "<x:p><ele>1</ele></x:p>").is_some());
        reader.set_own_prefix(None);
        assert!(scan(&mut reader, "<x:p><pp:sample a=\"1\"/></x:p>").is_some());
        assert_eq!(reader.point.own, None);
    }
}
