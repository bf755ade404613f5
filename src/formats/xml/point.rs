//! One sample (`trkpt`, `Trackpoint`) read into a scratch that is used again for the next one: no allocation a point.

use super::cursor::{Cursor, Step, Tag, attributes, note};
use super::text::{Instants, Number, number};
use crate::model::Channel;
use crate::model::time::{self, Instant};
use crate::report::{Code, Notes};

const BAD_NUMBER: Code = Code::warning("xml.number");
const BAD_TIME: Code = Code::warning("xml.time");

/// What an element inside a sample means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// The sample itself.
    Point,
    /// Groups others; a text of its own means nothing.
    Group,
    /// Nothing that is kept, children included.
    Ignore,
    /// Words that a sample has no place for; they are counted.
    Words,
    /// The instant.
    Time,
    /// Latitude, degrees.
    Latitude,
    /// Longitude, degrees.
    Longitude,
    /// Cumulative distance, m.
    Distance,
    /// Strides of one leg per minute, where the format tells them from revolutions.
    RunCadence,
    /// A channel of the table.
    Channel(Channel),
    /// A channel of the table in a multiple of its unit.
    Scaled(Channel, f32),
    /// A number that the table does not name, or a group of such.
    Extra,
    /// The `paceport` element that holds everything in attributes (see `docs/gpx-namespace.md`).
    Sample,
}

/// The meaning of an element by its local name and what it stands in.
pub type Grammar = fn(Node, &str) -> Node;

/// The values of one sample.
#[derive(Debug)]
pub struct Point {
    /// Byte offset of its element.
    pub at: usize,
    /// When, if it says so readably.
    pub time: Option<Instant>,
    /// Degrees; `NaN` when absent.
    pub lat: f64,
    /// Degrees; `NaN` when absent.
    pub lon: f64,
    /// Cumulative distance, m; `NaN` when absent.
    pub distance: f64,
    /// Strides per minute; `NaN` when absent.
    pub run_cadence: f64,
    /// Channels of the table.
    pub values: Vec<(Channel, f32)>,
    /// Numbers beyond the table, by index into [`Extras`].
    pub extra: Vec<(usize, f64)>,
    /// Texts that have no place in a sample.
    pub words: u64,
    /// True when a `paceport` sample element marks it as a sample, whatever it holds.
    pub marked: bool,
    /// True when the `paceport` sample element says that the time is not recorded.
    pub untimed: bool,
}

impl Point {
    fn new() -> Point {
        Point {
            at: 0,
            time: None,
            lat: f64::NAN,
            lon: f64::NAN,
            distance: f64::NAN,
            run_cadence: f64::NAN,
            values: Vec::with_capacity(16),
            extra: Vec::with_capacity(8),
            words: 0,
            marked: false,
            untimed: false,
        }
    }

    fn clear(&mut self, at: usize) {
        self.at = at;
        self.time = None;
        (self.lat, self.lon) = (f64::NAN, f64::NAN);
        (self.distance, self.run_cadence) = (f64::NAN, f64::NAN);
        self.values.clear();
        self.extra.clear();
        self.words = 0;
        (self.marked, self.untimed) = (false, false);
    }

    /// True when it holds nothing but perhaps a time.
    pub fn is_bare(&self) -> bool {
        self.lat.is_nan()
            && self.lon.is_nan()
            && self.distance.is_nan()
            && self.run_cadence.is_nan()
            && self.values.is_empty()
            && self.extra.is_empty()
            && !self.marked
    }

    /// Sets a channel unless it is known already: the first of several spellings wins (Amazfit writes the heart rate
    /// twice, gpx.md section 3).
    fn set(&mut self, channel: Channel, value: f32) {
        if !self.values.iter().any(|(have, _)| *have == channel) {
            self.values.push((channel, value));
        }
    }

    /// Sets a channel, whatever is known already.
    fn replace(&mut self, channel: Channel, value: f32) {
        match self.values.iter_mut().find(|(have, _)| *have == channel) {
            Some((_, have)) => *have = value,
            None => self.values.push((channel, value)),
        }
    }
}

/// Names of the numbers beyond the channel table, in order of first occurrence.
#[derive(Debug, Default)]
pub struct Extras {
    names: Vec<Box<str>>,
}

impl Extras {
    /// The index of a name.
    pub fn index(&mut self, name: &str) -> usize {
        if let Some(found) = self.names.iter().position(|have| **have == *name) {
            return found;
        }
        self.names.push(name.into());
        self.names.len() - 1
    }

    /// All names.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }
}

/// How reading a leaf went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leaf {
    /// Nothing to say.
    Fine,
    /// Not a number where one belongs.
    BadNumber,
    /// Not an instant where one belongs.
    BadTime,
}

struct Frame {
    node: Node,
    at: usize,
    name: (usize, usize),
    has_children: bool,
}

/// Reads samples with quick-xml. The last one is in [`PointReader::point`].
pub struct PointReader {
    grammar: Grammar,
    /// The sample that was read last.
    pub point: Point,
    /// Names of its extra numbers.
    pub extras: Extras,
    instants: Instants,
    frames: Vec<Frame>,
    text: String,
}

impl PointReader {
    /// A reader for the elements of one format.
    pub fn new(grammar: Grammar) -> PointReader {
        PointReader {
            grammar,
            point: Point::new(),
            extras: Extras::default(),
            instants: Instants::default(),
            frames: Vec::new(),
            text: String::new(),
        }
    }

