//! Grouping: which pairs to judge, and how verdicts become clusters. The result depends on the set of activities
//! only, not on their order nor on how many imports brought them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::evidence::Reason;
use super::fingerprint::Fingerprint;
use super::judge::{Judgement, Verdict, judge, verdict_on};
use super::summary::{day_number, days_of};
use super::when::{CLOCK_SLACK_MS, WIDEST_SHIFT_S, shifts_between};
use crate::ids::ActivityId;

/// Two activities with a verdict that is not `different`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The smaller identity; `Side::First` of the judgement.
    pub first: ActivityId,
    /// The larger identity.
    pub second: ActivityId,
    /// The verdict with its reasons. Out of [`pairs`] it comes without them: they are texts, and of a hundred pairs a few are
    /// told; [`cluster`] gives those.
    pub judgement: Judgement,
}

/// One workout in several activities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// The activities, in order of identity; at least two.
    pub members: Vec<ActivityId>,
    /// What holds them together: for each joining pair its reasons.
    pub links: Vec<Pair>,
}

/// Clusters and doubtful pairs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// Every workout with more than one activity, in order of its smallest identity.
    pub clusters: Vec<Cluster>,
    /// Doubtful pairs between different workouts, the surest pair of each two.
    pub unsure: Vec<Pair>,
}

/// What the user decided about pairs; it overrides every verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// Pairs that are one workout.
    pub same: Vec<(ActivityId, ActivityId)>,
    /// Pairs that are two workouts.
    pub different: Vec<(ActivityId, ActivityId)>,
}

/// Groups activities: [`pairs`] of all, then [`cluster`].
pub fn group(all: &[Fingerprint]) -> Grouping {
    let everything: Vec<&Fingerprint> = all.iter().collect();
    cluster(&everything, &pairs(&[], &everything), &Decisions::default())
}

/// Judges every pair that could be one workout and has at least one of `new` in it: new against old, and new against
/// new. Pairs that are different are left out. In order of identities.
pub fn pairs(old: &[&Fingerprint], new: &[&Fingerprint]) -> Vec<Pair> {
    let all: Vec<&Fingerprint> = old.iter().chain(new).copied().collect();
    let candidates: Vec<Candidate> = all.iter().copied().map(Candidate::of).collect();
    let candidates: Vec<&Candidate> = candidates.iter().collect();
    match pairs_of::<Infallible>(&candidates, old.len(), &|at| Ok(Cow::Borrowed(all[at]))) {
        Ok(pairs) => pairs,
        Err(never) => match never {},
    }
}

/// The same for activities whose fingerprints are read when they are compared; the first `old` of them are those of before.
///
/// Candidates come from a sweep by start time (common time, a zone fault between them, equal content), from platform
/// identities and, for workouts without clock time, from the day. But for platform identities, two activities that
/// start more than 27 hours apart are never candidates.
///
/// # Errors
/// The first of `read`.
pub fn pairs_of<'f, E>(
    all: &[&Candidate],
    old: usize,
    read: &dyn Fn(usize) -> Result<Cow<'f, Fingerprint>, E>,
) -> Result<Vec<Pair>, E> {
    let mut pairs: Vec<Pair> = Vec::new();
    // Judged as they are found: candidates may be a hundred times as many as activities.
    let mut consider = |a: &Fingerprint, b: &Fingerprint| {
        let (first, second) = if b.id < a.id { (b, a) } else { (a, b) };
        if first.id == second.id {
            return;
        }
        let judgement = verdict_on(first, second);
        if judgement.verdict != Verdict::Different {
            pairs.push(Pair { first: first.id, second: second.id, judgement });
        }
    };
    sweep(all, old, read, &mut consider)?;
    let mut others = Vec::new();
    by_name(all, &mut others);
    by_day(all, &mut others);
    for (a, b) in others.into_iter().filter(|(a, b)| *a.max(b) >= old) {
        consider(&*read(a)?, &*read(b)?);
    }
    pairs.sort_by_key(|pair| (pair.first, pair.second));
    pairs.dedup_by_key(|pair| (pair.first, pair.second));
    Ok(pairs)
}

