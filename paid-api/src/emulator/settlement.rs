//! Orders and signals as credits: what comes with each period, and what each signal spends.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::billing::{Charge, Schedule, Span, Timing};
use super::credits::{Benefit, Grant, Kind, Origin, Pool, Spend, Spent, Transaction, Trigger};
use super::numbers::amount;
use super::signals::{FailedSignal, Signal};
use super::store::{Line, LinePrice, Store};
use super::table::text;

/// An active order, as credits see it.
struct Account<'a> {
    order: &'a str,
    customer: &'a str,
    span: Span,
    schedule: Schedule,
}

/// What is due of an order once.
enum Due {
    Grant { what: String, grant: Grant },
    Waiting { what: String, pool: Pool, credits: Option<Decimal>, at: DateTime<Utc> },
    Spend { what: String, spend: Spend },
}

/// A time in which credits that were granted can be spent. One-time prices have no end.
#[derive(Clone, Copy)]
struct Period {
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
}

impl Store {
    /// Begins with an order that became active: its benefits, and what was used before.
    pub(super) fn begin_credits(&mut self, order: &str) {
        self.note_credits(order);
        self.settle_credits();
        self.spend_earlier_signals(order);
    }

    /// Notes what an active order spends and grants.
    pub(super) fn note_credits(&mut self, order: &str) {
        self.credits_due = None;
        let Some(lines) = self.order_lines.get(order) else { return };
        self.credit_events.extend(lines.iter().flat_map(|line| line.prices.iter().filter_map(credit_event)));
        if lines.iter().any(has_credits) && !self.credit_orders.iter().any(|known| known == order) {
            self.credit_orders.push(order.to_owned());
        }
        let customer = self.orders.find("id", order).and_then(|row| text(row, "customerId"));
        if let Some(customer) =
            customer.filter(|_| lines.iter().flat_map(|line| &line.prices).any(|priced| credit_event(priced).is_some()))
        {
            let of_customer = self.spending_orders.entry(customer.to_owned()).or_default();
            if !of_customer.iter().any(|known| known == order) {
                of_customer.push(order.to_owned());
            }
        }
    }

    /// Grants and spends what is due by now with the periods of orders.
    pub(super) fn settle_credits(&mut self) {
        let now = *self.clock.now();
        if self.credits_due.is_some_and(|due| now < due) {
            return;
        }
        let mut due: Vec<Due> = self.credit_orders.iter().flat_map(|id| self.due_of(id)).collect();
        due.sort_by_key(Due::at);
        for one in due {
            self.settle(one);
        }
        let next = self.credit_orders.iter().filter_map(|order| self.next_of(order, now)).min();
        self.credits_due = Some(next.unwrap_or(DateTime::<Utc>::MAX_UTC));
    }

    /// When the next period of an order begins.
    fn next_of(&self, order: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let account = self.account(order)?;
        let lines = self.order_lines.get(order)?;
        let starts = lines.iter().map(|line| line.span(account.span).start).filter(|start| *start > now);
        let months = lines.iter().flat_map(|line| &line.prices).map(|priced| priced.price.frequency.in_months());
        let periods = months.chain([1]).filter_map(|months| Some(account.schedule.periods(months).last()?.end));
        starts.chain(periods.filter(|end| *end > now)).min()
    }

    fn settle(&mut self, due: Due) {
        match due {
            Due::Grant { what, grant } => {
                if self.credits.is_first(what.clone()) {
                    let order = what.split('/').next().map(str::to_owned);
                    let waited = self.credits.ledger.grant(grant, "benefit", order);
                    self.spend_all(waited);
                }
            }
            Due::Waiting { what, pool, credits, at } => {
                let order = what.split('/').next().map(str::to_owned);
                if self.credits.is_first(what) {
                    self.credits.ledger.transactions.push(Transaction {
                        kind: Kind::PendingGrant,
                        code: "benefit",
                        customer: pool.customer,
                        currency: pool.currency,
                        credits: credits.unwrap_or_default(),
                        at,
                        origin: Origin { order, ..Origin::default() },
                    });
                }
            }
            Due::Spend { what, spend } => {
                if self.credits.is_first(what) {
                    self.spend(spend);
                }
            }
        }
    }

