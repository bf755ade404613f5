//! GPX 1.0 and 1.1, read as their union.

mod extensions;
mod finish;
mod grammar;
mod read;
mod repair;
mod write;

use super::{Format, Reader};
use crate::formats::xml;

pub use read::{read, read_plain};

/// The GPX row of the format table.
pub const FORMAT: Format = Format {
    id: "gpx",
    name: "GPX",
    extensions: &["gpx"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: Some(write::write),
    status: "GPX 1.0 and 1.1 with all known extensions",
};

fn sniff(head: &[u8]) -> bool {
    xml::root_name(head).is_some_and(|name| name.eq_ignore_ascii_case("gpx"))
}
