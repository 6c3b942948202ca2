//! Where an expression leaves what stands around it: by `?`, `return`, `break` or `continue`. Closures, `async` blocks and
//! items keep such to themselves, and so do loops with their own `break`.

use crate::diagnostics::Errors;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Block, Expr, Label, Lifetime, Macro, Pat, Stmt, Token};

/// Calls `found` with every part of the block that leaves it, the inner ones first.
pub(crate) fn each_in_block(block: &mut Block, found: &mut dyn FnMut(&mut Expr)) {
    Walk { found, loops: Vec::new(), looks_into_unknown: false }.block(block);
}

/// Reports every part of an annotation's expression that would leave the function: the function would do so only if
/// somebody listens.
pub(crate) fn stays(value: &Expr, errors: &mut Errors) {
    if !may_leave(value.to_token_stream()) {
        return;
    }
    let mut report = |expr: &mut Expr| {
        let (place, word) = match expr {
            Expr::Try(of) => (of.question_token.span(), "?"),
            Expr::Return(of) => (of.return_token.span(), "return"),
            Expr::Break(of) => (of.break_token.span(), "break"),
            Expr::Continue(of) => (of.continue_token.span(), "continue"),
            _ => return,
        };
        let message = format!(
            "`{word}` would leave the annotated function, and only while somebody listens for signals; compute the value in \
             the function's body, or say here what stands in for it, as with `.unwrap_or_default()`"
        );
        errors.span(place, message);
    };
    Walk { found: &mut report, loops: Vec::new(), looks_into_unknown: true }.expr(&mut value.clone());
}

struct Walk<'a> {
    found: &'a mut dyn FnMut(&mut Expr),
    /// The labels of the loops and blocks around, of which `None` is a loop without one.
    loops: Vec<Option<Lifetime>>,
    /// Whether whatever looks like leaving counts in a macro whose input is no list of expressions.
    looks_into_unknown: bool,
}

