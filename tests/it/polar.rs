//! Polar folders through the whole way: files that belong together become one activity at its true time.

use serde_json::Value;

use super::cli::{lines, paceport};
use super::fixtures;

fn inspect(folder: &str) -> (Vec<Value>, Vec<Value>) {
    let output = paceport(&fixtures::root().join("polar").join(folder), &["inspect", ".", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all = lines(&output);
    let of = |kind: &str| all.iter().filter(|line| line["kind"] == kind).cloned().collect::<Vec<_>>();
    (of("activity"), of("source"))
}

#[test]
fn a_websync_folder_comes_out_at_its_true_time() {
    let (activities, sources) = inspect("websync");
    assert_eq!(sources.len(), 6);
    assert!(sources.iter().all(|source| source["outcome"] == "read"), "{sources:#?}");
    let find = |start: &str| {
        activities.iter().find(|a| a["start"] == start).unwrap_or_else(|| panic!("{start}: {activities:#?}"))
    };
    assert_eq!(activities.len(), 3);
    // Winter time of Freising is an hour ahead of UTC.
    let morning = find("2012-01-06T04:57:01Z");
    assert_eq!(
        (&morning["local_offset_s"], &morning["local_evidence"], &morning["time_shift_s"]),
        (&3600.into(), &"position".into(), &(-3600.0).into())
    );
    assert_eq!((&morning["samples"], &morning["positions"], &morning["laps"]), (&120.into(), &120.into(), &1.into()));
    assert_eq!(morning["channels"]["heart_rate"]["count"], 120);
    assert_eq!(
        (&morning["sport"], &morning["name"], &morning["description"]),
        (&"running".into(), &"Frühlauf".into(), &"Läufe im Schnee".into())
    );
    // The second row is the first point; the rows after the pause go on five minutes later.
    let evening = find("2012-01-06T16:10:00Z");
    assert_eq!((&evening["samples"], &evening["positions"], &evening["pauses"]), (&60.into(), &59.into(), &1.into()));
    assert_eq!((&evening["sport"], &evening["end"]), (&"cycling".into(), &"2012-01-06T16:19:55Z".into()));
}

#[test]
fn the_second_watch_of_an_evening_is_a_neighbour_not_a_part() {
    let (activities, _) = inspect("websync");
    let spinning = activities.iter().find(|a| a["description"] == "Spinning").unwrap();
    assert_eq!((&spinning["samples"], &spinning["positions"]), (&60.into(), &0.into()));
}

#[test]
fn true_utc_beside_a_wall_clock_is_not_moved() {
    let (activities, _) = inspect("bipolar");
    let [run] = &activities[..] else { panic!("{activities:#?}") };
    assert_eq!(
        (&run["start"], &run["local_offset_s"], &run["time_shift_s"]),
        (&"2014-07-12T21:26:23Z".into(), &36_000.into(), &0.0.into())
    );
    assert_eq!((&run["samples"], &run["positions"], &run["rr_intervals"]), (&91.into(), &90.into(), &160.into()));
}
