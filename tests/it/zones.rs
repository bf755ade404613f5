//! Local time and repaired instants, case by case: place × instant × claim → UTC, offset, evidence, notes. Expectations of the
//! first table come from Python's `zoneinfo` with the zone named beside each place; those of the second are worked out by hand.

use std::collections::BTreeSet;

use paceport::fix::{SettleOptions, ZoneChoice, settle};
use paceport::model::{Activity, Basis, Clock, Draft, Evidence, SubSport, time};

/// Latitude and longitude, degrees.
type Place = (f64, f64);

const ZURICH: Place = (47.3769, 8.5417); // Europe/Zurich
const FREISING: Place = (48.406, 11.7605); // Europe/Berlin
const KATHMANDU: Place = (27.7172, 85.324); // Asia/Kathmandu
const KOLKATA: Place = (22.5726, 88.3639); // Asia/Kolkata
const EUCLA: Place = (-31.6772, 128.8891); // Australia/Eucla
const ADELAIDE: Place = (-34.9285, 138.6007); // Australia/Adelaide
const CHATHAM: Place = (-43.95, -176.55); // Pacific/Chatham
const STJOHNS: Place = (47.5615, -52.7126); // America/St_Johns
const TEHRAN: Place = (35.6892, 51.389); // Asia/Tehran
const APIA: Place = (-13.8333, -171.7667); // Pacific/Apia
const KIRITIMATI: Place = (1.8721, -157.4278); // Pacific/Kiritimati
const PAGOPAGO: Place = (-14.2781, -170.7025); // Pacific/Pago_Pago
const MOSCOW: Place = (55.7558, 37.6173); // Europe/Moscow
const ISTANBUL: Place = (41.0082, 28.9784); // Europe/Istanbul
const MEXICOCITY: Place = (19.4326, -99.1332); // America/Mexico_City
const NEWYORK: Place = (40.7128, -74.006); // America/New_York
const PHOENIX: Place = (33.4484, -112.074); // America/Phoenix
const MELBOURNE: Place = (-37.8136, 144.9631); // Australia/Melbourne
const LORDHOWE: Place = (-31.5553, 159.0821); // Australia/Lord_Howe
const PYONGYANG: Place = (39.0392, 125.7625); // Asia/Pyongyang
const CARACAS: Place = (10.4806, -66.9036); // America/Caracas
const LONDON: Place = (51.5074, -0.1278); // Europe/London
const REYKJAVIK: Place = (64.1466, -21.9426); // Atlantic/Reykjavik
const CASABLANCA: Place = (33.5731, -7.5898); // Africa/Casablanca
const SAOPAULO: Place = (-23.5505, -46.6333); // America/Sao_Paulo
const AMMAN: Place = (31.9539, 35.9106); // Asia/Amman
const VOLGOGRAD: Place = (48.708, 44.5133); // Europe/Volgograd
const TROLL: Place = (-72.0117, 2.535); // Antarctica/Troll
const NUUK: Place = (64.1814, -51.6941); // America/Nuuk
const KRAKOW: Place = (50.0647, 19.945); // Europe/Warsaw
const URUMQI: Place = (43.8256, 87.6168); // Asia/Urumqi
const PORTAUPRINCE: Place = (18.5392, -72.3364); // America/Port-au-Prince
const ALMATY: Place = (43.2389, 76.8897); // Asia/Almaty
const ANADYR: Place = (64.7337, 177.4968); // Asia/Anadyr
const ADAK: Place = (51.88, -176.6581); // America/Adak
const MARQUESAS: Place = (-8.8605, -140.1421); // Pacific/Marquesas
const YANGON: Place = (16.8409, 96.1735); // Asia/Yangon
const TAVEUNI: Place = (-16.83, -179.98); // Pacific/Fiji
const SUVA: Place = (-18.1248, 178.4501); // Pacific/Fiji
const TONGATAPU: Place = (-21.1789, -175.1982); // Pacific/Tongatapu
const FAKAOFO: Place = (-9.3803, -171.2458); // Pacific/Fakaofo
const CAIRO: Place = (30.0444, 31.2357); // Africa/Cairo
const JUAREZ: Place = (31.65, -106.45); // America/Ciudad_Juarez
const TIJUANA: Place = (32.5149, -117.0382); // America/Tijuana
const JUBA: Place = (4.8594, 31.5713); // Africa/Juba

