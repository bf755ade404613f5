//! The `paceport` namespace: what GPX and TCX cannot say themselves, written into their extension elements and read
//! back. `docs/gpx-namespace.md` describes it for others.

mod fields;
mod read;
mod write;

pub(crate) use fields::{ExtraRow, Head, Part, Value};
pub(crate) use read::OwnReader;
pub(crate) use write::{Samples, activity};

/// The namespace.
pub(crate) const URI: &str = "urn:paceport:1";
