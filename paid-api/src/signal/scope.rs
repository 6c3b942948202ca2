//! Whose work is this? A scope names customer and product once, at the edge; every signal inside has them.
//!
//! The current scope is kept for the task that is being polled: entered before every poll and left after it, by a
//! guard that also runs on panics. Nothing of it outlives its future, and tasks never see each other's.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::emit::{self, Emit};
#[cfg(feature = "trace")]
use crate::trace::work::{Asked, End, Work};
use crate::types::{CustomerAttribution, ProductAttribution};

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// Customer, product and emitter of the signals inside. Cloning is cheap.
///
/// ```
/// # use paid::testing::Recorder;
/// # use paid::signal::Signal;
/// # let recorder = Recorder::new();
/// # recorder.run_sync(|| {
/// paid::scope().customer("acme").product("ai-sdr-001").run_sync(|| {
///     paid::emit(Signal::new("email_sent"));
/// });
/// # });
/// # assert_eq!(recorder.signals()[0].to_json()["customer"]["externalCustomerId"], "acme");
/// ```
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
}

#[derive(Clone, Default)]
struct Inner {
    customer: Option<CustomerAttribution>,
    product: Option<ProductAttribution>,
    emitter: Option<Arc<dyn Emit>>,
    /// Keeps emissions looking for scopes while this one has an emitter.
    listening: Option<emit::Listening>,
    #[cfg(feature = "trace")]
    asked: Option<Box<Asked>>,
    /// Once it is run.
    #[cfg(feature = "trace")]
    work: Option<Arc<Work>>,
}

/// Begins a scope. What it does not set comes from the scope around it, where it is run.
pub fn scope() -> Scope {
    Scope { inner: Arc::default() }
}

impl Scope {
    /// The scope around this call; an empty one where there is none.
    pub fn current() -> Self {
        CURRENT.with_borrow(|current| current.clone()).unwrap_or_else(scope)
    }

    /// Sets whose work it is: your own id, or a [`CustomerId`](crate::types::CustomerId).
    #[must_use]
    pub fn customer(mut self, customer: impl Into<CustomerAttribution>) -> Self {
        Arc::make_mut(&mut self.inner).customer = Some(customer.into());
        self
    }

    /// Sets which product does it: your own id, or a [`ProductId`](crate::types::ProductId).
    #[must_use]
    pub fn product(mut self, product: impl Into<ProductAttribution>) -> Self {
        Arc::make_mut(&mut self.inner).product = Some(product.into());
        self
    }

    /// Sets where signals go, instead of the installed emitter.
    #[must_use]
    pub fn emitter(mut self, emitter: impl Emit + 'static) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.emitter = Some(Arc::new(emitter));
        inner.listening = Some(emit::Listening::start());
        self
    }

    /// Opens a span for this scope when it is run, which everything inside belongs to; see [`mod@trace`](mod@crate::trace).
    #[cfg(feature = "trace")]
    #[must_use]
    pub fn traced(self) -> Self {
        self.ask(|asked| asked.traced = true)
    }

    /// Lets what people and models said leave with the spans inside. Otherwise it stays here.
    #[cfg(feature = "trace")]
    #[must_use]
    pub fn store_prompts(self, store: bool) -> Self {
        self.ask(|asked| asked.store_prompts = Some(store))
    }

    /// Adds what every span inside says, as `metadata.<key>`; objects become `metadata.<key>.<field>`. What JSON cannot say
    /// is left out, with a warning.
    #[cfg(feature = "trace")]
    #[must_use]
    pub fn metadata<T: serde::Serialize + ?Sized>(self, key: &str, value: &T) -> Self {
        self.ask(|asked| crate::trace::metadata::add(&mut asked.metadata, key, value))
    }

    /// Makes this scope's span a part of the trace that another process began.
    #[cfg(feature = "trace")]
    #[must_use]
    pub fn tracing_token(self, token: crate::trace::TracingToken) -> Self {
        self.ask(|asked| asked.parent = Some(token.parent()))
    }

