//! The client against servers, proxies, runtimes and functions that do what they should not.
#![allow(clippy::unwrap_used, missing_docs)]

mod bounds;
mod connections;
mod hostile;
mod keys;
mod lists;
mod numbers;
mod one_request;
mod processes;
mod server;
mod streamed;
mod waits;

use paid::{Client, ClientBuilder, RetryPolicy, Signal};

const KEY: &str = "paid_0123456789-secret";

fn builder(url: &str) -> ClientBuilder {
    Client::builder().api_key(KEY).base_url(url).retry(RetryPolicy::never())
}

fn client(url: &str) -> Client {
    builder(url).build().unwrap()
}

fn signal(key: &str) -> Signal {
    Signal::new("email_sent").customer("acme").idempotency_key(key)
}

/// Waits for something that another thread does.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
