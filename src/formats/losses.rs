//! What each written format can hold: one table for the writers' `loss.*` notes and for `paceport formats --losses`.

use crate::error::Place;
use crate::formats::own::{Part, Value};
use crate::model::{Activity, Channel, Evidence, Intensity, Lap, LapTrigger, Session, Set, SetKind, Sport, Totals};
use crate::report::{Code, Notes};

/// How far a format holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// In a place that other programs read.
    Yes,
    /// Only in the `paceport` namespace: read back by this program, skipped by others.
    Own,
    /// Not at all.
    No,
}

impl Held {
    /// One word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Held::Yes => "yes",
            Held::Own => "paceport",
            Held::No => "no",
        }
    }
}

/// The written formats, in the order of [`Kind::held`].
pub const WRITTEN: [&str; 5] = ["fit", "gpx", "tcx", "csv", "json"];

/// One kind of content: what holds it, and the note when it is lost.
pub struct Kind {
    /// Code of the note.
    pub code: Code,
    /// The content in words (plural).
    pub what: &'static str,
    /// Which formats hold it, in the order of [`WRITTEN`].
    pub held: [Held; 5],
    count: fn(&Activity) -> u64,
}

const fn kind(code: Code, what: &'static str, held: &[u8; 5], count: fn(&Activity) -> u64) -> Kind {
    let mut parsed = [Held::Yes; 5];
    let mut i = 0;
    while i < 5 {
        parsed[i] = match held[i] {
            b'y' => Held::Yes,
            b'p' => Held::Own,
            _ => Held::No,
        };
        i += 1;
    }
    Kind { code, what, held: parsed, count }
}

/// Values finer than the standard elements of a format. The FIT writer counts them itself: its fields say what they hold.
pub(crate) const PRECISION: Code = Code::warning("loss.precision");
/// Values between the steps of fields that are fine enough for any sensor; the FIT writer counts them.
pub(crate) const ROUNDED: Code = Code::info("loss.rounded");
/// Totals that a lap of TCX has no element for.
const FURTHER_TOTALS: Code = Code::warning("loss.further_totals");
/// Serial numbers and versions in words; the FIT writer, which has them of sensors too, counts them itself.
pub(crate) const SERIAL: Code = Code::info("loss.serial");
pub(crate) const VERSION: Code = Code::info("loss.version");
/// FIT has sessions, but nothing above them. The FIT writer counts them; in GPX and TCX they are among other totals.
pub(crate) const WHOLE: Code = Code::warning("loss.whole");

