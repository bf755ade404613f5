//! Garmin Connect's activity types (garmin-export.md section 3). Keys carry a version (`_v2`) or a season (`_ws`); unknown ones
//! are nearly always a kind of something known, which their end says.

use crate::model::{Sport, SubSport, parse_sport};

/// What a type key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub sport: Sport,
    pub sub_sport: Option<SubSport>,
    /// False when only the end of the key is known.
    pub exact: bool,
}

/// The meaning of a key; `None` when not even its end is known.
pub(super) fn sport(key: &str) -> Option<Meaning> {
    let lower = key.trim().to_lowercase();
    let plain = bare(&lower);
    let ends = plain.match_indices('_').map(|(at, _)| plain.get(at + 1..).unwrap_or_default());
    std::iter::once(plain).chain(ends).find_map(|end| {
        let exact = end.len() == plain.len();
        match TYPES.iter().find(|(name, _, _)| *name == end) {
            Some(&(_, sport, sub)) => {
                let sub_sport = (sub != 0).then_some(SubSport(sub));
                Some(Meaning { sport: Sport(sport), sub_sport, exact })
            }
            None => parse_sport(end).map(|(sport, sub_sport)| Meaning { sport, sub_sport, exact }),
        }
    })
}

/// The key without version and season.
fn bare(mut key: &str) -> &str {
    loop {
        let Some((stem, end)) = key.rsplit_once('_') else { return key };
        let version = end.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if !version && end != "ws" {
            return key;
        }
        key = stem;
    }
}

