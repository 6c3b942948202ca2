//! What is written: a catalogue with one signal, and a function that sends it.

use paid_catalog::{Catalog, Kind, Signal, to_snake_case};

/// The module with the function.
pub(super) const MODULE: &str = "billing";

/// The signal that the function sends.
pub(super) struct First {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The text of the catalogue, and the signal of it that the function sends: one that the account bills, or else an example.
pub(super) fn catalogue(pulled: &str, package: &str) -> Result<(String, First), String> {
    let catalog = Catalog::parse(pulled).map_err(|problems| problems.to_string())?;
    // A function without arguments of its own cannot fill fields that are required.
    let is_plain = |signal: &Signal| signal.product.is_some() && signal.required().next().is_none();
    let of_kind = |kind: Kind| {
        let mut signals = catalog.signals.iter().filter(|(_, signal)| signal.kind == kind && is_plain(signal));
        signals.next().map(|(name, _)| First { name: name.clone(), kind })
    };
    if let Some(first) = of_kind(Kind::Outcome).or_else(|| of_kind(Kind::Activity)) {
        return Ok((format!("{HEAD}\n{}", pulled.trim_start()), first));
    }
    let example = EXAMPLE.replace("PRODUCT", &toml_edit::Value::from(package).to_string());
    let rest = if pulled.trim().is_empty() { String::new() } else { format!("\n{}", pulled.trim_start()) };
    Ok((format!("{HEAD}\n{example}{rest}"), First { name: "task_completed".to_owned(), kind: Kind::Outcome }))
}

const HEAD: &str = "# The signals that this crate sends to Paid. The compiler checks the annotations against them;
# `cargo paid signals check` does so both ways, and `cargo paid signals pull` takes prices from the account.
";

const EXAMPLE: &str = "# An example: give the signal the name of what you bill for.
[signals.task_completed]
type = \"outcome\"
product = PRODUCT # the external id of your product in Paid
description = \"A task that a customer asked for is done\"
";

/// The module with the function and its test.
pub(super) fn module(first: &First, library: &str, is_library: bool) -> String {
    let named = if library == "paid" { String::new() } else { format!(", crate = ::{library}") };
    let allowed = if is_library { "" } else { "#[allow(dead_code)] // Call it where the work is done.\n" };
    let word = match first.kind {
        Kind::Outcome => "result",
        Kind::Activity => "work",
    };
    TEMPLATE
        .replace("WORD", word)
        .replace("ALLOWED", allowed)
        .replace("FUNCTION", &function(&first.name))
        .replace("NAMED", &named)
        .replace("LIBRARY", library)
        .replace("EVENT", &format!("{:?}", first.name))
}

/// A name for the function, which is no keyword.
fn function(event: &str) -> String {
    format!("on_{}", to_snake_case(event))
}

const TEMPLATE: &str = r#"//! What this crate does for customers, and Paid bills.

/// Does the work. If it succeeds, Paid gets the signal EVENT, which is the WORD that is billed.
///
/// # Errors
///
/// If the work fails: then nothing is sent, and nothing is billed.
ALLOWED#[LIBRARY::signal(EVENT, customer = customer, idempotency_key = task_idNAMED)]
pub fn FUNCTION(customer: &str, task_id: &str) -> Result<(), std::io::Error> {
    // Do the work here. The same `task_id` bills once, however often the work is done.
    Ok(())
}

#[cfg(test)]
mod tests {
    use LIBRARY::testing::Recorder;

    use super::*;

    #[test]
    fn work_that_succeeds_is_billed_to_its_customer() {
        let recorder = Recorder::new();
        recorder.run_sync(|| FUNCTION("acme", "task-1")).unwrap();
        let signals = recorder.signals();
        assert_eq!(signals.len(), 1);
        let sent = signals[0].to_json();
        assert_eq!(sent["eventName"], EVENT);
        assert_eq!(sent["customer"]["externalCustomerId"], "acme");
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_the_account_bills_comes_before_the_example() {
        let pulled =
            "[signals.b]\ntype = \"activity\"\nproduct = \"p\"\n[signals.c]\ntype = \"outcome\"\nproduct = \"p\"\n";
        let (text, first) = catalogue(pulled, "x").unwrap();
        assert_eq!((first.name.as_str(), text.contains("task_completed")), ("c", false));
        let (text, first) = catalogue("", "odd \"name").unwrap();
        let catalog = Catalog::parse(&text).unwrap();
        assert_eq!(catalog.signal(&first.name).unwrap().product.as_deref(), Some("odd \"name"));
        let (text, _) = catalogue("[signals.b]\ntype = \"activity\"\n", "x").unwrap();
        assert_eq!(Catalog::parse(&text).unwrap().signals.len(), 2);
    }
}
