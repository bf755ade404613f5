//! How a chain of readers says that the stored bytes are damaged: as an `io::Error` that carries a [`Flaw`] (what was
//! read so far is good) or this crate's own error (nothing of it may be used).

use std::fmt;
use std::io;

use crate::error::{Error, Kind, Place};
use crate::report::Code;

/// Damage after some good bytes.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) code: Code,
    pub(super) place: Place,
    pub(super) detail: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Flaw {}

/// Ends the stream at a flaw.
pub(super) fn flaw(code: Code, place: Place, detail: impl Into<String>) -> io::Error {
    io::Error::other(Flaw { code, place, detail: detail.into() })
}

/// Ends the stream with an error.
pub(super) fn fatal(error: Error) -> io::Error {
    io::Error::other(error)
}

/// What ended a stream.
pub(super) enum End {
    Flaw(Flaw),
    Fatal(Error),
}

/// Takes apart what [`flaw`] and [`fatal`] packed; anything else is an error of the operating system.
pub(super) fn end_of(error: io::Error) -> End {
    let error = match error.downcast::<Flaw>() {
        Ok(flaw) => return End::Flaw(flaw),
        Err(error) => error,
    };
    match error.downcast::<Error>() {
        Ok(error) => End::Fatal(error),
        Err(error) => End::Fatal(Error::io("cannot read", error)),
    }
}

/// What ended a stream, when nothing before it is of use.
pub(super) fn error_of(error: io::Error) -> Error {
    match end_of(error) {
        End::Flaw(flaw) => Error::new(Kind::Malformed, flaw.detail).at(flaw.place),
        End::Fatal(error) => error,
    }
}
