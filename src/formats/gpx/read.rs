//! Walks through a GPX document.

use crate::error::{Error, Place, Result};
use crate::formats::Intake;
use crate::formats::own::{self, OwnReader};
use crate::formats::xml::{self, Builder, Cursor, Number, PointReader, Tag};
use crate::model::{Lap, Totals, Waypoint};
use crate::report::{Code, Notes};

const PAUSE_MARKS: Code = Code::info("gpx.pause_marks");

/// Latitudes by which Google My Tracks and old OpenTracks mark a pause and its end (gpx.md section 4).
const PAUSE_LATITUDE: f64 = 100.0;
const RESUME_LATITUDE: f64 = 200.0;

/// Reads a GPX document: each track with at least one time is an activity. Routes, waypoints alone and tracks without
/// any time are none; the intake is told what they are.
///
/// # Errors
/// `Malformed` when there is no `gpx` element, `Limit` when a track has too many samples.
pub fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    read_by(bytes, intake, true)
}

/// The same with quick-xml alone, without the scanner for points: slower, and the reference for it.
///
/// # Errors
/// As [`read`].
pub fn read_plain(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    read_by(bytes, intake, false)
}

fn read_by(bytes: &[u8], intake: &mut Intake<'_>, scans: bool) -> Result<()> {
    let text = xml::decode(bytes, intake.notes());
    let mut reader = Document::new(&text, intake, scans);
    reader.document()?;
    reader.finish()
}

/// What a file says outside of its tracks.
#[derive(Default)]
pub(super) struct File {
    pub creator: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub created: Option<i64>,
    pub waypoints: Vec<Waypoint>,
    pub routes: u64,
    /// A separate list of heart rates, to be joined by time (a-rival SpoQ).
    pub heart_rates: Vec<(i64, f32)>,
    pub info: Info,
}

/// What extensions of a track, or of the file, say about the whole.
#[derive(Default)]
pub(super) struct Info {
    pub totals: Totals,
    pub laps: Vec<Lap>,
    pub sport: Option<String>,
    pub resting_heart_rate: Option<u8>,
}

/// One `trk`.
#[derive(Default)]
pub(super) struct Trk {
    pub builder: Builder,
    pub name: Option<String>,
    pub description: Option<String>,
    pub comment: Option<String>,
    pub source: Option<String>,
    pub sport: Option<String>,
    pub info: Info,
    pub notes: Notes,
    pub damaged: bool,
    /// Elements of the `paceport` namespace; those of the file go to the first track.
    pub own: OwnReader,
    pub pause_marks: u64,
}

/// A document on its way through the reader.
pub(super) struct Document<'a, 'i, 'l> {
    pub cursor: Cursor<'a>,
    pub points: PointReader,
    pub intake: &'i mut Intake<'l>,
    pub file: File,
    pub tracks: Vec<Trk>,
    pub own: OwnReader,
    scans: bool,
}

impl<'a, 'i, 'l> Document<'a, 'i, 'l> {
    fn new(text: &'a str, intake: &'i mut Intake<'l>, scans: bool) -> Self {
        Document {
            cursor: Cursor::new(text, intake.limits().xml_depth).ranked(super::grammar::rank),
            points: PointReader::new(super::grammar::node, super::grammar::rank),
            intake,
            file: File::default(),
            tracks: Vec::new(),
            own: OwnReader::default(),
            scans,
        }
    }

    fn document(&mut self) -> Result<()> {
        let mut found = false;
        // A second document right behind the first one holds further tracks; some files close the first one too early.
        while let Some(tag) = self.cursor.child(0) {
            if tag.name.eq_ignore_ascii_case("gpx") {
                found = true;
                self.gpx(&tag)?;
            } else if found {
                self.track_or_part(&tag)?;
            }
        }
        if found { Ok(()) } else { Err(Error::malformed(Place::byte(0).element("gpx"), "there is no gpx element")) }
    }

