//! Which activities are the same workout, and what to keep of each.
//!
//! [`Fingerprint::of`] takes what grouping needs of an activity. [`judge`] weighs two of them and says `same`,
//! `different` or `unsure`, with every piece of evidence; [`group`] does so for a whole history. [`merge`] makes one
//! recording of several, [`join`] one of consecutive parts.
//!
//! Two recordings at different times are one workout only where a zone fault explains the clocks (`when`) and the data are
//! no repetition of it. A copy has the values of its original in the same order (`values`); a second recorder has not,
//! nor has a second round on the same way or a second evening with the same plan. So a copy is `same` up to the farthest
//! offset of a zone; anything else only as far apart as local time is from UTC at that place, and there on one way at each
//! instant. Without that, what is alike is `unsure` within the farthest offset and `different` beyond it. What one platform
//! has two numbers for is never `same` at two times.

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
mod values;
mod when;

pub use evidence::Reason;
pub use fingerprint::{Fingerprint, Numbers, Person};
pub(crate) use group::Forest;
pub use group::{Candidate, Cluster, Decisions, Grouping, Pair, Parts, cluster, group, pairs, pairs_of};
pub use join::join;
pub use judge::{Judgement, Side, Verdict, judge};
pub use merge::{Merged, merge};
pub use prefer::Preferences;
pub use series::Coarse;
pub use values::Values;
