//! Why would this signal not be billed?

use std::collections::{HashMap, HashSet};

use paid_catalog::{Setting, Settings, nearest_of};
use serde_json::Value;

use super::error::AccountError;
use super::prices::in_full;
use super::reconcile::Counted;
use super::remote::read;
use super::remote::{self, Account, AccountPrice, AccountProduct, list};
use crate::{Client, Method, Timestamp};

/// A signal that was sent, or will be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Question {
    /// Its event name.
    pub name: String,
    /// Your own id of the customer, or Paid's.
    pub customer: String,
    /// Your own id of the product, or Paid's; `None` if the signal names none.
    pub product: Option<String>,
    /// When it happened.
    pub at: Timestamp,
}

impl Question {
    /// A signal of now.
    pub fn new(name: impl Into<String>, customer: impl Into<String>, product: Option<String>) -> Self {
        Self { name: name.into(), customer: customer.into(), product, at: Timestamp::now() }
    }

    /// Sets when it happened.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.at = time;
        self
    }
}

/// A reason why a signal is not billed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// Its name, such as `unknown_customer`.
    pub rule: &'static str,
    /// What is so.
    pub problem: String,
    /// What to do about it, in words for people.
    pub fix: String,
}

pub(super) fn reason(rule: &'static str, problem: impl Into<String>, fix: impl Into<String>) -> Reason {
    Reason { rule, problem: problem.into(), fix: fix.into() }
}

/// An order that is active, with the products of its lines.
struct Order {
    id: String,
    name: String,
    is_active: bool,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    lines: Vec<Line>,
}

struct Line {
    id: String,
    product: String,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// Finds the reasons why a signal would not be billed; none if nothing speaks against it.
///
/// # Errors
///
/// If a request fails, or an answer cannot be read.
pub async fn why_unbilled(client: &Client, question: &Question) -> Result<Vec<Reason>, AccountError> {
    Books::open(client).await?.why(question).await
}

/// What the account says, asked once.
pub(super) struct Books<'a> {
    pub(super) client: &'a Client,
    account: Account,
    customers: HashMap<String, Buyer>,
}

/// A customer with its orders, or why the account does not have it.
enum Buyer {
    Known { id: String, name: String, orders: Vec<Order> },
    Unknown(Vec<Reason>),
}

impl<'a> Books<'a> {
    pub(super) async fn open(client: &'a Client) -> Result<Self, AccountError> {
        Ok(Self { client, account: read(client).await?, customers: HashMap::new() })
    }

    /// Paid's id of a customer that a question was about; `None` if the account does not have it.
    pub(super) fn customer(&self, customer: &str) -> Option<&str> {
        match self.customers.get(customer) {
            Some(Buyer::Known { id, .. }) => Some(id),
            Some(Buyer::Unknown(_)) | None => None,
        }
    }

    /// Paid's ids of the customer and of the product, where the account has them, and the event.
    pub(super) fn known_as(&self, of: &Counted) -> [String; 3] {
        let customer = self.customer(&of.customer).unwrap_or(&of.customer).to_owned();
        let product = self.product(&of.product).map_or(&of.product, |known| &known.id).clone();
        [customer, product, of.name.clone()]
    }

    /// The lines of the customer's orders that are of the product, by Paid's ids.
    pub(super) fn order_lines(&self, customer: &str, product: &str) -> HashSet<&str> {
        let Some(Buyer::Known { orders, .. }) = self.customers.get(customer) else { return HashSet::new() };
        let Some(product) = self.product(product) else { return HashSet::new() };
        let lines = orders.iter().flat_map(|order| &order.lines);
        lines.filter(|line| line.product == product.id).map(|line| line.id.as_str()).collect()
    }

    /// The customer's orders that have a line of the product.
    pub(super) fn orders_of(&self, customer: &str, product: &str) -> HashSet<&str> {
        let Some(Buyer::Known { orders, .. }) = self.customers.get(customer) else { return HashSet::new() };
        let Some(product) = self.product(product) else { return HashSet::new() };
        let with = orders.iter().filter(|order| order.lines.iter().any(|line| line.product == product.id));
        with.map(|order| order.id.as_str()).collect()
    }

    /// A product by its own id or by Paid's.
    pub(super) fn product(&self, product: &str) -> Option<&AccountProduct> {
        self.account.products.iter().find(|known| known.external_id == product || known.id == product)
    }

