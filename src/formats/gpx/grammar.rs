//! What the elements inside a `trkpt` mean: the core of GPX 1.0 and 1.1 together, and every extension vocabulary of the
//! field by local name. The `version` attribute decides nothing, because real files mix the two.

use crate::formats::xml::Node;
use crate::model::Channel;

/// The meaning of an element inside a `trkpt`.
pub(super) fn node(parent: Node, name: &str) -> Node {
    match parent {
        Node::Point => core(name),
        Node::Ignore => Node::Ignore,
        _ => extension(name),
    }
}

fn core(name: &str) -> Node {
    match name {
        "ele" => Node::Channel(Channel::Altitude),
        "time" => Node::Time,
        "extensions" => Node::Group,
        "name" | "cmt" | "desc" | "src" | "sym" | "type" | "fix" | "url" | "urlname" => Node::Words,
        "link" => Node::Ignore,
        // GPX 1.0 has speed and course as core elements and puts foreign elements right here.
        _ => extension(name),
    }
}

/// Garmin TrackPointExtension v1 and v2, PowerExtension, Cluetrust gpxdata with Suunto's additions, OpenTracks, Apple,
/// COROS, Strava, Amazfit, Falk, TrekBuddy, and bare names.
fn extension(name: &str) -> Node {
    match name {
        "hr" | "heartrate" | "heartRate" | "HeartRate" | "heart_rate" | "bpm" => Node::Channel(Channel::HeartRate),
        "cad" | "cadence" | "Cadence" | "rpm" | "RunCadence" => Node::Channel(Channel::Cadence),
        "atemp" | "temp" | "temperature" | "Temperature" => Node::Channel(Channel::Temperature),
        "wtemp" => Node::Channel(Channel::WaterTemperature),
        "depth" | "Depth" => Node::Channel(Channel::Depth),
        "power" | "Power" | "PowerInWatts" | "watts" | "Watts" => Node::Channel(Channel::Power),
        "speed" | "Speed" => Node::Channel(Channel::Speed),
        "course" | "cog" => Node::Channel(Channel::Heading),
        "verticalSpeed" => Node::Channel(Channel::VerticalSpeed),
        "altitude" => Node::Channel(Channel::Altitude),
        "distance" | "Distance" => Node::Distance,
        "hAcc" | "accuracy_horizontal" => Node::Channel(Channel::GpsAccuracy),
        "vAcc" | "accuracy_vertical" => Node::Channel(Channel::VerticalAccuracy),
        "mbar" => Node::Scaled(Channel::Pressure, 100.0),
        // Garmin AccelerationExtension: many a second, in attributes.
        "accel" => Node::Unheld,
        "sample" => Node::Sample,
        _ => Node::Extra,
    }
}

/// What stands in what: documents, tracks, segments, points.
pub(super) fn rank(name: &str) -> u8 {
    match name {
        "gpx" => 1,
        "trk" => 2,
        "trkseg" => 3,
        "trkpt" => 4,
        _ => 0,
    }
}
