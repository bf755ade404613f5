//! Strava's activity types (strava-export.md section 2): the API's names with blanks in English, the account's language
//! otherwise.

use crate::model::{Sport, SubSport, parse_sport};

/// The sport that a type means; `None` when it is not known, or when FIT has no number for it.
pub(super) fn sport(text: &str) -> Option<(Sport, Option<SubSport>)> {
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match TYPES.iter().find(|(names, _, _)| names.split(' ').any(|name| name == word)) {
        Some(&(_, sport, sub)) => Some((Sport(sport), (sub != 0).then_some(SubSport(sub)))),
        None => parse_sport(text),
    }
}

/// Names without blanks in lower case (the API's first), FIT sport, FIT sub-sport (0: none).
static TYPES: &[(&str, u8, u8)] = &[
    (
        "ride radfahrt fahrt sortieàvélo vélo vueltaciclista bicicleta pedalata pedalada rit fietsrit jízda jazda ライド 骑行",
        2,
        0,
    ),
    ("run lauf courseàpied course carrera corsa corrida hardloopsessie hardlopen běh bieg ラン 跑步", 1, 0),
    ("swim schwimmen natation natación nuotata nuoto natação zwemmen plavání pływanie 水泳 游泳", 5, 0),
    (
        "walk spaziergang gehen marche caminata camminata caminhada wandeling procházka chůze spacer ウォーキング 步行",
        11,
        0,
    ),
    (
        "hike wanderung wandern randonnée excursión senderismo escursione trilha turistika pěšíturistika wędrówka ハイキング 徒步",
        17,
        0,
    ),
    ("trailrun traillauf trailrunning trail trailovýběh", 1, 3),
    ("virtualrun virtuellerlauf virtuálníběh", 1, 58),
    ("virtualride virtuelleradfahrt virtuellefahrt vélovirtuel virtuálníjízda", 2, 58),
    ("mountainbikeride mountainbikefahrt vtt", 2, 8),
    ("gravelride gravelfahrt", 2, 46),
    ("ebikeride ebikefahrt", 21, 0),
    ("emountainbikeride emountainbikefahrt", 21, 47),
    ("velomobile", 2, 10),
    ("handcycle", 2, 12),
    ("alpineski skialpin skifahren", 13, 0),
    ("backcountryski skitour skitouren", 13, 37),
    ("nordicski skilanglauf langlauf skidefond", 12, 0),
    ("snowboard", 14, 0),
    ("snowshoe schneeschuhwandern raquettes", 35, 0),
    ("iceskate eislaufen", 33, 0),
    ("inlineskate inlineskaten", 30, 0),
    ("canoeing canoe kanufahren", 88, 0),
    ("kayaking kajakfahren", 41, 0),
    ("rowing rudern aviron", 15, 0),
    ("virtualrow", 15, 14),
    ("standuppaddling", 37, 0),
    ("surfing surfen", 38, 0),
    ("windsurf", 43, 0),
    ("kitesurf", 44, 0),
    ("sail segeln voile", 32, 0),
    ("workout training entraînement entrenamiento allenamento treino trening cvičení", 10, 0),
    ("weighttraining krafttraining gewichtstraining musculation posilování", 10, 20),
    ("highintensityintervaltraining hiit", 62, 70),
    ("crossfit", 62, 0),
    ("yoga jóga", 10, 43),
    ("pilates", 10, 44),
    ("physicaltherapy", 10, 19),
    ("elliptical ellipsentrainer crosstrainer", 4, 15),
    ("stairstepper", 4, 16),
    ("rockclimbing klettern escalade", 31, 0),
    ("golf", 25, 0),
    ("soccer fußball", 7, 0),
    ("tennis", 8, 0),
    ("badminton", 64, 95),
    ("pickleball", 64, 84),
    ("padel", 64, 85),
    ("racquetball", 64, 96),
    ("squash", 64, 94),
    ("tabletennis tischtennis", 64, 97),
    ("basketball", 6, 0),
    ("volleyball", 75, 0),
    ("cricket", 71, 0),
    ("dance", 83, 0),
    ("wheelchair", 65, 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_api_is_known_or_kept_as_text() {
        let api = "AlpineSki BackcountrySki Badminton Canoeing Crossfit EBikeRide Elliptical EMountainBikeRide Golf GravelRide Handcycle \
            HighIntensityIntervalTraining Hike IceSkate InlineSkate Kayaking Kitesurf MountainBikeRide NordicSki Pickleball Pilates \
            Racquetball Ride RockClimbing RollerSki Rowing Run Sail Skateboard Snowboard Snowshoe Soccer Squash StairStepper \
            StandUpPaddling Surfing Swim TableTennis Tennis TrailRun Velomobile VirtualRide VirtualRow VirtualRun Walk WeightTraining \
            Wheelchair Windsurf Workout Yoga";
        let unknown: Vec<&str> = api.split_whitespace().filter(|name| sport(name).is_none()).collect();
        // FIT has no number for these two.
        assert_eq!(unknown, ["RollerSki", "Skateboard"]);
    }

    #[test]
    fn labels_with_blanks_and_of_other_languages_are_known() {
        let number = |text| sport(text).map(|(sport, sub)| (sport.0, sub.map_or(0, |sub| sub.0)));
        for (text, expected) in [
            ("Nordic Ski", (12, 0)),
            ("Weight Training", (10, 20)),
            ("Lauf", (1, 0)),
            ("Course à pied", (1, 0)),
            ("Běh", (1, 0)),
            ("Jízda", (2, 0)),
            ("E-Mountain Bike Ride", (21, 47)),
        ] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        assert_eq!(sport("Unterwasserschach"), None);
    }

    #[test]
    fn names_are_written_as_they_are_compared() {
        let names = || TYPES.iter().flat_map(|(names, _, _)| names.split(' '));
        for name in names() {
            assert!(name.chars().all(|c| c.is_alphanumeric() && c.to_lowercase().eq([c])), "{name}");
            assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
