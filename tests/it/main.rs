//! Behaviour across rooms. One binary, so that the crate is linked once.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod codes;
mod expect;
mod fixtures;
mod rooms;
