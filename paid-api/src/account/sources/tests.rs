//! What is found in sources.

use super::*;

/// The emissions of one file, as `name`.
fn found(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(
        folder.path().join("Cargo.toml"),
        "[package]\nname = \"x\"\n[dependencies]\nbill-ing = { package = \"paid-api\" }\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), text).unwrap();
    let sources = sources_below(folder.path(), None).unwrap();
    assert_eq!(sources.unreadable, []);
    let shown = |emission: &Emission| {
        let line = text.lines().nth(emission.place.line - 1).unwrap();
        let written: String = line.chars().skip(emission.place.column - 1).take(emission.place.length).collect();
        if let Some(name) = &emission.name {
            assert_eq!(written.trim_start_matches('r'), format!("{name:?}"), "{text}");
        }
        let name = emission.name.clone().unwrap_or(format!("?{written}"));
        if emission.is_in_tests { format!("{name} in tests") } else { name }
    };
    sources.emissions.iter().map(shown).collect()
}

#[test]
fn annotations_are_found_under_every_name() {
    let cases = [
        ("#[paid::signal(\"a\", customer = x)] fn f() {}", "a"),
        ("#[::paid::signal(\"a\")] fn f() {}", "a"),
        ("use paid::signal;\n#[signal(\"a\")] fn f() {}", "a"),
        ("use paid::signal as y;\n#[y(\"a\")] fn f() {}", "a"),
        ("use paid::{self as p, Client};\n#[p::signal(\"a\")] fn f() {}", "a"),
        ("extern crate paid as p;\n#[p::signal(\"a\")] fn f() {}", "a"),
        ("use paid::*;\n#[signal(\"a\")] fn f() {}", "a"),
        ("#[bill_ing::signal(\"a\")] fn f() {}", "a"),
        ("#[cfg_attr(feature = \"x\", inline, paid::signal(\"a\"))] fn f() {}", "a"),
        ("impl T { #[paid::signal(\"a\")] async fn f(&self) { #[paid::signal(r\"b\")] fn g() {} } }", "a,b"),
        ("mod m { use super::*; #[signal(\"a\")] fn f() {} } use paid::signal;", "a"),
        ("#[paid::signal(Booked)] fn f() {} #[paid::signal(customer = x)] fn g() {} #[paid::signal] fn h() {}", ""),
        ("use tokio::signal; #[signal(\"a\")] fn f() {}", ""),
        ("#[other::signal(\"a\")] fn f() {}", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text).join(","), expected, "{text}");
    }
}

#[test]
fn blocks_derives_and_calls_are_found() {
    let cases = [
        ("fn f() { paid::signal_block!(\"a\", customer = x, { 1 }); }", "a"),
        ("use paid::signal_block as b; fn f() { b!(\"a\", { Signal::new(\"no\") }); }", "a"),
        ("#[derive(PaidSignal)] #[paid(signal = \"a\", product = \"p\")] struct A<X, Y> { x: X, y: Y }", "a"),
        ("#[derive(PaidSignal)] enum E { #[paid(signal = \"a\")] A, #[paid(signal = \"b\")] B { x: u8 } }", "a,b"),
        ("fn f() { paid::Signal::new(\"a\"); paid::types::NewSignal::new(\"b\", c, d); }", "a,b"),
        ("use paid::types; fn f() { types::NewSignal::new(\"b\", c, d); }", "b"),
        (
            "use paid::Signal as S; fn f() { S::new(\"a\".to_owned()); S::new(String::from(\"b\")); S::new(name) }",
            "a,b,?name",
        ),
        ("fn f() { paid::Signal::new(paid::event_name!(\"a\")); }", "a"),
        ("use other::Signal; fn f() { Signal::new(\"a\"); }", ""),
        ("struct Signal; fn f() { Signal::new(\"a\"); }", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text).join(","), expected, "{text}");
    }
}

#[test]
fn what_stands_in_macros_is_found() {
    let cases = [
        ("macro_rules! m { ($n:expr) => { $crate::x(paid::Signal::new(\"a\").data($n)) }; }", "a"),
        ("macro_rules! m { ($n:expr) => { #[paid::signal($n)] fn f() {} }; }", "?n"),
        (
            "use paid::Signal; fn f() { assert!(send(Signal::new(\"a\"))); println!(\"{}\", vec![Signal::new(\"b\")].len()); }",
            "a,b",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text).join(","), expected, "{text}");
    }
}

#[test]
fn what_only_tests_have_is_marked() {
    let text = "use paid::Signal; #[cfg(all(test, unix))] mod tests { fn f() { Signal::new(\"a\"); } }
        #[test] fn t<A, B>() { Signal::new(\"b\"); } #[cfg(not(test))] fn g() { Signal::new(\"c\"); } #[tokio::test] async fn u() { Signal::new(\"d\"); }";
    let found = found(text).join(",");
    assert_eq!(found, "a in tests,b in tests,c,d in tests");
}

