//! Signals to Paid's API: `POST /signals/bulk`.

use crate::dispatch::{Batch, Sink, SinkFuture};
use crate::report::Counts;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// Sends signals from a background thread, over connections that no request of the program uses.
pub(crate) struct PaidSink {
    client: Client,
}

impl PaidSink {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.in_background() }
    }
}

impl Sink for PaidSink {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let call = Call::<CreateSignalsResponse>::new(&self.client, "create-signals", Method::POST, "/signals/bulk")
            .json_text(batch.to_body())
            .repeatable_if(true);
        Box::pin(async move {
            let answer = call.await?;
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            Ok(Counts {
                ingested: count(answer.ingested),
                duplicates: count(answer.duplicates),
                failed: count(answer.failed),
            })
        })
    }
}
