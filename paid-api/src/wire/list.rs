//! Lists of answers: an item that cannot be read is reported in its place, and the others are read.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, UnreadableItem};

/// A list of an answer. An item that lacks a field that the document requires, or has another shape, is an
/// [`UnreadableItem`] in its place.
///
/// ```no_run
/// # async fn example(client: paid::Client) -> Result<(), paid::Error> {
/// for customer in client.customers().list().await?.data {
///     println!("{}", customer?.id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct List<T>(Vec<Result<T, UnreadableItem>>);

impl<T> List<T> {
    /// The number of items, including those that cannot be read.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no items.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The item at this position, if there is one.
    pub fn get(&self, index: usize) -> Option<Result<&T, &UnreadableItem>> {
        self.0.get(index).map(Result::as_ref)
    }

    /// All items in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<&T, &UnreadableItem>> {
        self.0.iter().map(Result::as_ref)
    }

    /// The items that can be read, without a word about the others; see [`unreadable`](Self::unreadable).
    pub fn readable(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|item| item.as_ref().ok())
    }

    /// The items that cannot be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableItem> {
        self.0.iter().filter_map(|item| item.as_ref().err())
    }

    /// Every item, or the first one that could not be read as an error.
    ///
    /// # Errors
    ///
    /// [`Error::Item`] with the first item that cannot be read.
    pub fn all(self) -> Result<Vec<T>, Error> {
        self.0.into_iter().map(|item| item.map_err(Error::from)).collect()
    }

    /// What comes before all others; `None` if the list is empty.
    ///
    /// # Errors
    ///
    /// [`Error::Item`] if it cannot be read.
    pub fn first(self) -> Result<Option<T>, Error> {
        self.0.into_iter().next().transpose().map_err(Error::from)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items.into_iter().map(Ok).collect())
    }
}

impl<T, const N: usize> From<[T; N]> for List<T> {
    fn from(items: [T; N]) -> Self {
        Self(items.into_iter().map(Ok).collect())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().map(Ok).collect())
    }
}

impl<T> IntoIterator for List<T> {
    type Item = Result<T, UnreadableItem>;
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de, T: for<'any> Deserialize<'any>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<Value>::deserialize(deserializer)?;
        Ok(Self(items.into_iter().enumerate().map(|(index, item)| read(index, item)).collect()))
    }
}

fn read<T: for<'any> Deserialize<'any>>(index: usize, item: Value) -> Result<T, UnreadableItem> {
    match serde_path_to_error::deserialize(&item) {
        Ok(value) => Ok(value),
        Err(error) => Err(UnreadableItem::new(index, &error.path().to_string(), error.inner(), item)),
    }
}

/// An item that could not be read is written as it came.
impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|item| match item {
            Ok(item) => Written::Item(item),
            Err(item) => Written::Json(&item.json),
        }))
    }
}

enum Written<'a, T> {
    Item(&'a T),
    Json(&'a Value),
}

impl<T: Serialize> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Item(item) => item.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Item {
        name: String,
    }

    const JSON: &str = r#"[{"name":"a"},{"id":"i_2","secret":"s3"},{"name":7},{"name":"d"}]"#;

    #[test]
    fn an_unreadable_item_is_reported_in_its_place_and_sinks_no_other() {
        let list: List<Item> = serde_json::from_str(JSON).unwrap();
        let names: Vec<_> =
            list.iter().map(|item| item.map(|item| item.name.as_str()).map_err(|item| &*item.path)).collect();
        assert_eq!(names, [Ok("a"), Err("[1]"), Err("[2].name"), Ok("d")]);
        let lost: Vec<_> = list.unreadable().map(|item| (item.id.as_deref(), item.json.to_string())).collect();
        assert_eq!(lost[0], (Some("i_2"), r#"{"id":"i_2","secret":"s3"}"#.to_owned()));
        assert_eq!((list.len(), list.readable().count(), lost.len()), (4, 2, 2));
        assert_eq!(serde_json::to_string(&list).unwrap(), JSON);
    }

    #[test]
    fn an_error_names_the_item_and_shows_nothing_else_of_it() {
        let error = serde_json::from_str::<List<Item>>(JSON).unwrap().all().unwrap_err();
        let (text, debug) = (error.to_string(), format!("{error:?}"));
        assert!(text.contains("at `[1]`: missing field `name` (id i_2)"), "{text}");
        assert!(!text.contains("s3") && !debug.contains("s3"), "{text} {debug}");
        assert!(!error.is_retryable());
        assert!(serde_json::from_str::<List<Item>>("{}").is_err());
    }
}
