//! `cargo xtask floors`: on this repository, and on small ones that break one rule each.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What the command says about a workspace.
struct Outcome {
    succeeded: bool,
    text: String,
}

fn run(root: &Path) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("floors").arg("--root").arg(root).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Outcome { succeeded: output.status.success(), text }
}

fn repository() -> Outcome {
    run(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
}

const PAGE: &str = "# Small
```floors paid-api/src
ground: ground, base
above: upper, other
    other > upper
```
```features paid-api/src
all: 0
outside lib.rs: 0
```
";

const LIB: &str = "pub mod ground;\npub mod base;\npub mod upper;\npub mod other;\npub use upper::Upper;\n";

/// A workspace of one small crate; `changes` replace files, or add them.
fn small(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("ARCHITECTURE.md", PAGE),
        ("Cargo.toml", "[workspace]\nmembers = [\"paid-api\"]\n"),
        ("paid-api/Cargo.toml", "[package]\nname = \"paid-api\"\n[lib]\nname = \"paid\"\n"),
        ("paid-api/src/lib.rs", LIB),
        ("paid-api/src/ground.rs", "pub struct Ground;\n"),
        ("paid-api/src/base.rs", "pub struct Base;\n"),
        ("paid-api/src/upper.rs", "use crate::ground::Ground;\npub struct Upper(Ground);\npub fn up() {}\n"),
        ("paid-api/src/other.rs", "use crate::{base::Base, Upper};\npub struct Other(Upper, Base);\n"),
    ];
    for (path, text) in files.iter().chain(changes) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn check(changes: &[(&str, &str)]) -> Outcome {
    run(small(changes).path())
}

#[track_caller]
fn passes(changes: &[(&str, &str)]) {
    let outcome = check(changes);
    assert!(outcome.succeeded, "{changes:?}\n{}", outcome.text);
}

#[track_caller]
fn fails(changes: &[(&str, &str)], expected: &[&str]) {
    let outcome = check(changes);
    assert!(!outcome.succeeded, "{changes:?}\n{}", outcome.text);
    for text in expected {
        assert!(outcome.text.contains(text), "{changes:?}\n`{text}` is not in\n{}", outcome.text);
    }
}

/// `ground.rs` says this, and climbs in the last line that names the upper room or its type.
#[track_caller]
fn ground_climbs(ground: &str) {
    let line = ground.lines().collect::<Vec<_>>().iter().rposition(|line| line.contains("pper")).unwrap() + 1;
    fails(&[("paid-api/src/ground.rs", ground)], &[&format!("paid-api/src/ground.rs:{line}: climb: ")]);
}

/// `ground.rs` says this, and nobody can tell where its last line leads.
#[track_caller]
fn ground_cannot_be_followed(ground: &str) {
    let line = format!("paid-api/src/ground.rs:{}: unfollowed: ", ground.lines().count());
    fails(&[("paid-api/src/ground.rs", ground)], &[&line]);
}

#[test]
fn the_repository_stands_on_its_floors() {
    let outcome = repository();
    assert!(outcome.succeeded, "{}", outcome.text);
}

#[test]
fn the_macros_and_the_tool_stand_on_their_floors() {
    let outcome = repository();
    let rules = [": listing: ", ": climb: ", ": sideways: ", ": circle: ", ": large circle: ", ": unfollowed: "];
    let of_both = |line: &&str| line.starts_with("paid-macros/") || line.starts_with("xtask/");
    let broken: Vec<_> = outcome.text.lines().filter(of_both).filter(|l| rules.iter().any(|r| l.contains(r))).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    for table in ["│ paid-macros/src ", "│ xtask/src "] {
        assert!(outcome.text.contains(table), "{}", outcome.text);
    }
}

#[test]
fn a_crate_on_its_floors_passes_and_is_shown_as_a_table() {
    let outcome = check(&[]);
    assert!(outcome.succeeded, "{}", outcome.text);
    for text in ["│ above        ┆ upper, other", "4 rooms, 3 edges between them, no circles in rooms"] {
        assert!(outcome.text.contains(text), "{}", outcome.text);
    }
}

#[test]
fn a_climb_names_its_line_its_path_and_both_rooms() {
    let ground = "// One.\nuse crate::upper::up;\n";
    let expected = "paid-api/src/ground.rs:2: climb: `crate::upper::up`: room `ground` uses room `upper`; \
                    that climbs from floor `ground` to floor `above`";
    fails(&[("paid-api/src/ground.rs", ground)], &[expected]);
}

#[test]
fn every_way_to_import_is_followed() {
    for ground in [
        "use crate::upper;",
        "use crate::upper::*;",
        "use crate::{base, upper::{self, up}};",
        "use super::upper::up;",
        "use super::{upper as innocent};",
        "use self::super::upper;",
        "use ::paid::upper;",
        "use crate::Upper;",
        "use super::Upper as Innocent;",
        "use {crate::Upper};",
        "use crate::r#upper::up;",
        "pub use crate::upper::up;",
        "use crate::{self as paid};\nuse paid::upper::up;",
        "use crate as paid;\nfn f() { paid::upper::up() }",
        "use super as above;\nfn f() { above::Upper; }",
        "extern crate self as me;\nfn f() { me::upper::up() }",
        "fn f() { use crate::upper::up; }",
        "const _: () = { use crate::upper::up; };",
        "#[cfg(any(test, unix))]\nuse crate::upper::up;",
        "#[cfg(not(test))]\nuse crate::upper::up;",
    ] {
        ground_climbs(ground);
    }
}

#[test]
fn every_place_of_a_path_is_read() {
    for ground in [
        "fn f() { crate::upper::up() }",
        "fn f() -> crate::Upper { todo!() }",
        "fn f(_: &dyn Fn(crate::Upper)) {}",
        "fn f<T>() where T: From<crate::Upper> {}",
        "fn f() { Vec::<crate::Upper>::new(); }",
        "fn f() { <crate::Upper as Default>::default(); }",
        "fn f(x: &dyn std::any::Any) { matches!(x, crate::upper::X); }",
        "fn f() { let f = crate::upper::up; }",
        "static UP: fn() = crate::upper::up;",
        "struct S(pub crate::Upper);",
        "struct S(pub (crate::Upper));",
        "impl From<crate::Upper> for u8 {}",
        "#[derive(crate::upper::Derive)]\nstruct S;",
        "struct S {\n#[serde(with = \"crate::upper\")] x: u8,\n}",
        "fn f() { println!(\"{}\", crate::upper::up()) }",
        "fn f() { vec![vec![{ crate::upper::up() }]]; }",
        "macro_rules! m { () => { $crate::upper::up() } }",
        "macro_rules! m { () => { use $crate::{base, upper::up}; } }",
        "macro_rules! m { () => { super::super::upper::up() } }",
        "mod a { mod b { macro_rules! m { () => { self::super::upper::up() } } } }",
        "macro_rules! m { ($name:ident) => { $crate::upper::$name() } }",
        "macro_rules! quote { ($($t:tt)*) => { $($t)* } }\nquote! { use crate::upper::up; }",
        "thread_local! { static X: crate::Upper = crate::Upper; }",
        "m! { mod inner { use super::super::upper::up; } }",
        "macro_rules! m { () => { mod inner { use super::super::upper::up; } } }",
        "macro_rules! m { () => { n! { mod inner { use super::upper::up; } } } }",
        "m! { use super::upper as u; }",
        "mod inner { pub fn f() { super::super::upper::up() } }",
        "mod inner { pub(in crate::ground) use super::super::Upper; }",
    ] {
        ground_climbs(ground);
    }
}

#[test]
fn what_leads_anywhere_is_refused() {
    for ground in [
        "use crate::*;",
        "use super::*;",
        "use crate as c;\npub use c::*;",
        "use crate::nothing_like_that;",
        "include!(\"hidden.rs\");",
        "fn f() { std::include!(\"hidden.rs\") }",
        "use std::include as bring;",
        "macro_rules! m { ($room:ident) => { use $crate::$room::up; } }",
        "macro_rules! m { ($room:ident) => { super::$room::up() } }",
        "macro_rules! m { ($room:ident) => { use $crate::{base, $room}; } }",
        "macro_rules! m { ($here:tt) => { $here::super::upper::up() } }",
        "macro_rules! m { ($root:tt) => { $root::upper::up() } }\nm!(crate);",
        "m! { use crate as c; }",
        "m! { use crate::*; }",
        "m! { mod inner { use super::*; } }",
        "macro_rules! m { () => { use super::*; } }",
        "macro_rules! m { () => { mod inner { use super::super::*; } } }",
        "paste::paste! { crate::[<up per>]::up() }",
        "use crate as c;\nmacro_rules! m { ($root:ident) => { $root::upper::up() } }\nfn f() { m!(c) }",
        "m! { mod hidden; }",
        "use crate::base as quote;",
        "pub mod syn {}",
        "fn f() { mod inner {} }",
    ] {
        ground_cannot_be_followed(ground);
    }
}

#[test]
fn a_file_that_no_module_leads_to_is_refused() {
    fails(&[("paid-api/src/hidden.rs", "")], &["paid-api/src/hidden.rs:1: unfollowed: no `mod` leads to this file"]);
    fails(
        &[("paid-api/src/ground.rs", "mod gone;")],
        &["ground.rs:1: unfollowed: the file of module `gone` is not there"],
    );
    fails(&[("paid-api/src/ground.rs", "fn f( {")], &["ground.rs:1: unfollowed: this is not Rust"]);
}

#[test]
fn a_name_of_the_front_door_is_followed_to_where_it_is_declared() {
    let with = |more: &str| format!("{LIB}{more}");
    let climb = "paid-api/src/ground.rs:1: climb: ";
    for (more, ground) in [
        ("pub use upper as innocent;", "use crate::innocent::up;"),
        ("pub use upper::*;", "use crate::up;"),
        ("pub mod sign { pub use crate::upper::up as nothing; }", "use crate::sign::nothing;"),
        ("pub mod sign { pub use crate::upper::up; }", "use crate::sign::*;"),
        ("pub mod sign { pub use super::upper::*; }", "use crate::sign::*;"),
        ("macro_rules! way { () => { crate::upper::up() } }", "fn f() { way!() }"),
        ("pub mod sign { pub mod post { pub use crate::Upper; } }", "use crate::sign::post::Upper;"),
        ("extern crate self as me;", "use ::me::Upper;"),
        ("pub type Innocent = upper::Upper;", "fn f(_: crate::Innocent) {}"),
        ("pub fn innocent() { upper::up() }", "fn f() { crate::innocent() }"),
        ("pub fn one() { two() } fn two() { upper::up() }", "fn f() { crate::one() }"),
        ("pub trait Way { fn way(&self) {} } impl Way for u8 { fn way(&self) { upper::up() } }", "use crate::Way;"),
        ("#[macro_export] macro_rules! way { () => { $crate::upper::up() } }", "fn f() { crate::way!() }"),
        (
            "impl ground::Ground { pub fn rise(&self) { upper::up() } }",
            "pub struct Ground; fn f(g: Ground) { g.rise() }",
        ),
    ] {
        fails(&[("paid-api/src/lib.rs", &with(more)), ("paid-api/src/ground.rs", ground)], &[climb]);
    }
    passes(&[("paid-api/src/lib.rs", &with("pub type Json = u8;")), ("paid-api/src/ground.rs", "use crate::Json;")]);
    fails(
        &[("paid-api/src/lib.rs", &with("declare!(upper);"))],
        &["lib.rs:6: unfollowed: what a macro declares in the front door"],
    );
}

#[test]
fn a_sign_that_shows_everything_is_the_front_door() {
    let lib = format!("{LIB}pub mod sign {{ pub use super::*; }}");
    let with = |ground| [("paid-api/src/lib.rs", lib.as_str()), ("paid-api/src/ground.rs", ground)];
    fails(&with("use crate::sign::*;"), &["ground.rs:1: unfollowed: "]);
    fails(&with("use crate::sign::upper;"), &["ground.rs:1: climb: "]);
    fails(&with("use crate::sign::Upper;"), &["ground.rs:1: climb: "]);
}

#[test]
fn a_re_export_in_another_room_is_followed_through() {
    let base = "pub use crate::upper::up;\npub use crate as root;\n";
    for (line, ground) in [(1, "use crate::base::up;"), (1, "use crate::base::root::upper;")] {
        fails(
            &[("paid-api/src/base.rs", base), ("paid-api/src/ground.rs", ground)],
            &["base.rs:1: climb: `crate::upper::up`", &format!("ground.rs:{line}: climb: ")],
        );
    }
    let deep = [
        ("paid-api/src/ground.rs", "mod child;\nuse crate::upper::up as hidden;\n"),
        ("paid-api/src/ground/child.rs", "use super::*;\nfn f() { hidden() }\n"),
    ];
    fails(&deep, &["ground.rs:2: climb: ", "ground/child.rs:2: climb: `hidden`"]);
}

#[test]
fn a_macro_is_found_by_its_bare_name() {
    fails(
        &[("paid-api/src/upper.rs", "macro_rules! way { () => {} }"), ("paid-api/src/ground.rs", "fn f() { way!() }")],
        &["ground.rs:1: climb: `way!`"],
    );
}

#[test]
fn a_method_that_a_higher_room_gives_to_a_lower_type_is_a_climb() {
    let upper = "pub struct Upper; impl crate::ground::Ground { pub fn rise(&self) {} }";
    for body in ["g.rise()", "g.rise::<>()", "Ground::rise(g)", "<Ground>::rise(g)", "Self::rise(g)", "f(Ground::rise)"]
    {
        let ground = format!("pub struct Ground; impl Ground {{ fn f(g: &Ground) {{ {body} }} }}");
        fails(&[("paid-api/src/upper.rs", upper), ("paid-api/src/ground.rs", &ground)], &["ground.rs:1: climb: "]);
    }
    let field = "pub struct Ground { rise: u8 } fn f(g: Ground) -> u8 { g.rise }";
    passes(&[("paid-api/src/upper.rs", &format!("{upper} pub fn up() {{}}")), ("paid-api/src/ground.rs", field)]);
}

#[test]
fn only_tests_may_look_up() {
    for ground in [
        "#[cfg(test)] mod tests { use crate::upper::up; }",
        "#[cfg(all(test, unix))] use crate::Upper;",
        "struct S { #[cfg(test)] up: crate::Upper }",
        "impl S { #[cfg(test)] fn f() { crate::upper::up() } }",
        "/// See [`crate::upper::up`] and `crate::Upper`.\nstruct S;",
        "#[doc = \"crate::upper::up\"] struct S;",
        "// crate::upper::up\nconst S: &str = \"crate::upper::up\";",
    ] {
        passes(&[("paid-api/src/ground.rs", ground)]);
    }
    passes(&[("paid-api/src/ground.rs", "macro_rules! m { ($n:ident) => { mod $n { use super::*; } } }")]);
    let tests = ("paid-api/src/ground/tests.rs", "use crate::upper::up;\n");
    passes(&[("paid-api/src/ground.rs", "#[cfg(test)]\nmod tests;"), tests]);
    fails(&[("paid-api/src/ground.rs", "mod tests;"), tests], &["ground/tests.rs:1: climb: "]);
}

#[test]
fn what_quote_is_given_is_code_of_another_program() {
    passes(&[("paid-api/src/ground.rs", "use quote::quote;\nfn f() { quote! { crate::upper::up() }; }")]);
    passes(&[("paid-api/src/ground.rs", "fn f() { quote::quote! { crate::upper::up() }; }")]);
    ground_climbs("use quote::quote_spanned;\nfn f() { quote_spanned! { crate::upper::up() => x }; }");
}

#[test]
fn sideways_needs_a_permission() {
    fails(
        &[("paid-api/src/base.rs", "use crate::ground::Ground;")],
        &[
            "base.rs:1: sideways: `crate::ground::Ground`: room `base` uses room `ground`",
            "does not say `base > ground`",
        ],
    );
    let page = PAGE.replace("ground, base\n", "ground, base\n    base > ground\n");
    passes(&[("ARCHITECTURE.md", &page), ("paid-api/src/base.rs", "use crate::ground::Ground;")]);
}

#[test]
fn a_circle_between_rooms_is_shown_step_by_step() {
    fails(
        &[("paid-api/src/ground.rs", "\nuse crate::upper::up;")],
        &[
            "circle: rooms use each other in a circle: ground > upper > ground",
            "    paid-api/src/ground.rs:2: `crate::upper::up`",
            "    paid-api/src/upper.rs:1: `crate::ground::Ground`",
        ],
    );
}

/// A ring of `number` files in one room.
fn ring(number: usize) -> Outcome {
    let modules: String = (0..number).map(|n| format!("mod m{n};\n")).collect();
    let mut files = vec![("paid-api/src/ground.rs".to_owned(), modules)];
    for n in 0..number {
        let next = (n + 1) % number;
        files.push((
            format!("paid-api/src/ground/m{n}.rs"),
            format!("use super::m{next}::T{next};\npub struct T{n};\n"),
        ));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    check(&files)
}

#[test]
fn ten_files_of_a_room_in_one_circle_are_too_many() {
    let nine = ring(9);
    assert!(nine.succeeded && nine.text.contains("largest circle in a room: 9 files of `ground`"), "{}", nine.text);
    let ten = ring(10);
    assert!(!ten.succeeded, "{}", ten.text);
    for text in ["large circle: 10 files of room `ground`", "    paid-api/src/ground/m9.rs\n        1: `super::m0::T0`"]
    {
        assert!(ten.text.contains(text), "{}", ten.text);
    }
}

#[test]
fn every_room_is_listed_once_and_is_there() {
    let with = |from: &str, to: &str| PAGE.replace(from, to);
    let page = |page: &str, expected: &str| fails(&[("ARCHITECTURE.md", page)], &[expected]);
    page(&with("upper, other\n    other > upper\n", "upper\n"), "other.rs:1: listing: room `other` stands on no floor");
    page(&with("upper, other", "upper, other, attic"), "ARCHITECTURE.md:4: listing: room `attic` is listed");
    page(&with("upper, other", "upper, other, ground"), "ARCHITECTURE.md:4: room `ground` is listed twice");
    page(&with("other > upper", "other > ground"), "room `ground` is not on the floor `above`");
    page(&with("    other > upper", "    other > upper\n    upper > other"), "closes a circle of permissions");
    page("# No floors", "listing: there is no block `floors paid-api/src`");
}

#[test]
fn a_program_is_a_room_that_knows_the_library_by_name() {
    let program = ("paid-api/src/bin/tool.rs", "use paid::upper::up;\nfn main() { up() }\n");
    fails(&[program], &["bin/tool.rs:1: listing: room `bin/tool` stands on no floor"]);
    passes(&[
        program,
        ("ARCHITECTURE.md", &PAGE.replace("\n    other > upper", "\n    other > upper\nprograms: bin/*")),
    ]);
    let below = PAGE.replace("above:", "programs: bin/*\nabove:");
    fails(&[program, ("ARCHITECTURE.md", &below)], &["bin/tool.rs:1: climb: `paid::upper::up`"]);
}

#[test]
fn a_long_file_is_refused_and_a_listed_test_is_not() {
    let long = "//\n".repeat(501);
    fails(&[("paid-api/src/base.rs", &long)], &["paid-api/src/base.rs:501: long file: 501 lines"]);
    fails(&[("paid-api/tests/all.rs", &long)], &["paid-api/tests/all.rs:501: long file: 501 lines"]);
    passes(&[("paid-api/src/base.rs", &"//\n".repeat(500))]);
    let listed = |line: &str| format!("{PAGE}```long files\n{line}\n```\n");
    passes(&[("paid-api/tests/all.rs", &long), ("ARCHITECTURE.md", &listed("paid-api/tests/all.rs: a table"))]);
    fails(
        &[("paid-api/src/base.rs", &long), ("ARCHITECTURE.md", &listed("paid-api/src/base.rs: it grew"))],
        &["never long"],
    );
    fails(&[("ARCHITECTURE.md", &listed("paid-api/tests/all.rs: a table"))], &["it is not long, or not there"]);
}

#[test]
fn a_generated_file_may_be_long_if_git_knows_it_too() {
    let long = format!("// Generated by `cargo xtask codegen`; do not edit.\n{}", "//\n".repeat(600));
    let attributes = (".gitattributes", "paid-api/src/base.rs linguist-generated=true\n");
    passes(&[("paid-api/src/base.rs", &long), attributes]);
    fails(&[("paid-api/src/base.rs", &long)], &["long file: "]);
    fails(&[("paid-api/src/base.rs", &"//\n".repeat(600)), attributes], &["long file: "]);
}

#[test]
fn a_path_attribute_is_refused() {
    let elsewhere = ("paid-api/src/base/elsewhere.rs", "");
    for base in ["#[path = \"base/elsewhere.rs\"]\nmod x;", "#[cfg_attr(all(), path = \"base/elsewhere.rs\")]\nmod x;"]
    {
        fails(&[("paid-api/src/base.rs", base), elsewhere], &["base.rs:1: path attribute: "]);
    }
}

#[test]
fn conditions_on_features_can_only_become_fewer() {
    let page = |all: u8, outside: u8| {
        PAGE.replace("all: 0\noutside lib.rs: 0", &format!("all: {all}\noutside lib.rs: {outside}"))
    };
    let lib = format!("{LIB}#[cfg(feature = \"x\")]\npub use upper::up;\n");
    let base = "#[cfg_attr(\n    all(unix, feature = \"x\"),\n    derive(Debug)\n)]\nstruct S;\n// cfg(feature)\nfn f() -> bool { cfg!(feature = \"y\") }\n";
    let files = [("paid-api/src/lib.rs", lib.as_str()), ("paid-api/src/base.rs", base)];
    let with = |page: &str| run(small(&[files[0], files[1], ("ARCHITECTURE.md", page)]).path());
    assert!(with(&page(3, 2)).succeeded, "{}", with(&page(3, 2)).text);
    for (all, outside, expected) in [
        (2, 2, "features: `all: 2`: 3 lines of `paid-api/src` have a condition on a feature: decide at a module"),
        (3, 1, "features: `outside lib.rs: 1`: 2 lines"),
        (
            4,
            2,
            "features: `all: 4`: 3 lines of `paid-api/src` have a condition on a feature: write the new, lower number",
        ),
    ] {
        let outcome = with(&page(all, outside));
        assert!(!outcome.succeeded && outcome.text.contains(expected), "{}", outcome.text);
    }
    let without = PAGE.split("```features").next().unwrap();
    fails(&[("ARCHITECTURE.md", without)], &["has no block `features paid-api/src`"]);
}

#[test]
fn our_own_macros_are_named_in_the_front_door_only() {
    let upper = "#[paid_macros::trace]\npub fn up() {}\npub struct Upper;\n";
    let outcome = check(&[("paid-api/src/upper.rs", upper)]);
    assert!(!outcome.succeeded);
    assert!(outcome.text.contains("upper.rs:1: unfollowed: what `paid_macros` expands into"), "{}", outcome.text);
}

#[test]
fn every_condition_on_a_feature_counts_also_on_one_line() {
    let upper = "pub struct Upper;\n#[cfg(feature = \"a\")] fn a() {} #[cfg(feature = \"b\")] fn b() {}\n";
    let outcome = check(&[("paid-api/src/upper.rs", upper)]);
    assert!(!outcome.succeeded);
    assert!(outcome.text.contains("`all: 0`: 2 lines"), "{}", outcome.text);
}
