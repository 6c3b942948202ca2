//! Every page of the book, README and AGENTS.md, so that rustdoc compiles their code. `cargo test -p xtask --test book` asks for every page.

/// Compiles the code of a page.
macro_rules! page {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!($path)]
            mod $name {}
        )*
    };
}

page! {
    readme: "../../README.md",
    agents: "../../AGENTS.md",
    introduction: "../introduction.md",
    catalogue: "../catalogue.md",
    first_signal: "../first-signal.md",
    guide: "../guide.md",
    signals: "../signals.md",
    traces: "../traces.md",
    client: "../client.md",
    axum: "../how-to/axum.md",
    worker_pool: "../how-to/worker-pool.md",
    streaming: "../how-to/streaming.md",
    testing: "../how-to/tests.md",
    tenants: "../how-to/tenants.md",
    migration: "../how-to/migration.md",
    checked: "../reference/checked.md",
    compile_errors: "../reference/compile-errors.md",
    errors: "../reference/errors.md",
    metrics: "../reference/metrics.md",
    delivery: "../reference/delivery.md",
    billing_rules: "../billing-rules.md",
    cargo_paid: "../cargo-paid.md",
    the_account: "../the-account.md",
    dead_letters: "../dead-letters.md",
    emulator: "../emulator.md",
    operations: "../operations.md",
}
