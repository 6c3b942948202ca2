//! Answers, and items of answers, that are JSON but not what the document says. What was asked for is done all the same.

use std::borrow::Cow;
use std::fmt;

use reqwest::StatusCode;
use serde_json::Value;

use super::{Error, excerpt, without_text};

/// The answer of a request that succeeded, but whose JSON lacks a field that the document requires, or has another shape.
///
/// Paid has done what was asked for: sending the request again would do it twice. The client never does.
#[derive(thiserror::Error)]
#[error("{operation}: done ({status}), but the answer is not what the document says, at `{path}`: {message}{}; do not send it again", of_id(id.as_deref()))]
#[non_exhaustive]
pub struct UnreadableAnswer {
    /// The operation's id.
    pub operation: Cow<'static, str>,
    /// The HTTP status.
    pub status: StatusCode,
    /// The position in the JSON, such as `pricing.pricePoints[3].currency`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// Paid's id of what was created or changed, if the answer has one.
    pub id: Option<String>,
    /// The whole answer. It may hold personal data: `Display` and `Debug` omit it.
    pub json: Value,
}

/// An item of a list that lacks a field that the document requires, or has another shape. The other items are read.
#[derive(Clone, thiserror::Error)]
#[error("an item of a list is not what the document says, at `{path}`: {message}{}", of_id(id.as_deref()))]
#[non_exhaustive]
pub struct UnreadableItem {
    /// The position in the list, such as `[3].createdAt`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// Paid's id of the item, if it has one.
    pub id: Option<String>,
    /// The whole item. It may hold personal data: `Display` and `Debug` omit it.
    pub json: Value,
}

impl UnreadableItem {
    pub(crate) fn new(index: usize, path: &str, error: &serde_json::Error, json: Value) -> Self {
        let inner = if path == "." { String::new() } else { format!(".{path}") };
        let message = excerpt(&without_text(&error.to_string()), 200);
        Self { path: excerpt(&format!("[{index}]{inner}"), 200), message, id: id_of(&json), json }
    }
}

fn of_id(id: Option<&str>) -> String {
    id.map(|id| format!(" (id {})", excerpt(id, 80))).unwrap_or_default()
}

/// Paid's id of what a JSON object describes.
pub(crate) fn id_of(json: &Value) -> Option<String> {
    ["id", "displayId", "amendmentId"].iter().find_map(|key| json.get(*key)?.as_str().map(str::to_owned))
}

impl From<UnreadableItem> for Error {
    fn from(item: UnreadableItem) -> Self {
        Self::Item(Box::new(item))
    }
}

impl fmt::Debug for UnreadableAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnreadableAnswer")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("path", &self.path)
            .field("message", &self.message)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UnreadableItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnreadableItem")
            .field("path", &self.path)
            .field("message", &self.message)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
