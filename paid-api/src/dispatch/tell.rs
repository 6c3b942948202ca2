//! Tells a task of the user's something, once. Its waker is code of the user's runtime: if that panics, neither the thread that
//! delivers nor another task hears of it.

use tokio::sync::oneshot;

use crate::foreign;

/// The end of a channel that tells; to drop it tells that there is nothing to tell.
#[derive(Debug)]
pub(crate) struct Tell<T>(Option<oneshot::Sender<T>>);

pub(crate) fn channel<T>() -> (Tell<T>, oneshot::Receiver<T>) {
    let (tell, told) = oneshot::channel();
    (Tell(Some(tell)), told)
}

impl<T> Tell<T> {
    /// Nobody may listen any more.
    pub(crate) fn send(mut self, value: T) {
        if let Some(tell) = self.0.take() {
            let _ = foreign::call(|| drop(tell.send(value)));
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

impl<T> Drop for Tell<T> {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            let _ = foreign::call(|| drop(tell));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    use super::*;

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }

    #[test]
    fn a_waker_that_panics_is_not_heard_of() {
        let waker = Waker::from(Arc::new(Panics));
        for tells in [true, false] {
            let (tell, told) = channel();
            let mut told = pin!(told);
            let mut context = Context::from_waker(&waker);
            assert!(told.as_mut().poll(&mut context).is_pending());
            if tells {
                tell.send(1)
            } else {
                drop(tell)
            }
            assert!(told.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    }
}
