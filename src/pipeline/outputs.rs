//! Which activities of a run have to be at hand together to be written: those of one workout, and those that would go to one
//! file, where the order decides.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::dedupe::Forest;
use crate::ids::ActivityId;

/// Stands for an activity that is written alone.
const ALONE: u32 = u32::MAX;

/// Places of activities in a run, in sets that are written together. A set is called by its first place.
pub(super) struct Outputs {
    set: Vec<u32>,
    sets: BTreeMap<usize, Set>,
}

struct Set {
    /// What has to be read.
    parts: Vec<usize>,
    /// The members of each workout, in the order of its identities.
    clusters: Vec<Vec<usize>>,
    /// All places, those too that need not be read because another one has the same activity.
    all: Vec<(ActivityId, usize)>,
}

/// `ids` and `named`, the hash of the name of the file, are those of each place; `clusters` are workouts that are made of
/// several. Of equal identities the last one is the member. With `together` everything is one set.
pub(super) fn sets_of(
    ids: &[ActivityId],
    clusters: &[Vec<ActivityId>],
    named: &[Option<u64>],
    together: bool,
) -> Outputs {
    let mut forest = Forest::of(ids.len());
    let (mut of_id, mut of_name): (HashMap<ActivityId, usize>, HashMap<u64, usize>) = Default::default();
    for (at, id) in ids.iter().enumerate() {
        let alike = of_id.insert(*id, at).into_iter();
        let name = named.get(at).copied().flatten();
        let alike = alike.chain(name.and_then(|name| of_name.insert(name, at))).chain(together.then_some(0));
        for other in alike {
            forest.join(other, at);
        }
    }
    let places: Vec<Vec<usize>> =
        clusters.iter().map(|members| members.iter().filter_map(|id| of_id.get(id).copied()).collect()).collect();
    for pair in places.iter().flat_map(|members| members.windows(2)) {
        forest.join(pair[0], pair[1]);
    }
    let merged: HashSet<&ActivityId> = clusters.iter().flatten().collect();
    let (mut set, mut sets) = (vec![ALONE; ids.len()], BTreeMap::<usize, Set>::new());
    for mut all in forest.members.into_iter().filter(|members| members.len() > 1) {
        all.sort_unstable();
        let first = all[0];
        all.iter().for_each(|&at| set[at] = first as u32);
        let is_part = |at: &usize| !merged.contains(&ids[*at]) || of_id.get(&ids[*at]) == Some(at);
        let parts = all.iter().copied().filter(is_part).collect();
        let all = all.into_iter().map(|at| (ids[at], at)).collect();
        sets.insert(first, Set { parts, clusters: Vec::new(), all });
    }
    for members in places {
        let of = members.first().and_then(|&first| sets.get_mut(&(set[first] as usize)));
        of.into_iter().for_each(|of| of.clusters.push(members.clone()));
    }
    Outputs { set, sets }
}

impl Outputs {
    /// All sets, in the order of their first places.
    pub fn sets(&self) -> impl Iterator<Item = usize> {
        self.sets.keys().copied()
    }

    /// The set of a place; `None` for what is written alone.
    pub fn set_of(&self, at: usize) -> Option<usize> {
        self.set.get(at).filter(|set| **set != ALONE).map(|set| *set as usize)
    }

    /// True when the activity at a place is read for its set.
    pub fn is_part(&self, at: usize) -> bool {
        self.set_of(at).is_some_and(|set| self.parts(set).binary_search(&at).is_ok())
    }

    /// What is read for a set, in order.
    pub fn parts(&self, set: usize) -> &[usize] {
        self.sets.get(&set).map_or(&[], |set| &set.parts)
    }

    /// The places of the members of each workout of a set that is made of several.
    pub fn clusters(&self, set: usize) -> &[Vec<usize>] {
        self.sets.get(&set).map_or(&[], |set| &set.clusters)
    }

    /// The places of a set at which this activity was met.
    pub fn places(&self, set: usize, id: ActivityId) -> impl Iterator<Item = usize> {
        let all = self.sets.get(&set).map_or(&[][..], |set| &set.all);
        all.iter().filter(move |(other, _)| *other == id).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(of: &[u8]) -> Vec<ActivityId> {
        of.iter().map(|id| ActivityId([*id; 16])).collect()
    }

    type Found<'o> = (usize, &'o [usize], &'o [Vec<usize>]);

    fn found(outputs: &Outputs) -> Vec<Found<'_>> {
        outputs.sets().map(|set| (set, outputs.parts(set), outputs.clusters(set))).collect()
    }

    #[test]
    fn what_shares_nothing_is_written_alone() {
        let outputs = sets_of(&ids(&[1, 2, 3]), &[], &[Some(1), Some(2), None], false);
        assert!(found(&outputs).is_empty() && (0..3).all(|at| outputs.set_of(at).is_none() && !outputs.is_part(at)));
        assert!(found(&sets_of(&[], &[], &[], true)).is_empty());
    }

    #[test]
    fn workouts_and_names_hang_together() {
        // 1 and 4 are one workout; 4's file is called as that of 2, and 5's as that of 3.
        let names = [1, 2, 3, 2, 3, 6].map(Some);
        let outputs = sets_of(&ids(&[1, 2, 3, 4, 5, 6]), &[ids(&[4, 1])], &names, false);
        assert_eq!(found(&outputs), [(0, &[0, 1, 3][..], &[vec![3, 0]][..]), (2, &[2, 4], &[])]);
        assert_eq!((outputs.set_of(3), outputs.set_of(5)), (Some(0), None));
        let all = sets_of(&ids(&[1, 2, 3, 4, 5, 6]), &[ids(&[4, 1])], &names, true);
        assert_eq!(found(&all), [(0, &[0, 1, 2, 3, 4, 5][..], &[vec![3, 0]][..])]);
    }

    #[test]
    fn of_equal_activities_the_last_is_the_member_and_each_has_a_place() {
        let outputs = sets_of(&ids(&[1, 2, 1, 3, 3]), &[ids(&[1, 2])], &[None; 5], false);
        assert_eq!(found(&outputs), [(0, &[1, 2][..], &[vec![2, 1]][..]), (3, &[3, 4], &[])]);
        assert!(!outputs.is_part(0) && outputs.is_part(2) && outputs.is_part(3));
        assert_eq!(outputs.places(0, ids(&[1])[0]).collect::<Vec<_>>(), [0, 2]);
    }
}
