//! What the user decides about zones: `--zone` and `--home-zone`.

use std::str::FromStr;

use super::Zone;
use crate::error::{Error, Kind};
use crate::model::time;

/// What the user says about local time.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ZoneChoice {
    /// Judge claims by evidence.
    #[default]
    Auto,
    /// Keep what the files claim: no position is looked up, no time is moved.
    Keep,
    /// Local time was at this offset from UTC, seconds.
    Fixed(i32),
    /// Local time was that of this IANA zone.
    Named(String),
}

impl FromStr for ZoneChoice {
    type Err = Error;

    /// Reads `auto`, `keep`, `UTC`, `+02:00` (also `+2`, `+0200`) or an IANA name in any case.
    ///
    /// # Errors
    /// `Usage` for anything else.
    fn from_str(text: &str) -> Result<ZoneChoice, Error> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "auto" => return Ok(ZoneChoice::Auto),
            "keep" => return Ok(ZoneChoice::Keep),
            "z" | "utc" => return Ok(ZoneChoice::Fixed(0)),
            _ => {}
        }
        if text.starts_with(['+', '-'])
            && let Some(time::Instant { stamp: time::Stamp::Offset(offset), .. }) =
                time::parse(format!("2000-01-01T00:00:00{text}").as_bytes())
        {
            return Ok(ZoneChoice::Fixed(offset));
        }
        Zone::named(text).map(|zone| ZoneChoice::Named(zone.name().to_owned())).ok_or_else(|| {
            let message = format!(
                "no time zone \"{text}\"; write auto, keep, an offset such as +02:00, or a name such as Europe/Zurich"
            );
            Error::new(Kind::Usage, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, choice) in [
            ("auto", ZoneChoice::Auto),
            ("Keep", ZoneChoice::Keep),
            ("UTC", ZoneChoice::Fixed(0)),
            ("+02:00", ZoneChoice::Fixed(7200)),
            ("-3", ZoneChoice::Fixed(-10800)),
            ("+0545", ZoneChoice::Fixed(20700)),
            (" europe/zurich", ZoneChoice::Named("Europe/Zurich".into())),
        ] {
            assert_eq!(text.parse::<ZoneChoice>().unwrap(), choice, "{text}");
        }
        for text in ["", "Europe/Atlantis", "+99:00", "+1x", "02:00"] {
            let error = text.parse::<ZoneChoice>().unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{text}");
        }
    }
}
