//! One file per verb; the only room that knows the terminal. Results go to standard output; notes, progress and the
//! closing summary to standard error.

mod args;
mod convert;
mod export;
mod formats;
mod import;
mod inputs;
mod inspect;
mod list;
mod merge;
mod progress;
mod refresh;
mod summary;
mod table;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use paceport::pipeline::{Dedupe, ImportOptions, RefreshOptions};
use paceport::{Error, Kind};

use args::{Cli, Verb};

/// How a command ended; the numbers are a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; notes may exist.
    Done = 0,
    /// The command itself failed; nothing half-done is visible.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// Done, but a source failed or was only partly read.
    Partly = 3,
    /// `verify` or `--check` found damage.
    Damage = 4,
}

/// Parses the arguments and runs the verb.
pub fn main() -> ExitCode {
    quiet_workers();
    let cli = Cli::parse(); // wrong usage ends here, with status 2
    let exit = run(&cli).unwrap_or_else(|error| {
        summary::complain(&error);
        if error.kind() == Kind::Usage { Exit::Usage } else { Exit::Failed }
    });
    ExitCode::from(exit as u8)
}

fn run(cli: &Cli) -> Result<Exit, Error> {
    let common = &cli.common;
    match &cli.verb {
        Verb::Inspect { paths, zone } => inspect::run(common, paths, zone),
        Verb::Convert { paths, to, out, write, zone, merge } => {
            convert::run(common, paths, to, out.as_deref(), (write, zone, merge))
        }
        Verb::Formats { losses } => formats::run(common, *losses),
        Verb::Completions { shell } => {
            // Into memory first: the generator panics where a write fails.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "paceport", &mut script);
            summary::to_stdout(|out| out.write_all(&script))?;
            Ok(Exit::Done)
        }
        Verb::Man => {
            let page = clap_mangen::Man::new(Cli::command());
            summary::to_stdout(|out| page.render(out))?;
            Ok(Exit::Done)
        }
        Verb::Import { paths, into, dry_run, wait, dedupe, prefer, zone } => {
            let dedupe = if *dedupe == args::Dedupe::Overlap { Dedupe::Overlap } else { Dedupe::Exact };
            let preferences = merge::preferences(prefer.as_deref())?;
            let how = ImportOptions { dry_run: *dry_run, wait: *wait, dedupe, preferences, tell: common.json };
            import::run(common, paths, into, &how, zone)
        }
        Verb::List { history, filter, unsure } => list::run(common, history, filter, *unsure),
        Verb::Merge { paths, out, join, prefer, zone, write } => {
            merge::run(common, paths, out, (*join, prefer.as_deref()), (zone, write))
        }
        Verb::Shift { paths, by, start, to, out, write } => {
            convert::shift(common, paths, (by.as_deref(), start.as_deref()), to.as_deref(), out, write)
        }
        Verb::Verify { history, quick, rebuild } => verify::run(common, history, *quick, *rebuild),
        Verb::Refresh { history, all, dry_run, wait } => {
            refresh::run(common, history, RefreshOptions { all: *all, dry_run: *dry_run, wait: *wait })
        }
        Verb::Accept { history, id } => merge::decide(common, history, id, true),
        Verb::Undo { history, id } => merge::decide(common, history, id, false),
        Verb::Export { history, to, out, filter, write } => export::run(common, history, to, out, filter, write),
    }
}

/// A panic that is reported as its source's error is not printed as well.
fn quiet_workers() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !paceport::pipeline::reports_panics() {
            print(panic);
        }
    }));
}
