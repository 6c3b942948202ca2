//! A damaged outbox: reading it does not panic, what can be read was written, and what is missing is counted.
#![no_main]

type Texts = Vec<(String, String, Vec<u8>)>;

libfuzzer_sys::fuzz_target!(|input: (Texts, Vec<(u16, u8)>, u16, &[u8])| {
    let (texts, damage, length, bytes) = input;
    paid::fuzzing::damage_frame(&texts, &damage, length);
    paid::fuzzing::read_frame(bytes);
});
