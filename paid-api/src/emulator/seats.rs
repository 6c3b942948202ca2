//! The seats of orders, and who has them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::table::{Table, page, text};
use crate::{JsonObject, Timestamp};

/// A place for one user.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) id: String,
    order: String,
    product: String,
    /// The id of the attribute of the order's line.
    pub(super) attribute: String,
    /// The id of the user.
    user: Option<String>,
    pub(super) since: DateTime<Utc>,
    updated: Timestamp,
}

/// All seats.
#[derive(Debug, Default)]
pub(super) struct Seats {
    seats: Vec<Seat>,
    created: u64,
}

/// What seats refer to.
#[derive(Clone, Copy)]
pub(super) struct People<'a> {
    pub(super) products: &'a Table,
    pub(super) users: &'a [JsonObject],
    /// The id of the order's customer.
    pub(super) customer: &'a str,
}

impl Seats {
    /// Gives an attribute of an order this many seats: new ones, or without those that were added last, unassigned ones first.
    pub(super) fn resize(&mut self, order: &str, product: &str, attribute: &str, count: usize, now: Timestamp) {
        let is_meant = |seat: &Seat| seat.order == order && seat.attribute == attribute;
        let had = self.seats.iter().filter(|seat| is_meant(seat)).count();
        for _ in had..count {
            self.created += 1;
            self.seats.push(Seat {
                id: format!("00000000-0000-4000-9000-{:012}", self.created),
                order: order.to_owned(),
                product: product.to_owned(),
                attribute: attribute.to_owned(),
                user: None,
                since: *now,
                updated: now,
            });
        }
        for _ in count..had {
            let free = self.seats.iter().rposition(|seat| is_meant(seat) && seat.user.is_none());
            if let Some(at) = free.or_else(|| self.seats.iter().rposition(is_meant)) {
                self.seats.remove(at);
            }
        }
    }

    /// Gives the seats of an attribute to the one that replaces it.
    pub(super) fn move_to(&mut self, attribute: &str, other: &str) {
        for seat in self.seats.iter_mut().filter(|seat| seat.attribute == attribute) {
            seat.attribute = other.to_owned();
        }
    }

    /// The seats of a product in an order.
    pub(super) fn of<'a>(&'a self, order: &'a str, product: &'a str) -> impl Iterator<Item = &'a Seat> {
        self.seats.iter().filter(move |seat| seat.order == order && seat.product == product)
    }

    /// The id of the seat that a user has.
    pub(super) fn held_by(&self, order: &str, product: &str, user: &str) -> Option<&str> {
        let is_meant =
            |seat: &&Seat| seat.order == order && seat.product == product && seat.user.as_deref() == Some(user);
        self.seats.iter().find(is_meant).map(|seat| seat.id.as_str())
    }

    pub(super) fn remove_order(&mut self, order: &str) {
        self.seats.retain(|seat| seat.order != order);
    }

    pub(super) fn list(&self, order: &str, people: People<'_>, matched: &Matched) -> Value {
        let shown = self.seats.iter().filter(|seat| seat.order == order).map(|seat| shown(seat, people));
        let meant = shown.filter(|seat| {
            ["status", "productExternalId"]
                .iter()
                .all(|key| matched.query.get(*key).is_none_or(|wanted| seat[key] == *wanted))
        });
        page(meant, matched)
    }

    /// Assigns seats, all or none. An assignment without a `userExternalId` frees the seat.
    pub(super) fn assign(
        &mut self,
        order: &str,
        wanted: &[(String, &Value)],
        people: People<'_>,
        now: Timestamp,
    ) -> Reply {
        let mut next = self.seats.clone();
        let mut changed = Vec::new();
        for (place, assignment) in wanted {
            let id = assignment["seatId"].as_str().unwrap_or_default();
            let user = people.user(&assignment["userExternalId"], place)?;
            let seat = next.iter_mut().find(|seat| seat.id == id && seat.order == order);
            let seat = seat.ok_or_else(|| Refusal::not_found("seat", id))?;
            seat.user = user;
            seat.updated = now;
            changed.push(seat.id.clone());
        }
        check_once(&next, order)?;
        self.seats = next;
        let all = changed.iter().filter_map(|id| self.seats.iter().find(|seat| seat.id == *id));
        Ok(all.map(|seat| shown(seat, people)).collect())
    }

    /// All of a customer's orders, as its state shows them.
    pub(super) fn of_orders<'a>(&'a self, orders: &'a [&str]) -> impl Iterator<Item = &'a Seat> {
        self.seats.iter().filter(|seat| orders.contains(&seat.order.as_str()))
    }
}

impl Seat {
    pub(super) fn order(&self) -> &str {
        &self.order
    }

    pub(super) fn product(&self) -> &str {
        &self.product
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// A user has at most one seat of a product.
fn check_once(seats: &[Seat], order: &str) -> Result<(), Refusal> {
    let taken: Vec<_> = seats.iter().filter(|seat| seat.order == order && seat.user.is_some()).collect();
    let is_twice = |(index, seat): (usize, &&Seat)| {
        taken.iter().skip(index + 1).any(|other| other.user == seat.user && other.product == seat.product)
    };
    match taken.iter().enumerate().any(is_twice) {
        true => Err(Refusal::invalid("body.userExternalId", "the user has another seat of this product")),
        false => Ok(()),
    }
}

impl People<'_> {
    fn user(&self, external: &Value, place: &str) -> Result<Option<String>, Refusal> {
        let Some(external) = external.as_str() else { return Ok(None) };
        let is_meant = |row: &&JsonObject| {
            text(row, "externalId") == Some(external) && text(row, "customerId") == Some(self.customer)
        };
        let user = self.users.iter().find(is_meant).and_then(|row| text(row, "id"));
        let missing = || Refusal::invalid(place, format!("the customer has no user {external:?}"));
        user.map(|id| Some(id.to_owned())).ok_or_else(missing)
    }
}

fn shown(seat: &Seat, people: People<'_>) -> Value {
    let user = seat.user.as_deref().and_then(|id| people.users.iter().find(|row| text(row, "id") == Some(id)));
    let assignee =
        user.map(|row| json!({"id": row.get("id"), "externalId": row.get("externalId"), "email": row.get("email")}));
    json!({
        "id": seat.id,
        "orderId": seat.order,
        "productExternalId": people.products.find("id", &seat.product).and_then(|row| row.get("externalId")),
        "status": if seat.user.is_some() { "assigned" } else { "unassigned" },
        "assignee": assignee,
        "createdAt": Timestamp::from(seat.since).to_string(),
        "updatedAt": seat.updated.to_string(),
    })
}
