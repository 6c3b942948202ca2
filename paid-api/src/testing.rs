//! Tests of what is emitted: a [`Recorder`] in place of Paid. Each test can have its own, and tests run in parallel.
//!
//! ```
//! use paid::signal::Signal;
//! use paid::testing::Recorder;
//!
//! let recorder = Recorder::new();
//! recorder.run_sync(|| {
//!     paid::scope().customer("acme").run_sync(|| {
//!         paid::emit(Signal::new("meeting_booked").field("lead_id", "l1"));
//!     });
//!     paid::assert_emitted!("meeting_booked", data.lead_id == "l1", customer == "acme");
//! });
//! assert_eq!(recorder.signals().len(), 1);
//! ```

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::emit;
use crate::listener::{Emit, Listening};
use crate::report::DeliveryError;
use crate::scope::{self, InScope, Scope};
use crate::signal::Signal;

/// Records what is emitted inside it. Clones are handles of the same recorder.
#[derive(Clone, Default)]
pub struct Recorder {
    inner: Arc<Recording>,
}

struct Recording {
    signals: Mutex<Vec<Signal>>,
    failures: Mutex<Vec<DeliveryError>>,
    /// Held from the beginning: a future may be created before it is run.
    _listening: Listening,
}

impl Default for Recording {
    fn default() -> Self {
        Self { signals: Mutex::default(), failures: Mutex::default(), _listening: Listening::start() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Starts to listen; nothing was heard yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a future whose signals are recorded, including those of tasks that it spawns with
    /// [`paid::spawn`](crate::spawn).
    pub fn run<F: Future>(&self, future: F) -> InScope<F> {
        self.scope().run(future)
    }

    /// Runs a function whose signals are recorded.
    pub fn run_sync<R>(&self, function: impl FnOnce() -> R) -> R {
        self.scope().run_sync(function)
    }

    /// Returns a scope that records, on which a customer and product can be set.
    pub fn scope(&self) -> Scope {
        scope::scope().emitter(self.clone())
    }

    /// The signals emitted so far, in order.
    pub fn signals(&self) -> Vec<Signal> {
        lock(&self.inner.signals).clone()
    }

    /// The number of signals of this event name so far; [`count_emitted!`](crate::count_emitted) also compares values, and has
    /// the name checked by the catalogue.
    pub fn count(&self, name: &str) -> usize {
        lock(&self.inner.signals).iter().filter(|signal| signal.name() == name).count()
    }

    /// The signals that could not be emitted so far, as errors.
    pub fn failures(&self) -> Vec<DeliveryError> {
        lock(&self.inner.failures).clone()
    }

    /// Removes all recorded signals and failures.
    pub fn clear(&self) {
        lock(&self.inner.signals).clear();
        lock(&self.inner.failures).clear();
    }
}

impl Emit for Recorder {
    fn emit(&self, signal: Signal) -> bool {
        lock(&self.inner.signals).push(signal);
        true
    }

    fn fail(&self, failure: DeliveryError) {
        lock(&self.inner.failures).push(failure);
    }

    fn takes_signals_for_the_collector(&self) -> bool {
        true
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.signals().iter().map(|signal| signal.to_json().to_string())).finish()
    }
}

/// The recorder of the current scope.
///
/// # Panics
///
/// If no recorder is around this call.
#[doc(hidden)]
#[track_caller]
pub fn current() -> Recorder {
    match emit::current().as_deref().and_then(recorder) {
        Some(recorder) => recorder,
        None => {
            panic!("no recorder around this assertion: run it inside `recorder.run(...)` or `recorder.run_sync(...)`")
        }
    }
}

fn recorder(emitter: &dyn Emit) -> Option<Recorder> {
    let any: &dyn Any = emitter;
    if let Some(shared) = any.downcast_ref::<Arc<dyn Emit>>() {
        return recorder(&**shared);
    }
    let shared = any.downcast_ref::<Arc<Recorder>>().map(|recorder| &**recorder);
    any.downcast_ref::<Recorder>().or(shared).cloned()
}

/// `data.lead_id == "l1"`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Condition {
    pub path: &'static [&'static str],
    pub expected: Value,
}

impl Condition {
    fn found(&self, signal: &Signal) -> Value {
        let json = signal.to_json();
        let only_text =
            |value: &Value| value.as_object().and_then(|ids| ids.values().next().cloned()).unwrap_or_default();
        let Some((root, rest)) = self.path.split_first() else { return Value::Null };
        let start = match *root {
            "customer" => only_text(&json["customer"]),
            "product" => only_text(&json["attribution"]),
            "key" | "idempotency_key" => json["idempotencyKey"].clone(),
            "name" => json["eventName"].clone(),
            other => json[other].clone(),
        };
        rest.iter().fold(start, |value, key| value.get(key).cloned().unwrap_or_default())
    }
}

/// The number of signals that fit.
#[doc(hidden)]
pub fn count(recorder: &Recorder, name: &str, conditions: &[Condition]) -> usize {
    let fits = |signal: &&Signal| {
        signal.name() == name && conditions.iter().all(|condition| condition.found(signal) == condition.expected)
    };
    recorder.signals().iter().filter(fits).count()
}

#[doc(hidden)]
#[track_caller]
pub fn assert_emitted(recorder: &Recorder, name: &str, conditions: &[Condition]) {
    if count(recorder, name, conditions) == 0 {
        let (wanted, heard) = (wanted(conditions), heard(recorder));
        panic!("no `{name}` with {wanted} was emitted; emitted were:\n{heard}");
    }
}

