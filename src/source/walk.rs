//! Folders, walked in byte order of names. Symbolic links are followed, every real folder once.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::label::is_clutter;

/// What a walk meets.
pub(super) enum Found {
    /// A regular file with its size in bytes.
    File { path: PathBuf, name: String, len: u64 },
    /// A pipe, socket or device.
    Special { name: String },
    /// A hidden file or something that operating systems leave behind.
    Clutter { name: String },
    /// A link to a folder that is walked already.
    Again { name: String },
    /// Could not be read.
    Failed { name: String, error: io::Error },
}

/// Text of a path, with `/` between its parts.
pub(super) fn name_of(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// The canonical path of a folder, which may still be to be made.
pub(super) fn real_path(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let (mut real, missing) =
        path.ancestors().find_map(|there| Some((fs::canonicalize(there).ok()?, path.strip_prefix(there).ok()?)))?;
    // What is to be made is no link.
    for part in missing.components() {
        match part {
            Component::ParentDir => _ = real.pop(),
            part => real.push(part),
        }
    }
    Some(real)
}

/// Walks everything below `root` and calls `meet` in order, but for the folder with the canonical path `apart`, and links to
/// what is below it. Folders behind links come last, so that a real folder is named by its own path.
pub(super) fn walk(root: &Path, apart: Option<&Path>, meet: &mut dyn FnMut(Found)) {
    let mut walked = BTreeSet::new();
    let mut linked = std::collections::VecDeque::from([(root.to_owned(), name_of(root))]);
    while let Some((path, name)) = linked.pop_front() {
        match fs::canonicalize(&path) {
            Ok(real) if apart.is_some_and(|apart| real == apart || path != root && real.starts_with(apart)) => {}
            Ok(real) => tree((path, name, real), apart, &mut walked, &mut linked, meet),
            Err(error) => meet(Found::Failed { name, error }),
        }
    }
}

struct Item {
    path: PathBuf,
    name: String,
    /// The canonical path, for folders.
    real: Option<PathBuf>,
}

fn tree(
    (path, name, real): (PathBuf, String, PathBuf),
    apart: Option<&Path>,
    walked: &mut BTreeSet<PathBuf>,
    linked: &mut std::collections::VecDeque<(PathBuf, String)>,
    meet: &mut dyn FnMut(Found),
) {
    let root = path.clone();
    let mut stack = vec![Item { path, name, real: Some(real) }];
    while let Some(Item { path, name, real }) = stack.pop() {
        if path != root && is_clutter(name.rsplit('/').next().unwrap_or(&name)) {
            meet(Found::Clutter { name });
            continue;
        }
        let Some(real) = real else {
            file(path, name, linked, meet);
            continue;
        };
        if !walked.insert(real.clone()) {
            meet(Found::Again { name });
            continue;
        }
        let listing = fs::read_dir(&path).and_then(|listing| listing.collect::<io::Result<Vec<_>>>());
        let mut listing = match listing {
            Ok(listing) => listing,
            Err(error) => {
                meet(Found::Failed { name, error });
                continue;
            }
        };
        // Reversed, because the stack gives the last one first.
        listing.sort_by_key(|item| std::cmp::Reverse(item.file_name()));
        for item in listing {
            let file_name = item.file_name();
            let folder = item.file_type().is_ok_and(|kind| kind.is_dir());
            let name = format!("{}/{}", name.trim_end_matches('/'), file_name.to_string_lossy());
            let real = folder.then(|| real.join(&file_name));
            if apart.is_none() || real.as_deref() != apart {
                stack.push(Item { path: item.path(), name, real });
            }
        }
    }
}

fn file(
    path: PathBuf,
    name: String,
    linked: &mut std::collections::VecDeque<(PathBuf, String)>,
    meet: &mut dyn FnMut(Found),
) {
    match fs::metadata(&path) {
        Ok(data) if data.is_dir() => linked.push_back((path, name)),
        Ok(data) if data.is_file() => meet(Found::File { path, name, len: data.len() }),
        Ok(_) => meet(Found::Special { name }),
        Err(error) => meet(Found::Failed { name, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_still_to_be_made_has_the_path_that_it_will_have() {
        let folder = tempfile::tempdir().unwrap();
        let there = fs::canonicalize(folder.path()).unwrap();
        let real = |path: &str| real_path(&folder.path().join(path)).unwrap();
        assert_eq!(real(""), there);
        assert_eq!(real("h"), there.join("h"));
        assert_eq!(real("new/../h/./below/"), there.join("h/below"));
    }
}
