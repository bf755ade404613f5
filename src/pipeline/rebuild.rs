//! The journal of a history derived again from its originals.

use std::path::Path;

use super::group::regroup;
use super::job::drafts_of;
use super::jobs;
use super::read::{Progress, ReadOptions};
use crate::dedupe::Preferences;
use crate::error::{Error, Kind, Result};
use crate::fix;
use crate::formats;
use crate::history::{History, Rebuild, Rebuilt, Wanted};
use crate::model::{Origin, Summary};

/// Writes the journal anew when anything is wrong with it: what its sound lines say stays, what they lack is read from
/// the originals, then merges and doubts are looked for again.
///
/// # Errors
/// When the folder is no history, is of an unknown version, is being written to, or the disk refuses.
pub fn rebuild(root: &Path, options: &ReadOptions, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Rebuilt> {
    let mut rebuild = Rebuild::start(root, false, &mut |_| ())?;
    let wanted = rebuild.wanted().to_vec();
    let sizes: Vec<u64> = wanted.iter().map(|wanted| wanted.bytes).collect();
    progress(Progress::Scanned { sources: wanted.len() as u64, bytes: sizes.iter().sum() });
    let mut derived = Vec::new();
    jobs::run(
        options.workers,
        &sizes,
        |job| derive(&rebuild, &wanted[job], options),
        |job, read| {
            progress(Progress::Done { name: &wanted[job].path, bytes: sizes[job] });
            // What cannot be read is named by the rebuild itself.
            derived.extend(read.ok().map(|(format, summaries)| (wanted[job].digest, format, summaries)));
            Ok(())
        },
    )?;
    for (digest, format, summaries) in derived {
        rebuild.supply(digest, format, summaries);
    }
    let rebuilt = rebuild.finish()?;
    if rebuilt.written {
        let mut writer = History::open_to_write(root, false)?;
        regroup(&mut writer, Vec::new(), options, &Preferences::default())?;
    }
    Ok(rebuilt)
}

/// Format and activities of one original.
fn derive(rebuild: &Rebuild, wanted: &Wanted, options: &ReadOptions) -> Result<(&'static str, Vec<Summary>)> {
    let content = rebuild.read(wanted)?;
    let format = formats::sniff(&content).ok_or_else(|| Error::new(Kind::Unrecognised, "no known format"))?;
    let mut summaries = Vec::new();
    let mut keep = |draft, index| {
        let mut activity = fix::settle(draft, &options.settle);
        activity.origin = Origin {
            source: wanted.names.first().cloned().unwrap_or_default(),
            digest: wanted.digest,
            format: format.id.to_owned(),
            index,
            ..Origin::default()
        };
        summaries.push(Summary::of(&activity));
        Ok(())
    };
    drafts_of(format, &content, &options.limits, &mut keep)?;
    Ok((format.id, summaries))
}
