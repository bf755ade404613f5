//! Reading, with the peers in the same run: `cargo bench --bench read`.

mod fit;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, fit::bench);
criterion_main!(benches);
