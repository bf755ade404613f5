//! `*_gear.json` of Garmin's "Export Your Data": what was worn or ridden in which activity. A row holds nothing but the id of an
//! activity and the gear's name: it tells of an activity and is none.

use std::collections::HashMap;
use std::io::BufRead;

use memchr::memmem;

use super::activity::PLATFORM;
use crate::error::Result;
use crate::formats::{Format, Intake, Reader};
use crate::json::{Json, Shape, Value};
use crate::model::Draft;
use crate::report::Code;

const NAMELESS: Code = Code::warning("garmin.gear_unknown");

/// The gear row of the format table.
pub const FORMAT: Format = Format {
    id: "garmin_gear",
    name: "Garmin gear",
    extensions: &["json"],
    binary: false,
    table: true,
    sniff,
    read: Some(Reader::Stream(read)),
    write: None,
    status: "gear of an Export Your Data archive, for the activities beside it",
};

fn sniff(head: &[u8]) -> bool {
    let open = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let has = |key: &str| memmem::find(head, key.as_bytes()).is_some();
    matches!(open.first(), Some(b'{' | b'[')) && (has("\"gearDTOS\"") || has("\"gearActivityDTOs\""))
}

/// Names by the gear's key, and which gear which activity used; either may come first.
#[derive(Default)]
struct Links {
    names: HashMap<String, String>,
    /// Activity and gear in the order of the file.
    uses: Vec<(i64, String)>,
}

fn read(stream: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    let mut json = Json::new(stream, intake.limits());
    let mut links = Links::default();
    let walked = walk(&mut json, &mut links, intake);
    if links.uses.is_empty() {
        walked?;
        intake.skip("gear list");
        return Ok(());
    }
    if let Err(error) = walked {
        intake.notes().add(super::CUT, error.place().clone(), || error.message().to_owned());
    }
    json.report(intake.notes());
    emit(links, intake)
}

fn walk<R: std::io::Read>(json: &mut Json<R>, links: &mut Links, intake: &mut Intake<'_>) -> Result<()> {
    let outer = json.peek()? == Shape::Array;
    if outer {
        json.array()?;
    }
    while json.peek()? == Shape::Object {
        json.object()?;
        while let Some(key) = json.key()? {
            let key = key.to_owned();
            match (key.as_str(), json.peek()?) {
                ("gearDTOS", Shape::Array) => {
                    json.array()?;
                    while let Some(gear) = json.element(intake.notes())? {
                        links.names.extend(Some(id(&gear["gearPk"])).zip(name(&gear)));
                    }
                }
                ("gearActivityDTOs", Shape::Object) => {
                    json.object()?;
                    while let Some(gear) = json.key()? {
                        let gear = gear.to_owned();
                        if json.peek()? != Shape::Array {
                            json.skip()?;
                            continue;
                        }
                        json.array()?;
                        while let Some(used) = json.element(intake.notes())? {
                            let activity = used["activityId"].i64().or_else(|| used.i64());
                            links.uses.extend(activity.map(|activity| (activity, gear.clone())));
                        }
                    }
                }
                _ => json.skip()?,
            }
        }
    }
    if outer {
        json.next()?;
    }
    Ok(())
}

/// One draft an activity, in the order in which the file first names it.
fn emit(links: Links, intake: &mut Intake<'_>) -> Result<()> {
    let mut rows: Vec<(i64, Vec<&str>)> = Vec::new();
    let mut place: HashMap<i64, usize> = HashMap::new();
    for (activity, gear) in &links.uses {
        let Some(name) = links.names.get(gear) else {
            intake.notes().add(NAMELESS, crate::error::Place::NOWHERE, || format!("no gear has the key {gear}"));
            continue;
        };
        let at = *place.entry(*activity).or_insert(rows.len());
        if at == rows.len() {
            rows.push((*activity, Vec::new()));
        }
        if let Some((_, names)) = rows.get_mut(at)
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    for (activity, names) in rows {
        let mut draft = Draft::new();
        draft.recording.platform_ids.push((PLATFORM.to_owned(), activity.to_string()));
        draft.recording.gear = Some(names.join(", "));
        intake.emit(draft)?;
    }
    Ok(())
}

/// A key that is a number in one place and a text in the other.
fn id(value: &Value) -> String {
    value.i64().map_or_else(|| value.str().unwrap_or_default().to_owned(), |id| id.to_string())
}

/// What its owner calls it, else maker and model.
fn name(gear: &Value) -> Option<String> {
    let keys = ["displayName", "customMakeModel", "gearModelName"];
    keys.iter().find_map(|key| gear[*key].str().map(str::trim).filter(|name| !name.is_empty())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read_with;
    use crate::limits::Limits;

    #[test]
    fn gear_comes_by_the_activity_that_used_it() {
        let names = r#""gearDTOS":[{"gearPk":11,"displayName":"Old shoes","customMakeModel":"Maker 1"},{"gearPk":12,"displayName":null,"customMakeModel":"Bike"}]"#;
        let uses = r#""gearActivityDTOs":{"11":[{"activityId":1},{"activityId":2}],"12":[{"activityId":2}],"13":[{"activityId":3}],"14":null}"#;
        for text in [format!("[{{{names},{uses}}}]"), format!("{{{uses},\"x\":[1],{names}}}")] {
            assert!(sniff(text.as_bytes()));
            let reading = read_with(Reader::Stream(read), text.as_bytes(), &Limits::default()).unwrap();
            let rows: Vec<_> = reading
                .drafts
                .iter()
                .map(|d| (d.recording.platform_ids[0].1.as_str(), d.recording.gear.as_deref().unwrap_or_default()))
                .collect();
            assert_eq!(rows, [("1", "Old shoes"), ("2", "Old shoes, Bike")]);
            assert_eq!(reading.notes.get("garmin.gear_unknown").map(|note| note.count), Some(1));
        }
    }

    #[test]
    fn a_list_that_no_activity_used_is_passed_over() {
        let reading =
            read_with(Reader::Stream(read), &br#"[{"gearDTOS":[{"gearPk":1}]}]"#[..], &Limits::default()).unwrap();
        assert_eq!((reading.drafts.len(), reading.skipped.as_deref()), (0, Some("gear list")));
    }
}
