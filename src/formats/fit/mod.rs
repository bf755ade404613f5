//! FIT: the binary format of Garmin, Wahoo, Coros, Suunto, Zwift and many others.

pub mod base;
pub mod crc;
pub mod exercises;
mod own;
pub mod products;
pub mod profile;
mod read;
mod summary_fields;
mod whole;
mod write;

use super::{Format, Reader};

/// The FIT row of the format table.
pub const FORMAT: Format = Format {
    id: "fit",
    name: "FIT",
    extensions: &["fit"],
    binary: true,
    table: false,
    sniff,
    read: Some(Reader::Whole(read::read)),
    write: Some(write::write),
    status: "activities of every device; other files are recognised and skipped",
};

/// Smallest header that a FIT file can have, in bytes.
const SMALLEST_HEADER: u8 = 12;

/// True when the bytes start with a FIT header: its size (12, usually 14), and `.FIT` at byte 8.
fn sniff(head: &[u8]) -> bool {
    matches!(head, [SMALLEST_HEADER..=u8::MAX, _, _, _, _, _, _, _, b'.', b'F', b'I', b'T', ..])
}
