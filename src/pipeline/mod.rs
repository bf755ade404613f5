//! Joins the rooms: sources are planned, read, settled, then converted, imported or summed up. The only room that knows
//! threads. Results stand in plan order, whatever the number of threads.

mod budget;
mod convert;
mod import;
mod inspect;
mod jobs;
mod names;
mod read;
mod recall;
mod report;

pub use convert::{Target, WriteOptions, Written, convert};
pub use import::{ImportOptions, Imported, import};
pub use inspect::inspect;
pub use jobs::{WORKER_PREFIX, Workers};
pub use read::{FileRead, JobRead, Plan, Progress, ReadOptions, Run, Visit, read_all};
pub use recall::export;
pub use report::{Outcome, RunReport, SourceReport};

pub use crate::fix::SettleOptions;
pub use crate::source::Input;
