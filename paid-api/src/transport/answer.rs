//! A successful response: decoded, or an error that says where it differs from the document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::value::{BytesDeserializer, Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Reads;
use crate::error::{DecodeError, Error, UnreadableAnswer, excerpt, id_of, without_text};
use crate::platform::Response;
use crate::secret::Secret;

/// A successful response, not yet decoded.
pub(crate) struct Answer {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) body: Bytes,
    /// What follows the body's first bytes, if it is streamed.
    #[allow(dead_code, reason = "feature `streaming` reads it")]
    pub(crate) rest: Option<Box<Response>>,
    pub(crate) secret: Secret,
    pub(crate) reads: Reads,
}

impl Answer {
    pub(super) fn decode<T: DeserializeOwned>(self) -> Result<T, Error> {
        let plain = match self.reads {
            Reads::Json | Reads::JsonOrNothing => None,
            Reads::Bytes => Some(T::deserialize(BytesDeserializer::<ValueError>::new(&self.body))),
            Reads::Text => Some(match std::str::from_utf8(&self.body) {
                Ok(text) => T::deserialize(StrDeserializer::<ValueError>::new(text)),
                Err(_) => Err(ValueError::custom("the text is not UTF-8")),
            }),
        };
        if let Some(plain) = plain {
            return plain.map_err(|error| Error::decode(self.operation, self.status, error.to_string()));
        }
        // A 204 has no body; an empty object means the same.
        let nothing: &[u8] = if self.reads == Reads::JsonOrNothing { b"null" } else { b"{}" };
        let text: &[u8] = if self.body.is_empty() { nothing } else { &self.body };
        let mut reader = serde_json::Deserializer::from_slice(text);
        let failure = match serde_path_to_error::deserialize(&mut reader) {
            Ok(value) => match reader.end() {
                Ok(()) => return Ok(value),
                Err(error) => (".".to_owned(), error),
            },
            Err(error) => (error.path().to_string(), error.into_inner()),
        };
        Err(self.unreadable(&failure.0, &failure.1))
    }

    /// A number that two pages share if their items are the same.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let page: Option<HashMap<String, &RawValue>> = serde_json::from_slice(&self.body).ok();
        // The items of a page, without what its server says about them.
        match page.as_ref().and_then(|page| page.get("data")) {
            Some(items) => items.get().hash(&mut hasher),
            None => self.body.hash(&mut hasher),
        }
        hasher.finish()
    }

    /// The answer as JSON, without the key, if it is an object or a list: a proxy would hardly answer with one.
    fn json(&self) -> Option<Value> {
        let json: Value = serde_json::from_slice(&self.body).ok()?;
        (json.is_object() || json.is_array()).then(|| self.without_key(json))
    }

    /// The server may have escaped the key in a way of its own, so every text is looked through as it is read.
    fn without_key(&self, json: Value) -> Value {
        match json {
            Value::String(text) => self.secret.removed(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.without_key(item)).collect(),
            Value::Object(object) => {
                let clean =
                    |(key, value): (String, Value)| (self.secret.removed(&key).to_string(), self.without_key(value));
                object.into_iter().map(clean).collect()
            }
            other => other,
        }
    }

    /// The server may have repeated the request's headers: the key is removed before anything is cut.
    fn unreadable(self, path: &str, error: &serde_json::Error) -> Error {
        if let Some(json) = self.json() {
            return Error::Unreadable(Box::new(UnreadableAnswer {
                path: excerpt(&self.secret.removed(path), 200),
                message: excerpt(&without_text(&self.secret.removed(&error.to_string())), 200),
                id: id_of(&json),
                json,
                operation: self.operation,
                status: self.status,
            }));
        }
        let message = match self.body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => "the body is empty".to_owned(),
            Some(b'<') => "the body is HTML or XML, not JSON; check the base URL".to_owned(),
            Some(_) => excerpt(&without_text(&self.secret.removed(&error.to_string())), 200),
        };
        Error::Decode(Box::new(DecodeError {
            path: excerpt(&self.secret.removed(path), 200),
            message,
            excerpt: excerpt(&self.secret.removed(&String::from_utf8_lossy(&self.body)), 120),
            operation: self.operation,
            status: self.status,
        }))
    }
}
