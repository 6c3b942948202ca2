//! Workers that bill each job once. `cargo run -p worker-pool` runs it against the emulator, without an account: one job fails, and one
//! comes twice.
//!
//! If `PAID_API_KEY` is set, it bills in Paid, and keeps what is not delivered in the folder `outbox`.

mod pool;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use paid::emulator::Emulator;
use paid::{Client, Emitter};

#[tokio::main]
async fn main() -> Result<()> {
    let local = if std::env::var_os("PAID_API_KEY").is_none() { Some(emulator().await?) } else { None };
    let scratch = tempfile::tempdir()?;
    let (client, outbox) = match &local {
        Some(emulator) => (emulator.client(), scratch.path().join("outbox")),
        None => (Client::from_env()?, PathBuf::from("outbox")),
    };
    let emitter =
        Emitter::builder(client).outbox(outbox).on_error(|failure| println!("not billed: {failure}")).build()?;
    paid::install(emitter.clone());

    pool::run(pool::jobs()).await?;

    emitter.shutdown(Duration::from_secs(10)).await?;
    let stats = emitter.stats();
    println!("{} signals delivered, {} of them known already", stats.delivered, stats.duplicates);
    Ok(())
}

async fn emulator() -> Result<Emulator> {
    println!("PAID_API_KEY is not set: a local emulator stands in for Paid");
    let emulator = Emulator::start().await?;
    emulator.add_product("reports");
    Ok(emulator)
}
