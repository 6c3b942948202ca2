//! What `paid-api` asks of the process it runs in, checked when a program is built. It has no code.
//!
//! - **One version.** An emitter is installed for the whole program. Two versions of `paid-api` would have two, of which one is not
//!   installed, and its signals would get lost. So this package has `links = "paid-api"`, and cargo refuses two versions of it.
//! - **Threads.** What delivers runs on threads of its own, which a browser (`wasm32-unknown-unknown`) does not have.
//!
//! A part of [`paid-api`](https://docs.rs/paid-api), whose features `emit` and `emulator` depend on it. There is no reason to depend on
//! it otherwise.
