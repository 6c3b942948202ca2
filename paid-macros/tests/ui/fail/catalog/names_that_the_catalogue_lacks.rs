use paid::signal::Signal;

fn main() {
    paid::emit(Signal::new(paid::event_name!("meting_booked")));
    paid::assert_emitted!("meting_booked", customer == "acme");
    paid::assert_not_emitted!("meting_booked");
    let _ = paid::count_emitted!("meting_booked");
    let name = "meeting_booked";
    let _ = paid::event_name!(name);
}
