//! The sales rep's day: what it does is sent as signals.

use anyhow::{Result, bail};
use paid::types::{CreateSignalsRequest, CreateSignalsResponse, ExternalCustomerId, ExternalProductId, Signal};
use paid::{Client, Timestamp, object};

use crate::guide::{ACCOUNT, PRODUCT};

const EMAILS: u32 = 40;
const MEETINGS: u32 = 3;

/// Step 5: forty e-mails, and the meetings that came of them.
pub(crate) async fn a_day_of_work(client: &Client) -> Result<CreateSignalsResponse> {
    let today = Timestamp::now().date_naive();
    let emails = (1..=EMAILS).map(|number| {
        signal("email_sent", format!("{today}/email/{number}")).data(object!({ "lead_id": format!("lead-{number}") }))
    });
    let meetings = (1..=MEETINGS).map(|number| {
        let data = object!({ "lead_id": format!("lead-{}", number * 10), "duration_minutes": 30 });
        signal("meeting_booked", format!("{today}/meeting/{number}")).data(data)
    });
    let signals: Vec<_> = emails.chain(meetings).collect();
    let answer = client.signals().create(&CreateSignalsRequest::new(signals)).await?;
    if answer.failed > 0 {
        // A success that is none: Paid says so in a count only.
        bail!("Paid refused {} of {} signals", answer.failed, EMAILS + MEETINGS);
    }
    println!("5. signals   {} e-mails, {} meetings", EMAILS, MEETINGS);
    Ok(answer)
}

/// The key makes sending it again safe: today's first e-mail is billed once, however often this runs.
fn signal(event_name: &str, key: String) -> Signal {
    Signal::new(event_name, ExternalCustomerId::from(ACCOUNT))
        .attribution(ExternalProductId::from(PRODUCT))
        .idempotency_key(key)
}
