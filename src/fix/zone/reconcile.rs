//! What other recordings of the same run say about a time: the same workout recorded twice, or one of the same days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::{FLOATING, OFFSETS_S, quarter_hours};
use super::{Zone, ZoneChoice, offset_text, span_text};
use crate::error::Place;
use crate::model::{Activity, Evidence, Summary, time};
use crate::report::{Code, Note, Notes};

/// Says that a copy of the recording had the right clock.
pub const PAIR: Code = Code::warning("time.pair");
const PAIR_DIFFERS: Code = Code::warning("time.pair_differs");
const PAIR_OFFSET: Code = Code::info("zone.pair");
const NEIGHBOUR: Code = Code::info("zone.neighbour");
const HOME: Code = Code::info("zone.home");

/// Notes that go with a correction.
pub(super) const NOTES: &[Code] = &[PAIR, PAIR_DIFFERS, PAIR_OFFSET, NEIGHBOUR, HOME];

/// A recording this far away in time may tell the zone, ms.
const DAY_MS: i64 = 86_400_000;
/// Two recordings, one before and one after, tell it within this time where they agree, ms.
const BETWEEN_MS: i64 = 3 * DAY_MS;
/// Two recorders of one workout are started within this time, ms.
const STARTED_TOGETHER_MS: i64 = 120_000;

/// What one activity claims; made of its summary, so that no columns need be in memory. Those of a whole run are at hand
/// at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Start, ms; UTC, or wall clock when `floating`.
    pub start: i64,
    /// End, ms.
    pub end: i64,
    /// Local offset, seconds.
    pub offset_s: Option<i32>,
    /// Why the offset is believed.
    pub evidence: Evidence,
    /// True when the times are wall-clock times of an unknown zone.
    pub floating: bool,
    /// True when the times were moved already.
    pub moved: bool,
    /// First and last position, degrees.
    pub ends: Option<[[f64; 2]; 2]>,
    /// Distance, metres.
    pub distance_m: Option<f64>,
}

impl Claim {
    /// The claim of an activity; `None` for a day-only workout.
    pub fn of(summary: &Summary) -> Option<Claim> {
        Some(Claim {
            start: summary.start?,
            end: summary.end?,
            offset_s: summary.local_offset_s,
            evidence: Evidence::by_name(&summary.local_evidence),
            floating: summary.floating,
            moved: summary.time_shift_s != 0.0,
            ends: summary.first_position.zip(summary.last_position).map(|(first, last)| [first, last]),
            distance_m: summary.computed.distance_m.or(summary.stated.distance_m),
        })
    }

    /// The same, of an activity that is in memory.
    pub fn of_activity(activity: &Activity) -> Option<Claim> {
        let (start, end) = activity.span()?;
        let point = |(_, (lat, lon)): (usize, (f64, f64))| [lat, lon];
        let mut positions = activity.track.positions();
        let first = positions.next().map(point);
        let last = positions.last().map(point).or(first);
        Some(Claim {
            start,
            end,
            offset_s: activity.offset_s,
            evidence: activity.evidence,
            floating: activity.floating,
            moved: activity.shift_ms != 0,
            ends: first.zip(last).map(|(first, last)| [first, last]),
            distance_m: activity.computed.distance_m.or(activity.stated.distance_m),
        })
    }

    /// The zone where it was recorded, unless that is only the open sea.
    fn zone(&self) -> Option<Zone> {
        let [[lat, lon], _] = self.ends?;
        Zone::at(lat, lon).filter(|zone| !zone.is_nautical())
    }

    /// The local offset that this claim proves for an instant.
    fn offset_at(&self, ms: i64) -> Option<i32> {
        match self.evidence {
            Evidence::Position => self.zone()?.offset_at(ms),
            Evidence::None => None,
            _ => self.offset_s,
        }
    }

    fn duration(&self) -> i64 {
        self.end - self.start
    }
}

/// What is to be changed about one activity. Applied to its summary and to the activity itself it gives the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// To be added to all times, ms.
    pub shift_ms: i64,
    /// The offset that is believed now, seconds.
    pub offset_s: Option<i32>,
    /// Why.
    pub evidence: Evidence,
    /// Whether the times are still those of an unknown zone.
    pub floating: bool,
    /// What was done, in words.
    pub notes: Notes,
}

