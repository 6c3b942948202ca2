//! The axum extractor of a message: feature `webhook-axum`.

use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Message, SIGNATURE_HEADER, Verifier, WebhookError};

/// Verifies the request with the [`Verifier`] in the router's state. A rejected request is answered with
/// [`WebhookError::status`], and the handler is not called.
///
/// ```
/// use axum::{Router, routing::post};
/// use paid::webhook::{Event, Message, Verifier};
///
/// async fn receive(message: Message) {
///     if let Event::InvoicePaid(invoice) = message.event {
///         println!("paid: {:?}", invoice.id());
///     }
/// }
///
/// let router: Router = Router::new().route("/webhooks/paid", post(receive)).with_state(Verifier::new("whsec_..."));
/// ```
impl<S> FromRequest<S> for Message
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = WebhookError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookError> {
        let verifier = Verifier::from_ref(state);
        let (parts, body) = request.into_parts();
        let signature = parts.headers.get(SIGNATURE_HEADER).ok_or(WebhookError::NoSignature)?;
        let limit = verifier.max_bytes;
        let body = to_bytes(body, limit).await.map_err(|_| WebhookError::TooLarge { limit })?;
        verifier.verify(signature, &body)
    }
}

impl IntoResponse for WebhookError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status().as_u16()).unwrap_or(StatusCode::BAD_REQUEST);
        crate::foreign::log(|| tracing::warn!("a webhook message was rejected: {self}"));
        (status, self.to_string()).into_response()
    }
}
