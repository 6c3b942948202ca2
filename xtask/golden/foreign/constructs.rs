//! What the types of `constructs.yaml` make of JSON, and JSON of them, computed by hand.

#![allow(clippy::unwrap_used, deprecated, missing_docs)]

use paid::Patch;
use paid_generated::types::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn thing(field: &str, value: Value) -> Thing {
    let mut json = json!({"at": "2026-01-31T23:00:00Z", "size": 1.5, "state": "open"});
    json[field] = value;
    read(json)
}

#[track_caller]
fn same<T: Serialize + DeserializeOwned>(json: Value) -> T {
    let value: T = read(json.clone());
    assert_eq!(serde_json::to_value(&value).unwrap(), json);
    value
}

fn new() -> Thing {
    Thing::new("2026-01-31T23:00:00Z".parse::<paid::Timestamp>().unwrap(), 1.5, State::Open)
}

#[test]
fn parts_of_all_of_are_one_object() {
    let request = new().name("a").both("b");
    let json = json!({"at": "2026-01-31T23:00:00Z", "size": 1.5, "state": "open", "name": "a", "both": "b"});
    assert_eq!(serde_json::to_value(request).unwrap(), json);
    assert!(serde_json::from_value::<Thing>(json!({"size": 1.5, "state": "open"})).is_err(), "`at` is required");
}

#[test]
fn what_only_the_server_sets_is_read_and_not_asked_for() {
    assert_eq!(thing("id", json!("t_1")).id.unwrap(), "t_1");
    assert!(!serde_json::to_value(new()).unwrap().as_object().unwrap().contains_key("id"));
    assert_eq!(thing("name", json!("without a password")).password, None);
}

#[test]
fn enums_hold_their_values_and_others() {
    for (text, value) in [
        ("open", State::Open),
        ("a-b", State::AB),
        ("a_b", State::AB2),
        (">", State::Value),
        ("self", State::Self_),
        ("unknown", State::UnknownValue),
        ("NO", State::NO),
        ("new one", State::Unknown("new one".into())),
    ] {
        assert_eq!(same::<State>(json!(text)), value);
    }
    for (number, value) in [(1, ThingLevel::Value1), (-1, ThingLevel::Minus1), (9, ThingLevel::Unknown(9))] {
        assert_eq!(same::<ThingLevel>(json!(number)), value);
    }
    assert_eq!(thing("four", json!(4)).four, Some(ThingFour::Value4));
    assert_eq!(thing("yes", json!(true)).yes, Some(true));
    assert!(matches!(thing("mixed", json!(1)).mixed, Patch::Set(ThingMixed::Number(_))));
    assert!(matches!(thing("mixed", json!("a")).mixed, Patch::Set(ThingMixed::Text(_))));
    assert!(matches!(thing("mixed", json!(null)).mixed, Patch::Clear));
}

#[test]
fn unions_are_told_apart_by_tag_type_and_key() {
    assert!(matches!(same(json!({"kind": "cat", "lives": 9})), Pet::Cat(_)));
    assert!(matches!(same(json!({"kind": "puppy", "bark": "wuff"})), Pet::Dog(_)));
    assert!(matches!(same(json!({"kind": "bird"})), Pet::Unknown(_)));
    assert!(matches!(same(json!({"value": "1"})), ThingValue::ByText(_)));
    assert!(matches!(same(json!({"value": 1.5})), ThingValue::ByNumber(_)));
    assert!(matches!(same(json!("a")), ThingTextOrList::Text(_)));
    assert!(matches!(same(json!(["a"])), ThingTextOrList::List(_)));
    assert!(matches!(same(json!({"species": "Bird", "wings": 2})), Animal::Bird(_)));
    assert!(matches!(same(json!({"species": "Fish", "fins": 3, "age": 1})), Animal::Fish(_)));
    // A child that adds nothing is a branch all the same.
    assert!(matches!(same(json!({"species": "Egg", "age": 1})), Animal::Egg(_)));
    assert_eq!(serde_json::to_value(new().text_or_list("a".to_owned())).unwrap()["text_or_list"], json!("a"));
}