#[test]
fn names_come_from_other_files_and_modules_of_tests_are_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[package]\nname = \"x\"\n");
    write("src/lib.rs", "mod prelude { pub use paid::Signal; } mod a; #[cfg(test)] mod checks;");
    write("src/a.rs", "use crate::prelude::*; fn f() { Signal::new(\"a\"); crate::prelude::Signal::new(\"b\"); }");
    write("src/checks.rs", "use paid::Signal; fn f() { Signal::new(\"c\"); }");
    write("src/checks/deep.rs", "use super::Signal; fn f() { Signal::new(\"d\"); }");
    write("tests/all.rs", "use paid::Signal; fn f() { Signal::new(\"e\"); }");
    write("target/x.rs", "use paid::Signal; fn f() { Signal::new(\"no\"); }");
    write("ignored/x.rs", "use paid::Signal; fn f() { Signal::new(\"no\"); }");
    write(".gitignore", "/ignored\n");
    write("other/Cargo.toml", "[workspace]\n");
    write("other/src/lib.rs", "use paid::Signal; fn f() { Signal::new(\"other\"); }");
    write("broken.rs", "fn f( {\n");
    write("odd.rs", "use paid::Signal;\nfn f() { Signal::new(\"x\") } }");
    write("half.rs", "fn f() { let = 7; paid::Signal::new(\"half\"); }");
    write("signals.toml", "");
    let sources = sources_below(folder.path(), Some(&folder.path().join("signals.toml"))).unwrap();
    let names: Vec<(&str, bool)> =
        sources.emissions.iter().map(|found| (found.name.as_deref().unwrap(), found.is_in_tests)).collect();
    assert_eq!(names, [("half", false), ("a", false), ("b", false), ("d", true), ("c", true), ("e", true)]);
    let broken: Vec<(&str, usize)> = sources
        .unreadable
        .iter()
        .map(|file| (file.place.file.file_name().unwrap().to_str().unwrap(), file.place.line))
        .collect();
    assert_eq!(broken, [("broken.rs", 1), ("half.rs", 1), ("odd.rs", 2)]);
    assert_eq!(sources_below(folder.path(), None).unwrap().emissions.len(), 7, "without a catalogue, all crates");
}

#[test]
fn keys_and_products_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
        #[paid::signal("a", product = "p", idempotency_key = [x])] fn f() {}
        #[paid::signal("b", product_id = id)] fn g() {}
        #[derive(PaidSignal)] #[paid(product = "p")] enum E {
            #[paid(signal = "c")] C { #[paid(idempotency_key)] id: u8 }, #[paid(signal = "d")] D { id: u8 } }
        fn h() {
            paid::Signal::new("e").customer("x").product("p").idempotency_key("k");
            send(paid::Signal::new("f").product(p));
            let signal = paid::Signal::new("g");
        }"#;
    std::fs::write(folder.path().join("x.rs"), text).unwrap();
    let sources = sources_below(folder.path(), None).unwrap();
    let said: Vec<(Named, Option<bool>)> =
        sources.emissions.iter().map(|found| (found.product.clone(), found.has_key)).collect();
    let named = |id: &str| Named::As(id.to_owned());
    assert_eq!(
        said,
        [
            (named("p"), Some(true)),
            (Named::Computed, Some(false)),
            (named("p"), Some(true)),
            (named("p"), Some(false)),
            (named("p"), Some(true)),
            (Named::Computed, Some(false)),
            (Named::Not, None),
        ]
    );
}

#[test]
fn two_hundred_files_take_less_than_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("scan.rs").replace("struct Scan<", "#[paid::signal(\"a\")] fn sent() {}\nstruct Scan<");
    for number in 0..200 {
        std::fs::write(folder.path().join(format!("f{number}.rs")), &text).unwrap();
    }
    let start = std::time::Instant::now();
    let found = sources_below(folder.path(), None).unwrap();
    let time = start.elapsed();
    println!("{} files of {} lines in {time:?}", found.files, text.lines().count());
    assert_eq!((found.files, found.emissions.len()), (200, 200));
    assert!(cfg!(debug_assertions) || time < std::time::Duration::from_secs(1), "{time:?}");
}

#[test]
fn a_long_expression_overflows_nothing() {
    let sum = format!("{}1", "1 + ".repeat(5_000));
    assert_eq!(found(&format!("fn f() -> u64 {{ paid::Signal::new(\"a\"); {sum} }}")), ["a"]);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "(#\\[paid::signal\\(|#\\[paid\\(signal = |#\\[cfg\\(test|\"a\"|paid::Signal::new\\(|use paid::Signal; |mod x;|enum E|[(){}\\[\\],;#!.$=:]|\\PC){0,30}"
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.rs"), text).unwrap();
        sources_below(folder.path(), None).unwrap();
    }
}
