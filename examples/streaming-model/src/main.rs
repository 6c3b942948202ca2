//! A server that streams a model's answer. `cargo run -p streaming-model` runs it against the emulator, without an account:
//! one customer reads to the end, one goes away in the middle, and for one the model fails.
//!
//! If `PAID_API_KEY` is set, it listens on 127.0.0.1:3000 and bills in Paid. Try
//! `curl -N -H 'authorization: Bearer acme-token' 127.0.0.1:3000/answers/hello`.

mod model;
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
