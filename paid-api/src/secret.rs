//! Removes an API key from what a server sent back: as it is, escaped or percent-encoded, and in base64. Pure.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};

/// What stands in place of the key.
const PLACEHOLDER: &[u8] = b"[API key]";
/// Shorter keys are no secrets, and may be a part of any word.
const SHORTEST: usize = 4;
/// At the end of a text, this many first characters of the key count as the key: the rest may have been cut off.
const TELLING: usize = 8;
/// The longest form of one character, such as `&#x0070;`, is not longer than this.
pub(crate) const LONGEST_ESCAPE: usize = 16;

/// The API key of one attempt, in the forms in which a response may repeat it.
#[derive(Clone)]
pub(crate) struct Secret {
    forms: Vec<Form>,
}

#[derive(Clone)]
struct Form {
    text: Vec<u8>,
    /// Whether upper and lower case are the same.
    any_case: bool,
}

impl Secret {
    /// The key in an `Authorization` header.
    pub(crate) fn in_header(header: &HeaderValue) -> Self {
        let text = header.as_bytes();
        let key = text.strip_prefix(b"Bearer ").unwrap_or(text);
        if key.len() < SHORTEST {
            return Self { forms: Vec::new() };
        }
        let mut forms = vec![Form { text: key.to_vec(), any_case: true }];
        for before in 0..3 {
            let text = base64(key, before);
            let url_safe = text.iter().map(|byte| {
                if *byte == b'+' {
                    b'-'
                } else if *byte == b'/' {
                    b'_'
                } else {
                    *byte
                }
            });
            let url_safe: Vec<u8> = url_safe.collect();
            if url_safe != text {
                forms.push(Form { text: url_safe, any_case: false });
            }
            forms.push(Form { text, any_case: false });
        }
        forms.retain(|form| form.text.len() >= SHORTEST);
        Self { forms }
    }

    /// The text without the key.
    pub(crate) fn removed(&self, text: &str) -> String {
        let bytes = self.removed_until(text.as_bytes(), text.len());
        bytes.map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first `limit` bytes of a body without the key. If the key crosses the limit, all of it is removed.
    pub(crate) fn removed_from_body(&self, body: &Bytes, limit: usize) -> Bytes {
        self.removed_until(body, limit).map_or_else(|| body.slice(..body.len().min(limit)), Bytes::from)
    }

    /// Removes the key from the values of headers, and headers whose name contains it.
    pub(crate) fn remove_from_headers(&self, headers: &mut HeaderMap) {
        let names = headers.keys().filter(|name| self.removed_until(name.as_str().as_bytes(), usize::MAX).is_some());
        for name in names.cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
        for value in headers.values_mut() {
            if let Some(clean) = self.removed_until(value.as_bytes(), usize::MAX) {
                *value = HeaderValue::from_bytes(&clean).unwrap_or_else(|_| HeaderValue::from_static("[API key]"));
            }
        }
    }

    /// Returns true if the text contains the key.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.removed_until(text.as_bytes(), text.len()).is_some()
    }

    /// How many more bytes than its limit must be read of a body, so that the key is recognised at the limit.
    pub(crate) fn overlap(&self) -> usize {
        self.forms.iter().map(|form| form.text.len()).max().unwrap_or(0).saturating_mul(LONGEST_ESCAPE)
    }

    /// The text up to `limit` without the key; `None` if the key is not in it.
    fn removed_until(&self, text: &[u8], limit: usize) -> Option<Vec<u8>> {
        let mut clean: Option<Vec<u8>> = None;
        let limit = limit.min(text.len());
        let mut at = 0;
        while at < limit {
            match self.length_at(text.get(at..).unwrap_or_default()) {
                Some(length) => {
                    let clean = clean.get_or_insert_with(|| text.get(..at).unwrap_or_default().to_vec());
                    clean.extend_from_slice(PLACEHOLDER);
                    at += length;
                }
                None => {
                    if let (Some(clean), Some(byte)) = (&mut clean, text.get(at)) {
                        clean.push(*byte);
                    }
                    at += 1;
                }
            }
        }
        clean
    }

    /// The length of the key at the start of a text, in whatever form.
    fn length_at(&self, text: &[u8]) -> Option<usize> {
        self.forms.iter().find_map(|form| form.length_at(text))
    }
}

