//! Says whether the target is a browser. And cargo wants a build script beside `links`, which keeps two versions of this
//! package out of one program.

/// Features of what runs on threads of its own.
const NEED_THREADS: [&str; 5] = ["account", "cli", "emulator", "sigterm", "emit"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(browser)");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|known| known == value);
    if is("CARGO_CFG_TARGET_ARCH", "wasm32") && is("CARGO_CFG_TARGET_OS", "unknown") {
        println!("cargo::rustc-cfg=browser");
        let has = |feature: &&&str| std::env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some();
        if let Some(feature) = NEED_THREADS.iter().find(has) {
            println!(
                "cargo::error=feature `{feature}` needs threads, which a browser (wasm32-unknown-unknown) does not have: depend on paid-api with `default-features = false, features = [\"signals\"]`, and send signals with `client.signals().create(...)`"
            );
        }
    }
}
