trait Work {
    #[paid::signal("meeting_booked")]
    fn work(&self);
}

fn main() {}