    fn gpx(&mut self, gpx: &Tag<'a>) -> Result<()> {
        if let Some(creator) = gpx.attribute("creator").and_then(|text| xml::clean(&text)) {
            self.file.creator.get_or_insert(creator);
        }
        self.points.set_own_prefix(xml::prefix_of(gpx, own::NAMESPACE));
        while let Some(tag) = self.cursor.child(gpx.level) {
            match tag.name {
                "trk" | "trkseg" | "trkpt" => self.track_or_part(&tag)?,
                "wpt" => {
                    let waypoint = self.waypoint(&tag);
                    self.file.waypoints.extend(waypoint);
                }
                "rte" => self.file.routes += 1,
                "metadata" => {
                    while let Some(child) = self.cursor.child(tag.level) {
                        self.about(&child);
                    }
                }
                _ => self.about(&tag),
            }
        }
        Ok(())
    }

    /// One element of `metadata`; GPX 1.0 has them right under `gpx`.
    fn about(&mut self, tag: &Tag<'a>) {
        match tag.name {
            "name" => self.file.name = self.words(tag).or(self.file.name.take()),
            "desc" => self.file.description = self.words(tag).or(self.file.description.take()),
            "time" => {
                let time = self.cursor.text(tag).and_then(|text| xml::instant(text.as_bytes()));
                self.file.created = time.map(|instant| instant.ms).or(self.file.created);
            }
            "extensions" => {
                let mut info = std::mem::take(&mut self.file.info);
                self.extensions(tag, &mut info);
                self.file.info = info;
            }
            "bounds" => {}                          // the samples say it
            "author" if self.points.has_own() => {} // as are the devices in our own words
            _ => self.cursor.leave_out(tag),
        }
    }

    /// A track, or what an end tag too much has cut off from the track before.
    fn track_or_part(&mut self, tag: &Tag<'a>) -> Result<()> {
        if tag.name == "trk" {
            return self.trk(tag);
        }
        if !matches!(tag.name, "trkseg" | "trkpt") {
            return Ok(());
        }
        let mut trk = self.tracks.pop().unwrap_or_default();
        let result = if tag.name == "trkseg" { self.segment(tag, &mut trk) } else { self.point(tag, &mut trk) };
        self.tracks.push(trk);
        result
    }

    fn trk(&mut self, trk_tag: &Tag<'a>) -> Result<()> {
        let damage = self.cursor.damage();
        // Our own files hold one activity, with one track a leg.
        let mut trk = match self.tracks.pop_if(|trk| trk.own.found()) {
            Some(first) => first,
            None => Trk { own: std::mem::take(&mut self.own), ..Trk::default() },
        };
        let result = self.trk_children(trk_tag, &mut trk);
        trk.damaged |= self.cursor.damage() > damage || self.cursor.is_cut();
        let marks = trk.pause_marks;
        trk.notes.add_many(PAUSE_MARKS, marks, Place::NOWHERE, || {
            format!("{marks} points with latitude 100 or 200 mark pauses and are no samples")
        });
        self.tracks.push(trk);
        result
    }

