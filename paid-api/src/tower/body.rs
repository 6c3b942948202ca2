//! The body of a response, which is made in the scope of its request.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::scope::CarriedScope;

pin_project! {
    /// The body of a response behind a [`ScopeLayer`](super::ScopeLayer). It is polled and dropped in the scope of the request, so
    /// signals that are emitted meanwhile get its customer.
    pub struct ScopeBody<B> {
        // `None` once it is dropped.
        #[pin]
        body: Option<B>,
        scope: Option<CarriedScope>,
    }

    impl<B> PinnedDrop for ScopeBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            match this.scope {
                Some(scope) => scope.run(|| this.body.set(None)),
                None => this.body.set(None),
            }
        }
    }
}

impl<B> ScopeBody<B> {
    pub(super) fn new(body: B, scope: Option<CarriedScope>) -> Self {
        Self { body: Some(body), scope }
    }
}

impl<B: Body> Body for ScopeBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        match this.scope {
            Some(scope) => scope.run(|| body.poll_frame(context)),
            None => body.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl<B> fmt::Debug for ScopeBody<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopeBody").finish_non_exhaustive()
    }
}
