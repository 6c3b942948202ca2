//! Every operation of a document makes a round trip: its typed method is called with a request derived from the document as
//! published, against a server that checks the request by that document and answers with a body derived from it, which must
//! parse and serialise back to the same JSON. `xtask/tests/corpus.rs` puts this into a generated crate.

#![allow(clippy::unwrap_used, dead_code, deprecated, missing_docs)]

#[rustfmt::skip]
mod calls;
mod derive;
mod harness;
mod same;
mod server;

use std::sync::Arc;

use derive::{Example, Mode};
use paid::{Client, RetryPolicy};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_makes_a_round_trip() {
    let document: Value = serde_json::from_str(include_str!("document.json")).unwrap();
    let document = Arc::new(derive::in_3_1(document));
    let server = server::start(Arc::clone(&document)).await;
    let client =
        Client::builder().api_key("paid_test").base_url(&server.url).retry(RetryPolicy::never()).build().unwrap();
    let operations = derive::operations(&document);
    assert_eq!(calls::CALLS.len(), operations.len(), "a method for every operation");
    let (mut trips, mut problems) = (0, Vec::new());
    for (method, path, call) in calls::CALLS {
        let operation = operations
            .iter()
            .find(|operation| operation.method == *method && operation.path == *path)
            .unwrap_or_else(|| panic!("{method} {path} is not in the document"));
        for mode in [Mode::Everything, Mode::OnlyRequired] {
            for branch in 0..operation.branches(&document).min(12) {
                for answer in operation.answers(&document) {
                    let example = Example { document: &document, mode, branch };
                    let exchange = operation.derive(&example, &answer);
                    let expected = exchange.answer.clone();
                    server.expect(exchange.clone());
                    let what = format!("{method} {path} -> {} ({mode:?}, {branch})", answer.status);
                    match call(client.clone(), exchange.input).await {
                        Ok(got) if derive::same_answer(&got, expected.as_ref()) => trips += 1,
                        Ok(got) => problems.push(format!("{what}: {expected:?} came back as {got}")),
                        Err(error) => problems.push(format!("{what}: {error} ({expected:?})")),
                    }
                }
            }
        }
    }
    assert!(
        problems.is_empty(),
        "{} problem(s) in {trips} good trips:\n{}",
        problems.len(),
        problems.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n")
    );
    println!("{} operations, {trips} round trips", operations.len());
}