    /// Makes this scope's span a child of the one in a W3C `traceparent` header.
    ///
    /// # Errors
    ///
    /// When it is none. An invalid one is never another trace.
    #[cfg(feature = "trace")]
    pub fn traceparent(self, header: &str) -> Result<Self, crate::trace::ParseTokenError> {
        let parent = crate::trace::parse_traceparent(header)?;
        Ok(self.ask(|asked| asked.parent = Some(parent)))
    }

    #[cfg(feature = "trace")]
    pub(crate) fn over(self, pipeline: Arc<crate::trace::pipeline::Pipeline>) -> Self {
        self.ask(|asked| asked.pipeline = Some(pipeline))
    }

    #[cfg(feature = "trace")]
    fn ask(mut self, ask: impl FnOnce(&mut Asked)) -> Self {
        ask(Arc::make_mut(&mut self.inner).asked.get_or_insert_default());
        self
    }

    #[cfg(feature = "trace")]
    pub(crate) fn work(&self) -> Option<&Arc<Work>> {
        self.inner.work.as_ref()
    }

    /// Runs a future in this scope, and gives the scope's span the error it ends with. See [`run`](Self::run).
    #[cfg(feature = "trace")]
    pub fn try_run<T, E, F>(self, future: F) -> InScope<impl Future<Output = Result<T, E>>>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        self.run(async {
            let outcome = future.await;
            if let Err(error) = &outcome {
                crate::trace::fail(error);
            }
            outcome
        })
    }

    /// Runs a future in this scope. The scope around it is looked up when it is first polled.
    pub fn run<F: Future>(self, future: F) -> InScope<F> {
        InScope { scope: self, entered: false, ending: Ending::default(), future: Some(future) }
    }

    /// Runs a function in this scope.
    pub fn run_sync<R>(self, function: impl FnOnce() -> R) -> R {
        let (scope, ending) = self.within(&Self::current());
        let entered = scope.enter();
        let output = function();
        drop(entered);
        ending.done();
        output
    }

    pub(crate) fn customer_named(&self) -> Option<&CustomerAttribution> {
        self.inner.customer.as_ref()
    }

    pub(crate) fn product_named(&self) -> Option<&ProductAttribution> {
        self.inner.product.as_ref()
    }

    pub(crate) fn emitter_named(&self) -> Option<&Arc<dyn Emit>> {
        self.inner.emitter.as_ref()
    }

    /// What this scope sets wins, the rest is the outer one's. Its span begins, if it is to have one.
    fn within(self, outer: &Self) -> (Self, Ending) {
        let merged = self.clone().merged(outer);
        #[cfg(feature = "trace")]
        if self.inner.asked.is_some() || self.inner.work.is_some() || outer.inner.work.is_some() {
            return merged.traced_within(&self, outer);
        }
        (merged, Ending::default())
    }

    #[cfg(feature = "trace")]
    fn traced_within(mut self, own: &Self, outer: &Self) -> (Self, Ending) {
        let asked = own.inner.asked.as_deref().cloned().unwrap_or_default();
        let (customer, product) = (self.inner.customer.as_ref(), self.inner.product.as_ref());
        let work = Work::of(&asked, customer, product, outer.work().or(own.work()));
        let ending = Ending { work: if asked.traced { work.clone() } else { None } };
        let inner = Arc::make_mut(&mut self.inner);
        (inner.asked, inner.work) = (None, work);
        (self, ending)
    }

    fn merged(self, outer: &Self) -> Self {
        let outer = &outer.inner;
        if outer.customer.is_none() && outer.product.is_none() && outer.emitter.is_none() {
            return self;
        }
        let own = &self.inner;
        let inherit_emitter = own.emitter.is_none();
        let inner = Inner {
            customer: own.customer.clone().or_else(|| outer.customer.clone()),
            product: own.product.clone().or_else(|| outer.product.clone()),
            emitter: own.emitter.clone().or_else(|| outer.emitter.clone()),
            listening: if inherit_emitter { outer.listening.clone() } else { own.listening.clone() },
            #[cfg(feature = "trace")]
            asked: None,
            #[cfg(feature = "trace")]
            work: None,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes this the current scope until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        Entered {
            #[cfg(feature = "trace")]
            _attached: self.work().and_then(|work| work.attach()),
            before: CURRENT.replace(Some(self.clone())),
        }
    }

    /// Looks at the current scope without cloning it.
    pub(crate) fn with_current<R>(look: impl FnOnce(Option<&Self>) -> R) -> R {
        CURRENT.with_borrow(|current| look(current.as_ref()))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scope")
            .field("customer", &self.inner.customer)
            .field("product", &self.inner.product)
            .field("emitter", &self.inner.emitter.is_some())
            .finish()
    }
}

