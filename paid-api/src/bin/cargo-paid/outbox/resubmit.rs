//! `resubmit`: dead letters are sent again, for a limited time.

use std::future::IntoFuture;
use std::time::Duration;

use paid::costs::CostEmitter;
use paid::outbox::{DeadLetter, Progress, Resubmission, Resubmitted};
use paid::{Client, ClientBuilder, ConfigError, Emitter, RecordKind, RetryPolicy};

use super::arguments::Resubmit;
use super::letters::{self, what};
use crate::out;
use crate::outcome::Outcome;

/// After how many answers to say how far it is.
const EVERY: usize = 500;
/// How many refusals are printed.
const SHOWN: usize = 20;

pub(crate) fn resubmit(resubmit: &Resubmit) -> Outcome {
    let folder = resubmit.place.folder.as_path();
    let chosen = letters::choose(folder, &resubmit.keys, &resubmit.filter)?;
    if chosen.is_empty() {
        out::line(if resubmit.filter.is_any() { "no such dead letters" } else { "no dead letters" })?;
        return Ok(());
    }
    let of_costs = chosen.iter().any(|letter| letter.kind == RecordKind::Cost);
    if of_costs && !resubmit.costs {
        return Err(format!(
            "{} would be sent again, and cost records have no idempotency key: one that Paid has already (`why` in `list` \
             says `uncertain`) is counted twice. Add `--costs` to send them all the same",
            letters::counted(chosen.iter().filter(|letter| letter.kind == RecordKind::Cost))
        )
        .into());
    }
    out::note(&format!("sending {}; Ctrl-C stops, and what is not sent then stays", letters::counted(&chosen)));
    let client = client(resubmit.timeout)?;
    let resubmission = match of_costs {
        true => CostEmitter::new(client)?.resubmit_from(folder),
        false => Emitter::new(client)?.resubmit(folder),
    };
    let outcome = run(resubmission, &chosen, resubmit.timeout)?;
    report(&outcome, if of_costs { RecordKind::Cost } else { RecordKind::Signal })
}

/// A client that tries once: the resubmission itself tries again.
fn client(timeout: Duration) -> Result<Client, ConfigError> {
    let builder = ClientBuilder::from_env()?.retry(RetryPolicy::never()).connect_timeout(timeout.min(SOON));
    builder.timeout(timeout.min(6 * SOON)).build()
}

const SOON: Duration = Duration::from_secs(5);

fn run(
    resubmission: Resubmission,
    chosen: &[DeadLetter],
    timeout: Duration,
) -> Result<Resubmitted, Box<dyn std::error::Error>> {
    let report = |Progress { answered, of, .. }: Progress| {
        if answered.is_multiple_of(EVERY) && answered < of {
            out::progress(&format!("{answered} of {of} answered"));
        }
    };
    let keys = chosen.iter().map(|letter| letter.key.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(resubmission.keys(keys).timeout(timeout).on_progress(report).into_future())?)
}

fn report(outcome: &Resubmitted, kind: RecordKind) -> Outcome {
    if outcome.delivered > 0 {
        let accepted = out::counted(outcome.delivered, &kind.to_string());
        out::line(format_args!("{accepted} accepted by Paid and removed from the dead letters"))?;
    }
    let mut problems = Vec::new();
    for (letter, why) in outcome.refused.iter().take(SHOWN) {
        out::note(&format!("{} {}: {why}", what(letter), letter.key));
    }
    let more = outcome.refused.len().saturating_sub(SHOWN);
    if more > 0 {
        out::note(&format!("and {more} more: `list` shows them"));
    }
    if !outcome.refused.is_empty() {
        let refused = letters::counted(outcome.refused.iter().map(|(letter, _)| letter));
        problems.push(format!("{refused} refused again: `edit` corrects, `discard` gives up"));
    }
    if !outcome.unanswered.is_empty() {
        let (unanswered, why) = (letters::counted(&outcome.unanswered), outcome.stopped.as_deref());
        let stay = if outcome.unanswered.len() == 1 { "stays a dead letter" } else { "stay dead letters" };
        problems.push(format!("{}\n{unanswered} without an answer {stay}", why.unwrap_or("not answered")));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}
