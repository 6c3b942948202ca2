fn main() {
    let work = #[paid::signal("meeting_booked")]
    || 7;
    work();
}