/// Every kind. The letters are FIT, GPX, TCX, CSV, JSON: `y` yes, `p` in the paceport namespace only, `-` no.
pub static KINDS: &[Kind] = &[
    kind(Code::warning("loss.position"), "positions", b"yyyyy", |a| a.track.positions().count() as u64),
    kind(Code::warning("loss.no_position"), "samples without position", b"ypyyy", |a| {
        (a.track.len() - a.track.positions().count()) as u64
    }),
    kind(Code::warning("loss.untimed"), "samples without time", b"pypyy", |a| a.track.untimed_count() as u64),
    kind(Code::warning("loss.altitude"), "altitudes", b"yyyyy", |a| values(a, &[Channel::Altitude])),
    kind(Code::warning("loss.distance"), "cumulative distances", b"ypyyy", |a| {
        (0..a.track.len()).filter(|&row| a.track.distance(row).is_some()).count() as u64
    }),
    kind(Code::warning("loss.heart_rate"), "heart rates", b"yyyyy", |a| values(a, &[Channel::HeartRate])),
    kind(Code::warning("loss.cadence"), "cadences", b"yyyyy", |a| values(a, &[Channel::Cadence])),
    kind(Code::warning("loss.power"), "powers", b"yyyyy", |a| values(a, &[Channel::Power])),
    kind(Code::warning("loss.speed"), "speeds", b"yyyyy", |a| values(a, &[Channel::Speed])),
    kind(Code::warning("loss.temperature"), "temperatures", b"yypyy", |a| values(a, &[Channel::Temperature])),
    kind(Code::warning("loss.depth"), "depths and water temperatures", b"yypyy", |a| {
        values(a, &[Channel::Depth, Channel::WaterTemperature])
    }),
    kind(PRECISION, "fractions of heart rates", b"pppyy", |a| fractions(a, Channel::HeartRate)),
    kind(PRECISION, "fractions of cadences", b"yppyy", |a| fractions(a, Channel::Cadence)),
    kind(PRECISION, "fractions of powers", b"pypyy", |a| fractions(a, Channel::Power)),
    kind(PRECISION, "fractions of temperatures", b"pypyy", |a| fractions(a, Channel::Temperature)),
    kind(ROUNDED, "altitudes finer than 0.2 m, distances than 1 cm, speeds than 1 mm/s", b"-yyyy", |_| 0),
    kind(Code::warning("loss.running_dynamics"), "running dynamics", b"yppyy", |a| values(a, RUNNING)),
    kind(Code::warning("loss.pedal_metrics"), "pedal metrics", b"yppyy", |a| values(a, PEDAL)),
    kind(Code::warning("loss.channel"), "values of other channels", b"yppyy", |a| {
        let named =
            |channel: &Channel| COMMON.contains(channel) || RUNNING.contains(channel) || PEDAL.contains(channel);
        let rest: Vec<Channel> = Channel::ALL.iter().copied().filter(|channel| !named(channel)).collect();
        values(a, &rest)
    }),
    kind(Code::warning("loss.developer_field"), "values of developer fields and extra channels", b"yppyy", |a| {
        a.track.extra().iter().map(|column| column.count() as u64).sum()
    }),
    kind(Code::warning("loss.sport"), "sports beyond running, biking and other", b"yyp-y", |a| {
        let legs = a.sessions.iter().map(|session| session.sport);
        let beyond = |sport: &Sport| !matches!(*sport, Sport::GENERIC | Sport::RUNNING | Sport::CYCLING);
        legs.chain(std::iter::once(a.sport)).filter(beyond).count() as u64
    }),
    kind(Code::warning("loss.sub_sport"), "sub-sports", b"ypp-y", |a| {
        let legs = a.sessions.iter().map(|session| session.sub_sport);
        legs.chain(std::iter::once(a.sub_sport)).flatten().filter(|sub| sub.0 != 0).count() as u64
    }),
    kind(Code::info("loss.sport_label"), "sports in the source's own words", b"pyp-y", |a| {
        a.sport_label.is_some().into()
    }),
    kind(Code::warning("loss.laps"), "laps", b"ypy-y", |a| a.laps.len() as u64),
    kind(Code::warning("loss.lap_kind"), "laps of an intensity or trigger that TCX does not know", b"ypp-y", |a| {
        a.laps.iter().filter(|lap| !is_of_tcx(lap)).count() as u64
    }),
    kind(Code::info("loss.lap_name"), "names of laps", b"ppy-y", |a| {
        a.laps.iter().filter(|lap| lap.name.is_some()).count() as u64
    }),
    kind(
        Code::info("loss.lap_facts"),
        "sports, positions, strokes, lengths and workout steps of laps",
        b"ypp-y",
        |a| {
            let facts = |lap: &Lap| {
                let numbers = [lap.first_length, lap.lengths, lap.active_lengths, lap.workout_step];
                let places = [lap.start_position, lap.end_position];
                some(&numbers) + some(&places) + some(&[lap.sport]) + some(&[lap.sub_sport]) + some(&[lap.stroke])
            };
            a.laps.iter().map(facts).sum()
        },
    ),
    kind(Code::info("loss.leg_facts"), "names, pools, strokes, positions and ratings of legs", b"ypp-y", |a| {
        let facts = |leg: &Session| {
            let ends = some(&[leg.trigger]) + some(&[leg.start_position]) + some(&[leg.name.as_deref()]);
            let pool = some(&[leg.pool_length_m]) + some(&[leg.stroke]) + some(&[leg.lengths, leg.active_lengths]);
            ends + pool + u64::from(leg.pool_in_yards) + some(&[leg.feel]) + some(&[leg.rpe])
        };
        a.sessions.iter().map(facts).sum()
    }),
    kind(Code::warning("loss.sessions"), "legs", b"yyy-y", |a| {
        if a.sessions.len() > 1 { a.sessions.len() as u64 } else { 0 }
    }),
    kind(Code::warning("loss.totals"), "stated times, distances, energies, speeds and averages", b"ypy-y", |a| {
        stated(a, |name| LAP_TOTALS.contains(&name))
    }),
    kind(FURTHER_TOTALS, "stated totals of other kinds", b"ypp-y", |a| stated(a, |name| !LAP_TOTALS.contains(&name))),
    kind(FURTHER_TOTALS, "elapsed times beside timer times", b"ypp-y", |a| {
        // TCX has one time of a lap.
        let totals = a.sessions.iter().map(|leg| &leg.totals).chain(a.laps.iter().map(|lap| &lap.totals));
        let both =
            |totals: &&Totals| totals.timer_s.is_some_and(|timer| totals.elapsed_s.is_some_and(|all| all != timer));
        totals.chain([&a.stated]).filter(both).count() as u64
    }),
    kind(WHOLE, "totals and sports of the whole that do not follow from its legs", b"ppp-y", |_| 0),
    kind(Code::warning("loss.developer_totals"), "developer fields of laps, legs and devices", b"ypp-y", |a| {
        let laps = a.laps.iter().map(|lap| lap.developer.len());
        let legs = a.sessions.iter().map(|session| session.developer.len());
        let devices = a.devices.iter().map(|device| device.developer.len());
        laps.chain(legs).chain(devices).sum::<usize>() as u64
    }),
    kind(
        Code::warning("loss.summary_fields"),
        "further FIT fields of laps, legs, lengths, sets and splits",
        b"ypp-y",
        |a| {
            let laps = a.laps.iter().map(|lap| lap.fields.len());
            let legs = a.sessions.iter().map(|session| session.fields.len());
            let lengths = a.lengths.iter().map(|length| length.fields.len());
            let sets = a.sets.iter().map(|set| set.fields.len());
            let splits = a.splits.iter().map(|split| split.fields.len());
            laps.chain(legs).chain(lengths).chain(sets).chain(splits).sum::<usize>() as u64
        },
    ),
    kind(Code::warning("loss.pauses"), "pauses", b"yyy-y", |a| a.pauses.len() as u64),
    kind(Code::info("loss.auto_pause"), "marks of automatic pauses", b"ypp-y", |a| {
        a.pauses.iter().filter(|pause| pause.auto).count() as u64
    }),
    kind(Code::warning("loss.lengths"), "swim lengths", b"ypp-y", |a| a.lengths.len() as u64),
    kind(Code::warning("loss.sets"), "strength sets", b"ypp-y", |a| a.sets.len() as u64),
    kind(
        Code::warning("loss.set_facts"),
        "exercises, notes, distances, exertions and kinds of sets beyond the profile of FIT",
        b"ppp-y",
        |a| {
            let facts = |set: &Set| {
                let words = some(&[set.exercise.as_deref().filter(|_| set.category.is_none()), set.note.as_deref()]);
                let kind = u64::from(!matches!(set.kind, SetKind::Active | SetKind::Rest));
                words + kind + some(&[set.distance_m, set.rpe])
            };
            a.sets.iter().map(facts).sum()
        },
    ),
    kind(Code::warning("loss.rr_intervals"), "beat-to-beat intervals", b"ypp-y", |a| a.rr.len() as u64),
    kind(Code::warning("loss.events"), "events", b"ypp-y", |a| a.events.len() as u64),
    kind(Code::warning("loss.splits"), "splits", b"ypp-y", |a| a.splits.len() as u64),
    kind(Code::warning("loss.waypoints"), "waypoints", b"-yp-y", |a| a.waypoints.len() as u64),
    kind(Code::warning("loss.zones"), "training zones", b"ypp-y", |a| u64::from(a.zones != Default::default())),
    kind(Code::warning("loss.athlete"), "facts about the athlete", b"ypp-y", |a| {
        u64::from(a.athlete != Default::default())
    }),
    kind(Code::warning("loss.device"), "serial numbers and versions of the recorder", b"ypy-y", |a| {
        a.device().is_some_and(|d| d.serial.is_some() || d.firmware.is_some() || d.product_id.is_some()).into()
    }),
    kind(Code::info("loss.device_facts"), "makers, hardware, types and batteries of the recorder", b"ypp-y", |a| {
        a.device().map_or(0, |d| {
            let maker = u64::from(d.manufacturer.is_some() || d.manufacturer_id.is_some());
            let kind = some(&[d.device_type, d.source_type, d.battery_status]) + some(&[d.hardware.as_deref()]);
            maker + kind + some(&[d.battery_voltage]) + some(&[d.operating_time_s])
        })
    }),
    kind(SERIAL, "serial numbers that are not plain numbers", b"ppp-y", |a| {
        let plain = |serial: &str| serial.parse().is_ok_and(|number: u32| number.to_string() == serial);
        a.device().is_some_and(|d| d.serial.as_deref().is_some_and(|serial| !plain(serial))).into()
    }),
    kind(VERSION, "versions that are not plain numbers", b"ppp-y", |a| {
        let plain =
            |version: &str| version.split('.').count() <= 4 && version.split('.').all(|n| n.parse::<u16>().is_ok());
        a.device().is_some_and(|d| d.firmware.as_deref().is_some_and(|version| !plain(version))).into()
    }),
    kind(Code::warning("loss.sensors"), "sensors", b"ypp-y", |a| a.devices.len().saturating_sub(1) as u64),
    kind(Code::warning("loss.name"), "names and descriptions", b"yyy-y", |a| {
        u64::from(a.name.is_some()) + u64::from(a.description.is_some())
    }),
    kind(Code::warning("loss.gear"), "gear", b"ppp-y", |a| a.gear.is_some().into()),
    kind(Code::warning("loss.creator"), "the program that wrote the source", b"pyy-y", |a| a.creator.is_some().into()),
    kind(Code::info("loss.created"), "times at which the source was made", b"yyp-y", |a| a.created.is_some().into()),
    kind(Code::info("loss.stated_start"), "stated starts that are not that of the samples", b"ypy-y", |a| {
        let first = a.track.times().first();
        a.stated_start.is_some_and(|start| first.is_some_and(|first| *first != start)).into()
    }),
    kind(Code::warning("loss.platform_id"), "identities on platforms", b"ppp-y", |a| a.platform_ids.len() as u64),
    kind(Code::warning("loss.local_offset"), "local offsets from UTC", b"ypp-y", |a| {
        // One that follows from the positions is found again from them.
        (a.offset_s.is_some() && a.evidence != Evidence::Position).into()
    }),
];

