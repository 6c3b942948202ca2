//! Where a name is mentioned in tokens that are not parsed.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// Where a name stands, whatever it is the name of; a field or method of the same name does not count.
pub(crate) fn mention(tokens: TokenStream, name: &str) -> Option<Ident> {
    let mut after_dot = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if !after_dot && is(ident, name) => return Some(ident.clone()),
            TokenTree::Group(group) => {
                if let Some(found) = mention(group.stream(), name) {
                    return Some(found);
                }
            }
            _ => {}
        }
        after_dot = is_punct(Some(&token), '.');
    }
    None
}

/// Where a variable may be mentioned in an expression: by its name, bound wherever, or in text that may be a format string.
/// An expression that may mention the outcome is evaluated after the body, so where nobody can know, it does.
pub(crate) fn may_mention(tokens: TokenStream, name: &str) -> Option<Ident> {
    let in_texts = |tokens: &TokenStream| tokens.clone().into_iter().find_map(|token| text_in(token, name));
    mention(tokens.clone(), name).or_else(|| in_texts(&tokens))
}

fn text_in(token: TokenTree, name: &str) -> Option<Ident> {
    match token {
        TokenTree::Literal(text) => in_text(&text.to_string(), name),
        TokenTree::Group(group) => group.stream().into_iter().find_map(|token| text_in(token, name)),
        _ => None,
    }
}

/// Where the value of a variable is certainly meant: what the expression binds itself, a part of a path, and text that is in no
/// macro are something else. What this does not find, the compiler does.
pub(crate) fn value(tokens: TokenStream, name: &str) -> Option<Ident> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    in_level(&tokens, name, Level::default())
}

/// Where tokens stand between two delimiters.
#[derive(Clone, Copy, Default)]
struct Level {
    /// In the call of a macro, where text may be a format string.
    in_macro: bool,
    /// In braces that may be those of a `match`.
    may_have_arms: bool,
}

fn in_level(tokens: &[TokenTree], name: &str, level: Level) -> Option<Ident> {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some(end) = own_pattern(tokens, at, name, level) {
            at = end;
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let found = match token {
            TokenTree::Ident(ident) if is(ident, name) && is_value(tokens, at) => Some(ident.clone()),
            TokenTree::Group(group) => {
                let (inner, is_call): (Vec<_>, _) = (group.stream().into_iter().collect(), is_punct(before, '!'));
                let may_have_arms = !is_call && is_block(Some(token));
                in_level(&inner, name, Level { in_macro: level.in_macro || is_call, may_have_arms })
            }
            TokenTree::Literal(text) if level.in_macro => in_text(&text.to_string(), name),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        at += 1;
    }
    None
}

/// Whether the name at this place is neither a field nor a part of a path.
fn is_value(tokens: &[TokenTree], at: usize) -> bool {
    let is = |place: Option<usize>, what| place.is_some_and(|place| is_punct(tokens.get(place), what));
    let after_path = is(at.checked_sub(1), ':') && is(at.checked_sub(2), ':');
    let before_path = is(Some(at + 1), ':') && is(Some(at + 2), ':');
    let after_range = is(at.checked_sub(1), '.') && is(at.checked_sub(2), '.');
    (after_range || !is(at.checked_sub(1), '.')) && !after_path && !before_path
}

/// If a closure, an arm of a `match` or a `let` that binds the name begins here: where its own name ends.
fn own_pattern(tokens: &[TokenTree], at: usize, name: &str, level: Level) -> Option<usize> {
    let binds = |part: &[TokenTree]| mention(part.iter().cloned().collect(), name);
    let comma = |from: usize| {
        let rest = tokens.iter().skip(from).position(|token| is_punct(Some(token), ','));
        rest.map_or(tokens.len(), |rest| from + rest)
    };
    let begins = at == 0 || is_punct(tokens.get(at - 1), ',') || is_block(tokens.get(at - 1));
    if is_punct(tokens.get(at), '|') && !is_operand(at.checked_sub(1).and_then(|before| tokens.get(before))) {
        let end = at + 1 + tokens.get(at + 1..)?.iter().position(|token| is_punct(Some(token), '|'))?;
        return binds(&tokens[at + 1..end]).map(|_| comma(end));
    }
    if level.may_have_arms
        && begins
        && let Some(arrow) = arrow(tokens, at)
    {
        let guard = tokens[at..arrow].iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "if"));
        binds(&tokens[at..guard.map_or(arrow, |guard| at + guard)])?;
        let is_block = is_block(tokens.get(arrow + 2));
        return Some(if is_block { arrow + 3 } else { comma(arrow) });
    }
    if matches!(&tokens[at], TokenTree::Ident(word) if word == "let") {
        let end = at + tokens[at..].iter().position(|token| is_punct(Some(token), '='))?;
        binds(&tokens[at..end])?;
        // Its value may still mention it.
        let opens = tokens[end..].iter().position(|token| is_block(Some(token)) || is_punct(Some(token), ';'));
        let value = &tokens[end..end + opens.unwrap_or(tokens.len() - end)];
        return in_level(value, name, level).is_none().then_some(tokens.len());
    }
    None
}

