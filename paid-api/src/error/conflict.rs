//! The refusal of an amendment whose plan no longer holds.

use reqwest::StatusCode;
use serde::Deserialize;

use super::Error;

/// Why an amendment was refused with a 409: the order, or what the amendment would do to it, has changed since the
/// preview. Nothing was changed. Preview again, and execute what the new plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[serde(default, rename_all = "camelCase")]
pub struct PlanConflict {
    /// Paid's message.
    #[serde(rename = "error")]
    pub message: Option<String>,
    /// Paid's code.
    pub code: Option<String>,
    /// Further details.
    pub details: Option<String>,
    /// The zero-based position of the change that is in conflict, if it is one of them.
    pub intent_index: Option<i64>,
}

const OPERATION: &str = "execute-order-amendment";

impl Error {
    /// Why an amendment was refused with a 409, if that is the error; see [`PlanConflict`].
    pub fn plan_conflict(&self) -> Option<PlanConflict> {
        let error =
            self.as_api().filter(|error| error.status == StatusCode::CONFLICT && error.operation == OPERATION)?;
        let unreadable =
            || PlanConflict { message: error.message.clone(), code: error.code.clone(), ..Default::default() };
        Some(serde_json::from_slice(&error.body).unwrap_or_else(|_| unreadable()))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::header::HeaderMap;

    use super::super::ApiError;
    use super::*;

    fn refused(operation: &'static str, status: u16, body: &'static str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let body = Bytes::from_static(body.as_bytes());
        Error::Api(Box::new(ApiError::read(operation.into(), 1, status, HeaderMap::new(), body)))
    }

    #[test]
    fn a_409_of_an_amendment_is_a_conflict_that_names_the_change() {
        let body = r#"{"error":"stale plan","code":"PLAN_CHANGED","intentIndex":1}"#;
        let conflict = refused(OPERATION, 409, body).plan_conflict().unwrap();
        let (message, code) = (Some("stale plan".to_owned()), Some("PLAN_CHANGED".to_owned()));
        assert_eq!(conflict, PlanConflict { message, code, details: None, intent_index: Some(1) });
        assert_eq!(refused(OPERATION, 409, "<html>").plan_conflict().unwrap(), PlanConflict::default());
    }

    #[test]
    fn other_errors_are_no_conflict_of_a_plan() {
        assert_eq!(refused(OPERATION, 400, "{}").plan_conflict(), None);
        assert_eq!(refused("create-value-metric", 409, "{}").plan_conflict(), None);
    }
}
