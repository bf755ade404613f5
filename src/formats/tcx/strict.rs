//! A strict reader of TCX v2, for the second opinion on what we wrote: unlike the reader of people's files it shares no
//! code with the writer's counterpart and accepts nothing that the schema forbids (element order, required elements,
//! whole numbers in their ranges).

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::model::time;

/// What a strict reading found.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Number of `Activity` elements.
    pub activities: usize,
    /// Number of `Lap` elements (without transitions).
    pub laps: usize,
    /// Every trackpoint in file order.
    pub points: Vec<Point>,
}

/// One trackpoint.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Milliseconds since the Unix epoch, UTC.
    pub time: i64,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub altitude: Option<f64>,
    pub heart_rate: Option<u8>,
}

/// Element and its children in the order of the schema; the mark says how often: `1`, `?`, `*` or `+`.
static GRAMMAR: &[(&str, &str)] = &[
    ("", "1TrainingCenterDatabase"),
    ("TrainingCenterDatabase", "?Folders ?Activities ?Workouts ?Courses ?Author ?Extensions"),
    ("Activities", "*Activity *MultiSportSession"),
    ("MultiSportSession", "1Id 1FirstSport *NextSport ?Notes"),
    ("FirstSport", "1Activity"),
    ("NextSport", "?Transition 1Activity"),
    ("Activity", "1Id +Lap ?Notes ?Training ?Creator ?Extensions"),
    ("Lap", LAP),
    ("Transition", LAP),
    ("Track", "+Trackpoint"),
    ("Trackpoint", "1Time ?Position ?AltitudeMeters ?DistanceMeters ?HeartRateBpm ?Cadence ?SensorState ?Extensions"),
    ("Position", "1LatitudeDegrees 1LongitudeDegrees"),
    ("HeartRateBpm", "1Value"),
    ("AverageHeartRateBpm", "1Value"),
    ("MaximumHeartRateBpm", "1Value"),
    ("Creator", "1Name 1UnitId 1ProductID 1Version"),
    ("Version", "1VersionMajor 1VersionMinor ?BuildMajor ?BuildMinor"),
    ("ns3:TPX", "?ns3:Speed ?ns3:RunCadence ?ns3:Watts ?ns3:Extensions"),
    (
        "ns3:LX",
        "?ns3:AvgSpeed ?ns3:MaxBikeCadence ?ns3:AvgRunCadence ?ns3:MaxRunCadence ?ns3:Steps ?ns3:AvgWatts ?ns3:MaxWatts \
         ?ns3:Extensions",
    ),
];

const LAP: &str = "1TotalTimeSeconds 1DistanceMeters ?MaximumSpeed 1Calories ?AverageHeartRateBpm ?MaximumHeartRateBpm \
                   1Intensity ?Cadence 1TriggerMethod *Track ?Notes ?Extensions";

/// An open element: its name, its rule, how far into the rule it is, and whether the last child met the rule's mark.
struct Open {
    name: String,
    rule: Option<&'static str>,
    at: usize,
    met: bool,
}

impl Open {
    fn new(name: &str) -> Open {
        let rule = GRAMMAR.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule);
        Open { name: name.to_owned(), rule, at: 0, met: false }
    }

    /// Takes a child, or says what is wrong with it.
    fn child(&mut self, name: &str) -> Result<(), String> {
        let Some(rule) = self.rule else { return Ok(()) };
        for (i, entry) in rule.split_ascii_whitespace().enumerate().skip(self.at) {
            let (mark, known) = entry.split_at(1);
            let again = i == self.at && self.met;
            if known == name {
                if again && matches!(mark, "1" | "?") {
                    return Err(format!("{name} occurs twice in {}", self.name));
                }
                (self.at, self.met) = (i, true);
                return Ok(());
            }
            if matches!(mark, "1" | "+") && !again {
                return Err(format!("{known} is missing before {name} in {}", self.name));
            }
        }
        Err(format!("{name} is out of place in {}", self.name))
    }

    fn close(&self) -> Result<(), String> {
        let Some(rule) = self.rule else { return Ok(()) };
        let rest = rule.split_ascii_whitespace().enumerate().skip(self.at);
        let missing = rest
            .map(|(i, entry)| (i, entry.split_at(1)))
            .find(|(i, (mark, _))| matches!(*mark, "1" | "+") && !(*i == self.at && self.met));
        missing.map_or(Ok(()), |(_, (_, name))| Err(format!("{name} is missing in {}", self.name)))
    }
}

/// Reads a whole document; the first thing that is against the schema ends it.
pub(crate) fn read(bytes: &[u8]) -> Result<Found, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut found = Found::default();
    let mut stack = vec![Open::new("")];
    let mut content = String::new();
    loop {
        let event = reader.read_event().map_err(|e| format!("byte {}: {e}", reader.buffer_position()))?;
        let at = reader.buffer_position();
        let wrong = |what: String| format!("byte {at}: {what}");
        match event {
            Event::Start(tag) => {
                open(&mut stack, tag.name().as_ref(), &mut found).map_err(wrong)?;
                content.clear();
            }
            Event::Empty(tag) => {
                open(&mut stack, tag.name().as_ref(), &mut found).map_err(wrong)?;
                shut(&mut stack, "", &mut found).map_err(wrong)?;
            }
            Event::Text(part) => content.push_str(&part),
            Event::End(_) => shut(&mut stack, &content, &mut found).map_err(wrong)?,
            Event::Eof => break,
            _ => {}
        }
    }
    match stack.as_slice() {
        [document] => document.close().map(|()| found),
        _ => Err("the document ends early".to_owned()),
    }
}

