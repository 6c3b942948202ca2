//! Feature `encodings`: what documents other than Paid's need. Parameters and bodies that are neither plain text nor JSON, files,
//! cookies, and unions whose branch shows only in a value's fields. A resource that needs it asks for it.

mod binary;
mod branch;
mod parameter;
mod parts;
mod written;

pub use binary::{Binary, Upload};
pub use branch::{Rule, branch};
pub use parameter::{Spot, Style};
