//! Signals to Paid's API: `POST /signals/bulk`.

use serde_json::Value;

use super::background;
use crate::dispatch::{Batch, Sink, SinkFuture};
use crate::error::Error;
use crate::report::Counts;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// Sends signals from a background thread, over connections that no request of the program uses.
pub(crate) struct PaidSink {
    client: Client,
}

impl PaidSink {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: background::client(client) }
    }
}

impl Sink for PaidSink {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let call = Call::<CreateSignalsResponse>::new(&self.client, "create-signals", Method::POST, "/signals/bulk")
            .json_text(batch.to_body())
            .repeatable_if(true);
        let signals = batch.len() as u64;
        Box::pin(async move {
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            match call.await {
                Ok(answer) => Ok(Counts {
                    ingested: count(answer.ingested),
                    duplicates: count(answer.duplicates),
                    failed: count(answer.failed),
                }),
                Err(Error::Unreadable(answer)) => {
                    inferred(&answer.json, signals).ok_or_else(|| Error::Unreadable(answer))
                }
                Err(error) => Err(error),
            }
        })
    }
}

/// The counts of an answer that lacks one of them: together they are all signals. If more than one is missing, nothing is
/// known, and the signals are sent again: Paid knows them by their keys.
fn inferred(answer: &Value, signals: u64) -> Option<Counts> {
    let count = |key: &str| answer[key].as_u64();
    let (ingested, duplicates, failed) = (count("ingested"), count("duplicates"), count("failed"));
    let rest = |one: u64, other: u64| signals.checked_sub(one)?.checked_sub(other);
    Some(match (ingested, duplicates, failed) {
        (Some(ingested), Some(duplicates), _) => Counts { ingested, duplicates, failed: rest(ingested, duplicates)? },
        (Some(ingested), None, Some(failed)) => Counts { ingested, duplicates: rest(ingested, failed)?, failed },
        (None, Some(duplicates), Some(failed)) => Counts { ingested: rest(duplicates, failed)?, duplicates, failed },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_count_that_is_missing_is_the_rest_of_all_signals() {
        let all = Some(Counts { ingested: 5, duplicates: 3, failed: 2 });
        assert_eq!(inferred(&json!({"ingested": 5, "duplicates": 3}), 10), all);
        assert_eq!(inferred(&json!({"ingested": 5, "failed": 2}), 10), all);
        assert_eq!(inferred(&json!({"duplicates": 3, "failed": 2, "ingested": "five"}), 10), all);
    }

    #[test]
    fn counts_that_do_not_add_up_and_two_that_are_missing_say_nothing() {
        assert_eq!(inferred(&json!({"ingested": 5}), 10), None);
        assert_eq!(inferred(&json!({"ingested": 9, "duplicates": 3}), 10), None);
        assert_eq!(inferred(&json!([]), 10), None);
    }
}
