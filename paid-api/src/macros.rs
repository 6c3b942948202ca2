//! Macros for generated code: id types, open enums, builders that can be sent, and pages.

/// A JSON object literal: like `serde_json::json!`, for an object.
///
/// ```
/// let data = paid::object!({ "lead_id": "l1", "minutes": 30 });
/// assert_eq!(data["minutes"], 30);
/// ```
#[macro_export]
macro_rules! object {
    ($($json:tt)+) => {
        match $crate::runtime::json!($($json)+) {
            $crate::runtime::Value::Object(object) => object,
            other => panic!("object! takes a JSON object, not {other}"),
        }
    };
}

/// The methods of a type whose values only Paid makes. The struct itself is in the generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! __opaque_newtype {
    ($name:ident) => {
        impl $name {
            /// The id as text, as it stands in paths and in JSON.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl $crate::runtime::Serialize for $name {
            fn serialize<S: $crate::runtime::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> $crate::runtime::Deserialize<'de> for $name {
            fn deserialize<D: $crate::runtime::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|text| Self(text.into()))
            }
        }
    };
}

/// Reads a struct from an object, field by field: position, name, key, and how it is read. The fields that must be there come
/// first. A key that this version does not know is kept in a field, or skipped.
#[doc(hidden)]
#[macro_export]
macro_rules! __object {
    (
        $name:ident, $unknown:ident $($others:ident)?,
        [$($must_at:literal $must:ident $must_key:literal $must_how:ident;)*],
        [$($may_at:literal $may:ident $may_key:literal $may_how:ident;)*]
    ) => {
        impl<'de> $crate::runtime::Deserialize<'de> for $name {
            fn deserialize<D: $crate::runtime::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::runtime::object(deserializer)
            }
        }

        impl $crate::runtime::Object for $name {
            const NAME: &'static str = stringify!($name);
            const KEYS: &'static [&'static str] = &[$($must_key,)* $($may_key,)*];

            #[allow(deprecated, irrefutable_let_patterns)]
            fn read<'de, A: $crate::runtime::MapAccess<'de>>(
                fields: &mut $crate::runtime::Fields<A>,
            ) -> Result<Self, A::Error> {
                $(let mut $must = None;)*
                $(let mut $may = Default::default();)*
                while let Some(position) = fields.key()? {
                    match position {
                        $($must_at => fields.$must_how(&mut $must),)*
                        $($may_at => fields.$may_how(&mut $may),)*
                        _ => fields.$unknown(),
                    }?;
                }
                let ($(Some($must),)*) = ($($must,)*) else {
                    return Err(fields.missing(&[$($must_at),*]));
                };
                Ok(Self { $($must,)* $($may,)* $($others: fields.others(),)? })
            }
        }
    };
}

/// The methods and conversions of an id type. The struct itself is in the generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! __string_newtype {
    ($name:ident) => {
        $crate::__opaque_newtype!($name);

        impl $name {
            /// Creates an id from a string literal, without an allocation.
            pub const fn from_static(id: &'static str) -> Self {
                Self(std::borrow::Cow::Borrowed(id))
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(std::borrow::Cow::Owned(id.to_owned()))
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(std::borrow::Cow::Owned(id))
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl $crate::runtime::FromText for $name {}
    };
}

/// The conversions of an enum that keeps unknown values. The enum itself is in the generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! __open_enum {
    ($name:ident { $($variant:ident = $value:literal),* }) => {
        impl $name {
            /// The text that stands for it in JSON; of [`Unknown`](Self::Unknown), what Paid sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl $crate::runtime::Serialize for $name {
            fn serialize<S: $crate::runtime::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::runtime::Deserialize<'de> for $name {
            fn deserialize<D: $crate::runtime::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|value| Self::from(value.as_str()))
            }
        }
    };
}

/// The conversions of an enum of whole numbers that keeps unknown ones. The enum itself is in the generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! __open_codes {
    ($name:ident { $($variant:ident = $value:literal),* }) => {
        impl $name {
            /// The number that stands for it in JSON; of [`Unknown`](Self::Unknown), what was sent.
            pub fn code(self) -> i64 {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.code().fmt(formatter)
            }
        }

        impl $crate::runtime::Serialize for $name {
            fn serialize<S: $crate::runtime::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.code())
            }
        }

        impl<'de> $crate::runtime::Deserialize<'de> for $name {
            fn deserialize<D: $crate::runtime::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::runtime::integer(deserializer).map(Self::from)
            }
        }
    };
}

