//! FIT → model → FIT → model: everything that the model holds comes back equal, for every real FIT file of the corpus,
//! and every file that we write keeps the rules of an activity file.

use paceport::fix::{SettleOptions, settle};
use paceport::formats::{self, read_bytes};
use paceport::limits::Limits;
use paceport::model::{Activity, Channel, Device, Lap, Recording, Session, SubSport, Totals, Track};
use paceport::report::Notes;

use super::{expect, fit_validate};

fn read(bytes: &[u8]) -> Vec<Activity> {
    let Ok((_, reading)) = read_bytes(bytes, &Limits::default()) else { return Vec::new() };
    reading.drafts.into_iter().map(|draft| settle(draft, &SettleOptions::default())).collect()
}

pub fn write(activity: &Activity) -> (Vec<u8>, Notes) {
    let (mut bytes, mut notes) = (Vec::new(), Notes::new());
    formats::by_id("fit").unwrap().write.unwrap()(activity, &mut bytes, &mut notes).unwrap();
    (bytes, notes)
}

/// First difference of two tracks.
fn track_difference(a: &Track, b: &Track) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("{} samples, {} after", a.len(), b.len()));
    }
    // A sample without recorded time carries one for its place only.
    let timed = |track: &Track, row: usize| track.is_timed(row).then(|| track.times()[row]);
    if let Some(row) = (0..a.len()).find(|&row| timed(a, row) != timed(b, row)) {
        return Some(format!("time of sample {row}: {:?} {:?}", timed(a, row), timed(b, row)));
    }
    for row in 0..a.len() {
        if a.position(row) != b.position(row) {
            return Some(format!("position of sample {row}: {:?} {:?}", a.position(row), b.position(row)));
        }
        // FIT counts centimetres; only FR70s resolve sixteenths of a metre.
        let centimetres = |track: &Track| track.distance(row).map(|metres| (metres * 100.0).round());
        if centimetres(a) != centimetres(b) {
            return Some(format!("distance of sample {row}: {:?} {:?}", a.distance(row), b.distance(row)));
        }
    }
    for &channel in Channel::ALL {
        if let Some(row) = (0..a.len()).find(|&row| a.get(row, channel) != b.get(row, channel)) {
            return Some(format!("{} of {row}: {:?} {:?}", channel.name(), a.get(row, channel), b.get(row, channel)));
        }
    }
    let columns = |track: &Track| -> Vec<_> { track.extra().iter().filter(|c| c.count() > 0).cloned().collect() };
    let (a, b) = (columns(a), columns(b));
    if a.len() != b.len() {
        return Some(format!("{} extra channels, {} after", a.len(), b.len()));
    }
    for a in a {
        let Some(b) = b.iter().find(|b| b.key == a.key) else { return Some(format!("no {:?}", a.key)) };
        let rows = a.present().count().max(b.present().count());
        if rows > 0 && !a.present().eq(b.present()) {
            let first = a.present().zip(b.present()).find(|(a, b)| a != b);
            return Some(format!("extra {:?}: {first:?}", a.key.name));
        }
    }
    None
}

/// Takes over the averages, extremes and positions that the writer filled in, when they are those of the span's samples.
fn fill(totals: &mut Totals, other: &Totals, track: &Track, span: (i64, i64), next: Option<i64>) -> [(f64, f64); 2] {
    let until = next.filter(|next| *next <= span.1).map_or(span.1, |next| next - 1);
    let rows: Vec<usize> = (0..track.len()).filter(|row| (span.0..=until).contains(&track.times()[*row])).collect();
    let values = |channel| rows.iter().filter_map(move |row| track.get(*row, channel)).map(f64::from);
    let mean = |channel| values(channel).sum::<f64>() / values(channel).count() as f64;
    let most = |channel| values(channel).fold(f64::NAN, f64::max);
    let near = |own: &mut Option<f64>, other: Option<f64>, expected: f64, grid: f64| {
        *own = own.or(other.filter(|value| (value - expected).abs() <= grid * 0.51));
    };
    near(&mut totals.avg_heart_rate, other.avg_heart_rate, mean(Channel::HeartRate), 1.0);
    near(&mut totals.max_heart_rate, other.max_heart_rate, most(Channel::HeartRate), 1.0);
    near(&mut totals.avg_cadence, other.avg_cadence, mean(Channel::Cadence), 1.0 / 128.0);
    near(&mut totals.max_cadence, other.max_cadence, most(Channel::Cadence), 1.0 / 128.0);
    near(&mut totals.avg_power, other.avg_power, mean(Channel::Power), 1.0);
    near(&mut totals.max_power, other.max_power, most(Channel::Power), 1.0);
    near(&mut totals.max_speed, other.max_speed, most(Channel::Speed), 0.001);
    let distances: Vec<f64> = rows.iter().filter_map(|row| track.distance(*row)).collect();
    let before = rows.first().and_then(|row| (0..*row).rev().find_map(|row| track.distance(row)));
    if let (Some(first), Some(last)) = (distances.first(), distances.last()) {
        near(&mut totals.distance_m, other.distance_m, last - before.unwrap_or(*first), 0.02);
    }
    if let (Some(distance), Some(timer)) = (totals.distance_m, totals.timer_s) {
        near(&mut totals.avg_speed, other.avg_speed, distance / timer, 0.001);
    }
    let mut positions = rows.iter().filter_map(|row| track.position(*row));
    let first = positions.next().unwrap_or_default();
    [first, positions.next_back().unwrap_or(first)]
}

