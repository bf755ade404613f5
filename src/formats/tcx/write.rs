//! Writes TCX v2 that validates against its schema: the schema's exact order, integers without decimals, UTC times with
//! three digits of milliseconds. What TCX cannot say goes into the `paceport` namespace (`docs/gpx-namespace.md`).

use std::io::Write;
use std::ops::Range;

use super::write_points::Points;
use crate::error::Result;
use crate::formats::losses;
use crate::formats::own;
use crate::formats::spans::{self, Leg};
use crate::formats::text::{self, Page};
use crate::model::{Activity, Device, Intensity, Lap, LapTrigger, Sport, Totals, time};
use crate::report::Notes;

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"",
    " xmlns:ns3=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\"",
    " xmlns:pp=\"urn:paceport:1\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"",
    " xsi:schemaLocation=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2",
    " http://www.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd\">\n<Activities>\n",
);

/// No one moves faster; a lap's stated maximum above it is a glitch, m/s.
const SANE_SPEED: f64 = 150.0;

/// Writes one activity as TCX v2: an `Activity`, or a `MultiSportSession` when it has several legs.
pub(super) fn write(activity: &Activity, out: &mut dyn Write, notes: &mut Notes) -> Result<()> {
    let mut page = Page::new(out);
    page.put(HEAD);
    let shown = own::stand_ins(&activity.track);
    let mut points = Points::new(&activity.track, &shown);
    let legs = spans::legs(activity);
    let start = start(activity);
    if legs.len() == 1 {
        for (i, leg) in legs.iter().enumerate() {
            one(&mut page, activity, &mut points, leg, &legs, i)?;
        }
    } else {
        page.put("<MultiSportSession><Id>");
        time::write_utc(&mut page.buf, start, true);
        page.put("</Id>\n");
        let mut i = 0;
        while let Some(leg) = legs.get(i) {
            page.put(if i == 0 { "<FirstSport>" } else { "<NextSport>" });
            let changes = |leg: &Leg<'_>| leg.session.is_some_and(|session| session.sport == Sport::TRANSITION);
            let mut leg = leg;
            if let (true, true, Some(next)) = (i > 0, changes(leg), legs.get(i + 1)) {
                let whole = Lap { trigger: None, ..stand_in(activity, leg, legs.len()) };
                lap(&mut page, activity, &mut points, "Transition", &whole, leg.rows.clone(), false)?;
                leg = next;
                i += 1;
            }
            one(&mut page, activity, &mut points, leg, &legs, i)?;
            page.put(if i == 0 { "</FirstSport>\n" } else { "</NextSport>\n" });
            i += 1;
        }
        remarks(&mut page, activity);
        page.put("</MultiSportSession>\n");
    }
    page.put("</Activities>\n");
    if let Some(creator) = activity.creator.as_deref().filter(|creator| !creator.trim().is_empty()) {
        author(&mut page, creator);
    }
    page.put("</TrainingCenterDatabase>\n");
    losses::report("tcx", activity, page.replaced, notes);
    page.finish()
}

/// Start of the activity; midnight of its day when no instant is known, since the schema wants one.
fn start(activity: &Activity) -> i64 {
    let midnight = || time::parse(format!("{}T00:00:00Z", activity.day.as_deref()?).as_bytes());
    activity.span().map(|span| span.0).or_else(|| Some(midnight()?.ms)).unwrap_or(0)
}

