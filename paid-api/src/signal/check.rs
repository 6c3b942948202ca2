//! What cannot be sent in any signal: texts that name nobody, times that cannot be written.

use std::borrow::Cow;

use super::{DataProblem, Signal};
use crate::types::{CustomerAttribution, ProductAttribution};

/// Stands for the text of a value whose code panicked: it must not be taken from the scope instead.
pub(crate) const UNREADABLE: &str = "\u{0}a value that panicked";

pub(crate) const PANICKED: &str = "panicked when it was turned into text";

const NAME: &str = "name the event, such as `email_sent`";
const CUSTOMER: &str = "set an id of the customer, or leave it out to take the scope's";
const PRODUCT: &str = "set an id of the product, or leave it out to take the scope's";
const UNIT: &str = "set your id of the unit, or leave it out";
const KEY: &str =
    "set what identifies this event alone, or leave it out for a new key: signals with one key are billed once";

/// Why the signal cannot be sent, if it cannot.
pub(crate) fn problem(signal: &Signal) -> Option<DataProblem> {
    let key = signal.idempotency_key_ref();
    let is_timeless = signal.timestamp.is_some_and(|time| !time.is_writable());
    text("event_name", &signal.name, NAME)
        .or_else(|| signal.customer.as_ref().and_then(customer))
        .or_else(|| signal.product.as_ref().and_then(product))
        .or_else(|| signal.unit.as_ref().and_then(|unit| text("unit", unit, UNIT)))
        .or_else(|| key.and_then(|key| text("idempotency_key", key, KEY)))
        .or_else(|| is_timeless.then(timeless))
}

/// Why a time cannot be sent.
pub(crate) fn timeless() -> DataProblem {
    DataProblem::new("timestamp", "is before the year 0 or after 9999, which RFC 3339 cannot express")
}

pub(crate) fn customer(customer: &CustomerAttribution) -> Option<DataProblem> {
    let ids = match customer {
        CustomerAttribution::Id(id) => Cow::Borrowed(id.as_str()),
        CustomerAttribution::ExternalId(id) => Cow::Borrowed(id.as_str()),
        CustomerAttribution::Unknown(object) => all_texts(object),
    };
    text("customer", &ids, CUSTOMER)
}

pub(crate) fn product(product: &ProductAttribution) -> Option<DataProblem> {
    let ids = match product {
        ProductAttribution::Id(id) => Cow::Borrowed(id.as_str()),
        ProductAttribution::ExternalId(id) => Cow::Borrowed(id.as_str()),
        ProductAttribution::Unknown(object) => all_texts(object),
    };
    text("product", &ids, PRODUCT)
}

/// What is written in a form that this version does not know.
fn all_texts(object: &crate::JsonObject) -> Cow<'_, str> {
    Cow::Owned(object.values().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect())
}

/// Why a text cannot name or identify anything; `advice` says what to do if it is empty.
pub(crate) fn text(field: &str, text: &str, advice: &str) -> Option<DataProblem> {
    let problem = match text {
        "" => format!("is empty: {advice}"),
        UNREADABLE => PANICKED.to_owned(),
        blank if is_blank(blank) => format!("is empty (it has no visible character): {advice}"),
        _ => return None,
    };
    Some(DataProblem::new(field, problem))
}

/// Returns true if nothing and nobody has this text as an id.
#[allow(dead_code)] // Only tracing asks.
pub(crate) fn names_nothing(text: &str) -> bool {
    text == UNREADABLE || is_blank(text)
}

/// Returns true if the text has nothing that people see: nobody meant it as an id.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|character| {
        character.is_whitespace()
            || character.is_control()
            || matches!(
                character,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                    | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                    | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::types::{CustomerId, ProductId};

    const BLANKS: [&str; 8] = ["", " ", "\t\r\n", "\u{0}", "\u{a0}\u{2003}", "\u{200b}\u{feff}", "\u{7f}", "\u{2060}"];

    fn whole() -> Signal {
        Signal::new("e").customer("acme").product("p").unit("u").idempotency_key("k")
    }

    #[test]
    fn blank_texts_are_problems_that_name_the_field() {
        assert_eq!(problem(&whole()), None);
        for blank in BLANKS {
            for (signal, field) in [
                (Signal { name: blank.into(), ..whole() }, "event_name"),
                (whole().customer(blank), "customer"),
                (whole().customer(CustomerId::from(blank)), "customer"),
                (whole().customer(CustomerAttribution::Unknown(crate::object!({ "x": blank }))), "customer"),
                (whole().product(blank), "product"),
                (whole().product(ProductId::from(blank)), "product"),
                (whole().product(ProductAttribution::Unknown(crate::object!({ "x": blank }))), "product"),
                (whole().unit(blank), "unit"),
                (whole().idempotency_key(blank), "idempotency_key"),
            ] {
                assert_eq!(problem(&signal).unwrap().field, field, "{blank:?}");
            }
        }
    }

    #[test]
    fn odd_texts_that_somebody_may_have_meant_are_sent_as_they_are() {
        for odd in [" a", "a\n", "\u{202e}a", "-", "\u{1f600}", "0", &"x".repeat(10_000), "a\u{0}"] {
            let signal = whole().customer(odd).product(odd).unit(odd).idempotency_key(odd);
            assert_eq!(problem(&signal), None, "{odd:?}");
            assert_eq!(signal.to_json()["idempotencyKey"], odd);
        }
        assert_eq!(problem(&whole().customer(CustomerAttribution::Unknown(crate::object!({ "x": 1 })))), None);
    }

    #[test]
    fn a_time_that_cannot_be_written_is_a_problem() {
        for (time, is_sent) in [("0000-01-01", true), ("9999-12-31", true), ("1900-01-01T00:00:00Z", true)] {
            let time: Timestamp = time.parse().unwrap();
            assert_eq!(problem(&whole().timestamp(time)).is_none(), is_sent);
        }
        for time in [chrono::DateTime::<chrono::Utc>::MAX_UTC, chrono::DateTime::<chrono::Utc>::MIN_UTC] {
            assert_eq!(problem(&whole().timestamp(time)).unwrap().field, "timestamp");
        }
    }
}
