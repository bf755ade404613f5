//! `paceport verify`.

use std::path::Path;

use paceport::Error;
use paceport::history::{Finding, VerifyOptions};
use paceport::pipeline::{self, ReadOptions};
use paceport::report::{at, printable};
use serde_json::json;

use super::args::Common;
use super::{Exit, inputs, progress::Bar, summary};

/// Names every damage with its place and how to repair it; with `rebuild` after the journal was derived again.
pub fn run(common: &Common, root: &Path, quick: bool, rebuild: bool) -> Result<Exit, Error> {
    let options = inputs::read_options(common)?;
    let lost = if rebuild { rebuilt(common, root, &options)? } else { Vec::new() };
    let bar = Bar::start(common);
    let findings = pipeline::verify(root, VerifyOptions { quick }, &options, &|event| bar.event(event))?;
    bar.finish();
    let findings: Vec<Finding> = lost.into_iter().chain(findings).collect();
    summary::to_stdout(|out| {
        for finding in &findings {
            if common.json {
                summary::json_line(out, &line(finding))?;
                continue;
            }
            let place =
                if finding.place.is_nowhere() { String::new() } else { format!(" {}", at(&finding.place.to_string())) };
            let kind = if finding.is_damage() { "damage" } else { "note" };
            let path = printable(&finding.path);
            writeln!(out, "{kind}: {path}{place}: {} [{}]", printable(&finding.detail), finding.code.id)?;
            writeln!(out, "    {}", printable(finding.repair))?;
        }
        Ok(())
    })?;
    let damage = findings.iter().filter(|finding| finding.is_damage()).count();
    let notes = findings.len() - damage;
    summary::warn(common, &format!("{damage} damages, {notes} harmless findings"));
    Ok(if damage > 0 { Exit::Damage } else { Exit::Done })
}

/// Rebuilds and gives what could not be derived.
fn rebuilt(common: &Common, root: &Path, options: &ReadOptions) -> Result<Vec<Finding>, Error> {
    let bar = Bar::start(common);
    let rebuilt = pipeline::rebuild(root, options, &|event| bar.event(event))?;
    bar.finish();
    let line = match rebuilt.written {
        false => "the journal is sound; nothing was rebuilt".to_owned(),
        true => format!(
            "a new journal was written: {} originals, {} of them read again, {} activities; what it replaced is in journal/replaced",
            rebuilt.originals, rebuilt.reread, rebuilt.activities
        ),
    };
    summary::warn(common, &line);
    Ok(rebuilt.lost)
}

fn line(finding: &Finding) -> serde_json::Value {
    let place = (!finding.place.is_nowhere()).then(|| finding.place.to_string());
    json!({"kind": "finding", "code": finding.code.id, "severity": finding.code.severity, "path": finding.path,
        "place": place, "detail": finding.detail, "repair": finding.repair})
}
