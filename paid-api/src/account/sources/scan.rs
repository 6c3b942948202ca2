//! Reads the tokens of a file. Macro bodies are tokens like all others, so what stands in them is found, too.

mod arguments;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use super::files::File;
use super::found::{Emission, Named, Place, Unreadable};
use super::imports::{Certainty, Imports};
use arguments::{Said, call, is_punct, of_annotation, of_derive, parts};

/// What a file has.
pub(super) struct Scanned {
    pub(super) package: PathBuf,
    pub(super) emissions: Vec<(Emission, Certainty)>,
    pub(super) unreadable: Option<Unreadable>,
    /// The names that it imports from the library.
    pub(super) imported: Vec<String>,
    /// Files and folders, without extension, of modules that only tests are compiled with.
    pub(super) test_modules: Vec<PathBuf>,
}

/// Reads a file.
pub(super) fn file(file: &File, names: &BTreeSet<String>) -> Scanned {
    let mut scan = Scan {
        file,
        names,
        imports: Imports::default(),
        scanned: Scanned {
            package: file.package.clone(),
            emissions: Vec::new(),
            unreadable: None,
            imported: Vec::new(),
            test_modules: Vec::new(),
        },
    };
    match std::fs::read_to_string(&file.path) {
        Ok(text) => scan.text(&text),
        Err(error) => scan.unreadable(Span::call_site(), error.to_string()),
    }
    scan.scanned
}

struct Scan<'a> {
    file: &'a File,
    names: &'a BTreeSet<String>,
    imports: Imports,
    scanned: Scanned,
}

/// What holds for everything in a pair of braces.
#[derive(Clone, Default)]
struct Scope {
    is_in_tests: bool,
    /// Whether its items are the variants of an enum.
    is_enum: bool,
    /// The product that the enum names for its variants.
    product: Option<Named>,
}

/// What the attributes in front of an item said.
#[derive(Default)]
struct Pending {
    is_in_tests: bool,
    is_enum: bool,
    product: Option<Named>,
    /// Derived signals, which the item's fields complete.
    derived: Vec<usize>,
}

