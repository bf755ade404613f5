//! The verdict on one recording's times, from what its file claims and where it was made.

use super::{Shown, Zone, ZoneChoice, offset_text, span_text};
use crate::error::Place;
use crate::model::{Basis, Clock, Evidence, Recording, SubSport};
use crate::report::{Code, Notes};

const LOCAL_AS_UTC: Code = Code::warning("time.local_as_utc");
const LOCAL: Code = Code::info("time.local");
pub(super) const FLOATING: Code = Code::warning("time.zone_unknown");
const OVERLAP: Code = Code::warning("time.overlap");
const GAP: Code = Code::warning("time.gap");
const DISAGREES: Code = Code::warning("zone.disagrees");
const NOT_LOCAL: Code = Code::info("zone.not_local");
const CHANGES: Code = Code::info("zone.changes");
const NAUTICAL: Code = Code::info("zone.nautical");
const RESIDUAL: Code = Code::warning("zone.unsynchronised");
const IMPLAUSIBLE: Code = Code::warning("zone.implausible");

/// Says that the user wanted the times as they are claimed.
pub const KEPT: Code = Code::info("zone.kept");

/// Notes that go with a verdict.
pub(super) const NOTES: &[Code] = &[
    LOCAL_AS_UTC,
    LOCAL,
    FLOATING,
    OVERLAP,
    GAP,
    DISAGREES,
    NOT_LOCAL,
    CHANGES,
    NAUTICAL,
    RESIDUAL,
    IMPLAUSIBLE,
    KEPT,
];

/// A local clock further from a whole quarter of an hour than this is doubtful (fit.md section 7), seconds.
const SYNCHRONISED_S: i32 = 120;
/// Zone borders are simplified by up to 111 m; this far around a point its neighbour's time may be kept, degrees.
const BORDER_DEG: f64 = 0.002;
/// How much later than its name says a recording starts, ms.
const NAME_MS: std::ops::Range<i64> = -10_000..60_000;
/// Local times on earth, seconds from UTC.
pub(super) const OFFSETS_S: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

/// What is believed about a recording's times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    /// To be added to all claimed times to make them true instants, ms.
    pub shift_ms: i64,
    /// Local offset from UTC where the recording starts, seconds.
    pub offset_s: Option<i32>,
    /// Why the offset is believed.
    pub evidence: Evidence,
    /// True when the times are wall-clock times of an unknown zone.
    pub floating: bool,
    /// True when the evidence is thin: at sea, or by a clock that was minutes off.
    pub weak: bool,
}

/// Judges the claims about a recording whose impossible positions are already gone. Without evidence nothing is moved.
pub(in crate::fix) fn judge(recording: &Recording, clock: &Clock, choice: &ZoneChoice, notes: &mut Notes) -> Verdict {
    let stated = Stated::of(clock, notes);
    let Some((start, end)) = recording.span() else {
        // No clock time at all (a day-only workout): an offset may still be stated.
        return stated.verdict(0);
    };
    let wall = clock.basis == Basis::Local || clock.local_as_utc;
    // A device that states wall time and offset together took both from one clock: their sum is right even when the zone
    // set on it was not that of the place, and whatever the user says of zones.
    let known = stated.offset_s.filter(|_| wall).map(|offset| {
        note_shift(notes, clock, -i64::from(offset) * 1000, offset, "the offset stated with them");
        -i64::from(offset) * 1000
    });
    let zone = match choice {
        ZoneChoice::Keep => {
            let floating = clock.basis == Basis::Local && known.is_none();
            notes.add(KEPT, Place::NOWHERE, || "the user wanted the times as they are claimed");
            if floating {
                note_floating(notes);
            }
            return Verdict { floating, ..stated.verdict(known.unwrap_or(0)) };
        }
        ZoneChoice::Fixed(offset) => {
            let shift_ms = known.unwrap_or_else(|| {
                let shift_ms = if wall { -i64::from(*offset) * 1000 } else { 0 };
                note_shift(notes, clock, shift_ms, *offset, "the user's choice");
                shift_ms
            });
            return by_user(shift_ms, *offset);
        }
        ZoneChoice::Named(name) => Zone::named(name),
        ZoneChoice::Auto => None,
    };
    if let Some(zone) = zone {
        let shift_ms = match known {
            Some(shift_ms) => shift_ms,
            None if wall => shift_by_rules(&zone, start, clock, notes),
            None => 0,
        };
        return by_user(shift_ms, zone.offset_at(start + shift_ms).unwrap_or(0));
    }
    let places = Places::of(recording);
    let here = places.first.and_then(|(lat, lon)| Zone::at(lat, lon));
    let shift_ms = match (&here, known) {
        _ if !wall => 0,
        (_, Some(shift_ms)) => shift_ms,
        // At sea the place proves too little to move anything.
        (Some(zone), None) if !zone.is_nautical() => shift_by_rules(zone, start, clock, notes),
        (_, None) => {
            note_floating(notes);
            return Verdict { floating: true, ..Verdict::default() };
        }
    };
    let Some(zone) = here else {
        return Verdict { shift_ms, ..stated.or_wall_start(clock, start).verdict(shift_ms) };
    };
    let places = Places { end: end + shift_ms, ..places };
    by_place(&zone, start + shift_ms, shift_ms, &places, &stated, notes)
}

