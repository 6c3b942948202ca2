//! Conversions from text, which can only be the caller's own id.

use crate::types::{CustomerAttribution, ExternalCustomerId, ExternalProductId, ProductAttribution};

macro_rules! own_ids {
    ($($target:ident <- $id:ident;)*) => {
        $(
            /// Text is your own id, not Paid's.
            impl From<&str> for $target {
                fn from(id: &str) -> Self {
                    $id::from(id).into()
                }
            }

            /// Text is your own id, not Paid's.
            impl From<String> for $target {
                fn from(id: String) -> Self {
                    $id::from(id).into()
                }
            }
        )*
    };
}

own_ids! {
    CustomerAttribution <- ExternalCustomerId;
    ProductAttribution <- ExternalProductId;
}
