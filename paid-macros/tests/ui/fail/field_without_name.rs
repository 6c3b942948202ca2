struct Lead {
    id: u32,
}

#[paid::signal("meeting_booked", data(lead.id))]
fn work(lead: &Lead) {}

#[paid::signal("meeting_booked", data("lead_id" = lead.id))]
fn more_work(lead: &Lead) {}

fn main() {}
