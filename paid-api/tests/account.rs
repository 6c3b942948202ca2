//! The account against the catalogue, on the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use paid::account::read_file;
use paid::account::simulation::bill;
use paid::{Client, Decimal, Method};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use paid::account::{compare, observed, pull, push, read};
use paid::emulator::Emulator;
use paid_catalog::Catalog;

/// 50 products with 300 prices of every kind that a catalogue can hold, with comments.
fn large() -> String {
    let mut text = String::from("# Prices of 2026.\n[lints]\nsimilar_names = \"allow\"\n");
    for product in 0..50 {
        writeln!(text, "\n# Product {product}.\n[products.p-{product:02}]\nname = \"Product {product}\" # shown\n")
            .unwrap();
        for (index, price) in PRICES.iter().enumerate() {
            writeln!(text, "[products.p-{product:02}.prices.\"Price {index}\"] # {product}/{index}").unwrap();
            writeln!(text, "{}\n", price.replace("EVENT", &format!("event_{product}_{index}"))).unwrap();
        }
    }
    text
}

const PRICES: [&str; 6] = [
    "pricing_type = \"UsagePerUnit\"\nevent_name = \"EVENT\"\nsignal_type = \"outcome\"\nprice = { EUR = 1.2, USD = \"1.50\" } # both",
    "# tiers\npricing_type = \"UsageGraduated\"\nevent_name = \"EVENT\"\nprice_points = [{ currency = \"USD\", unit_price = 0, tiers = [{ lower_bound = 1, upper_bound = 10, unit_amount = \"0.5\" }, { lower_bound = 11, unit_amount = \"0.25\" }] }]",
    "pricing_type = \"RecurringPerUnit\"\nbilling_frequency = \"Annual\"\nprice = { USD = 99 }",
    "pricing_type = \"SeatBasedPerUnit\"\nbilling_frequency = \"Monthly\"\nbilling_type = \"Arrears\"\nprice = { JPY = 500 }",
    "pricing_type = \"OneTimePerUnit\"\nfee_type = \"setup\"\nprice = { USD = \"1000.00\" }",
    "pricing_type = \"UsageCostPlus\"\ncost_plus_multiplier = \"1.25\"\nactive = false",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pushed_catalogue_is_pulled_byte_for_byte() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let text = large();
    let catalog = Catalog::parse(&text).unwrap();
    let pushed = push(&client, &catalog).await.unwrap();
    assert_eq!(pushed.done.changes.len(), 50 + 300);
    assert!(pushed.left.is_empty(), "{:?}", pushed.left);

    let account = read(&client).await.unwrap();
    assert_eq!(account.products.iter().map(|product| product.prices.len()).sum::<usize>(), 300);
    let pulled = pull(&text, &account, observed(&client).await.unwrap().as_ref()).unwrap();
    assert_eq!(pulled.changed, Vec::<String>::new());
    assert!(pulled.text.starts_with(&text), "what was there is touched");
    assert_eq!(pulled.added.len(), 100, "the signals that the prices bill");

    let catalog = Catalog::parse(&pulled.text).unwrap();
    let again = push(&client, &catalog).await.unwrap();
    assert!(again.done.is_empty(), "{:?}", again.done);
    let twice = pull(&pulled.text, &read(&client).await.unwrap(), None).unwrap();
    assert_eq!((twice.text == pulled.text, twice.is_up_to_date()), (true, true), "{:?}", twice.changed);

    // Another account gets the same from what was pulled into an empty file.
    let fresh = pull("", &account, None).unwrap();
    let other = Emulator::start().await.unwrap();
    let pushed = push(&other.client(), &Catalog::parse(&fresh.text).unwrap()).await.unwrap();
    assert!(pushed.left.is_empty(), "{:?}", pushed.left);
    let differences = compare(&catalog, &read(&other.client()).await.unwrap());
    assert!(differences.is_empty(), "{differences:?}");
}

#[tokio::test]
async fn a_price_that_changed_is_changed_and_what_the_catalogue_leaves_out_stays() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let price = |amount: &str, more: &str| {
        let text = format!(
            "[products.p.prices.a]\npricing_type = \"UsagePerUnit\"\nevent_name = \"x\"\nprice = {{ USD = \"{amount}\" }}\n{more}"
        );
        Catalog::parse(&text).unwrap()
    };
    push(&client, &price("1.00", "billing_frequency = \"Quarterly\"\n")).await.unwrap();
    let before = read(&client).await.unwrap().products[0].prices[0].clone();
    let pushed = push(&client, &price("1.25", "")).await.unwrap();
    let [change] = pushed.done.changes.as_slice() else { panic!("{pushed:?}") };
    assert_eq!(change.setting.as_deref(), Some("price_points"));
    assert_eq!((change.account.as_deref(), change.catalogue.as_str()), (Some("1.00 USD"), "1.25 USD"));
    let after = read(&client).await.unwrap().products[0].prices[0].clone();
    assert_eq!(after.id, before.id, "orders keep their price");
    assert_eq!(after.price.settings["billing_frequency"], before.price.settings["billing_frequency"]);

    // What Paid does not show and a change would reset is told.
    let fee = |amount: u32| {
        let text = format!("[products.f.prices.a]\npricing_type = \"OneTimePerUnit\"\nprice = {{ USD = {amount} }}\n");
        Catalog::parse(&text).unwrap()
    };
    push(&client, &fee(1)).await.unwrap();
    let told = compare(&fee(2), &read(&client).await.unwrap()).not_compared;
    assert!(told.iter().any(|line| line.contains("does not show fee_type")), "{told:?}");
    assert!(compare(&fee(1), &read(&client).await.unwrap()).not_compared.is_empty());

    // What cannot be sent stops everything before the first request.
    let refused = push(&client, &price("0.001", "[products.q]\n")).await.unwrap_err();
    assert!(refused.to_string().contains("0.001 USD cannot be sent"), "{refused}");
    assert!(read(&client).await.unwrap().product("q").is_none());
}