/// What FIT needs and the source did not say is filled in by the writer.
fn with_defaults(mut session: Session, other: &Session, of: &Activity, next: Option<i64>) -> Session {
    let totals = &mut session.totals;
    if totals.timer_s > totals.elapsed_s && totals.elapsed_s.is_some() {
        // FIT wants the larger one as elapsed time.
        std::mem::swap(&mut totals.timer_s, &mut totals.elapsed_s);
        session.end = session.start + (totals.elapsed_s.unwrap() * 1000.0).round() as i64;
    }
    session.sub_sport = session.sub_sport.or(Some(SubSport::GENERIC));
    session.first_lap = other.first_lap;
    session.laps = other.laps;
    session.totals.elapsed_s = session.totals.elapsed_s.or(other.totals.elapsed_s);
    session.totals.timer_s = session.totals.timer_s.or(other.totals.timer_s);
    let [first, _] = fill(&mut session.totals, &other.totals, &of.track, (session.start, session.end), next);
    session.start_position = session.start_position.or(other.start_position.filter(|position| *position == first));
    if of.sessions.len() == 1 {
        let climb = |own: &mut Option<f64>, other: Option<f64>, computed: Option<f64>| {
            *own = own.or(other.filter(|metres| computed.is_some_and(|computed| (metres - computed).abs() < 0.01)));
        };
        climb(&mut session.totals.ascent_m, other.totals.ascent_m, of.computed.ascent_m);
        climb(&mut session.totals.descent_m, other.totals.descent_m, of.computed.descent_m);
    }
    session
}

fn lap_with_defaults(mut lap: Lap, other: &Lap, of: &Activity, next: Option<i64>) -> Lap {
    let crooked = |totals: &Totals| totals.elapsed_s.is_some() && totals.timer_s > totals.elapsed_s;
    if crooked(&lap.totals) && of.sessions.iter().any(|session| crooked(&session.totals)) {
        // As in its session.
        let totals = &mut lap.totals;
        std::mem::swap(&mut totals.timer_s, &mut totals.elapsed_s);
        lap.end = lap.start + (totals.elapsed_s.unwrap() * 1000.0).round() as i64;
    }
    lap.totals.elapsed_s = lap.totals.elapsed_s.or(other.totals.elapsed_s);
    lap.totals.timer_s = lap.totals.timer_s.or(other.totals.timer_s);
    let [first, last] = fill(&mut lap.totals, &other.totals, &of.track, (lap.start, lap.end), next);
    lap.start_position = lap.start_position.or(other.start_position.filter(|position| *position == first));
    lap.end_position = lap.end_position.or(other.end_position.filter(|position| *position == last));
    lap
}

fn list_difference<T: PartialEq + std::fmt::Debug>(name: &str, a: &[T], b: &[T]) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("{} {name}, {} after", a.len(), b.len()));
    }
    let (a, b) = a.iter().zip(b).find(|(a, b)| a != b)?;
    Some(format!("{name}:\n  {a:?}\n  {b:?}"))
}

