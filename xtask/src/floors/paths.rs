//! Every path in a token stream, as it is written: in code, in attributes, in macros. Knows no modules.

use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Ident, LineColumn, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// A path as it is written.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// May begin with `crate`, `self` or `super`.
    pub(super) segments: Vec<String>,
    /// `::` stands before it.
    pub(super) leading: bool,
    pub(super) ending: Ending,
    pub(super) at: LineColumn,
    /// It stands in a `use`.
    pub(super) import: bool,
    /// The name that a `use` gives it with `as`.
    pub(super) alias: Option<String>,
    /// The macros of which it is an argument, or a part of the definition, from the outside in.
    pub(super) macros: Rc<[String]>,
}

impl Mention {
    /// Whether a macro is given it.
    pub(super) fn in_macro(&self) -> bool {
        !self.macros.is_empty()
    }
}

/// How a path ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Name,
    Glob,
    /// `!`: the path names a macro.
    Macro,
    /// A macro's variable continues it.
    Open,
    /// It is the name of a method: `.name`, `Self::name` or `<Type>::name`.
    Method,
}

/// What a token stream holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) mentions: Vec<Mention>,
    /// `mod name;` in a macro.
    pub(super) hidden_modules: Vec<LineColumn>,
}

/// Collects the paths of `tokens`. `quotes` says whether a macro's argument is data for other programs, as that of
/// `quote::quote!` is.
pub(super) fn collect(tokens: TokenStream, quotes: &dyn Fn(&[String]) -> bool) -> Found {
    let mut walker =
        Walker { quotes, found: Found::default(), place: None, in_attribute: false, macros: Rc::new([]), depth: 0 };
    walker.stream(tokens);
    walker.found
}

struct Walker<'a> {
    quotes: &'a dyn Fn(&[String]) -> bool,
    found: Found,
    /// Where the string literal stands that is being read.
    place: Option<LineColumn>,
    in_attribute: bool,
    macros: Rc<[String]>,
    /// How many modules of a macro's definition stand around this.
    depth: usize,
}

