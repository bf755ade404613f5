//! What became of each source and of the whole run: the `source` and `run` lines of the JSON contract.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::error::{Error, Kind};
use crate::exports::{Export, Platform, Role};
use crate::formats::Format;
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
#[derive(Debug, Clone)]
pub struct SourceReport {
    /// Name, `archive!/member` inside archives.
    pub source: Arc<str>,
    /// Digest of the content after gunzip, when it could be loaded.
    pub sha256: Option<Digest>,
    /// Format, when recognised.
    pub format: Option<&'static Format>,
    /// What became of it.
    pub outcome: Outcome,
    /// Activities it gave.
    pub activities: u32,
    /// The platform in whose export it lies.
    pub platform: Option<&'static Platform>,
    /// What few have: a run may meet a million sources.
    pub(super) rare: Option<Arc<Rare>>,
}

/// What is said of few sources, or of many the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rare {
    error: Option<String>,
    encrypted: bool,
    notes: Notes,
}

const NO_NOTES: &Notes = &Notes::new();

impl SourceReport {
    pub(super) fn new(name: impl Into<Arc<str>>, digest: Option<Digest>, outcome: Outcome) -> SourceReport {
        SourceReport {
            source: name.into(),
            sha256: digest,
            format: None,
            outcome,
            activities: 0,
            platform: None,
            rare: None,
        }
    }

    pub(super) fn failed(name: impl Into<Arc<str>>, error: &Error) -> SourceReport {
        let encrypted = error.kind() == Kind::Encrypted;
        let rare = Rare { error: Some(error.to_string()), encrypted, notes: Notes::new() };
        SourceReport { rare: Some(Arc::new(rare)), ..SourceReport::new(name, None, Outcome::Failed) }
    }

    /// An archive that is damaged itself: nobody knows what it held besides the members that were found.
    pub(super) fn damaged(name: impl Into<Arc<str>>, notes: &Notes) -> SourceReport {
        SourceReport::new(name, None, Outcome::Partial).with_notes(notes.clone())
    }

    pub(super) fn with_notes(self, notes: Notes) -> SourceReport {
        let rare = (!notes.is_empty()).then(|| Arc::new(Rare { notes, ..Rare::default() }));
        SourceReport { rare, ..self }
    }

    /// Takes no memory of its own for what is said of another one, too.
    pub(super) fn share(&mut self, said: &mut Said) {
        let Some(rare) = &mut self.rare else { return };
        match said.0.iter().find(|said| *said == rare) {
            Some(said) => *rare = said.clone(),
            None => said.0.push(rare.clone()),
        }
        let more = said.0.len().saturating_sub(Said::MOST);
        said.0.drain(..more);
    }

    /// True when there is more to say of it than that it was read whole, or known.
    pub fn has_more(&self) -> bool {
        !matches!(self.outcome, Outcome::Read | Outcome::Duplicate) || self.rare.is_some()
    }

    /// Why it failed.
    pub fn error(&self) -> Option<&str> {
        self.rare.as_ref()?.error.as_deref()
    }

    /// Remarks on the source as a whole.
    pub fn notes(&self) -> &Notes {
        self.rare.as_ref().map_or(NO_NOTES, |rare| &rare.notes)
    }

    /// True when a password is missing or wrong.
    pub fn is_encrypted(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.encrypted)
    }

    /// Why nothing was read of it: what it holds instead of activities, in words.
    pub fn reason(&self) -> &str {
        let says_why = |note: &&Note| note.code.starts_with("source.");
        let note = self.notes().iter().find(says_why).or_else(|| self.notes().iter().next());
        note.map_or("no reason", |note| note.detail.as_str())
    }
}

impl Serialize for SourceReport {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            kind: &'static str,
            source: &'a str,
            sha256: Option<Digest>,
            format: Option<&'static str>,
            outcome: Outcome,
            activities: u32,
            error: Option<&'a str>,
            notes: &'a Notes,
            platform: Option<&'static str>,
        }
        let SourceReport { sha256, outcome, activities, .. } = *self;
        let (format, platform) = (self.format.map(|format| format.id), self.platform.map(|platform| platform.id));
        let (error, notes) = (self.error(), self.notes());
        Line { kind: "source", source: &self.source, sha256, format, outcome, activities, error, notes, platform }
            .serialize(s)
    }
}

/// What was last said of sources that is rare: of those that are passed over most say the same.
#[derive(Default)]
pub(super) struct Said(Vec<Arc<Rare>>);

impl Said {
    const MOST: usize = 16;
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
            (Outcome::Failed, _) if source.is_encrypted() => self.encrypted += 1,
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
            activities: sources.iter().map(|s| u64::from(s.activities)).sum(),
            bytes,
            ..RunReport::default()
        }
    }

    /// True when every source was read whole, is a duplicate or was rightly passed over.
    pub fn is_clean(&self) -> bool {
        self.failed == 0 && self.partial == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use crate::report::Code;

    #[test]
    fn a_report_is_small_and_what_many_say_is_there_once() {
        assert!(size_of::<SourceReport>() <= 80, "archives of a million members exist");
        let skipped = |why: &str| {
            let mut notes = Notes::new();
            notes.add(Code::info("source.passed_over"), Place::NOWHERE, || why);
            SourceReport::new("a", None, Outcome::Skipped).with_notes(notes)
        };
        let mut said = Said::default();
        let mut all: Vec<SourceReport> = (0..100).map(|i| skipped(["media", "account data"][i % 2])).collect();
        all.iter_mut().for_each(|report| report.share(&mut said));
        assert!(
            all.iter()
                .zip(&all[2..])
                .all(|(a, b)| a.rare.as_ref().map(Arc::as_ptr) == b.rare.as_ref().map(Arc::as_ptr))
        );
        assert_eq!([all[98].reason(), all[99].reason()], ["media", "account data"]);
        (0..100).for_each(|i| skipped(&i.to_string()).share(&mut said));
        assert_eq!(said.0.len(), Said::MOST);
    }
}
