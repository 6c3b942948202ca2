//! The route, whose a request is, and what an answer is billed as. The stream is read after the handler has returned; the
//! layer's scope covers it, too.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::routing::get;
use paid::tower::ScopeLayer;
use paid::{PaidSignal, Scope, StreamExt as _};

use crate::model;

#[derive(PaidSignal)]
#[paid(signal = "answer_written")]
struct AnswerWritten {
    pieces: u64,
}

pub(crate) fn router() -> Router {
    Router::new().route("/answers/{question}", get(answer)).layer(ScopeLayer::new(whose))
}

/// The scope of a request, by its token.
fn whose(request: &Parts) -> Option<Scope> {
    let token = request.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    Some(paid::scope().customer(token.strip_suffix("-token")?))
}

async fn answer(Path(question): Path<String>) -> Body {
    Body::from_stream(model::answer(&question).signal_at_end(|pieces| AnswerWritten { pieces }))
}
