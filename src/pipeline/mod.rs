//! Joins the rooms: sources are planned, read, settled, then converted, imported or summed up. The only room that knows
//! threads. Results stand in plan order, whatever the number of threads.

mod absorb;
mod budget;
mod changes;
mod convert;
mod decide;
mod export;
mod giant;
mod group;
mod import;
mod inspect;
mod job;
mod jobs;
mod known;
mod left;
mod merge;
mod merged;
mod met;
mod names;
mod outputs;
mod plan;
mod read;
mod rebuild;
mod recall;
mod refresh;
mod report;
mod sets;
mod shelf;
mod tables;
mod told;
mod verify;
mod zones;

pub use changes::{Change, Differs, What};
pub use convert::{Target, WriteOptions, Written, convert};
pub use decide::decide;
pub use export::{export, export_originals};
pub use giant::Giant;
pub use import::{Dedupe, ImportOptions, Imported, import};
pub use inspect::{Inspected, inspect};
pub use job::{FileRead, JobRead};
pub use jobs::{Workers, reports_panics};
pub use merge::{merge_files, write};
pub use merged::convert_merged;
pub use plan::{Plan, wants_password};
pub use read::{Progress, ReadOptions, Run, Visit, read_all};
pub use rebuild::rebuild;
pub use recall::{Member, Workout, each_workout, map_glances};
pub use refresh::{RefreshOptions, Refreshed, refresh};
pub use report::{ExportReport, Outcome, RunReport, SourceReport};
pub use told::Told;
pub use verify::verify;

pub use crate::dedupe::Preferences;
pub use crate::fix::{Anonymize, SettleOptions, Shift, ZoneChoice};
pub use crate::source::Input;
