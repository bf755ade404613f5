//! The sources of a run, known before the first one is read.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::group::AT_HAND;
use super::jobs;
use super::names::{hash_of, stem};
use super::read::ReadOptions;
use crate::exports::polar::{Told, unclear};
use crate::exports::{self, Layout};
use crate::formats::polar_hrm::{DIARY, diary_entries};
use crate::history::Waiting;
use crate::source::{self, Entry, Input, Scan};

/// A larger file is no diary of one day, bytes.
const LARGEST_DIARY: usize = 1 << 16;

/// The sources of a run and how they belong together.
pub struct Plan {
    pub(super) scan: Scan,
    /// What stands before the labels in the names of entries.
    roots: Vec<String>,
    /// The labels of entries that would have that of another one.
    distinct: HashMap<usize, String>,
    pub(super) layout: Layout,
}

impl Plan {
    /// Walks the inputs: folders, archives, archives in archives.
    pub fn new(inputs: &[Input], options: &ReadOptions) -> Plan {
        let scan = scan(inputs, options);
        let roots: Vec<String> = inputs.iter().filter_map(root_of).collect();
        let mut distinct = if roots.len() > 1 { distinct(&scan.entries, &roots) } else { HashMap::new() };
        number_namesakes(&scan, &roots, &mut distinct);
        let names: Vec<&str> = scan.entries.iter().map(|entry| &*entry.name).collect();
        let told = |diary: usize| Told { diary, files: files_of(&scan.entries[diary], options) };
        let told: Vec<Told> = unclear(&names).into_iter().map(told).collect();
        let layout = exports::plan(&names, &told);
        Plan { scan, roots, distinct, layout }
    }

    /// The name of a source relative to what the user named.
    pub(super) fn label(&self, file: usize) -> &str {
        let own = || self.scan.entries.get(file).map_or("", |entry| label_of(&entry.name, &self.roots).1);
        self.distinct.get(&file).map_or_else(own, String::as_str)
    }

    /// The sources' names relative to what the user named, those that are read together in one list.
    pub fn jobs(&self) -> impl Iterator<Item = Vec<&str>> {
        self.layout.jobs().map(|job| job.files().map(|file| self.label(file)).collect())
    }

    /// Says, before anything is read, whether many texts will wait.
    pub(super) fn announce(&self, waiting: &Waiting) {
        if self.layout.jobs().len() > AT_HAND {
            waiting.expect_many();
        }
    }

    /// Bytes of a job as far as headers tell.
    pub(super) fn size(&self, job: usize) -> u64 {
        self.layout.job(job).files().map(|file| self.scan.entries[file].size()).sum()
    }

    /// For each job its place when jobs are ordered by name: neither threads nor the order of inputs change it.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut by_name: Vec<u32> = (0..=u32::MAX).take(self.layout.jobs().len()).collect();
        let name = |job: u32| &self.scan.entries[self.layout.job(job as usize).lead()].name;
        by_name.sort_unstable_by_key(|&job| (name(job), job));
        let mut ranks = vec![0; by_name.len()];
        (0..=u32::MAX).zip(by_name).for_each(|(place, job)| ranks[job as usize] = place);
        ranks
    }
}

/// The files that a diary names; none when it cannot be read, which its own job will tell.
fn files_of(diary: &Entry, options: &ReadOptions) -> Vec<String> {
    if diary.size() > LARGEST_DIARY as u64 {
        return Vec::new();
    }
    let Ok(loaded) = source::load(diary, &options.scan()) else { return Vec::new() };
    if loaded.bytes.len() > LARGEST_DIARY || !(DIARY.sniff)(&loaded.bytes) {
        return Vec::new();
    }
    diary_entries(&loaded.bytes).into_iter().flat_map(|entry| [entry.hrm, entry.gpx, entry.rr]).flatten().collect()
}

fn scan(inputs: &[Input], options: &ReadOptions) -> Scan {
    source::scan_spread(inputs, &options.scan(), options.apart.as_deref(), &jobs::spread(options.workers.threads))
}

/// What stands before a label in the names of an input's entries: the named folder, or the folder of the named file.
fn root_of(input: &Input) -> Option<String> {
    let Input::Path(path) = input else { return None };
    let root = if path.is_dir() { path } else { path.parent()? };
    Some(root.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}

/// The name of the folder that a label is relative to, and the label.
fn label_of<'a>(name: &'a str, roots: &'a [String]) -> (&'a str, &'a str) {
    let mut named = roots.iter().filter(|root| !root.is_empty());
    let inside = named.find_map(|root| Some((root.as_str(), name.strip_prefix(root.as_str())?)));
    let (root, label) = inside.unwrap_or(("", name));
    (root.trim_end_matches('/').rsplit('/').next().unwrap_or_default(), label.trim_start_matches('/'))
}

