//! GPX.

mod write;

use super::Format;

/// The GPX row of the format table.
pub const FORMAT: Format = Format {
    id: "gpx",
    name: "GPX",
    extensions: &["gpx"],
    binary: false,
    sniff: |_| false,
    read: None,
    write: Some(write::write),
    status: "",
};
