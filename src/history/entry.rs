//! What a journal holds: one JSON object a line, told apart by `kind`.
//!
//! | kind | what it says |
//! |---|---|
//! | `batch` | the next `lines` lines were committed together, by this version; `resets` forgets everything before |
//! | `original` | these bytes are kept in this file, under these names |
//! | `alias` | more names of bytes that are kept already |
//! | `activity` | an activity of an original: the activity line of the JSON contract |
//! | `decision` | the owner's word about activities: `accept` or `undo` |
//! | `cluster` | activities that are, or may be, the same workout |
//!
//! Unknown kinds are kept and ignored.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::journal::{self, LineKind};
use super::waiting::{Piece, Waiting};
use crate::error::{Error, Kind, Result};
use crate::ids::{ActivityId, Digest};
use crate::model::Summary;

/// Something to be said in the journal.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// More names of an original that is known (or put in the same batch).
    Alias {
        /// Which original.
        digest: Digest,
        /// Names under which its bytes were met.
        names: Vec<String>,
    },
    /// Activities that are, or may be, the same workout.
    Cluster(Cluster),
    /// The owner's word.
    Decision(Decision),
}

/// An activity as its line will say it. Those of a whole import wait for its end; a line is smaller than a summary, and
/// writing it can be done by many at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityLine {
    /// Stable identity.
    pub id: ActivityId,
    /// Without number and seal.
    pub(super) body: Piece,
}

impl ActivityLine {
    /// The line of a summary.
    ///
    /// # Errors
    /// None in practice: a summary can be written.
    pub fn of(summary: &Summary) -> Result<ActivityLine> {
        let body = Piece::Here(journal::body(LineKind::Activity, summary)?);
        Ok(ActivityLine { id: summary.id, body })
    }

    /// The same, with its text left where it waits for little memory.
    ///
    /// # Errors
    /// `Io` when the text cannot be written.
    pub fn leave(self, waiting: &Waiting) -> Result<ActivityLine> {
        Ok(ActivityLine { body: self.body.leave(waiting)?, ..self })
    }

    /// Its line of the JSON contract.
    ///
    /// # Errors
    /// `Io` when the text cannot be read where it waits.
    pub fn json(&self, waiting: &Waiting) -> Result<Vec<u8>> {
        let mut json = self.body.read(waiting)?;
        json.push(b'}');
        Ok(json)
    }

    /// The summary again.
    ///
    /// # Errors
    /// `Io` when the text cannot be read where it waits.
    pub fn summary(&self, waiting: &Waiting) -> Result<Summary> {
        serde_json::from_slice(&self.json(waiting)?)
            .map_err(|error| Error::new(Kind::Internal, format!("cannot read a journal line: {error}")))
    }
}

/// Whether a cluster is one workout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// One workout; it is listed once.
    Same,
    /// Perhaps one workout; reported, never merged.
    Unsure,
}

/// Activities that are, or may be, the same workout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Whether it is one workout.
    pub verdict: Verdict,
    /// The activity that the others are merged into.
    pub base: ActivityId,
    /// All activities of the cluster, the base among them, in order of identity.
    pub members: Vec<ActivityId>,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Channel name → source name, after a merge.
    #[serde(default)]
    pub origins: BTreeMap<String, String>,
    /// The merged activity; `None` when nothing was merged.
    #[serde(default)]
    pub merged: Option<Box<Summary>>,
    /// What the owner prefers in it, as it was said: `power=zwift`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefer: String,
    /// Merged workouts that the owner's word made one with others: an undo brings them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Cluster>,
}

/// A cluster as its line will say it: a merged summary is much, and a whole import may bring thousands.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterLine {
    pub(super) verdict: Verdict,
    pub(super) base: ActivityId,
    /// In order of identity.
    pub(super) members: Box<[ActivityId]>,
    /// Without number and seal.
    pub(super) body: Piece,
}

impl ClusterLine {
    /// The line of a cluster.
    ///
    /// # Errors
    /// None in practice: a cluster can be written.
    pub fn of(mut cluster: Cluster) -> Result<ClusterLine> {
        cluster.members.sort_unstable();
        cluster.members.dedup();
        let body = Piece::Here(journal::body(LineKind::Cluster, &cluster)?);
        Ok(ClusterLine { verdict: cluster.verdict, base: cluster.base, members: cluster.members.into(), body })
    }

    /// The same, with its text left where it waits for little memory.
    ///
    /// # Errors
    /// `Io` when the text cannot be written.
    pub fn leave(self, waiting: &Waiting) -> Result<ClusterLine> {
        Ok(ClusterLine { body: self.body.leave(waiting)?, ..self })
    }
}

/// What the owner decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// These activities are one workout.
    Accept,
    /// These activities are different workouts, whatever they look like.
    Undo,
}

/// The owner's word about some activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub action: Action,
    /// About which activities, in order of identity.
    pub members: Vec<ActivityId>,
}

