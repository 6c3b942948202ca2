//! The macros of `paid-api`, which re-exports them: `#[paid::signal(...)]` and `#[derive(paid::PaidSignal)]`.
//!
//! They parse, check against the rules and the catalogue, and expand into calls of documented library functions.
//! They read one file, the catalogue: no network, no clock, no environment but `PAID_SIGNALS`.

mod attribute;
mod catalog;
mod derive;
mod diagnostics;
mod rules;
#[cfg(test)]
mod snapshots;
mod trace;

use proc_macro::TokenStream;

/// Emits a signal when the function has done its work.
///
/// ```ignore
/// #[paid::signal("meeting_booked", customer = lead.account, data(lead_id = lead.id, duration_minutes = ret.minutes))]
/// async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> { ... }
/// ```
///
/// The first argument is the event name; or a type that is a `PaidSignal` and can be made `From` a reference to the
/// success value; or nothing, for a success value that is itself a `PaidSignal`.
///
/// | argument | meaning |
/// |---|---|
/// | `customer = expr`, `customer_id = expr` | whose work it is: your own id, or Paid's; else the scope's |
/// | `product = expr`, `product_id = expr` | which product does it: your own id, or Paid's; else the scope's, else the catalogue's |
/// | `data(field = expr, field, ...)` | the fields of its data; `field` is short for `field = field` |
/// | `idempotency_key = expr` | what tells it from every other signal; else a UUIDv7 |
/// | `timestamp = expr` | when it happened; else the time of emission |
/// | `quantity = expr`, `user = expr`, `cost = expr` | the fields of its data that mean something to Paid |
/// | `on = "success"`, `"error"`, `"always"` | when: after `Ok` or any other value (the default), after `Err`, after either |
/// | `when = expr` | only if this is true |
/// | `via = expr` | through another emitter |
/// | `cost_attributed` | takes what its traced scope cost with it (feature `trace`) |
/// | `over = "trace"` | as a span to the collector instead of to the API (feature `trace`) |
/// | `ret = name` | another name for the success value than `ret` |
///
/// Expressions that mention `ret` (a reference to the success value; `err` with `on = "error"`, `result` with
/// `on = "always"`) are evaluated after the body, all others before it. A panic or a dropped future emits nothing,
/// and nothing changes what the function returns.
#[proc_macro_attribute]
pub fn signal(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(arguments.into(), item.into()).into()
}

/// Runs a function's work in a traced scope: everything inside belongs to this customer and product, and its span ends
/// with the function's outcome. Feature `trace` of `paid-api`.
///
/// ```ignore
/// #[paid::trace(customer = lead.account, product = "ai-sdr", metadata(campaign = lead.campaign))]
/// async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> { ... }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `customer = expr` | your own id of whose work it is; else the scope's |
/// | `product = expr` | your own id of the product that does it; else the scope's |
/// | `store_prompts = expr` | whether what people and models said may leave; else the scope's, else not |
/// | `metadata(key = expr, ...)` | what every span inside says, as `metadata.<key>` |
/// | `token = expr` | the `TracingToken` of a trace that another process began |
///
/// All expressions are evaluated before the body. An `Err` makes the span an error; its text leaves only where prompts are
/// stored. With `#[paid::signal]` on the same function, whichever comes first, the signal belongs to the scope.
#[proc_macro_attribute]
pub fn trace(arguments: TokenStream, item: TokenStream) -> TokenStream {
    trace::expand(arguments.into(), item.into()).into()
}

/// Makes a struct a signal, or an enum a set of signals.
///
/// ```ignore
/// #[derive(PaidSignal)]
/// #[paid(signal = "meeting_booked")]
/// struct MeetingBooked {
///     #[paid(customer)]
///     account: AccountId,
///     #[paid(idempotency_key)]
///     meeting: Uuid,
///     lead_id: String,
/// }
/// ```
///
/// On the struct, or on each variant of an enum: `signal = "event_name"`; on the struct or enum: `product = "id"` (a
/// constant), `rename_all = "camelCase"`, `skip_none` (leave out every `None`), `crate = path`.
///
/// On a field: `customer`, `customer_id`, `product`, `product_id`, `idempotency_key`, `timestamp`, `quantity`, `user`,
/// `cost` give it that role; all others are the signal's data, with `rename = "name"`, `flatten`, `skip`, `skip_none`.
#[proc_macro_derive(PaidSignal, attributes(paid))]
pub fn derive_paid_signal(item: TokenStream) -> TokenStream {
    derive::expand(item.into()).into()
}
