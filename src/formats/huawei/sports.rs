//! Sport codes (huawei.md section 6). The cloud's and the watch's small numbers clash, so each place has its own table.

use crate::model::{Sport, SubSport};

/// A sport as FIT names it; the words are kept where FIT has none for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    pub sport: Sport,
    pub sub_sport: Option<SubSport>,
    pub words: Option<&'static str>,
}

/// The sport of the top level's `sportType`.
pub(super) fn cloud(code: i64) -> Option<Known> {
    let paired = PAIRED.iter().find(|(cloud, ..)| *cloud == code).map(|(_, _, row)| row);
    paired.or_else(|| common(code)).map(known)
}

/// The sport of SIMPLIFY's `sportType`.
pub(super) fn local(code: i64) -> Option<Known> {
    let paired = PAIRED.iter().find(|(_, local, _)| *local == code).map(|(_, _, row)| row);
    paired.or_else(|| common(code)).map(known)
}

/// FIT sport, FIT sub-sport (0: none), words (empty: FIT says it all).
type Row = (u8, u8, &'static str);

fn common(code: i64) -> Option<&'static Row> {
    COMMON.iter().find(|(common, _)| *common == code).map(|(_, row)| row)
}

fn known(&(sport, sub, words): &Row) -> Known {
    Known {
        sport: Sport(sport),
        sub_sport: (sub != 0).then_some(SubSport(sub)),
        words: (!words.is_empty()).then_some(words),
    }
}

/// Cloud code, local code, sport.
static PAIRED: &[(i64, i64, Row)] = &[
    (1, 261, (4, 16, "climbing stairs")),
    (2, 260, (17, 0, "mountain hike")),
    (3, 259, (2, 0, "")),
    (4, 258, (1, 0, "")),
    (5, 257, (11, 0, "")),
    (101, 264, (1, 1, "")),
    (102, 262, (5, 17, "")),
    (103, 265, (2, 6, "")),
    (104, 266, (5, 18, "")),
    (105, 128, (64, 97, "")),
    (106, 129, (64, 95, "")),
    (107, 130, (8, 0, "")),
    (108, 270, (7, 0, "")),
    (109, 271, (6, 0, "")),
    (110, 133, (75, 0, "")),
    (111, 273, (4, 15, "")),
    (112, 274, (15, 14, "")),
    (113, 275, (4, 16, "stepper")),
    (114, 137, (10, 43, "")),
    (115, 138, (10, 44, "")),
    (116, 139, (10, 26, "aerobics")),
    (117, 279, (0, 0, "other")),
    (118, 280, (1, 3, "")),
];

