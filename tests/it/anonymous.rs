//! `--anonymize`: nothing that somebody typed, and no number that tells a person or a device, is in what is written.

use std::fs;
use std::path::Path;

use super::cli_history::done;

/// Anna wherever a GPX file takes text, and numbers that are hers.
const GPX: &str = r#"<?xml version="1.0"?>
<gpx version="1.1" creator="Edge of Anna" xmlns="http://www.topografix.com/GPX/1/1">
<metadata><name>Anna's</name><desc>by Anna</desc><author><name>Anna</name><email id="anna" domain="example.org"/></author>
<link href="https://example.org/Anna"><text>Anna</text></link><keywords>Anna</keywords></metadata>
<wpt lat="47.5" lon="8.5"><name>Anna's home</name><cmt>Anna</cmt><desc>Anna</desc><sym>Anna</sym></wpt>
<trk><name>Anna's run</name><cmt>Anna</cmt><desc>with Anna</desc><src>Anna's iPhone</src>
<link href="https://www.strava.com/activities/998877665"><text>Anna</text></link><type>Anna's sport</type>
<trkseg>
<trkpt lat="47.0" lon="8.0"><ele>400</ele><time>2024-05-01T07:12:00Z</time><name>Anna</name></trkpt>
<trkpt lat="47.001" lon="8.0"><ele>401</ele><time>2024-05-01T07:12:30Z</time><desc>Anna</desc></trkpt>
<trkpt lat="47.002" lon="8.0"><ele>402</ele><time>2024-05-01T07:13:00Z</time></trkpt>
</trkseg></trk></gpx>"#;

/// The same for TCX.
const TCX: &str = r#"<?xml version="1.0"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<Activities><Activity Sport="Running"><Id>2024-05-01T07:12:00Z</Id>
<Lap StartTime="2024-05-01T07:12:00Z"><TotalTimeSeconds>60</TotalTimeSeconds><DistanceMeters>200</DistanceMeters>
<Calories>10</Calories><Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod><Track>
<Trackpoint><Time>2024-05-01T07:12:00Z</Time><HeartRateBpm><Value>120</Value></HeartRateBpm></Trackpoint>
<Trackpoint><Time>2024-05-01T07:12:30Z</Time><HeartRateBpm><Value>130</Value></HeartRateBpm></Trackpoint>
<Trackpoint><Time>2024-05-01T07:13:00Z</Time><HeartRateBpm><Value>140</Value></HeartRateBpm></Trackpoint>
</Track><Notes>Anna was faster</Notes></Lap><Notes>with Anna</Notes>
<Training VirtualPartner="false"><Plan Type="Workout" IntervalWorkout="false"><Name>Anna's plan</Name></Plan></Training>
<Creator xsi:type="Device_t"><Name>Anna's iPhone</Name><UnitId>998877665</UnitId><ProductID>0</ProductID></Creator>
</Activity></Activities>
<Author xsi:type="Application_t"><Name>Anna's tracker</Name><PartNumber>998877665</PartNumber></Author>
</TrainingCenterDatabase>"#;

/// Where the bytes of a file tell of her.
fn told(file: &Path) -> Option<String> {
    let bytes = fs::read(file).unwrap();
    // FIT keeps serial numbers as numbers.
    if bytes.windows(4).any(|number| number == 998_877_665_u32.to_le_bytes()) {
        return Some("the serial number".to_owned());
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let at = text.find("Anna").or_else(|| text.find("anna")).or_else(|| text.find("998877665"))?;
    Some(
        text[..at]
            .chars()
            .rev()
            .take(60)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .chain(text[at..].chars().take(40))
            .collect(),
    )
}

#[test]
fn nothing_that_was_typed_is_in_an_anonymous_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("Anna.gpx"), GPX).unwrap();
    fs::write(here.join("Anna.tcx"), TCX).unwrap();
    let mut sources = vec!["Anna.gpx".to_owned(), "Anna.tcx".to_owned()];
    // What other formats make of it is read and made anonymous too: FIT carries it in fields of its own.
    for from in ["Anna.gpx", "Anna.tcx"] {
        for to in ["fit", "gpx", "tcx"] {
            let name = format!("full-{from}.{to}");
            done(here, &["convert", from, "--to", to, "--out", &name, "-q"]);
            assert!(told(&here.join(&name)).is_some(), "{name} tells nothing that could be hidden");
            sources.push(name);
        }
    }
    let mut met = 0;
    for source in &sources {
        for to in ["fit", "gpx", "tcx", "csv", "json"] {
            for how in ["--anonymize", "--anonymize=keep-track"] {
                let out = format!("out{how}-{source}.{to}");
                done(here, &["convert", source, "--to", to, "--out", &out, "-q", how]);
                assert_eq!(told(&here.join(&out)), None, "{out}");
                met += 1;
            }
        }
    }
    assert_eq!(met, 80);
    // Nor in the names that the program chooses, merged or not.
    for merged in [&[][..], &["--merge"]] {
        let out = format!("folder{}", merged.len());
        let arguments =
            ["convert", "Anna.gpx", "Anna.tcx", "--to", "gpx", "--out", &out, "-q", "--anonymize=keep-track"];
        done(here, &[&arguments[..], merged].concat());
        let names: Vec<_> = super::cli::tree(&here.join(&out)).into_iter().map(|(path, _)| path).collect();
        assert!(
            !names.is_empty() && names.iter().all(|name| name.to_str().unwrap().starts_with("2024-05-01")),
            "{names:?}"
        );
    }
}
