//! What GPX and TCX share: encodings settled at the door, a pull cursor over quick-xml that lives through damage, number
//! and instant text, and the samples of a track.
//!
//! Names are matched by their local part: `ns3:TPX`, `x:TPX` and `TPX` are one. Real files misspell namespace URIs, leave
//! prefixes undeclared or invent their own, so the URI decides nothing.

mod builder;
mod cadence;
mod cursor;
mod encoding;
mod point;
mod producer;
mod reader;
mod scan;
mod shape;
mod speed;
mod tag;
mod text;

pub use builder::Builder;
pub use cadence::judge_cadence;
pub use cursor::{Cursor, Step, note, place};
pub use encoding::{decode, root_name};
pub use point::Node;
pub use producer::{device_named, device_of, mark_virtual, writes_local_as_utc};
pub use reader::PointReader;
pub use speed::judge_speed;
pub use tag::{Tag, attribute, attributes, prefix_of, unescape};
pub use text::{Number, clean, instant, number};
