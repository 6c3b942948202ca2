//! The keyed hash that is sent in place of data about a person.

use std::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::ConfigError;

/// Anybody can try all shorter secrets.
const SHORTEST: usize = 16;

/// The key with which values are hashed, see [`Hashed`](crate::Hashed): HMAC-SHA256, written as 64 lower-case hexadecimal
/// digits. One key turns one text into the same hash in every field, signal and process, so that hashes can be compared;
/// who does not have the key cannot find the text by trying all e-mail addresses.
///
/// Keep it where you keep other secrets, and do not change it: hashes of two keys cannot be compared.
///
/// ```
/// # fn main() -> Result<(), paid::ConfigError> {
/// let key = paid::HashKey::new("an example; take 32 random bytes")?;
/// assert_eq!(key.hash("jane@globex.example"), key.hash("jane@globex.example"));
/// assert_eq!(format!("{key:?}"), "HashKey(..)");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HashKey(Hmac<Sha256>);

impl HashKey {
    /// Creates a key from a secret, such as 32 random bytes.
    ///
    /// # Errors
    ///
    /// If the secret is shorter than 16 bytes.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        let key = Hmac::new_from_slice(secret).ok().filter(|_| secret.len() >= SHORTEST);
        key.map(Self).ok_or_else(|| {
            ConfigError::new(format!(
                "the secret of a hash key has {} bytes, and needs at least {SHORTEST}; take 32 random bytes",
                secret.len()
            ))
        })
    }

    /// The hash that is sent in place of this text: to find it in Paid again.
    pub fn hash(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut digits, byte| {
            // Writing into memory cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 6: its key is longer than a block.
    #[test]
    fn the_hash_is_hmac_sha256_in_hexadecimal() {
        let key = HashKey::new([0xaa; 131]).unwrap();
        let hash = key.hash("Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hash, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_short_secret_is_refused_without_showing_it() {
        for secret in ["", "hunter2", "fifteen letters"] {
            let problem = HashKey::new(secret).unwrap_err().to_string();
            assert!(problem.contains(&format!("has {} bytes, and needs at least 16", secret.len())), "{problem}");
            assert!(secret.is_empty() || !problem.contains(secret), "{problem}");
        }
        assert!(HashKey::new("sixteen letters!").is_ok());
    }
}
