//! An agent that bills its work.

mod agent;

use std::time::Duration;

use paid::{Client, Emitter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // PAID_API_KEY, and PAID_BASE_URL for the emulator.
    let emitter = Emitter::builder(Client::from_env()?)
        .outbox("outbox") // a folder of this process alone
        .on_error(|failure| eprintln!("not billed: {failure}"))
        .build()?;
    emitter.shutdown_on_sigterm(Duration::from_secs(10))?;
    paid::install(emitter.clone());

    let task = agent::Task { id: "task-1".into() };
    paid::scope().customer("acme").run(agent::work_on(&task)).await?;

    emitter.shutdown(Duration::from_secs(10)).await?;
    println!("{:?}", emitter.stats());
    Ok(())
}