    pub(super) async fn why(&mut self, question: &Question) -> Result<Vec<Reason>, AccountError> {
        let mut reasons = Vec::new();
        let product = product(self.client, question, &self.account, &mut reasons).await?;
        if let Some(product) = &product {
            price(question, product, &mut reasons);
        }
        if !self.customers.contains_key(&question.customer) {
            let mut missing = Vec::new();
            let buyer = match customer(self.client, question, &mut missing).await? {
                Some((name, id)) => Buyer::Known { orders: orders(self.client, &id).await?, id, name },
                None => Buyer::Unknown(missing),
            };
            self.customers.insert(question.customer.clone(), buyer);
        }
        match self.customers.get(&question.customer) {
            Some(Buyer::Known { name, orders, .. }) => ordered(question, name, orders, product.as_ref(), &mut reasons),
            Some(Buyer::Unknown(missing)) => reasons.extend(missing.iter().cloned()),
            None => {}
        }
        Ok(reasons)
    }
}

async fn product(
    client: &Client,
    question: &Question,
    account: &Account,
    reasons: &mut Vec<Reason>,
) -> Result<Option<AccountProduct>, AccountError> {
    let Some(wanted) = &question.product else {
        let fix = "name the product: `product = \"...\"`, `product` of the signal in signals.toml, or the scope's";
        reasons.push(reason("no_product", "the signal names no product, so no price can bill it", fix));
        return Ok(None);
    };
    let found = account.products.iter().find(|known| known.external_id == *wanted || known.id == *wanted);
    if let Some(found) = found {
        if !found.active {
            let problem = format!("the product {wanted} is not active");
            let fix = "set `active = true` in signals.toml and run `cargo paid products push`";
            reasons.push(reason("inactive_product", problem, fix));
        }
        return Ok(Some(found.clone()));
    }
    let listed = list(client, "/products/", &[("archived", "true")]).await?;
    let archived = listed.iter().find(|known| known["externalId"] == **wanted || known["id"] == **wanted);
    if let Some(at) = archived.and_then(|known| known["archivedAt"].as_str()) {
        let problem = format!("the product {wanted} was archived at {at}");
        reasons.push(reason("archived_product", problem, "sell another product, or restore this one in Paid"));
        return Ok(None);
    }
    let near = nearest_of(wanted, account.products.iter().map(|known| known.external_id.as_str()));
    let fix = near.map_or_else(
        || "create it: `cargo paid products push` does so from signals.toml".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    reasons.push(reason("unknown_product", format!("the account has no product {wanted}"), fix));
    Ok(None)
}

fn price(question: &Question, product: &AccountProduct, reasons: &mut Vec<Reason>) {
    let (name, id) = (&question.name, &product.external_id);
    let of_name = |price: &&AccountPrice| price.price.event_name.as_deref() == Some(name);
    let billing: Vec<&AccountPrice> = product.prices.iter().filter(of_name).collect();
    let Some(first) = billing.first() else {
        let names = product.prices.iter().filter_map(|price| price.price.event_name.as_deref());
        let fix = match nearest_of(name, names) {
            Some(near) => format!("did you mean {near}? Names must be the same to the letter"),
            None => format!("add a price with the event name {name} to product {id}"),
        };
        reasons.push(reason("no_price", format!("no price of product {id} has the event name {name}"), fix));
        return;
    };
    if billing.iter().all(|price| !price.price.active) {
        let problem = format!("the price {:?} of product {id} is not active", first.name);
        reasons.push(reason("inactive_price", problem, "activate the price"));
    } else if billing.iter().all(|price| is_free(price)) {
        let problem = format!("the price {:?} of product {id} is 0", first.name);
        reasons.push(reason("zero_price", problem, "set the price, if the signal should cost something"));
    }
}

/// Whether every amount of a price is zero.
fn is_free(price: &AccountPrice) -> bool {
    let settings = in_full(&price.price);
    let is_zero = |settings: &Settings, key: &str| match settings.get(key) {
        Some(Setting::Decimal(amount)) => amount == "0",
        Some(_) => false,
        None => true,
    };
    let spends = ["credit_cost", "credit_unit_brackets", "overage_unit_price"];
    if spends.iter().any(|key| settings.contains_key(*key)) {
        return is_zero(&settings, "credit_cost") && !settings.contains_key("credit_unit_brackets");
    }
    let Some(Setting::List(points)) = settings.get("price_points") else { return true };
    points.iter().all(|point| {
        let tiers = match point.get("tiers") {
            Some(Setting::List(tiers)) => tiers.as_slice(),
            _ => &[],
        };
        is_zero(point, "unit_price")
            && tiers.iter().all(|tier| is_zero(tier, "unit_amount") && is_zero(tier, "flat_amount"))
    })
}

/// The name and Paid's id of the customer.
async fn customer(
    client: &Client,
    question: &Question,
    reasons: &mut Vec<Reason>,
) -> Result<Option<(String, String)>, AccountError> {
    let wanted = &question.customer;
    let segment = percent_encoding::utf8_percent_encode(wanted, percent_encoding::NON_ALPHANUMERIC).to_string();
    for path in [format!("/customers/external/{segment}"), format!("/customers/{segment}")] {
        match client.request(Method::GET, &path).await {
            Ok(customer) => {
                let id = remote::text(&customer, "id", wanted)?;
                return Ok(Some((remote::text(&customer, "name", wanted)?, id)));
            }
            Err(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 400 | 404)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let customers = list(client, "/customers/", &[]).await?;
    let near = nearest_of(wanted, customers.iter().filter_map(|customer| customer["externalId"].as_str()));
    let fix = match near {
        Some(near) => format!("did you mean {near}? If it is new, create it and give it an order"),
        None => "create the customer and give it an order".to_owned(),
    };
    reasons.push(reason("unknown_customer", format!("the account has no customer {wanted}"), fix));
    Ok(None)
}

async fn orders(client: &Client, customer: &str) -> Result<Vec<Order>, AccountError> {
    let mut orders = Vec::new();
    let listed = list(client, "/orders/", &[("customerId", customer)]).await?;
    for order in listed.iter().filter(|order| order["customerId"] == *customer) {
        let id = remote::text(order, "id", "an order")?;
        let lines = list(client, &format!("/orders/{id}/lines"), &[]).await?;
        let line = |line: &Value| Line {
            id: line["id"].as_str().unwrap_or_default().to_owned(),
            product: line["productId"].as_str().unwrap_or_default().to_owned(),
            start: time(&line["startDate"]),
            end: time(&line["endDate"]),
        };
        orders.push(Order {
            name: order["name"].as_str().unwrap_or_default().to_owned(),
            is_active: order["creationState"] == "active",
            start: time(&order["startDate"]),
            end: time(&order["endDate"]),
            lines: lines.iter().map(line).collect(),
            id,
        });
    }
    Ok(orders)
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn ordered(
    question: &Question,
    customer: &str,
    orders: &[Order],
    product: Option<&AccountProduct>,
    reasons: &mut Vec<Reason>,
) {
    let active: Vec<&Order> = orders.iter().filter(|order| order.is_active).collect();
    if active.is_empty() {
        match orders.first() {
            None => reasons.push(reason(
                "no_order",
                format!("the customer {customer} has no order"),
                "create an order with the product, and activate it",
            )),
            Some(draft) => reasons.push(reason(
                "order_not_active",
                format!("the order {:?} ({}) of {customer} is a draft", draft.name, draft.id),
                format!("activate it: POST /orders/{}/activate", draft.id),
            )),
        }
        return;
    }
    let Some(product) = product else { return };
    let lines: Vec<(&Order, &Line)> = active
        .iter()
        .flat_map(|order| order.lines.iter().map(move |line| (*order, line)))
        .filter(|(_, line)| line.product == product.id)
        .collect();
    let Some((order, line)) = lines.first() else {
        let names: Vec<String> = active.iter().map(|order| format!("{:?} ({})", order.name, order.id)).collect();
        let problem =
            format!("no active order of {customer} has the product {}: {}", product.external_id, names.join(", "));
        reasons.push(reason(
            "product_not_ordered",
            problem,
            "add the product to an order: an amendment, or a new order",
        ));
        return;
    };
    let at = question.at;
    let is_within = |(order, line): &(&Order, &Line)| {
        let begins = [order.start, line.start].into_iter().flatten().all(|start| at >= start);
        begins && [order.end, line.end].into_iter().flatten().all(|end| at <= end)
    };
    if lines.iter().any(is_within) {
        return;
    }
    let start = [order.start, line.start].into_iter().flatten().max();
    match start.filter(|start| at < *start) {
        Some(start) => reasons.push(reason(
            "before_the_order",
            format!("the signal of {at} is before the start of the order {:?}, {start}", order.name),
            "send the time when it happened, or let the order start earlier",
        )),
        None => {
            let end = [order.end, line.end].into_iter().flatten().min();
            let end = end.map_or_else(String::new, |end| end.to_string());
            reasons.push(reason(
                "after_the_order",
                format!("the signal of {at} is after the end of the order {:?}, {end}", order.name),
                "renew the order, or give the customer a new one",
            ));
        }
    }
}
