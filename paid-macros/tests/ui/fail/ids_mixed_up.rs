use paid::types::{CustomerId, ExternalCustomerId, ProductId};

#[paid::signal("meeting_booked", customer = who)]
fn work(who: CustomerId) {}

#[paid::signal("meeting_booked", customer_id = who)]
fn more_work(who: &ExternalCustomerId) {}

#[paid::signal("meeting_booked", product = what)]
fn most_work(what: ProductId) {}

fn main() {}
