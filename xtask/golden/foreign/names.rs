//! Every name that could hide one is a type of its own, and what it would hide still means what it did.

#![allow(clippy::unwrap_used, missing_docs)]

use paid_generated::types::*;
use serde_json::{Value, json};

/// What the document's names become where they are names of Rust or of the library.
#[test]
fn what_would_hide_a_name_has_one_of_its_own_and_the_wire_keeps_the_documents() {
    let every = Every::new(
        OptionModel::new("o"),
        ResultModel::new("r"),
        SelfModel::new("s"),
        StringModel::new("t"),
        VecModel::new("v"),
        Variants::Some,
    );
    let json = serde_json::to_value(every).unwrap();
    assert_eq!(json["Option"], json!({"value": "o"}));
    assert_eq!(json["Self"], json!({"value": "s"}));
    assert_eq!(json["kept"], json!("Some"));
}

/// A glob import of the types hides nothing: each of these is the name of the prelude.
#[test]
fn a_glob_import_of_the_types_hides_nothing_of_the_prelude() {
    fn copies<T: Clone + Send + Sync + Sized + Default + PartialEq + Into<Vec<String>>>(value: &T) -> Option<T> {
        Some(value.clone())
    }
    let boxed: Box<Option<Result<String, Value>>> = Box::new(Some(Ok(String::from("a"))));
    assert_eq!(*boxed, Some(Ok("a".to_owned())));
    assert_eq!(copies(&vec!["a".to_owned()]).unwrap(), vec![format!("{}", 'a')]);
    let none: Option<u8> = None;
    let error: Result<bool, char> = Err('e');
    assert!(none.is_none() && error.is_err() && matches!(Vec::<i64>::new().iter().next(), None));
    assert_eq!(String::try_from("a").unwrap().to_string(), <&str as Into<String>>::into("a"));
}

#[test]
fn variants_may_be_called_like_values_of_the_prelude() {
    for text in ["Some", "None", "Ok", "Err", "Self", "Default", "Unknown", "String", "Option", "self", "crate"] {
        let value: Variants = serde_json::from_value(json!(text)).unwrap();
        assert_eq!(value.as_str(), text);
        assert!(!format!("{value:?}").contains("Unknown(\""), "{text}");
    }
}
