//! Orders, their lines and their activation.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::contract::Matched;
use super::pricing::{Charge, Price, decimal, number};
use super::refusal::{Refusal, Reply};
use super::store::{Line, LinePrice, Store};
use super::table::{addressed, given, merge, now, page, passes, text};
use crate::{JsonObject, Timestamp};

impl Store {
    pub(super) fn list_orders(&self, matched: &Matched) -> Value {
        let external = matched.query.get("externalCustomerId");
        let customer = external
            .map(|id| self.customer_named("externalId", id).and_then(|row| text(row, "id")).unwrap_or_default());
        let status = matched.query.get("status");
        let mut plain = matched.clone();
        plain.query.remove("externalCustomerId");
        plain.query.remove("status");
        let rows = self.orders.rows().iter().filter(|row| {
            passes(row, &plain)
                && customer.is_none_or(|customer| text(row, "customerId") == Some(customer))
                && status.is_none_or(|status| text(row, "creationState") == Some(status))
        });
        page(rows.map(|row| self.shown_order(row)), matched)
    }

    pub(super) fn create_order(&mut self, body: &Value) -> Reply {
        let customer = body["customerId"].as_str().unwrap_or_default();
        let known = self.customers.find("id", customer).ok_or_else(|| Refusal::not_found("customer", customer))?;
        let currency = body["currency"].as_str().or_else(|| text(known, "defaultCurrency")).unwrap_or("USD").to_owned();
        for contact in body["billingContactIds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.contacts.find("id", contact).ok_or_else(|| Refusal::not_found("contact", contact))?;
        }
        let id = self.id("ord");
        let start = given(body, "startDate", Timestamp::now().to_string());
        let mut lines = Vec::new();
        for (index, line) in body["lines"].as_array().into_iter().flatten().enumerate() {
            lines.push(self.order_line(line, index, &start, &currency)?);
        }
        let time = now();
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
            "creationState": given(body, "creationState", "draft"),
            "paymentTerms": given(body, "paymentTerms", Value::Null),
            "number": self.orders.rows().len() + 1,
            "metadata": given(body, "metadata", Value::Null),
            "showPaymentLink": null,
            "showBankDetails": null,
            "autoPostInvoices": given(body, "autoPostInvoices", Value::Null),
            "autoSendBillingEmails": given(body, "autoSendBillingEmails", Value::Null),
            "autoSendPaymentEmails": given(body, "autoSendPaymentEmails", Value::Null),
            "version": 1,
            "billingFrequencyOverridden": body.get("billingFrequencyOverride").is_some(),
            "purchaseOrderReference": given(body, "purchaseOrderReference", Value::Null),
            // Stored, but not shown: the document's orders have neither.
            "externalId": given(body, "externalId", Value::Null),
            "currency": currency,
        });
        let Value::Object(mut order) = order else { return Err(Refusal::not_implemented("this order")) };
        if let Some(frequency) = body.get("billingFrequencyOverride") {
            order.insert("billingFrequencyOverride".into(), frequency.clone());
        }
        self.order_lines.insert(id, lines);
        let answer = self.shown_order(&order);
        self.orders.push(order);
        Ok(answer)
    }

    fn order_line(&mut self, line: &Value, index: usize, start: &Value, currency: &str) -> Result<Line, Refusal> {
        let product = line["productId"].as_str().unwrap_or_default();
        let known = self.products.find("id", product).ok_or_else(|| Refusal::not_found("product", product))?;
        let name = given(line, "name", known.get("name").cloned().unwrap_or_default());
        let own = line["attributes"].as_array().filter(|attributes| !attributes.is_empty());
        let priced: Vec<(Price, Decimal)> = match own {
            Some(attributes) => attributes
                .iter()
                .map(|attribute| {
                    let name = attribute["name"].as_str().unwrap_or_default();
                    let price = Price::of_order_line(name, &attribute["pricing"]);
                    let price =
                        price.map_err(|model| Refusal::not_implemented(&format!("the pricing model {model}")))?;
                    Ok((price, decimal(&attribute["quantity"]).unwrap_or(Decimal::ONE)))
                })
                .collect::<Result<_, Refusal>>()?,
            None => self.product_prices(product).into_iter().map(|price| (price, Decimal::ONE)).collect(),
        };
        let product = product.to_owned();
        let mut prices = Vec::new();
        for (price, quantity) in priced {
            if price.point(currency).is_none() {
                let place = format!("body.lines.{index}");
                return Err(Refusal::invalid(&place, format!("{:?} has no price in {currency}", price.name)));
            }
            prices.push(LinePrice { id: self.id("ola"), price, quantity });
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
        Ok(Line { id, product, shown, prices, credit: kind == "CREDIT" })
    }

    pub(super) fn get_order(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let order = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        Ok(self.shown_order(order))
    }

    pub(super) fn update_order(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (_, id) = addressed(matched);
        let order = self.orders.find_mut("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        merge(order, body);
        self.get_order(matched)
    }

    pub(super) fn delete_order(&mut self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.orders.remove("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        self.order_lines.remove(id);
        Ok(json!({}))
    }

    pub(super) fn activate_order(&mut self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let order = self.orders.find_mut("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        if self.order_lines.get(id).is_none_or(Vec::is_empty) {
            return Err(Refusal::invalid(
                "path.id",
                "an order without lines has nothing to bill; add lines before activating it",
            ));
        }
        let was_active = text(order, "creationState") == Some("active");
        merge(order, &json!({"creationState": "active"}));
        if !was_active {
            self.announce_invoice(id);
        }
        self.get_order(matched)
    }

    pub(super) fn list_order_lines(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let lines = self.order_lines.get(id).ok_or_else(|| Refusal::not_found("order", id))?;
        Ok(page(lines.iter().map(|line| line.shown.clone()), matched))
    }

    fn shown_order(&self, order: &JsonObject) -> Value {
        let mut shown = order.clone();
        shown.remove("externalId");
        shown.remove("currency");
        let id = text(order, "id").unwrap_or_default();
        let fixed = self.fixed_charges(id, text(order, "currency").unwrap_or("USD"));
        let pending = self.invoice_total(id).unwrap_or_default();
        for (key, amount) in [
            ("orderAmount", fixed),
            ("totalAmount", fixed),
            ("pendingBillingAmount", pending),
            ("billedAmountNoTax", Decimal::ZERO),
            ("billedTax", Decimal::ZERO),
            ("estimatedTax", Decimal::ZERO),
            ("totalBilledAmount", Decimal::ZERO),
        ] {
            shown.insert(key.into(), number(amount));
        }
        Value::Object(shown)
    }

    /// The charges of an order that do not depend on signals.
    fn fixed_charges(&self, order: &str, currency: &str) -> Decimal {
        let lines = self.order_lines.get(order).into_iter().flatten();
        lines
            .flat_map(|line| line.prices.iter().map(move |priced| (line, priced)))
            .filter(|(_, priced)| !matches!(priced.price.charge, Charge::Usage { .. }))
            .filter_map(|(line, priced)| {
                let amount = priced.price.amount(priced.price.point(currency)?, priced.quantity);
                Some(if line.credit { -amount } else { amount })
            })
            .sum()
    }
}
