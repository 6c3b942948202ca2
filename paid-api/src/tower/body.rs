//! The body of a response, which is made in the scope of its request.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::scope::CarriedScope;

pin_project! {
    /// The body of a response behind a [`ScopeLayer`](super::ScopeLayer): what makes it runs in the scope of the request.
    pub struct ScopeBody<B> {
        #[pin]
        body: B,
        scope: Option<CarriedScope>,
    }
}

impl<B> ScopeBody<B> {
    pub(super) fn new(body: B, scope: Option<CarriedScope>) -> Self {
        Self { body, scope }
    }

    /// The body itself, without the scope.
    pub fn into_inner(self) -> B {
        self.body
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
        match this.scope {
            Some(scope) => scope.run(|| this.body.poll_frame(context)),
            None => this.body.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> fmt::Debug for ScopeBody<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopeBody").finish_non_exhaustive()
    }
}
