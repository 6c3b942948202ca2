//! The signature: HMAC-SHA256 over `<t>.<body>`, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// `t=<milliseconds since 1970>,s=<base64>`.
pub(super) struct Signature<'a> {
    /// The time exactly as it was received: these bytes are signed.
    pub(super) time: &'a [u8],
    pub(super) milliseconds: u64,
    mac: Vec<u8>,
}

impl<'a> Signature<'a> {
    /// Reads fields in any order and ignores unknown ones. Each is split at its first `=`, because base64 padding contains
    /// more of them.
    pub(super) fn read(header: &'a [u8]) -> Option<Self> {
        let (mut time, mut mac) = (None, None);
        for field in header.split(|byte| *byte == b',') {
            let field = field.trim_ascii();
            let at = field.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (field.get(..at)?, field.get(at + 1..)?);
            match name {
                b"t" if time.is_none() => time = Some(value),
                b"s" if mac.is_none() => mac = Some(value),
                b"t" | b"s" => return None,
                _ => {}
            }
        }
        let time = time?;
        let digits = std::str::from_utf8(time).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(Self { time, milliseconds: digits.parse().ok()?, mac: STANDARD.decode(mac?).ok()? })
    }
}

/// The bytes that are signed.
pub(super) struct Signed<'a> {
    pub(super) time: &'a [u8],
    pub(super) body: &'a [u8],
}

impl Signed<'_> {
    /// Compares in constant time.
    pub(super) fn matches(&self, secret: &[u8], signature: &Signature<'_>) -> bool {
        // Anybody can sign with an empty secret.
        !secret.is_empty() && self.mac(secret).is_some_and(|mac| mac.verify_slice(&signature.mac).is_ok())
    }

    fn mac(&self, secret: &[u8]) -> Option<Hmac<Sha256>> {
        // This never fails: HMAC accepts keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(self.time);
        mac.update(b".");
        mac.update(self.body);
        Some(mac)
    }
}

pub(super) fn write(secret: &[u8], milliseconds: u128, body: &[u8]) -> String {
    let time = milliseconds.to_string();
    let mac = Signed { time: time.as_bytes(), body }.mac(secret);
    let mac = mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default();
    format!("t={time},s={mac}")
}