    /// What the periods of an order bring by now.
    fn due_of(&self, order: &str) -> Vec<Due> {
        let Some(account) = self.account(order) else { return Vec::new() };
        let lines = self.order_lines.get(order).into_iter().flatten();
        let priced = lines.flat_map(|line| line.prices.iter().map(move |priced| (line, priced)));
        priced.flat_map(|(line, priced)| self.due_of_price(&account, line, priced)).collect()
    }

    fn account<'a>(&'a self, order: &'a str) -> Option<Account<'a>> {
        let row = self.orders.find("id", order)?;
        let customer = text(row, "customerId")?;
        Some(Account { order, customer, span: self.order_span(order)?, schedule: self.schedule_of(order)? })
    }

    fn due_of_price(&self, account: &Account<'_>, line: &Line, priced: &LinePrice) -> Vec<Due> {
        let months = priced.price.frequency.in_months();
        let mut due = Vec::new();
        for (index, benefit) in priced.benefits.iter().enumerate() {
            let months = if benefit.is_monthly { 1 } else { months };
            for period in self.periods(account, line, priced.price.timing(), months) {
                let Some(period) = granted_in(priced, period) else { continue };
                due.extend(self.due_of_benefit(account, line, priced, (index, benefit), period));
            }
        }
        if let Charge::SeatCredits { currency, cost } = &priced.price.charge {
            let periods = self.periods(account, line, priced.price.timing(), months).into_iter();
            due.extend(periods.filter(|period| priced.holds(period.start)).map(|period| Due::Spend {
                what: format!("{}/{}/seats/{}", account.order, priced.root, period.start),
                spend: Spend {
                    customer: account.customer.to_owned(),
                    currency: currency.clone(),
                    seat: None,
                    credits: cost.of(priced.quantity),
                    at: period.start,
                    recorded: period.start,
                    origin: Origin {
                        order: Some(account.order.to_owned()),
                        attribute: Some(priced.id.clone()),
                        product: Some(line.product.clone()),
                        ..Origin::default()
                    },
                    has_overage: false,
                },
            }));
        }
        due
    }

    /// The periods of a price that began by now.
    fn periods(&self, account: &Account<'_>, line: &Line, timing: Timing, months: u32) -> Vec<Period> {
        let span = line.span(account.span);
        let now = *self.clock.now();
        if timing.is_once() {
            let began = span.start <= now && span.end.is_none_or(|end| span.start < end);
            return began.then_some(Period { start: span.start, end: None }).into_iter().collect();
        }
        let periods = account.schedule.periods(months).into_iter().filter(|period| span.overlaps(period));
        let periods = periods.map(|period| Period { start: period.start.max(span.start), end: Some(period.end) });
        periods.filter(|period| period.start <= now).collect()
    }

    fn due_of_benefit(
        &self,
        account: &Account<'_>,
        line: &Line,
        priced: &LinePrice,
        (index, benefit): (usize, &Benefit),
        period: Period,
    ) -> Vec<Due> {
        let seats = match benefit.is_for_seats {
            true => {
                self.seats.of(account.order, &line.product).map(|seat| (Some(seat.id.clone()), seat.since)).collect()
            }
            false => vec![(None, period.start)],
        };
        let granted = self.triggered(account, priced, benefit.trigger, period.start);
        let due = |(seat, since): (Option<String>, DateTime<Utc>)| {
            let what = format!(
                "{}/{}/{index}/{}/{}",
                account.order,
                priced.root,
                seat.as_deref().unwrap_or_default(),
                period.start
            );
            let pool = Pool { customer: account.customer.to_owned(), currency: benefit.currency.clone(), seat };
            let Some(at) = granted else {
                let what = format!("{what}/waiting");
                return Due::Waiting { what, pool, credits: benefit.amount, at: period.start };
            };
            let start = period.start.max(at).max(since);
            // What is granted after its period ended is there for as long as a period is.
            let end = period.end.map(|end| if end > start { end } else { start + (end - period.start) });
            let rollover = end.and_then(|end| benefit.rollover(end));
            let grant = Grant::new(pool, benefit.amount, start).until(end, rollover).of_period();
            Due::Grant { what, grant }
        };
        seats.into_iter().map(due).collect()
    }

