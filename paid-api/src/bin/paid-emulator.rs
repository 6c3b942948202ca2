//! A local Paid for any language's client: `paid-emulator [--port N]`.

use std::process::ExitCode;

use paid::emulator::{Contract, Emulator};

const USAGE: &str = "usage: paid-emulator [--port N]   (default 4010; 0 is any free port)";

fn main() -> ExitCode {
    let port = match port(std::env::args().skip(1)) {
        Ok(Some(port)) => port,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("error: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
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

/// `None` asks for help.
fn port(mut arguments: impl Iterator<Item = String>) -> Result<Option<u16>, String> {
    let mut port = 4010;
    while let Some(argument) = arguments.next() {
        let value = match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => arguments.next().ok_or("--port needs a number")?,
            other => other.strip_prefix("--port=").ok_or_else(|| format!("unknown argument {other:?}"))?.to_owned(),
        };
        port = value.parse().map_err(|_| format!("{value:?} is no port"))?;
    }
    Ok(Some(port))
}

async fn serve(port: u16) -> std::io::Result<()> {
    let emulator = Emulator::start_on(port).await?;
    println!("Paid emulator, {} operations in its document", Contract::of_paid().operations().count());
    println!("  export PAID_BASE_URL={}", emulator.url());
    println!("  export PAID_API_KEY=paid_emulator");
    emulator.serve_forever().await;
    Ok(())
}
