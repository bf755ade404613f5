//! What a conversion by the program keeps: inputs with everything that other converters lose (laps, pauses, 0 W, records
//! without positions, legs, beat-to-beat intervals), seen by `inspect` and in the text that other programs read.

use std::fs;

use serde_json::Value;

use crate::cli::{lines, paceport};
use crate::expect;

/// What `inspect` says of the only activity of a file.
fn inspected(folder: &std::path::Path, file: &str) -> Value {
    let output = paceport(folder, &["inspect", "--json", file]);
    let mut found: Vec<Value> = lines(&output).into_iter().filter(|line| line["kind"] == "activity").collect();
    assert_eq!(found.len(), 1, "{file}");
    found.remove(0)
}

#[test]
fn conversions_keep_what_the_target_can_hold() {
    let Some(corpus) = expect::corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (source, laps, pauses) in [
        ("fit/lxj_Ride_on_14_6_2026.fit", 16, 31),
        ("fit/tormoder_garmin.fit", 2, 34),
        ("fit/runalyze_multisport-triathlon-fenix3.fit", 37, 1),
    ] {
        let source = corpus.join(source);
        let source = source.to_str().unwrap();
        let before = inspected(folder.path(), source);
        assert_eq!((&before["laps"], &before["pauses"]), (&laps.into(), &pauses.into()), "{source}");
        for format in ["gpx", "tcx", "fit"] {
            let name = format!("out.{format}");
            let output = paceport(folder.path(), &["convert", source, "--to", format, "--out", &name, "--force"]);
            assert_eq!(output.status.code(), Some(0), "{source}: {}", String::from_utf8_lossy(&output.stderr));
            let after = inspected(folder.path(), &name);
            let kept = "start end sport sub_sport samples positions laps sessions lengths sets pauses rr_intervals";
            for key in kept.split(' ').chain(["channels", "stated"]) {
                assert_eq!(after[key], before[key], "{source} as {format}: {key}");
            }
            if format == "fit" {
                continue;
            }
            let text = fs::read_to_string(folder.path().join(&name)).unwrap();
            let (heart_rate, power, lap) = match format {
                "gpx" => ("<gpxtpx:hr>", "<gpxpx:PowerInWatts>", "<pp:lap "),
                _ => ("<HeartRateBpm>", "<ns3:Watts>", "<Lap "),
            };
            let count = |what: &str| text.matches(what).count() as u64;
            // A lap between two sports is a `Transition` in TCX.
            assert_eq!(count(lap) + count("<Transition "), laps, "{source} as {format}");
            // In GPX a sample without position can only stand in our own namespace.
            let all = |channel: &str| before["channels"][channel]["count"].as_u64().unwrap_or(0);
            let without = before["samples"].as_u64().unwrap() - before["positions"].as_u64().unwrap();
            for (element, channel) in [(heart_rate, "heart_rate"), (power, "power")] {
                let least = if format == "gpx" { all(channel).saturating_sub(without) } else { all(channel) };
                assert!((least..=all(channel)).contains(&count(element)), "{source} as {format}: {channel}");
            }
            if all("power") > 0 {
                assert!(text.contains(&format!("{power}0</")), "{source} as {format}: 0 W stays");
            }
        }
    }
}
