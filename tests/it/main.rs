//! Behaviour across rooms. One binary, so that the crate is linked once.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests may see the machine and say what they skip"
)]

mod anonymous;
mod checked;
mod cli;
mod cli_history;
mod codes;
mod corpus_fit;
mod corpus_flow;
mod corpus_huawei;
mod corpus_nike;
mod corpus_polar;
mod corpus_same;
mod corpus_xml;
mod corpus_zones;
mod expect;
mod exports;
mod fit_judged;
mod fit_read;
mod fit_roundtrip;
mod fit_validate;
mod fit_write;
mod fixtures;
mod flow;
mod full_disk;
mod fuzz;
mod history;
mod hostile;
mod huawei;
mod kept;
mod kill;
mod large;
mod later;
mod merged;
mod mutants;
mod nike;
mod polar;
mod random;
mod readme;
mod refresh;
mod rooms;
mod same;
mod silent;
mod source;
mod supply;
mod survival;
mod synthetic;
mod tables;
mod tcx_read;
mod written;
mod xml_holes;
mod xml_marks;
mod xml_paths;
mod xml_read;
mod xml_roundtrip;
mod xml_shapes;
mod zone_laws;
mod zones;
