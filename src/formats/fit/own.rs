//! `paceport`'s own developer fields: what the FIT profile has no field for. `docs/fit-fields.md` describes them. The writer
//! makes them where they are needed, the reader takes them back to where they came from; other programs skip them.

use crate::model::{Channel, Device, SetKind};

/// `application_id` of the fields: the text `paceport-fields1`.
pub const APPLICATION: [u8; 16] = *b"paceport-fields1";

/// Milliseconds (0 to 999) to add to the time of a record or event, or to the start of a summary.
pub const MILLISECONDS: &str = "timestamp_ms";
/// 1 in a record whose time is not recorded; its `timestamp` is only its place in the order.
pub const UNTIMED: &str = "untimed";
/// What the names of fields with exact values of a channel begin with. Never the bare name of the channel: programs that
/// look for fields by name would take it for the native one.
const EXACT: &str = "exact_";
/// Name of a lap.
pub const NAME: &str = "name";
/// The exercise of a set in words, when the set has no category number.
pub const EXERCISE: &str = "exercise";
/// Distance of a set, m.
pub const DISTANCE: &str = "distance";
/// Rating of perceived exertion of a set, 0 to 10.
pub const RPE: &str = "rpe";
/// Note on a set.
pub const NOTE: &str = "note";
/// Kind of a set that FIT does not know: one of [`SET_KINDS`].
pub const KIND: &str = "kind";
/// Gear of the activity in words.
pub const GEAR: &str = "gear";
/// Program or platform that wrote the source.
pub const CREATOR: &str = "creator";
/// The sport in the source's own words.
pub const SPORT_LABEL: &str = "sport_label";
/// The sport of the whole, where it is not that of the sessions: FIT `sport`.
pub const SPORT: &str = "sport";
/// The sub-sport of the whole, where it is not that of the sessions: FIT `sub_sport`.
pub const SUB_SPORT: &str = "sub_sport";
/// The day (`YYYY-MM-DD`) of a workout without clock time.
pub const DAY: &str = "day";
/// Identities on platforms: `platform=id`, separated by line feeds.
pub const PLATFORM_IDS: &str = "platform_ids";

/// What a device says in words that its native fields do not give back.
pub const DEVICE_WORDS: [&str; 5] = ["manufacturer", "product", "serial", "firmware", "hardware"];

/// Kinds of a set by the words that the files use.
pub const SET_KINDS: [(SetKind, &str); 3] =
    [(SetKind::Warmup, "warmup"), (SetKind::Drop, "drop"), (SetKind::Failure, "failure")];

/// The fields of a device that [`DEVICE_WORDS`] are, in that order.
pub fn device_words(device: &mut Device) -> [&mut Option<String>; 5] {
    let Device { manufacturer, product, serial, firmware, hardware, .. } = device;
    [manufacturer, product, serial, firmware, hardware]
}

/// Name of the field with the values of a channel that its native field cannot say.
pub fn exact(channel: Channel) -> String {
    format!("{EXACT}{}", channel.name())
}

/// The channel whose values a field of ours holds: all of them, or the exact ones beside its native field.
pub fn channel(name: &str) -> Option<Channel> {
    Channel::by_name(name.strip_prefix(EXACT).unwrap_or(name))
}

/// Product name of the recorder in files from sources that name none.
pub const PRODUCT: &str = "paceport";
/// Manufacturer number of software without a number of its own; the recorder of such files.
pub const MANUFACTURER: u16 = 255;
