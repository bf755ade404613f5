//! Writes GPX 1.1 that validates against its schema: one `trk` a leg, one `trkseg` a timer run. What GPX cannot say goes
//! into the `paceport` namespace (`docs/gpx-namespace.md`, which also gives the reasons for the spelling of power).

use std::io::Write;
use std::ops::Range;

use crate::error::Result;
use crate::formats::losses;
use crate::formats::own::{self, Samples, StandIn};
use crate::formats::spans::{self, Leg};
use crate::formats::text::{self, Page, Times, at, east};
use crate::model::{Activity, Channel, Sport, Track, Waypoint, time};
use crate::report::Notes;

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<gpx xmlns=\"http://www.topografix.com/GPX/1/1\"",
    " xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\"",
    " xmlns:gpxpx=\"http://www.garmin.com/xmlschemas/PowerExtension/v1\"",
    " xmlns:pp=\"urn:paceport:1\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"",
    " version=\"1.1\" creator=\"paceport\"",
    " xsi:schemaLocation=\"http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd",
    " http://www.garmin.com/xmlschemas/TrackPointExtension/v1",
    " https://www8.garmin.com/xmlschemas/TrackPointExtensionv1.xsd",
    " http://www.garmin.com/xmlschemas/PowerExtension/v1",
    " https://www8.garmin.com/xmlschemas/PowerExtensionv1.xsd\">\n",
);

/// Writes one activity as GPX 1.1.
pub(super) fn write(activity: &Activity, out: &mut dyn Write, notes: &mut Notes) -> Result<()> {
    let mut page = Page::new(out);
    page.put(HEAD);
    let shown = own::stand_ins(&activity.track);
    metadata(&mut page, activity, &shown)?;
    for waypoint in &activity.waypoints {
        place(&mut page, waypoint)?;
    }
    let mut points = Points::new(&activity.track, &shown);
    let legs = spans::legs(activity);
    for leg in &legs {
        track_head(&mut page, activity, leg, legs.len() > 1);
        points.without_position(&mut page, leg.rows.clone())?;
        for run in spans::runs(&activity.track, leg.rows.clone(), &activity.pauses) {
            points.segment(&mut page, run)?;
        }
        page.put("</trk>\n");
    }
    page.put("</gpx>\n");
    losses::report("gpx", activity, page.replaced, notes);
    page.finish()
}

fn element(page: &mut Page<'_>, name: &str, text: &str) {
    page.put("<");
    page.put(name);
    page.put(">");
    page.escape(text, false);
    page.put("</");
    page.put(name);
    page.put(">");
}

fn metadata(page: &mut Page<'_>, activity: &Activity, shown: &[StandIn<'_>]) -> Result<()> {
    page.put("<metadata>");
    for (name, text) in [("name", &activity.name), ("desc", &activity.description)] {
        if let Some(text) = text {
            element(page, name, text);
        }
    }
    if let Some(label) = activity.device().and_then(|device| device.label()) {
        page.put("<author>");
        element(page, "name", label);
        page.put("</author>");
    }
    if let Some(ms) = activity.created.or(activity.span().map(|span| span.0)) {
        page.put("<time>");
        time::write_utc(&mut page.buf, ms, false);
        page.put("</time>");
    }
    let mut bounds: Option<[f64; 4]> = None;
    for (_, (lat, lon)) in activity.track.positions() {
        let lon = east(lon);
        let [south, west, north, east] = bounds.get_or_insert([lat, lon, lat, lon]);
        (*south, *west, *north, *east) = (south.min(lat), west.min(lon), north.max(lat), east.max(lon));
    }
    for (value, opening) in bounds.iter().flatten().zip(["<bounds minlat=\"", " minlon=\"", " maxlat=\"", " maxlon=\""])
    {
        page.put(opening);
        text::number(&mut page.buf, *value);
        page.put("\"");
    }
    page.put(if bounds.is_some() { "/><extensions>\n" } else { "<extensions>\n" });
    own::activity(page, activity, shown)?;
    page.put("</extensions></metadata>\n");
    Ok(())
}

fn position(out: &mut Vec<u8>, lat: f64, lon: f64) {
    out.extend_from_slice(b" lat=\"");
    text::number(out, lat);
    out.extend_from_slice(b"\" lon=\"");
    text::number(out, east(lon));
    out.extend_from_slice(b"\">");
}

