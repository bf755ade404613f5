//! What the row of a metadata table tells of a recording: the words and the sport that its owner chose on the platform,
//! and what the recording itself does not say.

use super::zone::quarter_hours;
use crate::error::Place;
use crate::model::{Basis, Draft, Evidence, Lap, Recording, Session, Sport, SubSport, Totals};
use crate::report::{Code, Notes};

const SPORT: Code = Code::info("table.sport");
const SHORTER: Code = Code::info("table.shorter");

/// A platform's duration this much shorter than the file's means that the activity was cut there.
const CUT: f64 = 0.9;

/// Totals of a row that was made of the very recording differ from its own by rounding only: seconds, and share of the way.
const SAME_S: f64 = 2.0;
const SAME_WAY: f64 = 0.005;

/// Completes a draft with a row. Name, description, gear and sport are the row's where it has them, as they are what the
/// owner last chose; totals, offset and anything measured stay the recording's.
pub fn tell(draft: &mut Draft, row: &Draft) {
    if row.leg_of.as_ref().is_some_and(|whole| draft.recording.platform_ids.contains(whole)) {
        return add_leg(&mut draft.recording, &row.recording);
    }
    set_clock(draft, row);
    let notes = &mut draft.notes;
    let (to, from) = (&mut draft.recording, &row.recording);
    for (to, from) in [(&mut to.name, &from.name), (&mut to.description, &from.description), (&mut to.gear, &from.gear)]
    {
        if from.is_some() {
            to.clone_from(from);
        }
    }
    let sport = |r: &Recording| (r.sport, r.sub_sport);
    if from.sport != Sport::GENERIC && from.sport != to.sport {
        if to.sport != Sport::GENERIC {
            notes.add(SPORT, Place::NOWHERE, || {
                format!("{} on the platform, {} in the file", from.sport.name(), to.sport.name())
            });
        }
        // The legs of a multisport recording keep their sports.
        if let [only] = &mut to.sessions[..] {
            (only.sport, only.sub_sport) = sport(from);
        }
        (to.sport, to.sub_sport) = sport(from);
    } else if from.sport == to.sport && open(to.sub_sport) {
        to.sub_sport = from.sub_sport.or(to.sub_sport);
        if let [only] = &mut to.sessions[..]
            && only.sport == to.sport
            && open(only.sub_sport)
        {
            only.sub_sport = to.sub_sport;
        }
    }
    if from.sport_label.is_some() {
        to.sport_label.clone_from(&from.sport_label);
    }
    add_ids(to, from);
    cut(to.stated.elapsed_s.or(to.span().map(|(a, b)| (b - a) as f64 / 1000.0)), from.stated.elapsed_s, notes);
    // What the row says and nothing has a place for is missing of the workout, too.
    notes.extend(row.notes.iter().filter(|note| note.code.ends_with(".left_out")).cloned().collect());
    to.stated.fill(&from.stated);
    to.day = to.day.take().or_else(|| from.day.clone().filter(|_| to.span().is_none()));
    if draft.clock.offset_s.is_none() && row.clock.offset_s.is_some() {
        (draft.clock.offset_s, draft.clock.evidence) = (row.clock.offset_s, Evidence::Archive);
    }
}

fn add_ids(to: &mut Recording, from: &Recording) {
    for id in &from.platform_ids {
        if !to.platform_ids.contains(id) {
            to.platform_ids.push(id.clone());
        }
    }
}

/// Adds a leg to its multisport activity: its ids, and its session and laps where no recording has them.
fn add_leg(to: &mut Recording, from: &Recording) {
    add_ids(to, from);
    let is_there = |leg: &Session| to.sessions.iter().any(|s| (s.start, s.sport) == (leg.start, leg.sport));
    if !to.track.is_empty() || from.sessions.iter().all(is_there) {
        return;
    }
    // Without its legs the activity was one session.
    to.sessions.retain(|session| session.sport != Sport::MULTISPORT);
    to.sessions.extend(from.sessions.iter().map(|leg| Session { name: from.name.clone(), ..leg.clone() }));
    to.sessions.sort_by_key(|session| session.start);
    let is_new = |lap: &&Lap| !to.laps.iter().any(|own| own.start < lap.end && lap.start < own.end);
    let laps: Vec<Lap> = from.laps.iter().filter(is_new).cloned().collect();
    to.laps.extend(laps);
    to.laps.sort_by_key(|lap| lap.start);
    to.splits.extend(from.splits.iter().cloned());
}

