//! Huawei Health: the JSON of "Request your data" (`motion path detail data*.json`, all eras) and the HiTrack text files of
//! phone backups (huawei.md).
//!
//! An activity is an object with a few totals and an `attribute`: HiTrack lines (the samples) and a second, better summary
//! called SIMPLIFY. A backup file holds the lines alone; its name tells start and end when they do not (`fix`).

mod datum;
mod instants;
mod lines;
mod parts;
mod sports;
mod summary;
mod track;

use std::io::BufRead;

use super::{Format, Intake, Reader};
use crate::error::{Error, Place, Result};
use crate::json::{Json, Shape, Value};
use crate::limits::Limits;
use crate::model::{Clock, Draft, Evidence};
use crate::report::Code;

use lines::Lines;

const CUT: Code = Code::damage("huawei.cut_off");
const ELEMENT: Code = Code::warning("huawei.element");
const NO_DETAIL: Code = Code::warning("huawei.no_detail");
const MANUAL: Code = Code::info("huawei.manual");
const DUPLICATED: Code = Code::info("huawei.duplicated");
const NO_LINES: Code = Code::damage("huawei.no_lines");

/// The row of the data export.
pub const FORMAT: Format = Format {
    id: "huawei",
    name: "Huawei Health JSON",
    extensions: &["json"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Stream(read)),
    write: None,
    status: "workouts of all eras with their tracks, splits, swims; damaged ones one by one",
};

/// The row of the text files in phone backups.
pub const HITRACK: Format = Format {
    id: "hitrack",
    name: "Huawei HiTrack",
    extensions: &[],
    binary: false,
    table: false,
    sniff: sniff_lines,
    read: Some(Reader::Whole(read_lines)),
    write: None,
    status: "samples, splits and pauses; the sport is not in the file",
};

/// What opens each part of an `attribute`.
const DETAIL: &str = "HW_EXT_TRACK_DETAIL@is";
const SIMPLIFY: &str = "HW_EXT_TRACK_SIMPLIFY@is";
/// Keys whose arrays hold activities.
const LISTS: [&str; 3] = ["motionPathData", "data", "sportList"];

/// True for JSON with the keys that only Huawei's workouts have. Its other files (steps a minute, health data) have no totals
/// of a workout.
fn sniff(head: &[u8]) -> bool {
    let open = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if !matches!(open.first(), Some(b'{' | b'[')) {
        return false;
    }
    let has = |key: &str| memchr::memmem::find(open, key.as_bytes()).is_some();
    let any = |keys: &[&str]| keys.iter().any(|key| has(key));
    if any(&["\"motionPathData\"", "HW_EXT_TRACK_"]) {
        return true;
    }
    if !has("\"sportType\"") || any(&["\"sportBasicInfos\"", "\"sportDataUserData\""]) {
        return false;
    }
    if any(&["\"partTimeMap\"", "\"paceMap\"", "\"britishPaceMap\"", "\"britishPartTimeMap\""]) {
        return true;
    }
    const OWN: &[&str] =
        &["\"attribute\"", "\"recordId\"", "\"deviceCode\"", "\"appType\"", "\"sportDataSource\"", "\"abnormalTrack\""];
    const TOTALS: &[&str] = &["\"totalTime\"", "\"totalDistance\"", "\"totalCalories\"", "\"totalSteps\""];
    if any(TOTALS) && OWN.iter().filter(|key| has(key)).count() >= 2 {
        return true;
    }
    // A record that came without a track may have nothing but its sport as a code, when it was in milliseconds, and a total.
    let number = |key: &&str, digits: usize| integers(open, key).any(|found| found >= digits);
    number(&"\"sportType\"", 1)
        && ["\"startTime\"", "\"endTime\""].iter().any(|key| number(key, 12))
        && TOTALS.iter().any(|key| number(key, 1))
}

