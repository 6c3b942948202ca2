//! What a program prints: panics and log lines, kept by thread, so that simulations run beside each other.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::panic;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// The payload of panics that the simulation injects.
pub(crate) struct Injected;

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) panics: Vec<String>,
    pub(crate) lines: Vec<String>,
}

thread_local! {
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// Begins to keep what this thread prints.
pub(crate) fn begin() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().is::<Injected>() {
                return;
            }
            let is_kept =
                SEEN.with_borrow_mut(|seen| seen.as_mut().map(|seen| seen.panics.push(info.to_string())).is_some());
            if !is_kept {
                usual(info);
            }
        }));
        let _ = tracing::subscriber::set_global_default(Lines);
    });
    SEEN.set(Some(Seen::default()));
}

/// How many lines this thread has printed.
pub(crate) fn lines() -> usize {
    SEEN.with_borrow(|seen| seen.as_ref().map_or(0, |seen| seen.lines.len()))
}

/// The lines from this number on.
pub(crate) fn lines_from(first: usize) -> Vec<String> {
    SEEN.with_borrow(|seen| seen.as_ref().and_then(|seen| seen.lines.get(first..)).unwrap_or_default().to_vec())
}

/// What was printed since.
pub(crate) fn end() -> Seen {
    SEEN.take().unwrap_or_default()
}

/// Keeps the lines of level ERROR.
struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        SEEN.with_borrow_mut(|seen| {
            if let Some(seen) = seen {
                seen.lines.push(line.0);
            }
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
