//! What an event name may look like. Paid takes any string; these rules keep names from being mistyped.

use std::fmt;

/// The greatest length of an event name, in characters.
pub const MAX_LENGTH: usize = 100;

/// What is wrong with an event name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameProblem {
    /// It is empty.
    Empty,
    /// It has this many characters.
    TooLong(usize),
    /// It has spaces; here is the name without them.
    Spaces(String),
    /// It is not in snake case; here is the name in snake case.
    NotSnakeCase(String),
}

impl fmt::Display for NameProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                formatter.write_str("the event name is empty; write what happened, such as \"meeting_booked\"")
            }
            Self::TooLong(length) => {
                write!(formatter, "the event name has {length} characters, and may have {MAX_LENGTH} at most")
            }
            Self::Spaces(better) => write!(formatter, "the event name contains spaces; write \"{better}\""),
            Self::NotSnakeCase(better) => write!(formatter, "event names are in snake_case; write \"{better}\""),
        }
    }
}

/// Checks the spelling of an event name.
///
/// # Errors
///
/// The first mistake in it.
pub fn check_event_name(name: &str) -> Result<(), NameProblem> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        return Err(NameProblem::Empty);
    }
    if length > MAX_LENGTH {
        return Err(NameProblem::TooLong(length));
    }
    let better = to_snake_case(name);
    if name.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(NameProblem::Spaces(better));
    }
    if name != better {
        return Err(NameProblem::NotSnakeCase(better));
    }
    Ok(())
}

/// Turns `MeetingBooked`, `meeting-booked` and `meeting booked` into `meeting_booked`.
pub fn to_snake_case(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts_a_word = letter.is_ascii_uppercase()
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || before.is_some_and(char::is_ascii_uppercase) && after.is_some_and(char::is_ascii_lowercase));
        if starts_a_word && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    while snake.ends_with('_') {
        snake.pop();
    }
    if snake.is_empty() || snake.starts_with(|first: char| first.is_ascii_digit()) {
        snake.insert_str(0, "event_");
        while snake.ends_with('_') {
            snake.pop();
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_are_taken() {
        for name in ["email_sent", "a", "mp3_rendered", "x1"] {
            assert_eq!(check_event_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn others_come_with_the_name_to_write() {
        for (name, better) in [
            ("MeetingBooked", "meeting_booked"),
            ("meeting-booked", "meeting_booked"),
            ("Meeting_Booked", "meeting_booked"),
            ("HTTPCall", "http_call"),
            ("sent2Bob", "sent2_bob"),
            ("_sent_", "sent"),
            ("a__b", "a_b"),
            ("meeting.booked", "meeting_booked"),
            ("2nd_call", "event_2nd_call"),
        ] {
            assert_eq!(check_event_name(name), Err(NameProblem::NotSnakeCase(better.into())), "{name}");
        }
        assert_eq!(check_event_name(" a b"), Err(NameProblem::Spaces("a_b".into())));
        assert_eq!(check_event_name("  "), Err(NameProblem::Empty));
        assert_eq!(check_event_name(&"a".repeat(101)), Err(NameProblem::TooLong(101)));
    }

    proptest::proptest! {
        #[test]
        fn the_name_to_write_is_always_a_good_one(name in "\\PC{1,60}") {
            let better = to_snake_case(&name);
            proptest::prop_assert!(better.len() > MAX_LENGTH || check_event_name(&better).is_ok(), "{}", better);
        }
    }
}
