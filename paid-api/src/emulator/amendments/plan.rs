//! What an amendment will do, decided before anything is done.

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::book::{Book, is_metered, shown};
use super::intent::{Asked, Stub, Treatment};
use crate::emulator::billing::Window;
use crate::emulator::pricing::number;
use crate::emulator::store::{Adjustment, Line, LinePrice};

/// A change of an order.
#[derive(Debug)]
pub(super) enum Step {
    /// Ends an attribute at a time.
    End { attribute: String, at: DateTime<Utc> },
    /// Replaces an attribute at a time.
    Replace { line: String, attribute: String, at: DateTime<Utc>, priced: LinePrice },
    /// Adds an attribute to a line.
    Add { line: String, priced: LinePrice },
    /// Adds a line with an attribute.
    AddLine { name: String, product: String, priced: LinePrice },
    /// Sets the end of a line.
    LineEnd { line: String, end: DateTime<Utc> },
    /// Sets the end of the order.
    OrderEnd(DateTime<Utc>),
}

/// All that an amendment will do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) adjustments: Vec<Adjustment>,
    money: Vec<Value>,
    credits: Vec<Value>,
    usage: Vec<Value>,
    diff: Vec<Value>,
    resolved: Vec<Value>,
    adds: Vec<Value>,
    ends: Vec<Value>,
    replaces: Vec<Value>,
    order_term: Option<Value>,
}

/// Which adjustment it is.
#[derive(Clone, Copy)]
enum Money {
    Charge,
    Credit,
    First,
}

impl Plan {
    /// Notes how a choice was made.
    pub(super) fn resolve(&mut self, asked: &Asked<'_>, axis: &str, value: &str, source: &str, reason: &str) {
        self.resolved.push(
            json!({"axis": axis, "intentIndex": asked.index, "value": value, "source": source, "reason": reason}),
        );
    }

    /// Replaces an attribute by another.
    pub(super) fn replace(
        &mut self,
        book: &Book<'_>,
        asked: &Asked<'_>,
        (line, old): (&Line, &LinePrice),
        mut new: LinePrice,
        treatment: Treatment,
    ) {
        let cycle = book.cycle(old);
        let from = match treatment {
            Treatment::None => cycle.map_or(book.now, |cycle| cycle.end),
            Treatment::AllSignals => cycle.map_or(book.now, |cycle| cycle.start),
            _ => book.now,
        };
        if treatment == Treatment::Prorate
            && let Some(cycle) = cycle.filter(|cycle| cycle.start < book.now)
        {
            self.prorate(book, asked, (line, old), cycle, Money::Credit);
            self.prorate(book, asked, (line, &new), cycle, Money::Charge);
        }
        if is_metered(old) {
            let kind = if treatment == Treatment::AllSignals { "migrateSummaries" } else { "trailingBill" };
            self.usage.push(json!({"intentIndex": asked.index, "kind": kind, "orderLineAttributeId": old.id}));
        }
        new.since = Some(from);
        self.replaces.push(json!({
            "intentIndex": asked.index,
            "orderLineAttributeId": old.id,
            "newQuantity": number(new.quantity),
        }));
        self.diff.push(json!({
            "change": "replaced",
            "intentIndex": asked.index,
            "orderLineId": line.id,
            "orderLineAttributeId": old.id,
            "before": book.state(&line.product, old),
            "after": book.state(&line.product, &new),
            "governsFrom": shown(from),
        }));
        self.steps.push(Step::Replace { line: line.id.clone(), attribute: old.id.clone(), at: from, priced: new });
    }

