//! Names of what is written: they come from labels inside files and archives, so nothing of them may act as a path.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use crate::formats::{FORMATS, Format};
use crate::model::{Activity, time};

/// Longest file or folder name that is made, bytes; common file systems allow 255.
const LONGEST: usize = 120;

/// `2024-05-01_0912_running_3f9a1c2b.gpx`: local start, sport, first digits of the activity's id.
pub fn by_start(activity: &Activity, extension: &str) -> String {
    let start = match (activity.span(), &activity.day) {
        (Some((start, _)), _) => {
            let text = time::utc(activity.local(start));
            format!("{}_{}{}", &text[..10], &text[11..13], &text[14..16])
        }
        (None, Some(day)) => part(day),
        (None, None) => "undated".to_owned(),
    };
    let id = activity.origin.id().to_string();
    format!("{start}_{}_{}.{extension}", part(&activity.sport.name()), &id[..8])
}

/// Where converted sources go below the output folder: the source's own folders and name with the new extension.
/// Sources that would collide (`a.fit` and `a.tcx` to GPX) keep their old extension too (`a.fit.gpx`). Of files that are
/// read together the first one gives its name alone: most often they hold one recording (`a.gpx` and `a.hrm`).
pub struct Tree {
    stems: HashMap<String, u32>,
    /// Labels that share the stem of one before them in the same job.
    companions: HashSet<String>,
    /// Labels whose path would be that of another one, as some characters stand in no path and some file systems do not
    /// tell cases apart; with a number that makes it their own.
    alike: HashMap<String, usize>,
    /// Labels of whose activities the second would go where the first of another label goes (`a.gpx` beside `a-2.gpx`),
    /// and so many dashes before its number that it does not.
    dashes: HashMap<String, usize>,
    extension: &'static str,
}

impl Tree {
    /// Plans the names for all sources of a run; each item of `jobs` are the names, relative to what the user named, of
    /// sources that are read together.
    pub fn plan<'a>(jobs: impl Iterator<Item = Vec<&'a str>>, to: &Format) -> Tree {
        let (mut stems, mut companions, mut all) = (HashMap::new(), HashSet::new(), HashSet::new());
        for labels in jobs {
            let mut met = HashSet::new();
            // Inputs may overlap.
            for &label in labels.iter().filter(|label| all.insert(**label)) {
                let own = stem(label).to_lowercase();
                if labels.len() == 1 || met.insert(own.clone()) {
                    *stems.entry(own).or_insert(0) += 1;
                } else {
                    companions.insert(label.to_owned());
                }
            }
        }
        let extension = to.extensions.first().copied().unwrap_or(to.id);
        let mut tree = Tree { stems, companions, alike: HashMap::new(), dashes: HashMap::new(), extension };
        let mut paths: Vec<(u64, &str)> = all.into_iter().map(|label| (hash_of(&tree.key(label)), label)).collect();
        paths.sort_unstable();
        let mut taken: HashSet<u64> = paths.iter().map(|(path, _)| *path).collect();
        for alike in paths.chunk_by(|a, b| a.0 == b.0) {
            let mut number = 1;
            for (_, label) in alike.iter().skip(1) {
                loop {
                    number += 1;
                    tree.alike.insert((*label).to_owned(), number);
                    if taken.insert(hash_of(&tree.key(label))) {
                        break;
                    }
                }
            }
        }
        let before_number = |key: String| {
            let start = key.trim_end_matches(|c: char| c.is_ascii_digit());
            (start.len() < key.len()).then(|| hash_of(start))
        };
        let mut begun: HashSet<u64> = paths.iter().filter_map(|(_, label)| before_number(tree.key(label))).collect();
        for (_, label) in &paths {
            let mut start = tree.key(label) + "-";
            let mut dashes = 1;
            while !begun.insert(hash_of(&start)) {
                start.push('-');
                dashes += 1;
            }
            if dashes > 1 {
                tree.dashes.insert((*label).to_owned(), dashes);
            }
        }
        tree
    }

    /// The relative path for activity number `index` of the source `label`.
    pub fn path(&self, label: &str, index: usize) -> PathBuf {
        let (mut path, last) = self.place(label);
        let dashes = self.dashes.get(label).copied().unwrap_or(1);
        let number = if index == 0 { String::new() } else { format!("{}{}", "-".repeat(dashes), index + 1) };
        path.push(format!("{last}{number}.{}", self.extension));
        path
    }

    /// Folders, and the name without number and extension.
    fn place(&self, label: &str) -> (PathBuf, String) {
        let stem = stem(label);
        let shared = self.stems.get(&stem.to_lowercase()).is_some_and(|n| *n > 1) || self.companions.contains(label);
        let base = if shared { label } else { stem };
        let parts: Vec<&str> = base.split(['/', '!']).filter(|p| !p.is_empty()).collect();
        let (last, folders) = parts.split_last().unwrap_or((&"activity", &[]));
        let alike = self.alike.get(label).map_or_else(String::new, |number| format!("-{number}"));
        (folders.iter().map(|folder| part(folder)).collect(), part(last) + &alike)
    }

    /// What tells its path from others where cases are not told apart.
    fn key(&self, label: &str) -> String {
        let (folders, last) = self.place(label);
        folders.join(last).to_string_lossy().to_lowercase()
    }
}