/// Codes with one meaning in both tables.
static COMMON: &[(i64, Row)] = &[
    (128, (64, 97, "")),
    (129, (64, 95, "")),
    (130, (8, 0, "")),
    (131, (7, 0, "")),
    (132, (6, 0, "")),
    (133, (75, 0, "")),
    (134, (4, 15, "")),
    (135, (15, 14, "")),
    (136, (4, 16, "stepper")),
    (137, (10, 43, "")),
    (138, (10, 44, "")),
    (139, (10, 26, "aerobics")),
    (140, (10, 20, "")),
    (141, (2, 5, "")),
    (142, (4, 0, "air walker")),
    (143, (62, 0, "")),
    (145, (10, 26, "crossfit")),
    (146, (10, 20, "functional training")),
    (147, (10, 0, "physical training")),
    (148, (80, 0, "taekwondo")),
    (149, (47, 0, "")),
    (150, (80, 0, "sparring")),
    (151, (80, 0, "karate")),
    (152, (0, 0, "fencing")),
    (153, (83, 0, "belly dance")),
    (154, (83, 0, "jazz dance")),
    (155, (83, 0, "latin dance")),
    (156, (83, 0, "ballet")),
    (157, (10, 20, "core training")),
    (158, (10, 26, "body combat")),
    (159, (80, 0, "kendo")),
    (160, (10, 20, "horizontal bar")),
    (161, (10, 20, "parallel bars")),
    (162, (83, 0, "street dance")),
    (163, (30, 0, "")),
    (164, (80, 0, "martial arts")),
    (165, (83, 0, "square dance")),
    (166, (80, 0, "tai chi")),
    (167, (83, 0, "")),
    (168, (10, 0, "hula hoop")),
    (169, (0, 0, "frisbee")),
    (170, (0, 0, "darts")),
    (171, (79, 0, "")),
    (172, (27, 0, "")),
    (173, (0, 0, "laser tag")),
    (174, (0, 0, "kite")),
    (175, (70, 0, "tug of war")),
    (176, (0, 0, "swing")),
    (177, (4, 16, "climbing stairs")),
    (178, (1, 59, "")),
    (179, (0, 0, "billiards")),
    (180, (0, 0, "bowling")),
    (181, (0, 0, "shuttlecock")),
    (182, (70, 0, "handball")),
    (183, (49, 0, "")),
    (184, (70, 0, "softball")),
    (185, (71, 0, "")),
    (186, (72, 0, "")),
    (187, (7, 0, "beach football")),
    (188, (75, 0, "beach volleyball")),
    (189, (70, 0, "gateball")),
    (190, (73, 0, "")),
    (191, (64, 94, "")),
    (192, (70, 0, "sepak takraw")),
    (193, (70, 0, "dodgeball")),
    (194, (32, 0, "")),
    (195, (38, 0, "")),
    (196, (29, 0, "")),
    (197, (42, 0, "")),
    (198, (19, 0, "dragon boat")),
    (199, (88, 0, "")),
    (200, (15, 0, "")),
    (201, (23, 0, "water scooter")),
    (202, (37, 0, "")),
    (203, (33, 0, "skating")),
    (204, (73, 91, "ice hockey")),
    (205, (58, 0, "curling")),
    (206, (58, 0, "bobsleigh")),
    (207, (58, 0, "sledge")),
    (208, (12, 0, "biathlon")),
    (209, (0, 0, "skateboard")),
    (210, (31, 0, "")),
    (211, (0, 0, "bungee")),
    (212, (0, 0, "parkour")),
    (213, (2, 29, "")),
    (214, (1, 50, "orienteering")),
    (215, (34, 0, "parachute")),
    (216, (81, 0, "")),
    (217, (58, 0, "snow sports 217")),
    (218, (58, 0, "snow sports 218")),
    (219, (58, 0, "snow sports 219")),
    (220, (25, 0, "")),
    (222, (0, 0, "way-point sport")),
    (223, (63, 77, "")),
    (224, (64, 85, "")),
    (263, (25, 0, "")),
    (267, (64, 97, "")),
    (278, (10, 20, "bodybuilding")),
    (281, (11, 27, "")),
    (282, (17, 0, "")),
    (283, (84, 0, "")),
    (512, (18, 0, "")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_never_mixed() {
        // Cloud 5 is a walk, local 5 (a device's treadmill) is nothing; local 258 is a run, cloud 258 nothing.
        assert_eq!(cloud(5).map(|k| k.sport), Some(Sport::WALKING));
        assert_eq!((local(5), cloud(258), local(258).map(|k| k.sport)), (None, None, Some(Sport::RUNNING)));
        // 128 to 224 mean the same in both, and cloud 105 is local 128.
        assert_eq!((cloud(128), local(128)), (cloud(105), cloud(105)));
        assert_eq!([144, 221, 286, 287, 288, 291, 0, -1].map(cloud), [None; 8]);
    }

    #[test]
    fn every_code_names_a_sport_of_the_profile() {
        let rows = PAIRED.iter().map(|(_, _, row)| row).chain(COMMON.iter().map(|(_, row)| row));
        for row in rows {
            let known = known(row);
            assert!(!known.sport.name().starts_with("sport_"), "{row:?}");
            assert!(known.sub_sport.is_none_or(|sub| !sub.name().starts_with("sub_sport_")), "{row:?}");
            assert!(known.sport != Sport::GENERIC || known.words.is_some(), "{row:?}");
        }
        let mut codes: Vec<i64> = COMMON.iter().map(|(code, _)| *code).collect();
        codes.dedup();
        assert_eq!(codes.len(), COMMON.len());
        assert!(codes.is_sorted());
    }
}
