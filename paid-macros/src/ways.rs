//! How a value becomes the text of a role: calls of the library that find the way which fits its type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Expr, Path, Type};

use crate::place::{at, local};
use crate::roles::Role;

/// The text of the variable, of any type.
fn text(krate: &Path, role: Role, place: Span) -> TokenStream {
    let (krate, role, value) = (at(krate, place), Ident::new(role.key(), place), local("value", place));
    quote_spanned! {place=>
        {
            #[allow(unused_imports)]
            use #krate::__private::ways::all::*;
            (&#krate::__private::Way(#value)).__paid_way().#role()
        }
    }
}

/// The text of the variable, which is text.
fn known_text(krate: &Path, place: Span) -> TokenStream {
    let (krate, value) = (at(krate, place), local("value", place));
    quote_spanned!(place=> #krate::__private::by_str(#value))
}

/// The text of the variable, which is a reference to this expression.
fn of_expression(krate: &Path, role: Role, value: &Expr) -> TokenStream {
    if is_text_by_its_form(value) { known_text(krate, value.span()) } else { text(krate, role, value.span()) }
}

/// Whether the expression is text, whatever the types in it are.
fn is_text_by_its_form(value: &Expr) -> bool {
    match value {
        Expr::Lit(lit) => matches!(lit.lit, syn::Lit::Str(_)),
        Expr::MethodCall(call) => {
            call.args.is_empty() && ["to_string", "as_str"].iter().any(|name| call.method == name)
        }
        Expr::Macro(call) => call.mac.path.is_ident("format"),
        _ => false,
    }
}

/// A statement that sets a role of `pending` to a value. The traits of the ways are in scope in the function.
pub(crate) fn set(krate: &Path, role: Role, value: &Expr, pending: &Ident) -> TokenStream {
    let place = value.span();
    let krate_here = at(krate, place);
    if is_text_by_its_form(value) || matches!(value, Expr::Array(_) if role.is_key()) {
        let (method, text) = (Ident::new(role.key(), place), of_value(krate, role, value));
        return quote_spanned!(place=> #krate_here::__private::Pending::#method(&mut #pending, #text););
    }
    let method = Ident::new(&format!("set_{}", role.key()), place);
    quote_spanned!(place=> (&#krate_here::__private::Way(&(#value))).__paid_way().#method(&mut #pending);)
}

/// The text of a role's value: of the expression, or of the parts of a key, joined.
pub(crate) fn of_value(krate: &Path, role: Role, value: &Expr) -> TokenStream {
    let place = value.span();
    let parts = match value {
        Expr::Array(array) if role.is_key() => array.elems.iter().map(|part| of_value(krate, role, part)),
        _ => {
            let (name, text) = (local("value", place), of_expression(krate, role, value));
            return quote_spanned!(place=> match &(#value) { #name => #text });
        }
    };
    quote_spanned!(place=> #krate::__private::joined(&[#(#parts),*]))
}

/// The text of the variable, which is a reference to a field of this type.
pub(crate) fn of_field(krate: &Path, role: Role, ty: &Type) -> TokenStream {
    if is_text(ty) { known_text(krate, ty.span()) } else { text(krate, role, ty.span()) }
}

/// Whether a type is text by its name.
pub(crate) fn is_text(ty: &Type) -> bool {
    type_name(ty).is_some_and(|name| name == "String" || name == "str")
}

/// Types that are JSON for certain, and never `None`.
pub(crate) fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 13] =
        ["String", "str", "bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64"];
    type_name(ty).is_some_and(|name| PLAIN.iter().any(|plain| name == plain))
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