impl Correction {
    /// Applies it to an activity.
    pub fn apply(&self, activity: &mut Activity) {
        activity.shift(self.shift_ms);
        activity.offset_s = self.offset_s;
        activity.evidence = self.evidence;
        activity.floating = self.floating;
        activity.notes.retain(|note| !self.outdates(note));
        activity.notes.extend(self.notes.clone());
    }

    /// Applies it to a summary.
    pub fn apply_to_summary(&self, summary: &mut Summary) {
        for instant in [&mut summary.start, &mut summary.end, &mut summary.first_sample, &mut summary.last_sample] {
            instant.iter_mut().for_each(|ms| *ms += self.shift_ms);
        }
        summary.time_shift_s += self.shift_ms as f64 / 1000.0;
        summary.local_offset_s = self.offset_s;
        summary.local_evidence = self.evidence.name().to_owned();
        summary.floating = self.floating;
        summary.notes.retain(|note| !self.outdates(note));
        summary.notes.extend(self.notes.iter().cloned());
    }

    /// That nothing tells the zone is no longer so.
    fn outdates(&self, note: &Note) -> bool {
        !self.floating && note.code == FLOATING.id
    }
}

/// Judges the activities of one run together, after each was settled alone. In this order: a copy of a recording that
/// differs from it by a whole multiple of 15 minutes is moved onto it; floating times and unknown offsets are taken from
/// another recording of the same workout, from the recordings before or after within a day (when they agree), from those
/// before and after within three days (when there are both, and they agree), from `home`. Gives what is to be changed, by
/// place; all others stay as they are. The order of the claims does not matter. `source` names the source of a claim, for
/// notes.
pub fn reconcile(claims: &[Claim], source: Source<'_>, home: &ZoneChoice) -> BTreeMap<usize, Correction> {
    let mut corrections = BTreeMap::new();
    copies(claims, source, &mut corrections);
    let is_known = |i: &usize| claims[*i].offset_s.is_some() && !corrections.contains_key(i);
    let mut known: Vec<usize> = (0..claims.len()).filter(is_known).collect();
    known.sort_unstable_by_key(|&i| (claims[i].start, i));
    for (i, claim) in claims.iter().enumerate() {
        if claim.offset_s.is_none() && !corrections.contains_key(&i) {
            let found = by_others(claim, claims, source, &known).or_else(|| by_home(claim, home));
            corrections.extend(found.map(|correction| (i, correction)));
        }
    }
    corrections
}

/// Names the source of the claim at a place.
pub type Source<'a> = &'a dyn Fn(usize) -> String;

/// Makes a wall-clock or UTC claim local: `offset` gives the offset at an instant, or at a wall time.
fn localised(claim: &Claim, offset_s: i32, evidence: Evidence, code: Code, why: String) -> Correction {
    let shift_ms = if claim.floating { -i64::from(offset_s) * 1000 } else { 0 };
    let mut notes = Notes::new();
    notes.add(code, Place::NOWHERE, || {
        let moved = if shift_ms == 0 {
            String::new()
        } else {
            format!("; times were local and are moved by {}", signed(shift_ms))
        };
        format!("local time {} {why}{moved}", offset_text(offset_s))
    });
    Correction { shift_ms, offset_s: Some(offset_s), evidence, floating: false, notes }
}

fn signed(ms: i64) -> String {
    format!("{}{}", if ms < 0 { "-" } else { "+" }, span_text(ms))
}

/// The offset at a place of evidence for this claim, whose times are either.
fn offset_for(claim: &Claim, witness: &Claim) -> Option<i32> {
    if !claim.floating {
        return witness.offset_at(claim.start);
    }
    match (witness.evidence, witness.zone()) {
        (Evidence::Position, Some(zone)) => zone.resolve(claim.start).map(|resolved| resolved.offset_s),
        _ => witness.offset_at(claim.start),
    }
}

