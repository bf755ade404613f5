//! `Draft`: what a file claims. `Activity`: what we believe. Both hold a `Recording`.

use serde::{Deserialize, Serialize};

use super::parts::{
    Athlete, Device, Event, Lap, Length, Pause, RrInterval, Session, Set, Split, Totals, Waypoint, Zones,
};
use super::sport::{Sport, SubSport};
use super::track::Track;
use crate::ids::{ActivityId, Digest};
use crate::report::Notes;

/// Everything that was recorded of one workout. One multisport recording is ONE recording with several sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The samples.
    pub track: Track,
    /// Laps in time order.
    pub laps: Vec<Lap>,
    /// Legs in time order; empty when the file states none.
    pub sessions: Vec<Session>,
    /// Swim lengths in time order.
    pub lengths: Vec<Length>,
    /// Strength sets in order.
    pub sets: Vec<Set>,
    /// Spans with the timer stopped, in time order.
    pub pauses: Vec<Pause>,
    /// Beat-to-beat intervals in order.
    pub rr: Vec<RrInterval>,
    /// Other marks on the timeline.
    pub events: Vec<Event>,
    /// Splits.
    pub splits: Vec<Split>,
    /// Named places.
    pub waypoints: Vec<Waypoint>,
    /// Sport of the whole.
    pub sport: Sport,
    /// Sub-sport of the whole.
    pub sub_sport: Option<SubSport>,
    /// The sport in the source's own words, when they map to no canonical sport.
    pub sport_label: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Description or notes.
    pub description: Option<String>,
    /// Gear in words.
    pub gear: Option<String>,
    /// Recorder first, then sensors.
    pub devices: Vec<Device>,
    /// Program or platform that wrote the file (GPX `creator`, TCX `Author`).
    pub creator: Option<String>,
    /// Zones and thresholds.
    pub zones: Zones,
    /// Who recorded.
    pub athlete: Athlete,
    /// Totals as the device or platform states them for the whole activity.
    pub stated: Totals,
    /// Start as the source states it, ms (as claimed in a draft, UTC in an activity).
    pub stated_start: Option<i64>,
    /// When the file says it was made (FIT `file_id.time_created`, GPX `metadata/time`), ms. Often an export time.
    pub created: Option<i64>,
    /// A day without clock time (`YYYY-MM-DD`), for workouts of which only the date is known.
    pub day: Option<String>,
    /// Identities that platforms gave it: (platform, id), for instance (`strava`, `1234`).
    pub platform_ids: Vec<(String, String)>,
}

impl Recording {
    /// The recorder, when stated.
    pub fn device(&self) -> Option<&Device> {
        self.devices.first()
    }

    /// Earliest and latest instant of anything timed: samples, laps, sessions, lengths, stated start. ms.
    pub fn span(&self) -> Option<(i64, i64)> {
        let samples = self.track.times();
        let after = |start: i64, seconds: f64| start.saturating_add((seconds * 1000.0) as i64);
        let spans = self
            .laps
            .iter()
            .map(|lap| (lap.start, lap.end))
            .chain(self.sessions.iter().map(|session| (session.start, session.end)))
            .chain(self.lengths.iter().map(|length| (length.start, length.end)))
            .chain(samples.iter().enumerate().filter(|(row, _)| self.track.is_timed(*row)).map(|(_, &t)| (t, t)))
            .chain(
                self.sets
                    .iter()
                    .filter_map(|set| set.start.map(|start| (start, after(start, set.duration_s.unwrap_or(0.0))))),
            )
            .chain(
                self.stated_start
                    .map(|start| (start, after(start, self.stated.elapsed_s.or(self.stated.timer_s).unwrap_or(0.0)))),
            );
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Moves every instant by `ms`.
    pub fn shift(&mut self, ms: i64) {
        if ms == 0 {
            return;
        }
        self.track.times_mut().iter_mut().for_each(|t| *t += ms);
        for lap in &mut self.laps {
            lap.start += ms;
            lap.end += ms;
        }
        for session in &mut self.sessions {
            session.start += ms;
            session.end += ms;
        }
        for length in &mut self.lengths {
            length.start += ms;
            length.end += ms;
        }
        for split in &mut self.splits {
            split.start += ms;
            split.end += ms;
        }
        for pause in &mut self.pauses {
            pause.start += ms;
            pause.end += ms;
        }
        self.sets.iter_mut().filter_map(|set| set.start.as_mut()).for_each(|t| *t += ms);
        self.rr.iter_mut().for_each(|rr| rr.time += ms);
        self.events.iter_mut().for_each(|event| event.time += ms);
        self.waypoints.iter_mut().filter_map(|w| w.time.as_mut()).for_each(|t| *t += ms);
        self.stated_start.iter_mut().for_each(|t| *t += ms);
    }
}

/// How the times of a draft are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Instants marked as UTC (`Z`, FIT seconds).
    #[default]
    Utc,
    /// Instants written with an offset from UTC.
    Offset,
    /// Wall clock without zone; the numbers are the wall time read as if it were UTC.
    Local,
}

/// What a file claims about its clock; `fix::zone` judges it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clock {
    /// How the times are meant.
    pub basis: Basis,
    /// Local offset from UTC that the file or its archive states, seconds.
    pub offset_s: Option<i32>,
    /// Where `offset_s` comes from; `Evidence::None` without one.
    pub evidence: Evidence,
    /// How far the stated offset was from a whole quarter of an hour, seconds.
    pub residual_s: i32,
    /// The wall-clock start that the file name, a companion or the archive states, ms read as if it were UTC.
    pub wall_start: Option<i64>,
    /// The start in UTC that the file name states, or the list of the platform where it proves a wrong clock, ms.
    pub utc_start: Option<i64>,
    /// True for a producer that is known to write local time marked as UTC.
    pub local_as_utc: bool,
}

