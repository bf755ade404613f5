//! The pull reader: from bytes to events, without recursion.

use std::io::Read;

use memchr::memchr2;

use super::elements::Recovery;
use super::escape::unescape;
use super::window::Window;
use crate::error::{Error, Kind, Place, Result};
use crate::limits::Limits;
use crate::report::{Code, Notes};

const LENIENT: Code = Code::info("json.lenient");

const CONTROL: &str = "a control byte inside a string";

/// One step through a JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// `{`
    BeginObject,
    /// `}`
    EndObject,
    /// `[`
    BeginArray,
    /// `]`
    EndArray,
    /// The key of an object's member; its value follows.
    Key(&'a str),
    /// A string, unescaped.
    String(&'a str),
    /// A number as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`, and what can only mean it: `NaN`, `Infinity`, nothing at all.
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Frame {
    Object,
    /// With the ordinal of the next element.
    Array(u64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    /// Before a value at the top, an element, or the end of the array.
    Element,
    /// Before a key or the end of the object.
    Member,
    Colon,
    /// After a colon.
    Value,
    /// Behind a value in a container.
    After,
}

/// Reads JSON from a stream.
pub struct Json<R> {
    pub(super) window: Window<R>,
    pub(super) stack: Vec<Frame>,
    pub(super) state: State,
    /// Ordinal of the next value at the top.
    pub(super) top: u64,
    pub(super) recovery: Recovery,
    scratch: String,
    depth: usize,
    forgiven: u64,
    first_forgiven: Option<(u64, &'static str)>,
}

impl<R: Read> Json<R> {
    /// A reader at the start of a text. It buffers by itself.
    pub fn new(reader: R, limits: &Limits) -> Json<R> {
        Json {
            window: Window::new(reader, limits.entry_bytes),
            stack: Vec::new(),
            state: State::Element,
            top: 0,
            recovery: Recovery::default(),
            scratch: String::new(),
            depth: limits.json_depth,
            forgiven: 0,
            first_forgiven: None,
        }
    }

    /// Bytes consumed so far.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Ordinal of the next element of the current array (or value at the top), counted from 0.
    pub fn ordinal(&self) -> u64 {
        match self.stack.last() {
            Some(Frame::Array(ordinal)) => *ordinal,
            Some(Frame::Object) => 0,
            None => self.top,
        }
    }

    /// Adds a note (`json.lenient`) when something had to be forgiven so far.
    pub fn report(&self, notes: &mut Notes) {
        if let Some((byte, what)) = self.first_forgiven {
            let place = Place { byte: Some(byte), ..Place::NOWHERE };
            notes.add_many(LENIENT, self.forgiven, place, || what);
        }
    }

    pub(super) fn forgive(&mut self, what: &'static str) {
        self.forgiven += 1;
        self.first_forgiven.get_or_insert((self.window.offset(), what));
    }

    pub(super) fn malformed(&self, message: impl Into<String>) -> Error {
        Error::malformed(self.window.place(), message)
    }

    /// The next byte that is no blank.
    pub(super) fn look(&mut self) -> Result<Option<u8>> {
        loop {
            let rest = self.window.rest();
            let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count();
            let next = rest.get(blanks).copied();
            self.window.consume(blanks);
            match next {
                Some(0xef) if self.window.offset() == 0 => {
                    for _ in 0..3 {
                        if self.window.peek(0)?.is_some_and(|b| matches!(b, 0xef | 0xbb | 0xbf)) {
                            self.window.consume(1);
                        }
                    }
                }
                Some(byte) => return Ok(Some(byte)),
                None if !self.window.fill()? => return Ok(None),
                None => {}
            }
        }
    }

    /// The next event; `None` at the end of the text.
    ///
    /// # Errors
    /// `Malformed` with the byte, `Limit` (depth, size of one string), `Io`. Only [`Json::element`] goes on after an error.
    #[allow(clippy::should_implement_trait, reason = "events borrow from the reader")]
    pub fn next(&mut self) -> Result<Option<Event<'_>>> {
        loop {
            let Some(byte) = self.look()? else {
                return match (self.stack.last(), self.state) {
                    (None, State::Element) => Ok(None),
                    (Some(Frame::Array(_)), _) => Err(self.malformed("the text ends inside an array")),
                    _ => Err(self.malformed("the text ends inside an object")),
                };
            };
            match (self.state, byte) {
                (State::After, b',') => {
                    self.window.consume(1);
                    self.state = self.inside();
                    if matches!(self.look()?, Some(b'}' | b']')) {
                        self.forgive("a comma in front of a closing bracket");
                    }
                }
                (State::Element | State::Member, b',') => {
                    self.forgive("a comma too much");
                    self.window.consume(1);
                }
                (State::After | State::Element | State::Member, b'}' | b']') => return self.close(byte).map(Some),
                (State::After, _) => {
                    self.forgive("a missing comma");
                    self.state = self.inside();
                }
                (State::Member, _) => return self.key_token().map(Some),
                (State::Colon, b':') => {
                    self.window.consume(1);
                    self.state = State::Value;
                }
                (State::Colon, _) => return Err(self.malformed("a key without a colon")),
                (State::Value, b',' | b'}') => {
                    self.forgive("a missing value");
                    self.state = State::After;
                    return Ok(Some(Event::Null));
                }
                (State::Value | State::Element, _) => return self.value_token(byte).map(Some),
            }
        }
    }

    pub(super) fn inside(&self) -> State {
        match self.stack.last() {
            Some(Frame::Object) => State::Member,
            _ => State::Element,
        }
    }

    fn close(&mut self, byte: u8) -> Result<Event<'_>> {
        let event = match (self.stack.last(), byte) {
            (Some(Frame::Object), b'}') => Event::EndObject,
            (Some(Frame::Array(_)), b']') => Event::EndArray,
            _ => return Err(self.malformed(format!("'{}' closes nothing", byte as char))),
        };
        self.window.consume(1);
        self.stack.pop();
        self.finished();
        Ok(event)
    }

    /// A value is complete.
    pub(super) fn finished(&mut self) {
        self.state = State::After;
        match self.stack.last_mut() {
            Some(Frame::Array(ordinal)) => *ordinal += 1,
            Some(Frame::Object) => {}
            None => {
                self.top += 1;
                self.state = State::Element;
            }
        }
    }

    fn open(&mut self, frame: Frame, event: Event<'static>) -> Result<Event<'static>> {
        if self.stack.len() >= self.depth {
            return Err(Error::new(Kind::Limit, format!("nested deeper than {}", self.depth)).at(self.window.place()));
        }
        self.window.consume(1);
        self.stack.push(frame);
        self.state = self.inside();
        Ok(event)
    }

    fn value_token(&mut self, byte: u8) -> Result<Event<'_>> {
        match byte {
            b'{' => self.open(Frame::Object, Event::BeginObject),
            b'[' => self.open(Frame::Array(0), Event::BeginArray),
            b'"' => {
                let (len, plain) = self.string()?;
                self.finished();
                self.text(len, plain).map(Event::String)
            }
            b'0'..=b'9' | b'-' | b'+' | b'.' => {
                let len = self.run(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))?;
                if !self.window.slice(0, len).iter().any(u8::is_ascii_digit) {
                    return self.word(len);
                }
                // The rest of its digits may be missing: 15 of 150.
                if !self.stack.is_empty() && self.window.peek(len)?.is_none() {
                    return Err(self.malformed("the text ends inside a number"));
                }
                self.window.consume(len);
                self.finished();
                Ok(Event::Number(std::str::from_utf8(self.window.behind(len, 0)).unwrap_or("")))
            }
            _ => self.word(0),
        }
    }

    /// `true`, `false`, `null` and what only stands for a missing number.
    fn word(&mut self, sign: usize) -> Result<Event<'_>> {
        let mut len = sign;
        while self.window.peek(len)?.is_some_and(|b| b.is_ascii_alphanumeric()) {
            len += 1;
        }
        let event = match self.window.slice(sign, len) {
            b"true" | b"True" if sign == 0 => Event::Bool(true),
            b"false" | b"False" if sign == 0 => Event::Bool(false),
            b"null" if sign == 0 => Event::Null,
            b"NaN" | b"nan" | b"Infinity" | b"inf" | b"undefined" | b"None" => {
                self.forgive("NaN, Infinity or the like instead of a number");
                Event::Null
            }
            _ => return Err(self.malformed("neither a value nor a bracket")),
        };
        self.window.consume(len);
        self.finished();
        Ok(event)
    }

    fn key_token(&mut self) -> Result<Event<'_>> {
        if self.window.peek(0)? == Some(b'"') {
            let (len, plain) = self.string()?;
            self.state = State::Colon;
            return self.text(len, plain).map(Event::Key);
        }
        let len = self.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'.' | b'$'))?;
        if len == 0 {
            return Err(self.malformed("neither a key nor a bracket"));
        }
        self.forgive("a key without quotes");
        self.window.consume(len);
        self.state = State::Colon;
        Ok(Event::Key(std::str::from_utf8(self.window.behind(len, 0)).unwrap_or("")))
    }

    /// Length of the run of bytes that belong.
    fn run(&mut self, belongs: fn(u8) -> bool) -> Result<usize> {
        let mut len = 0;
        loop {
            let rest = self.window.rest();
            len += rest.get(len..).unwrap_or(&[]).iter().take_while(|&&b| belongs(b)).count();
            if len < rest.len() || !self.window.fill()? {
                return Ok(len);
            }
        }
    }

    /// Finds the end of the string at the position: its length with both quotes, and whether it has no escapes.
    pub(super) fn string(&mut self) -> Result<(usize, bool)> {
        let mut at = 1;
        let mut plain = true;
        loop {
            match memchr2(b'"', b'\\', self.window.rest().get(at..).unwrap_or(&[])) {
                Some(found) if self.window.rest().get(at + found) == Some(&b'"') => {
                    return Ok((at + found + 1, plain));
                }
                Some(found) => {
                    plain = false;
                    at += found + 2;
                    if self.window.peek(at)?.is_none() {
                        return Err(self.malformed("the text ends inside a string"));
                    }
                }
                None => {
                    at = self.window.rest().len().max(1);
                    if !self.window.fill()? {
                        return Err(self.malformed("the text ends inside a string"));
                    }
                }
            }
        }
    }

    /// Consumes the string of `len` bytes and gives its content.
    fn text(&mut self, len: usize, plain: bool) -> Result<&str> {
        let raw = self.window.slice(1, len - 1);
        // All bytes, for many at once; a string without control bytes has to be seen to its end anyway.
        let control = raw.iter().fold(false, |any, b| any | (*b < 0x20));
        if plain && std::str::from_utf8(raw).is_ok() {
            if control {
                self.forgive(CONTROL);
            }
            self.window.consume(len);
            return Ok(std::str::from_utf8(self.window.behind(len - 1, 1)).unwrap_or(""));
        }
        self.scratch.clear();
        let (known, valid) = match std::str::from_utf8(raw) {
            Ok(text) => (unescape(text, &mut self.scratch), true),
            Err(_) => (unescape(&String::from_utf8_lossy(raw), &mut self.scratch), false),
        };
        let faults = [(control, CONTROL), (!valid, "bytes that are no UTF-8"), (!known, "an unknown escape")];
        for (_, fault) in faults.into_iter().filter(|(is, _)| *is) {
            self.forgive(fault);
        }
        self.window.consume(len);
        Ok(&self.scratch)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Drip;
    use super::*;

    /// Events as short text, and whether something was forgiven.
    fn events(text: &[u8]) -> Result<(String, u64)> {
        let mut results = [1, 3, 1 << 20].map(|piece| {
            let limits = Limits::default();
            let mut json = Json::new(Drip::new(text, piece), &limits);
            let mut out = String::new();
            while let Some(event) = json.next()? {
                out += &match event {
                    Event::BeginObject => "{".into(),
                    Event::EndObject => "}".into(),
                    Event::BeginArray => "[".into(),
                    Event::EndArray => "]".into(),
                    Event::Key(key) => format!("{key}:"),
                    Event::String(text) => format!("'{text}' "),
                    Event::Number(text) => format!("{text} "),
                    Event::Bool(is) => format!("{is} "),
                    Event::Null => "null ".into(),
                };
            }
            let mut notes = Notes::new();
            json.report(&mut notes);
            Ok((out, notes.get("json.lenient").map_or(0, |note| note.count)))
        });
        let texts: Vec<String> = results.iter().map(|result| format!("{result:?}")).collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        std::mem::replace(&mut results[0], Ok(Default::default()))
    }

    fn read(text: &str) -> (String, u64) {
        events(text.as_bytes()).unwrap()
    }

    #[test]
    fn strict_json_needs_no_forgiveness() {
        let text = r#" {"a" : [1, -2.5e3, "x\ty", true, null, {}, []], "b\u00e4" : "\ud83d\ude00\/" } "#;
        assert_eq!(read(text), ("{a:[1 -2.5e3 'x\ty' true null {}[]]bä:'😀/' }".into(), 0));
        assert_eq!(read(""), (String::new(), 0));
        assert_eq!(read("\u{feff}[1]"), ("[1 ]".into(), 0));
    }

    #[test]
    fn what_exports_really_write_is_forgiven() {
        for (text, expected, count) in [
            // Huawei: keys without quotes.
            (r#"{"partTimeMap":{1.0:439.0,2.0:605.0}}"#, "{partTimeMap:{1.0:439.0 2.0:605.0 }}", 2),
            // Polar: gaps.
            (r#"[NaN,88,"NaN",Infinity,-Infinity,-NaN]"#, "[null 88 'NaN' null null null ]", 4),
            // Huawei: raw control bytes.
            ("{\"a\":\"x\n\ty\u{1}\"}", "{a:'x\n\ty\u{1}' }", 1),
            (r#"[1,2,]"#, "[1 2 ]", 1),
            (r#"[,1,,2]"#, "[1 2 ]", 2),
            (r#"{"a":1,}"#, "{a:1 }", 1),
            (r#"{"a":,"b":}"#, "{a:null b:null }", 2),
            (r#"[{"a":1}{"a":2}]"#, "[{a:1 }{a:2 }]", 1),
            (r#"["\q\ud800x\u12"]"#, "['\\q\u{fffd}x\u{fffd}12' ]", 1),
            (r#"{"a":1}{"a":2}"#, "{a:1 }{a:2 }", 0),
        ] {
            assert_eq!(read(text), (expected.into(), count), "{text}");
        }
        assert_eq!(events(b"[\"Lauf \xfc\"]").unwrap(), ("['Lauf \u{fffd}' ]".into(), 1));
    }

    #[test]
    fn the_rest_is_an_error_with_its_byte() {
        for (text, byte, reason) in [
            ("[1, abc]", 4, "neither a value"),
            ("{\"a\" 1}", 5, "colon"),
            ("[1}", 2, "closes nothing"),
            ("{]", 1, "closes nothing"),
            ("[1, [2]", 7, "inside an array"),
            ("{\"a\":[]", 7, "inside an object"),
            ("{\"a\":1", 5, "inside a number"),
            ("[\"abc", 1, "inside a string"),
            ("[\"abc\\", 1, "inside a string"),
            ("}", 0, "closes nothing"),
            ("{\u{1}:1}", 1, "neither a key"),
        ] {
            let error = events(text.as_bytes()).unwrap_err();
            assert!(error.kind() == Kind::Malformed && error.message().contains(reason), "{text}: {error}");
            assert_eq!(error.place().byte, Some(byte), "{text}: {error}");
        }
    }

    #[test]
    fn a_long_string_is_limited() {
        let limits = Limits { entry_bytes: 1 << 20, ..Limits::default() };
        let text = [b"[\"", &vec![b'x'; 3 << 20][..], b"\"]"].concat();
        let mut json = Json::new(&text[..], &limits);
        json.next().unwrap();
        let error = json.next().unwrap_err();
        assert!(error.to_string().contains("--max-entry"), "{error}");
    }
}
