//! TCX.

mod write;
mod write_points;

use super::Format;

/// The TCX row of the format table.
pub const FORMAT: Format = Format {
    id: "tcx",
    name: "TCX",
    extensions: &["tcx"],
    binary: false,
    sniff: |_| false,
    read: None,
    write: Some(write::write),
    status: "",
};
