//! The arguments of `#[paid::trace]`.

use paid_catalog::nearest_of;
use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{Expr, Path};

use crate::arguments::{self, Field, Given};
use crate::diagnostics::Errors;
use crate::leaving::stays;
use crate::library;
use crate::roles::{Macro, Role};

/// A key that is not a role.
#[derive(Clone, Copy)]
enum Setting {
    StorePrompts,
    Metadata,
    Token,
    Crate,
}

const SETTINGS: [(&str, Setting); 4] = [
    ("store_prompts", Setting::StorePrompts),
    ("metadata", Setting::Metadata),
    ("token", Setting::Token),
    ("crate", Setting::Crate),
];

pub(super) struct Arguments {
    /// In the order in which they were written.
    pub(super) roles: Vec<Given>,
    pub(super) store_prompts: Option<Expr>,
    pub(super) token: Option<Expr>,
    pub(super) metadata: Vec<Field>,
    pub(super) krate: Path,
    /// Every key as it was written.
    keys: Vec<Ident>,
}

impl Arguments {
    /// Reads argument by argument, so that a mistake in one does not hide the others.
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Self {
            roles: Vec::new(),
            store_prompts: None,
            token: None,
            metadata: Vec::new(),
            krate: library::path(),
            keys: Vec::new(),
        };
        for part in arguments::split(tokens) {
            let no_name = "`#[paid::trace]` takes no event name; name the event in `#[paid::signal(...)]`";
            if let Err(error) = arguments::argument(part, no_name, |key, input| arguments.keyed(key, input, errors)) {
                errors.push(error);
            }
        }
        arguments
    }

    fn keyed(&mut self, key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        let role = Role::of(Macro::Trace).find(|role| key == role.key());
        let setting = SETTINGS.iter().find(|(name, _)| key == name);
        if role.is_none() && setting.is_none() {
            return Err(arguments::unknown(key, input, "trace", &hint(&key.to_string())));
        }
        if self.keys.contains(key) {
            errors.at(key, format!("`{key}` is given twice; remove one"));
        }
        self.keys.push(key.clone());
        if let Some(role) = role {
            let value = arguments::value(key, input)?;
            role.check_literal(&value, errors);
            stays(&value, errors);
            self.roles.push(Given { role, key: key.clone(), value });
        }
        if let Some((_, setting)) = setting {
            self.setting(*setting, key, input, errors)?;
        }
        Ok(())
    }

    fn setting(
        &mut self,
        setting: Setting,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match setting {
            Setting::StorePrompts => self.store_prompts = Some(staying(key, input, errors)?),
            Setting::Token => self.token = Some(staying(key, input, errors)?),
            Setting::Metadata => {
                self.metadata = arguments::fields(key, input, errors)?;
                self.check_metadata(errors);
            }
            Setting::Crate => {
                arguments::equals(key, input)?;
                self.krate = input.call(Path::parse_mod_style)?;
            }
        }
        Ok(())
    }

    fn check_metadata(&self, errors: &mut Errors) {
        for (index, field) in self.metadata.iter().enumerate() {
            stays(&field.value, errors);
            if self.metadata.iter().take(index).any(|before| before.name() == field.name()) {
                errors.at(&field.key, format!("the field `{}` is given twice; remove one", field.name()));
            }
        }
    }
}

/// `= value`, which stays in the function.
fn staying(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Expr> {
    let value = arguments::value(key, input)?;
    stays(&value, errors);
    Ok(value)
}

/// What to write instead of a key that is unknown here.
fn hint(word: &str) -> String {
    if let Some(objection) = Role::find(word, Macro::Signal).and_then(Role::objection_over_trace) {
        return objection;
    }
    let known = Role::of(Macro::Trace).map(Role::key).chain(SETTINGS.iter().map(|(name, _)| *name));
    match (word, nearest_of(word, known)) {
        ("data", _) => "to put fields on every span, write `metadata(...)`".to_owned(),
        (_, Some(near)) => format!("did you mean {near}?"),
        (_, None) => format!("to put it on every span, write `metadata({word} = ...)`"),
    }
}
