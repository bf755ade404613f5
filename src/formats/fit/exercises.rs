//! Strength exercises by number (FIT profile 21.218: `exercise_category` and the `*_exercise_name` types).

/// One line a category (`28 squat`), followed by one line an exercise of it (` 6 back_squat`), both sorted by number.
static TABLE: &str = include_str!("exercises.txt");

/// An exercise in words: that of its number, else its category.
pub fn exercise(category: u16, number: Option<u16>) -> Option<String> {
    let mut found = None;
    for line in TABLE.lines() {
        match (line.strip_prefix(' '), found) {
            (None, Some(_)) => break,
            (None, None) => found = name(line, category),
            (Some(line), Some(_)) => {
                if let Some(exercise) = number.and_then(|number| name(line, number)) {
                    found = Some(exercise);
                    break;
                }
            }
            (Some(_), None) => {}
        }
    }
    found.map(|name| name.replace('_', " "))
}

/// The name on a line, when the line begins with this number.
fn name(line: &str, number: u16) -> Option<&str> {
    let (known, name) = line.split_once(' ')?;
    (known.parse() == Ok(number)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exercises_are_found_by_category_and_number() {
        assert_eq!(exercise(28, Some(6)).as_deref(), Some("barbell back squat"));
        assert_eq!(exercise(0, Some(1)).as_deref(), Some("barbell bench press"));
        assert_eq!(exercise(28, None).as_deref(), Some("squat"));
        assert_eq!(exercise(28, Some(60_000)).as_deref(), Some("squat"), "an exercise of a later profile");
        assert_eq!(exercise(53, Some(0)).as_deref(), Some("bike"), "the last category");
        assert_eq!(exercise(65_534, None), None);
    }
}
