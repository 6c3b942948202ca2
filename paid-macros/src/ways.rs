//! How a value becomes the text of a role: calls of the library that find the way which fits its type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Expr, Path, Type};

use crate::roles::Role;

/// The variable `value`, of any type.
fn text(krate: &Path, role: Role, span: Span) -> TokenStream {
    let role = Ident::new(role.key(), span);
    quote_spanned! {span=>
        {
            #[allow(unused_imports)]
            use #krate::__private::ways::all::*;
            (&&&#krate::__private::Way(value)).__paid_way().#role(value)
        }
    }
}

/// The variable `value`, which is text.
fn known_text(krate: &Path, span: Span) -> TokenStream {
    quote_spanned!(span=> #krate::__private::by_str(value))
}

/// The variable `value`, which is a reference to this expression.
pub(crate) fn of_expression(krate: &Path, role: Role, value: &Expr) -> TokenStream {
    let is_text = match value {
        Expr::Lit(lit) => matches!(lit.lit, syn::Lit::Str(_)),
        Expr::MethodCall(call) => {
            call.args.is_empty() && ["to_string", "as_str"].iter().any(|name| call.method == name)
        }
        Expr::Macro(call) => call.mac.path.is_ident("format"),
        _ => false,
    };
    if is_text { known_text(krate, value.span()) } else { text(krate, role, value.span()) }
}

/// The variable `value`, which is a reference to a field of this type.
pub(crate) fn of_field(krate: &Path, role: Role, ty: &Type) -> TokenStream {
    if is_text(ty) { known_text(krate, ty.span()) } else { text(krate, role, ty.span()) }
}

/// Whether a type is text by its name.
pub(crate) fn is_text(ty: &Type) -> bool {
    type_name(ty).is_some_and(|name| name == "String" || name == "str")
}

/// The name of a type, behind a reference too.
pub(crate) fn type_name(ty: &Type) -> Option<&Ident> {
    let inner = match ty {
        Type::Reference(reference) => &*reference.elem,
        other => other,
    };
    match inner {
        Type::Path(path) => path.path.get_ident(),
        _ => None,
    }
}
