//! Local time: where a recording was made, which zone that is, what its clocks showed then; and the verdict on what a
//! file claims about its times.
//!
//! Zone polygons (`tzf-rs`) and zone rules (`jiff`) are compiled in; the machine's zone and zone files are never read.
//! The polygons open on the first look-up (about 3 ms, 8 MB) and then answer in well under a microsecond.

mod choice;
mod judge;
mod reconcile;

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use tzf_rs::EmbeddedFinder;

pub use choice::ZoneChoice;
pub use judge::{KEPT, Verdict};
pub(super) use judge::{is_virtual, judge, quarter_hours};
pub use reconcile::{Claim, Correction, PAIR, Source, reconcile};

/// `EmbeddedFinder` reads the bundled polygons in place: it opens 15 times faster than the finder that unpacks them, in a
/// fifth of the memory, and one look-up an activity does not notice its slower queries.
static POLYGONS: LazyLock<EmbeddedFinder> = LazyLock::new(EmbeddedFinder::new);

/// True for notes that tell how the verdict on a recording's times came about. Who keeps the verdict keeps them.
pub fn is_verdict_note(code: &str) -> bool {
    [judge::NOTES, reconcile::NOTES, super::clock::NOTES].concat().iter().any(|note| note.id == code)
}

/// A time zone with its rules.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

/// A wall-clock time made an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolved {
    /// Offset that applies, seconds.
    pub offset_s: i32,
    /// How often the wall clock showed that time.
    pub shown: Shown,
}

/// How often a wall clock showed some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Once, as almost always.
    Once,
    /// Twice: the clocks were set back; the earlier of the two is meant.
    Twice,
    /// Never: the clocks were set forward over it; the offset before the change is meant.
    Never,
}

impl Zone {
    /// The zone at a position, degrees WGS-84. `None` where no polygon lies.
    pub fn at(lat: f64, lon: f64) -> Option<Zone> {
        if !(lat.abs() <= 90.0 && lon.abs() <= 180.0) {
            return None;
        }
        Zone::named(POLYGONS.get_tz_name(lon, lat))
    }

    /// All zones at a position: disputed areas have several.
    pub(super) fn all_at(lat: f64, lon: f64) -> Vec<Zone> {
        POLYGONS.get_tz_names(lon, lat).into_iter().filter_map(Zone::named).collect()
    }

    /// The zone with this IANA name, in any case.
    pub fn named(name: &str) -> Option<Zone> {
        TimeZoneDatabase::bundled().get(name).ok().map(Zone)
    }

    /// IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// True at sea, where the zone is only a stripe of 15° of longitude and ships keep what time they like.
    pub fn is_nautical(&self) -> bool {
        self.name().starts_with("Etc/")
    }

    /// Offset from UTC at an instant (ms since the epoch), seconds; `None` outside the years that the rules know.
    pub fn offset_at(&self, ms: i64) -> Option<i32> {
        let instant = Timestamp::from_millisecond(ms).ok()?;
        Some(self.0.to_offset(instant).seconds())
    }

    /// The offset that applies when a wall clock there shows `wall_ms` (read as if it were UTC).
    pub(super) fn resolve(&self, wall_ms: i64) -> Option<Resolved> {
        let wall = jiff::tz::Offset::UTC.to_datetime(Timestamp::from_millisecond(wall_ms).ok()?);
        let (offset, shown) = match self.0.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, Shown::Once),
            // The offset before a change gives the earlier instant of two, and moves a time that never was forward.
            AmbiguousOffset::Fold { before, .. } => (before, Shown::Twice),
            AmbiguousOffset::Gap { before, .. } => (before, Shown::Never),
        };
        Some(Resolved { offset_s: offset.seconds(), shown })
    }
}

/// The offset that applies when a wall clock at a position shows `wall_ms`, seconds.
pub(super) fn local_offset((lat, lon): (f64, f64), wall_ms: i64) -> Option<i32> {
    Zone::at(lat, lon)?.resolve(wall_ms).map(|resolved| resolved.offset_s)
}

/// `+02:00`, `-03:30`; seconds only when there are some.
pub fn offset_text(offset_s: i32) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let s = offset_s.unsigned_abs();
    let text = format!("{sign}{:02}:{:02}", s / 3600, s / 60 % 60);
    if s.is_multiple_of(60) { text } else { format!("{text}:{:02}", s % 60) }
}

/// A span of time in words: `1 h`, `5 h 30 min`, `7168 days`.
pub(super) fn span_text(ms: i64) -> String {
    let s = ms.unsigned_abs() / 1000;
    let parts = [(s / 86_400, "days"), (s / 3600 % 24, "h"), (s / 60 % 60, "min"), (s % 60, "s")];
    let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time;

    fn ms(text: &str) -> i64 {
        time::parse(text.as_bytes()).unwrap().ms
    }

    #[test]
    fn every_zone_of_the_polygons_has_rules() {
        let names = POLYGONS.timezonenames();
        assert!(names.len() > 400, "only {} zones: historical zones would be merged", names.len());
        let missing: Vec<_> = names.iter().filter(|name| Zone::named(name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    // Expectations from Python's zoneinfo.
    #[test]
    fn places_have_the_offset_of_their_time() {
        for (lat, lon, at, name, offset) in [
            (47.37, 8.54, "2024-05-01T07:12:00Z", "Europe/Zurich", 7200),
            (27.70, 85.32, "2024-05-01T07:12:00Z", "Asia/Kathmandu", 20700),
            (55.75, 37.62, "2012-01-01T00:00:00Z", "Europe/Moscow", 14400),
            (55.75, 37.62, "2016-01-01T00:00:00Z", "Europe/Moscow", 10800),
        ] {
            let zone = Zone::at(lat, lon).unwrap();
            assert_eq!((zone.name(), zone.offset_at(ms(at))), (name, Some(offset)));
        }
        assert!(Zone::at(5.2, -120.0).unwrap().is_nautical());
        assert!(Zone::at(f64::NAN, 0.0).is_none());
        assert!(Zone::at(91.0, 0.0).is_none());
    }

    #[test]
    fn wall_clocks_resolve_around_changes() {
        let zone = Zone::named("europe/berlin").unwrap();
        assert_eq!(zone.name(), "Europe/Berlin");
        let resolve = |text| zone.resolve(ms(text)).map(|r| (r.offset_s, r.shown));
        assert_eq!(resolve("2024-10-27T02:30:00Z"), Some((7200, Shown::Twice)));
        assert_eq!(resolve("2024-03-31T02:30:00Z"), Some((3600, Shown::Never)));
        assert_eq!(resolve("2024-07-01T02:30:00Z"), Some((7200, Shown::Once)));
        assert_eq!(zone.resolve(i64::MAX), None);
    }

    #[test]
    fn offsets_and_spans_print_for_people() {
        assert_eq!(
            [7200, -12600, 0, 20700, -2670].map(offset_text),
            ["+02:00", "-03:30", "+00:00", "+05:45", "-00:44:30"]
        );
        assert_eq!(span_text(-19_800_000), "5 h 30 min");
        assert_eq!(span_text(619_315_200_000), "7168 days");
        assert_eq!(span_text(0), "0 s");
    }
}
