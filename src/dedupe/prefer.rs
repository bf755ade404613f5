//! What the user prefers in a merge: `power=zwift,heart_rate=garmin`.

use crate::error::{Error, Kind, Result};
use crate::model::{Activity, Channel};

/// Words besides channel names that a preference may name.
const PARTS: [&str; 8] = ["base", "position", "distance", "laps", "pauses", "sets", "rr", "name"];

/// Which source a channel or a part is taken from when several have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    wanted: Vec<(String, Wanted)>,
    /// As the user wrote them.
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// A (lower-case) part of a device, program, format or source name.
    Named(String),
    /// The one source of this name.
    Source(String),
}

impl Preferences {
    /// Reads `what=source,what=source`: `what` is a channel of the table, or `base`, `position`, `distance`, `laps`,
    /// `pauses`, `sets`, `rr`, `name`; `source` is a part of a device, program, format or source name.
    ///
    /// # Errors
    /// `Usage` for a word that is neither, or a missing `=`.
    pub fn parse(text: &str) -> Result<Preferences> {
        let mut wanted = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let Some((what, source)) = item.split_once('=').map(|(a, b)| (a.trim(), b.trim().to_lowercase())) else {
                return Err(Error::new(Kind::Usage, format!("`{item}` is not of the form channel=source")));
            };
            if source.is_empty() || (Channel::by_name(what).is_none() && !PARTS.contains(&what)) {
                let parts = PARTS.join(", ");
                let message = format!("`{item}`: not a channel (power, heart_rate …) nor one of {parts}");
                return Err(Error::new(Kind::Usage, message));
            }
            wanted.push((what.to_owned(), Wanted::Named(source)));
        }
        Ok(Preferences { wanted, text: text.trim().to_owned() })
    }

    /// As the user wrote them; empty without any.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// These, and instead of them, where it tells, what a merge of before shows: the source of its base, and of each channel.
    pub fn after<'a>(self, base: &str, origins: impl IntoIterator<Item = (&'a String, &'a String)>) -> Preferences {
        let source = |what: &str, name: &str| (what.to_owned(), Wanted::Source(name.to_owned()));
        let shown = origins.into_iter().map(|(channel, name)| source(channel, name));
        let wanted = std::iter::once(source("base", base)).chain(shown).chain(self.wanted).collect();
        Preferences { wanted, text: self.text }
    }

    /// True when this source is wanted for `what`.
    pub(super) fn wants(&self, what: &str, activity: &Activity) -> bool {
        let mut of_it = self.wanted.iter().filter(|(known, _)| known == what).map(|(_, wanted)| wanted);
        let shown = of_it.clone().find_map(|wanted| if let Wanted::Source(name) = wanted { Some(name) } else { None });
        match shown {
            Some(name) => activity.origin.source == *name,
            None => of_it.any(|wanted| matches!(wanted, Wanted::Named(word) if is_named(activity, word))),
        }
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
        assert_eq!(read.wanted.len(), 3);
        assert_eq!(read.wanted[0], ("power".to_owned(), Wanted::Named("zwift".to_owned())));
        assert_eq!(Preferences::parse("").unwrap(), Preferences::default());
        for wrong in ["power", "speeed=garmin", "power="] {
            assert_eq!(Preferences::parse(wrong).unwrap_err().kind(), Kind::Usage, "{wrong}");
        }
    }
}
