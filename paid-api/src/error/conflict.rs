//! The refusal of an amendment whose plan no longer holds.

use reqwest::StatusCode;
use serde_json::Value;

use super::Error;

/// Why an amendment was refused with a 409: the order, or what the amendment would do to it, has changed since the
/// preview. Nothing was changed. Preview again, and execute what the new plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanConflict {
    /// Paid's message.
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
        let body: Value = serde_json::from_slice(&error.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(PlanConflict {
            message: text("error").or_else(|| error.message.clone()),
            code: text("code").or_else(|| error.code.clone()),
            details: text("details"),
            intent_index: body.get("intentIndex").and_then(Value::as_i64),
        })
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
        let odd = refused(OPERATION, 409, r#"{"error":"stale plan","details":{"at":1},"intentIndex":"1"}"#);
        let message = Some("stale plan".to_owned());
        assert_eq!(odd.plan_conflict().unwrap(), PlanConflict { message, ..PlanConflict::default() });
    }

    #[test]
    fn other_errors_are_no_conflict_of_a_plan() {
        assert_eq!(refused(OPERATION, 400, "{}").plan_conflict(), None);
        assert_eq!(refused("create-value-metric", 409, "{}").plan_conflict(), None);
    }
}
