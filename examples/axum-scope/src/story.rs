//! Two customers, a few requests of theirs, and what each is billed for.

use std::time::Duration;

use anyhow::{Context, Result};
use paid::emulator::Emulator;
use paid::types::{
    CreateCustomerRequest, CreateProductRequest, PricePointInput, ProductAttributeUpsert, UpdateProductRequest,
    UsagePerUnitPricing,
};
use paid::{Client, Emitter};
use tokio::net::TcpListener;

/// Who asks, and for whom the e-mail is.
const REQUESTS: [(Option<&str>, &str); 5] = [
    (Some("acme"), "jane@initech.example"),
    (Some("globex"), "joe@initech.example"),
    (Some("acme"), "kim@initech.example"),
    (Some("acme"), "no-address"),
    (None, "jane@initech.example"),
];

pub(crate) async fn run() -> Result<()> {
    let emulator = Emulator::start().await.context("the emulator cannot listen on this machine")?;
    println!("PAID_API_KEY is not set: a local emulator stands in for Paid");
    set_up(&emulator.client()).await?;
    let emitter = Emitter::builder(emulator.client()).on_error(|failure| println!("not billed: {failure}")).build()?;
    paid::install(emitter.clone());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, crate::service::router()).await });
    for (account, to) in REQUESTS {
        ask(&url, account, to).await?;
    }
    emitter.shutdown(Duration::from_secs(10)).await?;
    print_billed(&emulator);
    Ok(())
}

/// A product with a price, and the two customers.
async fn set_up(client: &Client) -> Result<()> {
    let product = client.products().create(&CreateProductRequest::new("AI SDR").external_id("ai-sdr-001")).await?;
    let price = UsagePerUnitPricing::new("email_sent", [PricePointInput::new("USD", 10)]);
    let prices = UpdateProductRequest::new().product_attributes([ProductAttributeUpsert::new("Emails sent", price)]);
    client.products().update(&product.id, &prices).await?;
    for (name, account) in [("Acme Ltd", "acme"), ("Globex", "globex")] {
        client.customers().create(&CreateCustomerRequest::new(name).external_id(account)).await?;
    }
    Ok(())
}

async fn ask(url: &str, account: Option<&str>, to: &str) -> Result<()> {
    let request = reqwest::Client::builder().no_proxy().build()?.post(format!("{url}/emails/{to}"));
    let request = match account {
        Some(account) => request.bearer_auth(format!("{account}-token")),
        None => request,
    };
    let status = request.send().await?.status();
    println!("{:<8} POST /emails/{to}: {status}", account.unwrap_or("nobody"));
    Ok(())
}

/// What reached Paid, by customer.
fn print_billed(emulator: &Emulator) {
    let requests = emulator.requests();
    let signals: Vec<_> = requests.iter().filter_map(|request| request.body["signals"].as_array()).flatten().collect();
    for account in ["acme", "globex"] {
        let theirs = signals.iter().filter(|signal| signal["customer"]["externalCustomerId"] == account);
        let to: Vec<_> = theirs.filter_map(|signal| signal["data"]["to"].as_str()).collect();
        println!("{account} is billed for {} of {} signals: {}", to.len(), signals.len(), to.join(", "));
    }
}
