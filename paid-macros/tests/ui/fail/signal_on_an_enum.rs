use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "call_made")]
enum Call {
    #[paid(signal = "call_missed")]
    Missed,
}

fn main() {}