    /// Ends an attribute.
    pub(super) fn end(
        &mut self,
        book: &Book<'_>,
        asked: &Asked<'_>,
        (line, old): (&Line, &LinePrice),
        treatment: Treatment,
    ) {
        let cycle = book.cycle(old);
        let at = if treatment == Treatment::None { cycle.map_or(book.now, |cycle| cycle.end) } else { book.now };
        if treatment == Treatment::Prorate
            && let Some(cycle) = cycle.filter(|cycle| cycle.start < book.now)
        {
            self.prorate(book, asked, (line, old), cycle, Money::Credit);
        }
        if is_metered(old) {
            self.usage
                .push(json!({"intentIndex": asked.index, "kind": "trailingBill", "orderLineAttributeId": old.id}));
        }
        for benefit in &old.benefits {
            let mut effect = json!({"at": shown(cycle.map_or(at, |cycle| cycle.end)), "intentIndex": asked.index,
                "kind": "endEntitlement", "orderLineAttributeId": old.id});
            benefit_amount(&mut effect, benefit.amount);
            self.credits.push(effect);
        }
        self.ends.push(json!({"intentIndex": asked.index, "orderLineAttributeId": old.id}));
        self.diff.push(json!({
            "change": "ended",
            "intentIndex": asked.index,
            "orderLineId": line.id,
            "orderLineAttributeId": old.id,
            "before": book.state(&line.product, old),
            "after": null,
            "governsFrom": shown(at),
        }));
        self.steps.push(Step::End { attribute: old.id.clone(), at });
    }

    /// Adds an attribute to a line of the order, or with a line of its own.
    pub(super) fn add(
        &mut self,
        book: &Book<'_>,
        asked: &Asked<'_>,
        (line, name, product): (Option<&Line>, &str, &str),
        (mut new, product_attribute): (LinePrice, Option<&str>),
        stub: Stub,
    ) {
        let cycle = book.cycle(&new);
        new.since = Some(book.now);
        new.is_first_free = stub == Stub::None;
        let word = match stub {
            Stub::None => "none",
            Stub::Full => "full",
            Stub::Prorated => "prorated",
        };
        let mut add = json!({
            "intentIndex": asked.index,
            "productId": product,
            "lineName": name,
            "lineType": "STANDARD",
            "currency": book.currency,
            "quantity": number(new.quantity),
            "chargeStub": word,
            "creditGrant": if new.granted_since.is_some() { "full" } else { "none" },
        });
        if let Some(id) = product_attribute {
            add["productAttributeId"] = id.into();
        }
        self.adds.push(add);
        self.diff.push(json!({
            "change": "added",
            "intentIndex": asked.index,
            "before": null,
            "after": book.state(product, &new),
            "governsFrom": shown(book.now),
        }));
        for benefit in new.benefits.iter().filter(|_| new.granted_since.is_some()) {
            let mut effect = json!({"at": shown(book.now), "intentIndex": asked.index, "kind": "grantOnActivation"});
            benefit_amount(&mut effect, benefit.amount);
            self.credits.push(effect);
        }
        let within = cycle.filter(|cycle| cycle.start < book.now && !is_metered(&new) && stub != Stub::None);
        if let Some(cycle) = within {
            let (line_id, id) = (line.map(|line| line.id.clone()).unwrap_or_default(), new.id.clone());
            let whole = book.amount(&new);
            let amount = if stub == Stub::Full { whole } else { part(whole, book.days(&new, cycle)) };
            self.note_money(book, asked, Money::First, (cycle, book.days(&new, cycle)), amount);
            let name = format!("{}: the rest of the period", new.price.name);
            let order = order_of(book);
            self.adjustments.push(Adjustment { order, line: line_id, attribute: id, name, at: book.now, amount });
        }
        self.steps.push(match line {
            Some(line) => Step::Add { line: line.id.clone(), priced: new },
            None => Step::AddLine { name: name.to_owned(), product: product.to_owned(), priced: new },
        });
    }

    /// Sets the end of a line.
    pub(super) fn end_line(&mut self, asked: &Asked<'_>, line: &Line, end: DateTime<Utc>) {
        self.diff.push(json!({"change": "lineTermChanged", "intentIndex": asked.index, "orderLineId": line.id, "governsFrom": shown(end)}));
        self.steps.push(Step::LineEnd { line: line.id.clone(), end });
    }

