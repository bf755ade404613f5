//! TCX.

use super::Format;

/// The TCX row of the format table.
pub const FORMAT: Format = Format {
    id: "tcx",
    name: "TCX",
    extensions: &["tcx"],
    binary: false,
    sniff: |_| false,
    read: None,
    write: None,
    status: "",
};
