//! Three customers, an answer for each, and who is billed.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt as _;
use paid::Emitter;
use paid::emulator::Emulator;
use tokio::net::TcpListener;

/// Who asks what, and after how many pieces they go away.
const QUESTIONS: [(&str, &str, usize); 3] = [
    ("acme", "to-be-or-not-to-be", usize::MAX),
    ("globex", "what-is-the-answer-to-all-of-this", 2),
    ("initech", "why-fail", usize::MAX),
];

pub(crate) async fn run() -> Result<()> {
    let emulator = Emulator::start().await.context("the emulator cannot listen on this machine")?;
    println!("PAID_API_KEY is not set: a local emulator stands in for Paid");
    emulator.add_product("assistant");
    let emitter = Emitter::builder(emulator.client()).on_error(|failure| println!("not billed: {failure}")).build()?;
    paid::install(emitter.clone());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, crate::service::router()).await });
    for (account, question, patience) in QUESTIONS {
        println!("{account:<8} {}", ask(&url, account, question, patience).await?);
    }
    // The server notices that a customer has gone when it sends the next piece.
    tokio::time::sleep(Duration::from_millis(200)).await;
    emitter.shutdown(Duration::from_secs(10)).await?;
    for signal in emulator.signals() {
        println!(
            "billed: {}, {} pieces",
            signal.external_customer_id.as_deref().unwrap_or("nobody"),
            signal.data["pieces"]
        );
    }
    println!("{} signal delivered", emitter.stats().delivered);
    Ok(())
}

/// Reads an answer, and says how it ended.
async fn ask(url: &str, account: &str, question: &str, patience: usize) -> Result<String> {
    let request = reqwest::Client::builder().no_proxy().build()?.get(format!("{url}/answers/{question}"));
    let mut pieces = request.bearer_auth(format!("{account}-token")).send().await?.bytes_stream();
    let mut read = 0;
    while let Some(piece) = pieces.next().await {
        if piece.is_err() {
            return Ok(format!("the answer broke off after {read} pieces"));
        }
        read += 1;
        if read == patience {
            return Ok(format!("went away after {read} pieces"));
        }
    }
    Ok(format!("read all {read} pieces"))
}
