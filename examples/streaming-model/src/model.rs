//! In place of your model: it answers with the words of the question, one after the other.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

/// A model that fails.
#[derive(Debug)]
pub(crate) struct Overloaded;

impl std::fmt::Display for Overloaded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the model is overloaded")
    }
}

impl std::error::Error for Overloaded {}

/// The pieces of an answer, as they are made.
pub(crate) fn answer(question: &str) -> impl Stream<Item = Result<Bytes, Overloaded>> + use<> {
    let words: Vec<String> = question.split('-').map(|word| format!("{word} ")).collect();
    stream::iter(words).then(|word| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if word.trim() == "fail" { Err(Overloaded) } else { Ok(Bytes::from(word)) }
    })
}