    /// When what a benefit waits for happened, for the period that holds this time.
    fn triggered(
        &self,
        account: &Account<'_>,
        priced: &LinePrice,
        trigger: Trigger,
        at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if trigger == Trigger::Activation {
            return Some(at);
        }
        let window = account.schedule.window_of(priced.price.timing(), at)?;
        let (posted, paid) = self.posted_and_paid(account.order, window)?;
        if trigger == Trigger::Posting { Some(posted) } else { paid }
    }
}

/// What signals spend.
impl Store {
    /// Spends what the latest signals cost, from this one on.
    pub(super) fn spend_signals_from(&mut self, first: usize) {
        if self.credit_events.is_empty() {
            return;
        }
        let meant = self.signals.from(first).filter(|signal| self.credit_events.contains(signal.event_name));
        let spends: Vec<_> = meant.flat_map(|signal| self.spends_of(&signal, None)).collect();
        self.spend_all(spends);
    }

    /// Spends these, one after the other.
    pub(super) fn spend_all(&mut self, spends: Vec<Spend>) {
        for spend in spends {
            self.spend(spend);
        }
    }

    /// Spends what the signals cost that arrived before this order was active.
    fn spend_earlier_signals(&mut self, order: &str) {
        let mut lines = self.order_lines.get(order).into_iter().flatten();
        if !lines.any(|line| line.prices.iter().any(|priced| credit_event(priced).is_some())) {
            return;
        }
        self.note_earlier_without_quantity(order);
        let mut spends: Vec<_> = self.signals.iter().flat_map(|signal| self.spends_of(&signal, Some(order))).collect();
        spends.sort_by_key(|spend| spend.at);
        self.spend_all(spends);
    }

    /// Tells of the earlier signals that spend nothing, because this order reads their quantity and it is no number. They were
    /// accepted before an order read it.
    fn note_earlier_without_quantity(&mut self, order: &str) {
        let customer = self.orders.find("id", order).and_then(|row| text(row, "customerId"));
        let mine = self.signals.iter().filter(|signal| Some(signal.customer) == customer);
        let failed = mine.filter_map(|signal| {
            let data = signal.data();
            let problem = self.quantity_problem(signal.customer, signal.product, signal.event_name, &data)?;
            Some(FailedSignal {
                event_name: signal.event_name.to_owned(),
                idempotency_key: None,
                data,
                problem: format!("{} in {order}: data: {problem}, so it spends no credits", signal.id()),
            })
        });
        for failed in failed.collect::<Vec<_>>() {
            self.note_failed(failed);
        }
    }

    /// What is wrong with a signal's quantity, if a price in credits reads it.
    pub(super) fn quantity_problem(&self, customer: &str, product: &str, event: &str, data: &Value) -> Option<String> {
        if !self.credit_events.contains(event) {
            return None;
        }
        let orders = self.spending_orders.get(customer).into_iter().flatten();
        let lines = orders.filter_map(|order| self.order_lines.get(order)).flatten();
        let prices = lines.filter(|line| line.product == product).flat_map(|line| &line.prices);
        prices.into_iter().find_map(|priced| match &priced.price.charge {
            Charge::Credits { event_name, credits } if event_name == event => {
                let value = credits.path.as_ref()?.find(data)?;
                let is_good = amount(value).is_some_and(|quantity| quantity >= Decimal::ZERO);
                (!is_good).then(|| format!("{value} is no quantity"))
            }
            _ => None,
        })
    }