fn by_others(claim: &Claim, claims: &[Claim], source: Source<'_>, known: &[usize]) -> Option<Correction> {
    // In the claim's own clock: a floating one is compared with the local times of the others.
    let start_of =
        |i: usize| claims[i].start + if claim.floating { 1000 * i64::from(claims[i].offset_s.unwrap_or(0)) } else { 0 };
    // Local and UTC order may differ by a day at most.
    let from = known.partition_point(|&i| claims[i].start < claim.start - BETWEEN_MS - DAY_MS);
    let near: Vec<usize> = known[from..]
        .iter()
        .copied()
        .take_while(|&i| claims[i].start <= claim.start + BETWEEN_MS + DAY_MS)
        .filter(|&i| (start_of(i) - claim.start).abs() <= BETWEEN_MS)
        .collect();
    let together = |i: &&usize| {
        let other = &claims[**i];
        let longest = claim.duration().max(other.duration());
        (start_of(**i) - claim.start).abs() <= STARTED_TOGETHER_MS
            && (claim.duration() - other.duration()).abs() <= (longest / 50).max(60_000)
    };
    let pairs: Vec<i32> = near.iter().filter(together).filter_map(|&i| offset_for(claim, &claims[i])).collect();
    if let Some(&offset) = pairs.first() {
        if pairs.iter().any(|&other| other != offset) {
            return None;
        }
        let source = near.iter().find(together).map(|&i| source(i)).unwrap_or_default();
        let why = format!("as in {source}, a recording of the same workout");
        return Some(localised(claim, offset, Evidence::Pair, PAIR_OFFSET, why));
    }
    let before = near.iter().rfind(|&&i| start_of(i) <= claim.start);
    let after = near.iter().find(|&&i| start_of(i) > claim.start);
    let within_a_day = |i: &&usize| (start_of(**i) - claim.start).abs() <= DAY_MS;
    let (mut witnesses, mut when) = ([before.filter(within_a_day), after.filter(within_a_day)], "within a day");
    if witnesses == [None, None] && before.is_some() && after.is_some() {
        (witnesses, when) = ([before, after], "within three days before, as well as after");
    }
    let mut offsets = witnesses.into_iter().flatten().map(|&i| (offset_for(claim, &claims[i]), i));
    let (offset, witness) = offsets.next()?;
    if offsets.any(|(other, _)| other != offset) {
        return None;
    }
    let why = format!("as in {}, recorded {when}", source(witness));
    Some(localised(claim, offset?, Evidence::Neighbour, NEIGHBOUR, why))
}

fn by_home(claim: &Claim, home: &ZoneChoice) -> Option<Correction> {
    let offset_s = match home {
        ZoneChoice::Auto | ZoneChoice::Keep => return None,
        ZoneChoice::Fixed(offset) => *offset,
        ZoneChoice::Named(name) if claim.floating => Zone::named(name)?.resolve(claim.start)?.offset_s,
        ZoneChoice::Named(name) => Zone::named(name)?.offset_at(claim.start)?,
    };
    Some(localised(claim, offset_s, Evidence::User, HOME, "as at home".to_owned()))
}

/// Finds copies of one recording whose clocks differ by a whole multiple of 15 minutes, and moves the wrong one.
fn copies(claims: &[Claim], source: Source<'_>, corrections: &mut BTreeMap<usize, Correction>) {
    let mut order: Vec<usize> =
        (0..claims.len()).filter(|&i| claims[i].ends.is_some() && !claims[i].floating).collect();
    order.sort_unstable_by_key(|&i| (claims[i].start, i));
    for (at, &early) in order.iter().enumerate() {
        for &late in &order[at + 1..] {
            let (a, b) = (&claims[early], &claims[late]);
            if b.start - a.start > 1000 * i64::from(*OFFSETS_S.end()) + 5000 {
                break;
            }
            let Some(apart_s) = copied(a, b) else { continue };
            match wrong_one(a, b, apart_s) {
                Some(Side::Early) => correct(early, &source(late), i64::from(apart_s) * 1000, claims, corrections),
                Some(Side::Late) => correct(late, &source(early), -i64::from(apart_s) * 1000, claims, corrections),
                None => {
                    for (i, other) in [(early, late), (late, early)] {
                        note_differs(i, (&source(other), claims[other].start), apart_s, claims, corrections);
                    }
                }
            }
        }
    }
}

enum Side {
    Early,
    Late,
}

