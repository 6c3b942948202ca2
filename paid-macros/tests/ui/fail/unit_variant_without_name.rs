use paid::PaidSignal;

#[derive(PaidSignal)]
enum Call {
    #[paid(signal = "call_made")]
    Made { seconds: u32 },
    MissedByFar,
}

fn main() {}