    fn spends_of(&self, signal: &Signal<'_>, only: Option<&str>) -> Vec<Spend> {
        let mine = self.spending_orders.get(signal.customer).into_iter().flatten();
        let mut spends = Vec::new();
        for order in mine.filter(|id| only.is_none_or(|only| only == *id)) {
            let Some(span) = self.order_span(order) else { continue };
            for line in self.order_lines.get(order).into_iter().flatten() {
                if line.product != signal.product || !line.span(span).holds(*signal.at) || !span.holds(*signal.at) {
                    continue;
                }
                spends.extend(line.prices.iter().filter_map(|priced| self.spend_of(signal, order, priced)));
            }
        }
        spends
    }

    fn spend_of(&self, signal: &Signal<'_>, order: &str, priced: &LinePrice) -> Option<Spend> {
        let Charge::Credits { event_name, credits } = &priced.price.charge else { return None };
        if *event_name != signal.event_name || !priced.holds(*signal.at) {
            return None;
        }
        let data = signal.data();
        let quantity = match credits.path.as_ref().and_then(|path| path.find(&data)) {
            Some(value) => amount(value).filter(|quantity| *quantity >= Decimal::ZERO)?,
            None => Decimal::ONE,
        };
        let user = data["external_user_id"].as_str();
        let seat = user.and_then(|user| text(self.users.find(signal.customer, user)?, "id"));
        let seat = seat.and_then(|user| self.seats.held_by(order, signal.product, user));
        Some(Spend {
            customer: signal.customer.to_owned(),
            currency: credits.currency.clone(),
            seat: seat.map(str::to_owned),
            credits: credits.cost.of(quantity),
            at: *signal.at,
            recorded: *signal.arrived,
            origin: Origin {
                event: Some(signal.event_name.to_owned()),
                order: Some(order.to_owned()),
                attribute: Some(priced.id.clone()),
                product: Some(signal.product.to_owned()),
                signal: Some(signal.id()),
                unit: signal.unit.map(str::to_owned),
            },
            has_overage: credits.overage.is_some(),
        })
    }

    fn spend(&mut self, spend: Spend) {
        let Spent { overage, recorded, is_last } = self.credits.ledger.spend(spend.clone());
        self.watch_caps(&spend, recorded);
        let currency = self.credits.named(&spend.currency);
        let event = |more: Value| {
            let mut event = json!({"customerId": spend.customer, "creditsCurrencyId": spend.currency,
                "creditCurrency": currency, "orderId": spend.origin.order});
            if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
                event.extend(more.clone());
            }
            event
        };
        if is_last {
            let credits = event(json!({ "available": 0 }));
            self.webhooks.send("billing-credits-depleted", crate::object!({ "credits": credits }), false);
        }
        if !overage.is_zero() {
            let overage = event(json!({ "credits": overage.normalize().to_string(), "eventName": spend.origin.event }));
            self.webhooks.send("billing-overage-incurred", crate::object!({ "overage": overage }), false);
        }
    }
}

impl Due {
    fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Grant { grant, .. } => grant.start,
            Self::Waiting { at, .. } => *at,
            // What a period brings can be spent in it.
            Self::Spend { spend, .. } => spend.at + chrono::TimeDelta::nanoseconds(1),
        }
    }
}

/// The part of a period for which a price grants credits.
fn granted_in(priced: &LinePrice, period: Period) -> Option<Period> {
    let since = priced.granted_since.or(priced.since);
    match since.filter(|since| *since > period.start) {
        // Added within the period: its credits come now, or not before the next one.
        Some(since) if priced.granted_since.is_some() && period.end.is_none_or(|end| since < end) => {
            Some(Period { start: since, ..period })
        }
        Some(_) => None,
        None => priced.until.is_none_or(|until| period.start < until).then_some(period),
    }
}

fn has_credits(line: &Line) -> bool {
    let has =
        |priced: &LinePrice| !priced.benefits.is_empty() || matches!(priced.price.charge, Charge::SeatCredits { .. });
    line.prices.iter().any(has)
}

fn credit_event(priced: &LinePrice) -> Option<String> {
    match &priced.price.charge {
        Charge::Credits { event_name, .. } => Some(event_name.clone()),
        _ => None,
    }
}