fn open(stack: &mut Vec<Open>, name: &str, found: &mut Found) -> Result<(), String> {
    if let Some(parent) = stack.last_mut() {
        parent.child(name)?;
    }
    match name {
        "Activity" => found.activities += 1,
        "Lap" => found.laps += 1,
        "Trackpoint" => found.points.push(Point::default()),
        _ => {}
    }
    stack.push(Open::new(name));
    Ok(())
}

fn shut(stack: &mut Vec<Open>, content: &str, found: &mut Found) -> Result<(), String> {
    let Some(closed) = stack.pop() else { return Err("an element ends that never began".to_owned()) };
    closed.close()?;
    let parent = stack.last().map_or("", |open| open.name.as_str());
    value(parent, &closed.name, content, found.points.last_mut())
}

/// Checks the content of the elements that hold numbers and times, and keeps those of trackpoints.
fn value(parent: &str, name: &str, content: &str, point: Option<&mut Point>) -> Result<(), String> {
    let number = |low: f64, high: f64| -> Result<f64, String> {
        let plain = content.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
        let value = content.parse::<f64>().ok().filter(|v| plain && (low..=high).contains(v));
        value.ok_or_else(|| format!("{name} is {content:?}"))
    };
    let whole = |low: u64, high: u64| -> Result<u64, String> {
        let value = content.parse::<u64>().ok().filter(|v| (low..=high).contains(v));
        value.ok_or_else(|| format!("{name} is {content:?}, not a whole number from {low} to {high}"))
    };
    let instant =
        || time::parse(content.as_bytes()).map(|instant| instant.ms).ok_or_else(|| format!("{name} is {content:?}"));
    let mut unused = Point::default();
    let point = point.unwrap_or(&mut unused);
    match (parent, name) {
        ("Trackpoint", "Time") => point.time = instant()?,
        ("Position", "LatitudeDegrees") => point.lat = Some(number(-90.0, 90.0)?),
        ("Position", "LongitudeDegrees") => point.lon = Some(number(-180.0, 180.0)?),
        ("Trackpoint", "AltitudeMeters") => point.altitude = Some(number(f64::MIN, f64::MAX)?),
        ("HeartRateBpm", "Value") => point.heart_rate = Some(whole(1, 255)? as u8),
        (_, "Id") => _ = instant()?,
        (_, "Value") => _ = whole(1, 255)?,
        (_, "Cadence" | "ns3:RunCadence" | "ns3:MaxBikeCadence" | "ns3:AvgRunCadence" | "ns3:MaxRunCadence") => {
            _ = whole(0, 254)?;
        }
        (_, "Calories" | "ns3:Watts" | "ns3:Steps" | "ns3:AvgWatts" | "ns3:MaxWatts" | "ProductID") => {
            _ = whole(0, 65535)?;
        }
        (_, "TotalTimeSeconds" | "DistanceMeters" | "MaximumSpeed" | "ns3:Speed" | "ns3:AvgSpeed") => {
            _ = number(0.0, f64::MAX)?;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(lap: &str) -> String {
        format!(
            "<TrainingCenterDatabase><Activities><Activity><Id>2024-05-01T07:12:00.000Z</Id><Lap>{lap}</Lap></Activity>\
             </Activities></TrainingCenterDatabase>"
        )
    }

    const TOTALS: &str = "<TotalTimeSeconds>1</TotalTimeSeconds><DistanceMeters>0</DistanceMeters><Calories>0</Calories>\
                          <Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod>";

    fn point(inside: &str) -> String {
        document(&format!("{TOTALS}<Track><Trackpoint>{inside}</Trackpoint></Track>"))
    }

    #[test]
    fn reads_what_follows_the_schema() {
        let text = point("<Time>1970-01-01T00:00:07.000Z</Time><HeartRateBpm><Value>61</Value></HeartRateBpm>");
        let found = read(text.as_bytes()).unwrap();
        let expected = Point { time: 7000, heart_rate: Some(61), ..Point::default() };
        assert_eq!(found, Found { activities: 1, laps: 1, points: vec![expected] });
    }

    #[test]
    fn refuses_what_the_schema_forbids() {
        let time = "<Time>1970-01-01T00:00:07.000Z</Time>";
        for (text, reason) in [
            (document(&TOTALS.replace("<Calories>0</Calories>", "")), "Calories is missing"),
            (document(&format!("{TOTALS}<Track/>")), "Trackpoint is missing"),
            (point(""), "Time is missing"),
            (point(&format!("{time}<Cadence>85.0</Cadence>")), "not a whole number"),
            (point(&format!("{time}<Cadence>85</Cadence><AltitudeMeters>1</AltitudeMeters>")), "AltitudeMeters is out"),
            (point(&format!("{time}{time}")), "Time occurs twice"),
            (point(&format!("{time}<AltitudeMeters>1e3</AltitudeMeters>")), "AltitudeMeters is"),
            (document(TOTALS).replace("</Lap>", ""), "byte"),
            ("<TrainingCenterDatabase>".to_owned(), "ends early"),
            (String::new(), "TrainingCenterDatabase is missing"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{error} for {text}");
        }
    }
}
