//! Cargo wants a build script beside `links`. This one refuses a target without threads.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|known| known == value);
    if is("CARGO_CFG_TARGET_ARCH", "wasm32") && is("CARGO_CFG_TARGET_OS", "unknown") {
        println!(
            "cargo::error=the features `emit` and `emulator` of paid-api, and those that include them (default, account, async-openai, cli, cost-emitter, emulator-cli, emulator-sql, metrics, nats, outbox, sigterm, tower, trace), need threads, which a browser (wasm32-unknown-unknown) does not have: depend on paid-api with `default-features = false, features = [\"signals\"]`, and send signals with `client.signals().create(...)`"
        );
    }
}
