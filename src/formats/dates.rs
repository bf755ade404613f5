//! Dates with a time of day as people's languages write them: `Oct 7, 2020, 2:43:11 PM`, `6. 9. 2026 11:18:40`,
//! `07/10/2020 à 14:43`, `7 oct. 2020, 14:43:11`, `2020年10月7日 下午2:43:11`.

use crate::model::time;

/// Which of two numbers in front of the year is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
}

/// The words for the months of English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian,
/// Polish, Czech and Russian.
const MONTHS: [&str; 12] = [
    "jan january januar jänner janv janvier ene enero gen gennaio janeiro januari sty stycznia led ledna янв января",
    "feb february februar févr fév février febrero febbraio fev fevereiro februari lut lutego úno února фев февр февраля",
    "mar march mär märz mars marzo março mrt maart marts marca bře března мар марта",
    "apr april avr avril abr abril aprile kwi kwietnia dub dubna апр апреля",
    "may mai mayo mag maggio maio mei maj maja kvě května мая май",
    "jun june juni juin junio giu giugno junho cze czerwca čvn června июн июня",
    "jul july juli juil juillet julio lug luglio julho lip lipca čvc července июл июля",
    "aug august août agosto ago augustus augusti sie sierpnia srp srpna авг августа",
    "sep sept september septembre septiembre set settembre setembro wrz września zář září сент сен сентября",
    "oct october okt oktober octobre octubre ott ottobre out outubro paź października říj října окт октября",
    "nov november novembre noviembre novembro lis listopada listopadu ноя нояб ноября",
    "dec december dez dezember déc décembre dic diciembre dicembre dezembro gru grudnia pro prosince дек декабря",
];

const MORNING: &[&str] = &["am", "a m", "上午", "午前", "오전"];
const AFTERNOON: &[&str] = &["pm", "p m", "下午", "午後", "오후"];

/// Numbers with how many digits they have, and words in lower case with a blank behind each.
#[derive(Default)]
struct Parts {
    numbers: Vec<(u32, usize)>,
    words: String,
    /// What stands behind the first number.
    mark: Option<char>,
}

impl Parts {
    /// `None` for texts that are no dates.
    fn of(text: &str) -> Option<Parts> {
        const LONGEST: usize = 64;
        if text.len() > LONGEST {
            return None;
        }
        let mut parts = Parts::default();
        let mut before = ' ';
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                if !before.is_ascii_digit() {
                    parts.numbers.push((0, 0));
                }
                let (value, digits) = parts.numbers.last_mut()?;
                *value = value.checked_mul(10)?.checked_add(digit)?;
                *digits += 1;
            } else {
                if before.is_ascii_digit() && parts.numbers.len() == 1 {
                    parts.mark = Some(c);
                }
                if c.is_alphabetic() {
                    parts.words.extend(c.to_lowercase());
                } else if before.is_alphabetic() {
                    parts.words.push(' ');
                }
            }
            before = c;
        }
        Some(parts)
    }

    fn month(&self) -> Option<u32> {
        let number_of = |word: &str| MONTHS.iter().position(|names| names.split(' ').any(|name| name == word));
        self.words.split(' ').find_map(number_of).map(|at| at as u32 + 1)
    }

    fn has(&self, words: &[&str]) -> bool {
        let spaced = format!(" {} ", self.words.trim_end());
        words.iter().any(
            |word| {
                if word.is_ascii() { spaced.contains(&format!(" {word} ")) } else { spaced.contains(word) }
            },
        )
    }
}

/// What this text shows about the order of day and month: `Some` when it can only be read in one way.
pub(crate) fn order(text: &str) -> Option<Order> {
    let parts = Parts::of(text)?;
    let [(first, digits), (second, _), _, ..] = parts.numbers[..] else { return None };
    if digits > 2 || parts.mark == Some('.') || parts.month().is_some() {
        return Some(Order::DayFirst);
    }
    match (first > 12, second > 12) {
        (true, false) => Some(Order::DayFirst),
        (false, true) => Some(Order::MonthFirst),
        _ => None,
    }
}

