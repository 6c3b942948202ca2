//! What can be known of a value before the program runs.

use paid_catalog::Literal;
use proc_macro2::Ident;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use crate::diagnostics::Errors;

/// Whether an expression is the same for every call.
pub(crate) fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Array(parts) => parts.elems.iter().all(is_constant),
        Expr::Paren(inner) => is_constant(&inner.expr),
        Expr::Group(inner) => is_constant(&inner.expr),
        Expr::Reference(inner) => is_constant(&inner.expr),
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            name.len() > 1
                && name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
        }),
        Expr::MethodCall(call) => {
            let converts = ["to_string", "to_owned", "into", "clone", "as_str", "as_ref"];
            converts.iter().any(|name| call.method == name) && call.args.is_empty() && is_constant(&call.receiver)
        }
        Expr::Call(call) => {
            let makes = matches!(&*call.func, Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "from"));
            makes && call.args.iter().all(is_constant)
        }
        Expr::Macro(call) => {
            let known = ["format", "concat", "stringify"].iter().any(|name| call.mac.path.is_ident(name));
            known
                && call.mac.tokens.clone().into_iter().all(|token| match token {
                    proc_macro2::TokenTree::Literal(text) => !text.to_string().contains('{'),
                    proc_macro2::TokenTree::Punct(_) => true,
                    _ => false,
                })
        }
        _ => false,
    }
}

/// Whether evaluating an expression runs no code of the user's, so that it may be evaluated although nobody listens. Reading a
/// field does not count: `a.b` may call the user's `Deref`. `reference` is a variable that is a plain reference.
pub(crate) fn runs_nothing(value: &Expr, reference: Option<&Ident>) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Group(inner) => runs_nothing(&inner.expr, reference),
        Expr::Paren(inner) => runs_nothing(&inner.expr, reference),
        Expr::Reference(inner) => runs_nothing(&inner.expr, reference),
        Expr::Path(path) => path.path.get_ident().is_some(),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => {
            matches!(&**expr, Expr::Path(path) if reference.is_some_and(|name| path.path.is_ident(name)))
        }
        _ => false,
    }
}

/// The variable of which an expression reads a field, or which it is; `None` for other expressions.
pub(crate) fn variable(value: &Expr) -> Option<&Ident> {
    match value {
        Expr::Field(field) => variable(&field.base),
        Expr::Group(inner) => variable(&inner.expr),
        Expr::Paren(inner) => variable(&inner.expr),
        Expr::Reference(inner) => variable(&inner.expr),
        Expr::Unary(inner) => variable(&inner.expr),
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// Reports a quantity that bills nothing.
pub(crate) fn check_quantity(value: &Expr, errors: &mut Errors) {
    let bad = match literal(value) {
        Some(Literal::Integer(number)) => number <= 0,
        Some(Literal::Number(number)) => number <= 0.0,
        _ => false,
    };
    if bad {
        errors.at(
            value,
            "a quantity of zero or less bills nothing; write a positive number, or `when = ...` to emit only sometimes",
        );
    }
}

/// A scalar literal.
pub(crate) fn literal(value: &Expr) -> Option<Literal> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => Some(Literal::Text(text.value())),
            Lit::Int(number) => number.base10_parse().ok().map(Literal::Integer),
            Lit::Float(number) => number.base10_parse().ok().map(Literal::Number),
            Lit::Bool(value) => Some(Literal::Boolean(value.value)),
            _ => None,
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match literal(expr)? {
            Literal::Integer(number) => Some(Literal::Integer(-number)),
            Literal::Number(number) => Some(Literal::Number(-number)),
            _ => None,
        },
        Expr::Paren(inner) => literal(&inner.expr),
        Expr::Group(inner) => literal(&inner.expr),
        _ => None,
    }
}
