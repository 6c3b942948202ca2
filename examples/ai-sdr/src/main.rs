//! An AI sales rep that bills for its work: Paid's developer guide from start to end.
//!
//! If `PAID_API_KEY` is set, it talks to Paid. Otherwise it starts the emulator and says so.

mod guide;
mod margin;
mod model;
mod report;
mod sdr;

use std::process::ExitCode;

use anyhow::{Context, Result};
use paid::Client;
use paid::emulator::Emulator;
use paid::trace::TraceGuard;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    if std::env::var_os("PAID_API_KEY").is_some() {
        let client = Client::from_env().context("the client cannot be set up")?;
        println!("Talking to Paid at {}", client.base_url());
        let tracing = paid::trace::init().context("tracing")?;
        walk(&client, &tracing).await?;
        println!("What each signal cost, and its margin, is in Paid now.");
        return Ok(());
    }
    let emulator = Emulator::start().await.context("the emulator cannot listen on this machine")?;
    println!("PAID_API_KEY is not set: a local emulator at {} stands in for Paid", emulator.url());
    let tracing =
        paid::trace::builder().api_key("paid_emulator").endpoint(emulator.collector_url()).init().context("tracing")?;
    walk(&emulator.client(), &tracing).await?;
    margin::print(&emulator);
    Ok(())
}

/// The developer guide: product, account, contact, order, a day of signals, invoice.
async fn walk(client: &Client, tracing: &TraceGuard) -> Result<()> {
    let begun = std::time::Instant::now();
    let product = guide::product(client).await.context("step 1, the product")?;
    let customer = guide::account(client).await.context("step 2, the account")?;
    let contact = guide::contact(client, &customer).await.context("step 3, the contact")?;
    let order = guide::order(client, &customer, &contact, &product).await.context("step 4, the order")?;
    let sent = sdr::a_day_of_work(client, tracing).await.context("step 5, the signals")?;
    let invoice = guide::invoice(client, &order).await.context("step 6, the invoice")?;
    report::print(&invoice, &sent, begun.elapsed());
    Ok(())
}
