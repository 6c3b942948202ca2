//! Which resources need the library's feature `encodings`: those whose generated code uses what stands behind it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Facts;

/// What generated code imports of it, from the library's hidden module `encodings`.
pub(super) const NAMES: [&str; 5] = ["Binary", "Spot", "Style", "Upload", "branch"];

/// The methods of a call that it has.
const METHODS: [&str; 11] = [
    "bytes",
    "cookie",
    "encoded",
    "may_be_empty",
    "media",
    "pairs",
    "parts",
    "plain",
    "reads_bytes",
    "reads_text",
    "text",
];

/// The features of these resources. A shared type that needs it makes all of them need it.
pub(super) fn needed_by(facts: &Facts, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let needs = |name: &str| files.get(name).is_some_and(|text| is_used(text));
    let all = needs("generated/shared.rs");
    let resources = facts.resources.iter();
    let needing = resources.filter(|resource| all || needs(&format!("generated/{}.rs", resource.module())));
    needing.map(|resource| resource.feature.clone()).collect()
}

fn is_used(text: &str) -> bool {
    text.contains("use crate::encodings::") || METHODS.iter().any(|method| text.contains(&format!(".{method}(")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_or_called_is_used() {
        for (text, expected) in [
            ("use crate::runtime::{Call, Client, Method};\nCall::new().body(request)", false),
            ("/// A branch of the bank; Style and Spot.\nuse crate::runtime::Call;\npub branch: String", false),
            ("use crate::encodings::{Spot, Style};", true),
            ("Call::new(&self.client).pairs(request)", true),
            ("Call::new(&self.client)\n    .text(\"text/plain\", request.into())", true),
            ("Call::new(&self.client)\n    .may_be_empty()", true),
        ] {
            assert_eq!(is_used(text), expected, "{text}");
        }
    }
}
