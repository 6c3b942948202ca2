#[paid::signal("meeting_booked")]
struct MeetingBooked;

#[paid::signal("meeting_booked")]
impl MeetingBooked {}

fn main() {}
