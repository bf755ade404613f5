//! GPX 1.0 and 1.1, read as their union.

<<<<<<< HEAD
mod write;

use super::Format;
=======
mod extensions;
mod finish;
mod grammar;
mod read;

use super::{Format, Reader};
use crate::formats::xml;

pub use read::read;
>>>>>>> 6236fb9 (formats/xml, gpx, tcx: plain quick-xml readers)

/// The GPX row of the format table.
pub const FORMAT: Format = Format {
    id: "gpx",
    name: "GPX",
    extensions: &["gpx"],
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
    status: "GPX 1.0 and 1.1 with all known extensions",
>>>>>>> 6236fb9 (formats/xml, gpx, tcx: plain quick-xml readers)
};

fn sniff(head: &[u8]) -> bool {
    xml::root_name(head).is_some_and(|name| name.eq_ignore_ascii_case("gpx"))
}
