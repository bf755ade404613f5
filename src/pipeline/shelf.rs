//! Originals of a history read again, with the verdicts on times that the journal keeps.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};

use super::giant;
use super::job::{drafts_from, drafts_of};
use super::read::ReadOptions;
use super::tables::{is_workout, say_lost};
use crate::error::{Error, Kind, Result};
use crate::fix::zone::{self, Verdict};
use crate::fix::{self, SettleOptions, ZoneChoice};
use crate::formats::{self, Format, Reader, polar_hrm};
use crate::history::History;
use crate::ids::{ActivityId, Digest};
use crate::model::{Activity, Companion, Draft, Evidence, Origin, Summary};

/// The originals of a history. Metadata tables, which many activities need, are read once; for files that hold many
/// workouts see [`each_set`](super::sets::each_set).
pub(super) struct Shelf<'a> {
    pub history: &'a History,
    pub options: &'a ReadOptions,
    /// Activities that were recalled ahead.
    pub held: HashMap<ActivityId, Activity>,
    shared: Mutex<Shared>,
    /// Giants whose digests were found right.
    checked: Mutex<HashSet<Digest>>,
}

/// Drafts of originals that were read, and the bytes of those originals.
#[derive(Default)]
struct Shared {
    drafts: HashMap<Digest, Arc<Vec<Draft>>>,
    bytes: u64,
}

fn gone() -> Error {
    Error::new(Kind::History, "an activity is no longer found in its original")
}

impl<'a> Shelf<'a> {
    pub fn new(history: &'a History, options: &'a ReadOptions) -> Shelf<'a> {
        Shelf { history, options, held: HashMap::new(), shared: Mutex::default(), checked: Mutex::default() }
    }

    /// Hands each draft of one original to `keep`, and gives the format that reads them: the one that the journal names, or
    /// with `anew` the one that this version sees in the content.
    fn each_draft(
        &self,
        digest: &Digest,
        anew: bool,
        keep: &mut dyn FnMut(Draft, u32) -> Result<()>,
    ) -> Result<&'static Format> {
        let lost = || Error::new(Kind::History, format!("no original with the SHA-256 {digest} is kept"));
        let original = self.history.original(digest)?.ok_or_else(lost)?;
        let limits = &self.options.limits;
        let named = || {
            let unknown = || Error::new(Kind::Unsupported, format!("the format {} is not known", original.format));
            formats::by_id(&original.format).ok_or_else(unknown)
        };
        let at = |error: Error| error.in_source(&original.path);
        if original.bytes >= giant::threshold(self.options) {
            let mut content = self.open_giant(digest)?;
            let seen = content.fill_buf().ok().filter(|_| anew).and_then(formats::sniff);
            let format = seen.map_or_else(named, Ok)?;
            if matches!(format.read, Some(Reader::Stream(_))) {
                drafts_from(format, &mut content, limits, keep).map_err(at)?;
                return Ok(format);
            }
        }
        let bytes = self.history.read_original(digest)?;
        let seen = if anew { formats::sniff(&bytes) } else { None };
        let format = seen.map_or_else(named, Ok)?;
        drafts_of(format, &bytes, limits, keep).map_err(at)?;
        Ok(format)
    }

    /// A giant as a stream. Its digest is checked once: that takes as long as half of reading it.
    fn open_giant(&self, digest: &Digest) -> Result<Box<dyn BufRead + Send>> {
        if self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(digest) {
            return self.history.open_checked(digest);
        }
        let content = self.history.open_original(digest)?;
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(*digest);
        Ok(content)
    }

    /// All drafts of one original.
    fn drafts(&self, digest: &Digest, anew: bool) -> Result<(&'static Format, Vec<Draft>)> {
        let mut drafts = Vec::new();
        let format = self.each_draft(digest, anew, &mut |draft, _| {
            drafts.push(draft);
            Ok(())
        })?;
        Ok((format, drafts))
    }

    /// The drafts of an original that many activities need, read once. An original that is too large to be kept in memory
    /// beside others is read each time.
    fn shared(&self, digest: &Digest, anew: bool) -> Result<Arc<Vec<Draft>>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drafts) = shared.drafts.get(digest) {
            return Ok(drafts.clone());
        }
        let drafts = Arc::new(self.drafts(digest, anew)?.1);
        let bytes = self.history.bytes_of(digest);
        if shared.bytes + bytes <= self.options.workers.memory / 4 {
            shared.bytes += bytes;
            shared.drafts.insert(*digest, drafts.clone());
        }
        Ok(drafts)
    }

    /// True when no table of `companions` is older than the one of its kind that it replaces among `before`. A table is as old
    /// as the last workout that it tells of.
    pub fn is_newer(&self, companions: &[Companion], before: &[Companion]) -> bool {
        let last = |table: &Companion| {
            let rows = self.shared(&table.digest, false).ok()?;
            rows.iter().filter_map(|row| row.recording.stated_start).max()
        };
        let gone = before.iter().filter(|c| !c.is_among(companions));
        gone.filter_map(|old| Some((last(old)?, &old.format))).all(|(then, format)| {
            let mut came = companions.iter().filter(|c| c.format == *format && !c.is_among(before));
            came.all(|new| last(new).is_none_or(|now| now >= then))
        })
    }

    /// Reads the activities of one original again, those whose summaries are given, and hands them to `each` in the order of
    /// the original.
    ///
    /// # Errors
    /// When the original, or one that an activity was joined with, cannot be read as it was.
    pub fn recall_each<S: Borrow<Summary>>(
        &self,
        digest: &Digest,
        wanted: &[S],
        each: &mut dyn FnMut(Activity),
    ) -> Result<()> {
        let summaries = wanted.iter().map(S::borrow);
        let mut missing: HashMap<u32, &Summary> = summaries.map(|summary| (summary.index, summary)).collect();
        let mut enough = false;
        let read = self.each_draft(digest, false, &mut |draft, index| {
            let Some(summary) = missing.remove(&index) else { return Ok(()) };
            let draft = self.joined(draft, summary, false)?;
            each(resettle(draft, summary, Some(decided(summary)), self.options));
            enough = missing.is_empty();
            // What follows is of no interest: a giant is not read to its end for it.
            if enough { Err(Error::new(Kind::Internal, "all that was wanted is read")) } else { Ok(()) }
        });
        match read {
            _ if enough => Ok(()),
            Ok(_) => Err(gone()),
            Err(error) => Err(error),
        }
    }

    /// Reads one activity again.
    ///
    /// # Errors
    /// When its original, or one that it was joined with, cannot be read as it was.
    pub fn recall(&self, summary: &Summary) -> Result<Activity> {
        if let Some(activity) = self.held.get(&summary.id) {
            return Ok(activity.clone());
        }
        let mut activity = None;
        self.recall_each(&summary.sha256, std::slice::from_ref(summary), &mut |found| activity = Some(found))?;
        activity.ok_or_else(gone)
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
        let (tables, files): (Vec<_>, Vec<_>) = summary.companions.iter().partition(|c| is_table(c));
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
        say_lost(&mut draft);
        draft.source = Some(summary.source.clone());
        for diary in diaries {
            let entries = polar_hrm::diary_entries(&self.history.read_original(&diary.digest)?);
            entries.into_iter().nth(diary.index as usize).ok_or_else(lost)?.tell(&mut draft.recording);
        }
        for table in tables {
            let rows = self.shared(&table.digest, anew)?;
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

/// True for the row of a table.
pub(super) fn is_table(companion: &Companion) -> bool {
    formats::by_id(&companion.format).is_some_and(|format| format.table)
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
