//! No loss is silent: every field of the model, set alone, is written to FIT, GPX and TCX and read back, by `paceport` and
//! as another program sees it (without what only `paceport` reads). What changed or vanished has a note of `loss.*`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paceport::fix::{SettleOptions, settle};
use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{
    Activity, Channel, DeveloperField, Device, Draft, Event, Evidence, ExtraKey, FieldValue, FitField, Intensity, Lap,
    LapTrigger, Length, Pause, Recording, RrInterval, Session, Set, SetKind, Split, Sport, StatedField, Stroke,
    SubSport, Totals, Waypoint,
};
use serde_json::Value;

use crate::written::written;

const START: i64 = 1_714_547_520_000; // 2024-05-01T07:12:00Z
const FORMATS: [&str; 3] = ["fit", "gpx", "tcx"];

/// What is no loss although another program finds it elsewhere or spelled otherwise: format, what changed, why.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("fit", "/devices/0/manufacturer: \"polar\" became \"polar_electro\"", "the name of the profile"),
    ("fit", "/devices/1/manufacturer: \"polar\" became \"polar_electro\"", "the name of the profile"),
    ("fit", "/devices/0/manufacturer: \"Nobody\"", "a maker without a number stands in front of the product"),
    ("fit", "/devices/0/product: \"Recorder\" became \"Nobody Recorder\"", "see the maker"),
    ("fit", "/devices/0/serial: \"0012\" became \"12\"", "a number"),
    ("fit", "/devices/0/firmware: \"2.5\" became \"2.50\"", "a number"),
    ("fit", "/devices/0/firmware: \"1.7.0.0\" became \"1.07\"", "its numbers without the build of 0"),
    ("gpx", "/devices/0 is not there", "the product is the author of the file"),
    ("gpx", "/creator", "is named as the source of the track"),
    ("gpx", "/sessions/0/first_lap", "follows from the laps"),
    ("gpx", "/sessions/0/laps", "follows from the laps"),
    ("tcx", "/laps/0/elapsed_s", "is the time of the lap, which our reader takes for that of the timer"),
    ("tcx", "/laps/0/end", "follows from the time of the lap"),
    ("tcx", "/sessions/0/elapsed_s", "is the time of the lap"),
    ("tcx", "/sessions/0/end", "follows from the time of the lap"),
    ("tcx", "/elapsed_s", "is the time of the lap"),
    ("tcx", "/name: ", "is the first line of the notes"),
    ("tcx", "/avg_", "is that of the lap"),
    ("tcx", "/max_", "is that of the lap"),
    ("tcx", "/sessions/0/avg_", "is that of the lap"),
    ("tcx", "/sessions/0/max_", "is that of the lap"),
    ("tcx", "/devices/0/index", "there is only one"),
    ("tcx", "/devices/0/firmware: \"2.50\" became \"2.50.0.0\"", "the build is obligatory for many readers"),
    ("tcx", "/devices/0/firmware: \"2.5\" became \"2.5.0.0\"", "the build is obligatory for many readers"),
    ("tcx", "/devices/0/firmware: \"820\" became \"820.0.0.0\"", "the build is obligatory for many readers"),
    ("tcx", "/samples/count: 11 became 10", "a point with nothing but a time is there, our reader takes it for a mark"),
    ("tcx", "/samples/time/10", "see the count"),
];

/// Sets one field of the model.
type Change = Box<dyn Fn(&mut Draft)>;

/// A field: the part it is in (itself a row, or nothing), its name, how it is set.
struct Field {
    within: &'static str,
    name: String,
    set: Change,
}

fn field(within: &'static str, name: &str, set: impl Fn(&mut Recording) + 'static) -> Field {
    Field { within, name: name.to_owned(), set: Box::new(move |draft| set(&mut draft.recording)) }
}

/// Ten samples with a position.
fn plain() -> Draft {
    let mut draft = Draft::new();
    for row in 0..10 {
        draft.recording.track.push(START + row * 1000);
        draft.recording.track.set_position(47.0 + row as f64 * 1e-5, 8.5);
    }
    draft
}

