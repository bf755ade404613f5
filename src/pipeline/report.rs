//! What became of each source and of the whole run: the `source` and `run` lines of the JSON contract.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::error::{Error, Kind};
use crate::exports::{Export, Role};
use crate::ids::Digest;
use crate::report::{Note, Notes};

/// What became of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Read whole.
    Read,
    /// Damaged: a part could be read.
    Partial,
    /// The same content as a source that was read.
    Duplicate,
    /// No activity inside, or nothing that this program reads.
    Skipped,
    /// Nothing could be read.
    Failed,
}

impl Outcome {
    /// The word of the JSON contract.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Read => "read",
            Outcome::Partial => "partial",
            Outcome::Duplicate => "duplicate",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
        }
    }
}

/// One `source` line.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// Always `source`.
    pub kind: &'static str,
    /// Name, `archive!/member` inside archives.
    pub source: String,
    /// Digest of the content after gunzip, when it could be loaded.
    pub sha256: Option<Digest>,
    /// Format id, when recognised.
    pub format: Option<&'static str>,
    /// What became of it.
    pub outcome: Outcome,
    /// Activities it gave.
    pub activities: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// Remarks on the source as a whole.
    pub notes: Notes,
    /// The platform in whose export it lies.
    pub platform: Option<&'static str>,
    /// True when a password is missing or wrong.
    #[serde(skip)]
    pub encrypted: bool,
}

impl SourceReport {
    pub(super) fn new(name: &str, digest: Option<Digest>, outcome: Outcome) -> SourceReport {
        SourceReport {
            kind: "source",
            source: name.to_owned(),
            sha256: digest,
            format: None,
            outcome,
            activities: 0,
            error: None,
            notes: Notes::new(),
            platform: None,
            encrypted: false,
        }
    }

    /// Why nothing was read of it: what it holds instead of activities, in words.
    pub fn reason(&self) -> &str {
        let says_why = |note: &&Note| note.code.starts_with("source.");
        let note = self.notes.iter().find(says_why).or_else(|| self.notes.iter().next());
        note.map_or("no reason", |note| note.detail.as_str())
    }

    pub(super) fn failed(name: &str, error: &Error) -> SourceReport {
        let encrypted = error.kind() == Kind::Encrypted;
        SourceReport { error: Some(error.to_string()), encrypted, ..SourceReport::new(name, None, Outcome::Failed) }
    }

    /// An archive that is damaged itself: nobody knows what it held besides the members that were found.
    pub(super) fn damaged(name: &str, notes: &Notes) -> SourceReport {
        SourceReport { notes: notes.clone(), ..SourceReport::new(name, None, Outcome::Partial) }
    }
}

/// One platform's export among the sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// Platform id, for instance `strava`.
    pub platform: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Folder or archive that it lies in; empty for the folder that all names start in.
    pub root: String,
    /// Its kind or generation, in words.
    pub generation: String,
    /// Sources that gave activities, or are known to.
    pub recordings: u64,
    /// Tables that tell of them.
    pub tables: u64,
    /// Sources that could not be read, wholly or in part.
    pub damaged: u64,
    /// Sources that no password, or a wrong one, was given for.
    pub encrypted: u64,
    /// What else is in it and is passed over: kind → how many.
    pub ignored: BTreeMap<String, u64>,
}

impl ExportReport {
    pub(super) fn of(export: &Export) -> ExportReport {
        ExportReport {
            platform: export.platform.id,
            name: export.platform.name,
            root: export.root.clone(),
            generation: export.generation.to_owned(),
            recordings: 0,
            tables: 0,
            damaged: 0,
            encrypted: 0,
            ignored: BTreeMap::new(),
        }
    }

    /// Counts one of its sources.
    pub(super) fn count(&mut self, source: &SourceReport, role: Role) {
        match (source.outcome, role) {
            (Outcome::Failed, _) if source.encrypted => self.encrypted += 1,
            (Outcome::Failed, _) => self.damaged += 1,
            (Outcome::Read | Outcome::Partial | Outcome::Duplicate, role) => {
                self.damaged += u64::from(source.outcome == Outcome::Partial);
                *if role == Role::Table { &mut self.tables } else { &mut self.recordings } += 1;
            }
            (Outcome::Skipped, _) => *self.ignored.entry(source.reason().to_owned()).or_default() += 1,
        }
    }
}

/// The `run` line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunReport {
    /// Always `run`.
    #[serde(serialize_with = "run_kind")]
    pub kind: (),
    /// Sources met; the five outcomes add up to it.
    pub sources: u64,
    /// Sources read whole.
    pub read: u64,
    /// Sources read in part.
    pub partial: u64,
    /// Sources with the content of another one.
    pub duplicate: u64,
    /// Sources without an activity.
    pub skipped: u64,
    /// Sources of which nothing could be read.
    pub failed: u64,
    /// Activities read.
    pub activities: u64,
    /// Different workouts among them.
    pub clusters: u64,
    /// Activities that were merged into another one.
    pub merged: u64,
    /// Pairs that may be the same workout.
    pub unsure: u64,
    /// Activities known from before of which more files tell now.
    pub completed: u64,
    /// Bytes read, after gunzip.
    pub bytes: u64,
    /// Wall time; filled by the caller, the library has no clock.
    pub seconds: f64,
    /// Exports of platforms that were recognised.
    pub exports: Vec<ExportReport>,
    /// Remarks on the walk through folders and archives: what was passed over or found damaged.
    pub notes: Notes,
}

fn run_kind<S: Serializer>(_: &(), s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str("run")
}

impl RunReport {
    /// Counts sources by outcome, and their activities.
    pub fn of(sources: &[SourceReport], bytes: u64) -> RunReport {
        let count = |outcome| sources.iter().filter(|s| s.outcome == outcome).count() as u64;
        RunReport {
            sources: sources.len() as u64,
            read: count(Outcome::Read),
            partial: count(Outcome::Partial),
            duplicate: count(Outcome::Duplicate),
            skipped: count(Outcome::Skipped),
            failed: count(Outcome::Failed),
            activities: sources.iter().map(|s| s.activities).sum(),
            bytes,
            ..RunReport::default()
        }
    }

    /// True when every source was read whole, is a duplicate or was rightly passed over.
    pub fn is_clean(&self) -> bool {
        self.failed == 0 && self.partial == 0
    }
}
