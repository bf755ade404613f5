//! One sample (`trkpt`, `Trackpoint`) read into a scratch that is used again for the next one: no allocation a point.

use std::ops::Range;

use super::text::{Instants, Number, number};
use crate::model::Channel;
use crate::model::time::Instant;

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
    /// Something that a sample has no place for, in attributes; it is counted.
    Unheld,
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
    /// Where the attributes of its `paceport` sample element stand in the text. That element makes it a sample, whatever
    /// else it holds.
    pub own: Option<Range<usize>>,
}

impl Point {
    pub fn new() -> Point {
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
            own: None,
        }
    }

    pub fn clear(&mut self, at: usize) {
        self.at = at;
        self.time = None;
        (self.lat, self.lon) = (f64::NAN, f64::NAN);
        (self.distance, self.run_cadence) = (f64::NAN, f64::NAN);
        self.values.clear();
        self.extra.clear();
        self.words = 0;
        self.own = None;
    }

    /// True when it holds nothing but perhaps a time.
    pub fn is_bare(&self) -> bool {
        self.lat.is_nan()
            && self.lon.is_nan()
            && self.distance.is_nan()
            && self.run_cadence.is_nan()
            && self.values.is_empty()
            && self.extra.is_empty()
            && self.own.is_none()
    }

    /// Sets a channel unless it is known already: the first of several spellings wins (Amazfit writes the heart rate
    /// twice, gpx.md section 3).
    fn set(&mut self, channel: Channel, value: f32) {
        if !self.values.iter().any(|(have, _)| *have == channel) {
            self.values.push((channel, value));
        }
    }

    /// Takes the text of an element without children.
    #[inline]
    pub fn leaf(&mut self, node: Node, name: &str, text: &[u8], instants: &mut Instants, extras: &mut Extras) -> Leaf {
        let point = self;
        match node {
            Node::Point | Node::Group | Node::Ignore | Node::Sample => return Leaf::Fine,
            Node::Words | Node::Unheld => {
                point.words += u64::from(node == Node::Unheld || !text.trim_ascii().is_empty());
                return Leaf::Fine;
            }
            Node::Time => {
                match instants.read(text) {
                    Some(instant) => point.time = point.time.or(Some(instant)),
                    None if text.trim_ascii().is_empty() => {}
                    None => return Leaf::BadTime,
                }
                return Leaf::Fine;
            }
            _ => {}
        }
        match number(text) {
            Number::Value(value) => point.value(node, name, value, extras),
            Number::Absent => {}
            Number::Bad if node == Node::Extra => point.words += 1,
            Number::Bad => return Leaf::BadNumber,
        }
        Leaf::Fine
    }

    /// Takes the number of an element that means one.
    #[inline]
    pub fn value(&mut self, node: Node, name: &str, value: f64, extras: &mut Extras) {
        let first = |slot: &mut f64| {
            if slot.is_nan() {
                *slot = value;
            }
        };
        match node {
            Node::Latitude => first(&mut self.lat),
            Node::Longitude => first(&mut self.lon),
            Node::Distance => first(&mut self.distance),
            Node::RunCadence => first(&mut self.run_cadence),
            Node::Channel(channel) => self.set(channel, value as f32),
            Node::Scaled(channel, factor) => self.set(channel, (value * f64::from(factor)) as f32),
            _ => match extras.index(name) {
                Some(index) if self.extra.iter().any(|(have, _)| *have == index) => {}
                Some(index) => self.extra.push((index, value)),
                None => self.words += 1,
            },
        }
    }
}

/// How many different numbers beyond the channel table a file may have. Each is a column.
const MOST_EXTRAS: usize = 100;

/// Names of the numbers beyond the channel table, in order of first occurrence.
#[derive(Debug, Default)]
pub struct Extras {
    names: Vec<Box<str>>,
}

impl Extras {
    /// The index of a name; `None` when there are too many.
    pub fn index(&mut self, name: &str) -> Option<usize> {
        if let Some(found) = self.names.iter().position(|have| **have == *name) {
            return Some(found);
        }
        if self.names.len() >= MOST_EXTRAS {
            return None;
        }
        self.names.push(name.into());
        Some(self.names.len() - 1)
    }

    /// Forgets all names but the first ones.
    pub fn forget(&mut self, but: usize) {
        self.names.truncate(but);
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
