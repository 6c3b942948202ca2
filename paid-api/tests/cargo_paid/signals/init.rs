//! `cargo paid init` in a fresh crate.

use super::*;

/// A fresh crate that depends on this library.
fn fresh() -> Crate {
    let own = Crate(tempfile::tempdir().unwrap());
    let library = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = format!(
        "[workspace]\n[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\npaid-api = {{ path = {library:?} }}\n[lints.rust]\nwarnings = \"deny\"\n"
    );
    own.write("Cargo.toml", &manifest);
    own.write("src/lib.rs", "//! A fresh crate.\n");
    std::fs::copy(library.join("../Cargo.lock"), own.0.path().join("Cargo.lock")).unwrap();
    own
}

#[test]
fn a_fresh_crate_gets_a_catalogue_and_a_function_that_passes_its_test() {
    let own = fresh();
    own.run(&["init"]).ends(0, &["wrote", "signals.toml", "src/billing.rs", "added `pub mod billing;`"]);
    own.run(&["signals", "check"]).ends(0, &["nothing found"]);
    own.run(&["signals", "list"]).ends(0, &["task_completed", "outcome", "src/billing.rs:8"]);
    own.run(&["init"]).ends(1, &["the crate has a catalogue already"]);

    // With the settings of this workspace, whose compiled dependencies are used.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--offline", "--quiet", "--lib", "--target-dir"]).arg(target).current_dir(own.0.path());
    let said = cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && out.contains("1 passed"), "{out}{}", String::from_utf8_lossy(&said.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accounts_signals_are_taken_in() {
    let emulator = Emulator::start().await.unwrap();
    let seller = Crate::new(CATALOGUE, SOURCE);
    seller.against(&emulator, &["products", "push", "--yes"]).ends(0, &[]);
    let own = fresh();
    own.write("src/main.rs", "fn main() {}\n");
    std::fs::remove_file(own.0.path().join("src/lib.rs")).unwrap();
    own.against(&emulator, &["init", "--from-account"]).ends(0, &["added `mod billing;`"]);
    let (catalogue, module) = (own.read("signals.toml"), own.read("src/billing.rs"));
    assert!(catalogue.contains("[products.sdr.prices.Booked]") && !catalogue.contains("task_completed"), "{catalogue}");
    assert!(module.contains("#[paid::signal(\"meeting_booked\"") && module.contains("allow(dead_code)"), "{module}");
    assert!(own.read("src/main.rs").ends_with("\nmod billing;\n"));
}

#[test]
fn what_is_there_is_not_overwritten() {
    let own = fresh();
    own.write("src/billing.rs", "// mine\n");
    own.run(&["init"]).ends(1, &["src/billing.rs exists already, and is not overwritten"]);
    assert!(!own.0.path().join("signals.toml").exists());
    let own = fresh();
    own.write("src/lib.rs", "pub fn f() { paid::emit(paid::Signal::new(\"x\")); }\n");
    own.run(&["init"]).ends(1, &["the crate sends a signal already, at", "src/lib.rs:1"]);
    let own = fresh();
    own.write("Cargo.toml", "[package]\nname = \"own\"\nedition = \"2021\"\n");
    own.run(&["init"]).ends(0, &["cargo add paid-api"]);
    let own = fresh();
    own.write("Cargo.toml", "[package]\nname = \"own\"\n");
    own.run(&["init"]).ends(1, &["edition 2015"]);
    own.write("Cargo.toml", "[workspace]\nmembers = []\n");
    own.run(&["init"]).ends(1, &["is a workspace without a package"]);
}
