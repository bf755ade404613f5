//! Several recordings of one workout become one: a base, whole columns filled in from the others, clocks aligned, and
//! laps, lengths, sets, names and gear from whichever has them. The order in which they are given does not matter.

use std::collections::BTreeMap;

use super::align::{Clocks, clocks};
use super::fill::Rows;
use super::fingerprint::Fingerprint;
use super::judge::{Judgement, Side, Verdict, judge};
use super::prefer::Preferences;
use super::totals;
use super::when::{Fault, fault, rightful_shift, span_text};
use crate::error::Place;
use crate::model::{
    Activity, Channel, Column, Companion, Device, Draft, Evidence, ExtraColumn, FitField, Origin, Recording, Track,
};
use crate::report::{Code, Notes};

const SOURCES: Code = Code::info("merge.sources");
const ORIGINS: Code = Code::info("merge.origins");
const CLOCK: Code = Code::info("merge.clock");
const ZONE: Code = Code::warning("merge.zone");
const UNALIGNED: Code = Code::warning("merge.unaligned");
const LEFT_OUT: Code = Code::info("merge.left_out");
const PARTS: Code = Code::info("merge.parts");

/// A merged workout, to be settled again (order, computed totals) with the times taken as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Everything recorded, times true.
    pub draft: Draft,
    /// Local offset, seconds.
    pub offset_s: Option<i32>,
    /// Why the offset is believed.
    pub evidence: Evidence,
    /// How far the times of the base were moved from what its file claims, ms.
    pub shift_ms: i64,
    /// True when the times are wall-clock times of an unknown zone.
    pub floating: bool,
    /// The base with the others as companions, and the source of every channel.
    pub origin: Origin,
    /// Sources whose samples have no time in common with those of the base, whatever zone their clocks are in: none of
    /// them could be taken.
    pub apart: Vec<String>,
}

/// One recording and how its clock stands to that of the base.
struct Member<'a> {
    activity: &'a Activity,
    /// To be added to its times, ms; `None` when no offset brings it together with the base: nothing is taken from it
    /// by time then.
    to_base_ms: Option<i64>,
    /// True when its samples have no time in common with those of the base.
    apart: bool,
}

impl Member<'_> {
    fn name(&self) -> &str {
        &self.activity.origin.source
    }

    /// Its times on the clock of the base.
    fn time(&self, row: usize) -> i64 {
        self.activity.track.times()[row] + self.to_base_ms.unwrap_or(0)
    }

    /// How much of the time of `base` its samples cover, 0 to 1.
    fn share_of(&self, base: &Activity) -> f64 {
        let ends = |track: &Track| Some((*track.times().first()?, *track.times().last()?));
        let (Some(ours), Some(theirs), Some(shift)) = (ends(&base.track), ends(&self.activity.track), self.to_base_ms)
        else {
            return 0.0;
        };
        let common = ours.1.min(theirs.1 + shift) - ours.0.max(theirs.0 + shift);
        // A recording of one instant covers that instant.
        ((common + 1) as f64 / (ours.1 - ours.0 + 1) as f64).clamp(0.0, 1.0)
    }

    /// Its parts (no samples) on the clock of the base.
    fn parts(&self) -> Recording {
        let Some(shift) = self.to_base_ms else { return Recording::default() };
        let from: &Recording = self.activity;
        let mut parts = Recording {
            laps: from.laps.clone(),
            sessions: from.sessions.clone(),
            lengths: from.lengths.clone(),
            sets: from.sets.clone(),
            pauses: from.pauses.clone(),
            rr: from.rr.clone(),
            events: from.events.clone(),
            splits: from.splits.clone(),
            waypoints: from.waypoints.clone(),
            ..Recording::default()
        };
        parts.shift(shift);
        parts
    }
}

