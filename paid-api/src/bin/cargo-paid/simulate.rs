//! `cargo paid simulate`: what signals would have cost under other prices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use paid::Decimal;
use paid::account::simulation::{self, Bill, Position};
use paid::account::{self, Account as Sold};
use paid_catalog::{Catalog, Setting};
use serde_json::json;

use crate::options::{Account, Catalogue, EXIT_CODES};
use crate::outcome::Outcome;
use crate::{catalogue, import, out};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Compute what signals would have cost each customer under other prices: exact, without the network.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The signals: a file as `import` takes it, such as a ledger's or what the emulator recorded.
    #[arg(long, value_name = "FILE")]
    signals: PathBuf,
    /// The other prices: a catalogue with products.
    #[arg(long, value_name = "FILE")]
    prices: PathBuf,
    #[command(flatten)]
    catalogue: Catalogue,
    /// Compare with the account's prices instead of the catalogue's.
    #[arg(long)]
    from_account: bool,
    #[command(flatten)]
    account: Account,
    /// The currency, if the prices have several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Leave out signals that cannot be read.
    #[arg(long)]
    skip_bad: bool,
    /// Print JSON: `currency`, and `positions` of `customer`, `product`, `price`, `before` and `after`, in the currency's minor unit.
    #[arg(long)]
    json: bool,
}

pub(crate) fn simulate(arguments: &Arguments) -> Outcome {
    let signals = import::read(&arguments.signals, arguments.skip_bad)?;
    let before = match arguments.from_account {
        true => {
            let client = crate::account::client(&arguments.account)?;
            crate::account::say(&arguments.account, &client);
            of_account(&crate::account::wait(account::read(&client))??)?
        }
        false => catalogue::read(&catalogue::path(&arguments.catalogue)?)?,
    };
    let after = catalogue::read(&arguments.prices)?;
    let currency = currency(arguments.currency.as_deref(), &[&before, &after])?;
    let wait = out::Waiting::new("computing");
    let of = |which: &str, catalog: &Catalog| {
        simulation::bill(catalog, &signals, &currency).map_err(|problem| format!("with the {which} prices: {problem}"))
    };
    let bills = [of("present", &before)?, of("other", &after)?];
    wait.done();
    if !arguments.json {
        return Ok(out::line(table(&[&bills[0], &bills[1]], &currency))?);
    }
    let number =
        |bill: &Bill, position: &Position| bill.get(position).copied().unwrap_or_default().normalize().to_string();
    let row = |position: &Position| {
        json!({ "customer": position.customer, "product": position.product, "price": position.price,
            "before": number(&bills[0], position), "after": number(&bills[1], position) })
    };
    let rows: Vec<_> = positions(&[&bills[0], &bills[1]]).into_iter().map(row).collect();
    let report = json!({ "currency": currency, "positions": rows });
    Ok(out::line(out::safe_json(&serde_json::to_string_pretty(&report)?))?)
}

/// What the account sells, as a catalogue.
pub(crate) fn of_account(account: &Sold) -> Result<Catalog> {
    let pulled = account::pull("", account, None)?;
    Catalog::parse(&pulled.text).map_err(|problems| problems.to_string().into())
}

/// The currency that is asked for, or the only one of the prices.
pub(crate) fn currency(wanted: Option<&str>, catalogs: &[&Catalog]) -> Result<String> {
    if let Some(wanted) = wanted {
        return Ok(wanted.to_uppercase());
    }
    let mut currencies = BTreeSet::new();
    for price in
        catalogs.iter().flat_map(|catalog| catalog.products.values()).flat_map(|product| product.prices.values())
    {
        if let Some(Setting::Table(amounts)) = price.settings.get("price") {
            currencies.extend(amounts.keys().cloned());
        }
        if let Some(Setting::List(points)) = price.settings.get("price_points") {
            currencies.extend(points.iter().filter_map(|point| match point.get("currency") {
                Some(Setting::Text(currency)) => Some(currency.clone()),
                _ => None,
            }));
        }
    }
    let known: Vec<String> = currencies.into_iter().collect();
    match known.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err("the prices have no currency: name one with `--currency`".into()),
        several => Err(format!("the prices have {}: choose one with `--currency`", several.join(", ")).into()),
    }
}

fn positions<'a>(bills: &[&'a Bill]) -> BTreeSet<&'a Position> {
    bills.iter().flat_map(|bill| bill.keys()).collect()
}

/// One bill, or two and their difference: by position, then all together.
pub(crate) fn table(bills: &[&Bill], currency: &str) -> comfy_table::Table {
    let digits = paid::Currency::from_code(currency).and_then(|known| known.exponent()).map_or(0, u32::from);
    let shown = |minor: Decimal| {
        let mut major = minor / Decimal::from(10_u64.pow(digits));
        major.rescale(digits.max(major.scale()));
        major.to_string()
    };
    let amounts = |position: &Position| -> Vec<Decimal> {
        bills.iter().map(|bill| bill.get(position).copied().unwrap_or_default()).collect()
    };
    let mut totals: BTreeMap<usize, Decimal> = BTreeMap::new();
    let mut rows = Vec::new();
    for position in positions(bills) {
        let mut row =
            vec![out::visible(&position.customer), out::visible(&position.product), out::visible(&position.price)];
        let of = amounts(position);
        for (index, amount) in of.iter().copied().enumerate() {
            *totals.entry(index).or_default() += amount;
            row.push(shown(amount));
        }
        if let [before, after] = of.as_slice() {
            row.push(shown(*after - *before));
        }
        rows.push(row);
    }
    let mut last = vec!["all".to_owned(), String::new(), String::new()];
    last.extend(totals.values().map(|amount| shown(*amount)));
    if let [before, after] = totals.values().collect::<Vec<_>>().as_slice() {
        last.push(shown(**after - **before));
    }
    rows.push(last);
    let amount = format!("{currency} now");
    if bills.len() > 1 {
        let head = ["customer", "product", "price", &amount, "then", "difference"];
        out::table(rows.into_iter().map(|row| <[String; 6]>::try_from(row).unwrap_or_default()), head)
    } else {
        let head = ["customer", "product", "price", currency];
        out::table(rows.into_iter().map(|row| <[String; 4]>::try_from(row).unwrap_or_default()), head)
    }
}
