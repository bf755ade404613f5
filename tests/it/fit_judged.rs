//! Files for judges outside of this crate: every activity that the bundled fixtures and the corpus hold, written as FIT.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use paceport::fix::{SettleOptions, settle};
use paceport::formats::read_bytes;
use paceport::limits::Limits;
use paceport::model::{Activity, Channel, Totals};
use serde_json::{Value, json};

use super::{expect, fit_roundtrip, fit_validate, fixtures};

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// Every activity of the bundled fixtures and of the corpus, whatever its format, with a name made of its path.
pub fn activities() -> impl Iterator<Item = (String, Activity)> {
    let mut paths = Vec::new();
    let roots: Vec<PathBuf> = [Some(fixtures::root()), expect::corpus()].into_iter().flatten().collect();
    roots.iter().for_each(|root| files(root, &mut paths));
    paths.sort();
    paths.into_iter().flat_map(move |path| {
        let relative = roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap();
        let name = relative.to_string_lossy().replace(['/', ' '], "_");
        let drafts = std::fs::read(&path)
            .ok()
            .and_then(|bytes| read_bytes(&bytes, &Limits::default()).ok())
            .map_or_else(Vec::new, |(_, reading)| reading.drafts);
        drafts
            .into_iter()
            .enumerate()
            .map(move |(index, draft)| (format!("{name}.{index}"), settle(draft, &SettleOptions::default())))
    })
}

fn expected(bytes: &[u8], activity: &Activity) -> Value {
    let messages = fit_validate::parse(bytes).unwrap();
    let count = |global| messages.iter().filter(|m| m.global == global).count();
    let track = &activity.track;
    let times: Vec<i64> = messages.iter().filter(|m| m.global == 20).map(|m| m.number(253).unwrap()).collect();
    json!({
        "records": track.len(),
        "laps": count(19),
        "sessions": count(18),
        "times": times.first().zip(times.last()),
        "heart_rates": track.column(Channel::HeartRate).map_or(0, |column| column.count()),
        "positions": track.positions().count(),
    })
}

/// `PACEPORT_JUDGES=FOLDER cargo test files_for_the_judges`, then `tests/judges/run.sh FOLDER`.
#[test]
fn files_for_the_judges() {
    let Some(folder) = std::env::var_os("PACEPORT_JUDGES").map(PathBuf::from) else {
        eprintln!("skipped: PACEPORT_JUDGES names no folder");
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let mut list = BTreeMap::new();
    for (name, activity) in activities() {
        let (bytes, _) = fit_roundtrip::write(&activity);
        let name = format!("{name}.fit");
        std::fs::write(folder.join(&name), &bytes).unwrap();
        list.insert(name, expected(&bytes, &activity));
    }
    assert!(list.len() >= 10, "wrote only {} files", list.len());
    std::fs::write(folder.join("expected.json"), serde_json::to_vec(&list).unwrap()).unwrap();
}

/// True when the laps and sessions that the source states agree with each other and with the samples. Then, or when it states
/// none, the written file has to keep every rule; contradictions of the source are kept as they are.
fn agrees(activity: &Activity) -> bool {
    const SECOND: i64 = 1000;
    let near = |a: i64, b: i64| (a - b).abs() <= SECOND;
    let Some((mut start, mut end)) = activity.span() else { return true };
    let ms = |seconds: f64| (seconds * 1000.0) as i64;
    for session in &activity.sessions {
        let laps = activity.laps.iter().filter(|lap| lap.start >= session.start && lap.start < session.end);
        let (elapsed, timer) = (session.totals.elapsed_s, session.totals.timer_s);
        let sum = |get: fn(&Totals) -> Option<f64>| laps.clone().map(|lap| get(&lap.totals)).sum::<Option<f64>>();
        let sums = [(elapsed, sum(|t| t.elapsed_s)), (timer, sum(|t| t.timer_s))];
        let some = laps.clone().next().is_some();
        if some && sums.iter().any(|(whole, parts)| whole.zip(*parts).is_some_and(|(w, p)| !near(ms(w), ms(p)))) {
            return false;
        }
        if some && timer.is_some() != sums[1].1.is_some() {
            return false;
        }
    }
    let mut spans: Vec<(i64, i64)> = activity.sessions.iter().map(|session| (session.start, session.end)).collect();
    if spans.windows(2).any(|pair| !near(pair[0].1, pair[1].0)) {
        return false;
    }
    if let (Some(first), Some(last)) = (spans.first(), spans.last()) {
        let times = activity.track.times();
        if times.first().is_some_and(|t| *t < first.0) || times.last().is_some_and(|t| *t > last.1) {
            return false;
        }
        (start, end) = (first.0, last.1);
    }
    spans = activity.laps.iter().map(|lap| (lap.start, lap.end)).collect();
    let tiled = spans.windows(2).all(|pair| near(pair[0].1, pair[1].0));
    let covered = spans.first().zip(spans.last()).is_none_or(|(first, last)| near(first.0, start) && near(last.1, end));
    let elapsed: i64 = spans.iter().map(|(start, end)| end - start).sum();
    let timers =
        activity.laps.iter().all(|lap| lap.totals.timer_s.is_none_or(|timer| ms(timer) <= lap.end - lap.start));
    tiled && covered && (spans.is_empty() || near(elapsed, end - start)) && timers
}

/// Every activity of every format becomes a FIT file that keeps the rules, and that `fitparser` reads alike.
#[test]
fn every_activity_of_every_format_becomes_an_accepted_fit_file() {
    let (mut met, mut agreeing, mut wrong) = (0, 0, Vec::new());
    for (name, activity) in activities() {
        met += 1;
        let (bytes, _) = fit_roundtrip::write(&activity);
        let rules = fit_validate::check(&bytes);
        let mut found = rules.form;
        if agrees(&activity) {
            agreeing += 1;
            found.extend(rules.totals);
        }
        match fitparser::from_bytes(&bytes) {
            Ok(messages) => {
                let records = messages.iter().filter(|m| m.kind() == fitparser::profile::MesgNum::Record).count();
                if records != activity.track.len() {
                    found.push(format!("fitparser reads {records} records of {}", activity.track.len()));
                }
            }
            Err(error) => found.push(format!("fitparser: {error}")),
        }
        if !found.is_empty() {
            wrong.push(format!("{name}: {found:#?}"));
        }
    }
    eprintln!("{met} activities, laps and sessions of {agreeing} agree");
    assert!(met >= 10 && agreeing * 3 >= met * 2, "{agreeing} of {met}");
    assert!(wrong.is_empty(), "{} of {met}\n{}", wrong.len(), wrong.join("\n"));
}
