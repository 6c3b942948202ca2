//! Whether the variants of an enum are the words that the catalogue allows, evaluated at compile time.
//! `<Spoken<T>>::WORDS` are the words of a type that lists them; of any other type it is `None`.

use std::marker::PhantomData;

use super::{same, value};

/// A type whose words are to be found.
pub struct Spoken<T: ?Sized>(PhantomData<fn() -> *const T>);

impl<T: value::Words + ?Sized> Spoken<T> {
    pub const WORDS: Option<&'static [&'static str]> = Some(T::WORDS);
}

/// Any other type.
pub trait Unspoken {
    const WORDS: Option<&'static [&'static str]> = None;
}

impl<T: ?Sized> Unspoken for Spoken<T> {}

/// Returns true if the words have this one, or nothing is known of them.
pub const fn has_word(words: Option<&[&str]>, word: &str) -> bool {
    let Some(words) = words else { return true };
    let mut at = 0;
    while at < words.len() {
        if same(words[at].as_bytes(), word.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

/// The first word that is not among these.
pub const fn word_beyond(words: Option<&'static [&'static str]>, allowed: &[&str]) -> Option<&'static str> {
    let Some(words) = words else { return None };
    let mut at = 0;
    while at < words.len() {
        if !has_word(Some(allowed), words[at]) {
            return Some(words[at]);
        }
        at += 1;
    }
    None
}

/// A text of a few parts, put together at compile time. What does not fit is cut off.
pub struct Message {
    text: [u8; 512],
    length: usize,
}

impl Message {
    pub const fn of(parts: &[&str]) -> Self {
        let mut message = Self { text: [0; 512], length: 0 };
        let mut part = 0;
        while part < parts.len() {
            let bytes = parts[part].as_bytes();
            let mut at = 0;
            while at < bytes.len() && message.length < message.text.len() {
                message.text[message.length] = bytes[at];
                message.length += 1;
                at += 1;
            }
            part += 1;
        }
        message
    }

    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.text.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "a variant is not among the words that the catalogue allows",
        }
    }
}