/// A row made of this very recording that begins some whole quarters of an hour away from it tells that the recorder's
/// clock was wrong: then the row's start and local time count (format note of Garmin's export, section 5). Totals must be
/// equal beyond chance, lest a ride to work become the ride home. A row that names its file says nothing of a clock, nor is
/// one wrong that shows local time.
fn set_clock(draft: &mut Draft, row: &Draft) {
    if draft.clock.basis == Basis::Local || draft.clock.local_as_utc {
        return;
    }
    let own = draft.recording.stated_start.or(draft.recording.span().map(|(start, _)| start));
    let (None, Some(own), Some(start)) = (&row.tells_of, own, row.recording.stated_start) else { return };
    let is_off = quarter_hours(start - own).is_some_and(|quarters| quarters != 0);
    if is_off && same_totals(&draft.recording.stated, &row.recording.stated) {
        draft.clock.utc_start = Some(start);
        if row.clock.offset_s.is_some() {
            (draft.clock.offset_s, draft.clock.evidence) = (row.clock.offset_s, Evidence::Archive);
            draft.clock.residual_s = 0;
        }
    }
}

fn same_totals(a: &Totals, b: &Totals) -> bool {
    let lasting = |totals: &Totals| [totals.elapsed_s, totals.timer_s];
    let same_length =
        lasting(a).into_iter().zip(lasting(b)).any(|(a, b)| a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= SAME_S));
    let ways = a.distance_m.zip(b.distance_m).filter(|(a, b)| a.min(*b) > 0.0);
    same_length && ways.is_some_and(|(a, b)| (a - b).abs() <= SAME_WAY * a.max(b))
}

/// True for a sub-sport that says nothing.
fn open(sub_sport: Option<SubSport>) -> bool {
    sub_sport.is_none_or(|sub| sub == SubSport::GENERIC)
}

