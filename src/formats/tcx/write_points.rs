//! Trackpoints of a written TCX file.

use std::ops::Range;

use crate::error::Result;
use crate::formats::own::{self, Samples, StandIn};
use crate::formats::text::{self, Page, Times, at};
use crate::model::{Channel, Track};

/// What the standard elements of a trackpoint hold exactly.
fn holds(channel: Channel, value: f32) -> bool {
    let whole = value.trunc() == value;
    match channel {
        Channel::Altitude | Channel::Speed => true,
        Channel::HeartRate => whole && (1.0..=255.0).contains(&value),
        Channel::Cadence => whole && (0.0..=254.0).contains(&value),
        Channel::Power => whole && (0.0..=65535.0).contains(&value),
        _ => false,
    }
}

/// The samples on their way into trackpoints.
pub(super) struct Points<'a> {
    track: &'a Track,
    samples: Samples<'a>,
    altitude: &'a [f32],
    heart_rate: &'a [f32],
    cadence: &'a [f32],
    speed: &'a [f32],
    power: &'a [f32],
    times: Times,
    /// The extra channels that some elements show.
    pub shown: &'a [StandIn<'a>],
}

impl<'a> Points<'a> {
    pub fn new(track: &'a Track, shown: &'a [StandIn<'a>]) -> Points<'a> {
        let column = |channel| own::column(track, shown, channel);
        Points {
            track,
            samples: Samples::new(track, holds, true),
            altitude: column(Channel::Altitude),
            heart_rate: column(Channel::HeartRate),
            cadence: column(Channel::Cadence),
            speed: column(Channel::Speed),
            power: column(Channel::Power),
            times: Times::new(true),
            shown,
        }
    }

    /// Highest present value of speed in rows.
    pub fn max_speed(&self, rows: Range<usize>) -> Option<f64> {
        rows.filter_map(|row| at(self.speed, row)).reduce(f32::max).map(f64::from)
    }

    /// Mean and highest heart rate in rows.
    pub fn heart_rates(&self, rows: Range<usize>) -> Option<(f64, f64)> {
        let (mut count, mut sum, mut max) = (0u32, 0.0, 0.0f64);
        for value in rows.filter_map(|row| at(self.heart_rate, row)).map(f64::from) {
            count += 1;
            sum += value;
            max = max.max(value);
        }
        (count > 0).then(|| (sum / f64::from(count), max))
    }

    /// Writes the rows of one timer run.
    pub fn track(&mut self, page: &mut Page<'_>, rows: Range<usize>, on_foot: bool) -> Result<()> {
        page.put("<Track>\n");
        for row in rows {
            self.point(&mut page.buf, row, on_foot);
            page.turn()?;
        }
        page.put("</Track>\n");
        Ok(())
    }

    fn point(&mut self, out: &mut Vec<u8>, row: usize, on_foot: bool) {
        out.extend_from_slice(b"<Trackpoint><Time>");
        self.times.put(out, self.track.times()[row]);
        out.extend_from_slice(b"</Time>");
        let bare = out.len();
        let position = self.track.position(row);
        if let Some((lat, lon)) = position {
            out.extend_from_slice(b"<Position><LatitudeDegrees>");
            text::number(out, lat);
            out.extend_from_slice(b"</LatitudeDegrees><LongitudeDegrees>");
            text::number(out, text::east(lon));
            out.extend_from_slice(b"</LongitudeDegrees></Position>");
        }
        if let Some(value) = at(self.altitude, row) {
            out.extend_from_slice(b"<AltitudeMeters>");
            text::single(out, value);
            out.extend_from_slice(b"</AltitudeMeters>");
        }
        if let Some(value) = self.track.distance(row) {
            out.extend_from_slice(b"<DistanceMeters>");
            text::number(out, value);
            out.extend_from_slice(b"</DistanceMeters>");
        }
        if let Some(value) = at(self.heart_rate, row).map(f32::round).filter(|v| (1.0..=255.0).contains(v)) {
            out.extend_from_slice(b"<HeartRateBpm><Value>");
            text::integer(out, value as i64);
            out.extend_from_slice(b"</Value></HeartRateBpm>");
        }
        let cadence = at(self.cadence, row).map(f32::round).filter(|v| (0.0..=254.0).contains(v));
        if let Some(value) = cadence.filter(|_| !on_foot) {
            out.extend_from_slice(b"<Cadence>");
            text::integer(out, value as i64);
            out.extend_from_slice(b"</Cadence>");
        }
        let speed = at(self.speed, row);
        let strides = cadence.filter(|_| on_foot);
        let watts = at(self.power, row).map(f32::round).filter(|v| (0.0..=65535.0).contains(v));
        let unopened = out.len();
        out.extend_from_slice(b"<Extensions>");
        let opened = out.len();
        if speed.is_some() || strides.is_some() || watts.is_some() {
            out.extend_from_slice(b"<ns3:TPX>");
            if let Some(value) = speed {
                out.extend_from_slice(b"<ns3:Speed>");
                text::single(out, value);
                out.extend_from_slice(b"</ns3:Speed>");
            }
            if let Some(value) = strides {
                out.extend_from_slice(b"<ns3:RunCadence>");
                text::integer(out, value as i64);
                out.extend_from_slice(b"</ns3:RunCadence>");
            }
            if let Some(value) = watts {
                out.extend_from_slice(b"<ns3:Watts>");
                text::integer(out, value as i64);
                out.extend_from_slice(b"</ns3:Watts>");
            }
            out.extend_from_slice(b"</ns3:TPX>");
        }
        let before = out.len();
        out.extend_from_slice(b"<pp:sample");
        let named = out.len();
        if let Some((_, lon)) = position.filter(|p| p.1 >= 180.0) {
            out.extend_from_slice(b" lon=\"");
            text::number(out, lon);
            out.push(b'"');
        }
        if !self.track.is_timed(row) {
            out.extend_from_slice(b" untimed=\"true\"");
        }
        self.samples.further(out, row);
        // A trackpoint with nothing but its time is a pause mark to readers; the empty element says that it is a sample.
        if out.len() > named || unopened == bare && before == opened {
            out.extend_from_slice(b"/>");
        } else {
            out.truncate(before);
        }
        if out.len() == opened {
            out.truncate(unopened);
        } else {
            out.extend_from_slice(b"</Extensions>");
        }
        out.extend_from_slice(b"</Trackpoint>\n");
    }
}
