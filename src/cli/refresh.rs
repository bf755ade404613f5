//! `paceport refresh`.

use std::path::Path;

use paceport::Error;
use paceport::pipeline::{self, Change, RefreshOptions, Refreshed, What};
use paceport::report::printable;
use serde_json::{Value, json};

use super::args::Common;
use super::{Exit, inputs, progress::Bar, summary, table};

/// Reads originals again that an older version has read, and shows what changed.
pub fn run(common: &Common, root: &Path, how: RefreshOptions) -> Result<Exit, Error> {
    let options = inputs::read_options(common)?;
    let bar = Bar::start(common);
    let refreshed = pipeline::refresh(root, how, &options, &|event| bar.event(event))?;
    bar.finish();
    summary::to_stdout(|out| {
        for change in &refreshed.changes {
            if common.json {
                summary::json_line(out, &line(change))?;
                continue;
            }
            let (activity, source) = (&change.activity, printable(&change.activity.source));
            let what = match change.what {
                What::Changed => "changed",
                What::Appeared => "appeared",
                What::Vanished => "vanished",
            };
            writeln!(
                out,
                "{what}: {}  {}  {source}",
                table::start(activity.start, activity.day.as_deref(), activity.local_offset_s),
                activity.sport
            )?;
            for (field, differs) in &change.fields {
                writeln!(out, "    {field}: {} → {}", text(&differs.old), text(&differs.new))?;
            }
        }
        if common.json {
            refreshed.failed.iter().try_for_each(|source| summary::json_line(out, source))?;
            summary::json_line(out, &counts(&refreshed))?;
        }
        Ok(())
    })?;
    closing(common, how, &refreshed);
    Ok(if refreshed.failed.is_empty() { Exit::Done } else { Exit::Partly })
}

fn closing(common: &Common, how: RefreshOptions, refreshed: &Refreshed) {
    if !refreshed.failed.is_empty() {
        summary::failure("cannot be read again, left as they were:");
    }
    for error in refreshed.failed.iter().filter_map(|source| source.error()) {
        summary::failure(&format!("  {}", printable(error)));
    }
    let [changed, appeared, vanished] = kinds(refreshed);
    let originals = table::count(refreshed.originals, "original", "originals");
    let line = match (refreshed.read, how.all) {
        (0, false) if refreshed.failed.is_empty() => format!("{originals}, none of them read by an older version"),
        (read, _) => {
            let would = if how.dry_run { "would have " } else { "" };
            let changed = table::count(changed, "changed activity", "changed activities");
            format!("{originals}, {read} read again: {would}{changed}, {appeared} new, {vanished} gone")
        }
    };
    summary::warn(common, &line);
    if refreshed.merged + refreshed.unsure > 0 {
        let (merged, unsure) = (refreshed.merged, refreshed.unsure);
        let line = format!("{merged} of them belong to another workout, {unsure} pairs are doubtful (list --unsure)");
        summary::warn(common, &line);
    }
}

/// How many changed, appeared, vanished.
fn kinds(refreshed: &Refreshed) -> [u64; 3] {
    let count = |what| refreshed.changes.iter().filter(|change| change.what == what).count() as u64;
    [count(What::Changed), count(What::Appeared), count(What::Vanished)]
}

fn line(change: &Change) -> Value {
    let activity = &change.activity;
    json!({"kind": "change", "what": change.what, "id": activity.id, "source": activity.source,
        "sha256": activity.sha256, "index": activity.index, "fields": change.fields})
}

fn counts(refreshed: &Refreshed) -> Value {
    let [changed, appeared, vanished] = kinds(refreshed);
    json!({"kind": "refresh", "originals": refreshed.originals, "read": refreshed.read,
        "failed": refreshed.failed.len(), "changed": changed, "appeared": appeared, "vanished": vanished,
        "merged": refreshed.merged, "unsure": refreshed.unsure})
}

/// A value for people: text without quotes, a dash for nothing.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => printable(text).into_owned(),
        other => other.to_string(),
    }
}
