//! What was written: the arguments of the annotation.

use paid_catalog::nearest_of;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitStr, Path, Token};

use crate::arguments::{self, Field, Given};
use crate::diagnostics::Errors;
use crate::library;
use crate::roles::{self, Macro, Role};

/// What the signal is called, or what it is made from.
pub(crate) enum Event {
    /// By name.
    Name(LitStr),
    /// A type that can be made from the success value.
    Payload(Path),
    /// The success value itself.
    Value,
    /// An argument that cannot be used; it has been reported.
    Unusable,
}

/// When it is emitted.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum On {
    #[default]
    Success,
    Error,
    Always,
}

/// A key that is not a role.
#[derive(Clone, Copy)]
pub(crate) enum Setting {
    Data,
    CostAttributed,
    Over,
    On,
    Success,
    When,
    Via,
    Ret,
    Crate,
}

/// Their keys, and what an editor shows for each.
pub(crate) const SETTINGS: [(&str, Setting, &str); 9] = [
    ("data", Setting::Data, "`data(field = expr, ...)`: the fields of its data."),
    (
        "cost_attributed",
        Setting::CostAttributed,
        "`cost_attributed`: attributes the enclosing traced scope's costs to this signal.",
    ),
    ("over", Setting::Over, "`over = \"trace\"`: sends it to the collector, as a span, instead of to the API."),
    ("on", Setting::On, "`on = \"success\" | \"error\" | \"always\"`: which outcome of the function emits it."),
    (
        "success",
        Setting::Success,
        "`success = |out| ...`: makes what the function returned into what succeeded, or nothing.",
    ),
    ("when", Setting::When, "`when = expr`: emits it only if this is true."),
    ("via", Setting::Via, "`via = expr`: emits it through this emitter."),
    ("ret", Setting::Ret, "`ret = name`: renames the success value, which is called `ret` otherwise."),
    ("crate", Setting::Crate, "`crate = path`: where the library is, if not at `::paid`."),
];

/// The arguments.
pub(crate) struct Arguments {
    pub(crate) event: Event,
    /// In the order in which they were written.
    pub(crate) roles: Vec<Given>,
    pub(crate) data: Option<(Ident, Vec<Field>)>,
    pub(crate) on: On,
    pub(crate) on_at: Option<LitStr>,
    /// The key, and the closure.
    pub(crate) success_at: Option<Ident>,
    pub(crate) success: Option<Expr>,
    /// The key, and the condition.
    pub(crate) when_at: Option<Ident>,
    pub(crate) when: Option<Expr>,
    pub(crate) via: Option<Expr>,
    pub(crate) ret: Option<Ident>,
    /// The key, if the signal takes its scope's costs.
    pub(crate) cost_attributed: Option<Ident>,
    /// The value of `over`, if it is "trace".
    pub(crate) over_trace: Option<LitStr>,
    pub(crate) krate: Path,
    /// Every key as it was written.
    pub(crate) keys: Vec<Ident>,
}

