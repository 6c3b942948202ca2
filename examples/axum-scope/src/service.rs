//! Routes, and whose a request is. The handler's work names no customer: its scope does.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::routing::post;
use paid::Scope;
use paid::tower::ScopeLayer;

pub(crate) fn router() -> Router {
    Router::new().route("/emails/{to}", post(send)).layer(ScopeLayer::new(whose))
}

/// The scope of a request, by its token. A request without one is served, and bills nobody.
fn whose(request: &Parts) -> Option<Scope> {
    let token = request.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    Some(paid::scope().customer(account_of(token)?))
}

/// In place of your own look-up.
fn account_of(token: &str) -> Option<&str> {
    token.strip_suffix("-token")
}

async fn send(Path(to): Path<String>) -> Result<&'static str, StatusCode> {
    deliver(&to).await?;
    Ok("sent\n")
}

#[paid::signal("email_sent", data(to))]
async fn deliver(to: &str) -> Result<(), StatusCode> {
    if to.contains('@') { Ok(()) } else { Err(StatusCode::UNPROCESSABLE_ENTITY) }
}
