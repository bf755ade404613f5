//! TCX, Garmin's TrainingCenterDatabase v2 and v1.

<<<<<<< HEAD
mod write;
mod write_points;

use super::Format;
=======
mod finish;
mod grammar;
mod lap;
mod read;

use super::{Format, Reader};
use crate::formats::xml;

pub use read::read;
>>>>>>> 6236fb9 (formats/xml, gpx, tcx: plain quick-xml readers)

/// The TCX row of the format table.
pub const FORMAT: Format = Format {
    id: "tcx",
    name: "TCX",
    extensions: &["tcx"],
    binary: false,
<<<<<<< HEAD
    sniff: |_| false,
    read: None,
    write: Some(write::write),
    status: "",
=======
    sniff,
    read: Some(Reader::Whole(read)),
    write: None,
    status: "activities and multisport sessions of v2 and v1",
>>>>>>> 6236fb9 (formats/xml, gpx, tcx: plain quick-xml readers)
};

/// Some files lack the root element and begin with what should stand in it.
const ROOTS: &[&str] = &["TrainingCenterDatabase", "Activities", "MultiSportSession", "Courses", "Folders"];

fn sniff(head: &[u8]) -> bool {
    xml::root_name(head).is_some_and(|name| ROOTS.iter().any(|root| name.eq_ignore_ascii_case(root)))
}
