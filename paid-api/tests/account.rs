//! The account against the catalogue, on the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;

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

    // What cannot be sent stops everything before the first request.
    let refused = push(&client, &price("0.001", "[products.q]\n")).await.unwrap_err();
    assert!(refused.to_string().contains("0.001 USD cannot be sent"), "{refused}");
    assert!(read(&client).await.unwrap().product("q").is_none());
}
