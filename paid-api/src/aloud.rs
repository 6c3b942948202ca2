//! What must be seen: to the `tracing` subscriber, or on stderr if none listens. Neither can make the caller fail or wait for long.

mod printer;

use std::fmt;

use crate::foreign::{call, log};

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
#[allow(dead_code, reason = "the emulator alone has errors only")]
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
