//! What every program needs: a key, a connection, a clock, a catalogue, one version, room for its outbox.

use std::path::Path;

use paid::account::{self, Connection};
use paid::outbox::Waiting;

use super::{Arguments, Finding};
use crate::{catalogue, out};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Clocks that differ by more are told.
const SECONDS: i64 = 30;
/// Disks with less room are told.
const ROOM: u64 = 1 << 30;

pub(super) fn look(arguments: &Arguments) -> Result<Vec<Finding>> {
    let mut findings = vec![Finding::good("version", format!("cargo paid {}", env!("CARGO_PKG_VERSION")))];
    match crate::account::client(&arguments.account) {
        Ok(client) => {
            let connection = crate::account::wait(account::connection(&client))?;
            connected(client.base_url(), &connection, &mut findings);
        }
        Err(error) => findings.push(Finding::bad(
            "key",
            error.to_string(),
            "export the key that Paid shows under its developer settings",
        )),
    }
    catalogue_of(arguments, &mut findings);
    versions(&mut findings);
    for folder in &arguments.outbox {
        outbox(folder, &mut findings);
    }
    Ok(findings)
}

fn connected(url: &str, connection: &Connection, findings: &mut Vec<Finding>) {
    match &connection.request {
        Ok(took) => {
            findings
                .push(Finding::good("account", format!("{url} answers in {} ms and takes the key", took.as_millis())));
        }
        Err(error) => {
            let fix = match error.status().map(|status| status.as_u16()) {
                Some(401 | 403) => "the key is wrong, revoked, or of another account: export another one",
                Some(_) => "PAID_BASE_URL names a server that is not Paid, or Paid is out of order",
                None => "check PAID_BASE_URL, the network, HTTPS_PROXY and certificates",
            };
            findings.push(Finding::bad("account", format!("{url}: {error}"), fix));
        }
    }
    match connection.clock_ahead {
        Some(seconds) if seconds.abs() > SECONDS => {
            let (by, way) = (seconds.abs(), if seconds > 0 { "ahead of" } else { "behind" });
            let text = format!("this clock is {by} s {way} the server's");
            findings.push(Finding::bad(
                "clock",
                text,
                "set the clock: the time of a signal decides which period bills it",
            ));
        }
        Some(_) => findings.push(Finding::good("clock", "agrees with the server's")),
        None => findings.push(Finding::good("clock", "the server does not tell its time")),
    }
}

fn catalogue_of(arguments: &Arguments, findings: &mut Vec<Finding>) {
    let path = match catalogue::path(&arguments.catalogue) {
        Ok(path) => path,
        Err(error) => return findings.push(Finding::bad("catalogue", error.to_string(), "correct PAID_SIGNALS")),
    };
    let shown = path.display();
    if !path.exists() {
        let fix = "`cargo paid signals pull` writes one: without it, the compiler checks no names";
        return findings.push(Finding::bad("catalogue", format!("there is no {shown}"), fix));
    }
    match catalogue::read(&path) {
        Ok(catalog) => {
            let prices: usize = catalog.products.values().map(|product| product.prices.len()).sum();
            let signals = out::counted(catalog.signals.len() as u64, "signal");
            findings.push(Finding::good(
                "catalogue",
                format!("{shown}: {signals}, {}", out::counted(prices as u64, "price")),
            ));
        }
        Err(error) => findings.push(Finding::bad("catalogue", error.to_string(), "correct the file")),
    }
}

/// Which versions of the library the workspace builds with. Two of them have two emitters.
fn versions(findings: &mut Vec<Finding>) {
    let here = std::env::current_dir().unwrap_or_default();
    let lock = here.ancestors().map(|folder| folder.join("Cargo.lock")).find(|path| path.is_file());
    let Some(text) = lock.and_then(|path| std::fs::read_to_string(path).ok()) else { return };
    let Ok(lock) = text.parse::<toml_edit::DocumentMut>() else { return };
    let packages = lock.get("package").and_then(|packages| packages.as_array_of_tables());
    let text = |table: &toml_edit::Table, key: &str| table.get(key).and_then(|item| item.as_str()).map(str::to_owned);
    let versions: Vec<String> = packages
        .into_iter()
        .flatten()
        .filter(|package| text(package, "name").as_deref() == Some("paid-api"))
        .filter_map(|package| text(package, "version"))
        .collect();
    let own = env!("CARGO_PKG_VERSION");
    match versions.as_slice() {
        [] => {}
        [only] if only == own => {}
        [only] => {
            let text = format!("this workspace uses paid-api {only}");
            findings.push(Finding::bad("version", text, format!("install cargo-paid {only}, or update to {own}")));
        }
        several => {
            let text =
                format!("this workspace builds paid-api {}: each has an emitter of its own", several.join(" and "));
            let fix = "use one version: `cargo tree -i paid-api` shows who wants which";
            findings.push(Finding::bad("version", text, fix));
        }
    }
}

fn outbox(folder: &Path, findings: &mut Vec<Finding>) {
    let shown = folder.display();
    if !folder.is_dir() {
        let fix = "give the folder that is given to `Emitter::builder(..).outbox(..)`";
        return findings.push(Finding::bad("outbox", format!("there is no folder {shown}"), fix));
    }
    match paid::outbox::waiting(folder) {
        Ok(Waiting::HeldBy(holder)) => {
            findings.push(Finding::good("outbox", format!("{shown}: {holder} has it open and sends what is pending")));
        }
        Ok(Waiting::Signals(0) | Waiting::Costs(0) | Waiting::None) => {
            findings.push(Finding::good("outbox", format!("{shown}: nothing is pending")));
        }
        Ok(Waiting::Signals(records) | Waiting::Costs(records)) => {
            let since = paid::outbox::waiting_since(folder).ok().flatten();
            let since = since.map_or_else(String::new, |since| format!(", the oldest since {since}"));
            let records = out::counted(records, "record");
            let text = format!("{shown}: {records} pending{since}, and no program has it open");
            findings.push(Finding::bad("outbox", text, "start the program that uses it"));
        }
        Ok(_) => {}
        Err(error) => {
            findings.push(Finding::bad(
                "outbox",
                format!("{shown}: {error}"),
                "may this user read and write the folder?",
            ));
        }
    }
    match paid::outbox::dead_letters(folder) {
        Ok(letters) if letters.letters.is_empty() => {}
        Ok(letters) => {
            let oldest = letters.letters.iter().map(|letter| letter.at).min();
            let oldest = oldest.map_or_else(String::new, |at| format!(", the oldest of {at}"));
            let number = out::counted(letters.letters.len() as u64, "dead letter");
            let fix = format!("`cargo paid outbox list {shown}` says why; `edit` and `resubmit` bill them");
            findings.push(Finding::bad("dead_letters", format!("{shown}: {number}{oldest}"), fix));
        }
        Err(error) => {
            findings.push(Finding::bad("dead_letters", format!("{shown}: {error}"), "may this user read it?"))
        }
    }
    match fs4::available_space(folder) {
        Ok(bytes) if bytes < ROOM => {
            let text = format!("{shown}: {} MiB left on its disk", bytes >> 20);
            findings.push(Finding::bad("disk", text, "make room: without it, signals of an outage stay in memory"));
        }
        Ok(bytes) => findings.push(Finding::good("disk", format!("{shown}: {} GiB left on its disk", bytes >> 30))),
        Err(error) => findings.push(Finding::bad("disk", format!("{shown}: {error}"), "is it on a local disk?")),
    }
}