fn span() -> (i64, i64) {
    (START, START + 5000)
}

/// The time that FIT and TCX cannot do without.
fn elapsed() -> Totals {
    Totals { elapsed_s: Some(5.0), ..Totals::default() }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn developer(value: FieldValue) -> StatedField {
    let field = DeveloperField {
        index: 0,
        number: 3,
        base_type: if matches!(value, FieldValue::Text(_)) { 0x07 } else { 0x84 },
        scale: 1.0,
        offset: 0.0,
        application: Some([9; 16]),
        developer: Some([8; 16]),
        manufacturer: Some(95),
        version: Some(7),
        native_message: Some(20),
        native_field: Some(7),
    };
    let fit = Some(FitField::Developer(field));
    StatedField { key: Arc::new(ExtraKey { name: "Form".into(), unit: "W".into(), fit }), value }
}

fn native() -> StatedField {
    let fit = Some(FitField::Native { number: 230, base_type: 0x84, scale: 1.0, offset: 0.0 });
    StatedField {
        key: Arc::new(ExtraKey { name: "field_230".into(), unit: String::new(), fit }),
        value: FieldValue::Number(5.0),
    }
}

/// Every total alone.
fn totals(within: &'static str, pick: fn(&mut Recording) -> &mut Totals) -> impl Iterator<Item = Field> {
    let count = Totals::default().each_mut().count();
    (0..count)
        .map(move |at| field(within, &format!("total {at}"), move |r| *pick(r).each_mut().nth(at).unwrap() = Some(5.0)))
}

/// A row for each field of a part.
macro_rules! rows {
    ($all:ident, $within:literal, $part:expr; $($name:ident = $value:expr),+ $(,)?) => {
        $($all.push(field($within, stringify!($name), |r| $part(r).$name = $value));)+
    };
}

fn parts() -> Vec<Field> {
    let (start, end) = span();
    vec![
        field("", "laps", move |r| r.laps = vec![Lap { start, end, totals: elapsed(), ..Lap::default() }]),
        field("", "sessions", move |r| {
            r.sport = Sport::RUNNING;
            let totals = elapsed();
            r.sessions = vec![Session { start, end, sport: Sport::RUNNING, totals, ..Session::default() }];
        }),
        field("", "lengths", move |r| r.lengths = vec![Length { start, end, active: true, ..Length::default() }]),
        field("", "sets", move |r| r.sets = vec![Set { start: Some(start), ..Set::default() }]),
        field("", "pauses", move |r| r.pauses = vec![Pause { start: start + 2000, end: start + 3000, auto: false }]),
        field("", "rr", move |r| r.rr = vec![RrInterval { time: start + 1000, ms: 800 }]),
        field("", "events", move |r| {
            r.events = vec![Event { time: start + 2000, event: 32, event_type: 3, data: None, group: None }];
        }),
        field("", "splits", move |r| r.splits = vec![Split { start, end, ..Split::default() }]),
        field("", "waypoints", |r| r.waypoints = vec![Waypoint { lat: 47.0, lon: 8.5, ..Waypoint::default() }]),
        field("", "devices", |r| r.devices = vec![Device { product: text("Recorder"), ..Device::default() }]),
        field("devices", "sensor", |r| {
            r.devices.push(Device { index: Some(2), product: text("Strap"), product_id: Some(9), ..Device::default() });
        }),
        field("sessions", "pool", |r| r.sessions[0].pool_length_m = Some(25.0)),
    ]
}

fn fields() -> Vec<Field> {
    let mut all = parts();
    rows!(all, "", std::convert::identity::<&mut Recording>;
        sport = Sport::SWIMMING, sub_sport = Some(SubSport(3)), sport_label = text("Aqua"), name = text("Name"),
        description = text("Words"), gear = text("Shoes"), creator = text("Some program"),
        stated_start = Some(START - 2000), created = Some(START + 86_400_000),
        platform_ids = vec![("strava".to_owned(), "1234".to_owned())],
    );
    all.extend(totals("", |r| &mut r.stated));
    fn lap(r: &mut Recording) -> &mut Lap {
        &mut r.laps[0]
    }
    rows!(all, "laps", lap;
        trigger = Some(LapTrigger::Distance), trigger = Some(LapTrigger::HeartRate), trigger = Some(LapTrigger::Other(40)),
        intensity = Some(Intensity::Warmup), intensity = Some(Intensity::Other(9)), sport = Some(Sport::HIKING),
        sub_sport = Some(SubSport(3)), name = text("Lap"), start_position = Some((46.0, 7.0)),
        end_position = Some((46.0, 7.0)), stroke = Some(Stroke(1)), first_length = Some(3), lengths = Some(4),
        active_lengths = Some(2), workout_step = Some(5), developer = vec![developer(FieldValue::Number(5.0))],
        developer = vec![developer(FieldValue::Text("words".into()))], fields = vec![native()],
    );
    all.extend(totals("laps", |r| &mut r.laps[0].totals));
    fn session(r: &mut Recording) -> &mut Session {
        &mut r.sessions[0]
    }
    rows!(all, "sessions", session;
        sub_sport = Some(SubSport(3)), name = text("Leg"), trigger = Some(2), start_position = Some((46.0, 7.0)),
        first_lap = Some(0), laps = Some(1), stroke = Some(Stroke(1)),
        lengths = Some(4), active_lengths = Some(2), feel = Some(75), rpe = Some(6.5),
        developer = vec![developer(FieldValue::Numbers(vec![Some(1.0), None, Some(2.0)]))], fields = vec![native()],
    );
    rows!(all, "pool", session; pool_in_yards = true);
    all.extend(totals("sessions", |r| &mut r.sessions[0].totals));
    fn length(r: &mut Recording) -> &mut Length {
        &mut r.lengths[0]
    }
    rows!(all, "lengths", length;
        elapsed_s = Some(5.0), timer_s = Some(4.0), strokes = Some(14), avg_speed = Some(1.5), avg_cadence = Some(30.0),
        stroke = Some(Stroke(2)), calories_kcal = Some(3.0), active = false, fields = vec![native()],
    );
    fn set(r: &mut Recording) -> &mut Set {
        &mut r.sets[0]
    }
    rows!(all, "sets", set;
        start = None, duration_s = Some(30.0), exercise = text("Rows of a kind"), category = Some(23),
        category_subtype = Some(2), repetitions = Some(12), weight_kg = Some(40.0), distance_m = Some(100.0), rpe = Some(8.0),
        kind = SetKind::Rest, kind = SetKind::Drop, note = text("heavy"), fields = vec![native()],
    );
    fn pause(r: &mut Recording) -> &mut Pause {
        &mut r.pauses[0]
    }
    rows!(all, "pauses", pause; auto = true);
    fn event(r: &mut Recording) -> &mut Event {
        &mut r.events[0]
    }
    rows!(all, "events", event; data = Some(70_000), group = Some(3));
    fn split(r: &mut Recording) -> &mut Split {
        &mut r.splits[0]
    }
    rows!(all, "splits", split; kind = Some(17), fields = vec![native()]);
    all.extend(totals("splits", |r| &mut r.splits[0].totals));
    fn waypoint(r: &mut Recording) -> &mut Waypoint {
        &mut r.waypoints[0]
    }
    rows!(all, "waypoints", waypoint;
        altitude = Some(400.0), time = Some(START), name = text("Hut"), description = text("closed"), symbol = text("Flag"),
    );
    fn device(r: &mut Recording) -> &mut Device {
        &mut r.devices[0]
    }
    rows!(all, "devices", device;
        index = Some(0), manufacturer = text("polar"), manufacturer = text("Nobody"), manufacturer_id = Some(263),
        product = text("Polar V800"), product_id = Some(12), serial = text("123"), serial = text("0012"),
        serial = text("A1B2"), firmware = text("2.50"), firmware = text("2.5"), firmware = text("1.7.0.0"),
        firmware = text("2.2.269.0"), firmware = text("820"), firmware = text("v1 beta"), hardware = text("4"),
        hardware = text("rev B"), device_type = Some(120), source_type = Some(1), battery_status = Some(3),
        battery_voltage = Some(3.5), operating_time_s = Some(3600), developer = vec![developer(FieldValue::Number(5.0))],
    );
    fn sensor(r: &mut Recording) -> &mut Device {
        &mut r.devices[1]
    }
    rows!(all, "sensor", sensor;
        manufacturer = text("polar"), product = text("H10"), serial = text("A1"), firmware = text("1.2.3"),
        hardware = text("b"),
    );
    fn zones(r: &mut Recording) -> &mut paceport::model::Zones {
        &mut r.zones
    }
    rows!(all, "", zones;
        max_heart_rate = Some(190), threshold_heart_rate = Some(170), resting_heart_rate = Some(50),
        threshold_power = Some(250), heart_rate_bounds = vec![120.0, 140.0], heart_rate_seconds = vec![3.0, 4.0],
        power_bounds = vec![150.0, 200.0], power_seconds = vec![3.0, 4.0],
    );
    fn athlete(r: &mut Recording) -> &mut paceport::model::Athlete {
        &mut r.athlete
    }
    rows!(all, "", athlete;
        gender = Some(1), age = Some(40), height_m = Some(1.8), weight_kg = Some(70.5), resting_heart_rate = Some(50),
        max_heart_rate = Some(190),
    );
    for &channel in Channel::ALL {
        let info = channel.info();
        let value = ((info.low + info.high) / 2.0).round();
        all.push(field("", info.name, move |r| r.track.set(channel, value)));
    }
    all.push(field("", "distance", |r| r.track.set_distance(20.0)));
    all.push(field("", "an extra channel", |r| {
        let slot = r.track.extra_slot(ExtraKey { name: "wind".into(), unit: "m/s".into(), fit: None });
        r.track.set_extra(slot, 3.0);
    }));
    all.push(field("", "a developer field", |r| {
        let key = (*developer(FieldValue::Number(0.0)).key).clone();
        let slot = r.track.extra_slot(key);
        r.track.set_extra(slot, 3.0);
    }));
    all.push(field("", "a sample without time", |r| _ = r.track.push_untimed(START + 9000)));
    all.push(field("", "a sample without position", |r| _ = r.track.push(START + 10_000)));
    all.push(Field {
        within: "",
        name: "local offset".into(),
        set: Box::new(|draft| {
            draft.clock.offset_s = Some(20_700);
            draft.clock.evidence = Evidence::Stated;
        }),
    });
    all
}

/// The draft with a part and what the part is in.
fn with(all: &[Field], name: &str) -> Draft {
    let Some(part) = all.iter().find(|field| field.name == name) else { return plain() };
    let mut draft = with(all, part.within);
    (part.set)(&mut draft);
    draft
}

/// Everything that an activity holds, by path. What is worked out from the rest stays out.
fn facts(activity: &Activity) -> Value {
    let mut value: Value = serde_json::from_slice(&written(activity, "json").0).unwrap();
    for derived in ["computed", "complete", "time_shift_ms", "evidence", "start", "end"] {
        value.as_object_mut().unwrap().remove(derived);
    }
    value
}

/// The paths of what is in `before` and not the same in `after`.
fn changed(path: &str, before: &Value, after: &Value, found: &mut BTreeSet<String>) {
    match (before, after) {
        (Value::Null, _) => {}
        (Value::Array(list), _) if list.is_empty() => {}
        (Value::Object(of), Value::Object(to)) => {
            for (name, value) in of {
                changed(&format!("{path}/{name}"), value, to.get(name).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(of), Value::Array(to)) => {
            for (at, value) in of.iter().enumerate() {
                changed(&format!("{path}/{at}"), value, to.get(at).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let near = (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6;
            found.extend((!near).then(|| format!("{path}: {before} became {after}")));
        }
        // What is said of the only leg of a workout is said of the workout.
        (Value::Object(of), Value::Null) if path == "/sessions/0" => {
            of.iter().for_each(|(name, value)| changed(&format!("{path}/{name}"), value, after, found));
        }
        (Value::Object(_), Value::Null) => _ = found.insert(format!("{path} is not there")),
        _ => found.extend((before != after).then(|| format!("{path}: {before} became {after}"))),
    }
}

/// The file as a program sees it that does not know `paceport`.
fn without_ours(mut bytes: Vec<u8>) -> Vec<u8> {
    for (ours, other) in [(&b"urn:paceport:1"[..], &b"urn:somebody:1"[..]), (b"paceport-fields1", b"somebody-fields1")]
    {
        let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(ours)).collect();
        places.into_iter().for_each(|at| bytes[at..at + ours.len()].copy_from_slice(other));
    }
    bytes
}

/// What changed on the way through a format, and how often each loss was noted.
fn through(draft: Draft, format: &str, ours: bool) -> (BTreeSet<String>, BTreeMap<String, u64>) {
    let activity = settle(draft, &SettleOptions::default());
    let (bytes, notes) = written(&activity, format);
    let bytes = if ours { bytes } else { without_ours(bytes) };
    let (_, mut reading) = formats::read_bytes(&bytes, &Limits::default()).unwrap();
    let read = settle(reading.drafts.remove(0), &SettleOptions::default());
    let mut found = BTreeSet::new();
    changed("", &facts(&activity), &facts(&read), &mut found);
    let elsewhere = |what: &str| ELSEWHERE.iter().any(|(of, start, _)| *of == format && what.starts_with(start));
    // Every program reads developer fields of records, by name.
    let by_name = |what: &str| format == "fit" && what.starts_with("/samples");
    found.retain(|what| ours || !(elsewhere(what) || by_name(what)));
    let losses = notes.iter().filter(|note| note.code.starts_with("loss."));
    (found, losses.map(|note| (note.code.to_string(), note.count)).collect())
}

#[test]
fn no_field_is_lost_without_a_note() {
    let (all, mut silent, mut met) = (fields(), Vec::new(), 0);
    for (format, ours) in FORMATS.into_iter().flat_map(|format| [(format, true), (format, false)]) {
        for field in &all {
            met += 1;
            let (before, noted_before) = through(with(&all, field.within), format, ours);
            let mut draft = with(&all, field.within);
            (field.set)(&mut draft);
            let (after, noted) = through(draft, format, ours);
            let lost: Vec<&String> = after.difference(&before).collect();
            let named = noted.iter().any(|(code, count)| noted_before.get(code).is_none_or(|before| count > before));
            if !lost.is_empty() && !named {
                let reader = if ours { "" } else { " for others" };
                silent.push(format!("{format}{reader}, {}.{}: {lost:?}", field.within, field.name));
            }
        }
    }
    assert!(met > 1000, "met only {met} fields");
    assert!(silent.is_empty(), "{} of {met}\n{}", silent.len(), silent.join("\n"));
}

/// The table above has a row for every field: a recording with all of them has nothing left to set.
#[test]
fn every_field_of_the_model_is_in_the_table() {
    let all = fields();
    let mut draft = plain();
    all.iter().for_each(|field| (field.set)(&mut draft));
    let mut recording = draft.recording;
    recording.track = Default::default();
    recording.sets[0].start = Some(START);
    recording.day = text("2024-05-01");
    recording.devices.truncate(1);
    let printed = format!("{recording:#?}").replace(&format!("{:#?}", recording.track).replace('\n', "\n    "), "");
    let unset: Vec<&str> = printed.lines().filter(|line| line.contains(": None") || line.contains(": []")).collect();
    assert!(unset.is_empty(), "{}", unset.join("\n"));
}
