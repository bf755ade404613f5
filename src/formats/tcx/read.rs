//! Walks through a TCX document.

use crate::error::{Error, Place, Result};
use crate::formats::Intake;
use crate::formats::own::{self, OwnReader};
use crate::formats::xml::{self, Builder, Cursor, Number, PointReader, Step, Tag};
use crate::model::time::{self, Instant};
use crate::model::{Device, Lap, Session, Sport, SubSport, Totals, parse_sport};
use crate::report::{Code, Notes};

const LEFT_OUT: Code = Code::info("tcx.left_out");
pub(super) const DATE: Code = Code::warning("tcx.date");

/// 1990-01-01 and 2100-01-01: other years in a file are broken clocks or broken arithmetic.
const SANE_MS: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;

/// Reads a TCX document: each `Activity` is an activity, a `MultiSportSession` is one with its legs as sessions.
/// Courses and workouts are none; the intake is told what they are.
///
/// # Errors
/// `Malformed` when there is no element of TCX in it, `Limit` when an activity has too many samples.
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
    let mut document = Document {
        cursor: Cursor::new(&text, intake.limits().xml_depth).ranked(super::grammar::rank),
        points: PointReader::new(super::grammar::node, super::grammar::rank),
        intake,
        author: None,
        activities: Vec::new(),
        courses: 0,
        workouts: 0,
        scans,
    };
    document.walk()?;
    document.finish()
}

/// One activity in the making: an `Activity`, or all of a `MultiSportSession`.
#[derive(Default)]
pub(super) struct Activity {
    pub builder: Builder,
    pub laps: Vec<Lap>,
    pub sessions: Vec<Session>,
    pub starts: Vec<i64>,
    pub sport: Sport,
    pub sub_sport: Option<SubSport>,
    pub sport_label: Option<String>,
    pub words: Vec<String>,
    pub device: Option<Device>,
    pub totals: Totals,
    pub notes: Notes,
    pub damaged: bool,
    pub time_only: u64,
    pub resets: u64,
    /// Added to distances as written; grows when they begin anew.
    pub distance_offset: f64,
    /// The last distance as written.
    pub distance: f64,
    /// True when the entry read last was a pause mark.
    pub after_mark: bool,
    /// Elements of the `paceport` namespace.
    pub own: OwnReader,
}

/// A document on its way through the reader.
pub(super) struct Document<'a, 'i, 'l> {
    pub cursor: Cursor<'a>,
    pub points: PointReader,
    pub intake: &'i mut Intake<'l>,
    author: Option<String>,
    activities: Vec<Activity>,
    courses: u64,
    workouts: u64,
    pub scans: bool,
}

impl<'a> Document<'a, '_, '_> {
    fn walk(&mut self) -> Result<()> {
        let mut elements = 0u64;
        loop {
            let tag = match self.cursor.step() {
                Step::Open(tag) => tag,
                Step::End if elements == 0 => {
                    return Err(Error::malformed(Place::byte(0), "there is no element of TCX"));
                }
                Step::End => return Ok(()),
                _ => continue,
            };
            elements += 1;
            if elements == 1 {
                self.points.set_own_prefix(xml::prefix_of(&tag, own::NAMESPACE));
            }
            match tag.name {
                // `Run` is what v1 calls an activity.
                "Activity" | "Run" => self.single(&tag)?,
                "MultiSportSession" => self.multisport(&tag)?,
                "Author" => {
                    while let Some(child) = self.cursor.child(tag.level) {
                        if child.name == "Name" {
                            self.author = self.words(&child).or(self.author.take());
                        }
                    }
                }
                "Course" => {
                    self.courses += 1;
                    self.pass(&tag);
                }
                "Workout" => {
                    self.workouts += 1;
                    self.pass(&tag);
                }
                _ => {}
            }
        }
    }

    /// Passes an element over.
    fn pass(&mut self, tag: &Tag<'a>) {
        while self.cursor.child(tag.level).is_some() {}
    }

    fn single(&mut self, tag: &Tag<'a>) -> Result<()> {
        let damage = self.cursor.damage();
        let mut activity = self.activities.pop_if(|activity| activity.own.found()).unwrap_or_default();
        let folder = self.folder_sport();
        let result = self.activity(tag, folder, &mut activity);
        if let Some(session) = activity.sessions.first() {
            (activity.sport, activity.sub_sport) = (session.sport, session.sub_sport);
        }
        activity.damaged |= self.cursor.damage() > damage || self.cursor.is_cut();
        self.activities.push(activity);
        result
    }