/// Merges recordings of one workout. `None` without any. One recording, however often it is given, stays as it is.
pub fn merge(activities: &[&Activity], preferences: &Preferences) -> Option<Merged> {
    let mut given: Vec<&Activity> = activities.to_vec();
    given.sort_by_key(|activity| activity.origin.id());
    given.dedup_by_key(|activity| activity.origin.id());
    let most_positions = given.iter().map(|a| a.track.positions().count()).max()?;
    given.sort_by_cached_key(|activity| std::cmp::Reverse(worth(activity, most_positions, preferences)));
    let base = *given.first()?;
    if given.len() == 1 {
        return Some(alone(base));
    }
    let mut notes = kept_notes(base);
    let (members, clock) = align(&given, &mut notes);
    let names: Vec<&str> = members.iter().map(Member::name).collect();
    notes.add(SOURCES, Place::NOWHERE, || format!("merged from {}; the first is the base", names.join(", ")));
    let mut recording = Recording { track: Track::new(), ..base.clone().into_recording() };
    let (track, channels) = columns(&members, preferences, &mut notes);
    recording.track = track;
    notes.add(ORIGINS, Place::NOWHERE, || origins_text(&channels));
    parts(&members, preferences, &mut recording, &mut notes);
    words(&members, preferences, &mut recording);
    recording.shift(clock.correction_ms);
    let origin = Origin { companions: companions(&given), channels, ..base.origin.clone() };
    Some(Merged {
        draft: Draft { recording, notes, complete: base.complete, ..Draft::default() },
        offset_s: clock.offset_s,
        evidence: clock.evidence,
        shift_ms: base.shift_ms + clock.correction_ms,
        floating: clock.floating,
        origin,
        apart: members.iter().filter(|member| member.apart).map(|member| member.name().to_owned()).collect(),
    })
}

/// `position, speed: a.fit; heart_rate: b.tcx`, in order of sources.
fn origins_text(channels: &[(String, String)]) -> String {
    let mut of_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (channel, source) in channels {
        of_source.entry(source).or_default().push(channel);
    }
    let texts: Vec<String> =
        of_source.iter().map(|(source, channels)| format!("{}: {source}", channels.join(", "))).collect();
    texts.join("; ")
}

fn alone(activity: &Activity) -> Merged {
    Merged {
        draft: Draft {
            recording: activity.clone().into_recording(),
            notes: kept_notes(activity),
            complete: activity.complete,
            ..Draft::default()
        },
        offset_s: activity.offset_s,
        evidence: activity.evidence,
        shift_ms: activity.shift_ms,
        floating: activity.floating,
        origin: activity.origin.clone(),
        apart: Vec::new(),
    }
}

/// The notes that stay; settling says again how many samples have no time.
pub(super) fn kept_notes(activity: &Activity) -> Notes {
    let mut notes = activity.notes.clone();
    notes.retain(|note| note.code != "time.missing");
    notes
}

/// Order of bases: wanted by the user, most positions (within a twentieth), most channels, read to its end, native before
/// re-export, most samples, most parts. The identity (ascending, from the stable sort) decides between equals.
fn worth(activity: &Activity, most_positions: usize, preferences: &Preferences) -> impl Ord + use<> {
    let track = &activity.track;
    let channels = track.channels().filter(|(_, column)| column.count() > 0).count()
        + track.extra().iter().filter(|column| column.count() > 0).count()
        + usize::from(track.has_distance());
    let native = match activity.origin.format.as_str() {
        "fit" => 3,
        "gpx" => 0,
        "tcx" => 1,
        _ => 2,
    };
    let parts = activity.laps.len() + activity.lengths.len() + activity.sets.len() + activity.rr.len();
    (
        preferences.wants("base", activity),
        !track.is_empty(),
        track.positions().count() * 20 >= most_positions * 19,
        channels,
        activity.complete,
        native,
        track.len(),
        parts,
    )
}

/// The clock that is believed.
struct BelievedClock {
    /// To be added to the times of the base at the end, ms.
    correction_ms: i64,
    offset_s: Option<i32>,
    evidence: Evidence,
    floating: bool,
}

