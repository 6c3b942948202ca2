#![deny(warnings)]
#![allow(dead_code)]

use std::panic::Location;

#[paid::signal("email_sent")]
#[track_caller]
fn send(words: &str) -> Result<u32, std::num::ParseIntError> {
    let line = Location::caller().line();
    if words.is_empty() {
        return Ok(line);
    }
    let words: u32 = words.parse()?;
    for word in 0..words {
        if word > 3 {
            break;
        }
        let close = || -> Option<u32> { Some(words.checked_sub(1)?) };
        let _ = close();
    }
    Ok(line)
}

#[paid::trace(customer = "acme")]
#[track_caller]
fn trace() -> Option<u32> {
    let line = Some(Location::caller().line())?;
    Some(line)
}

macro_rules! doubled {
    ($value:expr) => {
        $value * 2
    };
}

#[paid::signal("email_sent")]
#[track_caller]
fn returns_nothing(words: u32, moved: String) {
    let words = match words {
        0 => return,
        other => other,
    };
    if doubled!(words) > 7 {
        return;
    }
    drop(moved);
}

#[paid::signal("email_sent")]
#[track_caller]
fn always_panics(words: u32) -> u32 {
    panic!("{words}")
}

#[paid::signal("email_sent")]
#[track_caller]
fn always_panics_with_nothing() {
    todo!()
}

#[paid::signal("email_sent")]
#[track_caller]
#[allow(clippy::needless_return)]
fn always_returns(words: Option<u32>) -> Option<u32> {
    words?;
    let more = words? + doubled!(words?);
    return Some(more);
}

#[paid::signal("email_sent")]
#[track_caller]
fn with_items(words: u32) -> Result<u32, u32> {
    use std::fmt;
    let local = Local(words);
    macro_rules! own {
        () => {
            words
        };
    }
    impl fmt::Display for Local {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(out, "{}", self.0)
        }
    }
    struct Local(u32);
    const MORE: u32 = 3;
    if words > 7 {
        return Err(words);
    }
    let digits = local.to_string().len();
    Ok(doubled!(digits as u32) + own!() + MORE + Location::caller().line())
}

fn check() {
    assert_eq!((with_items(8), with_items(1)), (Err(8), Ok(line!() + 6)));
    let line = line!() + 1;
    assert_eq!((send(""), send("5"), trace()), (Ok(line), Ok(line), Some(line)));
}

fn main() {
    check();
}
