//! A sales agent whose work is billed. Its tests show how to test yours: `cargo test -p own-tests`.

/// A person that the agent writes to.
#[derive(Debug, Clone)]
pub struct Lead {
    /// Your id of the person.
    pub id: String,
    /// What the person answers, in place of a mailbox.
    pub reply: Reply,
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// A meeting at this hour.
    Meeting(u8),
    /// Nothing.
    Silence,
    /// The address does not exist.
    Bounce,
}

/// Why no e-mail went out.
#[derive(Debug, PartialEq, Eq)]
pub struct Bounced;

/// Writes to a lead: billed if the e-mail went out.
#[paid::signal("email_sent", data(lead_id = lead.id), idempotency_key = ["mail", &lead.id])]
pub fn write(lead: &Lead) -> Result<Reply, Bounced> {
    if lead.reply == Reply::Bounce { Err(Bounced) } else { Ok(lead.reply) }
}

/// Books the meeting that a lead offers: billed if there is one.
#[paid::signal("meeting_booked", data(lead_id = lead.id), idempotency_key = ["meeting", &lead.id])]
pub fn book(lead: &Lead, reply: Reply) -> Option<u8> {
    match reply {
        Reply::Meeting(hour) => Some(hour),
        Reply::Silence | Reply::Bounce => None,
    }
}

/// Works through the leads of a customer, and returns the number of meetings.
pub fn campaign(customer: &str, leads: &[Lead]) -> usize {
    let work = || leads.iter().filter_map(|lead| book(lead, write(lead).ok()?)).count();
    paid::scope().customer(customer).run_sync(work)
}
