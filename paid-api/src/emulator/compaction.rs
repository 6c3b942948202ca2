//! Makes a state file smaller: it leaves out what changes nothing any more. What is left makes exactly the same account, which is
//! tried before a file is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::journal::{Entry, Grown, raw};
use super::store::Store;

/// Updates whose properties replace those of an earlier one, and that only the object itself shows.
const REPLACING: [&str; 8] = [
    "update-contact-by-external-id",
    "update-contact-by-id",
    "update-credit-currency-by-id",
    "update-customer-by-external-id",
    "update-customer-by-id",
    "update-customer-group",
    "update-invoice-by-id",
    "update-order-by-id",
];

/// Updates that merge lists: only the same one again replaces them.
const MERGING: [&str; 3] = ["update-pricing", "update-product-by-external-id", "update-product-by-id"];

/// Requests that see nothing of what an update above changes.
const BLIND: [&str; 2] = ["create-costs", "create-signals"];

/// Properties that others see.
const SEEN: [&str; 9] = [
    "autoPostInvoices",
    "billingAnchor",
    "billingCustomerId",
    "creationState",
    "defaultCurrency",
    "endDate",
    "externalId",
    "startDate",
    "status",
];

/// Compacts a file in a thread. If that fails, it stays as it is.
pub(super) fn begin(grown: Grown) {
    let work = || {
        let entries = grown.entries().map_err(|error| error.to_string());
        let smaller = entries.and_then(replayed).ok().and_then(|(_, smaller)| smaller);
        grown.compacted(smaller);
    };
    // Without a thread, it stays long.
    let _ = std::thread::Builder::new().name("paid-emulator-compaction".into()).spawn(work);
}

/// The account of a journal, and a smaller journal of the same account, if there is one that is worth it.
pub(super) fn replayed(entries: Vec<Entry>) -> Result<(Store, Option<Vec<Entry>>), String> {
    let mut store = Store::default();
    let mut live = Vec::with_capacity(entries.len());
    let mut size = 0;
    for entry in entries {
        size += length(&entry);
        let (ids, known) = (store.ids_assigned(), duplicates(&store, &entry));
        repeat(&mut store, &entry)?;
        if let Some(entry) = without(entry, &known) {
            live.push(Entry { ids: entry.ids.or(Some(ids)), ..entry });
        }
    }
    settle(&mut store);
    let smaller = without_replaced(live);
    let is_worth_it = smaller.iter().map(length).sum::<usize>() < size - size / 8;
    let is_same = is_worth_it && again(&smaller).is_some_and(|other| fingerprint(&other) == fingerprint(&store));
    Ok((store, is_same.then_some(smaller)))
}

fn repeat(store: &mut Store, entry: &Entry) -> Result<(), String> {
    let problem = |problem: String| format!("{} {} cannot be repeated: {problem}", entry.method, entry.target);
    store.repeat(entry).map_err(problem)
}

fn again(entries: &[Entry]) -> Option<Store> {
    let mut store = Store::default();
    entries.iter().try_for_each(|entry| repeat(&mut store, entry)).ok()?;
    settle(&mut store);
    Some(store)
}

/// Nobody is sent a webhook a second time, and time goes on.
fn settle(store: &mut Store) {
    store.clock.hold(None);
    store.webhooks.take_outgoing();
    // It is found again.
    store.rolled_until.clear();
    store.credits_due = None;
}

/// About how long its line is.
fn length(entry: &Entry) -> usize {
    entry.body.get().len() + entry.target.len() + 150
}

#[derive(Deserialize)]
struct Bulk<'a> {
    #[serde(borrow)]
    signals: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keyed {
    idempotency_key: Option<String>,
}

/// The places of the signals of a request that were known before it.
fn duplicates(store: &Store, entry: &Entry) -> BTreeSet<usize> {
    if entry.operation.as_deref() != Some("create-signals") {
        return BTreeSet::new();
    }
    let Ok(bulk) = serde_json::from_slice::<Bulk<'_>>(entry.text()) else { return BTreeSet::new() };
    let is_known = |signal: &RawValue| {
        let key = serde_json::from_str::<Keyed>(signal.get()).ok().and_then(|keyed| keyed.idempotency_key);
        key.is_some_and(|key| store.signals.keyed(&key).is_some())
    };
    bulk.signals.iter().enumerate().filter(|(_, signal)| is_known(signal)).map(|(at, _)| at).collect()
}

/// A request without these signals; `None` if it has no other.
fn without(entry: Entry, known: &BTreeSet<usize>) -> Option<Entry> {
    if known.is_empty() {
        return Some(entry);
    }
    let bulk = serde_json::from_slice::<Bulk<'_>>(entry.text()).ok()?;
    let rest: Vec<_> =
        bulk.signals.into_iter().enumerate().filter(|(at, _)| !known.contains(at)).map(|(_, signal)| signal).collect();
    if rest.is_empty() {
        return None;
    }
    let body = serde_json::to_string(&BTreeMap::from([("signals", rest)])).ok()?;
    Some(Entry { body: raw(body.as_bytes()), ..entry })
}

