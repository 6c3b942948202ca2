//! What was written: a struct or enum, its attributes and those of its fields.

use paid_catalog::nearest_of;
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Generics, LitStr, Path};

use crate::diagnostics::Errors;
use crate::library;
use crate::roles::{self, Macro, Role};

/// A struct, or an enum.
pub(crate) struct Container<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) krate: Path,
    pub(crate) product: Option<LitStr>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) skip_none: bool,
    /// Whether its fields may stand where no reference may point.
    pub(crate) packed: bool,
    /// One for a struct, one for each variant of an enum.
    pub(crate) shapes: Vec<Shape<'a>>,
}

/// The fields of one signal.
pub(crate) struct Shape<'a> {
    /// The variant, in an enum.
    pub(crate) variant: Option<&'a Ident>,
    pub(crate) unit: bool,
    pub(crate) signal: Option<LitStr>,
    /// Whether a name was written that cannot be used; it has been reported.
    pub(crate) unusable: bool,
    /// Where to say that something is missing.
    pub(crate) place: Span,
    pub(crate) fields: Vec<Field<'a>>,
}

/// A named field.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a syn::Type,
    pub(crate) purpose: Use,
    /// The attribute that gives the purpose.
    pub(crate) purpose_at: Option<Ident>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) skip_none: bool,
}

/// What a field is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Role(Role),
    Flatten,
    Skip,
    Data,
    /// Its attribute has a mistake, which has been reported; what is meant is not known.
    Unusable,
}

impl Use {
    /// What the attribute of this name makes of a field.
    fn find(path: &Path) -> Option<Self> {
        if path.is_ident("flatten") {
            return Some(Self::Flatten);
        }
        if path.is_ident("skip") {
            return Some(Self::Skip);
        }
        Role::of(Macro::Derive).find(|role| path.is_ident(role.key())).map(Self::Role)
    }
}

/// How fields are written.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    pub(crate) fn apply(self, name: &str) -> String {
        use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutyKebabCase, ToShoutySnakeCase, ToSnakeCase};
        match self {
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::Pascal => name.to_pascal_case(),
            Self::Camel => name.to_lower_camel_case(),
            Self::Snake => name.to_snake_case(),
            Self::ScreamingSnake => name.to_shouty_snake_case(),
            Self::Kebab => name.to_kebab_case(),
            Self::ScreamingKebab => name.to_shouty_kebab_case(),
        }
    }
}

impl<'a> Container<'a> {
    /// Whether it is a struct, and has no variants.
    pub(crate) fn is_struct(&self) -> bool {
        self.shapes.first().is_some_and(|shape| shape.variant.is_none())
    }

    pub(crate) fn read(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut container = Self {
            ident: &item.ident,
            generics: &item.generics,
            krate: library::path(),
            product: None,
            rename_all: None,
            skip_none: false,
            packed: is_packed(&item.attrs),
            shapes: Vec::new(),
        };
        let is_enum = matches!(item.data, Data::Enum(_));
        let mut signal = None;
        let mut unusable = false;
        each(&item.attrs, errors, |meta, errors| {
            let read = container.attribute(meta, is_enum, &mut signal, errors);
            unusable |= read.is_err() && meta.path.is_ident("signal");
            read
        });
        match &item.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(_) | Fields::Unit => {
                    let fields = fields(&data.fields, errors);
                    container.shapes.push(Shape {
                        variant: None,
                        unusable,
                        unit: false,
                        signal,
                        place: item.ident.span(),
                        fields,
                    });
                }
                Fields::Unnamed(unnamed) => {
                    errors.at(unnamed, "the fields of a signal need names: write `struct Name { field: Type }`")
                }
            },
            Data::Enum(data) => {
                if data.variants.is_empty() {
                    errors.at(&item.ident, "an enum without variants cannot be a signal; add a variant");
                }
                for variant in &data.variants {
                    let mut signal = None;
                    let mut unusable = false;
                    each(&variant.attrs, errors, |meta, _| {
                        if meta.path.is_ident("signal") {
                            let read = named(&mut signal, meta);
                            unusable |= read.is_err();
                            return read;
                        }
                        Err(unknown(meta, "a variant", &["signal"]))
                    });
                    if let Fields::Unnamed(unnamed) = &variant.fields {
                        errors.at(unnamed, "the fields of a signal need names: write `Variant { field: Type }`");
                        continue;
                    }
                    let unit = matches!(variant.fields, Fields::Unit);
                    let fields = fields(&variant.fields, errors);
                    let place = variant.ident.span();
                    container.shapes.push(Shape {
                        variant: Some(&variant.ident),
                        unit,
                        signal,
                        unusable,
                        place,
                        fields,
                    });
                }
            }
            Data::Union(data) => {
                errors.at(
                    &data.union_token,
                    "a union cannot be a signal, since it does not say which of its fields is set; use a struct or an enum",
                );
            }
        }
        container
    }

    fn attribute(
        &mut self,
        meta: &ParseNestedMeta<'_>,
        is_enum: bool,
        signal: &mut Option<LitStr>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        if meta.path.is_ident("signal") {
            let at = meta.path.clone();
            named(signal, meta)?;
            if is_enum {
                errors.at(&at, "every variant is a signal of its own: put `#[paid(signal = \"...\")]` on each of them");
            }
            Ok(())
        } else if meta.path.is_ident("product") {
            let product: LitStr = meta.value()?.parse()?;
            Role::Product.check_not_empty(&product, errors);
            set(&mut self.product, product, meta)
        } else if meta.path.is_ident("rename_all") {
            let case: LitStr = meta.value()?.parse()?;
            match CASES.iter().find(|(name, _)| *name == case.value()) {
                Some((_, known)) => set(&mut self.rename_all, *known, meta),
                None => {
                    let all: Vec<_> = CASES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
                    Err(syn::Error::new_spanned(&case, format!("`rename_all` is one of {}", all.join(", "))))
                }
            }
        } else if meta.path.is_ident("skip_none") {
            self.skip_none = true;
            Ok(())
        } else if meta.path.is_ident("crate") {
            self.krate = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        } else {
            let known: &[&str] = &["signal", "product", "rename_all", "skip_none", "crate"];
            Err(unknown(meta, "a type", known))
        }
    }
}

