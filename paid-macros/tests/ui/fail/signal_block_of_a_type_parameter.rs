fn run<T, F: Fn() -> T>(work: F) -> T {
    paid::signal_block!("email_sent", customer = "acme", { work() })
}

fn main() {
    run(|| 7);
}
