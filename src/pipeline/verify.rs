//! Looks for damage in a history: the originals are hashed again on all workers.

use std::path::Path;

use super::jobs;
use super::read::{Progress, ReadOptions};
use crate::error::Result;
use crate::history::{self, Finding, Survey, VerifyOptions};

/// Every finding, in a fixed order; an empty list is a healthy history.
///
/// # Errors
/// When the folder is no history, is of an unknown version, or cannot be read at all.
pub fn verify(
    root: &Path,
    how: VerifyOptions,
    options: &ReadOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Finding>> {
    let Survey { mut findings, checks } = history::survey(root, how)?;
    let sizes: Vec<u64> = checks.iter().map(|check| check.bytes).collect();
    progress(Progress::Scanned { sources: checks.len() as u64, bytes: sizes.iter().sum() });
    let mut found: Vec<(usize, Finding)> = Vec::new();
    jobs::run(
        options.workers,
        &sizes,
        |job| Ok(checks[job].run()),
        |job, finding| {
            progress(Progress::Done { name: "", bytes: sizes[job] });
            found.extend(finding?.map(|finding| (job, finding)));
            Ok(())
        },
    )?;
    found.sort_by_key(|(job, _)| *job);
    findings.extend(found.into_iter().map(|(_, finding)| finding));
    Ok(findings)
}
