//! Huawei Health's "Request your data": workouts in `motion path detail data*.json`, everyday life in folders beside.

use super::{Matching, Platform, Role, split};

/// Huawei's row of the table of platforms.
pub(super) const PLATFORM: Platform =
    Platform { id: "huawei", name: "Huawei Health export", root, generation, role, matching: Matching::Start };

/// The folder above `Motion path detail data & description/` (and above `data/`), or that of a bare file.
fn root(name: &str) -> Option<&str> {
    let (folder, file) = split(name);
    digits(file)?;
    let within = above(folder, "motion path detail data & description/");
    Some(within.map_or(folder, |root| above(root, "data/").unwrap_or(root)))
}

/// What stands before the last folder of a path, when it is this one.
fn above<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let (before, last) = path.split_at_checked(path.len().checked_sub(folder.len())?)?;
    let whole = before.is_empty() || before.ends_with('/');
    (whole && last.eq_ignore_ascii_case(folder)).then_some(before)
}

/// The digits in `motion path detail data<digits>.json`, in any case.
fn digits(file: &str) -> Option<&str> {
    let head = "motion path detail data";
    let digits = file.get(..head.len()).filter(|start| start.eq_ignore_ascii_case(head)).and(file.get(head.len()..))?;
    let digits = digits.strip_suffix(".json").or_else(|| digits.strip_suffix(".JSON"))?;
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
}

/// Format note, section 1: the folder `data/` until April 2020, one file until 2024, several since.
fn generation(names: &[&str]) -> Option<&'static str> {
    let mut of = names.iter().filter_map(|name| digits(split(name).1).map(|digits| (*name, digits)));
    let (name, digits) = of.next()?;
    Some(match () {
        () if !digits.is_empty() => "since 2024, one or more files",
        () if name.to_ascii_lowercase().starts_with("data/") => "until 2020, in data/",
        () => "2020 to 2024, one file",
    })
}

fn role(name: &str) -> Role {
    let lower = name.to_ascii_lowercase();
    let (folder, file) = split(&lower);
    if digits(file).is_some() || file.starts_with("hitrack_") {
        return Role::Recording;
    }
    let folder = folder.strip_prefix("data/").unwrap_or(folder);
    match EVERYDAY.iter().find(|(head, _)| folder.starts_with(head)) {
        Some((_, what)) => Role::Ignored(what),
        None if folder.starts_with("motion path detail data") => Role::Ignored("field description"),
        None => Role::Recording,
    }
}

/// Folders without workouts (format note, section 1); the misspelling is Huawei's.
const EVERYDAY: &[(&str, &str)] = &[
    ("sport per minute merged data", "everyday activity"),
    ("health detail data", "wellness data"),
    ("sample sequence data", "wellness data"),
    ("sportshealth data", "everyday activity"),
    ("sports health data", "everyday activity"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_era_is_known_by_its_names() {
        let old = "x.zip!/data/Motion path detail data & description/motion path detail data.json";
        let new = "x.zip!/Motion path detail data & description/Motion Path Detail Data1737190000000.json";
        assert_eq!(root(old), Some("x.zip!/"));
        assert_eq!(root(new), Some("x.zip!/"));
        assert_eq!(root("bare/motion path detail data.json"), Some("bare/"));
        assert_eq!(root("mydata/motion path detail data.json"), Some("mydata/"));
        assert_eq!(root("x/motion path detail data (1).json"), None);
        assert_eq!(generation(&[&old[7..]]), Some("until 2020, in data/"));
        assert_eq!(generation(&[&new[7..]]), Some("since 2024, one or more files"));
        assert_eq!(generation(&["motion path detail data.json"]), Some("2020 to 2024, one file"));
    }

    #[test]
    fn everyday_life_is_passed_over() {
        let everyday = "Sport per minute merged data & description/sport per minute merged data1.json";
        assert_eq!(role(everyday), Role::Ignored("everyday activity"));
        assert_eq!(role("data/Health detail data & description/a.json"), Role::Ignored("wellness data"));
        assert_eq!(role("Motion path detail data & description/a.xlsx"), Role::Ignored("field description"));
        assert_eq!(role("HiTrack_1551732120000155173259000030001"), Role::Recording);
        assert_eq!(role("other.gpx"), Role::Recording);
    }
}
