//! Polar's desktop folders: positions in `12010601.gpx`, heart rates in `12010601.hrm`, beats in `12010601.rr.hrm`, the day's
//! diary in `20120106.pdd`. Names match in any case; only files of one folder belong together.

use std::collections::BTreeMap;

use super::Job;

/// Second endings that mark another form of the same exercise.
const FORMS: &[&str] = &[".rr", ".lapnames", ".cluetrust", ".garmin-trackpoint"];

/// What a file of a Polar folder holds, in the order in which one names the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Positions,
    HeartRates,
    Diary,
}

/// Folder and stem (both in lower case) that the files of one exercise share; `None` for a name of another kind.
pub fn stem(name: &str) -> Option<String> {
    parts(name).map(|(stem, _)| stem)
}

fn parts(name: &str) -> Option<(String, Kind)> {
    let lower = name.to_lowercase();
    let lower = lower.strip_suffix(".gz").unwrap_or(&lower);
    let (stem, extension) = lower.rsplit_once('.')?;
    let kind = match extension {
        "gpx" => Kind::Positions,
        "hrm" => Kind::HeartRates,
        "pdd" => Kind::Diary,
        _ => return None,
    };
    let stem = FORMS.iter().find_map(|form| stem.strip_suffix(form)).unwrap_or(stem);
    Some((stem.to_owned(), kind))
}

/// The stem of the exercises that a diary of this stem is about: `20120106` is about `120106` with two more digits.
fn day_of(stem: &str) -> Option<&str> {
    let file = stem.rsplit(['/', '\\']).next()?;
    (file.len() == 8 && file.bytes().all(|b| b.is_ascii_digit())).then(|| &file[2..])
}

/// Groups of names that are to be read together, each with its files in order: positions, heart rates, diary. A file that
/// belongs to no other is in no group.
pub(super) fn jobs(names: &[&str]) -> Vec<Job> {
    let mut groups: BTreeMap<String, Vec<(Kind, usize)>> = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some((stem, kind)) = parts(name) {
            groups.entry(stem).or_default().push((kind, i));
        }
    }
    let diaries: Vec<(String, Vec<(Kind, usize)>)> =
        groups.extract_if(.., |_, files| files.iter().all(|(kind, _)| *kind == Kind::Diary)).collect();
    for (stem, files) in diaries {
        // All exercises of its day come together, as one diary tells of them all.
        let Some(day) = day_of(&stem) else { continue };
        let folder = &stem[..stem.len() - 8];
        let first = format!("{folder}{day}");
        let of_day: Vec<String> = groups
            .range(first.clone()..)
            .map(|(stem, _)| stem)
            .take_while(|stem| stem.starts_with(&first))
            .filter(|stem| stem[first.len()..].chars().take_while(|c| *c != '.').count() == 2)
            .cloned()
            .collect();
        let mut whole: Vec<(Kind, usize)> = of_day.iter().filter_map(|stem| groups.remove(stem)).flatten().collect();
        whole.extend(files);
        groups.insert(first, whole);
    }
    groups
        .into_values()
        .filter(|files| files.len() > 1 && files.iter().any(|(kind, _)| *kind == Kind::HeartRates))
        .map(|mut files| {
            files.sort_unstable();
            Job::plain(files.into_iter().map(|(_, file)| file).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<Vec<usize>> {
        jobs(names).into_iter().map(|job| job.files).collect()
    }

    #[test]
    fn parts_of_one_exercise_come_together() {
        assert_eq!(
            files(&["p/12010601.hrm", "p/12010601.GPX", "p/12010601.rr.hrm", "q/12010601.gpx"]),
            [vec![1, 0, 2]]
        );
        assert_eq!(files(&["a.gpx", "b.hrm", "c.tcx", "a.tcx"]), Vec::<Vec<usize>>::new());
        assert_eq!(files(&["x.zip!/a.gpx.gz", "x.zip!/A.hrm"]), [vec![0, 1]]);
    }

    #[test]
    fn two_positions_without_heart_rates_are_no_pair() {
        assert!(files(&["a.gpx", "a.cluetrust.gpx"]).is_empty());
        // Dots in names are no second endings.
        assert!(files(&["2014.05.01.gpx", "2014.05.02.hrm"]).is_empty());
    }

    #[test]
    fn a_diary_gathers_its_day() {
        let names = ["20120106.pdd", "12010601.hrm", "12010601.gpx", "12010602.hrm", "12010701.hrm", "20120108.pdd"];
        assert_eq!(files(&names), [vec![2, 1, 3, 0]]);
    }

    #[test]
    fn names_of_any_script_are_survived() {
        assert!(files(&["жжжжжжжж.pdd", "ж.hrm", ".hrm", "", "ééé.gpx"]).is_empty());
        assert_eq!(stem("P/12010601.RR.HRM").as_deref(), Some("p/12010601"));
        assert_eq!(stem("a.fit"), None);
    }
}