/// A price of a random catalogue, and how many signals it bills.
#[derive(Debug, Clone)]
enum Random {
    PerUnit {
        cents: u32,
        included: u32,
        months: u8,
    },
    Tiers {
        is_volume: bool,
        first: u32,
        units: [u32; 2],
        flat: u32,
    },
    Fee {
        cents: u32,
        months: u8,
        arrears: bool,
    },
    Once {
        cents: u32,
    },
    Seats {
        cents: u32,
    },
    /// A monthly fee brings credits, which signals spend; more cost money.
    Credits {
        cents: u32,
        amount: u32,
        cost: u32,
        overage: u32,
    },
}

fn random() -> impl Strategy<Value = Random> {
    let months = prop_oneof![Just(1_u8), Just(3), Just(12)];
    prop_oneof![
        (1..5_000_u32, 0..5_u32, months.clone()).prop_map(|(cents, included, months)| Random::PerUnit {
            cents,
            included,
            months
        }),
        (any::<bool>(), 1..6_u32, [0..900_u32, 0..900], 0..50_u32)
            .prop_map(|(is_volume, first, units, flat)| Random::Tiers { is_volume, first, units, flat }),
        (1..100_000_u32, months, any::<bool>()).prop_map(|(cents, months, arrears)| Random::Fee {
            cents,
            months,
            arrears
        }),
        (1..100_000_u32).prop_map(|cents| Random::Once { cents }),
        (1..100_000_u32).prop_map(|cents| Random::Seats { cents }),
        (1..5_000_u32, 0..20_u32, 1..5_u32, 0..90_u32).prop_map(|(cents, amount, cost, overage)| Random::Credits {
            cents,
            amount,
            cost,
            overage
        }),
    ]
}

fn cents(cents: u32) -> String {
    format!("\"{}.{:02}\"", cents / 100, cents % 100)
}

fn frequency(months: u8) -> &'static str {
    match months {
        1 => "Monthly",
        3 => "Quarterly",
        _ => "Annual",
    }
}

fn written(prices: &[Random], credits: &str) -> String {
    let mut text = String::from("[products.p]\n");
    for (index, price) in prices.iter().enumerate() {
        writeln!(text, "[products.p.prices.price-{index}]").unwrap();
        match price {
            Random::PerUnit { cents: amount, included, months } => writeln!(
                text,
                "pricing_type = \"UsagePerUnit\"\nevent_name = \"e{index}\"\nbilling_frequency = \"{}\"\nprice_points = [{{ currency = \"USD\", unit_price = {}, included_quantity = {included} }}]",
                frequency(*months),
                cents(*amount)
            ),
            Random::Tiers { is_volume, first, units, flat } => writeln!(
                text,
                "pricing_type = \"{}\"\nevent_name = \"e{index}\"\nprice_points = [{{ currency = \"USD\", unit_price = 0, tiers = [{{ lower_bound = 1, upper_bound = {first}, unit_amount = {}, flat_amount = {} }}, {{ lower_bound = {}, unit_amount = {} }}] }}]",
                if *is_volume { "UsageVolume" } else { "UsageGraduated" },
                cents(units[0]),
                cents(*flat),
                first + 1,
                cents(units[1])
            ),
            Random::Fee { cents: amount, months, arrears } => writeln!(
                text,
                "pricing_type = \"RecurringPerUnit\"\nbilling_frequency = \"{}\"\nbilling_type = \"{}\"\nprice = {{ USD = {} }}",
                frequency(*months),
                if *arrears { "Arrears" } else { "Advance" },
                cents(*amount)
            ),
            Random::Once { cents: amount } => writeln!(text, "pricing_type = \"OneTimePerUnit\"\nprice = {{ USD = {} }}", cents(*amount)),
            Random::Seats { cents: amount } => writeln!(text, "pricing_type = \"SeatBasedPerUnit\"\nbilling_frequency = \"Monthly\"\nprice = {{ USD = {} }}", cents(*amount)),
            Random::Credits { cents: amount, amount: brought, cost, overage } => writeln!(
                text,
                "pricing_type = \"RecurringPerUnit\"\nbilling_frequency = \"Monthly\"\nprice = {{ USD = {} }}\ncredit_benefits = [{{ credits_currency_id = \"{credits}\", amount = {brought}, overage_unit_price = {overage} }}]\n[products.p.prices.spent-{index}]\npricing_type = \"UsagePrepaidCredits\"\nevent_name = \"e{index}\"\ncredit_cost = {cost}\ncredits_currency_id = \"{credits}\"",
                cents(*amount)
            ),
        }
        .unwrap();
    }
    text
}

