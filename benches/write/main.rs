//! Writing, with the peers in the same run: `cargo bench --bench write`.

#[path = "../read/fit.rs"]
#[allow(dead_code, reason = "only its ride and corpus are written here")]
mod read_fit;

mod fit;
mod formats;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, fit::bench, formats::bench);
criterion_main!(benches);
