#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| paceport_fuzz::read("polar_csv", bytes));
