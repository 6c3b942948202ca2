//! A service that Paid notifies when an invoice is paid. `cargo run -p webhook-receiver` runs it against the emulator, without
//! an account.
//!
//! If `PAID_WEBHOOK_SECRET` is set, it listens on 127.0.0.1:3000 for webhooks from Paid; put it behind a TLS proxy.

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
