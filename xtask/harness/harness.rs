//! What the generated calls use.

use std::collections::BTreeMap;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a call is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    /// By place and name.
    pub(crate) parameters: BTreeMap<(String, String), Value>,
    pub(crate) body: Option<Value>,
}

pub(crate) type Problem = Box<dyn std::error::Error>;
pub(crate) type Outcome = Result<Value, Problem>;
pub(crate) type Call = fn(paid::Client, Input) -> Pin<Box<dyn Future<Output = Outcome>>>;
pub(crate) type Table = &'static [(&'static str, &'static str, Call)];

impl Input {
    pub(crate) fn given(&self, place: &str, name: &str) -> Option<Value> {
        self.parameters.get(&(place.to_owned(), name.to_owned())).cloned()
    }

    pub(crate) fn needed(&self, place: &str, name: &str) -> Result<Value, Problem> {
        self.given(place, name).ok_or_else(|| format!("the document does not require `{name}` in the {place}").into())
    }

    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_value(self.body.clone().unwrap_or_default())
            .map_err(|error| format!("request {:?}: {error}", self.body).into())
    }

    pub(crate) fn text(&self) -> String {
        scalar(self.body.clone().unwrap_or_default())
    }
}

pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    Ok(serde_json::from_value(value)?)
}

pub(crate) fn scalar(value: Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(crate) fn json<T: Serialize + std::fmt::Debug>(answer: &T) -> Outcome {
    if format!("{answer:?}").contains("UnreadableItem") {
        return Err(format!("an item of a list is unreadable: {answer:?}").into());
    }
    Ok(serde_json::to_value(answer)?)
}

pub(crate) fn bytes(answer: &[u8]) -> Outcome {
    Ok(String::from_utf8_lossy(answer).into())
}
