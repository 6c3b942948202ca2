//! What differs between a program with a tokio runtime and one in a browser (`wasm32-unknown-unknown`): clocks, waiting, and
//! how a request is sent and its answer read. In a browser there is one thread, and the browser's `fetch` does the rest.

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod browser;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
mod native;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[allow(unused_imports)] // Features use some of it.
pub(crate) use browser::{Instant, Response, has_runtime, is_connect, send, sleep, system_time, timeout, timeout_at};
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
#[allow(unused_imports)] // Features use some of it.
pub(crate) use native::{Instant, Response, has_runtime, is_connect, send, sleep, system_time, timeout, timeout_at};
