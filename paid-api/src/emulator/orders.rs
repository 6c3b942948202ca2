//! Orders, their lines and their activation.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::billing::{Charge, Frequency, Price, Share, Timing, days_to_pay};
use super::contract::Matched;
use super::credits::Benefit;
use super::numbers::amount;
use super::order_credits::inherit_overages;
use super::pricing::{self, number};
use super::refusal::{Refusal, Reply};
use super::store::{Line, LinePrice, Store};
use super::table::{addressed, given, merge, page, page_of, passes, text};
use crate::{JsonObject, Timestamp};

impl Store {
    pub(super) fn list_orders(&self, matched: &Matched) -> Value {
        let status = matched.query.get("status");
        let mut plain = self.customers.narrowed(matched);
        plain.query.remove("status");
        let rows = self
            .orders
            .rows()
            .iter()
            .filter(|row| passes(row, &plain) && status.is_none_or(|status| self.state_of(row) == status));
        page_of(rows, matched, |row| self.shown_order(row))
    }

    pub(super) fn create_order(&mut self, body: &Value) -> Reply {
        self.create_order_of_plan(body, None)
    }

    /// Lines without attributes of their own cost what this plan of their product says, if there is one.
    pub(super) fn create_order_of_plan(&mut self, body: &Value, plan: Option<&str>) -> Reply {
        let customer = body["customerId"].as_str().unwrap_or_default();
        let known = self.customers.find("id", customer).ok_or_else(|| Refusal::not_found("customer", customer))?;
        let currency = body["currency"].as_str().or_else(|| text(known, "defaultCurrency")).unwrap_or("USD");
        let unknown = || Refusal::invalid("body.currency", format!("{currency:?} is no currency of ISO 4217"));
        let currency = Currency::from_code(&currency.to_uppercase()).ok_or_else(unknown)?.code().to_owned();
        self.check_order(body)?;
        self.orders.check_free("id", "", body, "order")?;
        let frequency = pricing::frequency_override(body.get("billingFrequencyOverride"))?;
        let active = body["creationState"] == "active";
        if active && body["lines"].as_array().is_none_or(Vec::is_empty) {
            return Err(without_lines("body.lines"));
        }
        let id = self.id("ord");
        let start = given(body, "startDate", self.clock.shown());
        let mut lines = Vec::new();
        let common = Common { start: &start, currency: &currency, plan, frequency };
        for (index, line) in body["lines"].as_array().into_iter().flatten().enumerate() {
            lines.push(self.order_line(line, index, &common)?);
        }
        inherit_overages(&mut lines);
        let time = self.clock.shown();
        let order = json!({
            "id": id,
            "customerId": customer,
            "billingCustomerId": given(body, "billingCustomerId", Value::Null),
            "billingContactIds": given(body, "billingContactIds", json!([])),
            "createdAt": time,
            "updatedAt": time,
            "startDate": start,
            "endDate": given(body, "endDate", Value::Null),
            "name": given(body, "name", format!("Order {id}")),
            "subscriptionTerms": given(body, "subscriptionTerms", Value::Null),
            "creationState": "draft",
            "paymentTerms": given(body, "paymentTerms", Value::Null),
            "number": self.orders.rows().len() + 1,
            "metadata": given(body, "metadata", Value::Null),
            "showPaymentLink": null,
            "showBankDetails": null,
            "autoPostInvoices": given(body, "autoPostInvoices", Value::Null),
            "autoSendBillingEmails": given(body, "autoSendBillingEmails", Value::Null),
            "autoSendPaymentEmails": given(body, "autoSendPaymentEmails", Value::Null),
            "version": 1,
            "billingFrequencyOverridden": frequency.is_some(),
            "purchaseOrderReference": given(body, "purchaseOrderReference", Value::Null),
            // Stored, but not shown: the document's orders have none of these.
            "billingAnchor": given(body, "billingAnchor", Value::Null),
            "externalId": given(body, "externalId", Value::Null),
            "currency": currency,
        });
        let Value::Object(mut order) = order else { return Err(Refusal::not_implemented("this order")) };
        if frequency.is_some() {
            order.insert("billingFrequencyOverride".into(), body["billingFrequencyOverride"].clone());
        }
        self.order_lines.insert(id.clone(), lines);
        self.orders.push(order);
        if active {
            return self.activate(&id, "body.creationState");
        }
        self.shown_order_named(&id)
    }

