//! Lines of the JSON contract that wait for the end of a run: of many most are in a temporary file.

use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Result};
use crate::history::{Text, Waiting};
use crate::source;

/// Lines that wait, in the order in which they will be told.
pub struct Told {
    lines: Vec<Text>,
    waiting: Arc<Waiting>,
}

impl Told {
    pub(super) fn new() -> Told {
        Told { lines: Vec::new(), waiting: Arc::new(Waiting::made(source::nameless)) }
    }

    /// Where its lines wait.
    pub(super) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Lines that are left already.
    pub(super) fn of(lines: Vec<Text>, waiting: Waiting) -> Told {
        Told { lines, waiting: Arc::new(waiting) }
    }

    /// Lines that will be told after these, and wait in the same place.
    pub(super) fn more(&self) -> Told {
        Told { lines: Vec::new(), waiting: Arc::clone(&self.waiting) }
    }

    /// Puts lines of [`Told::more`] behind these.
    pub(super) fn append(&mut self, mut more: Told) {
        debug_assert!(Arc::ptr_eq(&self.waiting, &more.waiting), "they wait in the same place");
        self.lines.append(&mut more.lines);
    }

    /// Adds the line of a value.
    ///
    /// # Errors
    /// `Io` when the temporary file cannot be written.
    pub(super) fn add(&mut self, value: &impl Serialize) -> Result<()> {
        self.lines.push(self.waiting.put_json(value)?);
        Ok(())
    }

    /// Adds a line that is written already.
    ///
    /// # Errors
    /// As [`Told::add`].
    pub(super) fn add_line(&mut self, line: &[u8]) -> Result<()> {
        self.lines.push(self.waiting.put(line)?);
        Ok(())
    }

    /// Puts the line of a value in the place of another one.
    ///
    /// # Errors
    /// As [`Told::add`].
    pub(super) fn replace(&mut self, place: usize, value: &impl Serialize) -> Result<()> {
        if let Some(line) = self.lines.get_mut(place) {
            *line = self.waiting.put_json(value)?;
        }
        Ok(())
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The value of a line.
    ///
    /// # Errors
    /// When there is no such line, or it cannot be read where it waits.
    pub(super) fn value<T: DeserializeOwned>(&self, place: usize) -> Result<T> {
        let missing = || Error::new(Kind::Internal, "fewer lines were left");
        self.waiting.read_json(*self.lines.get(place).ok_or_else(missing)?)
    }

    /// Hands on all lines, without their ends.
    ///
    /// # Errors
    /// What `each` says, and when a line cannot be read where it waits.
    pub fn each_line(&self, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut line = Vec::new();
        self.lines.iter().try_for_each(|text| {
            self.waiting.read(*text, &mut line)?;
            each(&line)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_their_order_with_those_that_took_the_places_of_others() {
        let mut told = Told::new();
        for n in 0..5 {
            told.add(&n).unwrap();
        }
        told.add_line(b"{}").unwrap();
        told.replace(3, &"three").unwrap();
        let mut more = told.more();
        more.add(&true).unwrap();
        told.add(&false).unwrap();
        told.append(more);
        let mut all = Vec::new();
        told.each_line(&mut |line| {
            all.push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        })
        .unwrap();
        assert_eq!(all, ["0", "1", "2", "\"three\"", "4", "{}", "false", "true"]);
        assert_eq!((told.len(), told.value::<String>(3).unwrap()), (8, "three".to_owned()));
        assert!(told.value::<u8>(8).is_err());
    }
}