    /// Reads the sample that `tag` has opened. False when the document ended inside it; then the value that was
    /// being read is left out.
    pub fn read<'a>(&mut self, cursor: &mut Cursor<'a>, tag: &Tag<'a>, notes: &mut Notes) -> bool {
        let source = cursor.source();
        if self.start(tag.at, tag.attributes) != Leaf::Fine {
            note(source, notes, BAD_NUMBER, tag.at, tag.name, || {
                format!("not a position: {}", excerpt(tag.attributes))
            });
        }
        self.frames.clear();
        self.frames.push(Frame { node: Node::Point, at: tag.at, name: (0, 0), has_children: true });
        self.text.clear();
        loop {
            match cursor.step() {
                Step::Open(child) => {
                    let parent = self.frames.last_mut().map_or(Node::Ignore, |frame| {
                        frame.has_children = true;
                        frame.node
                    });
                    let node = (self.grammar)(parent, child.name);
                    let leaf = if node == Node::Sample { self.sample(child.attributes) } else { Leaf::Fine };
                    complain(source, notes, leaf, child.at, child.name, child.attributes);
                    let start = child.name.as_ptr() as usize - source.as_ptr() as usize;
                    let name = (start, start + child.name.len());
                    self.frames.push(Frame { node, at: child.at, name, has_children: false });
                    self.text.clear();
                }
                Step::Text(part) => self.text.push_str(part),
                Step::Char(c) => self.text.push(c),
                Step::Close => {
                    let Some(frame) = self.frames.pop() else { return true };
                    if self.frames.is_empty() {
                        return true;
                    }
                    if !frame.has_children {
                        let name = source.get(frame.name.0..frame.name.1).unwrap_or_default();
                        let text = std::mem::take(&mut self.text);
                        let leaf = self.leaf(frame.node, name, text.as_bytes());
                        complain(source, notes, leaf, frame.at, name, &text);
                        self.text = text;
                    }
                    self.text.clear();
                }
                Step::End => return false,
            }
        }
    }

    /// Begins a sample with the attributes of its start tag.
    fn start(&mut self, at: usize, raw: &str) -> Leaf {
        self.point.clear(at);
        let mut leaf = Leaf::Fine;
        for (name, value) in attributes(raw) {
            let slot = match name {
                "lat" => &mut self.point.lat,
                "lon" => &mut self.point.lon,
                _ => continue,
            };
            match number(value.as_bytes()) {
                Number::Value(value) => *slot = value,
                Number::Absent => {}
                Number::Bad => leaf = Leaf::BadNumber,
            }
        }
        leaf
    }

    /// Takes the text of an element without children.
    #[inline]
    fn leaf(&mut self, node: Node, name: &str, text: &[u8]) -> Leaf {
        let point = &mut self.point;
        match node {
            Node::Point | Node::Group | Node::Ignore | Node::Sample => return Leaf::Fine,
            Node::Words => {
                point.words += u64::from(!text.trim_ascii().is_empty());
                return Leaf::Fine;
            }
            Node::Time => {
                match self.instants.read(text) {
                    Some(instant) => point.time = point.time.or(Some(instant)),
                    None if text.trim_ascii().is_empty() => {}
                    None => return Leaf::BadTime,
                }
                return Leaf::Fine;
            }
            _ => {}
        }
        let value = match number(text) {
            Number::Value(value) => value,
            Number::Absent => return Leaf::Fine,
            Number::Bad if node == Node::Extra => {
                point.words += 1;
                return Leaf::Fine;
            }
            Number::Bad => return Leaf::BadNumber,
        };
        let first = |slot: &mut f64| {
            if slot.is_nan() {
                *slot = value;
            }
        };
        match node {
            Node::Latitude => first(&mut point.lat),
            Node::Longitude => first(&mut point.lon),
            Node::Distance => first(&mut point.distance),
            Node::RunCadence => first(&mut point.run_cadence),
            Node::Channel(channel) => point.set(channel, value as f32),
            Node::Scaled(channel, factor) => point.set(channel, (value * f64::from(factor)) as f32),
            _ => {
                let index = self.extras.index(name);
                if !point.extra.iter().any(|(have, _)| *have == index) {
                    point.extra.push((index, value));
                }
            }
        }
        Leaf::Fine
    }

    /// Takes the attributes of a `paceport` sample element; they win over the standard elements.
    fn sample(&mut self, raw: &str) -> Leaf {
        let mut result = Leaf::Fine;
        self.point.marked = true;
        for (name, text) in attributes(raw) {
            match name {
                "time" => match time::parse(text.as_bytes()) {
                    Some(instant) => self.point.time = Some(instant),
                    None => result = Leaf::BadTime,
                },
                "untimed" => self.point.untimed = text == "true",
                "after" => {}
                _ => match number(text.as_bytes()) {
                    Number::Value(value) => self.sample_value(name, value),
                    Number::Absent => {}
                    Number::Bad => result = Leaf::BadNumber,
                },
            }
        }
        result
    }

    fn sample_value(&mut self, name: &str, value: f64) {
        let point = &mut self.point;
        match name {
            "lat" => point.lat = value,
            "lon" => point.lon = value,
            "distance" => point.distance = value,
            _ => match Channel::by_name(name) {
                Some(channel) => {
                    if channel == Channel::Cadence {
                        point.run_cadence = f64::NAN;
                    }
                    point.replace(channel, value as f32);
                }
                None => {
                    let index = self.extras.index(name);
                    point.extra.push((index, value));
                }
            },
        }
    }
}

fn complain(source: &str, notes: &mut Notes, leaf: Leaf, at: usize, name: &str, text: &str) {
    match leaf {
        Leaf::Fine => {}
        Leaf::BadNumber => note(source, notes, BAD_NUMBER, at, name, || format!("not a number: {}", excerpt(text))),
        Leaf::BadTime => note(source, notes, BAD_TIME, at, name, || format!("not an instant: {}", excerpt(text))),
    }
}

/// The beginning of a text, for a note.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