/// Puts back the scope that was current before.
pub(crate) struct Entered {
    #[cfg(feature = "trace")]
    _attached: Option<opentelemetry::ContextGuard>,
    before: Option<Scope>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// Ends the span of a scope, however its work ends.
#[derive(Default)]
struct Ending {
    #[cfg(feature = "trace")]
    work: Option<Arc<Work>>,
}

impl Ending {
    #[cfg(feature = "trace")]
    fn done(mut self) {
        if let Some(work) = self.work.take() {
            work.end(End::Done);
        }
    }

    #[cfg(not(feature = "trace"))]
    fn done(self) {}
}

#[cfg(feature = "trace")]
impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            work.end(if std::thread::panicking() { End::Panicked } else { End::Cancelled });
        }
    }
}

/// Notices a panic while a future is polled: whoever catches it may drop the future much later.
struct Watch<'a>(&'a mut Ending);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(std::mem::take(self.0));
        }
    }
}

pin_project! {
    /// A future in a scope; see [`Scope::run`].
    #[must_use = "futures do nothing unless polled"]
    pub struct InScope<F> {
        scope: Scope,
        entered: bool,
        ending: Ending,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InScope<F> {
        // What the future drops, it drops in its scope.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.scope.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if !*this.entered {
            *this.entered = true;
            (*this.scope, *this.ending) = this.scope.clone().within(&Scope::current());
        }
        let entered = this.scope.enter();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // Polled again after it was done, which no executor does.
            return Poll::Pending;
        };
        let watch = Watch(this.ending);
        let polled = future.poll(context);
        drop(watch);
        let output = ready!(polled);
        this.future.set(None);
        drop(entered);
        std::mem::take(this.ending).done();
        Poll::Ready(output)
    }
}

impl<F> fmt::Debug for InScope<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "InScope({:?})", self.scope)
    }
}

/// Carries the current scope along with a future, to wherever it will be polled.
pub trait FutureExt: Future + Sized {
    /// This future in the scope that is current now; for executors other than [`spawn`] knows.
    fn in_scope(self) -> InScope<Self> {
        InScope { scope: Scope::current(), entered: true, ending: Ending::default(), future: Some(self) }
    }
}

impl<F: Future> FutureExt for F {}

/// [`tokio::spawn`], with the current scope.
///
/// # Panics
///
/// Outside a tokio runtime, as `tokio::spawn` does.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_scope())
}

/// [`std::thread::spawn`], with the current scope.
pub fn spawn_thread<R: Send + 'static>(function: impl FnOnce() -> R + Send + 'static) -> std::thread::JoinHandle<R> {
    let scope = Scope::current();
    std::thread::spawn(move || {
        let _entered = scope.enter();
        function()
    })
}

/// Conversions where only the caller's own id can be meant.
mod text {
    use crate::types::{CustomerAttribution, ExternalCustomerId, ExternalProductId, ProductAttribution};

    macro_rules! own_ids {
        ($($target:ident <- $id:ident;)*) => {
            $(
                /// Text is your own id.
                impl From<&str> for $target {
                    fn from(id: &str) -> Self {
                        $id::from(id).into()
                    }
                }

                /// Text is your own id.
                impl From<String> for $target {
                    fn from(id: String) -> Self {
                        $id::from(id).into()
                    }
                }
            )*
        };
    }

    own_ids! {
        CustomerAttribution <- ExternalCustomerId;
        ProductAttribution <- ExternalProductId;
    }
}
