//! Polar's desktop folders: positions in `12010601.gpx`, heart rates in `12010601.hrm`, beats in `12010601.rr.hrm`, the day's
//! diary in `20120106.pdd`. Names match in any case; only files of one folder belong together.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{positions, split};

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

/// Stem and kind of the names in folders that have a file of this kind, with their positions. What lies elsewhere, hundreds
/// of thousands of files perhaps, costs a look at its ending.
fn beside<'a>(kind: Kind, names: &'a [&str]) -> impl Iterator<Item = (u32, String, Kind)> + use<'a> {
    let ending = match kind {
        Kind::Positions => b".gpx",
        Kind::HeartRates => b".hrm",
        Kind::Diary => b".pdd",
    };
    let has_ending = |name: &&&str| {
        let plain = match name.as_bytes().split_last_chunk::<3>() {
            Some((plain, gz)) if gz.eq_ignore_ascii_case(b".gz") => plain,
            _ => name.as_bytes(),
        };
        plain.last_chunk::<4>().is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    let of_kind = names.iter().filter(has_ending).filter_map(|name| parts(name));
    let folders: HashSet<String> = of_kind.map(|(stem, _)| split(&stem).0.to_owned()).collect();
    let some = if folders.is_empty() { &[] } else { names };
    let found = positions(some).filter_map(|(file, name)| parts(name).map(|(stem, kind)| (file, stem, kind)));
    found.filter(move |(_, stem, _)| folders.contains(split(stem).0))
}

/// The stem of the exercises that a diary of this stem is about: `20120106` is about `120106` with two more digits.
fn day_of(stem: &str) -> Option<&str> {
    let file = stem.rsplit(['/', '\\']).next()?;
    (file.len() == 8 && file.bytes().all(|b| b.is_ascii_digit())).then(|| &file[2..])
}

/// A diary that was asked which files it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Position of the diary in the list of names.
    pub diary: usize,
    /// The files that it names, as written there.
    pub files: Vec<String>,
}

/// The diaries that must be asked, as positions: those beside a recording whose name does not say its day.
pub fn unclear(names: &[&str]) -> Vec<usize> {
    let mut folders: BTreeMap<String, (Vec<usize>, Vec<String>)> = BTreeMap::new();
    for (file, stem, kind) in beside(Kind::Diary, names) {
        let folder = folders.entry(split(&stem).0.to_owned()).or_default();
        if kind == Kind::Diary {
            folder.0.push(file as usize);
        } else {
            folder.1.push(stem);
        }
    }
    let mut unclear = Vec::new();
    for (diaries, stems) in folders.into_values() {
        let days: HashSet<String> = diaries.iter().filter_map(|&i| exercises_of(&parts(names[i])?.0)).collect();
        if stems.iter().any(|stem| day_in(stem).is_none_or(|day| !days.contains(day))) {
            unclear.extend(diaries);
        }
    }
    unclear.sort_unstable();
    unclear
}

/// What the stems of all exercises begin with that a diary of this stem is about, folder included.
fn exercises_of(diary: &str) -> Option<String> {
    Some(format!("{}{}", split(diary).0, day_of(diary)?))
}

/// What the stem of an exercise has before its number in the day: `p/120106` of `p/12010602` and `p/12010602.spinning`.
fn day_in(stem: &str) -> Option<&str> {
    let (day, number) = stem.split_at_checked(split(stem).0.len() + 6)?;
    (number.chars().take_while(|c| *c != '.').count() == 2).then_some(day)
}

/// Groups of names that are to be read together, each with its files in order: positions, heart rates, diary. A file that
/// belongs to no other is in no group. A diary gathers the exercises of its day, and the files that it was `told` to name.
pub(super) fn together(names: &[&str], told: &[Told]) -> Vec<Vec<u32>> {
    let mut groups: BTreeMap<String, Vec<(Kind, u32)>> = BTreeMap::new();
    for (file, stem, kind) in beside(Kind::HeartRates, names) {
        groups.entry(stem).or_default().push((kind, file));
    }
    let diaries: Vec<(String, Vec<(Kind, u32)>)> =
        groups.extract_if(.., |_, files| files.iter().all(|(kind, _)| *kind == Kind::Diary)).collect();
    let told: HashMap<usize, &[String]> = told.iter().map(|told| (told.diary, told.files.as_slice())).collect();
    for (stem, files) in diaries {
        // All exercises of its day come together, as one diary tells of them all.
        let mut stems: Vec<String> = Vec::new();
        if let Some(day) = exercises_of(&stem) {
            let with_day = groups.range(day.clone()..).map(|(stem, _)| stem).take_while(|stem| stem.starts_with(&day));
            stems.extend(with_day.filter(|stem| day_in(stem) == Some(&day)).cloned());
        }
        let named = files.iter().filter_map(|(_, diary)| told.get(&(*diary as usize))).copied().flatten();
        let named = named.map(|file| format!("{}{}", split(&stem).0, last(file)));
        stems.extend(named.filter_map(|name| self::stem(&name)));
        let mut whole: Vec<(Kind, u32)> = stems.iter().filter_map(|stem| groups.remove(stem)).flatten().collect();
        whole.extend(files);
        groups.insert(stem, whole);
    }
    groups
        .into_values()
        .filter(|files| files.len() > 1 && files.iter().any(|(kind, _)| *kind == Kind::HeartRates))
        .map(|mut files| {
            files.sort_unstable();
            files.into_iter().map(|(_, file)| file).collect()
        })
        .collect()
}

/// The last part of a path as a diary writes it.
fn last(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<Vec<u32>> {
        together(names, &[])
    }

    #[test]
    fn parts_of_one_exercise_come_together() {
        assert_eq!(
            files(&["p/12010601.hrm", "p/12010601.GPX", "p/12010601.rr.hrm", "q/12010601.gpx"]),
            [vec![1, 0, 2]]
        );
        assert_eq!(files(&["a.gpx", "b.hrm", "c.tcx", "a.tcx"]), Vec::<Vec<u32>>::new());
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
    fn a_diary_gathers_what_it_names() {
        let names = ["p/20120106.pdd", "p/12010601.hrm", "p/runA.hrm", "p/trackB.GPX", "p/other.hrm", "q/runA.hrm"];
        assert_eq!((unclear(&names), unclear(&names[..2]), unclear(&names[1..])), (vec![0], vec![], vec![]));
        assert_eq!(unclear(&["b.hrm", "diary.pdd", "q/20120106.pdd", "q/12010701.hrm"]), [1, 2]);
        let told = Told { diary: 0, files: vec!["C:\\Polar\\RunA.hrm".into(), "trackb.gpx".into(), "gone.hrm".into()] };
        assert_eq!(together(&names, &[told]), [[3, 1, 2, 0]]);
    }

    #[test]
    fn names_of_any_script_are_survived() {
        assert!(files(&["жжжжжжжж.pdd", "ж.hrm", ".hrm", "", "ééé.gpx"]).is_empty());
        assert_eq!(stem("P/12010601.RR.HRM").as_deref(), Some("p/12010601"));
        assert_eq!(stem("a.fit"), None);
    }
}
