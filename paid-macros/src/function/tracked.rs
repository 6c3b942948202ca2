//! The body of a `#[track_caller]` function, in place: `return` and `?` become a `break` out of a block.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Block, Expr, Lifetime, Path, ReturnType};

use super::Function;
use super::placeholders::without_impl;
use crate::leaving;

/// `None` if the body cannot be parsed; then its closure will tell what is wrong.
pub(crate) fn inline(krate: &Path, function: &Function) -> Option<TokenStream> {
    let mut block: Block = syn::parse2(function.body.to_token_stream()).ok()?;
    let label = Lifetime::new("'__paid_body", Span::mixed_site());
    let mut left = false;
    leaving::each_in_block(&mut block, &mut |expr| left |= replace(expr, krate, &label));
    let label = left.then(|| quote!(#label:));
    Some(match &function.signature.output {
        ReturnType::Default => quote!(#label #block),
        ReturnType::Type(_, ty) => {
            let ty = without_impl(ty.to_token_stream());
            quote!({ let returned: #ty = #label #block; returned })
        }
    })
}

/// Whether it was one of those that are replaced.
fn replace(expr: &mut Expr, krate: &Path, label: &Lifetime) -> bool {
    let span = expr.span();
    let instead = match expr {
        Expr::Return(of) => {
            let value = &of.expr;
            quote_spanned!(span=> break #label #value)
        }
        Expr::Try(of) => {
            let tried = &of.expr;
            quote_spanned! {span=>
                match #krate::__private::Try::branch(#tried) {
                    ::core::ops::ControlFlow::Continue(value) => value,
                    ::core::ops::ControlFlow::Break(residual) => break #label #krate::__private::FromResidual::from_residual(residual),
                }
            }
        }
        _ => return false,
    };
    *expr = Expr::Verbatim(quote_spanned!(span=> (#instead)));
    true
}
