//! A price in the words of the API, and in those of the catalogue: the same words, in camelCase and snake_case.

use paid_catalog::{Key, Kind, PRICING_TYPES, Price, SETTINGS, Setting, Settings, Shape};
use serde_json::{Map, Value, json};

use super::amounts::{decimal, plain, to_major, to_minor};

/// What stands at the attribute, and not in its pricing.
const OF_ATTRIBUTE: [&str; 4] = ["credit_benefits", "tax_code", "id", "name"];

/// What Paid takes but does not show, so that nothing can be said about it.
pub(super) const NEVER_SHOWN: [&str; 7] = [
    "billing_frequency_custom_months",
    "credit_rollover_amount",
    "credit_unit_brackets",
    "fee_type",
    "overage_unit_price",
    "pricing_input",
    "tax_code",
];

/// What a price is if nothing is said.
pub(super) fn is_default(price: &Price, key: &str, setting: &Setting) -> bool {
    let usage = price.pricing_type.starts_with("Usage");
    match (key, setting) {
        ("billing_type", Setting::Text(text)) => text == if usage { "Arrears" } else { "Advance" },
        ("price_points" | "credit_benefits", Setting::List(list)) => list.is_empty(),
        ("allocation_cadence", Setting::Text(text)) => text == "upfront",
        ("recipient", Setting::Text(text)) => text == "organization",
        ("is_infinite_total", Setting::Flag(flag)) => !flag,
        _ => false,
    }
}

fn camel(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut is_next = false;
    for letter in key.chars() {
        match letter {
            '_' => is_next = true,
            letter if is_next => {
                out.push(letter.to_ascii_uppercase());
                is_next = false;
            }
            letter => out.push(letter),
        }
    }
    out
}

/// The price of an attribute that the API shows.
pub(super) fn of_attribute(attribute: &Value) -> Result<Price, String> {
    let pricing = attribute["pricing"].as_object().ok_or("it has no pricing")?;
    let pricing_type = pricing.get("pricingType").and_then(Value::as_str).ok_or("it has no `pricingType`")?;
    if !PRICING_TYPES.contains(&pricing_type) {
        return Err(format!("this version does not know the pricing type {pricing_type:?}"));
    }
    let mut price = Price {
        pricing_type: pricing_type.to_owned(),
        event_name: pricing.get("eventName").and_then(Value::as_str).map(str::to_owned),
        signal_type: pricing.get("signalType").and_then(Value::as_str).and_then(kind),
        active: attribute["active"].as_bool().unwrap_or(true),
        settings: Settings::new(),
    };
    for key in SETTINGS.iter().filter(|key| !matches!(key.name, "id" | "name" | "price")) {
        let at = if OF_ATTRIBUTE.contains(&key.name) {
            attribute.get(camel(key.name))
        } else {
            pricing.get(&camel(key.name))
        };
        let Some(value) = at.filter(|value| !value.is_null()) else { continue };
        let setting = setting(value, key, None).map_err(|problem| format!("`{}` {problem}", camel(key.name)))?;
        if !is_default(&price, key.name, &setting) {
            price.settings.insert(key.name.to_owned(), setting);
        }
    }
    Ok(price)
}

fn kind(word: &str) -> Option<Kind> {
    [Kind::Activity, Kind::Outcome].into_iter().find(|kind| kind.as_str() == word)
}

fn setting(value: &Value, key: &Key, currency: Option<&str>) -> Result<Setting, String> {
    let number = || value.as_number().and_then(decimal).ok_or_else(|| "is no number".to_owned());
    let text = || value.as_str().map(str::to_owned).ok_or_else(|| "is no text".to_owned());
    Ok(match key.shape {
        Shape::Text | Shape::OneOf(_) => Setting::Text(text()?),
        Shape::Decimal => Setting::Decimal(plain(number()?)),
        Shape::Amount => Setting::Decimal(to_major(number()?, currency.ok_or("has no currency")?)?),
        Shape::Whole => {
            let number = number()?.normalize();
            let whole = Some(number).filter(|number| number.scale() == 0).and_then(|number| i64::try_from(number).ok());
            Setting::Whole(whole.ok_or_else(|| format!("is {number}, which is no whole number"))?)
        }
        Shape::Flag => Setting::Flag(value.as_bool().ok_or("is neither true nor false")?),
        Shape::Amounts => return Err("is written as `price_points`".to_owned()),
        Shape::Table(keys) => Setting::Table(table(value, keys, currency)?),
        Shape::List(keys) => {
            let items = value.as_array().ok_or("is no list")?;
            Setting::List(items.iter().map(|item| table(item, keys, currency)).collect::<Result<_, _>>()?)
        }
    })
}

