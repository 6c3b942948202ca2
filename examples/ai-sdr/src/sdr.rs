//! The sales rep: functions that do its work, and say which signal that is. What a signal is called and what it
//! carries stands in `signals.toml`; a typo here does not compile.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use paid::{Client, Emitter, Stats, Timestamp};

use crate::guide::ACCOUNT;

const EMAILS: u32 = 40;

/// Somebody who may become a customer of the account.
struct Lead {
    id: String,
    /// Today's number; with the day it makes the work's key.
    number: u32,
}

struct Meeting {
    minutes: u32,
}

/// A lead did not want to meet.
#[derive(Debug)]
struct Declined;

/// The key makes it safe to run this again: today's first e-mail is billed once, however often it is sent.
fn key(work: &str, lead: &Lead) -> String {
    format!("{}/{work}/{}", Timestamp::now().date_naive(), lead.number)
}

#[paid::signal("email_sent", idempotency_key = key("email", lead), data(lead_id = lead.id))]
async fn send_email(lead: &Lead) {
    // A real sales rep would write and send one here.
    let _ = lead;
}

#[paid::signal("meeting_booked", idempotency_key = key("meeting", lead), data(lead_id = lead.id, duration_minutes = ret.minutes))]
async fn book_meeting(lead: &Lead) -> Result<Meeting, Declined> {
    if lead.number.is_multiple_of(13) { Ok(Meeting { minutes: 30 }) } else { Err(Declined) }
}

/// Step 5: forty e-mails, and the meetings that come of them. Whose work it is, is said once.
pub(crate) async fn a_day_of_work(client: &Client) -> Result<Stats> {
    let emitter = Emitter::new(client.clone()).context("the emitter")?;
    paid::install(emitter.clone());
    let booked = paid::scope()
        .customer(ACCOUNT)
        .run(async {
            let mut booked = 0;
            for number in 1..=EMAILS {
                let lead = Lead { id: format!("lead-{number}"), number };
                send_email(&lead).await;
                booked += u32::from(book_meeting(&lead).await.is_ok());
            }
            booked
        })
        .await;
    emitter.flush(Duration::from_secs(30)).await.context("the emitter")?;
    let stats = emitter.stats();
    if stats.rejected + stats.dropped + stats.refused > 0 {
        bail!("{} of {} signals were not delivered", stats.rejected + stats.dropped + stats.refused, EMAILS + booked);
    }
    println!("5. signals   {EMAILS} e-mails, {booked} meetings");
    Ok(stats)
}
