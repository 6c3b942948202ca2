//! Scopes: a scope names customer and product once, at the entry point of the work; every signal inside has them.
//!
//! The current scope belongs to the task that is being polled: it is entered before every poll and left after it, by a
//! guard that also runs on panics. A scope never outlives its future, and tasks never see each other's scopes.
//!
//! A scope has a slot for a [`Companion`], which is told when the scope begins, is entered and ends. Tracing is a
//! companion; the scope does not know it.

mod carried;
mod text;

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::foreign;
use crate::listener::{Emit, Listening};
use crate::report::log;
use crate::types::{CustomerAttribution, ProductAttribution};
pub use carried::{CarriedScope, FutureExt, carried_scope, spawn, spawn_blocking, spawn_thread};

thread_local! {
    /// Without a destructor of its own, so that scopes work in the destructors of other thread-locals, too. It is empty
    /// when the thread ends, because guards restore it.
    static CURRENT: RefCell<ManuallyDrop<Option<Scope>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Sets the customer, product and emitter of the signals inside. Cloning is cheap.
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
    inner: Arc<ScopeInner>,
}

#[derive(Clone, Default)]
struct ScopeInner {
    customer: Option<CustomerAttribution>,
    product: Option<ProductAttribution>,
    unit: Option<Arc<str>>,
    emitter: Option<Arc<dyn Emit>>,
    /// Makes emissions look for a scope's emitter while this scope exists.
    listening: Option<Listening>,
    companion: Option<Arc<dyn Companion>>,
}

/// What `enter` would need; nothing has it.
#[diagnostic::on_unimplemented(
    message = "a scope has no `enter`: a guard that is held over an `.await` would be in force in other tasks",
    label = "run the work in the scope instead",
    note = "write `scope.run(future).await` or `scope.run_sync(|| ...)`; for a task or thread, `paid::spawn`, `paid::spawn_thread` or `.in_scope()`"
)]
pub trait HasGuard {}

/// What accompanies a scope, in its slot.
pub(crate) trait Companion: Any + Send + Sync {
    /// Called when the scope of this companion is run, for a customer and product, inside a scope with the companion
    /// `outer`.
    fn begin(
        self: Arc<Self>,
        _outer: Option<&Arc<dyn Companion>>,
        _customer: Option<&CustomerAttribution>,
        _product: Option<&ProductAttribution>,
    ) -> Option<Begun> {
        None
    }

    /// Called when a scope without a companion is run inside the scope of this one.
    fn inherit(
        self: Arc<Self>,
        _customer: Option<&CustomerAttribution>,
        _product: Option<&ProductAttribution>,
    ) -> Option<Arc<dyn Companion>> {
        None
    }

    /// Called when the scope is entered; the returned value is dropped when the scope is left.
    fn enter(&self) -> Option<Box<dyn Any>> {
        None
    }

    /// Called when the scope ends, if [`begin`](Self::begin) returned `ends: true`.
    fn end(&self, _how: ScopeEnd) {}

    /// The claim of a cost-attributed signal to the costs of this scope.
    fn claim(&self) -> Claim<'_>;
}

/// The companion of a scope that has begun.
pub(crate) struct Begun {
    pub(crate) companion: Arc<dyn Companion>,
    /// True if the companion is told of the scope's end.
    pub(crate) ends: bool,
}

/// How a scope ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ScopeEnd {
    Done,
    Panicked,
    /// The scope's future was dropped.
    Cancelled,
}

/// A companion's answer to a cost-attributed signal.
pub(crate) enum Claim<'a> {
    /// The costs under this id belong to the signal. Dropping the claim leaves them to the next signal.
    Granted(Box<dyn CostClaim + 'a>),
    /// Costs are not counted here.
    Outside,
    /// Costs are not counted in this process, on purpose.
    Off,
}

/// The claim to costs while their signal is handed over.
pub(crate) trait CostClaim {
    fn scope_id(&self) -> u32;
    /// The signal was accepted: further costs belong to the next one.
    fn accepted(self: Box<Self>, name: &str);
}

/// The companion of work outside all scopes.
static BACKGROUND: RwLock<Option<Arc<dyn Companion>>> = RwLock::new(None);

pub(crate) fn set_background(companion: Option<Arc<dyn Companion>>) {
    *BACKGROUND.write().unwrap_or_else(PoisonError::into_inner) = companion;
}

