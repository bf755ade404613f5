//! Sports. The canonical list is the FIT enumeration: a number with a name, so that unknown numbers survive.
//! Platforms map their own codes to it in `exports`; a text that maps to nothing is kept in `Recording::sport_label`.

/// FIT `sport` number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sport(pub u8);

/// FIT `sub_sport` number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubSport(pub u8);

impl Sport {
    /// Anything, or not known.
    pub const GENERIC: Sport = Sport(0);
    /// Running.
    pub const RUNNING: Sport = Sport(1);
    /// Cycling.
    pub const CYCLING: Sport = Sport(2);
    /// The change between two legs of a multisport recording.
    pub const TRANSITION: Sport = Sport(3);
    /// Indoor machines.
    pub const FITNESS_EQUIPMENT: Sport = Sport(4);
    /// Swimming.
    pub const SWIMMING: Sport = Sport(5);
    /// Strength and cardio training.
    pub const TRAINING: Sport = Sport(10);
    /// Walking.
    pub const WALKING: Sport = Sport(11);
    /// Rowing.
    pub const ROWING: Sport = Sport(15);
    /// Hiking.
    pub const HIKING: Sport = Sport(17);
    /// Several sports in one recording.
    pub const MULTISPORT: Sport = Sport(18);

    /// Lower-case name of the FIT profile; `sport_<n>` for a number that it does not name.
    pub fn name(self) -> std::borrow::Cow<'static, str> {
        name_in(SPORTS, self.0).map_or_else(|| format!("sport_{}", self.0).into(), Into::into)
    }

    /// The sport with this profile name (or `sport_<n>`).
    pub fn by_name(name: &str) -> Option<Sport> {
        number_in(SPORTS, name, "sport_").map(Sport)
    }

    /// The profile's names of all sports, in order of their numbers.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SPORTS.iter().map(|(_, name)| *name)
    }

    /// True where cadence means strides of one leg.
    pub fn is_on_foot(self) -> bool {
        matches!(self.0, 1 | 11 | 16 | 17 | 35 | 65 | 66)
    }
}

impl SubSport {
    /// Nothing special.
    pub const GENERIC: SubSport = SubSport(0);
    /// On the way to work.
    pub const COMMUTING: SubSport = SubSport(48);
    /// In a simulated world (Zwift and the like).
    pub const VIRTUAL: SubSport = SubSport(58);

    /// Lower-case name of the FIT profile; `sub_sport_<n>` for a number that it does not name.
    pub fn name(self) -> std::borrow::Cow<'static, str> {
        name_in(SUB_SPORTS, self.0).map_or_else(|| format!("sub_sport_{}", self.0).into(), Into::into)
    }

    /// The sub-sport with this profile name (or `sub_sport_<n>`).
    pub fn by_name(name: &str) -> Option<SubSport> {
        number_in(SUB_SPORTS, name, "sub_sport_").map(SubSport)
    }
}

/// The sport that a free text names: GPX `type`, TCX `Sport`, notes of other programs. Case, blanks, `-` and `_` do not
/// count. `None` when the word is not known; the caller keeps the text.
pub fn parse_sport(text: &str) -> Option<(Sport, Option<SubSport>)> {
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // "Outdoor Run" of phones and bands; Garmin's keys with a version or a season.
    let bare = || word.strip_prefix("outdoor").or(word.strip_suffix("v2")).or(word.strip_suffix("ws"));
    known(&word).or_else(|| known(bare()?))
}

/// The sport of a squeezed lower-case word.
fn known(word: &str) -> Option<(Sport, Option<SubSport>)> {
    if word.is_empty() {
        return None;
    }
    if let Some(&(_, sport, sub)) = WORDS.iter().find(|(name, _, _)| *name == word) {
        return Some((Sport(sport), (sub != 0).then_some(SubSport(sub))));
    }
    let squeezed = |name: &str| name.replace('_', "") == word;
    SPORTS.iter().find(|(_, name)| squeezed(name)).map(|&(number, _)| (Sport(number), None))
}

