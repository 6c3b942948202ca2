//! A local Paid for clients in any language.

use std::process::ExitCode;

use clap::Parser;
use paid::emulator::{Contract, Emulator};

/// Runs a local Paid on 127.0.0.1, for development and tests.
///
/// It prints the environment variables to set, keeps all data in memory, and runs until it is stopped.
#[derive(Parser)]
#[command(name = "paid-emulator", version)]
struct Arguments {
    /// The port to listen on; 0 stands for any free port
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
}

fn main() -> ExitCode {
    let Arguments { port } = Arguments::parse();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(serve(port)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot listen on 127.0.0.1:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(port: u16) -> std::io::Result<()> {
    let emulator = Emulator::start_on(port).await?;
    println!("Paid emulator: {} operations in the API's document", Contract::of_paid().operations().count());
    println!("  export PAID_BASE_URL={}", emulator.url());
    println!("  export PAID_API_KEY=paid_emulator");
    emulator.serve_forever().await;
    Ok(())
}
