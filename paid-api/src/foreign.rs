//! Code of others, called by code that must not fail: subscribers, hooks, callbacks. A panic in it ends here. It cannot make its
//! caller recurse.

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
}