/// Words of other programs: squeezed lower-case text, sport, sub-sport (0: none).
static WORDS: &[(&str, u8, u8)] = &[
    ("run", 1, 0),
    ("jogging", 1, 0),
    ("jog", 1, 0),
    ("treadmill", 1, 1),
    ("treadmillrunning", 1, 1),
    ("trailrunning", 1, 3),
    ("trailrun", 1, 3),
    ("trackrunning", 1, 4),
    ("virtualrun", 1, 58),
    ("streetrunning", 1, 2),
    ("indoorrunning", 1, 45),
    ("ultrarun", 1, 67),
    ("indoorrun", 1, 45),
    ("ride", 2, 0),
    ("biking", 2, 0),
    ("bike", 2, 0),
    ("bicycle", 2, 0),
    ("roadbiking", 2, 7),
    ("roadcycling", 2, 7),
    ("roadbike", 2, 7),
    ("mountainbiking", 2, 8),
    ("mountainbike", 2, 8),
    ("mountainbikeride", 2, 8),
    ("mtb", 2, 8),
    ("gravelride", 2, 46),
    ("gravelcycling", 2, 46),
    ("cyclocross", 2, 11),
    ("indoorcycling", 2, 6),
    ("indoorbiking", 2, 6),
    ("spinning", 2, 5),
    ("virtualride", 2, 58),
    ("virtualcycling", 2, 58),
    // Endomondo.
    ("cyclingsport", 2, 0),
    ("cyclingtransportation", 2, 0),
    ("fitnesswalking", 11, 0),
    ("skiingcrosscountry", 12, 0),
    ("skiingdownhill", 13, 0),
    ("ebikeride", 21, 0),
    ("ebike", 21, 0),
    ("walk", 11, 0),
    ("casualwalking", 11, 30),
    ("speedwalking", 11, 31),
    ("nordicwalking", 11, 0),
    ("hike", 17, 0),
    ("swim", 5, 0),
    ("poolswim", 5, 17),
    ("lapswimming", 5, 17),
    ("openwaterswimming", 5, 18),
    ("openwaterswim", 5, 18),
    ("nordicski", 12, 0),
    ("xcskiing", 12, 0),
    ("crosscountryskiing", 12, 0),
    ("nordicskiing", 12, 0),
    ("alpineski", 13, 0),
    ("skiing", 13, 0),
    ("backcountryski", 13, 37),
    ("backcountryskiing", 13, 37),
    ("resortskiing", 13, 38),
    ("resortskiingsnowboarding", 13, 38),
    ("snowboard", 14, 0),
    ("snowshoe", 35, 0),
    ("rowing", 15, 0),
    ("indoorrowing", 15, 14),
    ("virtualrow", 15, 14),
    ("kayak", 41, 0),
    ("canoe", 88, 0),
    ("standuppaddling", 37, 0),
    ("sup", 37, 0),
    ("inlineskate", 30, 0),
    ("iceskate", 33, 0),
    ("climbing", 31, 0),
    ("indoorclimbing", 31, 68),
    ("bouldering", 31, 69),
    ("weighttraining", 10, 20),
    ("strengthtraining", 10, 20),
    ("strength", 10, 20),
    ("yoga", 10, 43),
    ("pilates", 10, 44),
    ("workout", 10, 0),
    ("cardio", 10, 26),
    ("crossfit", 62, 0),
    ("elliptical", 4, 15),
    ("stairstepper", 4, 16),
    ("golf", 25, 0),
    ("sail", 32, 0),
    ("other", 0, 0),
    ("uncategorized", 0, 0),
];

fn name_in(table: &'static [(u8, &'static str)], number: u8) -> Option<&'static str> {
    table.iter().find(|(n, _)| *n == number).map(|(_, name)| *name)
}

