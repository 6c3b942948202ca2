//! A local Paid.
