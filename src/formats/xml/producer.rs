//! What the name of a producer tells.

use crate::model::{Device, Draft, Sport, SubSport};

/// First words of device names, and who makes them. GPX files of devices and of Polar Flow name the recorder as
/// `creator` (gpx.md section 3), TCX files as `Creator`.
static MAKERS: &[(&str, &str)] = &[
    ("Garmin", "garmin"),
    ("Forerunner", "garmin"),
    ("Edge", "garmin"),
    ("eTrex", "garmin"),
    ("Oregon", "garmin"),
    ("GPSMAP", "garmin"),
    ("Montana", "garmin"),
    ("Dakota", "garmin"),
    ("fenix", "garmin"),
    ("fēnix", "garmin"),
    ("vivoactive", "garmin"),
    ("vívoactive", "garmin"),
    ("vivosmart", "garmin"),
    ("vívosmart", "garmin"),
    ("Venu", "garmin"),
    ("epix", "garmin"),
    ("Instinct", "garmin"),
    ("Foretrex", "garmin"),
    ("Polar", "polar"),
    ("Suunto", "suunto"),
    ("COROS", "coros"),
    ("TomTom", "tomtom"),
    ("Wahoo", "wahoo_fitness"),
    ("Huami", "huami"),
    ("Holux", "holux"),
    ("Timex", "timex"),
    ("SIGMA", "sigmasport"),
    ("ROX", "sigmasport"),
    ("Bryton", "bryton"),
    ("Lezyne", "lezyne"),
    ("Concept2", "concept2"),
];

/// Programs and platforms whose names begin like a device of theirs.
static PROGRAMS: &[&str] = &[
    "Garmin Connect",
    "Garmin International",
    "Garmin Desktop",
    "Polar WebSync",
    "Polar Flow",
    "Polar ProTrainer",
    "Suunto app",
];

/// Producers that write local wall time marked as UTC (gpx.md section 6, polar.md section 6).
static LOCAL_AS_UTC: &[&str] = &["Polar WebSync", "code.google.com/p/GH615", "OnMove", "Geonaute", "osmscout-sailfish"];

/// The device of this name; the maker only where the name tells.
pub fn device_named(name: &str) -> Device {
    Device { manufacturer: maker(name).map(str::to_owned), product: Some(name.to_owned()), ..Device::default() }
}

/// The recorder that a GPX `creator` names, when it is one and no program.
pub fn device_of(creator: &str) -> Option<Device> {
    let program = PROGRAMS.iter().any(|program| creator.starts_with(program));
    (!program && maker(creator).is_some()).then(|| device_named(creator))
}

fn maker(name: &str) -> Option<&'static str> {
    MAKERS.iter().find(|(word, _)| starts_with_word(name, word)).map(|(_, maker)| *maker)
}

/// `Edge 705` and `Forerunner305` begin with a device word, `Edgeworth` does not.
fn starts_with_word(name: &str, word: &str) -> bool {
    let Some(head) = name.get(..word.len()) else { return false };
    let same = head.chars().flat_map(char::to_lowercase).eq(word.chars().flat_map(char::to_lowercase));
    same && !name[word.len()..].starts_with(char::is_alphabetic)
}

/// Marks what Zwift recorded as virtual, where the sport is one that it knows (gpx.md section 3, tcx.md section 6).
pub fn mark_virtual(draft: &mut Draft) {
    let recording = &mut draft.recording;
    let zwift = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains("Zwift"));
    let recorder = zwift(&recording.creator) || recording.device().is_some_and(|device| zwift(&device.product));
    if recorder && recording.sub_sport.is_none() && matches!(recording.sport, Sport::CYCLING | Sport::RUNNING) {
        recording.sub_sport = Some(SubSport::VIRTUAL);
    }
}

/// True for a producer that is known to write local time as UTC.
pub fn writes_local_as_utc(creator: &str) -> bool {
    LOCAL_AS_UTC.iter().any(|known| creator.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_from_programs() {
        let maker = |creator: &str| device_of(creator).map(|device| device.manufacturer.unwrap());
        assert_eq!(maker("eTrex 30").as_deref(), Some("garmin"));
        assert_eq!(maker("Polar M400").as_deref(), Some("polar"));
        assert_eq!(maker("Forerunner305 (Geräte-ID 1)").as_deref(), Some("garmin"));
        for program in ["Garmin Connect", "Polar WebSync 2.4 - www.polar.fi", "Edgeworth", "StravaGPX", "", "é"] {
            assert_eq!(device_of(program), None, "{program}");
        }
    }

    #[test]
    fn known_clock_faults() {
        assert!(writes_local_as_utc("Polar WebSync 2.4 - www.polar.fi"));
        assert!(!writes_local_as_utc("Polar M400"));
    }
}
