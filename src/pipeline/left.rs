//! What the jobs of an import leave for its end: a few at hand, many where texts wait.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::group::{AT_HAND, Fresh};
use crate::dedupe::Fingerprint;
use crate::error::Result;
use crate::fix::zone::{Claim, Correction};
use crate::history::{ActivityLine, Text, Waiting};

/// A new activity, until the end of the run: its line, its fingerprint, and what it says of its time.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct New {
    pub line: ActivityLine,
    pub claim: Option<Claim>,
    /// `None` when it has to be taken again, or is not wanted.
    pub fresh: Option<Fresh>,
}

impl New {
    /// A moved activity loses its fingerprint: it is taken again, from the original.
    pub fn correct(&mut self, correction: &Correction, waiting: &Waiting) -> Result<()> {
        let mut summary = self.line.summary(waiting)?;
        correction.apply_to_summary(&mut summary);
        self.line = ActivityLine::of(&summary)?.leave(waiting)?;
        if let Some(fresh) = self.fresh.take() {
            self.fresh = fresh.corrected(correction, waiting)?;
        }
        Ok(())
    }
}

/// The new activities of one job.
pub(super) enum Left {
    Here(Box<[New]>),
    /// As one text.
    There(Text),
}

impl Left {
    pub fn news(&self, waiting: &Waiting) -> Result<Cow<'_, [New]>> {
        let text = match self {
            Left::Here(here) => return Ok(Cow::Borrowed(here)),
            Left::There(text) => text,
        };
        waiting.read_json(*text).map(Cow::Owned)
    }
}

/// How many new activities were left so far, and the fingerprints that are at hand, by the lines that keep them.
#[derive(Default)]
pub(super) struct AtHand(Mutex<(usize, HashMap<Text, Box<Fingerprint>>)>);

impl AtHand {
    /// Leaves the activities of a job. Fingerprints of more than a few are not at hand at all: comparing some of them from
    /// memory and others not would take the memory of all.
    pub fn leave(&self, mut all: Vec<New>, waiting: &Waiting) -> Result<Left> {
        let mut fresh: Vec<&mut Fresh> = all.iter_mut().filter_map(|new| new.fresh.as_mut()).collect();
        let fingerprints: Vec<_> =
            fresh.iter_mut().filter_map(|fresh| Some((fresh.text()?, fresh.at_hand.take()?))).collect();
        let few = {
            let (count, kept) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *count += all.len();
            if *count <= AT_HAND {
                kept.extend(fingerprints);
            } else {
                *kept = HashMap::new();
            }
            *count <= AT_HAND
        };
        if few {
            return Ok(Left::Here(all.into()));
        }
        waiting.put_json(&all).map(Left::There)
    }

    /// Takes the fingerprint of an activity back.
    pub fn put_back(&self, fresh: &mut Fresh) {
        let (_, kept) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.at_hand = fresh.text().and_then(|text| kept.remove(&text));
    }
}
