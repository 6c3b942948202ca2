//! What generated code says of a request that is not JSON, or has more than a path and a query.

use reqwest::header::HeaderValue;
use serde::Serialize;
use serde_json::Value;

use super::binary::Binary;
use super::parameter::{self, Spot, Style};
use super::parts;
use crate::transport::{Call, Reads};

/// A line between the parts of a body that no content has.
fn boundary() -> String {
    format!("paid-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

#[doc(hidden)]
impl<T> Call<T> {
    /// The API's parameters have no rules of ours.
    pub fn plain(mut self) -> Self {
        self.prepared.plain = true;
        self
    }

    /// Sets a cookie.
    pub fn cookie(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.prepared.cookies.retain(|(known, _)| *known != name);
        self.prepared.cookies.push((name, parameter::encoded(value.as_ref())));
        self
    }

    /// Sets a parameter that is a list, an object, or one of several types.
    pub fn encoded<V: Serialize + ?Sized>(
        mut self,
        spot: Spot,
        name: &'static str,
        style: Style,
        explode: bool,
        value: &V,
    ) -> Self {
        let value = match serde_json::to_value(value) {
            Ok(value) => value,
            Err(error) => return self.refused(&format!("`{name}` cannot be written: {error}")),
        };
        match spot {
            Spot::Path => {
                let text = parameter::joined(name, style, explode, &value, parameter::encoded);
                if matches!(text.as_str(), "" | "." | "..") {
                    return self.refused(&format!("`{name}` is empty: the request would go to another path"));
                }
                self.prepared.path = self.prepared.path.replace(&format!("{{{name}}}"), &text);
                self
            }
            Spot::Query => {
                self.prepared.pieces.retain(|(known, _)| *known != name);
                let pieces = parameter::pieces(name, style, explode, &value);
                self.prepared.pieces.extend(pieces.into_iter().map(|piece| (name, piece)));
                self
            }
            Spot::Header => {
                let text = parameter::joined(name, style, explode, &value, str::to_owned);
                self.header(name, text)
            }
            Spot::Cookie => {
                let text = parameter::joined(name, style, false, &value, parameter::encoded);
                self.prepared.cookies.retain(|(known, _)| *known != name);
                self.prepared.cookies.push((name, text));
                self
            }
        }
    }

    /// Sets a body of pairs (`application/x-www-form-urlencoded`). Lists repeat their key; what has parts is JSON.
    pub fn pairs<B: Serialize + ?Sized>(self, body: &B) -> Self {
        let pairs = match serde_json::to_value(body) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return self.refused("only an object can be written as pairs"),
            Err(error) => return self.refused(&format!("the body cannot be written: {error}")),
        };
        let pieces = pairs.iter().filter(|(_, value)| !value.is_null());
        let pieces = pieces.flat_map(|(key, value)| match value {
            // Objects are no part of the standard; brackets are how most servers read them.
            Value::Object(_) => parameter::pieces(key, Style::DeepObject, true, value),
            value => parameter::pieces(key, Style::Form, true, value).into_iter().collect(),
        });
        let text = pieces.collect::<Vec<_>>().join("&");
        self.of_type("application/x-www-form-urlencoded", text.into_bytes())
    }

    /// Sets a body in parts (`multipart/form-data`).
    pub fn parts<B: Serialize + ?Sized>(self, body: &B) -> Self {
        let boundary = boundary();
        match parts::write(body, &boundary) {
            Ok(bytes) => self.of_type(&format!("multipart/form-data; boundary={boundary}"), bytes),
            Err(problem) => self.refused(&format!("the body cannot be written in parts: {problem}")),
        }
    }

    /// Sets a body of text.
    pub fn text(self, media: &str, text: String) -> Self {
        self.of_type(media, text.into_bytes())
    }

    /// Sets a body of bytes.
    pub fn bytes(self, media: &str, bytes: Binary) -> Self {
        self.of_type(media, bytes.into_bytes())
    }

    /// Sets the media type of the body that is set already.
    pub fn media(self, media: &'static str) -> Self {
        let body = self.prepared.body.clone().unwrap_or_default();
        self.of_type(media, body)
    }

    fn of_type(mut self, media: &str, body: impl Into<bytes::Bytes>) -> Self {
        match HeaderValue::try_from(media) {
            Ok(media) => {
                self.prepared.media = Some(media);
                self.prepared.body = Some(body.into());
                self
            }
            Err(_) => self.refused(&format!("`{media}` is not a media type")),
        }
    }

    /// The answer is text.
    pub fn reads_text(self, media: &'static str) -> Self {
        self.reads(Reads::Text, media)
    }

    /// The answer is bytes.
    pub fn reads_bytes(self, media: &'static str) -> Self {
        self.reads(Reads::Bytes, media)
    }

    /// An answer without a body is no value.
    pub fn may_be_empty(mut self) -> Self {
        self.prepared.reads = Reads::JsonOrNothing;
        self
    }

    fn reads(mut self, reads: Reads, media: &'static str) -> Self {
        self.prepared.reads = reads;
        self.header("accept", media)
    }
}
