//! Polar's list of sports → the canonical one.

use super::raw::Word;
use crate::model::{Sport, SubSport, parse_sport};

/// A sport, and the source's own word where the canonical sport is none or only a relative.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub sport: Sport,
    pub sub_sport: Option<SubSport>,
    pub label: Option<String>,
    /// True when nothing is known of the word.
    pub unknown: bool,
}

/// The sport that a number or word of Polar's means.
pub(super) fn find(word: &Word) -> Found {
    match word {
        Word::Id(text) => match text.parse::<u16>().ok().and_then(by_id) {
            Some(found) => found,
            None => Found { label: Some(format!("Polar sport {text}")), unknown: true, ..Found::default() },
        },
        Word::Name(fine, coarse) => by_name(fine).unwrap_or_else(|| {
            let coarse = coarse.as_deref().and_then(by_name).unwrap_or_default();
            Found { label: Some(fine.clone()), unknown: true, ..coarse }
        }),
    }
}

fn by_id(id: u16) -> Option<Found> {
    if let Some(row) = SPORTS.iter().find(|row| row.0 == id) {
        return Some(found(row));
    }
    (128..=143).contains(&id).then(|| class(format!("Les Mills class {id}")))
}

fn by_name(name: &str) -> Option<Found> {
    let squeezed: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let word = GROUPS.iter().find_map(|group| squeezed.strip_prefix(group)).unwrap_or(&squeezed);
    let named = |row: &&Row| row.1.split('|').any(|name| name.bytes().filter(|b| *b != b' ').eq(word.bytes()));
    if let Some(row) = SPORTS.iter().find(named) {
        return Some(found(row));
    }
    if word.starts_with("lesmills") {
        return Some(class(name.to_owned()));
    }
    parse_sport(name).map(|(sport, sub_sport)| Found { sport, sub_sport, ..Found::default() })
}

fn class(label: String) -> Found {
    Found { sport: Sport::TRAINING, label: Some(label), ..Found::default() }
}

fn found(&(_, names, sport, sub, exact): &Row) -> Found {
    let label = (!exact).then(|| names.split('|').next().unwrap_or(names).to_owned());
    Found { sport: Sport(sport), sub_sport: (sub != 0).then_some(SubSport(sub)), label, unknown: false }
}

