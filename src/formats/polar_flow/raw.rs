//! A training session as it stands in a file, of whichever generation.

use crate::model::time::Instant;
use crate::model::{Athlete, Channel, Stroke, Totals, Zones};

/// One training session.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// Identity that Polar gave it, with the name under which the model keeps it.
    pub id: Option<(&'static str, String)>,
    /// When it was changed last, ms UTC.
    pub modified: Option<i64>,
    pub name: Option<String>,
    pub note: Option<String>,
    pub device: Option<String>,
    pub serial: Option<String>,
    /// What is said of the session as a whole.
    pub whole: Exercise,
    pub exercises: Vec<Exercise>,
    pub athlete: Athlete,
    pub zones: Zones,
    /// How many exercises were too many.
    pub left_out: usize,
}

/// What is said of one exercise, or of a whole session. Times are wall-clock times unless marked.
#[derive(Debug, Default)]
pub(super) struct Exercise {
    pub start: Option<Instant>,
    pub stop: Option<Instant>,
    /// Local time less UTC, minutes; absent is unknown.
    pub offset_min: Option<f64>,
    pub sport: Option<Word>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub totals: Totals,
    pub main: Part,
    /// The way to this exercise from the one before.
    pub transition: Part,
    pub laps: Vec<Mark>,
    pub auto_laps: Vec<Mark>,
    pub pauses: Vec<(Instant, Instant)>,
    pub zones: Vec<ZoneSet>,
    pub pool_length: Option<f64>,
    pub pool_in_yards: bool,
    pub strokes_from: Option<Instant>,
    pub strokes: Vec<Strokes>,
}

/// A sport as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// A number of Polar's list.
    Id(String),
    /// A word, with a coarser one.
    Name(String, Option<String>),
}

/// What was recorded in one stretch.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub series: Vec<Series>,
    pub route: Route,
    /// Beat intervals, ms, and whether the sensor was off the skin.
    pub rr: Vec<(f64, bool)>,
}

/// What a series is of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A channel; its unit is the value times the factor.
    Channel(Channel, f64),
    /// Cumulative distance, metres.
    Distance,
    /// Power at the left crank, W.
    LeftPower,
    /// Power at the right crank, W.
    RightPower,
    /// The share of the left side in power, %.
    LeftShare,
    /// Anything else, under its own name.
    Extra(String),
}

/// Values one after another; NaN is a gap.
#[derive(Debug)]
pub(super) struct Series {
    pub kind: Kind,
    /// Time between two values, ms.
    pub interval_ms: Option<f64>,
    /// Instead of an interval: the wall-clock time of each value, ms.
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// Positions.
#[derive(Debug, Default)]
pub(super) struct Route {
    pub start: Option<Instant>,
    pub points: Vec<Point>,
}

/// One position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub at: At,
    pub lat: f64,
    pub lon: f64,
    /// Metres; NaN is absent.
    pub altitude: f64,
}

/// When a position was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum At {
    /// Not said.
    #[default]
    Unknown,
    /// After the start of the route, ms.
    After(f64),
    /// At this wall-clock time, ms.
    Wall(i64),
}

/// A lap: it ends at `split_ms` of the exercise.
#[derive(Debug, Default)]
pub(super) struct Mark {
    pub split_ms: Option<f64>,
    pub duration_ms: Option<f64>,
    pub totals: Totals,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
}

/// Zones of one quantity: upper limit, and ms inside.
#[derive(Debug, Default)]
pub(super) struct ZoneSet {
    pub kind: String,
    pub zones: Vec<(f64, Option<f64>)>,
}

/// A stretch of swimming in one style.
#[derive(Debug, Default)]
pub(super) struct Strokes {
    pub offset_ms: Option<f64>,
    pub duration_ms: Option<f64>,
    pub stroke: Option<Stroke>,
    pub strokes: Option<f64>,
}

impl Part {
    pub(super) fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.values.is_empty()) && self.route.points.is_empty() && self.rr.is_empty()
    }
}

impl Series {
    /// An empty series by the name that a file gives it, in either generation's spelling.
    pub(super) fn named(name: &str) -> Series {
        Series { kind: Kind::named(name), interval_ms: None, times: Vec::new(), values: Vec::new() }
    }
}

impl Kind {
    fn named(name: &str) -> Kind {
        let name = name.strip_prefix("SAMPLE_TYPE_").unwrap_or(name);
        let word: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        match word.as_str() {
            "heartrate" => Kind::Channel(Channel::HeartRate, 1.0),
            "speed" => Kind::Channel(Channel::Speed, 1.0 / 3.6),
            "cadence" => Kind::Channel(Channel::Cadence, 1.0),
            "altitude" => Kind::Channel(Channel::Altitude, 1.0),
            "temperature" => Kind::Channel(Channel::Temperature, 1.0),
            "power" => Kind::Channel(Channel::Power, 1.0),
            "distance" => Kind::Distance,
            "leftcrankcurrentpower" | "leftpedalpower" | "leftpower" => Kind::LeftPower,
            "rightcrankcurrentpower" | "rightpedalpower" | "rightpower" => Kind::RightPower,
            _ => Kind::Extra(name.to_ascii_lowercase()),
        }
    }
}
