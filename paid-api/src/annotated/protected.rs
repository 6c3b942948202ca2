//! Fields that the catalogue keeps from being sent in the clear. The bounds find a plain value when the program is
//! compiled; what they cannot see, such as the keys of a map that is flattened, is found when it is written.

use super::Pending;
use crate::signal::Data;
use crate::signal::guard::Protections;
use crate::signal::value::Protected;

/// `pii = "refuse"` and `secret = true`, as a bound.
#[inline(always)]
pub fn wrapped<T: Protected + ?Sized>(value: &T) -> &T {
    value
}

pub fn protect(data: &mut Data, protections: &'static Protections) {
    data.protect(protections);
}

pub fn write_protected<T: Protected + ?Sized>(data: &mut Data, key: &str, value: &T) {
    value.write_protected(data, key);
}

impl Pending {
    pub fn protect(&mut self, protections: &'static Protections) {
        self.change("data", |signal| signal.data.protect(protections));
    }

    pub fn protected<T: Protected + ?Sized>(&mut self, key: &str, value: &T) {
        self.change(key, |signal| value.write_protected(&mut signal.data, key));
    }
}
