//! Sport families: which sports one device may call this and another that.

/// How two sports go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinship {
    /// The same number.
    Same,
    /// Of one family: platforms rename one into the other.
    Related,
    /// One of them says nothing.
    Unknown,
    /// They are not one workout's two names.
    Conflict,
}

/// Families by FIT sport number.
const FAMILIES: &[&[u8]] = &[
    // running, walking, mountaineering, hiking, snowshoeing, wheelchair push, geocaching, tactical
    &[1, 11, 16, 17, 35, 45, 65, 66, 87],
    // cycling, e-biking
    &[2, 21],
    // swimming, diving, snorkeling, pool apnea
    &[5, 53, 82, 85],
    // training, boxing, floor climbing, HIIT, meditation, martial arts, dance, jump rope, mobility, rock climbing
    &[10, 31, 47, 48, 62, 67, 80, 83, 84, 86],
    // skiing, snowboarding, winter sport, mountaineering (ski touring)
    &[12, 13, 14, 16, 35, 58],
    // rowing, paddling, boating, stand-up paddling, kayaking, rafting, canoeing, water sport
    &[15, 19, 23, 37, 41, 42, 78, 88],
    // sailing, boating, wind and kite surfing, surfing, wakeboarding, water sport
    &[23, 32, 38, 39, 40, 43, 44, 77, 78],
    // inline skating, ice skating
    &[30, 33],
    // racket sports, tennis
    &[8, 64],
    // team sports
    &[6, 7, 9, 49, 70, 71, 72, 73, 74, 75],
    // golf, disc golf
    &[25, 69],
    // motor sports
    &[22, 24, 35, 36, 81],
    // flying
    &[20, 26, 34, 46],
];

/// Fitness equipment stands for what is done on it: running, cycling, training, walking, rowing, HIIT.
const EQUIPMENT: (u8, &[u8]) = (4, &[1, 2, 10, 11, 15, 62]);

/// Sports that say nothing: generic, transition, multisport, all.
const SILENT: &[u8] = &[0, 3, 18, 254];

/// How two FIT sport numbers go together.
pub(super) fn kinship(a: u8, b: u8) -> Kinship {
    if a == b {
        return if SILENT.contains(&a) { Kinship::Unknown } else { Kinship::Same };
    }
    if SILENT.contains(&a) || SILENT.contains(&b) {
        return Kinship::Unknown;
    }
    let on_equipment = |a: u8, b: u8| a == EQUIPMENT.0 && EQUIPMENT.1.contains(&b);
    let family = FAMILIES.iter().any(|family| family.contains(&a) && family.contains(&b));
    if family || on_equipment(a, b) || on_equipment(b, a) {
        return Kinship::Related;
    }
    // A number without a family is not known well enough to contradict.
    let known = |sport: u8| sport == EQUIPMENT.0 || FAMILIES.iter().any(|family| family.contains(&sport));
    if known(a) && known(b) { Kinship::Conflict } else { Kinship::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_workout_are_related_and_others_conflict() {
        for (a, b, expected) in [
            (1, 1, Kinship::Same),
            (1, 17, Kinship::Related),
            (2, 21, Kinship::Related),
            (0, 5, Kinship::Unknown),
            (0, 0, Kinship::Unknown),
            (18, 2, Kinship::Unknown),
            (1, 2, Kinship::Conflict),
            (5, 1, Kinship::Conflict),
            (4, 2, Kinship::Related),
            (4, 5, Kinship::Conflict),
            (2, 8, Kinship::Conflict),
            (12, 35, Kinship::Related),
            (200, 1, Kinship::Unknown),
        ] {
            assert_eq!((kinship(a, b), kinship(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