fn place(page: &mut Page<'_>, waypoint: &Waypoint) -> Result<()> {
    if !(waypoint.lat.abs() <= 90.0 && waypoint.lon.abs() <= 180.0) {
        return Ok(());
    }
    page.put("<wpt");
    position(&mut page.buf, waypoint.lat, waypoint.lon);
    if let Some(altitude) = waypoint.altitude.filter(|v| v.is_finite()) {
        page.put("<ele>");
        text::number(&mut page.buf, altitude);
        page.put("</ele>");
    }
    if let Some(ms) = waypoint.time {
        page.put("<time>");
        time::write_utc(&mut page.buf, ms, false);
        page.put("</time>");
    }
    for (name, text) in [("name", &waypoint.name), ("desc", &waypoint.description), ("sym", &waypoint.symbol)] {
        if let Some(text) = text {
            element(page, name, text);
        }
    }
    page.put("</wpt>\n");
    page.turn()
}

fn track_head(page: &mut Page<'_>, activity: &Activity, leg: &Leg<'_>, several: bool) {
    page.put("<trk>");
    let own_name = leg.session.and_then(|session| session.name.as_ref()).filter(|_| several);
    if let Some(name) = own_name.or(activity.name.as_ref()) {
        element(page, "name", name);
    }
    if let Some(text) = &activity.description {
        element(page, "desc", text);
    }
    // Where the data comes from: the recorder, and the program that wrote the source unless its name says the same.
    let (label, creator) = (activity.device().and_then(|device| device.label()), activity.creator.as_deref());
    match (label, creator) {
        (Some(label), Some(creator)) if !creator.contains(label) => {
            element(page, "src", &format!("{label}; {creator}"))
        }
        (_, Some(text)) | (Some(text), None) => element(page, "src", text),
        (None, None) => {}
    }
    let sport = leg.session.map_or(activity.sport, |session| session.sport);
    match &activity.sport_label {
        Some(label) if sport == Sport::GENERIC && !label.trim().is_empty() => element(page, "type", label),
        _ if sport == Sport::GENERIC => {}
        _ => element(page, "type", &sport.name()),
    }
    page.put("\n");
}

/// What the standard elements of a point hold exactly.
fn holds(channel: Channel, value: f32) -> bool {
    match channel {
        Channel::Altitude
        | Channel::Power
        | Channel::Speed
        | Channel::Temperature
        | Channel::WaterTemperature
        | Channel::Depth => true,
        Channel::HeartRate => value.trunc() == value && (1.0..=255.0).contains(&value),
        Channel::Cadence => value.trunc() == value && (0.0..=254.0).contains(&value),
        _ => false,
    }
}

/// The samples on their way into points.
struct Points<'a> {
    track: &'a Track,
    samples: Samples<'a>,
    altitude: &'a [f32],
    power: &'a [f32],
    speed: &'a [f32],
    temperature: &'a [f32],
    water_temperature: &'a [f32],
    depth: &'a [f32],
    heart_rate: &'a [f32],
    cadence: &'a [f32],
    times: Times,
    /// Time of the sample before, in the order of the file.
    before: Option<i64>,
}

