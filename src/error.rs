//! One small error type. Its kind says whose fault it is, its place says where in the source it happened.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The operating system refused to read or write.
    Io,
    /// No format of the table knows these bytes.
    Unrecognised,
    /// The bytes break the rules of their format.
    Malformed,
    /// Well formed, but something that this version does not do.
    Unsupported,
    /// A limit of [`crate::limits::Limits`] was reached; the message names the option that raises it.
    Limit,
    /// The content is encrypted and no password, or a wrong one, was given.
    Encrypted,
    /// The history on disk is locked, damaged or of an unknown version.
    History,
    /// The caller asked for something that makes no sense.
    Usage,
    /// A fault of this program (a panic inside a reader ends here).
    Internal,
}

impl Kind {
    /// The lower-case word that messages and JSON use.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Io => "io",
            Kind::Unrecognised => "unrecognised",
            Kind::Malformed => "malformed",
            Kind::Unsupported => "unsupported",
            Kind::Limit => "limit",
            Kind::Encrypted => "encrypted",
            Kind::History => "history",
            Kind::Usage => "usage",
            Kind::Internal => "internal",
        }
    }
}

/// Where in a source something was found. Every part is optional; an empty place prints nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Byte offset from the start of the content (after gunzip and transcoding to UTF-8).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub byte: Option<u64>,
    /// Line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// Ordinal of the record, row or message, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<u64>,
    /// Name of the XML element, JSON key or section.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub element: Option<Box<str>>,
}

impl Place {
    /// No place: the whole source.
    pub const NOWHERE: Place = Place { byte: None, line: None, record: None, element: None };

    /// A byte offset.
    pub fn byte(at: usize) -> Place {
        Place { byte: Some(at as u64), ..Place::NOWHERE }
    }

    /// A line, counted from 1.
    pub fn line(line: usize) -> Place {
        Place { line: Some(line as u64), ..Place::NOWHERE }
    }

    /// The same place inside a named element.
    pub fn element(mut self, name: &str) -> Place {
        self.element = Some(name.into());
        self
    }

    /// The same place at a record ordinal.
    pub fn record(mut self, ordinal: usize) -> Place {
        self.record = Some(ordinal as u64);
        self
    }

    /// True when nothing is known.
    pub fn is_nowhere(&self) -> bool {
        *self == Place::NOWHERE
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if let Some(line) = self.line {
            write!(f, "line {line}")?;
            gap = ", ";
        }
        if let Some(byte) = self.byte {
            write!(f, "{gap}byte {byte}")?;
            gap = ", ";
        }
        if let Some(record) = self.record {
            write!(f, "{gap}record {record}")?;
            gap = ", ";
        }
        if let Some(element) = &self.element {
            write!(f, "{gap}in {element}")?;
        }
        Ok(())
    }
}

/// A failure: kind, source, place, message. One pointer wide, so that `Result`s stay small.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    source: Option<String>,
    place: Place,
    message: String,
    cause: Option<std::io::Error>,
}

impl Error {
    /// A new error without source and place; add them with [`Error::at`] and [`Error::in_source`].
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, source: None, place: Place::NOWHERE, message: message.into(), cause: None }))
    }

    /// Bytes that break the rules of their format.
    pub fn malformed(place: Place, message: impl Into<String>) -> Error {
        Error::new(Kind::Malformed, message).at(place)
    }

    /// A reached limit; `option` is the command-line option that raises it.
    pub fn limit(option: &str, message: impl fmt::Display) -> Error {
        Error::new(Kind::Limit, format!("{message} (raise it with {option})"))
    }

    /// An error of the operating system while doing `what`.
    pub fn io(what: impl fmt::Display, cause: std::io::Error) -> Error {
        let mut error = Error::new(Kind::Io, format!("{what}: {cause}"));
        error.0.cause = Some(cause);
        error
    }

    /// The same error at a place; a place that is already known stays.
    pub fn at(mut self, place: Place) -> Error {
        if self.0.place.is_nowhere() {
            self.0.place = place;
        }
        self
    }

    /// The same error in a named source; a name that is already known stays.
    pub fn in_source(mut self, name: &str) -> Error {
        self.0.source.get_or_insert_with(|| name.to_owned());
        self
    }

    /// The same once more, for another thing that it stopped; without the operating system's error.
    #[must_use]
    pub fn again(&self) -> Error {
        let Inner { kind, source, place, message, .. } = &*self.0;
        let (source, place, message) = (source.clone(), place.clone(), message.clone());
        Error(Box::new(Inner { kind: *kind, source, place, message, cause: None }))
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Where it happened.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The source's name, when known.
    pub fn source_name(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// The message without source, kind and place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operating system's error, when there is one.
    pub fn io_error(&self) -> Option<&std::io::Error> {
        self.0.cause.as_ref()
    }
}

impl fmt::Display for Error {
    /// `export.zip!/a.fit: malformed at byte 307, record 57: definition for local message 3 is missing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.0.source {
            write!(f, "{}: ", crate::report::printable(source))?;
        }
        f.write_str(self.0.kind.name())?;
        if !self.0.place.is_nowhere() {
            write!(f, " {}", crate::report::at(&self.0.place.to_string()))?;
        }
        write!(f, ": {}", crate::report::printable(&self.0.message))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_source_kind_place_and_reason() {
        let place = Place::byte(307).record(57);
        let error = Error::malformed(place, "definition for local message 3 is missing").in_source("export.zip!/a.fit");
        assert_eq!(
            error.to_string(),
            "export.zip!/a.fit: malformed at byte 307, record 57: definition for local message 3 is missing"
        );
    }

    #[test]
    fn first_place_and_source_win() {
        let error =
            Error::new(Kind::Limit, "too big").at(Place::line(3)).at(Place::line(9)).in_source("a").in_source("b");
        assert_eq!(error.to_string(), "a: limit at line 3: too big");
        let error = Error::malformed(Place::NOWHERE.element("Params"), "no date");
        assert_eq!(error.to_string(), "malformed in Params: no date");
    }

    #[test]
    fn is_one_pointer_wide_and_crosses_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
