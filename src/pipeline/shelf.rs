//! Originals of a history read again, with the verdicts on times that the journal keeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::job::drafts_of;
use super::read::ReadOptions;
use super::tables::is_workout;
use crate::error::{Error, Kind, Result};
use crate::fix::zone::{self, Verdict};
use crate::fix::{self, SettleOptions, ZoneChoice};
use crate::formats::{self, Format, polar_hrm};
use crate::history::History;
use crate::ids::Digest;
use crate::model::{Activity, Companion, Draft, Evidence, Origin, Summary};

/// The originals of a history. Metadata tables, which many activities need, are read once.
pub(super) struct Shelf<'a> {
    pub history: &'a History,
    pub options: &'a ReadOptions,
    tables: Mutex<HashMap<Digest, Arc<Vec<Draft>>>>,
}

impl<'a> Shelf<'a> {
    pub fn new(history: &'a History, options: &'a ReadOptions) -> Shelf<'a> {
        Shelf { history, options, tables: Mutex::default() }
    }

    /// The drafts of one original and the format that reads them: the one that the journal names, or with `anew` the one
    /// that this version sees in the content.
    fn drafts(&self, digest: &Digest, anew: bool) -> Result<(&'static Format, Vec<Draft>)> {
        let bytes = self.history.read_original(digest)?;
        let lost = || Error::new(Kind::History, format!("no original with the SHA-256 {digest} is kept"));
        let original = self.history.original(digest).ok_or_else(lost)?;
        let seen = if anew { formats::sniff(&bytes) } else { None };
        let format = seen
            .or_else(|| formats::by_id(&original.format))
            .ok_or_else(|| Error::new(Kind::Unsupported, format!("the format {} is not known", original.format)))?;
        let mut drafts = Vec::new();
        let mut keep = |draft, _| {
            drafts.push(draft);
            Ok(())
        };
        drafts_of(format, &bytes, &self.options.limits, &mut keep).map_err(|error| error.in_source(&original.path))?;
        Ok((format, drafts))
    }

    fn table(&self, digest: &Digest, anew: bool) -> Result<Arc<Vec<Draft>>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(digest) {
            return Ok(table.clone());
        }
        let table = Arc::new(self.drafts(digest, anew)?.1);
        tables.insert(*digest, table.clone());
        Ok(table)
    }

    /// Reads the activities of one original again: those whose summaries are given.
    ///
    /// # Errors
    /// When the original, or one that an activity was joined with, cannot be read as it was.
    pub fn recall(&self, digest: &Digest, wanted: &[Summary]) -> Result<Vec<Activity>> {
        let lost = || Error::new(Kind::History, "an activity is no longer found in its original");
        let drafts = self.redraft(digest, wanted, false)?.wanted;
        let settle = |(summary, draft): (&Summary, Option<Draft>)| {
            Ok(resettle(draft.ok_or_else(lost)?, summary, Some(decided(summary)), self.options))
        };
        wanted.iter().zip(drafts).map(settle).collect()
    }

    /// Reads one original again, and the companions of those of its activities whose summaries are given.
    ///
    /// # Errors
    /// When the original or a companion is damaged, or the program does not read it any more.
    pub fn redraft(&self, digest: &Digest, wanted: &[Summary], anew: bool) -> Result<Redrafted> {
        let (format, own) = self.drafts(digest, anew)?;
        let mut own: Vec<Option<Draft>> = own.into_iter().map(Some).collect();
        let mut joined = |summary: &Summary| -> Result<Option<Draft>> {
            let own = own.get_mut(summary.index as usize).and_then(Option::take);
            own.map(|own| self.joined(own, summary, anew)).transpose()
        };
        let wanted = wanted.iter().map(&mut joined).collect::<Result<Vec<_>>>()?;
        let others = (0..).zip(own).filter_map(|(index, draft)| Some((index, draft?)));
        let others = others.filter(|(_, draft)| !format.table || is_workout(draft)).collect();
        Ok(Redrafted { format, wanted, others })
    }

    /// A draft with its companions joined: other recordings, then the diary, then the rows of tables.
    fn joined(&self, own: Draft, summary: &Summary, anew: bool) -> Result<Draft> {
        let lost = || Error::new(Kind::History, "a companion is no longer found in its original");
        let is_table = |c: &&Companion| formats::by_id(&c.format).is_some_and(|format| format.table);
        let (tables, files): (Vec<_>, Vec<_>) = summary.companions.iter().partition(is_table);
        let (diaries, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|c| c.format == polar_hrm::DIARY.id);
        let mut parts = vec![own];
        for companion in others {
            let (_, found) = self.drafts(&companion.digest, anew)?;
            parts.push(found.into_iter().nth(companion.index as usize).ok_or_else(lost)?);
        }
        let draft = match parts.len() {
            1 => parts.pop(),
            _ => fix::join(parts).into_iter().next().map(|(draft, _)| draft),
        };
        let mut draft = draft.ok_or_else(lost)?;
        draft.source = Some(summary.source.clone());
        for diary in diaries {
            let entries = polar_hrm::diary_entries(&self.history.read_original(&diary.digest)?);
            entries.into_iter().nth(diary.index as usize).ok_or_else(lost)?.tell(&mut draft.recording);
        }
        for table in tables {
            let rows = self.table(&table.digest, anew)?;
            fix::tell(&mut draft, rows.get(table.index as usize).ok_or_else(lost)?);
        }
        Ok(draft)
    }
}

/// What an original gives when it is read again.
pub(super) struct Redrafted {
    /// The format that read it.
    pub format: &'static Format,
    /// One entry a wanted summary, put together with its companions as before; `None` when it is no longer found.
    pub wanted: Vec<Option<Draft>>,
    /// What else it holds, with the index.
    pub others: Vec<(u32, Draft)>,
}

/// Settles a draft as the activity of this summary, with a verdict on its times or judging them anew.
pub(super) fn resettle(draft: Draft, summary: &Summary, verdict: Option<Verdict>, options: &ReadOptions) -> Activity {
    let mut settle = SettleOptions { decided: verdict, ..options.settle.clone() };
    if summary.notes.iter().any(|note| note.code == zone::KEPT.id) {
        settle.zone = ZoneChoice::Keep;
    }
    let mut activity = fix::settle(draft, &settle);
    activity.origin = Origin {
        source: summary.source.clone(),
        digest: summary.sha256,
        format: summary.format.clone(),
        index: summary.index,
        companions: summary.companions.clone(),
        channels: Vec::new(),
    };
    activity
}

/// The verdict on times that a summary keeps.
pub(super) fn decided(summary: &Summary) -> Verdict {
    Verdict {
        shift_ms: (summary.time_shift_s * 1000.0).round() as i64,
        offset_s: summary.local_offset_s,
        evidence: Evidence::by_name(&summary.local_evidence),
        floating: summary.floating,
        weak: false,
    }
}
