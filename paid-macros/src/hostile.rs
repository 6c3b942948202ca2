//! Whatever tokens they are given, the macros do not panic, and the item comes out again: a macro that panics hides the
//! user's own mistake behind one of ours.

use std::cell::Cell;
use std::time::{Duration, Instant};

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use quote::quote;

/// Words that the macros look at, and others.
const WORDS: [&str; 60] = [
    "fn",
    "async",
    "const",
    "unsafe",
    "pub",
    "struct",
    "enum",
    "union",
    "impl",
    "dyn",
    "where",
    "type",
    "self",
    "Self",
    "crate",
    "super",
    "return",
    "break",
    "continue",
    "loop",
    "match",
    "if",
    "let",
    "move",
    "ret",
    "err",
    "result",
    "customer",
    "product",
    "unit",
    "user",
    "data",
    "on",
    "when",
    "via",
    "success",
    "quantity",
    "cost",
    "timestamp",
    "idempotency_key",
    "over",
    "cost_attributed",
    "metadata",
    "token",
    "store_prompts",
    "paid",
    "signal",
    "skip_none",
    "skip",
    "flatten",
    "rename",
    "rename_all",
    "Result",
    "Option",
    "Future",
    "Pin",
    "Box",
    "T",
    "u32",
    "r#type",
];

const OTHERS: [&str; 24] = [
    "\"email_sent\"",
    "\"\"",
    "\"Not Snake\"",
    "\"always\"",
    "\"trace\"",
    "1",
    "1.5",
    "'a'",
    "'a",
    "true",
    "?",
    "!",
    "=",
    "==",
    "->",
    "=>",
    "::",
    ":",
    ";",
    ",",
    "&",
    "<",
    ">",
    "#",
];

const HEADS: [&str; 9] =
    ["", "async", "async move", "move", "||", "|lead|", "move |lead: &Lead|", "async |a, b|", "|x| async move"];

fn tokens(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        prop::sample::select(&OTHERS[..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(depth, 48, 6, |inner| {
        (prop::sample::select(&["()", "[]", "{}"][..]), prop::collection::vec(inner, 0..6)).prop_map(
            |(pair, inside)| {
                let (open, close) = pair.split_at(1);
                format!("{open} {} {close}", inside.join(" "))
            },
        )
    })
}

fn stream(length: usize) -> impl Strategy<Value = TokenStream> {
    prop::collection::vec(tokens(3), 0..length)
        .prop_filter_map("these are no tokens", |parts| parts.join(" ").parse::<TokenStream>().ok())
}

/// Arguments between commas, each nearly one that is allowed.
fn arguments() -> impl Strategy<Value = TokenStream> {
    let one = prop_oneof![
        Just("\"email_sent\"".to_owned()),
        (prop::sample::select(&WORDS[..]), tokens(3)).prop_map(|(key, value)| format!("{key} = {value}")),
        (prop::sample::select(&WORDS[..]), tokens(3)).prop_map(|(key, value)| format!("{key}({value} = {value})")),
        tokens(2),
    ];
    prop::collection::vec(one, 0..5)
        .prop_filter_map("these are no tokens", |parts| parts.join(", ").parse::<TokenStream>().ok())
}

fn function() -> impl Strategy<Value = TokenStream> {
    (stream(3), stream(4), stream(8)).prop_map(|(inputs, output, body)| {
        let output = if output.is_empty() { output } else { quote!(-> #output) };
        quote!(pub async fn work(#inputs) #output { #body })
    })
}

/// Blocks and closures, each nearly one that is allowed.
fn block() -> impl Strategy<Value = TokenStream> {
    (prop::sample::select(&HEADS[..]), stream(3), stream(8)).prop_map(|(head, output, body)| {
        let head: TokenStream = head.parse().unwrap_or_default();
        let output = if output.is_empty() { output } else { quote!(-> #output) };
        quote!(#head #output { #body })
    })
}

/// Whether all identifiers of the item are in the expansion.
fn holds(expanded: &TokenStream, item: &TokenStream) -> bool {
    fn words(tokens: TokenStream, into: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(word) => into.push(word.to_string()),
                TokenTree::Group(group) => words(group.stream(), into),
                _ => {}
            }
        }
    }
    let (mut there, mut wanted) = (Vec::new(), Vec::new());
    words(expanded.clone(), &mut there);
    words(item.clone(), &mut wanted);
    wanted.iter().all(|word| there.contains(word))
}

/// For how long tokens are thrown: `PAID_FUZZ_MINUTES`; without it, as many cases as `PROPTEST_CASES` says, or 256.
fn limit() -> Option<Duration> {
    let minutes = std::env::var("PAID_FUZZ_MINUTES").ok()?;
    Some(Duration::from_secs(60 * minutes.parse::<u64>().expect("PAID_FUZZ_MINUTES is a whole number")))
}

/// Runs a test on what the strategy makes; a case that fails is made small and shown.
fn each<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let (begin, limit, cases) = (Instant::now(), limit(), Cell::new(0_u64));
    let counted = |value| {
        cases.set(cases.get() + 1);
        test(value)
    };
    loop {
        // A new runner is a new seed.
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        if let Err(failure) = TestRunner::new(config).run(&strategy, counted) {
            panic!("after {} cases: {failure}", cases.get());
        }
        if limit.is_none_or(|limit| begin.elapsed() >= limit) {
            break;
        }
    }
    eprintln!("{} cases in {:?}", cases.get(), begin.elapsed());
}

#[test]
fn any_arguments_on_any_item() {
    let items = prop_oneof![function(), stream(10)];
    each((prop_oneof![arguments(), stream(8)], items), |(arguments, item)| {
        prop_assert!(holds(&crate::attribute::expand(arguments.clone(), item.clone()), &item));
        prop_assert!(holds(&crate::trace::expand(arguments, item.clone()), &item));
        Ok(())
    });
}

#[test]
fn any_arguments_before_any_block() {
    each((prop_oneof![arguments(), stream(8)], block(), stream(10)), |(arguments, block, others)| {
        let separate = quote!(#arguments, #block);
        let expanded = crate::attribute::expand_block(separate.clone());
        prop_assert!(!expanded.is_empty());
        // What is no block or closure is not in the way of the message that says so.
        let there = crate::attribute::block_in(separate.clone());
        prop_assert!(there.is_none_or(|block| holds(&expanded, &block)), "{separate}");
        // Without a comma, what is meant as the block may belong to an argument.
        prop_assert!(!crate::attribute::expand_block(quote!(#arguments #block)).is_empty());
        prop_assert!(!crate::attribute::expand_block(quote!(#arguments #others)).is_empty());
        Ok(())
    });
}

#[test]
fn any_attribute_on_any_type() {
    each((arguments(), arguments(), stream(4), stream(8)), |(container, field, ty, body)| {
        let struct_of = quote!(#[paid(#container)] struct Thing { #[paid(#field)] field: #ty, other: u32 });
        let enum_of =
            quote!(#[paid(#container)] enum Thing { #[paid(#field)] One { #[paid(#field)] field: #ty }, Two });
        for item in [struct_of, enum_of, quote!(#[paid(#container)] struct Thing #body), body] {
            prop_assert!(!crate::derive::expand(item).is_empty());
        }
        Ok(())
    });
}

#[test]
fn any_enum_of_words() {
    each((arguments(), stream(8)), |(container, body)| {
        for item in [quote!(#[serde(#container)] enum Thing { #body }), body] {
            prop_assert!(!crate::signal_value::expand(item).is_empty());
        }
        Ok(())
    });
}