impl Form {
    fn length_at(&self, text: &[u8]) -> Option<usize> {
        // A key may look like an escape itself.
        let plain = text.get(..self.text.len()).filter(|start| self.any_case && start.eq_ignore_ascii_case(&self.text));
        if let Some(plain) = plain {
            return Some(plain.len());
        }
        let mut rest = text;
        let mut known = 0;
        while let Some(byte) = self.text.get(known) {
            let Some(length) = letter(rest, *byte, self.any_case) else {
                let is_cut_off = could_be_cut_off(rest) && known >= TELLING;
                return is_cut_off.then_some(text.len());
            };
            rest = rest.get(length..)?;
            known += 1;
            if *byte == b'\\' {
                // However often a backslash is escaped, a run of them is one run.
                known += self.text.iter().skip(known).take_while(|byte| **byte == b'\\').count();
            }
        }
        if !self.any_case {
            // What follows in base64 holds the last bits of the key.
            rest = rest.trim_ascii_start_matches(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte));
        }
        Some(text.len() - rest.len())
    }
}

trait TrimStart {
    fn trim_ascii_start_matches(&self, matches: impl Fn(u8) -> bool) -> &Self;
}

impl TrimStart for [u8] {
    fn trim_ascii_start_matches(&self, matches: impl Fn(u8) -> bool) -> &Self {
        let at = self.iter().position(|byte| !matches(*byte)).unwrap_or(self.len());
        self.get(at..).unwrap_or_default()
    }
}

/// Returns true if a text ends here, perhaps within an escape.
fn could_be_cut_off(rest: &[u8]) -> bool {
    rest.is_empty() || (rest.len() < LONGEST_ESCAPE && matches!(rest.first(), Some(b'\\' | b'%' | b'&')))
}

/// The length of a character at the start of a text: as it is, after backslashes, as `\u0070` or `\x70`, as `%70` (also
/// when the `%` was encoded again), or as `&#112;`.
fn letter(text: &[u8], letter: u8, any_case: bool) -> Option<usize> {
    let is_meant = |byte: u32| {
        u8::try_from(byte).is_ok_and(|byte| byte == letter || (any_case && byte.eq_ignore_ascii_case(&letter)))
    };
    let backslashes = text.iter().take_while(|byte| **byte == b'\\').count();
    if letter == b'\\' && backslashes > 0 {
        return Some(backslashes);
    }
    let rest = text.get(backslashes..)?;
    let escaped = match rest.first()? {
        b'u' if backslashes > 0 => number(rest, 1, 4, 16).filter(|(code, _)| is_meant(*code)),
        b'x' if backslashes > 0 => number(rest, 1, 2, 16).filter(|(code, _)| is_meant(*code)),
        b'%' => {
            let encoded = rest.get(1..)?.chunks(2).take_while(|pair| *pair == b"25").count() * 2;
            // The last `25` may be the encoded character itself.
            let again = number(rest, 1 + encoded, 2, 16).filter(|(code, _)| is_meant(*code));
            again.or_else(|| {
                number(rest, (1 + encoded).saturating_sub(2).max(1), 2, 16).filter(|(code, _)| is_meant(*code))
            })
        }
        b'&' => entity(rest).filter(|(code, _)| is_meant(*code)),
        _ => None,
    };
    let plain = || is_meant(u32::from(*rest.first()?)).then_some(1);
    escaped.map(|(_, length)| length).or_else(plain).map(|length| backslashes + length)
}

/// A number of exactly `digits` digits at `start`, and where it ends.
fn number(text: &[u8], start: usize, digits: usize, radix: u32) -> Option<(u32, usize)> {
    let digits = text.get(start..start + digits)?;
    let digits_only = digits.iter().all(|byte| char::from(*byte).is_digit(radix));
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    digits_only.then_some((code, start + digits.len()))
}

