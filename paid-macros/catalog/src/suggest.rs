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

/// Names shorter than this are all alike.
const SHORTEST: usize = 5;

/// Whether two names are so alike that one may be a typing error of the other: `email_sent` and `emial_sent`, `emails_sent`,
/// `emailsent` or `sent_email`. Names that differ in their digits only, such as `step_1` and `step_2`, are not.
pub fn is_alike(one: &str, other: &str) -> bool {
    // Every pair of a catalogue is compared, so what is cheap comes first and allocates nothing.
    let is_letter = |letter: &char| *letter != '_';
    let letters = |text: &str| text.chars().filter(is_letter).count();
    if letters(one).abs_diff(letters(other)) > 1 {
        return false;
    }
    let is_no_digit = |letter: &char| !letter.is_ascii_digit();
    let is_counted = one != other && one.chars().filter(is_no_digit).eq(other.chars().filter(is_no_digit));
    if is_counted || one.chars().count().min(other.chars().count()) < SHORTEST {
        return false;
    }
    let lower = |text: &str| text.to_lowercase();
    let words = |text: &str| {
        let mut words: Vec<String> = text.split('_').map(lower).collect();
        words.sort_unstable();
        words
    };
    let is_joined = || {
        let joined = |text: &str| text.replace('_', "");
        joined(one).eq_ignore_ascii_case(&joined(other))
    };
    damerau_levenshtein(one, other) <= 1 || is_joined() || words(one) == words(other)
}

/// `booked_meeting` is like `meeting_booked`.
fn shares_a_word(one: &str, two: &str) -> bool {
    let words = |text: &str| text.split('_').filter(|word| word.len() > 2).map(str::to_lowercase).collect::<Vec<_>>();
    words(one).iter().any(|word| words(two).contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_be_typing_errors_are_alike() {
        for other in ["emial_sent", "emails_sent", "emailsent", "sent_email", "Email_Sent"] {
            assert!(is_alike("email_sent", other), "{other}");
        }
        for (one, other) in
            [("email_sent", "email_read"), ("step_1", "step_2"), ("sent", "send"), ("call_made", "meeting_held")]
        {
            assert!(!is_alike(one, other), "{one} {other}");
        }
    }

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
