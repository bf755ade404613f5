//! Reads samples with quick-xml: the reference for the scanner, and what it hands everything unusual to.

use std::ops::Range;

use super::cursor::{Cursor, Rank, Step, excerpt, note};
use super::point::{Extras, Grammar, Leaf, Node, Point};
use super::shape::Shapes;
use super::tag::{Tag, attributes, unescape};
use super::text::{Instants, Number, number};
use crate::report::{Code, Notes};

const BAD_NUMBER: Code = Code::warning("xml.number");
const BAD_TIME: Code = Code::warning("xml.time");

struct Frame {
    node: Node,
    name: Range<usize>,
    has_children: bool,
}

/// Reads samples with quick-xml. The last one is in [`PointReader::point`].
pub struct PointReader {
    pub(super) grammar: Grammar,
    pub(super) rank: Rank,
    /// Prefix of the `paceport` namespace in this document, when it is declared.
    own_prefix: Option<String>,
    /// The sample that was read last.
    pub point: Point,
    /// Names of its extra numbers.
    pub extras: Extras,
    pub(super) instants: Instants,
    pub(super) shapes: Shapes,
    frames: Vec<Frame>,
    text: String,
}

impl PointReader {
    /// A reader for the elements of one format, with their ranks as the cursor has them.
    pub fn new(grammar: Grammar, rank: Rank) -> PointReader {
        PointReader {
            grammar,
            rank,
            own_prefix: None,
            point: Point::new(),
            extras: Extras::default(),
            instants: Instants::default(),
            shapes: Shapes::default(),
            frames: Vec::new(),
            text: String::new(),
        }
    }

    /// Reads the sample that `tag` has opened. False when the document ended inside it. A value whose end is lost is left
    /// out.
    pub fn read<'a>(&mut self, cursor: &mut Cursor<'a>, tag: &Tag<'a>, notes: &mut Notes) -> bool {
        let source = cursor.source();
        if self.start(tag) != Leaf::Fine {
            note(source, notes, BAD_NUMBER, tag.at, tag.name, || {
                format!("not a position: {}", excerpt(tag.attributes))
            });
        }
        self.frames.clear();
        self.frames.push(Frame { node: Node::Point, name: tag.name_at(), has_children: true });
        self.text.clear();
        loop {
            match cursor.step() {
                Step::Open(child) => {
                    let parent = self.frames.last_mut().map_or(Node::Ignore, |frame| {
                        frame.has_children = true;
                        frame.node
                    });
                    let node = self.meaning(parent, child.prefix, child.name);
                    if node == Node::Sample {
                        self.point.own = Some(child.attributes_at());
                    }
                    self.frames.push(Frame { node, name: child.name_at(), has_children: false });
                    self.text.clear();
                }
                Step::Text(part) => self.text.push_str(part),
                Step::Char(c) => self.text.push(c),
                Step::Close => {
                    let Some(frame) = self.frames.pop() else { return true };
                    if self.frames.is_empty() {
                        return true;
                    }
                    // A value whose own end is lost may be half of one.
                    if !frame.has_children && !cursor.cut_short {
                        let at = frame.name.start;
                        let name = source.get(frame.name).unwrap_or_default();
                        let text = self.text.as_bytes();
                        let leaf = self.point.leaf(frame.node, name, text, &mut self.instants, &mut self.extras);
                        complain(source, notes, leaf, at, name, &self.text);
                    }
                    self.text.clear();
                }
                Step::End => return false,
            }
        }
    }

    /// Sets the prefix of the `paceport` namespace in this document, when it is declared.
    pub fn set_own_prefix(&mut self, prefix: Option<&str>) {
        self.own_prefix = prefix.map(str::to_owned);
        self.shapes.clear(); // what an element means may be another now
    }

    /// True when the `paceport` namespace is declared.
    pub fn has_own(&self) -> bool {
        self.own_prefix.is_some()
    }

    /// True for the prefix of the `paceport` namespace.
    #[inline]
    pub fn is_own(&self, prefix: &str) -> bool {
        self.own_prefix.as_deref() == Some(prefix)
    }

    /// What an element inside a sample means; a `sample` of another namespace than ours means nothing special.
    #[inline]
    pub(super) fn meaning(&self, parent: Node, prefix: &str, name: &str) -> Node {
        match (self.grammar)(parent, name) {
            Node::Sample if !self.is_own(prefix) => Node::Extra,
            node => node,
        }
    }

    /// Begins a sample with the attributes of its start tag.
    fn start(&mut self, tag: &Tag<'_>) -> Leaf {
        self.point.clear(tag.at);
        let mut leaf = Leaf::Fine;
        for (name, value) in attributes(tag.attributes) {
            let slot = match name {
                "lat" => &mut self.point.lat,
                "lon" => &mut self.point.lon,
                _ => {
                    self.point.words += 1;
                    continue;
                }
            };
            match number(unescape(value).as_bytes()) {
                Number::Value(value) => *slot = value,
                Number::Absent => {}
                Number::Bad => leaf = Leaf::BadNumber,
            }
        }
        leaf
    }
}

fn complain(source: &str, notes: &mut Notes, leaf: Leaf, at: usize, name: &str, text: &str) {
    match leaf {
        Leaf::Fine => {}
        Leaf::BadNumber => note(source, notes, BAD_NUMBER, at, name, || format!("not a number: {}", excerpt(text))),
        Leaf::BadTime => note(source, notes, BAD_TIME, at, name, || format!("not an instant: {}", excerpt(text))),
    }
}
