//! Activities of one file, held until its end: the last one of an id counts, and legs find their multisport activity.

use std::collections::HashMap;

use super::activity::{self, PLATFORM};
use crate::error::{Place, Result};
use crate::formats::Intake;
use crate::json::Value;
use crate::model::Draft;
use crate::report::Code;

const REPEATED: Code = Code::info("garmin.repeated");
const LEGS: Code = Code::info("garmin.legs");
const LONE_LEG: Code = Code::warning("garmin.lone_leg");

/// So many activities are held at most; a real chunk has about a thousand.
const MOST: usize = 10_000;

struct One {
    draft: Draft,
    place: Place,
    id: Option<i64>,
    parent: Option<i64>,
}

/// What was read and not yet handed on.
#[derive(Default)]
pub(super) struct Held {
    all: Vec<One>,
    by_id: HashMap<i64, usize>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MOST
    }

    /// Takes an activity; it replaces an earlier one of the same id.
    pub(super) fn take(&mut self, value: &Value, place: &Place) {
        let id = value["activityId"].i64();
        let parent = value["parentId"].i64().filter(|parent| *parent != 0 && Some(*parent) != id);
        let mut one = One { draft: activity::draft(value, place), place: place.clone(), id, parent };
        if let Some(before) = id.and_then(|id| self.by_id.get(&id)).and_then(|at| self.all.get_mut(*at)) {
            one.draft.notes.add(REPEATED, place.clone(), || "stands more than once in this file; the last one counts");
            *before = one;
            return;
        }
        if let Some(id) = id {
            self.by_id.insert(id, self.all.len());
        }
        self.all.push(one);
    }

    /// Hands everything on in the order of the file.
    pub(super) fn release(&mut self, intake: &mut Intake<'_>) -> Result<()> {
        let parent_of = |one: &One| one.parent.and_then(|parent| self.by_id.get(&parent)).copied();
        // A leg of a leg belongs nowhere.
        let roots: Vec<Option<usize>> = self
            .all
            .iter()
            .map(|one| parent_of(one).filter(|at| self.all.get(*at).is_some_and(|parent| parent_of(parent).is_none())))
            .collect();
        let mut legs: HashMap<usize, Vec<One>> = HashMap::new();
        let mut whole = Vec::new();
        self.by_id.clear();
        for (at, (one, root)) in std::mem::take(&mut self.all).into_iter().zip(roots).enumerate() {
            match root {
                Some(root) => legs.entry(root).or_default().push(one),
                None => whole.push((at, one)),
            }
        }
        for (at, mut one) in whole {
            match legs.remove(&at) {
                Some(legs) => join(&mut one, legs),
                None => {
                    if let Some(parent) = one.parent {
                        one.draft.leg_of = Some((PLATFORM.to_owned(), parent.to_string()));
                        one.draft.notes.add(
                            LONE_LEG,
                            one.place.clone(),
                            || "a leg of a multisport activity that is not in this file",
                        );
                    }
                }
            }
            intake.emit(one.draft)?;
        }
        Ok(())
    }
}

/// Makes legs the sessions of their activity, which has the totals. Their ids are its ids too.
fn join(whole: &mut One, mut legs: Vec<One>) {
    legs.sort_by_key(|leg| (leg.draft.recording.stated_start, leg.id));
    let count = legs.len();
    let recording = &mut whole.draft.recording;
    recording.sessions.clear();
    let own_laps = !recording.laps.is_empty();
    for leg in legs {
        let leg_recording = leg.draft.recording;
        let name = leg_recording.name;
        recording.sessions.extend(leg_recording.sessions.into_iter().map(|mut session| {
            session.name = name.clone();
            session
        }));
        if !own_laps {
            recording.laps.extend(leg_recording.laps);
        }
        recording.splits.extend(leg_recording.splits);
        recording.platform_ids.extend(leg.id.map(|id| (PLATFORM.to_owned(), id.to_string())));
        whole.draft.notes.extend(leg.draft.notes);
    }
    whole.draft.notes.add(LEGS, whole.place.clone(), || format!("its {count} legs are sessions, not activities"));
}