fn number_in(table: &[(u8, &str)], name: &str, prefix: &str) -> Option<u8> {
    table
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(number, _)| *number)
        .or_else(|| name.strip_prefix(prefix)?.parse().ok())
}

/// Numbers and names of FIT `sport`, profile 21.218.
static SPORTS: &[(u8, &str)] = &[
    (0, "generic"),
    (1, "running"),
    (2, "cycling"),
    (3, "transition"),
    (4, "fitness_equipment"),
    (5, "swimming"),
    (6, "basketball"),
    (7, "soccer"),
    (8, "tennis"),
    (9, "american_football"),
    (10, "training"),
    (11, "walking"),
    (12, "cross_country_skiing"),
    (13, "alpine_skiing"),
    (14, "snowboarding"),
    (15, "rowing"),
    (16, "mountaineering"),
    (17, "hiking"),
    (18, "multisport"),
    (19, "paddling"),
    (20, "flying"),
    (21, "e_biking"),
    (22, "motorcycling"),
    (23, "boating"),
    (24, "driving"),
    (25, "golf"),
    (26, "hang_gliding"),
    (27, "horseback_riding"),
    (28, "hunting"),
    (29, "fishing"),
    (30, "inline_skating"),
    (31, "rock_climbing"),
    (32, "sailing"),
    (33, "ice_skating"),
    (34, "sky_diving"),
    (35, "snowshoeing"),
    (36, "snowmobiling"),
    (37, "stand_up_paddleboarding"),
    (38, "surfing"),
    (39, "wakeboarding"),
    (40, "water_skiing"),
    (41, "kayaking"),
    (42, "rafting"),
    (43, "windsurfing"),
    (44, "kitesurfing"),
    (45, "tactical"),
    (46, "jumpmaster"),
    (47, "boxing"),
    (48, "floor_climbing"),
    (49, "baseball"),
    (53, "diving"),
    (56, "shooting"),
    (58, "winter_sport"),
    (59, "grinding"),
    (62, "hiit"),
    (63, "video_gaming"),
    (64, "racket"),
    (65, "wheelchair_push_walk"),
    (66, "wheelchair_push_run"),
    (67, "meditation"),
    (68, "para_sport"),
    (69, "disc_golf"),
    (70, "team_sport"),
    (71, "cricket"),
    (72, "rugby"),
    (73, "hockey"),
    (74, "lacrosse"),
    (75, "volleyball"),
    (76, "water_tubing"),
    (77, "wakesurfing"),
    (78, "water_sport"),
    (79, "archery"),
    (80, "mixed_martial_arts"),
    (81, "motor_sports"),
    (82, "snorkeling"),
    (83, "dance"),
    (84, "jump_rope"),
    (85, "pool_apnea"),
    (86, "mobility"),
    (87, "geocaching"),
    (88, "canoeing"),
    (254, "all"),
];