/// Where the `=>` of an arm stands that begins here.
fn arrow(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let ends = tokens[at..].windows(2).position(|pair| is_punct(pair.first(), '=') && is_punct(pair.get(1), '>'))?;
    let has_comma = tokens[at..at + ends].iter().any(|token| is_punct(Some(token), ','));
    (!has_comma).then_some(at + ends)
}

/// Whether a `|` behind this is an operator.
fn is_operand(token: Option<&TokenTree>) -> bool {
    match token {
        Some(TokenTree::Ident(word)) => word != "move" && word != "async" && word != "return",
        Some(TokenTree::Group(_) | TokenTree::Literal(_)) => true,
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '?' | '|'),
        None => false,
    }
}

fn is_block(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::Brace)
}

fn is_punct(token: Option<&TokenTree>, what: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == what)
}

/// A format string names `r#type` as `{type}`.
fn is(ident: &Ident, name: &str) -> bool {
    *ident == name || ident.unraw() == plain(name)
}

fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn in_text(text: &str, name: &str) -> Option<Ident> {
    if !text.contains('{') {
        return None;
    }
    let plain = plain(name);
    let inline = [format!("{{{plain}}}"), format!("{{{plain}:"), format!("{{{plain}.")];
    let ident = if plain == name { Ident::new } else { Ident::new_raw };
    inline.iter().any(|inline| text.contains(inline.as_str())).then(|| ident(plain, Span::call_site()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(expression: &str) -> bool {
        value(expression.parse().unwrap(), "err").is_some()
    }

    #[test]
    fn a_value_is_mentioned_by_its_name_and_in_format_strings() {
        for expression in [
            "err",
            "err.code",
            "code(&err)",
            "format!(\"{err}\")",
            "format!(\"{err:?}\")",
            "a | err",
            "0..err",
            "(|err| 1)(err)",
            "match err { other => other.code }",
            "match x { Err(err) => 1, _ => err.code }",
            "hashmap! { err => 1 }",
            "match n { n if err.len() > n => 1, _ => 2 }",
            "matches!(err, Failed { .. })",
            "if let Some(err) = err { 1 } else { 2 }",
            "list.iter().map(|err| err.code).chain(once(err))",
        ] {
            assert!(mentions(expression), "{expression}");
        }
    }

    #[test]
    fn what_may_be_meant_is_more() {
        for expression in
            ["|err| err.code", "\"{err}\".len()", "match x { Err(err) => 1, _ => 2 }", "{ let err = x; err }"]
        {
            assert!(may_mention(expression.parse().unwrap(), "err").is_some(), "{expression}");
        }
        assert!(may_mention("lead.err".parse().unwrap(), "err").is_none());
    }

    #[test]
    fn what_the_expression_binds_a_path_or_text_is_another_name() {
        for expression in [
            "lead.err",
            "err::kind()",
            "crate::err",
            "\"{err}\".len()",
            "list.iter().map(|err| err.code).sum::<u32>()",
            "move |err: &Failed| { err.code }",
            "match x { Ok(_) => 0, Err(err) => err.code }",
            "match x { Err(err) => { err.code } Ok(n) => n }",
            "if let Err(err) = x { err.code } else { 0 }",
            "{ let err = x; err.code }",
        ] {
            assert!(!mentions(expression), "{expression}");
        }
    }
}
