//! Room: dedupe.
