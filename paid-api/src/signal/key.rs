//! Idempotency keys: a key identifies a signal, so that a retry bills nothing again.

use std::cell::RefCell;
use std::fmt;
use std::hash::BuildHasher;
use std::time::SystemTime;

/// An idempotency key: given, or made at emission without an allocation.
#[derive(Clone)]
pub(crate) enum IdempotencyKey {
    Given(String),
    Made([u8; 36]),
}

impl IdempotencyKey {
    /// Makes a UUIDv7: the time in milliseconds, and 74 random bits.
    pub(crate) fn make() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &random()).into_uuid();
        let mut text = [0; 36];
        id.hyphenated().encode_lower(&mut text);
        Self::Made(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Given(key) => key,
            Self::Made(text) => std::str::from_utf8(text).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

/// A pool of the operating system's random bytes: to ask for them costs more than the rest of an emission, so they are
/// fetched for many keys at once.
struct Pool {
    bytes: [u8; 1000],
    used: usize,
    /// A forked process must not use its parent's random bytes.
    process: u32,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// Random bytes, on any thread at any time.
pub(crate) fn random() -> [u8; 10] {
    let pooled = POOL.try_with(|pool| {
        // Borrowed only if the pool is asked for bytes by what it calls itself.
        let Ok(mut pool) = pool.try_borrow_mut() else { return Pool::new().refill(0) };
        let process = std::process::id();
        let end = pool.used + 10;
        if end > pool.bytes.len() || pool.process != process {
            return pool.refill(process);
        }
        pool.take(end)
    });
    // Where thread-locals are gone for good, bytes are fetched for one key.
    pooled.unwrap_or_else(|_| Pool::new().refill(0))
}

impl Pool {
    const fn new() -> Self {
        Self { bytes: [0; 1000], used: 1000, process: 0 }
    }

    #[cold]
    fn refill(&mut self, process: u32) -> [u8; 10] {
        if getrandom::fill(&mut self.bytes).is_err() {
            // No platform of Rust's standard library fails here; the standard library's own keys are the next best
            // source.
            let keys = std::hash::RandomState::new();
            for (number, bytes) in self.bytes.chunks_mut(8).enumerate() {
                let random = keys.hash_one((number, SystemTime::now())).to_ne_bytes();
                bytes.copy_from_slice(random.get(..bytes.len()).unwrap_or_default());
            }
        }
        self.process = process;
        self.used = 0;
        self.take(10)
    }

    fn take(&mut self, end: usize) -> [u8; 10] {
        let taken = self.bytes.get(self.used..end).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        self.used = end;
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_is_another_uuid_of_version_7_in_the_order_of_time() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..5_000).map(|_| IdempotencyKey::make()).collect::<Vec<_>>()))
            .collect();
        let keys: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let texts: BTreeSet<_> = keys.iter().map(|key| key.as_str().to_owned()).collect();
        assert_eq!(texts.len(), 20_000);
        for text in &texts {
            let id: uuid::Uuid = text.parse().unwrap();
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        }
        let earlier = IdempotencyKey::make();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(earlier.as_str() < IdempotencyKey::make().as_str());
    }
}