/// The companion of the current scope, or else that of work outside all scopes.
pub(crate) fn companion() -> Option<Arc<dyn Companion>> {
    let current = Scope::with_current(|scope| scope.and_then(Scope::companion).cloned());
    current.or_else(|| BACKGROUND.read().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Creates an empty scope. When it is run, what it does not set comes from the enclosing scope.
pub fn scope() -> Scope {
    Scope { inner: Arc::default() }
}

impl Scope {
    /// Returns the current scope, or an empty one if there is none.
    pub fn current() -> Self {
        Self::with_current(|current| current.cloned()).unwrap_or_else(scope)
    }

    /// Sets whose work it is, by your own id or a [`CustomerId`](crate::types::CustomerId).
    #[must_use]
    pub fn customer(mut self, customer: impl Into<CustomerAttribution>) -> Self {
        Arc::make_mut(&mut self.inner).customer = Some(customer.into());
        self
    }

    /// Sets which product does the work, by your own id or a [`ProductId`](crate::types::ProductId).
    #[must_use]
    pub fn product(mut self, product: impl Into<ProductAttribution>) -> Self {
        Arc::make_mut(&mut self.inner).product = Some(product.into());
        self
    }

    /// Sets your own id of the customer's unit, such as a team, that the spend inside counts toward; spend without a unit
    /// counts toward no cap. It is a unit of this scope's customer: signals of another customer do not get it.
    #[must_use]
    pub fn unit(mut self, unit: impl AsRef<str>) -> Self {
        Arc::make_mut(&mut self.inner).unit = Some(unit.as_ref().into());
        self
    }

    /// Sets the emitter of the signals inside, instead of the installed one.
    #[must_use]
    pub fn emitter(mut self, emitter: impl Emit) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.emitter = Some(Arc::new(emitter));
        inner.listening = Some(Listening::start());
        self
    }

    /// Runs a future in this scope. The enclosing scope is that of the first poll.
    pub fn run<F: Future>(self, future: F) -> InScope<F> {
        InScope { scope: self, entered: false, ending: Ending::default(), future: Some(future) }
    }

    /// Calls a function at once; what it emits belongs to this scope's customer and product.
    pub fn run_sync<R>(self, function: impl FnOnce() -> R) -> R {
        let stay = self.stay();
        let output = function();
        stay.done();
        output
    }

    /// A scope has no guard: held over an `.await`, one would be in force in other tasks.
    #[doc(hidden)]
    pub fn enter(self) -> Self
    where
        for<'a> &'a Self: HasGuard,
    {
        self
    }

    /// Makes this the current scope until it is left.
    pub(crate) fn stay(self) -> Stay {
        let (scope, ending) = self.within(&Self::current());
        Stay { entered: scope.entered(), ending }
    }

    pub(crate) fn customer_named(&self) -> Option<&CustomerAttribution> {
        self.inner.customer.as_ref()
    }

    pub(crate) fn product_named(&self) -> Option<&ProductAttribution> {
        self.inner.product.as_ref()
    }

    /// The unit, for work of this customer.
    pub(crate) fn unit_named(&self, customer: Option<&CustomerAttribution>) -> Option<&str> {
        self.inner.unit.as_deref().filter(|_| are_same(customer, self.customer_named()))
    }

    pub(crate) fn emitter_named(&self) -> Option<&Arc<dyn Emit>> {
        self.inner.emitter.as_ref()
    }

    pub(crate) fn companion(&self) -> Option<&Arc<dyn Companion>> {
        self.inner.companion.as_ref()
    }

    /// Puts a companion into the slot.
    pub(crate) fn with_companion(mut self, companion: Arc<dyn Companion>) -> Self {
        Arc::make_mut(&mut self.inner).companion = Some(companion);
        self
    }

    /// Merges this scope with the outer one: what this scope sets wins. Begins its companion.
    fn within(self, outer: &Self) -> (Self, Ending) {
        let merged = self.merged(outer);
        if merged.inner.companion.is_none() && outer.inner.companion.is_none() {
            return (merged, Ending::default());
        }
        merged.accompanied(outer.companion())
    }

    fn accompanied(mut self, outer: Option<&Arc<dyn Companion>>) -> (Self, Ending) {
        let inner = Arc::make_mut(&mut self.inner);
        let (customer, product) = (inner.customer.as_ref(), inner.product.as_ref());
        let mut ending = Ending::default();
        inner.companion = match (inner.companion.take(), outer) {
            (Some(own), outer) => quietly(|| own.begin(outer, customer, product)).map(|begun| {
                ending.companion = begun.ends.then(|| Arc::clone(&begun.companion));
                begun.companion
            }),
            (None, Some(outer)) => quietly(|| Arc::clone(outer).inherit(customer, product)),
            (None, None) => None,
        };
        (self, ending)
    }

    fn merged(self, outer: &Self) -> Self {
        let outer = &outer.inner;
        if outer.customer.is_none() && outer.product.is_none() && outer.unit.is_none() && outer.emitter.is_none() {
            return self;
        }
        let own = &self.inner;
        let same_customer = own.customer.is_none() || are_same(own.customer.as_ref(), outer.customer.as_ref());
        let inherit_emitter = own.emitter.is_none();
        let inner = ScopeInner {
            customer: own.customer.clone().or_else(|| outer.customer.clone()),
            product: own.product.clone().or_else(|| outer.product.clone()),
            unit: own.unit.clone().or_else(|| outer.unit.clone().filter(|_| same_customer)),
            emitter: own.emitter.clone().or_else(|| outer.emitter.clone()),
            listening: if inherit_emitter { outer.listening.clone() } else { own.listening.clone() },
            companion: own.companion.clone(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes this the current scope until the guard is dropped.
    pub(crate) fn entered(&self) -> Entered {
        let accompanied = self.companion().and_then(|companion| quietly(|| companion.enter()));
        Entered { accompanied, before: replace_current(Some(self.clone())) }
    }

    /// Calls `look` with the current scope, without cloning it.
    pub(crate) fn with_current<R>(mut look: impl FnMut(Option<&Self>) -> R) -> R {
        let seen = CURRENT.try_with(|current| look(current.borrow().as_ref()));
        // Where thread-locals are gone for good, there is no scope.
        seen.unwrap_or_else(|_| look(None))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scope")
            .field("customer", &self.inner.customer)
            .field("product", &self.inner.product)
            .field("unit", &self.inner.unit)
            .field("emitter", &self.inner.emitter.is_some())
            .finish()
    }
}

/// Whether two attributions name the same customer in the same way.
fn are_same(one: Option<&CustomerAttribution>, other: Option<&CustomerAttribution>) -> bool {
    match (one, other) {
        (Some(CustomerAttribution::Id(one)), Some(CustomerAttribution::Id(other))) => one == other,
        (Some(CustomerAttribution::ExternalId(one)), Some(CustomerAttribution::ExternalId(other))) => one == other,
        _ => false,
    }
}

/// A scope that the thread is in. Dropped without `done`, as by a panic, its work has failed.
pub(crate) struct Stay {
    entered: Entered,
    ending: Ending,
}

impl Stay {
    pub(crate) fn done(self) {
        drop(self.entered);
        self.ending.done();
    }
}

/// Restores the previous scope when it is dropped.
pub(crate) struct Entered {
    accompanied: Option<Box<dyn Any>>,
    before: Option<Scope>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let left = replace_current(self.before.take());
        // Either may be the last handle of an emitter of the user's.
        let _ = foreign::call(|| drop(left));
        let _ = foreign::call(|| drop(self.accompanied.take()));
    }
}

/// Makes this the current scope and returns the one before.
fn replace_current(scope: Option<Scope>) -> Option<Scope> {
    let replaced = CURRENT.try_with(|current| current.replace(ManuallyDrop::new(scope)));
    replaced.ok().and_then(ManuallyDrop::into_inner)
}

/// What a companion does, or nothing if it cannot: in the destructor of a thread-local, tracing has lost its own.
fn quietly<T>(ask: impl FnOnce() -> Option<T>) -> Option<T> {
    foreign::call(ask).unwrap_or_else(|panic| {
        log(&format_args!("a scope is not traced: tracing {panic}"));
        None
    })
}

/// Tells a companion how its scope ends, even if the work panics or is cancelled.
#[derive(Default)]
struct Ending {
    companion: Option<Arc<dyn Companion>>,
}

impl Ending {
    fn done(mut self) {
        self.end(ScopeEnd::Done);
    }

    fn end(&mut self, how: ScopeEnd) {
        if let Some(companion) = self.companion.take() {
            quietly(|| {
                companion.end(how);
                Some(())
            });
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end(if std::thread::panicking() { ScopeEnd::Panicked } else { ScopeEnd::Cancelled });
    }
}

/// Notices a panic while a future is polled: a caller that catches the panic may drop the future much later.
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
        // Destructors inside the future run in its scope, too.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.scope.entered();
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
        let entered = this.scope.entered();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // Polled again after completion, which no executor does.
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