/// Writes one leg as an `Activity`.
fn one(
    page: &mut Page<'_>,
    activity: &Activity,
    points: &mut Points<'_>,
    leg: &Leg<'_>,
    legs: &[Leg<'_>],
    index: usize,
) -> Result<()> {
    let sport = leg.session.map_or(activity.sport, |session| session.sport);
    page.put(match sport.0 {
        1 => "<Activity Sport=\"Running\"><Id>",
        2 | 21 => "<Activity Sport=\"Biking\"><Id>", // cycling, e-biking
        _ => "<Activity Sport=\"Other\"><Id>",
    });
    let whole = stand_in(activity, leg, legs.len());
    time::write_utc(&mut page.buf, if index == 0 { start(activity) } else { whole.start }, true);
    page.put("</Id>\n");
    let from = if index == 0 { i64::MIN } else { whole.start };
    let until = legs.get(index + 1).and_then(|next| next.session).map_or(i64::MAX, |session| session.start);
    let laps: Vec<&Lap> = activity.laps.iter().filter(|lap| (from..until).contains(&lap.start)).collect();
    if laps.is_empty() {
        lap(page, activity, points, "Lap", &whole, leg.rows.clone(), sport.is_on_foot())?;
    } else {
        let ranges = spans::cut(&activity.track, leg.rows.clone(), laps.iter().map(|lap| lap.start));
        for (one, rows) in laps.into_iter().zip(ranges) {
            lap(page, activity, points, "Lap", one, rows, sport.is_on_foot())?;
        }
    }
    if legs.len() == 1 {
        remarks(page, activity);
    }
    if let Some(device) = activity.device() {
        creator(page, device);
    }
    if index == 0 {
        page.put("<Extensions>\n");
        own::activity(page, activity, points.shown)?;
        page.put("</Extensions>");
    }
    page.put("</Activity>\n");
    page.turn()
}

/// The lap that stands for a leg without laps.
fn stand_in(activity: &Activity, leg: &Leg<'_>, legs: usize) -> Lap {
    let times = activity.track.times();
    let rows = times.get(leg.rows.clone()).unwrap_or_default();
    let (first, last) = match leg.session {
        Some(session) => (session.start, session.end),
        None => activity.span().unwrap_or_else(|| (start(activity), start(activity))),
    };
    let totals = match leg.session {
        Some(session) if legs > 1 || session.totals != Totals::default() => session.totals.clone(),
        _ => activity.stated.clone(),
    };
    Lap {
        start: rows.first().map_or(first, |&time| time.min(first)),
        end: rows.last().map_or(last, |&time| time.max(last)),
        totals,
        ..Lap::default()
    }
}

fn remarks(page: &mut Page<'_>, activity: &Activity) {
    if activity.name.is_none() && activity.description.is_none() {
        return;
    }
    page.put("<Notes>");
    page.escape(activity.name.as_deref().unwrap_or_default(), false);
    if activity.name.is_some() && activity.description.is_some() {
        page.put("\n");
    }
    page.escape(activity.description.as_deref().unwrap_or_default(), false);
    page.put("</Notes>\n");
}

fn element(page: &mut Page<'_>, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
    page.put("<");
    page.put(name);
    page.put(">");
    value(&mut page.buf);
    page.put("</");
    page.put(name);
    page.put(">");
}

fn whole(page: &mut Page<'_>, name: &str, value: Option<f64>, low: f64, high: f64) {
    if let Some(value) = value.map(f64::round).filter(|v| (low..=high).contains(v)) {
        element(page, name, |out| text::integer(out, value as i64));
    }
}

fn beats(page: &mut Page<'_>, name: &str, value: Option<f64>) {
    if let Some(value) = value.map(f64::round).filter(|v| (1.0..=255.0).contains(v)) {
        element(page, name, |out| {
            out.extend_from_slice(b"<Value>");
            text::integer(out, value as i64);
            out.extend_from_slice(b"</Value>");
        });
    }
}

/// Writes a lap (`Lap`, or `Transition` of a multisport session) with its rows. What the lap does not state but the
/// schema or its readers want is worked out from the rows.
fn lap(
    page: &mut Page<'_>,
    activity: &Activity,
    points: &mut Points<'_>,
    tag: &str,
    lap: &Lap,
    rows: Range<usize>,
    on_foot: bool,
) -> Result<()> {
    let totals = &lap.totals;
    let positive = |value: &f64| value.is_finite() && *value >= 0.0;
    page.put("<");
    page.put(tag);
    page.put(" StartTime=\"");
    time::write_utc(&mut page.buf, lap.start, true);
    page.put("\">");
    let seconds = totals.timer_s.or(totals.elapsed_s).filter(positive);
    let seconds = seconds.unwrap_or_else(|| (lap.end - lap.start).max(0) as f64 / 1000.0);
    element(page, "TotalTimeSeconds", |out| text::number(out, seconds));
    let metres = totals.distance_m.filter(positive).or_else(|| spans::metres(&activity.track, rows.clone()));
    element(page, "DistanceMeters", |out| text::number(out, metres.unwrap_or(0.0)));
    let fastest =
        totals.max_speed.filter(|v| (0.0..=SANE_SPEED).contains(v)).or_else(|| points.max_speed(rows.clone()));
    if let Some(fastest) = fastest {
        element(page, "MaximumSpeed", |out| text::number(out, fastest));
    }
    let energy = totals.calories_kcal.filter(positive).unwrap_or(0.0).round().min(65535.0);
    element(page, "Calories", |out| text::integer(out, energy as i64));
    let (mut mean, mut max) = (totals.avg_heart_rate, totals.max_heart_rate);
    if let (None, Some((rows_mean, rows_max))) = (mean.or(max), points.heart_rates(rows.clone())) {
        (mean, max) = (Some(rows_mean), Some(rows_max));
    }
    beats(page, "AverageHeartRateBpm", mean);
    beats(page, "MaximumHeartRateBpm", max);
    let rest = matches!(lap.intensity, Some(Intensity::Rest | Intensity::Recovery));
    page.put(if rest { "<Intensity>Resting</Intensity>" } else { "<Intensity>Active</Intensity>" });
    if !on_foot {
        whole(page, "Cadence", totals.avg_cadence, 0.0, 254.0);
    }
    page.put(match lap.trigger {
        Some(LapTrigger::Distance) => "<TriggerMethod>Distance</TriggerMethod>\n",
        Some(LapTrigger::Position) => "<TriggerMethod>Location</TriggerMethod>\n",
        Some(LapTrigger::Time) => "<TriggerMethod>Time</TriggerMethod>\n",
        Some(LapTrigger::HeartRate) => "<TriggerMethod>HeartRate</TriggerMethod>\n",
        _ => "<TriggerMethod>Manual</TriggerMethod>\n",
    });
    for run in spans::runs(&activity.track, rows, &activity.pauses) {
        points.track(page, run, on_foot)?;
    }
    if let Some(name) = &lap.name {
        page.put("<Notes>");
        page.escape(name, false);
        page.put("</Notes>");
    }
    averages(page, totals, on_foot);
    page.put("</");
    page.put(tag);
    page.put(">\n");
    page.turn()
}

/// The lap extension of ActivityExtension v2.
fn averages(page: &mut Page<'_>, totals: &Totals, on_foot: bool) {
    let before = page.buf.len();
    page.put("<Extensions><ns3:LX>");
    let opened = page.buf.len();
    if let Some(speed) = totals.avg_speed.filter(|v| (0.0..=SANE_SPEED).contains(v)) {
        element(page, "ns3:AvgSpeed", |out| text::number(out, speed));
    }
    if on_foot {
        whole(page, "ns3:AvgRunCadence", totals.avg_cadence, 0.0, 254.0);
        whole(page, "ns3:MaxRunCadence", totals.max_cadence, 0.0, 254.0);
    } else {
        whole(page, "ns3:MaxBikeCadence", totals.max_cadence, 0.0, 254.0);
    }
    whole(page, "ns3:Steps", totals.steps, 0.0, 65535.0);
    whole(page, "ns3:AvgWatts", totals.avg_power, 0.0, 65535.0);
    whole(page, "ns3:MaxWatts", totals.max_power, 0.0, 65535.0);
    if page.buf.len() == opened {
        page.buf.truncate(before);
    } else {
        page.put("</ns3:LX></Extensions>");
    }
}

/// The recorder, with every element that readers insist on (0 for an unknown number, as Garmin and Strava write it), or
/// nothing when not even its name is known.
fn creator(page: &mut Page<'_>, device: &Device) {
    let Some(label) = device.label().filter(|label| !label.trim().is_empty()) else { return };
    page.put("<Creator xsi:type=\"Device_t\"><Name>");
    page.escape(label, false);
    page.put("</Name>");
    let unit: u32 = device.serial.as_deref().and_then(|serial| serial.parse().ok()).unwrap_or(0);
    element(page, "UnitId", |out| text::integer(out, unit.into()));
    element(page, "ProductID", |out| text::integer(out, device.product_id.unwrap_or(0).into()));
    page.put("<Version>");
    let mut numbers = device.firmware.as_deref().unwrap_or_default().split('.').map(|n| n.parse::<u16>().unwrap_or(0));
    for name in ["VersionMajor", "VersionMinor", "BuildMajor", "BuildMinor"] {
        element(page, name, |out| text::integer(out, numbers.next().unwrap_or(0).into()));
    }
    page.put("</Version></Creator>\n");
}

/// The program that wrote the source; the schema wants numbers that no one knows.
fn author(page: &mut Page<'_>, creator: &str) {
    page.put("<Author xsi:type=\"Application_t\"><Name>");
    page.escape(creator, false);
    page.put("</Name><Build><Version><VersionMajor>0</VersionMajor><VersionMinor>0</VersionMinor></Version></Build>");
    page.put("<LangID>en</LangID><PartNumber>000-00000-00</PartNumber></Author>\n");
}