fn cut(file_s: Option<f64>, row_s: Option<f64>, notes: &mut Notes) {
    let (Some(file), Some(row)) = (file_s, row_s) else { return };
    if row > 0.0 && row < CUT * file {
        notes.add(SHORTER, Place::NOWHERE, || {
            format!("{row:.0} s on the platform, {file:.0} s in the file: it was cut there; the file is kept whole")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Clock;

    fn row() -> Draft {
        let mut row = Draft::new();
        row.recording.name = Some("Lunch Run".into());
        row.recording.sport = Sport::RUNNING;
        row.recording.sub_sport = Some(SubSport(3));
        row.recording.platform_ids = vec![("garmin".into(), "7".into())];
        row.recording.stated = Totals { elapsed_s: Some(100.0), ascent_m: Some(12.0), ..Totals::default() };
        row.clock = Clock { offset_s: Some(7200), evidence: Evidence::Archive, ..Clock::default() };
        row
    }

    #[test]
    fn words_and_sport_are_the_platforms_and_measures_the_files() {
        let mut draft = Draft::new();
        draft.recording.name = Some("Cycling".into());
        draft.recording.gear = Some("blue bike".into());
        draft.recording.sport = Sport::CYCLING;
        draft.recording.sessions = vec![Session { sport: Sport::CYCLING, ..Session::default() }];
        draft.recording.stated = Totals { elapsed_s: Some(3600.0), ..Totals::default() };
        tell(&mut draft, &row());
        let r = &draft.recording;
        assert_eq!((r.name.as_deref(), r.gear.as_deref()), (Some("Lunch Run"), Some("blue bike")));
        assert_eq!((r.sport, r.sub_sport, r.sessions[0].sport), (Sport::RUNNING, Some(SubSport(3)), Sport::RUNNING));
        assert_eq!((r.stated.elapsed_s, r.stated.ascent_m), (Some(3600.0), Some(12.0)));
        assert_eq!((draft.clock.offset_s, draft.clock.evidence), (Some(7200), Evidence::Archive));
        assert!(draft.notes.get("table.sport").is_some() && draft.notes.get("table.shorter").is_some());
    }

    #[test]
    fn what_a_row_left_out_is_said_of_the_recording() {
        let (mut draft, mut row) = (Draft::new(), row());
        row.notes.add(Code::info("test.left_out"), Place::NOWHERE, || "left out: a race");
        row.notes.add(Code::info("test.units"), Place::NOWHERE, || "of the row alone");
        tell(&mut draft, &row);
        let codes: Vec<&str> = draft.notes.iter().map(|note| &*note.code).collect();
        assert_eq!(codes, ["test.left_out"]);
    }

    #[test]
    fn a_generic_sub_sport_gives_way() {
        let mut draft = Draft::new();
        draft.recording.sport = Sport::RUNNING;
        draft.recording.sub_sport = Some(SubSport::GENERIC);
        draft.recording.sessions = vec![Session { sport: Sport::RUNNING, ..Session::default() }];
        tell(&mut draft, &row());
        assert_eq!(draft.recording.sub_sport, Some(SubSport(3)));
        assert_eq!(draft.recording.sessions[0].sub_sport, Some(SubSport(3)));
        draft.recording.sub_sport = Some(SubSport(1));
        tell(&mut draft, &row());
        assert_eq!(draft.recording.sub_sport, Some(SubSport(1)), "what the file says exactly stays");
    }

    #[test]
    fn only_a_row_of_the_very_recording_sets_its_clock() {
        const NOON: i64 = 1_714_564_800_000;
        let told_by = |clock: Clock, apart_s: i64, elapsed_s: f64, metres: f64, change: fn(&mut Draft)| {
            let mut draft = Draft { clock, ..Draft::new() };
            draft.recording.stated_start = Some(NOON + apart_s * 1000);
            draft.recording.stated =
                Totals { elapsed_s: Some(elapsed_s), distance_m: Some(metres), ..Totals::default() };
            let mut row = row();
            row.recording.stated_start = Some(NOON);
            row.recording.stated.distance_m = Some(1000.0);
            change(&mut row);
            tell(&mut draft, &row);
            (draft.clock.utc_start, draft.clock.offset_s)
        };
        let stated = Clock { offset_s: Some(3600), evidence: Evidence::Stated, ..Clock::default() };
        let told = |apart_s, elapsed_s, metres, change| told_by(stated.clone(), apart_s, elapsed_s, metres, change);
        assert_eq!(told(3600, 101.0, 1002.0, |_| {}), (Some(NOON), Some(7200)));
        assert_eq!(told(-19_800, 100.0, 1000.0, |row| row.clock.offset_s = None), (Some(NOON), Some(3600)));
        let not = (None, Some(3600));
        assert_eq!(told(2, 100.0, 1000.0, |_| {}), not, "the clock was right");
        assert_eq!(told(3600, 104.0, 1000.0, |_| {}), not, "another ride");
        assert_eq!(told(3600, 100.0, 1009.0, |_| {}), not, "another way");
        assert_eq!(told(3600, 100.0, 1000.0, |row| row.recording.stated.distance_m = None), not, "nothing proves it");
        assert_eq!(told(3600, 100.0, 1000.0, |row| row.tells_of = Some("a.gpx".into())), not, "it names its file");
        // Local time is ahead of the row by its offset, and is moved by that alone.
        for clock in
            [Clock { basis: Basis::Local, ..Clock::default() }, Clock { local_as_utc: true, ..Clock::default() }]
        {
            assert_eq!(told_by(clock, 7200, 100.0, 1000.0, |_| {}), (None, Some(7200)));
        }
    }

    #[test]
    fn a_stated_offset_and_the_legs_of_a_triathlon_stay() {
        let mut draft = Draft::new();
        draft.clock = Clock { offset_s: Some(3600), evidence: Evidence::Stated, ..Clock::default() };
        let leg = |sport| Session { sport, ..Session::default() };
        draft.recording.sessions = vec![leg(Sport::SWIMMING), leg(Sport::CYCLING)];
        draft.recording.sport = Sport::MULTISPORT;
        tell(&mut draft, &row());
        assert_eq!((draft.clock.offset_s, draft.clock.evidence), (Some(3600), Evidence::Stated));
        let sports: Vec<_> = draft.recording.sessions.iter().map(|session| session.sport).collect();
        assert_eq!(sports, [Sport::SWIMMING, Sport::CYCLING]);
        tell(&mut draft, &row());
        assert_eq!(draft.recording.platform_ids.len(), 1);
    }
}