#[doc(hidden)]
#[track_caller]
pub fn assert_not_emitted(recorder: &Recorder, name: &str, conditions: &[Condition]) {
    let found = count(recorder, name, conditions);
    if found > 0 {
        let (wanted, heard) = (wanted(conditions), heard(recorder));
        panic!("`{name}` with {wanted} was emitted, {found} times; emitted were:\n{heard}");
    }
}

fn wanted(conditions: &[Condition]) -> String {
    let wanted: Vec<_> =
        conditions.iter().map(|condition| format!("{} == {}", condition.path.join("."), condition.expected)).collect();
    if wanted.is_empty() { "any data".to_owned() } else { wanted.join(", ") }
}

fn heard(recorder: &Recorder) -> String {
    let heard: Vec<_> = recorder.signals().iter().map(|signal| format!("  {}", signal.to_json())).collect();
    let heard = if heard.is_empty() { "  nothing".to_owned() } else { heard.join("\n") };
    let failures: String = recorder.failures().iter().map(|failure| format!("\nnot emitted: {failure}")).collect();
    format!("{heard}{failures}")
}

/// Asserts that a signal of this name was emitted whose values equal the given ones. `data` and its fields, `customer`,
/// `product` and `key` can be compared. A name that `signals.toml` lacks does not compile. One that another crate's catalogue has is given as
/// an expression behind the recorder, and not compared: `assert_emitted!(recorder, theirs::NAME)`.
///
/// The recorder is that of the current scope, or the first argument: `assert_emitted!(recorder, "meeting_booked")`.
///
/// # Panics
///
/// If there is no such signal; the message shows what was emitted.
#[macro_export]
macro_rules! assert_emitted {
    ($($arguments:tt)*) => { $crate::__emitted!(assert_emitted, $($arguments)*) };
}

/// Asserts that no signal of this name was emitted, or none whose values equal the given ones; see [`assert_emitted!`].
///
/// ```
/// # use paid::testing::Recorder;
/// # let recorder = Recorder::new();
/// paid::assert_not_emitted!(recorder, "meeting_booked", customer == "acme");
/// ```
///
/// # Panics
///
/// If there is such a signal; the message shows what was emitted.
#[macro_export]
macro_rules! assert_not_emitted {
    ($($arguments:tt)*) => { $crate::__emitted!(assert_not_emitted, $($arguments)*) };
}

/// The number of signals of this name that were emitted, or of those whose values equal the given ones; see
/// [`assert_emitted!`].
///
/// ```
/// # use paid::testing::Recorder;
/// # let recorder = Recorder::new();
/// assert_eq!(paid::count_emitted!(recorder, "email_sent", customer == "acme"), 0);
/// ```
#[macro_export]
macro_rules! count_emitted {
    ($($arguments:tt)*) => { $crate::__emitted!(count, $($arguments)*) };
}

/// Calls a function of this room with a recorder, a name that the catalogue has, and conditions.
#[doc(hidden)]
#[macro_export]
macro_rules! __emitted {
    ($function:ident, $name:literal $(, $root:ident $(. $field:ident)* == $expected:expr)* $(,)?) => {
        $crate::__emitted!($function, $crate::testing::current(), $name $(, $root $(. $field)* == $expected)*)
    };
    ($function:ident, $recorder:expr, $name:literal $(, $root:ident $(. $field:ident)* == $expected:expr)* $(,)?) => {
        $crate::testing::$function(&$recorder, $crate::__private::asserted_name!($name), &[$($crate::testing::Condition {
            path: &[stringify!($root) $(, stringify!($field))*],
            expected: $crate::runtime::json!($expected),
        }),*])
    };
    ($function:ident, $recorder:expr, $name:expr $(, $root:ident $(. $field:ident)* == $expected:expr)* $(,)?) => {
        $crate::testing::$function(&$recorder, $name, &[$($crate::testing::Condition {
            path: &[stringify!($root) $(, stringify!($field))*],
            expected: $crate::runtime::json!($expected),
        }),*])
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_is_found_however_it_is_shared() {
        let recorder = Recorder::new();
        let shared: Arc<dyn Emit> = Arc::new(recorder.clone());
        for scope in [scope::scope().emitter(shared), scope::scope().emitter(Arc::new(recorder.clone()))] {
            scope.customer("acme").run_sync(|| {
                emit::emit(Signal::new("email_sent"));
                crate::assert_emitted!("email_sent");
            });
        }
    }

    fn message(assert: impl FnOnce() + std::panic::UnwindSafe) -> String {
        *std::panic::catch_unwind(assert).unwrap_err().downcast().unwrap()
    }

    #[test]
    fn signals_are_counted_and_their_absence_is_asserted() {
        let recorder = Recorder::new();
        recorder.run_sync(|| {
            for customer in ["acme", "acme", "umbrella"] {
                emit::emit(Signal::new("email_sent").customer(customer));
            }
            crate::assert_not_emitted!("meeting_booked");
            crate::assert_emitted!(recorder, ["email", "sent"].join("_").as_str(), customer == "acme");
            crate::assert_not_emitted!("email_sent", customer == "initech");
            assert_eq!(crate::count_emitted!("email_sent", customer == "acme"), 2);
        });
        assert_eq!((recorder.count("email_sent"), recorder.count("meeting_booked")), (3, 0));
        let recorder = std::panic::AssertUnwindSafe(recorder);
        let said = message(move || crate::assert_not_emitted!(&*recorder, "email_sent", customer == "acme"));
        assert!(
            said.starts_with("`email_sent` with customer == \"acme\" was emitted, 2 times; emitted were:\n  {"),
            "{said}"
        );
    }
}