#[test]
fn null_of_one_branch_is_null_of_the_joined_one() {
    assert!(matches!(thing("when", json!(null)).when, Patch::Clear));
    assert!(matches!(thing("when", json!("a")).when, Patch::Set(text) if text == "a"));
}

#[test]
fn types_that_hold_themselves_end() {
    let node: Node = same(json!({"label": "a", "next": {"label": "b"}, "all": [{"label": "c"}]}));
    assert_eq!(node.next.unwrap().label, "b");
    same::<Json>(json!([["a", true], {"b": []}]));
    same::<Tree>(json!([[], [[]]]));
}

#[test]
fn keys_beside_the_properties_are_kept_with_their_type() {
    let inner: ThingInner = same(json!({"z": "one", "more": 3, "most": 4}));
    assert_eq!(inner.additional_properties["more"], 3);
    let open: ThingOpen = same(json!({"w": "a", "x": [1, null]}));
    assert_eq!(open.additional_properties["x"], json!([1, null]));
    assert_eq!(thing("map", json!({"k": {"y": "z"}})).map.unwrap()["k"].y.as_deref(), Some("z"));
}

#[test]
fn null_is_where_it_may_be() {
    assert!(matches!(thing("maybe", json!(null)).maybe, Patch::Clear));
    assert_eq!(thing("list", json!(["a", null])).list.unwrap(), [Some("a".to_owned()), None]);
    assert_eq!(thing("nothing", json!(null)).nothing, Some(Value::Null));
    assert_eq!(thing("anything", json!(false)).anything, Some(json!(false)));
    assert_eq!(serde_json::to_value(new().maybe(Patch::Clear)).unwrap()["maybe"], Value::Null);
}

#[test]
fn every_name_has_a_field_of_its_own() {
    let wires = ["fooBar", "foo_bar", "new", "type", "$", "2fa", "other_fields"];
    let values: Vec<Thing> = wires.iter().map(|wire| thing(wire, json!(wire))).collect();
    assert_eq!(values[0].foo_bar.as_deref(), Some("fooBar"));
    assert_eq!(values[1].foo_bar_2.as_deref(), Some("foo_bar"));
    assert_eq!(values[2].new_2.as_deref(), Some("new"));
    assert_eq!(values[3].type_.as_deref(), Some("type"));
    assert_eq!(values[4].field.as_deref(), Some("$"));
    assert_eq!(values[5].field_2fa.as_deref(), Some("2fa"));
    assert_eq!(values[6].other_fields_2.as_deref(), Some("other_fields"));
    for (wire, value) in wires.iter().zip(values) {
        assert_eq!(serde_json::to_value(value).unwrap()[*wire], json!(wire));
    }
}

#[test]
fn components_that_are_called_like_our_types_are_components() {
    assert_eq!(thing("time", json!({"seconds": 7})).time.unwrap().seconds, 7);
    assert_eq!(thing("option", json!({"value": "a"})).option.unwrap().value.as_deref(), Some("a"));
    assert_eq!(thing("item", json!({"in": 2_147_483_648_i64})).item.unwrap().in_, 2_147_483_648);
}

#[tokio::test]
async fn a_file_is_read_as_it_arrives_and_one_that_is_cut_off_is_an_error() {
    use paid_generated::Resources as _;
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (go_on, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\ncontent-length: 9\r\n\r\n%PDF").unwrap();
        told.recv().unwrap();
        stream.write_all(b"-1.7").unwrap();
    });
    let client = paid::Client::builder().api_key("k").base_url(&url).build().unwrap();
    let mut file = client.tag_2fa().call_2fa(vec![1, 2]).send_streaming().await.unwrap();
    assert_eq!((file.content_type(), file.content_length()), (Some("application/pdf"), Some(9)));
    assert_eq!(file.next_piece().await.unwrap().unwrap(), "%PDF");
    go_on.send(()).unwrap();
    assert_eq!(file.next_piece().await.unwrap().unwrap(), "-1.7");
    assert!(matches!(file.next_piece().await, Some(Err(paid::Error::Decode(_)))));
    assert!(file.next_piece().await.is_none());
}
