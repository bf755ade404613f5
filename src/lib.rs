//! `paceport` takes a person's workout history out of files and export archives, turns it into one canonical activity
//! model, repairs its time zones, finds the same workout among many files and merges it, converts between FIT, GPX and
//! TCX, and keeps the whole history on disk. Nothing leaves the machine.

pub mod crosscheck;
pub mod dedupe;
pub mod error;
pub mod exports;
pub mod fix;
pub mod formats;
pub mod history;
pub mod ids;
pub mod json;
pub mod limits;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod source;

pub use error::{Error, Kind, Place, Result};

/// The README's examples are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
