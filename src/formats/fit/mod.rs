//! FIT.

use super::Format;

/// The FIT row of the format table.
pub const FORMAT: Format =
    Format { id: "fit", name: "FIT", extensions: &["fit"], sniff: |_| false, read: None, write: None, status: "" };
