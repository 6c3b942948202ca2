//! `success = |out| ...`: a closure of the user's that turns what the function returned into what succeeded.

/// What the closure may return.
#[diagnostic::on_unimplemented(
    message = "`success = ...` cannot return `{Self}`",
    label = "this does not say whether the function succeeded",
    note = "the closure returns a `bool`, or an `Option` or a `Result` with the success value"
)]
pub trait Success<'a, R: ?Sized + 'a> {
    /// What `ret` is.
    type Value;
    fn success(self, returned: &'a R) -> Option<Self::Value>;
}

/// `ret` is what the function returned.
impl<'a, R: ?Sized + 'a> Success<'a, R> for bool {
    type Value = &'a R;
    #[inline]
    fn success(self, returned: &'a R) -> Option<&'a R> {
        self.then_some(returned)
    }
}

impl<'a, R: ?Sized + 'a, T> Success<'a, R> for Option<T> {
    type Value = T;
    #[inline]
    fn success(self, _: &'a R) -> Option<T> {
        self
    }
}

impl<'a, R: ?Sized + 'a, T, E> Success<'a, R> for Result<T, E> {
    type Value = T;
    #[inline]
    fn success(self, _: &'a R) -> Option<T> {
        self.ok()
    }
}

/// What succeeded, as the closure says.
#[inline]
pub fn success<'a, R: ?Sized, S: Success<'a, R>>(returned: &'a R, judge: impl FnOnce(&'a R) -> S) -> Option<S::Value> {
    judge(returned).success(returned)
}
