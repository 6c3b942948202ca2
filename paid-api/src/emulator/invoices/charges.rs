//! What is billed on which invoice: fixed charges, what was counted, and what amendments added.

use chrono::{DateTime, Utc};
use iso_currency::Currency;
use rust_decimal::Decimal;

use super::{Arrived, Invoice, InvoiceLine};
use crate::JsonObject;
use crate::emulator::billing::{Charge, Schedule, Share, Span, Timing, Window};
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
            return fixed.map(|(at, share)| (at, share, priced.quantity)).collect();
        };
        let periods = schedule.usage(frequency);
        let mut sums = vec![Decimal::ZERO; periods.len()];
        let arrived: fn(&Arrived) -> usize = match priced.price.charge {
            Charge::Credits { .. } => |arrived| arrived.overages,
            Charge::Costs => |arrived| arrived.costs,
            _ => |arrived| arrived.signals,
        };
        let in_time = |counted: &Counted| order.holds(counted.at) && span.holds(counted.at) && priced.holds(counted.at);
        let order_of = invoices.first().map(|invoice| invoice.order);
        for counted in
            order_of.map(|order| self.counted(order, line, priced)).unwrap_or_default().into_iter().filter(in_time)
        {
            let first = periods.partition_point(|period| period.end <= counted.at);
            let open = |period: &&Window| {
                let on =
                    schedule.usage_window(period).and_then(|at| invoices.get(at)).and_then(|invoice| invoice.settled);
                on.is_none_or(|settled| counted.index < arrived(&settled.arrived))
            };
            let at = periods.iter().skip(first).position(|period| open(&period)).map(|skipped| first + skipped);
            if let Some(sum) = at.and_then(|at| sums.get_mut(at)) {
                *sum += counted.quantity;
            }
        }
        let charged = periods.iter().zip(sums).filter(|(period, sum)| {
            let is_held = priced.since.is_none_or(|since| since < period.end)
                && priced.until.is_none_or(|until| period.start < until);
            !sum.is_zero() || (is_held && span.overlaps(period))
        });
        charged.filter_map(|(period, sum)| Some((schedule.usage_window(period)?, Share::WHOLE, sum))).collect()
    }

    /// What a usage price counts.
    fn counted(&self, order: &JsonObject, line: &Line, priced: &LinePrice) -> Vec<Counted> {
        let customer = text(order, "customerId").unwrap_or_default();
        match &priced.price.charge {
            Charge::Usage { event_name } => {
                let signals = self.signals.billed_as(event_name, customer, &line.product);
                signals.map(|(index, at)| Counted { at, quantity: Decimal::ONE, index }).collect()
            }
            Charge::Credits { .. } => {
                let overages = self.credits.ledger.overages.iter().enumerate();
                let mine = overages.filter(|(_, overage)| overage.attribute == priced.id);
                mine.map(|(index, one)| Counted { at: one.at, quantity: one.credits, index }).collect()
            }
            Charge::Costs => {
                let currency = text(order, "currency").unwrap_or_default();
                let mine = self.costs.iter().enumerate().filter(|(_, cost)| {
                    cost.customer_id == customer
                        && cost.product_id.as_deref() == Some(&line.product)
                        && cost.currency.as_deref() == Some(currency)
                });
                mine.map(|(index, cost)| Counted {
                    at: *cost.timestamp,
                    quantity: in_smallest_unit(cost.amount.unwrap_or_default(), currency),
                    index,
                })
                .collect()
            }
            _ => Vec::new(),
        }
    }
}

fn in_smallest_unit(amount: Decimal, currency: &str) -> Decimal {
    let digits = Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(2);
    amount * Decimal::from(10_u64.pow(u32::from(digits)))
}
