//! History → activities: originals are read again, each once, with the verdicts on times that the journal keeps.

use std::collections::BTreeMap;
use std::path::Path;

use super::convert::{WriteOptions, Written, write_one, writer_of};
use super::jobs::{self, Workers};
use super::names;
use super::read::{Progress, ReadOptions, drafts_of};
use crate::error::{Error, Kind, Result};
use crate::fix::{self, SettleOptions, zone::Verdict};
use crate::formats::{self, Format};
use crate::history::History;
use crate::ids::Digest;
use crate::model::{Activity, Draft, Evidence, Origin, Summary};

/// The drafts of one original, read again.
fn drafts(history: &History, digest: &Digest, options: &ReadOptions) -> Result<Vec<Draft>> {
    let bytes = history.read_original(digest)?;
    let original = history
        .original(digest)
        .ok_or_else(|| Error::new(Kind::History, format!("no original with the SHA-256 {digest} is kept")))?;
    let format = formats::by_id(&original.format)
        .ok_or_else(|| Error::new(Kind::Unsupported, format!("the format {} is not known", original.format)))?;
    let mut drafts = Vec::new();
    let mut keep = |draft, _| {
        drafts.push(draft);
        Ok(())
    };
    drafts_of(format, &bytes, &options.limits, &mut keep).map_err(|error| error.in_source(&original.path))?;
    Ok(drafts)
}

/// Reads the activities of one original again: those whose summaries are given.
fn recall(history: &History, digest: &Digest, wanted: &[Summary], options: &ReadOptions) -> Result<Vec<Activity>> {
    let mut own: Vec<Option<Draft>> = drafts(history, digest, options)?.into_iter().map(Some).collect();
    wanted
        .iter()
        .map(|summary| {
            let lost = || Error::new(Kind::History, "an activity is no longer found in its original");
            let own = own.get_mut(summary.index as usize).and_then(Option::take).ok_or_else(lost)?;
            let mut parts = vec![own];
            for companion in &summary.companions {
                let found = drafts(history, &companion.digest, options)?.into_iter().nth(companion.index as usize);
                parts.push(found.ok_or_else(lost)?);
            }
            let draft = match parts.len() {
                1 => parts.pop(),
                _ => fix::join(parts).into_iter().next().map(|(draft, _)| draft),
            };
            let settle = SettleOptions { decided: Some(decided(summary)), ..options.settle.clone() };
            let mut activity = fix::settle(draft.ok_or_else(lost)?, &settle);
            activity.origin = Origin {
                source: summary.source.clone(),
                digest: *digest,
                format: summary.format.clone(),
                index: summary.index,
                companions: summary.companions.clone(),
                channels: Vec::new(),
            };
            Ok(activity)
        })
        .collect()
}

/// The verdict on times that a summary keeps.
fn decided(summary: &Summary) -> Verdict {
    Verdict {
        shift_ms: (summary.time_shift_s * 1000.0).round() as i64,
        offset_s: summary.local_offset_s,
        evidence: Evidence::by_name(&summary.local_evidence),
        floating: summary.floating,
        weak: false,
    }
}

/// Reads activities of a history again and lets `work` make something of each, in the order of `wanted`.
///
/// # Errors
/// When threads cannot be started; what is wrong with one original is the result of its activities.
pub(super) fn each_of<T: Send>(
    history: &History,
    wanted: Vec<Summary>,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    work: &(dyn Fn(&Activity) -> T + Sync),
) -> Result<Vec<(Summary, Result<T>)>> {
    let mut by_original: BTreeMap<Digest, Vec<Summary>> = BTreeMap::new();
    for summary in &wanted {
        by_original.entry(summary.sha256).or_default().push(summary.clone());
    }
    let jobs: Vec<(Digest, Vec<Summary>)> = by_original.into_iter().collect();
    let size = |digest: &Digest| history.original(digest).map_or(0, |original| original.bytes);
    let sizes: Vec<u64> = jobs.iter().map(|(digest, _)| size(digest)).collect();
    progress(Progress::Scanned { sources: jobs.len() as u64, bytes: sizes.iter().sum() });
    let mut made = BTreeMap::new();
    jobs::run(
        Workers { ..options.workers },
        &sizes,
        |job| {
            let (digest, summaries) = &jobs[job];
            let activities = recall(history, digest, summaries, options)?;
            Ok(activities.iter().map(|activity| (activity.origin.id(), work(activity))).collect::<Vec<_>>())
        },
        |job, result| {
            let (_, summaries) = &jobs[job];
            progress(Progress::Done { name: &summaries[0].source, bytes: sizes[job] });
            match result {
                Ok(results) => made.extend(results.into_iter().map(|(id, result)| (id, Ok(result)))),
                Err(error) => {
                    let message = error.to_string();
                    let failed = |summary: &Summary| (summary.id, Err(Error::new(error.kind(), message.clone())));
                    made.extend(summaries.iter().map(failed));
                }
            }
            Ok(())
        },
    )?;
    let lost = || Err(Error::new(Kind::Internal, "an activity was read but not handed over"));
    Ok(wanted
        .into_iter()
        .map(|s| {
            let made = made.remove(&s.id).unwrap_or_else(lost);
            (s, made)
        })
        .collect())
}

/// Writes activities of a history as files of a format, named by local start.
///
/// # Errors
/// When the format is only read, or threads cannot be started; what is wrong with one activity is in its report.
pub fn export(
    history: &History,
    wanted: Vec<Summary>,
    to: &'static Format,
    folder: &Path,
    how: &WriteOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Written>> {
    writer_of(to)?;
    let extension = to.extensions.first().copied().unwrap_or(to.id);
    let write = |activity: &Activity| {
        let path = folder.join(names::by_start(activity, extension));
        write_one(activity, to, Some(path), how)
    };
    let written = each_of(history, wanted, options, progress, &write)?;
    Ok(written
        .into_iter()
        .map(|(summary, result)| result.unwrap_or_else(|error| Written::failed(&summary, &error)))
        .collect())
}
