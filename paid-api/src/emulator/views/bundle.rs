//! The page of a view: it holds all that it needs, and listens for its data.

use super::super::refusal::Refusal;

/// The largest bundle, in bytes.
const LENGTH: usize = 1 << 20;

/// The message that brings a bundle its data.
const MESSAGE: &str = "paid:data";

/// What loads something from elsewhere, without spaces and in lower case.
const LOADS: [&str; 14] = [
    "src=\"http",
    "src='http",
    "src=http",
    "src=\"//",
    "src='//",
    "href=\"http",
    "href='http",
    "@import",
    "url(http",
    "url(\"http",
    "fetch(",
    "xmlhttprequest",
    "websocket(",
    "eventsource(",
];

/// Refuses a bundle that is too large, loads something, or never hears of its data.
pub(super) fn check(bundle: &str) -> Result<(), Refusal> {
    let invalid = |problem: String| Err(Refusal::invalid("body.renderBundle", problem));
    if bundle.len() > LENGTH {
        return invalid(format!("has more than {LENGTH} bytes"));
    }
    if !bundle.contains(MESSAGE) {
        return invalid(format!("does not listen for the message {MESSAGE}"));
    }
    let dense: String = bundle.chars().filter(|each| !each.is_whitespace()).collect::<String>().to_lowercase();
    match LOADS.iter().find(|load| dense.contains(*load)) {
        Some(load) => invalid(format!("loads something from elsewhere, with {load}")),
        None => Ok(()),
    }
}
