//! Every operation makes a round trip: its typed method is called with a request derived from the document,
//! against a server that checks method, path, query and body against the document and answers with a body
//! derived from the document, which must parse and serialise back to the same JSON.

#![allow(clippy::unwrap_used, deprecated, missing_docs)]

#[rustfmt::skip]
mod calls;
mod derive;
mod missing;
mod same;
mod server;

use std::collections::BTreeMap;
use std::pin::Pin;

use paid::{Client, RetryPolicy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use derive::{Example, Mode};

/// The canonical document, as the emulator has it.
const DOCUMENT: &str = include_str!("../../src/generated/document.json");

/// What a call is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
}

impl Input {
    fn path(&self, name: &str) -> &str {
        &self.path[name]
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn required_query(&self, name: &str) -> &str {
        &self.query[name]
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_value(self.body.clone().unwrap_or_default())
            .map_err(|error| format!("request: {error}").into())
    }
}

type Problem = Box<dyn std::error::Error>;
type Outcome = Result<Value, Problem>;
type Table = &'static [(&'static str, fn(Client, Input) -> Pin<Box<dyn Future<Output = Outcome>>>)];

/// How to read an answer, by its component; true if no item of a list is unreadable.
type Decoders = &'static [(&'static str, fn(&Value) -> Result<bool, String>)];

fn decodes<T: DeserializeOwned + std::fmt::Debug>(answer: &Value) -> Result<bool, String> {
    let read = T::deserialize(answer).map_err(|error| error.to_string())?;
    Ok(!format!("{read:?}").contains("UnreadableItem"))
}

fn answer<T: Serialize>(_: &Input, answer: Result<T, paid::Error>) -> Outcome {
    Ok(serde_json::to_value(answer?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_makes_a_round_trip() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let server = server::start(document.clone()).await;
    let client =
        Client::builder().api_key("paid_test").base_url(&server.url).retry(RetryPolicy::never()).build().unwrap();
    let operations = derive::operations(&document);
    assert_eq!(operations.len(), 158, "the document's operations");
    assert_eq!(calls::CALLS.len(), operations.len(), "a method for every operation");
    let mut trips = 0;
    let mut problems = Vec::new();
    for (id, call) in calls::CALLS {
        let operation = operations.iter().find(|operation| operation.id == *id).unwrap();
        for mode in [Mode::Everything, Mode::OnlyRequired] {
            for branch in 0..operation.branches(&document) {
                let example = Example { document: &document, mode, branch };
                let (input, expected) = operation.derive(&example);
                server.expect(operation.clone(), input.clone(), expected.clone());
                match call(client.clone(), input).await {
                    Ok(got) if same::same_json(&got, &expected) => trips += 1,
                    Ok(got) => problems.push(format!("{id} ({mode:?}): {expected} came back as {got}")),
                    Err(error) => problems.push(format!("{id} ({mode:?}): {error}")),
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problem(s):\n{}", problems.len(), problems.join("\n"));
    println!("{} operations, {trips} round trips", operations.len());
}