/// The instant in ms since the epoch, the clock read as if it were UTC. `order` counts where only numbers stand in front of
/// the year with a mark other than a point. `None` when the text is no date with a time.
pub(crate) fn parse(text: &str, order: Order) -> Option<i64> {
    let text = text.trim();
    if let Some(instant) = time::parse(text.as_bytes()) {
        return Some(instant.ms);
    }
    let parts = Parts::of(text)?;
    let month = parts.month();
    let date_numbers = if month.is_some() { 2 } else { 3 };
    let (date, clock) = parts.numbers.split_at_checked(date_numbers)?;
    let (year, month, day) = match (month, date) {
        (Some(month), [(year, 3..), (day, _)] | [(day, _), (year, _)]) => (*year, month, *day),
        (None, [(year, 3..), (month, _), (day, _)]) => (*year, *month, *day),
        (None, [(first, _), (second, _), (year, digits)]) => {
            let year = if *digits == 2 { year + 2000 } else { *year };
            match order {
                Order::MonthFirst if parts.mark != Some('.') => (year, *first, *second),
                _ => (year, *second, *first),
            }
        }
        _ => return None,
    };
    let (hour, minute, second) = match clock {
        [(hour, _), (minute, _)] => (*hour, *minute, 0),
        [(hour, _), (minute, _), (second, _), ..] => (*hour, *minute, *second),
        _ => return None,
    };
    let hour = match hour {
        1..=12 if parts.has(AFTERNOON) => hour % 12 + 12,
        1..=12 if parts.has(MORNING) => hour % 12,
        _ => hour,
    };
    if !(1900..3000).contains(&year) {
        return None;
    }
    time::from_civil(year.into(), month, day, hour, minute, second, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, order: Order) -> Option<String> {
        parse(text, order).map(time::utc)
    }

    #[test]
    fn the_languages_of_platforms_are_read() {
        for text in [
            "Oct 7, 2020, 2:43:11 PM",
            "Oct 7, 2020, 2:43:11\u{202f}PM",
            "October 7, 2020 at 2:43:11 p.m.",
            "2020-10-07 14:43:11",
            "07.10.2020, 14:43:11",
            "7. 10. 2020 14:43:11",
            "7.10.2020 klo 14.43.11",
            "7 oct. 2020, 14:43:11",
            "7 oct. 2020 à 14:43:11",
            "7 de out. de 2020, 14:43:11",
            "7 ott 2020, 14:43:11",
            "7 okt. 2020 14:43:11",
            "7 paź 2020, 14:43:11",
            "7 окт. 2020 г., 14:43:11",
            "07/10/2020 14:43:11",
            "2020/10/07 14:43:11",
            "2020年10月7日 下午2:43:11",
            "2020. 10. 7. 오후 2:43:11",
        ] {
            assert_eq!(utc(text, Order::DayFirst).as_deref(), Some("2020-10-07T14:43:11Z"), "{text}");
        }
        assert_eq!(utc("10/7/2020 14:43", Order::MonthFirst).as_deref(), Some("2020-10-07T14:43:00Z"));
        assert_eq!(utc("10/7/20 2:43 PM", Order::MonthFirst).as_deref(), Some("2020-10-07T14:43:00Z"));
        // A point always means that the day comes first.
        assert_eq!(utc("6. 9. 2026 11:18:40", Order::MonthFirst).as_deref(), Some("2026-09-06T11:18:40Z"));
    }

    #[test]
    fn noon_and_midnight_are_twelve() {
        assert_eq!(utc("Sep 12, 2018, 12:02:23 AM", Order::DayFirst).as_deref(), Some("2018-09-12T00:02:23Z"));
        assert_eq!(utc("Sep 12, 2018, 12:02:23 PM", Order::DayFirst).as_deref(), Some("2018-09-12T12:02:23Z"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "#error#", "Oct 7, 2020", "13/13/2020 10:00", "31. 2. 2020 10:00", "1 2 3 4 5 6 7 8", "PM"] {
            assert_eq!(utc(text, Order::DayFirst), None, "{text}");
        }
        assert_eq!(utc(&"9".repeat(60), Order::DayFirst), None);
    }

    #[test]
    fn a_day_above_twelve_shows_the_order() {
        assert_eq!(order("13/10/2020 14:43"), Some(Order::DayFirst));
        assert_eq!(order("10/13/2020 14:43"), Some(Order::MonthFirst));
        assert_eq!(order("10/11/2020 14:43"), None);
        assert_eq!(order("Oct 7, 2020, 2:43:11 PM"), Some(Order::DayFirst));
        assert_eq!(order(""), None);
    }
}
