//! The command line of the simulator.

mod campaign;
mod faults;

use std::process::ExitCode;

use clap::Parser;

/// Runs the emitter through random stories and holds it to its claims.
#[derive(Parser)]
#[command(name = "cargo xtask torture")]
pub(crate) struct Options {
    /// How many stories, from seed 1 on.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first seed of many.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Run only the story of this seed, and tell it.
    #[arg(long)]
    seed: Option<u64>,
    /// Stories at once; as many as there are processors if 0.
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Run every story twice, and fail if the two differ.
    #[arg(long)]
    check_determinism: bool,
    /// Go on after a story that failed, and show this many.
    #[arg(long, default_value_t = 1)]
    failures: usize,
    /// Do not make a failing story small.
    #[arg(long)]
    whole: bool,
    /// Go through all stories, and print one line for each claim that fails.
    #[arg(long)]
    brief: bool,
    /// With `--brief`: only up to the first story that fails.
    #[arg(long)]
    first: bool,
    /// Put mended faults back, one after the other, and show that each is found.
    #[arg(long)]
    faults: bool,
    /// With `--faults`: only those whose name holds this.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let is_good = match options.seed {
        Some(seed) => campaign::tell(seed),
        None if options.faults => faults::run(options.seeds, &options.only).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            false
        }),
        None => campaign::run(&options),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
