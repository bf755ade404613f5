//! `paceport list`.

use std::path::Path;

use paceport::Error;
use paceport::history::{History, Stored};
use paceport::model::Summary;
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
    origins: std::collections::BTreeMap<&'a str, &'a str>,
}

/// Lists the activities of a history.
pub fn run(common: &Common, root: &Path, filter: &Filter) -> Result<Exit, Error> {
    let history = History::open(root)?;
    let summaries = selected(&history, filter)?;
    summary::to_stdout(|out| {
        if !common.json {
            let rows: Vec<_> = summaries.iter().map(table::activity).collect();
            return table::print(out, table::ACTIVITY, &rows);
        }
        summaries.iter().try_for_each(|summary| {
            let channels = summary.channels.keys().chain(summary.extra_channels.keys());
            let listed = Listed {
                summary,
                members: vec![&summary.source],
                origins: channels.map(|channel| (channel.as_str(), summary.source.as_str())).collect(),
            };
            summary::json_line(out, &listed)
        })
    })?;
    Ok(Exit::Done)
}

/// The summaries of the activities that a filter lets through, in order of start.
pub fn selected(history: &History, filter: &Filter) -> Result<Vec<Summary>, Error> {
    history.activities().iter().filter(|stored| passes(stored, filter)).map(Stored::summary).collect()
}

fn passes(stored: &Stored, filter: &Filter) -> bool {
    const DAY: i64 = 86_400_000;
    let local = match (&stored.day, stored.start) {
        (_, Some(start)) => Some(start + i64::from(stored.local_offset_s.unwrap_or(0)) * 1000),
        (Some(day), None) => super::args::day(day).ok(),
        (None, None) => None,
    };
    filter.since.is_none_or(|since| local.is_some_and(|t| t >= since))
        && filter.until.is_none_or(|until| local.is_some_and(|t| t < until + DAY))
        && filter.sport.as_ref().is_none_or(|sport| sport.eq_ignore_ascii_case(&stored.sport))
}
