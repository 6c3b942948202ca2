//! A delivery as an axum extractor: feature `webhook-axum`.

use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Delivery, SIGNATURE_HEADER, Verifier, WebhookError};

/// Verifies with the [`Verifier`] in the router's state, or a part of it. What is not to be believed is answered with 401,
/// what is none of Paid's with 400, what is too large with 413; the handler is not called.
///
/// ```
/// use axum::{Router, routing::post};
/// use paid::webhook::{Delivery, Event, Verifier};
///
/// async fn receive(delivery: Delivery) {
///     if let Event::InvoicePaid(invoice) = delivery.event {
///         println!("paid: {:?}", invoice.id());
///     }
/// }
///
/// let router: Router = Router::new().route("/webhooks/paid", post(receive)).with_state(Verifier::new("whsec_..."));
/// ```
impl<S> FromRequest<S> for Delivery
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = WebhookError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookError> {
        let verifier = Verifier::from_ref(state);
        let (head, body) = request.into_parts();
        let signature = head.headers.get(SIGNATURE_HEADER).ok_or(WebhookError::NoSignature)?;
        let limit = verifier.max_bytes;
        let body = to_bytes(body, limit).await.map_err(|_| WebhookError::TooLarge { limit })?;
        verifier.verify(signature, &body)
    }
}

impl IntoResponse for WebhookError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status().as_u16()).unwrap_or(StatusCode::BAD_REQUEST);
        tracing::warn!("a webhook was refused: {self}");
        (status, self.to_string()).into_response()
    }
}
