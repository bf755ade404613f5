//! Where originals wait for the commit. The first of an import wait alone, each under a name that nobody else has, and get
//! their names one by one. When they are many, or many are expected, those of one folder of the history to be wait together,
//! under the names that they will have, and the whole folder gets its name in one step: a month of workouts, instead of
//! thirty files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::layout;
use crate::ids::Digest;

/// A file that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temporary {
    /// With others of all kinds: a number makes its name its own.
    Alone(u32),
    /// In a folder of this number, under the name that it will have.
    In(u32),
}

impl Temporary {
    /// Its path in the history at `root`; `target` is the one that it will have there, `digest` that of the content.
    pub fn path(self, root: &Path, digest: &Digest, target: &str) -> PathBuf {
        match self {
            Temporary::Alone(number) => root.join(layout::INCOMING).join(format!("{digest}-{number}")),
            Temporary::In(folder) => waiting_folder(root, folder).join(target.rsplit('/').next().unwrap_or(target)),
        }
    }
}

/// Where the files of a folder wait.
pub(super) fn waiting_folder(root: &Path, number: u32) -> PathBuf {
    root.join(layout::INCOMING).join(number.to_string())
}

/// How many files wait in a folder.
pub(super) fn files_in(root: &Path, number: u32) -> Option<usize> {
    Some(fs::read_dir(waiting_folder(root, number)).ok()?.count())
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
    /// A place for a content of which no other form waits; `make` makes the folder that it is in when that is new. `None`
    /// when the same content is just being written: the place of that name is taken.
    ///
    /// # Errors
    /// That of `make`; nothing was given then.
    pub fn give<E>(
        &mut self,
        digest: &Digest,
        target: &str,
        make: impl FnOnce(u32) -> Result<(), E>,
    ) -> Result<Option<Temporary>, E> {
        if self.filling.contains(digest) {
            return Ok(None);
        }
        let folder = layout::folder_of(target);
        let number = match self.given.get_mut(folder) {
            Some((number, given)) => {
                *given += 1;
                *number
            }
            None => {
                let number = self.given.len() as u32;
                make(number)?;
                self.given.insert(folder.to_owned(), (number, 1));
                number
            }
        };
        self.filling.push(*digest);
        Ok(Some(Temporary::In(number)))
    }

    /// A place is filled, or nothing will come there.
    pub fn filled(&mut self, digest: &Digest) {
        self.filling.retain(|filling| filling != digest);
    }

    /// Where files wait for a place in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// The folders of which all is wanted, as none of the places in them was given for nothing: number, and how many files
    /// they hold.
    pub fn complete(self, wanted: impl Iterator<Item = Temporary>) -> BTreeMap<String, (u32, usize)> {
        let mut files = vec![0; self.given.len()];
        for file in wanted {
            if let Temporary::In(number) = file
                && let Some(files) = files.get_mut(number as usize)
            {
                *files += 1;
            }
        }
        let complete = |(_, (number, given)): &(String, (u32, usize))| files.get(*number as usize) == Some(given);
        self.given.into_iter().filter(complete).collect()
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
        assert_eq!(folders.give(&digest(0), "originals/2024/05/0.fit", |_| Err("full")), Err("full"));
        let (mut files, mut made) = (Vec::new(), Vec::new());
        let mut give = |folders: &mut Folders, n: u8, month: usize| {
            let make = |number| {
                made.push(number);
                Ok::<_, &str>(())
            };
            folders.give(&digest(n), &format!("{}/{n}.fit", MONTHS[month]), make).unwrap()
        };
        files.extend((0..6).map(|n| give(&mut folders, n, usize::from(n) % 3).unwrap()));
        assert_eq!(give(&mut folders, 5, 0), None, "it is just being written");
        folders.filled(&digest(5));
        assert!(give(&mut folders, 5, 0).is_some(), "but not for ever");
        assert_eq!(made, [0, 1, 2], "each folder is made once");
        // Of the first month one is not wanted, of the second one is elsewhere.
        files.retain(|file| *file != Temporary::In(1));
        files.extend([Temporary::In(1), Temporary::Alone(7)]);
        let complete = folders.complete(files.into_iter());
        assert_eq!(complete, BTreeMap::from([(MONTHS[2].to_owned(), (2, 2))]));
    }

    #[test]
    fn a_file_waits_under_the_name_that_it_will_have() {
        let root = Path::new("h");
        let digest = Digest([0xab; 32]);
        let with_others = Temporary::In(3).path(root, &digest, "originals/2024/05/a.fit");
        assert_eq!(with_others, Path::new("h/originals/incoming/3/a.fit"));
        let alone = Temporary::Alone(4).path(root, &digest, "originals/2024/05/a.fit");
        assert_eq!(alone, root.join(format!("originals/incoming/{digest}-4")));
    }
}