/// Key, FIT sport, FIT sub-sport (0: none).
static TYPES: &[(&str, u8, u8)] = &[
    ("running", 1, 0),
    ("treadmill_running", 1, 1),
    ("street_running", 1, 2),
    ("trail_running", 1, 3),
    ("track_running", 1, 4),
    ("indoor_running", 1, 45),
    ("virtual_run", 1, 58),
    ("obstacle_run", 1, 59),
    ("ultra_run", 1, 67),
    ("cycling", 2, 0),
    ("indoor_cycling", 2, 6),
    ("road_biking", 2, 7),
    ("mountain_biking", 2, 8),
    ("downhill_biking", 2, 9),
    ("recumbent_cycling", 2, 10),
    ("cyclocross", 2, 11),
    ("hand_cycling", 2, 12),
    ("track_cycling", 2, 13),
    ("bmx", 2, 29),
    ("gravel_cycling", 2, 46),
    ("bike_commuting", 2, 48),
    ("virtual_ride", 2, 58),
    ("indoor_hand_cycling", 2, 88),
    ("enduro_mtb", 2, 123),
    ("e_bike_fitness", 21, 28),
    ("e_bike_mountain", 21, 47),
    ("e_enduro_mtb", 21, 127),
    ("transition", 3, 0),
    ("bike_to_run_transition", 3, 32),
    ("run_to_bike_transition", 3, 33),
    ("swim_to_bike_transition", 3, 34),
    ("biketoruntransition", 3, 32),
    ("runtobiketransition", 3, 33),
    ("swimtobiketransition", 3, 34),
    ("fitness_equipment", 4, 0),
    ("elliptical", 4, 15),
    ("stair_climbing", 4, 16),
    ("swimming", 5, 0),
    ("lap_swimming", 5, 17),
    ("open_water_swimming", 5, 18),
    ("strength_training", 10, 20),
    ("indoor_cardio", 10, 26),
    ("cardio_training", 10, 26),
    ("yoga", 10, 43),
    ("pilates", 10, 44),
    ("breathwork", 10, 62),
    ("walking", 11, 0),
    ("indoor_walking", 11, 27),
    ("casual_walking", 11, 30),
    ("speed_walking", 11, 31),
    ("cross_country_skiing", 12, 0),
    ("cross_country_classic_skiing", 12, 0),
    ("skate_skiing", 12, 42),
    ("skiing", 13, 0),
    ("backcountry_skiing", 13, 37),
    ("backcountry_skiing_snowboarding", 13, 37),
    ("resort_skiing", 13, 38),
    ("resort_skiing_snowboarding", 13, 38),
    ("backcountry_snowboarding", 14, 37),
    ("resort_snowboarding", 14, 38),
    ("rowing", 15, 0),
    ("indoor_rowing", 15, 14),
    ("mountaineering", 16, 0),
    ("hiking", 17, 0),
    ("rucking", 17, 124),
    ("multi_sport", 18, 0),
    ("multisport", 18, 0),
    ("triathlon", 18, 78),
    ("duathlon", 18, 79),
    ("swimrun", 18, 81),
    ("paddling", 19, 0),
    ("driving_general", 24, 0),
    ("overland", 24, 98),
    ("skating", 33, 0),
    ("inline_skating", 30, 0),
    ("rock_climbing", 31, 0),
    ("indoor_climbing", 31, 68),
    ("bouldering", 31, 69),
    ("sail_race", 32, 65),
    ("snow_shoe", 35, 0),
    ("stand_up_paddleboarding", 37, 0),
    ("waterskiing", 40, 0),
    ("whitewater_rafting_kayaking", 42, 41),
    ("kiteboarding", 44, 0),
    ("single_gas_diving", 53, 53),
    ("multi_gas_diving", 53, 54),
    ("gauge_diving", 53, 55),
    ("apnea_diving", 53, 56),
    ("apnea_hunting", 53, 57),
    ("ccr_diving", 53, 63),
    ("winter_sports", 58, 0),
    ("hiit", 62, 70),
    ("esport", 63, 77),
    ("pickleball", 64, 84),
    ("padel", 64, 85),
    ("paddelball", 64, 85),
    ("platform_tennis", 64, 93),
    ("squash", 64, 94),
    ("badminton", 64, 95),
    ("racquetball", 64, 96),
    ("table_tennis", 64, 97),
    ("racket_sports", 64, 0),
    ("team_sports", 70, 0),
    ("ultimate_disc", 70, 92),
    ("field_hockey", 73, 90),
    ("ice_hockey", 73, 91),
    ("mma", 80, 0),
    ("other", 0, 0),
    ("uncategorized", 0, 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str) -> Option<(u8, u8, bool)> {
        sport(key).map(|meaning| (meaning.sport.0, meaning.sub_sport.map_or(0, |sub| sub.0), meaning.exact))
    }

    #[test]
    fn keys_lose_version_and_season() {
        assert_eq!(of("stand_up_paddleboarding_v2"), Some((37, 0, true)));
        assert_eq!(of("transition_v2"), Some((3, 0, true)));
        assert_eq!(of("cross_country_skiing_ws"), Some((12, 0, true)));
        assert_eq!(of("rowing_v2"), Some((15, 0, true)));
        assert_eq!(of("kayaking_v2"), Some((41, 0, true)));
        assert_eq!(of("Lap_Swimming"), Some((5, 17, true)));
    }

    #[test]
    fn the_longest_known_end_decides() {
        assert_eq!(of("sand_trail_running"), Some((1, 3, false)));
        assert_eq!(of("midnight_cycling"), Some((2, 0, false)));
        assert_eq!(of("ice_swimming_v2"), Some((5, 0, false)));
        assert_eq!(of("quidditch"), None);
        assert_eq!((of(""), of("_"), of("_v2")), (None, None, None));
    }

    #[test]
    fn every_key_of_the_note_is_known() {
        let keys = "running treadmill_running indoor_running track_running cycling road_biking mountain_biking virtual_ride indoor_cycling \
            lap_swimming open_water_swimming walking hiking strength_training indoor_cardio pilates meditation elliptical indoor_rowing \
            stand_up_paddleboarding_v2 multi_sport transition_v2 other trail_running virtual_run gravel_cycling yoga stair_climbing \
            rowing_v2 kayaking_v2 resort_skiing cross_country_skiing_ws";
        for key in keys.split_whitespace() {
            assert!(of(key).is_some_and(|(.., exact)| exact), "{key}");
        }
        for (key, ..) in TYPES {
            assert_eq!(TYPES.iter().filter(|(other, ..)| other == key).count(), 1, "{key}");
        }
    }
}