    fn multisport(&mut self, session: &Tag<'a>) -> Result<()> {
        let damage = self.cursor.damage();
        let mut activity = Activity { sport: Sport::MULTISPORT, ..Activity::default() };
        let result = self.legs(session, &mut activity);
        activity.damaged |= self.cursor.damage() > damage || self.cursor.is_cut();
        self.activities.push(activity);
        result
    }

    fn legs(&mut self, session: &Tag<'a>, activity: &mut Activity) -> Result<()> {
        while let Some(tag) = self.cursor.child(session.level) {
            match tag.name {
                "Id" => self.id(&tag, activity),
                "Notes" => activity.words.extend(self.words(&tag)),
                "FirstSport" | "NextSport" => {
                    while let Some(leg) = self.cursor.child(tag.level) {
                        match leg.name {
                            "Activity" | "Run" => {
                                let word = tag.attribute("Sport").map(|text| text.into_owned());
                                self.activity(&leg, word, activity)?;
                            }
                            "Transition" => self.transition(&leg, activity)?,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An `Activity`: one leg of the recording. `outside` is the sport that stands around it, as version 1 has it.
    fn activity(&mut self, activity_tag: &Tag<'a>, outside: Option<String>, activity: &mut Activity) -> Result<()> {
        let word = activity_tag.attribute("Sport").map(|text| text.into_owned()).or(outside);
        let first_lap = activity.laps.len();
        let mut session = Session { first_lap: u16::try_from(first_lap).ok(), ..Session::default() };
        match word.as_deref().and_then(parse_sport) {
            Some((sport, sub_sport)) => (session.sport, session.sub_sport) = (sport, sub_sport),
            None => activity.sport_label = word.and_then(|word| xml::clean(&word)).or(activity.sport_label.take()),
        }
        activity.builder.forget_stop();
        activity.after_mark = false;
        let result = self.activity_children(activity_tag, activity, &mut session, first_lap);
        activity.end_session(session, first_lap);
        result
    }

    fn activity_children(
        &mut self,
        outer: &Tag<'a>,
        activity: &mut Activity,
        session: &mut Session,
        first_lap: usize,
    ) -> Result<()> {
        while let Some(tag) = self.cursor.child(outer.level) {
            match tag.name {
                "Id" => self.id(&tag, activity),
                "Lap" => self.lap(&tag, activity)?,
                "Track" | "Trackpoint" => self.beside_laps(&tag, activity, first_lap)?,
                "Notes" => activity.words.extend(self.words(&tag)),
                "Training" => self.training(&tag, session),
                "Creator" => {
                    let device = self.device(&tag);
                    activity.device = activity.device.take().or(device);
                }
                "Extensions" => {
                    while let Some(group) = self.cursor.child(tag.level) {
                        if self.points.is_own(group.prefix) {
                            self.own_element(&group, activity);
                        } else {
                            self.statistics(&group, &mut session.totals);
                        }
                    }
                }
                _ => self.cursor.leave_out(&tag),
            }
        }
        Ok(())
    }

    /// What our own files say about the whole.
    fn own_element(&mut self, whole: &Tag<'a>, activity: &mut Activity) {
        activity.own.element(whole.name, whole.attributes);
        while let Some(part) = self.cursor.child(whole.level) {
            activity.own.element(part.name, part.attributes);
        }
    }

    /// A `Transition`: a lap between two legs, and a leg of its own.
    fn transition(&mut self, tag: &Tag<'a>, activity: &mut Activity) -> Result<()> {
        let first_lap = activity.laps.len();
        activity.builder.forget_stop();
        activity.after_mark = false;
        let result = self.lap(tag, activity);
        if let Some(lap) = activity.laps.last_mut() {
            lap.sport = Some(Sport::TRANSITION);
        }
        let session =
            Session { sport: Sport::TRANSITION, first_lap: u16::try_from(first_lap).ok(), ..Session::default() };
        activity.end_session(session, first_lap);
        result
    }

    /// Version 1 states the sport as the folder.
    fn folder_sport(&self) -> Option<String> {
        self.cursor.ancestors().find(|name| matches!(*name, "Running" | "Biking" | "Other")).map(str::to_owned)
    }

    fn id(&mut self, tag: &Tag<'a>, activity: &mut Activity) {
        // Not always a date: rowing programs write a device id in front of it.
        let Some(text) = self.words(tag) else { return };
        if let Some(instant) = xml::instant(text.as_bytes()) {
            activity.begin(self.cursor.source(), tag, instant);
        }
    }

    fn training(&mut self, training: &Tag<'a>, session: &mut Session) {
        while let Some(plan) = self.cursor.child(training.level) {
            if plan.name == "Plan" {
                while let Some(tag) = self.cursor.child(plan.level) {
                    if tag.name == "Name" {
                        session.name = self.words(&tag);
                    }
                }
            }
        }
    }

    fn device(&mut self, creator: &Tag<'a>) -> Option<Device> {
        let mut device = Device::default();
        while let Some(tag) = self.cursor.child(creator.level) {
            match tag.name {
                "Name" => {
                    if let Some(name) = self.words(&tag) {
                        device =
                            Device { serial: device.serial, product_id: device.product_id, ..xml::device_named(&name) };
                    }
                }
                "UnitId" => device.serial = self.words(&tag),
                "ProductID" | "ProductId" => device.product_id = self.number(&tag).map(|number| number as u16),
                "Version" => device.firmware = self.version(&tag),
                _ => {}
            }
        }
        (device != Device::default()).then_some(device)
    }

    /// `VersionMajor.VersionMinor.BuildMajor.BuildMinor`, as far as written.
    fn version(&mut self, version: &Tag<'a>) -> Option<String> {
        let mut parts = Vec::new();
        while let Some(tag) = self.cursor.child(version.level) {
            parts.extend(self.words(&tag));
        }
        (!parts.is_empty()).then(|| parts.join("."))
    }

    fn finish(self) -> Result<()> {
        let Document { cursor, intake, author, activities, courses, workouts, .. } = self;
        intake.notes().extend(cursor.notes);
        let mut emitted = 0;
        for activity in activities {
            if let Some(draft) = super::finish::draft(activity, author.as_deref()) {
                emitted += 1;
                intake.emit(draft)?;
            }
        }
        if emitted == 0 {
            intake.skip(match (courses, workouts) {
                (1.., _) => "course",
                (_, 1..) => "workout",
                _ => "empty",
            });
        } else {
            intake.notes().add_many(LEFT_OUT, courses + workouts, Place::NOWHERE, || {
                format!("{courses} courses and {workouts} workouts are no activities and were left out")
            });
        }
        Ok(())
    }

    /// The words of an element; `None` when they are empty or cut off.
    pub(super) fn words(&mut self, tag: &Tag<'a>) -> Option<String> {
        self.cursor.text(tag).and_then(|text| xml::clean(&text))
    }

    /// The number in an element or in its `Value`; `None` when there is none.
    pub(super) fn number(&mut self, tag: &Tag<'a>) -> Option<f64> {
        match xml::number(self.cursor.all_text(tag)?.as_bytes()) {
            Number::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl Activity {
    /// Remembers a stated start; one outside of sane years becomes a note and false.
    pub(super) fn begin(&mut self, source: &str, tag: &Tag<'_>, instant: Instant) -> bool {
        let Instant { ms, stamp } = instant;
        self.builder.stated(stamp);
        let sane = SANE_MS.contains(&ms);
        if sane {
            self.starts.push(ms);
        } else {
            xml::note(source, &mut self.notes, DATE, tag.at, tag.name, || {
                format!("the year of {} cannot be; the samples say when it was", time::utc(ms))
            });
        }
        sane
    }

    /// Closes a leg whose laps begin at `first_lap`.
    fn end_session(&mut self, mut session: Session, first_lap: usize) {
        let laps = self.laps.get(first_lap..).unwrap_or_default();
        session.start = laps.iter().map(|lap| lap.start).min().unwrap_or_default();
        session.end = laps.iter().map(|lap| lap.end).max().unwrap_or_default();
        session.laps = u16::try_from(laps.len()).ok();
        super::finish::sum(&mut session.totals, laps);
        if !laps.is_empty() {
            self.sessions.push(session);
        }
    }
}