/// How many seconds the later of two claims is late, when they are copies of one recording: everything but the clock is
/// equal far beyond chance, and the clocks differ by a whole multiple of 15 minutes.
fn copied(early: &Claim, late: &Claim) -> Option<i32> {
    let apart_ms = late.start - early.start;
    let apart_s = quarter_hours(apart_ms).filter(|apart| *apart != 0)?;
    let ([a, b], [c, d]) = (early.ends?, late.ends?);
    let close = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]).abs() < 1e-4 && (p[1] - q[1]).abs() < 1e-4;
    let (m, n) = (early.distance_m?, late.distance_m?);
    let same = (apart_ms - 1000 * i64::from(apart_s)).abs() <= 2000
        && (early.duration() - late.duration()).abs() <= 2000
        && early.duration() >= 60_000
        && close(a, c)
        && close(b, d)
        && (m - n).abs() <= 0.005 * m.max(n)
        && m.max(n) >= 100.0;
    same.then_some(apart_s)
}

/// Which of two copies has the wrong clock, when they are just the place's offset apart: a round may be gone again after
/// any other time. A stated offset that fits the place proves a clock; otherwise the copy that is ahead of the other holds
/// local time marked as UTC.
fn wrong_one(early: &Claim, late: &Claim, apart_s: i32) -> Option<Side> {
    let zone = early.zone()?;
    let proven = |claim: &Claim| claim.evidence == Evidence::Stated && !claim.moved;
    let explained = |right: &Claim| zone.offset_at(right.start).is_some_and(|offset| offset.abs() == apart_s);
    match (proven(early), proven(late)) {
        (true, false) => return (!late.moved && explained(early)).then_some(Side::Late),
        (false, true) => return (!early.moved && explained(late)).then_some(Side::Early),
        (true, true) => return None,
        (false, false) => {}
    }
    // East of Greenwich local time is ahead of UTC, west of it behind.
    if !late.moved && zone.offset_at(early.start) == Some(apart_s) {
        return Some(Side::Late);
    }
    (!early.moved && zone.offset_at(late.start) == Some(-apart_s)).then_some(Side::Early)
}

fn correct(i: usize, right: &str, shift_ms: i64, claims: &[Claim], corrections: &mut BTreeMap<usize, Correction>) {
    if corrections.contains_key(&i) {
        return;
    }
    let claim = &claims[i];
    let mut notes = Notes::new();
    notes.add(PAIR, Place::NOWHERE, || {
        format!(
            "same recording as {right}, but its clock differs by {}; moved by {}",
            span_text(shift_ms),
            signed(shift_ms)
        )
    });
    let offset_s = claim.zone().and_then(|zone| zone.offset_at(claim.start + shift_ms)).or(claim.offset_s);
    corrections.insert(i, Correction { shift_ms, offset_s, evidence: Evidence::Pair, floating: false, notes });
}

