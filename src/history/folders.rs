//! Where originals wait for the commit. The first of an import wait alone, each under a name that nobody else has, and get
//! their names one by one. When they are many, those of one folder of the history to be wait together, under the names that
//! they will have, and the whole folder gets its name in one step: a month of workouts, instead of thirty files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::layout;
use crate::ids::Digest;

/// A file that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temporary {
    /// With others of all kinds: a number makes its name its own.
    Alone(Digest, u32),
    /// In a folder of this number, under the name that it will have.
    In(u32),
}

impl Temporary {
    /// Its path in the history at `root`; `target` is the one that it will have there.
    pub fn path(self, root: &Path, target: &str) -> PathBuf {
        match self {
            Temporary::Alone(digest, number) => root.join(layout::INCOMING).join(format!("{digest}-{number}")),
            Temporary::In(folder) => waiting_folder(root, folder).join(target.rsplit('/').next().unwrap_or(target)),
        }
    }
}

/// Where the files of a folder wait.
pub(super) fn waiting_folder(root: &Path, number: u32) -> PathBuf {
    root.join(layout::INCOMING).join(number.to_string())
}

/// Folders whose files wait together.
#[derive(Default)]
pub(super) struct Folders {
    /// By the names that they will have: number, and how many places in them were given.
    given: BTreeMap<String, (u32, usize)>,
    /// Contents whose places are being filled.
    filling: Vec<Digest>,
}

impl Folders {
    /// A place for a content of which no other form waits, and the folder that it is in when that is new. `None` when the
    /// same content is just being written: the place of that name is taken.
    pub fn give(&mut self, digest: &Digest, target: &str) -> Option<(Temporary, Option<u32>)> {
        if self.filling.contains(digest) {
            return None;
        }
        self.filling.push(*digest);
        let folder = layout::folder_of(target);
        if let Some((number, given)) = self.given.get_mut(folder) {
            *given += 1;
            return Some((Temporary::In(*number), None));
        }
        let number = self.given.len() as u32;
        self.given.insert(folder.to_owned(), (number, 1));
        Some((Temporary::In(number), Some(number)))
    }

    /// A place is filled, or nothing will come there.
    pub fn filled(&mut self, digest: &Digest) {
        self.filling.retain(|filling| filling != digest);
    }

    /// The folders that hold exactly what is wanted of them: none of the places in them was given for nothing.
    pub fn complete(self, wanted: impl Iterator<Item = Temporary>) -> BTreeMap<String, u32> {
        let mut files = vec![0; self.given.len()];
        for file in wanted {
            if let Temporary::In(number) = file
                && let Some(files) = files.get_mut(number as usize)
            {
                *files += 1;
            }
        }
        let complete = |(_, (number, given)): &(String, (u32, usize))| files.get(*number as usize) == Some(given);
        self.given.into_iter().filter(complete).map(|(folder, (number, _))| (folder, number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTHS: [&str; 3] = ["originals/2024/05", "originals/2024/06", "originals/archives"];

    #[test]
    fn a_folder_is_complete_when_all_that_was_given_in_it_is_wanted() {
        let digest = |n: u8| Digest([n; 32]);
        let mut folders = Folders::default();
        let mut files = Vec::new();
        for n in 0..6 {
            let (file, new) = folders.give(&digest(n), &format!("{}/{n}.fit", MONTHS[n as usize % 3])).unwrap();
            assert_eq!(new, (n < 3).then_some(u32::from(n)), "each folder is made once");
            files.push(file);
        }
        assert_eq!(folders.give(&digest(5), "originals/2024/05/5.fit"), None, "it is just being written");
        folders.filled(&digest(5));
        assert!(folders.give(&digest(5), "originals/2024/05/5.fit").is_some(), "but not for ever");
        // Of the first month one is not wanted, of the second one is elsewhere.
        files.retain(|file| *file != Temporary::In(1));
        files.extend([Temporary::In(1), Temporary::Alone(digest(4), 7)]);
        let complete = folders.complete(files.into_iter());
        assert_eq!(complete, BTreeMap::from([(MONTHS[2].to_owned(), 2)]));
    }

    #[test]
    fn a_file_waits_under_the_name_that_it_will_have() {
        let root = Path::new("h");
        assert_eq!(Temporary::In(3).path(root, "originals/2024/05/a.fit"), Path::new("h/originals/incoming/3/a.fit"));
        let digest = Digest([0xab; 32]);
        let alone = Temporary::Alone(digest, 4).path(root, "originals/2024/05/a.fit");
        assert_eq!(alone, root.join(format!("originals/incoming/{digest}-4")));
    }
}
