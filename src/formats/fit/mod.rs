//! FIT: the binary format of Garmin, Wahoo, Coros, Suunto, Zwift and many others.

pub mod base;
pub mod crc;
mod own;
pub mod products;
pub mod profile;
mod write;

use super::Format;

/// The FIT row of the format table.
pub const FORMAT: Format = Format {
    id: "fit",
    name: "FIT",
    extensions: &["fit"],
    binary: true,
    sniff,
    read: None,
    write: Some(write::write),
    status: "",
};

/// Smallest header that a FIT file can have, in bytes.
const HEADER: u8 = 12;

/// True when the bytes start with a FIT header: its size (12, usually 14), and `.FIT` at byte 8.
fn sniff(head: &[u8]) -> bool {
    matches!(head, [HEADER..=u8::MAX, _, _, _, _, _, _, _, b'.', b'F', b'I', b'T', ..])
}
