struct Lead {
    id: String,
    account: String,
}

struct Meeting {
    minutes: u32,
}

#[paid::signal(
    "meeting_booked",
    customer = lead.account,
    data(lead = lead.id, duration_minutes = ret.minutes)
)]
async fn book_meeting(lead: &Lead) -> Result<Meeting, String> {
    Ok(Meeting { minutes: 30 })
}

fn main() {}
