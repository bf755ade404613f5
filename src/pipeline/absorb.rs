//! Histories among the inputs of an import: taken over as they are, nothing is read again.

use std::collections::HashSet;

use super::report::{Outcome, SourceReport};
use super::told::Told;
use crate::error::Result;
use crate::formats;
use crate::history::{History, Writer};
use crate::ids::Digest;
use crate::model::Summary;
use crate::source::Input;

/// What was taken over.
#[derive(Default)]
pub(super) struct Absorbed {
    /// One report an original.
    pub sources: Vec<SourceReport>,
    /// How many activities of new originals.
    pub new: usize,
    /// Bytes of new originals.
    pub bytes: u64,
    /// What they say of activities that are known already, where it may be more.
    pub others: Vec<Summary>,
}

/// The inputs that are histories, opened, and the others.
///
/// # Errors
/// `History` when a folder is a history of an unknown version.
pub(super) fn split(inputs: &[Input]) -> Result<(Vec<History>, Vec<Input>)> {
    let (mut histories, mut others) = (Vec::new(), Vec::new());
    for input in inputs {
        match input {
            Input::Path(path) if History::is_at(path) => histories.push(History::open(path)?),
            _ => others.push(input.clone()),
        }
    }
    Ok((histories, others))
}

impl Absorbed {
    /// Puts a history into the writer; without one (a dry run) only says what is new, after `has`. New activities are `told`.
    ///
    /// # Errors
    /// `Io` and `History` when an original of the other history cannot be copied or is damaged.
    pub fn take(
        &mut self,
        other: &History,
        writer: Option<&mut Writer>,
        mut told: Option<&mut Told>,
        has: &dyn Fn(&Digest) -> bool,
    ) -> Result<()> {
        let new: HashSet<Digest> = match writer {
            Some(writer) => writer.absorb(other)?,
            None => other.digests().filter(|digest| !has(digest)).collect(),
        };
        let first = self.sources.len();
        for original in other.originals() {
            let original = original?;
            let is_new = new.contains(&original.digest);
            self.bytes += if is_new { original.bytes } else { 0 };
            self.sources.push(SourceReport {
                format: formats::by_id(&original.format),
                activities: if is_new { original.activities } else { 0 },
                ..SourceReport::new(
                    format!("{}/{}", other.root().display(), original.path),
                    Some(original.digest),
                    if is_new { Outcome::Read } else { Outcome::Duplicate },
                )
            });
        }
        if let Some(of_this) = self.sources.get_mut(first..) {
            of_this.sort_by(|a, b| a.source.cmp(&b.source));
        }
        for activity in other.activities() {
            let summary = activity.summary()?;
            if new.contains(&summary.sha256) {
                self.new += 1;
                told.as_mut().map_or(Ok(()), |told| told.add(&summary))?;
            } else if !summary.companions.is_empty() {
                self.others.push(summary);
            }
        }
        Ok(())
    }
}