fn table(value: &Value, keys: &[Key], currency: Option<&str>) -> Result<Settings, String> {
    let fields = value.as_object().ok_or("is no object")?;
    let currency = fields.get("currency").and_then(Value::as_str).or(currency);
    let mut settings = Settings::new();
    for key in keys {
        let Some(value) = fields.get(&camel(key.name)).filter(|value| !value.is_null()) else { continue };
        let setting = setting(value, key, currency).map_err(|problem| format!("`{}` {problem}", camel(key.name)))?;
        let says_nothing = match (key.name, &setting) {
            ("allocation_cadence", Setting::Text(text)) => text == "upfront",
            ("recipient", Setting::Text(text)) => text == "organization",
            ("is_infinite_total", Setting::Flag(flag)) => !flag,
            ("tiers", Setting::List(list)) => list.is_empty(),
            _ => false,
        };
        if !says_nothing {
            settings.insert(key.name.to_owned(), setting);
        }
    }
    Ok(settings)
}

/// `price` written as the `price_points` that it stands for, and without what says nothing.
pub(super) fn in_full(price: &Price) -> Settings {
    let mut settings = price.settings.clone();
    if let Some(Setting::Table(amounts)) = settings.remove("price") {
        let point = |(currency, amount): (String, Setting)| {
            Settings::from([("currency".to_owned(), Setting::Text(currency)), ("unit_price".to_owned(), amount)])
        };
        settings.insert("price_points".to_owned(), Setting::List(amounts.into_iter().map(point).collect()));
    }
    settings.retain(|key, setting| !is_default(price, key, setting));
    for setting in settings.values_mut() {
        if let Setting::List(tables) = setting {
            for table in tables.iter_mut() {
                table.retain(|key, setting| !is_default(price, key, setting));
            }
            // The order of points in different currencies says nothing.
            tables.sort_by_key(|table| match table.get("currency") {
                Some(Setting::Text(currency)) => currency.clone(),
                _ => String::new(),
            });
        }
    }
    settings
}

/// `price_points` written as `price`, where that says the same.
pub(super) fn in_short(settings: &Settings) -> Settings {
    let mut short = settings.clone();
    let Some(Setting::List(points)) = settings.get("price_points") else { return short };
    let mut amounts = Settings::new();
    for point in points {
        match (point.get("currency"), point.get("unit_price")) {
            (Some(Setting::Text(currency)), Some(amount)) if point.len() == 2 => {
                if amounts.insert(currency.clone(), amount.clone()).is_some() {
                    return short;
                }
            }
            _ => return short,
        }
    }
    if !amounts.is_empty() {
        short.remove("price_points");
        short.insert("price".to_owned(), Setting::Table(amounts));
    }
    short
}

/// What a request says to make an attribute what the catalogue says.
pub(super) fn to_attribute(name: &str, price: &Price, settings: &Settings, id: Option<&str>) -> Result<Value, String> {
    let mut pricing = Map::from_iter([("pricingType".to_owned(), json!(price.pricing_type))]);
    if let Some(event) = &price.event_name {
        pricing.insert("eventName".into(), json!(event));
    }
    if let Some(kind) = price.signal_type {
        pricing.insert("signalType".into(), json!(kind.as_str()));
    }
    let mut attribute = Map::from_iter([("name".to_owned(), json!(name)), ("active".to_owned(), json!(price.active))]);
    for key in SETTINGS.iter().filter(|key| !matches!(key.name, "id" | "name")) {
        let Some(setting) = settings.get(key.name) else { continue };
        let value = to_value(setting, key, None).map_err(|problem| format!("`{}`: {problem}", key.name))?;
        let target = if OF_ATTRIBUTE.contains(&key.name) { &mut attribute } else { &mut pricing };
        target.insert(camel(key.name), value);
    }
    if let Some(id) = id {
        attribute.insert("productAttributeId".into(), json!(id));
    }
    attribute.insert("pricing".into(), pricing.into());
    Ok(attribute.into())
}