/// A character reference of HTML, and its length.
fn entity(text: &[u8]) -> Option<(u32, usize)> {
    let end = text.iter().take(LONGEST_ESCAPE).position(|byte| *byte == b';')?;
    let code = match text.get(1..end)? {
        b"amp" => u32::from(b'&'),
        b"lt" => u32::from(b'<'),
        b"gt" => u32::from(b'>'),
        b"quot" => u32::from(b'"'),
        b"apos" => u32::from(b'\''),
        [b'#', b'x' | b'X', digits @ ..] => u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?,
        [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
        _ => return None,
    };
    Some((code, end + 1))
}

/// The part of a base64 text that is the same whatever stands before and after the key, if `before` bytes (modulo 3)
/// stand before it.
fn base64(key: &[u8], before: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(key.iter().copied()).collect();
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| usize::from(byte >> (7 - index % 8) & 1));
    let (first, last) = ((8 * before).div_ceil(6), 8 * bytes.len() / 6);
    let sextet = |index: usize| (0..6).fold(0, |value, offset| value << 1 | bit(6 * index + offset));
    (first..last).filter_map(|index| ALPHABET.get(sextet(index)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(key: &str) -> Secret {
        Secret::in_header(&HeaderValue::try_from(format!("Bearer {key}")).unwrap())
    }

    #[test]
    fn the_key_is_removed_in_every_form() {
        let secret = secret("paid_s3cr3t+/Key");
        for text in [
            "invalid key paid_s3cr3t+/Key!",
            "invalid key PAID_S3CR3T+/KEY!",
            r"invalid key paid_s3cr3t+\/Key!",
            r"invalid key \u0070aid\u005Fs3cr3t+\\\/Key!",
            r"invalid key \x70aid_s3cr3t+/Key!",
            "invalid key paid%5Fs3cr3t%2B%2fKey!",
            "invalid key paid%255Fs3cr3t%252B%25252FKey!",
            "invalid key paid&#95;s3cr3t&#x2b;&#47;Key!",
        ] {
            assert_eq!(secret.removed(text), "invalid key [API key]!", "{text}");
            assert!(secret.is_in(text));
        }
        assert_eq!(secret.removed("Bearer paid_s3cr3t+/Key and paid_s3cr3t+/Key"), "Bearer [API key] and [API key]");
        for text in ["", "paid", "paid_s3cr3t+/other", "50% of \\ & more", "%", "\\", "&#;", "%25"] {
            assert_eq!(secret.removed(text), text);
        }
    }

    #[test]
    fn the_key_is_removed_in_base64_whatever_stands_before_it() {
        let secret = secret("paid_s3cr3t");
        // `paid_s3cr3t:`, `a:paid_s3cr3t`, `ab:paid_s3cr3t`, `Bearer paid_s3cr3t`.
        for text in ["cGFpZF9zM2NyM3Q6", "YTpwYWlkX3MzY3IzdA==", "YWI6cGFpZF9zM2NyM3Q=", "QmVhcmVyIHBhaWRfczNjcjN0"] {
            let clean = secret.removed(&format!("Basic {text}!"));
            assert!(clean.ends_with("[API key]!") && clean.len() < 30, "{text}: {clean}");
        }
    }

    #[test]
    fn a_key_with_odd_characters_is_recognised() {
        let secret = secret(r#"a"b\c%d&e<f"#);
        for text in [r#"a"b\c%d&e<f"#, r#"a\"b\\c%d&e<f"#, "a%22b%5Cc%25d%26e%3Cf", "a&quot;b\\c%d&amp;e&lt;f"] {
            assert_eq!(secret.removed(text), "[API key]", "{text}");
        }
    }

    #[test]
    fn a_key_that_is_cut_off_at_the_end_leaves_nothing() {
        let secret = secret("paid_0123456789");
        assert_eq!(secret.removed("key: paid_01234"), "key: [API key]");
        assert_eq!(secret.removed(r"key: paid_01234\u00"), "key: [API key]");
        let body = Bytes::from_static(b"key: paid_0123456789 paid_0123456789");
        assert_eq!(&secret.removed_from_body(&body, 9)[..], b"key: [API key]");
        assert_eq!(&secret.removed_from_body(&body, 21)[..], b"key: [API key] ");
        assert_eq!(&secret.removed_from_body(&body, 3)[..], b"key");
    }

    #[test]
    fn headers_lose_the_key_in_values_and_names() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_static("Bearer paid_secret"));
        headers.insert("x-paid_secret", HeaderValue::from_static("1"));
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_bytes(b"\xffpaid_secret").unwrap());
        secret("paid_secret").remove_from_headers(&mut headers);
        assert_eq!(headers["x-request-id"], "Bearer [API key]");
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert_eq!(headers.len(), 3);
        assert!(!format!("{headers:?}").contains("paid_secret"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_keeps_the_key(
            key in "[!-~]{6,40}", before in "[ -~]{0,8}", after in ".{0,8}", limit in 0_usize..60,
        ) {
            let secret = secret(&key);
            let text = format!("{before}{key}{after}{before}");
            // What remains of two overlapping keys may be a key again only if the placeholder helps, which no key contains.
            prop_assume!(!"[API key]".contains(&key));
            let clean = secret.removed(&text);
            prop_assert!(!clean.contains(&key) || before.contains(&key), "{clean}");
            let body = secret.removed_from_body(&Bytes::from(text.clone()), limit);
            prop_assert!(!String::from_utf8_lossy(&body).contains(&key));
        }

        #[test]
        fn no_bytes_panic(key in "[!-~]{1,20}", body in proptest::collection::vec(any::<u8>(), 0..200), limit in 0_usize..300) {
            let _ = secret(&key).removed_from_body(&Bytes::from(body), limit);
        }
    }
}