impl<'a> Points<'a> {
    fn new(track: &'a Track, shown: &'a [StandIn<'a>]) -> Points<'a> {
        let column = |channel| own::column(track, shown, channel);
        Points {
            track,
            samples: Samples::new(track, holds, false),
            altitude: column(Channel::Altitude),
            power: column(Channel::Power),
            speed: column(Channel::Speed),
            temperature: column(Channel::Temperature),
            water_temperature: column(Channel::WaterTemperature),
            depth: column(Channel::Depth),
            heart_rate: column(Channel::HeartRate),
            cadence: column(Channel::Cadence),
            times: Times::new(false),
            before: None,
        }
    }

    /// The samples of a leg that have no position: into the track's extensions, since some parsers refuse those of a
    /// segment.
    fn without_position(&mut self, page: &mut Page<'_>, rows: Range<usize>) -> Result<()> {
        let mut after = 0;
        let mut open = false;
        for row in rows {
            if self.track.position(row).is_some() {
                after += 1;
                continue;
            }
            if !open {
                page.put("<extensions>\n");
                open = true;
            }
            self.loose(&mut page.buf, row, after);
            page.turn()?;
        }
        if open {
            page.put("</extensions>\n");
        }
        Ok(())
    }

    /// The samples of a timer run that have a position.
    fn segment(&mut self, page: &mut Page<'_>, rows: Range<usize>) -> Result<()> {
        let mut open = false;
        for row in rows {
            let Some(position) = self.track.position(row) else { continue };
            if !open {
                page.put("<trkseg>\n");
                open = true;
            }
            self.point(&mut page.buf, row, position);
            page.turn()?;
        }
        if open {
            page.put("</trkseg>\n");
        }
        Ok(())
    }

    fn point(&mut self, out: &mut Vec<u8>, row: usize, (lat, lon): (f64, f64)) {
        let ms = self.track.times()[row];
        out.extend_from_slice(b"<trkpt");
        position(out, lat, lon);
        if let Some(altitude) = at(self.altitude, row) {
            out.extend_from_slice(b"<ele>");
            text::single(out, altitude);
            out.extend_from_slice(b"</ele>");
        }
        let timed = self.track.is_timed(row);
        if timed {
            out.extend_from_slice(b"<time>");
            self.times.put(out, ms);
            out.extend_from_slice(b"</time>");
        }
        let bare = out.len();
        out.extend_from_slice(b"<extensions>");
        let opened = out.len();
        if let Some(watts) = at(self.power, row) {
            out.extend_from_slice(b"<power xmlns=\"urn:paceport:1\">");
            text::single(out, watts);
            out.extend_from_slice(b"</power><gpxpx:PowerInWatts>");
            text::integer(out, watts.round().clamp(0.0, 65535.0) as i64);
            out.extend_from_slice(b"</gpxpx:PowerInWatts>");
        }
        if let Some(speed) = at(self.speed, row) {
            out.extend_from_slice(b"<speed xmlns=\"urn:paceport:1\">");
            text::single(out, speed);
            out.extend_from_slice(b"</speed>");
        }
        self.track_point_extension(out, row);
        let before = out.len();
        out.extend_from_slice(b"<pp:sample");
        let named = out.len();
        if lon >= 180.0 {
            out.extend_from_slice(b" lon=\"");
            text::number(out, lon);
            out.push(b'"');
        }
        if !timed && self.before != Some(ms) {
            self.untimed(out, ms);
        }
        self.samples.further(out, row);
        if out.len() == named {
            out.truncate(before);
        } else {
            out.extend_from_slice(b"/>");
        }
        if out.len() == opened {
            out.truncate(bare);
        } else {
            out.extend_from_slice(b"</extensions>");
        }
        out.extend_from_slice(b"</trkpt>\n");
        self.before = Some(ms);
    }

    /// Garmin's TrackPointExtension v1, in the order of its schema.
    fn track_point_extension(&self, out: &mut Vec<u8>, row: usize) {
        let before = out.len();
        out.extend_from_slice(b"<gpxtpx:TrackPointExtension>");
        let opened = out.len();
        if let Some(value) = at(self.temperature, row) {
            out.extend_from_slice(b"<gpxtpx:atemp>");
            text::single(out, value);
            out.extend_from_slice(b"</gpxtpx:atemp>");
        }
        if let Some(value) = at(self.water_temperature, row) {
            out.extend_from_slice(b"<gpxtpx:wtemp>");
            text::single(out, value);
            out.extend_from_slice(b"</gpxtpx:wtemp>");
        }
        if let Some(value) = at(self.depth, row) {
            out.extend_from_slice(b"<gpxtpx:depth>");
            text::single(out, value);
            out.extend_from_slice(b"</gpxtpx:depth>");
        }
        if let Some(value) = at(self.heart_rate, row).map(f32::round).filter(|v| (1.0..=255.0).contains(v)) {
            out.extend_from_slice(b"<gpxtpx:hr>");
            text::integer(out, value as i64);
            out.extend_from_slice(b"</gpxtpx:hr>");
        }
        if let Some(value) = at(self.cadence, row).map(f32::round).filter(|v| (0.0..=254.0).contains(v)) {
            out.extend_from_slice(b"<gpxtpx:cad>");
            text::integer(out, value as i64);
            out.extend_from_slice(b"</gpxtpx:cad>");
        }
        if out.len() == opened {
            out.truncate(before);
        } else {
            out.extend_from_slice(b"</gpxtpx:TrackPointExtension>");
        }
    }

    /// A sample without position.
    fn loose(&mut self, out: &mut Vec<u8>, row: usize, after: usize) {
        let ms = self.track.times()[row];
        out.extend_from_slice(b"<pp:sample after=\"");
        text::integer(out, after as i64);
        out.push(b'"');
        if self.track.is_timed(row) {
            out.extend_from_slice(b" time=\"");
            self.times.put(out, ms);
            out.push(b'"');
        } else {
            self.untimed(out, ms);
        }
        self.samples.all(out, row);
        out.extend_from_slice(b"/>\n");
        self.before = Some(ms);
    }

    fn untimed(&mut self, out: &mut Vec<u8>, ms: i64) {
        out.extend_from_slice(b" time=\"");
        self.times.put(out, ms);
        out.extend_from_slice(b"\" untimed=\"true\"");
    }
}