impl Arguments {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::of_a_name.parse2(tokens.clone()).unwrap_or_else(|_| Self::one_by_one(tokens, errors))
    }

    /// Reads all of them in one go, which is faster, if the first is a name and nothing is wrong.
    fn of_a_name(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut arguments, mut errors) = (Self::of(Event::Name(input.parse()?)), Errors::default());
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                let key = input.call(Ident::parse_any)?;
                arguments.keyed(&key, input, &mut errors)?;
            }
        }
        errors.into_result().map(|()| arguments)
    }

    /// Reads argument by argument, so that a mistake in one does not hide the others.
    fn one_by_one(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Self::of(Event::Value);
        for (index, part) in arguments::split(tokens).into_iter().enumerate() {
            if index == 0
                && let Some(event) = first(&part, errors)
            {
                arguments.event = event;
                continue;
            }
            let no_name = "the event name goes first, and only once; remove this one, or move it to the front";
            if let Err(error) = arguments::argument(part, no_name, |key, input| arguments.keyed(key, input, errors)) {
                errors.push(error);
            }
        }
        arguments
    }

    fn of(event: Event) -> Self {
        Self {
            event,
            roles: Vec::new(),
            data: None,
            on: On::Success,
            on_at: None,
            success_at: None,
            success: None,
            when_at: None,
            when: None,
            via: None,
            ret: None,
            cost_attributed: None,
            over_trace: None,
            krate: library::path(),
            keys: Vec::new(),
        }
    }

    fn keyed(&mut self, key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        self.keys.push(key.clone());
        let text = key.to_string();
        let role = Role::find(&text, Macro::Signal);
        let setting = SETTINGS.iter().find(|(name, ..)| text == *name);
        if role.is_none() && setting.is_none() {
            return Err(unknown(key, input));
        }
        if self.keys.iter().filter(|before| *before == key).count() > 1 {
            errors.at(key, format!("`{key}` is given twice; remove one"));
        }
        if let Some(role) = role {
            self.roles.push(Given { role, key: key.clone(), value: arguments::value(key, input)? });
        }
        if let Some((_, setting, _)) = setting {
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
            Setting::Data => {
                let fields = arguments::fields(key, input, errors)?;
                self.data.get_or_insert((key.clone(), fields));
            }
            Setting::CostAttributed => {
                if !arguments::is_at_end(input) {
                    let value: TokenStream = input.parse()?;
                    let message = "`cost_attributed` takes no value: write it alone, or leave it out";
                    return Err(syn::Error::new_spanned(value, message));
                }
                self.cost_attributed.get_or_insert(key.clone());
            }
            Setting::Over => {
                let value = choice(key, &["trace", "api"], input, errors)?;
                self.over_trace = (value.value() == "trace").then_some(value);
            }
            Setting::On => {
                let value = choice(key, &["success", "error", "always"], input, errors)?;
                self.on = match value.value().as_str() {
                    "error" => On::Error,
                    "always" => On::Always,
                    _ => On::Success,
                };
                self.on_at = Some(value);
            }
            Setting::Success => {
                self.success_at = Some(key.clone());
                self.success = Some(arguments::value(key, input)?);
            }
            Setting::When => {
                self.when_at = Some(key.clone());
                self.when = Some(arguments::value(key, input)?);
            }
            Setting::Via => self.via = Some(arguments::value(key, input)?),
            Setting::Ret => {
                arguments::equals(key, input)?;
                self.ret = Some(input.call(Ident::parse_any).map_err(|error| {
                    syn::Error::new(error.span(), "`ret` gives the success value another name: write `ret = meeting`")
                })?);
            }
            Setting::Crate => {
                arguments::equals(key, input)?;
                self.krate = input.call(Path::parse_mod_style)?;
            }
        }
        Ok(())
    }

    /// The roles that are given, in the order in which they were written.
    pub(crate) fn given_roles(&self) -> Vec<Role> {
        self.roles.iter().map(|given| given.role).collect()
    }

    pub(crate) fn role(&self, role: Role) -> Option<&Given> {
        self.roles.iter().find(|given| given.role == role)
    }
}

fn unknown(key: &Ident, input: ParseStream<'_>) -> syn::Error {
    let known = Role::of(Macro::Signal).map(Role::key).chain(SETTINGS.iter().map(|(name, ..)| *name));
    let hint = nearest_of(&key.to_string(), known).map_or_else(
        || format!("to send it as a field, write `data({key} = ...)`"),
        |near| format!("did you mean {near}?"),
    );
    arguments::unknown(key, input, "signal", &hint)
}

/// One of a few texts; any other is reported, and returned all the same.
fn choice(key: &Ident, allowed: &[&str], input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<LitStr> {
    arguments::equals(key, input)?;
    let quoted: Vec<_> = allowed.iter().map(|text| format!("\"{text}\"")).collect();
    let message = match quoted.split_last() {
        Some((last, others)) => format!("`{key}` is {} or {last}", others.join(", ")),
        None => String::new(),
    };
    let value: LitStr = input.parse().map_err(|error| syn::Error::new(error.span(), &message))?;
    if !allowed.contains(&value.value().as_str()) {
        let near = nearest_of(&value.value(), allowed.iter().copied());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        errors.at(&value, format!("{message}{hint}"));
    }
    Ok(value)
}

/// The first argument, if it says what the signal is.
fn first(part: &TokenStream, errors: &mut Errors) -> Option<Event> {
    if let Some(next) = behind_the_name(part) {
        errors.at(&next, "expected `,` between the event name and this");
        return Some(Event::Unusable);
    }
    let parser = |input: ParseStream<'_>| {
        let keyed = input.peek(syn::Ident::peek_any) && (input.peek2(Token![=]) && !input.peek2(Token![==]));
        let data = input.peek(syn::Ident) && input.peek2(syn::token::Paren);
        if keyed || data {
            input.parse::<TokenStream>()?;
            return Ok(None);
        }
        let value: Expr = input.parse()?;
        Ok(Some(value))
    };
    let not_literal =
        "the event name has to be a literal, so that it can be checked: write it out, as in \"meeting_booked\"";
    match parser.parse2(part.clone()) {
        Ok(None) => None,
        Ok(Some(value)) if roles::text(&value).is_some() => roles::text(&value).map(Event::Name),
        Ok(Some(Expr::Path(path))) if path.qself.is_none() => {
            let last = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            if path.path.get_ident().is_some() && last.starts_with(|first: char| first.is_ascii_lowercase()) {
                // A key without a value, or half of one.
                return None;
            }
            if last.chars().all(|letter| !letter.is_ascii_lowercase()) && last.len() > 1 {
                errors.at(&path, not_literal);
                return Some(Event::Unusable);
            }
            Some(Event::Payload(path.path))
        }
        Ok(Some(other)) => {
            errors.at(&other, not_literal);
            Some(Event::Unusable)
        }
        Err(_) => None,
    }
}

