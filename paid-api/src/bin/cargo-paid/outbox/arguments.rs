//! The arguments of `cargo paid outbox`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use paid::Timestamp;

use crate::options::EXIT_CODES;

#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// Show how many records are pending, and the dead letters: what Paid refused, and why.
    List(List),
    /// Show one dead letter, whole.
    Show(Show),
    /// Write the dead letters to a file or to standard output, one JSON object a line.
    Export(Export),
    /// Correct the record of a dead letter, in an editor or with `--set`. It is checked, and sent only by `resubmit`.
    Edit(Edit),
    /// Remove dead letters for good: what they bill is never billed.
    Discard(Discard),
    /// Send dead letters again, with their original idempotency keys, and remove those that Paid accepts. Uses
    /// PAID_API_KEY and, if it is set, PAID_BASE_URL.
    Resubmit(Resubmit),
}

#[derive(Args)]
pub(crate) struct Place {
    /// The outbox's folder, as given to `Emitter::builder(..).outbox(..)`.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

/// Which dead letters.
#[derive(Args)]
pub(crate) struct Filter {
    /// Only signals of this event name.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Only records of this customer: your own id, or Paid's.
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// Only records that were refused at this time or later, such as 2026-01-31 or 2026-01-31T23:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
}

impl Filter {
    pub(crate) fn is_any(&self) -> bool {
        self.name.is_some() || self.customer.is_some() || self.since.is_some()
    }
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// How many dead letters to show, the latest ones; 0 shows all.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub(crate) limit: usize,
    /// Show how many dead letters there are of each event name and customer, instead of each one.
    #[arg(long)]
    pub(crate) totals: bool,
    /// Print JSON: `pending` (`state`, `kind`, `records`, `held_by`), `dead_letters` (`at`, `kind`, `name`, `customer`,
    /// `key`, `reason`), `totals` (`name`, `customer`, `records`), `set_aside` (also `tries` and `next`), and `unreadable`, a number of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The key of the dead letter.
    pub(crate) key: String,
    /// Print JSON: the letter as it is in its file, with `at`, `reason`, `kind`, `name`, `key` and `record`.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// The file, which must not exist yet.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The key of the dead letter.
    pub(crate) key: String,
    /// Set a value instead of opening an editor ($VISUAL, $EDITOR or vi): `customer.externalCustomerId=acme`. The value
    /// is JSON, or else text; `'path="123"'` is text in any case. A path that begins with `/` is a JSON pointer.
    #[arg(long = "set", value_name = "PATH=VALUE", conflicts_with = "file")]
    pub(crate) set: Vec<String>,
    /// Take the record from this file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Allow another idempotency key.
    #[arg(long)]
    pub(crate) new_key: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Discard {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The keys of the dead letters.
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Discard all dead letters.
    #[arg(long, conflicts_with = "keys")]
    pub(crate) all: bool,
    /// Discard the lines that cannot be parsed.
    #[arg(long)]
    pub(crate) unreadable: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Resubmit {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The keys of the dead letters; all by default.
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// After how many seconds to stop; what Paid has not answered by then stays a dead letter.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Send cost records. They have no idempotency key: one that Paid has already is counted twice.
    #[arg(long)]
    pub(crate) costs: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.trim_end_matches('s').parse().map_err(|_| "a number of seconds is expected".to_owned())?;
    let is_sensible = number > 0.0 && number.is_finite();
    let time = is_sensible.then(|| Duration::try_from_secs_f64(number).ok()).flatten();
    time.ok_or_else(|| "a positive number of seconds is expected".to_owned())
}
