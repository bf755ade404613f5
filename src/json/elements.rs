//! Element after element of a huge array, each a tree of its own. A broken one is reported and costs only itself.

use std::io::Read;

use memchr::memmem;

use super::reader::{Frame, Json, State};
use super::value::Value;
use crate::error::{Error, Kind, Result};
use crate::report::{Code, Notes};

const ELEMENT: Code = Code::damage("json.element");
const CUT: Code = Code::damage("json.cut_off");

/// An element that is longer is taken for one that lost its end.
const LONGEST: usize = 64 << 20;
/// Longest beginning by which elements are recognised.
const SIGNATURE: usize = 256;

/// What is known for finding the next element behind a broken one.
#[derive(Default)]
pub(super) struct Recovery {
    /// How good elements at this depth begin.
    signature: Vec<u8>,
    depth: usize,
    /// True behind a broken element whose brackets do not match.
    lost: bool,
}

impl<R: Read> Json<R> {
    /// The next element of the array that was stepped into ([`Json::array`]), or the next value at the top; `None` at the
    /// end. A broken element becomes a note of severity damage with its ordinal and byte, and reading goes on with the
    /// next one: behind its brackets when they match, else where an element begins as the ones before it did.
    ///
    /// # Errors
    /// `Io`; `Internal` inside an object.
    pub fn element(&mut self, notes: &mut Notes) -> Result<Option<Value>> {
        while let Some((value, whole)) = self.element_or_part(notes)? {
            if whole {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// As [`Json::element`], but gives a broken element too, as far as it could be read ([`Json::partial`]), with `false`.
    ///
    /// # Errors
    /// As [`Json::element`].
    pub fn element_or_part(&mut self, notes: &mut Notes) -> Result<Option<(Value, bool)>> {
        let Some(depth) = self.open_element(notes)? else { return Ok(None) };
        let (value, fault) = self.partial();
        let whole = self.close_element(depth, fault, notes)?;
        Ok(Some((value, whole)))
    }

    /// Goes to the next element of the array that was stepped into, for a caller that reads it piece by piece and then calls
    /// [`Json::close_element`] with the depth that this gives; `None` at the end.
    ///
    /// # Errors
    /// As [`Json::element`].
    pub fn open_element(&mut self, notes: &mut Notes) -> Result<Option<usize>> {
        let depth = self.stack.len();
        if self.stack.last() == Some(&Frame::Object) {
            return Err(Error::new(Kind::Internal, "an element was asked for outside of an array"));
        }
        loop {
            match self.more(depth, notes)? {
                Some(true) => break,
                Some(false) => return Ok(None),
                None => continue,
            }
        }
        self.window.set_mark(LONGEST);
        Ok(Some(depth))
    }

    /// Ends an element: behind a `fault` in it reading goes on with the next one. Gives whether it was whole.
    ///
    /// # Errors
    /// As [`Json::element`].
    pub fn close_element(&mut self, depth: usize, fault: Option<Error>, notes: &mut Notes) -> Result<bool> {
        let Some(error) = fault else {
            self.remember(depth);
            self.window.clear_mark();
            return Ok(true);
        };
        if error.kind() == Kind::Io {
            return Err(error);
        }
        let place = error.place().clone().record(usize::try_from(self.ordinal_at(depth)).unwrap_or(usize::MAX));
        notes.add(ELEMENT, place, || error.message().to_owned());
        if !self.behind_brackets(depth)? {
            self.window.rewind();
            self.stack.truncate(depth);
            self.finished();
            let own = beginning(self.window.rest()).to_vec();
            self.window.consume(1);
            self.next_beginning(&own)?;
        }
        self.window.clear_mark();
        Ok(false)
    }

    fn ordinal_at(&self, depth: usize) -> u64 {
        match depth.checked_sub(1).and_then(|at| self.stack.get(at)) {
            Some(Frame::Array(ordinal)) => *ordinal,
            _ => self.top,
        }
    }

    /// Whether another element follows; `None`: look again.
    fn more(&mut self, depth: usize, notes: &mut Notes) -> Result<Option<bool>> {
        let byte = match self.look()? {
            None if depth == 0 => return Ok(Some(false)),
            None => {
                self.stack.truncate(depth - 1);
                notes.add(CUT, self.window.place(), || "the text ends inside an array");
                self.finished();
                return Ok(Some(false));
            }
            Some(byte) => byte,
        };
        match byte {
            b',' => {
                if self.state == State::Element && !self.recovery.lost && depth > 0 {
                    self.forgive("a comma too much");
                }
                self.window.consume(1);
                self.state = State::Element;
                Ok(None)
            }
            // The last bracket of a text, unless more follows that cannot stand behind it (or, behind a recovery, anything):
            // then the bracket belongs to the inside of a broken element.
            b']' if depth == 1 => {
                let place = self.window.place();
                self.window.consume(1);
                match self.look()? {
                    Some(b',' | b'}' | b']') if !self.recovery.lost => {
                        notes.add(ELEMENT, place, || "']' closes nothing");
                    }
                    Some(_) if self.recovery.lost => {}
                    _ => {
                        self.stack.clear();
                        self.recovery.lost = false;
                        self.finished();
                        return Ok(Some(false));
                    }
                }
                self.next_beginning(&[])?;
                Ok(None)
            }
            b']' if depth > 0 => {
                self.recovery.lost = false;
                self.next()?;
                Ok(Some(false))
            }
            b']' | b'}' => {
                if !self.recovery.lost {
                    let place = self.window.place();
                    notes.add(ELEMENT, place, || format!("'{}' closes nothing", byte as char));
                }
                self.window.consume(1);
                self.next_beginning(&[])?;
                Ok(None)
            }
            _ => {
                if self.state == State::After {
                    self.forgive("a missing comma");
                }
                self.state = State::Element;
                Ok(Some(true))
            }
        }
    }

    /// Remembers how a good element begins: with its first key.
    fn remember(&mut self, depth: usize) {
        if self.recovery.signature.is_empty() || self.recovery.depth != depth {
            let len = self.window.since_mark();
            self.recovery.signature = beginning(self.window.behind(len, 0)).to_vec();
            self.recovery.depth = depth;
        }
    }

    /// Goes behind the broken element by its brackets; false when they do not match.
    fn behind_brackets(&mut self, depth: usize) -> Result<bool> {
        if self.stack.len() > depth {
            return match self.leave(depth) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == Kind::Io => Err(error),
                Err(_) => Ok(false),
            };
        }
        // A word that is no value: up to the next comma or bracket.
        loop {
            let rest = self.window.rest();
            let word = rest.iter().take_while(|b| !matches!(b, b',' | b'{' | b'}' | b'[' | b']' | b'"')).count();
            let found = rest.get(word).copied();
            self.window.consume(word);
            match found {
                Some(b'"') => match self.string() {
                    Ok((len, _)) => self.window.consume(len),
                    Err(error) if error.kind() == Kind::Io => return Err(error),
                    Err(_) => return Ok(false),
                },
                Some(b',' | b']') => {
                    self.finished();
                    return Ok(true);
                }
                Some(_) => return Ok(false),
                None if !self.window.fill()? => return Ok(false),
                None => {}
            }
        }
    }

    /// Goes to the next place behind the position where an element seems to begin, or to the end: as the good elements
    /// before it did, or as the broken one itself.
    fn next_beginning(&mut self, own: &[u8]) -> Result<()> {
        self.recovery.lost = true;
        self.state = State::Element;
        let known = if self.recovery.depth == self.stack.len() { self.recovery.signature.clone() } else { Vec::new() };
        let finders: Vec<_> =
            [own, &known[..]].into_iter().filter(|s| !s.is_empty()).map(memmem::Finder::new).collect();
        let longest = own.len().max(known.len());
        self.window.clear_mark();
        loop {
            let rest = self.window.rest();
            if let Some(at) = finders.iter().filter_map(|finder| finder.find(rest)).min() {
                self.window.consume(at);
                return Ok(());
            }
            // A beginning may be cut by the end of the buffer.
            let passed = (rest.len() + 1).saturating_sub(longest.max(1));
            self.window.consume(passed);
            if !self.window.fill()? {
                let len = self.window.rest().len();
                self.window.consume(len);
                return Ok(());
            }
        }
    }
}

/// `{"first key"` with the blanks as they are; nothing when the text does not begin so.
fn beginning(text: &[u8]) -> &[u8] {
    let text = text.get(..SIGNATURE).unwrap_or(text);
    let blanks = |at: usize| text.iter().skip(at).take_while(|b| b.is_ascii_whitespace()).count();
    if text.first() != Some(&b'{') {
        return &[];
    }
    let quote = 1 + blanks(1);
    if text.get(quote) != Some(&b'"') {
        return &[];
    }
    let key = text.iter().skip(quote + 1).position(|&b| b == b'"');
    key.and_then(|len| text.get(..quote + len + 2)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::super::testing::Drip;
    use super::*;
    use crate::limits::Limits;

    /// The ids of the elements that survive, and the notes; the array stands at the top.
    fn ids(text: &str) -> (Vec<i64>, Notes) {
        let mut all = Vec::new();
        for chunk in [1, 7, 1 << 20] {
            let (limits, mut notes) = (Limits::default(), Notes::new());
            let mut json = Json::new(Drip::new(text.as_bytes(), chunk), &limits);
            json.array().unwrap();
            let mut ids = Vec::new();
            while let Some(element) = json.element(&mut notes).unwrap() {
                ids.extend(element["id"].i64());
            }
            assert_eq!(json.peek().unwrap(), super::super::Shape::End);
            all.push((ids, notes));
        }
        assert!(all.iter().all(|one| *one == all[0]), "the same, however the bytes arrive: {all:?}");
        all.swap_remove(0)
    }

    fn good(id: u32) -> String {
        format!(r#"{{"id": {id}, "track": [{{"id": -1, "lat": 47.1}}, {{"id": -2, "text": "[}}\""}}]}}"#)
    }

    fn array(broken: &str) -> String {
        format!("[{},\n{},\n{broken},\n{},\n{}]", good(1), good(2), good(4), good(5))
    }

    #[test]
    fn a_broken_element_costs_itself() {
        for broken in [
            r#"{"id": 3, "x": abc}"#,
            r#"{"id": 3, "x": [1, {"y": }]}, 2]}"#,
            r#"{"id": 3, "x" 5}"#,
            r#"{"id": 3, "x": [1, 2}"#,
            r#"{"id": 3, "x": 1]"#,
            r#"{"id": 3, "x": [1, 2"#,
            r#"{"id": 3, "x": {"y": [{"z": 1"#,
            r#"{"id": 3, "x": "torn"#,
            r#"{"id": 3, "na"#,
            r#"{"id": 3}]}}"#,
            "nonsense",
            "{{{{",
            "\u{0}\u{1}",
        ] {
            let (ids, notes) = ids(&array(broken));
            let ours: Vec<i64> = ids.iter().copied().filter(|id| *id > 0 && *id != 3).collect();
            assert_eq!(ours, [1, 2, 4, 5], "{broken}: {ids:?}");
            assert!(notes.has_damage(), "{broken}");
        }
    }

    #[test]
    fn the_note_names_ordinal_and_byte() {
        let text = array(r#"{"id": 3, "x": abc}"#);
        let (_, notes) = ids(&text);
        let note = notes.get("json.element").unwrap();
        assert_eq!(note.place.as_deref(), Some(&*format!("byte {}, record 2", text.find("abc").unwrap())));
        assert_eq!(note.count, 1);
    }

    #[test]
    fn a_torn_first_element_gives_way_to_the_second() {
        let (ids, notes) = ids(&format!(r#"[{{"id": 0, "track": [1, {}, {}]"#, good(1), good(2)));
        assert_eq!(ids, [1, 2]);
        assert_eq!(notes.get("json.element").unwrap().count, 1);
    }

    #[test]
    fn what_ends_too_early_is_told() {
        let text = array(&good(3));
        let whole = ids(&text);
        assert_eq!((whole.0.len(), whole.1.is_empty()), (5, true));
        for len in 1..text.len() {
            let (ids, notes) = ids(&text[..len]);
            assert!(notes.has_damage(), "{len}");
            let complete = (1..=5).filter(|id| text[..len].contains(&good(*id))).count();
            let ours: Vec<i64> = ids.into_iter().filter(|id| *id > 0).collect();
            assert_eq!(ours, (1..=complete as i64).collect::<Vec<_>>(), "{len}");
        }
    }

    #[test]
    fn lines_of_json_are_elements_too() {
        let limits = Limits::default();
        let text = "{\"id\":1}\n{\"id\":2,}\n{\"id\" 3}\n{\"id\":4}\n";
        let (mut json, mut notes) = (Json::new(text.as_bytes(), &limits), Notes::new());
        let mut ids = Vec::new();
        while let Some(element) = json.element(&mut notes).unwrap() {
            ids.extend(element["id"].i64());
        }
        assert_eq!(ids, [1, 2, 4]);
        assert_eq!(notes.get("json.element").unwrap().count, 1);
    }

    #[test]
    fn an_array_inside_is_walked_and_left() {
        let limits = Limits::default();
        let text = r#"{"before": {"skip": [1, "]"]}, "points": [{"id": 1}, {"id": }, {"id": 2}, oops, {"id": 3}], "after": 7}"#;
        let (mut json, mut notes) = (Json::new(text.as_bytes(), &limits), Notes::new());
        let (mut ids, mut after) = (Vec::new(), None);
        json.object().unwrap();
        while let Some(key) = json.key().unwrap() {
            match key {
                "points" => {
                    json.array().unwrap();
                    while let Some(element) = json.element(&mut notes).unwrap() {
                        ids.push(element["id"].i64());
                    }
                }
                "after" => after = json.value().unwrap().i64(),
                _ => json.skip().unwrap(),
            }
        }
        assert_eq!(ids, [Some(1), None, Some(2), Some(3)], "a missing value is null");
        assert_eq!(after, Some(7));
        assert_eq!(notes.get("json.element").unwrap().place.as_deref(), Some("byte 74, record 3"));
    }
}
