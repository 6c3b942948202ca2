//! The sales rep: functions that do its work and name their signals. `signals.toml` defines the signals' names and
//! data; a typo here does not compile.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use paid::trace::{Operation, TraceGuard, genai, read};
use paid::{Client, Emitter, Stats, Timestamp};

use crate::guide::{ACCOUNT, PRODUCT};
use crate::model;

const EMAILS: u32 = 40;

/// A person who may become a customer of the account.
struct Lead {
    id: String,
    /// The number of the lead today; together with the date it identifies the work.
    number: u32,
}

struct Meeting {
    minutes: u32,
}

/// A lead did not want to meet.
#[derive(Debug, thiserror::Error)]
#[error("the lead does not want to meet")]
struct Declined;

/// An idempotency key that makes it safe to run this again: today's first e-mail is billed once, however often it is
/// sent.
fn key(work: &str, lead: &Lead) -> String {
    format!("{}/{work}/{}", Timestamp::now().date_naive(), lead.number)
}

/// Asks the model for a text, and records the usage.
async fn write(lead: &Lead, words: u32) -> Result<String, model::NoAnswer> {
    let call = genai("openai", Operation::Chat).request_model(model::MODEL).start();
    let answer = call.observe_with(model::ask(lead.number, words), read::openai_chat).await?;
    Ok(answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned())
}

// The signal carries the costs of the traced work.
#[paid::trace(customer = ACCOUNT, product = PRODUCT)]
#[paid::signal("email_sent", cost_attributed, idempotency_key = key("email", lead), data(lead_id = lead.id))]
async fn send_email(lead: &Lead) -> Result<(), model::NoAnswer> {
    let text = write(lead, 120).await?;
    // A real sales rep would send the text here.
    let _ = text;
    Ok(())
}

#[paid::trace(customer = ACCOUNT, product = PRODUCT)]
#[paid::signal("meeting_booked", cost_attributed, idempotency_key = key("meeting", lead), data(lead_id = lead.id, duration_minutes = ret.minutes))]
async fn book_meeting(lead: &Lead) -> Result<Meeting, Declined> {
    write(lead, 300).await.map_err(|_| Declined)?;
    if lead.number.is_multiple_of(13) { Ok(Meeting { minutes: 30 }) } else { Err(Declined) }
}

/// Step 5: forty e-mails and the meetings that result from them, each a traced piece of work.
pub(crate) async fn a_day_of_work(client: &Client, tracing: &TraceGuard) -> Result<Stats> {
    let emitter = Emitter::new(client.clone()).context("the emitter")?;
    paid::install(emitter.clone());
    let mut booked = 0;
    for number in 1..=EMAILS {
        let lead = Lead { id: format!("lead-{number}"), number };
        send_email(&lead).await?;
        booked += u32::from(book_meeting(&lead).await.is_ok());
    }
    tracing.flush(Duration::from_secs(30)).await.context("the spans")?;
    emitter.flush(Duration::from_secs(30)).await.context("the emitter")?;
    let stats = emitter.stats();
    if stats.rejected + stats.dropped + stats.refused > 0 {
        bail!("{} of {} signals were not delivered", stats.rejected + stats.dropped + stats.refused, EMAILS + booked);
    }
    println!("5. signals   {EMAILS} e-mails, {booked} meetings");
    Ok(stats)
}
