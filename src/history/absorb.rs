//! One history taken over into another.

use std::collections::HashSet;
use std::io;

use super::layout::{io_error, wrong};
use super::originals::{copy_content, digest_of};
use super::{Action, ActivityLine, Decision, Entry, History, Original, Verdict, Writer};
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
            if self.has(&original.digest) {
                self.put(Entry::Alias { digest: original.digest, names: original.names.clone() });
                continue;
            }
            let from = other.path_of(original)?;
            let (_, digest) = copy_content(&from, &mut io::sink()).map_err(|e| io_error("cannot read", &from, e))?;
            if digest != original.digest {
                return Err(wrong(&from, "the original is damaged; verify that history first"));
            }
            let file = std::fs::read(&from).map_err(|error| io_error("cannot read", &from, error))?;
            // What another history says of streams is only believed as far as its file shows it: a stream that is taken
            // for known is not looked into.
            let gzipped = original.path.ends_with(".gz");
            let gzip_sha256 = original.gzip_sha256.filter(|stream| gzipped && *stream == digest_of(&file));
            self.stage_copy(Original { gzip_sha256, ..original.clone() }, &file)?;
            new.insert(original.digest);
        }
        for activity in other.activities().iter().filter(|activity| new.contains(&activity.digest)) {
            self.put_activity(ActivityLine::of(&activity.summary()?)?);
        }
        let decided: HashSet<ActivityId> = self.clusters().iter().flat_map(|c| c.members.iter().copied()).collect();
        let open = |members: &[ActivityId]| !members.iter().any(|id| decided.contains(id));
        for cluster in other.clusters().iter().filter(|cluster| open(&cluster.members)) {
            let apart = |a| cluster.members.iter().any(|b| self.are_apart(a, b));
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