/// The first of this month, months ago.
fn month(ago: u32) -> DateTime<Utc> {
    let now = Utc::now();
    let first = NaiveDate::from_ymd_opt(now.year(), now.month(), 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
    first.checked_sub_months(Months::new(ago)).unwrap()
}

async fn call(client: &Client, method: Method, path: &str, body: Value) -> Value {
    let call = client.request(method, path).query("limit", "1000");
    if body.is_null() { call.await.unwrap() } else { client.request(Method::POST, path).body(&body).await.unwrap() }
}

/// What the emulator's invoices say, by customer and price.
async fn invoiced(emulator: &Emulator, prices: &[Random], signals: &[Value]) -> BTreeMap<(String, String), Decimal> {
    let client = emulator.client();
    let credits = json!({ "name": "Credits", "key": "credits" });
    let credits = call(&client, Method::POST, "/credits/currencies", credits).await["id"].as_str().unwrap().to_owned();
    push(&client, &Catalog::parse(&written(prices, &credits)).unwrap()).await.unwrap();
    let products = read(&client).await.unwrap();
    let mut customers = BTreeMap::new();
    for customer in ["a", "b"] {
        let made =
            call(&client, Method::POST, "/customers/", json!({ "name": customer, "externalId": customer })).await;
        customers.insert(made["id"].as_str().unwrap().to_owned(), customer.to_owned());
    }
    call(&client, Method::POST, "/signals/bulk", json!({ "signals": signals })).await;
    for id in customers.keys() {
        let line = json!([{ "productId": products.products[0].id }]);
        let order = json!({ "customerId": id, "currency": "USD", "creationState": "active", "lines": line,
            "startDate": month(5).to_rfc3339(), "endDate": month(0).to_rfc3339() });
        call(&client, Method::POST, "/orders/", order).await;
    }
    let mut amounts = BTreeMap::new();
    for invoice in call(&client, Method::GET, "/invoices/", Value::Null).await["data"].as_array().unwrap() {
        let customer = customers[invoice["customerId"].as_str().unwrap()].clone();
        let path = format!("/invoices/{}/lines", invoice["id"].as_str().unwrap());
        for line in call(&client, Method::GET, &path, Value::Null).await["data"].as_array().unwrap() {
            let price = line["description"].as_str().unwrap().to_owned();
            let amount = Decimal::from_str_exact(&line["totalPriceBeforeTax"].to_string()).unwrap();
            *amounts.entry((customer.clone(), price)).or_default() += amount;
        }
    }
    amounts
}

/// `PAID_CASES=1000` tries more catalogues.
#[test]
fn a_simulation_is_what_the_emulator_invoices() {
    let cases = std::env::var("PAID_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(40);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signals.jsonl");
    let minutes = u32::try_from((month(0) - month(5)).num_minutes()).unwrap();
    let signals = proptest::collection::vec((0..minutes, any::<bool>(), 0..4_usize), 1..60);
    let catalogues = proptest::collection::vec(random(), 1..4);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(catalogues, signals), |(prices, times)| {
        emulator.reset();
        let catalog = Catalog::parse(&written(&prices, "of-another-account")).unwrap();
        // Both customers have signals in the first month and in the last.
        let ends = [(0, false, 0), (0, true, 0), (minutes - 1, false, 0), (minutes - 1, true, 0)];
        let signal = |(minute, is_b, event): &(u32, bool, usize)| {
            let at = month(5) + TimeDelta::minutes(i64::from(*minute));
            json!({ "eventName": format!("e{event}"), "customer": { "externalCustomerId": if *is_b { "b" } else { "a" } },
                "attribution": { "externalProductId": "p" }, "timestamp": at.to_rfc3339() })
        };
        let signals: Vec<Value> = ends.iter().chain(&times).map(signal).collect();
        let lines: Vec<String> = signals.iter().map(Value::to_string).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        let read = read_file(&path).unwrap();
        let simulated: BTreeMap<_, _> = bill(&catalog, &read.signals, "USD")
            .unwrap()
            .into_iter()
            .map(|(position, amount)| ((position.customer, position.price), amount))
            .collect();
        let invoiced = runtime.block_on(invoiced(&emulator, &prices, &signals));
        prop_assert_eq!(simulated, invoiced);
        Ok(())
    });
    outcome.unwrap();
}
