//! A [`tower`](https://docs.rs/tower) layer that runs each request in a [`Scope`]: signals inside have the customer and product
//! of the request. Feature `tower`; for axum, tonic, and whatever else takes layers.
//!
//! ```no_run
//! use axum::Router;
//! use axum::http::request::Parts;
//! use axum::routing::post;
//! use paid::tower::ScopeLayer;
//!
//! #[paid::signal("email_sent")]
//! async fn send() -> Result<(), axum::http::StatusCode> {
//!     Ok(())
//! }
//!
//! let whose = |request: &Parts| {
//!     let customer = request.headers.get("x-customer")?.to_str().ok()?;
//!     Some(paid::scope().customer(customer).product("ai-sdr-001"))
//! };
//! let app: Router = Router::new().route("/emails", post(send)).layer(ScopeLayer::new(whose));
//! ```
//!
//! A tonic server takes the same layer: `Server::builder().layer(ScopeLayer::new(whose))`; metadata are headers there.

mod body;
mod service;

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use tower_layer::Layer;

use crate::foreign;
use crate::report::log;
use crate::scope::Scope;

pub use body::ScopeBody;
pub use http;
pub use service::{ScopeFuture, ScopeService};

/// Runs each request in the scope that a closure makes of its head. See the [module](self).
///
/// If the closure returns `None` or an `Err`, or panics, the request is served all the same, without a scope of its own. An
/// `Err` and a panic are logged. A signal inside that names no customer is then reported as undeliverable and not sent, so
/// nobody is billed for a guess. To turn such requests away, do so in a layer outside this one.
///
/// The scope lasts until the response's body has been sent: a stream in it, such as one of [`StreamExt`](crate::StreamExt), is
/// read and dropped in the scope, too. If the scope is traced, its span ends with the response's head.
///
/// Layers that a request passes before this one, such as one that authenticates, can leave what they found in the request's
/// extensions: the closure reads `parts.extensions`.
pub struct ScopeLayer<F> {
    whose: Arc<F>,
}

impl<F> Clone for ScopeLayer<F> {
    fn clone(&self) -> Self {
        Self { whose: Arc::clone(&self.whose) }
    }
}

impl<F, R> ScopeLayer<F>
where
    F: Fn(&Parts) -> R,
    R: RequestScope,
{
    /// Creates the layer. `whose` is called once for each request.
    pub fn new(whose: F) -> Self {
        Self { whose: Arc::new(whose) }
    }
}

impl<F, S> Layer<S> for ScopeLayer<F> {
    type Service = ScopeService<F, S>;

    fn layer(&self, inner: S) -> Self::Service {
        ScopeService { whose: Arc::clone(&self.whose), inner }
    }
}

impl<F> fmt::Debug for ScopeLayer<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopeLayer").finish_non_exhaustive()
    }
}

/// What the closure of a [`ScopeLayer`] returns: a [`Scope`], or an `Option` or a `Result` of one.
pub trait RequestScope {
    /// What the request's work belongs to; `None` if no customer was found.
    fn into_scope(self) -> Option<Scope>;
}

impl RequestScope for Scope {
    fn into_scope(self) -> Option<Scope> {
        Some(self)
    }
}

impl RequestScope for Option<Scope> {
    fn into_scope(self) -> Option<Scope> {
        self
    }
}

impl<E: fmt::Display> RequestScope for Result<Scope, E> {
    fn into_scope(self) -> Option<Scope> {
        self.map_err(|error| log(&format_args!("a request is served without a scope: {error}"))).ok()
    }
}

/// The scope of a request.
fn scope_of<R: RequestScope>(whose: impl Fn(&Parts) -> R, parts: &Parts) -> Option<Scope> {
    foreign::call(|| whose(parts).into_scope()).unwrap_or_else(|panic| {
        log(&format_args!("a request is served without a scope: the closure of `ScopeLayer` {panic}"));
        None
    })
}