    /// Checks what `create` and `update` have in common.
    fn check_order(&self, body: &Value) -> Result<(), Refusal> {
        for contact in body["billingContactIds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.contacts.find("id", contact).ok_or_else(|| Refusal::not_found("contact", contact))?;
        }
        if let Some(customer) = body["billingCustomerId"].as_str() {
            self.customers.find("id", customer).ok_or_else(|| Refusal::not_found("billing customer", customer))?;
        }
        if let Some(terms) = body["paymentTerms"].as_str().filter(|terms| days_to_pay(terms).is_none()) {
            let error = format!("no due date follows from {terms:?}; use `NET` and days, or `Due on receipt`");
            return Err(Refusal::invalid("body.paymentTerms", error));
        }
        if body["billingAnchor"].as_i64().is_some_and(|day| !(1..=31).contains(&day)) {
            return Err(Refusal::invalid("body.billingAnchor", "is a day of the month, 1 to 31"));
        }
        check_dates(body, "body")
    }

    fn order_line(&mut self, line: &Value, index: usize, common: &Common<'_>) -> Result<Line, Refusal> {
        let Common { start, currency, plan, frequency } = *common;
        check_dates(line, &format!("body.lines.{index}"))?;
        let product = line["productId"].as_str().unwrap_or_default();
        let known = self.products.find("id", product).ok_or_else(|| Refusal::not_found("product", product))?;
        let name = given(line, "name", known.get("name").cloned().unwrap_or_default());
        let own = line["attributes"].as_array().filter(|attributes| !attributes.is_empty());
        let priced: Vec<(Price, Decimal, Vec<Benefit>)> = match own {
            Some(attributes) => attributes
                .iter()
                .enumerate()
                .map(|(at, attribute)| {
                    let place = format!("body.lines.{index}.attributes.{at}");
                    let name = attribute["name"].as_str().unwrap_or_default();
                    let price = pricing::of_order_line(name, &attribute["pricing"], &format!("{place}.pricing"))?;
                    let quantity = amount(&attribute["quantity"]).unwrap_or(Decimal::ONE);
                    if quantity < Decimal::ZERO {
                        return Err(Refusal::invalid(&format!("{place}.quantity"), "is negative"));
                    }
                    if quantity != Decimal::ONE && matches!(price.timing(), Timing::Usage(_)) {
                        let what = format!("a quantity of a usage price, which signals count ({place}.quantity)");
                        return Err(Refusal::not_implemented(&what));
                    }
                    if quantity.fract() != Decimal::ZERO
                        && matches!(price.charge, Charge::Seats | Charge::SeatCredits { .. })
                    {
                        return Err(Refusal::invalid(&format!("{place}.quantity"), "seats are whole"));
                    }
                    let benefits = self.benefits_of_line(&attribute["pricing"], &format!("{place}.pricing"))?;
                    self.credits.check_price(&price, &format!("{place}.pricing"))?;
                    Ok((price, quantity, benefits))
                })
                .collect::<Result<_, Refusal>>()?,
            None => {
                let prices = self.product_prices(product, plan).into_iter();
                prices.map(|(price, benefits)| (price, Decimal::ONE, benefits)).collect()
            }
        };
        let product = product.to_owned();
        let mut prices = Vec::new();
        for (mut price, quantity, benefits) in priced {
            price.frequency = frequency.unwrap_or(price.frequency);
            if price.point(currency).is_none() {
                let place = format!("body.lines.{index}");
                return Err(Refusal::invalid(
                    &place,
                    format!("{:?} has no price in the order's currency, {currency}", price.name),
                ));
            }
            prices.push(LinePrice::new(self.id("ola"), price, quantity, benefits));
        }
        let id = self.id("ol");
        let kind = given(line, "lineType", "STANDARD");
        let shown = json!({
            "id": id,
            "productId": product,
            "name": name,
            "description": given(line, "description", Value::Null),
            "startDate": given(line, "startDate", start.clone()),
            "endDate": given(line, "endDate", Value::Null),
            "lineType": kind,
        });
        Ok(Line {
            id,
            product,
            shown,
            prices,
            start: time(line, "startDate"),
            end: time(line, "endDate"),
            credit: kind == "CREDIT",
        })
    }

    pub(super) fn get_order(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.shown_order_named(id)
    }

    fn shown_order_named(&self, id: &str) -> Reply {
        let order = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        Ok(self.shown_order(order))
    }

    pub(super) fn update_order(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (_, id) = addressed(matched);
        let order = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        let active = text(order, "creationState") == Some("active");
        let mut merged = order.clone();
        merge(&mut merged, body, self.clock.shown());
        self.check_order(&Value::Object(merged))?;
        self.orders.check_free("id", id, body, "order")?;
        if active && body["creationState"] == "draft" {
            return Err(Refusal::invalid("body.creationState", "an active order does not become a draft again"));
        }
        let fixed = ["startDate", "billingAnchor"].into_iter().find(|key| body.get(key).is_some());
        if let Some(key) = fixed.filter(|_| self.has_posted(id)) {
            return Err(Refusal::invalid(&format!("body.{key}"), "the order has posted invoices"));
        }
        let mut update = body.clone();
        if let Some(update) = update.as_object_mut() {
            update.remove("creationState");
        }
        if body["creationState"] == "active" && self.order_lines.get(id).is_none_or(Vec::is_empty) {
            return Err(without_lines("body.creationState"));
        }
        if let Some(order) = self.orders.find_mut("id", id) {
            merge(order, &update, self.clock.shown());
        }
        self.rolled_until.remove(id);
        self.credits_due = None;
        if body["creationState"] == "active" {
            return self.activate(id, "body.creationState");
        }
        self.shown_order_named(id)
    }