/// Labels for sources of several inputs that would have one label: behind the name of the input's folder, and when that is
/// the same, too, behind a number in the order of names.
fn distinct(entries: &[Entry], roots: &[String]) -> HashMap<usize, String> {
    // File systems may not tell cases apart.
    let label = |file: usize| label_of(&entries[file].name, roots).1.to_lowercase();
    // Few labels meet another: all are compared by their hashes, those few as they are.
    let mut hashes: Vec<(u64, u32)> =
        (0..=u32::MAX).zip(entries).map(|(f, _)| (hash_of(&label(f as usize)), f)).collect();
    hashes.sort_unstable();
    let mut of_label: BTreeMap<String, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for alike in hashes.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
        for file in alike.iter().map(|(_, file)| *file as usize) {
            of_label.entry(label(file)).or_default().entry(&entries[file].name).or_default().push(file);
        }
    }
    let mut made: HashSet<String> = HashSet::new();
    let mut take = |label: &str| {
        let label = label.to_lowercase();
        hashes.binary_search_by_key(&hash_of(&label), |(hash, _)| *hash).is_err() && made.insert(label)
    };
    let mut distinct = HashMap::new();
    for (name, files) in of_label.into_values().filter(|names| names.len() > 1).flatten() {
        let (folder, label) = label_of(name, roots);
        let numbered = (2..).map(|n| format!("{folder}-{n}/{label}"));
        let free = std::iter::once(format!("{folder}/{label}")).chain(numbered).find(|label| take(label));
        distinct.extend(files.into_iter().filter_map(|file| Some((file, free.clone()?))));
    }
    distinct
}

/// Gives the second and further members of one name in one archive labels with a number: `a.gpx` and `a-2.gpx`. Inputs may
/// overlap: the second one of that name in each of them is the same.
fn number_namesakes(scan: &Scan, roots: &[String], labels: &mut HashMap<usize, String>) {
    let entries = &scan.entries;
    let mut hashes: Vec<u64> = entries.iter().map(|entry| hash_of(&entry.name)).collect();
    hashes.sort_unstable();
    // Nearly always there are none.
    let twice: HashSet<u64> = hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    if twice.is_empty() {
        return;
    }
    let label = |labels: &HashMap<usize, String>, file: usize| {
        labels.get(&file).cloned().unwrap_or_else(|| label_of(&entries[file].name, roots).1.to_owned())
    };
    let mut taken: HashSet<u64> = (0..entries.len()).map(|file| hash_of(&label(labels, file).to_lowercase())).collect();
    // By name: the labels of the first, second … of an input.
    let mut of_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (input, &first) in scan.firsts.iter().enumerate() {
        let end = scan.firsts.get(input + 1).copied().unwrap_or(entries.len());
        let mut met: HashMap<&str, usize> = HashMap::new();
        for file in (first..end).filter(|&file| twice.contains(&hash_of(&entries[file].name))) {
            let name = &*entries[file].name;
            let (own, before) = (of_name.entry(name).or_default(), met.entry(name).or_default());
            if own.len() == *before {
                let plain = label(labels, file);
                let is_free = |label: &String| taken.insert(hash_of(&label.to_lowercase()));
                let free = match before {
                    0 => None,
                    _ => (own.len() + 1..).map(|number| numbered(&plain, number)).find(is_free),
                };
                own.push(free.unwrap_or(plain));
            }
            labels.extend(own.get(*before).filter(|_| *before > 0).map(|own| (file, own.clone())));
            *before += 1;
        }
    }
}

/// `rides/2024.05.01.gpx.gz`, 2 → `rides/2024.05.01-2.gpx.gz`.
fn numbered(label: &str, number: usize) -> String {
    let (stem, extension) = label.split_at(stem(label).len());
    format!("{stem}-{number}{extension}")
}

/// True when something among the inputs cannot be opened without a password, and none is known.
pub fn wants_password(inputs: &[Input], options: &ReadOptions) -> bool {
    options.password.is_none() && scan(inputs, options).entries.iter().any(Entry::is_encrypted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_in_front_of_the_extension_alone() {
        let numbered = ["r/a.gpx.gz", "2024.05.01 ride.fit", "x.zip!/b.d/c", ".gpx", "a.txt"].map(|l| numbered(l, 2));
        assert_eq!(numbered, ["r/a-2.gpx.gz", "2024.05.01 ride-2.fit", "x.zip!/b.d/c-2", ".gpx-2", "a.txt-2"]);
    }
}
