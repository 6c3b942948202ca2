//! Suggestions for a mistyped name.

use strsim::damerau_levenshtein;

/// The names that are most like this one, the nearest first, three at most.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let limit = (name.chars().count() / 3).max(2);
    let mut near: Vec<_> = known
        .map(|known| (damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= limit || shares_a_word(name, known))
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, known)| known).collect()
}

/// The nearest names as text, such as `` `a` or `b` ``; `None` if no name is near.
pub fn nearest_of<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near: Vec<_> = nearest(name, known).into_iter().map(|known| format!("`{known}`")).collect();
    (!near.is_empty()).then(|| near.join(" or "))
}

/// `booked_meeting` is like `meeting_booked`.
fn shares_a_word(one: &str, two: &str) -> bool {
    let words = |text: &str| text.split('_').filter(|word| word.len() > 2).map(str::to_lowercase).collect::<Vec<_>>();
    words(one).iter().any(|word| words(two).contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["email_sent", "meeting_booked", "meeting_held", "call_made"];

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        assert_eq!(nearest("email_snet", KNOWN.into_iter()), ["email_sent"]);
        assert_eq!(nearest("meetng_booked", KNOWN.into_iter())[0], "meeting_booked");
        assert_eq!(nearest("booked_meeting", KNOWN.into_iter()).len(), 2);
        assert_eq!(nearest("invoice_paid", KNOWN.into_iter()), Vec::<&str>::new());
        assert_eq!(nearest_of("meeting_hold", KNOWN.into_iter()).unwrap(), "`meeting_held` or `meeting_booked`");
    }
}
