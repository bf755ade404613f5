//! What the user prefers in a merge: `power=zwift,heart_rate=garmin`.

use crate::error::{Error, Kind, Result};
use crate::model::{Activity, Channel};

/// Words besides channel names that a preference may name.
const PARTS: [&str; 8] = ["base", "position", "distance", "laps", "pauses", "sets", "rr", "name"];

/// Which source a channel or a part is taken from when several have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences(Vec<(String, String)>);

impl Preferences {
    /// Reads `what=source,what=source`: `what` is a channel of the table, or `base`, `position`, `distance`, `laps`,
    /// `pauses`, `sets`, `rr`, `name`; `source` is a part of a device, program, format or source name.
    ///
    /// # Errors
    /// `Usage` for a word that is neither, or a missing `=`.
    pub fn parse(text: &str) -> Result<Preferences> {
        let mut preferences = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let Some((what, source)) = item.split_once('=').map(|(a, b)| (a.trim(), b.trim().to_lowercase())) else {
                return Err(Error::new(Kind::Usage, format!("`{item}` is not of the form channel=source")));
            };
            if source.is_empty() || (Channel::by_name(what).is_none() && !PARTS.contains(&what)) {
                let parts = PARTS.join(", ");
                let message = format!("`{item}`: not a channel (power, heart_rate …) nor one of {parts}");
                return Err(Error::new(Kind::Usage, message));
            }
            preferences.push((what.to_owned(), source));
        }
        Ok(Preferences(preferences))
    }

    /// Those that a merge of before shows: its base, and the source of each channel.
    pub fn shown<'a>(base: &str, origins: impl IntoIterator<Item = (&'a String, &'a String)>) -> Preferences {
        let channels = origins.into_iter().map(|(channel, source)| (channel.clone(), source.to_lowercase()));
        Preferences(std::iter::once(("base".to_owned(), base.to_lowercase())).chain(channels).collect())
    }

    /// True when this source is wanted for `what`.
    pub(super) fn wants(&self, what: &str, activity: &Activity) -> bool {
        self.0.iter().filter(|(known, _)| known == what).any(|(_, source)| is_named(activity, source))
    }
}

/// True when a device, program, format or source name holds the (lower-case) word.
fn is_named(activity: &Activity, word: &str) -> bool {
    let devices = activity.devices.iter().take(1).flat_map(|d| [&d.manufacturer, &d.product, &d.serial]);
    devices
        .flatten()
        .chain(&activity.creator)
        .chain([&activity.origin.format, &activity.origin.source])
        .any(|name| name.to_lowercase().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_channels_and_parts_and_refuses_others() {
        let read = Preferences::parse("power=Zwift, heart_rate=garmin,base=fit").unwrap();
        assert_eq!(read.0.len(), 3);
        assert_eq!(read.0[0], ("power".to_owned(), "zwift".to_owned()));
        assert_eq!(Preferences::parse("").unwrap(), Preferences::default());
        for wrong in ["power", "speeed=garmin", "power="] {
            assert_eq!(Preferences::parse(wrong).unwrap_err().kind(), Kind::Usage, "{wrong}");
        }
    }
}
