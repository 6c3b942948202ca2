//! Reads products and their prices.

use std::ops::Range;

use toml::de::DeValue;

use super::{Reader, Table, Value};
use crate::product::{Key, PRICING_TYPES, SETTINGS, Shape};
use crate::{Kind, Price, Product, Setting, Settings, nearest_of};

const PRODUCT_KEYS: [&str; 4] = ["name", "description", "active", "prices"];
const OWN_KEYS: [&str; 4] = ["pricing_type", "event_name", "signal_type", "active"];

impl Reader<'_> {
    /// What the catalogue says about one product.
    pub(super) fn product(&mut self, value: &Value<'_>) -> Product {
        let mut product = Product { active: true, ..Product::default() };
        for (key, value) in self.table(value, "a product").into_iter().flatten() {
            let word = key.get_ref().as_ref();
            match word {
                "name" => product.name = self.text(word, value),
                "description" => product.description = self.text(word, value),
                "active" => product.active = self.flag(word, value),
                "prices" => {
                    for (name, value) in self.table(value, "`prices`").into_iter().flatten() {
                        let Some(table) = self.table(value, "a price") else { continue };
                        if let Some(price) = self.price(name.get_ref(), name.span(), table) {
                            product.prices.insert(name.get_ref().to_string(), price);
                        }
                    }
                }
                _ => self.unknown(word, key.span(), &PRODUCT_KEYS, "a product"),
            }
        }
        product
    }

    fn price(&mut self, name: &str, span: Range<usize>, table: &Table<'_>) -> Option<Price> {
        let (mut pricing_type, mut event_name, mut signal_type, mut active) = (None, None, None, true);
        let mut settings = Settings::new();
        for (key, value) in table {
            let word = key.get_ref().as_ref();
            match word {
                "pricing_type" => pricing_type = self.one_of(word, value, PRICING_TYPES),
                "event_name" => event_name = self.text(word, value),
                "signal_type" => signal_type = self.signal_type(value),
                "active" => active = self.flag(word, value),
                _ => self.keyed(word, key.span(), value, SETTINGS, "a price", &mut settings),
            }
        }
        let Some(pricing_type) = pricing_type else {
            if !table.contains_key("pricing_type") {
                let message = format!("the price `{name}` needs a `pricing_type`, such as \"UsagePerUnit\"");
                self.problem(span, message);
            }
            return None;
        };
        let price = Price { pricing_type, event_name, signal_type, active, settings };
        self.contradictory_price(name, &price, span);
        Some(price)
    }

    fn contradictory_price(&mut self, name: &str, price: &Price, span: Range<usize>) {
        let bills_signals = price.pricing_type.starts_with("Usage") && price.pricing_type != "UsageCostPlus";
        if bills_signals && price.event_name.is_none() {
            let message = format!("the price `{name}` bills signals, so it needs an `event_name`");
            self.problem(span.clone(), message);
        }
        if !bills_signals && price.event_name.is_some() {
            let message = format!("a price of type {} bills no signals: remove `event_name`", price.pricing_type);
            self.problem(span.clone(), message);
        }
        if price.settings.contains_key("price") && price.settings.contains_key("price_points") {
            self.problem(span, "`price` is `price_points` in short: write one of them");
        }
    }

    fn signal_type(&mut self, value: &Value<'_>) -> Option<Kind> {
        match self.one_of("signal_type", value, &["activity", "outcome"])?.as_str() {
            "activity" => Some(Kind::Activity),
            _ => Some(Kind::Outcome),
        }
    }

    fn keyed(
        &mut self,
        word: &str,
        span: Range<usize>,
        value: &Value<'_>,
        keys: &[Key],
        place: &str,
        settings: &mut Settings,
    ) {
        match keys.iter().find(|key| key.name == word) {
            Some(key) => {
                if let Some(setting) = self.setting(word, value, key.shape) {
                    settings.insert(word.to_owned(), setting);
                }
            }
            None => {
                let own: &[&str] = if place == "a price" { &OWN_KEYS } else { &[] };
                let known: Vec<&str> = own.iter().copied().chain(keys.iter().map(|key| key.name)).collect();
                self.unknown(word, span, &known, place);
            }
        }
    }

    fn setting(&mut self, word: &str, value: &Value<'_>, shape: Shape) -> Option<Setting> {
        match shape {
            Shape::Text => self.text(word, value).map(Setting::Text),
            Shape::OneOf(words) => self.one_of(word, value, words).map(Setting::Text),
            Shape::Decimal | Shape::Amount => self.decimal(word, value).map(Setting::Decimal),
            Shape::Whole => self.whole(word, value).map(Setting::Whole),
            Shape::Flag => Some(Setting::Flag(self.flag(word, value))),
            Shape::Amounts => self.amounts(word, value),
            Shape::Table(keys) => {
                let table = self.table(value, &format!("`{word}`"))?;
                Some(Setting::Table(self.settings(word, value.span(), table, keys)))
            }
            Shape::List(keys) => {
                let Some(items) = value.get_ref().as_array() else {
                    self.problem(value.span(), format!("`{word}` must be a list of tables"));
                    return None;
                };
                let mut list = Vec::new();
                for item in items.iter() {
                    if let Some(table) = self.table(item, &format!("each of `{word}`")) {
                        list.push(self.settings(word, item.span(), table, keys));
                    }
                }
                Some(Setting::List(list))
            }
        }
    }

    fn settings(&mut self, word: &str, span: Range<usize>, table: &Table<'_>, keys: &[Key]) -> Settings {
        let mut settings = Settings::new();
        for (key, value) in table {
            self.keyed(key.get_ref(), key.span(), value, keys, &format!("`{word}`"), &mut settings);
        }
        for key in keys.iter().filter(|key| key.is_required && !table.contains_key(key.name)) {
            self.problem(span.clone(), format!("`{word}` needs `{}`", key.name));
        }
        if let Some(Setting::Text(currency)) = settings.get("currency") {
            self.currency(currency, span);
        }
        settings
    }

    fn amounts(&mut self, word: &str, value: &Value<'_>) -> Option<Setting> {
        let mut amounts = Settings::new();
        for (currency, value) in self.table(value, "`price`, such as { USD = \"1.50\" },")? {
            self.currency(currency.get_ref(), currency.span());
            if let Some(amount) = self.decimal(word, value) {
                amounts.insert(currency.get_ref().to_string(), Setting::Decimal(amount));
            }
        }
        Some(Setting::Table(amounts))
    }

    fn currency(&mut self, code: &str, span: Range<usize>) {
        if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_uppercase()) {
            self.problem(span, format!("a currency is three capital letters, such as USD, not {code:?}"));
        }
    }

    fn one_of(&mut self, word: &str, value: &Value<'_>, words: &[&str]) -> Option<String> {
        let text = self.text(word, value)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let hint = match nearest_of(&text, words.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it is one of {}", words.join(", ")),
        };
        self.problem(value.span(), format!("`{word}` cannot be {text:?}; {hint}"));
        None
    }

    fn whole(&mut self, word: &str, value: &Value<'_>) -> Option<i64> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|number| *number >= 0);
        if number.is_none() {
            self.problem(value.span(), format!("`{word}` must be a whole number, 0 or more"));
        }
        number
    }

    /// A decimal number as it is written: as text, or as a number, whose digits are kept.
    fn decimal(&mut self, word: &str, value: &Value<'_>) -> Option<String> {
        let written = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
            DeValue::Float(number) => number.as_str().replace('_', ""),
            _ => String::new(),
        };
        let number = plain(&written);
        if number.is_none() {
            let message = format!("`{word}` must be a decimal number of at most 15 digits, such as \"1.50\"");
            self.problem(value.span(), message);
        }
        number
    }
}