/// Everything that came back different.
pub fn differences(a: &Activity, b: &Activity) -> Vec<String> {
    let mut found: Vec<String> = track_difference(&a.track, &b.track).into_iter().collect();
    if a.laps.is_empty() {
        found.extend((b.laps.is_empty()).then(|| "no lap was derived".to_owned()));
    } else {
        let next = a.laps.iter().skip(1).map(|lap| Some(lap.start)).chain([None]);
        let laps: Vec<Lap> = (a.laps.iter().zip(&b.laps).zip(next))
            .map(|((lap, other), next)| lap_with_defaults(lap.clone(), other, a, next))
            .collect();
        found.extend((a.laps.len() != b.laps.len()).then(|| format!("{} laps, {} after", a.laps.len(), b.laps.len())));
        found.extend(list_difference("laps", &laps, &b.laps[..laps.len()]));
    }
    if a.sessions.is_empty() {
        found.extend((b.sessions.len() != 1).then(|| "not one derived session".to_owned()));
    } else {
        let next = a.sessions.iter().skip(1).map(|session| Some(session.start)).chain([None]);
        let sessions: Vec<Session> = (a.sessions.iter().zip(&b.sessions).zip(next))
            .map(|((session, other), next)| with_defaults(session.clone(), other, a, next))
            .collect();
        found.extend(list_difference("sessions", &sessions, &b.sessions));
    }
    found.extend(list_difference("lengths", &a.lengths, &b.lengths));
    found.extend(list_difference("sets", &a.sets, &b.sets));
    found.extend(list_difference("pauses", &a.pauses, &b.pauses));
    found.extend(list_difference("intervals", &a.rr, &b.rr));
    found.extend(list_difference("events", &a.events, &b.events));
    found.extend(list_difference("splits", &a.splits, &b.splits));
    let devices = |activity: &Activity| -> Vec<Device> {
        let plain =
            |device: &Device| Device { index: None, product_id: device.product_id.or(Some(0)), ..device.clone() };
        activity.devices.iter().map(plain).collect()
    };
    found.extend(list_difference("devices", &devices(a), &devices(b)));
    let mut rest = |what: &str, same: bool, a: &dyn std::fmt::Debug, b: &dyn std::fmt::Debug| {
        found.extend((!same).then(|| format!("{what}: {a:?} {b:?}")));
    };
    let sport = |r: &Recording| (r.sport, r.sub_sport.unwrap_or_default());
    rest("sport", sport(a) == sport(b), &sport(a), &sport(b));
    rest("name", a.name == b.name, &a.name, &b.name);
    rest("description", a.description == b.description, &a.description, &b.description);
    for (what, x, y) in [("gear", &a.gear, &b.gear), ("creator", &a.creator, &b.creator), ("day", &a.day, &b.day)] {
        rest(what, x == y, x, y);
    }
    rest("sport label", a.sport_label == b.sport_label, &a.sport_label, &b.sport_label);
    rest("platform ids", a.platform_ids == b.platform_ids, &a.platform_ids, &b.platform_ids);
    rest("zones", a.zones == b.zones, &a.zones, &b.zones);
    rest("athlete", a.athlete == b.athlete, &a.athlete, &b.athlete);
    rest("created", a.created == b.created || a.created.is_none(), &a.created, &b.created);
    rest("offset", a.offset_s == b.offset_s || a.evidence.name() != "stated", &a.offset_s, &b.offset_s);
    found
}

/// Notes on what a reader of ours gets back although FIT itself cannot say it, on the sixteenths of a metre that FR70s
/// resolve, and on what the source does not know.
const KEPT: [&str; 6] =
    ["loss.timer", "loss.subsecond", "loss.untimed", "loss.time", "loss.rounded", "fit.no_local_time"];

#[test]
fn every_real_fit_file_comes_back_equal() {
    let Some(corpus) = expect::corpus() else { return };
    let (mut met, mut wrong, mut broken_totals) = (0, Vec::new(), 0);
    for path in expect::load(&corpus, Some("fit")).keys() {
        let bytes = std::fs::read(corpus.join(path)).unwrap();
        for (index, activity) in read(&bytes).iter().enumerate() {
            met += 1;
            let (written, notes) = write(activity);
            let rules = fit_validate::check(&written);
            broken_totals += usize::from(!rules.totals.is_empty());
            let mut found: Vec<String> = rules.form;
            let again = read(&written);
            match &again[..] {
                [again] => {
                    found.extend(differences(activity, again));
                    let twice = write(again).0;
                    if twice != written {
                        found.push("written again it is not the same file".into());
                    }
                }
                _ => found.push(format!("read back as {} activities", again.len())),
            }
            let lost = notes.iter().filter(|note| !KEPT.contains(&&*note.code));
            found.extend(lost.map(|note| format!("{} {}", note.code, note.detail)));
            if !found.is_empty() {
                wrong.push(format!("{path} {index}: {found:#?}"));
            }
        }
    }
    eprintln!("{met} activities, {broken_totals} with contradicting laps and sessions");
    assert!(met > 50, "met only {met} activities");
    assert!(wrong.is_empty(), "{} of {met}\n{}", wrong.len(), wrong.join("\n"));
}
