//! What the elements inside a `Trackpoint` mean. Values are collected by name and parent, never by order.

use crate::formats::xml::Node;
use crate::model::Channel;

/// The meaning of an element inside a `Trackpoint`.
pub(super) fn node(parent: Node, name: &str) -> Node {
    match (parent, name) {
        (Node::Ignore, _) => Node::Ignore,
        (Node::Point, "Time") => Node::Time,
        // `HeartRateBpm` holds a `Value` in v2 and the number itself in v1.
        (Node::Channel(Channel::HeartRate), "Value") => parent,
        (_, "Value") => Node::Ignore,
        (_, "Position" | "Extensions" | "TPX") => Node::Group,
        (_, "LatitudeDegrees") => Node::Latitude,
        (_, "LongitudeDegrees") => Node::Longitude,
        (_, "AltitudeMeters") => Node::Channel(Channel::Altitude),
        (_, "DistanceMeters") => Node::Distance,
        (_, "HeartRateBpm") => Node::Channel(Channel::HeartRate),
        (_, "Cadence") => Node::Channel(Channel::Cadence),
        (_, "RunCadence") => Node::RunCadence,
        (_, "Speed") => Node::Channel(Channel::Speed),
        (_, "Watts" | "PowerInWatts" | "Power") => Node::Channel(Channel::Power),
        (_, "Temperature" | "Temp" | "atemp") => Node::Channel(Channel::Temperature),
        // Present or Absent: says what the cadence says.
        (_, "SensorState") => Node::Ignore,
        (_, "sample") => Node::Sample,
        _ => Node::Extra,
    }
}

/// What stands in what: legs, activities, laps, tracks, points.
pub(super) fn rank(name: &str) -> u8 {
    match name {
        "FirstSport" | "NextSport" => 1,
        "Activity" | "Run" | "Course" => 2,
        "Lap" | "Transition" => 3,
        "Track" => 4,
        "Trackpoint" => 5,
        _ => 0,
    }
}