    pub(super) fn delete_order(&mut self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let order = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        if text(order, "creationState") == Some("active") {
            return Err(Refusal::invalid("path.id", "the order is active and has invoices; end it with an endDate"));
        }
        self.orders.remove("id", id);
        self.order_lines.remove(id);
        self.seats.remove_order(id);
        Ok(json!({}))
    }

    pub(super) fn activate_order(&mut self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.activate(id, "path.id")
    }

    /// Activates an order. Every period that began has an invoice; the latest that ended is posted.
    fn activate(&mut self, id: &str, place: &str) -> Reply {
        let order = self.orders.find_mut("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        if self.order_lines.get(id).is_none_or(Vec::is_empty) {
            return Err(without_lines(place));
        }
        let was_active = text(order, "creationState") == Some("active");
        merge(order, &json!({"creationState": "active"}), self.clock.shown());
        if !was_active {
            self.open_seats(id);
            self.begin_credits(id);
            self.announce_invoices(id);
            self.post_latest_elapsed(id);
        }
        self.shown_order_named(id)
    }

    pub(super) fn list_order_lines(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let lines = self.order_lines.get(id).ok_or_else(|| Refusal::not_found("order", id))?;
        Ok(page(lines.iter().map(|line| line.shown.clone()), matched))
    }

    fn shown_order(&self, order: &JsonObject) -> Value {
        let mut shown = order.clone();
        shown.remove("externalId");
        shown.remove("billingAnchor");
        shown.remove("currency");
        let id = text(order, "id").unwrap_or_default();
        let fixed = self.fixed_charges(id, text(order, "currency").unwrap_or("USD"));
        let (billed, pending) = self.billed_and_pending(id);
        for (key, amount) in [
            ("orderAmount", fixed),
            ("totalAmount", fixed),
            ("pendingBillingAmount", pending),
            ("billedAmountNoTax", billed),
            ("billedTax", Decimal::ZERO),
            ("estimatedTax", Decimal::ZERO),
            ("totalBilledAmount", billed),
        ] {
            shown.insert(key.into(), number(amount));
        }
        Value::Object(shown)
    }

    /// The state that lists filter by.
    pub(super) fn state_of<'a>(&self, order: &'a JsonObject) -> &'a str {
        state(order, self.clock.now())
    }

    /// The charges of an order that do not depend on signals.
    fn fixed_charges(&self, order: &str, currency: &str) -> Decimal {
        let lines = self.order_lines.get(order).into_iter().flatten();
        lines
            .flat_map(|line| line.prices.iter().map(move |priced| (line, priced)))
            .filter(|(_, priced)| is_fixed(&priced.price))
            .filter_map(|(line, priced)| {
                let amount = priced.price.amount(priced.price.point(currency)?, priced.quantity, Share::WHOLE);
                Some(if line.credit { -amount } else { amount })
            })
            .sum()
    }
}

/// What all lines of an order have in common.
struct Common<'a> {
    start: &'a Value,
    currency: &'a str,
    /// Whose prices they have, if they have none of their own.
    plan: Option<&'a str>,
    /// Of all prices, instead of their own.
    frequency: Option<Frequency>,
}

/// What is known of an order's charges before anything happens.
fn is_fixed(price: &Price) -> bool {
    matches!(price.charge, Charge::OneTime | Charge::Recurring | Charge::Seats)
}

fn without_lines(place: &str) -> Refusal {
    Refusal::invalid(place, "an order without lines has nothing to bill; add lines before activating it")
}

fn time(object: &Value, key: &str) -> Option<Timestamp> {
    object[key].as_str()?.parse().ok()
}

fn check_dates(body: &Value, place: &str) -> Result<(), Refusal> {
    match (time(body, "startDate"), time(body, "endDate")) {
        (start, Some(end)) if start.is_some_and(|start| end <= start) => {
            Err(Refusal::invalid(&format!("{place}.endDate"), "is not after startDate"))
        }
        _ => Ok(()),
    }
}

/// The state that a list filters by. An order has ended when its end is past.
fn state(order: &JsonObject, now: Timestamp) -> &str {
    let end = text(order, "endDate").and_then(|end| end.parse::<Timestamp>().ok());
    match text(order, "creationState") {
        Some("active") if end.is_some_and(|end| end <= now) => "ended",
        state => state.unwrap_or_default(),
    }
}