/// The number without zeros that say nothing; `None` if it is not one, or has more digits than JSON readers keep.
fn plain(written: &str) -> Option<String> {
    let (whole, part) = written.split_once('.').unwrap_or((written, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    if whole.len() + part.len() > 15 {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") })
}

#[cfg(test)]
mod tests {
    use crate::{Catalog, Kind, Setting};

    const PRICES: &str = r#"
[products.ai-sdr-001]
name = "AI SDR"

[products.ai-sdr-001.prices."Meeting booked"]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
signal_type = "outcome"
price = { USD = "1.50", JPY = 100 }

[products.ai-sdr-001.prices.Platform]
pricing_type = "RecurringVolume"
billing_frequency = "Monthly"
active = false
price_points = [{ currency = "EUR", unit_price = "0", tiers = [{ lower_bound = 1, unit_amount = 0.10 }] }]
credit_benefits = [{ credits_currency_id = "cc_1", amount = "2.5" }]
"#;

    #[test]
    fn prices_are_read_with_every_digit() {
        let catalog = Catalog::parse(PRICES).unwrap();
        let product = &catalog.products["ai-sdr-001"];
        let booked = &product.prices["Meeting booked"];
        assert_eq!((booked.pricing_type.as_str(), booked.signal_type), ("UsagePerUnit", Some(Kind::Outcome)));
        assert_eq!(booked.amounts(), ["100 JPY", "1.50 USD"]);
        assert!(booked.bills("meeting_booked") && !booked.bills("email_sent"));
        let platform = &product.prices["Platform"];
        assert_eq!(platform.amounts(), ["1 tiers in EUR"]);
        assert!(!platform.active);
        let Setting::List(points) = &platform.settings["price_points"] else { panic!("{platform:?}") };
        let Setting::List(tiers) = &points[0]["tiers"] else { panic!("{points:?}") };
        assert_eq!(tiers[0]["unit_amount"], Setting::Decimal("0.1".into()));
    }

    #[test]
    fn every_mistake_of_a_price_is_named_where_it_stands() {
        let price = |text: &str| {
            let text = format!("[products.p.prices.a]\n{text}\n");
            Catalog::parse(&text).unwrap_err().to_string()
        };
        for (text, expected) in [
            ("active = true", "1:20: the price `a` needs a `pricing_type`, such as \"UsagePerUnit\""),
            ("pricing_type = \"UsagePerUnits\"", "2:16: `pricing_type` cannot be \"UsagePerUnits\"; did you mean"),
            ("pricing_type = \"UsagePerUnit\"", "1:20: the price `a` bills signals, so it needs an `event_name`"),
            ("pricing_type = \"SeatBasedPerUnit\"\nevent_name = \"x\"", "bills no signals: remove `event_name`"),
            ("pricing_type = \"UsageCostPlus\"\nprices = 1", "3:1: a price has no `prices`; did you mean `price`?"),
            ("pricing_type = \"UsageCostPlus\"\nprice = { usd = \"1\" }", "3:11: a currency is three capital letters"),
            ("pricing_type = \"UsageCostPlus\"\nprice = { USD = \"1e3\" }", "3:17: `price` must be a decimal number"),
            ("pricing_type = \"UsageCostPlus\"\nprice = { USD = \"-1\" }", "3:17: `price` must be a decimal number"),
            (
                "pricing_type = \"UsageCostPlus\"\nprice = { USD = \"1234567890123456\" }",
                "at most 15 digits, such as \"1.50\"",
            ),
            ("pricing_type = \"UsageCostPlus\"\nprice_points = [{ currency = \"USD\" }]", "needs `unit_price`"),
            ("pricing_type = \"UsageCostPlus\"\nprice = {}\nprice_points = []", "write one of them"),
            ("pricing_type = \"UsageCostPlus\"\nbilling_type = \"arrears\"", "did you mean `Arrears`?"),
        ] {
            let shown = price(text);
            assert!(shown.contains(expected), "{expected}\nis not in\n{shown}");
        }
        let shown = Catalog::parse("[product.x]\n").unwrap_err().to_string();
        assert!(shown.contains("`product` is unknown here; did you mean `products`, as in [products.x]?"), "{shown}");
    }
}