/// How many digits each bare number has that stands behind this key.
fn integers<'a>(text: &'a [u8], key: &'a str) -> impl Iterator<Item = usize> + 'a {
    memchr::memmem::find_iter(text, key).filter_map(move |at| {
        let value = text.get(at + key.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        Some(value.iter().take_while(|b| b.is_ascii_digit()).count())
    })
}

/// True for text whose first line is a HiTrack line.
fn sniff_lines(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let head = head.strip_prefix(DETAIL.as_bytes()).unwrap_or(head);
    let line = head.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or(head);
    line.starts_with(b"tp=")
        && (line.contains(&b';') && line.windows(3).any(|w| w == b";k=" || w == b";v=" || w == b";sn"))
}

fn read(stream: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    let limits = intake.limits().clone();
    let mut json = Json::new(stream, &limits);
    let fault = top(&mut json, &limits, intake)?;
    json.report(intake.notes());
    if let Some(fault) = fault {
        if intake.emitted() == 0 {
            return Err(fault);
        }
        intake.notes().add(CUT, fault.place().clone(), || fault.message().to_owned());
    }
    Ok(())
}

/// Everything at the top: a list, or activities one after the other. Gives the fault that ended it early; an error is what
/// the consumer or the stream says.
fn top(json: &mut Json<&mut dyn BufRead>, limits: &Limits, intake: &mut Intake<'_>) -> Result<Option<Error>> {
    loop {
        let step = match json.peek() {
            Ok(Shape::End) => return Ok(None),
            Ok(Shape::Array) => match json.array() {
                Ok(()) => {
                    list(json, limits, intake)?;
                    Ok(())
                }
                Err(fault) => Err(fault),
            },
            Ok(Shape::Object) => {
                if let Some(fault) = object(json, limits, intake)? {
                    return Ok(Some(fault));
                }
                Ok(())
            }
            Ok(Shape::Scalar) => json.skip(),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = step {
            return Ok(Some(fault));
        }
    }
}

/// The object at the top: a wrapper around a list, or an activity.
fn object(json: &mut Json<&mut dyn BufRead>, limits: &Limits, intake: &mut Intake<'_>) -> Result<Option<Error>> {
    let (object, fault) = members(json, limits, intake, list)?;
    if is_activity(&object) {
        intake.emit(activity(&object, fault.is_none(), limits))?;
    }
    Ok(fault)
}

/// Reads a list of activities, or of what has activities in it.
type ReadList = fn(&mut Json<&mut dyn BufRead>, &Limits, &mut Intake<'_>) -> Result<()>;

/// The members of an object as far as they can be read, and the fault that ended them early. A list of activities among them
/// is read in place, so that a broken activity costs itself and not its day.
fn members(
    json: &mut Json<&mut dyn BufRead>,
    limits: &Limits,
    intake: &mut Intake<'_>,
    read_list: ReadList,
) -> Result<(Value, Option<Error>)> {
    let mut members = Vec::new();
    let mut fault = json.object().err();
    while fault.is_none() {
        let key: Box<str> = match json.key() {
            Ok(Some(key)) => key.into(),
            Ok(None) => break,
            Err(error) => {
                fault = Some(error);
                break;
            }
        };
        if LISTS.contains(&&*key) && matches!(json.peek(), Ok(Shape::Array)) {
            fault = json.array().err();
            if fault.is_none() {
                read_list(json, limits, intake)?;
            }
            members.push((key, Value::Null));
            continue;
        }
        let (value, error) = json.partial();
        members.push((key, value));
        fault = error;
    }
    Ok((Value::Object(members), fault))
}

/// The elements of a list, each an activity or a day of them. A broken one is read as far as it goes.
fn list(json: &mut Json<&mut dyn BufRead>, limits: &Limits, intake: &mut Intake<'_>) -> Result<()> {
    while let Some(depth) = json.open_element(intake.notes())? {
        let place = nth(json);
        let (element, fault) = match json.peek() {
            Ok(Shape::Object) => members(json, limits, intake, activities)?,
            _ => json.partial(),
        };
        let whole = json.close_element(depth, fault, intake.notes())?;
        take(&element, whole, place, limits, intake)?;
    }
    Ok(())
}

/// The activities of a day.
fn activities(json: &mut Json<&mut dyn BufRead>, limits: &Limits, intake: &mut Intake<'_>) -> Result<()> {
    loop {
        let place = nth(json);
        let Some((element, whole)) = json.element_or_part(intake.notes())? else { return Ok(()) };
        take(&element, whole, place, limits, intake)?;
    }
}

/// Where the element stands that is read next.
fn nth(json: &Json<&mut dyn BufRead>) -> Place {
    Place::NOWHERE.record(usize::try_from(json.ordinal()).unwrap_or(usize::MAX))
}

/// Hands an element on, when it is an activity; a whole one that is none is told of.
fn take(element: &Value, whole: bool, place: Place, limits: &Limits, intake: &mut Intake<'_>) -> Result<()> {
    if is_activity(element) {
        return intake.emit(activity(element, whole, limits));
    }
    let holds_list = element.members().iter().any(|(key, _)| LISTS.contains(&&**key));
    if whole && !holds_list && !element.is_null() {
        intake.notes().add(ELEMENT, place, || "an element that does not say when a workout was");
    }
    Ok(())
}

/// What tells of a workout beside its start; any of it may be missing.
const OF_A_WORKOUT: [&str; 5] = ["sportType", "totalTime", "totalDistance", "totalCalories", "recordId"];

/// True for an object that says when or what a workout was.
fn is_activity(value: &Value) -> bool {
    value["attribute"].str().is_some()
        || (value["startTime"].f64().is_some() && OF_A_WORKOUT.iter().any(|key| !value[*key].is_null()))
}

/// The draft of an activity; of one that is not `whole` something is missing behind the damage.
fn activity(top: &Value, whole: bool, limits: &Limits) -> Draft {
    let mut draft = Draft { complete: whole, ..Draft::new() };
    let (detail, simplify) = attribute(top["attribute"].str().unwrap_or_default());
    let simplify = simplify.map_or(Value::Null, |text| {
        let (value, fault) = Json::new(text.as_bytes(), limits).partial();
        if let Some(fault) = fault {
            draft.complete = false;
            draft.notes.add(CUT, Place::NOWHERE, || format!("in SIMPLIFY: {}", fault.message()));
        }
        value
    });
    let manual = [top, &simplify].iter().any(|part| part["sportDataSource"].i64() == Some(2));
    if manual {
        draft.notes.add(MANUAL, Place::NOWHERE, || "entered by hand");
    } else if whole && top["attribute"].str().is_none_or(|text| text.trim().is_empty()) {
        draft.notes.add(NO_DETAIL, Place::NOWHERE, || "no attribute: the export has only the totals, no track");
    }
    if top["duplicated"].i64().or(simplify["mDuplicated"].i64()).is_some_and(|mark| mark != 0) {
        draft.notes.add(DUPLICATED, Place::NOWHERE, || "marked as a duplicate by the app");
    }
    let start = instant(&top["startTime"]).or_else(|| instant(&simplify["startTime"]));
    let end = instant(&top["endTime"]).or_else(|| instant(&simplify["endTime"]));
    summary::describe(top, &simplify, start, end, &mut draft);
    if let Some(offset_s) = top["timeZone"].str().and_then(offset) {
        draft.clock = Clock { offset_s: Some(offset_s), evidence: Evidence::Stated, ..Clock::default() };
    }
    let datum = datum::stated(top, &simplify);
    let lines = detail.map(Lines::of).unwrap_or_default();
    let instants = track::fill(&lines, start, datum, limits.samples, &mut draft);
    parts::fill(&lines, &instants, top, &simplify, &mut draft);
    draft
}

/// The HiTrack lines and the SIMPLIFY of an attribute, in whichever order they stand.
fn attribute(text: &str) -> (Option<&str>, Option<&str>) {
    let find = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes());
    let (detail, simplify) = (find(DETAIL), find(SIMPLIFY));
    let part = |at: Option<usize>, mark: &str, other: Option<usize>| {
        let from = at? + mark.len();
        let to = other.filter(|other| *other >= from).unwrap_or(text.len());
        text.get(from..to).map(|part| part.trim_matches(|c: char| c == '&' || c.is_whitespace()))
    };
    let bare = (detail.is_none() && simplify != Some(0)).then(|| text.get(..simplify.unwrap_or(text.len()))).flatten();
    (part(detail, DETAIL, simplify).or(bare), part(simplify, SIMPLIFY, detail))
}

/// Milliseconds since 1970 (seconds in a few tools' files), of the years 1973 to 9999.
fn instant(value: &Value) -> Option<i64> {
    instants::absolute(value.f64()?)
}

/// `+0800`, `-0330`, `+05:45`: seconds; the sign is that of the hours and of the minutes.
fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let number: i32 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (hours, minutes) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn read_lines(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let text = String::from_utf8_lossy(bytes);
    let (detail, _) = attribute(&text);
    let lines = Lines::of(detail.unwrap_or_default());
    let mut draft = Draft::new();
    draft.recording.creator = Some("Huawei Health".to_owned());
    let instants = track::fill(&lines, None, datum::Stated::None, intake.limits().samples, &mut draft);
    parts::fill(&lines, &instants, &Value::Null, &Value::Null, &mut draft);
    if draft.recording.track.is_empty() && draft.recording.splits.is_empty() && draft.recording.laps.is_empty() {
        intake.notes().add(NO_LINES, Place::NOWHERE, || "no line with a sample or a split");
        return Ok(());
    }
    intake.emit(draft)
}
