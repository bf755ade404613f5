//! Reading, with the peers in the same run: `cargo bench --bench read`.

mod fit;
mod huawei;
mod xml;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, fit::bench, huawei::bench, xml::bench);
criterion_main!(benches);
