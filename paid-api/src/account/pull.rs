//! Takes what the account sells into the catalogue. Comments, order and what a person wrote stay.

pub(super) mod document;
mod products;
pub(super) mod signals;

use paid_catalog::Catalog;
use toml_edit::DocumentMut;

use super::error::AccountError;
use super::observed::Observed;
use super::remote::Account;

/// A catalogue with what the account sells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// The text of the catalogue.
    pub text: String,
    /// What was added, in sentences.
    pub added: Vec<String>,
    /// What was changed, in sentences.
    pub changed: Vec<String>,
    /// What the catalogue has and the account does not, or not any more. It stays in the file.
    pub only_in_catalogue: Vec<String>,
    /// What a person has to decide, in sentences.
    pub to_decide: Vec<String>,
}

impl Pulled {
    /// Whether the catalogue already had all of it.
    pub fn is_up_to_date(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty()
    }
}

/// Takes what the account sells, and the signals that Paid has seen, into the text of a catalogue.
///
/// Products and prices become what the account has. A signal that a price bills and the catalogue lacks is added, with the
/// fields that Paid has seen. Everything else stays as it is, byte for byte; a second pull changes nothing.
///
/// # Errors
///
/// If the text is no catalogue.
pub fn pull(text: &str, account: &Account, observed: Option<&Observed>) -> Result<Pulled, AccountError> {
    let catalog = Catalog::parse(text).map_err(|problems| AccountError::Catalogue(problems.to_string()))?;
    let document: Result<DocumentMut, _> = text.parse();
    let mut document = document.map_err(|error| AccountError::Catalogue(error.to_string()))?;
    let mut pulled = Pulled { to_decide: account.left_out.clone(), ..Pulled::default() };
    products::merge(&mut document, &catalog, account, &mut pulled)?;
    signals::merge(&mut document, &catalog, account, observed, &mut pulled)?;
    pulled.text = document.to_string();
    match Catalog::parse(&pulled.text) {
        Ok(_) => Ok(pulled),
        Err(problems) => {
            Err(AccountError::Catalogue(format!("with what the account has, the catalogue is wrong:\n{problems}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::account::observed::ObservedField;
    use crate::account::prices;
    use crate::account::remote::{AccountPrice, AccountProduct};

    fn price(id: &str, name: &str, pricing: serde_json::Value) -> AccountPrice {
        let attribute = json!({ "name": name, "active": true, "pricing": pricing });
        AccountPrice { id: id.into(), name: name.into(), price: prices::of_attribute(&attribute).unwrap() }
    }

    fn account() -> Account {
        let booked = json!({ "pricingType": "UsagePerUnit", "eventName": "meeting_booked", "signalType": "outcome",
            "billingType": "Arrears", "pricePoints": [{ "currency": "USD", "unitPrice": 150 }] });
        let tiers = json!({ "pricingType": "UsageGraduated", "eventName": "email_sent", "billingFrequency": "Monthly",
            "pricePoints": [{ "currency": "USD", "unitPrice": 0, "includedQuantity": 100.0, "tiers":
                [{ "lowerBound": 1, "upperBound": 10, "unitAmount": 5 }, { "lowerBound": 11, "unitAmount": 0.5 }] }] });
        let product = AccountProduct {
            id: "prod_1".into(),
            external_id: "ai-sdr-001".into(),
            name: "AI SDR".into(),
            description: None,
            active: true,
            prices: vec![price("1", "Meeting booked", booked), price("2", "E-mails", tiers)],
            unreadable: Vec::new(),
        };
        Account { products: vec![product], left_out: Vec::new() }
    }

    fn observed() -> Observed {
        use paid_catalog::JsonType::String;
        let field = ObservedField { types: vec![String] };
        let of = |name: &str| std::collections::BTreeMap::from([(name.to_owned(), field.clone())]);
        Observed::from([("email_sent".into(), of("lead_id")), ("emial_sent".into(), of("lead_id"))])
    }

    #[test]
    fn an_empty_file_gets_everything_and_a_second_pull_changes_nothing() {
        let pulled = pull("", &account(), Some(&observed())).unwrap();
        assert_eq!(
            pulled.text,
            r#"[products.ai-sdr-001]
name = "AI SDR"

[products.ai-sdr-001.prices."Meeting booked"]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
signal_type = "outcome"
price = { USD = "1.50" }

[products.ai-sdr-001.prices.E-mails]
pricing_type = "UsageGraduated"
event_name = "email_sent"
billing_frequency = "Monthly"
price_points = [
    { currency = "USD", unit_price = "0.00", included_quantity = 100, tiers = [
        { lower_bound = 1, upper_bound = 10, unit_amount = "0.05" },
        { lower_bound = 11, unit_amount = "0.005" },
    ] },
]

[signals.email_sent]
# The account does not say which: correct it if it is an outcome.
type = "activity"
product = "ai-sdr-001"

[signals.email_sent.data]
lead_id = { type = "string" }

[signals.meeting_booked]
type = "outcome"
product = "ai-sdr-001"
"#
        );
        assert_eq!(pulled.to_decide.len(), 2, "{pulled:?}");
        assert!(pulled.to_decide[1].contains("emial_sent"), "{pulled:?}");
        let again = pull(&pulled.text, &account(), Some(&observed())).unwrap();
        assert_eq!((again.text.as_str(), again.is_up_to_date()), (pulled.text.as_str(), true), "{again:?}");
    }

    #[test]
    fn comments_order_and_what_a_person_wrote_stay() {
        let text = r#"# Ours.
[signals.meeting_booked] # counted by sales
type = "outcome"
product = "ai-sdr-001"
description = "A lead accepted"
[signals.meeting_booked.data]
lead_id = { type = "string", required = true } # by CRM

# Prices: ask Jo.
[products.ai-sdr-001]
name = "SDR" # old

[products.ai-sdr-001.prices."Meeting booked"]
# agreed in May
price = { USD = 1.25 } # dollars
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"

[products.ai-sdr-001.prices.Gone]
pricing_type = "OneTimePerUnit"
price = { USD = 9 }

[lints]
similar_names = "allow"
"#;
        let pulled = pull(text, &account(), None).unwrap();
        let expected = text
            .replace("name = \"SDR\" # old", "name = \"AI SDR\" # old")
            .replace("price = { USD = 1.25 } # dollars", "price = { USD = \"1.50\" } # dollars")
            .replace(
                "event_name = \"meeting_booked\"\n",
                "event_name = \"meeting_booked\"\nsignal_type = \"outcome\"\n",
            );
        let mut have = pulled.text.lines();
        for line in expected.lines() {
            assert!(have.any(|own| own == line), "no {line:?} in its place in\n{}", pulled.text);
        }
        assert_eq!(pulled.only_in_catalogue, ["the price \"Gone\" of product ai-sdr-001"]);
        assert_eq!(pulled.changed.len(), 3, "{pulled:?}");
        let again = pull(&pulled.text, &account(), None).unwrap();
        assert_eq!((again.text.as_str(), again.is_up_to_date()), (pulled.text.as_str(), true), "{again:?}");
    }

    #[test]
    fn what_says_the_same_in_other_words_is_not_touched() {
        let text = "[products.ai-sdr-001]\nname = 'AI SDR'\nprices.\"Meeting booked\" = { pricing_type = \"UsagePerUnit\", event_name = \"meeting_booked\", signal_type = \"outcome\", price_points = [{ unit_price = 1.5, currency = \"USD\" }] }\n";
        let pulled = pull(text, &account(), None).unwrap();
        assert!(pulled.text.starts_with(text), "{}", pulled.text);
        assert!(pulled.changed.is_empty(), "{pulled:?}");
        assert!(Catalog::parse(&pulled.text).unwrap().products["ai-sdr-001"].prices.contains_key("E-mails"));
    }

    #[test]
    fn prices_of_one_name_are_told_apart_by_their_id() {
        let mut account = account();
        account.products[0].prices[1].name = "Meeting booked".into();
        let pulled = pull("", &account, None).unwrap();
        assert!(
            pulled
                .text
                .contains("[products.ai-sdr-001.prices.\"Meeting booked (2)\"]\nid = \"2\"\nname = \"Meeting booked\""),
            "{}",
            pulled.text
        );
        let again = pull(&pulled.text, &account, None).unwrap();
        assert_eq!(again.text, pulled.text);
    }
}
