//! Requirements on names and documentation.

use super::*;
use crate::codegen::Overlays;
use crate::names::objection;
use crate::{project, simplify};

fn of_paid() -> Facts {
    let root = project::root().unwrap();
    let document = document::load(&root.join("openapi/paid-v2.json")).unwrap();
    let document = Overlays::load(&root).unwrap().apply(document).unwrap();
    read(&simplify::simplify(document).unwrap()).unwrap()
}

/// Everything that must be documented and is not.
fn undocumented(facts: &Facts) -> Vec<String> {
    let mut bare = Vec::new();
    for resource in &facts.resources {
        for operation in &resource.operations {
            let parameters = operation.query.iter().filter(|field| field.doc.is_none());
            bare.extend(parameters.map(|field| format!("{}?{}", operation.id, field.wire)));
            if operation.doc.is_none() {
                bare.push(operation.id.clone());
            }
        }
    }
    for (name, known) in &facts.types {
        if let Shape::Enum(values) = &known.shape {
            let values = values.iter().filter(|value| value.doc.is_none());
            bare.extend(values.map(|value| format!("{name}={}", value.value)));
        }
    }
    for (name, known) in facts.types.iter().filter(|(_, known)| known.sent) {
        if known.doc.is_none() {
            bare.push(name.clone());
        }
        if let Shape::Struct(fields) = &known.shape {
            let fields = fields.iter().filter(|field| field.doc.is_none());
            bare.extend(fields.map(|field| format!("{name}.{}", field.wire)));
        }
    }
    bare
}

#[test]
fn every_public_name_is_one_that_a_person_would_choose() {
    let facts = of_paid();
    let builders = facts.resources.iter().flat_map(|resource| resource.operations.iter().map(Operation::builder));
    let handles = facts.resources.iter().map(Resource::type_name);
    let names = facts.types.keys().chain(facts.newtypes.keys()).cloned().chain(builders).chain(handles);
    let bad: Vec<_> = names.filter_map(|name| Some(format!("{name} {}", objection(&name)?))).collect();
    assert_eq!(bad, Vec::<String>::new());
}

#[test]
fn every_operation_every_enum_value_and_every_field_that_is_sent_has_prose_of_our_own() {
    assert_eq!(undocumented(&of_paid()), Vec::<String>::new());
}

#[test]
fn a_number_that_is_called_like_money_is_exact() {
    let words =
        ["amount", "price", "total", "tax", "cost", "balance", "rate", "due", "paid", "credit", "fee", "percent"];
    let facts = of_paid();
    let mut inexact = Vec::new();
    for (name, known) in &facts.types {
        let Shape::Struct(fields) = &known.shape else { continue };
        let numbers = fields.iter().filter(|field| field.kind == Kind::Number);
        let money = numbers.filter(|field| words.iter().any(|word| field.wire.to_lowercase().contains(word)));
        inexact.extend(money.map(|field| format!("{name}.{}", field.wire)));
    }
    assert_eq!(inexact, Vec::<String>::new(), "set `format: decimal` in openapi/overlay.yaml");
}

#[test]
fn methods_drop_the_name_of_their_resource() {
    for (id, feature, name) in [
        ("create-customer", "customers", "create"),
        ("get-customer-by-id", "customers", "get"),
        ("get-customer-by-external-id", "customers", "get_by_external_id"),
        ("list-customer-aliases", "customers", "list_aliases"),
        ("activate-order-by-id", "orders", "activate"),
        ("create-customer-portal", "customer-portals", "create"),
        ("batch-order-seat-assignments", "orders", "batch_seat_assignments"),
    ] {
        assert_eq!(operations::method_name(id, feature), name);
    }
}