    fn trk_children(&mut self, trk_tag: &Tag<'a>, trk: &mut Trk) -> Result<()> {
        while let Some(tag) = self.cursor.child(trk_tag.level) {
            match tag.name {
                "trkseg" => self.segment(&tag, trk)?,
                "trkpt" => self.point(&tag, trk)?,
                "name" | "Name" => trk.name = self.words(&tag).or(trk.name.take()),
                "desc" => trk.description = self.words(&tag).or(trk.description.take()),
                "cmt" => trk.comment = self.words(&tag).or(trk.comment.take()),
                "src" => trk.source = self.words(&tag).or(trk.source.take()),
                "type" => trk.sport = self.words(&tag).or(trk.sport.take()),
                "extensions" => {
                    while let Some(child) = self.cursor.child(tag.level) {
                        if child.name == "sample" && self.points.is_own(child.prefix) {
                            trk.own.loose_sample(child.attributes, &mut trk.builder.track);
                        } else {
                            self.extension(&child, &mut trk.info);
                        }
                    }
                }
                "number" => {} // a place in the list
                "link" | "url" | "urlname" => self.cursor.leave_out(&tag),
                _ => self.extension(&tag, &mut trk.info),
            }
        }
        if self.points.has_own() {
            trk.own.end_track(trk.builder.track.len());
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Tag<'a>, trk: &mut Trk) -> Result<()> {
        trk.builder.stop(None);
        self.points.expect(segment.prefix, "trkpt");
        loop {
            if self.scans {
                self.scan(segment.level, trk)?;
            }
            let Some(tag) = self.cursor.child(segment.level) else { break };
            match tag.name {
                "trkpt" => self.point(&tag, trk)?,
                "extensions" => {
                    while let Some(child) = self.cursor.child(tag.level) {
                        // Cluetrust's samples without position.
                        if child.name == "dataPt" {
                            self.point(&child, trk)?;
                        } else {
                            self.cursor.leave_out(&child);
                        }
                    }
                }
                _ => self.cursor.leave_out(&tag),
            }
        }
        Ok(())
    }

    /// Takes as many points as the scanner understands.
    fn scan(&mut self, level: usize, trk: &mut Trk) -> Result<()> {
        let Some(start) = self.cursor.scan_from(level) else { return Ok(()) };
        let mut at = start;
        while let Some(end) = self.points.scan(self.cursor.source(), at) {
            at = end;
            self.take(trk)?;
        }
        if at > start {
            self.cursor.pass(at);
        }
        Ok(())
    }

    fn point(&mut self, tag: &Tag<'a>, trk: &mut Trk) -> Result<()> {
        let whole = self.points.read(&mut self.cursor, tag, &mut trk.notes);
        if whole || self.points.point.time.is_some() {
            self.take(trk)?;
        }
        Ok(())
    }

    /// Takes the point that was read last.
    fn take(&mut self, trk: &mut Trk) -> Result<()> {
        let point = &self.points.point;
        if point.lat == PAUSE_LATITUDE || point.lat == RESUME_LATITUDE {
            trk.pause_marks += 1;
            let time = point.time.map(|instant| instant.ms);
            match time {
                Some(ms) if point.lat == RESUME_LATITUDE => trk.builder.start(ms),
                _ => trk.builder.stop(time),
            }
            return Ok(());
        }
        if point.time.is_none() && point.is_bare() {
            return Ok(()); // nothing was recorded in it
        }
        let source = self.cursor.source();
        trk.builder
            .add(point, &self.points.extras, self.intake.limits())
            .map_err(|error| error.at(xml::place(source, point.at, "trkpt")))?;
        if let Some(raw) = point.own.clone().and_then(|range| source.get(range)) {
            trk.own.sample(raw, &mut trk.builder.track);
        }
        Ok(())
    }

    fn waypoint(&mut self, wpt: &Tag<'a>) -> Option<Waypoint> {
        let coordinate = |name| match wpt.attribute(name).map(|text| xml::number(text.as_bytes())) {
            Some(Number::Value(value)) => Some(value),
            _ => None,
        };
        let (lat, lon) = (coordinate("lat")?, coordinate("lon")?);
        let mut waypoint = Waypoint { lat, lon, ..Waypoint::default() };
        let mut comment = None;
        while let Some(tag) = self.cursor.child(wpt.level) {
            match tag.name {
                "name" => waypoint.name = self.words(&tag),
                "desc" => waypoint.description = self.words(&tag),
                "cmt" => comment = self.words(&tag),
                "sym" => waypoint.symbol = self.words(&tag),
                "ele" => waypoint.altitude = self.number(&tag),
                "time" => {
                    let time = self.cursor.text(&tag).and_then(|text| xml::instant(text.as_bytes()));
                    waypoint.time = time.map(|instant| instant.ms);
                }
                _ => self.cursor.leave_out(&tag),
            }
        }
        waypoint.description = both(waypoint.description, comment);
        Some(waypoint)
    }

    /// The words of an element; `None` when they are empty or cut off.
    pub(super) fn words(&mut self, tag: &Tag<'a>) -> Option<String> {
        self.cursor.text(tag).and_then(|text| xml::clean(&text))
    }

    /// The number in an element; `None` when there is none.
    pub(super) fn number(&mut self, tag: &Tag<'a>) -> Option<f64> {
        match xml::number(self.cursor.text(tag)?.as_bytes()) {
            Number::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// A description and a comment as one text, unless they say the same.
pub(super) fn both(description: Option<String>, comment: Option<String>) -> Option<String> {
    match (description, comment) {
        (Some(description), Some(comment)) if description != comment => Some(format!("{description}\n{comment}")),
        (description, comment) => description.or(comment),
    }
}