/// Zone faults and clock offsets against the base (the first), and the clock that is believed.
fn align<'a>(given: &[&'a Activity], notes: &mut Notes) -> (Vec<Member<'a>>, BelievedClock) {
    let base = given[0];
    let of_base = Fingerprint::of(base);
    let mut clock =
        BelievedClock { correction_ms: 0, offset_s: base.offset_s, evidence: base.evidence, floating: base.floating };
    let mut members = vec![Member { activity: base, to_base_ms: Some(0), apart: false }];
    for &other in &given[1..] {
        let of_other = Fingerprint::of(other);
        let judgement = judge(&of_base, &of_other);
        let shift_ms = shift_of(&of_base, &of_other, &judgement) * 1000;
        let placed = !of_base.unplaced && !of_other.unplaced;
        let found = if of_base.same_content_and_time(&of_other) {
            Clocks::Agree
        } else {
            clocks(base, other, placed, shift_ms, (judgement.lag_s * 1000.0) as i64)
        };
        if shift_ms != 0 {
            let believed = if judgement.faulty == Some(Side::First) { other } else { base };
            notes.add(ZONE, Place::NOWHERE, || {
                format!(
                    "the clocks of {} and {} are {} apart as between two zones; that of {} is believed",
                    base.origin.source,
                    other.origin.source,
                    span_text(shift_ms),
                    believed.origin.source
                )
            });
            if judgement.faulty == Some(Side::First) && clock.correction_ms == 0 {
                clock = BelievedClock {
                    correction_ms: -shift_ms,
                    offset_s: other.offset_s,
                    evidence: other.evidence,
                    floating: other.floating,
                };
            }
        }
        let to_base_ms = match found {
            Clocks::Agree => Some(shift_ms),
            Clocks::Off(ms, by) => {
                notes.add(CLOCK, Place::NOWHERE, || {
                    format!("the clock of {} was moved by {:+} s, found by {by}", other.origin.source, ms / 1000)
                });
                Some(shift_ms + ms)
            }
            Clocks::Astray => {
                notes.add(UNALIGNED, Place::NOWHERE, || {
                    format!(
                        "no offset of the clocks brings {} and {} together (pauses may be left out); nothing was taken \
                         from the latter by time",
                        base.origin.source, other.origin.source
                    )
                });
                None
            }
        };
        let apart = to_base_ms.is_some_and(|ms| are_apart(&of_base, &of_other, ms));
        members.push(Member { activity: other, to_base_ms, apart });
    }
    if clock.offset_s.is_none()
        && !clock.floating
        && let Some(offset_s) = given.iter().find_map(|other| other.offset_s)
    {
        (clock.offset_s, clock.evidence) = (Some(offset_s), Evidence::Pair);
    }
    (members, clock)
}

/// The zone fault between two recordings that are merged, seconds. That they are merged is evidence for one that a zone
/// makes, where nothing in them contradicts; a wider one needs the verdict as well.
fn shift_of(base: &Fingerprint, other: &Fingerprint, judgement: &Judgement) -> i64 {
    let needed = fault(base, other, judgement.shift_s);
    let doubtful = needed.is_some() && (judgement.contradicted || needed == Some(Fault::Unlikely));
    if doubtful && judgement.verdict == Verdict::Different { rightful_shift(base, other) } else { judgement.shift_s }
}

/// True when both have samples, and no time in common when `to_base_ms` is added to the times of the second.
fn are_apart(base: &Fingerprint, other: &Fingerprint, to_base_ms: i64) -> bool {
    let (Some(ours), Some(theirs)) = (base.window(), other.window()) else { return false };
    let common = ours.0.max(theirs.0 + to_base_ms) <= ours.1.min(theirs.1 + to_base_ms);
    base.samples > 0 && other.samples > 0 && !common
}

