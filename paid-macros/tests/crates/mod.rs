//! Crates of cases, built where trybuild builds, with its flags, so that what they depend on is built once.
#![allow(clippy::unwrap_used, unreachable_pub)]

use std::path::{Path, PathBuf};
use std::process::Command;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// With every dependency that trybuild's crate has: with others, what they share would be built anew.
pub fn manifest(name: &str, edition: &str) -> String {
    const SHARED: [&str; 12] = [
        "chrono",
        "futures-util",
        "heck",
        "paid-catalog",
        "prettyplease",
        "proc-macro2",
        "proptest",
        "quote",
        "serde",
        "serde_json",
        "tempfile",
        "uuid",
    ];
    let shared: String = SHARED.iter().map(|name| format!("{name}.workspace = true\n")).collect();
    let (api, macros) = (root().join("paid-api"), root().join("paid-macros"));
    format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n[dependencies]\n\
         paid-api = {{ path = {api:?}, default-features = false, features = [\"amendments\", \"emit\", \"trace\"] }}\n\
         paid-macros = {{ path = {macros:?}, default-features = false }}\n\
         async-trait = \"0.1\"\n\
         syn = {{ version = \"3\", default-features = false, features = [\"clone-impls\", \"derive\", \"full\", \"parsing\", \"printing\", \"proc-macro\"] }}\n\
         {shared}\n"
    )
}

/// The workspace's tables of a workspace of such crates.
pub fn workspace(members: &str) -> String {
    format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{}", shared_dependencies())
}

fn shared_dependencies() -> String {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let begins = manifest.find("[workspace.dependencies]").unwrap();
    let table = &manifest[begins..];
    let ends = table[1..].find("\n[").map_or(table.len(), |end| end + 2);
    table[..ends].replace("path = \"", &format!("path = \"{}/", root().display()))
}

/// The compiler's own target, which trybuild names.
pub fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Where the crates are written, beside trybuild's.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tests")
}

/// Where they are built, as trybuild's are.
pub fn target() -> PathBuf {
    folder().join("trybuild")
}

/// `cargo build` of a folder's workspace.
pub fn build(folder: &Path) -> Command {
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let rustflags = r#"["--cfg","trybuild","--verbose","-A","dead_code"]"#;
    let host = host();
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("RUSTFLAGS")
        .env_remove("PAID_SIGNALS")
        .args(["build", "--offline", "--workspace", "--target", &host])
        .arg(format!("--config=build.rustflags={rustflags}"))
        .arg(format!("--config=target.{host}.rustflags={rustflags}"));
    command
}
