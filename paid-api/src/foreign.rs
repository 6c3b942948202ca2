//! Code of others, called by code that must not fail: subscribers, hooks, callbacks, stderr. A panic in it ends here. It
//! cannot make its caller recurse, and stderr cannot make it wait for long.

mod printer;
mod span;

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

pub(crate) use span::in_span;

/// A panic of somebody else's code, with its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(Option<String>);

impl fmt::Display for Panicked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(message) => write!(formatter, "panicked: {message}"),
            None => formatter.write_str("panicked"),
        }
    }
}

impl Panicked {
    fn with(payload: Box<dyn Any + Send>) -> Self {
        let text = match payload.downcast::<String>() {
            Ok(text) => return Self(Some(*text)),
            Err(other) => other.downcast::<&'static str>(),
        };
        match text {
            Ok(text) => Self(Some((*text).to_owned())),
            Err(other) => {
                // The destructor of an unknown payload may panic, too.
                std::mem::forget(other);
                Self(None)
            }
        }
    }
}

/// Calls somebody else's code; a panic ends here.
pub(crate) fn call<R>(work: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(Panicked::with)
}

/// Polls somebody else's future; a panic ends it here.
pub(crate) async fn outcome<F: Future>(work: F) -> Result<F::Output, Panicked> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match call(|| work.as_mut().poll(context)) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

thread_local! {
    /// Whether this thread is inside the subscriber because of this library.
    static LOGS: Cell<bool> = const { Cell::new(false) };
}

/// Calls the `tracing` subscriber. `None` if it panicked, or if it is itself the caller: a subscriber that emits signals
/// must not hear of their failures for ever.
pub(crate) fn log<R>(write: impl FnOnce() -> R) -> Option<R> {
    let is_nested = LOGS.try_with(|logs| logs.replace(true)).unwrap_or(true);
    if is_nested {
        return None;
    }
    let written = call(write).ok();
    let _ = LOGS.try_with(|logs| logs.set(false));
    written
}

/// Logs an error, or prints it on stderr if no `tracing` subscriber listens to errors.
pub(crate) fn error(text: &dyn fmt::Display) {
    let text = call(|| text.to_string()).unwrap_or_else(|panic| format!("an error whose text {panic}"));
    let is_heard = log(|| {
        let is_enabled = tracing::enabled!(tracing::Level::ERROR);
        if is_enabled {
            tracing::error!("{text}");
        }
        is_enabled
    });
    if is_heard != Some(true) {
        printer::print(format!("paid: {text}\n"));
    }
}

/// Logs what is no error but must be seen: a warning, or a line on stderr if no `tracing` subscriber listens to warnings.
pub(crate) fn notice(text: &dyn fmt::Display) {
    let is_heard = log(|| {
        let is_enabled = tracing::enabled!(tracing::Level::WARN);
        if is_enabled {
            tracing::warn!("{text}");
        }
        is_enabled
    });
    if is_heard != Some(true) {
        printer::print(format!("paid: {text}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        struct Payload;
        impl Drop for Payload {
            fn drop(&mut self) {
                panic!("never dropped");
            }
        }
        let told = |work: fn()| call(work).unwrap_err().to_string();
        assert_eq!(told(|| panic!("on purpose")), "panicked: on purpose");
        assert_eq!(told(|| panic!("{}", 1 + 1)), "panicked: 2");
        assert_eq!(told(|| std::panic::panic_any(Payload)), "panicked");
        assert_eq!(call(|| 1), Ok(1));
    }

    #[test]
    fn a_subscriber_is_not_called_by_itself() {
        assert_eq!(log(|| log(|| 1)), Some(None));
        assert_eq!(log(|| panic!("on purpose")), None::<()>);
        assert_eq!(log(|| 1), Some(1));
    }

    #[test]
    fn an_error_whose_text_panics_is_still_told() {
        struct Silent;
        impl fmt::Display for Silent {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("on purpose")
            }
        }
        error(&Silent);
    }
}
