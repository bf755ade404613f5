//! JSON as exports really contain it: read as a stream of any length, forgiving where the meaning is beyond doubt.
//!
//! Forgiven, and counted ([`Json::report`]): numbers and words as keys without quotes (Huawei), `NaN`,
//! `Infinity` and missing values (Polar), control bytes inside strings (Huawei), trailing, doubled and missing commas,
//! unknown escapes, bytes that are no UTF-8, a byte order mark, several values one after the other (JSON lines).
//!
//! Three ways to read, which mix freely: events ([`Json::next`]), steps ([`Json::object`], [`Json::key`], [`Json::array`],
//! [`Json::skip`]) and trees ([`Json::value`], [`Json::element`]). [`Json::element`] recovers: a broken element of a huge
//! array costs that element.

mod build;
mod compact;
mod decimal;
mod elements;
mod escape;
mod reader;
mod steps;
mod value;
mod window;

pub use compact::{Compact, number_of, or_null, text_of};
pub use decimal::{leading_decimal, short_decimal};
pub use reader::{Event, Json};
pub use steps::Shape;
pub use value::{Number, Value};

#[cfg(test)]
mod testing {
    /// Gives its bytes in small pieces.
    pub(super) struct Drip<'a> {
        bytes: &'a [u8],
        piece: usize,
    }

    impl<'a> Drip<'a> {
        pub(super) fn new(bytes: &'a [u8], piece: usize) -> Drip<'a> {
            Drip { bytes, piece }
        }
    }

    impl std::io::Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.piece.min(out.len());
            self.bytes.read(&mut out[..n])
        }
    }
}
