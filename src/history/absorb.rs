//! One history taken over into another.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::layout::{self, io_error, wrong};
use super::originals::{copy_content, digest_of};
use super::{Action, ActivityLine, Decision, Entry, History, Original, OriginalKind, Verdict, Writer};
use crate::error::Result;
use crate::ids::{ActivityId, Digest};

impl Writer {
    /// Puts everything of another history that this one does not have: originals under all their names, activities,
    /// merges and decisions. Where both have decided about an activity, this one's word stands. Gives the digests of
    /// the new originals; the commit is the caller's.
    ///
    /// # Errors
    /// `Io` when an original cannot be copied, `History` when one of the other history is damaged.
    pub fn absorb(&mut self, other: &History) -> Result<HashSet<Digest>> {
        let mut new = HashSet::new();
        for original in other.originals() {
            let original = original?;
            if self.has(&original.digest) {
                self.put(Entry::Alias { digest: original.digest, names: original.names });
                continue;
            }
            let from = other.path_of(&original)?;
            let (_, digest) = copy_content(&from, &mut io::sink()).map_err(|e| io_error("cannot read", &from, e))?;
            if digest != original.digest {
                return Err(wrong(&from, "the original is damaged; verify that history first"));
            }
            let file = std::fs::read(&from).map_err(|error| io_error("cannot read", &from, error))?;
            // What another history says of streams is only believed as far as its file shows it: a stream that is taken
            // for known is not looked into.
            let gzipped = original.path.ends_with(".gz");
            let gzip_sha256 = original.gzip_sha256.filter(|stream| gzipped && *stream == digest_of(&file));
            let path = own_path(&original);
            new.insert(original.digest);
            self.stage_copy(Original { gzip_sha256, path, ..original }, &file)?;
        }
        for activity in other.activities().iter().filter(|activity| new.contains(&activity.digest())) {
            self.put_activity(ActivityLine::of(&activity.summary()?)?.leave(&self.waiting())?);
        }
        let mut decided: HashSet<ActivityId> = self.clusters().flat_map(|c| c.members.iter().copied()).collect();
        // Another history may have been taken over before this one, and wait for the same commit.
        let mut apart_before: Vec<Vec<ActivityId>> = Vec::new();
        for entry in self.entries() {
            match entry {
                Entry::Cluster(cluster) => decided.extend(&cluster.members),
                Entry::Decision(Decision { action: Action::Undo, members }) => apart_before.push(members.clone()),
                Entry::Decision(_) | Entry::Alias { .. } => {}
            }
        }
        let are_apart = |writer: &Writer, a: &ActivityId, b: &ActivityId| {
            writer.are_apart(a, b) || apart_before.iter().any(|set| set.contains(a) && set.contains(b))
        };
        let open = |members: &[ActivityId]| !members.iter().any(|id| decided.contains(id));
        for cluster in other.clusters().filter(|cluster| open(&cluster.members)) {
            let apart = |a| cluster.members.iter().any(|b| are_apart(self, a, b));
            if cluster.verdict == Verdict::Unsure || !cluster.members.iter().any(apart) {
                self.put(Entry::Cluster(cluster.cluster()?));
            }
        }
        for members in other.apart().iter().filter(|members| open(members)) {
            self.put(Entry::Decision(Decision { action: Action::Undo, members: members.clone() }));
        }
        Ok(new)
    }
}