/// Numbers and names of FIT `sub_sport`, profile 21.218.
static SUB_SPORTS: &[(u8, &str)] = &[
    (0, "generic"),
    (1, "treadmill"),
    (2, "street"),
    (3, "trail"),
    (4, "track"),
    (5, "spin"),
    (6, "indoor_cycling"),
    (7, "road"),
    (8, "mountain"),
    (9, "downhill"),
    (10, "recumbent"),
    (11, "cyclocross"),
    (12, "hand_cycling"),
    (13, "track_cycling"),
    (14, "indoor_rowing"),
    (15, "elliptical"),
    (16, "stair_climbing"),
    (17, "lap_swimming"),
    (18, "open_water"),
    (19, "flexibility_training"),
    (20, "strength_training"),
    (21, "warm_up"),
    (22, "match"),
    (23, "exercise"),
    (24, "challenge"),
    (25, "indoor_skiing"),
    (26, "cardio_training"),
    (27, "indoor_walking"),
    (28, "e_bike_fitness"),
    (29, "bmx"),
    (30, "casual_walking"),
    (31, "speed_walking"),
    (32, "bike_to_run_transition"),
    (33, "run_to_bike_transition"),
    (34, "swim_to_bike_transition"),
    (35, "atv"),
    (36, "motocross"),
    (37, "backcountry"),
    (38, "resort"),
    (39, "rc_drone"),
    (40, "wingsuit"),
    (41, "whitewater"),
    (42, "skate_skiing"),
    (43, "yoga"),
    (44, "pilates"),
    (45, "indoor_running"),
    (46, "gravel_cycling"),
    (47, "e_bike_mountain"),
    (48, "commuting"),
    (49, "mixed_surface"),
    (50, "navigate"),
    (51, "track_me"),
    (52, "map"),
    (53, "single_gas_diving"),
    (54, "multi_gas_diving"),
    (55, "gauge_diving"),
    (56, "apnea_diving"),
    (57, "apnea_hunting"),
    (58, "virtual_activity"),
    (59, "obstacle"),
    (62, "breathing"),
    (63, "ccr_diving"),
    (65, "sail_race"),
    (66, "expedition"),
    (67, "ultra"),
    (68, "indoor_climbing"),
    (69, "bouldering"),
    (70, "hiit"),
    (71, "indoor_grinding"),
    (72, "hunting_with_dogs"),
    (73, "amrap"),
    (74, "emom"),
    (75, "tabata"),
    (77, "esport"),
    (78, "triathlon"),
    (79, "duathlon"),
    (80, "brick"),
    (81, "swim_run"),
    (82, "adventure_race"),
    (83, "trucker_workout"),
    (84, "pickleball"),
    (85, "padel"),
    (86, "indoor_wheelchair_walk"),
    (87, "indoor_wheelchair_run"),
    (88, "indoor_hand_cycling"),
    (90, "field"),
    (91, "ice"),
    (92, "ultimate"),
    (93, "platform"),
    (94, "squash"),
    (95, "badminton"),
    (96, "racquetball"),
    (97, "table_tennis"),
    (98, "overland"),
    (99, "trolling_motor"),
    (110, "fly_canopy"),
    (111, "fly_paraglide"),
    (112, "fly_paramotor"),
    (113, "fly_pressurized"),
    (114, "fly_navigate"),
    (115, "fly_timer"),
    (116, "fly_altimeter"),
    (117, "fly_wx"),
    (118, "fly_vfr"),
    (119, "fly_ifr"),
    (121, "dynamic_apnea"),
    (123, "enduro"),
    (124, "rucking"),
    (125, "rally"),
    (126, "pool_triathlon"),
    (127, "e_bike_enduro"),
    (254, "all"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_go_both_ways() {
        for number in 0..=255 {
            assert_eq!(Sport::by_name(&Sport(number).name()), Some(Sport(number)));
            assert_eq!(SubSport::by_name(&SubSport(number).name()), Some(SubSport(number)));
        }
        assert_eq!(Sport(1).name(), "running");
        assert_eq!(SubSport(3).name(), "trail");
    }

    #[test]
    fn words_of_other_programs_are_understood() {
        assert_eq!(parse_sport("Biking"), Some((Sport::CYCLING, None)));
        assert_eq!(parse_sport("trail_running"), Some((Sport::RUNNING, Some(SubSport(3)))));
        assert_eq!(parse_sport("Cross-country skiing"), Some((Sport(12), None)));
        assert_eq!(parse_sport("Outdoor Walking"), Some((Sport::WALKING, None)));
        assert_eq!(parse_sport("CYCLING_SPORT"), Some((Sport::CYCLING, None)));
        assert_eq!(parse_sport("resort_skiing_snowboarding_ws"), Some((Sport(13), Some(SubSport(38)))));
        assert_eq!(parse_sport("kayaking_v2"), Some((Sport(41), None)));
        for unknown in ["underwater chess", "outdoor", "ws", "v2"] {
            assert_eq!(parse_sport(unknown), None, "{unknown}");
        }
    }
}
