fn main() {
    paid::signal_block!("meeting_boked", customer = "acme", {});
    paid::signal_block!("meeting_booked", customer = "acme", data(lead_id = 7, minutes = 30), || ());
}