/// What tells with whom an activity is compared: little, where a fingerprint is a kilobyte or two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Identity of the activity.
    pub id: ActivityId,
    window: Option<(i64, i64)>,
    offset_s: Option<i32>,
    more: Option<Box<More>>,
}

/// What few have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct More {
    /// Days since the epoch, of a workout without clock time.
    day: Option<i64>,
    /// Hashes of its platform identities, alike in one run.
    names: Box<[u64]>,
}

impl Candidate {
    /// That of a fingerprint.
    pub fn of(fingerprint: &Fingerprint) -> Candidate {
        let hash = |name: &(String, String)| {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            hasher.finish()
        };
        let day = fingerprint.day.as_deref().and_then(day_number);
        let names: Box<[u64]> = fingerprint.platform_ids.iter().map(hash).collect();
        Candidate {
            id: fingerprint.id,
            window: fingerprint.window(),
            offset_s: fingerprint.offset_s,
            more: (day.is_some() || !names.is_empty()).then(|| Box::new(More { day, names })),
        }
    }

    fn day(&self) -> Option<i64> {
        self.more.as_ref()?.day
    }

    fn names(&self) -> &[u64] {
        self.more.as_ref().map_or(&[], |more| &more.names)
    }

    /// The time in which it may meet another one, ms: its own, else its day.
    pub fn time(&self) -> (i64, i64) {
        const DAY_MS: i64 = 86_400_000;
        let day = || self.day().map(|day| (day * DAY_MS, (day + 1) * DAY_MS));
        self.window.or_else(day).unwrap_or((i64::MAX, i64::MIN))
    }

    fn days(&self) -> Vec<i64> {
        match self.day() {
            Some(day) => vec![day],
            None => days_of(self.window.map(|(start, _)| start), self.offset_s),
        }
    }
}