impl Walker<'_> {
    fn stream(&mut self, stream: TokenStream) {
        let tokens: Vec<_> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.step(&tokens, at);
        }
    }

    /// Reads what begins at `at`, and says where the next thing does.
    fn step(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            TokenTree::Group(group) => {
                self.stream(group.stream());
                at + 1
            }
            TokenTree::Literal(literal) => {
                if self.in_attribute && !is_prose(tokens, at) {
                    self.string(&literal.to_string(), literal.span().start());
                }
                at + 1
            }
            TokenTree::Punct(punct) if punct.as_char() == '#' => self.attribute(tokens, at),
            TokenTree::Punct(punct) if punct.as_char() == '$' => self.variable(tokens, at),
            TokenTree::Punct(_) if is_separator(tokens, at) => match tokens.get(at + 2) {
                Some(TokenTree::Ident(first)) => self.path(tokens, at + 2, vec![name(first)], true, false),
                _ => at + 2,
            },
            TokenTree::Punct(_) => at + 1,
            TokenTree::Ident(ident) if ident == "pub" && tokens.get(at + 1).is_some_and(is_restriction) => at + 2,
            TokenTree::Ident(ident) if ident == "use" => self.import(tokens, at + 1),
            TokenTree::Ident(ident) => {
                if !self.macros.is_empty() && ident == "mod" && is_declaration(&tokens[at + 1..]) {
                    self.found.hidden_modules.push(self.place.unwrap_or_else(|| ident.span().start()));
                }
                match module_in_definition(&self.macros, tokens, at) {
                    Some((group, next)) => {
                        self.depth += 1;
                        self.stream(group.stream());
                        self.depth -= 1;
                        next
                    }
                    None => self.path(tokens, at, vec![name(ident)], false, false),
                }
            }
        }
    }

    fn import(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let leading = is_separator(tokens, start);
        let start = if leading { start + 2 } else { start };
        match tokens.get(start) {
            Some(TokenTree::Ident(first)) => self.path(tokens, start, vec![name(first)], leading, true),
            Some(TokenTree::Group(group)) => {
                self.branches(&[], leading, true, group);
                start + 1
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '$' => self.variable(tokens, start),
            _ => start,
        }
    }

    /// `#[...]` or `#![...]`: paths may stand in strings, as in `#[serde(with = "crate::wire")]`.
    fn attribute(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let bang = matches!(tokens.get(at + 1), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
        let at = at + 1 + usize::from(bang);
        let Some(TokenTree::Group(group)) = tokens.get(at) else { return at };
        if group.delimiter() != Delimiter::Bracket {
            return at;
        }
        let outer = std::mem::replace(&mut self.in_attribute, true);
        self.stream(group.stream());
        self.in_attribute = outer;
        at + 1
    }

    /// `$crate::...` is a path; what another variable stands for is read where it is given.
    fn variable(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match tokens.get(at + 1) {
            Some(TokenTree::Ident(ident)) if ident == "crate" => {
                self.path(tokens, at + 1, vec!["crate".to_owned()], false, false)
            }
            Some(TokenTree::Ident(_)) => {
                let mut at = at + 2;
                while is_separator(tokens, at)
                    && let Some(TokenTree::Ident(segment)) = tokens.get(at + 2)
                {
                    if segment == "super" {
                        self.way_up(segment);
                    }
                    at += 3;
                }
                at
            }
            _ => at + 1,
        }
    }

    /// `$module::super`: nobody can tell how far up that is.
    fn way_up(&mut self, word: &Ident) {
        let at = self.place.unwrap_or_else(|| word.span().start());
        let macros = self.macros_here();
        let segments = vec![name(word)];
        self.say(Mention { segments, leading: false, ending: Ending::Open, at, import: false, alias: None, macros });
    }

    /// A path whose first segments are read already; `start` is where the last of them stands.
    fn path(&mut self, tokens: &[TokenTree], start: usize, first: Vec<String>, leading: bool, import: bool) -> usize {
        let place = self.place.unwrap_or_else(|| tokens[start].span().start());
        let mut segments = first;
        let mut at = start + 1;
        let mut ending = Ending::Name;
        while is_separator(tokens, at) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(ident)) => {
                    segments.push(name(ident));
                    at += 3;
                    continue;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(&segments, leading, import, group);
                    return at + 3;
                }
                Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                    ending = Ending::Glob;
                    at += 3;
                }
                Some(TokenTree::Punct(punct)) if punct.as_char() == '<' => at += 2,
                _ => {
                    ending = Ending::Open;
                    at += 2;
                }
            }
            break;
        }
        let arguments = if ending == Ending::Name { macro_arguments(tokens, at) } else { None };
        if arguments.is_some() {
            ending = Ending::Macro;
        }
        if segments.len() == 1 && !import && (leading || is_member(tokens, start)) {
            if !leading && !is_call(tokens, at) {
                return at;
            }
            ending = Ending::Method;
        }
        if let [of, method] = &segments[..]
            && of == "Self"
        {
            segments = vec![method.clone()];
            ending = Ending::Method;
        }
        let alias = import.then(|| alias(&tokens[at.min(tokens.len())..])).flatten();
        let macros = self.macros_here();
        self.say(Mention { segments: segments.clone(), leading, ending, at: place, import, alias, macros });
        match arguments {
            Some((group, next)) => {
                self.arguments(&segments, group);
                next
            }
            None => at,
        }
    }

    /// The `{a, b::c}` of a `use`.
    fn branches(&mut self, prefix: &[String], leading: bool, import: bool, group: &Group) {
        let tokens: Vec<_> = group.stream().into_iter().collect();
        for branch in tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')) {
            let leading = leading || is_separator(branch, 0);
            let start = if is_separator(branch, 0) { 2 } else { 0 };
            let mut segments = prefix.to_vec();
            match branch.get(start) {
                Some(TokenTree::Ident(ident)) => {
                    segments.push(name(ident));
                    self.path(branch, start, segments, leading, import);
                }
                Some(TokenTree::Group(group)) => self.branches(prefix, leading, import, group),
                Some(token) => {
                    let glob = matches!(token, TokenTree::Punct(punct) if punct.as_char() == '*');
                    let ending = if glob { Ending::Glob } else { Ending::Open };
                    let at = self.place.unwrap_or_else(|| token.span().start());
                    let macros = self.macros_here();
                    self.say(Mention { segments, leading, ending, at, import, alias: None, macros });
                }
                None => {}
            }
        }
    }

    fn arguments(&mut self, macro_path: &[String], group: &Group) {
        let tokens = match (self.quotes)(macro_path) {
            false => group.stream(),
            true if macro_path.last().is_some_and(|name| name.ends_with("_spanned")) => before_arrow(group.stream()),
            true => TokenStream::new(),
        };
        let inside = self.macros.iter().chain(macro_path.last()).cloned().collect();
        let outer = std::mem::replace(&mut self.macros, inside);
        let depth = std::mem::take(&mut self.depth);
        self.stream(tokens);
        self.depth = depth;
        self.macros = outer;
    }

    /// Keeps a path; `self::super` is `super`. In a module of a macro's definition, `super` leads to where the macro is used.
    fn say(&mut self, mut mention: Mention) {
        if mention.segments.len() > 1 && mention.segments[0] == "self" && mention.segments[1] == "super" {
            mention.segments.remove(0);
        }
        let up = mention.segments.iter().take_while(|segment| *segment == "super").count();
        if self.depth > 0 && up > 0 {
            if up < self.depth {
                return;
            }
            mention.segments.drain(..self.depth);
            if up == self.depth {
                mention.segments.insert(0, "self".to_owned());
            }
        }
        self.found.mentions.push(mention);
    }

    /// An attribute's parts are not given to the macro around it.
    fn macros_here(&self) -> Rc<[String]> {
        if self.in_attribute { Rc::new([]) } else { Rc::clone(&self.macros) }
    }

    fn string(&mut self, literal: &str, at: LineColumn) {
        let Ok(literal) = syn::parse_str::<syn::LitStr>(literal) else { return };
        let Ok(tokens) = literal.value().parse::<TokenStream>() else { return };
        let outer = self.place.replace(self.place.unwrap_or(at));
        self.stream(tokens);
        self.place = outer;
    }
}