/// How many of these are there.
fn some<T>(values: &[Option<T>]) -> u64 {
    values.iter().flatten().count() as u64
}

/// True for a lap whose intensity and trigger TCX has words for.
fn is_of_tcx(lap: &Lap) -> bool {
    use LapTrigger::{Distance, HeartRate, Manual, Position, Time};
    matches!(lap.intensity, None | Some(Intensity::Active | Intensity::Rest))
        && matches!(lap.trigger, None | Some(Manual | Time | Distance | Position | HeartRate))
}

/// What a TCX lap has elements for.
const LAP_TOTALS: &[&str] = &[
    "elapsed_s",
    "timer_s",
    "distance_m",
    "calories_kcal",
    "avg_speed",
    "max_speed",
    "avg_heart_rate",
    "max_heart_rate",
    "avg_cadence",
    "max_cadence",
    "avg_power",
    "max_power",
    "steps",
];

/// How many stated totals of the activity, its legs and its laps have such a name.
fn stated(activity: &Activity, wanted: impl Fn(&str) -> bool) -> u64 {
    let mut count = 0;
    let legs = activity.sessions.iter().map(|session| &session.totals);
    let laps = activity.laps.iter().map(|lap| &lap.totals);
    for totals in legs.chain(laps).chain([&activity.stated]) {
        totals.each(&mut |name, value| count += u64::from(value != Value::Absent && wanted(name)));
    }
    count
}

