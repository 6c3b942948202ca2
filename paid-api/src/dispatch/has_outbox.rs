//! What `outbox` of a builder needs, so that a program without the feature is told of it.

use std::path::PathBuf;

/// Implemented for the builders whose records can be kept on disk: with feature `outbox`.
#[diagnostic::on_unimplemented(
    message = "`outbox` needs feature `outbox` of `paid-api`",
    label = "there is no outbox without it",
    note = "in Cargo.toml: `paid-api = {{ ..., features = [\"outbox\"] }}`"
)]
pub trait HasOutbox<Builder> {
    #[doc(hidden)]
    fn kept_in(builder: Builder, folder: PathBuf) -> Builder;
}
