//! Nike Run Club: there is no official archive, only bags of files `<uuid>.json`, one a run, that scripts saved.

use super::{Matching, Platform, Role, split};

/// Nike's row of the table of platforms.
pub(super) const PLATFORM: Platform = Platform {
    id: "nike",
    name: "Nike Run Club files",
    root,
    generation,
    role: |_| Role::Recording,
    matching: Matching::Start,
};

fn root(name: &str) -> Option<&str> {
    let (folder, file) = split(name);
    let uuid = file.strip_suffix(".json")?;
    let dashes = [8, 13, 18, 23];
    let fits = |(at, b): (usize, u8)| if dashes.contains(&at) { b == b'-' } else { b.is_ascii_hexdigit() };
    (uuid.len() == 36 && uuid.bytes().enumerate().all(fits)).then_some(folder)
}

/// Such names are no proof: the content decides whether they are Nike's.
fn generation(_: &[&str]) -> Option<&'static str> {
    Some("one file a run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identities_count_as_names() {
        assert_eq!(root("b/11111111-2222-3333-4444-55555555aBcD.json"), Some("b/"));
        assert_eq!(root("11111111-2222-3333-4444-55555555555.json"), None);
        assert_eq!(root("11111111x2222-3333-4444-555555555555.json"), None);
    }
}