/// Number, names (the first one for people, all as Polar's words without `_`), FIT sport and sub-sport, and whether these
/// say the same.
type Row = (u16, &'static str, u8, u8, bool);

/// Words that AccessLink puts in front of a sport's own.
static GROUPS: &[&str] = &["watersports", "verticalsports", "parasports"];

/// Numbers from pcolby/bipolar, `src/polar/v2/trainingsession.cpp` (polar-flow-export.md section 5); words as AccessLink's
/// `detailed_sport_info` writes them.
static SPORTS: &[Row] = &[
    (1, "running", 1, 0, true),
    (2, "cycling", 2, 0, true),
    (3, "walking", 11, 0, true),
    (4, "jogging", 1, 0, true),
    (5, "mountain biking", 2, 8, true),
    (6, "skiing", 12, 0, false),
    (7, "downhill skiing", 13, 0, true),
    (8, "rowing", 15, 0, true),
    (9, "nordic walking", 11, 0, false),
    (10, "skating", 30, 0, false),
    (11, "hiking", 17, 0, true),
    (12, "tennis", 8, 0, true),
    (13, "squash", 64, 94, true),
    (14, "badminton", 64, 95, true),
    (15, "strength training", 10, 20, true),
    (16, "other outdoor", 0, 0, false),
    (17, "treadmill running", 1, 1, true),
    (18, "indoor cycling", 2, 6, true),
    (19, "road running", 1, 2, true),
    (20, "circuit training", 10, 0, false),
    (22, "snowboarding", 14, 0, true),
    (23, "swimming|aquatics swimming", 5, 0, true),
    (24, "freestyle cross country skiing|freestyle xc skiing|xc skiing freestyle", 12, 42, true),
    (25, "classic cross country skiing|classic xc skiing|xc skiing classic", 12, 0, false),
    (27, "trail running", 1, 3, true),
    (28, "ice skating", 33, 0, true),
    (29, "inline skating", 30, 0, true),
    (30, "roller skating|roller blading", 30, 0, false),
    (32, "group exercise", 10, 0, false),
    (33, "yoga", 10, 43, true),
    (34, "crossfit", 62, 0, false),
    (35, "golf", 25, 0, true),
    (36, "track running|track and field running", 1, 4, true),
    (38, "road cycling|road biking", 2, 7, true),
    (39, "soccer|football", 7, 0, true),
    (40, "cricket", 71, 0, true),
    (41, "basketball", 6, 0, true),
    (42, "baseball", 49, 0, true),
    (43, "rugby", 72, 0, true),
    (44, "field hockey", 73, 90, true),
    (45, "volleyball", 75, 0, true),
    (46, "ice hockey", 73, 91, true),
    (47, "american football", 9, 0, true),
    (48, "handball", 70, 0, false),
    (49, "beach volleyball|beach volley", 75, 0, false),
    (50, "futsal", 7, 0, false),
    (51, "floorball", 70, 0, false),
    (52, "dancing", 83, 0, true),
    (53, "trotting", 27, 0, false),
    (54, "riding", 27, 0, true),
    (55, "cross trainer", 4, 15, true),
    (56, "martial arts|fitness martial arts", 80, 0, false),
    (57, "functional training", 10, 0, false),
    (58, "bootcamp", 10, 0, false),
    (59, "freestyle roller skiing|roller skiing freestyle", 12, 0, false),
    (60, "classic roller skiing|roller skiing classic", 12, 0, false),
    (61, "aerobics", 10, 26, false),
    (62, "aqua fitness|water exercise", 10, 0, false),
    (63, "step workout|fitness step", 10, 26, false),
    (64, "body and mind", 10, 0, false),
    (65, "pilates", 10, 44, true),
    (66, "stretching", 10, 19, true),
    (67, "fitness dancing", 83, 0, false),
    (68, "triathlon", 18, 78, true),
    (69, "duathlon", 18, 79, true),
    (70, "offroad triathlon", 18, 78, false),
    (71, "offroad duathlon", 18, 79, false),
    (82, "multisport|free multisport", 18, 0, true),
    (83, "other indoor", 0, 0, false),
    (84, "orienteering", 1, 0, false),
    (85, "ski orienteering", 12, 0, false),
    (86, "mountain bike orienteering", 2, 8, false),
    (87, "biathlon", 12, 0, false),
    (88, "sailing", 32, 0, true),
    (89, "wheelchair racing|wheelchair", 66, 0, false),
    (90, "disc golf", 69, 0, true),
    (91, "table tennis", 64, 97, true),
    (92, "ultra running|ultrarunning running", 1, 67, true),
    (94, "indoor climbing|wallclimbing", 31, 68, true),
    (95, "kayaking", 41, 0, true),
    (96, "canoeing", 88, 0, true),
    (100, "kitesurfing", 44, 0, true),
    (101, "windsurfing", 43, 0, true),
    (102, "surfing", 38, 0, true),
    (103, "pool swimming", 5, 17, true),
    (104, "finnish baseball", 49, 0, false),
    (105, "open water swimming", 5, 18, true),
    (107, "wakeboarding", 39, 0, true),
    (108, "water skiing|waterski", 40, 0, true),
    (109, "boxing", 47, 0, true),
    (110, "kickboxing|kickboxing martial arts", 47, 0, false),
    (111, "dynamic mobility|mobility dynamic", 86, 0, false),
    (112, "telemark skiing", 13, 0, false),
    (113, "backcountry skiing", 13, 37, true),
    (114, "gymnastics|gymnastick", 10, 0, false),
    (115, "judo|judo martial arts", 80, 0, false),
    (116, "snowshoe trekking", 35, 0, true),
    (117, "indoor rowing", 15, 14, true),
    (118, "spinning", 2, 5, true),
    (119, "street dancing", 83, 0, false),
    (120, "latin dancing", 83, 0, false),
    (121, "show dancing", 83, 0, false),
    (122, "ballet dancing", 83, 0, false),
    (123, "jazz dancing", 83, 0, false),
    (124, "modern dancing", 83, 0, false),
    (125, "ballroom dancing", 83, 0, false),
    (126, "core", 10, 0, false),
    (127, "static mobility|mobility static", 86, 0, false),
    (135, "Les Mills RPM|les mills rpm", 2, 5, false),
    (138, "Les Mills Sprint|les mills sprint", 2, 5, false),
    (141, "Les Mills Trip|les mills trip", 2, 5, false),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(found: &Found) -> (String, Option<String>, Option<&str>) {
        let sub = found.sub_sport.map(|sub| sub.name().into_owned());
        (found.sport.name().into_owned(), sub, found.label.as_deref())
    }

    fn id(id: &str) -> Found {
        find(&Word::Id(id.to_owned()))
    }

    fn word(fine: &str, coarse: Option<&str>) -> Found {
        find(&Word::Name(fine.to_owned(), coarse.map(str::to_owned)))
    }

    // polar-flow-export.md section 5; the canonical names from the FIT profile.
    #[test]
    fn the_ids_seen_in_exports_are_known() {
        for (number, sport, sub, label) in [
            ("1", "running", None, None),
            ("2", "cycling", None, None),
            ("3", "walking", None, None),
            ("11", "hiking", None, None),
            ("13", "racket", Some("squash"), None),
            ("15", "training", Some("strength_training"), None),
            ("16", "generic", None, Some("other outdoor")),
            ("17", "running", Some("treadmill"), None),
            ("18", "cycling", Some("indoor_cycling"), None),
            ("38", "cycling", Some("road"), None),
            ("39", "soccer", None, None),
            ("50", "soccer", None, Some("futsal")),
            ("83", "generic", None, Some("other indoor")),
            ("103", "swimming", Some("lap_swimming"), None),
            ("141", "cycling", Some("spin"), Some("Les Mills Trip")),
            ("129", "training", None, Some("Les Mills class 129")),
        ] {
            let found = id(number);
            assert_eq!(name(&found), (sport.to_owned(), sub.map(str::to_owned), label), "{number}");
            assert!(!found.unknown);
        }
    }

    #[test]
    fn every_id_of_the_list_is_known_and_no_other() {
        let listed =
            [(1..=20), (22..=25), (27..=30), (32..=36), (38..=71), (82..=92), (94..=96), (100..=105), (107..=143)];
        for number in 0..300u16 {
            let known = listed.iter().any(|ids| ids.contains(&number));
            assert_eq!(id(&number.to_string()).unknown, !known, "{number}");
        }
        assert_eq!(id("22353647432").label.as_deref(), Some("Polar sport 22353647432"));
    }

    #[test]
    fn words_are_known_the_detailed_one_first() {
        assert_eq!(name(&word("RUNNING", None)), ("running".into(), None, None));
        assert_eq!(name(&word("WALKING", Some("OTHER"))), ("walking".into(), None, None));
        assert_eq!(name(&word("WATERSPORTS_WATERSKI", Some("OTHER"))), ("water_skiing".into(), None, None));
        assert_eq!(name(&word("MOBILITY_STATIC", None)), ("mobility".into(), None, Some("static mobility")));
        assert_eq!(name(&word("CROSS-COUNTRY_SKIING", None)), ("cross_country_skiing".into(), None, None));
        assert_eq!(name(&word("LES_MILLS_BODYPUMP", None)), ("training".into(), None, Some("LES_MILLS_BODYPUMP")));
        let unknown = word("QUIDDITCH", Some("CYCLING"));
        assert_eq!((name(&unknown), unknown.unknown), (("cycling".into(), None, Some("QUIDDITCH")), true));
    }
}
