//! Which activities are the same workout, and what to keep of each.
//!
//! [`Fingerprint::of`] takes what grouping needs of an activity. [`judge`] weighs two of them and says `same`,
//! `different` or `unsure`, with every piece of evidence; [`group`] does so for a whole history.

mod compare;
mod evidence;
mod family;
mod fingerprint;
mod group;
mod judge;
mod series;
mod summary;

pub use evidence::Reason;
pub use fingerprint::{Fingerprint, Numbers, Person};
pub use group::{Cluster, Decisions, Grouping, Pair, cluster, group, pairs};
pub use judge::{Judgement, Side, Verdict, judge};
pub use series::Coarse;
