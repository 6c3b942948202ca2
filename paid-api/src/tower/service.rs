//! The service of the layer, and its future.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{RequestScope, ScopeBody, scope_of};
use crate::scope::{CarriedScope, InScope, carried_scope};

/// A service whose requests run in scopes; see [`ScopeLayer`](super::ScopeLayer).
pub struct ScopeService<F, S> {
    pub(super) whose: Arc<F>,
    pub(super) inner: S,
}

impl<F, S: Clone> Clone for ScopeService<F, S> {
    fn clone(&self) -> Self {
        Self { whose: Arc::clone(&self.whose), inner: self.inner.clone() }
    }
}

impl<F, S> fmt::Debug for ScopeService<F, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopeService").finish_non_exhaustive()
    }
}

impl<F, R, S, B, P> Service<Request<B>> for ScopeService<F, S>
where
    F: Fn(&Parts) -> R,
    R: RequestScope,
    S: Service<Request<B>, Response = Response<P>> + Clone,
{
    type Response = Response<ScopeBody<P>>;
    type Error = S::Error;
    type Future = ScopeFuture<S, Request<B>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let scope = scope_of(&*self.whose, &parts);
        let request = Request::from_parts(parts, body);
        match scope {
            None => ScopeFuture { kind: Kind::Without { future: self.inner.call(request) } },
            Some(scope) => {
                // The service that is ready; its clone has to become so first.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                let called = Called { next: Some((ready, request)), running: None };
                ScopeFuture { kind: Kind::Within { future: scope.run(called) } }
            }
        }
    }
}

pin_project! {
    /// The response to a request that runs in a scope.
    pub struct ScopeFuture<S, Q>
    where
        S: Service<Q>,
    {
        #[pin]
        kind: Kind<S, Q>,
    }
}

pin_project! {
    #[project = KindProjected]
    enum Kind<S, Q>
    where
        S: Service<Q>,
    {
        Within { #[pin] future: InScope<Called<S, Q>> },
        Without { #[pin] future: S::Future },
    }
}

impl<S, Q, P> Future for ScopeFuture<S, Q>
where
    S: Service<Q, Response = Response<P>>,
{
    type Output = Result<Response<ScopeBody<P>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (response, scope) = match self.project().kind.project() {
            KindProjected::Within { future } => match ready!(future.poll(context)) {
                Ok((response, scope)) => (response, Some(scope)),
                Err(error) => return Poll::Ready(Err(error)),
            },
            KindProjected::Without { future } => (ready!(future.poll(context))?, None),
        };
        Poll::Ready(Ok(response.map(|body| ScopeBody::new(body, scope))))
    }
}

impl<S: Service<Q>, Q> fmt::Debug for ScopeFuture<S, Q> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopeFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// Calls the service when it is first polled, so that the call itself is in the scope, too.
    struct Called<S, Q>
    where
        S: Service<Q>,
    {
        next: Option<(S, Q)>,
        #[pin]
        running: Option<S::Future>,
    }
}

impl<S: Service<Q>, Q> Future for Called<S, Q> {
    /// With the scope, which the body is made in.
    type Output = Result<(S::Response, CarriedScope), S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some((mut service, request)) = this.next.take() {
            this.running.set(Some(service.call(request)));
        }
        // Without one, it is polled again after a panic, which no executor does.
        let Some(running) = this.running.as_pin_mut() else { return Poll::Pending };
        running.poll(context).map_ok(|response| (response, carried_scope()))
    }
}
