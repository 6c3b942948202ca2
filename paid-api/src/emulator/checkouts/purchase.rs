//! What a customer buys at a checkout: an active order, its first invoice, and the payment of it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::plans;
use super::super::refusal::Refusal;
use super::super::store::Store;
use super::super::table::{merge, text};
use super::is_open;
use crate::JsonObject;

/// What the customer chooses and enters. What is left out is the first that is offered.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Wanted {
    product_id: Option<String>,
    plan_id: Option<String>,
    currency: Option<String>,
    /// Of a customer that the purchase creates.
    customer: Option<Entered>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Entered {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    billing_address: Option<JsonObject>,
}

/// A choice that can be bought.
struct Choice {
    product: String,
    plan: Option<String>,
    currency: String,
}

impl Store {
    /// Completes a checkout as its customer does: creates a customer that is not known yet, and the order; pays the first invoice
    /// if anything is due at once; and queues the webhooks. A checkout for more than one use stays open.
    pub(in crate::emulator) fn complete_checkout(&mut self, id: &str, wanted: &Value) -> Result<(), Refusal> {
        self.expire_checkouts();
        let closed = || Refusal::conflict("conflict", "path", "there is none, or it cannot do this any more");
        let checkout = self.checkout(id).ok().filter(|row| is_open(row)).cloned().ok_or_else(closed)?;
        let wanted = match wanted {
            Value::Null => Wanted::default(),
            wanted => Wanted::deserialize(wanted).map_err(|error| Refusal::invalid("body", error.to_string()))?,
        };
        let customer = self.buyer(&checkout)?;
        let choice = self.choice(&checkout, &wanted, customer.as_ref())?;
        let customer = match customer {
            Some(_) if wanted.customer.is_some() => {
                return Err(Refusal::invalid("body.customer", "the checkout has a customer already"));
            }
            Some(customer) => customer,
            None => self.new_buyer(&checkout, wanted.customer.unwrap_or_default(), &choice)?,
        };
        let order = self.buy(&customer, &choice)?;
        self.note_purchase(&checkout, &customer, &choice, &order);
        self.checkout_event("billing-checkout-completed", id);
        Ok(())
    }

    /// The customer of a checkout, if there is one already.
    fn buyer(&self, checkout: &JsonObject) -> Result<Option<JsonObject>, Refusal> {
        if let Some(id) = text(checkout, "customerId") {
            let gone = || Refusal::conflict("conflict", "path", format!("the customer {id:?} is deleted"));
            return self.customers.find("id", id).cloned().map(Some).ok_or_else(gone);
        }
        Ok(text(checkout, "externalCustomerId").and_then(|id| self.customers.find("externalId", id)).cloned())
    }

    fn choice(&self, checkout: &JsonObject, wanted: &Wanted, customer: Option<&JsonObject>) -> Result<Choice, Refusal> {
        let mut products = checkout.get("products").and_then(Value::as_array).into_iter().flatten();
        let is_wanted = |product: &&Value| wanted.product_id.as_deref().is_none_or(|id| product["id"] == id);
        let product = products.find(is_wanted);
        let product = product.ok_or_else(|| Refusal::invalid("body.productId", "the checkout does not offer it"))?;
        let offered = self.choices(product);
        let plan = match &wanted.plan_id {
            None => offered.into_iter().next().flatten(),
            Some(id) if offered.iter().flatten().any(|plan| plan == id) => Some(id.clone()),
            Some(_) => return Err(Refusal::invalid("body.planId", "the checkout does not offer it")),
        };
        let product = product["id"].as_str().unwrap_or_default().to_owned();
        self.products.find("id", &product).ok_or_else(|| Refusal::not_found("product", &product))?;
        if let Some(plan) = &plan {
            self.sellable_plan(plan, &product, "body.planId")?;
        }
        let currency = self.currency_of(checkout, wanted, customer, &product, plan.as_deref())?;
        Ok(Choice { product, plan, currency })
    }

