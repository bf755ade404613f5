//! `paceport`'s own developer fields: what the FIT profile has no field for. `docs/fit-fields.md` describes them.

/// `application_id` of the fields: the text `paceport-fields1`.
pub const APPLICATION: [u8; 16] = *b"paceport-fields1";

/// Milliseconds (0 to 999) to add to a record's `timestamp`.
pub const MILLISECONDS: &str = "timestamp_ms";
/// 1 in a record whose time is not recorded; its `timestamp` is only its place in the order.
pub const UNTIMED: &str = "untimed";
