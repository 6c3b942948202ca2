//! What became of signals: what each is billed as, or why it is not. It follows the orders of the moment at which it is asked.

use serde_json::Value;

use super::billing::Charge;
use super::signals::Signal;
use super::store::{Line, Store};
use super::table::text;
use crate::Timestamp;

/// A signal that the emulator accepted, and what became of it. Those that it did not accept are in
/// [`Emulator::failed_signals`](super::Emulator::failed_signals).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReceivedSignal {
    /// Paid's id of it.
    pub id: String,
    /// What happened, as the sender calls it.
    pub event_name: String,
    /// Whose work it was, by Paid's id.
    pub customer_id: String,
    /// Whose work it was, as the sender calls the customer.
    pub external_customer_id: Option<String>,
    /// Which product did the work, by Paid's id.
    pub product_id: String,
    /// Which product did the work, as the sender calls it.
    pub external_product_id: Option<String>,
    /// What tells it from others; Paid bills a second one with the same key only once.
    pub idempotency_key: Option<String>,
    /// The signal's own time, or when it arrived.
    pub timestamp: Timestamp,
    /// What came with it; null if nothing did.
    pub data: Value,
    /// What it is billed as, or why it is not.
    pub outcome: SignalOutcome,
}

/// Whether a signal was billed, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalOutcome {
    /// A price counts it.
    Billed {
        /// The id of the order. If more than one counts it, the first.
        order_id: String,
        /// Which of the product's prices bills it.
        price: String,
        /// Whether it spends credits, and costs money only if none are left.
        in_credits: bool,
    },
    /// Nothing counts it, for this reason.
    NotBilled(String),
}

impl Store {
    /// The signals that were accepted, in the order of their arrival.
    pub(super) fn received_signals(&self) -> Vec<ReceivedSignal> {
        self.signals.iter().map(|signal| self.received(&signal)).collect()
    }

    fn received(&self, signal: &Signal<'_>) -> ReceivedSignal {
        let external = |row: Option<&crate::JsonObject>| row.and_then(|row| text(row, "externalId")).map(str::to_owned);
        ReceivedSignal {
            id: signal.id(),
            event_name: signal.event_name.to_owned(),
            customer_id: signal.customer.to_owned(),
            external_customer_id: external(self.customers.find("id", signal.customer)),
            product_id: signal.product.to_owned(),
            external_product_id: external(self.products.find("id", signal.product)),
            idempotency_key: signal.key.map(str::to_owned),
            timestamp: signal.at,
            data: signal.data(),
            outcome: self.outcome(signal),
        }
    }

    pub(super) fn outcome(&self, signal: &Signal<'_>) -> SignalOutcome {
        let not = |reason: &str| SignalOutcome::NotBilled(reason.to_owned());
        let mine = |order: &&crate::JsonObject| {
            text(order, "customerId") == Some(signal.customer) && text(order, "creationState") == Some("active")
        };
        let orders: Vec<_> = self.orders.rows().iter().filter(mine).filter_map(|row| text(row, "id")).collect();
        if orders.is_empty() {
            return not("the customer has no active order");
        }
        let lines =
            orders.iter().flat_map(|id| self.order_lines.get(*id).into_iter().flatten().map(move |line| (*id, line)));
        let lines: Vec<_> = lines.filter(|(_, line)| line.product == signal.product).collect();
        if lines.is_empty() {
            return not("no active order of the customer has this product");
        }
        let outcomes: Vec<_> = lines.iter().filter_map(|(order, line)| self.outcome_in(signal, order, line)).collect();
        let billed = outcomes.iter().find(|outcome| matches!(outcome, SignalOutcome::Billed { .. }));
        if let Some(outcome) = billed.or(outcomes.first()) {
            return outcome.clone();
        }
        let known: Vec<_> =
            lines.iter().flat_map(|(_, line)| events_of(line)).map(|name| format!("`{name}`")).collect();
        SignalOutcome::NotBilled(match known.is_empty() {
            true => "the product has no usage price".to_owned(),
            false => format!("no price has exactly this event name; the product bills {}", known.join(", ")),
        })
    }

    /// What a line makes of a signal; `None` if it has no price of its event.
    fn outcome_in(&self, signal: &Signal<'_>, order: &str, line: &Line) -> Option<SignalOutcome> {
        let mut prices = line.prices.iter().filter(|priced| event_of(&priced.price.charge) == Some(signal.event_name));
        let any = prices.clone().next()?;
        let is_in_time =
            self.order_span(order).is_some_and(|span| line.span(span).holds(*signal.at) && span.holds(*signal.at));
        if !is_in_time {
            return Some(SignalOutcome::NotBilled(format!("outside the dates of {order}")));
        }
        if !matches!(any.price.charge, Charge::Credits { .. }) && self.came_after_the_last(signal, order) {
            return Some(SignalOutcome::NotBilled(format!("it came after the last invoice of {order} was posted")));
        }
        Some(match prices.find(|priced| priced.holds(*signal.at)) {
            Some(priced) => SignalOutcome::Billed {
                order_id: order.to_owned(),
                price: priced.price.name.clone(),
                in_credits: matches!(priced.price.charge, Charge::Credits { .. }),
            },
            None => SignalOutcome::NotBilled(format!("no price of {order} holds at its time: it was amended")),
        })
    }
}

fn events_of(line: &Line) -> impl Iterator<Item = &str> {
    line.prices.iter().filter(|priced| priced.until.is_none()).filter_map(|priced| event_of(&priced.price.charge))
}

/// The event that a price counts.
fn event_of(charge: &Charge) -> Option<&str> {
    match charge {
        Charge::Usage { event_name } | Charge::Credits { event_name, .. } => Some(event_name),
        _ => None,
    }
}