/// Why a local offset is believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Evidence {
    /// Stated by the file itself.
    Stated,
    /// Metadata of the archive it came in.
    Archive,
    /// Zone polygons at the position and the zone's rules at that instant.
    Position,
    /// Another recording of the same workout.
    Pair,
    /// Another recording of the same period.
    Neighbour,
    /// The user's option.
    User,
    /// No evidence; the offset is unknown.
    #[default]
    None,
}

impl Evidence {
    /// The evidence that the JSON contract calls so.
    pub fn by_name(name: &str) -> Evidence {
        use Evidence::{Archive, Neighbour, None, Pair, Position, Stated, User};
        let all = [Stated, Archive, Position, Pair, Neighbour, User];
        all.into_iter().find(|evidence| evidence.name() == name).unwrap_or(None)
    }

    /// The word of the JSON contract.
    pub fn name(self) -> &'static str {
        match self {
            Evidence::Stated => "stated",
            Evidence::Archive => "archive",
            Evidence::Position => "position",
            Evidence::Pair => "pair",
            Evidence::Neighbour => "neighbour",
            Evidence::User => "user",
            Evidence::None => "none",
        }
    }
}

/// What a file claims: samples in file order, times as written. Readers make drafts; `fix::settle` judges them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// What was recorded.
    pub recording: Recording,
    /// How its times are meant.
    pub clock: Clock,
    /// What the reader has to say about this activity (notes on the whole file go to the intake).
    pub notes: Notes,
    /// False when the source ended early or a part of this activity could not be read.
    pub complete: bool,
    /// Name of the source, when known: some names tell a start or an identity that the content does not.
    pub source: Option<String>,
    /// For a row of a metadata table: the file of the recording that it describes, as the table writes it.
    pub tells_of: Option<String>,
    /// For a row of a metadata table that is a leg: the stable id of its multisport activity, which another part of the table
    /// may have.
    pub leg_of: Option<(String, String)>,
}

impl Draft {
    /// An empty, complete draft.
    pub fn new() -> Draft {
        Draft { complete: true, ..Draft::default() }
    }
}

/// Where an activity comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// Name of the source, for instance `export.zip!/activities/7.fit.gz`.
    pub source: String,
    /// Digest of the source's content after gunzip.
    pub digest: Digest,
    /// Format id of the table, for instance `fit`.
    pub format: String,
    /// Index of the activity inside its source.
    pub index: u32,
    /// Other sources that it was joined or merged from.
    pub companions: Vec<Companion>,
    /// After a merge: channel name → source name, in channel order.
    pub channels: Vec<(String, String)>,
}

impl Origin {
    /// Identity of the activity.
    pub fn id(&self) -> ActivityId {
        ActivityId::of(&self.digest, self.index)
    }
}

/// A further source of an activity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Companion {
    /// Name of the source.
    pub source: String,
    /// Digest of its content.
    #[serde(rename = "sha256")]
    pub digest: Digest,
    /// Format id.
    pub format: String,
    /// Index inside the source.
    pub index: u32,
}

impl Companion {
    /// True when its source is that of one of these.
    pub fn is_among(&self, others: &[Companion]) -> bool {
        others.iter().any(|other| other.digest == self.digest)
    }
}

/// What we believe: times are UTC instants in order, values are plausible. Only `fix::settle` makes one (a test
/// enforces it), so writers, merging and history need no checks of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    recording: Recording,
    /// Local offset of the owner, seconds, with its evidence.
    pub offset_s: Option<i32>,
    /// Why the offset is believed.
    pub evidence: Evidence,
    /// How far the claimed times were moved to become true, ms.
    pub shift_ms: i64,
    /// True when the times are wall-clock times of an unknown zone, kept as if they were UTC ("floating" time).
    pub floating: bool,
    /// Totals computed from the samples.
    pub computed: Totals,
    /// Where it comes from; filled by the pipeline.
    pub origin: Origin,
    /// What is to be said about it.
    pub notes: Notes,
    /// False when a part of it could not be read.
    pub complete: bool,
}

impl Activity {
    /// For `fix` only: declares a recording as settled.
    pub fn settled(recording: Recording, notes: Notes, complete: bool) -> Activity {
        debug_assert!(recording.track.is_ordered(), "settle sorts before it declares");
        Activity {
            recording,
            offset_s: None,
            evidence: Evidence::None,
            shift_ms: 0,
            floating: false,
            computed: Totals::default(),
            origin: Origin::default(),
            notes,
            complete,
        }
    }

    /// Moves every instant by `ms`; their order stays.
    pub fn shift(&mut self, ms: i64) {
        self.recording.shift(ms);
        self.shift_ms += ms;
    }

    /// Takes the recording out, for a change that has to be settled again.
    pub fn into_recording(self) -> Recording {
        self.recording
    }

    /// Start and end, ms UTC: the first and last instant of samples, laps or sessions. `None` for a day-only workout.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.recording.span()
    }

    /// Wall-clock time of an instant: with the local offset when it is known, else UTC.
    pub fn local(&self, ms: i64) -> i64 {
        ms + i64::from(self.offset_s.unwrap_or(0)) * 1000
    }
}

impl std::ops::Deref for Activity {
    type Target = Recording;
    fn deref(&self) -> &Recording {
        &self.recording
    }
}