    fn currency_of(
        &self,
        checkout: &JsonObject,
        wanted: &Wanted,
        customer: Option<&JsonObject>,
        product: &str,
        plan: Option<&str>,
    ) -> Result<String, Refusal> {
        let place = "body.currency";
        let allowed = checkout.get("allowedCurrencies").and_then(Value::as_array).into_iter().flatten();
        let allowed: Vec<_> = allowed.filter_map(Value::as_str).collect();
        let priced = self.product_prices(product, plan);
        let is_sold = |code: &str| {
            let supported = self.currencies_of(product, plan);
            priced.iter().all(|(price, _)| price.point(code).is_some())
                && (supported.is_empty() || supported.iter().any(|own| own.eq_ignore_ascii_case(code)))
        };
        let subscribed = customer.and_then(|row| text(row, "id")).and_then(|id| self.subscribed_currency(id));
        let usual = customer.and_then(|row| text(row, "defaultCurrency"));
        let usual = usual.filter(|code| allowed.iter().any(|own| own.eq_ignore_ascii_case(code)) && is_sold(code));
        let first = allowed.iter().copied().find(|code| is_sold(code));
        let code = wanted.currency.as_deref().or(subscribed).or(usual).or(first);
        let code =
            code.ok_or_else(|| Refusal::invalid(place, "what is chosen has no price in a currency of the checkout"))?;
        if !allowed.iter().any(|own| own.eq_ignore_ascii_case(code)) {
            return Err(Refusal::invalid(place, format!("the checkout does not sell in {code}")));
        }
        if let Some(own) = subscribed.filter(|own| !own.eq_ignore_ascii_case(code)) {
            return Err(Refusal::invalid(place, format!("the customer has an active order in {own}")));
        }
        match is_sold(code) {
            true => Ok(code.to_uppercase()),
            false => Err(Refusal::invalid(place, format!("what is chosen has no price in {code}"))),
        }
    }

    /// The customer that the purchase creates.
    fn new_buyer(&mut self, checkout: &JsonObject, entered: Entered, choice: &Choice) -> Result<JsonObject, Refusal> {
        let external = text(checkout, "externalCustomerId");
        let name = entered.name.or_else(|| entered.email.clone()).or_else(|| external.map(str::to_owned));
        let mut body = crate::object!({
            "name": name.unwrap_or_else(|| "Checkout customer".to_owned()),
            "defaultCurrency": choice.currency,
        });
        let asks = |what: &str| checkout.get(what) == Some(&Value::Bool(true));
        if entered.phone.is_some() && !asks("collectPhone") {
            return Err(Refusal::invalid("body.customer.phone", "the checkout does not ask for it"));
        }
        if entered.billing_address.is_some() && !asks("collectAddress") {
            return Err(Refusal::invalid("body.customer.billingAddress", "the checkout does not ask for it"));
        }
        body.extend(external.map(|id| ("externalId".to_owned(), id.into())));
        body.extend(entered.email.map(|email| ("email".to_owned(), email.into())));
        body.extend(entered.phone.map(|phone| ("phone".to_owned(), phone.into())));
        body.extend(entered.billing_address.map(|address| ("billingAddress".to_owned(), address.into())));
        let made = self.create_customer(&Value::Object(body))?;
        Ok(made.as_object().cloned().unwrap_or_default())
    }

    /// Creates the order and pays what is due at once. Returns the order's id.
    fn buy(&mut self, customer: &JsonObject, choice: &Choice) -> Result<String, Refusal> {
        let body = json!({
            "customerId": customer.get("id"),
            "currency": choice.currency,
            "creationState": "active",
            "lines": [{"productId": choice.product}],
        });
        let order = self.create_order_of_plan(&body, choice.plan.as_deref())?;
        let order = order["id"].as_str().unwrap_or_default().to_owned();
        if let Some(invoice) = self.first_due_invoice(&order) {
            self.pay_invoice(&invoice);
        }
        Ok(order)
    }

    fn note_purchase(&mut self, checkout: &JsonObject, customer: &JsonObject, choice: &Choice, order: &str) {
        let plan = choice.plan.as_deref().and_then(|plan| self.plans.find(plan)).map(plans::reference);
        let mut update = json!({
            "orderId": order,
            "selectedProduct": {"id": choice.product, "plan": plan},
        });
        if checkout.get("singleUse") != Some(&Value::Bool(false)) {
            update["status"] = "completed".into();
            update["customerId"] = customer.get("id").cloned().unwrap_or_default();
            if text(checkout, "externalCustomerId").is_none() {
                update["externalCustomerId"] = customer.get("externalId").cloned().unwrap_or_default();
            }
        }
        let id = text(checkout, "id").unwrap_or_default();
        if let Some(row) = self.checkouts.find_mut("id", id) {
            merge(row, &update, self.clock.shown());
        }
    }
}
