//! What became of each source and of the whole run: the `source` and `run` lines of the JSON contract.

use serde::{Serialize, Serializer};

use crate::ids::Digest;
use crate::report::Notes;

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
    /// Bytes read, after gunzip.
    pub bytes: u64,
    /// Wall time; filled by the caller, the library has no clock.
    pub seconds: f64,
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
