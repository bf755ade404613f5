//! TCX, Garmin's TrainingCenterDatabase v2 and v1.

mod finish;
mod grammar;
mod lap;
mod read;
pub(crate) mod strict;
mod write;
mod write_points;

use super::{Format, Reader};
use crate::formats::xml;

pub use read::{read, read_plain};

/// The TCX row of the format table.
pub const FORMAT: Format = Format {
    id: "tcx",
    name: "TCX",
    extensions: &["tcx"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: Some(write::write),
    status: "activities and multisport sessions of v2 and v1",
};

/// Some files lack the root element and begin with what should stand in it.
const ROOTS: &[&str] = &["TrainingCenterDatabase", "Activities", "MultiSportSession", "Courses", "Folders"];

fn sniff(head: &[u8]) -> bool {
    xml::root_name(head).is_some_and(|name| ROOTS.iter().any(|root| name.eq_ignore_ascii_case(root)))
}
