//! Macros of the user's that may hide a `return`, and `impl`s, of which there cannot be a second copy.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Block, Item, Stmt};

/// The first macro that is called and not known to stay in the function.
pub(super) fn macro_that_may_return(tokens: TokenStream) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let called = tokens.windows(3).find_map(|window| match window {
        [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(_)] => {
            (mark.as_char() == '!' && !stays(&name.to_string())).then(|| name.clone())
        }
        _ => None,
    });
    called.or_else(|| {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Group(group) => macro_that_may_return(group.stream()),
            _ => None,
        })
    })
}

/// The items of the block, taken out of it, if an `impl` is among them. They are seen in the whole block wherever they stand;
/// only macros are defined where they stand.
pub(super) fn take_items(block: &mut Block) -> Vec<Item> {
    if !block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(Item::Impl(_)))) {
        return Vec::new();
    }
    let (items, others) = std::mem::take(&mut block.stmts)
        .into_iter()
        .partition::<Vec<_>, _>(|statement| matches!(statement, Stmt::Item(item) if !matches!(item, Item::Macro(_))));
    block.stmts = others;
    items.into_iter().filter_map(|statement| if let Stmt::Item(item) = statement { Some(item) } else { None }).collect()
}

/// Whether one of the items calls a macro that the block defines, and so cannot stand before it.
pub(super) fn need_a_macro_of(block: &Block, items: &[Item]) -> bool {
    let defined = block.stmts.iter().filter_map(|statement| match statement {
        Stmt::Item(Item::Macro(defined)) => defined.ident.as_ref(),
        _ => None,
    });
    let names: Vec<&Ident> = defined.collect();
    items.iter().any(|item| calls_one_of(item.to_token_stream(), &names))
}

fn calls_one_of(tokens: TokenStream, names: &[&Ident]) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let here = tokens.windows(2).any(|pair| match pair {
        [TokenTree::Ident(name), TokenTree::Punct(mark)] => mark.as_char() == '!' && names.contains(&name),
        _ => false,
    });
    here || tokens.iter().any(|token| matches!(token, TokenTree::Group(group) if calls_one_of(group.stream(), names)))
}

/// Whether an `impl` begins somewhere between braces.
pub(super) fn holds_an_impl(tokens: TokenStream) -> bool {
    let mut may_begin = true;
    for token in tokens {
        match &token {
            TokenTree::Ident(word) if may_begin && word == "impl" => return true,
            TokenTree::Group(group) if holds_an_impl(group.stream()) => return true,
            _ => {}
        }
        may_begin = match &token {
            TokenTree::Punct(mark) => mark.as_char() == ';',
            TokenTree::Group(group) => matches!(group.delimiter(), Delimiter::Brace | Delimiter::Bracket),
            TokenTree::Ident(word) => word == "unsafe" || word == "default",
            TokenTree::Literal(_) => false,
        };
    }
    false
}

/// The standard library's macros, and words before a negation.
fn stays(name: &str) -> bool {
    const NAMES: [&str; 31] = [
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "panic",
        "todo",
        "unreachable",
        "unimplemented",
        "print",
        "println",
        "eprint",
        "eprintln",
        "write",
        "writeln",
        "format",
        "format_args",
        "vec",
        "matches",
        "dbg",
        "concat",
        "stringify",
        "line",
        "env",
        "cfg",
        "return",
        "if",
        "while",
        "match",
        "in",
    ];
    NAMES.contains(&name)
}
