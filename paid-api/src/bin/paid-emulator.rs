//! A local Paid for clients in any language.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use paid::account::Catalog;
use paid::emulator::{Contract, Emulator};

/// Runs a local Paid, for development and tests.
///
/// It prints the environment variables that a program needs to use it, and the address of its page, and runs until it is
/// stopped. It takes no variables itself, only these options. What is in it is in memory only, unless --state names a file.
#[derive(Parser)]
#[command(name = "paid-emulator", version)]
struct Arguments {
    /// The port to listen on; 0 stands for any free port
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
    /// The address to listen on; on others than loopback, everyone who reaches it can read and change everything
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Begin with the products, plans, customers, contacts and orders of this file (YAML or JSON), or with the products and
    /// prices of a signals.toml
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Keep the account in this file, over restarts; if it holds something, the seed is left out
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Append every request to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Hold every received signal against this signals.toml; what it does not allow is printed when the emulator ends (Ctrl-C),
    /// and at GET /__emulator/catalogue
    #[arg(long, value_name = "FILE")]
    signals: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(serve(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> io::Result<()> {
    let Arguments { port, listen, seed, state, record, signals } = arguments;
    let mut builder = Emulator::builder().port(port).listen(listen);
    if let Some(file) = seed {
        builder = builder.seed(read_seed(&file)?);
    }
    if let Some(file) = state {
        builder = builder.state(file);
    }
    if let Some(file) = record {
        builder = builder.record(file);
    }
    if let Some(file) = signals {
        builder = builder.catalogue(file);
    }
    let ended = interrupted()?;
    let explained = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied => io::Error::new(
            error.kind(),
            format!("cannot listen on {listen}:{port}, or a file cannot be opened: {error}"),
        ),
        _ => error,
    };
    let emulator = builder.start().await.map_err(explained)?;
    if !listen.is_loopback() {
        eprintln!("warning: everyone who reaches {listen} can read and change everything in this emulator");
    }
    println!("Paid emulator: {} operations in the API's document", Contract::of_paid().operations().count());
    println!("  export PAID_BASE_URL={}", emulator.url());
    println!("  export PAID_API_KEY=paid_emulator");
    println!("  export PAID_OTEL_COLLECTOR_ENDPOINT={}", emulator.collector_url());
    println!("  page: {}", emulator.page_url());
    while !ended.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if let Some(report) = emulator.catalogue_report() {
        println!("{report}");
    }
    Ok(())
}

/// Becomes true at Ctrl-C or SIGTERM. A second one ends the program at once.
fn interrupted() -> io::Result<Arc<AtomicBool>> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&ended))?;
        signal_hook::flag::register(signal, Arc::clone(&ended))?;
    }
    Ok(ended)
}

fn read_seed(file: &Path) -> io::Result<serde_json::Value> {
    let named = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    if file.extension().is_some_and(|kind| kind == "toml") {
        let catalog = Catalog::parse(&text).map_err(|problems| named(&problems))?;
        return paid::account::seed(&catalog).map_err(|problems| named(&problems));
    }
    serde_saphyr::from_str(&text).map_err(|error| named(&error))
}
