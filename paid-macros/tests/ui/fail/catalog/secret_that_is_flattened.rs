use paid::PaidSignal;
use paid::signal::value::Flatten;

#[derive(serde::Serialize)]
struct Call {
    token: String,
    seconds: u32,
}

impl Flatten for Call {
    const FIELDS: &'static [&'static str] = &["token", "seconds"];
}

#[derive(PaidSignal)]
#[paid(signal = "lead_contacted")]
struct LeadContacted {
    #[paid(flatten)]
    call: Call,
}

fn main() {}
