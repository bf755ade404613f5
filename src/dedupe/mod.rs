//! Which activities are the same workout, and what to keep of each.
//!
//! [`Fingerprint::of`] takes what grouping needs of an activity. [`judge`] weighs two of them and says `same`,
//! `different` or `unsure`, with every piece of evidence; [`group`] does so for a whole history. [`merge`] makes one
//! recording of several, [`join`] one of consecutive parts.

mod align;
mod compare;
mod course;
mod decide;
mod evidence;
mod family;
mod fill;
mod fingerprint;
mod group;
mod join;
mod judge;
mod merge;
mod prefer;
mod series;
mod summary;
mod totals;
mod when;

pub use evidence::Reason;
pub use fingerprint::{Fingerprint, Numbers, Person};
pub use group::{Cluster, Decisions, Grouping, Pair, cluster, group, pairs};
pub use join::join;
pub use judge::{Judgement, Side, Verdict, judge};
pub use merge::{Merged, merge};
pub use prefer::Preferences;
pub use series::Coarse;