/// What a file says about its times.
#[derive(Debug, Clone, Copy)]
enum Claim {
    /// Marked as UTC.
    Utc,
    /// Marked as UTC by a producer that writes local time.
    LocalAsUtc,
    /// Without any zone.
    Local,
    /// Written with this offset (the table gives the instant), seconds.
    Offset(i32),
    /// UTC, and an offset stated elsewhere in the file, seconds.
    Stated(i32),
    /// Wall clock, and an offset stated beside it.
    LocalStated(i32),
    /// UTC, a stated offset, and how far its clock was off.
    Unsynchronised(i32, i32),
    /// UTC, and a wall-clock start in the file's name.
    Named(&'static str),
}

impl Claim {
    fn clock(self) -> Clock {
        let stated = |offset_s| Clock { offset_s: Some(offset_s), evidence: Evidence::Stated, ..Clock::default() };
        match self {
            Claim::Utc => Clock::default(),
            Claim::LocalAsUtc => Clock { local_as_utc: true, ..Clock::default() },
            Claim::Local => Clock { basis: Basis::Local, ..Clock::default() },
            Claim::Offset(offset) => Clock { basis: Basis::Offset, ..stated(offset) },
            Claim::Stated(offset) => stated(offset),
            Claim::LocalStated(offset) => Clock { basis: Basis::Local, ..stated(offset) },
            Claim::Unsynchronised(offset, residual_s) => Clock { residual_s, ..stated(offset) },
            Claim::Named(wall) => Clock { wall_start: Some(ms(wall)), ..Clock::default() },
        }
    }
}

fn ms(text: &str) -> i64 {
    time::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}")).ms
}

/// One minute at a place.
fn draft(place: Option<Place>, start: &str, claim: Claim) -> Draft {
    let mut draft = Draft { clock: claim.clock(), ..Draft::new() };
    for second in 0..60 {
        draft.recording.track.push(ms(start) + second * 1000);
        if let Some((lat, lon)) = place {
            draft.recording.track.set_position(lat, lon);
        }
    }
    draft
}

fn codes(activity: &Activity) -> BTreeSet<String> {
    activity.notes.iter().map(|note| note.code.to_string()).collect()
}

