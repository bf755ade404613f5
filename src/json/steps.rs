//! Step by step: into objects and arrays, from key to key, past what is of no interest.

use std::io::Read;

use super::reader::{Event, Frame, Json, State};
use crate::error::{Error, Kind, Result};

/// What kind of value follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// Anything else.
    Scalar,
    /// Nothing: the container or the text ends here.
    End,
}

impl<R: Read> Json<R> {
    /// What kind of value follows, or that none does.
    ///
    /// # Errors
    /// As [`Json::next`].
    pub fn peek(&mut self) -> Result<Shape> {
        loop {
            return Ok(match (self.state, self.look()?) {
                (State::After | State::Element, Some(b',')) => {
                    self.window.consume(1);
                    if self.state == State::Element {
                        self.forgive("a comma too much");
                    }
                    self.state = self.inside();
                    continue;
                }
                (State::Colon, Some(b':')) => {
                    self.window.consume(1);
                    self.state = State::Value;
                    continue;
                }
                (_, Some(b'{')) => Shape::Object,
                (_, Some(b'[')) => Shape::Array,
                (_, Some(b'}' | b']') | None) => Shape::End,
                (_, Some(_)) => Shape::Scalar,
            });
        }
    }

    /// Steps into the object that follows.
    ///
    /// # Errors
    /// `Malformed` when something else follows, else as [`Json::next`].
    pub fn object(&mut self) -> Result<()> {
        self.expect(Shape::Object, "an object")
    }

    /// Steps into the array that follows.
    ///
    /// # Errors
    /// `Malformed` when something else follows, else as [`Json::next`].
    pub fn array(&mut self) -> Result<()> {
        self.expect(Shape::Array, "an array")
    }

    fn expect(&mut self, shape: Shape, name: &str) -> Result<()> {
        if self.peek()? != shape {
            return Err(self.malformed(format!("{name} is missing")));
        }
        self.next().map(|_| ())
    }

    /// The next key of the object that was stepped into; `None` when it ends. Read or skip its value next.
    ///
    /// # Errors
    /// As [`Json::next`].
    pub fn key(&mut self) -> Result<Option<&str>> {
        match self.next()? {
            Some(Event::Key(key)) => Ok(Some(key)),
            Some(Event::EndObject) => Ok(None),
            _ => Err(Error::new(Kind::Internal, "a key was asked for outside of an object")),
        }
    }

    /// Passes over the value that follows, whatever is in it.
    ///
    /// # Errors
    /// `Malformed` when the text ends in it, `Io`.
    pub fn skip(&mut self) -> Result<()> {
        if let Some(Event::BeginObject | Event::BeginArray) = self.next()? {
            let outside = self.stack.len() - 1;
            self.leave(outside)?;
        }
        Ok(())
    }

    /// Passes over the rest of the containers above `depth`. Only brackets and strings are looked at.
    ///
    /// # Errors
    /// `Malformed` when a bracket closes what another opened or the text ends, `Io`.
    pub(super) fn leave(&mut self, depth: usize) -> Result<()> {
        while self.stack.len() > depth {
            let rest = self.window.rest();
            let plain = rest.iter().take_while(|b| !matches!(b, b'"' | b'{' | b'}' | b'[' | b']')).count();
            let byte = rest.get(plain).copied();
            self.window.consume(plain);
            match (byte, self.stack.last()) {
                (None, _) => {
                    if !self.window.fill()? {
                        return Err(self.malformed("the text ends inside a value"));
                    }
                    continue;
                }
                (Some(b'"'), _) => {
                    let (len, _) = self.string()?;
                    self.window.consume(len);
                    continue;
                }
                (Some(b'{'), _) => self.stack.push(Frame::Object),
                (Some(b'['), _) => self.stack.push(Frame::Array(0)),
                (Some(b'}'), Some(Frame::Object)) | (Some(b']'), Some(Frame::Array(_))) => {
                    self.stack.pop();
                }
                (Some(byte), _) => return Err(self.malformed(format!("'{}' closes nothing", byte as char))),
            }
            self.window.consume(1);
        }
        self.finished();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn depth_is_limited_but_passing_over_is_not() {
        let limits = Limits { json_depth: 3, ..Limits::default() };
        let text = "[[[[1]]]] 7";
        let mut json = Json::new(text.as_bytes(), &limits);
        assert_eq!(json.value().unwrap_err().kind(), Kind::Limit);
        let mut json = Json::new(text.as_bytes(), &limits);
        json.skip().unwrap();
        assert_eq!(json.next().unwrap(), Some(Event::Number("7")));
    }

    #[test]
    fn shapes_are_seen_before_they_are_read() {
        let limits = Limits::default();
        let mut json = Json::new(&b"{\"a\": [1, {}], \"b\": 2}"[..], &limits);
        assert_eq!(json.peek().unwrap(), Shape::Object);
        json.object().unwrap();
        assert_eq!(json.key().unwrap(), Some("a"));
        assert_eq!(json.peek().unwrap(), Shape::Array);
        json.array().unwrap();
        assert_eq!(json.peek().unwrap(), Shape::Scalar);
        assert_eq!(json.ordinal(), 0);
        json.skip().unwrap();
        assert_eq!((json.peek().unwrap(), json.ordinal()), (Shape::Object, 1));
        assert!(json.array().is_err());
        json.skip().unwrap();
        assert_eq!(json.peek().unwrap(), Shape::End);
    }
}
