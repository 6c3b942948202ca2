//! What the pages of `lists.yaml` say of their ends, computed by hand.

#![allow(clippy::unwrap_used, missing_docs)]

use paid::{Page, PageEnd};
use paid_generated::Resources as _;
use paid_generated::types::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn end<P: Page + DeserializeOwned>(json: Value) -> (usize, PageEnd) {
    let (items, end) = serde_json::from_value::<P>(json).unwrap().into_items();
    (items.len(), end)
}

#[test]
fn pages_say_where_the_list_goes_on() {
    let sized = json!([{"size": 1}, {"size": 2}]);
    let items = json!([{"id": "a", "size": 1}, {"id": "b", "size": 2}]);
    assert_eq!(end::<Fees>(json!({"fees": sized, "meta": {"next_page": 4, "total_pages": 9}})), (2, PageEnd::NextPage(Some(4))));
    assert_eq!(end::<Fees>(json!({"fees": [], "meta": {"next_page": null, "total_pages": 0}})), (0, PageEnd::NextPage(None)));
    assert_eq!(end::<Mails>(json!({"has_more": true, "data": items})), (2, PageEnd::Next(Some("b".into()))));
    assert_eq!(end::<Mails>(json!({"has_more": false, "data": items})), (2, PageEnd::Next(None)));
    assert_eq!(end::<Mails>(json!({})), (0, PageEnd::Next(None)));
    assert_eq!(end::<Charges>(json!({"has_more": true, "data": items})), (2, PageEnd::Next(Some("b".into()))));
    assert_eq!(end::<Charges>(json!({"has_more": true, "data": []})), (0, PageEnd::HasMore(true)));
    assert_eq!(end::<Events>(json!({"nextPageToken": "t", "items": sized})), (2, PageEnd::Next(Some("t".into()))));
    assert_eq!(end::<Events>(json!({"items": sized})), (2, PageEnd::Next(None)));
    assert_eq!(end::<Records>(json!({"records": sized, "hasMore": true})), (2, PageEnd::HasMore(true)));
}

#[test]
fn builders_of_lists_have_streams() {
    let client = paid::Client::builder().api_key("k").build().unwrap();
    let _ = client.fees().list().page(2).stream();
    let _ = client.mails().list().after("a").stream();
    let _ = client.charges().list().stream();
    let _ = client.events().list().stream();
    let _ = client.records().list().stream();
}

/// What only looks like a list is a plain answer.
#[test]
fn plain_answers_are_no_pages() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/generated");
    let mut text = String::new();
    for file in std::fs::read_dir(folder).unwrap() {
        text.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    assert!(text.contains("__page!(Fees") && text.contains("FeesList => Fees, by"));
    for answer in ["Silent", "Nameless", "Two", "Invoice", "Since"] {
        assert!(!text.contains(&format!("__page!({answer},")), "{answer}");
    }
}
