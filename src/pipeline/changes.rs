//! What is different about an activity that was read again.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::Summary;

/// What became of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It is there as before, with other values.
    Changed,
    /// It was not there before.
    Appeared,
    /// It is no longer there.
    Vanished,
}

/// An activity that is not what it was: the `change` line of the JSON contract.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// What became of it.
    pub what: What,
    /// The activity as it is now; as it was when it vanished.
    pub activity: Box<Summary>,
    /// Field → old and new value. Fields of fields are joined by dots, notes are `notes.CODE`.
    pub fields: BTreeMap<String, Differs>,
}

/// A value before and after; `null` where there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differs {
    /// Before.
    pub old: Value,
    /// After.
    pub new: Value,
}

impl Change {
    /// `None` when nothing is different.
    pub(super) fn between(old: Option<&Summary>, new: Option<&Summary>) -> Option<Change> {
        let (what, activity) = match (old, new) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(new)) => (What::Changed, new),
            (None, Some(new)) => (What::Appeared, new),
            (Some(old), None) => (What::Vanished, old),
            (None, None) => return None,
        };
        let fields = match (old, new) {
            (Some(old), Some(new)) => differences(old, new),
            _ => BTreeMap::new(),
        };
        Some(Change { what, activity: Box::new(activity.clone()), fields })
    }
}

fn differences(old: &Summary, new: &Summary) -> BTreeMap<String, Differs> {
    let (mut old, mut new) = (fields(old), fields(new));
    let names: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
    let mut differences = BTreeMap::new();
    for name in names {
        let (old, new) = (old.remove(&name).unwrap_or_default(), new.remove(&name).unwrap_or_default());
        if old != new {
            differences.insert(name, Differs { old, new });
        }
    }
    differences
}

fn fields(summary: &Summary) -> BTreeMap<String, Value> {
    let mut value = serde_json::to_value(summary).unwrap_or_default();
    let note = |note: &crate::report::Note| (note.code.to_string(), json!(format!("{} × {}", note.count, note.detail)));
    if let Some(notes) = value.get_mut("notes") {
        *notes = Value::Object(summary.notes.iter().map(note).collect());
    }
    let mut fields = BTreeMap::new();
    let mut open = vec![(String::new(), value)];
    while let Some((name, value)) = open.pop() {
        match value {
            Value::Object(object) => {
                let dot = if name.is_empty() { "" } else { "." };
                open.extend(object.into_iter().map(|(key, value)| (format!("{name}{dot}{key}"), value)));
            }
            value => drop(fields.insert(name, value)),
        }
    }
    fields
}
