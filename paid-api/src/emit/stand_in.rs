//! The scope's customer stands in for one that was `None`: another customer may have been meant, so it is said.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::report::log;

/// Of so many names it is said; names that are made at run time could be any number.
const NAMES: usize = 1_000;

/// Says it once for a name.
pub(super) fn say(name: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    {
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if said.contains(name) || said.len() >= NAMES {
            return;
        }
        said.insert(name.to_owned());
    }
    log(&format_args!(
        "signal `{name}`: `customer` is `None`, so the scope's customer is billed; if another one is meant, give its id, \
         or emit nothing then (`when = ...is_some()` in an annotation)"
    ));
}
