//! What cannot be made is an error that names it; nothing is left out.

use super::*;
use crate::facts::{EnumValue, Reach, UnionVariant};

fn only(name: &str, shape: Shape, reached_by: &[&str]) -> Facts {
    let known = Type {
        doc: None,
        source: None,
        shape,
        sent: true,
        received: true,
        reached_by: reach(reached_by),
        uses: Vec::new(),
        constructor: Vec::new(),
    };
    Facts {
        types: [(name.to_owned(), known)].into(),
        resources: Vec::new(),
        newtypes: BTreeMap::new(),
        cycles: Default::default(),
    }
}

fn reach(features: &[&str]) -> Reach {
    let mut reach = Reach::default();
    features.iter().for_each(|feature| assert!(reach.insert(feature, false)));
    reach
}

fn refusal(facts: &Facts) -> String {
    format!("{:#}", reshape(&Raw::default(), facts, Target::Library).unwrap_err())
}

#[test]
fn a_union_that_is_not_valid_rust_is_an_error_that_names_it() {
    let branch =
        |type_name: &str| UnionVariant { name: "A".into(), value: "a".into(), type_name: Some(type_name.into()) };
    let union = Shape::Union { tag: "kind".into(), variants: vec![branch("no type")] };
    let error = refusal(&only("Price", union, &["prices"]));
    assert!(error.contains("type `Price`: `no type` is not a Rust name"), "{error}");
}

#[test]
fn a_type_that_no_feature_would_compile_is_an_error_that_names_it() {
    let values = || Shape::Enum(vec![EnumValue { value: "a".into(), name: "A".into(), doc: None }]);
    assert!(refusal(&only("Price", values(), &[])).contains("`Price`: no resource needs it"));
    assert!(refusal(&only("Price", values(), &["gone"])).contains("`gone` is not a resource"));
    let shared = reach(&["one", "two"]);
    let mut facts = only("Price", values(), &[]);
    facts.types.values_mut().for_each(|known| known.reached_by = shared.clone());
    let files = reshape(&Raw::default(), &facts, Target::Library).unwrap();
    assert!(files["generated/shared.rs"].contains("pub enum Price"));
}
