//! What an activity says of itself: totals, sport, identity. SIMPLIFY is more precise than the top level (huawei.md section 2).

use super::sports;
use crate::error::Place;
use crate::json::Value;
use crate::model::{Draft, Sport, Totals};
use crate::report::Code;

const SPORT: Code = Code::warning("huawei.sport");

/// Fills everything that is neither a sample nor a part.
pub(super) fn describe(top: &Value, simplify: &Value, start: Option<i64>, end: Option<i64>, draft: &mut Draft) {
    sport(top, simplify, draft);
    let recording = &mut draft.recording;
    recording.stated_start = start;
    recording.stated = totals(top, simplify);
    if let (Some(start), Some(end)) = (start, end)
        && end > start
    {
        recording.stated.elapsed_s = Some((end - start) as f64 / 1000.0);
    }
    recording.creator = Some("Huawei Health".to_owned());
    let id = top["recordId"].str().map(str::trim).filter(|id| !id.is_empty());
    recording.platform_ids.extend(id.map(|id| ("huawei".to_owned(), id.to_owned())));
}

/// The cloud's code at the top level, else the local one in SIMPLIFY, each by its own table. "Other" gives way to a better one.
fn sport(top: &Value, simplify: &Value, draft: &mut Draft) {
    let (cloud, local) = (top["sportType"].i64(), simplify["sportType"].i64());
    let known = [cloud.and_then(sports::cloud), local.and_then(sports::local)];
    let best = known.iter().flatten().find(|known| known.sport != Sport::GENERIC).or(known.iter().flatten().next());
    let recording = &mut draft.recording;
    if let Some(known) = best {
        (recording.sport, recording.sub_sport) = (known.sport, known.sub_sport);
        recording.sport_label = known.words.map(str::to_owned);
    } else if let Some(code) = cloud.or(local) {
        recording.sport_label = Some(format!("Huawei sport {code}"));
        draft.notes.add(SPORT, Place::NOWHERE, || format!("sport code {code} is not known"));
    }
}

/// Totals as stated. The app writes 0 for what it did not measure.
fn totals(top: &Value, simplify: &Value) -> Totals {
    let own = |key: &str| simplify[key].f64().filter(|value| *value > 0.0);
    let any = |key: &str| own(key).or_else(|| top[key].f64().filter(|value| *value > 0.0));
    let pace = |key: &str| own(key).map(|seconds| 1000.0 / seconds);
    let extended = |key: &str| simplify["mExtendTrackDataMap"][key].f64().filter(|value| *value > 0.0);
    // Heights may be below 0; "not measured" is 0 or one of the extremes of a Java float.
    let height = |key: &str| simplify[key].f64().filter(|metres| metres.abs() > 1e-3 && metres.abs() < 20_000.0);
    Totals {
        timer_s: any("totalTime").map(|ms| ms / 1000.0),
        distance_m: any("totalDistance"),
        calories_kcal: any("totalCalories").map(|calories| calories / 1000.0),
        steps: any("totalSteps"),
        avg_speed: pace("avgPace"),
        max_speed: pace("bestPace"),
        avg_heart_rate: own("avgHeartRate"),
        max_heart_rate: own("maxHeartRate"),
        min_heart_rate: own("minHeartRate"),
        // Steps of both feet.
        avg_cadence: own("avgStepRate").map(|steps| steps / 2.0).or_else(|| extended("crossTrainerCadence")),
        max_cadence: own("bestStepRate").map(|steps| steps / 2.0),
        ascent_m: own("creepingWave"),
        descent_m: own("mTotalDescent"),
        max_altitude: height("mMaxAlti"),
        min_altitude: height("mMinAlti"),
        cycles: extended("skipNum"),
        ..Totals::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::limits::Limits;
    use crate::model::SubSport;

    fn value(text: &str) -> Value {
        Json::new(text.as_bytes(), &Limits::default()).value().unwrap()
    }

    fn described(top: &str, simplify: &str) -> Draft {
        let mut draft = Draft::new();
        describe(&value(top), &value(simplify), Some(1000), Some(61_000), &mut draft);
        draft
    }

    #[test]
    fn the_better_summary_wins_and_zeros_say_nothing() {
        let top =
            r#"{"sportType":4,"totalTime":1680000,"totalDistance":5280,"totalCalories":342000,"totalSteps":4870}"#;
        let simplify = r#"{"totalDistance":5283,"avgPace":318.0,"bestPace":0,"avgHeartRate":151,"minHeartRate":0,
            "avgStepRate":170,"creepingWave":44.0,"mMaxAlti":1.4E-45,"mMinAlti":3.4028235E38,"mExtendTrackDataMap":{"skipNum":"77"}}"#;
        let stated = described(top, simplify).recording.stated;
        assert_eq!((stated.timer_s, stated.elapsed_s, stated.distance_m), (Some(1680.0), Some(60.0), Some(5283.0)));
        assert_eq!((stated.calories_kcal, stated.steps, stated.ascent_m), (Some(342.0), Some(4870.0), Some(44.0)));
        assert_eq!((stated.avg_speed, stated.max_speed), (Some(1000.0 / 318.0), None));
        assert_eq!((stated.avg_heart_rate, stated.min_heart_rate, stated.avg_cadence), (Some(151.0), None, Some(85.0)));
        assert_eq!(
            (stated.max_altitude.map(|m| m > 0.1), stated.min_altitude, stated.cycles),
            (None, None, Some(77.0))
        );
    }

    #[test]
    fn sports_come_from_the_table_of_their_place() {
        let sport = |top: &str, simplify: &str| {
            let recording = described(top, simplify).recording;
            (recording.sport, recording.sub_sport, recording.sport_label)
        };
        assert_eq!(sport(r#"{"sportType":5}"#, r#"{"sportType":257}"#), (Sport::WALKING, None, None));
        assert_eq!(sport(r#"{}"#, r#"{"sportType":264}"#), (Sport::RUNNING, Some(SubSport(1)), None));
        assert_eq!(sport(r#"{"sportType":117}"#, r#"{"sportType":140}"#).1, Some(SubSport(20)));
        assert_eq!(sport(r#"{"sportType":117}"#, r#"{"sportType":279}"#), (Sport::GENERIC, None, Some("other".into())));
        assert_eq!(sport(r#"{"sportType":286}"#, "{}"), (Sport::GENERIC, None, Some("Huawei sport 286".into())));
        assert!(described(r#"{"sportType":286}"#, "{}").notes.get("huawei.sport").is_some());
    }
}
