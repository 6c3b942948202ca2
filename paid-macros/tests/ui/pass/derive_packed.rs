#![allow(dead_code)]

#[derive(paid::PaidSignal, Clone, Copy)]
#[repr(C, packed(2))]
#[paid(signal = "frame_sent")]
struct Frame {
    kind: u8,
    words: u32,
    #[paid(idempotency_key)]
    number: u64,
}

fn main() {}
