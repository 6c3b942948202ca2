//! What the three commonest forms expand into, so that a change shows in review.
//! `UPDATE_GOLDEN=1 cargo test -p paid-macros snapshots` writes them anew; read the diff.

use std::path::Path;

use quote::quote;

fn check(name: &str, expanded: proc_macro2::TokenStream) {
    let text = prettyplease::unparse(&syn::parse2(expanded).unwrap());
    assert!(text.lines().count() < 60, "{name}: {} lines", text.lines().count());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions").join(format!("{name}.rs"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "tests/expansions/{name}.rs (UPDATE_GOLDEN=1 writes it anew) would be:\n{text}");
}

#[test]
fn async_method() {
    let arguments =
        quote!("meeting_booked", customer = lead.account, data(lead_id = lead.id, duration_minutes = ret.minutes));
    let item = quote! {
        /// Books a meeting.
        async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> {
            self.calendar.book(lead).await
        }
    };
    check("async_method", crate::attribute::expand(arguments, item));
}

#[test]
fn plain_function() {
    let item = quote! {
        pub fn send_email(lead: &Lead) -> Result<(), SdrError> {
            smtp::send(lead)
        }
    };
    check("plain_function", crate::attribute::expand(quote!("email_sent", data(lead_id = lead.id)), item));
}

#[test]
fn derived_struct() {
    let item = quote! {
        #[paid(signal = "meeting_booked")]
        struct MeetingBooked {
            #[paid(customer)]
            account: AccountId,
            #[paid(idempotency_key)]
            meeting: Uuid,
            #[paid(timestamp)]
            at: DateTime<Utc>,
            lead_id: String,
            duration_minutes: u32,
        }
    };
    check("derived_struct", crate::derive::expand(item));
}

#[test]
fn a_half_written_body_is_carried_as_it_is() {
    let item = quote! { fn book(lead: &Lead) { let meeting = lead. ; meeting } };
    let expanded = crate::attribute::expand(quote!("meeting_booked"), item).to_string();
    assert!(expanded.contains("let meeting = lead . ; meeting"), "{expanded}");
    assert!(!expanded.contains("compile_error"), "{expanded}");
}

#[test]
fn whatever_is_wrong_the_item_comes_out_again() {
    let item = quote! { fn book(lead: &Lead) { lead. } };
    for arguments in [quote!("Not Snake"), quote!("ok", custom), quote!("ok", data(1 +)), quote!(7), quote!("ok" "ok")]
    {
        let expanded = crate::attribute::expand(arguments, item.clone()).to_string();
        assert!(expanded.contains("fn book (lead : & Lead)") && expanded.contains("compile_error"), "{expanded}");
    }
    let item = quote! { #[paid(signal = "x", nonsense)] struct S { a: u32 } };
    let expanded = crate::derive::expand(item).to_string();
    assert!(expanded.contains("compile_error") && expanded.contains("PaidSignal for S"), "{expanded}");
}

#[test]
fn the_documentation_names_every_key() {
    use crate::roles::{Macro, Role};
    for (place, page) in [
        (Macro::Signal, include_str!("../docs/signal.md")),
        (Macro::Trace, include_str!("../docs/trace.md")),
        (Macro::Derive, include_str!("../docs/derive.md")),
    ] {
        for key in Role::of(place).map(Role::key) {
            assert!(page.contains(&format!("`{key} = expr`")) || page.contains(&format!("`{key}`")), "{key}\n{page}");
        }
    }
}

#[test]
fn the_page_of_the_catalogue_is_a_catalogue_and_names_every_key() {
    let page = include_str!("../docs/signals_toml.md");
    let example = page.split("```toml\n").nth(2).and_then(|rest| rest.split("```").next()).unwrap();
    let read = paid_catalog::Catalog::parse(example).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((read.signals.len(), read.products.len()), (2, 1));
    let schema: serde_json::Value = serde_json::from_str(paid_catalog::SCHEMA).unwrap();
    let checked =
        ["type", "required", "description", "enum", "pii", "secret", "minimum", "maximum", "minLength", "maxLength"];
    let of_signals = schema["$defs"]["signal"]["properties"].as_object().unwrap();
    for key in of_signals.keys().map(String::as_str).chain(checked).chain(["exclusiveMinimum", "exclusiveMaximum"]) {
        assert!(example.contains(&format!("{key} = ")) || example.contains(&format!(".{key}]")), "{key}");
    }
}