/// The entries without updates that later ones replace before anyone sees them.
fn without_replaced(entries: Vec<Entry>) -> Vec<Entry> {
    let mut later = BTreeMap::<(String, String), Value>::new();
    let mut kept = Vec::with_capacity(entries.len());
    // The first may make what the others find.
    let mut targets = BTreeSet::new();
    let firsts: Vec<bool> = entries.iter().map(|entry| targets.insert(entry.target.clone())).collect();
    for (entry, is_first) in entries.into_iter().zip(firsts).rev() {
        let operation = entry.operation.clone().unwrap_or_default();
        if is_one_of(&REPLACING, &operation) || is_one_of(&MERGING, &operation) {
            let body: Value = serde_json::from_slice(entry.text()).unwrap_or_default();
            if SEEN.iter().any(|key| body.get(key).is_some()) {
                later.clear();
                kept.push(entry);
                continue;
            }
            let known = later.entry((operation.clone(), entry.target.clone())).or_insert(Value::Null);
            let is_replaced = match is_one_of(&MERGING, &operation) {
                true => *known == body && !is_first,
                false => has_all(known, &body),
            };
            if is_replaced {
                continue;
            }
            *known = body;
        } else if !is_one_of(&BLIND, &operation) {
            later.clear();
        }
        kept.push(entry);
    }
    kept.reverse();
    kept
}

fn is_one_of(operations: &[&str], operation: &str) -> bool {
    operations.contains(&operation)
}

/// Whether an update has all properties of another.
fn has_all(later: &Value, earlier: &Value) -> bool {
    let Some(later) = later.as_object() else { return false };
    earlier.as_object().is_some_and(|earlier| earlier.keys().all(|key| later.contains_key(key)))
}

/// All that an account holds, as one number.
fn fingerprint(store: &Store) -> [u8; 32] {
    struct Hashed(Sha256);
    impl fmt::Write for Hashed {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.update(text);
            Ok(())
        }
    }
    let mut hashed = Hashed(Sha256::new());
    // Hashing never fails.
    let _ = write!(hashed, "{store:?}");
    hashed.0.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Timestamp;

    fn entry(operation: &str, method: &str, target: &str, body: Value) -> Entry {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let body = raw(body.to_string().as_bytes());
        Entry {
            at,
            method: method.into(),
            target: target.into(),
            operation: Some(operation.into()),
            status: 200,
            ids: None,
            body,
        }
    }

    fn start() -> Vec<Entry> {
        vec![
            entry("create-product", "POST", "/products/", json!({"name": "P", "externalId": "p"})),
            entry("create-customer", "POST", "/customers/", json!({"name": "C", "externalId": "c"})),
        ]
    }

    fn signals(keys: &[&str]) -> Entry {
        let signal = |key: &&str| {
            json!({"eventName": "e", "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"},
            "idempotencyKey": key, "data": {"n": 1}})
        };
        entry(
            "create-signals",
            "POST",
            "/signals/bulk",
            json!({"signals": keys.iter().map(signal).collect::<Vec<_>>()}),
        )
    }

    fn named(name: &str) -> Entry {
        entry("update-customer-by-external-id", "PUT", "/customers/external/c", json!({ "name": name }))
    }

    #[test]
    fn duplicates_and_replaced_updates_are_left_out_and_the_account_is_the_same() {
        let mut entries = start();
        for round in 0..20 {
            entries.push(named(&format!("C{round}")));
            entries.push(signals(&["a", "b"]));
            let price = json!({"productAttributes": [{"name": "x", "pricing": {"pricingType": "UsagePerUnit", "eventName": "e",
                "pricePoints": [{"currency": "USD", "unitPrice": 1}]}}]});
            entries.push(entry("update-product-by-external-id", "PUT", "/products/external/p", price));
        }
        entries.push(signals(&["b", "c"]));
        entries.push(entry("create-customer", "POST", "/customers/", json!({"name": "D"})));
        let (store, smaller) = replayed(entries).unwrap();
        let smaller = smaller.unwrap();
        assert_eq!(
            smaller.len(),
            8,
            "two made, their updates, of prices the first, too, two bulks and a customer: {smaller:?}"
        );
        let other = again(&smaller).unwrap();
        assert_eq!(fingerprint(&other), fingerprint(&store));
        assert_eq!((other.signals.len(), other.ids_assigned()), (3, store.ids_assigned()));
        assert_eq!(
            replayed(smaller).unwrap().1.map(|entries| entries.len()),
            None,
            "there is nothing left to leave out"
        );
    }

    #[test]
    fn what_others_see_stays() {
        let mut entries = start();
        for round in 0..20 {
            entries.push(entry(
                "update-customer-by-external-id",
                "PUT",
                "/customers/external/c",
                json!({"name": "N", "defaultCurrency": if round % 2 == 0 { "EUR" } else { "USD" }}),
            ));
        }
        assert!(replayed(entries.clone()).unwrap().1.is_none());
        entries.push(entry("update-customer-by-id", "PUT", "/customers/cus_none", json!({"name": "N"})));
        let problem = replayed(entries).unwrap_err();
        assert!(problem.starts_with("PUT /customers/cus_none cannot be repeated: "), "{problem}");
    }

    #[test]
    fn accounts_that_differ_have_different_fingerprints() {
        let of = |entries: &[Entry]| fingerprint(&again(entries).unwrap());
        let mut entries = start();
        let before = of(&entries);
        assert_eq!(before, of(&entries), "twice the same");
        entries.push(signals(&["a"]));
        let with_signal = of(&entries);
        entries.push(named("C2"));
        assert!(before != with_signal && with_signal != of(&entries));
    }
}