fn by_user(shift_ms: i64, offset_s: i32) -> Verdict {
    Verdict { shift_ms, offset_s: Some(offset_s), evidence: Evidence::User, ..Verdict::default() }
}

/// The offset at the place, checked against the stated one. The instants are true by now.
fn by_place(zone: &Zone, start: i64, shift_ms: i64, places: &Places, stated: &Stated, notes: &mut Notes) -> Verdict {
    let Some(at_start) = zone.offset_at(start) else { return stated.verdict(shift_ms) };
    let at_end = places.last.and_then(|(lat, lon)| Zone::at(lat, lon)).and_then(|zone| zone.offset_at(places.end));
    let changes = at_end.filter(|&offset| offset != at_start);
    let weak = zone.is_nautical();
    let by_position =
        Verdict { shift_ms, offset_s: Some(at_start), evidence: Evidence::Position, weak, ..Verdict::default() };
    let Some(offset) = stated.offset_s else {
        note_changes(notes, at_start, changes);
        if weak {
            notes.add(NAUTICAL, Place::NOWHERE, || {
                format!("recorded at sea; local time {} is only that of the longitude", offset_text(at_start))
            });
        }
        return by_position;
    };
    if offset == at_start || weak || places.accept(offset, start) {
        return stated.verdict(shift_ms);
    }
    note_changes(notes, at_start, changes);
    if offset == 0 {
        notes.add(NOT_LOCAL, Place::NOWHERE, || {
            let (name, here) = (zone.name(), offset_text(at_start));
            format!("states no offset from UTC, but was recorded in {name}, where local time was {here}")
        });
    } else if changes != Some(offset) {
        notes.add(DISAGREES, Place::NOWHERE, || {
            let (stated, name, here) = (offset_text(offset), zone.name(), offset_text(at_start));
            format!("states local time {stated}, but was recorded in {name}, where it was {here} then; {here} is taken, no time was moved")
        });
    }
    by_position
}

fn note_changes(notes: &mut Notes, at_start: i32, at_end: Option<i32>) {
    if let Some(at_end) = at_end {
        notes.add(CHANGES, Place::NOWHERE, || {
            format!("local time changed on the way, from {} to {}", offset_text(at_start), offset_text(at_end))
        });
    }
}

/// The shift that makes wall-clock times of a zone true instants.
fn shift_by_rules(zone: &Zone, start: i64, clock: &Clock, notes: &mut Notes) -> i64 {
    let Some(resolved) = zone.resolve(start) else { return 0 };
    let shift_ms = -i64::from(resolved.offset_s) * 1000;
    note_shift(notes, clock, shift_ms, resolved.offset_s, zone.name());
    match resolved.shown {
        Shown::Once => {}
        Shown::Twice => notes.add(OVERLAP, Place::NOWHERE, || {
            let name = zone.name();
            format!("the clocks of {name} showed the start twice that night; the earlier of the two is taken")
        }),
        Shown::Never => notes.add(GAP, Place::NOWHERE, || {
            let name = zone.name();
            format!("the clocks of {name} skipped the time of the start; the clock is taken as not yet set forward")
        }),
    }
    shift_ms
}

fn note_shift(notes: &mut Notes, clock: &Clock, shift_ms: i64, offset_s: i32, why: &str) {
    let moved = if shift_ms == 0 {
        "nothing had to be moved".to_owned()
    } else {
        format!("moved {} {}", if shift_ms < 0 { "back by" } else { "forward by" }, span_text(shift_ms))
    };
    let offset = offset_text(offset_s);
    if clock.basis == Basis::Local {
        notes.add(LOCAL, Place::NOWHERE, || format!("times are local without a zone; {why} gives {offset}; {moved}"));
    } else if clock.local_as_utc {
        notes.add(LOCAL_AS_UTC, Place::NOWHERE, || {
            format!("local times are marked as UTC, as this producer does; {why} gives {offset}; {moved}")
        });
    }
}

fn note_floating(notes: &mut Notes) {
    notes.add(
        FLOATING,
        Place::NOWHERE,
        || "times are local, and nothing says in which zone; they are kept as if they were UTC",
    );
}

/// The offset that the file or its archive states, made plausible.
struct Stated {
    offset_s: Option<i32>,
    evidence: Evidence,
    weak: bool,
}