    /// Sets the end of the order.
    pub(super) fn end_order(&mut self, asked: &Asked<'_>, end: DateTime<Utc>) {
        self.order_term = Some(json!({"intentIndex": asked.index, "newEndDate": shown(end)}));
        self.diff.push(json!({"change": "orderTermChanged", "intentIndex": asked.index, "governsFrom": shown(end)}));
        self.steps.push(Step::OrderEnd(end));
    }

    fn prorate(
        &mut self,
        book: &Book<'_>,
        asked: &Asked<'_>,
        (line, priced): (&Line, &LinePrice),
        cycle: Window,
        money: Money,
    ) {
        let amount = part(book.amount(priced), book.days(priced, cycle));
        let amount = if line.credit { -amount } else { amount };
        let (amount, what) = match money {
            Money::Credit => (-amount, "the rest of the period, credited"),
            _ => (amount, "the rest of the period"),
        };
        // Nothing was charged of what was added without a charge in this period.
        let is_free = matches!(money, Money::Credit) && priced.is_first_free && priced.since > Some(cycle.start);
        if amount.is_zero() || is_free {
            return;
        }
        self.note_money(book, asked, money, (cycle, book.days(priced, cycle)), amount);
        if let Some(effect) = self.money.last_mut() {
            effect["orderLineId"] = line.id.clone().into();
            effect["orderLineAttributeId"] = priced.id.clone().into();
        }
        self.adjustments.push(Adjustment {
            order: order_of(book),
            line: line.id.clone(),
            attribute: priced.id.clone(),
            name: format!("{}: {what}", priced.price.name),
            at: book.now,
            amount,
        });
    }

    fn note_money(
        &mut self,
        book: &Book<'_>,
        asked: &Asked<'_>,
        money: Money,
        (cycle, (remaining, total)): (Window, (i64, i64)),
        amount: Decimal,
    ) {
        let kind = match money {
            Money::Charge => "prorationCharge",
            Money::Credit => "prorationCredit",
            Money::First => "firstPeriodCharge",
        };
        self.money.push(json!({
            "kind": kind,
            "intentIndex": asked.index,
            "amountMinor": number(amount),
            "currency": book.currency,
            "billing": "nextRun",
            "cycleStart": shown(cycle.start),
            "cycleEnd": shown(cycle.end),
            "remainingDays": remaining,
            "totalDaysInCycle": total,
        }));
    }

    /// The plan as the API shows it. Its hash is that of what was asked and what follows, but for the moment.
    pub(super) fn shown(&self, book: &Book<'_>, version: u64, intents: &Value) -> Value {
        let mut operations = json!({});
        for (key, values) in [("adds", &self.adds), ("ends", &self.ends), ("replaces", &self.replaces)] {
            if !values.is_empty() {
                operations[key] = values.clone().into();
            }
        }
        if let Some(term) = &self.order_term {
            operations["orderTerm"] = term.clone();
        }
        let mut credits = self.credits.clone();
        for effect in credits.iter_mut().filter(|effect| effect["at"] == shown(book.now)) {
            effect["at"] = "now".into();
        }
        let content =
            json!([book.order.get("id"), version, operations, self.money, credits, self.usage, self.resolved, intents]);
        json!({
            "orderId": book.order.get("id"),
            "orderVersion": version,
            "planVersion": 1,
            "planHash": const_hex::encode(Sha256::digest(content.to_string())),
            "effectiveDate": shown(book.now),
            "operations": operations,
            "moneyEffects": self.money,
            "creditEffects": self.credits,
            "usageEffects": self.usage,
            "stateDiff": self.diff,
            "treatmentsResolved": self.resolved,
        })
    }
}

/// The part of an amount for the remaining days, in whole smallest units.
fn part(amount: Decimal, (remaining, total): (i64, i64)) -> Decimal {
    let share = amount * Decimal::from(remaining) / Decimal::from(total.max(1));
    share.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

fn order_of(book: &Book<'_>) -> String {
    book.order.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn benefit_amount(effect: &mut Value, amount: Option<Decimal>) {
    match amount {
        Some(amount) => effect["creditAmount"] = number(amount),
        None => effect["hasInfiniteCredits"] = true.into(),
    }
}
