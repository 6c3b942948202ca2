//! Bodies in parts (`multipart/form-data`): a part for each field, files with their name and type.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

use super::binary::UPLOAD;

/// Why a value cannot be written in parts.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It has parts of its own: it is written as JSON.
    HasParts,
    Other(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HasParts => formatter.write_str("only an object can be written in parts"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for Problem {}

impl ser::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

/// Writes the fields of an object, with this boundary between them.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, boundary: &str) -> Result<Vec<u8>, Problem> {
    let mut body = Body { boundary, bytes: Vec::new(), key: String::new() };
    value.serialize(&mut body)?;
    let Body { mut bytes, .. } = body;
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(bytes)
}

struct Body<'a> {
    boundary: &'a str,
    bytes: Vec<u8>,
    key: String,
}

/// As browsers write it.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl Body<'_> {
    fn part(&mut self, key: &str, file: Option<&str>, media: Option<&str>, content: &[u8]) {
        let file = file.map_or_else(String::new, |name| format!("; filename=\"{}\"", quoted(name)));
        let media = media.map_or_else(String::new, |media| format!("\r\nContent-Type: {}", quoted(media)));
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"{file}{media}\r\n\r\n",
            self.boundary,
            quoted(key)
        );
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Problem> {
        match value.serialize(Part { body: self, key }) {
            Err(Problem::HasParts) => {
                let text = serde_json::to_vec(value).map_err(|error| Problem::Other(error.to_string()))?;
                self.part(key, None, Some("application/json"), &text);
                Ok(())
            }
            other => other,
        }
    }
}

macro_rules! refused {
    ($error:expr; $($method:ident($($ty:ty),*) -> $answer:ty;)*) => {
        $(fn $method(self, $(_: $ty),*) -> Result<$answer, Problem> {
            Err($error)
        })*
    };
}

impl<'a, 'b> Serializer for &'a mut Body<'b> {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Impossible<(), Problem>;
    type SerializeTuple = Impossible<(), Problem>;
    type SerializeTupleStruct = Impossible<(), Problem>;
    type SerializeTupleVariant = Impossible<(), Problem>;
    type SerializeMap = &'a mut Body<'b>;
    type SerializeStruct = &'a mut Body<'b>;
    type SerializeStructVariant = Impossible<(), Problem>;

    refused! { Problem::HasParts;
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Problem> {
        Err(Problem::HasParts)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Problem> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        Ok(self)
    }
}

impl ser::SerializeStruct for &mut Body<'_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Problem> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

impl ser::SerializeMap for &mut Body<'_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Problem> {
        let key = serde_json::to_value(key).map_err(|error| Problem::Other(error.to_string()))?;
        self.key = super::parameter::text(&key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        let key = std::mem::take(&mut self.key);
        self.field(&key, value)
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

/// The value of one field.
struct Part<'a, 'b> {
    body: &'a mut Body<'b>,
    key: &'a str,
}

impl Part<'_, '_> {
    fn text(self, text: &str) -> Result<(), Problem> {
        self.body.part(self.key, None, None, text.as_bytes());
        Ok(())
    }
}

macro_rules! as_text {
    ($($method:ident($ty:ty);)*) => {
        $(fn $method(self, value: $ty) -> Result<(), Problem> {
            self.text(&value.to_string())
        })*
    };
}

impl<'a, 'b> Serializer for Part<'a, 'b> {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Self;
    type SerializeTuple = Impossible<(), Problem>;
    type SerializeTupleStruct = Impossible<(), Problem>;
    type SerializeTupleVariant = Impossible<(), Problem>;
    type SerializeMap = Impossible<(), Problem>;
    type SerializeStruct = File<'a, 'b>;
    type SerializeStructVariant = Impossible<(), Problem>;

    as_text! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
    }

    refused! { Problem::HasParts;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_bytes(self, content: &[u8]) -> Result<(), Problem> {
        self.body.part(self.key, Some(self.key), Some("application/octet-stream"), content);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Problem> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Problem> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Problem> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Problem> {
        self.text(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Problem> {
        Err(Problem::HasParts)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Problem> {
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<File<'a, 'b>, Problem> {
        if name == UPLOAD { Ok(File { part: self, name: None, media: None }) } else { Err(Problem::HasParts) }
    }
}

/// A list is a part for each item.
impl ser::SerializeSeq for Part<'_, '_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        self.body.field(self.key, value)
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

/// A file, whose name and type come before its content.
struct File<'a, 'b> {
    part: Part<'a, 'b>,
    name: Option<String>,
    media: Option<String>,
}

impl ser::SerializeStruct for File<'_, '_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Problem> {
        let fact = || serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned));
        match key {
            "name" => self.name = fact(),
            "media" => self.media = fact(),
            _ => {
                let mut whole = Body { boundary: "", bytes: Vec::new(), key: String::new() };
                value.serialize(Part { body: &mut whole, key: "" })?;
                let start = whole.bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
                let end = whole.bytes.len().saturating_sub(2);
                let content = whole.bytes.get(start..end).unwrap_or_default();
                let name = self.name.as_deref().unwrap_or(self.part.key);
                let media = self.media.as_deref().unwrap_or("application/octet-stream");
                self.part.body.part(self.part.key, Some(name), Some(media), content);
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::super::binary::Upload;
    use super::*;

    #[derive(Serialize)]
    struct Import {
        file: Upload,
        count: i64,
        tags: Vec<String>,
        map: std::collections::BTreeMap<String, i64>,
        none: Option<String>,
    }

    #[test]
    fn each_field_is_a_part() {
        let import = Import {
            file: Upload::new("a\r\n\r\nb").named("x\".csv").of_type("text/csv"),
            count: 3,
            tags: vec!["a".into(), "b".into()],
            map: [("k".to_owned(), 1)].into(),
            none: None,
        };
        let head = "--B\r\nContent-Disposition: form-data; name=";
        assert_eq!(
            String::from_utf8(write(&import, "B").unwrap()).unwrap(),
            format!(
                "{head}\"file\"; filename=\"x%22.csv\"\r\nContent-Type: text/csv\r\n\r\na\r\n\r\nb\r\n\
                 {head}\"count\"\r\n\r\n3\r\n{head}\"tags\"\r\n\r\na\r\n{head}\"tags\"\r\n\r\nb\r\n\
                 {head}\"map\"\r\nContent-Type: application/json\r\n\r\n{{\"k\":1}}\r\n--B--\r\n"
            )
        );
        assert!(write(&3, "B").is_err());
    }
}