/// Sweep by start: each activity meets those before it whose time it shares, or would share with a zone fault. In order of
/// time, an activity meets all that it may be while it is in the cache.
fn sweep<'f, E>(
    all: &[&Candidate],
    old: usize,
    read: &dyn Fn(usize) -> Result<Cow<'f, Fingerprint>, E>,
    consider: &mut impl FnMut(&Fingerprint, &Fingerprint),
) -> Result<(), E> {
    let mut timed: Vec<usize> = (0..all.len()).filter(|&i| all[i].window.is_some()).collect();
    timed.sort_unstable_by_key(|&i| (all[i].window, i));
    // Earlier activities that a later one may still meet.
    let mut open: Vec<((i64, i64), usize, Cow<'f, Fingerprint>)> = Vec::new();
    let reach = WIDEST_SHIFT_S * 1000 + CLOCK_SLACK_MS;
    for &i in &timed {
        let Some(window) = all[i].window else { continue };
        open.retain(|(earlier, ..)| earlier.0.max(earlier.1) + reach >= window.0);
        let this = read(i)?;
        for (_, j, other) in &open {
            if (i >= old || *j >= old) && (!shifts_between(other, &this).is_empty() || this.same_content(other)) {
                consider(other, &this);
            }
        }
        open.push((window, i, this));
    }
    Ok(())
}

/// Pairs that share a platform identity. An identity that very many share tells nothing: only neighbours in order are
/// paired then.
fn by_name(all: &[&Candidate], out: &mut Vec<(usize, usize)>) {
    const MANY: usize = 64;
    let named = all.iter().enumerate().filter(|(_, of)| !of.names().is_empty());
    let keys = named.flat_map(|(i, of)| of.names().iter().map(move |name| (*name, of.id, i)));
    let mut keyed: Vec<(u64, ActivityId, usize)> = keys.collect();
    keyed.sort_unstable();
    for run in keyed.chunk_by(|a, b| a.0 == b.0) {
        let most = if run.len() > MANY { 1 } else { run.len() };
        for (at, a) in run.iter().enumerate() {
            out.extend(run[at + 1..].iter().take(most).map(|b| (a.2, b.2)));
        }
    }
}

/// Workouts without clock time against all others of the day.
fn by_day(all: &[&Candidate], out: &mut Vec<(usize, usize)>) {
    let mut of_day: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (i, of) in all.iter().enumerate().filter(|(_, of)| of.window.is_none()) {
        of.days().into_iter().for_each(|day| of_day.entry(day).or_default().push(i));
    }
    if of_day.is_empty() {
        return;
    }
    for (i, of) in all.iter().enumerate() {
        for day in of.days() {
            out.extend(of_day.get(&day).into_iter().flatten().filter(|&&j| j != i).map(|&j| (j, i)));
        }
    }
}

/// Which activities hang together through pairs, in however many steps. What [`cluster`] makes of some does not depend on
/// others that they do not hang together with.
pub struct Parts {
    ids: Vec<ActivityId>,
    forest: Forest,
}

impl Parts {
    /// Through these.
    pub fn of(pairs: impl Iterator<Item = (ActivityId, ActivityId)> + Clone) -> Parts {
        let mut ids: Vec<ActivityId> = pairs.clone().flat_map(|(a, b)| [a, b]).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut parts = Parts { forest: Forest::of(ids.len()), ids };
        for (a, b) in pairs {
            if let (Ok(a), Ok(b)) = (parts.ids.binary_search(&a), parts.ids.binary_search(&b)) {
                parts.forest.join(a, b);
            }
        }
        parts
    }

    /// Number of the part that an activity belongs to.
    pub fn part(&self, id: &ActivityId) -> Option<usize> {
        self.forest.root.get(self.ids.binary_search(id).ok()?).copied()
    }
}

/// Joins `same` pairs to clusters, the surest first. A pair does not join two clusters when something speaks against
/// any two of their members being one workout; it is reported as unsure then. The user's decisions come before all.
pub fn cluster(all: &[&Fingerprint], pairs: &[Pair], decisions: &Decisions) -> Grouping {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_unstable_by_key(|&i| all[i].id);
    order.dedup_by_key(|&mut i| all[i].id);
    let place = |id: ActivityId| order.binary_search_by_key(&id, |&i| all[i].id).ok();
    let known = |(a, b): &(ActivityId, ActivityId)| Some((place(*a)?, place(*b)?));
    let mut forest = Forest::of(order.len());
    let forbidden: Vec<(usize, usize)> = decisions.different.iter().filter_map(known).collect();
    let mut links: Vec<Pair> = Vec::new();
    let mut unsure: Vec<Pair> = Vec::new();
    for (a, b) in decisions.same.iter().filter_map(known) {
        if forest.join(a, b) {
            let judgement = decided(judge(all[order[a.min(b)]], all[order[a.max(b)]]));
            links.push(Pair { first: all[order[a.min(b)]].id, second: all[order[a.max(b)]].id, judgement });
        }
    }
    let judged: BTreeMap<(ActivityId, ActivityId), Verdict> =
        pairs.iter().map(|pair| ((pair.first, pair.second), pair.judgement.verdict)).collect();
    let opposed = |a: usize, b: usize| -> bool {
        let (a, b) = (a.min(b), a.max(b));
        if forbidden.iter().any(|&(x, y)| (x.min(y), x.max(y)) == (a, b)) {
            return true;
        }
        let (first, second) = (all[order[a]], all[order[b]]);
        match judged.get(&(first.id, second.id)) {
            Some(Verdict::Same) => false,
            _ => verdict_on(first, second).contradicted,
        }
    };
    let mut surest: Vec<&Pair> = pairs.iter().filter(|pair| pair.judgement.verdict == Verdict::Same).collect();
    surest.sort_by(|x, y| {
        y.judgement.score.total_cmp(&x.judgement.score).then_with(|| (x.first, x.second).cmp(&(y.first, y.second)))
    });
    for pair in surest {
        let Some((a, b)) = known(&(pair.first, pair.second)) else { continue };
        let (root_a, root_b) = (forest.root[a], forest.root[b]);
        if root_a == root_b {
            continue;
        }
        let (of_a, of_b) = (&forest.members[root_a], &forest.members[root_b]);
        if of_a.iter().any(|&x| of_b.iter().any(|&y| opposed(x, y))) {
            unsure.push(pair.clone());
            continue;
        }
        forest.join(a, b);
        links.push(pair.clone());
    }
    unsure.extend(pairs.iter().filter(|pair| pair.judgement.verdict == Verdict::Unsure).cloned());
    unsure.retain(|pair| {
        known(&(pair.first, pair.second)).is_some_and(|(a, b)| {
            forest.root[a] != forest.root[b]
                && !forbidden.iter().any(|&(x, y)| (x.min(y), x.max(y)) == (a.min(b), a.max(b)))
        })
    });
    for pair in &mut unsure {
        pair.judgement.verdict = Verdict::Unsure;
    }
    // One report for two workouts, however many recordings they have: the surest of their pairs.
    let homes = |pair: &Pair| {
        let homes = [pair.first, pair.second].map(|id| place(id).map(|at| forest.root[at]));
        (homes[0].min(homes[1]), homes[0].max(homes[1]))
    };
    unsure.sort_by(|x, y| {
        let sure = y.judgement.score.total_cmp(&x.judgement.score);
        homes(x).cmp(&homes(y)).then(sure).then_with(|| (x.first, x.second).cmp(&(y.first, y.second)))
    });
    unsure.dedup_by_key(|pair| homes(pair));
    unsure.sort_by_key(|pair| (pair.first, pair.second));
    let mut clusters: Vec<Cluster> = forest
        .members
        .iter()
        .filter(|members| members.len() > 1)
        .map(|members| {
            let mut members: Vec<ActivityId> = members.iter().map(|&i| all[order[i]].id).collect();
            members.sort_unstable();
            Cluster { members, links: Vec::new() }
        })
        .collect();
    clusters.sort_by(|x, y| x.members.cmp(&y.members));
    for pair in links.iter_mut().chain(&mut unsure).filter(|pair| pair.judgement.reasons.is_empty()) {
        if let Some((a, b)) = known(&(pair.first, pair.second)) {
            pair.judgement.reasons = judge(all[order[a]], all[order[b]]).reasons;
        }
    }
    links.sort_by_key(|pair| (pair.first, pair.second));
    let mut home: BTreeMap<ActivityId, usize> = BTreeMap::new();
    for (at, cluster) in clusters.iter().enumerate() {
        cluster.members.iter().for_each(|&id| {
            home.insert(id, at);
        });
    }
    for link in links {
        if let Some(&at) = home.get(&link.first) {
            clusters[at].links.push(link);
        }
    }
    Grouping { clusters, unsure }
}

/// A judgement that the user made.
fn decided(mut judgement: Judgement) -> Judgement {
    judgement.verdict = Verdict::Same;
    judgement.reasons.insert(0, Reason { code: "user".into(), score: 0.0, text: "the user decided".to_owned() });
    judgement
}

/// Disjoint sets with their members.
pub(crate) struct Forest {
    root: Vec<usize>,
    /// Of each root; those of others are empty.
    pub members: Vec<Vec<usize>>,
}

impl Forest {
    /// So many things, each alone.
    pub fn of(count: usize) -> Forest {
        Forest { root: (0..count).collect(), members: (0..count).map(|i| vec![i]).collect() }
    }

    /// Joins the sets of two; false when they are one already.
    pub fn join(&mut self, a: usize, b: usize) -> bool {
        let (mut a, mut b) = (self.root[a], self.root[b]);
        if a == b {
            return false;
        }
        if self.members[a].len() < self.members[b].len() {
            (a, b) = (b, a);
        }
        let moved = std::mem::take(&mut self.members[b]);
        moved.iter().for_each(|&i| self.root[i] = a);
        self.members[a].extend(moved);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_hangs_together() {
        let id = |n: u8| ActivityId([n; 16]);
        let pairs = [(1, 2), (7, 8), (2, 3), (5, 4), (3, 5)].map(|(a, b)| (id(a), id(b)));
        let parts = Parts::of(pairs.iter().copied());
        assert!((2..=5).all(|n| parts.part(&id(n)) == parts.part(&id(1))));
        assert_eq!(parts.part(&id(7)), parts.part(&id(8)));
        assert_ne!(parts.part(&id(7)), parts.part(&id(1)));
        assert_eq!(parts.part(&id(6)), None);
    }
}
