use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(rename_all = "camelCase")]
enum Call<'a> {
    #[paid(signal = "call_made")]
    Made {
        #[paid(customer)]
        account: &'a str,
        #[paid(idempotency_key)]
        number: u64,
        call_seconds: u32,
    },
    #[paid(signal = "call_missed")]
    Missed,
}

fn main() {
    assert_eq!(Call::NAMES, ["call_made", "call_missed"]);
}