/// What, place, start as written, claim, true start, offset in seconds, evidence, notes.
type Case = (&'static str, Place, &'static str, Claim, &'static str, i32, Evidence, &'static [&'static str]);

#[rustfmt::skip]
const PLACED: &[Case] = &[
    ("summer time", ZURICH, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 7200, Evidence::Position, &[]),
    ("winter time", ZURICH, "2024-01-01T08:00:00", Claim::Utc, "2024-01-01T08:00:00Z", 3600, Evidence::Position, &[]),
    ("a minute before summer time begins", ZURICH, "2024-03-31T00:59:00", Claim::Utc, "2024-03-31T00:59:00Z", 3600, Evidence::Position, &[]),
    ("as summer time begins", ZURICH, "2024-03-31T01:00:00", Claim::Utc, "2024-03-31T01:00:00Z", 7200, Evidence::Position, &[]),
    ("a minute before it ends", ZURICH, "2024-10-27T00:59:00", Claim::Utc, "2024-10-27T00:59:00Z", 7200, Evidence::Position, &[]),
    ("as it ends", ZURICH, "2024-10-27T01:00:00", Claim::Utc, "2024-10-27T01:00:00Z", 3600, Evidence::Position, &[]),
    ("half an hour", KOLKATA, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 19800, Evidence::Position, &[]),
    ("45 minutes", KATHMANDU, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 20700, Evidence::Position, &[]),
    ("8 hours 45", EUCLA, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 31500, Evidence::Position, &[]),
    ("southern summer, half an hour", ADELAIDE, "2024-01-01T08:00:00", Claim::Utc, "2024-01-01T08:00:00Z", 37800, Evidence::Position, &[]),
    ("southern winter", ADELAIDE, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 34200, Evidence::Position, &[]),
    ("12 hours 45", CHATHAM, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 45900, Evidence::Position, &[]),
    ("13 hours 45", CHATHAM, "2024-01-15T08:00:00", Claim::Utc, "2024-01-15T08:00:00Z", 49500, Evidence::Position, &[]),
    ("three and a half behind", STJOHNS, "2024-01-15T08:00:00", Claim::Utc, "2024-01-15T08:00:00Z", -12600, Evidence::Position, &[]),
    ("summer time of half an hour", LORDHOWE, "2024-01-15T08:00:00", Claim::Utc, "2024-01-15T08:00:00Z", 39600, Evidence::Position, &[]),
    ("winter of that island", LORDHOWE, "2024-07-15T08:00:00", Claim::Utc, "2024-07-15T08:00:00Z", 37800, Evidence::Position, &[]),
    ("14 hours ahead", KIRITIMATI, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 50400, Evidence::Position, &[]),
    ("11 hours behind, a sea away", PAGOPAGO, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", -39600, Evidence::Position, &[]),
    ("before the island crossed the date line", APIA, "2011-12-30T09:00:00", Claim::Utc, "2011-12-30T09:00:00Z", -36000, Evidence::Position, &[]),
    ("after it did", APIA, "2011-12-30T11:00:00", Claim::Utc, "2011-12-30T11:00:00Z", 50400, Evidence::Position, &[]),
    ("Moscow in summer time of 2010", MOSCOW, "2010-07-01T08:00:00", Claim::Utc, "2010-07-01T08:00:00Z", 14400, Evidence::Position, &[]),
    ("everlasting summer time 2012", MOSCOW, "2012-01-15T08:00:00", Claim::Utc, "2012-01-15T08:00:00Z", 14400, Evidence::Position, &[]),
    ("everlasting winter time 2015", MOSCOW, "2015-07-01T08:00:00", Claim::Utc, "2015-07-01T08:00:00Z", 10800, Evidence::Position, &[]),
    ("Volgograd went east in 2018", VOLGOGRAD, "2019-07-01T08:00:00", Claim::Utc, "2019-07-01T08:00:00Z", 14400, Evidence::Position, &[]),
    ("and back in 2020", VOLGOGRAD, "2021-07-01T08:00:00", Claim::Utc, "2021-07-01T08:00:00Z", 10800, Evidence::Position, &[]),
    ("Turkey before 2016", ISTANBUL, "2016-01-15T08:00:00", Claim::Utc, "2016-01-15T08:00:00Z", 7200, Evidence::Position, &[]),
    ("Turkey since", ISTANBUL, "2017-01-15T08:00:00", Claim::Utc, "2017-01-15T08:00:00Z", 10800, Evidence::Position, &[]),
    ("Mexico with summer time", MEXICOCITY, "2022-07-01T08:00:00", Claim::Utc, "2022-07-01T08:00:00Z", -18000, Evidence::Position, &[]),
    ("Mexico without", MEXICOCITY, "2023-07-01T08:00:00", Claim::Utc, "2023-07-01T08:00:00Z", -21600, Evidence::Position, &[]),
    ("Iran with summer time", TEHRAN, "2022-07-01T08:00:00", Claim::Utc, "2022-07-01T08:00:00Z", 16200, Evidence::Position, &[]),
    ("Iran without", TEHRAN, "2023-07-01T08:00:00", Claim::Utc, "2023-07-01T08:00:00Z", 12600, Evidence::Position, &[]),
    ("Jordan keeps summer time", AMMAN, "2023-01-15T08:00:00", Claim::Utc, "2023-01-15T08:00:00Z", 10800, Evidence::Position, &[]),
    ("Korean time of its own", PYONGYANG, "2016-07-01T08:00:00", Claim::Utc, "2016-07-01T08:00:00Z", 30600, Evidence::Position, &[]),
    ("Venezuela at half hours", CARACAS, "2010-07-01T08:00:00", Claim::Utc, "2010-07-01T08:00:00Z", -16200, Evidence::Position, &[]),
    ("Venezuela at whole ones", CARACAS, "2017-07-01T08:00:00", Claim::Utc, "2017-07-01T08:00:00Z", -14400, Evidence::Position, &[]),
    ("Brazil had summer time", SAOPAULO, "2018-12-15T08:00:00", Claim::Utc, "2018-12-15T08:00:00Z", -7200, Evidence::Position, &[]),
    ("Brazil has none", SAOPAULO, "2020-12-15T08:00:00", Claim::Utc, "2020-12-15T08:00:00Z", -10800, Evidence::Position, &[]),
    ("Arizona has none", PHOENIX, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", -25200, Evidence::Position, &[]),
    ("Morocco in Ramadan", CASABLANCA, "2024-03-20T08:00:00", Claim::Utc, "2024-03-20T08:00:00Z", 0, Evidence::Position, &[]),
    ("Morocco else", CASABLANCA, "2024-05-01T08:00:00", Claim::Utc, "2024-05-01T08:00:00Z", 3600, Evidence::Position, &[]),
    ("Greenland moved in 2023", NUUK, "2024-01-15T08:00:00", Claim::Utc, "2024-01-15T08:00:00Z", -7200, Evidence::Position, &[]),
    ("a station on the ice", TROLL, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 7200, Evidence::Position, &[]),
    ("South Sudan moved in 2021", JUBA, "2021-07-01T08:00:00", Claim::Utc, "2021-07-01T08:00:00Z", 7200, Evidence::Position, &[]),
    ("Kazakhstan joined in 2024", ALMATY, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 18000, Evidence::Position, &[]),
    ("Haiti", PORTAUPRINCE, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", -14400, Evidence::Position, &[]),
    ("a zone of offset 0", REYKJAVIK, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 0, Evidence::Position, &[]),
    ("a minute before everlasting summer time", MOSCOW, "2011-03-26T22:59:00", Claim::Utc, "2011-03-26T22:59:00Z", 10800, Evidence::Position, &[]),
    ("as it begins", MOSCOW, "2011-03-26T23:00:00", Claim::Utc, "2011-03-26T23:00:00Z", 14400, Evidence::Position, &[]),
    ("a minute before it ends", MOSCOW, "2014-10-25T21:59:00", Claim::Utc, "2014-10-25T21:59:00Z", 14400, Evidence::Position, &[]),
    ("as it ended", MOSCOW, "2014-10-25T22:00:00", Claim::Utc, "2014-10-25T22:00:00Z", 10800, Evidence::Position, &[]),
    ("the autumn when Turkey stayed", ISTANBUL, "2016-11-15T08:00:00", Claim::Utc, "2016-11-15T08:00:00Z", 10800, Evidence::Position, &[]),
    ("a minute before Mexico's last change", MEXICOCITY, "2022-10-30T06:59:00", Claim::Utc, "2022-10-30T06:59:00Z", -18000, Evidence::Position, &[]),
    ("after it", MEXICOCITY, "2022-10-30T07:00:00", Claim::Utc, "2022-10-30T07:00:00Z", -21600, Evidence::Position, &[]),
    ("but the border has summer time", TIJUANA, "2023-07-01T08:00:00", Claim::Utc, "2023-07-01T08:00:00Z", -25200, Evidence::Position, &[]),
    ("a city without it for a month", JUAREZ, "2022-11-15T08:00:00", Claim::Utc, "2022-11-15T08:00:00Z", -21600, Evidence::Position, &[]),
    ("and with its neighbour again", JUAREZ, "2022-12-15T08:00:00", Claim::Utc, "2022-12-15T08:00:00Z", -25200, Evidence::Position, &[]),
    ("Egypt without summer time", CAIRO, "2022-07-01T08:00:00", Claim::Utc, "2022-07-01T08:00:00Z", 7200, Evidence::Position, &[]),
    ("and with it again", CAIRO, "2023-07-01T08:00:00", Claim::Utc, "2023-07-01T08:00:00Z", 10800, Evidence::Position, &[]),
    ("an atoll before it crossed the date line", FAKAOFO, "2011-12-29T08:00:00", Claim::Utc, "2011-12-29T08:00:00Z", -39600, Evidence::Position, &[]),
    ("and after", FAKAOFO, "2012-01-15T08:00:00", Claim::Utc, "2012-01-15T08:00:00Z", 46800, Evidence::Position, &[]),
    ("14 hours of a summer", TONGATAPU, "2016-12-15T08:00:00", Claim::Utc, "2016-12-15T08:00:00Z", 50400, Evidence::Position, &[]),
    ("Fiji in a summer", SUVA, "2019-12-15T08:00:00", Claim::Utc, "2019-12-15T08:00:00Z", 46800, Evidence::Position, &[]),
    ("Fiji beyond 180° east", TAVEUNI, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 43200, Evidence::Position, &[]),
    ("six and a half", YANGON, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", 23400, Evidence::Position, &[]),
    ("nine and a half behind", MARQUESAS, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", -34200, Evidence::Position, &[]),
    ("the islands nearest to the date line", ADAK, "2024-07-01T08:00:00", Claim::Utc, "2024-07-01T08:00:00Z", -32400, Evidence::Position, &[]),
    ("and across it", ANADYR, "2010-07-01T08:00:00", Claim::Utc, "2010-07-01T08:00:00Z", 43200, Evidence::Position, &[]),
    ("wall clock where clocks stayed back for good", MOSCOW, "2014-10-26T01:30:00", Claim::Local, "2014-10-25T21:30:00Z", 14400, Evidence::Position, &["time.local", "time.overlap"]),
    ("wall clock east of the date line", ADAK, "2024-07-01T08:00:00", Claim::Local, "2024-07-01T17:00:00Z", -32400, Evidence::Position, &["time.local"]),
    ("half an hour shown twice", LORDHOWE, "2024-04-07T01:45:00", Claim::Local, "2024-04-06T14:45:00Z", 39600, Evidence::Position, &["time.local", "time.overlap"]),
    ("a stated offset that fits", ZURICH, "2024-07-01T08:00:00", Claim::Stated(7200), "2024-07-01T08:00:00Z", 7200, Evidence::Stated, &[]),
    ("a watch that missed summer time", ZURICH, "2024-07-01T08:00:00", Claim::Stated(3600), "2024-07-01T08:00:00Z", 7200, Evidence::Position, &["zone.disagrees"]),
    ("a watch from home on a journey", NEWYORK, "2024-07-01T08:00:00", Claim::Stated(7200), "2024-07-01T08:00:00Z", -14400, Evidence::Position, &["zone.disagrees"]),
    ("an offset of nowhere", ZURICH, "2024-07-01T08:00:00", Claim::Stated(54000), "2024-07-01T08:00:00Z", 7200, Evidence::Position, &["zone.implausible"]),
    ("Flow of 2016: winter offset in summer, instant right", KRAKOW, "2016-04-10T17:40:58", Claim::Offset(3600), "2016-04-10T17:40:58Z", 7200, Evidence::Position, &["zone.disagrees"]),
    ("true offsets in the text", MELBOURNE, "2014-07-12T21:26:23", Claim::Offset(36000), "2014-07-12T21:26:23Z", 36000, Evidence::Stated, &[]),
    ("Beijing time where local time is two hours less", URUMQI, "2024-07-01T08:00:00", Claim::Stated(28800), "2024-07-01T08:00:00Z", 28800, Evidence::Stated, &[]),
    ("WebSync in a German winter", FREISING, "2012-01-06T05:57:01", Claim::LocalAsUtc, "2012-01-06T04:57:01Z", 3600, Evidence::Position, &["time.local_as_utc"]),
    ("WebSync in a German summer", FREISING, "2012-07-06T05:57:01", Claim::LocalAsUtc, "2012-07-06T03:57:01Z", 7200, Evidence::Position, &["time.local_as_utc"]),
    ("local as UTC where both are one", LONDON, "2012-01-06T05:57:01", Claim::LocalAsUtc, "2012-01-06T05:57:01Z", 0, Evidence::Position, &["time.local_as_utc"]),
    ("in London in summer", LONDON, "2012-07-06T05:57:01", Claim::LocalAsUtc, "2012-07-06T04:57:01Z", 3600, Evidence::Position, &["time.local_as_utc"]),
    ("west of Greenwich", NEWYORK, "2012-07-06T20:57:01", Claim::LocalAsUtc, "2012-07-07T00:57:01Z", -14400, Evidence::Position, &["time.local_as_utc"]),
    ("wall clock at three quarters", KATHMANDU, "2012-07-06T05:57:01", Claim::Local, "2012-07-06T00:12:01Z", 20700, Evidence::Position, &["time.local"]),
    ("wall clock in Melbourne", MELBOURNE, "2014-07-13T07:26:23", Claim::Local, "2014-07-12T21:26:23Z", 36000, Evidence::Position, &["time.local"]),
    ("the hour shown twice", FREISING, "2012-10-28T02:30:00", Claim::LocalAsUtc, "2012-10-28T00:30:00Z", 7200, Evidence::Position, &["time.local_as_utc", "time.overlap"]),
    ("the hour never shown", FREISING, "2012-03-25T02:30:00", Claim::LocalAsUtc, "2012-03-25T01:30:00Z", 7200, Evidence::Position, &["time.local_as_utc", "time.gap"]),
    ("shown twice in America", NEWYORK, "2012-11-04T01:30:00", Claim::Local, "2012-11-04T05:30:00Z", -14400, Evidence::Position, &["time.local", "time.overlap"]),
    ("half an hour never shown", LORDHOWE, "2023-10-01T02:15:00", Claim::Local, "2023-09-30T15:45:00Z", 39600, Evidence::Position, &["time.local", "time.gap"]),
    ("the day that Samoa skipped", APIA, "2011-12-30T12:00:00", Claim::Local, "2011-12-30T22:00:00Z", 50400, Evidence::Position, &["time.local", "time.gap"]),
    ("wall clock before the rules of 2011", MOSCOW, "2010-12-01T09:00:00", Claim::Local, "2010-12-01T06:00:00Z", 10800, Evidence::Position, &["time.local"]),
    ("New Year in the east", KIRITIMATI, "2024-01-01T00:30:00", Claim::Local, "2023-12-31T10:30:00Z", 50400, Evidence::Position, &["time.local"]),
];

#[test]
fn places_and_instants_give_true_utc_and_local_time() {
    assert!(PLACED.len() >= 60, "{} cases", PLACED.len());
    let mut wrong = Vec::new();
    for &(what, place, start, claim, utc, offset, evidence, notes) in PLACED {
        let activity = settle(draft(Some(place), start, claim), &SettleOptions::default());
        let found = (time::utc(activity.track.times()[0]), activity.offset_s, activity.evidence, codes(&activity));
        let wanted = (utc.to_owned(), Some(offset), evidence, notes.iter().map(|code| (*code).to_owned()).collect());
        if found != wanted {
            wrong.push(format!("{what}:\n  found  {found:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What, place, start as written, claim, the user's choice, true start, offset, evidence, floating, notes.
type Other = (
    &'static str,
    Option<Place>,
    &'static str,
    Claim,
    &'static str,
    &'static str,
    Option<i32>,
    Evidence,
    bool,
    &'static [&'static str],
);

/// In the middle of the Atlantic, 30° west.
const AT_SEA: Place = (40.0, -30.0);

#[rustfmt::skip]
const OTHERS: &[Other] = &[
    ("nothing is known but UTC", None, "2024-07-01T08:00:00", Claim::Utc, "auto", "2024-07-01T08:00:00Z", None, Evidence::None, false, &[]),
    ("a wall clock anywhere", None, "2024-07-01T08:00:00", Claim::Local, "auto", "2024-07-01T08:00:00Z", None, Evidence::None, true, &["time.zone_unknown"]),
    ("local as UTC without a place", None, "2024-07-01T08:00:00", Claim::LocalAsUtc, "auto", "2024-07-01T08:00:00Z", None, Evidence::None, true, &["time.zone_unknown"]),
    ("a stated offset is all there is", None, "2024-07-01T08:00:00", Claim::Stated(-12600), "auto", "2024-07-01T08:00:00Z", Some(-12600), Evidence::Stated, false, &[]),
    ("a wall clock with its offset", None, "2024-07-01T08:00:00", Claim::LocalStated(20700), "auto", "2024-07-01T02:15:00Z", Some(20700), Evidence::Stated, false, &["time.local"]),
    ("a wall clock with an old offset: its instant is right", Some(ZURICH), "2024-07-01T07:00:00", Claim::LocalStated(3600), "auto", "2024-07-01T06:00:00Z", Some(7200), Evidence::Position, false, &["time.local", "zone.disagrees"]),
    ("a stated clock 47 s off", None, "2024-07-01T08:00:00", Claim::Unsynchronised(7200, 47), "auto", "2024-07-01T08:00:00Z", Some(7200), Evidence::Stated, false, &[]),
    ("a stated clock 225 s off", None, "2024-07-01T08:00:00", Claim::Unsynchronised(7200, -225), "auto", "2024-07-01T08:00:00Z", Some(7200), Evidence::Stated, false, &["zone.unsynchronised"]),
    ("a name in local time", None, "2024-07-01T08:00:03", Claim::Named("2024-07-01T10:00:00"), "auto", "2024-07-01T08:00:03Z", Some(7200), Evidence::Archive, false, &[]),
    ("a name in UTC proves nothing", None, "2024-07-01T08:00:03", Claim::Named("2024-07-01T08:00:00"), "auto", "2024-07-01T08:00:03Z", None, Evidence::None, false, &[]),
    ("a name of another time proves nothing", None, "2024-07-01T08:00:03", Claim::Named("2024-07-01T10:07:00"), "auto", "2024-07-01T08:00:03Z", None, Evidence::None, false, &[]),
    ("at sea", Some(AT_SEA), "2024-07-01T08:00:00", Claim::Utc, "auto", "2024-07-01T08:00:00Z", Some(-7200), Evidence::Position, false, &["zone.nautical"]),
    ("a wall clock at sea", Some(AT_SEA), "2024-07-01T08:00:00", Claim::Local, "auto", "2024-07-01T08:00:00Z", None, Evidence::None, true, &["time.zone_unknown"]),
    ("at sea by the ship's clock", Some(AT_SEA), "2024-07-01T08:00:00", Claim::Stated(-3600), "auto", "2024-07-01T08:00:00Z", Some(-3600), Evidence::Stated, false, &[]),
    ("the user sets an offset", None, "2024-07-01T08:00:00", Claim::Local, "+05:45", "2024-07-01T02:15:00Z", Some(20700), Evidence::User, false, &["time.local"]),
    ("the user names a zone", None, "2024-01-01T08:00:00", Claim::Local, "Europe/Zurich", "2024-01-01T07:00:00Z", Some(3600), Evidence::User, false, &["time.local"]),
    ("the user names a zone for local as UTC", Some(ZURICH), "2024-07-01T08:00:00", Claim::LocalAsUtc, "america/new_york", "2024-07-01T12:00:00Z", Some(-14400), Evidence::User, false, &["time.local_as_utc"]),
    ("the user's offset moves no true UTC", Some(ZURICH), "2024-07-01T08:00:00", Claim::Utc, "-3", "2024-07-01T08:00:00Z", Some(-10800), Evidence::User, false, &[]),
    ("nor a wall clock whose offset is known", None, "2024-07-01T08:00:00", Claim::LocalStated(-14400), "Europe/Zurich", "2024-07-01T12:00:00Z", Some(7200), Evidence::User, false, &["time.local"]),
    ("nor with an offset for the zone", None, "2024-07-01T08:00:00", Claim::LocalStated(-14400), "+02:00", "2024-07-01T12:00:00Z", Some(7200), Evidence::User, false, &["time.local"]),
    ("keep takes a wall clock with its offset for an instant", None, "2024-07-01T08:00:00", Claim::LocalStated(20700), "keep", "2024-07-01T02:15:00Z", Some(20700), Evidence::Stated, false, &["time.local", "zone.kept"]),
    ("keep moves nothing and looks nothing up", Some(FREISING), "2012-01-06T05:57:01", Claim::LocalAsUtc, "keep", "2012-01-06T05:57:01Z", None, Evidence::None, false, &["zone.kept"]),
    ("keep leaves a wall clock floating", None, "2012-01-06T05:57:01", Claim::Local, "keep", "2012-01-06T05:57:01Z", None, Evidence::None, true, &["time.zone_unknown", "zone.kept"]),
    ("keep keeps what is stated", Some(ZURICH), "2024-07-01T08:00:00", Claim::Stated(3600), "keep", "2024-07-01T08:00:00Z", Some(3600), Evidence::Stated, false, &["zone.kept"]),
];

#[test]
fn without_a_place_only_what_is_stated_or_said_counts() {
    let mut wrong = Vec::new();
    for &(what, place, start, claim, choice, utc, offset, evidence, floating, notes) in OTHERS {
        let options = SettleOptions { zone: choice.parse::<ZoneChoice>().unwrap(), ..SettleOptions::default() };
        let activity = settle(draft(place, start, claim), &options);
        let start = time::utc(activity.track.times()[0]);
        let found = (start, activity.offset_s, activity.evidence, activity.floating, codes(&activity));
        let notes: BTreeSet<String> = notes.iter().map(|code| (*code).to_owned()).collect();
        let wanted = (utc.to_owned(), offset, evidence, floating, notes);
        if found != wanted {
            wrong.push(format!("{what}:\n  found  {found:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_flight_keeps_the_local_time_of_its_start() {
    // Zurich to New York in eight hours.
    let mut flight = Draft::new();
    for minute in 0..=480 {
        flight.recording.track.push(ms("2024-07-01T08:00:00Z") + minute * 60_000);
        let share = minute as f64 / 480.0;
        let (lat, lon) = (ZURICH.0 + share * (NEWYORK.0 - ZURICH.0), ZURICH.1 + share * (NEWYORK.1 - ZURICH.1));
        flight.recording.track.set_position(lat, lon);
    }
    let activity = settle(flight.clone(), &SettleOptions::default());
    assert_eq!((activity.offset_s, activity.evidence), (Some(7200), Evidence::Position));
    assert!(activity.notes.get("zone.changes").is_some());
    // A watch that states the local time of its end is right, too.
    flight.clock = Claim::Stated(-14_400).clock();
    let activity = settle(flight, &SettleOptions::default());
    assert_eq!(activity.offset_s, Some(7200));
    assert!(activity.notes.get("zone.disagrees").is_none());
}

#[test]
fn a_game_is_no_place() {
    // A virtual ride in the Solomon Islands.
    let mut ride = draft(Some((-11.64, 166.95)), "2024-07-01T18:00:00", Claim::Utc);
    ride.recording.sub_sport = Some(SubSport(58));
    let activity = settle(ride, &SettleOptions::default());
    assert_eq!((activity.offset_s, activity.evidence), (None, Evidence::None));
}

/// A gym session in local time without a zone, on the day of a run in Zurich (+02:00 in May): the run tells its zone, in
/// whatever way the two are read.
#[test]
fn neighbours_tell_a_zone_to_every_command() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let gym = "<?xml version=\"1.0\"?><TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"><Activities><Activity Sport=\"Other\"><Id>2024-05-01T18:00:00</Id><Lap StartTime=\"2024-05-01T18:00:00\"><TotalTimeSeconds>2</TotalTimeSeconds><DistanceMeters>0</DistanceMeters><Calories>1</Calories><Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod><Track><Trackpoint><Time>2024-05-01T18:00:00</Time><HeartRateBpm><Value>90</Value></HeartRateBpm></Trackpoint><Trackpoint><Time>2024-05-01T18:00:02</Time><HeartRateBpm><Value>91</Value></HeartRateBpm></Trackpoint></Track></Lap></Activity></Activities></TrainingCenterDatabase>";
    let run = "<?xml version=\"1.0\"?><gpx version=\"1.1\" creator=\"x\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><trkseg><trkpt lat=\"47.37\" lon=\"8.54\"><time>2024-05-01T08:00:00Z</time></trkpt><trkpt lat=\"47.371\" lon=\"8.54\"><time>2024-05-01T08:01:00Z</time></trkpt></trkseg></trk></gpx>";
    std::fs::write(folder.path().join("in/gym.tcx"), gym).unwrap();
    std::fs::write(folder.path().join("in/run.gpx"), run).unwrap();
    let run = |arguments: &[&str]| {
        let output = super::cli::paceport(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        super::cli::lines(&output)
    };
    let gym_of = |lines: &[serde_json::Value]| {
        let gym = lines.iter().find(|l| l["kind"] == "activity" && l["samples"] == 2 && l["positions"] == 0).unwrap();
        let notes = gym["notes"].as_array().unwrap();
        assert_eq!(
            notes.iter().any(|n| n["code"] == "time.zone_unknown"),
            gym["local_offset_s"].is_null(),
            "{notes:?}"
        );
        (gym["start"].as_str().unwrap().to_owned(), gym["local_offset_s"].as_i64())
    };
    let truth = ("2024-05-01T16:00:00Z".to_owned(), Some(7200));
    assert_eq!(gym_of(&run(&["inspect", "--json", "in"])), truth);
    for _ in 0..2 {
        let written = run(&["convert", "--json", "in", "--to", "fit", "--out", "out"]);
        let files: Vec<_> = written.iter().filter(|line| line["kind"] == "output").collect();
        assert!(files.len() == 2 && files.iter().all(|file| file["error"].is_null()), "{files:?}");
    }
    assert_eq!(gym_of(&run(&["inspect", "--json", "out/gym.fit"])), truth);
    run(&["import", "in", "--into", "h"]);
    assert_eq!(gym_of(&run(&["list", "h", "--json"])), truth);
    // Alone it needs its owner's word.
    for zone in [["--home-zone", "Europe/Zurich"], ["--zone", "+02:00"]] {
        assert_eq!(gym_of(&run(&[&["inspect", "--json", "in/gym.tcx"], &zone[..]].concat())), truth);
        run(&["merge", "in/gym.tcx", "in/gym.tcx", "--force", "--out", "merged.tcx", zone[0], zone[1]]);
        assert_eq!(gym_of(&run(&["inspect", "--json", "merged.tcx"])), truth, "{zone:?}");
    }
    // Else it keeps its wall clock, and says so.
    assert_eq!(gym_of(&run(&["inspect", "--json", "in/gym.tcx"])), ("2024-05-01T18:00:00Z".to_owned(), None));
}
