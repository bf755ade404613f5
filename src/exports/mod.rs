//! Room: exports.
