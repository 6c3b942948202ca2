use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use paid::signal::CostData;
use paid::types::{CustomerId, ProductId};
use paid::{JsonObject, PaidSignal};
use uuid::Uuid;

#[derive(PaidSignal)]
#[paid(signal = "tokens_used", rename_all = "SCREAMING-KEBAB-CASE", skip_none)]
struct TokensUsed<'a, T: serde::Serialize> {
    #[paid(customer_id)]
    who: &'a CustomerId,
    #[paid(product_id)]
    product: Option<ProductId>,
    #[paid(idempotency_key)]
    key: Uuid,
    #[paid(quantity)]
    tokens: Option<u64>,
    #[paid(unit)]
    team: Cow<'a, str>,
    #[paid(user)]
    by: Arc<str>,
    #[paid(cost)]
    cost: &'a CostData,
    #[paid(timestamp)]
    at: Option<SystemTime>,
    #[paid(flatten)]
    more: Option<JsonObject>,
    #[paid(flatten)]
    map: BTreeMap<String, T>,
    counts: HashMap<Cow<'a, str>, Vec<T>>,
    r#type: &'a str,
}

#[derive(PaidSignal)]
#[paid(signal = "nothing_to_add", product = "ai-sdr-001", crate = ::paid)]
struct NothingToAdd;

fn main() {}