impl Walk<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        self.children(expr);
        let leaves = match expr {
            Expr::Try(_) | Expr::Return(_) => true,
            Expr::Break(of) => self.is_outside(of.label.as_ref()),
            Expr::Continue(of) => self.is_outside(of.label.as_ref()),
            _ => false,
        };
        if leaves {
            (self.found)(expr);
        }
    }

    fn is_outside(&self, label: Option<&Lifetime>) -> bool {
        match label {
            Some(label) => !self.loops.iter().flatten().any(|known| known == label),
            None => self.loops.is_empty(),
        }
    }

    fn children(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Array(of) => self.all(&mut of.elems),
            Expr::Assign(of) => self.two(&mut of.left, &mut of.right),
            Expr::Await(of) => self.expr(&mut of.base),
            Expr::Binary(of) => self.two(&mut of.left, &mut of.right),
            Expr::Block(of) => match of.label.clone() {
                Some(label) => self.inside(Some(&label), |walk| walk.block(&mut of.block)),
                None => self.block(&mut of.block),
            },
            Expr::Break(of) => self.maybe(&mut of.expr),
            Expr::Call(of) => {
                self.expr(&mut of.func);
                self.all(&mut of.args);
            }
            Expr::Cast(of) => self.expr(&mut of.expr),
            Expr::Field(of) => self.expr(&mut of.base),
            Expr::ForLoop(of) => {
                self.expr(&mut of.expr);
                self.a_loop(of.label.as_ref(), &mut of.body);
            }
            Expr::Group(of) => self.expr(&mut of.expr),
            Expr::If(of) => {
                self.expr(&mut of.cond);
                self.block(&mut of.then_branch);
                if let Some((_, other)) = &mut of.else_branch {
                    self.expr(other);
                }
            }
            Expr::Index(of) => self.two(&mut of.expr, &mut of.index),
            Expr::Let(of) => self.expr(&mut of.expr),
            Expr::Loop(of) => self.a_loop(of.label.as_ref(), &mut of.body),
            Expr::Macro(of) => self.in_macro(&mut of.mac),
            Expr::Match(of) => {
                self.expr(&mut of.expr);
                for arm in &mut of.arms {
                    if let Pat::Guard(guarded) = &mut arm.pat {
                        self.expr(&mut guarded.guard);
                    }
                    self.expr(&mut arm.body);
                }
            }
            Expr::MethodCall(of) => {
                self.expr(&mut of.receiver);
                self.all(&mut of.args);
            }
            Expr::Paren(of) => self.expr(&mut of.expr),
            Expr::Range(of) => {
                self.maybe(&mut of.start);
                self.maybe(&mut of.end);
            }
            Expr::RawAddr(of) => self.expr(&mut of.expr),
            Expr::Reference(of) => self.expr(&mut of.expr),
            Expr::Repeat(of) => self.expr(&mut of.expr),
            Expr::Return(of) => self.maybe(&mut of.expr),
            Expr::Struct(of) => {
                for field in &mut of.fields {
                    self.expr(&mut field.expr);
                }
                self.maybe(&mut of.rest);
            }
            Expr::Try(of) => self.expr(&mut of.expr),
            Expr::Tuple(of) => self.all(&mut of.elems),
            Expr::Unary(of) => self.expr(&mut of.expr),
            Expr::Unsafe(of) => self.block(&mut of.block),
            Expr::While(of) => {
                // A `break` in the condition ends this loop, too.
                self.inside(of.label.as_ref(), |walk| walk.expr(&mut of.cond));
                self.a_loop(of.label.as_ref(), &mut of.body);
            }
            Expr::Yield(of) => self.maybe(&mut of.expr),
            _ => {}
        }
    }

    fn all(&mut self, exprs: &mut Punctuated<Expr, Token![,]>) {
        exprs.iter_mut().for_each(|expr| self.expr(expr));
    }

    fn two(&mut self, one: &mut Expr, other: &mut Expr) {
        self.expr(one);
        self.expr(other);
    }

    fn maybe(&mut self, expr: &mut Option<Box<Expr>>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn inside(&mut self, label: Option<&Label>, walk: impl FnOnce(&mut Self)) {
        self.loops.push(label.map(|label| label.name.clone()));
        walk(self);
        self.loops.pop();
    }

    fn a_loop(&mut self, label: Option<&Label>, body: &mut Block) {
        self.inside(label, |walk| walk.block(body));
    }

    fn block(&mut self, block: &mut Block) {
        for statement in &mut block.stmts {
            match statement {
                Stmt::Local(local) => {
                    let Some(init) = &mut local.init else { continue };
                    self.expr(&mut init.expr);
                    if let Some((_, otherwise)) = &mut init.diverge {
                        self.expr(otherwise);
                    }
                }
                Stmt::Expr(expr, _) => self.expr(expr),
                Stmt::Macro(call) => self.in_macro(&mut call.mac),
                Stmt::Item(_) => {}
            }
        }
    }

    /// Most macros take expressions, separated by commas.
    fn in_macro(&mut self, call: &mut Macro) {
        if !may_leave(call.tokens.clone()) {
            return;
        }
        let parsed = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        if let Ok(mut arguments) = parsed {
            self.all(&mut arguments);
            call.tokens = arguments.into_token_stream();
        } else if self.looks_into_unknown {
            self.in_tokens(call.tokens.clone());
        }
    }

    fn in_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            let span = token.span();
            let mut leaves: Expr = match token {
                TokenTree::Group(group) => {
                    self.in_tokens(group.stream());
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == '?' => {
                    syn::parse_quote_spanned!(span=> ()?)
                }
                TokenTree::Ident(word) if word == "return" => syn::parse_quote_spanned!(span=> return),
                TokenTree::Ident(word) if word == "break" && self.loops.is_empty() => {
                    syn::parse_quote_spanned!(span=> break)
                }
                TokenTree::Ident(word) if word == "continue" && self.loops.is_empty() => {
                    syn::parse_quote_spanned!(span=> continue)
                }
                _ => continue,
            };
            (self.found)(&mut leaves);
        }
    }
}

/// Whether these tokens can hold anything that leaves.
pub(crate) fn may_leave(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Ident(word) => word == "return" || word == "break" || word == "continue",
        TokenTree::Group(group) => may_leave(group.stream()),
        TokenTree::Literal(_) => false,
    })
}
