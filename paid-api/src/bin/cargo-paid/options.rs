//! What several commands share of their arguments.

use std::path::PathBuf;

use clap::Args;

pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done
  1  something failed, was refused or was not answered: standard error says what
  2  the arguments are wrong";

pub(crate) const CHECK_CODES: &str = "Exit codes:
  0  nothing found
  1  something found, or something failed: standard error says what
  2  the arguments are wrong";

/// Which account.
#[derive(Args)]
pub(crate) struct Account {
    /// Use the key of this profile instead of PAID_API_KEY: PAID_API_KEY_STAGING for `staging`. Without a key, a terminal is asked for
    /// it. PAID_BASE_URL names another server, such as an emulator.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// Which catalogue.
#[derive(Args)]
pub(crate) struct Catalogue {
    /// The catalogue; by default the one that the compiler uses for the crate in this folder: PAID_SIGNALS, the crate's or the
    /// workspace's signals.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) catalogue: Option<PathBuf>,
}
