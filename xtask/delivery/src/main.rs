//! The programs that `cargo xtask bench delivery` measures: a server, and loads that print their results as JSON.

mod load;
mod server;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Accepts signals on 127.0.0.1, counts them, and prints its port.
    Server {
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Posts prepared bodies with plain reqwest.
    Raw { url: String, signals: usize, batch: usize, in_flight: usize },
    /// Emits signals and waits until all are delivered.
    Emit {
        url: String,
        signals: usize,
        batch: usize,
        #[arg(long)]
        outbox: Option<PathBuf>,
    },
    /// Emits signals into an outbox while the server is down.
    Accept {
        signals: usize,
        #[arg(long)]
        outbox: PathBuf,
    },
    /// Lets signals be refused, and measures how long their dead letters take to read.
    Letters {
        signals: usize,
        #[arg(long)]
        outbox: PathBuf,
    },
    /// Measures single emissions.
    Hot { signals: usize },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Server { port } => server::run(port),
        What::Raw { url, signals, batch, in_flight } => load::raw(&url, signals, batch, in_flight),
        What::Emit { url, signals, batch, outbox } => load::emit(&url, signals, batch, outbox),
        What::Accept { signals, outbox } => load::accept(signals, outbox),
        What::Letters { signals, outbox } => load::letters(signals, &outbox),
        What::Hot { signals } => load::hot(signals),
    }
}