/// A request builder that can be sent.
#[doc(hidden)]
#[macro_export]
macro_rules! __sendable {
    ($name:ident => $answer:ty) => {
        impl $name {
            /// The request itself, to set what is its own, such as a [timeout]($crate::Call::timeout).
            pub fn into_call(self) -> $crate::Call<$answer> {
                self.call
            }

            /// Sends the request with the parameters that are set; `.await` on it does the same.
            pub fn send(self) -> $crate::CallFuture<$answer> {
                self.call.send()
            }
        }

        impl std::future::IntoFuture for $name {
            type Output = Result<$answer, $crate::Error>;
            type IntoFuture = $crate::CallFuture<$answer>;

            fn into_future(self) -> Self::IntoFuture {
                self.call.send()
            }
        }
    };
}

/// A request builder whose answer is one page of a list.
#[doc(hidden)]
#[macro_export]
macro_rules! __paged {
    ($name:ident => $answer:ty) => {
        $crate::__sendable!($name => $answer);

        impl $name {
            /// Streams the items of this page and all that follow, and requests pages as needed; see [`Items`]($crate::Items).
            pub fn stream(self) -> $crate::Items<$answer> {
                $crate::Items::new(self.call)
            }
        }
    };
    ($name:ident => $answer:ty, by $parameter:literal) => {
        $crate::__sendable!($name => $answer);

        impl $name {
            /// Streams the items of this page and all that follow, and requests pages as needed; see [`Items`]($crate::Items).
            pub fn stream(self) -> $crate::Items<$answer> {
                $crate::Items::by(self.call, $parameter)
            }
        }
    };
}

/// An answer that is one page of a list.
#[doc(hidden)]
#[macro_export]
macro_rules! __page {
    ($answer:ty, $item:ty, $end:ident) => {
        impl $crate::Page for $answer {
            type Item = $item;

            fn into_items(self) -> ($crate::List<$item>, $crate::PageEnd) {
                let end = $crate::__page_end!(self, $end);
                (self.data.into(), end)
            }
        }
    };
    ($answer:ty, $item:ty, $list:ident, $kind:ident $($path:ident).+ $(or $id:ident)?) => {
        impl $crate::Page for $answer {
            type Item = $item;

            fn into_items(self) -> ($crate::List<$item>, $crate::PageEnd) {
                let said = self.$($path).+;
                let items = Option::<$crate::List<$item>>::from(self.$list).unwrap_or_default();
                let end = $crate::__page_end!(items, $kind said $(or $id)?);
                (items, end)
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __page_end {
    ($page:ident, pagination) => {
        Option::<bool>::from($page.pagination.has_more).map_or($crate::PageEnd::Unknown, $crate::PageEnd::HasMore)
    };
    ($page:ident, optional_pagination) => {
        match $page.pagination.as_ref().and_then(|pagination| Option::<bool>::from(pagination.has_more)) {
            Some(has_more) => $crate::PageEnd::HasMore(has_more),
            None => $crate::PageEnd::Unknown,
        }
    };
    ($page:ident, total) => {
        Option::<i64>::from($page.total).map_or($crate::PageEnd::Unknown, $crate::PageEnd::Total)
    };
    ($items:ident, has_more $said:ident) => {
        Option::<bool>::from($said).map_or($crate::PageEnd::Unknown, $crate::PageEnd::HasMore)
    };
    ($items:ident, total $said:ident) => {
        Option::<i64>::from($said).map_or($crate::PageEnd::Unknown, $crate::PageEnd::Total)
    };
    ($items:ident, next_page $said:ident) => {
        $crate::PageEnd::NextPage(Option::<i64>::from($said))
    };
    ($items:ident, next $said:ident) => {
        $crate::PageEnd::Next(Option::<String>::from($said))
    };
    // The next page begins after the last item of this one.
    ($items:ident, has_more $said:ident or $id:ident) => {{
        let last = $items.iter().last().map(|item| match item {
            Ok(item) => Option::<String>::from(item.$id.clone()),
            Err(item) => item.json.get(stringify!($id)).and_then(|id| id.as_str()).map(str::to_owned),
        });
        match (Option::<bool>::from($said), last) {
            (Some(false), _) | (None, None) => $crate::PageEnd::Next(None),
            (_, Some(Some(id))) => $crate::PageEnd::Next(Some(id)),
            (Some(true), None) | (_, Some(None)) => $crate::PageEnd::HasMore(true),
        }
    }};
}
