//! Bytes as they may stand in a damaged outbox: reading them does not panic, and what can be read is written the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| paid::fuzzing::read_frame(bytes));