/// Where an original of another history goes: where it lies there, unless its name does not tell whose it is. What is called
/// otherwise could take the place of another one. Nor does it go where originals wait for a commit: that place is cleared.
fn own_path(original: &Original) -> String {
    let name = original.path.rsplit('/').next().unwrap_or_default();
    let waits = Path::new(&original.path).starts_with(layout::INCOMING);
    if name.contains(&original.digest.short()) && !waits {
        return original.path.clone();
    }
    let plain = original.path.strip_suffix(".gz").unwrap_or(&original.path);
    let extension = plain.rsplit_once('.').map_or("", |(_, extension)| extension);
    let gzip = plain != original.path;
    layout::original_path(OriginalKind::Archive, None, "", &original.digest, plain, extension, gzip)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Cluster;
    use super::super::faults::FaultyDisk;
    use super::super::testing::{put, scratch};
    use super::*;

    #[test]
    fn an_original_of_another_history_never_takes_the_place_of_one() {
        let folder = scratch();
        let [theirs, ours] = ["theirs", "ours"].map(|name| folder.path().join(name));
        let mut writer = Writer::open(&ours, false, FaultyDisk::sound()).unwrap();
        let kept = put(&mut writer, "a.gpx", b"ours", 1).unwrap();
        writer.commit().unwrap();
        let place = writer.original(&kept).unwrap().unwrap().path;
        let mut other = Writer::open(&theirs, false, FaultyDisk::sound()).unwrap();
        let came = put(&mut other, "b.gpx", b"theirs", 1).unwrap();
        other.restage(&came, &place);
        other.commit().unwrap();
        assert_eq!(other.original(&came).unwrap().unwrap().path, place);
        drop(other);
        writer.absorb(&History::open(&theirs).unwrap()).unwrap();
        writer.commit().unwrap();
        assert_eq!(writer.read_original(&kept).unwrap(), b"ours");
        assert_eq!(writer.read_original(&came).unwrap(), b"theirs");
        assert_eq!(writer.original(&kept).unwrap().unwrap().path, place);
    }

    #[test]
    fn originals_of_another_history_are_kept_whatever_folders_lie_in_each_other() {
        let folder = scratch();
        let [theirs, ours] = ["theirs", "ours"].map(|name| folder.path().join(name));
        let mut other = Writer::open(&theirs, false, FaultyDisk::sound()).unwrap();
        let mut digests: Vec<Digest> =
            [b"a", b"b", b"c", b"d"].iter().map(|text| put(&mut other, "x.gpx", *text, 1).unwrap()).collect();
        digests.sort_unstable();
        // The first one waits alone.
        let folders = ["originals/2024/06", "originals/2024", "originals/2024/05", "originals/2024/05/1"];
        for (digest, folder) in digests.iter().zip(folders) {
            other.restage(digest, &format!("{folder}/{}.gpx.gz", digest.short()));
        }
        other.commit().unwrap();
        drop(other);
        let mut writer = Writer::open(&ours, false, FaultyDisk::sound_as_a_whole()).unwrap();
        writer.absorb(&History::open(&theirs).unwrap()).unwrap();
        writer.commit().unwrap();
        for digest in &digests {
            assert_eq!(digest_of(&writer.read_original(digest).unwrap()), *digest);
        }
        let mut odd = writer.original(&digests[0]).unwrap().unwrap();
        odd.path = format!("{}/0/{}.gpx.gz", layout::INCOMING, odd.digest.short());
        assert!(own_path(&odd).starts_with("originals/archives/"), "that would be cleared");
    }

    #[test]
    fn of_two_histories_taken_over_at_once_the_word_of_the_first_stands() {
        let folder = scratch();
        let all: Vec<Vec<u8>> = (0..4).map(|k| format!("recording {k}").into_bytes()).collect();
        let mut ids: Vec<ActivityId> = all.iter().map(|bytes| ActivityId::of(&digest_of(bytes), 0)).collect();
        ids.sort_unstable();
        let [a, b, c, d] = ids[..] else { panic!("{ids:?}") };
        let same = |base: ActivityId, members: &[ActivityId]| {
            let (reasons, origins, merged) = (Vec::new(), BTreeMap::new(), None);
            let (prefer, replaces, members) = (String::new(), Vec::new(), members.to_vec());
            let verdict = Verdict::Same;
            Entry::Cluster(Cluster { verdict, base, members, reasons, origins, merged, prefer, replaces })
        };
        let undo =
            |members: &[ActivityId]| Entry::Decision(Decision { action: Action::Undo, members: members.to_vec() });
        let made = |name: &str, said: Vec<Entry>| {
            let mut writer = Writer::open(&folder.path().join(name), false, FaultyDisk::sound()).unwrap();
            for bytes in &all {
                put(&mut writer, "x.gpx", bytes, 1).unwrap();
            }
            said.into_iter().for_each(|entry| writer.put(entry));
            writer.commit().unwrap();
            History::open(&folder.path().join(name)).unwrap()
        };
        let first = made("first", vec![same(a, &[a, b]), undo(&[c, d])]);
        let second = made("second", vec![same(c, &[b, c, d])]);
        let third = made("third", vec![same(d, &[c, d]), undo(&[a, b])]);
        let mut writer = Writer::open(&folder.path().join("ours"), false, FaultyDisk::sound()).unwrap();
        for other in [&first, &second, &third] {
            writer.absorb(other).unwrap();
        }
        writer.commit().unwrap();
        let merged: Vec<&[ActivityId]> = writer.clusters().map(|cluster| &cluster.members[..]).collect();
        assert_eq!(merged, [[a, b]]);
        assert_eq!(writer.apart(), [[c, d]]);
    }
}