/// What follows the event name without a comma.
fn behind_the_name(part: &TokenStream) -> Option<TokenTree> {
    let mut tokens = part.clone().into_iter();
    let is_text = syn::parse2::<LitStr>(tokens.next()?.into()).is_ok();
    tokens.next().filter(|next| is_text && matches!(next, TokenTree::Ident(_) | TokenTree::Literal(_)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quote::{ToTokens, quote};

    use super::*;

    const VALUES: [&str; 18] = [
        "lead.id",
        "ret.minutes",
        "\"x\"",
        "1",
        "a < b",
        "a < b, c > d",
        "f::<A, B>(x)",
        "|a, b| a + b",
        "|a| a | b",
        "[a, b]",
        "if a { b } else { c }",
        "&a",
        "a == b",
        "a as Map<K, V>",
        "S { a, b: 1 }",
        "m!(a, b)",
        "move || x",
        "x =",
    ];

    fn shown(arguments: &Arguments) -> String {
        let roles =
            arguments.roles.iter().map(|given| (&given.key, &given.value)).map(|(key, value)| quote!(#key = #value));
        let fields = arguments.data.iter().flat_map(|(_, fields)| fields);
        let fields = fields.map(|field| (&field.key, &field.value)).map(|(key, value)| quote!(#key = #value));
        let expressions = [&arguments.success, &arguments.when, &arguments.via];
        let Arguments { keys, ret, cost_attributed, over_trace, krate, on_at, .. } = arguments;
        let event = match &arguments.event {
            Event::Name(name) => name.to_token_stream(),
            _ => quote!(other),
        };
        let expressions = expressions.into_iter().map(|value| quote!((#value)));
        quote!(#event; #(#keys)* #(#roles;)* #(#fields;)* #(#expressions)* #ret #cost_attributed #over_trace #krate #on_at)
            .to_string()
    }

    fn argument() -> impl Strategy<Value = String> {
        let value = || prop::sample::select(&VALUES[..]);
        let key =
            prop::sample::select(&["customer", "idempotency_key", "quantity", "when", "via", "success", "custmer"][..]);
        prop_oneof![
            6 => (key, value()).prop_map(|(key, value)| format!("{key} = {value}")),
            3 => (value(), value()).prop_map(|(one, other)| format!("data(a = {one}, b, type, r#type = {other})")),
            1 => Just("data(a, b)".to_owned()),
            1 => prop::sample::select(&["on = \"error\"", "on = \"eror\"", "over = \"trace\"", "ret = out", "crate = a::b"][..])
                .prop_map(str::to_owned),
            1 => prop::sample::select(&["cost_attributed", "cost_attributed = 1", "\"again\"", "data(a) b"][..])
                .prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_read_in_one_go_is_read_the_same_one_by_one(parts in prop::collection::vec(argument(), 0..4)) {
            let tokens: TokenStream = format!("\"email_sent\", {}", parts.join(", ")).parse().unwrap();
            let mut errors = Errors::default();
            let one_by_one = Arguments::one_by_one(tokens.clone(), &mut errors);
            match Arguments::of_a_name.parse2(tokens.clone()) {
                Ok(at_once) => {
                    prop_assert!(errors.is_empty(), "{tokens}");
                    prop_assert_eq!(shown(&at_once), shown(&one_by_one));
                }
                Err(_) => prop_assert!(!errors.is_empty(), "{tokens}"),
            }
        }
    }
}
