type Words = Vec<u32>;

#[derive(paid::PaidSignal)]
#[paid(signal = "email_sent")]
struct Email {
    #[paid(skip_none)]
    words: Words,
}

fn main() {}
