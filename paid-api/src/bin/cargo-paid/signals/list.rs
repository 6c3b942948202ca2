//! `signals list`: every signal with its price and its places.

use std::collections::BTreeMap;

use clap::Args;
use paid::account::{Emission, Named};
use paid_catalog::Catalog;
use serde_json::{Value, json};

use super::workspace;
use crate::options::{Catalogue, EXIT_CODES};
use crate::out;
use crate::outcome::Outcome;

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct List {
    #[command(flatten)]
    catalogue: Catalogue,
    /// Print a JSON list: `event`, `type`, `product`, `prices` (`name`, `amounts`) and `places` (`file`, `line`, `column`, `by`,
    /// `tests`). A signal that only the sources have has no type.
    #[arg(long)]
    json: bool,
}

/// A signal, as the catalogue and the sources have it.
struct Row<'a> {
    event: &'a str,
    kind: Option<&'static str>,
    product: Option<&'a str>,
    prices: Vec<(&'a str, Vec<String>)>,
    places: Vec<&'a Emission>,
}

pub(crate) fn list(list: &List) -> Outcome {
    let read = workspace::read(&list.catalogue)?;
    let rows = rows(read.checked.catalog(), &read.sources.emissions);
    if list.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        out::line(out::safe_json(&serde_json::to_string_pretty(&rows)?))?;
    } else if rows.is_empty() {
        out::line("no signals, in the catalogue or in the sources")?;
    } else {
        let shown = rows.iter().map(Row::cells);
        out::line(out::table(shown, ["event", "type", "product", "price", "places in the source"]))?;
    }
    for file in &read.sources.unreadable {
        let place = &file.place;
        let (path, line) = (place.file.display(), place.line);
        out::note(&format!(
            "warning: {path}:{line} cannot be read as Rust, so places may be missing: {}",
            file.problem
        ));
    }
    Ok(())
}

fn rows<'a>(catalog: &'a Catalog, emissions: &'a [Emission]) -> Vec<Row<'a>> {
    let mut places: BTreeMap<&str, Vec<&Emission>> = BTreeMap::new();
    for name in catalog.signals.keys() {
        places.insert(name, Vec::new());
    }
    for emission in emissions {
        if let Some(name) = &emission.name {
            places.entry(name).or_default().push(emission);
        }
    }
    let row = |(event, places): (&'a str, Vec<&'a Emission>)| {
        let signal = catalog.signal(event);
        let said = places.iter().find_map(|emission| match &emission.product {
            Named::As(product) => Some(product.as_str()),
            _ => None,
        });
        let product = signal.and_then(|signal| signal.product.as_deref()).or(said);
        let prices = catalog.prices_of(event, product).map(|(name, price)| (name, price.amounts())).collect();
        Row { event, kind: signal.map(|signal| signal.kind.as_str()), product, prices, places }
    };
    places.into_iter().map(row).collect()
}

impl Row<'_> {
    fn cells(&self) -> [String; 5] {
        let price = |(name, amounts): &(&str, Vec<String>)| match amounts.as_slice() {
            [] => out::visible(name),
            amounts => format!("{} ({})", out::visible(name), amounts.join(", ")),
        };
        let prices: Vec<String> = self.prices.iter().map(price).collect();
        let place = |emission: &&Emission| {
            let tests = if emission.is_in_tests { " (tests)" } else { "" };
            format!("{}:{}{tests}", out::visible(&emission.place.file.display().to_string()), emission.place.line)
        };
        let places: Vec<String> = self.places.iter().map(place).collect();
        [
            out::visible(self.event),
            self.kind.unwrap_or("not in the catalogue").to_owned(),
            out::visible(self.product.unwrap_or("-")),
            if prices.is_empty() { "-".to_owned() } else { prices.join("\n") },
            if places.is_empty() { "-".to_owned() } else { places.join("\n") },
        ]
    }

    fn json(&self) -> Value {
        let price = |(name, amounts): &(&str, Vec<String>)| json!({ "name": name, "amounts": amounts });
        let place = |emission: &&Emission| {
            let place = &emission.place;
            json!({ "file": place.file, "line": place.line, "column": place.column, "by": emission.by, "tests": emission.is_in_tests })
        };
        json!({
            "event": self.event,
            "type": self.kind,
            "product": self.product,
            "prices": self.prices.iter().map(price).collect::<Vec<_>>(),
            "places": self.places.iter().map(place).collect::<Vec<_>>(),
        })
    }
}