fn note_differs(
    i: usize,
    (source, start): (&str, i64),
    apart_s: i32,
    claims: &[Claim],
    corrections: &mut BTreeMap<usize, Correction>,
) {
    let Claim { offset_s, evidence, floating, .. } = claims[i];
    let correction = corrections.entry(i).or_insert_with(|| Correction {
        shift_ms: 0,
        offset_s,
        evidence,
        floating,
        notes: Notes::new(),
    });
    correction.notes.add(PAIR_DIFFERS, Place::NOWHERE, || {
        let (start, apart) = (time::utc(start), span_text(1000 * i64::from(apart_s)));
        format!("same recording as {source} ({start}), but {apart} apart; nothing tells which clock is right")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_the_same_from_an_activity_and_its_summary() {
        let mut draft = crate::model::Draft::new();
        for i in 0..3 {
            draft.recording.track.push(1_714_550_400_000 + i64::from(i) * 1000);
            if i > 0 {
                draft.recording.track.set_position(47.0 + f64::from(i) * 0.25, 8.5);
            }
        }
        let activity = crate::fix::settle(draft, &crate::fix::SettleOptions::default());
        let claim = Claim::of_activity(&activity).unwrap();
        assert_eq!(Claim::of(&Summary::of(&activity)), Some(claim.clone()));
        assert_eq!(claim.ends, Some([[47.25, 8.5], [47.5, 8.5]]));
    }

    const COLOGNE: [[f64; 2]; 2] = [[50.94, 6.96], [50.95, 6.97]];

    fn ms(text: &str) -> i64 {
        time::parse(text.as_bytes()).unwrap().ms
    }

    fn claim(start: &str, minutes: i64) -> Claim {
        Claim {
            start: ms(start),
            end: ms(start) + minutes * 60_000,
            offset_s: None,
            evidence: Evidence::None,
            floating: false,
            moved: false,
            ends: None,
            distance_m: None,
        }
    }

    fn placed(start: &str, minutes: i64, offset_s: i32) -> Claim {
        Claim {
            offset_s: Some(offset_s),
            evidence: Evidence::Position,
            ends: Some(COLOGNE),
            distance_m: Some(10_000.0),
            ..claim(start, minutes)
        }
    }

    fn floating(start: &str, minutes: i64) -> Claim {
        Claim { floating: true, ..claim(start, minutes) }
    }

    const NAMELESS: Source<'static> = &|_| String::new();

    fn verdicts(claims: &[Claim], home: &ZoneChoice) -> Vec<Option<(i64, Option<i32>, Evidence)>> {
        let found = reconcile(claims, NAMELESS, home);
        let verdict = |c: &Correction| (c.shift_ms / 1000, c.offset_s, c.evidence);
        (0..claims.len()).map(|i| found.get(&i).map(verdict)).collect()
    }

    #[test]
    fn local_time_marked_as_utc_is_seen_beside_its_copy() {
        // In Cologne summer time is two hours ahead of UTC.
        let claims = [placed("2024-07-01T08:00:00Z", 60, 7200), placed("2024-07-01T10:00:00Z", 60, 7200)];
        assert_eq!(verdicts(&claims, &ZoneChoice::Auto), [None, Some((-7200, Some(7200), Evidence::Pair))]);
        let mut back = claims.clone();
        back.reverse();
        assert_eq!(verdicts(&back, &ZoneChoice::Auto), [Some((-7200, Some(7200), Evidence::Pair)), None]);
    }

    #[test]
    fn the_copy_that_states_its_offset_is_right() {
        let mut claims = [placed("2024-07-01T08:00:00Z", 60, 7200), placed("2024-07-01T10:00:00Z", 60, 7200)];
        claims[1].evidence = Evidence::Stated;
        assert_eq!(verdicts(&claims, &ZoneChoice::Auto), [Some((7200, Some(7200), Evidence::Pair)), None]);
        claims[0].evidence = Evidence::Stated;
        let notes = reconcile(&claims, NAMELESS, &ZoneChoice::Auto);
        let differs = |c: &Correction| c.shift_ms == 0 && c.notes.get("time.pair_differs").is_some();
        assert!(notes.len() == 2 && notes.values().all(differs));
    }

    #[test]
    fn the_same_round_walked_again_is_left_alone() {
        let first = placed("2024-07-01T08:00:00Z", 60, 7200);
        for (start, minutes, metres) in [
            ("2024-07-01T10:00:07Z", 60, 10_000.0),
            ("2024-07-01T10:00:00Z", 61, 10_000.0),
            ("2024-07-01T10:00:00Z", 60, 10_100.0),
            ("2024-07-02T08:00:00Z", 60, 10_000.0),
        ] {
            let again = Claim { distance_m: Some(metres), ..placed(start, minutes, 7200) };
            assert_eq!(verdicts(&[first.clone(), again], &ZoneChoice::Auto), [None, None], "{start}");
        }
        // Apart by a whole hour that is not the zone's offset: said, not moved.
        let found = reconcile(&[first.clone(), placed("2024-07-01T09:00:00Z", 60, 7200)], NAMELESS, &ZoneChoice::Auto);
        assert!(found.len() == 2 && found.values().all(|c| c.shift_ms == 0));
        // Not either when one of them states its offset: it proves its own clock, not the other's fault.
        let stated = Claim { evidence: Evidence::Stated, ..first };
        let found = reconcile(&[stated, placed("2024-07-01T09:00:00Z", 60, 7200)], NAMELESS, &ZoneChoice::Auto);
        assert!(found.len() == 2 && found.values().all(|c| c.shift_ms == 0));
    }

    #[test]
    fn floating_times_take_the_zone_of_their_pair_or_neighbours() {
        let pair = [placed("2024-07-01T08:00:00Z", 60, 7200), floating("2024-07-01T10:00:20Z", 60)];
        assert_eq!(verdicts(&pair, &ZoneChoice::Auto)[1], Some((-7200, Some(7200), Evidence::Pair)));
        let days = [
            placed("2024-10-26T08:00:00Z", 60, 7200),
            floating("2024-10-27T10:00:00Z", 30),
            placed("2024-10-27T16:00:00Z", 60, 3600),
        ];
        // Clocks changed in the night between: the zone's rules decide, not the neighbour's offset.
        assert_eq!(verdicts(&days, &ZoneChoice::Auto)[1], Some((-3600, Some(3600), Evidence::Neighbour)));
    }

    #[test]
    fn neighbours_that_disagree_or_are_far_tell_nothing() {
        let mut days = vec![
            placed("2024-07-01T08:00:00Z", 60, 7200),
            floating("2024-07-01T20:00:00Z", 30),
            Claim {
                offset_s: Some(-14_400),
                evidence: Evidence::Stated,
                ends: None,
                ..placed("2024-07-02T12:00:00Z", 60, 0)
            },
        ];
        assert_eq!(verdicts(&days, &ZoneChoice::Auto)[1], None);
        let home = ZoneChoice::Named("Europe/Berlin".into());
        assert_eq!(verdicts(&days, &home)[1], Some((-7200, Some(7200), Evidence::User)));
        days.truncate(2);
        days[0] = placed("2024-06-20T08:00:00Z", 60, 7200);
        assert_eq!(verdicts(&days, &ZoneChoice::Auto), [None, None]);
    }

    #[test]
    fn days_between_two_recordings_of_one_zone_were_spent_in_it() {
        let before = placed("2024-07-01T08:00:00Z", 60, 7200);
        let after = placed("2024-07-06T08:00:00Z", 60, 7200);
        let manual = claim("2024-07-03T18:00:00Z", 45);
        let days = [before.clone(), manual.clone(), after.clone()];
        assert_eq!(verdicts(&days, &ZoneChoice::Auto)[1], Some((0, Some(7200), Evidence::Neighbour)));
        let days = [before.clone(), floating("2024-07-03T20:00:00Z", 45), after.clone()];
        assert_eq!(verdicts(&days, &ZoneChoice::Auto)[1], Some((-7200, Some(7200), Evidence::Neighbour)));
        // One of them is not enough so far away, nor are two that disagree, nor a week.
        assert_eq!(verdicts(&[before.clone(), manual.clone()], &ZoneChoice::Auto)[1], None);
        assert_eq!(verdicts(&[manual.clone(), after.clone()], &ZoneChoice::Auto)[0], None);
        let abroad = Claim { evidence: Evidence::Stated, ends: None, ..placed("2024-07-06T08:00:00Z", 60, -14_400) };
        assert_eq!(verdicts(&[before.clone(), manual, abroad], &ZoneChoice::Auto)[1], None);
        let late = placed("2024-07-09T08:00:00Z", 60, 7200);
        assert_eq!(verdicts(&[before, claim("2024-07-05T18:00:00Z", 45), late], &ZoneChoice::Auto)[1], None);
    }

    #[test]
    fn unknown_offsets_of_true_times_are_filled_and_nothing_moves() {
        let claims = [placed("2024-07-01T08:00:00Z", 60, 7200), claim("2024-07-01T18:00:00Z", 45)];
        assert_eq!(verdicts(&claims, &ZoneChoice::Auto)[1], Some((0, Some(7200), Evidence::Neighbour)));
        assert_eq!(verdicts(&claims[1..], &ZoneChoice::Fixed(3600)), [Some((0, Some(3600), Evidence::User))]);
        assert_eq!(verdicts(&claims[1..], &ZoneChoice::Auto), [None]);
    }

    #[test]
    fn a_second_run_over_corrected_claims_changes_nothing() {
        let mut claims = vec![
            placed("2024-07-01T08:00:00Z", 60, 7200),
            placed("2024-07-01T10:00:00Z", 60, 7200),
            floating("2024-07-01T20:00:00Z", 30),
        ];
        for (i, c) in reconcile(&claims, NAMELESS, &ZoneChoice::Auto) {
            let claim = &mut claims[i];
            claim.start += c.shift_ms;
            claim.end += c.shift_ms;
            (claim.offset_s, claim.evidence, claim.floating) = (c.offset_s, c.evidence, c.floating);
            claim.moved |= c.shift_ms != 0;
        }
        assert!(reconcile(&claims, NAMELESS, &ZoneChoice::Auto).is_empty());
    }
}
