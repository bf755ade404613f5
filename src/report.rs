//! Notes: what a reader, a repair or a writer has to say about a source, as values with a stable code.

use serde::{Deserialize, Serialize};

use crate::error::Place;

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Info,
    /// Something was repaired, dropped or doubtful.
    Warning,
    /// Part of the source could not be read; the source's outcome is `partial`.
    Damage,
}

/// The stable, dotted identity of a kind of note. Declared as a constant in the file that reports it;
/// a test checks that every code is declared once and well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// For instance `fit.crc`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
}

impl Code {
    /// Good to know.
    pub const fn info(id: &'static str) -> Code {
        Code { id, severity: Severity::Info }
    }

    /// Repaired, dropped or doubtful.
    pub const fn warning(id: &'static str) -> Code {
        Code { id, severity: Severity::Warning }
    }

    /// Part of the source could not be read.
    pub const fn damage(id: &'static str) -> Code {
        Code { id, severity: Severity::Damage }
    }
}

/// One kind of remark about one source: the first place and detail, and how often it occurred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Stable dotted code, for instance `fit.crc`.
    pub code: std::borrow::Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// How often it occurred.
    pub count: u64,
    /// The first place, as text; `None` when it concerns the whole source.
    pub place: Option<String>,
    /// The first occurrence in words.
    pub detail: String,
}

/// Notes of one source or activity, one entry a code, in order of first occurrence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// No notes.
    pub const fn new() -> Notes {
        Notes(Vec::new())
    }

    /// Adds one occurrence. Only the first one of a code keeps its place and detail (`detail` is called just then).
    pub fn add<D: Into<String>>(&mut self, code: Code, place: Place, detail: impl FnOnce() -> D) {
        self.add_many(code, 1, place, detail);
    }

    /// Adds `count` occurrences at once; nothing when `count` is 0.
    pub fn add_many<D: Into<String>>(&mut self, code: Code, count: u64, place: Place, detail: impl FnOnce() -> D) {
        if count == 0 {
            return;
        }
        if let Some(note) = self.0.iter_mut().find(|note| note.code == code.id) {
            note.count += count;
            return;
        }
        let place = (!place.is_nowhere()).then(|| place.to_string());
        self.0.push(Note { code: code.id.into(), severity: code.severity, count, place, detail: detail().into() });
    }

    /// Takes over the notes of another list; equal codes add up.
    pub fn extend(&mut self, other: Notes) {
        for note in other.0 {
            match self.0.iter_mut().find(|have| have.code == note.code) {
                Some(have) => have.count += note.count,
                None => self.0.push(note),
            }
        }
    }

    /// Keeps the notes for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&Note) -> bool) {
        self.0.retain(keep);
    }

    /// The note with this code.
    pub fn get(&self, code: &str) -> Option<&Note> {
        self.0.iter().find(|note| note.code == code)
    }

    /// True when some part could not be read.
    pub fn has_damage(&self) -> bool {
        self.0.iter().any(|note| note.severity == Severity::Damage)
    }

    /// All notes in order of first occurrence.
    pub fn iter(&self) -> std::slice::Iter<'_, Note> {
        self.0.iter()
    }

    /// How many codes are noted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Notes taken from elsewhere; equal codes add up.
impl FromIterator<Note> for Notes {
    fn from_iter<I: IntoIterator<Item = Note>>(notes: I) -> Notes {
        let mut all = Notes::new();
        for note in notes {
            all.extend(Notes(vec![note]));
        }
        all
    }
}

impl<'a> IntoIterator for &'a Notes {
    type Item = &'a Note;
    type IntoIter = std::slice::Iter<'a, Note>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A place as a part of a sentence: `at line 3, in trk`, but `in Params`.
pub fn at(place: &str) -> String {
    let word = if place.starts_with("in ") { "" } else { "at " };
    format!("{word}{place}")
}

/// A name or message made safe for a terminal: control, bidirectional and zero-width characters are written as `\u{…}`.
pub fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out.into()
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRC: Code = Code::warning("test.crc");

    #[test]
    fn one_entry_a_code_with_the_first_place() {
        let mut notes = Notes::new();
        notes.add(CRC, Place::byte(7), || "first");
        notes.add(CRC, Place::byte(9), || -> &str { panic!("a second detail is never built") });
        assert_eq!(notes.len(), 1);
        let note = notes.get("test.crc").unwrap();
        assert_eq!((note.count, note.place.as_deref(), note.detail.as_str()), (2, Some("byte 7"), "first"));
        assert!(!notes.has_damage());
    }

    #[test]
    fn hidden_characters_become_visible() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(printable("Lauf öäü 跑步"), "Lauf öäü 跑步");
    }
}
