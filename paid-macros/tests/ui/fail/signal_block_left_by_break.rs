fn main() {
    for number in 0..3 {
        paid::signal_block!("counted", customer = "acme", {
            if number == 1 {
                break;
            }
        });
    }
}
