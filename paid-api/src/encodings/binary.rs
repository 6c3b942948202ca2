//! Bytes as they are, and files of a body in parts.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Bytes of a request or an answer that is not JSON.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Binary(Bytes);

impl Binary {
    /// The bytes.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl<T: Into<Bytes>> From<T> for Binary {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Their number: the bytes may be anything.
impl fmt::Debug for Binary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Binary({} bytes)", self.0.len())
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Raw;
        impl<'de> Visitor<'de> for Raw {
            type Value = Binary;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes or text")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Binary, E> {
                Ok(Binary(Bytes::copy_from_slice(bytes)))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
                Ok(Binary(bytes.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Binary, E> {
                self.visit_bytes(text.as_bytes())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Binary, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                self.visit_byte_buf(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Raw)
    }
}

/// A file that a request uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    content: Binary,
    name: Option<String>,
    media: Option<String>,
}

/// What the writer of bodies in parts looks for.
pub(crate) const UPLOAD: &str = "Upload";

impl Upload {
    /// A file with this content.
    pub fn new(content: impl Into<Binary>) -> Self {
        Self { content: content.into(), name: None, media: None }
    }

    /// Sets the file's name; without it, the file is called like its field.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the content's media type, which is `application/octet-stream` otherwise.
    #[must_use]
    pub fn of_type(mut self, media: impl Into<String>) -> Self {
        self.media = Some(media.into());
        self
    }
}

impl<T: Into<Bytes>> From<T> for Upload {
    fn from(content: T) -> Self {
        Self::new(content)
    }
}

impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct(UPLOAD, 3)?;
        parts.serialize_field("name", &self.name)?;
        parts.serialize_field("media", &self.media)?;
        parts.serialize_field("content", &self.content)?;
        parts.end()
    }
}

/// From its content.
impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Binary::deserialize(deserializer).map(Self::new)
    }
}