const TEXT: Code = Code::warning("loss.character");

const COMMON: &[Channel] = &[
    Channel::Altitude,
    Channel::HeartRate,
    Channel::Cadence,
    Channel::Power,
    Channel::Speed,
    Channel::Temperature,
    Channel::Depth,
    Channel::WaterTemperature,
];

const RUNNING: &[Channel] = &[
    Channel::VerticalOscillation,
    Channel::VerticalRatio,
    Channel::StanceTime,
    Channel::StanceTimePercent,
    Channel::StanceTimeBalance,
    Channel::StepLength,
];

const PEDAL: &[Channel] = &[
    Channel::LeftRightBalance,
    Channel::Torque,
    Channel::LeftTorqueEffectiveness,
    Channel::RightTorqueEffectiveness,
    Channel::LeftPedalSmoothness,
    Channel::RightPedalSmoothness,
    Channel::CombinedPedalSmoothness,
    Channel::LeftPlatformOffset,
    Channel::RightPlatformOffset,
    Channel::LeftPhaseStart,
    Channel::LeftPhaseEnd,
    Channel::LeftPeakStart,
    Channel::LeftPeakEnd,
    Channel::RightPhaseStart,
    Channel::RightPhaseEnd,
    Channel::RightPeakStart,
    Channel::RightPeakEnd,
];

