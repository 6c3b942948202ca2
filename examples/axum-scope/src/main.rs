//! A server that bills the customer whose request it serves. `cargo run -p axum-scope` runs it against the emulator, without
//! an account, and sends it a few requests.
//!
//! If `PAID_API_KEY` is set, it listens on 127.0.0.1:3000 and bills in Paid. Try
//! `curl -X POST -H 'authorization: Bearer acme-token' 127.0.0.1:3000/emails/jane@globex.example`.

mod service;
mod story;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    if std::env::var_os("PAID_API_KEY").is_none() {
        return story::run().await;
    }
    paid::install(paid::Emitter::new(paid::Client::from_env()?)?);
    let listener = TcpListener::bind("127.0.0.1:3000").await.context("cannot listen on 127.0.0.1:3000")?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service::router()).await?;
    Ok(())
}