/// The samples: the rows of the base, each column whole from one source.
fn columns(members: &[Member<'_>], preferences: &Preferences, notes: &mut Notes) -> (Track, Vec<(String, String)>) {
    let base = &members[0].activity.track;
    let mut track = base.clone();
    let mut sources = Vec::new();
    let rows: Vec<Rows<'_>> = members.iter().map(|member| Rows::new(base, &member.activity.track)).collect();
    let chosen = |what: &str, count: &dyn Fn(&Track) -> usize| choose(members, preferences, what, count);

    if let Some(at) = chosen("position", &|track| track.positions().count()) {
        sources.push(("position".to_owned(), members[at].name().to_owned()));
        if at > 0 {
            (0..track.len()).for_each(|row| track.clear_position(row));
            let from = &members[at];
            let theirs = from.activity.track.positions();
            let values = theirs.map(|(row, place)| (from.time(row), place));
            let left_out = rows[at].place(values, |row, (lat, lon)| track.set_position_at(row, lat, lon));
            note_left_out(notes, "position", from, left_out);
        }
    }
    let distances = |track: &Track| track.raw_geometry()[2].iter().filter(|v| !v.is_nan()).count();
    if let Some(at) = chosen("distance", &distances) {
        sources.push(("distance".to_owned(), members[at].name().to_owned()));
        if at > 0 {
            (0..track.len()).for_each(|row| track.clear_distance(row));
            let from = &members[at];
            let theirs = &from.activity.track;
            let values = (0..theirs.len()).filter_map(|row| Some((from.time(row), theirs.distance(row)?)));
            let left_out = rows[at].place(values, |row, metres| track.set_distance_at(row, metres));
            note_left_out(notes, "distance", from, left_out);
        }
    }
    for &channel in Channel::ALL {
        let count = |track: &Track| track.column(channel).map_or(0, Column::count);
        let Some(at) = chosen(channel.name(), &count) else { continue };
        sources.push((channel.name().to_owned(), members[at].name().to_owned()));
        let from = &members[at];
        if let Some(column) = from.activity.track.column(channel).filter(|_| at > 0) {
            let values = column.present().map(|(row, value)| (from.time(row), value));
            let (column, left_out) = rows[at].column(values);
            track.put_column(channel, column);
            note_left_out(notes, channel.name(), from, left_out);
        }
    }
    let mut indices = DeveloperIndices::of(base);
    for (at, member) in members.iter().enumerate().filter(|(_, member)| member.to_base_ms.is_some()) {
        for column in member.activity.track.extra().iter().filter(|column| column.count() > 0) {
            let name = &column.key.name;
            if at == 0 {
                sources.push((name.clone(), member.name().to_owned()));
                continue;
            }
            let known = |have: &ExtraColumn| have.key.name == *name && have.key.unit == column.key.unit;
            if track.extra().iter().any(|have| known(have) && have.count() > 0) {
                continue;
            }
            let mut key = column.key.clone();
            indices.settle(at, &mut key.fit);
            let mut filled = ExtraColumn::new(key);
            let values = column.present().map(|(row, value)| (member.time(row), value));
            let left_out = rows[at].place(values, |row, value| filled.set(row, value));
            if filled.count() > 0 {
                track.extra_mut().push(filled);
                sources.push((name.clone(), member.name().to_owned()));
                note_left_out(notes, name, member, left_out);
            }
        }
    }
    (track, sources)
}

fn note_left_out(notes: &mut Notes, what: &str, from: &Member<'_>, left_out: u64) {
    notes.add_many(LEFT_OUT, left_out, Place::NOWHERE, || {
        format!("{left_out} values of {what} in {} have no sample of the base near them", from.name())
    });
}

/// Who gives a column: the one that the user wants, else the base, else the one that covers most. A base that has less
/// than half of what another has gives way to it.
fn choose(
    members: &[Member<'_>],
    preferences: &Preferences,
    what: &str,
    count: &dyn Fn(&Track) -> usize,
) -> Option<usize> {
    // Samples with a value over all samples, times the share of the base's time that the recording covers.
    let cover: Vec<f64> = members
        .iter()
        .map(|member| {
            let track = &member.activity.track;
            let share = count(track) as f64 / track.len().max(1) as f64;
            share * member.share_of(members[0].activity)
        })
        .collect();
    let has = |at: &usize| cover[*at] > 0.0;
    let mut most = (0..members.len()).find(has)?;
    for at in most + 1..members.len() {
        if cover[at] > cover[most] {
            most = at;
        }
    }
    if let Some(wanted) = (0..members.len()).filter(has).find(|&at| preferences.wants(what, members[at].activity)) {
        return Some(wanted);
    }
    Some(if cover[0] * 2.0 >= cover[most] { 0 } else { most })
}

/// `developer_data_index` numbers of several files in one: two applications never share one.
struct DeveloperIndices {
    taken: Vec<u8>,
    moved: Vec<((usize, u8), u8)>,
}

impl DeveloperIndices {
    fn of(base: &Track) -> DeveloperIndices {
        let taken = base.extra().iter().filter_map(|column| match &column.key.fit {
            Some(FitField::Developer(field)) => Some(field.index),
            _ => None,
        });
        DeveloperIndices { taken: taken.collect(), moved: Vec::new() }
    }

    /// Gives a field of member `at` a number that is free, the same for all fields of one application.
    fn settle(&mut self, at: usize, field: &mut Option<FitField>) {
        let Some(FitField::Developer(field)) = field else { return };
        let key = (at, field.index);
        let known = self.moved.iter().find(|(have, _)| *have == key).map(|(_, index)| *index);
        let index = known.or_else(|| {
            let free = std::iter::once(field.index).chain(0..=u8::MAX).find(|index| !self.taken.contains(index))?;
            self.taken.push(free);
            self.moved.push((key, free));
            Some(free)
        });
        field.index = index.unwrap_or(field.index);
    }
}

/// Laps, sessions and lengths come together from one source, since they refer to each other; every other kind from the
/// first that has it.
fn parts(members: &[Member<'_>], preferences: &Preferences, to: &mut Recording, notes: &mut Notes) {
    let all: Vec<Recording> = members.iter().map(Member::parts).collect();
    let wanted = |what: &str, has: &dyn Fn(&Recording) -> bool| {
        (0..all.len()).find(|&at| has(&all[at]) && preferences.wants(what, members[at].activity))
    };
    let first = |what: &str, has: &dyn Fn(&Recording) -> bool| {
        wanted(what, has).or_else(|| (0..all.len()).find(|&at| has(&all[at])))
    };
    let fullest = |r: &Recording| (!r.lengths.is_empty(), r.sessions.len() > 1, r.laps.len() > 1);
    let spine = wanted("laps", &|r| !r.laps.is_empty())
        .or_else(|| (0..all.len()).max_by_key(|&at| (fullest(&all[at]), std::cmp::Reverse(at))))
        .unwrap_or(0);
    to.laps.clone_from(&all[spine].laps);
    to.lengths.clone_from(&all[spine].lengths);
    to.sessions.clone_from(&all[spine].sessions);
    if to.sessions.is_empty()
        && let Some(at) = first("sessions", &|r| !r.sessions.is_empty())
    {
        to.sessions.clone_from(&all[at].sessions);
        for session in &mut to.sessions {
            (session.first_lap, session.laps) = (None, None);
            session.fields.retain(|field| !field.points_at_laps());
        }
    }
    if spine > 0 && !(to.laps.is_empty() && to.lengths.is_empty()) {
        notes.add(PARTS, Place::NOWHERE, || {
            format!("{} laps and {} lengths are those of {}", to.laps.len(), to.lengths.len(), members[spine].name())
        });
    }
    let pauses = wanted("pauses", &|r| !r.pauses.is_empty())
        .or_else(|| (!all[spine].pauses.is_empty()).then_some(spine))
        .or_else(|| first("pauses", &|r| !r.pauses.is_empty()));
    to.pauses = pauses.map(|at| all[at].pauses.clone()).unwrap_or_default();
    to.sets = first("sets", &|r| !r.sets.is_empty()).map(|at| all[at].sets.clone()).unwrap_or_default();
    to.events = first("events", &|r| !r.events.is_empty()).map(|at| all[at].events.clone()).unwrap_or_default();
    let splits = first("splits", &|r| !r.splits.is_empty());
    to.splits = splits.map(|at| all[at].splits.clone()).unwrap_or_default();
    if splits != Some(spine) {
        to.splits.iter_mut().for_each(|split| split.fields.retain(|field| !field.points_at_laps()));
    }
    let places = first("waypoints", &|r| !r.waypoints.is_empty());
    to.waypoints = places.map(|at| all[at].waypoints.clone()).unwrap_or_default();
    // Beats belong together: the fullest list wins.
    let beats = wanted("rr", &|r| !r.rr.is_empty())
        .or_else(|| (0..all.len()).max_by_key(|&at| (all[at].rr.len(), std::cmp::Reverse(at))))
        .unwrap_or(0);
    to.rr.clone_from(&all[beats].rr);
}

/// Names, sport, devices, totals and identities: the base's, and what it lacks from the others in order.
fn words(members: &[Member<'_>], preferences: &Preferences, to: &mut Recording) {
    if let Some(named) = members.iter().find(|m| preferences.wants("name", m.activity) && m.activity.name.is_some()) {
        to.name.clone_from(&named.activity.name);
        to.description.clone_from(&named.activity.description);
    }
    let base_days = to.day.is_some();
    for from in members.iter().skip(1).map(|member| member.activity) {
        let or = |to: &mut Option<String>, from: &Option<String>| {
            if to.as_ref().is_none_or(|text| text.trim().is_empty()) {
                to.clone_from(from);
            }
        };
        or(&mut to.name, &from.name);
        or(&mut to.description, &from.description);
        or(&mut to.gear, &from.gear);
        or(&mut to.creator, &from.creator);
        if to.sport.0 == 0 && from.sport.0 != 0 {
            (to.sport, to.sub_sport) = (from.sport, from.sub_sport);
        }
        if to.sport == from.sport && to.sub_sport.is_none_or(|sub| sub.0 == 0) && from.sub_sport.is_some() {
            to.sub_sport = from.sub_sport;
        }
        or(&mut to.sport_label, &from.sport_label);
        for device in &from.devices {
            if !to.devices.iter().any(|have| is_one(have, device)) {
                to.devices.push(device.clone());
            }
        }
        to.stated.fill(&from.stated);
        totals::fill_zones(&mut to.zones, &from.zones);
        totals::fill_athlete(&mut to.athlete, &from.athlete);
        for id in &from.platform_ids {
            if !to.platform_ids.contains(id) {
                to.platform_ids.push(id.clone());
            }
        }
        to.created = to.created.or(from.created);
        if base_days && from.day.is_none() && from.span().is_some() {
            to.day = None;
        }
    }
}

/// True when two entries mean one device.
pub(super) fn is_one(a: &Device, b: &Device) -> bool {
    match (&a.serial, &b.serial) {
        (Some(x), Some(y)) => x == y,
        _ => a.label() == b.label() && a.device_type == b.device_type,
    }
}

/// Every other source, its own companions included, in order of name and index.
pub(super) fn companions(given: &[&Activity]) -> Vec<Companion> {
    let own = |origin: &Origin| Companion {
        source: origin.source.clone(),
        digest: origin.digest,
        format: origin.format.clone(),
        index: origin.index,
    };
    let base = own(&given[0].origin);
    let mut all: Vec<Companion> = given[1..]
        .iter()
        .map(|activity| own(&activity.origin))
        .chain(given.iter().flat_map(|activity| activity.origin.companions.iter().cloned()))
        .filter(|companion| *companion != base)
        .collect();
    all.sort_by(|a, b| (&a.source, a.index, a.digest).cmp(&(&b.source, b.index, b.digest)));
    all.dedup();
    all
}