/// Source bytes that the history keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// SHA-256 of the content.
    #[serde(rename = "sha256")]
    pub digest: Digest,
    /// File relative to the root, with `/`; one that ends in `.gz` holds the content gzipped.
    pub path: String,
    /// Format id.
    pub format: String,
    /// Length of the content.
    pub bytes: u64,
    /// Length of the file.
    pub stored_bytes: u64,
    /// How many activities the journal says it holds.
    pub activities: u32,
    /// Names under which its bytes were met, sorted.
    pub names: Vec<String>,
    /// Version of the program that read its activities; a line that does not say so was written by that of its batch.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parser: String,
    /// SHA-256 of the gzip stream that the content came as, when it came as one: met again, it need not be inflated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gzip_sha256: Option<Digest>,
    /// True for a line that voids the activities of earlier batches, because the original was read again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reread: bool,
}

/// The same as far as it is always at hand; the rest is only looked at, so that what is a line now can be read later.
#[derive(Deserialize)]
pub(super) struct OriginalHead<'a> {
    #[serde(rename = "sha256")]
    pub digest: Digest,
    #[serde(borrow, rename = "path")]
    _path: Cow<'a, str>,
    #[serde(borrow, rename = "format")]
    _format: Cow<'a, str>,
    #[serde(rename = "bytes")]
    _bytes: u64,
    #[serde(rename = "stored_bytes")]
    _stored_bytes: u64,
    #[serde(rename = "activities")]
    _activities: u32,
    #[serde(borrow, rename = "names")]
    _names: Vec<Cow<'a, str>>,
    #[serde(borrow, default, rename = "parser")]
    _parser: Cow<'a, str>,
    #[serde(default)]
    pub gzip_sha256: Option<Digest>,
    #[serde(default)]
    pub reread: bool,
}

impl Original {
    /// True when its activities were read by an older version than this one, or by one that does not say which it was.
    pub fn is_older(&self) -> bool {
        version(&self.parser).is_none_or(|theirs| Some(theirs) < version(PARSER))
    }
}

/// Version that batches carry: what this program reads out of an original may change with it.
pub(super) const PARSER: &str = env!("CARGO_PKG_VERSION");

/// The numbers of `1.2.3` or `1.2.3-beta.1`; a version that is on trial comes before the one that it becomes.
fn version(text: &str) -> Option<([u64; 3], bool)> {
    let text = text.split('+').next()?;
    let (numbers, trial) = text.split_once('-').map_or((text, false), |(numbers, _)| (numbers, true));
    let mut parts = numbers.split('.').map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some((three, !trial))
}

/// Head of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Batch {
    /// Version of the program that wrote it.
    pub parser: String,
    /// Number of lines that follow and belong to it.
    pub lines: usize,
    /// True when everything before it is void (a rebuilt journal).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resets: bool,
}

/// More names of an original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alias {
    /// Which original.
    #[serde(rename = "sha256")]
    pub digest: Digest,
    /// Further names, sorted.
    pub names: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_looked_at_as_it_would_be_read() {
        let (digest, stream) = (Digest([0xa7; 32]), Digest([0x1c; 32]));
        let original = |gzip_sha256, names: &[&str], reread| Original {
            digest,
            path: "originals/2024/05/\"a\".gpx.gz".to_owned(),
            format: "gpx".to_owned(),
            bytes: 1 << 40,
            stored_bytes: 7,
            activities: 2,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            parser: PARSER.to_owned(),
            gzip_sha256,
            reread,
        };
        for (gzip, names, reread) in [(None, &[][..], false), (Some(stream), &["a \\ b", "c"], true)] {
            let line = journal::body(LineKind::Original, &original(gzip, names, reread)).unwrap();
            let line = String::from_utf8([&line, &b",\"n\":1,\"crc\":\"00000000\"}"[..]].concat()).unwrap();
            let head: OriginalHead<'_> = serde_json::from_str(&line).unwrap();
            assert_eq!((head.digest, head.gzip_sha256, head.reread), (digest, gzip, reread));
            let odd = [
                ("\"bytes\":1", "\"bytes\":-1"),
                ("\"bytes\":", "\"bytes\":0"),
                ("names\":[", "names\":[7,"),
                ("],\"parser", ",7],\"parser"),
                ("],\"parser", ",\"a\"b\"],\"parser"),
                ("path\":", "way\":"),
                ("path\":", "path\":\"x\",\"path\":"),
                ("\"parser\":", "\"parser\":7,\"by\":"),
                ("\"format\":\"", "\"format\":\"\u{7}"),
                ("\"n\":1", "\"n\":one"),
                ("00\"}", "00\"}{}"),
            ];
            // What could not be read later is none at once: then `verify` tells of it, and the original is read again.
            for (text, other) in odd {
                let odd = line.replace(text, other);
                assert!(odd != line && serde_json::from_str::<OriginalHead<'_>>(&odd).is_err(), "{odd}");
            }
        }
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let rising = ["0.0.9", "0.1.0-beta.2", "0.1.0", "0.1.10+build.7", "0.10.0", "1.0.0"];
        let versions: Vec<_> = rising.iter().map(|text| version(text).unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        for odd in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.x", "-1.2.3"] {
            assert_eq!(version(odd), None, "{odd}");
        }
        assert!(version(PARSER).is_some());
    }
}
