//! What can be amended, and how.

use serde_json::{Value, json};

use super::book::{Book, is_metered, shown};
use super::planning::locked;
use crate::emulator::billing::{Charge, Timing};
use crate::emulator::store::{Line, LinePrice};
use crate::emulator::table::text;
use crate::{JsonObject, Timestamp};

/// The options of an order that can be amended.
pub(super) fn of(book: &Book<'_>, version: u64) -> Value {
    let mut options = base(book.order, version, book.now.into());
    options["amendable"] = true.into();
    options["lines"] = book.lines.iter().map(|line| of_line(book, line)).collect();
    options["orderTerm"] = json!({ "kind": "updateOrderTerm", "axes": [] });
    let windows = &book.schedule.windows;
    if let Some(window) = windows.iter().find(|window| window.start <= book.now && book.now < window.end) {
        options["currentPeriodEnd"] = shown(window.end).into();
        options["stubPeriodExists"] = (book.span.start < window.start || window.start < book.now).into();
    }
    options
}

/// The options of an order that cannot be amended.
pub(super) fn none(order: &JsonObject, version: u64, now: Timestamp, code: &str, reason: &str) -> Value {
    let mut options = base(order, version, now);
    options["notAmendableCode"] = code.into();
    options["notAmendableReason"] = reason.into();
    options
}

fn base(order: &JsonObject, version: u64, now: Timestamp) -> Value {
    let stub = |value: &str, is_default: bool| json!({ "value": value, "isDefault": is_default });
    json!({
        "orderId": order.get("id"),
        "orderVersion": version,
        "currency": text(order, "currency").unwrap_or("USD"),
        "effectiveDate": now.to_string(),
        "amendable": false,
        "lines": [],
        "addAttribute": { "axes": [
            {
                "axis": "chargeStub",
                "appliesTo": [{ "chargeTypes": ["recurring", "seatBased"] }],
                "relevance": "midCycle",
                "options": [stub("prorated", true), stub("full", false), stub("none", false)],
            },
            {
                "axis": "creditGrant",
                "appliesTo": [{}],
                "relevance": "midCycle",
                "options": [stub("none", true), stub("full", false)],
            },
        ] },
    })
}

fn of_line(book: &Book<'_>, line: &Line) -> Value {
    let current = line.prices.iter().filter(|priced| priced.until.is_none_or(|until| until > book.now));
    json!({
        "orderLineId": line.id,
        "attributes": current.map(|priced| of_attribute(book, line, priced)).collect::<Value>(),
        "intents": [{ "kind": "updateLineTerm", "axes": [] }],
    })
}

fn of_attribute(book: &Book<'_>, line: &Line, priced: &LinePrice) -> Value {
    let mut options = json!({
        "orderLineAttributeId": priced.id,
        "meteredUsage": is_metered(priced),
        "state": book.state(&line.product, priced),
        "intents": [],
    });
    if let Some(reason) = locked(priced) {
        options["lockedReason"] = reason.into();
        return options;
    }
    let has_quantity = !is_metered(priced) && priced.price.charge != Charge::PartOfTotal;
    let kinds = ["updatePricing", "endAttribute"].into_iter().chain(has_quantity.then_some("updateQuantity"));
    options["intents"] = kinds.map(|kind| json!({ "kind": kind, "axes": [axis(priced, kind)] })).collect();
    options
}

/// How the current period is treated.
fn axis(priced: &LinePrice, kind: &str) -> Value {
    let option = |value: &str, is_default: bool, unavailable: Option<&str>| {
        let mut option = json!({ "value": value, "isDefault": is_default, "available": unavailable.is_none() });
        if let Some(reason) = unavailable {
            option["unavailableReason"] = reason.into();
        }
        option
    };
    if !matches!(priced.price.timing(), Timing::Usage(_)) {
        let options = [option("prorate", true, None), option("none", false, None)];
        return json!({ "axis": "money", "relevance": "midCycle", "options": options });
    }
    let all = match (kind, &priced.price.charge) {
        ("endAttribute", _) => Some("signals before the end stay billed"),
        (_, Charge::Credits { .. }) => Some("credits that were spent stay spent"),
        _ => None,
    };
    let options = [option("signalsFromAmendment", true, None), option("allSignalsInPeriod", false, all)];
    json!({ "axis": "usageAttribution", "relevance": "midCycle", "options": options })
}