impl Stated {
    fn of(clock: &Clock, notes: &mut Notes) -> Stated {
        let Some(offset) = clock.offset_s else {
            return Stated { offset_s: None, evidence: Evidence::None, weak: false };
        };
        if !OFFSETS_S.contains(&offset) {
            notes.add(IMPLAUSIBLE, Place::NOWHERE, || {
                format!("states local time {}, which is used nowhere; ignored", offset_text(offset))
            });
            return Stated { offset_s: None, evidence: Evidence::None, weak: false };
        }
        let weak = clock.residual_s.abs() > SYNCHRONISED_S;
        if weak {
            notes.add(RESIDUAL, Place::NOWHERE, || {
                let off = span_text(i64::from(clock.residual_s) * 1000);
                format!("its local clock was {off} away from {}; the offset is doubtful", offset_text(offset))
            });
        }
        let evidence = if clock.evidence == Evidence::None { Evidence::Stated } else { clock.evidence };
        Stated { offset_s: Some(offset), evidence, weak }
    }

    /// When no offset is stated: the wall-clock start in the file name or archive gives one, if it differs from the start
    /// by a whole quarter of an hour. (A difference of zero proves nothing: the name may be in UTC.)
    fn or_wall_start(self, clock: &Clock, start: i64) -> Stated {
        let (None, Basis::Utc | Basis::Offset, Some(wall)) = (self.offset_s, clock.basis, clock.wall_start) else {
            return self;
        };
        // A name is as old as the start, or cut to its minute; one of the end differs by any time.
        match quarter_hours(wall - start) {
            Some(offset)
                if offset != 0
                    && OFFSETS_S.contains(&offset)
                    && NAME_MS.contains(&(start + i64::from(offset) * 1000 - wall)) =>
            {
                Stated { offset_s: Some(offset), evidence: Evidence::Archive, weak: false }
            }
            _ => self,
        }
    }

    fn verdict(&self, shift_ms: i64) -> Verdict {
        let Stated { offset_s, evidence, weak } = *self;
        Verdict { shift_ms, offset_s, evidence, floating: false, weak }
    }
}

/// The whole quarters of an hour that a difference of two clocks is, in seconds; `None` when it is further than two
/// minutes from them or beyond a day.
pub(in crate::fix) fn quarter_hours(ms: i64) -> Option<i32> {
    const QUARTER: i64 = 900_000;
    let rounded = (ms + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let near = (ms - rounded).abs() <= i64::from(SYNCHRONISED_S) * 1000 && rounded.abs() <= 24 * 3_600_000;
    near.then_some((rounded / 1000) as i32)
}

/// Where a recording begins and ends.
#[derive(Default)]
struct Places {
    first: Option<(f64, f64)>,
    last: Option<(f64, f64)>,
    end: i64,
}

impl Places {
    fn of(recording: &Recording) -> Places {
        if is_virtual(recording) {
            return Places::default();
        }
        let track = &recording.track;
        let first = track.positions().next();
        let last = first.and_then(|_| (0..track.len()).rev().find_map(|row| track.position(row)));
        let summary = || {
            let laps = recording.laps.iter().filter_map(|lap| lap.start_position);
            laps.chain(recording.sessions.iter().filter_map(|session| session.start_position))
                .find(|&(lat, lon)| (lat, lon) != (0.0, 0.0))
        };
        Places { first: first.map(|(_, position)| position).or_else(summary), last, end: 0 }
    }

    /// True when a zone that overlaps the start (Urumqi keeps two times) or begins within its border's tolerance has
    /// this offset.
    fn accept(&self, offset: i32, start: i64) -> bool {
        let Some((lat, lon)) = self.first else { return false };
        let d = BORDER_DEG;
        let around = [(d, 0.0), (-d, 0.0), (0.0, d), (0.0, -d)];
        let near = around.iter().filter_map(|(dlat, dlon)| Zone::at(lat + dlat, lon + dlon));
        Zone::all_at(lat, lon).into_iter().chain(near).any(|zone| zone.offset_at(start) == Some(offset))
    }
}

/// True for rides in a game's world, whose positions say nothing about where their owner was.
pub(in crate::fix) fn is_virtual(recording: &Recording) -> bool {
    const VIRTUAL: SubSport = SubSport(58);
    const WORLDS: &[&str] = &["zwift", "mywhoosh", "rouvy", "bkool", "fulgaz", "indievelo", "onelap"];
    let sub_sports = recording.sessions.iter().map(|session| session.sub_sport);
    let made_by = recording
        .creator
        .iter()
        .chain(recording.device().into_iter().flat_map(|d| [&d.manufacturer, &d.product]).flatten());
    sub_sports.chain([recording.sub_sport]).any(|sub| sub == Some(VIRTUAL))
        || made_by.map(|name| name.to_ascii_lowercase()).any(|name| WORLDS.iter().any(|world| name.contains(world)))
}