fn name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The name after `as`.
fn alias(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [TokenTree::Ident(word), TokenTree::Ident(alias), ..] if word == "as" => Some(name(alias)),
        _ => None,
    }
}

/// Whether `::` stands at `at`.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| match tokens.get(at) {
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => Some(punct.spacing()),
        _ => None,
    };
    colon(at) == Some(Spacing::Joint) && colon(at + 1).is_some()
}

/// The value of `doc = "..."`, which is prose.
fn is_prose(tokens: &[TokenTree], at: usize) -> bool {
    let equals = at >= 2 && matches!(&tokens[at - 1], TokenTree::Punct(punct) if punct.as_char() == '=');
    equals
        && matches!(&tokens[at - 2], TokenTree::Ident(ident) if ident == "doc" || ident == "note" || ident == "reason")
}

/// The `(crate)` or `(in crate::room)` of a visibility.
fn is_restriction(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let tokens: Vec<_> = group.stream().into_iter().collect();
    group.delimiter() == Delimiter::Parenthesis
        && match &tokens[..] {
            [TokenTree::Ident(only)] => only == "crate" || only == "self" || only == "super",
            [TokenTree::Ident(first), ..] => first == "in",
            _ => false,
        }
}

/// The `name;` of `mod name;`, where the name may be a macro's variable.
fn is_declaration(tokens: &[TokenTree]) -> bool {
    let variable = matches!(tokens.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '$');
    let at = usize::from(variable);
    matches!(tokens.get(at), Some(TokenTree::Ident(_)))
        && matches!(tokens.get(at + 1), Some(TokenTree::Punct(punct)) if punct.as_char() == ';')
}

/// The body of `mod name { ... }`, directly in a macro's definition, and what comes next.
fn module_in_definition<'a>(macros: &[String], tokens: &'a [TokenTree], at: usize) -> Option<(&'a Group, usize)> {
    let is_module = matches!(&tokens[at], TokenTree::Ident(word) if word == "mod");
    if !is_module || macros != ["macro_rules"] {
        return None;
    }
    let variable = matches!(tokens.get(at + 1), Some(TokenTree::Punct(punct)) if punct.as_char() == '$');
    let body = at + 2 + usize::from(variable);
    match (tokens.get(body - 1)?, tokens.get(body)?) {
        (TokenTree::Ident(_), TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            Some((group, body + 1))
        }
        _ => None,
    }
}

/// Whether a method that is called, or a field, stands at `at`.
fn is_member(tokens: &[TokenTree], at: usize) -> bool {
    let dot = |at: usize| matches!(&tokens[at], TokenTree::Punct(punct) if punct.as_char() == '.');
    at >= 1 && dot(at - 1) && !(at >= 2 && dot(at - 2))
}

/// Whether arguments follow, or their types.
fn is_call(tokens: &[TokenTree], at: usize) -> bool {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '<' && is_separator(tokens, at.saturating_sub(2)),
        _ => false,
    }
}

/// The arguments after the path of a macro that is called (`!(...)`) or defined (`! name { ... }`), and what comes next.
fn macro_arguments(tokens: &[TokenTree], at: usize) -> Option<(&Group, usize)> {
    match (tokens.get(at)?, tokens.get(at + 1)?, tokens.get(at + 2)) {
        (TokenTree::Punct(bang), TokenTree::Group(group), _) if bang.as_char() == '!' => Some((group, at + 2)),
        (TokenTree::Punct(bang), TokenTree::Ident(_), Some(TokenTree::Group(group))) if bang.as_char() == '!' => {
            Some((group, at + 3))
        }
        _ => None,
    }
}

/// The expression before the `=>` of `quote_spanned!`.
fn before_arrow(stream: TokenStream) -> TokenStream {
    let tokens: Vec<_> = stream.into_iter().collect();
    let arrow = tokens.windows(2).position(|pair| {
        matches!(pair, [TokenTree::Punct(equals), TokenTree::Punct(greater)]
            if equals.as_char() == '=' && equals.spacing() == Spacing::Joint && greater.as_char() == '>')
    });
    tokens.into_iter().take(arrow.unwrap_or(0)).collect()
}
