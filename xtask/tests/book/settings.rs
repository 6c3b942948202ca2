//! Blocks of TOML, YAML and JSON: catalogues are read as the macros read them, features are those of `paid-api`, and the rest
//! parses.

use std::collections::BTreeSet;

use paid_catalog::Catalog;

use super::{all_pages, blocks, docs, read};

/// The tables that only a catalogue has.
const OF_A_CATALOGUE: [&str; 3] = ["signals", "products", "lints"];

/// The features of `paid-api`.
fn features() -> BTreeSet<String> {
    let manifest: toml::Table = read(&docs().join("../paid-api/Cargo.toml")).parse().unwrap();
    manifest["features"].as_table().unwrap().keys().cloned().collect()
}

/// The types of signals of which a block shows a part.
fn types(table: &toml::Table) -> String {
    let signals = table.get("signals").and_then(toml::Value::as_table).into_iter().flatten();
    let untyped = signals.filter(|(_, signal)| signal.get("type").is_none());
    untyped.map(|(name, _)| format!("\n[signals.{name}]\ntype = \"activity\"\n")).collect()
}

/// What is wrong with a block of TOML, as a catalogue or as a part of a manifest.
fn problem(text: &str, features: &BTreeSet<String>) -> Option<String> {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return Some(error.to_string()),
    };
    if OF_A_CATALOGUE.iter().any(|name| table.contains_key(*name)) {
        return Catalog::parse(&(text.to_owned() + &types(&table))).err().map(|problems| problems.to_string());
    }
    let lists = ["dependencies", "dev-dependencies"].into_iter().filter_map(|list| table.get(list)?.as_table());
    let ours = lists.chain([&table]).filter_map(|list| list.get("paid-api")?.get("features")?.as_array());
    let unknown = ours.flatten().filter_map(toml::Value::as_str).find(|name| !features.contains(*name));
    unknown.map(|name| format!("paid-api has no feature {name:?}"))
}

#[test]
fn settings_are_what_their_readers_take() {
    let features = features();
    let mut read_ones = 0;
    for page in all_pages() {
        for block in blocks::of(&read(&page)) {
            let text = block.lines.join("\n");
            let problem = match block.language.as_str() {
                "toml" => problem(&text, &features),
                "yaml" => serde_saphyr::from_str::<serde_json::Value>(&text).err().map(|error| error.to_string()),
                "json" => serde_json::from_str::<serde_json::Value>(&text).err().map(|error| error.to_string()),
                _ => continue,
            };
            assert!(problem.is_none(), "{}: {}\n{text}", page.display(), problem.unwrap_or_default());
            read_ones += 1;
        }
    }
    assert!(read_ones > 15, "{read_ones} blocks were found");
}

#[test]
fn a_wrong_block_would_be_seen() {
    let features = features();
    for (text, told) in [
        ("a = [", ""),
        ("[signals.a]\ntype = \"outcome\"\nprodct = \"p\"\n", "prodct"),
        ("[signals.a.data]\nx = { tpe = \"string\" }\n", "tpe"),
        ("[dependencies]\npaid-api = { version = \"0.1\", features = [\"outbx\"] }\n", "outbx"),
        ("paid-api = { version = \"0.1\", features = [\"outbx\"] }\n", "outbx"),
    ] {
        assert!(problem(text, &features).is_some_and(|problem| problem.contains(told)), "{text}");
    }
}
