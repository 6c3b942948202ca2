//! How a command ends.

/// What went wrong, for people; or success.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;