/// A hash that is the same in every run.
pub(super) fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// A label without `.gz` and without the extension of a known format.
pub(super) fn stem(label: &str) -> &str {
    let plain = match label.len().checked_sub(3).and_then(|at| label.split_at_checked(at)) {
        Some((plain, gz)) if gz.eq_ignore_ascii_case(".gz") => plain,
        _ => label,
    };
    match plain.rsplit_once('.') {
        Some((stem, ext))
            if !stem.is_empty()
                && !stem.ends_with(['/', '!'])
                && FORMATS.iter().any(|f| f.extensions.iter().any(|known| known.eq_ignore_ascii_case(ext))) =>
        {
            stem
        }
        _ => plain,
    }
}

/// One path component that every file system takes: no separators, no control or hidden characters, no leading dot,
/// no names that Windows reserves, not too long.
pub fn part(text: &str) -> String {
    let mut out = String::new();
    for c in crate::report::printable(text).chars() {
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        out.push(if r#"/\:*?"<>|"#.contains(c) { '_' } else { c });
    }
    let trimmed = out.trim_end_matches([' ', '.']).trim_start_matches('.');
    let device = trimmed.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let reserved = ["CON", "PRN", "AUX", "NUL"].contains(&&*device)
        || (device.len() == 4 && (device.starts_with("COM") || device.starts_with("LPT")));
    match (trimmed.is_empty(), reserved) {
        (true, _) => "_".to_owned(),
        (_, true) => format!("_{trimmed}"),
        _ => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::by_id;

    #[test]
    fn structure_is_kept_and_collisions_keep_their_extension() {
        let labels = ["a/ride.fit", "a/ride.tcx.gz", "b/run.FIT.gz", "x.zip!/7.fit"];
        let tree = Tree::plan(labels.into_iter().map(|label| vec![label]), by_id("gpx").unwrap());
        let paths: Vec<String> = labels.iter().map(|l| tree.path(l, 0).display().to_string()).collect();
        assert_eq!(paths, ["a/ride.fit.gpx", "a/ride.tcx.gz.gpx", "b/run.gpx", "x.zip/7.gpx"]);
        assert_eq!(tree.path("b/run.FIT.gz", 1), PathBuf::from("b/run-2.gpx"));
    }

    #[test]
    fn files_read_together_need_no_extension_to_be_told_apart() {
        let jobs = [vec!["d/1.gpx", "d/1.hrm", "d/2.hrm", "d/day.pdd"], vec!["d/3.gpx", "d/3.hrm"], vec!["d/3.fit"]];
        let tree = Tree::plan(jobs.iter().cloned(), by_id("gpx").unwrap());
        let paths: Vec<String> = jobs.iter().flatten().map(|l| tree.path(l, 0).display().to_string()).collect();
        assert_eq!(
            paths,
            ["d/1.gpx", "d/1.hrm.gpx", "d/2.gpx", "d/day.gpx", "d/3.gpx.gpx", "d/3.hrm.gpx", "d/3.fit.gpx"]
        );
    }

    #[test]
    fn no_two_labels_have_one_path() {
        let labels = [
            "a:b.fit",
            "a_b.fit",
            "A_B.fit",
            "a_b-2.fit",
            "r.gpx",
            "r-2.gpx",
            "c.fit",
            "C.tcx",
            "r-.gpx",
            "s.gpx",
            "s.gpx.gz",
            "s.gpx-2.gpx",
            "CON.gpx",
            "_CON.gpx",
            "t .gpx",
            "t.gpx",
            "t-3.gpx",
        ];
        for turn in 0..labels.len() {
            let order = (0..labels.len()).map(|at| (at + turn) * if turn % 2 == 0 { 1 } else { 3 } % labels.len());
            let order: Vec<usize> = order.collect();
            let jobs = order.iter().map(|&at| vec![labels[at]]);
            let tree = Tree::plan(jobs.chain([vec!["r.gpx"]]), by_id("gpx").unwrap());
            let path = |label: &str, index| tree.path(label, index).display().to_string();
            let paths: Vec<String> = labels.iter().map(|label| path(label, 0)).collect();
            let mut distinct: Vec<String> = paths.iter().map(|path| path.to_lowercase()).collect();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), labels.len(), "{paths:?}");
            assert_eq!(paths[3..9], ["a_b-2.gpx", "r.gpx", "r-2.gpx", "c.fit.gpx", "C.tcx.gpx", "r-.gpx"], "{order:?}");
            assert!(path("r.gpx", 1).starts_with("r--"), "r-2.gpx is another one");
            assert_eq!(path("r-2.gpx", 1), "r-2-2.gpx");
            let mut activities: Vec<String> =
                labels.iter().flat_map(|label| (0..30).map(|index| path(label, index).to_lowercase())).collect();
            activities.sort_unstable();
            activities.dedup();
            assert_eq!(activities.len(), labels.len() * 30);
        }
    }

    #[test]
    fn labels_never_become_paths() {
        let tree = Tree::plan(std::iter::empty(), by_id("gpx").unwrap());
        for label in ["../../etc/passwd", "/abs/x", "C:\\x\\y", "a/..\\..\\b", "x.zip!/../../y.fit", "...", ""] {
            let path = tree.path(label, 0);
            assert!(path.is_relative(), "{label}: {path:?}");
            let plain = path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
            assert!(plain, "{label}: {path:?}");
        }
        assert_eq!(part("con.fit"), "_con.fit");
        assert_eq!(part("a\u{202e}b\n"), "a_u{202e}b_u{a}");
    }
}