/// Whether there is a `#[repr(packed)]`.
fn is_packed(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("repr")).any(|attribute| {
        let mut packed = false;
        // What else stands there is the compiler's to judge.
        let _ = attribute.parse_nested_meta(|meta| {
            packed |= meta.path.is_ident("packed");
            if meta.input.peek(syn::token::Paren) {
                let _: proc_macro2::Group = meta.input.parse()?;
            }
            Ok(())
        });
        packed
    })
}

/// `signal = "name"`.
fn named(signal: &mut Option<LitStr>, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    let value: Expr = meta.value()?.parse()?;
    let Some(name) = roles::text(&value) else {
        let message =
            "the event name has to be a literal, so that it can be checked: write it out, as in \"meeting_booked\"";
        return Err(syn::Error::new_spanned(value, message));
    };
    set(signal, name, meta)
}

fn set<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if slot.replace(value).is_some() {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        return Err(syn::Error::new_spanned(&meta.path, format!("`{name}` is given twice; remove one")));
    }
    Ok(())
}

fn unknown(meta: &ParseNestedMeta<'_>, place: &str, known: &[&str]) -> syn::Error {
    let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    // The value is part of the same mistake.
    if meta.input.peek(syn::Token![=]) {
        let _ = meta.value().and_then(|value| value.parse::<Expr>());
    }
    let hint = nearest_of(&name, known.iter().copied()).map_or_else(
        || format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean {near}?"),
    );
    syn::Error::new_spanned(&meta.path, format!("`#[paid(...)]` on {place} has no `{name}`; {hint}"))
}

/// Reads every `#[paid(...)]`; a mistake in one part does not hide the others.
fn each(
    attributes: &[Attribute],
    errors: &mut Errors,
    mut read: impl FnMut(&ParseNestedMeta<'_>, &mut Errors) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("paid")) {
        let mut found = Errors::default();
        let parsed = attribute.parse_nested_meta(|meta| {
            if let Err(error) = read(&meta, &mut found) {
                found.push(error);
            }
            Ok(())
        });
        if let Err(error) = parsed
            && found.is_empty()
        {
            found.push(error);
        }
        errors.append(found);
    }
}

fn fields<'a>(fields: &'a Fields, errors: &mut Errors) -> Vec<Field<'a>> {
    fields.iter().filter_map(|field| field.ident.as_ref().map(|ident| read_field(ident, field, errors))).collect()
}

fn read_field<'a>(ident: &'a Ident, field: &'a syn::Field, errors: &mut Errors) -> Field<'a> {
    let mut read = Field { ident, ty: &field.ty, purpose: Use::Data, purpose_at: None, rename: None, skip_none: false };
    let mut found = Errors::default();
    each(&field.attrs, &mut found, |meta, _| {
        if let Some(purpose) = Use::find(&meta.path) {
            let at = meta.path.get_ident().cloned();
            if let (Some(before), Some(at)) = (&read.purpose_at, &at) {
                let message = format!(
                    "this field is marked `{before}` already, and a field has one role; remove `{at}` or `{before}`"
                );
                return Err(syn::Error::new_spanned(at, message));
            }
            (read.purpose, read.purpose_at) = (purpose, at);
            Ok(())
        } else if meta.path.is_ident("rename") {
            let name: LitStr = meta.value()?.parse()?;
            set(&mut read.rename, name, meta)
        } else if meta.path.is_ident("skip_none") {
            read.skip_none = true;
            Ok(())
        } else {
            let roles = Role::of(Macro::Derive).map(Role::key);
            let known: Vec<_> = roles.chain(["flatten", "skip", "rename", "skip_none"]).collect();
            Err(unknown(meta, "a field", &known))
        }
    });
    if !found.is_empty() && read.purpose == Use::Data {
        read.purpose = Use::Unusable;
    }
    errors.append(found);
    read
}

impl Shape<'_> {
    /// The roles of its fields.
    pub(crate) fn given_roles(&self) -> Vec<Role> {
        let roles = self.fields.iter().filter_map(|field| match field.purpose {
            Use::Role(role) => Some(role),
            Use::Flatten | Use::Skip | Use::Data | Use::Unusable => None,
        });
        roles.collect()
    }

    /// Whether what one of its fields is for is not known.
    pub(crate) fn is_unclear(&self) -> bool {
        self.fields.iter().any(|field| field.purpose == Use::Unusable)
    }
}

impl Field<'_> {
    /// The name in the data.
    pub(crate) fn name(&self, case: Option<Case>) -> String {
        let own = self.ident.unraw().to_string();
        self.rename.as_ref().map_or_else(|| case.map_or(own.clone(), |case| case.apply(&own)), LitStr::value)
    }

    /// The place for errors about its name.
    pub(crate) fn name_span(&self) -> Span {
        self.rename.as_ref().map_or_else(|| self.ident.span(), LitStr::span)
    }
}
