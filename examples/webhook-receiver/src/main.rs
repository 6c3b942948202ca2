//! A service that hears from Paid when an invoice is paid. Without an account it runs against the emulator, which does
//! what Paid would: `cargo run -p webhook-receiver`.
//!
//! With `PAID_WEBHOOK_SECRET` set it listens on 127.0.0.1:3000 for the real ones; put it behind TLS.

mod receiver;
mod story;

use anyhow::{Context, Result};
use paid::webhook::Verifier;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::var("PAID_WEBHOOK_SECRET") {
        Ok(secret) => {
            let listener = TcpListener::bind("127.0.0.1:3000").await.context("cannot listen on 127.0.0.1:3000")?;
            println!("listening on http://{}/webhooks/paid", listener.local_addr()?);
            axum::serve(listener, receiver::router(Verifier::new(secret))).await?;
            Ok(())
        }
        Err(_) => story::run().await,
    }
}
