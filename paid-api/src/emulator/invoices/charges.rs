//! What is billed on which invoice: fixed charges, what was counted, and what amendments added.

use chrono::{DateTime, Utc};
use iso_currency::Currency;
use rust_decimal::Decimal;

use super::Invoice;
use super::settled::{Arrived, InvoiceLine};
use crate::JsonObject;
use crate::emulator::billing::{Charge, Schedule, Share, Span, Timing};
use crate::emulator::store::{Line, LinePrice, Store};
use crate::emulator::table::text;

/// Something that a price counts.
struct Counted {
    at: DateTime<Utc>,
    quantity: Decimal,
    /// Its place among all of its kind, in the order of their arrival.
    index: usize,
}

impl Store {
    /// What amendments added: to the invoice of its time, or to the next that is open.
    pub(super) fn add_adjustments(&self, order: &str, invoices: &mut [Invoice<'_>]) {
        for (index, adjustment) in self.adjustments.iter().enumerate().filter(|(_, one)| one.order == order) {
            let is_meant = |invoice: &&mut Invoice<'_>| {
                adjustment.at < invoice.window.end
                    && invoice.settled.is_none_or(|settled| index < settled.arrived.adjustments)
            };
            if let Some(invoice) = invoices.iter_mut().find(is_meant) {
                invoice.lines.push(InvoiceLine {
                    order_line: adjustment.line.clone(),
                    attribute: format!("{}-{}", adjustment.attribute, index + 1),
                    name: adjustment.name.clone(),
                    quantity: Decimal::ONE,
                    amount: adjustment.amount,
                });
            }
        }
    }

    /// The charges of a price: the invoice, the billed share of the period, and the quantity.
    pub(super) fn charges(
        &self,
        invoices: &[Invoice<'_>],
        schedule: &Schedule,
        order: Span,
        line: &Line,
        priced: &LinePrice,
    ) -> Vec<(usize, Share, Decimal)> {
        let span = line.span(order);
        let timing = priced.price.timing();
        let Timing::Usage(frequency) = timing else {
            if matches!(priced.price.charge, Charge::SeatCredits { .. }) {
                return Vec::new();
            }
            let fixed = schedule.fixed(timing, span, priced.since, |at| priced.holds(at)).into_iter();
            let in_arrears = matches!(timing, Timing::Arrears(_) | Timing::OnceInArrears);
            // If there is no later invoice yet, the charge waits for it.
            let due = |at: usize| if in_arrears { taking(invoices, at) } else { Some(at) };
            return fixed.filter_map(|(at, share)| Some((due(at)?, share, priced.quantity))).collect();
        };
        let periods = schedule.usage(frequency);
        let mut sums = vec![Decimal::ZERO; periods.len()];
        let arrived: fn(&Arrived) -> usize = match priced.price.charge {
            Charge::Credits { .. } => |arrived| arrived.overages,
            Charge::Costs => |arrived| arrived.costs,
            _ => |arrived| arrived.signals,
        };
        // A period whose invoice is posted takes what had arrived by then.
        let windows: Vec<_> = periods.iter().map(|period| schedule.usage_window(period)).collect();
        let taken = |window: &Option<usize>| {
            let settled = window.and_then(|at| invoices.get(at)).and_then(|invoice| invoice.settled);
            settled.map_or(usize::MAX, |settled| arrived(&settled.arrived))
        };
        let limits: Vec<_> = windows.iter().map(taken).collect();
        let add = |counted: Counted| {
            if !(order.holds(counted.at) && span.holds(counted.at) && priced.holds(counted.at)) {
                return;
            }
            let first = periods.partition_point(|period| period.end <= counted.at);
            let open = limits.iter().skip(first).position(|limit| counted.index < *limit);
            if let Some(sum) = open.and_then(|skipped| sums.get_mut(first + skipped)) {
                *sum += counted.quantity;
            }
        };
        if let Some(invoice) = invoices.first() {
            self.count(invoice.order, line, priced, add);
        }
        let charged = periods.iter().zip(windows).zip(sums).filter(|((period, _), sum)| {
            let is_held = priced.since.is_none_or(|since| since < period.end)
                && priced.until.is_none_or(|until| period.start < until);
            !sum.is_zero() || (is_held && span.overlaps(period))
        });
        charged.filter_map(|((_, window), sum)| Some((window?, Share::WHOLE, sum))).collect()
    }

    /// Tells what a usage price counts.
    fn count(&self, order: &JsonObject, line: &Line, priced: &LinePrice, tell: impl FnMut(Counted)) {
        let customer = text(order, "customerId").unwrap_or_default();
        match &priced.price.charge {
            Charge::Usage { event_name } => {
                let signals = self.signals.billed_as(event_name, customer, &line.product);
                signals.map(|(index, at)| Counted { at, quantity: Decimal::ONE, index }).for_each(tell);
            }
            Charge::Credits { .. } => {
                let overages = self.credits.ledger.overages.iter().enumerate();
                let mine = overages.filter(|(_, overage)| overage.attribute == priced.id);
                mine.map(|(index, one)| Counted { at: one.at, quantity: one.credits, index }).for_each(tell);
            }
            Charge::Costs => {
                let currency = text(order, "currency").unwrap_or_default();
                let mine = self.costs.iter().enumerate().filter(|(_, cost)| {
                    cost.customer_id == customer
                        && cost.product_id.as_deref() == Some(&line.product)
                        && cost.currency.as_deref() == Some(currency)
                });
                let counted = mine.map(|(index, cost)| Counted {
                    at: *cost.timestamp,
                    quantity: in_smallest_unit(cost.amount.unwrap_or_default(), currency),
                    index,
                });
                counted.for_each(tell);
            }
            _ => {}
        }
    }
}

fn in_smallest_unit(amount: Decimal, currency: &str) -> Decimal {
    let digits = Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(2);
    amount * Decimal::from(10_u64.pow(u32::from(digits)))
}

/// The invoice that takes a charge which is due at the end of a window: the window's own, unless it was posted before; then the
/// first later one that was not.
fn taking(invoices: &[Invoice<'_>], at: usize) -> Option<usize> {
    let due = invoices.get(at)?.window.end;
    let takes = |invoice: &Invoice<'_>| invoice.settled.is_none_or(|settled| *settled.posted >= due);
    invoices.iter().skip(at).position(takes).map(|later| at + later)
}
