//! A simulator that finds what nobody thought of: `cargo xtask torture`.

mod disk;
mod generate;
mod host;
mod model;
mod observe;
mod process;
mod run;
mod server;
mod shrink;
mod story;
mod world;

pub use generate::story;
pub use run::{Outcome, run};
pub use shrink::shrink;
pub use story::Story;
pub use world::Failure;