fn to_value(setting: &Setting, key: &Key, currency: Option<&str>) -> Result<Value, String> {
    let fields = |settings: &Settings, keys: &[Key]| {
        let currency = match settings.get("currency") {
            Some(Setting::Text(own)) => Some(own.as_str()),
            _ => currency,
        };
        let mut fields = Map::new();
        for key in keys {
            if let Some(setting) = settings.get(key.name) {
                fields.insert(camel(key.name), to_value(setting, key, currency)?);
            }
        }
        // The last bracket has no end, which the API writes as null.
        if key.name == "credit_unit_brackets" {
            fields.entry("upTo").or_insert(Value::Null);
        }
        Ok::<_, String>(Value::from(fields))
    };
    match (setting, key.shape) {
        (Setting::Decimal(amount), Shape::Amount) => to_minor(amount, currency.ok_or("it has no currency")?),
        (Setting::Decimal(number), _) => {
            serde_json::from_str(number).map_err(|_| format!("{number} is not a decimal number"))
        }
        (Setting::Text(text), _) => Ok(json!(text)),
        (Setting::Whole(number), _) => Ok(json!(number)),
        (Setting::Flag(flag), _) => Ok(json!(flag)),
        (Setting::Table(settings), Shape::Table(keys)) => fields(settings, keys),
        (Setting::List(tables), Shape::List(keys)) => {
            Ok(Value::Array(tables.iter().map(|table| fields(table, keys)).collect::<Result<_, _>>()?))
        }
        (Setting::Table(_) | Setting::List(_), _) => Err("it stands where it cannot".to_owned()),
    }
}

/// A setting as text, for tables and messages.
pub(super) fn in_words(setting: &Setting) -> String {
    match setting {
        Setting::Text(text) | Setting::Decimal(text) => text.clone(),
        Setting::Whole(number) => number.to_string(),
        Setting::Flag(flag) => flag.to_string(),
        Setting::Table(settings) => table_in_words(settings),
        Setting::List(tables) => tables.iter().map(table_in_words).collect::<Vec<_>>().join("; "),
    }
}

fn table_in_words(settings: &Settings) -> String {
    if let (Some(Setting::Text(currency)), Some(Setting::Decimal(amount)), 2) =
        (settings.get("currency"), settings.get("unit_price"), settings.len())
    {
        return format!("{} {currency}", super::amounts::shown(amount, currency));
    }
    let parts: Vec<String> = settings.iter().map(|(key, setting)| format!("{key} {}", in_words(setting))).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use paid_catalog::Catalog;

    use super::*;

    #[test]
    fn keys_are_the_apis() {
        assert_eq!(camel("billing_frequency_custom_months"), "billingFrequencyCustomMonths");
        assert_eq!(camel("price"), "price");
    }

    #[test]
    fn a_price_that_was_sent_is_read_as_it_was_written() {
        let text = r#"
            [products.p.prices.a]
            pricing_type = "UsageGraduated"
            event_name = "x"
            signal_type = "outcome"
            billing_frequency = "Quarterly"
            price_points = [
                { currency = "USD", unit_price = "0", included_quantity = 10, tiers = [
                    { lower_bound = 1, upper_bound = 10, unit_amount = "0.50" }, { lower_bound = 11, flat_amount = 7 } ] },
                { currency = "EUR", unit_price = "1.23", tiers = [{ lower_bound = 0 }] },
            ]
            credit_benefits = [{ credits_currency_id = "cc", amount = "2.5", rollover_amount = 1 }]
            [products.p.prices.b]
            pricing_type = "UsageBracketedPrepaidCredits"
            event_name = "y"
            pricing_input = { kind = "signalQuantity", path = "$.quantity" }
            credit_unit_brackets = [{ credit_units = 1, up_to = 5 }, { credit_units = "0.5", credit_units_per_unit = 2 }]
            [products.p.prices.c]
            pricing_type = "UsagePerUnit"
            event_name = "z"
            price = { USD = "1.50", JPY = 3 }
        "#;
        let catalog = Catalog::parse(text).unwrap();
        for (name, price) in &catalog.products["p"].prices {
            let full = in_full(price);
            let sent = to_attribute(name, price, &full, None).unwrap();
            let read = of_attribute(&sent).unwrap();
            assert_eq!(in_full(&read), full, "{sent}");
            assert_eq!((read.event_name, read.signal_type), (price.event_name.clone(), price.signal_type));
        }
        let brackets =
            to_attribute("b", &catalog.products["p"].prices["b"], &catalog.products["p"].prices["b"].settings, None);
        assert_eq!(
            brackets.unwrap()["pricing"]["creditUnitBrackets"][1],
            json!({"creditUnits": 0.5, "creditUnitsPerUnit": 2, "upTo": null})
        );
        let short = in_short(&in_full(&catalog.products["p"].prices["c"]));
        assert_eq!(short, catalog.products["p"].prices["c"].settings);
    }

    #[test]
    fn an_amount_that_cannot_be_sent_is_refused_with_its_place() {
        let text = "[products.p.prices.a]\npricing_type = \"OneTimePerUnit\"\nprice = { USD = \"0.005\" }\n";
        let price = Catalog::parse(text).unwrap().products["p"].prices["a"].clone();
        let refused = to_attribute("a", &price, &in_full(&price), None).unwrap_err();
        assert!(refused.contains("`price_points`: 0.005 USD cannot be sent"), "{refused}");
    }
}