fn values(activity: &Activity, channels: &[Channel]) -> u64 {
    channels.iter().filter_map(|&channel| activity.track.column(channel)).map(|column| column.count() as u64).sum()
}

fn fractions(activity: &Activity, channel: Channel) -> u64 {
    let column = activity.track.column(channel);
    column.map_or(0, |column| column.present().filter(|(_, value)| value.trunc() != *value).count() as u64)
}

/// Notes everything in the activity that the format (an id of [`WRITTEN`]) does not hold for other programs; `replaced`
/// is how many characters of its texts the writer could not write.
pub(crate) fn report(format: &str, activity: &Activity, replaced: u64, notes: &mut Notes) {
    let Some(column) = WRITTEN.iter().position(|id| *id == format) else { return };
    // The kinds of one code make one note.
    for kinds in KINDS.chunk_by(|a, b| a.code == b.code) {
        if format == "fit" && [PRECISION, ROUNDED, WHOLE, SERIAL, VERSION].contains(&kinds[0].code) {
            continue;
        }
        for wanted in [Held::Own, Held::No] {
            let (mut count, mut what) = (0, Vec::new());
            for kind in kinds.iter().filter(|kind| kind.held[column] == wanted) {
                let found = (kind.count)(activity);
                count += found;
                what.extend((found > 0).then(|| format!("{found} {}", kind.what)));
            }
            notes.add_many(kinds[0].code, count, Place::NOWHERE, || {
                let (what, format) = (what.join(", "), format.to_uppercase());
                if wanted == Held::Own {
                    format!("{what}: {format} keeps them for paceport only, other programs do not see them")
                } else {
                    format!("{what}: {format} cannot hold them")
                }
            });
        }
    }
    notes.add_many(TEXT, replaced, Place::NOWHERE, || {
        format!("{replaced} characters are forbidden in XML and became U+FFFD")
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Recording, Track};

    #[test]
    fn every_channel_is_counted_by_exactly_one_row_of_channels() {
        let mut met = std::collections::BTreeMap::new();
        for &channel in COMMON.iter().chain(RUNNING).chain(PEDAL) {
            *met.entry(channel).or_insert(0) += 1;
        }
        assert!(met.values().all(|&n| n == 1));
        assert_eq!(met.len(), COMMON.len() + RUNNING.len() + PEDAL.len());
    }

    #[test]
    fn what_a_format_cannot_hold_is_noted_with_its_count() {
        let mut track = Track::new();
        track.push(0);
        track.set(Channel::Temperature, 20.5);
        track.set(Channel::Cadence, 87.5);
        track.set(Channel::Grade, 2.0);
        let mut laps = vec![Lap::default(); 3];
        laps[0].intensity = Some(Intensity::Warmup);
        laps[1].trigger = Some(LapTrigger::Distance);
        laps[2].trigger = Some(LapTrigger::SessionEnd);
        let recording = Recording { track, laps, ..Recording::default() };
        let activity = Activity::settled(recording, Notes::new(), true);
        let counts = |format: &str| {
            let mut notes = Notes::new();
            report(format, &activity, 0, &mut notes);
            notes.iter().map(|note| (note.code.to_string(), note.count)).collect::<Vec<_>>()
        };
        let lost = |code: &str, count| (code.to_owned(), count);
        assert_eq!(
            counts("gpx"),
            [
                lost("loss.no_position", 1),
                lost("loss.precision", 1),
                lost("loss.channel", 1),
                lost("loss.laps", 3),
                lost("loss.lap_kind", 2)
            ]
        );
        assert_eq!(
            counts("tcx"),
            [lost("loss.temperature", 1), lost("loss.precision", 2), lost("loss.channel", 1), lost("loss.lap_kind", 2)]
        );
        assert_eq!(counts("csv"), [lost("loss.laps", 3), lost("loss.lap_kind", 2)]);
        assert_eq!(counts("json"), []);
    }
}
