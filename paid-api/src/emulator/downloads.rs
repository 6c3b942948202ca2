//! The files of exports, at the links that exports show. Such a link needs no API key.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;

use super::http::{JsonAnswer, respond, response, send_or_drop};

/// The routes of files. `find` returns the file of an export, if there is one.
pub(super) fn routes(find: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Router {
    let find = Arc::new(find);
    Router::new().route("/__emulator/exports/{id}", get(async move |Path(id): Path<String>| answer(find(&id))))
}

fn answer(file: Option<String>) -> Response {
    match file {
        Some(file) => response(200, "text/csv; charset=utf-8", Body::from(file)),
        None => {
            let answer = JsonAnswer::error(404, "there is no such file, or no longer", "not_found", None);
            send_or_drop(respond(None, &answer))
        }
    }
}
