//! `paceport list`.

use std::collections::BTreeMap;
use std::path::Path;

use paceport::Error;
use paceport::history::{History, Stored, StoredCluster, Verdict};
use paceport::model::{Glance, Summary};
use paceport::pipeline::{self, Workout};
use paceport::report::printable;
use serde::Serialize;

use super::args::{Common, Filter};
use super::{Exit, summary, table};

/// An activity line with what only a history knows.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// The sources of the activity.
    members: Vec<&'a str>,
    /// Channel → source.
    origins: &'a BTreeMap<String, String>,
}

/// Lists the workouts of a history, or its doubtful pairs.
pub fn run(common: &Common, root: &Path, filter: &Filter, unsure: bool) -> Result<Exit, Error> {
    let history = History::open(root)?;
    if unsure {
        return doubtful(common, &history, filter);
    }
    let wanted = |stored: &Stored| passes(stored, filter);
    if common.json {
        let mut read = Ok(());
        summary::to_stdout(|out| {
            let mut written = Ok(());
            read = pipeline::each_workout(&history, common.jobs, &wanted, &json, &mut |line| {
                written = line.and_then(|line| out.write_all(&line));
                written.is_ok()
            });
            written
        })?;
        read?;
    } else {
        let row = |glance: &Glance, members: usize| table::activity(glance, members - 1);
        let rows = pipeline::map_glances(&history, common.jobs, &wanted, &row)?;
        summary::to_stdout(|out| table::print(out, table::ACTIVITY, &rows))?;
    }
    summary::complete(&history)
}

/// The JSON line of a workout.
fn json(workout: Workout) -> std::io::Result<Vec<u8>> {
    let members = workout.members.iter().map(|member| member.source.as_str()).collect();
    let mut line = Vec::new();
    summary::json_line(&mut line, &Listed { summary: &workout.summary, members, origins: &workout.origins })?;
    Ok(line)
}

/// A pair that may be one workout.
#[derive(Serialize)]
struct Doubt<'a> {
    kind: &'static str,
    members: Vec<String>,
    sources: Vec<String>,
    reasons: &'a [String],
}

fn doubtful(common: &Common, history: &History, filter: &Filter) -> Result<Exit, Error> {
    let passes =
        |c: &&StoredCluster| c.members.iter().any(|id| history.activity(id).is_some_and(|a| passes(a, filter)));
    let clusters: Vec<_> = history.clusters().filter(|c| c.verdict == Verdict::Unsure).filter(passes).collect();
    summary::to_stdout(|out| {
        for stored in clusters {
            let cluster = stored.cluster().map_err(std::io::Error::other)?;
            let mut sources = Vec::new();
            for id in &cluster.members {
                let activity = history.activity(id).map(Stored::summary).transpose().map_err(std::io::Error::other)?;
                sources.extend(activity.map(|summary| summary.source));
            }
            let members: Vec<String> = cluster.members.iter().map(ToString::to_string).collect();
            if common.json {
                summary::json_line(out, &Doubt { kind: "unsure", members, sources, reasons: &cluster.reasons })?;
                continue;
            }
            for (id, source) in members.iter().zip(&sources) {
                writeln!(out, "{}  {}", &id[..12], printable(source))?;
            }
            cluster.reasons.iter().try_for_each(|reason| writeln!(out, "    {}", printable(reason)))?;
        }
        Ok(())
    })?;
    summary::complete(history)
}

/// True for a workout that a filter lets through, by its base.
pub fn passes(stored: &Stored, filter: &Filter) -> bool {
    const DAY: i64 = 86_400_000;
    let local = match (stored.day(), stored.start()) {
        (_, Some(start)) => Some(start + i64::from(stored.local_offset_s().unwrap_or(0)) * 1000),
        (Some(day), None) => super::args::day(day).ok(),
        (None, None) => None,
    };
    filter.since.is_none_or(|since| local.is_some_and(|t| t >= since))
        && filter.until.is_none_or(|until| local.is_some_and(|t| t < until + DAY))
        && filter.sport.as_ref().is_none_or(|sport| sport.eq_ignore_ascii_case(stored.sport()))
}
