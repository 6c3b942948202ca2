//! Payment terms.

/// The days from an invoice's issue to its due date; `None` if the terms are not understood.
pub(in crate::emulator) fn days_to_pay(terms: &str) -> Option<u64> {
    let plain: String = terms.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    if matches!(plain.as_str(), "dueonreceipt" | "onreceipt" | "immediate" | "dueimmediately") {
        return Some(0);
    }
    plain.strip_prefix("net")?.trim_end_matches("days").parse().ok().filter(|days| *days <= 3650)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_in_their_usual_spellings() {
        for (terms, days) in [("NET 30", 30), ("net-14", 14), ("Net 60 days", 60), ("Due on receipt", 0)] {
            assert_eq!(days_to_pay(terms), Some(days), "{terms}");
        }
        assert_eq!(days_to_pay("2/10 net 30"), None);
        assert_eq!(days_to_pay("soon"), None);
    }
}