impl Scan<'_> {
    fn text(&mut self, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_script = text.starts_with("#!") && !text.starts_with("#![");
        // A comment keeps the lines as they are.
        let text = if is_script { format!("//{}", text.get(2..).unwrap_or_default()) } else { text.to_owned() };
        let tokens = match TokenStream::from_str(&text) {
            Ok(tokens) => tokens,
            Err(error) => return self.unreadable(error.span(), error.to_string()),
        };
        match syn::parse2::<syn::File>(tokens.clone()) {
            Ok(parsed) => self.imports = Imports::of(&parsed),
            Err(error) => self.unreadable(error.span(), error.to_string()),
        }
        self.scanned.imported = self.imports.own_names(self.names);
        let is_in_tests = self.file.is_in_tests;
        self.level(tokens, &Scope { is_in_tests, ..Scope::default() });
    }

    fn unreadable(&mut self, span: Span, problem: String) {
        let (place, is_in_tests) = (self.place(span), self.file.is_in_tests);
        self.scanned.unreadable = Some(Unreadable { place, problem, is_in_tests });
    }

    fn place(&self, span: Span) -> Place {
        let (start, end) = (span.start(), span.end());
        let length = if start.line == end.line { end.column.saturating_sub(start.column) } else { 1 };
        let file = self.file.path.clone();
        Place { file, line: start.line.max(1), column: start.column + 1, length: length.max(1) }
    }

    /// The tokens between two delimiters, or of the whole file.
    fn level(&mut self, tokens: TokenStream, scope: &Scope) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut pending = Pending::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    let inner = usize::from(tokens.get(at).is_some_and(|token| is_punct(token, '!')));
                    if let Some(TokenTree::Group(group)) = tokens.get(at + inner)
                        && group.delimiter() == Delimiter::Bracket
                    {
                        self.attribute(group.stream(), &mut pending, scope);
                        at += inner + 1;
                    }
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' || mark.as_char() == ',' && scope.is_enum => {
                    if pending.is_in_tests {
                        self.test_module(tokens.get(..at).unwrap_or_default());
                    }
                    pending = Pending::default();
                }
                TokenTree::Ident(word) if word == "enum" => pending.is_enum = true,
                TokenTree::Ident(_) => at = self.path(&tokens, at - 1, scope.is_in_tests || pending.is_in_tests),
                TokenTree::Group(group) => self.group(group, &mut pending, scope),
                _ => {}
            }
        }
    }

    fn group(&mut self, group: &Group, pending: &mut Pending, scope: &Scope) {
        let is_braced = group.delimiter() == Delimiter::Brace;
        let inside = Scope {
            is_in_tests: scope.is_in_tests || pending.is_in_tests,
            is_enum: is_braced && pending.is_enum,
            product: pending.product.clone().filter(|_| is_braced && pending.is_enum),
        };
        if is_braced {
            let has_key = arguments::has_key_field(group.stream());
            for index in pending.derived.drain(..) {
                if let Some((emission, _)) = self.scanned.emissions.get_mut(index) {
                    emission.has_key = Some(has_key);
                }
            }
        }
        self.level(group.stream(), &inside);
        if is_braced {
            *pending = Pending::default();
        }
    }

    /// `mod name;` behind `#[cfg(test)]`: the file of that module.
    fn test_module(&mut self, tokens: &[TokenTree]) {
        let [.., TokenTree::Ident(word), TokenTree::Ident(name), _] = tokens else { return };
        if word != "mod" {
            return;
        }
        let path = &self.file.path;
        let is_root = path.file_stem().is_some_and(|stem| stem == "lib" || stem == "main" || stem == "mod");
        let folder = if is_root { path.parent().unwrap_or(Path::new("")).to_owned() } else { path.with_extension("") };
        self.scanned.test_modules.push(folder.join(name.to_string()));
    }

    /// What is between the brackets of an attribute.
    fn attribute(&mut self, tokens: TokenStream, pending: &mut Pending, scope: &Scope) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let (path, next) = arguments::path(&tokens, 0);
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let inside = match tokens.get(next) {
            Some(TokenTree::Group(group)) => group.stream(),
            _ => TokenStream::new(),
        };
        match words.as_slice() {
            ["cfg"] => pending.is_in_tests |= arguments::is_for_tests(inside),
            ["cfg_attr"] => {
                for part in parts(inside).into_iter().skip(1) {
                    self.attribute(part.into_iter().collect(), pending, scope);
                }
            }
            ["paid"] => self.derive(inside, pending, scope),
            [.., "test"] => pending.is_in_tests = true,
            _ => {
                let is_in_tests = scope.is_in_tests || pending.is_in_tests;
                if let Some(certainty) = self.imports.is(&path, "signal", self.names) {
                    self.annotation(inside.clone(), "#[paid::signal]", is_in_tests, certainty);
                }
                self.level(inside, &Scope { is_in_tests, ..Scope::default() });
            }
        }
    }

    /// `#[paid(signal = "x")]` of a struct or variant, or `#[paid(product = "p")]` of an enum.
    fn derive(&mut self, inside: TokenStream, pending: &mut Pending, scope: &Scope) {
        let said = of_derive(inside);
        if said.product != Named::Not {
            pending.product = Some(said.product.clone());
            for index in &pending.derived {
                if let Some((emission, _)) = self.scanned.emissions.get_mut(*index) {
                    emission.product = said.product.clone();
                }
            }
        }
        if said.name.is_some() {
            let product = pending.product.clone().or_else(|| scope.product.clone()).unwrap_or(Named::Not);
            let said = Said { product, has_key: Some(false), ..said };
            pending.derived.push(self.scanned.emissions.len());
            let is_in_tests = scope.is_in_tests || pending.is_in_tests;
            self.add(said, "#[derive(PaidSignal)]", is_in_tests, Certainty::Sure);
        }
    }

    fn annotation(&mut self, inside: TokenStream, by: &'static str, is_in_tests: bool, certainty: Certainty) {
        let said = of_annotation(inside);
        if said.place.is_some() {
            self.add(said, by, is_in_tests, certainty);
        }
    }

    /// A path, such as `paid::Signal::new`, and what stands behind it. Returns where to go on.
    fn path(&mut self, tokens: &[TokenTree], at: usize, is_in_tests: bool) -> usize {
        let (path, next) = arguments::path(tokens, at);
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        if before.is_some_and(|token| is_punct(token, '.')) {
            return next;
        }
        match (tokens.get(next), tokens.get(next + 1)) {
            (Some(mark), Some(TokenTree::Group(group))) if is_punct(mark, '!') => {
                if let Some(certainty) = self.imports.is(&path, "signal_block", self.names) {
                    self.annotation(group.stream(), "signal_block!", is_in_tests, certainty);
                }
            }
            (Some(TokenTree::Group(group)), _) if group.delimiter() == Delimiter::Parenthesis => {
                let Some(("new", of)) = path.split_last().map(|(last, of)| (last.as_str(), of)) else { return next };
                for (wanted, by) in [("Signal", "Signal::new"), ("NewSignal", "NewSignal::new")] {
                    if let Some(certainty) = self.imports.is(of, wanted, self.names) {
                        let is_bound = before.is_some_and(|token| is_punct(token, '='));
                        let said = call(group, tokens.get(next + 1..).unwrap_or_default(), is_bound);
                        let said = if wanted == "NewSignal" { Said { product: Named::Computed, ..said } } else { said };
                        self.add(said, by, is_in_tests, certainty);
                    }
                }
            }
            _ => {}
        }
        next
    }

    fn add(&mut self, said: Said, by: &'static str, is_in_tests: bool, certainty: Certainty) {
        let place = self.place(said.place.unwrap_or_else(Span::call_site));
        let Said { name, product, has_key, .. } = said;
        self.scanned.emissions.push((Emission { name, by, product, has_key, is_in_tests, place }, certainty));
    }
}
