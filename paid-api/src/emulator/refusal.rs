//! Why an operation fails.

use serde_json::Value;

/// An error response.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: String,
    pub(super) code: &'static str,
    pub(super) details: Option<String>,
    /// Which intent of an amendment it is about.
    pub(super) intent: Option<usize>,
}

/// The body of a successful response, or why the operation failed.
pub(super) type Reply = Result<Value, Refusal>;

impl Refusal {
    pub(super) fn invalid(place: &str, error: impl Into<String>) -> Self {
        Self {
            status: 400,
            error: error.into(),
            code: "validation_error",
            details: Some(place.to_owned()),
            intent: None,
        }
    }

    pub(super) fn not_found(what: &str, id: &str) -> Self {
        Self {
            status: 404,
            error: format!("there is no {what} {id:?}"),
            code: "not_found",
            details: None,
            intent: None,
        }
    }

    /// What a request wants collides with what is there.
    pub(super) fn conflict(code: &'static str, place: &str, error: impl Into<String>) -> Self {
        Self { status: 409, error: error.into(), code, details: Some(place.to_owned()), intent: None }
    }

    /// Names the place in the request.
    pub(super) fn at(mut self, place: impl Into<String>) -> Self {
        self.details = Some(place.into());
        self
    }

    pub(super) fn not_implemented(what: &str) -> Self {
        Self {
            status: 501,
            error: format!("the emulator does not implement {what}"),
            code: "not_implemented",
            details: None,
            intent: None,
        }
    }

    pub(super) fn of_intent(self, index: usize) -> Self {
        Self { intent: Some(index), ..self }
    }
}
