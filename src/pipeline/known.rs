//! Fingerprints on disk: a line each, `id from to json`; `id -` voids the one before. They can be derived again at any time.

use std::collections::HashMap;

use crate::dedupe::Fingerprint;
use crate::error::Result;
use crate::history::{Derived, DerivedAt};
use crate::ids::ActivityId;

/// Whose fingerprints are known, and when those are; what else they say is read when it is wanted.
pub(super) struct Known<'a> {
    derived: &'a Derived,
    lines: HashMap<ActivityId, Line>,
}

/// The time of a fingerprint, ms, and where its JSON is.
struct Line {
    from: i64,
    to: i64,
    json: DerivedAt,
}

impl<'a> Known<'a> {
    /// All of them.
    ///
    /// # Errors
    /// `Io` when they cannot be read.
    pub fn of(derived: &'a Derived) -> Result<Known<'a>> {
        let mut lines = HashMap::new();
        derived.each_line(&mut |place, text| {
            match said(text) {
                Some((id, Some((from, to, json)))) => drop(lines.insert(id, Line { from, to, json: place.skip(json) })),
                Some((id, None)) => drop(lines.remove(&id)),
                None => {}
            };
        })?;
        Ok(Known { derived, lines })
    }

    /// Those of before `fresh`. What is new to the journal has no fingerprint: one that is there is of a journal that was
    /// lost, or put back.
    ///
    /// # Errors
    /// As [`Known::of`].
    pub fn before(derived: &'a Derived, fresh: impl Iterator<Item = ActivityId>) -> Result<Known<'a>> {
        let mut known = Known::of(derived)?;
        for new in fresh {
            known.lines.remove(&new);
        }
        Ok(known)
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn has(&self, id: &ActivityId) -> bool {
        self.lines.contains_key(id)
    }

    /// One fingerprint; `None` as well when it cannot be read, and is derived again.
    pub fn fingerprint(&self, id: &ActivityId) -> Option<Fingerprint> {
        serde_json::from_slice(&self.derived.read(self.lines.get(id)?.json).ok()?).ok()
    }

    /// Those whose time, from and to, is `near`, in order of identity.
    pub fn in_time(&self, near: &dyn Fn(i64, i64) -> bool) -> Vec<ActivityId> {
        let in_time = self.lines.iter().filter(|(_, line)| near(line.from, line.to));
        let mut ids: Vec<ActivityId> = in_time.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}

/// Whose fingerprint a line is: from, to, and where its JSON begins; `None` when it voids one.
type Said = (ActivityId, Option<(i64, i64, usize)>);

fn said(line: &[u8]) -> Option<Said> {
    let mut parts = line.splitn(4, |b| *b == b' ');
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let id = text()?.parse().ok()?;
    let (from, to) = (text()?, text());
    if from == "-" && to.is_none() {
        return Some((id, None));
    }
    let (from, to) = (from.parse().ok()?, to?.parse().ok()?);
    Some((id, Some((from, to, line.len() - parts.next()?.len()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whose_fingerprint_it_is_or_voids() {
        let id = "00112233445566778899aabbccddeeff";
        let is = |line: String| said(line.as_bytes());
        let parsed = id.parse().unwrap();
        assert_eq!(is(format!("{id} -5 7 {{ }}")), Some((parsed, Some((-5, 7, 38)))));
        assert_eq!(is(format!("{id} -")), Some((parsed, None)));
        for odd in ["", "x -", id, &format!("{id} 5"), &format!("{id} 5 6"), &format!("{id} a 6 x")] {
            assert_eq!(is(odd.to_owned()), None, "{odd}");
        }
    }
}
